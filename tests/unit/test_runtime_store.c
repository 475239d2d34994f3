/* test_runtime_store.c: libnn: safetensors files, whole and damaged; what was
 * fitted to data, on data that comes later. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file with this header, and n bytes of tensors behind it. */
static const char *write_file(const char *header, const void *bytes, size_t n)
{
    unsigned char all[4096] = {0};
    size_t length = strlen(header);

    ck_assert_uint_lt(8 + length + n, sizeof all);
    for (int i = 0; i < 8; i++)
        all[i] = (unsigned char)((uint64_t)length >> 8 * i & 255);
    memcpy(all + 8, header, length);
    if (n)
        memcpy(all + 8 + length, bytes, n);
    return write_bytes("file", all, 8 + length + n);
}

static void refused(const char *header, size_t n, int status, const char *part)
{
    static const unsigned char zeros[64];
    nncc_store *s;

    ck_assert_int_eq(nncc_store_read(write_file(header, zeros, n), &s), status);
    ck_assert(said(part));
}

/* Stores */

START_TEST(keeps_tensors_and_texts)
{
    float x[] = {1, 2, 3, 4, 5, 6};
    nncc_tensor t = {NN_F32, 2, {2, 3}, x};
    nncc_store *s;

    ck_assert_int_eq(nncc_store_new(&s), NN_OK);
    ck_assert_int_eq(nncc_store_put(s, "a.b", &t), NN_OK);
    ck_assert_int_eq(nncc_store_put(s, "a.b", &t), NN_ERR_NAME);
    ck_assert(said("'a.b' is there already"));
    ck_assert_int_eq(nncc_store_set_text(s, "k", "one"), NN_OK);
    ck_assert_int_eq(nncc_store_set_text(s, "k", "two"), NN_OK);
    x[0] = 9; /* it has a copy */
    const nncc_tensor *have = nncc_store_find(s, "a.b");
    ck_assert_float_eq(*(const float *)have->data, 1);
    ck_assert_str_eq(nncc_store_text(s, "k"), "two");
    ck_assert_ptr_null(nncc_store_text(s, "l"));
    ck_assert_ptr_null(nncc_store_find(s, "a"));
    ck_assert_int_eq(nncc_store_count(s), 1);
    ck_assert_str_eq(nncc_store_name(s, 0), "a.b");
    ck_assert_ptr_null(nncc_store_name(s, 1));
    ck_assert_ptr_null(nncc_store_tensor(s, -1));
    nncc_store_free(s);
    nncc_store_free(NULL);
}
END_TEST

static nncc_store *some_of_each(void)
{
    static uint8_t flags[] = {1, 0}, bytes[] = {255};
    static int32_t ints[] = {-1, 2};
    static int64_t longs[] = {INT64_MIN};
    static float f32[] = {1.5f, INFINITY, -0.0f};
    static double f64[] = {1e300};
    static uint64_t key = UINT64_MAX;
    const struct {
        const char *name;
        nncc_tensor t;
    } row[] = {
        {"flags", {NN_BOOL, 1, {2}, flags}},
        {"bytes", {NN_U8, 1, {1}, bytes}},
        {"ints", {NN_I32, 2, {1, 2}, ints}},
        {"longs", {NN_I64, 1, {1}, longs}},
        {"f32", {NN_F32, 1, {3}, f32}},
        {"f64", {NN_F64, 1, {1}, f64}},
        {"key", {NN_KEY, 0, {0}, &key}},
        {"none", {NN_F32, 2, {0, 7}, f32}},
        {"a\"\\\xc3\xa4", {NN_U8, 1, {1}, bytes}},
    };
    nncc_store *s;

    ck_assert_int_eq(nncc_store_new(&s), NN_OK);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        ck_assert_int_eq(nncc_store_put(s, row[i].name, &row[i].t), NN_OK);
    ck_assert_int_eq(nncc_store_set_text(s, "who", "\xc3\xa4\n"), NN_OK);
    return s;
}

START_TEST(files_give_back_what_was_written)
{
    nncc_store *s = some_of_each(), *r;
    const char *path = path_of("each.safetensors");

    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    ck_assert_int_eq(nncc_store_read(path, &r), NN_OK);
    ck_assert_int_eq(nncc_store_count(r), nncc_store_count(s));
    for (int64_t i = 0; i < nncc_store_count(s); i++) {
        const nncc_tensor *a = nncc_store_tensor(s, i);
        const nncc_tensor *b = nncc_store_find(r, nncc_store_name(s, i));
        size_t n;
        ck_assert_ptr_nonnull(b);
        ck_assert_int_eq(a->dtype, b->dtype);
        ck_assert_int_eq(a->rank, b->rank);
        ck_assert_mem_eq(a->size, b->size, sizeof a->size);
        ck_assert_int_eq(nncc_tensor_count(a, NULL, &n), NN_OK);
        ck_assert(n == 0 || memcmp(a->data, b->data, n) == 0);
    }
    ck_assert_str_eq(nncc_store_text(r, "who"), "\xc3\xa4\n");
    nncc_store_free(s);
    nncc_store_free(r);
}
END_TEST

START_TEST(a_file_is_replaced_as_a_whole)
{
    nncc_store *s = some_of_each(), *r;
    const char *path = path_of("kept");
    struct stat st;

    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0640);
    ck_assert_int_ne(access(path_of("kept.part"), F_OK), 0);
    /* What cannot be written leaves what was there. */
    ck_assert_int_eq(mkdir(path_of("kept.part"), 0777), 0);
    ck_assert_int_eq(nncc_store_write(s, path), NN_ERR_FILE);
    ck_assert_int_eq(nncc_store_read(path, &r), NN_OK);
    nncc_store_free(r);
    ck_assert_int_eq(nncc_store_write(s, path_of("no/such/folder")),
                     NN_ERR_FILE);
    ck_assert(said("no/such/folder"));
    ck_assert_int_eq(nncc_store_set_text(s, "bad", "\xff"), NN_OK);
    ck_assert_int_eq(nncc_store_write(s, path), NN_ERR_ARGUMENT);
    ck_assert(said("UTF-8"));
    nncc_store_free(s);
}
END_TEST

START_TEST(other_dtypes_become_larger)
{
    const unsigned char bytes[] = {0x00, 0x3c, 0x00, 0xc0,
                                   0x01, 0x00, 0x00, 0x7c,  /* F16 */
                                   0x80, 0x3f, 0x20, 0xc0,  /* BF16 */
                                   0xff, 0x7f,              /* I8 */
                                   0xff, 0xff,              /* I16 */
                                   0xff, 0xff,              /* U16 */
                                   0xff, 0xff, 0xff, 0xff}; /* U32 */
    static const char *const header =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[8,12]},"
        "\"c\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[12,14]},"
        "\"s\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[14,16]},"
        "\"t\":{\"dtype\":\"U16\",\"shape\":[],\"data_offsets\":[16,18]},"
        "\"u\":{\"dtype\":\"U32\",\"shape\":[],\"data_offsets\":[18,22]}}";
    nncc_store *s;

    ck_assert_int_eq(
        nncc_store_read(write_file(header, bytes, sizeof bytes), &s), NN_OK);
    const float *h = nncc_store_find(s, "h")->data;
    const float *b = nncc_store_find(s, "b")->data;
    const int32_t *c = nncc_store_find(s, "c")->data;
    ck_assert(h[0] == 1 && h[1] == -2 && h[2] == 0x1p-24f && isinf(h[3]));
    ck_assert(b[0] == 1 && b[1] == -2.5f);
    ck_assert(c[0] == -1 && c[1] == 127);
    ck_assert_int_eq(*(int32_t *)nncc_store_find(s, "s")->data, -1);
    ck_assert_int_eq(*(int32_t *)nncc_store_find(s, "t")->data, 65535);
    ck_assert_int_eq(*(int64_t *)nncc_store_find(s, "u")->data, 4294967295);
    nncc_store_free(s);
}
END_TEST

#define ENTRY(dtype, shape, from, to)                                          \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape                         \
    ",\"data_offsets\":[" from "," to "]}}"

START_TEST(damage_is_told)
{
    nncc_store *s;

    ck_assert_int_eq(nncc_store_read(path_of("no such"), &s), NN_ERR_FILE);
    ck_assert_int_eq(nncc_store_read(write_bytes("e", "", 0), &s), NN_ERR_DATA);
    ck_assert(said("no safetensors file"));
    ck_assert_int_eq(
        nncc_store_read(write_bytes("e", "a,b,c\n1,2,3\n", 12), &s),
        NN_ERR_DATA);
    ck_assert(said("no safetensors file"));
    refused("{}x", 0, NN_ERR_DATA, "damaged");
    refused(ENTRY("F32", "[2]", "0", "8"), 4, NN_ERR_DATA, "cut short");
    refused(ENTRY("F32", "[2]", "0", "4"), 8, NN_ERR_DATA,
            "tensor 'a': its shape does not fit");
    refused(ENTRY("F32", "[2]", "8", "0"), 8, NN_ERR_DATA, "no place");
    refused(ENTRY("F32", "[-2]", "0", "8"), 8, NN_ERR_DATA, "a size");
    refused(ENTRY("F32", "[4611686018427387904,4]", "0", "0"), 8, NN_ERR_DATA,
            "too large");
    refused(ENTRY("F32", "[1.5]", "0", "8"), 8, NN_ERR_DATA, "a size");
    refused(ENTRY("F8_E4M3", "[8]", "0", "8"), 8, NN_ERR_TYPE, "F8_E4M3");
    refused(ENTRY("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "0", "4"), 4,
            NN_ERR_DATA, "17 axes");
    refused("{\"a\":{\"shape\":[]}}", 0, NN_ERR_DATA, "no dtype");
    refused("{\"a\":3}", 0, NN_ERR_DATA, "no dtype");
    refused("{\"__metadata__\":{\"a\":3}}", 0, NN_ERR_DATA, "a text is none");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
            8, NN_ERR_DATA, "shares its place");
}
END_TEST

/* Bytes and cuts at random: an error or a store, and nothing else. */
START_TEST(any_file_is_survived)
{
    nncc_store *s = some_of_each();
    void *bytes;
    size_t n;
    nncc_rng r;
    int read = 0;

    nncc_rng_seed(&r, 1);
    ck_assert_int_eq(nncc_store_bytes(s, &bytes, &n), NN_OK);
    nncc_store_free(s);
    unsigned char *copy = malloc(n);
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, bytes, n);
        for (uint64_t k = nncc_rng_below(&r, 4); k > 0; k--)
            copy[nncc_rng_below(&r, n)] =
                (unsigned char)nncc_rng_below(&r, 256);
        size_t length = nncc_rng_below(&r, 4) ? n : nncc_rng_below(&r, n);
        if (nncc_store_read(write_bytes("any", copy, length), &s) == NN_OK) {
            nncc_store_free(s);
            read++;
        }
    }
    ck_assert_int_gt(read, 100);
    ck_assert_int_lt(read, 2900);
    free(copy);
    free(bytes);
}
END_TEST

/* What was fitted */

static nncc_data *read_csv(const char *text, int no_label)
{
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    nncc_data *d;

    o.no_label = no_label;
    ck_assert_msg(nncc_csv_read(write_bytes("d.csv", text, strlen(text)), &o,
                                &d) == NN_OK,
                  "%s", nncc_last_error());
    return d;
}

static const char *const colours = "u,v,colour\n1,10,red\n3,10,blue\n"
                                   "5,40,red\n";

START_TEST(later_data_becomes_like_the_training_data)
{
    nncc_data *train = read_csv(colours, 0);
    nncc_data *later = read_csv("v,w,u,colour\n40,7,5,red\n10,7,1,red\n", 0);
    double want[2], have[2], label;

    ck_assert_int_eq(nncc_data_scale(train, 0.5), NN_OK);
    ck_assert_int_eq(nncc_data_standardise(train, NULL), NN_OK);
    ck_assert_int_eq(nncc_data_fit(later, train), NN_OK);
    ck_assert_int_eq(later->nfeature, 2);
    ck_assert_str_eq(later->feature_name[0], "u");
    for (int64_t i = 0; i < 2; i++) {
        nncc_data_features(train, 2 - 2 * i, 0, 2, want);
        nncc_data_features(later, i, 0, 2, have);
        ck_assert_mem_eq(want, have, sizeof want);
        nncc_data_labels(later, i, 0, 1, &label);
        ck_assert_double_eq(label, 1); /* red is 0 in that file, 1 here */
    }
    ck_assert_int_eq(later->nclass, 2);
    ck_assert_str_eq(later->class_name[0], "blue");
    nncc_data_free(train);
    nncc_data_free(later);
}
END_TEST

START_TEST(what_does_not_fit_is_told)
{
    static const struct {
        const char *text;
        int no_label, status;
        const char *said;
    } row[] = {
        {"u,w,colour\n1,2,red\n", 0, NN_ERR_NAME, "has no column 'v'"},
        {"u,v,colour\n1,2,red\n1,2,green\n", 0, NN_ERR_DATA,
         ":3: label 'green' is none of the classes"},
        {"1,2,3\n", 1, NN_ERR_SHAPE, "has 3 columns of features; the model"},
        {"1,2\n", 1, NN_OK, ""},
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        nncc_data *train = read_csv(colours, 0);
        nncc_data *d = read_csv(row[i].text, row[i].no_label);
        ck_assert_int_eq(nncc_data_fit(d, train), row[i].status);
        if (row[i].status)
            ck_assert(said(row[i].said));
        nncc_data_free(d);
        nncc_data_free(train);
    }
}
END_TEST

static nncc_data *read_text(const char *text)
{
    nncc_text_options o = {.length = 2};
    nncc_data *d;

    ck_assert_int_eq(
        nncc_text_read(write_bytes("t.txt", text, strlen(text)), &o, &d),
        NN_OK);
    return d;
}

START_TEST(a_text_keeps_its_vocabulary)
{
    nncc_data *train = read_text("abcdabcd"), *later = read_text("dcbd");
    nncc_data *other = read_text("axb"), *rows = read_csv(colours, 0);
    double x[2], y[2];

    ck_assert_int_eq(nncc_data_fit(later, train), NN_OK);
    nncc_data_features(later, 0, 0, 2, x);
    nncc_data_labels(later, 0, 0, 2, y);
    ck_assert(x[0] == 3 && x[1] == 2 && y[0] == 2 && y[1] == 1);
    ck_assert_int_eq(nncc_data_fit(other, train), NN_ERR_DATA);
    ck_assert(said("the character 'x' does not occur"));
    ck_assert_int_eq(nncc_data_fit(rows, train), NN_ERR_SHAPE);
    ck_assert(said("was trained on a text"));
    nncc_data_free(train);
    nncc_data_free(later);
    nncc_data_free(other);
    nncc_data_free(rows);
}
END_TEST

/* What a file says of the data that its model was trained on. */
START_TEST(nonsense_of_a_fit_is_refused)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"features\":2,\"labels\":1,\"label\":9,\"label_column\":2,"
        "\"text\":false,\"scale\":1,\"label_name\":null,"
        "\"feature_names\":null,\"class_names\":null}",
        "{\"features\":2,\"labels\":1,\"label\":1,\"label_column\":2,"
        "\"text\":false,\"scale\":1,\"label_name\":null,"
        "\"feature_names\":[\"a\"],\"class_names\":null}",
        "{\"features\":1,\"labels\":1,\"label\":1,\"label_column\":2,"
        "\"text\":false,\"scale\":1,\"label_name\":null,"
        "\"feature_names\":[7],\"class_names\":null}",
        "{\"features\":2,\"labels\":1,\"label\":1,\"label_column\":2,"
        "\"text\":false,\"scale\":1,\"label_name\":null,"
        "\"feature_names\":null,\"class_names\":3}",
    };
    nncc_data *fit;
    nncc_store *s;

    ck_assert_int_eq(nncc_store_new(&s), NN_OK);
    ck_assert_int_eq(nncc_fit_read(s, &fit), NN_OK);
    ck_assert_ptr_null(fit);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_int_eq(nncc_store_set_text(s, "nncc.data", texts[i]), NN_OK);
        ck_assert_int_eq(nncc_fit_read(s, &fit), NN_ERR_DATA);
        ck_assert(said("makes no sense"));
    }
    nncc_store_free(s);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime_store");
    TCase *t = tcase_create("stores");

    tcase_add_test(t, keeps_tensors_and_texts);
    tcase_add_test(t, files_give_back_what_was_written);
    tcase_add_test(t, a_file_is_replaced_as_a_whole);
    tcase_add_test(t, other_dtypes_become_larger);
    tcase_add_test(t, damage_is_told);
    tcase_add_test(t, any_file_is_survived);
    suite_add_tcase(s, t);
    t = tcase_create("fit");
    tcase_add_test(t, later_data_becomes_like_the_training_data);
    tcase_add_test(t, what_does_not_fit_is_told);
    tcase_add_test(t, a_text_keeps_its_vocabulary);
    tcase_add_test(t, nonsense_of_a_fit_is_refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    return folder_run(suite());
}
