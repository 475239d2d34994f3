/* newton.c: Newton's method in a region of trust, each step by conjugate
 * gradients (Steihaug 1983; Nocedal, Wright, chapter 7). */
#include "minimise.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* n numbers each. */
enum {
    AT_residual,
    AT_along,
    AT_product,
    AT_step,
    AT_point,
    AT_slope,
    NVECTOR
};

typedef struct Newton {
    nncc_minimum *min;
    nncc_ready *hvp;
    double *at[NVECTOR];
    double radius, model; /* of trust; what the step changes as H has it */
    bool edge;            /* the step ends where the region does */
} Newton;

static int product(Newton *w, const double *v, double *to)
{
    nncc_minimum *m = w->min;
    int status = nncc_ready_call(&m->p, w->hvp, m->x, v);

    return status ? status : nncc_ready_gather(&m->p, w->hvp, "hv_", 1, to);
}

static void add(int64_t n, double a, const double *x, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += a * x[i];
}

/* From the step along a direction to the region's end: t with |step + t d| =
 * radius. */
static double to_edge(const Newton *w)
{
    int64_t n = w->min->p.n;
    const double *s = w->at[AT_step], *d = w->at[AT_along];
    double a = nncc_dot(n, d, d), b = nncc_dot(n, s, d);
    double c = nncc_dot(n, s, s) - w->radius * w->radius;
    double root = sqrt(fmax(0, b * b - a * c));

    return b > 0 ? -c / (b + root) : (root - b) / a;
}

/* One of them: true where it was the last. */
static int conjugate(Newton *w, double goal, bool *last)
{
    int64_t n = w->min->p.n;
    double *r = w->at[AT_residual], *d = w->at[AT_along];
    double *hd = w->at[AT_product], *s = w->at[AT_step];
    int status = product(w, d, hd);
    if (status)
        return status;
    double rr = nncc_dot(n, r, r), bend = nncc_dot(n, d, hd);
    double t = bend > 0 ? rr / bend : INFINITY, edge = to_edge(w);

    w->edge = *last = !(t < edge);
    t = w->edge ? edge : t;
    w->model += t * nncc_dot(n, d, r) * -1 + t * t * bend / 2;
    add(n, t, d, s);
    add(n, -t, hd, r);
    double next = nncc_dot(n, r, r);
    *last |= !(sqrt(next) > goal);
    for (int64_t i = 0; i < n; i++)
        d[i] = r[i] + next / rr * d[i];
    return NN_OK;
}

/* step = about -H^-1 g, inside of the region. r is -(g + H step). */
static int find_step(Newton *w)
{
    int64_t n = w->min->p.n;
    size_t bytes = (size_t)n * sizeof(double);
    double length = nncc_norm(n, w->min->g);
    double goal = fmin(0.5, sqrt(length)) * length;
    bool last = false;
    int status = NN_OK;

    memset(w->at[AT_step], 0, bytes);
    for (int64_t i = 0; i < n; i++)
        w->at[AT_residual][i] = w->at[AT_along][i] = -w->min->g[i];
    w->model = 0;
    w->edge = false;
    for (int64_t k = 0; k < 2 * n + 10 && !last && !status; k++)
        status = conjugate(w, goal, &last);
    return status;
}

static void set_radius(Newton *w, double gain, double length)
{
    if (!(gain >= 0.25))
        w->radius = length / 4;
    else if (gain > 0.75 && w->edge)
        w->radius *= 2;
}

/* *moved: it was better there. */
static int try_step(Newton *w, bool *moved)
{
    nncc_minimum *m = w->min;
    int64_t n = m->p.n;
    size_t bytes = (size_t)n * sizeof(double);
    double value, *x = w->at[AT_point], *g = w->at[AT_slope];
    double length = nncc_norm(n, w->at[AT_step]);

    for (int64_t i = 0; i < n; i++)
        x[i] = m->x[i] + w->at[AT_step][i];
    int status = nncc_minimum_at(m, x, &value, g);
    if (status)
        return status;
    /* Changes that roundoff hides are taken as they are foreseen. */
    double noise = 10 * DBL_EPSILON * (1 + fabs(m->now.value));
    double gain = (m->now.value - value + noise) / (noise - w->model);
    *moved = isfinite(value) && gain > 1e-4;
    set_radius(w, isfinite(value) ? gain : -1, length);
    if (*moved) {
        memcpy(m->x, x, bytes);
        memcpy(m->g, g, bytes);
        m->now.value = value;
    }
    return NN_OK;
}

static int iterate(Newton *w)
{
    nncc_minimum *m = w->min;
    int status = NN_OK;

    while (!status && !nncc_minimum_found(m)) {
        bool moved;
        if (m->now.iterations == m->o.iterations) {
            m->now.end = NNCC_SOLVE_ITERATIONS;
            break;
        }
        status = find_step(w);
        if (!status)
            status = try_step(w, &moved);
        m->now.iterations++;
        m->now.calls = m->p.calls;
        if (!status && w->radius <= DBL_EPSILON * nncc_norm(m->p.n, m->x) / 4) {
            m->now.end = NNCC_SOLVE_STUCK;
            break;
        }
        if (!status && nncc_solve_tell(&m->o, &m->now)) {
            m->now.end = NNCC_SOLVE_STOPPED;
            break;
        }
    }
    return status;
}

int nncc_minimise_newton(nncc_minimum *m, const nn_function *hvp)
{
    nncc_ready ready = {0};
    double *all = nncc_alloc((size_t)m->p.n * NVECTOR, sizeof *all, "a solver");
    Newton w = {.min = m, .hvp = &ready};
    int status = all ? nncc_ready_new(&m->p, hvp, &ready) : (int)NN_ERR_MEMORY;

    for (int i = 0; all && i < NVECTOR; i++)
        w.at[i] = all + (int64_t)i * m->p.n;
    w.radius = fmax(1, nncc_norm(m->p.n, m->x));
    if (!status)
        status = iterate(&w);
    nncc_ready_free(&ready);
    free(all);
    return status;
}
