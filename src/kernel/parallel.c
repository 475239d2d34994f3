/* parallel.c: which kernels may be run in pieces, ranges of their first loop,
 * by several threads: those each of whose iterations writes elements of its
 * own, if there may be enough to do. */
#include "kernel/sched.h"

int64_t piece_work = WORK_PIECE;

/* The place has another element in each iteration of loop `var`. */
static bool moves_with(const Index *at, int var)
{
    return index_coef(at, var) || index_nested(at, var);
}

static bool writes_apart(const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            const Output *o = &k->stage[t].output[i];
            if (o->kind != OUT_reduce && !moves_with(o->at, 0))
                return false;
        }
    return true;
}

/* a · b, or more than anyone asks for. */
static int64_t times(int64_t a, int64_t b)
{
    return b > 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

/* v · d at most. */
static int64_t times_most(const Sched *s, int64_t v, const Dim *d)
{
    int64_t most;
    if (!function_bound(s->f, d, &most))
        most = INT64_MAX;
    return times(v, most > 0 ? most : 0);
}

static int64_t times_all(const Sched *s, int64_t v, int n, const Dim *const *d)
{
    for (int i = 0; i < n; i++)
        v = times_most(s, v, d[i]);
    return v;
}

int stage_weight(const Kernel *k, const Stage *st)
{
    int weight = st->noutput;
    for (int i = st->first; i < st->first + st->ninstr; i++)
        weight += k->instr[i].kind == I_op ? op_weight(k->instr[i].op) : 1;
    return weight;
}

static int64_t map_work(const Sched *s, const Kernel *k)
{
    int64_t sum = 0;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        int64_t w = times_all(s, stage_weight(k, st), st->rank, st->extent);
        sum = w > INT64_MAX - sum ? INT64_MAX : sum + w;
    }
    return times_all(s, sum, k->rank, k->extent);
}

static int64_t product_work(const Sched *s, const Contract *c)
{
    const Dim *const size[] = {c->m, c->n, c->k};
    int64_t w = times_all(s, times_all(s, 1, 3, size), c->nbatch, c->batch);
    return w / WORK_PRODUCTS;
}

static bool is_enough(int64_t work) { return work / piece_work >= 2; }

/* The nest for few iterations has its own loops: where there are few, it is
 * done at once. */
static bool map_is_parallel(const Sched *s, const Kernel *k)
{
    return k->rank > 0 && !(k->few && k->rank > 1) && writes_apart(k) &&
           is_enough(map_work(s, k));
}

static bool product_is_parallel(const Sched *s, const Kernel *k)
{
    return k->contract->rooms != 1 && is_enough(product_work(s, k->contract)) &&
           (!k->epilogue || writes_apart(k->epilogue));
}

static bool is_parallel(const Sched *s, const Kernel *k)
{
    switch (k->kind) {
    case KERNEL_map:
        return map_is_parallel(s, k);
    case KERNEL_contract:
        return product_is_parallel(s, k);
    case KERNEL_sort:
        return !k->sort->work && !dim_is(k->sort->rows, 1);
    case KERNEL_routine:
        return !k->routine->work && !dim_is(k->routine->rows, 1);
    case KERNEL_loop:
        break;
    }
    return false;
}

void find_parallel(Sched *s)
{
    for (int i = 0; i < s->out->kernel.n; i++) {
        Kernel *k = s->out->kernel.at[i];
        k->parallel = is_parallel(s, k);
    }
}

int product_rooms(const Sched *s, const Contract *c)
{
    int64_t n;
    const Dim *range = c->nbatch ? c->batch[0] : c->m;
    if (!is_enough(product_work(s, c)))
        return 1;
    if (!function_bound(s->f, range, &n))
        return MOST_ROOMS;
    n /= c->nbatch ? 1 : LONG_ROWS;
    return n < 1 ? 1 : n < MOST_ROOMS ? (int)n : MOST_ROOMS;
}
