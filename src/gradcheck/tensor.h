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
bool tensor_is_real(const nncc_tensor *t); /* f64 */
int64_t tensor_elements(const nncc_tensor *t);
void tensor_copy(const nncc_tensor *to, const nncc_tensor *from);

#endif
