/* eval.h: the reference evaluator: slow, plain, float64. */
#ifndef NNCC_EVAL_H
#define NNCC_EVAL_H

#include "graph/graph.h"

typedef struct EvalInput {
    const Node *param;  /* an OP_param */
    const double *data; /* row-major */
} EvalInput;

/* EVAL_BAD_DIM: a size is negative, or all values together are too large. */
typedef enum EvalStatus { EVAL_OK, EVAL_BAD_INDEX, EVAL_BAD_DIM } EvalStatus;

/* The index that was out of range first: node's, and how many there are. */
typedef struct EvalStop {
    const Node *node;
    int64_t index, limit;
} EvalStop;

/* The values of roots, row-major, allocated in `a`; integers and bools as
 * their values (f32 nodes are computed in float64 too). var/val: dimension
 * variables and their sizes. */
EvalStatus eval_nodes(Arena *a, const Graph *g, int nroot, Node *const *root,
                      int ninput, const EvalInput *input, int nvar,
                      const Dim *const *var, const int64_t *val, double **out);

/* What a program decides at a point: what comparisons hold, how a sort orders,
 * what is rounded or stopped, which of two is the larger (of equals it is their
 * mean, or the constant). Another evaluation under the same decisions is one of
 * a function that is smooth there, if what it is made of is, and that has the
 * derivatives that the program has at the point. */
typedef struct EvalDecisions EvalDecisions;
EvalDecisions *eval_decisions(Arena *a);
/* Before the first evaluation: where a strong product is 0 because a factor is,
 * the other being infinite or NaN, it stays so. */
void eval_decide_zeros(EvalDecisions *d);
/* The same in other ways, as asked: */
typedef struct EvalHow {
    /* Sums, products and functions are rounded in another way, by their last
     * bit: how far the two are apart is how much the order of adding up
     * matters, and what is rounded once with what. */
    bool rounded;
    EvalDecisions *decisions; /* the first evaluation makes them, others follow;
                                 or NULL */
    EvalStop *stop;           /* after EVAL_BAD_INDEX, where; or NULL */
} EvalHow;
EvalStatus eval_as(Arena *a, const Graph *g, int nroot, Node *const *root,
                   int ninput, const EvalInput *input, int nvar,
                   const Dim *const *var, const int64_t *val,
                   const EvalHow *how, double **out);
/* Was something compared with its equal; was a real infinite or NaN; did a loop
 * make all its steps though it has a condition to end. */
bool eval_tied(const EvalDecisions *d);
bool eval_infinite(const EvalDecisions *d);
bool eval_unfinished(const EvalDecisions *d);

/* A tensor with its sizes; wide: the same of DT_i64 and DT_key, which float64
 * may not hold, or NULL. */
typedef struct EvalValue {
    double *x;
    int64_t *wide;
    const int64_t *size;
    int64_t count;
} EvalValue;
typedef struct EvalBound {
    const Node *param;
    const EvalValue *value;
} EvalBound;

/* One value of others that are known: each parameter is bound, and read where
 * it is. */
EvalStatus eval_value(Arena *a, const Graph *g, Node *root, int nbound,
                      const EvalBound *bound, int nvar, const Dim *const *var,
                      const int64_t *val, EvalValue *out, EvalStop *stop);

#endif
