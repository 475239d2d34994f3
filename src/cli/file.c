/* file.c: files read whole and written whole or not at all. */

#define _XOPEN_SOURCE 700 /* realpath */

#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/* What a signal that ends the program takes away: unfinished files, and folders
 * for them, in the order in which they were made. A handler can reach nothing
 * but a global; it is changed with those signals blocked only. */
enum { MOST_UNFINISHED = 64 };
static char *volatile unfinished[MOST_UNFINISHED];

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
enum { NENDING = sizeof ending / sizeof *ending };

static void on_signal(int number)
{
    for (int i = MOST_UNFINISHED - 1; i >= 0; i--)
        if (unfinished[i] && unlink(unfinished[i]) != 0)
            rmdir(unfinished[i]);
    signal(number, SIG_DFL);
    raise(number);
}

/* What is ignored stays so: under nohup, say. */
static void catch_signals(void)
{
    struct sigaction old, own = {.sa_handler = on_signal};

    sigemptyset(&own.sa_mask);
    for (int i = 0; i < NENDING; i++)
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(ending[i], &own, NULL);
}

static void block_signals(sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    for (int i = 0; i < NENDING; i++)
        sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

static void set_unfinished(const char *was, char *is)
{
    for (int i = 0; i < MOST_UNFINISHED; i++)
        if (was ? unfinished[i] && !strcmp(unfinished[i], was)
                : !unfinished[i]) {
            free(unfinished[i]);
            unfinished[i] = is;
            return;
        }
}

/* Makes what `make` makes of the template. */
static int make_unfinished(int (*make)(char *template), char *template)
{
    sigset_t before;

    catch_signals();
    block_signals(&before);
    int got = make(template);
    if (got >= 0)
        set_unfinished(NULL, strdup(template));
    sigprocmask(SIG_SETMASK, &before, NULL);
    return got;
}

/* Takes it away, or what is left of it under that name. */
static void finish(const char *path, int (*take_away)(const char *path))
{
    sigset_t before;

    block_signals(&before);
    if (take_away)
        take_away(path);
    set_unfinished(path, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Where temporary files go that are not beside what they become. */
static const char *spare_folder(void)
{
    const char *in = getenv("TMPDIR");

    return in && *in ? in : "/tmp";
}

static int make_folder(char *template) { return mkdtemp(template) ? 0 : -1; }

const char *folder_begin(Arena *a, const char *for_what)
{
    char *name = arena_printf(a, "%s/nncc.XXXXXX", spare_folder());

    if (make_unfinished(make_folder, name) == 0)
        return name;
    cli_fail("cannot write %s: no folder %s: %s", for_what, name,
             file_error(a, errno));
    return NULL;
}

void folder_end(const char *folder) { finish(folder, rmdir); }

static const char *printed_name(const char *path)
{
    return !strcmp(path, "-") ? "standard output" : path;
}

static bool cannot_write(Arena *a, const NewFile *f, int error)
{
    cli_fail("cannot write %s: %s", printed_name(f->path),
             file_error(a, error));
    return false;
}

/* Where path's bytes go at last: f->at, which is replaced as a whole, or
 * f->through, which is written to as it is. A link stays one. 0 or why not. */
static int find_place(Arena *a, NewFile *f)
{
    struct stat st;
    mode_t mask = umask(0);

    umask(mask);
    f->mode &= ~mask;
    if (!strcmp(f->path, "-")) {
        f->through = dup(STDOUT_FILENO);
        return f->through < 0 ? errno : 0;
    }
    if (stat(f->path, &st) == 0 && S_ISREG(st.st_mode)) {
        char *real = realpath(f->path, NULL);
        f->at = arena_printf(a, "%s", real ? real : f->path);
        f->mode = st.st_mode & 07777;
        free(real);
        return access(f->at, W_OK) == 0 ? 0 : errno;
    }
    if (lstat(f->path, &st) != 0) {
        f->at = f->path;
        return 0;
    }
    /* A device, a FIFO, a folder, a link to nothing. */
    f->through = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, f->mode);
    return f->through < 0 ? errno : 0;
}

static char *temporary_for(Arena *a, const char *at)
{
    return at ? arena_printf(a, "%s.XXXXXX", at)
              : arena_printf(a, "%s/nncc.XXXXXX", spare_folder());
}

bool file_begin(Arena *a, const char *path, unsigned mode, NewFile *f)
{
    *f = (NewFile){.path = path, .through = -1, .mode = mode};
    int error = find_place(a, f);
    if (error)
        return cannot_write(a, f, error);
    char *temporary = temporary_for(a, f->at);
    int fd = make_unfinished(mkstemp, temporary);
    if (fd >= 0) {
        f->temporary = temporary;
        f->to = fdopen(fd, "wb");
    }
    if (f->to)
        return true;
    cannot_write(a, f, errno);
    if (fd >= 0)
        close(fd);
    file_drop(f);
    return false;
}

void file_put(NewFile *f, const char *bytes, size_t n)
{
    errno = 0;
    if (fwrite(bytes, 1, n, f->to) != n)
        f->error = errno ? errno : EIO;
}

/* Of the temporary file, to what is written through. 0 or why not. */
static int copy_through(const NewFile *f)
{
    FILE *from = fopen(f->temporary, "rb");
    char block[65536];
    size_t n;
    int error = from ? 0 : errno;

    while (from && !error && (n = fread(block, 1, sizeof block, from)) > 0)
        for (size_t done = 0; done < n && !error;) {
            ssize_t k = write(f->through, block + done, n - done);
            if (k >= 0)
                done += (size_t)k;
            else if (errno != EINTR)
                error = errno;
        }
    if (from && ferror(from) && !error)
        error = EIO;
    if (from)
        fclose(from);
    return error;
}

static int put_in_place(NewFile *f)
{
    if (f->through >= 0)
        return copy_through(f);
    if (chmod(f->temporary, f->mode) != 0 || rename(f->temporary, f->at) != 0)
        return errno;
    finish(f->temporary, NULL);
    f->temporary = NULL;
    return 0;
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
    if (!error)
        error = put_in_place(f);
    file_drop(f);
    return !error || cannot_write(a, f, error);
}

void file_drop(NewFile *f)
{
    if (f->to)
        fclose(f->to);
    if (f->through >= 0)
        close(f->through);
    if (f->temporary)
        finish(f->temporary, unlink);
    f->to = NULL;
    f->temporary = NULL;
    f->through = -1;
}

bool file_ends(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);

    return n >= m && !strcmp(path + n - m, end);
}

bool file_write(Arena *a, const char *path, const char *bytes, size_t n)
{
    NewFile f;

    if (!file_begin(a, path, 0666, &f))
        return false;
    file_put(&f, bytes, n);
    return file_keep(a, &f);
}

int cli_output(const Args *a, const Str *text)
{
    const char *path = option_value(a, "output");

    if (path)
        return file_write(a->arena, path, text->at, text->n) ? EXIT_SUCCESS
                                                             : EXIT_FAILURE;
    fwrite(text->at, 1, text->n, stdout);
    return EXIT_SUCCESS;
}

bool stream_close(FILE **f)
{
    if (!*f)
        return true;
    bool good = !ferror(*f);
    good = fclose(*f) == 0 && good;
    *f = NULL;
    return good;
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
