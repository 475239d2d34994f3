/* prepare.c: what a training has before its first step: bindings, memory, first
 * values or a checkpoint's. */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_BATCH = 32 };

static int find_best(nncc_run *r)
{
    const char *best = r->o->best;
    nncc_text names = {0};

    r->best = -1;
    for (int i = 0; best && i < nncc_metric_count(r->m); i++) {
        if (strcmp(nncc_metric_name(r->m, i), best) == 0)
            r->best = i;
        nncc_text_printf(&names, "%s%s", i ? ", " : "",
                         nncc_metric_name(r->m, i));
    }
    int status = !best || r->best >= 0
                     ? (int)NN_OK
                     : nncc_fail(NN_ERR_NAME,
                                 "there is no metric '%s' to be the best by; "
                                 "there is %s",
                                 best, names.at ? names.at : "none");
    free(names.at);
    return status;
}

/* All items take the same batches. */
static int bind_items(nncc_run *r)
{
    int status = NN_OK;

    r->width = r->calls = 0;
    for (int k = 0; k < r->t->nitem && !status; k++) {
        nncc_binding *b = &r->step[k];
        int64_t steps = r->t->item[k].steps;
        status = nncc_bind(r->t, r->t->item[k].step, r->train, r->o->batch,
                           r->size ? r->size : DEFAULT_BATCH, b);
        if (status)
            return status;
        if (r->size && b->batch != r->size)
            return nncc_fail(NN_ERR_SHAPE,
                             "%s takes batches of %lld rows, %s of %lld",
                             r->t->item[k].name, (long long)b->batch,
                             r->t->item[0].name, (long long)r->size);
        r->size = b->batch;
        r->width = steps > r->width ? steps : r->width;
        r->calls += steps;
        status = nncc_bind_check(b, r->train);
    }
    return status;
}

static int bind_run(nncc_run *r)
{
    int status = bind_items(r);

    if (!status)
        status =
            nncc_schedules_bind(r->t, r->step, r->o, r->test, &r->schedules);
    if (!status)
        status = find_best(r);
    if (status)
        return status;
    r->t->batch = r->size;
    if (r->test)
        status = nncc_bind_evaluate(r->t, r->test, 0, r->eval);
    return status;
}

static int bind_states(nncc_run *r)
{
    int status = nncc_trainer_allocate(r->t, r->step);

    for (int k = 0; k < r->t->nitem && !status; k++)
        status = nncc_bind_state(&r->step[k], r->t);
    for (int k = 0; k < r->t->nitem && r->test && !status; k++)
        status = nncc_bind_state(&r->eval[k], r->t);
    return status;
}

static int allocate_rows(nncc_run *r)
{
    int64_t n = r->train->n, round;

    if (r->size > INT64_MAX / r->width)
        return nncc_fail(NN_ERR_ARGUMENT, "batches of %lld rows are too large",
                         (long long)r->size);
    round = r->size * r->width;
    r->used = n;
    if (r->o->keep_order == NNCC_ORDER_STREAMS && !(r->used -= n % r->size))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: %lld rows are too few for %lld streams",
                         r->train->path, (long long)n, (long long)r->size);
    r->steps_per_epoch = r->used / round + (r->used % round != 0);
    if (r->steps_per_epoch && r->o->epochs > INT64_MAX / r->steps_per_epoch)
        return nncc_fail(NN_ERR_ARGUMENT, "%lld epochs are too many",
                         (long long)r->o->epochs);
    r->steps = r->o->steps ? r->o->steps : r->o->epochs * r->steps_per_epoch;
    r->epochs =
        r->steps / r->steps_per_epoch + (r->steps % r->steps_per_epoch != 0);
    for (int k = 0; k < r->t->nitem; k++)
        nncc_schedules_total(r->t, k,
                             (double)r->steps * (double)r->t->item[k].steps *
                                 (r->in_turn ? (double)r->sums[k].full : 1),
                             &r->step[k]);
    r->batch = nncc_alloc((size_t)r->size, sizeof *r->batch, "a batch");
    if (!r->batch)
        return NN_ERR_MEMORY;
    return r->o->keep_order ? NN_OK : nncc_view_begin(r->train, &r->order);
}

/* Where training goes on from a checkpoint, if there is one. */
static int resume(nncc_run *r)
{
    const nncc_checkpoints *c = r->o->checkpoints;
    nncc_text path = {0};

    if (!c || !c->resume || nncc_rank(r) > 0)
        return NN_OK;
    nncc_text_printf(&path, "%s/last.safetensors", c->folder);
    int status = path.failed ? (int)NN_ERR_MEMORY : NN_OK;
    if (!status && access(path.at, F_OK) == 0)
        status = nncc_checkpoint_read(r->t, path.at, &r->at, &r->best_state,
                                      &r->mean);
    free(path.at);
    if (!status && r->at.step > r->steps_per_epoch)
        return nncc_fail(
            NN_ERR_ARGUMENT, "%s: is at step %lld of an epoch, which has %lld",
            c->folder, (long long)r->at.step, (long long)r->steps_per_epoch);
    if (!r->o->patience) {
        free(r->best_state);
        r->best_state = NULL;
    } else if (!r->best_state) {
        r->at.best_epoch = r->at.best_look = 0;
    }
    if (!r->o->average) {
        free(r->mean);
        r->mean = NULL;
    }
    return status;
}

/* Fresh values, those that there are already, or a checkpoint's. */
static int first_values(nncc_run *r)
{
    int status = r->o->keep
                     ? nncc_trainer_keep(r->m, r->t)
                     : nncc_trainer_init(r->m, r->t, r->step, r->o->exec);

    if (!status && r->o->keep_order == NNCC_ORDER_STREAMS)
        status = nncc_trainer_save(r->t, &r->fresh);
    if (!status)
        status = resume(r);
    if (!status && r->o->average && !r->mean &&
        !(r->mean = nncc_mean_new(r->t)))
        status = NN_ERR_MEMORY;
    return status;
}

int nncc_run_prepare(nncc_run *r)
{
    int status = nncc_trainer_new(r->m, r->o, &r->t);

    if (status)
        return status;
    r->at.epoch = 1;
    r->t->unlabelled = r->train->nlabel == 0 && r->only_prepare;
    status = nncc_data_subset(r->train, NULL, 0, &r->t->fit);
    if (!status)
        status = bind_run(r);
    if (!status)
        status = bind_states(r);
    if (!status && !r->only_prepare)
        status = nncc_sums_begin(r);
    if (!status)
        status = allocate_rows(r);
    if (!status)
        status = nncc_data_hash(r->train, &r->t->data_hash);
    if (!status)
        status = first_values(r);
    if (status) {
        nncc_trainer_free(r->t);
    } else {
        nncc_trainer_free(r->m->trainer);
        r->m->trainer = r->t;
    }
    return status;
}

void nncc_run_free(nncc_run *r)
{
    free(r->head);
    free(r->order.row);
    free(r->batch);
    free(r->best_state);
    free(r->mean);
    free(r->fresh);
    for (int k = 0; k < NNCC_MAX_ITEMS; k++) {
        nncc_sums_free(&r->sums[k]);
        nncc_bind_free(&r->step[k]);
        nncc_bind_free(&r->eval[k]);
    }
}

int nncc_prepare(nncc_model *m, const nncc_train_options *o, const nncc_data *d)
{
    static const nncc_train_options defaults = NNCC_TRAIN_DEFAULTS;
    nncc_train_options own = o ? *o : defaults;
    nncc_run r = {.m = m, .o = &own, .train = d, .only_prepare = true};

    if (!m || !d)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_prepare: null argument");
    own.checkpoints = NULL;
    own.schedule = NULL;
    own.nschedule = 0;
    own.patience = own.evaluate_steps = 0;
    own.best = NULL;
    own.average = 0;
    int status = nncc_check_options(r.o, d, NULL);
    if (!status)
        status = nncc_run_prepare(&r);
    nncc_run_free(&r);
    return status;
}
