/* sets.c: the data that nncc train trains and tests on. */

#include "cli/sets.h"
#include "cli/trained.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool cli_number(const Args *a, const char *name, const char *text, double *out)
{
    char *end;
    const char *rest;

    *out = strtod(text, &end);
    if (end != text && *end == '/') {
        rest = end + 1;
        *out /= strtod(rest, &end);
        end = end == rest ? NULL : end;
    }
    if (end && end != text && !*end && isfinite(*out))
        return true;
    cli_usage(a, "'--%s' needs a number, not '%s'", name, text);
    return false;
}

/* --test: a number of rows, or a share of them such as 0.2. */
static bool read_test(const Args *a, nncc_split_options *o)
{
    const char *text = option_value(a, "test");
    char *end;

    if (!text)
        return true;
    double v = strtod(text, &end);
    bool share = strpbrk(text, ".e%") != NULL;
    if (*end == '%' && end != text) {
        v /= 100;
        end++;
    }
    if (end == text || *end || !(v >= 0) || (share ? v >= 1 : v > 1e15)) {
        cli_usage(a,
                  "'--test' is a number of rows or a share below 1, not "
                  "'%s'",
                  text);
        return false;
    }
    if (share)
        o->fraction = v;
    else
        o->count = (int64_t)v;
    return true;
}

/* A file of several arrays by their names? */
static bool is_store(const char *path)
{
    return file_ends(path, ".safetensors") || file_ends(path, ".npz") ||
           file_ends(path, ".safetensors.gz") || file_ends(path, ".npz.gz");
}

/* Each --data=NAME=FILE, and --data=FILE.safetensors or .npz. */
static void list_named(const Args *a, const char *option, NamedFiles *to)
{
    for (int i = 0; i < a->given.n; i++) {
        NamedFile f;
        if (strcmp(a->given.at[i].name, option))
            continue;
        f.name = trained_name(a, a->given.at[i].value, &f.path);
        if (f.name || is_store(f.path))
            list_push(a->arena, to, f);
    }
}

static int count_given(const Args *a, const char *option)
{
    int n = 0;

    for (int i = 0; i < a->given.n; i++)
        n += !strcmp(a->given.at[i].name, option);
    return n;
}

static const char *senseless_names(const Args *a, const SetOptions *o)
{
    static const char *const rows[] = {"labels",  "label",       "no-label",
                                       "scale",   "standardise", "text",
                                       "columns", "test-labels"};
    const char *given = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof *rows && o->named.n; i++)
        given = option_value(a, rows[i]) ? rows[i] : given;
    if (given)
        return arena_printf(a->arena, "'--%s' does not go with data by name",
                            given);
    if (o->named.n && o->named.n != count_given(a, "data"))
        return "all data by name, or none: --data=NAME=FILE";
    if (option_value(a, "test-data") &&
        (o->test_named.n > 0) != (o->named.n > 0))
        return "'--test-data' by name as '--data' is, or neither";
    if (!o->named.n && count_given(a, "data") > 1)
        return "several files have names: --data=NAME=FILE";
    return NULL;
}

/* Options that contradict each other or say nothing; NULL: none. */
static const char *senseless(const Args *a, const SetOptions *o)
{
    static const char *const rows[] = {"labels",    "label", "no-label",
                                       "test-data", "scale", "standardise"};
    const char *given = NULL;

    if (!o->data && !o->text)
        return "which data? --data=FILE or --text=FILE";
    if (o->data && o->text)
        return "'--data' or '--text', not both";
    if (o->columns.n && (o->text || o->labels))
        return "'--columns' are of one file of rows: '--data=FILE'";
    if (senseless_names(a, o))
        return senseless_names(a, o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        given = option_value(a, rows[i]) ? rows[i] : given;
    if (o->text && given)
        return arena_printf(a->arena, "'--%s' does not go with '--text'",
                            given);
    given = option_value(a, "length") ? "length" : "stride";
    if (!o->text && option_value(a, given))
        return arena_printf(a->arena, "'--%s' goes with '--text'", given);
    if (o->test_labels && !o->test_data)
        return "'--test-labels' goes with '--test-data'";
    if (o->test_data && option_value(a, "test"))
        return "'--test' or '--test-data', not both";
    if (o->test_data && o->labels && !o->test_labels)
        return "'--test-data' needs its '--test-labels'";
    return NULL;
}

int sets_options(const Args *a, uint64_t seed, SetOptions *to)
{
    const char *scale = option_value(a, "scale"), *wrong;
    nncc_csv_options csv = NNCC_CSV_DEFAULTS;

    *to = (SetOptions){.arena = a->arena,
                       .data = option_value(a, "data"),
                       .labels = option_value(a, "labels"),
                       .text = option_value(a, "text"),
                       .test_data = option_value(a, "test-data"),
                       .test_labels = option_value(a, "test-labels"),
                       .csv = csv,
                       .rows = {.length = 64},
                       .split = {.seed = seed, .count = -1, .fraction = 0.2},
                       .scale = 1,
                       .standardise = option_value(a, "standardise") != NULL};
    int status = csv_options(a, to);
    if (status)
        return status;
    list_named(a, "data", &to->named);
    list_named(a, "test-data", &to->test_named);
    for (int i = 0; i < a->given.n; i++)
        if (!strcmp(a->given.at[i].name, "columns"))
            list_push(a->arena, &to->columns, a->given.at[i].value);
    if (to->columns.n && !to->csv.label)
        to->csv.no_label = 1;
    wrong = senseless(a, to);
    if (wrong)
        return cli_usage(a, "%s", wrong);
    to->split.keep_order = to->text != NULL;
    if (!read_test(a, &to->split) ||
        !option_int(a, "length", 1, &to->rows.length) ||
        !option_int(a, "stride", 1, &to->rows.stride) ||
        (scale && !cli_number(a, "scale", scale, &to->scale)))
        return EXIT_USAGE;
    return EXIT_SUCCESS;
}

static bool split(const SetOptions *o, nncc_data *all, Sets *to)
{
    bool done = nncc_data_split(all, &o->split, &to->train, &to->test) == NN_OK;

    nncc_data_free(all);
    if (done && to->test->n == 0) {
        nncc_data_free(to->test);
        to->test = NULL;
    }
    return done;
}

static bool read_text(const SetOptions *o, Sets *to)
{
    nncc_data *all;

    if (nncc_text_read(o->text, &o->rows, &all) != NN_OK)
        return false;
    printf("%s: %lld rows of %lld characters, %d different ones\n", o->text,
           (long long)all->n, (long long)all->nfeature, (int)all->nclass);
    return split(o, all, to);
}

/* An array for one name: as it is in the file, or the columns of CSV. */
static int add_file(nncc_data *d, const NamedFile *f)
{
    nncc_csv_options csv = NNCC_CSV_DEFAULTS;
    nncc_data *rows = NULL;

    csv.no_label = 1;
    int status = nncc_data_add_file(d, f->name, f->path);
    if (status == NN_ERR_DATA)
        status = nncc_data_read(f->path, NULL, &csv, &rows);
    if (rows) {
        nncc_tensor as = {.dtype = rows->x_dtype,
                          .rank = rows->nfeature == 1 ? 1 : 2,
                          .size = {rows->n, rows->nfeature},
                          .data = rows->x};
        status = nncc_data_add(d, f->name, &as);
    }
    nncc_data_free(rows);
    return status;
}

static int add_store(nncc_data *d, const char *path)
{
    nncc_store *s;
    int status = nncc_store_read(path, &s);

    if (status)
        return status;
    for (int64_t i = 0; i < nncc_store_count(s) && !status; i++)
        status =
            nncc_data_add(d, nncc_store_name(s, i), nncc_store_tensor(s, i));
    nncc_store_free(s);
    return status;
}

static bool read_named(const NamedFiles *files, nncc_data **to)
{
    int status = nncc_data_new(0, 0, NNCC_LABEL_NONE, to);

    for (int i = 0; i < files->n && !status; i++)
        status = files->at[i].name ? add_file(*to, &files->at[i])
                                   : add_store(*to, files->at[i].path);
    return status == NN_OK;
}

static bool read_all_named(const SetOptions *o, Sets *to)
{
    nncc_data *all = NULL;

    if (o->test_named.n && !read_named(&o->test_named, &to->test))
        return false;
    if (!read_named(&o->named, &all)) {
        nncc_data_free(all);
        return false;
    }
    if (!o->test_named.n)
        return split(o, all, to);
    to->train = all;
    return true;
}

static bool take_columns(const SetOptions *o, nncc_data *d)
{
    return !d || !o->columns.n ||
           nncc_data_columns(d, o->columns.n, o->columns.at) == NN_OK;
}

/* One file of rows: as --data, or --test-data like those. */
static bool read_file(const SetOptions *o, const char *path, const char *labels,
                      const nncc_data *like, nncc_data **to)
{
    nncc_csv_options csv = o->csv;

    csv.like = like ? like : csv.like;
    if (nncc_data_read(path, labels, &csv, to) != NN_OK)
        return false;
    bool good = !o->classes || nncc_data_classes(*to) == NN_OK;
    if (good && (*to)->dropped_rows)
        printf("%s: %lld rows left out for what is missing\n", path,
               (long long)(*to)->dropped_rows);
    return good && (csv.like || take_columns(o, *to));
}

/* The features of both as training likes them. */
static bool scale(const SetOptions *o, Sets *to)
{
    if (o->fill && nncc_data_fill(to->train, to->test, o->fill_kind,
                                  o->fill_value) != NN_OK)
        return false;
    return nncc_data_scale(to->train, o->scale) == NN_OK &&
           (!to->test || nncc_data_scale(to->test, o->scale) == NN_OK) &&
           (!o->standardise ||
            nncc_data_standardise(to->train, to->test) == NN_OK);
}

/* The test rows of a file of their own: columns, categories and classes are
 * those of the training rows. */
static bool read_test_rows(const SetOptions *o, Sets *to)
{
    return read_file(o, o->test_data, o->test_labels, to->train, &to->test) &&
           nncc_data_fit(to->test, to->train) == NN_OK;
}

static bool read_rows(const SetOptions *o, Sets *to)
{
    nncc_data *all = NULL;

    if (!read_file(o, o->data, o->labels, NULL, &all)) {
        nncc_data_free(all);
        return false;
    }
    if (!o->test_data)
        return split(o, all, to) && scale(o, to);
    to->train = all;
    return read_test_rows(o, to) && scale(o, to);
}

bool sets_read(const SetOptions *o, Sets *to)
{
    return o->named.n ? read_all_named(o, to)
           : o->text  ? read_text(o, to)
                      : read_rows(o, to);
}

void sets_free(Sets *s)
{
    nncc_data_free(s->train);
    nncc_data_free(s->test);
}
