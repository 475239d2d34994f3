/* tensor.c: elements of the runtime's tensors, as numbers. */
#include "gradcheck/tensor.h"

#include <string.h>

double tensor_get(const nncc_tensor *t, int64_t i)
{
    switch ((enum nn_dtype)t->dtype) {
    case NN_BOOL:
    case NN_U8:
        return ((const uint8_t *)t->data)[i];
    case NN_I32:
        return ((const int32_t *)t->data)[i];
    case NN_I64:
    case NN_KEY:
        return (double)((const int64_t *)t->data)[i];
    case NN_F32:
        return ((const float *)t->data)[i];
    case NN_F64:
        return ((const double *)t->data)[i];
    }
    return 0;
}

void tensor_set_int(const nncc_tensor *t, int64_t i, int64_t v)
{
    switch ((enum nn_dtype)t->dtype) {
    case NN_BOOL:
    case NN_U8:
        ((uint8_t *)t->data)[i] = (uint8_t)v;
        break;
    case NN_I32:
        ((int32_t *)t->data)[i] = (int32_t)v;
        break;
    case NN_I64:
    case NN_KEY:
        ((int64_t *)t->data)[i] = v;
        break;
    case NN_F32:
        ((float *)t->data)[i] = (float)v;
        break;
    case NN_F64:
        ((double *)t->data)[i] = (double)v;
        break;
    }
}

void tensor_set(const nncc_tensor *t, int64_t i, double v)
{
    if (t->dtype == NN_F32)
        ((float *)t->data)[i] = (float)v;
    else if (t->dtype == NN_F64)
        ((double *)t->data)[i] = v;
    else
        tensor_set_int(t, i, (int64_t)v);
}

bool tensor_is_real(const nncc_tensor *t)
{
    return t->dtype == NN_F32 || t->dtype == NN_F64;
}

bool tensor_is_f64(const nncc_tensor *t) { return t->dtype == NN_F64; }

int64_t tensor_row(const nncc_tensor *t)
{
    int64_t n = 1;

    for (int i = 1; i < t->rank; i++)
        n *= t->size[i];
    return n;
}

int64_t tensor_elements(const nncc_tensor *t)
{
    int64_t n = 0;

    nncc_tensor_count(t, &n, NULL);
    return n;
}

void tensor_copy(const nncc_tensor *to, const nncc_tensor *from)
{
    size_t bytes = 0;

    nncc_tensor_count(from, NULL, &bytes);
    if (bytes)
        memcpy(to->data, from->data, bytes);
}
