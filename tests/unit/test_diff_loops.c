/* test_diff_loops.c: derivatives of loops and calls, held against central
 * differences, each other and closed forms. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "diff/diff.h"
#include "diff_cases.h"
#include "eval/eval.h"
#include "graph/op.h"
#include "show/cost.h"
#include "simplify/simplify.h"
#include "suite.h"

START_TEST(gradient_is_the_central_difference)
{
    Bench b;
    double want;

    bench_new(&b, &cases[_i]);
    want = central(&b, b.y);
    near(cases[_i].name, "the gradient", value(&b, along(&b, b.y), 0), want);
    near(cases[_i].name, "the tangent", value(&b, directional(&b, b.y), 0),
         want);
    arena_free(b.arena);
}
END_TEST

/* Hessian-vector products: each mode over each. */
START_TEST(second_derivatives_are_central_differences)
{
    Bench b;
    double want;
    Node *grad, *dot;

    bench_new(&b, &cases[_i]);
    grad = along(&b, b.y);
    dot = directional(&b, b.y);
    want = central(&b, grad);
    near(cases[_i].name, "forward over reverse",
         value(&b, directional(&b, grad), 0), want);
    near(cases[_i].name, "reverse over reverse", value(&b, along(&b, grad), 0),
         want);
    near(cases[_i].name, "reverse over forward", value(&b, along(&b, dot), 0),
         want);
    near(cases[_i].name, "forward over forward",
         value(&b, directional(&b, dot), 0), want);
    arena_free(b.arena);
}
END_TEST

/* What the language's passes make of the derivatives has the same values. */
START_TEST(simplified_and_expanded_are_the_same)
{
    Bench b;
    Node *root[2 + MAX_PARAM], *dot;
    double *before, *after;
    int n;

    bench_new(&b, &cases[_i]);
    dot = directional(&b, along(&b, b.y));
    n = 2 + b.np;
    root[0] = b.y;
    root[1] = dot;
    gradient(&b, b.y, root + 2);
    before = values(&b, n, root, 0);
    simplify(b.g, n, root);
    regions_prune(b.g, n, root);
    expand(b.g, n, root);
    simplify(b.g, n, root);
    regions_prune(b.g, n, root);
    graph_verify(b.g, n, root);
    after = values(&b, n, root, 0);
    for (int i = 0; i < n * MAX_SIZE; i++)
        near(cases[_i].name, "simplified", after[i], before[i]);
    arena_free(b.arena);
}
END_TEST

/* d x^n = n x^(n-1) */
START_TEST(derivatives_of_a_power)
{
    Bench b;
    Node *bar;
    double x;

    bench_new(&b, &cases[0]);
    x = b.x[0][0];
    gradient(&b, b.y, &bar);
    near("power", "the value", value(&b, b.y, 0), pow(x, 5));
    near("power", "the gradient", value(&b, bar, 0), 5 * pow(x, 4));
    gradient(&b, bar, &bar);
    near("power", "the second", value(&b, bar, 0), 20 * pow(x, 3));
    gradient(&b, bar, &bar);
    near("power", "the third", value(&b, bar, 0), 60 * x * x);
    arena_free(b.arena);
}
END_TEST

/* Each root's node count of one operator, bodies included. */
static int count_op(const Graph *g, int n, Node *const *root, OpId op)
{
    Arena *scratch = arena_new();
    bool *live = graph_reach(g, scratch, false, n, root);
    int count = 0;

    for (int id = 0; id < graph_count(g); id++) {
        const Node *at = graph_node(g, id);

        if (!live[id])
            continue;
        count += at->op == op;
        if (at->op == OP_loop || at->op == OP_call) {
            const Region *r = node_region(at);
            Node **in = NEWN(scratch, Node *, region_nresult(r));

            region_results(r, in);
            count += count_op(g, region_nresult(r), in, op);
        }
    }
    arena_free(scratch);
    return count;
}

static void compact(Graph *g, int n, Node **root)
{
    simplify(g, n, root);
    regions_prune(g, n, root);
    simplify(g, n, root);
}

/* Choices count: of these few operations they are many. */
static double cost(Bench *b, int n, Node *const *root)
{
    Cost c = cost_count(b->g, n, root);
    int64_t other;

    ck_assert(dim_eval(c.of[COST_other], 1, &b->n, &b->size, &other));
    return cost_total(&c, 1, &b->n, &b->size) + (double)other;
}

/* The reverse mode's bound, and one step more for what is computed again. */
START_TEST(gradient_costs_a_few_times_the_function)
{
    Bench b;
    Node *root[1 + MAX_PARAM];
    double value, all;

    bench_new(&b, &cases[_i]);
    root[0] = b.y;
    gradient(&b, b.y, root + 1);
    compact(b.g, 1, &b.y);
    compact(b.g, 1 + b.np, root);
    value = cost(&b, 1, &b.y);
    all = cost(&b, 1 + b.np, root);
    if (all > 5 * value)
        ck_abort_msg("%s: %g operations for %g", cases[_i].name, all, value);
    arena_free(b.arena);
}
END_TEST

/* The loop stores in the same pass; there is one loop forward and one back, in
 * forward mode one alone. (The first cases have but one loop.) */
START_TEST(loop_and_storing_loop_are_one)
{
    Bench b;
    Node *root[1 + MAX_PARAM];

    bench_new(&b, &cases[_i]);
    root[0] = b.y;
    gradient(&b, b.y, root + 1);
    compact(b.g, 1 + b.np, root);
    ck_assert_int_eq(count_op(b.g, 1 + b.np, root, OP_loop), 2);
    root[1] = directional(&b, b.y);
    compact(b.g, 2, root);
    ck_assert_int_eq(count_op(b.g, 2, root, OP_loop), 1);
    arena_free(b.arena);
}
END_TEST

static const Case *case_of(const char *name)
{
    for (int i = 0; i < ncases; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    ck_abort_msg("no such case");
}

/* The loops forward of a gradient: how many values they keep. */
static int outputs_forward(Bench *b)
{
    Arena *scratch = arena_new();
    Node *bar[MAX_PARAM];
    bool *live;
    int n = 0;

    gradient(b, b->y, bar);
    compact(b->g, b->np, bar);
    live = graph_reach(b->g, scratch, false, b->np, bar);
    for (int id = 0; id < graph_count(b->g); id++)
        if (live[id] && graph_node(b->g, id)->op == OP_loop &&
            !node_region(graph_node(b->g, id))->reverse)
            n += node_region(graph_node(b->g, id))->noutput;
    arena_free(scratch);
    return n;
}

/* h and tanh are kept of each step; with remat, h, and tanh is computed again
 * apart. */
START_TEST(remat_stores_nothing_inside)
{
    Bench b;
    Node *bar[MAX_PARAM];

    bench_new(&b, case_of("rnn_last"));
    ck_assert_int_eq(outputs_forward(&b), 2);
    arena_free(b.arena);
    bench_new(&b, case_of("remat_calls"));
    ck_assert_int_eq(outputs_forward(&b), 1);
    gradient(&b, b.y, bar);
    compact(b.g, b.np, bar);
    ck_assert_int_eq(count_op(b.g, b.np, bar, OP_tanh), 4);
    arena_free(b.arena);
}
END_TEST

/* Of h (1 + z/10) only the key of z is kept. */
START_TEST(random_numbers_are_drawn_again)
{
    Bench b;

    bench_new(&b, case_of("noise"));
    ck_assert_int_eq(outputs_forward(&b), 1);
    arena_free(b.arena);
}
END_TEST

/* The adjoint of a matrix is one product over all steps, that of gathered rows
 * one scatter. */
START_TEST(adjoints_of_captures_are_made_at_once)
{
    Bench b;
    Node *bar[MAX_PARAM];

    bench_new(&b, case_of("rnn_last"));
    gradient(&b, b.y, bar);
    compact(b.g, b.np, bar);
    ck_assert_int_eq(bar[0]->op, OP_contract);
    arena_free(b.arena);
    bench_new(&b, case_of("gathers"));
    gradient(&b, b.y, bar);
    compact(b.g, b.np, bar);
    ck_assert_int_eq(bar[0]->op, OP_scatter_add);
    ck_assert_int_eq(count_op(b.g, 1, bar, OP_scatter_add), 1);
    arena_free(b.arena);
}
END_TEST

/* Adjoints that are masked stay 0, whatever they are multiplied by. */

static Node *root_of(Graph *g, Node *x, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, x, "h");

    f.next[0] = g1(g, OP_sqrt, h);
    return last(&f, 0);
}

static Node *positive(Graph *g, Node *x)
{
    return g2(g, OP_lt, g_fill(g, x, 0), x);
}

static Node *masked_loop(Graph *g, Node *x, const Dim *n)
{
    return g_where(g, positive(g, x), root_of(g, x, n), g_fill(g, x, 0));
}

static Node *loop_of_branch(Graph *g, Node *x, const Dim *n)
{
    Node *s = sum(g, x);

    return g_if(g, positive(g, s), root_of(g, s, n), mul(g, s, real(g, 0)));
}

/* First sqrt, then what masks its result. */
static Node *masked_later(Graph *g, Node *x, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, x, "h"), *begin, *log;

    begin = g2(g, OP_eq, f.r.index, g_const_int(g, DT_i32, 0));
    log = g_where(g, positive(g, h), g1(g, OP_log, h), g_fill(g, h, 0));
    f.next[0] = g_where(g, g_broadcast_to(g, begin, h->rank, h->dim),
                        g1(g, OP_sqrt, h), log);
    return last(&f, 0);
}

/* The same, the inner steps in a loop of their own, and of a capture. */
static Node *masked_inside(Graph *g, Node *x, const Dim *n)
{
    Fold f = fold_new(g, dim_const(g, 1));
    Node *h = carry(&f, g_fill(g, x, 0), "h");

    f.next[0] = add(g, h, masked_later(g, x, n));
    return last(&f, 0);
}

START_TEST(masked_adjoints_stay_zero)
{
    static Node *(*const make[])(Graph *, Node *, const Dim *) = {
        masked_loop, loop_of_branch, masked_later, masked_inside};
    static const double zero[3];
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *three = dim_const(g, 3);
    Node *x = g_param(g, DT_f64, 1, &three, "x"), *bar, *one = real(g, 1);
    Node *y = sum(g, make[_i](g, x, dim_const(g, 2)));
    EvalInput in = {x, zero};
    double *out;

    diff_reverse(g, 1, &y, &one, 1, &x, &bar);
    ck_assert_int_eq(eval_nodes(a, g, 1, &bar, 1, &in, 0, NULL, NULL, &out),
                     EVAL_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq(out[i], 0);
    arena_free(a);
}
END_TEST

/* Batching: two sets of parameters at once. */

static void batch_params(Bench *b, Node **both)
{
    for (int k = 0; k < b->np; k++) {
        const Dim *dim[MAX_RANK] = {dim_const(b->g, 2)};

        for (int i = 0; i < b->p[k]->rank; i++)
            dim[i + 1] = b->p[k]->dim[i];
        both[k] = g_param(b->g, DT_f64, b->p[k]->rank + 1, dim, "both");
    }
}

/* The values of a node where the parameters are as they are and moved. */
static double *both_values(Bench *b, Node *const *both, Node *n)
{
    EvalInput in[2 * MAX_PARAM];
    double *out;

    for (int k = 0; k < b->np; k++) {
        double *x = NEWN(b->arena, double, 2 * MAX_SIZE);

        for (int i = 0; i < b->count[k]; i++) {
            x[i] = b->x[k][i];
            x[b->count[k] + i] = b->x[k][i] + 0.1 * b->d[k][i];
        }
        in[2 * k] = (EvalInput){both[k], x};
        in[2 * k + 1] = (EvalInput){b->dot[k], b->d[k]};
    }
    ck_assert_int_eq(eval_nodes(b->arena, b->g, 1, &n, 2 * b->np, in, 1, &b->n,
                                &b->size, &out),
                     EVAL_OK);
    return out;
}

START_TEST(batched_derivatives)
{
    Bench b;
    Node *both[MAX_PARAM], *bar[MAX_PARAM], *grad, *root[2], *total;
    double want[2], *got, along_all = 0;

    bench_new(&b, &cases[_i]);
    batch_params(&b, both);
    grad = root[0] = along(&b, b.y);
    root[1] = b.y;
    graph_batch(b.g, dim_const(b.g, 2), b.np, b.p, both, 2, root);
    want[0] = value(&b, grad, 0);
    want[1] = value(&b, grad, 0.1);
    got = both_values(&b, both, root[0]);
    near(cases[_i].name, "the first of a batch", got[0], want[0]);
    near(cases[_i].name, "the second of a batch", got[1], want[1]);
    total = sum(b.g, root[1]);
    diff_reverse(b.g, 1, &total, &(Node *){real(b.g, 1)}, b.np, both, bar);
    for (int k = 0; k < b.np; k++) {
        got = both_values(&b, both, bar[k]);
        for (int i = 0; i < 2 * b.count[k]; i++)
            along_all += got[i] * b.d[k][i % b.count[k]];
    }
    near(cases[_i].name, "the derivative of a batch", along_all,
         want[0] + want[1]);
    arena_free(b.arena);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("diff_loops");
    TCase *t = tcase_create("loops");

    tcase_add_loop_test(t, gradient_is_the_central_difference, 0, ncases);
    tcase_add_loop_test(t, second_derivatives_are_central_differences, 0,
                        ncases);
    tcase_add_loop_test(t, simplified_and_expanded_are_the_same, 0, ncases);
    tcase_add_test(t, derivatives_of_a_power);
    tcase_add_loop_test(t, gradient_costs_a_few_times_the_function, 0, ncases);
    tcase_add_loop_test(t, loop_and_storing_loop_are_one, 0, 9);
    tcase_add_test(t, remat_stores_nothing_inside);
    tcase_add_test(t, random_numbers_are_drawn_again);
    tcase_add_test(t, adjoints_of_captures_are_made_at_once);
    tcase_add_loop_test(t, masked_adjoints_stay_zero, 0, 4);
    tcase_add_loop_test(t, batched_derivatives, 0, ncases);
    suite_add_tcase(s, t);
    return run_suite(s);
}
