/* arena.c: memory that is freed all at once; lists and strings that grow in
 * it. */

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, CHUNK = 1 << 12, MAX_CHUNK = 1 << 22 };

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *next;
    bool single; /* one large block */
};

struct Arena {
    Chunk *chunks;
    char *at, *end; /* what is left of the newest chunk */
    size_t chunk, used;
};

static size_t rounded(size_t n)
{
    return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

Arena *arena_new(void)
{
    Arena *a = calloc(1, sizeof *a);

    if (!a)
        die("out of memory");
    a->chunk = CHUNK;
    return a;
}

void arena_free(Arena *a)
{
    Chunk *c = a ? a->chunks : NULL;

    while (c) {
        Chunk *next = c->next;

        free(c);
        c = next;
    }
    free(a);
}

static char *new_chunk(Arena *a, size_t payload, bool single)
{
    size_t head = rounded(sizeof(Chunk));
    Chunk *c = payload <= SIZE_MAX - head ? calloc(1, head + payload) : NULL;

    if (!c)
        die("out of memory (%zu bytes)", payload);
    c->single = single;
    c->next = a->chunks;
    a->chunks = c;
    return (char *)c + head;
}

void *arena_alloc(Arena *a, size_t bytes)
{
    char *p;

    if (bytes > SIZE_MAX / 2)
        die("out of memory (%zu bytes)", bytes);
    bytes = rounded(bytes ? bytes : 1);
    a->used += bytes;
    if (bytes > (size_t)(a->end - a->at)) {
        if (bytes > a->chunk / 4)
            return new_chunk(a, bytes, true);
        a->at = new_chunk(a, a->chunk, false);
        a->end = a->at + a->chunk;
        if (a->chunk < MAX_CHUNK)
            a->chunk *= 2;
    }
    p = a->at;
    a->at += bytes;
    return p;
}

void arena_drop(Arena *a, void *p)
{
    size_t head = rounded(sizeof(Chunk));

    for (Chunk **c = &a->chunks; p && *c; c = &(*c)->next) {
        Chunk *own = *c;

        if ((char *)own + head != p || !own->single)
            continue;
        *c = own->next;
        free(own);
        return;
    }
}

void *arena_copy(Arena *a, const void *from, size_t bytes)
{
    void *to = arena_alloc(a, bytes);

    if (bytes)
        memcpy(to, from, bytes);
    return to;
}

char *arena_vprintf(Arena *a, const char *fmt, va_list ap)
{
    va_list again;
    int n;
    char *s;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        die("bad format: %s", fmt);
    s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    return s;
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

size_t arena_used(const Arena *a) { return a->used; }

char *real_digits(Arena *a, double v, bool f32, int least)
{
    char s[40];

    for (int n = least; n <= 17; n++) {
        double back;

        snprintf(s, sizeof s, "%.*g", n, v);
        back = strtod(s, NULL);
        if (f32 ? (float)back == (float)v : back == v)
            break;
    }
    return arena_copy(a, s, strlen(s) + 1);
}

void *list_grow(Arena *a, void *at, int *cap, size_t size)
{
    int old = *cap;
    void *to;

    if (old > INT32_MAX / 2)
        die("a list of more than %d elements", old);
    *cap = old ? old * 2 : 8;
    to = arena_alloc(a, size * (size_t)*cap);
    if (old)
        memcpy(to, at, size * (size_t)old);
    return to;
}

Str str_new(Arena *a) { return (Str){.arena = a, .at = NEWN(a, char, 1)}; }

static void str_reserve(Str *s, size_t more)
{
    char *to;

    if (s->n + more + 1 <= s->cap)
        return;
    s->cap = (s->n + more + 1) * 2;
    to = arena_alloc(s->arena, s->cap);
    if (s->n)
        memcpy(to, s->at, s->n);
    s->at = to;
}

void str_add(Str *s, const char *bytes, size_t n)
{
    str_reserve(s, n);
    if (n)
        memcpy(s->at + s->n, bytes, n);
    s->n += n;
    s->at[s->n] = '\0';
}

void str_printf(Str *s, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        die("bad format: %s", fmt);
    str_reserve(s, (size_t)n);
    vsnprintf(s->at + s->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    s->n += (size_t)n;
}

void str_json(Str *s, const char *text)
{
    str_printf(s, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_printf(s, "\\");
        if ((unsigned char)*text < ' ' || *text == 127)
            str_printf(s, "\\u%04x", *text);
        else
            str_add(s, text, 1);
    }
    str_printf(s, "\"");
}

void str_words(Str *s, int n, const char *const *word, const char *before,
               const char *last, const char *after)
{
    for (int i = 0; i < n; i++)
        str_printf(s, "%s%s%s%s",
                   i == 0      ? ""
                   : i + 1 < n ? ", "
                               : last,
                   before, word[i], after);
}

void str_sizes(Str *s, int n, const int64_t *at)
{
    for (int i = 0; i < n; i++)
        str_printf(s, "%s%lld%s", i ? ", " : "[", (long long)at[i],
                   i + 1 < n ? "" : "]");
}

void str_element(Str *s, int rank, const int64_t *size, int64_t number)
{
    int64_t *at = NEWN(s->arena, int64_t, rank + 1);

    for (int i = rank; i-- > 0; number /= size[i])
        at[i] = number % size[i];
    str_sizes(s, rank, at);
}

char *read_stream(Arena *a, FILE *f, size_t limit, size_t *n)
{
    Str s = str_new(a);
    char block[65536];
    size_t got;

    while (s.n <= limit && (got = fread(block, 1, sizeof block, f)) > 0)
        str_add(&s, block, got);
    *n = s.n;
    return s.n ? s.at : arena_printf(a, "%s", "");
}
