/* text.c: a text as rows of characters. */
#include "nn_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((uint64_t)1 << 30)

enum { CODE_POINTS = 0x110000 };

/* The code point at s[0 … n-1] and how many bytes it has; 0 bytes: it is no
 * UTF-8. (RFC 3629) */
static int decode(const unsigned char *s, size_t n, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int len = s[0] < 0x80   ? 1
              : s[0] < 0xc2 ? 0
              : s[0] < 0xe0 ? 2
              : s[0] < 0xf0 ? 3
              : s[0] < 0xf5 ? 4
                            : 0;

    if (len == 0 || (size_t)len > n)
        return 0;
    *code = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < least[len] || *code >= CODE_POINTS || surrogate ? 0 : len;
}

static void encode(uint32_t c, char *to)
{
    int len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    to[len] = 0;
    for (int i = len - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(len == 1 ? c : (0xf00u >> len & 0xffu) | c);
}

typedef struct Text {
    const char *path;
    nncc_bytes bytes;
    size_t begin;   /* of the text in bytes */
    int64_t n;      /* characters */
    int32_t *place; /* [CODE_POINTS]: 1 where it occurs, then its place */
    nncc_data *d;
} Text;

static int no_text(const Text *t, size_t at)
{
    int64_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += t->bytes.at[i] == '\n';
    return nncc_fail(NN_ERR_DATA, "%s:%lld: is no UTF-8 text", t->path,
                     (long long)line);
}

static int count(Text *t)
{
    uint32_t c = 0;

    t->place = nncc_alloc(CODE_POINTS, sizeof *t->place, "characters");
    if (!t->place)
        return NN_ERR_MEMORY;
    if (t->bytes.n >= 3 && memcmp(t->bytes.at, "\xef\xbb\xbf", 3) == 0)
        t->begin = 3; /* a byte order mark */
    for (size_t i = t->begin; i < t->bytes.n; t->n++) {
        int len = decode(t->bytes.at + i, t->bytes.n - i, &c);
        if (len == 0)
            return no_text(t, i);
        t->place[c] = 1;
        i += (size_t)len;
    }
    return NN_OK;
}

/* The characters that occur, in order, as classes. */
static int name_characters(Text *t)
{
    nncc_data *d = t->d;
    int32_t n = 0;

    for (int32_t c = 0; c < CODE_POINTS; c++)
        n += t->place[c];
    d->class_name = nncc_alloc((size_t)n, sizeof *d->class_name, "characters");
    if (!d->class_name)
        return NN_ERR_MEMORY;
    for (int32_t c = 0; c < CODE_POINTS; c++) {
        char name[5];
        if (!t->place[c])
            continue;
        encode((uint32_t)c, name);
        t->place[c] = d->nclass;
        d->class_name[d->nclass] = nncc_strdup(name);
        if (!d->class_name[d->nclass++])
            return NN_ERR_MEMORY;
    }
    return NN_OK;
}

/* The text as numbers, single bytes where they do. */
static int number_characters(Text *t)
{
    nncc_data *d = t->d;
    bool small = d->nclass <= 256;
    uint32_t c = 0;
    size_t at = t->begin;

    d->x_dtype = d->y_dtype = small ? NN_U8 : NN_I32;
    d->x = nncc_alloc((size_t)t->n, nncc_dtype_bytes(d->x_dtype), "a text");
    if (!d->x)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < t->n; i++) {
        at += (size_t)decode(t->bytes.at + at, t->bytes.n - at, &c);
        if (small)
            ((uint8_t *)d->x)[i] = (uint8_t)t->place[c];
        else
            ((int32_t *)d->x)[i] = t->place[c];
    }
    return NN_OK;
}

/* Printable ones as they are, others as 0x0A. */
static int name_bytes(nncc_data *d)
{
    char name[8];

    d->class_name = nncc_alloc(256, sizeof *d->class_name, "names of bytes");
    if (!d->class_name)
        return NN_ERR_MEMORY;
    for (; d->nclass < 256; d->nclass++) {
        bool plain = d->nclass >= ' ' && d->nclass < 127;
        snprintf(name, sizeof name, plain ? "%c" : "0x%02X",
                 (unsigned)d->nclass);
        if (!(d->class_name[d->nclass] = nncc_strdup(name)))
            return NN_ERR_MEMORY;
    }
    return NN_OK;
}

/* The bytes are the text. */
static int take_bytes(Text *t)
{
    nncc_data *d = t->d;

    d->x_dtype = d->y_dtype = NN_U8;
    t->n = (int64_t)t->bytes.n;
    d->x = t->bytes.at;
    t->bytes.at = NULL;
    return d->x ? name_bytes(d) : nncc_fail_memory(0, "a text");
}

static int take_characters(Text *t)
{
    int status = count(t);

    if (!status)
        status = name_characters(t);
    return status ? status : number_characters(t);
}

/* Rows begin `stride` apart; the labels are the same text from its second
 * character on. */
static int cut_rows(Text *t, const nncc_text_options *o)
{
    nncc_data *d = t->d;

    if (t->n <= o->length)
        return nncc_fail(
            NN_ERR_DATA,
            "%s: has %lld characters; expected more than %lld, the "
            "length of a row",
            t->path, (long long)t->n, (long long)o->length);
    d->x_step = d->y_step = o->stride ? o->stride : o->length;
    d->n = (t->n - 1 - o->length) / d->x_step + 1;
    d->nfeature = d->nlabel = o->length;
    d->scale = 1;
    d->label = NNCC_LABEL_NAME;
    d->y = (char *)d->x + nncc_dtype_bytes(d->x_dtype);
    d->y_inside = 1;
    d->text = o->bytes ? 2 : 1;
    d->label_column = -1;
    return NN_OK;
}

static int read_text(Text *t, const nncc_text_options *o)
{
    t->d = nncc_alloc(1, sizeof *t->d, "a text");
    if (!t->d || !(t->d->path = nncc_strdup(t->path)))
        return NN_ERR_MEMORY;
    int status = nncc_read_all(t->path, o->max_bytes ? o->max_bytes : MAX_BYTES,
                               &t->bytes);
    if (!status)
        status = o->bytes ? take_bytes(t) : take_characters(t);
    return status ? status : cut_rows(t, o);
}

int nncc_text_read(const char *path, const nncc_text_options *o,
                   nncc_data **out)
{
    Text t = {.path = path};

    if (!path || !o || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_text_read: null argument");
    if (o->length < 1 || o->stride < 0)
        return nncc_fail(
            NN_ERR_ARGUMENT,
            "rows of %lld characters, %lld apart; expected at least "
            "one",
            (long long)o->length, (long long)o->stride);
    int status = read_text(&t, o);
    free(t.bytes.at);
    free(t.place);
    if (status)
        nncc_data_free(t.d);
    else
        *out = t.d;
    return status;
}
