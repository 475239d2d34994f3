/* map_plan.c: what is known of a map kernel before there is any code. */
#include "emit/emit_internal.h"

void map_levels(MapCode *m)
{
    const Kernel *k = m->k;
    m->level = NEWN(m->e->arena, int, k->ninstr + 1);
    for (int i = 0; i < k->ninstr; i++) {
        const Instr *in = &k->instr[i];
        int level = in->level > m->nfixed ? in->level : m->nfixed;
        for (int j = 0; j < in->narg; j++)
            if (m->level[in->arg[j]] > level)
                level = m->level[in->arg[j]];
        if (in->kind == I_result && level < k->rank)
            level = k->rank;
        if (in->at && index_level(m, in->at) > level)
            level = index_level(m, in->at);
        if (in->kind == I_load && in->pred >= 0 && m->level[in->pred] > level)
            level = m->level[in->pred];
        m->level[i] = level;
    }
    muladd_find(m);
}

static int lane_bytes(const Kernel *k)
{
    bool real = false, wide_real = false, wide = true;
    for (int i = 0; i < k->ninstr; i++) {
        DType t = k->instr[i].dtype;
        real = real || dtype_is_real(t);
        wide_real = wide_real || t == DT_f64;
        wide = wide && dtype_size(t) == 8;
    }
    return wide_real || (!real && wide) ? 8 : 4;
}

static bool easily_masked(const Buffer *b) { return dtype_size(b->dtype) >= 4; }

/* With mask registers a long body is built once, masked; a short one twice, as
 * its full vectors are then a little faster. What is to be sorted in registers
 * is so much faster that it takes a very long one, and no mask registers. */
static bool wants_one_loop(const Kernel *k, const Emit *e)
{
    enum { SHORT = 12, STRIDED = 48 };
    if (has_strided(k))
        return k->ninstr > STRIDED;
    return e->machine.has.masks && k->ninstr > SHORT;
}

/* Without mask registers masked gathers and masked bytes are taken apart into
 * branches; a scalar loop is better. */
static bool wants_scalar_tail(const Kernel *k, const Emit *e)
{
    if (e->machine.has.masks)
        return false;
    if (e->machine.has.vector_bytes < 32)
        return true;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_load &&
            (!easily_masked(k->instr[i].buffer) || k->instr[i].pred >= 0))
            return true;
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; i < k->stage[s].noutput; i++) {
            const Output *o = &k->stage[s].output[i];
            if (o->buffer && (!easily_masked(o->buffer) || o->pred >= 0))
                return true;
        }
    return false;
}

/* Has it an inner loop that goes on for a while. */
static bool has_long_stage(const Kernel *k)
{
    enum { LONG = 16 };
    for (int i = 0; i < k->nstage; i++)
        for (int j = 0; j < k->stage[i].rank; j++) {
            int64_t n;
            if (!dim_const_value(k->stage[i].extent[j], &n) || n >= LONG)
                return true;
        }
    return false;
}

/* Sums over inner loops, each step of which waits for the one before and may
 * read another row of an array, are made for several vectors at a time: as many
 * as there are registers for, if what is beside them is short. */
static int vectors_at_once(const Emit *e, const Kernel *k)
{
    enum { MOST = 4, SHORT = 16 };
    int sums = 0, n = MOST;
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; k->stage[s].rank > 0 && i < k->stage[s].noutput; i++)
            sums += reduce_count(&k->stage[s].output[i]);
    if (sums == 0 || k->ninstr > SHORT)
        return 1;
    while (n > 1 && 4 * sums * n > e->machine.has.registers)
        n /= 2;
    return n;
}

/* Every vector is so many where that leaves nothing over; else those that are
 * full begin with a loop of so many. */
static void plan_vectors(MapCode *m)
{
    const Kernel *k = m->k;
    int64_t extent;
    if (!k->lanes || m->lanes == 1)
        return;
    int n = vectors_at_once(m->e, k);
    if (dim_const_value(k->extent[k->rank - 1], &extent)) {
        int even = n;
        while (even > 1 && extent % (even * m->lanes) != 0)
            even /= 2;
        if (extent >= m->lanes)
            m->lanes *= even;
        n = extent < n * m->lanes ? 1 : n / even;
    }
    if (n > 1 && !m->e->machine.has.small && has_long_stage(k))
        m->together = n;
}

int map_short_lanes(const Dim *extent, int lanes, bool three)
{
    int64_t n;
    if (!dim_const_value(extent, &n) || n < 2 || n >= lanes)
        return lanes;
    return (n & (n - 1)) == 0 || (three && n == 3) ? (int)n : lanes;
}

static int *number_checks(Emit *e, const Kernel *k)
{
    int *number = NEWN(e->arena, int, k->ninstr + 1), n = 0;
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_op && k->instr[i].op == OP_index_check)
            number[i] = n++;
    return number;
}

static int count_reductions(const Kernel *k)
{
    int n = 0;
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; i < k->stage[s].noutput; i++)
            n += k->stage[s].output[i].kind == OUT_reduce;
    return n;
}

/* To sort a few rows in registers is more than to go through them one by one,
 * if that is little. */
static int plan_few(const MapCode *m)
{
    enum { LITTLE = 400 };
    int weight = 1, n, most = 3 * m->lanes / 4;
    if (!has_strided(m->k) || m->scalar_tail || m->e->machine.has.small)
        return 0;
    for (int i = 0; i < m->k->ninstr; i++)
        if (m->k->instr[i].kind == I_op)
            weight += op_weight(m->k->instr[i].op);
    n = 1 + LITTLE / weight;
    return n < most ? n : most;
}

MapCode map_code(Emit *e, const Kernel *k)
{
    MapCode m = {
        .e = e,
        .k = k,
        .lanes = lanes_of_bytes(e, lane_bytes(k)),
        .together = 1,
        .bytes = lane_bytes(k),
        .scalar_tail = wants_scalar_tail(k, e),
        .one_loop = wants_one_loop(k, e),
        .lane = -1,
        .ragged = -1,
        .width = 1,
        .lower = {.ops = &llvm_ops, .e = e, .width = 1},
        .check = number_checks(e, k),
        .varies = NEWN(e->arena, bool, k->ninstr + 1),
        .ready = NEWN(e->arena, bool, k->ninstr + 1),
        .val = NEWN(e->arena, Val *, k->ninstr + 1),
        .result = NEWN(e->arena, Val *, count_reductions(k) + 1),
    };
    m.one_loop = m.one_loop && !m.scalar_tail;
    m.few = plan_few(&m);
    plan_vectors(&m);
    if (k->lanes)
        m.lanes = map_short_lanes(k->extent[k->rank - 1], m.lanes, false);
    return m;
}

/* Few iterations. */

bool few_wanted(const MapCode *m)
{
    return m->k->few && m->lanes > 1 && !m->e->machine.has.small;
}

LLVMBasicBlockRef few_fork(const MapCode *m, DimEnv *dims)
{
    Emit *e = m->e;
    const Kernel *k = m->k;
    LLVMBasicBlockRef few = code_block(e, "few"), many = code_block(e, "many");
    int most = m->lanes < FEW_ROWS ? m->lanes : FEW_ROWS;
    LLVMValueRef n = dim_code(e, dims, k->extent[k->rank - 1]);
    LLVMValueRef less =
        LLVMBuildICmp(e->builder, LLVMIntSLT, n, code_i64(e, most), "");
    LLVMBuildCondBr(e->builder, less, few, many);
    LLVMPositionBuilderAtEnd(e->builder, few);
    return many;
}

MapCode few_code(const MapCode *m)
{
    const Kernel *k = m->k;
    MapCode few = map_code(m->e, k->few);
    int own = kernel_ncheck(k) - kernel_ncheck(k->few);
    for (int i = 0; i < k->few->ninstr; i++)
        few.check[i] += own;
    return few;
}
