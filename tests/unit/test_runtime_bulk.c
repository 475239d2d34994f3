/* test_runtime_bulk.c: libnn: arrays that stay in files. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* More than 64 MiB; most of it is a hole. The first four bytes of a row are its
 * number. */
enum { ROWS = 70000, WIDTH = 1000, HEAD = 128 };

static void put(unsigned char *to, int64_t v)
{
    for (int k = 0; k < 4; k++)
        to[k] = (unsigned char)(v >> 8 * k);
}

static double number(const double *v)
{
    return v[0] + 256 * v[1] + 65536 * v[2];
}

static void header(char *to, const char *descr, int width)
{
    memcpy(to, "\x93NUMPY\1\0\x76\0", 10);
    sprintf(to + 10, "%-117s\n", "");
    int n = sprintf(
        to + 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }",
        descr, ROWS, width);
    to[10 + n] = ' ';
}

static const char *write_rows(void)
{
    const char *path = path_of("rows.npy");
    char head[HEAD + 1];
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    header(head, "|u1", WIDTH);
    fwrite(head, 1, HEAD, f);
    for (int64_t i = 0; i < ROWS; i++) {
        unsigned char row[4];
        put(row, i);
        ck_assert_int_eq(fseek(f, HEAD + i * WIDTH, SEEK_SET), 0);
        ck_assert_uint_eq(fwrite(row, 1, 4, f), 4);
    }
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(truncate(path, HEAD + (off_t)ROWS * WIDTH), 0);
    return path;
}

static nncc_data *open_rows(const char *path)
{
    nncc_data *d = NULL;

    ck_assert_msg(nncc_data_read(path, NULL, NULL, &d) == NN_OK, "%s",
                  nncc_last_error());
    ck_assert_int_eq(d->n, ROWS);
    ck_assert_int_eq(d->nfeature, WIDTH);
    ck_assert_ptr_null(d->x);
    return d;
}

START_TEST(rows_are_read_where_they_are)
{
    nncc_data *d = open_rows(write_rows());
    double v[WIDTH];

    for (int64_t i = 0; i < ROWS; i += 777) {
        ck_assert_int_eq(nncc_data_features(d, i, 0, WIDTH, v), NN_OK);
        ck_assert_double_eq(number(v), (double)i);
        ck_assert_double_eq(v[WIDTH - 1], 0);
    }
    ck_assert_int_eq(nncc_data_scale(d, 0.5), NN_OK);
    ck_assert_int_eq(nncc_data_features(d, 3, 0, 1, v), NN_OK);
    ck_assert_double_eq(v[0], 1.5);
    nncc_data_free(d);
}
END_TEST

/* Each row is in one of both, in another order. */
START_TEST(a_split_has_all_rows)
{
    nncc_data *d = open_rows(path_of("rows.npy")), *part[3], *rest;
    nncc_split_options o = {.seed = 5, .count = 10000};
    bool *seen = calloc(ROWS, sizeof *seen);
    int in_place = 0;

    ck_assert_int_eq(nncc_data_split(d, &o, &rest, &part[0]), NN_OK);
    o.count = 1000;
    ck_assert_int_eq(nncc_data_split(rest, &o, &part[1], &part[2]), NN_OK);
    nncc_data_free(d);
    nncc_data_free(rest);
    ck_assert_int_eq(part[1]->n, 59000);
    for (int k = 0; k < 3; k++) {
        for (int64_t i = 0; i < part[k]->n; i++) {
            double v[4];
            ck_assert_int_eq(nncc_data_features(part[k], i, 0, 4, v), NN_OK);
            int64_t was = (int64_t)number(v);
            ck_assert(was < ROWS && !seen[was]);
            seen[was] = true;
            in_place += was == i;
        }
        nncc_data_free(part[k]);
    }
    ck_assert_int_lt(in_place, 50);
    free(seen);
}
END_TEST

START_TEST(standardised_as_they_are_read)
{
    nncc_data *d = open_rows(path_of("rows.npy")), *train, *test;
    nncc_split_options o = {.count = 60000, .keep_order = 1};
    double sum = 0, squares = 0, v[2];

    ck_assert_int_eq(nncc_data_split(d, &o, &train, &test), NN_OK);
    ck_assert_int_eq(nncc_data_standardise(train, test), NN_OK);
    for (int64_t i = 0; i < train->n; i++) {
        ck_assert_int_eq(nncc_data_features(train, i, 0, 1, v), NN_OK);
        sum += v[0];
        squares += v[0] * v[0];
    }
    ck_assert_double_eq_tol(sum / (double)train->n, 0, 1e-9);
    ck_assert_double_eq_tol(squares / (double)train->n, 1, 1e-9);
    ck_assert_int_eq(nncc_data_features(test, 0, 1, 2, v), NN_OK);
    ck_assert_double_eq_tol(v[1], (10000 / 65536 - train->mean[2]), 1e-9);
    nncc_data_free(d);
    nncc_data_free(train);
    nncc_data_free(test);
}
END_TEST

START_TEST(fields_may_stay_there_too)
{
    static const int64_t size = ROWS;
    nncc_data *d, *a, *b;
    nncc_tensor *y;
    nncc_split_options o = {.count = 100};
    double v;

    ck_assert_int_eq(nncc_data_new(0, 0, NNCC_LABEL_NONE, &d), NN_OK);
    ck_assert_int_eq(nncc_tensor_new(NN_I32, 1, &size, &y), NN_OK);
    for (int i = 0; i < ROWS; i++)
        ((int32_t *)y->data)[i] = i % 256;
    ck_assert_int_eq(nncc_data_add_file(d, "x", path_of("rows.npy")), NN_OK);
    ck_assert_int_eq(nncc_data_add(d, "y", y), NN_OK);
    ck_assert_int_eq(nncc_data_split(d, &o, &a, &b), NN_OK);
    ck_assert_ptr_null(b->field[0].at);
    ck_assert_ptr_nonnull(b->field[0].file);
    ck_assert_int_eq(b->field[0].width, WIDTH);
    v = ((int32_t *)b->field[1].at)[7]; /* rows still belong together */
    ck_assert(v >= 0 && v < 256);
    nncc_tensor_free(y);
    nncc_data_free(d);
    nncc_data_free(a);
    nncc_data_free(b);
}
END_TEST

/* Of a safetensors file large tensors stay there, small ones do not. */
START_TEST(tensors_may_stay_in_their_file)
{
    static const char text[] =
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[70000,1000],"
        "\"data_offsets\":[0,70000000]},\"y\":{\"dtype\":\"I16\","
        "\"shape\":[70000],\"data_offsets\":[70000000,70140000]},"
        "\"z\":{\"dtype\":\"BF16\",\"shape\":[70000,500],"
        "\"data_offsets\":[70140000,140140000]}}";
    const char *path = path_of("large.safetensors");
    size_t n = sizeof text - 1;
    unsigned char prefix[8] = {(unsigned char)n}, row[4] = {7}, y[2] = {9, 1};
    FILE *f = fopen(path, "wb");
    nncc_data *d;

    ck_assert_ptr_nonnull(f);
    fwrite(prefix, 1, 8, f);
    fwrite(text, 1, n, f);
    fseek(f, 8 + (long)n + 1000 * 69999L, SEEK_SET);
    fwrite(row, 1, 4, f);
    fseek(f, 8 + (long)n + 70000000 + 2 * 69999L, SEEK_SET);
    fwrite(y, 1, 2, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(truncate(path, 8 + (off_t)n + 140140000), 0);
    ck_assert_int_eq(nncc_data_new(0, 0, NNCC_LABEL_NONE, &d), NN_OK);
    ck_assert_msg(nncc_data_add_store(d, path) == NN_OK, "%s",
                  nncc_last_error());
    ck_assert_ptr_nonnull(d->field[0].file);
    ck_assert_ptr_null(d->field[1].file);
    ck_assert_ptr_nonnull(d->field[2].file);
    ck_assert_int_eq(d->field[2].dtype, NN_F32);
    ck_assert_int_eq(((int32_t *)d->field[1].at)[69999], 265);
    nncc_data_free(d);
    ck_assert_int_eq(truncate(path, 70000000), 0);
    ck_assert_int_eq(nncc_data_new(0, 0, NNCC_LABEL_NONE, &d), NN_OK);
    ck_assert_int_eq(nncc_data_add_store(d, path), NN_ERR_DATA);
    ck_assert(said("cut short"));
    nncc_data_free(d);
}
END_TEST

/* Characters of one and two bytes, over all borders of what is read at once. */
enum { PIECES = 3400000, LENGTH = 64 };
static const char *write_large_text(const char *name, const char *mode,
                                    const char *end)
{
    static const char piece[] = "a\xc3\xa4"
                                "b\n";
    static char part[1000 * (sizeof piece - 1)];
    const char *path = path_of(name);
    gzFile gz = gzopen(path, mode);

    for (size_t i = 0; i < sizeof part; i++)
        part[i] = piece[i % (sizeof piece - 1)];
    ck_assert(gz && gzputs(gz, "\xef\xbb\xbf") == 3);
    for (int i = 0; i < PIECES / 1000; i++)
        ck_assert_int_eq(gzwrite(gz, part, sizeof part), (int)sizeof part);
    ck_assert(gzputs(gz, end) > 0 && gzclose(gz) == Z_OK);
    return path;
}

/* Row i of d begins with character LENGTH * i; numbers of "\nab", "ä". */
static void is_text(const nncc_data *d, const int *number)
{
    double x[LENGTH], y[LENGTH];

    ck_assert_ptr_null(d->x);
    ck_assert_int_eq(d->n, 4 * (int64_t)PIECES / LENGTH);
    for (int64_t i = 0; i < d->n; i += 9999) {
        ck_assert_int_eq(nncc_data_features(d, i, 0, LENGTH, x), NN_OK);
        ck_assert_int_eq(nncc_data_labels(d, i, 0, LENGTH, y), NN_OK);
        for (int k = 0; k < LENGTH; k++) {
            ck_assert_double_eq(x[k], number[k % 4]);
            ck_assert_double_eq(y[k], number[(k + 1) % 4]);
        }
    }
}

START_TEST(large_texts_stay_in_files)
{
    static const int own[] = {1, 4, 2, 0}, fitted[] = {2, 7, 3, 0};
    nncc_text_options o = {.length = LENGTH};
    nncc_data *d, *fit;

    ck_assert_int_eq(
        nncc_text_read(write_large_text("l.txt.gz", "wb1", "z"), &o, &d),
        NN_OK);
    is_text(d, own);
    nncc_data_free(d);
    ck_assert_int_eq(
        nncc_text_read(write_large_text("l.txt", "wbT", "z"), &o, &d), NN_OK);
    is_text(d, own);
    FILE *f = fopen(path_of("small.txt"), "wb");
    ck_assert(f && fputs("abcdz\xc3\xa4\n..", f) >= 0 && fclose(f) == 0);
    o.length = 3;
    ck_assert_int_eq(nncc_text_read(path_of("small.txt"), &o, &fit), NN_OK);
    ck_assert_int_eq(nncc_data_fit(d, fit), NN_OK);
    is_text(d, fitted);
    nncc_data_free(fit);
    nncc_data_free(d);
    o.bytes = 1;
    ck_assert_int_eq(nncc_text_read(path_of("l.txt"), &o, &d), NN_OK);
    ck_assert_int_eq(d->n, (5 * (int64_t)PIECES + 3) / 3);
    nncc_data_free(d);
    o.bytes = 0;
    const char *bad = write_large_text("l.txt", "wbT", "\xc3");
    ck_assert_int_eq(nncc_text_read(bad, &o, &d), NN_ERR_DATA);
    ck_assert(said("l.txt:3400001: is no UTF-8 text"));
}
END_TEST

/* Big-endian reals, gzipped: they are unpacked to a file without a name. */
START_TEST(gzipped_they_are_unpacked)
{
    enum { WIDE = WIDTH / 4 };
    char head[HEAD + 1];
    unsigned char row[WIDE * 4] = {0x3f, 0xc0}; /* 1.5 */
    gzFile gz = gzopen(path_of("reals.npy.gz"), "wb1");
    double v[2];
    nncc_data *d;

    header(head, ">f4", WIDE);
    gzwrite(gz, head, HEAD);
    for (int i = 0; i < ROWS; i++)
        gzwrite(gz, row, sizeof row);
    gzclose(gz);
    ck_assert_msg(nncc_data_read(path_of("reals.npy.gz"), NULL, NULL, &d) ==
                      NN_OK,
                  "%s", nncc_last_error());
    ck_assert_ptr_null(d->x);
    ck_assert_int_eq(nncc_data_features(d, ROWS - 1, 0, 2, v), NN_OK);
    ck_assert_double_eq(v[0], 1.5);
    ck_assert_double_eq(v[1], 0);
    nncc_data_free(d);
}
END_TEST

static void has_rows(nncc_data *d)
{
    double v[WIDTH];

    ck_assert_int_eq(d->n, ROWS);
    ck_assert_ptr_null(d->x);
    for (int64_t i = 0; i < ROWS; i += 7777) {
        ck_assert_int_eq(nncc_data_features(d, i, 0, WIDTH, v), NN_OK);
        ck_assert_double_eq(number(v), (double)i);
    }
    nncc_data_free(d);
}

START_TEST(gzipped_tensors_are_unpacked)
{
    static const char text[] =
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[70000,1000],"
        "\"data_offsets\":[0,70000000]}}";
    size_t n = sizeof text - 1;
    unsigned char prefix[8] = {(unsigned char)n}, row[WIDTH] = {0};
    char member[256];
    gzFile gz = gzopen(path_of("x.safetensors.gz"), "wb1");
    nncc_data *d;

    gzwrite(gz, prefix, 8);
    gzwrite(gz, text, (unsigned)n);
    for (int64_t i = 0; i < ROWS; i++) {
        put(row, i);
        gzwrite(gz, row, WIDTH);
    }
    ck_assert_int_eq(gzclose(gz), Z_OK);
    snprintf(member, sizeof member, "%s:x", path_of("x.safetensors.gz"));
    ck_assert_msg(nncc_data_read(member, NULL, NULL, &d) == NN_OK, "%s",
                  nncc_last_error());
    has_rows(d);
    ck_assert_int_eq(truncate(path_of("x.safetensors.gz"), 5000), 0);
    ck_assert_int_eq(nncc_data_read(member, NULL, NULL, &d), NN_ERR_FILE);
    ck_assert(said("x.safetensors.gz: the gzip file is cut short"));
}
END_TEST

START_TEST(a_file_that_shrinks_is_an_error)
{
    const char *path = path_of("rows.npy");
    nncc_data *d = open_rows(path);
    double v;

    ck_assert_int_eq(truncate(path, 5000), 0);
    ck_assert_int_eq(nncc_data_features(d, 9, 0, 1, &v), NN_ERR_FILE);
    ck_assert(said("rows.npy: has become shorter"));
    ck_assert_int_eq(nncc_data_standardise(d, NULL), NN_ERR_FILE);
    nncc_data_free(d);
    ck_assert_int_eq(nncc_data_read(path, NULL, NULL, &d), NN_ERR_DATA);
    ck_assert(said("is cut short"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime bulk");
    TCase *t = tcase_create("bulk");

    tcase_add_test(t, rows_are_read_where_they_are);
    tcase_add_test(t, a_split_has_all_rows);
    tcase_add_test(t, standardised_as_they_are_read);
    tcase_add_test(t, fields_may_stay_there_too);
    tcase_add_test(t, tensors_may_stay_in_their_file);
    tcase_add_test(t, large_texts_stay_in_files);
    tcase_add_test(t, gzipped_they_are_unpacked);
    tcase_add_test(t, gzipped_tensors_are_unpacked);
    tcase_add_test(t, a_file_that_shrinks_is_an_error);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    return folder_run(suite());
}
