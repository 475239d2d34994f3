/* harness.c: see harness.h. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Seconds; a test that takes them hangs. The slowest takes 20 under sanitizers
 * on a busy machine. */
#define TIME_LIMIT "600"

enum { NLEVEL = 4 };
static const char *const level[NLEVEL] = {"x86-64", "x86-64-v2", "x86-64-v3",
                                          "x86-64-v4"};

static int level_of(const char *cpu)
{
    for (int i = 0; i < NLEVEL; i++)
        if (strcmp(level[i], cpu) == 0)
            return i;
    return -1;
}

static bool machine_has(int k)
{
#ifdef __x86_64__
    switch (k) {
    case 1:
        return __builtin_cpu_supports("sse4.2") &&
               __builtin_cpu_supports("popcnt");
    case 2:
        return __builtin_cpu_supports("avx2") &&
               __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    case 3:
        return __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    }
    return true;
#else
    (void)k;
    return false;
#endif
}

bool runs_here(const char *cpu)
{
    if (strcmp(cpu, "native") == 0)
        return true;
    int k = level_of(cpu);
    const char *most = getenv("NNCC_CPU");
    int limit = most ? level_of(most) : -1;
    return k >= 0 && (limit < 0 || k <= limit) && machine_has(k);
}

/* Times that a level was lacked; shared by the processes of all tests. */
static int *lacked;
static pid_t first;

bool lacks(const char *cpu)
{
    bool no = !runs_here(cpu);
    int k = level_of(cpu);
    if (no && k >= 0)
        lacked[k]++;
    return no;
}

const char *portable_here(void)
{
    return runs_here(level[3])   ? "x86-64-v2,x86-64-v3,x86-64-v4"
           : runs_here(level[2]) ? "x86-64-v2,x86-64-v3"
                                 : "x86-64-v2";
}

static void tell_lacked(void)
{
    if (getpid() != first)
        return;
    for (int i = 0; i < NLEVEL; i++)
        if (lacked[i])
            printf("skipped: %d for %s, which %s\n", lacked[i], level[i],
                   machine_has(i) ? "NNCC_CPU leaves out" : "this CPU lacks");
}

static void limit_processor_time(int seconds)
{
    struct rlimit most = {(rlim_t)seconds, (rlim_t)seconds};
    setrlimit(RLIMIT_CPU, &most);
}

__attribute__((constructor)) static void set_up(void)
{
    int zero = open("/dev/zero", O_RDWR);
    lacked = mmap(NULL, sizeof *lacked * NLEVEL, PROT_READ | PROT_WRITE,
                  MAP_SHARED, zero, 0);
    close(zero);
    if (lacked == MAP_FAILED)
        abort();
    first = getpid();
    setenv("CK_DEFAULT_TIMEOUT", TIME_LIMIT, 0);
    const char *fork = getenv("CK_FORK");
    if (fork && !strcmp(fork, "no")) /* then Check has no time limit */
        limit_processor_time(atoi(TIME_LIMIT));
    atexit(tell_lacked);
}
