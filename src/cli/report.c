/* report.c: a training as one page that needs nothing else: how it went, what
 * came out, with what. */

#include "cli/report.h"
#include "cli/call.h"
#include "cli/plot.h"
#include "cli/settings.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum { SAMPLES = 12, SHOWN = 8, MOST_CLASSES = 40 };

static int begin_file(const Args *a, const char *option, NewFile *f, bool *has)
{
    const char *path = option_value(a, option);

    *has = path && file_begin(a->arena, path, 0666, f);
    return !path || *has ? EXIT_SUCCESS : EXIT_FAILURE;
}

int report_begin(const Args *a, Report *r)
{
    const char *plot = option_value(a, "plot");

    *r = (Report){.args = a};
    if (plot && !file_ends(plot, ".svg"))
        return cli_usage(a, "'--plot' writes .svg, not '%s'", plot);
    int status = begin_file(a, "report", &r->page, &r->has_page);
    if (!status)
        status = begin_file(a, "plot", &r->plot, &r->has_plot);
    if (status)
        report_drop(r);
    return status;
}

void report_drop(Report *r)
{
    if (r->has_page)
        file_drop(&r->page);
    if (r->has_plot)
        file_drop(&r->plot);
}

Function *report_function(const Args *a, const Load *l)
{
    const char *name = l->module->predict;

    if (!option_value(a, "report") || !name)
        return NULL;
    return driver_function(l, name);
}

/* What the model gives for the rows of a data set */

typedef struct Predictions {
    const nncc_data *data;
    const nncc_tensor *t;
    int64_t width;   /* numbers of a row */
    bool class_each; /* one for each class */
    int64_t nclass;  /* 0: the labels are no classes */
    bool labelled;
    const nncc_array *label; /* NULL: the data set's labels */
} Predictions;

/* What the function does not take and is one number: the label by its name. */
static const nncc_array *label_field(const nncc_data *d, const nn_function *f)
{
    int i;

    for (int64_t k = 0; k < d->nfield && d->nlabel == 0; k++)
        if (d->field[k].width == 1 && !d->field[k].file &&
            nncc_find_param(f, d->field[k].name, &i) != NN_OK)
            return &d->field[k];
    return NULL;
}

static double label_of(const Predictions *p, int64_t row)
{
    double y = 0;

    if (!p->label)
        nncc_data_labels(p->data, row, 0, 1, &y);
    else
        y = field_number(p->data, p->label, row, 0);
    return y;
}

/* 0: they are no classes. */
static int64_t count_classes(const Predictions *p)
{
    int64_t n = p->data->nclass;

    if (!p->labelled || (!p->label && p->data->label == NNCC_LABEL_REAL))
        return 0;
    for (int64_t i = 0; i < p->data->n; i++) {
        double y = label_of(p, i);
        if (!(y >= 0 && y == floor(y) && y < INT32_MAX))
            return 0;
        n = y >= (double)n ? (int64_t)y + 1 : n;
    }
    return n;
}

static Predictions look_at(const nncc_data *d, const nncc_tensor *t,
                           const nn_function *f)
{
    Predictions p = {
        .data = d, .t = t, .width = tensor_row(t), .label = label_field(d, f)};
    bool real = tensor_is_real(t);

    p.labelled = p.label || d->nlabel == 1;
    int64_t n = count_classes(&p);
    p.class_each = real && t->rank == 2 && p.width >= n && n > 0;
    if (p.class_each || (!real && t->rank == 1))
        p.nclass = p.class_each ? p.width : n;
    return p;
}

static int64_t class_of(const Predictions *p, int64_t row)
{
    return p->class_each ? tensor_largest(p->t, row * p->width, p->width)
                         : (int64_t)tensor_get(p->t, row);
}

static void put_class(const Predictions *p, double c, Str *to)
{
    if (c >= 0 && c < p->data->nclass && p->data->class_name)
        html_text(p->data->class_name[(int64_t)c], to);
    else
        str_printf(to, "%g", c);
}

static void put_cell(int64_t count, int64_t most, bool right, Str *to)
{
    double share = most ? (double)count / (double)most : 0;

    str_printf(to, "<td style=\"background:rgba(%s,%.2f)\">%lld</td>",
               right ? "5,150,105" : "220,38,38", 0.8 * share,
               (long long)count);
}

/* Rows: what is; columns: what the model says. */
static void put_confusion(const Predictions *p, Str *to)
{
    int64_t k = p->nclass, most = 0;
    int64_t *count = NEWN(to->arena, int64_t, k *k + 1);

    for (int64_t i = 0; i < p->data->n; i++) {
        int64_t is = (int64_t)label_of(p, i), says = class_of(p, i);
        if (is >= 0 && is < k && says >= 0 && says < k &&
            ++count[is * k + says] > most)
            most = count[is * k + says];
    }
    str_printf(to, "<h2>Confusion matrix</h2>\n<p>Rows: the labels; columns: "
                   "what the model says.</p>\n<table "
                   "id=\"confusion\">\n<tr><th></th>");
    for (int64_t c = 0; c < k; c++) {
        str_printf(to, "<th>");
        put_class(p, (double)c, to);
        str_printf(to, "</th>");
    }
    for (int64_t r = 0; r < k; r++) {
        str_printf(to, "</tr>\n<tr><th>");
        put_class(p, (double)r, to);
        str_printf(to, "</th>");
        for (int64_t c = 0; c < k; c++)
            put_cell(count[r * k + c], most, r == c, to);
    }
    str_printf(to, "</tr>\n</table>\n");
}

static void put_row(const Predictions *p, int64_t row, Str *to)
{
    const nncc_data *d = p->data;
    double v;

    str_printf(to, "<tr><td>");
    for (int64_t k = 0; k < d->nfeature && k < SHOWN; k++) {
        nncc_data_features(d, row, k, 1, &v);
        str_printf(to, "%s%.4g", k ? ", " : "", v);
    }
    str_printf(to, "%s</td><td>", d->nfeature > SHOWN ? ", …" : "");
    if (p->labelled && p->nclass)
        put_class(p, label_of(p, row), to);
    else if (p->labelled)
        str_printf(to, "%.6g", label_of(p, row));
    bool wrong = p->nclass && class_of(p, row) != (int64_t)label_of(p, row);
    str_printf(to, "</td><td%s>", wrong ? " class=\"wrong\"" : "");
    if (p->nclass)
        put_class(p, (double)class_of(p, row), to);
    for (int64_t k = 0; k < p->width && k < SHOWN && !p->nclass; k++)
        str_printf(to, "%s%.6g", k ? ", " : "",
                   tensor_get(p->t, row * p->width + k));
    str_printf(to, "</td></tr>\n");
}

static void put_samples(const Predictions *p, Str *to)
{
    int64_t n = p->data->n, shown = n < SAMPLES ? n : SAMPLES;

    str_printf(to, "<h2>Sample predictions</h2>\n<table id=\"samples\">\n"
                   "<tr><th>features</th><th>label</th><th>prediction</th>"
                   "</tr>\n");
    for (int64_t i = 0; i < shown; i++)
        put_row(p, i * n / shown, to);
    str_printf(to, "</table>\n");
}

static void put_predictions(const Trained *t, const Sets *s, Str *to)
{
    const nncc_data *d = s->test ? s->test : s->train;
    nncc_tensor *of;

    if (!t->extra || d->text)
        return;
    if (nncc_predict(t->model, t->extra, d, 0, NULL, &of) != NN_OK) {
        str_printf(to, "<h2>Predictions</h2>\n<p>None: ");
        html_text(nncc_last_error(), to);
        str_printf(to, "</p>\n");
        return;
    }
    Predictions p = look_at(d, of, t->extra);
    str_printf(to, "<p>What follows is of the %s, %lld rows, by %s.</p>\n",
               s->test ? "test set" : "training set", (long long)d->n,
               t->extra->name);
    if (p.nclass && p.nclass <= MOST_CLASSES)
        put_confusion(&p, to);
    put_samples(&p, to);
    nncc_tensor_free(of);
}

/* The rest of the page */

/* Without its comments. */
static const char *without_comments(Arena *a, const char *text)
{
    Str s = str_new(a);

    for (size_t n; *text; text += n) {
        n = strcspn(text, "\n");
        n += text[n] == '\n';
        if (*text != '#')
            str_add(&s, text, n);
    }
    return s.at;
}

static void put_line(const char *name, double v, Str *to)
{
    str_printf(to, "<tr><th>%s</th><td>%.6g</td></tr>\n", name, v);
}

static void put_result(const nncc_model *m, const nncc_train_result *r, Str *to)
{
    str_printf(to, "<h2>Result</h2>\n<table id=\"result\">\n");
    put_line("epochs", (double)r->epochs, to);
    put_line("steps", (double)r->steps, to);
    if (r->best_epoch != r->epochs)
        put_line("parameters of epoch", (double)r->best_epoch, to);
    put_line("seconds", r->seconds, to);
    for (int i = 0; i < nncc_item_count(m); i++)
        put_line(arena_printf(to->arena, "train %s",
                              i ? nncc_item_name(m, i) : "loss"),
                 r->item_loss[i], to);
    if (r->has_test)
        put_line("test loss", r->test_loss, to);
    for (int i = 0; i < r->nmetric; i++)
        put_line(arena_printf(to->arena, "test %s", nncc_metric_name(m, i)),
                 r->test_metric[i], to);
    str_printf(to, "</table>\n");
}

static void put_shape(const nncc_tensor *t, Str *to)
{
    str_printf(to, "%s", nncc_dtype_name(t->dtype));
    str_sizes(to, t->rank, t->size);
}

/* What was trained, tensor by tensor. */
static void put_tensors(nncc_model *m, Str *to)
{
    const nn_port *port;
    const nncc_tensor *leaf;
    int64_t all = 0;

    if (nncc_params(m, &port, NULL, &leaf) != NN_OK)
        return;
    str_printf(to, "<h2>Parameters</h2>\n<table id=\"parameters\">\n<tr><th>"
                   "tensor</th><th>type</th><th>mean</th><th>deviation</th>"
                   "</tr>\n");
    for (int i = 0; i < port->nleaf; i++) {
        int64_t n = tensor_elements(&leaf[i]);
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < n; k++)
            sum += tensor_get(&leaf[i], k);
        double mean = n ? sum / (double)n : 0;
        for (int64_t k = 0; k < n; k++)
            squares += pow(tensor_get(&leaf[i], k) - mean, 2);
        str_printf(to, "<tr><td>%s</td><td>",
                   leaf_name(to->arena, port->name, port->leaf[i]->path));
        put_shape(&leaf[i], to);
        str_printf(to, "</td><td>%.4g</td><td>%.4g</td></tr>\n", mean,
                   n ? sqrt(squares / (double)n) : 0);
        all += n;
    }
    str_printf(to, "</table>\n<p>%lld numbers</p>\n", (long long)all);
}

static void put_text(const char *title, const char *id, const char *text,
                     Str *to)
{
    str_printf(to, "<h2>%s</h2>\n<pre id=\"%s\">", title, id);
    html_text(text, to);
    str_printf(to, "</pre>\n");
}

static void put_versions(const Trained *t, Str *to)
{
    struct utsname u;
    char date[64] = "";
    time_t now = time(NULL);
    struct tm utc;

    if (gmtime_r(&now, &utc))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
    str_printf(to,
               "<h2>Versions</h2>\n<p id=\"versions\">nncc %s, ABI %d, real "
               "is %s, sources %016llx",
               NNCC_VERSION, NN_ABI_VERSION, dtype_name(t->module->real),
               (unsigned long long)t->module->hash);
    if (uname(&u) == 0)
        str_printf(to, ", %s %s on %s", u.sysname, u.release, u.machine);
    str_printf(to, ", %s</p>\n", date);
}

static const char style[] =
    "body{font:14px/1.5 sans-serif;max-width:60em;margin:2em auto;"
    "padding:0 1em;color:#111;background:#fff}"
    "table{border-collapse:collapse}td,th{border:1px solid #ddd;"
    "padding:2px 8px;text-align:right}th{font-weight:normal;color:#555}"
    "pre{background:#f6f6f6;padding:1em;overflow:auto}"
    ".wrong{color:#dc2626}";

static void put_page(const Args *a, const Trained *t, const Sets *s,
                     const Records *records, const nncc_train_result *r,
                     Str *to)
{
    size_t n;
    const char *path = a->word.at[0];

    str_printf(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
                   "charset=\"utf-8\"/>\n<title>");
    html_text(path, to);
    str_printf(to, "</title>\n<style>%s</style></head>\n<body>\n<h1>", style);
    html_text(path, to);
    str_printf(to, "</h1>\n");
    put_result(t->model, r, to);
    str_printf(to, "<h2>Curves</h2>\n");
    plot_all(records, to);
    put_predictions(t, s, to);
    put_tensors(t->model, to);
    put_text("Settings", "settings",
             without_comments(a->arena, settings_text(a, t->module)), to);
    const char *source =
        strcmp(path, "-") ? file_read(a->arena, path, 16 << 20, &n) : NULL;
    if (source)
        put_text("Model", "model", source, to);
    put_versions(t, to);
    str_printf(to, "</body></html>\n");
}

bool report_write(Report *r, const Trained *t, const Sets *s,
                  const Records *records, const nncc_train_result *result)
{
    Str page = str_new(r->args->arena), plot = str_new(r->args->arena);
    bool good = true;

    if (r->has_page) {
        put_page(r->args, t, s, records, result, &page);
        file_put(&r->page, page.at, page.n);
        good = file_keep(r->args->arena, &r->page);
    }
    if (r->has_plot) {
        plot_file(records, &plot);
        file_put(&r->plot, plot.at, plot.n);
        good = file_keep(r->args->arena, &r->plot) && good;
    }
    return good;
}
