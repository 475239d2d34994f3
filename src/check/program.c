/* program.c: a program from its file to its module. */
#include "check/export.h"
#include "check/scope.h"
#include "std/std.h"

#include <ctype.h>
#include <string.h>

static const char *module_name(Check *c, const Unit *main)
{
    char *name = arena_printf(c->arena, "%s", main->name);

    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    if (name[0] == '\0' || strspn(name, "_") == strlen(name))
        return "model";
    if (isdigit((unsigned char)name[0]))
        return arena_printf(c->arena, "_%s", name);
    return name;
}

void *check_own(Check *c, Owner file, size_t size)
{
    if (!c->own[file])
        c->own[file] = arena_alloc(c->arena, size);
    return c->own[file];
}

static Program *program_new(Arena *a, Diags *d, const CheckOptions *o)
{
    Program *p = NEW(a, Program);
    Check *c = &p->check;
    Value *error = NEW(a, Value);

    p->options = *o;
    c->arena = a;
    c->diags = d;
    c->names = intern_new(a);
    c->graph = graph_new(a, o->real);
    graph_plain(c->graph, o->plain);
    graph_written(c->graph, o->written);
    if (o->labels)
        graph_keep_labels(c->graph);
    c->real = o->real;
    c->options = &p->options;
    error->kind = V_error;
    c->error = error;
    return p;
}

static void make_module(Program *p)
{
    Check *c = &p->check;
    Module *m = NEW(graph_arena(c->graph), Module);

    m->name = c->options->name ? c->options->name : module_name(c, c->main);
    m->path = c->main->path;
    m->sources = c->diags;
    m->graph = c->graph;
    m->real = c->real;
    m->hash = unit_hash(c);
    p->module = m;
}

/* A function with a `derivative` item that can be checked without a call. */
static bool has_own_derivative(const Fn *f)
{
    return f->info->custom && f->info->state == FN_good && !f->info->generic &&
           !f->info->leading;
}

/* The item alone, then on inputs of the function's types: that it gives the
 * adjoints it is to give. */
static void define_derivative(Check *c, const Fn *f)
{
    const Fn *own = f->info->custom;
    const Value **value;

    fn_define(c, own);
    if (own->info->state == FN_bad || !has_own_derivative(f))
        return;
    value = fn_fresh(c, f);
    if (value)
        fn_apply_to(c, f, value, fn_span(own));
}

/* Every function of the user's, used or not, in the order of the text. */
static void define_all(Check *c)
{
    const Entry *e;

    for (ItemAt at = {0}; (e = unit_next(c, &at));)
        if (e->kind == EN_fn)
            fn_define(c, e->value->fn);
    for (ItemAt at = {0}; (e = unit_next(c, &at));)
        if (e->kind == EN_fn && e->value->fn->info->custom)
            define_derivative(c, e->value->fn);
}

bool program_dims_used(Program *p)
{
    Check *c = &p->check;
    int before = diags_errors(c->diags);

    for (int i = 0; i < c->options->ndim; i++) {
        const char *name = c->options->dim_name[i];

        if (!bind_used_dim(c, name) && before == 0)
            check_fail(c, (Span){0, 0}, "option",
                       "no %sfunction has a dimension '%s' to fix",
                       c->options->named ? "" : "exported ", name);
    }
    return diags_errors(c->diags) == before;
}

Program *check_program(Arena *a, Diags *d, const char *path, const char *text,
                       size_t len, const CheckOptions *o)
{
    Program *p = program_new(a, d, o);
    Check *c = &p->check;
    int before = diags_errors(d);
    const char *prelude;
    size_t n;

    prelude = std_source("prelude", &n);
    if (prelude)
        c->prelude = unit_load(c, "<std>/prelude.nn", prelude, n);
    c->main = unit_load(c, path, text, len);
    if (c->main && c->main->ast->item.n == 0 && diags_errors(d) == before)
        check_fail(c, (Span){0, 0}, "empty", "%s holds no program", path);
    if (!c->main || !unit_all_read(c) || c->main->ast->item.n == 0)
        return NULL;
    make_module(p);
    unit_check_all(c);
    define_all(c);
    export_all(p);
    if (!c->options->named)
        program_dims_used(p);
    return diags_errors(d) == before ? p : NULL;
}

Module *program_module(Program *p) { return p->module; }

Expr *program_read(Check *c, const char *text)
{
    const Source *s =
        diags_source(c->diags, "<expression>", text, strlen(text));

    return parse_expression(c->arena, c->names, c->diags, s);
}

/* A value by itself: a function without parameters. */
static Function *value_function(Check *c, const Value *v, Span at)
{
    Function *f = function_new(c, FN_plain, "value", at);

    if (!value_ty(c, v))
        return NULL;
    function_result(c, f, "value", v, at);
    return function_finish(c, f) ? f : NULL;
}

Function *program_function(Program *p, const char *expression)
{
    Check *c = &p->check;
    int before = diags_errors(c->diags);
    const Expr *e = program_read(c, expression);
    const Scope *s = scope_new(c, NULL, 0, c->main);
    const char *name = "value";
    const Value *v;
    Function *f;

    if (!e || diags_errors(c->diags) > before)
        return NULL;
    v = eval(c, s, e);
    if (value_is_error(v))
        return NULL;
    if (v->kind == V_fn && v->fn->kind == FK_item && v->fn->info->item->name)
        name = v->fn->info->item->name;
    f = v->kind == V_fn ? function_build(c, v->fn, name, name, e->span)
                        : value_function(c, v, e->span);
    return diags_errors(c->diags) == before ? f : NULL;
}

const Fn *deriv_by_reals(Check *c, const Fn *f)
{
    const Value **value = fn_fresh(c, f);
    int n = 0, *by = NEWN(c->arena, int, f->nparam + 1);

    for (int i = 0; value && i < f->nparam; i++) {
        Node **leaf = value_leaves(c, value[i]);

        if (value[i]->nleaf > 0 && dtype_is_real(leaf[0]->dtype))
            by[n++] = i;
    }
    return n > 0 ? fn_derivative(c, DERIV_vjp, f, n, by) : NULL;
}

/* Is the gradient of this function exported anyway? */
static bool gradient_exported(const Program *p, const char *name)
{
    for (int i = 0; i < p->module->function.n; i++) {
        const Function *f = p->module->function.at[i];

        if ((f->deriv == DERIV_grad || f->deriv == DERIV_value_and_grad) &&
            strcmp(f->primal->name, name) == 0)
            return true;
    }
    return false;
}

static bool gives_scalar(Check *c, const Fn *f)
{
    const Value **value = fn_fresh(c, f);

    return value && value_is_scalar(fn_apply_to(c, f, value, fn_span(f)));
}

/* The loss that `train` differentiates, by what is trained; with all that it
 * gives, where it carries a state on. */
static const Fn *trained_gradient(Program *p, const Item *t)
{
    Check *c = &p->check;
    bool clash;
    const Entry *found =
        unit_find(c, c->main, t->train.loss, t->train.loss_span, &clash);
    int *by = NEWN(c->arena, int, 1);
    const Fn *f;

    if (!found || found->kind != EN_fn)
        return NULL;
    f = found->value->fn;
    if (f->info->generic || f->info->leading ||
        gradient_exported(p, t->train.loss))
        return NULL;
    *by = fn_param_named(f, t->train.by);
    if (*by < 0)
        return NULL;
    return fn_derivative(
        c, gives_scalar(c, f) ? DERIV_value_and_grad : DERIV_vjp, f, 1, by);
}

int program_trainings(const Program *p) { return p->ntrain; }

Function *program_trained(Program *p, int i)
{
    const Item *t = p->train[i];
    const Fn *d = trained_gradient(p, t);
    const char *name = t->train.as ? t->train.as : t->train.loss;

    return d ? function_build(&p->check, d, name, name, fn_span(d->of)) : NULL;
}

Function **program_derivatives(Program *p, int *n)
{
    Check *c = &p->check;
    LIST(Function *) all = {NULL, 0, 0};
    const Entry *e;

    for (ItemAt at = {0}; (e = unit_next(c, &at));) {
        const Fn *f = e->kind == EN_fn ? e->value->fn : NULL;
        const Fn *d = f && has_own_derivative(f) ? deriv_by_reals(c, f) : NULL;
        Function *to =
            d ? function_build(c, d, e->name, e->name, fn_span(f)) : NULL;

        if (to)
            list_push(c->arena, &all, to);
    }
    *n = all.n;
    return all.at;
}

static Function *on_arguments(Check *c, const Fn *f, const char *name,
                              const Value *const *value)
{
    Function *to = function_new(c, FN_plain, name, fn_span(f));
    const Value *v = fn_apply_to(c, f, value, fn_span(f));

    if (value_is_error(v) || !value_ty(c, v))
        return NULL;
    for (int i = 0; i < f->nparam; i++)
        function_param(c, to, f->param[i].name, value[i], fn_span(f));
    function_result(c, to, name, v, fn_span(f));
    return function_finish(c, to) ? to : NULL;
}

static const Fn *function_of(Check *c, const char *expression)
{
    const Expr *e = program_read(c, expression);
    const Value *v;

    if (!e)
        return NULL;
    v = eval(c, scope_new(c, NULL, 0, c->main), e);
    if (v->kind == V_fn)
        return v->fn;
    if (!value_is_error(v))
        check_fail(c, e->span, "not-a-function", "this is no function: %s",
                   value_text(c, v));
    return NULL;
}

bool program_alike(Program *p, int n, const char *const *expression,
                   Function **to)
{
    Check *c = &p->check;
    int before = diags_errors(c->diags), most = 0;
    const Fn **f = NEWN(c->arena, const Fn *, n + 1);
    const Value **value;

    for (int i = 0; i < n; i++) {
        f[i] = function_of(c, expression[i]);
        if (!f[i] || diags_errors(c->diags) > before)
            return false;
        most = f[i]->nparam > f[most]->nparam ? i : most;
    }
    value = fn_fresh(c, f[most]);
    for (int i = 0; value && i < n; i++) {
        to[i] = on_arguments(c, f[i], "result", value);
        if (!to[i] && f[i] != f[most])
            check_note(c, fn_span(f[most]),
                       "it is given what this takes, to compare both");
        if (!to[i])
            return false;
    }
    return value && diags_errors(c->diags) == before;
}
