/* diff.c: reverse and forward mode over the operator table. */

#include "diff/diff.h"
#include "diff/guard.h"

#include "graph/op.h"
#include "simplify/simplify.h"

typedef struct Terms {
    LIST(Guarded) list;
} Terms;

typedef struct Sweep {
    Graph *g;
    Arena *scratch;
    Node **y;     /* simplified */
    int count;    /* nodes when the sweep began: ids below it are its own */
    bool *active; /* real, reached from y, dependent on some x */
    Node **value; /* forward: the tangent by id; NULL is zero */
    Terms *terms; /* reverse: what the adjoint is the sum of */
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

/* The ys are simplified first: what overflows as written, log(sum(exp(x))),
 * would in its derivative too. */
static Sweep sweep_new(Graph *g, int ny, Node *const *y, int nx, Node *const *x)
{
    Sweep s = {.g = g, .scratch = arena_new()};

    s.y = arena_copy(s.scratch, y, sizeof *y * (size_t)ny);
    simplify(g, ny, s.y);
    s.count = graph_count(g);
    s.active = NEWN(s.scratch, bool, s.count);
    s.value = NEWN(s.scratch, Node *, s.count);
    mark_active(&s, ny, s.y, nx, x);
    return s;
}

static void add_to(Sweep *s, const Node *n, Guarded v)
{
    list_push(s->scratch, &s->terms[n->id].list, v);
}

/* All terms are there: every user of n has been passed. NULL: zero. */
static const Guarded *adjoint_of(Sweep *s, const Node *n)
{
    Terms *t = &s->terms[n->id];

    if (t->list.n == 0)
        return NULL;
    t->list.at[0] = guard_sum(s->g, s->scratch, t->list.n, t->list.at);
    t->list.n = 1;
    return &t->list.at[0];
}

static void reverse_ewise(Sweep *s, Node *n, const Guarded *adjoint)
{
    bool bounded = row(n)->flags & OP_BOUNDED;

    for (int i = 0; i < n->narg; i++) {
        Node *partial;

        if (!s->active[n->arg[i]->id])
            continue;
        partial = row(n)->partial(s->g, n, i);
        if (partial)
            add_to(s, n->arg[i], guard_scale(s->g, adjoint, partial, bounded));
    }
}

static void reverse_choice(Sweep *s, Node *n, const Guarded *adjoint)
{
    for (int i = 1; i < n->narg; i++)
        if (s->active[n->arg[i]->id])
            add_to(s, n->arg[i], guard_choose(s->g, s->scratch, n, adjoint, i));
}

static void reverse_other(Sweep *s, Node *n, const Guarded *adjoint)
{
    Guarded a = guard_settle(s->g, adjoint);
    Node **dx = NEWN(s->scratch, Node *, n->narg);
    Node **live = NEWN(s->scratch, Node *, n->narg);

    row(n)->vjp(s->g, n, a.v, dx);
    if (a.live)
        guard_live_back(s->g, s->scratch, n, a.live, live);
    for (int i = 0; i < n->narg; i++)
        if (dx[i] && s->active[n->arg[i]->id])
            add_to(s, n->arg[i], (Guarded){dx[i], a.branch, NULL, live[i]});
}

static void reverse(Sweep *s, Node *n)
{
    const Guarded *at = adjoint_of(s, n);
    Guarded adjoint;

    if (!at)
        return;
    adjoint = *at;
    if (row(n)->flags & OP_MASKS)
        reverse_choice(s, n, &adjoint);
    else if (row(n)->vjp)
        reverse_other(s, n, &adjoint);
    else if (row(n)->partial)
        reverse_ewise(s, n, &adjoint);
}

void diff_reverse(Graph *g, int ny, Node *const *y, Node *const *y_bar, int nx,
                  Node *const *x, Node **x_bar)
{
    Sweep s = sweep_new(g, ny, y, nx, x);
    Span before = graph_span(g, (Span){0, 0});

    s.terms = NEWN(s.scratch, Terms, s.count);
    for (int i = 0; i < ny; i++)
        if (y_bar[i] && s.active[s.y[i]->id])
            add_to(&s, s.y[i], (Guarded){.v = y_bar[i]});
    for (int id = s.count - 1; id >= 0; id--) {
        Node *n = graph_node(g, id);

        if (!s.active[id] || n->narg == 0)
            continue;
        graph_span(g, n->span);
        reverse(&s, n);
    }
    graph_span(g, before);
    for (int j = 0; j < nx; j++) {
        const Guarded *v = adjoint_of(&s, x[j]);

        x_bar[j] = v ? guard_value(g, v) : g_fill(g, x[j], 0);
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
        Node *v = s.active[s.y[i]->id] ? s.value[s.y[i]->id] : NULL;

        y_dot[i] = v ? v : g_fill(g, y[i], 0);
    }
    arena_free(s.scratch);
}
