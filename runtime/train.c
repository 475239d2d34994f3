/* train.c: the training loop over a module's init, step and evaluate. */
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rounds */

/* The order of an epoch's rows follows from the seed and its number. */
static void order_rows(nncc_run *r)
{
    if (!r->o->keep_order)
        nncc_view_shuffle(&r->order,
                          r->t->seed ^ ((uint64_t)r->at.epoch *
                                        UINT64_C(0x9e3779b97f4a7c15)));
}

static int64_t row_of(const nncc_run *r, int64_t i)
{
    if (r->o->keep_order == NNCC_ORDER_STREAMS)
        return i % r->size * (r->used / r->size) + i / r->size;
    return nncc_view_row(&r->order, i);
}

/* Picks batch number j of the round at hand for item k; a fixed batch is filled
 * up from the front. 0: the epoch has none such any more. */
static int64_t pick_batch(nncc_run *r, int k, int64_t j)
{
    int64_t size = r->size, at = (r->at.step * r->width + j) * size;
    int64_t n = r->used - at < size ? r->used - at : size;

    if (n <= 0)
        return 0;
    if (r->step[k].batch_dim < 0)
        n = size;
    for (int64_t i = 0; i < n; i++)
        r->batch[i] = row_of(r, (at + i) % r->used);
    return n;
}

void nncc_run_report(nncc_run *r, int event, const double *item_loss)
{
    nncc_progress p = {.event = event,
                       .epoch = r->at.epoch,
                       .epochs = r->epochs,
                       .step = r->at.done,
                       .steps = r->steps,
                       .loss = item_loss[0],
                       .rows = r->rows,
                       .skipped = r->skipped};

    if (!r->o->progress)
        return;
    int looks = r->o->evaluate_steps ? NNCC_EVENT_TEST : NNCC_EVENT_EPOCH;
    if (event == looks && r->evaluated) {
        p.has_test = 1;
        p.nmetric = r->means.nmetric;
        p.test_loss = r->means.loss;
        memcpy(p.test_metric, r->means.metric, sizeof p.test_metric);
    }
    p.seconds = now() - r->began;
    memcpy(p.item_loss, item_loss, sizeof p.item_loss);
    if (r->o->progress(r->o->context, &p) != 0)
        *(r->head ? &r->wants_stop : &r->stopped) = true;
}

/* Of an item of several: " of critic"; or nothing. */
static const char *of_item(const nncc_run *r, int k, char *to, size_t n)
{
    snprintf(to, n, "%s%s", r->t->nitem > 1 ? " of " : "",
             r->t->nitem > 1 ? r->t->item[k].name : "");
    return to;
}

/* The step's arguments are kept, where there is memory for them. */
static int no_number(nncc_run *r, int k, const char *of)
{
    char name[256];

    if (r->o->on_nan == NNCC_NAN_STOP)
        nncc_bind_keep(&r->step[k], &r->m->stopped);
    return nncc_fail(
        NN_ERR_DIVERGED,
        "%s%s became infinite or not a number in epoch %lld, step %lld, whose "
        "update was not made: a smaller learning rate or scaled features may "
        "help",
        nncc_number_name(r->step[k].f, &r->m->stop, name, sizeof name), of,
        (long long)r->at.epoch, (long long)r->at.step + 1);
}

int nncc_run_check(nncc_run *r, int k, int status, double loss)
{
    long long epoch = r->at.epoch, step = r->at.step + 1;
    char of[80];

    of_item(r, k, of, sizeof of);
    if (status == NN_ERR_NUMBER) {
        status = no_number(r, k, of);
        return r->o->on_nan == NNCC_NAN_SKIP ? (int)NN_OK : status;
    }
    if (!status && !isfinite(loss))
        return nncc_fail(
            NN_ERR_DIVERGED,
            "the loss%s became %g in epoch %lld, step %lld: a smaller "
            "learning rate or scaled features may help",
            of, loss, epoch, step);
    return status;
}

int nncc_run_call(nncc_run *r, int k, int64_t j, int64_t call, int64_t *rows,
                  double *loss)
{
    nncc_binding *b = &r->step[k];

    *rows = pick_batch(r, k, j);
    if (*rows == 0)
        return NN_OK;
    nncc_bind_key(b, r->t->seed, (uint64_t)(r->at.done * r->calls + call) + 1);
    int status =
        nncc_run_batch(r->m, r->t, b, r->train, r->batch, *rows, r->o->exec);
    return status ? status : nncc_bind_result(b, 0, loss);
}

void nncc_run_count(nncc_run *r, int k, int64_t rows, double loss)
{
    r->at.sum[k].loss += loss * (double)rows;
    r->at.sum[k].rows += (double)rows;
    r->rows += rows;
}

static int run_item(nncc_run *r, int k, int64_t j, int64_t call, double *loss)
{
    int64_t rows;
    int made = nncc_run_call(r, k, j, call, &rows, loss);
    int status = nncc_run_check(r, k, made, *loss);

    if (status || rows == 0)
        return status;
    if (made == NN_OK) {
        nncc_run_count(r, k, rows, *loss);
    } else {
        r->skipped++;
        nncc_run_report(r, NNCC_EVENT_SKIPPED, loss - k);
    }
    return NN_OK;
}

void nncc_run_advance(nncc_run *r)
{
    r->at.done++;
    r->at.step++;
    if (r->mean)
        nncc_mean_add(r->t, r->mean, r->o->average, r->at.done);
    r->evaluated = false;
}

/* A round: the updates of each item in turn. */
static int run_round(nncc_run *r)
{
    double loss[NNCC_MAX_ITEMS] = {0};
    int status = NN_OK;
    int64_t call = 0;

    nncc_schedules_follow(&r->schedules, r->t, &r->at, r->steps, r->step);
    for (int k = 0; k < r->t->nitem; k++)
        for (int64_t i = 0; i < r->t->item[k].steps && !status; i++) {
            int64_t full = r->sums[k].full, j = i * full;
            status = full > 1 ? nncc_group_item(r, k, j, call, &loss[k])
                              : run_item(r, k, j, call, &loss[k]);
            call += full;
        }
    if (status)
        return status;
    nncc_run_advance(r);
    nncc_run_report(r, NNCC_EVENT_STEP, loss);
    return NN_OK;
}

static int evaluate_test(nncc_run *r)
{
    if (!r->test || r->evaluated)
        return NN_OK;
    r->evaluated = true;
    return nncc_evaluate_bound(r->m, r->t, r->eval, r->test, r->o->exec,
                               r->head ? r : NULL, &r->means);
}

/* Files */

static int write_file(const nncc_run *r, const void *best, const void *mean,
                      const char *name)
{
    nncc_text path = {0};

    if (nncc_rank(r) > 0)
        return NN_OK;
    nncc_text_printf(&path, "%s/%s", r->o->checkpoints->folder, name);
    int status = path.failed
                     ? (int)NN_ERR_MEMORY
                     : nncc_checkpoint_write(r->t, &r->at, best, mean, path.at);
    free(path.at);
    return status;
}

static int write_last(const nncc_run *r)
{
    return r->o->checkpoints
               ? write_file(r, r->best_state, r->mean, "last.safetensors")
               : NN_OK;
}

static int write_after_step(const nncc_run *r)
{
    const nncc_checkpoints *c = r->o->checkpoints;

    if (!c || !c->steps || r->at.done % c->steps ||
        r->at.step == r->steps_per_epoch)
        return NN_OK;
    return write_last(r);
}

/* The epoch is over. */
static int write_after_epoch(const nncc_run *r)
{
    const nncc_checkpoints *c = r->o->checkpoints;
    int64_t epoch = r->at.epoch - 1;
    char name[48];
    int status = write_last(r);

    if (status || !c || !c->keep || epoch % c->keep)
        return status;
    snprintf(name, sizeof name, "epoch-%04lld.safetensors", (long long)epoch);
    return write_file(r, r->best_state, r->mean, name);
}

/* Looking at the test set */

/* Is what the evaluation gave better than the best before? */
static bool is_better(const nncc_run *r)
{
    int m = r->best;
    double now = m < 0 ? r->means.loss : r->means.metric[m];
    double before = m < 0 ? r->at.best_loss : r->at.best_metric[m];

    if (r->at.best_look == 0 || isnan(before))
        return true;
    return m >= 0 && r->o->best_largest ? now > before : now < before;
}

/* The best so far: what it gave, its parameters where they are to be those in
 * the end, and its file. */
static int note_best(nncc_run *r)
{
    int status = NN_OK;

    if (!is_better(r))
        return NN_OK;
    r->at.best_look = r->at.looks;
    r->at.best_epoch = r->at.epoch;
    r->at.best_loss = r->means.loss;
    memcpy(r->at.best_metric, r->means.metric, sizeof r->at.best_metric);
    if (r->o->patience)
        status = nncc_trainer_save(r->t, &r->best_state);
    if (!status && r->o->checkpoints)
        status = write_file(r, NULL, NULL, "best.safetensors");
    return status;
}

static void be_patient(nncc_run *r)
{
    r->out_of_patience = r->o->patience && r->at.best_look &&
                         r->at.looks - r->at.best_look >= r->o->patience;
}

/* Does anybody want to know? */
static bool looks(const nncc_run *r)
{
    bool waits = false;

    for (int i = 0; i < r->schedules.n; i++)
        waits |= r->schedules.at[i].kind == NNCC_SCHEDULE_PLATEAU;
    return r->test &&
           (waits || r->o->progress || r->o->patience || r->o->checkpoints);
}

/* Evaluates, with the mean in the place of the parameters if there is one. */
static int look(nncc_run *r)
{
    if (!looks(r))
        return NN_OK;
    if (r->mean)
        nncc_mean_swap(r->t, r->mean);
    int status = evaluate_test(r);
    r->at.looks++;
    if (!status)
        status = note_best(r);
    if (r->mean)
        nncc_mean_swap(r->t, r->mean);
    nncc_schedules_look(&r->schedules, &r->at);
    be_patient(r);
    return status;
}

/* Of the epoch so far; of an item that made no step in it, as before. */
static void mean_losses(const nncc_run *r, double *to)
{
    memmove(to, r->at.last_loss, sizeof r->at.last_loss);
    for (int k = 0; k < r->t->nitem; k++)
        if (r->at.sum[k].rows > 0)
            to[k] = r->at.sum[k].loss / r->at.sum[k].rows;
}

static int look_after_step(nncc_run *r)
{
    double loss[NNCC_MAX_ITEMS];

    if (!r->o->evaluate_steps || r->at.done % r->o->evaluate_steps)
        return NN_OK;
    int status = look(r);
    mean_losses(r, loss);
    if (!status)
        nncc_run_report(r, NNCC_EVENT_TEST, loss);
    return status;
}

static int all_skipped(const nncc_run *r)
{
    if (!r->skipped || r->at.sum[0].rows > 0)
        return NN_OK;
    return nncc_fail(NN_ERR_DIVERGED, "no step of epoch %lld could be made: %s",
                     (long long)r->at.epoch, nncc_last_error());
}

static int end_epoch(nncc_run *r)
{
    int status = all_skipped(r);

    if (!status && !r->o->evaluate_steps)
        status = look(r);
    mean_losses(r, r->at.last_loss);
    if (!status)
        nncc_run_report(r, NNCC_EVENT_EPOCH, r->at.last_loss);
    r->at.epoch++;
    r->at.step = 0;
    memset(r->at.sum, 0, sizeof r->at.sum);
    return status ? status : write_after_epoch(r);
}

static bool goes_on(const nncc_run *r)
{
    return r->at.done < r->steps && !r->stopped && !r->out_of_patience;
}

/* Is it what the loss carries on: not trained, but looked at in evaluation? */
static bool is_carried(const nncc_trainer *t, const char *name)
{
    bool seen = false;
    int i;

    for (int k = 0; k < t->nitem; k++) {
        for (i = 0; i < t->item[k].step->nresult; i++)
            if (t->item[k].step->result[i]->in_place >= 0)
                break;
        const nn_function *f = t->item[k].step;
        if (i < f->nresult &&
            strcmp(f->param[f->result[i]->in_place]->name, name) == 0)
            return false;
        seen |= nncc_find_param(t->item[k].evaluate, name, &i) == NN_OK;
    }
    return seen;
}

/* Streams begin with what is carried as it was at first. */
static void begin_streams(const nncc_run *r)
{
    const char *from = r->fresh;

    if (!from || r->at.step > 0)
        return;
    for (int i = 0; i < r->t->nblock; i++) {
        const nncc_block *b = &r->t->block[i];
        bool carried = is_carried(r->t, b->port->name);
        for (int l = 0; l < b->port->nleaf; l++) {
            size_t bytes = nncc_tensor_bytes(&b->leaf[l]);
            if (carried)
                memcpy(b->leaf[l].data, from, bytes);
            from += bytes;
        }
    }
}

static int run_epoch(nncc_run *r)
{
    order_rows(r);
    begin_streams(r);
    while (r->at.step < r->steps_per_epoch && goes_on(r)) {
        int status =
            r->sums[0].on && !r->in_turn ? nncc_group(r) : run_round(r);
        if (!status)
            status = look_after_step(r);
        if (!status)
            status = write_after_step(r);
        if (status)
            return status;
    }
    return r->at.step < r->steps_per_epoch ? write_last(r) : end_epoch(r);
}

static void tell_result(const nncc_run *r, const double *loss,
                        nncc_train_result *to)
{
    int64_t epochs = r->at.epoch - (r->at.step == 0);

    *to = (nncc_train_result){.epochs = epochs,
                              .steps = r->at.done,
                              .best_epoch = r->o->patience && r->at.best_epoch
                                                ? r->at.best_epoch
                                                : epochs,
                              .stopped = r->stopped,
                              .out_of_patience = r->out_of_patience,
                              .has_test = r->test != NULL,
                              .nmetric = r->test ? r->means.nmetric : 0,
                              .train_loss = loss[0],
                              .test_loss = r->means.loss,
                              .seconds = now() - r->began,
                              .skipped = r->skipped};
    memcpy(to->test_metric, r->means.metric, sizeof to->test_metric);
    memcpy(to->item_loss, loss, sizeof to->item_loss);
}

/* What was trained is with patience the best state, or else the mean. */
static void take_best(nncc_run *r)
{
    if (!r->best_state && r->mean) {
        nncc_mean_swap(r->t, r->mean);
        r->evaluated = false;
    }
    if (!r->best_state)
        return;
    nncc_trainer_restore(r->t, r->best_state);
    r->means.loss = r->at.best_loss;
    r->means.nmetric = nncc_metric_count(r->m);
    memcpy(r->means.metric, r->at.best_metric, sizeof r->means.metric);
    r->evaluated = r->t->nmatrix == 0; /* those are not kept */
}

/* The items' losses on all rows where no step was made. */
static int evaluate_untrained(const nncc_run *r, double *loss)
{
    double metric[NNCC_MAX_METRICS];
    int status = nncc_evaluate(r->m, r->train, 0, r->o->exec, &loss[0], metric);
    int at = nncc_item_metrics(&r->t->item[0]);

    for (int k = 1; k < r->t->nitem && !status; k++) {
        loss[k] = metric[at];
        at += 1 + nncc_item_metrics(&r->t->item[k]);
    }
    return status;
}

static int run_epochs(nncc_run *r, nncc_train_result *result)
{
    int status = NN_OK;

    r->began = now();
    be_patient(r);
    while (goes_on(r) && !status)
        status = run_epoch(r);
    if (status)
        return status;
    double loss[NNCC_MAX_ITEMS];
    mean_losses(r, loss);
    take_best(r);
    status = evaluate_test(r);
    if (!status && r->at.done == 0)
        status = evaluate_untrained(r, loss);
    if (!status && result)
        tell_result(r, loss, result);
    return status;
}

int nncc_train(nncc_model *m, const nncc_train_options *o,
               const nncc_data *train, const nncc_data *test,
               nncc_train_result *result)
{
    static const nncc_train_options defaults = NNCC_TRAIN_DEFAULTS;
    nncc_run r = {.m = m, .o = o ? o : &defaults, .train = train};

    if (!m || !train)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_train: null argument");
    r.test = test && test->n > 0 ? test : NULL;
    int status = nncc_ranks_open(&r);
    if (status)
        return status;
    status = nncc_check_options(r.o, train, r.test);
    if (!status)
        status = nncc_run_prepare(&r);
    status = nncc_ranks_begin(&r, status);
    m->running = r.step;
    if (!status)
        status = run_epochs(&r, result);
    status = nncc_ranks_end(&r, status);
    m->running = NULL;
    nncc_run_free(&r);
    return status;
}
