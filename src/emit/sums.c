/* sums.c: how the values of a stage are added up, as its schedule says.
 *
 * Slots are joined in halves, i with i + n/2. Where vectors are shorter than
 * all slots and take turns, the first value of each vector but the last is of
 * the next set of slots; which set comes first makes no difference to halves;
 * in a simple stage several vectors are one. Without vectors there is one slot.
 *
 * What goes into a total leaves a rounding error, which goes into the next such
 * sum. So the error of a sum does not grow with its length. */
#include "emit/emit_internal.h"

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

LLVMValueRef *sums_join(MapCode *m, const Output *o, int nacc,
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
    if (m->st->inside)
        reduce_lanes(m, o, m->sums.lanes, v);
    return v;
}

void sums_begin(MapCode *m, const Stage *s, LLVMValueRef *kept)
{
    Emit *e = m->e;
    const Sums *u = &m->sums;
    for (int k = 0; k < u->sets && u->blocks; k++)
        for (int i = 0; i < s->noutput; i++) {
            if (!sum_rounds(m->k, &s->output[i]))
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
            if (!sum_rounds(m->k, &s->output[i]))
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
    return LLVMBuildICmp(b, LLVMIntSGE, *since, code_i64(e, SUM_BLOCK), "");
}

static void clear(MapCode *m, const Stage *s, LLVMValueRef *acc)
{
    for (int i = 0; i < s->noutput; acc += reduce_count(&s->output[i++]))
        if (sum_rounds(m->k, &s->output[i]))
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
