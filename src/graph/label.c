/* label.c: what the program calls its values. */
#include "graph/internal.h"
#include "graph/op.h"

static NodeLabel *find(const Map *of, const Node *n)
{
    NodeLabel *l;
    for (size_t seen = 0;
         (l = map_next(of, hash_mix(HASH_SEED, (uint64_t)n->id), &seen));)
        if (l->node == n)
            return l;
    return NULL;
}

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
    if (!to->kept || leaf || find(of, l->node))
        return;
    Arena *a = graph_arena(g);
    NodeLabel *own = arena_copy(a, l, sizeof *l);
    own->arg = arena_copy(a, l->arg, sizeof *l->arg * (size_t)l->narg);
    map_put(a, of, hash_mix(HASH_SEED, (uint64_t)l->node->id), own);
}

const NodeLabel *graph_call_label(const Graph *g, const Node *n)
{
    return find(&graph_labels(g)->call, n);
}

const NodeLabel *graph_let_label(const Graph *g, const Node *n)
{
    return find(&graph_labels(g)->let, n);
}
