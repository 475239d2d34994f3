/* print_internal.h: parts of the text that a dump has too. */
#ifndef NNCC_PRINT_INTERNAL_H
#define NNCC_PRINT_INTERNAL_H

#include "syntax/ast.h"

const char *print_binary_op(BinaryOp op); /* "+" */
const char *print_unary_op(UnaryOp op);
/* The operators of a chain along `left`, innermost first; *first: what the
 * innermost one has on its left. */
const Expr **print_spine(Arena *a, const Expr *e, int *n, const Expr **first);
void print_params(const FnItem *fn, Str *to);
/* let x: type */
void print_let(const Stmt *s, Str *to);
void print_binder(const Binder *b, Str *to);
void print_end(const Expr *e, const char *before, Str *to);

#endif
