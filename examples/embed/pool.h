/* pool.h: threads for the functions of a model. pool_pthread.c and
 * pool_openmp.c are two ways to have them. */
#ifndef POOL_H
#define POOL_H

#include "model.h"

/* What functions are given as `exec` so that so many threads, the caller's
 * among them, work at each call. Null where there is no memory. */
const nn_exec *pool_open(int threads);
void pool_close(void);

#endif
