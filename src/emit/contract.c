/* contract.c: contraction kernels: batch loops around the product of two
 * matrices. */
#include "emit/parallel.h"
#include "emit/product.h"

/* A contraction kernel being built. */
typedef struct ContractCode {
    Emit *e;
    const Kernel *k;
    const Contract *c;
    ProductSchedule plan;
    DimEnv dims;
    LLVMValueRef *buffer; /* by Buffer.id */
    LLVMValueRef bufs, dim_array;
    LLVMValueRef piece, whole; /* its number, i1; NULL: there are no pieces */
    LLVMValueRef fixed;        /* i64s: the batch loops' variables */
    LLVMValueRef epilogue, status; /* function or null; slot */
    LLVMValueRef window;           /* see product.h */
} ContractCode;

static MicroShape pair_shape(const ProductSchedule *p)
{
    return micro_shape(&p->tile, 2, p->tile.width, true, p->windows);
}

void contract_helpers(Emit *e, const Kernel *k, Helpers *h)
{
    const Contract *c = k->contract;
    ProductSchedule p = product_schedule(&e->chooser, k);
    if (p.loops)
        return;
    product_helpers(e, p.t, &p.tile, p.windows, h);
    for (int i = 0; i < 3; i++)
        if (p.pass[i])
            helper_add(e, h, micro_helper(e, p.t, p.shape[i]));
    if (p.pair)
        helper_add(e, h, micro_helper(e, p.t, pair_shape(&p)));
    if (c->pack)
        helper_add(e, h, pack_helper(e, p.t, p.b.kind, p.tile.panel));
    if (c->pack_a)
        helper_add(e, h, pack_helper(e, p.t, p.a.kind, LONG_ROWS));
    if (p.row)
        helper_add(e, h, stream_helper(e, p.t, p.row));
    if (p.outer)
        helper_add(e, h, stream_helper(e, p.t, STREAM_outer));
}

/* Kernels */

static LLVMValueRef number(ContractCode *q, const Dim *d)
{
    return dim_code(q->e, &q->dims, d);
}

/* How far x moves along a loop. */
static LLVMValueRef step(ContractCode *q, const Index *x, int loop)
{
    const Dim *d = index_coef(x, loop);
    return d ? number(q, d) : code_i64(q->e, 0);
}

/* The place that x is where all loops but those of batches begin. */
static LLVMValueRef batch_base(ContractCode *q, const Buffer *b, const Index *x,
                               const LLVMValueRef *var)
{
    Emit *e = q->e;
    LLVMValueRef at = number(q, x->base);
    for (int i = 0; i < q->c->nbatch; i++)
        at = code_plus(e, at, code_times(e, step(q, x, i), var[i]));
    return code_at(e, type_of(e, q->plan.t), q->buffer[b->id], at);
}

static LLVMValueRef is_at_least(ContractCode *q, LLVMValueRef v, int64_t least)
{
    return LLVMBuildICmp(q->e->builder, LLVMIntSGE, v, code_i64(q->e, least),
                         "");
}

static LLVMValueRef is_one(ContractCode *q, const Dim *d)
{
    return LLVMBuildICmp(q->e->builder, LLVMIntEQ, number(q, d),
                         code_i64(q->e, 1), "");
}

static LLVMValueRef both(ContractCode *q, LLVMValueRef x, LLVMValueRef y)
{
    return LLVMBuildAnd(q->e->builder, x, y, "");
}

/* fn where `when` holds, else null. */
static LLVMValueRef if_so(ContractCode *q, LLVMValueRef when, LLVMValueRef fn)
{
    return LLVMBuildSelect(q->e->builder, when, fn, LLVMConstNull(q->e->ptr),
                           "");
}

static void store_word(ContractCode *q, LLVMValueRef window, int at,
                       LLVMValueRef v)
{
    Emit *e = q->e;
    code_store(e, v, code_at(e, e->i64, window, code_i64(e, at)), 8);
}

/* Loops last - n + 1 … last of a factor, the innermost first. */
static void store_loops(ContractCode *q, LLVMValueRef window, int which,
                        const Index *x, int last, int n)
{
    int at = which * LOOPS_WORDS;
    store_word(q, window, at++, code_i64(q->e, n));
    for (int v = last; v > last - n; v--) {
        store_word(q, window, at++,
                   number(q, loop_extent(q->k, q->k->stage, v)));
        store_word(q, window, at++, step(q, x, v));
    }
}

/* Those of a packed b: one, longer than a block. */
static void store_panel(ContractCode *q, LLVMValueRef window)
{
    int at = LOOPS_panel * LOOPS_WORDS;
    store_word(q, window, at++, code_i64(q->e, 1));
    store_word(q, window, at++, code_i64(q->e, K_BLOCK + 1));
    store_word(q, window, at, code_i64(q->e, q->plan.tile.panel));
}

static LLVMValueRef window_of(ContractCode *q)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    LLVMValueRef w = code_slot(e, LLVMArrayType(e->i64, WINDOW_WORDS), 8);
    store_loops(q, w, LOOPS_rows, c->a->at, loop_m(c), c->nrows);
    store_loops(q, w, LOOPS_a, c->a->at, loop_k(c), c->ndepth);
    store_loops(q, w, LOOPS_b, c->b->at, loop_k(c), c->ndepth);
    store_panel(q, w);
    return w;
}

static LLVMValueRef stream_of(ContractCode *q)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    LLVMValueRef fn = LLVMConstNull(e->ptr), when = is_one(q, c->m);
    if (q->plan.outer) {
        fn = helper_function(e, stream_helper(e, q->plan.t, STREAM_outer));
        fn = if_so(q, is_one(q, c->k), fn);
    }
    if (!q->plan.row)
        return fn;
    if (!q->plan.only_row && q->plan.row_from)
        when = both(q, when, is_at_least(q, number(q, c->n), q->plan.row_from));
    LLVMValueRef row =
        helper_function(e, stream_helper(e, q->plan.t, q->plan.row));
    return LLVMBuildSelect(e->builder, when, row, fn, "");
}

/* fn where a factor whose terms are so far apart is packed, the other one
 * having so many rows or columns; else null. */
static LLVMValueRef packs(ContractCode *q, const PackRule *r, LLVMValueRef fn,
                          LLVMValueRef stride, const Dim *others)
{
    if (r->always || r->never)
        return r->always ? fn : LLVMConstNull(q->e->ptr);
    LLVMValueRef far = is_at_least(q, stride, r->stride);
    far = both(q, far, is_at_least(q, number(q, q->c->k), r->depth));
    LLVMValueRef many = is_at_least(q, number(q, others), r->others);
    return if_so(q, both(q, far, many), fn);
}

/* The least of a dimension and a number. */
static LLVMValueRef at_most(ContractCode *q, const Dim *d, int64_t most)
{
    return code_smaller(q->e, number(q, d), code_i64(q->e, most));
}

/* This piece's part of a buffer in which each has so many elements. */
static LLVMValueRef room_in(ContractCode *q, const Buffer *b, LLVMValueRef each)
{
    Emit *e = q->e;
    LLVMValueRef at = q->buffer[b->id];
    return q->piece ? code_at(e, type_of(e, q->plan.t), at,
                              code_times(e, q->piece, each))
                    : at;
}

/* Columns that there is room for packed. */
static LLVMValueRef pack_columns(ContractCode *q)
{
    Emit *e = q->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef all = code_i64(e, PACK_COLUMNS), unit = code_i64(e, PACK_UNIT);
    if (!q->piece || !q->c->pack)
        return all;
    LLVMValueRef n = code_plus(e, number(q, q->c->n),
                               code_i64(e, PACK_UNIT * q->c->rooms - 1));
    n = LLVMBuildUDiv(b, code_smaller(e, n, all),
                      code_i64(e, PACK_UNIT * q->c->rooms), "");
    return LLVMBuildSelect(b, q->whole, all, code_times(e, n, unit), "");
}

static void pack_arguments(ContractCode *q, LLVMValueRef *arg)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    const ProductSchedule *p = &q->plan;
    if (c->pack_a) {
        LLVMValueRef fn =
            helper_function(e, pack_helper(e, p->t, p->a.kind, LONG_ROWS));
        LLVMValueRef each =
            code_times(e, at_most(q, c->k, K_BLOCK), code_i64(e, LONG_ROWS));
        arg[ARG_a_panels] = room_in(q, c->pack_a, each);
        arg[ARG_pack_a] =
            packs(q, &p->a, fn, step(q, c->a->at, loop_k(c)), c->n);
    }
    if (!c->pack)
        return;
    LLVMValueRef fn =
        helper_function(e, pack_helper(e, p->t, p->b.kind, p->tile.panel));
    arg[ARG_b_panels] = room_in(
        q, c->pack, code_times(e, at_most(q, c->k, K_BLOCK), arg[ARG_columns]));
    arg[ARG_pack_b] = packs(q, &p->b, fn, step(q, c->b->at, loop_k(c)), c->m);
}

static void micro_arguments(ContractCode *q, LLVMValueRef *arg)
{
    for (int i = 0; i < 3; i++) {
        const MicroShape *s = &q->plan.shape[i];
        int step = i == q->plan.tile.passes - 1 ? ARG_step : ARG_step_vectors;
        if (i)
            arg[step] = code_i64(q->e, (int64_t)s->vectors * s->width);
        if (q->plan.pass[i])
            arg[ARG_micro + i] =
                helper_function(q->e, micro_helper(q->e, q->plan.t, *s));
    }
}

/* The last pass by two vectors, where that is how much is left. */
static void choose_pair(ContractCode *q, LLVMValueRef *arg)
{
    Emit *e = q->e;
    LLVMBuilderRef b = e->builder;
    MicroShape s = pair_shape(&q->plan);
    int last = ARG_micro + q->plan.tile.passes - 1;
    LLVMValueRef n = arg[ARG_n], width = code_i64(e, s.width);
    LLVMValueRef both = code_i64(e, 2 * s.width);
    LLVMValueRef left =
        LLVMBuildSub(b, n, code_down_to(e, n, q->plan.tile.panel), "");
    LLVMValueRef right = LLVMBuildICmp(b, LLVMIntSLE, left, both, "");
    LLVMValueRef is = LLVMBuildAnd(
        b, LLVMBuildICmp(b, LLVMIntSGT, left, width, ""), right, "");
    arg[last] = LLVMBuildSelect(
        b, is, helper_function(e, micro_helper(e, q->plan.t, s)), arg[last],
        "");
    arg[ARG_step] = LLVMBuildSelect(b, is, both, arg[ARG_step], "");
}

/* Rows that the epilogue finds in the cache of the first level. */
static LLVMValueRef epilogue_rows(ContractCode *q)
{
    Emit *e = q->e;
    if (!q->epilogue)
        return code_i64(e, LONG_ROWS);
    LLVMValueRef most = code_i64(e, q->plan.rows_columns);
    LLVMValueRef n = code_at_least(e, number(q, q->c->n), 1);
    LLVMValueRef times =
        code_at_least(e, LLVMBuildUDiv(e->builder, most, n, ""), 1);
    return code_smaller(e, code_times(e, times, code_i64(e, q->plan.rows)),
                        code_i64(e, LONG_ROWS));
}

/* Sums and errors of some rows. */
static LLVMValueRef totals_room(ContractCode *q)
{
    int64_t m;
    bool few = dim_const_value(q->c->m, &m) && m < LONG_ROWS;
    return code_times(q->e, number(q, q->c->n),
                      code_i64(q->e, 2 * (few ? m : LONG_ROWS)));
}

/* The product at one point of the batch loops. */
static void call_product(ContractCode *q, LLVMValueRef from, LLVMValueRef to,
                         const LLVMValueRef *var)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    LLVMValueRef null = LLVMConstNull(e->ptr);
    LLVMValueRef arg[NARGS_WINDOWS] = {
        [ARG_from] = from,
        [ARG_to] = to,
        [ARG_n] = number(q, c->n),
        [ARG_k] = number(q, c->k),
        [ARG_a] = batch_base(q, c->a->buffer, c->a->at, var),
        [ARG_a_m] = step(q, c->a->at, loop_m(c)),
        [ARG_a_k] = step(q, c->a->at, loop_k(c)),
        [ARG_b] = batch_base(q, c->b->buffer, c->b->at, var),
        [ARG_b_k] = step(q, c->b->at, loop_k(c)),
        [ARG_b_n] = step(q, c->b->at, loop_n(c)),
        [ARG_out] = batch_base(q, c->out->buffer, c->out->at, var),
        [ARG_out_m] = step(q, c->out->at, loop_m(c)),
        [ARG_rows] = epilogue_rows(q),
        [ARG_columns] = pack_columns(q),
        [ARG_unit] = c->flat ? number(q, c->n) : code_i64(e, 1),
        [ARG_stream] = stream_of(q),
        [ARG_epilogue] = q->epilogue,
        [ARG_bufs] = q->bufs,
        [ARG_dims] = q->dim_array,
        [ARG_fixed] = q->fixed,
    };
    if (c->totals)
        arg[ARG_totals] = room_in(q, c->totals, totals_room(q));
    pack_arguments(q, arg);
    micro_arguments(q, arg);
    if (q->plan.pair)
        choose_pair(q, arg);
    for (int i = 0; i < NARGS; i++)
        if (!arg[i])
            arg[i] = i < ARG_first_pointer ? code_i64(e, 0) : null;
    if (q->plan.windows)
        arg[ARG_window] = q->window;
    LLVMValueRef product = helper_function(
        e, product_helper(e, q->plan.t, &q->plan.tile, q->plan.windows));
    LLVMValueRef status =
        code_call(e, product, arg, q->plan.windows ? NARGS_WINDOWS : NARGS);
    keep_status(e, status, q->status);
}

static void emit_batches(ContractCode *q, LLVMValueRef lo, LLVMValueRef hi)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    Loop loop[MAX_RANK];
    LLVMValueRef var[MAX_RANK], zero = code_i64(e, 0);
    for (int i = 0; i < c->nbatch; i++) {
        loop[i] =
            loop_begin(e, i ? zero : lo, i ? number(q, q->k->extent[i]) : hi,
                       code_i64(e, 1), 0, NULL);
        var[i] = loop[i].i;
        code_store(e, var[i], code_at(e, e->i64, q->fixed, code_i64(e, i)), 8);
    }
    call_product(q, c->nbatch ? zero : lo, c->nbatch ? number(q, c->m) : hi,
                 var);
    for (int i = c->nbatch; i-- > 0;)
        loop_end(e, &loop[i], NULL);
}

LLVMValueRef emit_epilogue(Emit *e, const Kernel *k)
{
    const Kernel *epilogue = k->epilogue;
    const Use *use = unit_use(e, k);
    const char *name = arena_printf(e->arena, "epilogue%d", use->unit);
    bool build;
    LLVMValueRef fn =
        share_epilogue(e, name, use->unit, epilogue_type(e), &build);
    if (!build)
        return fn;
    Place back = code_begin(e, fn);
    debug_function(e, fn, name, epilogue->span);
    emit_map_rows(e, epilogue, &use->key, k->contract->nbatch);
    code_back(e, back);
    return fn;
}

static void emit_entry(ContractCode *q, const KernelKey *key, LLVMValueRef fn,
                       bool pieces)
{
    Emit *e = q->e;
    q->bufs = LLVMGetParam(fn, 0);
    q->dim_array = LLVMGetParam(fn, 1);
    q->buffer = code_buffers(e, key, q->bufs);
    q->dims = dim_env_checked(e, key->var, key->nvar, q->dim_array);
    q->status = code_slot(e, e->i32, 4);
    code_store(e, LLVMConstInt(e->i32, NN_OK, false), q->status, 4);
    if (q->c->rooms && pieces) {
        LLVMValueRef piece = LLVMGetParam(fn, 4);
        q->piece = code_at_least(e, piece, 0);
        q->whole =
            LLVMBuildICmp(e->builder, LLVMIntSLT, piece, code_i64(e, 0), "");
    }
    q->fixed =
        code_slot(e, LLVMArrayType(e->i64, (unsigned)q->c->nbatch + 1), 8);
    LLVMBasicBlockRef start = code_block(e, "start");
    q->dims.before = LLVMBuildBr(e->builder, start);
    LLVMPositionBuilderAtEnd(e->builder, start);
}

void emit_contract(Emit *e, const Kernel *k, const KernelKey *key)
{
    LLVMValueRef fn = code_here(e);
    ContractCode q = {.e = e, .k = k, .c = k->contract};
    q.plan = product_schedule(&e->chooser, k);
    if (q.plan.loops) {
        emit_map(e, k, key);
        return;
    }
    if (k->epilogue)
        q.epilogue = emit_epilogue(e, k);
    emit_entry(&q, key, fn, runs_in_pieces(e, k));
    if (q.plan.windows)
        q.window = window_of(&q);
    emit_batches(&q, kernel_lo(e, fn), kernel_hi(e, fn));
    LLVMBuildRet(e->builder, code_load(e, e->i32, q.status, 4));
}
