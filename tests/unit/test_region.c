/* test_region.c: loops and calls in the graph: their values by the reference
 * evaluator, closing, inlining, pruning and merging. */
#include "graph/ops/ops.h"
#include "region_cases.h"
#include "show/cost.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static Node *close_fold(const Dim *trips, Node *t, Node *h, Node *init,
                        Node *next)
{
    Region r = fold_of(trips, t, &h, &next, 0, NULL);
    return g_region_close(g, &r, 1, &init);
}

/* Values. */

START_TEST(fold_of_a_sum)
{
    Node *t = index_param(), *h = scalar("h");
    Node *l = close_fold(dim_const(g, 5), t, h, a, add(h, real(t)));
    ck_assert_double_eq(value(g_part(g, l, 0)), 2 + 0 + 1 + 2 + 3 + 4);
    ck_assert_double_eq(value(g_part(g, l, 1)), 5);
}
END_TEST

START_TEST(fold_over_an_input)
{
    Node *t = index_param(), *h = scalar("h");
    Node *l = close_fold(var_T, t, h, num(0), add(mul(a, h), at(xs, t)));
    ck_assert_int_eq(node_region(l)->ninput, 1);
    ck_assert_int_eq(node_region(l)->ncapture, 1);
    ck_assert_ptr_eq(l->arg[1], xs);
    ck_assert_double_eq(value(g_part(g, l, 0)), 4 * 1 + 2 * 2 + 4);
    const double expected[] = {0, 1, 4};
    for (val_T = 0; val_T < 3; val_T++)
        ck_assert_double_eq(value(g_part(g, l, 0)), expected[val_T]);
}
END_TEST

/* h1, h2 = h2, h1 + h2, from 0, 1; the rows of both. */
static Node *fibonacci(const Dim *trips)
{
    Node *t = index_param(), *h[2] = {scalar("p"), scalar("q")};
    Node *next[2] = {h[1], add(h[0], h[1])}, *init[2] = {num(0), num(1)};
    Node *out[2] = {h[1], next[1]};
    Region r = fold_of(trips, t, h, next, 2, out);
    r.ncarry = 2;
    return g_region_close(g, &r, 2, init);
}

START_TEST(several_carries)
{
    Node *l = fibonacci(dim_const(g, 10));
    ck_assert_double_eq(value(g_part(g, l, 0)), 55);
    ck_assert_double_eq(value(g_part(g, l, 1)), 89);
    const double *row = values(g_part(g, l, 2));
    const double expected[] = {1, 1, 2, 3, 5, 8, 13, 21, 34, 55};
    for (int i = 0; i < 10; i++)
        ck_assert_double_eq(row[i], expected[i]);
    ck_assert_double_eq(values(g_part(g, l, 3))[9], 89);
}
END_TEST

START_TEST(run_time_trips)
{
    Node *l = fibonacci(var_T);
    const double expected[] = {0, 1, 1, 2, 3, 5};
    for (val_T = 0; val_T < 5; val_T++) {
        ck_assert_double_eq(value(g_part(g, l, 0)), expected[val_T]);
        ck_assert_double_eq(value(g_part(g, l, 4)), (double)val_T);
        const double *row = values(g_part(g, l, 3));
        for (int64_t i = 0; i < val_T; i++)
            ck_assert_double_eq(row[i], expected[i + 2]);
    }
}
END_TEST

/* h = 10 h + xs[t], its rows. */
static Region digits(Node **h, Node **next)
{
    Node *t = index_param();
    *h = scalar("h");
    *next = add(mul(num(10), *h), at(xs, t));
    return fold_of(var_T, t, h, next, 1, next);
}

START_TEST(reversed)
{
    Node *h, *next, *init = num(0);
    Region r = digits(&h, &next);
    r.reverse = true;
    Node *l = g_region_close(g, &r, 1, &init);
    ck_assert_double_eq(value(g_part(g, l, 0)), 421);
    const double *row = values(g_part(g, l, 1));
    ck_assert_double_eq(row[2], 4);
    ck_assert_double_eq(row[1], 42);
    ck_assert_double_eq(row[0], 421);
}
END_TEST

/* The loop of digits with `count` steps at most. */
static Node *counted(int64_t count, bool reverse)
{
    Node *h, *next, *arg[2] = {num(0), g_const_int(g, DT_i64, count)};
    Region r = digits(&h, &next);
    r.reverse = reverse;
    r.counted = true;
    return g_region_close(g, &r, 2, arg);
}

START_TEST(counted_steps)
{
    Node *l = counted(2, false);
    const double *row = values(g_part(g, l, 1));
    ck_assert_double_eq(value(g_part(g, l, 0)), 12);
    ck_assert_double_eq(value(g_part(g, l, 2)), 2);
    ck_assert(row[0] == 1 && row[1] == 12 && row[2] == 0);
    l = counted(2, true);
    row = values(g_part(g, l, 1));
    ck_assert_double_eq(value(g_part(g, l, 0)), 21);
    ck_assert(row[0] == 21 && row[1] == 2 && row[2] == 0);
    ck_assert_double_eq(value(g_part(g, counted(-1, false), 2)), 0);
    ck_assert_double_eq(value(g_part(g, counted(-1, true), 0)), 0);
    ck_assert_double_eq(value(g_part(g, counted(9, false), 2)), 3);
    ck_assert_double_eq(value(g_part(g, counted(9, true), 0)), 421);
}
END_TEST

START_TEST(until_holds)
{
    Node *h, *next, *init = num(0);
    Region r = digits(&h, &next);
    r.until = g2(g, OP_le, num(10), h);
    Node *l = g_region_close(g, &r, 1, &init);
    const double *row = values(g_part(g, l, 1));
    ck_assert_double_eq(value(g_part(g, l, 0)), 12);
    ck_assert_double_eq(value(g_part(g, l, 2)), 2);
    ck_assert(row[0] == 1 && row[1] == 12 && row[2] == 0);
    init = num(77);
    l = g_region_close(g, &r, 1, &init);
    ck_assert_double_eq(value(g_part(g, l, 0)), 77);
    ck_assert_double_eq(value(g_part(g, l, 2)), 0);
}
END_TEST

/* sum over i < 4 of sum over k < 3 of (i + 1) * k + a */
static Node *nested(void)
{
    Node *i = index_param(), *k = index_param();
    Node *s = scalar("s"), *u = scalar("u");
    /* one by one: the order of their making is that of a dump */
    Node *k_real = real(k), *one = num(1), *i_real = real(i);
    Node *term = add(mul(add(i_real, one), k_real), a);
    Node *inner = close_fold(dim_const(g, 3), k, u, num(0), add(u, term));
    Node *next = add(s, g_part(g, inner, 0));
    return close_fold(dim_const(g, 4), i, s, num(0), next);
}

START_TEST(nested_loops)
{
    Node *l = nested();
    ck_assert_double_eq(value(g_part(g, l, 0)), 10 * 3 + 12 * 2);
    ck_assert_int_eq(l->narg, 2); /* a goes through both */
}
END_TEST

START_TEST(a_branch_is_lazy)
{
    /* h + (if t > 0 { xs[t - 1] } else { a }) */
    Node *t = index_param(), *h = scalar("h");
    Node *before = at(xs, g2(g, OP_sub, t, g_const_int(g, DT_i32, 1)));
    Node *c = g2(g, OP_lt, g_const_int(g, DT_i32, 0), t);
    Node *l = close_fold(var_T, t, h, num(0), add(h, g_if(g, c, before, a)));
    ck_assert_double_eq(value(g_part(g, l, 0)), 2 + 1 + 2);
    ck_assert(node_region(l)->fails);
}
END_TEST

START_TEST(an_index_out_of_range)
{
    Node *t = index_param(), *h = scalar("h");
    Node *after = at(xs, g2(g, OP_add, t, g_const_int(g, DT_i32, 1)));
    double *out;
    Node *l = close_fold(var_T, t, h, num(0), add(h, after));
    ck_assert_int_eq(evaluate(g_part(g, l, 0), &out), EVAL_BAD_INDEX);
}
END_TEST

START_TEST(keys_and_wide_integers)
{
    const Dim *four = dim_const(g, 4);
    Node *t = index_param(), *k = g_param(g, DT_i64, 0, NULL, "k");
    Node *three = g_const_int(g, DT_i64, 3), *one = g_const_int(g, DT_i64, 1);
    Node *next = add(mul(k, three), one);
    Node *big = g_const_int(g, DT_i64, (INT64_C(1) << 53) + 1);
    Region r = fold_of(four, t, &k, &next, 1, &next);
    Node *l = g_region_close(g, &r, 1, &big);
    /* 81 (2^53 + 1) + 40, of which float64 would lose the end */
    Node *end = g_const_int(g, DT_i64, 81 * ((INT64_C(1) << 53) + 1));
    Node *rest = g2(g, OP_sub, g_part(g, l, 0), end);
    ck_assert_double_eq(value(g_cast(g, DT_f64, rest)), 40);
    Node *last = g_gather(g, g_part(g, l, 1), g_const_int(g, DT_i32, 3), 0);
    ck_assert_double_eq(value(g_cast(g, DT_f64, g2(g, OP_sub, last, end))), 40);
}
END_TEST

/* Parts that need no step. */

START_TEST(parts_without_steps)
{
    Node *t = index_param(), *h = scalar("h"), *x = scalar("x");
    Node *next = h, *out[] = {x, t, a, h, num(1)}, *arg[] = {b, xs};
    Region r = fold_of(var_T, t, &h, &next, 5, out);
    r.input = &x;
    r.ninput = 1;
    Node *l = g_region_close(g, &r, 2, arg);
    ck_assert_ptr_eq(g_part(g, l, 0), b);
    ck_assert_ptr_eq(g_part(g, l, 1), xs);
    ck_assert_ptr_eq(g_part(g, l, 2), g_iota(g, DT_i32, var_T));
    ck_assert_ptr_eq(g_part(g, l, 3), g_broadcast_to(g, a, 1, &var_T));
    ck_assert_ptr_eq(g_part(g, l, 4), g_broadcast_to(g, b, 1, &var_T));
    ck_assert(node_is_const(g_part(g, l, 5), 1));
    ck_assert_ptr_eq(g_part(g, l, 6), g_dim(g, DT_i64, var_T));
}
END_TEST

START_TEST(no_trips)
{
    Node *l = fibonacci(dim_const(g, 0));
    ck_assert(node_is_const(g_part(g, l, 0), 0));
    ck_assert(node_is_const(g_part(g, l, 1), 1));
    ck_assert(node_is_const(g_part(g, l, 2), 0));
    ck_assert(node_is_const(g_part(g, l, 4), 0));
}
END_TEST

/* What each step gives alike is there after one only. */
START_TEST(results_of_steps_that_may_not_be_made)
{
    Node *t = index_param(), *h = scalar("h"), *next = b, *arg[2] = {a};
    Region r = fold_of(var_T, t, &h, &next, 1, &next);
    Node *l = g_region_close(g, &r, 1, arg);
    ck_assert_double_eq(value(g_part(g, l, 0)), 3);
    val_T = 0;
    ck_assert_double_eq(value(g_part(g, l, 0)), 2);
    val_T = 3;
    r.counted = true;
    for (int count = 0; count < 3; count++) {
        arg[1] = g_const_int(g, DT_i64, count);
        l = g_region_close(g, &r, 2, arg);
        ck_assert_double_eq(value(g_part(g, l, 0)), count ? 3 : 2);
        ck_assert_double_eq(values(g_part(g, l, 1))[1], count > 1 ? 3 : 0);
    }
    r = fold_of(dim_const(g, -1), t, &h, &next, 0, NULL);
    l = g_region_close(g, &r, 1, arg);
    ck_assert_double_eq(value(g_part(g, l, 0)), 2);
}
END_TEST

START_TEST(equal_loops_are_one)
{
    Node *t = index_param(), *h = scalar("h");
    int count;
    Node *l = close_fold(var_T, t, h, b, mul(h, add(a, at(xs, t))));
    const Region *r = node_region(l);
    count = graph_count(g);
    ck_assert_ptr_eq(g_region(g, r, l->narg, l->arg), l);
    Region same = region_with(g, r, r->next);
    ck_assert_ptr_eq(g_region(g, &same, l->narg, l->arg), l);
    ck_assert_ptr_eq(g_region_close(g, r, l->narg, l->arg), l);
    ck_assert_int_eq(graph_count(g), count);
    same.reverse = true;
    ck_assert_ptr_ne(g_region(g, &same, l->narg, l->arg), l);
}
END_TEST

/* A value that is the same in all steps is that of none only if there is a
 * step: the loop ends before the first, or counts to 0. */
START_TEST(steps_that_are_all_the_same)
{
    for (int k = 0; k < 6; k++) {
        Node *h = scalar("h"), *next = num(7), *out = num(5),
             *t = index_param();
        Node *arg[] = {a, g_const_int(g, DT_i64, k - 2)};
        Region r = fold_of(dim_const(g, 2), t, &h, &next, 1, &out);
        bool none = k == 0 || k == 2;
        r.counted = k > 1;
        if (k < 2)
            r.until = g2(g, OP_lt, num(k ? 4 : 1), b); /* b is 3 */
        Node *l = g_region_close(g, &r, r.counted ? 2 : 1, arg);
        ck_assert_double_eq(value(g_part(g, l, 0)), none ? 2 : 7);
        ck_assert_double_eq(values(g_part(g, l, 1))[0], none ? 0 : 5);
    }
}
END_TEST

/* Closing. */

START_TEST(inputs_at_a_distance)
{
    /* sum of W[t, 1 - t] - xs[2 t + 1], of T + 4 and T = 2 */
    const Dim *two = dim_const(g, 2), *m = dim_add(g, var_T, dim_const(g, 4));
    Node *ys = g_param(g, DT_f64, 1, &m, "ys");
    Node *t = index_param(), *h = scalar("h");
    Node *one = g_const_int(g, DT_i32, 1);
    Node *row = at(W, g2(g, OP_sub, one, t));
    Node *next = add(h, g_reduce_all(g, OP_sum, row));
    next = add(next, at(ys, g2(g, OP_add, g2(g, OP_add, t, t), one)));
    Node *l = close_fold(two, t, h, num(0), next);
    ck_assert_int_eq(node_region(l)->ninput, 2);
    ck_assert(!node_region(l)->fails);
    double *out, y[] = {1, 10, 100, 1000, 0, 0};
    Node *root = g_part(g, l, 0);
    const EvalInput in[] = {{W, (double[]){1, 2, 3, 4}}, {ys, y}};
    graph_verify(g, 1, &root);
    ck_assert_int_eq(
        eval_nodes(arena, g, 1, &root, 2, in, 1, &var_T, (int64_t[]){2}, &out),
        EVAL_OK);
    ck_assert_double_eq(out[0], 10 + 1010);
}
END_TEST

START_TEST(columns_are_inputs)
{
    Node *t = index_param(), *h = scalar("h");
    Node *column = g_gather(g, W, t, 1);
    Node *first = g_gather(g, column, g_const_int(g, DT_i32, 0), 0);
    Node *next = add(mul(num(10), h), first);
    Node *l = close_fold(dim_const(g, 2), t, h, num(0), next);
    ck_assert_int_eq(node_region(l)->ninput, 1);
    ck_assert_double_eq(value(g_part(g, l, 0)), 12);
}
END_TEST

START_TEST(what_does_not_change_is_computed_once)
{
    Node *t = index_param(), *h = scalar("h");
    Node *once = g1(g, OP_exp, mul(a, b));
    Node *l = close_fold(var_T, t, h, num(0), add(h, once));
    ck_assert_int_eq(l->narg, 2);
    ck_assert_ptr_eq(l->arg[1], once);
    /* and where it is computed from what is captured already */
    Node *c = scalar("c"), *h2 = scalar("h"), *arg[] = {num(0), a};
    Node *next = add(h2, g1(g, OP_sin, c));
    Region r = fold_of(var_T, t, &h2, &next, 0, NULL);
    r.capture = &c;
    r.ncapture = 1;
    l = g_region_close(g, &r, 2, arg);
    ck_assert_int_eq(l->narg, 2);
    ck_assert_ptr_eq(l->arg[1], g1(g, OP_sin, a));
    ck_assert_double_eq_tol(value(g_part(g, l, 0)), 3 * sin(2), 1e-15);
}
END_TEST

START_TEST(constants_are_no_captures)
{
    const Dim *dim[] = {dim_const(g, 2), dim_const(g, 2)};
    Node *t = index_param(), *h = g_param(g, DT_f64, 2, dim, "h");
    Node *bias = g_broadcast_to(g, a, 2, dim);
    Node *next = add(mul(h, g_fill(g, h, 0.5)), bias);
    next = add(next, g_broadcast_to(g, g_dim(g, DT_f64, var_T), 2, dim));
    Node *l = close_fold(var_T, t, h, W, next);
    ck_assert_int_eq(l->narg, 2);
    ck_assert_ptr_eq(l->arg[1], a);
    /* ((1/2 + 5)/2 + 5)/2 + 5 */
    ck_assert_double_eq(value(g_part(g, l, 0)), 0.125 + 5 + 2.5 + 1.25);
}
END_TEST

START_TEST(unused_captures_are_dropped)
{
    Node *t = index_param(), *h = scalar("h"), *c = scalar("c");
    Node *next = add(h, h), *arg[] = {a, b};
    Region r = fold_of(var_T, t, &h, &next, 0, NULL);
    r.capture = &c;
    r.ncapture = 1;
    Node *l = g_region_close(g, &r, 2, arg);
    ck_assert_int_eq(l->narg, 1);
    ck_assert_double_eq(value(g_part(g, l, 0)), 16);
}
END_TEST

START_TEST(products_are_taken_out)
{
    /* h = h + v @ W, v = (xs[t], 2 xs[t]), is a product for all t */
    const Dim *two = dim_const(g, 2);
    Node *t = index_param(), *h = g_param(g, DT_f64, 1, &two, "h");
    Node *x = g_broadcast_to(g, at(xs, t), 1, &two);
    Node *weight = g_data(g, DT_f64, 1, &two, (double[]){1, 2});
    Node *step = g_matmul(g, mul(x, weight), W);
    Node *init = g_fill(g, h, 0);
    Node *l = close_fold(var_T, t, h, init, add(h, step));
    const Region *r = node_region(l);
    for (int i = 0; i < r->nbody; i++)
        ck_assert_int_ne(r->body[i]->op, OP_contract);
    const double *y = values(g_part(g, l, 0));
    ck_assert_double_eq(y[0], 7 * 7);
    ck_assert_double_eq(y[1], 7 * 10);
}
END_TEST

START_TEST(a_check_stays_in_its_branch)
{
    /* if t < 0 { xs[n] } else { a }: n = 5 is out of range, never asked for */
    Node *t = index_param(), *h = scalar("h");
    Node *n = g_cast(g, DT_i32, add(b, a));
    Node *c = g2(g, OP_lt, t, g_const_int(g, DT_i32, 0));
    Node *l = close_fold(var_T, t, h, num(0), add(h, g_if(g, c, at(xs, n), a)));
    ck_assert_double_eq(value(g_part(g, l, 0)), 6);
}
END_TEST

/* Calls and inlining. */

static Node *square_call(Node *x, bool apart)
{
    Node *p = scalar("p"), *out[] = {mul(p, p), add(p, a)};
    Region r = {.capture = &p,
                .ncapture = 1,
                .output = out,
                .noutput = 2,
                .apart = apart};
    return g_region_close(g, &r, 1, &x);
}

START_TEST(a_call)
{
    Node *l = square_call(b, false);
    ck_assert_int_eq(l->narg, 2);
    ck_assert_double_eq(value(g_part(g, l, 0)), 9);
    ck_assert_double_eq(value(g_part(g, l, 1)), 5);
}
END_TEST

/* p * p + exp(a) with a derivative of its own; closing adds a capture, which
 * the derivative is given too. */
START_TEST(a_call_with_a_derivative)
{
    Node *p = scalar("p"), *y = scalar("y"), *y_bar = scalar("y_bar");
    Node *given[] = {p, y, y_bar}, *adjoint = mul(add(p, y), y_bar);
    Node *out = add(mul(p, p), g1(g, OP_exp, a));
    Region vjp = {
        .capture = given, .ncapture = 3, .output = &adjoint, .noutput = 1};
    Region r = {.capture = &p,
                .ncapture = 1,
                .output = &out,
                .noutput = 1,
                .vjp = &vjp};
    Node *l = g_region_close(g, &r, 1, &b), *root = g_part(g, l, 0);
    const Region *v = node_region(l)->vjp;
    ck_assert_int_eq(l->narg, 2);
    ck_assert_int_eq(v->ncapture, 4);
    ck_assert(v->capture[0] == p && v->capture[2] == y);
    ck_assert_double_eq_tol(value(root), 9 + exp(2), 1e-14);
    regions_prune(g, 1, &root);
    ck_assert_ptr_eq(root, g_part(g, l, 0));
    expand(g, 1, &root);
    ck_assert_ptr_eq(root, add(mul(b, b), g1(g, OP_exp, a)));
}
END_TEST

START_TEST(calls_are_expanded)
{
    Node *root[] = {g_part(g, square_call(b, false), 0),
                    g_part(g, square_call(b, true), 0)};
    expand(g, 2, root);
    graph_verify(g, 2, root);
    ck_assert_ptr_eq(root[0], mul(b, b));
    ck_assert_double_eq(value(root[1]), 9);
    ck_assert_int_eq(root[1]->arg[0]->op, OP_part);
    ck_assert_int_eq(root[1]->arg[0]->arg[0]->op, OP_loop);
    regions_prune(g, 2, root);
    Node *before = root[1];
    simplify(g, 2, root);
    ck_assert_ptr_eq(root[1], before);
}
END_TEST

START_TEST(a_step_inlined)
{
    Node *t = index_param(), *h = scalar("h");
    Node *l = close_fold(var_T, t, h, b, add(mul(h, a), at(xs, t)));
    Node *x = num(7), *to;
    region_inline(g, node_region(l), (Node *[]){t, b, x, a}, &to);
    ck_assert_ptr_eq(to, add(mul(b, a), x));
}
END_TEST

START_TEST(one_step_is_no_loop)
{
    Node *root = g_part(g, fibonacci(dim_const(g, 1)), 3);
    simplify(g, 1, &root);
    ck_assert(node_is_const(root, 1));
    ck_assert_int_eq(root->rank, 1);
}
END_TEST

START_TEST(bodies_are_simplified)
{
    Node *t = index_param(), *h = scalar("h"), *k = index_param();
    Node *u = scalar("u");
    Node *log_exp = g1(g, OP_log, add(num(1), g1(g, OP_exp, u)));
    Node *inner = close_fold(var_T, k, u, h, log_exp);
    Node *root = g_part(g, close_fold(var_T, t, h, a, g_part(g, inner, 0)), 0);
    double before = value(root);
    simplify(g, 1, &root);
    const Region *r = node_region(root->arg[0]);
    ck_assert_int_eq(r->next[0]->op, OP_part);
    r = node_region(r->next[0]->arg[0]);
    ck_assert_int_eq(r->next[0]->op, OP_softplus);
    ck_assert_double_eq_tol(value(root), before, 1e-14);
}
END_TEST

/* Pruning. */

static const Region *pruned(Node **root)
{
    double before = value(*root);
    regions_prune(g, 1, root);
    ck_assert_double_eq(value(*root), before);
    Node *l = *root;
    while (l->op != OP_loop)
        l = l->arg[0];
    return node_region(l);
}

START_TEST(dead_carries_go)
{
    /* p = q, q = r, r = r + xs[t]; s is read by s alone */
    Node *t = index_param();
    Node *h[] = {scalar("p"), scalar("q"), scalar("r"), scalar("s")};
    Node *next[] = {h[1], h[2], add(h[2], at(xs, t)), mul(h[3], b)};
    Node *init[] = {a, b, a, a}, *out[] = {h[3], h[0]};
    Region r = fold_of(var_T, t, h, next, 2, out);
    r.ncarry = 4;
    Node *l = g_region_close(g, &r, 4, init);
    Node *q = g_part(g, l, 1), *p = g_part(g, l, 5), *s = g_part(g, l, 3);
    ck_assert_int_eq(pruned(&q)->ncarry, 2);
    ck_assert_int_eq(node_region(q->arg[0])->noutput, 0);
    ck_assert_int_eq(pruned(&p)->ncarry, 3);
    ck_assert_int_eq(pruned(&s)->ncarry, 1);
    ck_assert_int_eq(node_region(s->arg[0])->ninput, 0);
    ck_assert_int_eq(s->arg[0]->narg, 2);
}
END_TEST

START_TEST(carries_that_never_change_are_captures)
{
    Node *t = index_param(), *h[] = {scalar("h"), scalar("k")};
    Node *next[] = {add(h[0], mul(h[1], at(xs, t))), h[1]};
    Node *init[] = {num(0), b};
    Region r = fold_of(var_T, t, h, next, 0, NULL);
    r.ncarry = 2;
    Node *l = g_region_close(g, &r, 2, init);
    Node *root = add(g_part(g, l, 0), g_part(g, l, 1));
    double before = value(root);
    regions_prune(g, 1, &root);
    ck_assert_double_eq(value(root), before);
    root = g_part(g, l, 0);
    ck_assert_int_eq(pruned(&root)->ncarry, 1);
    ck_assert_int_eq(node_region(root->arg[0])->ncapture, 1);
}
END_TEST

START_TEST(inner_loops_are_pruned)
{
    Node *i = index_param(), *s = scalar("s"), *k = index_param();
    Node *u[] = {scalar("u"), scalar("v")}, *init[] = {num(0), s};
    Node *next[] = {add(u[0], real(k)), mul(u[1], a)};
    Region r = fold_of(dim_const(g, 3), k, u, next, 0, NULL);
    r.ncarry = 2;
    Node *inner = g_region_close(g, &r, 2, init);
    Node *h[] = {s, scalar("w")};
    Node *outer[] = {add(s, g_part(g, inner, 1)),
                     add(h[1], g_part(g, inner, 0))};
    r = fold_of(var_T, i, h, outer, 0, NULL);
    r.ncarry = 2;
    Node *root = g_part(g, g_region_close(g, &r, 2, (Node *[]){a, b}), 0);
    const Region *o = pruned(&root);
    ck_assert_int_eq(o->ncarry, 1);
    for (int n = 0; n < o->nbody; n++)
        if (o->body[n]->op == OP_loop)
            ck_assert_int_eq(node_region(o->body[n])->ncarry, 1);
}
END_TEST

static int loops_below(int n, Node **root)
{
    bool *live = graph_reach(g, arena, false, n, root);
    int count = 0;
    for (int id = 0; id < graph_count(g); id++)
        count += live[id] && graph_node(g, id)->op == OP_loop;
    return count;
}

/* The loop of digits, and the same that stores more. */
START_TEST(a_loop_that_stores_more_is_the_same)
{
    Node *h, *next, *init = num(0);
    Region r = digits(&h, &next);
    r.noutput = 0;
    Node *l = g_region_close(g, &r, 1, &init);
    const Region *c = node_region(l);
    Node *out[] = {c->carry[0], mul(c->carry[0], c->input[0])};
    Region more = *c;
    more.output = out;
    more.noutput = 2;
    Node *stores = g_region_close(g, &more, l->narg, l->arg);
    Node *used = g1(g, OP_sin, g_part(g, l, 0));
    Node *root[] = {used, g_part(g, stores, 1), g_part(g, stores, 2),
                    g_part(g, stores, 0)};
    ck_assert_int_eq(loops_below(4, root), 2);
    regions_prune(g, 4, root);
    ck_assert_int_eq(loops_below(4, root), 1);
    ck_assert_ptr_eq(root[0], g1(g, OP_sin, root[3]));
    ck_assert_double_eq(value(root[3]), 124);
    ck_assert_double_eq(values(root[1])[2], 12);
    ck_assert_double_eq(values(root[2])[2], 48);
}
END_TEST

/* fold(i, s = a | s + sin(what the inner loop gives)) */
static Node *around(Node *i, Node *s, Node *in, int nout, Node **out)
{
    Node *next = add(s, g1(g, OP_sin, g_part(g, in, 0))), *init = a;
    Region r = fold_of(var_T, i, &s, &next, nout, out);
    return g_region_close(g, &r, 1, &init);
}

/* Of an inner loop and the same that stores more, the outer ones are one; not
 * where it starts from something else. */
START_TEST(inner_loops_that_store_more)
{
    Node *i = index_param(), *s = scalar("s"), *k = index_param();
    Node *u = scalar("u"), *next = mul(u, b), *init[] = {s, mul(s, s)};
    Region r = fold_of(dim_const(g, 3), k, &u, &next, 0, NULL);
    Node *bare = g_region_close(g, &r, 1, init);
    r = *node_region(bare);
    r.output = r.carry;
    r.noutput = 1;
    Node *stores = g_region(g, &r, 2, bare->arg);
    Node *other = g_region(g, &r, 2, (Node *[]){init[1], bare->arg[1]});
    Node *kept = g_part(g, stores, 1);
    Node *root[] = {g_part(g, around(i, s, bare, 0, NULL), 0),
                    g_part(g, around(i, s, stores, 1, &kept), 1)};
    double before = value(root[0]), row = values(root[1])[5];
    ck_assert_int_eq(loops_below(2, root), 2);
    regions_prune(g, 2, root);
    ck_assert_int_eq(loops_below(2, root), 1);
    ck_assert_double_eq(value(root[0]), before);
    ck_assert_double_eq(values(root[1])[5], row);
    kept = g_part(g, other, 1);
    root[1] = g_part(g, around(i, s, other, 1, &kept), 1);
    regions_prune(g, 2, root);
    ck_assert_int_eq(loops_below(2, root), 2);
}
END_TEST

START_TEST(a_loop_is_not_merged_with_what_it_reads)
{
    Node *h, *next, *init = num(0);
    Region r = digits(&h, &next);
    Node *l = g_region_close(g, &r, 1, &init);
    Node *sum = g_part(g, l, 0);
    const Region *c = node_region(l);
    Node *d = scalar("d"), *carry[] = {c->carry[0], d};
    Node *results[] = {c->next[0], add(mul(num(10), d), c->carry[0])};
    Node *arg[] = {l->arg[0], sum, l->arg[1]};
    Region tangent = *c;
    tangent.carry = carry;
    tangent.next = results;
    tangent.ncarry = 2;
    tangent.noutput = 0;
    Node *l2 = g_region_close(g, &tangent, 3, arg);
    Node *root[] = {g_part(g, l2, 1), sum};
    double before = value(root[0]);
    regions_prune(g, 2, root);
    ck_assert_int_eq(loops_below(2, root), 2);
    ck_assert_double_eq(value(root[0]), before);
    /* from a constant the two are one */
    arg[1] = a;
    l2 = g_region_close(g, &tangent, 3, arg);
    root[0] = g_part(g, l2, 1);
    root[1] = sum;
    before = value(root[0]);
    regions_prune(g, 2, root);
    ck_assert_int_eq(loops_below(2, root), 1);
    ck_assert_double_eq(value(root[0]), before);
    ck_assert_double_eq(value(root[1]), 124);
}
END_TEST

/* A loop that depends on one of those it is like is left out, and only that. */
START_TEST(what_reads_a_loop_is_left_out)
{
    Node *h, *next, *init = num(0);
    Region r = digits(&h, &next);
    Node *l = g_region_close(g, &r, 1, &init);
    Region more = *node_region(l);
    Node *out = mul(more.carry[0], more.input[0]), *k = scalar("k");
    more.output = &out;
    Node *other = g_region(g, &more, l->narg, l->arg);
    Node *given = mul(k, more.input[0]);
    more.output = &given;
    more.capture = &k;
    more.ncapture = 1;
    Node *arg[] = {l->arg[0], l->arg[1], g_part(g, l, 0)};
    Node *reads = g_region(g, &more, 3, arg);
    Node *root[] = {g_part(g, l, 1), g_part(g, reads, 1), g_part(g, other, 1)};
    double want = values(root[1])[2];
    regions_prune(g, 3, root);
    ck_assert_int_eq(loops_below(3, root), 2);
    ck_assert_double_eq(values(root[1])[2], want);
    ck_assert_double_eq(values(root[2])[2], 48);
}
END_TEST

/* h = k h + t from a, with its rows, until h is above 40. */
static Region like_digits(Node *k)
{
    Node *t = index_param(), **h = NEW(arena, Node *),
         **to = NEW(arena, Node *);
    *h = scalar("h");
    *to = add(mul(k, *h), real(t));
    Region r = fold_of(var_T, t, h, to, 1, to);
    r.capture = arena_copy(arena, &k, sizeof k);
    r.ncapture = 1;
    r.until = g2(g, OP_lt, num(40), *h);
    return r;
}

enum { LOOP_CHANGES = 12 };

/* What is changed in one respect is another loop, and stays one. */
START_TEST(loops_that_differ_stay_two)
{
    Node *k = scalar("k"), *arg[3] = {a, b}, *also[3] = {a, b};
    Region r = like_digits(k), s = r;
    Node *next = add(r.next[0], num(1)), *out = mul(r.next[0], k);
    int n = 2;
    s.output = &out;
    switch (_i) {
    case 0: /* but for what it stores it is the same */
        break;
    case 1:
        s.trips = dim_const(g, 2);
        break;
    case 2:
        s.until = r.until = NULL;
        s.reverse = true;
        break;
    case 3:
        s.until = r.until = NULL;
        r.reverse = true;
        break;
    case 4:
        s.apart = true;
        break;
    case 5:
        r.apart = true;
        break;
    case 6:
        s.until = NULL;
        break;
    case 7:
        s.until = g2(g, OP_lt, num(10), r.carry[0]);
        break;
    case 8:
        s.next = &next;
        break;
    case 9:
        also[0] = b;
        break;
    case 10:
        also[1] = a;
        break;
    case 11:
        s.counted = r.counted = true;
        arg[2] = g_const_int(g, DT_i64, 1);
        also[2] = g_const_int(g, DT_i64, 2);
        n = 3;
        break;
    }
    Node *x = g_region(g, &r, n, arg), *y = g_region(g, &s, n, also);
    Node *root[] = {g_part(g, x, 0), g_part(g, y, 0), g_part(g, x, 1),
                    g_part(g, y, 1), g_part(g, x, 2), g_part(g, y, 2)};
    double want[6];
    for (int i = 0; i < 6; i++)
        want[i] = values(root[i])[0];
    regions_prune(g, 6, root);
    ck_assert_int_eq(loops_below(6, root), _i == 0 ? 1 : 2);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq(values(root[i])[0], want[i]);
}
END_TEST

START_TEST(bodies_count_by_their_trips)
{
    Node *root = g_part(g, nested(), 0);
    Cost count = cost_count(g, 1, &root);
    int64_t n;
    ck_assert(dim_eval(count.of[COST_multiply], 1, &var_T, &val_T, &n));
    ck_assert_int_eq(n, 12);
    ck_assert_double_eq(cost_total(&count, 1, &var_T, &val_T),
                        4 + 4 + 12 * 3); /* conversions are no arithmetic */
}
END_TEST

/* Printed. */

START_TEST(dumped)
{
    char *text;
    size_t size;
    Node *root = g_part(g, nested(), 0);
    FILE *to = open_memstream(&text, &size);
    graph_dump(g, 1, &root, NULL, to);
    fclose(to);
    ck_assert_str_eq(text, "a : real\n"
                           "%0 = loop(0, a; t < 4)\n"
                           "    index t : i32\n"
                           "    carry s : real\n"
                           "    capture a : real\n"
                           "    %0 = cast(t) : real\n"
                           "    %1 = add(1, %0) : real\n"
                           "    %2 = loop(0, a, %1; t < 3)\n"
                           "        index t : i32\n"
                           "        carry u : real\n"
                           "        capture a : real\n"
                           "        capture c1 : real\n"
                           "        %0 = cast(t) : real\n"
                           "        %1 = mul(%0, c1) : real\n"
                           "        %2 = add(a, %1) : real\n"
                           "        %3 = add(u, %2) : real\n"
                           "        next u = %3\n"
                           "    %3 = part(%2; 0) : real\n"
                           "    %4 = add(s, %3) : real\n"
                           "    next s = %4\n"
                           "%1 = part(%0; 0) : real\n"
                           "result = %1\n");
    free(text);
}
END_TEST

START_TEST(printed)
{
    Str s = str_new(arena);
    Node *t = index_param(), *h = scalar("h");
    Node *x = at(xs, t), *ah = mul(a, h);
    Node *l = close_fold(var_T, t, h, num(0), add(ah, x));
    node_print(g_part(g, l, 0), &s);
    ck_assert_str_eq(s.at, "fold(t < T, h = 0, x0 = xs[t] | x0 + h * a)");
}
END_TEST

static Suite *suite(void)
{
    const TTest *const all[] = {
        fold_of_a_sum,
        fold_over_an_input,
        several_carries,
        run_time_trips,
        reversed,
        counted_steps,
        until_holds,
        nested_loops,
        a_branch_is_lazy,
        an_index_out_of_range,
        keys_and_wide_integers,
        parts_without_steps,
        no_trips,
        results_of_steps_that_may_not_be_made,
        steps_that_are_all_the_same,
        equal_loops_are_one,
        inputs_at_a_distance,
        columns_are_inputs,
        what_does_not_change_is_computed_once,
        constants_are_no_captures,
        unused_captures_are_dropped,
        products_are_taken_out,
        a_check_stays_in_its_branch,
        a_call,
        a_call_with_a_derivative,
        calls_are_expanded,
        a_step_inlined,
        one_step_is_no_loop,
        bodies_are_simplified,
        dead_carries_go,
        carries_that_never_change_are_captures,
        inner_loops_are_pruned,
        a_loop_that_stores_more_is_the_same,
        inner_loops_that_store_more,
        a_loop_is_not_merged_with_what_it_reads,
        what_reads_a_loop_is_left_out,
        bodies_count_by_their_trips,
        dumped,
        printed,
    };
    Suite *s = suite_create("region");
    TCase *c = tcase_create("region");
    tcase_add_checked_fixture(c, graph_setup, graph_teardown);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tcase_add_test(c, all[i]);
    tcase_add_loop_test(c, loops_that_differ_stay_two, 0, LOOP_CHANGES);
    suite_add_tcase(s, c);
    return s;
}

int main(void) { return run_suite(suite()); }
