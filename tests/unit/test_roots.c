/* test_roots.c: functions of a square root of squares have the derivatives that
 * they have as functions of what it is the root of, also where that is 0: by
 * both modes, twice. */
#include <check.h>
#include <math.h>

#include "eval/eval.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

/* Sums of squares, of rows of a: two numbers. What x, w and c are is no square;
 * what is named so is above 0. */
static const char *const squares[] = {
    "[i < 2 | sum(j < 3 | a[i, j] ^ 2)]",
    "[i < 2 | sum(j < 3 | (a[i, j] * x[i, j]) ^ 2)]",
    "[i < 2 | sum(j < 3 | a[i, j] ^ 2 / exp(x[i, j]))]",
    "[i < 2 | sum(j < 3 | a[i, j] ^ 2) / exp(w[i])]",
    "[i < 2 | sum(j < 3 | a[i, j] ^ 2 / exp(a[i, 2 - j]))]",
    "[i < 2 | sum(j < 3 | a[i, j] ^ 2) / exp(a[i, 0])]",
    "[i < 2 | a[i, 0] ^ 2 / exp(a[i, 1]) + a[i, 2] ^ 2]",
    "[i < 2 | 3 * (a[i, 0] ^ 2 * a[i, 1] ^ 2) + exp(w[i]) * a[i, 2] ^ 2]",
    "[i < 2 | a[i, 0] ^ 4 + a[i, 1] ^ 2]",
    "[i < 2 | if w[i] > 0 { a[i, 0] ^ 2 } else { 2 * a[i, 1] ^ 2 }]",
    "[i < 2 | where(w[i] > 0, 0.0, 2) * a[i, 0] ^ 2 + a[1 - i, 1] ^ 2]",
    "[i < 2 | sum(j < 3 | where(x[i, j] > 0, a[i, j] ^ 2, 0))]",
    "[i < 2 | sum(j < 2 | a[j, i] ^ 2)]",
    "[i < 2 | sum(j < 2, k < 2 | (a[j, k] * x[i, j] - a[1 - i, k]) ^ 2)]",
    "reshape([i < 1, k < 2 | sum(j < 3 | a[k, j] ^ 2)], [2])",
    "[i < 2 | sum(j < 3 | (a[0, j] + real(i)) ^ 2)]",
    "[i < 2 | sum(a * a)]",
    /* Of these the last ROUGH functions have wrong second derivatives at 0. */
    ("[i < 2 | sum(j < 3 | where(x[i, j] > 0, sum(k < 3 | a[i, k] ^ 2), "
     "exp(w[i]) * a[i, j] ^ 2))]"),
    "[i < 2 | sum(j < 3 | a[i, j] ^ 2 * exp(x[i, j]))]",
    "[i < 2 | sum(reshape(a * a, [3, 2]), axis = 0)[i]]",
    "(a * a) @ [1.0, 2, 3]",
    "(a * a) @ exp(x[0])",
};
enum { NSQUARES = sizeof squares / sizeof *squares, APART = 5 };

/* Of a root r, and of what it is the root of. */
static const char *const functions[][2] = {
    {"r ^ 2", "s"},
    {"r ^ 4 / 2 - r * r", "s * s / 2 - s"},
    {"exp(-r ^ 2)", "exp(-s)"},
    {"r * r * r * r / (1 + r * r)", "s * s / (1 + s)"},
    {"r ^ 4 / (1 + r ^ 2)", "s * s / (1 + s)"},
    {"(1 + r + r * r / 3) * exp(-r)",
     "where(s > 0, (1 + exp(log(s) / 2) + s / 3) * exp(-exp(log(s) / 2)), "
     "1 - s / 6)"},
};
enum { NFUNCTIONS = sizeof functions / sizeof *functions, ROUGH = 1 };

enum { ROWS = 2, COLUMNS = 3, SIZE = ROWS * COLUMNS, RESULTS = 6, POINTS = 5 };
static const int size_of[RESULTS] = {SIZE, 1, SIZE, SIZE, SIZE, 1};

#define PARAMS                                                                 \
    "a: real[2, 3], x: real[2, 3], d: real[2, 3], e: real[2, 3], w: real[2]"
#define OF "fn(a: real[2, 3]) = f(a, x, w)"
#define TANGENT "jvp(" OF ")(b, d).1"

typedef struct Evaluated {
    Program *program;
    Function *f;
    double *out[RESULTS];
} Evaluated;

/* All first and second derivatives. */
static Evaluated derivatives(const char *square, const char *of)
{
    Evaluated e = {.program = NULL};

    e.program = compile(arena_printf(
        arena,
        "fn f(a: real[2, 3], x: real[2, 3], w: real[2]) -> real = {\n"
        "  %s;\n  sum(w * (%s))\n};\n"
        "fn all(" PARAMS ") = {\n"
        "  let b = a;\n"
        "  (grad(" OF ")(a), " TANGENT ",\n"
        "   grad(fn(b: real[2, 3]) = sum(d * grad(" OF ")(b)))(a),\n"
        "   jvp(fn(b: real[2, 3]) = grad(" OF ")(b))(a, d).1,\n"
        "   grad(fn(b: real[2, 3]) = " TANGENT ")(a),\n"
        "   jvp(fn(b: real[2, 3]) = " TANGENT ")(a, e).1)\n"
        "};\n",
        square, of));
    ck_assert_msg(e.program, "%s", messages());
    e.f = program_function(e.program, "all");
    ck_assert_msg(e.f, "%s", messages());
    ck_assert_int_eq(e.f->nresult, RESULTS);
    simplify_functions(program_module(e.program)->graph, &e.f, 1);
    return e;
}

/* 0, elsewhere, and where rows, columns and elements are 0. */
static double element(int point, int k)
{
    bool none[POINTS] = {true, false, k < COLUMNS, k % COLUMNS == 0,
                         k % COLUMNS != 0};

    return none[point] ? 0 : sin(3 + 5.0 * k);
}

static void evaluate(Evaluated *e, int point)
{
    EvalInput in[5];
    Node *root[RESULTS];

    for (int r = 0; r < RESULTS; r++)
        root[r] = e->f->result[r].leaf[0];
    for (int i = 0; i < 5; i++) {
        double *to = NEWN(arena, double, SIZE);
        for (int k = 0; k < SIZE; k++)
            to[k] = i ? cos(i + 2.0 * k) : element(point, k);
        in[i] = (EvalInput){e->f->param[i].leaf[0], to};
    }
    ck_assert_int_eq(eval_nodes(arena, program_module(e->program)->graph,
                                RESULTS, root, 5, in, 0, NULL, NULL, e->out),
                     EVAL_OK);
}

static void compare(const Evaluated *got, const Evaluated *want,
                    const char *name, int point)
{
    static const char *const result[RESULTS] = {"grad",         "jvp",
                                                "grad of grad", "jvp of grad",
                                                "grad of jvp",  "jvp of jvp"};

    for (int r = 0; r < RESULTS; r++)
        for (int k = 0; k < size_of[r]; k++) {
            double v = got->out[r][k], w = want->out[r][k];
            ck_assert_msg(fabs(v - w) <= 1e-9 * (1 + fabs(w)),
                          "%s: %s at point %d: element %d is %.9g, not %.9g",
                          name, result[r], point, k, v, w);
        }
}

/* By the root, and by what it is the root of. */
START_TEST(derivatives_of_a_root_are_those_of_squares)
{
    const char *square = squares[_i / NFUNCTIONS];
    bool apart = _i / NFUNCTIONS >= NSQUARES - APART;
    const char *const *of = functions[_i % NFUNCTIONS];
    Evaluated got =
        derivatives(arena_printf(arena, "let r = sqrt(%s)", square), of[0]);
    Evaluated want =
        derivatives(arena_printf(arena, "let s = %s", square), of[1]);

    if (apart && _i % NFUNCTIONS >= NFUNCTIONS - ROUGH)
        return;
    for (int p = 0; p < POINTS; p++) {
        evaluate(&got, p);
        evaluate(&want, p);
        compare(&got, &want,
                arena_printf(arena, "%s, r = sqrt(%s)", of[0], square), p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("roots");
    TCase *t = tcase_create("roots");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, derivatives_of_a_root_are_those_of_squares, 0,
                        NSQUARES * NFUNCTIONS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
