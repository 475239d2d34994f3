/* nn_abi.h: what a module compiled by nncc and its callers agree on.
 *
 * Generated headers repeat this text under the same guard, so they stand
 * alone. Valid C99 and C++. */
#ifndef NN_ABI_H
#define NN_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NN_ABI_VERSION 1
#define NN_ABI_MAGIC 0x4e4e4d31u /* "NNM1" */

/* What an exported function returns. */
enum nn_status {
    NN_OK = 0,
    NN_ERR_NULL = 1, /* a null pointer where data is needed */
    NN_ERR_DIM = 2,  /* a dimension negative, too large, or dividing by 0 */
    NN_ERR_WORKSPACE = 3, /* workspace null though needed, or not 64-byte
                             aligned */
    NN_ERR_INDEX = 4      /* a label or index out of range */
};

enum nn_dtype {
    NN_BOOL = 0, /* one byte, 0 or 1 */
    NN_U8 = 1,
    NN_I32 = 2,
    NN_I64 = 3,
    NN_F32 = 4,
    NN_F64 = 5,
    NN_KEY = 6 /* 64 bits */
};

/* May be null at every call. parallel_for, if not null, runs body(arg, i) for
 * all 0 <= i < n, in any order and on any threads, and returns when all are
 * done; results do not depend on how. */
typedef struct nn_exec {
    uint32_t size; /* sizeof(nn_exec) of the caller */
    uint32_t reserved;
    void *context;
    void (*parallel_for)(void *context, int64_t n,
                         void (*body)(void *arg, int64_t i), void *arg);
} nn_exec;

/* One tensor of a parameter or result. */
typedef struct nn_leaf {
    const char *path; /* "hidden.W"; "" where the value is a bare tensor */
    int32_t dtype;    /* enum nn_dtype */
    int32_t rank;
    int64_t offset;    /* bytes from the start of the C struct; 0 for a bare
                          tensor; -1 where the struct holds pointers */
    const char *shape; /* "[b, 10]", for people */
} nn_leaf;

/* A parameter or result: a tensor, or a struct or tuple of them. */
typedef struct nn_port {
    const char *name;
    const char *type; /* as the source writes it: "Net", "real[b, 64]" */
    int32_t nleaf;
    int32_t in_place; /* results: parameter that it overwrites, or -1 */
    const nn_leaf *leaf;
    uint64_t bytes;    /* sizeof the C struct, 0 where it has no fixed size */
    int32_t has_value; /* parameters with a default */
    int32_t reserved;
    double value;
} nn_port;

enum nn_function_kind {
    NN_FUNCTION = 0,
    NN_INIT = 1,
    NN_STEP = 2,
    NN_EVALUATE = 3
};

typedef struct nn_function {
    const char *name; /* without the module's prefix */
    int32_t kind;     /* enum nn_function_kind */
    int32_t nparam, nresult, ndim;
    const nn_port *param, *result;
    const char *const *dim; /* names of the free dimensions */
    /* One pointer for every leaf: parameters' in order, then results' (those
     * of results that are in place are ignored). dims: ndim sizes. */
    int (*call)(void *const *leaf, const int64_t *dims, void *workspace,
                const nn_exec *exec);
    /* Bytes that `call` needs for these dimensions. */
    size_t (*workspace)(const int64_t *dims);
    /* All leaves' sizes along all their axes, one after another, in the order
     * of `call`'s leaves. */
    void (*sizes)(const int64_t *dims, int64_t *size);
} nn_function;

typedef struct nn_module {
    uint32_t magic;       /* NN_ABI_MAGIC */
    uint32_t abi_version; /* NN_ABI_VERSION */
    uint64_t source_hash;
    const char *name;
    int32_t nfunction;
    int32_t real; /* NN_F32 or NN_F64 */
    const nn_function *function;
    const char *metric; /* what evaluate's second result is called, or null */
} nn_module;

#ifdef __cplusplus
}
#endif

#endif
