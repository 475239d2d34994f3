/* divide.c: a/b without a division, where a is a sum of products that all have
 * the factor b.
 *
 * The derivative of (1 + d) exp(-d) by d is e - (1 + d) e, which is -d e: where
 * d is a norm, whose partials divide by it, nothing is infinite. */
#include "graph/product.h"

enum { MAX_EXPANSIONS = 8 };

/* Does p have all that divides it: what is left is in no power below 0. */
static bool divides(const Whole *w, const Product *by, const Product *p)
{
    for (int i = 0; i < by->n; i++) {
        bool found = false;
        for (int k = 0; k < p->n && !found; k++)
            found = same_factor(w, &by->f[i], &p->f[k]) &&
                    p->f[k].e + by->f[i].e >= 0;
        if (!found)
            return false;
    }
    return true;
}

/* w's node, a sum of products as far as sums can be multiplied out. */
static bool expanded(Whole *w, Sum *s)
{
    Sum more;
    if (!sum_read(w, s))
        return false;
    for (int k = 0; k < MAX_EXPANSIONS && sum_expand(w, s, &more); k++)
        *s = more;
    return true;
}

Node *node_divided(Graph *g, Node *a, Node *b)
{
    static const Uses none;
    Whole w = {.g = g, .uses = &none, .n = a, .deep = true, .guarded = true};
    Whole under = w;
    Product by;
    Sum s;
    under.n = b;
    w.atom = b->op == OP_sqrt ? b->arg[0] : b;
    product_start(&by, 1);
    if (!product_read_whole(&under, &by, -1) || !expanded(&w, &s))
        return NULL;
    for (int i = 0; i < s.n; i++)
        if (!divides(&w, &by, &s.t[i]) || !product_multiply(&w, &s.t[i], &by))
            return NULL;
    return whole_of(&w, sum_write(&w, &s));
}
