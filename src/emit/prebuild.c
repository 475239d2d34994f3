/* prebuild.c: makes the store of prebuilt functions: an object for each
 * function and level. */
#include <stdlib.h>
#include <string.h>

#include "emit/levels.h"
#include "emit/parallel.h"
#include "emit/prebuilt.h"

/* One function for one level. */
typedef struct Piece {
    const Helpers *all; /* of the level */
    int number;
    TargetOptions options;
    const char *name; /* in the store */
    Arena *arena;
    Object object;
    LIST(const char *) need;
    const char *error;
} Piece;
typedef LIST(Piece) Pieces;

static const Module no_module = {.name = "nncc"};

/* What the level has. */
static bool list_level(Arena *a, const TargetOptions *o, Helpers *h,
                       const char **error)
{
    Emit e;
    if (!emit_open(&e, a, &no_module, o, error))
        return false;
    helper_add(&e, h, run_helper());
    product_prebuild(&e, h);
    routine_prebuild(&e, h);
    e.listed = h;
    shared_prebuild(&e);
    emit_close(&e);
    return true;
}

static void find_needs(Piece *p, Emit *e)
{
    size_t n;
    for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f;
         f = LLVMGetNextFunction(f)) {
        const char *name = LLVMGetValueName2(f, &n);
        if (LLVMIsDeclaration(f) && strncmp(name, "llvm.", 5) != 0)
            list_push(p->arena, &p->need, arena_printf(p->arena, "%s", name));
    }
}

static void make_piece(void *of)
{
    Piece *p = of;
    const Helper *h = &p->all->at[p->number];
    const char *suffix = prebuilt_name(p->arena, "", p->options.cpu);
    Emit e;
    char *bytes;
    if (!emit_open(&e, p->arena, &no_module, &p->options, &p->error))
        return;
    e.sharing = share_each(&e, p->all, p->number, suffix);
    helper_function(&e, *h);
    find_needs(p, &e);
    mark_functions(&e);
    emit_bytes(&e, LLVMObjectFile, false, &bytes, &p->object.n, &p->error);
    p->object.bytes = bytes;
    emit_close(&e);
}

/* The bytes */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Piece *)a)->name, ((const Piece *)b)->name);
}

static int name_order(const void *name, const void *piece)
{
    return strcmp(name, ((const Piece *)piece)->name);
}

static uint32_t number_of(const Pieces *all, const char *name)
{
    const Piece *p =
        bsearch(name, all->at, (size_t)all->n, sizeof *p, name_order);
    if (!p)
        die("a prebuilt function needs %s", name);
    return (uint32_t)(p - all->at);
}

static uint32_t place(const Str *s) { return (uint32_t)s->n; }

static void write_store(Arena *a, const Pieces *all, Str *to)
{
    PrebuiltHead head = {.nrow = (uint32_t)all->n};
    PrebuiltRow *row = NEWN(a, PrebuiltRow, all->n + 1);
    Str needs = str_new(a), rest = str_new(a);
    for (int i = 0; i < all->n; i++) {
        const Piece *p = &all->at[i];
        row[i].need = head.nneed;
        row[i].nneed = (uint32_t)p->need.n;
        head.nneed += row[i].nneed;
        for (int k = 0; k < p->need.n; k++) {
            uint32_t other = number_of(all, p->need.at[k]);
            str_add(&needs, (const char *)&other, sizeof other);
        }
    }
    size_t before = sizeof head + sizeof *row * (size_t)all->n + needs.n;
    for (int i = 0; i < all->n; i++) {
        const Piece *p = &all->at[i];
        row[i].name = (uint32_t)before + place(&rest);
        str_add(&rest, p->name, strlen(p->name) + 1);
        row[i].object = (uint32_t)before + place(&rest);
        row[i].size = (uint32_t)p->object.n;
        str_add(&rest, p->object.bytes, p->object.n);
    }
    str_add(to, (const char *)&head, sizeof head);
    str_add(to, (const char *)row, sizeof *row * (size_t)all->n);
    str_add(to, needs.at, needs.n);
    str_add(to, rest.at, rest.n);
}

static bool add_level(Arena *a, const TargetOptions *o, Pieces *to,
                      const char **error)
{
    Helpers *h = NEW(a, Helpers);
    if (!list_level(a, o, h, error))
        return false;
    for (int i = 0; i < h->n; i++) {
        Piece p = {.all = h,
                   .number = i,
                   .options = *o,
                   .name = prebuilt_name(a, h->at[i].name, o->cpu),
                   .arena = arena_new()};
        list_push(a, to, p);
    }
    return true;
}

bool prebuild(Arena *a, Str *to, const char **error)
{
    TargetOptions o = {.cpu = "x86-64,x86-64-v2,x86-64-v3,x86-64-v4",
                       .optimise = EFFORT_default};
    Pieces all = {0};
    Levels levels;
    if (!levels_parse(a, &o, &levels, error))
        return true;
    for (int i = 0; i < levels.n; i++)
        if (!add_level(a, with_cpu(a, &o, levels.name[i]), &all, error))
            return false;
    in_threads(make_piece, all.at, sizeof *all.at, all.n);
    qsort(all.at, (size_t)all.n, sizeof *all.at, by_name);
    *error = NULL;
    for (int i = 0; i < all.n && !*error; i++)
        *error = all.at[i].error;
    if (!*error)
        write_store(a, &all, to);
    for (int i = 0; i < all.n; i++)
        arena_free(all.at[i].arena);
    return !*error;
}
