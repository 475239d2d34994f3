/* label.c: what the program calls its values. */
#include "graph/internal.h"
#include "graph/op.h"

/* A leaf, or a number that is repeated. */
static bool is_plain(const Node *n)
{
    const Node *x = n;
    while (op_table[x->op]->cls == OPC_view)
        x = x->arg[0];
    return op_table[n->op]->cls == OPC_leaf || x->op == OP_const;
}

void graph_keep_labels(Graph *g) { graph_labels(g)->kept = true; }
bool graph_keeps_labels(const Graph *g) { return graph_labels(g)->kept; }

void graph_label(Graph *g, const NodeLabel *l)
{
    Labels *to = graph_labels(g);
    Map *of = l->call ? &to->call : &to->let;
    bool leaf = is_plain(l->node);
    for (int i = 0; i < l->narg; i++)
        leaf = leaf || l->arg[i].node == l->node;
    if (!to->kept || leaf || map_of(of, l->node))
        return;
    Arena *a = graph_arena(g);
    NodeLabel *own = arena_copy(a, l, sizeof *l);
    own->arg = arena_copy(a, l->arg, sizeof *l->arg * (size_t)l->narg);
    map_set(a, of, l->node, own);
}

void graph_label_outer(Graph *g, const NodeLabel *l)
{
    const NodeLabel *inner = graph_call_label(g, l->node);
    if (inner && inner->library && l->library)
        map_set(graph_arena(g), &graph_labels(g)->call, l->node, NULL);
    graph_label(g, l);
}

Provenance graph_call(Graph *g, const char *name)
{
    Labels *to = graph_labels(g);
    Provenance before = graph_provenance(g, (Provenance){0}), in = before;
    if (to->kept && name) {
        list_push(graph_arena(g), &to->place, ((CallPlace){in.call, name}));
        in.call = to->place.n;
    }
    graph_provenance(g, in);
    return before;
}

const char *graph_call_name(const Graph *g, int call)
{
    return call ? graph_labels(g)->place.at[call - 1].name : NULL;
}

int graph_call_outer(const Graph *g, int call)
{
    return call ? graph_labels(g)->place.at[call - 1].outer : 0;
}

const NodeLabel *graph_call_label(const Graph *g, const Node *n)
{
    return map_of(&graph_labels(g)->call, n);
}

const NodeLabel *graph_let_label(const Graph *g, const Node *n)
{
    return map_of(&graph_labels(g)->let, n);
}

static void follow(Graph *g, const NodeLabel *l, Node *to,
                   Node *(*now)(const void *u, const Node *x), const void *u)
{
    if (!l || to == l->node)
        return;
    NodeLabel moved = *l;
    NodeLabelArg *arg = NEWN(graph_arena(g), NodeLabelArg, l->narg + 1);
    for (int i = 0; i < l->narg; i++) {
        Node *x = l->arg[i].node ? now(u, l->arg[i].node) : NULL;
        arg[i] = l->arg[i];
        arg[i].node = x ? x : arg[i].node;
    }
    moved.node = to;
    moved.arg = arg;
    graph_label(g, &moved);
}

void graph_follow_let(Graph *g, const Node *n, Node *to)
{
    const NodeLabel *l = graph_let_label(g, n);
    if (l && to != n)
        graph_label(g, &(NodeLabel){.node = to, .name = l->name});
}

void graph_follow_labels(Graph *g, const Node *n, Node *to,
                         Node *(*now)(const void *u, const Node *x),
                         const void *u)
{
    if (!graph_keeps_labels(g))
        return;
    follow(g, graph_let_label(g, n), to, now, u);
    follow(g, graph_call_label(g, n), to, now, u);
}
