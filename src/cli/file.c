/* file.c: files read whole and written whole or not at all. */

#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *file_error(Arena *a, int error)
{
    char *text;

    if (error == ENOSPC)
        return "the disk is full (no space left on device)";
    if (error == EISDIR)
        return "this is a directory";
    text = arena_printf(a, "%s", strerror(error));
    *text = (char)tolower((unsigned char)*text);
    return text;
}

/* Up to limit + 1 bytes of f, so that more than the limit shows. */
static char *read_stream(Arena *a, FILE *f, size_t limit, size_t *n)
{
    Str s = str_new(a);
    char block[65536];
    size_t got;

    while (s.n <= limit && (got = fread(block, 1, sizeof block, f)) > 0)
        str_add(&s, block, got);
    *n = s.n;
    return s.n ? s.at : arena_printf(a, "%s", "");
}

char *file_read(Arena *a, const char *path, size_t limit, size_t *n)
{
    bool in = !strcmp(path, "-");
    FILE *f = in ? stdin : fopen(path, "rb");
    const char *name = in ? "standard input" : path;
    struct stat st;

    if (!f) {
        cli_fail("%s: %s", name, file_error(a, errno));
        return NULL;
    }
    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        cli_fail("%s: %s", name, file_error(a, EISDIR));
        fclose(f);
        return NULL;
    }
    errno = 0;
    char *text = read_stream(a, f, limit, n);
    int error = ferror(f) ? errno : 0;
    if (!in)
        fclose(f);
    if (error) {
        cli_fail("%s: %s", name, file_error(a, error));
        return NULL;
    }
    if (*n > limit) {
        cli_fail("%s: larger than %zu MB", name, limit >> 20);
        return NULL;
    }
    return text;
}

bool file_begin(Arena *a, const char *path, NewFile *f)
{
    char *temporary = arena_printf(a, "%s.XXXXXX", path);
    int fd = mkstemp(temporary);
    mode_t mask = umask(0);

    umask(mask);
    *f = (NewFile){path, temporary, NULL, 0};
    if (fd < 0) {
        cli_fail("cannot write %s: %s", path, file_error(a, errno));
        return false;
    }
    if (fchmod(fd, 0666 & ~mask) == 0)
        f->to = fdopen(fd, "wb");
    if (!f->to) {
        cli_fail("cannot write %s: %s", path, file_error(a, errno));
        close(fd);
        unlink(temporary);
        return false;
    }
    return true;
}

void file_put(NewFile *f, const char *bytes, size_t n)
{
    errno = 0;
    if (fwrite(bytes, 1, n, f->to) != n)
        f->error = errno ? errno : EIO;
}

bool file_keep(Arena *a, NewFile *f)
{
    int error = f->error;

    errno = 0;
    if ((fflush(f->to) != 0 || ferror(f->to)) && !error)
        error = errno ? errno : EIO;
    errno = 0;
    if (fclose(f->to) != 0 && !error)
        error = errno;
    f->to = NULL;
    if (!error && rename(f->temporary, f->path) != 0)
        error = errno;
    if (error) {
        unlink(f->temporary);
        cli_fail("cannot write %s: %s", f->path, file_error(a, error));
        return false;
    }
    return true;
}

void file_drop(NewFile *f)
{
    if (!f->to)
        return;
    fclose(f->to);
    unlink(f->temporary);
    f->to = NULL;
}

bool file_write(Arena *a, const char *path, const char *bytes, size_t n)
{
    NewFile f;

    if (!file_begin(a, path, &f))
        return false;
    file_put(&f, bytes, n);
    return file_keep(a, &f);
}

bool cli_flush(Arena *a)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    cli_fail("cannot write to standard output: %s",
             file_error(a, errno ? errno : EIO));
    return false;
}

bool cli_colour(FILE *to)
{
    const char *none = getenv("NO_COLOR");

    return isatty(fileno(to)) && !(none && *none);
}
