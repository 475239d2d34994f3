/* prune.c: loops and calls without what nothing reads.
 *
 * Level by level, from the outside in: what of a body is needed is known when
 * what is around it has been pruned. Recursion follows the nesting alone. */
#include "graph/ops/ops.h"
#include "region/region.h"
#include "simplify/internal.h"

#include <string.h>

enum { MAX_ROUNDS = 8 };

/* What is left of a region if only some of its parts are used. */
typedef struct Pruned {
    const Region *of;
    const bool *used; /* parts of `of` */
    bool *live;       /* by old result */
    bool *read;       /* by old argument */
    Node **result;    /* of `of`, pruned */
    const Region *vjp;
} Pruned;

typedef struct Prune {
    Graph *g;
    Arena *scratch;
    Map memo; /* Pruned, by the region's address */
} Prune;

static void level(Prune *p, int nroot, Node **root);

static Pruned *remembered(Prune *p, const Region *r, const bool *used)
{
    uint64_t h = hash_pointer(HASH_SEED, r);
    Pruned *q;
    for (size_t seen = 0; (q = map_next(&p->memo, h, &seen));)
        if (q->of == r &&
            !memcmp(q->used, used, sizeof *used * (size_t)region_nparts(r)))
            break;
    return q;
}

/* By result: what is read, by a part that is used or in a later step. */
static bool *live_results(Prune *p, const Region *r, const bool *used)
{
    Graph *g = p->g;
    Arena *a = p->scratch;
    Nodes todo = {0};
    Node **result = NEWN(a, Node *, region_nresult(r) + 1);
    bool *live = NEWN(a, bool, region_nresult(r) + 1);
    region_results(r, result);
    memcpy(live, used, sizeof *live * (size_t)(r->ncarry + r->noutput));
    live[r->ncarry + r->noutput] = true; /* where it ends */
    graph_unmark(g);
    for (int i = 0; i < region_nresult(r); i++)
        if (live[i] && graph_mark(g, result[i]))
            list_push(a, &todo, result[i]);
    for (int k = 0; k < todo.n; k++) {
        const Node *n = todo.at[k];
        for (int i = 0; i < n->narg; i++)
            if (graph_mark(g, n->arg[i]))
                list_push(a, &todo, n->arg[i]);
        for (int i = 0; n->op == OP_param && i < r->ncarry; i++)
            if (r->carry[i] == n) {
                live[i] = true;
                if (graph_mark(g, r->next[i]))
                    list_push(a, &todo, r->next[i]);
            }
    }
    return live;
}

/* The live results, pruned in turn; the others as they were. */
static Node **prune_results(Prune *p, const Region *r, const bool *live)
{
    int n = region_nresult(r), count = 0;
    Node **result = NEWN(p->scratch, Node *, n + 1);
    Node **some = NEWN(p->scratch, Node *, n + 1);
    region_results(r, result);
    for (int i = 0; i < n; i++)
        if (live[i])
            some[count++] = result[i];
    level(p, count, some);
    for (int i = n - 1; i >= 0; i--)
        if (live[i])
            result[i] = some[--count];
    return result;
}

/* By argument: do the live results read its parameter. */
static bool *read_params(Prune *p, const Region *r, const Pruned *q)
{
    bool *read = NEWN(p->scratch, bool, region_narg(r) + 1);
    Nodes root = {0};
    for (int i = 0; i < region_nresult(r); i++)
        if (q->live[i])
            list_push(p->scratch, &root, q->result[i]);
    Nodes below = nodes_below(p->g, p->scratch, root.n, root.at);
    for (int i = r->ncarry; i < region_narg(r) - r->counted; i++)
        read[i] =
            r->vjp || node_place(below.at, below.n, region_param(r, i)) >= 0;
    return read;
}

static Pruned *prune_region(Prune *p, const Region *r, const bool *used)
{
    Arena *a = p->scratch;
    Pruned *q = remembered(p, r, used);
    if (q)
        return q;
    q = NEW(a, Pruned);
    q->of = r;
    q->used = arena_copy(a, used, sizeof *used * (size_t)region_nparts(r) + 1);
    q->live = live_results(p, r, used);
    q->result = prune_results(p, r, q->live);
    q->read = read_params(p, r, q);
    q->vjp = r->vjp;
    map_put(a, &p->memo, hash_pointer(HASH_SEED, r), q);
    return q;
}

/* What a loop or call of this level became. */
typedef struct Was {
    bool *used; /* by part */
    Node *now;
    int *part;   /* by part: that of `now`, or -1: the initial value, if used */
    Node **init; /* of carries */
} Was;

/* Live carries, with their parts to come; one that never changes is a
 * capture. */
static void keep_carries(RegionMaker *m, const Pruned *q, Node *const *arg,
                         int *part)
{
    const Region *r = q->of;
    for (int i = 0; i < r->ncarry; i++) {
        part[i] = -1;
        if (q->live[i] && q->result[i] != r->carry[i])
            part[i] = maker_carry(m, r->carry[i], arg[i], q->result[i]);
        else if (q->live[i])
            maker_capture(m, r->carry[i], arg[i]);
    }
}

static void keep_read(RegionMaker *m, const Pruned *q, Node *const *arg)
{
    const Region *r = q->of;
    int n = r->ncarry + r->ninput;
    for (int i = r->ncarry; i < n + r->ncapture; i++) {
        if (q->read[i] && i < n)
            maker_input(m, region_param(r, i), arg[i]);
        else if (q->read[i])
            maker_capture(m, region_param(r, i), arg[i]);
    }
}

static void remake_region(Prune *p, const Node *n, Node *const *arg, Was *w)
{
    const Region *r = node_region(n);
    const Pruned *q = prune_region(p, r, w->used);
    RegionMaker m = region_maker(p->g, p->scratch, r);
    int nparts = region_nparts(r);
    int *part = w->part = NEWN(p->scratch, int, nparts + 1);
    w->init = arena_copy(p->scratch, arg, sizeof *arg * (size_t)r->ncarry);
    keep_carries(&m, q, arg, part);
    keep_read(&m, q, arg);
    for (int i = r->ncarry; i < r->ncarry + r->noutput; i++)
        part[i] = q->live[i] ? m.carry.n + maker_output(&m, q->result[i]) : -1;
    if (r->trips)
        part[nparts - 1] = m.carry.n + m.output.n;
    if (r->until)
        m.r.until = q->result[region_nresult(r) - 1];
    m.r.vjp = q->vjp;
    m.count = r->counted ? arg[n->narg - 1] : NULL;
    w->now = r->trips && !r->apart ? maker_close(&m) : maker_finish(&m);
}

static Node *remake_part(Prune *p, const Was *w, int i)
{
    return w->part[i] < 0 ? w->init[i] : g_part(p->g, w->now, w->part[i]);
}

static void find_used(Prune *p, const Nodes *nodes, Was *was)
{
    for (int k = 0; k < nodes->n; k++) {
        const Node *n = nodes->at[k];
        if (node_has_region(n)) {
            int count = region_nparts(node_region(n));
            was[k].used = NEWN(p->scratch, bool, count + 1);
            if (node_region(n)->vjp)
                memset(was[k].used, 1, sizeof(bool) * (size_t)count);
        } else if (n->op == OP_part)
            was[node_place(nodes->at, nodes->n, n->arg[0])]
                .used[n->attr.integer] = true;
    }
}

/* What a pass over a list of nodes has made of them. */
typedef struct Made {
    const Nodes *nodes;
    Node *const *map;
} Made;

static Node *node_now(const void *u, const Node *n)
{
    const Made *m = u;
    int k = node_place(m->nodes->at, m->nodes->n, n);
    return k >= 0 ? m->map[k] : NULL;
}

/* Prunes what the roots reach without entering a body, and then what of the
 * bodies is needed. */
static void level(Prune *p, int nroot, Node **root)
{
    Arena *a = p->scratch;
    loops_merge(p->g, nroot, root);
    Nodes nodes = nodes_below(p->g, a, nroot, root);
    Was *was = NEWN(a, Was, nodes.n + 1);
    Node **map = NEWN(a, Node *, nodes.n + 1);
    find_used(p, &nodes, was);
    for (int k = 0; k < nodes.n; k++) {
        Node *n = nodes.at[k], **arg = NEWN(a, Node *, n->narg + 1);
        int of = -1;
        for (int i = 0; i < n->narg; i++) {
            of = node_place(nodes.at, nodes.n, n->arg[i]);
            arg[i] = map[of];
        }
        Provenance outer = graph_provenance(p->g, node_provenance(n));
        if (node_has_region(n)) {
            remake_region(p, n, arg, &was[k]);
            map[k] = was[k].now;
        } else if (n->op == OP_part)
            map[k] = remake_part(p, &was[of], (int)n->attr.integer);
        else
            map[k] = graph_remake(p->g, n, arg);
        graph_provenance(p->g, outer);
        graph_follow_labels(p->g, n, map[k], node_now, &(Made){&nodes, map});
    }
    for (int i = 0; i < nroot; i++)
        root[i] = map[node_place(nodes.at, nodes.n, root[i])];
}

void regions_prune(Graph *g, int nroot, Node **root)
{
    if (!graph_has_regions(g))
        return;
    for (int k = 0; k < MAX_ROUNDS; k++) {
        Prune p = {.g = g, .scratch = arena_new()};
        size_t bytes = sizeof *root * (size_t)nroot;
        Node **before = arena_copy(p.scratch, root, bytes);
        level(&p, nroot, root);
        bool same = nroot == 0 || !memcmp(before, root, bytes);
        arena_free(p.scratch);
        if (same)
            return;
    }
}
