/* npz.c: many arrays in a zip file, as NumPy's savez writes them: members
 * NAME.npy; a text is the array KEY.npy of bytes. libzip does the unpacking. */
#include "libzip.h"
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MEMBER ((uint64_t)8 << 30) /* in memory */
enum { START = 8192, CHUNK = 1 << 16 };

bool nncc_is_npz(const unsigned char *start, size_t n)
{
    return n >= 4 &&
           (!memcmp(start, "PK\3\4", 4) || !memcmp(start, "PK\5\6", 4));
}

/* What libzip says of an error, which ends here. */
static int zip_failed(const nncc_libzip *z, const char *path,
                      zip_error_t *error)
{
    int status = nncc_fail(NN_ERR_DATA, "%s: damaged .npz file: %s", path,
                           z->error_strerror(error));

    z->error_fini(error);
    return status;
}

/* Reading */

typedef struct Archive {
    const char *path;
    const nncc_libzip *lib;
    zip_t *zip;
    uint64_t packed; /* bytes of members so far */
    uint64_t file;   /* bytes of all of it */
    bool spills;     /* large members go to files of their own */
    nncc_store *to;
} Archive;

static int damaged(const Archive *a, const char *name, const char *what)
{
    return nncc_fail(NN_ERR_DATA, "%s: '%s' %s", a->path, name, what);
}

/* Members that lie over each other are no archive of NumPy's. */
static int check_member(Archive *a, const zip_stat_t *st)
{
    a->packed += st->comp_size;
    if (a->packed > a->file || st->comp_size > a->file)
        return damaged(a, st->name, "overlaps others in the archive");
    if ((st->size > MAX_MEMBER && !a->spills) ||
        nncc_is_bomb(st->size, st->comp_size))
        return damaged(a, st->name, "would unpack to more than is plausible");
    if (st->encryption_method != ZIP_EM_NONE)
        return damaged(a, st->name, "is encrypted");
    return NN_OK;
}

/* All of a member, whose size is only what the archive says, to `to`, which has
 * room for a byte more. */
static int unpack(const Archive *a, zip_uint64_t i, const zip_stat_t *st,
                  unsigned char *to)
{
    zip_file_t *f = a->lib->fopen_index(a->zip, i, 0);
    zip_int64_t got = 1;
    uint64_t n = 0;

    if (!f)
        return damaged(a, st->name, a->lib->strerror(a->zip));
    while (got > 0 && n <= st->size) {
        got = a->lib->fread(f, to + n, st->size + 1 - n);
        n += got > 0 ? (uint64_t)got : 0;
    }
    a->lib->fclose(f);
    return got < 0 || n != st->size
               ? damaged(a, st->name, "is damaged in the archive")
               : NN_OK;
}

/* The same to a file. */
static int unpack_file(const Archive *a, zip_uint64_t i, const zip_stat_t *st,
                       int fd)
{
    zip_file_t *f = a->lib->fopen_index(a->zip, i, 0);
    char *chunk = nncc_alloc(CHUNK, 1, "reading a file");
    int status = chunk ? NN_OK : (int)NN_ERR_MEMORY;
    zip_int64_t got = 1;
    uint64_t n = 0;

    if (!f)
        status = damaged(a, st->name, a->lib->strerror(a->zip));
    while (!status && got > 0 && n <= st->size) {
        got = a->lib->fread(f, chunk, CHUNK);
        n += got > 0 ? (uint64_t)got : 0;
        if (got > 0)
            status = nncc_spill_bytes(a->path, fd, chunk, (size_t)got);
    }
    if (f)
        a->lib->fclose(f);
    free(chunk);
    if (!status && (got < 0 || n != st->size))
        status = damaged(a, st->name, "is damaged in the archive");
    return status;
}

/* The name without its ending; false where it has another. */
static bool stem(const char *name, const char *ending, nncc_text *to)
{
    size_t n = strlen(name), m = strlen(ending);

    if (n <= m || strcmp(name + n - m, ending) != 0)
        return false;
    nncc_text_printf(to, "%.*s", (int)(n - m), name);
    return !to->failed;
}

static int take_array(Archive *a, const char *name, const char *full,
                      const nncc_bytes *b)
{
    nncc_text place = {0};
    nncc_tensor *t = NULL;
    nncc_layout h;

    nncc_text_printf(&place, "%s: '%s'", a->path, full);
    int status =
        place.failed ? (int)NN_ERR_MEMORY : nncc_layout_read(place.at, b, &h);
    if (!status)
        status = nncc_layout_take(place.at, b, &h, &t);
    if (!status)
        status = nncc_store_put(a->to, name, t);
    nncc_tensor_free(t);
    free(place.at);
    return status;
}

/* Texts are arrays as well, of one string of bytes, so that who reads all of
 * the file finds nothing but arrays. Where in b the text begins, or 0: it is
 * none.
 */
static size_t text_at(const nncc_bytes *b)
{
    static const char head[] = "{'descr': '|S";

    if (!nncc_is_array(b->at, b->n) || b->n < 10 + sizeof head)
        return 0;
    size_t at = 10 + b->at[8] + 256 * (size_t)b->at[9];
    return at <= b->n && memcmp(b->at + 10, head, sizeof head - 1) == 0 ? at
                                                                        : 0;
}

static int take_text(Archive *a, const char *name, const char *full,
                     const nncc_bytes *b, size_t from)
{
    size_t n = b->n;

    while (n > from && b->at[n - 1] == 0)
        n--;
    return memchr(b->at + from, 0, n - from)
               ? damaged(a, full, "is no text")
               : nncc_store_set_text(a->to, name, (const char *)b->at + from);
}

/* Files that have text as a member of its own are read, too. */
static int take_member(Archive *a, const char *full, const nncc_bytes *b)
{
    nncc_text name = {0};
    int status;

    if (stem(full, ".npy", &name) && text_at(b))
        status = take_text(a, name.at, full, b, text_at(b));
    else if (name.at)
        status = take_array(a, name.at, full, b);
    else if (!stem(full, ".txt", &name))
        status = damaged(a, full, "is no array: expected NAME.npy");
    else
        status = take_text(a, name.at, full, b, 0);
    free(name.at);
    return status;
}

/* Is a member of so many bytes, which begins like this, an array that can stay
 * in its file? Its shape then. */
static bool is_large(const char *path, const nncc_bytes *start, uint64_t size,
                     nncc_layout *h, nncc_tensor *t, int64_t *n)
{
    if (!nncc_is_array(start->at, start->n) ||
        nncc_layout_read(path, start, h) != NN_OK || h->columns)
        return false;
    *t = (nncc_tensor){.dtype = nncc_format_dtype(h->format), .rank = h->rank};
    memcpy(t->size, h->size, sizeof t->size);
    if (t->dtype < 0 || nncc_tensor_count(t, n, NULL) != NN_OK)
        return false;
    uint64_t bytes = (uint64_t)*n * (uint64_t)h->format.bytes;
    return nncc_is_large(bytes) && bytes <= size - h->at;
}

/* A member that is in the open file as a whole. */
static int take_whole(Archive *a, const zip_stat_t *st, int fd)
{
    nncc_bytes b = {NULL, (size_t)st->size};

    if (st->size > MAX_MEMBER)
        return damaged(a, st->name, "is too large for memory");
    if (!(b.at = nncc_alloc(b.n + 2, 1, st->name)))
        return NN_ERR_MEMORY;
    int status = nncc_read_at(a->path, fd, 0, b.at, b.n);
    if (!status)
        status = take_member(a, st->name, &b);
    free(b.at);
    return status;
}

/* A member that is in the open file, which becomes its array's. */
static int take_file(Archive *a, const zip_stat_t *st, int *fd)
{
    unsigned char bytes[START];
    nncc_bytes start = {bytes,
                        st->size < START ? (size_t)st->size : (size_t)START};
    nncc_text name = {0};
    nncc_layout h;
    nncc_tensor t;
    nncc_bulk *bulk;
    int64_t n = 0;
    int status = nncc_read_at(a->path, *fd, 0, bytes, start.n);

    if (status)
        return status;
    if (!is_large(a->path, &start, st->size, &h, &t, &n) ||
        !stem(st->name, ".npy", &name)) {
        free(name.at);
        return take_whole(a, st, *fd);
    }
    status = nncc_bulk_of(a->path, *fd, h.format, n, h.at, &bulk);
    if (!status) {
        *fd = -1;
        status = nncc_store_add_bulk(a->to, name.at, &t, bulk);
    }
    free(name.at);
    return status;
}

/* By way of a file without a name. */
static int take_large(Archive *a, zip_uint64_t i, const zip_stat_t *st)
{
    int fd = -1, status = nncc_spill_file(a->path, &fd);

    if (!status)
        status = unpack_file(a, i, st, fd);
    if (!status)
        status = take_file(a, st, &fd);
    if (fd >= 0)
        close(fd);
    return status;
}

static int take_small(Archive *a, zip_uint64_t i, const zip_stat_t *st)
{
    nncc_bytes b = {nncc_alloc((size_t)st->size + 2, 1, st->name),
                    (size_t)st->size};
    int status = b.at ? unpack(a, i, st, b.at) : (int)NN_ERR_MEMORY;

    if (!status)
        status = take_member(a, st->name, &b);
    free(b.at);
    return status;
}

static int read_member(Archive *a, zip_uint64_t i)
{
    zip_stat_t st;

    if (a->lib->stat_index(a->zip, i, 0, &st) != 0)
        return damaged(a, "a member", a->lib->strerror(a->zip));
    if (!(st.valid & ZIP_STAT_NAME) || !(st.valid & ZIP_STAT_SIZE) ||
        !(st.valid & ZIP_STAT_COMP_SIZE))
        return damaged(a, "a member", "has no name or size");
    int status = check_member(a, &st);
    if (status)
        return status;
    return a->spills && nncc_is_large(st.size) ? take_large(a, i, &st)
                                               : take_small(a, i, &st);
}

static int read_members(Archive *a)
{
    zip_int64_t n = a->lib->get_num_entries(a->zip, 0);
    int status = nncc_store_new(&a->to);

    for (zip_int64_t i = 0; i < n && !status; i++)
        status = read_member(a, (zip_uint64_t)i);
    return status;
}

/* Where the archive is: in memory, or in an open file of `file.n` bytes. */
typedef struct Place {
    const char *path;
    nncc_bytes file;
    FILE *open; /* or NULL */
} Place;

/* The source has the file from now on. */
static zip_source_t *source_of(const nncc_libzip *z, const Place *p,
                               zip_error_t *error)
{
    if (!p->open)
        return z->source_buffer_create(p->file.at, p->file.n, 0, error);
    zip_source_t *s = z->source_filep_create(p->open, 0, -1, error);
    if (!s)
        fclose(p->open);
    return s;
}

static int parse(const nncc_libzip *z, const Place *p, nncc_store **out)
{
    Archive a = {.path = p->path,
                 .lib = z,
                 .file = p->file.n,
                 .spills = p->open != NULL};
    zip_error_t error;

    z->error_init(&error);
    zip_source_t *from = source_of(z, p, &error);
    a.zip = from ? z->open_from_source(from, ZIP_RDONLY, &error) : NULL;
    if (!a.zip) {
        z->source_free(from);
        return zip_failed(z, p->path, &error);
    }
    int status = read_members(&a);
    z->discard(a.zip);
    z->error_fini(&error);
    if (status)
        nncc_store_free(a.to);
    else
        *out = a.to;
    return status;
}

static int open_archive(const Place *p, nncc_store **out)
{
    nncc_libzip z;
    int status = nncc_libzip_open(&z, p->path);

    if (!status) {
        status = parse(&z, p, out);
        nncc_libzip_close(&z);
    } else if (p->open) {
        fclose(p->open);
    }
    return status;
}

int nncc_npz_parse(const char *path, const nncc_bytes *b, nncc_store **out)
{
    const Place p = {.path = path, .file = *b};

    return open_archive(&p, out);
}

int nncc_npz_open(const char *path, bool packed, nncc_store **out)
{
    Place p = {.path = path};
    struct stat st;
    int fd = -1, status = NN_OK;

    if (packed)
        status = nncc_spill_unzipped(path, &fd);
    else
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (status)
        return status;
    if (fd >= 0 && fstat(fd, &st) == 0)
        p.open = fdopen(fd, "rb");
    if (!p.open) {
        status = nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return status;
    }
    p.file.n = (size_t)st.st_size;
    return open_archive(&p, out);
}

/* Writing */

/* A member; the bytes become the archive's. */
static bool add_member(const nncc_libzip *z, zip_t *zip, const char *name,
                       const char *ending, void *bytes, size_t n)
{
    nncc_text full = {0};
    zip_source_t *from = z->source_buffer(zip, bytes, n, 1);
    zip_int64_t i = -1;

    nncc_text_printf(&full, "%s%s", name, ending);
    if (from && !full.failed)
        i = z->file_add(zip, full.at, from, ZIP_FL_ENC_UTF_8);
    if (i < 0 && from)
        z->source_free(from);
    else if (i < 0)
        free(bytes);
    /* As savez does, so that others can map it; and the same bytes always. */
    if (i >= 0) {
        z->set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE, 0);
        z->file_set_dostime(zip, (zip_uint64_t)i, 0, 0x21, 0);
    }
    free(full.at);
    return i >= 0;
}

/* The text as an array without axes of as many bytes. */
static int text_bytes(const char *text, void **bytes, size_t *n)
{
    enum { START_BYTES = 10, UNIT = 64 };
    size_t length = strlen(text) + !*text, head;
    nncc_text t = {0};

    nncc_text_printf(
        &t, "{'descr': '|S%zu', 'fortran_order': False, 'shape': (), }",
        length);
    head = (START_BYTES + t.n + 1 + UNIT - 1) / UNIT * UNIT;
    unsigned char *to =
        t.failed ? NULL : nncc_alloc(head + length + 1, 1, "a text");
    if (to) {
        memcpy(to, "\x93NUMPY\x01", 8);
        to[8] = (unsigned char)((head - START_BYTES) % 256);
        to[9] = (unsigned char)((head - START_BYTES) / 256);
        memset(to + START_BYTES, ' ', head - START_BYTES);
        memcpy(to + START_BYTES, t.at, t.n);
        to[head - 1] = '\n';
        memcpy(to + head, text, strlen(text));
        *n = head + length;
    }
    free(t.at);
    *bytes = to;
    return to ? NN_OK : (int)NN_ERR_MEMORY;
}

static int add_all(const nncc_libzip *z, zip_t *zip, const nncc_store *s)
{
    const char *key, *value;
    void *bytes;
    size_t n;
    bool good = true;

    for (int64_t i = 0; i < nncc_store_count(s) && good; i++) {
        int status = nncc_array_bytes(nncc_store_tensor(s, i), &bytes, &n);
        if (status)
            return status;
        good = add_member(z, zip, nncc_store_name(s, i), ".npy", bytes, n);
    }
    for (int64_t i = 0; (key = nncc_store_text_at(s, i, &value)) && good; i++) {
        int status = text_bytes(value, &bytes, &n);
        if (status)
            return status;
        good = add_member(z, zip, key, ".npy", bytes, n);
    }
    return good ? NN_OK
                : nncc_fail(NN_ERR_ARGUMENT, "a .npz file: %s",
                            z->strerror(zip));
}

static int read_back(const nncc_libzip *z, zip_source_t *from, void **bytes,
                     size_t *n)
{
    zip_stat_t st;

    if (z->source_stat(from, &st) != 0 || z->source_open(from) != 0)
        return nncc_fail(NN_ERR_MEMORY, "a .npz file cannot be made");
    char *to = nncc_alloc((size_t)st.size, 1, "a .npz file");
    bool good = to && z->source_read(from, to, st.size) == (zip_int64_t)st.size;
    z->source_close(from);
    if (!good) {
        free(to);
        return nncc_fail(NN_ERR_MEMORY, "a .npz file cannot be made");
    }
    *bytes = to;
    *n = (size_t)st.size;
    return NN_OK;
}

static int write_all(const nncc_libzip *z, const nncc_store *s, void **bytes,
                     size_t *n)
{
    zip_error_t error;

    z->error_init(&error);
    zip_source_t *to = z->source_buffer_create(NULL, 0, 0, &error);
    zip_t *zip = to ? z->open_from_source(to, ZIP_TRUNCATE, &error) : NULL;
    if (!zip) {
        z->source_free(to);
        return zip_failed(z, "a new file", &error);
    }
    z->error_fini(&error);
    z->source_keep(to);
    int status = add_all(z, zip, s);
    if (status) {
        z->discard(zip);
    } else if (z->close(zip) != 0) {
        status = nncc_fail(NN_ERR_MEMORY, "a .npz file: %s", z->strerror(zip));
        z->discard(zip);
    }
    if (!status)
        status = read_back(z, to, bytes, n);
    z->source_free(to);
    return status;
}

int nncc_store_npz(const nncc_store *s, void **bytes, size_t *n)
{
    nncc_libzip z;

    if (!s || !bytes || !n)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_store_npz: null argument");
    int status = nncc_libzip_open(&z, "a new file");
    if (!status) {
        status = write_all(&z, s, bytes, n);
        nncc_libzip_close(&z);
    }
    return status;
}
