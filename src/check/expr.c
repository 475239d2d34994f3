/* expr.c: evaluating expressions and blocks. */
#include "check/builtin.h"
#include "check/index.h"
#include "check/scope.h"

#include <string.h>

static const Value *value_of_const(Check *c, Entry *e)
{
    const Item *item = e->item;
    Scope *s = scope_new(c, NULL, 0, e->unit);
    const Value *v = eval(c, s, item->constant.value);
    const Type *t;

    if (!item->constant.type || value_is_error(v))
        return v;
    t = type_eval(c, s, item->constant.type);
    if (!t)
        return c->error;
    if (value_fit(c, t, v))
        return value_fit(c, t, v);
    check_fail(c, item->constant.value->span, "type-mismatch",
               "'%s' is declared as %s", e->name, type_text(c, t));
    return check_is(c, item->constant.value->span, v);
}

const Value *eval_entry(Check *c, const Entry *entry, Span at)
{
    Entry *e = (Entry *)(uintptr_t)entry; /* its value is filled in late */
    int open = c->open;

    switch (e->kind) {
    case EN_fn:
        return e->value;
    case EN_struct:
        return check_fail(c, at, "type-as-value",
                          "'%s' is a type, not a value\n"
                          "%s(field = …) builds one",
                          e->name, e->name);
    case EN_unit:
        return check_fail(c, at, "name",
                          "'%s' is a file; '%s.x' is what it calls x", e->name,
                          e->name);
    case EN_const:
        break;
    }
    if (e->busy)
        return check_fail(c, at, "circular-const", "'%s' is defined by itself",
                          e->name);
    if (e->value)
        return e->value;
    e->busy = true;
    frame_define(c, NULL, at);
    c->open = 0;
    e->value = value_of_const(c, e);
    c->open = open;
    frame_leave(c);
    e->busy = false;
    return e->value;
}

static const Value *eval_name(Check *c, const Scope *s, const Expr *e)
{
    Found f = scope_lookup(c, s, e->name, e->span);
    const Value *v;

    if (f.local && f.local->value)
        return f.local->value;
    if (f.local && f.local->ty->kind == TY_tensor &&
        f.local->ty->dtype != DT_key)
        return value_fn(
            c, &builtin_find(c, dtype_word(f.local->ty->dtype))->fn); /* T(x) */
    if (f.local)
        return check_fail(c, e->span, "type-as-value",
                          "'%s' is a type, not a value", e->name);
    if (f.entry)
        return eval_entry(c, f.entry, e->span);
    if (f.clash)
        return c->error;
    v = builtin_constant(c, e->name);
    if (v)
        return v;
    if (f.builtin)
        return value_fn(c, &f.builtin->fn);
    if (deriv_named(e->name))
        return check_fail(c, e->span, "derivative",
                          "'%s' needs a function: %s(f, x)", e->name, e->name);
    if (strcmp(e->name, "remat") == 0)
        return check_fail(c, e->span, "derivative",
                          "'remat' needs a function: remat(f)");
    if (builtin_is_loop(e->name))
        return builtin_needs_binders(c, e->span, e->name);
    name_unknown(c, s, e->name, e->span);
    return c->error;
}

/* n.x after `use name as n`. */
static const Entry *unit_named(Check *c, const Scope *s, const Expr *e)
{
    Found f;

    if (e->kind != EX_name)
        return NULL;
    f = scope_lookup(c, s, e->name, e->span);
    return !f.local && f.entry && f.entry->kind == EN_unit ? f.entry : NULL;
}

static const Value *eval_field(Check *c, const Scope *s, const Expr *e)
{
    const Entry *unit = unit_named(c, s, e->field.of), *entry;
    const Value *v;
    const StructItem *item;
    bool clash;
    int i;

    if (unit) {
        entry = unit_find(c, unit->names, e->field.name, e->span, &clash);
        if (entry)
            return eval_entry(c, entry, e->span);
        if (!clash)
            name_unknown_in(c, unit->names, e->field.name, e->field.name_span);
        return c->error;
    }
    v = eval(c, s, e->field.of);
    if (value_is_error(v))
        return v;
    if (v->kind != V_struct) {
        check_fail(c, e->field.name_span, "unknown-field",
                   "there is no field '%s' in this value", e->field.name);
        check_label(c, s, e->field.of, v);
        if (v->kind == V_stack)
            check_detail(c, "choose one of the stack first: …[i].%s",
                         e->field.name);
        else if (strcmp(e->field.name, "T") == 0)
            check_detail(c, "a transpose is written x'");
        else if (builtin_find(c, e->field.name))
            check_detail(c, "'%s' is a function: %s(x)", e->field.name,
                         e->field.name);
        return c->error;
    }
    item = v->ty->def->item;
    i = struct_field(item, e->field.name);
    return i >= 0 ? v->part[i]
                  : struct_no_field(c, item, e->field.name_span, e->field.name);
}

static const Value *eval_part(Check *c, const Scope *s, const Expr *e)
{
    const Value *v = eval(c, s, e->field.of);

    if (value_is_error(v))
        return v;
    if (v->kind == V_tuple && e->field.part >= 0 && e->field.part < v->npart)
        return v->part[e->field.part];
    if (v->kind == V_tuple)
        check_fail(c, e->span, "tuple-part",
                   "this tuple has %d parts: .0 … .%d", v->npart, v->npart - 1);
    else
        check_fail(c, e->span, "tuple-part", "'.%d' needs a tuple",
                   e->field.part);
    check_label(c, s, e->field.of, v);
    if (v->kind == V_stack)
        check_detail(c, "choose one of the stack first: …[i].%d",
                     e->field.part);
    return c->error;
}

static const Value *eval_if(Check *c, const Scope *s, const Expr *e)
{
    const Value *cond = eval(c, s, e->cond.cond);
    Operand a = {NULL, e->cond.then->span, e->cond.then};
    Operand b = {NULL, e->cond.other->span, e->cond.other};
    bool known;

    if (value_is_error(cond))
        return cond;
    if (!value_is_scalar(cond) || cond->node->dtype != DT_bool) {
        check_fail(c, e->cond.cond->span, "condition",
                   "the condition of 'if' is a bool, this is %s",
                   value_text(c, cond));
        if (cond->kind == V_tensor && cond->node->dtype == DT_bool)
            check_detail(c, "where(c, a, b) chooses element by element");
        return c->error;
    }
    if (value_const_bool(cond, &known))
        return eval(c, s, known ? e->cond.then : e->cond.other);
    c->branch++;
    a.value = eval(c, s, e->cond.then);
    b.value = eval(c, s, e->cond.other);
    c->branch--;
    return arith_if(c, s, e->span, cond->node, &a, &b);
}

/* The right side of && and || is not looked at where the left decides. */
static bool decided(const Expr *e, const Value *l)
{
    bool known;

    return (e->binary.op == BI_and || e->binary.op == BI_or) &&
           value_const_bool(l, &known) && known == (e->binary.op == BI_or);
}

/* l && r for scalars where r is looked at only if l holds (|| likewise): an
 * index in r may be outside elsewhere. */
static const Value *eval_lazy(Check *c, const Scope *s, const Expr *e,
                              const Operand *l)
{
    bool both = e->binary.op == BI_and;
    Operand r = {NULL, e->binary.right->span, e->binary.right};
    Operand known = {NULL, l->span, l->expr};
    int checks = index_checks(c);

    c->branch++;
    r.value = eval(c, s, e->binary.right);
    c->branch--;
    graph_span(c->graph, call_user_span(c, s, e->span));
    if (checks == index_checks(c) || value_is_error(r.value) ||
        !value_is_scalar(r.value) || r.value->node->dtype != DT_bool)
        return arith_binary(c, s, e->binary.op, e->binary.op_span, l, &r);
    known.value = value_tensor(c, g_const_int(c->graph, DT_bool, !both));
    return arith_if(c, s, e->span, l->value->node, both ? &r : &known,
                    both ? &known : &r);
}

static bool is_lazy(const Expr *e, const Value *l)
{
    return (e->binary.op == BI_and || e->binary.op == BI_or) &&
           value_is_scalar(l) && l->node->dtype == DT_bool;
}

/* a + b + c + … hangs to the left, as deep as it is long. */
static const Value *eval_binary(Check *c, const Scope *s, const Expr *e)
{
    enum { FEW = 4 };
    const Expr *few[FEW], **spine = few;
    const Value *v;
    int n = 0;

    for (const Expr *b = e; b->kind == EX_binary; b = b->binary.left)
        n++;
    if (n > FEW)
        spine = NEWN(c->arena, const Expr *, n);
    for (int i = n - 1; i >= 0; i--, e = e->binary.left)
        spine[i] = e;
    v = eval(c, s, e);
    for (int i = 0; i < n; i++) {
        const Expr *b = spine[i];
        Operand l = {v, b->binary.left->span, b->binary.left};
        Operand r = {NULL, b->binary.right->span, b->binary.right};

        if (decided(b, v))
            continue;
        if (!check_budget(c, b->span))
            return c->error;
        if (is_lazy(b, v)) {
            v = eval_lazy(c, s, b, &l);
            continue;
        }
        r.value = eval(c, s, b->binary.right);
        graph_span(c->graph, call_user_span(c, s, b->span));
        v = arith_binary(c, s, b->binary.op, b->binary.op_span, &l, &r);
    }
    return v;
}

static const Value *eval_tuple(Check *c, const Scope *s, const Expr *e)
{
    const Value **part = NEWN(c->arena, const Value *, e->list.n + 1);
    bool good = true;

    for (int i = 0; i < e->list.n; i++) {
        part[i] = eval(c, s, e->list.at[i]);
        good = good && !value_is_error(part[i]);
    }
    return good ? value_tuple(c, e->span, e->list.n, part) : c->error;
}

static const Value *eval_block(Check *c, const Scope *up, const Block *b);

static const Value *eval_kind(Check *c, const Scope *s, const Expr *e)
{
    switch (e->kind) {
    case EX_int:
        return value_int(c, e->integer);
    case EX_real:
        return value_real(c, e->real);
    case EX_bool:
        return value_tensor(c, g_const_int(c->graph, DT_bool, e->boolean));
    case EX_text:
        return check_fail(c, e->span, "text",
                          "a text is no value\n"
                          "it stands where 'einsum' is told what to do: "
                          "einsum(\"ij,jk->ik\", A, B)");
    case EX_name:
        return eval_name(c, s, e);
    case EX_field:
        return eval_field(c, s, e);
    case EX_part:
        return eval_part(c, s, e);
    case EX_call:
        return eval_call(c, s, e);
    case EX_index:
        return eval_index(c, s, e);
    case EX_unary:
        return eval_unary(c, s, e);
    case EX_binary:
        return eval_binary(c, s, e);
    case EX_tensor:
        return eval_tensor(c, s, e);
    case EX_tuple:
        return eval_tuple(c, s, e);
    case EX_if:
        return eval_if(c, s, e);
    case EX_block:
        return eval_block(c, s, e->block);
    case EX_fn:
        return value_fn(c, fn_item(c, e->fn, s, s->binding.n));
    case EX_comp:
    case EX_reduce:
        return eval_over(c, s, e);
    case EX_loop:
        return eval_loop(c, s, e);
    case EX_error:
        return c->error;
    }
    return c->error;
}

const Value *eval(Check *c, const Scope *s, const Expr *e)
{
    const Value *v;
    Span before;

    if (!check_enter(c, e->span))
        return c->error;
    before = graph_span(c->graph, call_user_span(c, s, e->span));
    v = eval_kind(c, s, e);
    check_leave(c);
    graph_span(c->graph, before);
    for (int i = 0; v->kind == V_tensor && i < v->node->rank; i++)
        if (dim_too_large(v->node->dim[i]))
            return size_too_large(c, e->span);
    return v;
}

/* Told where the value is written; of a part, where its pattern is. */
static void no_tuple(Check *c, const Scope *s, const Stmt *t, const Pattern *p,
                     const Value *v)
{
    if (p == &t->pattern) {
        check_fail(c, t->value->span, "tuple-pattern",
                   "this is to be a tuple of %d parts", p->npart);
        check_label(c, s, t->value, v);
        return;
    }
    check_fail(c, p->span, "tuple-pattern",
               "this part is to be a tuple of %d parts", p->npart);
    check_is(c, p->span, v);
}

/* The names of p, part of t, stand for the parts of v. */
static void bind_pattern(Check *c, Scope *s, const Stmt *t, const Pattern *p,
                         const Value *v)
{
    bool fits = v->kind == V_tuple && v->npart == p->npart;

    if (p->name) {
        scope_bind(c, s, p->name, p->span, v);
        if (v->kind == V_tensor && s->unit && !s->unit->std)
            graph_label(c->graph,
                        &(NodeLabel){.node = v->node, .name = p->name});
        return;
    }
    if (!fits && !value_is_error(v))
        no_tuple(c, s, t, p, v);
    for (int i = 0; i < p->npart; i++)
        bind_pattern(c, s, t, &p->part[i], fits ? v->part[i] : c->error);
}

static const Value *as_declared(Check *c, Scope *s, const Stmt *t,
                                const Value *v)
{
    const Type *ty = type_eval(c, s, t->type);
    const Value *w;

    if (!ty || value_is_error(v))
        return c->error;
    w = value_fit(c, ty, v);
    if (w)
        return w;
    check_fail(c, t->value->span, "type-mismatch", "'%s' is declared as %s",
               t->pattern.name ? t->pattern.name : "this tuple",
               type_text(c, ty));
    check_label(c, s, t->value, v);
    type_convert_hint(c, ty, v);
    return c->error;
}

static void eval_stmt(Check *c, Scope *s, const Stmt *t)
{
    const Value *v;
    const Fn *f;

    if (t->fn) {
        f = fn_item(c, t->fn, s, s->binding.n + 1);
        scope_bind(c, s, t->fn->name, t->fn->name_span, value_fn(c, f));
        fn_define(c, f);
        return;
    }
    v = eval(c, s, t->value);
    if (t->type)
        v = as_declared(c, s, t, v);
    bind_pattern(c, s, t, &t->pattern, v);
}

static const Value *eval_block(Check *c, const Scope *up, const Block *b)
{
    Scope *s = scope_new(c, up, up->binding.n, up->unit);

    scope_reserve(c, s, b->nstmt);
    for (int i = 0; i < b->nstmt; i++)
        eval_stmt(c, s, &b->stmt[i]);
    return eval(c, s, b->value);
}
