/* bound_prove.c: proofs about polynomials, under conditions. */
#include "graph/bound_internal.h"
#include "graph/ops/ops.h"

enum { MAX_FACTS = 32 /* conditions looked at */ };

/* Dimensions alone. */

/* q u + rest >= 0 for u = floor(num / den), den > 0: den times that, with num
 * for den u where q < 0 and num - den + 1 where q >= 0; more than -den is
 * enough. */
static const Dim *without_quotient(Bound *b, const Dim *q, const Dim *num,
                                   const Dim *den, const Dim *rest, bool up)
{
    const Dim *slack = bound_less(b, den, 1);
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
        !dim_never_negative(bound_less(b, den, 1)))
        return false;
    up = dims_positive(b, q);
    if (!up && !dims_positive(b, bound_minus(b, q)))
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

bool bound_positive(Bound *b, const Dim *p)
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
            dims_positive(
                b, dim_sub(b->g, p, bound_less(b, not_empty(b, e, &l), 1))))
            return true;
    }
    return false;
}

const Dim *bound_divisor(Bound *b, const Node *n)
{
    const Dim *d = node_as_dim(b->g, node_repeated(n));
    return d && bound_positive(b, bound_less(b, d, 1)) ? d : NULL;
}

/* Without the unknowns. */

bool bound_ends_of(Bound *b, const Unknown *x, const Dim **lo, const Dim **hi)
{
    const Node *n = x->node;
    const Dim *m = NULL;
    *lo = dim_const(b->g, 0);
    if (x->counter) {
        m = x->extent;
    } else if (n->dtype == DT_u8) {
        m = dim_const(b->g, 256);
    } else if (op_table[n->op]->cls == OPC_ewise) {
        const Dim *most = n->op == OP_index_check ? n->attr.dims[0] : NULL;
        bound_read(b, n->arg[0], x->place); /* which counters it depends on */
        if (n->op == OP_mod)
            m = bound_divisor(b, n->arg[1]);
        else if (most && bound_positive(b, bound_less(b, most, 1)))
            m = most;
        else if (n->arg[0]->dtype == DT_bool) /* converted */
            m = dim_const(b->g, 2);
    }
    if (m)
        *hi = bound_less(b, m, 1);
    return m != NULL;
}

/* p with a value for unknown k. */
static bool prove_at(Bound *b, const Dim *p, int k, const Dim *value)
{
    return value && bound_prove_by_cases(
                        b, dim_subst(b->g, p, 1, &b->unknown[k].var, &value));
}

static bool prove_quotient(Bound *b, const Unknown *x, const Dim *q,
                           const Dim *rest, bool up)
{
    const Dim *a = bound_read(b, x->node->arg[0], x->place);
    const Dim *m = bound_divisor(b, x->node->arg[1]);
    return m && a && bound_prove(b, without_quotient(b, q, a, m, rest, up));
}

bool bound_is_choice(const Node *n)
{
    return n->op == OP_min || n->op == OP_max || n->op == OP_where ||
           n->op == OP_if;
}

bool bound_choices(Bound *b, const Unknown *c, const Dim **x, const Dim **y)
{
    bool cond = c->node->narg == 3;
    *x = bound_read(b, c->node->arg[cond ? 1 : 0], c->place);
    *y = bound_read(b, c->node->arg[cond ? 2 : 1], c->place);
    return cond;
}

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
    bound_learn(b, x.node->arg[0], x.place, when);
    bool good = prove_at(b, p, k, value);
    forget(b, before);
    return good;
}

/* One of two values: both must do, unless the right end is one of them. */
static bool prove_choice(Bound *b, const Dim *p, int k, bool up)
{
    const Unknown c = b->unknown[k];
    const Dim *x, *y;
    if (bound_choices(b, &c, &x, &y))
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
    up = bound_prove(b, q);
    if (!up && !bound_prove(b, bound_minus(b, q)))
        return false;
    if (x.node && x.node->op == OP_div)
        return prove_quotient(b, &x, q, rest, up);
    if (x.node && bound_is_choice(x.node))
        return prove_choice(b, p, k, up);
    return bound_ends_of(b, &x, &lo, &hi) && prove_at(b, p, k, up ? lo : hi);
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
    return bound_is_small(m) && bound_prove(b, m) ? m : NULL;
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
        bool good = m && bound_prove(b, dim_sub(b->g, p, dim_mul(b->g, m, f)));
        b->used[i] = false;
        if (good)
            return true;
    }
    return false;
}

bool bound_prove(Bound *b, const Dim *p)
{
    int k = bound_last(b, p);
    if (b->steps-- <= 0)
        return false;
    if (k < 0)
        return bound_positive(b, p);
    return prove_by_known(b, p, k) || prove_without(b, p, k);
}

bool bound_prove_by_cases(Bound *b, const Dim *p)
{
    Known before = known(b);
    int last = b->nsplit - 1;
    bool good = bound_prove(b, p);
    if (good || last < 0 || b->cases <= 0)
        return good;
    const Split s = b->split[last];
    good = true;
    for (int i = 0; i < 2 && good; i++) {
        b->cases--;
        b->nsplit = last;
        bound_learn(b, s.either[i], s.place, s.when);
        good = bound_prove_by_cases(b, p);
        forget(b, before);
    }
    b->split[last] = s;
    return good;
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
    if (bound_prove(b, difference))
        know(b, bound_less(b, difference, 1));
    else if (bound_prove(b, bound_minus(b, difference)))
        know(b, bound_less(b, bound_minus(b, difference), 1));
}

static void learn_order(Bound *b, const Node *n, const Dim *const *place,
                        bool when)
{
    const Dim *x, *y;
    if (!dtype_is_int(n->arg[0]->dtype) || n->arg[0]->dtype == DT_u8)
        return;
    x = bound_read(b, n->arg[0], place);
    y = x ? bound_read(b, n->arg[1], place) : NULL;
    if (!y)
        return;
    if (n->op == OP_lt || n->op == OP_le) {
        x = when ? dim_sub(b->g, y, x) : dim_sub(b->g, x, y);
        know(b, (n->op == OP_lt) == when ? bound_less(b, x, 1) : x);
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
    f->at[f->n].cond = bound_seen(b, cond, f->at[f->n].place);
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
        at[i] = along ? bound_counter(b, of->dim[i]) : place[i - reduced];
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
    if (cond->narg == 3 && bound_is_choice(cond) &&
        node_is_const(cond->arg[when ? 2 : 1], !when)) {
        add_fact(b, f, cond->arg[0], when, place);
        add_fact(b, f, cond->arg[when ? 1 : 2], when, place);
    }
    if (cond->op == OP_lt || cond->op == OP_le || cond->op == OP_eq ||
        cond->op == OP_ne)
        learn_order(b, cond, place, when);
}

void bound_learn(Bound *b, const Node *cond, const Dim *const *place, bool when)
{
    Facts f = {.n = 0};
    add_fact(b, &f, cond, when, place);
    for (int i = 0; i < f.n; i++)
        learn(b, &f, i);
}
