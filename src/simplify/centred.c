/* centred.c: what is left of values when their mean is taken away adds up to
 * nothing, which is exact: it meets no infinity. */
#include "graph/ops/ops.h"
#include "graph/ops/reduce.h"
#include "simplify/internal.h"

enum { MAX_DEEP = 12 };

/* Is n the same along all axes that `sum` adds up, and goes on along the
 * others. */
static bool is_repeated(const Node *n, const Node *sum)
{
    if (!node_repeats(n))
        return false;
    for (int i = 0; i < n->rank; i++)
        if (reduce_has_axis(sum, i) && n->attr.ints[i] >= 0)
            return false;
    return true;
}

/* Are the axes that are left in their order. */
static bool is_spread_back(const Node *n, const Node *sum)
{
    for (int i = 0, k = 0; i < n->rank; i++)
        if (!reduce_has_axis(sum, i) && n->attr.ints[i] != k++)
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
    int64_t size;

    while (node_repeats(n))
        n = n->arg[0];
    for (int i = 0; i < sum->attr.nint; i++)
        all = dim_mul(g, all, sum->arg[0]->dim[sum->attr.ints[i]]);
    if (n->op == OP_dim)
        return n->attr.dims[0] == all;
    return dim_const_value(all, &size) && node_is_const(n, (double)size);
}

/* Is m the mean of x along the axes of `sum`, repeated along these. */
static bool is_mean(Graph *g, const Node *m, const Node *x, const Node *sum)
{
    const Node *q = is_repeated(m, sum) ? m->arg[0] : NULL;

    return q && is_spread_back(m, sum) && q->op == OP_div &&
           q->arg[0]->op == OP_sum && q->arg[0]->arg[0] == x &&
           same_axes(q->arg[0], sum) && is_count(g, q->arg[1], q->arg[0]);
}

static bool adds_up_to_0(Graph *g, const Node *x, const Node *sum, int depth)
{
    const Node *a = x->narg > 0 ? x->arg[0] : NULL;
    const Node *b = x->narg > 1 ? x->arg[1] : NULL;

    if (depth == 0)
        return false;
    switch (x->op) {
    case OP_sub:
        if (is_mean(g, b, a, sum))
            return true;
        return adds_up_to_0(g, a, sum, depth - 1) &&
               adds_up_to_0(g, b, sum, depth - 1);
    case OP_add:
        return adds_up_to_0(g, a, sum, depth - 1) &&
               adds_up_to_0(g, b, sum, depth - 1);
    case OP_neg:
        return adds_up_to_0(g, a, sum, depth - 1);
    case OP_mul:
    case OP_strong_mul:
        if (is_repeated(a, sum))
            return adds_up_to_0(g, b, sum, depth - 1);
        return is_repeated(b, sum) && adds_up_to_0(g, a, sum, depth - 1);
    case OP_div:
        return is_repeated(b, sum) && adds_up_to_0(g, a, sum, depth - 1);
    }
    return false;
}

static bool is_size(const Node *n)
{
    while (node_repeats(n))
        n = n->arg[0];
    return n->op == OP_mul ? is_size(n->arg[0]) && is_size(n->arg[1])
                           : node_is_size(n);
}

/* A product with nothing, or its part for each of some. */
static bool is_of_nothing(const Node *n)
{
    if (n->op == OP_div)
        return node_is_const(n->arg[0], 0) && is_size(n->arg[1]);
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
