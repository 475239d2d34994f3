/* programs.h: programs that tests compile, and what their expressions are. */
#ifndef NNCC_TEST_PROGRAMS_H
#define NNCC_TEST_PROGRAMS_H

#include "check/check.h"

extern Arena *arena;
extern Diags *diags;

/* Before and after each test. */
void programs_setup(void);
void programs_teardown(void);

/* NULL after messages; compile() works in doubles. */
Program *compile_with(const char *text, const CheckOptions *o);
Program *compile(const char *text);
/* All so far, as they are printed. */
const char *messages(void);

/* The elements of a value without parameters, its only one. */
double *value_of(Program *p, const char *expression);
/* They are expected[0] … expected[n - 1], but for `within`. */
void ck_value(Program *p, const char *expression, int n, const double *expected,
              double within);

#endif
