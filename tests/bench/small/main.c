/* main.c: small systems in great number, by nncc and by hand, interleaved
 * rounds, best of each; exits 1 where the two disagree. With an argument: so
 * many rounds. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../clock.h"
#include "peers.h"
#include "small.h"

enum { MATRICES = 10000, STATES = 1000, BODIES = 1000, MOST = 9 * MATRICES };

static float in[MOST], mass[BODIES], ours[MOST], theirs[MOST];
static void *work;

static int dets(void)
{
    return small_dets((void *)in, MATRICES, ours, work, NULL);
}
static void dets_peer(void) { peer_dets(in, MATRICES, theirs); }

static int invs(void)
{
    return small_invs((void *)in, MATRICES, (void *)ours, work, NULL);
}
static void invs_peer(void) { peer_invs(in, MATRICES, theirs); }

static int squares(void)
{
    return small_squares_grad((void *)in, MATRICES, (void *)ours, work, NULL);
}
static void squares_peer(void) { peer_squares_grad(in, MATRICES, theirs); }

static int lorenz(void)
{
    return small_lorenz((void *)in, 0.01f, STATES, (void *)ours, work, NULL);
}
static void lorenz_peer(void) { peer_lorenz(in, 0.01f, STATES, theirs); }

static int energy(void)
{
    return small_energy((void *)in, mass, BODIES, ours, work, NULL);
}
static void energy_peer(void) { theirs[0] = peer_energy(in, mass, BODIES); }

static int force(void)
{
    return small_energy_grad((void *)in, mass, BODIES, (void *)ours, work,
                             NULL);
}
static void force_peer(void) { peer_energy_grad(in, mass, BODIES, theirs); }

typedef struct Case {
    const char *name;
    int (*ours)(void);
    void (*theirs)(void);
    int results, repeat;
} Case;

static const Case all[] = {
    {"10,000 determinants 3 x 3", dets, dets_peer, MATRICES, 10},
    {"10,000 inverses 3 x 3", invs, invs_peer, 9 * MATRICES, 5},
    {"gradient of 10,000 squared determinants", squares, squares_peer,
     9 * MATRICES, 5},
    {"1,000 states of Lorenz, 100 steps", lorenz, lorenz_peer, 3 * STATES, 1},
    {"energy of 1,000 bodies", energy, energy_peer, 1, 1},
    {"its gradient", force, force_peer, 3 * BODIES, 1},
};

/* How far apart, relative to how large. */
static double differ(int n)
{
    double diff = 0, norm = 0;

    for (int i = 0; i < n; i++) {
        diff += (ours[i] - theirs[i]) * (ours[i] - theirs[i]);
        norm += theirs[i] * theirs[i];
    }
    return sqrt(diff / norm);
}

static double timed(const Case *c, int mine)
{
    double from = now();

    for (int k = 0; k < c->repeat; k++)
        if (!mine)
            c->theirs();
        else if (c->ours())
            exit(2);
    return (now() - from) / c->repeat;
}

static int run(const Case *c, int rounds)
{
    double best = 1e9, best2 = 1e9, t;

    for (int r = 0; r < rounds; r++) {
        t = timed(c, 1);
        best = t < best ? t : best;
        t = timed(c, 0);
        best2 = t < best2 ? t : best2;
    }
    printf("%-46s %8.1f us, by hand %8.1f us: %.2f >= 0.9\n", c->name,
           best * 1e6, best2 * 1e6, best2 / best);
    if (!(differ(c->results) < 1e-4))
        printf("but they differ by %g\n", differ(c->results));
    return !(differ(c->results) < 1e-4);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 30, bad = 0;
    size_t need = small_energy_grad_workspace(BODIES) +
                  small_energy_workspace(BODIES) +
                  small_invs_workspace(MATRICES) +
                  small_squares_grad_workspace(MATRICES) +
                  small_lorenz_workspace(STATES) + 64;

    work = aligned_alloc(64, need / 64 * 64);
    if (!work)
        return 2;
    for (int i = 0; i < MOST; i++)
        in[i] =
            (float)rand() / (float)RAND_MAX + (i % 9 % 4 == 0 ? 2.0f : 0.0f);
    for (int i = 0; i < BODIES; i++)
        mass[i] = (float)rand() / (float)RAND_MAX;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        bad |= run(&all[i], rounds);
    return bad;
}
