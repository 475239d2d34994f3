/* train.c: the training loop over a module's init, step and evaluate. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_BATCH = 32 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Batches. */

/* A key parameter's value for call number `count`. */
static void set_key(nncc_binding *b, uint64_t seed, uint64_t count)
{
    nncc_rng r;

    if (b->key < 0)
        return;
    nncc_rng_seed(&r, seed ^ (count * UINT64_C(0xd1342543de82ef95)));
    uint64_t key = nncc_rng_next(&r);
    memcpy(b->leaf[nncc_param_leaf(b->f, b->key)], &key, sizeof key);
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
    if (b->y < 0 || d->nlabel != 1)
        return nncc_fail(NN_ERR_INDEX,
                         "%s: an index made of this row is out of range",
                         place);
    nncc_data_labels(d, row, 0, 1, &y);
    int xt = b->axes.leaf[b->x_leaf]->dtype;
    if (xt != NN_F32 && xt != NN_F64)
        where = ", or a feature,";
    if (d->label == NNCC_LABEL_NAME)
        return nncc_fail(NN_ERR_INDEX,
                         "%s: label '%s' (class %g of %d)%s is out of range "
                         "for the model",
                         place, d->class_name[(int32_t)y], y, (int)d->nclass,
                         where);
    return nncc_fail(NN_ERR_INDEX,
                     "%s: label %g%s is out of range for the model", place, y,
                     where);
}

static void name_bad_row(const nncc_binding *b, const nncc_data *d, int64_t row)
{
    nncc_text place = {0};

    tell_bad_row(b, d, row, nncc_data_place(d, row, &place));
    free(place.at);
}

/* Which of these rows is it that has a label out of range? Each is evaluated
 * alone. Leaves the error text as it is where none is found. */
static int find_bad_row(nncc_model *m, const nncc_trainer *t,
                        const nncc_data *d, const int64_t *row, int64_t n,
                        const nn_exec *exec)
{
    nncc_binding b;
    int status = nncc_bind(t, t->evaluate, d, 0, 1, &b);
    int64_t *same;

    if (status)
        return NN_ERR_INDEX;
    same = nncc_alloc((size_t)b.batch, sizeof *same, "a batch");
    status = same ? nncc_bind_state(&b, t) : (int)NN_ERR_MEMORY;
    for (int64_t i = 0; i < n && !status; i++) {
        for (int64_t k = 0; k < b.batch; k++)
            same[k] = row[i];
        nncc_bind_rows(&b, d, same, b.batch);
        status = nncc_invoke(m, b.f, b.leaf, b.dims_now, exec);
        if (status == NN_ERR_INDEX)
            name_bad_row(&b, d, row[i]);
    }
    free(same);
    nncc_bind_free(&b);
    return NN_ERR_INDEX;
}

static int run_batch(nncc_model *m, const nncc_trainer *t, nncc_binding *b,
                     const nncc_data *d, const int64_t *row, int64_t n,
                     const nn_exec *exec)
{
    nncc_bind_rows(b, d, row, n);
    int status = nncc_invoke(m, b->f, b->leaf, b->dims_now, exec);

    if (status == NN_ERR_INDEX)
        return find_bad_row(m, t, d, row, n, exec);
    return status;
}

/* Means over all rows of d. */
typedef struct Means {
    double loss, metric[NNCC_MAX_METRICS];
    int nmetric;
} Means;

static int count_metrics(const nn_function *f)
{
    int n = 0;

    while (n < NNCC_MAX_METRICS && nncc_bind_output(f, n + 1) >= 0)
        n++;
    return n;
}

int nncc_metric_count(const nncc_model *m)
{
    const nn_function *f;

    return m && !nncc_find_kind(m, NN_EVALUATE, &f) ? count_metrics(f) : 0;
}

const char *nncc_metric_name(const nncc_model *m, int i)
{
    const nn_function *f;

    if (i < 0 || i >= nncc_metric_count(m) ||
        nncc_find_kind(m, NN_EVALUATE, &f))
        return NULL;
    return f->result[nncc_bind_output(f, i + 1)]->name;
}

static int check_multiple(const nncc_binding *b, const nncc_data *d)
{
    if (d->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no rows to evaluate on",
                         d->path);
    if (b->batch_dim < 0 && d->n % b->batch)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s: %lld rows to evaluate on; the model is compiled "
                         "for batches of %lld: expected a multiple",
                         d->path, (long long)d->n, (long long)b->batch);
    return NN_OK;
}

/* Adds a batch's results, n rows. */
static int add_results(const nncc_binding *b, int64_t n, Means *sum)
{
    double v = 0;
    int status = nncc_bind_result(b, 0, &v);

    sum->loss += v * (double)n;
    for (int i = 0; i < sum->nmetric && !status; i++) {
        status = nncc_bind_result(b, i + 1, &v);
        sum->metric[i] += v * (double)n;
    }
    return status;
}

static int evaluate(nncc_model *m, const nncc_trainer *t, nncc_binding *b,
                    const nncc_data *d, const nn_exec *exec, Means *means)
{
    Means sum = {.nmetric = count_metrics(b->f)};
    int64_t *row = nncc_alloc((size_t)b->batch, sizeof *row, "a batch");
    int status = row ? NN_OK : NN_ERR_MEMORY;

    set_key(b, t->seed, 0);
    for (int64_t at = 0; at < d->n && !status; at += b->batch) {
        int64_t n = d->n - at < b->batch ? d->n - at : b->batch;
        for (int64_t i = 0; i < n; i++)
            row[i] = at + i;
        status = run_batch(m, t, b, d, row, n, exec);
        if (!status)
            status = add_results(b, n, &sum);
    }
    free(row);
    sum.loss /= (double)d->n;
    for (int i = 0; i < sum.nmetric; i++)
        sum.metric[i] /= (double)d->n;
    if (!status)
        *means = sum;
    return status;
}

static int bind_for_evaluation(const nncc_trainer *t, const nncc_data *d,
                               int64_t batch, nncc_binding *b)
{
    int status = nncc_bind(t, t->evaluate, d, batch, t->batch, b);

    if (status)
        return status;
    status = nncc_bind_check(b, d);
    if (!status)
        status = check_multiple(b, d);
    if (status)
        nncc_bind_free(b);
    return status;
}

int nncc_evaluate(nncc_model *m, const nncc_data *d, int64_t batch,
                  const nn_exec *exec, double *loss, double *metric)
{
    nncc_binding b;
    Means means = {0};

    if (!m || !d)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_evaluate: null argument");
    if (!m->trainer)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: is not trained yet",
                         nncc_path(m));
    int status = bind_for_evaluation(m->trainer, d, batch, &b);
    if (status)
        return status;
    status = nncc_bind_state(&b, m->trainer);
    if (!status)
        status = evaluate(m, m->trainer, &b, d, exec, &means);
    nncc_bind_free(&b);
    if (status)
        return status;
    if (loss)
        *loss = means.loss;
    for (int i = 0; metric && i < means.nmetric; i++)
        metric[i] = means.metric[i];
    return NN_OK;
}

int nncc_state(nncc_model *m, const char *name, const nn_port **port,
               void **block, const nncc_tensor **leaf)
{
    int i = 0;

    if (!m)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_state: null argument");
    if (!m->trainer)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: is not trained yet",
                         nncc_path(m));
    const nncc_trainer *t = m->trainer;
    while (name && i < t->nblock && strcmp(t->block[i].port->name, name) != 0)
        i++;
    if (i == t->nblock)
        return nncc_fail(NN_ERR_NAME, "%s: %s updates nothing called '%s'",
                         nncc_path(m), t->step->name, name);
    if (port)
        *port = t->block[i].port;
    if (block)
        *block = t->block[i].memory;
    if (leaf)
        *leaf = t->block[i].leaf;
    return NN_OK;
}

int nncc_params(nncc_model *m, const nn_port **port, void **block,
                const nncc_tensor **leaf)
{
    return nncc_state(m, NULL, port, block, leaf);
}

/* The loop. */

typedef struct Run {
    nncc_model *m;
    nncc_trainer *t;
    const nncc_train_options *o;
    const nncc_data *train, *test; /* test: NULL for none */
    nncc_binding step, eval;       /* eval: of test */
    nncc_rng rng;                  /* of the shuffles */
    int64_t *order;                /* rows of train */
    int64_t *batch;                /* rows of the batch at hand */
    int64_t steps_per_epoch, done;
    double began;
    Means means; /* of the test set, as of the last evaluation */
    bool evaluated, stopped;
    double train_loss;
    double base; /* of the setting that has a schedule */
    /* With patience, the best epoch so far and all that is of it: */
    int64_t best_epoch;
    bool out_of_patience;
    Means best;
    void *best_state;
} Run;

/* Picks batch k of the epoch; a fixed batch is filled up from the front. */
static int64_t pick_batch(Run *r, int64_t k)
{
    int64_t size = r->step.batch, at = k * size;
    int64_t n = r->train->n - at < size ? r->train->n - at : size;

    if (r->step.batch_dim < 0)
        n = size;
    for (int64_t i = 0; i < n; i++)
        r->batch[i] = r->order[(at + i) % r->train->n];
    return n;
}

static int report(Run *r, int event, int64_t epoch, double loss)
{
    nncc_progress p = {.event = event,
                       .epoch = epoch,
                       .epochs = r->o->epochs,
                       .step = r->done,
                       .steps = r->o->epochs * r->steps_per_epoch,
                       .loss = loss};

    if (!r->o->progress)
        return 0;
    if (event == NNCC_EVENT_EPOCH && r->test) {
        p.has_test = 1;
        p.nmetric = r->means.nmetric;
        p.test_loss = r->means.loss;
        memcpy(p.test_metric, r->means.metric, sizeof p.test_metric);
    }
    p.seconds = now() - r->began;
    return r->o->progress(r->o->context, &p);
}

static const char *scheduled(const nncc_schedule *s)
{
    return s->setting ? s->setting : "lr";
}

static int follow_schedule(Run *r, int64_t epoch)
{
    const nncc_schedule *s = r->o->schedule;

    if (!s)
        return NN_OK;
    double share = nncc_schedule_share(
        s, r->done, r->o->epochs * r->steps_per_epoch, epoch - 1);
    return nncc_bind_set(&r->step, scheduled(s), r->base * share);
}

static int run_step(Run *r, int64_t epoch, int64_t k, double *loss,
                    int64_t *rows)
{
    *rows = pick_batch(r, k);
    set_key(&r->step, r->t->seed, (uint64_t)r->done + 1);
    int status = follow_schedule(r, epoch);
    if (!status)
        status = run_batch(r->m, r->t, &r->step, r->train, r->batch, *rows,
                           r->o->exec);
    if (!status)
        status = nncc_bind_result(&r->step, 0, loss);
    if (status == NN_ERR_NUMBER)
        return nncc_fail(NN_ERR_DIVERGED,
                         "the loss or its gradient became infinite or not a "
                         "number in epoch %lld, step %lld, whose update was "
                         "not made: a smaller learning rate or scaled features "
                         "may help",
                         (long long)epoch, (long long)k + 1);
    if (status)
        return status;
    r->done++;
    r->evaluated = false;
    if (!isfinite(*loss))
        return nncc_fail(
            NN_ERR_DIVERGED,
            "the loss became %g in epoch %lld, step %lld: a smaller "
            "learning rate or scaled features may help",
            *loss, (long long)epoch, (long long)k + 1);
    return NN_OK;
}

static int evaluate_test(Run *r)
{
    if (!r->test || r->evaluated)
        return NN_OK;
    r->evaluated = true;
    return evaluate(r->m, r->t, &r->eval, r->test, r->o->exec, &r->means);
}

/* Keeps the best epoch's parameters; stops when they have been the best for
 * long. */
static int be_patient(Run *r, int64_t epoch)
{
    if (!r->o->patience)
        return NN_OK;
    if (r->best_epoch == 0 || r->means.loss < r->best.loss ||
        isnan(r->best.loss)) {
        r->best_epoch = epoch;
        r->best = r->means;
        return nncc_trainer_save(r->t, &r->best_state);
    }
    r->out_of_patience = epoch - r->best_epoch >= r->o->patience;
    return NN_OK;
}

static int end_epoch(Run *r, int64_t epoch)
{
    if (r->stopped || (!r->o->progress && !r->o->patience))
        return NN_OK;
    int status = evaluate_test(r);
    if (!status)
        status = be_patient(r, epoch);
    if (!status)
        r->stopped = report(r, NNCC_EVENT_EPOCH, epoch, r->train_loss) != 0;
    return status;
}

static int run_epoch(Run *r, int64_t epoch)
{
    double sum = 0, count = 0;

    if (!r->o->keep_order)
        nncc_rng_shuffle(&r->rng, r->order, r->train->n);
    for (int64_t k = 0; k < r->steps_per_epoch && !r->stopped; k++) {
        double loss = 0;
        int64_t rows = 0;
        int status = run_step(r, epoch, k, &loss, &rows);
        if (status)
            return status;
        sum += loss * (double)rows;
        count += (double)rows;
        r->stopped = report(r, NNCC_EVENT_STEP, epoch, loss) != 0;
    }
    r->train_loss = sum / count;
    return end_epoch(r, epoch);
}

static void tell_result(const Run *r, int64_t epoch, double loss,
                        nncc_train_result *to)
{
    *to =
        (nncc_train_result){.epochs = epoch,
                            .steps = r->done,
                            .best_epoch = r->best_epoch ? r->best_epoch : epoch,
                            .stopped = r->stopped,
                            .out_of_patience = r->out_of_patience,
                            .has_test = r->test != NULL,
                            .nmetric = r->test ? r->means.nmetric : 0,
                            .train_loss = loss,
                            .test_loss = r->means.loss,
                            .seconds = now() - r->began};
    memcpy(to->test_metric, r->means.metric, sizeof to->test_metric);
}

static int run_epochs(Run *r, nncc_train_result *result)
{
    int64_t epoch = 0;
    int status = NN_OK;

    r->began = now();
    while (epoch < r->o->epochs && !r->stopped && !r->out_of_patience &&
           !status)
        status = run_epoch(r, ++epoch);
    if (status)
        return status;
    double loss = r->train_loss;
    if (r->best_epoch) {
        nncc_trainer_restore(r->t, r->best_state);
        r->means = r->best;
        r->evaluated = true;
    }
    status = evaluate_test(r);
    if (!status && epoch == 0)
        status = nncc_evaluate(r->m, r->train, 0, r->o->exec, &loss, NULL);
    if (!status && result)
        tell_result(r, epoch, loss, result);
    return status;
}

static int bind_schedule(Run *r)
{
    const nncc_schedule *s = r->o->schedule;
    int status = s ? nncc_schedule_check(s) : NN_OK;

    if (!s || status)
        return status;
    return nncc_bind_scalar(&r->step, scheduled(s), &r->base);
}

static int bind_run(Run *r)
{
    int status = nncc_bind(r->t, r->t->step, r->train, r->o->batch,
                           DEFAULT_BATCH, &r->step);

    if (!status)
        status = nncc_bind_check(&r->step, r->train);
    if (!status)
        status = bind_schedule(r);
    if (status)
        return status;
    r->t->batch = r->step.batch;
    if (r->test)
        status = bind_for_evaluation(r->t, r->test, 0, &r->eval);
    return status;
}

/* Everything that can be found wrong is, before the model's old parameters are
 * given up for fresh ones. */
static int prepare(Run *r)
{
    int64_t n = r->train->n;
    int status = bind_run(r);

    if (!status)
        status = nncc_trainer_allocate(r->t, &r->step);
    if (!status)
        status = nncc_bind_state(&r->step, r->t);
    if (!status && r->test)
        status = nncc_bind_state(&r->eval, r->t);
    if (status)
        return status;
    r->steps_per_epoch = (n + r->step.batch - 1) / r->step.batch;
    if (r->o->epochs > INT64_MAX / r->steps_per_epoch)
        return nncc_fail(NN_ERR_ARGUMENT, "%lld epochs are too many",
                         (long long)r->o->epochs);
    r->order = nncc_alloc((size_t)n, sizeof *r->order, "a permutation");
    r->batch = nncc_alloc((size_t)r->step.batch, sizeof *r->batch, "a batch");
    if (!r->order || !r->batch)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < n; i++)
        r->order[i] = i;
    nncc_rng_seed(&r->rng, r->o->seed);
    return nncc_trainer_init(r->m, r->t, &r->step, r->o->exec);
}

static int check_options(const nncc_train_options *o, const nncc_data *train,
                         const nncc_data *test)
{
    if (o->patience < 0 || (o->patience && !test))
        return nncc_fail(NN_ERR_ARGUMENT, "a patience of %lld epochs %s",
                         (long long)o->patience,
                         o->patience < 0 ? "makes no sense"
                                         : "needs a test set to look at");
    if (o->epochs < 0 || o->batch < 0 || o->nsetting < 0)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%lld epochs of batches of %lld rows; neither may be "
                         "negative",
                         (long long)o->epochs, (long long)o->batch);
    if (train->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no rows to train on",
                         train->path);
    return NN_OK;
}

int nncc_train(nncc_model *m, const nncc_train_options *o,
               const nncc_data *train, const nncc_data *test,
               nncc_train_result *result)
{
    static const nncc_train_options defaults = NNCC_TRAIN_DEFAULTS;
    Run r = {.m = m, .o = o ? o : &defaults, .train = train};

    if (!m || !train)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_train: null argument");
    r.test = test && test->n > 0 ? test : NULL;
    int status = check_options(r.o, train, r.test);
    if (!status)
        status = nncc_trainer_new(m, r.o, &r.t);
    if (status)
        return status;
    status = prepare(&r);
    if (status) {
        nncc_trainer_free(r.t);
    } else {
        nncc_trainer_free(m->trainer);
        m->trainer = r.t;
        status = run_epochs(&r, result);
    }
    free(r.order);
    free(r.batch);
    free(r.best_state);
    nncc_bind_free(&r.step);
    nncc_bind_free(&r.eval);
    return status;
}
