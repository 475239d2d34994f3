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

static int field_numbers(const nncc_data *d, const nncc_array *f, int64_t row,
                         int64_t from, int64_t n, double *to)
{
    int status = NN_OK;

    if (f->file)
        return nncc_bulk_numbers(
            f->file, nncc_view_row(d->view, row) * f->width + from, n, to);
    if (!f->column)
        nncc_load_numbers(f->dtype, f->at, row * f->width + from, n, to);
    for (int64_t i = 0; i < n && f->column && !status; i++)
        status = nncc_data_features(d, row, f->column[from + i], 1, to + i);
    return status;
}

int nncc_data_numbers(const nncc_data *d, int source, int64_t row, int64_t from,
                      int64_t n, double *to)
{
    return source == NNCC_FEATURES ? nncc_data_features(d, row, from, n, to)
           : source == NNCC_LABELS
               ? nncc_data_labels(d, row, from, n, to)
               : field_numbers(d, &d->field[source], row, from, n, to);
}

bool nncc_data_rows(const nncc_data *d, int source, nncc_rows *to)
{
    const nncc_array *f = source >= 0 ? &d->field[source] : NULL;
    int64_t m = nncc_data_width(d, source);

    if (nncc_data_is_bulk(d, source) || (f && f->column))
        return false;
    *to = f ? (nncc_rows){f->dtype, f->at, m, m, 1}
          : source == NNCC_FEATURES
              ? (nncc_rows){d->x_dtype, d->x, d->x_step, m, d->scale}
              : (nncc_rows){d->y_dtype, d->y, d->y_step, m, 1};
    return true;
}

bool nncc_data_is_bulk(const nncc_data *d, int source)
{
    return source == NNCC_FEATURES   ? d->x_file != NULL
           : source == NNCC_LABELS   ? d->y_file != NULL
           : d->field[source].column ? d->x_file != NULL
                                     : d->field[source].file != NULL;
}

bool nncc_data_has_files(const nncc_data *d)
{
    for (int source = NNCC_LABELS; source < d->nfield; source++)
        if (nncc_data_is_bulk(d, source))
            return true;
    return false;
}

int64_t nncc_data_field(const nncc_data *d, const char *name)
{
    for (int64_t k = 0; k < d->nfield; k++)
        if (strcmp(d->field[k].name, name) == 0)
            return k;
    return -1;
}

/* A field like f at the end, with room for n rows where it has its own. */
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
    to->at = NULL;
    to->column = NULL;
    to->file = n > 0 ? nncc_bulk_share(f->file) : NULL;
    if (!f->column && !to->file)
        to->at = nncc_alloc((size_t)n * (size_t)f->width,
                            nncc_dtype_bytes(f->dtype), f->name);
    else if (f->column &&
             (to->column =
                  nncc_alloc((size_t)f->width, sizeof *to->column, "columns")))
        memcpy(to->column, f->column, (size_t)f->width * sizeof *to->column);
    if (!to->name || (!to->at && !to->column && !to->file)) {
        free(to->name);
        free(to->at);
        free(to->column);
        nncc_bulk_free(to->file);
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

static nncc_array field_of(const char *name, const nncc_tensor *t)
{
    nncc_array f = {.dtype = t->dtype, .rank = t->rank - 1, .width = 1};

    memcpy(&f.name, &name, sizeof f.name); /* is copied */
    for (int i = 1; i < t->rank; i++) {
        f.size[i - 1] = t->size[i];
        f.width *= t->size[i];
    }
    return f;
}

/* The first field says how many rows there are. */
static void take_count(nncc_data *d, int64_t n)
{
    if (d->nfield != 1 || d->nfeature != 0 || d->n == n)
        return;
    d->n = n;
    free(d->line); /* they are none of a file's */
    d->line = NULL;
}

int nncc_data_add(nncc_data *d, const char *name, const nncc_tensor *t)
{
    if (!d || !name || !t)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_add: null argument");
    int status = check_field(d, name, t);
    if (status)
        return status;
    nncc_array f = field_of(name, t), *to = new_field(d, &f, t->size[0]);
    if (!to)
        return NN_ERR_MEMORY;
    size_t bytes = nncc_tensor_bytes(t);
    if (bytes)
        memcpy(to->at, t->data, bytes);
    take_count(d, t->size[0]);
    return NN_OK;
}

/* A field whose numbers are in b, which is shared. */
static int add_bulk(nncc_data *d, const char *name, const nncc_tensor *shape,
                    nncc_bulk *b)
{
    int status = check_field(d, name, shape);

    if (status)
        return status;
    nncc_array f = field_of(name, shape);
    f.file = b;
    if (!new_field(d, &f, shape->size[0]))
        return NN_ERR_MEMORY;
    take_count(d, shape->size[0]);
    return NN_OK;
}

int nncc_data_add_store(nncc_data *d, const char *path)
{
    nncc_store *s;

    if (!d || !path)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_add_store: null argument");
    int status = nncc_store_open(path, &s);
    if (status)
        return status;
    for (int64_t i = 0; i < nncc_store_count(s) && !status; i++) {
        const nncc_tensor *t = nncc_store_tensor(s, i);
        nncc_bulk *b = nncc_store_bulk(s, i);
        status = b ? add_bulk(d, nncc_store_name(s, i), t, b)
                   : nncc_data_add(d, nncc_store_name(s, i), t);
    }
    nncc_store_free(s);
    return status;
}

int nncc_data_add_file(nncc_data *d, const char *name, const char *path)
{
    nncc_tensor *t = NULL;
    nncc_bulk *b;

    if (!d || !name || !path)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_add_file: null argument");
    int status = nncc_array_open(path, &t, &b);
    if (status)
        return status;
    status = b ? add_bulk(d, name, t, b) : nncc_data_add(d, name, t);
    nncc_bulk_free(b); /* the field has it */
    nncc_tensor_free(t);
    return status;
}

int nncc_data_add_features(nncc_data *d, const char *name,
                           const nncc_data *from)
{
    if (!d || !name || !from || from->view)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "nncc_data_add_features: bad argument");
    nncc_tensor t = {.dtype = from->x_dtype,
                     .rank = from->nfeature == 1 ? 1 : 2,
                     .size = {from->n, from->nfeature},
                     .data = from->x};
    return from->x_file ? add_bulk(d, name, &t, from->x_file)
                        : nncc_data_add(d, name, &t);
}

int nncc_fields_add(nncc_data *d, const nncc_array *f)
{
    if (nncc_data_field(d, f->name) >= 0)
        return nncc_fail(NN_ERR_NAME, "%s: there are two arrays called '%s'",
                         d->path, f->name);
    return new_field(d, f, 0) ? NN_OK : (int)NN_ERR_MEMORY;
}

int nncc_fields_subset(const nncc_data *d, const nncc_view *v, nncc_data *to)
{
    for (int64_t k = 0; k < d->nfield; k++) {
        const nncc_array *f = &d->field[k];
        nncc_array *g = new_field(to, f, to->n);
        if (!g)
            return NN_ERR_MEMORY;
        if (f->at && g->at)
            nncc_copy_rows(f->dtype, f->at, f->width, v, to->n, f->width,
                           g->at);
    }
    return NN_OK;
}

void nncc_fields_free(nncc_data *d)
{
    for (int64_t k = 0; k < d->nfield; k++) {
        free(d->field[k].name);
        free(d->field[k].at);
        free(d->field[k].column);
        nncc_bulk_free(d->field[k].file);
    }
    free(d->field);
}
