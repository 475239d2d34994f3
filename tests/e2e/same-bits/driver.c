/* driver.c: an element has the same bits whether it is computed alone or among
 * so many others, in a full vector or in what is left over; products that are
 * equal have the difference 0; rows that end early end there. */

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

enum { N = 1031 };

static float x[N], y[N], all[N], some[N];

enum { ROWS = 67, COLUMNS = 90 };

static void *symbol(void *m, const char *name)
{
    void *f = dlsym(m, name);
    if (!f)
        printf("no %s\n", name);
    return f;
}

/* Of rows that are shorter than 0, empty, longer than there are columns: with
 * all others, and alone. */
static int ragged(void *m)
{
    static float at[ROWS][COLUMNS], sum[ROWS], most[ROWS], one[2];
    static int32_t length[ROWS];
    int bad = 0;
    int (*f)(const float *, const int32_t *, int64_t, int64_t, float *, float *,
             void *, const nn_exec *);

    *(void **)&f = symbol(m, "model_ragged");
    if (!f)
        return 1;
    for (int i = 0; i < ROWS; i++) {
        length[i] = i * 37 % COLUMNS;
        for (int j = 0; j < COLUMNS; j++)
            at[i][j] = x[(i * COLUMNS + j) % N] - 0.6f;
    }
    length[5] = COLUMNS;
    bad += f(at[0], length, ROWS, COLUMNS, sum, most, NULL, NULL) != NN_OK;
    for (int i = 0; i < ROWS; i++) {
        double want = 0;
        float top = -INFINITY;
        for (int j = 0; j < length[i]; j++) {
            want += at[i][j];
            top = at[i][j] > top ? at[i][j] : top;
        }
        f(at[i], length + i, 1, COLUMNS, one, one + 1, NULL, NULL);
        bad += memcmp(one, sum + i, sizeof *one) != 0 || one[1] != most[i];
        bad += fabs(sum[i] - want) > 1e-5 || most[i] != top;
    }
    length[3] = -1;
    bad += f(at[0], length, ROWS, COLUMNS, sum, most, NULL, NULL) != NN_OK;
    bad += sum[3] != 0 || most[3] != -INFINITY;
    length[66] = COLUMNS + 1;
    bad +=
        f(at[0], length, ROWS, COLUMNS, sum, most, NULL, NULL) != NN_ERR_INDEX;
    return bad;
}

/* Against plain loops; a place that is none is told where it is read alone. */
static int csr(void *m)
{
    enum { SIZE = ROWS * COLUMNS };
    static int32_t ptr[ROWS + 1], col[SIZE + 1];
    static float val[SIZE], sum[ROWS], by_val[SIZE], by_x[COLUMNS];
    static char work[1 << 20] __attribute__((aligned(64)));
    int bad = 0, n = 0;
    int (*f)(const int32_t *, const int32_t *, const float *, const float *,
             int64_t, int64_t, int64_t, float *, void *, const nn_exec *);
    int (*slopes)(const int32_t *, const int32_t *, const float *,
                  const float *, const float *, int64_t, int64_t, int64_t,
                  float *, float *, void *, const nn_exec *);
    size_t (*need)(int64_t, int64_t, int64_t);

    *(void **)&f = symbol(m, "model_csr");
    *(void **)&slopes = symbol(m, "model_slopes");
    *(void **)&need = symbol(m, "model_slopes_workspace");
    if (!f || !slopes || !need)
        return 1;
    for (int i = 0; i < ROWS; i++) {
        ptr[i] = n;
        for (int k = 0; k < i * 29 % 41; k++, n++) {
            col[n] = n * 31 % COLUMNS;
            val[n] = y[n % N];
        }
    }
    ptr[ROWS] = n;
    if (need(ROWS, n, COLUMNS) > sizeof work)
        return 1;
    bad += f(ptr, col, val, x, ROWS, n, COLUMNS, sum, work, NULL) != NN_OK;
    bad += slopes(ptr, col, val, x, y, ROWS, n, COLUMNS, by_val, by_x, work,
                  NULL) != NN_OK;
    for (int i = 0; i < ROWS; i++) {
        double want = 0;
        for (int k = ptr[i]; k < ptr[i + 1]; k++) {
            want += val[k] * x[col[k]];
            bad += by_val[k] != y[i] * x[col[k]];
            by_x[col[k]] -= y[i] * val[k];
        }
        bad += fabs(sum[i] - want) > 1e-4 * (1 + fabs(want));
    }
    for (int j = 0; j < COLUMNS; j++)
        bad += fabsf(by_x[j]) > 1e-3f;
    col[n] = -1; /* behind the last row */
    bad += f(ptr, col, val, x, ROWS, n, COLUMNS, sum, work, NULL) != NN_OK;
    col[n - 1] = COLUMNS;
    bad +=
        f(ptr, col, val, x, ROWS, n, COLUMNS, sum, work, NULL) != NN_ERR_INDEX;
    return bad;
}

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
    bad += ragged(m) + csr(m);
    if (bad)
        printf("%d differ\n", bad);
    return bad != 0;
}
