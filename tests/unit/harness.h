/* harness.h: what every test program has besides Check, linked to each of them:
 * one limit of time for all tests, far beyond what any takes, and which CPUs
 * the code that tests run may be for. */
#ifndef NNCC_TEST_HARNESS_H
#define NNCC_TEST_HARNESS_H

#include <stdbool.h>

/* Does code for this CPU, a name that --cpu takes, run here? Not if the machine
 * lacks its instructions or NNCC_CPU asks for less. */
bool runs_here(const char *cpu);
/* Its opposite for a test that returns then: these are counted, and told when
 * the program ends. */
bool lacks(const char *cpu);
/* The levels that --cpu=portable has, as far as they run here. */
const char *portable_here(void);

#endif
