/* levels.c: levels of x86-64, chosen among when a module is loaded. */
#include <string.h>

#include "target/internal.h"

static int level_number(const char *name, size_t n)
{
    for (int i = 0; i < MAX_LEVELS; i++)
        if (strlen(x86_level[i].name) == n &&
            memcmp(x86_level[i].name, name, n) == 0)
            return i;
    return -1;
}

/* "x86-64-v2,x86-64-v4" in any order; a name alone may be of any CPU. */
bool levels_parse(Arena *a, const TargetOptions *o, Levels *l,
                  const char **error)
{
    bool has[MAX_LEVELS] = {0};
    *l = (Levels){.n = 1, .name = {o->cpu}};
    if (!strchr(o->cpu, ','))
        return true;
    if (!strchr(target_default_cpu(a, o->target, true), ',')) {
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

const TargetOptions *with_cpu(Arena *a, const TargetOptions *o, const char *cpu)
{
    TargetOptions *own = NEW(a, TargetOptions);
    *own = *o;
    own->cpu = cpu;
    return own;
}

/* Which level a machine has, as code */

typedef struct Code {
    LLVMContextRef context;
    LLVMBuilderRef builder;
    LLVMTypeRef i32;
} Code;

static LLVMTypeRef words_type(const Code *c, int n)
{
    LLVMTypeRef word[] = {c->i32, c->i32, c->i32, c->i32};
    return LLVMStructTypeInContext(c->context, word, (unsigned)n, false);
}

/* Word `reg` (0 … 3: eax ebx ecx edx) of cpuid. */
static LLVMValueRef cpuid(const Code *c, LLVMValueRef words, int reg)
{
    return LLVMBuildExtractValue(c->builder, words, (unsigned)reg, "");
}

static LLVMValueRef asm_call(const Code *c, LLVMTypeRef result,
                             const char *text, const char *constraints,
                             LLVMValueRef *arg, int n)
{
    LLVMTypeRef in[] = {c->i32, c->i32};
    LLVMTypeRef type = LLVMFunctionType(result, in, (unsigned)n, false);
    LLVMValueRef code = LLVMGetInlineAsm(type, text, strlen(text), constraints,
                                         strlen(constraints), true, false,
                                         LLVMInlineAsmDialectATT, false);
    return LLVMBuildCall2(c->builder, type, code, arg, (unsigned)n, "");
}

static LLVMValueRef call_cpuid(const Code *c, unsigned leaf)
{
    LLVMValueRef arg[] = {LLVMConstInt(c->i32, leaf, false),
                          LLVMConstInt(c->i32, 0, false)};
    return asm_call(c, words_type(c, 4), "cpuid",
                    "={ax},={bx},={cx},={dx},0,2,~{dirflag},~{fpsr},~{flags}",
                    arg, 2);
}

static LLVMValueRef has_bits(const Code *c, LLVMValueRef word, unsigned bits)
{
    LLVMValueRef mask = LLVMConstInt(c->i32, bits, false);
    return LLVMBuildICmp(c->builder, LLVMIntEQ,
                         LLVMBuildAnd(c->builder, word, mask, ""), mask, "");
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
static LLVMValueRef saved_registers(const Code *c, LLVMValueRef fn,
                                    LLVMValueRef has_xgetbv)
{
    LLVMBasicBlockRef before = LLVMGetInsertBlock(c->builder);
    LLVMBasicBlockRef read =
        LLVMAppendBasicBlockInContext(c->context, fn, "xgetbv");
    LLVMBasicBlockRef after =
        LLVMAppendBasicBlockInContext(c->context, fn, "after");
    LLVMBuildCondBr(c->builder, has_xgetbv, read, after);
    LLVMPositionBuilderAtEnd(c->builder, read);
    LLVMValueRef zero = LLVMConstInt(c->i32, 0, false);
    LLVMValueRef words =
        asm_call(c, words_type(c, 2), "xgetbv",
                 "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}", &zero, 1);
    LLVMValueRef low = cpuid(c, words, 0);
    LLVMBuildBr(c->builder, after);
    LLVMPositionBuilderAtEnd(c->builder, after);
    LLVMValueRef phi = LLVMBuildPhi(c->builder, c->i32, "");
    LLVMAddIncoming(phi, (LLVMValueRef[]){zero, low},
                    (LLVMBasicBlockRef[]){before, read}, 2);
    return phi;
}

/* i32 M.level(): the highest of x86_level that this machine has. It runs while
 * the module is being relocated, so it calls nothing. CPUs without leaf 7 or
 * 0x80000001 answer with their highest basic leaf, which may hold anything:
 * therefore the tests of what they can answer. */
LLVMValueRef level_detect(LLVMModuleRef to, const char *name)
{
    LLVMContextRef context = LLVMGetModuleContext(to);
    LLVMBuilderRef b = LLVMCreateBuilderInContext(context);
    Code own = {context, b, LLVMInt32TypeInContext(context)}, *c = &own;
    LLVMValueRef fn =
        LLVMAddFunction(to, name, LLVMFunctionType(c->i32, NULL, 0, false));
    LLVMSetLinkage(fn, LLVMInternalLinkage);
    LLVMPositionBuilderAtEnd(
        b, LLVMAppendBasicBlockInContext(context, fn, "entry"));
    LLVMValueRef last = cpuid(c, call_cpuid(c, 0), 0);
    LLVMValueRef last_extended = cpuid(c, call_cpuid(c, 0x80000000u), 0);
    LLVMValueRef one = cpuid(c, call_cpuid(c, 1), 2);
    LLVMValueRef seven = cpuid(c, call_cpuid(c, 7), 1);
    LLVMValueRef extended = cpuid(c, call_cpuid(c, 0x80000001u), 2);
    LLVMValueRef saved = saved_registers(c, fn, has_bits(c, one, 1u << 27));
    LLVMValueRef has7 =
        LLVMBuildICmp(b, LLVMIntUGE, last, LLVMConstInt(c->i32, 7, false), "");
    LLVMValueRef has_extended =
        LLVMBuildICmp(b, LLVMIntUGE, last_extended,
                      LLVMConstInt(c->i32, 0x80000001u, false), "");
    LLVMValueRef v2[] = {has_bits(c, one, V2_1C), has_extended,
                         has_bits(c, extended, V2_EC)};
    LLVMValueRef v3[] = {has_bits(c, one, V3_1C), has_bits(c, extended, V3_EC),
                         has7, has_bits(c, seven, V3_7B),
                         has_bits(c, saved, V3_XCR)};
    LLVMValueRef v4[] = {has_bits(c, seven, v4_7b), has_bits(c, saved, V4_XCR)};
    LLVMValueRef level = LLVMConstInt(c->i32, 0, false), ok = NULL;
    LLVMValueRef *const of[] = {v2, v3, v4};
    const int n[] = {3, 5, 2};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < n[i]; k++)
            ok = ok ? LLVMBuildAnd(b, ok, of[i][k], "") : of[i][k];
        level = LLVMBuildAdd(b, level, LLVMBuildZExt(b, ok, c->i32, ""), "");
    }
    LLVMBuildRet(b, level);
    LLVMDisposeBuilder(b);
    return fn;
}
