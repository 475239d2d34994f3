/* ast.c: constructors of the tree. */

#include "syntax/ast_build.h"

#include <limits.h>
#include <string.h>

/* Expressions */

static int max_int(int a, int b) { return a > b ? a : b; }

static int depth_of(const Expr *e) { return e ? e->depth : 0; }

/* A new node with what `like` says, over operands of which the deepest has the
 * depth `inner`. */
static Expr *ex_new(struct parse *p, ExprKind kind, Span s, int inner,
                    Expr like)
{
    like.kind = kind;
    like.span = s;
    like.depth = inner + 1;
    if (like.depth > MAX_DEPTH) {
        parse_too_deep(p, s);
        like.kind = EX_error;
        like.depth = 1;
    }
    return arena_copy(p->arena, &like, sizeof like);
}

Expr *ex_error(struct parse *p, Span s)
{
    return ex_new(p, EX_error, s, 0, (Expr){.integer = 0});
}

Expr *ex_int(struct parse *p, Span s, int64_t v)
{
    return ex_new(p, EX_int, s, 0, (Expr){.integer = v});
}

Expr *ex_real(struct parse *p, Span s, double v)
{
    return ex_new(p, EX_real, s, 0, (Expr){.real = v});
}

Expr *ex_bool(struct parse *p, Span s, bool v)
{
    return ex_new(p, EX_bool, s, 0, (Expr){.boolean = v});
}

Expr *ex_text(struct parse *p, Span s, const char *text)
{
    return ex_new(p, EX_text, s, 0, (Expr){.name = text});
}

Expr *ex_name(struct parse *p, Span s, const char *name)
{
    return ex_new(p, EX_name, s, 0, (Expr){.name = name});
}

Expr *ex_paren(struct parse *p, Span s, Expr *e)
{
    (void)p;
    e->paren = true;
    e->span = s;
    return e;
}

Expr *ex_field(struct parse *p, Span s, Expr *of, Name name)
{
    return ex_new(p, EX_field, s, of->depth,
                  (Expr){.field = {of, name.name, name.span, 0}});
}

Expr *ex_part(struct parse *p, Span s, Expr *of, int64_t part, Span at)
{
    int n = part > INT_MAX ? INT_MAX : (int)part;

    if (part > INT_MAX)
        diag(p->diags, at, "number-range", "no tuple has so many parts");
    return ex_new(p, EX_part, s, of->depth, (Expr){.field = {of, NULL, at, n}});
}

static int args_depth(const Arg *arg, int n)
{
    int depth = 0;

    for (int i = 0; i < n; i++)
        depth = max_int(depth, depth_of(arg[i].value));
    return depth;
}

static Expr *new_call(struct parse *p, Span s, Expr *fn, Arg *arg, int narg)
{
    int inner = max_int(fn->depth, args_depth(arg, narg));
    return ex_new(p, EX_call, s, inner, (Expr){.call = {fn, arg, narg}});
}

Expr *ex_call(struct parse *p, Span s, Expr *fn, const ArgList *args)
{
    for (int i = 1; i < args->n; i++) {
        if (args->at[i].name || !args->at[i - 1].name)
            continue;
        diag(p->diags, args->at[i].value->span, "argument-order",
             "an argument without a name after one with a name");
        break;
    }
    return new_call(p, s, fn, args->at, args->n);
}

static bool may_be_function(const Expr *e)
{
    return e->paren || e->kind == EX_name || e->kind == EX_field ||
           e->kind == EX_fn || e->kind == EX_error;
}

/* x |> f(a) is f(x, a); x |> f is f(x). */
Expr *ex_pipe(struct parse *p, Span s, Expr *x, Expr *to)
{
    bool call = to->kind == EX_call && !to->paren;
    int n = call ? to->call.narg : 0;
    Arg *arg = NEWN(p->arena, Arg, n + 1);

    if (!call && !may_be_function(to)) {
        diag(p->diags, to->span, "pipe",
             "'|>' needs a function or a call on its right");
        return ex_error(p, s);
    }
    arg[0] = (Arg){NULL, {0, 0}, x};
    if (n)
        memcpy(arg + 1, to->call.arg, sizeof *arg * (size_t)n);
    return new_call(p, s, call ? to->call.fn : to, arg, n + 1);
}

Expr *ex_index(struct parse *p, Span s, Expr *of, const SubList *subs)
{
    int inner = of->depth;

    for (int i = 0; i < subs->n; i++) {
        const Sub *sub = &subs->at[i];
        int ends = max_int(depth_of(sub->lo), depth_of(sub->hi));
        inner = max_int(inner, max_int(ends, depth_of(sub->step)));
    }
    return ex_new(p, EX_index, s, inner,
                  (Expr){.index = {of, subs->at, subs->n}});
}

Expr *ex_unary(struct parse *p, Span s, UnaryOp op, Expr *of)
{
    return ex_new(p, EX_unary, s, of->depth, (Expr){.unary = {op, of}});
}

static bool compares(const Expr *e)
{
    return e->kind == EX_binary && !e->paren && e->binary.op >= BI_lt &&
           e->binary.op <= BI_ne;
}

Expr *ex_binary(struct parse *p, Span s, BinaryOp op, Span at, Expr *l, Expr *r)
{
    int left = l->kind == EX_binary ? l->depth - 1 : l->depth;

    if (op >= BI_lt && op <= BI_ne && compares(l)) {
        diag(p->diags, at, "comparison", "comparisons do not chain");
        diag_detail(p->diags, "'a < b < c' is written 'a < b && b < c'");
    }
    return ex_new(p, EX_binary, s, max_int(left, r->depth),
                  (Expr){.binary = {op, at, l, r}});
}

static Expr *new_list(struct parse *p, ExprKind kind, Span s, Expr **at, int n)
{
    int inner = 0;

    for (int i = 0; i < n; i++)
        inner = max_int(inner, at[i]->depth);
    return ex_new(p, kind, s, inner, (Expr){.list = {at, n}});
}

Expr *ex_tensor(struct parse *p, Span s, const ArgList *args)
{
    Expr **at = NEWN(p->arena, Expr *, args->n + 1);

    if (args->n == 0) {
        diag(p->diags, s, "empty-tensor", "a tensor needs an element");
        diag_detail(p->diags, "zeros([0]) is one without");
        return ex_error(p, s);
    }
    for (int i = 0; i < args->n; i++) {
        at[i] = args->at[i].value;
        if (args->at[i].name)
            diag(p->diags, args->at[i].name_span, "syntax",
                 "the elements of a tensor have no names");
    }
    return new_list(p, EX_tensor, s, at, args->n);
}

Expr *ex_no_parts(struct parse *p, Span s)
{
    return new_list(p, EX_tuple, s, NEWN(p->arena, Expr *, 1), 0);
}

Expr *ex_tuple(struct parse *p, Span s, Expr *first, const ExprList *rest)
{
    Expr **at = NEWN(p->arena, Expr *, rest->n + 1);

    at[0] = first;
    memcpy(at + 1, rest->at, sizeof *at * (size_t)rest->n);
    return new_list(p, EX_tuple, s, at, rest->n + 1);
}

/* A branch's braces are part of the `if`, no level of their own. */
Expr *ex_if(struct parse *p, Span s, Expr *cond, Expr *then, Expr *other)
{
    int inner = max_int(cond->depth, max_int(then->depth, other->depth));
    return ex_new(p, EX_if, s, inner, (Expr){.cond = {cond, then, other}});
}

/* A block is as deep as what is in it. */
Expr *ex_block(struct parse *p, Span s, const StmtList *stmts, Expr *value)
{
    Block b = {stmts->at, stmts->n, value, s};
    int inner = value->depth;

    for (int i = 0; i < stmts->n; i++) {
        const Stmt *st = &stmts->at[i];
        inner = max_int(inner, st->fn ? depth_of(st->fn->body) + 1
                                      : depth_of(st->value));
    }
    return ex_new(p, EX_block, s, inner - 1,
                  (Expr){.block = arena_copy(p->arena, &b, sizeof b)});
}

Expr *ex_fn(struct parse *p, Span s, FnItem *fn)
{
    return ex_new(p, EX_fn, s, fn->body->depth, (Expr){.fn = fn});
}

/* Binders */

typedef enum BinderUse { USE_index, USE_loop } BinderUse;

/* What was read as an argument, as a binder: i, i < n, h = e. */
static bool as_binder(struct parse *p, const Arg *a, BinderUse use, Binder *b)
{
    const Expr *v = a->value;

    *b = (Binder){NULL, NULL, NULL, v->span};
    if (a->name) {
        b->name = a->name;
        b->init = a->value;
        b->span = (Span){a->name_span.beg, v->span.end};
        if (use == USE_loop)
            return true;
        diag(p->diags, b->span, "binder", "only fold and scan carry values");
        diag_detail(p->diags, "a binder is written 'i' or 'i < n'");
        return false;
    }
    if (v->kind == EX_name && !v->paren) {
        b->name = v->name;
        return true;
    }
    if (v->kind == EX_binary && v->binary.op == BI_lt && !v->paren &&
        v->binary.left->kind == EX_name && !v->binary.left->paren) {
        b->name = v->binary.left->name;
        b->bound = v->binary.right;
        return true;
    }
    if (v->kind != EX_error) {
        diag(p->diags, v->span, "binder", "this is no binder");
        diag_detail(p->diags, "before '|' stands %s",
                    use == USE_loop ? "'t < n', 'h = first value' or "
                                      "'until = condition'"
                                    : "'i' or 'i < n'");
    }
    return false;
}

static Expr *new_over(struct parse *p, ExprKind kind, Span s, Expr *fn,
                      const ArgList *list, Expr *body)
{
    Binder *binder = NEWN(p->arena, Binder, list->n + 1);
    BinderUse use = kind == EX_loop ? USE_loop : USE_index;
    bool fit = true;

    for (int i = 0; i < list->n; i++)
        if (!as_binder(p, &list->at[i], use, &binder[i]))
            fit = false;
    int inner = max_int(args_depth(list->at, list->n), body->depth);
    inner = max_int(inner, depth_of(fn));
    return ex_new(p, fit ? kind : EX_error, s, inner,
                  (Expr){.comp = {fn, binder, list->n, body}});
}

Expr *ex_comp(struct parse *p, Span s, const ArgList *binders, Expr *body)
{
    return new_over(p, EX_comp, s, NULL, binders, body);
}

static bool is_loop(const Expr *fn)
{
    return fn->kind == EX_name &&
           (!strcmp(fn->name, "fold") || !strcmp(fn->name, "scan"));
}

Expr *ex_over(struct parse *p, Span s, Expr *fn, const ArgList *binders,
              Expr *body)
{
    return new_over(p, is_loop(fn) ? EX_loop : EX_reduce, s, fn, binders, body);
}

/* Types */

static TypeEx *te_new(struct parse *p, TypeExKind kind, Span s)
{
    TypeEx *t = NEW(p->arena, TypeEx);

    t->kind = kind;
    t->span = s;
    t->depth = 1;
    return t;
}

/* t holds something of the depth `inner`. */
static void te_deepen(struct parse *p, TypeEx *t, int inner)
{
    if (inner + 1 > MAX_DEPTH)
        parse_too_deep(p, t->span);
    else
        t->depth = max_int(t->depth, inner + 1);
}

TypeEx *te_name(struct parse *p, Span s, const char *module, Name name)
{
    TypeEx *t = te_new(p, TE_name, s);

    t->module = module;
    t->name = name.name;
    return t;
}

TypeEx *te_args(struct parse *p, Span s, TypeEx *t, bool leading,
                const ExprList *args)
{
    t->span = s;
    t->has_args = true;
    t->leading = leading;
    t->arg = args ? args->at : NULL;
    t->narg = args ? args->n : 0;
    for (int i = 0; i < t->narg; i++)
        te_deepen(p, t, t->arg[i]->depth);
    return t;
}

static void te_parts(struct parse *p, TypeEx *t, const TypeList *parts)
{
    t->part = parts->at;
    t->npart = parts->n;
    for (int i = 0; i < parts->n; i++)
        te_deepen(p, t, parts->at[i]->depth);
}

/* One type in parentheses is that type. */
TypeEx *te_tuple(struct parse *p, Span s, const TypeList *parts)
{
    if (parts->n == 1)
        return parts->at[0];
    TypeEx *t = te_new(p, TE_tuple, s);
    te_parts(p, t, parts);
    return t;
}

TypeEx *te_stack(struct parse *p, Span s, TypeEx *of, Expr *count)
{
    TypeEx *t = te_new(p, TE_stack, s);

    t->part = NEW(p->arena, TypeEx *);
    t->part[0] = of;
    t->npart = 1;
    t->arg = NEW(p->arena, Expr *);
    t->arg[0] = count;
    t->narg = 1;
    te_deepen(p, t, max_int(of->depth, count->depth));
    return t;
}

TypeEx *te_fn(struct parse *p, Span s, const TypeList *params, TypeEx *result)
{
    TypeEx *t = te_new(p, TE_fn, s);

    te_parts(p, t, params);
    te_deepen(p, t, result->depth);
    t->result = result;
    return t;
}

/* Functions */

TypeParam type_param(struct parse *p, Name name, Name bound)
{
    if (strcmp(bound.name, "real") != 0)
        diag(p->diags, bound.span, "bound",
             "a type parameter may be bound to 'real' only: [%s: real]",
             name.name);
    return (TypeParam){name.name, true};
}

FnItem *fn_head(struct parse *p, Name name, const TypeParamList *type_params,
                const ParamList *params, TypeEx *result)
{
    FnItem *fn = NEW(p->arena, FnItem);

    fn->name = name.name;
    fn->name_span = name.span;
    if (type_params) {
        fn->ntype_param = type_params->n;
        fn->type_param = type_params->at;
    }
    fn->param = params->at;
    fn->nparam = params->n;
    fn->result = result;
    return fn;
}

FnItem *fn_body(struct parse *p, Span s, FnItem *fn, Expr *body)
{
    (void)p;
    fn->span = s;
    fn->body = body;
    return fn;
}

static void needs_types(struct parse *p, const FnItem *fn)
{
    for (int i = 0; i < fn->nparam; i++) {
        if (fn->param[i].type)
            continue;
        diag(p->diags, fn->param[i].span, "parameter-type",
             "parameter '%s' of '%s' needs a type", fn->param[i].name,
             fn->name);
        diag_detail(p->diags, "like '%s: real'", fn->param[i].name);
    }
}

/* Statements */

Pattern pattern_tuple(Span s, const PatternList *parts)
{
    if (parts->n == 1)
        return parts->at[0];
    return (Pattern){.span = s, .part = parts->at, .npart = parts->n};
}

Stmt stmt_let(Span s, Pattern pattern, TypeEx *type, Expr *value)
{
    return (Stmt){.span = s, .pattern = pattern, .type = type, .value = value};
}

Stmt stmt_fn(struct parse *p, Span s, FnItem *fn)
{
    needs_types(p, fn);
    return (Stmt){.span = s, .fn = fn};
}

/* Items */

static void item_add(struct parse *p, ItemKind kind, Span s, Item like)
{
    like.kind = kind;
    like.span = s;
    list_push(p->arena, &p->ast->item,
              arena_copy(p->arena, &like, sizeof like));
}

void item_use(struct parse *p, Span s, Name name, const char *as)
{
    item_add(p, IT_use, s, (Item){.use = {name.name, as, name.span}});
}

void item_const(struct parse *p, Span s, Name name, TypeEx *type, Expr *value)
{
    item_add(p, IT_const, s,
             (Item){.constant = {name.name, name.span, type, value}});
}

void item_struct(struct parse *p, Span s, Name name, const NameList *params,
                 const FieldList *fields)
{
    StructItem *st = NEW(p->arena, StructItem);
    int n = params ? params->n : 0;

    st->name = name.name;
    st->name_span = name.span;
    st->param = NEWN(p->arena, const char *, n + 1);
    st->param_span = NEWN(p->arena, Span, n + 1);
    st->nparam = n;
    for (int i = 0; i < n; i++) {
        st->param[i] = params->at[i].name;
        st->param_span[i] = params->at[i].span;
    }
    st->field = fields->at;
    st->nfield = fields->n;
    item_add(p, IT_struct, s, (Item){.structure = st});
}

void item_fn(struct parse *p, Span s, FnItem *fn)
{
    needs_types(p, fn);
    item_add(p, IT_fn, s, (Item){.fn = fn});
}

void item_derivative(struct parse *p, Span s, FnItem *fn,
                     const ParamList *given)
{
    item_add(p, IT_derivative, s,
             (Item){.derivative = {fn, given->at, given->n}});
}

void item_export(struct parse *p, Span s, Expr *value, Name as)
{
    item_add(p, IT_export, s, (Item){.export = {value, as.name}});
}

void item_train(struct parse *p, Span s, TrainHead head,
                const SettingList *settings)
{
    Item item = {.train = {.loss = head.loss.name,
                           .loss_span = head.loss.span,
                           .by = head.by.name,
                           .by_span = head.by.span,
                           .as = head.as.name,
                           .held = head.held.name.name,
                           .held_span = head.held.name.span,
                           .setting = settings->at,
                           .nsetting = settings->n}};

    if (head.held.part) {
        item.train.frozen = head.held.part->at;
        item.train.nfrozen = head.held.part->n;
    }
    item_add(p, IT_train, s, item);
}
