/* walk.c: how a piece and its loops suit the arrays it reads and writes.
 *
 * Lanes are either the last outer loop's iterations or, in each stage, those of
 * the last inner loop. Elements that are a line of memory apart are one
 * instruction and one line each: a walk across an array. */
#include "kernel/sched.h"

static void count_across(Sched *s, Piece *p, const Vec *at,
                         const Dim *const *dim)
{
    const Index *x = vec_linear(s->table, at, dim);
    for (int v = 0; v < p->rank; v++)
        p->across[v] += stride_along(x, v) == STRIDE_far;
}

void find_walks(Sched *s, Piece *p)
{
    bool loops = p->kind == PIECE_store || p->kind == PIECE_reduce;
    if (!loops || p->rank < 2 || p->empty)
        return;
    p->across = NEWN(s->scratch, int, p->rank);
    count_across(s, p, p->at, p->dim);
    for (int i = 0; i < p->nread; i++)
        if (p->read[i].at)
            count_across(s, p, p->read[i].at, p->read[i].node->dim);
}

/* p's walks across where so many of its loops are outer ones, with the lanes
 * there or inside. */
static Walks walks_at(const Piece *p, int outer)
{
    if (!p->across)
        return (Walks){0};
    return (Walks){
        .outside = outer > 0 ? p->across[outer - 1] : 0,
        .inside = p->rank > outer ? p->across[p->rank - 1] : 0,
        .loops = p->rank > outer,
    };
}

static int least(Walks w)
{
    return w.loops && w.inside < w.outside ? w.inside : w.outside;
}

static Walks both(Walks a, Walks b)
{
    return (Walks){a.outside + b.outside, a.inside + b.inside,
                   a.loops || b.loops};
}

void nest_walks(Sched *s, Nest *n, const Piece *p)
{
    if (!n->walks)
        n->walks = NEWN(s->scratch, Walks, n->hi + 1);
    for (int i = 0; i <= n->hi; i++)
        n->walks[i] = both(n->walks[i], walks_at(p, i));
    n->across += least(walks_at(p, p->kept));
}

bool walks_fit(const Nest *n, const Piece *p, int outer)
{
    return least(both(n->walks[outer], walks_at(p, outer))) <=
           n->across + least(walks_at(p, p->kept));
}
