/* machine.c: the machine that code is for: its CPU and what that has. */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Error.h>
#include <llvm-c/IRReader.h>

#include "emit/emit_internal.h"

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

static void set_level(Emit *e, const Level *l)
{
    e->vector_bytes = l->vector_bytes;
    e->nregister = l->registers;
    e->fma = e->wide_fma = l->fma;
    e->masks = l->masks;
    e->rounding = l->rounding;
    e->real = e->wide_real = true;
}

/* By its features, where they are known, or its name. */
static const Level *level_of(const Emit *e)
{
    const CpuRow *row = target_cpu(e->target, e->cpu);
    int level = MAX_LEVELS - 1;
    if (!*e->features)
        return &x86_level[row ? row->level : 0];
    while (level > 0 && !has_features(e->features, x86_level[level].features))
        level--;
    return &x86_level[level];
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
static void ask(Emit *e, LLVMTargetMachineRef machine)
{
    static const char *const add[] = {"__addsf3", "__aeabi_fadd", NULL};
    static const char *const wide_add[] = {"__adddf3", "__aeabi_dadd", NULL};
    static const char *const round[] = {"floorf", "rintf", "trunc", "ceil",
                                        NULL};
    const char *code = answers(e->arena, e->triple, machine);
    const Target *t = e->target;
    bool vectors = t->vectors && has_word(code, t->vectors);
    e->real = !has_any(code, add);
    e->wide_real = !has_any(code, wide_add);
    e->fma = e->real && !has_word(code, "fmaf");
    e->wide_fma = e->wide_real && !has_word(code, "fma");
    e->rounding = e->wide_real && !has_any(code, round);
    e->exact = !t->wide_add || has_word(code, t->wide_add);
    e->vector_bytes = vectors ? 16 : 0;
    e->nregister = t->registers;
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

const char *emit_default_cpu(Arena *a, const char *target, bool loaded)
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

static void set_native(Emit *e)
{
    e->cpu = take_message(e->arena, LLVMGetHostCPUName());
    e->features = take_message(e->arena, LLVMGetHostCPUFeatures());
}

/* The name and features that LLVM is to know the CPU by. "native" of another
 * machine than this is whatever all of its kind have. */
static bool set_cpu(Emit *e, LLVMTargetRef target, const char *cpu, bool host,
                    const char **error)
{
    const Target *t = e->target;
    const char *from = "", *features = "";
    if (host && strcmp(cpu, "native") == 0) {
        cpu = own_cpu();
        from = "NNCC_CPU: ";
    }
    if (host && strcmp(cpu, "native") == 0) {
        set_native(e);
        return true;
    }
    if (strcmp(cpu, "native") == 0)
        cpu = t->cpu;
    if (t->features && strcmp(cpu, t->cpu) == 0)
        features = t->features;
    if (!target_cpu(t, cpu) && !cpu_known(e->arena, target, e->triple, cpu)) {
        *error = arena_printf(e->arena, "%s%s", from,
                              cpu_unknown(e->arena, target, e->triple, cpu));
        return false;
    }
    e->cpu = arena_printf(e->arena, "%s", cpu);
    e->features = arena_printf(e->arena, "%s%s%s", features,
                               *features && t->abi_features ? "," : "",
                               t->abi_features ? t->abi_features : "");
    return true;
}

static LLVMTargetMachineRef make_machine(const Emit *e, LLVMTargetRef target,
                                         LLVMCodeGenOptLevel level,
                                         const char *abi)
{
    LLVMTargetMachineOptionsRef o = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineOptionsSetCPU(o, e->cpu);
    LLVMTargetMachineOptionsSetFeatures(o, e->features);
    LLVMTargetMachineOptionsSetCodeGenOptLevel(o, level);
    LLVMTargetMachineOptionsSetRelocMode(o, e->target->bare ? LLVMRelocStatic
                                                            : LLVMRelocPIC);
    if (abi)
        LLVMTargetMachineOptionsSetABI(o, abi);
    LLVMTargetMachineRef m =
        LLVMCreateTargetMachineWithOptions(target, e->triple, o);
    LLVMDisposeTargetMachineOptions(o);
    return m;
}

/* What the CPU has. */
static void set_hardware(Emit *e, LLVMTargetRef target)
{
    if (e->target->cpus) {
        set_level(e, level_of(e));
        return;
    }
    LLVMTargetMachineRef m =
        make_machine(e, target, LLVMCodeGenLevelNone, NULL);
    ask(e, m);
    LLVMDisposeTargetMachine(m);
}

/* What C's calls need of the CPU, or our arithmetic. */
static const char *lacks(const Emit *e)
{
    static const char floats[] = "the FPU that C functions take reals in";
    switch (e->target->needs) {
    case NEEDS_nothing:
        return NULL;
    case NEEDS_f32:
        return e->real ? NULL : floats;
    case NEEDS_f64:
        return e->wide_real ? NULL : floats;
    case NEEDS_sse2:
        return e->exact ? NULL : "SSE2, and x87 rounds otherwise than it says";
    }
    die("no such need: %d", (int)e->target->needs);
}

static bool fits_target(Emit *e, const char **error)
{
    const char *what = lacks(e);
    if (what)
        *error = arena_printf(e->arena, "CPU '%s' of target '%s' lacks %s",
                              e->cpu, e->target->name, what);
    return !what;
}

static LLVMCodeGenOptLevel set_effort(Emit *e, int optimise)
{
    static const LLVMCodeGenOptLevel level[] = {
        LLVMCodeGenLevelNone,
        LLVMCodeGenLevelLess,
        LLVMCodeGenLevelDefault,
        LLVMCodeGenLevelAggressive,
    };
    if (optimise == EFFORT_default)
        optimise = e->target->small ? EFFORT_size : 2;
    e->small = optimise == EFFORT_size;
    e->optimise = e->small ? 2 : optimise > 3 ? 3 : optimise;
    if (e->small)
        e->vector_bytes = 0;
    return level[e->optimise];
}

bool machine_open(Emit *e, const EmitOptions *o, const char **error)
{
    char *host = host_triple(e->arena);
    LLVMTargetRef target;
    e->triple = o->target ? full_triple(e->arena, o->target) : host;
    e->target = target_find(e->triple);
    if (!find_back_end(e->triple, &target)) {
        *error = arena_printf(e->arena, "unknown target '%s'", o->target);
        return false;
    }
    if (!e->target) {
        *error = target_unknown(e->arena, e->triple);
        return false;
    }
    if (!set_cpu(e, target, o->cpu, strcmp(e->triple, host) == 0, error))
        return false;
    set_hardware(e, target);
    if (!fits_target(e, error))
        return false;
    const char *abi = e->target->abi;
    if (e->target->abi_hard && e->wide_real)
        abi = e->target->abi_hard;
    e->machine = make_machine(e, target, set_effort(e, o->optimise), abi);
    if (!e->machine)
        *error = arena_printf(e->arena, "no code for target '%s'", e->triple);
    return e->machine;
}
