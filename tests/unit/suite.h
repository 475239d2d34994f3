/* suite.h: what main of a test program does with its suite, and texts that
 * tests read. */
#ifndef NNCC_TEST_SUITE_H
#define NNCC_TEST_SUITE_H

#include <check.h>

/* Check writes down every assertion that it passes, so as to tell the last one
 * before a crash: longer than most take. */
#define _mark_point(file, line) ((void)0)

/* Of random cases, as many as sanitizers leave time for: they look for what no
 * case is to do, the other builds for what each is to give. */
#ifdef __SANITIZE_ADDRESS__
#define CASES(n) ((n) / 4)
#else
#define CASES(n) (n)
#endif

/* Runs it and frees it: main's result. */
int run_suite(Suite *s);

struct Arena;
/* All of a file of the repository, which is there. */
char *file_text(struct Arena *a, const char *path);

#endif
