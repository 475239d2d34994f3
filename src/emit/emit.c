/* emit.c: a module from its beginning to its end. */
#include <string.h>

#include <llvm-c/BitWriter.h>

#include "cache/cache.h"
#include "emit/levels.h"

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

/* Errors are kept for emit_bytes to tell; remarks and warnings concern our own
 * choices, not the user. */
static void on_diagnostic(LLVMDiagnosticInfoRef info, void *of)
{
    Emit *e = of;
    if (LLVMGetDiagInfoSeverity(info) == LLVMDSError && !e->problem)
        e->problem = take_message(e->arena, LLVMGetDiagInfoDescription(info));
}

bool emit_open(Emit *e, Arena *a, const Module *m, const TargetOptions *o,
               const char **error)
{
    *e = (Emit){.arena = a, .graph = m->graph, .names = intern_new(a)};
    if (!machine_open(&e->machine, a, o, error))
        return false;
    e->context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(e->context, on_diagnostic, e);
    e->module = LLVMModuleCreateWithNameInContext(m->name, e->context);
    e->builder = LLVMCreateBuilderInContext(e->context);
    LLVMSetTarget(e->module, e->machine.triple);
    LLVMSetModuleDataLayout(e->module, e->machine.layout);
    make_types(e);
    e->times = o->times;
    e->chooser = (Chooser){.arena = a, .has = &e->machine.has};
    e->asked = o->schedule;
    debug_open(e, m->sources, o->folder);
    return true;
}

void emit_close(Emit *e)
{
    debug_close(e);
    LLVMDisposeBuilder(e->builder);
    LLVMDisposeModule(e->module);
    LLVMContextDispose(e->context);
    machine_close(&e->machine);
    *e = (Emit){0};
}

/* Modules */

/* All that the bytes follow from. */
static HashSum code_key(Emit *e, const Cache *c, LLVMCodeGenFileType kind,
                        bool split)
{
    const Machine *m = &e->machine;
    const int how[] = {kind, split, m->optimise, m->has.small};
    unsigned version[3];
    Hash h = c->hash;
    LLVMGetVersion(&version[0], &version[1], &version[2]);
    hash_add(&h, version, sizeof version);
    hash_add(&h, how, sizeof how);
    hash_text(&h, m->triple);
    hash_text(&h, m->cpu);
    hash_text(&h, m->features);
    LLVMMemoryBufferRef buffer = LLVMWriteBitcodeToMemoryBuffer(e->module);
    hash_add(&h, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    LLVMDisposeMemoryBuffer(buffer);
    return hash_sum(&h);
}

/* Each function and constant in a section of its own, so that a linker can
 * leave out what nobody asks for. */
static void split_sections(Emit *e)
{
    size_t n;
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f;
         f = LLVMGetNextFunction(f))
        if (!LLVMIsDeclaration(f))
            LLVMSetSection(f, arena_printf(e->arena, ".text.%s",
                                           LLVMGetValueName2(f, &n)));
    for (LLVMValueRef v = LLVMGetFirstGlobal(e->module); v;
         v = LLVMGetNextGlobal(v))
        if (strncmp(LLVMGetValueName2(v, &n), "data", 4) == 0)
            LLVMSetSection(v, arena_printf(e->arena, ".rodata.%s",
                                           LLVMGetValueName2(v, &n)));
}

static bool make_code(Emit *e, LLVMCodeGenFileType kind, bool split,
                      char **bytes, size_t *n, const char **error)
{
    machine_optimise(&e->machine, e->module);
    if (split)
        split_sections(e);
    bool made = machine_code(&e->machine, e->module, kind, bytes, n, error);
    if (made && e->problem)
        *error = e->problem;
    return made && !e->problem;
}

bool emit_bytes(Emit *e, LLVMCodeGenFileType kind, bool split, char **bytes,
                size_t *n, const char **error)
{
    Cache c = cache_open(e->arena);
    if (!c.folder)
        return make_code(e, kind, split, bytes, n, error);
    HashSum key = code_key(e, &c, kind, split);
    *bytes = cache_get(&c, e->arena, key, n);
    if (*bytes)
        return true;
    if (!make_code(e, kind, split, bytes, n, error))
        return false;
    cache_put(&c, e->arena, key, *bytes, *n);
    return true;
}

void emit_functions(Emit *e, const Interface *interface)
{
    for (int i = 0; i < interface->nfunction; i++)
        emit_function(e, interface->function[i].schedule,
                      interface->function[i].internal);
}

/* The same functions once more in e, for a higher level. */
static bool add_level(Emit *e, const Interface *interface,
                      const TargetOptions *o, const char **error)
{
    Emit other;
    if (!emit_open(&other, e->arena, interface->module, o, error))
        return false;
    units_use(&other, e->units, NULL);
    emit_functions(&other, interface);
    debug_finish(&other);
    level_merge(e, &other, interface, o->cpu);
    emit_close(&other);
    return true;
}

/* The functions' code, for each level. */
static bool make_levels(Emit *e, const Interface *interface,
                        const TargetOptions *o, const Levels *l,
                        const char **error)
{
    units_use(e, units_new(e->arena, interface), NULL);
    emit_functions(e, interface);
    if (l->n > 1)
        level_rename(e, interface, l->name[0]);
    for (int i = 1; i < l->n; i++)
        if (!add_level(e, interface, with_cpu(e->arena, o, l->name[i]), error))
            return false;
    return true;
}

static bool module_bytes(Emit *e, EmitKind kind, char **bytes, size_t *n,
                         const char **error)
{
    char *text;
    LLVMMemoryBufferRef buffer;
    switch (kind) {
    case EMIT_ir:
        text = LLVMPrintModuleToString(e->module);
        *n = strlen(text);
        *bytes = arena_copy(e->arena, text, *n);
        LLVMDisposeMessage(text);
        return true;
    case EMIT_bitcode:
        buffer = LLVMWriteBitcodeToMemoryBuffer(e->module);
        *n = LLVMGetBufferSize(buffer);
        *bytes = arena_copy(e->arena, LLVMGetBufferStart(buffer), *n);
        LLVMDisposeMemoryBuffer(buffer);
        return true;
    case EMIT_object:
    case EMIT_assembly:
        break;
    }
    return emit_bytes(e,
                      kind == EMIT_object ? LLVMObjectFile : LLVMAssemblyFile,
                      e->machine.target->format == FORMAT_elf, bytes, n, error);
}

bool emit_module(Arena *a, const ModuleInput *in, EmitKind kind,
                 const TargetOptions *o, char **bytes, size_t *n,
                 const char **error)
{
    Levels levels;
    Emit e;
    if (!levels_parse(a, o, &levels, error) ||
        !schedules_legal(a, in, o, error))
        return false;
    if (!emit_open(&e, a, in->module, with_cpu(a, o, levels.name[0]), error))
        return false;
    Interface *interface = interface_of(a, in);
    bool ok = make_levels(&e, interface, o, &levels, error);
    if (ok) {
        emit_public(&e, interface, &levels);
        debug_finish(&e);
        ok = module_bytes(&e, kind, bytes, n, error);
    }
    emit_close(&e);
    return ok;
}
