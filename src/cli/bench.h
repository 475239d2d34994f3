/* bench.h: what nncc bench and its --tune share. */
#ifndef NNCC_BENCH_H
#define NNCC_BENCH_H

#include "cli/call.h"

/* Calls of f without what libnn does about them. */
typedef struct Direct {
    const nn_function *f;
    void **leaf, *workspace;
    const int64_t *dims;
    const nn_exec *exec;
} Direct;
/* of: a Direct */
void direct_run(void *of, int64_t n);

/* tune.c: schedules of kernels that are faster than those that were chosen. */
typedef struct Better {
    const char *kernel, *setting; /* as --schedule has them */
    double time;                  /* of what the chosen one takes */
} Better;
typedef LIST(Better) Betters;
/* Of the module's one function, called as in d, `seconds` being what a call
 * takes. Tries a few settings, one at a time. False after a message. */
bool tune(Arena *a, const ModuleInput *in, const Direct *d, double seconds,
          Betters *to);

#endif
