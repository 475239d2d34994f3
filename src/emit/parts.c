/* parts.c: a module as several objects, made at the same time.
 *
 * Each part is for one level and has a share of its functions; the others it
 * declares. The first share of a level has what surrounds the kernels, too.
 *
 * The graph is shared, and read only: building code makes no nodes and no
 * dimensions. What the one public part allocates in its arena no other part
 * sees. */
#include <pthread.h>
#include <unistd.h>

#include "emit/levels.h"
#include "emit/prebuilt.h"

/* Four parts of a small module keep threads busy; more bound how much code
 * there is at once. Much code around the kernels is a part of its own, which is
 * made as quickly as can be; where there is little, calls take little else. */
enum {
    FEW_SHARES = 4,
    SHARE_WEIGHT = 600,
    MOST_WEIGHT = 8000,
    APART_WEIGHT = 160,
    MAX_THREADS = 16
};

typedef struct Part {
    const ModuleInput *in;
    const Interface *interface;
    const Units *units;
    const Levels *levels;
    TargetOptions options;
    int level, share, nshare;
    int around; /* the share that has what surrounds the kernels */
    Arena *arena;
    Object object;
    bool *prebuilt; /* which functions of the store it calls */
    const char *error;
    bool ok;
} Part;

/* Parts */

static void hide(LLVMValueRef f)
{
    LLVMSetLinkage(f, LLVMExternalLinkage);
    LLVMSetVisibility(f, LLVMHiddenVisibility);
}

static void show_calls(const Part *p, Emit *e)
{
    for (int i = 0; i < p->interface->nfunction; i++) {
        const char *name = arena_printf(e->arena, "%s__call.%s",
                                        p->interface->function[i].internal,
                                        p->levels->name[p->level]);
        hide(LLVMGetNamedFunction(e->module, name));
    }
}

static void build_part(Part *p, Emit *e)
{
    bool many = p->levels->n > 1;
    const char *level = p->levels->name[p->level];
    const char *suffix = many ? arena_printf(e->arena, "-%s", level) : "";
    bool around = p->share == p->around, public = p->level == 0 && around;
    int64_t more = p->around == 0 ? weight_around(p->interface) : 0;
    units_use(
        e, p->units,
        share_out(e, p->units, p->share, p->nshare, p->around, more, suffix));
    emit_share(e);
    if (around)
        emit_functions(e, p->interface);
    if (around && many)
        level_rename(e, p->interface, level);
    else
        mark_functions(e);
    for (int i = 1; public && i < p->levels->n; i++)
        level_declare(e, p->interface, p->levels->name[i]);
    if (public)
        emit_public(e, p->interface, p->levels);
    if (p->level > 0 && around)
        show_calls(p, e);
}

static void find_prebuilt(Part *p, Emit *e)
{
    size_t n;
    p->prebuilt = NEWN(p->arena, bool, prebuilt_count() + 1);
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); e->level && f;
         f = LLVMGetNextFunction(f)) {
        int i = LLVMIsDeclaration(f) && LLVMGetFirstUse(f)
                    ? prebuilt_find(LLVMGetValueName2(f, &n))
                    : -1;
        if (i >= 0)
            prebuilt_need(p->prebuilt, i);
    }
}

static void make_part(void *of)
{
    Part *p = of;
    Emit e;
    char *bytes;
    p->ok = emit_open(&e, p->arena, p->in->module, &p->options, &p->error);
    if (!p->ok)
        return;
    e.level = e.machine.level;
    build_part(p, &e);
    debug_finish(&e);
    find_prebuilt(p, &e);
    p->ok =
        emit_bytes(&e, LLVMObjectFile, false, &bytes, &p->object.n, &p->error);
    p->object.bytes = bytes;
    emit_close(&e);
}

/* Threads */

typedef struct Work {
    pthread_mutex_t lock;
    void (*make)(void *one);
    char *at;
    size_t size;
    int next, n;
} Work;

static void *work(void *of)
{
    Work *w = of;
    while (true) {
        pthread_mutex_lock(&w->lock);
        int i = w->next++;
        pthread_mutex_unlock(&w->lock);
        if (i >= w->n)
            return NULL;
        w->make(w->at + (size_t)i * w->size);
    }
}

/* This thread works too; it can do without the others. */
void in_threads(void (*make)(void *one), void *at, size_t size, int n)
{
    Work w = {PTHREAD_MUTEX_INITIALIZER, make, at, size, 0, n};
    pthread_t thread[MAX_THREADS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int count = 0;
    while (count < MAX_THREADS && count + 1 < n && count + 1 < processors &&
           !pthread_create(&thread[count], NULL, work, &w))
        count++;
    work(&w);
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
}

static int count_shares(const Units *u)
{
    enum { CONTRACT = 40 };
    int64_t n = 0;
    for (int i = 0; i < units_count(u); i++)
        n += units_at(u, i)->weight +
             (units_at(u, i)->kernel->contract ? CONTRACT : 0);
    int64_t few = 1 + n / SHARE_WEIGHT, many = 1 + n / MOST_WEIGHT;
    if (few > FEW_SHARES)
        few = FEW_SHARES;
    return (int)(many > few ? many : few);
}

/* The parts' objects, then those of the store that they call. */
static bool collect(Arena *a, Part *part, int n, Object **object, int *nobject,
                    const char **error)
{
    LIST(Object) to = {0};
    int nprebuilt = prebuilt_count();
    bool ok = true, *need = NEWN(a, bool, nprebuilt + 1);
    for (int i = 0; i < n; i++) {
        const Object *o = &part[i].object;
        if (!part[i].ok && ok)
            *error = arena_printf(a, "%s", part[i].error);
        ok = ok && part[i].ok;
        if (ok)
            list_push(a, &to, ((Object){arena_copy(a, o->bytes, o->n), o->n}));
        for (int k = 0; ok && k < nprebuilt; k++)
            need[k] |= part[i].prebuilt[k];
        arena_free(part[i].arena);
    }
    for (int k = 0; k < nprebuilt; k++)
        if (need[k])
            list_push(a, &to, prebuilt_object(k));
    *object = to.at;
    *nobject = to.n;
    return ok;
}

static TargetOptions part_options(Arena *a, const TargetOptions *o,
                                  const char *cpu, bool around)
{
    TargetOptions own = *with_cpu(a, o, cpu);
    if (around)
        own.quick = true;
    return own;
}

bool emit_objects(Arena *a, const ModuleInput *in, const TargetOptions *o,
                  Object **object, int *nobject, const char **error)
{
    Levels levels;
    if (!levels_parse(a, o, &levels, error) ||
        !schedules_legal(a, in, o, error))
        return false;
    const Interface *interface = interface_of(a, in);
    const Units *units = units_new(a, interface);
    bool apart =
        weight_around(interface) >= APART_WEIGHT && o->optimise != EFFORT_size;
    int nshare = count_shares(units), each = nshare + apart;
    int n = levels.n * each;
    Part *part = NEWN(a, Part, n);
    for (int i = 0; i < n; i++)
        part[i] = (Part){
            .in = in,
            .interface = interface,
            .units = units,
            .levels = &levels,
            .options =
                part_options(a, o, levels.name[i / each], i % each == nshare),
            .level = i / each,
            .share = i % each,
            .nshare = nshare,
            .around = apart ? nshare : 0,
            .arena = arena_new(),
        };
    in_threads(make_part, part, sizeof *part, n);
    return collect(a, part, n, object, nobject, error);
}
