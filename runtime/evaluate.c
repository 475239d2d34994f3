/* evaluate.c: batches through a function of the model; means and predictions
 * over a data set. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* Batches. */

/* A key parameter's value for call number `count`. */
void nncc_bind_key(nncc_binding *b, uint64_t seed, uint64_t count)
{
    nncc_rng r;

    if (b->key < 0)
        return;
    nncc_rng_seed(&r, seed ^ (count * UINT64_C(0xd1342543de82ef95)));
    uint64_t key = nncc_rng_next(&r);
    memcpy(b->leaf[nncc_param_leaf(b->f, b->key)], &key, sizeof key);
}

static int find_range(const nncc_data *d, double *least, double *most)
{
    double y = 0;

    for (int64_t i = 0; i < d->n; i++) {
        int status = nncc_data_labels(d, i, 0, 1, &y);
        if (status)
            return status;
        *least = y < *least ? y : *least;
        *most = y > *most ? y : *most;
    }
    return NN_OK;
}

/* The index may be the label itself. */
static bool label_counts(const nncc_binding *b, const nncc_data *d)
{
    if (b->label < 0 || d->nlabel != 1)
        return false;
    return !nncc_is_real(b->axes.leaf[b->input[b->label].leaf]->dtype);
}

static int tell_bad_row(const nncc_binding *b, const nncc_data *d, int64_t row,
                        const char *place)
{
    const char *where = "";
    double y = 0;

    if (d->nlabel > 1 && d->label == NNCC_LABEL_NAME)
        return nncc_fail(
            NN_ERR_INDEX,
            "%s: a character is out of range for the model: the text "
            "has %d different ones",
            place, (int)d->nclass);
    if (!label_counts(b, d))
        return nncc_fail(NN_ERR_INDEX,
                         "%s: an index made of this row is out of range",
                         place);
    int status = nncc_data_labels(d, row, 0, 1, &y);
    if (status)
        return status;
    for (int k = 0; k < b->ninput; k++) {
        if (k != b->label &&
            !nncc_is_real(b->axes.leaf[b->input[k].leaf]->dtype))
            where = ", or a feature,";
    }
    if (d->label == NNCC_LABEL_NAME)
        return nncc_fail(NN_ERR_INDEX,
                         "%s: label '%s' (class %g of %d)%s is out of range "
                         "for the model",
                         place, d->class_name[(int32_t)y], y, (int)d->nclass,
                         where);
    double least = y, most = y;
    status = find_range(d, &least, &most);
    if (status)
        return status;
    if (least == 1 && y == most)
        return nncc_fail(NN_ERR_INDEX,
                         "%s: label %g%s is out of range for the model: labels "
                         "are 1 to %g, which would be 0 to %g as names of "
                         "classes (nncc_data_classes, --classes)",
                         place, y, where, most, most - 1);
    return nncc_fail(NN_ERR_INDEX,
                     "%s: label %g%s is out of range for the model", place, y,
                     where);
}

/* With where in the model it was. */
static void name_bad_row(const nncc_model *m, const nncc_binding *b,
                         const nncc_data *d, int64_t row)
{
    nncc_text place = {0}, stop = {0};

    int status = tell_bad_row(b, d, row, nncc_data_place(d, row, &place));
    nncc_tell_place(&stop, b->f, &m->stop);
    if (status == NN_ERR_INDEX && stop.n && !stop.failed)
        nncc_fail(NN_ERR_INDEX, "%s%s", nncc_last_error(), stop.at);
    free(place.at);
    free(stop.at);
}

/* Which of these rows is it that has a label out of range? Each is evaluated
 * alone. Leaves the error text as it is where none is found. */
static int find_bad_row(nncc_model *m, const nncc_trainer *t,
                        const nn_function *of, const nncc_data *d,
                        const int64_t *row, int64_t n, const nn_exec *exec)
{
    nncc_binding b;
    int status = nncc_bind(t, of, d, 0, 1, &b);
    int64_t *same;

    if (status)
        return NN_ERR_INDEX;
    same = nncc_alloc((size_t)b.batch, sizeof *same, "a batch");
    status = same ? nncc_bind_state(&b, t) : (int)NN_ERR_MEMORY;
    for (int64_t i = 0; i < n && !status; i++) {
        for (int64_t k = 0; k < b.batch; k++)
            same[k] = row[i];
        status = nncc_bind_rows(&b, d, same, b.batch);
        if (!status)
            status = nncc_invoke(m, b.f, b.leaf, b.dims_now, exec);
        if (status == NN_ERR_INDEX)
            name_bad_row(m, &b, d, row[i]);
    }
    free(same);
    nncc_bind_free(&b);
    return NN_ERR_INDEX;
}

/* The evaluate of the item whose step f is. */
static const nn_function *evaluate_of(const nncc_trainer *t,
                                      const nn_function *f)
{
    for (int k = 0; k < t->nitem; k++)
        if (t->item[k].step == f)
            return t->item[k].evaluate;
    return f->kind == NN_EVALUATE ? f : t->evaluate;
}

int nncc_run_batch(nncc_model *m, const nncc_trainer *t, nncc_binding *b,
                   const nncc_data *d, const int64_t *row, int64_t n,
                   const nn_exec *exec)
{
    int status = nncc_bind_rows(b, d, row, n);

    if (!status)
        status = nncc_invoke(m, b->f, b->leaf, b->dims_now, exec);
    if (status == NN_ERR_INDEX)
        return find_bad_row(m, t, evaluate_of(t, b->f), d, row, n, exec);
    return status;
}

static int check_multiple(const nncc_binding *b, const nncc_data *d)
{
    if (d->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no rows to evaluate on",
                         d->path);
    if (b->batch_dim < 0 && d->n % b->batch)
        return nncc_fail(
            NN_ERR_SHAPE,
            "%s: %lld rows to evaluate on; the model is compiled "
            "for batches of %lld: expected a multiple, as %lld",
            d->path, (long long)d->n, (long long)b->batch,
            (long long)((d->n / b->batch + (d->n < b->batch)) * b->batch));
    return NN_OK;
}

/* An evaluation of one item. */
typedef struct Evaluation {
    nncc_model *m;
    const nncc_trainer *t;
    nncc_binding *b;
    const nncc_data *d;
    const nn_exec *exec;
    int nresult;  /* the loss and the metrics */
    int matrices; /* number of the first metric that is a tensor */
    int64_t *row; /* of the batch at hand */
} Evaluation;

/* Means are sums of what batches gave, in their order: so many of each process
 * are told to the others at once. */
enum { CHUNK = 64 };
typedef struct Chunk {
    int32_t status, reserved;
    double result[CHUNK][1 + NNCC_MAX_METRICS];
} Chunk;

static int64_t batch_rows(const Evaluation *e, int64_t batch)
{
    int64_t left = e->d->n - batch * e->b->batch;

    return left < 0 ? 0 : left < e->b->batch ? left : e->b->batch;
}

static int evaluate_batch(const Evaluation *e, int64_t batch, double *result)
{
    int64_t n = batch_rows(e, batch);

    for (int64_t i = 0; i < n; i++)
        e->row[i] = batch * e->b->batch + i;
    int status = nncc_run_batch(e->m, e->t, e->b, e->d, e->row, n, e->exec);
    for (int i = 0; i < e->nresult && !status; i++)
        status = nncc_bind_result(e->b, i, &result[i]);
    if (!status)
        nncc_matrices_add(e->m->trainer, e->matrices, e->b,
                          (double)n / (double)e->d->n);
    return status;
}

/* Every ranks-th batch from number `first` on. */
static void evaluate_chunk(const Evaluation *e, int64_t first, int64_t ranks,
                           Chunk *to)
{
    to->status = NN_OK;
    for (int64_t j = 0; j < CHUNK && !to->status; j++)
        if (batch_rows(e, first + j * ranks) > 0)
            to->status = evaluate_batch(e, first + j * ranks, to->result[j]);
}

static void add_chunks(const Evaluation *e, int64_t first, int64_t ranks,
                       const Chunk *all, double *sum)
{
    for (int64_t k = 0; k < CHUNK * ranks; k++) {
        const double *result = all[k % ranks].result[k / ranks];
        for (int i = 0; i < e->nresult && batch_rows(e, first + k); i++)
            sum[i] += result[i] * (double)batch_rows(e, first + k);
    }
}

/* Of all batches, where there are several processes by all of them together. */
static int evaluate_batches(const Evaluation *e, nncc_run *ranks, double *sum)
{
    int64_t n = ranks ? nncc_ranks_n(ranks) : 1;
    int64_t rank = ranks ? nncc_rank(ranks) : 0, at = 0;
    Chunk *mine = nncc_alloc(1, sizeof *mine, "a batch's results");
    Chunk *all =
        n > 1 ? nncc_alloc((size_t)n, sizeof *all, "batches' results") : mine;
    int status = mine && all ? NN_OK : (int)NN_ERR_MEMORY;

    for (; batch_rows(e, at) > 0 && !status; at += CHUNK * n) {
        evaluate_chunk(e, at + rank, n, mine);
        status = n > 1 ? nncc_ranks_gather(ranks, mine->status, mine,
                                           sizeof *mine, all)
                       : mine->status;
        if (!status)
            add_chunks(e, at, n, all, sum);
    }
    if (all != mine)
        free(all);
    free(mine);
    return status;
}

/* Means of the loss and the metrics of one item. Metrics that are tensors are
 * too much to tell: each process evaluates them for itself. */
static int evaluate_item(Evaluation *e, nncc_run *ranks, double *to)
{
    e->row = nncc_alloc((size_t)e->b->batch, sizeof *e->row, "a batch");
    e->matrices = e->m->trainer->nmatrix;
    nncc_bind_key(e->b, e->t->seed, 0);
    int status =
        e->row ? nncc_matrices_begin(e->m->trainer, e->b) : (int)NN_ERR_MEMORY;
    if (!status)
        status = evaluate_batches(
            e, e->m->trainer->nmatrix > e->matrices ? NULL : ranks, to);
    free(e->row);
    for (int i = 0; i < e->nresult; i++)
        to[i] /= (double)e->d->n;
    return status;
}

int nncc_evaluate_bound(nncc_model *m, const nncc_trainer *t, nncc_binding *b,
                        const nncc_data *d, const nn_exec *exec,
                        struct nncc_run *ranks, nncc_means *means)
{
    double all[1 + NNCC_MAX_METRICS] = {0};
    int n = 0, status = NN_OK;

    nncc_matrices_free(m->trainer);
    for (int k = 0; k < t->nitem && !status; k++) {
        Evaluation e = {.m = m,
                        .t = t,
                        .b = &b[k],
                        .d = d,
                        .exec = exec,
                        .nresult = 1 + nncc_item_metrics(&t->item[k])};
        status = evaluate_item(&e, ranks, all + n);
        n += e.nresult;
    }
    if (status)
        return status;
    means->loss = all[0];
    means->nmetric = n - 1;
    memcpy(means->metric, all + 1, sizeof means->metric);
    return NN_OK;
}

int nncc_bind_evaluate(const nncc_trainer *t, const nncc_data *d, int64_t batch,
                       nncc_binding *b)
{
    int status = NN_OK;

    for (int k = 0; k < t->nitem && !status; k++) {
        status = nncc_bind(t, t->item[k].evaluate, d, batch, t->batch, &b[k]);
        if (!status)
            status = nncc_bind_check(&b[k], d);
        if (!status)
            status = check_multiple(&b[k], d);
    }
    return status;
}

static int check_labels(const nncc_trainer *t, const nncc_binding *b,
                        const nncc_data *d)
{
    for (int k = 0; k < t->nitem; k++)
        if (b[k].label >= 0 && d->nlabel == 0)
            return nncc_fail(NN_ERR_SHAPE, "%s has no labels to evaluate with",
                             d->path);
    return NN_OK;
}

int nncc_evaluate(nncc_model *m, const nncc_data *d, int64_t batch,
                  const nn_exec *exec, double *loss, double *metric)
{
    nncc_binding b[NNCC_MAX_ITEMS] = {0};
    nncc_means means = {0};

    if (!m || !d)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_evaluate: null argument");
    if (!m->trainer)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: is not trained yet",
                         nncc_path(m));
    const nncc_trainer *t = m->trainer;
    int status = nncc_bind_evaluate(t, d, batch, b);
    if (!status)
        status = check_labels(t, b, d);
    for (int k = 0; k < t->nitem && !status; k++)
        status = nncc_bind_state(&b[k], t);
    if (!status)
        status = nncc_evaluate_bound(m, t, b, d, exec, NULL, &means);
    for (int k = 0; k < t->nitem; k++)
        nncc_bind_free(&b[k]);
    if (status)
        return status;
    if (loss)
        *loss = means.loss;
    for (int i = 0; metric && i < means.nmetric; i++)
        metric[i] = means.metric[i];
    return NN_OK;
}

/* Predictions */

/* The leaf of f's one result, a tensor with a row for each row of the batch. */
static int check_result(const nncc_binding *b)
{
    const nn_function *f = b->f;
    int leaf = nncc_result_leaf(f, 0);

    if (b->label >= 0)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: takes '%s' besides rows of features; a "
                         "prediction has none",
                         f->name, f->param[b->input[b->label].param]->name);
    if (f->nresult != 1 || f->result[0]->nleaf != 1 ||
        f->result[0]->in_place >= 0 || b->axes.leaf[leaf]->rank < 1 ||
        b->axes.size[b->axes.first[leaf]] != b->batch)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: expected one result with a row for each row of "
                         "'%s'",
                         f->name, f->param[b->input[0].param]->name);
    return NN_OK;
}

static int result_tensor(const nncc_binding *b, int64_t n, nncc_tensor **out)
{
    int leaf = nncc_result_leaf(b->f, 0), rank = b->axes.leaf[leaf]->rank;
    int64_t size[NNCC_MAX_RANK];

    memcpy(size, b->axes.size + b->axes.first[leaf],
           (size_t)rank * sizeof *size);
    size[0] = n;
    return nncc_tensor_new(b->axes.leaf[leaf]->dtype, rank, size, out);
}

/* Rows at … at + n - 1 of d; a fixed batch is filled up from the front. */
static int predict_batch(nncc_model *m, nncc_binding *b, const nncc_data *d,
                         int64_t at, int64_t *row, const nn_exec *exec,
                         nncc_tensor *to)
{
    int64_t n = d->n - at < b->batch ? d->n - at : b->batch;
    int64_t full = b->batch_dim < 0 ? b->batch : n;

    for (int64_t i = 0; i < full; i++)
        row[i] = (at + i) % d->n;
    int status = nncc_bind_rows(b, d, row, full);
    if (status)
        return status;
    status = nncc_invoke(m, b->f, b->leaf, b->dims_now, exec);
    if (status)
        return status;
    size_t bytes = nncc_tensor_bytes(to) / (size_t)d->n;
    memcpy((char *)to->data + (size_t)at * bytes,
           b->leaf[nncc_result_leaf(b->f, 0)], (size_t)n * bytes);
    return NN_OK;
}

static int predict(nncc_model *m, nncc_binding *b, const nncc_data *d,
                   const nn_exec *exec, nncc_tensor **out)
{
    nncc_tensor *to;
    int status = nncc_bind_check(b, d);

    if (!status)
        status = check_result(b);
    if (!status)
        status = nncc_bind_state(b, m->trainer);
    if (!status)
        status = result_tensor(b, d->n, &to);
    if (status)
        return status;
    int64_t *row = nncc_alloc((size_t)b->batch, sizeof *row, "a batch");
    status = row ? NN_OK : NN_ERR_MEMORY;
    nncc_bind_key(b, m->trainer->seed, 0);
    for (int64_t at = 0; at < d->n && !status; at += b->batch)
        status = predict_batch(m, b, d, at, row, exec, to);
    free(row);
    if (status)
        nncc_tensor_free(to);
    else
        *out = to;
    return status;
}

int nncc_predict(nncc_model *m, const nn_function *f, const nncc_data *d,
                 int64_t batch, const nn_exec *exec, nncc_tensor **out)
{
    nncc_binding b;

    if (!m || !f || !d || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_predict: null argument");
    if (!m->trainer)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: is not trained yet",
                         nncc_path(m));
    if (d->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no rows to predict", d->path);
    int status = nncc_bind(m->trainer, f, d, batch, m->trainer->batch, &b);
    if (status)
        return status;
    status = predict(m, &b, d, exec, out);
    nncc_bind_free(&b);
    return status;
}
