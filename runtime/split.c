/* split.c: which rows are trained on and which are not, and how much each
 * counts. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int test_rows(const nncc_data *d, const nncc_split_options *o,
                     int64_t *count)
{
    if (o->count >= 0) {
        *count = o->count;
    } else {
        if (!(o->fraction >= 0 && o->fraction <= 1))
            return nncc_fail(NN_ERR_ARGUMENT,
                             "a test set of fraction %g; expected 0 to 1",
                             o->fraction);
        *count = (int64_t)floor(o->fraction * (double)d->n + 0.5);
    }
    if (*count > d->n)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: a test set of %lld rows out of %lld", d->path,
                         (long long)*count, (long long)d->n);
    return NN_OK;
}

/* How a split sees rows: in order, or shuffled. */
static int split_view(const nncc_data *d, const nncc_split_options *o,
                      nncc_view *v)
{
    if (o->keep_order) {
        *v = (nncc_view){.nrow = d->n};
        return NN_OK;
    }
    int status = nncc_view_begin(d, v);
    if (!status)
        nncc_view_shuffle(v, o->seed);
    return status;
}

/* By class */

/* A row in the order of the split, and its label. */
typedef struct Place {
    double label;
    int64_t at;
    bool test;
} Place;

static int by_label(const void *a, const void *b)
{
    const Place *p = a, *q = b;

    return p->label < q->label   ? -1
           : p->label > q->label ? 1
           : p->at < q->at       ? -1
                                 : p->at > q->at;
}

static int by_place(const void *a, const void *b)
{
    const Place *p = a, *q = b;

    return p->at < q->at ? -1 : p->at > q->at;
}

/* Of each class, which lie together, the last ones are for testing: in the rows
 * up to each class's end as many as their share, so that all of them are ntest.
 */
static void mark_test(Place *p, int64_t n, int64_t ntest)
{
    int64_t taken = 0;

    for (int64_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && p[to].label == p[from].label;)
            to++;
        int64_t upto =
            (int64_t)floor((double)ntest * (double)to / (double)n + 0.5);
        for (int64_t i = to - (upto - taken); i < to; i++)
            p[i].test = true;
        taken = upto;
    }
}

/* The rows of the view whose mark is such, in its order. */
static int take_marked(const nncc_data *d, const nncc_view *v, const Place *p,
                       bool test, nncc_data **out)
{
    int64_t *row = nncc_alloc((size_t)d->n, sizeof *row, "rows"), n = 0;

    if (!row)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        if (p[i].test == test)
            row[n++] = nncc_view_row(v, i);
    int status = nncc_data_subset(d, row, n, out);
    free(row);
    return status;
}

static int place_rows(const nncc_data *d, const nncc_view *v, int64_t ntest,
                      Place *p)
{
    for (int64_t i = 0; i < d->n; i++) {
        int status =
            nncc_data_labels(d, nncc_view_row(v, i), 0, 1, &p[i].label);
        if (status)
            return status;
        p[i].at = i;
    }
    qsort(p, (size_t)d->n, sizeof *p, by_label);
    mark_test(p, d->n, ntest);
    qsort(p, (size_t)d->n, sizeof *p, by_place);
    return NN_OK;
}

static int split_classes(const nncc_data *d, const nncc_split_options *o,
                         int64_t ntest, nncc_data **train, nncc_data **test)
{
    nncc_view v = {0};
    nncc_data *a = NULL, *b = NULL;

    if (d->nlabel != 1 || d->label == NNCC_LABEL_REAL)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: a stratified split needs a class for each row",
                         d->path);
    Place *p = nncc_alloc((size_t)d->n, sizeof *p, "rows");
    int status = p ? split_view(d, o, &v) : (int)NN_ERR_MEMORY;
    if (!status)
        status = place_rows(d, &v, ntest, p);
    if (!status)
        status = take_marked(d, &v, p, false, &a);
    if (!status)
        status = take_marked(d, &v, p, true, &b);
    free(v.row);
    free(p);
    if (status) {
        nncc_data_free(a);
        return status;
    }
    *train = a;
    *test = b;
    return NN_OK;
}

int nncc_data_split(const nncc_data *d, const nncc_split_options *o,
                    nncc_data **train, nncc_data **test)
{
    int64_t ntest = 0;
    nncc_data *a = NULL, *b = NULL;
    nncc_view v;

    if (!d || !o || !train || !test)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_split: null argument");
    int status = test_rows(d, o, &ntest);
    if (status)
        return status;
    if (o->stratify)
        return split_classes(d, o, ntest, train, test);
    status = split_view(d, o, &v);
    if (!status)
        status = nncc_data_see(d, &v, d->n - ntest, &a);
    v.from = d->n - ntest;
    if (!status)
        status = nncc_data_see(d, &v, ntest, &b);
    free(v.row);
    if (status) {
        nncc_data_free(a);
        return status;
    }
    *train = a;
    *test = b;
    return NN_OK;
}

/* By a column */

int nncc_part_of(const char *text)
{
    static const struct {
        const char *name;
        int part;
    } words[] = {
        {"train", NNCC_PART_TRAIN},
        {"training", NNCC_PART_TRAIN},
        {"test", NNCC_PART_TEST},
        {"testing", NNCC_PART_TEST},
        {"validation", NNCC_PART_VALIDATION},
        {"valid", NNCC_PART_VALIDATION},
        {"val", NNCC_PART_VALIDATION},
        {"dev", NNCC_PART_VALIDATION},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i].name) == 0)
            return words[i].part;
    return -1;
}

int nncc_data_part(const nncc_data *d, int part, nncc_data **out)
{
    if (!d || !out || !d->part)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "nncc_data_part: no column says what rows are for");
    int64_t *row = nncc_alloc((size_t)d->n, sizeof *row, "rows"), n = 0;
    if (!row)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        if (d->part[i] == part)
            row[n++] = i;
    int status = nncc_data_subset(d, row, n, out);
    free(row);
    return status;
}

/* Weights */

/* How many rows each of k classes has; k: more than the largest label. */
static int count_classes(const nncc_data *d, double *count, int64_t k)
{
    double y = 0;

    for (int64_t i = 0; i < d->n; i++) {
        int status = nncc_data_labels(d, i, 0, 1, &y);
        if (status)
            return status;
        if (!(y >= 0 && y < (double)k) || y != floor(y))
            return nncc_fail(NN_ERR_DATA,
                             "%s: label %g is no class to be weighted", d->path,
                             y);
        count[(int64_t)y]++;
    }
    return NN_OK;
}

static int put_weights(nncc_data *d)
{
    nncc_tensor *t;
    double y = 0;
    int status = nncc_tensor_new(NN_F64, 1, &d->n, &t);

    for (int64_t i = 0; i < d->n && !status; i++) {
        status = nncc_data_labels(d, i, 0, 1, &y);
        ((double *)t->data)[i] =
            y >= 0 && y < (double)d->nweight ? d->weight[(int64_t)y] : 0;
    }
    if (!status)
        status = nncc_data_add(d, d->weight_name, t);
    nncc_tensor_free(t);
    return status;
}

int nncc_data_take_weights(nncc_data *d, const char *name, const double *weight,
                           int64_t n)
{
    free(d->weight);
    free(d->weight_name);
    d->weight = NULL;
    d->nweight = n;
    d->weight_name = nncc_strdup(name);
    if (!d->weight_name || nncc_copy_numbers(weight, n, &d->weight))
        return NN_ERR_MEMORY;
    return d->nlabel ? put_weights(d) : NN_OK;
}

/* The largest label, and 1. */
static int class_count(const nncc_data *d, int64_t *count)
{
    double most = 0, y = 0;
    int status = NN_OK;

    for (int64_t i = 0; i < d->n && !d->nclass && !status; i++) {
        status = nncc_data_labels(d, i, 0, 1, &y);
        most = y > most ? y : most;
    }
    *count = d->nclass ? d->nclass : most < 1e6 ? (int64_t)most + 1 : 1000001;
    return status;
}

int nncc_data_weigh(nncc_data *train, nncc_data *other, const char *name)
{
    if (!train || !name || train->n == 0 || train->nlabel != 1 ||
        train->label == NNCC_LABEL_REAL)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "weights of classes need a class for each row");
    int64_t k, there = 0;
    int status = class_count(train, &k);
    if (status)
        return status;
    double *count = nncc_alloc((size_t)k, sizeof *count, "classes");
    status = count ? count_classes(train, count, k) : (int)NN_ERR_MEMORY;
    for (int64_t i = 0; i < k && !status; i++)
        there += count[i] > 0;
    for (int64_t i = 0; i < k && !status; i++)
        if (count[i] > 0)
            count[i] = (double)train->n / ((double)there * count[i]);
    if (!status)
        status = nncc_data_take_weights(train, name, count, k);
    if (!status && other)
        status = nncc_data_take_weights(other, name, count, k);
    free(count);
    return status;
}
