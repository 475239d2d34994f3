/* nn_abi.h: what a module compiled by nncc and its callers agree on.
 *
 * Generated headers repeat this text under the same guard, so they stand
 * alone. Valid C99 and C++. */
#if defined(NN_ABI_VERSION) && NN_ABI_VERSION != 2
#error "headers of two ABI versions of nncc meet: compile all models with one"
#endif
#ifndef NN_ABI_2_H
#define NN_ABI_2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NN_ABI_VERSION 2
#define NN_ABI_MAGIC 0x4e4e4d31u /* "NNM1" */

/* What an exported function returns. */
enum nn_status {
    NN_OK = 0,
    NN_ERR_NULL = 1, /* a null pointer where data is needed */
    NN_ERR_DIM = 2,  /* a dimension negative, too large, or dividing by 0 */
    NN_ERR_WORKSPACE = 3, /* workspace null though needed, or not 64-byte
                             aligned */
    NN_ERR_INDEX = 4,     /* a label or index out of range */
    NN_ERR_NUMBER = 5     /* step: the loss or its gradient is infinite or not a
                             number; what step updates is as it was */
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

/* Where and why a call stopped; written with NN_ERR_DIM, NN_ERR_INDEX and
 * NN_ERR_NUMBER. */
typedef struct nn_error {
    uint32_t size; /* sizeof(nn_error) of the caller */
    int32_t place; /* index among the function's places, or -1 */
    int64_t index; /* an index or a size: is not in 0 ... limit - 1; what is no
                      number: 0, the loss; k, the gradient by leaf k - 1 of what
                      is trained */
    int64_t limit; /* of a size that divides by 0: 0 */
} nn_error;

/* May be null at every call. */
typedef struct nn_exec {
    uint32_t size; /* sizeof(nn_exec) of the caller */
    uint32_t reserved;
    void *context;
    /* If not null, runs body(arg, i) for all 0 <= i < n, in any order and on
     * any threads, and returns when all are done; results do not depend on
     * how. */
    void (*parallel_for)(void *context, int64_t n,
                         void (*body)(void *arg, int64_t i), void *arg);
    nn_error *error; /* may be null */
} nn_exec;

/* The descriptor. Each struct says its size, so that a later compiler may add
 * members at the end: what is beyond the size is not there. */

/* One tensor of a parameter or result. */
typedef struct nn_leaf {
    uint32_t size;     /* sizeof(nn_leaf) of the compiler */
    int32_t dtype;     /* enum nn_dtype */
    const char *path;  /* "hidden.W"; "" where the value is a bare tensor */
    int64_t offset;    /* bytes from the start of the C struct; 0 for a bare
                          tensor; -1 where the struct holds pointers */
    const char *shape; /* "[b, 10]", for people */
    int32_t rank;
    int32_t reserved;
} nn_leaf;

/* A parameter or result: a tensor, or a struct or tuple of them. */
typedef struct nn_port {
    uint32_t size;
    int32_t in_place; /* results: parameter that it overwrites, or -1 */
    const char *name;
    const char *type; /* as the source writes it: "Net", "real[b, 64]" */
    const nn_leaf *const *leaf;
    int32_t nleaf;
    int32_t has_value; /* parameters with a default */
    double value;
    uint64_t bytes; /* sizeof the C struct, 0 where it has no fixed size */
} nn_port;

/* What can stop a call. */
typedef struct nn_place {
    uint32_t size;
    int32_t status;   /* NN_ERR_DIM, NN_ERR_INDEX or NN_ERR_NUMBER */
    const char *file; /* of the source; "" where there is no line for it */
    int32_t line, column;
    const char *text; /* "y[t - 1]"; of a size "n - 5", or "workspace" */
} nn_place;

enum nn_function_kind {
    NN_FUNCTION = 0,
    NN_INIT = 1,
    NN_STEP = 2,
    NN_EVALUATE = 3,
    NN_UPDATE = 4,
    NN_CARRY = 5
};

typedef struct nn_function {
    uint32_t size;
    int32_t kind;     /* enum nn_function_kind */
    const char *name; /* without the module's prefix */
    int32_t nparam, nresult, ndim, nplace;
    const nn_port *const *param;
    const nn_port *const *result;
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
    const nn_place *const *place;
} nn_function;

/* What a module was trained on that has its parameters in it (nncc --with).
 * Features that were scaled or standardised then its functions take as they
 * are. */
typedef struct nn_fit {
    uint32_t size;
    int32_t nclass;
    int64_t nfeature;                /* numbers in a row */
    const char *const *class_name;   /* [nclass]: classes, or characters */
    const char *const *feature_name; /* [nfeature], or null: columns */
    const char *label_name;          /* or null */
} nn_fit;

/* A `train` item: what is called for it. */
typedef struct nn_train {
    uint32_t size;
    int32_t steps;    /* of it in a row, before those of the next item */
    const char *name; /* its loss's, or its own */
    int32_t init, step, evaluate; /* indices among the module's functions */
    int32_t reserved;
    int32_t update; /* by the gradients that steps have added up; -1: step alone
                       does it */
    int32_t carry;  /* 1 more than the index of what makes what the loss carries
                       on of what a step left in the train state; 0: none */
} nn_train;

typedef struct nn_module {
    uint32_t magic;       /* NN_ABI_MAGIC */
    uint32_t abi_version; /* NN_ABI_VERSION */
    uint32_t size;
    int32_t real; /* NN_F32 or NN_F64 */
    uint64_t source_hash;
    uint64_t interface_hash; /* NAME_INTERFACE of the generated header */
    const char *name;
    const nn_function *const *function;
    const char *metric; /* what evaluate's second result is called, or null */
    int32_t nfunction;
    int32_t ntrain;
    const nn_fit *fit;            /* or null */
    const nn_train *const *train; /* in the order of the source */
} nn_module;

#ifdef __cplusplus
}
#endif

#endif
