/* input.c: the whole of a file, gzipped or not. */
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FIRST = 1 << 16, MOST = 1 << 30 };

/* Opens path for reading; what is no regular file is read as it comes. */
static int open_gz(const char *path, gzFile *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return nncc_fail(NN_ERR_FILE, "%s: is a directory", path);
    }
    *out = gzdopen(fd, "rb");
    if (*out)
        return NN_OK;
    close(fd);
    return nncc_fail_memory(0, "reading a file");
}

int nncc_gz_ended(gzFile gz, int got, const char *path)
{
    int code;
    const char *text = gzerror(gz, &code);

    if (got >= 0 && (code == Z_OK || code == Z_STREAM_END))
        return NN_OK;
    if (code == Z_ERRNO)
        return nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(errno));
    if (code == Z_BUF_ERROR)
        return nncc_fail(NN_ERR_FILE, "%s: the gzip file is cut short", path);
    return nncc_fail(NN_ERR_FILE, "%s: the gzip file is damaged: %s", path,
                     text);
}

static int make_room(nncc_bytes *b, size_t *cap, uint64_t most,
                     const char *path)
{
    if (b->n < *cap)
        return NN_OK;
    if (*cap > most)
        return nncc_fail(NN_ERR_DATA, "%s: is larger than %llu bytes", path,
                         (unsigned long long)most);
    size_t more = *cap ? 2 * *cap : FIRST;
    unsigned char *at = realloc(b->at, more);
    if (!at)
        return nncc_fail_memory(more, "a file");
    b->at = at;
    *cap = more;
    return NN_OK;
}

bool nncc_is_bomb(uint64_t unpacked, uint64_t packed)
{
    return unpacked > (uint64_t)1 << 30 && unpacked / 100 > packed;
}

int nncc_refuse_bomb(const char *path)
{
    return nncc_fail(NN_ERR_DATA,
                     "%s: unpacks to more than a hundred times its size: if "
                     "that is right, unpack it first",
                     path);
}

static int read_gz(gzFile gz, const char *path, uint64_t most, nncc_bytes *b)
{
    size_t cap = 0;
    int status, got = 1, plain = gzdirect(gz);

    while (got > 0) {
        status = make_room(b, &cap, most, path);
        if (status)
            return status;
        size_t room = cap - b->n < MOST ? cap - b->n : MOST;
        got = gzread(gz, b->at + b->n, (unsigned)room);
        b->n += got > 0 ? (size_t)got : 0;
        if (!plain && nncc_is_bomb(b->n, (uint64_t)gzoffset(gz)))
            return nncc_refuse_bomb(path);
    }
    status = nncc_gz_ended(gz, got, path);
    if (status)
        return status;
    if (b->n > most)
        return nncc_fail(NN_ERR_DATA, "%s: is larger than %llu bytes", path,
                         (unsigned long long)most);
    return NN_OK;
}

int nncc_read_all(const char *path, uint64_t most, nncc_bytes *out)
{
    nncc_bytes b = {0};
    gzFile gz;
    int status = open_gz(path, &gz);

    if (status)
        return status;
    status = read_gz(gz, path, most, &b);
    gzclose_r(gz);
    if (status)
        free(b.at);
    else
        *out = b;
    return status;
}

int nncc_read_start(const char *path, unsigned char *to, int n)
{
    struct stat st;
    gzFile gz;
    int got;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0; /* reading would take it away from who comes next */
    gz = gzopen(path, "rbe");
    got = gz ? gzread(gz, to, (unsigned)n) : 0;
    gzclose(gz);
    return got > 0 ? got : 0;
}

uint64_t nncc_file_bytes(const char *path, bool *packed)
{
    unsigned char start[2];
    struct stat st;

    *packed = false;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *packed = fd >= 0 && pread(fd, start, sizeof start, 0) == sizeof start &&
              start[0] == 0x1f && start[1] == 0x8b;
    if (fd >= 0)
        close(fd);
    return (uint64_t)st.st_size;
}

int nncc_read_at(const char *path, int fd, uint64_t at, void *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got =
            pread(fd, (char *)to + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return nncc_fail(NN_ERR_FILE, "%s: %s", path,
                             got < 0 ? strerror(errno) : "has become shorter");
        done += (size_t)got;
    }
    return NN_OK;
}
