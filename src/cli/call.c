/* call.c: the arguments of a call, from the command line. */

#include "cli/call.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *leaf_name(Arena *a, const char *port, const char *path)
{
    return *path ? arena_printf(a, "%s.%s", port, path) : port;
}

bool leaf_fits(const Leaf *leaf, const nncc_tensor *t)
{
    bool same = leaf->rank == t->rank;

    for (int i = 0; same && i < t->rank; i++) {
        int64_t v;
        same = dim_const_value(leaf->dim[i], &v) && v == t->size[i];
    }
    return same;
}

static bool unknown_name(const Call *c, const char *name)
{
    const nn_function *f = c->f;
    Arena *a = c->args->arena;
    int n = 0;
    const char **known = NEWN(a, const char *, f->nparam + f->ndim + 1);

    for (int i = 0; i < f->nparam; i++)
        known[n++] = f->param[i]->name;
    for (int i = 0; i < f->ndim; i++)
        known[n++] = f->dim[i];
    cli_unknown(a, f->name, "parameter", name, known, n);
    return false;
}

int call_axes(const nn_function *f)
{
    int axes = 0;

    for (int i = 0; i < f->nparam; i++)
        for (int j = 0; j < f->param[i]->nleaf; j++)
            axes += f->param[i]->leaf[j]->rank;
    for (int i = 0; i < f->nresult; i++)
        for (int j = 0; j < f->result[i]->nleaf; j++)
            axes += f->result[i]->leaf[j]->rank;
    return axes;
}

/* Does the size of some parameter or result depend on dimension number i? */
static bool is_size(const Call *c, int i)
{
    const nn_function *f = c->f;
    Arena *scratch = arena_new();
    int64_t *dims = NEWN(scratch, int64_t, f->ndim + 1);
    int axes = call_axes(f);
    int64_t *one = NEWN(scratch, int64_t, axes + 1);
    int64_t *two = NEWN(scratch, int64_t, axes + 1);
    for (int k = 0; k < f->ndim; k++)
        dims[k] = 101;
    f->sizes(dims, one);
    dims[i] = 211;
    f->sizes(dims, two);
    bool differ = memcmp(one, two, sizeof *one * (size_t)axes) != 0;
    arena_free(scratch);
    return differ;
}

bool call_word(Call *c, const char *word)
{
    Arena *a = c->args->arena;
    const char *value, *name = cli_name(a, word, &value);
    int i;

    if (!name) {
        cli_fail("an argument is written name=value, not '%s'", word);
        return false;
    }
    if (nncc_find_param(c->f, name, &i) == NN_OK) {
        nncc_tensor **leaf = c->leaf + nncc_param_leaf(c->f, i);
        if (c->f->param[i]->nleaf && leaf[0]) {
            cli_fail("'%s' is given twice", name);
            return false;
        }
        return value_read(a, c->f->param[i], value, leaf);
    }
    for (i = 0; i < c->f->ndim; i++) {
        if (strcmp(c->f->dim[i], name))
            continue;
        bool whole = cli_is_int(value, &c->dims[i]);
        if (c->dims[i] < 0 && !is_size(c, i))
            c->dims[i] = 0; /* no steps */
        if (!whole || c->dims[i] < 0) {
            cli_fail("%s: a dimension is a whole number, not '%s'", name,
                     value);
            return false;
        }
        return true;
    }
    return unknown_name(c, name);
}

bool call_defaults(Call *c)
{
    for (int i = 0; i < c->f->nparam; i++) {
        const nn_port *p = c->f->param[i];
        nncc_tensor **leaf = c->leaf + nncc_param_leaf(c->f, i);
        if (p->nleaf == 0 || leaf[0])
            continue;
        if (!p->has_value) {
            cli_fail("%s needs %s, a value of type %s", c->f->name, p->name,
                     p->type);
            return false;
        }
        if (nncc_tensor_new(p->leaf[0]->dtype, 0, NULL, leaf) != NN_OK)
            return cli_failed();
        tensor_set(leaf[0], 0, p->value);
    }
    return true;
}

bool call_begin(Call *c, const Args *a, const nn_module *m)
{
    *c = (Call){.args = a, .f = m->function[0]};
    if (nncc_wrap(m, &c->model) != NN_OK)
        return cli_failed();
    if (!threads_use(a, c->model))
        return false;
    c->nleaf = nncc_param_leaves(c->f) + nncc_result_leaves(c->f);
    c->leaf = NEWN(a->arena, nncc_tensor *, c->nleaf + 1);
    c->dims = NEWN(a->arena, int64_t, c->f->ndim + 1);
    for (int i = 0; i < c->f->ndim; i++)
        c->dims[i] = -1;
    return true;
}

void call_end(Call *c)
{
    for (int i = 0; i < c->nleaf; i++)
        nncc_tensor_free(c->leaf[i]);
    nncc_close(c->model);
}

EvalValue call_value(Arena *a, const Node *n, const nncc_tensor *t)
{
    EvalValue v = {.count = tensor_elements(t)};
    int64_t *size = NEWN(a, int64_t, n->rank + 1);

    v.x = NEWN(a, double, v.count + 1);
    if (n->dtype == DT_i64 || n->dtype == DT_key)
        v.wide = NEWN(a, int64_t, v.count + 1);
    for (int i = 0; i < n->rank; i++)
        size[i] = t->size[i];
    v.size = size;
    for (int64_t i = 0; i < v.count; i++) {
        v.x[i] = tensor_get(t, i);
        if (v.wide)
            v.wide[i] = ((const int64_t *)t->data)[i];
    }
    return v;
}

double draw_uniform(nncc_rng *r)
{
    return (double)(nncc_rng_next(r) >> 11) * 0x1p-53;
}

double draw_argument(nncc_rng *r, DType t)
{
    double v = draw_uniform(r);

    return dtype_is_real(t) ? 0.1 + 1.4 * v
           : t == DT_key    ? floor(v * 1e6)
                            : v >= 0.5;
}
