/* test_batch.c: graphs for many values at once, reads with steps, and the
 * identities that make binders into products and views. */
#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "region/region.h"
#include "show/cost.h"
#include "simplify/simplify.h"
#include "strided.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

static Arena *arena;
static Graph *g;
static uint64_t seed;

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
    seed = 88172645463325252u;
}

static void teardown(void) { arena_free(arena); }

static uint64_t draw_bits(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static const Dim *dc(int64_t v) { return dim_const(g, v); }

static Node *param_of(DType t, int rank, const int64_t *size)
{
    const Dim *dim[MAX_RANK];
    for (int i = 0; i < rank; i++)
        dim[i] = dc(size[i]);
    return g_param(g, t, rank, dim, "p");
}

static Node *real(int64_t n) { return param_of(DT_f64, n > 0, (int64_t[]){n}); }

static Node *real2(int64_t m, int64_t n)
{
    return param_of(DT_f64, 2, (int64_t[]){m, n});
}

static Node *real3(int64_t m, int64_t n, int64_t k)
{
    return param_of(DT_f64, 3, (int64_t[]){m, n, k});
}

static Node *index_of(int64_t n)
{
    return param_of(DT_i32, n > 0, (int64_t[]){n});
}

static int64_t size_of(const Node *n)
{
    int64_t all = 1, v;
    for (int i = 0; i < n->rank; i++) {
        ck_assert(dim_const_value(n->dim[i], &v));
        all *= v;
    }
    return all;
}

/* Values that any operator takes: integers and indices are 0 … 2. */
static double *values_for(const Node *p)
{
    int64_t n = size_of(p);
    double *x = NEWN(arena, double, n + 1);
    for (int64_t i = 0; i < n; i++) {
        double u = (double)(draw_bits() >> 11) * 0x1p-53;
        x[i] = p->dtype == DT_bool       ? u < 0.5
               : dtype_is_real(p->dtype) ? 0.1 + 0.8 * u
               : p->dtype == DT_key      ? floor(1000 * u)
                                         : floor(3 * u);
    }
    return x;
}

static double *eval_one(Node *n, int count, Node *const *p, double *const *data,
                        EvalStatus *status)
{
    EvalInput *in = NEWN(arena, EvalInput, count + 1);
    double *out;
    for (int i = 0; i < count; i++)
        in[i] = (EvalInput){p[i], data[i]};
    *status = eval_nodes(arena, g, 1, &n, count, in, 0, NULL, NULL, &out);
    return out;
}

enum { B = 4, MAX_PARAMS = 8 };

/* A node and the parameters that it is a function of. */
typedef struct Sample {
    Node *n, *p[MAX_PARAMS];
    int np;
} Sample;

static Node *leading(const Node *p)
{
    int64_t size[MAX_RANK] = {B};
    for (int i = 0; i < p->rank; i++)
        ck_assert(dim_const_value(p->dim[i], &size[i + 1]));
    return param_of(p->dtype, p->rank + 1, size);
}

static void same_numbers(const char *what, int64_t n, const double *x,
                         const double *y)
{
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])) ||
                          fabs(x[i] - y[i]) <= 1e-12 * (1 + fabs(y[i])),
                      "%s: element %d is %.17g, not %.17g", what, (int)i, x[i],
                      y[i]);
}

/* s batched over the parameters in the set, against one element at a time. */
static void check_subset(const char *what, const Sample *s, unsigned set)
{
    Node *many[MAX_PARAMS], *from[MAX_PARAMS], *to[MAX_PARAMS];
    Node *root = s->n;
    double *data[MAX_PARAMS], *one[MAX_PARAMS], *all, *each;
    int n = 0;
    EvalStatus status;
    for (int i = 0; i < s->np; i++) {
        many[i] = s->p[i];
        if (set >> i & 1) {
            from[n] = s->p[i];
            to[n++] = many[i] = leading(s->p[i]);
        }
        data[i] = values_for(many[i]);
    }
    graph_batch(g, dc(B), n, from, to, 1, &root);
    graph_verify(g, 1, &root);
    ck_assert_int_eq(root->rank, s->n->rank + 1);
    all = eval_one(root, s->np, many, data, &status);
    ck_assert_msg(status == EVAL_OK, "%s: a bad index", what);
    for (int k = 0; k < B; k++) {
        for (int i = 0; i < s->np; i++)
            one[i] = data[i] + (set >> i & 1 ? k * size_of(s->p[i]) : 0);
        each = eval_one(s->n, s->np, s->p, one, &status);
        same_numbers(what, size_of(s->n), all + k * size_of(s->n), each);
    }
}

static void check_batch(const char *what, const Sample *s)
{
    graph_verify(g, 1, &s->n);
    for (unsigned set = 1; set < 1u << s->np; set++)
        check_subset(what, s, set);
}

/* An example of each operator that is not elementwise; false: there is none. */

static Sample sample1(Node *p, Node *n) { return (Sample){n, {p}, 1}; }

static Sample sample2(Node *p, Node *q, Node *n)
{
    return (Sample){n, {p, q}, 2};
}

static Sample reduction(OpId op)
{
    bool logic = op == OP_any || op == OP_all;
    Node *p = param_of(logic ? DT_bool : DT_f64, 3, (int64_t[]){2, 3, 2});
    if (op == OP_argmax || op == OP_argmin)
        return sample1(p, g_reduce(g, op, p, 1, (int[]){1}));
    return sample1(p, g_reduce(g, op, p, 2, (int[]){0, 2}));
}

static Sample contraction(void)
{
    Node *p = real3(2, 3, 4), *q = real3(4, 2, 3);
    return sample2(p, q,
                   g_contract(g, p, (int[]){0, 1, 2}, q, (int[]){2, 0, 3}, 3,
                              (int[]){3, 0, 1}));
}

/* kind: which word it is called by; without a value: no more. */
static Sample view_sample(OpId op, int kind)
{
    Node *p = real2(3, 4), *q = real3(3, 2, 4);
    const Dim *dim[3] = {dc(3), dc(5), dc(4)}, *zero[2] = {dc(1), dc(0)};
    const Dim *size[2] = {dc(2), dc(2)}, *wide[2] = {dc(6), dc(9)};
    switch (op) {
    case OP_view:
        if (kind == 0)
            return sample1(p, g_broadcast(g, p, 3, dim, (int[]){0, -1, 1}));
        if (kind == 1)
            return sample1(q, g_permute(g, q, (int[]){2, 0, 1}));
        if (kind == 2)
            return sample1(p, g_slice(g, p, zero, size, (int[]){1, 2}));
        if (kind == 3)
            return sample1(p, g_flip(g, p, 1));
        if (kind > 4)
            break;
        return sample1(p, g_strided(g, p, 1, dc(0), 2,
                                    (const Dim *[]){dc(3), dc(2)},
                                    (const Dim *[]){dc(1), dc(1)}));
    case OP_view_add:
        if (kind == 0)
            return sample1(p, g_pad(g, p, zero, wide, (int[]){2, 2}));
        if (kind > 1)
            break;
        return sample1(q, strided_add(g, q, 1, dc(1), 2,
                                      (const Dim *[]){dc(2), dc(1)}, dc(8)));
    case OP_reshape:
        if (kind > 0)
            break;
        return sample1(q, g_reshape(g, q, 2, (const Dim *[]){dc(4), dc(6)}));
    case OP_concat:
        if (kind > 0)
            break;
        return sample2(
            p, q,
            g_concat(g, 2, (Node *[]){p, g_reduce(g, OP_sum, q, 1, (int[]){1})},
                     1));
    }
    return (Sample){.n = NULL};
}

static Sample index_sample(OpId op)
{
    Node *a = real3(2, 3, 2), *i = index_of(4), *d = real3(2, 4, 2);
    if (op == OP_gather)
        return sample2(a, i, g_gather(g, a, i, 1));
    return sample2(d, i, g_scatter_add(g, d, i, 1, dc(3)));
}

static Sample ewise_sample(OpId op)
{
    const Op *row = op_table[op];
    DType t = row->takes & ON_real  ? DT_f64
              : row->takes & ON_int ? DT_i32
                                    : DT_bool;
    int64_t size[2] = {2, 3};
    Sample s = {.np = row->arity};
    Attr attr = {0};
    const Dim *bound = dc(3);
    Node *arg[MAX_PARAMS];
    for (int i = 0; i < row->arity; i++) {
        DType u = t;
        if ((op == OP_where || op == OP_if) && i == 0)
            u = DT_bool;
        if (op == OP_random_bits)
            u = i ? DT_i64 : DT_key;
        s.p[i] = param_of(u, op == OP_if && i == 0 ? 0 : 2, size);
    }
    if (op == OP_index_check)
        attr = (Attr){.dims = &bound, .ndim = 1};
    if (op_table[op]->flags & OP_ORDER)
        s.p[0] = g_fill(g, s.p[1], 1);
    memcpy(arg, s.p, sizeof arg);
    if (op == OP_strong_mul) /* of finite ones it would be mul */
        arg[1] = g1(g, OP_log, s.p[1]);
    s.n = graph_make(g, op, op == OP_cast ? DT_i32 : t, s.np, arg, &attr);
    if (op_table[op]->flags & OP_ORDER) {
        s.p[0] = s.p[1];
        s.np = 1;
    }
    return s;
}

START_TEST(every_row_batches)
{
    Sample s = {.n = NULL};
    switch (op_table[_i]->cls) {
    case OPC_leaf:
    case OPC_region: /* below */
        return;
    case OPC_ewise:
    case OPC_select:
        s = ewise_sample(_i);
        break;
    case OPC_reduce:
        s = reduction(_i);
        break;
    case OPC_contract:
        s = contraction();
        break;
    case OPC_view:
        for (int kind = 1; s = view_sample(_i, kind), s.n; kind++)
            check_batch(op_table[_i]->name, &s);
        s = view_sample(_i, 0);
        break;
    case OPC_index:
        s = index_sample(_i);
        break;
    case OPC_sort:
        s.p[0] = param_of(DT_f64, 2, (int64_t[]){2, 3});
        s = sample1(s.p[0], g_argsort(g, s.p[0], false));
        break;
    case OPC_routine:
        s.p[0] = param_of(DT_f64, 2, (int64_t[]){3, _i == OP_dft ? 2 : 3});
        s.p[1] = param_of(DT_f64, 2, (int64_t[]){3, 3});
        s = sample2(s.p[0], s.p[1],
                    g_routine(g, _i, 0, op_table[_i]->arity, s.p));
        s.np = op_table[_i]->arity;
        break;
    }
    ck_assert_msg(s.n != NULL, "%s has no example", op_table[_i]->name);
    ck_assert_msg(s.n->op == _i, "%s has another example", op_table[_i]->name);
    check_batch(op_table[_i]->name, &s);
}
END_TEST

/* Loops. */

enum { T = 5 };

static Node *i64(int64_t v) { return g_const_int(g, DT_i64, v); }

/* h' = sin(h x_t) + c + t/8, y_t = h·d, k' = k + 1: with all that a loop can
 * have. kind: 0 as it is, 1 reversed, 2 counted, 3 until, 4 counted, reversed;
 * part: 0 h, 1 k, 2 y, 3 the number of steps. */
static Sample loop_sample(int kind, int part)
{
    int64_t two[2] = {T, 2};
    Node *t = g_param(g, DT_i32, 0, NULL, "t"), *x = real(2), *h = real(2);
    Node *k = index_of(0), *c = real(2), *d = real(0), *stop = real(0);
    Node *u = g_scale(g, g_cast(g, DT_f64, t), 0.125);
    Node *next = g1(g, OP_sin, g2(g, OP_mul, h, x));
    next = g2(g, OP_add, next, g2(g, OP_add, c, g_fill_like(g, c, u)));
    Node *out = g2(g, OP_mul, h, g_fill_like(g, h, d));
    Node *more = g2(g, OP_add, k, g_const_int(g, DT_i32, 1));
    Region r = {.trips = dc(T), .index = t};
    r.reverse = kind == 1 || kind == 4;
    r.counted = kind == 2 || kind == 4;
    r.carry = (Node *[]){h, k};
    r.next = (Node *[]){next, more};
    r.ncarry = 2;
    r.input = &x;
    r.ninput = 1;
    r.capture = (Node *[]){c, d, stop};
    r.ncapture = 3;
    r.output = &out;
    r.noutput = 1;
    if (kind == 3)
        r.until = g2(g, OP_lt, stop, g_reduce_all(g, OP_sum, h));
    Sample s = {.np = 6};
    Node *arg[8] = {real(2), index_of(0), param_of(DT_f64, 2, two),
                    real(2), real(0),     real(0)};
    memcpy(s.p, arg, sizeof *arg * 6);
    if (r.counted) {
        s.p[6] = arg[6] = param_of(DT_i64, 0, NULL);
        arg[6] = g2(g, OP_mul, arg[6], i64(2));
        s.np++;
    }
    if (kind == 3) /* sums of h are about 3: some stop, some do not */
        arg[5] = g2(g, OP_add, arg[5], g_fill(g, arg[5], 2.2));
    s.n = g_part(g, g_region(g, &r, region_narg(&r), arg), part);
    return s;
}

START_TEST(loops_batch)
{
    Sample s = loop_sample(_i / 4, _i % 4);
    check_batch("loop", &s);
}
END_TEST

/* A fold of a fold: h' = fold(T, u = h: u·w + c). */
START_TEST(nested_loops_batch)
{
    Node *u = real(2), *w = real(2), *c = real(0), *h = real(2);
    Node *t = g_param(g, DT_i32, 0, NULL, "t");
    Node *next = g2(g, OP_add, g2(g, OP_mul, u, w), g_fill_like(g, u, c));
    Region in = {.trips = dc(3), .index = t, .carry = &u, .ncarry = 1};
    in.next = &next;
    in.capture = (Node *[]){w, c};
    in.ncapture = 2;
    Node *w2 = real(2), *c2 = real(0);
    Node *loop = g_region(g, &in, 3, (Node *[]){h, w2, c2});
    Node *end = g_part(g, loop, 0);
    Region out = {.trips = dc(2), .index = t, .carry = &h, .ncarry = 1};
    out.next = &end;
    out.capture = (Node *[]){w2, c2};
    out.ncapture = 2;
    Sample s = {.p = {real(2), real(2), real(0)}, .np = 3};
    s.n = g_part(g, g_region(g, &out, 3, s.p), 0);
    check_batch("nested", &s);
}
END_TEST

/* f(x, y) = (x sin y, y), with f's derivative given; twice that of the body,
 * to tell them apart. */
START_TEST(calls_batch)
{
    Node *x = real(2), *y = real(0), *yy = g_fill_like(g, x, y);
    Node *out[2] = {g2(g, OP_mul, x, g1(g, OP_sin, yy)), y};
    Node *x2 = real(2), *y2 = real(0), *f = real(2), *f2 = real(0);
    Node *df = real(2), *df2 = real(0);
    Node *adj[2] = {g_scale(g, df, 2),
                    g2(g, OP_add, g_reduce_all(g, OP_sum, df), df2)};
    Region vjp = {.capture = (Node *[]){x2, y2, f, f2, df, df2}};
    vjp.ncapture = 6;
    vjp.output = adj;
    vjp.noutput = 2;
    Region r = {.capture = (Node *[]){x, y}, .ncapture = 2, .vjp = &vjp};
    r.output = out;
    r.noutput = 2;
    Sample s = {.p = {real(2), real(0)}, .np = 2};
    Node *call = g_region(g, &r, 2, s.p);
    s.n = g_part(g, call, _i);
    check_batch("call", &s);

    /* y alone the same for all: its adjoint is summed. */
    const Dim *dim[2] = {dc(B), dc(2)};
    Node *many = g_param(g, DT_f64, 2, dim, "many"), *root = s.n;
    graph_batch(g, dc(B), 1, s.p, &many, 1, &root);
    while (root->op != OP_part)
        root = root->arg[0];
    const Region *q = node_region(root->arg[0]);
    ck_assert_ptr_nonnull(q->vjp);
    ck_assert_int_eq(q->vjp->ncapture, 6);
    ck_assert_int_eq(q->vjp->noutput, 2);
    ck_assert_int_eq(q->vjp->output[0]->rank, 2);
    ck_assert_int_eq(q->vjp->output[1]->rank, 0);

    /* Another call of it is of the same region; one that y leads in is not. */
    Node *arg[2] = {s.p[0], y2}, *other;
    other = g_part(g, g_region(g, node_region(call), 2, arg), _i);
    graph_batch(g, dc(B), 1, s.p, &many, 1, &other);
    while (other->op != OP_part)
        other = other->arg[0];
    ck_assert_ptr_ne(other->arg[0], root->arg[0]);
    ck_assert_ptr_eq(node_region(other->arg[0]), q);
    const Dim *b = dc(B);
    Node *each = g_param(g, DT_f64, 1, &b, "each");
    other = g_part(g, call, _i);
    graph_batch(g, dc(B), 2, s.p, (Node *[]){many, each}, 1, &other);
    while (other->op != OP_part)
        other = other->arg[0];
    ck_assert_ptr_ne(node_region(other->arg[0]), q);
}
END_TEST

/* Index checks in branches. */

static Node *int_of(int v) { return g_const_int(g, DT_i32, v); }

/* e for i = 0 … B-1, with A of size B; its status. */
static EvalStatus over_binder(Node *i, Node *e, Node *a, double **out)
{
    EvalStatus status;
    Node *iota = g_iota(g, DT_i32, dc(B));
    double *x = values_for(a);
    graph_batch(g, dc(B), 1, &i, &iota, 1, &e);
    graph_verify(g, 1, &e);
    *out = eval_one(e, 1, &a, &x, &status);
    return status;
}

static Node *back(Node *a, Node *i, int by)
{
    return g_gather(g, a, g2(g, OP_sub, i, int_of(by)), 0);
}

/* The reference tells the node, the index and the limit. */
START_TEST(stop_tells_where)
{
    Node *a = real(B), *k = g_param(g, DT_i32, 0, NULL, "k");
    Node *at = g_index_check(g, k, dc(B)), *e = g_gather(g, a, at, 0);
    double three = 3, seven = 7, *out;
    EvalInput in[] = {{a, values_for(a)}, {k, &seven}};
    EvalStop stop;
    ck_assert_int_eq(eval_as(arena, g, 1, &e, 2, in, 0, NULL, NULL,
                             &(EvalHow){.stop = &stop}, &out),
                     EVAL_BAD_INDEX);
    ck_assert_ptr_eq(stop.node, at);
    ck_assert_int_eq(stop.index, 7);
    ck_assert_int_eq(stop.limit, B);
    in[1].data = &three;
    ck_assert_int_eq(eval_as(arena, g, 1, &e, 2, in, 0, NULL, NULL,
                             &(EvalHow){.stop = &stop}, &out),
                     EVAL_OK);
    ck_assert_ptr_null(stop.node);
}
END_TEST

START_TEST(branches_mask_checks)
{
    Node *i = g_param(g, DT_i32, 0, NULL, "i"), *a = real(B), *e;
    Node *zero = g_const(g, DT_f64, 0), *last;
    Node *first = g2(g, OP_lt, int_of(0), i);
    Node *second = g2(g, OP_lt, int_of(1), i);
    double *out;
    e = g_if(g, first, back(a, i, 1), zero);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_OK);
    /* The same read in two branches. */
    e = g_if(g, second, back(a, i, 1), zero);
    e = g2(g, OP_add, e, g_if(g, first, back(a, i, 1), zero));
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_OK);
    /* Inside each other, and asked for by a condition. */
    e = g_if(g, first,
             g_if(g, g2(g, OP_lt, back(a, i, 1), back(a, i, 0)),
                  g_if(g, second, back(a, i, 2), zero), back(a, i, 1)),
             zero);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_OK);
    /* Both branches are everywhere. */
    e = g_if(g, first, back(a, i, 1), g_scale(g, back(a, i, 1), 2));
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_BAD_INDEX);
    e = back(a, i, 1);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_BAD_INDEX);
    /* What no element chooses, though it is the same for all. */
    last = g2(g, OP_lt, int_of(B), i);
    e = g_if(g, last, g_gather(g, a, int_of(B + 3), 0), zero);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_OK);
    last = g2(g, OP_lt, int_of(B - 2), i);
    e = g_if(g, last, g_gather(g, a, int_of(B + 3), 0), zero);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_BAD_INDEX);
}
END_TEST

/* Are all checks of an index that e reaches scalars. */
static bool one_check(Node *e)
{
    Arena *scratch = arena_new();
    bool *live = graph_reach(g, scratch, true, 1, &e), one = true;
    for (int id = 0; id < graph_count(g); id++)
        if (live[id] && graph_node(g, id)->op == OP_index_check)
            one = one && graph_node(g, id)->rank == 0;
    arena_free(scratch);
    return one;
}

/* A[k] in a branch that depends on two binders, of which k is none: one check
 * for all elements, where any of them asks. */
START_TEST(checks_of_all_are_one)
{
    Node *i = g_param(g, DT_i32, 0, NULL, "i");
    Node *j = g_param(g, DT_i32, 0, NULL, "j");
    Node *a = real(B), *iota = g_iota(g, DT_i32, dc(B));
    Node *zero = g_const(g, DT_f64, 0);
    const int at[] = {B - 1, B, B}, from[] = {0, B - 1, B - 2};
    const EvalStatus want[] = {EVAL_OK, EVAL_OK, EVAL_BAD_INDEX};
    for (int n = 0; n < 3; n++) {
        Node *k = g_reduce_all(g, OP_reduce_max,
                               g2(g, OP_min, iota, g_fill(g, iota, at[n])));
        k = at[n] < B ? k : g2(g, OP_add, k, int_of(1));
        Node *c = g2(g, OP_lt, int_of(from[n]), i);
        c = g2(g, OP_and, c, g2(g, OP_lt, i, g2(g, OP_add, j, int_of(2))));
        Node *e = g_if(g, c, g_gather(g, a, k, 0), zero);
        double *out;
        graph_batch(g, dc(B), 1, &j, &iota, 1, &e);
        ck_assert_int_eq(over_binder(i, e, a, &out), want[n]);
        graph_batch(g, dc(B), 1, &i, &iota, 1, &e);
        ck_assert(one_check(e));
    }
}
END_TEST

/* What is older than the binder stays as it is, but for reads at constants. */
START_TEST(older_nodes_are_not_masked)
{
    Node *a = real(B), *iota = g_iota(g, DT_i32, dc(B)), *e;
    Node *zero = g_const(g, DT_f64, 0);
    Node *there = g_gather(g, a, g_reduce_all(g, OP_reduce_min, iota), 0);
    Node *outside = g_gather(g, a, int_of(B + 3), 0);
    Node *i = g_param(g, DT_i32, 0, NULL, "i");
    Node *c = g2(g, OP_lt, int_of(1), i), *never = g2(g, OP_lt, int_of(B), i);
    double *out;
    e = g_if(g, c, there, zero);
    graph_batch(g, dc(B), 1, &i, &iota, 1, &e);
    Arena *scratch = arena_new();
    ck_assert(graph_reach(g, scratch, true, 1, &e)[there->id]);
    arena_free(scratch);
    e = g_if(g, never, outside, zero);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_OK);
    e = g_if(g, c, outside, zero);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_BAD_INDEX);
}
END_TEST

/* A loop in a branch, and one whose elements stop before they go astray:
 * k' = k + A's place i + k, while k < i. */
START_TEST(loops_mask_checks)
{
    Node *i = g_param(g, DT_i32, 0, NULL, "i"), *a = real(B), *loop;
    Node *t = g_param(g, DT_i32, 0, NULL, "t"), *k = real(0);
    Node *a2 = real(B), *i2 = g_param(g, DT_i32, 0, NULL, "i2");
    Node *at = g2(g, OP_sub, g2(g, OP_sub, int_of(B - 1), i2), t);
    Node *next = g2(g, OP_add, k, g_gather(g, a2, at, 0));
    Node *start = g_const(g, DT_f64, 0), *one = g_const_int(g, DT_i64, 1);
    Region r = {.trips = dc(1), .index = t, .carry = &k, .ncarry = 1};
    double *out;
    r.next = &next;
    r.capture = (Node *[]){a2, i2};
    r.ncapture = 2;
    r.trips = dc(2); /* A[-1] for the last i */
    loop = g_region(g, &r, 3, (Node *[]){start, a, i});
    ck_assert_int_eq(over_binder(i, g_part(g, loop, 0), a, &out),
                     EVAL_BAD_INDEX);
    Node *inside = g2(g, OP_lt, i, int_of(B - 1));
    Node *e = g_if(g, inside, g_part(g, loop, 0), start);
    ck_assert_int_eq(over_binder(i, e, a, &out), EVAL_OK);
    r.trips = dc(B);
    r.counted = true;
    Node *count = g2(g, OP_sub, i64(B), g_cast(g, DT_i64, i));
    loop = g_region(g, &r, 4, (Node *[]){start, a, i, count});
    ck_assert_int_eq(over_binder(i, g_part(g, loop, 0), a, &out), EVAL_OK);
    count = g2(g, OP_add, count, one);
    loop = g_region(g, &r, 4, (Node *[]){start, a, i, count});
    ck_assert_int_eq(over_binder(i, g_part(g, loop, 0), a, &out),
                     EVAL_BAD_INDEX);
}
END_TEST

/* Reads with steps. */

/* Steps of up to three axes, in a tensor of whole entries. */
typedef struct Steps {
    int n;
    int64_t size[3], coef[3], start, whole;
} Steps;

static Steps some_steps(void)
{
    Steps s = {.n = (int)(draw_bits() % 4)};
    int64_t hi = 0;
    for (int i = 0; i < s.n; i++) {
        s.size[i] = 1 + (int64_t)(draw_bits() % 4);
        s.coef[i] = (int64_t)(draw_bits() % 9) - 4;
        int64_t by = s.coef[i] * (s.size[i] - 1);
        *(by < 0 ? &s.start : &hi) += by < 0 ? -by : by;
    }
    s.start += (int64_t)(draw_bits() % 2);
    s.whole = s.start + hi + 1 + (int64_t)(draw_bits() % 3);
    return s;
}

static double *places(const Steps *s, int64_t count)
{
    double *to = NEWN(arena, double, count + 1);
    for (int64_t k = 0; k < count; k++) {
        int64_t at[3];
        eval_unravel(k, s->n, s->size, at);
        to[k] = (double)s->start;
        for (int i = 0; i < s->n; i++)
            to[k] += (double)(at[i] * s->coef[i]);
    }
    return to;
}

/* strided is a gather, strided_add a scatter_add, expanded or not. */
START_TEST(steps_are_gathers)
{
    for (int round = 0; round < 200; round++) {
        Steps s = some_steps();
        const Dim *size[3], *coef[3];
        int64_t shape[5] = {2};
        for (int i = 0; i < s.n; i++) {
            size[i] = dc(s.size[i]);
            coef[i] = dc(s.coef[i]);
            shape[i + 1] = s.size[i];
        }
        shape[s.n + 1] = 3;
        Node *x = real3(2, s.whole, 3), *y = param_of(DT_f64, s.n + 2, shape);
        Node *i = param_of(DT_i32, s.n, shape + 1), *p[2], *q[2];
        Node *r = g_strided(g, x, 1, dc(s.start), s.n, size, coef);
        double *data[3] = {values_for(x), values_for(y),
                           places(&s, size_of(i))};
        Node *arg[3] = {x, y, i};
        p[0] = r;
        q[0] = g_gather(g, x, i, 1);
        p[1] = strided_add(g, y, 1, dc(s.start), s.n, coef, dc(s.whole));
        q[1] = g_scatter_add(g, y, i, 1, dc(s.whole));
        for (int k = 0; k < 3; k++) {
            EvalStatus status[2];
            double *a = eval_one(p[k > 0], 3, arg, data, &status[0]);
            double *b = eval_one(q[k > 0], 3, arg, data, &status[1]);
            ck_assert_int_eq(status[0], EVAL_OK);
            ck_assert_int_eq(status[1], EVAL_OK);
            same_numbers("steps", size_of(q[k > 0]), a, b);
            expand(g, 2, p);
        }
    }
}
END_TEST

/* The adjoint of windows: as many operations as the windows have elements. */
START_TEST(adding_windows_is_linear)
{
    enum { N = 1000, K = 7 };
    Node *x = real2(N, K), *y;
    y = strided_add(g, x, 0, dc(0), 2, (const Dim *[]){dc(1), dc(1)},
                    dc(N + K - 1));
    expand(g, 1, &y);
    Cost count = cost_count(g, 1, &y);
    ck_assert(cost_total(&count, 0, NULL, NULL) <= 2.0 * (N + K) * K);
}
END_TEST

/* What binders come to. */

static Node *binder(const char *name)
{
    return g_param(g, DT_i32, 0, NULL, name);
}

static Node *at(Node *a, Node *i) { return g_gather(g, a, i, 0); }
static Node *at2(Node *a, Node *i, Node *j) { return at(at(a, i), j); }

/* [i < n | e] */
static Node *over(Node *i, const Dim *n, Node *e)
{
    Node *iota = g_iota(g, DT_i32, n);
    graph_batch(g, n, 1, &i, &iota, 1, &e);
    graph_verify(g, 1, &e);
    return e;
}

static Node *sum_over(Node *i, const Dim *n, Node *e)
{
    return g_reduce(g, OP_sum, over(i, n, e), 1, (int[]){0});
}

static Node *mul(Node *a, Node *b) { return g2(g, OP_mul, a, b); }
static Node *plus(Node *a, Node *b) { return g2(g, OP_add, a, b); }

static Node *vars(int rank, const Dim *m, const Dim *n, const Dim *k)
{
    return g_param(g, DT_f64, rank, (const Dim *[]){m, n, k}, "v");
}

START_TEST(binders_are_products)
{
    const Dim *m = dim_var(g, "m"), *n = dim_var(g, "n"), *k = dim_var(g, "k");
    Node *i = binder("i"), *j = binder("j"), *l = binder("l"), *b = binder("b");
    Node *x = vars(2, m, k, NULL), *y = vars(2, k, n, NULL), *e;
    Node *v = vars(1, k, NULL, NULL);
    e = sum_over(l, k, mul(at2(x, i, l), at2(y, l, j)));
    ck_assert_ptr_eq(over(i, m, over(j, n, e)), g_matmul(g, x, y));
    ck_assert_ptr_eq(over(j, n, over(i, m, e)),
                     g_permute(g, g_matmul(g, x, y), (int[]){1, 0}));
    e = sum_over(l, k, mul(at2(x, i, l), at(v, l)));
    ck_assert_ptr_eq(over(i, m, e), g_matmul(g, x, v));
    /* Outer, transpose, trace of a product. */
    e = over(i, m, over(j, n, at2(y, i, j)));
    e = over(i, k, over(j, k, mul(at(v, i), at(v, j))));
    ck_assert_int_eq(e->op, OP_mul);
    e = over(j, k, over(i, m, at2(x, i, j)));
    ck_assert_ptr_eq(e, g_permute(g, x, (int[]){1, 0}));
    /* Batched. */
    Node *p = vars(3, dc(8), m, k), *q = vars(3, dc(8), k, n);
    e = sum_over(l, k, mul(at(at2(p, b, i), l), at(at2(q, b, l), j)));
    e = over(b, dc(8), over(i, m, over(j, n, e)));
    ck_assert_ptr_eq(e, g_matmul(g, p, q));
}
END_TEST

START_TEST(binders_are_views)
{
    const Dim *n = dim_var(g, "n"), *m = dim_var(g, "m"), *one = dc(1);
    Node *i = binder("i"), *j = binder("j"), *x = vars(1, n, NULL, NULL), *e;
    Node *a = vars(2, n, n, NULL), *w = vars(2, n, m, NULL);
    const Dim *less = dim_sub(g, n, dc(2));
    e = over(i, less, over(j, dc(3), at(x, plus(i, j))));
    ck_assert_ptr_eq(e,
                     g_strided(g, x, 0, dc(0), 2, (const Dim *[]){less, dc(3)},
                               (const Dim *[]){one, one}));
    ck_assert_int_eq(e->op, OP_view);
    e = over(i, dim_sub(g, n, one), at(x, plus(i, int_of(1))));
    ck_assert_str_eq(view_word(e), "slice");
    e = over(i, dim_div(g, n, dc(2)), at(x, mul(i, int_of(2))));
    ck_assert_str_eq(view_word(e), "slice");
    e = over(i, n, at2(a, i, i));
    ck_assert_int_eq(e->op, OP_view);
    ck_assert_int_eq(e->arg[0]->op, OP_reshape);
    e = over(i, n,
             at(x, g2(g, OP_sub, g_dim(g, DT_i32, dim_sub(g, n, one)), i)));
    ck_assert_ptr_eq(e, g_flip(g, x, 0));
    e = over(i, n, over(j, m, at2(w, i, j)));
    ck_assert_ptr_eq(e, w);
    /* Not provably inside: it stays. */
    e = over(i, m, at(x, i));
    ck_assert_int_eq(e->op, OP_gather);
    e = at(x, g_dim(g, DT_i32, dim_sub(g, n, one)));
    ck_assert_int_eq(e->op, OP_gather);
}
END_TEST

/* Constant selections. */

static Node *cut(Node *a, int64_t row, int64_t lo, int64_t hi)
{
    int64_t n;
    ck_assert(dim_const_value(a->dim[0], &n));
    return g_slice(g, a, (const Dim *[]){dc(row), dc(lo)},
                   (const Dim *[]){dc(n - row), dc(hi - lo)}, (int[]){1, 1});
}

static Node *minor(Node *a, int64_t n, int64_t j)
{
    Node *part[2] = {cut(a, 1, 0, j), cut(a, 1, j + 1, n)};
    return g_concat(g, 2, part, 1);
}

START_TEST(selections_are_one)
{
    Node *a = real2(6, 6), *x = real(9), *i, *j;
    /* Columns deleted in either order, and named at once. */
    Node *p = minor(minor(a, 6, 1), 5, 3), *q = minor(minor(a, 6, 4), 5, 1);
    double left[] = {0, 2, 3, 5};
    const Dim *four = dc(4);
    ck_assert_ptr_eq(p, q);
    i = g_data(g, DT_i32, 1, &four, left);
    ck_assert_ptr_eq(p, g_gather(g, cut(a, 2, 0, 6), i, 1));
    /* Computed from constants. */
    i = g_iota(g, DT_i32, dc(5));
    j = g_fill(g, i, 2);
    i = plus(i, g_cast(g, DT_i32, g2(g, OP_le, j, i)));
    ck_assert_ptr_eq(g_gather(g, cut(a, 1, 0, 6), i, 1), minor(a, 6, 2));
    /* In even steps: a slice. */
    p = g_gather(g, x, g_data(g, DT_i32, 1, &four, (double[]){1, 3, 5, 7}), 0);
    ck_assert_str_eq(view_word(p), "slice");
    q = g_gather(g, p, g_iota(g, DT_i32, dc(2)), 0);
    ck_assert_str_eq(view_word(q), "slice");
    ck_assert_ptr_eq(q->arg[0], x);
}
END_TEST

/* Determinants by minors, the same minor once. */
static Node *det(Node *a, int64_t n, Node **known)
{
    int id = a->id;
    if (n == 1)
        return g_reshape(g, a, 0, NULL);
    if (known[id])
        return known[id];
    Node *sum = NULL;
    for (int64_t j = 0; j < n; j++) {
        Node *top = g_slice(g, a, (const Dim *[]){dc(0), dc(j)},
                            (const Dim *[]){dc(1), dc(1)}, (int[]){1, 1});
        Node *t =
            mul(g_reshape(g, top, 0, NULL), det(minor(a, n, j), n - 1, known));
        sum = !sum ? t : g2(g, j % 2 ? OP_sub : OP_add, sum, t);
    }
    return known[id] = sum;
}

START_TEST(minors_are_shared)
{
    enum { N = 12, ROOM = 1 << 20 };
    Node *a = real2(N, N), **known = NEWN(arena, Node *, ROOM);
    Node *d = det(a, N, known);
    bool *live = graph_reach(g, arena, false, 1, &d);
    int products = 0;
    ck_assert_int_lt(graph_count(g), ROOM);
    for (int id = 0; id <= d->id; id++)
        products += live[id] && graph_node(g, id)->op == OP_mul;
    ck_assert_int_le(products, N << (N - 1));
    EvalStatus status;
    double *x = NEWN(arena, double, N *N), *v;
    for (int i = 0; i < N; i++) /* a triangle */
        for (int k = 0; k <= i; k++)
            x[i * N + k] = i == k ? 1 + i % 3 : 0.25 * (k + i);
    v = eval_one(d, 1, &a, &x, &status);
    ck_assert_int_eq(status, EVAL_OK);
    ck_assert_double_eq_tol(v[0], 6 * 6 * 6 * 6, 1e-9);
}
END_TEST

/* Factors that pick one term. */

static Node *onehot(Node *i, const Dim *n)
{
    Node *k = g_iota(g, DT_i32, n);
    Node *same = g2(g, OP_eq, g_fill_like(g, k, g_index_check(g, i, n)), k);
    Node *one = g_fill_like(g, k, g_const(g, DT_f64, 1));
    return g_where(g, same, one, g_fill(g, one, 0));
}

START_TEST(onehots_pick)
{
    const Dim *m = dim_var(g, "m"), *n = dim_var(g, "n");
    Node *i = binder("i"), *k = binder("k"), *w = vars(2, m, n, NULL), *e;
    Node *v = vars(1, m, NULL, NULL), *y = g_param(g, DT_i32, 0, NULL, "y");
    Node *q = g_param(g, DT_i32, 1, &n, "q");
    ck_assert_ptr_eq(g_matmul(g, onehot(y, m), w), at(w, y));
    ck_assert_ptr_eq(over(k, n, g_matmul(g, onehot(at(q, k), m), w)), at(w, q));
    /* The identity. */
    e = over(i, m, onehot(i, m));
    ck_assert_ptr_eq(g_matmul(g, e, w), w);
    ck_assert_ptr_eq(g_matmul(g, e, v), v);
    /* With another factor. */
    e = mul(onehot(y, m), v);
    e = g_matmul(g, e, w);
    ck_assert_ptr_eq(e, mul(at(w, y), g_fill_like(g, at(w, y), at(v, y))));
    e = over(i, m, g_matmul(g, mul(onehot(i, m), v), w));
    ck_assert_ptr_eq(
        e, over(i, m, mul(at(w, i), g_fill_like(g, at(w, i), at(v, i)))));
    /* Sums. */
    e = g_reduce_all(g, OP_sum, mul(onehot(y, m), v));
    ck_assert_ptr_eq(e, at(v, y));
    /* A diagonal. */
    Node *a = vars(2, m, m, NULL);
    e = over(i, m, onehot(i, m));
    e = g_reduce(g, OP_sum, mul(e, a), 1, (int[]){1});
    ck_assert_ptr_eq(e, over(i, m, at2(a, i, i)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("batch");
    TCase *t = tcase_create("batch");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_row_batches, 0, NOPS);
    tcase_add_loop_test(t, loops_batch, 0, 20);
    tcase_add_test(t, nested_loops_batch);
    tcase_add_loop_test(t, calls_batch, 0, 2);
    tcase_add_test(t, stop_tells_where);
    tcase_add_test(t, branches_mask_checks);
    tcase_add_test(t, checks_of_all_are_one);
    tcase_add_test(t, older_nodes_are_not_masked);
    tcase_add_test(t, loops_mask_checks);
    tcase_add_test(t, steps_are_gathers);
    tcase_add_test(t, adding_windows_is_linear);
    tcase_add_test(t, binders_are_products);
    tcase_add_test(t, binders_are_views);
    tcase_add_test(t, selections_are_one);
    tcase_add_test(t, minors_are_shared);
    tcase_add_test(t, onehots_pick);
    suite_add_tcase(s, t);
    return run_suite(s);
}
