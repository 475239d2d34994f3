/* jit.c: a module's code in this process; needs no linker. */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/LLJIT.h>

#include "artefact/interface.h"
#include "emit/emit_internal.h"

struct Jit {
    LLVMOrcLLJITRef lljit;
    const nn_module *module;
};

/* What jit_open's error points at, until the next call. */
static _Thread_local char message[1024];

static bool failed(LLVMErrorRef e, const char **error)
{
    if (!e)
        return false;
    char *text = LLVMGetErrorMessage(e);
    snprintf(message, sizeof message, "%s", text);
    LLVMDisposeErrorMessage(text);
    *error = message;
    return true;
}

/* What goes wrong is told by the call that it stops. */
static void on_error(void *unused, LLVMErrorRef e)
{
    (void)unused;
    LLVMConsumeError(e);
}

/* The descriptor's function, from the objects' code. */
static bool load(Jit *j, const Object *object, int n, const char *descriptor,
                 const char **error)
{
    if (failed(LLVMOrcCreateLLJIT(&j->lljit, NULL), error))
        return false;
    LLVMOrcExecutionSessionSetErrorReporter(
        LLVMOrcLLJITGetExecutionSession(j->lljit), on_error, NULL);
    LLVMOrcJITDylibRef lib = LLVMOrcLLJITGetMainJITDylib(j->lljit);
    for (int i = 0; i < n; i++) {
        LLVMMemoryBufferRef copy = LLVMCreateMemoryBufferWithMemoryRangeCopy(
            object[i].bytes, object[i].n, "module");
        if (failed(LLVMOrcLLJITAddObjectFile(j->lljit, lib, copy), error))
            return false;
    }
    LLVMOrcExecutorAddress at = 0;
    if (failed(LLVMOrcLLJITLookup(j->lljit, &at, descriptor), error))
        return false;
    const nn_module *(*get)(void);
    memcpy(&get, &at, sizeof get);
    j->module = get();
    return true;
}

Jit *jit_open(const ModuleInput *in, const TargetOptions *o, const char **error)
{
    Arena *a = arena_new();
    Jit *j = calloc(1, sizeof *j);
    if (!j)
        die("out of memory");
    Object *object;
    int n;
    TargetOptions own = *o;
    own.target = NULL;
    if (strchr(own.cpu, ',')) /* for this machine there is nothing to choose */
        own.cpu = "native";
    bool ok = emit_objects(a, in, &own, &object, &n, error) &&
              load(j, object, n, interface_of(a, in)->descriptor, error);
    if (!ok && *error != message) {
        snprintf(message, sizeof message, "%s", *error);
        *error = message;
    }
    arena_free(a);
    if (ok)
        return j;
    jit_close(j);
    return NULL;
}

const nn_module *jit_module(Jit *j) { return j->module; }

void jit_close(Jit *j)
{
    const char *ignored;
    if (!j)
        return;
    if (j->lljit)
        failed(LLVMOrcDisposeLLJIT(j->lljit), &ignored);
    free(j);
}

void emit_shutdown(void) { LLVMShutdown(); }
