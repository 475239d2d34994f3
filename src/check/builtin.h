/* builtin.h: the functions of the language that are written in C: what a row of
 * their table says, what one is called with; reductions. */
#ifndef NNCC_BUILTIN_H
#define NNCC_BUILTIN_H

#include "check/check_internal.h"

enum { MAX_GIVEN = 5 };

/* What the parameter's type in the table asks for. */
typedef struct Given {
    Node *node; /* a tensor or a key */
    int axis;   /* -1: left out */
    int order;
    bool on;
    int rank; /* a shape; an extent is one of rank 1 */
    const Dim *dim[MAX_RANK];
} Given;

typedef struct BuiltinCall {
    const Builtin *fn;
    Operand x[MAX_GIVEN]; /* value NULL: it was left out */
    Given given[MAX_GIVEN];
    Span at;
    const Scope *scope;
    const Operand *rest; /* what stands where it takes any number */
    int nrest;
} BuiltinCall;

typedef const Value *BuiltinRun(Check *c, const BuiltinCall *call);

struct Builtin {
    const char *name;
    BuiltinRun *run;
    OpId op;   /* of a reduction, an elementwise function, a routine */
    bool mean; /* op's result divided by the number of elements */
    int rest;  /* which parameter takes any number of arguments, or -1 */
    FnParam param[MAX_GIVEN];
    char type[MAX_GIVEN]; /* of a parameter, see builtin.c */
    Fn fn;
};

/* The reduction that `fn(i | e)` means; NULL after reporting. */
const Builtin *reduction_named(Check *c, const Expr *fn);
unsigned reduction_takes(const Builtin *b); /* ON_… */
/* The operator that joins two values, or NOPS: there is none. */
OpId reduction_join(const Builtin *b);
bool reduction_of_nothing(const Builtin *b); /* has that a value */
bool reduction_is_position(const Builtin *b);
/* x over n of its axes; of a position they are one, or the first n, in which it
 * counts row by row. A mean's divisor: count, or (NULL) the number of elements.
 */
Node *reduction_node(Graph *g, const Builtin *b, Node *x, int n,
                     const int *axis, Node *count);

BuiltinRun run_reshape, run_transpose, run_broadcast, run_concat, run_stack,
    run_pad, run_flip, run_size, run_shape, run_moveaxis, run_argsort,
    run_take_along, run_full, run_iota, run_onehot, run_expand, run_stop,
    run_draw, run_bernoulli, run_random_bits, run_split, run_key, run_routine,
    run_is_constant;
/* A shape argument: [b, 64], (b, 64) or one int; at most MAX_RANK. */
bool arg_shape(Check *c, const Operand *x, int *rank, const Dim **dim);
/* Is x, whose node is n, one key; false after reporting. */
bool arg_key(Check *c, const Builtin *b, const Operand *x, const Node *n);
bool arg_axis(Check *c, const Builtin *b, const Operand *x, int rank,
              int *axis);

/* random.c */

/* n keys derived from a key, in a tensor. */
Node *builtin_keys(Check *c, Node *key, const Dim *n);

#endif
