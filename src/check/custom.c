/* custom.c: calls that stay calls in the graph: of remat(f), and of functions
 * with a `derivative` item. Their bodies are regions of the tensors given. */
#include "check/scope.h"
#include "diff/diff.h"
#include "region/region.h"

#include <string.h>

/* remat(f) */

const Value *eval_remat(Check *c, const Scope *s, const Expr *call)
{
    const Value *of;

    if (call->call.narg != 1)
        return check_fail(c, call->span, "derivative",
                          "'remat' takes a function: remat(f)(x)");
    of = eval(c, s, call->call.arg[0].value);
    if (value_is_error(of))
        return of;
    if (of->kind != V_fn) {
        check_fail(c, call->call.arg[0].value->span, "derivative",
                   "'remat' takes a function\n"
                   "name the function and call the result: remat(f)(x)");
        return check_is(c, call->call.arg[0].value->span, of);
    }
    return value_fn(c, fn_remat(c, of->fn));
}

static const void *what_is_called(const Fn *f)
{
    if (f->kind == FK_item)
        return f->info;
    return f->kind == FK_builtin ? (const void *)f->builtin : f;
}

/* Parameters in the place of the tensors among the arguments. */

typedef struct Apart {
    Check *c;
    const Fn *f;
    Arguments inner; /* the arguments, with stand-ins */
    Nodes stand_in, actual;
    int *place; /* of each, among the leaves of all arguments */
    int nleaf;
    int slot; /* places of parameters used so far */
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
    const Type *t = v && v->kind != V_fn ? value_ty(c, v) : NULL;
    Node **leaf;
    int before = p->slot;

    if (!t)
        return v;
    leaf = value_leaves(c, v);
    for (int i = 0; i < v->nleaf; i++, p->nleaf++) {
        if (stays(c, leaf[i]))
            continue;
        p->place[p->slot] = p->nleaf;
        list_push(c->arena, &p->actual, leaf[i]);
        leaf[i] = place_param(c, p->slot++, leaf[i], name);
        list_push(c->arena, &p->stand_in, leaf[i]);
    }
    return p->slot > before ? value_of_leaves(c, t, leaf) : v;
}

static Apart apart(Check *c, const Fn *f, const Arguments *a)
{
    Apart p = {.c = c, .f = f, .inner = args_copy(c, a, a->n)};
    int most = 1;

    for (int i = 0; i < a->n; i++)
        most += a->value[i] ? a->value[i]->nleaf : 0;
    p.place = NEWN(c->arena, int, most);
    for (int i = 0; i < a->n; i++)
        p.inner.value[i] = stand_in(&p, a->value[i], f->param[i].name);
    return p;
}

/* The parts of a call as a value of type t. */
static const Value *call_value(Check *c, Node *call, const Type *t)
{
    Node **leaf = NEWN(c->arena, Node *, t->nleaf + 1);

    for (int i = 0; i < t->nleaf; i++)
        leaf[i] = g_part(c->graph, call, i);
    return value_of_leaves(c, t, leaf);
}

const Value *fn_apply_remat(Check *c, const Fn *f, Arguments *a)
{
    if (!fn_coerce(c, f->of, a))
        return c->error;

    Place here;

    place_enter(c, &here, what_is_called(f->of), true);
    int since = graph_count(c->graph);
    Apart p = apart(c, f->of, a);
    const Value *y = value_settle(c, a->at, fn_apply(c, f->of, &p.inner));
    const Type *t = value_ty(c, y);
    place_leave(c);
    Region r = {.remat = true,
                .since = since,
                .capture = p.stand_in.at,
                .ncapture = p.stand_in.n};

    if (value_is_error(y))
        return y;
    if (!t)
        return check_fail(
            c, a->at, "derivative",
            "the result of '%s' is a function, which 'remat' cannot "
            "give",
            fn_name(c, f->of));
    if (p.stand_in.n == 0)
        return y;
    r.output = value_leaves(c, y);
    r.noutput = t->nleaf;
    return call_value(c, g_region_close(c->graph, &r, p.actual.n, p.actual.at),
                      t);
}

/* derivative f(x, …; y, y_bar) { … } */

static bool same_params(Check *c, const Item *item, const FnInfo *of)
{
    const FnItem *d = item->derivative.fn;
    bool same = d->nparam == of->item->nparam;

    for (int i = 0; same && i < d->nparam; i++)
        same = d->param[i].name == of->item->param[i].name;
    if (!same) {
        check_fail(
            c, d->name_span, "custom-derivative",
            "before the ';' stand the parameters of '%s', by their names",
            of->name);
        check_note(c, of->item->name_span, "'%s' is declared here", of->name);
        return false;
    }
    for (int i = 0; i < d->nparam; i++)
        if (d->param[i].init)
            return check_refuse(
                c, d->param[i].span, "custom-derivative",
                "the default of '%s' stands at the function, not here",
                d->param[i].name);
    if (item->derivative.ngiven == 2)
        return true;
    return check_refuse(
        c, d->name_span, "custom-derivative",
        "after the ';' stand two names: the result and its adjoint\n"
        "derivative %s(…; y, y_bar) { … }",
        of->name);
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

void unit_attach_derivative(Check *c, Unit *u, const Item *item)
{
    const FnItem *d = item->derivative.fn;
    const Binding *b = scope_find(u->scope, INT32_MAX, d->name);
    FnInfo *of;

    if (!b || b->entry->kind != EN_fn) {
        check_fail(c, d->name_span, "custom-derivative",
                   "there is no function '%s' in this file", d->name);
        return;
    }
    of = b->entry->value->fn->info;
    if (of->custom) {
        check_fail(c, d->name_span, "duplicate",
                   "'%s' has a derivative already", d->name);
        check_note(c, of->custom->info->item->name_span, "it is here");
        return;
    }
    if (same_params(c, item, of))
        of->custom =
            fn_item(c, combined(c, item, of), scope_new(c, NULL, 0, u), 0);
}

/* For each parameter, whether it has an adjoint: functions, and those that hold
 * reals. False where one holds other things too. */
static bool adjoint_params(Check *c, const Fn *f, const Arguments *a, bool *by,
                           int *n)
{
    for (int i = 0; i < a->n; i++) {
        const Type *t = a->value[i] ? value_ty(c, a->value[i]) : NULL;
        const Leaf *leaf = t ? type_leaves(c->graph, t, NULL) : NULL;
        int reals = 0;

        for (int k = 0; t && k < t->nleaf; k++)
            reals += dtype_is_real(leaf[k].dtype);
        by[i] = reals > 0 || (a->value[i] && a->value[i]->kind == V_fn);
        *n += by[i];
        if (reals > 0 && reals < t->nleaf)
            return check_refuse(
                c, f->param[i].span, "custom-derivative",
                "'%s' holds reals and other things, so '%s' cannot have a "
                "derivative of its own",
                f->param[i].name, fn_name(c, f));
    }
    return true;
}

static bool wrong_adjoint(Check *c, const Fn *f, const Value *v,
                          const char *what)
{
    Span at = fn_result_span(f->info->custom);

    check_fail(c, at, "custom-derivative", "%s", what);
    check_is(c, at, v);
    return false;
}

/* Both bodies, on the stand-ins. */
typedef struct Bodies {
    const Type *type; /* of the result */
    int ny;
    Node **y;     /* its leaves */
    Node **given; /* stand-ins for the result, then its adjoint */
    Nodes x_bar;  /* for each stand-in of the arguments, or NULL */
} Bodies;

static void add(Check *c, Nodes *to, int n, Node *const *from)
{
    for (int i = 0; i < n; i++)
        list_push(c->arena, to, from[i]);
}

/* The adjoint of a function f is a function of functions, linear: what a small
 * change of f gives. Applied to f as it depends on what it sees, with all that
 * the adjoint itself sees held, its derivative by what f sees is the adjoint of
 * that. */

/* What a function sees, with parameters in the place of its reals. */
typedef struct Held {
    Apart *p;
    Nodes param, actual;
    LIST(const Scope *) from;
    LIST(Scope *) to;
} Held;

static const Fn *held_fn(Held *h, const Fn *f);

static const Value *held_value(Held *h, const Value *v)
{
    Check *c = h->p->c;
    const Type *t = value_ty(c, v);
    const Value **part;
    Node **leaf;

    if (v->kind == V_fn)
        return value_fn(c, held_fn(h, v->fn));
    if (!t && v->kind == V_tuple) {
        part = NEWN(c->arena, const Value *, v->npart + 1);
        for (int i = 0; i < v->npart; i++)
            part[i] = held_value(h, v->part[i]);
        return value_tuple(c, h->p->inner.at, v->npart, part);
    }
    if (!t)
        return v;
    leaf = value_leaves(c, v);
    for (int i = 0; i < v->nleaf; i++) {
        if (!dtype_is_real(leaf[i]->dtype) || stays(c, leaf[i]))
            continue;
        add(c, &h->actual, 1, &leaf[i]);
        leaf[i] = place_param(c, h->p->slot++, leaf[i], "held");
        add(c, &h->param, 1, &leaf[i]);
    }
    return value_of_leaves(c, t, leaf);
}

static const Scope *held_scope(Held *h, const Scope *s)
{
    Check *c = h->p->c;
    Scope *to;

    if (!s)
        return NULL;
    for (int i = 0; i < h->from.n; i++)
        if (h->from.at[i] == s)
            return h->to.at[i];
    to = arena_copy(c->arena, s, sizeof *s);
    list_push(c->arena, &h->from, s);
    list_push(c->arena, &h->to, to);
    to->up = held_scope(h, s->up);
    to->binding.at = arena_copy(c->arena, s->binding.at,
                                sizeof *s->binding.at * (size_t)s->binding.n);
    to->binding.cap = s->binding.n;
    for (int i = 0; i < s->binding.n; i++)
        if (s->binding.at[i].value)
            to->binding.at[i].value = held_value(h, s->binding.at[i].value);
    return to;
}

static const Fn *held_fn(Held *h, const Fn *f)
{
    Fn *to = arena_copy(h->p->c->arena, f, sizeof *f);

    if (f->kind == FK_item)
        to->scope = held_scope(h, f->scope);
    if (f->kind == FK_derivative || f->kind == FK_remat)
        to->of = held_fn(h, f->of);
    return to;
}

/* The adjoint applied to f: a real, or NULL after a message. */
static Node *adjoint_of_call(Apart *p, const Value *f, const Fn *adjoint)
{
    Check *c = p->c;
    Arguments a = args_new(c, 1, p->inner.at, NULL);
    const Value *v;

    a.value[0] = f;
    v = value_settle(c, a.at, fn_apply(c, adjoint, &a));
    if (value_is_error(v))
        return NULL;
    if (value_is_scalar(v) && dtype_is_real(v->node->dtype))
        return v->node;
    wrong_adjoint(c, p->f, v,
                  "the adjoint of a function gives one real for a function");
    return NULL;
}

/* What s reads of what is around it and not held, each a stand-in from here on;
 * gives s of the stand-ins. */
static Node *open_around(Apart *p, const Held *h, Node *s)
{
    Check *c = p->c;
    Region r = {.capture = h->param.at,
                .ncapture = h->param.n,
                .output = &s,
                .noutput = 1};
    Node *call = g_region_close(c->graph, &r, h->param.n, h->param.at);
    Nodes arg = {0};

    for (int i = 0; i < call->narg; i++) {
        Node *x = call->arg[i];

        if (dtype_is_real(x->dtype) && nodes_find(&h->param, x) < 0) {
            add(c, &p->actual, 1, &x);
            x = place_param(c, p->slot++, x, "seen");
            add(c, &p->stand_in, 1, &x);
        }
        add(c, &arg, 1, &x);
    }
    region_inline(c->graph, node_region(call), arg.at, &s);
    return s;
}

static bool function_adjoint(Apart *p, const Value *f, const Value *bar,
                             Bodies *to)
{
    Check *c = p->c;
    Graph *g = c->graph;
    Held h = {.p = p};
    int first = p->stand_in.n, n;
    Node *s, *one, **x_bar;

    if (bar->kind != V_fn || !fn_takes(bar->fn, 1))
        return wrong_adjoint(
            c, p->f, bar,
            "the adjoint of a function is to be a function of one "
            "parameter, a function in its place");
    s = adjoint_of_call(p, f, held_fn(&h, bar->fn));
    if (!s)
        return false;
    s = open_around(p, &h, s);
    n = p->stand_in.n - first;
    x_bar = NEWN(c->arena, Node *, n + 1);
    one = g_const(g, s->dtype, 1);
    diff_reverse(g, 1, &s, &one, n, p->stand_in.at + first, x_bar);
    graph_subst(g, h.param.n, h.param.at, h.actual.at, n, x_bar);
    add(c, &to->x_bar, n, x_bar);
    return true;
}

/* The adjoints of the arguments' stand-ins, out of v: the adjoint of the one
 * parameter that has one, or a tuple of several's; then those of what functions
 * among the arguments see, which become stand-ins. False after reporting. */
static bool all_adjoints(Apart *p, const Value *v, const bool *by, int nby,
                         Bodies *to)
{
    Check *c = p->c;
    Node **leaf = NEWN(c->arena, Node *, p->nleaf + 1), **next = leaf;
    const Value **bar = NEWN(c->arena, const Value *, p->inner.n + 1);
    int at = 0, n = p->stand_in.n;

    if (nby > 1 && (v->kind != V_tuple || v->npart != nby))
        return wrong_adjoint(
            c, p->f, v,
            arena_printf(c->arena,
                         "the result is a tuple of %d adjoints, one "
                         "for each parameter of '%s' that is real "
                         "or a function",
                         nby, p->f->info->name));
    for (int i = 0; i < p->inner.n; i++) {
        const Value *x = p->inner.value[i];
        const Type *t = x ? value_ty(c, x) : NULL;

        bar[i] = !by[i] ? NULL : nby > 1 ? v->part[at++] : v;
        if (t && bar[i]) {
            const Value *fits = value_fit(c, t, bar[i]);

            if (!fits)
                return wrong_adjoint(
                    c, p->f, bar[i],
                    arena_printf(c->arena, "the adjoint of '%s' is to be %s",
                                 p->f->param[i].name, type_text(c, t)));
            memcpy(next, value_leaves(c, fits),
                   sizeof *next * (size_t)fits->nleaf);
        }
        next += t ? t->nleaf : 0;
    }
    for (int i = 0; i < n; i++)
        add(c, &to->x_bar, 1, &leaf[p->place[i]]);
    for (int i = 0; i < p->inner.n; i++)
        if (bar[i] && p->inner.value[i]->kind == V_fn &&
            !function_adjoint(p, p->inner.value[i], bar[i], to))
            return false;
    return true;
}

/* A stand-in for each leaf of the result, or of its adjoint. */
static const Value *given(Apart *p, const Bodies *b, int which)
{
    Check *c = p->c;
    Node **leaf = b->given + which * b->ny;

    for (int k = 0; k < b->ny; k++)
        leaf[k] =
            place_param(c, p->slot++, b->y[k],
                        p->f->info->custom->param[p->inner.n + which].name);
    return value_of_leaves(
        c, b->type, arena_copy(c->arena, leaf, sizeof *leaf * (size_t)b->ny));
}

/* What functions among the arguments see, n from `first` on, by the stand-ins
 * in both bodies. */
static void put_seen(Apart *p, Bodies *b, int first)
{
    Check *c = p->c;
    Nodes root = {0};

    add(c, &root, b->ny, b->y);
    for (int i = 0; i < b->x_bar.n; i++)
        if (b->x_bar.at[i])
            add(c, &root, 1, &b->x_bar.at[i]);
    graph_subst(c->graph, p->actual.n - first, p->actual.at + first,
                p->stand_in.at + first, root.n, root.at);
    memcpy(b->y, root.at, sizeof *b->y * (size_t)b->ny);
    for (int i = 0, k = b->ny; i < b->x_bar.n; i++)
        if (b->x_bar.at[i])
            b->x_bar.at[i] = root.at[k++];
}

static bool bodies(Apart *p, Bodies *to)
{
    Check *c = p->c;
    const Fn *f = p->f, *d = f->info->custom;
    Arguments a = args_new(c, p->inner.n + 2, p->inner.at, p->inner.scope);
    bool *by = NEWN(c->arena, bool, p->inner.n + 1);
    int nby = 0, first = p->stand_in.n;
    const Value *y = value_settle(c, a.at, fn_apply(c, f, &p->inner)), *x_bar;

    if (value_is_error(y) || !adjoint_params(c, f, &p->inner, by, &nby) ||
        !value_all_real(
            c, y, a.at,
            arena_printf(c->arena, "the result of '%s'", f->info->name)))
        return false;
    to->type = value_ty(c, y);
    to->y = value_leaves(c, y);
    to->ny = y->nleaf;
    memcpy(a.value, p->inner.value, sizeof *a.value * (size_t)p->inner.n);
    to->given = NEWN(c->arena, Node *, 2 * to->ny + 1);
    for (int i = 0; i < 2; i++)
        a.value[p->inner.n + i] = given(p, to, i);
    x_bar = fn_apply(c, d, &a);
    if (value_is_error(x_bar) || !all_adjoints(p, x_bar, by, nby, to))
        return false;
    if (p->stand_in.n > first)
        put_seen(p, to, first);
    return true;
}

/* Both bodies closed together, so that what they read of what is around them
 * becomes the same captures. Results: the leaves of y, the adjoints there are.
 */
static Node *close_both(Apart *p, const Bodies *b)
{
    RegionMaker m = region_maker(p->c->graph, p->c->arena, NULL);

    for (int i = 0; i < p->stand_in.n; i++)
        maker_capture(&m, p->stand_in.at[i], p->actual.at[i]);
    for (int i = 0; i < 2 * b->ny; i++)
        maker_capture(&m, b->given[i], b->given[i]);
    for (int i = 0; i < b->ny; i++)
        maker_output(&m, b->y[i]);
    for (int i = 0; i < b->x_bar.n; i++)
        if (b->x_bar.at[i])
            maker_output(&m, b->x_bar.at[i]);
    return maker_close(&m);
}

/* Adjoints of all real captures: of those around, none. */
static Nodes adjoints(Apart *p, const Bodies *b, const Nodes *capture,
                      Node *const *closed)
{
    Nodes to = {0};

    for (int i = 0; i < capture->n; i++) {
        Node *x = capture->at[i];
        Node *bar = i < b->x_bar.n && b->x_bar.at[i]
                        ? *closed++
                        : g_fill(p->c->graph, x, 0);

        if (dtype_is_real(x->dtype))
            add(p->c, &to, 1, &bar);
    }
    return to;
}

/* The function alone, its captures and those that its derivative brings. */
static RegionMaker with_captures(Apart *p, const Bodies *b, const Node *both)
{
    Check *c = p->c;
    const Region *closed = node_region(both);
    RegionMaker m = region_maker(c->graph, c->arena, NULL);
    Nodes given = {0};

    add(c, &given, 2 * b->ny, b->given);
    for (int i = 0; i < p->stand_in.n; i++)
        maker_capture(&m, p->stand_in.at[i], p->actual.at[i]);
    for (int i = 0; i < closed->ncapture; i++)
        if (nodes_find(&m.capture, closed->capture[i]) < 0 &&
            nodes_find(&given, closed->capture[i]) < 0)
            maker_capture(&m, closed->capture[i], both->arg[i]);
    for (int i = 0; i < b->ny; i++)
        maker_output(&m, closed->output[i]);
    return m;
}

static Node *custom_call(Apart *p, const Bodies *b)
{
    Node *both = close_both(p, b);
    RegionMaker m = with_captures(p, b, both), bar;
    Nodes x_bar = adjoints(p, b, &m.capture, node_region(both)->output + b->ny);
    Region vjp;

    bar = region_maker(p->c->graph, p->c->arena, NULL);
    add(p->c, &bar.capture, m.capture.n, m.capture.at);
    add(p->c, &bar.capture, 2 * b->ny, b->given);
    add(p->c, &bar.output, x_bar.n, x_bar.at);
    vjp = maker_region(&bar);
    m.r.vjp = &vjp;
    return maker_finish(&m);
}

/* Calls are expanded in the end, which may double them at each level. */
static const Value *expanding_call(const Apart *p, Node *call, const Type *t)
{
    Check *c = p->c;
    const Region *r = node_region(call);

    if (r->size + r->vjp->size <= (double)check_most_nodes(c))
        return call_value(c, call, t);
    check_fail(c, p->inner.at, "too-large",
               "this call expands to too many operations\n"
               "calls of functions with a derivative of their own are expanded "
               "in the end");
    return check_stop(c);
}

static bool takes_functions(const Arguments *a)
{
    for (int i = 0; i < a->n; i++)
        if (a->value[i] && a->value[i]->kind == V_fn)
            return true;
    return false;
}

const Value *fn_apply_custom(Check *c, const Fn *f, const Arguments *a)
{
    Place here;

    place_enter(c, &here, what_is_called(f), false);
    Apart p = apart(c, f, a);
    Bodies b = {.ny = 0};
    const Value *known = NULL;
    bool good = true;

    if (p.stand_in.n == 0 && !takes_functions(a))
        known = fn_apply(c, f, &p.inner);
    else
        good = bodies(&p, &b);
    place_leave(c);
    if (known || !good)
        return known ? known : c->error;
    if (p.stand_in.n == 0)
        return value_of_leaves(c, b.type, b.y);
    return expanding_call(&p, custom_call(&p, &b), b.type);
}
