/* target.c: the machine that code is for, and a module's beginning and end. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Support.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "emit/emit_internal.h"

/* What the vector code needs to know of a CPU. */
typedef enum Level {
    LV_base,   /* SSE2 */
    LV_sse4,   /* SSE4.1: rounding instructions */
    LV_avx2,   /* 32-byte vectors, fused multiply-add */
    LV_avx512, /* 64 bytes, 32 registers, masks */
} Level;

typedef struct CpuRow {
    const char *name;
    Level level;
} CpuRow;

static const CpuRow x86_cpu[] = {
    {"x86-64", LV_base},
    {"k8", LV_base},
    {"core2", LV_base},
    {"amdfam10", LV_base},
    {"btver1", LV_base},
    {"x86-64-v2", LV_sse4},
    {"penryn", LV_sse4},
    {"nehalem", LV_sse4},
    {"westmere", LV_sse4},
    {"silvermont", LV_sse4},
    {"goldmont", LV_sse4},
    {"goldmont-plus", LV_sse4},
    {"tremont", LV_sse4},
    {"sandybridge", LV_sse4},
    {"ivybridge", LV_sse4},
    {"btver2", LV_sse4},
    {"bdver1", LV_sse4},
    {"bdver2", LV_sse4},
    {"bdver3", LV_sse4},
    {"x86-64-v3", LV_avx2},
    {"haswell", LV_avx2},
    {"broadwell", LV_avx2},
    {"skylake", LV_avx2},
    {"bdver4", LV_avx2},
    {"znver1", LV_avx2},
    {"znver2", LV_avx2},
    {"znver3", LV_avx2},
    {"gracemont", LV_avx2},
    {"alderlake", LV_avx2},
    {"raptorlake", LV_avx2},
    {"meteorlake", LV_avx2},
    {"sierraforest", LV_avx2},
    {"grandridge", LV_avx2},
    {"arrowlake", LV_avx2},
    {"lunarlake", LV_avx2},
    {"x86-64-v4", LV_avx512},
    {"skylake-avx512", LV_avx512},
    {"cascadelake", LV_avx512},
    {"cooperlake", LV_avx512},
    {"cannonlake", LV_avx512},
    {"icelake-client", LV_avx512},
    {"icelake-server", LV_avx512},
    {"rocketlake", LV_avx512},
    {"tigerlake", LV_avx512},
    {"sapphirerapids", LV_avx512},
    {"emeraldrapids", LV_avx512},
    {"graniterapids", LV_avx512},
    {"znver4", LV_avx512},
    {"znver5", LV_avx512},
};
enum { NCPU = sizeof x86_cpu / sizeof *x86_cpu };

static bool has_feature(const char *features, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = features; (p = strstr(p, name)); p += n)
        if ((p[n] == ',' || !p[n]) && p > features && p[-1] == '+')
            return true;
    return false;
}

static Level level_of_features(const char *f)
{
    if (has_feature(f, "avx512f") && has_feature(f, "avx512vl") &&
        has_feature(f, "avx512bw") && has_feature(f, "avx512dq"))
        return LV_avx512;
    if (has_feature(f, "avx2") && has_feature(f, "fma"))
        return LV_avx2;
    return has_feature(f, "sse4.1") ? LV_sse4 : LV_base;
}

static void set_level(Emit *e, Level level)
{
    e->vector_bytes = level == LV_avx512 ? 64 : level == LV_avx2 ? 32 : 16;
    e->nregister = level == LV_avx512 ? 32 : 16;
    e->fma = level >= LV_avx2;
    e->masks = level == LV_avx512;
    e->rounding = level >= LV_sse4;
}

static bool starts_with(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Everything but x86: 128-bit vectors, as NEON has them. */
static void set_other(Emit *e)
{
    e->vector_bytes = 16;
    e->nregister = 32;
    e->fma = e->rounding = starts_with(e->triple, "aarch64");
    e->masks = false;
}

static bool set_native(Emit *e)
{
    char *cpu = LLVMGetHostCPUName(), *features = LLVMGetHostCPUFeatures();
    e->cpu = arena_printf(e->arena, "%s", cpu);
    e->features = arena_printf(e->arena, "%s", features);
    LLVMDisposeMessage(cpu);
    LLVMDisposeMessage(features);
    if (starts_with(e->triple, "x86_64"))
        set_level(e, level_of_features(e->features));
    else
        set_other(e);
    return true;
}

/* What the vector code may use where only the name is known. A CPU that is not
 * in our table has what all of its kind have. */
static void set_known(Emit *e, const char *cpu)
{
    if (!starts_with(e->triple, "x86_64")) {
        set_other(e);
        return;
    }
    set_level(e, LV_base);
    for (int i = 0; i < NCPU; i++)
        if (strcmp(x86_cpu[i].name, cpu) == 0)
            set_level(e, x86_cpu[i].level);
}

static bool in_table(const Emit *e, const char *cpu)
{
    for (int i = 0; i < NCPU; i++)
        if (starts_with(e->triple, "x86_64") &&
            strcmp(x86_cpu[i].name, cpu) == 0)
            return true;
    return false;
}

/* This machine's CPU, unless the environment says for which code is made. */
static const char *own_cpu(void)
{
    const char *said = getenv("NNCC_CPU");
    return said && *said ? said : "native";
}

/* "native" of another machine than this is whatever all of its kind have. */
static bool set_cpu(Emit *e, LLVMTargetRef target, const char *cpu, bool host,
                    const char **error)
{
    const char *from = "";
    if (host && strcmp(cpu, "native") == 0) {
        cpu = own_cpu();
        from = "NNCC_CPU: ";
    }
    bool native = strcmp(cpu, "native") == 0;
    e->features = arena_printf(e->arena, "%s", "");
    if (native && host)
        return set_native(e);
    if (native)
        cpu = starts_with(e->triple, "x86_64") ? "x86-64" : "generic";
    if (!native && !in_table(e, cpu) &&
        !cpu_known(e->arena, target, e->triple, cpu)) {
        *error = arena_printf(e->arena, "%s%s", from,
                              cpu_unknown(e->arena, target, e->triple, cpu));
        return false;
    }
    e->cpu = arena_printf(e->arena, "%s", cpu);
    set_known(e, cpu);
    return true;
}

/* Most runs are for this machine: the others' tables cost start-up time. */
static void initialise_all(void)
{
    LLVMInitializeAllTargetInfos();
    LLVMInitializeAllTargets();
    LLVMInitializeAllTargetMCs();
    LLVMInitializeAllAsmPrinters();
    LLVMInitializeAllAsmParsers();
}

static bool find_target(const char *triple, LLVMTargetRef *target)
{
    char *why = NULL;
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMInitializeNativeAsmParser(); /* for inline assembly */
    if (!LLVMGetTargetFromTriple(triple, target, &why))
        return true;
    LLVMDisposeMessage(why);
    initialise_all();
    if (!LLVMGetTargetFromTriple(triple, target, &why))
        return true;
    LLVMDisposeMessage(why);
    return false;
}

/* Machines that our code was made for and compiles on; LLVM's other back ends
 * lack position independence, float64 or 32-bit addresses, or are unfinished.
 */
static const char *const supported[] = {
    "x86-64",  "x86",     "aarch64", "arm",     "thumb",  "riscv64",
    "riscv32", "ppc64le", "ppc64",   "systemz", "wasm32", "wasm64",
};
enum { NSUPPORTED = sizeof supported / sizeof *supported };

static bool is_supported(LLVMTargetRef target)
{
    for (int i = 0; i < NSUPPORTED; i++)
        if (strcmp(LLVMGetTargetName(target), supported[i]) == 0)
            return true;
    return false;
}

static const char *unsupported(Arena *a, const char *triple)
{
    Str s = str_new(a);
    str_printf(&s, "no code for target '%s'; there is for", triple);
    for (int i = 0; i < NSUPPORTED; i++)
        str_printf(&s, "%s %s", i > 0 ? "," : "", supported[i]);
    return s.at;
}

static char *take_message(Emit *e, char *s)
{
    char *copy = arena_printf(e->arena, "%s", s);
    LLVMDisposeMessage(s);
    return copy;
}

static bool open_machine(Emit *e, const EmitOptions *o, const char **error)
{
    char *host = take_message(e, LLVMGetDefaultTargetTriple());
    e->triple = o->target
                    ? take_message(e, LLVMNormalizeTargetTriple(o->target))
                    : host;
    LLVMTargetRef target;
    if (!find_target(e->triple, &target)) {
        *error = arena_printf(e->arena, "unknown target '%s'", o->target);
        return false;
    }
    if (!is_supported(target)) {
        *error = unsupported(e->arena, o->target);
        return false;
    }
    if (!set_cpu(e, target, o->cpu, strcmp(e->triple, host) == 0, error))
        return false;
    static const LLVMCodeGenOptLevel level[] = {
        LLVMCodeGenLevelNone,
        LLVMCodeGenLevelLess,
        LLVMCodeGenLevelDefault,
        LLVMCodeGenLevelAggressive,
    };
    int i = o->optimise < 0 ? 0 : o->optimise > 3 ? 3 : o->optimise;
    e->optimise = i;
    e->machine =
        LLVMCreateTargetMachine(target, e->triple, e->cpu, e->features,
                                level[i], LLVMRelocPIC, LLVMCodeModelDefault);
    if (!e->machine)
        *error = arena_printf(e->arena, "no code for target '%s'", e->triple);
    return e->machine;
}

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
        e->problem = take_message(e, LLVMGetDiagInfoDescription(info));
}

/* For the process, as LLVM has it. Loops come from us with their addresses
 * computed where they belong, and out-of-order machines find their own order:
 * these three cost a quarter of the time, and thousands of instructions in a
 * row quadratic time, for no gain that could be measured. */
static void set_options(void)
{
    static const char *const option[] = {
        "nncc",
        "-disable-lsr",
        "-disable-post-ra",
        "-enable-misched=false",
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
    bool open = open_machine(e, o, error);
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
        e->optimise == 0
            ? "globaldce"
            : "globaldce,constmerge,"
              "function(early-cse,instcombine<no-verify-fixpoint>)";
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
        *error = take_message(e, message);
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
