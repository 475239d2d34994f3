/* code.c: pieces of code that all kernels are made of. */
#include <string.h>

#include <llvm-c/DebugInfo.h>
#include <llvm/Config/llvm-config.h>

#include "emit/emit_internal.h"

LLVMTypeRef type_of(Emit *e, DType t)
{
    switch (t) {
    case DT_bool:
        return e->i1;
    case DT_u8:
        return e->i8;
    case DT_i32:
        return e->i32;
    case DT_i64:
    case DT_key:
        return e->i64;
    case DT_f32:
        return e->f32;
    case DT_f64:
        return e->f64;
    case NDTYPES:
        break;
    }
    die("no such dtype: %d", (int)t);
}

LLVMTypeRef type_in_memory(Emit *e, DType t)
{
    return t == DT_bool ? e->i8 : type_of(e, t);
}

LLVMTypeRef type_lanes(LLVMTypeRef t, int width)
{
    return width == 1 ? t : LLVMVectorType(t, (unsigned)width);
}

int type_width(LLVMTypeRef t)
{
    return LLVMGetTypeKind(t) == LLVMVectorTypeKind ? (int)LLVMGetVectorSize(t)
                                                    : 1;
}

LLVMValueRef code_i64(Emit *e, int64_t v)
{
    return LLVMConstInt(e->i64, (unsigned long long)v, true);
}

LLVMValueRef code_plus(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildAdd(e->builder, a, b, "");
}

LLVMValueRef code_times(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildMul(e->builder, a, b, "");
}

LLVMValueRef code_down_to(Emit *e, LLVMValueRef n, int multiple)
{
    if ((multiple & (multiple - 1)) == 0)
        return LLVMBuildAnd(e->builder, n, code_i64(e, -(int64_t)multiple), "");
    LLVMValueRef rest = LLVMBuildURem(e->builder, n, code_i64(e, multiple), "");
    return LLVMBuildSub(e->builder, n, rest, "");
}

LLVMValueRef code_iota(Emit *e, LLVMTypeRef t, int width)
{
    LLVMValueRef lane[64];
    (void)e;
    for (int i = 0; i < width; i++)
        lane[i] = LLVMConstInt(t, (unsigned)i, false);
    return width == 1 ? lane[0] : LLVMConstVector(lane, (unsigned)width);
}

static LLVMValueRef shuffle(Emit *e, LLVMValueRef v, LLVMValueRef mask)
{
    return LLVMBuildShuffleVector(e->builder, v, LLVMGetPoison(LLVMTypeOf(v)),
                                  mask, "");
}

LLVMValueRef code_splat(Emit *e, LLVMValueRef v, int width)
{
    if (width == 1)
        return v;
    if (LLVMIsConstant(v)) {
        LLVMValueRef lane[64];
        for (int i = 0; i < width; i++)
            lane[i] = v;
        return LLVMConstVector(lane, (unsigned)width);
    }
    LLVMTypeRef t = LLVMVectorType(LLVMTypeOf(v), (unsigned)width);
    LLVMValueRef one = LLVMBuildInsertElement(
        e->builder, LLVMGetPoison(t), v, LLVMConstInt(e->i32, 0, false), "");
    return shuffle(e, one,
                   LLVMConstNull(LLVMVectorType(e->i32, (unsigned)width)));
}

LLVMValueRef code_first_lanes(Emit *e, int width, LLVMValueRef n)
{
    n = LLVMBuildTrunc(e->builder, n, e->i32, "");
    return LLVMBuildICmp(e->builder, LLVMIntSLT, code_iota(e, e->i32, width),
                         code_splat(e, n, width), "");
}

LLVMValueRef code_lanes(Emit *e, LLVMValueRef v, int first, int width)
{
    if (width == 1)
        return LLVMBuildExtractElement(
            e->builder, v, LLVMConstInt(e->i32, (unsigned)first, false), "");
    LLVMValueRef lane[64];
    for (int i = 0; i < width; i++)
        lane[i] = LLVMConstInt(e->i32, (unsigned)(first + i), false);
    return shuffle(e, v, LLVMConstVector(lane, (unsigned)width));
}

LLVMValueRef code_sum_lanes(Emit *e, LLVMValueRef v)
{
    for (int n = type_width(LLVMTypeOf(v)) / 2; n > 0; n /= 2) {
        LLVMValueRef high = code_lanes(e, v, n, n);
        v = LLVMBuildFAdd(e->builder, code_lanes(e, v, 0, n), high, "");
    }
    return v;
}

LLVMValueRef code_shuffle(Emit *e, LLVMValueRef a, LLVMValueRef b,
                          const int *from, int n)
{
    LLVMValueRef lane[64];
    for (int i = 0; i < n; i++)
        lane[i] = from[i] < 0 ? LLVMGetPoison(e->i32)
                              : LLVMConstInt(e->i32, (unsigned)from[i], false);
    if (!b)
        b = LLVMGetPoison(LLVMTypeOf(a));
    return LLVMBuildShuffleVector(e->builder, a, b,
                                  LLVMConstVector(lane, (unsigned)n), "");
}

LLVMValueRef code_both(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    int width = type_width(LLVMTypeOf(a));
    LLVMValueRef mask = code_iota(e, e->i32, 2 * width);
    return LLVMBuildShuffleVector(e->builder, a, b, mask, "");
}

LLVMValueRef code_call(Emit *e, LLVMValueRef fn, LLVMValueRef *arg, int narg)
{
    return LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(fn), fn, arg,
                          (unsigned)narg, "");
}

LLVMValueRef code_intrinsic(Emit *e, const char *name, LLVMTypeRef *type,
                            int ntype, LLVMValueRef *arg, int narg)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    if (!id)
        die("no intrinsic %s", name);
    LLVMValueRef fn =
        LLVMGetIntrinsicDeclaration(e->module, id, type, (size_t)ntype);
    return code_call(e, fn, arg, narg);
}

bool has_fma(const Emit *e, bool wide)
{
    return wide ? e->machine.has.wide_fma : e->machine.has.fma;
}

int lanes_of_bytes(const Emit *e, int size)
{
    return hardware_lanes(&e->machine.has, size);
}

bool has_masks(const Emit *e) { return hardware_masks(&e->machine.has); }

LLVMValueRef code_muladd(Emit *e, LLVMValueRef a, LLVMValueRef b,
                         LLVMValueRef c)
{
    LLVMTypeRef t = LLVMTypeOf(a);
    LLVMTypeRef one = type_width(t) == 1 ? t : LLVMGetElementType(t);
    if (LLVMGetTypeKind(one) == LLVMIntegerTypeKind)
        return LLVMBuildAdd(e->builder, LLVMBuildMul(e->builder, a, b, ""), c,
                            "");
    if (has_fma(e, LLVMGetTypeKind(one) == LLVMDoubleTypeKind))
        return code_intrinsic(e, "llvm.fma", &t, 1, (LLVMValueRef[]){a, b, c},
                              3);
    return LLVMBuildFAdd(e->builder, LLVMBuildFMul(e->builder, a, b, ""), c,
                         "");
}

LLVMValueRef code_at(Emit *e, LLVMTypeRef type, LLVMValueRef base,
                     LLVMValueRef index)
{
    return LLVMBuildGEP2(e->builder, type, base, &index, 1, "");
}

/* What may be claimed where C aligns to `align`: pointers, and on some machines
 * numbers of 8 bytes, are aligned to 4. */
static unsigned claim(Emit *e, LLVMTypeRef type, int align)
{
    LLVMTypeRef one = type_width(type) == 1 ? type : LLVMGetElementType(type);
    unsigned own =
        align == 8 ? LLVMABIAlignmentOfType(e->machine.layout, one) : 8;
    return own < 8 ? own : (unsigned)align;
}

LLVMValueRef code_load(Emit *e, LLVMTypeRef type, LLVMValueRef at, int align)
{
    LLVMValueRef v = LLVMBuildLoad2(e->builder, type, at, "");
    LLVMSetAlignment(v, claim(e, type, align));
    return v;
}

void code_store(Emit *e, LLVMValueRef v, LLVMValueRef at, int align)
{
    LLVMSetAlignment(LLVMBuildStore(e->builder, v, at),
                     claim(e, LLVMTypeOf(v), align));
}

void code_store_in_order(Emit *e, LLVMValueRef v, LLVMValueRef at)
{
    LLVMSetVolatile(LLVMBuildStore(e->builder, v, at), true);
}

/* The masked intrinsics. Up to LLVM 21 the alignment is an argument; from 22
 * it is an attribute of the pointer argument, number `pointer`. */
static LLVMValueRef masked(Emit *e, const char *name, LLVMTypeRef *type,
                           LLVMValueRef *arg, int narg, int pointer, int align)
{
#if LLVM_VERSION_MAJOR < 22
    for (int i = narg; i > pointer + 1; i--)
        arg[i] = arg[i - 1];
    arg[pointer + 1] = LLVMConstInt(e->i32, (unsigned)align, false);
    return code_intrinsic(e, name, type, 2, arg, narg + 1);
#else
    LLVMValueRef call = code_intrinsic(e, name, type, 2, arg, narg);
    LLVMSetInstrParamAlignment(call, (unsigned)pointer + 1, (unsigned)align);
    return call;
#endif
}

LLVMValueRef code_masked_load(Emit *e, LLVMTypeRef type, LLVMValueRef at,
                              int align, LLVMValueRef mask)
{
    LLVMTypeRef over[] = {type, e->ptr};
    LLVMValueRef arg[4] = {at, mask, LLVMConstNull(type)};
    return masked(e, "llvm.masked.load", over, arg, 3, 0, align);
}

void code_masked_store(Emit *e, LLVMValueRef value, LLVMValueRef at, int align,
                       LLVMValueRef mask)
{
    LLVMTypeRef over[] = {LLVMTypeOf(value), e->ptr};
    LLVMValueRef arg[4] = {value, at, mask};
    masked(e, "llvm.masked.store", over, arg, 3, 1, align);
}

static LLVMValueRef all_lanes(Emit *e, LLVMTypeRef t)
{
    return LLVMConstAllOnes(type_lanes(e->i1, type_width(t)));
}

LLVMValueRef code_gather(Emit *e, LLVMTypeRef type, LLVMValueRef at, int align,
                         LLVMValueRef mask)
{
    LLVMTypeRef over[] = {type, LLVMTypeOf(at)};
    LLVMValueRef arg[4] = {at, mask ? mask : all_lanes(e, type),
                           LLVMConstNull(type)};
    return masked(e, "llvm.masked.gather", over, arg, 3, 0, align);
}

void code_scatter(Emit *e, LLVMValueRef value, LLVMValueRef at, int align,
                  LLVMValueRef mask)
{
    LLVMTypeRef over[] = {LLVMTypeOf(value), LLVMTypeOf(at)};
    LLVMValueRef arg[4] = {value, at,
                           mask ? mask : all_lanes(e, LLVMTypeOf(value))};
    masked(e, "llvm.masked.scatter", over, arg, 3, 1, align);
}

LLVMValueRef code_here(Emit *e)
{
    return LLVMGetBasicBlockParent(LLVMGetInsertBlock(e->builder));
}

LLVMValueRef code_buffer(Emit *e, LLVMValueRef bufs, int number)
{
    LLVMValueRef at = code_at(e, e->ptr, bufs, code_i64(e, number));
    return code_load(e, e->ptr, at, 8);
}

/* Of one for each Buffer.id that the key has. */
static int room_for(const KernelKey *key)
{
    int most = 0;
    for (int i = 0; i < key->nbuffer; i++)
        most = key->buffer[i]->id > most ? key->buffer[i]->id : most;
    return most + 1;
}

LLVMValueRef *code_buffers(Emit *e, const KernelKey *key, LLVMValueRef bufs)
{
    LLVMValueRef *address = NEWN(e->arena, LLVMValueRef, room_for(key));
    for (int i = 0; i < key->nbuffer; i++)
        address[key->buffer[i]->id] = code_buffer(e, bufs, i);
    return address;
}

int *buffer_numbers(Arena *a, const KernelKey *key)
{
    int *number = NEWN(a, int, room_for(key));
    for (int i = 0; i < key->nbuffer; i++)
        number[key->buffer[i]->id] = i;
    return number;
}

LLVMBasicBlockRef code_block(Emit *e, const char *name)
{
    return LLVMAppendBasicBlockInContext(e->context, code_here(e), name);
}

LLVMValueRef code_phi(Emit *e, LLVMValueRef a, LLVMBasicBlockRef from_a,
                      LLVMValueRef b, LLVMBasicBlockRef from_b)
{
    LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(a), "");
    LLVMAddIncoming(phi, &a, &from_a, 1);
    LLVMAddIncoming(phi, &b, &from_b, 1);
    return phi;
}

LLVMValueRef code_smaller(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef less = LLVMBuildICmp(e->builder, LLVMIntSLT, a, b, "");
    return LLVMBuildSelect(e->builder, less, a, b, "");
}

LLVMValueRef code_at_least(Emit *e, LLVMValueRef n, int64_t least)
{
    LLVMValueRef low = code_i64(e, least);
    LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSGT, n, low, "");
    return LLVMBuildSelect(e->builder, more, n, low, "");
}

static void set_metadata(Emit *e, LLVMValueRef of, const char *kind,
                         LLVMMetadataRef node)
{
    LLVMSetMetadata(
        of, LLVMGetMDKindIDInContext(e->context, kind, (unsigned)strlen(kind)),
        LLVMMetadataAsValue(e->context, node));
}

void code_in_range(Emit *e, LLVMValueRef load, int64_t first, int64_t last)
{
    LLVMMetadataRef end[] = {LLVMValueAsMetadata(code_i64(e, first)),
                             LLVMValueAsMetadata(code_i64(e, last))};
    set_metadata(e, load, "range", LLVMMDNodeInContext2(e->context, end, 2));
}

void code_seldom(Emit *e, LLVMValueRef branch, int which)
{
    LLVMMetadataRef part[3] = {
        LLVMMDStringInContext2(e->context, "branch_weights", 14)};
    for (int i = 0; i < 2; i++)
        part[i + 1] = LLVMValueAsMetadata(
            LLVMConstInt(e->i32, i == which ? 1 : 1000, false));
    set_metadata(e, branch, "prof", LLVMMDNodeInContext2(e->context, part, 3));
}

Place code_place(Emit *e)
{
    return (Place){LLVMGetInsertBlock(e->builder), e->before,
                   LLVMGetCurrentDebugLocation2(e->builder)};
}

Place code_go(Emit *e, LLVMValueRef before)
{
    Place p = code_place(e);
    LLVMPositionBuilderBefore(e->builder, before);
    LLVMSetCurrentDebugLocation2(e->builder, p.from);
    e->before = before;
    return p;
}

Place code_begin(Emit *e, LLVMValueRef fn)
{
    Place p = code_place(e);
    LLVMPositionBuilderAtEnd(
        e->builder, LLVMAppendBasicBlockInContext(e->context, fn, "entry"));
    e->before = NULL;
    return p;
}

void code_back(Emit *e, Place p)
{
    if (p.before)
        LLVMPositionBuilderBefore(e->builder, p.before);
    else if (p.block)
        LLVMPositionBuilderAtEnd(e->builder, p.block);
    LLVMSetCurrentDebugLocation2(e->builder, p.from);
    e->before = p.before;
}

LLVMValueRef code_slot(Emit *e, LLVMTypeRef type, int align)
{
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(code_here(e));
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (!first)
        return LLVMBuildAlloca(e->builder, type, "");
    Place back = code_go(e, first);
    LLVMValueRef slot = LLVMBuildAlloca(e->builder, type, "");
    LLVMSetAlignment(slot, (unsigned)align);
    code_back(e, back);
    return slot;
}

LLVMValueRef code_function(Emit *e, const char *name, LLVMTypeRef type)
{
    LLVMValueRef fn = LLVMAddFunction(e->module, name, type);
    LLVMSetLinkage(fn, LLVMInternalLinkage);
    mark_enum(e, fn, "nounwind");
    mark_enum(e, fn, "noinline");
    return fn;
}

/* A comparison of what is known. */
static bool is_true(LLVMValueRef v)
{
    return LLVMIsAConstantInt(v) && LLVMConstIntGetZExtValue(v);
}

static LLVMValueRef is_less(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildICmp(e->builder, LLVMIntSLT, a, b, "");
}

static bool runs_once(Emit *e, const Loop *l)
{
    return LLVMIsAConstantInt(l->first) && LLVMIsAConstantInt(l->last) &&
           LLVMIsAConstantInt(l->step) &&
           is_true(is_less(e, l->first, l->last)) &&
           !is_true(is_less(e, code_plus(e, l->first, l->step), l->last));
}

static LLVMValueRef carried(Emit *e, const Loop *l, LLVMValueRef start,
                            const char *name)
{
    if (l->once)
        return start;
    LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(start), name);
    LLVMBasicBlockRef before = l->before;
    LLVMAddIncoming(phi, &start, &before, 1);
    return phi;
}

Loop loop_begin(Emit *e, LLVMValueRef first, LLVMValueRef last,
                LLVMValueRef step, int n, LLVMValueRef const *start)
{
    Loop l = {.first = first, .last = last, .step = step, .n = n};
    l.start = NEWN(e->arena, LLVMValueRef, n + 1);
    l.phi = NEWN(e->arena, LLVMValueRef, n + 1);
    l.once = runs_once(e, &l);
    l.before = LLVMGetInsertBlock(e->builder);
    l.body = code_block(e, "loop");
    l.after = code_block(e, "done");
    LLVMValueRef any = is_less(e, first, last);
    l.runs = is_true(any);
    l.enter = l.runs ? LLVMBuildBr(e->builder, l.body)
                     : LLVMBuildCondBr(e->builder, any, l.body, l.after);
    LLVMPositionBuilderAtEnd(e->builder, l.body);
    l.i = carried(e, &l, first, "i");
    for (int i = 0; i < n; i++) {
        l.start[i] = start[i];
        l.phi[i] = carried(e, &l, start[i], "");
    }
    return l;
}

/* A loop whose branch back it is begins where the machine fetches code. */
static void align_loop(Emit *e, LLVMValueRef branch)
{
    enum { LINE = 32 };
    static const char key[] = "llvm.loop.align";
    LLVMMetadataRef align[] = {
        LLVMMDStringInContext2(e->context, key, sizeof key - 1),
        LLVMValueAsMetadata(LLVMConstInt(e->i32, LINE, false))};
    LLVMMetadataRef id[] = {LLVMTemporaryMDNode(e->context, NULL, 0),
                            LLVMMDNodeInContext2(e->context, align, 2)};
    LLVMMetadataRef node = LLVMMDNodeInContext2(e->context, id, 2);
    LLVMMetadataReplaceAllUsesWith(id[0], node);
    set_metadata(e, branch, "llvm.loop", node);
}

/* From the end of the body back to its beginning, or out. */
static void repeat(Emit *e, Loop *l, LLVMValueRef *next)
{
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    LLVMValueRef i = LLVMBuildNSWAdd(e->builder, l->i, l->step, "");
    LLVMValueRef more = is_less(e, i, l->last);
    LLVMValueRef back = LLVMBuildCondBr(e->builder, more, l->body, l->after);
    if (end == l->body && !e->machine.has.small)
        align_loop(e, back);
    LLVMAddIncoming(l->i, &i, &end, 1);
    for (int j = 0; j < l->n; j++)
        LLVMAddIncoming(l->phi[j], &next[j], &end, 1);
}

void loop_end(Emit *e, Loop *l, LLVMValueRef *next)
{
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    if (l->once)
        LLVMBuildBr(e->builder, l->after);
    else
        repeat(e, l, next);
    LLVMPositionBuilderAtEnd(e->builder, l->after);
    LLVMMoveBasicBlockAfter(l->after, end);
    for (int j = 0; !l->runs && j < l->n; j++)
        next[j] = code_phi(e, l->start[j], l->before, next[j], end);
}
