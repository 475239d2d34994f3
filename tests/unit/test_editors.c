/* test_editors.c: the editors' files are JSON where they say so, and know
 * every word that the compiler knows but for functions: those are what is
 * called. Run in the repository's folder. */
#include "check/builtin.h"
#include "check/check_internal.h"
#include "suite.h"

#include <check.h>
#include <ctype.h>
#include <jansson.h>
#include <string.h>

#define CODE "docs/editors/vscode/"

enum { MAX_WORDS = 400 };

static Arena *arena;

static void setup(void) { arena = arena_new(); }

static void teardown(void) { arena_free(arena); }

static const char *const json_files[] = {
    CODE "package.json",
    CODE "language-configuration.json",
    CODE "syntaxes/nn.tmLanguage.json",
};

START_TEST(json_is_valid)
{
    json_error_t error;
    json_t *j = json_load_file(json_files[_i], 0, &error);

    ck_assert_msg(j != NULL, "%s:%d: %s", json_files[_i], error.line,
                  error.text);
    json_decref(j);
}
END_TEST

/* What package.json names is there. */
START_TEST(package_is_whole)
{
    json_t *j = json_load_file(CODE "package.json", 0, NULL);
    json_t *of = json_object_get(j, "contributes");
    json_t *language = json_array_get(json_object_get(of, "languages"), 0);
    json_t *grammar = json_array_get(json_object_get(of, "grammars"), 0);
    const char *const path[] = {
        json_string_value(json_object_get(language, "configuration")),
        json_string_value(json_object_get(grammar, "path")),
    };

    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(path[i]);
        file_text(arena, arena_printf(arena, CODE "%s", path[i]));
    }
    json_decref(j);
}
END_TEST

/* The word stands in a list of words: `… word …`, `(…|word|…)`. */
static bool lists(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = text; (at = strstr(at, word)); at += n) {
        unsigned char before = at > text ? (unsigned char)at[-1] : ' ';
        unsigned char after = (unsigned char)at[n];
        bool list = strchr("(| \n", before) && strchr(")| \n", after);
        if (list && !isalnum(after) && after)
            return true;
    }
    return false;
}

/* Only the lines that list words count. */
static char *lines_with(const char *text, const char *mark)
{
    Str s = str_new(arena);

    str_add(&s, "", 0);
    while (*text) {
        size_t n = strcspn(text, "\n");
        char *line = arena_printf(arena, "%.*s\n", (int)n, text);
        if (strstr(line, mark))
            str_printf(&s, "%s", line);
        text += n + (text[n] != 0);
    }
    return s.at;
}

/* The words that the scanner has rules for: lines `"word" …` of its rules. */
static int scanner_words(const char **to, int max)
{
    const char *at = file_text(arena, "grammar/nn.l");
    int n = 0;

    while ((at = strstr(at, "\n\"")) && n < max) {
        size_t len = strcspn(at + 2, "\"");
        if (len > 0 && strspn(at + 2, "abcdefghijklmnopqrstuvwxyz") == len)
            to[n++] = arena_printf(arena, "%.*s", (int)len, at + 2);
        at += 2;
    }
    return n;
}

/* Modes of differentiation, constants and remat. */
static int builtin_words(const char **to, int max)
{
    Check c = {.arena = arena, .names = intern_new(arena)};
    const char *name[MAX_WORDS];
    int all = builtin_names(&c, name, MAX_WORDS), n = 0;

    ck_assert_int_lt(all, MAX_WORDS);
    for (int i = 0; i < all && n < max; i++)
        if (!builtin_find(&c, name[i]) && strcmp(name[i], "einsum") != 0)
            to[n++] = name[i];
    return n;
}

static const char *const others[] = {"real", "f32",  "f64",   "int",
                                     "i64",  "u8",   "bool",  "key",
                                     "fold", "scan", "until", "init"};

enum { NOTHERS = sizeof others / sizeof *others };

START_TEST(words_are_known)
{
    const char *vim = lines_with(
        file_text(arena, "docs/editors/vim/syntax/nn.vim"), "keyword nn");
    const char *code = lines_with(
        file_text(arena, CODE "syntaxes/nn.tmLanguage.json"), "\"match\"");
    const char *word[MAX_WORDS];
    Str missing = str_new(arena);
    int n = scanner_words(word, MAX_WORDS);

    str_add(&missing, "", 0);
    ck_assert_int_ge(n, 13);
    n += builtin_words(word + n, MAX_WORDS - n - NOTHERS);
    ck_assert_int_lt(n, MAX_WORDS - NOTHERS);
    memcpy(word + n, others, sizeof others);
    n += NOTHERS;
    for (int i = 0; i < n; i++) {
        if (!lists(vim, word[i]))
            str_printf(&missing, " vim:%s", word[i]);
        if (!lists(code, word[i]))
            str_printf(&missing, " vscode:%s", word[i]);
    }
    ck_assert_msg(missing.n == 0, "docs/editors lacks%s", missing.at);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("editors");
    TCase *t = tcase_create("editors");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, json_is_valid, 0, 3);
    tcase_add_test(t, package_is_whole);
    tcase_add_test(t, words_are_known);
    suite_add_tcase(s, t);
    return run_suite(s);
}
