/* dim.c: integer polynomials over dimension variables, hash-consed.
 *
 * A dimension is a sum of terms, coefficient times monomial; a monomial is a
 * product of powers of atoms; an atom is a variable, a rounded-down quotient
 * that does not divide, or max(d, 0). Terms stand in graded lexicographic
 * order, so equal polynomials are equal term by term. a mod b is a - b * (a /
 * b): one form, so 2 * (n / 2) + n % 2 is n. */
#include "graph/internal.h"

#include <assert.h>
#include <string.h>

typedef enum AtomKind { ATOM_var, ATOM_div, ATOM_max } AtomKind;

typedef struct Atom {
    uint64_t hash;
    AtomKind kind;
    int id, size, depth;
    const char *name;     /* ATOM_var */
    const Dim *num, *den; /* ATOM_div; of ATOM_max only num */
    const Dim *self;      /* the atom as a polynomial */
} Atom;

typedef struct Factor {
    const Atom *atom;
    int power;
} Factor;

/* Factors by ascending id of their atoms. */
typedef struct Mono {
    uint64_t hash;
    int n, degree, size;
    Factor f[];
} Mono;

typedef struct Term {
    int64_t coef;
    const Mono *mono;
} Term;

/* Larger monomials first, the constant last, no zero coefficients. `size` is
 * the length when written out. */
struct Dim {
    uint64_t hash;
    int n, size;
    Term t[];
};

/* What is longer than this when written out, or has more factors in a term or
 * more quotients inside each other, is refused as an overflow. */
enum { MAX_SIZE = 65536, MAX_FACTORS = 256, MAX_DEPTH = 256 };

struct Dims {
    Arena *arena;
    Map dims, monos, divs;
    const Mono *unit;
    Term *buf; /* for sums and products under construction */
    int nbuf;
    int natom;
    bool overflow;
    const Dim *unknown[MAX_UNKNOWNS + 1];
};

static int64_t checked_add(Dims *s, int64_t a, int64_t b)
{
    int64_t v;
    if (!__builtin_add_overflow(a, b, &v))
        return v;
    s->overflow = true;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

static int64_t checked_mul(Dims *s, int64_t a, int64_t b)
{
    int64_t v;
    if (!__builtin_mul_overflow(a, b, &v))
        return v;
    s->overflow = true;
    return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    if (b == -1) /* INT64_MIN / -1 does not fit */
        return a == INT64_MIN ? INT64_MAX : -a;
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

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
    if (size > MAX_SIZE || n > MAX_FACTORS || degree > MAX_FACTORS) {
        s->overflow = true;
        return s->unit;
    }
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
    if (size > MAX_SIZE) {
        s->overflow = true;
        return poly_of(s, NULL, 0);
    }
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
    Term *t = buffer(s, a->n + b->n);
    int n = 0, i = 0, j = 0;
    while (i < a->n || j < b->n) {
        int c = i == a->n   ? 1
                : j == b->n ? -1
                            : mono_cmp(a->t[i].mono, b->t[j].mono);
        t[n].mono = c <= 0 ? a->t[i].mono : b->t[j].mono;
        t[n].coef = c <= 0 ? a->t[i].coef : 0;
        if (c >= 0)
            t[n].coef =
                checked_add(s, t[n].coef, checked_mul(s, k, b->t[j].coef));
        i += c <= 0;
        j += c >= 0;
        n += t[n].coef != 0;
    }
    return poly_of(s, t, n);
}

/* a · coef · m: the order of terms is kept. */
static const Dim *poly_scale(Dims *s, const Dim *a, int64_t coef, const Mono *m)
{
    Term *t = buffer(s, a->n);
    int n = 0;
    for (int i = 0; i < a->n && coef; i++) {
        t[n].coef = checked_mul(s, a->t[i].coef, coef);
        t[n].mono = mono_mul(s, a->t[i].mono, m);
        n++;
    }
    return poly_of(s, t, n);
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
    return s;
}

uint64_t dim_hash(const Dim *d) { return d->hash; }

const Dim *dim_const(Graph *g, int64_t v)
{
    Dims *s = graph_dims(g);
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
    return poly_axpy(graph_dims(g), a, 1, b);
}

const Dim *dim_sub(Graph *g, const Dim *a, const Dim *b)
{
    return poly_axpy(graph_dims(g), a, -1, b);
}

const Dim *dim_mul(Graph *g, const Dim *a, const Dim *b)
{
    Dims *s = graph_dims(g);
    const Dim *sum = poly_of(s, NULL, 0);
    if (a->n > b->n) {
        const Dim *c = a;
        a = b;
        b = c;
    }
    if ((int64_t)a->n * b->n > MAX_SIZE) {
        s->overflow = true;
        return sum;
    }
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
    if (below >= MAX_DEPTH) {
        s->overflow = true;
        return num;
    }
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
    /* Every step lowers the leading term of a. An overflow could break that. */
    while (a->n && !s->overflow) {
        Term lead = a->t[0];
        int64_t k = 0;
        if (mono_divides(b->t[0].mono, lead.mono))
            k = floor_div(lead.coef, b->t[0].coef);
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
    return q;
}

/* The single variable or quotient that d is, or NULL. */
static const Atom *as_atom(const Dim *d)
{
    if (d->n != 1 || d->t[0].coef != 1 || d->t[0].mono->degree != 1)
        return NULL;
    return d->t[0].mono->f[0].atom;
}

const Dim *dim_div(Graph *g, const Dim *a, const Dim *b)
{
    Dims *s = graph_dims(g);
    const Dim *r;
    if (b->n == 0)
        die("a dimension divided by the constant 0");
    if (a->n == 0 || dim_is(b, 1))
        return a;
    if (b->t[0].coef < 0) {
        a = poly_scale(s, a, -1, s->unit);
        b = poly_scale(s, b, -1, s->unit);
    }
    cancel(s, &a, &b);
    const Dim *q = divide(s, a, b, &r);
    if (s->overflow)
        return q;
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
    const Atom *inner = as_atom(r); /* (x / y) / b = x / (y b), b > 0 */
    if (inner && inner->kind == ATOM_div && b->n == 1)
        return dim_div(g, inner->num, dim_mul(g, inner->den, b));
    return new_atom(s, r, b);
}

const Dim *dim_mod(Graph *g, const Dim *a, const Dim *b)
{
    return dim_sub(g, a, dim_mul(g, b, dim_div(g, a, b)));
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

const Dim *dim_clamps(const Dim *p)
{
    const Atom *a = as_atom(p);
    return a && a->kind == ATOM_max ? a->num : p;
}

bool dim_const_value(const Dim *d, int64_t *v)
{
    if (d->n > 1 || (d->n == 1 && d->t[0].mono->n))
        return false;
    if (v)
        *v = d->n ? d->t[0].coef : 0;
    return true;
}

bool dim_is(const Dim *d, int64_t v)
{
    int64_t c;
    return dim_const_value(d, &c) && c == v;
}

/* The variable that d is, or NULL. */
static const Atom *as_var(const Dim *d)
{
    const Atom *a = as_atom(d);
    return a && a->kind == ATOM_var ? a : NULL;
}

bool dim_is_var(const Dim *d) { return as_var(d) != NULL; }

const char *dim_var_name(const Dim *d)
{
    const Atom *v = as_var(d);
    assert(v);
    return v->name;
}

bool dim_overflowed(const Graph *g) { return graph_dims(g)->overflow; }

const Dim *dim_unknown(Graph *g, int k)
{
    Dims *s = graph_dims(g);
    if (!s->unknown[k])
        s->unknown[k] = dim_var(g, "…");
    return s->unknown[k];
}

bool dim_try(Graph *g)
{
    Dims *s = graph_dims(g);
    bool before = s->overflow;
    s->overflow = false;
    return before;
}

bool dim_tried(Graph *g, bool before)
{
    Dims *s = graph_dims(g);
    bool good = !s->overflow;
    s->overflow = before;
    return good;
}

/* Walks below recurse into quotients; MAX_SIZE bounds depth and work. */

const Dim *dim_subst(Graph *g, const Dim *d, int n, const Dim *const *var,
                     const Dim *const *val)
{
    Dims *s = graph_dims(g);
    const Dim *sum = poly_of(s, NULL, 0);
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
                if (den->n == 0) {
                    s->overflow = true;
                    return sum;
                }
                x = dim_div(g, dim_subst(g, a->num, n, var, val), den);
            }
            if (a->kind == ATOM_max)
                x = dim_positive(g, dim_subst(g, a->num, n, var, val));
            for (int k = 0; k < m->f[j].power; k++)
                p = dim_mul(g, p, x);
        }
        sum = dim_add(g, sum, p);
    }
    return sum;
}

bool dim_uses(const Dim *d, const Dim *var)
{
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->t[i].mono->n; j++) {
            const Atom *a = d->t[i].mono->f[j].atom;
            if (a->self == var)
                return true;
            if ((a->num && dim_uses(a->num, var)) ||
                (a->den && dim_uses(a->den, var)))
                return true;
        }
    return false;
}

bool dim_linear_in(Graph *g, const Dim *d, const Dim *var, const Dim **q,
                   const Dim **r)
{
    Dims *s = graph_dims(g);
    const Atom *v = as_atom(var);
    assert(v);
    *q = *r = poly_of(s, NULL, 0);
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

/* Where variables have values. */
typedef struct Point {
    int n;
    const Dim *const *var;
    const int64_t *val;
    bool wraps; /* rather than overflows */
} Point;

static bool eval_at(const Dim *d, const Point *p, int64_t *out);

static bool atom_eval(const Atom *a, const Point *p, int64_t *out)
{
    if (a->kind == ATOM_var) {
        for (int i = 0; i < p->n; i++)
            if (p->var[i] == a->self) {
                *out = p->val[i];
                return true;
            }
        return false;
    }
    int64_t num, den;
    if (!eval_at(a->num, p, &num))
        return false;
    if (a->kind == ATOM_max) {
        *out = num > 0 ? num : 0;
        return true;
    }
    if (!eval_at(a->den, p, &den))
        return false;
    if (den == 0 || (num == INT64_MIN && den == -1))
        return false;
    *out = floor_div(num, den);
    return true;
}

/* The builtins give what is left modulo 2^64. */
static bool eval_at(const Dim *d, const Point *p, int64_t *out)
{
    int64_t sum = 0;
    for (int i = 0; i < d->n; i++) {
        const Mono *m = d->t[i].mono;
        int64_t term = d->t[i].coef, x;
        for (int j = 0; j < m->n; j++) {
            if (!atom_eval(m->f[j].atom, p, &x))
                return false;
            for (int k = 0; k < m->f[j].power; k++)
                if (__builtin_mul_overflow(term, x, &term) && !p->wraps)
                    return false;
        }
        if (__builtin_add_overflow(sum, term, &sum) && !p->wraps)
            return false;
    }
    *out = sum;
    return true;
}

bool dim_eval(const Dim *d, int n, const Dim *const *var, const int64_t *val,
              int64_t *out)
{
    return eval_at(d, &(Point){n, var, val, false}, out);
}

bool dim_wrapped(const Dim *d, int n, const Dim *const *var, const int64_t *val,
                 int64_t *out)
{
    return eval_at(d, &(Point){n, var, val, true}, out);
}

/* Printing. */

static void print_part(const Dim *d, bool atomic, Str *to)
{
    bool bare = d->n == 0 || (d->n == 1 && !atomic) || as_var(d) ||
                (dim_const_value(d, NULL) && d->t[0].coef >= 0);
    str_printf(to, bare ? "" : "(");
    dim_print(d, to);
    str_printf(to, bare ? "" : ")");
}

static void print_atom(const Atom *a, bool alone, Str *to)
{
    if (a->kind == ATOM_var) {
        str_printf(to, "%s", a->name);
        return;
    }
    if (a->kind == ATOM_max) {
        str_printf(to, "max(");
        dim_print(a->num, to);
        str_printf(to, ", 0)");
        return;
    }
    str_printf(to, alone ? "" : "(");
    print_part(a->num, false, to);
    str_printf(to, "/");
    print_part(a->den, true, to);
    str_printf(to, alone ? "" : ")");
}

static void print_term(const Term *t, bool first, Str *to)
{
    const Mono *m = t->mono;
    uint64_t c = t->coef < 0 ? -(uint64_t)t->coef : (uint64_t)t->coef;
    bool number = c != 1 || m->n == 0;
    if (first)
        str_printf(to, t->coef < 0 ? "-" : "");
    else
        str_printf(to, t->coef < 0 ? " - " : " + ");
    if (number)
        str_printf(to, "%llu", (unsigned long long)c);
    for (int i = 0; i < m->n; i++) {
        str_printf(to, number || i ? "*" : "");
        print_atom(m->f[i].atom, !number && m->degree == 1, to);
        if (m->f[i].power > 1)
            str_printf(to, "^%d", m->f[i].power);
    }
}

void dim_print(const Dim *d, Str *to)
{
    int lead = 0; /* a positive term first: "m - n" rather than "-n + m" */
    while (lead < d->n && d->t[lead].coef < 0)
        lead++;
    if (lead == d->n)
        lead = 0;
    if (d->n == 0)
        str_printf(to, "0");
    else
        print_term(&d->t[lead], true, to);
    for (int i = 0; i < d->n; i++)
        if (i != lead)
            print_term(&d->t[i], false, to);
}

const char *dim_text(Graph *g, const Dim *d)
{
    Str s = str_new(graph_arena(g));
    dim_print(d, &s);
    return s.at;
}

static void *visit_atom(const Atom *a, const DimVisitor *v)
{
    if (a->kind == ATOM_var)
        return v->variable(v->u, a->self);
    void *num = dim_visit(a->num, v);
    if (a->kind == ATOM_max)
        return v->positive(v->u, num);
    return v->div(v->u, num, dim_visit(a->den, v));
}

static void *visit_term(const Term *t, const DimVisitor *v)
{
    const Mono *m = t->mono;
    bool number = t->coef != 1 || m->n == 0;
    void *p = number ? v->constant(v->u, t->coef) : NULL;
    for (int j = 0; j < m->n; j++) {
        void *x = visit_atom(m->f[j].atom, v);
        for (int k = 0; k < m->f[j].power; k++)
            p = number || j || k ? v->mul(v->u, p, x) : x;
    }
    return p;
}

void *dim_visit(const Dim *d, const DimVisitor *v)
{
    void *sum = d->n ? visit_term(&d->t[0], v) : v->constant(v->u, 0);
    for (int i = 1; i < d->n; i++)
        sum = v->add(v->u, sum, visit_term(&d->t[i], v));
    return sum;
}

/* Ends. INT64_MIN below and INT64_MAX above: none is known. */

static int64_t end_add(int64_t a, int64_t b, int64_t none)
{
    int64_t v;
    bool over = __builtin_add_overflow(a, b, &v);
    return a == none || b == none || over ? none : v;
}

static int64_t end_mul(int64_t a, int64_t b)
{
    int64_t v, far = (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
    if (a == 0 || b == 0)
        return 0;
    if (a == INT64_MIN || a == INT64_MAX || b == INT64_MIN || b == INT64_MAX)
        return far;
    return __builtin_mul_overflow(a, b, &v) ? far : v;
}

/* The extremes of a product are among the products of the extremes. */
static Ends ends_mul(Ends a, Ends b)
{
    const int64_t x[] = {a.lo, a.hi}, y[] = {b.lo, b.hi};
    Ends e = {INT64_MAX, INT64_MIN};
    for (int i = 0; i < 4; i++) {
        int64_t v = end_mul(x[i / 2], y[i % 2]);
        e.lo = v < e.lo ? v : e.lo;
        e.hi = v > e.hi ? v : e.hi;
    }
    return e;
}

static int64_t end_div(int64_t a, int64_t b)
{
    return b == INT64_MAX ? -(a < 0) : floor_div(a, b);
}

/* b is positive; of a divisor that may be 0 the least value is 1, as there is
 * no quotient otherwise. */
static Ends ends_div(Ends a, Ends b)
{
    Ends e = {INT64_MIN, INT64_MAX};
    if (b.lo < 0 || b.hi < 1)
        return e;
    b.lo = b.lo ? b.lo : 1;
    if (a.lo != INT64_MIN)
        e.lo = end_div(a.lo, a.lo < 0 ? b.lo : b.hi);
    if (a.hi != INT64_MAX)
        e.hi = end_div(a.hi, a.hi < 0 ? b.hi : b.lo);
    return e;
}

static Ends atom_ends(const Atom *a, int n, const Dim *const *var,
                      const int64_t *most)
{
    if (a->kind == ATOM_div)
        return ends_div(dim_ends(a->num, n, var, most),
                        dim_ends(a->den, n, var, most));
    if (a->kind == ATOM_max) {
        Ends e = dim_ends(a->num, n, var, most);
        return (Ends){e.lo > 0 ? e.lo : 0, e.hi > 0 ? e.hi : 0};
    }
    for (int i = 0; i < n; i++)
        if (var[i] == a->self && most[i] >= 0)
            return (Ends){0, most[i]};
    return (Ends){0, INT64_MAX};
}

Ends dim_ends(const Dim *d, int n, const Dim *const *var, const int64_t *most)
{
    Ends sum = {0, 0};
    for (int i = 0; i < d->n; i++) {
        const Mono *m = d->t[i].mono;
        Ends term = {d->t[i].coef, d->t[i].coef};
        for (int j = 0; j < m->n; j++)
            for (int k = 0; k < m->f[j].power; k++)
                term = ends_mul(term, atom_ends(m->f[j].atom, n, var, most));
        sum.lo = end_add(sum.lo, term.lo, INT64_MIN);
        sum.hi = end_add(sum.hi, term.hi, INT64_MAX);
    }
    return sum;
}

bool dim_never_negative(const Dim *d)
{
    return dim_ends(d, 0, NULL, NULL).lo >= 0;
}

bool dim_quotient(const Dim *d, const Dim **q, const Dim **num, const Dim **den)
{
    const Atom *last = NULL;
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->t[i].mono->n; j++) {
            const Atom *a = d->t[i].mono->f[j].atom;
            if (a->kind == ATOM_div && (!last || a->id > last->id))
                last = a;
        }
    if (!last)
        return false;
    *q = last->self;
    *num = last->num;
    *den = last->den;
    return true;
}

bool dim_positive_vars(const Dim *d, int64_t *by, int max, int *n,
                       const Dim **var)
{
    const Mono *m = d->n ? d->t[0].mono : NULL;
    *n = 0;
    *by = d->n == 2 ? d->t[1].coef : 0;
    if (!m || m->n == 0 || d->t[0].coef < 1 || d->n > 2 ||
        (d->n == 2 && d->t[1].mono->n))
        return false;
    if (*by && (d->t[0].coef != 1 || m->degree > 1))
        return false;
    for (int j = 0; j < m->n && *n < max; j++)
        if (m->f[j].atom->kind == ATOM_var)
            var[(*n)++] = m->f[j].atom->self;
    return *n > 0;
}
