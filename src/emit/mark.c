/* mark.c: how the functions of a module are compiled, and which of them are
 * seen. */
#include <string.h>

#include "emit/emit_internal.h"
#include "emit/levels.h"

void make_internal(LLVMModuleRef module)
{
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f;
         f = LLVMGetNextFunction(f)) {
        size_t n;
        if (LLVMIsDeclaration(f) || !strchr(LLVMGetValueName2(f, &n), '.'))
            continue;
        LLVMSetVisibility(f, LLVMDefaultVisibility);
        LLVMSetLinkage(f, LLVMInternalLinkage);
    }
    /* Nobody compares addresses: equal constants may be one. */
    for (LLVMValueRef v = LLVMGetFirstGlobal(module); v;
         v = LLVMGetNextGlobal(v))
        if (LLVMIsGlobalConstant(v))
            LLVMSetUnnamedAddress(v, LLVMGlobalUnnamedAddr);
}

static void mark(Emit *e, LLVMValueRef f, const char *key, const char *value)
{
    LLVMAddAttributeAtIndex(
        f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
        LLVMCreateStringAttribute(e->context, key, (unsigned)strlen(key), value,
                                  (unsigned)strlen(value)));
}

void mark_enum(Emit *e, LLVMValueRef f, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(e->context, kind, 0));
}

/* Around the kernels: run once for a call, not worth the compiler's time. */
static bool is_cold(LLVMValueRef f)
{
    size_t n;
    unsigned hot = LLVMGetEnumAttributeKindForName("hot", 3);
    if (LLVMGetEnumAttributeAtIndex(
            f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, hot))
        return false;
    return (LLVMGetLinkage(f) == LLVMExternalLinkage &&
            LLVMGetVisibility(f) != LLVMHiddenVisibility) ||
           strchr(LLVMGetValueName2(f, &n), '.');
}

void mark_functions(Emit *e)
{
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f;
         f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f) ||
            LLVMGetStringAttributeAtIndex(
                f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                "no-builtins", 11))
            continue;
        mark(e, f, "target-cpu", e->machine.cpu);
        if (*e->machine.features)
            mark(e, f, "target-features", e->machine.features);
        mark(e, f, "no-builtins", "");
        mark_enum(e, f, "nounwind");
        if (e->machine.has.small) {
            mark_enum(e, f, "optsize");
            mark_enum(e, f, "minsize");
        } else if (is_cold(f)) {
            mark_enum(e, f, "noinline");
            mark_enum(e, f, "optnone");
        }
    }
}
