/* work.c: what kernels take. */
#include "nest/nest.h"

int64_t piece_work = WORK_PIECE;

/* One iteration of all of a stage's loops. */
static int64_t stage_weight(const Kernel *k, const Stage *st)
{
    int64_t weight = st->noutput;
    for (int i = st->first; i < st->first + st->ninstr; i++)
        weight += instr_weight(&k->instr[i]);
    return weight;
}

static KernelWork map_work(Arena *a, const Kernel *k)
{
    KernelWork w = {
        k->nstage, NEWN(a, WorkTerm, k->nstage + 1), {k->rank, k->extent}, 1};
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        w.term[t] = (WorkTerm){stage_weight(k, st), {st->rank, st->extent}};
    }
    return w;
}

static KernelWork one_term(Arena *a, int64_t weight, int n,
                           const Dim *const *size, int per)
{
    size_t bytes = sizeof *size * (size_t)n;
    WorkTerm term = {weight, {n, arena_copy(a, size, bytes)}};
    return (KernelWork){1, arena_copy(a, &term, sizeof term), {0, NULL}, per};
}

static KernelWork product_work(Arena *a, const Kernel *k)
{
    const Contract *c = k->contract;
    const Dim *size[MAX_RANK + 3];
    int n = 0;
    for (; n < c->nbatch; n++)
        size[n] = k->extent[n];
    size[n++] = c->m;
    size[n++] = c->n;
    size[n++] = c->k;
    return one_term(a, 1, n, size, WORK_PRODUCTS);
}

KernelWork kernel_work(Arena *a, const Kernel *k)
{
    enum { SORTED = 20 };
    const RoutineCall *r = k->routine;
    switch (k->kind) {
    case KERNEL_map:
        return map_work(a, k);
    case KERNEL_contract:
        return product_work(a, k);
    case KERNEL_sort:
        return one_term(a, SORTED, 2,
                        (const Dim *[]){k->sort->rows, k->sort->n}, 1);
    case KERNEL_routine:
        return one_term(
            a, 1, 4,
            (const Dim *[]){r->rows, r->size[0], r->size[1], r->size[0]}, 1);
    case KERNEL_loop:
        break;
    }
    die("a loop's work is its kernels'");
}
