/* test_windows.c: products of factors that are views: convolutions of any
 * sizes, steps, zeros around and groups, sums over several axes, and their
 * gradients, as machine code for each CPU level against the reference
 * evaluator. */
#include "compiled.h"

#include <check.h>

#include "programs.h"
#include "suite.h"

/* A convolution of images, of `groups` times c channels to that many times
 * out. */
typedef struct Conv {
    int h, w, c, p, q, out, stride, padding, dilation, groups;
} Conv;

/* More than a block of k; packed panels of the kernel; a channel in and out. */
static const Conv at_edges[] = {
    {7, 6, 30, 3, 3, 5, 1, 1, 1, 1}, {11, 11, 9, 2, 1, 260, 1, 0, 1, 1},
    {9, 9, 1, 3, 3, 18, 1, 1, 1, 1}, {6, 6, 4, 3, 3, 1, 1, 1, 1, 1},
    {8, 7, 5, 1, 1, 17, 2, 0, 1, 1},
};

enum { EDGES = sizeof at_edges / sizeof *at_edges, CONVS = EDGES + 5 };

static Conv conv_at(int i)
{
    static const int most[] = {9, 9, 5, 4, 4, 20, 3, 3, 2, 2};
    static const int least[] = {8, 8, 1, 1, 1, 1, 1, 0, 1, 1};
    int v[10];

    if (i < EDGES)
        return at_edges[i];
    for (int k = 0; k < 10; k++)
        v[k] = least[k] + scatter((uint64_t)(10 * i + k), most[k]);
    return (Conv){v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]};
}

static void put_conv(Str *to, int i)
{
    Conv c = conv_at(i);

    str_printf(to,
               "fn f%d(x: real[n, %d, %d, %d], k: real[%d, %d, %d, %d]) ="
               "  conv2d(x, k, %d, %d, %d, %d);"
               "fn s%d(x: real[n, %d, %d, %d], k: real[%d, %d, %d, %d]) ="
               "  sum(f%d(x, k)^2);"
               "export f%d, grad(s%d, x) as x%d, grad(s%d, k) as k%d;\n",
               i, c.h, c.w, c.c * c.groups, c.p, c.q, c.c, c.out * c.groups,
               c.stride, c.padding, c.dilation, c.groups, i, c.h, c.w,
               c.c * c.groups, c.p, c.q, c.c, c.out * c.groups, i, i, i, i, i,
               i);
}

/* Channels before pixels, a free length, a volume, the input's gradient of a
 * step of two; sums over axes that come in other orders, backwards; the largest
 * of windows, and values that each window has. */
static const char others[] =
    "fn planes(x: real[n, 3, 6, 7], k: real[5, 3, 2, 3]) -> real[n, 5, 5, 5] ="
    "  [a < n, m < 5, i < 5, j < 5 | sum(c < 3, u < 2, v < 3 |"
    "   x[a, c, i+u, j+v] * k[m, c, u, v])];"
    "fn of_planes(x: real[n, 3, 6, 7], k: real[5, 3, 2, 3]) -> real ="
    "  sum(planes(x, k)^2);"
    "fn wide(x: real[n, 2, 6, 5], k: real[9, 2, 2, 3]) -> real[n, 9, 5, 3] ="
    "  [a < n, m < 9, i < 5, j < 3 | sum(c < 2, u < 2, v < 3 |"
    "   x[a, c, i+u, j+v] * k[m, c, u, v])];"
    "fn line(x: real[2, n, 3], k: real[3, 3, 17]) = conv1d(x, k, padding = 1);"
    "fn of_line(x: real[2, n, 3], k: real[3, 3, 17]) -> real ="
    "  sum(line(x, k)^2);"
    "fn volume(x: real[n, 4, 5, 4, 2], k: real[2, 2, 3, 2, 9])"
    "    -> real[n, 3, 4, 2, 9] ="
    "  [a < n, i < 3, j < 4, l < 2, m < 9 |"
    "   sum(u < 2, v < 2, w < 3, c < 2 |"
    "       x[a, i+u, j+v, l+w, c] * k[u, v, w, c, m])];"
    "fn back(x: real[n, 4, 5, 6], k: real[3, 3, 6, 7]) ="
    "  conv2d_transpose(x, k, 2, 1);"
    "fn crossed(x: real[n, 4, 6], k: real[6, 4, 20]) -> real[n, 20] ="
    "  [a < n, m < 20 | sum(i < 4, j < 6 | x[a, i, j] * k[j, i, m])];"
    "fn turned(x: real[n, 4, 6], k: real[20, 6, 4]) -> real[n, 20] ="
    "  [a < n, m < 20 | sum(i < 4, j < 6 | x[a, 3-i, 5-j] * k[m, j, i])];"
    "fn pooled(x: real[n, 6, 4, 3]) -> real = sum(max_pool(abs(x), 2)^2);"
    "fn spread(x: real[n, 3, 2, 3], y: real[n, 6, 4, 3]) ="
    "  abs(upsample(sqrt(1 + x), 2) * y + 1);"
    "export planes, grad(of_planes, x) as planes_x, grad(of_planes, k) as"
    "  planes_k, line, grad(of_line, x) as line_x, grad(of_line, k) as line_k,"
    "  wide, volume, back, crossed, turned, grad(pooled, x) as pooled_x, "
    "spread;";

static void run_all(DType real, int level)
{
    static const int64_t sizes[] = {0, 1, 2, 5, 60};
    const CheckOptions o = {.real = real};

    if (level_lacks(level))
        return;
    Str text = str_new(arena);
    for (int i = 0; i < CONVS; i++)
        put_conv(&text, i);
    str_printf(&text, "%s", others);
    Program *p = compile_with(text.at, &o);
    ck_assert_msg(p, "%s", messages());
    Compiled c = compiled_program(arena, p, level);
    for (int i = 0; i < c.module.function.n; i++)
        for (int k = 0; k < (i >= 6 && i < 9 ? 5 : 4); k++)
            ck_like_reference(&c, i, sizes[k], 100);
    jit_close(c.jit);
}

START_TEST(floats_like_reference) { run_all(DT_f32, _i); }
END_TEST

START_TEST(doubles_like_reference) { run_all(DT_f64, _i); }
END_TEST

int main(void)
{
    Suite *s = suite_create("windows");
    TCase *t = tcase_create("windows");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, floats_like_reference, 0, LEVELS - 1);
    tcase_add_loop_test(t, doubles_like_reference, 1, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
