/* place.c: bodies that become regions, of loops and of calls that stay calls.
 * Where the same one is evaluated again it has the same parameters, so that its
 * region is the same and what it calls is found among equal calls. */
#include "check/check_internal.h"

typedef struct Places {
    Place *inner;
    Map params; /* Stand, by hash */
} Places;

static Places *own(Check *c) { return check_own(c, OWN_place, sizeof(Places)); }

/* A parameter, and where it stands. */
typedef struct Stand {
    const void *of;
    bool remat;
    int depth, number;
    Node *param;
} Stand;

static uint64_t stand_hash(const Stand *s)
{
    uint64_t h = hash_mix(hash_pointer(HASH_SEED, s->of), s->remat);

    h = hash_mix(hash_mix(h, (uint64_t)s->depth), (uint64_t)s->number);
    h = hash_mix(h, s->param->dtype);
    for (int i = 0; i < s->param->rank; i++)
        h = hash_pointer(h, s->param->dim[i]);
    return h;
}

void place_enter(Check *c, Place *p, const void *of, bool remat)
{
    *p = (Place){.up = own(c)->inner, .of = of, .remat = remat};
    for (const Place *k = p->up; k; k = k->up)
        p->depth += k->of == of && k->remat == remat;
    own(c)->inner = p;
}

void place_leave(Check *c) { own(c)->inner = own(c)->inner->up; }

Node *place_param(Check *c, int number, Node *like, const char *name)
{
    Places *all = own(c);
    const Place *in = all->inner;
    Stand s = {in->of, in->remat, in->depth, number, like}, *known;
    uint64_t h = stand_hash(&s);

    for (size_t seen = 0; (known = map_next(&all->params, h, &seen));)
        if (known->of == s.of && known->remat == s.remat &&
            known->depth == s.depth && known->number == number &&
            same_type(known->param, like))
            return known->param;
    if (name)
        s.param = g_param(c->graph, like->dtype, like->rank, like->dim, name);
    map_put(c->arena, &all->params, h, arena_copy(c->arena, &s, sizeof s));
    return s.param;
}
