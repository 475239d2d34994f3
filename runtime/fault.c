/* fault.c: the arguments of a step that could not be made. */
#include "nn_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int put_leaf(const nncc_binding *b, const nncc_axes *a, int leaf,
                    nncc_store *s)
{
    char name[256];
    nncc_tensor t = {.dtype = a->leaf[leaf]->dtype,
                     .rank = a->leaf[leaf]->rank,
                     .data = b->leaf[leaf]};

    memcpy(t.size, a->size + a->first[leaf], (size_t)t.rank * sizeof *t.size);
    return nncc_store_put(s, nncc_leaf_name(b->f, leaf, name, sizeof name), &t);
}

static int put_all(const nncc_binding *b, nncc_axes *a, nncc_store *s)
{
    char name[128], value[32];
    int status = nncc_axes_at(b->f, a, b->dims_now);

    if (!status)
        status = nncc_store_set_text(s, "function", b->f->name);
    for (int l = 0; l < a->nparam_leaf && !status; l++)
        status = put_leaf(b, a, l, s);
    for (int k = 0; k < b->f->ndim && !status; k++) {
        snprintf(name, sizeof name, "dim.%s", b->f->dim[k]);
        snprintf(value, sizeof value, "%lld", (long long)b->dims_now[k]);
        status = nncc_store_set_text(s, name, value);
    }
    return status;
}

int nncc_bind_keep(const nncc_binding *b, nncc_store **to)
{
    nncc_axes a;
    nncc_store *s = NULL;
    int status = nncc_axes_new(b->f, &a);

    if (status)
        return status;
    status = nncc_store_new(&s);
    if (!status)
        status = put_all(b, &a, s);
    nncc_axes_free(&a);
    if (status) {
        nncc_store_free(s);
        return status;
    }
    nncc_store_free(*to);
    *to = s;
    return NN_OK;
}

int nncc_stopped_step(const nncc_model *m, const nncc_store **out)
{
    if (!m || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_stopped_step: null argument");
    if (!m->stopped)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no step has failed",
                         nncc_path(m));
    *out = m->stopped;
    return NN_OK;
}

int nncc_last_step(const nncc_model *m, int item, nncc_store **out)
{
    nncc_store *s = NULL;

    if (!m || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_last_step: null argument");
    if (!m->running || item < 0 || item >= m->trainer->nitem)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no step %d is being made",
                         nncc_path(m), item);
    int status = nncc_bind_keep(&m->running[item], &s);
    if (!status)
        *out = s;
    return status;
}
