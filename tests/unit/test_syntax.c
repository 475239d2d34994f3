/* test_syntax.c: the parser: what is read, what is refused, and how deep. */

#include "suite.h"
#include "syntax/ast.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

typedef struct Read {
    Arena *arena;
    Diags *diags;
    Ast *ast;
    char *said; /* the messages, as printed */
} Read;

static char *printed(const Diags *d)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    diags_print(d, to, false);
    fclose(to);
    return text;
}

static Read read_text(const char *text, size_t n)
{
    Read r = {.arena = arena_new()};
    Intern *names = intern_new(r.arena);

    r.diags = diags_new(r.arena);
    r.ast =
        parse(r.arena, names, r.diags, diags_source(r.diags, "t.nn", text, n));
    r.said = printed(r.diags);
    return r;
}

static void done(Read *r)
{
    free(r->said);
    arena_free(r->arena);
}

static void expect_errors(const char *text, int errors, const char *said)
{
    Read r = read_text(text, strlen(text));

    ck_assert_msg(diags_errors(r.diags) == errors, "%.200s: %d errors:\n%s",
                  text, diags_errors(r.diags), r.said);
    if (said)
        ck_assert_msg(strstr(r.said, said) != NULL, "no '%s' in:\n%s", said,
                      r.said);
    done(&r);
}

/* text repeated n times between head and tail; to be freed */
static char *repeated(const char *head, const char *text, int n,
                      const char *tail)
{
    size_t h = strlen(head), m = strlen(text);
    char *s = malloc(h + m * (size_t)n + strlen(tail) + 1);

    memcpy(s, head, h);
    for (int i = 0; i < n; i++)
        memcpy(s + h + m * (size_t)i, text, m);
    strcpy(s + h + m * (size_t)n, tail);
    return s;
}

/* An expression, and how it is printed. */
static const char *const expressions[][2] = {
    {"a+b*c", "a + b * c"},
    {"(a+b)*c", "(a + b) * c"},
    {"a-(b-c)-d", "a - (b - c) - d"},
    {"(a-b)-c", "a - b - c"},
    {"-x^2", "-x^2"},
    {"(-x)^2", "(-x)^2"},
    {"2^-x", "2^-x"},
    {"2^-x*y", "2^-x * y"},
    {"a^b^c", "a^b^c"},
    {"(a^b)^c", "(a^b)^c"},
    {"-(a*b)", "-(a * b)"},
    {"A'@B'", "A' @ B'"},
    {"(A@B)'", "(A @ B)'"},
    {"a<b&&!c||d", "a < b && !c || d"},
    {"a&&(b||c)", "a && (b || c)"},
    {"x|>f", "f(x)"},
    {"x|>f(a)|>n.g(b, c = 1)", "n.g(f(x, a), b, c = 1)"},
    {"x |> (f(a))", "f(a)(x)"},
    {"x |> fn(y) = y + 1", "(fn(y) = y + 1)(x)"},
    {"x + y |> f", "f(x + y)"},
    {"1e-3 + 1. + 1_000 + 2.50", "0.001 + 1.0 + 1000 + 2.5"},
    {"t.0.1.a", "t.0.1.a"},
    {"A[1:, :n, ::2, i, 1:2:3, :]", "A[1:, :n, ::2, i, 1:2:3, :]"},
    {"[1, 2,]", "[1, 2]"},
    {"[[c, -s], [s, c]]", "[[c, -s], [s, c]]"},
    {"[i < n, j | A[i]*B[j]]", "[i < n, j | A[i] * B[j]]"},
    {"[i < n + 1 | i]", "[i < n + 1 | i]"},
    {"sum(k | A[i, k])", "sum(k | A[i, k])"},
    {"sum(k < n | -k)", "sum(k < n | -k)"},
    {"sum(a < b)", "sum(a < b)"},
    {"sum(A, axis = 1)", "sum(A, axis = 1)"},
    {"fold(t < T, h = h0, until = h > 3 | f(h))",
     "fold(t < T, h = h0, until = h > 3 | f(h))"},
    {"scan(t < T, (h) = 1 | h)", NULL},
    {"fn(y: real[.., n]) -> real { y }", "fn(y: real[.., n]) -> real { y }"},
    {"{ let (p, q) = f(x); let z: [T; n] = p; fn g(a: fn(real) -> real) = "
     "a(q); g(z) }",
     "{ let (p, q) = f(x); let z: [T; n] = p; fn g(a: fn(real) -> real) = "
     "a(q); g(z) }"},
    {"{ let ((p, q), (r, (s,)),): T = x; let (t) = x; t }",
     "{ let ((p, q), (r, s)): T = x; let t = x; t }"},
    {"{ let () = x; x }", NULL},
    {"{ let (p, (q, 1)) = x; q }", NULL},
    {"if a < b { x } else if c { y } else { z }",
     "if a < b { x } else if c { y } else { z }"},
    {"(if a { x } else { y }) + 1", "(if a { x } else { y }) + 1"},
    {"if a { x } else { y } + 1", "(if a { x } else { y }) + 1"},
    {"(a, (b, c))", "(a, (b, c))"},
    {"grad(grad(f))(x)", "grad(grad(f))(x)"},
    {"train.derivative", "train.derivative"},
    {"a # b\n + c", "a + c"},
    {"a +", NULL},
    {"a < b < c", NULL},
    {"1 2", NULL},
    {"foo(i | i)", "foo(i | i)"},
    {"(f.g)(x)(i, j < 2 | i)", "f.g(x)(i, j < 2 | i)"},
    {"[]", NULL},
    {"", NULL},
};

START_TEST(expression_prints)
{
    const char *text = expressions[_i][0], *want = expressions[_i][1];
    Arena *a = arena_new();
    Diags *d = diags_new(a);
    Intern *names = intern_new(a);
    Str got = str_new(a), again = str_new(a);
    Expr *e =
        parse_expression(a, names, d, diags_source(d, "e", text, strlen(text)));

    ck_assert_msg((e != NULL) == (want != NULL), "%s", text);
    ck_assert_msg((diags_errors(d) != 0) == (want == NULL), "%s", text);
    if (e) {
        expr_print(e, &got);
        ck_assert_str_eq(got.at, want);
        e = parse_expression(a, names, d,
                             diags_source(d, "e", got.at, strlen(got.at)));
        ck_assert_ptr_nonnull(e);
        expr_print(e, &again);
        ck_assert_str_eq(got.at, again.at);
    }
    arena_free(a);
}
END_TEST

START_TEST(whole_program)
{
    static const char text[] =
        "use nn;\nuse optim as o;\nconst n: int = 5;\n"
        "struct L[n, m] { W: real[n, m] ~ normal(0, 1), b: real[] = 0, }\n"
        "fn f(x: real[.., n], l: o.L[n, m], s: real = 1) -> (real, real)\n"
        "    = (x @ l.W, s);\n"
        "fn adam[T](p: T, s: S[T]) -> T { p }\n"
        "export f, grad(f, x) as g;\n"
        "derivative f(x; y, y_bar) { y_bar }\n"
        "train loss(net) { optimizer = adam(lr = 1e-3); }\n";
    Read r = read_text(text, strlen(text));
    const Item *export = r.ast->item.at[7];

    ck_assert_str_eq(r.said, "");
    ck_assert_int_eq(r.ast->item.n, 10);
    ck_assert_str_eq(r.ast->item.at[1]->use.as, "o");
    ck_assert(r.ast->item.at[3]->structure->field[0].random);
    ck_assert(!r.ast->item.at[3]->structure->field[1].random);
    ck_assert_str_eq(r.ast->item.at[4]->fn->param[1].type->module, "o");
    ck_assert(r.ast->item.at[4]->fn->param[0].type->leading);
    ck_assert_int_eq(r.ast->item.at[5]->fn->ntype_param, 1);
    ck_assert_str_eq(export->export.as, "g");
    ck_assert_int_eq(r.ast->item.at[8]->derivative.ngiven, 2);
    ck_assert_str_eq(r.ast->item.at[9]->train.by, "net");
    done(&r);
}
END_TEST

START_TEST(spans_have_the_sources_base)
{
    Arena *a = arena_new();
    Diags *d = diags_new(a);
    diags_source(d, "first", "abc", 3);
    const Source *s = diags_source(d, "second", "fn f() = x + y;", 15);
    Ast *ast = parse(a, intern_new(a), d, s);
    const Expr *e = ast->item.at[0]->fn->body;

    ck_assert_uint_eq(e->span.beg, s->base + 9);
    ck_assert_uint_eq(e->span.end, s->base + 14);
    ck_assert_uint_eq(e->binary.op_span.beg, s->base + 11);
    arena_free(a);
}
END_TEST

START_TEST(errors_are_told_together)
{
    expect_errors("fn f() { let a = ; let b = 1; let c = ); a }\n"
                  "fn g( = 1;\nexport f;\nconst = 2;\n",
                  4, "t.nn:1:18: error: unexpected ';', expected an expr");
    expect_errors("fn f() {\n  let a = 1\n  a\n}\n", 1,
                  "t.nn:2:12: error: expected ';' before 'a'");
    expect_errors("fn f() {\n  let a = (1 + [2,\n", 1,
                  "t.nn:2:16: note: this '[' is not closed");
    expect_errors("fn f() = (1 + 2];\n", 1, "note: this '(' is not closed");
    expect_errors("fn f(x) = x;\n", 1, "parameter 'x' of 'f' needs a type");
    expect_errors("fn f() { 1; }\n", 1, "this value is not used");
    expect_errors("fn f() { return 1 }", 1, "a block's value is its last");
    expect_errors("fn f() = 99999999999999999999 + 1e999;", 2,
                  "this integer is too large");
    expect_errors("fn f() = $$$ + 1;", 1, "unexpected character '$'");
    expect_errors("fn f() = \xce\xb8;", 1, "unexpected character '\xce\xb8'");
    expect_errors("fn f() = 12ab;", 1, "'12ab' is neither a number nor");
    expect_errors("fn f() = g(a = 1, 2);", 1, "an argument without a name");
    expect_errors("fn f() = 1 |> 2;", 1, "'|>' needs a function");
    expect_errors("fn f() = [(i) | i];", 1, "this is no binder");
    expect_errors("", 0, NULL);
    expect_errors("\xef\xbb\xbf# only a comment", 0, NULL);
}
END_TEST

START_TEST(no_text)
{
    Read r = read_text("fn f() = \0\0\0\0", 13);

    ck_assert_int_eq(diags_errors(r.diags), 1);
    done(&r);
    expect_errors("# \xff\xfe\n$$", 1, "byte 0xff");
    expect_errors("# \xc0\xaf\n", 1, "byte 0xc0");
    expect_errors("# \xed\xa0\x80\n", 1, "byte 0xed");
}
END_TEST

/* What nests without end: refused once; what only goes on: taken. */
static const struct {
    const char *head, *text, *tail;
    bool fine;
} chains[] = {
    {"fn f() = ", "(", "", false},
    {"fn f() = ", "-", "x;", false},
    {"fn f() = ", "!", "x;", false},
    {"fn f() = a", "^a", ";", false},
    {"fn f() = ", "{", "", false},
    {"fn f() = ", "f([", "", false},
    {"fn f() = ", "fn(x) = ", "1;", false},
    {"fn f() = ", "if a { b } else ", "{ c };", false},
    {"fn f() = a", "'", ";", false},
    {"fn f() = a", ".b", ";", false},
    {"fn f() = a", " |> f", ";", false},
    {"fn f(x: ", "fn(real) -> ", "real) = 1;", false},
    {"fn f() ", "{ fn f() ", "", false},
    {"fn f() = a", " + a", ";", true},
    {"fn f() = a", " - b * c", ";", true},
    {"fn f() = a", " && b", ";", true},
    {"fn f() = [a", ", a", "];", true},
    {"fn f() { ", "let a = 1; ", "a }", true},
    {"", "fn f() = 1; ", "", true},
};

START_TEST(nesting_has_a_limit)
{
    char *s =
        repeated(chains[_i].head, chains[_i].text, 100000, chains[_i].tail);

    expect_errors(s, !chains[_i].fine,
                  chains[_i].fine ? NULL : "nested too deeply (the limit is");
    free(s);
}
END_TEST

START_TEST(what_is_within_the_limit)
{
    char *open = repeated("fn f() = ", "(", 256, "x");
    char *closed = repeated(open, ")", 256, ";");
    char *power = repeated("fn f() = a", "^a", 255, ";");

    expect_errors(closed, 0, NULL);
    expect_errors(power, 0, NULL);
    free(open);
    free(closed);
    free(power);
}
END_TEST

START_TEST(a_long_chain_prints)
{
    char *s = repeated("fn f() = a", " + a", 100000, ";");
    Read r = read_text(s, strlen(s));
    Str out = str_new(r.arena);
    const Expr *e = r.ast->item.at[0]->fn->body;

    ck_assert_int_eq(e->depth, 2);
    expr_print(e, &out);
    ck_assert_uint_eq(out.n, 400001);
    done(&r);
    free(s);
}
END_TEST

/* Programs cut anywhere, with a byte changed: any messages, no crash. */
START_TEST(cut_and_changed)
{
    static const char text[] =
        "use nn as n; struct A[n] { W: real[n] ~ f(1), b: [T; 2] = 0, }\n"
        "fn f[T](x: T = 1.5e3) -> (T, fn(T) -> T) { let (a, b) = x |> g(1)'; "
        "if a <= b { [i < n | A[i, 1:, ..]] } else { fold(t, h = 0 | h^-2) } "
        "}\nexport grad(f, x) as g; train l(net) { a = b.0.c; }\n";
    size_t n = sizeof text - 1;
    char changed[sizeof text];

    for (size_t cut = 0; cut <= n; cut++) {
        Read r = read_text(text, cut);
        done(&r);
    }
    srand(7);
    for (int i = 0; i < 2000; i++) {
        memcpy(changed, text, sizeof text);
        for (int k = 0; k < 3; k++)
            changed[(size_t)rand() % n] = text[(size_t)rand() % n];
        Read r = read_text(changed, n);
        done(&r);
    }
}
END_TEST

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *s = suite_create("syntax");
    TCase *t = tcase_create("parse");

    tcase_add_loop_test(t, expression_prints, 0, LENGTH(expressions));
    tcase_add_test(t, whole_program);
    tcase_add_test(t, spans_have_the_sources_base);
    tcase_add_test(t, errors_are_told_together);
    tcase_add_test(t, no_text);
    tcase_add_loop_test(t, nesting_has_a_limit, 0, LENGTH(chains));
    tcase_add_test(t, what_is_within_the_limit);
    tcase_add_test(t, a_long_chain_prints);
    tcase_add_test(t, cut_and_changed);
    suite_add_tcase(s, t);
    return run_suite(s);
}
