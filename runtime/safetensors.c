/* safetensors.c: files of named tensors, as Hugging Face's safetensors has
 * them: the length of a header (8 bytes, little-endian), the header, which is
 * JSON, and the tensors' bytes one after another. */
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PREFIX = 8, MOST_HEADER = 100000000, ALIGN = 8 };
static const uint64_t most_bytes = UINT64_C(1) << 40;

/* How a file names a dtype, what it becomes here, and how it lies there. */
typedef struct Kind {
    const char *name;
    int dtype;
    nncc_format format;
} Kind;

/* Those that nncc has itself come first. */
static const Kind kinds[] = {
    {"BOOL", NN_BOOL, {'b', 1, false}}, {"U8", NN_U8, {'u', 1, false}},
    {"I32", NN_I32, {'i', 4, false}},   {"I64", NN_I64, {'i', 8, false}},
    {"F32", NN_F32, {'f', 4, false}},   {"F64", NN_F64, {'f', 8, false}},
    {"U64", NN_KEY, {'u', 8, false}},   {"I8", NN_I32, {'i', 1, false}},
    {"I16", NN_I32, {'i', 2, false}},   {"U16", NN_I32, {'u', 2, false}},
    {"U32", NN_I64, {'u', 4, false}},   {"BF16", NN_F32, {'g', 2, false}},
    {"F16", NN_F32, {'f', 2, false}},
};
enum { NKIND = sizeof kinds / sizeof *kinds };

static const Kind *kind_of_dtype(int dtype)
{
    const Kind *k = kinds;

    while (k->dtype != dtype)
        k++;
    return k;
}

static const Kind *kind_of_name(const char *name)
{
    for (int i = 0; i < NKIND; i++)
        if (name && strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Writing. */

static json_t *shape_json(const nncc_tensor *t)
{
    json_t *shape = json_array();

    for (int k = 0; shape && k < t->rank; k++)
        if (json_array_append_new(shape, json_integer(t->size[k])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return shape;
}

static json_t *texts_json(const nncc_store *s)
{
    json_t *texts = json_object();
    const char *key, *value = NULL;

    for (int64_t i = 0; (key = nncc_store_text_at(s, i, &value)) && texts; i++)
        if (json_object_set_new(texts, key, json_string(value)) != 0) {
            json_decref(texts);
            return NULL;
        }
    return texts;
}

static int bad_text(const char *path)
{
    return nncc_fail(NN_ERR_ARGUMENT,
                     "%s: a name or text to write is no UTF-8, or there is no "
                     "memory for the file's header",
                     path);
}

/* The header; a part for each tensor's bytes goes to part. */
static int list_entries(const nncc_store *s, const char *path, json_t *header,
                        nncc_part *part)
{
    uint64_t at = 0;
    json_t *texts = texts_json(s);

    if (!texts)
        return bad_text(path);
    if (json_object_size(texts) == 0)
        json_decref(texts);
    else if (json_object_set_new(header, "__metadata__", texts) != 0)
        return bad_text(path);
    for (int64_t i = 0; i < nncc_store_count(s); i++) {
        const nncc_tensor *t = nncc_store_tensor(s, i);
        size_t bytes = nncc_tensor_bytes(t);
        part[i] = (nncc_part){t->data, bytes};
        json_t *entry =
            json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                      kind_of_dtype(t->dtype)->name, "shape", shape_json(t),
                      "data_offsets", (json_int_t)at, (json_int_t)(at + bytes));
        at += bytes;
        if (json_object_set_new(header, nncc_store_name(s, i), entry) != 0)
            return bad_text(path);
    }
    return NN_OK;
}

/* The header's text with its length before it, filled up with blanks so that
 * what follows is aligned. To be freed; NULL where there is no memory. */
static char *header_text(const json_t *header, size_t *n)
{
    char *text = json_dumps(header, JSON_COMPACT);
    size_t length = text ? strlen(text) : 0;
    size_t padded = (length + ALIGN - 1) / ALIGN * ALIGN;
    char *all = text ? nncc_alloc(PREFIX + padded, 1, "a header") : NULL;

    if (all) {
        for (int i = 0; i < PREFIX; i++)
            all[i] = (char)((uint64_t)padded >> 8 * i & 255);
        memcpy(all + PREFIX, text, length);
        memset(all + PREFIX + length, ' ', padded - length);
        *n = PREFIX + padded;
    }
    free(text);
    return all;
}

/* The file's parts: the header, which is to be freed, and each tensor's bytes.
 */
typedef struct Image {
    nncc_part *part; /* to be freed */
    int64_t n;
    char *header;
} Image;

static int image_new(const nncc_store *s, const char *path, Image *to)
{
    json_t *header = json_object();
    int status = NN_OK;

    *to = (Image){.n = nncc_store_count(s) + 1};
    to->part = nncc_alloc((size_t)to->n, sizeof *to->part, "a file");
    status = header && to->part ? list_entries(s, path, header, to->part + 1)
                                : (int)NN_ERR_MEMORY;
    if (!status && !(to->header = header_text(header, &to->part[0].n)))
        status = bad_text(path);
    if (!status)
        to->part[0].at = to->header;
    json_decref(header);
    return status;
}

static void image_free(Image *m)
{
    free(m->part);
    free(m->header);
}

static int write_npz(const nncc_store *s, const char *path)
{
    nncc_part all = {NULL, 0};
    void *bytes = NULL;
    int status = nncc_store_npz(s, &bytes, &all.n);

    all.at = bytes;
    if (!status)
        status = nncc_write_parts(path, &all, 1);
    free(bytes);
    return status;
}

int nncc_store_write(const nncc_store *s, const char *path)
{
    Image m;

    if (!s || !path)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_write: null argument");
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".npz") == 0)
        return write_npz(s, path);
    int status = image_new(s, path, &m);
    if (!status)
        status = nncc_write_parts(path, m.part, m.n);
    image_free(&m);
    return status;
}

int nncc_store_bytes(const nncc_store *s, void **bytes, size_t *n)
{
    Image m;
    size_t all = 0;

    if (!s || !bytes || !n)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_bytes: null argument");
    int status = image_new(s, "safetensors", &m);
    for (int64_t i = 0; i < m.n && !status; i++)
        all += m.part[i].n;
    char *to = status ? NULL : nncc_alloc(all, 1, "a file");
    if (!status && !to)
        status = NN_ERR_MEMORY;
    for (int64_t i = 0, at = 0; i < m.n && !status; i++) {
        memcpy(to + at, m.part[i].at, m.part[i].n);
        at += (int64_t)m.part[i].n;
    }
    image_free(&m);
    if (!status) {
        *bytes = to;
        *n = all;
    }
    return status;
}

/* Reading. */

typedef struct Reading {
    const char *path;
    nncc_bytes file; /* of a file that is large the header alone, and how many
                        bytes there are: */
    int fd;          /* it, or -1 */
    uint64_t data;   /* where the tensors begin in it */
    uint64_t taken;  /* bytes of those read so far */
    nncc_store *to;
} Reading;

static int damaged(const Reading *r, const char *name, const char *what)
{
    return nncc_fail(NN_ERR_DATA, "%s: damaged: %s%s%s%s", r->path,
                     *name ? "tensor '" : "", name, *name ? "': " : "", what);
}

static int read_shape(const Reading *r, const char *name, const json_t *shape,
                      nncc_tensor *t)
{
    if (!json_is_array(shape))
        return damaged(r, name, "has no shape");
    if (json_array_size(shape) > NNCC_MAX_RANK)
        return nncc_fail(NN_ERR_DATA,
                         "%s: tensor '%s' has %zu axes; at most "
                         "%d are read",
                         r->path, name, json_array_size(shape), NNCC_MAX_RANK);
    t->rank = (int32_t)json_array_size(shape);
    for (int k = 0; k < t->rank; k++) {
        const json_t *size = json_array_get(shape, (size_t)k);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return damaged(r, name, "a size is no whole number");
        t->size[k] = json_integer_value(size);
    }
    return NN_OK;
}

/* Where the bytes are that the entry claims. */
static int find_bytes(const Reading *r, const char *name, const json_t *entry,
                      uint64_t bytes, uint64_t *at)
{
    const json_t *o = json_object_get(entry, "data_offsets");
    const json_t *from = json_array_get(o, 0), *to = json_array_get(o, 1);
    uint64_t most = r->file.n - r->data;

    if (json_array_size(o) != 2 || !json_is_integer(from) ||
        !json_is_integer(to) || json_integer_value(from) < 0 ||
        json_integer_value(to) < json_integer_value(from))
        return damaged(r, name, "has no place in the file");
    if ((uint64_t)json_integer_value(to) > most)
        return damaged(r, name,
                       "lies behind the end of the file, which is cut "
                       "short");
    if ((uint64_t)(json_integer_value(to) - json_integer_value(from)) != bytes)
        return damaged(r, name, "its shape does not fit its place in the file");
    *at = r->data + (uint64_t)json_integer_value(from);
    return NN_OK;
}

/* No two have the same bytes, or a small file could fill the memory. */
static int take_bytes(Reading *r, const char *name, uint64_t bytes)
{
    if (bytes > r->file.n - r->data - r->taken)
        return damaged(r, name, "shares its place with others");
    r->taken += bytes;
    return NN_OK;
}

/* The n elements at byte `at` of the open file. */
static int read_part(const Reading *r, nncc_format f, uint64_t at, int64_t n,
                     const nncc_tensor *to)
{
    size_t bytes = (size_t)n * (size_t)f.bytes;
    unsigned char *part = nncc_alloc(bytes, 1, "a tensor");
    int status = part ? nncc_read_at(r->path, r->fd, at, part, bytes)
                      : (int)NN_ERR_MEMORY;

    if (!status)
        nncc_format_copy(f, part, n, to);
    free(part);
    return status;
}

/* The n elements at byte `at` as a tensor of the store. */
static int take_elements(Reading *r, const char *name, nncc_format f,
                         const nncc_tensor *t, uint64_t at, int64_t n)
{
    nncc_tensor *to;
    nncc_bulk *b;

    if (r->fd >= 0 && nncc_is_large((uint64_t)n * (uint64_t)f.bytes)) {
        int fd = dup(r->fd);
        int status =
            fd < 0 ? nncc_fail(NN_ERR_FILE, "%s: %s", r->path, strerror(errno))
                   : nncc_bulk_of(r->path, fd, f, n, at, &b);
        if (status && fd >= 0)
            close(fd);
        return status ? status : nncc_store_add_bulk(r->to, name, t, b);
    }
    int status = nncc_store_add(r->to, name, t, &to);
    if (status || n == 0)
        return status;
    if (r->fd >= 0)
        return read_part(r, f, at, n, to);
    nncc_format_copy(f, r->file.at + at, n, to);
    return NN_OK;
}

static int read_entry(Reading *r, const char *name, const json_t *entry)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const Kind *k = kind_of_name(dtype);
    nncc_tensor t = {0};
    int64_t n = 0;
    uint64_t at = 0;

    if (!dtype)
        return damaged(r, name, "has no dtype");
    if (!k)
        return nncc_fail(NN_ERR_TYPE,
                         "%s: tensor '%s' is of dtype %s, which is not read",
                         r->path, name, dtype);
    uint64_t bytes = (uint64_t)k->format.bytes;
    t.dtype = k->dtype;
    int status = read_shape(r, name, json_object_get(entry, "shape"), &t);
    if (!status && nncc_tensor_count(&t, &n, NULL) != NN_OK)
        status = damaged(r, name, "its shape is too large");
    if (!status)
        status = find_bytes(r, name, entry, bytes * (uint64_t)n, &at);
    if (!status)
        status = take_bytes(r, name, bytes * (uint64_t)n);
    return status ? status : take_elements(r, name, k->format, &t, at, n);
}

static int read_texts(const Reading *r, json_t *texts)
{
    const char *key;
    json_t *value;

    json_object_foreach(texts, key, value)
    {
        const char *text = json_string_value(value);
        int status = text ? nncc_store_set_text(r->to, key, text)
                          : damaged(r, "", "a text is none");
        if (status)
            return status;
    }
    return NN_OK;
}

static int read_header(Reading *r, json_t *header)
{
    const char *name;
    json_t *entry;
    int status = NN_OK;

    if (!json_is_object(header))
        return damaged(r, "", "its header is no JSON object");
    json_object_foreach(header, name, entry)
    {
        status = strcmp(name, "__metadata__") == 0 ? read_texts(r, entry)
                                                   : read_entry(r, name, entry);
        if (status)
            return status;
    }
    return NN_OK;
}

static int read_file(Reading *r)
{
    uint64_t n = 0;
    json_error_t error;

    if (r->file.n < PREFIX)
        return nncc_fail(NN_ERR_DATA, "%s: no safetensors file", r->path);
    for (int i = 0; i < PREFIX; i++)
        n |= (uint64_t)r->file.at[i] << 8 * i;
    if (n > MOST_HEADER || n > r->file.n - PREFIX || n == 0 ||
        r->file.at[PREFIX] != '{')
        return nncc_fail(NN_ERR_DATA, "%s: no safetensors file, or cut short",
                         r->path);
    r->data = PREFIX + n;
    json_t *header = json_loadb((const char *)r->file.at + PREFIX, (size_t)n,
                                JSON_REJECT_DUPLICATES, &error);
    if (!header)
        return damaged(r, "", error.text);
    int status = read_header(r, header);
    json_decref(header);
    return status;
}

static int read_safetensors(const char *path, const nncc_bytes *b,
                            nncc_store **out)
{
    Reading r = {.path = path, .file = *b, .fd = -1};
    int status = nncc_store_new(&r.to);

    if (!status)
        status = read_file(&r);
    if (status)
        nncc_store_free(r.to);
    else
        *out = r.to;
    return status;
}

int nncc_store_read(const char *path, nncc_store **out)
{
    nncc_bytes b = {0};

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_read: null argument");
    int status = nncc_read_all(path, most_bytes, &b);
    if (status)
        return status;
    status = nncc_is_npz(b.at, b.n) ? nncc_npz_parse(path, &b, out)
                                    : read_safetensors(path, &b, out);
    free(b.at);
    return status;
}

/* The header of the open file into r->file; false where it cannot be one. */
static bool read_start(Reading *r, uint64_t size)
{
    unsigned char prefix[PREFIX];
    uint64_t n = 0;

    if (pread(r->fd, prefix, sizeof prefix, 0) != PREFIX)
        return false;
    for (int i = 0; i < PREFIX; i++)
        n |= (uint64_t)prefix[i] << 8 * i;
    if (n > MOST_HEADER || n > size - PREFIX)
        return false;
    r->file.at = nncc_alloc((size_t)n + PREFIX, 1, "a header");
    r->file.n = (size_t)size;
    return r->file.at && pread(r->fd, r->file.at, (size_t)n + PREFIX, 0) ==
                             (ssize_t)n + PREFIX;
}

/* Does the open file begin as no other format does? Its header is read then. */
static bool is_ours(Reading *r)
{
    struct stat st;
    unsigned char start[PREFIX + 1];

    return fstat(r->fd, &st) == 0 && nncc_is_large((uint64_t)st.st_size) &&
           pread(r->fd, start, sizeof start, 0) == PREFIX + 1 &&
           start[PREFIX] == '{' && read_start(r, (uint64_t)st.st_size);
}

/* What of the file is large stays in it, or in an unpacked one. */
static int open_file(const char *path, bool packed, nncc_store **out)
{
    Reading r = {.path = path, .fd = -1};
    int status = packed ? nncc_spill_unzipped(path, &r.fd) : NN_OK;

    if (status)
        return status;
    if (!packed)
        r.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r.fd < 0 || !is_ours(&r)) {
        free(r.file.at);
        if (r.fd >= 0)
            close(r.fd);
        return nncc_store_read(path, out);
    }
    status = nncc_store_new(&r.to);
    if (!status)
        status = read_file(&r);
    free(r.file.at);
    close(r.fd);
    if (status)
        nncc_store_free(r.to);
    else
        *out = r.to;
    return status;
}

int nncc_store_open(const char *path, nncc_store **out)
{
    unsigned char holds[PREFIX + 1];
    int m = nncc_read_start(path, holds, sizeof holds);
    bool packed;

    nncc_file_bytes(path, &packed);
    if (m > 0 && nncc_is_npz(holds, (size_t)m))
        return nncc_npz_open(path, packed, out);
    if (m <= PREFIX || holds[PREFIX] != '{')
        return nncc_store_read(path, out);
    return open_file(path, packed, out);
}
