/* target.c: a module's beginning and end. */
#include <pthread.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Support.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "emit/emit_internal.h"

static void make_types(Emit *e)
{
    LLVMContextRef c = e->context;
    e->i1 = LLVMInt1TypeInContext(c);
    e->i8 = LLVMInt8TypeInContext(c);
    e->i32 = LLVMInt32TypeInContext(c);
    e->i64 = LLVMInt64TypeInContext(c);
    e->f32 = LLVMFloatTypeInContext(c);
    e->f64 = LLVMDoubleTypeInContext(c);
    e->ptr = LLVMPointerTypeInContext(c, 0);
    e->none = LLVMVoidTypeInContext(c);
}

/* LLVM exits after this. */
static void on_fatal(const char *why) { die("LLVM: %s", why); }

/* Errors are kept for emit_bytes to tell; remarks and warnings concern our own
 * choices, not the user. */
static void on_diagnostic(LLVMDiagnosticInfoRef info, void *of)
{
    Emit *e = of;
    if (LLVMGetDiagInfoSeverity(info) == LLVMDSError && !e->problem)
        e->problem = take_message(e->arena, LLVMGetDiagInfoDescription(info));
}

/* For the process, as LLVM has it. Loops come from us with their addresses
 * computed where they belong, and out-of-order machines find their own order:
 * the first three cost a quarter of the time, and thousands of instructions in
 * a row quadratic time, for no gain that could be measured. What code_seldom
 * marks is out of the way of loops. */
static void set_options(void)
{
    static const char *const option[] = {
        "nncc",
        "-disable-lsr",
        "-disable-post-ra",
        "-enable-misched=false",
        "-force-loop-cold-block",
    };
    LLVMParseCommandLineOptions(sizeof option / sizeof *option, option, NULL);
}

bool emit_open(Emit *e, Arena *a, Graph *g, const char *name,
               const EmitOptions *o, const char **error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    *e = (Emit){.arena = a, .graph = g};
    pthread_once(&once, set_options);
    /* LLVM's list of targets is one for all threads. */
    pthread_mutex_lock(&lock);
    LLVMResetFatalErrorHandler();
    LLVMInstallFatalErrorHandler(on_fatal);
    bool open = machine_open(e, o, error);
    pthread_mutex_unlock(&lock);
    if (!open)
        return false;
    e->names = intern_new(a);
    e->context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(e->context, on_diagnostic, e);
    e->module = LLVMModuleCreateWithNameInContext(name, e->context);
    e->builder = LLVMCreateBuilderInContext(e->context);
    e->layout = LLVMCreateTargetDataLayout(e->machine);
    LLVMSetTarget(e->module, e->triple);
    LLVMSetModuleDataLayout(e->module, e->layout);
    make_types(e);
    return true;
}

void emit_close(Emit *e)
{
    LLVMDisposeTargetData(e->layout);
    LLVMDisposeBuilder(e->builder);
    LLVMDisposeModule(e->module);
    LLVMContextDispose(e->context);
    LLVMDisposeTargetMachine(e->machine);
    *e = (Emit){0};
}

void emit_finish(Emit *e)
{
    char *message = NULL;
    if (LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message))
        die("LLVM refuses our code: %s", message);
    LLVMDisposeMessage(message);
    const char *passes =
        e->optimise == 0 ? "globaldce"
        : e->small
            ? "globaldce,constmerge,function(early-cse,simplifycfg,"
              "instcombine<no-verify-fixpoint>,gvn,dse,adce,simplifycfg),"
              "mergefunc,globaldce"
            : "globaldce,constmerge,"
              "function(mem2reg,early-cse,instcombine<no-verify-fixpoint>)";
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef bad = LLVMRunPasses(e->module, passes, e->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (bad)
        die("LLVM passes: %s", LLVMGetErrorMessage(bad));
}

/* Once for a module: making code changes it. */
bool emit_bytes(Emit *e, LLVMCodeGenFileType kind, char **bytes, size_t *n,
                const char **error)
{
    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    bool bad = LLVMTargetMachineEmitToMemoryBuffer(e->machine, e->module, kind,
                                                   &message, &buffer);
    if (bad) {
        *error = take_message(e->arena, message);
        return false;
    }
    if (e->problem) {
        LLVMDisposeMemoryBuffer(buffer);
        *error = e->problem;
        return false;
    }
    *n = LLVMGetBufferSize(buffer);
    *bytes = arena_copy(e->arena, LLVMGetBufferStart(buffer), *n);
    LLVMDisposeMemoryBuffer(buffer);
    return true;
}
