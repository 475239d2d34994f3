/* routine.h: rows of class OPC_routine: matrices in, a matrix out, by a
 * function of routine/ that has the row's name. All arguments have the same
 * axes in front of their last two. */
#ifndef NNCC_OPS_ROUTINE_H
#define NNCC_OPS_ROUTINE_H

#include "graph/ops/ops.h"

/* What rows have in common: name, number of arguments, eval_one. */
#define ROUTINE(op, args, one)                                                 \
    .name = #op, .cls = OPC_routine, .arity = args, .infer = routine_infer,    \
    .eval_tensor = routine_eval, .eval_one = one, .form = routine_form,        \
    .batch = routine_batch, .steps = routine_steps

/* The rows (-2) or columns (-1) of an argument or result. */
const Dim *routine_side(const Node *x, int axis);
/* By the row's sizes, products and room. */
bool routine_infer(Graph *g, Node *n);
const Dim *routine_steps(Graph *g, const Node *n);
const Dim *routine_work(Graph *g, const Node *n);
int routine_form(const Node *n, Str *to);
Node *routine_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                    const bool *lead);

/* The row's eval_one for each of the matrices. */
void routine_eval(EvalTensor *e, const Node *n);
/* Rows i and j of a, which has n columns. */
void routine_swap(double *a, int64_t n, int64_t i, int64_t j);

#endif
