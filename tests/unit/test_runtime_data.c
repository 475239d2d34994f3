/* test_runtime_data.c: libnn: CSV files and data sets. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Features and labels of a data set of doubles. */
static double *X(const nncc_data *d) { return d->x; }
static double *Y(const nncc_data *d) { return d->y; }

/* CSV files. */

static nncc_data *read_csv(const char *text, const nncc_csv_options *o)
{
    nncc_data *d = NULL;
    const char *path = write_text("t.csv", text);

    ck_assert_msg(nncc_csv_read(path, o, &d) == NN_OK, "%s", nncc_last_error());
    return d;
}

START_TEST(reads_plain_rows)
{
    nncc_data *d = read_csv("1,2.5,0\n-3,4e1,1\n", NULL);

    ck_assert_int_eq(d->n, 2);
    ck_assert_int_eq(d->nfeature, 2);
    ck_assert_int_eq(d->label, NNCC_LABEL_INT);
    ck_assert_ptr_null(d->feature_name);
    ck_assert_double_eq(X(d)[1], 2.5);
    ck_assert_double_eq(X(d)[2], -3);
    ck_assert_double_eq(X(d)[3], 40);
    ck_assert_double_eq(Y(d)[1], 1);
    ck_assert_int_eq(d->line[1], 2);
    nncc_data_free(d);
}
END_TEST

/* One table in the spellings that files come in. */
static const char *const spellings[] = {
    "a,b,c\n1,2,3\n4,5,6\n",
    "a,b,c\r\n1,2,3\r\n4,5,6\r\n",
    "a,b,c\r1,2,3\r4,5,6\r",
    "a,b,c\n1,2,3\n4,5,6",
    "\357\273\277a,b,c\n1,2,3\n4,5,6\n",
    "a;b;c\n1;2;3\n4;5;6\n",
    "a\tb\tc\n1\t2\t3\n4\t5\t6\n",
    "a b  c\n1 2 3\n 4   5 6 \n",
    "\"a\",\"b\",\"c\"\n\"1\",\"2\",3\n4,\"5\" ,\"6\"\n",
    "\n\na , b , c\n\n 1 , 2 , 3 \n\n\n4,+5,6.0\n\n",
};
enum { NSPELLING = sizeof spellings / sizeof *spellings };

START_TEST(reads_every_spelling)
{
    nncc_data *d = read_csv(spellings[_i], NULL);

    ck_assert_int_eq(d->n, 2);
    ck_assert_int_eq(d->nfeature, 2);
    ck_assert_str_eq(d->feature_name[0], "a");
    ck_assert_str_eq(d->feature_name[1], "b");
    ck_assert_str_eq(d->label_name, "c");
    ck_assert_double_eq(X(d)[0], 1);
    ck_assert_double_eq(X(d)[3], 5);
    ck_assert_double_eq(Y(d)[0], 3);
    ck_assert_double_eq(Y(d)[1], 6);
    nncc_data_free(d);
}
END_TEST

START_TEST(chooses_the_label)
{
    static const char text[] = "kind,w,h\n0,1.5,2\n1,3,4\n";
    static const char *const label[] = {"kind", "0", "-3"};

    for (int i = 0; i < 3; i++) {
        nncc_csv_options o = NNCC_CSV_DEFAULTS;
        o.label = label[i];
        nncc_data *d = read_csv(text, &o);
        ck_assert_str_eq(d->label_name, "kind");
        ck_assert_str_eq(d->feature_name[1], "h");
        ck_assert_double_eq(Y(d)[1], 1);
        ck_assert_double_eq(X(d)[2], 3);
        nncc_data_free(d);
    }
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    o.label = "w";
    nncc_data *d = read_csv(text, &o);
    ck_assert_int_eq(d->label, NNCC_LABEL_REAL);
    nncc_data_free(d);
    o.no_label = 1;
    d = read_csv(text, &o);
    ck_assert_int_eq(d->nfeature, 3);
    ck_assert_ptr_null(d->y);
    nncc_data_free(d);
}
END_TEST

START_TEST(names_classes_in_sorted_order)
{
    nncc_data *d =
        read_csv("1,virginica\n2,setosa\n3,\"versicolor\"\n4,setosa\n", NULL);

    ck_assert_int_eq(d->label, NNCC_LABEL_NAME);
    ck_assert_int_eq(d->nclass, 3);
    ck_assert_str_eq(d->class_name[0], "setosa");
    ck_assert_str_eq(d->class_name[2], "virginica");
    ck_assert_double_eq(Y(d)[0], 2);
    ck_assert_double_eq(Y(d)[1], 0);
    ck_assert_double_eq(Y(d)[2], 1);
    ck_assert_double_eq(Y(d)[3], 0);
    nncc_data_free(d);
}
END_TEST

START_TEST(takes_counts_in_the_first_line)
{
    nncc_data *d = read_csv("3,2,red,green\n1,2,0\n3,4,1\n5,6,0\n", NULL);

    ck_assert_int_eq(d->n, 3);
    ck_assert_int_eq(d->label, NNCC_LABEL_INT);
    ck_assert_int_eq(d->nclass, 2);
    ck_assert_str_eq(d->class_name[1], "green");
    ck_assert_int_eq(d->line[0], 2);
    nncc_data_free(d);
}
END_TEST

START_TEST(takes_counts_without_a_label)
{
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    o.no_label = 1;
    nncc_data *d = read_csv("2,2,red,green\n1,2,0\n3,4,1\n", &o);

    ck_assert_int_eq(d->n, 2);
    ck_assert_int_eq(d->nfeature, 3);
    ck_assert_double_eq(X(d)[5], 1);
    nncc_data_free(d);
}
END_TEST

START_TEST(reads_gzip)
{
    gzFile gz = gzopen(path_of("t.csv.gz"), "wb");
    nncc_data *d;

    ck_assert_int_gt(gzputs(gz, "a,b\n1,2\n"), 0);
    gzclose(gz);
    ck_assert_int_eq(nncc_csv_read(path_of("t.csv.gz"), NULL, &d), NN_OK);
    ck_assert_int_eq(d->n, 1);
    nncc_data_free(d);
}
END_TEST

START_TEST(refuses_truncated_gzip)
{
    gzFile gz = gzopen(path_of("long.csv.gz"), "wb");
    size_t n;
    nncc_data *d;

    for (int i = 0; i < 20000; i++)
        gzprintf(gz, "%d,%d,%d\n", i * 7919 % 10007, i * 104729 % 99991, i % 3);
    gzclose(gz);
    char *bytes = read_bytes(path_of("long.csv.gz"), &n);
    write_bytes("cut.csv.gz", bytes, n / 2);
    bytes[n / 2] ^= 0x55;
    write_bytes("bad.csv.gz", bytes, n);
    free(bytes);
    ck_assert_int_eq(nncc_csv_read(path_of("long.csv.gz"), NULL, &d), NN_OK);
    ck_assert_int_eq(d->n, 20000);
    nncc_data_free(d);
    ck_assert_int_eq(nncc_csv_read(path_of("cut.csv.gz"), NULL, &d),
                     NN_ERR_FILE);
    ck_assert(said("cut short"));
    ck_assert_int_ne(nncc_csv_read(path_of("bad.csv.gz"), NULL, &d), NN_OK);
}
END_TEST

/* Text, label option, header option, status, part of the message. */
static const struct {
    const char *text, *label;
    int header, status;
    const char *message;
} bad_files[] = {
    {"", NULL, -1, NN_ERR_DATA, "t.csv: is empty"},
    {"\n\n \n", NULL, -1, NN_ERR_DATA, "t.csv: is empty"},
    {"a,b,c\n", NULL, -1, NN_ERR_DATA, "holds no rows"},
    {"1,2,3\n", NULL, 1, NN_ERR_DATA, "holds no rows"},
    {"1,2\n3,x\n", "0", -1, NN_ERR_DATA, "t.csv:2:3: 'x' is no number"},
    {"1,2\n3,x\n", NULL, -1, NN_ERR_DATA, "t.csv:2:3: 'x' is no number, but"},
    {"a,b\n1,0\nzz,1\n", NULL, -1, NN_ERR_DATA,
     "t.csv:3:1: 'zz' is no number (column 'a')"},
    {"x,1,2\ny,3,4\n", NULL, -1, NN_ERR_DATA,
     "t.csv:1:1: 'x' is no number (column 0)"},
    {"1,2,3\n4,5\n", NULL, -1, NN_ERR_DATA,
     "t.csv:2:1: this row has 2 fields; expected 3 as in line 1"},
    {"1,2\n\n4,5,6\n", NULL, -1, NN_ERR_DATA, "t.csv:3:1: this row has 3"},
    {"1,,3\n", NULL, -1, NN_ERR_DATA, "t.csv:1:3: empty field; expected a num"},
    {"1,2,\n", NULL, -1, NN_ERR_DATA, "t.csv:1:5: empty field; expected a lab"},
    {"1,nan,3\n", NULL, -1, NN_ERR_DATA, "t.csv:1:3: 'nan' is no finite"},
    {"1,-Inf,3\n", NULL, -1, NN_ERR_DATA, "t.csv:1:3: '-Inf' is no finite"},
    {"1,1e999,3\n", NULL, -1, NN_ERR_DATA, "'1e999' is no finite number"},
    {"1,0x10,3\n2,3,4\n", NULL, 0, NN_ERR_DATA, "'0x10' is no number"},
    {"1,2,inf\n", NULL, -1, NN_ERR_DATA, "t.csv:1:5: 'inf' is no finite"},
    {"a,b\n1,2\n", "c", -1, NN_ERR_NAME,
     "no column 'c' for the label; there "
     "are: 'a', 'b'"},
    {"1,2\n3,4\n", "7", -1, NN_ERR_NAME,
     "no column '7' for the label; there "
     "are columns 0 to 1"},
    {"1,2\n3,4\n", "-3", -1, NN_ERR_NAME, "no column '-3'"},
    {"1,2\n3,4\n", "y", 0, NN_ERR_ARGUMENT, "has no header"},
    {"1,\"2\n3,4\n", NULL, -1, NN_ERR_DATA, "t.csv:1:3: this quote is never"},
    {"1,\"2\"x,4\n", NULL, -1, NN_ERR_DATA, "t.csv:1:6: text after a closing"},
    {"1,2\n\x01\x02,4\n", NULL, -1, NN_ERR_DATA, "t.csv:2:1: is no text"},
    {"\177ELF\x02\x01\x01", NULL, -1, NN_ERR_DATA, "t.csv:1:5: is no text"},
    {"4,2,red,green\n1,2,0\n3,4,1\n", NULL, -1, NN_ERR_DATA,
     "holds 2 rows; its first line says 4"},
    {"1e40,2,red,green\n1,2,0\n3,4,1\n", NULL, -1, NN_ERR_DATA,
     "t.csv:2:1: this row has 3 fields; expected 4 as in line 1"},
    {"2,2,red,green\n1,2,0\n3,4,2\n", NULL, -1, NN_ERR_DATA,
     "t.csv:3:5: '2' is none of the classes"},
};
enum { NBAD = sizeof bad_files / sizeof *bad_files };

START_TEST(explains_bad_files)
{
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    nncc_data *d = NULL;

    o.label = bad_files[_i].label;
    o.header = bad_files[_i].header;
    const char *path = write_text("t.csv", bad_files[_i].text);
    ck_assert_int_eq(nncc_csv_read(path, &o, &d), bad_files[_i].status);
    ck_assert_ptr_null(d);
    ck_assert(said(bad_files[_i].message));
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    nncc_data *d = NULL;

    ck_assert_int_eq(nncc_csv_read(path_of("none.csv"), NULL, &d), NN_ERR_FILE);
    ck_assert(said("none.csv: No such file"));
    ck_assert_int_eq(nncc_csv_read(folder, NULL, &d), NN_ERR_FILE);
    ck_assert(said("is a directory"));
    ck_assert_int_eq(nncc_csv_read("/dev/zero", NULL, &d), NN_ERR_DATA);
    ck_assert(said("is no text"));
    o.delimiter = '!';
    write_text("t.csv", "1!2\n");
    ck_assert_int_eq(nncc_csv_read(path_of("t.csv"), &o, &d), NN_ERR_ARGUMENT);
    o = (nncc_csv_options)NNCC_CSV_DEFAULTS;
    o.max_bytes = 100;
    write_text("t.csv", "1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n");
    ck_assert_int_eq(nncc_csv_read(path_of("t.csv"), &o, &d), NN_ERR_DATA);
    ck_assert(said("more than 4 rows of 2 columns: that is the limit"));
}
END_TEST

/* Any byte anywhere is read or refused. */
START_TEST(survives_noise)
{
    char text[200];
    nncc_rng r;

    nncc_rng_seed(&r, (uint64_t)_i);
    for (int round = 0; round < 100; round++) {
        static const char some[] = "0123456789.,,,;\t\"\"\r\n\n-e nai\x01\xff";
        size_t n = nncc_rng_below(&r, sizeof text);
        for (size_t k = 0; k < n; k++)
            text[k] = some[nncc_rng_below(&r, sizeof some)];
        nncc_data *d = NULL;
        const char *path = write_bytes("noise.csv", text, n);
        if (nncc_csv_read(path, NULL, &d) == NN_OK)
            ck_assert_int_gt(d->n, 0);
        else
            ck_assert(strlen(nncc_last_error()) > 0);
        nncc_data_free(d);
    }
}
END_TEST

/* Data sets. */

static nncc_data *ramp(int64_t n)
{
    nncc_data *d = NULL;

    ck_assert_int_eq(nncc_data_new(n, 2, NNCC_LABEL_INT, &d), NN_OK);
    for (int64_t i = 0; i < n; i++) {
        X(d)[2 * i] = (double)i;
        X(d)[2 * i + 1] = 5;
        Y(d)[i] = (double)(i % 3);
    }
    return d;
}

/* The reference values are those of the authors' C code for state 1, 2, 3, 4
 * (xoshiro256**) and for seed 1234567 (splitmix64). */
START_TEST(random_numbers_are_the_published_ones)
{
    nncc_rng r = {{1, 2, 3, 4}};

    ck_assert_uint_eq(nncc_rng_next(&r), 11520);
    ck_assert_uint_eq(nncc_rng_next(&r), 0);
    ck_assert_uint_eq(nncc_rng_next(&r), 1509978240);
    ck_assert_uint_eq(nncc_rng_next(&r), UINT64_C(1215971899390074240));
    nncc_rng_seed(&r, 1234567);
    ck_assert_uint_eq(r.s[0], UINT64_C(6457827717110365317));
    ck_assert_uint_eq(r.s[1], UINT64_C(3203168211198807973));
}
END_TEST

START_TEST(random_numbers_stay_below)
{
    nncc_rng r;
    int count[7] = {0};

    nncc_rng_seed(&r, 5);
    for (int i = 0; i < 70000; i++)
        count[nncc_rng_below(&r, 7)]++;
    for (int k = 0; k < 7; k++)
        ck_assert_int_le(abs(count[k] - 10000), 400);
    ck_assert_uint_eq(nncc_rng_below(&r, 1), 0);
    ck_assert_uint_eq(nncc_rng_below(&r, 0), 0);
    uint64_t half = UINT64_C(1) << 63;
    for (int i = 0; i < 100; i++)
        ck_assert(nncc_rng_below(&r, half + 1) <= half);
}
END_TEST

START_TEST(splits_by_seed)
{
    nncc_data *d = ramp(100), *a, *b, *a2, *b2;
    nncc_split_options o = {.seed = 9, .count = -1, .fraction = 0.2};
    bool seen[100] = {false};

    ck_assert_int_eq(nncc_data_split(d, &o, &a, &b), NN_OK);
    ck_assert_int_eq(a->n, 80);
    ck_assert_int_eq(b->n, 20);
    for (int i = 0; i < 100; i++) {
        const nncc_data *s = i < 80 ? a : b;
        int k = i < 80 ? i : i - 80;
        int was = (int)X(s)[2 * k];
        ck_assert(!seen[was]);
        seen[was] = true;
        ck_assert_double_eq(Y(s)[k], was % 3);
        ck_assert_int_eq(s->line[k], was + 1);
    }
    o.count = 20;
    ck_assert_int_eq(nncc_data_split(d, &o, &a2, &b2), NN_OK);
    ck_assert_mem_eq(b->x, b2->x, 20 * 2 * sizeof(double));
    nncc_data_free(a2);
    nncc_data_free(b2);
    o.seed = 10;
    ck_assert_int_eq(nncc_data_split(d, &o, &a2, &b2), NN_OK);
    ck_assert(memcmp(b->x, b2->x, 20 * 2 * sizeof(double)) != 0);
    o.count = 101;
    ck_assert_int_eq(nncc_data_split(d, &o, &a2, &b2), NN_ERR_ARGUMENT);
    ck_assert(said("a test set of 101 rows out of 100"));
    o.count = -1;
    o.fraction = NAN;
    ck_assert_int_eq(nncc_data_split(d, &o, &a2, &b2), NN_ERR_ARGUMENT);
    nncc_data_free(a);
    nncc_data_free(b);
    nncc_data_free(a2);
    nncc_data_free(b2);
    nncc_data_free(d);
}
END_TEST

/* Each class has its share of both parts, up to a row. */
START_TEST(splits_by_class)
{
    nncc_data *d = ramp(101), *a, *b;
    nncc_split_options o = {.seed = 3, .count = 40, .stratify = 1};
    int count[4] = {0};
    bool seen[101] = {false};

    for (int i = 0; i < 101; i++)
        Y(d)[i] = i < 10 ? 3 : i % 3;
    ck_assert_int_eq(nncc_data_split(d, &o, &a, &b), NN_OK);
    ck_assert_int_eq(b->n, 40);
    for (int i = 0; i < 101; i++) {
        const nncc_data *s = i < 61 ? a : b;
        int k = i < 61 ? i : i - 61, was = (int)X(s)[2 * k];
        ck_assert(!seen[was]);
        seen[was] = true;
        ck_assert_double_eq(Y(s)[k], was < 10 ? 3 : was % 3);
        count[(int)Y(s)[k]] += s == b;
    }
    ck_assert_int_eq(count[3], 4);
    for (int k = 0; k < 3; k++)
        ck_assert_int_le(abs(count[k] - 12), 1);
    ck_assert_double_ne(X(b)[0] + 2, X(b)[2]); /* not sorted */
    nncc_data_free(a);
    nncc_data_free(b);
    d->label = NNCC_LABEL_REAL;
    ck_assert_int_eq(nncc_data_split(d, &o, &a, &b), NN_ERR_ARGUMENT);
    ck_assert(said("a stratified split needs a class"));
    nncc_data_free(d);
}
END_TEST

START_TEST(weighs_classes)
{
    nncc_data *d = ramp(9), *other = ramp(3);

    for (int i = 0; i < 9; i++)
        Y(d)[i] = i < 6 ? 0 : 2;
    ck_assert_int_eq(nncc_data_weigh(d, other, "w"), NN_OK);
    ck_assert_str_eq(d->field[0].name, "w");
    ck_assert_double_eq(((double *)d->field[0].at)[0], 0.75);
    ck_assert_double_eq(((double *)d->field[0].at)[8], 1.5);
    ck_assert_double_eq(((double *)other->field[0].at)[2], 1.5);
    Y(d)[0] = -1;
    ck_assert_int_eq(nncc_data_weigh(d, NULL, "v"), NN_ERR_DATA);
    ck_assert(said("label -1 is no class"));
    nncc_data_free(d);
    nncc_data_free(other);
}
END_TEST

START_TEST(scales)
{
    nncc_data *d = ramp(5), *other = ramp(5);
    double x;

    ck_assert_int_eq(nncc_data_scale(other, 2), NN_OK);
    nncc_data_features(other, 4, 0, 1, &x);
    ck_assert_double_eq(x, 8);
    ck_assert_int_eq(nncc_data_scale(other, INFINITY), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_data_standardise(d, other), NN_OK);
    ck_assert_double_eq_tol(X(d)[0], -2 / sqrt(2), 1e-15);
    ck_assert_double_eq_tol(X(d)[1], 0, 1e-15);
    ck_assert_double_eq_tol(X(other)[8], 6 / sqrt(2), 1e-15);
    ck_assert_double_eq_tol(X(other)[1], 5, 1e-15);
    nncc_data_free(d);
    nncc_data_free(other);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime data");
    TCase *t = tcase_create("data");
    tcase_add_test(t, reads_plain_rows);
    tcase_add_loop_test(t, reads_every_spelling, 0, NSPELLING);
    tcase_add_test(t, chooses_the_label);
    tcase_add_test(t, names_classes_in_sorted_order);
    tcase_add_test(t, takes_counts_in_the_first_line);
    tcase_add_test(t, takes_counts_without_a_label);
    tcase_add_test(t, reads_gzip);
    tcase_add_test(t, refuses_truncated_gzip);
    tcase_add_loop_test(t, explains_bad_files, 0, NBAD);
    tcase_add_test(t, refuses_what_is_no_file);
    tcase_add_loop_test(t, survives_noise, 0, 5);
    tcase_add_test(t, random_numbers_are_the_published_ones);
    tcase_add_test(t, random_numbers_stay_below);
    tcase_add_test(t, splits_by_seed);
    tcase_add_test(t, splits_by_class);
    tcase_add_test(t, weighs_classes);
    tcase_add_test(t, scales);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    return folder_run(suite());
}
