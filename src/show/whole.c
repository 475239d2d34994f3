/* whole.c: which calls are shown as one formula, where nothing that they are
 * made of is to be shown twice. */
#include "show/whole.h"
#include "graph/op.h"
#include "graph/region.h"

typedef struct Whole {
    Arena *scratch;
    Graph *g;
    WholeCall *call;
    void *u;
    bool *live, *real; /* real: made of real inputs */
    int most;          /* ids are at most that */
} Whole;

/* What n's formula is made of is wanted. */
static void mark(const Whole *w, const Node *n)
{
    const NodeLabel *l = w->call(w->u, n);
    int count = l ? l->narg : n->narg;
    for (int i = 0; i < count; i++) {
        const Node *x = l ? l->arg[i].node : n->arg[i];
        if (x)
            w->live[x->id] = true;
    }
}

static void mark_all(const Whole *w, int nroot, Node *const *root)
{
    for (int id = 0; id <= w->most; id++)
        w->live[id] = false;
    for (int i = 0; i < nroot; i++)
        w->live[root[i]->id] = true;
    for (int id = w->most; id >= 0; id--)
        if (w->live[id])
            mark(w, graph_node(w->g, id));
}

static bool is_argument(const NodeLabel *l, const Node *n)
{
    for (int i = 0; i < l->narg; i++)
        if (l->arg[i].node == n)
            return true;
    return false;
}

/* What counts as shown: what is made of indices alone, like the rows of labels,
 * and what moves elements may be there again. */
static bool is_shown(const Whole *w, const Node *n)
{
    return w->live[n->id] && w->real[n->id] && op_table[n->op]->cls != OPC_view;
}

static void find_real(Whole *w)
{
    w->real = NEWN(w->scratch, bool, w->most + 2);
    for (int id = 0; id <= w->most; id++) {
        const Node *n = graph_node(w->g, id);
        w->real[id] = n->op == OP_param && dtype_is_real(n->dtype);
        for (int i = 0; i < n->narg; i++)
            w->real[id] = w->real[id] || w->real[n->arg[i]->id];
    }
}

/* Is anything shown that the call makes, beside what it gives. */
static bool shows_inside(const Whole *w, const NodeLabel *l)
{
    LIST(const Node *) stack = {0};
    bool shown = false;
    graph_unmark(w->g);
    list_push(w->scratch, &stack, l->node);
    while (stack.n && !shown) {
        const Node *n = stack.at[--stack.n];
        for (int i = 0; i < n->narg; i++) {
            Node *x = n->arg[i];
            if (is_argument(l, x) || op_table[x->op]->cls == OPC_leaf ||
                !graph_mark(w->g, x))
                continue;
            shown = shown || is_shown(w, x);
            list_push(w->scratch, &stack, x);
        }
    }
    return shown;
}

void whole_calls(Graph *g, int nroot, Node *const *root, WholeCall *call,
                 void (*open)(void *u, const Node *n), void *u)
{
    Whole w = {
        .scratch = arena_new(), .g = g, .call = call, .u = u, .most = -1};
    bool more = true;
    for (int i = 0; i < nroot; i++)
        w.most = root[i]->id > w.most ? root[i]->id : w.most;
    w.live = NEWN(w.scratch, bool, w.most + 2);
    find_real(&w);
    while (more) {
        more = false;
        mark_all(&w, nroot, root);
        for (int id = w.most; id >= 0; id--) {
            const Node *n = graph_node(g, id);
            const NodeLabel *l = w.live[id] ? call(u, n) : NULL;
            if (l && shows_inside(&w, l)) {
                open(u, n);
                more = true;
            }
        }
    }
    arena_free(w.scratch);
}
