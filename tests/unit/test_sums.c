/* test_sums.c: every reduction, over every set of axes, and products of every
 * kind, as machine code against the reference evaluator. */
#include "compiled.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { RESULTS = 128, BUNDLES = 64, ELEMENTS = 4 * 72 * 3 * 72, BATCH = 3 };

/* A function and what is known of its results' values. */
typedef struct Bundle {
    int nparam, n;
    Node *param[2];
    Node *result[RESULTS];
    /* Where not NULL: how large the numbers are that were added; beyond 2^53
     * the reference of integers is not exact. */
    Node *scale[RESULTS];
    bool bad[RESULTS]; /* reported */
} Bundle;

/* Not the last level, which has no instructions of its own here. */
enum { USED = LEVELS - 1 };

/* The same functions for each CPU level; the first is that of the reference. */
typedef struct Bench {
    Compiled *c[USED];
    Bundle bundle[USED][BUNDLES];
    int nbundle, nbad;
    Fence *in[2], *out[RESULTS], *workspace;
} Bench;

static void bench_make(Bench *b, int nvar, void (*add)(Bench *b, int level))
{
    *b = (Bench){0};
    for (int i = 0; i < USED; i++) {
        if (level_lacks(i))
            continue;
        b->c[i] = compiled_new(nvar);
        b->nbundle = 0;
        add(b, i);
        for (int k = 0; k < b->nbundle; k++) {
            Bundle *p = &b->bundle[i][k];
            compiled_add(b->c[i], p->nparam, p->param, p->n, p->result);
        }
        compiled_make(b->c[i], i);
    }
    for (int i = 0; i < 2; i++)
        b->in[i] = fence_new(ELEMENTS * 8);
    for (int i = 0; i < RESULTS; i++)
        b->out[i] = fence_new(ELEMENTS * 8);
    b->workspace = fence_new(1 << 22);
}

static void bench_free(Bench *b)
{
    for (int i = 0; i < USED; i++)
        if (b->c[i])
            compiled_free(b->c[i]);
    for (int i = 0; i < 2; i++)
        fence_free(b->in[i]);
    for (int i = 0; i < RESULTS; i++)
        fence_free(b->out[i]);
    fence_free(b->workspace);
}

static void report(Bench *b, int level, int k, int i, const int64_t *size,
                   int64_t at, double got, double want)
{
    const Bundle *p = &b->bundle[level][k];
    Str s = str_new(b->c[level]->arena);
    node_print(p->result[i], &s);
    for (int j = 0; j < p->nparam; j++) {
        str_printf(&s, " %s", dtype_name(p->param[j]->dtype));
        dims_print(p->param[j]->rank, p->param[j]->dim, &s);
    }
    fprintf(stderr,
            "%s: %s with m = %d, n = %d, k = %d: element %d is %.17g, "
            "not %.17g\n",
            level_name(level), s.at, (int)size[0], (int)size[1], (int)size[2],
            (int)at, got, want);
    b->nbad++;
}

/* What guards a result's beginning. */
enum { FRINGE = 64, FILL = 0xc3 };

/* Reference values of one function. */
typedef struct Wanted {
    int64_t count[RESULTS];
    double *value[RESULTS], *scale[RESULTS];
} Wanted;

static void find_wanted(Bench *b, int k, const int64_t *size,
                        double *const *data, Arena *a, Wanted *w)
{
    const Bundle *p = &b->bundle[0][k];
    Compiled *c = b->c[0];
    Node *root[2 * RESULTS];
    double *value[2 * RESULTS];
    EvalInput in[2];
    int n = 0;
    for (int i = 0; i < p->nparam; i++)
        in[i] = (EvalInput){p->param[i], data[i]};
    for (int i = 0; i < p->n; i++) {
        root[n++] = c->root.at[k][i];
        if (p->scale[i])
            root[n++] = p->scale[i];
    }
    EvalStatus s = eval_nodes(a, c->graph, n, root, p->nparam, in, c->nvar,
                              c->var, size, value);
    if (s != EVAL_OK)
        ck_abort_msg("no reference value");
    for (int i = n = 0; i < p->n; i++) {
        w->count[i] = node_elements(c, p->result[i], size);
        w->value[i] = value[n++];
        w->scale[i] = p->scale[i] ? value[n++] : NULL;
    }
}

static void compare(Bench *b, int level, int k, int i, const int64_t *size,
                    const Wanted *w)
{
    Bundle *p = &b->bundle[level][k];
    DType t = p->result[i]->dtype;
    size_t bytes = (size_t)w->count[i] * (size_t)dtype_size(t);
    const unsigned char *from = fence_last(b->out[i], bytes + FRINGE);
    for (int j = 0; j < FRINGE; j++)
        if (from[j] != FILL)
            ck_abort_msg("something was written before a result");
    for (int64_t e = 0; e < w->count[i] && !p->bad[i]; e++) {
        double scale = w->scale[i] ? w->scale[i][e] : 0;
        double got = get_number(t, from + FRINGE, e);
        bool exact = dtype_is_real(t) || scale <= 0x1p53;
        if (!exact ||
            is_near(t, got, w->value[i][e], isfinite(scale) ? scale : 0))
            continue;
        report(b, level, k, i, size, e, got, w->value[i][e]);
        p->bad[i] = true;
    }
}

static void run_level(Bench *b, int level, int k, const int64_t *size,
                      double *const *data, const Wanted *w)
{
    Bundle *p = &b->bundle[level][k];
    void *leaf[2 + RESULTS];
    for (int i = 0; i < p->nparam; i++) {
        DType t = p->param[i]->dtype;
        int64_t n = node_elements(b->c[level], p->param[i], size);
        leaf[i] = fence_last(b->in[i], (size_t)n * (size_t)dtype_size(t));
        for (int64_t e = 0; e < n; e++)
            put_number(t, leaf[i], e, data[i][e]);
    }
    for (int i = 0; i < p->n; i++) {
        size_t bytes =
            (size_t)w->count[i] * (size_t)dtype_size(p->result[i]->dtype);
        char *to = fence_last(b->out[i], bytes + FRINGE);
        memset(to, FILL, bytes + FRINGE);
        leaf[p->nparam + i] = to + FRINGE;
    }
    int status = compiled_call(b->c[level], k, size, leaf, b->workspace);
    if (status != NN_OK)
        ck_abort_msg("status %d", status);
    for (int i = 0; i < p->n; i++)
        compare(b, level, k, i, size, w);
}

static void run_function(Bench *b, int k, const int64_t *size,
                         double *const *data)
{
    Arena *a = arena_new();
    Wanted w;
    find_wanted(b, k, size, data, a, &w);
    for (int i = 0; i < USED; i++)
        if (b->c[i])
            run_level(b, i, k, size, data, &w);
    arena_free(a);
}

/* Reductions. */

/* Does the row reduce n axes of that dtype. */
static bool reduces(Graph *g, OpId op, DType t, int n)
{
    static const int axis[3] = {0, 1, 2};
    const Dim *one = dim_const(g, 1), *dim[3] = {one, one, one};
    Node *x = g_param(g, t, n, dim, "x");
    Node node = {.op = op, .dtype = t, .narg = 1, .arg = &x};
    node.attr = (Attr){.ints = axis, .nint = n};
    return op_table[op]->infer(g, &node);
}

/* How large the numbers are that a row adds or multiplies. A product is off by
 * one rounding for each factor: from a hundred on that counts. */
static Node *scale_of(Graph *g, OpId op, DType t, Node *size, int n,
                      const int *axis)
{
    const Op *row = op_table[op];
    Node *s = g_reduce(g, op, size, n, axis);
    const Dim *count = dim_const(g, 1);
    if (!dtype_is_real(t) || !row->join || row->join() != OP_mul)
        return s;
    for (int i = 0; i < n; i++)
        count = dim_mul(g, count, size->dim[axis[i]]);
    Node *more = g_scale(g, g_dim(g, DT_f64, count), 0.01);
    return g2(g, OP_max, s, g2(g, OP_mul, s, g_fill_like(g, s, more)));
}

/* The softmax along the last axis. */
static void add_softmax(Graph *g, Bundle *p, Node *x)
{
    int last = x->rank - 1, axis[3] = {0, 1, 2};
    if (!dtype_is_real(x->dtype))
        return;
    Node *y = g_reduce(g, OP_logsumexp, x, 1, &last);
    axis[last] = -1;
    y = g_broadcast(g, y, x->rank, x->dim, axis);
    p->result[p->n++] = g1(g, OP_exp, g2(g, OP_sub, x, y));
}

/* All rows over all sets of axes of x. */
static void add_reductions(Compiled *c, Bundle *p, Node *x)
{
    Graph *g = c->graph;
    add_softmax(g, p, x);
    bool number = dtype_is_real(x->dtype) || dtype_is_int(x->dtype);
    Node *size = number ? g1(g, OP_abs, g_cast(g, DT_f64, x)) : NULL;
    for (OpId op = 0; op < NOPS; op++) {
        if (op_table[op]->cls != OPC_reduce)
            continue;
        for (int set = 1; set < 1 << x->rank; set++) {
            int axis[3], n = 0;
            for (int i = 0; i < x->rank; i++)
                if (set >> i & 1)
                    axis[n++] = i;
            if (!reduces(g, op, x->dtype, n))
                continue;
            ck_assert_int_lt(p->n, RESULTS);
            Node *y = p->result[p->n] = g_reduce(g, op, x, n, axis);
            if (number && reduces(g, op, DT_f64, n))
                p->scale[p->n] = scale_of(g, op, y->dtype, size, n, axis);
            p->n++;
        }
    }
}

/* A tensor as it is, its transpose, part of one, a row repeated, and one with
 * an axis of constant size. */
enum { ARGUMENTS = 5 };

static Node *argument(Compiled *c, int kind, DType t, Node **param)
{
    Graph *g = c->graph;
    const Dim *m = c->var[0], *n = c->var[1], *three = dim_const(g, 3);
    const Dim *plain[2] = {m, n}, *turned[2] = {n, m}, *deep[3] = {m, three, n};
    const Dim *two = dim_const(g, 2), *start[2] = {two, dim_const(g, 1)};
    const Dim *large[2] = {dim_add(g, m, three),
                           dim_add(g, dim_mul(g, n, two), two)};
    switch (kind) {
    case 0:
        return *param = g_param(g, t, 2, plain, "x");
    case 1:
        *param = g_param(g, t, 2, turned, "x");
        return g_permute(g, *param, (int[]){1, 0});
    case 2:
        *param = g_param(g, t, 2, large, "x");
        return g_slice(g, *param, start, plain, (int[]){1, 2});
    case 3:
        *param = g_param(g, t, 1, &m, "x");
        return g_broadcast(g, *param, 2, plain, (int[]){0, -1});
    }
    return *param = g_param(g, t, 3, deep, "x");
}

static void add_arguments(Bench *b, int level)
{
    for (DType t = 0; t < NDTYPES; t++)
        for (int kind = 0; kind < ARGUMENTS; kind++) {
            Bundle *p = &b->bundle[level][b->nbundle];
            p->nparam = 1;
            Node *x = argument(b->c[level], kind, t, &p->param[0]);
            add_reductions(b->c[level], p, x);
            b->nbundle += p->n > 0;
        }
}

/* Element e: of reals, ±0.75 … 1.25 in few steps, so that there are ties, or
 * those and what is no number; integers are mostly ±1, so that products stay
 * small, or any; bools are mostly true or mostly false. */
static double element(DType t, int e, bool wild)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 17};
    int r = scatter((uint64_t)e, 1 << 20), sign = r & 1 ? 1 : -1;
    if (t == DT_bool)
        return (r % 53 == 0) == wild;
    if (dtype_is_real(t))
        return wild && r % 29 == 0 ? odd[r / 29 % 6]
                                   : sign * (0.75 + r / 2 % 9 * 0.0625);
    r = wild ? r / 2 % 20 : r / 2 % 97 ? 1 : 3;
    return t == DT_u8 ? r : sign * r;
}

/* Every third size or so has odd numbers in it. */
static void reduce_size(Bench *b, int m, int n)
{
    static double content[ELEMENTS];
    double *data[1] = {content};
    int64_t size[3] = {m, n, 0};
    bool wild = (m + n) % 3 == 0;
    DType t = NDTYPES;
    for (int k = 0; k < b->nbundle; k++) {
        const Node *x = b->bundle[0][k].param[0];
        for (int e = 0; e < ELEMENTS && x->dtype != t; e++)
            content[e] = element(x->dtype, e, wild);
        t = x->dtype;
        run_function(b, k, size, data);
    }
}

static const int other[] = {1, 2, 3, 15, 16, 17, 33, 64, 70};

START_TEST(reductions)
{
    static Bench b;
    int turn = 0;
    bench_make(&b, 2, add_arguments);
    for (int n = 0; n <= MAX_SIZE; n++) {
        reduce_size(&b, other[turn++ % 9], n);
        reduce_size(&b, n, other[turn++ % 9]);
    }
    reduce_size(&b, 0, 0);
    ck_assert_msg(b.nbad == 0, "%d reductions are off", b.nbad);
    bench_free(&b);
}
END_TEST

/* Sums have the same bits at every level, however many lanes there are. */

static void add_sums(Bench *b, int level)
{
    static const DType dtypes[2] = {DT_f64, DT_f32};
    Compiled *c = b->c[level];
    for (int i = 0; i < 2 * ARGUMENTS; i++) {
        Bundle *p = &b->bundle[level][b->nbundle++];
        p->nparam = 1;
        Node *x = argument(c, i / 2, dtypes[i % 2], &p->param[0]);
        for (int set = 1; set < 1 << x->rank; set++) {
            int axis[3], n = 0;
            for (int k = 0; k < x->rank; k++)
                if (set >> k & 1)
                    axis[n++] = k;
            p->result[p->n++] = g_reduce(c->graph, OP_sum, x, n, axis);
        }
    }
}

static uint64_t bits_of(Bench *b, int level, int k, const int64_t *size)
{
    Bundle *p = &b->bundle[level][k];
    void *leaf[1 + RESULTS];
    uint64_t hash = HASH_SEED;
    for (int i = 0; i <= p->n; i++) {
        const Node *x = i ? p->result[i - 1] : p->param[0];
        int64_t n = node_elements(b->c[level], x, size);
        size_t bytes = (size_t)n * (size_t)dtype_size(x->dtype);
        leaf[i] = fence_last(i ? b->out[i - 1] : b->in[0], bytes);
        for (int64_t e = 0; e < n && !i; e++)
            put_number(x->dtype, leaf[i], e,
                       1 + scatter((uint64_t)e, 1 << 20) / 777777.0);
    }
    int status = compiled_call(b->c[level], k, size, leaf, b->workspace);
    ck_assert_int_eq(status, NN_OK);
    for (int i = 0; i < p->n; i++) {
        int64_t n = node_elements(b->c[level], p->result[i], size);
        hash = hash_bytes(hash, leaf[i + 1],
                          (size_t)n * (size_t)dtype_size(p->result[i]->dtype));
    }
    return hash;
}

START_TEST(same_bits)
{
    static Bench b;
    static const int64_t sizes[][2] = {
        {1, 3},    {1, 9},    {3, 13},  {7, 17},   {17, 7},
        {5, 100},  {100, 5},  {60, 60}, {20, 300}, {300, 20},
        {2, 4000}, {4000, 2}, {1, 511}, {1, 1025}, {33, 47},
    };
    bench_make(&b, 2, add_sums);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int k = 0; k < b.nbundle; k++)
            for (int level = 1; level < USED; level++)
                if (b.c[level] && bits_of(&b, level, k, sizes[i]) !=
                                      bits_of(&b, 0, k, sizes[i])) {
                    fprintf(stderr, "%s: sums %d of %d x %d differ\n",
                            level_name(level), k, (int)sizes[i][0],
                            (int)sizes[i][1]);
                    b.nbad++;
                }
    ck_assert_int_eq(b.nbad, 0);
    bench_free(&b);
}
END_TEST

/* Products: axes of the operands and of the result, b being a small constant.
 */

static const char *const products[][3] = {
    {"mk", "kn", "mn"},    {"km", "kn", "mn"},    {"mk", "nk", "mn"},
    {"km", "nk", "mn"},    {"mk", "kn", "nm"},    {"bmk", "bkn", "bmn"},
    {"bmk", "bnk", "bmn"}, {"mbk", "bkn", "mbn"}, {"bmk", "kn", "bmn"},
    {"bmk", "bkn", "mn"},  {"mk", "k", "m"},      {"km", "k", "m"},
    {"k", "kn", "n"},      {"k", "nk", "n"},      {"k", "k", ""},
    {"mk", "mk", ""},      {"m", "n", "mn"},      {"mk", "mk", "m"},
    {"mk", "mk", "k"},     {"mkn", "k", "mn"},    {"mn", "n", "mn"},
};
enum { NPRODUCTS = sizeof products / sizeof *products };

static int axes(Compiled *c, const char *text, int *label, const Dim **dim)
{
    static const char names[] = "mnkb";
    int n = 0;
    for (; text[n]; n++) {
        label[n] = (int)(strchr(names, text[n]) - names);
        dim[n] = label[n] < 3 ? c->var[label[n]] : dim_const(c->graph, BATCH);
    }
    return n;
}

static void add_products(Bench *b, int level)
{
    static const DType dtypes[2] = {DT_f64, DT_f32};
    Compiled *c = b->c[level];
    for (int i = 0; i < 2 * NPRODUCTS; i++) {
        Bundle *p = &b->bundle[level][b->nbundle++];
        Graph *g = c->graph;
        int label[3][3], rank[3];
        const Dim *dim[3];
        Node *size[2];
        p->nparam = 2;
        p->n = 1;
        for (int k = 0; k < 3; k++) {
            rank[k] = axes(c, products[i / 2][k], label[k], dim);
            if (k == 2)
                break;
            p->param[k] = g_param(g, dtypes[i % 2], rank[k], dim, "x");
            size[k] = g1(g, OP_abs, p->param[k]);
        }
        p->result[0] = g_contract(g, p->param[0], label[0], p->param[1],
                                  label[1], rank[2], label[2]);
        p->scale[0] = g_contract(g, size[0], label[0], size[1], label[1],
                                 rank[2], label[2]);
    }
}

static void multiply_size(Bench *b, int m, int n, int k)
{
    static double content[2][ELEMENTS * 8];
    double *data[2] = {content[0], content[1]};
    int64_t size[3] = {m, n, k};
    bool wild = (m + n + k) % 5 == 0;
    for (int i = 0; i < 2; i++)
        for (int e = 0; e < ELEMENTS; e++) {
            double v = element(DT_f32, 2 * e + i, false);
            bool odd = wild && scatter((uint64_t)(2 * e + i), 199) == 0;
            content[i][e] = !odd ? v : i ? INFINITY : NAN;
        }
    for (int i = 0; i < b->nbundle; i++)
        run_function(b, i, size, data);
}

START_TEST(contractions)
{
    static Bench b;
    static const int few[] = {1, 7, 2, 17, 0, 33, 5};
    int turn = 0;
    bench_make(&b, 3, add_products);
    for (int i = 0; i <= MAX_SIZE; i++) {
        int p = few[turn++ % 7], q = few[turn++ % 7];
        multiply_size(&b, i, p, q);
        multiply_size(&b, p, i, q);
        multiply_size(&b, q, p, i);
    }
    ck_assert_msg(b.nbad == 0, "%d products are off", b.nbad);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sums");
    TCase *t = tcase_create("sums");
    tcase_add_test(t, reductions);
    tcase_add_test(t, same_bits);
    tcase_add_test(t, contractions);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    emit_shutdown();
    return failed;
}
