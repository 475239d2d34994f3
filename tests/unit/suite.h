/* suite.h: what main of a test program does with its suite. */
#ifndef NNCC_TEST_SUITE_H
#define NNCC_TEST_SUITE_H

#include <check.h>

/* Runs it and frees it: main's result. */
int run_suite(Suite *s);

#endif
