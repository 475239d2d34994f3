/* bound.c: integers as polynomials, and their ends. */
#include "graph/bound_internal.h"
#include "graph/ops/ops.h"

#include <string.h>

enum {
    MAX_STEPS = 400, /* of one proof */
    MAX_TERMS = 64,  /* nodes looked at */
    MAX_CASES = 16,
    MAX_PRODUCTS = 3, /* each factor within MAX_FACTOR: nothing overflows */
};

static void renew(Bound *b)
{
    b->terms = MAX_TERMS;
    b->steps = MAX_STEPS;
}

Bound bound_of(Graph *g)
{
    Bound b = {.g = g, .products = MAX_PRODUCTS};
    renew(&b);
    return b;
}

const Dim *bound_less(Bound *b, const Dim *d, int64_t by)
{
    return dim_sub(b->g, d, dim_const(b->g, by));
}

const Dim *bound_minus(Bound *b, const Dim *d)
{
    return dim_sub(b->g, dim_const(b->g, 0), d);
}

/* Integers as polynomials. */

const Dim *bound_counter(Bound *b, const Dim *extent)
{
    Unknown *x = &b->unknown[b->n];
    *x = (Unknown){.var = dim_unknown(b->g, b->n)};
    x->extent = dim_clamps(extent); /* for it has a value */
    x->counter = true;
    b->n++;
    return x->var;
}

void bound_places(Bound *b, const Node *n, const Dim **place)
{
    for (int i = 0; i < n->rank; i++)
        place[i] = bound_counter(b, n->dim[i]);
}

static bool is_at(const Unknown *x, const Node *n, const Dim *const *place)
{
    for (int i = 0; x->node == n && i < n->rank; i++)
        if (x->place[i] != place[i])
            return false;
    return x->node == n;
}

static const Dim *unknown(Bound *b, const Node *n, const Dim *const *place)
{
    Unknown x = {.node = n};
    for (int i = 0; i < b->n; i++)
        if (is_at(&b->unknown[i], n, place))
            return b->unknown[i].var;
    if (b->n == MAX_UNKNOWNS)
        return NULL;
    x.counter = b->counter && b->counter(b->u, n, &x);
    if (!x.counter)
        x.var = dim_unknown(b->g, b->n);
    if (x.extent)
        x.extent = dim_clamps(x.extent);
    for (int i = 0; i < n->rank; i++)
        x.place[i] = place[i];
    b->unknown[b->n++] = x;
    return x.var;
}

/* Where in its argument an element of a view is; false: n is no view that can
 * be seen through. */
static bool view_place(Bound *b, const Node *n, const Dim **at)
{
    const Dim *to[MAX_RANK];
    View v;
    if (n->op != OP_view)
        return false;
    v = view_of(n);
    memcpy(to, v.base, sizeof *to * (size_t)v.from);
    for (int j = 0; j < v.rank; j++)
        if (v.axis[j] >= 0)
            to[v.axis[j]] =
                dim_add(b->g, to[v.axis[j]], dim_mul(b->g, at[j], v.coef[j]));
    memcpy(at, to, sizeof *at * (size_t)v.from);
    return true;
}

const Node *bound_seen(Bound *b, const Node *n, const Dim **at)
{
    while (view_place(b, n, at))
        n = n->arg[0];
    return n;
}

bool bound_is_small(const Dim *d)
{
    int64_t v;
    return !dim_const_value(d, &v) || (v >= -MAX_FACTOR && v <= MAX_FACTOR);
}

static const Dim *arithmetic(Bound *b, const Node *n, const Dim *const *place)
{
    const Dim *x = bound_read(b, n->arg[0], place);
    const Dim *y = n->narg > 1 ? bound_read(b, n->arg[1], place) : x;
    if (!x || !y)
        return NULL;
    if (n->op == OP_add)
        return dim_add(b->g, x, y);
    if (n->op == OP_sub)
        return dim_sub(b->g, x, y);
    if (n->op == OP_neg)
        return bound_minus(b, x);
    if (!bound_is_small(x) || !bound_is_small(y) || b->products-- <= 0)
        return NULL;
    return dim_mul(b->g, x, y);
}

static bool keeps_value(const Node *n)
{
    return n->op == OP_cast && dtype_is_int(n->arg[0]->dtype) &&
           dtype_size(n->dtype) >= dtype_size(n->arg[0]->dtype);
}

/* What is the same step from each place to the next, however it is laid out. */
static const Dim *in_steps(Bound *b, const Node *n, const Dim *const *place)
{
    Affine a;
    if (!affine_within(b->g, n, &b->terms, &a))
        return NULL;
    for (int i = 0; i < n->rank; i++)
        a.base = dim_add(b->g, a.base, dim_mul(b->g, a.coef[i], place[i]));
    return a.base;
}

/* See batch.c: a mask, the floor that an index is held above, its check. */
static const Dim *form_unmasked(Bound *b, const Node *n,
                                const Dim *const *place)
{
    const Dim *p;
    if (index_is_masked(n)) {
        if (b->nasked == MAX_KNOWN)
            return NULL;
        Asked *a = &b->asked[b->nasked++];
        a->cond = n->arg[0];
        for (int i = 0; i < n->rank; i++)
            a->place[i] = place[i];
        return bound_read(b, n->arg[1], place);
    }
    for (int k = 0; k < 2 && n->op == OP_max; k++)
        if (node_is_const(n->arg[k], least_asked(n->dtype)))
            return bound_read(b, n->arg[1 - k], place);
    if (n->op != OP_index_check || n->attr.integer == NUMBER_CHECK ||
        b->npart == MAX_KNOWN)
        return NULL;
    p = bound_read(b, n->arg[0], place);
    if (p)
        b->part[b->npart++] = (Checked){p, n->attr.dims[0]};
    return p;
}

const Dim *bound_read(Bound *b, const Node *n, const Dim *const *place)
{
    const Dim *d = node_as_dim(b->g, n), *p = NULL, *at[MAX_RANK];
    int64_t v;
    if (d && (!dim_const_value(d, &v) || (v > INT32_MIN && v < INT32_MAX)))
        return d;
    if (d || b->terms-- <= 0)
        return NULL;
    for (int i = 0; i < n->rank; i++)
        at[i] = place[i];
    if (view_place(b, n, at))
        return bound_read(b, n->arg[0], at);
    if (keeps_value(n))
        return bound_read(b, n->arg[0], place);
    if (n->op == OP_iota)
        return place[0];
    if (n->op == OP_reshape || n->op == OP_data)
        p = in_steps(b, n, place);
    if (n->dtype != DT_u8 && (n->op == OP_add || n->op == OP_sub ||
                              n->op == OP_neg || n->op == OP_mul))
        p = arithmetic(b, n, place);
    if (!p && b->unmask)
        p = form_unmasked(b, n, place);
    return p ? p : unknown(b, n, place);
}

const Dim *bound_form(Bound *b, const Node *n, const Dim *const *place)
{
    const Dim *p = bound_read(b, n, place);
    return p && !dim_too_large(p) ? p : NULL;
}

int bound_last(const Bound *b, const Dim *p)
{
    int k = b->n - 1;
    while (k >= 0 && !dim_uses(p, b->unknown[k].var))
        k--;
    return k;
}

static void start(Bound *b)
{
    b->steps = MAX_STEPS;
    b->cases = MAX_CASES;
}

bool bound_never_negative(Bound *b, const Dim *p)
{
    start(b);
    return bound_prove_by_cases(b, p);
}

bool bound_negative(Bound *b, const Dim *p)
{
    return bound_never_negative(b, bound_less(b, bound_minus(b, p), 1));
}

bool bound_inside(Bound *b, const Dim *p, const Dim *reach, const Dim *d)
{
    start(b);
    return bound_prove_by_cases(b, p) &&
           bound_prove_by_cases(b, dim_sub(b->g, d, dim_add(b->g, p, reach)));
}

bool bound_all_inside(Graph *g, const Node *n, const Dim *d)
{
    Bound b = bound_of(g);
    const Dim *place[MAX_RANK], *p;
    bound_places(&b, n, place);
    p = bound_form(&b, n, place);
    return p && bound_inside(&b, p, dim_const(g, 1), d);
}

void bound_assume(Bound *b, const Node *cond, const Dim *const *place)
{
    renew(b);
    bound_learn(b, cond, place, true);
    renew(b);
}

bool bound_asked(Bound *b)
{
    const Dim *one = dim_const(b->g, 1);
    bool inside = true;
    b->unmask = false;
    for (int i = 0; i < b->nasked; i++)
        bound_assume(b, b->asked[i].cond, b->asked[i].place);
    for (int i = 0; i < b->npart && inside; i++)
        inside = bound_inside(b, b->part[i].p, one, b->part[i].d);
    return inside;
}

/* Ends. */

static const Dim *end(Bound *b, const Dim *p, bool most, bool *exact);

static const Dim *end_of_choice(Bound *b, const Unknown *c, bool most)
{
    const Dim *x, *y;
    bool exact = true, cond = bound_choices(b, c, &x, &y);
    bool either = !cond && (c->node->op == OP_min) == most;
    x = x ? end(b, x, most, &exact) : NULL;
    y = y ? end(b, y, most, &exact) : NULL;
    if (!x || !y)
        return !either ? NULL : x ? x : y;
    if (bound_positive(b, dim_sub(b->g, x, y)))
        return most != either ? x : y;
    if (bound_positive(b, dim_sub(b->g, y, x)))
        return most != either ? y : x;
    return either ? x : NULL;
}

static const Dim *end_of(Bound *b, Unknown x, bool most, bool *exact)
{
    const Dim *lo, *hi, *m;
    *exact = *exact && x.counter;
    if (x.node && x.node->op == OP_div) {
        lo = bound_read(b, x.node->arg[0], x.place);
        m = lo ? bound_divisor(b, x.node->arg[1]) : NULL;
        hi = m ? end(b, lo, most, exact) : NULL;
        return hi ? dim_div(b->g, hi, m) : NULL;
    }
    if (x.node && bound_is_choice(x.node))
        return end_of_choice(b, &x, most);
    if (!bound_ends_of(b, &x, &lo, &hi))
        return NULL;
    return most ? hi : lo;
}

static const Dim *end(Bound *b, const Dim *p, bool most, bool *exact)
{
    int k = bound_last(b, p);
    const Dim *q, *rest, *to;
    if (k < 0)
        return p;
    if (b->steps-- <= 0 ||
        !dim_linear_in(b->g, p, b->unknown[k].var, &q, &rest))
        return NULL;
    bool up = bound_prove(b, q);
    if (!up && !bound_prove(b, bound_minus(b, q)))
        return NULL;
    to = end_of(b, b->unknown[k], most == up, exact);
    if (!to)
        return NULL;
    return end(b, dim_add(b->g, dim_mul(b->g, q, to), rest), most, exact);
}

const Dim *bound_end(Bound *b, const Dim *p, bool most, bool *exact)
{
    start(b);
    const Dim *to = end(b, p, most, exact);
    return to && !dim_too_large(to) ? to : NULL;
}

/* A dimension that is at least p, and never negative, whatever is empty; NULL:
 * there is none, or it is large without need. */
static const Dim *room(Graph *g, const Dim *p)
{
    Ends e = dim_ends(p, 0, NULL, NULL);
    if (e.hi <= 0)
        return dim_const(g, 0);
    if (e.hi < INT64_MAX)
        return e.hi <= MAX_FACTOR ? dim_const(g, e.hi) : NULL;
    if (e.lo >= 0)
        return p;
    return e.lo >= -MAX_FACTOR ? dim_sub(g, p, dim_const(g, e.lo)) : NULL;
}

bool bound_rooms(Graph *g, const Dim *lo, const Dim *hi, const Dim *d,
                 const Dim **below, const Dim **above)
{
    *below = room(g, dim_sub(g, dim_const(g, 0), lo));
    *above = room(g, dim_sub(g, hi, d));
    if (!*above)
        *above = room(g, hi);
    return *below && *above;
}
