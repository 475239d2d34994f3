/* scope.c: names and what they mean from where. */
#include "check/scope.h"
#include "std/std.h"

#include <string.h>

Scope *scope_new(Check *c, const Scope *up, int up_limit, Unit *unit)
{
    Scope *s = NEW(c->arena, Scope);

    s->up = up;
    s->up_limit = up_limit;
    s->unit = unit;
    return s;
}

void scope_reserve(Check *c, Scope *s, int n)
{
    if (s->binding.n > 0 || n == 0)
        return;
    s->binding.at = NEWN(c->arena, Binding, n);
    s->binding.cap = n;
}

/* A few are looked through one by one. */
enum { FEW = 8 };

static void enter(Check *c, Scope *s, int i)
{
    Binding *b = &s->binding.at[i];

    b->older = map_of_int(&s->names, b->name);
    map_set_int(c->arena, &s->names, b->name, i);
}

Binding *scope_bind(Check *c, Scope *s, const char *name, Span span,
                    const Value *v)
{
    Binding b = {.name = name, .span = span, .value = v};

    list_push(c->arena, &s->binding, b);
    if (s->binding.n > FEW)
        for (int i = s->names.n ? s->binding.n - 1 : 0; i < s->binding.n; i++)
            enter(c, s, i);
    return &s->binding.at[s->binding.n - 1];
}

const Binding *scope_find(const Scope *s, int limit, const char *name)
{
    bool many = s->names.n;
    int i = many ? map_of_int(&s->names, name) : s->binding.n - 1;

    while (i >= 0 && (i >= limit || s->binding.at[i].name != name))
        i = many ? s->binding.at[i].older : i - 1;
    return i >= 0 ? &s->binding.at[i] : NULL;
}

Found scope_lookup(Check *c, const Scope *s, const char *name, Span at)
{
    Found f = {NULL, NULL, NULL, false};
    int limit = INT32_MAX;
    Unit *unit = s->unit;

    for (; s; limit = s->up_limit, s = s->up) {
        f.local = scope_find(s, limit, name);
        if (f.local)
            return f;
    }
    f.entry = unit_find(c, unit, name, at, &f.clash);
    if (!f.entry && !f.clash)
        f.builtin = builtin_find(c, name);
    return f;
}

const Scope *scope_leading(const Scope *s)
{
    for (; s; s = s->up)
        if (s->has_leading)
            return s;
    return NULL;
}

typedef struct Names {
    LIST(const char *) list;
} Names;

static void names_of_scope(Check *c, const Scope *s, int limit, Names *to)
{
    for (int i = 0; i < s->binding.n && i < limit; i++)
        list_push(c->arena, &to->list, s->binding.at[i].name);
}

static void names_of_unit(Check *c, const Unit *u, Names *to)
{
    names_of_scope(c, u->scope, INT32_MAX, to);
    for (int i = 0; i < u->use.n; i++)
        names_of_scope(c, u->use.at[i]->scope, INT32_MAX, to);
    if (c->prelude)
        names_of_scope(c, c->prelude->scope, INT32_MAX, to);
}

const char *name_suggestion(Check *c, const char *name,
                            const char *const *among, int n)
{
    /* Of one or two letters everything is near. */
    const char *near = strlen(name) > 2 ? nearest_name(name, among, n) : NULL;

    return near ? arena_printf(c->arena, "; did you mean '%s'?", near) : "";
}

void name_unknown_in(Check *c, const Unit *u, const char *name, Span at)
{
    Names all = {{NULL, 0, 0}};

    names_of_scope(c, u->scope, INT32_MAX, &all);
    check_fail(c, at, "unknown-name", "'%s' has nothing called '%s'%s", u->name,
               name, name_suggestion(c, name, all.list.at, all.list.n));
}

/* The standard file with a function or struct of that name, or NULL. */
static const char *std_file_with(Check *c, const char *name)
{
    static const char *const kind[] = {"fn", "struct"};
    static const char after[] = "([ =";
    const char *file;

    for (int i = 0; (file = std_name(i)) != NULL; i++) {
        size_t len;
        const char *text = std_source(file, &len);

        for (int k = 0; k < 2 && strcmp(file, "prelude") != 0; k++) {
            const char *item = arena_printf(c->arena, "\n%s %s", kind[k], name);

            for (const char *p = strstr(text, item); p; p = strstr(p + 1, item))
                if (strchr(after, p[strlen(item)]))
                    return file;
        }
    }
    return NULL;
}

void name_std_hint(Check *c, const char *name)
{
    const char *file = std_file_with(c, name);
    size_t len;

    if (std_source(name, &len))
        check_detail(c,
                     "'use %s as %s;' puts the names of that file behind '%s.'",
                     name, name, name);
    else if (file)
        check_detail(c, "'use %s;' brings one from the standard library", file);
}

void name_unknown(Check *c, const Scope *s, const char *name, Span at)
{
    Names all = {{NULL, 0, 0}};
    const char *fixed[256];
    int limit = INT32_MAX, n;
    size_t len;
    Unit *unit = s->unit;

    for (; s; limit = s->up_limit, s = s->up)
        names_of_scope(c, s, limit, &all);
    names_of_unit(c, unit, &all);
    n = builtin_names(c, fixed, 256);
    for (int i = 0; i < n; i++)
        list_push(c->arena, &all.list, fixed[i]);
    const char *foreign = foreign_hint(name);
    check_fail(c, at, "unknown-name", "nothing here is called '%s'%s", name,
               foreign || std_file_with(c, name) || std_source(name, &len)
                   ? ""
                   : name_suggestion(c, name, all.list.at, all.list.n));
    if (foreign)
        check_detail(c, "%s", foreign);
    else
        name_std_hint(c, name);
}
