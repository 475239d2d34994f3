/* ty.c: the types of values: building, comparing, printing, exporting. */
#include "check/check_internal.h"

#include <string.h>

static Ty *ty_new(Check *c, TypeKind kind)
{
    Ty *t = NEW(c->arena, Ty);

    t->kind = kind;
    return t;
}

const Ty *ty_tensor(Check *c, DType dtype, int rank, const Dim *const *dim)
{
    Ty *t = ty_new(c, TY_tensor);

    t->dtype = dtype;
    t->rank = rank;
    t->dim = arena_copy(c->arena, dim, sizeof *dim * (size_t)rank);
    t->nleaf = 1;
    return t;
}

const Ty *ty_scalar(Check *c, DType dtype)
{
    return ty_tensor(c, dtype, 0, NULL);
}

static void take_parts(Check *c, Ty *t, int n, const Ty *const *part)
{
    t->part = arena_copy(c->arena, part, sizeof *part * (size_t)n);
    t->npart = n;
    for (int i = 0; i < n; i++) {
        t->nleaf += part[i]->nleaf;
        if (t->nleaf > MAX_LEAVES)
            t->nleaf = MAX_LEAVES + 1;
    }
}

const Ty *ty_struct(Check *c, const StructDef *d, const TyArg *arg,
                    const Ty *const *part)
{
    Ty *t = ty_new(c, TY_struct);

    t->def = d;
    t->arg = arg;
    take_parts(c, t, d->item->nfield, part);
    return t;
}

const Ty *ty_tuple(Check *c, int n, const Ty *const *part)
{
    Ty *t = ty_new(c, TY_tuple);

    take_parts(c, t, n, part);
    return t;
}

const Ty *ty_stack(Check *c, const Ty *of, const Dim *count)
{
    Ty *t = ty_new(c, TY_stack);

    t->count = count;
    take_parts(c, t, 1, &of);
    return t;
}

static bool args_equal(const Ty *a, const Ty *b)
{
    for (int i = 0; i < a->def->item->nparam; i++) {
        if (a->arg[i].dim != b->arg[i].dim)
            return false;
        if (a->arg[i].ty && !ty_equal(a->arg[i].ty, b->arg[i].ty))
            return false;
    }
    return true;
}

bool ty_equal(const Ty *a, const Ty *b)
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
        if (!a->def->is_matrix)
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
        if (!ty_equal(a->part[i], b->part[i]))
            return false;
    return true;
}

const char *dtype_text(const Check *c, DType t)
{
    return t == c->real ? real_word : dtype_word(t);
}

static void print_dims(Check *c, int rank, const Dim *const *dim, Str *to)
{
    for (int i = 0; i < rank; i++)
        str_printf(to, "%s%s", i ? ", " : "", dim_text(c->graph, dim[i]));
}

const char *shape_text(Check *c, int rank, const Dim *const *dim)
{
    Str s = str_new(c->arena);

    str_printf(&s, "[");
    print_dims(c, rank, dim, &s);
    str_printf(&s, "]");
    return s.at;
}

static void print_struct(Check *c, const Ty *t, Str *to)
{
    int n = t->def->item->nparam;

    str_printf(to, "%s", t->def->item->name);
    for (int i = 0; i < n; i++) {
        str_printf(to, "%s", i ? ", " : "[");
        if (t->arg[i].ty)
            ty_print(c, t->arg[i].ty, to);
        else
            str_printf(to, "%s", dim_text(c->graph, t->arg[i].dim));
    }
    if (n > 0)
        str_printf(to, "]");
}

void ty_print(Check *c, const Ty *t, Str *to)
{
    switch (t->kind) {
    case TY_tensor:
        str_printf(to, "%s", dtype_text(c, t->dtype));
        if (t->rank > 0) {
            str_printf(to, "[");
            print_dims(c, t->rank, t->dim, to);
            str_printf(to, "]");
        }
        break;
    case TY_struct:
        print_struct(c, t, to);
        break;
    case TY_tuple:
        str_printf(to, "(");
        for (int i = 0; i < t->npart; i++) {
            str_printf(to, "%s", i ? ", " : "");
            ty_print(c, t->part[i], to);
        }
        str_printf(to, ")");
        break;
    case TY_stack:
        str_printf(to, "[");
        ty_print(c, t->part[0], to);
        str_printf(to, "; %s]", dim_text(c->graph, t->count));
        break;
    }
}

const char *ty_text(Check *c, const Ty *t)
{
    Str s = str_new(c->arena);

    ty_print(c, t, &s);
    return s.at;
}

static const Ty *stacked(Check *c, const Ty *t, const Dim *count)
{
    const Dim *dim[MAX_RANK + 1] = {count};

    if (t->rank > 0)
        memcpy(dim + 1, t->dim, sizeof *dim * (size_t)t->rank);
    return ty_tensor(c, t->dtype, t->rank + 1, dim);
}

static int put_leaf_types(Check *c, const Ty *t, const Ty **to)
{
    int n = 0;

    if (t->kind == TY_tensor) {
        to[n++] = t;
        return n;
    }
    for (int i = 0; i < t->npart; i++)
        n += put_leaf_types(c, t->part[i], to + n);
    if (t->kind == TY_stack)
        for (int i = 0; i < n; i++)
            to[i] = stacked(c, to[i], t->count);
    return n;
}

const Ty **ty_leaves(Check *c, const Ty *t)
{
    const Ty **leaf = NEWN(c->arena, const Ty *, t->nleaf + 1);

    put_leaf_types(c, t, leaf);
    return leaf;
}

static const char *join_path(Check *c, const char *a, const char *b)
{
    return *a ? arena_printf(c->arena, "%s.%s", a, b) : b;
}

static int put_paths(Check *c, const Ty *t, const char *path, const char **to)
{
    int n = 0;

    switch (t->kind) {
    case TY_tensor:
        to[n++] = path;
        break;
    case TY_stack:
        n += put_paths(c, t->part[0], path, to);
        break;
    case TY_struct:
        for (int i = 0; i < t->npart; i++)
            n += put_paths(c, t->part[i],
                           join_path(c, path, t->def->item->field[i].name),
                           to + n);
        break;
    case TY_tuple:
        for (int i = 0; i < t->npart; i++)
            n += put_paths(c, t->part[i],
                           join_path(c, path, arena_printf(c->arena, "%d", i)),
                           to + n);
        break;
    }
    return n;
}

const char **ty_paths(Check *c, const Ty *t)
{
    const char **path = NEWN(c->arena, const char *, t->nleaf + 1);

    put_paths(c, t, "", path);
    return path;
}

const Type *ty_export(Check *c, const Ty *t)
{
    Arena *a = graph_arena(c->graph);
    Type *out = NEW(a, Type);
    const Type **part = NEWN(a, const Type *, t->npart);

    out->kind = t->kind;
    out->text = ty_text(c, t);
    out->dtype = t->dtype;
    out->rank = t->rank;
    out->dim = t->dim;
    out->count = t->count;
    out->npart = t->npart;
    for (int i = 0; i < t->npart; i++)
        part[i] = ty_export(c, t->part[i]);
    out->part = part;
    if (t->kind == TY_struct) {
        const char **field = NEWN(a, const char *, t->npart);

        for (int i = 0; i < t->npart; i++)
            field[i] = t->def->item->field[i].name;
        out->field = field;
        out->name = t->def->item->name;
    }
    return out;
}
