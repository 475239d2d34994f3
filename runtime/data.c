/* data.c: data sets, and the random numbers that permute them. */
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

void nncc_rng_seed(nncc_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

/* xoshiro256** 1.0 */
uint64_t nncc_rng_next(nncc_rng *r)
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

uint64_t nncc_rng_below(nncc_rng *r, uint64_t n)
{
    uint64_t lo, hi;

    if (n < 2)
        return 0;
    do
        hi = multiply(nncc_rng_next(r), n, &lo);
    while (lo < n && lo < (0 - n) % n);
    return hi;
}

void nncc_rng_shuffle(nncc_rng *r, int64_t *order, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = (int64_t)nncc_rng_below(r, (uint64_t)i + 1);
        int64_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

/* Sizes and steps are set; rows lie one after another. */
static int allocate(nncc_data *d)
{
    size_t n = (size_t)d->n, width = (size_t)d->nfeature;
    size_t bytes = nncc_dtype_bytes(d->x_dtype);

    if (width && n > PTRDIFF_MAX / bytes / width)
        return nncc_fail_memory(SIZE_MAX, "a data set");
    d->x_step = d->nfeature;
    d->y_step = d->nlabel;
    if (!d->x_file)
        d->x = nncc_alloc(n * width, bytes, "a data set");
    if (d->nlabel && !d->y_file)
        d->y = nncc_alloc(n * (size_t)d->nlabel, nncc_dtype_bytes(d->y_dtype),
                          "a data set");
    bool x = d->x || d->x_file, y = d->y || d->y_file || !d->nlabel;
    return x && y ? NN_OK : (int)NN_ERR_MEMORY;
}

static int number_lines(nncc_data *d)
{
    d->line = nncc_alloc((size_t)d->n, sizeof *d->line, "a data set");
    for (int64_t i = 0; d->line && i < d->n; i++)
        d->line[i] = i + 1;
    return d->line ? NN_OK : (int)NN_ERR_MEMORY;
}

int nncc_data_new(int64_t n, int64_t nfeature, int label, nncc_data **out)
{
    if (!out || n < 0 || nfeature < 0 || label < NNCC_LABEL_NONE ||
        label > NNCC_LABEL_REAL)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_new: bad argument");
    nncc_data *d = nncc_alloc(1, sizeof *d, "a data set");
    if (!d)
        return NN_ERR_MEMORY;
    d->n = n;
    d->nfeature = nfeature;
    d->nlabel = label != NNCC_LABEL_NONE;
    d->label = label;
    d->x_dtype = d->y_dtype = NN_F64;
    d->scale = 1;
    d->label_column = -1;
    int status = allocate(d);
    if (!status)
        status = number_lines(d);
    if (!status && !(d->path = nncc_strdup("data")))
        status = NN_ERR_MEMORY;
    if (status) {
        nncc_data_free(d);
        return status;
    }
    *out = d;
    return NN_OK;
}

/* What was fitted, to features as they are in a file. */
static void fit_features(const nncc_data *d, int64_t from, int64_t n,
                         double *to)
{
    for (int64_t i = 0; i < n && d->fill; i++)
        to[i] = isnan(to[i]) ? d->fill[from + i] : to[i];
    for (int64_t i = 0; i < n && d->mean; i++)
        to[i] =
            (to[i] * d->fit_scale - d->mean[from + i]) * d->factor[from + i];
}

int nncc_data_features(const nncc_data *d, int64_t row, int64_t from, int64_t n,
                       double *to)
{
    int status = NN_OK;

    if (d->x_file) {
        row = nncc_view_row(d->view, row);
        status = nncc_bulk_numbers(d->x_file, row * d->x_step + from, n, to);
        fit_features(d, from, n, to);
    } else {
        nncc_load_numbers(d->x_dtype, d->x, row * d->x_step + from, n, to);
    }
    if (d->scale != 1)
        nncc_scale_numbers(to, n, d->scale);
    return status;
}

int nncc_data_labels(const nncc_data *d, int64_t row, int64_t from, int64_t n,
                     double *to)
{
    if (d->y_file)
        return nncc_bulk_numbers(
            d->y_file, nncc_view_row(d->view, row) * d->y_step + from, n, to);
    nncc_load_numbers(d->y_dtype, d->y, row * d->y_step + from, n, to);
    return NN_OK;
}

/* Of n bytes, eight at a time, by the step of FNV-1a over them and a shift that
 * lets high bits reach low ones. */
static uint64_t hash_bytes(uint64_t h, const char *at, size_t n)
{
    uint64_t v = 0;

    for (; n >= sizeof v; at += sizeof v, n -= sizeof v) {
        memcpy(&v, at, sizeof v);
        h = (h ^ v) * UINT64_C(0x100000001b3);
        h ^= h >> 29;
    }
    for (; n > 0; at++, n--)
        h = (h ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    return h;
}

enum { SAMPLES = 1024, PART = 512 };

static int hash_row(const nncc_data *d, int source, int64_t row, uint64_t *h)
{
    double v[PART] = {0};
    int64_t m = nncc_data_width(d, source);

    for (int64_t k = 0; k < m; k += PART) {
        int64_t n = m - k < PART ? m - k : PART;
        int status = nncc_data_numbers(d, source, row, k, n, v);
        if (status)
            return status;
        *h = hash_bytes(*h, (const char *)v, (size_t)n * sizeof *v);
    }
    return NN_OK;
}

/* What is in files is too much for it: of that some rows. */
static int hash_some(const nncc_data *d, uint64_t *h)
{
    int64_t every = d->n / SAMPLES + 1;
    int status = NN_OK;

    *h ^= (uint64_t)d->n;
    for (int64_t i = 0; i < d->n && !status; i += every)
        for (int source = NNCC_LABELS; source < d->nfield && !status; source++)
            status = hash_row(d, source, i, h);
    return status;
}

static uint64_t hash_all(const nncc_data *d, uint64_t h)
{
    size_t x = nncc_dtype_bytes(d->x_dtype), y = nncc_dtype_bytes(d->y_dtype);

    h = hash_bytes(h, (const char *)&d->scale, sizeof d->scale);
    for (int64_t i = 0; i < d->n; i++) {
        h = hash_bytes(h, (const char *)d->x + (size_t)(i * d->x_step) * x,
                       (size_t)d->nfeature * x);
        if (d->nlabel)
            h = hash_bytes(h, (const char *)d->y + (size_t)(i * d->y_step) * y,
                           (size_t)d->nlabel * y);
    }
    for (int64_t k = 0; k < d->nfield && d->field[k].at; k++)
        h = hash_bytes(h, d->field[k].at,
                       (size_t)(d->n * d->field[k].width) *
                           nncc_dtype_bytes(d->field[k].dtype));
    return h;
}

int nncc_data_hash(const nncc_data *d, uint64_t *h)
{
    *h = UINT64_C(0xcbf29ce484222325);
    if (nncc_data_has_files(d))
        return hash_some(d, h);
    *h = hash_all(d, *h);
    return NN_OK;
}

void nncc_data_free(nncc_data *d)
{
    if (!d)
        return;
    free(d->x);
    if (!d->y_inside)
        free(d->y);
    nncc_bulk_free(d->x_file);
    nncc_bulk_free(d->y_file);
    nncc_view_free(d->view);
    free(d->line);
    nncc_free_names(d->class_name, d->nclass);
    nncc_free_names(d->feature_name, d->nfeature);
    free(d->label_name);
    free(d->mean);
    free(d->factor);
    free(d->fill);
    free(d->part);
    free(d->weight_name);
    free(d->weight);
    nncc_columns_free(d);
    nncc_fields_free(d);
    free(d->path);
    free(d);
}

void nncc_data_take_labels(nncc_data *d, int32_t *y)
{
    if (!d->y_inside)
        free(d->y);
    nncc_bulk_free(d->y_file);
    d->y_file = NULL;
    d->y = y;
    d->y_inside = 0;
    d->y_dtype = NN_I32;
    d->y_step = d->nlabel;
}

const char *nncc_data_place(const nncc_data *d, int64_t row, nncc_text *to)
{
    row = nncc_view_row(d->view, row);
    if (d->line)
        nncc_text_printf(to, "%s:%lld", d->path, (long long)d->line[row]);
    else
        nncc_text_printf(to, "%s, row %lld", d->path, (long long)row);
    return to->failed ? d->path : to->at;
}

int nncc_copy_names(char *const *from, int64_t n, char ***to)
{
    if (!from)
        return NN_OK;
    *to = nncc_alloc((size_t)n, sizeof **to, "names");
    if (!*to)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < n; i++)
        if (!((*to)[i] = nncc_strdup(from[i]))) {
            nncc_free_names(*to, n);
            *to = NULL;
            return NN_ERR_MEMORY;
        }
    return NN_OK;
}

void nncc_free_names(char **name, int64_t n)
{
    for (int64_t i = 0; name && i < n; i++)
        free(name[i]);
    free(name);
}

int64_t nncc_find_name(char *const *name, int64_t n, const char *wanted)
{
    int64_t i = 0;

    while (i < n && strcmp(name[i], wanted) != 0)
        i++;
    return i < n ? i : -1;
}

int nncc_copy_numbers(const double *from, int64_t n, double **to)
{
    if (!from)
        return NN_OK;
    *to = nncc_alloc((size_t)n, sizeof **to, "a data set");
    if (!*to)
        return NN_ERR_MEMORY;
    memcpy(*to, from, (size_t)n * sizeof **to);
    return NN_OK;
}

void nncc_copy_rows(int dtype, const void *from, int64_t step,
                    const nncc_view *v, int64_t n, int64_t m, void *to)
{
    size_t size = nncc_dtype_bytes(dtype), bytes = size * (size_t)m;

    for (int64_t i = 0; i < n && m > 0; i++)
        memcpy((char *)to + (size_t)i * bytes,
               (const char *)from + (size_t)(nncc_view_row(v, i) * step) * size,
               bytes);
}

/* All but the rows. */
static int copy_about(const nncc_data *d, nncc_data *s)
{
    if (nncc_copy_names(d->class_name, d->nclass, &s->class_name) ||
        nncc_copy_names(d->feature_name, d->nfeature, &s->feature_name) ||
        (d->label_name && !(s->label_name = nncc_strdup(d->label_name))) ||
        nncc_copy_numbers(d->mean, d->nfeature, &s->mean) ||
        nncc_copy_numbers(d->factor, d->nfeature, &s->factor) ||
        nncc_copy_numbers(d->fill, d->nfeature, &s->fill) ||
        nncc_copy_numbers(d->weight, d->nweight, &s->weight) ||
        (d->weight_name && !(s->weight_name = nncc_strdup(d->weight_name))) ||
        nncc_columns_copy(d, s) || !(s->path = nncc_strdup(d->path)))
        return NN_ERR_MEMORY;
    return NN_OK;
}

/* What stays in files is seen through v, on top of how d sees it. */
static int see_files(const nncc_data *d, const nncc_view *v, nncc_data *s)
{
    if (!nncc_data_has_files(d) || s->n == 0)
        return NN_OK;
    s->x_file = nncc_bulk_share(d->x_file);
    s->y_file = nncc_bulk_share(d->y_file);
    int status = nncc_view_copy(v, &s->view);
    return status ? status : nncc_view_copy(d->view, &s->view->under);
}

static int fill_subset(const nncc_data *d, const nncc_view *v, nncc_data *s)
{
    int status = see_files(d, v, s);

    if (!status)
        status = allocate(s);
    if (!status)
        status = copy_about(d, s);
    if (!status)
        status = nncc_fields_subset(d, v, s);
    if (status)
        return status;
    if (s->x)
        nncc_copy_rows(d->x_dtype, d->x, d->x_step, v, s->n, s->nfeature, s->x);
    if (s->y)
        nncc_copy_rows(d->y_dtype, d->y, d->y_step, v, s->n, s->nlabel, s->y);
    if (!d->line)
        return NN_OK;
    s->line = nncc_alloc((size_t)s->n, sizeof *s->line, "a data set");
    for (int64_t i = 0; s->line && i < s->n; i++)
        s->line[i] = d->line[nncc_view_row(v, i)];
    return s->line ? NN_OK : (int)NN_ERR_MEMORY;
}

int nncc_data_see(const nncc_data *d, const nncc_view *v, int64_t n,
                  nncc_data **out)
{
    nncc_data *s = nncc_alloc(1, sizeof *s, "a data set");

    if (!s)
        return NN_ERR_MEMORY;
    *s = (nncc_data){.n = n,
                     .nfeature = d->nfeature,
                     .nlabel = d->nlabel,
                     .x_dtype = d->x_dtype,
                     .y_dtype = d->y_dtype,
                     .scale = d->scale,
                     .label = d->label,
                     .nclass = d->nclass,
                     .label_column = d->label_column,
                     .text = d->text,
                     .chosen = d->chosen,
                     .nweight = d->nweight,
                     .fit_scale = d->fit_scale};
    int status = fill_subset(d, v, s);
    if (status) {
        nncc_data_free(s);
        return status;
    }
    *out = s;
    return NN_OK;
}

int nncc_data_subset(const nncc_data *d, const int64_t *row, int64_t n,
                     nncc_data **out)
{
    nncc_view v = {.nrow = n};

    memcpy(&v.row, &row, sizeof v.row); /* is only read */
    return nncc_data_see(d, &v, n, out);
}
