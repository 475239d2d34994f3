/* test_runtime_csv.c: libnn: columns of CSV files that are not just numbers. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char path[128]; /* of the file at hand */

static const nncc_csv_options defaults = NNCC_CSV_DEFAULTS;

/* The same with so many bytes of memory. */
static nncc_csv_options within(const nncc_csv_options *o, uint64_t bytes)
{
    nncc_csv_options less = o ? *o : defaults;

    less.memory_bytes = bytes;
    return less;
}

static void same_numbers(const nncc_data *d, const nncc_data *e, int64_t i)
{
    double v[1024], w[1024];

    ck_assert_int_le(d->nfeature, 1024);
    ck_assert_int_eq(nncc_data_features(d, i, 0, d->nfeature, v), NN_OK);
    ck_assert_int_eq(nncc_data_features(e, i, 0, d->nfeature, w), NN_OK);
    for (int64_t k = 0; k < d->nfeature; k++)
        ck_assert_msg(v[k] == w[k] || (isnan(v[k]) && isnan(w[k])),
                      "%g is %g from a file", v[k], w[k]);
    if (d->nlabel) {
        ck_assert_int_eq(nncc_data_labels(d, i, 0, 1, v), NN_OK);
        ck_assert_int_eq(nncc_data_labels(e, i, 0, 1, w), NN_OK);
        ck_assert_double_eq(v[0], w[0]);
    }
    ck_assert(!d->part || d->part[i] == e->part[i]);
}

/* What does not fit into memory, from the second row on or later, has the same
 * rows. */
static void same_in_files(const nncc_csv_options *o, const nncc_data *d)
{
    for (uint64_t bytes = 1; bytes <= 100; bytes += 99) {
        nncc_csv_options less = within(o, bytes);
        nncc_data *e = NULL;
        ck_assert_msg(nncc_csv_read(path, &less, &e) == NN_OK, "%s",
                      nncc_last_error());
        ck_assert_int_eq(e->n, d->n);
        ck_assert_int_eq(e->nfeature, d->nfeature);
        ck_assert_int_eq(e->nlabel, d->nlabel);
        ck_assert_int_eq(e->label, d->label);
        ck_assert_int_eq(e->nclass, d->nclass);
        ck_assert(bytes > 1 || d->n < 2 || (e->x_file && !e->x));
        for (int32_t k = 0; k < d->nclass && d->class_name; k++)
            ck_assert_str_eq(e->class_name[k], d->class_name[k]);
        for (int64_t i = 0; i < d->n; i++)
            same_numbers(d, e, i);
        nncc_data_free(e);
    }
}

static nncc_data *read_csv(const char *text, const nncc_csv_options *o)
{
    nncc_data *d = NULL;

    write_text("t.csv", text);
    ck_assert_msg(nncc_csv_read(path, o, &d) == NN_OK, "%s", nncc_last_error());
    same_in_files(o, d);
    return d;
}

static void refused(const char *text, const nncc_csv_options *o,
                    const char *part)
{
    nncc_csv_options less = within(o, 1);
    nncc_data *d = NULL;

    write_text("t.csv", text);
    ck_assert_int_ne(nncc_csv_read(path, o, &d), NN_OK);
    ck_assert(said(part));
    ck_assert_int_ne(nncc_csv_read(path, &less, &d), NN_OK);
    ck_assert(said(part));
}

/* All features are these; NAN is itself. */
static void has(const nncc_data *d, int64_t m, const double *want)
{
    ck_assert_int_eq(d->nfeature, m);
    for (int64_t i = 0; i < d->n * m; i++) {
        double got = ((const double *)d->x)[i];
        bool same = isnan(want[i]) ? isnan(got) : got == want[i];
        ck_assert_msg(same, "feature %d is %g, not %g", (int)i, got, want[i]);
    }
}
#define HAS(d, m, ...) has(d, m, (const double[]){__VA_ARGS__})

/* Options of columns of one kind, without a label. */
static nncc_csv_options kind(const char *columns, int32_t what)
{
    static nncc_column_option c;
    nncc_csv_options o = defaults;

    c = (nncc_column_option){.columns = columns, .kind = what};
    o.column = &c;
    o.ncolumn = 1;
    o.no_label = 1;
    return o;
}

/* Comments and decimal signs. */

START_TEST(comments_are_left_out)
{
    nncc_csv_options o = defaults;
    nncc_data *d =
        read_csv("# made by hand \x01\na,y\n1,2\n  # 7,\"8\n3,4\n#", &o);

    HAS(d, 1, 1, 3);
    ck_assert_int_eq(d->line[1], 5);
    nncc_data_free(d);
    o.comment = '%';
    d = read_csv("% no\n1,2\n", &o);
    HAS(d, 1, 1);
    nncc_data_free(d);
    o.comment = '\n';
    o.label = "0";
    d = read_csv("#a,1\n#b,2\n", &o);
    ck_assert_str_eq(d->class_name[1], "#b");
    nncc_data_free(d);
}
END_TEST

static const char *const commas[] = {
    "a;b;y\n1,5;-0,25;3\n1e1;2,0;4\n",
    "1,5;-0,25;3\n10;2;4\n",
    "1,5\t-0,25\t3\n10\t2\t4\n",
};

START_TEST(a_comma_may_be_decimal)
{
    nncc_data *d = read_csv(commas[_i], NULL);

    HAS(d, 2, 1.5, -0.25, 10, 2);
    nncc_data_free(d);
}
END_TEST

START_TEST(a_file_has_one_decimal_sign)
{
    nncc_csv_options o = defaults;

    refused("1,5;2\n1.234;2\n", NULL,
            "t.csv:2:1: '1.234' has a decimal point where");
    refused("1.5;2\n1,234;2\n", NULL, "'1,234' has a decimal comma where");
    o.header = 0;
    refused("1.234,5;2\n1;2\n", &o, "is no number");
    o.decimal = '.';
    refused("1,5;2\n1,6;3\n", &o, "'1,5' is no number");
    o.decimal = ',';
    nncc_data *d = read_csv("\"1,5\",2\n\"1,25\",3\n", &o);
    HAS(d, 1, 1.5, 1.25);
    nncc_data_free(d);
}
END_TEST

/* What is missing. */

START_TEST(what_is_missing_needs_a_rule)
{
    static const char text[] = "a,b,y\n1,NA,0\n,4,1\n5,?,\n7,8,1\n9,nan,null\n";
    nncc_csv_options o = defaults;

    refused(text, NULL, "t.csv:2:3: 'NA' is no number (column 'b')");
    o.missing = NNCC_MISSING_DROP;
    nncc_data *d = read_csv(text, &o);
    HAS(d, 2, 7, 8);
    ck_assert_int_eq(d->dropped_rows, 4);
    ck_assert_int_eq(d->line[0], 5);
    nncc_data_free(d);
    o.missing = NNCC_MISSING_KEEP;
    d = read_csv(text, &o);
    HAS(d, 2, 1, NAN, NAN, 4, 7, 8);
    ck_assert_int_eq(d->dropped_rows, 2);
    nncc_data_free(d);
    o.missing = NNCC_MISSING_DROP;
    refused("1,\n,2\n", &o, "no rows of data that lack nothing");
}
END_TEST

static nncc_data *holes(const char *text)
{
    nncc_csv_options o = defaults;

    o.missing = NNCC_MISSING_KEEP;
    o.no_label = 1;
    o.header = 0;
    return read_csv(text, &o);
}

START_TEST(holes_are_filled_by_the_training_data)
{
    nncc_data *d = holes("1,5,\n3,,\n8,5,\n,6,\n"), *e = holes(",,\n");

    ck_assert_int_eq(nncc_data_fill(d, e, NNCC_FILL_MEAN, 0), NN_OK);
    HAS(d, 3, 1, 5, 0, 3, 16.0 / 3, 0, 8, 5, 0, 4, 6, 0);
    HAS(e, 3, 4, 16.0 / 3, 0);
    ck_assert_double_eq(e->fill[0], 4);
    nncc_data_free(d);
    d = holes("1,5\n3,\n8,5\n,6\n");
    ck_assert_int_eq(nncc_data_fill(d, NULL, NNCC_FILL_MEDIAN, 0), NN_OK);
    HAS(d, 2, 1, 5, 3, 5, 8, 5, 3, 6);
    nncc_data_free(d);
    d = holes("1,\n3,4\n");
    ck_assert_int_eq(nncc_data_fill(d, e, NNCC_FILL_VALUE, -1),
                     NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_data_fill(d, NULL, NNCC_FILL_VALUE, -1), NN_OK);
    HAS(d, 2, 1, -1, 3, 4);
    nncc_data_free(d);
    nncc_data_free(e);
}
END_TEST

/* Dates: text, order, days; NAN: it is none. Days are Python's
 * (date - date(1970, 1, 1)).days. */
static const struct {
    const char *text;
    int order;
    double days;
} dates[] = {
    {"1970-01-01", NNCC_DATE_ISO, 0},
    {"2024-02-29", NNCC_DATE_ISO, 19782},
    {"2000-03-01", NNCC_DATE_ISO, 11017},
    {"1969-12-31", NNCC_DATE_ISO, -1},
    {"0001-01-01", NNCC_DATE_ISO, -719162},
    {"2024/3/1", NNCC_DATE_ISO, 19783},
    {"31.12.1999", NNCC_DATE_ISO, 10956},
    {"2024-01-01T12:00", NNCC_DATE_ISO, 19723.5},
    {"2024-01-01 06:00:00.000Z", NNCC_DATE_ISO, 19723.25},
    {"2024-01-01T01:00:00+01:00", NNCC_DATE_ISO, 19723},
    {"2023-12-31 18:00 -0600", NNCC_DATE_ISO, 19723},
    {"01/02/2024", NNCC_DATE_DMY, 19754},
    {"01/02/2024", NNCC_DATE_MDY, 19724},
    {"1-2-2024", NNCC_DATE_DMY, 19754},
    {"31.12.1999", NNCC_DATE_MDY, 10956},
    {"01/02/2024", NNCC_DATE_ISO, NAN},
    {"2023-02-29", NNCC_DATE_ISO, NAN},
    {"1900-02-29", NNCC_DATE_ISO, NAN},
    {"2024-13-01", NNCC_DATE_ISO, NAN},
    {"13/13/2024", NNCC_DATE_DMY, NAN},
    {"2024-01-01T24:00", NNCC_DATE_ISO, NAN},
    {"2024-01-01 junk", NNCC_DATE_ISO, NAN},
    {"2024-01", NNCC_DATE_ISO, NAN},
    {"20240101", NNCC_DATE_ISO, NAN},
    {"1.1.24", NNCC_DATE_ISO, NAN},
    {"1", NNCC_DATE_ISO, NAN},
};
enum { NDATE = sizeof dates / sizeof *dates };

START_TEST(dates_are_days)
{
    nncc_csv_options o = kind("0", NNCC_COLUMN_DATE);
    char text[80];

    o.date_order = dates[_i].order;
    o.header = 0;
    snprintf(text, sizeof text, "%s,1\n", dates[_i].text);
    if (isnan(dates[_i].days)) {
        refused(text, &o, "is no date: expected 2024-12-31");
        return;
    }
    nncc_data *d = read_csv(text, &o);
    ck_assert_double_eq_tol(*(double *)d->x, dates[_i].days, 1e-9);
    nncc_data_free(d);
}
END_TEST

/* Categories. */

static const char colours[] =
    "size,colour,y\n3,red,0\n1,blue,1\n2,red,0\n2,,1\n";

START_TEST(categories_are_numbered_in_order)
{
    nncc_csv_options o = kind("colour", NNCC_COLUMN_CATEGORY);

    o.no_label = 0;
    refused(colours, &o, "t.csv:5:3: empty field; expected a category");
    o.missing = NNCC_MISSING_KEEP;
    nncc_data *d = read_csv(colours, &o);
    HAS(d, 2, 3, 2, 1, 1, 2, 2, 2, 0);
    ck_assert_int_eq(d->column[1].ncategory, 3);
    ck_assert_str_eq(d->column[1].category[0], "");
    ck_assert_str_eq(d->column[1].category[2], "red");
    ck_assert_str_eq(d->feature_name[1], "colour");
    nncc_data_free(d);
    d = read_csv(
        "k,v\n10,a\n9,b\n9,c\n",
        &(nncc_csv_options){
            .header = -1,
            .column = &(nncc_column_option){"0", NNCC_COLUMN_CATEGORY, 0},
            .ncolumn = 1});
    HAS(d, 1, 1, 0, 0); /* 9 is before 10 */
    nncc_data_free(d);
}
END_TEST

START_TEST(or_one_feature_each)
{
    nncc_csv_options o = kind("1", NNCC_COLUMN_ONE_HOT);

    o.no_label = 0;
    o.missing = NNCC_MISSING_DROP;
    nncc_data *d = read_csv(colours, &o);
    HAS(d, 3, 3, 0, 1, 1, 1, 0, 2, 0, 1);
    ck_assert_str_eq(d->feature_name[1], "colour=blue");
    ck_assert_int_eq(nncc_data_standardise(d, NULL), NN_OK);
    ck_assert_double_eq(((double *)d->x)[2], 1); /* they stay as they are */
    ck_assert_double_eq_tol(((double *)d->x)[0], 1.224744871391589, 1e-12);
    nncc_data_free(d);
    d = read_csv(
        "a\na\n",
        &(nncc_csv_options){
            .no_label = 1,
            .column = &(nncc_column_option){"0", NNCC_COLUMN_ONE_HOT, 0},
            .ncolumn = 1});
    HAS(d, 1, 1, 1);
    nncc_data_free(d);
}
END_TEST

START_TEST(columns_are_dropped_and_renamed)
{
    static const char *const names[] = {"a=id", "b=a"};
    nncc_csv_options o = kind("id,3:", NNCC_COLUMN_DROP);

    o.rename = names;
    o.nrename = 2;
    nncc_data *d = read_csv("a,b,c,d,e\nx,1,2,y,z\n", &o);
    HAS(d, 2, 1, 2);
    ck_assert_str_eq(d->feature_name[0], "a");
    ck_assert_int_eq(d->column[1].at, 2);
    nncc_data_free(d);
    o = kind("f", NNCC_COLUMN_DROP);
    refused("a,b\n1,2\n", &o, "has no column 'f'; it has 2");
    o = kind("0,0", NNCC_COLUMN_DROP);
    o.header = 0;
    refused("1,2\n", &o, "'0,0' has a column twice");
    static const char *const none[] = {"x=y"};
    o = defaults;
    o.rename = none;
    o.nrename = 1;
    refused("a,b\n1,2\n", &o, "no column 'x' to rename");
    o.header = 0;
    refused("1,2\n", &o, "given by name, but the file has no header");
}
END_TEST

/* Ragged rows. */

START_TEST(rows_may_end_early)
{
    nncc_csv_options o = defaults;

    o.ragged = "length";
    o.ragged_from = 1;
    o.label = "0";
    nncc_data *d = read_csv("1,2\n0,5,6,7,8\n1,,\n0,9,4,1,,\n", &o);
    HAS(d, 5, 2, 0, 0, 0, 1, 5, 6, 7, 8, 4, 0, 0, 0, 0, 0, 9, 4, 1, 0, 3);
    ck_assert_double_eq(((double *)d->y)[2], 1);
    nncc_data_free(d);
}
END_TEST

START_TEST(ragged_rows_grow)
{
    enum { N = 600 };
    nncc_csv_options o = defaults;
    char *text = malloc(N * N * 2 + N), *at = text;

    for (int i = 0; i < N; i++)
        for (int k = 0; k <= i; k++)
            at += sprintf(at, "%d%c", (i + k) % 10, k < i ? ',' : '\n');
    o.ragged = "n";
    o.no_label = 1;
    nncc_data *d = read_csv(text, &o);
    ck_assert_int_eq(d->n, N);
    ck_assert_int_eq(d->nfeature, N + 1);
    for (int i = 0; i < N; i++) {
        const double *x = (double *)d->x + i * (N + 1);
        for (int k = 0; k < N; k++)
            ck_assert_double_eq(x[k], k <= i ? (i + k) % 10 : 0);
        ck_assert_double_eq(x[N], i + 1);
    }
    nncc_data_free(d);
    free(text);
    o.no_label = 0;
    o.label = "2";
    refused("1,2,3,4\n1,2\n", &o, "has 2 fields; expected at least the label");
}
END_TEST

/* Later data, through a file. */

static nncc_data *kept(const nncc_data *d)
{
    nncc_store *s;
    nncc_data *fit = NULL;

    ck_assert_int_eq(nncc_store_new(&s), NN_OK);
    ck_assert_int_eq(nncc_fit_write(d, s), NN_OK);
    ck_assert_int_eq(nncc_store_write(s, path), NN_OK);
    nncc_store_free(s);
    ck_assert_int_eq(nncc_store_read(path, &s), NN_OK);
    ck_assert_msg(nncc_fit_read(s, &fit) == NN_OK, "%s", nncc_last_error());
    nncc_store_free(s);
    return fit;
}

static const nncc_column_option two[] = {
    {"colour", NNCC_COLUMN_ONE_HOT, 0},
    {"day", NNCC_COLUMN_DATE, 0},
};

START_TEST(targets_keep_their_unit)
{
    static const char *const fields[] = {"x=a,b", "y=b,c", "z=c"};
    nncc_data *d = read_csv("a,b,c\n1,4,7\n3,8,9\n",
                            &(nncc_csv_options){.header = -1, .no_label = 1});

    ck_assert_int_eq(nncc_data_columns(d, 3, fields), NN_OK);
    ck_assert_int_eq(nncc_data_target(d, "y"), NN_OK);
    ck_assert_int_eq(nncc_data_target(d, "z"), NN_OK);
    ck_assert_int_eq(nncc_data_target(d, "w"), NN_ERR_NAME);
    ck_assert_int_eq(nncc_data_target(NULL, "y"), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_data_standardise(d, NULL), NN_OK);
    HAS(d, 3, -1, -1, 7, 1, 1, 9); /* b is in x, too */
    nncc_data_free(d);
}
END_TEST

/* Columns are chosen by their names also where rows are in a file. */
START_TEST(columns_of_files_are_chosen)
{
    nncc_data *fit = read_csv("a,b,y\n1,4,0\n3,8,1\n", NULL), *d;
    nncc_csv_options less = within(NULL, 1);
    static const double b[] = {-1, 1, 0};
    double v[2];

    ck_assert_int_eq(nncc_data_standardise(fit, NULL), NN_OK);
    write_text("t.csv", "b,c,a,y\n4,7,3,1\n8,9,1,0\n6,5,2,0\n");
    ck_assert_int_eq(nncc_csv_read(path, &less, &d), NN_OK);
    ck_assert_ptr_nonnull(d->x_file);
    ck_assert_msg(nncc_data_fit(d, fit) == NN_OK, "%s", nncc_last_error());
    ck_assert_int_eq(d->nfeature, 2);
    for (int64_t i = 0; i < 3; i++) {
        ck_assert_int_eq(nncc_data_features(d, i, 0, 2, v), NN_OK);
        ck_assert_double_eq(v[0], -b[i]);
        ck_assert_double_eq(v[1], b[i]);
    }
    nncc_data_free(d);
    nncc_data_free(fit);
}
END_TEST

START_TEST(features_of_files_are_fields)
{
    nncc_csv_options less = within(NULL, 1);
    nncc_data *d, *from, *a, *b;
    nncc_split_options o = {.count = 1};

    write_text("t.csv", "1,4\n3,8\n5,9\n");
    less.no_label = 1;
    ck_assert_int_eq(nncc_csv_read(path, &less, &from), NN_OK);
    ck_assert_int_eq(nncc_data_new(0, 0, NNCC_LABEL_NONE, &d), NN_OK);
    ck_assert_int_eq(nncc_data_add_features(d, "x", from), NN_OK);
    nncc_data_free(from);
    ck_assert_int_eq(d->n, 3);
    ck_assert_int_eq(d->field[0].width, 2);
    ck_assert_ptr_nonnull(d->field[0].file);
    ck_assert_int_eq(nncc_data_split(d, &o, &a, &b), NN_OK);
    ck_assert_int_eq(nncc_data_add_features(d, "y", a), NN_ERR_ARGUMENT);
    nncc_data_free(a);
    nncc_data_free(b);
    nncc_data_free(d);
}
END_TEST

START_TEST(later_data_is_read_alike)
{
    nncc_csv_options o = defaults;

    o.column = two;
    o.ncolumn = 2;
    o.missing = NNCC_MISSING_KEEP;
    o.date_order = NNCC_DATE_DMY;
    nncc_data *d = read_csv("day,colour,size,y\n1/2/2024,red,4,no\n"
                            "3/2/2024,blue,,yes\n5/2/2024,blue,8,no\n",
                            &o);
    ck_assert_int_eq(nncc_data_fill(d, NULL, NNCC_FILL_MEAN, 0), NN_OK);
    ck_assert_int_eq(nncc_data_standardise(d, NULL), NN_OK);
    static const char *const columns[] = {"when=day", "x=size,colour"};
    ck_assert_msg(nncc_data_columns(d, 2, columns) == NN_OK, "%s",
                  nncc_last_error());
    ck_assert_int_eq(d->field[1].width, 3);
    nncc_data *fit = kept(d);
    nncc_csv_options later = defaults;
    later.like = fit;
    /* other columns, another order, no label, something missing */
    nncc_data *e = read_csv("id,size,colour,day\nx,,blue,3/2/2024\n", &later);
    ck_assert_msg(nncc_data_fit(e, fit) == NN_OK, "%s", nncc_last_error());
    HAS(e, 4, 0, 1, 0, 0);
    ck_assert_int_eq(e->nlabel, 0);
    ck_assert_str_eq(e->field[0].name, "when");
    ck_assert_int_eq(e->field[1].column[2], 2);
    nncc_data_free(e);
    refused("size,colour,day\n1,green,3/2/2024\n", &later,
            "'green' is none of the categories");
    /* what is for a parameter may lack as a whole */
    e = read_csv("size,colour,y\n6,red,maybe\n", &later);
    ck_assert_int_eq(e->nlabel, 1);
    ck_assert_int_eq(nncc_data_fit(e, fit), NN_ERR_DATA);
    nncc_data_free(e);
    e = read_csv("size,colour\n6,red\n", &later);
    ck_assert_int_eq(nncc_data_fit(e, fit), NN_OK);
    ck_assert_int_eq(e->nfield, 1);
    nncc_data_free(e);
    e = read_csv("day,c1,c2,size\n1,1,2,3\n", NULL);
    ck_assert_int_ne(nncc_data_fit(e, fit), NN_OK);
    nncc_data_free(e);
    nncc_data_free(fit);
    nncc_data_free(d);
}
END_TEST

START_TEST(later_data_without_names)
{
    nncc_csv_options o = kind("0", NNCC_COLUMN_DROP);

    o.no_label = 0;
    o.label = "1";
    nncc_data *d = read_csv("7,a,1,2\n7,b,3,4\n", &o), *fit = kept(d);
    static const char *const later[] = {"0,b,5,6\n", "0,5,6\n", "5,6\n"};
    for (int i = 0; i < 3; i++) {
        nncc_csv_options like = defaults;
        like.like = fit;
        nncc_data *e = read_csv(later[i], &like);
        HAS(e, 2, 5, 6);
        ck_assert_int_eq(e->nlabel, i == 0);
        ck_assert_int_eq(nncc_data_fit(e, fit), NN_OK);
        if (i == 0)
            ck_assert_int_eq(*(int32_t *)e->y, 1);
        nncc_data_free(e);
    }
    nncc_csv_options like = defaults;
    like.like = fit;
    refused("1\n", &like,
            "has 1 columns of features; the model was trained on 2");
    nncc_data_free(fit);
    nncc_data_free(d);
}
END_TEST

START_TEST(later_ragged_rows)
{
    nncc_csv_options o = defaults, like = defaults;

    o.ragged = "n";
    o.no_label = 1;
    nncc_data *d = read_csv("1\n1,2,3\n", &o), *fit = kept(d);
    like.like = fit;
    nncc_data *e = read_csv("7,8\n", &like);
    ck_assert_int_eq(nncc_data_fit(e, fit), NN_OK);
    HAS(e, 4, 7, 8, 0, 2);
    nncc_data_free(e);
    refused("1,2,3,4\n", &like,
            "a row of 4 fields; the model was trained on at most 3");
    nncc_data_free(fit);
    nncc_data_free(d);
}
END_TEST

START_TEST(labels_of_any_numbers_are_classes)
{
    nncc_data *d = read_csv("5,3\n6,1\n7,2\n8,10\n", NULL), *fit;

    ck_assert_int_eq(nncc_data_classes(d), NN_OK);
    ck_assert_int_eq(d->nclass, 4);
    ck_assert_str_eq(d->class_name[3], "10");
    ck_assert_int_eq(((int32_t *)d->y)[0], 2);
    ck_assert_int_eq(((int32_t *)d->y)[3], 3);
    ck_assert_int_eq(nncc_data_classes(d), NN_OK);
    fit = kept(d);
    nncc_data *e = read_csv("1,2\n", NULL);
    ck_assert_int_eq(nncc_data_fit(e, fit), NN_OK);
    ck_assert_int_eq(((int32_t *)e->y)[0], 1);
    nncc_data_free(e);
    nncc_data_free(fit);
    nncc_data_free(d);
    d = read_csv("5,0.5\n", NULL);
    ck_assert_int_eq(nncc_data_classes(d), NN_ERR_ARGUMENT);
    nncc_data_free(d);
    nncc_csv_options o = defaults;
    o.classes = 1;
    d = read_csv("5,-1\n6,1\n", &o);
    ck_assert_int_eq(d->label, NNCC_LABEL_NAME);
    ck_assert_str_eq(d->class_name[0], "-1");
    nncc_data_free(d);
}
END_TEST

/* Two columns of one name are two. */
START_TEST(names_may_be_there_twice)
{
    nncc_csv_options o = defaults, like = defaults;

    o.no_label = 1;
    nncc_data *d = read_csv("a,a\n1,2\n", &o), *fit = kept(d);
    nncc_data *e = read_csv("a,a\n3,4\n", &o);
    ck_assert_int_eq(nncc_data_fit(e, fit), NN_OK);
    HAS(e, 2, 3, 4);
    nncc_data_free(e);
    like.like = fit;
    e = read_csv("a,a\n3,4\n", &like);
    ck_assert_int_eq(nncc_data_fit(e, fit), NN_OK);
    HAS(e, 2, 3, 4);
    nncc_data_free(e);
    nncc_data_free(fit);
    nncc_data_free(d);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime csv");
    TCase *t = tcase_create("csv");

    tcase_add_test(t, comments_are_left_out);
    tcase_add_loop_test(t, a_comma_may_be_decimal, 0,
                        sizeof commas / sizeof *commas);
    tcase_add_test(t, a_file_has_one_decimal_sign);
    tcase_add_test(t, what_is_missing_needs_a_rule);
    tcase_add_test(t, holes_are_filled_by_the_training_data);
    tcase_add_loop_test(t, dates_are_days, 0, NDATE);
    tcase_add_test(t, categories_are_numbered_in_order);
    tcase_add_test(t, or_one_feature_each);
    tcase_add_test(t, columns_are_dropped_and_renamed);
    tcase_add_test(t, rows_may_end_early);
    tcase_add_test(t, ragged_rows_grow);
    tcase_add_test(t, later_data_is_read_alike);
    tcase_add_test(t, later_data_without_names);
    tcase_add_test(t, targets_keep_their_unit);
    tcase_add_test(t, columns_of_files_are_chosen);
    tcase_add_test(t, features_of_files_are_fields);
    tcase_add_test(t, later_ragged_rows);
    tcase_add_test(t, labels_of_any_numbers_are_classes);
    tcase_add_test(t, names_may_be_there_twice);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    snprintf(path, sizeof path, "%s", path_of("t.csv"));
    return folder_run(suite());
}
