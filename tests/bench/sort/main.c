/* main.c: sorting numbers and the gradient of it, against qsort_r on the same
 * numbers. */
#include "../rows.h"

#include "sort.h"

enum { MOST = 1000000 };

static float x[MOST], y[MOST], z[MOST], slope[MOST];
static int n;
static void *work;

static int compare(const void *a, const void *b, void *unused)
{
    float p = *(const float *)a, q = *(const float *)b;
    (void)unused;
    return (p > q) - (p < q);
}

static void ours(void *unused)
{
    (void)unused;
    if (sort_sorted(x, n, y, work, NULL))
        exit(2);
}

static void ours_slope(void *unused)
{
    (void)unused;
    if (sort_slope(x, n, slope, work, NULL))
        exit(2);
}

static void copy(void *unused)
{
    (void)unused;
    memcpy(z, x, sizeof x);
}

static void theirs(void *unused)
{
    (void)unused;
    qsort_r(z, (size_t)n, sizeof *z, compare, NULL);
}

static void bench(int many)
{
    char what[64];

    n = many;
    snprintf(what, sizeof what, "sort of %d f32", n);
    row(what, "qsort_r", (Way[]){{.run = ours}, {theirs, NULL, copy}}, 2,
        ">= 1");
    if (memcmp(y, z, (size_t)n * sizeof *y))
        exit(1);
    snprintf(what, sizeof what, "its gradient, %d f32", n);
    row(what, "qsort_r", (Way[]){{.run = ours_slope}, {theirs, NULL, copy}}, 2,
        ">= 1");
}

int main(void)
{
    size_t bytes = sort_slope_workspace(MOST),
           more = sort_sorted_workspace(MOST);
    unsigned s = 1;

    pin();
    work = block(bytes > more ? bytes : more);
    for (int i = 0; i < MOST; i++) {
        s = s * 1664525u + 1013904223u;
        x[i] = (float)(s >> 8) / 16777216.0f - 0.5f;
    }
    bench(100000);
    bench(MOST);
    return 0;
}
