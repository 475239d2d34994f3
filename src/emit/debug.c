/* debug.c: lines of the model for who debugs or measures the code (-g): DWARF
 * line tables, a function for each kernel and each function that C sees.
 *
 * While code is built an instruction's location only says which line of which
 * source it comes from; the function that it ended up in, which may be one that
 * several kernels call, is known at the end. */
#include <string.h>

#include <llvm-c/DebugInfo.h>

#include "emit/emit_internal.h"

typedef struct Seen {
    const Source *source;
    LLVMMetadataRef file;
    LLVMMetadataRef scope; /* of the locations of it while code is built */
} Seen;

/* A function that has lines. */
typedef struct Traced {
    LLVMMetadataRef file, scope;
    unsigned line;
} Traced;

struct Debug {
    LLVMDIBuilderRef builder;
    LLVMMetadataRef unit, type;
    const char *folder;
    const Diags *sources;
    Map seen;     /* Seen, by its source */
    Map of_scope; /* the same, by their scopes */
    Map traced;   /* Traced, by its function */
    Span last;    /* what `location` is of */
    LLVMMetadataRef location;
};

static LLVMMetadataRef make_file(Debug *d, const char *path)
{
    return LLVMDIBuilderCreateFile(d->builder, path, strlen(path), d->folder,
                                   strlen(d->folder));
}

static LLVMMetadataRef make_scope(Debug *d, LLVMMetadataRef file,
                                  const char *name, const char *linkage,
                                  unsigned line)
{
    return LLVMDIBuilderCreateFunction(
        d->builder, file, name, strlen(name), linkage, strlen(linkage), file,
        line, d->type, false, true, line, LLVMDIFlagZero, true);
}

static void add_flag(Emit *e, const char *name, unsigned value)
{
    LLVMAddModuleFlag(e->module, LLVMModuleFlagBehaviorWarning, name,
                      strlen(name),
                      LLVMValueAsMetadata(LLVMConstInt(e->i32, value, false)));
}

void debug_open(Emit *e, const Diags *sources, const char *folder)
{
    enum { DWARF = 4 };
    const Source *first = sources ? diags_source_at(sources, 0) : NULL;
    if (!folder || !first)
        return;
    Debug *d = NEW(e->arena, Debug);
    *d = (Debug){.builder = LLVMCreateDIBuilder(e->module),
                 .folder = folder,
                 .sources = sources};
    LLVMMetadataRef file = make_file(d, first->path);
    d->unit = LLVMDIBuilderCreateCompileUnit(
        d->builder, LLVMDWARFSourceLanguageC99, file, "nncc", 4, true, "", 0, 0,
        "", 0, LLVMDWARFEmissionLineTablesOnly, 0, false, false, "", 0, "", 0);
    d->type = LLVMDIBuilderCreateSubroutineType(d->builder, file, NULL, 0,
                                                LLVMDIFlagZero);
    add_flag(e, "Debug Info Version", LLVMDebugMetadataVersion());
    add_flag(e, "Dwarf Version", DWARF);
    e->debug = d;
}

static const Seen *see(Emit *e, const Source *source)
{
    Debug *d = e->debug;
    Seen *s = map_of(&d->seen, source);
    if (s)
        return s;
    s = NEW(e->arena, Seen);
    *s = (Seen){.source = source, .file = make_file(d, source->path)};
    s->scope = make_scope(d, s->file, "", "", 0);
    map_set(e->arena, &d->seen, source, s);
    map_set(e->arena, &d->of_scope, s->scope, s);
    return s;
}

/* NULL: of nowhere. The line is set then only. */
static const Seen *place_of(Emit *e, Span at, unsigned *line)
{
    const Source *source =
        at.end ? diags_source_of(e->debug->sources, at) : NULL;
    int number, column;
    if (!source)
        return NULL;
    diags_position(e->debug->sources, at, &number, &column);
    *line = (unsigned)number;
    return see(e, source);
}

/* What is built from here on comes from there; of nowhere: as before. */
static void debug_at(Emit *e, Span at)
{
    Debug *d = e->debug;
    unsigned line;
    if (!d || !at.end)
        return;
    if (at.beg != d->last.beg || at.end != d->last.end) {
        const Seen *s = place_of(e, at, &line);
        d->last = at;
        d->location = s ? LLVMDIBuilderCreateDebugLocation(e->context, line, 0,
                                                           s->scope, NULL)
                        : NULL;
    }
    LLVMSetCurrentDebugLocation2(e->builder, d->location);
}

/* A load is of where what is loaded is first used. */
void debug_instr(Emit *e, const Kernel *k, int i)
{
    if (!e->debug)
        return;
    const Instr *in = &k->instr[i];
    for (int j = i + 1; j < k->ninstr && !in->node; j++)
        for (int a = 0; a < k->instr[j].narg; a++)
            if (k->instr[j].arg[a] == i)
                in = &k->instr[j];
    debug_at(e, in->node && in->node->span.end ? in->node->span : k->span);
}

void debug_function(Emit *e, LLVMValueRef fn, const char *name, Span at)
{
    size_t n;
    unsigned line;
    const Seen *s = e->debug ? place_of(e, at, &line) : NULL;
    if (!s)
        return;
    Traced *t = NEW(e->arena, Traced);
    *t = (Traced){
        s->file,
        make_scope(e->debug, s->file, name, LLVMGetValueName2(fn, &n), line),
        line};
    LLVMSetSubprogram(fn, t->scope);
    map_set(e->arena, &e->debug->traced, fn, t);
    debug_at(e, at);
}

/* Where an instruction of that function comes from; of none of its own, where
 * the function does if it is a call, of which LLVM wants to know. */
static LLVMMetadataRef settled(Emit *e, const Traced *t, LLVMValueRef instr)
{
    LLVMMetadataRef was = LLVMInstructionGetDebugLoc(instr);
    if (!was)
        return LLVMIsACallInst(instr)
                   ? LLVMDIBuilderCreateDebugLocation(e->context, t->line, 0,
                                                      t->scope, NULL)
                   : NULL;
    const Seen *s = map_of(&e->debug->of_scope, LLVMDILocationGetScope(was));
    LLVMMetadataRef scope = s->file == t->file
                                ? t->scope
                                : LLVMDIBuilderCreateLexicalBlockFile(
                                      e->debug->builder, t->scope, s->file, 0);
    return LLVMDIBuilderCreateDebugLocation(
        e->context, LLVMDILocationGetLine(was), 0, scope, NULL);
}

static void settle(Emit *e, LLVMValueRef fn)
{
    const Traced *t = map_of(&e->debug->traced, fn);
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(fn); b;
         b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef i = LLVMGetFirstInstruction(b); i;
             i = LLVMGetNextInstruction(i))
            LLVMInstructionSetDebugLoc(i, t ? settled(e, t, i) : NULL);
}

void debug_finish(Emit *e)
{
    if (!e->debug)
        return;
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f;
         f = LLVMGetNextFunction(f))
        if (!LLVMGetSubprogram(f) || map_of(&e->debug->traced, f))
            settle(e, f);
    LLVMDIBuilderFinalize(e->debug->builder);
}

void debug_close(Emit *e)
{
    if (e->debug)
        LLVMDisposeDIBuilder(e->debug->builder);
    e->debug = NULL;
}
