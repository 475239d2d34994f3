/* read.c: routines as words, and where each function is among them. */
#include "routine/routine.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static const char *skip_blank(const char *s)
{
    while (isspace((unsigned char)*s) || (s[0] == '/' && s[1] == '/'))
        s += *s == '/' ? strcspn(s, "\n") : 1;
    return s;
}

static size_t number_length(const char *s)
{
    size_t n = 0;
    while (is_word(s[n]) || s[n] == '.' || (s[n] == '-' && s[n - 1] == 'e'))
        n++;
    return n;
}

static size_t word_length(const char *s)
{
    static const char *const pair[] = {"<=", ">=", "==", "!=", "&&", "||",
                                       "+=", "-=", "*=", "/=", "++", "--"};
    size_t n = 0;
    if (isdigit((unsigned char)*s))
        return number_length(s);
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        if (strncmp(s, pair[i], 2) == 0)
            return 2;
    while (is_word(s[n]))
        n++;
    return n ? n : 1;
}

static void read_words(Routines *r)
{
    for (const char *s = skip_blank(routine_text); *s; s = skip_blank(s)) {
        size_t n = word_length(s);
        list_push(r->arena, &r->word, intern_n(r->names, s, n));
        s += n;
    }
    list_push(r->arena, &r->word, "");
}

int routine_after(const Routines *r, int open)
{
    for (int i = open, depth = 0; i < r->word.n - 1; i++) {
        char c = *r->word.at[i];
        depth += (c == '(' || c == '[' || c == '{') -
                 (c == ')' || c == ']' || c == '}');
        if (depth == 0)
            return i + 1;
    }
    die("a routine has no end");
}

/* Each is a type, a name, parameters in parentheses, a body in braces. */
static void find_functions(Routines *r)
{
    for (int i = 0; *r->word.at[i];) {
        int name = i + 1, open = i + 2;
        RoutineFn f = {.name = r->word.at[name], .at = i};
        f.body = routine_after(r, open);
        i = routine_after(r, f.body);
        f.end = i;
        list_push(r->arena, &r->fn, f);
    }
}

Routines *routines_new(Arena *a)
{
    Routines *r = NEW(a, Routines);
    r->arena = a;
    r->names = intern_new(a);
    read_words(r);
    find_functions(r);
    return r;
}

const RoutineFn *routine_named(const Routines *r, const char *name)
{
    for (int i = 0; i < r->fn.n; i++)
        if (strcmp(r->fn.at[i].name, name) == 0)
            return &r->fn.at[i];
    return NULL;
}
