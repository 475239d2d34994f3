/* main.c: elementwise functions of arrays that fit the first-level cache,
 * beside SLEEF's and libmvec's: nanoseconds an element, the most that was wrong
 * in units of the last place, and how many times as long each peer takes: the
 * least of rounds that take turns. REAL is 32 or 64, OURS and OTHER are
 * functions.nn by two compilers: main OURS.so OTHER.so [PATTERN]… */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "nn_abi.h"

#if REAL == 32
typedef float Real;
enum { DIGITS = 24, LEAST = -125 };
#define LETTER "f"
#define SUFFIX "f"
#else
typedef double Real;
enum { DIGITS = 53, LEAST = -1021 };
#define LETTER "d"
#define SUFFIX ""
#endif
#ifdef __AVX512F__
enum { BYTES = 64 };
#define LEVEL "avx512f"
#define ISA "e"
#else
enum { BYTES = 32 };
#define LEVEL "avx2"
#define ISA "d"
#endif

enum { N = 1024, ROUNDS = 30, TIMES = 10, LANES = BYTES / sizeof(Real) };
enum { OURS, OTHER, U10, U35, MVEC, WAYS };

typedef Real Vec __attribute__((vector_size(BYTES)));
typedef Vec Unary(Vec x);
typedef Vec Binary(Vec x, Vec y);
typedef long double Exact(long double x, long double y);

static const struct Row {
    const char *name, *peer; /* in functions.nn and in libraries */
    int arguments;
    double lo, hi;
} rows[] = {
    {"exp", "exp", 1, -20, 20},         {"exp_masked", "exp", 1, -170, -80},
    {"expm1", "expm1", 1, -5, 5},       {"log", "log", 1, 1e-6, 100},
    {"log1p", "log1p", 1, -0.9, 10},    {"sqrt", "sqrt", 1, 0, 100},
    {"rsqrt", "rsqrt", 1, 0.1, 100},    {"cbrt", "cbrt", 1, -100, 100},
    {"sin", "sin", 1, -10, 10},         {"cos", "cos", 1, -10, 10},
    {"tan", "tan", 1, -10, 10},         {"asin", "asin", 1, -1, 1},
    {"acos", "acos", 1, -1, 1},         {"atan", "atan", 1, -10, 10},
    {"atan2", "atan2", 2, -10, 10},     {"hypot", "hypot", 2, -10, 10},
    {"sinh", "sinh", 1, -10, 10},       {"cosh", "cosh", 1, -10, 10},
    {"tanh", "tanh", 1, -8, 8},         {"sigmoid", "sigmoid", 1, -8, 8},
    {"softplus", "softplus", 1, -8, 8}, {"erf", "erf", 1, -4, 4},
    {"erfc", "erfc", 1, -4, 8},         {"ndtr", "ndtr", 1, -6, 6},
    {"lgamma", "lgamma", 1, 0.1, 30},   {"digamma", "digamma", 1, 0.1, 30},
    {"pow", "pow", 2, 0.1, 10},         {"mod", "fmod", 2, 0.1, 10},
};

static Real x[N] __attribute__((aligned(64))),
    y[N] __attribute__((aligned(64)));
static Real out[WAYS][N] __attribute__((aligned(64)));

static const nn_function *compiled(const char *file, const char *name)
{
    void *library = dlopen(file, RTLD_NOW);
    const nn_module *(*get)(void) = NULL;
    if (library)
        *(void **)&get = dlsym(library, "f_module");
    if (!get) {
        fprintf(stderr, "%s: %s\n", file, dlerror());
        exit(2);
    }
    const nn_module *m = get();
    for (int i = 0; i < m->nfunction; i++)
        if (strcmp(m->function[i]->name, name) == 0)
            return m->function[i];
    fprintf(stderr, "%s: no %s\n", file, name);
    exit(2);
}

/* The first of SLEEF's that is there, its error in tenths of a unit. */
static void *sleef(const char *name, const char *const *tenths)
{
    char full[64];
    void *library = dlopen("libsleef.so.3", RTLD_NOW), *f = NULL;
    for (; library && !f && *tenths; tenths++) {
        snprintf(full, sizeof full, "Sleef_%s" LETTER "%d_u%s" LEVEL, name,
                 (int)LANES, *tenths);
        f = dlsym(library, full);
    }
    return f;
}

static void *mvec(const char *name, int arguments)
{
    char full[64];
    void *library = dlopen("libmvec.so.1", RTLD_NOW);
    snprintf(full, sizeof full, "_ZGV" ISA "N%d%s_%s" SUFFIX, (int)LANES,
             arguments == 2 ? "vv" : "v", name);
    return library ? dlsym(library, full) : NULL;
}

/* What is timed; NULL where it is not there. */
typedef struct Way {
    const nn_function *ours;
    void *peer;
    double least, off;
} Way;

static void run_ours(const nn_function *f, int arguments, Real *to)
{
    const int64_t n = N;
    void *leaf[3] = {x, y, y};
    leaf[arguments] = to;
    if (f->call(leaf, &n, NULL, NULL))
        exit(2);
}

static void run_peer(void *peer, int arguments, Real *to)
{
    union {
        void *any;
        Unary *one;
        Binary *two;
    } f = {peer};
    for (int i = 0; i < N; i += LANES) {
        Vec a = *(Vec *)(x + i);
        *(Vec *)(to + i) =
            arguments == 2 ? f.two(a, *(Vec *)(y + i)) : f.one(a);
    }
}

static void run(Way *w, int arguments, Real *to)
{
    double from = now();
    for (int i = 0; i < TIMES; i++)
        w->ours ? run_ours(w->ours, arguments, to)
                : run_peer(w->peer, arguments, to);
    double took = (now() - from) / TIMES / N * 1e9;
    w->least = took < w->least ? took : w->least;
}

static double units(long double want, double got)
{
    int e;
    frexpl(want, &e);
    e = want == 0 || e < LEAST ? LEAST : e;
    return (double)ldexpl(fabsl(got - want), DIGITS - e);
}

static void compare(const struct Row *r, Way *way)
{
    char full[64];
    Exact *exact;
    snprintf(full, sizeof full, "%sl", r->peer);
    *(void **)&exact = dlsym(RTLD_DEFAULT, full);
    for (int w = 0; w < WAYS; w++)
        for (int i = 0; exact && i < N; i++)
            way[w].off = fmax(way[w].off, units(exact(x[i], y[i]), out[w][i]));
}

static void draw(const struct Row *r)
{
    unsigned s = 1;
    for (int i = 0; i < 2 * N; i++) {
        s = s * 1664525u + 1013904223u;
        (i < N ? x : y)[i % N] =
            (Real)(r->lo + (r->hi - r->lo) * (s >> 8) / 16777216);
    }
}

static void print(const struct Row *r, const Way *way)
{
    printf("%-10s f%d %6.3f ns", r->name, REAL, way[OURS].least);
    for (int w = OURS; w < WAYS; w++) {
        if (w != OURS && way[w].least < 1e9)
            printf("  %5.2f", way[w].least / way[OURS].least);
        else if (w != OURS)
            printf("      -");
        if (way[w].least < 1e9)
            printf(" (%4.2f)", way[w].off);
        else
            printf("       ");
    }
    printf("\n");
}

static void time_row(const struct Row *r, char **file)
{
    static const char *const fine[] = {"10", "05", "15", "", NULL};
    static const char *const coarse[] = {"35", NULL};
    Way way[WAYS] = {
        [OURS] = {.ours = compiled(file[0], r->name)},
        [OTHER] = {.ours = compiled(file[1], r->name)},
        [U10] = {.peer = sleef(r->peer, fine)},
        [U35] = {.peer = sleef(r->peer, coarse)},
        [MVEC] = {.peer = mvec(r->peer, r->arguments)},
    };
    draw(r);
    for (int w = 0; w < WAYS; w++)
        way[w].least = 1e9;
    for (int k = 0; k < ROUNDS; k++)
        for (int w = 0; w < WAYS; w++)
            if (way[w].ours || way[w].peer)
                run(&way[w], r->arguments, out[w]);
    compare(r, way);
    print(r, way);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool wanted = argc == 3;
        for (int k = 3; k < argc; k++)
            wanted |= strstr(rows[i].name, argv[k]) != NULL;
        if (wanted)
            time_row(&rows[i], argv + 1);
    }
    return 0;
}
