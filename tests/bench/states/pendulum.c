/* pendulum.c: the pendulum chain of 7 links, by nncc and by CasADi's C (the
 * better of two forms), interleaved rounds, best of each; exits 1 where the two
 * disagree. With an argument: so many rounds. */
#include "pendulum.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"

enum { LINKS = 7, IN = 3 * LINKS, OUT = 2 * LINKS, STATES = 1000 };
enum { ALL = OUT * IN, TIMES = 200, ROOM = 100000 };

typedef int Casadi(const double **arg, double **res, long long *iw, double *w,
                   int mem);
Casadi a_f, b_f, a_fj, b_fj, a_hv, b_hv;

static double z[STATES * IN], v[STATES * IN], lam[STATES * OUT], room[ROOM],
    ours[STATES * ALL], theirs[STATES * ALL];
static void *work;

static int one_f(void) { return pendulum_f(z, ours, work, NULL); }
static int one_jac(void) { return pendulum_jac(z, ours, work, NULL); }
static int one_hv(void) { return pendulum_hv(z, lam, v, ours, work, NULL); }
static int all_f(void) { return pendulum_f_batch(z, STATES, ours, work, NULL); }
static int all_jac(void)
{
    return pendulum_jac_batch(z, STATES, ours, work, NULL);
}
static int all_hv(void)
{
    return pendulum_hv_batch(z, lam, v, STATES, ours, work, NULL);
}

typedef struct Case {
    const char *name;
    int (*ours)(void);
    Casadi *theirs[2];
    int states, results; /* of one state */
    double target;
} Case;

static const Case all[] = {
    {"pendulum chain, f", one_f, {a_f, b_f}, 1, OUT, 1.2},
    {"f and its Jacobian", one_jac, {a_fj, b_fj}, 1, ALL, 1.2},
    {"Hessian times vector", one_hv, {a_hv, b_hv}, 1, IN, 1.2},
    {"1,000 states: f", all_f, {a_f, b_f}, STATES, OUT, 4},
    {"f and its Jacobian", all_jac, {a_fj, b_fj}, STATES, ALL, 4},
    {"Hessian times vector", all_hv, {a_hv, b_hv}, STATES, IN, 4},
};

static void run_theirs(const Case *c, int form)
{
    double f[OUT], *to = c->results == ALL ? f : theirs;

    for (int s = 0; s < c->states; s++) {
        const double *arg[] = {z + IN * s, lam + OUT * s, v + IN * s};
        double *res[] = {to, theirs + ALL * s};

        c->theirs[form](arg, res, NULL, room, 0);
        to += c->results == ALL ? 0 : c->results;
    }
}

/* Seconds for one state. */
static double timed(const Case *c, int form)
{
    int times = c->states == 1 ? TIMES : 1;
    double from = now();

    for (int k = 0; k < times; k++)
        if (form >= 0)
            run_theirs(c, form);
        else if (c->ours())
            exit(2);
    return (now() - from) / times / c->states;
}

/* How far apart, relative to how large; their matrices are by columns. */
static double differ(const Case *c)
{
    double diff = 0, norm = 0;

    for (int i = 0; i < c->states * c->results; i++) {
        int s = i / c->results, k = i % c->results;
        int at = c->results == ALL ? k % IN * OUT + k / IN : k;
        double x = ours[i], y = theirs[s * c->results + at];

        diff += (x - y) * (x - y);
        norm += y * y;
    }
    return sqrt(diff / norm);
}

static int run(const Case *c, int rounds)
{
    double best[2] = {1e9, 1e9}, t;

    for (int r = 0; r < rounds; r++)
        for (int form = -1; form < 2; form++) {
            t = timed(c, form);
            best[form >= 0] = t < best[form >= 0] ? t : best[form >= 0];
        }
    printf("%-46s %8.0f ns, CasADi's C %6.0f ns: %.2f >= %g\n", c->name,
           best[0] * 1e9, best[1] * 1e9, best[1] / best[0], c->target);
    if (!(differ(c) < 1e-10))
        printf("but they differ by %g\n", differ(c));
    return !(differ(c) < 1e-10);
}

static void fill(double *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = 2.0 * rand() / RAND_MAX - 1;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 20, bad = 0;
    size_t need = pendulum_f_workspace() + pendulum_jac_workspace() +
                  pendulum_hv_workspace() + pendulum_f_batch_workspace(STATES) +
                  pendulum_jac_batch_workspace(STATES) +
                  pendulum_hv_batch_workspace(STATES) + 64;

    work = aligned_alloc(64, need / 64 * 64);
    if (!work)
        return 2;
    fill(z, STATES * IN);
    fill(v, STATES * IN);
    fill(lam, STATES * OUT);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        bad |= run(&all[i], rounds);
    return bad;
}
