/* bound_internal.h: what the files of the prover share. */
#ifndef NNCC_BOUND_INTERNAL_H
#define NNCC_BOUND_INTERNAL_H

#include "graph/bound.h"

/* bound.c */

const Dim *bound_less(Bound *b, const Dim *d, int64_t by);
const Dim *bound_minus(Bound *b, const Dim *d);
const Dim *bound_counter(Bound *b, const Dim *extent); /* a new one's */
/* Is it no constant, or one within MAX_FACTOR. */
bool bound_is_small(const Dim *d);
/* bound_form without care for what is too large. */
const Dim *bound_read(Bound *b, const Node *n, const Dim *const *place);
/* The node that n, a view, shows, and where. */
const Node *bound_seen(Bound *b, const Node *n, const Dim **at);

/* bound_prove.c */

bool bound_prove(Bound *b, const Dim *p);
/* Where one of two conditions holds, both must do. */
bool bound_prove_by_cases(Bound *b, const Dim *p);
/* Of dimensions, wherever counters have values. */
bool bound_positive(Bound *b, const Dim *p);
/* The constant or dimension that n is, at least 1 wherever it matters. */
const Dim *bound_divisor(Bound *b, const Node *n);
/* The ends of an unknown that lies between dimensions. */
bool bound_ends_of(Bound *b, const Unknown *x, const Dim **lo, const Dim **hi);
bool bound_is_choice(const Node *n);
/* The two values that a choice is one of; is it by a condition. */
bool bound_choices(Bound *b, const Unknown *c, const Dim **x, const Dim **y);
/* What follows from a condition being `when`. */
void bound_learn(Bound *b, const Node *cond, const Dim *const *place,
                 bool when);

#endif
