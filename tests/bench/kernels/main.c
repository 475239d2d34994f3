/* main.c: NAME ROWS COLUMNS: calls a function of kernels.nn for about a tenth
 * of a second's work, the same number of times whatever it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

#define FUNCTIONS(F)                                                           \
    F(total)                                                                   \
    F(product)                                                                 \
    F(columns) F(rows) F(soft) F(logs) F(gram) F(outer) F(spread) F(through)

typedef int Function(const float *, int64_t, int64_t, float *, void *,
                     const nn_exec *);

static const struct Row {
    const char *name;
    Function *call;
    size_t (*workspace)(int64_t, int64_t);
} row[] = {
#define ROW(f) {#f, kernels_##f, kernels_##f##_workspace},
    FUNCTIONS(ROW)};

static void *block(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);

    if (!p)
        exit(2);
    return p;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 3 ? atoll(argv[2]) : 0,
            m = argc > 3 ? atoll(argv[3]) : 0;
    int64_t most = n > m ? n : m, i, calls;
    const struct Row *r = row;

    while (argc > 3 && strcmp(r->name, argv[1]) != 0)
        if (++r == row + sizeof row / sizeof *row)
            return 2;
    if (n < 1 || m < 1)
        return 2;
    float *x = block(sizeof *x * (size_t)(n * m));
    float *out = block(sizeof *out * (size_t)(most * most));
    void *workspace = block(r->workspace(n, m));
    for (i = 0; i < n * m; i++)
        x[i] = (float)(i * 7919 % 1000) / 1000;
    /* Products have a row or column of work for each element. */
    int64_t work = n * m *
                   (strcmp(argv[1], "gram") == 0    ? m / 8 + 1
                    : strcmp(argv[1], "outer") == 0 ? n / 8 + 1
                                                    : 1);
    for (calls = 200000000 / (work + 100); calls > 0; calls--)
        if (r->call(x, n, m, out, workspace, NULL))
            return 1;
    return 0;
}
