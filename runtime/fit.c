/* fit.c: what was fitted to the data that a model was trained on: kept in its
 * file, and used on data that comes later. */
#include "nn_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define KEY_DATA "nncc.data"
#define KEY_MEAN "nncc.mean"
#define KEY_FACTOR "nncc.factor"
#define KEY_FILL "nncc.fill"
#define KEY_WEIGHT "nncc.weight"
#define KEY_WEIGHT_NAME "nncc.weight_name"

/* Into a store. */

static json_t *names_json(char *const *name, int64_t n)
{
    json_t *list = name ? json_array() : json_null();

    for (int64_t i = 0; name && list && i < n; i++)
        json_array_append_new(list, json_string(name[i]));
    return list;
}

static int put_numbers(nncc_store *s, const char *name, const double *at,
                       int64_t n)
{
    nncc_tensor t = {.dtype = NN_F64, .rank = 1, .size = {n}};

    if (!at)
        return NN_OK;
    memcpy(&t.data, &at, sizeof t.data); /* is only read */
    return nncc_store_put(s, name, &t);
}

static json_t *columns_json(const nncc_data *d)
{
    json_t *list = json_array();

    for (int64_t k = 0; k < d->ncolumn && list; k++) {
        const nncc_column *c = &d->column[k];
        json_array_append_new(
            list,
            json_pack("{s:s?, s:s?, s:i, s:I, s:i, s:o}", "name", c->name,
                      "was", c->was, "kind", (int)c->kind, "at",
                      (json_int_t)c->at, "date_order", (int)c->date_order,
                      "categories", names_json(c->category, c->ncategory)));
    }
    return list;
}

/* Fields that are made of features. */
static json_t *fields_json(const nncc_data *d)
{
    json_t *list = json_array();

    for (int64_t k = 0; k < d->nfield && list; k++) {
        const nncc_array *f = &d->field[k];
        json_t *columns = json_array();
        for (int64_t i = 0; i < f->width && f->column && columns; i++)
            json_array_append_new(columns,
                                  json_integer((json_int_t)f->column[i]));
        if (f->column)
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", f->name,
                                                  "columns", columns));
        else
            json_decref(columns);
    }
    return list;
}

int nncc_fit_write(const nncc_data *fit, nncc_store *s)
{
    json_t *j = json_pack(
        "{s:I, s:I, s:i, s:I, s:i, s:f, s:s?, s:o, s:o, s:b, s:I, s:o, s:o}",
        "features", (json_int_t)fit->nfeature, "labels",
        (json_int_t)fit->nlabel, "label", (int)fit->label, "label_column",
        (json_int_t)fit->label_column, "text", (int)fit->text, "scale",
        fit->mean ? fit->fit_scale : fit->scale, "label_name", fit->label_name,
        "feature_names", names_json(fit->feature_name, fit->nfeature),
        "class_names", names_json(fit->class_name, fit->nclass), "chosen",
        (int)fit->chosen, "width", (json_int_t)fit->width, "columns",
        columns_json(fit), "fields", fields_json(fit));
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    int status = text ? nncc_store_set_text(s, KEY_DATA, text)
                      : nncc_fail(NN_ERR_DATA,
                                  "%s: a name of a column or class is no UTF-8",
                                  fit->path);

    free(text);
    json_decref(j);
    if (!status)
        status = put_numbers(s, KEY_MEAN, fit->mean, fit->nfeature);
    if (!status)
        status = put_numbers(s, KEY_FILL, fit->fill, fit->nfeature);
    if (!status && fit->weight)
        status = nncc_store_set_text(s, KEY_WEIGHT_NAME, fit->weight_name);
    if (!status && fit->weight)
        status = put_numbers(s, KEY_WEIGHT, fit->weight, fit->nweight);
    return status ? status
                  : put_numbers(s, KEY_FACTOR, fit->factor, fit->nfeature);
}

/* Out of a store. */

static int bad_fit(void)
{
    return nncc_fail(NN_ERR_DATA, "what is said there of the data that the "
                                  "model was trained on makes no sense");
}

static int read_names(const json_t *list, char ***to)
{
    size_t n = json_array_size(list);

    if (!json_is_array(list))
        return json_is_null(list) ? NN_OK : bad_fit();
    *to = nncc_alloc(n, sizeof **to, "names");
    for (size_t i = 0; *to && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name)
            return bad_fit();
        if (!((*to)[i] = nncc_strdup(name)))
            return NN_ERR_MEMORY;
    }
    return *to ? NN_OK : (int)NN_ERR_MEMORY;
}

static int read_numbers(const nncc_store *s, const char *name, int64_t n,
                        double **to)
{
    const nncc_tensor *t = nncc_store_find(s, name);

    if (!t)
        return NN_OK;
    if (t->dtype != NN_F64 || t->rank != 1 || t->size[0] != n)
        return bad_fit();
    return nncc_copy_numbers(t->data, n, to);
}

static int read_column(json_t *j, nncc_column *c)
{
    json_t *name, *was, *categories;
    int kind, order;
    json_int_t at;

    if (json_unpack(j, "{s:o, s:o, s:i, s:I, s:i, s:o}", "name", &name, "was",
                    &was, "kind", &kind, "at", &at, "date_order", &order,
                    "categories", &categories) != 0 ||
        kind < NNCC_COLUMN_NUMBER || kind >= NNCC_COLUMN_DROP ||
        order < NNCC_DATE_ISO || order > NNCC_DATE_MDY || at < -(1 << 30) ||
        at > 1 << 30 || json_array_size(categories) > INT32_MAX)
        return bad_fit();
    *c = (nncc_column){.kind = kind,
                       .at = at,
                       .date_order = order,
                       .ncategory = (int32_t)json_array_size(categories)};
    if (json_is_string(name) &&
        !(c->name = nncc_strdup(json_string_value(name))))
        return NN_ERR_MEMORY;
    if (json_is_string(was) && !(c->was = nncc_strdup(json_string_value(was))))
        return NN_ERR_MEMORY;
    return read_names(categories, &c->category);
}

static int read_columns(const json_t *list, json_int_t width, nncc_data *d)
{
    size_t n = json_array_size(list);
    int status = NN_OK;

    if (!json_is_array(list) || width < 0 || width > 1 << 30)
        return bad_fit();
    d->width = width;
    if (n == 0)
        return NN_OK;
    d->column = nncc_alloc(n, sizeof *d->column, "columns");
    if (!d->column)
        return NN_ERR_MEMORY;
    for (int64_t first = 0; d->ncolumn < (int64_t)n && !status; d->ncolumn++) {
        nncc_column *c = &d->column[d->ncolumn];
        status = read_column(json_array_get(list, (size_t)d->ncolumn), c);
        c->first = first;
        c->width = c->kind == NNCC_COLUMN_ONE_HOT ? c->ncategory : 1;
        first += c->width;
        if (!status && (c->at < 0 && (d->ncolumn + 1 < (int64_t)n || !c->name)))
            status = bad_fit();
        if (!status && d->ncolumn + 1 == (int64_t)n && first != d->nfeature)
            status = bad_fit();
    }
    return status;
}

static int read_field(json_t *j, nncc_data *d)
{
    json_t *columns;
    const char *name;
    nncc_array f = {.dtype = NN_F64};

    if (json_unpack(j, "{s:s, s:o}", "name", &name, "columns", &columns) != 0 ||
        !json_is_array(columns))
        return bad_fit();
    f.width = (int64_t)json_array_size(columns);
    f.rank = f.width != 1;
    f.size[0] = f.width;
    f.column = nncc_alloc((size_t)f.width, sizeof *f.column, "columns");
    if (!f.column)
        return NN_ERR_MEMORY;
    int status = NN_OK;
    for (int64_t i = 0; i < f.width && !status; i++) {
        f.column[i] = json_integer_value(json_array_get(columns, (size_t)i));
        if (f.column[i] < 0 || f.column[i] >= d->nfeature)
            status = bad_fit();
    }
    memcpy(&f.name, &name, sizeof f.name); /* is copied */
    if (!status)
        status = nncc_fields_add(d, &f);
    free(f.column);
    return status;
}

static int read_fields(const json_t *list, nncc_data *d)
{
    int status = json_is_array(list) ? NN_OK : bad_fit();

    for (size_t i = 0; i < json_array_size(list) && !status; i++)
        status = read_field(json_array_get(list, i), d);
    return status;
}

static int read_weights(const nncc_store *s, nncc_data *d)
{
    const nncc_tensor *t = nncc_store_find(s, KEY_WEIGHT);
    const char *name = nncc_store_text(s, KEY_WEIGHT_NAME);

    if (!t || !name)
        return t || name ? bad_fit() : NN_OK;
    if (t->rank != 1 || t->dtype != NN_F64)
        return bad_fit();
    d->nweight = t->size[0];
    d->weight_name = nncc_strdup(name);
    return d->weight_name ? nncc_copy_numbers(t->data, d->nweight, &d->weight)
                          : (int)NN_ERR_MEMORY;
}

static int fit_from_json(json_t *j, nncc_data *d)
{
    json_int_t features, labels, column, width;
    int text, label, chosen;
    json_t *names, *classes, *label_name, *columns, *fields;

    if (json_unpack(j,
                    "{s:I, s:I, s:i, s:I, s:i, s:F, s:o, s:o, s:o, s:b, s:I, "
                    "s:o, s:o}",
                    "features", &features, "labels", &labels, "label", &label,
                    "label_column", &column, "text", &text, "scale", &d->scale,
                    "label_name", &label_name, "feature_names", &names,
                    "class_names", &classes, "chosen", &chosen, "width", &width,
                    "columns", &columns, "fields", &fields) != 0 ||
        features < 0 || labels < 0 || label < NNCC_LABEL_NONE ||
        label > NNCC_LABEL_NAME || text < 0 || text > 2 ||
        (json_is_array(names) && json_array_size(names) != (size_t)features) ||
        json_array_size(classes) > INT32_MAX)
        return bad_fit();
    d->nfeature = features;
    d->nlabel = labels;
    d->label = label;
    d->label_column = column;
    d->text = text;
    if (json_is_string(label_name) &&
        !(d->label_name = nncc_strdup(json_string_value(label_name))))
        return NN_ERR_MEMORY;
    d->chosen = chosen;
    int status = read_names(names, &d->feature_name);
    d->nclass = (int32_t)json_array_size(classes);
    if (!status)
        status = read_names(classes, &d->class_name);
    if (!status)
        status = read_columns(columns, width, d);
    return status ? status : read_fields(fields, d);
}

/* What text, which is JSON, and s say. */
static int read_fit(const nncc_store *s, const char *text, nncc_data *d)
{
    json_t *j = json_loads(text, 0, NULL);
    int status = !j ? bad_fit() : (int)NN_OK;

    if (!status && !(d->path = nncc_strdup("the trained model")))
        status = NN_ERR_MEMORY;
    if (!status)
        status = fit_from_json(j, d);
    json_decref(j);
    if (!status)
        status = read_numbers(s, KEY_MEAN, d->nfeature, &d->mean);
    if (!status)
        status = read_numbers(s, KEY_FACTOR, d->nfeature, &d->factor);
    if (!status)
        status = read_numbers(s, KEY_FILL, d->nfeature, &d->fill);
    if (!status)
        status = read_weights(s, d);
    if (!status && !d->mean != !d->factor)
        status = bad_fit();
    if (!status && d->mean) {
        d->fit_scale = d->scale;
        d->scale = 1;
    }
    return status;
}

int nncc_fit_read(const nncc_store *s, nncc_data **out)
{
    const char *text = nncc_store_text(s, KEY_DATA);
    nncc_data *d = NULL;
    int status = NN_OK;

    if (!s || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_fit_read: null argument");
    if (text) {
        d = nncc_alloc(1, sizeof *d, "a data set");
        status = d ? read_fit(s, text, d) : (int)NN_ERR_MEMORY;
    }
    if (status)
        nncc_data_free(d);
    else
        *out = d;
    return status;
}

/* Data that comes later. */

/* Of d's columns those that fit names, in its order: where they were, or else
 * where their names are. */
static int list_columns(const nncc_data *d, const nncc_data *fit,
                        int64_t *column)
{
    bool in_place = d->nfeature >= fit->nfeature;
    int status = NN_OK;

    for (int64_t k = 0; k < fit->nfeature; k++) {
        column[k] = k;
        in_place =
            in_place && strcmp(d->feature_name[k], fit->feature_name[k]) == 0;
    }
    for (int64_t k = 0; k < fit->nfeature && !in_place && !status; k++) {
        const char *name = fit->feature_name[k];
        status = nncc_column_named(d->path, d->feature_name, d->nfeature, name,
                                   strlen(name), &column[k]);
        if (!status && column[k] < 0)
            status = nncc_fail(NN_ERR_NAME,
                               "%s has no column '%s', which the model was "
                               "trained on",
                               d->path, name);
    }
    return status;
}

/* The features at column[0 … m-1] of those in memory. */
static int choose_there(nncc_data *d, const int64_t *column, size_t m)
{
    size_t size = nncc_dtype_bytes(d->x_dtype);
    char *to = nncc_alloc((size_t)d->n * m, size, "a data set");

    if (!to)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < m; k++)
            memcpy(to + ((size_t)i * m + k) * size,
                   (const char *)d->x +
                       (size_t)(i * d->x_step + column[k]) * size,
                   size);
    free(d->x);
    d->x = to;
    return NN_OK;
}

/* The same of those in a file, in another one. */
static int choose_file(nncc_data *d, const int64_t *column, size_t m)
{
    nncc_spill s;
    nncc_bulk *to;
    double *row = nncc_alloc((size_t)d->nfeature + m, sizeof *row, "a row");
    int status = nncc_spill_open(d->path, &s);

    if (!row)
        status = NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n && !status; i++) {
        double *chosen = row + d->nfeature;
        status = nncc_bulk_numbers(d->x_file, i * d->x_step, d->nfeature, row);
        for (size_t k = 0; k < m; k++)
            chosen[k] = row[column[k]];
        if (!status)
            status = nncc_spill_put(&s, chosen, m);
    }
    if (!status)
        status = nncc_spill_bulk(&s, &to);
    nncc_spill_close(&s);
    free(row);
    if (status)
        return status;
    nncc_bulk_free(d->x_file);
    d->x_file = to;
    d->x_dtype = NN_F64;
    return NN_OK;
}

static int take_columns(nncc_data *d, const nncc_data *fit,
                        const int64_t *column)
{
    size_t m = (size_t)fit->nfeature;
    char **name = NULL;
    int status = nncc_copy_names(fit->feature_name, fit->nfeature, &name);

    if (!status)
        status =
            d->x_file ? choose_file(d, column, m) : choose_there(d, column, m);
    if (status) {
        nncc_free_names(name, fit->nfeature);
        return status;
    }
    nncc_free_names(d->feature_name, d->nfeature);
    nncc_columns_free(d); /* they are others now */
    d->column = NULL;
    d->ncolumn = 0;
    d->feature_name = name;
    d->nfeature = d->x_step = fit->nfeature;
    return NN_OK;
}

static int choose_columns(nncc_data *d, const nncc_data *fit)
{
    if (d->nfeature == 0 && d->nfield > 0 && fit->nfeature > 0 && !fit->column)
        return nncc_fail(NN_ERR_SHAPE,
                         "data by the names of parameters ('--data %s=') are "
                         "not scaled as the features were that the model was "
                         "trained on: expected those as they were then",
                         d->field[0].name);
    if (!d->feature_name || !fit->feature_name) {
        if (d->nfeature == fit->nfeature)
            return NN_OK;
        return nncc_fail(NN_ERR_SHAPE,
                         "%s has %lld columns of features; the model was "
                         "trained on %lld",
                         d->path, (long long)d->nfeature,
                         (long long)fit->nfeature);
    }
    int64_t *column =
        nncc_alloc((size_t)fit->nfeature, sizeof *column, "columns");
    if (!column)
        return NN_ERR_MEMORY;
    int status = list_columns(d, fit, column);
    bool same = d->nfeature == fit->nfeature;
    for (int64_t k = 0; k < fit->nfeature && same && !status; k++)
        same = column[k] == k;
    if (!status && !same)
        status = take_columns(d, fit, column);
    free(column);
    return status;
}

/* What is no number was numbered as in the training data. */
static int check_columns(const nncc_data *d, const nncc_data *fit)
{
    for (int64_t k = 0; k < fit->ncolumn; k++)
        if (fit->column[k].kind != NNCC_COLUMN_NUMBER &&
            (k >= d->ncolumn || d->column[k].kind != fit->column[k].kind))
            return nncc_fail(NN_ERR_SHAPE,
                             "%s: has to be read like the data that the model "
                             "was trained on, which had categories or dates",
                             d->path);
    return NN_OK;
}

static bool is_absent(const nncc_data *d, int64_t feature)
{
    const nncc_column *c = nncc_column_of(d, feature);

    return c && c->absent;
}

/* Fields of features as fit has them; those of which something is absent are
 * none. */
static int add_fields(nncc_data *d, const nncc_data *fit)
{
    int status = NN_OK;

    for (int64_t k = 0; k < fit->nfield && !status; k++) {
        const nncc_array *f = &fit->field[k];
        bool whole = f->column && nncc_data_field(d, f->name) < 0;
        for (int64_t i = 0; i < f->width && whole; i++)
            whole = !is_absent(d, f->column[i]);
        nncc_array own = *f;
        own.dtype = d->x_dtype;
        if (whole)
            status = nncc_fields_add(d, &own);
    }
    d->chosen |= fit->chosen;
    if (!status && fit->weight && nncc_data_field(d, fit->weight_name) < 0)
        status = nncc_data_take_weights(d, fit->weight_name, fit->weight,
                                        fit->nweight);
    return status;
}

/* Features as those of the training data became. */
static int scale_like(nncc_data *d, const nncc_data *fit)
{
    int status = check_columns(d, fit);

    if (!status && fit->fill)
        status = nncc_data_take_fill(d, fit->fill);
    if (status)
        return status;
    d->scale = fit->mean ? fit->fit_scale : fit->scale;
    if (fit->mean)
        status = nncc_data_transform(d, fit->mean, fit->factor);
    return status ? status : add_fields(d, fit);
}

/* Nothing was fitted to the features: any data of their parameters' names are
 * as good. */
static bool is_as_it_came(const nncc_data *d, const nncc_data *fit)
{
    return d->nfeature == 0 && d->nfield > 0 && !fit->mean && !fit->fill &&
           fit->scale == 1 && fit->ncolumn == 0;
}

int nncc_data_fit(nncc_data *d, const nncc_data *fit)
{
    if (!d || !fit)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_fit: null argument");
    if (d->text != fit->text)
        return nncc_fail(NN_ERR_SHAPE, "%s: the model was trained on %s",
                         d->path,
                         fit->text == 2   ? "bytes"
                         : fit->text == 1 ? "a text"
                                          : "rows of numbers");
    if (is_as_it_came(d, fit))
        return NN_OK;
    int status = d->text ? NN_OK : choose_columns(d, fit);
    if (!status)
        status = nncc_classes_fit(d, fit);
    return status || d->text ? status : scale_like(d, fit);
}
