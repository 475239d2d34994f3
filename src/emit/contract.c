/* contract.c: contraction kernels: batch loops around the product of two
 * matrices. */
#include "emit/parallel.h"
#include "emit/product.h"

/* Which functions make a product. */
typedef struct Plan {
    DType t;
    StreamKind row; /* of one row alone, if there may be; */
    bool only_row;  /* as there is in any case */
    bool outer;     /* k may be 1 */
    PackKind pack;  /* of B, if there is room */
    bool pass[3];   /* over columns, as ARG_micro has them: which there are */
    MicroShape shape[3];
    bool pair; /* what is left may be two vectors */
    bool windows;
} Plan;

/* A contraction kernel being built. */
typedef struct ContractCode {
    Emit *e;
    const Contract *c;
    Plan plan;
    DimEnv dims;
    LLVMValueRef *buffer; /* by Buffer.id */
    LLVMValueRef bufs, dim_array;
    LLVMValueRef piece, whole; /* its number, i1; NULL: there are no pieces */
    LLVMValueRef fixed;        /* i64s: the batch loops' variables */
    LLVMValueRef epilogue, status; /* function or null; slot */
    LLVMValueRef window;           /* see product.h */
} ContractCode;

/* What is to be done is known where sizes are; functions for what may be are
 * chosen among when it is run. */

static void add_pass(Plan *p, int i, int vectors, int width, bool masked)
{
    p->pass[i] = true;
    p->shape[i] = (MicroShape){vectors, width, masked, p->windows};
}

/* Whole panels, then as few and as full vectors as n allows when it is known;
 * when it is not single ones, or two where just these are left. */
static void plan_columns(Emit *e, const Contract *c, Plan *p)
{
    int w = lanes_of_bytes(e, dtype_size(p->t)), panel = product_panel(e, p->t);
    int last = product_passes(e) - 1;
    int64_t n = -1;
    dim_const_value(c->n, &n);
    if (!c->pack && !dim_is(c->b_n, 1)) {
        add_pass(p, last, 1, 1, false);
        return;
    }
    if (n < 0 || n >= panel)
        add_pass(p, 0, panel / w, w, false);
    int rest = (int)(n % panel);
    if (n >= 0 && !rest)
        return;
    bool even = w == 1 || (n >= 0 && rest % w == 0);
    if (has_masks(e) || even) {
        int vectors = n >= 0 ? (rest + w - 1) / w : 1;
        add_pass(p, last, vectors, w, !even);
        p->pair = n < 0 && w > 1;
        return;
    }
    if (n < 0 || rest >= w)
        add_pass(p, 1, n < 0 ? 1 : rest / w, w, false);
    add_pass(p, last, 1, 1, false);
}

/* A few columns have their sums in registers in any case. */
enum { STREAM_FROM = 32 };

static StreamKind plan_row(Emit *e, const Contract *c)
{
    int64_t m = 1, n = STREAM_FROM;
    dim_const_value(c->m, &m);
    dim_const_value(c->n, &n);
    if (m != 1 || !e->machine.has.vector_bytes || c->rows.n)
        return STREAM_none;
    if (dim_is(c->b_n, 1))
        return n < STREAM_FROM ? STREAM_none : STREAM_rows;
    return dim_is(c->b_k, 1) && dim_is(c->a_k, 1) ? STREAM_columns
                                                  : STREAM_none;
}

static Plan plan_product(Emit *e, const Contract *c)
{
    int64_t k;
    Plan p = {.t = c->out->dtype, .row = plan_row(e, c)};
    p.windows = c->rows.n > 0;
    p.only_row = p.row && dim_is(c->m, 1) &&
                 (p.row == STREAM_columns || dim_const_value(c->n, &k));
    if (p.only_row)
        return p;
    p.outer = dim_is(c->b_n, 1) && !dim_const_value(c->k, &k) &&
              e->machine.has.vector_bytes && !p.windows;
    p.pack = dim_is(c->b_n, 1)   ? PACK_straight
             : dim_is(c->b_k, 1) ? PACK_transposed
                                 : PACK_any;
    plan_columns(e, c, &p);
    return p;
}

static MicroShape pair_shape(const Plan *p)
{
    return (MicroShape){2, p->shape[0].width, true, p->windows};
}

void contract_helpers(Emit *e, const Contract *c, Helpers *h)
{
    Plan p = plan_product(e, c);
    product_helper(e, p.t, p.windows, h);
    for (int i = 0; i < 3; i++)
        if (p.pass[i])
            micro_helper(e, p.t, p.shape[i], h);
    if (p.pair)
        micro_helper(e, p.t, pair_shape(&p), h);
    if (c->pack)
        pack_helper(e, p.t, p.pack, product_panel(e, p.t), h);
    if (c->pack_a)
        pack_helper(e, p.t, PACK_straight, micro_tile_rows(e), h);
    if (p.row)
        stream_helper(e, p.t, p.row, h);
    if (p.outer)
        stream_helper(e, p.t, STREAM_outer, h);
}

/* Kernels */

static LLVMValueRef number(ContractCode *q, const Dim *d)
{
    return dim_code(q->e, &q->dims, d);
}

/* base + Σ batch stride · variable, added to a buffer's address */
static LLVMValueRef batch_base(ContractCode *q, const Buffer *b,
                               const Dim *base, const Dim *const *stride,
                               const LLVMValueRef *var)
{
    Emit *e = q->e;
    LLVMValueRef at = number(q, base);
    for (int i = 0; i < q->c->nbatch; i++)
        at = code_plus(e, at, code_times(e, number(q, stride[i]), var[i]));
    return code_at(e, type_of(e, q->plan.t), q->buffer[b->id], at);
}

static LLVMValueRef is_at_least(ContractCode *q, const Dim *d, int64_t least)
{
    return LLVMBuildICmp(q->e->builder, LLVMIntSGE, number(q, d),
                         code_i64(q->e, least), "");
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

/* The loops of a factor with these strides, the innermost first. */
static void store_loops(ContractCode *q, LLVMValueRef window, int which,
                        const Digits *d, const Dim *const *stride)
{
    int at = which * LOOPS_WORDS;
    store_word(q, window, at++, code_i64(q->e, d->n));
    for (int i = d->n - 1; i >= 0; i--) {
        store_word(q, window, at++, number(q, d->size[i]));
        store_word(q, window, at++, number(q, stride[i]));
    }
}

static LLVMValueRef window_of(ContractCode *q)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    LLVMValueRef w = code_slot(e, LLVMArrayType(e->i64, WINDOW_WORDS), 8);
    const Dim *one = dim_const(e->graph, K_BLOCK + 1);
    const Dim *panel = dim_const(e->graph, product_panel(e, q->plan.t));
    Digits rows_of_panel = {1, {one}, {panel}, {panel}};
    store_loops(q, w, LOOPS_rows, &c->rows, c->rows.a);
    store_loops(q, w, LOOPS_a, &c->depth, c->depth.a);
    store_loops(q, w, LOOPS_b, &c->depth, c->depth.b);
    store_loops(q, w, LOOPS_panel, &rows_of_panel, rows_of_panel.b);
    return w;
}

static LLVMValueRef stream_of(ContractCode *q)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    LLVMValueRef fn = LLVMConstNull(e->ptr), when = is_one(q, c->m);
    if (q->plan.outer)
        fn = if_so(q, is_one(q, c->k), emit_stream(e, q->plan.t, STREAM_outer));
    if (!q->plan.row)
        return fn;
    if (!q->plan.only_row && q->plan.row == STREAM_rows)
        when = both(q, when, is_at_least(q, c->n, STREAM_FROM));
    LLVMValueRef row = emit_stream(e, q->plan.t, q->plan.row);
    return LLVMBuildSelect(e->builder, when, row, fn, "");
}

static LLVMValueRef is_far(ContractCode *q, const Dim *stride, int depth,
                           const Dim *others)
{
    LLVMValueRef far = is_at_least(q, stride, PACK_STRIDE);
    far = both(q, far, is_at_least(q, q->c->k, depth));
    return both(q, far, is_at_least(q, others, PACK_FROM));
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
    DType t = q->plan.t;
    if (c->pack_a) {
        LLVMValueRef fn = emit_pack(e, t, PACK_straight, micro_tile_rows(e));
        LLVMValueRef each =
            code_times(e, at_most(q, c->k, K_BLOCK), code_i64(e, LONG_ROWS));
        arg[ARG_a_panels] = room_in(q, c->pack_a, each);
        arg[ARG_pack_a] = if_so(q, is_far(q, c->a_k, PACK_A_DEPTH, c->n), fn);
    }
    if (!c->pack)
        return;
    LLVMValueRef fn = emit_pack(e, t, q->plan.pack, product_panel(e, t));
    arg[ARG_b_panels] = room_in(
        q, c->pack, code_times(e, at_most(q, c->k, K_BLOCK), arg[ARG_columns]));
    arg[ARG_pack_b] = fn;
    if (q->plan.pack == PACK_straight)
        arg[ARG_pack_b] = if_so(q, is_far(q, c->b_k, PACK_DEPTH, c->m), fn);
}

static void micro_arguments(ContractCode *q, LLVMValueRef *arg)
{
    for (int i = 0; i < 3; i++) {
        const MicroShape *s = &q->plan.shape[i];
        int step = i == product_passes(q->e) - 1 ? ARG_step : ARG_step_vectors;
        if (i)
            arg[step] = code_i64(q->e, (int64_t)s->vectors * s->width);
        if (q->plan.pass[i])
            arg[ARG_micro + i] = emit_micro(q->e, q->plan.t, *s);
    }
}

/* The last pass by two vectors, where that is how much is left. */
static void choose_pair(ContractCode *q, LLVMValueRef *arg)
{
    Emit *e = q->e;
    LLVMBuilderRef b = e->builder;
    MicroShape s = pair_shape(&q->plan);
    int last = ARG_micro + product_passes(e) - 1;
    LLVMValueRef n = arg[ARG_n], width = code_i64(e, s.width);
    LLVMValueRef both = code_i64(e, 2 * s.width);
    LLVMValueRef left =
        LLVMBuildSub(b, n, code_down_to(e, n, product_panel(e, q->plan.t)), "");
    LLVMValueRef is =
        LLVMBuildAnd(b, LLVMBuildICmp(b, LLVMIntSGT, left, width, ""),
                     LLVMBuildICmp(b, LLVMIntSLE, left, both, ""), "");
    arg[last] =
        LLVMBuildSelect(b, is, emit_micro(e, q->plan.t, s), arg[last], "");
    arg[ARG_step] = LLVMBuildSelect(b, is, both, arg[ARG_step], "");
}

/* Rows that the epilogue finds in the cache of the first level. */
static LLVMValueRef epilogue_rows(ContractCode *q)
{
    enum { FEW = 24, BYTES = 1 << 14 };
    Emit *e = q->e;
    if (!q->epilogue)
        return code_i64(e, LONG_ROWS);
    LLVMValueRef most = code_i64(e, BYTES / FEW / dtype_size(q->plan.t));
    LLVMValueRef n = code_at_least(e, number(q, q->c->n), 1);
    LLVMValueRef times =
        code_at_least(e, LLVMBuildUDiv(e->builder, most, n, ""), 1);
    return code_smaller(e, code_times(e, times, code_i64(e, FEW)),
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
        [ARG_a] = batch_base(q, c->a, c->a_base, c->a_batch, var),
        [ARG_a_m] = number(q, c->a_m),
        [ARG_a_k] = number(q, c->a_k),
        [ARG_b] = batch_base(q, c->b, c->b_base, c->b_batch, var),
        [ARG_b_k] = number(q, c->b_k),
        [ARG_b_n] = number(q, c->b_n),
        [ARG_out] = batch_base(q, c->out, c->out_base, c->out_batch, var),
        [ARG_out_m] = number(q, c->out_m),
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
    LLVMValueRef product = emit_product(e, q->plan.t, q->plan.windows);
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
        loop[i] = loop_begin(e, i ? zero : lo, i ? number(q, c->batch[i]) : hi,
                             code_i64(e, 1), 0, NULL);
        var[i] = loop[i].i;
        code_store(e, var[i], code_at(e, e->i64, q->fixed, code_i64(e, i)), 8);
    }
    call_product(q, c->nbatch ? zero : lo, c->nbatch ? number(q, c->m) : hi,
                 var);
    for (int i = c->nbatch; i-- > 0;)
        loop_end(e, &loop[i], NULL);
}

/* What follows on each block of rows, a function of its own. */
static LLVMValueRef emit_epilogue(Emit *e, const Kernel *k,
                                  const KernelKey *key)
{
    const Kernel *epilogue = k->epilogue;
    const char *name =
        arena_printf(e->arena, "epilogue%d", unit_use(e, k)->unit);
    LLVMValueRef fn = code_function(e, name, epilogue_type(e));
    Place back = code_begin(e, fn);
    debug_function(e, fn, name, epilogue->span);
    emit_map_rows(e, epilogue, key, k->contract->nbatch);
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
    ContractCode q = {.e = e, .c = k->contract};
    q.plan = plan_product(e, k->contract);
    if (k->epilogue)
        q.epilogue = emit_epilogue(e, k, key);
    emit_entry(&q, key, fn, runs_in_pieces(e, k));
    if (q.plan.windows)
        q.window = window_of(&q);
    emit_batches(&q, kernel_lo(e, fn), kernel_hi(e, fn));
    LLVMBuildRet(e->builder, code_load(e, e->i32, q.status, 4));
}
