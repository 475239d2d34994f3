/* tensor.c: arrays with a dtype and a shape. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
    [NN_BOOL] = {"bool", 1}, [NN_U8] = {"u8", 1},   [NN_I32] = {"int", 4},
    [NN_I64] = {"i64", 8},   [NN_F32] = {"f32", 4}, [NN_F64] = {"f64", 8},
    [NN_KEY] = {"key", 8},
};

static bool is_dtype(int dtype)
{
    return dtype >= 0 && dtype < (int)(sizeof dtypes / sizeof *dtypes);
}

size_t nncc_dtype_bytes(int dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].bytes : 0;
}

const char *nncc_dtype_name(int dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].name : "?";
}

int nncc_tensor_count(const nncc_tensor *t, int64_t *count, size_t *bytes)
{
    if (!t || !is_dtype(t->dtype))
        return nncc_fail(NN_ERR_ARGUMENT, "a tensor without a dtype");
    if (t->rank < 0 || t->rank > NNCC_MAX_RANK)
        return nncc_fail(NN_ERR_ARGUMENT, "a tensor of rank %d; 0 to %d exist",
                         t->rank, NNCC_MAX_RANK);

    int64_t n = 1, limit = PTRDIFF_MAX / 8;
    bool empty = false;

    for (int i = 0; i < t->rank; i++) {
        if (t->size[i] < 0)
            return nncc_fail(NN_ERR_ARGUMENT,
                             "a tensor of size %lld in axis %d",
                             (long long)t->size[i], i);
        empty |= t->size[i] == 0;
    }
    for (int i = 0; i < t->rank; i++) { /* also of parts of what is empty */
        if (t->size[i] == 0)
            continue;
        if (n > limit / t->size[i])
            return nncc_fail(NN_ERR_ARGUMENT, "a tensor larger than memory");
        n *= t->size[i];
    }
    if (empty)
        n = 0;
    if (count)
        *count = n;
    if (bytes)
        *bytes = (size_t)n * nncc_dtype_bytes(t->dtype);
    return NN_OK;
}

size_t nncc_tensor_bytes(const nncc_tensor *t)
{
    size_t bytes = 0;

    nncc_tensor_count(t, NULL, &bytes);
    return bytes;
}

bool nncc_same_shape(const nncc_tensor *a, const nncc_tensor *b)
{
    return a->rank == b->rank &&
           memcmp(a->size, b->size, (size_t)a->rank * sizeof *a->size) == 0;
}

int nncc_tensor_new(int dtype, int rank, const int64_t *size, nncc_tensor **out)
{
    nncc_tensor t = {.dtype = dtype, .rank = rank};
    size_t bytes;

    if (!out || (rank > 0 && !size))
        return nncc_fail(NN_ERR_ARGUMENT, "a tensor without sizes");
    for (int i = 0; i < rank && rank <= NNCC_MAX_RANK; i++)
        t.size[i] = size[i];
    int status = nncc_tensor_count(&t, NULL, &bytes);
    if (status)
        return status;

    nncc_tensor *made = nncc_alloc(1, sizeof *made, "a tensor");
    if (!made)
        return NN_ERR_MEMORY;
    t.data = nncc_alloc_aligned(bytes, "a tensor");
    if (!t.data) {
        free(made);
        return NN_ERR_MEMORY;
    }
    *made = t;
    *out = made;
    return NN_OK;
}

int nncc_tensor_copy(const nncc_tensor *t, nncc_tensor **out)
{
    size_t bytes = nncc_tensor_bytes(t);
    int status = nncc_tensor_new(t->dtype, t->rank, t->size, out);

    if (!status && bytes)
        memcpy((*out)->data, t->data, bytes);
    return status;
}

void nncc_tensor_free(nncc_tensor *t)
{
    if (!t)
        return;
    free(t->data);
    free(t);
}
