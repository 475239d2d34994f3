/* carry.c: what a loss carries on from batch to batch, where gradients of
 * several batches are made at once: each step leaves in the train state what it
 * has to say to it, and `carry` makes the next of that and of what there was,
 * batch by batch in their order. A process alone does the same, for the same
 * bits. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

enum { TAKE, PUT };

/* All leaves to or from `at`, one after another. */
static void move_leaves(const nncc_tensor *leaf, int n, char *at, int way)
{
    for (int l = 0; l < n; l++) {
        size_t bytes = nncc_tensor_bytes(&leaf[l]);
        if (way == TAKE)
            memcpy(at, leaf[l].data, bytes);
        else
            memcpy(leaf[l].data, at, bytes);
        at += bytes;
    }
}

static void find_parts(nncc_carry *c, const nncc_block *state)
{
    for (int l = 0; l < state->port->nleaf; l++)
        if (nncc_is_part(state->port->leaf[l]->path, "part"))
            c->part = c->npart++ ? c->part : &state->leaf[l];
}

int nncc_carry_begin(nncc_run *r, int k)
{
    nncc_carry *c = &r->sums[k].carry;
    const nn_function *f = r->t->item[k].carry;
    int64_t n = nncc_ranks_n(r);

    if (!f)
        return NN_OK;
    int of = nncc_trainer_block(r->t, f->param[0]->name);
    int state = nncc_trainer_block(r->t, f->param[1]->name);
    if (of >= 0 && state >= 0)
        find_parts(c, &r->t->block[state]);
    if (!c->npart || f->ndim || c->npart != f->param[0]->nleaf)
        return nncc_fail(NN_ERR_MODULE, "%s: '%s' carries nothing on",
                         nncc_path(r->m), f->name);
    c->f = f;
    c->leaf = r->t->block[of].leaf;
    for (int l = 0; l < c->npart; l++)
        c->bytes += nncc_tensor_bytes(&c->leaf[l]);
    c->before = nncc_alloc(c->bytes, 1, "what is carried on");
    c->mine = nncc_alloc(c->bytes, 1, "what is carried on");
    c->all = nncc_alloc(c->bytes, (size_t)n, "what is carried on");
    if (!c->before || !c->mine || !c->all)
        return NN_ERR_MEMORY;
    return nncc_sums_point(f, &r->step[k], &c->argument);
}

void nncc_carry_free(nncc_carry *c)
{
    free(c->argument);
    free(c->before);
    free(c->mine);
    free(c->all);
}

void nncc_carry_hold(nncc_carry *c)
{
    if (c->f)
        move_leaves(c->leaf, c->npart, c->before, TAKE);
}

void nncc_carry_back(nncc_carry *c)
{
    if (c->f)
        move_leaves(c->leaf, c->npart, c->before, PUT);
}

int nncc_carry_on(nncc_run *r, int k, const nncc_head *head, int64_t n)
{
    nncc_carry *c = &r->sums[k].carry;
    const nncc_ranks *of = r->sums[k].ranks;
    int status = NN_OK;

    if (!c->f)
        return NN_OK;
    move_leaves(c->part, c->npart, of ? c->mine : c->all, TAKE);
    if (of && of->gather(of->context, c->mine, c->bytes, c->all) != 0) {
        r->parted = true;
        return nncc_fail(NN_ERR_RANK, "the other processes no longer answer");
    }
    /* What a rank without a gradient has is what all had before. */
    for (int64_t i = 0; i < n && !status; i++) {
        if (!head[i].made)
            continue;
        move_leaves(c->part, c->npart, c->all + (size_t)i * c->bytes, PUT);
        status = nncc_invoke(r->m, c->f, c->argument, NULL, r->o->exec);
    }
    return status;
}
