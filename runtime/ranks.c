/* ranks.c: several processes that train together: what they tell each other
 * besides gradients. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int nncc_rank(const nncc_run *r) { return r->head ? r->o->ranks->rank : 0; }

int64_t nncc_ranks_n(const nncc_run *r)
{
    return r->head ? r->o->ranks->count : 1;
}

static int no_answer(nncc_run *r)
{
    r->parted = true;
    return nncc_fail(NN_ERR_RANK, "the other processes no longer answer");
}

static int tell_mark(const nncc_run *r, int rank, int mark)
{
    static const char *const what[NNCC_MARKS] = {
        [NNCC_MARK_MODEL] = "has another model than rank 0",
        [NNCC_MARK_DATA] = "has other data than rank 0",
        [NNCC_MARK_COURSE] = "has other options than rank 0",
        [NNCC_MARK_STATE] =
            ("comes to other numbers than rank 0, as another kind of CPU does "
             "(NNCC_CPU names one that all have)"),
    };

    return nncc_fail(NN_ERR_RANK, "%s: rank %d %s", nncc_path(r->m), rank,
                     what[mark]);
}

/* The first that has failed, or does not go with the others. */
static int find_fault(nncc_run *r)
{
    for (int i = 0; i < nncc_ranks_n(r); i++)
        if (r->head[i].status)
            return nncc_fail(r->head[i].status, "rank %d: %s", i,
                             r->head[i].text);
    for (int i = 1; i < nncc_ranks_n(r); i++)
        for (int k = 0; k < NNCC_MARKS; k++)
            if (r->head[i].mark[k] != r->head[0].mark[k])
                return tell_mark(r, i, k);
    return NN_OK;
}

int nncc_ranks_meet(nncc_run *r, const nncc_head *mine)
{
    const nncc_ranks *of = r->o->ranks;
    nncc_head own = *mine;

    if (own.status)
        snprintf(own.text, sizeof own.text, "%s", nncc_last_error());
    if (of->gather(of->context, &own, sizeof own, r->head) != 0)
        return no_answer(r);
    int status = find_fault(r);
    r->parted |= status != NN_OK;
    return status;
}

int nncc_ranks_gather(nncc_run *r, int status, const void *from, size_t bytes,
                      void *to)
{
    const nncc_head mine = {.status = status};
    const nncc_ranks *of = r->o->ranks;

    status = nncc_ranks_meet(r, &mine);
    if (status)
        return status;
    return of->gather(of->context, from, bytes, to) ? no_answer(r) : (int)NN_OK;
}

/* Marks */

static uint64_t add_word(uint64_t mark, uint64_t word)
{
    mark = (mark ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return mark ^ mark >> 32;
}

static uint64_t add_bytes(uint64_t mark, const void *at, size_t n)
{
    const char *from = at;

    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, from + i, n - i < sizeof word ? n - i : sizeof word);
        mark = add_word(mark, word);
    }
    return mark;
}

uint64_t nncc_ranks_mark(const nncc_trainer *t)
{
    uint64_t mark = 1;

    for (int i = 0; i < t->nblock; i++)
        for (int l = 0; l < t->block[i].port->nleaf; l++) {
            const nncc_tensor *leaf = &t->block[i].leaf[l];
            mark = add_bytes(mark, leaf->data, nncc_tensor_bytes(leaf));
        }
    return mark;
}

/* What decides how many steps there are, and what happens between them. */
static uint64_t mark_course(const nncc_run *r)
{
    const nncc_train_options *o = r->o;
    int64_t steps = o->checkpoints ? o->checkpoints->steps : 0;
    uint64_t mark = r->t->seed;

    mark = add_bytes(mark, &r->size, sizeof r->size);
    mark = add_bytes(mark, &r->steps, sizeof r->steps);
    mark = add_bytes(mark, &o->evaluate_steps, sizeof o->evaluate_steps);
    mark = add_bytes(mark, &o->patience, sizeof o->patience);
    mark = add_bytes(mark, &o->average, sizeof o->average);
    mark = add_bytes(mark, &o->on_nan, sizeof o->on_nan);
    mark = add_bytes(mark, &o->keep_order, sizeof o->keep_order);
    for (int k = 0; k < r->t->nitem; k++)
        mark = add_bytes(mark, &r->sums[k].full, sizeof r->sums[k].full);
    mark = add_bytes(mark, &steps, sizeof steps);
    for (int i = 0; i < r->t->nsetting; i++)
        mark = add_bytes(mark, &r->t->setting[i].value,
                         sizeof r->t->setting[i].value);
    return add_word(mark, (uint64_t)r->schedules.n);
}

/* Sharing: the first one's state, and where it is, becomes that of all. */

static int share(nncc_run *r, void *at, size_t bytes)
{
    const nncc_ranks *of = r->o->ranks;

    return of->broadcast(of->context, at, bytes) == 0 ? (int)NN_OK
                                                      : no_answer(r);
}

/* A copy of the state that the first may have. */
static int share_copy(nncc_run *r, void **copy, size_t bytes, bool there)
{
    if (!there)
        return NN_OK;
    if (!*copy && !(*copy = nncc_alloc(bytes, 1, "a copy of the parameters")))
        return NN_ERR_MEMORY;
    return share(r, *copy, bytes);
}

static int share_all(nncc_run *r)
{
    bool best = r->best_state != NULL;

    int status = share(r, &r->at, sizeof r->at);
    if (!status)
        status = share(r, &best, sizeof best);
    for (int i = 0; i < r->t->nblock; i++)
        for (int l = 0; l < r->t->block[i].port->nleaf && !status; l++) {
            const nncc_tensor *leaf = &r->t->block[i].leaf[l];
            status = share(r, leaf->data, nncc_tensor_bytes(leaf));
        }
    if (!status)
        status = share_copy(r, &r->best_state, nncc_trainer_bytes(r->t), best);
    if (!status)
        status =
            share_copy(r, &r->mean, nncc_mean_bytes(r->t), r->mean != NULL);
    r->parted |= status != NN_OK;
    return status;
}

/* Before and after */

static bool makes_sense(const nncc_ranks *of)
{
    return of->count > 0 && of->rank >= 0 && of->rank < of->count &&
           of->gather && of->exchange && of->broadcast;
}

int nncc_ranks_open(nncc_run *r)
{
    const nncc_ranks *of = r->o->ranks;

    if (!of || of->count == 1)
        return NN_OK;
    if (!makes_sense(of))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "rank %d of %d, or a function of "
                         "theirs is missing",
                         of->rank, of->count);
    r->head = nncc_alloc((size_t)of->count, sizeof *r->head, "ranks");
    return r->head ? NN_OK : (int)NN_ERR_MEMORY;
}

int nncc_ranks_begin(nncc_run *r, int status)
{
    nncc_head mine = {.status = status};

    if (!r->head)
        return status;
    uint64_t test = 0;
    if (!status && r->test)
        status = nncc_data_hash(r->test, &test);
    mine.status = status;
    if (!status) {
        mine.mark[NNCC_MARK_MODEL] = r->m->d->source_hash;
        mine.mark[NNCC_MARK_DATA] = add_word(r->t->data_hash, test);
        mine.mark[NNCC_MARK_COURSE] = mark_course(r);
    }
    status = nncc_ranks_meet(r, &mine);
    return status ? status : share_all(r);
}

int nncc_ranks_end(nncc_run *r, int status)
{
    nncc_head mine = {.status = status};

    if (!r->head || r->parted)
        return status;
    int waited = NN_OK;
    for (int k = 0; k < NNCC_MAX_ITEMS && !waited; k++)
        waited = nncc_sums_wait(&r->sums[k]);
    if (waited)
        return status ? status : waited;
    if (!status)
        mine.mark[NNCC_MARK_STATE] = nncc_ranks_mark(r->t);
    return nncc_ranks_meet(r, &mine);
}
