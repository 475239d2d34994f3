/* type.c: dtypes, and the tensors that a value of some type is made of. */
#include "graph/graph.h"
#include "graph/ops/ops.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name, *cname;
    int size;
    const char *word; /* where the language has another name */
} dtypes[NDTYPES] = {
    [DT_bool] = {"bool", "uint8_t", 1, NULL},
    [DT_u8] = {"u8", "uint8_t", 1, NULL},
    [DT_i32] = {"i32", "int32_t", 4, "int"},
    [DT_i64] = {"i64", "int64_t", 8, NULL},
    [DT_f32] = {"f32", "float", 4, NULL},
    [DT_f64] = {"f64", "double", 8, NULL},
    [DT_key] = {"key", "uint64_t", 8, NULL},
};

bool dtype_is_real(DType t) { return t == DT_f32 || t == DT_f64; }
bool dtype_is_int(DType t) { return t == DT_u8 || t == DT_i32 || t == DT_i64; }
int dtype_size(DType t) { return dtypes[t].size; }
const char *dtype_name(DType t) { return dtypes[t].name; }
const char *dtype_cname(DType t) { return dtypes[t].cname; }

const char *dtype_word(DType t)
{
    return dtypes[t].word ? dtypes[t].word : dtypes[t].name;
}

/* The smallest and largest value of an integer type; as doubles. */
static void int_range(DType t, double *lo, double *hi)
{
    *lo = t == DT_u8 ? 0 : t == DT_i32 ? INT32_MIN : -0x1p63;
    *hi = t == DT_u8 ? UINT8_MAX : t == DT_i32 ? INT32_MAX : 0x1p63;
}

/* v modulo the integer type's width. */
static double wrap(DType t, double v)
{
    double width = t == DT_u8 ? 0x1p8 : t == DT_i32 ? 0x1p32 : 0x1p64;
    double lo, hi;
    int_range(t, &lo, &hi);
    if (v >= lo && (v < hi || (v == hi && t != DT_i64)))
        return v;
    if (!isfinite(v))
        return 0;
    v = fmod(v, width);
    if (v < lo)
        v += width;
    return v > hi || (v == hi && t == DT_i64) ? v - width : v;
}

double dtype_fit(DType t, double v)
{
    switch (t) {
    case DT_bool:
        return v != 0;
    case DT_u8:
    case DT_i32:
    case DT_i64:
        return wrap(t, v);
    case DT_f32:
        return (float)v;
    case DT_f64:
    case DT_key:
    case NDTYPES:
        break;
    }
    return v;
}

int64_t int_of_real(double v)
{
    if (isnan(v))
        return 0;
    return v >= 0x1p63 ? INT64_MAX : v < -0x1p63 ? INT64_MIN : (int64_t)v;
}

int64_t dtype_wrap(DType t, int64_t v)
{
    switch (t) {
    case DT_bool:
        return v != 0;
    case DT_u8:
        return (uint8_t)v;
    case DT_i32:
        return (int64_t)((uint64_t)v & UINT32_MAX) -
               (v & INT64_C(0x80000000) ? INT64_C(1) << 32 : 0);
    case DT_i64:
    case DT_f32:
    case DT_f64:
    case DT_key:
    case NDTYPES:
        break;
    }
    return v;
}

double dtype_convert(DType from, DType to, double v)
{
    double lo, hi;
    if (!dtype_is_real(from) || !(dtype_is_int(to) || to == DT_key))
        return dtype_fit(to, v);
    if (isnan(v))
        return 0;
    int_range(to, &lo, &hi);
    v = trunc(v);
    return v < lo ? lo : v > hi ? hi : v;
}

/* Leaves. */

static int part_count(const Type *t)
{
    return t->kind == TY_tensor ? 0 : t->kind == TY_stack ? 1 : t->npart;
}

int type_leaf_count(const Type *t)
{
    int n = t->kind == TY_tensor;
    for (int i = 0; i < part_count(t); i++)
        n += type_leaf_count(t->part[i]);
    return n;
}

typedef struct Walk {
    Arena *arena;
    Leaf *leaf;
    int n;
    const Dim *stack[MAX_RANK]; /* counts of the stacks around */
    int depth;
} Walk;

static void walk_tensor(Walk *w, const Type *t, const char *path)
{
    int rank = w->depth + t->rank;
    const Dim **dim = NEWN(w->arena, const Dim *, rank);
    for (int i = 0; i < rank; i++)
        dim[i] = i < w->depth ? w->stack[i] : t->dim[i - w->depth];
    w->leaf[w->n++] = (Leaf){path, t->dtype, rank, dim};
}

/* Types are as deep as the source nests their declarations. */
static void walk(Walk *w, const Type *t, const char *path)
{
    bool stack = t->kind == TY_stack;
    if (t->kind == TY_tensor)
        walk_tensor(w, t, path);
    if (stack) {
        if (w->depth == MAX_RANK)
            die("stacks nested more than %d deep", MAX_RANK);
        w->stack[w->depth++] = t->count;
    }
    for (int i = 0; i < part_count(t); i++) {
        const char *dot = *path ? "." : "";
        const char *sub = path;
        if (t->kind == TY_struct)
            sub = arena_printf(w->arena, "%s%s%s", path, dot, t->field[i]);
        else if (t->kind == TY_tuple)
            sub = arena_printf(w->arena, "%s%s%d", path, dot, i);
        walk(w, t->part[i], sub);
    }
    w->depth -= stack;
}

Leaf *type_leaves(Graph *g, const Type *t, int *n)
{
    Walk w = {.arena = graph_arena(g)};
    w.leaf = NEWN(w.arena, Leaf, type_leaf_count(t));
    walk(&w, t, "");
    if (n)
        *n = w.n;
    return w.leaf;
}

bool type_is_fixed(const Type *t)
{
    if (t->kind == TY_stack && !dim_const_value(t->count, NULL))
        return false;
    for (int i = 0; t->kind == TY_tensor && i < t->rank; i++)
        if (!dim_const_value(t->dim[i], NULL))
            return false;
    for (int i = 0; i < part_count(t); i++)
        if (!type_is_fixed(t->part[i]))
            return false;
    return true;
}
