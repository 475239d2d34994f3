/* derive.h: a derivative being made. */
#ifndef NNCC_DERIVE_H
#define NNCC_DERIVE_H

#include "check/check_internal.h"

/* f on new inputs in place of what is differentiated by, and back. */
typedef struct Derivation {
    Check *c;
    const Fn *f;
    const Arguments *a;
    const Value **by; /* the arguments that it is by, as given */
    int nx;
    Node **x, **actual; /* leaves of the arguments: new inputs, and given */
    const Value *y;
    Node **y_leaf;
    int ny;
    bool direct; /* x is actual */
} Derivation;

/* The derivative part, whose leaves are dx, in the types of the arguments. */
const Value *deriv_like_arguments(Derivation *d, Node *const *dx);
/* Back to the given arguments: y's leaves, and n of dx. */
void deriv_put_back(Derivation *d, int n, Node **dx);
/* Leaves of the arguments that are tangents. */
Node **deriv_tangents(Derivation *d);

/* jacobian.c */

/* Seeds for a tensor: 1 at the element that the index says and 0 elsewhere, the
 * index being n scalar parameters for the axes that are not in the bits `all`;
 * along those it is 1 everywhere. */
typedef struct Units {
    Node *seed, *index[MAX_RANK];
    const Dim *dim[MAX_RANK];
    int n;
} Units;
Units deriv_units(Graph *g, const Node *like, unsigned all);
/* The roots for all values of the index: its axes come first. False after a
 * message. */
bool deriv_for_units(Derivation *d, const Units *u, int n, Node **root);
/* Which of two sizes is the smaller: one that does not grow with the data is,
 * of two others what is known of their difference tells. */
typedef enum Smaller { FIRST_SMALLER, SECOND_SMALLER, RUN_TELLS } Smaller;
Smaller deriv_smaller(Check *c, const Dim *a, const Dim *b);
/* Of a y that is one number: its derivatives by x. */
Node **deriv_gradient(Derivation *d);

const Value *deriv_jacobian(Derivation *d);
const Value *deriv_hessian(Derivation *d);
const Value *deriv_hessian_vector(Derivation *d);

/* Of the elements of some nodes: how many. */
const Dim *deriv_elements(Graph *g, int n, Node *const *x);

/* entries.c */

/* Derivatives along one axis, some of them at the same place, and of each its
 * row and column among all elements of y and x, from 1 up; 0: it is nowhere. */
typedef struct Entries {
    Node *value, *row, *column;
    bool apart; /* elements of y of their own depend on elements of x, so that
                   there are fewer than in a matrix */
} Entries;
/* Of y, which is of d->x. False after a message. */
bool deriv_entries(Derivation *d, int ny, Node *const *y, Entries *to);
/* A size in the shape of `like`. */
Node *deriv_size(Graph *g, const Node *like, const Dim *d);

/* dense.c: to[i * d->nx + j] is the derivative of y[i] by d->x[j], of both
 * their axes. False: there is nothing to gain, or a message. */
bool deriv_by_parts(Derivation *d, int ny, Node *const *y, Node **to);

/* sparse.c */

const Value *deriv_sparse_jacobian(Derivation *d);
const Value *deriv_sparse_hessian(Derivation *d);
/* How the values of a sparse matrix were made: of those before, in no order,
 * which are added at their places. */
typedef struct Placed {
    Node *result, *value, *place;
} Placed;
const Placed *deriv_placed(Check *c, const Node *result);
Node *deriv_values(Graph *g, Node *value, Node *place);

#endif
