/* bench.c: nncc bench: how long functions take, of what the machine can do how
 * much that is, and which kernel takes longest. */

#include "cli/bench.h"
#include "gradcheck/tensor.h"
#include "show/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Less than this part of what the machine can do is far from it. */
static const double near = 0.25;

typedef struct Bench {
    const Args *args;
    Load load;
    Speed speed;
    double arithmetic; /* operations a second, at best */
    double seconds;    /* to measure each thing for */
    nncc_pool *pool;
} Bench;

/* What was found out of one function. */
typedef struct Found {
    const char *name;
    Function *function;
    const Schedule *schedule;
    const int64_t *dims;
    double best, median; /* seconds a call */
    int rounds;
    double operations, bytes;
    double reading; /* bytes a second at best, of as much memory */
    int slowest;    /* kernel, or -1 */
    double share;   /* of the time of all kernels that it takes */
    Betters tuned;
} Found;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Timing: what is timed is run n times. */
typedef struct Timed {
    void (*run)(void *of, int64_t n);
    void *of;
} Timed;

static double time_of(const Timed *t, int64_t n)
{
    double start = now();

    t->run(t->of, n);
    return (now() - start) / (double)n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Rounds of about a thousandth of a second, for so long: the best and the
 * median of them. At least three. */
static double measure(const Timed *t, double seconds, double *median,
                      int *rounds)
{
    enum { MOST = 1000, LEAST = 3 };
    const double round = 1e-3;
    double took[MOST], start = now(), one = time_of(t, 1);
    int64_t n = one < round ? (int64_t)(round / fmax(one, 1e-9)) + 1 : 1;
    int k = 0;

    while (k < LEAST || (k < MOST && now() - start < seconds))
        took[k++] = time_of(t, n);
    qsort(took, (size_t)k, sizeof *took, by_value);
    if (median)
        *median = took[k / 2];
    if (rounds)
        *rounds = k;
    return took[0];
}

/* The machine */

typedef struct Reading {
    const Speed *speed;
    const void *at;
    int64_t n;
    volatile double sum; /* somebody uses it */
} Reading;

static void run_arithmetic(void *of, int64_t n)
{
    Reading *r = of;

    r->sum = r->speed->arithmetic(r->at, r->n * n);
}

static void run_reading(void *of, int64_t n)
{
    Reading *r = of;

    for (int64_t i = 0; i < n; i++)
        r->sum = r->speed->reading(r->at, r->n);
}

static double best_arithmetic(const Bench *b)
{
    enum { ROUNDS = 1000 };
    static const double numbers[16];
    Reading r = {&b->speed, numbers, ROUNDS, 0};
    Timed t = {run_arithmetic, &r};

    return ROUNDS * (double)b->speed.units.operations /
           measure(&t, b->seconds, NULL, NULL);
}

/* Bytes a second of a piece of memory of about so many; 0 where there is none.
 */
static double best_reading(const Bench *b, double bytes)
{
    const SpeedUnits *u = &b->speed.units;
    const double least = 1 << 14, most = 1 << 28;
    double each = (double)u->bytes * u->elements;
    size_t pieces = (size_t)(fmin(fmax(bytes, least), most) / each);
    size_t size = pieces * (size_t)u->bytes * (size_t)u->elements;
    void *at = aligned_alloc(64, (size + 63) / 64 * 64);
    Reading r = {&b->speed, at, (int64_t)pieces * u->elements, 0};
    Timed t = {run_reading, &r};

    if (!at)
        return 0;
    memset(at, 0, size);
    double speed = (double)size / measure(&t, b->seconds, NULL, NULL);
    free(at);
    return speed;
}

/* Arguments */

static void draw(const nncc_tensor *t, int integers, uint64_t *state)
{
    int64_t n = tensor_elements(t);

    for (int64_t i = 0; i < n; i++) {
        *state = hash_mix(*state, (uint64_t)i);
        double v = (double)(*state >> 11) * 0x1p-53;
        tensor_set(t, i, tensor_is_real(t) ? v : integers);
    }
}

/* The sizes of all leaves, one after another. */
static const int64_t *sizes_of(const Call *c)
{
    int64_t *size = NEWN(c->args->arena, int64_t, call_axes(c->f) + 1);

    c->f->sizes(c->dims, size);
    return size;
}

/* Leaves that nobody gave: reals between 0 and 1, integers that number. */
static bool draw_leaves(Call *c, const bool *given, int integers)
{
    const int64_t *size = sizes_of(c);
    uint64_t state = HASH_SEED;
    int k = 0;

    for (int i = 0; i < c->f->nparam; i++)
        for (int j = 0; j < c->f->param[i]->nleaf; j++, k++) {
            const nn_leaf *leaf = c->f->param[i]->leaf[j];
            if (!c->leaf[k] && nncc_tensor_new(leaf->dtype, leaf->rank, size,
                                               &c->leaf[k]) != NN_OK)
                return cli_failed();
            if (!given[k])
                draw(c->leaf[k], integers, &state);
            size += leaf->rank;
        }
    return true;
}

static bool concerns(const char *word, const Function *f)
{
    bool does = false;

    for (int i = 0; i < f->nparam; i++)
        does |= cli_value_of(word, f->param[i].name) != NULL;
    for (int i = 0; i < f->nvar; i++)
        does |= cli_value_of(word, dim_var_name(f->var[i])) != NULL;
    return does;
}

static bool is_argument(const char *word)
{
    return strchr(word, '=') && !strchr(word, '(');
}

/* The words that concern f, and what follows; then what is not said. */
static bool take_arguments(const Bench *b, Call *c, const Function *f)
{
    const char **word = b->args->word.at;

    for (int i = 1; i < b->args->word.n; i++)
        if (is_argument(word[i]) && concerns(word[i], f) &&
            !call_word(c, word[i]))
            return false;
    nncc_solve(c->f, c->leaf, c->dims);
    for (int i = 0; i < c->f->ndim; i++)
        if (c->dims[i] == -1)
            c->dims[i] = TYPICAL_SIZE;
    return nncc_solve(c->f, c->leaf, c->dims) == NN_OK || cli_failed();
}

/* A first call, which makes the results, too. Not all integers are indices. */
static bool call_first(Bench *b, Call *c)
{
    bool *given = NEWN(b->args->arena, bool, c->nleaf + 1);
    int status = NN_ERR_INDEX;

    for (int k = 0; k < c->nleaf; k++)
        given[k] = c->leaf[k] != NULL;
    for (int integers = 1; integers >= 0 && status == NN_ERR_INDEX; integers--)
        if (!draw_leaves(c, given, integers))
            return false;
        else
            status = nncc_call(c->model, c->f, c->leaf, c->dims, NULL);
    return status == NN_OK || cli_failed();
}

void direct_run(void *of, int64_t n)
{
    Direct *d = of;

    for (int64_t i = 0; i < n; i++)
        d->f->call(d->leaf, d->dims, d->workspace, d->exec);
}

/* False after a message. */
static bool direct(const Bench *b, const Call *c, Direct *d)
{
    size_t n = c->f->workspace(c->dims);

    *d = (Direct){c->f, NEWN(c->args->arena, void *, c->nleaf + 1),
                  aligned_alloc(64, n / 64 * 64 + 64), c->dims,
                  nncc_pool_exec(b->pool)};
    for (int k = 0; k < c->nleaf; k++)
        d->leaf[k] = c->leaf[k] ? c->leaf[k]->data : NULL;
    if (!d->workspace)
        cli_fail("%s: there is no memory for %zu bytes", c->f->name, n);
    return d->workspace != NULL;
}

/* Measuring */

/* Which kernel takes longest, by code that adds up their times. */
static bool find_slowest(const Bench *b, const ModuleInput *in, Direct *d,
                         Found *to)
{
    TargetOptions o = {.cpu = "native", .optimise = 2, .times = true};
    const char *error = NULL;
    Timed t = {direct_run, d};
    Jit *j = jit_open(in, &o, &error);
    double all = 0;

    if (!j) {
        cli_fail("%s", error);
        return false;
    }
    const int64_t *took = jit_times(j, in, 0);
    d->f = jit_module(j)->function[0];
    if (took)
        measure(&t, b->seconds, NULL, NULL);
    for (int i = 0; took && i < to->schedule->kernel.n; i++) {
        all += (double)took[i];
        if (to->slowest < 0 || took[i] > took[to->slowest])
            to->slowest = i;
    }
    if (to->slowest >= 0)
        to->share = all > 0 ? (double)took[to->slowest] / all : 0;
    jit_close(j);
    return true;
}

/* Operations and bytes of a call with these dimensions. */
static void count_work(const Bench *b, const int64_t *dims, Found *to)
{
    Graph *g = b->load.module->graph;
    const Function *f = to->function;
    Nodes r = functions_roots(b->load.arena, &to->function, 1);
    Cost cost = cost_count(g, r.n, r.at);
    int64_t bytes = 0;

    to->operations = cost_total(&cost, f->nvar, f->var, dims);
    to->bytes =
        dim_eval(schedule_bytes(g, to->schedule), f->nvar, f->var, dims, &bytes)
            ? (double)bytes
            : NAN;
}

static bool measure_call(Bench *b, const ModuleInput *in, Call *c, Found *to)
{
    Direct d;
    Timed t = {direct_run, &d};

    if (!take_arguments(b, c, to->function) || !call_first(b, c) ||
        !direct(b, c, &d))
        return false;
    to->dims = c->dims;
    to->best = measure(&t, b->seconds, &to->median, &to->rounds);
    count_work(b, c->dims, to);
    to->reading = best_reading(b, to->bytes);
    bool good = find_slowest(b, in, &d, to);
    d.f = c->f;
    if (good && option_value(b->args, "tune"))
        good = tune(b->load.arena, in, &d, to->best, &to->tuned);
    free(d.workspace);
    return good;
}

static bool measure_function(Bench *b, Function *f, const char *name, Found *to)
{
    TargetOptions o = {.cpu = "native", .optimise = 2};
    const char *error = NULL;
    Schedule **s = driver_schedule(&b->load, &f, 1);
    Call c;

    if (!s)
        return false;
    *to = (Found){.name = name, .function = f, .schedule = s[0], .slowest = -1};
    ModuleInput in = {b->load.module, s, 1};
    Jit *j = jit_open(&in, &o, &error);
    if (!j) {
        cli_fail("%s", error);
        return false;
    }
    bool good = call_begin(&c, b->args, jit_module(j));
    if (good) {
        good = measure_call(b, &in, &c, to);
        call_end(&c);
    }
    jit_close(j);
    return good;
}

/* Telling */

static double arithmetic_share(const Bench *b, const Found *f)
{
    return f->operations / f->best / b->arithmetic;
}

static double reading_share(const Found *f)
{
    return f->reading > 0 ? f->bytes / f->best / f->reading : 0;
}

/* What keeps it from being faster. */
static const char *bound(const Bench *b, const Found *f)
{
    double a = arithmetic_share(b, f), r = reading_share(f);

    if (!(a >= near || r >= near))
        return "neither";
    return a >= r ? "arithmetic" : "memory";
}

/* "12.3 M" */
static const char *large(Arena *a, double v)
{
    static const char *const unit[] = {"", " k", " M", " G", " T", " P"};
    enum { UNITS = sizeof unit / sizeof *unit };
    int k = 0;

    for (; v >= 999.5 && k + 1 < UNITS; k++)
        v /= 1000;
    return arena_printf(a, "%.3g%s", v, unit[k]);
}

static const char *seconds_text(Arena *a, double v)
{
    return v < 1e-6   ? arena_printf(a, "%.3g ns", v * 1e9)
           : v < 1e-3 ? arena_printf(a, "%.3g us", v * 1e6)
           : v < 1    ? arena_printf(a, "%.3g ms", v * 1e3)
                      : arena_printf(a, "%.3g s", v);
}

/* "model.nn:7", or "". */
static const char *place(const Bench *b, const Kernel *k)
{
    const char *at = diags_place(b->load.diags, b->load.arena, k->span, false);

    return at ? at : "";
}

static const char *schedule_text(const Bench *b, const Kernel *k)
{
    Str s = str_new(b->load.arena);

    kernel_dump(k, &s);
    return s.at ? s.at : "";
}

static void print_found(const Bench *b, const Found *f)
{
    Arena *a = b->load.arena;
    const Function *fn = f->function;

    printf("%s", f->name);
    for (int i = 0; i < fn->nvar; i++)
        printf("%s%s = %lld", i ? ", " : " with ", dim_var_name(fn->var[i]),
               (long long)f->dims[i]);
    printf("\n  time        %s (median %s of %d)\n", seconds_text(a, f->best),
           seconds_text(a, f->median), f->rounds);
    printf("  operations  %s, %s/s: %.0f %% of %s/s\n", large(a, f->operations),
           large(a, f->operations / f->best), 100 * arithmetic_share(b, f),
           large(a, b->arithmetic));
    printf("  bytes       %s, %s/s: %.0f %% of %s/s\n", large(a, f->bytes),
           large(a, f->bytes / f->best), 100 * reading_share(f),
           large(a, f->reading));
    printf("  bound by    %s\n", bound(b, f));
    for (int i = 0; i < f->tuned.n; i++)
        printf("  faster      %s: %s: %.2f of its time\n",
               f->tuned.at[i].kernel, f->tuned.at[i].setting,
               f->tuned.at[i].time);
    if (f->slowest < 0)
        return;
    const Kernel *k = f->schedule->kernel.at[f->slowest];
    printf("  slowest     kernel %d of %d, %.0f %%, %s\n%s", f->slowest,
           f->schedule->kernel.n, 100 * f->share, place(b, k),
           schedule_text(b, k));
}

static void put_number(Str *to, const char *name, double v)
{
    if (isfinite(v))
        str_printf(to, ", \"%s\": %.6g", name, v);
    else
        str_printf(to, ", \"%s\": null", name);
}

static void put_tuned(const Betters *all, Str *to)
{
    str_printf(to, ", \"tuned\": [");
    for (int i = 0; i < all->n; i++) {
        const Better *t = &all->at[i];
        str_printf(to, "%s{\"kernel\": ", i ? ", " : "");
        str_json(to, t->kernel);
        str_printf(to, ", \"setting\": ");
        str_json(to, t->setting);
        put_number(to, "time", t->time);
        str_printf(to, "}");
    }
    str_printf(to, "]");
}

static void put_found(const Bench *b, const Found *f, Str *to)
{
    const Function *fn = f->function;

    str_printf(to, "{\"name\": ");
    str_json(to, f->name);
    str_printf(to, ", \"dims\": {");
    for (int i = 0; i < fn->nvar; i++)
        str_printf(to, "%s\"%s\": %lld", i ? ", " : "",
                   dim_var_name(fn->var[i]), (long long)f->dims[i]);
    str_printf(to, "}");
    put_number(to, "seconds", f->best);
    put_number(to, "median", f->median);
    put_number(to, "operations", f->operations);
    put_number(to, "operations_per_second", b->arithmetic);
    put_number(to, "of_arithmetic", arithmetic_share(b, f));
    put_number(to, "bytes", f->bytes);
    put_number(to, "bytes_per_second", f->reading);
    put_number(to, "of_memory", reading_share(f));
    str_printf(to, ", \"bound\": \"%s\"", bound(b, f));
    if (option_value(b->args, "tune"))
        put_tuned(&f->tuned, to);
    if (f->slowest >= 0) {
        const Kernel *k = f->schedule->kernel.at[f->slowest];
        str_printf(to, ", \"kernels\": %d, \"slowest\": %d",
                   f->schedule->kernel.n, f->slowest);
        put_number(to, "share", f->share);
        str_printf(to, ", \"place\": ");
        str_json(to, place(b, k));
        str_printf(to, ", \"schedule\": ");
        str_json(to, schedule_text(b, k));
    }
    str_printf(to, "}");
}

/* The command */

/* Does each word say something of one of them? False after a message. */
static bool check_words(const Args *a, Function *const *f, int n)
{
    for (int i = 1; i < a->word.n; i++) {
        bool used = !is_argument(a->word.at[i]);
        for (int k = 0; k < n; k++)
            used |= concerns(a->word.at[i], f[k]);
        if (!used) {
            cli_fail("none of the functions has what '%s' gives",
                     a->word.at[i]);
            return false;
        }
    }
    return true;
}

/* Each is told as soon as it is known, by its name or its own; false after a
 * message. */
static bool measure_all(Bench *b, Function *const *f, const char *const *name,
                        int n)
{
    bool as_json = option_value(b->args, "json") != NULL;
    Str json = str_new(b->args->arena);

    for (int i = 0; i < n; i++) {
        Found found;
        if (!measure_function(b, f[i], name ? name[i] : f[i]->name, &found))
            return false;
        if (as_json) {
            str_printf(&json, i ? ",\n " : "[");
            put_found(b, &found, &json);
        } else {
            print_found(b, &found);
            fflush(stdout);
        }
    }
    if (as_json)
        printf("%s]\n", json.at);
    return true;
}

static bool read_seconds(const Args *a, double *to)
{
    const char *text = option_value(a, "time");

    *to = 0.2;
    if (text && (!cli_is_real(text, to) || !(*to > 0 && *to <= 3600))) {
        cli_usage(a, "'--time' is seconds, above 0, not '%s'", text);
        return false;
    }
    return true;
}

static int bench(Args *a)
{
    Bench b = {.args = a};
    TargetOptions o = {.cpu = "native", .optimise = 2};
    const char *error = NULL;
    const char **name = NEWN(a->arena, const char *, a->word.n);
    int n = 0, threads;

    if (!read_seconds(a, &b.seconds) || !threads_option(a, &threads))
        return EXIT_USAGE;
    for (int i = 1; i < a->word.n; i++)
        if (!is_argument(a->word.at[i]))
            name[n++] = a->word.at[i];
    b.load.named = n > 0;
    int status = driver_load(a, a->word.at[0], DT_f32, &b.load);
    if (status)
        return status;
    Function **f = driver_functions(&b.load, name, n, &n);
    if (!f || !check_words(a, f, n))
        return EXIT_FAILURE;
    if (!speed_open(&b.speed, graph_real(b.load.module->graph), &o, &error))
        return cli_fail("%s", error);
    b.arithmetic = best_arithmetic(&b);
    bool good = nncc_pool_new(threads, &b.pool) == NN_OK || cli_failed();
    good = good && measure_all(&b, f, b.load.named ? name : NULL, n);
    nncc_pool_free(b.pool);
    jit_close(b.speed.jit);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const Option options[] = {
    {"json", 0, NULL, "as JSON"},
    THREADS_OPTION,
    {"time", 0, "SECONDS", "measure each thing for so long (0.2)"},
    {"tune", 0, NULL,
     "try other schedules: tell which are faster by more than 5 %"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_bench = {
    .name = "bench",
    .usage = "bench MODEL.nn [FUNCTION …] [name=value …] [options]",
    .about = "How long exported functions, or those named, take on this "
             "machine; what part\nthat is of its arithmetic and of reading "
             "memory, which are measured too; and\nwhich kernel takes longest. "
             "Dimensions are 64, reals between 0 and 1,\nintegers 1 (0 where 1 "
             "is no index) unless name=value says otherwise.",
    .option = options,
    .run = bench,
};
