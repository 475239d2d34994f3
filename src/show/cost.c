/* cost.c: operations counted, as polynomials of dimensions. */
#include "show/cost.h"
#include "graph/op.h"
#include "region/region.h"

#include <math.h>

const char *const cost_names[NCOSTS] = {
    "additions", "multiplications", "divisions",
    "functions", "other",           "products",
};

static void add(Graph *g, Cost *c, CostKind kind, const Dim *n)
{
    c->of[kind] = dim_add(g, c->of[kind], n);
}

static const Dim *elements(Graph *g, const Node *n)
{
    return dim_product(g, n->rank, n->dim);
}

/* By how it is written, and by what its row says it costs. */
static CostKind kind_of(const Op *row)
{
    switch (form_sort(row->shown.kind)) {
    case SORT_add:
        return COST_add;
    case SORT_multiply:
        return COST_multiply;
    case SORT_divide:
    case SORT_root:
        return COST_divide;
    case SORT_function:
        return row->flags & OP_COSTLY || row->weight > 1 ? COST_function
                                                         : COST_other;
    case SORT_contract:
    case SORT_reduce:
    case SORT_other:
    case NSORTS:
        break;
    }
    return COST_other;
}

/* The sizes of all labels, multiplied. */
static const Dim *product_steps(Graph *g, const Node *n)
{
    const Dim *steps = elements(g, n);
    const Node *a = n->arg[0];
    for (int i = 0; i < a->rank; i++)
        if (n->attr.ints[i] >= n->rank)
            steps = dim_mul(g, steps, a->dim[i]);
    return steps;
}

static void count_node(Graph *g, const Node *n, Cost *c)
{
    const Op *row = op_table[n->op];
    switch (row->cls) {
    case OPC_ewise:
        if (dtype_is_real(n->dtype) || n->dtype == DT_bool)
            add(g, c, kind_of(row), elements(g, n));
        break;
    case OPC_contract:
        add(g, c, COST_product, product_steps(g, n));
        break;
    case OPC_reduce:
        add(g, c, kind_of(row->join ? op_table[row->join()] : row),
            elements(g, n->arg[0]));
        break;
    case OPC_index: /* one that adds up has an extent of its own */
        if (n->attr.ndim)
            add(g, c, COST_add, elements(g, n->arg[0]));
        break;
    case OPC_routine:
        add(g, c, COST_product, row->steps(g, n));
        break;
    case OPC_leaf:
    case OPC_select:
    case OPC_view:
    case OPC_sort:
    case OPC_region:
        break;
    }
}

static Cost none(Graph *g)
{
    Cost c;
    for (int k = 0; k < NCOSTS; k++)
        c.of[k] = dim_const(g, 0);
    return c;
}

static void count_nodes(Graph *g, int n, Node *const *node, Cost *c);

/* A region's steps. Recursion follows the nesting. */
static void count_region(Graph *g, const Region *r, Cost *c)
{
    Cost once = none(g);
    count_nodes(g, r->nbody, r->body, &once);
    for (int k = 0; k < NCOSTS; k++)
        add(g, c, (CostKind)k,
            r->trips ? dim_mul(g, r->trips, once.of[k]) : once.of[k]);
}

static void count_nodes(Graph *g, int n, Node *const *node, Cost *c)
{
    for (int i = 0; i < n; i++)
        if (node[i]->attr.region)
            count_region(g, node[i]->attr.region, c);
        else
            count_node(g, node[i], c);
}

Cost cost_count(Graph *g, int nroot, Node *const *root)
{
    Arena *scratch = arena_new();
    Nodes below = nodes_below(g, scratch, nroot, root);
    Cost c = none(g);
    count_nodes(g, below.n, below.at, &c);
    arena_free(scratch);
    return c;
}

double cost_total(const Cost *c, int nvar, const Dim *const *var,
                  const int64_t *val)
{
    int64_t one;
    double all = 0;
    for (int k = 0; k < NCOSTS; k++) {
        bool possible = dim_eval(c->of[k], nvar, var, val, &one) && one >= 0;
        if (k == COST_other)
            continue;
        all += possible ? (double)one * (k == COST_product ? 2 : 1) : NAN;
    }
    return all;
}
