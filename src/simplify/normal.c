/* normal.c: which form of a product or sum takes the least work. */

#include "simplify/normal.h"

/* The better of a form and best, in the shape of the whole. What is there
 * anyway takes nothing. */
static void offer(const Whole *w, Part p, Node **best, double *least)
{
    Node *n = whole_of(w, p);
    double cost;

    if (!n || n == *best)
        return;
    cost = uses_of(w->uses, n) > 0 ? 0 : work_of(w, n);
    if (cost < *least || (w->canonical && *best == w->n && cost == *least)) {
        *best = n;
        *least = cost;
    }
}

/* The forms that a reading can be written in. */
static void offer_forms(Whole *w, Node **best, double *least)
{
    Sum s, more;

    if (!sum_read(w, &s))
        return;
    offer(w, sum_write(w, &s), best, least);
    offer(w, sum_write_factored(w, &s), best, least);
    if (!sum_expand(w, &s, &more))
        return;
    offer(w, sum_write(w, &more), best, least);
    offer(w, sum_write_factored(w, &more), best, least);
}

Node *normal_form(Graph *g, const Uses *uses, bool canonical, Node *n)
{
    Whole w = {.g = g, .uses = uses, .n = n, .canonical = canonical};
    Node *best = n;
    double least;

    w.deep = canonical;
    if (!is_arithmetic(n) || node_is_any_const(n) || node_repeats(n))
        return NULL;
    least = work_of(&w, n);
    offer_forms(&w, &best, &least);
    if (w.stopped) {
        w.deep = true;
        offer_forms(&w, &best, &least);
    }
    return best == n ? NULL : best;
}
