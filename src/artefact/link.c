/* link.c: a shared library from an object, with whatever linker there is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "artefact/interface.h"
#include "nn_trailer.h"

extern char **environ;

/* What link_objects' error points at, until the next call. */
static _Thread_local char message[4096];

static bool fail(const char **error, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static bool fail(const char **error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    *error = message;
    return false;
}

/* One link: the temporary files in the target's folder, where the result can be
 * renamed. */
typedef struct Link {
    Arena *arena;
    const char *path;        /* what is replaced */
    const char *name;        /* for people */
    const char *soname;      /* or NULL */
    char **object, *library; /* NULL: not made */
    int nobject;
} Link;

/* A new empty file in the folder of l->path; its descriptor, or -1. */
static int make_file(Link *l, char **name)
{
    const char *slash = strrchr(l->path, '/');
    int folder = slash ? (int)(slash + 1 - l->path) : 0;
    char *own = arena_printf(l->arena, "%.*s.nncc-XXXXXX", folder, l->path);
    int fd = mkstemp(own);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        *name = own;
    }
    return fd;
}

/* A file with these bytes; 0 or why not. */
static int put_file(Link *l, char **name, const Object *o)
{
    int fd = make_file(l, name);
    int why = fd >= 0 && write_all(fd, o->bytes, o->n) ? 0 : errno;
    if (fd >= 0 && close(fd) != 0 && !why)
        why = errno;
    return why;
}

static bool made(const Link *l, int why, const char **error)
{
    return !why || fail(error, "cannot write '%s': %s", l->name, strerror(why));
}

static bool is_writable(const Link *l, const char **error)
{
    struct stat st;
    return stat(l->path, &st) != 0 || S_ISREG(st.st_mode) ||
           fail(error, "cannot write '%s': it is no regular file", l->name);
}

static bool make_files(Link *l, const Object *object, const char **error)
{
    int why = 0;
    for (int i = 0; i < l->nobject && !why; i++)
        why = put_file(l, &l->object[i], &object[i]);
    if (!why)
        why = put_file(l, &l->library, &(Object){"", 0});
    return made(l, why, error);
}

/* Running the linker */

/* ld, ld.lld, mold …: takes a linker's options; else a compiler does. */
static bool is_linker(const char *program)
{
    const char *name = file_name(program);
    const char *ld = strstr(name, "ld");
    return ld &&
           (ld == name || strchr("-.l", ld[-1]) ||
            strncmp(name, "mold", 4) == 0 || strncmp(name, "gold", 4) == 0);
}

/* Small, position independent, the same bytes for the same object: nothing
 * undefined, no names of paths, tables read-only once relocated. */
static const char *const linker_option[] = {
    "-shared",
    "--no-undefined",
    "--hash-style=gnu",
    "--build-id=none",
    "-znoexecstack",
    "-zrelro",
    "-znow",
    "-ztext",
    "-zdefs",
    "-znoseparate-code",
    "-zmax-page-size=4096",
};
enum { NOPTION = sizeof linker_option / sizeof *linker_option };

static char **arguments(Link *l, const char *program)
{
    Arena *a = l->arena;
    char **arg = NEWN(a, char *, NOPTION + l->nobject + 7);
    bool own = is_linker(program);
    int n = 0;
    arg[n++] = arena_printf(a, "%s", program);
    if (!own)
        arg[n++] = arena_printf(a, "-nostdlib");
    for (int i = 0; i < NOPTION; i++) {
        bool plain = own || strcmp(linker_option[i], "-shared") == 0;
        arg[n++] =
            arena_printf(a, "%s%s", plain ? "" : "-Wl,", linker_option[i]);
    }
    if (l->soname)
        arg[n++] =
            arena_printf(a, "%s-soname=%s", own ? "" : "-Wl,", l->soname);
    for (int i = 0; i < l->nobject; i++)
        arg[n++] = l->object[i];
    arg[n++] = arena_printf(a, "-o");
    arg[n++] = l->library;
    return arg;
}

/* Our environment without what would change the result. */
static char **environment(Arena *a)
{
    static const char *const without[] = {"LD_RUN_PATH=", "LDEMULATION="};
    int n = 0, k = 0;
    while (environ[n])
        n++;
    char **to = NEWN(a, char *, n + 1);
    for (int i = 0; i < n; i++)
        if (strncmp(environ[i], without[0], strlen(without[0])) != 0 &&
            strncmp(environ[i], without[1], strlen(without[1])) != 0)
            to[k++] = environ[i];
    return to;
}

/* All that the linker says, of which the first part is kept. */
static void read_all(int fd, char *to, size_t size)
{
    size_t n = 0;
    char rest[512];
    while (true) {
        bool full = n + 1 >= size;
        ssize_t k =
            full ? read(fd, rest, sizeof rest) : read(fd, to + n, size - 1 - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        if (!full)
            n += (size_t)k;
    }
    while (n > 0 && (to[n - 1] == '\n' || to[n - 1] == '\r'))
        n--;
    to[n] = 0;
}

/* 0 or why the program could not be started. Its output and errors go to the
 * pipe, signals are as `mask` says. */
static int start(Link *l, const char *program, const sigset_t *mask,
                 const int *pipe_end, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_adddup2(&files, pipe_end[1], 1);
    posix_spawn_file_actions_adddup2(&files, pipe_end[1], 2);
    posix_spawnattr_setsigmask(&attr, mask);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    int bad = posix_spawnp(pid, program, &files, &attr, arguments(l, program),
                           environment(l->arena));
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return bad;
}

static void close_on_exec(const int *fd)
{
    fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    fcntl(fd[1], F_SETFD, FD_CLOEXEC);
}

/* -1: there is no such program; 0: it failed; 1: done. */
static int run(Link *l, const char *program, const sigset_t *mask,
               const char **error)
{
    int end[2], status = 0;
    pid_t pid;
    char said[2048];
    if (pipe(end) != 0)
        return fail(error, "cannot run '%s': %s", program, strerror(errno));
    close_on_exec(end);
    int bad = start(l, program, mask, end, &pid);
    close(end[1]);
    if (bad) {
        close(end[0]);
        fail(error, "cannot run '%s': %s", program, strerror(bad));
        return bad == ENOENT ? -1 : 0;
    }
    read_all(end[0], said, sizeof said);
    close(end[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status)) /* SIGBUS: of a file that did not find room */
        return fail(error, "'%s' was stopped by signal %d linking '%s'%s",
                    program, WTERMSIG(status), l->name,
                    WTERMSIG(status) == SIGBUS ? ": is the disk full?" : "");
    if (WEXITSTATUS(status) != 0)
        return fail(error, "'%s' failed to link '%s': %s", program, l->name,
                    said);
    return 1;
}

/* The linker named, or the first that does it. */
static bool run_any(Link *l, const char *linker, const sigset_t *mask,
                    const char **error)
{
    static const char *const known[] = {"ld", "ld.lld", "cc"};
    const char *first = NULL;
    if (linker)
        return run(l, linker, mask, error) == 1;
    for (int i = 0; i < 3; i++) {
        int done = run(l, known[i], mask, error);
        if (done == 1)
            return true;
        if (done == 0 && !first)
            first = arena_printf(l->arena, "%s", *error);
    }
    if (first)
        return fail(error, "%s", first);
    return fail(error, "no linker: none of ld, ld.lld and cc was found (name "
                       "one, or write a .o instead)");
}

/* Puts a checksum behind the library: damage is told before it is loaded. */
static bool add_checksum(const char *path)
{
    unsigned char end[NN_TRAILER] = NN_TRAILER_MAGIC, part[4096];
    uLong sum = 0;
    size_t n;
    FILE *f = fopen(path, "r+b");
    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        sum = crc32_z(sum, part, n);
    for (int i = 0; i < 4; i++)
        end[8 + i] = (unsigned char)(sum >> 8 * i);
    bool ok = !ferror(f) && fseek(f, 0, SEEK_END) == 0 &&
              fwrite(end, sizeof end, 1, f) == 1;
    return fclose(f) == 0 && ok;
}

static bool finish(Link *l, const char **error)
{
    mode_t mask = umask(0);
    umask(mask);
    if (!add_checksum(l->library) || chmod(l->library, 0777 & ~mask) != 0 ||
        rename(l->library, l->path) != 0)
        return fail(error, "cannot write '%s': %s", l->name, strerror(errno));
    l->library = NULL;
    return true;
}

static bool make_library(Link *l, const Object *object, const char *linker,
                         const sigset_t *mask, const char **error)
{
    Object library;
    if (!linker && elf_link(l->arena, object, l->nobject, l->soname, &library))
        return made(l, put_file(l, &l->library, &library), error);
    return make_files(l, object, error) && run_any(l, linker, mask, error);
}

bool link_objects(const char *path, const char *name, const char *soname,
                  const Object *object, int nobject, const char *linker,
                  const char **error)
{
    Link l = {.arena = arena_new(),
              .path = path,
              .name = name,
              .soname = soname,
              .nobject = nobject};
    l.object = NEWN(l.arena, char *, nobject + 1);
    sigset_t ending, before;
    /* Who interrupts us is to find nothing left behind: a signal waits. */
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, &before);
    bool ok = is_writable(&l, error) &&
              make_library(&l, object, linker, &before, error) &&
              finish(&l, error);
    for (int i = 0; i < nobject && l.object[i]; i++)
        unlink(l.object[i]);
    if (l.library)
        unlink(l.library);
    sigprocmask(SIG_SETMASK, &before, NULL);
    arena_free(l.arena);
    return ok;
}
