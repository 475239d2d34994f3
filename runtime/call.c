/* call.c: dimensions from shapes, the workspace, calls by descriptor. */
#include "nn_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM ((int64_t)1 << 48)

enum { NAME_BYTES = 256, SHAPE_BYTES = 400 };

static void list_leaves(const nn_function *f, nncc_axes *a)
{
    int k = 0, axis = 0;

    for (int i = 0; i < f->nparam + f->nresult; i++) {
        bool result = i >= f->nparam;
        const nn_port *p = result ? f->result[i - f->nparam] : f->param[i];
        for (int l = 0; l < p->nleaf; l++, k++) {
            a->leaf[k] = p->leaf[l];
            a->in_place[k] = result && p->in_place >= 0;
            a->first[k] = axis;
            axis += p->leaf[l]->rank;
        }
    }
    a->first[k] = axis;
}

static int count_axes(const nn_function *f)
{
    int n = 0;

    for (int i = 0; i < f->nparam; i++)
        for (int l = 0; l < f->param[i]->nleaf; l++)
            n += f->param[i]->leaf[l]->rank;
    for (int i = 0; i < f->nresult; i++)
        for (int l = 0; l < f->result[i]->nleaf; l++)
            n += f->result[i]->leaf[l]->rank;
    return n;
}

/* Which axes are a dimension by itself, which depend on none? Sizes are given
 * by a function, so it is asked at two points of distinct primes: an axis that
 * equals one dimension at both is that dimension. */
static int find_owners(const nn_function *f, nncc_axes *a)
{
    int naxis = a->first[a->nleaf];
    int64_t *dims = nncc_alloc(2 * (size_t)f->ndim, sizeof *dims, "dimensions");
    int64_t *size = nncc_alloc(2 * (size_t)naxis, sizeof *size, "sizes");

    if (dims && size) {
        int64_t *second = dims + f->ndim, *size2 = size + naxis;
        for (int k = 0; k < f->ndim; k++) {
            dims[k] = 1009 + 7919 * (int64_t)k;
            second[k] = 10007 + 104729 * (int64_t)k;
        }
        f->sizes(dims, size);
        f->sizes(second, size2);
        for (int e = 0; e < naxis; e++) {
            int64_t k = (size[e] - 1009) / 7919;
            a->owner[e] = NNCC_AXIS_OTHER;
            if (size[e] == size2[e])
                a->owner[e] = NNCC_AXIS_CONST;
            else if (size[e] >= 1009 && k < f->ndim && dims[k] == size[e] &&
                     second[k] == size2[e])
                a->owner[e] = (int)k;
        }
    }
    bool ok = dims && size;
    free(dims);
    free(size);
    return ok ? NN_OK : NN_ERR_MEMORY;
}

int nncc_axes_new(const nn_function *f, nncc_axes *a)
{
    int naxis = count_axes(f);

    *a = (nncc_axes){0};
    a->nparam_leaf = nncc_param_leaves(f);
    a->nleaf = a->nparam_leaf + nncc_result_leaves(f);
    a->leaf = nncc_alloc((size_t)a->nleaf, sizeof *a->leaf, "leaves");
    a->in_place = nncc_alloc((size_t)a->nleaf, sizeof *a->in_place, "leaves");
    a->first = nncc_alloc((size_t)a->nleaf + 1, sizeof *a->first, "leaves");
    a->owner = nncc_alloc((size_t)naxis, sizeof *a->owner, "axes");
    a->size = nncc_alloc((size_t)naxis, sizeof *a->size, "axes");
    if (!a->leaf || !a->in_place || !a->first || !a->owner || !a->size) {
        nncc_axes_free(a);
        return NN_ERR_MEMORY;
    }
    list_leaves(f, a);
    int status = find_owners(f, a);
    if (status)
        nncc_axes_free(a);
    return status;
}

void nncc_axes_free(nncc_axes *a)
{
    free(a->leaf);
    free(a->in_place);
    free(a->first);
    free(a->owner);
    free(a->size);
    *a = (nncc_axes){0};
}

int nncc_axes_at(const nn_function *f, nncc_axes *a, const int64_t *dims)
{
    char name[NAME_BYTES];

    f->sizes(dims, a->size);
    for (int l = 0; l < a->nleaf; l++)
        for (int e = a->first[l]; e < a->first[l + 1]; e++)
            if (a->size[e] < 0 || a->size[e] > MAX_DIM)
                return nncc_fail(
                    NN_ERR_SHAPE,
                    "%s: '%s' would have size %lld in axis %d of %s", f->name,
                    nncc_leaf_name(f, l, name, sizeof name),
                    (long long)a->size[e], e - a->first[l], a->leaf[l]->shape);
    return NN_OK;
}

int nncc_axes_bytes(const nncc_axes *a, int leaf, size_t *bytes)
{
    nncc_tensor t = {.dtype = a->leaf[leaf]->dtype,
                     .rank = a->leaf[leaf]->rank};

    for (int i = 0; i < t.rank; i++)
        t.size[i] = a->size[a->first[leaf] + i];
    return nncc_tensor_count(&t, NULL, bytes);
}

/* "[32, 64]" into buf. */
static const char *print_sizes(const int64_t *size, int rank, char *buf,
                               size_t n)
{
    size_t at = 0;

    at += (size_t)snprintf(buf, n, "[");
    for (int i = 0; i < rank && at < n; i++)
        at += (size_t)snprintf(buf + at, n - at, "%s%lld", i ? ", " : "",
                               (long long)size[i]);
    if (at < n)
        snprintf(buf + at, n - at, "]");
    return buf;
}

static int wrong_shape(const nn_function *f, const nncc_axes *a, int l,
                       const nncc_tensor *t, bool sizes_known)
{
    char name[NAME_BYTES], found[SHAPE_BYTES], expected[SHAPE_BYTES];

    nncc_leaf_name(f, l, name, sizeof name);
    print_sizes(t->size, t->rank, found, sizeof found);
    if (!sizes_known || a->leaf[l]->rank == 0)
        return nncc_fail(NN_ERR_SHAPE, "%s: '%s' has shape %s; expected %s",
                         f->name, name, found, a->leaf[l]->shape);
    print_sizes(a->size + a->first[l], a->leaf[l]->rank, expected,
                sizeof expected);
    if (strcmp(expected, a->leaf[l]->shape) == 0)
        return nncc_fail(NN_ERR_SHAPE, "%s: '%s' has shape %s; expected %s",
                         f->name, name, found, expected);
    return nncc_fail(NN_ERR_SHAPE, "%s: '%s' has shape %s; expected %s = %s",
                     f->name, name, found, a->leaf[l]->shape, expected);
}

static int check_tensor(const nn_function *f, const nncc_axes *a, int l,
                        const nncc_tensor *t)
{
    char name[NAME_BYTES];
    int64_t count;

    if (t->dtype != a->leaf[l]->dtype)
        return nncc_fail(NN_ERR_TYPE, "%s: '%s' is of dtype %s; expected %s",
                         f->name, nncc_leaf_name(f, l, name, sizeof name),
                         nncc_dtype_name(t->dtype),
                         nncc_dtype_name(a->leaf[l]->dtype));
    if (t->rank < 0 || t->rank > NNCC_MAX_RANK)
        return nncc_fail(NN_ERR_SHAPE, "%s: '%s' has rank %d", f->name,
                         nncc_leaf_name(f, l, name, sizeof name), t->rank);
    if (t->rank != a->leaf[l]->rank)
        return wrong_shape(f, a, l, t, false);
    int status = nncc_tensor_count(t, &count, NULL);
    if (status)
        return status;
    if (count > 0 && !t->data)
        return nncc_fail(NN_ERR_NULL, "%s: '%s' has no data", f->name,
                         nncc_leaf_name(f, l, name, sizeof name));
    return NN_OK;
}

static void bind_owned(const nncc_axes *a, nncc_tensor *const *leaf,
                       int64_t *dims)
{
    for (int l = 0; l < a->nleaf; l++) {
        if (!leaf[l] || a->in_place[l])
            continue;
        for (int i = 0; i < a->leaf[l]->rank; i++) {
            int k = a->owner[a->first[l] + i];
            if (k >= 0 && dims[k] < 0)
                dims[k] = leaf[l]->size[i];
        }
    }
}

/* The size of axis e with dimension k at d, the others as they are (those
 * unknown at 1). */
static int64_t size_with(const nn_function *f, nncc_axes *a, int64_t *trial,
                         const int64_t *dims, int e, int k, int64_t d)
{
    for (int i = 0; i < f->ndim; i++)
        trial[i] = i == k ? d : dims[i] < 0 ? 1 : dims[i];
    f->sizes(trial, a->size);
    return a->size[e];
}

/* The smallest d >= 1, or else 0, at which axis e, growing with dimension k,
 * has size want; -1: none. */
static int64_t search(const nn_function *f, nncc_axes *a, int64_t *trial,
                      const int64_t *dims, int e, int k, int64_t want)
{
    int64_t lo = 0, hi = 1; /* size at lo < want <= size at hi */

    while (size_with(f, a, trial, dims, e, k, hi) < want) {
        if (hi > MAX_DIM / 2)
            return -1;
        lo = hi;
        hi *= 2;
    }
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (size_with(f, a, trial, dims, e, k, mid) < want)
            lo = mid;
        else
            hi = mid;
    }
    if (size_with(f, a, trial, dims, e, k, hi) == want)
        return hi;
    return size_with(f, a, trial, dims, e, k, 0) == want ? 0 : -1;
}

/* Does axis e depend on dimension k, and on no other that is unknown? */
static bool depends_alone(const nn_function *f, nncc_axes *a, int64_t *trial,
                          const int64_t *dims, int e, int k)
{
    int64_t at1 = size_with(f, a, trial, dims, e, k, 1);

    for (int i = 0; i < f->ndim; i++) {
        bool same = size_with(f, a, trial, dims, e, i, 1009) == at1;
        if (dims[i] < 0 && same == (i == k))
            return false;
    }
    return true;
}

/* Dimensions that no axis shows by itself, from one like n + 1 or 2*h. */
static void bind_derived(const nn_function *f, nncc_axes *a,
                         nncc_tensor *const *leaf, int64_t *dims,
                         int64_t *trial)
{
    for (int l = 0; l < a->nleaf; l++) {
        if (!leaf[l] || a->in_place[l])
            continue;
        for (int i = 0; i < a->leaf[l]->rank; i++) {
            int e = a->first[l] + i;
            if (a->owner[e] != NNCC_AXIS_OTHER)
                continue;
            for (int k = 0; k < f->ndim; k++)
                if (dims[k] < 0 && depends_alone(f, a, trial, dims, e, k))
                    dims[k] = search(f, a, trial, dims, e, k, leaf[l]->size[i]);
        }
    }
}

/* An int parameter may be a dimension itself: then it has its name. */
static void bind_scalars(const nn_function *f, nncc_tensor *const *leaf,
                         int64_t *dims)
{
    for (int k = 0; k < f->ndim; k++)
        for (int i = 0; i < f->nparam && dims[k] < 0; i++) {
            const nncc_tensor *t = leaf[nncc_param_leaf(f, i)];
            if (f->param[i]->nleaf != 1 || !t || t->rank != 0 ||
                strcmp(f->param[i]->name, f->dim[k]) != 0)
                continue;
            if (t->dtype == NN_I32)
                dims[k] = *(const int32_t *)t->data;
            else if (t->dtype == NN_I64)
                dims[k] = *(const int64_t *)t->data;
        }
}

static int check_known(const nn_function *f, const int64_t *dims)
{
    for (int k = 0; k < f->ndim; k++) {
        if (dims[k] == -1)
            return nncc_fail(NN_ERR_SHAPE,
                             "%s: dimension '%s' does not follow from the "
                             "arguments' shapes: give it",
                             f->name, f->dim[k]);
        if (dims[k] < 0 || dims[k] > MAX_DIM)
            return nncc_fail(NN_ERR_SHAPE, "%s: dimension '%s' is %lld",
                             f->name, f->dim[k], (long long)dims[k]);
    }
    return NN_OK;
}

static int check_shapes(const nn_function *f, nncc_axes *a,
                        nncc_tensor *const *leaf)
{
    for (int l = 0; l < a->nleaf; l++) {
        if (!leaf[l] || a->in_place[l])
            continue;
        for (int i = 0; i < a->leaf[l]->rank; i++)
            if (leaf[l]->size[i] != a->size[a->first[l] + i])
                return wrong_shape(f, a, l, leaf[l], true);
    }
    return NN_OK;
}

bool nncc_axes_depend(const nn_function *f, nncc_axes *a, int leaf,
                      const int64_t *dims, int k, int64_t *trial)
{
    bool depend = false;

    for (int e = a->first[leaf]; e < a->first[leaf + 1]; e++)
        depend |= size_with(f, a, trial, dims, e, k, 1) !=
                  size_with(f, a, trial, dims, e, k, 2);
    return depend;
}

int nncc_axes_bind(const nn_function *f, nncc_axes *a, nncc_tensor *const *leaf,
                   int64_t *dims)
{
    for (int l = 0; l < a->nleaf; l++) {
        int status =
            leaf[l] && !a->in_place[l] ? check_tensor(f, a, l, leaf[l]) : NN_OK;
        if (status)
            return status;
    }

    int64_t *trial = nncc_alloc((size_t)f->ndim, sizeof *trial, "dimensions");
    if (!trial)
        return NN_ERR_MEMORY;
    bind_owned(a, leaf, dims);
    bind_scalars(f, leaf, dims);
    bind_derived(f, a, leaf, dims, trial);
    free(trial);
    return NN_OK;
}

int nncc_axes_solve(const nn_function *f, nncc_axes *a,
                    nncc_tensor *const *leaf, int64_t *dims)
{
    int status = nncc_axes_bind(f, a, leaf, dims);

    if (!status)
        status = check_known(f, dims);
    if (!status)
        status = nncc_axes_at(f, a, dims);
    if (!status)
        status = check_shapes(f, a, leaf);
    return status;
}

int nncc_solve(const nn_function *f, nncc_tensor *const *leaf, int64_t *dims)
{
    nncc_axes a;

    if (!f || !leaf || (f->ndim && !dims))
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_solve: null argument");
    int status = nncc_axes_new(f, &a);
    if (status)
        return status;

    status = nncc_axes_solve(f, &a, leaf, dims);
    nncc_axes_free(&a);
    return status;
}

int nncc_reserve(nncc_model *m, const nn_function *f, const int64_t *dims)
{
    size_t need = f->workspace(dims);

    if (m->workspace && need <= m->workspace_bytes)
        return NN_OK;
    void *fresh = nncc_alloc_aligned(need, "workspace");
    if (!fresh)
        return NN_ERR_MEMORY;
    free(m->workspace);
    m->workspace = fresh;
    m->workspace_bytes = need;
    return NN_OK;
}

/* The caller's exec, as far as it goes, with the handle's threads if there are
 * no others, and a place for errors. */
static nn_exec with_error(const nncc_model *m, const nn_exec *exec,
                          nn_error *error)
{
    nn_exec own = {.size = sizeof own};

    if (exec)
        memcpy(&own, exec, exec->size < sizeof own ? exec->size : sizeof own);
    own.size = sizeof own;
    if (!own.parallel_for && m->pool) {
        own.context = nncc_pool_exec(m->pool)->context;
        own.parallel_for = nncc_pool_exec(m->pool)->parallel_for;
    }
    if (!own.error)
        own.error = error;
    return own;
}

/* A value inside its limits has overflowed on the way. */
static void tell_size(nncc_text *t, const char *size, const nn_error *e)
{
    if (e->limit == 0)
        nncc_text_printf(t, ": '%s' divides by 0", size);
    else if (e->index >= 0 && e->index < e->limit)
        nncc_text_printf(t, ": '%s' is larger than 64 bits hold", size);
    else
        nncc_text_printf(t, ": '%s' is %lld, not in 0 ... %lld", size,
                         (long long)e->index, (long long)e->limit - 1);
}

const char *nncc_number_name(const nn_function *f, const nn_error *e, char *buf,
                             size_t n)
{
    int trained = 0;
    char leaf[200];

    while (trained < f->nresult && f->result[trained]->in_place < 0)
        trained++;
    if (e->index < 0 || trained == f->nresult) {
        snprintf(buf, n, "the loss or its gradient");
    } else if (e->index == 0) {
        snprintf(buf, n, "the loss");
    } else {
        int first = nncc_param_leaf(f, f->result[trained]->in_place);
        nncc_leaf_name(f, first + (int)e->index - 1, leaf, sizeof leaf);
        snprintf(buf, n, "the gradient of %s", leaf);
    }
    return buf;
}

void nncc_tell_place(nncc_text *t, const nn_function *f, const nn_error *e)
{
    if (e->place < 0 || e->place >= f->nplace)
        return;
    const nn_place *p = f->place[e->place];
    char name[256];
    if (*p->file)
        nncc_text_printf(t, ": %s:%d", p->file, (int)p->line);
    if (p->status == NN_ERR_NUMBER)
        nncc_text_printf(t, ": %s", nncc_number_name(f, e, name, sizeof name));
    if (p->status == NN_ERR_DIM)
        tell_size(t, p->text, e);
    if (p->status != NN_ERR_INDEX)
        return;
    if (e->limit <= 0)
        nncc_text_printf(t, ": an index of '%s', where there is nothing",
                         p->text);
    else
        nncc_text_printf(t, ": index %lld of '%s' is not in 0 ... %lld",
                         (long long)e->index, p->text, (long long)e->limit - 1);
}

static int tell_stop(const nncc_model *m, const nn_function *f,
                     const nn_error *e, int status)
{
    nncc_text t = {0};

    nncc_tell_place(&t, f, e);
    nncc_fail(status, "%s: %s: %s%s", nncc_path(m), f->name,
              nncc_status_text(status), t.n ? t.at : "");
    free(t.at);
    return status;
}

int nncc_invoke(nncc_model *m, const nn_function *f, void *const *leaf,
                const int64_t *dims, const nn_exec *exec)
{
    nn_error error = {.size = sizeof error, .place = -1};
    nn_exec own = with_error(m, exec, &error);
    int status = nncc_reserve(m, f, dims);

    if (status)
        return status;
    status = f->call(leaf, dims, m->workspace, &own);
    m->stop = *own.error;
    if (status)
        tell_stop(m, f, own.error, status);
    return status;
}

static int make_results(const nncc_axes *a, nncc_tensor **leaf, bool *fresh)
{
    for (int l = a->nparam_leaf; l < a->nleaf; l++) {
        if (leaf[l] || a->in_place[l])
            continue;
        int status = nncc_tensor_new(a->leaf[l]->dtype, a->leaf[l]->rank,
                                     a->size + a->first[l], &leaf[l]);
        if (status)
            return status;
        fresh[l] = true;
    }
    return NN_OK;
}

static int call_solved(nncc_model *m, const nn_function *f, const nncc_axes *a,
                       nncc_tensor **leaf, const int64_t *dims,
                       const nn_exec *exec)
{
    void **at = nncc_alloc((size_t)a->nleaf, sizeof *at, "arguments");
    bool *fresh = nncc_alloc((size_t)a->nleaf, sizeof *fresh, "arguments");
    int status =
        at && fresh ? make_results(a, leaf, fresh) : (int)NN_ERR_MEMORY;

    if (!status) {
        for (int l = 0; l < a->nleaf; l++)
            at[l] = a->in_place[l] ? NULL : leaf[l]->data;
        status = nncc_invoke(m, f, at, dims, exec);
    }
    for (int l = a->nparam_leaf; status && fresh && l < a->nleaf; l++)
        if (fresh[l]) {
            nncc_tensor_free(leaf[l]);
            leaf[l] = NULL;
        }
    free(at);
    free(fresh);
    return status;
}

static int call_checked(nncc_model *m, const nn_function *f, nncc_axes *a,
                        nncc_tensor **leaf, int64_t *dims, const nn_exec *exec)
{
    char name[NAME_BYTES];

    for (int l = 0; l < a->nparam_leaf; l++)
        if (!leaf[l])
            return nncc_fail(NN_ERR_NULL, "%s: '%s' is missing", f->name,
                             nncc_leaf_name(f, l, name, sizeof name));
    int status = nncc_axes_solve(f, a, leaf, dims);
    return status ? status : call_solved(m, f, a, leaf, dims, exec);
}

int nncc_call(nncc_model *m, const nn_function *f, nncc_tensor **leaf,
              int64_t *dims, const nn_exec *exec)
{
    nncc_axes a;

    if (!m || !f || !leaf)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_call: null argument");
    int status = nncc_axes_new(f, &a);
    if (status)
        return status;

    int64_t *at = nncc_alloc((size_t)f->ndim, sizeof *at, "dimensions");
    status = at ? NN_OK : NN_ERR_MEMORY;
    if (!status) {
        for (int k = 0; k < f->ndim; k++)
            at[k] = dims ? dims[k] : -1;
        status = call_checked(m, f, &a, leaf, at, exec);
    }
    if (!status && dims && f->ndim)
        memcpy(dims, at, (size_t)f->ndim * sizeof *dims);
    free(at);
    nncc_axes_free(&a);
    return status;
}
