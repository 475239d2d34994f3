/* text.c: a text as rows of characters. */
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES ((uint64_t)1 << 30)

enum {
    CODE_POINTS = 0x110000,
    MOST_BYTES = 4, /* of one character */
    CHUNK = 1 << 14,
    MOST_TIMES = 4,    /* as many bytes may its numbers take */
    MOST_PACKED = 1000 /* times as large may it be unpacked */
};

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
    nncc_bytes bytes;     /* of it; or, where these are too many for memory, */
    int fd;               /* a file that has them, else -1 */
    uint64_t begin, size; /* of the text in it */
    int64_t n;            /* characters */
    int32_t *place;       /* [CODE_POINTS]: 1 where it occurs, then its place */
    unsigned char *chunk; /* [CHUNK]: bytes that were read; */
    uint32_t *code;       /* [CHUNK]: the characters in them; */
    void *number;         /* [CHUNK]: their numbers */
    nncc_data *d;
} Text;

static bool is_in_file(const Text *t) { return t->fd >= 0; }

/* Going through its characters, a chunk at a time. */
typedef struct Walk {
    uint64_t at; /* of the next one */
    int64_t line;
    size_t n; /* characters of this chunk: t->code; 0: it has ended */
} Walk;

static int no_text(const Text *t, int64_t line)
{
    return nncc_fail(NN_ERR_DATA, "%s:%lld: is no UTF-8 text", t->path,
                     (long long)line);
}

/* Bytes from w->at on: how many. */
static int read_chunk(const Text *t, const Walk *w, size_t *n)
{
    *n = t->size - w->at < CHUNK ? (size_t)(t->size - w->at) : (size_t)CHUNK;
    if (is_in_file(t))
        return nncc_read_at(t->path, t->fd, w->at, t->chunk, *n);
    memcpy(t->chunk, t->bytes.at + w->at, *n);
    return NN_OK;
}

static int next_chunk(const Text *t, Walk *w)
{
    size_t n, i = 0;
    int status = read_chunk(t, w, &n);
    bool last = w->at + n == t->size;

    for (w->n = 0; !status && i < n && (last || n - i >= MOST_BYTES); w->n++) {
        int len = decode(t->chunk + i, n - i, &t->code[w->n]);
        if (len == 0)
            return no_text(t, w->line);
        w->line += t->code[w->n] == '\n';
        i += (size_t)len;
    }
    w->at += i;
    return status;
}

static int allocate(Text *t)
{
    t->place = nncc_alloc(CODE_POINTS, sizeof *t->place, "characters");
    t->chunk = nncc_alloc(CHUNK, 1, "a text");
    t->code = nncc_alloc(CHUNK, sizeof *t->code, "a text");
    t->number = nncc_alloc(CHUNK, sizeof(int32_t), "a text");
    return t->place && t->chunk && t->code && t->number ? NN_OK : NN_ERR_MEMORY;
}

/* Behind a byte order mark. */
static int find_begin(Text *t)
{
    const Walk w = {.at = 0};
    size_t n;
    int status = read_chunk(t, &w, &n);

    if (!status && n >= 3 && memcmp(t->chunk, "\xef\xbb\xbf", 3) == 0)
        t->begin = 3;
    return status;
}

static int count(Text *t)
{
    int status = allocate(t);

    if (!status)
        status = find_begin(t);
    Walk w = {.at = t->begin, .line = 1};
    while (!status && !(status = next_chunk(t, &w)) && w.n > 0) {
        for (size_t i = 0; i < w.n; i++)
            t->place[t->code[i]] = 1;
        t->n += (int64_t)w.n;
    }
    return status;
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

static void number_chunk(const Text *t, size_t n, bool small)
{
    for (size_t i = 0; i < n; i++)
        if (small)
            ((uint8_t *)t->number)[i] = (uint8_t)t->place[t->code[i]];
        else
            ((int32_t *)t->number)[i] = t->place[t->code[i]];
}

/* The text as numbers, single bytes where they do: in memory, or written to
 * the file `to`. */
static int number_characters(const Text *t, int to)
{
    nncc_data *d = t->d;
    bool small = d->nclass <= 256;
    Walk w = {.at = t->begin};
    size_t size = nncc_dtype_bytes(d->x_dtype), at = 0;
    int status = NN_OK;

    while (!status && !(status = next_chunk(t, &w)) && w.n > 0) {
        number_chunk(t, w.n, small);
        if (is_in_file(t))
            status = nncc_spill_bytes(t->path, to, t->number, w.n * size);
        else
            memcpy((char *)d->x + at, t->number, w.n * size);
        at += w.n * size;
    }
    return status;
}

static int number_in_memory(const Text *t)
{
    nncc_data *d = t->d;

    d->x = nncc_alloc((size_t)t->n, nncc_dtype_bytes(d->x_dtype), "a text");
    return d->x ? number_characters(t, -1) : (int)NN_ERR_MEMORY;
}

/* The labels are in the same file, one further on. */
static int take_numbers(const Text *t, int fd)
{
    static const uint16_t one = 1;
    nncc_data *d = t->d;
    int size = (int)nncc_dtype_bytes(d->x_dtype);
    nncc_format f = {size == 1 ? 'u' : 'i', size, !*(const char *)&one};
    int status = nncc_bulk_of(t->path, fd, f, t->n, 0, &d->x_file);

    if (status)
        close(fd);
    return status ? status : nncc_bulk_part(d->x_file, 1, &d->y_file);
}

static int number_in_file(const Text *t)
{
    int to, status = nncc_spill_file(t->path, &to);

    if (status)
        return status;
    status = number_characters(t, to);
    if (status)
        close(to);
    return status ? status : take_numbers(t, to);
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
    int status = NN_OK;

    d->x_dtype = d->y_dtype = NN_U8;
    t->n = (int64_t)t->size;
    if (is_in_file(t)) {
        status = take_numbers(t, t->fd);
        t->fd = -1;
    } else {
        d->x = t->bytes.at;
        t->bytes.at = NULL;
        if (!d->x)
            status = nncc_fail_memory(0, "a text");
    }
    return status ? status : name_bytes(d);
}

static int take_characters(Text *t)
{
    nncc_data *d = t->d;
    int status = count(t);

    if (!status)
        status = name_characters(t);
    if (status)
        return status;
    d->x_dtype = d->y_dtype = d->nclass <= 256 ? NN_U8 : NN_I32;
    return is_in_file(t) ? number_in_file(t) : number_in_memory(t);
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
    if (d->x) {
        d->y = (char *)d->x + nncc_dtype_bytes(d->x_dtype);
        d->y_inside = 1;
    }
    d->text = o->bytes ? 2 : 1;
    d->label_column = -1;
    return NN_OK;
}

/* A file that is too large for memory. */
static int open_large(Text *t, bool packed)
{
    struct stat st;
    int status = NN_OK;

    if (packed)
        status = nncc_spill_unzipped(t->path, &t->fd);
    else
        t->fd = open(t->path, O_RDONLY | O_CLOEXEC);
    if (!status && (t->fd < 0 || fstat(t->fd, &st) != 0))
        status = nncc_fail(NN_ERR_FILE, "%s: %s", t->path, strerror(errno));
    if (!status)
        t->size = (uint64_t)st.st_size;
    return status;
}

/* What was packed may turn out to be small. */
static int load_small(Text *t)
{
    if (nncc_is_large(MOST_TIMES * t->size))
        return NN_OK;
    t->bytes = (nncc_bytes){nncc_alloc((size_t)t->size + 1, 1, "a text"),
                            (size_t)t->size};
    int status = t->bytes.at
                     ? nncc_read_at(t->path, t->fd, 0, t->bytes.at, t->bytes.n)
                     : (int)NN_ERR_MEMORY;
    close(t->fd);
    t->fd = -1;
    return status;
}

static int open_text(Text *t, uint64_t max_bytes)
{
    bool packed;
    uint64_t bytes = nncc_file_bytes(t->path, &packed);
    int status;

    if (!max_bytes &&
        nncc_is_large(bytes * MOST_TIMES * (packed ? MOST_PACKED : 1))) {
        status = open_large(t, packed);
        return status ? status : load_small(t);
    }
    status =
        nncc_read_all(t->path, max_bytes ? max_bytes : MAX_BYTES, &t->bytes);
    t->size = t->bytes.n;
    return status;
}

static int read_text(Text *t, const nncc_text_options *o)
{
    t->d = nncc_alloc(1, sizeof *t->d, "a text");
    if (!t->d || !(t->d->path = nncc_strdup(t->path)))
        return NN_ERR_MEMORY;
    int status = open_text(t, o->max_bytes);
    if (!status)
        status = o->bytes ? take_bytes(t) : take_characters(t);
    return status ? status : cut_rows(t, o);
}

int nncc_text_read(const char *path, const nncc_text_options *o,
                   nncc_data **out)
{
    Text t = {.path = path, .fd = -1};

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
    free(t.chunk);
    free(t.code);
    free(t.number);
    if (t.fd >= 0)
        close(t.fd);
    if (status)
        nncc_data_free(t.d);
    else
        *out = t.d;
    return status;
}
