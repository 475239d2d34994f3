/* driver.c: the relative error of a sum in 32 bits does not grow with its
 * length, whatever is added up in which loops. Sums without products have the
 * same bits on every CPU. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { N = 4000000 };

typedef int Sum(const float *, int64_t, float *, void *, const nn_exec *);
typedef int Sums(const float *, int64_t, int64_t, float *, void *,
                 const nn_exec *);

static Sum *total, *average, *spread, *nonlinear, *spaced, *folds;
static Sums *columns, *rows, *both, *middle, *gram;
static int (*product)(const float *, const float *, int64_t, float *, void *,
                      const nn_exec *);
static int (*only)(const float *, uint8_t, int64_t, float *, void *,
                   const nn_exec *);
static int (*bias_grad)(const float *, const float *, int64_t, int64_t, float *,
                        void *, const nn_exec *);

typedef int Added(const float *, const int32_t *, const float *, float, int64_t,
                  int64_t, int64_t, float *, float *, void *, const nn_exec *);
static Added *embed_vjp, *across_vjp;
static int (*lookup_vjp)(const float *, const int32_t *, const float *, float,
                         int64_t, int64_t, float *, float *, void *,
                         const nn_exec *);

static float x[N], one[N];
static int32_t place[N];
static char room[(1 << 22) + 64], *work;
static int bad;

static void close_to(const char *what, double got, double want, double most)
{
    double off = fabs(got - want) / fabs(want);
    if (off <= most)
        return;
    printf("%s: %.9g, expected %.9g: off by %.2g\n", what, got, want, off);
    bad++;
}

static void fill(float v)
{
    int i;

    for (i = 0; i < N; i++)
        x[i] = v;
}

/* Of n values v. */
static void test_one(float v, int64_t n)
{
    float r = 0;
    double all = (double)v * (double)n;
    fill(v);
    total(x, n, &r, NULL, NULL);
    close_to("total", r, all, 5e-7);
    average(x, n, &r, NULL, NULL);
    close_to("average", r, v, 5e-7);
    spread(x, n, &r, NULL, NULL);
    if (!(r < 1e-9 * v * v))
        printf("spread of equal values: %g\n", (double)r), bad++;
    product(x, x, n, &r, NULL, NULL);
    close_to("product", r, all * v, 5e-7);
    nonlinear(x, n, &r, NULL, NULL);
    close_to("nonlinear", r, (double)n, 8e-7);
    spaced(x, n, &r, NULL, NULL);
    close_to("spaced", r, (double)v * (double)((n + 2) / 3), 5e-7);
    folds(x, n, &r, NULL, NULL);
    close_to("folds", r, all, 5e-7);
    only(x, 1, n, &r, NULL, NULL);
    close_to("only", r, all, 5e-7);
}

/* Of n rows of m values v. */
static void test_rows(float v, int64_t n, int64_t m)
{
    float r, three[3];
    int64_t i;
    fill(v);
    columns(x, n, m, one, NULL, NULL);
    for (i = 0; i < m; i++)
        close_to("columns", one[i], (double)v * (double)n, 5e-7);
    rows(x, n, m, one, NULL, NULL);
    for (i = 0; i < n; i++)
        close_to("rows", one[i], (double)v * (double)m, 5e-7);
    both(x, n, m, &r, NULL, NULL);
    close_to("both", r, (double)v * v * (double)(n * m), 5e-7);
    middle(x, n, m / 3, three, NULL, NULL);
    for (i = 0; i < 3; i++)
        close_to("middle", three[i], (double)v * (double)(n * (m / 3)), 5e-7);
    for (i = 0; m < 100 && gram(x, n, m, one, work, NULL) == 0 && i < m * m;
         i++)
        close_to("gram", one[i], (double)v * v * (double)n, 3e-6);
    bias_grad(x, x, m, n, one, NULL, NULL);
    for (i = 0; i < m; i++)
        close_to("bias", one[i], (double)n, 5e-7);
}

/* Every length around those where vectors, slots and blocks end. */
static void test_lengths(void)
{
    double all = 0;
    float r;
    int n;

    for (n = 0; n < 2000; n++)
        x[n] = 1 + (float)(n * 7919 % 1000) / 777;
    for (n = 1; n < 2000; n++) {
        all += x[n - 1];
        total(x, n, &r, NULL, NULL);
        close_to("total", r, all, 2e-7);
        folds(x, n, &r, NULL, NULL);
        close_to("folds", r, all, 2e-7);
    }
}

/* What rows add to the places of a table: `few` of its m places get all. */
static void test_places(float v, int64_t n, int few, int64_t m)
{
    double want[64] = {0};
    float y;
    int64_t i;
    fill(v);
    for (i = 0; i < n; i++) {
        place[i] = (int32_t)(i * 7 / 3 % few);
        x[i] += (float)(i % 7) / 64;
        want[place[i]] += x[i];
    }
    memset(one, 0, sizeof one);
    lookup_vjp(one, place, x, 1, m, n, &y, one + m, work, NULL);
    for (i = 0; i < m; i++)
        if (want[i] > 0)
            close_to("lookup", one[m + i], want[i], 2e-7);
        else if (one[m + i] != 0)
            printf("lookup: %g in a place of none\n", (double)one[m + i]),
                bad++;
}

/* Rows of m to places in a table of k, its rows or columns. */
static void test_table(const char *what, Added *f, float v, int64_t k,
                       int64_t m)
{
    static double want[5 * 40];
    int64_t n = N / m, i, j;
    int across = f == across_vjp;
    float y, *t_bar = one + k * m;
    fill(v);
    memset(want, 0, sizeof want);
    memset(one, 0, sizeof *one * (size_t)(k * m));
    for (i = 0; i < n; i++) {
        place[i] = (int32_t)(i * 7 / 3 % k);
        for (j = 0; j < m; j++)
            want[across ? j * k + place[i] : place[i] * m + j] += v;
    }
    if (across)
        f(one, place, x, 1, m, k, n, &y, t_bar, work, NULL);
    else
        f(one, place, x, 1, k, m, n, &y, t_bar, work, NULL);
    for (i = 0; i < k * m; i++)
        if (want[i] > 0)
            close_to(what, t_bar[i], want[i], 2e-7);
}

/* An infinity stays in its place, and an overflow is one. */
static void test_infinite_places(void)
{
    float t[3] = {0}, t_bar[3], y;
    int64_t i;
    fill(1);
    for (i = 0; i < N; i++)
        place[i] = (int32_t)(i % 3);
    x[300] = INFINITY;
    x[301] = x[304] = 3e38f;
    lookup_vjp(t, place, x, 1, 3, N / 100, &y, t_bar, work, NULL);
    if (t_bar[0] != INFINITY || t_bar[1] != INFINITY)
        printf("places with infinities: %g, %g\n", (double)t_bar[0],
               (double)t_bar[1]),
            bad++;
    close_to("beside infinities", t_bar[2], N / 300, 1e-7);
}

static void test_infinite(void)
{
    float r;
    fill(1);
    x[N / 3] = INFINITY;
    total(x, N, &r, NULL, NULL);
    if (r != INFINITY)
        printf("a sum with an infinity is %g\n", (double)r), bad++;
    x[N / 2] = -INFINITY;
    total(x, N, &r, NULL, NULL);
    if (r == r)
        printf("inf - inf is %g\n", (double)r), bad++;
}

#define FIND(f) *(void **)&f = dlsym(m, "model_" #f)

int main(int argc, char **argv)
{
    void *m = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    int64_t n;

    if (!m)
        return 2;
    work = room + 64 - (uintptr_t)room % 64;
    FIND(total), FIND(average), FIND(spread), FIND(product), FIND(nonlinear);
    FIND(spaced), FIND(folds), FIND(only);
    FIND(lookup_vjp), FIND(embed_vjp), FIND(across_vjp);
    FIND(columns), FIND(rows), FIND(both), FIND(middle), FIND(gram),
        FIND(bias_grad);
    for (n = 10; n <= N; n *= 20)
        test_one(0.1f, n);
    test_one(0.1f, N);
    test_one(1000.7f, 1000003);
    test_rows(0.1f, N / 10, 10);
    test_rows(0.1f, 10, N / 10);
    test_rows(0.7f, 1999, 2001);
    test_places(0.1f, N, 1, 3);
    test_places(0.1f, N, 3, 3);
    test_places(0.1f, N / 4, 50, 64);
    test_table("embed", embed_vjp, 0.1f, 3, 7);
    test_table("embed", embed_vjp, 0.1f, 5, 40);
    test_table("across", across_vjp, 0.1f, 3, 7);
    test_table("across", across_vjp, 0.1f, 5, 40);
    test_infinite_places();
    test_lengths();
    test_infinite();
    return bad != 0;
}
