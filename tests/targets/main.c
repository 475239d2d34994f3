/* main.c: calls every function of model.nn, as C of a target calls them, and
 * writes the results' bits. With a C library (HOSTED) and FILE given it
 * compares them with those that another machine wrote. */
#include "model.h"

#ifdef HOSTED
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#else
#include "start.h"
#endif

enum { N = 7, MOST = 512 };
static double result[MOST];
static int count, failed;

static void take(double v)
{
    if (count < MOST)
        result[count++] = v;
}

static void take_all(const float *v, int n)
{
    for (int i = 0; i < n; i++)
        take((double)v[i]);
}

static void check(int status)
{
    if (status != NN_OK)
        failed = 1;
}

static NN_ALIGN(64) unsigned char workspace[8192];
static float x[64], y[64], z[128];

static void fill(void)
{
    for (int i = 0, a = 0, b = 0; i < 64; i++) {
        x[i] = 0.37f * (float)a - 2.0f;
        y[i] = 0.21f * (float)b + 0.125f;
        a = a == 12 ? 0 : a + 1;
        b = b == 6 ? 0 : b + 1;
    }
}

static void arguments(void)
{
    model_Point_n_in p = {1.5, INT64_C(5000000000), 2.5f, x};
    double wide;
    int64_t whole;
    check(model_mixed(0.5f, 1.25, -3, INT64_C(-4000000000), 200, 1, 1.5f, 2.5,
                      3.5f, 4.5, 5.5f, 6.5f, 7.5f, 8.5f, 9.5, 10.5f, -7, &wide,
                      0, 0));
    take(wide);
    check(model_floats(1.5f, 2.0f, 4.0f, x, N, z, 0, 0));
    take_all(z, N);
    check(model_parts(&p, 5, &wide, &whole, z, 0, 0));
    take(wide);
    take((double)(whole >> 8));
    take_all(z, 5);
}

static void functions(void)
{
    static double w[3] = {0.3, 1.1, 2.7}, v[3];
    static const int32_t at[4] = {3, 0, 6, 3};
    float sum, most;
    int32_t where;
    check(model_elementary(x, N, z, workspace, 0));
    take_all(z, N * 12);
    check(model_product(x, y, 3, 5, 4, z, workspace, 0));
    take_all(z, 12);
    check(model_product(x, y, 7, 8, 6, z, workspace, 0));
    take_all(z, 42);
    check(model_pieces(x, at, N, 4, &sum, &most, &where, workspace, 0));
    take((double)sum);
    take((double)most);
    take(where);
    check(model_random(UINT64_C(0x123456789abcdef0), z, y + 32, workspace, 0));
    take_all(z, 7);
    take_all(y + 32, 7);
    check(model_wide(w, 3, v, workspace, 0));
    for (int i = 0; i < 3; i++)
        take(v[i]);
}

static void training(void)
{
    static model_Net net, next;
    for (int i = 0; i < 3; i++) {
        net.a.W[0][i] = 0.3f * (float)(i + 1) - 0.7f;
        net.a.W[1][i] = 0.3f * (float)(i + 4) - 0.7f;
    }
    for (int i = 0; i < 3; i++)
        net.b.W[i][0] = 0.2f * (float)i - 0.1f;
    for (int i = 0; i < 20; i++) {
        check(model_step(&net, x, y, 0.5f, 4, &next, workspace, 0));
        net = next;
    }
    take_all(net.a.W[0], 6);
    take_all(net.a.b, 3);
    take_all(net.b.W[0], 3);
    take_all(net.b.b, 1);
}

/* What does not fit into memory, or is no size at all. */
static void sizes(void)
{
    static model_Net net, next;
    take(model_product(x, y, -1, 2, 2, z, 0, 0));
    take(model_step_workspace(INT64_C(1) << 60) == 0);
    /* Memory for 64 bits of address and not for 32. */
    int64_t many = INT64_C(1) << 28;
    int small = sizeof(void *) == 4;
    take((model_step_workspace(many) == 0) == small);
    take(model_step(&net, x, y, 1, many, &next, 0, 0) ==
         (small ? NN_ERR_DIM : NN_ERR_WORKSPACE));
    take(model_step(0, x, y, 1, 4, 0, workspace, 0));
}

static void call_all(void)
{
    fill();
    arguments();
    functions();
    training();
    sizes();
}

#ifdef HOSTED

static int differs(int i, double got)
{
    double want = result[i], off = fabs(got - want);
    if (got == want || off <= 3e-6 * fabs(want) + 2e-6)
        return 0;
    printf("number %d is %.9g, expected %.9g\n", i, got, want);
    return 1;
}

int main(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    uint64_t bits;
    double got;
    int n = 0;
    call_all();
    for (int i = 0; argc == 1 && i < count; i++) {
        memcpy(&bits, &result[i], sizeof bits);
        printf("%016" PRIx64 "\n", bits);
    }
    while (f && n < count && fscanf(f, "%16" SCNx64, &bits) == 1) {
        memcpy(&got, &bits, sizeof got);
        failed |= differs(n++, got);
    }
    if (f && n != count)
        printf("%d numbers, expected %d\n", n, count);
    return failed || (f && n != count);
}

#else

int main(void)
{
    static char line[17];
    call_all();
    for (int i = 0; i < count; i++) {
        union {
            double v;
            uint64_t bits;
        } u = {result[i]};
        for (int j = 0; j < 16; j++)
            line[j] = "0123456789abcdef"[u.bits >> (60 - 4 * j) & 15];
        line[16] = '\n';
        put(line, 17);
    }
    return failed;
}

#endif
