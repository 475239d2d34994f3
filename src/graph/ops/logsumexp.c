/* logsumexp.c: log of the sum of exp, without overflow. */
#include "graph/ops/reduce.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void add_exp(EvalTensor *e, const Node *n, int64_t to, double x,
                    const int64_t *at)
{
    (void)n;
    (void)at;
    e->out[to] += exp(x);
}

/* log of the sum of exp, shifted by the largest: two rounds over the argument,
 * the maxima standing in out in between. */
static void keep_max(EvalTensor *e, const Node *n, int64_t to, double x,
                     const int64_t *at)
{
    (void)n;
    (void)at;
    if (x > e->out[to] || isnan(x))
        e->out[to] = x;
}

/* The least finite number. */
static double lowest(DType t) { return t == DT_f32 ? -FLT_MAX : -DBL_MAX; }

static void lse_eval(EvalTensor *e, const Node *n)
{
    int64_t count = eval_elements(n->rank, e->out_size);
    Arena *a = arena_new();
    double *max = NEWN(a, double, count + 1);
    int64_t in = eval_elements(n->arg[0]->rank, e->in_size[0]);
    double *shifted = NEWN(a, double, in + 1);
    EvalTensor inner = *e;
    reduce_fill(e, n, -INFINITY);
    reduce_each(e, n, keep_max);
    for (int64_t i = 0; i < count; i++)
        max[i] = isinf(e->out[i]) ? 0 : e->out[i];
    memcpy(shifted, e->in[0], sizeof *shifted * (size_t)in);
    int kept[MAX_RANK], left = reduce_kept_axes(n, kept);
    for (int64_t i = 0; i < in; i++) {
        int64_t at[MAX_RANK], out[MAX_RANK];
        eval_unravel(i, n->arg[0]->rank, e->in_size[0], at);
        for (int k = 0; k < left; k++)
            out[k] = at[kept[k]];
        shifted[i] -= max[eval_ravel(left, e->out_size, out)];
    }
    inner.in = (const double *const[]){shifted};
    reduce_fill(&inner, n, 0);
    reduce_each(&inner, n, add_exp);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = log(e->out[i]) + max[i];
    for (int64_t i = 0; i < count && n->attr.integer == FINITE_LSE; i++)
        if (e->out[i] < lowest(n->dtype)) /* NaN stays */
            e->out[i] = lowest(n->dtype);
    arena_free(a);
}

Node *g_finite_lse(Graph *g, const Node *n)
{
    Attr attr = n->attr;
    attr.integer = FINITE_LSE;
    return graph_make(g, OP_logsumexp, n->dtype, 1, n->arg, &attr);
}

/* ∂/∂x_i = exp(x_i - y), and 0 where all are -inf. */
static Node *lse_partial(Graph *g, Node *n)
{
    Node *y = reduce_restore(g, n, g_finite_lse(g, n));
    return g1(g, OP_exp, g2(g, OP_sub, n->arg[0], y));
}

static void lse_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *right = lse_partial(g, n);
    dx[0] = g2(g, OP_mul, reduce_restore(g, n, dy), right);
}

static Node *lse_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *terms = g2(g, OP_mul, dx[0], lse_partial(g, n));
    return g_reduce(g, OP_sum, terms, n->attr.nint, n->attr.ints);
}

/* What has no share gets and counts nothing, also of what is infinite. */
static void lse_vjp_strong(Graph *g, Node *n, Node *dy, bool steep, Node **dx)
{
    dx[0] = g_chain(g, reduce_restore(g, n, dy), lse_partial(g, n), steep);
}

static Node *lse_jvp_strong(Graph *g, Node *n, Node *const *dx,
                            const bool *steep)
{
    Node *terms = g_chain(g, dx[0], lse_partial(g, n), steep[0]);
    return g_reduce(g, OP_sum, terms, n->attr.nint, n->attr.ints);
}

/* The largest; that or the least finite number; exp(x) divided by exp of this,
 * and the sum. In a row of -inf all are 0; of one with an inf those of finite
 * numbers are. */
typedef struct Shifted {
    Node *max, *shift, *e, *sum;
} Shifted;

static Shifted shifted(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    Shifted s;
    s.max = g_reduce(g, OP_reduce_max, x, n->attr.nint, n->attr.ints);
    s.shift = g2(g, OP_max, s.max, g_fill(g, s.max, lowest(n->dtype)));
    Node *down = reduce_restore(g, n, s.shift);
    s.e = g1(g, OP_exp, g2(g, OP_sub, x, down));
    s.sum = g_reduce(g, OP_sum, s.e, n->attr.nint, n->attr.ints);
    return s;
}

static Node *is_inf(Graph *g, Node *x)
{
    return g2(g, OP_eq, x, g_fill(g, x, INFINITY));
}

/* log(sum(exp(x - m))) + m, but inf where that is the largest. */
static Node *lse_expand(Graph *g, Node *n)
{
    if (n->attr.integer == FINITE_LSE) {
        Node *y =
            g_reduce(g, OP_logsumexp, n->arg[0], n->attr.nint, n->attr.ints);
        return g2(g, OP_max, y, g_fill(g, y, lowest(n->dtype)));
    }
    Shifted s = shifted(g, n);
    Node *y = g2(g, OP_add, g1(g, OP_log, s.sum), s.shift);
    return g_where(g, is_inf(g, s.max), s.max, y);
}

bool node_views_one(const Node *n)
{
    return op_table[n->op]->cls == OPC_view && n->narg == 1;
}

/* `to` in place of what n is a view of, or a view of a view. */
static Node *same_view(Graph *g, const Node *n, Node *to)
{
    if (!node_views_one(n))
        return to;
    Node *x = same_view(g, n->arg[0], to);
    return graph_remake(g, n, &x);
}

/* What n, max(y, the least finite number), has for a logsumexp y, or NULL. */
static const Node *expanded_lse(const Node *n)
{
    for (int i = 0; n->op == OP_max && i < 2; i++)
        if (n->arg[i]->op == OP_logsumexp &&
            node_is_const(n->arg[1 - i], lowest(n->dtype)))
            return n->arg[i];
    return NULL;
}

/* Divided by the sum, which is 1 at least, but for rows of -inf. Where x is of
 * what y adds up, exp(x - max) is there; of anything else it comes to the same,
 * so that equal ones stay equal. */
Node *g_softmax(Graph *g, Node *x, const Node *y)
{
    const Node *of = y;
    while (node_views_one(of))
        of = of->arg[0];
    const Node *lse = expanded_lse(of);
    if (!lse)
        return NULL;
    Shifted s = shifted(g, lse);
    Node *one = g_fill(g, s.sum, 1);
    Node *by = g2(g, OP_div, one, g2(g, OP_max, s.sum, one));
    by = g_where(g, is_inf(g, s.max), one, by);
    Node *e = g2(g, OP_sub, x, same_view(g, y, s.shift));
    by = same_view(g, y, by);
    return g2(g, OP_mul, g1(g, OP_exp, e), by);
}

const Op op_logsumexp = {
    REDUCTION(logsumexp, ON_real),
    .flags = OP_SURFACE | OP_COSTLY,
    .doc = "log of the sum of exp, without overflow",
    .shown = {FORM_over, "logsumexp", "logsumexp", NULL},
    .infer = reduce_infer,
    .identity = reduce_identity,
    .eval_tensor = lse_eval,
    .vjp = lse_vjp,
    .vjp_strong = lse_vjp_strong,
    .jvp = lse_jvp,
    .jvp_strong = lse_jvp_strong,
    .expand = lse_expand,
    .start = -INFINITY,
};
