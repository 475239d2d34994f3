/* pieces.h: callers that run pieces of kernels in any order and on threads. */
#ifndef NNCC_TEST_PIECES_H
#define NNCC_TEST_PIECES_H

#include "nn_abi.h"

#include <stdbool.h>

/* The last piece first; in an order by a seed; on one, two, three and eight
 * threads. */
enum { PIECES_reversed, PIECES_shuffled, PIECES_threads, NPIECES = 6 };
/* Its context counts what was asked for. */
typedef struct Pieces {
    int way;
    uint64_t seed;
    int calls;
} Pieces;
nn_exec pieces_exec(Pieces *p);

#endif
