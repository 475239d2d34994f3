/* within.c: reads of x of which one is a part of another. */
#include "diff/structure.h"
#include "graph/op.h"
#include "graph/view.h"

/* v without its axes of one element, if what is left has the dimensions of n.
 */
static bool without_units(View *v, const Node *n)
{
    for (int j = v->rank - 1; j >= 0; j--)
        if (dim_is(v->size[j], 1))
            view_remove(v, j);
    if (v->rank != n->rank)
        return false;
    for (int j = 0; j < v->rank; j++)
        if (v->size[j] != n->dim[j])
            return false;
    return true;
}

/* The view that n is, of what; n itself where it is none. */
static const Node *viewed(Graph *g, const Node *n, View *v)
{
    const Node *x = n->op == OP_reshape ? n->arg[0] : n;

    if (x->op == OP_view) {
        *v = view_of(x);
        if (x == n || without_units(v, n))
            return x->arg[0];
    }
    *v = view_whole(g, n);
    return n;
}

/* The axis that alone moves along axis k; -1: none does, -2: several. */
static int mover(const View *v, int k)
{
    int found = -1;

    for (int j = 0; j < v->rank; j++)
        if (v->axis[j] == k)
            found = found == -1 ? j : -2;
    return found;
}

/* Along axis k, b goes from where a is `from` on, that is known, and not
 * further than a does. */
static bool goes_within(Graph *g, const View *b, int jb, const View *a, int ja,
                        int k, View *w)
{
    int64_t from, size, step = 1, count = 1;

    if (!dim_is(a->coef[ja], 1) || !dim_const_value(a->size[ja], &size) ||
        !dim_const_value(dim_sub(g, b->base[k], a->base[k]), &from) ||
        (jb >= 0 && (!dim_const_value(b->coef[jb], &step) ||
                     !dim_const_value(b->size[jb], &count))) ||
        step < 1 || from < 0 || from + step * (count - 1) >= size)
        return false;
    w->base[ja] = dim_const(g, from);
    if (jb >= 0)
        w->coef[jb] = dim_const(g, step);
    return true;
}

static bool axis_within(Graph *g, const View *b, const View *a, int k, View *w)
{
    int jb = mover(b, k), ja = mover(a, k);

    if (ja == -2 || jb == -2)
        return false;
    if (ja == -1)
        return jb == -1 && a->base[k] == b->base[k];
    w->base[ja] = dim_const(g, 0);
    if (jb < 0)
        return goes_within(g, b, jb, a, ja, k, w);
    w->axis[jb] = ja;
    w->coef[jb] = dim_const(g, 1);
    return (a->size[ja] == b->size[jb] && a->coef[ja] == b->coef[jb] &&
            a->base[k] == b->base[k]) ||
           goes_within(g, b, jb, a, ja, k, w);
}

static bool goes_in_order(const View *v)
{
    int last = -1;

    for (int j = 0; j < v->rank; j++) {
        if (v->axis[j] >= 0 && v->axis[j] <= last)
            return false;
        last = v->axis[j] >= 0 ? v->axis[j] : last;
    }
    return true;
}

bool read_within(Graph *g, const Read *b, const Read *a, View *w)
{
    View vb, va;

    if (viewed(g, b->value, &vb) != viewed(g, a->value, &va) ||
        b->value == a->value)
        return false;
    *w = vb;
    w->from = va.rank;
    for (int j = 0; j < va.rank; j++)
        if (va.axis[j] < 0)
            return false;
    for (int k = 0; k < va.from; k++)
        if (!axis_within(g, &vb, &va, k, w))
            return false;
    return goes_in_order(w);
}
