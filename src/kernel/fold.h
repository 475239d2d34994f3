/* fold.h: values that are known while compiling. */
#ifndef NNCC_FOLD_H
#define NNCC_FOLD_H

#include "kernel/sched.h"

/* An elementwise operator of integer or truth values v; false: it is not known
 * what it gives, as its result is a real or may be a bad index. */
bool fold_number(OpId op, DType t, const Node *n, const int64_t *v,
                 int64_t *to);
/* As constants: an integer in the type t, an element of an array of data. */
const Node *fold_int(Graph *g, DType t, int64_t v);
const Node *fold_data(Graph *g, const Node *data, int64_t at);
/* The part of a concat that has the place `at` along its axis, and where that
 * part begins; NULL: unknown. */
Node *fold_part(const Node *concat, const Index *at, int64_t *first);

#endif
