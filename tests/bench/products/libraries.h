/* libraries.h: libraries that multiply matrices, opened where they are
 * installed. */
#ifndef NNCC_BENCH_LIBRARIES_H
#define NNCC_BENCH_LIBRARIES_H

#include <dlfcn.h>
#include <stdint.h>

enum { NBLAS = 2 };

typedef struct Blas {
    const char *title, *file;
    void (*tell)(void *library, char *to, size_t n); /* its version and CPU */
    char name[64];
    void (*sgemm)(int, int, int, int, int, int, float, const float *, int,
                  const float *, int, float, float *, int);
    void (*dgemm)(int, int, int, int, int, int, double, const double *, int,
                  const double *, int, double, double *, int);
    void (*sgemv)(int, int, int, int, float, const float *, int, const float *,
                  int, float, float *, int);
    void (*dgemv)(int, int, int, int, double, const double *, int,
                  const double *, int, double, double *, int);
} Blas;

static void tell_openblas(void *library, char *to, size_t n)
{
    char *(*config)(void) = NULL, *(*core)(void) = NULL;
    *(void **)&config = dlsym(library, "openblas_get_config");
    *(void **)&core = dlsym(library, "openblas_get_corename");
    int version = (int)strcspn(config() + 9, " ");
    snprintf(to, n, "OpenBLAS %.*s %s", version, config() + 9, core());
}

static void tell_mkl(void *library, char *to, size_t n)
{
    char text[256], *at;
    void (*version)(char *, int) = NULL;
    *(void **)&version = dlsym(library, "MKL_Get_Version_String");
    version(text, sizeof text - 1);
    at = strstr(text, "Version ");
    at = at ? at + 8 : text;
    snprintf(to, n, "MKL %.*s", (int)strcspn(at, " -"), at);
}

static Blas blas[NBLAS] = {
    {"OpenBLAS", "libopenblas.so.0", tell_openblas},
    {"MKL", "libmkl_rt.so.3", tell_mkl},
};
static int (*dnnl_sgemm)(char, char, int64_t, int64_t, int64_t, float,
                         const float *, int64_t, const float *, int64_t, float,
                         float *, int64_t);
static char dnnl_name[64];

static void open_blas(Blas *b)
{
    void *library = dlopen(b->file, RTLD_NOW);
    if (!library)
        return;
    *(void **)&b->sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&b->dgemm = dlsym(library, "cblas_dgemm");
    *(void **)&b->sgemv = dlsym(library, "cblas_sgemv");
    *(void **)&b->dgemv = dlsym(library, "cblas_dgemv");
    b->tell(library, b->name, sizeof b->name);
}

static void open_dnnl(void)
{
    void *library = dlopen("libdnnl.so.2", RTLD_NOW);
    const struct {
        int major, minor, patch;
    } *(*version)(void) = NULL;
    int (*isa)(void) = NULL;
    if (!library)
        library = dlopen("libdnnl.so.3", RTLD_NOW);
    if (!library)
        return;
    *(void **)&dnnl_sgemm = dlsym(library, "dnnl_sgemm");
    *(void **)&version = dlsym(library, "dnnl_version");
    *(void **)&isa = dlsym(library, "dnnl_get_effective_cpu_isa");
    snprintf(dnnl_name, sizeof dnnl_name, "oneDNN %d.%d.%d isa %#x",
             version()->major, version()->minor, version()->patch, isa());
}

/* Those that are missing are told. */
static void open_libraries(void)
{
    static const char left[] = "products\t%s\t\t\t>= 0.9\tno %s\n";
    for (Blas *b = blas; b < blas + NBLAS; b++) {
        open_blas(b);
        if (!b->sgemm)
            printf(left, b->title, b->title);
    }
    open_dnnl();
    if (!dnnl_sgemm)
        printf(left, "oneDNN", "oneDNN");
}

#endif
