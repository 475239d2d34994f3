/* grid.c: several trainings side by side: other seeds, other settings. */

#include "cli/course.h"
#include "cli/record.h"
#include "cli/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 10000 };

/* Options that are of one training. */
static const char *alone(const Args *a)
{
    static const char *const one[] = {"checkpoint",  "resume",   "log",
                                      "tensorboard", "report",   "plot",
                                      "norms",       "debug-nan"};

    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (option_value(a, one[i]))
            return one[i];
    return NULL;
}

/* lr=1e-3,3e-4 */
static int read_axis(const Args *a, const Module *m, const char *text, Grid *to)
{
    const char *equals = strchr(text, '=');
    GridAxis axis = {0};
    Names meant = {0};

    if (!equals || equals == text || !equals[1])
        return cli_usage(a, "'--grid' is NAME=VALUE,VALUE, not '%s'", text);
    axis.name = arena_printf(a->arena, "%.*s", (int)(equals - text), text);
    settings_find(a->arena, m, axis.name, &meant);
    if (meant.n != 1)
        return cli_usage(a, "'--grid': '%s' is no setting of this model%s",
                         axis.name, meant.n ? ", but of several items" : "");
    axis.name = meant.at[0];
    for (const char *at = equals + 1; at; at = strchr(at, ',')) {
        double v;
        at += *at == ',';
        const char *one =
            arena_printf(a->arena, "%.*s", (int)strcspn(at, ","), at);
        if (!cli_number(a, "grid", one, &v))
            return EXIT_USAGE;
        list_push(a->arena, &axis.value, v);
    }
    list_push(a->arena, &to->axis, axis);
    return EXIT_SUCCESS;
}

static int64_t count_runs(const Grid *g)
{
    int64_t n = g->seeds;

    for (int i = 0; i < g->axis.n && n <= MOST_RUNS; i++)
        n *= g->axis.at[i].value.n;
    return n;
}

int grid_read(const Args *a, const Module *m, Grid *to)
{
    bool given = option_value(a, "grid") || option_value(a, "seeds");
    int status = EXIT_SUCCESS;

    if (!given)
        return EXIT_SUCCESS;
    to->seeds = 1;
    if (!option_int(a, "seeds", 1, &to->seeds))
        return EXIT_USAGE;
    if (alone(a))
        return cli_usage(
            a, "'--%s' is of one training: not with --seeds, --grid", alone(a));
    const char *text;
    for (int i = 0; !status && (text = option_next(a, "grid", &i));)
        status = read_axis(a, m, text, to);
    if (!status && count_runs(to) > MOST_RUNS)
        return cli_usage(a, "more than %d trainings", MOST_RUNS);
    return status;
}

/* A training of the grid. */
typedef struct GridRun {
    uint64_t seed;
    const double *value; /* of each axis */
    bool diverged;
    nncc_train_result result;
} GridRun;

/* The seeds of one place run fastest. */
static GridRun run_at(const Args *a, const Grid *g, uint64_t seed, int64_t i)
{
    double *value = NEWN(a->arena, double, g->axis.n + 1);
    int64_t place = i / g->seeds;

    for (int k = g->axis.n; k-- > 0;) {
        const GridAxis *axis = &g->axis.at[k];
        value[k] = axis->value.at[place % axis->value.n];
        place /= axis->value.n;
    }
    return (GridRun){.seed = seed + (uint64_t)(i % g->seeds), .value = value};
}

static const char *number(Arena *a, double v)
{
    return arena_printf(a, "%.4g", v);
}

static void print_head(const Grid *g, const nncc_model *m, bool test)
{
    printf("%6s", "seed");
    for (int k = 0; k < g->axis.n; k++)
        printf("  %10s", g->axis.at[k].name);
    printf("  %10s", "train loss");
    if (test)
        printf("  %10s", "test loss");
    for (int i = 0; i < nncc_metric_count(m) && test; i++)
        printf("  %10s", nncc_metric_name(m, i));
    printf("\n");
}

static void print_run(const Args *a, const Grid *g, const GridRun *r)
{
    const nncc_train_result *o = &r->result;

    printf("%6llu", (unsigned long long)r->seed);
    for (int k = 0; k < g->axis.n; k++)
        printf("  %10s", number(a->arena, r->value[k]));
    printf("  %10s",
           r->diverged ? "diverged" : number(a->arena, o->train_loss));
    if (o->has_test)
        printf("  %10s", number(a->arena, o->test_loss));
    for (int i = 0; i < o->nmetric; i++)
        printf("  %10.4f", o->test_metric[i]);
    printf("\n");
    fflush(stdout);
}

static void print_run_json(const Args *a, const Grid *g, const nncc_model *m,
                           const GridRun *r)
{
    const nncc_train_result *o = &r->result;

    printf("{\"seed\": %llu", (unsigned long long)r->seed);
    for (int k = 0; k < g->axis.n; k++)
        json_number(g->axis.at[k].name, r->value[k], stdout);
    json_number("train_loss", r->diverged ? NAN : o->train_loss, stdout);
    if (o->has_test)
        json_number("test_loss", o->test_loss, stdout);
    for (int i = 0; i < o->nmetric; i++)
        json_number(arena_printf(a->arena, "test_%s", nncc_metric_name(m, i)),
                    o->test_metric[i], stdout);
    printf("}\n");
    fflush(stdout);
}

/* What trainings are compared by: the less the better. */
static double score(const nncc_model *m, const nncc_train_options *o,
                    const GridRun *r)
{
    const nncc_train_result *of = &r->result;

    if (r->diverged)
        return INFINITY;
    for (int i = 0; i < of->nmetric && o->best; i++)
        if (!strcmp(nncc_metric_name(m, i), o->best))
            return o->best_largest ? -of->test_metric[i] : of->test_metric[i];
    return of->has_test ? of->test_loss : of->train_loss;
}

/* Of the seeds of one place: mean and deviation of what they are compared by.
 */
static void print_place(const Args *a, const Grid *g, const GridRun *run,
                        const double *score, bool negated)
{
    double mean = 0, squares = 0;
    int n = (int)g->seeds;

    for (int i = 0; i < n; i++)
        mean += (negated ? -score[i] : score[i]) / n;
    for (int i = 0; i < n; i++)
        squares += pow((negated ? -score[i] : score[i]) - mean, 2);
    printf("%6s", "mean");
    for (int k = 0; k < g->axis.n; k++)
        printf("  %10s", number(a->arena, run->value[k]));
    printf("  %s +- %s\n", number(a->arena, mean),
           number(a->arena, n > 1 ? sqrt(squares / (n - 1)) : 0));
}

/* Trains one; false after a message. What diverges is no fault. */
static bool train_one(const Args *a, const Grid *g, nncc_model *m,
                      const nncc_train_options *o, const Sets *s, GridRun *r,
                      GridLoad *load)
{
    nncc_train_options own = *o;
    nncc_setting *setting =
        NEWN(a->arena, nncc_setting, o->nsetting + g->axis.n + 1);

    if (o->nsetting)
        memcpy(setting, o->setting, (size_t)o->nsetting * sizeof *setting);
    for (int k = 0; k < g->axis.n; k++)
        setting[own.nsetting++] =
            (nncc_setting){g->axis.at[k].name, r->value[k]};
    own.setting = setting;
    own.seed = r->seed;
    if (!load(a, m, &own, s))
        return false;
    int status = nncc_train(m, &own, s->train, sets_held(s), &r->result);
    r->diverged = status == NN_ERR_DIVERGED;
    if (status != NN_OK && !r->diverged)
        return cli_failed();
    return true;
}

bool grid_train(const Args *a, const Grid *g, Trained *t,
                const nncc_train_options *o, const Sets *s, GridLoad *load)
{
    int64_t n = count_runs(g), best = -1;
    GridRun *run = NEWN(a->arena, GridRun, n + 1);
    double *by = NEWN(a->arena, double, n + 1);
    bool json = option_value(a, "json") != NULL, good = true, stopped = false;

    if (!json)
        print_head(g, t->model, s->test);
    for (int64_t i = 0; i < n && good && !stopped; i++) {
        nncc_model *m;
        run[i] = run_at(a, g, o->seed, i);
        if (nncc_wrap(nncc_descriptor(t->model), &m) != NN_OK)
            return cli_failed();
        good = train_one(a, g, m, o, s, &run[i], load);
        by[i] = good ? score(m, o, &run[i]) : INFINITY;
        if (good && json)
            print_run_json(a, g, m, &run[i]);
        else if (good)
            print_run(a, g, &run[i]);
        stopped = run[i].result.stopped;
        bool leads = good && !run[i].diverged && (best < 0 || by[i] < by[best]);
        best = leads ? i : best;
        nncc_close(leads ? t->model : m);
        t->model = leads ? m : t->model;
        if (!json && good && g->seeds > 1 && (i + 1) % g->seeds == 0)
            print_place(a, g, &run[i], by + i + 1 - g->seeds,
                        o->best && o->best_largest);
    }
    if (good && best < 0)
        good = cli_fail("no training came to an end") == 0;
    if (good && !json) {
        printf("best: seed %llu", (unsigned long long)run[best].seed);
        for (int k = 0; k < g->axis.n; k++)
            printf(", %s %s", g->axis.at[k].name,
                   number(a->arena, run[best].value[k]));
        printf("\n");
    }
    return good;
}
