/* solve.h: what libnn's solvers share: functions of a module as functions of
 * one vector of f64, and small dense linear algebra. */
#ifndef NN_SOLVE_H
#define NN_SOLVE_H

#include "nn_internal.h"

/* problem.c */

/* A tensor of reals that is solved for: elements at … of the vector. */
typedef struct nncc_unknown {
    int leaf; /* of the lead function */
    const char *param;
    int index; /* of the parameter's leaves */
    int64_t at, n;
    nncc_tensor value, tangent; /* of the model's dtype */
} nncc_unknown;

typedef struct nncc_problem {
    nncc_model *m;
    const nn_function *lead; /* its arguments are those given */
    nncc_tensor *const *leaf;
    const int64_t *dims; /* of lead, or NULL */
    const nn_exec *exec;
    nncc_unknown *unknown;
    int nunknown;
    int64_t n; /* elements of the vector */
    int64_t calls;
} nncc_problem;

/* A function of the model with its arguments in place. */
typedef struct nncc_ready {
    const nn_function *f;
    int64_t *dims;
    void **leaf;
    nncc_tensor **result; /* of each leaf of a result */
    int nresult;
} nncc_ready;

/* What is solved for are the parameters of `lead` that results of `by` are
 * named after, behind prefix: "d_" of a value_and_grad. */
int nncc_problem_new(nncc_model *m, const nn_function *lead,
                     const nn_function *by, const char *prefix,
                     nncc_tensor *const *leaf, const int64_t *dims,
                     const nn_exec *exec, nncc_problem *p);
void nncc_problem_free(nncc_problem *p);
/* f's parameters are lead's, by name, or tangents of what is solved for. */
int nncc_ready_new(const nncc_problem *p, const nn_function *f, nncc_ready *r);
void nncc_ready_free(nncc_ready *r);
/* Calls it at x, along v (or null). */
int nncc_ready_call(nncc_problem *p, nncc_ready *r, const double *x,
                    const double *v);
/* Numbers of the results that are named after what is solved for: rows of p->n
 * each. NN_ERR_SHAPE where they are not `rows` for each element. */
int nncc_ready_gather(const nncc_problem *p, const nncc_ready *r,
                      const char *prefix, int64_t rows, double *to);
/* The start, and the solution to where the caller has it. */
void nncc_problem_start(const nncc_problem *p, double *x);
void nncc_problem_finish(const nncc_problem *p, const double *x);
/* The options with defaults filled in; tolerance: that of f64. NN_ERR_ARGUMENT.
 */
int nncc_solve_defaults(const nncc_problem *p, const nncc_solve_options *in,
                        double tolerance, nncc_solve_options *to);
/* Tells the callback; true: it ends the solving. */
bool nncc_solve_tell(const nncc_solve_options *o, const nncc_solve_result *r);

/* linear.c: row-major matrices */

double nncc_dot(int64_t n, const double *a, const double *b);
/* Does not overflow; of what is not finite neither. */
double nncc_norm(int64_t n, const double *a);
/* a[m][n], m >= n, becomes R in its upper triangle; b[m] becomes Q'b. */
void nncc_qr(int64_t m, int64_t n, double *a, double *b);
/* x with R x = b; false where a diagonal element is 0. x may be b. */
bool nncc_back_substitute(int64_t n, const double *r, int64_t step,
                          const double *b, double *x);

#endif
