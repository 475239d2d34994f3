/* archive.c: zip files, read and written. What an archive says of itself is
 * never trusted: each place is looked at before it is read. */
#include "archive.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    END = 22,     /* bytes of the end's record */
    LOCATOR = 20, /* before it, where something is larger than 32 bits hold: */
    END_64 = 56,  /* the place of this record */
    ENTRY = 46,   /* of an entry of the directory, less what is of any length */
    LOCAL = 30,   /* of a member's own header, likewise */
    EXTRA_64 = 1, /* the field that has 64-bit sizes */
    DEFLATED = 8, /* method */
    UTF_8 = 1 << 11, /* flag: of names */
    NEW_YEAR = 0x21, /* 1980-01-01, the first day there is */
};

#define LARGE UINT32_MAX /* see EXTRA_64 */

static uint64_t get(const unsigned char *at, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

/* Reading */

/* Is what begins at `from` and has n bytes before `end`. */
static bool fits(uint64_t from, uint64_t n, uint64_t end)
{
    return from <= end && n <= end - from;
}

/* Where the record of the end is, or -1: the last one whose comment ends the
 * file. */
static int64_t find_end(const unsigned char *at, size_t n)
{
    for (size_t back = END; back <= n && back <= END + UINT16_MAX; back++) {
        const unsigned char *p = at + n - back;
        if (!memcmp(p, "PK\5\6", 4) && get(p + 20, 2) == back - END)
            return (int64_t)(n - back);
    }
    return -1;
}

/* The record that has the sizes in 64 bits, where there is one. */
static const unsigned char *find_end_64(const unsigned char *at, uint64_t end)
{
    if (end < LOCATOR || memcmp(at + end - LOCATOR, "PK\6\7", 4) != 0)
        return NULL;
    uint64_t from = get(at + end - LOCATOR + 8, 8);
    if (!fits(from, END_64, end - LOCATOR))
        return NULL;
    return memcmp(at + from, "PK\6\6", 4) == 0 ? at + from : NULL;
}

const char *nncc_zip_open(nncc_zip *z, const unsigned char *at, size_t n)
{
    int64_t end = find_end(at, n);

    if (end < 0)
        return "it has no end of a zip file";
    const unsigned char *p = at + end, *large = find_end_64(at, (uint64_t)end);
    uint64_t size = large ? get(large + 40, 8) : get(p + 12, 4);
    *z = (nncc_zip){.at = at, .n = n};
    z->count = large ? get(large + 32, 8) : get(p + 10, 2);
    z->directory = large ? get(large + 48, 8) : get(p + 16, 4);
    if (!fits(z->directory, size, (uint64_t)end))
        return "its directory is not inside of it";
    z->next = at + z->directory;
    z->n = z->directory + size;
    return z->count <= size / ENTRY ? NULL : "its directory is cut short";
}

/* 64 bits of what the entry itself has no room for, in this order. */
static bool large_sizes(nncc_member *m, const unsigned char *at, size_t n)
{
    uint64_t *of[] = {&m->size, &m->packed, &m->offset};
    size_t next = 4;

    while (n >= 4 && get(at, 2) != EXTRA_64 && get(at + 2, 2) + 4 <= n) {
        size_t field = (size_t)get(at + 2, 2) + 4;
        at += field;
        n -= field;
    }
    size_t field = n >= 4 && get(at, 2) == EXTRA_64 ? get(at + 2, 2) + 4 : 0;
    for (int i = 0; i < 3; i++) {
        if (*of[i] != LARGE)
            continue;
        if (field > n || field < next + 8)
            return false;
        *of[i] = get(at + next, 8);
        next += 8;
    }
    return true;
}

const char *nncc_zip_next(nncc_zip *z, nncc_member *m)
{
    const unsigned char *p = z->next;
    uint64_t left = (uint64_t)(z->at + z->n - p);

    if (left < ENTRY || memcmp(p, "PK\1\2", 4) != 0)
        return "its directory is cut short";
    size_t name = (size_t)get(p + 28, 2), extra = (size_t)get(p + 30, 2);
    size_t all = ENTRY + name + extra + (size_t)get(p + 32, 2);
    if (left < all)
        return "its directory is cut short";
    *m = (nncc_member){.method = (unsigned)get(p + 10, 2),
                       .encrypted = get(p + 8, 2) & 1,
                       .crc = (uint32_t)get(p + 16, 4),
                       .packed = get(p + 20, 4),
                       .size = get(p + 24, 4),
                       .offset = get(p + 42, 4)};
    if (name == 0 || memchr(p + ENTRY, 0, name) ||
        !large_sizes(m, p + ENTRY + name, extra))
        return "a member has no name or size";
    m->name = calloc(name + 1, 1);
    if (!m->name)
        return "out of memory";
    memcpy(m->name, p + ENTRY, name);
    z->next = p + all;
    z->count--;
    return NULL;
}

/* To exactly n bytes from exactly m->packed. */
static bool inflate_all(const unsigned char *from, const nncc_member *m,
                        unsigned char *to)
{
    enum { MOST = 1 << 30 };
    uint64_t in = m->packed, out = m->size;
    z_stream s = {0};
    unsigned char none;
    int status = inflateInit2(&s, -MAX_WBITS);

    if (status != Z_OK)
        return false;
    while (status == Z_OK) {
        s.next_in = (unsigned char *)(uintptr_t)(from + (m->packed - in));
        s.next_out = out ? to + (m->size - out) : &none;
        uInt give = s.avail_in = in < MOST ? (uInt)in : MOST;
        uInt take = s.avail_out = out < MOST ? (uInt)out : MOST;
        status = inflate(&s, Z_NO_FLUSH);
        in -= give - s.avail_in;
        out -= take - s.avail_out;
        if (give == s.avail_in && take == s.avail_out && status == Z_OK)
            status = Z_BUF_ERROR;
    }
    inflateEnd(&s);
    return status == Z_STREAM_END && in == 0 && out == 0;
}

const char *nncc_zip_unpack(const nncc_zip *z, const nncc_member *m,
                            unsigned char *to)
{
    if (!fits(m->offset, LOCAL, z->directory) ||
        memcmp(z->at + m->offset, "PK\3\4", 4) != 0)
        return "is not where the directory says";
    const unsigned char *p = z->at + m->offset;
    uint64_t from = m->offset + LOCAL + get(p + 26, 2) + get(p + 28, 2);
    if (!fits(from, m->packed, z->directory))
        return "overlaps others in the archive";
    p = z->at + from;
    if (m->method == 0 && m->packed == m->size)
        memcpy(to, p, (size_t)m->size);
    else if (m->method != DEFLATED)
        return m->method ? "is packed in a way that is not known here"
                         : "is damaged in the archive";
    else if (!inflate_all(p, m, to))
        return "is damaged in the archive";
    return crc32_z(0, to, (size_t)m->size) == m->crc
               ? NULL
               : "is damaged in the archive";
}

/* Writing */

static unsigned char *more(nncc_zipping *z, nncc_zipped *to, size_t n)
{
    if (!z->failed && to->cap - to->n < n) {
        size_t cap = to->cap + to->cap / 2 + n + 64;
        unsigned char *at = cap > n ? realloc(to->at, cap) : NULL;
        z->failed = !at;
        if (at) {
            to->at = at;
            to->cap = cap;
        }
    }
    if (z->failed)
        return NULL;
    to->n += n;
    return to->at + to->n - n;
}

static void put(nncc_zipping *z, nncc_zipped *to, int bytes, uint64_t v)
{
    unsigned char *p = more(z, to, (size_t)bytes);

    for (int i = 0; p && i < bytes; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

static void put_bytes(nncc_zipping *z, nncc_zipped *to, const void *from,
                      size_t n)
{
    unsigned char *p = n ? more(z, to, n) : NULL;

    if (p)
        memcpy(p, from, n);
}

static uint64_t small(uint64_t v) { return v < LARGE ? v : LARGE; }

/* What both headers of a member have, from the version needed on; its extra
 * field is `wide` bytes. */
static void put_header(nncc_zipping *z, nncc_zipped *to, const nncc_member *m,
                       int wide)
{
    put(z, to, 2, wide ? 45 : 20);
    put(z, to, 2, UTF_8);
    put(z, to, 2, 0); /* as it is */
    put(z, to, 2, 0); /* at midnight */
    put(z, to, 2, NEW_YEAR);
    put(z, to, 4, m->crc);
    put(z, to, 4, small(m->packed));
    put(z, to, 4, small(m->size));
    put(z, to, 2, strlen(m->name));
    put(z, to, 2, (uint64_t)wide);
}

/* Of these numbers those that are large, behind a header. */
static void put_large(nncc_zipping *z, nncc_zipped *to, const uint64_t *v,
                      int n, int wide)
{
    if (!wide)
        return;
    put(z, to, 2, EXTRA_64);
    put(z, to, 2, (uint64_t)wide - 4);
    for (int i = 0; i < n; i++)
        if (v[i] >= LARGE)
            put(z, to, 8, v[i]);
}

static int width(const uint64_t *v, int n)
{
    int large = 0;

    for (int i = 0; i < n; i++)
        large += v[i] >= LARGE;
    return large ? 4 + 8 * large : 0;
}

void nncc_zip_add(nncc_zipping *z, const char *name, const void *bytes,
                  size_t n)
{
    nncc_member m = {.name = (char *)(uintptr_t)name,
                     .size = n,
                     .packed = n,
                     .offset = z->file.n,
                     .crc = (uint32_t)crc32_z(0, bytes, n)};
    uint64_t size[] = {m.size, m.packed, m.offset};
    nncc_zipped *file = &z->file, *directory = &z->directory;

    if (strlen(name) > UINT16_MAX) {
        z->failed = true;
        return;
    }
    put_bytes(z, file, "PK\3\4", 4);
    put_header(z, file, &m, width(size, 2));
    put_bytes(z, file, name, strlen(name));
    put_large(z, file, size, 2, width(size, 2));
    put_bytes(z, file, bytes, n);
    put_bytes(z, directory, "PK\1\2", 4);
    put(z, directory, 2, 45); /* of this version */
    put_header(z, directory, &m, width(size, 3));
    put(z, directory, 2, 0); /* no comment */
    put(z, directory, 8, 0); /* the only part; attributes */
    put(z, directory, 4, small(m.offset));
    put_bytes(z, directory, name, strlen(name));
    put_large(z, directory, size, 3, width(size, 3));
    z->count++;
}

static void put_end_64(nncc_zipping *z, uint64_t at, uint64_t size)
{
    nncc_zipped *to = &z->file;
    uint64_t here = to->n;

    put_bytes(z, to, "PK\6\6", 4);
    put(z, to, 8, END_64 - 12);
    put(z, to, 4, 45 | 45 << 16);
    put(z, to, 8, 0);
    put(z, to, 8, z->count);
    put(z, to, 8, z->count);
    put(z, to, 8, size);
    put(z, to, 8, at);
    put_bytes(z, to, "PK\6\7", 4);
    put(z, to, 4, 0);
    put(z, to, 8, here);
    put(z, to, 4, 1);
}

void nncc_zip_end(nncc_zipping *z)
{
    nncc_zipped *to = &z->file;
    uint64_t at = to->n, size = z->directory.n;
    uint64_t count = z->count < UINT16_MAX ? z->count : UINT16_MAX;

    put_bytes(z, to, z->directory.at, z->directory.n);
    if (at >= LARGE || size >= LARGE || z->count >= UINT16_MAX)
        put_end_64(z, at, size);
    put_bytes(z, to, "PK\5\6", 4);
    put(z, to, 4, 0);
    put(z, to, 2, count);
    put(z, to, 2, count);
    put(z, to, 4, small(size));
    put(z, to, 4, small(at));
    put(z, to, 2, 0);
    free(z->directory.at);
    if (z->failed)
        free(to->at);
}
