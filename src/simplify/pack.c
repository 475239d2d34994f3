/* pack.c: functions of single numbers, side by side.
 *
 * A function of one number takes as long as that of a vector. So those that do
 * not wait for each other are one function of a vector, each of its elements
 * once: sin(a - b) with cos(a - b), and with sin(c). Its elements are stored
 * and read for that, which few are not worth. */
#include "simplify/pack.h"

#include <string.h>

enum { NOT_PACKED = -1 };

typedef struct Packing {
    const Reach *reach;
    Arena *scratch;
    int *owner; /* by number: the loop whose body has it, or -1 */
    int *level; /* functions in a row */
    LIST(Pack *) pack;
    Packs to;
} Packing;

static int number_of(const Packing *p, const Node *n)
{
    return reach_number(p->reach, n);
}

/* The innermost body first, as its loop is older than those around it. */
static void find_owners(Packing *p)
{
    for (int i = 0; i < p->reach->n; i++)
        p->owner[i] = NOT_PACKED;
    for (int i = 0; i < p->reach->n; i++) {
        const Region *r = p->reach->node[i]->attr.region;

        for (int k = 0; r && k < r->nbody; k++) {
            int at = number_of(p, r->body[k]);

            if (at >= 0 && p->owner[at] < 0)
                p->owner[at] = i;
        }
    }
}

/* What decides when a loop ends runs by itself. */
static bool may_pack(const Packing *p, int i)
{
    const Node *n = p->reach->node[i];
    int owner = p->owner[i];
    bool ends = owner >= 0 && p->reach->node[owner]->attr.region->until;

    return n->rank == 0 && n->narg == 1 && n->dtype == n->arg[0]->dtype &&
           dtype_is_real(n->dtype) && op_table[n->op]->cls == OPC_ewise &&
           op_table[n->op]->flags & OP_COSTLY && !ends;
}

static void find_level(Packing *p, int i)
{
    const Node *n = p->reach->node[i];
    const Region *r = n->attr.region;
    int level = 0;

    for (int k = 0; k < n->narg; k++) {
        int of = p->level[number_of(p, n->arg[k])];

        level = of > level ? of : level;
    }
    for (int k = 0; r && k < r->nbody; k++) {
        int at = number_of(p, r->body[k]);

        level = at >= 0 && p->level[at] > level ? p->level[at] : level;
    }
    p->level[i] = level + may_pack(p, i);
}

/* Those of one level, and before them what they are made of. */
static void find_order(Packing *p)
{
    int n = p->reach->n, *start = NEWN(p->scratch, int, 2 * n + 3);

    for (int i = 0; i < n; i++)
        start[2 * p->level[i] + !may_pack(p, i) + 1]++;
    for (int i = 0; i < 2 * n + 2; i++)
        start[i + 1] += start[i];
    for (int i = 0; i < n; i++)
        p->to.order[start[2 * p->level[i] + !may_pack(p, i)]++] = i;
}

static bool goes_with(const Node *n, OpId op)
{
    OpId (*partner)(void) = op_table[n->op]->partner;

    return n->op == op || (partner && partner() == op);
}

static Pack *pack_of(Packing *p, int i)
{
    const Node *n = p->reach->node[i];

    for (int k = p->pack.n - 1; k >= 0; k--) {
        Pack *at = p->pack.at[k];

        if (at->owner == p->owner[i] && at->level == p->level[i] &&
            at->dtype == n->dtype && goes_with(n, at->op))
            return at;
    }
    Pack *fresh = NEW(p->scratch, Pack);

    *fresh = (Pack){.op = (OpId)n->op,
                    .dtype = n->dtype,
                    .owner = p->owner[i],
                    .level = p->level[i]};
    list_push(p->scratch, &p->pack, fresh);
    return fresh;
}

static int place_in(Packing *p, Pack *pack, Node *x)
{
    for (int k = 0; k < pack->of.n; k++)
        if (pack->of.at[k] == x)
            return k;
    list_push(p->scratch, &pack->of, x);
    return pack->of.n - 1;
}

Packs find_packs(Arena *a, const Reach *r)
{
    int n = r->n;
    Packing p = {.reach = r, .scratch = a};

    p.owner = NEWN(a, int, n + 1);
    p.level = NEWN(a, int, n + 1);
    p.to.order = NEWN(a, int, n + 1);
    p.to.pack = NEWN(a, Pack *, n + 1);
    p.to.place = NEWN(a, int, n + 1);
    find_owners(&p);
    for (int i = 0; i < n; i++)
        find_level(&p, i);
    find_order(&p);
    for (int i = 0; i < n; i++)
        if (may_pack(&p, i)) {
            p.to.pack[i] = pack_of(&p, i);
            p.to.place[i] = place_in(&p, p.to.pack[i], r->node[i]->arg[0]);
        }
    for (int i = 0; i < n; i++)
        if (p.to.pack[i] && p.to.pack[i]->of.n < PACK)
            p.to.pack[i] = NULL;
    return p.to;
}

bool may_have_packs(const Reach *r)
{
    for (int i = 0; i < r->n; i++)
        if (op_table[r->node[i]->op]->cls == OPC_select)
            return false;
    return true;
}
