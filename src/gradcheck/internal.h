/* internal.h: what the files of gradcheck/ share with each other only. */
#ifndef NNCC_GRADCHECK_INTERNAL_H
#define NNCC_GRADCHECK_INTERNAL_H

#include "eval/eval.h"
#include "gradcheck/gradcheck.h"
#include "gradcheck/tensor.h"

/* points.c: arguments to check a function at */

/* A compiled function with arguments of its own. */
typedef struct Instance {
    const nn_function *f;
    int nparam, nleaf; /* leaves */
    nncc_tensor **leaf;
    int64_t *dims;
} Instance;

typedef struct Points {
    Arena *arena;
    const GradcheckOptions *o;
    nncc_model *model;
    nncc_rng rng;
    bool too_large;    /* the function that was tried last */
    bool stopped;      /* by a value that was given */
    const char *error; /* why; NULL: the caller knows */
} Points;

typedef struct Reference Reference;

/* A derivative (or any function) and what it is of, and their common
 * arguments. */
typedef struct Pair {
    Function *f;
    const char *expression; /* that the primal is, if not its name */
    Instance d, primal, base;
    int nvalue;      /* leaves of the primal's results */
    bool first_only; /* vjp's adjoint is that of the first leaf alone */
    const Reference *reference;
    EvalDecisions *decided; /* under which the primal is called, evaluated; or
                               NULL: the compiled one is */
} Pair;

Instance instance_new(Points *ps, const nn_function *f);
void instance_free(Instance *s);
int instance_call(Points *ps, Instance *s);
/* The leaf of a result: its own, or the parameter's that it overwrote. */
const nncc_tensor *instance_result(const Instance *s, int result, int k);

/* Arguments in p->base, called in p->d and, where there is one, p->primal.
 * `number` counts through sizes and ways to draw; ordinary points are tried
 * until all results are finite; the number after it, or -1: there are no more,
 * and *status says why the last were refused. */
int point_next(Points *ps, Pair *p, int number, int *status);
/* From where in that count on sizes are others than those of the point before
 * `number`. */
int point_resized(int number);
/* The edge number k: zeros, ties, infinities, NaN, no rows and one. False where
 * the functions cannot be called there. */
enum { EDGES = 24 };
bool point_edge(Points *ps, Pair *p, int k);
/* Is each real argument at p->base a number. */
bool point_is_finite(const Pair *p);
/* Calls the functions at p->base again; false: they cannot be. */
bool point_again(Points *ps, Pair *p);
/* Moves p->base a little, all of it; false: the functions cannot be called. */
bool point_shift(Points *ps, Pair *p);

/* A standard normal number. */
double points_normal(Points *ps);

/* differences.c: a derivative against central differences */

typedef enum Verdict {
    VERDICT_right,
    VERDICT_off,
    VERDICT_unjudged, /* differences cannot tell: a kink, a pole, noise */
} Verdict;

/* Directions at p->base, by parameter number k of those differentiated by,
 * whose leaves in the result begin at `at`. *error: the largest. */
Verdict difference_verdict(Points *ps, Pair *p, int k, int at, double *error);
/* The derivative by it along random directions against that of `other`, a
 * function of that model, which is jvp of the same by the same parameters. */
double difference_of_modes(Points *ps, Pair *p, int k, int at,
                           nncc_model *model, Instance *other);

/* Does the function's value come before its derivative. */
bool pair_with_value(const Pair *p);
/* Where a matrix keeps its row `row` by the parameter number k. */
int pair_matrix_leaf(const Pair *p, int row, int k);
bool pair_is_matrix(const Pair *p);

/* reference.c */

struct Reference {
    Arena *arena;
    const Module *module;
    Node *const *root; /* the function's results, before any pass */
    int nroot;
    Node *const *primal; /* the same of what it is the derivative of, or NULL */
    const char *stopped; /* an index that is outside where the compiled one is
                            not; or NULL */
};
/* How far the function's results are off at p->base; numbers: only where the
 * evaluator's is one. False: too large to evaluate. */
bool reference_error(Reference *r, const Pair *p, bool numbers, double *error);
/* Calls the primal with its arguments as p->decided was; false: it cannot be.
 */
bool reference_beside(Pair *p);
/* How far apart the evaluator's results are when sums are rounded otherwise. */
double reference_sensitivity(const Reference *r, const Pair *p);

#endif
