/* construct.c: values of structs: Name(field = e, …), and by initialisers. */
#include "check/builtin.h"
#include "check/index.h"
#include "check/scope.h"
#include "region/region.h"

#include <string.h>

static Node *fill_tensor(Check *c, const Leaf *t, const Value *v)
{
    Node *n = value_adapt(c, v, t->dtype);

    if (!n || n->rank > t->rank)
        return NULL;
    for (int i = 0; i < n->rank; i++)
        if (n->dim[i] != t->dim[t->rank - n->rank + i] && !dim_is(n->dim[i], 1))
            return NULL;
    return arith_spread(c, n, t->rank, t->dim);
}

const Value *value_fill(Check *c, const Type *t, const Value *v, Span at)
{
    const Leaf *type = type_leaves(c->graph, t, NULL);
    Node **leaf = NEWN(c->arena, Node *, t->nleaf + 1);
    bool good = v->kind == V_tensor;

    if (value_is_error(v))
        return NULL;
    if (value_fit(c, t, v))
        return value_fit(c, t, v);
    for (int i = 0; i < t->nleaf && good; i++) {
        leaf[i] = fill_tensor(c, &type[i], v);
        good = leaf[i] != NULL;
    }
    if (good)
        return value_of_leaves(c, t, leaf);
    check_fail(c, at, "type-mismatch", "this does not fit %s", type_text(c, t));
    diag_label(c->diags, at, "%s", value_text(c, v));
    return NULL;
}

/* ~ normal(mean, std), ~ uniform(lo, hi). */

typedef struct Distribution {
    bool normal;
    Node *a, *b; /* of the field's dtype */
} Distribution;

static bool distribution(Check *c, const Scope *s, const Expr *e, DType t,
                         Distribution *d)
{
    const char *name = e->kind == EX_call && e->call.fn->kind == EX_name
                           ? e->call.fn->name
                           : "";
    Node *arg[2] = {NULL, NULL};

    d->normal = strcmp(name, "normal") == 0;
    if ((!d->normal && strcmp(name, "uniform") != 0) || e->call.narg != 2)
        return check_refuse(
            c, e->span, "initialiser",
            "'~' takes normal(mean, std), uniform(lo, hi) or a function of a "
            "key\n"
            "~ f(a, b) calls f(key, a, b)");
    for (int i = 0; i < 2; i++) {
        const Value *v = eval(c, s, e->call.arg[i].value);

        if (value_is_error(v))
            return false;
        arg[i] = value_is_scalar(v) ? value_adapt(c, v, t) : NULL;
        if (arg[i])
            continue;
        return check_refuse(c, e->call.arg[i].value->span, "initialiser",
                            "this is to be a %s, not %s", dtype_text(c, t),
                            value_text(c, v));
    }
    d->a = arg[0];
    d->b = arg[1];
    return true;
}

/* normal: a + b z;  uniform: a + (b - a) u */
static Node *draw(Check *c, const Distribution *d, const Leaf *t, Node *key)
{
    Graph *g = c->graph;
    Node *scale = d->normal ? d->b : g2(g, OP_sub, d->b, d->a);
    Node *z = d->normal ? g_normal(g, t->dtype, key, t->rank, t->dim)
                        : g_uniform(g, t->dtype, key, t->rank, t->dim);

    scale = g_broadcast_to(g, scale, t->rank, t->dim);
    z = g2(g, OP_mul, scale, z);
    return g2(g, OP_add, g_broadcast_to(g, d->a, t->rank, t->dim), z);
}

/* The program's own function that draws, or NULL. */
static const Fn *drawing_function(Check *c, const Scope *s, const Expr *e)
{
    const Expr *name = e->kind == EX_call ? e->call.fn : NULL;
    Found f = {NULL, NULL, NULL, false};
    const Value *v;

    if (name && name->kind == EX_name)
        f = scope_lookup(c, s, name->name, name->span);
    if (!name || (name->kind == EX_name && !f.entry))
        return NULL;
    v = eval(c, s, name);
    return v->kind == V_fn ? v->fn : NULL;
}

/* ~ f(a): f(key, a), which is to give the field. */
static const Value *drawn_by(Check *c, const Scope *s, const FieldEx *f,
                             const Fn *by, const Type *t, Node *key)
{
    const Value *v = call_with(c, s, by, value_tensor(c, key), f->init);

    if (value_is_error(v))
        return NULL;
    if (value_fit(c, t, v))
        return value_fit(c, t, v);
    check_fail(c, f->init->span, "initialiser",
               "this does not draw '%s', which is %s", f->name,
               type_text(c, t));
    diag_label(c->diags, f->init->span, "%s", value_text(c, v));
    return NULL;
}

static const Value *random_field(Check *c, const Scope *s, const FieldEx *f,
                                 const Type *t, Node *key, int64_t *number)
{
    const Fn *by = drawing_function(c, s, f->init);
    Distribution d = {0};
    const Leaf *type = type_leaves(c->graph, t, NULL);
    Node **leaf = NEWN(c->arena, Node *, t->nleaf + 1);

    if (by)
        return drawn_by(c, s, f, by, t, g_split(c->graph, key, (*number)++));
    for (int i = 0; i < t->nleaf; i++) {
        if (!dtype_is_real(type[i].dtype))
            return check_none(c, f->span, "initialiser",
                              "'%s' is %s; only reals are drawn at random",
                              f->name, type_text(c, t));
        if (!distribution(c, s, f->init, type[i].dtype, &d))
            return NULL;
        leaf[i] = draw(c, &d, &type[i], g_split(c->graph, key, (*number)++));
    }
    return value_of_leaves(c, t, leaf);
}

static const Value *initial_field(Check *c, const Scope *s, const Type *of,
                                  int i, Node *key, int64_t *number, Span at)
{
    const FieldEx *f = &of->def->item->field[i];
    const Type *t = of->part[i];
    const Value *v;
    Span before;

    if (!f->init)
        return construct_initial(c, t, key, number, f->span);
    before = graph_span(c->graph, call_user_span(c, s, f->init->span));
    if (!f->random) {
        v = value_fill(c, t, eval(c, s, f->init), f->init->span);
    } else if (key) {
        v = random_field(c, s, f, t, key, number);
    } else {
        check_fail(c, at, "missing-field",
                   "'%s' is drawn at random and must be given here", f->name);
        check_note(c, f->span, "'%s' is declared here", f->name);
        v = NULL;
    }
    graph_span(c->graph, before);
    return v;
}

static const Value *no_initialiser(Check *c, const Type *t, Span at)
{
    return check_none(c, at, "initialiser",
                      "there is no initial value for %s\n"
                      "a field takes '= value' or '~ normal(mean, std)'",
                      type_text(c, t));
}

/* Of a struct's fields or a tuple's parts. */
static const Value *initial_parts(Check *c, const Type *t, Node *key,
                                  int64_t *number, Span at)
{
    bool fields = t->kind == TY_struct;
    const Value **part = NEWN(c->arena, const Value *, t->npart + 1);
    const Scope *s = fields ? struct_scope(c, t->def, t->arg) : NULL;

    for (int i = 0; i < t->npart; i++) {
        part[i] = fields ? initial_field(c, s, t, i, key, number, at)
                         : construct_initial(c, t->part[i], key, number, at);
        if (!part[i])
            return NULL;
    }
    return fields ? value_struct(c, t, part)
                  : value_tuple(c, at, t->npart, part);
}

/* The leaves of one element, for each of n keys, or repeated. */
static bool repeat_leaves(Check *c, const Type *t, Node *key, Node *keys,
                          Span at, Node **leaf)
{
    int n = t->part[0]->nleaf;

    if (key && !graph_can_batch(c->graph, 1, key, n, leaf))
        return check_refuse(
            c, at, "rank",
            "an initial value in this stack takes a tensor of more than %d "
            "dimensions",
            MAX_RANK);
    if (key) {
        graph_batch(c->graph, t->count, 1, &key, &keys, n, leaf);
        return true;
    }
    for (int i = 0; i < n; i++)
        leaf[i] = g_repeat(c->graph, t->count, leaf[i]);
    return true;
}

/* One element with a key that stands for any, then all of them at once. */
static const Value *initial_stack(Check *c, const Type *t, Node *key,
                                  int64_t *number, Span at)
{
    Node *one = NULL, *all = NULL, **leaf;
    const Value *v;
    int64_t inside = 0;

    if (key) {
        one = g_param(c->graph, DT_key, 0, NULL, "key");
        all = g_split(c->graph, key, (*number)++);
        all = builtin_keys(c, all, t->count);
    }
    v = construct_initial(c, t->part[0], one, &inside, at);
    if (!v || value_is_error(v))
        return NULL;
    leaf = value_leaves(c, v);
    return repeat_leaves(c, t, one, all, at, leaf) ? value_of_leaves(c, t, leaf)
                                                   : NULL;
}

const Value *construct_initial(Check *c, const Type *t, Node *key,
                               int64_t *number, Span at)
{
    if (!check_budget(c, at))
        return NULL;
    switch (t->kind) {
    case TY_struct:
    case TY_tuple:
        return initial_parts(c, t, key, number, at);
    case TY_stack:
        return initial_stack(c, t, key, number, at);
    case TY_tensor:
        return no_initialiser(c, t, at);
    }
    return NULL;
}

/* Name(field = e, …) */

typedef struct Making {
    Check *c;
    StructDef *d;
    const Expr *call;
    const Value **value; /* one a field, NULL where not given */
    const Expr **expr;
} Making;

static bool take_field(Making *m, const Scope *s, const Arg *a)
{
    const StructItem *item = m->d->item;
    Check *c = m->c;
    int i = a->name ? struct_field(item, a->name) : -1;

    if (!a->name)
        return check_refuse(c, a->value->span, "argument-name",
                            "the fields of '%s' are given by name: %s = …",
                            item->name,
                            item->nfield ? item->field[0].name : "field");
    if (i < 0) {
        struct_no_field(c, item, a->name_span, a->name);
        return false;
    }
    if (m->value[i])
        return check_refuse(c, a->name_span, "argument-twice",
                            "'%s' is given twice", a->name);
    m->value[i] = eval(c, s, a->value);
    m->expr[i] = a->value;
    return !value_is_error(m->value[i]);
}

/* Solves for the parameters of a struct as for a function of its fields. */
static const Fn *constructor(Making *m)
{
    Check *c = m->c;
    const StructItem *s = m->d->item;
    FnItem *item = NEW(c->arena, FnItem);

    item->name = s->name;
    item->span = item->name_span = s->name_span;
    item->param = NEWN(c->arena, ParamEx, s->nfield + 1);
    item->type_param = NEWN(c->arena, TypeParam, s->nparam + 1);
    for (int i = 0; i < s->nparam; i++)
        if (m->d->is_type[i])
            item->type_param[item->ntype_param++].name = s->param[i];
    for (int i = 0; i < s->nfield; i++)
        if (m->value[i])
            item->param[item->nparam++] = (ParamEx){
                s->field[i].name, s->field[i].span, s->field[i].type, NULL};
    return fn_item(c, item, scope_new(c, NULL, 0, m->d->unit), 0);
}

static const Type *solved_instance(Making *m, const Scope *s, Span at)
{
    Check *c = m->c;
    const StructItem *item = m->d->item;
    TypeArg *arg = NEWN(c->arena, TypeArg, item->nparam + 1);

    for (int i = 0; i < item->nparam; i++) {
        const Binding *b = scope_find(s, INT32_MAX, item->param[i]);

        if (b && m->d->is_type[i])
            arg[i].type = b->ty;
        else if (b && b->value)
            arg[i].dim = dim_of_value(c, b->value, at);
        if (arg[i].type || arg[i].dim)
            continue;
        return check_none(c, at, "unsolved",
                          "these fields do not tell what '%s' is\n"
                          "write %s[…](…) to say it",
                          item->param[i], item->name);
    }
    return struct_instance(c, m->d, arg, at);
}

static const Type *infer_instance(Making *m, const Scope *caller)
{
    Check *c = m->c;
    const Fn *f = constructor(m);
    Scope *s = scope_new(c, f->scope, 0, m->d->unit);
    Arguments a = args_new(c, f->info->item->nparam, m->call->span, caller);
    int k = 0;

    for (int i = 0; i < m->d->item->nfield; i++) {
        if (!m->value[i])
            continue;
        a.value[k] = m->value[i];
        a.expr[k] = m->expr[i];
        a.span[k++] = m->expr[i]->span;
    }
    return bind_arguments(c, f, s, &a) ? solved_instance(m, s, m->call->span)
                                       : NULL;
}

static const Value *fill_fields(Making *m, const Scope *s, const Type *t)
{
    Check *c = m->c;
    const Scope *inner = struct_scope(c, m->d, t->arg);
    const Value **field = NEWN(c->arena, const Value *, t->npart + 1);
    const FieldEx *f = m->d->item->field;
    int64_t number = 0;

    for (int i = 0; i < t->npart; i++) {
        if (m->value[i]) {
            field[i] = value_fit(c, t->part[i], m->value[i]);
        } else if (f[i].init) {
            field[i] =
                initial_field(c, inner, t, i, NULL, &number, m->call->span);
        } else {
            check_fail(c, m->call->span, "missing-field",
                       "'%s' needs its field '%s'", m->d->item->name,
                       f[i].name);
            check_note(c, f[i].span, "'%s' is declared here", f[i].name);
        }
        if (field[i])
            continue;
        if (m->value[i]) {
            check_fail(c, m->expr[i]->span, "type-mismatch", "'%s' is %s",
                       f[i].name, type_text(c, t->part[i]));
            check_label(c, s, m->expr[i], m->value[i]);
            check_note(c, f[i].span, "'%s' is declared here", f[i].name);
        }
        return c->error;
    }
    return value_struct(c, t, field);
}

const Value *construct_struct(Check *c, const Scope *s, StructDef *d,
                              const Expr *index, const Expr *call)
{
    Making m = {c, d, call, NULL, NULL};
    bool good = struct_ready(c, d) != NULL;
    const TypeEx *type;
    const Type *t = NULL;

    m.value = NEWN(c->arena, const Value *, d->item->nfield + 1);
    m.expr = NEWN(c->arena, const Expr *, d->item->nfield + 1);
    for (int i = 0; i < call->call.narg; i++)
        good = take_field(&m, s, &call->call.arg[i]) && good;
    if (!good)
        return c->error;
    if (index || d->item->nparam == 0) {
        type = type_of_expr(c, call->call.fn);
        t = type ? type_eval(c, s, type) : NULL;
    } else {
        t = infer_instance(&m, s);
    }
    return t ? fill_fields(&m, s, t) : c->error;
}
