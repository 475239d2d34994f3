/* main.c: MODEL.so FUNCTION THREADS SIZE…: how much faster calls are with
 * threads; by turns with and without, the best of each. The results are to be
 * the same. Nothing is measured where there are not as many processors. */
#include "clock.h"
#include "nn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_LEAVES = 200, ROUNDS = 20 };

typedef struct Call {
    const nn_function *f;
    const int64_t *dims;
    void *leaf[MOST_LEAVES], *workspace;
    size_t bytes[MOST_LEAVES];
    int n;
} Call;

static void *block(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);

    if (!p)
        exit(2);
    return memset(p, 0, bytes);
}

/* Reals between -0.05 and 0.05, other numbers 0. */
static void draw(int dtype, void *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double v = (double)(i * 7919 % 1009) / 10090 - 0.05;
        if (dtype == NN_F32)
            ((float *)to)[i] = (float)v;
        else if (dtype == NN_F64)
            ((double *)to)[i] = v;
    }
}

static void add_leaves(Call *c, const nn_port *const *port, int n,
                       const int64_t **size)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < port[i]->nleaf; j++, c->n++) {
            const nn_leaf *leaf = port[i]->leaf[j];
            int64_t count = 1;
            if (c->n == MOST_LEAVES)
                exit(2);
            for (int d = 0; d < leaf->rank; d++)
                count *= *(*size)++;
            c->bytes[c->n] = (size_t)count * nncc_dtype_bytes(leaf->dtype);
            c->leaf[c->n] = block(c->bytes[c->n]);
            draw(leaf->dtype, c->leaf[c->n], count);
        }
}

static double time_of(Call *c, const nn_exec *exec)
{
    double start = now();

    if (c->f->call(c->leaf, c->dims, c->workspace, exec) != NN_OK)
        exit(3);
    return now() - start;
}

static double least(double a, double b) { return a < b ? a : b; }

int main(int argc, char **argv)
{
    int64_t dims[8] = {0}, *size = block(MOST_LEAVES * 16 * sizeof *size);
    const int64_t *read = size;
    Call c = {.dims = dims};
    nncc_model *m;
    nncc_pool *pool;
    double one = 1e9, many = 1e9;

    if (argc < 4 || nncc_open(argv[1], &m) || nncc_find(m, argv[2], &c.f) ||
        nncc_pool_new(atoi(argv[3]), &pool))
        return 2;
    for (int i = 4; i < argc && i < 12; i++)
        dims[i - 4] = atoll(argv[i]);
    c.f->sizes(dims, size);
    add_leaves(&c, c.f->param, c.f->nparam, &read);
    int first = c.n;
    add_leaves(&c, c.f->result, c.f->nresult, &read);
    c.workspace = block(c.f->workspace(dims));
    time_of(&c, NULL);
    void *want[MOST_LEAVES];
    for (int i = first; i < c.n; i++)
        want[i] = memcpy(block(c.bytes[i]), c.leaf[i], c.bytes[i]);
    for (int i = 0; i < ROUNDS; i++) {
        one = least(one, time_of(&c, NULL));
        many = least(many, time_of(&c, nncc_pool_exec(pool)));
    }
    for (int i = first; i < c.n; i++)
        if (memcmp(want[i], c.leaf[i], c.bytes[i]) != 0)
            return 4;
    printf("%.2f times, of %.0f us", one / many, 1e6 * one);
    nncc_pool_free(pool);
    nncc_close(m);
    return 0;
}
