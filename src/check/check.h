/* check.h: from the program as written to the graph: names, types, shapes,
 * derivatives, exports. The only room that sees both. */
#ifndef NNCC_CHECK_H
#define NNCC_CHECK_H

#include "graph/graph.h"
#include "module/module.h"
#include "syntax/ast.h"

typedef struct CheckOptions {
    DType real; /* DT_f32 or DT_f64 */
    /* --dim name=value, --max name=value */
    const char *const *dim_name;
    const int64_t *dim_value;
    int ndim;
    const char *name; /* of the module; NULL: from the file's name */
    int64_t work;     /* most expressions evaluated, and nodes; 0: the usual */
    bool plain;       /* for tests: see graph_plain */
    bool written;     /* see graph_written */
    bool labels;      /* what is called how is kept: see label.c */
    bool accumulates; /* every train item's steps can add up gradients */
    bool named;       /* functions will be asked for besides what is exported */
} CheckOptions;

typedef struct Program Program;

/* requires nothing of the text; gives a graph of closed regions and exports
 * with derivatives, neither simplified nor expanded. Reads path and all that it
 * uses (`use x;`: x.nn beside it, then the embedded standard library), checks
 * every function and builds the module. Errors are recorded in d; the result is
 * NULL when there were any. text, if not NULL, is the file's content (standard
 * input). */
Program *check_program(Arena *a, Diags *d, const char *path, const char *text,
                       size_t len, const CheckOptions *o);
Module *program_module(Program *p);

/* Is each --dim one of a function that is exported or was asked for; false
 * after reporting. check_program asks unless more functions are. */
bool program_dims_used(Program *p);

/* `nncc run model.nn 'grad(f, x)'`: the function that an expression denotes,
 * as a Function that is not exported. NULL after an error. */
Function *program_function(Program *p, const char *expression);

/* What n expressions denote, functions of the same parameters: those of the
 * one that has the most, others take the first of them. False after an error.
 */
bool program_alike(Program *p, int n, const char *const *expression,
                   Function **to);

/* Where labels are kept: what library functions of one tensor give of the
 * values that the roots are made of. Simplified as these are, some of them are
 * among the values: a softmax that nobody called. */
Node **program_known(Program *p, int nroot, Node *const *root, int *n);

/* For `nncc check`: vjp(f, x, …) by all that are real of each function that has
 * a `derivative` item and a complete signature. None is exported. */
Function **program_derivatives(Program *p, int *n);
/* How many `train` items there are; and of each the derivative of its loss by
 * what is trained, where it is not exported anyway, or NULL: value_and_grad(f,
 * x); of a loss that carries a state on vjp(f, x), whose first adjoint is the
 * loss's. */
int program_trainings(const Program *p);
Function *program_trained(Program *p, int i);

/* sample.c: for `nncc check`: a function whose parameters have no types of
 * their own and which nothing calls, on types tried for it: vjp by all that is
 * real, or itself where it has no derivative. */
typedef struct Sample {
    const char *name;
    const char *expression; /* "fn(x: real) = f(x = x)" */
    Function *function;     /* "f[real]"; NULL: */
    const char *why;        /* no type does */
} Sample;
Sample *program_samples(Program *p, int *n);

#endif
