/* cache.c: a folder of files, each with what was made from what its name is the
 * hash of. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"

/* What a file begins with; then there are n bytes. */
typedef struct Head {
    char magic[8];
    HashSum key, sum; /* of the bytes */
    uint64_t n;
} Head;
static const char magic[8] = "nncc c1";

/* The folder */

static const char *folder_of(Arena *a)
{
    const char *said = getenv("NNCC_CACHE"), *home = getenv("HOME");
    const char *caches = getenv("XDG_CACHE_HOME");
    if (said)
        return *said && strcmp(said, "off") ? arena_printf(a, "%s", said)
                                            : NULL;
    if (caches && *caches == '/')
        return arena_printf(a, "%s/nncc", caches);
    return home && *home == '/' ? arena_printf(a, "%s/.cache/nncc", home)
                                : NULL;
}

/* And the one that it is in, but no more. */
static bool make_folder(Arena *a, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode);
    char *above = arena_printf(a, "%s", path), *slash = strrchr(above, '/');
    if (slash && slash > above) {
        *slash = 0;
        mkdir(above, 0700);
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Which build of the program this is: its file's size and time, which also
 * stand for its passes and options. */
static bool add_program(Hash *h)
{
    struct stat st;
    if (stat("/proc/self/exe", &st) != 0)
        return false;
    const int64_t of[] = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
    hash_add(h, of, sizeof of);
    return true;
}

Cache cache_open(Arena *a)
{
    Cache c = {folder_of(a), hash_new()};
    if (c.folder && !(add_program(&c.hash) && make_folder(a, c.folder)))
        c.folder = NULL;
    return c;
}

static HashSum sum_of(const char *bytes, size_t n)
{
    Hash h = hash_new();
    hash_add(&h, bytes, n);
    return hash_sum(&h);
}

static const char *path_of(const Cache *c, Arena *a, HashSum key)
{
    return arena_printf(a, "%s/%016llx%016llx", c->folder,
                        (unsigned long long)key.word[0],
                        (unsigned long long)key.word[1]);
}

/* Reading */

static bool read_all(int fd, char *to, size_t n)
{
    while (n > 0) {
        ssize_t k = read(fd, to, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        to += k;
        n -= (size_t)k;
    }
    return true;
}

/* That it was used; not every time. */
static void touch(int fd, const struct stat *st)
{
    enum { HOUR = 3600 };
    if (time(NULL) - st->st_mtime > HOUR)
        futimens(fd, NULL);
}

static char *read_entry(int fd, Arena *a, HashSum key, size_t *n)
{
    struct stat st;
    Head h;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        !read_all(fd, (char *)&h, sizeof h) ||
        memcmp(h.magic, magic, sizeof magic) != 0 ||
        memcmp(&h.key, &key, sizeof key) != 0 || h.n > CACHE_BYTES ||
        h.n != (uint64_t)st.st_size - sizeof h)
        return NULL;
    char *bytes = NEWN(a, char, h.n + 1);
    if (!read_all(fd, bytes, h.n))
        return NULL;
    HashSum sum = sum_of(bytes, h.n);
    if (memcmp(&h.sum, &sum, sizeof sum) != 0)
        return NULL;
    touch(fd, &st);
    *n = h.n;
    return bytes;
}

char *cache_get(const Cache *c, Arena *a, HashSum key, size_t *n)
{
    if (!c->folder)
        return NULL;
    int fd = open(path_of(c, a, key), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    char *bytes = read_entry(fd, a, key, n);
    close(fd);
    return bytes;
}

/* Writing */

static const char unfinished[] = "new-";

static bool write_entry(int fd, HashSum key, const char *bytes, size_t n)
{
    Head h = {.key = key, .sum = sum_of(bytes, n), .n = n};
    memcpy(h.magic, magic, sizeof magic);
    bool ok =
        write_all(fd, (const char *)&h, sizeof h) && write_all(fd, bytes, n);
    return close(fd) == 0 && ok;
}

/* One in so many sees to the size of all. */
static bool is_turn(HashSum key)
{
    enum { EVERY = 32 };
    return key.word[0] % EVERY == 0;
}

void cache_put(const Cache *c, Arena *a, HashSum key, const char *bytes,
               size_t n)
{
    if (!c->folder)
        return;
    char *path = arena_printf(a, "%s/%sXXXXXX", c->folder, unfinished);
    int fd = mkstemp(path);
    if (fd < 0)
        return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!write_entry(fd, key, bytes, n) ||
        rename(path, path_of(c, a, key)) != 0)
        unlink(path);
    if (is_turn(key))
        cache_shrink(c, a, CACHE_BYTES);
}

/* Size */

typedef struct Kept {
    const char *path;
    int64_t size;
    struct timespec used;
} Kept;
typedef LIST(Kept) Keeps;

static int older_first(const void *a, const void *b)
{
    const struct timespec *x = &((const Kept *)a)->used;
    const struct timespec *y = &((const Kept *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Somebody else's files stay. */
static bool is_ours(const char *name)
{
    enum { DIGITS = 32 };
    size_t n = sizeof unfinished - 1;
    return strncmp(name, unfinished, n) == 0 ||
           (strlen(name) == DIGITS &&
            strspn(name, "0123456789abcdef") == DIGITS);
}

/* All files; gives their sizes together. */
static int64_t find_all(const Cache *c, Arena *a, Keeps *to)
{
    int64_t total = 0;
    DIR *d = opendir(c->folder);
    for (struct dirent *at; d && (at = readdir(d));) {
        struct stat st;
        const char *path = arena_printf(a, "%s/%s", c->folder, at->d_name);
        if (!is_ours(at->d_name) || stat(path, &st) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        list_push(a, to, ((Kept){path, st.st_size, st.st_mtim}));
        total += st.st_size;
    }
    if (d)
        closedir(d);
    return total;
}

void cache_shrink(const Cache *c, Arena *a, int64_t most)
{
    Keeps all = {0};
    int64_t total = c->folder ? find_all(c, a, &all) : 0;
    if (total <= most)
        return;
    qsort(all.at, (size_t)all.n, sizeof *all.at, older_first);
    /* Well below, so that it takes a while until this is to be done again. */
    for (int i = 0; i < all.n && total > most - most / 4; i++)
        if (unlink(all.at[i].path) == 0)
            total -= all.at[i].size;
}
