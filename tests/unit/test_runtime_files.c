/* test_runtime_files.c: libnn: arrays and texts in files, rows of other dtypes
 * than CSV's. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const char *write_gz(const char *name, const void *bytes, size_t n)
{
    const char *path = path_of(name);
    gzFile gz = gzopen(path, "wb");

    ck_assert_ptr_nonnull(gz);
    ck_assert_int_eq(gzwrite(gz, bytes, (unsigned)n), (int)n);
    ck_assert_int_eq(gzclose(gz), Z_OK);
    return path;
}

/* IDX */

static const unsigned char idx[] = {0, 0, 0x0b, 2, 0, 0,    0,    2, 0, 0,
                                    0, 2, 0,    1, 1, 0xff, 0xff, 0, 2};
static const unsigned char idx_i16[] = {0, 0, 0x0b, 2, 0,    0,    0, 2, 0, 0,
                                        0, 2, 0,    1, 0xff, 0xfe, 1, 0, 0, 0};

START_TEST(reads_idx)
{
    nncc_tensor *t;
    const int32_t want[] = {1, -2, 256, 0};

    ck_assert_int_eq(
        nncc_array_read(write_gz("a.gz", idx_i16, sizeof idx_i16), &t), NN_OK);
    ck_assert_int_eq(t->dtype, NN_I32);
    ck_assert_int_eq(t->rank, 2);
    ck_assert_int_eq(t->size[1], 2);
    ck_assert_mem_eq(t->data, want, sizeof want);
    nncc_tensor_free(t);
    ck_assert_int_eq(nncc_array_read(write_bytes("short", idx, sizeof idx), &t),
                     NN_ERR_DATA);
    ck_assert(said("is cut short"));
}
END_TEST

START_TEST(reads_idx_reals)
{
    const unsigned char b[] = {0,    0,    0x0d, 1, 0,    0,    0, 2,
                               0x3f, 0xc0, 0,    0, 0xc0, 0x20, 0, 0};
    nncc_tensor *t;

    ck_assert_int_eq(nncc_array_read(write_bytes("f", b, sizeof b), &t), NN_OK);
    ck_assert_int_eq(t->dtype, NN_F32);
    ck_assert_float_eq(((float *)t->data)[0], 1.5f);
    ck_assert_float_eq(((float *)t->data)[1], -2.5f);
    nncc_tensor_free(t);
}
END_TEST

/* .npy */

/* A file of version 1 with this dictionary before n bytes. */
static const char *write_npy(const char *dict, const void *bytes, size_t n)
{
    static unsigned char all[4096];
    size_t len = strlen(dict);

    memcpy(all, "\x93NUMPY\1\0", 8);
    all[8] = (unsigned char)(len + 1);
    all[9] = 0;
    memcpy(all + 10, dict, len);
    all[10 + len] = '\n';
    memcpy(all + 11 + len, bytes, n);
    return write_bytes("a.npy", all, 11 + len + n);
}

static const struct {
    const char *descr;
    unsigned char bytes[8];
    size_t n;
    int dtype;
    double value;
} elements[] = {
    {"|b1", {1}, 1, NN_BOOL, 1},
    {"|u1", {200}, 1, NN_U8, 200},
    {"|i1", {0xff}, 1, NN_I32, -1},
    {"<i2", {0xfe, 0xff}, 2, NN_I32, -2},
    {">i2", {0xff, 0xfe}, 2, NN_I32, -2},
    {"<u2", {0xff, 0xff}, 2, NN_I32, 65535},
    {"<i4", {0, 0, 0, 0x80}, 4, NN_I32, -2147483648.0},
    {"<u4", {0, 0, 0, 0x80}, 4, NN_I64, 2147483648.0},
    {"<i8", {1, 0, 0, 0, 1, 0, 0, 0}, 8, NN_I64, 4294967297.0},
    {"<f2", {0, 0x3e}, 2, NN_F32, 1.5},
    {">f2", {0x3e, 0}, 2, NN_F32, 1.5},
    {"<f4", {0, 0, 0xc0, 0x3f}, 4, NN_F32, 1.5},
    {"<f8", {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 8, NN_F64, 1.5},
    {">f8", {0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, 8, NN_F64, 1.5},
};

START_TEST(reads_npy)
{
    char dict[100];
    nncc_tensor *t;
    nncc_data *d;
    double v;

    snprintf(dict, sizeof dict,
             "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }",
             elements[_i].descr);
    const char *path = write_npy(dict, elements[_i].bytes, elements[_i].n);
    ck_assert_msg(nncc_array_read(path, &t) == NN_OK, "%s", nncc_last_error());
    ck_assert_int_eq(t->dtype, elements[_i].dtype);
    ck_assert_int_eq(t->rank, 1);
    nncc_tensor_free(t);
    ck_assert_int_eq(nncc_data_read(path, NULL, NULL, &d), NN_OK);
    nncc_data_features(d, 0, 0, 1, &v);
    ck_assert_double_eq(v, elements[_i].value);
    ck_assert_int_eq(nncc_data_scale(d, 0.5), NN_OK);
    nncc_data_features(d, 0, 0, 1, &v);
    ck_assert_double_eq(v, 0.5 * elements[_i].value);
    nncc_data_free(d);
}
END_TEST

/* An array that lies column by column. */
START_TEST(turns_columns_into_rows)
{
    static const unsigned char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    nncc_tensor *t;
    const char *path = write_npy(
        "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", bytes,
        sizeof bytes);

    ck_assert_int_eq(nncc_array_read(path, &t), NN_OK);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++)
            for (int l = 0; l < 2; l++)
                ck_assert_int_eq(((uint8_t *)t->data)[6 * i + 2 * k + l],
                                 i + 2 * k + 6 * l);
    nncc_tensor_free(t);
    path = write_npy(
        "{'descr': '|u1', 'fortran_order': True, 'shape': (0, 3), }", "", 0);
    ck_assert_int_eq(nncc_array_read(path, &t), NN_OK);
    nncc_tensor_free(t);
}
END_TEST

static const struct {
    const char *dict, *says;
} bad_npy[] = {
    {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "neither"},
    {"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }", "neither"},
    {"{'descr': [('a', '<f4')], 'shape': (1,), }", "neither"},
    {"{'descr': '<f4', 'fortran_order': False, }", "damaged"},
    {"{'descr': '<f4', 'shape': (1,), }", "damaged"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "damaged"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1", "damaged"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }", "cut short"},
    {"{'descr': '<f8', 'fortran_order': False, "
     "'shape': (4294967296, 4294967296, 4294967296), }",
     "cut short"},
    {"{'descr': '<f8', 'fortran_order': False, "
     "'shape': (0, 4294967296, 4294967296, 4294967296), }",
     "cut short"},
    {"{'descr': '<f4', 'fortran_order': False, "
     "'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }",
     "damaged"},
    {"", "neither"},
};

START_TEST(explains_bad_npy)
{
    nncc_tensor *t;
    const char *path = write_npy(bad_npy[_i].dict, "abcd", 4);

    ck_assert_int_eq(nncc_array_read(path, &t), NN_ERR_DATA);
    ck_assert(said(bad_npy[_i].says));
}
END_TEST

/* Noise behind the first bytes of both formats: never a crash. */
START_TEST(survives_noise)
{
    unsigned char b[200];
    nncc_rng r;

    nncc_rng_seed(&r, (uint64_t)_i);
    for (int round = 0; round < 200; round++) {
        size_t n = nncc_rng_below(&r, sizeof b);
        nncc_tensor *t = NULL;
        for (size_t k = 0; k < sizeof b; k++)
            b[k] = (unsigned char)nncc_rng_below(&r, round % 3 ? 256 : 4);
        if (round % 2)
            memcpy(b, "\x93NUMPY\1\0\x50\0{'descr': '<f4', 'shape': (2, ", 40);
        else
            memcpy(b, "\0\0\x08", 3);
        if (nncc_array_read(write_bytes("noise", b, n), &t) == NN_OK)
            ck_assert_int_gt(t->rank, 0);
        else
            ck_assert(strlen(nncc_last_error()) > 0);
        nncc_tensor_free(t);
    }
}
END_TEST

/* Data sets of arrays. */

static const char *write_idx(const char *name, int n, int width)
{
    unsigned char b[4096] = {0, 0, 8, width ? 2 : 1,
                             0, 0, 0, (unsigned char)n,
                             0, 0, 0, (unsigned char)width};
    size_t at = width ? 12 : 8, count = (size_t)(width ? n * width : n);

    for (size_t i = 0; i < count; i++)
        b[at + i] = (unsigned char)i;
    return write_bytes(name, b, at + count);
}

START_TEST(joins_features_and_labels)
{
    const char *x = write_idx("x", 6, 3), *y = write_idx("y", 6, 0);
    nncc_split_options o = {.count = 2, .keep_order = 1};
    nncc_data *d, *train, *test;
    double v[3];

    ck_assert_int_eq(nncc_data_read(x, y, NULL, &d), NN_OK);
    ck_assert_int_eq(d->n, 6);
    ck_assert_int_eq(d->nfeature, 3);
    ck_assert_int_eq(d->label, NNCC_LABEL_INT);
    ck_assert_int_eq(nncc_data_split(d, &o, &train, &test), NN_OK);
    ck_assert_int_eq(test->x_dtype, NN_U8);
    nncc_data_features(test, 1, 0, 3, v);
    ck_assert_double_eq(v[2], 17);
    nncc_data_labels(test, 1, 0, 1, v);
    ck_assert_double_eq(v[0], 5);
    ck_assert_int_eq(nncc_data_scale(train, 2), NN_OK);
    ck_assert_int_eq(nncc_data_standardise(train, test), NN_OK);
    ck_assert_int_eq(train->x_dtype, NN_F32);
    nncc_data_features(train, 0, 0, 1, v);
    ck_assert_double_eq_tol(v[0], -4.5 / sqrt(11.25), 1e-6);
    ck_assert_int_eq(nncc_data_read(x, write_idx("z", 5, 0), NULL, &test),
                     NN_ERR_SHAPE);
    ck_assert(said("has 6 rows") && said("5 labels"));
    nncc_data_free(d);
    nncc_data_free(train);
    nncc_data_free(test);
}
END_TEST

/* However many a header says there are. */
START_TEST(refuses_rows_of_nothing)
{
    static const unsigned char none[] = {0, 0, 8, 2, 0x3b, 0, 0, 2, 0, 0, 0, 0};
    const char *x = write_bytes("x", none, sizeof none);
    nncc_data *d;

    ck_assert_int_eq(nncc_data_read(x, NULL, NULL, &d), NN_ERR_SHAPE);
    ck_assert(said("holds 989855746 rows of no numbers"));
    ck_assert_int_eq(nncc_data_read(write_idx("y", 3, 2), x, NULL, &d),
                     NN_ERR_SHAPE);
}
END_TEST

START_TEST(takes_labels_from_csv)
{
    nncc_data *d;
    double v;
    const char *y = write_bytes("y.csv", "0.5\n1\n2\n", 8);

    ck_assert_int_eq(nncc_data_read(write_idx("x", 3, 2), y, NULL, &d), NN_OK);
    ck_assert_int_eq(d->label, NNCC_LABEL_REAL);
    nncc_data_labels(d, 0, 0, 1, &v);
    ck_assert_double_eq(v, 0.5);
    nncc_data_free(d);
    ck_assert_int_eq(nncc_data_read(y, NULL, NULL, &d), NN_OK);
    ck_assert_int_eq(d->nlabel, 1);
    nncc_data_free(d);
    ck_assert_int_eq(nncc_data_read(path_of("none"), NULL, NULL, &d),
                     NN_ERR_FILE);
}
END_TEST

/* Texts. */

static nncc_data *read_text(const char *text, int64_t length, int64_t stride)
{
    nncc_text_options o = {.length = length, .stride = stride};
    nncc_data *d = NULL;
    const char *path = write_bytes("t.txt", text, strlen(text));

    ck_assert_msg(nncc_text_read(path, &o, &d) == NN_OK, "%s",
                  nncc_last_error());
    return d;
}

START_TEST(reads_a_text)
{
    nncc_data *d = read_text("\xef\xbb\xbf"
                             "ab\xc3\xa4"
                             "ba\xf0\x9f\x98\x80\n",
                             2, 0);
    double v[2];

    /* a b ä b a 😀 \n: in order \n a b ä 😀 */
    ck_assert_int_eq(d->nclass, 5);
    ck_assert_str_eq(d->class_name[0], "\n");
    ck_assert_str_eq(d->class_name[3], "\xc3\xa4");
    ck_assert_str_eq(d->class_name[4], "\xf0\x9f\x98\x80");
    ck_assert_int_eq(d->n, 3);
    ck_assert_int_eq(d->nlabel, 2);
    nncc_data_features(d, 1, 0, 2, v);
    ck_assert(v[0] == 3 && v[1] == 2);
    nncc_data_labels(d, 1, 0, 2, v);
    ck_assert(v[0] == 2 && v[1] == 1);
    nncc_data_labels(d, 2, 0, 2, v);
    ck_assert(v[0] == 4 && v[1] == 0);
    ck_assert_int_eq(nncc_data_standardise(d, NULL), NN_ERR_ARGUMENT);
    nncc_data_free(d);
}
END_TEST

START_TEST(rows_of_a_text_may_overlap)
{
    nncc_data *d = read_text("abcdefgh", 3, 2), *train, *test;
    nncc_split_options o = {.count = 1, .keep_order = 1};
    double v[3];

    ck_assert_int_eq(d->n, 3);
    ck_assert_int_eq(nncc_data_split(d, &o, &train, &test), NN_OK);
    nncc_data_features(test, 0, 0, 3, v);
    ck_assert(v[0] == 4 && v[2] == 6);
    nncc_data_labels(test, 0, 0, 3, v);
    ck_assert(v[0] == 5 && v[2] == 7);
    ck_assert_int_eq(train->nclass, 8);
    nncc_data_free(d);
    nncc_data_free(train);
    nncc_data_free(test);
}
END_TEST

START_TEST(has_room_for_many_characters)
{
    char text[2 * 600 + 1];
    double v[1];

    for (int i = 0; i < 600; i++) {
        text[2 * i] = (char)(0xc4 + i / 64);
        text[2 * i + 1] = (char)(0x80 + i % 64);
    }
    text[1200] = 0;
    nncc_data *d = read_text(text, 1, 0);
    ck_assert_int_eq(d->nclass, 600);
    ck_assert_int_eq(d->x_dtype, NN_I32);
    nncc_data_labels(d, 598, 0, 1, v);
    ck_assert_double_eq(v[0], 599);
    nncc_data_free(d);
}
END_TEST

static const char *const no_utf8[] = {
    "a\nb\x80",
    "a\n\xc0\x80",
    "a\n\xe0\x80\x80",
    "a\n\xed\xa0\x80",
    "a\n\xf4\x90\x80\x80",
    "a\n\xc3",
    "a\n\xe2\x82",
    "a\n\xff",
    "a\n\xf0\x80\x80\x80",
    "a\n\xc3\xc3",
};

START_TEST(explains_what_is_no_text)
{
    nncc_text_options o = {.length = 1};
    nncc_data *d;
    const char *path = write_bytes("t.txt", no_utf8[_i], strlen(no_utf8[_i]));

    ck_assert_int_eq(nncc_text_read(path, &o, &d), NN_ERR_DATA);
    ck_assert(said("t.txt:2: is no UTF-8"));
}
END_TEST

START_TEST(explains_short_texts)
{
    nncc_text_options o = {.length = 5, .max_bytes = 100000};
    nncc_data *d;
    static char large[200000];

    ck_assert_int_eq(nncc_text_read(write_bytes("t", "abcde", 5), &o, &d),
                     NN_ERR_DATA);
    ck_assert(said("has 5 characters; expected more than 5"));
    o.length = 0;
    ck_assert_int_eq(nncc_text_read(path_of("t"), &o, &d), NN_ERR_ARGUMENT);
    o.length = 5;
    memset(large, 'a', sizeof large);
    ck_assert_int_eq(
        nncc_text_read(write_gz("l.gz", large, sizeof large), &o, &d),
        NN_ERR_DATA);
    ck_assert(said("is larger than 100000 bytes"));
    ck_assert_int_eq(nncc_text_read(folder, &o, &d), NN_ERR_FILE);
    ck_assert(said("is a directory"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime files");
    TCase *t = tcase_create("arrays");

    tcase_add_test(t, reads_idx);
    tcase_add_test(t, reads_idx_reals);
    tcase_add_loop_test(t, reads_npy, 0, sizeof elements / sizeof *elements);
    tcase_add_test(t, turns_columns_into_rows);
    tcase_add_loop_test(t, explains_bad_npy, 0,
                        sizeof bad_npy / sizeof *bad_npy);
    tcase_add_loop_test(t, survives_noise, 0, 3);
    tcase_add_test(t, joins_features_and_labels);
    tcase_add_test(t, refuses_rows_of_nothing);
    tcase_add_test(t, takes_labels_from_csv);
    suite_add_tcase(s, t);
    t = tcase_create("texts");
    tcase_add_test(t, reads_a_text);
    tcase_add_test(t, rows_of_a_text_may_overlap);
    tcase_add_test(t, has_room_for_many_characters);
    tcase_add_loop_test(t, explains_what_is_no_text, 0,
                        sizeof no_utf8 / sizeof *no_utf8);
    tcase_add_test(t, explains_short_texts);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    return folder_run(suite());
}
