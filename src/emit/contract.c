/* contract.c: contraction kernels: batch loops, blocks of rows and of k, the
 * micro-kernels over columns, and what runs on each finished block. */
#include "emit/emit_internal.h"

/* Rows of C per block (a multiple of every micro-kernel's), so that `after`
 * finds them in the second-level cache; k per block, so that a panel of B and a
 * block of A stay there. */
enum { ROW_BLOCK = 96, K_BLOCK = 256, PACK_FROM_ROWS = 16 };

/* Columns first … last, by vectors*width at once. */
typedef struct Pass {
    MicroShape shape;
    LLVMValueRef first, last;
} Pass;

/* A contraction kernel being built. */
typedef struct ContractCode {
    Emit *e;
    const Contract *c;
    DType t;
    LLVMTypeRef one;
    int width, panel; /* lanes; columns of a panel */
    DimEnv dims;
    LLVMValueRef *buffer; /* by Buffer.id */
    LLVMValueRef bufs, dim_array;
    LLVMValueRef a, b, out; /* at this point of the batch loops */
    LLVMValueRef m, n, k, a_m, a_k, b_k, b_n, out_m;
    LLVMValueRef packed;        /* i1: B is read from its panels; or NULL */
    LLVMValueRef fixed;         /* i64s: the batch loops' variables */
    LLVMValueRef after, status; /* function; slot */
    Pass pass[3];
    int npass;
} ContractCode;

static LLVMValueRef number(ContractCode *q, const Dim *d)
{
    return dim_code(q->e, &q->dims, d);
}

static LLVMValueRef smaller(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef less = LLVMBuildICmp(e->builder, LLVMIntSLT, a, b, "");
    return LLVMBuildSelect(e->builder, less, a, b, "");
}

static LLVMValueRef times(ContractCode *q, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildMul(q->e->builder, a, b, "");
}

static LLVMValueRef plus(ContractCode *q, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildAdd(q->e->builder, a, b, "");
}

static void add_pass(ContractCode *q, int vectors, int width, bool masked,
                     LLVMValueRef first, LLVMValueRef last)
{
    q->pass[q->npass++] = (Pass){{vectors, width, masked}, first, last};
}

static LLVMValueRef down_to(ContractCode *q, LLVMValueRef n, int multiple)
{
    return LLVMBuildAnd(q->e->builder, n, code_i64(q->e, -(int64_t)multiple),
                        "");
}

/* Whole panels, then as few and as full vectors as n allows when it is known;
 * single ones when it is not. */
static void plan_columns(ContractCode *q)
{
    Emit *e = q->e;
    int w = q->width, nv = q->panel / w;
    int64_t n = -1;
    dim_const_value(q->c->n, &n);
    LLVMValueRef zero = code_i64(e, 0);
    if (!q->c->pack && !dim_is(q->c->b_n, 1)) {
        add_pass(q, 1, 1, false, zero, q->n);
        return;
    }
    LLVMValueRef whole = down_to(q, q->n, q->panel);
    if (n < 0 || n >= q->panel)
        add_pass(q, nv, w, false, zero, whole);
    int rest = (int)(n % q->panel);
    if (n >= 0 && !rest)
        return;
    bool masks = e->vector_bytes >= 32;
    bool even = n >= 0 && rest % w == 0;
    if (masks || even) {
        int vectors = n >= 0 ? (rest + w - 1) / w : 1;
        add_pass(q, vectors, w, !even, whole, q->n);
        return;
    }
    LLVMValueRef vectors = down_to(q, q->n, w);
    if (n < 0 || rest >= w)
        add_pass(q, n < 0 ? 1 : rest / w, w, false, whole, vectors);
    add_pass(q, 1, 1, false, vectors, q->n);
}

/* Where row p of B, from column j on, is read; *stride is between its rows. */
static LLVMValueRef b_at(ContractCode *q, LLVMValueRef p, LLVMValueRef j,
                         LLVMValueRef *stride)
{
    Emit *e = q->e;
    LLVMBuilderRef b = e->builder;
    *stride = q->b_k;
    LLVMValueRef direct = code_at(
        e, q->one, q->b, plus(q, times(q, p, q->b_k), times(q, j, q->b_n)));
    if (!q->packed)
        return direct;
    LLVMValueRef panel = code_i64(e, q->panel);
    LLVMValueRef j0 = down_to(q, j, q->panel);
    LLVMValueRef at = plus(q, times(q, j0, q->k), times(q, p, panel));
    at = plus(q, at, LLVMBuildSub(b, j, j0, ""));
    LLVMValueRef pack = q->buffer[q->c->pack->id];
    *stride = LLVMBuildSelect(b, q->packed, panel, q->b_k, "");
    return LLVMBuildSelect(b, q->packed, code_at(e, q->one, pack, at), direct,
                           "");
}

/* C[i … i+rows, :] (+)= A[…, p … p+depth] B[p …, :] */
static void emit_block(ContractCode *q, LLVMValueRef i, LLVMValueRef rows,
                       LLVMValueRef p, LLVMValueRef depth)
{
    Emit *e = q->e;
    LLVMValueRef a = code_at(e, q->one, q->a,
                             plus(q, times(q, i, q->a_m), times(q, p, q->a_k)));
    LLVMValueRef c = code_at(e, q->one, q->out, times(q, i, q->out_m));
    for (int s = 0; s < q->npass; s++) {
        const Pass *pass = &q->pass[s];
        LLVMValueRef step =
            code_i64(e, (int64_t)pass->shape.vectors * pass->shape.width);
        Loop l = loop_begin(e, pass->first, pass->last, step, 0, NULL);
        LLVMValueRef stride, b = b_at(q, p, l.i, &stride);
        LLVMValueRef left = LLVMBuildSub(e->builder, pass->last, l.i, "");
        LLVMValueRef arg[] = {rows,     depth,
                              a,        q->a_m,
                              q->a_k,   b,
                              stride,   code_at(e, q->one, c, l.i),
                              q->out_m, smaller(e, left, step),
                              p};
        code_call(e, emit_micro(e, q->t, pass->shape), arg, 11);
        loop_end(e, &l, NULL);
    }
}

static void run_after(ContractCode *q, LLVMValueRef from, LLVMValueRef to)
{
    Emit *e = q->e;
    if (!q->after)
        return;
    LLVMValueRef arg[] = {q->bufs, q->dim_array, from, to, q->fixed};
    LLVMValueRef status = code_call(e, q->after, arg, 5);
    LLVMValueRef old = code_load(e, e->i32, q->status, 4);
    LLVMValueRef bad = LLVMBuildIsNotNull(e->builder, status, "");
    code_store(e, LLVMBuildSelect(e->builder, bad, status, old, ""), q->status,
               4);
}

/* The first block of k is done even where k is 0: it stores the zeros. */
static void emit_rows(ContractCode *q, LLVMValueRef from, LLVMValueRef to)
{
    Emit *e = q->e;
    LLVMValueRef zero = code_i64(e, 0), one = code_i64(e, 1);
    LLVMValueRef some = LLVMBuildICmp(e->builder, LLVMIntSGT, q->k, one, "");
    LLVMValueRef last = LLVMBuildSelect(e->builder, some, q->k, one, "");
    LLVMValueRef row_step = code_i64(e, ROW_BLOCK);
    LLVMValueRef k_step = code_i64(e, K_BLOCK);
    Loop i = loop_begin(e, from, to, row_step, 0, NULL);
    LLVMValueRef rows =
        smaller(e, LLVMBuildSub(e->builder, to, i.i, ""), row_step);
    Loop p = loop_begin(e, zero, last, k_step, 0, NULL);
    LLVMValueRef depth =
        smaller(e, LLVMBuildSub(e->builder, q->k, p.i, ""), k_step);
    emit_block(q, i.i, rows, p.i, depth);
    loop_end(e, &p, NULL);
    run_after(q, i.i, plus(q, i.i, rows));
    loop_end(e, &i, NULL);
}

static PackKind pack_kind(const Contract *c)
{
    return dim_is(c->b_n, 1)   ? PACK_straight
           : dim_is(c->b_k, 1) ? PACK_turned
                               : PACK_any;
}

/* Where B can be read as it is, few rows are not worth packing it. */
static void emit_packing(ContractCode *q)
{
    Emit *e = q->e;
    q->packed = NULL;
    if (!q->c->pack)
        return;
    bool always = !dim_is(q->c->b_n, 1);
    LLVMValueRef enough = code_i64(e, always ? 0 : PACK_FROM_ROWS);
    q->packed = LLVMBuildICmp(e->builder, LLVMIntSGE, q->m, enough, "");
    LLVMBasicBlockRef pack = code_block(e, "pack"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, q->packed, pack, on);
    LLVMPositionBuilderAtEnd(e->builder, pack);
    LLVMValueRef arg[] = {q->k,   q->n,   q->b,
                          q->b_k, q->b_n, q->buffer[q->c->pack->id]};
    code_call(e, emit_pack(e, q->t, pack_kind(q->c), q->panel), arg, 6);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

/* base + Σ batch stride · variable, added to a buffer's address */
static LLVMValueRef batch_base(ContractCode *q, const Buffer *b,
                               const Dim *base, const Dim *const *stride,
                               const LLVMValueRef *var)
{
    LLVMValueRef at = number(q, base);
    for (int i = 0; i < q->c->nbatch; i++)
        at = plus(q, at, times(q, number(q, stride[i]), var[i]));
    return code_at(q->e, q->one, q->buffer[b->id], at);
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
    q->a = batch_base(q, c->a, c->a_base, c->a_batch, var);
    q->b = batch_base(q, c->b, c->b_base, c->b_batch, var);
    q->out = batch_base(q, c->out, c->out_base, c->out_batch, var);
    emit_packing(q);
    emit_rows(q, c->nbatch ? zero : lo, c->nbatch ? q->m : hi);
    for (int i = c->nbatch; i-- > 0;)
        loop_end(e, &loop[i], NULL);
}

/* What follows on each block of rows, a function of its own. */
static LLVMValueRef emit_after(Emit *e, const Kernel *k, const KernelKey *key)
{
    const Kernel *after = k->after;
    LLVMTypeRef param[] = {e->ptr, e->ptr, e->i64, e->i64, e->ptr};
    const char *name = arena_printf(e->arena, "after%d", e->nmade);
    Place back = {LLVMGetInsertBlock(e->builder), e->before};
    LLVMValueRef fn = code_function(e, name, e->i32, param, 5);
    LLVMPositionBuilderAtEnd(
        e->builder, LLVMAppendBasicBlockInContext(e->context, fn, "entry"));
    emit_map(e, after, key, k->contract->nbatch);
    code_back(e, back);
    return fn;
}

static void emit_entry(ContractCode *q, const KernelKey *key, LLVMValueRef fn)
{
    Emit *e = q->e;
    const Contract *c = q->c;
    q->bufs = LLVMGetParam(fn, 0);
    q->dim_array = LLVMGetParam(fn, 1);
    q->buffer = code_buffers(e, key, q->bufs);
    q->dims = dim_env(e, key->var, key->nvar, q->dim_array);
    q->status = code_slot(e, e->i32, 4);
    code_store(e, LLVMConstInt(e->i32, NN_OK, false), q->status, 4);
    q->fixed = code_slot(e, LLVMArrayType(e->i64, (unsigned)c->nbatch + 1), 8);
    LLVMBasicBlockRef start = code_block(e, "start");
    q->dims.before = LLVMBuildBr(e->builder, start);
    LLVMPositionBuilderAtEnd(e->builder, start);
    q->m = number(q, c->m);
    q->n = number(q, c->n);
    q->k = number(q, c->k);
    q->a_m = number(q, c->a_m);
    q->a_k = number(q, c->a_k);
    q->b_k = number(q, c->b_k);
    q->b_n = number(q, c->b_n);
    q->out_m = number(q, c->out_m);
}

void emit_contract(Emit *e, const Kernel *k, const KernelKey *key)
{
    LLVMValueRef fn = code_here(e);
    const Contract *c = k->contract;
    ContractCode q = {.e = e, .c = c, .t = c->out->dtype};
    q.one = type_of(e, q.t);
    q.width = e->vector_bytes / dtype_size(q.t);
    q.panel = q.width * micro_vectors(e);
    if (k->after)
        q.after = emit_after(e, k, key);
    emit_entry(&q, key, fn);
    plan_columns(&q);
    emit_batches(&q, LLVMGetParam(fn, 2), LLVMGetParam(fn, 3));
    LLVMBuildRet(e->builder, code_load(e, e->i32, q.status, 4));
}
