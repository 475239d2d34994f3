/* classes.c: labels that are classes, whatever numbers they are. */
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
