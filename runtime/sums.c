/* sums.c: gradients that are added up before they update, of one process or of
 * several, in the order of their batches: so the bits are the same.
 *
 * The step, which could do this for itself, is told to accumulate for ever;
 * what it leaves in the train state is one gradient, and `update` is called
 * when there are enough. Of several processes each adds up a slice of all
 * gradients, and then they exchange the sums: about two gradients are sent and
 * received by each, however many there are. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

static const int dtypes[2] = {NN_F32, NN_F64};

bool nncc_is_part(const char *path, const char *of)
{
    size_t n = strlen(of);

    return strncmp(path, of, n) == 0 && (path[n] == '.' || path[n] == '\0');
}

/* Its parts, by the names that every train state has. */
static void find_state(nncc_sums *s, const nncc_block *b)
{
    for (int l = 0; l < b->port->nleaf; l++) {
        const char *path = b->port->leaf[l]->path;
        if (strcmp(path, "count") == 0)
            s->count = b->leaf[l].data;
        if (strcmp(path, "step") == 0)
            s->step = b->leaf[l].data;
        if (!nncc_is_part(path, "gradient"))
            continue;
        s->leaf = s->nleaf++ ? s->leaf : &b->leaf[l];
    }
}

int nncc_sums_point(const nn_function *f, const nncc_binding *step,
                    void ***argument)
{
    int n = nncc_param_leaves(f) + nncc_result_leaves(f), to = 0;
    void **leaf = nncc_alloc((size_t)n, sizeof(void *), "arguments");

    *argument = leaf;
    if (!leaf)
        return NN_ERR_MEMORY;
    for (int i = 0; i < f->nparam; i++) {
        int k;
        int status = nncc_find_param(step->f, f->param[i]->name, &k);
        if (status)
            return status;
        int from = nncc_param_leaf(step->f, k);
        for (int l = 0; l < f->param[i]->nleaf; l++)
            leaf[to++] = step->leaf[from + l];
    }
    return NN_OK;
}

static int allocate(nncc_sums *s, int64_t ranks)
{
    for (int k = 0; k < 2; k++) {
        nncc_stretch *p = &s->part[k];
        size_t bytes = nncc_dtype_bytes(dtypes[k]), n = (size_t)ranks;
        p->dtype = dtypes[k];
        for (int l = 0; l < s->nleaf; l++)
            if (s->leaf[l].dtype == p->dtype)
                p->n += nncc_tensor_bytes(&s->leaf[l]) / bytes;
        p->slice = p->n / n + (p->n % n != 0);
        p->n = p->slice * n;
        if (!p->n)
            continue;
        p->mine = nncc_alloc_aligned(p->n * bytes, "a gradient");
        p->all = nncc_alloc_aligned(p->n * bytes, "gradients");
        p->sum = nncc_alloc_aligned(p->n * bytes, "the sum of gradients");
        if (!p->mine || !p->all || !p->sum)
            return NN_ERR_MEMORY;
    }
    return NN_OK;
}

/* Why several processes cannot make the item's training, or NULL. */
static const char *cannot(const nncc_item *item)
{
    int in_place = 0;

    for (int k = 0; k < item->step->nresult; k++)
        in_place += item->step->result[k]->in_place >= 0;
    if (in_place > 2 && !item->carry)
        return "its loss looks at what it carries on ('state'), so that each "
               "batch needs what the one before has left";
    if (!item->update)
        return "it is compiled without 'accumulate', or its optimizer looks at "
               "the loss itself";
    return NULL;
}

static int find_parts(nncc_run *r, int k)
{
    nncc_sums *s = &r->sums[k];
    const nn_function *update = r->t->item[k].update;
    const nncc_binding *step = &r->step[k];
    int block = nncc_trainer_block(r->t, update->param[1]->name), param;

    if (block >= 0)
        find_state(s, &r->t->block[block]);
    int status = nncc_find_param(step->f, "accumulate", &param);
    if (!status && block >= 0 && s->nleaf && s->count && !update->ndim) {
        s->accumulate = step->leaf[nncc_param_leaf(step->f, param)];
        return nncc_sums_point(update, step, &s->update);
    }
    return nncc_fail(NN_ERR_MODULE, "%s: '%s' adds up no gradients",
                     nncc_path(r->m), step->f->name);
}

static int begin_item(nncc_run *r, int k)
{
    nncc_sums *s = &r->sums[k];
    const char *why = cannot(&r->t->item[k]);
    int64_t n = nncc_ranks_n(r);

    s->full = 1;
    if (r->head && why)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: cannot be trained by several processes: %s",
                         nncc_path(r->m), why);
    if (!r->t->item[k].update)
        return NN_OK;
    int status = find_parts(r, k);
    if (status)
        return status;
    if (*s->accumulate < 1)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "an update of %d gradients ('accumulate'); expected "
                         "at least 1",
                         (int)*s->accumulate);
    s->full = *s->accumulate * n;
    s->on = s->full > 1;
    s->ranks = r->head ? r->o->ranks : NULL;
    status = s->on ? nncc_carry_begin(r, k) : (int)NN_OK;
    return s->on && !status ? allocate(s, n) : status;
}

/* In rounds each update takes the batches that it is made of. */
int nncc_sums_begin(nncc_run *r)
{
    int status = NN_OK;

    r->in_turn = r->t->nitem > 1 || r->t->item[0].steps > 1;
    for (int k = 0; k < r->t->nitem && !status; k++)
        status = begin_item(r, k);
    if (status || !r->in_turn)
        return status;
    r->width = r->calls = 0;
    for (int k = 0; k < r->t->nitem; k++) {
        int64_t steps = r->t->item[k].steps;
        if (r->sums[k].full > INT64_MAX / NNCC_MAX_ITEMS / steps)
            return nncc_fail(NN_ERR_ARGUMENT,
                             "rounds of %lld updates by %lld gradients each",
                             (long long)steps, (long long)r->sums[k].full);
        steps *= r->sums[k].full;
        r->width = steps > r->width ? steps : r->width;
        r->calls += steps;
    }
    return NN_OK;
}

void nncc_sums_free(nncc_sums *s)
{
    nncc_sums_wait(s);
    nncc_carry_free(&s->carry);
    free(s->update);
    for (int k = 0; k < 2; k++) {
        free(s->part[k].mine);
        free(s->part[k].all);
        free(s->part[k].sum);
    }
    *s = (nncc_sums){0};
}

/* Gradients to and from the stretches */

typedef enum Way { TO_MINE, TO_SUM, FROM_SUM } Way;

static void copy_leaves(const nncc_sums *s, Way way)
{
    for (int k = 0; k < 2; k++) {
        const nncc_stretch *p = &s->part[k];
        size_t at = 0;
        for (int l = 0; l < s->nleaf; l++) {
            const nncc_tensor *leaf = &s->leaf[l];
            size_t bytes = nncc_tensor_bytes(leaf);
            if (leaf->dtype != p->dtype)
                continue;
            if (way == FROM_SUM)
                memcpy(leaf->data, p->sum + at, bytes);
            else
                memcpy((way == TO_SUM ? p->sum : p->mine) + at, leaf->data,
                       bytes);
            at += bytes;
        }
    }
}

void nncc_sums_take(nncc_sums *s)
{
    if (!s->ahead)
        copy_leaves(s, TO_SUM);
    s->ahead = true;
    for (int l = 0; l < s->nleaf; l++)
        memset(s->leaf[l].data, 0, nncc_tensor_bytes(&s->leaf[l]));
}

int nncc_sums_put(nncc_sums *s)
{
    int status = nncc_sums_wait(s);

    if (!status && s->ahead)
        copy_leaves(s, FROM_SUM);
    s->ahead = false;
    return status;
}

/* Adding */

static void add_f32(float *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void add_f64(double *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void add(int dtype, void *to, const void *from, size_t n)
{
    if (dtype == NN_F32)
        add_f32(to, from, n);
    else
        add_f64(to, from, n);
}

/* Slice number `rank` of the sum is this rank's to make. */
static int add_slices(const nncc_sums *s, const nncc_stretch *p)
{
    const nncc_ranks *of = s->ranks;
    size_t bytes = p->slice * nncc_dtype_bytes(p->dtype);
    char *own = p->sum + (size_t)of->rank * bytes;

    if (of->exchange(of->context, p->mine, bytes, p->all) != 0)
        return NN_ERR_RANK;
    for (int64_t i = 0; i < s->heads; i++)
        if (s->head[i].made)
            add(p->dtype, own, p->all + (size_t)i * bytes, p->slice);
    memcpy(p->mine, own, bytes);
    return of->gather(of->context, p->mine, bytes, p->sum) ? NN_ERR_RANK
                                                           : NN_OK;
}

static void *add_all(void *sums)
{
    nncc_sums *s = sums;

    s->status = NN_OK;
    for (int k = 0; k < 2 && !s->status; k++)
        if (s->part[k].n && s->ranks)
            s->status = add_slices(s, &s->part[k]);
        else if (s->part[k].n && s->head[0].made)
            add(s->part[k].dtype, s->part[k].sum, s->part[k].mine,
                s->part[k].n);
    return NULL;
}

/* Where the next step is another gradient, this goes on beside it. */
void nncc_sums_add(nncc_sums *s, const nncc_head *head, int64_t n)
{
    copy_leaves(s, TO_MINE);
    s->head = head;
    s->heads = n;
    s->underway = s->ranks && s->ranks->any_thread &&
                  s->full > s->ranks->count &&
                  pthread_create(&s->worker, NULL, add_all, s) == 0;
    if (!s->underway)
        add_all(s);
}

int nncc_sums_wait(nncc_sums *s)
{
    if (s->underway)
        pthread_join(s->worker, NULL);
    s->underway = false;
    return s->status
               ? nncc_fail(NN_ERR_RANK, "the other processes no longer answer")
               : NN_OK;
}
