/* levels.c: the code of several levels in one module. */
#include <string.h>

#include <llvm-c/BitReader.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Linker.h>

#include "emit/levels.h"

/* An internal function, the builder in its first block. */
static LLVMValueRef begin(Emit *e, const char *name, LLVMTypeRef type)
{
    LLVMValueRef fn = LLVMAddFunction(e->module, name, type);
    LLVMSetLinkage(fn, LLVMInternalLinkage);
    code_begin(e, fn);
    return fn;
}

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
