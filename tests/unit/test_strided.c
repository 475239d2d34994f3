/* test_strided.c: reads with steps and their transposes, as machine code
 * against the reference evaluator, which is held against gather. */
#include "compiled.h"

#include <check.h>
#include <math.h>

#include "diff/diff.h"
#include "strided.h"
#include "suite.h"

enum { RESULTS = 64, PARAMS = 6, BYTES = 1 << 20 };

typedef struct Bench {
    Compiled *c;
    Graph *g;
    const Dim *m, *n;
    /* v[m + n], x[m, n], y[m, m], w[m + n, 3], k[n], f[n, 3, 5] */
    Node *param[PARAMS], *result[RESULTS];
    int count;
} Bench;

enum { V, X, Y, W, K, F };

static void add(Bench *b, Node *n) { b->result[b->count++] = n; }

static const Dim *dc(Bench *b, int64_t v) { return dim_const(b->g, v); }

static const Dim *plus(Bench *b, const Dim *d, int64_t v)
{
    return dim_add(b->g, d, dc(b, v));
}

static Node *read2(Bench *b, Node *x, int axis, const Dim *start,
                   const Dim *size0, const Dim *size1, const Dim *by0,
                   const Dim *by1)
{
    return g_strided(b->g, x, axis, start, 2, (const Dim *[]){size0, size1},
                     (const Dim *[]){by0, by1});
}

static Node *add2(Bench *b, Node *x, int axis, const Dim *start, const Dim *by0,
                  const Dim *by1, const Dim *whole)
{
    return strided_add(b->g, x, axis, start, 2, (const Dim *[]){by0, by1},
                       whole);
}

static Node *windows(Bench *b, Node *x)
{
    return read2(b, x, 0, dc(b, 0), plus(b, b->m, 1), b->n, dc(b, 1), dc(b, 1));
}

static Node *flat(Bench *b, Node *x)
{
    const Dim *all = dim_mul(b->g, x->dim[0], x->dim[1]);
    return g_reshape(b->g, x, 1, &all);
}

static void add_reads(Bench *b)
{
    Graph *g = b->g;
    Node *v = b->param[V], *y = b->param[Y], *n;
    const Dim *one = dc(b, 1), *zero = dc(b, 0), *minus = dc(b, -1);
    const Dim *m = b->m, *steps = plus(b, b->m, 1);
    int axis = 1;
    add(b, windows(b, v));
    add(b, read2(b, v, 0, plus(b, b->n, -1), m, b->n, one, minus));
    add(b, g_strided(g, flat(b, y), 0, zero, 1, &m, &m));
    add(b, g_strided(g, flat(b, y), 0, zero, 1, &m, &steps));
    /* Of what is computed, and computed of. */
    n = g1(g, OP_exp, v);
    add(b, windows(b, n));
    add(b, g1(g, OP_exp, windows(b, v)));
    add(b, g_reduce(g, OP_sum, windows(b, n), 1, &axis));
    add(b, g_reduce(g, OP_reduce_max, windows(b, v), 1, &axis));
    n = g2(g, OP_mul, y, y);
    add(b, g_strided(g, flat(b, n), 0, zero, 1, &m, &steps));
    /* Windows that were transposed, and of windows. */
    n = g_permute(g, windows(b, v), (int[]){1, 0});
    add(b, n);
    add(b, read2(b, windows(b, v), 0, zero, m, dc(b, 2), one, one));
    add(b, read2(b, windows(b, b->param[W]), 2, one, dc(b, 2), dc(b, 2), minus,
                 one));
}

static void add_products(Bench *b)
{
    Graph *g = b->g;
    Node *n = windows(b, b->param[W]);
    add(b, g_matmul(g, windows(b, b->param[V]), b->param[K]));
    add(b, g_contract(g, n, (int[]){0, 1, 2}, b->param[F], (int[]){1, 2, 3}, 2,
                      (int[]){0, 3}));
    n = g_scale(g, n, 2);
    n = g1(g, OP_sin, n);
    add(b, g_contract(g, n, (int[]){0, 1, 2}, b->param[F], (int[]){1, 2, 3}, 2,
                      (int[]){3, 0}));
}

static void add_transposes(Bench *b)
{
    Graph *g = b->g;
    Node *x = b->param[X];
    const Dim *one = dc(b, 1), *two = dc(b, 2), *zero = dc(b, 0);
    const Dim *m = b->m, *all = dim_add(g, b->m, b->n);
    const Dim *far = plus(b, b->n, 1);
    add(b, add2(b, x, 0, zero, one, one, all));
    add(b, add2(b, x, 0, two, two, one, plus(b, dim_add(g, all, m), 2)));
    add(b, add2(b, x, 0, one, one, two, plus(b, dim_add(g, all, b->n), 3)));
    add(b, add2(b, x, 0, plus(b, m, -1), dc(b, -1), one, all));
    add(b, add2(b, x, 0, plus(b, b->n, -1), one, dc(b, -1), all));
    add(b, add2(b, x, 0, zero, far, one, dim_mul(g, far, m)));
    add(b, strided_add(g, b->param[K], 0, one, 1, &far,
                       plus(b, dim_mul(g, far, b->n), 1)));
    add(b, add2(b, g1(g, OP_exp, x), 0, zero, one, one, all));
    add(b, add2(b, windows(b, b->param[W]), 0, zero, one, one, all));
}

/* Gradients of convolutions. */
static void add_gradients(Bench *b)
{
    Graph *g = b->g;
    for (int i = 0; i < 2; i++) {
        Node *x = b->param[i ? W : V], *k = b->param[i ? F : K], *y, *dx[2];
        y = i ? g_contract(g, windows(b, x), (int[]){0, 1, 2}, k,
                           (int[]){1, 2, 3}, 2, (int[]){0, 3})
              : g_matmul(g, windows(b, x), k);
        y = g_reduce_all(g, OP_sum, g1(g, OP_sin, y));
        Node *one = g_const(g, y->dtype, 1);
        diff_reverse(g, 1, &y, &one, 2, (Node *[]){x, k}, dx);
        add(b, dx[0]);
        add(b, dx[1]);
    }
}

static void bench_make(Bench *b, int level)
{
    *b = (Bench){.c = compiled_new(2)};
    Graph *g = b->g = b->c->graph;
    const Dim *m = b->m = b->c->var[0], *n = b->n = b->c->var[1];
    const Dim *all = dim_add(g, m, n), *three = dc(b, 3), *five = dc(b, 5);
    const Dim *dim[PARAMS][3] = {{all},        {m, n}, {m, m},
                                 {all, three}, {n},    {n, three, five}};
    int rank[PARAMS] = {1, 2, 2, 2, 1, 3};
    for (int i = 0; i < PARAMS; i++)
        b->param[i] = g_param(g, DT_f32, rank[i], dim[i], "p");
    add_reads(b);
    add_products(b);
    add_transposes(b);
    add_gradients(b);
    compiled_add(b->c, PARAMS, b->param, b->count, b->result);
    compiled_make(b->c, level);
}

static double *reference(Bench *b, const int64_t *size, void **leaf, int k)
{
    EvalInput in[PARAMS];
    double *out;
    for (int i = 0; i < PARAMS; i++) {
        int64_t count = node_elements(b->c, b->param[i], size);
        double *x = NEWN(b->c->arena, double, count + 1);
        for (int64_t j = 0; j < count; j++)
            x[j] = get_number(DT_f32, leaf[i], j);
        in[i] = (EvalInput){b->param[i], x};
    }
    EvalStatus status = eval_nodes(b->c->arena, b->g, 1, &b->result[k], PARAMS,
                                   in, b->c->nvar, b->c->var, size, &out);
    ck_assert_msg(status == EVAL_OK, "result %d: bad index", k);
    return out;
}

static void compare(Bench *b, const int64_t *size, void **leaf)
{
    for (int k = 0; k < b->count; k++) {
        double *want = reference(b, size, leaf, k);
        int64_t count = node_elements(b->c, b->result[k], size);
        for (int64_t i = 0; i < count; i++) {
            double got = get_number(DT_f32, leaf[PARAMS + k], i);
            ck_assert_msg(got == want[i] ||
                              fabs(got - want[i]) <= 1e-4 * (1 + fabs(want[i])),
                          "m = %d, n = %d, result %d, element %d: "
                          "%g, not %g",
                          (int)size[0], (int)size[1], k, (int)i, got, want[i]);
        }
    }
}

static void run(Bench *b, const int64_t *size)
{
    Fence *fence[PARAMS + RESULTS], *work = fence_new(BYTES);
    void *leaf[PARAMS + RESULTS];
    int total = PARAMS + b->count;
    for (int i = 0; i < total; i++) {
        Node *n = i < PARAMS ? b->param[i] : b->result[i - PARAMS];
        int64_t count = node_elements(b->c, n, size);
        fence[i] = fence_new(BYTES);
        leaf[i] = fence_last(fence[i], (size_t)count * 4);
        for (int64_t j = 0; j < count; j++)
            put_number(DT_f32, leaf[i], j,
                       scatter((uint64_t)(j * 7 + i), 64) / 32.0 - 1);
    }
    ck_assert_int_eq(compiled_call(b->c, 0, size, leaf, work), 0);
    compare(b, size, leaf);
    for (int i = 0; i < total; i++)
        fence_free(fence[i]);
    fence_free(work);
}

START_TEST(compiled_like_reference)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 8, 17, 40};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    Bench b;
    if (level_lacks(_i))
        return;
    bench_make(&b, _i);
    for (int i = 0; i < COUNT * COUNT; i++)
        run(&b, (int64_t[]){sizes[i / COUNT], sizes[i % COUNT]});
    compiled_free(b.c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("strided");
    TCase *t = tcase_create("strided");
    tcase_add_loop_test(t, compiled_like_reference, 0, LEVELS - 1);
    suite_add_tcase(s, t);
    return run_suite(s);
}
