/* test_small.c: many small things: functions of arrays with one long axis and
 * short ones, whose kernels may have the long one's iterations in lanes and a
 * register for each element of the others, as machine code for each CPU level
 * against the reference evaluator. */
#include "compiled.h"

#include <check.h>

#include "programs.h"
#include "suite.h"

/* All have one free dimension, n. REAL and INT are put before a name. */
static const char text[] =
    "fn det3(a: real[3, 3]) -> real ="
    "  a[0, 0] * (a[1, 1] * a[2, 2] - a[1, 2] * a[2, 1]) -"
    "  a[0, 1] * (a[1, 0] * a[2, 2] - a[1, 2] * a[2, 0]) +"
    "  a[0, 2] * (a[1, 0] * a[2, 1] - a[1, 1] * a[2, 0]);"
    "fn dets(a: real[n, 3, 3]) -> real[n] = [i < n | det3(a[i])];"
    "fn squares(a: real[n, 3, 3]) -> real = sum(i < n | det3(a[i])^2);"
    "fn minors(a: real[n, 3, 3]) -> real[n, 3, 3] ="
    "  [l < n, i < 3, j < 3 |"
    "   a[l, (j + 1) % 3, (i + 1) % 3] * a[l, (j + 2) % 3, (i + 2) % 3] -"
    "   a[l, (j + 1) % 3, (i + 2) % 3] * a[l, (j + 2) % 3, (i + 1) % 3]];"
    "fn soft(x: real[n, 5]) -> real[n, 5] = softmax(x);"
    "fn turned(x: real[n, 2]) -> (real[2, n], real[n], real[n]) ="
    "  (x', [i < n | x[i, 1]], [i < n | max(x[i])]);"
    "fn sizes(x: real[n, 16]) -> real[n] = [i < n | sum(x[i] * x[i])];"
    "fn unit(q: real[n, 4]) -> real[n, 4] ="
    "  [i < n, j < 4 | q[i, j] / sqrt(1 + dot(q[i], q[i]))];"
    "fn wide(x: real[n, 7], k: real[7]) -> real[n, 7] ="
    "  [i < n, j < 7 | k[j] * x[i, 6 - j] + real(j)];"
    "fn parts(x: real[n, 3], y: real[n, 2]) -> real[n, 6] ="
    "  [i < n | concat(x[i] * y[i, 0], [y[i, 1]], y[i])];"
    "fn pairs(x: real[n, 3]) -> real ="
    "  sum(i < n, j < n | { let d = x[i] - x[j]; 1 / (1 + dot(d, d)) });"
    "fn counts(k: int[n, 3]) -> (int[n], int[n, 3]) ="
    "  ([i < n | k[i, 0] * k[i, 1] + k[i, 2]], [i < n, j < 3 | k[i, 2 - j] - "
    "k[i, 0]]);"
    "fn chosen(x: real[n, 3], k: int[n]) -> (real[n], real[n, 3]) ="
    "  ([i < n | x[i, abs(k[i]) % 3]],"
    "   [i < n, j < 3 | if j == abs(k[i]) % 3 { x[i, j] } else { -x[i, 0] }]);"
    "fn folded(x: real[n, 4], y: real[n, 3]) -> (real[n, 3], real[n]) ="
    "  ([i < n, j < 3 | fold(t < 3, s = y[i, j] | s * x[i, t] + x[i, 3 - j])],"
    "   [i < n | fold(t < 5, s = 0.0 | s + if t > 0 { x[i, t - 1] } else { 1 "
    "})]);"
    "fn places(x: real[n, 4]) -> int[n] = [i < n | argmax(x[i])];"
    "fn ends(x: real[n, n], k: int[n]) -> (real[n], int[n], int[n]) ="
    "  ([i < n | sum(j < n | if j < k[i] { x[i, j] } else { 0 })],"
    "   [i < n | argmax(j < n | if j < k[i] { x[i, j] } else { -inf })],"
    "   [i < n | argmin(j < n | if j < k[i] { x[j, i] } else { inf })]);"
    "fn rows(x: real[n, 10]) -> real[n, 10] ="
    "  [i < n, j < 10 | (x[i, j] - sum(x[i])) / sqrt(1 + dot(x[i], x[i]))];"
    "fn turns(x: real[n, 10]) -> real[n, 10] ="
    "  fold(t < 3, s = x | softmax(2 * s));"
    "fn labels(x: real[n, 10], k: int[n]) -> real[n, 10] ="
    "  softmax(x) - onehot([i < n | abs(k[i]) % 10], 10);"
    "fn gauss(A: real[3, 3], b: real[3]) -> real[3] {"
    "  let (U, c) = fold(k < 3, M = A, r = b | {"
    "    let l = [i < 3 | where(i > k, M[i, k] / M[k, k], 0)];"
    "    ([i < 3, j < 3 | M[i, j] - l[i] * M[k, j]], r - l * r[k]) });"
    "  solve_upper(U, c) }"
    "fn chain(z: real[6]) -> real[6] = concat(z[3:], gauss("
    "  [i < 3, j < 3 | where(i == j, 4, cos(z[i] - z[j]))],"
    "  [i < 3 | sum(j < 3 | sin(z[i] - z[j]) * z[j+3]^2) - z[i]]));"
    "fn lower(z: real[10]) -> real[4] = solve_lower("
    "  [i < 5, j < 5 | where(i == j, 2, z[i] * z[j + 5])], z[:5])[1:];"
    "fn scalar(z: real[6], w: real[6]) -> real = dot(w, chain(z));"
    "fn chains(z: real[n, 6]) -> real[n, 6] = [i < n | chain(z[i])];"
    "fn solved(z: real[n, 10]) -> real[n, 4] = [i < n | 2 * lower(fold(k < 2,"
    "  s = z[i] | s + s[k]))];"
    "fn slopes(z: real[n, 6]) -> real[n, 6, 6] ="
    "  [i < n | jacobian(chain)(z[i])];"
    "fn curved(z: real[n, 6], w: real[n, 6]) -> real[n, 6] ="
    "  [i < n | hvp(scalar)(z[i], w[i], w[i])];"
    "export chains, solved, slopes, curved, dets, grad(squares, a) as forces, "
    "minors, soft, turned, sizes, "
    "unit,"
    "  wide, parts, grad(pairs, x) as pull, pairs, counts, chosen, folded, "
    "places, ends, rows, turns, labels;";

/* Indices that are checked, in a kernel of their own and in a loop's step. */
static const char checked[] =
    "fn once(x: real[n, 10], k: int[n]) -> real[n, 10] ="
    "  softmax(x) - onehot(k, 10);"
    "fn again(x: real[n, 10], k: int[n]) -> real[n, 10] ="
    "  fold(t < 2, s = x | softmax(s) - onehot([i < n | k[i] + t], 10));"
    "export once, again;";

static Compiled small_open(const char *of, DType real, int level)
{
    const CheckOptions o = {.real = real};
    Program *p = compile_with(of, &o);

    ck_assert_msg(p, "%s", messages());
    return compiled_program(arena, p, level);
}

static void run_all(DType real, int level)
{
    static const int64_t sizes[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,
                                    11, 12, 13, 15, 16, 17, 23, 33, 50};

    if (level_lacks(level))
        return;
    Compiled c = small_open(text, real, level);
    for (int i = 0; i < c.module.function.n; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            ck_like_reference(&c, i, sizes[k], 4);
    jit_close(c.jit);
}

/* The label of the last of n rows is 10: at once, or in the second step. */
static void fails(Compiled *c, int i, int64_t size, int bad)
{
    static float x[500], to[500];
    static char work[1 << 14] __attribute__((aligned(64)));
    const nn_function *f = jit_module(c->jit)->function[i];
    int32_t k[50] = {0};
    void *leaf[] = {x, k, to};
    nn_error error = {.size = sizeof error};
    nn_exec exec = {.size = sizeof exec, .error = &error};

    ck_assert_uint_le(f->workspace(&size), sizeof work);
    ck_assert_int_eq(f->call(leaf, &size, work, &exec), NN_OK);
    k[size - 1] = bad;
    ck_assert_int_eq(f->call(leaf, &size, work, &exec), NN_ERR_INDEX);
    ck_assert_int_eq(error.index, 10);
    ck_assert_int_eq(error.limit, 10);
    ck_assert_int_ge(error.place, 0);
    ck_assert_str_eq(f->place[error.place]->text,
                     i ? "onehot([i < n | k[i] + t], 10)" : "onehot(k, 10)");
}

START_TEST(bad_labels)
{
    static const int64_t sizes[] = {1, 2, 3, 7, 8, 11, 12, 16, 20, 50};

    if (level_lacks(_i))
        return;
    Compiled c = small_open(checked, DT_f32, _i);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        fails(&c, 0, sizes[s], 10);
        fails(&c, 1, sizes[s], 9);
    }
    jit_close(c.jit);
}
END_TEST

START_TEST(floats_like_reference) { run_all(DT_f32, _i); }
END_TEST

START_TEST(doubles_like_reference) { run_all(DT_f64, _i); }
END_TEST

int main(void)
{
    Suite *s = suite_create("small");
    TCase *t = tcase_create("small");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, floats_like_reference, 0, LEVELS - 1);
    tcase_add_loop_test(t, doubles_like_reference, 1, 2);
    tcase_add_loop_test(t, bad_labels, 0, LEVELS - 1);
    suite_add_tcase(s, t);
    return run_suite(s);
}
