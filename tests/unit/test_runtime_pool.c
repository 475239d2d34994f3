/* test_runtime_pool.c: threads: each piece is run once, whoever asks. */
#include "nn.h"
#include "suite.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { MOST = 64 };

typedef struct Job {
    atomic_int count[MOST];
    int64_t sum[MOST];
} Job;

static void piece(void *arg, int64_t i)
{
    Job *j = arg;
    int64_t sum = 0;
    for (int64_t k = 0; k <= 100 * i; k++)
        sum += k;
    j->sum[i] = sum;
    atomic_fetch_add(&j->count[i], 1);
}

static void run_jobs(const nn_exec *e, int jobs)
{
    for (int k = 0; k < jobs; k++) {
        Job j;
        int64_t n = 1 + k % MOST;
        memset(&j, 0, sizeof j);
        e->parallel_for(e->context, n, piece, &j);
        for (int64_t i = 0; i < n; i++) {
            ck_assert_int_eq(atomic_load(&j.count[i]), 1);
            ck_assert_int_eq(j.sum[i], 100 * i * (100 * i + 1) / 2);
        }
    }
}

START_TEST(each_once)
{
    for (int threads = 0; threads < 6; threads++) {
        nncc_pool *p;
        ck_assert_int_eq(nncc_pool_new(threads, &p), NN_OK);
        if (threads > 1)
            run_jobs(nncc_pool_exec(p), 300);
        nncc_pool_free(p);
    }
    nncc_pool_free(NULL);
}
END_TEST

static void *caller(void *exec)
{
    run_jobs(exec, 300);
    return NULL;
}

/* One of them has the pool, others do all by themselves. */
START_TEST(callers_at_once)
{
    enum { CALLERS = 3 };
    pthread_t thread[CALLERS];
    nncc_pool *p;
    ck_assert_int_eq(nncc_pool_new(2, &p), NN_OK);
    nn_exec e = *nncc_pool_exec(p);
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, caller, &e), 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(thread[i], NULL);
    nncc_pool_free(p);
}
END_TEST

START_TEST(how_many)
{
    nncc_pool *p = NULL;
    ck_assert_int_eq(nncc_pool_new(-1, &p), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_pool_new(1 << 20, &p), NN_ERR_ARGUMENT);
    ck_assert_ptr_null(p);
    ck_assert_str_eq(nncc_last_error(), "1048576 threads: not in 0 ... 1024");
    ck_assert_int_eq(nncc_pool_new(1, &p), NN_OK);
    ck_assert(!nncc_pool_exec(p)->parallel_for);
    nncc_pool_free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("runtime pool");
    TCase *c = tcase_create("pool");
    tcase_add_test(c, each_once);
    tcase_add_test(c, callers_at_once);
    tcase_add_test(c, how_many);
    suite_add_tcase(s, c);
    return run_suite(s);
}
