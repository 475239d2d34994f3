/* main.c: FOLDER ROUNDS PATTERN…: the products of products.nn, compiled for
 * their sizes and for any, beside OpenBLAS, oneDNN and the most multiply-adds
 * that the core can do. All take turns, the least time of each counts. FOLDER
 * has any-f32.so, any-f64.so and B-N-M-f32.so …; a row is named FORM B N M
 * DTYPE, and shown if it has a PATTERN in it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "nn_abi.h"

enum { MOST = 2048 * 2048, ORDER = 101, PLAIN = 111, TURNED = 112 };

typedef enum Who { FIXED, ANY, BLAS, DNNL, NWHO } Who;

typedef struct Row {
    const char *form;
    int b, n, m;
    int wide;
} Row;

typedef struct Libraries {
    void (*sgemm)(int, int, int, int, int, int, float, const float *, int,
                  const float *, int, float, float *, int);
    void (*dgemm)(int, int, int, int, int, int, double, const double *, int,
                  const double *, int, double, double *, int);
    void (*sgemv)(int, int, int, int, float, const float *, int, const float *,
                  int, float, float *, int);
    void (*dgemv)(int, int, int, int, double, const double *, int,
                  const double *, int, double, double *, int);
    int (*dnnl)(char, char, int64_t, int64_t, int64_t, float, const float *,
                int64_t, const float *, int64_t, float, float *, int64_t);
} Libraries;

/* What is multiplied; out[Who]. The largest of each. */
static void *x, *y, *w, *out[NWHO], *work;
static size_t work_size;
static Libraries lib;

static void *block(size_t bytes)
{
    void *p = aligned_alloc(4096, (bytes + 4096) / 4096 * 4096);
    if (!p)
        exit(2);
    memset(p, 0, bytes);
    return p;
}

/* The most multiply-adds: chains of them that need no memory; the vectors are
 * as wide as the program was compiled for. */
#ifdef __AVX512F__
enum { VECTOR = 64 };
#elif defined __AVX__
enum { VECTOR = 32 };
#else
enum { VECTOR = 16 };
#endif
typedef float Vector __attribute__((vector_size(VECTOR)));

/* flop/s of f32 */
static double peak_once(void)
{
    enum { CHAINS = 12, TIMES = 4000 };
    Vector a = (Vector){0} + 0.999f, c = (Vector){0} + 1e-3f;
    Vector p = a, q = a, r = a, s = a, t = a, u = a;
    Vector v = a, d = a, e = a, f = a, g = a, h = a;
    double from = now();
    for (int i = 0; i < TIMES; i++) {
        p = p * a + c, q = q * a + c, r = r * a + c, s = s * a + c;
        t = t * a + c, u = u * a + c, v = v * a + c, d = d * a + c;
        e = e * a + c, f = f * a + c, g = g * a + c, h = h * a + c;
        __asm__ volatile(""
                         : "+x"(p), "+x"(q), "+x"(r), "+x"(s), "+x"(t), "+x"(u),
                           "+x"(v), "+x"(d), "+x"(e), "+x"(f), "+x"(g),
                           "+x"(h));
    }
    return 2.0 * TIMES * CHAINS * (VECTOR / 4) / (now() - from);
}

/* Ours */

typedef struct Module {
    void *library;
    const nn_function *function;
} Module;

static Module module_of(const char *folder, const char *name, const char *form)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", folder, name);
    Module m = {dlopen(path, RTLD_NOW | RTLD_LOCAL), NULL};
    const nn_module *(*table)(void) = NULL;
    if (m.library)
        *(void **)&table = dlsym(m.library, "p_module");
    for (int i = 0; table && i < table()->nfunction; i++)
        if (strcmp(table()->function[i]->name, form) == 0)
            m.function = table()->function[i];
    return m;
}

static void call_ours(const Module *module, const Row *r, void *to)
{
    const nn_function *f = module->function;
    int64_t dims[3];
    for (int i = 0; i < f->ndim; i++)
        dims[i] = *f->dim[i] == 'b' ? r->b : *f->dim[i] == 'n' ? r->n : r->m;
    void *leaf[4];
    int n = 0;
    for (int i = 0; i < f->nparam; i++) {
        char name = *f->param[i]->name;
        leaf[n++] = name == 'x' ? x : name == 'y' ? y : w;
    }
    leaf[n] = to;
    size_t need = f->workspace(dims);
    if (need > work_size) {
        free(work);
        work = block(need);
        work_size = need;
    }
    if (f->call(leaf, dims, work, NULL) != NN_OK)
        exit(3);
}

/* Theirs */

typedef struct Gemm {
    int ta, tb, m, n, k, lda, ldb;
    const void *a, *b;
    double alpha, beta;
} Gemm;

static Gemm gemm_of(const Row *r)
{
    if (strcmp(r->form, "nn") == 0 || strcmp(r->form, "xw") == 0)
        return (Gemm){0, 0, r->b, r->m, r->n, r->n, r->m, x, w, 1, 0};
    if (strcmp(r->form, "nt") == 0 || strcmp(r->form, "wy") == 0)
        return (Gemm){0, 1, r->b, r->n, r->m, r->m, r->m, y, w, 1, 0};
    if (strcmp(r->form, "tn") == 0)
        return (Gemm){1, 0, r->n, r->m, r->b, r->n, r->m, x, y, 1, 0};
    return (Gemm){1, 0, r->n, r->m, r->b, r->n, r->m, x, y, -1e-3, 1};
}

static void start_step(const Gemm *g, int wide, void *to)
{
    if (g->beta != 0)
        memcpy(to, w, (size_t)g->m * (size_t)g->n * (wide ? 8 : 4));
}

static void call_blas(const Gemm *g, int wide, void *to)
{
    int ta = g->ta ? TURNED : PLAIN, tb = g->tb ? TURNED : PLAIN;
    start_step(g, wide, to);
    if (wide && g->m == 1)
        lib.dgemv(ORDER, tb == PLAIN ? TURNED : PLAIN, g->tb ? g->n : g->k,
                  g->tb ? g->k : g->n, 1, g->b, g->ldb, g->a, 1, 0, to, 1);
    else if (wide)
        lib.dgemm(ORDER, ta, tb, g->m, g->n, g->k, g->alpha, g->a, g->lda, g->b,
                  g->ldb, g->beta, to, g->n);
    else if (g->m == 1)
        lib.sgemv(ORDER, tb == PLAIN ? TURNED : PLAIN, g->tb ? g->n : g->k,
                  g->tb ? g->k : g->n, 1, g->b, g->ldb, g->a, 1, 0, to, 1);
    else
        lib.sgemm(ORDER, ta, tb, g->m, g->n, g->k, (float)g->alpha, g->a,
                  g->lda, g->b, g->ldb, (float)g->beta, to, g->n);
}

static void call_dnnl(const Gemm *g, void *to)
{
    start_step(g, 0, to);
    if (lib.dnnl(g->ta ? 'T' : 'N', g->tb ? 'T' : 'N', g->m, g->n, g->k,
                 (float)g->alpha, g->a, g->lda, g->b, g->ldb, (float)g->beta,
                 to, g->n) != 0)
        exit(3);
}

static void open_libraries(void)
{
    void *blas = dlopen("libopenblas.so.0", RTLD_NOW);
    void *dnnl = dlopen("libdnnl.so.2", RTLD_NOW);
    if (!dnnl)
        dnnl = dlopen("libdnnl.so.3", RTLD_NOW);
    if (blas) {
        *(void **)&lib.sgemm = dlsym(blas, "cblas_sgemm");
        *(void **)&lib.dgemm = dlsym(blas, "cblas_dgemm");
        *(void **)&lib.sgemv = dlsym(blas, "cblas_sgemv");
        *(void **)&lib.dgemv = dlsym(blas, "cblas_dgemv");
    }
    if (dnnl)
        *(void **)&lib.dnnl = dlsym(dnnl, "dnnl_sgemm");
    if (!blas || !dnnl)
        printf("without %s\n", !blas && !dnnl ? "OpenBLAS and oneDNN"
                               : blas         ? "oneDNN"
                                              : "OpenBLAS");
}

/* Rows */

/* What all rows of one kind come to. */
typedef struct Mean {
    double log[NWHO], least[NWHO];
    int n;
} Mean;

static void run(Who who, const Module *module, const Row *r, const Gemm *g)
{
    if (who <= ANY)
        call_ours(&module[who], r, out[who]);
    else if (who == BLAS)
        call_blas(g, r->wide, out[who]);
    else
        call_dnnl(g, out[who]);
}

/* Seconds each; INFINITY where there is none. */
static void measure(const Module *module, const Row *r, const Gemm *g,
                    int rounds, double *least, double *peak)
{
    int times[NWHO] = {0};
    for (int who = 0; who < NWHO; who++) {
        least[who] = INFINITY;
        if ((who <= ANY && !module[who].function) ||
            (who == BLAS && !lib.sgemm) ||
            (who == DNNL && (!lib.dnnl || r->wide)))
            continue;
        run(who, module, r, g);
        double from = now();
        run(who, module, r, g);
        times[who] = 1 + (int)(1e-4 / (now() - from + 1e-9));
    }
    for (int round = 0; round < rounds; round++) {
        double p = peak_once();
        *peak = p > *peak ? p : *peak;
        for (int who = 0; who < NWHO; who++) {
            double from = now();
            for (int i = 0; i < times[who]; i++)
                run(who, module, r, g);
            double took = (now() - from) / times[who];
            if (times[who] && took < least[who])
                least[who] = took;
        }
    }
}

static double value(const void *p, int wide, size_t i)
{
    return wide ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void compare(const Row *r, const Gemm *g, Who a, Who b)
{
    double eps = r->wide ? 1e-13 : 1e-4;
    for (size_t i = 0; i < (size_t)g->m * (size_t)g->n; i++) {
        double u = value(out[a], r->wide, i), v = value(out[b], r->wide, i);
        if (!(fabs(u - v) <= eps * (fabs(u) + sqrt(g->k)))) {
            printf("%s %d %d %d: %g and %g at %zu\n", r->form, r->b, r->n, r->m,
                   u, v, i);
            exit(1);
        }
    }
}

static void show(const Row *r, const char *folder, int rounds, Mean *mean)
{
    char name[64];
    double least[NWHO], peak = 0;
    const char *t = r->wide ? "f64" : "f32";
    Gemm g = gemm_of(r);
    snprintf(name, sizeof name, "%d-%d-%d-%s", r->b, r->n, r->m, t);
    Module module[] = {module_of(folder, name, r->form), {0}};
    snprintf(name, sizeof name, "any-%s", t);
    module[ANY] = module_of(folder, name, r->form);
    measure(module, r, &g, rounds, least, &peak);
    peak /= r->wide ? 2 : 1;
    double flop = 2.0 * g.m * g.n * g.k, best = fmin(least[BLAS], least[DNNL]);
    printf("%-5s %4d %4d %4d %s", r->form, r->b, r->n, r->m, t);
    for (int who = 0; who < NWHO; who++)
        printf(least[who] < INFINITY ? " %7.1f" : "       -",
               1e-9 * flop / least[who]);
    mean->n++;
    for (int who = 0; who <= ANY; who++) {
        double ratio = best / least[who];
        printf("  %3.0f %% %5.2f", 100 * flop / least[who] / peak, ratio);
        mean->log[who] += log(ratio);
        mean->least[who] = fmin(mean->least[who], ratio);
        if (least[BLAS] < INFINITY && least[who] < INFINITY)
            compare(r, &g, who, BLAS);
    }
    printf("\n");
    fflush(stdout);
    for (int who = 0; who <= ANY; who++)
        if (module[who].library)
            dlclose(module[who].library);
}

static int wanted(const Row *r, char **pattern)
{
    char name[64];
    snprintf(name, sizeof name, "%s %d %d %d %s", r->form, r->b, r->n, r->m,
             r->wide ? "f64" : "f32");
    for (char **p = pattern; *p; p++)
        if (strstr(name, *p))
            return 1;
    return !*pattern;
}

static void fill(void)
{
    size_t most = (size_t)MOST * 8;
    x = block(most);
    y = block(most);
    w = block(most);
    for (int i = 0; i < NWHO; i++)
        out[i] = block(most);
}

static void set_values(int wide)
{
    unsigned s = 1;
    for (int which = 0; which < 3; which++)
        for (size_t i = 0; i < MOST; i++) {
            void *to = which == 0 ? x : which == 1 ? y : w;
            s = s * 1664525u + 1013904223u;
            double v = (double)(s >> 8) / (1 << 24) - 0.5;
            if (wide)
                ((double *)to)[i] = v;
            else
                ((float *)to)[i] = (float)v;
        }
}

int main(int argc, char **argv)
{
    static const char *const form[] = {"nn", "nt", "tn", "step", "xw", "wy"};
    int rounds = argc > 2 ? atoi(argv[2]) : 0, wide = -1;
    Mean mean = {.least = {INFINITY, INFINITY}};
    Row r;
    if (rounds < 1)
        return 2;
    open_libraries();
    fill();
    printf("%-25s %7s %7s %7s %7s  %11s  %11s\n", "GFLOP/s", "fixed", "any",
           "OpenBL.", "oneDNN", "fixed/peak,best", "any/peak,best");
    while (scanf("%d %d %d %d", &r.b, &r.n, &r.m, &r.wide) == 4)
        for (int i = 0; i < (r.b == 1 ? 6 : 4); i++) {
            r.form = form[i];
            if (!wanted(&r, argv + 3))
                continue;
            if (wide != r.wide)
                set_values(wide = r.wide);
            show(&r, argv[1], rounds, &mean);
        }
    printf("%d rows; fixed and any sizes / the best of the others: %.2f, %.2f "
           "in the mean, at least %.2f, %.2f\n",
           mean.n, exp(mean.log[FIXED] / mean.n), exp(mean.log[ANY] / mean.n),
           mean.least[FIXED], mean.least[ANY]);
    return 0;
}
