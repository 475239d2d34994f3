/* main.c: sorting 1,000,000 numbers and the gradient of it, against qsort_r on
 * the same numbers: how many times as long each takes, the least of several
 * rounds. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "sort.h"

enum { N = 1000000, ROUNDS = 7 };

static int compare(const void *a, const void *b, void *unused)
{
    float x = *(const float *)a, y = *(const float *)b;
    (void)unused;
    return (x > y) - (x < y);
}

static void keep_least(double *least, double from)
{
    double t = now() - from;
    *least = t < *least ? t : *least;
}

int main(void)
{
    static float x[N], y[N], z[N];
    double ours = 1e9, slope = 1e9, theirs = 1e9, from;
    size_t bytes = sort_slope_workspace(N), more = sort_sorted_workspace(N);
    void *work = NULL;
    unsigned s = 1;
    if (posix_memalign(&work, 64, bytes > more ? bytes : more))
        return 1;
    for (int i = 0; i < N; i++) {
        s = s * 1664525u + 1013904223u;
        x[i] = (float)(s >> 8) / 16777216.0f - 0.5f;
    }
    for (int r = 0; r < ROUNDS; r++) {
        from = now();
        if (sort_sorted(x, N, y, work, NULL))
            return 1;
        keep_least(&ours, from);
        memcpy(z, x, sizeof x);
        from = now();
        qsort_r(z, N, sizeof *z, compare, NULL);
        keep_least(&theirs, from);
        if (memcmp(y, z, sizeof y))
            return 1;
        from = now();
        if (sort_slope(x, N, z, work, NULL))
            return 1;
        keep_least(&slope, from);
    }
    printf("%.2f times qsort_r, its gradient %.2f times (%.1f ms)\n",
           ours / theirs, slope / theirs, 1e3 * ours);
    free(work);
    return 0;
}
