/* code.c: from a module to its bytes. */
#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "target/machine.h"

void machine_optimise(const Machine *m, LLVMModuleRef module)
{
    char *message = NULL;
    if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message))
        die("LLVM refuses our code: %s", message);
    LLVMDisposeMessage(message);
    const char *passes =
        m->optimise == 0 ? "globaldce"
        : m->has.small
            ? "globaldce,constmerge,function(early-cse,simplifycfg,"
              "instcombine<no-verify-fixpoint>,gvn,dse,adce,simplifycfg),"
              "mergefunc,globaldce"
            : "globaldce,constmerge,"
              "function(mem2reg,early-cse,instcombine<no-verify-fixpoint>)";
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef bad = LLVMRunPasses(module, passes, m->llvm, options);
    LLVMDisposePassBuilderOptions(options);
    if (bad)
        die("LLVM passes: %s", LLVMGetErrorMessage(bad));
}

bool machine_code(const Machine *m, LLVMModuleRef module,
                  LLVMCodeGenFileType kind, char **bytes, size_t *n,
                  const char **error)
{
    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    bool bad = LLVMTargetMachineEmitToMemoryBuffer(m->llvm, module, kind,
                                                   &message, &buffer);
    if (bad) {
        *error = take_message(m->arena, message);
        return false;
    }
    *n = LLVMGetBufferSize(buffer);
    *bytes = arena_copy(m->arena, LLVMGetBufferStart(buffer), *n);
    LLVMDisposeMemoryBuffer(buffer);
    return true;
}
