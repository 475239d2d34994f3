/* scale.c: features made the size that training likes; what is missing filled
 * in. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int nncc_data_scale(nncc_data *d, double factor)
{
    if (!d || !isfinite(factor))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "features scaled by %g; expected a finite number",
                         factor);
    d->scale *= factor;
    return NN_OK;
}

/* Mean and 1 / standard deviation of each column, by Welford's update; 1 for a
 * constant column; categories and targets stay as they are. mean and scale:
 * [nfeature], zeros at first; row: [nfeature], for use here. */
static int statistics(const nncc_data *d, double *mean, double *scale,
                      double *row)
{
    int64_t m = d->nfeature;

    for (int64_t i = 0; i < d->n; i++) {
        int status = nncc_data_features(d, i, 0, m, row);
        if (status)
            return status;
        for (int64_t k = 0; k < m; k++) {
            double delta = row[k] - mean[k];
            mean[k] += delta / (double)(i + 1);
            scale[k] += delta * (row[k] - mean[k]);
        }
    }
    for (int64_t k = 0; k < m; k++) {
        double deviation = sqrt(scale[k] / (double)d->n);
        scale[k] = deviation > 0 ? 1 / deviation : 1;
        if (nncc_is_category(d, k) || nncc_is_target(d, k)) {
            mean[k] = 0;
            scale[k] = 1;
        }
    }
    return NN_OK;
}

int nncc_data_transform(nncc_data *d, const double *mean, const double *factor)
{
    int64_t m = d->nfeature;

    if (d->x_file) { /* it is done as they are read */
        d->fit_scale = d->scale;
        d->scale = 1;
        return nncc_copy_numbers(mean, m, &d->mean)
                   ? (int)NN_ERR_MEMORY
                   : nncc_copy_numbers(factor, m, &d->factor);
    }
    bool single = d->x_dtype == NN_F32 || nncc_dtype_bytes(d->x_dtype) == 1;
    int32_t dtype = single ? NN_F32 : NN_F64;
    void *to = nncc_alloc((size_t)d->n * (size_t)m, nncc_dtype_bytes(dtype),
                          "a data set");
    double *row = nncc_alloc((size_t)m, sizeof *row, "a row");

    if (!to || !row || nncc_copy_numbers(mean, m, &d->mean) ||
        nncc_copy_numbers(factor, m, &d->factor)) {
        free(to);
        free(row);
        return NN_ERR_MEMORY;
    }
    for (int64_t i = 0; i < d->n; i++) {
        nncc_data_features(d, i, 0, m, row);
        for (int64_t k = 0; k < m; k++)
            row[k] = (row[k] - mean[k]) * factor[k];
        nncc_store_numbers(dtype, to, i * m, m, row);
    }
    free(row);
    free(d->x);
    d->x = to;
    d->x_dtype = dtype;
    d->x_step = m;
    d->fit_scale = d->scale;
    d->scale = 1;
    return NN_OK;
}

static int can_standardise(const nncc_data *train, const nncc_data *other)
{
    if (!train || train->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "no rows to take means and deviations from");
    if (other && other->nfeature != train->nfeature)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s has %lld features; %s, whose means and deviations "
                         "it should take, has %lld",
                         other->path, (long long)other->nfeature, train->path,
                         (long long)train->nfeature);
    if (train->text || (other && other->text))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: a text has no means to standardise", train->path);
    if (train->mean || (other && other->mean))
        return nncc_fail(NN_ERR_ARGUMENT, "%s: is standardised already",
                         train->mean ? train->path : other->path);
    return NN_OK;
}

int nncc_data_standardise(nncc_data *train, nncc_data *other)
{
    int status = can_standardise(train, other);

    if (status)
        return status;
    size_t m = (size_t)train->nfeature;
    double *mean = nncc_alloc(m, sizeof *mean, "means");
    double *scale = nncc_alloc(m, sizeof *scale, "deviations");
    double *row = nncc_alloc(m, sizeof *row, "a row");
    status = mean && scale && row ? NN_OK : NN_ERR_MEMORY;
    if (!status)
        status = statistics(train, mean, scale, row);
    if (!status) {
        status = nncc_data_transform(train, mean, scale);
        if (!status && other)
            status = nncc_data_transform(other, mean, scale);
    }
    free(mean);
    free(scale);
    free(row);
    return status;
}

/* What is missing */

static int by_value(const void *a, const void *b)
{
    double v = *(const double *)a, w = *(const double *)b;

    return v < w ? -1 : v > w;
}

/* The median of the n numbers of v, which are sorted for it; 0 of none. */
static double median(double *v, int64_t n)
{
    if (n == 0)
        return 0;
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : v[n / 2 - 1] + (v[n / 2] - v[n / 2 - 1]) / 2;
}

/* fill[k] for each feature, [nfeature]; v, for use here: a column. */
static int find_medians(const nncc_data *d, double *v, double *fill)
{
    for (int64_t k = 0; k < d->nfeature; k++) {
        int64_t n = 0;
        for (int64_t i = 0; i < d->n; i++) {
            int status = nncc_data_features(d, i, k, 1, &v[n]);
            if (status)
                return status;
            n += !isnan(v[n]);
        }
        fill[k] = median(v, n);
    }
    return NN_OK;
}

/* The same; v: a row and how many numbers each column has. */
static int find_means(const nncc_data *d, double *v, double *fill)
{
    double *count = v + d->nfeature;

    for (int64_t i = 0; i < d->n; i++) {
        int status = nncc_data_features(d, i, 0, d->nfeature, v);
        if (status)
            return status;
        for (int64_t k = 0; k < d->nfeature; k++)
            if (!isnan(v[k]))
                fill[k] += (v[k] - fill[k]) / ++count[k];
    }
    return NN_OK;
}

static int find_fill(const nncc_data *d, int kind, double value, double *fill)
{
    int64_t room = kind == NNCC_FILL_MEDIAN ? d->n + 1 : 2 * d->nfeature;
    double *v = nncc_alloc((size_t)room, sizeof *v, "a column");
    int status = v ? NN_OK : (int)NN_ERR_MEMORY;

    if (!status && kind == NNCC_FILL_MEDIAN)
        status = find_medians(d, v, fill);
    if (!status && kind == NNCC_FILL_MEAN)
        status = find_means(d, v, fill);
    for (int64_t k = 0; k < d->nfeature && kind == NNCC_FILL_VALUE; k++)
        fill[k] = value;
    free(v);
    return status;
}

/* Features of integers lack nothing. */
static void put_fill(nncc_data *d, const double *fill)
{
    float *single = d->x;
    double *wide = d->x;

    for (int64_t i = 0; i < d->n && !d->x_file; i++)
        for (int64_t k = 0; k < d->nfeature; k++) {
            int64_t at = i * d->x_step + k;
            if (d->x_dtype == NN_F32 && isnan(single[at]))
                single[at] = (float)fill[k];
            else if (d->x_dtype == NN_F64 && isnan(wide[at]))
                wide[at] = fill[k];
        }
}

int nncc_data_take_fill(nncc_data *d, const double *fill)
{
    free(d->fill);
    d->fill = NULL;
    int status = nncc_copy_numbers(fill, d->nfeature, &d->fill);
    if (!status)
        put_fill(d, fill);
    return status;
}

int nncc_data_fill(nncc_data *train, nncc_data *other, int kind, double value)
{
    if (!train || kind < NNCC_FILL_VALUE || kind > NNCC_FILL_MEDIAN ||
        !isfinite(value) || (other && other->nfeature != train->nfeature) ||
        train->mean || (other && other->mean))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "what is missing is filled in before features are "
                         "standardised, with finite numbers, in data sets of "
                         "the same features");
    double *fill = nncc_alloc((size_t)train->nfeature, sizeof *fill, "means");
    int status =
        fill ? find_fill(train, kind, value, fill) : (int)NN_ERR_MEMORY;
    if (!status)
        status = nncc_data_take_fill(train, fill);
    if (!status && other)
        status = nncc_data_take_fill(other, fill);
    free(fill);
    return status;
}
