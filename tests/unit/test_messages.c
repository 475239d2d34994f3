/* test_messages.c: every message of the front end has a wrong program: it
 * stands in an expected output of golden/, or a test names it. Run in the
 * repository's folder. */
#include "base/base.h"
#include "suite.h"

#include <check.h>
#include <ctype.h>
#include <glob.h>
#include <string.h>

static Arena *arena;

/* All files of a pattern, one after another. */
static void add_files(Str *to, const char *pattern)
{
    glob_t g;

    ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++)
        str_printf(to, "%s\n", file_text(arena, g.gl_pathv[i]));
    globfree(&g);
}

/* Messages in the source: check_fail(…, "kind", "text"…), diag(…, "kind",
 * "text"…)
 */

typedef struct Message {
    const char *file, *kind, *text;
} Message;

static LIST(Message) message;

static const char *skip_blanks(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return s;
}

/* The C string at s, those that follow it joined to it; *end: after it. */
static const char *c_string(const char *s, const char **end)
{
    Str to = str_new(arena);

    str_add(&to, "", 0);
    while (*s == '"') {
        for (s++; *s && *s != '"'; s++) {
            if (*s == '\\')
                s++;
            str_add(&to, s[-1] == '\\' && *s == 'n' ? "\n" : s, 1);
        }
        s = skip_blanks(*s ? s + 1 : s);
    }
    *end = s;
    return to.at;
}

static bool is_kind(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz-") == strlen(s);
}

/* The call whose arguments begin at s: its first two strings. */
static void take_call(const char *file, const char *s)
{
    const char *text[2] = {NULL, NULL};
    int depth = 1, n = 0;

    while (*s && depth > 0 && n < 2) {
        if (*s == '"') {
            text[n++] = c_string(s, &s);
            continue;
        }
        depth += (*s == '(') - (*s == ')');
        s++;
    }
    if (n == 2 && is_kind(text[0])) {
        text[1] =
            arena_printf(arena, "%.*s", (int)strcspn(text[1], "\n"), text[1]);
        list_push(arena, &message, ((Message){file, text[0], text[1]}));
    }
}

static void take_calls(const char *file, const char *call)
{
    const char *text = file_text(arena, file);
    size_t n = strlen(call);

    for (const char *s = text; (s = strstr(s, call)); s += n)
        if (s > text && !isalnum((unsigned char)s[-1]) && s[-1] != '_')
            take_call(file, s + n);
}

static void take_files(const char *pattern)
{
    glob_t g;

    ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        const char *file = arena_printf(arena, "%s", g.gl_pathv[i]);
        take_calls(file, "check_fail(");
        take_calls(file, "check_refuse(");
        take_calls(file, "check_none(");
        take_calls(file, "diag(");
    }
    globfree(&g);
}

/* Whether the format could have made the beginning of the line s. */
static bool made(const char *format, const char *s)
{
    for (; *format; format++, s++) {
        if (*format == '%' && format[1] == '%')
            format++;
        else if (*format == '%') {
            format += 1 + strcspn(format + 1, "sdiuxgc");
            for (; *s && *s != '\n'; s++)
                if (made(format + 1, s))
                    return true;
            return format[1] == 0;
        }
        if (*format != *s)
            return false;
    }
    return true;
}

static bool in_golden(const char *text, const Message *m)
{
    static const char mark[] = "error: ";
    const char *kind = arena_printf(arena, "[%s]", m->kind);

    for (; (text = strstr(text, mark)); text++) {
        const char *s = text + sizeof mark - 1;
        size_t n = strcspn(s, "\n"), k = strlen(kind);
        if (n > k && !strncmp(s + n - k, kind, k) && made(m->text, s))
            return true;
    }
    return false;
}

/* The longest piece of the format without a directive. */
static const char *piece(const char *format)
{
    const char *best = "";

    while (*format) {
        size_t n = strcspn(format, "%");
        if (n > strlen(best))
            best = arena_printf(arena, "%.*s", (int)n, format);
        format += n;
        if (*format)
            format += 1 + strcspn(format + 1, "sdiuxgc%") + 1;
    }
    return best;
}

/* Messages that guard what other rules make sure of: no program is known that
 * gets them. */
static const char *const guards[] = {
    "'%s' cannot be applied to a whole %s",
    "the elements of '%s' have one type",
    "'%s' has no parameter types of its own",
    "'%s' is not given, so there is no derivative by it",
};

static bool is_guard(const Message *m)
{
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
        if (!strcmp(guards[i], m->text))
            return true;
    return false;
}

START_TEST(each_message_has_a_case)
{
    Str golden, tests, missing;

    arena = arena_new();
    golden = str_new(arena);
    tests = str_new(arena);
    missing = str_new(arena);
    str_add(&missing, "", 0);
    take_files("src/check/*.c");
    take_files("src/syntax/*.c");
    add_files(&golden, "tests/golden/*.err");
    add_files(&tests, "tests/unit/*.c");
    add_files(&tests, "tests/e2e/*.sh");
    ck_assert_int_gt(message.n, 200);
    for (int i = 0; i < message.n; i++) {
        const Message *m = &message.at[i];
        if (!is_guard(m) && !in_golden(golden.at, m) &&
            !strstr(tests.at, piece(m->text)))
            str_printf(&missing, "\n%s: %s [%s]", m->file, m->text, m->kind);
    }
    ck_assert_msg(missing.n == 0, "no wrong program for%s", missing.at);
    arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("messages");
    TCase *t = tcase_create("messages");

    tcase_add_test(t, each_message_has_a_case);
    suite_add_tcase(s, t);
    return run_suite(s);
}
