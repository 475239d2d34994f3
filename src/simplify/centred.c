/* centred.c: what is left of values when their mean is taken away adds up to
 * nothing, which is exact: it meets no infinity. */
#include "graph/ops/ops.h"
#include "graph/ops/reduce.h"
#include "simplify/internal.h"

enum { MAX_DEEP = 12 };

/* Is n the same along all axes that `sum` adds up. */
static bool is_repeated(const Node *n, const Node *sum)
{
    if (!node_repeats(n))
        return false;
    for (int i = 0; i < n->rank; i++)
        if (reduce_has_axis(sum, i) && n->attr.ints[i] >= 0)
            return false;
    return true;
}

static bool same_axes(const Node *a, const Node *b)
{
    bool same = a->attr.nint == b->attr.nint;

    for (int i = 0; same && i < a->attr.nint; i++)
        same = a->attr.ints[i] == b->attr.ints[i];
    return same;
}

static bool is_count(Graph *g, const Node *n, const Node *sum)
{
    const Dim *all = dim_const(g, 1);

    while (node_repeats(n))
        n = n->arg[0];
    for (int i = 0; i < sum->attr.nint; i++)
        all = dim_mul(g, all, sum->arg[0]->dim[sum->attr.ints[i]]);
    return (n->op == OP_dim ? n->attr.dims[0] : NULL) == all ||
           n == g_divisor(g, n->dtype, all);
}

/* Is m the mean of x along the axes of `sum`, repeated along these. */
static bool is_mean(Graph *g, const Node *m, const Node *x, const Node *sum)
{
    const Node *q = is_repeated(m, sum) ? m->arg[0] : NULL;

    return q && q->op == OP_div && q->arg[0]->op == OP_sum &&
           q->arg[0]->arg[0] == x && same_axes(q->arg[0], sum) &&
           is_count(g, q->arg[1], q->arg[0]);
}

static bool adds_up_to_0(Graph *g, const Node *x, const Node *sum, int depth);

/* Does x add up to nothing, and are the numbers w the same for all of a sum. */
static bool is_weighted(Graph *g, const Node *x, const Node *w, const Node *sum,
                        int depth)
{
    return is_repeated(w, sum) && adds_up_to_0(g, x, sum, depth);
}

static bool adds_up_to_0(Graph *g, const Node *x, const Node *sum, int depth)
{
    const Node *a = x->narg > 0 ? x->arg[0] : NULL;
    const Node *b = x->narg > 1 ? x->arg[1] : NULL;

    if (depth-- == 0)
        return false;
    switch (x->op) {
    case OP_neg:
        return adds_up_to_0(g, a, sum, depth);
    case OP_add:
        return adds_up_to_0(g, a, sum, depth) && adds_up_to_0(g, b, sum, depth);
    case OP_sub:
        return is_mean(g, b, a, sum) || (adds_up_to_0(g, a, sum, depth) &&
                                         adds_up_to_0(g, b, sum, depth));
    case OP_mul:
    case OP_strong_mul:
        return is_weighted(g, a, b, sum, depth) ||
               is_weighted(g, b, a, sum, depth);
    case OP_div:
        return is_weighted(g, a, b, sum, depth);
    }
    return false;
}

/* A product with nothing, or a part of it. */
static bool is_of_nothing(const Node *n)
{
    if (n->op == OP_div)
        return node_is_const(n->arg[0], 0);
    return node_is_product(n) &&
           (node_is_const(n->arg[0], 0) || node_is_const(n->arg[1], 0));
}

Node *sum_of_centred(Graph *g, const Node *n)
{
    if (dtype_is_real(n->dtype) && is_of_nothing(n))
        return g_fill(g, n, 0);
    if (n->op != OP_sum || !dtype_is_real(n->dtype) ||
        !adds_up_to_0(g, n->arg[0], n, MAX_DEEP))
        return NULL;
    return g_fill(g, n, 0);
}
