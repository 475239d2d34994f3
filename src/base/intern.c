/* intern.c: one pointer for each distinct string. */

#include "base/base.h"

#include <string.h>

typedef struct Entry {
    const char *text;
    size_t n;
    uint64_t hash;
} Entry;

struct Intern {
    Arena *arena;
    Entry *slot; /* open addressing, cap a power of two */
    size_t cap, count;
};

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ c[i]) * UINT64_C(1099511628211);
    return h;
}

Intern *intern_new(Arena *a)
{
    Intern *t = NEW(a, Intern);

    t->arena = a;
    t->cap = 256;
    t->slot = NEWN(a, Entry, t->cap);
    return t;
}

static Entry *find(const Intern *t, uint64_t hash, const char *s, size_t n)
{
    size_t i = hash & (t->cap - 1);

    while (t->slot[i].text && (t->slot[i].hash != hash || t->slot[i].n != n ||
                               memcmp(t->slot[i].text, s, n) != 0))
        i = (i + 1) & (t->cap - 1);
    return &t->slot[i];
}

static void grow(Intern *t)
{
    Entry *old = t->slot;
    size_t cap = t->cap;

    t->cap *= 2;
    t->slot = NEWN(t->arena, Entry, t->cap);
    for (size_t i = 0; i < cap; i++)
        if (old[i].text)
            *find(t, old[i].hash, old[i].text, old[i].n) = old[i];
    arena_drop(t->arena, old);
}

const char *intern_n(Intern *t, const char *s, size_t n)
{
    uint64_t hash = hash_bytes(HASH_SEED, s, n);
    Entry *e = find(t, hash, s, n);
    char *copy;

    if (e->text)
        return e->text;
    if (t->count * 2 >= t->cap) {
        grow(t);
        e = find(t, hash, s, n);
    }
    copy = arena_alloc(t->arena, n + 1);
    if (n)
        memcpy(copy, s, n);
    *e = (Entry){copy, n, hash};
    t->count++;
    return copy;
}

const char *intern(Intern *t, const char *s)
{
    return intern_n(t, s, strlen(s));
}
