/* piece.c: the graph in pieces: what has a row of its own, and what each row
 * computes of others. */
#include "trace/internal.h"

NodeState *state_of(Tracer *r, const Node *n)
{
    if (n->id >= r->nstate)
        die("node %d is newer than the trace", n->id);
    return &r->state[n->id];
}

static const Op *op_of(const Node *n) { return op_table[n->op]; }

/* Moves elements only: formulas show where they stand. */
static bool is_shown_view(const Node *n)
{
    return n->op == OP_view || (op_of(n)->cls == OPC_view && n->rank == 0);
}

/* Sizes, indices, conversions: no step of a computation with reals. */
static bool is_auxiliary(const Node *n)
{
    const Op *o = op_of(n);
    bool masked = n->op == OP_where && dtype_is_int(n->dtype);
    return n->op == OP_cast || n->op == OP_index_check || masked ||
           n->dtype == DT_key ||
           (o->cls == OPC_ewise && dtype_is_int(n->dtype));
}

bool is_row(const Tracer *r, const Node *n)
{
    const Graph *g = r->t.graph;
    if (op_of(n)->cls == OPC_leaf)
        return n->op == OP_param;
    if (node_has_region(n))
        return false;
    return graph_let_label(g, n) || !(is_shown_view(n) || is_auxiliary(n));
}

TraceCell *cell_of(Tracer *r, Node *n)
{
    Graph *g = r->t.graph;
    NodeState *s = state_of(r, n);
    if (s->cell)
        return s->cell;
    s->cell = NEW(r->t.arena, TraceCell);
    s->cell->value =
        n->op == OP_param ? n : g_param(g, n->dtype, n->rank, n->dim, "value");
    return s->cell;
}

/* Cutting: a value as one of cells. What is on the stack is made when its
 * arguments are. */

typedef struct Cut {
    Tracer *r;
    bool inside; /* of a function that is one row: through all rows */
    Nodes *use;
} Cut;

static Node *cut_of(const Cut *c, const Node *n)
{
    const NodeState *s = state_of(c->r, n);
    return s->cut_at == c->r->cuts ? s->cut : NULL;
}

static void set_cut(const Cut *c, const Node *n, Node *to)
{
    NodeState *s = state_of(c->r, n);
    s->cut = to;
    s->cut_at = c->r->cuts;
}

/* n ends the walk: a leaf, or another row. */
static bool ends(const Cut *c, Node *n, bool root)
{
    if (op_of(n)->cls == OPC_leaf && n->op != OP_param) {
        set_cut(c, n, n);
        return true;
    }
    if (n->op != OP_param && (root || c->inside || !is_row(c->r, n)))
        return false;
    set_cut(c, n, cell_of(c->r, n)->value);
    if (nodes_find(c->use, n) < 0)
        list_push(c->r->t.arena, c->use, n);
    return true;
}

static Node *missing(const Cut *c, const Node *n)
{
    for (int i = 0; i < n->narg; i++)
        if (!cut_of(c, n->arg[i]))
            return n->arg[i];
    return NULL;
}

/* With the identities of its operator, which the graph as it was written is
 * without. */
static Node *remake(const Cut *c, const Node *n)
{
    Graph *g = c->r->t.graph;
    Node **arg = NEWN(c->r->t.arena, Node *, n->narg + 1);
    for (int i = 0; i < n->narg; i++)
        arg[i] = cut_of(c, n->arg[i]);
    Provenance outer = graph_provenance(g, node_provenance(n));
    Node *made = graph_make(g, n->op, n->dtype, n->narg, arg, &n->attr);
    graph_provenance(g, outer);
    return made;
}

/* root: what it computes is wanted also where it is a row. */
static Node *cut(const Cut *c, Node *n, bool root)
{
    Nodes stack = {0};
    list_push(c->r->t.arena, &stack, n);
    while (stack.n) {
        Node *top = stack.at[stack.n - 1];
        bool there = cut_of(c, top) || ends(c, top, root && top == n);
        Node *next = there ? NULL : missing(c, top);
        if (next) {
            list_push(c->r->t.arena, &stack, next);
            continue;
        }
        if (!there)
            set_cut(c, top, remake(c, top));
        stack.n--;
    }
    return cut_of(c, n);
}

/* Is the call of values that n is made of, and not of what was there when its
 * like was made. */
static bool is_made_of(const Tracer *r, Node *n, const NodeLabel *l)
{
    Arena *scratch = arena_new();
    Nodes below = nodes_below(r->t.graph, scratch, 1, &n);
    bool all = true;
    for (int i = 0; i < l->narg && all; i++) {
        const Node *x = l->arg[i].node;
        all = !x || is_constant_leaf(x) ||
              (x != n && node_place(below.at, below.n, x) >= 0);
    }
    arena_free(scratch);
    return all;
}

/* A call of the library that is one row: all that it is given is seen. */
static const NodeLabel *whole_call(const Tracer *r, Node *n)
{
    const NodeLabel *l = r->o->expand ? NULL : graph_call_label(r->t.graph, n);
    return l && l->library && is_made_of(r, n, l) ? l : NULL;
}

static void cut_call(Cut *c, Piece *p, Node *n)
{
    Node **arg = NEWN(c->r->t.arena, Node *, p->call->narg + 1);
    for (int i = 0; i < p->call->narg; i++)
        if (p->call->arg[i].node)
            arg[i] = cut(c, p->call->arg[i].node, false);
    p->call_arg = arg;
    c->inside = true;
    p->local = cut(c, n, true);
}

const Piece *piece_of(Tracer *r, Node *n)
{
    NodeState *s = state_of(r, n);
    Cut c = {.r = r};
    if (s->piece)
        return s->piece;
    Piece *p = NEW(r->t.arena, Piece);
    c.use = &p->use;
    r->cuts++;
    p->call = op_of(n)->cls == OPC_leaf ? NULL : whole_call(r, n);
    if (p->call)
        cut_call(&c, p, n);
    else
        p->local = cut(&c, n, true);
    return s->piece = p;
}

void add_uses(Tracer *r, Node *x, Nodes *to)
{
    if (is_row(r, x)) {
        list_push(r->t.arena, to, x);
        return;
    }
    const Piece *p = piece_of(r, x);
    for (int i = 0; i < p->use.n; i++)
        list_push(r->t.arena, to, p->use.at[i]);
}
