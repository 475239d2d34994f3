/* prune.c: loops and calls without what nothing reads.
 *
 * Level by level, from the outside in: what of a body is needed is known when
 * what is around it has been pruned. Recursion follows the nesting alone. */
#include "graph/internal.h"
#include "graph/ops/ops.h"

#include <string.h>

enum { MAX_ROUNDS = 8 };

/* A region without the results that nobody uses. */
typedef struct Pruned Pruned;
struct Pruned {
    const Region *of;
    const bool *used; /* parts of `of` */
    Region r;         /* not closed yet */
    bool *keep;       /* by old argument */
    int *part;        /* by old part: the new one, or -1 */
};

typedef struct Prune {
    Graph *g;
    Arena *scratch;
    Map memo; /* Pruned, by the region's address */
} Prune;

static bool is_region(const Node *n)
{
    return n->op == OP_loop || n->op == OP_call;
}

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
    if (r->until)
        live[r->ncarry + r->noutput] = true;
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
            if (r->carry[i] == n && !live[i]) {
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

/* A region being made from parts of another. */
typedef struct Sieve {
    Nodes carry, next, input, capture, output;
} Sieve;

static void sieve_params(Prune *p, const Region *r, const Nodes *read, Sieve *s,
                         bool *keep)
{
    for (int i = r->ncarry; i < r->ncarry + r->ninput + r->ncapture; i++) {
        Node *q = region_param(r, i);
        keep[i] = r->vjp || node_place(read->at, read->n, q) >= 0;
        if (keep[i])
            list_push(p->scratch,
                      i < r->ncarry + r->ninput ? &s->input : &s->capture, q);
    }
    if (r->counted)
        keep[r->ncarry + r->ninput + r->ncapture] = true;
}

/* Carries that are live and change, and live outputs. A carry that never
 * changes is a capture: the first ones. */
static void sieve_results(Prune *p, const Region *r, const bool *live,
                          Node *const *result, Sieve *s, Pruned *to)
{
    Arena *a = p->scratch;
    for (int i = 0; i < r->ncarry; i++) {
        bool moves = live[i] && result[i] != r->carry[i];
        to->keep[i] = live[i];
        to->part[i] = moves ? s->carry.n : -1;
        if (moves) {
            list_push(a, &s->carry, r->carry[i]);
            list_push(a, &s->next, result[i]);
        } else if (live[i])
            list_push(a, &s->capture, r->carry[i]);
    }
    for (int i = r->ncarry; i < r->ncarry + r->noutput; i++) {
        to->part[i] = live[i] ? s->carry.n + s->output.n : -1;
        if (live[i])
            list_push(a, &s->output, result[i]);
    }
    if (r->trips)
        to->part[r->ncarry + r->noutput] = s->carry.n + s->output.n;
}

static Nodes read_by(Prune *p, const Region *r, const bool *live,
                     Node *const *result)
{
    Node **root = NEWN(p->scratch, Node *, region_nresult(r) + 1);
    int count = 0;
    for (int i = 0; i < region_nresult(r); i++)
        if (live[i])
            root[count++] = result[i];
    return nodes_below(p->g, p->scratch, count, root);
}

static const Region *prune_vjp(Prune *p, const Region *r)
{
    bool *live = NEWN(p->scratch, bool, r->noutput + 1);
    Region *to = NEW(p->scratch, Region);
    memset(live, 1, sizeof *live * (size_t)r->noutput);
    *to = region_with(p->g, r, prune_results(p, r, live));
    return to;
}

static Pruned *prune_region(Prune *p, const Region *r, const bool *used)
{
    Arena *a = p->scratch;
    Pruned *to = remembered(p, r, used);
    Sieve s = {0};
    if (to)
        return to;
    to = NEW(a, Pruned);
    to->of = r;
    to->used = arena_copy(a, used, sizeof *used * (size_t)region_nparts(r) + 1);
    to->keep = NEWN(a, bool, region_narg(r) + 1);
    to->part = NEWN(a, int, region_nparts(r) + 1);
    bool *live = live_results(p, r, used);
    Node **result = prune_results(p, r, live);
    Nodes read = read_by(p, r, live, result);
    sieve_results(p, r, live, result, &s, to);
    sieve_params(p, r, &read, &s, to->keep);
    to->r = *r;
    to->r.self = NULL;
    to->r.carry = s.carry.at;
    to->r.next = s.next.at;
    to->r.ncarry = s.carry.n;
    to->r.input = s.input.at;
    to->r.ninput = s.input.n;
    to->r.capture = s.capture.at;
    to->r.ncapture = s.capture.n;
    to->r.output = s.output.at;
    to->r.noutput = s.output.n;
    if (r->until)
        to->r.until = result[region_nresult(r) - 1];
    if (r->vjp)
        to->r.vjp = prune_vjp(p, r->vjp);
    map_put(p->scratch, &p->memo, hash_pointer(HASH_SEED, r), to);
    return to;
}

/* What a loop or call of this level became. */
typedef struct Was {
    bool *used; /* by part */
    Pruned *pruned;
    Node *now;
    Node **init; /* initial values of the carries */
} Was;

static void remake_region(Prune *p, const Node *n, Node *const *arg, Was *w)
{
    const Region *r = node_region(n);
    const Pruned *q = w->pruned = prune_region(p, r, w->used);
    Nodes args = {0};
    w->init = arena_copy(p->scratch, arg, sizeof *arg * (size_t)r->ncarry);
    for (int i = 0; i < r->ncarry; i++)
        if (q->part[i] >= 0)
            list_push(p->scratch, &args, arg[i]);
    for (int i = r->ncarry; i < r->ncarry + r->ninput; i++)
        if (q->keep[i])
            list_push(p->scratch, &args, arg[i]);
    for (int i = 0; i < r->ncarry; i++)
        if (q->part[i] < 0 && q->keep[i])
            list_push(p->scratch, &args, arg[i]);
    for (int i = r->ncarry + r->ninput; i < n->narg; i++)
        if (q->keep[i])
            list_push(p->scratch, &args, arg[i]);
    if (r->trips && !r->apart)
        w->now = g_region_close(p->g, &q->r, args.n, args.at);
    else
        w->now = g_region(p->g, &q->r, args.n, args.at);
}

static Node *remake_part(Prune *p, const Node *n, const Was *w)
{
    int k = (int)n->attr.integer, to = w->pruned->part[k];
    return to < 0 ? w->init[k] : g_part(p->g, w->now, to);
}

static void find_used(Prune *p, const Nodes *nodes, Was *was)
{
    for (int k = 0; k < nodes->n; k++) {
        const Node *n = nodes->at[k];
        if (is_region(n)) {
            int count = region_nparts(node_region(n));
            was[k].used = NEWN(p->scratch, bool, count + 1);
            if (node_region(n)->vjp)
                memset(was[k].used, 1, sizeof(bool) * (size_t)count);
        } else if (n->op == OP_part)
            was[node_place(nodes->at, nodes->n, n->arg[0])]
                .used[n->attr.integer] = true;
    }
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
        Span outer = graph_span(p->g, n->span);
        if (is_region(n)) {
            remake_region(p, n, arg, &was[k]);
            map[k] = was[k].now;
        } else if (n->op == OP_part)
            map[k] = remake_part(p, n, &was[of]);
        else
            map[k] = graph_remake(p->g, n, arg);
        graph_span(p->g, outer);
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
