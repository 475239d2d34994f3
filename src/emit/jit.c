/* jit.c: a module's code in this process; needs no linker. */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/LLJIT.h>

#include "artefact/interface.h"
#include "emit/levels.h"

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

static void *find(Jit *j, const char *name, const char **error)
{
    LLVMOrcExecutorAddress at = 0;
    void *p;
    if (failed(LLVMOrcLLJITLookup(j->lljit, &at, name), error))
        return NULL;
    memcpy(&p, &at, sizeof p);
    return p;
}

static bool load(Jit *j, const Object *object, int n, const char **error)
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
    return true;
}

/* By the descriptor's function. */
static bool find_module(Jit *j, const char *descriptor, const char **error)
{
    const nn_module *(*get)(void);
    void *at = find(j, descriptor, error);
    if (!at)
        return false;
    memcpy(&get, &at, sizeof get);
    j->module = get();
    return true;
}

static Jit *jit_new(void)
{
    Jit *j = calloc(1, sizeof *j);
    if (!j)
        die("out of memory");
    return j;
}

/* Outlives the arena that it may be in. */
static void keep(const char **error)
{
    if (*error != message)
        snprintf(message, sizeof message, "%s", *error);
    *error = message;
}

Jit *jit_open(const ModuleInput *in, const TargetOptions *o, const char **error)
{
    Arena *a = arena_new();
    Jit *j = jit_new();
    Object *object;
    int n;
    TargetOptions own = *o;
    own.target = NULL;
    if (strchr(own.cpu, ',')) /* for this machine there is nothing to choose */
        own.cpu = "native";
    bool ok = emit_objects(a, in, &own, &object, &n, error) &&
              load(j, object, n, error) &&
              find_module(j, interface_of(a, in)->descriptor, error);
    if (!ok)
        keep(error);
    arena_free(a);
    if (ok)
        return j;
    jit_close(j);
    return NULL;
}

int64_t *jit_times(Jit *j, const ModuleInput *in, int function)
{
    Arena *a = arena_new();
    const char *ignored;
    int64_t *at =
        find(j,
             arena_printf(a, "%s__times",
                          interface_of(a, in)->function[function].internal),
             &ignored);
    arena_free(a);
    return at;
}

static bool find_speed(Speed *s, const char **error)
{
    void *arithmetic = find(s->jit, "arithmetic", error);
    void *reading = arithmetic ? find(s->jit, "reading", error) : NULL;
    memcpy(&s->arithmetic, &arithmetic, sizeof arithmetic);
    memcpy(&s->reading, &reading, sizeof reading);
    return reading != NULL;
}

bool speed_open(Speed *s, DType real, const TargetOptions *o,
                const char **error)
{
    Arena *a = arena_new();
    Object object;
    *s = (Speed){.jit = jit_new()};
    bool ok = speed_object(a, real, o, &object, &s->units, error) &&
              load(s->jit, &object, 1, error) && find_speed(s, error);
    if (!ok) {
        keep(error);
        jit_close(s->jit);
    }
    arena_free(a);
    return ok;
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
