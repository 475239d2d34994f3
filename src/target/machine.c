/* machine.c: the machine that code is for: its CPU and what that has. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/ErrorHandling.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Support.h>

#include "target/internal.h"

/* Machines whose CPUs are known by name */

static bool has_feature(const char *features, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = features; (p = strstr(p, name)); p += n)
        if ((p[n] == ',' || !p[n]) && p > features && p[-1] == '+')
            return true;
    return false;
}

static bool has_features(const char *features, const char *names)
{
    char one[32];
    for (size_t n; *names; names += n + (names[n] == ',')) {
        n = strcspn(names, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, names);
        if (!has_feature(features, one))
            return false;
    }
    return true;
}

static void set_level(Machine *m, const Level *l)
{
    m->has.vector_bytes = l->vector_bytes;
    m->has.registers = l->registers;
    m->has.fma = m->has.wide_fma = l->fma;
    m->has.masks = l->masks;
    m->rounding = l->rounding;
    m->real = m->wide_real = true;
}

/* By its features, where they are known, or its name. */
static const Level *level_of(const Machine *m)
{
    const CpuRow *row = cpu_row(m->target->cpus, m->cpu);
    int level = MAX_LEVELS - 1;
    if (!*m->features)
        return &x86_level[row ? row->level : 0];
    while (level > 0 && !has_features(m->features, x86_level[level].features))
        level--;
    return &x86_level[level];
}

/* CPUs of a level may have wider vectors, which they pass in one register. */
static bool calls_alike(const Machine *m, const Level *l)
{
    const char *wider = l->vector_bytes == 16 ? "avx" : "avx512f";
    if (!*m->features)
        return l->vector_bytes > 16 || strcmp(m->cpu, l->name) == 0;
    return l->vector_bytes == 64 || !has_feature(m->features, wider);
}

/* A machine may hide what its kind has. */
static bool runs_level(const Machine *m, const Level *l)
{
    for (const Level *k = x86_level; *m->features && k <= l; k++)
        if (!has_features(m->features, k->features) ||
            !has_features(m->features, k->rest))
            return false;
    return true;
}

static void find_level(Machine *m, bool host)
{
    const Level *l = m->target->cpus ? level_of(m) : NULL;
    if (l && host && m->optimise == 2 && !m->has.small && calls_alike(m, l) &&
        runs_level(m, l))
        m->level = l->name;
}

/* Other machines: LLVM tells by the code that it makes for these. */

static const char questions[] =
    "define float @q0(float %a, float %b) {\n"
    " %r = fadd float %a, %b\n ret float %r\n}\n"
    "define double @q1(double %a, double %b) {\n"
    " %r = fadd double %a, %b\n ret double %r\n}\n"
    "declare float @llvm.fma.f32(float, float, float)\n"
    "define float @q2(float %a) {\n"
    " %r = call float @llvm.fma.f32(float %a, float %a, float %a)\n"
    " ret float %r\n}\n"
    "declare double @llvm.fma.f64(double, double, double)\n"
    "define double @q3(double %a) {\n"
    " %r = call double @llvm.fma.f64(double %a, double %a, double %a)\n"
    " ret double %r\n}\n"
    "declare float @llvm.floor.f32(float)\n"
    "declare float @llvm.rint.f32(float)\n"
    "declare double @llvm.trunc.f64(double)\n"
    "declare double @llvm.ceil.f64(double)\n"
    "define float @q4(float %a) {\n"
    " %f = call float @llvm.floor.f32(float %a)\n"
    " %r = call float @llvm.rint.f32(float %f)\n ret float %r\n}\n"
    "define double @q5(double %a) {\n"
    " %t = call double @llvm.trunc.f64(double %a)\n"
    " %r = call double @llvm.ceil.f64(double %t)\n ret double %r\n}\n"
    "define void @q6(ptr %p) {\n"
    " %a = load <4 x float>, ptr %p, align 16\n"
    " %r = fadd <4 x float> %a, %a\n"
    " store <4 x float> %r, ptr %p, align 16\n ret void\n}\n";

/* The assembly of that, in a. */
static const char *answers(Arena *a, const char *triple,
                           LLVMTargetMachineRef machine)
{
    LLVMContextRef context = LLVMContextCreate();
    char *why = NULL;
    const char *text = "";
    LLVMModuleRef module;
    LLVMMemoryBufferRef out, in = LLVMCreateMemoryBufferWithMemoryRange(
                                 questions, sizeof questions - 1, "", true);
    if (LLVMParseIRInContext(context, in, &module, &why))
        die("LLVM cannot read our questions: %s", why);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetTarget(module, triple);
    LLVMSetModuleDataLayout(module, layout);
    if (!LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMAssemblyFile,
                                             &why, &out)) {
        text = arena_printf(a, "%s", LLVMGetBufferStart(out));
        LLVMDisposeMemoryBuffer(out);
    } else {
        LLVMDisposeMessage(why);
    }
    LLVMDisposeTargetData(layout);
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
    return text;
}

static bool in_word(char c)
{
    return c == '_' || c == '.' || (c >= '0' && c <= '9') ||
           ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)); p += n)
        if (!in_word(p[n]) && (p == text || !in_word(p[-1])))
            return true;
    return false;
}

static bool has_any(const char *text, const char *const *word)
{
    while (*word)
        if (has_word(text, *word++))
            return true;
    return false;
}

/* What is done by a function of a library is not there. */
static void ask(Machine *m, LLVMTargetMachineRef machine)
{
    static const char *const add[] = {"__addsf3", "__aeabi_fadd", NULL};
    static const char *const wide_add[] = {"__adddf3", "__aeabi_dadd", NULL};
    static const char *const round[] = {"floorf", "rintf", "trunc", "ceil",
                                        NULL};
    const char *code = answers(m->arena, m->triple, machine);
    const Target *t = m->target;
    bool vectors = t->vectors && has_word(code, t->vectors);
    m->real = !has_any(code, add);
    m->wide_real = !has_any(code, wide_add);
    m->has.fma = m->real && !has_word(code, "fmaf");
    m->has.wide_fma = m->wide_real && !has_word(code, "fma");
    m->rounding = m->wide_real && !has_any(code, round);
    m->exact = !t->wide_add || has_word(code, t->wide_add);
    m->has.vector_bytes = vectors ? 16 : 0;
    m->has.registers = t->registers;
}

/* Machines */

/* Most runs are for this machine: the others' tables cost start-up time. */
static void initialise_all(void)
{
    LLVMInitializeAllTargetInfos();
    LLVMInitializeAllTargets();
    LLVMInitializeAllTargetMCs();
    LLVMInitializeAllAsmPrinters();
    LLVMInitializeAllAsmParsers();
}

static bool find_back_end(const char *triple, LLVMTargetRef *target)
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

char *take_message(Arena *a, char *s)
{
    char *copy = arena_printf(a, "%s", s);
    LLVMDisposeMessage(s);
    return copy;
}

static char *host_triple(Arena *a)
{
    return take_message(a, LLVMGetDefaultTargetTriple());
}

static char *full_triple(Arena *a, const char *given)
{
    return target_triple(a, take_message(a, LLVMNormalizeTargetTriple(given)));
}

const char *target_default_cpu(Arena *a, const char *target, bool loaded)
{
    const Target *t =
        target_find(target ? full_triple(a, target) : host_triple(a));
    const char *cpu = !t ? "generic" : loaded ? t->levels : t->typical;
    return cpu ? cpu : t->cpu;
}

/* This machine's CPU, unless the environment says for which code is made. */
static const char *own_cpu(void)
{
    const char *said = getenv("NNCC_CPU");
    return said && *said ? said : "native";
}

static void set_native(Machine *m)
{
    m->cpu = take_message(m->arena, LLVMGetHostCPUName());
    m->features = take_message(m->arena, LLVMGetHostCPUFeatures());
}

/* The name and features that LLVM is to know the CPU by. "native" of another
 * machine than this is whatever all of its kind have. */
static bool set_cpu(Machine *m, LLVMTargetRef target, const char *cpu,
                    bool host, const char **error)
{
    const Target *t = m->target;
    const char *from = "", *features = "";
    if (host && strcmp(cpu, "native") == 0) {
        cpu = own_cpu();
        from = "NNCC_CPU: ";
    }
    if (host && strcmp(cpu, "native") == 0) {
        set_native(m);
        return true;
    }
    if (strcmp(cpu, "native") == 0)
        cpu = t->cpu;
    if (t->features && strcmp(cpu, t->cpu) == 0)
        features = t->features;
    if (!cpu_row(t->cpus, cpu) &&
        !cpu_known(m->arena, target, m->triple, cpu)) {
        *error = arena_printf(m->arena, "%s%s", from,
                              cpu_unknown(m->arena, target, m->triple, cpu));
        return false;
    }
    m->cpu = arena_printf(m->arena, "%s", cpu);
    m->features = arena_printf(m->arena, "%s%s%s", features,
                               *features && t->abi_features ? "," : "",
                               t->abi_features ? t->abi_features : "");
    return true;
}

static LLVMTargetMachineRef make_machine(const Machine *m, LLVMTargetRef target,
                                         LLVMCodeGenOptLevel level,
                                         const char *abi)
{
    LLVMTargetMachineOptionsRef o = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineOptionsSetCPU(o, m->cpu);
    LLVMTargetMachineOptionsSetFeatures(o, m->features);
    LLVMTargetMachineOptionsSetCodeGenOptLevel(o, level);
    LLVMTargetMachineOptionsSetRelocMode(o, m->target->bare ? LLVMRelocStatic
                                                            : LLVMRelocPIC);
    if (abi)
        LLVMTargetMachineOptionsSetABI(o, abi);
    LLVMTargetMachineRef made =
        LLVMCreateTargetMachineWithOptions(target, m->triple, o);
    LLVMDisposeTargetMachineOptions(o);
    return made;
}

/* What the CPU has. */
static void set_hardware(Machine *m, LLVMTargetRef target)
{
    if (m->target->cpus) {
        set_level(m, level_of(m));
        return;
    }
    LLVMTargetMachineRef made =
        make_machine(m, target, LLVMCodeGenLevelNone, NULL);
    ask(m, made);
    LLVMDisposeTargetMachine(made);
}

/* What C's calls need of the CPU, or our arithmetic. */
static const char *lacks(const Machine *m)
{
    static const char floats[] = "the FPU that C functions take reals in";
    switch (m->target->needs) {
    case NEEDS_nothing:
        return NULL;
    case NEEDS_f32:
        return m->real ? NULL : floats;
    case NEEDS_f64:
        return m->wide_real ? NULL : floats;
    case NEEDS_sse2:
        return m->exact ? NULL : "SSE2, and x87 rounds otherwise than it says";
    }
    die("no such need: %d", (int)m->target->needs);
}

static bool fits_target(Machine *m, const char **error)
{
    const char *what = lacks(m);
    if (what)
        *error = arena_printf(m->arena, "CPU '%s' of target '%s' lacks %s",
                              m->cpu, m->target->name, what);
    return !what;
}

static LLVMCodeGenOptLevel set_effort(Machine *m, int optimise)
{
    static const LLVMCodeGenOptLevel level[] = {
        LLVMCodeGenLevelNone,
        LLVMCodeGenLevelLess,
        LLVMCodeGenLevelDefault,
        LLVMCodeGenLevelAggressive,
    };
    if (optimise == EFFORT_default)
        optimise = m->target->small ? EFFORT_size : 2;
    m->has.small = optimise == EFFORT_size;
    m->optimise = m->has.small ? 2 : optimise > 3 ? 3 : optimise;
    if (m->has.small)
        m->has.vector_bytes = 0;
    return level[m->optimise];
}

static bool find_machine(Machine *m, const TargetOptions *o, const char **error)
{
    char *host = host_triple(m->arena);
    LLVMTargetRef target;
    m->triple = o->target ? full_triple(m->arena, o->target) : host;
    m->target = target_find(m->triple);
    if (!find_back_end(m->triple, &target)) {
        *error = arena_printf(m->arena, "unknown target '%s'", o->target);
        return false;
    }
    if (!m->target) {
        *error = target_unknown(m->arena, m->triple);
        return false;
    }
    if (!set_cpu(m, target, o->cpu, strcmp(m->triple, host) == 0, error))
        return false;
    set_hardware(m, target);
    if (!fits_target(m, error))
        return false;
    const char *abi = m->target->abi;
    if (m->target->abi_hard && m->wide_real)
        abi = m->target->abi_hard;
    LLVMCodeGenOptLevel level = set_effort(m, o->optimise);
    find_level(m, strcmp(m->triple, host) == 0);
    if (o->quick)
        level = set_effort(m, 0);
    m->llvm = make_machine(m, target, level, abi);
    if (!m->llvm)
        *error = arena_printf(m->arena, "no code for target '%s'", m->triple);
    return m->llvm;
}

static Caches cache_of(const Machine *m)
{
    const CpuRow *row = cpu_row(m->target->cpus, m->cpu);
    return row ? row->cache : m->target->cache;
}

/* LLVM exits after this. */
static void on_fatal(const char *why) { die("LLVM: %s", why); }

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

bool machine_open(Machine *m, Arena *a, const TargetOptions *o,
                  const char **error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    *m = (Machine){.arena = a};
    pthread_once(&once, set_options);
    /* LLVM's list of targets is one for all threads. */
    pthread_mutex_lock(&lock);
    LLVMResetFatalErrorHandler();
    LLVMInstallFatalErrorHandler(on_fatal);
    bool open = find_machine(m, o, error);
    pthread_mutex_unlock(&lock);
    if (!open)
        return false;
    m->layout = LLVMCreateTargetDataLayout(m->llvm);
    m->has.wide_sizes = LLVMPointerSize(m->layout) == 8;
    m->has.cache = cache_of(m);
    return true;
}

void machine_close(Machine *m)
{
    LLVMDisposeTargetData(m->layout);
    LLVMDisposeTargetMachine(m->llvm);
    *m = (Machine){0};
}
