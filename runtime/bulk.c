/* bulk.c: arrays that are too large for memory: their numbers are read from a
 * file as they are needed. Reading instead of mapping, so that what is used of
 * a file is not counted as memory, and a file that becomes shorter meanwhile is
 * an error, not a signal. */
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { START = 8192, NUMBERS = 1024 };
struct nncc_bulk {
    _Atomic int users;
    int fd;
    nncc_format format;
    int64_t n;   /* elements */
    uint64_t at; /* where they begin */
    char *path;  /* for messages */
};

void nncc_bulk_free(nncc_bulk *b)
{
    if (!b || --b->users > 0)
        return;
    if (b->fd >= 0)
        close(b->fd);
    free(b->path);
    free(b);
}

nncc_bulk *nncc_bulk_share(nncc_bulk *b)
{
    if (b)
        b->users++;
    return b;
}

int nncc_bulk_numbers(const nncc_bulk *b, int64_t at, int64_t n, double *to)
{
    unsigned char bytes[NUMBERS * 8];
    size_t size = (size_t)b->format.bytes;

    for (int64_t done = 0; done < n; done += NUMBERS) {
        int64_t m = n - done < NUMBERS ? n - done : NUMBERS;
        int status =
            nncc_read_at(b->path, b->fd, b->at + (uint64_t)(at + done) * size,
                         bytes, (size_t)m * size);
        if (status)
            return status;
        nncc_format_numbers(b->format, bytes, m, to + done);
    }
    return NN_OK;
}

/* Not yet open; NULL where there is no memory. */
static nncc_bulk *bulk_new(const char *path, nncc_format format, int64_t n,
                           uint64_t at)
{
    nncc_bulk *b = nncc_alloc(1, sizeof *b, "a data set");

    if (!b)
        return NULL;
    *b = (nncc_bulk){.users = 1, .fd = -1, .format = format, .n = n, .at = at};
    if (!(b->path = nncc_strdup(path))) {
        free(b);
        return NULL;
    }
    return b;
}

static int open_file(nncc_bulk *b)
{
    b->fd = open(b->path, O_RDONLY | O_CLOEXEC);
    return b->fd < 0
               ? nncc_fail(NN_ERR_FILE, "%s: %s", b->path, strerror(errno))
               : (int)NN_OK;
}

/* b->fd with all bytes of the file. */
static int open_bytes(gzFile gz, const nncc_bytes *start, nncc_bulk *b)
{
    struct stat st;
    uint64_t end = b->at + (uint64_t)b->n * (uint64_t)b->format.bytes;
    bool plain = gzdirect(gz);

    int status = plain ? open_file(b) : nncc_spill_file(b->path, &b->fd);
    if (!status && !plain)
        status = nncc_spill_bytes(b->path, b->fd, start->at, start->n);
    if (!status && !plain)
        status = nncc_spill_gz(gz, b->path, b->fd);
    if (!status && fstat(b->fd, &st) != 0)
        status = nncc_fail(NN_ERR_FILE, "%s: %s", b->path, strerror(errno));
    if (!status && (uint64_t)st.st_size < end)
        status = nncc_fail(NN_ERR_DATA,
                           "%s: is cut short: %llu bytes are less than its "
                           "header says",
                           b->path, (unsigned long long)st.st_size);
    return status;
}

/* b where it was opened, else it is freed. */
static int give(nncc_bulk *b, int status, nncc_bulk **out)
{
    if (status)
        nncc_bulk_free(b);
    else
        *out = b;
    return status;
}

int nncc_bulk_of(const char *path, int fd, nncc_format format, int64_t n,
                 uint64_t at, nncc_bulk **out)
{
    nncc_bulk *b = bulk_new(path, format, n, at);

    if (!b)
        return NN_ERR_MEMORY;
    b->fd = fd;
    *out = b;
    return NN_OK;
}

int nncc_bulk_part(const nncc_bulk *b, int64_t from, nncc_bulk **out)
{
    uint64_t at = b->at + (uint64_t)from * (uint64_t)b->format.bytes;
    int fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return nncc_fail(NN_ERR_FILE, "%s: %s", b->path, strerror(errno));
    int status = nncc_bulk_of(b->path, fd, b->format, b->n - from, at, out);
    if (status)
        close(fd);
    return status;
}

bool nncc_is_large(uint64_t bytes) { return bytes > NNCC_LARGE; }

/* Is it an array of rows that is large? Its shape then. */
static bool is_large_array(const char *path, const nncc_bytes *start,
                           nncc_layout *h, nncc_tensor *shape, int64_t *n)
{
    if (!nncc_is_array(start->at, start->n) ||
        nncc_layout_read(path, start, h) != NN_OK || h->columns || h->rank == 0)
        return false;
    *shape =
        (nncc_tensor){.dtype = nncc_format_dtype(h->format), .rank = h->rank};
    memcpy(shape->size, h->size, sizeof shape->size);
    return shape->dtype >= 0 && nncc_tensor_count(shape, n, NULL) == NN_OK &&
           nncc_is_large((uint64_t)*n * (uint64_t)h->format.bytes);
}

int nncc_bulk_open(const char *path, nncc_tensor **shape, nncc_bulk **out)
{
    struct stat st;
    unsigned char bytes[START];
    nncc_bytes start = {.at = bytes};
    nncc_layout h;
    nncc_tensor t;
    int64_t n = 0;
    int status = NN_OK;

    *out = NULL;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return NN_OK; /* who reads it as a whole tells */
    gzFile gz = gzopen(path, "rbe");
    int got = gz ? gzread(gz, bytes, sizeof bytes) : 0;
    start.n = got > 0 ? (size_t)got : 0;
    if (is_large_array(path, &start, &h, &t, &n)) {
        nncc_bulk *b = bulk_new(path, h.format, n, h.at);
        *shape = nncc_alloc(1, sizeof **shape, "an array");
        status = b && *shape ? open_bytes(gz, &start, b) : (int)NN_ERR_MEMORY;
        if (*shape)
            **shape = t;
        if (status)
            free(*shape);
        status = give(b, status, out);
    }
    gzclose(gz);
    return status;
}

/* Views */

/* Rounds of a Feistel network over 2 * half bits, by the mixing function of
 * splitmix64. */
static uint64_t scramble(const nncc_permutation *p, uint64_t i)
{
    uint64_t mask = (UINT64_C(1) << p->half) - 1;
    uint64_t left = i >> p->half, right = i & mask;

    for (int k = 0; k < NNCC_ROUNDS; k++) {
        uint64_t z = (right + p->key[k]) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        uint64_t next = left ^ ((z ^ (z >> 31)) & mask);
        left = right;
        right = next;
    }
    return left << p->half | right;
}

void nncc_permutation_new(nncc_permutation *p, uint64_t seed, int64_t n)
{
    nncc_rng r;

    *p = (nncc_permutation){.n = (uint64_t)n, .half = 1};
    while (p->half < 31 && (UINT64_C(1) << 2 * p->half) < p->n)
        p->half++;
    nncc_rng_seed(&r, seed);
    for (int k = 0; k < NNCC_ROUNDS; k++)
        p->key[k] = nncc_rng_next(&r);
}

int64_t nncc_permute(const nncc_permutation *p, int64_t i)
{
    uint64_t v = (uint64_t)i;

    do /* a permutation of more; what lies beyond goes on (cycle walking) */
        v = scramble(p, v);
    while (v >= p->n);
    return (int64_t)v;
}

int64_t nncc_view_row(const nncc_view *v, int64_t i)
{
    for (; v; v = v->under) {
        i += v->from;
        if (v->shuffled)
            i = nncc_permute(&v->order, i);
        if (v->row)
            i = v->row[i];
    }
    return i;
}

int nncc_view_begin(const nncc_data *d, nncc_view *v)
{
    *v = (nncc_view){.nrow = d->n};
    if (nncc_data_has_files(d))
        return NN_OK;
    v->row = nncc_alloc((size_t)d->n, sizeof *v->row, "a permutation");
    return v->row ? NN_OK : (int)NN_ERR_MEMORY;
}

void nncc_view_shuffle(nncc_view *v, uint64_t seed)
{
    nncc_rng rng;

    v->shuffled = !v->row;
    if (v->shuffled) {
        nncc_permutation_new(&v->order, seed, v->nrow);
        return;
    }
    for (int64_t i = 0; i < v->nrow; i++)
        v->row[i] = i;
    nncc_rng_seed(&rng, seed);
    nncc_rng_shuffle(&rng, v->row, v->nrow);
}

void nncc_view_free(nncc_view *v)
{
    if (!v)
        return;
    nncc_view_free(v->under);
    free(v->row);
    free(v);
}

int nncc_view_copy(const nncc_view *v, nncc_view **out)
{
    *out = NULL;
    if (!v)
        return NN_OK;
    nncc_view *to = nncc_alloc(1, sizeof *to, "a view of rows");
    if (!to)
        return NN_ERR_MEMORY;
    *to = *v;
    to->row = NULL;
    to->under = NULL;
    int status = nncc_view_copy(v->under, &to->under);
    if (!status && v->row) {
        to->row = nncc_alloc((size_t)v->nrow, sizeof *to->row, "rows");
        if (to->row)
            memcpy(to->row, v->row, (size_t)v->nrow * sizeof *to->row);
        else
            status = NN_ERR_MEMORY;
    }
    if (status)
        nncc_view_free(to);
    else
        *out = to;
    return status;
}
