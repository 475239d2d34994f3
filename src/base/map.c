/* map.c: hash tables by open addressing, at most half full. */

#include "base/base.h"

/* Empty where it holds nothing, and where it is of another epoch: what was put
 * before the map was cleared. */
struct MapSlot {
    uint32_t hash, epoch;
    void *what;
};

static uint32_t fold(uint64_t hash) { return (uint32_t)(hash ^ hash >> 32); }

static bool is_full(const Map *m, const MapSlot *s)
{
    return s->what && s->epoch == m->epoch;
}

static void place(Map *m, MapSlot s)
{
    size_t last = m->cap - 1, i = s.hash & last;

    while (is_full(m, &m->slot[i]))
        i = (i + 1) & last;
    m->slot[i] = s;
}

static void grow(Arena *a, Map *m)
{
    Map old = *m;

    m->cap = old.cap ? 2 * old.cap : 32;
    m->slot = NEWN(a, MapSlot, m->cap);
    for (size_t i = 0; i < old.cap; i++)
        if (is_full(&old, &old.slot[i]))
            place(m, old.slot[i]);
    arena_drop(a, old.slot);
}

void map_put(Arena *a, Map *m, uint64_t hash, void *what)
{
    if (2 * (m->n + 1) > m->cap)
        grow(a, m);
    place(m, (MapSlot){fold(hash), m->epoch, what});
    m->n++;
}

void *map_next(const Map *m, uint64_t hash, size_t *seen)
{
    uint32_t h = fold(hash);

    while (m->cap) {
        const MapSlot *s = &m->slot[(h + (*seen)++) & (m->cap - 1)];

        if (!is_full(m, s))
            break;
        if (s->hash == h)
            return s->what;
    }
    return NULL;
}

void map_put_int(Arena *a, Map *m, uint64_t hash, int i)
{
    map_put(a, m, hash, (void *)((intptr_t)i + 1));
}

int map_next_int(const Map *m, uint64_t hash, size_t *seen)
{
    return (int)((intptr_t)map_next(m, hash, seen) - 1);
}

typedef struct Keyed {
    const void *key;
    void *what;
} Keyed;

static Keyed *keyed(const Map *m, const void *key)
{
    uint64_t h = hash_pointer(HASH_SEED, key);
    Keyed *k;

    for (size_t seen = 0; (k = map_next(m, h, &seen));)
        if (k->key == key)
            break;
    return k;
}

void map_set(Arena *a, Map *m, const void *key, void *what)
{
    Keyed *k = keyed(m, key);

    if (!k) {
        k = NEW(a, Keyed);
        k->key = key;
        map_put(a, m, hash_pointer(HASH_SEED, key), k);
    }
    k->what = what;
}

void *map_of(const Map *m, const void *key)
{
    const Keyed *k = keyed(m, key);

    return k ? k->what : NULL;
}

void map_set_int(Arena *a, Map *m, const void *key, int i)
{
    map_set(a, m, key, (void *)((intptr_t)i + 1));
}

int map_of_int(const Map *m, const void *key)
{
    return (int)((intptr_t)map_of(m, key) - 1);
}

void map_clear(Map *m)
{
    m->epoch++;
    m->n = 0;
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ c[i]) * UINT64_C(1099511628211);
    return h;
}

uint64_t hash_mix(uint64_t h, uint64_t v)
{
    h ^= v + UINT64_C(0x9e3779b97f4a7c15) + (h << 6) + (h >> 2);
    h ^= h >> 31;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 29;
}

uint64_t hash_pointer(uint64_t h, const void *p)
{
    return hash_mix(h, (uint64_t)(uintptr_t)p);
}
