/* data.c: data sets, their splits and scaling, and the random numbers that
 * permute them. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void nn_rng_seed(nn_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

/* xoshiro256** 1.0 */
uint64_t nn_rng_next(nn_rng *r)
{
    uint64_t *s = r->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The high half of a 128-bit product; the low half in *lo. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *lo)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0;
    uint64_t middle = (p00 >> 32) + (uint32_t)p01 + (uint32_t)p10;

    *lo = a * b;
    return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

uint64_t nn_rng_below(nn_rng *r, uint64_t n)
{
    uint64_t lo, hi;

    if (n < 2)
        return 0;
    do
        hi = multiply(nn_rng_next(r), n, &lo);
    while (lo < n && lo < (0 - n) % n);
    return hi;
}

void nn_rng_shuffle(nn_rng *r, int64_t *order, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = (int64_t)nn_rng_below(r, (uint64_t)i + 1);
        int64_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

static int allocate(nn_data *d)
{
    size_t n = (size_t)d->n, width = (size_t)d->nfeature;

    if (width && n > PTRDIFF_MAX / sizeof *d->x / width)
        return nn_fail_memory(SIZE_MAX, "a data set");
    d->x = nn_alloc(n * width, sizeof *d->x, "a data set");
    d->line = nn_alloc(n, sizeof *d->line, "a data set");
    if (d->label != NN_LABEL_NONE)
        d->y = nn_alloc(n, sizeof *d->y, "a data set");
    return d->x && d->line && (d->y || d->label == NN_LABEL_NONE)
               ? NN_OK
               : (int)NN_ERR_MEMORY;
}

int nn_data_new(int64_t n, int64_t nfeature, int label, nn_data **out)
{
    if (!out || n < 0 || nfeature < 0 || label < NN_LABEL_NONE ||
        label > NN_LABEL_REAL)
        return nn_fail(NN_ERR_ARGUMENT, "nn_data_new: bad argument");
    nn_data *d = nn_alloc(1, sizeof *d, "a data set");
    if (!d)
        return NN_ERR_MEMORY;
    d->n = n;
    d->nfeature = nfeature;
    d->label = label;
    int status = allocate(d);
    if (!status && !(d->path = nn_strdup("data")))
        status = NN_ERR_MEMORY;
    if (status) {
        nn_data_free(d);
        return status;
    }
    for (int64_t i = 0; i < n; i++)
        d->line[i] = i + 1;
    *out = d;
    return NN_OK;
}

void nn_data_free(nn_data *d)
{
    if (!d)
        return;
    free(d->x);
    free(d->y);
    free(d->line);
    for (int32_t i = 0; d->class_name && i < d->nclass; i++)
        free(d->class_name[i]);
    free(d->class_name);
    for (int64_t i = 0; d->feature_name && i < d->nfeature; i++)
        free(d->feature_name[i]);
    free(d->feature_name);
    free(d->label_name);
    free(d->path);
    free(d);
}

/* A copy of n names; NULL stays NULL. False where there is no memory. */
static bool copy_names(char *const *from, int64_t n, char ***to)
{
    if (!from)
        return true;
    *to = nn_alloc((size_t)n, sizeof **to, "names");
    if (!*to)
        return false;
    for (int64_t i = 0; i < n; i++)
        if (!((*to)[i] = nn_strdup(from[i])))
            return false;
    return true;
}

static int fill_subset(const nn_data *d, const int64_t *row, nn_data *s)
{
    size_t width = (size_t)d->nfeature;
    int status = allocate(s);

    if (status)
        return status;
    if (!copy_names(d->class_name, d->nclass, &s->class_name) ||
        !copy_names(d->feature_name, d->nfeature, &s->feature_name) ||
        (d->label_name && !(s->label_name = nn_strdup(d->label_name))) ||
        !(s->path = nn_strdup(d->path)))
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < s->n; i++) {
        if (width)
            memcpy(s->x + (size_t)i * width, d->x + (size_t)row[i] * width,
                   width * sizeof *s->x);
        if (s->y)
            s->y[i] = d->y[row[i]];
        s->line[i] = d->line[row[i]];
    }
    return NN_OK;
}

/* Rows row[0 … n-1] of d as a data set of their own. */
static int subset(const nn_data *d, const int64_t *row, int64_t n,
                  nn_data **out)
{
    nn_data *s = nn_alloc(1, sizeof *s, "a data set");

    if (!s)
        return NN_ERR_MEMORY;
    s->n = n;
    s->nfeature = d->nfeature;
    s->label = d->label;
    s->nclass = d->nclass;
    int status = fill_subset(d, row, s);
    if (status) {
        nn_data_free(s);
        return status;
    }
    *out = s;
    return NN_OK;
}

static int test_rows(const nn_data *d, const nn_split_options *o,
                     int64_t *count)
{
    if (o->count >= 0) {
        *count = o->count;
    } else {
        if (!(o->fraction >= 0 && o->fraction <= 1))
            return nn_fail(NN_ERR_ARGUMENT,
                           "a test set of fraction %g; expected 0 to 1",
                           o->fraction);
        *count = (int64_t)floor(o->fraction * (double)d->n + 0.5);
    }
    if (*count > d->n)
        return nn_fail(NN_ERR_ARGUMENT,
                       "%s: a test set of %lld rows out of %lld", d->path,
                       (long long)*count, (long long)d->n);
    return NN_OK;
}

int nn_data_split(const nn_data *d, const nn_split_options *o, nn_data **train,
                  nn_data **test)
{
    int64_t ntest = 0;
    nn_data *a = NULL, *b = NULL;
    nn_rng rng;

    if (!d || !o || !train || !test)
        return nn_fail(NN_ERR_ARGUMENT, "nn_data_split: null argument");
    int status = test_rows(d, o, &ntest);
    if (status)
        return status;
    int64_t *order = nn_alloc((size_t)d->n, sizeof *order, "a permutation");
    if (!order)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        order[i] = i;
    nn_rng_seed(&rng, o->seed);
    nn_rng_shuffle(&rng, order, d->n);
    status = subset(d, order, d->n - ntest, &a);
    if (!status)
        status = subset(d, order + (d->n - ntest), ntest, &b);
    free(order);
    if (status) {
        nn_data_free(a);
        return status;
    }
    *train = a;
    *test = b;
    return NN_OK;
}

int nn_data_scale(nn_data *d, double factor)
{
    if (!d || !isfinite(factor))
        return nn_fail(NN_ERR_ARGUMENT,
                       "features scaled by %g; expected a finite number",
                       factor);
    for (int64_t i = 0; i < d->n * d->nfeature; i++)
        d->x[i] *= factor;
    return NN_OK;
}

/* Mean and 1 / standard deviation of each column, by Welford's update; 1 for a
 * constant column. mean and scale: [nfeature], zeros at first. */
static void statistics(const nn_data *d, double *mean, double *scale)
{
    int64_t m = d->nfeature;

    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < m; k++) {
            double x = d->x[i * m + k], delta = x - mean[k];
            mean[k] += delta / (double)(i + 1);
            scale[k] += delta * (x - mean[k]);
        }
    for (int64_t k = 0; k < m; k++) {
        double deviation = sqrt(scale[k] / (double)d->n);
        scale[k] = deviation > 0 ? 1 / deviation : 1;
    }
}

static void standardise(nn_data *d, const double *mean, const double *scale)
{
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->nfeature; k++) {
            double *x = &d->x[i * d->nfeature + k];
            *x = (*x - mean[k]) * scale[k];
        }
}

int nn_data_standardise(nn_data *train, nn_data *other)
{
    if (!train || train->n == 0)
        return nn_fail(NN_ERR_ARGUMENT,
                       "no rows to take means and deviations from");
    if (other && other->nfeature != train->nfeature)
        return nn_fail(NN_ERR_ARGUMENT,
                       "%s has %lld features; %s, whose means and deviations "
                       "it should take, has %lld",
                       other->path, (long long)other->nfeature, train->path,
                       (long long)train->nfeature);

    size_t m = (size_t)train->nfeature;
    double *mean = nn_alloc(m, sizeof *mean, "means");
    double *scale = nn_alloc(m, sizeof *scale, "deviations");
    bool ok = mean && scale;
    if (ok) {
        statistics(train, mean, scale);
        standardise(train, mean, scale);
        if (other)
            standardise(other, mean, scale);
    }
    free(mean);
    free(scale);
    return ok ? NN_OK : NN_ERR_MEMORY;
}
