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

enum { MAX_KNOWN = 8, MAX_SPLITS = 4, MAX_FACTOR = 1 << 16 };

/* A number whose value is not known. */
typedef struct Unknown {
    const Node *node;        /* NULL: a counter that is no node */
    const Dim *var, *extent; /* of a counter, or NULL */
    bool counter;
    const Dim *place[MAX_RANK]; /* which element of it */
} Unknown;

/* A part of an index that is asked for only where cond holds. */
typedef struct Asked {
    const Node *cond;
    const Dim *place[MAX_RANK];
} Asked;

/* A part of an index that is to be in 0 … d-1. */
typedef struct Checked {
    const Dim *p, *d;
} Checked;

/* One of two conditions is `when`. */
typedef struct Split {
    const Node *either[2];
    bool when;
    const Dim *place[MAX_RANK];
} Split;

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
    Split split[MAX_SPLITS];
    int nsplit, cases;          /* cases that may still be told apart */
    int terms, products, steps; /* left */
    bool unmask; /* see through masks and checks of indices; these: */
    Asked asked[MAX_KNOWN];
    Checked part[MAX_KNOWN];
    int nasked, npart;
} Bound;

Bound bound_of(Graph *g);
/* Counters for the places of n along its axes. */
void bound_places(Bound *b, const Node *n, const Dim **place);
/* The element of n at a place (NULL: of a scalar) as a polynomial of dimensions
 * and variables of unknowns; NULL: that is too much to look at. */
const Dim *bound_form(Bound *b, const Node *n, const Dim *const *place);
/* Let the condition hold at that place from now on. */
void bound_assume(Bound *b, const Node *cond, const Dim *const *place);
/* Is p at least 0 for all values of the unknowns, wherever what is known holds.
 */
bool bound_never_negative(Bound *b, const Dim *p);
bool bound_negative(Bound *b, const Dim *p); /* is it less */
/* Are p … p+reach-1 in 0 … d-1, likewise. */
bool bound_inside(Bound *b, const Dim *p, const Dim *reach, const Dim *d);
/* Let the parts of what was unmasked be asked for from now on; are they inside
 * then. */
bool bound_asked(Bound *b);
/* Are all elements of n in 0 … d-1. */
bool bound_all_inside(Graph *g, const Node *n, const Dim *d);
/* The greatest or least value of p as a dimension; *exact (true before): it is
 * reached. NULL: none is known. */
const Dim *bound_end(Bound *b, const Dim *p, bool most, bool *exact);
/* Room for places from lo to hi-1 on both sides of 0 … d-1; false: not known.
 */
bool bound_rooms(Graph *g, const Dim *lo, const Dim *hi, const Dim *d,
                 const Dim **below, const Dim **above);
/* The unknown of p that stands for what the others do not depend on, or -1. */
int bound_last(const Bound *b, const Dim *p);

#endif
