/* prebuilt.c: the store of compiled functions that is a part of nncc. */
#include <string.h>

#include "emit/prebuilt.h"

static PrebuiltHead head(void)
{
    PrebuiltHead h = {0};
    if (nncc_prebuilt_size)
        memcpy(&h, nncc_prebuilt, sizeof h);
    return h;
}

static PrebuiltRow row(int i)
{
    PrebuiltRow r;
    memcpy(&r, nncc_prebuilt + sizeof(PrebuiltHead) + (size_t)i * sizeof r,
           sizeof r);
    return r;
}

int prebuilt_count(void) { return (int)head().nrow; }

int prebuilt_find(const char *name)
{
    int first = 0, last = prebuilt_count();
    while (first < last) {
        int at = first + (last - first) / 2;
        int order = strcmp(name, nncc_prebuilt + row(at).name);
        if (!order)
            return at;
        if (order < 0)
            last = at;
        else
            first = at + 1;
    }
    return -1;
}

Object prebuilt_object(int i)
{
    return (Object){nncc_prebuilt + row(i).object, row(i).size};
}

void prebuilt_need(bool *need, int i)
{
    PrebuiltRow r = row(i);
    const char *at =
        nncc_prebuilt + sizeof(PrebuiltHead) + sizeof r * head().nrow;
    if (need[i])
        return;
    need[i] = true;
    for (uint32_t k = 0; k < r.nneed; k++) {
        uint32_t other;
        memcpy(&other, at + sizeof other * (r.need + k), sizeof other);
        prebuilt_need(need, (int)other);
    }
}

const char *prebuilt_name(Arena *a, const char *name, const char *level)
{
    return arena_printf(a, "%s-%s", name, level);
}

const char *prebuilt_of(Emit *e, const char *name)
{
    if (!e->level)
        return NULL;
    name = prebuilt_name(e->arena, name, e->level);
    return prebuilt_find(name) < 0 ? NULL : name;
}
