/* npy.c: arrays as bytes: IDX and NumPy's .npy. */
#include "nn_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char npy_magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

static bool is_npy(const unsigned char *b, size_t n)
{
    return n >= sizeof npy_magic && !memcmp(b, npy_magic, sizeof npy_magic);
}

static bool is_idx(const unsigned char *b, size_t n)
{
    return n >= 4 && b[0] == 0 && b[1] == 0 && b[2] >= 0x08 && b[2] <= 0x0e;
}

/* IDX: 0, 0, a code for the type, the rank; sizes in 4 bytes each; elements.
 * All of it has the highest byte first. */
static int idx_header(const char *path, const nncc_bytes *b, nncc_layout *h)
{
    static const nncc_format format[] = {
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
static bool npy_shape(const char *p, nncc_layout *h)
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

static bool npy_format(const char *p, nncc_format *f)
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
static int npy_header(const char *path, const nncc_bytes *b, nncc_layout *h)
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
        return nncc_fail(
            NN_ERR_DATA,
            "%s: holds neither integers nor reals of 2, 4 or 8 bytes", path);
    if (!npy_shape(npy_value(text, "shape"), h) || !order)
        return nncc_fail(NN_ERR_DATA,
                         "%s: the header of this .npy file is "
                         "damaged",
                         path);
    h->columns = strncmp(order, "True", 4) == 0 && h->rank > 1;
    return NN_OK;
}

/* From columns to rows: the first index of what is there goes fastest. */
static int turn(nncc_tensor *t)
{
    size_t size = nncc_dtype_bytes(t->dtype), n = nncc_tensor_bytes(t) / size;
    int64_t index[NNCC_MAX_RANK] = {0}, step[NNCC_MAX_RANK] = {1};
    char *to = nncc_alloc_aligned(n * size, "an array");
    int64_t from = 0;

    if (!to)
        return NN_ERR_MEMORY;
    for (int k = 1; k < t->rank && n; k++)
        step[k] = step[k - 1] * t->size[k - 1];
    for (size_t i = 0; i < n; i++) {
        memcpy(to + i * size, (char *)t->data + (size_t)from * size, size);
        for (int k = t->rank - 1; k >= 0; k--) {
            from += step[k];
            if (++index[k] < t->size[k])
                break;
            from -= step[k] * index[k];
            index[k] = 0;
        }
    }
    free(t->data);
    t->data = to;
    return NN_OK;
}

int nncc_layout_take(const char *path, const nncc_bytes *b,
                     const nncc_layout *h, nncc_tensor **out)
{
    nncc_tensor shape = {.dtype = nncc_format_dtype(h->format),
                         .rank = h->rank},
                *t;
    int64_t n;

    memcpy(shape.size, h->size, sizeof shape.size);
    if (shape.dtype < 0)
        return nncc_fail(
            NN_ERR_DATA,
            "%s: holds neither integers nor reals of 2, 4 or 8 bytes", path);
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
    nncc_format_copy(h->format, b->at + h->at, n, t);
    status = h->columns && n ? turn(t) : NN_OK;
    if (status)
        nncc_tensor_free(t);
    else
        *out = t;
    return status;
}

bool nncc_is_array(const unsigned char *start, size_t n)
{
    return is_npy(start, n) || is_idx(start, n);
}

int nncc_layout_read(const char *path, const nncc_bytes *b, nncc_layout *h)
{
    *h = (nncc_layout){0};
    if (is_npy(b->at, b->n))
        return npy_header(path, b, h);
    if (is_idx(b->at, b->n))
        return idx_header(path, b, h);
    return nncc_fail(NN_ERR_DATA, "%s: is neither an IDX nor a .npy file",
                     path);
}

/* Little-endian, row by row: NumPy's format 1.0. */
static char *npy_head(const nncc_tensor *t, size_t *n)
{
    static const char *const kind[] = {
        [NN_BOOL] = "|b1", [NN_U8] = "|u1",  [NN_I32] = "<i4", [NN_I64] = "<i8",
        [NN_F32] = "<f4",  [NN_F64] = "<f8", [NN_KEY] = "<u8",
    };
    enum { BEFORE = 10, ALIGN = 64 };
    nncc_text dict = {0}, head = {0};

    nncc_text_printf(&dict,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (",
                     kind[t->dtype]);
    for (int i = 0; i < t->rank; i++)
        nncc_text_printf(&dict, "%lld,%s", (long long)t->size[i],
                         i + 1 < t->rank ? " " : "");
    nncc_text_printf(&dict, "), }");
    size_t all = (BEFORE + dict.n + 1 + ALIGN - 1) / ALIGN * ALIGN;
    if (!dict.failed)
        nncc_text_printf(&head, "%.*s%-*s\n", BEFORE, "\x93NUMPY\x01___",
                         (int)(all - BEFORE - 1), dict.at);
    free(dict.at);
    if (dict.failed || head.failed)
        return NULL;
    head.at[7] = 0;
    head.at[8] = (char)((all - BEFORE) & 255);
    head.at[9] = (char)((all - BEFORE) >> 8);
    *n = all;
    return head.at;
}

int nncc_array_bytes(const nncc_tensor *t, void **bytes, size_t *n)
{
    size_t size, before = 0;

    if (!t || !bytes || !n)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_array_bytes: null argument");
    int status = nncc_tensor_count(t, NULL, &size);
    if (status)
        return status;
    char *head = npy_head(t, &before);
    char *all = head ? realloc(head, before + size) : NULL;
    if (!all) {
        free(head);
        return nncc_fail_memory(before + size, "an array");
    }
    if (size)
        memcpy(all + before, t->data, size);
    *bytes = all;
    *n = before + size;
    return NN_OK;
}
