/* pendulum.c: the pendulum chain of 7 links, by nncc and by CasADi's C (the
 * better of two forms); exits 1 where the two disagree. */
#include "../rows.h"

#include "pendulum.h"

enum { LINKS = 7, IN = 3 * LINKS, OUT = 2 * LINKS, STATES = 1000 };
enum { ALL = OUT * IN, ROOM = 100000 };

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
    const char *target;
} Case;

static Case all[] = {
    {"pendulum chain: f", one_f, {a_f, b_f}, 1, OUT, ">= 1.2"},
    {"pendulum chain: f and its Jacobian",
     one_jac,
     {a_fj, b_fj},
     1,
     ALL,
     ">= 1.2"},
    {"pendulum chain: Hessian times vector",
     one_hv,
     {a_hv, b_hv},
     1,
     IN,
     ">= 1.2"},
    {"pendulum chain, 1,000 states: f", all_f, {a_f, b_f}, STATES, OUT, ">= 4"},
    {"pendulum chain, 1,000 states: f and its Jacobian",
     all_jac,
     {a_fj, b_fj},
     STATES,
     ALL,
     ">= 4"},
    {"pendulum chain, 1,000 states: Hessian times vector",
     all_hv,
     {a_hv, b_hv},
     STATES,
     IN,
     ">= 4"},
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

static void by_us(void *of)
{
    if (((const Case *)of)->ours())
        exit(2);
}
static void form_a(void *of) { run_theirs(of, 0); }
static void form_b(void *of) { run_theirs(of, 1); }

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

static void fill(double *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = 2.0 * rand() / RAND_MAX - 1;
}

int main(void)
{
    size_t need = pendulum_f_workspace() + pendulum_jac_workspace() +
                  pendulum_hv_workspace() + pendulum_f_batch_workspace(STATES) +
                  pendulum_jac_batch_workspace(STATES) +
                  pendulum_hv_batch_workspace(STATES);

    pin();
    work = block(need);
    fill(z, STATES * IN);
    fill(v, STATES * IN);
    fill(lam, STATES * OUT);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Case *c = &all[i];
        row(c->name, "CasADi " CASADI "'s C",
            (Way[]){{by_us, c}, {form_a, c}, {form_b, c}}, 3, c->target);
        check(c->name, differ(c), 1e-10);
    }
}
