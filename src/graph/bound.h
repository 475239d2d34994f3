/* bound.h: the ends of an integer, and whether it is at least 0.
 *
 * An integer is a polynomial of dimensions, which are at least 0, and of
 * unknowns: counters (0 … extent-1; where there is a value at all, an extent is
 * at least 1), quotients, remainders, minima, values of branches. To prove p >=
 * 0 the unknowns are replaced one by one by whichever of their ends makes p
 * least; what is left is a polynomial of dimensions. Under conditions that are
 * polynomials b >= 0 themselves, p - m b >= 0 with m >= 0 is enough. What is
 * too large to be written down is not known. */
#ifndef NNCC_GRAPH_BOUND_H
#define NNCC_GRAPH_BOUND_H

#include "graph/graph.h"

enum { MAX_KNOWN = 8, MAX_FACTOR = 1 << 16 };

/* What a condition is taken for, and those around it. */
typedef struct Fact {
    const struct Fact *up;
    const Node *cond;
    bool when;
} Fact;

/* A number whose value is not known. */
typedef struct Unknown {
    Node *node;              /* NULL: a counter that is no node */
    const Dim *var, *extent; /* of a counter, or NULL */
    bool counter;
} Unknown;

/* A question and what is known. Start with bound_of. */
typedef struct Bound {
    Graph *g;
    /* Is n a counter: its variable and extent (or NULL: not known yet). */
    bool (*counter)(void *u, const Node *n, Unknown *to);
    void *u;
    Unknown unknown[MAX_UNKNOWNS];
    int n;
    const Dim *known[MAX_KNOWN]; /* at least 0 where the conditions hold */
    bool used[MAX_KNOWN];        /* in the proof under way */
    int nknown;
    int terms, products, steps; /* left */
} Bound;

Bound bound_of(Graph *g);
/* One more counter; its variable. */
const Dim *bound_counter(Bound *b, const Dim *extent);
/* n as a polynomial of dimensions and variables of unknowns; NULL: that is too
 * much to look at. */
const Dim *bound_form(Bound *b, Node *n);
/* Let the conditions hold from now on. */
void bound_assume(Bound *b, const Fact *f);
/* Is p at least 0 for all values of the unknowns, wherever what is known holds.
 */
bool bound_never_negative(Bound *b, const Dim *p);
bool bound_negative(Bound *b, const Dim *p); /* is it less */
/* Are p … p+reach-1 in 0 … d-1, likewise. */
bool bound_inside(Bound *b, const Dim *p, const Dim *reach, const Dim *d);
/* The greatest or least value of p as a dimension; *exact (true before): it is
 * reached. NULL: none is known. */
const Dim *bound_end(Bound *b, const Dim *p, bool most, bool *exact);
/* A dimension that is at least p, and never negative, whatever is empty; NULL:
 * there is none, or it is large without need. */
const Dim *bound_room(Graph *g, const Dim *p);
/* The unknown of p that stands for what the others do not depend on, or -1. */
int bound_last(const Bound *b, const Dim *p);

#endif
