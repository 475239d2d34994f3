/* levels.c: one module for several levels of x86-64, chosen when it is loaded.
 */
#include <string.h>

#include <llvm-c/BitReader.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Linker.h>

#include "emit/levels.h"

static int level_number(const char *name, size_t n)
{
    for (int i = 0; i < MAX_LEVELS; i++)
        if (strlen(x86_level[i].name) == n &&
            memcmp(x86_level[i].name, name, n) == 0)
            return i;
    return -1;
}

/* "x86-64-v2,x86-64-v4" in any order; a name alone may be of any CPU. */
bool levels_parse(Arena *a, const EmitOptions *o, Levels *l, const char **error)
{
    bool has[MAX_LEVELS] = {0};
    *l = (Levels){.n = 1, .name = {o->cpu}};
    if (!strchr(o->cpu, ','))
        return true;
    if (!strchr(emit_default_cpu(a, o->target, true), ',')) {
        *error =
            arena_printf(a,
                         "a list of CPUs: nothing is chosen when a program "
                         "for %s is loaded",
                         o->target ? o->target : "this machine");
        return false;
    }
    const char *at = o->cpu;
    while (true) {
        size_t n = strcspn(at, ",");
        int k = level_number(at, n);
        if (k < 0) {
            *error = arena_printf(a,
                                  "'%.*s' in a list of CPUs: only x86-64, "
                                  "x86-64-v2, x86-64-v3 and x86-64-v4 can be "
                                  "chosen among when a module is loaded",
                                  (int)n, at);
            return false;
        }
        has[k] = true;
        if (!at[n])
            break;
        at += n + 1;
    }
    l->n = 0;
    for (int i = 0; i < MAX_LEVELS; i++)
        if (has[i]) {
            l->need[l->n] = i;
            l->name[l->n++] = x86_level[i].name;
        }
    return true;
}

/* An internal function, the builder in its first block. */
static LLVMValueRef begin(Emit *e, const char *name, LLVMTypeRef type)
{
    LLVMValueRef fn = LLVMAddFunction(e->module, name, type);
    LLVMSetLinkage(fn, LLVMInternalLinkage);
    LLVMBasicBlockRef block =
        LLVMAppendBasicBlockInContext(e->context, fn, "entry");
    LLVMPositionBuilderAtEnd(e->builder, block);
    return fn;
}

static LLVMTypeRef words_type(Emit *e, int n)
{
    LLVMTypeRef word[] = {e->i32, e->i32, e->i32, e->i32};
    return LLVMStructTypeInContext(e->context, word, (unsigned)n, false);
}

/* Word `reg` (0 … 3: eax ebx ecx edx) of cpuid. */
static LLVMValueRef cpuid(Emit *e, LLVMValueRef words, int reg)
{
    return LLVMBuildExtractValue(e->builder, words, (unsigned)reg, "");
}

static LLVMValueRef asm_call(Emit *e, LLVMTypeRef result, const char *text,
                             const char *constraints, LLVMValueRef *arg, int n)
{
    LLVMTypeRef in[] = {e->i32, e->i32};
    LLVMTypeRef type = LLVMFunctionType(result, in, (unsigned)n, false);
    LLVMValueRef code = LLVMGetInlineAsm(type, text, strlen(text), constraints,
                                         strlen(constraints), true, false,
                                         LLVMInlineAsmDialectATT, false);
    return LLVMBuildCall2(e->builder, type, code, arg, (unsigned)n, "");
}

static LLVMValueRef call_cpuid(Emit *e, unsigned leaf)
{
    LLVMValueRef arg[] = {LLVMConstInt(e->i32, leaf, false),
                          LLVMConstInt(e->i32, 0, false)};
    return asm_call(e, words_type(e, 4), "cpuid",
                    "={ax},={bx},={cx},={dx},0,2,~{dirflag},~{fpsr},~{flags}",
                    arg, 2);
}

static LLVMValueRef has_bits(Emit *e, LLVMValueRef word, unsigned bits)
{
    LLVMValueRef mask = LLVMConstInt(e->i32, bits, false);
    return LLVMBuildICmp(e->builder, LLVMIntEQ,
                         LLVMBuildAnd(e->builder, word, mask, ""), mask, "");
}

/* What each level adds to the one below; bits as in Intel's manual, volume 2,
 * CPUID. */
enum {
    /* leaf 1, ecx */
    V2_1C = 1 << 0 | 1 << 9 | 1 << 13 | 1 << 19 | 1 << 20 | 1 << 23,
    V3_1C = 1 << 12 | 1 << 22 | 1 << 27 | 1 << 28 | 1 << 29,
    /* leaf 0x80000001, ecx: lahf, lzcnt */
    V2_EC = 1 << 0,
    V3_EC = 1 << 5,
    /* leaf 7, ebx */
    V3_7B = 1 << 3 | 1 << 5 | 1 << 8,
    /* the system saves xmm and ymm; and masks and zmm */
    V3_XCR = 0x06,
    V4_XCR = 0xe6,
};
/* leaf 7, ebx: avx512 f dq cd bw vl */
static const unsigned v4_7b =
    1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;

/* The registers that the system saves, read where xgetbv exists: a phi. */
static LLVMValueRef saved_registers(Emit *e, LLVMValueRef fn,
                                    LLVMValueRef has_xgetbv)
{
    LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef read =
        LLVMAppendBasicBlockInContext(e->context, fn, "xgetbv");
    LLVMBasicBlockRef after =
        LLVMAppendBasicBlockInContext(e->context, fn, "after");
    LLVMBuildCondBr(e->builder, has_xgetbv, read, after);
    LLVMPositionBuilderAtEnd(e->builder, read);
    LLVMValueRef zero = LLVMConstInt(e->i32, 0, false);
    LLVMValueRef words =
        asm_call(e, words_type(e, 2), "xgetbv",
                 "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}", &zero, 1);
    LLVMValueRef low = cpuid(e, words, 0);
    LLVMBuildBr(e->builder, after);
    LLVMPositionBuilderAtEnd(e->builder, after);
    LLVMValueRef phi = LLVMBuildPhi(e->builder, e->i32, "");
    LLVMAddIncoming(phi, (LLVMValueRef[]){zero, low},
                    (LLVMBasicBlockRef[]){before, read}, 2);
    return phi;
}

/* i32 M.level(): the highest of x86_level that this machine has. It runs while
 * the module is being relocated, so it calls nothing. CPUs without leaf 7 or
 * 0x80000001 answer with their highest basic leaf, which may hold anything:
 * therefore the tests of what they can answer. */
LLVMValueRef level_detect(Emit *e, const char *module)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef fn = begin(e, arena_printf(e->arena, "%s.level", module),
                            LLVMFunctionType(e->i32, NULL, 0, false));
    LLVMValueRef last = cpuid(e, call_cpuid(e, 0), 0);
    LLVMValueRef last_extended = cpuid(e, call_cpuid(e, 0x80000000u), 0);
    LLVMValueRef one = cpuid(e, call_cpuid(e, 1), 2);
    LLVMValueRef seven = cpuid(e, call_cpuid(e, 7), 1);
    LLVMValueRef extended = cpuid(e, call_cpuid(e, 0x80000001u), 2);
    LLVMValueRef saved = saved_registers(e, fn, has_bits(e, one, 1u << 27));
    LLVMValueRef has7 =
        LLVMBuildICmp(b, LLVMIntUGE, last, LLVMConstInt(e->i32, 7, false), "");
    LLVMValueRef has_extended =
        LLVMBuildICmp(b, LLVMIntUGE, last_extended,
                      LLVMConstInt(e->i32, 0x80000001u, false), "");
    LLVMValueRef v2[] = {has_bits(e, one, V2_1C), has_extended,
                         has_bits(e, extended, V2_EC)};
    LLVMValueRef v3[] = {has_bits(e, one, V3_1C), has_bits(e, extended, V3_EC),
                         has7, has_bits(e, seven, V3_7B),
                         has_bits(e, saved, V3_XCR)};
    LLVMValueRef v4[] = {has_bits(e, seven, v4_7b), has_bits(e, saved, V4_XCR)};
    LLVMValueRef level = LLVMConstInt(e->i32, 0, false), ok = NULL;
    LLVMValueRef *const of[] = {v2, v3, v4};
    const int n[] = {3, 5, 2};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < n[i]; k++)
            ok = ok ? LLVMBuildAnd(b, ok, of[i][k], "") : of[i][k];
        level = LLVMBuildAdd(b, level, LLVMBuildZExt(b, ok, e->i32, ""), "");
    }
    LLVMBuildRet(b, level);
    return fn;
}

/* Levels side by side */

static const char *call_name(Emit *e, const CFunction *f, const char *level)
{
    return arena_printf(e->arena, "%s__call.%s", f->internal, level);
}

void level_rename(Emit *e, const Interface *interface, const char *level)
{
    for (int i = 0; i < interface->nfunction; i++) {
        const CFunction *f = &interface->function[i];
        const char *plain = arena_printf(e->arena, "%s__call", f->internal);
        LLVMValueRef fn = LLVMGetNamedFunction(e->module, plain);
        const char *name = call_name(e, f, level);
        LLVMSetValueName2(fn, name, strlen(name));
    }
    mark_functions(e);
}

void level_declare(Emit *e, const Interface *interface, const char *level)
{
    LLVMTypeRef arg[] = {e->ptr, e->ptr, e->ptr, e->ptr};
    LLVMTypeRef type = LLVMFunctionType(e->i32, arg, 4, false);
    for (int i = 0; i < interface->nfunction; i++) {
        const char *name = call_name(e, &interface->function[i], level);
        LLVMSetVisibility(LLVMAddFunction(e->module, name, type),
                          LLVMHiddenVisibility);
    }
}

/* Through bitcode: modules of two contexts cannot be linked. */
void level_merge(Emit *e, Emit *other, const Interface *interface,
                 const char *level)
{
    level_rename(other, interface, level);
    make_internal(other->module);
    for (int i = 0; i < interface->nfunction; i++)
        LLVMSetLinkage(
            LLVMGetNamedFunction(other->module,
                                 call_name(e, &interface->function[i], level)),
            LLVMExternalLinkage);
    LLVMMemoryBufferRef buffer = LLVMWriteBitcodeToMemoryBuffer(other->module);
    LLVMModuleRef copy;
    if (LLVMParseBitcodeInContext2(e->context, buffer, &copy) ||
        LLVMLinkModules2(e->module, copy))
        die("cannot merge the code for %s", level);
    LLVMDisposeMemoryBuffer(buffer);
}

LLVMValueRef level_choose(Emit *e, const CFunction *f, const Levels *l,
                          LLVMValueRef detect)
{
    LLVMBuilderRef b = e->builder;
    LLVMTypeRef type = LLVMFunctionType(e->i32, NULL, 0, false);
    LLVMValueRef resolver =
        begin(e, arena_printf(e->arena, "%s__resolve", f->internal),
              LLVMFunctionType(e->ptr, NULL, 0, false));
    LLVMValueRef has = LLVMBuildCall2(b, type, detect, NULL, 0, "");
    LLVMValueRef best = NULL;
    for (int i = 0; i < l->n; i++) {
        LLVMValueRef fn =
            LLVMGetNamedFunction(e->module, call_name(e, f, l->name[i]));
        LLVMValueRef need = LLVMConstInt(e->i32, (unsigned)l->need[i], false);
        LLVMValueRef is = LLVMBuildICmp(b, LLVMIntSGE, has, need, "");
        best = best ? LLVMBuildSelect(b, is, fn, best, "") : fn;
    }
    LLVMBuildRet(b, best);
    LLVMTypeRef arg[] = {e->ptr, e->ptr, e->ptr, e->ptr};
    const char *name = arena_printf(e->arena, "%s__call", f->internal);
    LLVMValueRef ifunc = LLVMAddGlobalIFunc(
        e->module, name, strlen(name), LLVMFunctionType(e->i32, arg, 4, false),
        0, resolver);
    LLVMSetLinkage(ifunc, LLVMInternalLinkage);
    return ifunc;
}
