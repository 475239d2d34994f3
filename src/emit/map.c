/* map.c: map kernels: loops around stages of straight-line code. */
#include "emit/parallel.h"

Val *map_widen_to(MapCode *m, Val *v, int width)
{
    if (type_width(LLVMTypeOf(v->v)) == width)
        return v;
    return val_new(m->e, code_splat(m->e, v->v, width), v->t);
}

Val *map_widen(MapCode *m, Val *v) { return map_widen_to(m, v, m->width); }

/* Instructions. */

static void emit_instr(MapCode *m, int i)
{
    const Instr *in = &m->k->instr[i];
    m->lower.check = m->check[i];
    m->lower.once = m->depth == m->nfixed && m->width == 1;
    bool wide = m->width > 1 && m->st->across.varies[i];
    m->lower.width = wide ? m->width : 1;
    m->lower.active = wide ? m->active : NULL;
    debug_instr(m->e, m->k, i);
    switch (in->kind) {
    case I_op:
        if (ragged_holds(m, i))
            m->val[i] = low_bool(&m->lower, true);
        else if (!m->taken[i] && !m->ready[i])
            m->val[i] = m->product[i] ? muladd_code(m, i) : map_op(m, i);
        m->ready[i] = false;
        return;
    case I_load:
        if (!m->ready[i] && !strided_load(m, i))
            m->val[i] = map_load(m, in);
        m->ready[i] = false;
        return;
    case I_index:
        m->val[i] = map_index(m, in);
        return;
    case I_result:
        m->val[i] = low_convert(&m->lower, in->dtype, m->result[in->value]);
        return;
    }
}

static void emit_level(MapCode *m, const Stage *s, int level)
{
    for (int i = s->first; i < s->first + s->ninstr; i++)
        if (m->plan->level[i] == level)
            emit_instr(m, i);
}

/* Gives the accumulators of the outputs after it. */
static LLVMValueRef *emit_output(MapCode *m, const Output *o, LLVMValueRef *acc)
{
    switch (o->kind) {
    case OUT_store:
        map_store(m, o);
        break;
    case OUT_add:
        map_add(m, o);
        break;
    case OUT_reduce:
        reduce_step(m, o, acc);
        acc += reduce_count(o);
        break;
    }
    return acc;
}

/* Straight-line code: each output is stored as soon as its value is there and
 * its buffer no longer read, so that few values are alive at once. */
typedef struct Early {
    int *first; /* by instruction: 1 + the first output to store after it */
    int *next;  /* by output: 1 + the next one */
    int *after; /* by buffer, as the key numbers them: 1 + the instruction that
                   stores have to wait for */
} Early;

static int buffer_number(const MapCode *m, const Buffer *b)
{
    return m->number[b->id];
}

static int last_of(const Index *ix, int last)
{
    for (int i = 0; i < ix->n; i++) {
        const Atom *a = &ix->atom[i];
        if (a->kind == IX_value && a->value > last)
            last = a->value;
        if (a->of)
            last = last_of(a->of, last);
    }
    return last;
}

/* The last instruction that output o waits for. */
static int output_waits(const Output *o)
{
    int last = o->value;
    return last_of(o->at, last > o->pred ? last : o->pred);
}

static void plan_early(MapCode *m, const Stage *s, Early *y)
{
    Arena *a = m->e->arena;
    y->first = NEWN(a, int, s->ninstr + 1);
    y->next = NEWN(a, int, s->noutput + 1);
    y->after = NEWN(a, int, m->nbuffer + 1);
    for (int i = 0; i < s->ninstr; i++) {
        const Instr *in = &m->k->instr[s->first + i];
        if (in->kind == I_load)
            y->after[buffer_number(m, in->buffer)] = i + 1;
    }
    for (int i = 0; i < s->noutput; i++) {
        const Output *o = &s->output[i];
        int *after = &y->after[buffer_number(m, o->buffer)];
        int own = output_waits(o) - s->first + 1;
        *after = own > *after ? own : *after;
    }
    /* From the last, as each is put before those after the same one. */
    for (int i = s->noutput - 1; i >= 0; i--) {
        int at = y->after[buffer_number(m, s->output[i].buffer)];
        y->next[i] = y->first[at];
        y->first[at] = i + 1;
    }
}

static void store_after(MapCode *m, const Stage *s, const Early *y, int at)
{
    for (int i = y->first[at]; i; i = y->next[i - 1])
        emit_output(m, &s->output[i - 1], NULL);
}

/* The instructions and outputs of a stage without loops of its own, if it has
 * no reductions. */
static void emit_straight(MapCode *m, const Stage *s)
{
    Early y;
    plan_early(m, s, &y);
    store_after(m, s, &y, 0);
    for (int i = 0; i < s->ninstr; i++) {
        if (m->plan->level[s->first + i] == m->k->rank)
            emit_instr(m, s->first + i);
        store_after(m, s, &y, i + 1);
    }
}

/* Stages. */

static void emit_outputs(MapCode *m, const Stage *s, LLVMValueRef *acc)
{
    for (int i = 0; i < s->noutput; i++)
        acc = emit_output(m, &s->output[i], acc);
}

static int stage_accumulators(const Stage *s)
{
    int n = 0;
    for (int i = 0; i < s->noutput; i++)
        n += reduce_count(&s->output[i]);
    return n;
}

/* Whose accumulator number i of a set is. */
static const Output *accumulates(const Stage *s, int i)
{
    const Output *o = s->output;
    while (i >= reduce_count(o))
        i -= reduce_count(o++);
    return o;
}

static void start_all(MapCode *m, const Stage *s, int width, LLVMValueRef *acc)
{
    for (int i = 0; i < s->noutput; i++) {
        const Output *o = &s->output[i];
        if (o->kind == OUT_reduce)
            reduce_start(m, o, width, acc);
        acc += reduce_count(o);
    }
}

static void stage_loops(MapCode *m, const Stage *s, LLVMValueRef *acc, int j);

/* The extent of a loop, 0 where it is negative, from before all loops. */
static LLVMValueRef extent(MapCode *m, const Dim *d)
{
    Place back = code_go(m->e, m->dims.before);
    LLVMValueRef n = code_at_least(m->e, dim_code(m->e, &m->dims, d), 0);
    code_back(m->e, back);
    return n;
}

static bool is_multiple(const Dim *d, int lanes)
{
    int64_t n;
    return dim_const_value(d, &n) && n % lanes == 0;
}

/* The sets' first turn again after these values. */
static void restart(MapCode *m, LLVMValueRef *acc, int nacc, LLVMValueRef first,
                    LLVMValueRef last)
{
    Emit *e = m->e;
    LLVMValueRef n = LLVMBuildSub(e->builder, last, first, "");
    int up = m->plan->tail == TAIL_scalar ? 0 : m->lanes - 1;
    n = LLVMBuildAdd(e->builder, n, code_i64(e, up), "");
    n = LLVMBuildSDiv(e->builder, n, code_i64(e, m->lanes), "");
    sums_restart(m, acc, nacc, n);
}

/* What fills all slots at once; gives where it ends. */
static LLVMValueRef wide_loop(MapCode *m, const Stage *s, LLVMValueRef *acc,
                              LLVMValueRef first, LLVMValueRef last)
{
    Emit *e = m->e;
    const Sums sums = m->sums;
    int nacc = stage_accumulators(s);
    LLVMValueRef *wide = sums_together(m, acc, nacc);
    LLVMValueRef end = code_down_to(e, last, sums.wide);
    m->sums.lanes = sums.wide;
    m->sums.sets = 1;
    map_lane_loop(m, first, end, sums.wide, false,
                  &(Inside){stage_loops, s, wide, nacc, s->rank, true, true});
    m->sums = sums;
    sums_apart(m, wide, nacc, acc);
    return end;
}

/* The last loop, along lanes. Rows begin with the first slots. */
static void lanes_of_stage(MapCode *m, const Stage *s, LLVMValueRef *acc,
                           LLVMValueRef first, LLVMValueRef last)
{
    int nacc = stage_accumulators(s);
    bool even =
        m->st->ragged < 0 && is_multiple(s->extent[s->rank - 1], m->lanes);
    if (m->sums.wide)
        first = wide_loop(m, s, acc, first, last);
    map_lane_loops(m, first, last,
                   &(Inside){stage_loops, s, acc, nacc, s->rank, true, even});
    if (m->sums.sets > 1 && s->rank > 1)
        restart(m, acc, nacc, first, last);
}

/* Iterations first … last - 1 of the stage's loop j. */
static void stage_range(MapCode *m, const Stage *s, LLVMValueRef *acc, int j,
                        LLVMValueRef first, LLVMValueRef last)
{
    if (m->st->inside && j == s->rank - 1) {
        lanes_of_stage(m, s, acc, first, last);
        return;
    }
    int n = m->sums.sets * stage_accumulators(s);
    if (m->sums.blocks && j < m->sums.cut)
        n += m->sums.nkept;
    Loop l = map_loop_begin(m, first, last, 1, n, acc);
    stage_loops(m, s, acc, j + 1);
    map_loop_end(m, &l, acc);
}

/* A loop that is cut within others, block after block. */
static void inner_blocks(MapCode *m, const Stage *s, LLVMValueRef *acc,
                         LLVMValueRef n)
{
    Emit *e = m->e;
    int nacc = stage_accumulators(s);
    int count = m->sums.sets * nacc + m->sums.nkept;
    LLVMValueRef block = code_i64(e, m->sums.block);
    Loop l = loop_begin(e, code_i64(e, 0), n, block, count, acc);
    for (int i = 0; i < count; i++)
        acc[i] = l.phi[i];
    LLVMValueRef end = LLVMBuildNSWAdd(e->builder, l.i, block, "");
    end = code_smaller(e, end, n);
    stage_range(m, s, acc, m->sums.cut, l.i, end);
    sums_cut(m, s, acc, nacc, LLVMBuildSub(e->builder, end, l.i, ""));
    loop_end(e, &l, acc);
}

/* Is value i of those around the blocks an accumulator that begins anew in
 * each. */
static bool begins_anew(MapCode *m, const Stage *s, int nacc, int i)
{
    return i < m->sums.sets * nacc &&
           sum_rounds(m->k, accumulates(s, i % nacc));
}

/* The end of the first block: that is all if it is `most`. */
static LLVMValueRef first_end(MapCode *m, LLVMValueRef n)
{
    Emit *e = m->e;
    Place back = m->st->ragged < 0 ? code_go(e, m->dims.before) : code_place(e);
    LLVMValueRef more =
        LLVMBuildICmp(e->builder, LLVMIntSGT, n, code_i64(e, m->sums.most), "");
    LLVMValueRef end =
        LLVMBuildSelect(e->builder, more, code_i64(e, m->sums.block), n, "");
    code_back(e, back);
    return end;
}

/* The blocks of the outermost loop. */
typedef struct Blocks {
    LLVMBasicBlockRef before, body, end, put, on;
    LLVMValueRef first, last; /* phis: of the present block */
    LLVMValueRef *phi;        /* of what goes around */
} Blocks;

static Blocks open_blocks(MapCode *m, const Stage *s, LLVMValueRef *acc,
                          int nacc, LLVMValueRef n)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    int naccs = m->sums.sets * nacc, count = naccs + m->sums.nkept;
    Blocks k = {.before = LLVMGetInsertBlock(b),
                .body = code_block(e, "block"),
                .put = code_block(e, "put"),
                .on = code_block(e, "")};
    LLVMValueRef start[] = {code_i64(e, 0), first_end(m, n)};
    LLVMBuildBr(b, k.body);
    LLVMPositionBuilderAtEnd(b, k.body);
    k.first = LLVMBuildPhi(b, e->i64, "");
    k.last = LLVMBuildPhi(b, e->i64, "");
    LLVMAddIncoming(k.first, &start[0], &k.before, 1);
    LLVMAddIncoming(k.last, &start[1], &k.before, 1);
    k.phi = NEWN(e->arena, LLVMValueRef, count + 1);
    for (int i = 0; i < count; i++) {
        if (begins_anew(m, s, nacc, i))
            continue;
        LLVMTypeRef t = LLVMTypeOf(acc[i]);
        LLVMValueRef from = i < naccs ? acc[i] : LLVMGetPoison(t);
        k.phi[i] = LLVMBuildPhi(b, t, "");
        LLVMAddIncoming(k.phi[i], &from, &k.before, 1);
        acc[i] = k.phi[i];
    }
    return k;
}

/* The totals before this block: what does not get here needs none. */
static void find_totals(MapCode *m, LLVMValueRef *kept, const Blocks *k)
{
    LLVMBuilderRef b = m->e->builder;
    LLVMValueRef some = LLVMBuildIsNotNull(b, k->first, "");
    for (int i = 0; i < m->sums.nkept; i++)
        kept[i] = LLVMBuildSelect(b, some, kept[i],
                                  LLVMConstNull(LLVMTypeOf(kept[i])), "");
}

/* Out of the way, where there are more: the total, and the next block. */
static void next_block(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc,
                       LLVMValueRef n, Blocks *k)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    int count = m->sums.sets * nacc + m->sums.nkept;
    LLVMPositionBuilderAtEnd(b, k->put);
    if (m->sums.sets > 1 && m->sums.cut == s->rank - 1)
        restart(m, acc, nacc, k->first, k->last);
    find_totals(m, acc + m->sums.sets * nacc, k);
    sums_put(m, s, acc, nacc);
    LLVMValueRef block = code_i64(e, m->sums.block);
    LLVMValueRef end =
        code_smaller(e, LLVMBuildNSWAdd(b, k->last, block, ""), n);
    LLVMValueRef again = LLVMBuildICmp(b, LLVMIntSLT, k->last, n, "");
    LLVMBuildCondBr(b, again, k->body, k->on);
    LLVMAddIncoming(k->first, &k->last, &k->put, 1);
    LLVMAddIncoming(k->last, &end, &k->put, 1);
    for (int i = 0; i < count; i++)
        if (k->phi[i])
            LLVMAddIncoming(k->phi[i], &acc[i], &k->put, 1);
}

/* The outermost loop, cut. */
static void outer_blocks(MapCode *m, const Stage *s, LLVMValueRef *acc,
                         LLVMValueRef n)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    int nacc = stage_accumulators(s), naccs = m->sums.sets * nacc;
    LLVMValueRef *old = NEWN(e->arena, LLVMValueRef, naccs + 1);
    Blocks k = open_blocks(m, s, acc, nacc, n);
    stage_range(m, s, acc, 0, k.first, k.last);
    k.end = LLVMGetInsertBlock(b);
    LLVMValueRef more =
        LLVMBuildICmp(b, LLVMIntSGT, n, code_i64(e, m->sums.most), "");
    code_seldom(e, LLVMBuildCondBr(b, more, k.put, k.on), 0);
    for (int i = 0; i < naccs; i++)
        old[i] = acc[i];
    next_block(m, s, acc, nacc, n, &k);
    LLVMMoveBasicBlockAfter(k.put, k.end);
    LLVMMoveBasicBlockAfter(k.on, k.put);
    LLVMPositionBuilderAtEnd(b, k.on);
    for (int i = 0; i < naccs; i++)
        if (acc[i] != old[i])
            acc[i] = code_phi(e, old[i], k.end, acc[i], k.put);
}

/* The stage's loops from number j on, and what is in them. */
static void stage_loops(MapCode *m, const Stage *s, LLVMValueRef *acc, int j)
{
    if (j > 0)
        emit_level(m, s, m->k->rank + j);
    if (j == s->rank) {
        emit_outputs(m, s, acc);
        return;
    }
    LLVMValueRef n = extent(m, s->extent[j]);
    if (m->st->ragged >= 0 && j == s->rank - 1)
        n = ragged_end(m, n);
    if (!m->sums.blocks || j != m->sums.cut)
        stage_range(m, s, acc, j, code_i64(m->e, 0), n);
    else if (j > 0)
        inner_blocks(m, s, acc, n);
    else
        outer_blocks(m, s, acc, n);
}

/* What the accumulators and totals come to, the stage's results. */
static void finish_all(MapCode *m, const Stage *s, int nacc, LLVMValueRef *acc)
{
    int number = s->reduction;
    if (m->sums.cut > 0)
        sums_put(m, s, acc, nacc);
    for (int i = 0; i < s->noutput; acc += reduce_count(&s->output[i++])) {
        const Output *o = &s->output[i];
        int count = reduce_count(o), of = count == 2 ? o->index : o->value;
        if (!count)
            continue;
        LLVMValueRef *v = sums_join(m, o, nacc, acc);
        m->result[number++] =
            val_new(m->e, v[count - 1], m->k->instr[of].dtype);
    }
}

static void emit_stage(MapCode *m, const Stage *s)
{
    int nacc = stage_accumulators(s), lanes = m->lanes;
    m->stage = s;
    m->st = &m->plan->stage[s - m->k->stage];
    m->lanes = m->st->lanes;
    if (s->rank == 0 && nacc == 0) {
        emit_straight(m, s);
        return;
    }
    emit_level(m, s, m->k->rank);
    map_keep_errors(m, s);
    m->sums = m->st->sums;
    if (!m->st->inside)
        m->sums.lanes = m->width;
    int sets = m->sums.sets;
    LLVMValueRef *acc =
        NEWN(m->e->arena, LLVMValueRef, sets * nacc + m->sums.nkept + 1);
    for (int i = 0; i < sets; i++)
        start_all(m, s, m->sums.lanes, acc + i * nacc);
    sums_begin(m, s, acc + sets * nacc);
    stage_loops(m, s, acc, 0);
    finish_all(m, s, nacc, acc);
    m->lanes = lanes;
}

/* The outer loops from number d on. */
static void outer_loops(MapCode *m, const Stage *none, LLVMValueRef *acc, int d)
{
    const Kernel *k = m->k;
    Emit *e = m->e;
    if (d == k->rank) {
        for (int s = 0; s < k->nstage; s++)
            emit_stage(m, &k->stage[s]);
        return;
    }
    for (int s = 0; s < k->nstage; s++)
        emit_level(m, &k->stage[s], d);
    bool ranged = m->lo && d == m->nfixed;
    LLVMValueRef first = ranged ? m->lo : code_i64(e, 0);
    LLVMValueRef last = ranged ? m->hi : extent(m, k->extent[d]);
    if (m->plan->outside && d == k->rank - 1) {
        bool aligned = !ranged || m->even_lo;
        bool even = aligned && is_multiple(k->extent[d], m->lanes);
        Inside in = {outer_loops, none, acc, 0, d + 1, aligned, even};
        if (m->plan->together > 1)
            first = map_lanes_together(m, first, last, &in);
        map_lane_loops(m, first, last, &in);
        return;
    }
    Loop l = map_loop_begin(m, first, last, 1, 0, NULL);
    outer_loops(m, none, acc, d + 1);
    map_loop_end(m, &l, NULL);
}

/* Addresses, dimensions, status: what the entry block computes. Ends it. */
static void emit_entry(MapCode *m, const KernelKey *key, bool rows)
{
    Emit *e = m->e;
    LLVMValueRef fn = code_here(e);
    m->nbuffer = key->nbuffer;
    m->number = buffer_numbers(e->arena, key);
    if (key->nbuffer <= MANY_BUFFERS)
        m->buffer = code_buffers(e, key, LLVMGetParam(fn, 0));
    m->dims = dim_env_checked(e, key->var, key->nvar, LLVMGetParam(fn, 1));
    if (rows) {
        m->lo = LLVMGetParam(fn, 2);
        m->hi = LLVMGetParam(fn, 3);
    }
    for (int i = 0; i < m->nfixed; i++)
        m->var[i] = code_load(
            e, e->i64, code_at(e, e->i64, LLVMGetParam(fn, 4), code_i64(e, i)),
            8);
    LLVMBasicBlockRef start = code_block(e, "start");
    m->dims.before = m->checks.init = LLVMBuildBr(e->builder, start);
    for (int i = 0; i < m->nfixed; i++)
        m->enter[i] = m->dims.before;
    m->depth = m->nfixed;
    m->lower.dims = &m->dims;
    LLVMPositionBuilderAtEnd(e->builder, start);
}

/* The checks' slots are cleared at each step. */
static void begin_checks(MapCode *m)
{
    Emit *e = m->e;
    LLVMBasicBlockRef start = code_block(e, "");
    m->checks.init = LLVMBuildBr(e->builder, start);
    LLVMPositionBuilderAtEnd(e->builder, start);
}

static Failure map_here(MapCode m, const MapPlace *p);

/* Either nest; how it ended. */
static Failure either_here(const MapCode *m, const MapPlace *p)
{
    Emit *e = m->e;
    LLVMBasicBlockRef on = code_block(e, ""), few, many;
    many = few_fork(m, p->dims);
    Failure a = map_here(few_code(m), p);
    few = LLVMGetInsertBlock(e->builder);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, many);
    Failure b = map_here(*m, p);
    many = LLVMGetInsertBlock(e->builder);
    LLVMBuildBr(e->builder, on);
    LLVMMoveBasicBlockAfter(on, many);
    LLVMPositionBuilderAtEnd(e->builder, on);
    return failure_phi(e, a, few, b, many);
}

static Failure map_here(MapCode m, const MapPlace *p)
{
    Emit *e = m.e;
    LLVMValueRef none[1];
    m.buffer = p->address;
    m.in_register = p->in_register;
    m.nbuffer = p->nbuffer;
    m.number = NEWN(e->arena, int, p->nbuffer + 1);
    for (int i = 0; i < p->nbuffer; i++)
        m.number[i] = i;
    m.dims = *p->dims;
    m.lower.dims = &m.dims;
    m.lower.checks = &m.checks;
    if (kernel_ncheck(m.k))
        begin_checks(&m);
    outer_loops(&m, NULL, none, 0);
    *p->dims = m.dims;
    return checks_finish(e, &m.checks);
}

Failure emit_map_here(Emit *e, const Kernel *k, const MapPlace *p)
{
    MapCode m =
        map_code(e, map_schedule(&e->chooser, k, (MapUse){.step = true}));
    return m.plan->less ? either_here(&m, p) : map_here(m, p);
}

/* Returns the status, and behind the dimensions what there is to tell. */
static void map_return(MapCode *m, int nvar)
{
    Emit *e = m->e;
    LLVMValueRef ok = LLVMConstInt(e->i32, NN_OK, false);
    Failure f = checks_finish(e, &m->checks);
    if (f.status) {
        LLVMBasicBlockRef bad = code_block(e, "bad"), on = code_block(e, "");
        LLVMBuildCondBr(e->builder,
                        LLVMBuildIsNotNull(e->builder, f.status, ""), bad, on);
        LLVMPositionBuilderAtEnd(e->builder, bad);
        check_tell(e, LLVMGetParam(code_here(e), 1), nvar, f.index, f.limit);
        LLVMBuildRet(e->builder, f.status);
        LLVMPositionBuilderAtEnd(e->builder, on);
    }
    LLVMBuildRet(e->builder, ok);
}

static void emit_function_body(MapCode *m, const KernelKey *key, int nfixed,
                               bool rows)
{
    LLVMValueRef none[1];
    m->nfixed = nfixed;
    m->lower.checks = &m->checks;
    m->checks.nvar = key->nvar;
    emit_entry(m, key, rows);
    outer_loops(m, NULL, none, nfixed);
    map_return(m, key->nvar);
}

/* The nest for few iterations, if there are few; else goes on. */
static void emit_few(const MapCode *m, const KernelKey *key)
{
    Emit *e = m->e;
    LLVMValueRef dims = LLVMGetParam(code_here(e), 1);
    DimEnv env = dim_env_checked(e, key->var, key->nvar, dims);
    LLVMBasicBlockRef many = few_fork(m, &env);
    MapCode few = few_code(m);
    emit_function_body(&few, key, 0, false);
    LLVMPositionBuilderAtEnd(e->builder, many);
}

void emit_map(Emit *e, const Kernel *k, const KernelKey *key)
{
    MapCode m = map_code(e, map_schedule(&e->chooser, k, (MapUse){0}));
    if (m.plan->less)
        emit_few(&m, key);
    m.even_lo = k->lanes;
    emit_function_body(&m, key, 0, runs_in_pieces(e, k));
}

void emit_map_rows(Emit *e, const Kernel *k, const KernelKey *key, int nfixed)
{
    MapCode m =
        map_code(e, map_schedule(&e->chooser, k, (MapUse){.nfixed = nfixed}));
    emit_function_body(&m, key, nfixed, true);
}
