/* pool.c: threads that run the pieces of functions.
 *
 * A job is n pieces. One 64-bit number says which job is the present one and
 * how many of its pieces are left; who takes 1 from it has the next. So a
 * thread that wakes late takes nothing of a job that is over, and nobody waits
 * for it: a job ends with its last piece. What a job is about is read by who
 * has a piece of it, and changed when there are none left. Threads that find
 * nothing to do look for some time, then sleep. */
#include "nn_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Looks before one sleeps: some 50 µs. */
enum { LOOKS = 2000, MOST_THREADS = 1024 };

typedef void piece_body(void *arg, int64_t i);

struct nncc_pool {
    nn_exec exec;
    int wanted;  /* threads, the caller's among them */
    int started; /* of our own; -1: none has been asked for yet */
    pthread_t *thread;
    pthread_mutex_t busy; /* held by the caller whose job it is */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake, over;
    int asleep;
    bool waiting; /* for the last piece */

    atomic_uint_least64_t now; /* job << 32 | pieces left */
    atomic_int_least64_t n, done;
    _Atomic(piece_body *) body;
    _Atomic(void *) arg;
    atomic_bool stop;
};

static void look_again(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t job_of(uint64_t now) { return (uint32_t)(now >> 32); }

static int64_t left_of(uint64_t now) { return (int64_t)(uint32_t)now; }

static void last_is_done(nncc_pool *p)
{
    pthread_mutex_lock(&p->lock);
    if (p->waiting)
        pthread_cond_signal(&p->over);
    pthread_mutex_unlock(&p->lock);
}

/* Pieces of this job, as long as there are any. */
static void run_pieces(nncc_pool *p, uint32_t job)
{
    uint64_t now = atomic_load(&p->now);

    while (job_of(now) == job && left_of(now) > 0) {
        if (!atomic_compare_exchange_weak(&p->now, &now, now - 1))
            continue;
        int64_t n = atomic_load(&p->n);
        piece_body *body = atomic_load(&p->body);
        body(atomic_load(&p->arg), n - left_of(now));
        if (atomic_fetch_add(&p->done, 1) + 1 == n)
            last_is_done(p);
        now = atomic_load(&p->now);
    }
}

/* The next job's number after `seen`. */
static uint32_t next_job(nncc_pool *p, uint32_t seen)
{
    for (int i = 0; i < LOOKS; i++) {
        uint32_t job = job_of(atomic_load(&p->now));
        if (job != seen || atomic_load(&p->stop))
            return job;
        look_again();
    }
    pthread_mutex_lock(&p->lock);
    p->asleep++;
    while (job_of(atomic_load(&p->now)) == seen && !atomic_load(&p->stop))
        pthread_cond_wait(&p->wake, &p->lock);
    p->asleep--;
    pthread_mutex_unlock(&p->lock);
    return job_of(atomic_load(&p->now));
}

static void *thread_main(void *of)
{
    nncc_pool *p = of;

    for (uint32_t job = 0; !atomic_load(&p->stop);) {
        job = next_job(p, job);
        run_pieces(p, job);
    }
    return NULL;
}

/* As many as the system gives. Signals are for the program's own threads. */
static void start(nncc_pool *p)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (p->started = 0; p->started < p->wanted - 1; p->started++)
        if (pthread_create(&p->thread[p->started], NULL, thread_main, p))
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void wake_all(nncc_pool *p)
{
    pthread_mutex_lock(&p->lock);
    if (p->asleep)
        pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static void wait_for_last(nncc_pool *p, int64_t n)
{
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load(&p->done) == n)
            return;
        look_again();
    }
    pthread_mutex_lock(&p->lock);
    p->waiting = true;
    while (atomic_load(&p->done) != n)
        pthread_cond_wait(&p->over, &p->lock);
    p->waiting = false;
    pthread_mutex_unlock(&p->lock);
}

static void run_job(nncc_pool *p, int64_t n, piece_body *body, void *arg)
{
    uint32_t job = job_of(atomic_load(&p->now)) + 1;

    atomic_store(&p->n, n);
    atomic_store(&p->body, body);
    atomic_store(&p->arg, arg);
    atomic_store(&p->done, 0);
    atomic_store(&p->now, (uint64_t)job << 32 | (uint64_t)n);
    wake_all(p);
    run_pieces(p, job);
    wait_for_last(p, n);
}

/* Of two callers at once the second one does its pieces itself. */
static void parallel_for(void *context, int64_t n, piece_body *body, void *arg)
{
    nncc_pool *p = context;

    if (n > 1 && n <= INT32_MAX && pthread_mutex_trylock(&p->busy) == 0) {
        if (p->started < 0)
            start(p);
        run_job(p, n, body, arg);
        pthread_mutex_unlock(&p->busy);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        body(arg, i);
}

static int processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (int)n;
}

int nncc_pool_new(int threads, nncc_pool **out)
{
    nncc_pool *p;

    if (threads < 0 || threads > MOST_THREADS)
        return nncc_fail(NN_ERR_ARGUMENT, "%d threads: not in 0 ... %d",
                         threads, MOST_THREADS);
    p = nncc_alloc(1, sizeof *p, "threads");
    if (!p)
        return NN_ERR_MEMORY;
    p->wanted = threads ? threads : processors();
    p->started = -1;
    p->thread = nncc_alloc((size_t)p->wanted, sizeof *p->thread, "threads");
    if (!p->thread) {
        free(p);
        return NN_ERR_MEMORY;
    }
    pthread_mutex_init(&p->busy, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->over, NULL);
    p->exec = (nn_exec){.size = sizeof p->exec, .context = p};
    if (p->wanted > 1)
        p->exec.parallel_for = parallel_for;
    *out = p;
    return NN_OK;
}

void nncc_pool_free(nncc_pool *p)
{
    if (!p)
        return;
    atomic_store(&p->stop, true);
    wake_all(p);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->busy);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->over);
    free(p->thread);
    free(p);
}

int nncc_use_threads(nncc_model *m, int threads)
{
    nncc_pool *pool = NULL;
    int status = threads == 1 ? (int)NN_OK : nncc_pool_new(threads, &pool);

    if (status)
        return status;
    nncc_pool_free(m->pool);
    m->pool = pool;
    return NN_OK;
}

const nn_exec *nncc_pool_exec(const nncc_pool *p) { return &p->exec; }
