/* bound.c: proofs about integers. */
#include "graph/bound.h"
#include "graph/ops/ops.h"

#include <string.h>

enum {
    MAX_STEPS = 400, /* of one proof */
    MAX_TERMS = 64,  /* nodes looked at */
    MAX_FACTS = 32,  /* conditions looked at */
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

static const Dim *less(Bound *b, const Dim *d, int64_t by)
{
    return dim_sub(b->g, d, dim_const(b->g, by));
}

static const Dim *minus(Bound *b, const Dim *d)
{
    return dim_sub(b->g, dim_const(b->g, 0), d);
}

/* Integers as polynomials. */

/* One more counter; its variable. */
static const Dim *new_counter(Bound *b, const Dim *extent)
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
        place[i] = new_counter(b, n->dim[i]);
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

/* The node that n shows, and where. */
static const Node *seen_through(Bound *b, const Node *n, const Dim **at)
{
    while (view_place(b, n, at))
        n = n->arg[0];
    return n;
}

static bool is_small(const Dim *d)
{
    int64_t v;
    return !dim_const_value(d, &v) || (v >= -MAX_FACTOR && v <= MAX_FACTOR);
}

static const Dim *form(Bound *b, const Node *n, const Dim *const *place);

static const Dim *arithmetic(Bound *b, const Node *n, const Dim *const *place)
{
    const Dim *x = form(b, n->arg[0], place);
    const Dim *y = n->narg > 1 ? form(b, n->arg[1], place) : x;
    if (!x || !y)
        return NULL;
    if (n->op == OP_add)
        return dim_add(b->g, x, y);
    if (n->op == OP_sub)
        return dim_sub(b->g, x, y);
    if (n->op == OP_neg)
        return minus(b, x);
    if (!is_small(x) || !is_small(y) || b->products-- <= 0)
        return NULL;
    return dim_mul(b->g, x, y);
}

static bool keeps_value(const Node *n)
{
    return n->op == OP_cast && dtype_is_int(n->arg[0]->dtype) &&
           n->dtype != DT_u8 &&
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
    if (n->op == OP_where && n->attr.integer == MASKED_INDEX) {
        if (b->nasked == MAX_KNOWN)
            return NULL;
        Asked *a = &b->asked[b->nasked++];
        a->cond = n->arg[0];
        for (int i = 0; i < n->rank; i++)
            a->place[i] = place[i];
        return form(b, n->arg[1], place);
    }
    for (int k = 0; k < 2 && n->op == OP_max; k++)
        if (node_is_const(n->arg[k], least_asked(n->dtype)))
            return form(b, n->arg[1 - k], place);
    if (n->op != OP_index_check || n->attr.integer == NUMBER_CHECK ||
        b->npart == MAX_KNOWN)
        return NULL;
    p = form(b, n->arg[0], place);
    if (p)
        b->part[b->npart++] = (Checked){p, n->attr.dims[0]};
    return p;
}

static const Dim *form(Bound *b, const Node *n, const Dim *const *place)
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
        return form(b, n->arg[0], at);
    if (keeps_value(n))
        return form(b, n->arg[0], place);
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
    bool before = dim_try(b->g);
    const Dim *p = form(b, n, place);
    return dim_tried(b->g, before) ? p : NULL;
}

int bound_last(const Bound *b, const Dim *p)
{
    int k = b->n - 1;
    while (k >= 0 && !dim_uses(p, b->unknown[k].var))
        k--;
    return k;
}

/* Dimensions alone. */

/* q u + rest >= 0 for u = floor(num / den), den > 0: den times that, with num
 * for den u where q < 0 and num - den + 1 where q >= 0; more than -den is
 * enough. */
static const Dim *without_quotient(Bound *b, const Dim *q, const Dim *num,
                                   const Dim *den, const Dim *rest, bool up)
{
    const Dim *slack = less(b, den, 1);
    if (up)
        num = dim_sub(b->g, num, slack);
    rest = dim_add(b->g, dim_mul(b->g, den, rest), slack);
    return dim_add(b->g, dim_mul(b->g, q, num), rest);
}

/* By its ends, or those without its quotients, from the outermost on. */
static bool dims_positive(Bound *b, const Dim *p)
{
    const Dim *u, *num, *den, *q, *rest;
    bool up;
    if (dim_never_negative(p))
        return true;
    if (!dim_quotient(p, &u, &num, &den) || b->steps-- <= 0 ||
        !dim_linear_in(b->g, p, u, &q, &rest) ||
        !dim_never_negative(less(b, den, 1)))
        return false;
    up = dims_positive(b, q);
    if (!up && !dims_positive(b, minus(b, q)))
        return false;
    return dims_positive(b, without_quotient(b, q, num, den, rest, up));
}

/* Variables that are at least `by`, and by how much. */
typedef struct Least {
    int n;
    const Dim *var[MAX_UNKNOWNS];
    int64_t by[MAX_UNKNOWNS];
} Least;

/* Some values: the variables of an extent are at least 1, or more. */
static void add_extent(Least *l, const Dim *extent)
{
    const Dim *var[MAX_UNKNOWNS];
    int64_t by;
    int n;
    if (!dim_positive_vars(extent, &by, MAX_UNKNOWNS - l->n, &n, var) ||
        by >= 1 || by < -MAX_FACTOR)
        return;
    for (int i = 0, k; i < n; i++) {
        for (k = 0; k < l->n && l->var[k] != var[i]; k++)
            ;
        if (k < l->n && l->by[k] >= 1 - by)
            continue;
        l->var[k] = var[i];
        l->by[k] = 1 - by;
        l->n += k == l->n;
    }
}

/* p where those variables are what they are at least, and more. */
static const Dim *not_empty(Bound *b, const Dim *p, const Least *l)
{
    const Dim *more[MAX_UNKNOWNS];
    for (int i = 0; i < l->n; i++)
        more[i] = dim_add(b->g, l->var[i], dim_const(b->g, l->by[i]));
    return l->n ? dim_subst(b->g, p, l->n, l->var, more) : p;
}

/* Where the counters have values. */
static bool positive_if_any(Bound *b, const Dim *p)
{
    Least l = {.n = 0};
    if (dims_positive(b, p))
        return true;
    for (int i = 0; i < b->n; i++)
        if (b->unknown[i].extent)
            add_extent(&l, b->unknown[i].extent);
    p = not_empty(b, p, &l);
    if (l.n > 0 && dims_positive(b, p))
        return true;
    for (int i = 0; i < b->n; i++) {
        const Dim *e = b->unknown[i].extent;
        if (e &&
            dims_positive(b, dim_sub(b->g, p, less(b, not_empty(b, e, &l), 1))))
            return true;
    }
    return false;
}

/* The constant or dimension that n is, at least 1 wherever it matters. */
static const Dim *positive(Bound *b, const Node *n)
{
    const Dim *d =
        node_repeats(n) ? node_as_dim(b->g, n->arg[0]) : node_as_dim(b->g, n);
    return d && positive_if_any(b, less(b, d, 1)) ? d : NULL;
}

/* Without the unknowns. */

/* The ends of an unknown that lies between dimensions. */
static bool ends_of(Bound *b, const Unknown *x, const Dim **lo, const Dim **hi)
{
    const Node *n = x->node;
    const Dim *m = NULL;
    *lo = dim_const(b->g, 0);
    if (x->counter) {
        m = x->extent;
    } else if (n->dtype == DT_u8) {
        m = dim_const(b->g, 256);
    } else if (op_table[n->op]->cls == OPC_ewise && n->narg > 0) {
        const Dim *most = n->op == OP_index_check ? n->attr.dims[0] : NULL;
        form(b, n->arg[0], x->place); /* which counters it depends on */
        if (n->op == OP_mod)
            m = positive(b, n->arg[1]);
        else if (most && positive_if_any(b, less(b, most, 1)))
            m = most;
        else if (n->op == OP_cast && n->arg[0]->dtype == DT_bool)
            m = dim_const(b->g, 2);
    }
    if (m)
        *hi = less(b, m, 1);
    return m != NULL;
}

static bool prove(Bound *b, const Dim *p);
static bool prove_by_cases(Bound *b, const Dim *p);

/* p with a value for unknown k. */
static bool prove_at(Bound *b, const Dim *p, int k, const Dim *value)
{
    return value &&
           prove_by_cases(b, dim_subst(b->g, p, 1, &b->unknown[k].var, &value));
}

static bool prove_quotient(Bound *b, const Unknown *x, const Dim *q,
                           const Dim *rest, bool up)
{
    const Dim *a = form(b, x->node->arg[0], x->place);
    const Dim *m = positive(b, x->node->arg[1]);
    return m && a && prove(b, without_quotient(b, q, a, m, rest, up));
}

static bool is_choice(const Node *n)
{
    return n->op == OP_min || n->op == OP_max || n->op == OP_where ||
           n->op == OP_if;
}

/* The two values that a choice is one of; is it by a condition. */
static bool choices(Bound *b, const Unknown *c, const Dim **x, const Dim **y)
{
    bool cond = c->node->narg == 3;
    *x = form(b, c->node->arg[cond ? 1 : 0], c->place);
    *y = form(b, c->node->arg[cond ? 2 : 1], c->place);
    return cond;
}

static void learn_all(Bound *b, const Node *cond, const Dim *const *place,
                      bool when);

/* What is known at some point, to forget what was assumed after it. */
typedef struct Known {
    int n, nknown, nsplit;
} Known;

static Known known(const Bound *b)
{
    return (Known){b->n, b->nknown, b->nsplit};
}

static void forget(Bound *b, Known to)
{
    b->n = to.n; /* for counters of an assumption have values there only */
    b->nknown = to.nknown;
    b->nsplit = to.nsplit;
}

/* p with a value for unknown k, which it has where its condition is `when`. */
static bool prove_branch(Bound *b, const Dim *p, int k, const Dim *value,
                         bool when)
{
    const Unknown x = b->unknown[k];
    Known before = known(b);
    learn_all(b, x.node->arg[0], x.place, when);
    bool good = prove_at(b, p, k, value);
    forget(b, before);
    return good;
}

/* One of two values: both must do, unless the right end is one of them. */
static bool prove_choice(Bound *b, const Dim *p, int k, bool up)
{
    const Unknown c = b->unknown[k];
    const Dim *x, *y;
    if (choices(b, &c, &x, &y))
        return prove_branch(b, p, k, x, true) &&
               prove_branch(b, p, k, y, false);
    if ((c.node->op == OP_min) != up)
        return prove_at(b, p, k, x) || prove_at(b, p, k, y);
    return prove_at(b, p, k, x) && prove_at(b, p, k, y);
}

static bool prove_without(Bound *b, const Dim *p, int k)
{
    const Unknown x = b->unknown[k];
    const Dim *q, *rest, *lo, *hi;
    bool up;
    if (!dim_linear_in(b->g, p, x.var, &q, &rest))
        return false;
    up = prove(b, q);
    if (!up && !prove(b, minus(b, q)))
        return false;
    if (x.node && x.node->op == OP_div)
        return prove_quotient(b, &x, q, rest, up);
    if (x.node && is_choice(x.node))
        return prove_choice(b, p, k, up);
    return ends_of(b, &x, &lo, &hi) && prove_at(b, p, k, up ? lo : hi);
}

/* The multiple m >= 0 of what is known that takes an unknown out of p, in which
 * it has the coefficients `in` and q. */
static const Dim *multiple(Bound *b, const Dim *q, const Dim *in)
{
    const Dim *m;
    int64_t c, by;
    if (!dim_const_value(in, &by) || by == 0)
        return NULL;
    if (by == 1 || by == -1)
        m = dim_mul(b->g, q, in);
    else if (dim_const_value(q, &c) && c % by == 0)
        m = dim_const(b->g, c / by);
    else
        return NULL;
    return is_small(m) && prove(b, m) ? m : NULL;
}

/* p = m f + rest with f >= 0 known: rest >= 0 is enough. */
static bool prove_by_known(Bound *b, const Dim *p, int k)
{
    const Dim *var = b->unknown[k].var, *q, *in, *rest;
    for (int i = 0; i < b->nknown; i++) {
        const Dim *f = b->known[i], *m;
        if (b->used[i] || !dim_linear_in(b->g, p, var, &q, &rest) ||
            !dim_linear_in(b->g, f, var, &in, &rest))
            continue;
        b->used[i] = true;
        m = multiple(b, q, in);
        bool good = m && prove(b, dim_sub(b->g, p, dim_mul(b->g, m, f)));
        b->used[i] = false;
        if (good)
            return true;
    }
    return false;
}

static bool prove(Bound *b, const Dim *p)
{
    int k = bound_last(b, p);
    if (b->steps-- <= 0)
        return false;
    if (k < 0)
        return positive_if_any(b, p);
    return prove_by_known(b, p, k) || prove_without(b, p, k);
}

/* Where one of two conditions holds, both must do. */
static bool prove_by_cases(Bound *b, const Dim *p)
{
    Known before = known(b);
    int last = b->nsplit - 1;
    bool good = prove(b, p);
    if (good || last < 0 || b->cases <= 0)
        return good;
    const Split s = b->split[last];
    good = true;
    for (int i = 0; i < 2 && good; i++) {
        b->cases--;
        b->nsplit = last;
        learn_all(b, s.either[i], s.place, s.when);
        good = prove_by_cases(b, p);
        forget(b, before);
    }
    b->split[last] = s;
    return good;
}

/* What is too large for a dimension is not known; that there was such is no
 * matter of the graph's. */
static bool start(Bound *b)
{
    b->steps = MAX_STEPS;
    b->cases = MAX_CASES;
    return dim_try(b->g);
}

bool bound_never_negative(Bound *b, const Dim *p)
{
    bool before = start(b), is = prove_by_cases(b, p);
    return dim_tried(b->g, before) && is;
}

bool bound_negative(Bound *b, const Dim *p)
{
    bool before = start(b), is = prove_by_cases(b, less(b, minus(b, p), 1));
    return dim_tried(b->g, before) && is;
}

bool bound_inside(Bound *b, const Dim *p, const Dim *reach, const Dim *d)
{
    bool before = start(b);
    bool is = prove_by_cases(b, p) &&
              prove_by_cases(b, dim_sub(b->g, d, dim_add(b->g, p, reach)));
    return dim_tried(b->g, before) && is;
}

bool bound_all_inside(Graph *g, const Node *n, const Dim *d)
{
    Bound b = bound_of(g);
    const Dim *place[MAX_RANK], *p;
    bound_places(&b, n, place);
    p = bound_form(&b, n, place);
    return p && bound_inside(&b, p, dim_const(g, 1), d);
}

/* What conditions say. */

static void know(Bound *b, const Dim *least0)
{
    if (b->nknown < MAX_KNOWN)
        b->known[b->nknown++] = least0;
}

/* x != y is x < y or x > y where the other cannot be. */
static void learn_different(Bound *b, const Dim *difference)
{
    if (prove(b, difference))
        know(b, less(b, difference, 1));
    else if (prove(b, minus(b, difference)))
        know(b, less(b, minus(b, difference), 1));
}

static void learn_order(Bound *b, const Node *n, const Dim *const *place,
                        bool when)
{
    const Dim *x, *y;
    if (!dtype_is_int(n->arg[0]->dtype) || n->arg[0]->dtype == DT_u8)
        return;
    x = form(b, n->arg[0], place);
    y = x ? form(b, n->arg[1], place) : NULL;
    if (!y)
        return;
    if (n->op == OP_lt || n->op == OP_le) {
        x = when ? dim_sub(b->g, y, x) : dim_sub(b->g, x, y);
        know(b, (n->op == OP_lt) == when ? less(b, x, 1) : x);
    } else if ((n->op == OP_eq) == when) {
        know(b, dim_sub(b->g, x, y));
        know(b, dim_sub(b->g, y, x));
    } else {
        learn_different(b, dim_sub(b->g, x, y));
    }
}

/* Conditions yet to be looked at. */
typedef struct Facts {
    int n;
    struct {
        const Node *cond;
        bool when;
        const Dim *place[MAX_RANK];
    } at[MAX_FACTS];
} Facts;

static void add_fact(Bound *b, Facts *f, const Node *cond, bool when,
                     const Dim *const *place)
{
    if (f->n == MAX_FACTS)
        return;
    for (int i = 0; i < cond->rank; i++)
        f->at[f->n].place[i] = place[i];
    f->at[f->n].cond = seen_through(b, cond, f->at[f->n].place);
    f->at[f->n++].when = when;
}

static void add_split(Bound *b, Node *const *either, bool when,
                      const Dim *const *place)
{
    Split *s = &b->split[b->nsplit];
    if (b->nsplit == MAX_SPLITS)
        return;
    for (int i = 0; i < 2; i++)
        s->either[i] = either[i];
    for (int i = 0; i < either[0]->rank; i++)
        s->place[i] = place[i];
    s->when = when;
    b->nsplit++;
}

/* Some place along the axes of an any() has it: one that is not known. */
static void add_witness(Bound *b, Facts *f, const Node *any,
                        const Dim *const *place)
{
    const Node *of = any->arg[0];
    const Dim *at[MAX_RANK];
    int reduced = 0;
    if (b->n + any->attr.nint > MAX_UNKNOWNS)
        return;
    for (int i = 0; i < of->rank; i++) {
        bool along = false;
        for (int k = 0; k < any->attr.nint; k++)
            along = along || any->attr.ints[k] == i;
        at[i] = along ? new_counter(b, of->dim[i]) : place[i - reduced];
        reduced += along;
    }
    add_fact(b, f, of, true, at);
}

/* Fact k of f: what follows. */
static void learn(Bound *b, Facts *f, int k)
{
    const Node *cond = f->at[k].cond;
    const Dim *const *place = f->at[k].place;
    bool when = f->at[k].when;
    if (cond->op == OP_not)
        add_fact(b, f, cond->arg[0], !when, place);
    if (cond->op == (when ? OP_and : OP_or)) {
        add_fact(b, f, cond->arg[0], when, place);
        add_fact(b, f, cond->arg[1], when, place);
    } else if (cond->op == OP_and || cond->op == OP_or) {
        add_split(b, cond->arg, when, place);
    }
    if (cond->op == OP_any && when)
        add_witness(b, f, cond, place);
    if (cond->narg == 3 && is_choice(cond) &&
        node_is_const(cond->arg[when ? 2 : 1], !when)) {
        add_fact(b, f, cond->arg[0], when, place);
        add_fact(b, f, cond->arg[when ? 1 : 2], when, place);
    }
    if (cond->op == OP_lt || cond->op == OP_le || cond->op == OP_eq ||
        cond->op == OP_ne)
        learn_order(b, cond, place, when);
}

static void learn_all(Bound *b, const Node *cond, const Dim *const *place,
                      bool when)
{
    Facts f = {.n = 0};
    add_fact(b, &f, cond, when, place);
    for (int i = 0; i < f.n; i++)
        learn(b, &f, i);
}

void bound_assume(Bound *b, const Node *cond, const Dim *const *place)
{
    bool before = dim_try(b->g);
    int known = b->nknown;
    renew(b);
    learn_all(b, cond, place, true);
    if (!dim_tried(b->g, before))
        b->nknown = known;
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
    bool exact = true, cond = choices(b, c, &x, &y);
    bool either = !cond && (c->node->op == OP_min) == most;
    x = x ? end(b, x, most, &exact) : NULL;
    y = y ? end(b, y, most, &exact) : NULL;
    if (!x || !y)
        return !either ? NULL : x ? x : y;
    if (positive_if_any(b, dim_sub(b->g, x, y)))
        return most != either ? x : y;
    if (positive_if_any(b, dim_sub(b->g, y, x)))
        return most != either ? y : x;
    return either ? x : NULL;
}

static const Dim *end_of(Bound *b, Unknown x, bool most, bool *exact)
{
    const Dim *lo, *hi, *m;
    *exact = *exact && x.counter;
    if (x.node && x.node->op == OP_div) {
        lo = form(b, x.node->arg[0], x.place);
        m = lo ? positive(b, x.node->arg[1]) : NULL;
        hi = m ? end(b, lo, most, exact) : NULL;
        return hi ? dim_div(b->g, hi, m) : NULL;
    }
    if (x.node && is_choice(x.node))
        return end_of_choice(b, &x, most);
    if (!ends_of(b, &x, &lo, &hi))
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
    bool up = prove(b, q);
    if (!up && !prove(b, minus(b, q)))
        return NULL;
    to = end_of(b, b->unknown[k], most == up, exact);
    if (!to)
        return NULL;
    return end(b, dim_add(b->g, dim_mul(b->g, q, to), rest), most, exact);
}

const Dim *bound_end(Bound *b, const Dim *p, bool most, bool *exact)
{
    bool before = start(b);
    const Dim *to = end(b, p, most, exact);
    return dim_tried(b->g, before) ? to : NULL;
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
