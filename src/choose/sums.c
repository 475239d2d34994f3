/* sums.c: in which order the values of a stage are added up.
 *
 * It depends on the kernel and not on the machine. Along lanes value i belongs
 * to slot i mod n, n being what fits SLOT_BYTES, or WIDE_BYTES where nothing
 * rounds; vectors that are shorter than that take turns. Where there may be
 * more than NO_BLOCK values in a slot, what SUM_BLOCK of them have added up
 * goes into a total. */
#include "choose/internal.h"

int reduce_count(const Output *o)
{
    return o->kind != OUT_reduce ? 0 : o->index >= 0 ? 2 : 1;
}

static bool is_real(const Kernel *k, const Output *o)
{
    return o->kind == OUT_reduce && dtype_is_real(k->instr[o->value].dtype);
}

bool sum_rounds(const Kernel *k, const Output *o)
{
    return is_real(k, o) && o->op == OP_sum;
}

static bool rounds(const Kernel *k, const Output *o)
{
    return is_real(k, o) && (o->op == OP_sum || o->op == OP_prod);
}

static int count_totals(const Kernel *k, const Stage *s)
{
    int n = 0;
    for (int i = 0; i < s->noutput; i++)
        n += sum_rounds(k, &s->output[i]);
    return n;
}

/* What does not round comes to the same in any order: there are as many slots
 * as it takes for a value not to wait for the one before, of places, which take
 * two registers, as few as that can be. */
int sums_slots(const MapSchedule *m, const Stage *s, int lanes)
{
    enum { ENOUGH = 4 };
    int least = SLOT_BYTES / m->bytes, slots = WIDE_BYTES / m->bytes;
    int64_t n;
    if (s->rank > 0 && dim_const_value(s->extent[s->rank - 1], &n))
        while (slots > least && slots >= 2 * n)
            slots /= 2;
    for (int i = 0; i < s->noutput; i++) {
        if (rounds(m->kernel, &s->output[i]))
            return least;
        if (reduce_count(&s->output[i]) > 1 && slots > ENOUGH * lanes)
            slots = least;
    }
    return slots;
}

/* Nothing but a few loads side by side and cheap arithmetic. */
static bool is_simple(const Kernel *k, const Stage *s, const Across *x)
{
    enum { FEW = 8, FEW_SUMS = 2 };
    if (s->ninstr > FEW || s->noutput > FEW_SUMS)
        return false;
    for (int i = s->first; i < s->first + s->ninstr; i++) {
        const Instr *in = &k->instr[i];
        if (x->varies[i] &&
            (in->kind == I_index || in->pred >= 0 ||
             dtype_size(in->dtype) < 4 ||
             (in->kind == I_load && !index_is_plain(x, in->at)) ||
             (in->kind == I_op && op_table[in->op]->flags & OP_COSTLY)))
            return false;
    }
    for (int i = 0; i < s->noutput; i++)
        if (reduce_count(&s->output[i]) != 1)
            return false;
    return true;
}

int sums_wide(const MapSchedule *m, int t)
{
    const Stage *s = &m->kernel->stage[t];
    const StageSchedule *st = &m->stage[t];
    int64_t n;
    int least = m->tail == TAIL_scalar ? st->slots : st->lanes + 1;
    bool few = dim_const_value(s->extent[s->rank - 1], &n) && n < least;
    bool pays = st->slots > st->lanes && !few;
    return pays && is_simple(m->kernel, s, &st->across) ? st->slots : 0;
}

/* Where the loops are cut: the outermost of those that have more than SUM_BLOCK
 * values a slot. `step` iterations of the last loop are one value a slot. */
static void cut_blocks(Sums *u, const Stage *s, int64_t step)
{
    int64_t inner = 1, n = 0;
    u->cut = s->rank - 1;
    for (; u->cut >= 0; u->cut--, step = 1) {
        if (!dim_const_value(s->extent[u->cut], &n))
            break;
        int64_t values = (n + step - 1) / step;
        if (values > (u->cut ? SUM_BLOCK : NO_BLOCK) / inner)
            break;
        inner *= values > 1 ? values : 1;
    }
    u->blocks = u->cut >= 0;
    u->step = step;
    u->inner = inner;
    u->block = (inner < SUM_BLOCK ? SUM_BLOCK / inner : 1) * step;
    u->most = (inner < NO_BLOCK ? NO_BLOCK / inner : 1) * step;
}

static int round_up_to_power(int64_t n)
{
    int p = 1;
    while (p < n)
        p *= 2;
    return p;
}

static int count_sets(const StageSchedule *st, const Stage *s)
{
    int64_t n;
    if (dim_const_value(s->extent[s->rank - 1], &n) && n < st->slots)
        return round_up_to_power((n + st->lanes - 1) / st->lanes);
    return st->slots > st->lanes ? st->slots / st->lanes : 1;
}

/* Where the last loop ends is known inside of the others. A vector of rows goes
 * on as long as the longest of them; so that the others do not notice, blocks
 * are all of one length and begin with a row. */
static void cut_ragged(const MapSchedule *m, StageSchedule *st, const Stage *s)
{
    if (st->ragged < 0 || !m->outside || !st->sums.blocks)
        return;
    if (s->rank > 1)
        st->ragged = -1;
    else
        st->sums.most = st->sums.block;
}

void sums_choose(MapSchedule *m, int t)
{
    const Stage *s = &m->kernel->stage[t];
    StageSchedule *st = &m->stage[t];
    Sums *u = &st->sums;
    int n = count_totals(m->kernel, s);
    *u = (Sums){.lanes = st->lanes, .sets = 1};
    if (s->rank > 0 && st->inside)
        u->sets = count_sets(st, s);
    if (s->rank > 0 && n)
        cut_blocks(u, s, st->inside ? st->slots : 1);
    if (u->blocks)
        u->nkept = 2 * n * u->sets + (u->cut > 0);
    cut_ragged(m, st, s);
}
