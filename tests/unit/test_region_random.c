/* test_region_random.c: random loops, nested and one after the other, against
 * the same steps written out: closed, simplified, pruned, merged, expanded,
 * scheduled. */
#include "graph/ops/ops.h"
#include "kernel_sim.h"
#include "region_cases.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <math.h>

enum { POOL = 64, CARRIES = 3, OUTPUTS = 3 };

static unsigned draws;

/* What the steps that were written out give, read or not. */
static struct {
    int n;
    Node *at[256];
} made;

static void note_made(Node *n)
{
    if (n->rank)
        n = g_reduce_all(g, OP_sum, n);
    if (made.n == (int)(sizeof made.at / sizeof *made.at))
        die("more steps than this test takes");
    made.at[made.n++] = n;
}

static int draw(int below)
{
    draws = draws * 1664525u + 1013904223u;
    return (int)((draws >> 16) % (unsigned)below);
}

/* Scalars and vectors of 2 to choose from. */
typedef struct Pool {
    Node *s[POOL], *v[POOL];
    int ns, nv;
} Pool;

/* As functions, so that what is drawn for n does not see the place for it. */
static void push_s(Pool *p, Node *n) { p->s[p->ns++] = n; }
static void push_v(Pool *p, Node *n) { p->v[p->nv++] = n; }

static Node *any(const Pool *p) { return p->s[draw(p->ns)]; }
static Node *any_vector(const Pool *p) { return p->v[draw(p->nv)]; }

static Node *int32(int v) { return g_const_int(g, DT_i32, v); }

/* Somewhere around t, often out of range. */
static Node *around_t(Node *t)
{
    static const int scale[] = {1, 1, 2, -1};
    Node *i = mul(t, int32(scale[draw(4)]));
    return add(i, int32(draw(4) - 1));
}

/* xs[i] where i is in range, else x. */
static Node *if_inside(Node *i, Node *x)
{
    Node *above = g2(g, OP_le, int32(0), i), *below = g2(g, OP_lt, i, int32(3));
    return g_if(g, g2(g, OP_and, above, below), at(xs, i), x);
}

/* A row or column of W. */
static Node *line(Node *t)
{
    Node *even = g2(g, OP_mod, t, int32(2));
    int axis = draw(2);
    return g_gather(g, W, draw(2) ? even : int32(draw(2)), axis);
}

/* What is read outside of xs now and then, in branches of conditions that are
 * the same in all steps or not, both of which share it. */
static void guarded_reads(Pool *p, const Pool *outer)
{
    Node *e = at(xs, int32(draw(2) ? 3 + draw(2) : draw(3))), *c, *d;
    c = draw(2) ? any(p) : any(outer);
    c = g2(g, OP_lt, c, num(draw(3)));
    d = draw(2) ? any(p) : any(outer);
    d = g2(g, OP_lt, d, num(draw(3)));
    e = draw(2) ? g1(g, OP_tanh, e) : e;
    push_s(p, g_if(g, c, g1(g, OP_sin, e), any(p)));
    push_s(p, g_if(g, d, any(p), mul(e, e)));
}

/* *last: a vector that it ends with, or NULL. */
static Node *random_loop(const Pool *around, int depth, bool plain,
                         Node **last);

static void push_loop(Pool *p, int depth, bool plain)
{
    Node *last;
    push_s(p, random_loop(p, depth, plain, &last));
    if (last)
        push_v(p, last);
}

static void grow(Pool *p, Node *t, const Pool *outer, int depth)
{
    const Dim *two = dim_const(g, 2);
    Node *x = any(p), *y = any(p), *v = any_vector(p);
    switch (draw(12)) {
    case 0:
        push_s(p, add(x, y));
        break;
    case 1:
        push_s(p, mul(g1(g, OP_tanh, x), y));
        break;
    case 2:
        push_s(p, g1(g, OP_sin, x));
        break;
    case 3:
        push_s(p, at(xs, draw(2) ? t : g2(g, OP_sub, int32(2), t)));
        break;
    case 4:
        push_s(p, if_inside(around_t(t), x));
        break;
    case 5:
        push_v(p, g_matmul(g, v, W));
        break;
    case 6:
        push_v(p, add(g1(g, OP_tanh, v), g_broadcast_to(g, x, 1, &two)));
        break;
    case 7:
        push_s(p, g_reduce_all(g, OP_sum, v));
        break;
    case 8:
        push_v(p, line(t));
        break;
    case 9:
        push_s(p, g_if(g, g2(g, OP_lt, x, y), any(outer), x));
        break;
    case 10:
        if (depth > 0)
            push_loop(p, depth - 1, false);
        else
            push_s(p, x);
        break;
    case 11:
        guarded_reads(p, outer);
        break;
    }
}

/* All steps in a row: the parts of the loop. */
static void unroll(const Region *r, int64_t trips, Node *const *arg, Node **to)
{
    Node *h[CARRIES], *out[OUTPUTS][8], *stopped = g_const(g, DT_bool, 0);
    for (int i = 0; i < r->ncarry; i++)
        h[i] = arg[i];
    for (int64_t k = 0; k < trips; k++) {
        int64_t t = r->reverse ? trips - 1 - k : k;
        Node *from[CARRIES + 1] = {r->index};
        Node *by[CARRIES + 1] = {g_const_int(g, DT_i32, t)};
        Node *result[CARRIES + OUTPUTS + 1];
        for (int i = 0; i < r->ncarry; i++) {
            from[i + 1] = r->carry[i];
            by[i + 1] = h[i];
        }
        region_results(r, result);
        graph_subst(g, r->ncarry + 1, from, by, region_nresult(r), result);
        if (r->until)
            stopped = g2(g, OP_or, stopped, result[r->ncarry + r->noutput]);
        for (int i = 0; i < r->ncarry; i++)
            note_made(h[i] = g_if(g, stopped, h[i], result[i]));
        for (int i = 0; i < r->noutput; i++)
            note_made(out[i][t] =
                          g_if(g, stopped, num(0), result[r->ncarry + i]));
    }
    for (int i = 0; i < r->ncarry; i++)
        to[i] = h[i];
    for (int i = 0; i < r->noutput; i++) {
        Node *row[8];
        const Dim *one = dim_const(g, 1);
        for (int64_t t = 0; t < trips; t++)
            row[t] = g_broadcast_to(g, out[i][t], 1, &one);
        to[r->ncarry + i] = g_concat(g, (int)trips, row, 0);
    }
}

static Node *weighed(Node *sum, Node *part, int k)
{
    if (part->rank)
        part = g_reduce_all(g, OP_sum, part);
    return add(sum, mul(part, num(1 + 0.25 * k)));
}

/* The loop once more, which also gives some of what it computes. */
static Node *storing(const Node *l)
{
    Region r = *node_region(l);
    Node *out[OUTPUTS + 2];
    for (int i = 0; i < r.noutput; i++)
        out[i] = r.output[i];
    for (int k = r.nbody - 1, most = r.noutput + 2; k >= 0; k--)
        if (r.body[k]->dtype == DT_f64 && r.body[k]->rank == 0 &&
            r.noutput < most)
            out[r.noutput++] = r.body[k];
    r.output = out;
    return g_region_close(g, &r, l->narg, l->arg);
}

/* The sum of parts of l, those at odd places taken from the loop that stores;
 * what this gives in addition counts by 0. */
static Node *sum_of_parts(Node *l, bool once, const bool *used)
{
    const Region *r = node_region(l);
    Node *sum = num(0), *more = once || r->fails ? l : storing(l);
    int n = r->ncarry + r->noutput;
    for (int i = 0; i < n; i++)
        if (used[i])
            sum = weighed(sum, g_part(g, i % 2 ? more : l, i), i);
    for (int i = n; i < region_nparts(node_region(more)) - 1; i++) {
        Node *extra = g_reduce_all(g, OP_sum, g_part(g, more, i));
        sum = add(sum, mul(num(0), extra));
    }
    return sum;
}

/* A parameter like init. */
static Node *new_carry(Pool *p, const Node *init, int number)
{
    Node *h = g_param(g, DT_f64, init->rank, init->dim,
                      arena_printf(arena, "h%d", number));
    if (h->rank)
        push_v(p, h);
    else
        push_s(p, h);
    return h;
}

static Node *late(const Pool *p, int rank)
{
    return rank ? p->v[p->nv - 1 - draw((p->nv + 1) / 2)]
                : p->s[p->ns - 1 - draw(p->ns / 2)];
}

/* A loop over what is around it, as one scalar; plain: written out. */
static Node *random_loop(const Pool *around, int depth, bool plain, Node **last)
{
    Node *t = index_param(), *h[CARRIES], *next[CARRIES], *init[CARRIES];
    Node *out[OUTPUTS], *to[CARRIES + OUTPUTS], *sum = num(0);
    int trips = 1 + draw(3);
    Pool p = *around;
    Region r = fold_of(trips == 3 ? var_T : dim_const(g, trips), t, h, next,
                       draw(OUTPUTS + 1), out);
    r.ncarry = 1 + draw(CARRIES);
    r.reverse = draw(3) == 0;
    push_s(&p, real(t));
    for (int i = 0; i < r.ncarry; i++)
        init[i] = draw(3) ? any(around) : any_vector(around);
    for (int i = 0; i < r.ncarry; i++)
        h[i] = new_carry(&p, init[i], i);
    for (int k = 4 + draw(8); k > 0; k--)
        grow(&p, t, around, depth);
    for (int i = 0; i < r.ncarry; i++)
        next[i] = draw(6) ? late(&p, h[i]->rank) : h[i];
    for (int i = 0; i < r.noutput; i++)
        out[i] = any(&p);
    if (!r.reverse && draw(4) == 0)
        r.until = g2(g, OP_lt, num(1.5), any(&p));
    bool once = draw(2), used[CARRIES + OUTPUTS];
    for (int i = 0; i < CARRIES + OUTPUTS; i++)
        used[i] = draw(3);
    if (!plain) {
        Node *l = g_region_close(g, &r, r.ncarry, init);
        for (int i = 0; i < r.ncarry; i++)
            to[i] = g_part(g, l, i);
        sum = sum_of_parts(l, once, used);
    } else {
        unroll(&r, trips, init, to);
    }
    *last = NULL;
    for (int i = 0; i < r.ncarry; i++)
        if (to[i]->rank)
            *last = to[i];
    if (!plain)
        return sum;
    for (int i = 0; i < r.ncarry + r.noutput; i++)
        if (used[i])
            sum = weighed(sum, to[i], i);
    return sum;
}

static Node *random_program(unsigned seed, bool plain)
{
    const Dim *two = dim_const(g, 2);
    Pool p = {.s = {a, b, num(0.5)},
              .v = {g_data(g, DT_f64, 1, &two, (double[]){0.5, -1})},
              .ns = 3,
              .nv = 1};
    draws = seed;
    push_loop(&p, 2, plain);
    Node *first = p.s[p.ns - 1], *last;
    Node *second = random_loop(&p, 1, plain, &last);
    if (draw(2))
        second = weighed(second, any_vector(&p), 1);
    return add(second, first);
}

/* Has all that the steps give a value: what nobody reads of them may report an
 * index. */
static bool all_have_values(void)
{
    Node *sum = num(0);
    double *x = NULL;
    for (int i = 0; i < made.n; i++)
        sum = add(sum, made.at[i]);
    return evaluate(sum, &x) == EVAL_OK;
}

static void same_value(unsigned seed, const char *what, Node *root,
                       double expected)
{
    double *at_root = NULL, x;
    ck_assert_msg(evaluate(root, &at_root) == EVAL_OK,
                  "seed %u: %s: an index out of range", seed, what);
    x = *at_root;
    ck_assert_msg(fabs(x - expected) <= 1e-9 * (1 + fabs(expected)),
                  "seed %u: %s: %.17g is not %.17g", seed, what, x, expected);
}

/* As kernels. False: an index is reported, by a node on a circle of conditions
 * (see guard.c), which runs wider than it is asked for. */
static bool scheduled(unsigned seed, Node *root, double expected)
{
    enum { NPARAM = 4, MOST = 4 };
    Node *leaf[NPARAM + 1] = {a, b, xs, W, root};
    double x[NPARAM][MOST] = {{2}, {3}, {1, 2, 4}, {1, 2, 3, 4}}, got = 0;
    double *data[NPARAM + 1] = {x[0], x[1], x[2], x[3], &got};
    Port port[NPARAM + 1];
    const char *why = "";

    for (int i = 0; i <= NPARAM; i++)
        port[i] =
            (Port){.name = "p", .leaf = &leaf[i], .nleaf = 1, .in_place = -1};
    Function f = {.name = "f",
                  .param = port,
                  .nparam = NPARAM,
                  .result = port + NPARAM,
                  .nresult = 1,
                  .var = &var_T,
                  .nvar = 1};
    const Schedule *s = schedule(arena, g, &f);
    SimStatus status = sim_run(arena, s, 1, &var_T, &val_T, data, &why);
    ck_assert_msg(status != SIM_BROKEN, "seed %u: scheduled: %s", seed, why);
    ck_assert_msg(status == SIM_BAD_INDEX ||
                      fabs(got - expected) <= 1e-9 * (1 + fabs(expected)),
                  "seed %u: scheduled: %.17g is not %.17g", seed, got,
                  expected);
    return status == SIM_OK;
}

START_TEST(random_loops)
{
    int judged = 0, ran = 0;
    for (unsigned k = 0; k < 40; k++) {
        unsigned seed = 40 * (unsigned)_i + k;
        double *expected_at = NULL, expected;
        made.n = 0;
        if (evaluate(random_program(seed, true), &expected_at) != EVAL_OK ||
            !all_have_values())
            continue; /* an index out of range that is asked for */
        judged++;
        expected = *expected_at;
        Node *root = random_program(seed, false), *again;
        same_value(seed, "closed", root, expected);
        simplify(g, 1, &root);
        same_value(seed, "simplified", root, expected);
        regions_prune(g, 1, &root);
        same_value(seed, "pruned", root, expected);
        again = root;
        regions_prune(g, 1, &again);
        ck_assert_msg(again == root, "seed %u: pruned again", seed);
        simplify(g, 1, &root);
        expand(g, 1, &root);
        regions_prune(g, 1, &root);
        same_value(seed, "expanded", root, expected);
        ran += scheduled(seed, root, expected);
    }
    ck_assert_int_gt(judged, 20);
    ck_assert_int_ge(ran, judged - 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("region random");
    TCase *c = tcase_create("random");
    tcase_add_checked_fixture(c, graph_setup, graph_teardown);
    tcase_add_loop_test(c, random_loops, 0, CASES(40));
    suite_add_tcase(s, c);
    return s;
}

int main(void) { return run_suite(suite()); }
