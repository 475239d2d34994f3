/* verify.c: is a descriptor what it says it is? Nothing of it is followed
 * before it was found to lie within the library. */
#include "nn_internal.h"

#include <string.h>

enum { MAX_PORT = 65536, MAX_LEAF = 1 << 20, MAX_FUNCTION = 65536 };

typedef struct Verify {
    const nncc_memory *where;
    const char *path;
    const char *function; /* being looked at, or NULL */
} Verify;

static int refuse(const Verify *v, const char *what)
{
    if (v->function)
        return nncc_fail(NN_ERR_MODULE, "%s: damaged descriptor: %s: %s",
                         v->path, v->function, what);
    return nncc_fail(NN_ERR_MODULE, "%s: damaged descriptor: %s", v->path,
                     what);
}

/* How many bytes of the library follow p within its segment; 0: p is not in
 * it. Without knowledge of the memory everything but null passes. */
static size_t bytes_at(const Verify *v, const void *p, bool executable)
{
    uintptr_t at = (uintptr_t)p - v->where->bias;

    if (!p)
        return 0;
    if (v->where->n == 0)
        return PTRDIFF_MAX;
    for (int i = 0; i < v->where->n; i++) {
        const nncc_segment *s = &v->where->segment[i];
        if (at >= s->vaddr && at - s->vaddr < s->bytes &&
            (!executable || s->executable))
            return s->bytes - (at - s->vaddr);
    }
    return 0;
}

static bool is_array(const Verify *v, const void *p, int64_t count, size_t size,
                     size_t align)
{
    if (count == 0)
        return true;
    return (uintptr_t)p % align == 0 &&
           (uint64_t)count <= bytes_at(v, p, false) / size;
}

static bool is_text(const Verify *v, const char *s)
{
    size_t most = bytes_at(v, s, false);

    if (most == 0)
        return false;
    return v->where->n == 0 || memchr(s, 0, most) != NULL;
}

/* A pointer to a function is compared as the bytes it is. */
static bool is_code(const Verify *v, uintptr_t address)
{
    const void *p;

    memcpy(&p, &address, sizeof p);
    return bytes_at(v, p, true) > 0;
}

static int check_leaf(const Verify *v, const nn_port *port, const nn_leaf *l)
{
    if (!is_text(v, l->path) || !is_text(v, l->shape))
        return refuse(v, "a leaf without a path or shape");
    if (nncc_dtype_bytes(l->dtype) == 0)
        return refuse(v, "a leaf of unknown dtype");
    if (l->rank < 0 || l->rank > NNCC_MAX_RANK)
        return refuse(v, "a leaf of impossible rank");
    if (l->offset < -1 ||
        (port->bytes && l->offset >= 0 && (uint64_t)l->offset > port->bytes))
        return refuse(v, "a leaf beyond the end of its struct");
    return NN_OK;
}

static int check_port(const Verify *v, const nn_port *p, int nparam)
{
    if (!is_text(v, p->name) || !is_text(v, p->type))
        return refuse(v, "a parameter or result without a name or type");
    if (p->nleaf < 0 || p->nleaf > MAX_LEAF ||
        !is_array(v, p->leaf, p->nleaf, sizeof *p->leaf, _Alignof(nn_leaf)))
        return refuse(v, "a parameter or result without leaves");
    if (p->in_place < -1 || p->in_place >= nparam)
        return refuse(v, "a result in place of a parameter that is not there");
    if (p->bytes > PTRDIFF_MAX)
        return refuse(v, "a struct larger than memory");
    for (int i = 0; i < p->nleaf; i++) {
        int status = check_leaf(v, p, &p->leaf[i]);
        if (status)
            return status;
    }
    return NN_OK;
}

static int check_ports(const Verify *v, const nn_port *p, int n, int nparam,
                       int *nleaf)
{
    if (n < 0 || n > MAX_PORT ||
        !is_array(v, p, n, sizeof *p, _Alignof(nn_port)))
        return refuse(v, "its parameters or results are not there");
    for (int i = 0; i < n; i++) {
        int status = check_port(v, &p[i], nparam);
        if (status)
            return status;
        *nleaf += p[i].nleaf;
        if (*nleaf > MAX_LEAF)
            return refuse(v, "too many leaves");
    }
    return NN_OK;
}

/* A result in place has the leaves of the parameter that it overwrites. */
static int check_in_place(const Verify *v, const nn_function *f)
{
    for (int i = 0; i < f->nresult; i++) {
        const nn_port *r = &f->result[i];
        if (r->in_place < 0)
            continue;
        const nn_port *p = &f->param[r->in_place];
        if (p->nleaf != r->nleaf)
            return refuse(v, "a result unlike the parameter it overwrites");
        for (int k = 0; k < p->nleaf; k++)
            if (p->leaf[k].dtype != r->leaf[k].dtype ||
                p->leaf[k].rank != r->leaf[k].rank)
                return refuse(v, "a result unlike the parameter it overwrites");
    }
    return NN_OK;
}

static int check_dims(const Verify *v, const nn_function *f)
{
    if (f->ndim < 0 || f->ndim > MAX_PORT ||
        !is_array(v, f->dim, f->ndim, sizeof *f->dim, sizeof(void *)))
        return refuse(v, "its dimensions are not there");
    for (int i = 0; i < f->ndim; i++)
        if (!is_text(v, f->dim[i]))
            return refuse(v, "a dimension without a name");
    return NN_OK;
}

static int check_function(Verify *v, const nn_function *f)
{
    int nleaf = 0;

    v->function = NULL;
    if (!is_text(v, f->name))
        return refuse(v, "a function without a name");
    v->function = f->name;
    if (f->kind < NN_FUNCTION || f->kind > NN_EVALUATE)
        return refuse(v, "a function of unknown kind");
    if (!is_code(v, (uintptr_t)f->call) ||
        !is_code(v, (uintptr_t)f->workspace) ||
        !is_code(v, (uintptr_t)f->sizes))
        return refuse(v, "its entry points are not code of the module");

    int status = check_ports(v, f->param, f->nparam, f->nparam, &nleaf);
    if (!status)
        status = check_ports(v, f->result, f->nresult, f->nparam, &nleaf);
    if (!status)
        status = check_in_place(v, f);
    if (!status)
        status = check_dims(v, f);
    return status;
}

static int check_module(Verify *v, const nn_module *d)
{
    if (!is_text(v, d->name))
        return refuse(v, "no name");
    if (d->real != NN_F32 && d->real != NN_F64)
        return refuse(v, "'real' is neither f32 nor f64");
    if (d->metric && !is_text(v, d->metric))
        return refuse(v, "the metric's name is not there");
    if (d->nfunction < 0 || d->nfunction > MAX_FUNCTION ||
        !is_array(v, d->function, d->nfunction, sizeof *d->function,
                  _Alignof(nn_function)))
        return refuse(v, "the functions are not there");
    for (int i = 0; i < d->nfunction; i++) {
        int status = check_function(v, &d->function[i]);
        if (status)
            return status;
    }
    return NN_OK;
}

int nncc_verify(const nn_module *d, const nncc_memory *where, const char *path)
{
    Verify v = {.where = where, .path = path};

    if (!is_array(&v, d, 1, 2 * sizeof(uint32_t), _Alignof(nn_module)))
        return nncc_fail(NN_ERR_MODULE,
                         "%s: no module: it gives no descriptor of its own",
                         path);
    if (d->magic != NN_ABI_MAGIC)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: no module: its descriptor begins with 0x%08x; "
                         "expected 0x%08x",
                         path, (unsigned)d->magic, NN_ABI_MAGIC);
    if (d->abi_version != NN_ABI_VERSION)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: a module of ABI version %u; this library takes "
                         "version %d: compile it again",
                         path, (unsigned)d->abi_version, NN_ABI_VERSION);
    if (!is_array(&v, d, 1, sizeof *d, _Alignof(nn_module)))
        return refuse(&v, "it is cut short");
    return check_module(&v, d);
}
