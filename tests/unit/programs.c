/* programs.c: programs that tests compile, and what their expressions are. */
#include "programs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/eval.h"
#include "suite.h"

Arena *arena;
Diags *diags;

void programs_setup(void)
{
    arena = arena_new();
    diags = diags_new(arena);
}

void programs_teardown(void) { arena_free(arena); }

Program *compile_with(const char *text, const CheckOptions *o)
{
    return check_program(arena, diags, "test.nn", text, strlen(text), o);
}

Program *compile(const char *text)
{
    const CheckOptions o = {.real = DT_f64};

    return compile_with(text, &o);
}

const char *messages(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    const char *copy;

    diags_print(diags, f, false);
    fclose(f);
    copy = arena_printf(arena, "%s", text);
    free(text);
    return copy;
}

double *value_of(Program *p, const char *expression)
{
    Graph *g;
    Function *f;
    double *out[1];
    Node *leaf;

    ck_assert_msg(p, "%s", messages());
    f = program_function(p, expression);
    ck_assert_msg(f, "%s: %s", expression, messages());
    ck_assert_int_eq(f->nresult, 1);
    g = program_module(p)->graph;
    leaf = f->result[0].leaf[0];
    graph_verify(g, 1, &leaf);
    ck_assert_int_eq(
        eval_nodes(arena, g, 1, &leaf, 0, NULL, 0, NULL, NULL, out), EVAL_OK);
    return out[0];
}

void ck_value(Program *p, const char *expression, int n, const double *expected,
              double within)
{
    const double *out = value_of(p, expression);

    for (int i = 0; i < n; i++)
        ck_assert_msg(fabs(out[i] - expected[i]) < within, "%s: %.17g",
                      expression, out[i]);
}
