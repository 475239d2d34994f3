/* form.c: which loop is lanes, and short loops unrolled or kept. */
#include "choose/form.h"

/* Lanes. */

/* How well an access suits lanes along v. One element after another is one
 * instruction; elements that lie apart are one each, far apart of a cache line
 * each. */
static int access_score(const Index *x, int v)
{
    static const int score[] = {
        [STRIDE_none] = 0,  [STRIDE_somewhere] = 1, [STRIDE_one] = 2,
        [STRIDE_near] = -2, [STRIDE_far] = -8,
    };
    return score[stride_along(x, v)];
}

static int stage_score(const Kernel *k, const Stage *st, int v)
{
    int score = 0;
    for (int i = st->first; i < st->first + st->ninstr; i++)
        if (k->instr[i].kind == I_load)
            score += access_score(k->instr[i].at, v);
    for (int i = 0; i < st->noutput; i++)
        if (st->output[i].at)
            score += access_score(st->output[i].at, v);
    return score;
}

/* What is computed between the outer loops and a stage's own is done one by one
 * where lanes are inside: the instructions which that is to one element of the
 * stage. */
static int outer_cost(const Kernel *k, const Stage *st)
{
    int64_t elements = 1, weight = 0, size;
    for (int i = 0; i < st->rank; i++)
        if (!dim_const_value(st->extent[i], &size) ||
            __builtin_mul_overflow(elements, size, &elements))
            return 0;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_op && k->instr[i].level == k->rank)
            weight += op_table[k->instr[i].op]->weight;
    return elements > 0 ? (int)(weight / elements) : 0;
}

/* Where more accesses are contiguous. */
bool lanes_suit_outside(const Kernel *k)
{
    int outer = 0, inner = 0, loops = 0;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        if (st->rank == 0)
            continue;
        loops++;
        outer += stage_score(k, st, k->rank - 1) + outer_cost(k, st);
        inner += stage_score(k, st, k->rank + st->rank - 1);
    }
    return loops == 0 || outer > inner;
}

/* What a kernel costs, in vector instructions times LANES. */

enum {
    LANES = 8, /* at a guess */
    LONG = 64, /* iterations of a loop of unknown length, likewise */
};

typedef struct Cost {
    const Kernel *k;
    const Stage *st;
    int64_t times; /* that an instruction is executed in an outer iteration,
                      times LANES */
    int lane;      /* the loop across the lanes; or -1 */
    bool wide;     /* the instruction is one for all lanes */
} Cost;

static int64_t trips(const Dim *extent)
{
    int64_t n;
    return dim_const_value(extent, &n) ? n : LONG;
}

/* Of a loop across the lanes. */
static int64_t in_lanes(int64_t times, const Dim *extent)
{
    int64_t n = trips(extent), vectors = (n + LANES - 1) / LANES;
    return times * vectors / n;
}

/* Sets the cost of one instruction of a level. */
static void at_level(Cost *c, int level)
{
    const Kernel *k = c->k;
    int rank = k->rank, last = rank + c->st->rank;
    c->times = level >= rank ? LANES : 0;
    for (int i = rank; i < level; i++)
        c->times *= trips(loop_extent(k, c->st, i));
    c->wide = k->lanes ? level >= rank : c->st->lanes && level == last;
    if (c->wide)
        c->times = in_lanes(c->times, loop_extent(k, c->st, c->lane));
}

/* Apart, but near enough to be transposed in registers; or each alone. */
enum { TRANSPOSED = 3, ALONE = 6, NEAR = 64 };

/* Do data decide that are not the same in all lanes? */
static bool reads_lanes(const Cost *c, const Index *x)
{
    for (int i = 0; i < x->n; i++) {
        const Atom *a = &x->atom[i];
        if ((a->kind == IX_value && c->k->instr[a->value].level > c->lane) ||
            (a->of && index_reads(a->of)))
            return true;
    }
    return false;
}

static int64_t access_cost(const Cost *c, const Index *x)
{
    int64_t step;
    if (!c->wide || c->lane < 0)
        return c->times;
    const Dim *by = index_coef(x, c->lane);
    bool reads = reads_lanes(c, x), nested = index_nested(x, c->lane);
    if (!by && !nested && !reads)
        return c->times;
    if (nested || reads || !dim_const_value(by, &step) || step > NEAR)
        return ALONE * c->times;
    return step == 1 ? c->times : TRANSPOSED * c->times;
}

static int64_t instr_cost(Cost *c, const Instr *x)
{
    at_level(c, x->level);
    switch (x->kind) {
    case I_op:
        return x->narg ? c->times * op_weight(x->op) : 0;
    case I_load:
        return access_cost(c, x->at);
    case I_index:
    case I_result:
        return 0;
    }
    die("no such instruction: %d", (int)x->kind);
}

static int64_t output_cost(Cost *c, const Output *o)
{
    enum { JOIN = 6 }; /* the lanes of an accumulator */
    at_level(c, c->k->rank + c->st->rank);
    if (o->kind != OUT_reduce)
        return access_cost(c, o->at);
    return c->times + (c->st->lanes ? JOIN * LANES : 0);
}

/* Of one outer iteration. */
static int64_t kernel_cost(const Kernel *k)
{
    enum { LOOP = 3 };
    int64_t sum = 0;
    Cost c = {.k = k};
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = c.st = &k->stage[t];
        c.lane = lane_loop(k, st);
        for (int i = st->first; i < st->first + st->ninstr; i++)
            sum += instr_cost(&c, &k->instr[i]);
        for (int i = 0; i < st->noutput; i++)
            sum += output_cost(&c, &st->output[i]);
        at_level(&c, k->rank + st->rank);
        sum += st->rank ? LOOP * c.times : 0;
    }
    return sum;
}

static const Dim *iterations(Graph *g, const Kernel *k)
{
    return dim_product(g, k->rank, k->extent);
}

/* Of all outer loops, in one iteration of those that stay. */
static int64_t iterations_in(Graph *g, const Kernel *k, const Kernel *loops)
{
    const Dim *more = dim_exact(g, iterations(g, loops), iterations(g, k));
    int64_t times = 1;
    if (more)
        dim_const_value(more, &times);
    return times;
}

bool unrolled_is_better(Graph *g, const Kernel *k, const Kernel *loops)
{
    int64_t times = iterations_in(g, k, loops);
    return 10 * kernel_cost(k) < 9 * times * kernel_cost(loops);
}

/* Few iterations. */

/* Are the loops the better ones where there are few iterations: one costs less
 * than k's, which leave lanes empty or come one by one. */
bool loops_suit_few(Graph *g, const Kernel *k, const Kernel *loops)
{
    int64_t n, times = iterations_in(g, k, loops), stores = 0;
    if (!k->lanes || loops->lanes ||
        dim_const_value(k->extent[k->rank - 1], &n))
        return false;
    for (int t = 0; t < k->nstage; t++)
        stores += k->stage[t].noutput;
    return times * kernel_cost(loops) < LANES * (kernel_weight(k) + stores);
}
