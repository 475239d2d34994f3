/* memory.c: allocation that reports its failures. */
#define _DEFAULT_SOURCE /* madvise */
#include "nn_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MANY_PAGES = 4 << 20 };

/* Rows of a large array are read in any order, each from a page of its own: of
 * huge pages the processor knows where all are. Where there are none it does
 * without. */
static void prefer_huge_pages(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)p + bytes) & ~(page - 1);

    if (bytes >= MANY_PAGES)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)p, (void)bytes;
#endif
}

void *nncc_alloc(size_t count, size_t size, const char *what)
{
    void *p = calloc(count ? count : 1, size);

    if (p)
        prefer_huge_pages(p, count * size);
    else
        nncc_fail_memory(
            size && count > SIZE_MAX / size ? SIZE_MAX : count * size, what);
    return p;
}

void *nncc_alloc_aligned(size_t bytes, const char *what)
{
    if (bytes > PTRDIFF_MAX - 64) {
        nncc_fail_memory(bytes, what);
        return NULL;
    }
    size_t n = bytes ? (bytes + 63) / 64 * 64 : 64;
    void *p = aligned_alloc(64, n);

    if (!p) {
        nncc_fail_memory(bytes, what);
        return NULL;
    }
    prefer_huge_pages(p, n);
    return memset(p, 0, n);
}

char *nncc_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = nncc_alloc(n, 1, "a name");

    return p ? memcpy(p, s, n) : NULL;
}

static bool text_grow(nncc_text *t, size_t more)
{
    if (t->n + more + 1 <= t->cap)
        return true;
    size_t cap = 2 * (t->n + more + 128);
    char *at = realloc(t->at, cap);

    if (!at) {
        nncc_fail_memory(cap, "text");
        t->failed = true;
        return false;
    }
    t->at = at;
    t->cap = cap;
    return true;
}

void nncc_text_printf(nncc_text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || t->failed || !text_grow(t, (size_t)n))
        return;
    va_start(ap, fmt);
    vsnprintf(t->at + t->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    t->n += (size_t)n;
}
