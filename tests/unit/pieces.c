/* pieces.c: see pieces.h. */
#include "pieces.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

static const int nthread[NPIECES] = {[PIECES_threads] = 1, 2, 3, 8};

/* One call, as its threads share it. */
typedef struct Job {
    int64_t n;
    void (*body)(void *arg, int64_t i);
    void *arg;
    atomic_int_least64_t next;
} Job;

static void *work(void *u)
{
    Job *j = u;
    for (int64_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n;)
        j->body(j->arg, i);
    return NULL;
}

static void on_threads(Job *j, int n)
{
    pthread_t thread[8];
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, work, j), 0);
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
}

/* In steps that meet all of n, a power of two. */
static void shuffled(Pieces *p, const Job *j)
{
    p->seed = p->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    int64_t at = (int64_t)(p->seed >> 40), step = 2 * (at % 97) + 1;
    ck_assert_int_eq(j->n & (j->n - 1), 0);
    for (int64_t i = 0; i < j->n; i++)
        j->body(j->arg, (at + i * step) % j->n);
}

static void parallel_for(void *context, int64_t n,
                         void (*body)(void *arg, int64_t i), void *arg)
{
    enum { ON_THREADS = 50 }; /* they take long to begin */
    Pieces *p = context;
    Job j = {.n = n, .body = body, .arg = arg};
    ck_assert_int_ge(n, 2);
    p->calls++;
    if (nthread[p->way] && p->calls <= ON_THREADS)
        on_threads(&j, nthread[p->way]);
    else if (p->way == PIECES_shuffled)
        shuffled(p, &j);
    else
        for (int64_t i = n; i-- > 0;)
            body(arg, i);
}

nn_exec pieces_exec(Pieces *p)
{
    return (nn_exec){
        .size = sizeof(nn_exec), .context = p, .parallel_for = parallel_for};
}
