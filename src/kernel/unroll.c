/* unroll.c: short loops of known length as straight-line code.
 *
 * Where a nest has a long loop and short ones in it, the short ones can be
 * unrolled: each element of a short axis is a value of its own, what one stage
 * makes another has in a register, choices by the index are made here, and the
 * long loop's iterations are the lanes. Which of the two forms is better is a
 * matter of what they cost. */
#include "kernel/sched.h"

enum {
    MOST_POINTS = 64,
    MOST_WEIGHT = 1000, /* machine instructions */
    LANES = 8,          /* at a guess */
    LONG = 64,          /* iterations of a loop of unknown length, likewise */
};

/* How many points the loops extent[0 … n-1] have that are unrolled, if any of
 * them may be. */
static int64_t points(const Dim *const *extent, int n)
{
    int64_t all = 1, size;
    for (int i = 0; i < n && all <= MOST_POINTS; i++)
        if (is_unrolled(extent[i], &size))
            all *= size;
    return all;
}

/* The loops before the trailing ones that can be unrolled. */
static int outer_loops(const Nest *n)
{
    int64_t size;
    int rank = n->hi;
    while (rank > 0 && is_unrolled(n->piece.at[0]->extent[rank - 1], &size))
        rank--;
    return rank;
}

/* Places are not joined in halves. */
static bool may_unroll(const Piece *p)
{
    return !p->empty && !(p->kind == PIECE_reduce &&
                          op_table[p->root->op]->flags & OP_PLACE);
}

/* Is there anything to unroll, and is it little enough? What adds, and flags,
 * have no outer loops. */
static bool is_candidate(const Nest *n, int rank)
{
    const Dim *const *outer = n->piece.at[0]->extent;
    int64_t around = points(outer + rank, n->hi - rank), weight = 0;
    bool any = around > 1;
    if (rank == 0)
        return false;
    for (int i = 0; i < n->piece.n; i++) {
        const Piece *p = n->piece.at[i];
        int64_t own = points(p->extent + n->hi, p->rank - n->hi);
        if (!may_unroll(p) || around * own > MOST_POINTS)
            return false;
        any = any || own > 1;
        weight += around * own * p->weight;
    }
    return any && weight <= 4 * MOST_WEIGHT;
}

/* What a kernel costs, in vector instructions times LANES. */

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

static const Dim *iterations(Sched *s, const Kernel *k)
{
    return dim_product(s->g, k->rank, k->extent);
}

/* Of all outer loops, in one iteration of those that stay. */
static int64_t iterations_in(Sched *s, const Kernel *k, const Kernel *loops)
{
    const Dim *more = dim_exact(s->g, iterations(s, loops), iterations(s, k));
    int64_t times = 1;
    if (more)
        dim_const_value(more, &times);
    return times;
}

static bool is_better(Sched *s, const Kernel *k, const Kernel *than)
{
    int64_t times = iterations_in(s, k, than);
    return 10 * kernel_cost(k) < 9 * times * kernel_cost(than);
}

/* Sums in loops that stay are in registers, several vectors of each. */
static bool has_many_sums(const Kernel *k)
{
    enum { MANY = 8 };
    for (int t = 0; t < k->nstage; t++) {
        int n = 0;
        for (int i = 0; i < k->stage[t].noutput; i++)
            n += k->stage[t].output[i].kind == OUT_reduce;
        if (n > MANY)
            return true;
    }
    return false;
}

static int64_t weight_of(const Kernel *k)
{
    int64_t weight = 0;
    for (int i = 0; i < k->ninstr; i++)
        weight += k->instr[i].kind == I_op ? op_weight(k->instr[i].op) : 1;
    return weight;
}

/* Stages. */

static bool is_written(const Kernel *k, const Buffer *b)
{
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++)
            if (k->stage[t].output[i].buffer == b)
                return true;
    return false;
}

static bool is_straight(const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++)
        if (k->stage[t].rank)
            return false;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_load && is_written(k, k->instr[i].buffer))
            return false;
    return true;
}

/* Stages without loops, none of which reads what another stores, are one. */
static void join_stages(Sched *s, Kernel *k)
{
    Stage *all = &k->stage[0];
    LIST(Output) output = {0};
    if (k->nstage < 2 || !is_straight(k))
        return;
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++)
            list_push(s->arena, &output, k->stage[t].output[i]);
    all->ninstr = k->ninstr;
    all->output = output.at;
    all->noutput = output.n;
    k->nstage = 1;
    arrange(s, k);
}

/* Few iterations. */

/* Are the loops the better ones where there are few iterations: one costs less
 * than k's, which leave lanes empty or come one by one. */
static bool suits_few(Sched *s, const Kernel *k, const Kernel *loops)
{
    int64_t n, times = iterations_in(s, k, loops), stores = 0;
    if (!k->lanes || loops->lanes ||
        dim_const_value(k->extent[k->rank - 1], &n))
        return false;
    for (int t = 0; t < k->nstage; t++)
        stores += k->stage[t].noutput;
    return times * kernel_cost(loops) < LANES * (weight_of(k) + stores);
}

Kernel *unroll(Sched *s, Inline *in, Nest *n, Kernel *loops)
{
    int rank = outer_loops(n);
    if (!is_candidate(n, rank))
        return loops;
    Kernel *k = build_unrolled(s, in, n, rank);
    if (weight_of(k) > MOST_WEIGHT || has_many_sums(k))
        return loops;
    join_stages(s, k);
    shape_loops(s, k, 0, 0);
    if (!is_better(s, k, loops))
        return loops;
    if (suits_few(s, k, loops)) {
        k->few = loops;
        loops->nguard = 0;
    }
    return k;
}
