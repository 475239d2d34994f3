/* export.h: the program, and its functions as functions of the module. */
#ifndef NNCC_EXPORT_H
#define NNCC_EXPORT_H

#include "check/check_internal.h"

struct Program {
    Check check;
    CheckOptions options;
    Module *module;
    const Item *const *train; /* its `train` items */
    int ntrain;
};

/* program.c */

Expr *program_read(Check *c, const char *text);
/* vjp of f by all parameters that hold reals; NULL: none does. */
const Fn *deriv_by_reals(Check *c, const Fn *f);

/* export.c */

/* f on inputs of its own as a function of the module; result: what its result
 * is called. NULL after an error. */
Function *function_build(Check *c, const Fn *f, const char *name,
                         const char *result, Span at);
Function *function_new(Check *c, FunctionKind kind, const char *name, Span at);
void function_param(Check *c, Function *f, const char *name, const Value *v,
                    Span span);
/* n is a constant. */
void port_default(Port *to, const Node *n);
/* Parameter i of f, with its default if that is a number. */
void function_fn_param(Check *c, Function *to, const Fn *f, int i,
                       const Value *v, Span at);
/* A result; the parts of a tuple are results of their own. */
void function_result(Check *c, Function *f, const char *name, const Value *v,
                     Span span);
/* Free variables, names that C can tell apart; false after reporting. */
bool function_finish(Check *c, Function *f);
void export_add(Program *p, Function *f, Span at);
void export_all(Program *p);

/* split.c: of a function that gives a sparse matrix, which stays as it is: one
 * that gives its pattern, of those parameters that this depends on, and one
 * that gives its values, for a pattern. NULL after an error. */

Function *sparse_pattern(Check *c, Function *whole);
Function *sparse_values(Check *c, Function *whole);

/* train.c */

/* init of all `train` items, and step and evaluate of each. */
void export_trains(Program *p, int n, const Item *const *item);

#endif
