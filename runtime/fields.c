/* fields.c: the parts of a data set's rows, by their names. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

int64_t nncc_data_width(const nncc_data *d, int source)
{
    return source == NNCC_FEATURES ? d->nfeature
           : source == NNCC_LABELS ? d->nlabel
                                   : d->field[source].width;
}

void nncc_data_numbers(const nncc_data *d, int source, int64_t row,
                       int64_t from, int64_t n, double *to)
{
    if (source == NNCC_FEATURES) {
        nncc_data_features(d, row, from, n, to);
    } else if (source == NNCC_LABELS) {
        nncc_data_labels(d, row, from, n, to);
    } else {
        const nncc_array *f = &d->field[source];
        nncc_load_numbers(f->dtype, f->at, row * f->width + from, n, to);
    }
}

int64_t nncc_data_field(const nncc_data *d, const char *name)
{
    for (int64_t k = 0; k < d->nfield; k++)
        if (strcmp(d->field[k].name, name) == 0)
            return k;
    return -1;
}

/* Room for n rows of a field like f at the end. */
static nncc_array *new_field(nncc_data *d, const nncc_array *f, int64_t n)
{
    nncc_array *all = realloc(d->field, (size_t)(d->nfield + 1) * sizeof *all);

    if (!all) {
        nncc_fail_memory(sizeof *all, "a data set");
        return NULL;
    }
    d->field = all;
    nncc_array *to = &all[d->nfield];
    *to = *f;
    to->name = nncc_strdup(f->name);
    to->at = nncc_alloc((size_t)n * (size_t)f->width,
                        nncc_dtype_bytes(f->dtype), f->name);
    if (!to->name || !to->at) {
        free(to->name);
        free(to->at);
        return NULL;
    }
    d->nfield++;
    return to;
}

static int check_field(const nncc_data *d, const char *name,
                       const nncc_tensor *t)
{
    if (t->dtype == NN_KEY || t->rank < 1)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s: '%s' is %s; expected an array with a row for "
                         "each sample",
                         d->path, name,
                         t->rank < 1 ? "a single number" : "of keys");
    if (nncc_data_field(d, name) >= 0)
        return nncc_fail(NN_ERR_NAME, "%s: there are two arrays called '%s'",
                         d->path, name);
    if ((d->nfield > 0 || d->nfeature > 0) && t->size[0] != d->n)
        return nncc_fail(NN_ERR_SHAPE, "%s: '%s' has %lld rows; expected %lld",
                         d->path, name, (long long)t->size[0], (long long)d->n);
    return nncc_tensor_count(t, NULL, NULL);
}

int nncc_data_add(nncc_data *d, const char *name, const nncc_tensor *t)
{
    nncc_array f = {.width = 1};

    if (!d || !name || !t)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_add: null argument");
    int status = check_field(d, name, t);
    if (status)
        return status;
    memcpy(&f.name, &name, sizeof f.name); /* is copied */
    f.dtype = t->dtype;
    f.rank = t->rank - 1;
    for (int i = 1; i < t->rank; i++) {
        f.size[i - 1] = t->size[i];
        f.width *= t->size[i];
    }
    nncc_array *to = new_field(d, &f, t->size[0]);
    if (!to)
        return NN_ERR_MEMORY;
    size_t bytes = nncc_tensor_bytes(t);
    if (bytes)
        memcpy(to->at, t->data, bytes);
    if (d->nfield == 1 && d->nfeature == 0 && d->n != t->size[0]) {
        d->n = t->size[0];
        free(d->line); /* they are none of a file's */
        d->line = NULL;
    }
    return NN_OK;
}

/* Columns as arrays */

typedef struct Columns {
    int64_t *at; /* [d->nfeature] is room enough for each once */
    int64_t n;
} Columns;

/* A number from 0 of text[0 … n-1], or -1. */
static int64_t whole_number(const char *text, size_t n)
{
    int64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || v > INT32_MAX)
            return -1;
        v = 10 * v + (text[i] - '0');
    }
    return n ? v : -1;
}

static int64_t find_column(const nncc_data *d, const char *name, size_t n)
{
    for (int64_t k = 0; d->feature_name && k < d->nfeature; k++)
        if (strlen(d->feature_name[k]) == n &&
            memcmp(d->feature_name[k], name, n) == 0)
            return k;
    int64_t k = whole_number(name, n);
    return k < d->nfeature ? k : -1;
}

static int add_columns(const nncc_data *d, int64_t from, int64_t to,
                       const char *text, size_t n, Columns *c)
{
    if (from < 0 || to <= from || to > d->nfeature)
        return nncc_fail(NN_ERR_NAME, "%s has no column%s '%.*s'; it has %lld",
                         d->path, memchr(text, ':', n) ? "s" : "", (int)n, text,
                         (long long)d->nfeature);
    if (to - from > d->nfeature - c->n)
        return nncc_fail(NN_ERR_ARGUMENT, "'%s' has a column twice", text);
    for (; from < to; from++)
        c->at[c->n++] = from;
    return NN_OK;
}

/* "price,size,0", "2:14" or several of these. */
static int list_columns(const nncc_data *d, const char *text, Columns *c)
{
    int status = NN_OK;

    for (size_t n; !status; text += n + 1) {
        n = strcspn(text, ",");
        const char *colon = memchr(text, ':', n);
        int64_t from = find_column(d, text, n), to = from + 1;
        if (from < 0 && colon) {
            from = whole_number(text, (size_t)(colon - text));
            to = whole_number(colon + 1, n - (size_t)(colon - text) - 1);
        }
        status = add_columns(d, from, to, text, n, c);
        if (!text[n])
            break;
    }
    return status;
}

static int add_array(nncc_data *d, const char *name, const Columns *c)
{
    nncc_tensor t = {
        .dtype = d->x_dtype, .rank = c->n == 1 ? 1 : 2, .size = {d->n, c->n}};
    size_t size = nncc_dtype_bytes(d->x_dtype);
    char *to = nncc_alloc((size_t)d->n * (size_t)c->n, size, name);

    if (!to)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < c->n; k++)
            memcpy(to + (size_t)(i * c->n + k) * size,
                   (const char *)d->x +
                       (size_t)(i * d->x_step + c->at[k]) * size,
                   size);
    t.data = to;
    int status = nncc_data_add(d, name, &t);
    free(to);
    return status;
}

static int add_text(nncc_data *d, const char *text)
{
    const char *equals = strchr(text, '=');
    Columns c = {0};
    nncc_text name = {0};

    if (!equals || equals == text)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "columns are written name=columns, not '%s'", text);
    c.at = nncc_alloc((size_t)d->nfeature, sizeof *c.at, "columns");
    nncc_text_printf(&name, "%.*s", (int)(equals - text), text);
    int status = c.at && !name.failed ? list_columns(d, equals + 1, &c)
                                      : (int)NN_ERR_MEMORY;
    if (!status)
        status = add_array(d, name.at, &c);
    free(c.at);
    free(name.at);
    return status;
}

int nncc_data_columns(nncc_data *d, int n, const char *const *text)
{
    int status = NN_OK;

    if (!d || (n > 0 && !text))
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_columns: null argument");
    for (int i = 0; i < n && !status; i++)
        status = add_text(d, text[i]);
    if (status)
        return status;
    for (int64_t k = 0; d->feature_name && k < d->nfeature; k++)
        free(d->feature_name[k]);
    free(d->feature_name);
    d->feature_name = NULL;
    d->nfeature = d->x_step = 0;
    return NN_OK;
}

int nncc_fields_subset(const nncc_data *d, const int64_t *row, nncc_data *to)
{
    for (int64_t k = 0; k < d->nfield; k++) {
        const nncc_array *f = &d->field[k];
        nncc_array *g = new_field(to, f, to->n);
        size_t bytes = (size_t)f->width * nncc_dtype_bytes(f->dtype);
        if (!g)
            return NN_ERR_MEMORY;
        for (int64_t i = 0; i < to->n; i++)
            memcpy((char *)g->at + (size_t)i * bytes,
                   (const char *)f->at + (size_t)row[i] * bytes, bytes);
    }
    return NN_OK;
}

void nncc_fields_free(nncc_data *d)
{
    for (int64_t k = 0; k < d->nfield; k++) {
        free(d->field[k].name);
        free(d->field[k].at);
    }
    free(d->field);
}
