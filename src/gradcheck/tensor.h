/* tensor.h: elements of the runtime's tensors, as numbers. */
#ifndef NNCC_GRADCHECK_TENSOR_H
#define NNCC_GRADCHECK_TENSOR_H

#include "nn.h"

#include <stdbool.h>

/* The element i of t. */
double tensor_get(const nncc_tensor *t, int64_t i);
void tensor_set(const nncc_tensor *t, int64_t i, double v);
/* The same of an integer that a double may not hold. */
void tensor_set_int(const nncc_tensor *t, int64_t i, int64_t v);
bool tensor_is_real(const nncc_tensor *t);
bool tensor_is_f64(const nncc_tensor *t);
int64_t tensor_elements(const nncc_tensor *t);
int64_t tensor_row(const nncc_tensor *t); /* of one along the first axis */
void tensor_copy(const nncc_tensor *to, const nncc_tensor *from);

#endif
