/* derive.c: grad, value_and_grad, jvp and vjp of functions. */
#include "check/check_internal.h"
#include "diff/diff.h"

#include <string.h>

static int by_index(Check *c, const Fn *of, const Expr *e)
{
    int n = fn_nparam(of);
    const char **name = NEWN(c->arena, const char *, n + 1);

    if (e->kind != EX_name) {
        fail(c, e->span, "derivative",
             "a parameter's name was expected here, to differentiate by");
        return -1;
    }
    for (int i = 0; i < n; i++) {
        name[i] = fn_param_name(c, of, i);
        if (name[i] == e->name)
            return i;
    }
    fail(c, e->span, "derivative", "'%s' has no parameter '%s'%s",
         fn_name(c, of), e->name, suggestion(c, e->name, name, n));
    note(c, fn_span(of), "'%s' is declared here", fn_name(c, of));
    return -1;
}

static bool take_by(Check *c, Fn *f, const Expr *call)
{
    int n = call->call.narg - 1;
    int *by = NEWN(c->arena, int, n + 1);

    f->by = by;
    f->nby = n > 0 ? n : 1;
    if (fn_nparam(f->of) == 0) {
        fail(c, call->call.arg[0].value->span, "derivative",
             "'%s' has no parameters to differentiate by", fn_name(c, f->of));
        return false;
    }
    for (int i = 0; i < n; i++) {
        const Expr *e = call->call.arg[1 + i].value;

        by[i] = by_index(c, f->of, e);
        if (by[i] < 0)
            return false;
        for (int k = 0; k < i; k++) {
            if (by[k] != by[i])
                continue;
            fail(c, e->span, "derivative", "'%s' is named twice", e->name);
            return false;
        }
    }
    return true;
}

const Value *eval_derivative(Check *c, const Scope *s, DerivOp op,
                             const Expr *call)
{
    Fn *f = NEW(c->arena, Fn);
    const Expr *first = call->call.narg > 0 ? call->call.arg[0].value : NULL;
    const Value *of;

    if (!first)
        return fail(c, call->span, "derivative",
                    "'%s' needs a function: %s(f, x)", deriv_name(op),
                    deriv_name(op));
    of = eval(c, s, first);
    if (is_error(of))
        return of;
    if (of->kind != V_fn) {
        fail(c, first->span, "derivative", "'%s' takes a function",
             deriv_name(op));
        diag_label(c->diags, first->span, "%s", value_text(c, of));
        if (first->kind == EX_call)
            detail(c, "name the function and call the result: %s(f, x)(…)",
                   deriv_name(op));
        return c->error;
    }
    f->kind = FK_derivative;
    f->op = op;
    f->of = of->fn;
    return take_by(c, f, call) ? value_fn(c, f) : c->error;
}

bool all_real(Check *c, const Value *v, Span at, const char *what)
{
    const Ty *t = value_ty(c, v);
    const Ty **type;
    const char **path;

    if (!t) {
        fail(c, at, "derivative", "%s is a function, not reals", what);
        return false;
    }
    type = ty_leaves(c, t);
    path = ty_paths(c, t);
    for (int i = 0; i < t->nleaf; i++) {
        if (dtype_is_real(type[i]->dtype))
            continue;
        fail(c, at, "derivative", "%s holds something that is not real", what);
        detail(c, "%s%s%s", path[i], *path[i] ? " is " : "it is ",
               ty_text(c, type[i]));
        return false;
    }
    return true;
}

/* Arguments as f's parameters hold them: literals in their types, defaults
 * filled in. */

static bool coerce(Check *c, const Fn *f, Arguments *a);

static bool coerce_like(Check *c, const Fn *f, Arguments *a, int i, const Ty *t)
{
    const Value *v = fit(c, t, a->value[i]);

    if (v) {
        a->value[i] = v;
        return true;
    }
    fail(c, a->span[i], "argument", "'%s' cannot take this as '%s'",
         fn_name(c, f), fn_param_name(c, f, i));
    diag_label(c->diags, a->span[i], "%s", value_text(c, a->value[i]));
    detail(c, "'%s' is %s", fn_param_name(c, f, i), ty_text(c, t));
    return false;
}

static bool coerce_derivative(Check *c, const Fn *f, Arguments *a)
{
    Arguments of = *a;
    int n = fn_nparam(f->of);
    const Value *y;

    of.n = n;
    if (!coerce(c, f->of, &of))
        return false;
    for (int i = 0; f->op == D_jvp && i < f->nby; i++) {
        const Ty *t = value_ty(c, a->value[f->by[i]]);

        if (!t || !coerce_like(c, f, a, n + i, t))
            return false;
    }
    if (f->op != D_vjp)
        return true;
    of = arguments_new(c, n, a->at, a->scope);
    memcpy(of.value, a->value, sizeof *of.value * (size_t)n);
    y = settle(c, a->at, apply(c, f->of, &of));
    return value_ty(c, y) && coerce_like(c, f, a, n, value_ty(c, y));
}

static bool coerce(Check *c, const Fn *f, Arguments *a)
{
    switch (f->kind) {
    case FK_item:
        define(c, f);
        return f->info->state != FN_bad &&
               bind_arguments(
                   c, f, scope_new(c, f->scope, f->limit, f->scope->unit), a);
    case FK_builtin:
        for (int i = 0; i < a->n; i++)
            if (a->value[i] && a->value[i]->kind == V_tensor &&
                a->value[i]->literal != LIT_no)
                a->value[i] = value_tensor(c, adapt(c, a->value[i], c->real));
        return true;
    case FK_derivative:
        return coerce_derivative(c, f, a);
    }
    return false;
}

/* f on new inputs in place of what is differentiated by, and back. */

typedef struct Derivation {
    Check *c;
    const Fn *f;
    const Arguments *a;
    int nx;
    Node **x, **actual; /* leaves of the arguments: new inputs, and given */
    const Value *y;
    Node **y_leaf;
    int ny;
    bool direct; /* x is actual */
} Derivation;

static bool is_plain_scope(const Fn *f)
{
    if (f->kind == FK_derivative)
        return is_plain_scope(f->of);
    return f->kind == FK_builtin ||
           (f->scope->up == NULL && f->scope->binding.n == 0);
}

/* Arguments that are different inputs of the graph need no stand-ins. */
static bool distinct_inputs(Check *c, const Fn *f, const Arguments *a)
{
    Node **all;
    int n = 0, total = 0;

    if (!is_plain_scope(f->of))
        return false;
    for (int i = 0; i < a->n; i++)
        total += a->value[i] ? a->value[i]->nleaf : 0;
    if (total > 64)
        return false;
    all = NEWN(c->arena, Node *, total + 1);
    for (int i = 0; i < a->n; i++) {
        Node **leaf;

        if (!a->value[i])
            continue;
        if (a->value[i]->kind == V_fn)
            return false;
        leaf = value_leaves(c, a->value[i]);
        for (int k = 0; k < a->value[i]->nleaf; k++)
            all[n++] = leaf[k];
    }
    for (int i = 0; i < n; i++) {
        if (all[i]->op != OP_param)
            return false;
        for (int k = 0; k < i; k++)
            if (all[i] == all[k])
                return false;
    }
    return true;
}

static bool stand_ins(Derivation *d, Arguments *inner)
{
    Check *c = d->c;
    int n = 0;

    for (int i = 0; i < d->f->nby; i++) {
        int by = d->f->by[i];
        const Value *v = inner->value[by];
        const char *name = fn_param_name(c, d->f->of, by);

        if (!v) {
            fail(c, d->a->at, "derivative",
                 "'%s' is not given, so there is no derivative by it", name);
            return false;
        }
        if (!all_real(c, v, d->a->span[by],
                      arena_printf(c->arena, "'%s' of '%s'", name,
                                   fn_name(c, d->f->of))))
            return false;
        d->nx += v->nleaf;
    }
    d->x = NEWN(c->arena, Node *, d->nx + 1);
    d->actual = NEWN(c->arena, Node *, d->nx + 1);
    for (int i = 0; i < d->f->nby; i++) {
        int by = d->f->by[i];
        const Value *v = inner->value[by], *fresh = v;

        if (!d->direct)
            fresh =
                value_fresh(c, value_ty(c, v), fn_param_name(c, d->f->of, by));
        memcpy(d->actual + n, value_leaves(c, v),
               sizeof *d->x * (size_t)v->nleaf);
        memcpy(d->x + n, value_leaves(c, fresh),
               sizeof *d->x * (size_t)v->nleaf);
        inner->value[by] = fresh;
        n += v->nleaf;
    }
    return true;
}

/* Give the derivative part, whose leaves are dx, the types of the arguments. */
static const Value *like_arguments(Derivation *d, Node *const *dx)
{
    Check *c = d->c;
    const Value **part = NEWN(c->arena, const Value *, d->f->nby);

    for (int i = 0; i < d->f->nby; i++) {
        const Value *v = d->a->value[d->f->by[i]];

        part[i] = value_of_leaves(c, value_ty(c, v), dx);
        dx += v->nleaf;
    }
    return d->f->nby == 1 ? part[0] : value_tuple(c, d->a->at, d->f->nby, part);
}

static const Value *pair(Derivation *d, const Value *y, const Value *dx)
{
    const Value *part[2] = {y, dx};

    return value_tuple(d->c, d->a->at, 2, part);
}

/* Back to the given arguments: roots are y's leaves, then n of dx. */
static void put_back(Derivation *d, int n, Node **dx)
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
    const Ty *t = value_ty(c, d->y);

    if (d->f->op == D_vjp) {
        y_bar = value_leaves(c, d->a->value[d->a->n - 1]);
    } else {
        y_bar = NEWN(c->arena, Node *, 1);
        y_bar[0] = g_fill(c->graph, d->y_leaf[0], 1);
    }
    diff_reverse(c->graph, d->ny, d->y_leaf, y_bar, d->nx, d->x, dx);
    put_back(d, d->nx, dx);
    y = value_of_leaves(c, t, d->y_leaf);
    x_bar = like_arguments(d, dx);
    return d->f->op == D_grad ? x_bar : pair(d, y, x_bar);
}

static const Value *forward(Derivation *d)
{
    Check *c = d->c;
    Node **x_dot = NEWN(c->arena, Node *, d->nx + 1);
    Node **y_dot = NEWN(c->arena, Node *, d->ny + 1);
    const Ty *t = value_ty(c, d->y);
    int n = 0, first = d->a->n - d->f->nby;

    for (int i = 0; i < d->f->nby; i++) {
        const Value *v = d->a->value[first + i];

        memcpy(x_dot + n, value_leaves(c, v), sizeof *x_dot * (size_t)v->nleaf);
        n += v->nleaf;
    }
    diff_forward(c->graph, d->ny, d->y_leaf, d->nx, d->x, x_dot, y_dot);
    put_back(d, d->ny, y_dot);
    return pair(d, value_of_leaves(c, t, d->y_leaf),
                value_of_leaves(c, t, y_dot));
}

static bool result_fits(Derivation *d)
{
    Check *c = d->c;
    bool scalar = d->f->op == D_grad || d->f->op == D_value_and_grad;

    if (scalar && (!is_scalar(d->y) || !dtype_is_real(d->y->node->dtype))) {
        fail(c, d->a->at, "derivative",
             "'%s' needs a function whose result is a real scalar",
             deriv_name(d->f->op));
        detail(c, "the result of '%s' is %s", fn_name(c, d->f->of),
               value_text(c, d->y));
        note(c, fn_span(d->f->of), "'%s' is declared here",
             fn_name(c, d->f->of));
        return false;
    }
    return all_real(
        c, d->y, d->a->at,
        arena_printf(c->arena, "the result of '%s'", fn_name(c, d->f->of)));
}

const Value *apply_derivative(Check *c, const Fn *f, Arguments *a)
{
    Derivation d = {.c = c, .f = f, .a = a};
    Arguments inner;
    int n = fn_nparam(f->of);

    if (!coerce_derivative(c, f, a))
        return c->error;
    inner = arguments_new(c, n, a->at, a->scope);
    memcpy(inner.value, a->value, sizeof *inner.value * (size_t)n);
    memcpy(inner.span, a->span, sizeof *inner.span * (size_t)n);
    memcpy(inner.expr, a->expr, sizeof *inner.expr * (size_t)n);
    d.direct = distinct_inputs(c, f, a);
    if (!stand_ins(&d, &inner))
        return c->error;
    d.y = settle(c, a->at, apply(c, f->of, &inner));
    if (is_error(d.y) || !result_fits(&d))
        return c->error;
    d.y_leaf = value_leaves(c, d.y);
    d.ny = d.y->nleaf;
    return f->op == D_jvp ? forward(&d) : reverse(&d);
}
