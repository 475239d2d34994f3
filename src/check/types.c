/* types.c: types as written to types of values; instances of structs. */
#include "check/index.h"
#include "check/scope.h"

#include <string.h>

bool dtype_of_name(const Check *c, const char *name, DType *t)
{
    *t = c->real;
    if (strcmp(name, real_word) == 0)
        return true;
    for (*t = 0; *t < NDTYPES; ++*t)
        if (strcmp(name, dtype_word(*t)) == 0)
            return true;
    return false;
}

/* Which parameters of a struct stand for types: those that occur where a type
 * does, here or in the structs that fields are made of. */

static int param_index(const StructItem *s, const char *name)
{
    for (int i = 0; i < s->nparam; i++)
        if (s->param[i] == name)
            return i;
    return -1;
}

int struct_field(const StructItem *s, const char *name)
{
    for (int i = 0; i < s->nfield; i++)
        if (s->field[i].name == name)
            return i;
    return -1;
}

const Value *struct_no_field(Check *c, const StructItem *s, Span at,
                             const char *name)
{
    const char **all = NEWN(c->arena, const char *, s->nfield + 1);

    for (int i = 0; i < s->nfield; i++)
        all[i] = s->field[i].name;
    check_fail(c, at, "unknown-field", "'%s' has no field '%s'%s", s->name,
               name, name_suggestion(c, name, all, s->nfield));
    return check_note(c, s->name_span, "'%s' is declared here", s->name);
}

static bool scan_type(Check *c, StructDef *d, const TypeEx *t);

static bool scan_args(Check *c, StructDef *d, const TypeEx *t)
{
    const Scope at = {.unit = d->unit};
    StructDef *of = struct_of_type(c, &at, t);

    if (!of)
        return true;
    if (of->busy)
        return check_refuse(c, t->span, "recursive-struct",
                            "'%s' would contain itself, without end",
                            of->item->name);
    if (!struct_ready(c, of))
        return false;
    for (int i = 0; i < t->narg && i < of->item->nparam; i++) {
        if (!of->is_type[i])
            continue;
        if (!scan_type(c, d, type_of_expr(c, t->arg[i])))
            return false;
    }
    return true;
}

static bool scan_type(Check *c, StructDef *d, const TypeEx *t)
{
    DType dtype;
    int k;

    if (!t)
        return true;
    if (t->kind == TE_fn)
        return check_refuse(c, t->span, "type",
                            "a struct holds tensors, not functions\n"
                            "functions are passed on as parameters");
    if (t->kind == TE_name && !t->module) {
        k = param_index(d->item, t->name);
        if (k >= 0) {
            d->is_type[k] = true;
            return true;
        }
        if (dtype_of_name(c, t->name, &dtype))
            return true;
    }
    if (t->kind == TE_name)
        return scan_args(c, d, t);
    for (int i = 0; i < t->npart; i++)
        if (!scan_type(c, d, t->part[i]))
            return false;
    return true;
}

static bool check_fields(Check *c, const StructItem *s)
{
    Scope *seen = scope_new(c, NULL, 0, NULL);
    const Binding *b;
    bool good = true;

    for (int i = 0; i < s->nfield; i++) {
        b = scope_find(seen, INT32_MAX, s->field[i].name);
        if (b) {
            check_fail(c, s->field[i].span, "duplicate",
                       "'%s' has two fields called '%s'", s->name, b->name);
            check_note(c, b->span, "the first is here");
            good = false;
        }
        scope_bind(c, seen, s->field[i].name, s->field[i].span, NULL);
    }
    for (int i = 0; i < s->nparam; i++) {
        if (param_index(s, s->param[i]) != i) {
            check_fail(c, s->param_span[i], "duplicate",
                       "'%s' has two parameters called '%s'", s->name,
                       s->param[i]);
            good = false;
        }
    }
    return good;
}

/* NULL after an error, which is told once. */
const StructDef *struct_ready(Check *c, StructDef *d)
{
    bool good;

    if (d->ready)
        return d->is_type ? d : NULL;
    if (!check_enter(c, d->item->name_span))
        return NULL;
    d->busy = true;
    d->is_type = NEWN(c->arena, bool, d->item->nparam + 1);
    good = check_fields(c, d->item);
    for (int i = 0; i < d->item->nfield && good; i++)
        good = scan_type(c, d, d->item->field[i].type);
    check_leave(c);
    d->busy = false;
    d->ready = true;
    if (!good)
        d->is_type = NULL;
    return good ? d : NULL;
}

Scope *struct_scope(Check *c, const StructDef *d, const TypeArg *arg)
{
    Scope *s = scope_new(c, NULL, 0, d->unit);

    for (int i = 0; i < d->item->nparam; i++) {
        Binding *b = scope_bind(c, s, d->item->param[i], d->item->param_span[i],
                                arg[i].dim ? value_dim(c, arg[i].dim) : NULL);

        b->ty = arg[i].type;
    }
    return s;
}

const Type *struct_instance(Check *c, const StructDef *d, const TypeArg *arg,
                            Span at)
{
    const StructItem *item = d->item;
    Scope *s = struct_scope(c, d, arg);
    const Type **part = NEWN(c->arena, const Type *, item->nfield + 1);
    const Type *t;

    if (!check_budget(c, at))
        return NULL;
    for (int i = 0; i < item->nfield; i++) {
        part[i] = type_eval(c, s, item->field[i].type);
        if (!part[i])
            return NULL;
    }
    t = type_of_struct(c, d, arg, part);
    if (t->nleaf > MAX_TYPE_LEAVES)
        return check_none(c, at, "too-large", "'%s' holds more than %d tensors",
                          item->name, MAX_TYPE_LEAVES);
    return t;
}

/* The name that e, or what is before its brackets, is, perhaps in a module. */
static bool take_name(const Expr *e, TypeEx *to)
{
    const Expr *name = e->kind == EX_index ? e->index.of : e;

    *to = (TypeEx){.kind = TE_name, .span = e->span, .depth = e->depth};
    if (name->kind == EX_field && name->field.of->kind == EX_name) {
        to->module = name->field.of->name;
        to->name = name->field.name;
    } else if (name->kind == EX_name) {
        to->name = name->name;
    }
    return to->name;
}

const TypeEx *type_of_expr(Check *c, const Expr *e)
{
    TypeEx *t = NEW(c->arena, TypeEx);

    if (!take_name(e, t))
        return check_none(c, e->span, "type", "a type was expected here");
    if (e->kind == EX_index) {
        t->has_args = true;
        t->narg = e->index.nsub;
        t->arg = NEWN(c->arena, Expr *, t->narg);
        for (int i = 0; i < t->narg; i++) {
            if (e->index.sub[i].range)
                return check_none(c, e->index.sub[i].span, "type",
                                  "a dimension was expected here, not a range");
            t->arg[i] = e->index.sub[i].lo;
        }
    }
    return t;
}

static const Entry *entry_of_type(Check *c, const Scope *s, const TypeEx *t)
{
    bool clash;
    const Entry *e;

    if (!t->module)
        return unit_find(c, s->unit, t->name, t->span, &clash);
    e = unit_find(c, s->unit, t->module, t->span, &clash);
    if (!e || e->kind != EN_unit)
        return NULL;
    return unit_find(c, e->names, t->name, t->span, &clash);
}

/* NULL where it names none; nothing is reported. */
StructDef *struct_of_type(Check *c, const Scope *s, const TypeEx *t)
{
    const Entry *e = t->kind == TE_name ? entry_of_type(c, s, t) : NULL;

    return e && e->kind == EN_struct ? e->def : NULL;
}

StructDef *struct_named(Check *c, const Scope *s, const Expr *e,
                        const Expr **index)
{
    TypeEx t;

    *index = e->kind == EX_index ? e : NULL;
    if (!take_name(e, &t) ||
        scope_lookup(c, s, t.module ? t.module : t.name, e->span).local)
        return NULL;
    return struct_of_type(c, s, &t);
}

static void unknown_type(Check *c, const Scope *s, const TypeEx *t)
{
    LIST(const char *) all = {NULL, 0, 0};
    Unit *const *use = s->unit->use.at;

    if (t->module) {
        check_fail(c, t->span, "unknown-type", "there is no type '%s.%s'",
                   t->module, t->name);
        return;
    }
    list_push(c->arena, &all, real_word);
    for (DType i = 0; i < NDTYPES; i++)
        list_push(c->arena, &all, dtype_word(i));
    for (int u = -1; u < s->unit->use.n; u++) {
        const Scope *of = (u < 0 ? s->unit : use[u])->scope;

        for (int i = 0; i < of->binding.n; i++)
            if (of->binding.at[i].entry->kind == EN_struct)
                list_push(c->arena, &all, of->binding.at[i].name);
    }
    check_fail(c, t->span, "unknown-type", "there is no type '%s'%s", t->name,
               name_suggestion(c, t->name, all.at, all.n));
    if (strcmp(t->name, "float") == 0 || strcmp(t->name, "double") == 0)
        check_detail(c, "real numbers are 'real', or 'f32' and 'f64'");
    else if (strcmp(t->name, "Tensor") == 0 || strcmp(t->name, "Array") == 0)
        check_detail(c, "a tensor's type says its shape: real[n, m]");
    else
        name_std_hint(c, t->name);
}

static const Type *tensor_type(Check *c, const Scope *s, const TypeEx *t,
                               DType dtype)
{
    const Dim *dim[2 * MAX_RANK] = {NULL};
    const Scope *lead = t->leading ? scope_leading(s) : NULL;
    int rank = 0;

    if (t->leading && !lead)
        return check_none(
            c, t->span, "leading",
            "'..' needs a parameter of the function that has it too");
    if (lead)
        for (; rank < lead->nleading; rank++)
            dim[rank] = lead->leading[rank];
    for (int i = 0; i < t->narg; i++) {
        const Dim *d = dim_of_expr(c, s, t->arg[i]);

        if (!d)
            return NULL;
        if (rank < 2 * MAX_RANK)
            dim[rank] = d;
        rank++;
    }
    if (!size_sensible(c, t->span, rank, dim))
        return NULL;
    return type_tensor(c->arena, dtype, rank, dim);
}

static const Type *struct_type(Check *c, const Scope *s, const TypeEx *t,
                               StructDef *d)
{
    TypeArg *arg = NEWN(c->arena, TypeArg, d->item->nparam + 1);
    const TypeEx *type;

    if (!struct_ready(c, d))
        return NULL;
    if (t->narg != d->item->nparam || t->leading) {
        check_fail(c, t->span, "type-arguments",
                   "'%s' takes %d parameter%s in brackets, not %d",
                   d->item->name, d->item->nparam,
                   d->item->nparam == 1 ? "" : "s", t->narg);
        check_note(c, d->item->name_span, "'%s' is declared here",
                   d->item->name);
        return NULL;
    }
    for (int i = 0; i < t->narg; i++) {
        if (d->is_type[i]) {
            type = type_of_expr(c, t->arg[i]);
            arg[i].type = type ? type_eval(c, s, type) : NULL;
        } else {
            arg[i].dim = dim_of_expr(c, s, t->arg[i]);
        }
        if (!arg[i].type && !arg[i].dim)
            return NULL;
    }
    return struct_instance(c, d, arg, t->span);
}

static const Type *named_type(Check *c, const Scope *s, const TypeEx *t)
{
    StructDef *d;
    DType dtype;
    int limit = INT32_MAX;

    if (!t->module && dtype_of_name(c, t->name, &dtype))
        return tensor_type(c, s, t, dtype);
    for (const Scope *k = s; k && !t->module; limit = k->up_limit, k = k->up) {
        const Binding *b = scope_find(k, limit, t->name);

        if (!b || !b->ty)
            continue;
        if (t->has_args)
            return check_none(
                c, t->span, "type-arguments",
                "'%s' stands for a whole type and takes no brackets", t->name);
        return b->ty;
    }
    d = struct_of_type(c, s, t);
    if (!d) {
        unknown_type(c, s, t);
        return NULL;
    }
    return struct_type(c, s, t, d);
}

static const Type *stack_type(Check *c, const Scope *s, const TypeEx *t)
{
    const Type *of = type_eval(c, s, t->part[0]);
    const Dim *count = of ? dim_of_expr(c, s, t->arg[0]) : NULL;
    const Type *stack;
    const Leaf *leaf;

    if (!count)
        return NULL;
    leaf = type_leaves(c->graph, of, NULL);
    for (int i = 0; of->kind != TY_tensor && i < of->nleaf; i++)
        if (leaf[i].rank >= MAX_RANK)
            return check_none(c, t->span, "rank",
                              "a tensor in this stack would have more "
                              "than %d dimensions",
                              MAX_RANK);
    stack = type_along(c, of, count);
    return size_sensible_type(c, t->span, stack) ? stack : NULL;
}

static const Type *tuple_type(Check *c, const Scope *s, const TypeEx *t)
{
    const Type **part = NEWN(c->arena, const Type *, t->npart + 1);
    const Type *tuple;

    for (int i = 0; i < t->npart; i++) {
        part[i] = type_eval(c, s, t->part[i]);
        if (!part[i])
            return NULL;
    }
    tuple = type_tuple(c->arena, t->npart, part);
    if (tuple->nleaf > MAX_TYPE_LEAVES)
        return check_none(c, t->span, "too-large",
                          "this type holds more than %d tensors",
                          MAX_TYPE_LEAVES);
    return tuple;
}

const Type *type_eval(Check *c, const Scope *s, const TypeEx *t)
{
    const Type *ty = NULL;

    if (!check_enter(c, t->span))
        return NULL;
    switch (t->kind) {
    case TE_name:
        ty = named_type(c, s, t);
        break;
    case TE_tuple:
        ty = tuple_type(c, s, t);
        break;
    case TE_stack:
        ty = stack_type(c, s, t);
        break;
    case TE_fn:
        check_fail(c, t->span, "type",
                   "a function's type stands for a parameter only");
        break;
    }
    check_leave(c);
    return ty;
}

static void note_indices(Check *c, Node *n)
{
    uint64_t mask = index_mask(c, n);
    int k = 0;

    for (const Index *x = c->index; x; x = x->up, k++)
        if (mask >> (k < 63 ? k : 63) & 1)
            check_note(c, x->span, "it depends on '%s'", x->name);
}

const Dim *dim_of_value(Check *c, const Value *v, Span at)
{
    const Dim *d;

    if (value_is_error(v))
        return NULL;
    if (!value_is_scalar(v) || !dtype_is_int(v->node->dtype))
        return check_none(c, at, "dimension",
                          "a dimension is an int, this is %s",
                          value_text(c, v));
    d = node_as_dim(c->graph, v->node);
    if (d) {
        bind_sized(c, v, d);
        return d;
    }
    if (index_mask(c, v->node)) {
        check_fail(c, at, "dimension",
                   "a dimension cannot change from one index to the next");
        note_indices(c, v->node);
        return NULL;
    }
    return check_none(
        c, at, "dimension",
        "a dimension cannot depend on a value that is computed while the "
        "program runs\n"
        "an int parameter of an exported function may be one, as may "
        "what follows from other dimensions");
}

static const Dim *dim_binary(Check *c, const Scope *s, const Expr *e)
{
    const Dim *l = dim_of_expr(c, s, e->binary.left);
    const Dim *r = l ? dim_of_expr(c, s, e->binary.right) : NULL;

    if (!r)
        return NULL;
    if (e->binary.op == BI_add)
        return dim_add(c->graph, l, r);
    if (e->binary.op == BI_sub)
        return dim_sub(c->graph, l, r);
    if (e->binary.op == BI_mul)
        return dim_mul(c->graph, l, r);
    if (dim_is(r, 0))
        return check_none(c, e->span, "zero-division",
                          "this dimension is divided by zero");
    return e->binary.op == BI_div ? dim_div(c->graph, l, r)
                                  : dim_mod(c->graph, l, r);
}

static bool is_dim_operator(const Expr *e)
{
    return e->kind == EX_binary &&
           (e->binary.op == BI_add || e->binary.op == BI_sub ||
            e->binary.op == BI_mul || e->binary.op == BI_div ||
            e->binary.op == BI_mod);
}

/* The parameter of the signature that e is in which it has the name of, though
 * that is no int. */
static const ParamEx *namesake(const Scope *s, const Expr *e)
{
    const FnItem *f = e->kind == EX_name ? s->signature : NULL;

    if (!f || scope_find(s, INT32_MAX, e->name))
        return NULL;
    for (int i = 0; i < f->nparam; i++)
        if (f->param[i].name == e->name)
            return &f->param[i];
    return NULL;
}

static const Dim *dim_of_operand(Check *c, const Scope *s, const Expr *e)
{
    int errors = diags_errors(c->diags);
    const ParamEx *p = namesake(s, e);
    const Value *v;

    if (p) {
        check_fail(c, e->span, "dimension",
                   "this dimension has the name of a parameter that is no int");
        check_note(c, p->span, "'%s' is declared here", p->name);
        return NULL;
    }
    v = eval(c, s, e);
    if (value_is_error(v) && e->kind == EX_name &&
        diags_errors(c->diags) > errors)
        check_detail(c, "a dimension is a parameter's, a const or an integer");
    return dim_of_value(c, v, e->span);
}

const Dim *dim_of_expr(Check *c, const Scope *s, const Expr *e)
{
    const Dim *d;
    int nest = 0;
    const Expr *p = e;

    if (e->kind == EX_int)
        return dim_const(c->graph, e->integer);
    while (is_dim_operator(p)) {
        p = p->binary.left;
        nest++;
    }
    if (nest == 0)
        return dim_of_operand(c, s, e);
    if (!check_has_room(c, nest) || !check_enter(c, e->span))
        return check_none(c, e->span, "too-deep",
                          "this dimension is nested too deeply");
    d = dim_binary(c, s, e);
    check_leave(c);
    if (!d || !dim_too_large(d))
        return d;
    size_too_large(c, e->span);
    return NULL;
}

static bool int_fits(double v, DType t)
{
    if (t == DT_u8)
        return v >= 0 && v <= UINT8_MAX;
    return t != DT_i32 || (v >= INT32_MIN && v <= INT32_MAX);
}

static bool ints_fit(const Node *n, DType t)
{
    bool fit_all = true;

    if (n->op == OP_const)
        return int_fits((double)n->attr.integer, t);
    for (int64_t i = 0; n->op == OP_data && i < n->attr.integer; i++)
        fit_all = fit_all && int_fits(n->attr.data[i], t);
    return fit_all;
}

Node *value_adapt(Check *c, const Value *v, DType t)
{
    if (v->literal == LIT_no)
        return v->node->dtype == t ? v->node : NULL;
    if (dtype_is_real(t))
        return t == c->real && v->literal == LIT_real
                   ? v->node
                   : g_cast(c->graph, t, v->real);
    if (v->literal == LIT_int && dtype_is_int(t) && ints_fit(v->node, t))
        return g_cast(c->graph, t, v->node);
    return NULL;
}

static const Value *fit_tensor(Check *c, const Type *t, const Value *v)
{
    Node *n;

    if (v->node->rank != t->rank)
        return NULL;
    for (int i = 0; i < t->rank; i++)
        if (v->node->dim[i] != t->dim[i])
            return NULL;
    n = value_adapt(c, v, t->dtype);
    if (!n)
        return NULL;
    return n == v->node && v->literal == LIT_no ? v : value_tensor(c, n);
}

static const Value *fit_tuple(Check *c, const Type *t, const Value *v)
{
    const Value **part = NEWN(c->arena, const Value *, t->npart + 1);

    if (v->npart != t->npart)
        return NULL;
    for (int i = 0; i < t->npart; i++) {
        part[i] = value_fit(c, t->part[i], v->part[i]);
        if (!part[i])
            return NULL;
    }
    return value_tuple(c, (Span){0, 0}, t->npart, part);
}

const Value *value_fit(Check *c, const Type *t, const Value *v)
{
    if (value_is_error(v))
        return v;
    if (t->kind == TY_tensor && v->kind == V_tensor)
        return fit_tensor(c, t, v);
    if (t->kind == TY_tuple && v->kind == V_tuple)
        return fit_tuple(c, t, v);
    if ((v->kind == V_struct || v->kind == V_stack) && type_equal(t, v->ty))
        return v;
    return NULL;
}
