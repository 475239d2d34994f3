/* loop.c: the rows of loops and calls: of each step. */
#include "trace/internal.h"

#include <string.h>

bool is_open(const Node *n) { return !node_region(n)->vjp; }

/* What is known of a body's nodes is of one step. */
typedef struct Aside {
    int row;
    Parts *parts;
} Aside;

static Aside *body_enter(Tracer *r, const Region *b)
{
    Aside *a = NEWN(r->t.arena, Aside, b->nbody + 1);
    for (int i = 0; i < b->nbody; i++) {
        const NodeState *s = state_of(r, b->body[i]);
        a[i] = (Aside){s->row, s->parts};
    }
    return a;
}

static void body_clear(Tracer *r, const Region *b)
{
    for (int i = 0; i < b->nbody; i++) {
        NodeState *s = state_of(r, b->body[i]);
        s->row = 0;
        s->parts = NULL;
    }
}

static void body_leave(Tracer *r, const Region *b, const Aside *a)
{
    for (int i = 0; i < b->nbody; i++) {
        NodeState *s = state_of(r, b->body[i]);
        s->row = a[i].row;
        s->parts = a[i].parts;
    }
}

static void set_row(Tracer *r, const Node *n, int row)
{
    state_of(r, n)->row = row + 1;
}

static int *arg_rows(Tracer *r, const Node *n)
{
    int *row = NEWN(r->t.arena, int, n->narg + 1);
    for (int i = 0; i < n->narg; i++)
        row[i] = row_for(r, n->arg[i]);
    return row;
}

/* The counter: a value that formulas read, and no row of its own. */
static int counter_row(Tracer *r, Node *index, int64_t k)
{
    TraceRow row = {.number = -1,
                    .name = show_param_name(index, "t"),
                    .after = -1,
                    .node = index,
                    .cell = cell_of(r, index)};
    row.local = row.cell->value;
    row.value.x = NEW(r->t.arena, double);
    row.value.wide = NEW(r->t.arena, int64_t);
    row.value.x[0] = (double)(row.value.wide[0] = k);
    row.value.count = 1;
    return add_row(r, &row);
}

int element_row(Tracer *r, Node *param)
{
    Graph *g = r->t.graph;
    const Region *b = r->loop;
    int i = 0;
    while (b && i < b->ninput && b->input[i] != param)
        i++;
    if (!b || i == b->ninput)
        die("a parameter without a value: %s", param->attr.name);
    int of = r->loop_arg[b->ncarry + i];
    const TraceRow *all = &r->t.row.at[of];
    TraceCell *whole = all->cell;
    Node *local =
        g_gather_inside(g, whole->value, cell_of(r, b->index)->value, 0);
    TraceRow row = {
        .after = -1, .node = param, .cell = cell_of(r, param), .local = local};
    TraceUse use[] = {{of, whole}, {r->index_row, cell_of(r, b->index)}};
    for (int k = 0; k < 2; k++)
        list_push(r->t.arena, &row.use, use[k]);
    return add_row(r, &row);
}

/* What the loop carries after `made` steps has its name, if nothing else had
 * given it one; first: rows before were there. */
static void name_carry(Tracer *r, const Node *param, int k, int first,
                       int64_t made)
{
    if (k < first || r->t.status != TRACE_ok || r->t.row.at[k].input)
        return;
    TraceRow *row = &r->t.row.at[k];
    row->name = show_param_name(param, row->name);
    row->after = row->name ? made : -1;
}

static void carry_rows(Tracer *r, const Region *b, Node *const *from, int *to,
                       int first, int64_t made)
{
    for (int i = 0; i < b->ncarry && r->t.status == TRACE_ok; i++)
        to[i] = row_for(r, from[i]);
    for (int i = 0; i < b->ncarry && r->t.status == TRACE_ok; i++)
        name_carry(r, b->carry[i], to[i], first, made);
}

static void bind_step(Tracer *r, const Region *b, const Parts *p,
                      const int *arg, int64_t k)
{
    body_clear(r, b);
    r->index_row = counter_row(r, b->index, k);
    set_row(r, b->index, r->index_row);
    for (int i = 0; i < b->ncarry; i++)
        set_row(r, b->carry[i], p->carry[i]);
    for (int i = 0; i < b->ncapture; i++)
        set_row(r, b->capture[i], arg[b->ncarry + b->ninput + i]);
}

/* False: it is not made. */
static bool step(Tracer *r, const Region *b, Parts *p)
{
    int first = r->t.row.n;
    if (b->until) {
        int k = row_for(r, b->until);
        if (r->t.status != TRACE_ok || r->t.row.at[k].value.x[0] != 0)
            return false;
    }
    Nodes result = {0};
    for (int i = 0; i < b->ncarry; i++)
        list_push(r->t.arena, &result, b->next[i]);
    for (int i = 0; i < b->noutput; i++)
        list_push(r->t.arena, &result, b->output[i]);
    Nodes use = {0};
    for (int i = 0; i < result.n; i++)
        add_uses(r, result.at[i], &use);
    place(r, use.n, use.at);
    int *next = NEWN(r->t.arena, int, b->ncarry + 1);
    carry_rows(r, b, b->next, next, first, p->made + 1);
    for (int i = 0; i < b->noutput && r->t.status == TRACE_ok; i++)
        list_push(r->t.arena, &p->output[i], row_for(r, b->output[i]));
    p->carry = next;
    p->made++;
    return r->t.status == TRACE_ok;
}

static int64_t steps_wanted(Tracer *r, const Node *n, const int *arg)
{
    const Region *b = node_region(n);
    int64_t most = 0;
    if (!dim_eval(b->trips, r->o->nvar, r->o->var, r->o->size, &most))
        return 0;
    if (!b->counted)
        return most;
    const EvalValue *v = &r->t.row.at[arg[n->narg - 1]].value;
    int64_t count = v->wide ? v->wide[0] : (int64_t)v->x[0];
    return count < most ? count : most;
}

static TraceStep *step_new(Tracer *r, const Region *b, int64_t k,
                           const int64_t *last)
{
    TraceStep *s = NEW(r->t.arena, TraceStep);
    *s = (TraceStep){.up = r->step,
                     .name = show_param_name(b->index, "t"),
                     .t = k,
                     .depth = r->step ? r->step->depth + 1 : 0,
                     .first = last,
                     .last = last + 1};
    return s;
}

static void run_steps(Tracer *r, const Node *n, const int *arg, Parts *p)
{
    const Region *b = node_region(n);
    int64_t count = steps_wanted(r, n, arg),
            *ends = NEWN(r->t.arena, int64_t, 2);
    ends[0] = b->reverse ? count - 1 : 0;
    for (int64_t i = 0; i < count && r->t.status == TRACE_ok; i++) {
        int64_t k = b->reverse ? count - 1 - i : i;
        const TraceStep *outer = r->step;
        r->step = step_new(r, b, k, ends);
        bind_step(r, b, p, arg, k);
        bool made = step(r, b, p);
        r->step = outer;
        ends[1] = k;
        if (!made)
            break;
    }
}

static void run_loop(Tracer *r, const Node *n, const int *arg, Parts *p)
{
    const Region *b = node_region(n), *outer = r->loop;
    const int *outer_arg = r->loop_arg;
    int index = r->index_row;
    Aside *aside = body_enter(r, b);
    r->loop = b;
    r->loop_arg = arg;
    run_steps(r, n, arg, p);
    r->loop = outer;
    r->loop_arg = outer_arg;
    r->index_row = index;
    body_leave(r, b, aside);
}

static void run_call(Tracer *r, const Node *n, const int *arg, Parts *p)
{
    const Region *b = node_region(n);
    Aside *aside = body_enter(r, b);
    body_clear(r, b);
    for (int i = 0; i < n->narg; i++)
        set_row(r, b->capture[i], arg[i]);
    Nodes use = {0};
    for (int i = 0; i < b->noutput; i++)
        add_uses(r, b->output[i], &use);
    place(r, use.n, use.at);
    for (int i = 0; i < b->noutput && r->t.status == TRACE_ok; i++)
        list_push(r->t.arena, &p->output[i], row_for(r, b->output[i]));
    body_leave(r, b, aside);
}

static void run_region(Tracer *r, Node *n)
{
    const Region *b = node_region(n);
    NodeState *s = state_of(r, n);
    if (s->parts)
        return;
    int first = r->t.row.n, *arg = arg_rows(r, n);
    Parts *p = NEW(r->t.arena, Parts);
    p->step = r->step;
    p->carry = NEWN(r->t.arena, int, b->ncarry + 1);
    p->output =
        arena_alloc(r->t.arena, sizeof *p->output * (size_t)(b->noutput + 1));
    s->parts = p;
    if (r->t.status != TRACE_ok)
        return;
    memcpy(p->carry, arg, sizeof *arg * (size_t)b->ncarry);
    for (int i = 0; i < b->ncarry; i++)
        name_carry(r, b->carry[i], arg[i], first, 0);
    if (b->trips)
        run_loop(r, n, arg, p);
    else
        run_call(r, n, arg, p);
}

/* The rows of all steps as one tensor; steps that are not made give 0. */
static int stacked_row(Tracer *r, Node *part, const Parts *p, int output)
{
    Graph *g = r->t.graph;
    const Region *b = node_region(part->arg[0]);
    Node *of = b->output[output];
    const Dim **dim = dims_along(g, NULL, of->rank, of->dim);
    Nodes piece = {0};
    TraceRow row = {
        .after = -1, .node = part, .cell = NEW(r->t.arena, TraceCell)};
    const NodeLabel *let = graph_let_label(g, part);
    row.name = let ? let->name : NULL;
    for (int i = 0; i < p->output[output].n; i++) {
        TraceUse u = {p->output[output].at[i], NEW(r->t.arena, TraceCell)};
        u.cell->value = g_param(g, of->dtype, of->rank, of->dim, "value");
        list_push(r->t.arena, &row.use, u);
    }
    for (int i = 0; i < row.use.n; i++) {
        int at = b->reverse ? row.use.n - 1 - i : i;
        list_push(r->t.arena, &piece,
                  g_merge_axes(g, row.use.at[at].cell->value, 0, 0));
    }
    dim[0] = dim_sub(g, b->trips, dim_const(g, row.use.n));
    int64_t left = 0;
    if (dim_eval(dim[0], r->o->nvar, r->o->var, r->o->size, &left) &&
        left > 0) {
        dim[0] = dim_const(g, left);
        Node *zero =
            g_broadcast_to(g, g_const(g, of->dtype, 0), of->rank + 1, dim);
        list_push(r->t.arena, &piece, zero);
    }
    row.local = piece.n > 1   ? g_concat(g, piece.n, piece.at, 0)
                : piece.n > 0 ? piece.at[0]
                              : g_fill(g, part, 0);
    row.cell->value =
        g_param(g, row.local->dtype, row.local->rank, row.local->dim, "value");
    return add_row(r, &row);
}

static int steps_row(Tracer *r, Node *part, int64_t made)
{
    TraceRow row = {.after = -1,
                    .node = part,
                    .cell = cell_of(r, part),
                    .local = g_const_int(r->t.graph, part->dtype, made)};
    return add_row(r, &row);
}

int part_row(Tracer *r, Node *part)
{
    Node *of = part->arg[0];
    const Region *b = node_region(of);
    int k = (int)part->attr.integer;
    run_region(r, of);
    const Parts *p = state_of(r, of)->parts;
    if (r->t.status != TRACE_ok)
        return -1;
    if (k < b->ncarry)
        return p->carry[k];
    k -= b->ncarry;
    if (!b->trips)
        return p->output[k].at[0];
    return k < b->noutput ? stacked_row(r, part, p, k)
                          : steps_row(r, part, p->made);
}
