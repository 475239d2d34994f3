/* metrics.c: metrics that are tensors, such as a matrix of confusions: means
 * over the rows of the last evaluation. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

/* Is result k of f a tensor that is not in place? */
static bool is_matrix(const nn_function *f, int k)
{
    const nn_port *p = f->result[k];

    return p->in_place < 0 && p->nleaf == 1 && p->leaf[0]->rank > 0;
}

void nncc_matrices_free(nncc_trainer *t)
{
    for (int i = 0; i < t->nmatrix; i++)
        nncc_tensor_free(t->matrix[i].mean);
    free(t->matrix);
    t->matrix = NULL;
    t->nmatrix = 0;
}

static int add_matrix(nncc_trainer *t, const nncc_binding *b, int k)
{
    int leaf = nncc_result_leaf(b->f, k);
    size_t n = (size_t)t->nmatrix + 1;
    nncc_matrix *all = realloc(t->matrix, n * sizeof *all);

    if (!all)
        return nncc_fail_memory(n * sizeof *all, "metrics");
    t->matrix = all;
    all[t->nmatrix] = (nncc_matrix){.name = b->f->result[k]->name};
    int status = nncc_tensor_new(NN_F64, b->axes.leaf[leaf]->rank,
                                 b->axes.size + b->axes.first[leaf],
                                 &all[t->nmatrix].mean);
    t->nmatrix += status == NN_OK;
    return status;
}

int nncc_matrices_begin(nncc_trainer *t, const nncc_binding *b)
{
    int status = NN_OK;

    for (int k = 0; k < b->f->nresult && !status; k++)
        if (is_matrix(b->f, k))
            status = add_matrix(t, b, k);
    return status;
}

/* Adds share times the n elements of dtype at `from`. */
static void add_elements(int dtype, const void *from, int64_t n, double share,
                         double *to)
{
    double v;

    for (int64_t i = 0; i < n; i++) {
        nncc_load_numbers(dtype, from, i, 1, &v);
        to[i] += share * v;
    }
}

void nncc_matrices_add(nncc_trainer *t, int first, const nncc_binding *b,
                       double share)
{
    int64_t n = 0;

    for (int k = 0; k < b->f->nresult; k++) {
        if (!is_matrix(b->f, k))
            continue;
        int leaf = nncc_result_leaf(b->f, k);
        nncc_tensor *mean = t->matrix[first++].mean;
        nncc_tensor_count(mean, &n, NULL);
        add_elements(b->axes.leaf[leaf]->dtype, b->leaf[leaf], n, share,
                     mean->data);
    }
}

int nncc_metric_tensor(const nncc_model *m, int i, const char **name,
                       const nncc_tensor **mean)
{
    if (!m || !m->trainer || i < 0 || i >= m->trainer->nmatrix)
        return nncc_fail(NN_ERR_NAME, "there is no metric %d that is a tensor",
                         i);
    if (name)
        *name = m->trainer->matrix[i].name;
    if (mean)
        *mean = m->trainer->matrix[i].mean;
    return NN_OK;
}
