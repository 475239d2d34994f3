/* parallel.c: calls of kernels, in pieces where the caller has threads and
 * there is enough to do. How many pieces follows from the sizes alone, and no
 * element is computed in another way for it: so results are the same to the
 * last bit however many threads there are, and without any. */
#include "emit/parallel.h"

/* What the pieces of one call share, as the threads are given it. */
enum {
    CALL_fn,
    CALL_bufs,
    CALL_dims,
    CALL_told, /* of each piece: status, index, limit */
    CALL_range,
    CALL_grain,
    CALL_blocks, /* of `grain` iterations */
    CALL_pieces,
    CALL_nvar, /* of the kernel, if it has checks; or -1 */
    NCALL,
    CALL_first_number = CALL_range
};
enum { TOLD = 1 + CHECK_ROOM };

static bool may_have_pieces(const Emit *e)
{
    return has_pieces(&e->machine.has);
}

static PieceSchedule pieces_of(const Emit *e, const Kernel *k)
{
    return piece_schedule(&e->machine.has, k);
}

bool runs_in_pieces(const Emit *e, const Kernel *k)
{
    return pieces_of(e, k).most > 1;
}

LLVMTypeRef kernel_type(Emit *e, const Kernel *k)
{
    LLVMTypeRef p = e->ptr, i = e->i64;
    LLVMTypeRef loop[] = {p, p, p}, whole[] = {p, p, i};
    LLVMTypeRef param[] = {p, p, i, i, i};
    if (k->kind == KERNEL_loop)
        return LLVMFunctionType(e->i32, loop, 3, false);
    return may_have_pieces(e) ? LLVMFunctionType(e->i32, param, 5, false)
                              : LLVMFunctionType(e->i32, whole, 3, false);
}

LLVMValueRef kernel_lo(Emit *e, LLVMValueRef fn)
{
    return may_have_pieces(e) ? LLVMGetParam(fn, 2) : code_i64(e, 0);
}

LLVMValueRef kernel_hi(Emit *e, LLVMValueRef fn)
{
    return LLVMGetParam(fn, may_have_pieces(e) ? 3 : 2);
}

/* The record. */

static LLVMTypeRef record_type(Emit *e)
{
    LLVMTypeRef field[NCALL];
    for (int i = 0; i < NCALL; i++)
        field[i] = i < CALL_first_number ? e->ptr : e->i64;
    return LLVMStructTypeInContext(e->context, field, NCALL, false);
}

static LLVMValueRef field_at(Emit *e, LLVMValueRef record, int i)
{
    return LLVMBuildStructGEP2(e->builder, record_type(e), record, (unsigned)i,
                               "");
}

static LLVMValueRef get(Emit *e, LLVMValueRef record, int i)
{
    LLVMTypeRef type = i < CALL_first_number ? e->ptr : e->i64;
    return LLVMBuildLoad2(e->builder, type, field_at(e, record, i), "");
}

static LLVMValueRef told_at(Emit *e, LLVMValueRef told, LLVMValueRef piece,
                            int i)
{
    LLVMValueRef at = code_times(e, piece, code_i64(e, TOLD));
    return code_at(e, e->i64, told, code_plus(e, at, code_i64(e, i)));
}

/* A piece. */

/* Where piece i begins: blocks · i / pieces blocks are before it. */
static LLVMValueRef piece_begin(Emit *e, LLVMValueRef record, LLVMValueRef i)
{
    LLVMValueRef n = code_times(e, get(e, record, CALL_blocks), i);
    n = LLVMBuildUDiv(e->builder, n, get(e, record, CALL_pieces), "");
    n = code_times(e, n, get(e, record, CALL_grain));
    return code_smaller(e, n, get(e, record, CALL_range));
}

/* A kernel writes what it tells behind its dimensions: a list of its own. */
static LLVMValueRef own_dims(Emit *e, LLVMValueRef record, LLVMValueRef nvar)
{
    LLVMValueRef from = get(e, record, CALL_dims), zero = code_i64(e, 0);
    LLVMValueRef room = code_plus(e, nvar, code_i64(e, CHECK_ROOM));
    LLVMValueRef to = LLVMBuildArrayAlloca(e->builder, e->i64, room, "");
    LLVMSetAlignment(to, 8);
    Loop l = loop_begin(e, zero, nvar, code_i64(e, 1), 0, NULL);
    LLVMValueRef v = code_load(e, e->i64, code_at(e, e->i64, from, l.i), 8);
    code_store(e, v, code_at(e, e->i64, to, l.i), 8);
    loop_end(e, &l, NULL);
    return to;
}

static LLVMValueRef kernel_called(Emit *e, LLVMValueRef fn, LLVMValueRef *arg)
{
    static const Kernel any = {.kind = KERNEL_map};
    return LLVMBuildCall2(e->builder, kernel_type(e, &any), fn, arg, 5, "");
}

/* void (record, i): what each thread runs. */
static LLVMValueRef emit_piece(Emit *e)
{
    LLVMBuilderRef b = e->builder;
    LLVMTypeRef param[] = {e->ptr, e->i64};
    LLVMValueRef fn =
        code_function(e, "piece", LLVMFunctionType(e->none, param, 2, false));
    Place back = code_begin(e, fn);
    LLVMValueRef record = LLVMGetParam(fn, 0), i = LLVMGetParam(fn, 1);
    LLVMValueRef told = get(e, record, CALL_told);
    LLVMValueRef nvar = get(e, record, CALL_nvar);
    LLVMValueRef checks =
        LLVMBuildICmp(b, LLVMIntSGE, nvar, code_i64(e, 0), "");
    LLVMValueRef arg[] = {
        get(e, record, CALL_bufs), get(e, record, CALL_dims),
        piece_begin(e, record, i),
        piece_begin(e, record, code_plus(e, i, code_i64(e, 1))), i};
    LLVMBasicBlockRef with = code_block(e, "checks"),
                      without = code_block(e, "");
    LLVMBuildCondBr(b, checks, with, without);
    LLVMPositionBuilderAtEnd(b, without);
    kernel_called(e, get(e, record, CALL_fn), arg);
    LLVMBuildRetVoid(b);
    LLVMPositionBuilderAtEnd(b, with);
    arg[1] = own_dims(e, record, nvar);
    LLVMValueRef status = kernel_called(e, get(e, record, CALL_fn), arg);
    LLVMValueRef to = told_at(e, told, i, 0);
    code_store(e, LLVMBuildZExt(b, status, e->i64, ""), to, 8);
    for (int k = 0; k < CHECK_ROOM; k++) {
        LLVMValueRef at = code_plus(e, nvar, code_i64(e, k));
        LLVMValueRef v =
            code_load(e, e->i64, code_at(e, e->i64, arg[1], at), 8);
        code_store(e, v, told_at(e, told, i, 1 + k), 8);
    }
    LLVMBuildRetVoid(b);
    code_back(e, back);
    return fn;
}

/* All pieces. */

/* The first check that failed in any piece and, of those, the index furthest
 * out: what all iterations in a row would tell. */
static LLVMValueRef join_told(Emit *e, LLVMValueRef record)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef told = get(e, record, CALL_told), zero = code_i64(e, 0);
    LLVMValueRef best[TOLD] = {zero, zero, zero};
    Loop l = loop_begin(e, zero, get(e, record, CALL_pieces), code_i64(e, 1),
                        TOLD, best);
    LLVMValueRef own[TOLD];
    for (int i = 0; i < TOLD; i++)
        own[i] = code_load(e, e->i64, told_at(e, told, l.i, i), 8);
    LLVMValueRef first = LLVMBuildIsNull(b, l.phi[0], "");
    first = LLVMBuildOr(b, first,
                        LLVMBuildICmp(b, LLVMIntULT, own[0], l.phi[0], ""), "");
    LLVMValueRef beside = LLVMBuildICmp(b, LLVMIntUGT, own[1], l.phi[1], "");
    LLVMValueRef further = LLVMBuildAnd(
        b, LLVMBuildICmp(b, LLVMIntEQ, own[0], l.phi[0], ""), beside, "");
    LLVMValueRef other = LLVMBuildOr(b, first, further, "");
    LLVMValueRef worse =
        LLVMBuildAnd(b, LLVMBuildIsNotNull(b, own[0], ""), other, "");
    for (int i = 0; i < TOLD; i++)
        best[i] = LLVMBuildSelect(b, worse, own[i], l.phi[i], "");
    loop_end(e, &l, best);
    LLVMValueRef right = get(e, record, CALL_nvar);
    LLVMValueRef to = code_at(e, e->i64, get(e, record, CALL_dims), right);
    check_tell(e, to, 0, best[1], best[2]);
    return LLVMBuildTrunc(b, best[0], e->i32, "");
}

/* A power of two, so that two, four or eight threads have as much to do. */
static LLVMValueRef count_pieces(Emit *e, LLVMValueRef most,
                                 LLVMValueRef wanted, LLVMValueRef blocks)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef n = code_smaller(e, wanted, most);
    n = code_smaller(e, n, blocks);
    LLVMValueRef arg[] = {code_at_least(e, n, 1), LLVMConstNull(e->i1)};
    LLVMValueRef zeros = code_intrinsic(e, "llvm.ctlz", &e->i64, 1, arg, 2);
    return LLVMBuildLShr(b, code_i64(e, INT64_MIN), zeros, "");
}

enum {
    RUN_exec,
    RUN_fn,
    RUN_bufs,
    RUN_dims,
    RUN_range,
    RUN_wanted,
    RUN_most,
    RUN_grain,
    RUN_nvar,
    NRUN
};

static LLVMTypeRef run_type(Emit *e, const void *of)
{
    (void)of;
    LLVMTypeRef param[NRUN];
    for (int i = 0; i < NRUN; i++)
        param[i] = i < RUN_range ? e->ptr : e->i64;
    return LLVMFunctionType(e->i32, param, NRUN, false);
}

/* exec->parallel_for(exec->context, n, piece, record) */
static void run_all(Emit *e, LLVMValueRef exec, LLVMValueRef n,
                    LLVMValueRef piece, LLVMValueRef record)
{
    int pointer = (int)LLVMPointerSize(e->machine.layout);
    LLVMTypeRef param[] = {e->ptr, e->i64, e->ptr, e->ptr};
    LLVMValueRef arg[] = {
        code_load(e, e->ptr, code_at(e, e->i8, exec, code_i64(e, 8)), pointer),
        n, piece, record};
    LLVMValueRef fn = code_load(
        e, e->ptr, code_at(e, e->i8, exec, code_i64(e, 8 + pointer)), pointer);
    LLVMBuildCall2(e->builder, LLVMFunctionType(e->none, param, 4, false), fn,
                   arg, 4, "");
}

static void fill_record(Emit *e, LLVMValueRef record, LLVMValueRef *value)
{
    for (int i = 0; i < NCALL; i++)
        LLVMBuildStore(e->builder, value[i], field_at(e, record, i));
}

static void build_run(Emit *e, const void *of, LLVMValueRef fn)
{
    (void)of;
    LLVMValueRef piece = emit_piece(e);
    LLVMBuilderRef b = e->builder;
    LLVMValueRef in[NRUN], zero = code_i64(e, 0), one = code_i64(e, 1);
    for (unsigned i = 0; i < NRUN; i++)
        in[i] = LLVMGetParam(fn, i);
    LLVMValueRef told =
        code_slot(e, LLVMArrayType(e->i64, MOST_PIECES * TOLD), 8);
    LLVMValueRef record = code_slot(e, record_type(e), 8);
    LLVMValueRef up =
        code_plus(e, in[RUN_range], LLVMBuildSub(b, in[RUN_grain], one, ""));
    LLVMValueRef blocks = LLVMBuildSDiv(b, up, in[RUN_grain], "");
    LLVMValueRef n = count_pieces(e, in[RUN_most], in[RUN_wanted], blocks);
    LLVMBasicBlockRef whole = code_block(e, "whole");
    LLVMBasicBlockRef cut = code_block(e, "cut"), done = code_block(e, "done");
    LLVMBasicBlockRef tell = code_block(e, "tell");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, n, one, ""), whole, cut);
    LLVMPositionBuilderAtEnd(b, whole);
    LLVMValueRef arg[] = {in[RUN_bufs], in[RUN_dims], zero, in[RUN_range],
                          code_i64(e, -1)};
    LLVMBuildRet(b, kernel_called(e, in[RUN_fn], arg));
    LLVMPositionBuilderAtEnd(b, cut);
    LLVMValueRef value[NCALL] = {
        in[RUN_fn],    in[RUN_bufs],  in[RUN_dims], told,
        in[RUN_range], in[RUN_grain], blocks,       n,
        in[RUN_nvar]};
    fill_record(e, record, value);
    run_all(e, in[RUN_exec], n, piece, record);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, in[RUN_nvar], zero, ""),
                    done, tell);
    LLVMPositionBuilderAtEnd(b, done);
    LLVMBuildRet(b, LLVMConstInt(e->i32, NN_OK, false));
    LLVMPositionBuilderAtEnd(b, tell);
    LLVMBuildRet(b, join_told(e, record));
}

Helper run_helper(void)
{
    enum { RUN = 100 };
    return (Helper){.name = "run_pieces",
                    .type = run_type,
                    .build = build_run,
                    .weight = RUN};
}

/* What a call takes. */

static LLVMValueRef times_all(Emit *e, DimEnv *dims, LLVMValueRef v, Extents by)
{
    for (int i = 0; i < by.n; i++)
        v = code_times(e, v, dim_code(e, dims, by.size[i]));
    return v;
}

static LLVMValueRef work_of(Emit *e, DimEnv *dims, const Kernel *k)
{
    KernelWork w = kernel_work(e->arena, k);
    LLVMValueRef sum = NULL;
    for (int i = 0; i < w.n; i++) {
        LLVMValueRef v = code_i64(e, w.term[i].weight);
        v = times_all(e, dims, v, w.term[i].times);
        sum = sum ? code_plus(e, sum, v) : v;
    }
    sum = times_all(e, dims, sum, w.times);
    return w.per == 1 ? sum
                      : LLVMBuildUDiv(e->builder, sum, code_i64(e, w.per), "");
}

/* Calls. */

static LLVMValueRef call_whole(const KernelCall *c, LLVMValueRef range)
{
    Emit *e = c->e;
    LLVMValueRef whole[] = {c->bufs, c->dim_list, range};
    LLVMValueRef arg[] = {c->bufs, c->dim_list, code_i64(e, 0), range,
                          code_i64(e, -1)};
    return may_have_pieces(e) ? code_call(e, c->fn, arg, 5)
                              : code_call(e, c->fn, whole, 3);
}

/* Extents are computed here, for only who has threads asks for them. */
static LLVMValueRef call_pieces(const KernelCall *c, LLVMValueRef range)
{
    Emit *e = c->e;
    const Kernel *k = c->k;
    DimEnv dims = *c->dims;
    dims.before = NULL;
    dims.memo = dims.step = (Map){0};
    const PieceSchedule p = pieces_of(e, k);
    LLVMValueRef arg[] = {c->exec,
                          c->fn,
                          c->bufs,
                          c->dim_list,
                          range,
                          LLVMBuildUDiv(e->builder, work_of(e, &dims, k),
                                        code_i64(e, p.least), ""),
                          code_i64(e, p.most),
                          code_i64(e, p.grain),
                          code_i64(e, kernel_ncheck(k) ? c->nvar : -1)};
    return code_call(e, helper_function(e, run_helper()), arg, NRUN);
}

LLVMValueRef kernel_call(const KernelCall *c)
{
    Emit *e = c->e;
    if (c->k->kind == KERNEL_loop) {
        LLVMValueRef arg[] = {c->bufs, c->dim_list,
                              c->exec ? c->exec : LLVMConstNull(e->ptr)};
        return code_call(e, c->fn, arg, 3);
    }
    LLVMValueRef range = kernel_range(e, c->dims, c->k);
    if (!c->exec || !runs_in_pieces(e, c->k))
        return call_whole(c, range);
    LLVMBasicBlockRef many = code_block(e, "threads");
    LLVMBasicBlockRef one = code_block(e, "alone"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, LLVMBuildIsNotNull(e->builder, c->exec, ""),
                    many, one);
    LLVMPositionBuilderAtEnd(e->builder, many);
    LLVMValueRef a = call_pieces(c, range);
    many = LLVMGetInsertBlock(e->builder);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, one);
    LLVMValueRef b = call_whole(c, range);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
    return code_phi(e, a, many, b, one);
}

/* Does some kernel run in pieces, be it in a loop? */
static bool any_in_pieces(const Emit *e, const Schedule *s, int first, int last)
{
    for (int i = first; s && i < last; i++) {
        const Kernel *k = s->kernel.at[i];
        const LoopKernel *l = k->loop;
        if (runs_in_pieces(e, k) ||
            (l &&
             (any_in_pieces(e, l->body, 0, l->body->kernel.n) ||
              (l->check && any_in_pieces(e, l->check, 0, l->check->kernel.n)))))
            return true;
    }
    return false;
}

LLVMValueRef exec_threads(Emit *e, const Schedule *s, int first, int last,
                          LLVMValueRef exec)
{
    if (!any_in_pieces(e, s, first, last))
        return NULL;
    int64_t pointer = LLVMPointerSize(e->machine.layout), at = 8 + pointer;
    LLVMBasicBlockRef sized = code_block(e, ""), with = code_block(e, "");
    LLVMBasicBlockRef on = code_block(e, "");
    LLVMBuilderRef b = e->builder;
    LLVMValueRef none = LLVMConstNull(e->ptr);
    LLVMBasicBlockRef from[3] = {LLVMGetInsertBlock(b), sized, with};
    LLVMBuildCondBr(b, LLVMBuildIsNotNull(b, exec, ""), sized, on);
    LLVMPositionBuilderAtEnd(b, sized);
    LLVMValueRef size = LLVMConstInt(e->i32, (unsigned)(at + pointer), false);
    LLVMBuildCondBr(
        b,
        LLVMBuildICmp(b, LLVMIntUGE, code_load(e, e->i32, exec, 4), size, ""),
        with, on);
    LLVMPositionBuilderAtEnd(b, with);
    LLVMValueRef fn = code_load(
        e, e->ptr, code_at(e, e->i8, exec, code_i64(e, at)), (int)pointer);
    LLVMValueRef value[3] = {
        none, none,
        LLVMBuildSelect(b, LLVMBuildIsNotNull(b, fn, ""), exec, none, "")};
    LLVMBuildBr(b, on);
    LLVMPositionBuilderAtEnd(b, on);
    LLVMValueRef phi = LLVMBuildPhi(b, e->ptr, "");
    LLVMAddIncoming(phi, value, from, 3);
    return phi;
}
