/* test_runtime_npz.c: libnn: .npz files, also those that mean harm. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>
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

/* An archive of data with a large array, and the same gzipped. */
enum { ROWS = 70000, WIDTH = 1000, EVERY = 7777 };
static void write_large(const char *gz_path)
{
    static const int64_t size[] = {ROWS, WIDTH};
    nncc_store *s;
    nncc_tensor *t;
    void *bytes;
    size_t n;

    ck_assert_int_eq(nncc_store_new(&s), NN_OK);
    ck_assert_int_eq(nncc_tensor_new(NN_U8, 2, size, &t), NN_OK);
    for (int64_t i = 0; i < ROWS; i += EVERY)
        ((uint8_t *)t->data)[i * WIDTH + 1] = (uint8_t)(i / EVERY + 1);
    ck_assert_int_eq(nncc_store_put(s, "x", t), NN_OK);
    nncc_tensor_free(t);
    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    ck_assert_int_eq(nncc_store_npz(s, &bytes, &n), NN_OK);
    gzFile gz = gzopen(gz_path, "wb1");
    ck_assert_int_eq(gzwrite(gz, bytes, (unsigned)n), (int)n);
    gzclose(gz);
    free(bytes);
    nncc_store_free(s);
}

static long most_kilobytes(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

static void read_large(const char *from)
{
    char member[sizeof path + 16];
    nncc_data *d;
    double v[WIDTH];

    snprintf(member, sizeof member, "%s:x", from);
    ck_assert_msg(nncc_data_read(member, NULL, NULL, &d) == NN_OK, "%s",
                  nncc_last_error());
    ck_assert_ptr_null(d->x);
    ck_assert_int_eq(d->n, ROWS);
    for (int64_t i = 0; i < ROWS; i += EVERY) {
        ck_assert_int_eq(nncc_data_features(d, i, 0, WIDTH, v), NN_OK);
        ck_assert(v[0] == 0 && v[1] == (double)(i / EVERY + 1));
    }
    nncc_data_free(d);
}

/* Of an archive of data large arrays are unpacked into files, if all is well:
 * neither it nor they are in memory. */
START_TEST(large_arrays_stay_in_files)
{
    char gz_path[sizeof path + 8];
    nncc_data *d;
    int status;

    snprintf(gz_path, sizeof gz_path, "%s.npz.gz", path);
    long before = most_kilobytes();
    pid_t writer = fork(); /* what that takes is not counted */
    if (writer == 0) {
        write_large(gz_path);
        _exit(0);
    }
    ck_assert(waitpid(writer, &status, 0) == writer && status == 0);
    read_large(path);
    read_large(gz_path);
    ck_assert_int_lt(most_kilobytes() - before, 20000);
    FILE *f = fopen(path, "r+b");
    ck_assert(f && fseek(f, 5000, SEEK_SET) == 0 && fputc(1, f) == 1);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(nncc_data_read(path, NULL, NULL, &d), NN_ERR_DATA);
    ck_assert(said("'x.npy' is damaged in the archive"));
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(remove(gz_path), 0);
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

/* A deflated archive of one member, n bytes after a header of .npy. */
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
    remove(path);
    zip_t *z = zip_open(path, ZIP_CREATE, NULL);
    ck_assert_ptr_nonnull(z);
    zip_source_t *from = zip_source_buffer(z, npy, all, 1);
    zip_int64_t i = zip_file_add(z, name, from, 0);
    ck_assert(i >= 0);
    zip_set_file_compression(z, (zip_uint64_t)i, ZIP_CM_DEFLATE, 9);
    ck_assert_int_eq(zip_close(z), 0);
}

#define DICT(descr, shape)                                                     \
    "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"

START_TEST(packed_members_are_unpacked)
{
    nncc_store *s;

    write_zip("a.npy", DICT("<f8", "(2, 3)"), x, sizeof x);
    ck_assert_msg(nncc_store_read(path, &s) == NN_OK, "%s", nncc_last_error());
    ck_assert_mem_eq(nncc_store_find(s, "a")->data, x, sizeof x);
    nncc_store_free(s);
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
    tcase_add_test(t, large_arrays_stay_in_files);
    tcase_add_test(t, one_array_of_it);
    tcase_add_test(t, packed_members_are_unpacked);
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
