/* contract.c: contraction kernels: batch loops around the product of two
 * matrices; and that product, a function that all kernels with tiles of the
 * same shapes call: blocks of rows and of k, the micro-kernels over columns,
 * and what runs on each finished block. */
#include "emit/emit_internal.h"

/* Rows of C per block (a multiple of every micro-kernel's), so that `epilogue`
 * finds them in the second-level cache; k per block, so that a panel of B and a
 * block of A stay there. */
enum { ROW_BLOCK = LONG_ROWS, K_BLOCK = 256, PACK_FROM_ROWS = 16 };

/* Where a pass over columns begins and ends: at 0, at the last whole panel's or
 * vector's end, at n. */
typedef enum Bound { BOUND_zero, BOUND_panels, BOUND_vectors, BOUND_n } Bound;

/* Columns by vectors*width at once. */
typedef struct Pass {
    MicroShape shape;
    Bound first, last;
} Pass;

/* How a product is done: what there is one function for. */
typedef struct Variant {
    DType t;
    Pass pass[3];
    int npass;
    bool packs, always; /* B into panels: if worth it, or in any case */
    PackKind pack;
} Variant;

/* The parameters of a product, in this order. */
enum {
    ARG_from,
    ARG_to,
    ARG_m,
    ARG_n,
    ARG_k,
    ARG_a,
    ARG_a_m,
    ARG_a_k,
    ARG_b,
    ARG_b_k,
    ARG_b_n,
    ARG_out,
    ARG_out_m,
    ARG_panels,
    ARG_totals,
    ARG_epilogue,
    ARG_bufs,
    ARG_dims,
    ARG_fixed,
    NARGS
};

/* A product being built: i32 (…), C[from … to, :] = A[from … to, :] B, and
 * epilogue(bufs, dims, lo, hi, fixed) on each block of rows. */
typedef struct Product {
    Emit *e;
    const Variant *variant;
    LLVMTypeRef one, epilogue_type;
    int panel; /* columns */
    LLVMValueRef arg[NARGS];
    LLVMValueRef bound[4]; /* by Bound */
    LLVMValueRef packed;   /* i1: B is read from its panels; or NULL */
    LLVMValueRef status;   /* slot */
} Product;

static LLVMValueRef times(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildMul(e->builder, a, b, "");
}

static LLVMValueRef plus(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildAdd(e->builder, a, b, "");
}

static LLVMValueRef down_to(Emit *e, LLVMValueRef n, int multiple)
{
    return LLVMBuildAnd(e->builder, n, code_i64(e, -(int64_t)multiple), "");
}

static int lanes(const Emit *e, DType t)
{
    return lanes_of_bytes(e, dtype_size(t));
}

static int panel_columns(const Emit *e, DType t)
{
    return lanes(e, t) * micro_vectors(e);
}

static void add_pass(Variant *w, int vectors, int width, bool masked,
                     Bound first, Bound last)
{
    w->pass[w->npass++] = (Pass){{vectors, width, masked}, first, last};
}

/* Whole panels, then as few and as full vectors as n allows when it is known;
 * single ones when it is not. */
static void plan_columns(Emit *e, const Contract *c, Variant *variant)
{
    int w = lanes(e, variant->t), panel = panel_columns(e, variant->t);
    int64_t n = -1;
    dim_const_value(c->n, &n);
    if (!c->pack && !dim_is(c->b_n, 1)) {
        add_pass(variant, 1, 1, false, BOUND_zero, BOUND_n);
        return;
    }
    if (n < 0 || n >= panel)
        add_pass(variant, panel / w, w, false, BOUND_zero, BOUND_panels);
    int rest = (int)(n % panel);
    if (n >= 0 && !rest)
        return;
    bool masks = e->machine.vector_bytes >= 32;
    bool even = n >= 0 && rest % w == 0;
    if (masks || even) {
        int vectors = n >= 0 ? (rest + w - 1) / w : 1;
        add_pass(variant, vectors, w, !even, BOUND_panels, BOUND_n);
        return;
    }
    if (n < 0 || rest >= w)
        add_pass(variant, n < 0 ? 1 : rest / w, w, false, BOUND_panels,
                 BOUND_vectors);
    add_pass(variant, 1, 1, false, BOUND_vectors, BOUND_n);
}

static PackKind pack_kind(const Contract *c)
{
    return dim_is(c->b_n, 1)   ? PACK_straight
           : dim_is(c->b_k, 1) ? PACK_transposed
                               : PACK_any;
}

static Variant plan_variant(Emit *e, const Contract *c)
{
    Variant w = {.t = c->out->dtype};
    w.packs = c->pack;
    w.always = c->pack && !dim_is(c->b_n, 1);
    w.pack = c->pack ? pack_kind(c) : PACK_any;
    plan_columns(e, c, &w);
    return w;
}

/* Products */

/* Where row p of B, from column j on, is read; *stride is between its rows. */
static LLVMValueRef b_at(Product *q, LLVMValueRef p, LLVMValueRef j,
                         LLVMValueRef *stride)
{
    Emit *e = q->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef b_k = q->arg[ARG_b_k];
    *stride = b_k;
    LLVMValueRef direct =
        code_at(e, q->one, q->arg[ARG_b],
                plus(e, times(e, p, b_k), times(e, j, q->arg[ARG_b_n])));
    if (!q->packed)
        return direct;
    LLVMValueRef panel = code_i64(e, q->panel);
    LLVMValueRef j0 = down_to(e, j, q->panel);
    LLVMValueRef at = plus(e, times(e, j0, q->arg[ARG_k]), times(e, p, panel));
    at = plus(e, at, LLVMBuildSub(b, j, j0, ""));
    *stride = LLVMBuildSelect(b, q->packed, panel, b_k, "");
    return LLVMBuildSelect(
        b, q->packed, code_at(e, q->one, q->arg[ARG_panels], at), direct, "");
}

/* C[i … i+rows, :] (+)= A[…, p … p+depth] B[p …, :]; added where `add` is not
 * 0.
 */
static void emit_block(Product *q, LLVMValueRef i, LLVMValueRef rows,
                       LLVMValueRef p, LLVMValueRef depth, LLVMValueRef add)
{
    Emit *e = q->e;
    LLVMValueRef *in = q->arg;
    LLVMValueRef a =
        code_at(e, q->one, in[ARG_a],
                plus(e, times(e, i, in[ARG_a_m]), times(e, p, in[ARG_a_k])));
    LLVMValueRef c =
        code_at(e, q->one, in[ARG_out], times(e, i, in[ARG_out_m]));
    for (int s = 0; s < q->variant->npass; s++) {
        const Pass *pass = &q->variant->pass[s];
        LLVMValueRef step =
            code_i64(e, (int64_t)pass->shape.vectors * pass->shape.width);
        Loop l = loop_begin(e, q->bound[pass->first], q->bound[pass->last],
                            step, 0, NULL);
        LLVMValueRef stride, b = b_at(q, p, l.i, &stride);
        LLVMValueRef left =
            LLVMBuildSub(e->builder, q->bound[pass->last], l.i, "");
        LLVMValueRef arg[] = {rows,
                              depth,
                              a,
                              in[ARG_a_m],
                              in[ARG_a_k],
                              b,
                              stride,
                              code_at(e, q->one, c, l.i),
                              in[ARG_out_m],
                              code_smaller(e, left, step),
                              add};
        code_call(e, emit_micro(e, q->variant->t, pass->shape), arg, 11);
        loop_end(e, &l, NULL);
    }
}

/* Where it is one of a failure. */
static void keep_status(Emit *e, LLVMValueRef status, LLVMValueRef at)
{
    LLVMValueRef old = code_load(e, e->i32, at, 4);
    LLVMValueRef bad = LLVMBuildIsNotNull(e->builder, status, "");
    code_store(e, LLVMBuildSelect(e->builder, bad, status, old, ""), at, 4);
}

static void run_epilogue(Product *q, LLVMValueRef from, LLVMValueRef to)
{
    Emit *e = q->e;
    LLVMBasicBlockRef run = code_block(e, "epilogue"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder,
                    LLVMBuildIsNotNull(e->builder, q->arg[ARG_epilogue], ""),
                    run, on);
    LLVMPositionBuilderAtEnd(e->builder, run);
    LLVMValueRef arg[] = {q->arg[ARG_bufs], q->arg[ARG_dims], from, to,
                          q->arg[ARG_fixed]};
    LLVMValueRef status = LLVMBuildCall2(e->builder, q->epilogue_type,
                                         q->arg[ARG_epilogue], arg, 5, "");
    keep_status(e, status, q->status);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

/* A function void (rows, n, c, c_m, totals, first): adds C[rows, n] to the
 * totals, which are set where `first` is 0, and C becomes what they come to. */
static void build_totals(Emit *e, DType t, LLVMValueRef fn)
{
    LLVMBuilderRef b = e->builder;
    LLVMTypeRef one = type_of(e, t);
    int align = dtype_size(t);
    LLVMPositionBuilderAtEnd(
        b, LLVMAppendBasicBlockInContext(e->context, fn, "entry"));
    LLVMValueRef rows = LLVMGetParam(fn, 0), n = LLVMGetParam(fn, 1);
    LLVMValueRef size = times(e, rows, n);
    LLVMValueRef some = LLVMBuildIsNotNull(b, LLVMGetParam(fn, 5), "");
    LLVMValueRef zero = code_i64(e, 0);
    LLVMValueRef full = lanes(e, t) > 1 ? down_to(e, n, lanes(e, t)) : zero;
    Loop row = loop_begin(e, zero, rows, code_i64(e, 1), 0, NULL);
    LLVMValueRef c = code_at(e, one, LLVMGetParam(fn, 2),
                             times(e, row.i, LLVMGetParam(fn, 3)));
    LLVMValueRef highs =
        code_at(e, one, LLVMGetParam(fn, 4), times(e, row.i, n));
    for (int w = lanes(e, t);; w = 1) {
        Loop l = loop_begin(e, w > 1 ? zero : full, w > 1 ? full : n,
                            code_i64(e, w), 0, NULL);
        LLVMTypeRef type = type_lanes(one, w);
        LLVMValueRef to = code_at(e, one, c, l.i);
        LLVMValueRef high = code_at(e, one, highs, l.i);
        LLVMValueRef low = code_at(e, one, high, size);
        LLVMValueRef none = LLVMConstNull(type);
        Total sum = {code_load(e, type, high, align),
                     code_load(e, type, low, align)};
        sum.high = LLVMBuildSelect(b, some, sum.high, none, "");
        sum.low = LLVMBuildSelect(b, some, sum.low, none, "");
        sum = total_add(e, sum, code_load(e, type, to, align));
        code_store(e, sum.high, high, align);
        code_store(e, sum.low, low, align);
        code_store(e, sum.high, to, align);
        loop_end(e, &l, NULL);
        if (w == 1)
            break;
    }
    loop_end(e, &row, NULL);
    LLVMBuildRetVoid(b);
}

static LLVMValueRef emit_totals(Emit *e, DType t)
{
    LLVMTypeRef p = e->ptr, i = e->i64;
    LLVMTypeRef param[] = {i, i, p, i, p, i};
    const char *name = arena_printf(e->arena, "totals_%s", dtype_name(t));
    LLVMValueRef fn;
    Place back;
    if (!share_helper(e, name, e->none, param, 6, &fn, &back))
        return fn;
    build_totals(e, t, fn);
    code_back(e, back);
    return fn;
}

/* Blocks of k from `from` on, the first of which overwrites C. */
static void emit_depth(Product *q, LLVMValueRef i, LLVMValueRef rows,
                       LLVMValueRef from, LLVMValueRef to)
{
    Emit *e = q->e;
    LLVMValueRef step = code_i64(e, K_BLOCK);
    Loop p = loop_begin(e, from, to, step, 0, NULL);
    LLVMValueRef depth =
        code_smaller(e, LLVMBuildSub(e->builder, q->arg[ARG_k], p.i, ""), step);
    emit_block(q, i, rows, p.i, depth, LLVMBuildSub(e->builder, p.i, from, ""));
    loop_end(e, &p, NULL);
}

/* A long k in parts, if there are. */
static void emit_parts(Product *q, LLVMValueRef i, LLVMValueRef rows,
                       LLVMValueRef to, LLVMValueRef parts)
{
    Emit *e = q->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef step = code_i64(e, LONG_K), *in = q->arg;
    Loop p = loop_begin(e, code_i64(e, 0), to, step, 0, NULL);
    emit_depth(q, i, rows, p.i, code_smaller(e, plus(e, p.i, step), to));
    LLVMBasicBlockRef add = code_block(e, "totals"), on = code_block(e, "");
    LLVMBuildCondBr(b, parts, add, on);
    LLVMPositionBuilderAtEnd(b, add);
    LLVMValueRef c =
        code_at(e, q->one, in[ARG_out], times(e, i, in[ARG_out_m]));
    LLVMValueRef arg[] = {rows,          in[ARG_n],      c,
                          in[ARG_out_m], in[ARG_totals], p.i};
    code_call(e, emit_totals(e, q->variant->t), arg, 6);
    LLVMBuildBr(b, on);
    LLVMPositionBuilderAtEnd(b, on);
    loop_end(e, &p, NULL);
}

/* The first block of k is done even where k is 0: it stores the zeros. */
static void emit_rows(Product *q)
{
    Emit *e = q->e;
    LLVMValueRef one = code_i64(e, 1);
    LLVMValueRef k = q->arg[ARG_k], to = q->arg[ARG_to];
    LLVMValueRef some = LLVMBuildICmp(e->builder, LLVMIntSGT, k, one, "");
    LLVMValueRef last = LLVMBuildSelect(e->builder, some, k, one, "");
    LLVMValueRef parts =
        LLVMBuildICmp(e->builder, LLVMIntSGT, k, code_i64(e, LONG_K), "");
    LLVMValueRef row_step = code_i64(e, ROW_BLOCK);
    Loop i = loop_begin(e, q->arg[ARG_from], to, row_step, 0, NULL);
    LLVMValueRef rows =
        code_smaller(e, LLVMBuildSub(e->builder, to, i.i, ""), row_step);
    emit_parts(q, i.i, rows, last, parts);
    run_epilogue(q, i.i, plus(e, i.i, rows));
    loop_end(e, &i, NULL);
}

/* Where B can be read as it is, few rows are not worth packing it. */
static void emit_packing(Product *q)
{
    Emit *e = q->e;
    const Variant *w = q->variant;
    if (!w->packs)
        return;
    LLVMValueRef enough = code_i64(e, w->always ? 0 : PACK_FROM_ROWS);
    q->packed =
        LLVMBuildICmp(e->builder, LLVMIntSGE, q->arg[ARG_m], enough, "");
    LLVMBasicBlockRef pack = code_block(e, "pack"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, q->packed, pack, on);
    LLVMPositionBuilderAtEnd(e->builder, pack);
    LLVMValueRef arg[] = {q->arg[ARG_k],   q->arg[ARG_n],   q->arg[ARG_b],
                          q->arg[ARG_b_k], q->arg[ARG_b_n], q->arg[ARG_panels]};
    code_call(e, emit_pack(e, w->t, w->pack, q->panel), arg, 6);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static void build_product(Product *q, LLVMValueRef fn)
{
    Emit *e = q->e;
    LLVMPositionBuilderAtEnd(
        e->builder, LLVMAppendBasicBlockInContext(e->context, fn, "entry"));
    for (unsigned i = 0; i < NARGS; i++)
        q->arg[i] = LLVMGetParam(fn, i);
    q->status = code_slot(e, e->i32, 4);
    code_store(e, LLVMConstInt(e->i32, NN_OK, false), q->status, 4);
    LLVMValueRef n = q->arg[ARG_n];
    q->bound[BOUND_zero] = code_i64(e, 0);
    q->bound[BOUND_panels] = down_to(e, n, q->panel);
    q->bound[BOUND_vectors] = down_to(e, n, lanes(e, q->variant->t));
    q->bound[BOUND_n] = n;
    emit_packing(q);
    emit_rows(q);
    LLVMBuildRet(e->builder, code_load(e, e->i32, q->status, 4));
}

static const char *variant_name(Emit *e, const Variant *w)
{
    Str s = str_new(e->arena);
    str_printf(&s, "multiply_%s", dtype_name(w->t));
    for (int i = 0; i < w->npass; i++)
        str_printf(&s, "_%dx%d%s%d%d", w->pass[i].shape.vectors,
                   w->pass[i].shape.width,
                   w->pass[i].shape.masked ? "_masked" : "_",
                   (int)w->pass[i].first, (int)w->pass[i].last);
    if (w->packs)
        str_printf(&s, "_packed%d%d", (int)w->pack, w->always);
    return s.at;
}

static LLVMTypeRef epilogue_type(Emit *e)
{
    LLVMTypeRef param[] = {e->ptr, e->ptr, e->i64, e->i64, e->ptr};
    return LLVMFunctionType(e->i32, param, 5, false);
}

static LLVMValueRef emit_product(Emit *e, const Variant *w)
{
    LLVMTypeRef param[NARGS];
    for (int i = 0; i < NARGS; i++)
        param[i] = i == ARG_a || i == ARG_b || i == ARG_out || i >= ARG_panels
                       ? e->ptr
                       : e->i64;
    LLVMValueRef fn;
    Place back;
    if (!share_helper(e, variant_name(e, w), e->i32, param, NARGS, &fn, &back))
        return fn;
    Product q = {
        .e = e,
        .variant = w,
        .one = type_of(e, w->t),
        .epilogue_type = epilogue_type(e),
        .panel = panel_columns(e, w->t),
    };
    build_product(&q, fn);
    code_back(e, back);
    return fn;
}

static LLVMValueRef make_product(Emit *e, const void *of)
{
    return emit_product(e, of);
}

static LLVMValueRef make_totals(Emit *e, const void *of)
{
    return emit_totals(e, *(const DType *)of);
}

static void totals_helper(Emit *e, DType t, Helpers *h)
{
    enum { TOTALS = 60 };
    const char *name = arena_printf(e->arena, "totals_%s", dtype_name(t));
    helper_add(e, h, (Helper){name, make_totals, &t, TOTALS, 0}, sizeof t);
}

void contract_helpers(Emit *e, const Contract *c, Helpers *h)
{
    enum { PRODUCT = 150 };
    Variant w = plan_variant(e, c);
    Helper own = {variant_name(e, &w), make_product, &w, PRODUCT, 0};
    helper_add(e, h, own, sizeof w);
    for (int i = 0; i < w.npass; i++)
        micro_helper(e, w.t, w.pass[i].shape, h);
    if (w.packs)
        pack_helper(e, w.t, w.pack, panel_columns(e, w.t), h);
    totals_helper(e, w.t, h);
}

/* Kernels */

/* A contraction kernel being built. */
typedef struct ContractCode {
    Emit *e;
    const Contract *c;
    Variant variant;
    DimEnv dims;
    LLVMValueRef *buffer; /* by Buffer.id */
    LLVMValueRef bufs, dim_array;
    LLVMValueRef fixed;            /* i64s: the batch loops' variables */
    LLVMValueRef epilogue, status; /* function or null; slot */
} ContractCode;

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
        at = plus(e, at, times(e, number(q, stride[i]), var[i]));
    return code_at(e, type_of(e, q->variant.t), q->buffer[b->id], at);
}

/* The product at one point of the batch loops. */
static void call_product(ContractCode *q, LLVMValueRef from, LLVMValueRef to,
                         const LLVMValueRef *var)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    LLVMValueRef null = LLVMConstNull(e->ptr);
    LLVMValueRef arg[NARGS] = {
        [ARG_from] = from,
        [ARG_to] = to,
        [ARG_m] = number(q, c->m),
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
        [ARG_panels] = c->pack ? q->buffer[c->pack->id] : null,
        [ARG_totals] = c->totals ? q->buffer[c->totals->id] : null,
        [ARG_epilogue] = q->epilogue ? q->epilogue : null,
        [ARG_bufs] = q->bufs,
        [ARG_dims] = q->dim_array,
        [ARG_fixed] = q->fixed,
    };
    LLVMValueRef status =
        code_call(e, emit_product(e, &q->variant), arg, NARGS);
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
    LLVMTypeRef param[] = {e->ptr, e->ptr, e->i64, e->i64, e->ptr};
    const char *name =
        arena_printf(e->arena, "epilogue%d", unit_use(e, k)->unit);
    Place back = code_place(e);
    LLVMValueRef fn = code_function(e, name, e->i32, param, 5);
    LLVMPositionBuilderAtEnd(
        e->builder, LLVMAppendBasicBlockInContext(e->context, fn, "entry"));
    debug_function(e, fn, name, epilogue->span);
    emit_map_rows(e, epilogue, key, k->contract->nbatch);
    code_back(e, back);
    return fn;
}

static void emit_entry(ContractCode *q, const KernelKey *key, LLVMValueRef fn)
{
    Emit *e = q->e;
    q->bufs = LLVMGetParam(fn, 0);
    q->dim_array = LLVMGetParam(fn, 1);
    q->buffer = code_buffers(e, key, q->bufs);
    q->dims = dim_env_checked(e, key->var, key->nvar, q->dim_array);
    q->status = code_slot(e, e->i32, 4);
    code_store(e, LLVMConstInt(e->i32, NN_OK, false), q->status, 4);
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
    q.variant = plan_variant(e, k->contract);
    if (k->epilogue)
        q.epilogue = emit_epilogue(e, k, key);
    emit_entry(&q, key, fn);
    emit_batches(&q, LLVMGetParam(fn, 2), LLVMGetParam(fn, 3));
    LLVMBuildRet(e->builder, code_load(e, e->i32, q.status, 4));
}
