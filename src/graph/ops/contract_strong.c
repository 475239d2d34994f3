/* contract_strong.c: derivatives of products that meet what is infinite.
 *
 * Where an adjoint or tangent may be infinite a coefficient that is 0 leaves it
 * out. Looking at each term would cost more than the product, so that is done
 * where something is infinite or NaN, under a lazy `if`. */
#include "graph/ops/ops.h"

#include <math.h>

static bool is_summed(const Node *x, const int *l, int rank, const int *lout)
{
    for (int i = 0; i < x->rank; i++)
        if (find_label(l[i], rank, lout) < 0)
            return true;
    return false;
}

static Node *any_infinite(Graph *g, Node *x)
{
    Node *most = g_fill(g, x, INFINITY);
    Node *finite = g2(g, OP_lt, g1(g, OP_abs, x), most);
    return g_reduce_all(g, OP_any, g1(g, OP_not, finite));
}

/* d · b, which is as strong as any product where nothing is summed. */
static Node *strong_product(Graph *g, Node *d, const int *l, bool steep,
                            Node *b, const int *lb, int rank, const int *lout)
{
    Node *any = steep ? any_infinite(g, d) : NULL, *strong, *plain;
    if (!node_is_defined(b))
        any = g_join(g, OP_or, any, any_infinite(g, b));
    strong =
        any ? contract_each(g, OP_strong_mul, d, l, b, lb, rank, lout) : NULL;
    if (strong && !is_summed(d, l, rank, lout) && !is_summed(b, lb, rank, lout))
        return strong;
    plain = g_contract(g, d, l, b, lb, rank, lout);
    return strong ? g_if(g, any, strong, plain) : plain;
}

static const int in_order_of[] = {0, 1, 2,  3,  4,  5,  6,  7,
                                  8, 9, 10, 11, 12, 13, 14, 15};
_Static_assert(sizeof in_order_of / sizeof *in_order_of >= MAX_RANK, "labels");

void contract_vjp_strong(Graph *g, Node *n, Node *dy, bool steep, Node **dx)
{
    Node *a = n->arg[0], *b = n->arg[1];
    const int *la = n->attr.ints, *lb = la + a->rank, *l = in_order_of;
    dx[0] = strong_product(g, dy, l, steep, b, lb, a->rank, la);
    dx[1] = strong_product(g, dy, l, steep, a, la, b->rank, lb);
}

Node *contract_jvp_strong(Graph *g, Node *n, Node *const *dx, const bool *steep)
{
    Node *y[2] = {NULL, NULL};
    const int *l[2] = {n->attr.ints, n->attr.ints + n->arg[0]->rank};
    for (int k = 0; k < 2; k++)
        if (dx[k])
            y[k] = strong_product(g, dx[k], l[k], steep[k], n->arg[1 - k],
                                  l[1 - k], n->rank, in_order_of);
    return g_join(g, OP_add, y[0], y[1]);
}
