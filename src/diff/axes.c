/* axes.c: which axes of x and y go together. */
#include "diff/structure.h"
#include "graph/op.h"
#include "graph/view.h"
#include "region/region.h"

#include <string.h>

/* How a node depends on x: its axis that goes with axis k of x is axis[k], or
 * -1. */
typedef struct Along {
    bool depends;
    int axis[MAX_RANK];
} Along;

static int reduced_axis(const Node *n, int k)
{
    int before = 0;

    for (int i = 0; i < n->attr.nint; i++) {
        if (n->attr.ints[i] == k)
            return -1;
        before += n->attr.ints[i] < k;
    }
    return k - before;
}

/* The only one that moves along axis k does so once and through all of it. */
static int viewed_axis(const Node *n, int k)
{
    View v = view_of(n);

    for (int j = 0; j < v.rank; j++)
        if (v.axis[j] == k && view_movers(&v, k) == 1 &&
            view_goes_through(&v, j, n->arg[0]->dim))
            return j;
    return -1;
}

static int added_axis(const Node *n, int j)
{
    View v = view_of(n);
    int k = v.axis[j];

    return k >= 0 && view_movers(&v, k) == 1 && view_goes_through(&v, j, n->dim)
               ? k
               : -1;
}

static int reshaped_axis(Graph *g, const Node *n, int k)
{
    const Node *x = n->arg[0];
    const Dim *before = dim_product(g, k, x->dim), *size = dim_const(g, 1);

    for (int j = 0; j < n->rank; j++) {
        if (size == before && n->dim[j] == x->dim[k])
            return j;
        size = dim_mul(g, size, n->dim[j]);
    }
    return -1;
}

static int indexed_axis(const Node *n, int k)
{
    int axis = (int)n->attr.integer, rank = n->arg[1]->rank;

    if (k < axis)
        return k;
    if (n->op == OP_gather)
        return k > axis ? k + rank - 1 : -1;
    return k >= axis + rank ? k - rank + 1 : -1;
}

static int contracted_axis(const Node *n, int i, int k)
{
    int label = n->attr.ints[i ? n->arg[0]->rank + k : k];

    return label < n->rank ? label : -1;
}

/* The axis of n that goes with axis k of argument i; -1: none does for sure. */
static int kept_axis(Graph *g, const Node *n, int i, int k)
{
    switch (op_table[n->op]->cls) {
    case OPC_ewise:
    case OPC_select:
        return k;
    case OPC_reduce:
        return reduced_axis(n, k);
    case OPC_contract:
        return contracted_axis(n, i, k);
    case OPC_view:
        if (n->op == OP_concat)
            return k == n->attr.integer ? -1 : k;
        return n->op == OP_view       ? viewed_axis(n, k)
               : n->op == OP_view_add ? added_axis(n, k)
                                      : reshaped_axis(g, n, k);
    case OPC_index:
        return n->narg == 2 ? indexed_axis(n, k) : -1;
    case OPC_routine:
        return k < n->rank - 2 ? k : -1;
    case OPC_leaf:
    case OPC_sort:
    case OPC_region:
        break;
    }
    return -1;
}

/* `to` where it depends as `from` does, too. */
static void join(Along *to, const Along *from)
{
    if (!from->depends)
        return;
    for (int k = 0; k < MAX_RANK; k++)
        if (!to->depends)
            to->axis[k] = from->axis[k];
        else if (to->axis[k] != from->axis[k])
            to->axis[k] = -1;
    to->depends = true;
}

static bool along_equal(const Along *a, const Along *b)
{
    return a->depends == b->depends &&
           (!a->depends || memcmp(a->axis, b->axis, sizeof a->axis) == 0);
}

/* Each axis `by` further on; below 0 it is none. */
static Along shifted(const Along *from, int by)
{
    Along to = *from;

    for (int k = 0; k < MAX_RANK; k++)
        to.axis[k] =
            to.axis[k] < 0 || to.axis[k] + by < 0 ? -1 : to.axis[k] + by;
    return to;
}

/* Nodes by ascending ids, and how each depends on x; of a loop or call, how its
 * parts do. */
typedef struct Walk {
    Graph *g;
    Arena *scratch;
    Node *const *node;
    int n;
    Along *along, **part;
} Walk;

static Walk walk_new(Graph *g, Arena *scratch, int n, Node *const *node)
{
    return (Walk){.g = g,
                  .scratch = scratch,
                  .node = node,
                  .n = n,
                  .along = NEWN(scratch, Along, n + 1),
                  .part = NEWN(scratch, Along *, n + 1)};
}

static Along along_of(const Walk *w, const Node *n)
{
    int i = node_place(w->node, w->n, n);

    return i >= 0 ? w->along[i] : (Along){.depends = false};
}

static void set_along(Walk *w, const Node *n, const Along *to)
{
    int i = node_place(w->node, w->n, n);

    if (i >= 0)
        w->along[i] = *to;
}

static void walk(Walk *w);

/* One step of a region on arguments that depend so. */
static void walk_region(Walk *in, const Region *r, const Along *arg)
{
    for (int i = 0; i < region_narg(r); i++) {
        bool input = i >= r->ncarry && i < r->ncarry + r->ninput;
        Along a = input ? shifted(&arg[i], -1) : arg[i];

        if (region_param(r, i))
            set_along(in, region_param(r, i), &a);
    }
    walk(in);
}

/* Carries depend as they do before the first step and after any. */
static Along *walk_steps(Walk *w, const Node *n)
{
    const Region *r = node_region(n);
    Walk in = walk_new(w->g, w->scratch, r->nbody, r->body);
    Along *arg = NEWN(w->scratch, Along, n->narg + 1);
    Along *part = NEWN(w->scratch, Along, region_nparts(r) + 1);
    bool changes = true;

    for (int i = 0; i < n->narg; i++)
        arg[i] = along_of(w, n->arg[i]);
    while (changes) {
        walk_region(&in, r, arg);
        changes = false;
        for (int i = 0; i < r->ncarry; i++) {
            Along before = arg[i], next = along_of(&in, r->next[i]);

            join(&arg[i], &next);
            changes = changes || !along_equal(&before, &arg[i]);
        }
    }
    memcpy(part, arg, sizeof *part * (size_t)r->ncarry);
    for (int i = 0; i < r->noutput; i++) {
        Along a = along_of(&in, r->output[i]);

        part[r->ncarry + i] = r->trips ? shifted(&a, 1) : a;
    }
    return part;
}

static Along through(Walk *w, const Node *n)
{
    Along to = {.depends = false};

    if (!dtype_is_real(n->dtype))
        return to;
    if (n->op == OP_part) {
        int of = node_place(w->node, w->n, n->arg[0]);

        return of >= 0 && w->part[of] ? w->part[of][n->attr.integer] : to;
    }
    for (int i = 0; i < n->narg; i++) {
        Along a = along_of(w, n->arg[i]);

        for (int k = 0; k < MAX_RANK && a.depends; k++)
            if (a.axis[k] >= 0)
                a.axis[k] = kept_axis(w->g, n, i, a.axis[k]);
        join(&to, &a);
    }
    return to;
}

static void walk(Walk *w)
{
    for (int i = 0; i < w->n; i++) {
        const Node *n = w->node[i];

        if (node_has_region(n))
            w->part[i] = walk_steps(w, n);
        else if (n->narg > 0)
            w->along[i] = through(w, n);
    }
}

bool structure_axes(Graph *g, Node *y, const Node *x, int *axis)
{
    Arena *scratch = arena_new();
    Nodes all = nodes_below(g, scratch, 1, &y);
    Walk w = walk_new(g, scratch, all.n, all.at);
    Along a = {.depends = true};

    for (int k = 0; k < MAX_RANK; k++)
        a.axis[k] = k < x->rank ? k : -1;
    set_along(&w, x, &a);
    walk(&w);
    a = along_of(&w, y);
    memcpy(axis, a.axis, sizeof a.axis);
    arena_free(scratch);
    return a.depends;
}
