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

/* A power is a logarithm, a product and an exponential. */
static void count_elements(Graph *g, const Node *n, Cost *c)
{
    const Op *row = op_table[n->op];
    const Dim *count = elements(g, n);

    add(g, c, kind_of(row), count);
    if (row->shown.kind != FORM_power)
        return;
    add(g, c, COST_multiply, count);
    add(g, c, COST_function, count);
}

static void count_node(Graph *g, const Node *n, Cost *c)
{
    const Op *row = op_table[n->op];
    switch (row->cls) {
    case OPC_ewise:
        if (dtype_is_real(n->dtype) || n->dtype == DT_bool)
            count_elements(g, n, c);
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

static void add_all(Graph *g, Cost *to, const Cost *c, const Dim *times)
{
    for (int k = 0; k < NCOSTS; k++)
        add(g, to, (CostKind)k, dim_mul(g, times, c->of[k]));
}

/* What an `if` asks for alone is computed in one of its branches: of these, it
 * is the one that takes more that counts. */

enum { TYPICAL = 64 }; /* dimensions, to tell which that is */

static double typical(Arena *a, const Cost *c)
{
    DimVars var = {0};
    for (int k = 0; k < NCOSTS; k++)
        dim_vars(a, c->of[k], &var);
    int64_t *val = NEWN(a, int64_t, var.n + 1);
    for (int i = 0; i < var.n; i++)
        val[i] = TYPICAL;
    return cost_total(c, var.n, var.at, val);
}

/* Branch 1 or 2 of the `if` that is number `of` in a list; any other number:
 * what is asked for whichever branches are taken, or by nothing yet. */
typedef struct Branch {
    int of, side;
} Branch;

typedef struct Count {
    Graph *g;
    Arena *scratch;
    Node *const *node;
    int n;
    Branch *asked; /* by number in the list: where alone it is asked for */
    Cost **taken;  /* by an `if`: its branches */
} Count;

static bool chooses(const Node *n)
{
    return op_table[n->op]->cls == OPC_select;
}

/* The innermost branch around both. What is around a branch is asked[of], and
 * of a greater number. */
static Branch around_both(const Count *k, Branch a, Branch b)
{
    while (a.of != b.of || a.side != b.side) {
        bool a_inside = a.of <= b.of, b_inside = b.of <= a.of;
        a = a_inside ? k->asked[a.of] : a;
        b = b_inside ? k->asked[b.of] : b;
    }
    return a;
}

static void ask(Count *k, const Node *n, Branch by)
{
    int i = node_place(k->node, k->n, n);
    if (i >= 0)
        k->asked[i] = k->asked[i].of < 0 ? by : around_both(k, by, k->asked[i]);
}

static void find_branches(Count *k, int nroot, Node *const *root)
{
    k->asked = NEWN(k->scratch, Branch, k->n + 1);
    k->taken = NEWN(k->scratch, Cost *, k->n + 1);
    for (int i = 0; i < k->n; i++)
        k->asked[i].of = -1;
    for (int i = 0; i < nroot; i++)
        ask(k, root[i], (Branch){k->n, 0});
    for (int i = k->n - 1; i >= 0; i--) {
        const Node *n = k->node[i];
        for (int j = 0; j < n->narg; j++)
            ask(k, n->arg[j],
                chooses(n) && j > 0 ? (Branch){i, j} : k->asked[i]);
        if (!chooses(n))
            continue;
        k->taken[i] = NEWN(k->scratch, Cost, 2);
        for (int j = 0; j < 2; j++)
            k->taken[i][j] = none(k->g);
    }
}

static void count_nodes(Graph *g, int n, Node *const *node, int nroot,
                        Node *const *root, Cost *c);

/* A region's steps. Recursion follows the nesting. */
static void count_region(const Count *k, const Region *r, Cost *c)
{
    Graph *g = k->g;
    Cost once = none(g);
    int n = region_nresult(r);
    Node **result = NEWN(k->scratch, Node *, n + 1);

    region_results(r, result);
    count_nodes(g, r->nbody, r->body, n, result, &once);
    add_all(g, c, &once, r->trips ? r->trips : dim_const(g, 1));
}

static void count_nodes(Graph *g, int n, Node *const *node, int nroot,
                        Node *const *root, Cost *c)
{
    Count k = {.g = g, .scratch = arena_new(), .node = node, .n = n};

    find_branches(&k, nroot, root);
    for (int i = 0; i < n; i++) {
        Branch b = k.asked[i];
        Cost *to = b.side ? &k.taken[b.of][b.side - 1] : c, *of = k.taken[i];
        if (of)
            add_all(
                g, to,
                &of[typical(k.scratch, &of[1]) > typical(k.scratch, &of[0])],
                dim_const(g, 1));
        else if (node[i]->attr.region)
            count_region(&k, node[i]->attr.region, to);
        else
            count_node(g, node[i], to);
    }
    arena_free(k.scratch);
}

Cost cost_count(Graph *g, int nroot, Node *const *root)
{
    Arena *scratch = arena_new();
    Cost c = none(g);

    Nodes below = nodes_below(g, scratch, nroot, root);
    count_nodes(g, below.n, below.at, nroot, root, &c);
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
