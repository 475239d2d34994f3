/* test_limits.c: programs that are too large or too deep, and files that
 * cannot be read: what is said of them, and that it is said soon. */

#include "programs.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void ck_says(const char *want)
{
    const char *text = messages();

    ck_assert_msg(strstr(text, want) != NULL, "not '%s' but:\n%s", want, text);
}

static void refuse(const char *text, int64_t work, const char *want)
{
    const CheckOptions o = {.real = DT_f64, .work = work};

    ck_assert_ptr_null(compile_with(text, &o));
    ck_says(want);
}

static void put(Str *s, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        str_printf(s, "%s", text);
}

/* head, open as often as said, middle, close as often, tail */
static const char *nest(const char *head, const char *open, int times,
                        const char *middle, const char *close, const char *tail)
{
    Str s = str_new(arena);

    put(&s, head, 1);
    put(&s, open, times);
    put(&s, middle, 1);
    put(&s, close, times);
    put(&s, tail, 1);
    return s.at;
}

static const char f[] = "fn f(x: real) -> real = x * x * x;";

START_TEST(expansion_ends)
{
    const char *text =
        nest(f, "fn g(x: real) -> real = f(x) + f(x + 1); fn f(x: real) = ", 0,
             "", "", "export grad(grad(grad(f))) as g;");

    refuse(text, 30, "this program expands to too many operations");
}
END_TEST

START_TEST(derivatives_of_derivatives_end)
{
    refuse(nest("fn f(x: real) -> real = sin(x) * exp(x); export ", "grad(", 60,
                "f", ")", " as g;"),
           20000,
           "a derivative has up to four times the operations of what is "
           "differentiated");
}
END_TEST

/* Each of 150 functions calls the next one under 30 brackets. */
START_TEST(nests_end)
{
    Str s = str_new(arena);

    for (int i = 0; i < 150; i++) {
        str_printf(&s, "fn f%d(x: real) -> real = ", i);
        put(&s, "-(", 30);
        str_printf(&s, "f%d(x)", i + 1);
        put(&s, ")", 30);
        put(&s, ";\n", 1);
    }
    put(&s, "fn f150(x: real) -> real = x; export f0;", 1);
    refuse(s.at, 0, "this is nested too deeply");
}
END_TEST

/* Of 40 functions each calls the one before twice, with derivatives of their
 * own. */
START_TEST(calls_that_double_end)
{
    Str s = str_new(arena);

    put(&s, "fn f0(x: real) -> real = x;", 1);
    for (int i = 0; i < 40; i++)
        str_printf(&s,
                   "fn f%d(x: real) -> real = f%d(f%d(x) + 1);\n"
                   "derivative f%d(x; y, y_bar) = 2 * y_bar;\n",
                   i + 1, i, i, i + 1);
    put(&s, "export f40;", 1);
    refuse(s.at, 0, "this call expands to too many operations");
}
END_TEST

/* A body that is evaluated again, for its bound or for the type of what it
 * starts from, around others: 12 deep. */
START_TEST(nested_bodies)
{
    static const char *const open[] = {
        "sum(i%d | y[2 * i%d %% 3] * x[i%d] * (",
        "fold(t%d, h%d = 0 | h%d * 0.5 + x[0] * (",
        "sum(max(scan(t%d < 2, h%d = 0 | h%d / 2 + (",
        "sum([i%d | x[n - 1 - i%d] * x[i%d] + (",
    };
    static const char *const close[] = {"))", "))", "))))", ")])"};
    static const char *const needs[] = {"", "x[t%d] * ", "", ""};
    const CheckOptions o = {.real = DT_f64};
    Str s = str_new(arena);
    clock_t start = clock();

    put(&s, "fn f(x: real[n], y: real[3]) -> real = ", 1);
    for (int i = 0; i < 12; i++) {
        str_printf(&s, open[(_i + i) % 4], i, i, i);
        str_printf(&s, needs[(_i + i) % 4], i);
    }
    put(&s, "x[0]", 1);
    for (int i = 11; i >= 0; i--)
        put(&s, close[(_i + i) % 4], 1);
    put(&s, "; export f;", 1);
    ck_assert_msg(
        check_program(arena, diags, "test.nn", s.at, strlen(s.at), &o) != NULL,
        "%s", s.at);
    ck_assert(clock() - start < CLOCKS_PER_SEC);
}
END_TEST

START_TEST(dimensions_end)
{
    refuse(nest("fn f(x: real[n", " + 1", 4000, "]) -> real = sum(x);", "", ""),
           0, "this dimension is nested too deeply");
}
END_TEST

START_TEST(unknown_dimension)
{
    const char *const name = "zz";
    const int64_t value = 3;
    const CheckOptions o = {
        .real = DT_f64, .dim_name = &name, .dim_value = &value, .ndim = 1};
    const char *text = "fn f(x: real[n]) -> real = sum(x); export f;";

    compile_with(text, &o);
    ck_says("no exported function has a dimension 'zz' to fix");
}
END_TEST

/* Files */

static void write_file(const char *path, const char *text)
{
    FILE *to = fopen(path, "wb");

    ck_assert_ptr_nonnull(to);
    fputs(text, to);
    fclose(to);
}

static void check_file(const char *path)
{
    const CheckOptions o = {.real = DT_f64};

    ck_assert_ptr_null(check_program(arena, diags, path, NULL, 0, &o));
}

START_TEST(files_that_cannot_be_read)
{
    char folder[] = "/tmp/nncc-limits-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(folder));
    check_file(arena_printf(arena, "%s/none.nn", folder));
    ck_says("cannot read ");
    const char *inner = arena_printf(arena, "%s/inner.nn", folder);
    ck_assert_int_eq(mkdir(inner, 0700), 0);
    const char *user = arena_printf(arena, "%s/user.nn", folder);
    write_file(user, "use inner;\n");
    check_file(user);
    ck_says("inner.nn: ");
    unlink(user);
    rmdir(inner);
    rmdir(folder);
}
END_TEST

START_TEST(files_that_use_each_other)
{
    char folder[] = "/tmp/nncc-limits-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int i = 0; i < 105; i++)
        write_file(arena_printf(arena, "%s/a%d.nn", folder, i),
                   arena_printf(arena, "use a%d;\n", i + 1));
    check_file(arena_printf(arena, "%s/a0.nn", folder));
    ck_says(" files use each other");
    for (int i = 0; i < 105; i++)
        unlink(arena_printf(arena, "%s/a%d.nn", folder, i));
    rmdir(folder);
}
END_TEST

/* Texts that are made to break things end at once, whatever they are. */

static const struct {
    const char *head, *open;
    int times;
    const char *middle, *close, *tail;
} floods[] = {
    {"", "[", 500000, "", "", ""},
    {"fn f(x: real) = ", "(", 500000, "", "", ""},
    {"const a = ", "9", 500000, ";", "", ""},
    {"", "x;", 200000, "", "", ""},
    {"fn f(x: real) = ", "[i < n | ", 250, "x", "]", "; export f;"},
    {"fn f(x: real[n]) -> real = ", "sum(i < n | ", 250, "x[i]", ")",
     "; export f;"},
    {"fn f(x: real) -> real = ", "fold(t < 1000000000, h = x | ", 100, "h", ")",
     "; export f;"},
    {"fn f(x: real) = ", "scan(t < 10, h = x | ", 17, "h", ")", "; export f;"},
    {"fn f(x: real[n]) = ", "concat(x, ", 200, "x", ")", "; export f;"},
    {"fn f(x: real[n]) = ", "jacobian(", 40, "sin", ")", "(x); export f;"},
    {"fn f(g: fn(real) -> real, x: real) -> real = f(fn(y) = g(g(y)), x); "
     "fn h(x: real) -> real = f(fn(y) = y, x); export h;",
     "", 0, "", "", ""},
    {"fn f(x: real[9223372036854775807, n]) -> real = sum(x); export f;", "", 0,
     "", "", ""},
    {"fn f(x: real[", "(a + b + c) * ", 40, "n]) -> real = sum(x); export f;",
     "", ""},
    {"fn f(x: real) = einsum(\"", "a", 100000, "\", x); export f;", "", ""},
};

START_TEST(floods_end)
{
    const CheckOptions o = {.real = DT_f64};
    const char *text =
        nest(floods[_i].head, floods[_i].open, floods[_i].times,
             floods[_i].middle, floods[_i].close, floods[_i].tail);
    clock_t start = clock();

    compile_with(text, &o);
    ck_assert_int_lt((int)((clock() - start) / CLOCKS_PER_SEC), 20);
    ck_assert_uint_lt(arena_used(arena), (size_t)1 << 30);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("limits");
    TCase *t = tcase_create("limits");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_test(t, expansion_ends);
    tcase_add_test(t, derivatives_of_derivatives_end);
    tcase_add_test(t, nests_end);
    tcase_add_test(t, calls_that_double_end);
    tcase_add_loop_test(t, nested_bodies, 0, 4);
    tcase_add_test(t, dimensions_end);
    tcase_add_test(t, unknown_dimension);
    tcase_add_test(t, files_that_cannot_be_read);
    tcase_add_test(t, files_that_use_each_other);
    tcase_add_loop_test(t, floods_end, 0,
                        (int)(sizeof floods / sizeof *floods));
    suite_add_tcase(s, t);
    return run_suite(s);
}
