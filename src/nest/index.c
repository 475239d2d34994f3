/* index.c: affine indices with quotients, interned. */
#include "nest/index.h"

#include <string.h>

/* An Index with a number, by which atoms are put in an order that is the same
 * in every run. */
typedef struct Entry {
    Index index; /* first: an Index of ours is an Entry */
    int id;
} Entry;

struct IndexTable {
    Arena *arena;
    Graph *g;
    Map index, vec; /* Entry and Vec */
    const Dim *extent[2 * MAX_RANK];
    int nextent;
};

enum { MAX_TERMS = 256 };

/* A sum being put together. */
typedef struct Sum {
    const Dim *base;
    int n;
    const Dim *coef[MAX_TERMS];
    Atom atom[MAX_TERMS];
} Sum;

IndexTable *index_table(Arena *a, Graph *g)
{
    IndexTable *t = NEW(a, IndexTable);
    t->arena = a;
    t->g = g;
    return t;
}

void index_extents(IndexTable *t, int n, const Dim *const *extent)
{
    t->nextent = n;
    for (int i = 0; i < n; i++)
        t->extent[i] = extent[i];
}

static int id_of(const Index *x) { return x ? ((const Entry *)x)->id : -1; }

static bool same_atom(const Atom *a, const Atom *b)
{
    return a->kind == b->kind && a->var == b->var && a->value == b->value &&
           a->of == b->of && a->by == b->by;
}

static uint64_t sum_hash(const Sum *s)
{
    uint64_t h = hash_pointer(HASH_SEED, s->base);
    for (int i = 0; i < s->n; i++) {
        const Atom *a = &s->atom[i];
        h = hash_pointer(h, s->coef[i]);
        h = hash_mix(h, (uint64_t)a->kind);
        h = hash_mix(h, (uint64_t)(int64_t)a->var << 32 ^
                            (uint64_t)(int64_t)a->value);
        h = hash_pointer(hash_pointer(h, a->of), a->by);
    }
    return h;
}

static bool same_sum(const Index *x, const Sum *s)
{
    if (x->base != s->base || x->n != s->n)
        return false;
    for (int i = 0; i < s->n; i++)
        if (x->coef[i] != s->coef[i] || !same_atom(&x->atom[i], &s->atom[i]))
            return false;
    return true;
}

static Entry *entry_new(IndexTable *t, const Sum *s)
{
    Entry *e = NEW(t->arena, Entry);
    e->id = (int)t->index.n;
    e->index.base = s->base;
    e->index.n = s->n;
    e->index.coef = NEWN(t->arena, const Dim *, s->n + 1);
    e->index.atom = NEWN(t->arena, Atom, s->n + 1);
    for (int i = 0; i < s->n; i++) {
        e->index.coef[i] = s->coef[i];
        e->index.atom[i] = s->atom[i];
    }
    return e;
}

static const Index *intern_sum(IndexTable *t, const Sum *s)
{
    uint64_t h = sum_hash(s);
    Entry *e;
    for (size_t seen = 0; (e = map_next(&t->index, h, &seen));)
        if (same_sum(&e->index, s))
            return &e->index;
    e = entry_new(t, s);
    map_put(t->arena, &t->index, h, e);
    return &e->index;
}

static int compare_atoms(const Atom *a, const Atom *b)
{
    if (a->kind != b->kind)
        return (int)a->kind - (int)b->kind;
    if (a->var != b->var)
        return a->var - b->var;
    if (a->value != b->value)
        return a->value - b->value;
    if (a->of != b->of)
        return id_of(a->of) - id_of(b->of);
    return 0;
}

static void sum_remove(Sum *s, int i)
{
    s->n--;
    for (; i < s->n; i++) {
        s->atom[i] = s->atom[i + 1];
        s->coef[i] = s->coef[i + 1];
    }
}

/* s += coef · atom, keeping the atoms ascending. */
static void sum_term(IndexTable *t, Sum *s, const Dim *coef, const Atom *atom)
{
    int at = 0;
    if (dim_is(coef, 0))
        return;
    while (at < s->n && compare_atoms(&s->atom[at], atom) < 0)
        at++;
    for (int i = at; i < s->n && compare_atoms(&s->atom[i], atom) == 0; i++) {
        if (s->atom[i].by != atom->by)
            continue;
        s->coef[i] = dim_add(t->g, s->coef[i], coef);
        if (dim_is(s->coef[i], 0))
            sum_remove(s, i);
        return;
    }
    if (s->n == MAX_TERMS)
        die("an index has more than %d terms", MAX_TERMS);
    for (int i = s->n++; i > at; i--) {
        s->atom[i] = s->atom[i - 1];
        s->coef[i] = s->coef[i - 1];
    }
    s->atom[at] = *atom;
    s->coef[at] = coef;
}

static void sum_index(IndexTable *t, Sum *s, const Index *x, const Dim *by)
{
    s->base = dim_add(t->g, s->base, dim_mul(t->g, x->base, by));
    for (int i = 0; i < x->n; i++)
        sum_term(t, s, dim_mul(t->g, x->coef[i], by), &x->atom[i]);
}

/* (x / n) · n · c + (x % n) · c = x · c */
static bool sum_rejoin(IndexTable *t, Sum *s)
{
    for (int i = 0; i < s->n; i++) {
        const Atom d = s->atom[i];
        for (int k = 0; d.kind == IX_div && k < s->n; k++) {
            const Atom *m = &s->atom[k];
            if (m->of != d.of || m->by != d.by ||
                s->coef[i] != dim_mul(t->g, s->coef[k], d.by))
                continue; /* d itself, too, for it is by more than 1 */
            const Dim *c = s->coef[k];
            sum_remove(s, i > k ? i : k);
            sum_remove(s, i > k ? k : i);
            sum_index(t, s, d.of, c);
            return true;
        }
    }
    return false;
}

static Sum sum_new(IndexTable *t)
{
    Sum s;
    s.base = dim_const(t->g, 0);
    s.n = 0;
    return s;
}

const Index *index_dim(IndexTable *t, const Dim *d)
{
    Sum s = sum_new(t);
    s.base = d;
    return intern_sum(t, &s);
}

const Index *index_int(IndexTable *t, int64_t v)
{
    return index_dim(t, dim_const(t->g, v));
}

static const Index *index_atom(IndexTable *t, const Atom *a)
{
    Sum s = sum_new(t);
    sum_term(t, &s, dim_const(t->g, 1), a);
    return intern_sum(t, &s);
}

const Index *index_var(IndexTable *t, int var)
{
    Atom a = {.kind = IX_var, .var = var, .value = -1};
    return index_atom(t, &a);
}

const Index *index_value(IndexTable *t, int value)
{
    Atom a = {.kind = IX_value, .var = -1, .value = value};
    return index_atom(t, &a);
}

const Index *index_add(IndexTable *t, const Index *a, const Index *b)
{
    Sum s = sum_new(t);
    const Dim *one = dim_const(t->g, 1);
    sum_index(t, &s, a, one);
    sum_index(t, &s, b, one);
    while (sum_rejoin(t, &s))
        ;
    return intern_sum(t, &s);
}

const Index *index_scale(IndexTable *t, const Index *a, const Dim *by)
{
    Sum s = sum_new(t);
    sum_index(t, &s, a, by);
    return intern_sum(t, &s);
}

static const Dim *extent_of(const IndexTable *t, const Atom *a)
{
    if (a->kind == IX_var && a->var < t->nextent)
        return t->extent[a->var];
    return a->kind == IX_mod ? a->by : NULL;
}

/* Is x certainly in 0 … by-1: variables as the digits of one number. */
static bool below_digits(IndexTable *t, const Sum *x, const Dim *by)
{
    const Dim *cover = dim_const(t->g, 1);
    bool used[MAX_TERMS] = {false};
    int64_t c, b;
    if (!dim_is(x->base, 0))
        return false;
    for (int done = 0; done < x->n;) {
        int i = 0;
        while (i < x->n && (used[i] || x->coef[i] != cover))
            i++;
        if (i == x->n || !extent_of(t, &x->atom[i]))
            return false;
        used[i] = true;
        done++;
        cover = dim_mul(t->g, cover, extent_of(t, &x->atom[i]));
    }
    return cover == by || x->n == 0 ||
           (dim_const_value(cover, &c) && dim_const_value(by, &b) && c <= b);
}

/* The same, each variable taken at its largest. */
static bool below_most(IndexTable *t, const Sum *x, const Dim *by)
{
    const Dim *one = dim_const(t->g, 1), *most = x->base;
    if (!dim_never_negative(x->base))
        return false;
    for (int i = 0; i < x->n; i++) {
        const Dim *extent = extent_of(t, &x->atom[i]);
        if (!extent || !dim_never_negative(x->coef[i]))
            return false;
        extent = dim_mul(t->g, x->coef[i], dim_sub(t->g, extent, one));
        most = dim_add(t->g, most, extent);
    }
    return dim_never_negative(dim_sub(t->g, dim_sub(t->g, by, one), most));
}

static bool below(IndexTable *t, const Sum *x, const Dim *by)
{
    return below_digits(t, x, by) || below_most(t, x, by);
}

/* d = q · by + r: r is 0 if there is such a q, else 1 (m·i + i is (m + 1)·i),
 * else q is 0 but of constants. */
static void divide(IndexTable *t, const Dim *d, const Dim *by, const Dim **q,
                   const Dim **r)
{
    const Dim *one = dim_const(t->g, 1);
    int64_t c, b;
    *r = dim_const(t->g, 0);
    *q = dim_exact(t->g, d, by);
    if (*q)
        return;
    *r = one;
    *q = dim_exact(t->g, dim_sub(t->g, d, one), by);
    if (*q)
        return;
    bool known = dim_const_value(d, &c) && dim_const_value(by, &b) && b > 0;
    bool large = known && (c >= b || -c >= b);
    *q = large ? dim_div(t->g, d, by) : dim_const(t->g, 0);
    *r = dim_sub(t->g, d, dim_mul(t->g, *q, by));
}

/* a = q · by + r, r with what is left of the terms. */
static void split(IndexTable *t, const Index *a, const Dim *by, Sum *q, Sum *r)
{
    *q = sum_new(t);
    *r = sum_new(t);
    divide(t, a->base, by, &q->base, &r->base);
    for (int i = 0; i < a->n; i++) {
        const Dim *whole, *rest;
        divide(t, a->coef[i], by, &whole, &rest);
        sum_term(t, q, whole, &a->atom[i]);
        sum_term(t, r, rest, &a->atom[i]);
    }
}

const Index *index_div(IndexTable *t, const Index *a, const Dim *by)
{
    Sum q, r;
    if (dim_is(by, 1) || dim_is(by, 0))
        return dim_is(by, 1) ? a : index_int(t, 0);
    split(t, a, by, &q, &r);
    if (below(t, &r, by))
        return intern_sum(t, &q);
    Atom rest = {.kind = IX_div, .var = -1, .value = -1, .by = by};
    rest.of = intern_sum(t, &r);
    sum_term(t, &q, dim_const(t->g, 1), &rest);
    return intern_sum(t, &q);
}

const Index *index_mod(IndexTable *t, const Index *a, const Dim *by)
{
    Sum q, r;
    if (dim_is(by, 1) || dim_is(by, 0))
        return index_int(t, 0);
    split(t, a, by, &q, &r);
    if (below(t, &r, by))
        return intern_sum(t, &r);
    Atom rest = {.kind = IX_mod, .var = -1, .value = -1, .by = by};
    rest.of = intern_sum(t, &r);
    return index_atom(t, &rest);
}

bool index_reads(const Index *x)
{
    for (int i = 0; i < x->n; i++)
        if (x->atom[i].kind == IX_value ||
            (x->atom[i].of && index_reads(x->atom[i].of)))
            return true;
    return false;
}

bool index_is_var(const Index *a, int var)
{
    return a->n == 1 && dim_is(a->base, 0) && dim_is(a->coef[0], 1) &&
           a->atom[0].var == var;
}

/* What variables and instructions become; NULL: they stay. */
typedef struct Renaming {
    int n;
    const Index *const *var;
    const int *value;
} Renaming;

static const Index *renamed(IndexTable *t, const Index *a, const Renaming *to)
{
    const Index *r = index_dim(t, a->base);
    for (int i = 0; i < a->n; i++) {
        const Atom *x = &a->atom[i];
        const Index *part = NULL;
        switch (x->kind) {
        case IX_var:
            part = x->var < to->n ? to->var[x->var] : index_var(t, x->var);
            break;
        case IX_value:
            part = index_value(t, to->value ? to->value[x->value] : x->value);
            break;
        case IX_div:
            part = index_div(t, renamed(t, x->of, to), x->by);
            break;
        case IX_mod:
            part = index_mod(t, renamed(t, x->of, to), x->by);
            break;
        }
        r = index_add(t, r, index_scale(t, part, a->coef[i]));
    }
    return r;
}

const Index *index_rename(IndexTable *t, const Index *a, int n,
                          const Index *const *to)
{
    return renamed(t, a, &(Renaming){.n = n, .var = to});
}

const Index *index_renumber(IndexTable *t, const Index *a, const int *to)
{
    return renamed(t, a, &(Renaming){.value = to});
}

const Dim *index_coef(const Index *a, int var)
{
    for (int i = 0; i < a->n; i++)
        if (a->atom[i].kind == IX_var && a->atom[i].var == var)
            return a->coef[i];
    return NULL;
}

bool index_steps(const Index *a, int var)
{
    const Dim *coef = index_coef(a, var);
    return coef && dim_is(coef, 1);
}

bool index_nested(const Index *a, int var)
{
    for (int i = 0; i < a->n; i++) {
        const Index *of = a->atom[i].of;
        if (of && (index_coef(of, var) || index_nested(of, var)))
            return true;
    }
    return false;
}

bool index_joins(Graph *g, const Index *x, int v, const Dim *extent)
{
    const Dim *outer = index_coef(x, v), *inner = index_coef(x, v + 1);
    if (index_nested(x, v) || index_nested(x, v + 1))
        return false;
    if (!outer && !inner)
        return true;
    return inner && outer == dim_mul(g, inner, extent);
}

/* Vectors. */

const Vec *vec_make(IndexTable *t, int n, const Index *const *at)
{
    uint64_t h = hash_mix(HASH_SEED, (uint64_t)n);
    size_t bytes = sizeof *at * (size_t)n;
    for (int i = 0; i < n; i++)
        h = hash_mix(h, (uint64_t)id_of(at[i]));
    Vec *v;
    for (size_t seen = 0; (v = map_next(&t->vec, h, &seen));)
        if (v->n == n && (n == 0 || memcmp(v->at, at, bytes) == 0))
            return v;
    v = NEW(t->arena, Vec);
    v->n = n;
    v->id = (int)t->vec.n;
    v->at = n ? arena_copy(t->arena, at, bytes) : NULL;
    map_put(t->arena, &t->vec, h, v);
    return v;
}

const Index *vec_linear(IndexTable *t, const Vec *v, const Dim *const *dim)
{
    const Index *x = index_int(t, 0);
    for (int i = 0; i < v->n; i++)
        x = index_add(t, index_scale(t, x, dim[i]), v->at[i]);
    return x;
}
