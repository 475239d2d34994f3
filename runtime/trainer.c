/* trainer.c: what is trained: its memory, settings and first values. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

void nncc_trainer_free(nncc_trainer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->nblock; i++) {
        nncc_block *b = &t->block[i];
        for (int l = 0; b->leaf && !b->memory && l < b->port->nleaf; l++)
            free(b->leaf[l].data);
        free(b->memory);
        free(b->leaf);
    }
    free(t->block);
    for (int i = 0; i < t->nsetting; i++)
        free(t->setting_name[i]);
    free(t->setting_name);
    free(t->setting);
    nncc_data_free(t->fit);
    nncc_matrices_free(t);
    free(t);
}

int nncc_trainer_block(const nncc_trainer *t, const char *name)
{
    for (int i = 0; i < t->nblock; i++)
        if (strcmp(t->block[i].port->name, name) == 0)
            return i;
    return -1;
}

/* Its parameters that are part of the model: what a step overwrites, or else
 * what init gives under their names. */
static void add_blocks(nncc_trainer *t, const nn_function *f, bool held)
{
    for (int i = 0; i < f->nparam; i++) {
        bool ours = false;
        for (int r = 0; r < f->nresult && !held; r++)
            ours |= f->result[r]->in_place == i;
        for (int r = 0; r < t->init->nresult && held; r++)
            ours |= strcmp(t->init->result[r]->name, f->param[i]->name) == 0;
        if (ours && nncc_trainer_block(t, f->param[i]->name) < 0)
            t->block[t->nblock++] =
                (nncc_block){.port = f->param[i], .held = held, .of = f};
    }
}

/* What steps overwrite comes first, in the order of their parameters. */
static int list_blocks(nncc_trainer *t)
{
    size_t n = 0;

    for (int k = 0; k < t->nitem; k++)
        n += (size_t)t->item[k].step->nparam;
    t->block = nncc_alloc(n, sizeof *t->block, "parameters");
    if (!t->block)
        return NN_ERR_MEMORY;
    for (int k = 0; k < t->nitem; k++)
        add_blocks(t, t->item[k].step, false);
    if (t->nblock == 0)
        return nncc_fail(NN_ERR_MODULE, "%s: updates nothing in place",
                         t->step->name);
    for (int k = 0; k < t->nitem; k++)
        add_blocks(t, t->item[k].step, true);
    return NN_OK;
}

/* A scalar that is neither random nor trained. */
static bool is_scalar(const nncc_trainer *t, const nn_port *p)
{
    return nncc_trainer_block(t, p->name) < 0 && p->nleaf == 1 &&
           p->leaf[0]->rank == 0 && p->leaf[0]->dtype != NN_KEY;
}

/* Does f have a scalar or dimension so named? Adds those it has to names. */
static bool takes_setting(const nncc_trainer *t, const nn_function *f,
                          const char *name, nncc_text *names)
{
    for (int i = 0; i < f->nparam; i++) {
        if (!is_scalar(t, f->param[i]))
            continue;
        if (strcmp(f->param[i]->name, name) == 0)
            return true;
        nncc_text_printf(names, "%s%s", names->n ? ", " : "",
                         f->param[i]->name);
    }
    for (int k = 0; k < f->ndim; k++)
        if (strcmp(f->dim[k], name) == 0)
            return true;
    return false;
}

static int check_setting(const nncc_trainer *t, const nncc_setting *s)
{
    nncc_text names = {0}, more = {0};
    bool ok = takes_setting(t, t->init, s->name, &more);

    for (int k = 0; k < t->nitem && !ok; k++) {
        const char *name = nncc_setting_in(&t->item[k], s->name);
        ok = name && (takes_setting(t, t->item[k].step, name, &names) ||
                      takes_setting(t, t->item[k].evaluate, name, &more));
    }
    if (!ok)
        nncc_fail(NN_ERR_NAME, "no setting '%s'; %s takes: %s", s->name,
                  t->step->name, names.at && names.n ? names.at : "none");
    free(names.at);
    free(more.at);
    return ok ? NN_OK : (int)NN_ERR_NAME;
}

static int copy_settings(nncc_trainer *t, const nncc_train_options *o)
{
    size_t n = o->nsetting > 0 ? (size_t)o->nsetting : 0;

    if (n && !o->setting)
        return nncc_fail(NN_ERR_ARGUMENT, "settings are missing");
    t->setting = nncc_alloc(n, sizeof *t->setting, "settings");
    t->setting_name = nncc_alloc(n, sizeof *t->setting_name, "settings");
    if (!t->setting || !t->setting_name)
        return NN_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (!o->setting[i].name)
            return nncc_fail(NN_ERR_ARGUMENT, "a setting without a name");
        int status = check_setting(t, &o->setting[i]);
        if (status)
            return status;
        char *name = nncc_strdup(o->setting[i].name);
        if (!name)
            return NN_ERR_MEMORY;
        t->setting_name[i] = name;
        t->setting[i] = (nncc_setting){name, o->setting[i].value};
        t->nsetting++;
    }
    return NN_OK;
}

static int find_parts(const nncc_model *m, nncc_trainer *t)
{
    int status = nncc_items_find(m, t->item, &t->nitem, &t->init);

    if (status)
        return status;
    t->step = t->item[0].step;
    t->evaluate = t->item[0].evaluate;
    return list_blocks(t);
}

int nncc_trainer_new(const nncc_model *m, const nncc_train_options *o,
                     nncc_trainer **out)
{
    nncc_trainer *t = nncc_alloc(1, sizeof *t, "a training");

    if (!t)
        return NN_ERR_MEMORY;
    t->seed = o->seed;
    int status = find_parts(m, t);
    if (!status)
        status = copy_settings(t, o);
    if (status) {
        nncc_trainer_free(t);
        return status;
    }
    *out = t;
    return NN_OK;
}

static bool has_layout(const nn_port *p)
{
    for (int l = 0; l < p->nleaf; l++)
        if (p->leaf[l]->offset < 0)
            return false;
    return p->bytes > 0;
}

/* Memory for one block; first: its first leaf in step's axes. */
static int allocate_block(nncc_block *b, const nncc_axes *a, int first)
{
    const nn_port *p = b->port;

    b->leaf = nncc_alloc((size_t)p->nleaf, sizeof *b->leaf, "parameters");
    if (!b->leaf)
        return NN_ERR_MEMORY;
    if (has_layout(p) && !(b->memory = nncc_alloc_aligned(p->bytes, p->name)))
        return NN_ERR_MEMORY;
    for (int l = 0; l < p->nleaf; l++) {
        nncc_tensor *t = &b->leaf[l];
        size_t bytes;
        t->dtype = p->leaf[l]->dtype;
        t->rank = p->leaf[l]->rank;
        memcpy(t->size, a->size + a->first[first + l],
               (size_t)t->rank * sizeof *t->size);
        int status = nncc_tensor_count(t, NULL, &bytes);
        if (status)
            return status;
        if (!b->memory)
            t->data = nncc_alloc_aligned(bytes, p->name);
        else if (bytes <= p->bytes - (uint64_t)p->leaf[l]->offset)
            t->data = (char *)b->memory + p->leaf[l]->offset;
        else
            return nncc_fail(NN_ERR_MODULE, "'%s.%s' lies beyond its struct",
                             p->name, p->leaf[l]->path);
        if (!t->data)
            return NN_ERR_MEMORY;
    }
    return NN_OK;
}

/* The binding of the step that the block is a parameter of. */
static const nncc_binding *
binding_of(const nncc_trainer *t, const nncc_binding *step, const nncc_block *b)
{
    int k = 0;

    while (t->item[k].step != b->of)
        k++;
    return &step[k];
}

int nncc_trainer_allocate(nncc_trainer *t, const nncc_binding *step)
{
    for (int i = 0; i < t->nblock; i++) {
        const nncc_binding *of = binding_of(t, step, &t->block[i]);
        int param = 0;
        while (of->f->param[param] != t->block[i].port)
            param++;
        int status = allocate_block(&t->block[i], &of->axes,
                                    nncc_param_leaf(of->f, param));
        if (status)
            return status;
    }
    return NN_OK;
}

/* Initialisation. */

/* A dimension of init: as step has it by that name, or as set. */
static int64_t init_dim(const nncc_trainer *t, const nncc_binding *step,
                        const char *name)
{
    for (int i = 0; i < t->nitem; i++)
        for (int k = 0; k < step[i].f->ndim; k++)
            if (strcmp(step[i].f->dim[k], name) == 0)
                return step[i].dims[k];
    for (int i = 0; i < t->nsetting; i++)
        if (strcmp(t->setting[i].name, name) == 0 && t->setting[i].value >= 0 &&
            t->setting[i].value <= 1e12)
            return (int64_t)t->setting[i].value;
    return -1;
}

/* The block that init's result k is: of its name, or else in the same place. */
static nncc_block *init_block(nncc_trainer *t, int k)
{
    int i = nncc_trainer_block(t, t->init->result[k]->name);

    i = i < 0 ? k : i;
    return i < t->nblock ? &t->block[i] : NULL;
}

static int point_result(nncc_trainer *t, const nncc_axes *a, int k, void **leaf)
{
    const nn_port *r = t->init->result[k];
    const nncc_block *b = init_block(t, k);
    int first = nncc_result_leaf(t->init, k);
    bool same = b && b->port->nleaf == r->nleaf;

    for (int l = 0; same && l < r->nleaf; l++) {
        const nncc_tensor *have = &b->leaf[l];
        same = have->dtype == r->leaf[l]->dtype &&
               have->rank == r->leaf[l]->rank &&
               memcmp(have->size, a->size + a->first[first + l],
                      (size_t)have->rank * sizeof *have->size) == 0;
        leaf[first + l] = have->data;
    }
    if (!same)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: its result '%s' is nothing that %s trains",
                         t->init->name, r->name, t->step->name);
    return NN_OK;
}

/* init's parameters are the seed and scalars with defaults. */
static int point_params(const nncc_trainer *t, uint64_t *value, void **leaf)
{
    for (int i = 0; i < t->init->nparam; i++) {
        const nn_port *p = t->init->param[i];
        if (p->nleaf != 1 || p->leaf[0]->rank != 0 ||
            (p->leaf[0]->dtype != NN_KEY && p->leaf[0]->dtype != NN_I64))
            return nncc_fail(NN_ERR_MODULE, "%s: takes '%s' besides a seed",
                             t->init->name, p->name);
        value[i] = t->seed;
        leaf[i] = &value[i];
    }
    return NN_OK;
}

static int run_init(nncc_model *m, nncc_trainer *t, const nncc_binding *step,
                    nncc_axes *a, int64_t *dims, const nn_exec *exec)
{
    const nn_function *f = t->init;
    void **leaf = nncc_alloc((size_t)a->nleaf, sizeof *leaf, "arguments");
    uint64_t *value = nncc_alloc((size_t)f->nparam, sizeof *value, "arguments");
    int status = leaf && value ? NN_OK : (int)NN_ERR_MEMORY;

    for (int k = 0; k < f->ndim && !status; k++) {
        dims[k] = init_dim(t, step, f->dim[k]);
        if (dims[k] < 0)
            status = nncc_fail(NN_ERR_ARGUMENT,
                               "%s: dimension '%s' does not follow from the "
                               "data: give it as a setting",
                               f->name, f->dim[k]);
    }
    if (!status)
        status = nncc_axes_at(f, a, dims);
    if (!status)
        status = point_params(t, value, leaf);
    for (int k = 0; k < f->nresult && !status; k++)
        status = point_result(t, a, k, leaf);
    if (!status)
        status = nncc_invoke(m, f, leaf, dims, exec);
    free(leaf);
    free(value);
    return status;
}

int nncc_trainer_init(nncc_model *m, nncc_trainer *t, const nncc_binding *step,
                      const nn_exec *exec)
{
    nncc_axes a;
    int status = nncc_axes_new(t->init, &a);

    if (status)
        return status;
    int64_t *dims =
        nncc_alloc((size_t)t->init->ndim, sizeof *dims, "dimensions");
    status = dims ? run_init(m, t, step, &a, dims, exec) : (int)NN_ERR_MEMORY;
    free(dims);
    nncc_axes_free(&a);
    return status;
}

/* Copies of the state */

static const nncc_block *same_block(const nncc_trainer *t, const nncc_block *b)
{
    for (int i = 0; t && i < t->nblock; i++) {
        const nncc_block *have = &t->block[i];
        bool same = strcmp(have->port->name, b->port->name) == 0 &&
                    have->port->nleaf == b->port->nleaf;
        for (int l = 0; same && l < b->port->nleaf; l++)
            same = have->leaf[l].dtype == b->leaf[l].dtype &&
                   nncc_same_shape(&have->leaf[l], &b->leaf[l]);
        if (same)
            return have;
    }
    return NULL;
}

int nncc_trainer_keep(const nncc_model *m, nncc_trainer *t)
{
    for (int i = 0; i < t->nblock; i++) {
        const nncc_block *from = same_block(m->trainer, &t->block[i]);
        if (!from)
            return nncc_fail(NN_ERR_ARGUMENT,
                             "%s: has no '%s' to go on from of this size",
                             nncc_path(m), t->block[i].port->name);
        for (int l = 0; l < from->port->nleaf; l++) {
            memcpy(t->block[i].leaf[l].data, from->leaf[l].data,
                   nncc_tensor_bytes(&from->leaf[l]));
        }
    }
    return NN_OK;
}

size_t nncc_trainer_bytes(const nncc_trainer *t)
{
    size_t bytes = 0;

    for (int i = 0; i < t->nblock; i++)
        for (int l = 0; l < t->block[i].port->nleaf; l++)
            bytes += nncc_tensor_bytes(&t->block[i].leaf[l]);
    return bytes;
}

int nncc_trainer_save(const nncc_trainer *t, void **saved)
{
    char *to;

    if (!*saved && !(*saved = nncc_alloc(nncc_trainer_bytes(t), 1,
                                         "a copy of the parameters")))
        return NN_ERR_MEMORY;
    to = *saved;
    for (int i = 0; i < t->nblock; i++)
        for (int l = 0; l < t->block[i].port->nleaf; l++) {
            const nncc_tensor *leaf = &t->block[i].leaf[l];
            memcpy(to, leaf->data, nncc_tensor_bytes(leaf));
            to += nncc_tensor_bytes(leaf);
        }
    return NN_OK;
}

void nncc_trainer_restore(nncc_trainer *t, const void *saved)
{
    const char *from = saved;

    for (int i = 0; i < t->nblock; i++)
        for (int l = 0; l < t->block[i].port->nleaf; l++) {
            const nncc_tensor *leaf = &t->block[i].leaf[l];
            memcpy(leaf->data, from, nncc_tensor_bytes(leaf));
            from += nncc_tensor_bytes(leaf);
        }
}

/* What there is */

int nncc_model_block(const nncc_model *m, const char *name, nncc_block **out)
{
    const nncc_trainer *t = m->trainer;

    if (!t)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: is not trained yet",
                         nncc_path(m));
    int i = name ? nncc_trainer_block(t, name) : 0;
    if (i < 0)
        return nncc_fail(NN_ERR_NAME, "%s: %s updates nothing called '%s'",
                         nncc_path(m), t->step->name, name);
    *out = &t->block[i];
    return NN_OK;
}

int nncc_state(nncc_model *m, const char *name, const nn_port **port,
               void **block, const nncc_tensor **leaf)
{
    nncc_block *b;

    if (!m)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_state: null argument");
    int status = nncc_model_block(m, name, &b);
    if (status)
        return status;
    if (port)
        *port = b->port;
    if (block)
        *block = b->memory;
    if (leaf)
        *leaf = b->leaf;
    return NN_OK;
}

int nncc_params(nncc_model *m, const nn_port **port, void **block,
                const nncc_tensor **leaf)
{
    return nncc_state(m, NULL, port, block, leaf);
}
