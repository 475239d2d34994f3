/* exact.h: elementwise functions and their first two derivatives in MPFR's
 * numbers of 256 bits, by formulas of their own. */
#ifndef NNCC_TEST_EXACT_H
#define NNCC_TEST_EXACT_H

#include <mpfr.h>

/* A number; valid until exact_forget. */
typedef mpfr_ptr Exact;

Exact exact_number(double v);
void exact_forget(void);

enum { EXACT_ORDERS = 3, EXACT_PARTS = 6 };

/* The function and its derivatives of one argument. */
typedef struct ExactUnary {
    const char *name; /* of the operator */
    Exact (*of[EXACT_ORDERS])(Exact x);
} ExactUnary;

/* Of two: the value, by x, by y, by x twice, by both, by y twice. */
typedef struct ExactBinary {
    const char *name;
    Exact (*of[EXACT_PARTS])(Exact x, Exact y);
} ExactBinary;

extern const ExactUnary exact_unary[];
extern const int nexact_unary;
extern const ExactBinary exact_binary[];
extern const int nexact_binary;

#endif
