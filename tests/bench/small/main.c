/* main.c: small systems in great number, by nncc and by hand; exits 1 where the
 * two disagree. */
#include "../rows.h"

#include "peers.h"
#include "small.h"

enum { MATRICES = 10000, STATES = 1000, BODIES = 1000, MOST = 9 * MATRICES };

static float in[MOST], mass[BODIES], ours[MOST], theirs[MOST];
static void *work;

static void keep(int status)
{
    if (status)
        exit(2);
}

/* A way to run it. */
#define RUN(name, call)                                                        \
    static void name(void *unused)                                             \
    {                                                                          \
        (void)unused;                                                          \
        call;                                                                  \
    }

RUN(dets, keep(small_dets((void *)in, MATRICES, ours, work, NULL)))
RUN(dets_peer, peer_dets(in, MATRICES, theirs))
RUN(invs, keep(small_invs((void *)in, MATRICES, (void *)ours, work, NULL)))
RUN(invs_peer, peer_invs(in, MATRICES, theirs))
RUN(squares,
    keep(small_squares_grad((void *)in, MATRICES, (void *)ours, work, NULL)))
RUN(squares_peer, peer_squares_grad(in, MATRICES, theirs))
RUN(lorenz,
    keep(small_lorenz((void *)in, 0.01f, STATES, (void *)ours, work, NULL)))
RUN(lorenz_peer, peer_lorenz(in, 0.01f, STATES, theirs))
RUN(energy, keep(small_energy((void *)in, mass, BODIES, ours, work, NULL)))
RUN(energy_peer, theirs[0] = peer_energy(in, mass, BODIES))
RUN(force,
    keep(small_energy_grad((void *)in, mass, BODIES, (void *)ours, work, NULL)))
RUN(force_peer, peer_energy_grad(in, mass, BODIES, theirs))

typedef struct Case {
    const char *name;
    void (*ours)(void *);
    void (*theirs)(void *);
    size_t results;
} Case;

static const Case all[] = {
    {"10,000 determinants 3 x 3", dets, dets_peer, MATRICES},
    {"10,000 inverses 3 x 3", invs, invs_peer, 9 * MATRICES},
    {"gradient of 10,000 squared determinants", squares, squares_peer,
     9 * MATRICES},
    {"1,000 states of Lorenz, 100 steps", lorenz, lorenz_peer, 3 * STATES},
    {"energy of 1,000 bodies", energy, energy_peer, 1},
    {"its gradient", force, force_peer, 3 * BODIES},
};

int main(void)
{
    size_t need =
        small_energy_grad_workspace(BODIES) + small_energy_workspace(BODIES) +
        small_invs_workspace(MATRICES) +
        small_squares_grad_workspace(MATRICES) + small_lorenz_workspace(STATES);

    pin();
    work = block(need);
    for (int i = 0; i < MOST; i++)
        in[i] =
            (float)rand() / (float)RAND_MAX + (i % 9 % 4 == 0 ? 2.0f : 0.0f);
    for (int i = 0; i < BODIES; i++)
        mass[i] = (float)rand() / (float)RAND_MAX;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const Case *c = &all[i];
        row(c->name, BY_HAND, (Way[]){{.run = c->ours}, {.run = c->theirs}}, 2,
            ">= 0.9");
        check(c->name, differ_f32(ours, theirs, c->results), 1e-4);
    }
}
