/* mean.c: the running mean of what is trained. */
#include "nn_internal.h"

#include <string.h>

/* The first parameter that a step overwrites is what it trains. */
bool nncc_is_trained(const nncc_trainer *t, const nncc_block *b)
{
    for (int k = 0; k < t->nitem; k++) {
        const nn_function *f = t->item[k].step;
        int first = f->nparam;
        for (int r = 0; r < f->nresult; r++)
            if (f->result[r]->in_place >= 0 && f->result[r]->in_place < first)
                first = f->result[r]->in_place;
        if (first < f->nparam &&
            strcmp(f->param[first]->name, b->port->name) == 0)
            return true;
    }
    return false;
}

typedef void EachLeaf(const nncc_tensor *leaf, char *mean, double by);

/* All leaves of what is trained, each beside its place in the mean. */
static void each_leaf(const nncc_trainer *t, char *mean, double by,
                      EachLeaf *does)
{
    for (int i = 0; i < t->nblock; i++) {
        const nncc_block *b = &t->block[i];
        for (int l = 0; l < b->port->nleaf && nncc_is_trained(t, b); l++) {
            does(&b->leaf[l], mean, by);
            mean += nncc_tensor_bytes(&b->leaf[l]);
        }
    }
}

size_t nncc_mean_bytes(const nncc_trainer *t)
{
    size_t bytes = 0;

    for (int i = 0; i < t->nblock; i++)
        for (int l = 0; l < t->block[i].port->nleaf; l++)
            if (nncc_is_trained(t, &t->block[i]))
                bytes += nncc_tensor_bytes(&t->block[i].leaf[l]);
    return bytes;
}

static void copy(const nncc_tensor *leaf, char *mean, double by)
{
    (void)by;
    memcpy(mean, leaf->data, nncc_tensor_bytes(leaf));
}

void *nncc_mean_new(const nncc_trainer *t)
{
    void *mean = nncc_alloc(nncc_mean_bytes(t), 1, "a mean of the parameters");

    if (mean)
        each_leaf(t, mean, 0, copy);
    return mean;
}

static void add(const nncc_tensor *leaf, char *mean, double by)
{
    size_t bytes = nncc_dtype_bytes(leaf->dtype);
    int64_t n = (int64_t)(nncc_tensor_bytes(leaf) / bytes);

    for (int64_t i = 0; i < n; i++) {
        char *at = mean + (size_t)i * bytes;
        double p, m;
        float single;
        nncc_load_numbers(leaf->dtype, leaf->data, i, 1, &p);
        if (leaf->dtype == NN_F64) {
            memcpy(&m, at, sizeof m);
            m += by * (p - m);
            memcpy(at, &m, sizeof m);
        } else {
            memcpy(&single, at, sizeof single);
            single = (float)((double)single + by * (p - (double)single));
            memcpy(at, &single, sizeof single);
        }
    }
}

void nncc_mean_add(const nncc_trainer *t, void *mean, double decay,
                   int64_t step)
{
    double by = 9 / (10 + (double)step);

    each_leaf(t, mean, by > 1 - decay ? by : 1 - decay, add);
}

static void swap(const nncc_tensor *leaf, char *mean, double by)
{
    char chunk[512], *p = leaf->data;
    size_t n = nncc_tensor_bytes(leaf);

    (void)by;
    for (size_t i = 0; i < n; i += sizeof chunk) {
        size_t c = n - i < sizeof chunk ? n - i : sizeof chunk;
        memcpy(chunk, p + i, c);
        memcpy(p + i, mean + i, c);
        memcpy(mean + i, chunk, c);
    }
}

void nncc_mean_swap(const nncc_trainer *t, void *mean)
{
    each_leaf(t, mean, 0, swap);
}
