/* test_zeros.c: an adjoint or tangent that is 0 contributes 0, whatever the
 * partial is: every operator at every point where one of its partials is no
 * finite number, in all orders of reverse and forward mode. */
#include <check.h>
#include <math.h>

#include "diff/diff.h"
#include "diff_cases.h"
#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "suite.h"

enum { MAX_ORDER = 3, MAX_ARITY = 2 };

static Arena *arena;
static Graph *g;

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
}

static void teardown(void) { arena_free(arena); }

/* A function of the arguments of one operator. */
typedef struct Subject {
    OpId op;
    int arity, by; /* differentiated by this argument */
    Node *x[MAX_ARITY], *w, *c;
    Node *f;
} Subject;

static Node *number(const char *name)
{
    return g_param(g, DT_f64, 0, NULL, name);
}

/* False where the operator has no such partial. */
static bool subject_new(Subject *s, OpId op, int by)
{
    const Op *row = op_table[op];
    *s = (Subject){.op = op, .arity = row->arity, .by = by};
    if (row->cls != OPC_ewise || !(row->takes >> DT_f64 & 1) ||
        row->arity > MAX_ARITY || by >= row->arity ||
        (!op_has_partial(row) && !row->vjp))
        return false;
    for (int i = 0; i < row->arity; i++)
        s->x[i] = number("x");
    if (op == OP_polygamma || op == OP_erfcx_integral) /* their order */
        s->x[0] = g_const(g, DT_f64, 1);
    s->w = number("w");
    s->c = g_param(g, DT_bool, 0, NULL, "c");
    s->f = graph_make(g, op, DT_f64, s->arity, s->x, NULL);
    return s->x[by]->op == OP_param;
}

static double value_at(const Subject *s, Node *n, const double *x, double w)
{
    static const double no = 0;
    EvalInput in[MAX_ARITY + 2] = {{s->w, &w}, {s->c, &no}};
    int k = 2;
    double *out;
    for (int i = 0; i < s->arity; i++)
        if (s->x[i]->op == OP_param)
            in[k++] = (EvalInput){s->x[i], &x[i]};
    ck_assert_int_eq(eval_nodes(arena, g, 1, &n, k, in, 0, NULL, NULL, &out),
                     EVAL_OK);
    return *out;
}

/* What leaves f out of a result: where c does not hold, and where w is 0. */

static Node *by_where(const Subject *s)
{
    return g_where(g, s->c, s->f, real(g, 0));
}

static Node *by_if(const Subject *s) { return g_if(g, s->c, s->f, real(g, 0)); }

static Node *by_weight(const Subject *s) { return mul(g, s->w, s->f); }

static Node *by_sum(const Subject *s)
{
    Node *x = g_broadcast_to(g, s->f, 1, (const Dim *[]){dim_const(g, 3)});
    Node *w = g_broadcast_to(g, s->w, 1, (const Dim *[]){dim_const(g, 3)});
    return sum(
        g,
        mul(g, x,
            mul(g, w, g_cast(g, DT_f64, g_iota(g, DT_i32, dim_const(g, 3))))));
}

static Node *by_loop(const Subject *s)
{
    Fold f = fold_new(g, dim_const(g, 2));
    Node *h = carry(&f, real(g, 0), "h");
    f.next[0] = add(g, h, mul(g, s->w, s->f));
    return last(&f, 0);
}

/* Behind functions whose partials are finite for all numbers. A quotient is
 * taken for one, also where a partial or its adjoint is. */
static Node *by_functions(const Subject *s)
{
    return mul(g, s->w, g1(g, OP_sin, g1(g, OP_tanh, s->f)));
}

/* The other one of two, for any f that is a number. */
static Node *by_max(const Subject *s)
{
    Node *a = g_fill(g, s->f, 1e300);
    return g2(g, OP_min, g2(g, OP_max, s->f, a), a);
}

static Node *(*const contexts[])(const Subject *) = {
    by_where, by_if, by_weight, by_sum, by_loop, by_functions, by_max};
enum { NCONTEXTS = sizeof contexts / sizeof *contexts };

/* The derivative of order k; bit i of modes: is the i-th by forward mode. */
static Node *derivative(Node *y, Node *x, int k, int modes)
{
    Node *one = real(g, 1), *d;
    for (int i = 0; i < k; i++) {
        if (modes >> i & 1)
            diff_forward(g, 1, &y, 1, &x, &one, &d);
        else
            diff_reverse(g, 1, &y, &one, 1, &x, &d);
        y = d;
    }
    return y;
}

static const double points[] = {0, 1, -1, 2, -2, 0.5, -0.5};
enum { NPOINTS = sizeof points / sizeof *points };

/* Point number i of as many as there are for the arguments. */
static bool point_at(const Subject *s, int i, double *x)
{
    x[0] = s->arity == 2 && s->x[0]->op == OP_const ? 1 : points[i % NPOINTS];
    x[1] = points[i / NPOINTS % NPOINTS];
    if (s->arity == 2 && s->x[0]->op == OP_const)
        return i % NPOINTS == 0 && i < NPOINTS * NPOINTS;
    return i < (s->arity == 2 ? NPOINTS * NPOINTS : NPOINTS);
}

/* May what is made of f be no number though it is left out. */
static bool is_given_up(const Subject *s, int context, int k, int modes,
                        const double *x)
{
    bool quotient = s->op == OP_div || s->op == OP_atan2;
    bool none = isnan(value_at(s, s->f, x, 0));
    return (contexts[context] == by_max && none) ||
           (contexts[context] == by_functions && quotient &&
            (none || (k > 1 && modes == 0)));
}

static void check_zero(const Subject *s, int context, int k, int modes,
                       Node *const *low, Node *d)
{
    double x[MAX_ARITY];
    for (int i = 0; i < NPOINTS * NPOINTS; i++) {
        bool odd = false;
        if (!point_at(s, i, x) || is_given_up(s, context, k, modes, x))
            continue;
        for (int j = 0; j < k; j++)
            odd = odd || !isfinite(value_at(s, low[j], x, 0));
        double v = odd ? value_at(s, d, x, 0) : 0;
        ck_assert_msg(v == 0,
                      "%s by argument %d at %g, %g, left out in way %d: "
                      "derivative %d in modes %d is %g",
                      op_table[s->op]->name, s->by, x[0], x[1], context, k,
                      modes, v);
    }
}

/* Third derivatives by one mode alone. */
static bool is_tested(int k, int modes)
{
    return k < 3 || modes == 0 || modes == (1 << k) - 1;
}

START_TEST(zero_times_any_partial_is_zero)
{
    for (int by = 0; by < MAX_ARITY; by++) {
        Subject s;
        Node *low[MAX_ORDER];
        if (!subject_new(&s, _i, by))
            continue;
        for (int k = 0; k < MAX_ORDER; k++)
            low[k] = derivative(s.f, s.x[by], k + 1, 0);
        for (int c = 0; c < NCONTEXTS; c++)
            for (int k = 1; k <= MAX_ORDER; k++)
                for (int modes = 0; modes < 1 << k; modes++)
                    if (is_tested(k, modes))
                        check_zero(
                            &s, c, k, modes, low,
                            derivative(contexts[c](&s), s.x[by], k, modes));
    }
}
END_TEST

/* Where all is finite the modes agree, and with central differences of what is
 * an order lower. */
static void check_regular(const Subject *s, int k, const double *x)
{
    enum { W = 2 };
    Node *y = by_weight(s), *below = derivative(y, s->x[s->by], k - 1, 0);
    double h = 1e-5, up[MAX_ARITY] = {x[0], x[1]}, down[MAX_ARITY];
    down[0] = up[0];
    down[1] = up[1];
    up[s->by] += h;
    down[s->by] -= h;
    double want =
        (value_at(s, below, up, W) - value_at(s, below, down, W)) / (2 * h);
    for (int modes = 0; modes < 1 << k; modes++) {
        double v = value_at(s, derivative(y, s->x[s->by], k, modes), x, W);
        ck_assert_msg(fabs(v - want) <= 1e-5 * (1 + fabs(want)),
                      "%s by argument %d at %g, %g: derivative %d in modes %d "
                      "is %.9g, not %.9g",
                      op_table[s->op]->name, s->by, x[0], x[1], k, modes, v,
                      want);
    }
}

START_TEST(elsewhere_it_is_a_product)
{
    const Op *row = op_table[_i];
    double lo = row->domain[1] ? row->domain[0] : -2,
           hi = row->domain[1] ? row->domain[1] : 2;
    for (int by = 0; by < MAX_ARITY; by++) {
        Subject s;
        for (int i = 1; i < 4 && subject_new(&s, _i, by); i++) {
            double x[MAX_ARITY] = {lo + (hi - lo) * i / 4.1,
                                   hi - (hi - lo) * i / 4.3};
            for (int k = 1; k <= MAX_ORDER; k++)
                check_regular(&s, k, x);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("zeros");
    TCase *t = tcase_create("operators");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, zero_times_any_partial_is_zero, 0, NOPS);
    tcase_add_loop_test(t, elsewhere_it_is_a_product, 0, NOPS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
