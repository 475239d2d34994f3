/* diff.c: random programs and their derivatives, judged one after another.
 *
 *     fuzz-diff COUNT [SEED [KNOWN]]
 *     fuzz-diff print SEED
 *
 * COUNT programs from SEED (1) on; 0: for ever. KNOWN is a file of programs
 * that are known to be wrong, a line each: the seed, and why. They are left
 * out.
 *
 * Each is judged in a process of its own, so that a crash and a hang are
 * failures like others. What fails is made smaller for as long as it fails in
 * the same way, and printed. */
#define _POSIX_C_SOURCE 200809L

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "program.h"

enum {
    SECONDS = 60,      /* of processor time, for one program */
    CODE_EVERY = 10,   /* one in so many is compiled to machine code */
    MOST_TRIES = 3000, /* while it is made smaller */
    MOST_TEXT = 1 << 14
};

/* In the child: the verdict, then the end. */
static void judge_here(const Choices *c, bool code, int to)
{
    Arena *a = arena_new();
    struct rlimit limit = {SECONDS, SECONDS};

    setrlimit(RLIMIT_CPU, &limit);
    dup2(to, STDERR_FILENO);
    const char *wrong = judge(a, program_text(a, c), code);
    if (wrong && write(to, wrong, strlen(wrong)) < 0)
        _exit(2);
    _exit(wrong ? 1 : 0);
}

/* NULL, or what is wrong with the program. */
static const char *verdict(Arena *a, const Choices *c, bool code)
{
    int end[2], status = 0;
    char *text = arena_alloc(a, MOST_TEXT);
    size_t n = 0;
    ssize_t got;

    if (pipe(end) != 0)
        die("no pipe");
    pid_t child = fork();
    if (child < 0)
        die("no process");
    if (child == 0) {
        close(end[0]);
        judge_here(c, code, end[1]);
    }
    close(end[1]);
    while ((got = read(end[0], text + n, MOST_TEXT - 1 - n)) > 0)
        n += (size_t)got;
    close(end[0]);
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return NULL;
    if (WIFSIGNALED(status))
        return arena_printf(a, "crash: signal %d\n%s", WTERMSIG(status), text);
    return text;
}

/* Up to the first number: what kind of failure it is, of which function. */
static bool same_kind(const char *a, const char *b)
{
    size_t n = strcspn(a, "0123456789");

    return strncmp(a, b, n) == 0;
}

typedef struct Shrink {
    Choices best;
    const char *wrong;
    bool code;
    int tries;
    Arena *arena;
} Shrink;

static bool try_smaller(Shrink *s, const Choices *c)
{
    if (s->tries >= MOST_TRIES)
        return false;
    s->tries++;
    const char *wrong = verdict(s->arena, c, s->code);
    if (!wrong || !same_kind(wrong, s->wrong))
        return false;
    s->best = *c;
    s->wrong = wrong;
    return true;
}

static bool take_away(Shrink *s, int n)
{
    bool smaller = false;

    for (int i = 0; i + n <= s->best.n;) {
        Choices c = s->best;
        memmove(c.at + i, c.at + i + n, (size_t)(c.n - i - n));
        c.n -= n;
        if (try_smaller(s, &c))
            smaller = true;
        else
            i++;
    }
    return smaller;
}

static bool make_less(Shrink *s)
{
    bool smaller = false;

    for (int i = 0; i < s->best.n; i++)
        for (int less = 0; less < s->best.at[i];
             less = less == 0 ? 4 : 2 * less) {
            Choices c = s->best;
            c.at[i] = (uint8_t)less;
            if (try_smaller(s, &c)) {
                smaller = true;
                break;
            }
        }
    return smaller;
}

static void shrink(Shrink *s)
{
    bool smaller = true;

    while (smaller && s->tries < MOST_TRIES) {
        smaller = false;
        for (int n = 16; n > 0; n /= 2)
            smaller |= take_away(s, n);
        smaller |= make_less(s);
    }
}

/* Is this program among the known ones. */
static bool is_known(const char *path, uint64_t seed)
{
    FILE *f = path ? fopen(path, "r") : NULL;
    char line[512];
    bool known = false;

    while (f && fgets(line, sizeof line, f))
        known |= *line != '#' && strtoull(line, NULL, 10) == seed;
    if (f)
        fclose(f);
    return known;
}

static bool run(uint64_t seed)
{
    Arena *a = arena_new();
    Shrink s = {choices_draw(seed), NULL, seed % CODE_EVERY == 0, 0, a};

    s.wrong = verdict(a, &s.best, s.code);
    if (s.wrong) {
        shrink(&s);
        printf("program %llu is wrong:\n%s%s\n\n", (unsigned long long)seed,
               program_text(a, &s.best), s.wrong);
        fflush(stdout);
    }
    bool good = !s.wrong;
    arena_free(a);
    return good;
}

static int print(uint64_t seed)
{
    Arena *a = arena_new();
    Choices c = choices_draw(seed);

    fputs(program_text(a, &c), stdout);
    arena_free(a);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "print") == 0)
        return print(strtoull(argv[2], NULL, 10));
    long count = argc > 1 ? atol(argv[1]) : 500;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const char *known = argc > 3 ? argv[3] : NULL;
    long passed = 0, failed = 0, skipped = 0;

    setenv("NNCC_CACHE", "", 1); /* no program is met again */
#ifdef M_TRIM_THRESHOLD          /* memory is kept for the next evaluation */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
#endif
    for (long i = 0; count == 0 || i < count; i++)
        if (is_known(known, seed + (uint64_t)i))
            skipped++;
        else if (run(seed + (uint64_t)i))
            passed++;
        else
            failed++;
    printf("fuzz-diff: %ld passed, %ld failed, %ld skipped\n", passed, failed,
           skipped);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
