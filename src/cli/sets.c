/* sets.c: the data that nncc train trains and tests on. */

#include "cli/sets.h"
#include "cli/trained.h"
#include "gradcheck/tensor.h"

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

/* --test, --validation: a number of rows, or a share of them such as 0.2. */
static bool read_share(const Args *a, const char *name, nncc_split_options *o)
{
    const char *text = option_value(a, name);
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
        cli_usage(a, "'--%s' is a number of rows or a share below 1, not '%s'",
                  name, text);
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
    const char *text;

    for (int i = 0; (text = option_next(a, option, &i));) {
        NamedFile f;
        f.name = trained_name(a, text, &f.path);
        if (f.name || is_store(f.path))
            list_push(a->arena, to, f);
    }
}

static int count_given(const Args *a, const char *option)
{
    int n = 0;

    for (int i = 0; option_next(a, option, &i);)
        n++;
    return n;
}

/* What contradicts files by name, or says nothing beside these; NULL: nothing.
 */
static const char *senseless(const Args *a, const SetOptions *o)
{
    const char *given =
        option_among(a, "labels label no-label scale standardise text columns "
                        "test-labels validation-data");

    if (o->named.n && given)
        return arena_printf(a->arena, "'--%s' does not go with data by name",
                            given);
    if (o->named.n && o->named.n != count_given(a, "data"))
        return "all data by name, or none: --data=NAME=FILE";
    if (o->test_data && (o->test_named.n > 0) != (o->named.n > 0))
        return "'--test-data' by name as '--data' is, or neither";
    if (!o->named.n && count_given(a, "data") > 1)
        return "several files have names: --data=NAME=FILE";
    if (o->test_data && o->labels && !o->test_labels)
        return "'--test-data' needs its '--test-labels'";
    return NULL;
}

/* --split: how rows are chosen for testing. */
static int read_split(const Args *a, SetOptions *to)
{
    static const char *const kinds[] = {"random", "order", "stratified"};
    const char *text = option_value(a, "split");
    int kind = 0;

    if (cli_choice(a, "split", text, kinds, 3, &kind))
        return EXIT_USAGE;
    const char *order = option_value(a, "order");
    bool kept = order && strcmp(order, "shuffled") != 0;
    to->split.keep_order = to->text || kind == 1 || (kept && !text);
    to->split.stratify = kind == 2;
    to->second = (nncc_split_options){.seed = to->split.seed,
                                      .keep_order = to->split.keep_order,
                                      .stratify = to->split.stratify};
    to->second.count = option_value(a, "validation") ? -1 : 0;
    return EXIT_SUCCESS;
}

int sets_options(const Args *a, uint64_t seed, SetOptions *to)
{
    const char *scale = option_value(a, "scale"), *wrong;
    nncc_csv_options csv = NNCC_CSV_DEFAULTS;

    *to = (SetOptions){
        .arena = a->arena,
        .data = option_value(a, "data"),
        .labels = option_value(a, "labels"),
        .text = option_value(a, "text"),
        .test_data = option_value(a, "test-data"),
        .test_labels = option_value(a, "test-labels"),
        .validation_data = option_value(a, "validation-data"),
        .weights = option_value(a, "class-weights"),
        .csv = csv,
        .rows = {.length = 64, .bytes = option_value(a, "bytes") != NULL},
        .split = {.seed = seed, .count = -1, .fraction = 0.2},
        .scale = 1,
        .standardise = option_value(a, "standardise") != NULL};
    int status = csv_options(a, to);
    if (status)
        return status;
    list_named(a, "data", &to->named);
    list_named(a, "test-data", &to->test_named);
    const char *columns;
    for (int i = 0; (columns = option_next(a, "columns", &i));)
        list_push(a->arena, &to->columns, columns);
    if (to->columns.n && !to->csv.label)
        to->csv.no_label = 1;
    to->none = !to->data && !to->text;
    wrong = senseless(a, to);
    if (wrong)
        return cli_usage(a, "%s", wrong);
    if (read_split(a, to))
        return EXIT_USAGE;
    if (to->test_data) { /* then none of the others are */
        to->split.count = 0;
        to->split.keep_order = 1;
    }
    if (!read_share(a, "test", &to->split) ||
        !read_share(a, "validation", &to->second) ||
        !option_int(a, "length", 1, &to->rows.length) ||
        !option_int(a, "stride", 1, &to->rows.stride) ||
        (scale && !cli_number(a, "scale", scale, &to->scale)))
        return EXIT_USAGE;
    return EXIT_SUCCESS;
}

static void drop_empty(nncc_data **d)
{
    if (*d && (*d)->n == 0) {
        nncc_data_free(*d);
        *d = NULL;
    }
}

/* By a column of the file. */
static bool split_parts(const nncc_data *all, Sets *to)
{
    return nncc_data_part(all, NNCC_PART_TRAIN, &to->train) == NN_OK &&
           nncc_data_part(all, NNCC_PART_VALIDATION, &to->validation) ==
               NN_OK &&
           nncc_data_part(all, NNCC_PART_TEST, &to->test) == NN_OK;
}

/* The rows of a batch that its evaluation is compiled for; 1: any number. */
static int64_t fixed_batch(const Module *m)
{
    int64_t n = 1;

    for (int i = 0; m && i < m->training.n; i++) {
        const Function *f = m->training.at[i].evaluate;
        for (int k = 0; k < f->nparam; k++)
            if (function_takes_data(f, k) && !begun_port(m, f->param[k].name) &&
                f->param[k].leaf[0]->rank > 0 &&
                dim_const_value(f->param[k].leaf[0]->dim[0], &n) && n > 1)
                return n;
    }
    return 1;
}

/* A share is of whole batches where the model is compiled for such. */
static nncc_split_options whole_batches(const SetOptions *o, int64_t rows,
                                        nncc_split_options split)
{
    int64_t batch = fixed_batch(o->model);
    int64_t n = (int64_t)floor(split.fraction * (double)rows + 0.5);

    n = n / batch * batch;

    if (split.count < 0 && batch > 1 && n > 0)
        split.count = n;
    return split;
}

/* Before a training, rather than after it. */
static bool are_whole(const SetOptions *o, const nncc_data *d)
{
    int64_t batch = fixed_batch(o->model);

    if (!d || !o->model || d->n % batch == 0)
        return true;
    cli_fail("%s: %lld rows to evaluate on; the model is compiled for batches "
             "of %lld: expected a multiple, as %lld",
             d->path, (long long)d->n, (long long)batch,
             (long long)(d->n < batch ? batch : d->n / batch * batch));
    return false;
}

/* Test rows, then validation rows of what is left. */
static bool split_rows(const SetOptions *o, const nncc_data *all, Sets *to)
{
    nncc_data *rest = NULL;
    nncc_split_options first = whole_batches(o, all->n, o->split), second;

    if (nncc_data_split(all, &first, &rest, &to->test) != NN_OK)
        return false;
    second = whole_batches(o, rest->n, o->second);
    bool done = true;
    if (o->second.count == 0)
        to->train = rest;
    else
        done = nncc_data_split(rest, &second, &to->train, &to->validation) ==
               NN_OK;
    if (to->train != rest)
        nncc_data_free(rest);
    return done;
}

static bool split(const SetOptions *o, nncc_data *all, Sets *to)
{
    bool done = all->part ? split_parts(all, to) : split_rows(o, all, to);

    nncc_data_free(all);
    if (done) {
        drop_empty(&to->test);
        drop_empty(&to->validation);
    }
    return done;
}

static bool read_text(const SetOptions *o, Sets *to)
{
    nncc_data *all;

    if (nncc_text_read(o->text, &o->rows, &all) != NN_OK)
        return false;
    printf("%s: %lld rows of %lld %s, %d different ones\n", o->text,
           (long long)all->n, (long long)all->nfeature,
           o->rows.bytes ? "bytes" : "characters", (int)all->nclass);
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
    if (rows)
        status = nncc_data_add_features(d, f->name, rows);
    nncc_data_free(rows);
    return status;
}

static bool read_named(const NamedFiles *files, nncc_data **to)
{
    int status = nncc_data_new(0, 0, NNCC_LABEL_NONE, to);

    for (int i = 0; i < files->n && !status; i++)
        status = files->at[i].name
                     ? add_file(*to, &files->at[i])
                     : nncc_data_add_store(*to, files->at[i].path);
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

/* Another set gets what was fitted to the training rows. */
static bool scale_other(const SetOptions *o, const nncc_data *train,
                        nncc_data *other)
{
    if (!other)
        return true;
    nncc_data_scale(other, o->scale);
    return nncc_data_fit(other, train) == NN_OK;
}

static bool is_predicted(const Module *m, const char *field)
{
    for (int i = 0; i < m->predict_param.n; i++)
        if (strcmp(m->predict_param.at[i], field) == 0)
            return false;
    return m->predict != NULL;
}

/* What is to be predicted, predictions being in its unit. */
static bool mark_targets(const Module *m, nncc_data *d)
{
    int status = NN_OK;

    for (int64_t k = 0; m && k < d->nfield && !status; k++)
        if (is_predicted(m, d->field[k].name))
            status = nncc_data_target(d, d->field[k].name);
    return status == NN_OK;
}

/* The features as training likes them. */
static bool scale(const SetOptions *o, Sets *to)
{
    return (!o->fill || nncc_data_fill(to->train, NULL, o->fill_kind,
                                       o->fill_value) == NN_OK) &&
           nncc_data_scale(to->train, o->scale) == NN_OK &&
           (!o->standardise ||
            (mark_targets(o->model, to->train) &&
             nncc_data_standardise(to->train, NULL) == NN_OK)) &&
           (!o->weights ||
            nncc_data_weigh(to->train, NULL, o->weights) == NN_OK) &&
           scale_other(o, to->train, to->test) &&
           scale_other(o, to->train, to->validation);
}

static bool read_rows(const SetOptions *o, Sets *to)
{
    nncc_data *all = NULL;

    if (!read_file(o, o->data, o->labels, NULL, &all)) {
        nncc_data_free(all);
        return false;
    }
    if (!split(o, all, to))
        return false;
    if (to->train->n == 0)
        return scale(o, to);
    if (o->test_data &&
        !read_file(o, o->test_data, o->test_labels, to->train, &to->test))
        return false;
    if (o->validation_data &&
        !read_file(o, o->validation_data, NULL, to->train, &to->validation))
        return false;
    return scale(o, to);
}

int sets_lack(const Args *a)
{
    return cli_usage(a, "which data? --data=FILE or --text=FILE");
}

/* One row, of nothing. */
static bool read_none(Sets *to)
{
    return nncc_data_new(1, 0, NNCC_LABEL_NONE, &to->train) == NN_OK;
}

/* Weights that no loss takes would do nothing. */
static bool takes_weights(const SetOptions *o)
{
    bool takes = !o->weights || !o->model;

    for (int i = 0; !takes && i < o->model->training.n; i++) {
        const Function *f = o->model->training.at[i].step;
        int k = ports_named(f->param, f->nparam, o->weights);
        takes = k >= 0 && function_takes_data(f, k);
    }
    if (!takes)
        cli_fail("'--class-weights %s': the loss has no parameter '%s' for "
                 "weights of rows: %s: real[b]",
                 o->weights, o->weights, o->weights);
    return takes;
}

bool sets_read(const SetOptions *o, Sets *to)
{
    if (!takes_weights(o))
        return false;
    bool done = o->none      ? read_none(to)
                : o->named.n ? read_all_named(o, to)
                : o->text    ? read_text(o, to)
                             : read_rows(o, to);

    if (!done)
        return cli_failed();
    return are_whole(o, to->test) && are_whole(o, to->validation);
}

const nncc_data *sets_held(const Sets *s)
{
    return s->validation ? s->validation : s->test;
}

const char *sets_held_name(const Sets *s)
{
    return s->validation ? "validation" : "test";
}

void sets_free(Sets *s)
{
    nncc_data_free(s->train);
    nncc_data_free(s->test);
    nncc_data_free(s->validation);
}

double field_number(const nncc_data *d, const nncc_array *field, int64_t row,
                    int64_t w)
{
    const nncc_tensor as = {.dtype = field->dtype, .data = field->at};
    double v = 0;

    if (!field->column)
        return tensor_get(&as, row * field->width + w);
    nncc_data_features(d, row, field->column[w], 1, &v);
    return v;
}
