/* output.c: files that are there whole or not at all. */
#include "nn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of path; to be freed. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    nncc_text t = {0};

    if (!slash)
        return nncc_strdup(".");
    nncc_text_printf(&t, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return t.failed ? NULL : t.at;
}

/* That a name is there survives a power cut, too. */
static void sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

static bool write_all(int fd, const char *at, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* The parts into a file beside path; an errno, 0 for none. */
static int write_beside(const char *beside, const nncc_part *part, int64_t n)
{
    int error = 0;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return errno;
    for (int64_t i = 0; i < n && !error; i++)
        if (!write_all(fd, part[i].at, part[i].n))
            error = errno;
    if (!error && fsync(fd) != 0)
        error = errno;
    if (close(fd) != 0 && !error)
        error = errno;
    return error;
}

int nncc_write_parts(const char *path, const nncc_part *part, int64_t n)
{
    nncc_text beside = {0};
    struct stat st;

    nncc_text_printf(&beside, "%s.part", path);
    if (beside.failed)
        return NN_ERR_MEMORY;
    int error = write_beside(beside.at, part, n);
    if (!error && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        chmod(beside.at, st.st_mode & 07777) != 0)
        error = errno;
    if (!error && rename(beside.at, path) != 0)
        error = errno;
    if (error)
        unlink(beside.at);
    else
        sync_folder(path);
    free(beside.at);
    return error ? nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(error))
                 : NN_OK;
}
