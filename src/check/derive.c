/* derive.c: derivatives of functions: their parameters, values, types. */
#include "check/derive.h"
#include "check/scope.h"
#include "diff/diff.h"

#include <string.h>

const DerivMode *deriv_mode(const Fn *f) { return &deriv_modes[f->mode]; }

const char *deriv_named_after(Check *c, const char *pattern, const char *x)
{
    const char *at = strstr(pattern, "%s");

    return arena_printf(c->arena, "%.*s%s%s", (int)(at - pattern), pattern, x,
                        at + 2);
}

/* Is it the name of a parameter, or of what vjp gives for one. */
static bool is_taken(Check *c, const Fn *f, const char *name)
{
    if (fn_param_named(f->of, name) >= 0)
        return true;
    for (int i = 0; i < f->nby && deriv_mode(f)->adjoint; i++)
        if (strcmp(deriv_named_after(c, deriv_mode(f)->result,
                                     f->of->param[f->by[i]].name),
                   name) == 0)
            return true;
    return false;
}

static const char *unique_param(Check *c, const Fn *f, const char *name)
{
    const char *full = intern(c->names, name);

    for (int k = 2; is_taken(c, f, full); k++)
        full = intern(c->names, arena_printf(c->arena, "%s%d", name, k));
    return full;
}

const char *deriv_param_name(Check *c, const Fn *f, int i)
{
    const DerivMode *mode = deriv_mode(f);

    if (mode->adjoint)
        return unique_param(c, f, mode->adjoint);
    if (mode->only_tangent && f->nby == 1)
        return unique_param(c, f, mode->only_tangent);
    return unique_param(
        c, f, deriv_named_after(c, mode->tangent, f->of->param[f->by[i]].name));
}

static int by_index(Check *c, const Fn *of, const Expr *e)
{
    int i = e->kind == EX_name ? fn_param_named(of, e->name) : -1;

    if (e->kind != EX_name) {
        check_fail(c, e->span, "derivative",
                   "a parameter's name was expected here, to differentiate by");
    } else if (i < 0) {
        check_fail(c, e->span, "derivative", "'%s' has no parameter '%s'%s",
                   fn_name(c, of), e->name, fn_param_near(c, of, e->name));
        fn_declared(c, of);
    }
    return i;
}

static bool take_by(Check *c, const Fn *of, const Expr *call, int *by)
{
    int n = call->call.narg - 1;

    if (of->nparam == 0)
        return check_refuse(c, call->call.arg[0].value->span, "derivative",
                            "'%s' has no parameters to differentiate by",
                            fn_name(c, of));
    for (int i = 0; i < n; i++) {
        const Expr *e = call->call.arg[1 + i].value;

        by[i] = by_index(c, of, e);
        if (by[i] < 0)
            return false;
        for (int k = 0; k < i; k++) {
            if (by[k] != by[i])
                continue;
            return check_refuse(c, e->span, "derivative", "'%s' is named twice",
                                e->name);
        }
    }
    return true;
}

const Value *eval_derivative(Check *c, const Scope *s, DerivKind mode,
                             const Expr *call)
{
    int n = call->call.narg, *by = NEWN(c->arena, int, n + 1);
    const Expr *first = n > 0 ? call->call.arg[0].value : NULL;
    const char *name = deriv_modes[mode].name;
    const Value *of;

    if (!first)
        return check_fail(c, call->span, "derivative",
                          "'%s' needs a function: %s(f, x)", name, name);
    of = eval(c, s, first);
    if (value_is_error(of))
        return of;
    if (of->kind != V_fn) {
        check_fail(c, first->span, "derivative", "'%s' takes a function", name);
        check_is(c, first->span, of);
        if (first->kind == EX_call)
            check_detail(
                c, "name the function and call the result: %s(f, x)(…)", name);
        return c->error;
    }
    if (!take_by(c, of->fn, call, by))
        return c->error;
    return value_fn(c, fn_derivative(c, mode, of->fn, n > 1 ? n - 1 : 1, by));
}

bool type_all_real(Check *c, const Type *t)
{
    const Leaf *type = type_leaves(c->graph, t, NULL);
    bool real = true;

    for (int i = 0; i < t->nleaf; i++)
        real = real && dtype_is_real(type[i].dtype);
    return real;
}

static const char *leaf_text(Check *c, const Leaf *l)
{
    return type_text(c, type_tensor(c->arena, l->dtype, l->rank, l->dim));
}

bool value_all_real(Check *c, const Value *v, Span at, const char *what)
{
    const Type *t = value_ty(c, v);
    const Leaf *type;

    if (!t)
        return check_refuse(c, at, "derivative", "%s is a function, not reals",
                            what);
    type = type_leaves(c->graph, t, NULL);
    for (int i = 0; i < t->nleaf; i++) {
        if (dtype_is_real(type[i].dtype))
            continue;
        return check_refuse(c, at, "derivative",
                            "%s holds something that is not real\n"
                            "%s%s%s",
                            what, type[i].path,
                            *type[i].path ? " is " : "it is ",
                            leaf_text(c, &type[i]));
    }
    return true;
}

/* Arguments in their types. */

static bool coerce_like(Check *c, const Fn *f, Arguments *a, int i,
                        const Type *t)
{
    const Value *v = value_fit(c, t, a->value[i]);

    if (v) {
        a->value[i] = v;
        return true;
    }
    check_fail(c, a->span[i], "argument",
               "'%s' cannot take this as '%s'\n"
               "'%s' is %s",
               fn_name(c, f), f->param[i].name, f->param[i].name,
               type_text(c, t));
    check_is(c, a->span[i], a->value[i]);
    return false;
}

const Type *deriv_extra_type(Check *c, const Fn *f, const Arguments *a, int i)
{
    Arguments of;

    if (deriv_mode(f)->tangent)
        return value_ty(c, a->value[f->by[i]]);
    of = args_copy(c, a, f->of->nparam);
    return value_ty(c, value_settle(c, a->at, fn_apply(c, f->of, &of)));
}

static bool coerce_derivative(Check *c, const Fn *f, Arguments *a)
{
    Arguments of = *a;
    int n = f->of->nparam;

    of.n = n;
    if (!fn_coerce(c, f->of, &of))
        return false;
    for (int i = 0; i < f->nby; i++) {
        const Value **x = &a->value[f->by[i]];

        *x = *x ? value_as_real(c, *x) : NULL;
    }
    for (int i = 0; i < f->nparam - n; i++) {
        const Type *t = deriv_extra_type(c, f, a, i);

        if (!t || !coerce_like(c, f, a, n + i, t))
            return false;
    }
    return true;
}

bool fn_coerce(Check *c, const Fn *f, Arguments *a)
{
    switch (f->kind) {
    case FK_item:
        fn_define(c, f);
        return f->info->state != FN_bad &&
               bind_arguments(
                   c, f, scope_new(c, f->scope, f->limit, f->scope->unit), a);
    case FK_builtin:
        for (int i = 0; i < a->n; i++)
            if (a->value[i])
                a->value[i] = value_as_real(c, a->value[i]);
        return true;
    case FK_derivative:
        return coerce_derivative(c, f, a);
    case FK_remat:
        return fn_coerce(c, f->of, a);
    }
    return false;
}

static bool is_plain_scope(const Fn *f)
{
    if (f->kind == FK_derivative || f->kind == FK_remat)
        return is_plain_scope(f->of);
    return f->kind == FK_builtin ||
           (f->scope->up == NULL && f->scope->binding.n == 0);
}

/* Arguments that are different inputs of the graph need no stand-ins. */
static bool distinct_inputs(Check *c, const Fn *f, const Arguments *a)
{
    enum { MANY = 64 };
    Node **all;
    int n;

    for (int i = 0; i < a->n; i++)
        if (a->value[i] && a->value[i]->kind == V_fn)
            return false;
    all = values_leaves(c, a->n, a->value, &n);
    if (n > MANY || !is_plain_scope(f->of))
        return false;
    for (int i = 0; i < n; i++) {
        if (all[i]->op == OP_dim)
            continue; /* an int parameter that is a dimension */
        if (all[i]->op != OP_param)
            return false;
        for (int k = 0; k < i; k++)
            if (all[i] == all[k])
                return false;
    }
    return true;
}

static bool holds_reals(Check *c, const Value *v)
{
    const Type *t = v ? value_ty(c, v) : NULL;

    return t && t->nleaf > 0 && type_all_real(c, t);
}

/* After a message that it is not differentiable by the parameter asked for. */
static void suggest_by(const Derivation *d, const Arguments *inner)
{
    Check *c = d->c;
    const Fn *of = d->f->of;

    for (int i = 0; i < inner->n && d->f->nby == 1; i++) {
        if (!holds_reals(c, inner->value[i]))
            continue;
        check_detail(c, "by '%s' it is %s(%s, %s)", of->param[i].name,
                     deriv_mode(d->f)->name, fn_name(c, of), of->param[i].name);
        return;
    }
}

static bool differentiable(Derivation *d, const Arguments *inner, int by)
{
    Check *c = d->c;
    const char *name = d->f->of->param[by].name;

    if (!inner->value[by])
        return check_refuse(
            c, d->a->at, "derivative",
            "'%s' is not given, so there is no derivative by it", name);
    if (value_all_real(
            c, inner->value[by], d->a->span[by],
            arena_printf(c->arena, "'%s' of '%s'", name, fn_name(c, d->f->of))))
        return true;
    suggest_by(d, inner);
    return false;
}

static bool stand_ins(Derivation *d, Arguments *inner)
{
    Check *c = d->c;
    int n = d->f->nby;
    const Value **x = NEWN(c->arena, const Value *, n);

    d->by = NEWN(c->arena, const Value *, n);
    for (int i = 0; i < n; i++) {
        int by = d->f->by[i];

        if (!differentiable(d, inner, by))
            return false;
        x[i] = d->by[i] = inner->value[by];
        if (!d->direct)
            x[i] = value_fresh(c, value_ty(c, x[i]), d->f->of->param[by].name);
        inner->value[by] = x[i];
    }
    d->actual = values_leaves(c, n, d->by, &d->nx);
    d->x = values_leaves(c, n, x, &d->nx);
    return true;
}

const Value *deriv_like_arguments(Derivation *d, Node *const *dx)
{
    Check *c = d->c;
    const Value **part = NEWN(c->arena, const Value *, d->f->nby);

    for (int i = 0; i < d->f->nby; i++) {
        part[i] = value_of_leaves(c, value_ty(c, d->by[i]), dx);
        dx += d->by[i]->nleaf;
    }
    return value_of_parts(c, d->a->at, d->f->nby, part);
}

static const Value *pair(Derivation *d, const Value *y, const Value *dx)
{
    const Value *part[2] = {y, dx};

    return value_tuple(d->c, d->a->at, 2, part);
}

void deriv_put_back(Derivation *d, int n, Node **dx)
{
    Node **root;

    if (d->direct)
        return;
    root = NEWN(d->c->arena, Node *, d->ny + n + 1);
    memcpy(root, d->y_leaf, sizeof *root * (size_t)d->ny);
    memcpy(root + d->ny, dx, sizeof *root * (size_t)n);
    graph_subst(d->c->graph, d->nx, d->x, d->actual, d->ny + n, root);
    memcpy(d->y_leaf, root, sizeof *root * (size_t)d->ny);
    memcpy(dx, root + d->ny, sizeof *root * (size_t)n);
}

static const Value *reverse(Derivation *d)
{
    Check *c = d->c;
    Node **dx = NEWN(c->arena, Node *, d->nx + 1), **y_bar;
    const Value *y, *x_bar;
    const Type *t = value_ty(c, d->y);

    if (deriv_mode(d->f)->adjoint) {
        y_bar = value_leaves(c, d->a->value[d->a->n - 1]);
    } else {
        y_bar = NEWN(c->arena, Node *, 1);
        y_bar[0] = g_fill(c->graph, d->y_leaf[0], 1);
    }
    diff_reverse(c->graph, d->ny, d->y_leaf, y_bar, d->nx, d->x, dx);
    deriv_put_back(d, d->nx, dx);
    y = value_of_leaves(c, t, d->y_leaf);
    x_bar = deriv_like_arguments(d, dx);
    return deriv_mode(d->f)->value ? pair(d, y, x_bar) : x_bar;
}

Node **deriv_tangents(Derivation *d)
{
    int n = d->f->nby;

    return values_leaves(d->c, n, d->a->value + d->a->n - n, &n);
}

static const Value *forward(Derivation *d)
{
    Check *c = d->c;
    Node **y_dot = NEWN(c->arena, Node *, d->ny + 1);
    const Type *t = value_ty(c, d->y);

    diff_forward(c->graph, d->ny, d->y_leaf, d->nx, d->x, deriv_tangents(d),
                 y_dot);
    deriv_put_back(d, d->ny, y_dot);
    return pair(d, value_of_leaves(c, t, d->y_leaf),
                value_of_leaves(c, t, y_dot));
}

/* Where derivatives are differentiated again and again. */
static bool has_room(Derivation *d)
{
    Check *c = d->c;

    if (graph_count(c->graph) <= check_most_nodes(c) / 4)
        return true;
    check_fail(c, d->a->at, "too-large",
               "this program expands to too many operations\n"
               "a derivative has up to four times the operations of what is "
               "differentiated");
    check_stop(c);
    return false;
}

static bool result_fits(Derivation *d)
{
    Check *c = d->c;

    if (!has_room(d))
        return false;
    if (deriv_mode(d->f)->scalar &&
        (!value_is_scalar(d->y) || !dtype_is_real(d->y->node->dtype))) {
        check_fail(c, d->a->at, "derivative",
                   "'%s' needs a function whose result is a real scalar\n"
                   "the result of '%s' is %s",
                   deriv_mode(d->f)->name, fn_name(c, d->f->of),
                   value_text(c, d->y));
        fn_declared(c, d->f->of);
        return false;
    }
    return value_all_real(
        c, d->y, d->a->at,
        arena_printf(c->arena, "the result of '%s'", fn_name(c, d->f->of)));
}

static const Value *(*const derive[NDERIVS])(Derivation *d) = {
    [DERIV_grad] = reverse,
    [DERIV_value_and_grad] = reverse,
    [DERIV_jvp] = forward,
    [DERIV_vjp] = reverse,
    [DERIV_jacobian] = deriv_jacobian,
    [DERIV_hessian] = deriv_hessian,
    [DERIV_hvp] = deriv_hessian_vector,
    [DERIV_sparse_jacobian] = deriv_sparse_jacobian,
    [DERIV_sparse_hessian] = deriv_sparse_hessian,
};

const Value *fn_apply_derivative(Check *c, const Fn *f, Arguments *a)
{
    Derivation d = {.c = c, .f = f, .a = a};
    Arguments inner;
    const Value *to;
    bool before;

    if (!coerce_derivative(c, f, a))
        return c->error;
    inner = args_copy(c, a, f->of->nparam);
    d.direct = distinct_inputs(c, f, a);
    if (!stand_ins(&d, &inner))
        return c->error;
    d.y = value_settle(c, a->at, fn_apply(c, f->of, &inner));
    if (value_is_error(d.y) || !result_fits(&d))
        return c->error;
    d.y_leaf = value_leaves(c, d.y);
    d.ny = d.y->nleaf;
    before = graph_deriving(c->graph, true);
    to = derive[f->mode](&d);
    graph_deriving(c->graph, before);
    return to;
}
