/* value.c: values of the language while compiling: trees of graph nodes. */
#include "check/check_internal.h"

#include <string.h>

/* Types. */

const char *dtype_text(const Check *c, DType t)
{
    return t == c->real ? real_word : dtype_word(t);
}

const char *type_text(Check *c, const Type *t)
{
    Str s = str_new(c->arena);

    type_describe(t, c->real, &s);
    return s.at;
}

const Type *type_of_struct(Check *c, const StructDef *d, const TypeArg *arg,
                           const Type *const *part)
{
    int n = d->item->nfield;
    const char **field = NEWN(c->arena, const char *, n + 1);
    Type t = {.def = d,
              .arg = arg,
              .narg = d->item->nparam,
              .open = d->is_matrix,
              .name = d->item->name,
              .field = field,
              .part = part,
              .npart = n};

    for (int i = 0; i < n; i++)
        field[i] = d->item->field[i].name;
    return type_struct(c->arena, &t);
}

const Type *type_export(Check *c, const Type *t)
{
    if (t->text)
        return t;
    ((Type *)(uintptr_t)t)->text = type_text(c, t);
    for (int i = 0; i < t->npart; i++)
        type_export(c, t->part[i]);
    return t;
}

const Type *type_along(Check *c, const Type *t, const Dim *n)
{
    if (t->kind != TY_tensor)
        return type_stack(c->arena, t, n);
    return type_tensor(c->arena, t->dtype, t->rank + 1,
                       dims_along(c->graph, n, t->rank, t->dim));
}

/* Values. */

bool value_is_error(const Value *v) { return v->kind == V_error; }

bool value_is_scalar(const Value *v)
{
    return v->kind == V_tensor && v->node->rank == 0;
}

bool value_is_tree(const Value *v)
{
    return v->kind == V_struct || v->kind == V_tuple || v->kind == V_stack;
}

const Value *value_literal(Check *c, Literal l, Node *n, Node *real)
{
    Value *v = NEW(c->arena, Value);

    v->kind = V_tensor;
    v->literal = l;
    v->node = n;
    v->real = real;
    v->nleaf = 1;
    v->hash =
        hash_mix(hash_mix(hash_mix(HASH_SEED, V_tensor), (uint64_t)n->id), l);
    return v;
}

const Value *value_tensor(Check *c, Node *n)
{
    return value_literal(c, LIT_no, n, NULL);
}

const Value *value_int(Check *c, int64_t v)
{
    Node *n = g_const_int(c->graph, DT_i64, v);

    return value_literal(c, LIT_int, n, g_const(c->graph, DT_f64, (double)v));
}

const Value *value_real(Check *c, double v)
{
    Node *wide = g_const(c->graph, DT_f64, v);

    return value_literal(c, LIT_real, g_const(c->graph, c->real, v), wide);
}

const Value *value_elements(Check *c, const Value *v, const Value *const *part,
                            int n)
{
    Value *w = NEW(c->arena, Value);

    *w = *v;
    w->part = part;
    w->npart = n;
    return w;
}

static Value *value_parts(Check *c, ValueKind kind, int n,
                          const Value *const *part)
{
    Value *v = NEW(c->arena, Value);

    v->kind = kind;
    v->part = arena_copy(c->arena, part, sizeof *part * (size_t)n);
    v->npart = n;
    v->hash = hash_mix(HASH_SEED, kind);
    for (int i = 0; i < n; i++) {
        v->nleaf += part[i]->nleaf;
        if (v->nleaf > MAX_TYPE_LEAVES)
            v->nleaf = MAX_TYPE_LEAVES + 1;
        v->hash = hash_mix(v->hash, part[i]->hash);
    }
    return v;
}

const Value *value_tuple(Check *c, Span at, int n, const Value *const *part)
{
    Value *v;

    for (int i = 0; i < n; i++)
        if (value_is_error(part[i]))
            return c->error;
    v = value_parts(c, V_tuple, n, part);
    if (v->nleaf > MAX_TYPE_LEAVES)
        return check_fail(c, at, "too-large",
                          "this value holds more than %d tensors",
                          MAX_TYPE_LEAVES);
    return v;
}

const Value *value_of_parts(Check *c, Span at, int n, const Value *const *part)
{
    return n == 1 ? part[0] : value_tuple(c, at, n, part);
}

const Value *value_struct(Check *c, const Type *t, const Value *const *field)
{
    Value *v = value_parts(c, V_struct, t->npart, field);

    v->ty = t;
    return v;
}

static const Value *value_stack(Check *c, const Type *t, Node *const *leaf)
{
    Value *v = NEW(c->arena, Value);

    v->kind = V_stack;
    v->ty = t;
    v->leaf = arena_copy(c->arena, leaf, sizeof *leaf * (size_t)t->nleaf);
    v->nleaf = t->nleaf;
    v->hash = hash_mix(HASH_SEED, V_stack);
    for (int i = 0; i < t->nleaf; i++)
        v->hash = hash_mix(v->hash, (uint64_t)leaf[i]->id);
    return v;
}

const Value *value_fn(Check *c, const Fn *f)
{
    Value *v = NEW(c->arena, Value);

    v->kind = V_fn;
    v->fn = f;
    v->hash = hash_mix(fn_hash(f), V_fn);
    return v;
}

const Value *value_dim(Check *c, const Dim *d)
{
    return value_tensor(c, g_dim(c->graph, DT_i32, d));
}

static bool parts_equal(const Value *a, const Value *b)
{
    if (a->npart != b->npart)
        return false;
    for (int i = 0; i < a->npart; i++)
        if (!value_equal(a->part[i], b->part[i]))
            return false;
    return true;
}

bool value_equal(const Value *a, const Value *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->hash != b->hash)
        return false;
    switch (a->kind) {
    case V_error:
        return true;
    case V_tensor:
        return a->node == b->node && a->literal == b->literal &&
               a->real == b->real;
    case V_struct:
        return type_equal(a->ty, b->ty) && parts_equal(a, b);
    case V_tuple:
        return parts_equal(a, b);
    case V_stack:
        return type_equal(a->ty, b->ty) &&
               memcmp(a->leaf, b->leaf, sizeof *a->leaf * (size_t)a->nleaf) ==
                   0;
    case V_fn:
        return fn_equal(a->fn, b->fn);
    }
    return false;
}

static const Type *tuple_ty(Check *c, const Value *v)
{
    const Type **part = NEWN(c->arena, const Type *, v->npart);

    for (int i = 0; i < v->npart; i++) {
        part[i] = value_ty(c, v->part[i]);
        if (!part[i])
            return NULL;
    }
    return type_tuple(c->arena, v->npart, part);
}

static const Type *tensor_ty(Check *c, const Value *v)
{
    Value *of = (Value *)(uintptr_t)v;

    if (!v->ty)
        of->ty = type_tensor(c->arena,
                             v->literal == LIT_int ? DT_i32 : v->node->dtype,
                             v->node->rank, v->node->dim);
    return v->ty;
}

const Type *value_ty(Check *c, const Value *v)
{
    switch (v->kind) {
    case V_tensor:
        return tensor_ty(c, v);
    case V_struct:
    case V_stack:
        return v->ty;
    case V_tuple:
        return tuple_ty(c, v);
    case V_error:
    case V_fn:
        return NULL;
    }
    return NULL;
}

const char *value_text(Check *c, const Value *v)
{
    const Type *t = value_ty(c, v);

    if (t)
        return type_text(c, t);
    if (v->kind == V_fn)
        return arena_printf(c->arena, "the function '%s'", fn_name(c, v->fn));
    return v->kind == V_tuple ? "a tuple with functions in it" : "?";
}

static Node *settled_node(Check *c, const Value *v)
{
    if (v->literal == LIT_int)
        return g_cast(c->graph, DT_i32, v->node);
    return v->node;
}

static int put_leaves(Check *c, const Value *v, Node **to)
{
    int n = 0;

    switch (v->kind) {
    case V_tensor:
        to[n++] = settled_node(c, v);
        break;
    case V_struct:
    case V_tuple:
        for (int i = 0; i < v->npart; i++)
            n += put_leaves(c, v->part[i], to + n);
        break;
    case V_stack:
        for (int i = 0; i < v->nleaf; i++)
            to[n++] = v->leaf[i];
        break;
    case V_error:
    case V_fn:
        break;
    }
    return n;
}

Node **value_leaves(Check *c, const Value *v)
{
    Node **leaf = NEWN(c->arena, Node *, v->nleaf + 1);

    put_leaves(c, v, leaf);
    return leaf;
}

Node **values_leaves(Check *c, int n, const Value *const *v, int *total)
{
    Node **leaf;
    int done = 0;

    *total = 0;
    for (int i = 0; i < n; i++)
        *total += v[i] ? v[i]->nleaf : 0;
    leaf = NEWN(c->arena, Node *, *total + 1);
    for (int i = 0; i < n; i++)
        done += v[i] ? put_leaves(c, v[i], leaf + done) : 0;
    return leaf;
}

const Value *value_of_leaves(Check *c, const Type *t, Node *const *leaf)
{
    const Value **part;

    if (t->kind == TY_tensor)
        return value_tensor(c, leaf[0]);
    if (t->kind == TY_stack)
        return value_stack(c, t, leaf);
    part = NEWN(c->arena, const Value *, t->npart);
    for (int i = 0; i < t->npart; i++) {
        part[i] = value_of_leaves(c, t->part[i], leaf);
        leaf += t->part[i]->nleaf;
    }
    if (t->kind == TY_struct)
        return value_struct(c, t, part);
    return value_parts(c, V_tuple, t->npart, part);
}

const Value *value_fresh(Check *c, const Type *t, const char *name)
{
    const Leaf *type = type_leaves(c->graph, t, NULL);
    Node **leaf = NEWN(c->arena, Node *, t->nleaf + 1);

    for (int i = 0; i < t->nleaf; i++) {
        const char *full =
            *type[i].path ? arena_printf(c->arena, "%s.%s", name, type[i].path)
                          : name;

        leaf[i] =
            g_param(c->graph, type[i].dtype, type[i].rank, type[i].dim, full);
    }
    return value_of_leaves(c, t, leaf);
}

const Value *value_settle(Check *c, Span at, const Value *v)
{
    int64_t i;

    if (!value_is_literal(v))
        return v;
    if (v->literal == LIT_int && v->node->op == OP_const) {
        i = v->node->attr.integer;
        if (i < INT32_MIN || i > INT32_MAX)
            return check_fail(c, at, "range",
                              "%lld does not fit into an int\n"
                              "i64(…) holds it",
                              (long long)i);
    }
    return value_tensor(c, settled_node(c, v));
}

const Value *value_map(Check *c, Span at, const Value *v, const Value *with,
                       ValueMap *map)
{
    const Value **part;

    if (v->kind != V_tuple)
        return map(c, at, v, with);
    if (with && (with->kind != V_tuple || with->npart != v->npart))
        return v;
    part = NEWN(c->arena, const Value *, v->npart + 1);
    for (int i = 0; i < v->npart; i++)
        part[i] =
            value_map(c, at, v->part[i], with ? with->part[i] : NULL, map);
    return value_tuple(c, at, v->npart, part);
}

bool value_is_literal(const Value *v)
{
    return v->kind == V_tensor && v->literal != LIT_no;
}

const Value *value_as_real(Check *c, const Value *v)
{
    return value_is_literal(v) ? value_tensor(c, value_adapt(c, v, c->real))
                               : v;
}

bool value_const_int(const Value *v, int64_t *out)
{
    if (!value_is_scalar(v) || v->node->op != OP_const ||
        !dtype_is_int(v->node->dtype))
        return false;
    *out = v->node->attr.integer;
    return true;
}

bool value_const_bool(const Value *v, bool *out)
{
    if (!value_is_scalar(v) || v->node->op != OP_const ||
        v->node->dtype != DT_bool)
        return false;
    *out = v->node->attr.integer != 0;
    return true;
}
