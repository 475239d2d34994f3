/* names.c: identifiers of C from names of the language. */
#include <stdlib.h>
#include <string.h>

#include "artefact/interface.h"

/* What else is reserved: less common words of C and C++, macros and type names
 * of the headers included; sorted by strcmp. */
static const char *const reserved[] = {
    "INT32_MAX",      "INT64_MAX",     "NAN",
    "NN_ABI_2_H",     "NN_ABI_MAGIC",  "NN_ABI_VERSION",
    "NN_ALIGN",       "NN_ASSERT",     "NN_RESTRICT",
    "NN_SYMBOL",      "NN_WORKSPACE",  "NULL",
    "SIZE_MAX",       "_Alignas",      "_Alignof",
    "_Atomic",        "_Bool",         "_Complex",
    "_Generic",       "_Imaginary",    "_Noreturn",
    "_Static_assert", "_Thread_local", "and",
    "and_eq",         "bitand",        "bitor",
    "char16_t",       "char32_t",      "char8_t",
    "co_await",       "co_return",     "co_yield",
    "compl",          "concept",       "const_cast",
    "consteval",      "constinit",     "dynamic_cast",
    "i386",           "int32_t",       "int64_t",
    "linux",          "nn_error",      "nn_exec",
    "nn_fit",         "nn_module",     "not",
    "not_eq",         "offsetof",      "or",
    "or_eq",          "ptrdiff_t",     "reinterpret_cast",
    "requires",       "size_t",        "static_assert",
    "static_cast",    "thread_local",  "typeof",
    "typeof_unqual",  "uint64_t",      "uint8_t",
    "unix",           "wchar_t",       "xor",
    "xor_eq",
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

static bool is_reserved(const char *name)
{
    return bsearch(name, reserved, sizeof reserved / sizeof *reserved,
                   sizeof *reserved, by_name) != NULL;
}

static uint64_t name_hash(const char *name)
{
    return hash_bytes(HASH_SEED, name, strlen(name));
}

static bool is_taken(const NameSet *s, const char *name)
{
    const char *x;
    for (size_t seen = 0; (x = map_next(&s->taken, name_hash(name), &seen));)
        if (strcmp(x, name) == 0)
            return true;
    return false;
}

const char *name_claim(NameSet *s, const char *name)
{
    char *own;
    while (name_is_keyword(name) || is_reserved(name) || is_taken(s, name))
        name = arena_printf(s->arena, "%s_", name);
    own = arena_copy(s->arena, name, strlen(name) + 1);
    map_put(s->arena, &s->taken, name_hash(own), own);
    return own;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

const char *name_of(Arena *a, const char *text)
{
    char *to = arena_alloc(a, strlen(text) + 1);
    size_t n = 0;
    bool gap = false;
    for (; *text; text++) {
        if (!is_word(*text)) {
            gap = n > 0;
            continue;
        }
        if (gap)
            to[n++] = '_';
        gap = false;
        to[n++] = *text;
    }
    return to;
}
