/* reference.c: what is compiled against the reference evaluator. */

#include "gradcheck/internal.h"

#include <math.h>

/* The reference finds an index outside where what is compiled does not. */
static const char *stop_text(const Reference *r, const EvalStop *stop)
{
    Span at = stop->node->span;
    const Diags *d = r->module->sources;
    const char *place = diags_place(d, r->arena, at, false);

    return arena_printf(
        r->arena, "%s: index %lld of '%s' is not in 0 ... %lld",
        place ? place : "?", (long long)stop->index,
        place ? source_text(r->arena, diags_source_of(d, at), at) : "?",
        (long long)stop->limit - 1);
}

/* numbers: only where the evaluator's is one, for what is compiled may be more
 * stable. */
static double distance(const nncc_tensor *t, const double *want, bool numbers)
{
    int64_t n = tensor_elements(t);
    double most = 0, scale = 1e-6;

    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i]))
            scale = fmax(scale, fabs(want[i]));
    for (int64_t i = 0; i < n; i++) {
        double got = tensor_get(t, i);
        if (numbers && !isfinite(want[i]))
            continue;
        bool same = got == want[i] || (isnan(got) && isnan(want[i]));
        double d = same ? 0 : fabs(got - want[i]) / scale;
        most = isnan(d) ? INFINITY : fmax(most, d);
    }
    return most;
}

static double spread(int64_t n, const double *x, const double *y)
{
    double most = 0, scale = 1e-6;

    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            scale = fmax(scale, fabs(x[i]));
            most = fmax(most, fabs(x[i] - y[i]));
        } else if (isfinite(x[i]) || isfinite(y[i])) {
            most = INFINITY;
        }
    return most / scale;
}

static const double *as_doubles(Arena *a, const nncc_tensor *t)
{
    int64_t n = tensor_elements(t);
    double *v = NEWN(a, double, n + 1);

    for (int64_t i = 0; i < n; i++)
        v[i] = tensor_get(t, i);
    return v;
}

/* p->f's results as its graph was before any pass, at p->base. */
static EvalStatus evaluate(Arena *a, const Reference *r, const Pair *p,
                           const EvalHow *how, double **out)
{
    const Function *f = p->f;
    const Instance *base = &p->base;
    Nodes x = function_inputs(a, f);
    EvalInput *in = NEWN(a, EvalInput, x.n + 1);

    for (int i = 0; i < x.n; i++)
        in[i] = (EvalInput){x.at[i], as_doubles(a, base->leaf[i])};
    return eval_as(a, r->module->graph, r->nroot, r->root, x.n, in, f->nvar,
                   f->var, base->dims, how, out);
}

/* How far f's results are off at p->base; false: too large to evaluate. */
bool reference_error(Reference *r, const Pair *p, bool numbers, double *error)
{
    Arena *a = arena_new();
    double **out = NEWN(a, double *, r->nroot + 1);
    EvalStop stop = {0};
    EvalStatus status = evaluate(a, r, p, &(EvalHow){.stop = &stop}, out);
    int at = 0;

    *error = status == EVAL_OK ? 0 : INFINITY;
    r->stopped = status == EVAL_BAD_INDEX ? stop_text(r, &stop) : NULL;
    if (status == EVAL_OK)
        for (int i = 0; i < p->d.f->nresult; i++)
            for (int k = 0; k < p->d.f->result[i]->nleaf; k++)
                *error = fmax(*error, distance(instance_result(&p->d, i, k),
                                               out[at++], numbers));
    arena_free(a);
    return status != EVAL_BAD_DIM;
}

/* How far apart the evaluator's results are when sums are rounded otherwise. */
double reference_sensitivity(const Reference *r, const Pair *p)
{
    Arena *a = arena_new();
    double **one = NEWN(a, double *, r->nroot + 1);
    double **two = NEWN(a, double *, r->nroot + 1), most = 0;
    int at = 0;

    if (evaluate(a, r, p, &(EvalHow){.rounded = false}, one) == EVAL_OK &&
        evaluate(a, r, p, &(EvalHow){.rounded = true}, two) == EVAL_OK)
        for (int i = 0; i < p->d.f->nresult; i++)
            for (int k = 0; k < p->d.f->result[i]->nleaf; k++, at++)
                most = fmax(
                    most, spread(tensor_elements(instance_result(&p->d, i, k)),
                                 one[at], two[at]));
    arena_free(a);
    return most;
}

bool reference_beside(Pair *p)
{
    const Reference *r = p->reference;
    const Function *f = p->f->primal;
    const Instance *s = &p->primal;
    Arena *a = arena_new();
    Nodes x = function_inputs(a, f);
    EvalInput *in = NEWN(a, EvalInput, x.n + 1);
    double **out = NEWN(a, double *, p->nvalue + 1);

    for (int i = 0; i < x.n; i++)
        in[i] = (EvalInput){x.at[i], as_doubles(a, s->leaf[i])};
    bool good = eval_as(a, r->module->graph, p->nvalue, r->primal, x.n, in,
                        f->nvar, f->var, s->dims,
                        &(EvalHow){.decisions = p->decided}, out) == EVAL_OK;
    for (int i = 0; good && i < p->nvalue; i++) {
        const nncc_tensor *t = s->leaf[s->nparam + i];
        int64_t n = tensor_is_f64(t) ? tensor_elements(t) : 0;
        for (int64_t k = 0; k < n; k++)
            tensor_set(t, k, out[i][k]);
    }
    arena_free(a);
    return good;
}
