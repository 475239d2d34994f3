/* test_extremes.c: where a tensor is its own maximum is asked of what is
 * computed again, in other loops, with other uses of its parts, in another
 * kernel: as machine code for each CPU level it has to be the same number, or
 * the derivative of the maximum is 0. So is what is divided by its own norm. */
#include "compiled.h"

#include <check.h>
#include <math.h>

#include "programs.h"
#include "suite.h"

/* All have one free dimension, n, and a first result whose elements add up to
 * 1. What a maximum is taken of has products that others use. */
static const char text[] =
    "fn line(v: real[n], w: real[n], u: real[n]) -> real = max(v * w + u);"
    "fn used(v: real[n], w: real[n], u: real[n]) -> (real[n], real[n]) ="
    "  (grad(line, u)(v, w, u), exp(v * w));"
    "fn divided(v: real[n], w: real[n], u: real[n]) -> (real[n], real[n]) ="
    "  (grad(line, u)(v, w, u), v * w / line(v, w, u));"
    "fn kept(v: real[n], w: real[n], u: real[n]) -> (real[n], real[n]) ="
    "  (grad(line, u)(v, w, u), v * w);"
    "fn apart(v: real[n], w: real[n], u: real[n]) -> (real[n], real[n]) ="
    "  (grad(line, u)(v, w, u), sin(v * w - w * u));"
    "fn rows(v: real[n], w: real[n], a: real[n, 9]) -> real ="
    "  max(expand(v * w, 1) + a);"
    "fn along(v: real[n], w: real[n], a: real[n, 9]) ->"
    "    (real[n, 9], real[9, n]) ="
    "  (grad(rows, a)(v, w, a), (expand(exp(v * w), 1) * a)');"
    "fn across(v: real[n], w: real[n], a: real[n, 9]) ->"
    "    (real[9, n], real[n]) ="
    "  (grad(rows, a)(v, w, a)', exp(v * w));"
    "fn areas(v: real[n], w: real[n], u: real[n]) -> real ="
    "  max(v * v - u * u + w);"
    "fn two(v: real[n], w: real[n], u: real[n]) -> (real[n], real[n]) ="
    "  (grad(areas, w)(v, w, u), exp(u * u));"
    "fn gap(v: real[n], w: real[n], u: real[n]) -> real = max(v * w - u * u);"
    "fn same(v: real[n], w: real[n], u: real[n]) -> (real[n], real[n]) ="
    "  ([i < n | where(v[i] * w[i] - u[i] * u[i] == gap(v, w, u), 1.0, 0)],"
    "   v * w);"
    "fn peak(v: real[n], w: real[n]) -> real ="
    "  max((diag(v) + w) @ (diag(v) + v));"
    "fn bent(v: real[n], w: real[n]) -> real[n, n] ="
    "  hessian(peak, v)(v, w / 1024) / 4;"
    /* What is 0 of one number is, and its root's derivative. */
    "fn spread(v: real[n]) -> real = std(mean(diag(v) * diag(v), axis = 0));"
    "fn lone(v: real[n]) -> real[n] {"
    "  let d = grad(spread)(v);"
    "  [i < n | if n == 1 { 1 + d[i] } else { real(i == 0) }]"
    "}"
    "export used, divided, kept, apart, along, across, two, same, bent, lone;";

/* Numbers whose products are rounded. */
static void fill(const Node *n, void *to, int64_t count, int seed)
{
    for (int64_t i = 0; i < count; i++)
        put_number(n->dtype, to, i,
                   sin((double)(i * i + 7 * i + 31 * seed + 1)));
}

static double sum_of(const Node *n, const void *from, int64_t count)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++)
        sum += get_number(n->dtype, from, i);
    return sum;
}

static void run(Compiled *c, int i, int64_t size, int seed)
{
    const Function *f = c->module.function.at[i];
    Leaves l = leaves_new(c, i, size);

    for (int k = 0; k < l.n; k++)
        fill(l.node[k], l.at[k], l.count[k], seed + k);
    leaves_call(c, i, size, &l);
    int first = f->nparam;
    double sum = sum_of(l.node[first], l.at[first], l.count[first]);
    ck_assert_msg(sum == 1, "%s with n = %d: %g is the maximum, not 1", f->name,
                  (int)size, sum);
    leaves_free(&l);
}

static void run_all(DType real, int level)
{
    static const int64_t sizes[] = {1, 1, 1, 1,  2,  2,  3,  4, 5,
                                    7, 8, 9, 13, 16, 17, 33, 50};

    if (level_lacks(level))
        return;
    const CheckOptions o = {.real = real};
    Program *p = compile_with(text, &o);
    ck_assert_msg(p, "%s", messages());
    Compiled c = compiled_program(arena, p, level);
    for (int i = 0; i < c.module.function.n; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            run(&c, i, sizes[k], (int)(k * MAX_LEAVES));
    jit_close(c.jit);
}

START_TEST(floats_are_their_maximum) { run_all(DT_f32, _i); }
END_TEST

START_TEST(doubles_are_their_maximum) { run_all(DT_f64, _i); }
END_TEST

int main(void)
{
    Suite *s = suite_create("extremes");
    TCase *t = tcase_create("extremes");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, floats_are_their_maximum, 0, LEVELS - 1);
    tcase_add_loop_test(t, doubles_are_their_maximum, 0, LEVELS - 1);
    suite_add_tcase(s, t);
    return run_suite(s);
}
