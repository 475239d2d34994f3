/* range.c: where an integer of indices can lie, and that an index is inside. */
#include "check/index.h"

/* Indices are counters with variables of their own. */
static bool counter(void *u, const Node *n, Unknown *to)
{
    Check *c = u;
    Index *x = index_of(c, n);

    if (!x)
        return false;
    if (!x->var)
        x->var = dim_var(c->graph, x->name);
    to->var = x->var;
    to->extent = x->extent;
    return true;
}

static Bound range_of(Check *c)
{
    Bound b = bound_of(c->graph);

    b.counter = counter;
    b.u = c;
    return b;
}

static const Dim *less(Check *c, const Dim *d, int64_t by)
{
    return dim_sub(c->graph, d, dim_const(c->graph, by));
}

/* Does some element lie outside for sure? */
static bool is_outside(Check *c, Bound *b, const Dim *p, const Dim *reach,
                       const Dim *d, const Dim **lo, const Dim **hi)
{
    bool least = true, most = true;

    if (c->branch > 0)
        return false;
    *lo = bound_end(b, p, false, &least);
    *hi = bound_end(b, p, true, &most);
    if (!*lo || !*hi || bind_is_int(c, *lo) || bind_is_int(c, *hi) ||
        bind_is_int(c, d))
        return false;
    *hi = dim_add(c->graph, *hi, less(c, reach, 1));
    return (least && bound_negative(b, *lo)) ||
           (most && bound_never_negative(b, dim_sub(c->graph, *hi, d)));
}

/* Does it depend on an index whose extent is yet to be found? */
static bool is_late(Check *c, const Bound *b)
{
    for (int i = 0; i < b->n; i++) {
        const Index *x = index_of(c, b->unknown[i].node);

        if (x && !x->extent && x->defining == c->defining)
            return true;
    }
    return false;
}

Inside range_inside(Check *c, Node *i, const Dim *reach, const Dim *d,
                    const Dim **lo, const Dim **hi)
{
    Bound b = range_of(c);
    const Index *x = index_of(c, i);
    const Dim *p;

    if (!c->index)
        return IN_maybe;
    if (x && x->extent == d && dim_is(reach, 1))
        return IN_surely;
    p = bound_form(&b, i, NULL);
    if (!p)
        return IN_maybe;
    if (bound_inside(&b, p, reach, d))
        return IN_surely;
    if (is_outside(c, &b, p, reach, d, lo, hi))
        return IN_never;
    return c->branch == 0 && is_late(c, &b) ? IN_late : IN_maybe;
}

bool range_reached(Check *c, const Dim *i, const Dim *d, const Dim **below,
                   const Dim **above)
{
    Graph *g = c->graph;
    Bound b = range_of(c);
    const Dim *one = dim_const(g, 1);

    for (const Index *x = c->index; x; x = x->up)
        bound_form(&b, x->param, NULL);
    return bound_inside(&b, i, one, d) &&
           bound_rooms(g, i, dim_add(g, i, one), d, below, above);
}

bool range_not_negative(Check *c, Node *i)
{
    Bound b = range_of(c);
    const Dim *p = bound_form(&b, i, NULL);

    return p && bound_never_negative(&b, p);
}

const Dim *range_most(Check *c, Node *i)
{
    Bound b = range_of(c);
    bool exact = true;
    const Dim *p = bound_form(&b, i, NULL);
    const Dim *most = p ? bound_end(&b, p, true, &exact) : NULL;
    int64_t least = most ? dim_ends(most, 0, NULL, NULL).lo : 0;

    return least < 0 && least > -MAX_FACTOR ? less(c, most, least) : most;
}

const Dim *range_difference(Check *c, Node *hi, Node *lo, const char **text)
{
    Bound b = range_of(c);
    const Dim *x = bound_form(&b, hi, NULL), *y = bound_form(&b, lo, NULL), *d;

    *text = "?";
    d = x && y ? dim_sub(c->graph, x, y) : NULL;
    if (!d || dim_too_large(d))
        return NULL;
    *text = dim_text(c->graph, d);
    return bound_last(&b, d) < 0 ? d : NULL;
}

/* Where i is q x + rest, its rest at x = 0 is inside: so x is less than d, or
 * than d less what the rest is at least. */
const Dim *range_extent(Check *c, const Index *x, Node *i, const Dim *d)
{
    Bound b = range_of(c);
    const Dim *p = bound_form(&b, i, NULL), *q, *rest, *lo;
    bool exact = true;
    int64_t v;

    if (!p || !x->var || !dim_linear_in(c->graph, p, x->var, &q, &rest) ||
        !dim_const_value(q, &v) || v < 1)
        return NULL;
    for (int k = 0; k < b.n; k++)
        if (dim_uses(rest, b.unknown[k].var) &&
            index_depends(c, b.unknown[k].node, x->since))
            return NULL;
    lo = bound_end(&b, rest, false, &exact);
    return lo && dim_const_value(lo, &v) && v > 0 ? less(c, d, v) : d;
}
