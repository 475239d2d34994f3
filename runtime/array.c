/* array.c: arrays in IDX and .npy files, and data sets made of them. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((uint64_t)8 << 30)

/* The elements of a file as they lie there: integers, with or without a sign,
 * or IEEE numbers. */
typedef struct Format {
    char kind; /* 'b' 'i' 'u' 'f' */
    int bytes; /* 1, 2, 4, 8 */
    bool big;  /* the first byte is the highest */
} Format;

typedef struct Header {
    Format format;
    int rank;
    int64_t size[NNCC_MAX_RANK];
    size_t at; /* where the elements begin */
} Header;

static const unsigned char npy_magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

static bool is_npy(const unsigned char *b, size_t n)
{
    return n >= sizeof npy_magic && !memcmp(b, npy_magic, sizeof npy_magic);
}

static bool is_idx(const unsigned char *b, size_t n)
{
    return n >= 4 && b[0] == 0 && b[1] == 0 && b[2] >= 0x08 && b[2] <= 0x0e;
}

/* The dtype that holds such elements; -1: there is none. */
static int dtype_of(Format f)
{
    switch (f.kind) {
    case 'b':
        return f.bytes == 1 ? NN_BOOL : -1;
    case 'u':
        return f.bytes == 1 ? NN_U8 : f.bytes == 2 ? NN_I32 : NN_I64;
    case 'i':
        return f.bytes == 8 ? NN_I64 : NN_I32;
    case 'f':
        return f.bytes == 4 ? NN_F32 : f.bytes == 8 ? NN_F64 : -1;
    }
    return -1;
}

/* IDX: 0, 0, a code for the type, the rank; sizes in 4 bytes each; elements.
 * All of it has the highest byte first. */
static int idx_header(const char *path, const nncc_bytes *b, Header *h)
{
    static const Format format[] = {
        {'u', 1, true}, {'i', 1, true}, {0, 0, true},   {'i', 2, true},
        {'i', 4, true}, {'f', 4, true}, {'f', 8, true},
    };

    h->format = format[b->at[2] - 8];
    h->rank = b->at[3];
    h->at = 4 + 4 * (size_t)h->rank;
    if (!h->format.kind || h->rank == 0 || h->rank > NNCC_MAX_RANK ||
        b->n < h->at)
        return nncc_fail(NN_ERR_DATA,
                         "%s: the header of this IDX file is damaged", path);
    for (int i = 0; i < h->rank; i++) {
        const unsigned char *s = b->at + 4 + 4 * i;
        h->size[i] = (int64_t)((uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 |
                               (uint32_t)s[2] << 8 | (uint32_t)s[3]);
    }
    return NN_OK;
}

/* What follows 'key': in the dictionary text, or NULL. */
static const char *npy_value(const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *p = strchr(text, '\''); p; p = strchr(p + 1, '\'')) {
        if (strncmp(p + 1, key, n) != 0 || p[n + 1] != '\'')
            continue;
        p += n + 2;
        p += strspn(p, " ");
        return *p == ':' ? p + 1 + strspn(p + 1, " ") : NULL;
    }
    return NULL;
}

/* "(3, 4)", "(5,)", "()" */
static bool npy_shape(const char *p, Header *h)
{
    if (!p || *p != '(')
        return false;
    for (p++;;) {
        char *end;
        p += strspn(p, " ,");
        if (*p == ')')
            return true;
        if (*p < '0' || *p > '9' || h->rank == NNCC_MAX_RANK)
            return false;
        h->size[h->rank++] = strtoll(p, &end, 10);
        p = end;
    }
}

static bool npy_format(const char *p, Format *f)
{
    if (!p || *p != '\'' || !p[1] || !strchr("<>|=", p[1]))
        return false;
    f->big = p[1] == '>';
    f->kind = p[2];
    f->bytes = p[2] && p[3] >= '1' && p[3] <= '9' ? p[3] - '0' : 0;
    return f->bytes && p[4] == '\'' && strchr("biuf", f->kind) &&
           (f->bytes & (f->bytes - 1)) == 0;
}

/* .npy: the magic, a version, the length of a dictionary, that as Python writes
 * it; elements. (numpy.lib.format) */
static int npy_header(const char *path, const nncc_bytes *b, Header *h)
{
    char text[4096];
    const unsigned char *p = b->at + 8;
    size_t before = b->n > 6 && b->at[6] == 1 ? 10 : 12, n = 0;

    if (b->n >= before)
        n = (size_t)p[0] | (size_t)p[1] << 8;
    if (b->n >= before && before == 12)
        n |= (size_t)p[2] << 16 | (size_t)p[3] << 24;
    h->at = before + n;
    if (n == 0 || n >= sizeof text || b->n < h->at)
        return nncc_fail(NN_ERR_DATA,
                         "%s: the header of this .npy file is "
                         "damaged",
                         path);
    memcpy(text, b->at + before, n);
    text[n] = 0;
    const char *order = npy_value(text, "fortran_order");
    if (!npy_format(npy_value(text, "descr"), &h->format))
        return nncc_fail(NN_ERR_DATA,
                         "%s: holds neither integers nor reals of 4 or 8 bytes",
                         path);
    if (!npy_shape(npy_value(text, "shape"), h) || !order)
        return nncc_fail(NN_ERR_DATA,
                         "%s: the header of this .npy file is "
                         "damaged",
                         path);
    if (strncmp(order, "True", 4) == 0 && h->rank > 1)
        return nncc_fail(NN_ERR_DATA,
                         "%s: lies column by column (fortran_order); expected "
                         "rows: numpy.ascontiguousarray(a)",
                         path);
    return NN_OK;
}

/* Element i, its bytes as one number. */
static uint64_t raw(Format f, const unsigned char *from, int64_t i)
{
    const unsigned char *p = from + i * f.bytes;
    uint64_t v = 0;

    for (int k = 0; k < f.bytes; k++)
        v = v << 8 | p[f.big ? k : f.bytes - 1 - k];
    return v;
}

static int64_t signed_of(Format f, uint64_t v)
{
    uint64_t sign = UINT64_C(1) << (8 * f.bytes - 1);

    if (f.kind == 'i' && f.bytes < 8)
        v = (v ^ sign) - sign;
    return (int64_t)v;
}

static void copy_elements(Format f, const unsigned char *from, int64_t n,
                          const nncc_tensor *to)
{
    if (f.bytes == 1 && f.kind != 'i') {
        memcpy(to->data, from, (size_t)n);
        for (int64_t i = 0; f.kind == 'b' && i < n; i++)
            ((uint8_t *)to->data)[i] = from[i] != 0;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t v = raw(f, from, i);
        uint32_t low = (uint32_t)v;
        if (to->dtype == NN_F32)
            memcpy((float *)to->data + i, &low, sizeof low);
        else if (to->dtype == NN_I32)
            ((int32_t *)to->data)[i] = (int32_t)signed_of(f, v);
        else if (to->dtype == NN_F64)
            memcpy((double *)to->data + i, &v, sizeof v);
        else
            ((int64_t *)to->data)[i] = signed_of(f, v);
    }
}

static int take_elements(const char *path, const nncc_bytes *b, const Header *h,
                         nncc_tensor **out)
{
    nncc_tensor shape = {.dtype = dtype_of(h->format), .rank = h->rank}, *t;
    int64_t n;

    memcpy(shape.size, h->size, sizeof shape.size);
    if (shape.dtype < 0)
        return nncc_fail(NN_ERR_DATA,
                         "%s: holds neither integers nor reals of 4 or 8 bytes",
                         path);
    if (nncc_tensor_count(&shape, &n, NULL) ||
        (uint64_t)n > (b->n - h->at) / (uint64_t)h->format.bytes)
        return nncc_fail(
            NN_ERR_DATA,
            "%s: is cut short: %llu bytes are less than its header "
            "says",
            path, (unsigned long long)(b->n - h->at));
    int status = nncc_tensor_new(shape.dtype, shape.rank, shape.size, &t);
    if (status)
        return status;
    copy_elements(h->format, b->at + h->at, n, t);
    *out = t;
    return NN_OK;
}

int nncc_array_read(const char *path, nncc_tensor **out)
{
    nncc_bytes b = {0};
    Header h = {0};

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_array_read: null argument");
    int status = nncc_read_all(path, MAX_BYTES, &b);
    if (status)
        return status;
    if (is_npy(b.at, b.n))
        status = npy_header(path, &b, &h);
    else if (is_idx(b.at, b.n))
        status = idx_header(path, &b, &h);
    else
        status = nncc_fail(NN_ERR_DATA, "%s: is neither an IDX nor a .npy file",
                           path);
    if (!status)
        status = take_elements(path, &b, &h, out);
    free(b.at);
    return status;
}

/* Data sets */

static bool is_array(const char *path)
{
    unsigned char start[8];
    size_t n = (size_t)nncc_read_start(path, start, sizeof start);

    return is_npy(start, n) || is_idx(start, n);
}

/* The tensor's memory becomes d's features. */
static int data_of(const char *path, nncc_tensor *t, nncc_data **out)
{
    nncc_data *d = nncc_alloc(1, sizeof *d, "a data set");

    if (!d || !(d->path = nncc_strdup(path))) {
        free(d);
        return NN_ERR_MEMORY;
    }
    d->n = t->rank ? t->size[0] : 1;
    d->nfeature = 1;
    for (int i = 1; i < t->rank; i++)
        d->nfeature *= t->size[i];
    d->x_dtype = t->dtype;
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

    if (!is_array(path)) {
        csv.no_label |= no_label;
        return nncc_csv_read(path, &csv, out);
    }
    int status = nncc_array_read(path, &t);
    if (status)
        return status;
    status = data_of(path, t, out);
    nncc_tensor_free(t);
    return status;
}

/* Are all of them whole numbers? */
static bool whole(const nncc_data *d)
{
    if (d->x_dtype != NN_F32 && d->x_dtype != NN_F64)
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
