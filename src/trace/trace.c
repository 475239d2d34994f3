/* trace.c: rows, in an order in which they are read. */
#include "trace/internal.h"

#include <stdlib.h>

/* Of all values together. */
static const int64_t most_elements = INT64_C(1) << 26;

static void stop(Tracer *r, TraceStatus s, Span at)
{
    if (r->t.status == TRACE_ok) {
        r->t.status = s;
        r->t.at = at;
    }
}

/* Rows */

EvalStatus row_eval(const Trace *t, const TraceOptions *o, Node *root,
                    const TraceRow *row, EvalValue *out, EvalStop *where)
{
    EvalBound *b = NEWN(t->arena, EvalBound, 3 * row->use.n + 3);
    int n = 0;
    for (int i = 0; i < row->use.n; i++) {
        const TraceUse *u = &row->use.at[i];
        const TraceRow *of = &t->row.at[u->row];
        b[n++] = (EvalBound){u->cell->value, &of->value};
        if (u->cell->dot && of->tangent_of)
            b[n++] = (EvalBound){u->cell->dot, &of->tangent};
    }
    if (row->value.x)
        b[n++] = (EvalBound){row->cell->value, &row->value};
    if (row->has_adjoint && row->cell->bar)
        b[n++] = (EvalBound){row->cell->bar, &row->adjoint};
    EvalStatus s = eval_value(t->arena, t->graph, root, n, b, o->nvar, o->var,
                              o->size, out, where);
    for (int64_t i = 0;
         o->narrow && s == EVAL_OK && root->dtype == DT_f32 && i < out->count;
         i++)
        out->x[i] = (float)out->x[i];
    return s;
}

static bool uses_active(const Tracer *r, const TraceRow *row)
{
    for (int i = 0; i < row->use.n; i++)
        if (r->t.row.at[row->use.at[i].row].active)
            return true;
    return false;
}

int add_row(Tracer *r, TraceRow *row)
{
    Trace *t = &r->t;
    bool counter = row->number < 0;
    if (t->rows >= (r->o->most ? r->o->most : TRACE_ROWS))
        stop(r, TRACE_long, row->node->span);
    if (t->status != TRACE_ok)
        return -1;
    row->step = r->step;
    if (!row->value.x) {
        EvalStatus s =
            row_eval(t, r->o, row->local, row, &row->value, &t->stop);
        if (s != EVAL_OK)
            stop(r, s == EVAL_BAD_INDEX ? TRACE_index : TRACE_size,
                 row->node->span);
    }
    r->elements += row->value.count;
    if (r->elements > most_elements)
        stop(r, TRACE_size, row->node->span);
    if (t->status != TRACE_ok)
        return -1;
    row->active =
        dtype_is_real(row->node->dtype) && (row->input || uses_active(r, row));
    row->number = counter ? 0 : ++t->rows;
    list_push(t->arena, &t->row, *row);
    return t->row.n - 1;
}

/* -1: none */
static int row_at(Tracer *r, const Node *n) { return state_of(r, n)->row - 1; }

static void add_use(Tracer *r, TraceRow *row, Node *n)
{
    TraceUse u = {row_at(r, n), cell_of(r, n)};
    if (u.row >= 0)
        list_push(r->t.arena, &row->use, u);
}

static TraceRow row_of_piece(Tracer *r, Node *n, const Piece *p)
{
    const NodeLabel *let = graph_let_label(r->t.graph, n);
    TraceRow row = {.name = let ? let->name : NULL,
                    .after = -1,
                    .node = n,
                    .cell = cell_of(r, n),
                    .local = p->local,
                    .call = p->call,
                    .call_arg = p->call_arg};
    for (int i = 0; i < p->use.n; i++)
        add_use(r, &row, p->use.at[i]);
    return row;
}

/* Only what is chosen is computed. */
static int if_row(Tracer *r, Node *n)
{
    Nodes use = {0};
    const Trace *t = &r->t;
    int cond = row_for(r, n->arg[0]);
    if (t->status != TRACE_ok)
        return -1;
    bool holds = t->row.at[cond].value.x[0] != 0;
    Node *branch = n->arg[holds ? 1 : 2];
    add_uses(r, branch, &use);
    place(r, use.n, use.at);
    if (t->status != TRACE_ok)
        return -1;
    Piece p = {.local = is_row(r, branch) ? cell_of(r, branch)->value
                                          : piece_of(r, branch)->local,
               .use = use};
    TraceRow row = row_of_piece(r, n, &p);
    add_uses(r, n->arg[0], &use);
    for (int i = p.use.n; i < use.n; i++)
        add_use(r, &row, use.at[i]);
    row.condition = is_row(r, n->arg[0]) ? cell_of(r, n->arg[0])->value
                                         : piece_of(r, n->arg[0])->local;
    row.holds = holds;
    return add_row(r, &row);
}

static bool is_open_part(const Node *n)
{
    return n->op == OP_part && is_open(n->arg[0]);
}

static void make_row(Tracer *r, Node *n)
{
    int row;
    if (state_of(r, n)->row || r->t.status != TRACE_ok)
        return;
    if (n->op == OP_if) {
        row = if_row(r, n);
    } else if (n->op == OP_param) {
        row = element_row(r, n);
    } else if (is_open_part(n)) {
        row = part_row(r, n);
    } else {
        TraceRow own = row_of_piece(r, n, piece_of(r, n));
        row = add_row(r, &own);
    }
    state_of(r, n)->row = row + 1;
}

/* Order */

/* What has to have a row before n's is made. */
static void needs(Tracer *r, Node *n, Nodes *to)
{
    if (n->op == OP_if) {
        add_uses(r, n->arg[0], to);
    } else if (is_open_part(n)) {
        for (int i = 0; i < n->arg[0]->narg; i++)
            add_uses(r, n->arg[0]->arg[i], to);
    } else if (n->op != OP_param) {
        const Piece *p = piece_of(r, n);
        for (int i = 0; i < p->use.n; i++)
            list_push(r->t.arena, to, p->use.at[i]);
    }
}

/* Those without a row that the n nodes need, and these. */
static Nodes wanting(Tracer *r, int n, Node *const *node)
{
    Nodes found = {0}, next = {0};
    int walk = ++r->walks;
    for (int i = 0; i < n; i++)
        list_push(r->t.arena, &next, node[i]);
    while (next.n) {
        Node *x = next.at[--next.n];
        NodeState *s = state_of(r, x);
        if (s->row || s->seen == walk)
            continue;
        s->seen = walk;
        list_push(r->t.arena, &found, x);
        needs(r, x, &next);
    }
    return found;
}

static int by_id(const void *a, const void *b)
{
    const Node *x = *(Node *const *)a, *y = *(Node *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

/* From the inside out. */
static void find_depths(Tracer *r, const Nodes *of)
{
    for (int i = 0; i < of->n; i++) {
        Nodes need = {0};
        NodeState *s = state_of(r, of->at[i]);
        s->depth = 0;
        needs(r, of->at[i], &need);
        for (int k = 0; k < need.n; k++) {
            const NodeState *x = state_of(r, need.at[k]);
            if (!x->row && x->depth >= s->depth)
                s->depth = x->depth + 1;
        }
    }
}

typedef struct Ordered {
    Node *node;
    int depth;
} Ordered;

static int by_depth(const void *a, const void *b)
{
    const Ordered *x = a, *y = b;
    return x->depth != y->depth ? x->depth - y->depth : by_id(a, b);
}

/* The rows of one statement. */
static void place_statement(Tracer *r, int n, Node *const *node)
{
    Nodes all = wanting(r, n, node);
    if (!all.n)
        return;
    qsort(all.at, (size_t)all.n, sizeof *all.at, by_id);
    find_depths(r, &all);
    Ordered *o = NEWN(r->t.arena, Ordered, all.n);
    for (int i = 0; i < all.n; i++)
        o[i] = (Ordered){all.at[i], state_of(r, all.at[i])->depth};
    qsort(o, (size_t)all.n, sizeof *o, by_depth);
    for (int i = 0; i < all.n; i++)
        make_row(r, o[i].node);
}

void place(Tracer *r, int n, Node *const *node)
{
    Nodes all = wanting(r, n, node);
    if (all.n)
        qsort(all.at, (size_t)all.n, sizeof *all.at, by_id);
    for (int i = 0; i < all.n && r->t.status == TRACE_ok; i++)
        if (graph_let_label(r->t.graph, all.at[i]))
            place_statement(r, 1, &all.at[i]);
    place_statement(r, n, node);
}

int row_for(Tracer *r, Node *x)
{
    Nodes use = {0};
    add_uses(r, x, &use);
    place(r, use.n, use.at);
    if (r->t.status != TRACE_ok)
        return -1;
    if (state_of(r, x)->row)
        return row_at(r, x);
    TraceRow row = row_of_piece(r, x, piece_of(r, x));
    int k = add_row(r, &row);
    state_of(r, x)->row = k + 1;
    return k;
}

/* All */

static void add_inputs(Tracer *r, int n, Node *const *input,
                       const EvalValue *value)
{
    for (int i = 0; i < n; i++) {
        TraceRow row = {.name = input[i]->attr.name,
                        .after = -1,
                        .node = input[i],
                        .input = true,
                        .cell = cell_of(r, input[i]),
                        .value = value[i]};
        row.local = row.cell->value;
        state_of(r, input[i])->row = add_row(r, &row) + 1;
    }
}

Trace *trace_new(Arena *a, Graph *g, const TraceOptions *o, int ninput,
                 Node *const *input, const EvalValue *value, int nroot,
                 Node *const *root)
{
    Tracer *r = NEW(a, Tracer);
    r->t = (Trace){.arena = a, .graph = g};
    r->o = arena_copy(a, o, sizeof *o);
    r->nstate = graph_count(g);
    r->state = NEWN(a, NodeState, r->nstate + 1);
    r->index_row = -1;
    r->t.result = NEWN(a, int, nroot + 1);
    graph_written(g, false);
    add_inputs(r, ninput, input, value);
    place(r, nroot, root);
    for (int i = 0; i < nroot && r->t.status == TRACE_ok; i++) {
        r->t.result[i] = row_for(r, root[i]);
        r->t.nresult += r->t.status == TRACE_ok;
    }
    return &r->t;
}
