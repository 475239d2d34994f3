/* verify.c: is a descriptor of our ABI, and does it say nothing that only a
 * later library knows? What damage would make wrong is not looked for: see
 * elf.c.
 */
#include "nn_internal.h"

static bool knows_port(const nn_port *p)
{
    bool known = p->size >= sizeof *p;

    for (int i = 0; known && i < p->nleaf; i++)
        known = p->leaf[i]->size >= sizeof *p->leaf[i] &&
                p->leaf[i]->rank <= NNCC_MAX_RANK &&
                nncc_dtype_bytes(p->leaf[i]->dtype) > 0;
    return known;
}

static bool knows_function(const nn_function *f)
{
    bool known = f->size >= sizeof *f && f->kind <= NN_CARRY;

    for (int i = 0; known && i < f->nparam; i++)
        known = knows_port(f->param[i]);
    for (int i = 0; known && i < f->nresult; i++)
        known = knows_port(f->result[i]);
    return known;
}

static bool knows_training(const nn_module *d, const nn_train *t)
{
    return t->size >= sizeof *t && t->init < d->nfunction &&
           t->step < d->nfunction && t->evaluate < d->nfunction &&
           t->update < d->nfunction && t->carry <= d->nfunction;
}

int nncc_verify(const nn_module *d, const char *path)
{
    if (!d || d->magic != NN_ABI_MAGIC)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: no module: it gives no descriptor of nncc's",
                         path);
    if (d->abi_version != NN_ABI_VERSION)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: a module of ABI version %u; this library takes "
                         "version %d: compile it again",
                         path, (unsigned)d->abi_version, NN_ABI_VERSION);
    bool known = d->size >= sizeof *d && nncc_dtype_bytes(d->real) > 0;
    for (int i = 0; known && i < d->nfunction; i++)
        known = knows_function(d->function[i]);
    for (int i = 0; known && i < d->ntrain; i++)
        known = knows_training(d, d->train[i]);
    return known ? NN_OK
                 : nncc_fail(NN_ERR_MODULE,
                             "%s: of another version of nncc, or damaged: its "
                             "descriptor has what this library does not know",
                             path);
}
