/* far.c: infinite adjoints meet what is linear.
 *
 * A system of equations or a transform takes sums of differences of all
 * elements, and of infinities these are no numbers. But one that is infinite
 * is a limit of ever larger ones: what is in proportion to them is infinite, of
 * what they have no part in the finite ones tell. */

#include "diff/sweep.h"

#include "graph/op.h"

#include <math.h>

static Node *is_infinite(Graph *g, Node *x)
{
    Node *right = g_fill(g, x, INFINITY);

    return g2(g, OP_eq, g1(g, OP_abs, x), right);
}

/* Of n values the finite ones, and which way the others are from 0. */
static Node *split(Graph *g, int n, Node *const *in, Node **near, Node **way)
{
    Node *any = NULL;

    for (int i = 0; i < n; i++) {
        Node *far = is_infinite(g, in[i]), *zero = g_fill(g, in[i], 0);

        near[i] = g_where(g, far, zero, in[i]);
        way[i] = g_where(g, far, g1(g, OP_sign, in[i]), zero);
        if (in[i]->rank)
            far = g_reduce_all(g, OP_any, far);
        any = g_join(g, OP_or, any, far);
    }
    return any;
}

static Node *joined(Graph *g, Node *near, Node *way)
{
    Node *none = g2(g, OP_eq, way, g_fill(g, way, 0));

    return g_where(g, none, near, g2(g, OP_mul, way, g_fill(g, way, INFINITY)));
}

void far_linear(Graph *g, Arena *scratch, Linear *f, void *of, int n,
                Node *const *in, int nout, Node **out)
{
    Node **near = NEWN(scratch, Node *, n), **way = NEWN(scratch, Node *, n);
    Node **by_near = NEWN(scratch, Node *, nout);
    Node **by_way = NEWN(scratch, Node *, nout);
    Node *any = split(g, n, in, near, way);

    f(g, of, in, out);
    if (!any)
        return;
    f(g, of, near, by_near);
    f(g, of, way, by_way);
    for (int i = 0; i < nout; i++)
        if (out[i])
            out[i] = g_if(g, any, joined(g, by_near[i], by_way[i]), out[i]);
}
