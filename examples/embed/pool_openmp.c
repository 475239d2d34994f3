/* pool_openmp.c: OpenMP's threads. */
#include "pool.h"

static int nthread;

static void parallel_for(void *context, int64_t n,
                         void (*body)(void *arg, int64_t i), void *arg)
{
    (void)context;
#pragma omp parallel for schedule(dynamic) num_threads(nthread)
    for (int64_t i = 0; i < n; i++)
        body(arg, i);
}

static const nn_exec exec = {.size = sizeof exec, .parallel_for = parallel_for};

const nn_exec *pool_open(int threads)
{
    nthread = threads;
    return &exec;
}

void pool_close(void) {}
