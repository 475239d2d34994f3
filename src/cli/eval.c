/* eval.c: nncc eval and nncc predict: what was trained, on other data. */

#include "cli/sets.h"
#include "cli/trained.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A trained model and the data for it. */
typedef struct Use {
    Load load;
    Trained trained;
    nncc_data *fit; /* NULL: nothing was */
    Sets sets;
} Use;

static void use_free(Use *u)
{
    trained_close(&u->trained);
    nncc_data_free(u->fit);
    sets_free(&u->sets);
}

static int read_model(Args *a, SetOptions *data, int64_t *batch, Use *u)
{
    if (!option_int(a, "batch", 1, batch))
        return EXIT_USAGE;
    int status = sets_options(a, 0, data);
    if (!status && data->none)
        status = sets_lack(a);
    if (status)
        return status;
    status = driver_load(a, a->word.at[0], DT_f32, &u->load);

    if (status)
        return status;
    if (!u->load.module->init || u->load.module->training.n == 0)
        return cli_fail("%s has no 'train' item, so nothing of it was trained",
                        u->load.path);
    if (!option_value(a, "load"))
        return cli_usage(a, "which parameters? --load=FILE, as 'nncc train' "
                            "has written it");
    return trained_check(a, u->load.module);
}

/* All rows, as they were in training: --scale is said there. */
static bool read_data(const Args *a, SetOptions *o, Use *u)
{
    o->split = (nncc_split_options){.keep_order = 1};
    o->csv.like = u->fit;
    if (u->fit)
        o->rows.bytes = u->fit->text == 2;
    if (u->fit && option_value(a, "scale")) {
        cli_fail("'--scale' is known from the training: leave it out");
        return false;
    }
    if (!sets_read(o, &u->sets))
        return false;
    if (u->fit && nncc_data_fit(u->sets.train, u->fit) != NN_OK)
        return cli_failed();
    return true;
}

static bool prepare(const Args *a, Use *u, Function *f, int64_t batch)
{
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;

    o.batch = batch;
    if (!trained_open(&u->load, f, &u->trained) ||
        !threads_use(a, u->trained.model))
        return false;
    if (nncc_prepare(u->trained.model, &o, u->sets.train) != NN_OK)
        return cli_failed();
    return trained_load(a, u->trained.model, LOAD_all, &u->fit);
}

/* eval */

static bool print_means(const Args *a, nncc_model *m, const nncc_data *d)
{
    double loss, metric[NNCC_MAX_METRICS];
    bool json = option_value(a, "json") != NULL;

    if (nncc_evaluate(m, d, 0, NULL, &loss, metric) != NN_OK)
        return cli_failed();
    if (json)
        printf("{\"rows\": %lld, \"loss\": %.17g", (long long)d->n, loss);
    else
        printf("rows: %lld\nloss: %.6g\n", (long long)d->n, loss);
    for (int i = 0; i < nncc_metric_count(m); i++)
        printf(json ? ", \"%s\": %.17g" : "%s: %.4f\n", nncc_metric_name(m, i),
               metric[i]);
    trained_print_tensors(m, "", json);
    if (json)
        printf("}\n");
    return cli_flush(a->arena);
}

static int run_eval(Args *a)
{
    Use u = {0};
    SetOptions data;
    int64_t batch = 0;

    int status = read_model(a, &data, &batch, &u);
    if (status)
        return status;
    bool done = trained_fit(a, &u.fit);
    done = done && read_data(a, &data, &u) && prepare(a, &u, NULL, batch) &&
           print_means(a, u.trained.model, u.sets.train);
    use_free(&u);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* predict */

/* What a column of results stands for. */
typedef struct Columns {
    const char *name;     /* the function's */
    const nncc_data *fit; /* or NULL */
    int64_t n;            /* numbers of a row */
    bool classes;         /* one for each class */
    const char **target;  /* what each of them predicts; or NULL */
} Columns;

static bool takes(const nn_function *f, const char *name)
{
    for (int i = 0; i < f->nparam; i++)
        if (!strcmp(f->param[i]->name, name))
            return true;
    return false;
}

/* What `predict` gives is in the order of the columns that it does not take, if
 * there are as many. */
static const char **find_targets(Arena *a, const Columns *c,
                                 const nn_function *f)
{
    const char **name = NEWN(a, const char *, c->n + 1);
    int64_t n = 0;

    if (!c->fit || !c->fit->feature_name || strcmp(c->name, "predict") != 0)
        return NULL;
    for (int64_t k = 0; k < c->fit->nfield; k++) {
        const nncc_array *field = &c->fit->field[k];
        if (!field->column || takes(f, field->name))
            continue;
        for (int64_t i = 0; i < field->width; i++, n++)
            if (n < c->n)
                name[n] = c->fit->feature_name[field->column[i]];
    }
    return n == c->n ? name : NULL;
}

/* Each row e^x / sum e^x. */
static void to_probabilities(nncc_tensor *t)
{
    int64_t n = tensor_row(t);

    for (int64_t at = 0; at < t->size[0] * n; at += n) {
        double most = tensor_get(t, at + tensor_largest(t, at, n)), sum = 0;
        for (int64_t k = 0; k < n; k++)
            sum += exp(tensor_get(t, at + k) - most);
        for (int64_t k = 0; k < n; k++)
            tensor_set(t, at + k, exp(tensor_get(t, at + k) - most) / sum);
    }
}

/* Text as a field of CSV, or as a string of JSON. */
static void print_text(const char *text, bool json, Str *to)
{
    bool plain = !strpbrk(text, ",\"\r\n");

    if (json) {
        str_json(to, text);
        return;
    }
    str_printf(to, plain ? "" : "\"");
    for (; *text; text++)
        str_printf(to, *text == '"' ? "\"\"" : "%c", *text);
    str_printf(to, plain ? "" : "\"");
}

/* The class's name where the result is its number, or of the largest. */
static const char *class_of(const Columns *c, const nncc_tensor *t, int64_t row)
{
    int64_t k = -1;

    if (!c->fit || !c->fit->class_name)
        return NULL;
    if (c->classes)
        k = tensor_largest(t, row * c->n, c->n);
    else if (t->dtype == NN_I32 && c->n == 1)
        k = ((const int32_t *)t->data)[row];
    return k >= 0 && k < c->fit->nclass ? c->fit->class_name[k] : NULL;
}

static void print_head(const Columns *c, const nncc_tensor *t, Str *to)
{
    if (c->classes)
        str_printf(to, "class,");
    for (int64_t k = 0; k < c->n; k++) {
        str_printf(to, k ? "," : "");
        if (c->classes)
            print_text(c->fit->class_name[k], false, to);
        else if (t->rank == 1)
            print_text(c->name, false, to);
        else if (c->target)
            print_text(c->target[k], false, to);
        else
            str_printf(to, "%s_%lld", c->name, (long long)k);
    }
    str_printf(to, "\n");
}

/* In CSV what is no number has no quotes. */
static void print_number(const nncc_tensor *t, int64_t i, Str *to)
{
    double v = tensor_is_real(t) ? tensor_get(t, i) : 0;

    if (isfinite(v))
        value_print_element(t, i, to);
    else
        str_printf(to, isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
}

static void csv_print(const Columns *c, const nncc_tensor *t, Str *to)
{
    print_head(c, t, to);
    for (int64_t i = 0; i < t->size[0]; i++) {
        const char *class = class_of(c, t, i);
        if (class)
            print_text(class, false, to);
        for (int64_t k = 0; k < c->n && (c->classes || !class); k++) {
            str_printf(to, k || class ? "," : "");
            print_number(t, i * c->n + k, to);
        }
        str_printf(to, "\n");
    }
}

/* A row's numbers: an array, or an object where what they predict is known. */
static void json_numbers(const Columns *c, const nncc_tensor *t, int64_t row,
                         Str *to)
{
    bool several = t->rank > 1;

    str_printf(to, !several ? "" : c->target ? "{" : "[");
    for (int64_t k = 0; k < c->n; k++) {
        str_printf(to, k ? ", " : "");
        if (several && c->target) {
            str_json(to, c->target[k]);
            str_printf(to, ": ");
        }
        value_print_element(t, row * c->n + k, to);
    }
    str_printf(to, !several ? "" : c->target ? "}" : "]");
}

static void json_print(const Columns *c, const nncc_tensor *t, Str *to)
{
    str_printf(to, "[");
    for (int64_t i = 0; i < t->size[0]; i++) {
        const char *class = class_of(c, t, i);
        str_printf(to, "%s{", i ? ",\n " : "");
        if (class) {
            str_printf(to, "\"class\": ");
            print_text(class, true, to);
            str_printf(to, ", ");
        }
        print_text(c->name, true, to);
        str_printf(to, ": ");
        json_numbers(c, t, i, to);
        str_printf(to, "}");
    }
    str_printf(to, "]\n");
}

static bool print_predictions(const Args *a, const Use *u, nncc_tensor *t,
                              NewFile *to)
{
    Columns c = {
        .name = u->trained.extra->name, .fit = u->fit, .n = tensor_row(t)};
    Str s = str_new(a->arena);

    c.classes = u->fit && u->fit->class_name && tensor_is_real(t) &&
                t->rank == 2 && c.n == u->fit->nclass;
    c.target = find_targets(a->arena, &c, u->trained.extra);
    if (option_value(a, "probabilities")) {
        if (!tensor_is_real(t) || t->rank != 2 || c.n == 0) {
            cli_fail("'--probabilities' is for a function that gives a row of "
                     "reals for each row");
            return false;
        }
        to_probabilities(t);
    }
    if (file_ends(to->path, ".npy"))
        npy_print(t, &s);
    else if (file_ends(to->path, ".json"))
        json_print(&c, t, &s);
    else
        csv_print(&c, t, &s);
    file_put(to, s.at, s.n);
    return file_keep(a->arena, to);
}

static Function *find_function(const Args *a, const Load *l)
{
    if (a->word.n > 1)
        return driver_function(l, a->word.at[1]);
    return driver_function(l, "predict");
}

static bool predict(const Args *a, SetOptions *o, Use *u, int64_t batch,
                    NewFile *to)
{
    nncc_tensor *t = NULL;
    Function *f = find_function(a, &u->load);

    o->csv.no_label = !o->csv.label;
    if (!f || !trained_fit(a, &u->fit) || !read_data(a, o, u) ||
        !prepare(a, u, f, batch))
        return false;
    if (nncc_predict(u->trained.model, u->trained.extra, u->sets.train, batch,
                     NULL, &t) != NN_OK)
        return cli_failed();
    bool done = print_predictions(a, u, t, to);
    nncc_tensor_free(t);
    return done;
}

/* What has another ending than CSV would have is not taken for CSV. */
static int check_format(const Args *a, const char *path)
{
    static const char *const good[] = {".csv", ".txt", ".json", ".npy"};
    const char *slash = strrchr(path, '/');
    bool known = !strchr(slash ? slash : path, '.');

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        known |= file_ends(path, good[i]);
    return known ? EXIT_SUCCESS
                 : cli_usage(a, "'-o' writes .csv, .json and .npy, not '%s'",
                             path);
}

static int run_predict(Args *a)
{
    Use u = {.load = {.named = true}};
    SetOptions data;
    int64_t batch = 0;
    NewFile to;
    const char *path = option_value(a, "output");

    int status = path ? check_format(a, path) : (int)EXIT_SUCCESS;
    if (!status)
        status = read_model(a, &data, &batch, &u);
    if (status)
        return status;
    if (!file_begin(a->arena, path ? path : "-", 0666, &to))
        return EXIT_FAILURE;
    bool done = predict(a, &data, &u, batch, &to);
    file_drop(&to);
    use_free(&u);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define LOAD_OPTION                                                            \
    {"load", 0, "[NAME=]FILE", "what was trained, as 'nncc train' writes it"}

static const Option eval_options[] = {
    LOAD_OPTION,
    {"data", 0, "[NAME=]FILE", "rows to evaluate on: as for nncc train"},
    {"columns", 0, "NAME=COLUMNS", "those for a parameter: x=2:14, y=price"},
    {"labels", 0, "FILE",
     "their labels, where they are in a file of their own"},
    {"label", 0, "COLUMN", "name or number of the label's column"},
    {"no-label", 0, NULL, "all columns are features"},
    {"text", 0, "FILE", "a text instead, in rows of characters"},
    {"length", 0, "N", "characters of a row (64)"},
    {"stride", 0, "N", "characters from one row to the next (the length)"},
    {"scale", 0, "X", "multiply all features by X, where no file says so"},
    {"batch", 0, "N", "rows of a call (32)"},
    THREADS_OPTION,
    {"json", 0, NULL, "print JSON"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_eval = {
    .name = "eval",
    .usage = "eval MODEL.nn --load=FILE --data=FILE|--text=FILE [options]",
    .about = "Prints the loss and the metrics of trained parameters on a data "
             "set. What was\nfitted to the training data (scaling, classes, "
             "columns) is in the file and is\ndone to these data too.",
    .option = eval_options,
    .rule = train_rules,
    .most = 1,
    .run = run_eval,
};

static const Option predict_options[] = {
    LOAD_OPTION,
    {"data", 0, "[NAME=]FILE", "rows of features: as for nncc train"},
    {"columns", 0, "NAME=COLUMNS", "those for a parameter: x=2:14"},
    {"label", 0, "COLUMN", "a column that is left out"},
    {"scale", 0, "X", "multiply all features by X, where no file says so"},
    {"output", 'o', "FILE",
     "write .csv .json or .npy (CSV to standard output)"},
    {"probabilities", 0, NULL, "the softmax of each row of results"},
    {"batch", 0, "N", "rows of a call (32)"},
    THREADS_OPTION,
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_predict = {
    .name = "predict",
    .usage = "predict MODEL.nn [FUNCTION] --load=FILE --data=FILE [options]",
    .about = "Calls a function of trained parameters and a row of features "
             "(that named\n'predict') on every row. Rows are as they came to "
             "the training: what was\nfitted there is done to them too. "
             "Classes have their names.",
    .option = predict_options,
    .rule = train_rules,
    .most = 2,
    .run = run_predict,
};
