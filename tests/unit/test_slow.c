/* test_slow.c: what is told to take long for what it gives, and what is near to
 * that and is not. */
#include "kernel/kernel.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>

#define ACROSS(x, by) x " is read across: its elements are " by " apart"
#define GATHERED(x)                                                            \
    x " is read element by element though no data decide where: slices, put "  \
      "together by concat, are not"
#define UNLINKED                                                               \
    "no step needs the one before it: a comprehension, or a reduction of one," \
    " takes them side by side"
#define STEPS(n) n " steps, and no product of matrices"

typedef struct Case {
    const char *text, *told; /* of f, in order */
} Case;

static const Case cases[] = {
#include "slow.def"
};
enum { NCASES = sizeof cases / sizeof *cases };

static void add(void *u, Span span, const char *text)
{
    Str *to = u;

    ck_assert_int_lt(span.beg, span.end);
    str_printf(to, "%s%s", to->n ? "; " : "", text);
}

START_TEST(what_is_slow_is_told)
{
    const Case *c = &cases[_i];
    const CheckOptions o = {.real = DT_f32};
    Program *p = compile_with(c->text, &o);
    Function *f = p ? program_function(p, "f") : NULL;
    Str told = str_new(arena);

    ck_assert_msg(f, "%s: %s", c->text, messages());
    Graph *g = program_module(p)->graph;
    simplify_functions(g, &f, 1);
    expand_functions(g, &f, 1);
    schedule_slow(arena, g, schedule(arena, g, f), add, &told);
    ck_assert_msg(strcmp(told.n ? told.at : "", c->told) == 0,
                  "%s:\n  %s\n  not %s", c->text, told.n ? told.at : "nothing",
                  c->told);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("slow");
    TCase *t = tcase_create("slow");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, what_is_slow_is_told, 0, NCASES);
    suite_add_tcase(s, t);
    return run_suite(s);
}
