/* classes.c: labels that are classes, whatever numbers they are, and by which
 * numbers the training had them. */
#include "nn_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Numbers the labels of all rows in `to` by what words they are. */
static int number_labels(const nncc_data *d, nncc_words *w, int32_t *to)
{
    char text[32];
    double y = 0;
    int status = NN_OK;

    for (int64_t i = 0; i < d->n && !status; i++) {
        status = nncc_data_labels(d, i, 0, 1, &y);
        snprintf(text, sizeof text, "%.17g", y);
        if (!status)
            status = nncc_words_add(w, text, &to[i]);
        if (!status && w->n > NNCC_MAX_CLASSES)
            status = nncc_fail(NN_ERR_ARGUMENT,
                               "%s: more than %d different labels; expected "
                               "classes",
                               d->path, (int)NNCC_MAX_CLASSES);
    }
    return status;
}

static int make_classes(nncc_data *d, nncc_words *w, int32_t *to)
{
    int32_t *place = NULL;
    int status = number_labels(d, w, to);

    if (!status)
        status = nncc_words_sort(w, &place);
    for (int64_t i = 0; i < d->n && !status; i++)
        to[i] = place[to[i]];
    free(place);
    return status;
}

int nncc_data_classes(nncc_data *d)
{
    nncc_words w = {0};

    if (!d)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_classes: null argument");
    if (d->label == NNCC_LABEL_NAME || d->class_name)
        return NN_OK;
    if (d->label != NNCC_LABEL_INT || d->nlabel != 1)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: labels that are not one whole number for each "
                         "row are no classes",
                         d->path);
    int32_t *to = nncc_alloc((size_t)d->n, sizeof *to, "labels");
    int status = to ? make_classes(d, &w, to) : (int)NN_ERR_MEMORY;
    if (status) {
        free(to);
        nncc_words_free(&w);
        return status;
    }
    nncc_data_take_labels(d, to);
    d->label = NNCC_LABEL_NAME;
    d->class_name = w.word;
    d->nclass = w.n;
    return NN_OK;
}

/* As in the training */

/* The first row whose first label is class c, or -1. */
static int row_of_class(const nncc_data *d, int32_t c, int64_t *row)
{
    double y = c - 1.0;
    int status = NN_OK;

    for (*row = -1; *row + 1 < d->n && y != c && !status;)
        status = nncc_data_labels(d, ++*row, 0, 1, &y);
    *row = y == c ? *row : -1;
    return status;
}

static int new_class(const nncc_data *d, int32_t c, int64_t row)
{
    nncc_text place = {0};

    if (d->text)
        return nncc_fail(NN_ERR_DATA,
                         "%s: the character '%s' does not occur in the text "
                         "that the model was trained on",
                         d->path, d->class_name[c]);
    int status = nncc_fail(NN_ERR_DATA,
                           "%s: label '%s' is none of the classes that the "
                           "model was trained on",
                           nncc_data_place(d, row, &place), d->class_name[c]);
    free(place.at);
    return status;
}

/* The numbers that fit has for d's classes. */
static int map_classes(const nncc_data *d, const nncc_data *fit, int32_t *to)
{
    for (int32_t c = 0; c < d->nclass; c++) {
        int64_t k =
            nncc_find_name(fit->class_name, fit->nclass, d->class_name[c]);
        int64_t row = 0;
        int status = k < 0 && !d->text ? row_of_class(d, c, &row) : (int)NN_OK;
        if (status)
            return status;
        if (k < 0 && row >= 0)
            return new_class(d, c, row);
        to[c] = k < 0 ? 0 : (int32_t)k; /* that of no row */
    }
    return NN_OK;
}

/* The class numbers of all rows, `width` in each, as ints. */
static int renumbered(const nncc_data *d, int64_t width, const int32_t *map,
                      int (*read)(const nncc_data *d, int64_t row, int64_t from,
                                  int64_t n, double *to),
                      int32_t **out)
{
    int32_t *to =
        nncc_alloc((size_t)d->n * (size_t)width, sizeof *to, "labels");
    int status = to ? NN_OK : (int)NN_ERR_MEMORY;
    double v = 0;

    for (int64_t i = 0; i < d->n && !status; i++)
        for (int64_t k = 0; k < width && !status; k++) {
            status = read(d, i, k, 1, &v);
            to[i * width + k] =
                v >= 0 && v < d->nclass ? map[(int32_t)v] : (int32_t)v;
        }
    *out = to;
    return status;
}

/* The characters of a text that stays in a file, in another one. */
static int renumber_file(nncc_data *d, const int32_t *map)
{
    nncc_spill s;
    nncc_bulk *x = NULL, *y = NULL;
    double *row = nncc_alloc((size_t)d->nfeature, 2 * sizeof *row, "a row");
    int status = nncc_spill_open(d->path, &s);

    if (!row)
        status = NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n && !status; i++) {
        double *labels = row + d->nfeature;
        status = nncc_data_features(d, i, 0, d->nfeature, row);
        if (!status)
            status = nncc_data_labels(d, i, 0, d->nfeature, labels);
        for (int64_t k = 0; k < 2 * d->nfeature && !status; k++)
            row[k] = map[(int32_t)row[k]];
        if (!status)
            status = nncc_spill_put(&s, row, 2 * (size_t)d->nfeature);
    }
    if (!status)
        status = nncc_spill_bulk(&s, &x);
    if (!status)
        status = nncc_bulk_part(x, d->nfeature, &y);
    nncc_spill_close(&s);
    free(row);
    if (status) {
        nncc_bulk_free(x);
        return status;
    }
    nncc_bulk_free(d->x_file);
    nncc_bulk_free(d->y_file);
    d->x_file = x;
    d->y_file = y;
    d->x_dtype = d->y_dtype = NN_F64;
    d->x_step = d->y_step = 2 * d->nfeature;
    return NN_OK;
}

static int renumber(nncc_data *d, const int32_t *map)
{
    int32_t *x = NULL, *y = NULL;

    if (d->text && d->x_file)
        return renumber_file(d, map);
    int status = renumbered(d, d->nlabel, map, nncc_data_labels, &y);

    if (!status && d->text)
        status = renumbered(d, d->nfeature, map, nncc_data_features, &x);
    if (status) {
        free(x);
        free(y);
        return status;
    }
    nncc_data_take_labels(d, y);
    if (x) {
        free(d->x);
        d->x = x;
        d->x_dtype = NN_I32;
        d->x_step = d->nfeature;
    }
    return NN_OK;
}

/* Does every class keep its number? */
static bool keeps_all(const nncc_data *d, const int32_t *map)
{
    int32_t c = 0;

    while (c < d->nclass && map[c] == c)
        c++;
    return c == d->nclass;
}

static int copy_classes(nncc_data *d, const nncc_data *fit)
{
    char **name = NULL;

    if (nncc_copy_names(fit->class_name, fit->nclass, &name))
        return NN_ERR_MEMORY;
    nncc_free_names(d->class_name, d->nclass);
    d->class_name = name;
    d->nclass = fit->nclass;
    return NN_OK;
}

int nncc_classes_fit(nncc_data *d, const nncc_data *fit)
{
    int status = NN_OK;

    if (!fit->class_name || d->nlabel == 0)
        return NN_OK;
    if (d->label == NNCC_LABEL_INT && fit->label == NNCC_LABEL_NAME)
        status = nncc_data_classes(d);
    if (!status && d->label == NNCC_LABEL_NAME) {
        int32_t *map = nncc_alloc((size_t)d->nclass, sizeof *map, "classes");
        status = map ? map_classes(d, fit, map) : (int)NN_ERR_MEMORY;
        if (!status && !(d->text && keeps_all(d, map)))
            status = renumber(d, map);
        free(map);
    }
    return status ? status : copy_classes(d, fit);
}
