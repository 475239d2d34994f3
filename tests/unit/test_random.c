/* test_random.c: numbers drawn in the language against those of Random123, by
 * the authors of Threefry. */
#include "graph/op.h"
#include "programs.h"
#include "suite.h"

#include <Random123/threefry.h>
#include <check.h>
#include <math.h>

/* Threefry-2x32 with 20 rounds; low and high words of one number. */
static uint64_t reference(uint64_t key, uint64_t counter)
{
    threefry2x32_ctr_t c = {{(uint32_t)counter, (uint32_t)(counter >> 32)}};
    threefry2x32_key_t k = {{(uint32_t)key, (uint32_t)(key >> 32)}};
    threefry2x32_ctr_t r = threefry2x32_R(20, c, k);

    return (uint64_t)r.v[1] << 32 | r.v[0];
}

static const uint64_t keys[] = {
    0, 1, 42, 0xFFFFFFFF, 0x100000000, 0x123456789ABCDEF0, UINT64_MAX,
};
enum { NKEYS = sizeof keys / sizeof *keys };

START_TEST(bits_are_threefry)
{
    for (int i = 0; i < NKEYS; i++) {
        int64_t arg[2] = {(int64_t)keys[_i], (int64_t)keys[i]};
        int64_t got = op_table[OP_random_bits]->eval_int(arg);

        ck_assert_uint_eq((uint64_t)got, reference(keys[_i], keys[i]));
    }
}
END_TEST

static double *drawn(const char *expression)
{
    return value_of(compile("const one = 1;"), expression);
}

/* The fraction of 53 bits that uniform makes of 64: the sign bit is turned
 * around, so that signed numbers keep their order. */
static double fraction(uint64_t bits)
{
    return (double)((bits >> 11) ^ UINT64_C(1) << 52) * 0x1p-53;
}

static const char *key_text(uint64_t key)
{
    return arena_printf(arena, "i64(%lld)", (long long)key);
}

START_TEST(uniform_counts_elements)
{
    const double *u = drawn(
        arena_printf(arena, "uniform(key(%s), [5, 40])", key_text(keys[_i])));

    for (uint64_t i = 0; i < 200; i++)
        ck_assert_double_eq(u[i], fraction(reference(keys[_i], i)));
}
END_TEST

START_TEST(split_counts_down)
{
    const double *u =
        drawn(arena_printf(arena,
                           "{ let k = split(key(%s), 3);"
                           "  [uniform(k[0]), uniform(k[1]), uniform(k[2])] }",
                           key_text(keys[_i])));
    const double *pair = drawn(arena_printf(arena,
                                            "{ let (a, b) = split(key(%s));"
                                            "  [uniform(a), uniform(b)] }",
                                            key_text(keys[_i])));

    for (uint64_t i = 0; i < 3; i++) {
        uint64_t key = reference(keys[_i], UINT64_MAX - i);

        ck_assert_double_eq(u[i], fraction(reference(key, 0)));
        if (i < 2)
            ck_assert_double_eq(u[i], pair[i]);
    }
}
END_TEST

/* sqrt(-2 log u) cos(2 pi v), both of two draws each. */
START_TEST(normal_is_of_box_and_muller)
{
    const double *z =
        drawn(arena_printf(arena, "normal(key(%s), [50])", key_text(keys[_i])));

    for (uint64_t i = 0; i < 50; i++) {
        double u = fraction(reference(keys[_i], 2 * i)) + 0x1p-53;
        double v = fraction(reference(keys[_i], 2 * i + 1));
        double want = sqrt(-2 * log(u)) * cos(6.283185307179586477 * v);

        ck_assert_double_eq_tol(z[i], want, 1e-12);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("random");
    TCase *t = tcase_create("threefry");

    tcase_add_checked_fixture(t, programs_setup, programs_teardown);
    tcase_add_loop_test(t, bits_are_threefry, 0, NKEYS);
    tcase_add_loop_test(t, uniform_counts_elements, 0, NKEYS);
    tcase_add_loop_test(t, split_counts_down, 0, NKEYS);
    tcase_add_loop_test(t, normal_is_of_box_and_muller, 0, NKEYS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
