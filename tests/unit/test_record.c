/* test_record.c: the numbers of a training in files. */

#include "cli/record.h"
#include "event.pb-c.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Arena *arena;

static void setup(void) { arena = arena_new(); }
static void teardown(void) { arena_free(arena); }

START_TEST(check_sums)
{
    static const unsigned char zeros[32];

    /* RFC 3720, B.4, and the usual check value. */
    ck_assert_uint_eq(crc32c("123456789", 9), 0xe3069283);
    ck_assert_uint_eq(crc32c(zeros, 32), 0x8a9136aa);
    ck_assert_uint_eq(crc32c("", 0), 0);
}
END_TEST

static uint64_t number(const unsigned char *at, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

static uint32_t unmasked(uint64_t sum)
{
    uint32_t turned = (uint32_t)sum - UINT32_C(0xa282ead8);

    return turned >> 17 | turned << 15;
}

/* The message at *at, which goes on behind it. */
static Nncc__Event *next_event(const unsigned char **at)
{
    size_t n = (size_t)number(*at, 8);

    ck_assert_uint_eq(unmasked(number(*at + 8, 4)), crc32c(*at, 8));
    ck_assert_uint_eq(unmasked(number(*at + 12 + n, 4)), crc32c(*at + 12, n));
    Nncc__Event *e = nncc__event__unpack(NULL, n, *at + 12);
    ck_assert_ptr_nonnull(e);
    *at += n + 16;
    return e;
}

START_TEST(events_come_back)
{
    char folder[] = "/tmp/nncc-test-XXXXXX";
    EventFile f;
    Scalar s[] = {{arena_printf(arena, "loss"), 0.5},
                  {arena_printf(arena, "test_loss"), NAN},
                  {arena_printf(arena, "test_accuracy"), 0.75}};
    Record r = {.epoch = 1, .step = INT64_C(1) << 40, .at = s, .n = 3};
    size_t n;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert(events_open(arena, folder, &f));
    events_put(&f, &r);
    ck_assert(events_close(&f));
    const unsigned char *at =
        (const unsigned char *)file_read(arena, f.path, 4096, &n);
    const unsigned char *end = at + n;
    Nncc__Event *e = next_event(&at);
    ck_assert_str_eq(e->file_version, "brain.Event:2");
    ck_assert(e->wall_time > 1.6e9);
    nncc__event__free_unpacked(e, NULL);
    e = next_event(&at);
    ck_assert_ptr_eq(at, end);
    ck_assert_int_eq(e->step, INT64_C(1) << 40);
    ck_assert_uint_eq(e->summary->n_value, 2);
    ck_assert_str_eq(e->summary->value[1]->tag, "test_accuracy");
    ck_assert_float_eq(e->summary->value[1]->simple_value, 0.75f);
    nncc__event__free_unpacked(e, NULL);
    ck_assert_int_eq(unlink(f.path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, check_sums);
    tcase_add_test(t, events_come_back);
    suite_add_tcase(s, t);
    return run_suite(s);
}
