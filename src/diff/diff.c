/* diff.c: reverse and forward mode over the operator table. */

#include "diff/diff.h"

#include "graph/op.h"

typedef struct Terms {
    LIST(Node *) list;
} Terms;

typedef struct Sweep {
    Graph *g;
    Arena *scratch;
    int count;    /* nodes when the sweep began: ids below it are its own */
    bool *active; /* real, reached from y, dependent on some x */
    Node **value; /* adjoint or tangent by id; NULL is zero */
    Terms *terms; /* reverse: what the adjoint is the sum of */
    bool *masked; /* reverse: the adjoint came through a branch not taken */
} Sweep;

static const Op *row(const Node *n) { return op_table[n->op]; }

/* Active nodes: between the xs and the ys, through real values only. */
static void mark_active(Sweep *s, int ny, Node *const *y, int nx,
                        Node *const *x)
{
    bool *reached = graph_reach(s->g, s->scratch, ny, y);

    for (int j = 0; j < nx; j++)
        s->active[x[j]->id] = reached[x[j]->id];
    for (int id = 0; id < s->count; id++) {
        Node *n = graph_node(s->g, id);

        for (int i = 0; reached[id] && i < n->narg; i++)
            s->active[id] |= s->active[n->arg[i]->id];
        s->active[id] &= dtype_is_real(n->dtype);
    }
}

static Sweep sweep_new(Graph *g, int ny, Node *const *y, int nx, Node *const *x)
{
    Sweep s = {.g = g, .scratch = arena_new(), .count = graph_count(g)};

    s.active = NEWN(s.scratch, bool, s.count);
    s.masked = NEWN(s.scratch, bool, s.count);
    s.value = NEWN(s.scratch, Node *, s.count);
    mark_active(&s, ny, y, nx, x);
    return s;
}

static void add_to(Sweep *s, const Node *n, Node *v, bool masked)
{
    list_push(s->scratch, &s->terms[n->id].list, v);
    s->masked[n->id] |= masked;
}

/* All terms are there: every user of n has been passed. */
static Node *adjoint_of(Sweep *s, const Node *n)
{
    Terms *t = &s->terms[n->id];

    if (!s->value[n->id] && t->list.n)
        s->value[n->id] = g_add_all(s->g, t->list.n, t->list.at);
    return s->value[n->id];
}

/* adjoint · partial, where the adjoint may be a zero that stands for "this
 * branch was not taken" and the partial infinite or NaN there: 0 then. */
static Node *mul_masked(Graph *g, Node *adjoint, Node *partial)
{
    Node *zero = g_fill(g, adjoint, 0);
    const Op *op = row(adjoint);
    Node *is_zero;

    if (op->flags & OP_MASKS && node_is_const(adjoint->arg[2], 0)) {
        Node *arg[] = {adjoint->arg[0], g2(g, OP_mul, adjoint->arg[1], partial),
                       zero};

        return graph_make(g, adjoint->op, adjoint->dtype, 3, arg, NULL);
    }
    if (op->flags & OP_MASKS && node_is_const(adjoint->arg[1], 0)) {
        Node *arg[] = {adjoint->arg[0], zero,
                       g2(g, OP_mul, adjoint->arg[2], partial)};

        return graph_make(g, adjoint->op, adjoint->dtype, 3, arg, NULL);
    }
    is_zero = g2(g, OP_eq, adjoint, zero);
    return g_where(g, is_zero, zero, g2(g, OP_mul, adjoint, partial));
}

static void reverse_ewise(Sweep *s, Node *n, Node *adjoint)
{
    bool masked = s->masked[n->id];

    for (int i = 0; i < n->narg; i++) {
        Node *partial;

        if (!s->active[n->arg[i]->id])
            continue;
        partial = row(n)->partial(s->g, n, i);
        if (!partial)
            continue;
        if (masked && !(row(n)->flags & OP_BOUNDED))
            add_to(s, n->arg[i], mul_masked(s->g, adjoint, partial), true);
        else
            add_to(s, n->arg[i], g2(s->g, OP_mul, adjoint, partial), masked);
    }
}

static void reverse_other(Sweep *s, Node *n, Node *adjoint)
{
    bool masked = s->masked[n->id] || row(n)->flags & OP_MASKS;
    Node **dx = NEWN(s->scratch, Node *, n->narg);

    row(n)->vjp(s->g, n, adjoint, dx);
    for (int i = 0; i < n->narg; i++)
        if (dx[i] && s->active[n->arg[i]->id])
            add_to(s, n->arg[i], dx[i], masked);
}

void diff_reverse(Graph *g, int ny, Node *const *y, Node *const *y_bar, int nx,
                  Node *const *x, Node **x_bar)
{
    Sweep s = sweep_new(g, ny, y, nx, x);
    Span before = graph_span(g, (Span){0, 0});

    s.terms = NEWN(s.scratch, Terms, s.count);
    for (int i = 0; i < ny; i++)
        if (y_bar[i] && s.active[y[i]->id])
            add_to(&s, y[i], y_bar[i], false);
    for (int id = s.count - 1; id >= 0; id--) {
        Node *n = graph_node(g, id);

        if (!s.active[id] || n->narg == 0)
            continue;
        graph_span(g, n->span);
        if (!adjoint_of(&s, n))
            continue;
        if (row(n)->vjp)
            reverse_other(&s, n, s.value[id]);
        else if (row(n)->partial)
            reverse_ewise(&s, n, s.value[id]);
    }
    graph_span(g, before);
    for (int j = 0; j < nx; j++) {
        Node *v = adjoint_of(&s, x[j]);

        x_bar[j] = v ? v : g_fill(g, x[j], 0);
    }
    arena_free(s.scratch);
}

/* The tangent of n: sum of partial · tangent over its active arguments. */
static Node *forward_ewise(Sweep *s, Node *n)
{
    Node *sum = NULL;

    for (int i = 0; i < n->narg; i++) {
        Node *dot = s->value[n->arg[i]->id];
        Node *partial = dot ? row(n)->partial(s->g, n, i) : NULL;
        Node *term = partial ? g2(s->g, OP_mul, dot, partial) : NULL;

        if (term)
            sum = sum ? g2(s->g, OP_add, sum, term) : term;
    }
    return sum;
}

static Node *forward_other(Sweep *s, Node *n)
{
    Node **dx = NEWN(s->scratch, Node *, n->narg);
    bool any = false;

    for (int i = 0; i < n->narg; i++) {
        dx[i] = s->value[n->arg[i]->id];
        any |= dx[i] != NULL;
    }
    return any ? row(n)->jvp(s->g, n, dx) : NULL;
}

void diff_forward(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                  Node *const *x_dot, Node **y_dot)
{
    Sweep s = sweep_new(g, ny, y, nx, x);
    Span before = graph_span(g, (Span){0, 0});

    for (int j = 0; j < nx; j++)
        if (s.active[x[j]->id])
            s.value[x[j]->id] = x_dot[j];
    for (int id = 0; id < s.count; id++) {
        Node *n = graph_node(g, id);

        if (!s.active[id] || s.value[id] || n->narg == 0)
            continue;
        graph_span(g, n->span);
        if (row(n)->jvp)
            s.value[id] = forward_other(&s, n);
        else if (row(n)->partial)
            s.value[id] = forward_ewise(&s, n);
    }
    graph_span(g, before);
    for (int i = 0; i < ny; i++) {
        Node *v = s.active[y[i]->id] ? s.value[y[i]->id] : NULL;

        y_dot[i] = v ? v : g_fill(g, y[i], 0);
    }
    arena_free(s.scratch);
}
