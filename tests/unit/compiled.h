/* compiled.h: functions made of graph nodes, as machine code for one CPU level
 * or another, called on memory that ends at a fence. */
#ifndef NNCC_TEST_COMPILED_H
#define NNCC_TEST_COMPILED_H

#include "check/check.h"
#include "emit/emit.h"
#include "eval/eval.h"
#include "graph/ops/ops.h"

enum { MAX_VARS = 3, LEVELS = 4, MAX_SIZE = 70 };

/* What --cpu may be told; "native" alone where this is no x86. */
const char *level_name(int level);
/* As runs_here() and lacks() of harness.h. */
bool level_runs_here(int level);
bool level_lacks(int level);

typedef struct Compiled {
    Arena *arena;
    Graph *graph;
    Module module;
    const Dim *var[MAX_VARS]; /* the free dimensions of all functions */
    int nvar;
    LIST(Node **) root; /* each function's results before simplification */
    Jit *jit;
} Compiled;

Compiled *compiled_new(int nvar);
void compiled_free(Compiled *c);
/* A function of these parameters and results; its number. */
int compiled_add(Compiled *c, int nparam, Node *const *param, int nresult,
                 Node *const *result);
/* Through simplifier, scheduler and code generator. */
void compiled_make(Compiled *c, int level);

/* What p exports: functions of one free dimension, whose parameters and results
 * have one leaf each. */
Compiled compiled_program(Arena *a, Program *p, int level);

/* Memory that can neither be read nor written past its end. */
typedef struct Fence Fence;
Fence *fence_new(size_t bytes);
void fence_free(Fence *f);
/* Its last `bytes` bytes. */
void *fence_last(Fence *f, size_t bytes);

/* Calls function i on `leaf`, parameters first. The status. */
int compiled_call(Compiled *c, int i, const int64_t *size, void *const *leaf,
                  Fence *workspace);
int compiled_run(Compiled *c, int i, const int64_t *size, void *const *leaf,
                 Fence *workspace, const nn_exec *exec);

int64_t node_elements(const Compiled *c, const Node *n, const int64_t *size);

/* Memory for function i of a compiled program: parameters, then results, before
 * each a fringe that is not written and after it a fence. */
enum { MAX_LEAVES = 8 };
typedef struct Leaves {
    int n;
    const Node *node[MAX_LEAVES];
    int64_t count[MAX_LEAVES];
    void *at[MAX_LEAVES];
    Fence *fence[MAX_LEAVES];
} Leaves;
Leaves leaves_new(Compiled *c, int i, int64_t size);
void leaves_call(Compiled *c, int i, int64_t size, const Leaves *l);
void leaves_free(Leaves *l);

/* Function i of a compiled program, of multiples of 1/32 from -1 to 1 and
 * integers from -32 to 31, gives what the reference evaluator does: see is_near
 * for scale. */
void ck_like_reference(Compiled *c, int i, int64_t size, double scale);

/* Elements of memory as numbers. */
void put_number(DType t, void *to, int64_t i, double v);
double get_number(DType t, const void *from, int64_t i);
/* v as a number that t can hold. */
double as_number(DType t, double v);

/* Is `got` the reference value, where terms of magnitude `scale` were rounded?
 */
bool is_near(DType t, double got, double want, double scale);

/* A number that depends on i alone, in 0 … n-1. */
int scatter(uint64_t i, int n);

#endif
