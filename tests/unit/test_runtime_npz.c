/* test_runtime_npz.c: libnn: .npz files, also those that mean harm. */
#include "archive.h"
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static char path[128]; /* of the file at hand */

static double x[2][3] = {{1, 2, 3}, {4, 5, 6}};
static int32_t y[2] = {7, 8};
static uint64_t key = 9;

static nncc_store *some(void)
{
    nncc_tensor all[] = {{NN_F64, 2, {2, 3}, x},
                         {NN_I32, 1, {2}, y},
                         {NN_KEY, 0, {0}, &key},
                         {NN_F32, 2, {0, 4}, x}};
    static const char *const name[] = {"net.x", "y", "key", "none"};
    nncc_store *s;

    ck_assert_int_eq(nncc_store_new(&s), NN_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(nncc_store_put(s, name[i], &all[i]), NN_OK);
    ck_assert_int_eq(nncc_store_set_text(s, "who", "\xc3\xa4\n"), NN_OK);
    return s;
}

START_TEST(files_give_back_what_was_written)
{
    nncc_store *s = some(), *r;

    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    ck_assert_msg(nncc_store_read(path, &r) == NN_OK, "%s", nncc_last_error());
    ck_assert_int_eq(nncc_store_count(r), 4);
    const nncc_tensor *t = nncc_store_find(r, "net.x");
    ck_assert_int_eq(t->dtype, NN_F64);
    ck_assert_mem_eq(t->data, x, sizeof x);
    t = nncc_store_find(r, "y");
    ck_assert_int_eq(t->dtype, NN_I32);
    ck_assert_mem_eq(t->data, y, sizeof y);
    ck_assert_int_eq(nncc_store_find(r, "none")->size[0], 0);
    ck_assert_str_eq(nncc_store_text(r, "who"), "\xc3\xa4\n");
    nncc_store_free(r);
    nncc_store_free(s);
}
END_TEST

/* The same bytes each time, and gzipped the same tensors. */
START_TEST(files_are_the_same_each_time)
{
    nncc_store *s = some(), *r;
    void *a, *b;
    size_t n, m;

    ck_assert_int_eq(nncc_store_npz(s, &a, &n), NN_OK);
    ck_assert_int_eq(nncc_store_npz(s, &b, &m), NN_OK);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(a, b, n);
    gzFile gz = gzopen(path, "wb");
    ck_assert_int_eq(gzwrite(gz, a, (unsigned)n), (int)n);
    gzclose(gz);
    ck_assert_int_eq(nncc_store_read(path, &r), NN_OK);
    ck_assert_int_eq(nncc_store_count(r), 4);
    nncc_store_free(r);
    nncc_store_free(s);
    free(a);
    free(b);
}
END_TEST

START_TEST(one_array_of_it)
{
    nncc_store *s = some();
    char member[sizeof path + 2];
    nncc_tensor *t;

    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    nncc_store_free(s);
    snprintf(member, sizeof member, "%s:y", path);
    ck_assert_msg(nncc_array_read(member, &t) == NN_OK, "%s",
                  nncc_last_error());
    ck_assert_mem_eq(t->data, y, sizeof y);
    nncc_tensor_free(t);
    snprintf(member, sizeof member, "%s:z", path);
    ck_assert_int_eq(nncc_array_read(member, &t), NN_ERR_NAME);
    ck_assert(said("has no array 'z'; it has net.x, y, key, none"));
    ck_assert_int_eq(nncc_array_read(path, &t), NN_ERR_DATA);
    ck_assert(said("holds 4 arrays; expected one, or its name"));
}
END_TEST

/* An archive as others write it, of one member: deflated, with all numbers in
 * 64 bits if it is wide, behind other extra fields; and a comment. */
typedef struct Zip {
    unsigned char at[1 << 18];
    size_t n;
    bool wide, stored;
    const char *comment;
} Zip;

static Zip zip;

static void put(int bytes, uint64_t v)
{
    for (int i = 0; i < bytes; i++)
        zip.at[zip.n++] = (unsigned char)(v >> 8 * i);
}

static void put_bytes(const void *from, size_t n)
{
    memcpy(zip.at + zip.n, from, n);
    zip.n += n;
}

static size_t pack(const void *from, size_t n, unsigned char *to, size_t most)
{
    z_stream d = {.next_in = (Bytef *)(uintptr_t)from,
                  .avail_in = (uInt)n,
                  .next_out = to,
                  .avail_out = (uInt)most};

    if (zip.stored) {
        memcpy(to, from, n);
        return n;
    }
    ck_assert_int_eq(
        deflateInit2(&d, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
        Z_OK);
    ck_assert_int_eq(deflate(&d, Z_FINISH), Z_STREAM_END);
    deflateEnd(&d);
    return d.total_out;
}

/* From the method on; behind it the extra fields. */
static void put_header(const char *name, uint32_t crc, size_t packed, size_t n,
                       bool local)
{
    put(2, zip.stored ? 0 : 8);
    put(4, 0x12345678);
    put(4, crc);
    put(4, zip.wide ? UINT32_MAX : packed);
    put(4, zip.wide ? UINT32_MAX : n);
    put(2, strlen(name));
    put(2, !zip.wide ? 0 : local ? 26 : 34);
    if (!local) {
        put(6, 0);
        put(4, 0);
        put(4, zip.wide ? UINT32_MAX : 0);
    }
    put_bytes(name, strlen(name));
    if (!zip.wide)
        return;
    put(2, 0x7777);
    put(2, 2);
    put(2, 1);
    put(2, 1);
    put(2, local ? 16 : 24);
    put(8, n);
    put(8, packed);
    if (!local)
        put(8, 0);
}

static void put_end(size_t directory)
{
    size_t end = zip.n;

    if (zip.wide) {
        put_bytes("PK\6\6", 4);
        put(8, 44);
        put(4, 45);
        put(8, 0);
        put(8, 1);
        put(8, 1);
        put(8, end - directory);
        put(8, directory);
        put_bytes("PK\6\7", 4);
        put(4, 0);
        put(8, end);
        put(4, 1);
    }
    put_bytes("PK\5\6", 4);
    put(4, 0);
    put(2, zip.wide ? UINT16_MAX : 1);
    put(2, zip.wide ? UINT16_MAX : 1);
    put(4, zip.wide ? UINT32_MAX : end - directory);
    put(4, zip.wide ? UINT32_MAX : directory);
    put(2, strlen(zip.comment));
    put_bytes(zip.comment, strlen(zip.comment));
}

static void put_zip(const char *name, const void *npy, size_t n)
{
    static unsigned char packed[1 << 17];
    uint32_t crc = (uint32_t)crc32(0, npy, (uInt)n);
    size_t m = pack(npy, n, packed, sizeof packed);

    zip.n = 0;
    put_bytes("PK\3\4", 4);
    put(4, 20);
    put_header(name, crc, m, n, true);
    put_bytes(packed, m);
    size_t directory = zip.n;
    put_bytes("PK\1\2", 4);
    put(6, 20);
    put_header(name, crc, m, n, false);
    put_end(directory);
    write_bytes("a.npz", zip.at, zip.n);
}

/* Of n bytes behind a header of .npy. */
static void write_zip(const char *name, const char *dict, const void *bytes,
                      size_t n)
{
    size_t len = strlen(dict), all = 11 + len + n;
    char *npy = calloc(all, 1);

    memcpy(npy, "\x93NUMPY\1\0", 8);
    npy[8] = (char)(len + 1);
    memcpy(npy + 10, dict, len);
    npy[10 + len] = '\n';
    if (bytes)
        memcpy(npy + 11 + len, bytes, n);
    zip.comment = zip.comment ? zip.comment : "";
    put_zip(name, npy, all);
    free(npy);
}

#define DICT(descr, shape)                                                     \
    "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"

/* More members than 16 bits count. */
START_TEST(many_members_are_written)
{
    enum { MANY = 66000 };
    nncc_zipping to = {0};
    nncc_zip from;
    nncc_member m = {0};
    char name[16], got[16];

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%d", i);
        nncc_zip_add(&to, name, name, strlen(name));
    }
    nncc_zip_end(&to);
    ck_assert(!to.failed);
    ck_assert_ptr_null(nncc_zip_open(&from, to.file.at, to.file.n));
    ck_assert_uint_eq(from.count, MANY);
    for (int i = 0; i < MANY; i++) {
        free(m.name);
        ck_assert_ptr_null(nncc_zip_next(&from, &m));
    }
    ck_assert_str_eq(m.name, name);
    ck_assert_ptr_null(nncc_zip_unpack(&from, &m, (unsigned char *)got));
    ck_assert_mem_eq(got, name, strlen(name));
    free(m.name);
    free(to.file.at);
}
END_TEST

START_TEST(archives_of_others_are_read)
{
    nncc_store *r;

    zip.wide = _i & 1;
    zip.stored = _i & 2;
    zip.comment = _i & 4 ? "PK\5\6, it says, and goes on for a while" : "";
    write_zip("a.npy", DICT("<f8", "(2, 3)"), x, sizeof x);
    zip.wide = zip.stored = false;
    zip.comment = "";
    ck_assert_msg(nncc_store_read(path, &r) == NN_OK, "%s", nncc_last_error());
    ck_assert_mem_eq(nncc_store_find(r, "a")->data, x, sizeof x);
    nncc_store_free(r);
}
END_TEST

/* One byte of the only member: what is unpacked is not what was packed. */
START_TEST(sums_are_checked)
{
    nncc_store *r;

    zip.stored = _i;
    write_zip("a.npy", DICT("<f8", "(2, 3)"), x, sizeof x);
    zip.stored = false;
    zip.at[30 + 5 + 20] ^= 1;
    write_bytes("a.npz", zip.at, zip.n);
    ck_assert_int_eq(nncc_store_read(path, &r), NN_ERR_DATA);
    ck_assert(said("'a.npy' is damaged in the archive"));
}
END_TEST

/* What stands at a place of the archive, from its directory or end on. */
static const struct {
    const char *mark;
    int at, bytes;
    uint64_t v;
    const char *says;
} wrong[] = {
    {"PK\1\2", 8, 2, 1, "'a.npy' is encrypted"},
    {"PK\1\2", 10, 2, 12, "is packed in a way that is not known here"},
    {"PK\1\2", 20, 4, 3, "'a.npy' is damaged"},
    {"PK\1\2", 24, 4, 3, "'a.npy' is damaged"},
    {"PK\1\2", 24, 4, 1000, "'a.npy' is damaged"},
    {"PK\1\2", 28, 2, 0, "has no name or size"},
    {"PK\1\2", 28, 2, 9999, "its directory is cut short"},
    {"PK\1\2", 24, 4, UINT32_MAX, "has no name or size"},
    {"PK\1\2", 42, 4, 7, "is not where the directory says"},
    {"PK\1\2", 42, 4, 999999, "is not where the directory says"},
    {"PK\1\2", 46, 1, 0, "has no name or size"},
    {"PK\5\6", 0, 1, 0, "it has no end of a zip file"},
    {"PK\5\6", 10, 2, 9, "its directory is cut short"},
    {"PK\5\6", 16, 4, 999999, "its directory is not inside of it"},
    {"PK\5\6", 16, 4, 0, "its directory is cut short"},
};

START_TEST(what_it_says_of_itself_is_checked)
{
    nncc_store *r;
    size_t at = 0;

    write_zip("a.npy", DICT("<f8", "(2, 3)"), x, sizeof x);
    while (memcmp(zip.at + at, wrong[_i].mark, 4) != 0)
        at++;
    for (int k = 0; k < wrong[_i].bytes; k++)
        zip.at[at + (size_t)(wrong[_i].at + k)] =
            (unsigned char)(wrong[_i].v >> 8 * k);
    write_bytes("a.npz", zip.at, zip.n);
    ck_assert_int_eq(nncc_store_read(path, &r), NN_ERR_DATA);
    ck_assert_msg(said(wrong[_i].says), "%s", nncc_last_error());
}
END_TEST

static const struct {
    const char *name, *dict, *says;
} bad[] = {
    {"a.npy", DICT("<f8", "(9, 9)"), "'a.npy': is cut short"},
    {"a.npy", DICT("|O", "(2, 3)"), "'a.npy': holds neither"},
    {"a.npy", "", "'a.npy': holds neither"},
    {"a.bin", DICT("<f8", "(2, 3)"), "'a.bin' is no array"},
    {"a.txt", DICT("<f8", "(2, 3)"), "'a.txt' is no text"},
};

START_TEST(wrong_members_are_refused)
{
    nncc_store *s;

    write_zip(bad[_i].name, bad[_i].dict, x, sizeof x);
    ck_assert_int_eq(nncc_store_read(path, &s), NN_ERR_DATA);
    ck_assert(said(bad[_i].says));
}
END_TEST

/* Sets the size that both headers of the only member state. */
static void lie(uint32_t packed, uint32_t size)
{
    size_t n;
    unsigned char *b = (unsigned char *)read_bytes(path, &n);

    for (size_t i = 0; i + 4 < n; i++) {
        size_t at = !memcmp(b + i, "PK\1\2", 4)   ? i + 20
                    : !memcmp(b + i, "PK\3\4", 4) ? i + 18
                                                  : 0;
        for (int k = 0; at && k < 4; k++) {
            if (packed)
                b[at + (size_t)k] = (unsigned char)(packed >> 8 * k);
            b[at + 4 + (size_t)k] = (unsigned char)(size >> 8 * k);
        }
    }
    write_bytes("a.npz", b, n);
    free(b);
}

START_TEST(bombs_are_refused)
{
    nncc_store *s;

    write_zip("a.npy", DICT("|u1", "(100000,)"), NULL, 100000);
    lie(0, 0xf0000000u); /* it would be 4 GB out of a few hundred bytes */
    ck_assert_int_eq(nncc_store_read(path, &s), NN_ERR_DATA);
    ck_assert(said("would unpack to more than is plausible"));
    write_zip("a.npy", DICT("|u1", "(100000,)"), NULL, 100000);
    lie(0, 99);
    ck_assert_int_eq(nncc_store_read(path, &s), NN_ERR_DATA);
    write_zip("a.npy", DICT("|u1", "(100000,)"), NULL, 100000);
    lie(5000, 200000);
    ck_assert_int_eq(nncc_store_read(path, &s), NN_ERR_DATA);
}
END_TEST

/* A central directory that names one member many times. */
START_TEST(overlapping_members_are_refused)
{
    size_t n, from = 0, end = 0;
    nncc_store *s;
    char noise[3000];
    nncc_rng r;

    nncc_rng_seed(&r, 1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)nncc_rng_below(&r, 256);
    write_zip("a.npy", DICT("|u1", "(3000,)"), noise, sizeof noise);
    unsigned char *b = (unsigned char *)read_bytes(path, &n);
    for (size_t i = 0; i + 4 < n; i++) {
        from = !memcmp(b + i, "PK\1\2", 4) ? i : from;
        end = !memcmp(b + i, "PK\5\6", 4) ? i : end;
    }
    enum { TIMES = 20 };
    size_t entry = end - from, name = 46, size = TIMES * entry;
    unsigned char *to = calloc(n + size, 1);
    memcpy(to, b, from);
    for (size_t i = 0; i < TIMES; i++) {
        memcpy(to + from + i * entry, b + from, entry);
        to[from + i * entry + name] = (unsigned char)('a' + i);
    }
    memcpy(to + from + size, b + end, n - end);
    unsigned char *tail = to + from + size;
    tail[8] = tail[10] = TIMES;
    for (int k = 0; k < 4; k++)
        tail[12 + k] = (unsigned char)(size >> 8 * k);
    write_bytes("a.npz", to, from + size + (n - end));
    free(b);
    free(to);
    ck_assert_int_eq(nncc_store_read(path, &s), NN_ERR_DATA);
}
END_TEST

/* Any byte changed, any length: read or refused. */
START_TEST(damage_is_survived)
{
    nncc_store *s = some(), *r;
    nncc_rng rng;
    size_t n;

    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    nncc_store_free(s);
    unsigned char *b = (unsigned char *)read_bytes(path, &n);
    nncc_rng_seed(&rng, (uint64_t)_i);
    for (int round = 0; round < 150; round++) {
        size_t at = nncc_rng_below(&rng, n);
        unsigned char was = b[at];
        b[at] = (unsigned char)nncc_rng_below(&rng, 256);
        write_bytes("a.npz", b, round % 3 ? n : nncc_rng_below(&rng, n));
        if (nncc_store_read(path, &r) == NN_OK)
            nncc_store_free(r);
        if (round % 4)
            b[at] = was;
    }
    free(b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime npz");
    TCase *t = tcase_create("npz");

    tcase_add_test(t, files_give_back_what_was_written);
    tcase_add_test(t, files_are_the_same_each_time);
    tcase_add_test(t, one_array_of_it);
    tcase_add_test(t, many_members_are_written);
    tcase_add_loop_test(t, archives_of_others_are_read, 0, 8);
    tcase_add_loop_test(t, sums_are_checked, 0, 2);
    tcase_add_loop_test(t, what_it_says_of_itself_is_checked, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_loop_test(t, wrong_members_are_refused, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(t, bombs_are_refused);
    tcase_add_test(t, overlapping_members_are_refused);
    tcase_add_loop_test(t, damage_is_survived, 0, 3);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    snprintf(path, sizeof path, "%s", path_of("a.npz"));
    return folder_run(suite());
}
