/* ba.c: blocks of bundle adjustment's Jacobian, by nncc and by hand,
 * interleaved rounds, best of each; exits 1 where the two disagree. With an
 * argument: so many rounds. */
#include "ba.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../clock.h"
#include "ba_peer.h"

enum { CAMERAS = 1000, POINTS = 50000, OBSERVATIONS = 200000 };

static double *numbers(size_t n, double lo, double hi)
{
    double *to = malloc(n * sizeof *to);

    for (size_t i = 0; to && i < n; i++)
        to[i] = lo + (hi - lo) * rand() / RAND_MAX;
    return to;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 20, p = OBSERVATIONS;
    double *cams = numbers(11 * CAMERAS, 0.1, 1);
    double *X = numbers(3 * POINTS, 2, 4), *w = numbers(p, 0.5, 1);
    double *feat = numbers(2 * p, -1, 1), best = 1e9, best2 = 1e9, t;
    double *ours = numbers(31 * p, 0, 0), *theirs = numbers(31 * p, 0, 0);
    double diff = 0, norm = 0;
    int *obs = malloc(2 * sizeof *obs * p);
    size_t need = ba_values_workspace(CAMERAS, POINTS, p);
    void *work = aligned_alloc(64, need / 64 * 64 + 64);

    if (!cams || !X || !w || !feat || !ours || !theirs || !obs || !work)
        return 2;
    for (int i = 0; i < p; i++) {
        obs[2 * i] = rand() % CAMERAS;
        obs[2 * i + 1] = rand() % POINTS;
    }
    for (int r = 0; r < rounds; r++) {
        t = now();
        if (ba_values(cams, X, w, feat, obs, CAMERAS, POINTS, p, ours, work,
                      NULL))
            return 2;
        t = now() - t;
        best = t < best ? t : best;
        t = now();
        ba_peer(cams, X, w, feat, obs, p, theirs);
        t = now() - t;
        best2 = t < best2 ? t : best2;
    }
    for (int i = 0; i < 31 * p; i++) {
        diff += (ours[i] - theirs[i]) * (ours[i] - theirs[i]);
        norm += theirs[i] * theirs[i];
    }
    printf("%-46s %8.1f ms, by hand %8.1f ms: %.2f >= 2\n",
           "blocks of 200,000 observations", best * 1e3, best2 * 1e3,
           best2 / best);
    if (!(sqrt(diff / norm) < 1e-10))
        printf("but they differ by %g\n", sqrt(diff / norm));
    return !(sqrt(diff / norm) < 1e-10);
}
