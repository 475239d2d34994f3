/* driver.c: an element has the same bits whether it is computed alone or among
 * so many others, in a full vector or in what is left over; and products that
 * are equal have the difference 0. */

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

enum { N = 1031 };

static float x[N], y[N], all[N], some[N];

int main(int argc, char **argv)
{
    void *m = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    int (*f)(const float *, const float *, int64_t, float *, void *,
             const nn_exec *);
    int (*zero)(const float *, const float *, int64_t, float *, void *,
                const nn_exec *);
    int i, n, bad = 0;

    if (!m)
        return 2;
    *(void **)&f = dlsym(m, "model_f");
    *(void **)&zero = dlsym(m, "model_zero");
    for (i = 0; i < N; i++) {
        x[i] = 0.1f + (float)(i * 7919 % 1000) / 777;
        y[i] = 0.3f + (float)(i * 104729 % 1000) / 333;
    }
    f(x, y, N, all, NULL, NULL);
    for (i = 0; i < N; i++) {
        f(x + i, y + i, 1, some, NULL, NULL);
        bad += memcmp(some, all + i, sizeof *some) != 0;
    }
    for (n = 0; n < 80; n++) {
        f(x, y, n, some, NULL, NULL);
        bad += memcmp(some, all, sizeof *some * (size_t)n) != 0;
    }
    zero(x, y, N, some, NULL, NULL);
    for (i = 0; i < N; i++)
        bad += some[i] != 0;
    if (bad)
        printf("%d differ\n", bad);
    return bad != 0;
}
