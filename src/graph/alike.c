/* alike.c: when two regions are one: alike but for which nodes are their
 * parameters, and so computing the same of the same arguments. */
#include "graph/internal.h"
#include "graph/op.h"

#include <assert.h>

static uint64_t hash_type(uint64_t h, const Node *n)
{
    h = hash_mix(hash_mix(h, n->dtype), (uint64_t)n->rank);
    for (int i = 0; i < n->rank; i++)
        h = hash_mix(h, dim_hash(n->dim[i]));
    return h;
}

static uint64_t hash_at(const Region *r, const Node *n)
{
    return r->hash[region_place(r, n)];
}

/* Of n and all below it; commuting arguments are in the order of their ids,
 * which says nothing. */
static uint64_t hash_node(const Region *r, const Node *n)
{
    uint64_t h = node_hash_alone(n), sum = 0;
    bool commutes = op_table[n->op]->flags & OP_COMMUTES;
    for (int i = 0; i < n->narg; i++) {
        uint64_t a = hash_at(r, n->arg[i]);
        sum += a;
        h = commutes ? h : hash_mix(h, a);
    }
    return commutes ? hash_mix(h, sum) : h;
}

static uint64_t hash_result(uint64_t h, const Region *r, const Node *n)
{
    return n ? hash_mix(h, hash_at(r, n)) : h;
}

void region_number(Graph *g, Region *r)
{
    const bool flag[] = {r->trips, r->reverse, r->counted, r->remat,
                         r->apart, r->until,   r->vjp,     r->index};
    const int count[] = {r->ncarry, r->ninput, r->ncapture, r->noutput};
    uint64_t *hash = NEWN(graph_arena(g), uint64_t, r->nbody + 1);
    uint64_t h = hash_bytes(HASH_SEED, flag, sizeof flag);
    r->hash = hash;
    for (int i = 0; i < region_nparam(r); i++) {
        const Node *p = region_param_at(r, i);
        hash[region_place(r, p)] =
            hash_type(hash_mix(HASH_SEED, (uint64_t)i), p);
    }
    for (int k = 0; k < r->nbody; k++)
        if (r->body[k]->op != OP_param)
            hash[k] = hash_node(r, r->body[k]);
    h = hash_bytes(h, count, sizeof count);
    h = r->trips ? hash_mix(h, dim_hash(r->trips)) : h;
    for (int i = 0; i < region_nparam(r); i++)
        h = hash_result(h, r, region_param_at(r, i));
    for (int i = 0; i < r->ncarry; i++)
        h = hash_result(h, r, r->next[i]);
    for (int i = 0; i < r->noutput; i++)
        h = hash_result(h, r, r->output[i]);
    h = hash_result(h, r, r->until);
    r->key = r->vjp ? hash_mix(h, r->vjp->key) : h;
}

uint64_t region_hash(const Region *r)
{
    assert(r->self == r);
    return r->key;
}

/* Comparing. */

typedef struct Pair {
    Node *a, *b;
} Pair;

typedef struct Pairing {
    Arena *scratch;
    const Region *a, *b;
    Node **with; /* by place in a's body: what it must be in b's */
    LIST(Pair) todo;
} Pairing;

/* False: a is paired with another node already. */
static bool pair(Pairing *p, Node *a, Node *b)
{
    Node **with = &p->with[region_place(p->a, a)];
    if (!*with) {
        *with = b;
        list_push(p->scratch, &p->todo, ((Pair){a, b}));
    }
    return *with == b;
}

static bool pair_args(Pairing *p, const Node *a, const Node *b)
{
    bool swap = op_table[a->op]->flags & OP_COMMUTES && a->narg == 2 &&
                hash_at(p->a, a->arg[0]) != hash_at(p->b, b->arg[0]);
    for (int i = 0; i < a->narg; i++)
        if (!pair(p, a->arg[i], b->arg[swap ? 1 - i : i]))
            return false;
    return true;
}

static bool pair_params(Pairing *p)
{
    for (int i = 0; i < region_nparam(p->a); i++) {
        Node *x = region_param_at(p->a, i), *y = region_param_at(p->b, i);
        if (!same_type(x, y))
            return false;
        pair(p, x, y); /* each once: there is none yet */
    }
    return true;
}

static bool pair_results(Pairing *p)
{
    int n = region_nresult(p->a);
    Node **x = NEWN(p->scratch, Node *, n + 1);
    Node **y = NEWN(p->scratch, Node *, n + 1);
    region_results(p->a, x);
    region_results(p->b, y);
    for (int i = 0; i < n; i++)
        if (!pair(p, x[i], y[i]))
            return false;
    return true;
}

static bool same_body(const Region *a, const Region *b)
{
    Pairing p = {.scratch = arena_new(), .a = a, .b = b};
    p.with = NEWN(p.scratch, Node *, a->nbody + 1);
    bool same = pair_params(&p) && pair_results(&p);
    while (same && p.todo.n) {
        Pair next = p.todo.at[--p.todo.n];
        same = next.a->op == next.b->op && next.a->narg == next.b->narg &&
               (next.a->op == OP_param || (node_same_alone(next.a, next.b) &&
                                           pair_args(&p, next.a, next.b)));
    }
    arena_free(p.scratch);
    return same;
}

bool region_same(const Region *a, const Region *b)
{
    if (a == b || !a || !b)
        return a == b;
    return a->key == b->key && a->trips == b->trips &&
           a->reverse == b->reverse && a->counted == b->counted &&
           a->remat == b->remat && a->apart == b->apart &&
           a->ncarry == b->ncarry && a->ninput == b->ninput &&
           a->ncapture == b->ncapture && a->noutput == b->noutput &&
           !a->until == !b->until && region_same(a->vjp, b->vjp) &&
           same_body(a, b);
}
