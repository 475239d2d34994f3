/* spill.c: what is too much for memory goes to a file without a name, one
 * number or byte after another. */
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { BUFFER = 1 << 13 /* numbers */, CHUNK = 1 << 16 };

const char *nncc_spill_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder && *folder ? folder : "/tmp";
}

int nncc_spill_file(const char *path, int *fd)
{
    nncc_text name = {0};

    nncc_text_printf(&name, "%s/nncc-XXXXXX", nncc_spill_folder());
    if (name.failed)
        return NN_ERR_MEMORY;
    *fd = mkstemp(name.at);
    if (*fd >= 0)
        unlink(name.at);
    free(name.at);
    return *fd >= 0 ? NN_OK
                    : nncc_fail(NN_ERR_FILE,
                                "%s: is too large for memory, and no file can "
                                "be made in %s: %s",
                                path, nncc_spill_folder(), strerror(errno));
}

static int no_room(const char *path, int error)
{
    return nncc_fail(NN_ERR_FILE,
                     "%s: is too large for memory, and there is no room for it "
                     "in %s: %s",
                     path, nncc_spill_folder(), strerror(error));
}

int nncc_spill_bytes(const char *path, int fd, const void *from, size_t n)
{
    const char *at = from;

    while (n > 0) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return no_room(path, put < 0 ? errno : EIO);
        at += put;
        n -= (size_t)put;
    }
    return NN_OK;
}

int nncc_spill_gz(gzFile gz, const char *path, int fd)
{
    unsigned char *chunk = nncc_alloc(CHUNK, 1, "reading a file");
    uint64_t n = 0;
    int got = 1, status = chunk ? NN_OK : NN_ERR_MEMORY;

    while (!status && (got = gzread(gz, chunk, CHUNK)) > 0) {
        n += (uint64_t)got;
        status = nncc_is_bomb(n, (uint64_t)gzoffset(gz))
                     ? nncc_refuse_bomb(path)
                     : nncc_spill_bytes(path, fd, chunk, (size_t)got);
    }
    free(chunk);
    return status ? status : nncc_gz_ended(gz, got, path);
}

int nncc_spill_unzipped(const char *path, int *fd)
{
    gzFile gz = gzopen(path, "rbe");
    int status = gz ? nncc_spill_file(path, fd)
                    : nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(errno));

    if (!status)
        status = nncc_spill_gz(gz, path, *fd);
    if (status && *fd >= 0)
        close(*fd);
    if (status)
        *fd = -1;
    gzclose(gz);
    return status;
}

int nncc_spill_open(const char *path, nncc_spill *s)
{
    *s = (nncc_spill){.path = path, .fd = -1};
    s->buffer = nncc_alloc(BUFFER, sizeof *s->buffer, "a data set");
    return s->buffer ? nncc_spill_file(path, &s->fd) : (int)NN_ERR_MEMORY;
}

static int flush(nncc_spill *s)
{
    int status = nncc_spill_bytes(s->path, s->fd, s->buffer,
                                  s->held * sizeof *s->buffer);

    s->held = 0;
    return status;
}

int nncc_spill_put(nncc_spill *s, const double *v, size_t n)
{
    int status = NN_OK;

    s->n += (int64_t)n;
    while (n > 0 && !status) {
        size_t m = BUFFER - s->held < n ? BUFFER - s->held : n;
        memcpy(s->buffer + s->held, v, m * sizeof *v);
        s->held += m;
        v += m;
        n -= m;
        if (s->held == BUFFER)
            status = flush(s);
    }
    return status;
}

int nncc_spill_get(nncc_spill *s, int64_t at, int64_t n, double *to)
{
    int status = flush(s);

    return status ? status
                  : nncc_read_at(s->path, s->fd, (uint64_t)at * sizeof *to, to,
                                 (size_t)n * sizeof *to);
}

int nncc_spill_bulk(nncc_spill *s, nncc_bulk **out)
{
    static const uint16_t one = 1;
    nncc_format format = {'f', sizeof *s->buffer, !*(const char *)&one};
    int status = flush(s);

    if (!status)
        status = nncc_bulk_of(s->path, s->fd, format, s->n, 0, out);
    if (!status)
        s->fd = -1; /* it is the array's now */
    return status;
}

void nncc_spill_close(nncc_spill *s)
{
    if (!s->buffer)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->buffer);
    *s = (nncc_spill){.fd = -1};
}
