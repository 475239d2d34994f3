/* region.c: loops and calls, as values of the graph. */
#include "graph/internal.h"
#include "graph/ops/ops.h"

#include <assert.h>

bool node_has_region(const Node *n)
{
    return n->op == OP_loop || n->op == OP_call;
}

const Region *node_region(const Node *n)
{
    assert(node_has_region(n));
    return n->attr.region;
}

bool is_constant_leaf(const Node *n)
{
    return op_table[n->op]->cls == OPC_leaf && n->op != OP_param;
}

int region_narg(const Region *r)
{
    return r->ncarry + r->ninput + r->ncapture + r->counted;
}

int region_nparts(const Region *r)
{
    return r->trips ? r->ncarry + r->noutput + 1 : r->noutput;
}

Node *region_param(const Region *r, int i)
{
    if (i < r->ncarry)
        return r->carry[i];
    i -= r->ncarry;
    if (i < r->ninput)
        return r->input[i];
    i -= r->ninput;
    return i < r->ncapture ? r->capture[i] : NULL;
}

int region_nparam(const Region *r)
{
    return (r->index != NULL) + r->ncarry + r->ninput + r->ncapture;
}

Node *region_param_at(const Region *r, int i)
{
    if (r->index && i == 0)
        return r->index;
    return region_param(r, i - (r->index != NULL));
}

int region_nresult(const Region *r)
{
    return r->ncarry + r->noutput + (r->until != NULL);
}

void region_results(const Region *r, Node **to)
{
    for (int i = 0; i < r->ncarry; i++)
        *to++ = r->next[i];
    for (int i = 0; i < r->noutput; i++)
        *to++ = r->output[i];
    if (r->until)
        *to = r->until;
}

static Node *const *keep_list(Graph *g, Node *const *list, int n)
{
    return n ? arena_copy(graph_arena(g), list, sizeof *list * (size_t)n)
             : NULL;
}

Region region_with(Graph *g, const Region *r, Node *const *result)
{
    Region to = *r;
    to.next = keep_list(g, result, r->ncarry);
    to.output = keep_list(g, result + r->ncarry, r->noutput);
    if (r->until)
        to.until = result[r->ncarry + r->noutput];
    to.self = NULL;
    return to;
}

/* Fills in r's body. */
static void find_body(Graph *g, Region *r)
{
    Arena *scratch = arena_new();
    int np = region_nparam(r);
    Node **root = NEWN(scratch, Node *, np + region_nresult(r) + 1);
    for (int i = 0; i < np; i++)
        root[i] = region_param_at(r, i);
    region_results(r, root + np);
    Nodes found = nodes_below(g, scratch, np + region_nresult(r), root);
    r->body = keep_list(g, found.at, found.n);
    r->nbody = found.n;
    r->fails = false;
    r->size = 0;
    for (int i = 0; i < found.n; i++) {
        const Region *inner = found.at[i]->attr.region;
        r->fails = r->fails || node_can_fail(g, found.at[i]);
        r->size += inner ? inner->size : 1;
    }
    arena_free(scratch);
}

const Region *region_keep(Graph *g, const Region *r)
{
    if (r->self == r)
        return r;
    Region *to = arena_copy(graph_arena(g), r, sizeof *r);
    to->carry = keep_list(g, r->carry, r->ncarry);
    to->input = keep_list(g, r->input, r->ninput);
    to->capture = keep_list(g, r->capture, r->ncapture);
    to->next = keep_list(g, r->next, r->ncarry);
    to->output = keep_list(g, r->output, r->noutput);
    if (r->vjp)
        to->vjp = region_keep(g, r->vjp);
    find_body(g, to);
    region_number(g, to);
    return to->self = to;
}

/* What can fail. */

static bool is_multiple(Graph *g, const Dim *a, const Dim *d)
{
    const Dim *q, *rest;
    return a == d || (dim_is_var(d) && dim_linear_in(g, a, d, &q, &rest) &&
                      dim_is(rest, 0));
}

/* Does n, of what can fail, do nothing where d is 0. */
static bool rests_without(Graph *g, const Node *n, const Dim *d)
{
    const Region *r = n->attr.region;
    if (r)
        return !r->fails ||
               (r->trips && is_multiple(g, r->trips, d) && !r->until);
    for (int i = 0; i < n->rank; i++)
        if (is_multiple(g, n->dim[i], d))
            return true;
    return n->op != OP_index_check ||
           (n->attr.ndim > 1 && is_multiple(g, n->attr.dims[1], d));
}

bool node_fails_without(Graph *g, Node *n, const Dim *d)
{
    enum { MAX_WALK = 100 };
    Arena *scratch = arena_new();
    Nodes walk = {0};
    bool fails = false;
    list_push(scratch, &walk, n);
    for (int k = 0; k < walk.n && !fails; k++) {
        n = walk.at[k];
        fails = k == MAX_WALK || !rests_without(g, n, d);
        for (int i = 0; i < n->narg; i++)
            if (node_can_fail(g, n->arg[i]) && nodes_find(&walk, n->arg[i]) < 0)
                list_push(scratch, &walk, n->arg[i]);
    }
    arena_free(scratch);
    return fails;
}

/* Verification. */

static bool is_param_of(const Region *r, const Node *n)
{
    for (int i = 0; i < region_nparam(r); i++)
        if (region_param_at(r, i) == n)
            return true;
    return false;
}

/* Parameters are few beside a body's nodes, and OP_param nodes are too. */
static void verify_closed(const Region *r)
{
    for (int i = 0; i < r->nbody; i++)
        if (r->body[i]->op == OP_param && !is_param_of(r, r->body[i]))
            die("a region reads a parameter that is not its own: %s",
                r->body[i]->attr.name ? r->body[i]->attr.name : "_");
}

void region_verify(Graph *g, const Region *r)
{
    if (r->self != r)
        die("a region that is no node's");
    for (int i = 0; i < region_nparam(r); i++)
        if (region_param_at(r, i)->op != OP_param)
            die("a region's parameter is no parameter");
    verify_closed(r);
    if (r->vjp)
        region_verify(g, r->vjp);
}

/* Making them. */

/* What may be infinite may be so inside, too. Loops take a quotient for finite:
 * steps of time and inverse masses are, and would cost them at every step. */
static void find_wild(const Node *n)
{
    const Region *r = node_region(n);
    bool (*is_finite)(const Node *) =
        r->trips ? node_is_finite_but_quotients : node_is_finite;
    for (int i = 0; i < n->narg; i++)
        if (region_param(r, i)) {
            region_param(r, i)->wild |= !is_finite(n->arg[i]);
            region_param(r, i)->far |= node_is_far(n->arg[i]);
        }
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < r->ncarry; k++) {
            if (!r->carry[k]->wild && !is_finite(r->next[k]))
                more = r->carry[k]->wild = true;
            if (!r->carry[k]->far && node_is_far(r->next[k]))
                more = r->carry[k]->far = true;
        }
    }
}

Node *g_region(Graph *g, const Region *r, int narg, Node *const *arg)
{
    Attr attr = {.region = region_keep(g, r)};
    Node *n =
        graph_make(g, r->trips ? OP_loop : OP_call, DT_bool, narg, arg, &attr);
    find_wild(n);
    return n;
}

Node *g_part(Graph *g, Node *of, int part)
{
    Attr attr = {.integer = part};
    return graph_make(g, OP_part, DT_bool, 1, &of, &attr);
}

int nodes_find(const Nodes *list, const Node *n)
{
    for (int i = 0; i < list->n; i++)
        if (list->at[i] == n)
            return i;
    return -1;
}

int node_place(Node *const *list, int count, const Node *n)
{
    int lo = 0, hi = count;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (list[mid]->id < n->id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && list[lo] == n ? lo : -1;
}

int region_place(const Region *r, const Node *n)
{
    return node_place(r->body, r->nbody, n);
}

/* The body on the values of its parameters, which stand in map already. */
static void inline_body(Graph *g, Arena *scratch, const Region *r, Node **map)
{
    for (int k = 0; k < r->nbody; k++) {
        Node *n = r->body[k];
        if (map[k])
            continue;
        Node **arg = NEWN(scratch, Node *, n->narg + 1);
        for (int i = 0; i < n->narg; i++)
            arg[i] = map[region_place(r, n->arg[i])];
        map[k] = graph_remake(g, n, arg);
    }
}

void region_inline(Graph *g, const Region *r, Node *const *arg, Node **to)
{
    assert(r->self == r);
    Arena *scratch = arena_new();
    Node **map = NEWN(scratch, Node *, r->nbody + 1);
    for (int i = 0; i < region_nparam(r); i++)
        map[region_place(r, region_param_at(r, i))] = arg[i];
    inline_body(g, scratch, r, map);
    region_results(r, to);
    for (int i = 0; i < region_nresult(r); i++)
        to[i] = map[region_place(r, to[i])];
    arena_free(scratch);
}
