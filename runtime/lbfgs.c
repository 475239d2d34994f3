/* lbfgs.c: minimising a function of a module; by L-BFGS, which liblbfgs does.
 */
#include "minimise.h"

#include <lbfgs.h>
#include <limits.h>
#include <math.h>
#include <string.h>

int nncc_minimum_at(nncc_minimum *m, const double *x, double *value, double *g)
{
    const nncc_tensor *t = m->value_and_grad.result[0];
    int status = nncc_ready_call(&m->p, &m->value_and_grad, x, NULL);

    if (!status)
        status = nncc_ready_gather(&m->p, &m->value_and_grad, "d_", 1, g);
    if (status)
        return status;
    nncc_load_numbers(t->dtype, t->data, 0, 1, value);
    if (!isfinite(*value) || !isfinite(nncc_norm(m->p.n, g)))
        *value = HUGE_VAL;
    return NN_OK;
}

bool nncc_minimum_found(nncc_minimum *m)
{
    m->now.gradient = nncc_norm(m->p.n, m->g);
    return m->now.gradient <= m->o.tolerance * fmax(1, nncc_norm(m->p.n, m->x));
}

/* One run of liblbfgs. */
typedef struct Run {
    nncc_minimum *m;
    int status; /* of a call that failed: all others are left out */
} Run;

static lbfgsfloatval_t evaluate(void *context, const lbfgsfloatval_t *x,
                                lbfgsfloatval_t *g, const int n,
                                const lbfgsfloatval_t step)
{
    Run *r = context;
    double value = HUGE_VAL;

    (void)step;
    if (!r->status)
        r->status = nncc_minimum_at(r->m, x, &value, g);
    if (r->status || !isfinite(value))
        memset(g, 0, (size_t)n * sizeof *g);
    return value;
}

static int progress(void *context, const lbfgsfloatval_t *x,
                    const lbfgsfloatval_t *g, const lbfgsfloatval_t value,
                    const lbfgsfloatval_t xnorm, const lbfgsfloatval_t gnorm,
                    const lbfgsfloatval_t step, int n, int k, int tries)
{
    Run *r = context;
    nncc_minimum *m = r->m;

    (void)xnorm;
    (void)step;
    (void)tries;
    memcpy(m->x, x, (size_t)n * sizeof *x);
    memcpy(m->g, g, (size_t)n * sizeof *g);
    m->now.value = value;
    m->now.gradient = gnorm;
    m->now.iterations = k;
    m->now.calls = m->p.calls;
    if (r->status || nncc_solve_tell(&m->o, &m->now))
        return LBFGSERR_CANCELED;
    return 0;
}

static enum nncc_solve_end end_of(int result)
{
    switch (result) {
    case LBFGS_SUCCESS:
    case LBFGS_ALREADY_MINIMIZED:
        return NNCC_SOLVE_CONVERGED;
    case LBFGSERR_MAXIMUMITERATION:
        return NNCC_SOLVE_ITERATIONS;
    case LBFGSERR_CANCELED:
        return NNCC_SOLVE_STOPPED;
    }
    return NNCC_SOLVE_STUCK;
}

/* Of a line search that halves steps, so that what is not finite is left. */
static lbfgs_parameter_t parameters(const nncc_solve_options *o)
{
    lbfgs_parameter_t to;

    lbfgs_parameter_init(&to);
    to.m = 10;
    to.epsilon = o->tolerance;
    to.max_iterations = o->iterations < INT_MAX ? (int)o->iterations : INT_MAX;
    to.max_linesearch = 60;
    to.linesearch = LBFGS_LINESEARCH_BACKTRACKING_STRONG_WOLFE;
    return to;
}

int nncc_minimise_lbfgs(nncc_minimum *m)
{
    Run run = {.m = m};
    lbfgs_parameter_t how = parameters(&m->o);
    double value;

    if (m->p.n > INT_MAX - 32)
        return nncc_fail(NN_ERR_ARGUMENT, "%lld unknowns are too many",
                         (long long)m->p.n);
    lbfgsfloatval_t *x = lbfgs_malloc((int)m->p.n);
    if (!x)
        return nncc_fail_memory((size_t)m->p.n * sizeof *x, "a solver");
    memcpy(x, m->x, (size_t)m->p.n * sizeof *x);
    int result = lbfgs((int)m->p.n, x, &value, evaluate, progress, &run, &how);
    lbfgs_free(x);
    if (result == LBFGSERR_OUTOFMEMORY)
        return nncc_fail_memory((size_t)m->p.n * 20 * sizeof *x, "a solver");
    m->now.end = end_of(result);
    return run.status;
}

static int prepare(nncc_minimum *m, const nncc_solve_options *o)
{
    const nn_function *f = m->p.lead;
    int status = nncc_solve_defaults(&m->p, o, 1e-8, &m->o);
    int64_t n = 0;

    if (!status)
        status = nncc_ready_new(&m->p, f, &m->value_and_grad);
    if (!status)
        status = nncc_tensor_count(m->value_and_grad.result[0], &n, NULL);
    if (!status && n != 1)
        status = nncc_fail(NN_ERR_ARGUMENT,
                           "%s: what is minimised is one number", f->name);
    m->now.unknowns = m->p.n;
    m->x = nncc_alloc((size_t)m->p.n, sizeof *m->x, "a solver");
    m->g = nncc_alloc((size_t)m->p.n, sizeof *m->g, "a solver");
    return status ? status : m->x && m->g ? NN_OK : (int)NN_ERR_MEMORY;
}

static int minimise(nncc_minimum *m, const nn_function *hvp)
{
    nncc_problem_start(&m->p, m->x);
    int status = nncc_minimum_at(m, m->x, &m->now.value, m->g);

    if (!status && !isfinite(m->now.value))
        status = nncc_fail(NN_ERR_NUMBER,
                           "%s: value or gradient at the start is infinite or "
                           "not a number",
                           m->p.lead->name);
    if (!status && !nncc_minimum_found(m)) {
        status = hvp ? nncc_minimise_newton(m, hvp) : nncc_minimise_lbfgs(m);
        nncc_problem_finish(&m->p, m->x);
        nncc_minimum_found(m);
    }
    m->now.calls = m->p.calls;
    return status;
}

int nncc_minimise(nncc_model *m, const nn_function *value_and_grad,
                  const nn_function *hvp, nncc_tensor *const *leaf,
                  const int64_t *dims, const nncc_solve_options *o,
                  nncc_solve_result *r)
{
    nncc_minimum min = {0};

    if (!m || !value_and_grad || !leaf)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_minimise: null argument");
    int status = nncc_problem_new(m, value_and_grad, value_and_grad, "d_", leaf,
                                  dims, o ? o->exec : NULL, &min.p);
    if (status)
        return status;
    status = prepare(&min, o);
    if (!status)
        status = minimise(&min, hvp);
    if (!status && r)
        *r = min.now;
    free(min.x);
    free(min.g);
    nncc_ready_free(&min.value_and_grad);
    nncc_problem_free(&min.p);
    return status;
}
