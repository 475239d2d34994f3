/* test_toml.c: files of settings. */

#include "cli/toml.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static Arena *arena;

static void setup(void) { arena = arena_new(); }
static void teardown(void) { arena_free(arena); }

/* Its entries as "key:text key:text", or what is wrong. */
static const char *read_text(const char *text)
{
    Toml t = {0};
    Str s = str_new(arena);
    const char *error = toml_read(arena, text, &t);

    for (int i = 0; i < t.n && !error; i++)
        str_printf(&s, "%s%s:%s%s", i ? " " : "", t.at[i].key,
                   t.at[i].kind == TOML_string ? "'" : "", t.at[i].text);
    return error ? error : s.at;
}

static const char *const right[][2] = {
    {"", ""},
    {"# nothing\n\n\t\r\n", ""},
    {"a = 1", "a:1"},
    {"a=-0.50e-3 # b = 2\r\nb_-9 = true", "a:-0.50e-3 b_-9:true"},
    {"a = \"x \\\"y\\\" \\u00e9 # =\"", "a:'x \"y\" é # ="},
    {"a = 'C:\\n'\n", "a:'C:\\n"},
    {"a = [1, \"b\",\n 2.5]\nc = false", "a:1 a:'b a:2.5 c:false"},
    {"a = []\nb = 1", "b:1"},
    {"[t]\na = 1\n [u.v] # more\nb.c = 2", "t.a:1 u.v.b.c:2"},
    {"a . b = 1", "a.b:1"},
};

START_TEST(what_is_read)
{
    ck_assert_str_eq(read_text(right[_i][0]), right[_i][1]);
}
END_TEST

static const char *const wrong[][2] = {
    {"a", "1: expected '=' after 'a'"},
    {"a = 1\n\n= 2", "3: expected a name of letters, digits, '_' and '-'"},
    {"a = [\n1,\n2]\na = 2", "4: 'a' is there twice"},
    {"[t]\n[t]", "2: 't.' is there twice"},
    {"[t", "1: expected ']' after '[t'"},
    {"a = 1 2", "1: the line should end before '2'"},
    {"a = 1_000", "1: the line should end before '_000'"},
    {"a = 'b", "1: this string does not end in its line"},
    {"a = \"b", "1: expected a string in one line, a decimal number, true, "
                "false, or an array of such"},
    {"a = nan", "1: expected a string in one line, a decimal number, true, "
                "false, or an array of such"},
    {"a = {\"b\": 1}", "1: expected a string in one line, a decimal number, "
                       "true, false, or an array of such"},
    {"a = [[1]]", "1: expected a string in one line, a decimal number, true, "
                  "false, or an array of such"},
};

START_TEST(what_is_refused)
{
    ck_assert_str_eq(read_text(wrong[_i][0]), wrong[_i][1]);
}
END_TEST

START_TEST(strings_come_back)
{
    char text[256];
    Str s = str_new(arena);

    for (int i = 1; i < 128; i++)
        text[i - 1] = (char)i;
    text[127] = 0;
    str_printf(&s, "a = ");
    str_json(&s, text);
    ck_assert_str_eq(read_text(s.at), arena_printf(arena, "a:'%s", text));
}
END_TEST

START_TEST(numbers)
{
    ck_assert(toml_is_number("0.5") && toml_is_number("-1e-3"));
    ck_assert(!toml_is_number("1/255") && !toml_is_number("0x1") &&
              !toml_is_number("") && !toml_is_number("2:14"));
}
END_TEST

/* Files of which bytes are others end, with entries or a message. */
START_TEST(damaged)
{
    static const char bytes[] = "\n\r\t \"'[]{}=.#,\\0-9eatru\x01\xff\xc3\x80";
    uint64_t h = HASH_SEED;

    for (int i = 0; i < 20000; i++) {
        const char *from = right[i % (int)(sizeof right / sizeof *right)][0];
        char *text = arena_printf(arena, "[x]\n%s\ny = [1, 'z']", from);
        for (int k = 0; k < 3; k++) {
            h = hash_mix(h, (uint64_t)i);
            text[h % strlen(text)] = bytes[(h >> 32) % (sizeof bytes - 1)];
        }
        ck_assert_ptr_nonnull(read_text(text));
        if (i % 500 == 0) {
            arena_free(arena);
            arena = arena_new();
        }
    }
}
END_TEST

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *s = suite_create("toml");
    TCase *t = tcase_create("toml");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, what_is_read, 0, LENGTH(right));
    tcase_add_loop_test(t, what_is_refused, 0, LENGTH(wrong));
    tcase_add_test(t, strings_come_back);
    tcase_add_test(t, numbers);
    tcase_add_test(t, damaged);
    suite_add_tcase(s, t);
    return run_suite(s);
}
