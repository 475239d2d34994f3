/* driver.c: sparse matrices by the header: pattern, values, and the same with
 * zeros. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

enum { N = 7, P = 9 };

static int bad;
static void *lib;
static char work[1 << 16];

static void need(int ok, const char *what)
{
    if (!ok) {
        printf("%s\n", what);
        bad = 1;
    }
}

static void *entry(const char *name)
{
    void *f = dlsym(lib, name);

    if (!f) {
        printf("no %s\n", name);
        exit(1);
    }
    return f;
}

/* Rows of ascending columns that hold what `full` does, and nothing else. */
static void compare(const char *what, int rows, int columns,
                    const int32_t *start, const int32_t *column,
                    const float *value, const float *full)
{
    need(start[0] == 0, what);
    for (int r = 0; r < rows; r++) {
        int e = start[r];

        for (int c = 0; c < columns; c++) {
            float got = 0;
            if (e < start[r + 1] && column[e] == c)
                got = value[e++];
            need(fabsf(got - full[r * columns + c]) < 1e-4f, what);
        }
        need(e == start[r + 1], what);
    }
}

static float some(int i) { return (float)((i * 7) % 11) / 8 - 0.5f; }

static void rod(void *workspace)
{
    int (*pattern)(int64_t, int32_t *, int32_t *, int32_t *, void *,
                   const nn_exec *);
    int (*values)(const float *, float, const int32_t *, int64_t, float *,
                  void *, const nn_exec *);
    int (*dense)(const float *, float, int64_t, float *, void *,
                 const nn_exec *);
    float u[N], v[4 * N], full[N * N];
    int32_t start[N + 1], column[4 * N], place[4 * N];

    *(void **)&pattern = entry("model_J_pattern");
    *(void **)&values = entry("model_J");
    *(void **)&dense = entry("model_rod_jacobian");
    need(pattern(N, start, column, place, workspace, NULL) == NN_OK, "pattern");
    need(start[N] == 2 + 3 * (N - 2), "entries of the rod");
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < N; i++)
            u[i] = some(i + k);
        need(values(u, 2, place, N, v, workspace, NULL) == NN_OK, "values");
        need(dense(u, 2, N, full, workspace, NULL) == NN_OK, "dense");
        compare("rod", N, N, start, column, v, full);
    }
    place[1] = 4 * N;
    need(values(u, 2, place, N, v, workspace, NULL) == NN_ERR_INDEX,
         "a place outside");
}

static void springs(void *workspace)
{
    int (*pattern)(const int32_t *, const int32_t *, int64_t, int64_t,
                   int32_t *, int32_t *, int32_t *, void *, const nn_exec *);
    int (*values)(const float *, const int32_t *, const int32_t *,
                  const int32_t *, int64_t, int64_t, float *, void *,
                  const nn_exec *);
    int (*dense)(const float *, const int32_t *, const int32_t *, int64_t,
                 int64_t, float *, void *, const nn_exec *);
    /* some twice, one from a point to itself */
    int32_t a[P] = {0, 1, 2, 3, 0, 1, 5, 4, 6},
            b[P] = {1, 2, 3, 0, 1, 0, 5, 6, 4};
    int32_t start[2 * N + 1], column[16 * P], place[16 * P];
    float x[N * 2], v[16 * P], full[4 * N * N];

    *(void **)&pattern = entry("model_H_pattern");
    *(void **)&values = entry("model_H");
    *(void **)&dense = entry("model_springs_hessian");
    for (int i = 0; i < 2 * N; i++)
        x[i] = some(i);
    need(pattern(a, b, N, P, start, column, place, workspace, NULL) == NN_OK,
         "pattern");
    need(start[2 * N] == 4 * (7 + 2 * 5), "entries of the springs");
    need(values(x, a, b, place, N, P, v, workspace, NULL) == NN_OK, "values");
    need(dense(x, a, b, N, P, full, workspace, NULL) == NN_OK, "dense");
    compare("springs", 2 * N, 2 * N, start, column, v, full);
    a[0] = N;
    need(pattern(a, b, N, P, start, column, place, workspace, NULL) ==
             NN_ERR_INDEX,
         "an index outside");
}

int main(int argc, char **argv)
{
    char *workspace = work + (64 - (uintptr_t)work % 64) % 64;

    lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!lib)
        return 1;
    rod(workspace);
    springs(workspace);
    return bad;
}
