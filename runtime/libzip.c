/* libzip.c: libzip, found as the loader finds libraries. */
#include "libzip.h"
#include "nn_internal.h"

#include <dlfcn.h>
#include <string.h>

/* All versions that have these functions as zip.h declares them. */
static const char *const names[] = {"libzip.so.5", "libzip.so.4", "libzip.so"};

static bool find(void *library, const char *name, void *to)
{
    void *at = dlsym(library, name);

    memcpy(to, &at, sizeof at);
    return at != NULL;
}

int nncc_libzip_open(nncc_libzip *z, const char *path)
{
    bool good = true;

    *z = (nncc_libzip){0};
    for (size_t i = 0; i < sizeof names / sizeof *names && !z->library; i++)
        z->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!z->library)
        return nncc_fail(NN_ERR_FILE,
                         "%s: .npz files need libzip, which is not installed",
                         path);
#define F(name) good = good && find(z->library, "zip_" #name, &z->name);
    NNCC_LIBZIP(F)
#undef F
    if (good)
        return NN_OK;
    nncc_libzip_close(z);
    return nncc_fail(NN_ERR_FILE,
                     "%s: .npz files need another version of libzip", path);
}

void nncc_libzip_close(nncc_libzip *z)
{
    if (z->library)
        dlclose(z->library);
    z->library = NULL;
}
