/* quotient.c: a quotient that is there anyway is multiplied, not made again. */
#include "simplify/internal.h"

Node *reuse_quotient(Graph *g, const Uses *uses, const Node *n)
{
    const Node *above = n->op == OP_div ? n->arg[0] : n;

    if (above->op != OP_mul || above == n || !dtype_is_real(n->dtype))
        return NULL;
    for (int i = 0; i < 2; i++) {
        Node *q = g2(g, OP_div, above->arg[i], n->arg[1]), *to;

        if (q->op != OP_div || uses_of(uses, q) == 0)
            continue;
        to = g2(g, OP_mul, q, above->arg[1 - i]);
        return to == n ? NULL : to;
    }
    return NULL;
}
