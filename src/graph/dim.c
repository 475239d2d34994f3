/* dim.c: integer polynomials over dimension variables, hash-consed.
 *
 * A dimension is a sum of terms, coefficient times monomial; a monomial is a
 * product of powers of atoms; an atom is a variable, a rounded-down quotient
 * that does not divide, or max(d, 0). Terms stand in graded lexicographic
 * order, so equal polynomials are equal term by term. a mod b is a - b * (a /
 * b): one form, so 2 * (n / 2) + n % 2 is n. What is too large to be written
 * down is one dimension, of which nothing is known, and so is all that is made
 * of it. */
#include "graph/dim_internal.h"

#include <assert.h>
#include <string.h>

/* What is longer than this when written out, or has more factors in a term or
 * more quotients inside each other, is too large, as are coefficients that
 * leave 64 bits. */
enum { MAX_SIZE = 65536, MAX_FACTORS = 256, MAX_DEPTH = 256 };

struct Dims {
    Arena *arena;
    Map dims, monos, divs;
    const Mono *unit;
    Term *buf; /* for sums and products under construction */
    int nbuf;
    int natom;
    const Dim *unknown[MAX_UNKNOWNS + 1];
    const Dim *zero, *one; /* most constants are */
    const Dim *large;
};

static int64_t gcd(int64_t a, int64_t b)
{
    uint64_t x = a < 0 ? -(uint64_t)a : (uint64_t)a;
    uint64_t y = b < 0 ? -(uint64_t)b : (uint64_t)b;
    while (y) {
        uint64_t r = x % y;
        x = y;
        y = r;
    }
    return x > INT64_MAX ? 1 : (int64_t)x;
}

/* Monomials. */

static bool is_product(const Mono *m, const Factor *f, int n)
{
    bool same = m->n == n;
    for (int i = 0; same && i < n; i++)
        same = m->f[i].atom == f[i].atom && m->f[i].power == f[i].power;
    return same;
}

/* NULL: too large. */
static const Mono *mono_of(Dims *s, const Factor *f, int n)
{
    uint64_t h = HASH_SEED;
    int degree = 0;
    int64_t size = 0;
    for (int i = 0; i < n; i++) {
        h = hash_mix(hash_mix(h, f[i].atom->hash), (uint64_t)f[i].power);
        degree += f[i].power;
        size += (int64_t)f[i].atom->size * f[i].power;
    }
    if (size > MAX_SIZE || n > MAX_FACTORS || degree > MAX_FACTORS)
        return NULL;
    Mono *m;
    for (size_t seen = 0; (m = map_next(&s->monos, h, &seen));)
        if (is_product(m, f, n))
            return m;
    m = arena_alloc(s->arena, sizeof *m + sizeof(Factor) * (size_t)n);
    m->hash = h;
    m->n = n;
    m->degree = degree;
    m->size = (int)size;
    if (n)
        memcpy(m->f, f, sizeof *f * (size_t)n);
    map_put(s->arena, &s->monos, h, m);
    return m;
}

static const Mono *mono_mul(Dims *s, const Mono *a, const Mono *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n ? a : b;
    Factor f[2 * MAX_FACTORS];
    int n = 0, i = 0, j = 0;
    while (i < a->n || j < b->n) {
        if (j == b->n || (i < a->n && a->f[i].atom->id < b->f[j].atom->id)) {
            f[n++] = a->f[i++];
        } else if (i == a->n || b->f[j].atom->id < a->f[i].atom->id) {
            f[n++] = b->f[j++];
        } else {
            f[n] = a->f[i++];
            f[n++].power += b->f[j++].power;
        }
    }
    return mono_of(s, f, n);
}

static int mono_power(const Mono *m, const Atom *atom)
{
    for (int i = 0; i < m->n; i++)
        if (m->f[i].atom == atom)
            return m->f[i].power;
    return 0;
}

static bool mono_divides(const Mono *d, const Mono *m)
{
    for (int i = 0; i < d->n; i++)
        if (mono_power(m, d->f[i].atom) < d->f[i].power)
            return false;
    return true;
}

static const Mono *mono_div(Dims *s, const Mono *m, const Mono *d)
{
    if (d->n == 0)
        return m;
    Factor f[MAX_FACTORS];
    int n = 0;
    for (int i = 0; i < m->n; i++) {
        f[n] = m->f[i];
        f[n].power -= mono_power(d, m->f[i].atom);
        n += f[n].power > 0;
    }
    return mono_of(s, f, n);
}

static const Mono *mono_gcd(Dims *s, const Mono *a, const Mono *b)
{
    Factor f[MAX_FACTORS];
    int n = 0;
    for (int i = 0; i < a->n; i++) {
        int p = mono_power(b, a->f[i].atom);
        f[n] = a->f[i];
        if (p < f[n].power)
            f[n].power = p;
        n += f[n].power > 0;
    }
    return mono_of(s, f, n);
}

/* Negative where a stands before b. */
static int mono_cmp(const Mono *a, const Mono *b)
{
    if (a == b)
        return 0;
    if (a->degree != b->degree)
        return b->degree - a->degree;
    for (int i = 0;; i++) {
        if (a->f[i].atom != b->f[i].atom)
            return a->f[i].atom->id - b->f[i].atom->id;
        if (a->f[i].power != b->f[i].power)
            return b->f[i].power - a->f[i].power;
    }
}

/* Polynomials. */

static bool is_sum(const Dim *d, const Term *t, int n)
{
    bool same = d->n == n;
    for (int i = 0; same && i < n; i++)
        same = d->t[i].coef == t[i].coef && d->t[i].mono == t[i].mono;
    return same;
}

/* Terms in order, without zeros. */
static const Dim *poly_of(Dims *s, const Term *t, int n)
{
    uint64_t h = HASH_SEED;
    int64_t size = 0;
    for (int i = 0; i < n; i++) {
        h = hash_mix(hash_mix(h, t[i].mono->hash), (uint64_t)t[i].coef);
        size += 1 + t[i].mono->size;
    }
    if (size > MAX_SIZE)
        return s->large;
    Dim *d;
    for (size_t seen = 0; (d = map_next(&s->dims, h, &seen));)
        if (is_sum(d, t, n))
            return d;
    d = arena_alloc(s->arena, sizeof *d + sizeof(Term) * (size_t)n);
    d->hash = h;
    d->n = n;
    d->size = (int)size;
    if (n)
        memcpy(d->t, t, sizeof *t * (size_t)n);
    map_put(s->arena, &s->dims, h, d);
    return d;
}

static const Dim *poly_term(Dims *s, int64_t coef, const Mono *m)
{
    Term t = {coef, m};
    return poly_of(s, &t, coef != 0);
}

static Term *buffer(Dims *s, int n)
{
    if (n > s->nbuf) {
        s->nbuf = 2 * n;
        s->buf = NEWN(s->arena, Term, s->nbuf);
    }
    return s->buf;
}

/* a + k b */
static const Dim *poly_axpy(Dims *s, const Dim *a, int64_t k, const Dim *b)
{
    if (a == s->large || b == s->large)
        return s->large;
    Term *t = buffer(s, a->n + b->n);
    int n = 0, i = 0, j = 0;
    int64_t more;
    while (i < a->n || j < b->n) {
        int c = i == a->n   ? 1
                : j == b->n ? -1
                            : mono_cmp(a->t[i].mono, b->t[j].mono);
        t[n].mono = c <= 0 ? a->t[i].mono : b->t[j].mono;
        t[n].coef = c <= 0 ? a->t[i].coef : 0;
        if (c >= 0 && (__builtin_mul_overflow(k, b->t[j].coef, &more) ||
                       __builtin_add_overflow(t[n].coef, more, &t[n].coef)))
            return s->large;
        i += c <= 0;
        j += c >= 0;
        n += t[n].coef != 0;
    }
    return poly_of(s, t, n);
}

/* a · coef · m: the order of terms is kept. */
static const Dim *poly_scale(Dims *s, const Dim *a, int64_t coef, const Mono *m)
{
    if (a == s->large || coef == 0)
        return coef ? a : s->zero;
    Term *t = buffer(s, a->n);
    for (int i = 0; i < a->n; i++) {
        t[i].mono = mono_mul(s, a->t[i].mono, m);
        if (!t[i].mono ||
            __builtin_mul_overflow(a->t[i].coef, coef, &t[i].coef))
            return s->large;
    }
    return poly_of(s, t, a->n);
}

static const Dim *atom_dim(Dims *s, Atom *atom)
{
    Factor f = {atom, 1};
    atom->self = poly_term(s, 1, mono_of(s, &f, 1));
    return atom->self;
}

Dims *dims_new(Arena *a)
{
    Dims *s = NEW(a, Dims);
    s->arena = a;
    s->unit = mono_of(s, NULL, 0);
    s->zero = poly_of(s, NULL, 0);
    s->one = poly_term(s, 1, s->unit);
    Atom *large = NEW(a, Atom);
    *large = (Atom){.kind = ATOM_large, .id = -1, .size = 1, .name = "…"};
    s->large = atom_dim(s, large);
    return s;
}

uint64_t dim_hash(const Dim *d) { return d->hash; }

const Dim *dim_const(Graph *g, int64_t v)
{
    Dims *s = graph_dims(g);
    if (v == 0 || v == 1)
        return v ? s->one : s->zero;
    return poly_term(s, v, s->unit);
}

const Dim *dim_var(Graph *g, const char *name)
{
    Dims *s = graph_dims(g);
    Atom *v = NEW(s->arena, Atom);
    v->kind = ATOM_var;
    v->id = s->natom++;
    v->hash = hash_mix(HASH_SEED, (uint64_t)v->id);
    v->size = 1;
    v->name = name;
    return atom_dim(s, v);
}

const Dim *dim_add(Graph *g, const Dim *a, const Dim *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n ? a : b;
    return poly_axpy(graph_dims(g), a, 1, b);
}

const Dim *dim_sub(Graph *g, const Dim *a, const Dim *b)
{
    return poly_axpy(graph_dims(g), a, -1, b);
}

const Dim *dim_mul(Graph *g, const Dim *a, const Dim *b)
{
    Dims *s = graph_dims(g);
    const Dim *sum = s->zero;
    if (a == s->one || b == s->one)
        return a == s->one ? b : a;
    if (a->n > b->n) {
        const Dim *c = a;
        a = b;
        b = c;
    }
    if (a == s->large || b == s->large || (int64_t)a->n * b->n > MAX_SIZE)
        return s->large;
    for (int i = 0; i < a->n; i++) {
        const Dim *p = poly_scale(s, b, a->t[i].coef, a->t[i].mono);
        sum = sum->n ? poly_axpy(s, sum, 1, p) : p;
    }
    return sum;
}

static int poly_depth(const Dim *d)
{
    int depth = 0;
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->t[i].mono->n; j++)
            if (d->t[i].mono->f[j].atom->depth > depth)
                depth = d->t[i].mono->f[j].atom->depth;
    return depth;
}

/* den is NULL for max(num, 0). */
static const Dim *new_atom(Dims *s, const Dim *num, const Dim *den)
{
    uint64_t h = hash_mix(hash_mix(HASH_SEED, num->hash), den ? den->hash : 0);
    Atom *q;
    for (size_t seen = 0; (q = map_next(&s->divs, h, &seen));)
        if (q->num == num && q->den == den)
            return q->self;
    int below = poly_depth(num), other = den ? poly_depth(den) : 0;
    if (below < other)
        below = other;
    if (below >= MAX_DEPTH || num == s->large || den == s->large)
        return s->large;
    q = NEW(s->arena, Atom);
    q->depth = 1 + below;
    q->hash = h;
    q->kind = den ? ATOM_div : ATOM_max;
    q->id = s->natom++;
    q->size = 1 + num->size + (den ? den->size : 0);
    q->num = num;
    q->den = den;
    map_put(s->arena, &s->divs, h, q);
    return atom_dim(s, q);
}

/* Divide a and b by all that their terms have in common. */
static void cancel(Dims *s, const Dim **a, const Dim **b)
{
    int64_t c = 0;
    const Mono *m = (*b)->t[0].mono;
    for (int k = 0; k < 2; k++) {
        const Dim *d = k ? *b : *a;
        for (int i = 0; i < d->n; i++) {
            c = gcd(c, d->t[i].coef);
            m = mono_gcd(s, m, d->t[i].mono);
        }
    }
    if (c <= 1 && m->n == 0)
        return;
    for (int k = 0; k < 2; k++) {
        const Dim **d = k ? b : a;
        Term *t = buffer(s, (*d)->n);
        for (int i = 0; i < (*d)->n; i++) {
            t[i].coef = (*d)->t[i].coef / c;
            t[i].mono = mono_div(s, (*d)->t[i].mono, m);
        }
        *d = poly_of(s, t, (*d)->n);
    }
}

/* a = q b + r, where no term of r is divisible by the leading term of b. */
static const Dim *divide(Dims *s, const Dim *a, const Dim *b, const Dim **r)
{
    const Dim *q = poly_of(s, NULL, 0);
    *r = q;
    /* Every step lowers the leading term of a, unless it becomes too large. */
    while (a->n && a != s->large) {
        Term lead = a->t[0];
        int64_t k = 0;
        if (mono_divides(b->t[0].mono, lead.mono))
            k = dim_floor_div(lead.coef, b->t[0].coef);
        if (k) {
            const Mono *m = mono_div(s, lead.mono, b->t[0].mono);
            q = poly_axpy(s, q, 1, poly_term(s, k, m));
            a = poly_axpy(s, a, -1, poly_scale(s, b, k, m));
        }
        if (a->n && a->t[0].mono == lead.mono) {
            const Dim *rest = poly_term(s, a->t[0].coef, lead.mono);
            *r = poly_axpy(s, *r, 1, rest);
            a = poly_axpy(s, a, -1, rest);
        }
    }
    return a->n ? a : q;
}

const Dim *dim_div(Graph *g, const Dim *a, const Dim *b)
{
    Dims *s = graph_dims(g);
    const Dim *r;
    if (b->n == 0)
        die("a dimension divided by the constant 0");
    if (a->n == 0 || dim_is(b, 1) || a == s->large || b == s->large)
        return b == s->large ? b : a;
    if (b->t[0].coef < 0) {
        a = poly_scale(s, a, -1, s->unit);
        b = poly_scale(s, b, -1, s->unit);
    }
    if (a == s->large || b == s->large)
        return s->large;
    cancel(s, &a, &b);
    const Dim *q = divide(s, a, b, &r);
    if (q == s->large || r == s->large)
        return s->large;
    if (b->n > 1 && r->n) { /* all or nothing, for legibility */
        q = poly_of(s, NULL, 0);
        r = a;
    }
    int64_t rest;
    bool small = dim_const_value(b, NULL) && dim_const_value(r, &rest);
    if (small) /* 0 <= r < b */
        return q;
    if (r != a)
        return poly_axpy(s, q, 1, dim_div(g, r, b));
    const Atom *inner = dim_as_atom(r); /* (x / y) / b = x / (y b), b > 0 */
    if (inner && inner->kind == ATOM_div && b->n == 1)
        return dim_div(g, inner->num, dim_mul(g, inner->den, b));
    return new_atom(s, r, b);
}

const Dim *dim_mod(Graph *g, const Dim *a, const Dim *b)
{
    return dim_sub(g, a, dim_mul(g, b, dim_div(g, a, b)));
}

const Dim *dim_exact(Graph *g, const Dim *a, const Dim *b)
{
    const Dim *q = dim_is(b, 0) ? NULL : dim_div(g, a, b);
    return q && dim_mul(g, q, b) == a ? q : NULL;
}

const Dim *dim_product(Graph *g, int n, const Dim *const *dim)
{
    const Dim *all = dim_const(g, 1);
    for (int i = 0; i < n; i++)
        all = dim_mul(g, all, dim[i]);
    return all;
}

const Dim **dims_along(Graph *g, const Dim *n, int rank, const Dim *const *dim)
{
    const Dim **to = NEWN(graph_arena(g), const Dim *, rank + 1);
    to[0] = n;
    for (int i = 0; i < rank; i++)
        to[i + 1] = dim[i];
    return to;
}

const Dim *dim_positive(Graph *g, const Dim *d)
{
    Dims *s = graph_dims(g);
    if (dim_never_negative(d))
        return d;
    if (dim_never_negative(poly_scale(s, d, -1, s->unit)))
        return poly_of(s, NULL, 0);
    return new_atom(s, d, NULL);
}

/* max(a - b, 0), where that begins with a positive term: else *a and *b are
 * exchanged before, so that max(5, n) and max(n, 5) are one. */
static const Dim *excess(Graph *g, const Dim **a, const Dim **b)
{
    const Dim *d = dim_sub(g, *a, *b), *first = *a;
    if (d->n && d->t[0].coef < 0) {
        *a = *b;
        *b = first;
        d = dim_sub(g, *a, *b);
    }
    return dim_positive(g, d);
}

const Dim *dim_max(Graph *g, const Dim *a, const Dim *b)
{
    const Dim *d = excess(g, &a, &b);
    return dim_add(g, b, d);
}

const Dim *dim_min(Graph *g, const Dim *a, const Dim *b)
{
    const Dim *d = excess(g, &a, &b);
    return dim_sub(g, a, d);
}

const Dim *dim_clamps(const Dim *p)
{
    const Atom *a = dim_as_atom(p);
    return a && a->kind == ATOM_max ? a->num : p;
}

const Dim *dim_unknown(Graph *g, int k)
{
    Dims *s = graph_dims(g);
    if (!s->unknown[k])
        s->unknown[k] = dim_var(g, "…");
    return s->unknown[k];
}

/* MAX_SIZE bounds depth and work of what recurses into quotients. */

const Dim *dim_subst(Graph *g, const Dim *d, int n, const Dim *const *var,
                     const Dim *const *val)
{
    Dims *s = graph_dims(g);
    const Dim *sum = poly_of(s, NULL, 0);
    if (d == s->large)
        return d;
    for (int i = 0; i < d->n; i++) {
        const Mono *m = d->t[i].mono;
        const Dim *p = poly_term(s, d->t[i].coef, s->unit);
        for (int j = 0; j < m->n; j++) {
            const Atom *a = m->f[j].atom;
            const Dim *x = a->self;
            for (int k = 0; k < n; k++)
                if (var[k] == a->self)
                    x = val[k];
            if (a->kind == ATOM_div) {
                const Dim *den = dim_subst(g, a->den, n, var, val);
                if (den->n == 0)
                    return s->large;
                x = dim_div(g, dim_subst(g, a->num, n, var, val), den);
            }
            if (a->kind == ATOM_max)
                x = dim_max(g, dim_subst(g, a->num, n, var, val),
                            dim_const(g, 0));
            for (int k = 0; k < m->f[j].power; k++)
                p = dim_mul(g, p, x);
        }
        sum = dim_add(g, sum, p);
    }
    return sum;
}

bool dim_linear_in(Graph *g, const Dim *d, const Dim *var, const Dim **q,
                   const Dim **r)
{
    Dims *s = graph_dims(g);
    const Atom *v = dim_as_atom(var);
    assert(v);
    *q = *r = poly_of(s, NULL, 0);
    if (d == s->large)
        return false;
    for (int i = 0; i < d->n; i++) {
        const Mono *m = d->t[i].mono;
        int power = mono_power(m, v);
        const Mono *rest = power ? mono_div(s, m, v->self->t[0].mono) : m;
        const Dim *t = poly_term(s, d->t[i].coef, rest);
        if (dim_uses(t, var))
            return false;
        if (power)
            *q = poly_axpy(s, *q, 1, t);
        else
            *r = poly_axpy(s, *r, 1, t);
    }
    return true;
}
