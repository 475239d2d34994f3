/* main.c: LEVEL OURS.so OTHER.so [PATTERN]…: elementwise functions of 1,024
 * numbers, beside SLEEF's of the same accuracy and libmvec's; in parentheses
 * the most that ours was off, in units of the last place. REAL is 32 or 64;
 * ours and other are functions.nn by two compilers, which may be the same. */
#include "../rows.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>

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
#define SLEEF_ISA "avx512f"
#define ISA "e"
#else
enum { BYTES = 32 };
#define SLEEF_ISA "avx2"
#define ISA "d"
#endif

enum { N = 1024, LANES = BYTES / sizeof(Real) };
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

/* The version in the name of SLEEF's file, or "". */
static const char *sleef_version(void)
{
    static char path[PATH_MAX];
    struct link_map *map = dlopen("libsleef.so.3", RTLD_NOW);
    const char *at =
        map && realpath(map->l_name, path) ? strstr(path, ".so.") : NULL;
    return at ? at + 4 : "";
}

/* The first of SLEEF's that is there, its error in tenths of a unit. */
static void *sleef(const char *name, const char *const *tenths)
{
    char full[64];
    void *library = dlopen("libsleef.so.3", RTLD_NOW), *f = NULL;
    for (; library && !f && *tenths; tenths++) {
        snprintf(full, sizeof full, "Sleef_%s" LETTER "%d_u%s" SLEEF_ISA, name,
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
typedef struct Form {
    const nn_function *ours;
    void *peer;
    int arguments;
    Real *to;
    double off;
} Form;

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

static void run(void *of)
{
    Form *f = of;
    f->ours ? run_ours(f->ours, f->arguments, f->to)
            : run_peer(f->peer, f->arguments, f->to);
}

static double units(long double want, double got)
{
    int e;
    frexpl(want, &e);
    e = want == 0 || e < LEAST ? LEAST : e;
    return (double)ldexpl(fabsl(got - want), DIGITS - e);
}

static void compare(const struct Row *r, Form *form)
{
    char full[64];
    Exact *exact;
    snprintf(full, sizeof full, "%sl", r->peer);
    *(void **)&exact = dlsym(RTLD_DEFAULT, full);
    for (int w = 0; w < WAYS; w++)
        for (int i = 0; exact && i < N; i++)
            form[w].off =
                fmax(form[w].off, units(exact(x[i], y[i]), out[w][i]));
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

static bool is_there(const Form *f) { return f->ours || f->peer; }

/* Infinite where there is none. */
static void measure(Form *form, Times *to)
{
    Way way[WAYS];
    Times t[WAYS];
    int n = 0;
    for (int w = 0; w < WAYS; w++) {
        to[w] = (Times){INFINITY, INFINITY};
        if (is_there(&form[w]))
            way[n++] = (Way){run, &form[w], NULL};
    }
    take_turns(way, n, t);
    for (int w = WAYS; w-- > 0;)
        if (is_there(&form[w]))
            to[w] = t[--n];
}

static void print(const char *level, const struct Row *r, const Form *form,
                  const Times *t, bool two)
{
    char what[64], peer[64];
    int same = form[OURS].off > 1 && is_there(&form[U35]) ? U35 : U10;
    snprintf(what, sizeof what, "%s f%d, %s (%.2f)", r->name, REAL, level,
             form[OURS].off);
    if (two)
        print_row(what, "the other compiler", t[OURS], t[OTHER], "");
    snprintf(peer, sizeof peer, "SLEEF %s u%s (%.2f)", sleef_version(),
             same == U35 ? "35" : "10", form[same].off);
    if (is_there(&form[same]))
        print_row(what, peer, t[OURS], t[same], ">= 1");
    snprintf(peer, sizeof peer, "libmvec %s (%.2f)", gnu_get_libc_version(),
             form[MVEC].off);
    if (is_there(&form[MVEC]))
        print_row(what, peer, t[OURS], t[MVEC], "");
}

static void time_row(const struct Row *r, char **argv)
{
    static const char *const fine[] = {"10", "05", "15", "", NULL};
    static const char *const coarse[] = {"35", NULL};
    bool two = strcmp(argv[2], argv[3]) != 0;
    Form form[WAYS] = {
        [OURS] = {.ours = compiled(argv[2], r->name)},
        [OTHER] = {.ours = two ? compiled(argv[3], r->name) : NULL},
        [U10] = {.peer = sleef(r->peer, fine)},
        [U35] = {.peer = sleef(r->peer, coarse)},
        [MVEC] = {.peer = mvec(r->peer, r->arguments)},
    };
    Times t[WAYS];
    for (int w = 0; w < WAYS; w++) {
        form[w].arguments = r->arguments;
        form[w].to = out[w];
    }
    draw(r);
    measure(form, t);
    compare(r, form);
    print(argv[1], r, form, t, two);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    pin();
    if (!*sleef_version())
        printf(
            "elementwise functions, f%d, %s\tSLEEF\t\t\t>= 1\tno libsleef3\n",
            REAL, argv[1]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool wanted = argc == 4;
        for (int k = 4; k < argc; k++)
            wanted |= strstr(rows[i].name, argv[k]) != NULL;
        if (wanted)
            time_row(&rows[i], argv);
    }
    return 0;
}
