/* unroll.c: short loops of known length as straight-line code.
 *
 * Where a nest has a long loop and short ones in it, the short ones can be
 * unrolled: each element of a short axis is a value of its own, what one stage
 * makes another has in a register, choices by the index are made here, and the
 * long loop's iterations are the lanes. Here is where that may be; which of the
 * two is better is chosen in choose/form.c. */
#include "choose/form.h"
#include "kernel/sched.h"

enum {
    MOST_POINTS = 64,
    MOST_WEIGHT = 1000, /* machine instructions */
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

Kernel *unroll(Sched *s, Inline *in, Nest *n, Kernel *loops)
{
    int rank = outer_loops(n);
    if (!is_candidate(n, rank))
        return loops;
    Kernel *k = build_unrolled(s, in, n, rank);
    if (kernel_weight(k) > MOST_WEIGHT || has_many_sums(k))
        return loops;
    join_stages(s, k);
    shape_loops(s, k, 0, 0);
    bool better = s->asked.unroll ? s->asked.unroll == CHOICE_yes
                                  : unrolled_is_better(s->g, k, loops);
    k->form.unroll = CHOICE_yes;
    loops->form.unroll = CHOICE_no;
    if (!better)
        return loops;
    if (loops_suit_few(s->g, k, loops)) {
        k->few = loops;
        loops->nguard = 0;
        loops->form = (NestForm){0};
    }
    return k;
}
