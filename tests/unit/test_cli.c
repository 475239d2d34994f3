/* test_cli.c: options, values of the command line, files. */

#include "cli/cli.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static Arena *arena;

/* What refuses says so on stderr, which is not of interest here. */
static void setup(void)
{
    arena = arena_new();
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void teardown(void) { arena_free(arena); }

/* Options */

static const Option some[] = {
    {"output", 'o', "FILE", ""},
    {"quiet", 'q', NULL, ""},
    {NULL, 0, NULL, NULL},
};

static bool parse_words(Args *a, bool settings, int n, const char *const *word)
{
    Command *c = NEW(arena, Command);
    char **argv = NEWN(arena, char *, n + 1);

    *c = (Command){.name = "", .option = some, .settings = settings};
    *a = (Args){.arena = arena, .command = c};
    for (int i = 0; i < n; i++)
        argv[i] = arena_printf(arena, "%s", word[i]);
    return options_parse(a, n, argv);
}

START_TEST(options_in_all_forms)
{
    static const char *const word[] = {"m.nn", "--output=a", "--output", "b",
                                       "-oc",  "-qo",        "d",        "-",
                                       "--",   "--quiet"};
    Args a;

    ck_assert(parse_words(&a, false, 10, word));
    ck_assert_int_eq(a.given.n, 5);
    ck_assert_str_eq(a.given.at[2].value, "c");
    ck_assert_str_eq(option_value(&a, "output"), "d");
    ck_assert_ptr_nonnull(option_value(&a, "quiet"));
    ck_assert_int_eq(a.word.n, 3);
    ck_assert_str_eq(a.word.at[1], "-");
    ck_assert_str_eq(a.word.at[2], "--quiet");
}
END_TEST

START_TEST(options_refused)
{
    static const char *const word[][2] = {
        {"--outptu=a", ""}, {"m", "--output"}, {"m", "-o"},
        {"--quiet=1", "m"}, {"-x", "m"},
    };
    Args a;

    ck_assert(!parse_words(&a, false, 2, word[_i]));
}
END_TEST

START_TEST(options_that_are_settings)
{
    static const char *const word[] = {"--lr", "0.1", "--beta1=0.5"};
    Args a;

    ck_assert(parse_words(&a, true, 3, word));
    ck_assert_int_eq(a.setting.n, 2);
    ck_assert_str_eq(a.setting.at[0].value, "0.1");
    ck_assert(!parse_words(&a, true, 1, word));
}
END_TEST

/* Values */

#define LEAF(path, dtype, rank, shape)                                         \
    &(const nn_leaf){sizeof(nn_leaf), dtype, path, 0, shape, rank, 0}
static const nn_leaf *const scalar[] = {LEAF("", NN_F64, 0, "[]")};
static const nn_leaf *const single[] = {LEAF("", NN_F32, 0, "[]")};
static const nn_leaf *const small[] = {LEAF("", NN_U8, 0, "[]")};
static const nn_leaf *const key[] = {LEAF("", NN_KEY, 0, "[]")};
static const nn_leaf *const truth[] = {LEAF("", NN_BOOL, 1, "[n]")};
static const nn_leaf *const matrix[] = {LEAF("", NN_F64, 2, "[n, m]")};
static const nn_leaf *const net[] = {
    LEAF("out.W", NN_F64, 1, "[n]"),
    LEAF("out.b", NN_F64, 0, "[]"),
    LEAF("pair.0", NN_I32, 0, "[]"),
    LEAF("pair.1", NN_I32, 0, "[]"),
};

#define PORT(leaf)                                                             \
    {sizeof(nn_port),                                                          \
     -1,                                                                       \
     "x",                                                                      \
     "T",                                                                      \
     leaf,                                                                     \
     sizeof(leaf) / sizeof *(leaf),                                            \
     0,                                                                        \
     0,                                                                        \
     0}
static const nn_port ports[] = {PORT(scalar), PORT(single), PORT(small),
                                PORT(key),    PORT(truth),  PORT(matrix),
                                PORT(net)};
enum { SCALAR, SINGLE, SMALL, KEY, TRUTH, MATRIX, NET };

/* A port, a text, and what is printed of it; NULL: refused. */
static const struct {
    int port;
    const char *text, *print;
} values[] = {
    {SCALAR, "2", "2"},
    {SCALAR, "-1.5e-3", "-0.0015"},
    {SCALAR, "0.1", "0.1"},
    {SCALAR, "0.30000000000000004", "0.30000000000000004"},
    {SCALAR, "nan", "\"nan\""},
    {SCALAR, "\"-inf\"", "\"-inf\""},
    {SCALAR, ".5", "0.5"},
    {SCALAR, "abc", NULL},
    {SCALAR, "", NULL},
    {SCALAR, "[1]", NULL},
    {SCALAR, "true", NULL},
    {SCALAR, "\"text\"", NULL},
    {SCALAR, "@missing.json", NULL},
    {SCALAR, "@missing.xyz", NULL},
    {SINGLE, "0.1", "0.1"},
    {SINGLE, "16777217", "16777216"},
    {SMALL, "255", "255"},
    {SMALL, "256", NULL},
    {SMALL, "-1", NULL},
    {SMALL, "1.5", NULL},
    {KEY, "9007199254740993", "9007199254740993"},
    {TRUTH, "[true, false, 1]", "[true, false, true]"},
    {TRUTH, "[2]", NULL},
    {MATRIX, "[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]"},
    {MATRIX, "[]", "[]"},
    {MATRIX, "[[1, 2], [3]]", NULL},
    {MATRIX, "[[1, 2], 3]", NULL},
    {MATRIX, "[1, 2]", NULL},
    {MATRIX, "[[[1]]]", NULL},
    {NET, "{\"out\": {\"W\": [1, 2], \"b\": 3}, \"pair\": [4, 5]}",
     "{\"out\": {\"W\": [1, 2], \"b\": 3}, \"pair\": [4, 5]}"},
    {NET, "{\"out\": {\"W\": [1, 2]}, \"pair\": [4, 5]}", NULL},
    {NET, "{\"out\": {\"W\": [1], \"b\": 3, \"c\": 1}, \"pair\": [4, 5]}",
     NULL},
    {NET, "{\"out\": {\"W\": [1], \"b\": 3}, \"pair\": [4, 5], \"q\": 1}",
     NULL},
    {NET, "3", NULL},
};

START_TEST(value_reads_and_prints)
{
    const nn_port *p = &ports[values[_i].port];
    nncc_tensor *leaf[4] = {NULL};
    Str s = str_new(arena);
    bool read = value_read(arena, p, values[_i].text, leaf);

    ck_assert_msg(read == (values[_i].print != NULL), "%s", values[_i].text);
    if (read) {
        value_print(p, leaf, &s);
        ck_assert_str_eq(s.at, values[_i].print);
    }
    for (int i = 0; i < 4; i++)
        nncc_tensor_free(leaf[i]);
}
END_TEST

/* Files */

START_TEST(files_whole_or_not_at_all)
{
    char folder[] = "/tmp/nncc-test-XXXXXX";
    size_t n;
    NewFile f;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    const char *path = arena_printf(arena, "%s/a", folder);
    ck_assert(file_write(arena, path, "abc", 3));
    ck_assert_str_eq(file_read(arena, path, 10, &n), "abc");
    ck_assert_uint_eq(n, 3);
    ck_assert_ptr_null(file_read(arena, path, 2, &n));
    ck_assert_ptr_null(file_read(arena, folder, 10, &n));
    ck_assert(file_begin(arena, path, 0666, &f));
    fputs("other", f.to);
    file_drop(&f);
    ck_assert_str_eq(file_read(arena, path, 10, &n), "abc");
    ck_assert(!file_write(arena, arena_printf(arena, "%s/b/c", folder), "", 0));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left in it */
}
END_TEST

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *s = suite_create("cli");
    TCase *t = tcase_create("cli");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, options_in_all_forms);
    tcase_add_loop_test(t, options_refused, 0, 5);
    tcase_add_test(t, options_that_are_settings);
    tcase_add_loop_test(t, value_reads_and_prints, 0, LENGTH(values));
    tcase_add_test(t, files_whole_or_not_at_all);
    suite_add_tcase(s, t);
    return run_suite(s);
}
