/* batch.c: a graph for many values of some parameters at once.
 *
 * Nodes that depend on none of them stay as they are. The others are made anew
 * with a leading axis: an elementwise operator on arguments that all have it,
 * any other as its row's `batch` says, loops and calls in batch_region.c. */
#include "graph/bound.h"
#include "graph/op.h"
#include "graph/ops/ops.h"
#include "region/batch_internal.h"

BatchNote *batch_note(const Batch *p, const Node *n)
{
    int i = reach_number(&p->nodes, n);
    return i >= 0 ? &p->note[i] : NULL;
}

bool batch_leads(const Batch *p, const Node *n)
{
    const BatchNote *note = batch_note(p, n);
    return note && note->lead;
}

Node *batch_value(const Batch *p, Node *n)
{
    const BatchNote *note = batch_note(p, n);
    return note ? note->value : n;
}

Node *batch_axis(const Batch *p, Node *x, bool lead)
{
    return lead ? x : g_repeat(p->g, p->b, x);
}

/* What leads. */

/* What stands in the place of a masked index is never used, so it leads only
 * where the index itself does: else the check is one for all elements. */
static void find_lead(Batch *p, const Node *n, BatchNote *note)
{
    const BatchNote *of = n->op == OP_part ? batch_note(p, n->arg[0]) : NULL;
    if (of) {
        note->lead = of->lead && of->parts.lead[n->attr.integer];
        return;
    }
    for (int i = index_is_masked(n); i < n->narg; i++)
        note->lead = note->lead || batch_leads(p, n->arg[i]);
    if (!note->lead || (n->op != OP_loop && n->op != OP_call))
        return;
    note->parts.lead = NEWN(p->scratch, bool, region_nparts(node_region(n)));
    region_leads(p, n, note->parts.lead);
}

static void take_notes(Batch *p, int lo, int nroot, Node *const *root)
{
    p->nodes = reach_enter(p->g, p->scratch, lo, REACH_AROUND, nroot, root);
    p->note = NEWN(p->scratch, BatchNote, p->nodes.n + 1);
    for (int i = 0; i < p->nparam; i++) {
        BatchNote *note = batch_note(p, p->param[i]);
        if (note)
            note->lead = p->leads[i];
    }
    for (int i = 0; i < p->nodes.n; i++)
        find_lead(p, p->nodes.node[i], &p->note[i]);
}

void batch_begin(Batch *p, int nroot, Node *const *root)
{
    int lo = graph_count(p->g);
    for (int i = 0; i < p->nparam; i++)
        lo = p->param[i]->id < lo ? p->param[i]->id : lo;
    p->first = lo;
    take_notes(p, lo, nroot, root);
}

void batch_end(Batch *p) { reach_leave(&p->nodes); }

/* Making nodes. */

static Node *make_ewise(Batch *p, const Node *n, Node *const *x,
                        const bool *lead)
{
    Node **arg = NEWN(p->scratch, Node *, n->narg);
    for (int i = 0; i < n->narg; i++)
        arg[i] = batch_axis(p, x[i], lead[i]);
    return graph_make(p->g, n->op, n->dtype, n->narg, arg, &n->attr);
}

/* An index that is asked for only where mask holds. What stands elsewhere is 0
 * or, where even 0 may be too large, a number that no index has. */
static Node *masked_index(Batch *p, Node *i, Node *mask, bool zero_fits)
{
    double never = zero_fits ? 0 : never_asked(i->dtype);
    Attr attr = {.integer = MASKED_INDEX};
    Node *arg[3] = {mask, i, g_fill(p->g, i, never)};
    return graph_make(p->g, OP_where, i->dtype, 3, arg, &attr);
}

/* One mask for all where the index is, then in the index's shape. */
static Node *mask_for(Batch *p, const Node *i, bool lead, Node *mask)
{
    int axis[MAX_RANK], all = 0;
    if (mask->rank && !lead)
        mask = g_reduce(p->g, OP_any, mask, 1, &all);
    for (int k = 0; k < i->rank; k++)
        axis[k] = k || !mask->rank ? -1 : 0;
    return g_broadcast(p->g, mask, i->rank, i->dim, axis);
}

static Node *masked_check(Batch *p, const Node *n, Node *i, bool lead,
                          Node *mask)
{
    const Dim *bound = n->attr.dims[0];
    bool zero_fits =
        i->dtype == DT_u8 || bound_all_inside(p->g, g_fill(p->g, i, 0), bound);
    Attr attr = n->attr;
    if (!zero_fits && !attr.integer) { /* no index has it from now on */
        i = g2(p->g, OP_max, i, g_fill(p->g, i, least_asked(i->dtype)));
        attr.integer = MASKED_INDEX;
    }
    i = masked_index(p, i, mask_for(p, i, lead, mask), zero_fits);
    return graph_make(p->g, OP_index_check, n->dtype, 1, &i, &attr);
}

/* The mask of an index that is the same for all: where any of them asks. */
static void join_mask(Batch *p, const Node *n, Node **x, bool *lead)
{
    int axis = 0;
    if (!index_is_masked(n) || !lead[0] || lead[1])
        return;
    x[0] = g_reduce(p->g, OP_any, x[0], 1, &axis);
    lead[0] = false;
}

/* A check that is the same for all is none where there is nothing. */
static Node *check_once(Batch *p, const Node *n, Node *i)
{
    if (n->attr.integer == NUMBER_CHECK ||
        !node_fails_without(p->g, graph_node(p->g, n->id), p->b))
        return graph_remake(p->g, n, &i);
    return check_asked_by(p->g, n, i, p->b);
}

static Node *make_node(Batch *p, const Node *n, Node *mask)
{
    Node **x = NEWN(p->scratch, Node *, n->narg);
    bool *lead = NEWN(p->scratch, bool, n->narg), any = false;
    for (int i = 0; i < n->narg; i++) {
        x[i] = batch_value(p, n->arg[i]);
        lead[i] = batch_leads(p, n->arg[i]);
    }
    join_mask(p, n, x, lead);
    for (int i = 0; i < n->narg; i++)
        any = any || lead[i];
    batch_note(p, n)->lead = any;
    if (n->op == OP_index_check && mask)
        return masked_check(p, n, x[0], lead[0], mask);
    if (!any && n->op == OP_index_check)
        return check_once(p, n, x[0]);
    if (!any)
        return n->narg ? graph_remake(p->g, n, x) : graph_node(p->g, n->id);
    const Op *row = op_table[n->op];
    if (row->batch)
        return row->batch(p->g, n, p->b, x, lead);
    if (row->cls != OPC_ewise)
        die("%s has no batch rule", row->name);
    return make_ewise(p, n, x, lead);
}

static bool same_args(const Batch *p, const Node *n)
{
    for (int i = 0; i < n->narg; i++)
        if (batch_value(p, n->arg[i]) != n->arg[i] || batch_leads(p, n->arg[i]))
            return false;
    return true;
}

/* What is the same for all stays as it is, so that it can be computed before a
 * loop around the batch; whether it is at all, the results say. */
static void guard_parts(Batch *p, Node *n, Node *mask, Parts *to)
{
    int all = 0;
    if (mask->rank)
        mask = g_reduce(p->g, OP_any, mask, 1, &all);
    for (int i = 0; i < region_nparts(node_region(n)); i++) {
        Node *part = g_part(p->g, n, i);
        to->lead[i] = false;
        to->part[i] = g_if(p->g, mask, part, g_fill(p->g, part, 0));
    }
}

/* Is there an element; NULL: surely. */
static Node *some(const Batch *p)
{
    Graph *g = p->g;
    Node *right = g_dim(g, DT_i64, p->b);
    Node *any = g2(g, OP_lt, g_const_int(g, DT_i64, 0), right);
    return node_is_const(any, 1) ? NULL : any;
}

static void make_region(Batch *p, const Node *n, Node *mask)
{
    BatchNote *note = batch_note(p, n);
    int count = region_nparts(node_region(n));
    note->value = graph_node(p->g, n->id);
    if (!node_region(n)->fails)
        mask = NULL;
    else if (!mask && same_args(p, n) &&
             node_fails_without(p->g, note->value, p->b))
        mask = some(p);
    if (!mask && same_args(p, n))
        return;
    note->parts.lead = NEWN(p->scratch, bool, count);
    note->parts.part = NEWN(p->scratch, Node *, count);
    if (same_args(p, n))
        guard_parts(p, note->value, mask, &note->parts);
    else
        region_batch(p, n, mask, &note->parts);
}

static void make_part(Batch *p, const Node *n)
{
    BatchNote *note = batch_note(p, n);
    const BatchNote *of = batch_note(p, n->arg[0]);
    bool anew = of && of->parts.part;
    note->lead = anew && of->parts.lead[n->attr.integer];
    note->value =
        anew ? of->parts.part[n->attr.integer] : graph_node(p->g, n->id);
}

static Node *param_value(const Batch *p, const Node *n)
{
    for (int i = 0; i < p->nparam; i++)
        if (p->param[i] == n)
            return p->value[i];
    return NULL;
}

static void make_one(Batch *p, const Node *n)
{
    BatchNote *note = batch_note(p, n);
    Provenance outer = graph_provenance(p->g, node_provenance(n));
    bool before = graph_deriving(p->g, n->derived);
    Node *mask = NULL;
    if (n->op == OP_index_check || node_has_region(n))
        mask = masks_value(p, note->mask);
    if (n->op == OP_param)
        note->value = param_value(p, n);
    if (n->op == OP_part)
        make_part(p, n);
    else if (node_has_region(n))
        make_region(p, n, mask);
    else if (!note->value)
        note->value = make_node(p, n, mask);
    graph_follow_let(p->g, n, note->value);
    graph_provenance(p->g, outer);
    graph_deriving(p->g, before);
}

/* The next of what n needs that is not made yet, or NULL. A condition that
 * needs n itself is left out, and so n is computed for all elements. */
static const Node *still_needs(Batch *p, const Node *n)
{
    BatchNote *note = batch_note(p, n);
    Node *const *cond;
    for (int i = 0; i < n->narg; i++)
        if (!batch_value(p, n->arg[i]))
            return n->arg[i];
    if (n->op != OP_index_check && !node_has_region(n))
        return NULL;
    int count = masks_conditions(p->masks, note->mask, &cond);
    for (int i = 0; i < count; i++) {
        if (batch_value(p, cond[i]))
            continue;
        if (!batch_note(p, cond[i])->open)
            return cond[i];
        note->mask = 0;
        return NULL;
    }
    return NULL;
}

/* n and all that it needs. */
static void make_from(Batch *p, const Node *n)
{
    LIST(const Node *) stack = {0};
    list_push(p->scratch, &stack, n);
    while (stack.n) {
        const Node *top = stack.at[stack.n - 1], *next;
        BatchNote *note = batch_note(p, top);
        note->open = true;
        next = note->value ? NULL : still_needs(p, top);
        if (next) {
            list_push(p->scratch, &stack, next);
            continue;
        }
        if (!note->value)
            make_one(p, top);
        note->open = false;
        stack.n--;
    }
}

static bool may_be_masked(Batch *p, const Node *n)
{
    return node_can_fail(p->g, n) && masks_reach(p, n) && graph_mark(p->g, n);
}

/* The first of the nodes that masks concern: those that can fail, and what
 * leads. */
static int first_masked(Batch *p, int nroot, Node *const *root)
{
    LIST(const Node *) stack = {0};
    int lo = p->first;
    graph_unmark(p->g);
    for (int i = 0; i < nroot; i++)
        if (may_be_masked(p, root[i]))
            list_push(p->scratch, &stack, root[i]);
    while (stack.n) {
        const Node *n = stack.at[--stack.n];
        lo = n->id < lo ? n->id : lo;
        for (int i = 0; i < n->narg; i++)
            if (may_be_masked(p, n->arg[i]))
                list_push(p->scratch, &stack, n->arg[i]);
    }
    return lo;
}

void batch_make(Batch *p, Node *outer, int nroot, Node **root, bool *lead)
{
    if (outer || masks_needed(p)) {
        int lo = first_masked(p, nroot, root);
        batch_end(p);
        take_notes(p, lo, nroot, root);
        p->masks = masks_find(p, outer, nroot, root);
    }
    for (int i = 0; i < nroot; i++) {
        if (!batch_value(p, root[i]))
            make_from(p, root[i]);
        lead[i] = batch_leads(p, root[i]);
        root[i] = batch_value(p, root[i]);
    }
}

void graph_batch(Graph *g, const Dim *n, int nparam, Node *const *param,
                 Node *const *value, int nroot, Node **root)
{
    Arena *scratch = arena_new();
    bool *lead = NEWN(scratch, bool, nparam + nroot);
    Batch p = {.g = g, .scratch = scratch, .b = n, .nparam = nparam};
    p.param = param;
    p.value = value;
    p.leads = lead;
    for (int i = 0; i < nparam; i++)
        lead[i] = true;
    batch_begin(&p, nroot, root);
    batch_make(&p, NULL, nroot, root, lead + nparam);
    batch_end(&p);
    for (int i = 0; i < nroot; i++)
        root[i] = batch_axis(&p, root[i], lead[nparam + i]);
    arena_free(scratch);
}

bool graph_can_batch(Graph *g, int n, const Node *first, int nroot,
                     Node *const *root)
{
    Arena *scratch = arena_new();
    Reach r = reach_enter(g, scratch, first->id, REACH_AROUND, nroot, root);
    int rank = nodes_rank(nroot, root), inside;

    for (int i = 0; i < r.n; i++) {
        const Region *own =
            node_has_region(r.node[i]) ? node_region(r.node[i]) : NULL;

        inside = own ? nodes_rank(own->nbody, own->body) : 0;
        inside = r.node[i]->rank > inside ? r.node[i]->rank : inside;
        rank = inside > rank ? inside : rank;
    }
    reach_leave(&r);
    arena_free(scratch);
    return rank + n <= MAX_RANK;
}

bool graph_batch_indices(Graph *g, int n, Node *const *param,
                         const Dim *const *extent, int nroot, Node **root)
{
    if (n > 0 && !graph_can_batch(g, n, param[0], nroot, root))
        return false;
    for (int k = n - 1; k >= 0; k--) {
        Node *all = g_iota(g, DT_i32, extent[k]);

        graph_batch(g, extent[k], 1, &param[k], &all, nroot, root);
    }
    return true;
}
