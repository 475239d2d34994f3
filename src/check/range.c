/* range.c: where an integer of binders can lie, and that an index is inside.
 *
 * An integer scalar is written as a polynomial of dimensions and of unknowns:
 * binders (0 … extent-1), quotients, remainders, minima. To prove p >= 0 the
 * unknowns are replaced one by one by whichever of their ends makes p least;
 * what is left is a polynomial of dimensions. In the branch of a condition that
 * is polynomials b >= 0 themselves, p - m b >= 0 with m >= 0 is enough. */
#include "check/check_internal.h"

#include <math.h>
#include <string.h>

enum {
    MAX_UNKNOWNS = 16,
    MAX_QUOTIENTS = 8,
    MAX_STEPS = 400,      /* of one proof */
    MAX_TERMS = 64,       /* nodes looked at */
    MAX_BOUNDS = 8,       /* known from the branches around */
    MAX_FACTS = 32,       /* branches looked at */
    MAX_PRODUCTS = 3,     /* each factor within */
    MAX_FACTOR = 1 << 16, /* this, so that nothing overflows */
    FEW = 64              /* places of a window */
};

typedef struct Unknown {
    Node *node;
    const Dim *var;
} Unknown;

/* A quotient in a dimension, num / den rounded down. */
typedef struct Quotient {
    const Dim *var, *num, *den;
} Quotient;

/* A polynomial that is at least 0 wherever the facts around hold. */
typedef struct Bound {
    const Dim *least0;
    bool used; /* in the proof under way */
} Bound;

typedef struct Range {
    Check *c;
    Bound bound[MAX_BOUNDS];
    int nbound;
    Unknown unknown[MAX_UNKNOWNS];
    int n;
    Quotient quotient[MAX_QUOTIENTS];
    int nquotient;
    int terms, products, steps;
} Range;

static Range range_of(Check *c)
{
    return (Range){.c = c,
                   .terms = MAX_TERMS,
                   .products = MAX_PRODUCTS,
                   .steps = MAX_STEPS};
}

Index *index_of(Check *c, const Node *n)
{
    for (Index *x = c->index; x; x = x->up)
        if (x->param == n)
            return x;
    return NULL;
}

/* The variable that stands for an unknown; binders have one of their own. */
static const Dim *variable(Check *c, const Node *n, int k)
{
    Index *x = index_of(c, n);
    const Dim **var = x ? &x->var : &c->unknown[k];

    if (!*var)
        *var = dim_var(c->graph, x ? x->name : "…");
    return *var;
}

static const Dim *unknown(Range *r, Node *n)
{
    for (int i = 0; i < r->n; i++)
        if (r->unknown[i].node == n)
            return r->unknown[i].var;
    if (r->n == MAX_UNKNOWNS)
        return NULL;
    r->unknown[r->n] = (Unknown){n, variable(r->c, n, r->n)};
    return r->unknown[r->n++].var;
}

static bool is_small(const Dim *d)
{
    int64_t v;

    return !dim_const_value(d, &v) || (v >= -MAX_FACTOR && v <= MAX_FACTOR);
}

static const Dim *symbol(Range *r, Node *n);

static const Dim *arithmetic(Range *r, Node *n)
{
    Graph *g = r->c->graph;
    const Dim *a = symbol(r, n->arg[0]);
    const Dim *b = n->narg > 1 ? symbol(r, n->arg[1]) : a;

    if (!a || !b)
        return NULL;
    if (n->op == OP_add)
        return dim_add(g, a, b);
    if (n->op == OP_sub)
        return dim_sub(g, a, b);
    if (n->op == OP_neg)
        return dim_sub(g, dim_const(g, 0), a);
    if (!is_small(a) || !is_small(b) || r->products-- <= 0)
        return NULL;
    return dim_mul(g, a, b);
}

/* NULL: too much to look at. */
static const Dim *symbol(Range *r, Node *n)
{
    const Dim *d = node_as_dim(r->c->graph, n), *p = NULL;
    int64_t v;

    if (d && (!dim_const_value(d, &v) || (v > INT32_MIN && v < INT32_MAX)))
        return d;
    if (d || r->terms-- <= 0)
        return NULL;
    if (n->op == OP_cast && dtype_is_int(n->arg[0]->dtype) &&
        n->dtype != DT_u8 &&
        dtype_size(n->dtype) >= dtype_size(n->arg[0]->dtype))
        return symbol(r, n->arg[0]);
    if (n->op == OP_add || n->op == OP_sub || n->op == OP_neg ||
        n->op == OP_mul)
        p = arithmetic(r, n);
    return p ? p : unknown(r, n);
}

/* What is known because the body is evaluated at all: an index that it
 * depends on has an extent of at least 1. */

static void *last_variable(void *u, const Dim *var)
{
    *(const Dim **)u = var;
    return u;
}

static void *no_constant(void *u, int64_t v)
{
    (void)v;
    return u;
}

static void *no_operator(void *u, void *a, void *b)
{
    (void)a;
    (void)b;
    return u;
}

/* p where the variable of an extent v + const is v + its least value. */
static const Dim *not_empty(Check *c, const Dim *p, const Dim *extent)
{
    const Dim *var = NULL, *q, *rest;
    const DimVisitor visit = {&var,        no_constant, last_variable,
                              no_operator, no_operator, no_operator,
                              no_operator};
    int64_t v;

    dim_visit(extent, &visit);
    if (!var || !dim_linear_in(c->graph, extent, var, &q, &rest) ||
        !dim_is(q, 1) || !dim_const_value(rest, &v) || v >= 1 ||
        v < -MAX_FACTOR)
        return p;
    q = dim_add(c->graph, var, dim_const(c->graph, 1 - v));
    return dim_subst(c->graph, p, 1, &var, &q);
}

static const Dim *less(Check *c, const Dim *d, int64_t by)
{
    return dim_sub(c->graph, d, dim_const(c->graph, by));
}

/* Dimensions with a variable for each quotient. */

static void *open_constant(void *u, int64_t v)
{
    return (void *)(uintptr_t)dim_const(((Range *)u)->c->graph, v);
}

static void *open_variable(void *u, const Dim *var)
{
    (void)u;
    return (void *)(uintptr_t)var;
}

static void *open_add(void *u, void *a, void *b)
{
    return (void *)(uintptr_t)dim_add(((Range *)u)->c->graph, a, b);
}

static void *open_mul(void *u, void *a, void *b)
{
    return (void *)(uintptr_t)dim_mul(((Range *)u)->c->graph, a, b);
}

static void *open_div(void *u, void *num, void *den)
{
    Range *r = u;
    Check *c = r->c;
    Quotient *q = r->quotient;
    int k = 0;

    while (k < r->nquotient && (q[k].num != num || q[k].den != den))
        k++;
    if (k == MAX_QUOTIENTS)
        return (void *)(uintptr_t)dim_div(c->graph, num, den);
    if (!c->quotient[k])
        c->quotient[k] = dim_var(c->graph, "…");
    if (k == r->nquotient)
        q[r->nquotient++] = (Quotient){c->quotient[k], num, den};
    return (void *)(uintptr_t)q[k].var;
}

static void *open_mod(void *u, void *num, void *den)
{
    Graph *g = ((Range *)u)->c->graph;

    return (void *)(uintptr_t)dim_sub(g, num,
                                      dim_mul(g, den, open_div(u, num, den)));
}

/* q u + rest >= 0 for u = floor(num / den), den > 0: den times that, with num
 * for den u where q < 0 and num - den + 1 where q >= 0; more than -den is
 * enough. */
static const Dim *without_quotient(Range *r, const Dim *q, const Dim *num,
                                   const Dim *den, const Dim *rest, bool up)
{
    Graph *g = r->c->graph;
    const Dim *slack = less(r->c, den, 1);

    if (up)
        num = dim_sub(g, num, slack);
    rest = dim_add(g, dim_mul(g, den, rest), slack);
    return dim_add(g, dim_mul(g, q, num), rest);
}

/* Dimensions alone: at least 0 for all values of their variables? */
static bool least_is_positive(Range *r, const Dim *p)
{
    Graph *g = r->c->graph;
    int k = r->nquotient - 1;
    const Dim *q, *rest;
    bool up;

    if (dim_least(r->c, p) >= 0)
        return true;
    while (k >= 0 && !dim_uses(p, r->quotient[k].var))
        k--;
    if (k < 0 || r->steps-- <= 0 ||
        !dim_linear_in(g, p, r->quotient[k].var, &q, &rest) ||
        dim_least(r->c, r->quotient[k].den) < 1)
        return false;
    up = least_is_positive(r, q);
    if (!up && !least_is_positive(r, dim_sub(g, dim_const(g, 0), q)))
        return false;
    return least_is_positive(r, without_quotient(r, q, r->quotient[k].num,
                                                 r->quotient[k].den, rest, up));
}

static bool is_never_negative(Range *r, const Dim *p)
{
    const DimVisitor open = {r,        open_constant, open_variable, open_add,
                             open_mul, open_div,      open_mod};

    if (dim_least(r->c, p) >= 0)
        return true;
    r->nquotient = 0;
    p = dim_visit(p, &open);
    return r->nquotient > 0 && least_is_positive(r, p);
}

static bool never_negative(Range *r, const Dim *p)
{
    if (is_never_negative(r, p))
        return true;
    for (int i = 0; i < r->n; i++) {
        const Index *x = index_of(r->c, r->unknown[i].node);
        const Dim *q = x && x->extent ? not_empty(r->c, p, x->extent) : p;

        if (q != p && is_never_negative(r, q))
            return true;
    }
    return false;
}

/* Has an index that matters an extent of d times something? */
static bool divides_extent(Range *r, const Dim *d)
{
    Graph *g = r->c->graph;

    if (dim_is(d, 0) || dim_least(r->c, d) < 0)
        return false;
    for (int i = 0; i < r->n; i++) {
        const Index *x = index_of(r->c, r->unknown[i].node);

        if (x && x->extent &&
            dim_mul(g, dim_div(g, x->extent, d), d) == x->extent)
            return true;
    }
    return false;
}

/* The constant or dimension that n is, at least 1 wherever it matters. */
static const Dim *positive(Range *r, const Node *n)
{
    const Dim *d = node_as_dim(r->c->graph, n);

    return d && (never_negative(r, less(r->c, d, 1)) || divides_extent(r, d))
               ? d
               : NULL;
}

static int last_unknown(const Range *r, const Dim *p)
{
    int k = r->n - 1;

    while (k >= 0 && !dim_uses(p, r->unknown[k].var))
        k--;
    return k;
}

/* The ends of an unknown that lies between dimensions. */
static bool ends_of(Range *r, Node *n, const Dim **lo, const Dim **hi)
{
    Check *c = r->c;
    Index *x = index_of(c, n);
    const Dim *m = NULL;

    *lo = dim_const(c->graph, 0);
    if (!x && n->narg > 0)
        symbol(r, n->arg[0]); /* which indices it depends on */
    if (x) {
        x->wanted = x->wanted || (!x->extent && x->defining == c->defining);
        m = x->extent;
    } else if (n->op == OP_mod) {
        m = positive(r, n->arg[1]);
    } else if (n->op == OP_index_check) {
        m = never_negative(r, less(c, n->attr.dims[0], 1)) ? n->attr.dims[0]
                                                           : NULL;
    } else if (n->op == OP_cast && n->arg[0]->dtype == DT_u8) {
        m = dim_const(c->graph, 256);
    } else if (n->op == OP_cast && n->arg[0]->dtype == DT_bool) {
        m = dim_const(c->graph, 2);
    }
    if (m)
        *hi = less(c, m, 1);
    return m != NULL;
}

static bool prove(Range *r, const Dim *p);

/* p with a value for unknown k. */
static bool prove_at(Range *r, const Dim *p, int k, const Dim *value)
{
    return value &&
           prove(r, dim_subst(r->c->graph, p, 1, &r->unknown[k].var, &value));
}

static bool prove_quotient(Range *r, Node *n, const Dim *q, const Dim *rest,
                           bool up)
{
    const Dim *a = symbol(r, n->arg[0]), *m = positive(r, n->arg[1]);

    return m && a && prove(r, without_quotient(r, q, a, m, rest, up));
}

/* One of two values: both must do, unless the right end is one of them. */
static bool prove_choice(Range *r, const Dim *p, int k, bool up)
{
    Node *n = r->unknown[k].node;
    bool choose = n->op == OP_where || n->op == OP_if;
    const Dim *a = symbol(r, n->arg[choose ? 1 : 0]);
    const Dim *b = symbol(r, n->arg[choose ? 2 : 1]);

    if (!choose && (n->op == OP_min) != up)
        return prove_at(r, p, k, a) || prove_at(r, p, k, b);
    return prove_at(r, p, k, a) && prove_at(r, p, k, b);
}

static bool prove_without(Range *r, const Dim *p, int k)
{
    Graph *g = r->c->graph;
    Node *n = r->unknown[k].node;
    const Dim *q, *rest, *lo, *hi;
    bool up;

    if (!dim_linear_in(g, p, r->unknown[k].var, &q, &rest))
        return false;
    up = prove(r, q);
    if (!up && !prove(r, dim_sub(g, dim_const(g, 0), q)))
        return false;
    if (n->op == OP_div)
        return prove_quotient(r, n, q, rest, up);
    if (n->op == OP_min || n->op == OP_max || n->op == OP_where ||
        n->op == OP_if)
        return prove_choice(r, p, k, up);
    return ends_of(r, n, &lo, &hi) && prove_at(r, p, k, up ? lo : hi);
}

/* The multiple m >= 0 of a bound that takes an unknown out of p, in which it
 * has the coefficients `in` and q. */
static const Dim *multiple(Range *r, const Dim *q, const Dim *in)
{
    Graph *g = r->c->graph;
    const Dim *m;
    int64_t a, b;

    if (!dim_const_value(in, &b) || b == 0)
        return NULL;
    if (b == 1 || b == -1)
        m = dim_mul(g, q, in);
    else if (dim_const_value(q, &a) && a % b == 0)
        m = dim_const(g, a / b);
    else
        return NULL;
    return is_small(m) && prove(r, m) ? m : NULL;
}

/* p = m b + rest with a bound b >= 0: rest >= 0 is enough. */
static bool prove_by_bound(Range *r, const Dim *p, int k)
{
    Graph *g = r->c->graph;
    const Dim *var = r->unknown[k].var, *q, *in, *rest;

    for (int i = 0; i < r->nbound; i++) {
        Bound *b = &r->bound[i];
        const Dim *m = NULL;
        bool good;

        if (b->used || !dim_linear_in(g, p, var, &q, &rest) ||
            !dim_linear_in(g, b->least0, var, &in, &rest))
            continue;
        b->used = true;
        m = multiple(r, q, in);
        good = m && prove(r, dim_sub(g, p, dim_mul(g, m, b->least0)));
        b->used = false;
        if (good)
            return true;
    }
    return false;
}

/* Is p >= 0 wherever the body is evaluated, and the bounds hold? */
static bool prove(Range *r, const Dim *p)
{
    int k = last_unknown(r, p);

    if (r->steps-- <= 0)
        return false;
    if (k < 0)
        return never_negative(r, p);
    return prove_by_bound(r, p, k) || prove_without(r, p, k);
}

/* What the branches around are taken for. */

void range_assume(Check *c, Node *cond, bool when)
{
    Fact *f = NEW(c->arena, Fact);

    *f = (Fact){c->fact, cond, when};
    c->fact = f;
}

void range_forget(Check *c) { c->fact = c->fact->up; }

static void add_bound(Range *r, const Dim *least0)
{
    if (r->nbound < MAX_BOUNDS)
        r->bound[r->nbound++].least0 = least0;
}

/* a != b is a < b or a > b where the other cannot be. */
static void learn_different(Range *r, const Dim *less_or_more)
{
    const Dim *other =
        dim_sub(r->c->graph, dim_const(r->c->graph, 0), less_or_more);

    if (prove(r, less_or_more))
        add_bound(r, less(r->c, less_or_more, 1));
    else if (prove(r, other))
        add_bound(r, less(r->c, other, 1));
}

static void learn_order(Range *r, const Node *n, bool when)
{
    Graph *g = r->c->graph;
    const Dim *a, *b;
    bool same = (n->op == OP_eq) == when;

    r->terms = MAX_TERMS;
    r->steps = MAX_STEPS;
    if (!dtype_is_int(n->arg[0]->dtype) || n->arg[0]->dtype == DT_u8)
        return;
    a = symbol(r, n->arg[0]);
    b = a ? symbol(r, n->arg[1]) : NULL;
    if (!b)
        return;
    if (n->op == OP_lt || n->op == OP_le) {
        a = when ? dim_sub(g, b, a) : dim_sub(g, a, b);
        add_bound(r, (n->op == OP_lt) == when ? less(r->c, a, 1) : a);
    } else if (same) {
        add_bound(r, dim_sub(g, a, b));
        add_bound(r, dim_sub(g, b, a));
    } else {
        learn_different(r, dim_sub(g, a, b));
    }
}

/* Conditions yet to be looked at. */
typedef struct Facts {
    int n;
    struct {
        const Node *cond;
        bool when;
    } at[MAX_FACTS];
} Facts;

static void add_fact(Facts *f, const Node *cond, bool when)
{
    if (f->n == MAX_FACTS)
        return;
    f->at[f->n].cond = cond;
    f->at[f->n++].when = when;
}

/* Is n the bool `value`? */
static bool is_bool(const Node *n, bool value)
{
    return node_is_const(n, value);
}

/* cond is `when`: what follows. */
static void learn(Range *r, Facts *f, const Node *cond, bool when)
{
    bool choose = cond->op == OP_if || cond->op == OP_where;

    if (cond->rank > 0)
        return;
    if (cond->op == OP_not)
        add_fact(f, cond->arg[0], !when);
    if (cond->op == (when ? OP_and : OP_or)) {
        add_fact(f, cond->arg[0], when);
        add_fact(f, cond->arg[1], when);
    }
    if (choose && is_bool(cond->arg[when ? 2 : 1], !when)) {
        add_fact(f, cond->arg[0], when);
        add_fact(f, cond->arg[when ? 1 : 2], when);
    }
    if (cond->op == OP_lt || cond->op == OP_le || cond->op == OP_eq ||
        cond->op == OP_ne)
        learn_order(r, cond, when);
}

static void learn_all(Range *r)
{
    Facts f = {.n = 0};

    for (const Fact *x = r->c->fact; x; x = x->up)
        add_fact(&f, x->cond, x->when);
    for (int i = 0; i < f.n; i++)
        learn(r, &f, f.at[i].cond, f.at[i].when);
    r->terms = MAX_TERMS;
    r->steps = MAX_STEPS;
}

/* The greatest or least value of p, as a dimension; *exact: it is reached.
 * NULL: nothing is known. */

static const Dim *extreme(Range *r, const Dim *p, bool most, bool *exact);

static const Dim *extreme_choice(Range *r, Node *n, bool most)
{
    Graph *g = r->c->graph;
    bool exact = true, choose = n->op == OP_where || n->op == OP_if;
    const Dim *a = symbol(r, n->arg[choose ? 1 : 0]);
    const Dim *b = symbol(r, n->arg[choose ? 2 : 1]);
    bool either = !choose && (n->op == OP_min) == most;

    a = a ? extreme(r, a, most, &exact) : NULL;
    b = b ? extreme(r, b, most, &exact) : NULL;
    if (!a || !b)
        return !either ? NULL : a ? a : b;
    if (never_negative(r, dim_sub(g, a, b)))
        return most != either ? a : b;
    if (never_negative(r, dim_sub(g, b, a)))
        return most != either ? b : a;
    return either ? a : NULL;
}

static const Dim *extreme_of(Range *r, Node *n, bool most, bool *exact)
{
    const Dim *lo, *hi, *m;

    *exact = *exact && index_of(r->c, n);
    if (n->op == OP_div) {
        lo = symbol(r, n->arg[0]);
        m = lo ? positive(r, n->arg[1]) : NULL;
        hi = m ? extreme(r, lo, most, exact) : NULL;
        return hi ? dim_div(r->c->graph, hi, m) : NULL;
    }
    if (n->op == OP_min || n->op == OP_max || n->op == OP_where ||
        n->op == OP_if)
        return extreme_choice(r, n, most);
    if (!ends_of(r, n, &lo, &hi))
        return NULL;
    return most ? hi : lo;
}

static const Dim *extreme(Range *r, const Dim *p, bool most, bool *exact)
{
    Graph *g = r->c->graph;
    int k = last_unknown(r, p);
    const Dim *q, *rest, *end;
    bool up;

    if (k < 0)
        return p;
    if (r->steps-- <= 0 || !dim_linear_in(g, p, r->unknown[k].var, &q, &rest))
        return NULL;
    up = prove(r, q);
    if (!up && !prove(r, dim_sub(g, dim_const(g, 0), q)))
        return NULL;
    end = extreme_of(r, r->unknown[k].node, most == up, exact);
    if (!end)
        return NULL;
    return extreme(r, dim_add(g, dim_mul(g, q, end), rest), most, exact);
}

/* What stands for an int parameter may be negative when it is called. */
static bool may_be_negative(Check *c, const Dim *d)
{
    for (int i = 0; i < c->int_param.n; i++)
        if (dim_uses(d, c->int_param.at[i].var))
            return true;
    return false;
}

/* Does some element lie outside for sure? */
static bool is_outside(Range *r, const Dim *p, const Dim *reach, const Dim *d,
                       const Dim **lo, const Dim **hi)
{
    Check *c = r->c;
    Graph *g = c->graph;
    bool least = true, most = true;

    if (c->branch > 0)
        return false;
    *lo = extreme(r, p, false, &least);
    *hi = extreme(r, p, true, &most);
    if (!*lo || !*hi || may_be_negative(c, *lo) || may_be_negative(c, *hi) ||
        may_be_negative(c, d))
        return false;
    *hi = dim_add(g, *hi, less(c, reach, 1));
    return (least &&
            never_negative(r, less(c, dim_sub(g, dim_const(g, 0), *lo), 1))) ||
           (most && never_negative(r, dim_sub(g, *hi, d)));
}

/* A dimension that is at least p, and never negative, whatever is empty; NULL:
 * there is none, or it is large without need. */
static const Dim *room(Range *r, const Dim *p)
{
    Graph *g = r->c->graph;
    double most = -dim_least(r->c, dim_sub(g, dim_const(g, 0), p));
    double least = dim_least(r->c, p);

    if (most <= 0)
        return dim_const(g, 0);
    if (most < INFINITY)
        return most <= MAX_FACTOR ? dim_const(g, (int64_t)most) : NULL;
    if (least >= 0)
        return p;
    return least >= -MAX_FACTOR ? less(r->c, p, (int64_t)least) : NULL;
}

/* For places from lo to hi-1 of d. */
static bool rooms(Range *r, const Dim *lo, const Dim *hi, const Dim *d,
                  const Dim **below, const Dim **above)
{
    Graph *g = r->c->graph;

    *below = room(r, dim_sub(g, dim_const(g, 0), lo));
    *above = room(r, dim_sub(g, hi, d));
    if (!*above)
        *above = room(r, hi);
    return *below && *above;
}

static bool is_few(const Dim *extent)
{
    int64_t v;

    return extent && dim_const_value(extent, &v) && v <= FEW;
}

/* Do places p move with one index of tensors alone, or few around it? What is
 * read in a loop is read there, one by one; what moves with two is read so
 * often that its adjoint, as a sum of views, would take more than it saves. */
static bool moves_at_once(const Range *r, const Dim *p)
{
    int many = 0;

    for (int i = 0; i < r->n; i++) {
        const Index *x = index_of(r->c, r->unknown[i].node);

        if (!dim_uses(p, r->unknown[i].var))
            continue;
        if (!x || x->of->kind == EX_loop)
            return false;
        many += !is_few(x->extent);
    }
    return many <= 1;
}

/* Are p … p+reach-1 inside wherever the facts around hold; how far outside may
 * they be elsewhere? */
static bool is_guarded(Range *r, const Dim *p, const Dim *reach, const Dim *d,
                       const Dim **below, const Dim **above)
{
    Graph *g = r->c->graph;
    const Dim *lo, *hi, *end = dim_add(g, p, reach);
    bool exact = true;

    if (!r->c->fact || !moves_at_once(r, p))
        return false;
    r->steps = MAX_STEPS;
    lo = extreme(r, p, false, &exact);
    hi = lo ? extreme(r, end, true, &exact) : NULL;
    if (!hi || !rooms(r, lo, hi, d, below, above))
        return false;
    learn_all(r);
    return prove(r, p) && prove(r, dim_sub(g, d, end));
}

static Inside inside(Check *c, Node *i, const Dim *reach, const Dim *d,
                     const Dim **lo, const Dim **hi)
{
    Range r = range_of(c);
    const Index *x = index_of(c, i);
    const Dim *p;

    if (!c->index)
        return IN_maybe;
    if (x && x->extent == d && dim_is(reach, 1))
        return IN_surely;
    p = symbol(&r, i);
    if (!p)
        return IN_maybe;
    if (prove(&r, p) &&
        prove(&r, dim_sub(c->graph, d, dim_add(c->graph, p, reach))))
        return IN_surely;
    if (is_guarded(&r, p, reach, d, lo, hi))
        return IN_guarded;
    r.nbound = 0;
    r.steps = MAX_STEPS;
    return is_outside(&r, p, reach, d, lo, hi) ? IN_never : IN_maybe;
}

/* What proofs need may be too large for dimensions: then nothing is known. */

Inside range_inside(Check *c, Node *i, const Dim *reach, const Dim *d,
                    const Dim **lo, const Dim **hi)
{
    bool before = dim_try(c->graph);
    Inside in = inside(c, i, reach, d, lo, hi);

    if (!dim_tried(c->graph, before))
        return IN_maybe;
    c->guarded += in == IN_guarded;
    return in;
}

static bool reached(Check *c, const Dim *i, const Dim *d, const Dim **below,
                    const Dim **above)
{
    Range r = range_of(c);
    Graph *g = c->graph;

    for (const Index *x = c->index; x; x = x->up)
        if (!unknown(&r, x->param))
            break;
    return never_negative(&r, i) &&
           never_negative(&r, less(c, dim_sub(g, d, i), 1)) &&
           rooms(&r, i, dim_add(g, i, dim_const(g, 1)), d, below, above);
}

bool range_reached(Check *c, const Dim *i, const Dim *d, const Dim **below,
                   const Dim **above)
{
    bool before = dim_try(c->graph), is = reached(c, i, d, below, above);

    return dim_tried(c->graph, before) && is;
}

bool range_not_negative(Check *c, Node *i)
{
    bool before = dim_try(c->graph);
    Range r = range_of(c);
    const Dim *p = symbol(&r, i);
    bool is = p && prove(&r, p);

    return dim_tried(c->graph, before) && is;
}

static const Dim *most_of(Check *c, Node *i)
{
    Range r = range_of(c);
    const Dim *p = symbol(&r, i), *most;
    bool exact = true;
    double least;

    most = p ? extreme(&r, p, true, &exact) : NULL;
    if (!most)
        return NULL;
    least = dim_least(c, most);
    if (least < 0 && least > -MAX_FACTOR)
        most = less(c, most, (int64_t)least);
    return most;
}

const Dim *range_most(Check *c, Node *i)
{
    bool before = dim_try(c->graph);
    const Dim *most = most_of(c, i);

    return dim_tried(c->graph, before) ? most : NULL;
}

static const Dim *difference(Check *c, Node *hi, Node *lo, const char **text)
{
    Range r = range_of(c);
    const Dim *a = symbol(&r, hi), *b = symbol(&r, lo), *d;

    *text = "?";
    if (!a || !b)
        return NULL;
    d = dim_sub(c->graph, a, b);
    *text = dim_text(c->graph, d);
    return last_unknown(&r, d) < 0 ? d : NULL;
}

const Dim *range_difference(Check *c, Node *hi, Node *lo, const char **text)
{
    bool before = dim_try(c->graph);
    const Dim *d = difference(c, hi, lo, text);

    return dim_tried(c->graph, before) ? d : NULL;
}

/* Which of the active indices a value depends on. */

static bool seen_before(Check *c, const Node *n)
{
    if (n->id >= c->nseen) {
        int *seen = NEWN(c->arena, int, 2 * n->id + 64);

        if (c->nseen)
            memcpy(seen, c->seen, sizeof *seen * (size_t)c->nseen);
        c->seen = seen;
        c->nseen = 2 * n->id + 64;
    }
    if (c->seen[n->id] == c->walk)
        return true;
    c->seen[n->id] = c->walk;
    return false;
}

static uint64_t index_bit(Check *c, const Node *n)
{
    int k = 0;

    for (const Index *x = c->index; x; x = x->up, k++)
        if (x->param == n)
            return (uint64_t)1 << (k < 63 ? k : 63);
    return 0;
}

uint64_t index_mask(Check *c, Node *n)
{
    enum { MAX_WALK = 2000 };
    const Index *first = c->index;
    uint64_t mask = 0;

    if (!first)
        return 0;
    while (first->up)
        first = first->up;
    c->walk++;
    c->look.n = 0;
    list_push(c->arena, &c->look, n);
    for (int done = 0; c->look.n > 0; done++) {
        Node *x = c->look.at[--c->look.n];

        if (x->id < first->param->id || seen_before(c, x))
            continue;
        if (done == MAX_WALK)
            return UINT64_MAX;
        mask |= x->op == OP_param ? index_bit(c, x) : 0;
        for (int i = 0; i < x->narg; i++)
            list_push(c->arena, &c->look, x->arg[i]);
    }
    return mask;
}
