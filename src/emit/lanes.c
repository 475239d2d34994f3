/* lanes.c: loops of a map kernel, some of whose iterations are lanes. */
#include "emit/emit_internal.h"

Loop map_loop_begin(MapCode *m, LLVMValueRef first, LLVMValueRef last, int step,
                    int n, LLVMValueRef *carried)
{
    Emit *e = m->e;
    Loop l = loop_begin(e, first, last, code_i64(e, step), n, carried);
    for (int i = 0; i < n; i++)
        carried[i] = l.phi[i];
    m->enter[m->depth] = l.enter;
    m->var[m->depth++] = l.i;
    return l;
}

void map_loop_end(MapCode *m, Loop *l, LLVMValueRef *carried)
{
    loop_end(m->e, l, carried);
    m->depth--;
}

static LLVMValueRef lane_number(Emit *e, int width, LLVMValueRef i)
{
    i = LLVMBuildTrunc(e->builder, i, e->i32, "");
    return LLVMBuildICmp(e->builder, LLVMIntEQ, code_iota(e, e->i32, width),
                         code_splat(e, i, width), "");
}

void map_lane_loop(MapCode *m, LLVMValueRef first, LLVMValueRef last, int width,
                   bool masked, const Inside *in)
{
    Emit *e = m->e;
    int n = in->nacc * m->sums.sets;
    Loop l = map_loop_begin(m, first, last, width, n, in->acc);
    m->width = width;
    if (masked) {
        LLVMValueRef left = LLVMBuildSub(e->builder, last, l.i, "");
        LLVMValueRef most = code_i64(e, width);
        LLVMValueRef more =
            LLVMBuildICmp(e->builder, LLVMIntSLT, left, most, "");
        left = LLVMBuildSelect(e->builder, more, left, most, "");
        m->active = code_first_lanes(e, width, left);
        m->left = left;
        m->may_be_full = true;
    }
    if (width == 1 && in->nacc)
        m->one_lane = lane_number(e, m->sums.lanes,
                                  LLVMBuildSub(e->builder, l.i, first, ""));
    in->build(m, in->stage, in->acc, in->rank);
    m->active = m->one_lane = NULL;
    if (width > 1 && in->nacc)
        sums_next(m, in->acc, in->nacc);
    m->width = 1;
    map_loop_end(m, &l, in->acc);
}

static void vector_inside(MapCode *m, LLVMValueRef first, LLVMValueRef n,
                          const Inside *in)
{
    m->var[m->depth++] = first;
    m->width = m->lanes;
    m->active = n ? code_first_lanes(m->e, m->lanes, n) : NULL;
    m->left = n;
    m->may_be_full = false;
    in->build(m, in->stage, in->acc, in->rank);
    m->active = NULL;
    if (in->nacc)
        sums_next(m, in->acc, in->nacc);
    m->width = 1;
    m->depth--;
}

/* One vector from `first` on: a full one where n is NULL, else the first n
 * lanes of it if n is not 0. The branch is what code outside of the loop goes
 * before. */
static void one_vector(MapCode *m, LLVMValueRef first, LLVMValueRef n,
                       const Inside *in)
{
    LLVMBuilderRef b = m->e->builder;
    int count = in->nacc * m->sums.sets;
    LLVMValueRef *old = NEWN(m->e->arena, LLVMValueRef, count + 1);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(b);
    LLVMBasicBlockRef inside = code_block(m->e, "vector");
    LLVMBasicBlockRef on = code_block(m->e, "");
    LLVMValueRef any = n ? LLVMBuildIsNotNull(b, n, "") : NULL;
    bool always = !n || LLVMIsAConstantInt(n);
    m->enter[m->depth] =
        always ? LLVMBuildBr(b, inside) : LLVMBuildCondBr(b, any, inside, on);
    for (int i = 0; i < count; i++)
        old[i] = in->acc[i];
    LLVMPositionBuilderAtEnd(b, inside);
    vector_inside(m, first, n, in);
    inside = LLVMGetInsertBlock(b);
    LLVMBuildBr(b, on);
    LLVMMoveBasicBlockAfter(on, inside);
    LLVMPositionBuilderAtEnd(b, on);
    for (int i = 0; i < count && !always; i++)
        in->acc[i] = code_phi(m->e, old[i], from, in->acc[i], inside);
}

/* Is it known that n lie between them. */
static bool known_apart(LLVMValueRef first, LLVMValueRef last, int64_t n)
{
    return LLVMIsAConstantInt(first) && LLVMIsAConstantInt(last) &&
           LLVMConstIntGetSExtValue(last) - LLVMConstIntGetSExtValue(first) ==
               n;
}

/* Where the full vectors of first … last end; last is not before first then. */
static LLVMValueRef full_end(MapCode *m, LLVMValueRef first, LLVMValueRef *last,
                             const Inside *in)
{
    Emit *e = m->e;
    if (in->even)
        return *last;
    if (in->aligned)
        return code_down_to(e, *last, m->lanes);
    LLVMValueRef n = LLVMBuildSub(e->builder, *last, first, "");
    n = code_at_least(e, n, 0);
    *last = LLVMBuildAdd(e->builder, first, n, "");
    return LLVMBuildAdd(e->builder, first, code_down_to(e, n, m->lanes), "");
}

LLVMValueRef map_lanes_together(MapCode *m, LLVMValueRef first,
                                LLVMValueRef last, const Inside *in)
{
    Emit *e = m->e;
    int width = m->lanes * m->plan->together;
    LLVMValueRef n = LLVMBuildSub(e->builder, last, first, "");
    if (!in->aligned)
        n = code_at_least(e, n, 0);
    n = code_down_to(e, n, width);
    LLVMValueRef end = LLVMBuildAdd(e->builder, first, n, "");
    map_lane_loop(m, first, end, width, false, in);
    return end;
}

/* Where those of mid … last that are worth a vector end. */
static LLVMValueRef without_few(MapCode *m, LLVMValueRef mid, LLVMValueRef last)
{
    LLVMBuilderRef b = m->e->builder;
    LLVMValueRef left = LLVMBuildSub(b, last, mid, "");
    LLVMValueRef few =
        LLVMBuildICmp(b, LLVMIntSLE, left, code_i64(m->e, m->plan->few), "");
    return LLVMBuildSelect(b, few, mid, last, "");
}

/* What is left then, one by one; it is some vector's turn, too. */
static void few_left(MapCode *m, LLVMValueRef first, LLVMValueRef last,
                     const Inside *in)
{
    LLVMBuilderRef b = m->e->builder;
    int n = in->nacc * m->sums.sets;
    if (first == last || known_apart(first, last, 0))
        return;
    map_lane_loop(m, first, last, 1, false, in);
    LLVMValueRef any = LLVMBuildICmp(b, LLVMIntSLT, first, last, "");
    LLVMValueRef *next = NEWN(m->e->arena, LLVMValueRef, n + 1);
    for (int i = 0; i < n; i++)
        next[i] = in->acc[i];
    sums_next(m, next, in->nacc);
    for (int i = 0; i < n; i++)
        if (next[i] != in->acc[i])
            in->acc[i] = LLVMBuildSelect(b, any, next[i], in->acc[i], "");
}

void map_lane_loops(MapCode *m, LLVMValueRef first, LLVMValueRef last,
                    const Inside *in)
{
    Emit *e = m->e;
    int w = m->lanes;
    LLVMValueRef mid = full_end(m, first, &last, in);
    bool even = in->even || known_apart(mid, last, 0);
    LLVMValueRef rest =
        even || !m->plan->few ? last : without_few(m, mid, last);
    if (m->plan->tail == TAIL_always && !even) {
        map_lane_loop(m, first, rest, w, true, in);
        few_left(m, rest, last, in);
        return;
    }
    if (known_apart(first, mid, w))
        one_vector(m, first, NULL, in);
    else if (!known_apart(first, mid, 0))
        map_lane_loop(m, first, mid, w, false, in);
    if (even)
        return;
    if (m->plan->tail == TAIL_scalar)
        map_lane_loop(m, mid, last, 1, false, in);
    else if (rest != mid)
        one_vector(m, mid, LLVMBuildSub(e->builder, rest, mid, ""), in);
    few_left(m, rest, last, in);
}
