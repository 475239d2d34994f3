/* custom.c: calls that stay calls in the graph: of remat(f), and of functions
 * with a `derivative` item. Their bodies are regions of the tensors given. */
#include "check/check_internal.h"
#include "graph/region.h"

#include <string.h>

/* remat(f) */

const Value *eval_remat(Check *c, const Scope *s, const Expr *call)
{
    Fn *f = NEW(c->arena, Fn);
    const Value *of;

    if (call->call.narg != 1)
        return fail(c, call->span, "derivative",
                    "'remat' takes a function: remat(f)(x)");
    of = eval(c, s, call->call.arg[0].value);
    if (is_error(of))
        return of;
    if (of->kind != V_fn) {
        fail(c, call->call.arg[0].value->span, "derivative",
             "'remat' takes a function");
        diag_label(c->diags, call->call.arg[0].value->span, "%s",
                   value_text(c, of));
        detail(c, "name the function and call the result: remat(f)(x)");
        return c->error;
    }
    f->kind = FK_remat;
    f->of = of->fn;
    return value_fn(c, f);
}

/* What is being evaluated apart, from the outside in. Coming there again it has
 * the same parameters, so that what it calls is found among equal calls. */

typedef struct Known {
    Node *param;
    const struct Known *next; /* of another type */
} Known;

typedef struct Within Within;
struct Within {
    Within *up, *next, *down;
    const void *of; /* what is called */
    bool remat;
    LIST(const Known *) slot; /* by place: parameters */
};

static bool same_tensor(const Node *a, const Node *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           (a->rank == 0 ||
            memcmp(a->dim, b->dim, sizeof *a->dim * (size_t)a->rank) == 0);
}

static const void *what_is_called(const Fn *f)
{
    if (f->kind == FK_item)
        return f->info;
    return f->kind == FK_builtin ? (const void *)f->builtin : f;
}

static void enter(Check *c, const Fn *f, bool remat)
{
    const void *of = what_is_called(f);
    Within *up = c->within ? c->within : NEW(c->arena, Within), *w = up->down;

    while (w && (w->of != of || w->remat != remat))
        w = w->next;
    if (!w) {
        w = NEW(c->arena, Within);
        *w = (Within){.up = up, .next = up->down, .of = of, .remat = remat};
        up->down = w;
    }
    c->within = w;
}

static void leave(Check *c) { c->within = c->within->up; }

/* The parameter in this place that is of n's type. */
static Node *param_of(Check *c, int slot, const Node *n, const char *name)
{
    Within *w = c->within;
    Known *k;

    while (w->slot.n <= slot)
        list_push(c->arena, &w->slot, NULL);
    for (const Known *x = w->slot.at[slot]; x; x = x->next)
        if (same_tensor(x->param, n))
            return x->param;
    k = NEW(c->arena, Known);
    k->param = g_param(c->graph, n->dtype, n->rank, n->dim, name);
    k->next = w->slot.at[slot];
    w->slot.at[slot] = k;
    return k->param;
}

/* Parameters in the place of the tensors among the arguments. */

typedef struct Apart {
    Check *c;
    const Fn *f;
    Arguments inner; /* the arguments, with stand-ins */
    int n;
    Node **stand_in, **actual;
    int *place; /* of each, among the leaves of all arguments */
    int nleaf;
} Apart;

/* What is known while compiling stays known. */
static bool stays(Check *c, const Node *n)
{
    return n->op == OP_const || n->op == OP_data ||
           (n->rank == 0 && node_as_dim(c->graph, n));
}

static const Value *stand_in(Apart *p, const Value *v, const char *name)
{
    Check *c = p->c;
    const Ty *t = v && v->kind != V_fn ? value_ty(c, v) : NULL;
    Node **leaf;
    int before = p->n;

    if (!t)
        return v;
    leaf = value_leaves(c, v);
    for (int i = 0; i < v->nleaf; i++, p->nleaf++) {
        if (stays(c, leaf[i]))
            continue;
        p->place[p->n] = p->nleaf;
        p->actual[p->n] = leaf[i];
        leaf[i] = param_of(c, p->n, leaf[i], name);
        p->stand_in[p->n++] = leaf[i];
    }
    return p->n > before ? value_of_leaves(c, t, leaf) : v;
}

static Apart apart(Check *c, const Fn *f, const Arguments *a)
{
    Apart p = {
        .c = c, .f = f, .inner = arguments_new(c, a->n, a->at, a->scope)};
    int most = 1;

    for (int i = 0; i < a->n; i++)
        most += a->value[i] ? a->value[i]->nleaf : 0;
    p.stand_in = NEWN(c->arena, Node *, most);
    p.actual = NEWN(c->arena, Node *, most);
    p.place = NEWN(c->arena, int, most);
    memcpy(p.inner.span, a->span, sizeof *a->span * (size_t)a->n);
    memcpy(p.inner.expr, a->expr, sizeof *a->expr * (size_t)a->n);
    for (int i = 0; i < a->n; i++)
        p.inner.value[i] = stand_in(&p, a->value[i], fn_param_name(c, f, i));
    return p;
}

/* The parts of a call as a value of type t. */
static const Value *call_value(Check *c, Node *call, const Ty *t)
{
    Node **leaf = NEWN(c->arena, Node *, t->nleaf + 1);

    for (int i = 0; i < t->nleaf; i++)
        leaf[i] = g_part(c->graph, call, i);
    return value_of_leaves(c, t, leaf);
}

const Value *apply_remat(Check *c, const Fn *f, Arguments *a)
{
    if (!coerce_arguments(c, f->of, a))
        return c->error;

    enter(c, f->of, true);
    Apart p = apart(c, f->of, a);
    const Value *y = settle(c, a->at, apply(c, f->of, &p.inner));
    const Ty *t = value_ty(c, y);
    leave(c);
    Region r = {.remat = true, .capture = p.stand_in, .ncapture = p.n};

    if (is_error(y))
        return y;
    if (!t)
        return fail(c, a->at, "derivative",
                    "the result of '%s' is a function, which 'remat' cannot "
                    "give",
                    fn_name(c, f->of));
    if (p.n == 0)
        return y;
    r.output = value_leaves(c, y);
    r.noutput = t->nleaf;
    return call_value(c, g_region_close(c->graph, &r, p.n, p.actual), t);
}

/* derivative f(x, …; y, y_bar) { … } */

static bool same_params(Check *c, const Item *item, const FnInfo *of)
{
    const FnItem *d = item->derivative.fn;
    bool same = d->nparam == of->item->nparam;

    for (int i = 0; same && i < d->nparam; i++)
        same = d->param[i].name == of->item->param[i].name;
    if (!same) {
        fail(c, d->name_span, "custom-derivative",
             "before the ';' stand the parameters of '%s', by their names",
             of->name);
        note(c, of->item->name_span, "'%s' is declared here", of->name);
        return false;
    }
    for (int i = 0; i < d->nparam; i++) {
        if (!d->param[i].init)
            continue;
        fail(c, d->param[i].span, "custom-derivative",
             "the default of '%s' stands at the function, not here",
             d->param[i].name);
        return false;
    }
    if (item->derivative.ngiven == 2)
        return true;
    fail(c, d->name_span, "custom-derivative",
         "after the ';' stand two names: the result and its adjoint");
    detail(c, "derivative %s(…; y, y_bar) { … }", of->name);
    return false;
}

/* A function of f's parameters, its result and the result's adjoint. */
static FnItem *combined(Check *c, const Item *item, const FnInfo *of)
{
    const FnItem *d = item->derivative.fn;
    FnItem *f = arena_copy(c->arena, d, sizeof *d);
    int n = d->nparam;

    f->name = arena_printf(c->arena, "derivative %s", of->name);
    f->type_param = of->item->type_param;
    f->ntype_param = of->item->ntype_param;
    f->param = NEWN(c->arena, ParamEx, n + 2);
    f->nparam = n + 2;
    for (int i = 0; i < n + 2; i++) {
        f->param[i] = i < n ? d->param[i] : item->derivative.given[i - n];
        if (!f->param[i].type)
            f->param[i].type =
                i < n ? of->item->param[i].type : of->item->result;
    }
    return f;
}

void attach_derivative(Check *c, Unit *u, const Item *item)
{
    const FnItem *d = item->derivative.fn;
    const Binding *b = scope_find(u->scope, INT32_MAX, d->name);
    FnInfo *of;
    Fn *f;

    if (!b || b->entry->kind != EN_fn) {
        fail(c, d->name_span, "custom-derivative",
             "there is no function '%s' in this file", d->name);
        return;
    }
    of = b->entry->value->fn->info;
    if (of->custom) {
        fail(c, d->name_span, "duplicate", "'%s' has a derivative already",
             d->name);
        note(c, of->custom->info->item->name_span, "it is here");
        return;
    }
    if (!same_params(c, item, of))
        return;
    f = NEW(c->arena, Fn);
    f->kind = FK_item;
    f->info = fn_info(c, combined(c, item, of));
    f->scope = scope_new(c, NULL, 0, u);
    of->custom = f;
}

/* For each parameter, whether it has an adjoint: those that hold reals. False
 * where one holds other things too. */
static bool real_params(Check *c, const Fn *f, const Arguments *a, bool *by,
                        int *n)
{
    for (int i = 0; i < a->n; i++) {
        const Ty *t = a->value[i] ? value_ty(c, a->value[i]) : NULL;
        const Ty **leaf = t ? ty_leaves(c, t) : NULL;
        int reals = 0;

        for (int k = 0; t && k < t->nleaf; k++)
            reals += dtype_is_real(leaf[k]->dtype);
        by[i] = reals > 0;
        *n += by[i];
        if (reals > 0 && reals < t->nleaf) {
            fail(c, fn_param_span(f, i), "custom-derivative",
                 "'%s' holds reals and other things, so '%s' cannot have a "
                 "derivative of its own",
                 fn_param_name(c, f, i), fn_name(c, f));
            return false;
        }
    }
    return true;
}

static const Value *wrong_adjoint(Check *c, const Fn *f, const Value *v,
                                  const char *what)
{
    const FnItem *item = f->info->custom->info->item;
    Span at = item->body->kind == EX_block ? item->body->block->value->span
                                           : item->body->span;

    fail(c, at, "custom-derivative", "%s", what);
    diag_label(c->diags, at, "%s", value_text(c, v));
    return c->error;
}

/* For each leaf of the arguments its adjoint or NULL, out of v: the adjoint of
 * the one real parameter, or a tuple of several's. NULL after reporting. */
static Node **adjoint_leaves(Apart *p, const Value *v, const bool *by, int nby)
{
    Check *c = p->c;
    Node **leaf = NEWN(c->arena, Node *, p->nleaf + 1), **to = leaf;
    int at = 0;

    if (nby > 1 && (v->kind != V_tuple || v->npart != nby)) {
        wrong_adjoint(c, p->f, v,
                      arena_printf(c->arena,
                                   "the result is a tuple of %d adjoints, one "
                                   "for each real parameter of '%s'",
                                   nby, p->f->info->name));
        return NULL;
    }
    for (int i = 0; i < p->inner.n; i++) {
        const Value *x = p->inner.value[i];
        const Ty *t = x ? value_ty(c, x) : NULL;
        const Value *bar = !by[i] ? NULL : nby > 1 ? v->part[at++] : v;
        const Value *fits = bar ? fit(c, t, bar) : NULL;

        if (bar && !fits) {
            wrong_adjoint(
                c, p->f, bar,
                arena_printf(c->arena, "the adjoint of '%s' is to be %s",
                             fn_param_name(c, p->f, i), ty_text(c, t)));
            return NULL;
        }
        if (fits)
            memcpy(to, value_leaves(c, fits), sizeof *to * (size_t)fits->nleaf);
        to += t ? t->nleaf : 0;
    }
    return leaf;
}

/* Both bodies, on the stand-ins. */
typedef struct Bodies {
    const Ty *type; /* of the result */
    Node **y;       /* its leaves */
    Node **given;   /* stand-ins for the result, then its adjoint */
    Node **x_bar;   /* for each stand-in of the arguments, or NULL */
} Bodies;

static bool bodies(Apart *p, Bodies *to)
{
    Check *c = p->c;
    const Fn *f = p->f, *d = f->info->custom;
    Arguments a = arguments_new(c, p->inner.n + 2, p->inner.at, p->inner.scope);
    bool *by = NEWN(c->arena, bool, p->inner.n + 1);
    int nby = 0, n;
    const Value *y = settle(c, a.at, apply(c, f, &p->inner)), *x_bar;
    Node **leaf;

    if (is_error(y) || !real_params(c, f, &p->inner, by, &nby) ||
        !all_real(c, y, a.at,
                  arena_printf(c->arena, "the result of '%s'", f->info->name)))
        return false;
    to->type = value_ty(c, y);
    to->y = value_leaves(c, y);
    n = y->nleaf;
    memcpy(a.value, p->inner.value, sizeof *a.value * (size_t)p->inner.n);
    to->given = NEWN(c->arena, Node *, 2 * n + 1);
    for (int i = 0; i < 2; i++) {
        leaf = to->given + i * n;
        for (int k = 0; k < n; k++)
            leaf[k] = param_of(c, p->n + i * n + k, to->y[k],
                               fn_param_name(c, d, p->inner.n + i));
        a.value[p->inner.n + i] = value_of_leaves(
            c, to->type, arena_copy(c->arena, leaf, sizeof *leaf * (size_t)n));
    }
    x_bar = apply(c, d, &a);
    if (is_error(x_bar))
        return false;
    leaf = adjoint_leaves(p, x_bar, by, nby);
    to->x_bar = NEWN(c->arena, Node *, p->n + 1);
    for (int i = 0; leaf && i < p->n; i++)
        to->x_bar[i] = leaf[p->place[i]];
    return leaf != NULL;
}

typedef LIST(Node *) Nodes;

static void add(Check *c, Nodes *to, int n, Node *const *from)
{
    for (int i = 0; i < n; i++)
        list_push(c->arena, to, from[i]);
}

static bool among(const Nodes *of, const Node *n)
{
    for (int i = 0; i < of->n; i++)
        if (of->at[i] == n)
            return true;
    return false;
}

/* Both bodies closed together, so that what they read of what is around them
 * becomes the same captures. Results: the leaves of y, the adjoints there are.
 */
static Node *close_both(Apart *p, const Bodies *b)
{
    Check *c = p->c;
    int ny = b->type->nleaf;
    Nodes capture = {0}, arg = {0}, out = {0};
    Region r = {0};

    add(c, &capture, p->n, p->stand_in);
    add(c, &arg, p->n, p->actual);
    add(c, &capture, 2 * ny, b->given);
    add(c, &arg, 2 * ny, b->given);
    add(c, &out, ny, b->y);
    for (int i = 0; i < p->n; i++)
        if (b->x_bar[i])
            add(c, &out, 1, &b->x_bar[i]);
    r.capture = capture.at;
    r.ncapture = capture.n;
    r.output = out.at;
    r.noutput = out.n;
    return g_region_close(c->graph, &r, arg.n, arg.at);
}

/* Adjoints of all real captures: of those around, none. */
static Nodes adjoints(Apart *p, const Bodies *b, const Nodes *capture,
                      Node *const *closed)
{
    Nodes to = {0};

    for (int i = 0; i < capture->n; i++) {
        Node *x = capture->at[i];
        Node *bar =
            i < p->n && b->x_bar[i] ? *closed++ : g_fill(p->c->graph, x, 0);

        if (dtype_is_real(x->dtype))
            add(p->c, &to, 1, &bar);
    }
    return to;
}

static Node *custom_call(Apart *p, const Bodies *b)
{
    Check *c = p->c;
    Node *both = close_both(p, b);
    const Region *closed = node_region(both);
    int ny = b->type->nleaf;
    Nodes capture = {0}, arg = {0}, given = {0}, x_bar;
    Region r = {0}, vjp = {0};

    add(c, &capture, p->n, p->stand_in);
    add(c, &given, 2 * ny, b->given);
    add(c, &arg, p->n, p->actual);
    for (int i = 0; i < closed->ncapture; i++) {
        if (among(&capture, closed->capture[i]) ||
            among(&given, closed->capture[i]))
            continue;
        add(c, &capture, 1, &closed->capture[i]);
        add(c, &arg, 1, &both->arg[i]);
    }
    x_bar = adjoints(p, b, &capture, closed->output + ny);
    r.capture = arena_copy(c->arena, capture.at,
                           sizeof *capture.at * (size_t)capture.n);
    r.ncapture = capture.n;
    r.output = closed->output;
    r.noutput = ny;
    add(c, &capture, 2 * ny, b->given);
    vjp.capture = capture.at;
    vjp.ncapture = capture.n;
    vjp.output = x_bar.at;
    vjp.noutput = x_bar.n;
    r.vjp = &vjp;
    return g_region(c->graph, &r, arg.n, arg.at);
}

/* Calls are expanded in the end, which may double them at each level. */
static const Value *expanding_call(const Apart *p, Node *call, const Ty *t)
{
    Check *c = p->c;
    const Region *r = node_region(call);

    if (r->size + r->vjp->size <= (double)most_nodes(c))
        return call_value(c, call, t);
    fail(c, p->inner.at, "too-large",
         "this call expands to too many operations");
    detail(c, "calls of functions with a derivative of their own are expanded "
              "in the end");
    c->over = true;
    return c->error;
}

const Value *apply_custom(Check *c, const Fn *f, const Arguments *a)
{
    enter(c, f, false);
    Apart p = apart(c, f, a);
    Bodies b = {NULL, NULL, NULL, NULL};
    const Value *known = NULL;
    bool good = true;

    f->info->in_custom = true;
    if (p.n == 0)
        known = apply(c, f, &p.inner);
    else
        good = bodies(&p, &b);
    f->info->in_custom = false;
    leave(c);
    if (known || !good)
        return known ? known : c->error;
    return expanding_call(&p, custom_call(&p, &b), b.type);
}
