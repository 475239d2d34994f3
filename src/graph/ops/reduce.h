/* reduce.h: what reductions share. */
#ifndef NNCC_OPS_REDUCE_H
#define NNCC_OPS_REDUCE_H

#include "graph/ops/ops.h"

/* How a row begins, of what reduces elements of the types `on`. */
#define REDUCTION(op, on)                                                      \
    .name = #op, .cls = OPC_reduce, .arity = 1, .takes = (on),                 \
    .form = reduce_form, .batch = reduce_batch

bool reduce_has_axis(const Node *n, int axis);
/* The axes that remain, in order; how many. */
int reduce_kept_axes(const Node *n, int *kept);
/* y, of n's shape, repeated along the axes that n reduced. */
Node *reduce_restore(Graph *g, const Node *n, Node *y);
/* What the row says it takes. */
bool reduce_infer(Graph *g, Node *n);
Node *reduce_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                   const bool *lead);
Node *reduce_identity(Graph *g, const Node *n);
/* Calls visit for each element of the argument with the number of the result
 * it belongs to and its coordinates. */
void reduce_each(EvalTensor *e, const Node *n,
                 void (*visit)(EvalTensor *e, const Node *n, int64_t to,
                               double x, const int64_t *at));
void reduce_fill(EvalTensor *e, const Node *n, double v);
void reduce_eval(EvalTensor *e, const Node *n);
/* Printed form: max(x), max(x, axis = 0). */
int reduce_form(const Node *n, Str *to);

#endif
