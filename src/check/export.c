/* export.c: functions of the module from functions of the program. */
#include "check/export.h"
#include "check/builtin.h"
#include "check/scope.h"

#include <stdlib.h>
#include <string.h>

Function *function_new(Check *c, FunctionKind kind, const char *name, Span at)
{
    Function *f = NEW(graph_arena(c->graph), Function);

    f->kind = kind;
    f->name = name;
    f->span = at;
    f->param = NEWN(graph_arena(c->graph), Port, 2 * MAX_PARAMS + 3);
    f->result = NEWN(graph_arena(c->graph), Port, 2 * MAX_PARAMS + 3);
    f->var = NEWN(graph_arena(c->graph), const Dim *, 2 * MAX_PARAMS + 3);
    return f;
}

static Port port_make(Check *c, const char *name, const Value *v, Span span)
{
    return (Port){
        .name = name,
        .type = type_export(c, value_ty(c, v)),
        .leaf = value_leaves(c, v),
        .nleaf = v->nleaf,
        .span = span,
        .in_place = -1,
    };
}

/* An int parameter that is a dimension: a free one, or fixed by --dim. */
static bool is_size(const Value *v)
{
    return value_is_scalar(v) && v->node->op != OP_param;
}

void function_param(Check *c, Function *f, const char *name, const Value *v,
                    Span span)
{
    if (is_size(v) && v->node->op == OP_dim)
        f->var[f->nvar++] = v->node->attr.dims[0];
    else if (!is_size(v))
        f->param[f->nparam++] = port_make(c, name, v, span);
}

void port_default(Port *to, const Node *n)
{
    to->has_default = true;
    to->value = const_value(n);
}

/* A number as it is written, perhaps with a sign. */
static bool is_number(const Expr *e)
{
    if (e->kind == EX_unary)
        e = e->unary.of;
    return e->kind == EX_int || e->kind == EX_real || e->kind == EX_bool;
}

/* Whose default is a number. */
static void take_default(Check *c, const Fn *f, int i, const Value *v, Port *to)
{
    const Expr *init;
    const Scope *own;

    while (f->kind == FK_derivative || f->kind == FK_remat)
        f = f->of;
    if (f->kind != FK_item || i >= f->nparam || !value_is_scalar(v))
        return;
    init = f->info->item->param[i].init;
    if (!init || !is_number(init))
        return;
    own = scope_new(c, NULL, 0, f->scope->unit);
    v = value_fit(c, value_ty(c, v), eval(c, own, init));
    if (v && v->node->op == OP_const)
        port_default(to, v->node);
}

void function_fn_param(Check *c, Function *to, const Fn *f, int i,
                       const Value *v, Span at)
{
    int n = to->nparam;

    function_param(c, to, f->param[i].name, v, at);
    if (to->nparam > n)
        take_default(c, f, i, v, &to->param[n]);
}

void function_result(Check *c, Function *f, const char *name, const Value *v,
                     Span span)
{
    v = value_settle(c, span, v);
    if (v->kind == V_tuple && v->npart <= MAX_PARAMS &&
        f->nresult + v->npart <= 2 * MAX_PARAMS) {
        for (int i = 0; i < v->npart; i++) {
            const Value *part = value_settle(c, span, v->part[i]);

            if (value_ty(c, part))
                f->result[f->nresult++] = port_make(
                    c, arena_printf(c->arena, "%s_%d", name, i), part, span);
        }
    } else if (value_ty(c, v)) {
        f->result[f->nresult++] = port_make(c, name, v, span);
    }
}

/* Free variables, in the order in which the types name them, then those that
 * are parameters of their own. */

static void type_vars(Check *c, const Type *t, DimVars *to)
{
    for (int i = 0; t->kind == TY_tensor && i < t->rank; i++)
        dim_vars(c->arena, t->dim[i], to);
    if (t->kind == TY_stack)
        dim_vars(c->arena, t->count, to);
    for (int i = 0; i < t->npart; i++)
        type_vars(c, t->part[i], to);
}

static void free_variables(Check *c, Function *f)
{
    DimVars all = {0};

    for (int i = 0; i < f->nparam; i++)
        type_vars(c, f->param[i].type, &all);
    for (int i = 0; i < f->nresult; i++)
        type_vars(c, f->result[i].type, &all);
    for (int i = 0; i < f->nvar; i++)
        dim_vars(c->arena, f->var[i], &all);
    f->var = all.at;
    f->nvar = all.n;
}

/* Names in C. */

static bool usable_in_c(Check *c, const char *name, Span at)
{
    if (!name_is_keyword(name))
        return true;
    return check_refuse(c, at, "c-name",
                        "'%s' is exported, but that is a keyword of C or C++\n"
                        "choose another name",
                        name);
}

static bool fields_usable(Check *c, const Type *t, Span at)
{
    bool good = true;

    for (int i = 0; i < t->npart; i++) {
        if (t->kind == TY_struct)
            good = usable_in_c(c, t->field[i], at) && good;
        good = fields_usable(c, t->part[i], at) && good;
    }
    return good;
}

typedef struct Named {
    const char *name, *what;
    Span span;
} Named;

static int by_name(const void *a, const void *b)
{
    const Named *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static bool names_differ(Check *c, const Function *f)
{
    int n = 0, total = f->nparam + f->nresult + f->nvar + 2;
    Named *all = NEWN(c->arena, Named, total);
    bool good = true;

    for (int i = 0; i < f->nparam; i++)
        all[n++] = (Named){f->param[i].name, "a parameter", f->param[i].span};
    for (int i = 0; i < f->nvar; i++)
        all[n++] = (Named){dim_var_name(f->var[i]), "a dimension", f->span};
    for (int i = 0; i < f->nresult; i++)
        if (f->result[i].in_place < 0)
            all[n++] =
                (Named){f->result[i].name, "a result", f->result[i].span};
    for (int i = 0; i < n; i++)
        good = usable_in_c(c, all[i].name, all[i].span) && good;
    all[n++] = (Named){"workspace", "the workspace", f->span};
    all[n++] = (Named){"exec", "the execution context", f->span};
    qsort(all, (size_t)n, sizeof *all, by_name);
    for (int i = 1; i < n && good; i++) {
        if (strcmp(all[i - 1].name, all[i].name) != 0)
            continue;
        check_fail(c, f->span, "c-name",
                   "two things that '%s' takes or gives are called '%s'\n"
                   "they are %s and %s; call one of them something else",
                   f->name, all[i].name, all[i - 1].what, all[i].what);
        good = false;
    }
    return good;
}

bool function_finish(Check *c, Function *f)
{
    bool good = usable_in_c(c, f->name, f->span);

    free_variables(c, f);
    /* Dimensions of other evaluations are other variables. */
    f->size = size_list(c, f->nvar, f->var, &f->nsize);
    for (int i = 0; i < f->nparam; i++)
        good = fields_usable(c, f->param[i].type, f->param[i].span) && good;
    return names_differ(c, f) && good;
}

/* Results of a derivative, under the names that LANGUAGE gives them. */

static const char *base_name(Check *c, const Fn *f)
{
    const char *of;

    switch (f->kind) {
    case FK_item:
        return f->info->item->name;
    case FK_builtin:
        return f->builtin->name;
    case FK_remat:
        return base_name(c, f->of);
    case FK_derivative:
        break;
    }
    of = base_name(c, f->of); /* once: it may nest */
    return of ? arena_printf(c->arena, "%s_%s", of, deriv_mode(f)->name) : NULL;
}

/* By several parameters: one matrix. */
static void add_sparse(Check *c, Function *to, const Fn *f, const Value *v,
                       Span at)
{
    static const char *const what[] = {"_start", "_column", ""};
    const char *by = f->of->param[f->by[0]].name, *name;

    for (int i = 1; i < f->nby; i++)
        by = arena_printf(c->arena, "%s_%s", by, f->of->param[f->by[i]].name);
    name = deriv_named_after(c, deriv_mode(f)->result, by);
    for (int i = 0; i < 3; i++)
        function_result(c, to, arena_printf(c->arena, "%s%s", name, what[i]),
                        v->part[i], at);
}

static void add_derivative(Check *c, Function *to, const Fn *f, const char *of,
                           const Value *v, Span at)
{
    const char *name = deriv_mode(f)->result;

    if (deriv_mode(f)->sparse) {
        add_sparse(c, to, f, v, at);
        return;
    }

    if (deriv_mode(f)->whole) {
        function_result(c, to, deriv_named_after(c, name, of), v, at);
        return;
    }
    for (int i = 0; i < f->nby; i++)
        function_result(c, to,
                        deriv_named_after(c, name, f->of->param[f->by[i]].name),
                        f->nby == 1 ? v : v->part[i], at);
}

static void add_results(Check *c, Function *to, const Fn *f, const Value *v,
                        const char *name, Span at)
{
    const char *of;

    if (f->kind != FK_derivative) {
        function_result(c, to, name, v, at);
        return;
    }
    of = base_name(c, f->of);
    of = of ? of : "value";
    if (deriv_mode(f)->value) {
        function_result(c, to, of, v->part[0], at);
        v = v->part[1];
    }
    add_derivative(c, to, f, of, v, at);
}

/* A function has to be checked, and of fixed types, to be exported. */
static bool exportable(Check *c, const Fn *f, Span at)
{
    const char *why = NULL;

    if (f->kind == FK_derivative || f->kind == FK_remat)
        return exportable(c, f->of, at);
    if (f->kind == FK_builtin)
        why = "its parameters have no types of their own; wrap it in a "
              "function";
    else
        fn_define(c, f);
    if (f->kind == FK_item && f->info->state == FN_bad)
        return false;
    if (f->kind == FK_item && f->info->generic)
        why = "its parameters do not have fixed types; wrap it in a function "
              "where they do";
    else if (f->kind == FK_item && f->info->leading)
        why = "'..' leaves the number of dimensions open; wrap it in a "
              "function where it is fixed";
    if (!why)
        return true;
    check_fail(c, at, "export",
               "'%s' cannot be compiled by itself\n"
               "%s",
               fn_name(c, f), why);
    fn_declared(c, f);
    return false;
}

/* The evaluation that checked f, or a new one. */
static const Value *evaluate_fresh(Check *c, const Fn *f, Span at,
                                   const Value ***args)
{
    FnInfo *info = f->kind == FK_item ? f->info : NULL;
    const Value *v;

    if (info && info->fresh && c->options->ndim == 0) {
        *args = info->fresh;
        info->fresh = NULL;
        return info->result;
    }
    *args = fn_fresh(c, f);
    if (!*args)
        return NULL;
    v = fn_apply_to(c, f, *args, at);
    return value_is_error(v) ? NULL : v;
}

/* What f differentiates by, counted without the parameters that are
 * dimensions. */
static const int *ports_of(Check *c, const Fn *f, const Value *const *args)
{
    int *port = NEWN(graph_arena(c->graph), int, f->nby + 1);

    for (int i = 0; i < f->nby; i++)
        for (int k = 0; k < f->by[i]; k++)
            port[i] += !is_size(args[k]);
    return port;
}

static void set_derivative(Check *c, Function *to, const Fn *f,
                           const Value *const *args, Span at)
{
    const Fn *of = f->of;
    const char *name;

    if (f->kind != FK_derivative)
        return;
    to->deriv = f->mode;
    to->by = ports_of(c, f, args);
    to->nby = f->nby;
    if (deriv_mode(f)->second)
        of = fn_derivative(c, DERIV_grad, of, f->nby, f->by);
    name = base_name(c, of) ? base_name(c, of) : "value";
    to->primal = function_build(c, of, name, name, at);
}

static bool has_values_only(Check *c, const Value *v, const Fn *f, Span at)
{
    if (value_ty(c, v))
        return true;
    return check_refuse(c, at, "export",
                        "the result of '%s' is a function; only values can "
                        "be computed at run time",
                        fn_name(c, f));
}

Function *function_build(Check *c, const Fn *f, const char *name,
                         const char *result, Span at)
{
    Function *to;
    const Value **args;
    const Value *v;
    Span span;

    if (!exportable(c, f, at))
        return NULL;
    v = evaluate_fresh(c, f, at, &args);
    if (!v || !has_values_only(c, v, f, at))
        return NULL;
    to = function_new(c, FN_plain, name, at);
    if (f->nparam > 2 * MAX_PARAMS)
        return check_none(c, at, "too-large", "more than %d parameters",
                          2 * MAX_PARAMS);
    for (int i = 0; i < f->nparam; i++) {
        span = f->param[i].span;
        function_fn_param(c, to, f, i, args[i], span.end ? span : at);
    }
    add_results(c, to, f, v, result, at);
    set_derivative(c, to, f, args, at);
    return function_finish(c, to) ? to : NULL;
}

static const char *other_clash(Check *c, const Module *m, const char *name)
{
    static const char suffix[] = "_workspace";
    size_t n = strlen(name), k = sizeof suffix - 1;

    if (strcmp(name, "module") == 0)
        return name;
    if (n > k && strcmp(name + n - k, suffix) == 0 &&
        module_function(m, arena_printf(c->arena, "%.*s", (int)(n - k), name)))
        return name;
    name = arena_printf(c->arena, "%s%s", name, suffix);
    return module_function(m, name) ? name : NULL;
}

void export_add(Program *p, Function *f, Span at)
{
    Check *c = &p->check;
    const Function *other = f ? module_function(p->module, f->name) : NULL;

    if (!f)
        return;
    if (other) {
        check_fail(c, at, "export",
                   "'%s' is exported twice\n"
                   "'export … as name;' gives another name",
                   f->name);
        check_note(c, other->span, "the first is here");
        return;
    }
    if (other_clash(c, p->module, f->name)) {
        check_fail(c, at, "export",
                   "the C function '%s_%s' would be there twice\n"
                   "'export … as name;' gives another name",
                   p->module->name, other_clash(c, p->module, f->name));
        return;
    }
    list_push(graph_arena(c->graph), &p->module->function, f);
}

/* export init(Net); */

static const Expr *init_call(Check *c, const Scope *s, const Expr *e)
{
    Found f;

    if (e->kind != EX_call || e->call.fn->kind != EX_name ||
        strcmp(e->call.fn->name, "init") != 0)
        return NULL;
    f = scope_lookup(c, s, e->call.fn->name, e->call.fn->span);
    return f.local || f.entry || f.clash ? NULL : e;
}

static Function *build_init(Check *c, const Scope *s, const Expr *call,
                            const char *name)
{
    const TypeEx *type;
    const Type *t;
    const Value *key, *v;
    Function *f;
    int64_t number = 0;

    if (call->call.narg != 1)
        return check_none(c, call->span, "export",
                          "'init' takes one type: init(Net)");
    type = type_of_expr(c, call->call.arg[0].value);
    t = type ? type_eval(c, s, type) : NULL;
    if (!t)
        return NULL;
    key = value_fresh(c, type_scalar(c->arena, DT_key), "seed");
    v = construct_initial(c, t, key->node, &number, call->span);
    if (!v)
        return NULL;
    f = function_new(c, FN_init, name, call->span);
    function_param(c, f, "seed", key, call->span);
    function_result(c, f, name, v, call->span);
    return function_finish(c, f) ? f : NULL;
}

/* A sparse matrix is two functions. */
static void export_function(Program *p, Function *f, Span at)
{
    if (!f || !deriv_modes[f->deriv].sparse) {
        export_add(p, f, at);
        return;
    }
    export_add(p, sparse_pattern(&p->check, f), at);
    export_add(p, sparse_values(&p->check, f), at);
}

static void export_item(Program *p, const Item *item)
{
    Check *c = &p->check;
    const Scope *s = scope_new(c, NULL, 0, c->main);
    const Expr *init = init_call(c, s, item->export.value);
    const char *name = item->export.as, *base;
    const Value *v;

    if (init) {
        export_add(p, build_init(c, s, init, name ? name : "init"), item->span);
        return;
    }
    v = eval(c, s, item->export.value);
    if (value_is_error(v))
        return;
    if (v->kind != V_fn) {
        check_fail(c, item->export.value->span, "export",
                   "only functions are exported, this is %s", value_text(c, v));
        return;
    }
    base = base_name(c, v->fn);
    if (!name && !base) {
        check_fail(c, item->export.value->span, "export",
                   "a name is needed: 'export … as name;'");
        return;
    }
    export_function(p,
                    function_build(c, v->fn, name ? name : base,
                                   base ? base : name,
                                   item->export.value->span),
                    item->span);
}

void export_all(Program *p)
{
    const Ast *ast = p->check.main->ast;
    const Item **train = NEWN(p->check.arena, const Item *, ast->item.n + 1);
    int n = 0;

    for (int i = 0; i < ast->item.n; i++)
        if (ast->item.at[i]->kind == IT_export)
            export_item(p, ast->item.at[i]);
    for (int i = 0; i < ast->item.n; i++)
        if (ast->item.at[i]->kind == IT_train)
            train[n++] = ast->item.at[i];
    if (n > 0)
        export_trains(p, n, train);
}
