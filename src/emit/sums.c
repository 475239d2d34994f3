/* sums.c: how the values of a stage are added up.
 *
 * The order depends on the kernel and not on the machine. Along lanes value i
 * belongs to slot i mod n, n being what fits SLOT_BYTES; slots are joined in
 * halves, i with i + n/2. Vectors that are shorter than that take turns, so the
 * first value of each vector but the last is of the next set of slots; which
 * set comes first makes no difference to halves. The full blocks of a simple
 * sum have twice as many slots. Without vectors there is one slot.
 *
 * After BLOCK values in a slot, if more follow, the sum so far is put away:
 * added to a total whose rounding errors are added up beside it. So the error
 * of a sum does not grow with its length. */
#include "emit/emit_internal.h"

enum {
    SLOT_BYTES = 64,
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

static bool rounds(const MapCode *m, const Output *o)
{
    return o->kind == OUT_reduce && o->op == OP_sum &&
           dtype_is_real(m->k->instr[o->value].dtype);
}

static bool any_rounds(const MapCode *m, const Stage *s)
{
    for (int i = 0; i < s->noutput; i++)
        if (rounds(m, &s->output[i]))
            return true;
    return false;
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
}

static Total total_new(Emit *e, DType t, int width)
{
    int align = round_up_to_power((int64_t)width * dtype_size(t));
    align = width == 1 || align < e->vector_bytes ? align : e->vector_bytes;
    LLVMTypeRef type = type_lanes(type_of(e, t), width);
    return (Total){type, align, code_slot(e, type, align),
                   code_slot(e, type, align)};
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

static void make_totals(MapCode *m, const Stage *s)
{
    Emit *e = m->e;
    Sums *u = &m->sums;
    u->total = NEWN(e->arena, Total, s->noutput);
    for (int i = 0; i < s->noutput; i++)
        if (rounds(m, &s->output[i]))
            u->total[i] = total_new(e, m->k->instr[s->output[i].value].dtype,
                                    lanes_in(m, s) ? 1 : m->width);
    if (u->cut == 0)
        return;
    u->some = code_slot(e, e->i8, 1);
    code_store(e, LLVMConstNull(e->i8), u->some, 1);
    u->since = code_slot(e, e->i64, 8);
    code_store(e, code_i64(e, 0), u->since, 8);
}

void sums_plan(MapCode *m, const Stage *s)
{
    Sums *u = &m->sums;
    *u = (Sums){.lanes = m->width, .sets = 1};
    if (s->rank == 0)
        return;
    if (lanes_in(m, s))
        plan_turns(m, s);
    if (!any_rounds(m, s))
        return;
    plan_blocks(u, s, lanes_in(m, s) ? m->slots : 1);
    if (!u->blocks)
        return;
    if (lanes_in(m, s) && u->cut == s->rank - 1 && is_simple(m, s)) {
        u->wide = 2 * m->slots;
        u->block *= 2;
    }
    make_totals(m, s);
}

int sums_slots(int bytes) { return SLOT_BYTES / bytes; }

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

/* Totals. */

/* The rounding error of high + v is exact where |high| >= |v|, else as small as
 * another one. */
void total_add(Emit *e, const Total *t, LLVMValueRef some, LLVMValueRef v)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef zero = LLVMConstNull(t->type);
    LLVMValueRef high = code_load(e, t->type, t->high, t->align);
    LLVMValueRef low = code_load(e, t->type, t->low, t->align);
    high = LLVMBuildSelect(b, some, high, zero, "");
    low = LLVMBuildSelect(b, some, low, zero, "");
    LLVMValueRef sum = LLVMBuildFAdd(b, high, v, "");
    LLVMValueRef error =
        LLVMBuildFSub(b, v, LLVMBuildFSub(b, sum, high, ""), "");
    code_store(e, sum, t->high, t->align);
    code_store(e, LLVMBuildFAdd(b, low, error, ""), t->low, t->align);
}

LLVMValueRef total_and(Emit *e, const Total *t, LLVMValueRef v)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef high = code_load(e, t->type, t->high, t->align);
    LLVMValueRef low = code_load(e, t->type, t->low, t->align);
    LLVMValueRef good = LLVMBuildFCmp(b, LLVMRealORD, low, low, "");
    v = LLVMBuildSelect(b, good, LLVMBuildFAdd(b, v, low, ""), v, "");
    return LLVMBuildFAdd(b, high, v, "");
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

/* Is there anything in the totals: known where there is but one row. */
static LLVMValueRef is_some(MapCode *m)
{
    Emit *e = m->e;
    if (!m->sums.some)
        return m->sums.more;
    LLVMValueRef some = code_load(e, e->i8, m->sums.some, 1);
    return LLVMBuildIsNotNull(e->builder, some, "");
}

void sums_put(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc,
              LLVMValueRef first)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef some =
        m->sums.some ? is_some(m) : LLVMBuildIsNotNull(b, first, "");
    int at = 0;
    for (int i = 0; i < s->noutput; at += reduce_count(&s->output[i++])) {
        if (!rounds(m, &s->output[i]))
            continue;
        const Total *t = &m->sums.total[i];
        total_add(e, t, some,
                  sums_join(m, s, &s->output[i], nacc, acc + at)[0]);
        for (int k = 0; k < m->sums.sets; k++)
            reduce_start(m, &s->output[i], m->sums.lanes, &acc[k * nacc + at]);
    }
    if (m->sums.some)
        code_store(e, LLVMConstInt(e->i8, 1, false), m->sums.some, 1);
}

/* Has this row made a block full. */
static LLVMValueRef block_full(MapCode *m, LLVMValueRef n)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    const Sums *u = &m->sums;
    LLVMValueRef up = LLVMBuildAdd(b, n, code_i64(e, u->step - 1), "");
    LLVMValueRef values = LLVMBuildUDiv(b, up, code_i64(e, u->step), "");
    values = LLVMBuildMul(b, values, code_i64(e, u->inner), "");
    LLVMValueRef since = code_load(e, e->i64, u->since, 8);
    since = LLVMBuildAdd(b, since, values, "");
    LLVMValueRef most = code_i64(e, BLOCK);
    LLVMValueRef full = LLVMBuildICmp(b, LLVMIntSGE, since, most, "");
    since = LLVMBuildSelect(b, full, code_i64(e, 0), since, "");
    code_store(e, since, u->since, 8);
    return full;
}

void sums_cut(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc,
              LLVMValueRef first, LLVMValueRef last, LLVMValueRef end)
{
    Emit *e = m->e;
    int count = m->sums.sets * nacc;
    LLVMValueRef *old = NEWN(e->arena, LLVMValueRef, count + 1);
    LLVMValueRef full =
        m->sums.cut ? block_full(m, LLVMBuildSub(e->builder, last, first, ""))
                    : LLVMBuildICmp(e->builder, LLVMIntSLT, last, end, "");
    LLVMBasicBlockRef from = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef put = code_block(e, "put"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, full, put, on);
    for (int i = 0; i < count; i++)
        old[i] = acc[i];
    LLVMPositionBuilderAtEnd(e->builder, put);
    sums_put(m, s, acc, nacc, first);
    put = LLVMGetInsertBlock(e->builder);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
    for (int i = 0; i < count; i++)
        if (acc[i] != old[i])
            acc[i] = code_phi(e, old[i], from, acc[i], put);
}

void sums_total(MapCode *m, const Stage *s, LLVMValueRef *v)
{
    Emit *e = m->e;
    if (!m->sums.blocks)
        return;
    LLVMValueRef some = is_some(m);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef add = code_block(e, "total"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, some, add, on);
    LLVMPositionBuilderAtEnd(e->builder, add);
    LLVMValueRef *sum = NEWN(e->arena, LLVMValueRef, s->noutput + 1);
    for (int i = 0; i < s->noutput; i++)
        if (rounds(m, &s->output[i]))
            sum[i] = total_and(e, &m->sums.total[i], v[i]);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
    for (int i = 0; i < s->noutput; i++)
        if (sum[i])
            v[i] = code_phi(e, v[i], from, sum[i], add);
}
