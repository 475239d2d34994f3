/* type.c: dtypes; types of values and the tensors that they are made of. */
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

const char *const real_word = "real";

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

/* Types of values. */

const Type *type_tensor(Arena *a, DType dtype, int rank, const Dim *const *dim)
{
    Type t = {.kind = TY_tensor, .dtype = dtype, .rank = rank, .nleaf = 1};
    t.dim = arena_copy(a, dim, sizeof *dim * (size_t)rank);
    return arena_copy(a, &t, sizeof t);
}

const Type *type_scalar(Arena *a, DType dtype)
{
    return type_tensor(a, dtype, 0, NULL);
}

static const Type *of_parts(Arena *a, Type t, int n, const Type *const *part)
{
    t.part = arena_copy(a, part, sizeof *part * (size_t)n);
    t.npart = n;
    t.nleaf = 0;
    for (int i = 0; i < n && t.nleaf <= MAX_TYPE_LEAVES; i++)
        t.nleaf += part[i]->nleaf;
    if (t.nleaf > MAX_TYPE_LEAVES)
        t.nleaf = MAX_TYPE_LEAVES + 1;
    return arena_copy(a, &t, sizeof t);
}

const Type *type_tuple(Arena *a, int n, const Type *const *part)
{
    return of_parts(a, (Type){.kind = TY_tuple}, n, part);
}

const Type *type_stack(Arena *a, const Type *of, const Dim *count)
{
    return of_parts(a, (Type){.kind = TY_stack, .count = count}, 1, &of);
}

const Type *type_struct(Arena *a, const Type *as)
{
    Type t = *as;
    t.kind = TY_struct;
    return of_parts(a, t, t.npart, t.part);
}

static bool args_equal(const Type *a, const Type *b)
{
    if (a->narg != b->narg)
        return false;
    for (int i = 0; i < a->narg; i++)
        if (a->arg[i].dim != b->arg[i].dim ||
            (a->arg[i].type && !type_equal(a->arg[i].type, b->arg[i].type)))
            return false;
    return true;
}

bool type_equal(const Type *a, const Type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->npart != b->npart)
        return false;
    switch (a->kind) {
    case TY_tensor:
        return a->dtype == b->dtype && a->rank == b->rank &&
               (a->rank == 0 ||
                memcmp(a->dim, b->dim, sizeof *a->dim * (size_t)a->rank) == 0);
    case TY_struct:
        if (a->def != b->def || !args_equal(a, b))
            return false;
        if (!a->open)
            return true;
        break;
    case TY_stack:
        if (a->count != b->count)
            return false;
        break;
    case TY_tuple:
        break;
    }
    for (int i = 0; i < a->npart; i++)
        if (!type_equal(a->part[i], b->part[i]))
            return false;
    return true;
}

static void describe_tensor(const Type *t, DType real, Str *to)
{
    str_printf(to, "%s", t->dtype == real ? real_word : dtype_word(t->dtype));
    if (t->rank)
        dims_print(t->rank, t->dim, to);
}

static void describe_struct(const Type *t, DType real, Str *to)
{
    str_printf(to, "%s", t->name);
    for (int i = 0; i < t->narg; i++) {
        str_printf(to, "%s", i ? ", " : "[");
        if (t->arg[i].type)
            type_describe(t->arg[i].type, real, to);
        else
            dim_print(t->arg[i].dim, to);
    }
    str_printf(to, "%s", t->narg ? "]" : "");
}

void type_describe(const Type *t, DType real, Str *to)
{
    switch (t->kind) {
    case TY_tensor:
        describe_tensor(t, real, to);
        break;
    case TY_struct:
        describe_struct(t, real, to);
        break;
    case TY_tuple:
        str_printf(to, "(");
        for (int i = 0; i < t->npart; i++) {
            str_printf(to, "%s", i ? ", " : "");
            type_describe(t->part[i], real, to);
        }
        str_printf(to, ")");
        break;
    case TY_stack:
        str_printf(to, "[");
        type_describe(t->part[0], real, to);
        str_printf(to, "; ");
        dim_print(t->count, to);
        str_printf(to, "]");
        break;
    }
}

/* Leaves. */

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
    const Dim **dim = w->depth ? NEWN(w->arena, const Dim *, rank) : NULL;
    for (int i = 0; dim && i < rank; i++)
        dim[i] = i < w->depth ? w->stack[i] : t->dim[i - w->depth];
    w->leaf[w->n++] = (Leaf){path, t->dtype, rank, dim ? dim : t->dim};
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
    for (int i = 0; i < t->npart; i++) {
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
    w.leaf = NEWN(w.arena, Leaf, t->nleaf + 1);
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
    for (int i = 0; i < t->npart; i++)
        if (!type_is_fixed(t->part[i]))
            return false;
    return true;
}
