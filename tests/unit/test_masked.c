/* test_masked.c: an element that is -inf is as good as none, in all orders of
 * all modes: what reads exponentials of it has the derivatives that it has
 * without it, although the element's own are infinite. */
#include "programs.h"

#include <math.h>
#include <string.h>

#include "suite.h"

/* What n numbers u come to. */
static const char *const readers[] = {
    "logsumexp(u)",
    "sum(softmax(u)^2)",
    "sum(exp(2 * u))",
    "sum(softplus(u) * sigmoid(u))",
    "tanh(fold(i < size(u), a = -inf | logaddexp(a, u[i])))",
    "sum(remat(fn(x: real[n]) = exp(x - logsumexp(x) / 2))(u))",
    "sum(exp(u) @ [i < n, j < n | exp(u[i] * 2 + u[j] - logsumexp(u))])",
};

/* How numbers become elements by g, in front those that become -inf. */
static const struct {
    const char *all, *some;
} makers[] = {
    {"log(w) / g", "log(w[1:]) / g"},
    {"where(w > 0, w, -inf) / g", "w[1:] / g"},
    {"where(w > 0, w * g, -inf) * g", "w[1:] * g * g"},
    {"(log(w) + sqrt(g)) / exp(g)", "(log(w[1:]) + sqrt(g)) / exp(g)"},
    {"remat(fn(x: real[3]) = x / g)(log(w))", "log(w[1:]) / g"},
    {"fold(t < 2, u = log(w) | u / g)", "log(w[1:]) / (g * g)"},
    {"fold(t < 2, u = where(w > 0, w, -inf) / g | g * u)", "w[1:] * g"},
};

/* Of order one to three. */
static const char *const modes[] = {
    "grad(%s)(g)",
    "jvp(%s)(g, 1.0).1",
    "grad(grad(%s))(g)",
    "hvp(%s)(g, 1.0)",
    "jvp(grad(%s))(g, 1.0).1",
    "grad(grad(grad(%s)))(g)",
    "jvp(hvp(%s))(g, 1.0, 1.0).1",
    "hvp(grad(%s))(g, 1.0)",
    "grad(hvp(%s))(g, 1.0)",
};

enum {
    READERS = sizeof readers / sizeof *readers,
    MAKERS = sizeof makers / sizeof *makers,
    MODES = sizeof modes / sizeof *modes
};

static const char *call(const char *mode, const char *f)
{
    const char *format = strstr(mode, "%s");
    return arena_printf(arena, "%.*s%s%s", (int)(format - mode), mode, f,
                        format + 2);
}

START_TEST(as_if_it_were_not_there)
{
    const char *text =
        arena_printf(arena,
                     "const w = [0, 0.5, 1.25];\nconst g = 1.5;\n"
                     "fn read(u: real[n]) -> real = %s;\n"
                     "fn all(g: real) -> real = read(%s);\n"
                     "fn some(g: real) -> real = read(%s);\n",
                     readers[_i % READERS], makers[_i / READERS].all,
                     makers[_i / READERS].some);
    Program *p = compile(text);
    for (int k = 0; k < MODES; k++) {
        double right = *value_of(p, call(modes[k], "some"));
        double found = *value_of(p, call(modes[k], "all"));
        ck_assert_msg(fabs(found - right) <= 1e-11 * (1 + fabs(right)),
                      "%s%s: %.17g, not %.17g", text, modes[k], found, right);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("masked");
    TCase *t = tcase_create("masked");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, as_if_it_were_not_there, 0, READERS * MAKERS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
