/* test_fmt.c: the one layout: what it is, that comments stay, that a second
 * time changes nothing, that the program stays the same. Run in the
 * repository's folder. */
#define _GNU_SOURCE /* GLOB_BRACE */
#include "suite.h"
#include "syntax/ast.h"
#include "syntax/fmt.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static Diags *diags;

static void setup(void)
{
    arena = arena_new();
    diags = diags_new(arena);
}

static void teardown(void) { arena_free(arena); }

static const Source *source_of(const char *text, size_t n)
{
    return diags_source(diags, "test.nn", text, n);
}

/* NULL: is no program. */
static const char *formatted(const char *text)
{
    Str s = str_new(arena);

    return format_source(arena, diags, source_of(text, strlen(text)), &s)
               ? s.at
               : NULL;
}

static const struct {
    const char *from, *to;
} layouts[] = {
    {"", ""},
    {"\n\n\n# alone", "# alone\n"},
    {"use  nn ;use optim as\no;", "use nn;\nuse optim as o;\n"},
    {"# a\n\n\n\nuse nn; # b\n\n\n# c\n", "# a\n\nuse nn;  # b\n\n# c\n"},
    {"const  n:int=5 ;", "const n: int = 5;\n"},
    /* operators */
    {"fn f(x:real)->real=- x^2+ - -x*(a-(b-c))*d '@y;",
     "fn f(x: real) -> real = -x^2 + --x * (a - (b - c)) * d' @ y;\n"},
    {"fn f(x: real) = a<b&&!c||d>=e;",
     "fn f(x: real) = a < b && !c || d >= e;\n"},
    {"fn f(x: real) = t . 0 . 1 + 1 .x + 1. ;",
     "fn f(x: real) = t.0.1 + 1 .x + 1.;\n"},
    /* subscripts: tight where nothing but arithmetic is in them */
    {"fn f(A: real[n + 1,2 * h, ..,]) = A;", NULL},
    {"fn f(A: real[.., n + 1,2 * h,]) = A[ i + 1 , : , :: 2, k [ i ]+1,];",
     "fn f(A: real[.., n+1, 2*h]) = A[i+1, :, ::2, k[i] + 1];\n"},
    {"fn f(b:[Block[a];2 * n],g:fn(real,)->(real,int))=b;",
     "fn f(b: [Block[a]; 2*n], g: fn(real) -> (real, int)) = b;\n"},
    /* binders */
    {"fn f(x: real) = [i<n,j|A[i]*B[j]]+sum(k|A[k])+fold(t<T,h=h0,until=h>3"
     "|g(h));",
     "fn f(x: real) =\n  [i < n, j | A[i] * B[j]] + sum(k | A[k]) + "
     "fold(t < T, h = h0, until = h > 3 | g(h));\n"},
    /* a struct and settings are in columns; a line stays one if it was one */
    {"struct S[n,m,]{W:real[n,m]~normal(0,1),b:real=0,\n}",
     "struct S[n, m] { W: real[n, m] ~ normal(0, 1), b: real = 0 }\n"},
    {"struct S{\nW:real[n,m]~normal(0,1),bias:real=0,\n\nc:T}",
     "struct S {\n  W:    real[n, m] ~ normal(0, 1),\n"
     "  bias: real       = 0,\n\n  c: T,\n}\n"},
    {"struct S{}", "struct S {}\n"},
    {"train loss(net){optimizer=adam(lr=1);\nkey=k;}",
     "train loss(net) {\n  optimizer = adam(lr = 1);\n"
     "  key       = k;\n}\n"},
    {"export a,b as c;", "export a, b as c;\n"},
    {"derivative f(x:real;y,y_bar){x*y_bar}",
     "derivative f(x: real; y, y_bar) { x * y_bar }\n"},
    /* blocks */
    {"fn f(x: real) {\n\nlet (a,b)=g(x);\n\n\nlet c:real=a;a+c\n\n}",
     "fn f(x: real) {\n  let (a, b) = g(x);\n\n  let c: real = a;\n"
     "  a + c\n}\n"},
    {"fn f(x: real) {let((a,b),c)=x;a}",
     "fn f(x: real) {\n  let ((a, b), c) = x;\n  a\n}\n"},
    {"fn f(x: real) { if x > 0 { 1 } else if x < 0 { -1 } else { 0 } }",
     "fn f(x: real) { if x > 0 { 1 } else if x < 0 { -1 } else { 0 } }\n"},
    {"fn f(x: real) = if x > 0 {\n1 } else { 0 };",
     "fn f(x: real) = if x > 0 {\n  1\n} else {\n  0\n};\n"},
    {"fn f(x: real) = newton(fn(y){let z=y*y;z-x},1);",
     "fn f(x: real) = newton(fn(y) {\n  let z = y * y;\n  z - x\n}, 1);\n"},
    {"fn f(x: real) = if { a } { b } else { c }(d);",
     "fn f(x: real) = if { a } { b } else { c }(d);\n"},
    {"fn f(x: real) { fn g(y: real) -> real { y } (x, g(x)) }",
     "fn f(x: real) {\n  fn g(y: real) -> real { y }\n  (x, g(x))\n}\n"},
    {"fn f(x: real) = g(fn(y) = fn(z: real) -> real = y + z |> h, 2);",
     "fn f(x: real) = g(fn(y) = fn(z: real) -> real = y + z |> h, 2);\n"},
    /* a pipe that was broken stays so, and a matrix by rows */
    {"fn f(x: real) { x\n|>g|>h(1) }",
     "fn f(x: real) {\n  x\n    |> g\n    |> h(1)\n}\n"},
    {"const M=[[1,2],\n[3,4]];", "const M = [[1, 2],\n           [3, 4]];\n"},
    {"const v=[1,\n2,\n3];", "const v = [1, 2, 3];\n"},
    /* comments in all places */
    {"fn f(x: real, # the x\ny: real # the y\n) = x + # more\ny;",
     "fn f(x: real,  # the x\n     y: real   # the y\n  ) = x        # more\n"
     "  + y;\n"},
    {"struct S {\na: T # one\n, # two\n# three\n}",
     "struct S {\n  a: T,  # one\n  # two\n  # three\n}\n"},
    {"fn f(x: real) { # head\n\n# own\nx # tail\n# last\n}",
     "fn f(x: real) {  # head\n\n  # own\n  x  # tail\n  # last\n}\n"},
    {"fn # a\nf(x: real) = x; # b\n\n# c",
     "fn                 # a\n  f(x: real) = x;  # b\n\n# c\n"},
    {"fn f(x: real) = x;\t# tab \t\r\n", "fn f(x: real) = x;  # tab\n"},
    {"fn f[T : real,A,](x:T,axis:A)->T = x;",
     "fn f[T: real, A](x: T, axis: A) -> T = x;\n"},
    /* lines that are too long */
    {"fn long_name(x: real) -> real = some_function(aaaaaaaaaaaaaaaaaaaaaa, "
     "bbbbbbbbbbbbbbbbbbbbbbb, cccc);",
     "fn long_name(x: real) -> real =\n"
     "  some_function(aaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbb, "
     "cccc);\n"},
    {"fn adam[T](p: T, g: T, s: AdamState[T], lr: real = 1e-3, beta1: real = "
     "0.9, beta2: real = 0.999, eps: real = 1e-8) -> (T, AdamState[T]) { p }",
     "fn adam[T](p: T, g: T, s: AdamState[T], lr: real = 1e-3, beta1: real = "
     "0.9, beta2: real = 0.999,\n"
     "           eps: real = 1e-8) -> (T, AdamState[T]) {\n  p\n}\n"},
};

START_TEST(layout_is)
{
    const char *got = formatted(layouts[_i].from);

    if (!layouts[_i].to)
        ck_assert_ptr_null(got);
    else
        ck_assert_pstr_eq(got, layouts[_i].to);
    if (got)
        ck_assert_pstr_eq(formatted(got), got);
}
END_TEST

/* Every program of the repository */

static glob_t files;

static const char *tree(const char *text)
{
    char *got = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&got, &n);

    ast_dump(
        parse(arena, intern_new(arena), diags, source_of(text, strlen(text))),
        f);
    fclose(f);
    const char *copy = arena_printf(arena, "%s", got);
    free(got);
    return copy;
}

START_TEST(program_is_the_same)
{
    const char *text = file_text(arena, files.gl_pathv[_i]);
    const char *once = formatted(text);

    if (!once)
        return; /* one of the wrong programs */
    ck_assert_pstr_eq(tree(once), tree(text));
    ck_assert_msg(!strcmp(formatted(once), once), "%s: changes again",
                  files.gl_pathv[_i]);
}
END_TEST

/* Limits */

START_TEST(long_chains_are_linear)
{
    Str s = str_new(arena);

    str_printf(&s, "fn f(x: real) = x");
    for (int i = 0; i < 50000; i++)
        str_printf(&s, " + %s", i % 3 ? "x" : "x * g(x, 2) # n\n");
    str_printf(&s, ";\nfn g(x: real) = if a { b }");
    for (int i = 0; i < 200; i++)
        str_printf(&s, " else if a { b }");
    str_printf(&s, " else { c };");
    const char *got = formatted(s.at);
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_lt(strlen(got), 3 * s.n);
}
END_TEST

static void put(Str *s, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        str_printf(s, "%s", text);
}

START_TEST(deep_nests_end)
{
    static const struct {
        const char *open, *close;
    } nest[] = {
        {"(", ")"},
        {"[", "]"},
        {"{ ", " }"},
        {"f(a, ", ", b)"},
        {"-", ""},
        {"fn(x) = ", ""},
        {"if a { b } else { ", " }"},
        {"[i < n | ", "]"},
        {"fn(x) { ", " }"},
        {"a[", "]"},
        {"if if ", ""},
        {"if ", " { b } else { c }"},
        {"a^", ""},
    };

    for (int depth = 1; depth < 300; depth += 50) {
        Str s = str_new(arena);
        put(&s, "fn f(x: real) = ", 1);
        put(&s, nest[_i].open, depth);
        put(&s, "x", 1);
        put(&s, nest[_i].close, depth);
        put(&s, ";", 1);
        const char *got = formatted(s.at);
        if (got)
            ck_assert_pstr_eq(formatted(got), got);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fmt");
    TCase *t = tcase_create("fmt");

    glob("{examples/*,src/std,tests/golden,tests/e2e/*,tests/bench/*,"
         "tests/fuzz/*}/*.nn",
         GLOB_BRACE, NULL, &files);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, layout_is, 0,
                        (int)(sizeof layouts / sizeof *layouts));
    tcase_add_loop_test(t, program_is_the_same, 0, (int)files.gl_pathc);
    tcase_add_test(t, long_chains_are_linear);
    tcase_add_loop_test(t, deep_nests_end, 0, 13);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    globfree(&files);
    return failed;
}
