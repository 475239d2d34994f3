/* ba.c: blocks of bundle adjustment's Jacobian, by nncc and by hand; exits 1
 * where the two disagree. */
#include "../rows.h"

#include "ba.h"
#include "ba_peer.h"

enum { CAMERAS = 1000, POINTS = 50000, OBSERVATIONS = 200000 };

static double *cams, *X, *w, *feat, *ours, *theirs;
static int *obs;
static void *work;

static double *numbers(size_t n, double lo, double hi)
{
    double *to = block(n * sizeof *to);

    for (size_t i = 0; i < n; i++)
        to[i] = lo + (hi - lo) * rand() / RAND_MAX;
    return to;
}

static void by_us(void *unused)
{
    (void)unused;
    if (ba_values(cams, X, w, feat, obs, CAMERAS, POINTS, OBSERVATIONS, ours,
                  work, NULL))
        exit(2);
}

static void by_hand(void *unused)
{
    (void)unused;
    ba_peer(cams, X, w, feat, obs, OBSERVATIONS, theirs);
}

int main(void)
{
    const char *what = "ba: blocks of 200,000 observations";
    int p = OBSERVATIONS;

    pin();
    cams = numbers(11 * CAMERAS, 0.1, 1);
    X = numbers(3 * POINTS, 2, 4);
    w = numbers(p, 0.5, 1);
    feat = numbers(2 * p, -1, 1);
    ours = numbers(31 * p, 0, 0);
    theirs = numbers(31 * p, 0, 0);
    obs = block(2 * sizeof *obs * p);
    work = block(ba_values_workspace(CAMERAS, POINTS, p));
    for (int i = 0; i < p; i++) {
        obs[2 * i] = rand() % CAMERAS;
        obs[2 * i + 1] = rand() % POINTS;
    }
    row(what, BY_HAND, (Way[]){{.run = by_us}, {.run = by_hand}}, 2, ">= 2");
    check(what, differ_f64(ours, theirs, 31 * p), 1e-10);
}
