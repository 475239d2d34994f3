/* group.c: steps that several processes make at once, each with a batch of its
 * own, as one process would make them one after another: so that what comes out
 * is the same to the last bit, a group ends with the step that updates, and
 * before anything is looked at or written. */
#include "run.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* How many steps there are to the next multiple of `every`. */
static int64_t up_to(int64_t done, int64_t every)
{
    return every > 0 ? every - done % every : INT64_MAX;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t group_size(const nncc_run *r)
{
    const nncc_checkpoints *c = r->o->checkpoints;
    int64_t left = r->sums.full - *r->sums.count;
    int64_t n = least(nncc_ranks_n(r), left > 1 ? left : 1);

    n = least(n, least(r->steps - r->at.done, r->steps_per_epoch - r->at.step));
    n = least(n, up_to(r->at.done, r->o->evaluate_steps));
    return least(n, up_to(r->at.done, c ? c->steps : 0));
}

/* Is it the last before something is looked at or written? */
static bool is_pause(const nncc_run *r)
{
    const nncc_checkpoints *c = r->o->checkpoints;

    return r->stopped || r->at.step == r->steps_per_epoch ||
           r->at.done == r->steps ||
           up_to(r->at.done, r->o->evaluate_steps) == r->o->evaluate_steps ||
           (c && up_to(r->at.done, c->steps) == c->steps);
}

/* The gradient of the step that is `ahead` further on, alone in the state. */
static int make_gradient(nncc_run *r, int64_t ahead, nncc_head *mine)
{
    nncc_sums *s = &r->sums;
    nncc_position was = r->at;
    int32_t accumulate = *s->accumulate, count = *s->count;
    int64_t step = s->step ? *s->step : 0;

    r->at.done += ahead;
    r->at.step += ahead;
    nncc_schedules_follow(&r->schedules, r->t, &r->at, r->steps, r->step);
    *s->accumulate = INT32_MAX;
    *s->count = 0;
    if (s->step)
        *s->step += ahead;
    int status = nncc_run_call(r, 0, 0, 0, &mine->rows, &mine->loss);
    *s->accumulate = accumulate;
    *s->count = count;
    if (s->step)
        *s->step = step;
    mine->made = status == NN_OK;
    status = nncc_run_check(r, 0, status, mine->loss);
    if (!mine->made)
        snprintf(mine->text, sizeof mine->text, "%s", nncc_last_error());
    r->at = was;
    return status;
}

static int update(nncc_run *r)
{
    nncc_sums *s = &r->sums;
    int status = nncc_sums_put(s);

    if (!status)
        status = nncc_invoke(r->m, r->t->item[0].update, s->update, NULL,
                             r->o->exec);
    if (status == NN_ERR_NUMBER && r->o->on_nan == NNCC_NAN_SKIP) {
        nncc_sums_take(s); /* what cannot be used is given up */
        s->ahead = false;
        *s->count = 0;
        r->skipped++;
        return NN_OK;
    }
    return status == NN_ERR_NUMBER ? nncc_run_check(r, 0, status, 0) : status;
}

/* One of the steps is done: what it was is known of it. */
static int end_step(nncc_run *r, const nncc_head *of, bool last)
{
    nncc_sums *s = &r->sums;
    double loss[NNCC_MAX_ITEMS] = {of->loss};
    int status = NN_OK;

    if (of->made) {
        nncc_run_count(r, 0, of->rows, of->loss);
        ++*s->count;
        if (s->step)
            ++*s->step;
    } else {
        r->skipped++;
        nncc_fail(NN_OK, "%s", of->text);
        nncc_run_report(r, NNCC_EVENT_SKIPPED, loss);
    }
    if (last && *s->count >= s->full)
        status = update(r);
    if (status)
        return status;
    nncc_run_advance(r);
    nncc_run_report(r, NNCC_EVENT_STEP, loss);
    return NN_OK;
}

static int end_steps(nncc_run *r, const nncc_head *head, int64_t n)
{
    int status = NN_OK;

    for (int64_t i = 0; i < n && !status; i++)
        status = end_step(r, &head[i], i + 1 == n);
    if (!status && (!r->sums.underway || is_pause(r)))
        status = nncc_sums_put(&r->sums);
    return status;
}

static int meet(nncc_run *r, nncc_head *mine, int status)
{
    if (!r->head)
        return status;
    mine->status = status;
    mine->stop = r->wants_stop;
    status = nncc_ranks_meet(r, mine);
    for (int64_t i = 0; i < nncc_ranks_n(r) && !status; i++)
        r->stopped |= r->head[i].stop != 0;
    return status;
}

/* The settings of the last of n steps, which is the one that updates. */
static void follow_to(nncc_run *r, int64_t n)
{
    nncc_position last = r->at;

    last.done += n - 1;
    last.step += n - 1;
    nncc_schedules_follow(&r->schedules, r->t, &last, r->steps, r->step);
}

int nncc_group(nncc_run *r)
{
    nncc_head mine = {0};
    int64_t n = group_size(r), rank = nncc_rank(r);
    int status = NN_OK, waited;

    if (r->head && r->at.step == 0)
        mine.mark[NNCC_MARK_STATE] = nncc_ranks_mark(r->t);
    nncc_sums_take(&r->sums);
    if (rank < n)
        status = make_gradient(r, rank, &mine);
    waited = nncc_sums_wait(&r->sums);
    if (!waited)
        status = meet(r, &mine, status);
    if (status || waited) {
        r->parted |= waited != 0;
        nncc_sums_put(&r->sums);
        return status ? status : waited;
    }
    const nncc_head *head = r->head ? r->head : &mine;
    follow_to(r, n);
    nncc_sums_add(&r->sums, head, n);
    return end_steps(r, head, n);
}
