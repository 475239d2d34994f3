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

/* What is asked for where a condition holds alone, or where it does not, is
 * computed then: of the two, all ifs of that condition together, it is what
 * takes more that counts. */

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

/* What is computed in one case of a condition, inside of another branch that
 * has a smaller number; that of a branch where it does not hold is one more
 * than that where it does. Branch 0 is around all. */
typedef struct Branch {
    const Node *condition;
    int inside, depth;
    Cost cost;
} Branch;

typedef struct Count {
    Graph *g;
    Arena *scratch;
    Node *const *node;
    int n;
    int *asked; /* by number in the list: the branch, NOWHERE yet */
    LIST(Branch) branch;
} Count;

enum { NOWHERE = -1 };

static void add_branch(Count *k, const Node *condition, int inside)
{
    Branch b = {condition, inside, 0, none(k->g)};
    if (condition)
        b.depth = k->branch.at[inside].depth + 1;
    list_push(k->scratch, &k->branch, b);
}

/* The branch of an `if` that is itself in `inside`, 0: where it holds. */
static int branch_of(Count *k, const Node *condition, int side, int inside)
{
    int i = 1, n = k->branch.n;
    for (int b = inside; b > 0; b = k->branch.at[b].inside)
        if (k->branch.at[b].condition == condition)
            return inside;
    while (i < n && (k->branch.at[i].condition != condition ||
                     k->branch.at[i].inside != inside))
        i++;
    for (int j = 0; i == n && j < 2; j++)
        add_branch(k, condition, inside);
    return i + side;
}

static int around_both(const Count *k, int a, int b)
{
    const Branch *in = k->branch.at;
    while (a != b) {
        int *deeper = in[a].depth >= in[b].depth ? &a : &b;
        *deeper = in[*deeper].inside;
    }
    return a;
}

static void ask(Count *k, const Node *n, int by)
{
    int i = node_place(k->node, k->n, n);
    if (i >= 0)
        k->asked[i] =
            k->asked[i] == NOWHERE ? by : around_both(k, by, k->asked[i]);
}

static void find_branches(Count *k, int nroot, Node *const *root)
{
    k->asked = NEWN(k->scratch, int, k->n + 1);
    for (int i = 0; i < k->n; i++)
        k->asked[i] = NOWHERE;
    add_branch(k, NULL, 0);
    for (int i = 0; i < nroot; i++)
        ask(k, root[i], 0);
    for (int i = k->n - 1; i >= 0; i--) {
        const Node *n = k->node[i];
        bool chooses = op_table[n->op]->cls == OPC_select;
        for (int j = 0; j < n->narg; j++)
            ask(k, n->arg[j],
                chooses && j > 0 ? branch_of(k, n->arg[0], j - 1, k->asked[i])
                                 : k->asked[i]);
    }
}

/* Of each two branches the one that takes more, the innermost first. */
static const Cost *dearest(Count *k)
{
    Branch *b = k->branch.at;
    for (int i = k->branch.n - 2; i > 0; i -= 2) {
        double more[2] = {typical(k->scratch, &b[i].cost),
                          typical(k->scratch, &b[i + 1].cost)};
        add_all(k->g, &b[b[i].inside].cost, &b[i + (more[1] > more[0])].cost,
                dim_const(k->g, 1));
    }
    return &b[0].cost;
}

static Cost count_nodes(Graph *g, int n, Node *const *node, int nroot,
                        Node *const *root);

/* A region's steps. Recursion follows the nesting. */
static void count_region(const Count *k, const Region *r, Cost *c)
{
    int n = region_nresult(r);
    Node **result = NEWN(k->scratch, Node *, n + 1);

    region_results(r, result);
    Cost once = count_nodes(k->g, r->nbody, r->body, n, result);
    add_all(k->g, c, &once, r->trips ? r->trips : dim_const(k->g, 1));
}

static Cost count_nodes(Graph *g, int n, Node *const *node, int nroot,
                        Node *const *root)
{
    Count k = {.g = g, .scratch = arena_new(), .node = node, .n = n};

    find_branches(&k, nroot, root);
    for (int i = 0; i < n; i++) {
        int in = k.asked[i] == NOWHERE ? 0 : k.asked[i];
        Cost *to = &k.branch.at[in].cost;
        if (node[i]->attr.region)
            count_region(&k, node[i]->attr.region, to);
        else
            count_node(g, node[i], to);
    }
    Cost c = *dearest(&k);
    arena_free(k.scratch);
    return c;
}

Cost cost_count(Graph *g, int nroot, Node *const *root)
{
    Arena *scratch = arena_new();

    Nodes below = nodes_below(g, scratch, nroot, root);
    Cost c = count_nodes(g, below.n, below.at, nroot, root);
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
