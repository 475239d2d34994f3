/* call.h: calls of any function of a module, on drawn numbers. After nn_abi.h
 * (or nn.h). */
#ifndef NNCC_BENCH_CALL_H
#define NNCC_BENCH_CALL_H

enum { MOST_LEAVES = 200, MOST_DIMS = 8 };

typedef struct Call {
    const nn_function *f;
    int64_t dims[MOST_DIMS];
    void *leaf[MOST_LEAVES], *workspace;
    const nn_exec *exec;
    size_t bytes[MOST_LEAVES], room; /* of leaves, of workspace */
    int nparam, n;                   /* leaves of parameters, of all */
} Call;

static inline size_t leaf_bytes(const nn_leaf *l)
{
    static const size_t size[] = {1, 1, 4, 8, 4, 8, 8};

    return size[l->dtype];
}

/* Reals between low and low + 1, other numbers 0. */
static inline void draw(int dtype, void *to, size_t n, double low)
{
    unsigned s = 1;

    for (size_t i = 0; i < n; i++) {
        s = s * 1664525u + 1013904223u;
        double v = low + (double)(s >> 8) / 16777216;
        if (dtype == NN_F32)
            ((float *)to)[i] = (float)v;
        else if (dtype == NN_F64)
            ((double *)to)[i] = v;
    }
}

static inline void add_leaves(Call *c, const nn_port *const *port, int n,
                              const int64_t **size, double low)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < port[i]->nleaf; j++, c->n++) {
            const nn_leaf *leaf = port[i]->leaf[j];
            size_t count = 1;

            if (c->n == MOST_LEAVES)
                exit(2);
            for (int d = 0; d < leaf->rank; d++)
                count *= (size_t)*(*size)++;
            c->bytes[c->n] = count * leaf_bytes(leaf);
            c->leaf[c->n] = block(c->bytes[c->n]);
            draw(leaf->dtype, c->leaf[c->n], count, low);
        }
}

/* Of a function whose free dimensions are dims. */
static inline Call call_of(const nn_function *f, const int64_t *dims,
                           double low)
{
    Call c = {.f = f};
    int64_t *size = block(MOST_LEAVES * MOST_DIMS * sizeof *size);
    const int64_t *read = size;

    if (f->ndim > MOST_DIMS)
        exit(2);
    memcpy(c.dims, dims, (size_t)f->ndim * sizeof *dims);
    f->sizes(dims, size);
    add_leaves(&c, f->param, f->nparam, &read, low);
    c.nparam = c.n;
    add_leaves(&c, f->result, f->nresult, &read, low);
    c.room = f->workspace(dims);
    c.workspace = block(c.room);
    free(size);
    return c;
}

static inline const nn_function *find(const nn_module *m, const char *name)
{
    for (int i = 0; i < m->nfunction; i++)
        if (strcmp(m->function[i]->name, name) == 0)
            return m->function[i];
    fprintf(stderr, "no function %s\n", name);
    exit(2);
}

/* A Call as a Way. */
static inline void run_call(void *call)
{
    Call *c = call;

    if (c->f->call(c->leaf, c->dims, c->workspace, c->exec) != NN_OK) {
        fprintf(stderr, "%s fails\n", c->f->name);
        exit(3);
    }
}

#endif
