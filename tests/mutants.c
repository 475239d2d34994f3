/* mutants.c: which guard is weakened, and which tests reach it.
 *
 * Part of the copy that mutants.sh builds, where each guard asks here and Check
 * tells when a test begins and fails. NNCC_REACHED names a file: a byte for
 * each mutant that is not 0 where its guard was asked and was not what its
 * weakening is, then for each the tests in which that was so, a bit each. With
 * NNCC_MUTANT, the number of a mutant, its guard is weakened and tests that did
 * not reach it are left out. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MUTANTS = 4096, TESTS = 2048, NOTICED = 3 };

typedef struct Reached {
    unsigned char any[MUTANTS];
    unsigned char by[MUTANTS][TESTS / 8];
} Reached;

int mutant;
static Reached *reached;
static int test; /* how many have begun */

bool mutant_seen(int n, bool weakened, bool value);
_Noreturn void __wrap__ck_assert_failed(const char *file, int line,
                                        const char *text, ...);
__attribute__((weak)) _Noreturn void
__real__ck_assert_failed(const char *file, int line, const char *text, ...);
void __wrap_tcase_fn_start(const char *name, const char *file, int line);
__attribute__((weak)) void __real_tcase_fn_start(const char *name,
                                                 const char *file, int line);

bool mutant_seen(int n, bool weakened, bool value)
{
    if (!mutant && reached && value != weakened) {
        reached->any[n] = 1;
        reached->by[n][test / 8] |= (unsigned char)(1 << test % 8);
    }
    return value;
}

__attribute__((constructor)) static void choose(void)
{
    const char *number = getenv("NNCC_MUTANT"), *path = getenv("NNCC_REACHED");
    int fd = path ? open(path, O_RDWR) : -1;

    mutant = number ? atoi(number) : 0;
    if (fd < 0)
        return;
    reached =
        mmap(NULL, sizeof *reached, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (reached == MAP_FAILED || mutant < 0 || mutant >= MUTANTS)
        abort();
}

/* What is reached outside of tests reaches all. */
static bool is_reached(void)
{
    const unsigned char *by = reached->by[mutant];

    return (by[0] | by[test / 8] >> test % 8) & 1;
}

void __wrap_tcase_fn_start(const char *name, const char *file, int line)
{
    __real_tcase_fn_start(name, file, line);
    if (++test >= TESTS)
        abort();
    if (mutant && reached && !is_reached())
        __real__ck_assert_failed(file, line, "left out", NULL);
}

/* The first failure ends all. */
void __wrap__ck_assert_failed(const char *file, int line, const char *text, ...)
{
    const char *format;
    va_list ap;

    va_start(ap, text);
    format = va_arg(ap, const char *);
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    if (format)
        vfprintf(stderr, format, ap);
    va_end(ap);
    _exit(NOTICED);
}
