/* problem.c: functions of a module as functions of one vector of f64. */
#include "solve.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parameter that result i is named after, or -1. */
static int param_of(const nn_function *f, const nn_function *by, int i,
                    const char *prefix)
{
    const char *name = by->result[i]->name;
    int param;

    if (strncmp(name, prefix, strlen(prefix)) != 0 ||
        nncc_find_param(f, name + strlen(prefix), &param) != NN_OK)
        return -1;
    return param;
}

static int add_unknown(nncc_problem *p, int param, int index)
{
    nncc_unknown *u = &p->unknown[p->nunknown];
    int leaf = nncc_param_leaf(p->lead, param) + index;
    const nncc_tensor *t = p->leaf[leaf];
    char name[256];

    if (!t)
        return nncc_fail(NN_ERR_NULL, "%s: '%s' is missing", p->lead->name,
                         nncc_leaf_name(p->lead, leaf, name, sizeof name));
    if (!nncc_is_real(t->dtype))
        return NN_OK;
    *u = (nncc_unknown){.leaf = leaf,
                        .param = p->lead->param[param]->name,
                        .index = index,
                        .at = p->n,
                        .value = *t,
                        .tangent = *t};
    int status = nncc_tensor_count(t, &u->n, NULL);
    if (status)
        return status;
    size_t bytes = (size_t)u->n * nncc_dtype_bytes(t->dtype);
    p->nunknown++;
    p->n += u->n;
    u->value.data = nncc_alloc_aligned(bytes, "a parameter");
    u->tangent.data = nncc_alloc_aligned(bytes, "a parameter");
    return u->value.data && u->tangent.data ? NN_OK : (int)NN_ERR_MEMORY;
}

static int find_unknowns(nncc_problem *p, const nn_function *by,
                         const char *prefix)
{
    int status = NN_OK;

    for (int i = 0; i < by->nresult && !status; i++) {
        int param = param_of(p->lead, by, i, prefix);
        for (int l = 0; param >= 0 && l < p->lead->param[param]->nleaf; l++)
            if (!status)
                status = add_unknown(p, param, l);
    }
    if (!status && p->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: gives no result '%s…' after a parameter of %s",
                         by->name, prefix, p->lead->name);
    return status;
}

int nncc_problem_new(nncc_model *m, const nn_function *lead,
                     const nn_function *by, const char *prefix,
                     nncc_tensor *const *leaf, const int64_t *dims,
                     const nn_exec *exec, nncc_problem *p)
{
    *p = (nncc_problem){
        .m = m, .lead = lead, .leaf = leaf, .dims = dims, .exec = exec};
    p->unknown = nncc_alloc((size_t)nncc_param_leaves(lead) + 1,
                            sizeof *p->unknown, "parameters");
    int status = p->unknown ? find_unknowns(p, by, prefix) : (int)NN_ERR_MEMORY;
    if (status)
        nncc_problem_free(p);
    return status;
}

void nncc_problem_free(nncc_problem *p)
{
    for (int k = 0; k < p->nunknown; k++) {
        free(p->unknown[k].value.data);
        free(p->unknown[k].tangent.data);
    }
    free(p->unknown);
    p->unknown = NULL;
    p->nunknown = 0;
}

/* Calls */

static nncc_unknown *find_unknown(const nncc_problem *p, const char *param,
                                  int index)
{
    for (int k = 0; k < p->nunknown; k++)
        if (!strcmp(p->unknown[k].param, param) && p->unknown[k].index == index)
            return &p->unknown[k];
    return NULL;
}

static nncc_tensor *given_leaf(const nncc_problem *p, int param, int index)
{
    nncc_unknown *u = find_unknown(p, p->lead->param[param]->name, index);

    return u ? &u->value : p->leaf[nncc_param_leaf(p->lead, param) + index];
}

/* "v" or "v_x": along what is solved for. */
static nncc_tensor *tangent_leaf(const nncc_problem *p, const char *name,
                                 int index)
{
    nncc_unknown *u = NULL;

    if (!strcmp(name, "v"))
        u = find_unknown(p, p->unknown[0].param, index);
    else if (!strncmp(name, "v_", 2))
        u = find_unknown(p, name + 2, index);
    return u ? &u->tangent : NULL;
}

static int find_arguments(const nncc_problem *p, const nn_function *f,
                          nncc_tensor **leaf)
{
    for (int i = 0, at = 0; i < f->nparam; i++) {
        int param, known = nncc_find_param(p->lead, f->param[i]->name, &param);
        for (int l = 0; l < f->param[i]->nleaf; l++, at++) {
            leaf[at] = known == NN_OK ? given_leaf(p, param, l)
                                      : tangent_leaf(p, f->param[i]->name, l);
            if (!leaf[at])
                return nncc_fail(NN_ERR_ARGUMENT,
                                 "%s: its parameter '%s' is none of %s's",
                                 f->name, f->param[i]->name, p->lead->name);
        }
    }
    return NN_OK;
}

static int make_results(const nncc_axes *a, nncc_ready *r, nncc_tensor **leaf)
{
    for (int l = 0; l < r->nresult; l++) {
        int at = a->nparam_leaf + l;
        int status = nncc_tensor_new(a->leaf[at]->dtype, a->leaf[at]->rank,
                                     a->size + a->first[at], &r->result[l]);
        if (status)
            return status;
        leaf[at] = r->result[l];
    }
    for (int l = 0; l < a->nleaf; l++)
        r->leaf[l] = leaf[l]->data;
    return NN_OK;
}

/* The sizes that were given, by name. */
static int64_t given_dim(const nncc_problem *p, const char *name)
{
    for (int k = 0; p->dims && k < p->lead->ndim; k++)
        if (!strcmp(p->lead->dim[k], name))
            return p->dims[k];
    return -1;
}

static int ready_solved(const nncc_problem *p, nncc_ready *r, nncc_axes *a)
{
    nncc_tensor **leaf =
        nncc_alloc((size_t)a->nleaf, sizeof *leaf, "arguments");

    r->dims = nncc_alloc((size_t)r->f->ndim, sizeof *r->dims, "dimensions");
    r->leaf = nncc_alloc((size_t)a->nleaf, sizeof *r->leaf, "arguments");
    r->nresult = a->nleaf - a->nparam_leaf;
    r->result = nncc_alloc((size_t)r->nresult, sizeof *r->result, "results");
    int status =
        leaf && r->dims && r->leaf && r->result ? NN_OK : (int)NN_ERR_MEMORY;
    for (int k = 0; k < r->f->ndim && !status; k++)
        r->dims[k] = given_dim(p, r->f->dim[k]);
    if (!status)
        status = find_arguments(p, r->f, leaf);
    if (!status)
        status = nncc_axes_solve(r->f, a, leaf, r->dims);
    if (!status)
        status = make_results(a, r, leaf);
    free(leaf);
    return status;
}

int nncc_ready_new(const nncc_problem *p, const nn_function *f, nncc_ready *r)
{
    nncc_axes a;

    *r = (nncc_ready){.f = f};
    for (int i = 0; i < f->nresult; i++)
        if (f->result[i]->in_place >= 0)
            return nncc_fail(NN_ERR_ARGUMENT, "%s: overwrites '%s'", f->name,
                             f->result[i]->name);
    int status = nncc_axes_new(f, &a);
    if (status)
        return status;
    status = ready_solved(p, r, &a);
    nncc_axes_free(&a);
    if (status)
        nncc_ready_free(r);
    return status;
}

void nncc_ready_free(nncc_ready *r)
{
    for (int l = 0; r->result && l < r->nresult; l++)
        nncc_tensor_free(r->result[l]);
    free(r->result);
    free(r->leaf);
    free(r->dims);
    *r = (nncc_ready){0};
}

static void store_all(const double *from, int64_t n, const nncc_tensor *to)
{
    nncc_store_numbers(to->dtype, to->data, 0, n, from);
}

int nncc_ready_call(nncc_problem *p, nncc_ready *r, const double *x,
                    const double *v)
{
    for (int k = 0; k < p->nunknown; k++) {
        const nncc_unknown *u = &p->unknown[k];
        store_all(x + u->at, u->n, &u->value);
        if (v)
            store_all(v + u->at, u->n, &u->tangent);
    }
    p->calls++;
    return nncc_invoke(p->m, r->f, r->leaf, r->dims, p->exec);
}

static int gather_leaf(const nncc_problem *p, const nncc_unknown *u,
                       const nn_function *f, const nncc_tensor *t, int64_t rows,
                       double *to)
{
    int64_t n = 0;

    nncc_tensor_count(t, &n, NULL);
    if (n != rows * u->n)
        return nncc_fail(
            NN_ERR_SHAPE, "%s: gives %lld numbers for '%s'; expected %lld",
            f->name, (long long)n, u->param, (long long)(rows * u->n));
    for (int64_t i = 0; i < rows; i++)
        nncc_load_numbers(t->dtype, t->data, i * u->n, u->n,
                          to + i * p->n + u->at);
    return NN_OK;
}

int nncc_ready_gather(const nncc_problem *p, const nncc_ready *r,
                      const char *prefix, int64_t rows, double *to)
{
    int status = NN_OK, first = nncc_param_leaves(r->f), found = 0;

    for (int i = 0; i < r->f->nresult && !status; i++) {
        int param = param_of(p->lead, r->f, i, prefix);
        int at = nncc_result_leaf(r->f, i) - first;
        for (int l = 0; param >= 0 && l < r->f->result[i]->nleaf; l++) {
            const nncc_unknown *u =
                find_unknown(p, p->lead->param[param]->name, l);
            if (u && !status)
                status = gather_leaf(p, u, r->f, r->result[at + l], rows, to);
            found += u != NULL;
        }
    }
    if (!status && found != p->nunknown)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: is not a derivative by what is solved for",
                         r->f->name);
    return status;
}

void nncc_problem_start(const nncc_problem *p, double *x)
{
    for (int k = 0; k < p->nunknown; k++) {
        const nncc_unknown *u = &p->unknown[k];
        const nncc_tensor *t = p->leaf[u->leaf];
        nncc_load_numbers(t->dtype, t->data, 0, u->n, x + u->at);
    }
}

void nncc_problem_finish(const nncc_problem *p, const double *x)
{
    for (int k = 0; k < p->nunknown; k++)
        store_all(x + p->unknown[k].at, p->unknown[k].n,
                  p->leaf[p->unknown[k].leaf]);
}

/* Options */

int nncc_solve_defaults(const nncc_problem *p, const nncc_solve_options *in,
                        double tolerance, nncc_solve_options *to)
{
    static const nncc_solve_options none = NNCC_SOLVE_DEFAULTS;
    bool single = false;

    *to = in ? *in : none;
    for (int k = 0; k < p->nunknown; k++)
        single |= p->unknown[k].value.dtype == NN_F32;
    if (to->iterations < 0 || !(to->tolerance >= 0))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%lld iterations to within %g; expected none of both "
                         "below 0",
                         (long long)to->iterations, to->tolerance);
    if (to->iterations == 0)
        to->iterations = 1000;
    if (to->tolerance == 0)
        to->tolerance = single ? 1e-4 : tolerance;
    return NN_OK;
}

bool nncc_solve_tell(const nncc_solve_options *o, const nncc_solve_result *r)
{
    return o->progress && o->progress(o->context, r) != 0;
}
