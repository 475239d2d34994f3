/* test_eval.c: the reference evaluator, and the derivatives of all operators
 * that are not elementwise against central differences. */
#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "graph/region.h"
#include "show/cost.h"
#include "strided.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NX = 24, NY = 24 };

static Arena *arena;
static Graph *g;
static const Dim *d2, *d3, *d4, *var_n;
/* x: [2, 3, 4], y: [3, 4, n] with n = 2; in float64 */
static Node *x, *y;
static double x_data[NX], y_data[NY];

static double random_real(void) { return rand() / (RAND_MAX / 4.0) - 2; }

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
    d2 = dim_const(g, 2);
    d3 = dim_const(g, 3);
    d4 = dim_const(g, 4);
    var_n = dim_var(g, "n");
    x = g_param(g, DT_f64, 3, (const Dim *[]){d2, d3, d4}, "x");
    y = g_param(g, DT_f64, 3, (const Dim *[]){d3, d4, var_n}, "y");
    srand(7);
    for (int i = 0; i < NX; i++)
        x_data[i] = random_real();
    for (int i = 0; i < NY; i++)
        y_data[i] = random_real();
}

static void teardown(void) { arena_free(arena); }

static EvalStatus eval(Node *root, double **out)
{
    EvalInput in[2] = {{x, x_data}, {y, y_data}};
    return eval_nodes(arena, g, 1, &root, 2, in, 1, &var_n, (int64_t[]){2},
                      out);
}

static double *value(Node *root)
{
    double *out = NULL;
    ck_assert_int_eq(eval(root, &out), EVAL_OK);
    return out;
}

static int64_t count_of(const Node *p)
{
    int64_t count = 1, size;
    for (int i = 0; i < p->rank; i++) {
        ck_assert(dim_eval(p->dim[i], 1, &var_n, (int64_t[]){2}, &size));
        count *= size;
    }
    return count;
}

static double dot(const double *p, const double *q, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += p[i] * q[i];
    return sum;
}

static double *random_data(int64_t count)
{
    double *p = NEWN(arena, double, count);
    for (int64_t i = 0; i < count; i++)
        p[i] = random_real();
    return p;
}

/* One operator each, on x and y themselves. */

static Node *reduce(OpId op, int naxis, const int *axis)
{
    return g_reduce(g, op, x, naxis, axis);
}

static Node *prod_0(void)
{
    x_data[5] = 0; /* alone among its factors */
    x_data[6] = x_data[18] = 0;
    return reduce(OP_prod, 1, (int[]){0});
}
static Node *lse_12(void) { return reduce(OP_logsumexp, 2, (int[]){1, 2}); }

static Node *product(const int *lx, const int *ly, int rank, const int *lout)
{
    return g_contract(g, x, lx, y, ly, rank, lout);
}

static Node *contract_two(void)
{
    return product((int[]){0, 1, 2}, (int[]){1, 2, 3}, 2, (int[]){3, 0});
}
static Node *contract_batch(void)
{
    return product((int[]){0, 1, 2}, (int[]){1, 2, 3}, 3, (int[]){1, 3, 0});
}
static Node *contract_self(void)
{
    return g_contract(g, x, (int[]){0, 1, 2}, x, (int[]){3, 1, 4}, 4,
                      (int[]){4, 0, 3, 2});
}
static Node *broadcast(void)
{
    const Dim *dim[5] = {d4, d2, d3, d2, d4};
    return g_broadcast(g, x, 5, dim, (int[]){-1, 0, 1, -1, 2});
}
static Node *permute(void) { return g_permute(g, x, (int[]){2, 0, 1}); }
static Node *reshape(void)
{
    return g_reshape(g, x, 2, (const Dim *[]){d4, dim_const(g, 6)});
}
static Node *slice(void)
{
    const Dim *zero = dim_const(g, 0), *one = dim_const(g, 1);
    return g_slice(g, x, (const Dim *[]){one, zero, one},
                   (const Dim *[]){one, d2, d2}, (int[]){1, 2, 2});
}
static Node *pad(void)
{
    const Dim *zero = dim_const(g, 0), *one = dim_const(g, 1);
    return g_pad(g, x, (const Dim *[]){one, zero, d2},
                 (const Dim *[]){d4, dim_const(g, 5), dim_const(g, 7)},
                 (int[]){2, 2, 1});
}
static Node *flip(void) { return g_flip(g, x, 1); }
/* windows of 2 along the last axis of x, and back */
static Node *windows(void)
{
    const Dim *size[] = {d3, d2}, *coef[] = {dim_const(g, 1), dim_const(g, 1)};
    return g_strided(g, x, 2, dim_const(g, 0), 2, size, coef);
}
static Node *windows_back(void)
{
    const Dim *coef[] = {dim_const(g, 1), dim_const(g, 1)};
    return strided_add(g, x, 1, dim_const(g, 0), 2, coef, dim_const(g, 7));
}
static Node *concat(void)
{
    const Dim *dim[3] = {d2, d3, d4};
    Node *z = g_reshape(g, y, 3, (const Dim *[]){d3, d4, var_n});
    z = g_slice(
        g, z,
        (const Dim *[]){dim_const(g, 0), dim_const(g, 0), dim_const(g, 0)},
        (const Dim *[]){d3, d4, d2}, (int[]){1, 1, 1});
    Node *part[3] = {x, g_permute(g, z, (int[]){2, 0, 1}), x};
    ck_assert(part[1]->dim[0] == dim[0]);
    return g_concat(g, 3, part, 1);
}

static Node *some_index(int rank, const Dim *const *dim)
{
    static const double at[] = {2, 0, 2, 1, 1, 0};
    return g_data(g, DT_i32, rank, dim, at);
}
static Node *gather(void)
{
    return g_gather(g, x, some_index(2, (const Dim *[]){d2, d3}), 1);
}
static Node *scatter(void)
{
    Node *i = some_index(2, (const Dim *[]){d2, d3});
    return g_scatter_add(g, x, i, 0, d3);
}

static Node *triangular(int how)
{
    static const double at[] = {2, 0.5, -1, 1, 3,  0.25, -0.5, 1, 1.5,
                                1, 0.5, -1, 1, -2, 0.25, -0.5, 2, 3};
    Node *t = g_data(g, DT_f64, 3, (const Dim *[]){d2, d3, d3}, at);
    return g_routine(g, OP_factor_substitute, how, 2, (Node *[]){x, t});
}
static Node *fourier(void)
{
    const Dim *dim[] = {d2, dim_const(g, 6), d2};
    Node *pairs = g_reshape(g, x, 3, dim);
    return g_routine(g, OP_dft, 0, 1, &pairs);
}
static Node *banded(int how)
{
    static const double at[] = {9, 1,    -1, 3,   4,   5,  1,  2, 9,
                                9, -0.5, 2,  0.1, 0.2, -3, -1, 1, 9};
    Node *bands = g_data(g, DT_f64, 3, (const Dim *[]){d2, d3, d3}, at);
    return g_routine(g, OP_factor_banded, how, 2, (Node *[]){x, bands});
}
static Node *diagonals(void) { return banded(0); }
static Node *diagonals_turned(void) { return banded(1); }
/* By both arguments at once: of 2 x 2 matrices whose diagonals are not near 0.
 */
static Node *of_cholesky(int how)
{
    const Dim *dim[] = {dim_const(g, 6), d2, d2};
    Node *l = g_reshape(g, x, 3, dim);
    for (int i = 0; i < NX; i++)
        if (i % 4 == 0 || i % 4 == 3)
            x_data[i] = copysign(1 + fabs(x_data[i]), x_data[i]);
    return g_routine(g, OP_factor_cholesky_tangent, how, 2, (Node *[]){l, l});
}
static Node *tangent(void) { return of_cholesky(0); }
static Node *adjoint(void) { return of_cholesky(1); }
static Node *lower(void) { return triangular(0); }
static Node *upper(void) { return triangular(SUBSTITUTE_UPPER); }
static Node *turned(void)
{
    return triangular(SUBSTITUTE_UNIT | SUBSTITUTE_TURNED);
}

static const struct {
    const char *name;
    Node *(*make)(void);
} cases[] = {
    {"prod with zeros", prod_0},
    {"logsumexp", lse_12},
    {"contract", contract_two},
    {"contract", contract_batch},
    {"contract", contract_self},
    {"broadcast", broadcast},
    {"permute", permute},
    {"reshape", reshape},
    {"slice", slice},
    {"pad", pad},
    {"flip", flip},
    {"concat", concat},
    {"strided", windows},
    {"strided_add", windows_back},
    {"gather", gather},
    {"scatter_add", scatter},
    {"fourier", fourier},
    {"diagonals", diagonals},
    {"diagonals turned", diagonals_turned},
    {"tangent", tangent},
    {"adjoint", adjoint},
    {"lower", lower},
    {"upper", upper},
    {"turned", turned},
};
enum { NCASES = sizeof cases / sizeof *cases };

/* Is a x, maybe in another shape. */
static bool is_x(const Node *a)
{
    return a == x || (a->op == OP_reshape && a->arg[0] == x);
}

/* w · f(x + h u) */
static double moved(Node *f, const double *w, const double *u, double h)
{
    double keep[NX];
    memcpy(keep, x_data, sizeof keep);
    for (int i = 0; i < NX; i++)
        x_data[i] += h * u[i];
    double r = dot(value(f), w, count_of(f));
    memcpy(x_data, keep, sizeof keep);
    return r;
}

/* w · (vjp and jvp) along u against (f(x + h u) - f(x - h u)) / 2h */
static void derivatives_agree(const char *name, Node *f)
{
    const Op *row = op_table[f->op];
    int64_t count = count_of(f);
    double *w = random_data(count), *u = random_data(NX), h = 1e-5;
    double want = (moved(f, w, u, h) - moved(f, w, u, -h)) / (2 * h);

    Node *du = g_data(g, DT_f64, 3, x->dim, u);
    Node **dx = NEWN(arena, Node *, f->narg), **dot_x;
    dot_x = NEWN(arena, Node *, f->narg);
    Node *dy = g_param(g, DT_f64, f->rank, f->dim, "dy");
    for (int k = 0; k < f->narg; k++)
        dot_x[k] = is_x(f->arg[k])
                       ? g_reshape(g, du, f->arg[k]->rank, f->arg[k]->dim)
                       : NULL;
    row->vjp(g, f, dy, dx);
    EvalInput in[3] = {{x, x_data}, {y, y_data}, {dy, w}};
    double got = 0;
    for (int k = 0; k < f->narg; k++) {
        if (!is_x(f->arg[k]))
            continue;
        double *out;
        ck_assert(same_shape(dx[k], f->arg[k]));
        ck_assert_int_eq(eval_nodes(arena, g, 1, &dx[k], 3, in, 1, &var_n,
                                    (int64_t[]){2}, &out),
                         EVAL_OK);
        graph_verify(g, 1, &dx[k]);
        got += dot(out, u, NX);
    }
    double scale = 1 + fabs(want);
    ck_assert_msg(fabs(got - want) < 1e-7 * scale, "vjp of %s: %g, not %g",
                  name, got, want);
    got = dot(value(row->jvp(g, f, dot_x)), w, count);
    ck_assert_msg(fabs(got - want) < 1e-7 * scale, "jvp of %s: %g, not %g",
                  name, got, want);
}

START_TEST(derivative) { derivatives_agree(cases[_i].name, cases[_i].make()); }
END_TEST

/* All reductions that have derivatives, along one axis, two and all. */
static const int reduced[][3] = {{1}, {0, 2}, {0, 1, 2}};
enum { NREDUCED = sizeof reduced / sizeof *reduced };

START_TEST(reduction)
{
    const Op *row = op_table[_i];
    if (row->cls != OPC_reduce || !row->vjp)
        return;
    for (int k = 0; k < NREDUCED; k++)
        derivatives_agree(row->name, reduce(_i, k + 1, reduced[k]));
}
END_TEST

static int balance(const char *text, char open, char close)
{
    int depth = 0;
    for (; *text; text++)
        depth += (*text == open) - (*text == close);
    return depth;
}

/* Printed forms: brackets match, arguments exist. */
START_TEST(forms_are_balanced)
{
    Node *f = cases[_i].make();
    Str s = str_new(arena);
    int prec = op_table[f->op]->form(f, &s);
    ck_assert(prec >= PREC_same && prec <= PREC_postfix);
    ck_assert_int_eq(balance(s.at, '(', ')'), 0);
    ck_assert_int_eq(balance(s.at, '[', ']'), 0);
    ck_assert_int_eq(balance(s.at, '{', '}'), 0);
    ck_assert_ptr_nonnull(strchr(s.at, '$'));
    Str text = str_new(arena);
    node_print(f, &text);
    ck_assert(text.n > 0);
}
END_TEST

START_TEST(every_operator_has_a_case)
{
    const Op *row = op_table[_i];
    bool found = row->cls == OPC_leaf || row->cls == OPC_ewise ||
                 row->cls == OPC_select || row->cls == OPC_reduce || !row->vjp;
    for (int i = 0; i < NCASES && !found; i++)
        found = cases[i].make()->op == _i;
    ck_assert_msg(found, "no case for %s", row->name);
}
END_TEST

START_TEST(expansions_keep_the_value)
{
    Node *f = lse_12();
    double *want = value(f), *got = value(op_table[f->op]->expand(g, f));
    for (int i = 0; i < 2; i++)
        ck_assert_double_eq_tol(got[i], want[i], 1e-14);
    static const double odd[][4] = {
        {-INFINITY, -INFINITY, -INFINITY, -INFINITY},
        {1, INFINITY, 2, 3},
        {1, NAN, 2, 3},
        {1e4, 1e4, -1e4, 0},
        {-INFINITY, 1, 1, 1}};
    for (int i = 0; i < 5; i++) {
        Node *p = g_data(g, DT_f64, 1, &d4, odd[i]);
        f = g_reduce_all(g, OP_logsumexp, p);
        double a = value(f)[0], b = value(op_table[f->op]->expand(g, f))[0];
        ck_assert_msg(a == b || fabs(a - b) < 1e-9 || (isnan(a) && isnan(b)),
                      "%d: %g, not %g", i, b, a);
    }
}
END_TEST

START_TEST(arg_and_logic_reductions)
{
    static const double data[] = {1, 5, 5, 2, 3, NAN, 7, 0};
    Node *p = g_data(g, DT_f64, 2, (const Dim *[]){d2, d4}, data);
    int last = 1;
    double *at = value(g_reduce(g, OP_argmax, p, 1, &last));
    ck_assert_double_eq(at[0], 1);
    ck_assert_double_eq(at[1], 1);
    at = value(g_reduce(g, OP_argmin, p, 1, &last));
    ck_assert_double_eq(at[0], 0);
    Node *big = g2(g, OP_lt, g_fill(g, p, 4), p);
    double *r = value(g_reduce(g, OP_any, big, 1, &last));
    ck_assert(r[0] == 1 && r[1] == 1);
    r = value(g_reduce(g, OP_all, big, 1, &last));
    ck_assert(r[0] == 0 && r[1] == 0);
    ck_assert(isnan(value(g_reduce_all(g, OP_reduce_max, p))[0]));
}
END_TEST

START_TEST(empty_reductions)
{
    const Dim *none = dim_const(g, 0);
    Node *p = g_param(g, DT_f64, 1, &none, "p");
    static const struct {
        OpId op;
        double value;
    } empty[] = {{OP_sum, 0},
                 {OP_prod, 1},
                 {OP_reduce_max, -INFINITY},
                 {OP_reduce_min, INFINITY},
                 {OP_logsumexp, -INFINITY}};
    for (int i = 0; i < 5; i++) {
        Node *r = g_reduce_all(g, empty[i].op, p);
        EvalInput in = {p, NULL};
        double *out;
        ck_assert_int_eq(
            eval_nodes(arena, g, 1, &r, 1, &in, 0, NULL, NULL, &out), EVAL_OK);
        ck_assert_double_eq(out[0], empty[i].value);
    }
}
END_TEST

START_TEST(integers_wrap)
{
    Node *i = g_param(g, DT_i32, 0, NULL, "i"), *root[2];
    root[0] = g2(g, OP_mul, i, i);
    root[1] = g2(g, OP_add, i, g_const_int(g, DT_i32, INT32_MAX));
    double at = 65537, *out[2];
    EvalInput in = {i, &at};
    ck_assert_int_eq(eval_nodes(arena, g, 2, root, 1, &in, 0, NULL, NULL, out),
                     EVAL_OK);
    ck_assert_double_eq(*out[0], 131073);
    ck_assert_double_eq(*out[1], INT32_MIN + 65536.0);
    /* 64 bits are exact */
    Node *w = g_param(g, DT_i64, 0, NULL, "w");
    Node *big = g2(g, OP_mul, w, w);
    root[0] = g2(g, OP_mod, g2(g, OP_add, big, w), g_const_int(g, DT_i64, 10));
    at = 3037000499;
    in.param = w;
    ck_assert_int_eq(eval_nodes(arena, g, 1, root, 1, &in, 0, NULL, NULL, out),
                     EVAL_OK);
    ck_assert_double_eq(*out[0], 0);
    /* through views and casts too */
    const Dim *one = dim_const(g, 1);
    Node *part[2] = {g_reshape(g, big, 1, &one), g_reshape(g, w, 1, &one)};
    big = g_flip(g, g_concat(g, 2, part, 0), 0);
    root[0] = g_cast(g, DT_u8, big);
    ck_assert_int_eq(eval_nodes(arena, g, 1, root, 1, &in, 0, NULL, NULL, out),
                     EVAL_OK);
    ck_assert_double_eq(out[0][0], 3037000499 & 255);
    ck_assert_double_eq(out[0][1], (uint8_t)(INT64_C(3037000499) * 3037000499));
}
END_TEST

START_TEST(bad_input_is_reported)
{
    double *out;
    const double far[] = {0, 3, 1};
    Node *i = g_data(g, DT_i32, 1, &d3, far);
    Node *e = g_gather(g, x, i, 1);
    ck_assert_int_eq(eval(e, &out), EVAL_BAD_INDEX);
    /* not of the branch that is not taken */
    Node *c = g2(g, OP_lt, g_reduce_all(g, OP_sum, g1(g, OP_abs, x)),
                 g_const(g, DT_f64, 0));
    Node *safe = g_gather(g, x, some_index(1, &d3), 1);
    ck_assert_int_eq(eval(g_if(g, c, e, safe), &out), EVAL_OK);
    ck_assert_int_eq(eval(g_if(g, g1(g, OP_not, c), e, safe), &out),
                     EVAL_BAD_INDEX);
    Node *root = y;
    EvalInput in = {y, y_data};
    ck_assert_int_eq(eval_nodes(arena, g, 1, &root, 1, &in, 1, &var_n,
                                (int64_t[]){-1}, &out),
                     EVAL_BAD_DIM);
}
END_TEST

/* Under the decisions made at 0: sums over a max of equals, one with a constant
 * and a comparison, an abs and a floor. */
START_TEST(as_decided)
{
    Node *a = g_param(g, DT_f64, 1, &d2, "a"), *zero = g_fill(g, a, 0);
    Node *twice = g_scale(g, a, 2);
    Node *root[] = {
        g2(g, OP_max, a, twice),
        g2(g, OP_min, g2(g, OP_max, a, twice), a),
        g2(g, OP_max, a, zero),
        g_where(g, g2(g, OP_lt, a, zero), zero, twice),
        g1(g, OP_abs, a),
        g1(g, OP_floor, g2(g, OP_add, a, g_fill(g, a, 0.5))),
        g_broadcast_to(g, g_reduce_all(g, OP_reduce_max, a), 1, &d2),
        g1(g, OP_stop, a),
    };
    enum { N = sizeof root / sizeof *root };
    static const double slope[N] = {1.5, 1.25, 0, 2, 0, 0, 0, 0};
    static const double at[] = {0, 0}, beside[] = {-0.5, 1};
    EvalDecisions *d = eval_decisions(arena);
    double *out[N];
    EvalInput in = {a, at};
    ck_assert_int_eq(eval_as(arena, g, N, root, 1, &in, 0, NULL, NULL,
                             &(EvalHow){.decisions = d}, out),
                     EVAL_OK);
    ck_assert(eval_tied(d) && !eval_infinite(d));
    in.data = beside;
    eval_as(arena, g, N, root, 1, &in, 0, NULL, NULL,
            &(EvalHow){.decisions = d}, out);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 2; k++)
            ck_assert_double_eq(out[i][k],
                                i == 6 ? 0.25 : slope[i] * beside[k]);
}
END_TEST

/* A 0 that met an infinity stays, if that counts as decided; others move. */
START_TEST(as_decided_by_strong_zeros)
{
    Node *a = g_param(g, DT_f64, 1, &d2, "a"),
         *both[2] = {a, g1(g, OP_rsqrt, a)};
    Node *root = graph_make(g, OP_strong_mul, DT_f64, 2, both, NULL);
    static const double at[] = {0, 4}, beside[] = {4, 9};
    static const double want[2][2] = {{2, 3}, {0, 3}};
    for (int zeros = 0; zeros < 2; zeros++) {
        EvalDecisions *d = eval_decisions(arena);
        EvalInput in = {a, at};
        double *out;
        if (zeros)
            eval_decide_zeros(d);
        eval_as(arena, g, 1, &root, 1, &in, 0, NULL, NULL,
                &(EvalHow){.decisions = d}, &out);
        ck_assert_double_eq(out[0], 0);
        in.data = beside;
        eval_as(arena, g, 1, &root, 1, &in, 0, NULL, NULL,
                &(EvalHow){.decisions = d}, &out);
        for (int k = 0; k < 2; k++)
            ck_assert_double_eq(out[k], want[zeros][k]);
    }
}
END_TEST

/* A loop that ends early makes as many steps as it made. */
START_TEST(as_decided_in_a_loop)
{
    Node *a = g_param(g, DT_f64, 0, NULL, "a"), *one = g_const(g, DT_f64, 1);
    Node *index = g_param(g, DT_i64, 0, NULL, "i");
    Node *carry = g_param(g, DT_f64, 0, NULL, "c");
    Node *next = g1(g, OP_sqrt, carry);
    Region r = {.trips = d4,
                .index = index,
                .carry = &carry,
                .ncarry = 1,
                .next = &next,
                .until = g2(g, OP_lt, carry, one)};
    Node *root = g_part(g, g_region(g, &r, 1, &a), 0);
    EvalDecisions *d = eval_decisions(arena);
    double at = 16, *out;
    EvalInput in = {a, &at};
    ck_assert_int_eq(eval_as(arena, g, 1, &root, 1, &in, 0, NULL, NULL,
                             &(EvalHow){.decisions = d}, &out),
                     EVAL_OK);
    ck_assert_double_eq_tol(out[0], pow(16, 1.0 / 16), 1e-15);
    ck_assert(!eval_tied(d));
    at = 0.25;
    eval_as(arena, g, 1, &root, 1, &in, 0, NULL, NULL,
            &(EvalHow){.decisions = d}, &out);
    ck_assert_double_eq_tol(out[0], pow(0.25, 1.0 / 16), 1e-15);
    at = NAN;
    d = eval_decisions(arena);
    eval_as(arena, g, 1, &root, 1, &in, 0, NULL, NULL,
            &(EvalHow){.decisions = d}, &out);
    ck_assert(eval_infinite(d));
}
END_TEST

START_TEST(long_chain)
{
    enum { DEPTH = 100000 };
    Node *p = g_param(g, DT_f64, 0, NULL, "p"), *c = p;
    for (int i = 0; i < DEPTH; i++)
        c = g2(g, OP_mul, g1(g, OP_cos, c), p);
    double at = 0.5, *out;
    EvalInput in = {p, &at};
    ck_assert_int_eq(eval_nodes(arena, g, 1, &c, 1, &in, 0, NULL, NULL, &out),
                     EVAL_OK);
    ck_assert(isfinite(out[0]));
    Cost count = cost_count(g, 1, &c);
    ck_assert(dim_is(count.of[COST_multiply], DEPTH));
    ck_assert_double_eq(cost_total(&count, 0, NULL, NULL), 2.0 * DEPTH);
}
END_TEST

START_TEST(counts)
{
    Node *f = contract_two();
    Cost count = cost_count(g, 1, &f);
    int64_t n = 10;
    ck_assert_double_eq(cost_total(&count, 1, &var_n, &n), 2 * 2 * 3 * 4 * 10);
    ck_assert(isnan(cost_total(&count, 0, NULL, NULL)));
}
END_TEST

/* Random graphs: what identities make of an operator on nodes has the value
 * that the operator has on parameters, of which nothing is known. */

typedef struct Sample {
    Node *node;
    const double *value;
} Sample;

static int below(int n) { return rand() % n; }

static const Dim *constant(int v) { return dim_const(g, v); }

static int size_of(const Node *p, int axis)
{
    int64_t v = 0;
    ck_assert(dim_const_value(p->dim[axis], &v));
    return (int)v;
}

static Node *random_broadcast(Node *p)
{
    const Dim *dim[MAX_RANK];
    int axis[MAX_RANK], at = 0, rank = 0;
    while (at < p->rank || rank == 0) {
        bool fresh = rank < 4 && below(3) == 0;
        if (at == p->rank && !fresh)
            break;
        axis[rank] = fresh ? -1 : at;
        dim[rank++] = fresh ? constant(1 + below(3)) : p->dim[at++];
    }
    return g_broadcast(g, p, rank, dim, axis);
}

static Node *random_permute(Node *p)
{
    int perm[MAX_RANK];
    for (int i = 0; i < p->rank; i++) {
        int k = below(i + 1);
        perm[i] = perm[k];
        perm[k] = i;
    }
    return g_permute(g, p, perm);
}

static Node *random_slice(Node *p, bool back)
{
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    for (int i = 0; i < p->rank; i++) {
        int all = size_of(p, i), from = below(all);
        step[i] = 1 + below(2);
        start[i] = constant(from);
        size[i] = constant((all - from + step[i] - 1) / step[i]);
        if (back)
            size[i] = constant(from + all * step[i]);
    }
    return back ? g_pad(g, p, start, size, step)
                : g_slice(g, p, start, size, step);
}

static Node *random_reduce(Node *p)
{
    static const OpId op[] = {OP_sum,      OP_sum,        OP_sum,
                              OP_prod,     OP_reduce_max, OP_reduce_min,
                              OP_logsumexp};
    int axis[MAX_RANK], count = 0;
    for (int i = 0; i < p->rank; i++)
        if (below(2))
            axis[count++] = i;
    return g_reduce(g, op[below(7)], p, count, axis);
}

/* Labels that fit: axes of q take those of axes of p of the same size, or new
 * ones. */
static Node *random_contract(Node *p, Node *q)
{
    int lp[MAX_RANK], lq[MAX_RANK], out[2 * MAX_RANK], rank = 0;
    bool used[MAX_RANK] = {false};
    for (int i = 0; i < p->rank; i++)
        lp[i] = i;
    for (int i = 0; i < q->rank; i++) {
        lq[i] = p->rank + i;
        for (int k = 0; k < p->rank; k++)
            if (!used[k] && p->dim[k] == q->dim[i] && below(4)) {
                lq[i] = k;
                used[k] = true;
                break;
            }
    }
    for (int i = 0; i < p->rank; i++)
        if (below(2))
            out[rank++] = i;
    for (int i = 0; i < q->rank && rank < 4; i++)
        if (lq[i] >= p->rank && below(2))
            out[rank++] = lq[i];
    return g_contract(g, p, lp, q, lq, rank, out);
}

static Node *random_binary(Node *p, Node *q)
{
    static const OpId op[] = {OP_add, OP_sub, OP_mul, OP_mul, OP_div};
    if (q->rank == 0)
        q = g_broadcast_to(g, q, p->rank, p->dim);
    if (!same_shape(p, q))
        q = g_fill(g, p, below(5) - 2);
    return g2(g, op[below(5)], p, q);
}

/* Axes of size 1 put in and taken out. */
static Node *random_units(Node *p)
{
    const Dim *dim[MAX_RANK];
    int rank = 0;
    for (int i = 0; i <= p->rank; i++) {
        if (below(3) == 0)
            dim[rank++] = constant(1);
        if (i < p->rank && (size_of(p, i) > 1 || below(2)))
            dim[rank++] = p->dim[i];
    }
    return g_reshape(g, p, rank, dim);
}

static Node *random_op(int kind, Node *p, Node *q)
{
    const Dim *flat = constant((int)count_of(p));
    switch (kind) {
    case 0:
        return random_broadcast(p);
    case 1:
        return random_permute(p);
    case 2:
        return random_slice(p, false);
    case 3:
        return random_slice(p, true);
    case 4:
        return random_reduce(p);
    case 5:
        return random_contract(p, q);
    case 6:
        return g1(g, OP_neg, p);
    case 7:
        return p->rank ? g_flip(g, p, below(p->rank)) : p;
    case 8:
        return p->rank ? g_concat(g, 2, (Node *[]){p, p}, below(p->rank)) : p;
    case 9:
        return below(3) ? p : g_reshape(g, p, 1, &flat);
    case 10:
        return random_units(p);
    default:
        return random_binary(p, q);
    }
}

static void expect_alike(const double *got, const double *want, int64_t count,
                         const Node *p)
{
    Str text = str_new(arena);
    for (int64_t i = 0; i < count; i++) {
        bool wild = !isfinite(want[i]) || fabs(want[i]) > 1e6;
        if (!wild && fabs(got[i] - want[i]) > 1e-8 * (1 + fabs(want[i]))) {
            node_print(p, &text);
            ck_abort_msg("%s: %g, not %g", text.at, got[i], want[i]);
        }
    }
}

START_TEST(identities_keep_values)
{
    enum { NODES = 40, MOST = 300 };
    Sample pool[NODES] = {{x, x_data}};
    Node *v = g_param(g, DT_f64, 1, &d3, "v"), *s, *root;
    EvalInput in[3] = {{x, x_data}, {v, random_data(3)}, {NULL, NULL}};
    s = g_param(g, DT_f64, 0, NULL, "s");
    in[2] = (EvalInput){s, random_data(1)};
    pool[1] = (Sample){v, in[1].data};
    pool[2] = (Sample){s, in[2].data};
    srand((unsigned)_i);
    for (int i = 3; i < NODES;) {
        Sample p = pool[below(i)], q = pool[below(i)];
        int kind = below(15), seed = rand();
        double *want, *got;
        Node *fresh[2] = {
            g_param(g, DT_f64, p.node->rank, p.node->dim, "p"),
            g_param(g, DT_f64, q.node->rank, q.node->dim, "q"),
        };
        EvalInput known[2] = {{fresh[0], p.value}, {fresh[1], q.value}};
        srand((unsigned)seed);
        root = random_op(kind, fresh[0], fresh[1]);
        if (count_of(root) > MOST || root->rank > 4)
            continue;
        ck_assert_int_eq(
            eval_nodes(arena, g, 1, &root, 2, known, 0, NULL, NULL, &want),
            EVAL_OK);
        srand((unsigned)seed);
        root = random_op(kind, p.node, q.node);
        ck_assert_int_eq(
            eval_nodes(arena, g, 1, &root, 3, in, 0, NULL, NULL, &got),
            EVAL_OK);
        graph_verify(g, 1, &root);
        expect_alike(got, want, count_of(root), root);
        pool[i++] = (Sample){root, got};
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eval");
    TCase *t = tcase_create("eval");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, derivative, 0, NCASES);
    tcase_add_loop_test(t, reduction, 0, NOPS);
    tcase_add_loop_test(t, forms_are_balanced, 0, NCASES);
    tcase_add_loop_test(t, every_operator_has_a_case, 0, NOPS);
    tcase_add_loop_test(t, identities_keep_values, 0, 100);
    tcase_add_test(t, expansions_keep_the_value);
    tcase_add_test(t, arg_and_logic_reductions);
    tcase_add_test(t, empty_reductions);
    tcase_add_test(t, integers_wrap);
    tcase_add_test(t, bad_input_is_reported);
    tcase_add_test(t, as_decided);
    tcase_add_test(t, as_decided_by_strong_zeros);
    tcase_add_test(t, as_decided_in_a_loop);
    tcase_add_test(t, long_chain);
    tcase_add_test(t, counts);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
