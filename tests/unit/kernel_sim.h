/* kernel_sim.h: runs schedules in plain C, to prove them right before there is
 * machine code. */
#ifndef NNCC_KERNEL_SIM_H
#define NNCC_KERNEL_SIM_H

#include "kernel/kernel.h"

typedef enum SimStatus { SIM_OK, SIM_BAD_INDEX, SIM_BROKEN } SimStatus;

/* leaf[i]: the values of leaf i, parameters first, row-major; results (and
 * parameters overwritten) are written there. SIM_BROKEN: something read that
 * was not there, out of bounds or not written yet; *why says what. */
SimStatus sim_run(Arena *a, const Schedule *s, int nvar, const Dim *const *var,
                  const int64_t *val, double *const *leaf, const char **why);

#endif
