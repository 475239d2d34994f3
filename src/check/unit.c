/* unit.c: files, what they `use`, and the names of their items. */
#include "check/scope.h"
#include "std/std.h"

#include <errno.h>
#include <string.h>

enum {
    MAX_SOURCE = 16 << 20, /* bytes of one file */
    MAX_USE_DEPTH = 100,
};

typedef struct Units {
    LIST(Unit *) all;
    bool unread; /* some could not be read or parsed */
} Units;

static Units *own(Check *c) { return check_own(c, OWN_unit, sizeof(Units)); }

bool unit_all_read(Check *c) { return !own(c)->unread; }

uint64_t unit_hash(Check *c)
{
    uint64_t h = HASH_SEED;

    for (int i = 0; i < own(c)->all.n; i++) {
        const Source *s = own(c)->all.at[i]->source;

        h = hash_bytes(h, s->text, s->len);
    }
    return h;
}

/* A file's content, or NULL with errno set (EFBIG where it is too large). */
static char *read_file(Check *c, const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text;
    int err;

    if (!f)
        return NULL;
    errno = 0;
    text = read_stream(c->arena, f, MAX_SOURCE, len);
    err = ferror(f) ? (errno ? errno : EIO) : *len > MAX_SOURCE ? EFBIG : 0;
    fclose(f);
    errno = err;
    return err ? NULL : text;
}

static const char *file_error(int err)
{
    return err == EFBIG ? "it is larger than 16 MB" : strerror(err);
}

static Entry *add_entry(Check *c, Unit *u, EntryKind kind, const char *name,
                        Span span, const Item *item)
{
    const Binding *before = scope_find(u->scope, INT32_MAX, name);
    Entry *e;
    DType t;

    if (before) {
        check_fail(c, span, "duplicate", "'%s' is defined twice", name);
        check_note(c, before->span, "it was defined here first");
        return NULL;
    }
    if (kind == EN_struct && dtype_of_name(c, name, &t))
        return check_none(c, span, "duplicate",
                          "'%s' is a type of the language; choose another name",
                          name);
    e = NEW(c->arena, Entry);
    e->kind = kind;
    e->name = name;
    e->span = span;
    e->unit = u;
    e->item = item;
    scope_bind(c, u->scope, name, span, NULL)->entry = e;
    return e;
}

static void add_struct(Check *c, Unit *u, const Item *item)
{
    const StructItem *s = item->structure;
    Entry *e = add_entry(c, u, EN_struct, s->name, s->name_span, item);

    if (!e)
        return;
    e->def = NEW(c->arena, StructDef);
    e->def->item = s;
    e->def->unit = u;
}

static void add_fn(Check *c, Unit *u, const Item *item)
{
    const FnItem *f = item->fn;
    Entry *e = add_entry(c, u, EN_fn, f->name, f->name_span, item);
    if (e)
        e->value = value_fn(c, fn_item(c, f, scope_new(c, NULL, 0, u), 0));
}

/* std/x.nn where the user's own folder has no x.nn. */
static Unit *load_used(Check *c, const Unit *from, const char *name, Span at)
{
    const char *slash = strrchr(from->path, '/');
    const char *path, *text, *std;
    size_t len = 0;

    if (!from->std) {
        path = arena_printf(c->arena, "%.*s%s.nn",
                            slash ? (int)(slash - from->path) + 1 : 0,
                            from->path, name);
        text = read_file(c, path, &len);
        if (text)
            return unit_load(c, path, text, len);
        if (errno != ENOENT && errno != ENOTDIR)
            return check_none(c, at, "file", "cannot read %s: %s", path,
                              file_error(errno));
    }
    std = std_source(name, &len);
    if (!std)
        return check_none(
            c, at, "file",
            "there is no file '%s.nn'\n"
            "it was looked for beside %s and in the standard library",
            name, from->path);
    return unit_load(c, arena_printf(c->arena, "<std>/%s.nn", name), std, len);
}

static void report_cycle(Check *c, const Unit *to, Span at)
{
    const Units *all = own(c);
    Str s = str_new(c->arena);
    int first = 0;

    for (int i = 0; i < all->all.n; i++)
        if (all->all.at[i] == to)
            first = i;
    for (int i = first; i < all->all.n; i++)
        if (all->all.at[i]->loading)
            str_printf(&s, "%s uses ", all->all.at[i]->name);
    check_fail(c, at, "circular-use",
               "these files use each other in a circle\n"
               "%s%s",
               s.at ? s.at : "", to->name);
}

static void add_use(Check *c, Unit *u, const Item *item)
{
    Unit *used = load_used(c, u, item->use.name, item->use.name_span);
    Entry *e;

    own(c)->unread |= !used || used->loading;
    if (!used)
        return;
    if (used->loading) {
        report_cycle(c, used, item->use.name_span);
        return;
    }
    if (item->use.as) {
        e = add_entry(c, u, EN_unit, item->use.as, item->use.name_span, item);
        if (e)
            e->names = used;
        return;
    }
    for (int i = 0; i < u->use.n; i++)
        if (u->use.at[i] == used)
            return;
    list_push(c->arena, &u->use, used);
}

static void add_item(Check *c, Unit *u, const Item *item)
{
    switch (item->kind) {
    case IT_use:
        add_use(c, u, item);
        break;
    case IT_const:
        add_entry(c, u, EN_const, item->constant.name, item->constant.name_span,
                  item);
        break;
    case IT_struct:
        add_struct(c, u, item);
        break;
    case IT_fn:
        add_fn(c, u, item);
        break;
    case IT_derivative: /* see unit_attach_derivative */
    case IT_export:
    case IT_train:
        break;
    }
}

static const char *unit_name(Check *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t n = strlen(base);

    if (n > 3 && strcmp(base + n - 3, ".nn") == 0)
        n -= 3;
    return arena_printf(c->arena, "%.*s", (int)n, base);
}

static int loading_now(Check *c)
{
    int n = 0;

    for (int i = 0; i < own(c)->all.n; i++)
        n += own(c)->all.at[i]->loading;
    return n;
}

Unit *unit_load(Check *c, const char *path, const char *text, size_t len)
{
    Unit *u;
    int errors;

    for (int i = 0; i < own(c)->all.n; i++)
        if (strcmp(own(c)->all.at[i]->path, path) == 0)
            return own(c)->all.at[i];
    if (loading_now(c) >= MAX_USE_DEPTH)
        return check_none(c, (Span){0, 0}, "file",
                          "more than %d files use each other", MAX_USE_DEPTH);
    if (!text)
        text = read_file(c, path, &len);
    if (!text)
        return check_none(c, (Span){0, 0}, "file", "cannot read %s: %s", path,
                          file_error(errno));
    if (len > MAX_SOURCE)
        return check_none(c, (Span){0, 0}, "file", "cannot read %s: %s", path,
                          file_error(EFBIG));
    u = NEW(c->arena, Unit);
    u->path = path;
    u->name = unit_name(c, path);
    u->std = strncmp(path, "<std>/", 6) == 0;
    u->scope = scope_new(c, NULL, 0, u);
    u->loading = true;
    list_push(c->arena, &own(c)->all, u);
    u->source = diags_source(c->diags, path, text, len);
    errors = diags_errors(c->diags);
    u->ast = parse(c->arena, c->names, c->diags, u->source);
    own(c)->unread |= diags_errors(c->diags) > errors;
    for (int i = 0; i < u->ast->item.n; i++)
        add_item(c, u, u->ast->item.at[i]);
    for (int i = 0; i < u->ast->item.n; i++)
        if (u->ast->item.at[i]->kind == IT_derivative)
            unit_attach_derivative(c, u, u->ast->item.at[i]);
    u->loading = false;
    return u;
}

static const Entry *own_entry(const Unit *u, const char *name)
{
    const Binding *b = scope_find(u->scope, INT32_MAX, name);

    return b ? b->entry : NULL;
}

const Fn *unit_std_function(Check *c, const char *file, const char *name)
{
    size_t len;
    const char *text = std_source(file, &len);
    const char *path = arena_printf(c->arena, "<std>/%s.nn", file);
    const Unit *u = unit_load(c, path, text, len);
    const Entry *e = u ? own_entry(u, intern(c->names, name)) : NULL;

    if (!e || e->kind != EN_fn)
        die("no function '%s' in %s", name, path);
    return e->value->fn;
}

/* A file's own items come first, then those of the files it uses, which must
 * not clash, then the prelude's. */
const Entry *unit_find(Check *c, Unit *u, const char *name, Span at,
                       bool *clash)
{
    const Entry *e = own_entry(u, name), *other;

    *clash = false;
    if (e)
        return e;
    for (int i = 0; i < u->use.n; i++) {
        other = own_entry(u->use.at[i], name);
        if (!other || other->kind == EN_unit)
            continue;
        if (e) {
            check_fail(c, at, "name-clash",
                       "'%s' is defined in both '%s' and '%s'\n"
                       "'use %s as n;' puts its names behind 'n.'",
                       name, e->unit->name, other->unit->name,
                       other->unit->name);
            *clash = true;
            return NULL;
        }
        e = other;
    }
    return e || !c->prelude || u == c->prelude ? e
                                               : own_entry(c->prelude, name);
}

const Entry *unit_next(Check *c, ItemAt *at)
{
    for (; at->unit < own(c)->all.n; at->unit++, at->item = 0) {
        const Unit *u = own(c)->all.at[at->unit];

        if (u->std == at->std && at->item < u->scope->binding.n)
            return u->scope->binding.at[at->item++].entry;
    }
    return NULL;
}

void unit_check_all(Check *c)
{
    const Entry *e;

    for (ItemAt at = {0}; (e = unit_next(c, &at));)
        if (e->kind == EN_const)
            eval_entry(c, e, e->span);
        else if (e->kind == EN_struct)
            struct_ready(c, e->def);
}
