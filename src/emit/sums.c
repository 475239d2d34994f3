/* sums.c: how the values of a stage are added up.
 *
 * The order depends on the kernel and not on the machine. Along lanes value i
 * belongs to slot i mod n, n being what fits SLOT_BYTES, or WIDE_BYTES where
 * nothing rounds; slots are joined in halves, i with i + n/2. Vectors that are
 * shorter than that take turns, so the first value of each vector but the last
 * is of the next set of slots; which set comes first makes no difference to
 * halves; in a simple stage several vectors are one. Without vectors there is
 * one slot.
 *
 * Where there may be more than BLOCK values in a slot, what they have added up
 * after as many goes into a total, whose rounding error goes into the next such
 * sum. So the error of a sum does not grow with its length. */
#include "emit/emit_internal.h"

enum {
    SLOT_BYTES = 64,
    WIDE_BYTES = 128,
    BLOCK = 16,   /* values added one after another */
    NO_BLOCK = 32 /* so few are not cut into blocks */
};

static int round_up_to_power(int64_t n)
{
    int p = 1;
    while (p < n)
        p *= 2;
    return p;
}

/* The plan. */

bool sums_rounds(const MapCode *m, const Output *o)
{
    return o->kind == OUT_reduce && o->op == OP_sum &&
           dtype_is_real(m->k->instr[o->value].dtype);
}

static int count_totals(const MapCode *m, const Stage *s)
{
    int n = 0;
    for (int i = 0; i < s->noutput; i++)
        n += sums_rounds(m, &s->output[i]);
    return n;
}

/* Nothing but a few loads side by side and cheap arithmetic. */
static bool is_simple(const MapCode *m, const Stage *s)
{
    enum { FEW = 8, FEW_SUMS = 2 };
    if (s->ninstr > FEW || s->noutput > FEW_SUMS)
        return false;
    for (int i = s->first; i < s->first + s->ninstr; i++) {
        const Instr *in = &m->k->instr[i];
        if (m->varies[i] &&
            (in->kind == I_index || in->pred >= 0 ||
             dtype_size(in->dtype) < 4 ||
             (in->kind == I_load && !index_is_plain(m, in->at)) ||
             (in->kind == I_op && op_table[in->op]->flags & OP_COSTLY)))
            return false;
    }
    for (int i = 0; i < s->noutput; i++)
        if (reduce_count(&s->output[i]) != 1)
            return false;
    return true;
}

int sums_wide(const MapCode *m, const Stage *s)
{
    int64_t n;
    int least = m->scalar_tail ? m->slots : m->lanes + 1;
    bool few = dim_const_value(s->extent[s->rank - 1], &n) && n < least;
    return m->slots > m->lanes && !few && is_simple(m, s) ? m->slots : 0;
}

/* Where the loops are cut: the outermost of those that have more than BLOCK
 * values a slot. `step` iterations of the last loop are one value a slot. */
static void plan_blocks(Sums *u, const Stage *s, int64_t step)
{
    int64_t inner = 1, n = 0;
    u->cut = s->rank - 1;
    for (; u->cut >= 0; u->cut--, step = 1) {
        if (!dim_const_value(s->extent[u->cut], &n))
            break;
        int64_t values = (n + step - 1) / step;
        if (values > (u->cut ? BLOCK : NO_BLOCK) / inner)
            break;
        inner *= values > 1 ? values : 1;
    }
    u->blocks = u->cut >= 0;
    u->step = step;
    u->inner = inner;
    u->block = (inner < BLOCK ? BLOCK / inner : 1) * step;
    u->most = (inner < NO_BLOCK ? NO_BLOCK / inner : 1) * step;
}

static void plan_turns(MapCode *m, const Stage *s)
{
    Sums *u = &m->sums;
    int64_t n;
    u->lanes = m->lanes;
    u->sets = m->slots > m->lanes ? m->slots / m->lanes : 1;
    if (dim_const_value(s->extent[s->rank - 1], &n) && n < m->slots)
        u->sets = round_up_to_power((n + m->lanes - 1) / m->lanes);
}

void sums_plan(MapCode *m, const Stage *s)
{
    Sums *u = &m->sums;
    int n = count_totals(m, s);
    *u = (Sums){.lanes = m->width, .sets = 1};
    if (s->rank == 0)
        return;
    if (lanes_in(m, s))
        plan_turns(m, s);
    if (n)
        plan_blocks(u, s, lanes_in(m, s) ? m->slots : 1);
    if (u->blocks)
        u->nkept = 2 * n * u->sets + (u->cut > 0);
}

static bool rounds(const MapCode *m, const Output *o)
{
    return o->kind == OUT_reduce &&
           dtype_is_real(m->k->instr[o->value].dtype) &&
           (o->op == OP_sum || o->op == OP_prod);
}

/* What does not round comes to the same in any order: there are as many slots
 * as it takes for a value not to wait for the one before, of places, which take
 * two registers, as few as that can be. */
int sums_slots(const MapCode *m, const Stage *s)
{
    enum { ENOUGH = 4 };
    int least = SLOT_BYTES / m->bytes, slots = WIDE_BYTES / m->bytes;
    int64_t n;
    if (s->rank > 0 && dim_const_value(s->extent[s->rank - 1], &n))
        while (slots > least && slots >= 2 * n)
            slots /= 2;
    for (int i = 0; i < s->noutput; i++) {
        if (rounds(m, &s->output[i]))
            return least;
        if (reduce_count(&s->output[i]) > 1 && slots > ENOUGH * m->lanes)
            slots = least;
    }
    return slots;
}

/* Turns. */

static void rotate(LLVMValueRef *acc, int sets, int nacc, int by,
                   LLVMValueRef *to)
{
    for (int i = 0; i < sets * nacc; i++)
        to[i] = acc[(i + by * nacc) % (sets * nacc)];
}

void sums_next(MapCode *m, LLVMValueRef *acc, int nacc)
{
    int n = m->sums.sets * nacc;
    LLVMValueRef *old = NEWN(m->e->arena, LLVMValueRef, n + 1);
    for (int i = 0; i < n; i++)
        old[i] = acc[i];
    rotate(old, m->sums.sets, nacc, 1, acc);
}

void sums_restart(MapCode *m, LLVMValueRef *acc, int nacc, LLVMValueRef done)
{
    LLVMBuilderRef b = m->e->builder;
    int sets = m->sums.sets, n = sets * nacc;
    LLVMValueRef *turned = NEWN(m->e->arena, LLVMValueRef, n + 1);
    LLVMValueRef back = LLVMBuildNeg(b, done, "");
    for (int by = 1; by < sets; by *= 2) {
        LLVMValueRef bit = LLVMBuildAnd(b, back, code_i64(m->e, by), "");
        LLVMValueRef is = LLVMBuildIsNotNull(b, bit, "");
        rotate(acc, sets, nacc, by, turned);
        for (int i = 0; i < n; i++)
            acc[i] = LLVMBuildSelect(b, is, turned[i], acc[i], "");
    }
}

/* The sets as one vector of all slots, and apart again. */

LLVMValueRef *sums_together(MapCode *m, const LLVMValueRef *acc, int nacc)
{
    Emit *e = m->e;
    LLVMValueRef *wide = NEWN(e->arena, LLVMValueRef, nacc + 1);
    for (int j = 0; j < nacc; j++) {
        LLVMValueRef v[WIDE_BYTES];
        for (int k = 0; k < m->sums.sets; k++)
            v[k] = acc[k * nacc + j];
        for (int n = m->sums.sets / 2; n > 0; n /= 2)
            for (int k = 0; k < n; k++)
                v[k] = code_both(e, v[2 * k], v[2 * k + 1]);
        wide[j] = v[0];
    }
    return wide;
}

void sums_apart(MapCode *m, LLVMValueRef *wide, int nacc, LLVMValueRef *acc)
{
    int lanes = m->sums.lanes;
    for (int k = 0; k < m->sums.sets; k++)
        for (int j = 0; j < nacc; j++)
            acc[k * nacc + j] = code_lanes(m->e, wide[j], k * lanes, lanes);
}

/* Totals. */

/* The rounding error of high + v is exact where |high| >= |v|, else as small as
 * another one. */
Total total_add(Emit *e, Total t, LLVMValueRef v)
{
    LLVMBuilderRef b = e->builder;
    v = LLVMBuildFAdd(b, v, t.low, "");
    LLVMValueRef sum = LLVMBuildFAdd(b, t.high, v, "");
    LLVMValueRef low =
        LLVMBuildFSub(b, v, LLVMBuildFSub(b, sum, t.high, ""), "");
    LLVMValueRef none = LLVMBuildFSub(b, sum, sum, ""); /* NaN of infinity */
    LLVMValueRef finite = LLVMBuildFCmp(b, LLVMRealORD, none, none, "");
    low = LLVMBuildSelect(b, finite, low, LLVMConstNull(LLVMTypeOf(v)), "");
    return (Total){sum, low};
}

LLVMValueRef *sums_join(MapCode *m, const Stage *s, const Output *o, int nacc,
                        const LLVMValueRef *acc)
{
    int n = reduce_count(o), sets = m->sums.sets;
    LLVMValueRef *v = NEWN(m->e->arena, LLVMValueRef, sets * n + 1);
    for (int i = 0; i < sets; i++)
        for (int j = 0; j < n; j++)
            v[i * n + j] = acc[i * nacc + j];
    for (int half = sets / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            reduce_join(m, o, m->sums.lanes, v + i * n, v + (i + half) * n);
    if (lanes_in(m, s))
        reduce_lanes(m, o, m->sums.lanes, v);
    return v;
}

void sums_begin(MapCode *m, const Stage *s, LLVMValueRef *kept)
{
    Emit *e = m->e;
    const Sums *u = &m->sums;
    for (int k = 0; k < u->sets && u->blocks; k++)
        for (int i = 0; i < s->noutput; i++) {
            if (!sums_rounds(m, &s->output[i]))
                continue;
            LLVMTypeRef t = type_of(e, m->k->instr[s->output[i].value].dtype);
            *kept++ = LLVMConstNull(type_lanes(t, u->lanes));
            *kept++ = LLVMConstNull(type_lanes(t, u->lanes));
        }
    if (u->cut > 0)
        *kept = code_i64(e, 0);
}

void sums_put(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc)
{
    LLVMValueRef *kept = acc + m->sums.sets * nacc;
    for (int k = 0; k < m->sums.sets; k++)
        for (int i = 0; i < s->noutput; acc += reduce_count(&s->output[i++])) {
            if (!sums_rounds(m, &s->output[i]))
                continue;
            Total t = total_add(m->e, (Total){kept[0], kept[1]}, *acc);
            *kept++ = *acc = t.high;
            *kept++ = t.low;
        }
}

/* Has this row made a block full: `since` values are in it so far. */
static LLVMValueRef block_full(MapCode *m, LLVMValueRef n, LLVMValueRef *since)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    const Sums *u = &m->sums;
    LLVMValueRef up = LLVMBuildAdd(b, n, code_i64(e, u->step - 1), "");
    LLVMValueRef values = LLVMBuildUDiv(b, up, code_i64(e, u->step), "");
    values = LLVMBuildMul(b, values, code_i64(e, u->inner), "");
    *since = LLVMBuildAdd(b, *since, values, "");
    return LLVMBuildICmp(b, LLVMIntSGE, *since, code_i64(e, BLOCK), "");
}

static void clear(MapCode *m, const Stage *s, LLVMValueRef *acc)
{
    for (int i = 0; i < s->noutput; acc += reduce_count(&s->output[i++]))
        if (sums_rounds(m, &s->output[i]))
            reduce_start(m, &s->output[i], m->sums.lanes, acc);
}

void sums_cut(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc,
              LLVMValueRef n)
{
    Emit *e = m->e;
    int count = m->sums.sets * nacc + m->sums.nkept;
    LLVMValueRef *old = NEWN(e->arena, LLVMValueRef, count + 1);
    LLVMValueRef full = block_full(m, n, &acc[count - 1]);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef put = code_block(e, "put"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, full, put, on);
    for (int i = 0; i < count; i++)
        old[i] = acc[i];
    LLVMPositionBuilderAtEnd(e->builder, put);
    sums_put(m, s, acc, nacc);
    acc[count - 1] = code_i64(e, 0);
    for (int k = 0; k < m->sums.sets; k++)
        clear(m, s, acc + k * nacc);
    put = LLVMGetInsertBlock(e->builder);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
    for (int i = 0; i < count; i++)
        if (acc[i] != old[i])
            acc[i] = code_phi(e, old[i], from, acc[i], put);
}
