/* pool_pthread.c: threads that wait until there are pieces, and take one after
 * another. It is as short as can be; that of libnn (runtime/pool.c) looks for
 * work some time before it sleeps, which saves some 50 µs a call. */
#include "pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* What there is to do; all of it belongs to who holds the lock. */
static struct {
    int64_t next, n; /* pieces next … n - 1 are nobody's yet */
    int64_t left;    /* so many are not done */
    void (*body)(void *arg, int64_t i);
    void *arg;
    bool stop;
} job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static pthread_t *thread;
static int nthread;

/* Does the next piece. The lock is held before and after. */
static void run_piece(void)
{
    int64_t i = job.next++;

    pthread_mutex_unlock(&lock);
    job.body(job.arg, i);
    pthread_mutex_lock(&lock);
    if (--job.left == 0)
        pthread_cond_signal(&done);
}

static void *work(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    while (!job.stop)
        if (job.next < job.n)
            run_piece();
        else
            pthread_cond_wait(&more, &lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void parallel_for(void *context, int64_t n,
                         void (*body)(void *arg, int64_t i), void *arg)
{
    (void)context;
    pthread_mutex_lock(&lock);
    job.next = 0;
    job.n = job.left = n;
    job.body = body;
    job.arg = arg;
    pthread_cond_broadcast(&more);
    while (job.next < job.n)
        run_piece();
    while (job.left > 0)
        pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
}

static const nn_exec exec = {.size = sizeof exec, .parallel_for = parallel_for};

/* The caller is one of them; fewer, where the system gives no more. */
const nn_exec *pool_open(int threads)
{
    thread = calloc((size_t)threads, sizeof *thread);
    if (!thread)
        return NULL;
    while (nthread < threads - 1 &&
           pthread_create(&thread[nthread], NULL, work, NULL) == 0)
        nthread++;
    return &exec;
}

void pool_close(void)
{
    pthread_mutex_lock(&lock);
    job.stop = true;
    pthread_cond_broadcast(&more);
    pthread_mutex_unlock(&lock);
    while (nthread > 0)
        pthread_join(thread[--nthread], NULL);
    free(thread);
}
