/* parallel.c: which kernels may be run in pieces, ranges of their first loop,
 * by several threads: those each of whose iterations writes elements of its
 * own, if there may be enough to do. */
#include "kernel/sched.h"

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

static int64_t times_most(const Sched *s, int64_t v, Extents by)
{
    int64_t most;
    for (int i = 0; i < by.n; i++) {
        if (!function_bound(s->f, by.size[i], &most))
            most = INT64_MAX;
        v = times(v, most > 0 ? most : 0);
    }
    return v;
}

/* What it takes at most. */
static int64_t most_work(const Sched *s, const KernelWork *w)
{
    int64_t sum = 0;
    for (int i = 0; i < w->n; i++) {
        int64_t v = times_most(s, w->term[i].weight, w->term[i].times);
        sum = v > INT64_MAX - sum ? INT64_MAX : sum + v;
    }
    return times_most(s, sum, w->times) / w->per;
}

static bool is_enough(const Sched *s, KernelWork w)
{
    return most_work(s, &w) / piece_work >= 2;
}

/* The nest for few iterations has its own loops: where there are few, it is
 * done at once. */
static bool map_is_parallel(const Sched *s, const Kernel *k)
{
    return k->rank > 0 && !(k->few && k->rank > 1) && writes_apart(k) &&
           is_enough(s, kernel_work(s->scratch, k));
}

static bool product_is_parallel(const Sched *s, const Kernel *k)
{
    return k->contract->rooms != 1 &&
           is_enough(s, kernel_work(s->scratch, k)) &&
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

int product_rooms(const Sched *s, const Kernel *k)
{
    const Contract *c = k->contract;
    int64_t n;
    const Dim *range = c->nbatch ? k->extent[0] : c->m;
    if (!is_enough(s, kernel_work(s->scratch, k)))
        return 1;
    if (!function_bound(s->f, range, &n))
        return MOST_ROOMS;
    n /= c->nbatch ? 1 : LONG_ROWS;
    return n < 1 ? 1 : n < MOST_ROOMS ? (int)n : MOST_ROOMS;
}
