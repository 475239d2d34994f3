/* least_squares.c: the method of Levenberg and Marquardt, and covariances. */
#include "solve.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where it is, all of it n or m numbers, or n times as many. */
typedef struct Squares {
    nncc_problem p;
    nncc_ready residuals, jacobian;
    nncc_solve_options o;
    nncc_solve_result now;
    int64_t m, n;
    double *x, *r, *jac;    /* at hand: vector, residuals, their derivatives */
    double *try_x, *try_r;  /* a step further */
    double *tri, *q;        /* Q'J and Q'r: [m][n], of which n rows count */
    double *size;           /* [n]: the largest norm so far of each column */
    double *damped, *right; /* [2n][n], [2n]: tri with the damping below it */
    double *step;
    double damping, growth;
} Squares;

static double *numbers(int64_t n, int64_t m)
{
    return nncc_alloc((size_t)n * (size_t)(m ? m : 1), sizeof(double),
                      "a solver");
}

static int allocate(Squares *s)
{
    int64_t n = s->n, m = s->m > s->n ? s->m : s->n;
    double **const each[] = {&s->x,    &s->r,   &s->try_x, &s->try_r,
                             &s->size, &s->q,   &s->step,  &s->right,
                             &s->jac,  &s->tri, &s->damped};
    const int64_t count[] = {n, m,     n,     m,     n,        m,
                             n, 2 * n, m * n, m * n, 2 * n * n};

    if (m > INT64_MAX / 16 / (n ? n : 1))
        return nncc_fail_memory(SIZE_MAX, "a solver");
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (!(*each[i] = numbers(count[i], 1)))
            return NN_ERR_MEMORY;
    return NN_OK;
}

static void squares_free(Squares *s)
{
    double *const each[] = {s->x,    s->r,   s->try_x, s->try_r,
                            s->size, s->q,   s->step,  s->right,
                            s->jac,  s->tri, s->damped};

    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        free(each[i]);
    nncc_ready_free(&s->residuals);
    nncc_ready_free(&s->jacobian);
    nncc_problem_free(&s->p);
}

static int residuals_at(Squares *s, const double *x, double *r)
{
    const nncc_tensor *t = s->residuals.result[0];
    int status = nncc_ready_call(&s->p, &s->residuals, x, NULL);

    if (!status)
        nncc_load_numbers(t->dtype, t->data, 0, s->m, r);
    return status;
}

static int jacobian_at(Squares *s)
{
    int status = nncc_ready_call(&s->p, &s->jacobian, s->x, NULL);

    if (!status)
        status = nncc_ready_gather(&s->p, &s->jacobian, "jac_", s->m, s->jac);
    for (int64_t i = 0; !status && i < s->m * s->n; i++)
        if (!isfinite(s->jac[i]))
            return nncc_fail(NN_ERR_NUMBER,
                             "%s: a derivative of residual %lld is infinite or "
                             "not a number",
                             s->jacobian.f->name, (long long)(i / s->n));
    return status;
}

/* Rows of zeros where there are fewer residuals than unknowns. */
static void factor(Squares *s)
{
    int64_t rows = s->m > s->n ? s->m : s->n;

    memset(s->tri, 0, (size_t)(rows * s->n) * sizeof *s->tri);
    memset(s->q, 0, (size_t)rows * sizeof *s->q);
    memcpy(s->tri, s->jac, (size_t)(s->m * s->n) * sizeof *s->tri);
    memcpy(s->q, s->r, (size_t)s->m * sizeof *s->q);
    nncc_qr(rows, s->n, s->tri, s->q);
}

/* Norms of columns, which scale steps; the largest cosine between the residuals
 * and one of them. */
static double scale(Squares *s)
{
    double length = nncc_norm(s->m, s->r), most = 0;

    for (int64_t k = 0; k < s->n; k++) {
        double norm = 0, along = 0;
        for (int64_t i = 0; i <= k; i++) {
            norm = hypot(norm, s->tri[i * s->n + k]);
            along += s->tri[i * s->n + k] * s->q[i];
        }
        s->size[k] = fmax(s->size[k], norm);
        if (norm > 0 && length > 0)
            most = fmax(most, fabs(along) / norm / length);
    }
    return most;
}

/* The step that makes |J step + r|^2 + damping |D step|^2 least. */
static bool damped_step(Squares *s)
{
    int64_t n = s->n;

    memcpy(s->damped, s->tri, (size_t)(n * n) * sizeof *s->damped);
    for (int64_t i = 0; i < n; i++)
        memset(s->damped + i * n, 0, (size_t)i * sizeof *s->damped);
    memset(s->damped + n * n, 0, (size_t)(n * n) * sizeof *s->damped);
    for (int64_t k = 0; k < n; k++)
        s->damped[(n + k) * n + k] =
            sqrt(s->damping) * (s->size[k] > 0 ? s->size[k] : 1);
    memset(s->right, 0, (size_t)(2 * n) * sizeof *s->right);
    for (int64_t k = 0; k < n; k++)
        s->right[k] = -s->q[k];
    nncc_qr(2 * n, n, s->damped, s->right);
    return nncc_back_substitute(n, s->damped, n, s->right, s->step);
}

/* |D x| */
static double scaled_norm(const Squares *s, const double *x)
{
    double norm = 0;

    for (int64_t k = 0; k < s->n; k++)
        norm = hypot(norm, (s->size[k] > 0 ? s->size[k] : 1) * x[k]);
    return norm;
}

/* How much smaller the sum of squares becomes by the step if J is all. */
static double predicted(const Squares *s)
{
    double along = 0, scaled = scaled_norm(s, s->step);

    for (int64_t i = 0; i < s->n; i++) {
        double v = 0;
        for (int64_t j = i; j < s->n; j++)
            v += s->tri[i * s->n + j] * s->step[j];
        along = hypot(along, v);
    }
    return along * along + 2 * s->damping * scaled * scaled;
}

static double sum_of_squares(int64_t n, const double *r)
{
    double norm = nncc_norm(n, r);

    return norm * norm;
}

/* Longer steps after a good one, shorter ones after a bad one. */
static void adapt(Squares *s, double gain)
{
    double v = 2 * gain - 1;

    if (gain > 0) {
        s->damping *= fmax(1.0 / 3, 1 - v * v * v);
        s->growth = 2;
    } else {
        s->damping *= s->growth;
        s->growth *= 2;
    }
}

/* Tries a step. *moved: it was made. *end: nothing is left to be done. */
static int try_step(Squares *s, bool *moved, bool *end)
{
    double least = s->o.tolerance * s->o.tolerance;

    *moved = *end = false;
    if (!damped_step(s)) {
        adapt(s, -1);
        return NN_OK;
    }
    double length = scaled_norm(s, s->step), expect = predicted(s);
    *end = length <= s->o.tolerance * scaled_norm(s, s->x) ||
           expect <= least * s->now.value;
    for (int64_t k = 0; k < s->n; k++)
        s->try_x[k] = s->x[k] + s->step[k];
    int status = residuals_at(s, s->try_x, s->try_r);
    if (status)
        return status;
    double value = sum_of_squares(s->m, s->try_r);
    /* Changes that roundoff hides are taken as they are foreseen. */
    double noise = 10 * DBL_EPSILON * s->now.value;
    double gain = (s->now.value - value + noise) / (expect + noise);
    *moved = isfinite(value) && gain > 1e-4;
    adapt(s, *moved ? gain : -1);
    if (!*moved)
        return NN_OK;
    memcpy(s->x, s->try_x, (size_t)s->n * sizeof *s->x);
    memcpy(s->r, s->try_r, (size_t)s->m * sizeof *s->r);
    s->now.value = value;
    return NN_OK;
}

static int linearise(Squares *s)
{
    int status = jacobian_at(s);

    if (!status) {
        factor(s);
        s->now.gradient = scale(s);
    }
    return status;
}

/* Steps until one is made. */
static int iterate(Squares *s, bool *over)
{
    bool moved = false, end = false;

    while (!moved && !end) {
        int status = try_step(s, &moved, &end);
        if (status)
            return status;
        if (!(s->damping < 1e100)) {
            s->now.end = NNCC_SOLVE_STUCK;
            *over = true;
            return NN_OK;
        }
    }
    s->now.iterations++;
    if (end) {
        s->now.end = NNCC_SOLVE_CONVERGED;
        *over = true;
    }
    return moved ? linearise(s) : NN_OK;
}

static int descend(Squares *s)
{
    bool over = false;
    int status = linearise(s);

    s->now.end = NNCC_SOLVE_CONVERGED;
    while (!status && !over && s->now.gradient > s->o.tolerance) {
        s->now.calls = s->p.calls;
        if (s->now.iterations == s->o.iterations) {
            s->now.end = NNCC_SOLVE_ITERATIONS;
            break;
        }
        status = iterate(s, &over);
        if (!status && nncc_solve_tell(&s->o, &s->now)) {
            s->now.end = NNCC_SOLVE_STOPPED;
            break;
        }
    }
    s->now.calls = s->p.calls;
    return status;
}

/* Covariance */

/* Column k is what the ones before it are, but for roundoff. */
static int64_t find_undetermined(const Squares *s)
{
    double least = 8 * DBL_EPSILON * (double)(s->m + s->n);

    for (int64_t k = 0; k < s->n; k++) {
        double norm = 0;
        for (int64_t i = 0; i <= k; i++)
            norm = hypot(norm, s->tri[i * s->n + k]);
        if (!(fabs(s->tri[k * s->n + k]) > least * norm))
            return k;
    }
    return -1;
}

/* (R'R)^-1 = R^-1 R^-T times the variance; inverse has room for n * n. */
static void invert(const Squares *s, double variance, double *inverse,
                   double *to)
{
    int64_t n = s->n;

    for (int64_t k = 0; k < n; k++) {
        memset(s->right, 0, (size_t)n * sizeof *s->right);
        s->right[k] = 1;
        nncc_back_substitute(n, s->tri, n, s->right, s->step);
        for (int64_t i = 0; i < n; i++)
            inverse[i * n + k] = i <= k ? s->step[i] : 0;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            to[i * n + j] =
                variance * nncc_dot(n, inverse + i * n, inverse + j * n);
}

static int covariance(const Squares *s, bool absolute, nncc_covariance *c)
{
    int64_t n = s->n;
    double variance =
        s->m > n ? s->now.value / (double)(s->m - n) : (double)NAN;
    double *to = numbers(n, n);

    if (!to)
        return NN_ERR_MEMORY;
    *c = (nncc_covariance){.residuals = s->m,
                           .variance = absolute ? 1 : variance,
                           .matrix = to,
                           .undetermined = find_undetermined(s)};
    if (c->undetermined < 0)
        invert(s, c->variance, s->damped, to);
    for (int64_t i = 0; c->undetermined >= 0 && i < n * n; i++)
        to[i] = INFINITY;
    return NN_OK;
}

/* All of it */

static int prepare(Squares *s, const nncc_solve_options *o)
{
    const nn_function *f = s->p.lead;
    int status = nncc_solve_defaults(&s->p, o, 1e-10, &s->o);

    if (!status)
        status = nncc_ready_new(&s->p, f, &s->residuals);
    if (!status && (s->residuals.nresult != 1 ||
                    !nncc_is_real(s->residuals.result[0]->dtype)))
        status = nncc_fail(NN_ERR_ARGUMENT,
                           "%s: residuals are one tensor of reals", f->name);
    if (!status)
        status = nncc_ready_new(&s->p, s->jacobian.f, &s->jacobian);
    if (!status)
        status = nncc_tensor_count(s->residuals.result[0], &s->m, NULL);
    s->n = s->now.unknowns = s->p.n;
    s->damping = 1e-3;
    s->growth = 2;
    return status ? status : allocate(s);
}

static int solve(Squares *s, bool absolute, nncc_covariance *c)
{
    nncc_problem_start(&s->p, s->x);
    int status = residuals_at(s, s->x, s->r);
    if (status)
        return status;
    s->now.value = sum_of_squares(s->m, s->r);
    if (!isfinite(s->now.value))
        return nncc_fail(NN_ERR_NUMBER,
                         "%s: a residual at the start is infinite or not a "
                         "number",
                         s->p.lead->name);
    status = descend(s);
    nncc_problem_finish(&s->p, s->x);
    return status || !c ? status : covariance(s, absolute, c);
}

int nncc_least_squares(nncc_model *m, const nn_function *residuals,
                       const nn_function *jacobian, nncc_tensor *const *leaf,
                       const int64_t *dims, int absolute,
                       const nncc_solve_options *o, nncc_solve_result *r,
                       nncc_covariance *c)
{
    Squares s = {.jacobian = {.f = jacobian}};

    if (!m || !residuals || !jacobian || !leaf)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_least_squares: null argument");
    int status = nncc_problem_new(m, residuals, jacobian, "jac_", leaf, dims,
                                  o ? o->exec : NULL, &s.p);
    if (status)
        return status;
    status = prepare(&s, o);
    if (!status)
        status = solve(&s, absolute != 0, c);
    if (!status && r)
        *r = s.now;
    squares_free(&s);
    return status;
}
