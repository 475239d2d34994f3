/* systems.c: small systems: what is made of short axes, their elements being
 * values of their own.
 *
 * A fold of few steps over a matrix of 7 x 7, a sum over three coordinates:
 * where an axis is short, and what is computed goes from one element to others,
 * loops over it are mostly masks, and each step stores for the next. So loops
 * of few steps are written out, and nodes that hang together and have short
 * axes become their elements: long axes, if there are any, are all that kernels
 * have loops over then. */
#include "simplify/elements.h"

#include <string.h>

#include "graph/view.h"
#include "simplify/internal.h"
#include "simplify/pack.h"

enum {
    MOST_NESTED = 4,          /* loops */
    MOST_DENSE = 100,         /* of a matrix that a step multiplies with */
    MOST_STEPS = 16,          /* of a loop */
    MOST_WORK = 1 << 16,      /* of nodes that hang together: operations */
    MOST_ALONE = 6000,        /* operations of what has no long axes, */
    MOST_DENSE_ALONE = 7 * 7, /* of a product there */
    FEW_TERMS = 4,            /* of a sum that asks for elements by itself, */
    FEW_PLACES = 128,         /* of nodes that hang together with it, */
    FEW_ALONG = 16,           /* and of an axis of theirs */
};

/* Which loops are written out: also those that no long axis is beside. */
typedef enum Written { WRITTEN_all, WRITTEN_beside_long, WRITTEN_none } Written;

typedef struct Systems {
    Graph *g;
    Written written;
    Arena *scratch;
    Reach reach;
    Elements e;
    Node ***part;  /* by number of a loop that is written out: its parts */
    int since;     /* nodes from this on are made of written out loops */
    int *group;    /* by number: another node of its group, or itself */
    int64_t *work; /* by number of a group: operations */
    /* Likewise: has it loops that are written out, sums of few, what lanes
     * along a short axis are as good for. */
    bool *loops, *sums, *costly;
    bool too_much;        /* work of a group with loops that are written out */
    bool *member, *links; /* by number */
    bool any;             /* is anything split */
    Quotient *quotient;   /* by number */
    bool packing;         /* functions of numbers are put side by side */
    Packs packs;
} Systems;

static int number_of(const Systems *s, const Node *n)
{
    return reach_number(&s->reach, n);
}

static Node *now(const Systems *s, const Node *n)
{
    return elements_whole(&s->e, n);
}

static const Region *region_now(Systems *s, const Region *r)
{
    int n = region_nresult(r);
    Node **result = NEWN(s->scratch, Node *, n + 1);
    bool same = true;

    region_results(r, result);
    for (int i = 0; i < n; i++) {
        Node *to = now(s, result[i]);

        same &= to == result[i];
        result[i] = to;
    }
    if (same)
        return r;
    Region *to = NEW(s->scratch, Region);
    *to = region_with(s->g, r, result);
    return to;
}

/* n on what its arguments have become. */
static Node *remade(Systems *s, Node *n)
{
    const Region *r = n->attr.region ? region_now(s, n->attr.region) : NULL;
    bool same = r == n->attr.region;
    Node **arg = NEWN(s->scratch, Node *, n->narg + 1);

    for (int i = 0; i < n->narg; i++) {
        arg[i] = now(s, n->arg[i]);
        same &= arg[i] == n->arg[i];
    }
    if (same)
        return n;
    return r ? g_region(s->g, r, n->narg, arg) : graph_remake(s->g, n, arg);
}

static bool has_long(const Node *n) { return count_long(n, n->rank) > 0; }

/* One pass over what the roots reach. */
static void pass(Systems *s, int nroot, Node **root,
                 void (*prepare)(Systems *s),
                 void (*make)(Systems *s, int i, Node *n))
{
    Provenance before = graph_provenance(s->g, (Provenance){0});

    s->scratch = arena_new();
    s->reach = reach_enter(s->g, s->scratch, 0, REACH_BODIES, nroot, root);
    s->e = elements_new(s->g, s->scratch, &s->reach);
    s->part = NEWN(s->scratch, Node **, s->reach.n + 1);
    s->packs.order = NULL;
    if (prepare)
        prepare(s);
    for (int k = 0; k < s->reach.n; k++) {
        int i = s->packs.order ? s->packs.order[k] : k;

        graph_provenance(s->g, node_provenance(s->reach.node[i]));
        make(s, i, s->reach.node[i]);
    }
    for (int i = 0; i < nroot; i++)
        root[i] = now(s, root[i]);
    reach_leave(&s->reach);
    arena_free(s->scratch);
    graph_provenance(s->g, before);
}

/* Loops of few steps. */

static int64_t most_points(const Node *n)
{
    int64_t most = 1;

    for (int i = 0; i < n->narg; i++) {
        int64_t points = short_points(n->arg[i]);

        most = points > most ? points : most;
    }
    return most;
}

/* What is computed has axes that are short indeed; others are views of those.
 */
static bool is_along_few(const Node *n)
{
    OpClass cls = op_table[n->op]->cls;

    for (int i = 0; i < n->rank; i++)
        if (axis_is_short(n->dim[i]) && axis_size(n->dim[i]) > FEW_ALONG)
            return cls == OPC_view || cls == OPC_index || cls == OPC_leaf;
    return true;
}

/* A product with more than a matrix of 10 x 10 has as many sums as lanes want.
 * What a step's number decides is known there. */
static bool is_small(const Systems *s, const Node *n)
{
    OpClass cls = op_table[n->op]->cls;
    bool one = cls == OPC_index && n->arg[1]->rank == 0;

    return short_points(n) <= MOST_PLACES && is_along_few(n) &&
           !(cls == OPC_contract && most_points(n) > MOST_DENSE) &&
           (cls == OPC_leaf || one || may_be_elements(&s->e, n));
}

/* Does n make an element from others than the one at its place. */
static bool mixes(const Node *n)
{
    OpClass cls = op_table[n->op]->cls;

    return cls == OPC_reduce || cls == OPC_contract || cls == OPC_index ||
           cls == OPC_routine ||
           (cls == OPC_view && n->op != OP_reshape && !node_repeats(n));
}

/* A loop of few steps, each of little work on short axes, beside long ones or
 * alone, and which mixes their elements. Without long axes a matrix whose rows
 * fill a vector has its lanes. */
static bool is_written_out(const Systems *s, const Node *n)
{
    const Region *r = n->op == OP_loop ? node_region(n) : NULL;
    int64_t steps = r ? axis_size(r->trips) : 0, work = 0;
    bool any = false, mixed = false, dense = false, beside = false;

    if (steps < 1 || steps > MOST_STEPS || r->until || r->counted)
        return false;
    for (int i = 0; i < r->nbody; i++) {
        const Node *x = r->body[i];

        if (!is_small(s, x))
            return false;
        any = any || short_points(x) > 1;
        beside = beside || (short_points(x) > 1 && has_long(x));
        mixed = mixed || mixes(x);
        dense = dense || (op_table[x->op]->cls == OPC_contract &&
                          most_points(x) > MOST_DENSE_ALONE);
        work += op_table[x->op]->cls == OPC_leaf ? 0 : short_points(x);
    }
    return any && mixed && work * steps <= MOST_WORK &&
           (beside || (s->written == WRITTEN_all && !dense));
}

/* Element t along x's first axis. */
static Node *row(Graph *g, Node *x, int64_t t)
{
    const Dim *at = dim_const(g, t);

    if (dim_is(x->dim[0], 1))
        return g_reshape(g, x, x->rank - 1, x->dim + 1);
    return g_strided(g, x, 0, at, 0, NULL, NULL);
}

static Node **written_out(Systems *s, const Node *n)
{
    const Region *r = node_region(n);
    int np = region_nparts(r), nr = region_nresult(r), nc = r->ncarry;
    int64_t steps = 0;
    Node **part = NEWN(s->scratch, Node *, np + 1);
    Node **result = NEWN(s->scratch, Node *, nr + 1);
    Node **arg = NEWN(s->scratch, Node *, n->narg + 2), ***rows;

    dim_const_value(r->trips, &steps);
    rows = NEWN(s->scratch, Node **, r->noutput + 1);
    for (int i = 0; i < r->noutput; i++)
        rows[i] = NEWN(s->scratch, Node *, steps);
    for (int i = 0; i < n->narg; i++)
        arg[i + 1] = now(s, n->arg[i]);
    for (int64_t k = 0; k < steps; k++) {
        int64_t t = r->reverse ? steps - 1 - k : k;

        arg[0] = g_const_int(s->g, r->index->dtype, t);
        for (int i = nc; i < nc + r->ninput; i++)
            arg[i + 1] = row(s->g, now(s, n->arg[i]), t);
        region_inline(s->g, r, arg, result);
        for (int i = 0; i < nc; i++)
            arg[i + 1] = result[i];
        for (int i = 0; i < r->noutput; i++)
            rows[i][t] = g_merge_axes(s->g, result[nc + i], 0, 0);
    }
    for (int i = 0; i < nc; i++)
        part[i] = arg[i + 1];
    for (int i = 0; i < r->noutput; i++)
        part[nc + i] = g_concat(s->g, (int)steps, rows[i], 0);
    part[np - 1] = g_const_int(s->g, DT_i64, steps);
    return part;
}

static void make_written_out(Systems *s, int i, Node *n)
{
    Node **part = n->op == OP_part ? s->part[number_of(s, n->arg[0])] : NULL;

    if (is_written_out(s, n))
        s->part[i] = written_out(s, n);
    s->e.whole[i] = part ? part[n->attr.integer] : remade(s, n);
}

/* Groups: nodes that may be elements and hang together. */

static int group_of(const Systems *s, int i)
{
    while (s->group[i] != i)
        i = s->group[i] = s->group[s->group[i]];
    return i;
}

static bool is_costly(const Node *n)
{
    return op_table[n->op]->flags & OP_COSTLY;
}

/* Lanes do a function of many elements that have no long axis: of so many that
 * they can be put side by side again, only of those that are different. */
static bool stays_vector(const Systems *s, const Node *n)
{
    int64_t points = short_points(n);

    return is_costly(n) && !has_long(n) && points >= 4 &&
           (points < PACK || !s->packing);
}

static bool is_member(const Systems *s, const Node *n)
{
    int64_t points = short_points(n);

    return points > 1 && points <= MOST_PLACES && may_be_elements(&s->e, n) &&
           !stays_vector(s, n);
}

/* Terms of each element. */
static int64_t terms(const Node *n)
{
    int64_t all = most_points(n);

    return op_table[n->op]->cls == OPC_reduce ||
                   op_table[n->op]->cls == OPC_contract
               ? all
               : 1;
}

/* A sum of few, whose result has long axes. */
static bool sums_few(const Node *n)
{
    OpClass cls = op_table[n->op]->cls;
    int64_t most = most_points(n);

    if ((cls != OPC_reduce && cls != OPC_contract) || !has_long(n))
        return false;
    return most > short_points(n) && most <= FEW_TERMS * short_points(n);
}

/* Groups hang together by what is one value for each place of long axes, too.
 */
static bool is_link(const Systems *s, const Node *n)
{
    return short_points(n) == 1 && has_long(n) && may_be_elements(&s->e, n);
}

static void join_groups(Systems *s)
{
    for (int i = 0; i < s->reach.n; i++) {
        const Node *x = s->reach.node[i];

        for (int k = 0; s->links[i] && k < x->narg; k++) {
            int arg = number_of(s, x->arg[k]);

            if (s->links[arg])
                s->group[group_of(s, arg)] = group_of(s, i);
        }
    }
}

static bool is_wide(const Node *n)
{
    bool wide = short_points(n) > FEW_PLACES;

    for (int i = 0; i < n->rank; i++)
        wide |= axis_is_short(n->dim[i]) && axis_size(n->dim[i]) > FEW_ALONG;
    return wide;
}

/* n needs members whole that it does not only move. */
static void ask_whole(Systems *s, int i, const Node *n)
{
    bool moves = op_table[n->op]->cls == OPC_view;

    for (int k = 0; k < n->narg && !s->links[i] && !moves; k++) {
        int arg = number_of(s, n->arg[k]);

        s->costly[group_of(s, arg)] |= s->member[arg];
    }
}

static void find_group(Systems *s, int i, const Node *n)
{
    int group = group_of(s, i);

    ask_whole(s, i, n);
    for (int k = 0; k < n->narg && sums_few(n); k++)
        s->sums[group] |= s->member[number_of(s, n->arg[k])];
    if (!s->member[i])
        return;
    s->sums[group] |= n->op == OP_scatter_add && has_long(n);
    s->work[group] += short_points(n) * terms(n);
    s->loops[group] |= n->id >= s->since;
    s->costly[group] |= is_costly(n) || is_wide(n);
}

static void find_groups(Systems *s)
{
    int n = s->reach.n;

    s->packing = may_have_packs(&s->reach);
    s->group = NEWN(s->scratch, int, n + 1);
    s->work = NEWN(s->scratch, int64_t, n + 1);
    s->loops = NEWN(s->scratch, bool, n + 1);
    s->sums = NEWN(s->scratch, bool, n + 1);
    s->costly = NEWN(s->scratch, bool, n + 1);
    s->member = NEWN(s->scratch, bool, n + 1);
    s->links = NEWN(s->scratch, bool, n + 1);
    for (int i = 0; i < n; i++) {
        s->group[i] = i;
        s->member[i] = is_member(s, s->reach.node[i]);
        s->links[i] = s->member[i] || is_link(s, s->reach.node[i]);
    }
    join_groups(s);
    for (int i = 0; i < n; i++)
        find_group(s, i, s->reach.node[i]);
    for (int i = 0; i < n; i++)
        if (s->work[i] > MOST_WORK) {
            s->too_much |= s->loops[i];
            s->loops[i] = s->sums[i] = false;
        }
}

static bool is_split(const Systems *s, int i)
{
    int group = group_of(s, i);

    return s->member[i] &&
           (s->loops[group] || (s->sums[group] && !s->costly[group]));
}

/* One element, of such as are there. */
static bool joins_elements(const Systems *s, const Node *n)
{
    bool any = false;

    for (int k = 0; k < n->narg; k++)
        any = any || s->e.elem[number_of(s, n->arg[k])];
    return any && short_points(n) == 1 && may_be_elements(&s->e, n);
}

static void make_split(Systems *s, int i, Node *n)
{
    bool apart = is_split(s, i) || joins_elements(s, n);

    s->any |= apart;
    if (apart)
        elements_make(&s->e, n);
    else
        s->e.whole[i] = remade(s, n);
}

/* Quotients of elements: M[i, k] / M[k, k] times M[k, j], where loops over all
 * of M had divided the product. */
static void find_quotients(Systems *s)
{
    s->quotient = share_quotients(s->scratch, &s->reach);
}

/* As it is: identities would put what a constant divides together again. */
static Node *shared_quotient(Systems *s, const Quotient *q, const Node *n)
{
    Node *x = now(s, q->divided), *by = now(s, n->arg[1]);

    graph_plain(s->g, true);
    x = g2(s->g, OP_mul, g2(s->g, OP_div, x, by), now(s, q->times));
    graph_plain(s->g, false);
    return x;
}

static void make_quotient(Systems *s, int i, Node *n)
{
    const Quotient *q = &s->quotient[i];

    s->e.whole[i] = q->divided ? shared_quotient(s, q, n) : remade(s, n);
}

static void find_packed(Systems *s)
{
    s->packs = find_packs(s->scratch, &s->reach);
}

static Node *all_of(Systems *s, const Pack *p)
{
    Node **part = NEWN(s->scratch, Node *, p->of.n);

    for (int k = 0; k < p->of.n; k++)
        part[k] = g_merge_axes(s->g, now(s, p->of.at[k]), 0, 0);
    return g_concat(s->g, p->of.n, part, 0);
}

static void make_packed(Systems *s, int i, Node *n)
{
    Pack *p = s->packs.pack[i];

    s->e.whole[i] = remade(s, n);
    if (!p || s->e.whole[i]->op != n->op)
        return;
    Node **vector = &p->vector[n->op != p->op];

    if (!p->all)
        p->all = all_of(s, p);
    if (!*vector)
        *vector = g1(s->g, (OpId)n->op, p->all);
    s->e.whole[i] = row(s->g, *vector, s->packs.place[i]);
}

/* Operations made since `first`, each on one number. */
static int count_alone(Graph *g, int first, int nroot, Node **root)
{
    Arena *scratch = arena_new();
    Nodes all = nodes_below(g, scratch, nroot, root);
    int n = 0;

    for (int i = 0; i < all.n; i++)
        n += all.at[i]->id >= first && all.at[i]->rank == 0 &&
             op_table[all.at[i]->op]->cls == OPC_ewise;
    arena_free(scratch);
    return n;
}

/* With such loops written out; is it little enough code. */
static bool split(Systems *s, int nroot, Node **root)
{
    s->since = graph_count(s->g);
    s->too_much = s->any = false;
    for (int k = 0; k < MOST_NESTED && s->written < WRITTEN_none &&
                    graph_has_regions(s->g);
         k++)
        pass(s, nroot, root, NULL, make_written_out);
    pass(s, nroot, root, find_groups, make_split);
    return s->written == WRITTEN_none ||
           (!s->too_much &&
            (s->written == WRITTEN_beside_long ||
             count_alone(s->g, s->since, nroot, root) <= MOST_ALONE));
}

/* What is too much code with its loops written out keeps them. */
void split_systems(Graph *g, int nroot, Node **root)
{
    Systems s = {.g = g};
    Arena *kept;
    Node **was;

    if (graph_is_plain(g))
        return;
    kept = arena_new();
    was = arena_copy(kept, root, sizeof *root * (size_t)nroot);
    while (!split(&s, nroot, root)) {
        memcpy(root, was, sizeof *root * (size_t)nroot);
        s.written++;
    }
    if (s.packing)
        pass(&s, nroot, root, find_packed, make_packed);
    if (s.any)
        pass(&s, nroot, root, find_quotients, make_quotient);
    arena_free(kept);
}
