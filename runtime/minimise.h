/* minimise.h: what the ways to minimise a function share. */
#ifndef NN_MINIMISE_H
#define NN_MINIMISE_H

#include "solve.h"

#include <stdlib.h>

typedef struct nncc_minimum {
    nncc_problem p;
    nncc_ready value_and_grad;
    nncc_solve_options o;
    nncc_solve_result now;
    double *x, *g; /* where it is, and the gradient there */
} nncc_minimum;

/* Value and gradient at x; where one of them is not finite the value is
 * infinite. */
int nncc_minimum_at(nncc_minimum *m, const double *x, double *value, double *g);
/* Is m->g as small as is asked for? m->now.gradient becomes its length. */
bool nncc_minimum_found(nncc_minimum *m);

/* From m->x, with value and gradient there. m->now.end is CONVERGED. */
int nncc_minimise_lbfgs(nncc_minimum *m);
int nncc_minimise_newton(nncc_minimum *m, const nn_function *hvp);

#endif
