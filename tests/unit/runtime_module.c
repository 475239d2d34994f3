/* runtime_module.c: a module written by hand, for test_runtime.c: softmax
 * regression in plain C behind the descriptor that nncc emits. Compiled at
 * test time with -D options for its variants. */
#include "nn_abi.h"

#include <math.h>
#include <string.h>

#ifndef REAL
#define REAL float
#define REAL_DTYPE NN_F32
#endif
#ifndef FEATURES
#define FEATURES 4
#endif
#ifndef CLASSES
#define CLASSES 3
#endif
#ifndef MAGIC
#define MAGIC NN_ABI_MAGIC
#endif
#ifndef VERSION
#define VERSION NN_ABI_VERSION
#endif
#ifndef NAME
#define NAME blob_module
#endif
#ifndef EVALUATE_KIND
#define EVALUATE_KIND NN_EVALUATE
#endif
#ifdef IMAGES /* x is [b, FEATURES / 2, 2] */
#define X_RANK 3
#define X_AXES FEATURES / 2, 2
#else
#define X_RANK 2
#define X_AXES FEATURES
#endif

typedef struct Net {
    _Alignas(64) REAL W[FEATURES][CLASSES];
    _Alignas(64) REAL b[CLASSES];
} Net;

typedef struct State {
    _Alignas(64) REAL steps;
} State;

/* Scores into s[CLASSES], softmax there; returns -log of the label's. */
static REAL forward(const REAL *W, const REAL *b, const REAL *x, int y, REAL *s)
{
    REAL most = -INFINITY, sum = 0;

    for (int k = 0; k < CLASSES; k++) {
        s[k] = b[k];
        for (int i = 0; i < FEATURES; i++)
            s[k] += x[i] * W[i * CLASSES + k];
        most = s[k] > most ? s[k] : most;
    }
    for (int k = 0; k < CLASSES; k++)
        sum += s[k] = (REAL)exp(s[k] - most);
    for (int k = 0; k < CLASSES; k++)
        s[k] /= sum;
    return y < 0 ? 0 : (REAL)-log(s[y]);
}

static int bad_label(const nn_exec *exec, int32_t label)
{
    nn_error *error = exec ? exec->error : NULL;

    if (error) {
        error->place = 0;
        error->index = label;
        error->limit = CLASSES;
    }
    return NN_ERR_INDEX;
}

/* net.W, net.b, state.steps, x, y, lr, loss */
static int step(void *const *leaf, const int64_t *dims, void *workspace,
                const nn_exec *exec)
{
    REAL *W = leaf[0], *b = leaf[1], *steps = leaf[2], *g = workspace;
    const REAL *x = leaf[3], *lr = leaf[5];
    const int32_t *y = leaf[4];
    REAL loss = 0, s[CLASSES];

    for (int64_t r = 0; r < dims[0]; r++)
        if (y[r] < 0 || y[r] >= CLASSES)
            return bad_label(exec, y[r]);
    if (!workspace || (uintptr_t)workspace % 64)
        return NN_ERR_WORKSPACE;
    memset(g, 0, sizeof(REAL) * CLASSES * (FEATURES + 1));
    for (int64_t r = 0; r < dims[0]; r++) {
        loss += forward(W, b, x + r * FEATURES, y[r], s);
        for (int k = 0; k < CLASSES; k++) {
            REAL d = (s[k] - (y[r] == k)) / (REAL)dims[0];
            for (int i = 0; i < FEATURES; i++)
                g[i * CLASSES + k] += d * x[r * FEATURES + i];
            g[FEATURES * CLASSES + k] += d;
        }
    }
    for (int i = 0; i < FEATURES * CLASSES; i++)
        W[i] -= *lr * g[i];
    for (int k = 0; k < CLASSES; k++)
        b[k] -= *lr * g[FEATURES * CLASSES + k];
    *steps += 1;
    *(REAL *)leaf[6] = loss / (REAL)dims[0];
    return NN_OK;
}

/* net.W, net.b, x, y, loss, accuracy */
static int evaluate(void *const *leaf, const int64_t *dims, void *workspace,
                    const nn_exec *exec)
{
    const REAL *x = leaf[2];
    const int32_t *y = leaf[3];
    REAL loss = 0, right = 0, s[CLASSES];

    (void)workspace;
    for (int64_t r = 0; r < dims[0]; r++) {
        if (y[r] < 0 || y[r] >= CLASSES)
            return bad_label(exec, y[r]);
        loss += forward(leaf[0], leaf[1], x + r * FEATURES, y[r], s);
        int best = 0;
        for (int k = 1; k < CLASSES; k++)
            best = s[k] > s[best] ? k : best;
        right += best == y[r];
    }
    *(REAL *)leaf[4] = loss / (REAL)dims[0];
    *(REAL *)leaf[5] = right / (REAL)dims[0];
    return NN_OK;
}

/* seed, net.W, net.b, state.steps */
static int init(void *const *leaf, const int64_t *dims, void *workspace,
                const nn_exec *exec)
{
    uint64_t seed;

    (void)dims;
    (void)workspace;
    (void)exec;
    memcpy(&seed, leaf[0], sizeof seed);
    for (int i = 0; i < FEATURES * CLASSES; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        ((REAL *)leaf[1])[i] = (REAL)((double)(seed >> 40) / 16777216.0 * 0.01);
    }
    for (int k = 0; k < CLASSES; k++)
        ((REAL *)leaf[2])[k] = 0;
    *(REAL *)leaf[3] = 0;
    return NN_OK;
}

/* x [n + 1], z [2*h], out [n, h]: x[i] * z[2*j] */
static int outer(void *const *leaf, const int64_t *dims, void *workspace,
                 const nn_exec *exec)
{
    const REAL *x = leaf[0], *z = leaf[1];
    REAL *out = leaf[2];

    (void)workspace;
    (void)exec;
    for (int64_t i = 0; i < dims[0]; i++)
        for (int64_t j = 0; j < dims[1]; j++)
            out[i * dims[1] + j] = x[i] * z[2 * j];
    return NN_OK;
}

static size_t no_workspace(const int64_t *dims)
{
    (void)dims;
    return 0;
}

static size_t step_workspace(const int64_t *dims)
{
    (void)dims;
    return sizeof(REAL) * CLASSES * (FEATURES + 1);
}

static void init_sizes(const int64_t *dims, int64_t *size)
{
    (void)dims;
    size[0] = FEATURES;
    size[1] = CLASSES;
    size[2] = CLASSES;
}

#ifdef FIXED_BATCH
#define BATCH(dims) ((void)(dims), FIXED_BATCH)
#define NBATCH 0
#else
#define BATCH(dims) ((dims)[0])
#define NBATCH 1
#endif

static void step_sizes(const int64_t *dims, int64_t *size)
{
    const int64_t all[] = {FEATURES,    CLASSES,  CLASSES, BATCH(dims), X_AXES,
                           BATCH(dims), FEATURES, CLASSES, CLASSES};

    memcpy(size, all, sizeof all);
}

static void evaluate_sizes(const int64_t *dims, int64_t *size)
{
    const int64_t all[] = {FEATURES,    CLASSES, CLASSES,
                           BATCH(dims), X_AXES,  BATCH(dims)};

    memcpy(size, all, sizeof all);
}

static void outer_sizes(const int64_t *dims, int64_t *size)
{
    const int64_t all[] = {dims[0] + 1, 2 * dims[1], dims[0], dims[1]};

    memcpy(size, all, sizeof all);
}

#ifdef FIXED_BATCH
static int fixed_step(void *const *leaf, const int64_t *dims, void *workspace,
                      const nn_exec *exec)
{
    int64_t b = FIXED_BATCH;

    (void)dims;
    return step(leaf, &b, workspace, exec);
}

static int fixed_evaluate(void *const *leaf, const int64_t *dims,
                          void *workspace, const nn_exec *exec)
{
    int64_t b = FIXED_BATCH;

    (void)dims;
    return evaluate(leaf, &b, workspace, exec);
}
#define STEP fixed_step
#define EVALUATE fixed_evaluate
#else
#define STEP step
#define EVALUATE evaluate
#endif

/* A later compiler's structs may be longer. */
#ifdef LONGER
#define LATER(type)                                                            \
    struct {                                                                   \
        type now;                                                              \
        double later;                                                          \
    }
#else
#define LATER(type)                                                            \
    struct {                                                                   \
        type now;                                                              \
    }
#endif
#define LEAF(...)                                                              \
    &((const LATER(nn_leaf)){.now = {sizeof(LATER(nn_leaf)), __VA_ARGS__}}).now
#define PORT(...)                                                              \
    &((const LATER(nn_port)){.now = {sizeof(LATER(nn_port)), __VA_ARGS__}}).now
#define FUNCTION(...)                                                          \
    &((const LATER(nn_function)){                                              \
          .now = {sizeof(LATER(nn_function)), __VA_ARGS__}})                   \
         .now

static const nn_leaf *const net_leaf[] = {
    LEAF(REAL_DTYPE, "W", offsetof(Net, W), "[4, 3]", 2, 0),
    LEAF(REAL_DTYPE, "b", offsetof(Net, b), "[3]", 1, 0),
};
static const nn_leaf *const state_leaf[] = {
    LEAF(REAL_DTYPE, "steps", offsetof(State, steps), "[]", 0, 0),
};
static const nn_leaf *const x_leaf[] = {
    LEAF(REAL_DTYPE, "", 0, "[b, 4]", X_RANK, 0)};
static const nn_leaf *const y_leaf[] = {LEAF(NN_I32, "", 0, "[b]", 1, 0)};
static const nn_leaf *const real_leaf[] = {LEAF(REAL_DTYPE, "", 0, "[]", 0, 0)};
static const nn_leaf *const key_leaf[] = {LEAF(NN_KEY, "", 0, "[]", 0, 0)};

#define NET(in_place)                                                          \
    PORT(in_place, "net", "Net", net_leaf, 2, 0, 0, sizeof(Net))
#define STATE(in_place)                                                        \
    PORT(in_place, "state", "State", state_leaf, 1, 0, 0, sizeof(State))
#define X PORT(-1, "x", "real[b, 4]", x_leaf, 1, 0, 0, 0)
#define Y PORT(-1, "y", "int[b]", y_leaf, 1, 0, 0, 0)
#define NUMBER(name, has, value)                                               \
    PORT(-1, name, "real", real_leaf, 1, has, value, sizeof(REAL))

static const nn_port *const init_param[] = {
    PORT(-1, "seed", "key", key_leaf, 1, 0, 0, 8)};
static const nn_port *const init_result[] = {NET(-1), STATE(-1)};
static const nn_port *const step_param[] = {NET(-1), STATE(-1), X, Y,
                                            NUMBER("lr", 1, 0.1)};
static const nn_port *const step_result[] = {NUMBER("loss", 0, 0), NET(0),
                                             STATE(1)};
static const nn_port *const evaluate_param[] = {NET(-1), X, Y};
static const nn_port *const evaluate_result[] = {NUMBER("loss", 0, 0),
                                                 NUMBER("accuracy", 0, 0)};
static const nn_leaf *const outer_leaf[] = {
    LEAF(REAL_DTYPE, "", 0, "[n + 1]", 1, 0),
    LEAF(REAL_DTYPE, "", 0, "[2*h]", 1, 0),
    LEAF(REAL_DTYPE, "", 0, "[n, h]", 2, 0),
};
static const nn_port *const outer_param[] = {
    PORT(-1, "x", "real[n + 1]", &outer_leaf[0], 1, 0, 0, 0),
    PORT(-1, "z", "real[2*h]", &outer_leaf[1], 1, 0, 0, 0),
};
static const nn_port *const outer_result[] = {
    PORT(-1, "out", "real[n, h]", &outer_leaf[2], 1, 0, 0, 0),
};
static const char *const b_dim[] = {"b"};
static const char *const outer_dim[] = {"n", "h"};

static const nn_place label_place = {
    sizeof(nn_place), NN_ERR_INDEX, "blob.nn", 7, 3, "s[y[i]]"};
static const nn_place *const label_places[] = {&label_place};

static const nn_function *const function[] = {
    FUNCTION(NN_INIT, "init", 1, 2, 0, 0, init_param, init_result, NULL, init,
             no_workspace, init_sizes, NULL),
    FUNCTION(NN_STEP, "step", 5, 3, NBATCH, 1, step_param, step_result, b_dim,
             STEP, step_workspace, step_sizes, label_places),
    FUNCTION(EVALUATE_KIND, "evaluate", 3, 2, NBATCH, 1, evaluate_param,
             evaluate_result, b_dim, EVALUATE, no_workspace, evaluate_sizes,
             label_places),
    FUNCTION(NN_FUNCTION, "outer", 2, 1, 2, 0, outer_param, outer_result,
             outer_dim, outer, no_workspace, outer_sizes, NULL),
};

#ifndef MODULE_SIZE
#define MODULE_SIZE sizeof(nn_module)
#endif
static const nn_module module = {
    .magic = MAGIC,
    .abi_version = VERSION,
    .size = MODULE_SIZE,
    .real = REAL_DTYPE,
    .source_hash = 42,
    .name = "blob",
    .function = function,
    .metric = "accuracy",
    .nfunction = 4,
};

const nn_module *NAME(void);
const nn_module *NAME(void) { return &module; }

#ifdef SECOND
const nn_module *SECOND(void);
const nn_module *SECOND(void) { return &module; }
#endif
