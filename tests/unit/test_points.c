/* test_points.c: first to third derivatives of every operator at its special
 * points: zeros, ties, the ends of its domain, empty and single extents. What
 * forward and reverse mode give, mixed in every order, is one; it is what
 * differences of the next lower derivative say, where these can judge. */
#include "eval/eval.h"
#include "graph/op.h"
#include "harness.h"
#include "programs.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Derivatives of f(t), by orders: of each order, in every order of modes. */
enum { NMODES = 1 + 2 + 4 + 8 };
static const int first_of[] = {0, 1, 3, 7, NMODES};

/* P: f's parameters before t, A: the same as arguments. */
#define MODES(P, A)                                                            \
    "fn r1(" P "t: real) -> real = grad(f, t)(" A "t);\n"                      \
    "fn f1(" P "t: real) -> real = jvp(f, t)(" A "t, 1.0).1;\n"                \
    "fn rr(" P "t: real) -> real = grad(r1, t)(" A "t);\n"                     \
    "fn rf(" P "t: real) -> real = jvp(r1, t)(" A "t, 1.0).1;\n"               \
    "fn fr(" P "t: real) -> real = grad(f1, t)(" A "t);\n"                     \
    "fn ff(" P "t: real) -> real = jvp(f1, t)(" A "t, 1.0).1;\n"               \
    "fn all(" P "t: real) -> real[15] =\n"                                     \
    "  [f(" A "t), r1(" A "t), f1(" A "t), rr(" A "t), rf(" A "t),\n"          \
    "   fr(" A "t), ff(" A "t), grad(rr, t)(" A "t),\n"                        \
    "   jvp(rr, t)(" A "t, 1.0).1, grad(rf, t)(" A "t),\n"                     \
    "   jvp(rf, t)(" A "t, 1.0).1, grad(fr, t)(" A "t),\n"                     \
    "   jvp(fr, t)(" A "t, 1.0).1, grad(ff, t)(" A "t),\n"                     \
    "   jvp(ff, t)(" A "t, 1.0).1];\n"                                         \
    "fn around(" P "t: real, h: real) -> real[5, 15] =\n"                      \
    "  [i < 5 | all(" A "t + h * real(i - 2))];\n"

static const double step = 1e-4;

/* The finite value that the modes have in common, all of them where `all`. */
static double common(const char *what, int order, const double *v, bool all)
{
    double is = NAN;

    for (int i = first_of[order]; i < first_of[order + 1]; i++)
        if (isfinite(v[i]))
            is = v[i];
    for (int i = first_of[order]; isfinite(is) && i < first_of[order + 1]; i++)
        if (!(fabs(v[i] - is) <= 1e-9 * (1 + fabs(is))) &&
            (all || isfinite(v[i])))
            ck_abort_msg("%s: derivative %d is %g, %g in mode %d", what, order,
                         is, v[i], i - first_of[order]);
    return is;
}

/* Is a derivative what the values of the next lower one around the point have
 * for a slope: from both sides, over both distances. */
static bool judges(const double *low, double h, double *slope)
{
    double left = (low[2] - low[1]) / h, right = (low[3] - low[2]) / h;
    double wide = (low[4] - low[0]) / (4 * h);

    *slope = (low[3] - low[1]) / (2 * h);
    double scale = 1 + fabs(*slope);
    return fabs(left - right) <= 1e-2 * scale &&
           fabs(wide - *slope) <= 1e-4 * scale;
}

/* Rows are all modes at t - 2h, t - h, t, t + h, t + 2h. At a pole the modes
 * need not be finite together. */
static void judge_all(const char *what, const double *at, bool poles)
{
    bool there = true; /* are all lower derivatives */

    for (int order = 1; order <= 3; order++) {
        double low[5], slope = 0;

        for (int k = 0; k < 5; k++)
            low[k] = at[k * NMODES + first_of[order - 1]];
        there = there && judges(low, step, &slope);
        double is = common(what, order, at + 2 * NMODES, there || !poles);
        if (there && !(fabs(is - slope) <= 1e-3 * (1 + fabs(slope))))
            ck_abort_msg("%s: derivative %d is %g, by differences %g", what,
                         order, is, slope);
    }
}

static void check_derivatives(const char *what, const char *f, const char *t)
{
    Program *p = compile(arena_printf(arena, "%s%s", f, MODES("", "")));

    ck_assert_msg(p, "%s: %s", what, messages());
    judge_all(what, value_of(p, arena_printf(arena, "around(%s, %g)", t, step)),
              true);
}

/* Elementwise operators. */

static const char *const points[] = {"0.0", "1.0",  "-1.0",
                                     "0.5", "-2.0", "2.0"};
static const char *const directions[][2] = {
    {"1", "0"}, {"0", "1"}, {"1", "1"}, {"1", "-1"}};

enum {
    NPOINTS = sizeof points / sizeof *points,
    NDIRECTIONS = sizeof directions / sizeof *directions,
    APART = NDIRECTIONS / CASES(NDIRECTIONS) /* those of one point */
};

static void check_unary(const Op *row)
{
    for (int i = 0; i < NPOINTS; i++)
        check_derivatives(
            arena_printf(arena, "%s(%s)", row->name, points[i]),
            arena_printf(arena, "fn f(t: real) -> real = %s(t);\n", row->name),
            points[i]);
}

static const char *argument(const char *at, const char *direction)
{
    return strcmp(direction, "0") == 0
               ? at
               : arena_printf(arena, "%s + %s * t", at, direction);
}

static void check_binary(const Op *row)
{
    for (int i = 0; i < NPOINTS; i++)
        for (int j = 0; j < NPOINTS; j++)
            for (int d = (i + j) % APART; d < NDIRECTIONS; d += APART) {
                const char *body =
                    arena_printf(arena, "%s(%s, %s)", row->name,
                                 argument(points[i], directions[d][0]),
                                 argument(points[j], directions[d][1]));

                check_derivatives(
                    body,
                    arena_printf(arena, "fn f(t: real) -> real = %s;\n", body),
                    "0.0");
            }
}

START_TEST(elementwise)
{
    const Op *row = op_table[_i];

    if (row->cls != OPC_ewise || !(row->flags & OP_SURFACE) ||
        !(row->takes & ON_real) || row->flags & OP_TO_BOOL ||
        !op_has_partial(row))
        return;
    if (row->arity == 1)
        check_unary(row);
    else if (row->arity == 2)
        check_binary(row);
}
END_TEST

/* Functions of several numbers, of any and of a constant number of them. */

static const char *const of_many[] = {
    "prod(x)",
    "max(x)",
    "min(x)",
    "logsumexp(x)",
    "mean(x * x)",
    /* of roots that are 0 */
    "norm(x)^2",
    "norm(x)^4",
    "sum(x) * norm(x)^2",
    "exp(-norm(x)^2)",
    "sqrt(1 + norm(x)^2)",
    "hypot(sum(x), 2.0)",
    "hypot(sum(x), 0.0)^2",
    "1 / sqrt(1 + sum(x)^2)",
};
typedef struct Line {
    int n;
    double at[5], by[5];
} Line;

static const Line lines[] = {
    {3, {0, 0, 3}, {1, 2, 1}},
    {3, {0, 0, 0}, {1, -2, 0.5}},
    {3, {2, 2, 1}, {1, 1, 3}},
    {3, {2, 2, 1}, {1, 1, 1}},
    {3, {0, -1, 2}, {1, 2, 3}},
    {1, {0}, {1.5}},
    {5, {0, 0, 0, 0, 2}, {1, 1, 2, 1, 1}},
    {0, {0}, {0}},
};

enum {
    NOF_MANY = sizeof of_many / sizeof *of_many,
    NLINES = sizeof lines / sizeof *lines
};

static const char sized[] =
    "fn f(x: real[n], v: real[n], t: real) -> real"
    " { let x = x + t * v; %s }\n" MODES("x: real[n], v: real[n], ", "x, v, ");

/* NULL: an extreme of nothing, refused where that is seen. */
static double *around(const char *text, const Line *k)
{
    Program *p = compile(text);
    const double zero = 0;
    const int64_t size = k->n;
    double *out;

    if (!p)
        return NULL;
    Function *f = program_function(p, "around");
    EvalInput in[] = {{f->param[0].leaf[0], k->at},
                      {f->param[1].leaf[0], k->by},
                      {f->param[2].leaf[0], &zero},
                      {f->param[3].leaf[0], &step}};
    EvalStatus s =
        eval_nodes(arena, program_module(p)->graph, 1, f->result[0].leaf, 4, in,
                   f->nvar, f->var, &size, &out);
    ck_assert_int_eq(s, EVAL_OK);
    return out;
}

START_TEST(reductions)
{
    const char *of = of_many[_i % NOF_MANY];
    const Line *k = &lines[_i / NOF_MANY];
    const char *what = arena_printf(arena, "%s, row %d", of, _i / NOF_MANY);
    const char *text = arena_printf(arena, sized, of);
    const char *constant = arena_printf(arena, "const n = %d;\n%s", k->n, text);
    double *free = around(text, k), *fixed = around(constant, k);

    ck_assert_ptr_nonnull(free);
    judge_all(what, free, false);
    ck_assert(fixed || k->n == 0);
    for (int i = 0; fixed && i < 5 * NMODES; i++)
        ck_assert_msg(fabs(free[i] - fixed[i]) <= 1e-9 * (1 + fabs(fixed[i])) ||
                          !isfinite(fixed[i]),
                      "%s: %g, of a constant size %g", what, free[i], fixed[i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("points");
    TCase *t = tcase_create("points");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, elementwise, 0, NOPS);
    tcase_add_loop_test(t, reductions, 0, NOF_MANY * NLINES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) { return run_suite(suite()); }
