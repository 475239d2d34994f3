/* array.c: arrays in files, and data sets made of them. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((uint64_t)8 << 30)

static bool ends_before(const char *path, const char *end, const char *with)
{
    size_t n = strlen(with);

    return (size_t)(end - path) > n && memcmp(end - n, with, n) == 0;
}

/* The name behind the last ':' of "a.npz:x" or "a.safetensors.gz:x"; or NULL.
 */
static const char *member_of(const char *path)
{
    static const char *const endings[] = {".npz", ".npz.gz", ".safetensors",
                                          ".safetensors.gz"};
    const char *colon = strrchr(path, ':');

    for (size_t i = 0; colon && i < sizeof endings / sizeof *endings; i++)
        if (ends_before(path, colon, endings[i]))
            return colon + 1;
    return NULL;
}

static int no_member(const nncc_store *s, const char *path, const char *name)
{
    nncc_text names = {0};

    for (int64_t i = 0; i < nncc_store_count(s) && names.n < 300; i++)
        nncc_text_printf(&names, "%s%s", i ? ", " : "", nncc_store_name(s, i));
    int status = nncc_fail(NN_ERR_NAME, "%s: has no array '%s'; it has %s",
                           path, name, names.at ? names.at : "none");
    free(names.at);
    return status;
}

/* Entry i of a store: its shape and where it is in a file, or a copy. */
static int take_entry(const nncc_store *s, int64_t i, nncc_tensor **t,
                      nncc_bulk **b)
{
    const nncc_tensor *from = nncc_store_tensor(s, i);

    *b = nncc_bulk_share(nncc_store_bulk(s, i));
    if (!*b)
        return nncc_tensor_copy(from, t);
    *t = nncc_alloc(1, sizeof **t, "an array");
    if (!*t) {
        nncc_bulk_free(*b);
        return NN_ERR_MEMORY;
    }
    **t = *from;
    return NN_OK;
}

/* An array of a store, its only one where name is NULL; the store is freed. */
static int take_one(const char *path, const char *name, nncc_store *s,
                    nncc_tensor **t, nncc_bulk **b)
{
    int64_t n = nncc_store_count(s), i = 0;
    int status = NN_OK;

    while (name && i < n && strcmp(nncc_store_name(s, i), name) != 0)
        i++;
    if (name && i == n)
        status = no_member(s, path, name);
    else if (!name && n != 1)
        status = nncc_fail(NN_ERR_DATA,
                           "%s: holds %lld arrays; expected one, or its name: "
                           "%s:NAME",
                           path, (long long)n, path);
    if (!status)
        status = take_entry(s, i, t, b);
    nncc_store_free(s);
    return status;
}

typedef int StoreReader(const char *path, nncc_store **out);

static int read_member(const char *path, const char *name, StoreReader *read,
                       nncc_tensor **t, nncc_bulk **b)
{
    nncc_text file = {0};
    nncc_store *s = NULL;

    nncc_text_printf(&file, "%.*s", (int)(name - path - 1), path);
    int status = file.failed ? (int)NN_ERR_MEMORY : read(file.at, &s);
    if (!status)
        status = take_one(file.at, name, s, t, b);
    free(file.at);
    return status;
}

static int read_file(const char *path, nncc_tensor **out)
{
    nncc_bytes b = {0};
    nncc_layout h;
    nncc_store *s;
    nncc_bulk *none;
    int status = nncc_read_all(path, MAX_BYTES, &b);

    if (status)
        return status;
    if (nncc_is_npz(b.at, b.n)) {
        status = nncc_npz_parse(path, &b, &s);
        if (!status)
            status = take_one(path, NULL, s, out, &none);
    } else {
        status = nncc_layout_read(path, &b, &h);
        if (!status)
            status = nncc_layout_take(path, &b, &h, out);
    }
    free(b.at);
    return status;
}

int nncc_array_read(const char *path, nncc_tensor **out)
{
    nncc_bulk *none;

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_array_read: null argument");
    const char *name = member_of(path);
    return name ? read_member(path, name, nncc_store_read, out, &none)
                : read_file(path, out);
}

int nncc_array_open(const char *path, nncc_tensor **t, nncc_bulk **b)
{
    const char *name = member_of(path);
    unsigned char start[8];
    size_t n = (size_t)nncc_read_start(path, start, sizeof start);
    nncc_store *s;

    *b = NULL;
    if (name)
        return read_member(path, name, nncc_store_open, t, b);
    if (nncc_is_npz(start, n)) {
        int status = nncc_store_open(path, &s);
        return status ? status : take_one(path, NULL, s, t, b);
    }
    int status = nncc_bulk_open(path, t, b);
    return status || *b ? status : read_file(path, t);
}

/* Data sets */

static bool is_array(const char *path)
{
    unsigned char start[8];
    size_t n = (size_t)nncc_read_start(path, start, sizeof start);

    return nncc_is_array(start, n) || nncc_is_npz(start, n) || member_of(path);
}

/* The tensor's memory becomes d's features, or b where it is not NULL. */
static int data_of(const char *path, nncc_tensor *t, nncc_bulk *b,
                   nncc_data **out)
{
    nncc_data *d = nncc_alloc(1, sizeof *d, "a data set");

    if (!d || !(d->path = nncc_strdup(path))) {
        nncc_bulk_free(b);
        free(d);
        return NN_ERR_MEMORY;
    }
    d->x_file = b;
    d->n = t->rank ? t->size[0] : 1;
    d->nfeature = 1;
    for (int i = 1; i < t->rank; i++)
        d->nfeature *= t->size[i];
    d->x_dtype = t->dtype;
    if (d->n > 0 && d->nfeature == 0) {
        int64_t n = d->n;
        nncc_data_free(d);
        return nncc_fail(NN_ERR_SHAPE, "%s: holds %lld rows of no numbers",
                         path, (long long)n);
    }
    d->x_step = d->nfeature;
    d->scale = 1;
    d->label_column = -1;
    d->x = t->data;
    t->data = NULL;
    *out = d;
    return NN_OK;
}

static int read_features(const char *path, const nncc_csv_options *o,
                         bool no_label, nncc_data **out)
{
    static const nncc_csv_options defaults = NNCC_CSV_DEFAULTS;
    nncc_csv_options csv = o ? *o : defaults;
    nncc_tensor *t;
    nncc_bulk *b;

    if (!is_array(path)) {
        csv.no_label |= no_label;
        return nncc_csv_read(path, &csv, out);
    }
    int status = nncc_array_open(path, &t, &b);
    if (status)
        return status;
    status = data_of(path, t, b, out);
    nncc_tensor_free(t);
    return status;
}

/* Are all of them whole numbers? */
static bool whole(const nncc_data *d)
{
    if (!nncc_is_real(d->x_dtype))
        return true;
    for (int64_t i = 0; i < d->n * d->nfeature; i++) {
        double v;
        nncc_data_features(d, i / d->nfeature, i % d->nfeature, 1, &v);
        if (!isfinite(v) || v != floor(v))
            return false;
    }
    return true;
}

/* y's features become d's labels. */
static int add_labels(nncc_data *d, nncc_data *y)
{
    if (y->n != d->n)
        return nncc_fail(NN_ERR_SHAPE, "%s has %lld rows, %s %lld labels",
                         d->path, (long long)d->n, y->path, (long long)y->n);
    if (y->nfeature == 0)
        return nncc_fail(NN_ERR_SHAPE, "%s: holds no labels", y->path);
    d->label = whole(y) ? NNCC_LABEL_INT : NNCC_LABEL_REAL;
    d->y = y->x;
    d->y_file = y->x_file;
    y->x_file = NULL;
    d->y_dtype = y->x_dtype;
    d->y_step = y->x_step;
    d->nlabel = y->nfeature;
    y->x = NULL;
    return NN_OK;
}

int nncc_data_read(const char *path, const char *labels,
                   const nncc_csv_options *o, nncc_data **out)
{
    nncc_data *d, *y;

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_read: null argument");
    int status = read_features(path, o, labels != NULL, &d);
    if (status)
        return status;
    if (labels) {
        status = read_features(labels, NULL, true, &y);
        if (!status) {
            status = add_labels(d, y);
            nncc_data_free(y);
        }
    }
    if (status)
        nncc_data_free(d);
    else
        *out = d;
    return status;
}
