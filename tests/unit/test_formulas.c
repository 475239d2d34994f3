/* test_formulas.c: which values are written with matrices, diagonals and means,
 * and which are only nearly such. With UPDATE=1 it writes formulas.def as they
 * are now: read the difference. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs.h"
#include "show/show.h"
#include "suite.h"

/* An expression, for people, and as a program. */
typedef struct Written {
    const char *text, *shown, *literal;
} Written;

static const Written written[] = {
#include "formulas.def"
};
enum { NWRITTEN = sizeof written / sizeof *written };

static const char *shown(Function *f, Graph *g, const Notation *in)
{
    ShowOptions o = {.literal = in == &notation_nn};
    Node *input[16];
    int n = 0;

    for (int i = 0; i < f->nparam; i++)
        input[n++] = f->param[i].leaf[0];
    Shows *w = show_new(arena, g, &o, n, input);
    ShowResult r = {NULL, "f", f->result[0].leaf[0]};
    Str to = str_new(arena);
    show_results(w, 1, &r);
    equations_write(in, &w->all, &to);
    while (to.n && to.at[to.n - 1] == '\n')
        to.at[--to.n] = 0;
    return to.at;
}

/* Lines as one. */
static const char *flat(const char *text)
{
    Str to = str_new(arena);

    for (; *text; text++)
        if (*text == '\n')
            str_printf(&to, " ");
        else if (*text != ' ' || (to.n && to.at[to.n - 1] != ' '))
            str_printf(&to, "%c", *text);
    return to.at;
}

static void put_quoted(FILE *to, const char *before, const char *text,
                       const char *after)
{
    fputs(before, to);
    for (; *text; text++)
        fprintf(to, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputs(after, to);
}

static void write_formula(const char *text, const char *shown,
                          const char *literal)
{
    FILE *to = fopen("tests/unit/formulas.def", "a");

    ck_assert_ptr_nonnull(to);
    put_quoted(to, "{\"", text, "\",\n");
    put_quoted(to, " \"", shown, "\",\n");
    put_quoted(to, " \"", literal, "\"},\n");
    fclose(to);
}

START_TEST(formulas_are_read)
{
    const Written *k = &written[_i];
    const CheckOptions o = {.real = DT_f64, .labels = true, .written = true};
    Program *p = compile_with(
        arena_printf(arena,
                     "fn f(x: real[n, n], y: real[n, m], z: real[m, k], "
                     "b: real[n, m, n], v: real[n], w: real[n], u: real[m], "
                     "s: real, p: int[n, n], q: int[n]) = %s;\n",
                     k->text),
        &o);
    Function *f = p ? program_function(p, "f") : NULL;

    ck_assert_msg(f, "%s", messages());
    Graph *g = program_module(p)->graph;
    const char *text = flat(shown(f, g, &notation_text));
    const char *literal = flat(shown(f, g, &notation_nn));
    if (getenv("UPDATE")) {
        write_formula(k->text, text, literal);
    } else {
        ck_assert_str_eq(text, k->shown);
        ck_assert_str_eq(literal, k->literal);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("formulas");
    TCase *t = tcase_create("formulas");

    if (getenv("UPDATE") && remove("tests/unit/formulas.def") != 0)
        return EXIT_FAILURE;
    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, formulas_are_read, 0, NWRITTEN);
    suite_add_tcase(s, t);
    return run_suite(s);
}
