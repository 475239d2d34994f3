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
    int64_t left = r->sums[0].full - *r->sums[0].count;
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

/* A gradient of item k, on batch j of the round at hand, alone in the state; it
 * is the item's step that is `ahead` further on. */
static int make_gradient(nncc_run *r, int k, int64_t j, int64_t call,
                         int64_t ahead, nncc_head *mine)
{
    nncc_sums *s = &r->sums[k];
    int32_t accumulate = *s->accumulate, count = *s->count;
    int64_t step = s->step ? *s->step : 0;

    *s->accumulate = INT32_MAX;
    *s->count = 0;
    if (s->step)
        *s->step += ahead;
    nncc_carry_hold(&s->carry);
    int status = nncc_run_call(r, k, j, call, &mine->rows, &mine->loss);
    nncc_carry_back(&s->carry);
    *s->accumulate = accumulate;
    *s->count = count;
    if (s->step)
        *s->step = step;
    mine->made = status == NN_OK && mine->rows > 0;
    status = nncc_run_check(r, k, status, mine->loss);
    if (!mine->made)
        snprintf(mine->text, sizeof mine->text, "%s", nncc_last_error());
    return status;
}

/* The same of the round that is so far on, which is a step. */
static int make_ahead(nncc_run *r, int64_t ahead, nncc_head *mine)
{
    nncc_position was = r->at;

    r->at.done += ahead;
    r->at.step += ahead;
    nncc_schedules_follow(&r->schedules, r->t, &r->at, r->steps, r->step);
    int status = make_gradient(r, 0, 0, 0, ahead, mine);
    r->at = was;
    return status;
}

static int update(nncc_run *r, int k)
{
    nncc_sums *s = &r->sums[k];
    int status = nncc_sums_put(s);

    if (!status)
        status = nncc_invoke(r->m, r->t->item[k].update, s->update, NULL,
                             r->o->exec);
    if (status == NN_ERR_NUMBER && r->o->on_nan == NNCC_NAN_SKIP) {
        nncc_sums_take(s); /* what cannot be used is given up */
        s->ahead = false;
        *s->count = 0;
        r->skipped++;
        return NN_OK;
    }
    return status == NN_ERR_NUMBER ? nncc_run_check(r, k, status, 0) : status;
}

/* One of the steps is done: what it was is known of it. */
static void count_step(nncc_run *r, int k, const nncc_head *of)
{
    nncc_sums *s = &r->sums[k];
    double loss[NNCC_MAX_ITEMS] = {0};

    loss[k] = of->loss;
    if (of->rows > 0 && s->step)
        ++*s->step; /* also where none was made: others' numbers are known */
    if (of->made) {
        nncc_run_count(r, k, of->rows, of->loss);
        ++*s->count;
    } else if (of->rows > 0) {
        r->skipped++;
        nncc_fail(NN_OK, "%s", of->text);
        nncc_run_report(r, NNCC_EVENT_SKIPPED, loss);
    }
}

static int end_step(nncc_run *r, const nncc_head *of, bool last)
{
    nncc_sums *s = &r->sums[0];
    double loss[NNCC_MAX_ITEMS] = {of->loss};

    count_step(r, 0, of);
    int status = last && *s->count >= s->full ? update(r, 0) : (int)NN_OK;
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
    if (!status && (!r->sums[0].underway || is_pause(r)))
        status = nncc_sums_put(&r->sums[0]);
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

/* When its gradient is made a rank waits for the sum before, and for the
 * others, with the status of which it goes on. */
static int agree(nncc_run *r, nncc_sums *s, nncc_head *mine, int status)
{
    int waited = nncc_sums_wait(s);

    if (!waited)
        status = meet(r, mine, status);
    if (!status && !waited)
        return NN_OK;
    r->parted |= waited != 0;
    nncc_sums_put(s);
    return status ? status : waited;
}

int nncc_group(nncc_run *r)
{
    nncc_head mine = {0};
    int64_t n = group_size(r), rank = nncc_rank(r);
    int status = NN_OK;

    if (r->head && r->at.step == 0)
        mine.mark[NNCC_MARK_STATE] = nncc_ranks_mark(r->t);
    nncc_sums_take(&r->sums[0]);
    if (rank < n)
        status = make_ahead(r, rank, &mine);
    status = agree(r, &r->sums[0], &mine, status);
    if (status)
        return status;
    const nncc_head *head = r->head ? r->head : &mine;
    follow_to(r, n);
    status = nncc_carry_on(r, 0, head, n);
    if (status)
        return status;
    nncc_sums_add(&r->sums[0], head, n);
    return end_steps(r, head, n);
}

/* A gradient of each rank. */
static int group_part(nncc_run *r, int k, int64_t j, int64_t call, double *loss)
{
    nncc_sums *s = &r->sums[k];
    nncc_head mine = {0};
    int64_t n = nncc_ranks_n(r), rank = nncc_rank(r);

    if (r->head && r->at.step == 0 && call == 0)
        mine.mark[NNCC_MARK_STATE] = nncc_ranks_mark(r->t);
    nncc_sums_take(s);
    int status = make_gradient(r, k, j + rank, call + rank, rank, &mine);
    status = agree(r, s, &mine, status);
    if (status)
        return status;
    const nncc_head *head = r->head ? r->head : &mine;
    status = nncc_carry_on(r, k, head, n);
    if (status)
        return status;
    nncc_sums_add(s, head, n);
    for (int64_t i = 0; i < n; i++) {
        count_step(r, k, &head[i]);
        *loss = head[i].made ? head[i].loss : *loss;
    }
    return NN_OK;
}

int nncc_group_item(nncc_run *r, int k, int64_t j, int64_t call, double *loss)
{
    nncc_sums *s = &r->sums[k];
    int64_t n = nncc_ranks_n(r);
    int status = NN_OK;

    for (int64_t i = 0; i < s->full && !status; i += n)
        status = group_part(r, k, j + i, call + i, loss);
    if (status)
        return status;
    return *s->count > 0 ? update(r, k) : nncc_sums_put(s);
}
