/* verify.c: is a descriptor of our ABI, and complete? What only damage could
 * make wrong is not looked for: see elf.c. */
#include "nn_internal.h"

typedef struct Verify {
    const char *path;
    const char *function; /* being looked at, or NULL */
} Verify;

static int refuse(const Verify *v, const char *what)
{
    return nncc_fail(NN_ERR_MODULE, "%s: bad descriptor: %s%s%s", v->path,
                     v->function ? v->function : "", v->function ? ": " : "",
                     what);
}

static int check_leaf(const Verify *v, const nn_port *p, const nn_leaf *l)
{
    if (!l || l->size < sizeof *l || !l->path || !l->shape)
        return refuse(v, "a leaf without a path or shape");
    if (nncc_dtype_bytes(l->dtype) == 0)
        return refuse(v, "a leaf of unknown dtype");
    if (l->rank < 0 || l->rank > NNCC_MAX_RANK)
        return refuse(v, "a leaf of impossible rank");
    if (l->offset < -1 ||
        (p->bytes && l->offset >= 0 && (uint64_t)l->offset > p->bytes))
        return refuse(v, "a leaf beyond the end of its struct");
    return NN_OK;
}

static int check_port(const Verify *v, const nn_port *p)
{
    if (!p || p->size < sizeof *p || !p->name || !p->type)
        return refuse(v, "a parameter or result without a name or type");
    if (p->nleaf < 0 || (p->nleaf && !p->leaf))
        return refuse(v, "a parameter or result without leaves");
    for (int i = 0; i < p->nleaf; i++) {
        int status = check_leaf(v, p, p->leaf[i]);
        if (status)
            return status;
    }
    return NN_OK;
}

static int check_ports(const Verify *v, const nn_port *const *p, int n)
{
    if (n < 0 || (n && !p))
        return refuse(v, "its parameters or results are not there");
    for (int i = 0; i < n; i++) {
        int status = check_port(v, p[i]);
        if (status)
            return status;
    }
    return NN_OK;
}

/* A result in place has the leaves of the parameter that it overwrites. */
static int check_in_place(const Verify *v, const nn_function *f)
{
    for (int i = 0; i < f->nresult; i++) {
        const nn_port *r = f->result[i];
        if (r->in_place < 0)
            continue;
        if (r->in_place >= f->nparam)
            return refuse(v, "a result in place of a parameter that is not "
                             "there");
        const nn_port *p = f->param[r->in_place];
        bool same = p->nleaf == r->nleaf;
        for (int k = 0; same && k < p->nleaf; k++)
            same = p->leaf[k]->dtype == r->leaf[k]->dtype &&
                   p->leaf[k]->rank == r->leaf[k]->rank;
        if (!same)
            return refuse(v, "a result unlike the parameter it overwrites");
    }
    return NN_OK;
}

static int check_function(Verify *v, const nn_function *f)
{
    v->function = NULL;
    if (!f || f->size < sizeof *f || !f->name)
        return refuse(v, "a function without a name");
    v->function = f->name;
    if (f->kind < NN_FUNCTION || f->kind > NN_EVALUATE)
        return refuse(v, "a function of unknown kind");
    if (!f->call || !f->workspace || !f->sizes)
        return refuse(v, "without its entry points");
    if (f->ndim < 0 || (f->ndim && !f->dim) || f->nplace < 0 ||
        (f->nplace && !f->place))
        return refuse(v, "its dimensions or places are not there");

    int status = check_ports(v, f->param, f->nparam);
    if (!status)
        status = check_ports(v, f->result, f->nresult);
    return status ? status : check_in_place(v, f);
}

int nncc_verify(const nn_module *d, const char *path)
{
    Verify v = {.path = path};

    if (!d || d->magic != NN_ABI_MAGIC)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: no module: it gives no descriptor of nncc's",
                         path);
    if (d->abi_version != NN_ABI_VERSION)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: a module of ABI version %u; this library takes "
                         "version %d: compile it again",
                         path, (unsigned)d->abi_version, NN_ABI_VERSION);
    if (d->size < sizeof *d || !d->name)
        return refuse(&v, "it is cut short");
    if (d->real != NN_F32 && d->real != NN_F64)
        return refuse(&v, "'real' is neither f32 nor f64");
    if (d->nfunction < 0 || (d->nfunction && !d->function))
        return refuse(&v, "the functions are not there");
    for (int i = 0; i < d->nfunction; i++) {
        int status = check_function(&v, d->function[i]);
        if (status)
            return status;
    }
    return NN_OK;
}
