/* intern.c: one pointer for each distinct string. */

#include "base/base.h"

#include <string.h>

typedef struct Entry {
    size_t n;
    char text[];
} Entry;

struct Intern {
    Arena *arena;
    Map entries;
};

Intern *intern_new(Arena *a)
{
    Intern *t = NEW(a, Intern);

    t->arena = a;
    return t;
}

const char *intern_n(Intern *t, const char *s, size_t n)
{
    uint64_t hash = hash_bytes(HASH_SEED, s, n);
    Entry *e;

    for (size_t seen = 0; (e = map_next(&t->entries, hash, &seen));)
        if (e->n == n && (n == 0 || memcmp(e->text, s, n) == 0))
            return e->text;
    e = arena_alloc(t->arena, sizeof *e + n + 1);
    e->n = n;
    if (n)
        memcpy(e->text, s, n);
    map_put(t->arena, &t->entries, hash, e);
    return e->text;
}

const char *intern(Intern *t, const char *s)
{
    return intern_n(t, s, strlen(s));
}
