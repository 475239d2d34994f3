/* nn_mpi.h: the processes of an MPI run as ranks of nncc_train.
 *
 * A program of your own compiles nn_mpi.c with its mpicc; `nncc train` loads it
 * as a library, one for each MPI that it was built with, since MPIs differ in
 * what they are in memory. */
#ifndef NN_MPI_H
#define NN_MPI_H

#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* Starts MPI, unless the program has, and describes its processes. They must
 * all call this, once. They wait for each other for 10 minutes, or as many
 * seconds as the environment's NNCC_RANKS_WAIT says. 0, or not where MPI does
 * not start. */
int nncc_mpi_begin(nncc_ranks *to);
/* Ends MPI if nncc_mpi_begin has started it; where processes did not answer,
 * all of them. */
void nncc_mpi_end(void);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
