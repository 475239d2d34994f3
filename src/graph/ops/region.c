/* region.c: loops, calls and their results. */
#include "graph/region.h"
#include "graph/ops/ops.h"

/* Is a's element along the first axis, of n, of b's type. */
static bool is_row(const Node *a, const Dim *n, const Node *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank + 1 || a->dim[0] != n)
        return false;
    for (int i = 0; i < b->rank; i++)
        if (a->dim[i + 1] != b->dim[i])
            return false;
    return true;
}

static bool is_scalar(const Node *n, DType t)
{
    return n->rank == 0 && n->dtype == t;
}

/* A region has no value: its parts have. */
static bool no_value(Node *n)
{
    n->dtype = DT_bool;
    n->rank = 0;
    return true;
}

/* loop */

static bool loop_results_fit(const Region *r)
{
    for (int i = 0; i < r->ncarry; i++)
        if (!same_type(r->next[i], r->carry[i]))
            return false;
    for (int i = 0; i < r->noutput; i++)
        if (r->output[i]->rank >= MAX_RANK)
            return false;
    return !r->until || (is_scalar(r->until, DT_bool) && !r->reverse);
}

static bool loop_infer(Graph *g, Node *n)
{
    (void)g;
    const Region *r = n->attr.region;
    if (!r || !r->trips || n->narg != region_narg(r) || !r->index ||
        r->index->rank || !dtype_is_int(r->index->dtype) ||
        !loop_results_fit(r))
        return false;
    for (int i = 0; i < n->narg; i++) {
        const Node *p = region_param(r, i), *a = n->arg[i];
        bool input = i >= r->ncarry && i < r->ncarry + r->ninput;
        if (!p ? !is_scalar(a, DT_i64)
               : !(input ? is_row(a, r->trips, p) : same_type(a, p)))
            return false;
    }
    return no_value(n);
}

const Op op_loop = {
    .name = "loop",
    .cls = OPC_region,
    .arity = -1,
    .doc = "steps that follow each other",
    .infer = loop_infer,
};

/* call */

static bool call_infer(Graph *g, Node *n)
{
    (void)g;
    const Region *r = n->attr.region;
    if (!r || r->trips || r->index || r->ncarry || r->ninput || r->until ||
        r->counted || n->narg != r->ncapture)
        return false;
    for (int i = 0; i < n->narg; i++)
        if (!same_type(n->arg[i], r->capture[i]))
            return false;
    return no_value(n);
}

const Op op_call = {
    .name = "call",
    .cls = OPC_region,
    .arity = -1,
    .doc = "a function kept whole",
    .infer = call_infer,
};

/* part */

static bool part_infer(Graph *g, Node *n)
{
    const Node *of = n->arg[0];
    const Region *r = of->attr.region;
    int k = (int)n->attr.integer;
    if (!r || k < 0 || k >= region_nparts(r))
        return false;
    if (r->trips && k == r->ncarry + r->noutput) {
        n->dtype = DT_i64;
        return true;
    }
    const Node *like = k < r->ncarry ? r->carry[k] : r->output[k - r->ncarry];
    n->dtype = like->dtype;
    n->rank = like->rank;
    n->dim = like->dim;
    if (!r->trips || k < r->ncarry)
        return true;
    n->rank++;
    n->dim = dims_along(g, r->trips, like->rank, like->dim);
    return n->rank <= MAX_RANK;
}

/* A result of each step as a value around the loop, where it is the same in
 * all steps and is there already; else NULL. */
static Node *invariant(Graph *g, const Node *of, Node *n)
{
    const Region *r = of->attr.region;
    if (is_constant_leaf(node_repeated(n)))
        return n;
    for (int i = 0; n->op == OP_param && i < r->ncapture; i++)
        if (r->capture[i] == n)
            return of->arg[r->ncarry + r->ninput + i];
    for (int i = 0; n->op == OP_param && i < r->ncarry; i++)
        if (r->carry[i] == n && r->next[i] == n)
            return of->arg[i];
    (void)g;
    return NULL;
}

/* v in each element along a new first axis. */
static Node *repeat(Graph *g, const Node *like, Node *v)
{
    return g_broadcast_to(g, v, like->rank, like->dim);
}

static Node *carry_identity(Graph *g, const Node *of, int k)
{
    const Region *r = of->attr.region;
    int64_t trips;
    if (r->next[k] == r->carry[k] || dim_is(r->trips, 0))
        return of->arg[k];
    if (r->until || r->counted || !dim_const_value(r->trips, &trips) ||
        trips < 1)
        return NULL;
    return invariant(g, of, r->next[k]);
}

static Node *output_identity(Graph *g, const Node *n, const Node *of, int k)
{
    const Region *r = of->attr.region;
    Node *out = r->output[k];
    if (dim_is(r->trips, 0))
        return g_fill(g, n, 0);
    if (r->until || r->counted)
        return NULL;
    for (int i = 0; i < r->ninput; i++)
        if (r->input[i] == out)
            return of->arg[r->ncarry + i];
    if (r->index == out)
        return g_iota(g, out->dtype, r->trips);
    Node *v = invariant(g, of, out);
    return v ? repeat(g, n, v) : NULL;
}

static Node *steps_identity(Graph *g, const Node *of)
{
    const Region *r = of->attr.region;
    if (r->until)
        return NULL;
    Node *trips = g_dim(g, DT_i64, r->trips);
    if (!r->counted)
        return trips;
    Node *count = of->arg[of->narg - 1];
    count = g2(g, OP_max, count, g_const_int(g, DT_i64, 0));
    return g2(g, OP_min, count, trips);
}

/* What a result is without making any step. A call with a derivative of its
 * own is not what it computes, and what is apart stays so. */
static Node *part_identity(Graph *g, const Node *n)
{
    const Node *of = n->arg[0];
    const Region *r = of->attr.region;
    int k = (int)n->attr.integer;
    if (r->vjp || r->apart)
        return NULL;
    if (!r->trips)
        return invariant(g, of, r->output[k]);
    if (k < r->ncarry)
        return carry_identity(g, of, k);
    k -= r->ncarry;
    return k < r->noutput ? output_identity(g, n, of, k)
                          : steps_identity(g, of);
}

const Op op_part = {
    .name = "part",
    .cls = OPC_region,
    .arity = 1,
    .doc = "one result of a loop or call",
    .infer = part_infer,
    .identity = part_identity,
};
