/* module.c: bounds of a function's dimensions. */

#include "graph/graph.h"

/* All values of a dimension lie between lo and hi, or nothing is known. */
typedef struct Range {
    int64_t lo, hi;
    bool known;
} Range;

typedef struct Bounds {
    const Function *function;
    Arena *arena;
} Bounds;

static Range *range(Bounds *b, int64_t lo, int64_t hi, bool known)
{
    Range *r = NEW(b->arena, Range);

    *r = (Range){lo, hi, known};
    return r;
}

static void *range_constant(void *u, int64_t v) { return range(u, v, v, true); }

static void *range_variable(void *u, const Dim *var)
{
    const Bounds *b = u;
    const Function *f = b->function;

    for (int i = 0; f->var_max && i < f->nvar; i++)
        if (f->var[i] == var && f->var_max[i] >= 0)
            return range(u, 0, f->var_max[i], true);
    return range(u, 0, 0, false);
}

static void *range_add(void *u, void *left, void *right)
{
    const Range *a = left, *b = right;
    int64_t lo, hi;
    bool over = __builtin_add_overflow(a->lo, b->lo, &lo);

    over |= __builtin_add_overflow(a->hi, b->hi, &hi);
    return range(u, lo, hi, a->known && b->known && !over);
}

/* The extremes of a product are among the products of the extremes. */
static void *range_mul(void *u, void *left, void *right)
{
    const Range *a = left, *b = right;
    const int64_t x[] = {a->lo, a->hi}, y[] = {b->lo, b->hi};
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    bool over = false;

    for (int i = 0; i < 4; i++) {
        int64_t v;
        over |= __builtin_mul_overflow(x[i / 2], y[i % 2], &v);
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    return range(u, lo, hi, a->known && b->known && !over);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static void *range_div(void *u, void *left, void *right)
{
    const Range *a = left, *b = right;

    if (!a->known || !b->known || b->lo <= 0)
        return range(u, 0, 0, false);
    return range(u, floor_div(a->lo, a->lo < 0 ? b->lo : b->hi),
                 floor_div(a->hi, a->hi < 0 ? b->hi : b->lo), true);
}

static void *range_mod(void *u, void *left, void *right)
{
    const Range *a = left, *b = right;

    return range(u, 0, b->hi - 1, a->known && b->known && b->lo > 0);
}

bool function_bound(const Function *f, const Dim *d, int64_t *most)
{
    Bounds b = {f, arena_new()};
    const DimVisitor v = {&b,        range_constant, range_variable, range_add,
                          range_mul, range_div,      range_mod};
    const Range *r = dim_visit(d, &v);
    bool known = r->known;

    if (known)
        *most = r->hi;
    arena_free(b.arena);
    return known;
}

static bool ports_use(const Port *p, int n, const Dim *var)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < p[i].nleaf; k++)
            for (int d = 0; d < p[i].leaf[k]->rank; d++)
                if (dim_uses(p[i].leaf[k]->dim[d], var))
                    return true;
    return false;
}

bool function_has_size(const Function *f, int i)
{
    return ports_use(f->param, f->nparam, f->var[i]) ||
           ports_use(f->result, f->nresult, f->var[i]);
}
