/* extreme.c: min and max of two: NaN if either is. */
#include "graph/ops/ops.h"

#include <math.h>

/* The part of v that goes to argument i: all where that is the one chosen,
 * nothing, whatever v is, where the other one is. Equal ones have half each,
 * but a constant nothing: max(x, 0) has derivative 0 at 0. */
static Node *share(Graph *g, const Node *n, Node *v, int i)
{
    bool greater = n->op == OP_max;
    Node *a = n->arg[i], *b = n->arg[1 - i], *zero = g_fill(g, v, 0);
    Node *mine = greater ? g2(g, OP_lt, b, a) : g2(g, OP_lt, a, b);
    if (node_is_any_const(b))
        return g_where(g, mine, v, zero);
    Node *other = greater ? g2(g, OP_lt, a, b) : g2(g, OP_lt, b, a);
    return g_where(g, mine, v, g_where(g, other, zero, g_scale(g, v, 0.5)));
}

static void extreme_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    for (int i = 0; i < 2; i++)
        dx[i] = share(g, n, dy, i);
}

static Node *extreme_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *x = dx[0] ? share(g, n, dx[0], 0) : NULL;
    Node *y = dx[1] ? share(g, n, dx[1], 1) : NULL;
    return g_join(g, OP_add, x, y);
}

static Node *extreme_identity(Graph *g, const Node *n)
{
    (void)g;
    return n->arg[0] == n->arg[1] ? n->arg[0] : NULL;
}

/* a where it is the one or NaN, else b. */
static Val *extreme_lower(Lower *l, const Node *n, Val *const *x)
{
    Cmp test = n->op == OP_max ? CMP_gt : CMP_lt;
    if (!dtype_is_real(n->dtype))
        return low_select(l, low_icmp(l, test, x[0], x[1]), x[0], x[1]);
    Val *right = low_fisnan(l, x[0]);
    Val *m = low_or(l, low_fcmp(l, test, x[0], x[1]), right);
    return low_select(l, m, x[0], x[1]);
}

static double min_eval(const double *x)
{
    return x[0] < x[1] || isnan(x[0]) ? x[0] : x[1];
}

static int64_t min_eval_int(const int64_t *x)
{
    return x[0] < x[1] ? x[0] : x[1];
}

const Op op_min = {
    ELEMENTWISE(min, 2, ON_number),
    .flags = OP_COMMUTES | OP_SURFACE | OP_KINK,
    .doc = "the smaller",
    .shown = {FORM_call, "min", "min", "\\min"},
    .identity = extreme_identity,
    .on_dims = dim_min,
    .eval = min_eval,
    .eval_int = min_eval_int,
    .vjp = extreme_vjp,
    .jvp = extreme_jvp,
    .lower = extreme_lower,
};

static double max_eval(const double *x)
{
    return x[0] > x[1] || isnan(x[0]) ? x[0] : x[1];
}

static int64_t max_eval_int(const int64_t *x)
{
    return x[0] > x[1] ? x[0] : x[1];
}

const Op op_max = {
    ELEMENTWISE(max, 2, ON_number),
    .flags = OP_COMMUTES | OP_SURFACE | OP_KINK,
    .doc = "the larger",
    .shown = {FORM_call, "max", "max", "\\max"},
    .identity = extreme_identity,
    .on_dims = dim_max,
    .eval = max_eval,
    .eval_int = max_eval_int,
    .vjp = extreme_vjp,
    .jvp = extreme_jvp,
    .lower = extreme_lower,
};
