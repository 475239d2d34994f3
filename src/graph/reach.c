/* reach.c: the nodes that a pass is about, found and numbered with work that
 * depends on how many they are and not on how large the graph is: a derivative
 * makes passes over each loop's body. */
#include "graph/internal.h"

#include <stdlib.h>

typedef struct Found {
    Node *node;
    int before; /* its number in what is hidden */
} Found;

typedef struct Walk {
    const Graph *g;
    Arena *scratch;
    int lo, hi;
    LIST(Found) found;
} Walk;

/* While they are collected numbers are -1 - the place in the list. */
static void find(Walk *w, Node *n)
{
    int *number = graph_number(w->g, n->id);
    if (n->id < w->lo || *number < 0)
        return;
    Found f = {n, *number};
    *number = -1 - w->found.n;
    w->hi = n->id >= w->hi ? n->id + 1 : w->hi;
    if (w->found.n == w->found.cap) {
        Found *old = w->found.at;
        w->found.at = list_grow(w->scratch, old, &w->found.cap, sizeof *old);
        arena_drop(w->scratch, old);
    }
    w->found.at[w->found.n++] = f;
}

static void find_results(Walk *w, const Region *r)
{
    for (int i = 0; i < r->ncarry; i++)
        find(w, r->next[i]);
    for (int i = 0; i < r->noutput; i++)
        find(w, r->output[i]);
    if (r->until)
        find(w, r->until);
}

static int by_id(const void *a, const void *b)
{
    const Found *x = a, *y = b;
    return (x->node->id > y->node->id) - (x->node->id < y->node->id);
}

/* By ascending ids; many among all that there are, or few. */
static Found *sorted(Walk *w)
{
    enum { SPARSE = 16 };
    int n = w->found.n, k = 0;
    if (n == 0 || (w->hi - w->lo) / SPARSE > n) {
        if (n)
            qsort(w->found.at, (size_t)n, sizeof *w->found.at, by_id);
        return w->found.at;
    }
    Found *all = NEWN(w->scratch, Found, n);
    for (int id = w->lo; id < w->hi; id++) {
        int number = *graph_number(w->g, id);
        if (number < 0)
            all[k++] = w->found.at[-1 - number];
    }
    return all;
}

Reach reach_enter(const Graph *g, Arena *scratch, int lo, Depth deep, int nroot,
                  Node *const *root)
{
    Walk w = {.g = g, .scratch = scratch, .lo = lo};
    for (int i = 0; i < nroot; i++)
        find(&w, root[i]);
    for (int k = 0; k < w.found.n; k++) {
        const Node *n = w.found.at[k].node;
        for (int i = 0; i < n->narg; i++)
            find(&w, n->arg[i]);
        const Region *r = deep != REACH_AROUND ? n->attr.region : NULL;
        for (; r; r = deep == REACH_ALL ? r->vjp : NULL)
            find_results(&w, r);
    }
    const Found *all = sorted(&w);
    Reach r = {.g = g, .n = w.found.n};
    r.node = NEWN(scratch, Node *, r.n + 1);
    r.before = NEWN(scratch, int, r.n + 1);
    for (int i = 0; i < r.n; i++) {
        r.node[i] = all[i].node;
        r.before[i] = all[i].before;
        *graph_number(g, all[i].node->id) = i + 1;
    }
    return r;
}

int reach_number(const Reach *r, const Node *n)
{
    int i = *graph_number(r->g, n->id) - 1;
    return i >= 0 && i < r->n && r->node[i] == n ? i : -1;
}

void reach_leave(Reach *r)
{
    for (int i = 0; i < r->n; i++)
        *graph_number(r->g, r->node[i]->id) = r->before[i];
    r->n = 0;
}

Nodes nodes_below(const Graph *g, Arena *a, int nroot, Node *const *root)
{
    Reach r = reach_enter(g, a, 0, REACH_AROUND, nroot, root);
    Nodes found = {r.node, r.n, r.n};
    reach_leave(&r);
    return found;
}

bool *graph_reach(const Graph *g, Arena *scratch, bool deep, int nroot,
                  Node *const *root)
{
    bool *live = NEWN(scratch, bool, graph_count(g) + 1);
    Reach r = reach_enter(g, scratch, 0, deep ? REACH_ALL : REACH_AROUND, nroot,
                          root);
    for (int i = 0; i < r.n; i++)
        live[r.node[i]->id] = true;
    reach_leave(&r);
    return live;
}

/* Is the number of its elements, or a number that it is made with. */
static bool is_too_large(Graph *g, const Node *n)
{
    for (int i = 0; i < n->attr.ndim; i++)
        if (dim_too_large(n->attr.dims[i]))
            return true;
    return dim_too_large(dim_product(g, n->rank, n->dim));
}

Node *node_too_large(Graph *g, Arena *scratch, int nroot, Node *const *root)
{
    Reach r = reach_enter(g, scratch, 0, true, nroot, root);
    Node *found = NULL;
    for (int i = 0; i < r.n && !found; i++)
        if (is_too_large(g, r.node[i]))
            found = r.node[i];
    reach_leave(&r);
    return found;
}
