/* rows.h: what is timed by turns, on one core, and the rows that tell of it:
 * fields with tabs between, for judge.awk. Included first. */
#ifndef NNCC_BENCH_ROWS_H
#define NNCC_BENCH_ROWS_H

#define _GNU_SOURCE
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#define BY_HAND "C, gcc " __VERSION__

enum { LEAST_ROUNDS = 20, MOST_ROUNDS = 100, MOST_WAYS = 8 };

/* How something is computed. */
typedef struct Way {
    void (*run)(void *of);
    void *of;
    void (*prepare)(void *of); /* before each run, not timed; or NULL */
} Way;

/* Seconds of a run. */
typedef struct Times {
    double best, median;
} Times;

/* What times are taken with. */
static clockid_t row_clock = CLOCK_MONOTONIC;

/* From here on, on the last of the cores that this process may use, and in its
 * own processor time, which others on a busy machine do not add to. */
static inline void pin(void)
{
    cpu_set_t all, one;

    row_clock = CLOCK_PROCESS_CPUTIME_ID;
    if (sched_getaffinity(0, sizeof all, &all))
        return;
    CPU_ZERO(&one);
    for (int i = CPU_SETSIZE - 1; i >= 0 && CPU_COUNT(&one) == 0; i--)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static inline double row_now(void)
{
    struct timespec t;

    clock_gettime(row_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of a run, of so many in a row. */
static inline double time_way(const Way *w, int times)
{
    double took = 0;

    for (int i = 0; i < times; i++) {
        if (w->prepare)
            w->prepare(w->of);
        double from = row_now();
        do
            w->run(w->of);
        while (!w->prepare && ++i < times);
        took += row_now() - from;
    }
    return took / times;
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* All ways by turns, each so often in a round that its clock does not matter;
 * more rounds where they are short. */
static inline void take_turns(const Way *way, int n, Times *to)
{
    static double took[MOST_WAYS][MOST_ROUNDS];
    int times[MOST_WAYS], rounds;
    double whole = 0;

    for (int w = 0; w < n; w++) {
        time_way(&way[w], 1);
        double once = time_way(&way[w], 1);
        times[w] = getenv("ROUNDS") ? 1 : 1 + (int)(2e-4 / (once + 1e-9));
        whole += once * times[w];
    }
    rounds = (int)fmin(fmax(0.3 / whole, LEAST_ROUNDS), MOST_ROUNDS);
    if (getenv("ROUNDS"))
        rounds = (int)fmin(fmax(atoi(getenv("ROUNDS")), 1), MOST_ROUNDS);
    for (int r = 0; r < rounds; r++)
        for (int w = 0; w < n; w++)
            took[w][r] = time_way(&way[w], times[w]);
    for (int w = 0; w < n; w++) {
        qsort(took[w], (size_t)rounds, sizeof **took, by_size);
        to[w] = (Times){took[w][0], took[w][rounds / 2]};
    }
}

static inline void print_time(const char *before, double seconds)
{
    static const char *const unit[] = {"s", "ms", "us", "ns"};
    int u = 0;

    for (; u < 3 && seconds < 0.9995; u++)
        seconds *= 1000;
    printf("%s%.3g %s", before, seconds, unit[u]);
}

/* A row of known times. TARGET is ">= X", how many times as long the peer
 * takes, or
 * "<= X", how many times as long as the peer's is ours. */
static inline void print_row(const char *what, const char *peer, Times ours,
                             Times theirs, const char *target)
{
    double best = theirs.best / ours.best, median = theirs.median / ours.median;
    int most = *target == '<';

    printf("%s\t%s\t%.3g\t%.3g\t%s\t", what, peer, most ? 1 / best : best,
           most ? 1 / median : median, target);
    print_time("", ours.best);
    print_time(" : ", theirs.best);
    printf("\n");
    fflush(stdout);
}

/* The quickest of several. */
static inline Times quickest(const Times *t, int n)
{
    Times q = *t;

    for (int i = 1; i < n; i++) {
        q.best = fmin(q.best, t[i].best);
        q.median = fmin(q.median, t[i].median);
    }
    return q;
}

/* The first way beside the quickest of the others. */
static inline void row(const char *what, const char *peer, const Way *way,
                       int n, const char *target)
{
    Times t[MOST_WAYS];

    take_turns(way, n, t);
    print_row(what, peer, t[0], quickest(t + 1, n - 1), target);
}

/* How far apart, relative to how large. */
#define DIFFER(name, Real)                                                     \
    static inline double name(const Real *a, const Real *b, size_t n)          \
    {                                                                          \
        double diff = 0, norm = 0;                                             \
        for (size_t i = 0; i < n; i++) {                                       \
            diff += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);             \
            norm += (double)b[i] * (double)b[i];                               \
        }                                                                      \
        return sqrt(diff / norm);                                              \
    }
DIFFER(differ_f32, float)
DIFFER(differ_f64, double)

/* Exits where two results that are to be the same are not. */
static inline void check(const char *what, double differ, double most)
{
    if (differ <= most)
        return;
    printf("%s: the results differ by %g\n", what, differ);
    exit(1);
}

static inline void *block(size_t bytes)
{
    void *p = NULL;

    if (posix_memalign(&p, 4096, bytes + 64))
        exit(2);
    return memset(p, 0, bytes + 64);
}

#endif
