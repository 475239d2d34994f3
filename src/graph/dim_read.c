/* dim_read.c: what a dimension is: its value, its text, its ends. Walks recurse
 * into quotients; dim.c bounds depth and work. */
#include "graph/dim_internal.h"

#include <assert.h>

int64_t dim_floor_div(int64_t a, int64_t b)
{
    if (b == -1) /* INT64_MIN / -1 does not fit */
        return a == INT64_MIN ? INT64_MAX : -a;
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

const Atom *dim_as_atom(const Dim *d)
{
    if (d->n != 1 || d->t[0].coef != 1 || d->t[0].mono->degree != 1)
        return NULL;
    return d->t[0].mono->f[0].atom;
}

bool dim_const_value(const Dim *d, int64_t *v)
{
    if (d->n > 1 || (d->n == 1 && d->t[0].mono->n))
        return false;
    if (v)
        *v = d->n ? d->t[0].coef : 0;
    return true;
}

bool dim_too_large(const Dim *d)
{
    const Atom *a = dim_as_atom(d);
    return a && a->kind == ATOM_large;
}

bool dim_is(const Dim *d, int64_t v)
{
    int64_t c;
    return dim_const_value(d, &c) && c == v;
}

/* The variable that d is, or NULL. */
static const Atom *as_var(const Dim *d)
{
    const Atom *a = dim_as_atom(d);
    return a && a->kind == ATOM_var ? a : NULL;
}

bool dim_is_var(const Dim *d) { return as_var(d) != NULL; }

const char *dim_var_name(const Dim *d)
{
    const Atom *v = as_var(d);
    assert(v);
    return v->name;
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

static void add_var(Arena *a, const Dim *var, DimVars *to)
{
    for (int i = 0; i < to->n; i++)
        if (to->at[i] == var)
            return;
    list_push(a, to, var);
}

void dim_vars(Arena *a, const Dim *d, DimVars *to)
{
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->t[i].mono->n; j++) {
            const Atom *x = d->t[i].mono->f[j].atom;
            if (x->kind == ATOM_var)
                add_var(a, x->self, to);
            if (x->num)
                dim_vars(a, x->num, to);
            if (x->den)
                dim_vars(a, x->den, to);
        }
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
    if (a->kind == ATOM_large)
        return false;
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
    *out = dim_floor_div(num, den);
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
    if (a->kind == ATOM_var || a->kind == ATOM_large) {
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

void dims_print(int rank, const Dim *const *dim, Str *to)
{
    str_printf(to, "[");
    for (int i = 0; i < rank; i++) {
        str_printf(to, i ? ", " : "");
        dim_print(dim[i], to);
    }
    str_printf(to, "]");
}

const char *dims_text(Arena *a, int rank, const Dim *const *dim)
{
    Str s = str_new(a);
    dims_print(rank, dim, &s);
    return s.at;
}

const char *dim_text(Graph *g, const Dim *d)
{
    Str s = str_new(graph_arena(g));
    dim_print(d, &s);
    return s.at;
}

static void *visit_atom(const Atom *a, const DimVisitor *v)
{
    if (a->kind == ATOM_large)
        die("nothing can be made of a dimension that is too large");
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
    return b == INT64_MAX ? -(a < 0) : dim_floor_div(a, b);
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
    if (a->kind == ATOM_large)
        return (Ends){INT64_MIN, INT64_MAX};
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
    if (!m || d->n > 2 || (d->n == 2 && d->t[1].mono->n))
        return false;
    if (*by && (d->t[0].coef != 1 || m->degree > 1))
        return false;
    for (int j = 0; j < m->n && *n < max; j++)
        if (m->f[j].atom->kind == ATOM_var)
            var[(*n)++] = m->f[j].atom->self;
    return *n > 0;
}
