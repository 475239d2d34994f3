/* test_systems.c: small systems as their elements, functions of their numbers
 * side by side: how many operations of a kind are left. That they give what is
 * written, test_plans.c tests. */
#include "graph/region.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static const char eliminate[] =
    "fn eliminate(A: real[5, 5], b: real[5]) -> real[5] {\n"
    "  let (U, c) = fold(k < 5, M = A, r = b | {\n"
    "    let l = [i < 5 | where(i > k, M[i, k] / M[k, k], 0)];\n"
    "    ([i, j | M[i, j] - l[i] * M[k, j]], [i | r[i] - l[i] * r[k]])\n"
    "  });\n"
    "  solve_upper(U, c)\n"
    "}\n";

/* A sum of functions of single numbers. */
#define TWO(f, a, b) f "(x[" #a "]) + " f "(x[" #b "])"
#define SIX(f) TWO(f, 0, 1) " + " TWO(f, 2, 3) " + " TWO(f, 4, 5)
#define TWELVE(f)                                                              \
    SIX(f) " + " TWO(f, 6, 7) " + " TWO(f, 8, 9) " + " TWO(f, 10, 11)

typedef struct Case {
    const char *f, *op;
    int count;
} Case;

/* Each element of each column below the diagonal is divided once, and each of
 * the solution. */
static const Case cases[] = {
    {"fn f(A: real[5, 5], b: real[5]) = eliminate(A, b);", "div", 15},
    {"fn f(A: real[n, 5, 5], b: real[n, 5]) = [s | eliminate(A[s], b[s])];",
     "div", 15},
    {"fn f(x: real[5], b: real[5]) = "
     "eliminate([i, j | if i == 0 && j == 0 { 3 } else { x[i] - x[j] }], b);",
     "div", 15},
    /* Two quotients are no more than one with two products. */
    {"fn f(x: real[n, 3], y: real[n]) = "
     "[s | sum(i < 3 | x[s, i] * x[s, (i + 1) % 3]) / y[s] + x[s, 0] / y[s]];",
     "div", 2},
    /* Functions of numbers side by side; with others of the same ones; too few;
       each of the one before; in a loop's steps, and in what ends it; some of
       which are not computed; of differences, each once. */
    {"fn f(x: real[12]) = " TWELVE("exp") ";", "exp", 1},
    {"fn f(x: real[12]) = " TWELVE("sin") " - cos(x[3]);", "cos", 1},
    {"fn f(x: real[12]) = " SIX("exp") ";", "exp", 6},
    {"fn f(x: real[12]) = exp(exp(" TWELVE("exp") "));", "exp", 3},
    {"fn f(x: real[12], n: int) = "
     "fold(t < n, s = 1.0 | s * (" TWELVE("exp") ") + " TWELVE("s * sin") ");",
     "sin", 1},
    {"fn f(x: real[12], n: int) = "
     "fold(t < n, x = x, until = " TWELVE("exp") " < 9 | [i < 12 | x[i] - 1]);",
     "exp", 12},
    {"fn f(x: real[12], c: bool) = if c { " TWELVE("exp") " } else { 0 };",
     "exp", 12},
    {"fn f(x: real[5], b: real[5]) = eliminate([i, j | cos(x[i] - x[j])], b);",
     "cos", 1},
};
enum { NCASES = sizeof cases / sizeof *cases };

START_TEST(operations_are_few)
{
    const Case *c = &cases[_i];
    const CheckOptions o = {.real = DT_f64};
    Program *p = compile_with(arena_printf(arena, "%s%s", eliminate, c->f), &o);
    Function *f = p ? program_function(p, "f") : NULL;
    int count = 0;

    ck_assert_msg(f, "%s: %s", c->f, messages());
    Graph *g = program_module(p)->graph;

    simplify_functions(g, &f, 1);
    expand_functions(g, &f, 1);
    Nodes root = functions_roots(arena, &f, 1);
    Reach all = reach_enter(g, arena, 0, REACH_BODIES, root.n, root.at);

    for (int i = 0; i < all.n; i++)
        count += strcmp(op_table[all.node[i]->op]->name, c->op) == 0;
    reach_leave(&all);
    ck_assert_msg(count == c->count, "%s: %s %d times, not %d", c->f, c->op,
                  count, c->count);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("systems");
    TCase *t = tcase_create("systems");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, operations_are_few, 0, NCASES);
    suite_add_tcase(s, t);
    return run_suite(s);
}
