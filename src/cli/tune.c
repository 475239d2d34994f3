/* tune.c: nncc bench --tune: where the choice of a schedule loses to another.
 */
#include "cli/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Settings that are tried, if they are legal; of a product, and of others. */
static const char *const of_product[] = {
    "tile 4 2",      "tile 6 2",       "tile 8 2",
    "tile 4 4",      "tile 6 4",       "tile never",
    "pack_a never",  "pack_a 65 16 2", "pack_b never",
    "pack_b 65 8 2", "stream never",   "stream 8",
    "epilogue 24 0", "epilogue 96 1",  NULL};
static const char *const of_loops[] = {
    "unroll never", "unroll always", "join never",  "lanes outside",
    "lanes inside", "lanes none",    "vector 4",    "vector 8",
    "vector 16",    "vector 32",     "together 1",  "together 2",
    "together 4",   "tail scalar",   "tail masked", "tail always",
    "few 0",        "few 4",         NULL};

/* A better one takes less than this part, and such little kernels are left. */
static const double better = 0.95, little = 0.03;

/* One way to run the function. */
typedef struct Run {
    const ModuleInput *in;
    Jit *jit;
    Direct d;
    int nkernel;         /* calls of them in the function */
    int *unit;           /* the number of each, as schedules have it */
    const int64_t *took; /* cycles, by kernel; NULL: there are none */
    double best;         /* cycles a call that the kernel in question takes */
} Run;

typedef struct Tuning {
    Arena *arena;
    const ModuleInput *in;
    TargetOptions options;
    const char *text; /* --dump=schedule */
    int64_t calls;    /* in a turn */
    Run chosen;
} Tuning;

/* "# name: 0 1 2" is its second line. */
static void read_units(const Tuning *t, const char *text, Run *r)
{
    const char *p = strchr(text, '\n');

    r->nkernel = r->in->schedule[0]->kernel.n;
    r->unit = NEWN(t->arena, int, r->nkernel + 1);
    p = strchr(p, ':');
    for (int i = 0; i < r->nkernel; i++) {
        char *end;
        r->unit[i] = (int)strtol(p + 1, &end, 10);
        p = end;
    }
}

/* False: they are not legal. */
static bool begin_run(const Tuning *t, const char *settings, Run *r,
                      const char **text)
{
    TargetOptions o = t->options;
    const char *error;
    Str to = str_new(t->arena);

    o.schedule = settings;
    *r = (Run){.in = emit_formed(t->arena, t->in, &o)};
    bool legal = emit_schedules(t->arena, r->in, &o, &to, &error);
    *text = to.at;
    if (legal)
        read_units(t, to.at, r);
    return legal;
}

static bool open_run(const Tuning *t, const Direct *d, const char *settings,
                     Run *r)
{
    TargetOptions o = t->options;
    const char *error = NULL;

    o.schedule = settings;
    r->jit = jit_open(r->in, &o, &error);
    if (!r->jit)
        return !cli_fail("%s", error);
    r->d = *d;
    r->d.f = jit_module(r->jit)->function[0];
    r->took = jit_times(r->jit, r->in, 0);
    return true;
}

static double cycles(const Run *r, int unit)
{
    double sum = 0;

    for (int i = 0; r->took && i < r->nkernel; i++)
        if (unit < 0 || r->unit[i] == unit)
            sum += (double)r->took[i];
    return sum;
}

static void take_turn(const Tuning *t, Run *r, int unit)
{
    double before = cycles(r, unit);

    direct_run(&r->d, t->calls);
    r->best = fmin(r->best, (cycles(r, unit) - before) / (double)t->calls);
}

/* The time of b's part of a's. */
static double compare(const Tuning *t, Run *a, Run *b, int unit, int turns)
{
    a->best = b->best = INFINITY;
    while (turns-- > 0) {
        take_turn(t, a, unit);
        take_turn(t, b, unit);
    }
    return b->best / a->best;
}

/* Is it faster, also when it is asked again. */
static bool try_setting(Tuning *t, const char *kernel, int unit,
                        const char *setting, Betters *to)
{
    enum { FEW = 5, MANY = 20 };
    const char *settings = arena_printf(t->arena, "%s:\n%s\n", kernel, setting);
    const char *text;
    Run other;

    if (!begin_run(t, settings, &other, &text) || strcmp(text, t->text) == 0)
        return true;
    if (!open_run(t, &t->chosen.d, settings, &other))
        return false;
    double time = compare(t, &t->chosen, &other, unit, FEW);
    if (time < better)
        time = compare(t, &t->chosen, &other, unit, MANY);
    if (time < better)
        list_push(t->arena, to, ((Better){kernel, setting, time}));
    jit_close(other.jit);
    return true;
}

/* What schedules call by the name that p begins with. */
static bool try_kernel(Tuning *t, const char *p, Betters *to)
{
    size_t n = strcspn(p, ":");
    const char *name = arena_printf(t->arena, "%.*s", (int)n, p);
    const char *const *setting =
        strncmp(p + n, ": product", 9) == 0 ? of_product : of_loops;
    int unit = (int)strtol(p + strlen("kernel "), NULL, 10);
    double all = cycles(&t->chosen, -1);

    if (!(cycles(&t->chosen, unit) > little * all))
        return true;
    for (; *setting; setting++)
        if (!try_setting(t, name, unit, *setting, to))
            return false;
    return true;
}

bool tune(Arena *a, const ModuleInput *in, const Direct *d, double seconds,
          Betters *to)
{
    const double turn = 2e-3;
    Tuning t = {.arena = a, .in = in};
    bool good = true;

    t.options = (TargetOptions){.cpu = "native",
                                .optimise = 2,
                                .times = true,
                                .schedule_name = "--tune"};
    t.calls = (int64_t)(turn / fmax(seconds, 1e-9)) + 1;
    if (!begin_run(&t, NULL, &t.chosen, &t.text))
        die("no schedules");
    if (!open_run(&t, d, NULL, &t.chosen))
        return false;
    direct_run(&t.chosen.d, t.calls);
    for (const char *p = strstr(t.text, "\nkernel "); p && good;
         p = strstr(p + 1, "\nkernel "))
        good = try_kernel(&t, p + 1, to);
    jit_close(t.chosen.jit);
    return good;
}
