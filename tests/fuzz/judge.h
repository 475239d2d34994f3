/* judge.h: is a random program compiled right?
 *
 * Its functions and their derivatives (gradient, forward mode, Hessian times a
 * vector, reverse over reverse, a Jacobian, a Hessian) are evaluated at points
 * that are often edges: zeros of both signs, ties, infinities, NaN, no rows and
 * one.
 * - A program of the generator is right, so it must be accepted, and no index
 *   of it is ever outside.
 * - The graph has the values of one without identities and rules, where those
 *   are numbers.
 * - What the schedule of the simplified graph gives, and now and then machine
 *   code, is what the reference evaluator gives for the graph as it was made.
 * - Modes agree: <Jv, w> = <v, J'w>, a Hessian is symmetric, hvp its product.
 * - Now and then code in f32 gives nearly the same, where numbers are ordinary.
 * - Differences are taken of what the program is with the decisions that it
 *   makes at the point: the branches taken, the mean of what ties. Where those
 *   of several steps agree, that is smooth there, and its derivative is the
 *   difference. */
#ifndef NNCC_FUZZ_JUDGE_H
#define NNCC_FUZZ_JUDGE_H

#include "base/base.h"

/* NULL, or what is wrong: "KIND: …". The same for the same arguments. */
const char *judge(Arena *a, const char *text, bool machine_code);

#endif
