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

/* Reports that computing it takes tensors of too many. */
const Value *deriv_too_many_axes(Derivation *d);
const Value *deriv_jacobian(Derivation *d);
const Value *deriv_hessian(Derivation *d);
const Value *deriv_hessian_vector(Derivation *d);

/* sparse.c */

const Value *deriv_sparse_jacobian(Derivation *d);
const Value *deriv_sparse_hessian(Derivation *d);
/* How the values of a sparse matrix were made: see diff_sparse_values. */
typedef struct Placed {
    Node *unordered, *place;
} Placed;
const Placed *deriv_placed(Check *c, const Node *values);

#endif
