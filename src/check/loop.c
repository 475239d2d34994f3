/* loop.c: fold(t < n, h = h0 | step(h, x[t])) and scan: one loop of the graph,
 * whose body is evaluated once on carries that are inputs. */
#include "check/index.h"
#include "check/scope.h"
#include "region/region.h"

#include <string.h>

enum { MAX_CARRIES = 64 };

typedef struct Loop {
    Check *c;
    const Scope *s;
    const Expr *e;
    bool scan;
    const Binder *t, *until;
    const Binder **carry;
    int n, nleaf; /* carries, and their leaves */
    const Value **init;
    Index index;
    int since; /* the first id of what is made for the body */
    /* Of the last evaluation: */
    const Value **now, **next; /* carries before and after a step */
    Node *stop;                /* until, or NULL */
} Loop;

/* What stands before the bar. */

static bool second_index(Check *c, const Expr *e, const Binder *b,
                         const Binder *first)
{
    check_fail(c, b->span, "loop",
               "a loop has one index\n"
               "a '%s' inside goes over a second one",
               e->comp.fn->name);
    check_note(c, first->span, "this is it");
    return false;
}

static bool take_carry(Loop *l, const Binder *b)
{
    Check *c = l->c;

    for (int i = 0; i < l->n; i++)
        if (l->carry[i]->name == b->name)
            return check_refuse(c, b->span, "binder",
                                "two carries are called '%s'", b->name);
    if (l->n == MAX_CARRIES)
        return check_refuse(c, b->span, "too-large", "more than %d carries",
                            MAX_CARRIES);
    l->carry[l->n++] = b;
    return true;
}

static bool take_binder(Loop *l, const Binder *b)
{
    Check *c = l->c;

    if (b->init && strcmp(b->name, "until") == 0) {
        if (l->until)
            return check_refuse(c, b->span, "binder", "'until' is given twice");
        l->until = b;
        return true;
    }
    if (b->init)
        return take_carry(l, b);
    if (l->t)
        return second_index(c, l->e, b, l->t);
    l->t = b;
    return true;
}

static bool take_binders(Loop *l)
{
    Check *c = l->c;
    const Expr *e = l->e;

    for (int i = 0; i < e->comp.nbinder; i++)
        if (!take_binder(l, &e->comp.binder[i]))
            return false;
    for (int i = 0; i < l->n && l->t; i++)
        if (l->carry[i]->name == l->t->name)
            return check_refuse(c, l->carry[i]->span, "binder",
                                "'%s' is the index, and cannot be carried too",
                                l->t->name);
    if (l->t && l->n > 0)
        return true;
    check_fail(c, e->span, "loop",
               l->t ? "'%s' carries nothing" : "'%s' has no index",
               e->comp.fn->name);
    check_detail(c, "%s(t < n, h = first value | next value)",
                 e->comp.fn->name);
    return false;
}

static bool first_values(Loop *l)
{
    Check *c = l->c;
    bool good = true;

    for (int i = 0; i < l->n; i++) {
        const Expr *e = l->carry[i]->init;
        const Value *v = eval(c, l->s, e);

        l->init[i] = v;
        good = good && !value_is_error(v);
        if (value_is_error(v) || value_ty(c, v))
            continue;
        check_fail(c, e->span, "type-mismatch",
                   "'%s' carries values, not functions", l->carry[i]->name);
        check_is(c, e->span, v);
        good = false;
    }
    return good;
}

/* Inputs in place of a first value. Literals in it stay open: what they adapt
 * to tells the type of the carry. */

static const Value *open_literal(Check *c, const Value *v, const char *name)
{
    Graph *g = c->graph;
    const Node *n = v->node;

    Node *real = g_param(g, DT_f64, n->rank, n->dim, name);
    return value_literal(c, v->literal,
                         g_param(g, v->literal == LIT_int ? DT_i64 : n->dtype,
                                 n->rank, n->dim, name),
                         real);
}

static const Value *open_like(Check *c, const Value *v, const char *name)
{
    const Value **part;

    if (value_is_literal(v))
        return open_literal(c, v, name);
    if (v->kind != V_tuple)
        return value_fresh(c, value_ty(c, v), name);
    part = NEWN(c->arena, const Value *, v->npart + 1);
    for (int i = 0; i < v->npart; i++)
        part[i] = open_like(c, v->part[i], name);
    return value_tuple(c, (Span){0, 0}, v->npart, part);
}

static bool has_literal(const Value *v)
{
    if (v->kind == V_tensor)
        return v->literal != LIT_no;
    for (int i = 0; v->kind == V_tuple && i < v->npart; i++)
        if (has_literal(v->part[i]))
            return true;
    return false;
}

/* v with the type of w where v is still a literal and w is none. */
static const Value *adopt(Check *c, Span at, const Value *v, const Value *w)
{
    if (!value_is_literal(v) || value_is_literal(w) || !value_ty(c, w))
        return v;
    w = value_fill(c, value_ty(c, w), v, at);
    return w ? w : c->error;
}

static const Value *settle(Check *c, Span at, const Value *v, const Value *w)
{
    (void)w;
    return value_settle(c, at, v);
}

/* One evaluation of the body. */

static bool split_result(Loop *l, const Value *v)
{
    Check *c = l->c;
    Span at = l->e->comp.body->span;

    if (value_is_error(v))
        return false;
    if (l->n == 1) {
        l->next[0] = v;
        return true;
    }
    if (v->kind == V_tuple && v->npart == l->n) {
        memcpy(l->next, v->part, sizeof *l->next * (size_t)l->n);
        return true;
    }
    check_fail(c, at, "carry", "the body gives a tuple of the %d carries",
               l->n);
    check_is(c, at, v);
    return false;
}

/* The condition sees the carries, not the index. */
static bool eval_until(Loop *l, Scope *s)
{
    Check *c = l->c;
    const Expr *e = l->until->init;
    const Value *v = eval(c, s, e);

    if (value_is_error(v))
        return false;
    if (!value_is_scalar(v) || v->node->dtype != DT_bool)
        return check_refuse(c, e->span, "condition",
                            "'until' is a bool, this is %s", value_text(c, v));
    l->stop = v->node;
    if (!(index_mask(c, v->node) & index_mask(c, l->index.param)))
        return true;
    return check_refuse(c, e->span, "condition",
                        "'until' sees what is carried, not '%s'\n"
                        "carry it too: %s = 0 and %s + 1 as its next value",
                        l->index.name, l->index.name[0] == 'n' ? "k" : "n",
                        l->index.name[0] == 'n' ? "k" : "n");
}

static void bind_carries(Loop *l, Scope *s)
{
    for (int i = 0; i < l->n; i++)
        scope_bind(l->c, s, l->carry[i]->name, l->carry[i]->span, l->now[i]);
}

static bool run_step(Loop *l, bool with_until)
{
    Check *c = l->c;
    Scope *s = scope_new(c, l->s, l->s->binding.n, l->s->unit);
    Index before = l->index;
    int late = index_late(c);

    if (!index_new(c, s, l->t, l->e, &l->index))
        return false;
    if (!l->index.extent && before.extent) {
        l->index.extent = before.extent;
        l->index.from = before.from;
    }
    l->index.since = l->since;
    bind_carries(l, s);
    index_push(c, &l->index);
    if (with_until && l->until && !eval_until(l, s)) {
        index_late_drop(c, late);
        c->index = l->index.up;
        return false;
    }
    return split_result(l, index_eval(c, s, l->e->comp.body, 1, &l->index, late,
                                      l->until != NULL));
}

static bool run_open(Loop *l)
{
    l->c->open++;
    bool good = run_step(l, false);
    l->c->open--;
    return good;
}

/* First values that are literals take the types that the body makes of them. */
static bool find_types(Loop *l)
{
    Check *c = l->c;
    bool open = true, progress = true;

    while (open && progress) {
        open = progress = false;
        for (int i = 0; i < l->n; i++) {
            open = open || has_literal(l->init[i]);
            l->now[i] = open_like(c, l->init[i], l->carry[i]->name);
        }
        if (open && !run_open(l))
            return false;
        for (int i = 0; i < l->n && open; i++) {
            const Value *v = value_map(c, l->carry[i]->init->span, l->init[i],
                                       l->next[i], adopt);

            if (value_is_error(v))
                return false;
            progress = progress ||
                       (has_literal(l->init[i]) && !value_equal(v, l->init[i]));
            l->init[i] = v;
        }
    }
    return true;
}

static bool type_literals(Loop *l)
{
    Check *c = l->c;

    if (!find_types(l))
        return false;
    for (int i = 0; i < l->n; i++) {
        l->init[i] =
            value_map(c, l->carry[i]->init->span, l->init[i], NULL, settle);
        if (value_is_error(l->init[i]))
            return false;
    }
    return true;
}

static bool type_changes(Loop *l, int i)
{
    Check *c = l->c;
    const Binder *b = l->carry[i];
    const Expr *body = l->e->comp.body;
    const Expr *at = body;

    while (at->kind == EX_block)
        at = at->block->value;
    if (l->n > 1 && at->kind == EX_tuple && at->list.n == l->n)
        at = at->list.at[i];
    check_fail(c, at->span, "carry",
               "'%s' has another type after a step\n"
               "it starts as %s",
               b->name, value_text(c, l->init[i]));
    check_is(c, at->span, l->next[i]);
    type_convert_hint(c, value_ty(c, l->init[i]), l->next[i]);
    check_note(c, b->init->span, "it starts here");
    return false;
}

static bool run_fresh(Loop *l)
{
    Check *c = l->c;

    for (int i = 0; i < l->n; i++)
        l->now[i] = value_fresh(c, value_ty(c, l->init[i]), l->carry[i]->name);
    return run_step(l, true);
}

/* The next values in the types of the carries; the first that is of another, or
 * -1. */
static int misfit(Loop *l)
{
    for (int i = 0; i < l->n; i++) {
        const Value *v =
            value_fit(l->c, value_ty(l->c, l->init[i]), l->next[i]);

        if (!v)
            return i;
        l->next[i] = v;
    }
    return -1;
}

static bool evaluate_step(Loop *l)
{
    int i;

    if (!run_fresh(l) || !index_known(l->c, &l->index))
        return false;
    i = misfit(l);
    return i < 0 || type_changes(l, i);
}

/* The loop itself. */

static Node **all_leaves(Loop *l, const Value *const *v)
{
    int n;

    return values_leaves(l->c, l->n, v, &n);
}

static Node *known_param(void *u, int i, Node *like)
{
    return place_param(u, i, like, NULL);
}

/* How many steps there are at most. The rows of a scan are as many. */
static const Dim *trips(Loop *l)
{
    return l->scan || !l->index.given
               ? l->index.extent
               : dim_positive(l->c->graph, l->index.extent);
}

static Node *make_loop(Loop *l)
{
    Check *c = l->c;
    Graph *g = c->graph;
    Node **arg = values_leaves(c, l->n, l->init, &l->nleaf);
    Node **next = all_leaves(l, l->next);
    int n = l->nleaf;
    ParamNames known = {known_param, c};
    Region r = {
        .trips = trips(l),
        .since = l->since,
        .index = l->index.param,
        .carry = all_leaves(l, l->now),
        .ncarry = n,
        .next = next,
        .output = next,
        .noutput = l->scan ? n : 0,
        .until = l->stop,
        .counted = l->index.bound != NULL,
    };

    if (r.counted)
        arg[n] = g_cast(g, DT_i64, index_bound(c, &l->index));
    return g_region_close_as(g, &r, n + r.counted, arg, &known);
}

/* Rows after the stop repeat the last carry. */
static Node *repeat_last(Check *c, Node *rows, Node *last, Node *steps)
{
    Graph *g = c->graph;
    int axis[MAX_RANK] = {0};
    Node *made = g_iota(g, DT_i64, rows->dim[0]);

    made = g2(g, OP_lt, made, g_broadcast_to(g, steps, 1, rows->dim));
    for (int i = 1; i < rows->rank; i++)
        axis[i] = -1;
    made = g_broadcast(g, made, rows->rank, rows->dim, axis);
    return g_where(g, made, rows,
                   g_broadcast_to(g, last, rows->rank, rows->dim));
}

static Node *result_leaf(Loop *l, Node *loop, int n, int k)
{
    Graph *g = l->c->graph;
    Node *last = g_part(g, loop, k);

    if (!l->scan)
        return last;
    if (!l->stop)
        return g_part(g, loop, n + k);
    Node *steps = g_part(g, loop, 2 * n);
    return repeat_last(l->c, g_part(g, loop, n + k), last, steps);
}

static const Value *loop_value(Loop *l, Node *loop)
{
    Check *c = l->c;
    const Value **part = NEWN(c->arena, const Value *, l->n);
    int k = 0;

    for (int i = 0; i < l->n; i++) {
        const Type *t = value_ty(c, l->init[i]);
        Node **leaf = NEWN(c->arena, Node *, t->nleaf + 1);

        for (int m = 0; m < t->nleaf; m++)
            leaf[m] = result_leaf(l, loop, l->nleaf, k++);
        if (l->scan)
            t = type_along(c, t, l->index.extent);
        part[i] = value_of_leaves(c, t, leaf);
    }
    return value_of_parts(c, l->e->span, l->n, part);
}

static bool sensible_rows(Loop *l)
{
    Check *c = l->c;

    for (int i = 0; i < l->n && l->scan; i++)
        if (!size_sensible_type(
                c, l->e->span,
                type_along(c, value_ty(c, l->init[i]), l->index.extent)))
            return false;
    return true;
}

static bool ragged(Loop *l)
{
    Check *c = l->c;

    if (!l->scan || !l->index.bound)
        return false;
    check_fail(
        c, l->index.bound_span, "ragged",
        "the bound of '%s' is no dimension, so there is no common number of "
        "rows\n"
        "fold(%s < …) takes such a bound",
        l->index.name, l->index.name);
    return true;
}

/* Written out: for bodies that call the function they are part of. */

static const Value *choose(Check *c, const Scope *s, Span at, Node *stop,
                           const Value *a, const Value *b)
{
    Operand x = {a, at, NULL}, y = {b, at, NULL};

    return stop ? arith_if(c, s, at, stop, &x, &y) : y.value;
}

static bool write_step(Loop *l, int64_t t)
{
    Check *c = l->c;
    Scope *s = index_at(c, l->s, l->t, t);
    const Value *v;

    bind_carries(l, s);
    if (l->until) {
        v = eval(c, s, l->until->init);
        if (value_is_error(v))
            return false;
        l->stop = v->node;
    }
    if (!split_result(l, eval(c, s, l->e->comp.body)))
        return false;
    for (int i = 0; i < l->n; i++) {
        l->now[i] = choose(c, l->s, l->e->span, l->stop, l->now[i], l->next[i]);
        if (value_is_error(l->now[i]))
            return false;
    }
    return true;
}

static const Value *write_out(Loop *l)
{
    Check *c = l->c;
    int64_t n = index_count(c, l->s, l->t, &l->index);
    Operand **row = NEWN(c->arena, Operand *, l->n);

    if (n < 0)
        return c->error;
    l->stop = NULL;
    memcpy(l->now, l->init, sizeof *l->now * (size_t)l->n);
    for (int i = 0; i < l->n; i++)
        row[i] = NEWN(c->arena, Operand, n + 1);
    for (int64_t t = 0; t < n; t++) {
        if (!write_step(l, t))
            return c->error;
        for (int i = 0; i < l->n; i++)
            row[i][t] = (Operand){l->now[i], l->e->span, NULL};
    }
    for (int i = 0; i < l->n && l->scan; i++) {
        l->now[i] = literal_stack(c, l->s, l->e->span, (int)n, row[i]);
        if (value_is_error(l->now[i]))
            return c->error;
    }
    return value_of_parts(c, l->e->span, l->n, l->now);
}

/* Where only types count: the body is evaluated once. */
static const Value *loop_of_types(Loop *l)
{
    Check *c = l->c;
    const Value **part = NEWN(c->arena, const Value *, l->n);

    if (!l->index.param && !run_fresh(l))
        return c->error;
    if (misfit(l) >= 0 && !evaluate_step(l))
        return c->error;
    if (!index_known(c, &l->index) || ragged(l) || !sensible_rows(l))
        return c->error;
    call_made_up(c);
    for (int i = 0; i < l->n; i++) {
        const Type *t = value_ty(c, l->init[i]);

        part[i] = value_fresh(
            c, l->scan ? type_along(c, t, l->index.extent) : t, "_");
    }
    return value_of_parts(c, l->e->span, l->n, part);
}

static const Value *evaluate_loop(Loop *l)
{
    Check *c = l->c;

    if (!type_literals(l))
        return c->error;
    if (c->open > 1)
        return loop_of_types(l);
    if (!evaluate_step(l) || ragged(l) || !sensible_rows(l))
        return c->error;
    return loop_value(l, make_loop(l));
}

const Value *eval_loop(Check *c, const Scope *s, const Expr *e)
{
    Loop *l = NEW(c->arena, Loop);
    Place here;
    const Value *v;
    int n = e->comp.nbinder;

    *l = (Loop){
        .c = c, .s = s, .e = e, .scan = strcmp(e->comp.fn->name, "scan") == 0};
    l->carry = NEWN(c->arena, const Binder *, n + 1);
    l->init = NEWN(c->arena, const Value *, n + 1);
    l->now = NEWN(c->arena, const Value *, n + 1);
    l->next = NEWN(c->arena, const Value *, n + 1);
    if (!take_binders(l) || !first_values(l))
        return c->error;
    place_enter(c, &here, e, false);
    l->since = graph_count(c->graph);
    v = evaluate_loop(l);
    place_leave(c);
    if (!value_is_error(v))
        return v;
    if (!l->index.recursive || (c->index && c->index->recursive))
        return c->error;
    return write_out(l);
}
