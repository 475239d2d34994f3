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

/* The trainer: state and settings. */

void nn_trainer_free(nn_trainer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->nblock; i++) {
        nn_block *b = &t->block[i];
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
    free(t);
}

/* What step overwrites is what is trained, in the order of its parameters. */
static int list_blocks(nn_trainer *t)
{
    const nn_function *f = t->step;

    t->block = nn_alloc((size_t)f->nparam, sizeof *t->block, "parameters");
    if (!t->block)
        return NN_ERR_MEMORY;
    for (int i = 0; i < f->nparam; i++) {
        bool overwritten = false;
        for (int r = 0; r < f->nresult; r++)
            overwritten |= f->result[r].in_place == i;
        if (overwritten)
            t->block[t->nblock++].port = &f->param[i];
    }
    if (t->nblock == 0)
        return nn_fail(NN_ERR_MODULE, "%s: updates nothing in place", f->name);
    return NN_OK;
}

/* A scalar that is neither random nor trained. */
static bool is_scalar(const nn_trainer *t, const nn_port *p)
{
    for (int i = 0; i < t->nblock; i++)
        if (strcmp(t->block[i].port->name, p->name) == 0)
            return false;
    return p->nleaf == 1 && p->leaf->rank == 0 && p->leaf->dtype != NN_KEY;
}

/* Does f have a scalar or dimension so named? Adds those it has to names. */
static bool takes_setting(const nn_trainer *t, const nn_function *f,
                          const char *name, nn_text *names)
{
    for (int i = 0; i < f->nparam; i++) {
        if (!is_scalar(t, &f->param[i]))
            continue;
        if (strcmp(f->param[i].name, name) == 0)
            return true;
        nn_text_printf(names, "%s%s", names->n ? ", " : "", f->param[i].name);
    }
    for (int k = 0; k < f->ndim; k++)
        if (strcmp(f->dim[k], name) == 0)
            return true;
    return false;
}

static int check_setting(const nn_trainer *t, const nn_setting *s)
{
    nn_text names = {0}, more = {0};

    bool ok = takes_setting(t, t->step, s->name, &names) ||
              takes_setting(t, t->evaluate, s->name, &more) ||
              takes_setting(t, t->init, s->name, &more);
    if (!ok)
        nn_fail(NN_ERR_NAME, "no setting '%s'; %s takes: %s", s->name,
                t->step->name, names.at && names.n ? names.at : "none");
    free(names.at);
    free(more.at);
    return ok ? NN_OK : (int)NN_ERR_NAME;
}

static int copy_settings(nn_trainer *t, const nn_train_options *o)
{
    size_t n = o->nsetting > 0 ? (size_t)o->nsetting : 0;

    if (n && !o->setting)
        return nn_fail(NN_ERR_ARGUMENT, "settings are missing");
    t->setting = nn_alloc(n, sizeof *t->setting, "settings");
    t->setting_name = nn_alloc(n, sizeof *t->setting_name, "settings");
    if (!t->setting || !t->setting_name)
        return NN_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (!o->setting[i].name)
            return nn_fail(NN_ERR_ARGUMENT, "a setting without a name");
        int status = check_setting(t, &o->setting[i]);
        if (status)
            return status;
        char *name = nn_strdup(o->setting[i].name);
        if (!name)
            return NN_ERR_MEMORY;
        t->setting_name[i] = name;
        t->setting[i] = (nn_setting){name, o->setting[i].value};
        t->nsetting++;
    }
    return NN_OK;
}

static int find_parts(const nn_model *m, nn_trainer *t)
{
    int status = nn_find_kind(m, NN_INIT, &t->init);

    if (!status)
        status = nn_find_kind(m, NN_STEP, &t->step);
    if (!status)
        status = nn_find_kind(m, NN_EVALUATE, &t->evaluate);
    if (!status)
        status = list_blocks(t);
    return status;
}

static int new_trainer(const nn_model *m, const nn_train_options *o,
                       nn_trainer **out)
{
    nn_trainer *t = nn_alloc(1, sizeof *t, "a training");

    if (!t)
        return NN_ERR_MEMORY;
    t->seed = o->seed;
    int status = find_parts(m, t);
    if (!status)
        status = copy_settings(t, o);
    if (status) {
        nn_trainer_free(t);
        return status;
    }
    *out = t;
    return NN_OK;
}

static bool has_layout(const nn_port *p)
{
    for (int l = 0; l < p->nleaf; l++)
        if (p->leaf[l].offset < 0)
            return false;
    return p->bytes > 0;
}

/* Memory for one block; first: its first leaf in step's axes. */
static int allocate_block(nn_block *b, const nn_axes *a, int first)
{
    const nn_port *p = b->port;

    b->leaf = nn_alloc((size_t)p->nleaf, sizeof *b->leaf, "parameters");
    if (!b->leaf)
        return NN_ERR_MEMORY;
    if (has_layout(p) && !(b->memory = nn_alloc_aligned(p->bytes, p->name)))
        return NN_ERR_MEMORY;
    for (int l = 0; l < p->nleaf; l++) {
        nn_tensor *t = &b->leaf[l];
        size_t bytes;
        t->dtype = p->leaf[l].dtype;
        t->rank = p->leaf[l].rank;
        memcpy(t->size, a->size + a->first[first + l],
               (size_t)t->rank * sizeof *t->size);
        int status = nn_tensor_count(t, NULL, &bytes);
        if (status)
            return status;
        if (!b->memory)
            t->data = nn_alloc_aligned(bytes, p->name);
        else if (bytes <= p->bytes - (uint64_t)p->leaf[l].offset)
            t->data = (char *)b->memory + p->leaf[l].offset;
        else
            return nn_fail(NN_ERR_MODULE, "'%s.%s' lies beyond its struct",
                           p->name, p->leaf[l].path);
        if (!t->data)
            return NN_ERR_MEMORY;
    }
    return NN_OK;
}

static int allocate_state(nn_trainer *t, const nn_binding *step)
{
    for (int i = 0; i < t->nblock; i++) {
        int param = (int)(t->block[i].port - t->step->param);
        int status = allocate_block(&t->block[i], &step->axes,
                                    nn_param_leaf(t->step, param));
        if (status)
            return status;
    }
    return NN_OK;
}

/* Initialisation. */

/* A dimension of init: as step has it by that name, or as set. */
static int64_t init_dim(const nn_trainer *t, const nn_binding *step,
                        const char *name)
{
    for (int k = 0; k < t->step->ndim; k++)
        if (strcmp(t->step->dim[k], name) == 0)
            return step->dims[k];
    for (int i = 0; i < t->nsetting; i++)
        if (strcmp(t->setting[i].name, name) == 0 && t->setting[i].value >= 0 &&
            t->setting[i].value <= 1e12)
            return (int64_t)t->setting[i].value;
    return -1;
}

/* The block that init's result k is: of its name, or else in the same place. */
static nn_block *init_block(nn_trainer *t, int k)
{
    for (int i = 0; i < t->nblock; i++)
        if (strcmp(t->block[i].port->name, t->init->result[k].name) == 0)
            return &t->block[i];
    return k < t->nblock ? &t->block[k] : NULL;
}

static int point_result(nn_trainer *t, const nn_axes *a, int k, void **leaf)
{
    const nn_port *r = &t->init->result[k];
    const nn_block *b = init_block(t, k);
    int first = nn_result_leaf(t->init, k);
    bool same = b && b->port->nleaf == r->nleaf;

    for (int l = 0; same && l < r->nleaf; l++) {
        const nn_tensor *have = &b->leaf[l];
        same = have->dtype == r->leaf[l].dtype &&
               have->rank == r->leaf[l].rank &&
               memcmp(have->size, a->size + a->first[first + l],
                      (size_t)have->rank * sizeof *have->size) == 0;
        leaf[first + l] = have->data;
    }
    if (!same)
        return nn_fail(NN_ERR_MODULE,
                       "%s: its result '%s' is nothing that %s trains",
                       t->init->name, r->name, t->step->name);
    return NN_OK;
}

/* init's parameters are the seed and scalars with defaults. */
static int point_params(const nn_trainer *t, uint64_t *value, void **leaf)
{
    for (int i = 0; i < t->init->nparam; i++) {
        const nn_port *p = &t->init->param[i];
        if (p->nleaf != 1 || p->leaf->rank != 0 ||
            (p->leaf->dtype != NN_KEY && p->leaf->dtype != NN_I64))
            return nn_fail(NN_ERR_MODULE, "%s: takes '%s' besides a seed",
                           t->init->name, p->name);
        value[i] = t->seed;
        leaf[i] = &value[i];
    }
    return NN_OK;
}

static int run_init(nn_model *m, nn_trainer *t, const nn_binding *step,
                    nn_axes *a, int64_t *dims, const nn_exec *exec)
{
    const nn_function *f = t->init;
    void **leaf = nn_alloc((size_t)a->nleaf, sizeof *leaf, "arguments");
    uint64_t *value = nn_alloc((size_t)f->nparam, sizeof *value, "arguments");
    int status = leaf && value ? NN_OK : (int)NN_ERR_MEMORY;

    for (int k = 0; k < f->ndim && !status; k++) {
        dims[k] = init_dim(t, step, f->dim[k]);
        if (dims[k] < 0)
            status = nn_fail(NN_ERR_ARGUMENT,
                             "%s: dimension '%s' does not follow from the "
                             "data: give it as a setting",
                             f->name, f->dim[k]);
    }
    if (!status)
        status = nn_axes_at(f, a, dims);
    if (!status)
        status = point_params(t, value, leaf);
    for (int k = 0; k < f->nresult && !status; k++)
        status = point_result(t, a, k, leaf);
    if (!status)
        status = nn_invoke(m, f, leaf, dims, exec);
    free(leaf);
    free(value);
    return status;
}

static int initialise(nn_model *m, nn_trainer *t, const nn_binding *step,
                      const nn_exec *exec)
{
    nn_axes a;
    int status = nn_axes_new(t->init, &a);

    if (status)
        return status;
    int64_t *dims = nn_alloc((size_t)t->init->ndim, sizeof *dims, "dimensions");
    status = dims ? run_init(m, t, step, &a, dims, exec) : (int)NN_ERR_MEMORY;
    free(dims);
    nn_axes_free(&a);
    return status;
}

/* Batches. */

/* A key parameter's value for call number `count`. */
static void set_key(nn_binding *b, uint64_t seed, uint64_t count)
{
    nn_rng r;

    if (b->key < 0)
        return;
    nn_rng_seed(&r, seed ^ (count * UINT64_C(0xd1342543de82ef95)));
    uint64_t key = nn_rng_next(&r);
    memcpy(b->leaf[nn_param_leaf(b->f, b->key)], &key, sizeof key);
}

static int name_bad_row(const nn_binding *b, const nn_data *d, int64_t row)
{
    const char *where = "";

    if (b->y < 0)
        return nn_fail(NN_ERR_INDEX,
                       "%s:%lld: an index made of this row is out of range",
                       d->path, (long long)d->line[row]);
    int xt = b->axes.leaf[b->x_leaf]->dtype;
    if (xt != NN_F32 && xt != NN_F64)
        where = ", or a feature,";
    if (d->label == NN_LABEL_NAME)
        return nn_fail(NN_ERR_INDEX,
                       "%s:%lld: label '%s' (class %g of %d)%s is out of range "
                       "for the model",
                       d->path, (long long)d->line[row],
                       d->class_name[(int32_t)d->y[row]], d->y[row],
                       (int)d->nclass, where);
    return nn_fail(NN_ERR_INDEX,
                   "%s:%lld: label %g%s is out of range for the model", d->path,
                   (long long)d->line[row], d->y[row], where);
}

/* Which of these rows is it that has a label out of range? Each is evaluated
 * alone. Leaves the error text as it is where none is found. */
static int find_bad_row(nn_model *m, const nn_trainer *t, const nn_data *d,
                        const int64_t *row, int64_t n, const nn_exec *exec)
{
    nn_binding b;
    int status = nn_bind(t, t->evaluate, d, 0, 1, &b);
    int64_t *same;

    if (status)
        return NN_ERR_INDEX;
    same = nn_alloc((size_t)b.batch, sizeof *same, "a batch");
    status = same ? nn_bind_state(&b, t) : (int)NN_ERR_MEMORY;
    for (int64_t i = 0; i < n && !status; i++) {
        for (int64_t k = 0; k < b.batch; k++)
            same[k] = row[i];
        nn_bind_rows(&b, d, same, b.batch);
        status = nn_invoke(m, b.f, b.leaf, b.dims_now, exec);
        if (status == NN_ERR_INDEX)
            name_bad_row(&b, d, row[i]);
    }
    free(same);
    nn_bind_free(&b);
    return NN_ERR_INDEX;
}

static int run_batch(nn_model *m, const nn_trainer *t, nn_binding *b,
                     const nn_data *d, const int64_t *row, int64_t n,
                     const nn_exec *exec)
{
    nn_bind_rows(b, d, row, n);
    int status = nn_invoke(m, b->f, b->leaf, b->dims_now, exec);

    if (status == NN_ERR_INDEX)
        return find_bad_row(m, t, d, row, n, exec);
    return status;
}

/* Means over all rows of d. */
typedef struct Means {
    double loss, metric;
    bool has_metric;
} Means;

static int check_multiple(const nn_binding *b, const nn_data *d)
{
    if (d->n == 0)
        return nn_fail(NN_ERR_ARGUMENT, "%s: no rows to evaluate on", d->path);
    if (b->batch_dim < 0 && d->n % b->batch)
        return nn_fail(NN_ERR_SHAPE,
                       "%s: %lld rows to evaluate on; the model is compiled "
                       "for batches of %lld: expected a multiple",
                       d->path, (long long)d->n, (long long)b->batch);
    return NN_OK;
}

static int evaluate(nn_model *m, const nn_trainer *t, nn_binding *b,
                    const nn_data *d, const nn_exec *exec, Means *means)
{
    Means sum = {.has_metric = nn_bind_output(b->f, 1) >= 0};
    int64_t *row = nn_alloc((size_t)b->batch, sizeof *row, "a batch");
    int status = row ? NN_OK : NN_ERR_MEMORY;

    set_key(b, t->seed, 0);
    for (int64_t at = 0; at < d->n && !status; at += b->batch) {
        int64_t n = d->n - at < b->batch ? d->n - at : b->batch;
        double loss = 0, metric = 0;
        for (int64_t i = 0; i < n; i++)
            row[i] = at + i;
        status = run_batch(m, t, b, d, row, n, exec);
        if (!status)
            status = nn_bind_result(b, 0, &loss);
        if (!status && sum.has_metric)
            status = nn_bind_result(b, 1, &metric);
        sum.loss += loss * (double)n;
        sum.metric += metric * (double)n;
    }
    free(row);
    sum.loss /= (double)d->n;
    sum.metric /= (double)d->n;
    if (!status)
        *means = sum;
    return status;
}

static int bind_for_evaluation(const nn_trainer *t, const nn_data *d,
                               int64_t batch, nn_binding *b)
{
    int status = nn_bind(t, t->evaluate, d, batch, t->batch, b);

    if (status)
        return status;
    status = nn_bind_check(b, d);
    if (!status)
        status = check_multiple(b, d);
    if (status)
        nn_bind_free(b);
    return status;
}

int nn_evaluate(nn_model *m, const nn_data *d, int64_t batch,
                const nn_exec *exec, double *loss, double *metric)
{
    nn_binding b;
    Means means = {0};

    if (!m || !d)
        return nn_fail(NN_ERR_ARGUMENT, "nn_evaluate: null argument");
    if (!m->trainer)
        return nn_fail(NN_ERR_ARGUMENT, "%s: is not trained yet", nn_path(m));
    int status = bind_for_evaluation(m->trainer, d, batch, &b);
    if (status)
        return status;
    status = nn_bind_state(&b, m->trainer);
    if (!status)
        status = evaluate(m, m->trainer, &b, d, exec, &means);
    nn_bind_free(&b);
    if (status)
        return status;
    if (loss)
        *loss = means.loss;
    if (metric && means.has_metric)
        *metric = means.metric;
    return NN_OK;
}

int nn_params(nn_model *m, const nn_port **port, void **block,
              const nn_tensor **leaf)
{
    if (!m)
        return nn_fail(NN_ERR_ARGUMENT, "nn_params: null argument");
    if (!m->trainer)
        return nn_fail(NN_ERR_ARGUMENT, "%s: is not trained yet", nn_path(m));
    const nn_block *b = &m->trainer->block[0];
    if (port)
        *port = b->port;
    if (block)
        *block = b->memory;
    if (leaf)
        *leaf = b->leaf;
    return NN_OK;
}

/* The loop. */

typedef struct Run {
    nn_model *m;
    nn_trainer *t;
    const nn_train_options *o;
    const nn_data *train, *test; /* test: NULL for none */
    nn_binding step, eval;       /* eval: of test */
    nn_rng rng;                  /* of the shuffles */
    int64_t *order;              /* rows of train */
    int64_t *batch;              /* rows of the batch at hand */
    int64_t steps_per_epoch, done;
    double began;
    Means means; /* of the test set, as of the last evaluation */
    bool evaluated, stopped;
    double train_loss;
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
    nn_progress p = {.event = event,
                     .epoch = epoch,
                     .epochs = r->o->epochs,
                     .step = r->done,
                     .steps = r->o->epochs * r->steps_per_epoch,
                     .loss = loss};

    if (!r->o->progress)
        return 0;
    if (event == NN_EVENT_EPOCH && r->test) {
        p.has_test = 1;
        p.has_metric = r->means.has_metric;
        p.test_loss = r->means.loss;
        p.test_metric = r->means.metric;
    }
    p.seconds = now() - r->began;
    return r->o->progress(r->o->context, &p);
}

static int run_step(Run *r, int64_t epoch, int64_t k, double *loss,
                    int64_t *rows)
{
    *rows = pick_batch(r, k);
    set_key(&r->step, r->t->seed, (uint64_t)r->done + 1);
    int status =
        run_batch(r->m, r->t, &r->step, r->train, r->batch, *rows, r->o->exec);
    if (!status)
        status = nn_bind_result(&r->step, 0, loss);
    if (status)
        return status;
    r->done++;
    r->evaluated = false;
    if (!isfinite(*loss))
        return nn_fail(NN_ERR_DIVERGED,
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

static int run_epoch(Run *r, int64_t epoch)
{
    double sum = 0, count = 0;

    if (!r->o->keep_order)
        nn_rng_shuffle(&r->rng, r->order, r->train->n);
    for (int64_t k = 0; k < r->steps_per_epoch && !r->stopped; k++) {
        double loss = 0;
        int64_t rows = 0;
        int status = run_step(r, epoch, k, &loss, &rows);
        if (status)
            return status;
        sum += loss * (double)rows;
        count += (double)rows;
        r->stopped = report(r, NN_EVENT_STEP, epoch, loss) != 0;
    }
    r->train_loss = sum / count;
    if (r->stopped || !r->o->progress)
        return NN_OK;
    int status = evaluate_test(r);
    if (!status)
        r->stopped = report(r, NN_EVENT_EPOCH, epoch, r->train_loss) != 0;
    return status;
}

static int run_epochs(Run *r, nn_train_result *result)
{
    int64_t epoch = 0;

    r->began = now();
    while (epoch < r->o->epochs && !r->stopped) {
        int status = run_epoch(r, ++epoch);
        if (status)
            return status;
    }
    double loss = r->train_loss;
    int status = evaluate_test(r);
    if (!status && epoch == 0)
        status = nn_evaluate(r->m, r->train, 0, r->o->exec, &loss, NULL);
    if (status || !result)
        return status;
    *result = (nn_train_result){.epochs = epoch,
                                .steps = r->done,
                                .stopped = r->stopped,
                                .has_test = r->test != NULL,
                                .has_metric = r->test && r->means.has_metric,
                                .train_loss = loss,
                                .test_loss = r->means.loss,
                                .test_metric = r->means.metric,
                                .seconds = now() - r->began};
    return NN_OK;
}

static int bind_run(Run *r)
{
    int status = nn_bind(r->t, r->t->step, r->train, r->o->batch, DEFAULT_BATCH,
                         &r->step);

    if (!status)
        status = nn_bind_check(&r->step, r->train);
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
        status = allocate_state(r->t, &r->step);
    if (!status)
        status = nn_bind_state(&r->step, r->t);
    if (!status && r->test)
        status = nn_bind_state(&r->eval, r->t);
    if (status)
        return status;
    r->steps_per_epoch = (n + r->step.batch - 1) / r->step.batch;
    if (r->o->epochs > INT64_MAX / r->steps_per_epoch)
        return nn_fail(NN_ERR_ARGUMENT, "%lld epochs are too many",
                       (long long)r->o->epochs);
    r->order = nn_alloc((size_t)n, sizeof *r->order, "a permutation");
    r->batch = nn_alloc((size_t)r->step.batch, sizeof *r->batch, "a batch");
    if (!r->order || !r->batch)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < n; i++)
        r->order[i] = i;
    nn_rng_seed(&r->rng, r->o->seed);
    return initialise(r->m, r->t, &r->step, r->o->exec);
}

static int check_options(const nn_train_options *o, const nn_data *train)
{
    if (o->epochs < 0 || o->batch < 0 || o->nsetting < 0)
        return nn_fail(NN_ERR_ARGUMENT,
                       "%lld epochs of batches of %lld rows; neither may be "
                       "negative",
                       (long long)o->epochs, (long long)o->batch);
    if (train->n == 0)
        return nn_fail(NN_ERR_ARGUMENT, "%s: no rows to train on", train->path);
    return NN_OK;
}

int nn_train(nn_model *m, const nn_train_options *o, const nn_data *train,
             const nn_data *test, nn_train_result *result)
{
    static const nn_train_options defaults = NN_TRAIN_DEFAULTS;
    Run r = {.m = m, .o = o ? o : &defaults, .train = train};

    if (!m || !train)
        return nn_fail(NN_ERR_ARGUMENT, "nn_train: null argument");
    r.test = test && test->n > 0 ? test : NULL;
    int status = check_options(r.o, train);
    if (!status)
        status = new_trainer(m, r.o, &r.t);
    if (status)
        return status;
    status = prepare(&r);
    if (status) {
        nn_trainer_free(r.t);
    } else {
        nn_trainer_free(m->trainer);
        m->trainer = r.t;
        status = run_epochs(&r, result);
    }
    free(r.order);
    free(r.batch);
    nn_bind_free(&r.step);
    nn_bind_free(&r.eval);
    return status;
}
