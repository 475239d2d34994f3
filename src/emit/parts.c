/* parts.c: a module as several objects, made at the same time.
 *
 * Each part is for one level and has a share of its functions. It builds all of
 * them, which takes little time, and keeps its own; the others it declares.
 *
 * The graph is shared, and read only: building code makes no nodes and no
 * dimensions. What the one public part allocates in its arena no other part
 * sees. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emit/levels.h"

enum { MAX_SHARES = 4, SHARE_INSTRUCTIONS = 600, MAX_THREADS = 16 };

typedef struct Part {
    const EmitInput *in;
    const CFace *face;
    const Levels *levels;
    EmitOptions options;
    int level, share, nshare;
    Arena *arena;
    Object object;
    const char *error;
    bool ok;
} Part;

/* Shares of the functions */

typedef struct Load {
    LLVMValueRef function;
    const char *name; /* in all parts */
    int weight, number, share;
} Load;

static int count_instructions(LLVMValueRef f)
{
    int n = 0;
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b;
         b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef i = LLVMGetFirstInstruction(b); i;
             i = LLVMGetNextInstruction(i))
            n++;
    return n;
}

static int heavier_first(const void *a, const void *b)
{
    const Load *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* What surrounds the kernels stays together: it refers to all of itself. */
static bool stays(const Load *l) { return strchr(l->name, '.') != NULL; }

static Load *functions(Emit *e, int *n)
{
    *n = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f;
         f = LLVMGetNextFunction(f))
        ++*n;
    Load *load = NEWN(e->arena, Load, *n + 1);
    *n = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f;
         f = LLVMGetNextFunction(f)) {
        size_t length;
        if (LLVMIsDeclaration(f))
            continue;
        load[*n] = (Load){.function = f,
                          .name = LLVMGetValueName2(f, &length),
                          .weight = count_instructions(f),
                          .number = *n};
        ++*n;
    }
    return load;
}

/* The heaviest first, each to who has least. The first share has the code
 * around the kernels too, which is quickly compiled. */
static void share_out(Load *load, int n, int nshare)
{
    int64_t sum[MAX_SHARES] = {0};
    for (int i = 0; i < n; i++)
        if (stays(&load[i]))
            sum[0] += load[i].weight / 3;
    qsort(load, (size_t)n, sizeof *load, heavier_first);
    for (int i = 0; i < n; i++) {
        int best = 0;
        if (stays(&load[i]))
            continue;
        for (int k = 1; k < nshare; k++)
            if (sum[k] < sum[best])
                best = k;
        load[i].share = best;
        sum[best] += load[i].weight;
    }
}

static void hide(LLVMValueRef f)
{
    LLVMSetLinkage(f, LLVMExternalLinkage);
    LLVMSetVisibility(f, LLVMHiddenVisibility);
}

/* Own functions for the other parts to see, under names that tell the level;
 * declarations of theirs. */
static void keep_share(const Part *p, Emit *e, const Load *load, int n)
{
    const char *level = p->levels->n > 1 ? p->levels->name[p->level] : "";
    for (int i = 0; i < n; i++) {
        LLVMValueRef f = load[i].function;
        if (load[i].share == p->share && stays(&load[i]))
            continue;
        const char *name = arena_printf(e->arena, "%s%s%s", load[i].name,
                                        *level ? "." : "", level);
        if (load[i].share == p->share) {
            LLVMSetValueName2(f, name, strlen(name));
            hide(f);
            continue;
        }
        LLVMSetValueName2(f, "", 0);
        LLVMValueRef other =
            LLVMAddFunction(e->module, name, LLVMGlobalGetValueType(f));
        hide(other);
        LLVMReplaceAllUsesWith(f, other);
        LLVMDeleteFunction(f);
    }
}

/* Parts */

static void show_calls(const Part *p, Emit *e)
{
    for (int i = 0; i < p->face->nfunction; i++) {
        const char *name =
            arena_printf(e->arena, "%s__call.%s", p->face->function[i].internal,
                         p->levels->name[p->level]);
        hide(LLVMGetNamedFunction(e->module, name));
    }
}

static void build_part(Part *p, Emit *e)
{
    int n;
    bool many = p->levels->n > 1;
    emit_functions(e, p->face);
    if (many)
        level_rename(e, p->face, p->levels->name[p->level]);
    else
        mark_functions(e);
    Load *load = functions(e, &n);
    for (int i = 0; i < n; i++)
        load[i].name = arena_printf(e->arena, "%s", load[i].name);
    share_out(load, n, p->nshare);
    bool public = p->level == 0 && p->share == 0;
    for (int i = 1; public && i < p->levels->n; i++)
        level_declare(e, p->face, p->levels->name[i]);
    if (public)
        emit_public(e, p->face, p->levels);
    keep_share(p, e, load, n);
    if (p->level > 0 && p->share == 0)
        show_calls(p, e);
}

static void make_part(Part *p)
{
    Emit e;
    char *bytes;
    p->ok = emit_open(&e, p->arena, p->in->module->graph, p->in->module->name,
                      &p->options, &p->error);
    if (!p->ok)
        return;
    build_part(p, &e);
    emit_finish(&e);
    p->ok = emit_bytes(&e, LLVMObjectFile, &bytes, &p->object.n, &p->error);
    p->object.bytes = bytes;
    emit_close(&e);
}

/* Threads */

typedef struct Work {
    pthread_mutex_t lock;
    Part *part;
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
        make_part(&w->part[i]);
    }
}

/* This thread works too; it can do without the others. */
static void make_parts(Part *part, int n)
{
    Work w = {PTHREAD_MUTEX_INITIALIZER, part, 0, n};
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

static int schedule_weight(const Schedule *s)
{
    enum { CONTRACT = 40, LOOP = 20 };
    int n = 0;
    for (int i = 0; i < s->kernel.n; i++) {
        const Kernel *k = s->kernel.at[i];
        n += k->ninstr + (k->contract ? CONTRACT : 0) +
             (k->after ? k->after->ninstr : 0);
        if (k->loop)
            n += LOOP + schedule_weight(k->loop->body) +
                 (k->loop->check ? schedule_weight(k->loop->check) : 0);
    }
    return n;
}

static int count_shares(const EmitInput *in)
{
    int n = 0;
    for (int i = 0; i < in->nschedule; i++)
        n += schedule_weight(in->schedule[i]);
    n = 1 + n / SHARE_INSTRUCTIONS;
    return n < MAX_SHARES ? n : MAX_SHARES;
}

static bool collect(Arena *a, Part *part, int n, Object *object,
                    const char **error)
{
    bool ok = true;
    for (int i = 0; i < n; i++) {
        const Object *o = &part[i].object;
        if (!part[i].ok && ok)
            *error = arena_printf(a, "%s", part[i].error);
        ok = ok && part[i].ok;
        if (ok)
            object[i] = (Object){arena_copy(a, o->bytes, o->n), o->n};
        arena_free(part[i].arena);
    }
    return ok;
}

bool emit_objects(Arena *a, const EmitInput *in, const EmitOptions *o,
                  Object **object, int *nobject, const char **error)
{
    Levels levels;
    if (!levels_parse(a, o, &levels, error))
        return false;
    const CFace *face = c_face(a, in);
    int nshare = count_shares(in), n = levels.n * nshare;
    Part *part = NEWN(a, Part, n);
    for (int i = 0; i < n; i++)
        part[i] = (Part){
            .in = in,
            .face = face,
            .levels = &levels,
            .options = *with_cpu(a, o, levels.name[i / nshare]),
            .level = i / nshare,
            .share = i % nshare,
            .nshare = nshare,
            .arena = arena_new(),
        };
    make_parts(part, n);
    *object = NEWN(a, Object, n);
    *nobject = n;
    return collect(a, part, n, *object, error);
}
