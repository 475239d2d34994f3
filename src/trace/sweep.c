/* sweep.c: tangents in the order of the rows, adjoints against it: each row by
 * the rules of its own operators. */
#include "diff/diff.h"
#include "simplify/simplify.h"
#include "trace/internal.h"

#include <math.h>
#include <string.h>

/* The derivative of a local value, which many rows may have: those of the steps
 * of a loop. */
typedef struct Made {
    Node *local;
    const TraceCell *cell;
    bool strong; /* reverse: of an infinite adjoint */
    int n;
    bool *moves; /* forward: which of the cells */
    Node **d;
} Made;

typedef struct Sweep {
    Trace *t;
    const TraceOptions *o;
    Map made;
} Sweep;

static Sweep sweep_of(Trace *t)
{
    return (Sweep){.t = t, .o = ((const Tracer *)t)->o};
}

static Node *like(Graph *g, const Node *n, const char *name)
{
    return g_param(g, n->dtype, n->rank, n->dim, name);
}

/* The cells of row that are real, each once; their rows. */
static int real_cells(Trace *t, const TraceRow *row, TraceUse *to)
{
    int n = 0;
    for (int i = 0; i < row->use.n; i++) {
        const TraceUse *u = &row->use.at[i];
        bool again =
            !dtype_is_real(u->cell->value->dtype) || !t->row.at[u->row].active;
        for (int k = 0; k < n && !again; k++)
            again = to[k].cell == u->cell;
        if (!again)
            to[n++] = *u;
    }
    return n;
}

static bool same_moves(const bool *a, const bool *b, int n)
{
    return n == 0 || memcmp(a, b, sizeof *a * (size_t)n) == 0;
}

static Made *find_made(const Sweep *s, const TraceRow *row, bool strong, int n,
                       const bool *moves)
{
    uint64_t h = hash_mix(HASH_SEED, (uint64_t)row->local->id);
    Made *m;
    for (size_t seen = 0; (m = map_next(&s->made, h, &seen));)
        if (m->local == row->local && m->cell == row->cell && m->n == n &&
            m->strong == strong && same_moves(m->moves, moves, n))
            return m;
    return NULL;
}

static Made *keep_made(Sweep *s, const TraceRow *row, bool strong, int n,
                       const bool *moves, Node **d)
{
    Arena *a = s->t->arena;
    Made *m = NEW(a, Made);
    *m = (Made){row->local,
                row->cell,
                strong,
                n,
                arena_copy(a, moves, sizeof *moves * (size_t)n),
                d};
    map_put(a, &s->made, hash_mix(HASH_SEED, (uint64_t)row->local->id), m);
    return m;
}

static bool failed(Trace *t, EvalStatus e, const TraceRow *row)
{
    if (e == EVAL_OK)
        return false;
    t->status = e == EVAL_BAD_INDEX ? TRACE_index : TRACE_size;
    t->at = row->node->span;
    return true;
}

static bool evaluate(Sweep *s, Node *n, int row, EvalValue *to)
{
    const TraceRow *r = &s->t->row.at[row];
    return !failed(s->t, row_eval(s->t, s->o, n, r, to, &s->t->stop), r);
}

/* Forward */

static Node *tangent_of(Sweep *s, const TraceRow *row, const TraceUse *use,
                        int n)
{
    Trace *t = s->t;
    Graph *g = t->graph;
    bool *moves = NEWN(t->arena, bool, n + 1);
    Nodes x = {0}, dot = {0};
    for (int i = 0; i < n; i++) {
        TraceCell *c = use[i].cell;
        moves[i] = t->row.at[use[i].row].tangent_of != NULL;
        if (!moves[i])
            continue;
        c->dot = c->dot ? c->dot : like(g, c->value, "tangent");
        list_push(t->arena, &x, c->value);
        list_push(t->arena, &dot, c->dot);
    }
    if (!x.n)
        return NULL;
    Made *m = find_made(s, row, false, n, moves);
    if (!m) {
        Node **d = NEW(t->arena, Node *), *local = row->local;
        bool before = graph_deriving(g, true);
        diff_forward(g, 1, &local, x.n, x.at, dot.at, d);
        graph_subst(g, 1, &local, &row->cell->value, 1, d);
        simplify(g, 1, d);
        graph_deriving(g, before);
        m = keep_made(s, row, false, n, moves, d);
    }
    return node_is_const(m->d[0], 0) ? NULL : m->d[0];
}

static bool forward_row(Sweep *s, int k)
{
    Trace *t = s->t;
    TraceRow *row = &t->row.at[k];
    TraceUse *use = NEWN(t->arena, TraceUse, row->use.n + 1);
    EvalValue v;
    if (row->input || !row->active)
        return true;
    Node *d = tangent_of(s, row, use, real_cells(t, row, use));
    if (!d)
        return true;
    if (!evaluate(s, d, k, &v))
        return false;
    row->tangent_of = d;
    row->tangent = v;
    return true;
}

bool trace_forward(Trace *t, const EvalValue *const *direction)
{
    Sweep s = sweep_of(t);
    bool good = true;
    for (int k = 0; k < t->row.n && t->row.at[k].input; k++)
        if (direction[k]) {
            t->row.at[k].tangent_of = t->row.at[k].local;
            t->row.at[k].tangent = *direction[k];
        }
    for (int k = 0; k < t->row.n && good; k++)
        good = forward_row(&s, k);
    return good;
}

/* Reverse */

static bool is_finite(const EvalValue *v)
{
    for (int64_t i = 0; i < v->count; i++)
        if (!isfinite(v->x[i]))
            return false;
    return true;
}

/* Together with what the library may call values in it: so that some of them
 * are called so. */
static void simplify_known(const Sweep *s, const TraceRow *row, int n, Node **d)
{
    Arena *a = s->t->arena;
    Nodes all = {0};
    int known = 0;
    Node **more =
        row->call && s->o->known ? s->o->known(s->o->user, n, d, &known) : NULL;
    for (int i = 0; i < n + known; i++)
        list_push(a, &all, i < n ? d[i] : more[i - n]);
    simplify(s->t->graph, all.n, all.at);
    memcpy(d, all.at, sizeof *d * (size_t)n);
}

/* What the row's adjoint gives each of the cells. */
static Node **partials_of(Sweep *s, const TraceRow *row, const TraceUse *use,
                          int n)
{
    Trace *t = s->t;
    Graph *g = t->graph;
    TraceCell *own = row->cell;
    Node **x = NEWN(t->arena, Node *, n + 1), *local = row->local;
    bool *moves = NEWN(t->arena, bool, n + 1);
    for (int i = 0; i < n; i++) {
        x[i] = use[i].cell->value;
        moves[i] = true;
    }
    bool strong = !is_finite(&row->adjoint);
    own->bar = own->bar ? own->bar : like(g, local, "adjoint");
    Made *m = find_made(s, row, strong, n, moves);
    if (m)
        return m->d;
    Node **d = NEWN(t->arena, Node *, n + 1);
    bool before = graph_deriving(g, true);
    (strong ? diff_reverse_strong : diff_reverse)(g, 1, &local, &own->bar, n, x,
                                                  d);
    if (local->op != OP_param && same_type(local, own->value))
        graph_subst(g, 1, &local, &own->value, n, d);
    if (!strong) /* which takes parameters to be finite */
        simplify_known(s, row, n, d);
    graph_deriving(g, before);
    return keep_made(s, row, strong, n, moves, d)->d;
}

static void add_values(EvalValue *to, const EvalValue *v)
{
    for (int64_t i = 0; i < v->count; i++)
        to->x[i] += v->x[i];
}

static EvalValue copy_value(Arena *a, const EvalValue *v)
{
    EvalValue to = *v;
    to.x = arena_copy(a, v->x, sizeof *v->x * (size_t)v->count);
    return to;
}

/* One part of the adjoint of row k, by way of another. */
static void add_partial(Trace *t, int k, int through, Node *local,
                        const EvalValue *v)
{
    TraceRow *row = &t->row.at[k];
    int n = row->partial.n;
    if (n && row->partial.at[n - 1].through == through) {
        TracePartial *p = &row->partial.at[n - 1];
        p->local = g2(t->graph, OP_add, p->local, local);
        add_values(&p->value, v);
        return;
    }
    TracePartial p = {through, local, copy_value(t->arena, v)};
    list_push(t->arena, &row->partial, p);
}

static bool reverse_row(Sweep *s, int k)
{
    Trace *t = s->t;
    TraceRow *row = &t->row.at[k];
    TraceUse *use = NEWN(t->arena, TraceUse, row->use.n + 1);
    int n = real_cells(t, row, use);
    if (row->input || !row->has_adjoint || !n)
        return true;
    Node **d = partials_of(s, row, use, n);
    for (int i = 0; i < n; i++) {
        EvalValue v;
        if (node_is_const(d[i], 0))
            continue;
        if (!evaluate(s, d[i], k, &v))
            return false;
        add_partial(t, use[i].row, k, d[i], &v);
    }
    return true;
}

/* All that comes through later rows is there. */
static void sum_up(Trace *t, TraceRow *row)
{
    for (int i = 0; i < row->partial.n; i++) {
        const EvalValue *v = &row->partial.at[i].value;
        if (row->has_adjoint)
            add_values(&row->adjoint, v);
        else
            row->adjoint = copy_value(t->arena, v);
        row->has_adjoint = true;
    }
}

bool trace_reverse(Trace *t, const EvalValue *const *adjoint)
{
    Sweep s = sweep_of(t);
    bool good = true;
    for (int i = 0; i < t->nresult; i++) {
        TraceRow *row = &t->row.at[t->result[i]];
        if (!adjoint[i] || !row->active)
            continue;
        if (row->seeded)
            add_values(&row->adjoint, adjoint[i]);
        else
            row->adjoint = copy_value(t->arena, adjoint[i]);
        row->seeded = row->has_adjoint = true;
    }
    for (int k = t->row.n - 1; k >= 0 && good; k--) {
        sum_up(t, &t->row.at[k]);
        good = reverse_row(&s, k);
    }
    return good;
}
