/* call.c: calls: arguments in order, expansion of bodies, equal calls once. */
#include "check/builtin.h"
#include "check/index.h"
#include "check/scope.h"

#include <string.h>

enum { MAX_CALLS = 200 }; /* calls inside calls */

Arguments args_new(Check *c, int n, Span at, const Scope *s)
{
    Arguments a = {
        .value = NEWN(c->arena, const Value *, n + 1),
        .span = NEWN(c->arena, Span, n + 1),
        .expr = NEWN(c->arena, const Expr *, n + 1),
        .n = n,
        .at = at,
        .scope = s,
    };

    for (int i = 0; i < n; i++)
        a.span[i] = at;
    return a;
}

Arguments args_copy(Check *c, const Arguments *a, int n)
{
    Arguments to = args_new(c, n, a->at, a->scope);

    memcpy(to.value, a->value, sizeof *a->value * (size_t)n);
    memcpy(to.span, a->span, sizeof *a->span * (size_t)n);
    memcpy(to.expr, a->expr, sizeof *a->expr * (size_t)n);
    return to;
}

const Value *fn_apply_to(Check *c, const Fn *f, const Value *const *value,
                         Span at)
{
    Arguments a = args_new(c, f->nparam, at, NULL);

    memcpy(a.value, value, sizeof *value * (size_t)a.n);
    return fn_apply(c, f, &a);
}

/* Arguments as written to parameters. */

static bool too_many(Check *c, const Fn *f, const CallArg *a)
{
    int n = f->nparam;

    check_fail(c, a->span, "argument-count", "'%s' takes %d argument%s",
               fn_name(c, f), n, n == 1 ? "" : "s");
    fn_declared(c, f);
    return false;
}

bool args_place(Check *c, const Fn *f, const CallArg *a, int k, Arguments *to)
{
    int rest = f->kind == FK_builtin ? f->builtin->rest : -1;
    int i = a->name ? fn_param_named(f, a->name) : k;

    if (i < 0) {
        check_fail(c, a->name_span, "argument-name",
                   "'%s' has no parameter '%s'%s", fn_name(c, f), a->name,
                   fn_param_near(c, f, a->name));
        fn_declared(c, f);
        return false;
    }
    if (!a->name && rest >= 0 && k >= rest) {
        i = rest;
        to->rest[to->nrest++] = (Operand){a->value, a->span, a->expr};
    } else if (i >= f->nparam) {
        return too_many(c, f, a);
    }
    if (to->value[i] && (a->name || i != rest))
        return check_refuse(c, a->span, "argument-twice", "'%s' is given twice",
                            f->param[i].name);
    to->value[i] = a->value;
    to->span[i] = a->span;
    to->expr[i] = a->expr;
    return true;
}

static bool all_given(Check *c, const Fn *f, const Arguments *a)
{
    Str s = str_new(c->arena);
    int missing = 0;

    for (int i = 0; i < a->n; i++)
        if (!a->value[i] && !f->param[i].optional)
            str_printf(&s, "%s'%s'", missing++ ? ", " : "", f->param[i].name);
    if (missing == 0)
        return true;
    check_fail(c, a->at, "argument-count", "'%s' is missing its argument%s %s",
               fn_name(c, f), missing == 1 ? "" : "s", s.at);
    fn_declared(c, f);
    return false;
}

static bool arrange(Check *c, const Fn *f, const Call *call, Arguments *to)
{
    *to = args_new(c, f->nparam, call->at, call->scope);
    to->rest = NEWN(c->arena, Operand, call->narg);
    for (int i = 0; i < call->narg; i++)
        if (!args_place(c, f, &call->arg[i], i, to))
            return false;
    return all_given(c, f, to);
}

typedef struct Calls {
    Map done;            /* those that were evaluated */
    int opaque, made_up; /* results made up: in all; while c->open */
} Calls;

static Calls *own(Check *c) { return check_own(c, OWN_call, sizeof(Calls)); }

void call_opaque(Check *c) { own(c)->opaque++; }

void call_made_up(Check *c) { own(c)->made_up++; }

/* Equal calls are one. */

typedef struct Done {
    const Fn *fn;
    const Value **arg;
    int narg;
    const Value *result;
    bool clean;   /* nothing in it was made up */
    bool made_up; /* by a loop whose type alone was asked for */
} Done;

static uint64_t call_hash(const Fn *f, const Arguments *a)
{
    uint64_t h = fn_hash(f);

    for (int i = 0; i < a->n; i++)
        h = hash_mix(h, a->value[i] ? a->value[i]->hash : 0);
    return h;
}

static bool same_call(const Done *d, const Fn *f, const Value *const *arg,
                      int n)
{
    if (d->narg != n || !fn_equal(d->fn, f))
        return false;
    for (int i = 0; i < n; i++) {
        if (!d->arg[i] != !arg[i])
            return false;
        if (arg[i] && !value_equal(d->arg[i], arg[i]))
            return false;
    }
    return true;
}

static Done *find_done(Check *c, uint64_t h, const Fn *f,
                       const Value *const *arg, int n)
{
    Done *d;

    for (size_t seen = 0; (d = map_next(&own(c)->done, h, &seen));)
        if (same_call(d, f, arg, n))
            break;
    return d;
}

/* Bodies. */

/* For `-> fn(A) -> B`; the function's own types are told when it is called. */
static const Value *result_function(Check *c, const Fn *f, const Value *v)
{
    const FnItem *item = f->info->item;
    int n = item->result->npart;
    Str s = str_new(c->arena);

    if (v->kind == V_fn && fn_takes(v->fn, n))
        return v;
    type_print(item->result, &s);
    check_fail(c, fn_result_span(f), "result-type",
               "this is not the result that '%s' declares\n"
               "the declared result is %s",
               f->info->name, s.at);
    check_is(c, fn_result_span(f), v);
    if (v->kind == V_fn)
        check_detail(c, "it is called with %d argument%s", n,
                     n == 1 ? "" : "s");
    check_note(c, item->result->span, "it is declared here");
    return c->error;
}

static const Value *as_result(Check *c, const Fn *f, const Scope *s,
                              const Value *v)
{
    const FnItem *item = f->info->item;
    const Type *t;
    const Value *w;

    if (!item->result || value_is_error(v))
        return v;
    if (item->result->kind == TE_fn)
        return result_function(c, f, v);
    t = type_eval(c, s, item->result);
    if (!t)
        return c->error;
    w = value_fit(c, t, v);
    if (w)
        return w;
    check_fail(c, fn_result_span(f), "result-type",
               "this is not the result that '%s' declares\n"
               "the declared result is %s",
               f->info->name, type_text(c, t));
    check_is(c, fn_result_span(f), v);
    type_convert_hint(c, t, v);
    check_note(c, item->result->span, "it is declared here");
    return c->error;
}

static const Value *run_body(Check *c, const Fn *f, Scope *s)
{
    return as_result(c, f, s, eval(c, s, f->info->item->body));
}

/* What a call may give whose body is not looked into: new inputs of the
 * declared result type. */
static const Value *made_up(Check *c, const Fn *f, const Scope *s)
{
    const TypeEx *result = f->info->item->result;
    const Type *t =
        result && result->kind != TE_fn ? type_eval(c, s, result) : NULL;

    call_opaque(c);
    return t ? value_fresh(c, t, f->info->name) : c->error;
}

static bool in_library(const Scope *s) { return s && s->unit && s->unit->std; }

Span call_user_span(Check *c, const Scope *s, Span at)
{
    return in_library(s) ? frame_user_span(c, at) : at;
}

/* Is the library called, by none of its own functions. */
static bool enters_library(const Fn *f, const Arguments *a)
{
    return in_library(f->scope) && a->scope && !in_library(a->scope);
}

/* What the call is told apart by; NULL: nobody asks, or it is one that the
 * library makes of its own functions. */
static const char *call_name(Check *c, const Fn *f, const Arguments *a)
{
    bool told = graph_keeps_labels(c->graph) &&
                (!in_library(f->scope) || enters_library(f, a));

    return told ? fn_name(c, f) : NULL;
}

static const Value *call_item(Check *c, const Fn *f, Arguments *a)
{
    Provenance outer;
    FnInfo *info = f->info;
    Scope *s = scope_new(c, f->scope, f->limit, f->scope->unit);
    const Value *v;
    Under under;
    bool custom;

    fn_scan(c, f);
    fn_define(c, f);
    scope_reserve(c, s,
                  info->item->nparam + info->item->ntype_param + info->nvar);
    if (!bind_arguments(c, f, s, a))
        return c->error;
    under = frame_under_way(c, info, a->value);
    if (info->state == FN_bad || info->state == FN_checking ||
        (c->defining > 0 && under.calls > under.custom))
        return made_up(c, f, s);
    if (under.calls > 0 && index_recursion(c, info, a->value))
        return c->error; /* told to whoever evaluates for an index */
    if (frame_depth(c) >= MAX_CALLS) {
        check_fail(c, a->at, "too-deep",
                   "more than %d calls inside each other\n"
                   "a function may call itself only where constant "
                   "dimensions decide when it ends",
                   MAX_CALLS);
        return check_stop(c);
    }
    custom = info->custom && !under.custom;
    frame_call(c, info, a, enters_library(f, a), custom);
    info->called = true;
    info->active++;
    outer = graph_call(c->graph, call_name(c, f, a));
    v = custom ? fn_apply_custom(c, f, a) : run_body(c, f, s);
    graph_provenance(c->graph, outer);
    info->active--;
    frame_leave(c);
    return v;
}

/* "net.hidden", if all of v is one of the inputs, or part of one. */
static const char *input_name(Check *c, const Value *v)
{
    Node **leaf = value_leaves(c, v);
    const char *first = NULL;
    size_t n = 0;

    for (int i = 0; i < v->nleaf; i++) {
        const char *name = leaf[i]->op == OP_param ? leaf[i]->attr.name : NULL;
        const char *dot = name ? strrchr(name, '.') : NULL;

        if (!dot)
            return NULL;
        n = first && n < (size_t)(dot - name) ? n : (size_t)(dot - name);
        while (first && n > 0 && (strncmp(first, name, n) || name[n] != '.'))
            n--;
        first = name;
    }
    return n ? arena_printf(c->arena, "%.*s", (int)n, first) : NULL;
}

/* A number or bool given for what has a default. */
static bool is_setting(const Fn *f, int i, const Value *v)
{
    return f->param[i].optional && v->kind == V_tensor &&
           (v->node->op == OP_const || v->node->op == OP_dim);
}

/* The graph keeps which call gave what. */
static void label_call(Check *c, const Fn *f, const Value *const *arg, int n,
                       const Value *v)
{
    NodeLabel l = {.node = v->node,
                   .name = fn_name(c, f),
                   .call = true,
                   .library = in_library(f->scope)};
    NodeLabelArg *to = NEWN(c->arena, NodeLabelArg, n + 1);

    for (int i = 0; i < n; i++) {
        NodeLabelArg *x = &to[l.narg];

        if (!arg[i] || (f->param[i].optional && arg[i]->kind != V_tensor))
            continue;
        if (is_setting(f, i, arg[i]))
            *x = (NodeLabelArg){NULL, f->param[i].name, arg[i]->node};
        else if (arg[i]->kind == V_tensor)
            x->node = arg[i]->node;
        else if (arg[i]->kind == V_fn)
            x->text = fn_name(c, arg[i]->fn);
        else
            x->text = input_name(c, arg[i]);
        if (!x->node && !x->text)
            return;
        l.narg++;
    }
    l.arg = to;
    graph_label_outer(c->graph, &l);
}

const Value *fn_apply(Check *c, const Fn *f, Arguments *a)
{
    const Value **key;
    uint64_t h;
    Done *d;
    Calls *all = own(c);
    int opaque = all->opaque, made_up = all->made_up;
    const Value *v = NULL;

    if (!check_budget(c, a->at))
        return c->error;
    for (int i = 0; i < a->n; i++)
        if (a->value[i] && value_is_error(a->value[i]))
            return c->error;
    h = call_hash(f, a);
    key = arena_copy(c->arena, a->value, sizeof *key * (size_t)a->n);
    d = find_done(c, h, f, key, a->n);
    if (d && (d->made_up ? c->open > 1 : d->clean || c->defining > 0)) {
        all->opaque += !d->clean;
        all->made_up += d->made_up;
        return d->result;
    }
    switch (f->kind) {
    case FK_item:
        v = call_item(c, f, a);
        break;
    case FK_builtin:
        v = builtin_call(c, f->builtin, a);
        break;
    case FK_derivative:
        v = fn_apply_derivative(c, f, a);
        break;
    case FK_remat:
        v = fn_apply_remat(c, f, a);
        break;
    }
    if (value_is_error(v) || check_stopped(c))
        return c->error;
    if (graph_keeps_labels(c->graph) && v->kind == V_tensor &&
        f->kind == FK_item && f->info->item->name)
        label_call(c, f, key, a->n, v);
    d = find_done(c, h, f, key, a->n); /* it may be there by now */
    if (!d)
        map_put(c->arena, &all->done, h, d = NEW(c->arena, Done));
    *d = (Done){f,
                key,
                a->n,
                v,
                opaque == all->opaque,
                c->open > 1 && made_up != all->made_up};
    return v;
}

static bool has_plain_int(const FnInfo *info)
{
    for (int i = 0; i < info->item->nparam; i++)
        if (type_names_int(info->item->param[i].type))
            return true;
    return false;
}

/* A function by itself, on inputs of its declared types: what is wrong is told
 * in its own names, once, and calls rely on it. */
void fn_define(Check *c, const Fn *f)
{
    FnInfo *info = f->info;
    Scope *s;
    const Value **value;
    int errors = diags_errors(c->diags), opaque = own(c)->opaque;
    int ints = bind_ints(c), branch = c->branch, open = c->open;

    fn_scan(c, f);
    if (info->state != FN_unchecked || info->generic)
        return;
    if (!check_budget(c, info->item->span) || frame_depth(c) >= MAX_CALLS)
        return;
    info->state = FN_checking;
    if (!f->scope->up && f->scope->binding.n == 0)
        c->branch = 0;
    frame_define(c, info, info->item->span);
    c->open = 0;
    c->defining++;
    s = scope_new(c, f->scope, f->limit, f->scope->unit);
    value = NEWN(c->arena, const Value *, info->item->nparam + 1);
    if (bind_fresh(c, f, s, false, value)) {
        const Value *v = run_body(c, f, s);

        if (opaque == own(c)->opaque && !value_is_error(v) &&
            !has_plain_int(info)) {
            info->fresh = value;
            info->result = v;
        }
    }
    c->defining--;
    frame_leave(c);
    bind_ints_end(c, ints);
    c->branch = branch;
    c->open = open;
    info->state = diags_errors(c->diags) == errors ? FN_good : FN_bad;
}

/* For an export. */
const Value **fn_fresh(Check *c, const Fn *f)
{
    int n = f->nparam, m;
    const Value **of;
    Arguments a;

    if (f->kind == FK_builtin)
        return check_none(c, (Span){0, 0}, "export",
                          "'%s' has no parameter types of its own",
                          f->builtin->name);
    if (f->kind == FK_remat)
        return fn_fresh(c, f->of);
    a = args_new(c, n, fn_span(f), NULL);
    if (f->kind == FK_item) {
        Scope *s = scope_new(c, f->scope, f->limit, f->scope->unit);

        return bind_fresh(c, f, s, true, a.value) ? a.value : NULL;
    }
    m = f->of->nparam;
    of = fn_fresh(c, f->of);
    if (!of)
        return NULL;
    memcpy(a.value, of, sizeof *of * (size_t)m);
    for (int i = m; i < n; i++) {
        const Type *t = deriv_extra_type(c, f, &a, i - m);

        if (!t)
            return NULL;
        a.value[i] = value_fresh(c, t, f->param[i].name);
    }
    return a.value;
}

static const Value *not_callable(Check *c, const Scope *s, const Expr *e,
                                 const Value *v)
{
    check_fail(c, e->call.fn->span, "not-a-function",
               "this is called, but it is no function");
    return check_label(c, s, e->call.fn, v);
}

CallArg call_arg(Check *c, const Scope *s, const Arg *a)
{
    return (CallArg){a->name, a->name_span, eval(c, s, a->value),
                     a->value->span, a->value};
}

static Call evaluate_arguments(Check *c, const Scope *s, const Expr *e)
{
    Call call = {e->span, NEWN(c->arena, CallArg, e->call.narg + 1),
                 e->call.narg, s};

    for (int i = 0; i < call.narg; i++)
        call.arg[i] = call_arg(c, s, &e->call.arg[i]);
    return call;
}

/* What where(c, a, b) chooses from need not be inside for every index. */
static Call builtin_arguments(Check *c, const Scope *s, const Expr *e,
                              const char *name)
{
    bool chooses = strcmp(name, "where") == 0;
    Call call;

    c->branch += chooses;
    call = evaluate_arguments(c, s, e);
    c->branch -= chooses;
    return call;
}

static bool call_has_error(const Call *call)
{
    for (int i = 0; i < call->narg; i++)
        if (value_is_error(call->arg[i].value))
            return true;
    return false;
}

static const Value *eval_einsum(Check *c, const Scope *s, const Expr *e)
{
    const Expr *text = e->call.narg > 0 ? e->call.arg[0].value : NULL;
    Expr *rest = arena_copy(c->arena, e, sizeof *e);
    Call call;

    if (text) {
        rest->call.arg++;
        rest->call.narg--;
    }
    call = evaluate_arguments(c, s, rest);
    return call_has_error(&call) ? c->error : run_einsum(c, text, &call);
}

static const Value *call_fn(Check *c, const Fn *f, const Call *call)
{
    Arguments a;

    if (f->kind == FK_builtin && call_has_error(call))
        return c->error;
    if (!arrange(c, f, call, &a))
        return c->error;
    return f->kind == FK_builtin ? builtin_call(c, f->builtin, &a)
                                 : fn_apply(c, f, &a);
}

const Value *call_with(Check *c, const Scope *s, const Fn *f,
                       const Value *first, const Expr *e)
{
    Call written = evaluate_arguments(c, s, e), call = written;

    call.arg = NEWN(c->arena, CallArg, written.narg + 2);
    call.arg[0] = (CallArg){NULL, e->span, first, e->span, NULL};
    memcpy(call.arg + 1, written.arg, sizeof *call.arg * (size_t)written.narg);
    call.narg++;
    return call_has_error(&call) ? c->error : call_fn(c, f, &call);
}

/* A conversion is called by the name of its type. */
static const char *plain_name(Check *c, const Scope *s, const Expr *e)
{
    Found f;

    if (e->kind != EX_name)
        return NULL;
    f = scope_lookup(c, s, e->name, e->span);
    return f.local || f.entry || f.clash ? NULL : e->name;
}

const Value *eval_call(Check *c, const Scope *s, const Expr *e)
{
    const char *name = plain_name(c, s, e->call.fn);
    const Expr *index;
    StructDef *d;
    const Value *fn;
    Call call;

    if (name && deriv_named(name))
        return eval_derivative(c, s, deriv_named(name), e);
    if (name && strcmp(name, "remat") == 0)
        return eval_remat(c, s, e);
    if (name && strcmp(name, "einsum") == 0)
        return eval_einsum(c, s, e);
    if (name && builtin_is_loop(name))
        return builtin_needs_binders(c, e->span, name);
    d = struct_named(c, s, e->call.fn, &index);
    if (d)
        return construct_struct(c, s, d, index, e);
    if (name && builtin_find(c, name)) {
        call = builtin_arguments(c, s, e, name);
        return call_fn(c, &builtin_find(c, name)->fn, &call);
    }
    fn = eval(c, s, e->call.fn);
    call = evaluate_arguments(c, s, e);
    if (value_is_error(fn))
        return fn;
    if (fn->kind != V_fn)
        return not_callable(c, s, e, fn);
    return call_fn(c, fn->fn, &call);
}
