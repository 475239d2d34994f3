/* guard.h: adjoints that count only where their branch was taken. */
#ifndef NNCC_DIFF_GUARD_H
#define NNCC_DIFF_GUARD_H

#include "graph/graph.h"

/* Inside how many `if`s. */
typedef struct Branch {
    const struct Branch *outer;
    Node *cond;  /* scalar; to be evaluated only where outer holds */
    Node *holds; /* outer and cond */
} Branch;

/* An adjoint. Where branch and mask do not hold v may be anything, also NaN,
 * and counts as 0; where they hold but live does not, v is 0, and shall be 0
 * whatever it is multiplied by. Each may be NULL: true everywhere. */
typedef struct Guarded {
    Node *v;
    const Branch *branch;
    Node *mask, *live; /* bools of v's shape */
    Node *made;        /* a bool: a loop made steps; else v is 0; or NULL */
    bool steep;        /* v may be infinite where all values are finite */
} Guarded;

/* The adjoint as it is: zero where it does not count. */
Node *guard_value(Graph *g, const Guarded *a);
/* The same with mask applied to v, now known as live. */
Guarded guard_settle(Graph *g, const Guarded *a);
/* What reaches argument 1 or 2 of n, a `where` or `if` with the adjoint a. */
Guarded guard_choose(Graph *g, Arena *scratch, const Node *n, const Guarded *a,
                     int arg);
/* a · partial, which may be NaN where a does not count. */
Guarded guard_scale(Graph *g, const Guarded *a, Node *partial);
/* Where the adjoints that n gives its arguments can be other than 0, when n's
 * is so only in `live`: to[i] for each, NULL for everywhere. */
void guard_live_back(Graph *g, Node *n, Node *live, Node **to);
/* The product n for its vjp: rows of a factor that live takes out as a whole
 * are 0, for they may hold NaN. Not in the graph. */
Node *guard_product(Graph *g, Arena *scratch, const Node *n, Node *live);
/* Where an adjoint that was settled can be other than 0, whatever branch was
 * taken; NULL: everywhere. */
Node *guard_alive(Graph *g, const Guarded *a);
/* The same where cond, a scalar, holds, and else 0. */
void guard_under(Graph *g, Arena *scratch, Node *cond, Guarded *a);
/* The adjoint that a loop or call gives its argument: where that may report an
 * index, it counts only if some of it was live. */
void guard_argument(Graph *g, Arena *scratch, const Node *arg, Guarded *a);
/* Settles n adjoints and brings them under one branch, which is returned and
 * holds whenever one of theirs does. Those without v are passed over. */
const Branch *guard_common(Graph *g, Arena *scratch, int n, Guarded *a);
/* The sum of n >= 1 adjoints of one node; term is reordered. */
Guarded guard_sum(Graph *g, Arena *scratch, int n, Guarded *term);

/* join.c */

/* The sum of n >= 1 nodes of one shape. Terms that are zero but for a part of
 * one axis (adjoints of slices) are put side by side instead of added. */
Node *add_all(Graph *g, int n, Node *const *term);

#endif
