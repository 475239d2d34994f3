/* names.c: identifiers of C from names of the language. */
#include <stdlib.h>
#include <string.h>

#include "emit/face.h"

/* Keywords of C and C++, macros and type names of the headers included; sorted
 * by strcmp. */
static const char *const reserved[] = {
    "INT32_MAX",
    "INT64_MAX",
    "NAN",
    "NN_ABI_2_H",
    "NN_ABI_MAGIC",
    "NN_ABI_VERSION",
    "NN_ALIGN",
    "NN_ASSERT",
    "NN_RESTRICT",
    "NN_SYMBOL",
    "NN_WORKSPACE",
    "NULL",
    "SIZE_MAX",
    "_Alignas",
    "_Alignof",
    "_Atomic",
    "_Bool",
    "_Complex",
    "_Generic",
    "_Imaginary",
    "_Noreturn",
    "_Static_assert",
    "_Thread_local",
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "i386",
    "if",
    "inline",
    "int",
    "int32_t",
    "int64_t",
    "linux",
    "long",
    "mutable",
    "namespace",
    "new",
    "nn_error",
    "nn_exec",
    "nn_module",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "ptrdiff_t",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "size_t",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "typeof_unqual",
    "uint64_t",
    "uint8_t",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
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

static const char **name_slot(const NameSet *s, const char *name)
{
    uint64_t h = hash_bytes(HASH_SEED, name, strlen(name));
    int mask = s->cap - 1;
    int i = (int)(h & (uint64_t)mask);
    while (s->at[i] && strcmp(s->at[i], name) != 0)
        i = (i + 1) & mask;
    return &s->at[i];
}

static void names_grow(NameSet *s)
{
    NameSet old = *s;
    s->cap = old.cap ? 2 * old.cap : 16;
    s->at = NEWN(s->arena, const char *, s->cap);
    for (int i = 0; i < old.cap; i++)
        if (old.at[i])
            *name_slot(s, old.at[i]) = old.at[i];
}

const char *name_claim(NameSet *s, const char *name)
{
    if (2 * s->n >= s->cap)
        names_grow(s);
    while (is_reserved(name) || *name_slot(s, name))
        name = arena_printf(s->arena, "%s_", name);
    *name_slot(s, name) = name;
    s->n++;
    return name;
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
