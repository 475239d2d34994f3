/* course.c: when two values are the same although the loops in them give
 * different things: of an inner loop and the same one that stores more. */
#include "graph/region.h"
#include "simplify/internal.h"

enum { MOST_PAIRS = 100000 };

typedef struct Pair {
    const Node *a, *b;
} Pair;

typedef struct Course {
    Arena *scratch;
    LIST(Pair) pair; /* all that have to be the same, each once */
    Map numbers;     /* of pairs */
    bool same;
} Course;

static void require(Course *c, const Node *a, const Node *b)
{
    Pair p = {a, b};
    if (a == b || !c->same)
        return;
    if (a->op != b->op || a->dtype != b->dtype || a->rank != b->rank ||
        a->narg == 0 || c->pair.n == MOST_PAIRS) {
        c->same = false;
        return;
    }
    uint64_t h =
        hash_mix(hash_mix(HASH_SEED, (uint64_t)a->id), (uint64_t)b->id);
    size_t seen = 0;
    for (int i; (i = map_next_int(&c->numbers, h, &seen)) >= 0;)
        if (c->pair.at[i].a == a && c->pair.at[i].b == b)
            return;
    map_put_int(c->scratch, &c->numbers, h, c->pair.n);
    list_push(c->scratch, &c->pair, p);
}

/* Which argument of r's node has p as its parameter, or -1. */
static int arg_of(const Region *r, const Node *p)
{
    for (int i = 0; i < region_narg(r) - r->counted; i++)
        if (region_param(r, i) == p)
            return i;
    return -1;
}

static int role(const Region *r, int arg)
{
    return arg < r->ncarry ? 0 : arg < r->ncarry + r->ninput ? 1 : 2;
}

/* What they carry both goes on in the same way from the same. A parameter that
 * one lacks is read by no result that is compared. */
static void require_loops(Course *c, const Node *a, const Node *b)
{
    const Region *p = node_region(a), *q = node_region(b);
    c->same = c->same && p->index == q->index && p->trips == q->trips &&
              p->reverse == q->reverse && p->counted == q->counted &&
              p->apart == q->apart && !p->until == !q->until;
    if (c->same && p->counted)
        require(c, a->arg[a->narg - 1], b->arg[b->narg - 1]);
    if (c->same && p->until)
        require(c, p->until, q->until);
    for (int i = 0; c->same && i < region_narg(p) - p->counted; i++) {
        int k = arg_of(q, region_param(p, i));
        if (k < 0)
            continue;
        c->same = role(p, i) == role(q, k);
        require(c, a->arg[i], b->arg[k]);
        if (c->same && role(p, i) == 0)
            require(c, p->next[i], q->next[k]);
    }
}

static void require_parts(Course *c, const Node *a, const Node *b)
{
    const Node *of = a->arg[0], *to = b->arg[0];
    if (of->op != OP_loop || to->op != OP_loop) {
        c->same = a->attr.integer == b->attr.integer;
        require(c, of, to);
        return;
    }
    const Region *p = node_region(of), *q = node_region(to);
    int i = (int)a->attr.integer, k = (int)b->attr.integer;
    if (i < p->ncarry && k < q->ncarry)
        c->same = p->carry[i] == q->carry[k];
    else if (i == region_nparts(p) - 1 || k == region_nparts(q) - 1)
        c->same = i == region_nparts(p) - 1 && k == region_nparts(q) - 1;
    else if (i >= p->ncarry && k >= q->ncarry)
        require(c, p->output[i - p->ncarry], q->output[k - q->ncarry]);
    else
        c->same = false;
    require(c, of, to);
}

static bool could_be(const Node *a, const Node *b)
{
    return a == b || (a->op == b->op && a->narg > 0 && a->narg == b->narg);
}

static void require_args(Course *c, const Node *a, const Node *b)
{
    bool commutes = op_table[a->op]->flags & OP_COMMUTES && a->narg == 2;
    bool swap = commutes && !(could_be(a->arg[0], b->arg[0]) &&
                              could_be(a->arg[1], b->arg[1]));
    c->same = a->narg == b->narg && node_same_alone(a, b);
    for (int i = 0; i < a->rank; i++)
        c->same = c->same && a->dim[i] == b->dim[i];
    for (int i = 0; c->same && i < a->narg; i++)
        require(c, a->arg[i], b->arg[swap ? 1 - i : i]);
}

bool same_course(const Node *a, const Node *b)
{
    Course c = {.scratch = arena_new(), .same = true};
    require(&c, a, b);
    for (int k = 0; c.same && k < c.pair.n; k++) {
        Pair p = c.pair.at[k];
        if (p.a->op == OP_loop)
            require_loops(&c, p.a, p.b);
        else if (p.a->op == OP_part)
            require_parts(&c, p.a, p.b);
        else
            require_args(&c, p.a, p.b);
    }
    arena_free(c.scratch);
    return c.same;
}
