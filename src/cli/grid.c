/* grid.c: several trainings side by side: other seeds, other settings; some of
 * them at a time, each in a thread with a model of its own. */

#include "cli/course.h"
#include "cli/record.h"
#include "cli/settings.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_RUNS = 10000 };

/* lr=1e-3,3e-4 */
static int read_axis(const Args *a, const Module *m, const char *text, Grid *to)
{
    const char *values;
    GridAxis axis = {.name = cli_name(a->arena, text, &values)};
    Names meant = {0};

    if (!axis.name || !*values)
        return cli_usage(a, "'--grid' is NAME=VALUE,VALUE, not '%s'", text);
    settings_find(a->arena, m, axis.name, &meant);
    if (meant.n != 1)
        return cli_usage(a, "'--grid': '%s' is no setting of this model%s",
                         axis.name, meant.n ? ", but of several items" : "");
    axis.name = meant.at[0];
    for (const char *at = values; at; at = strchr(at, ',')) {
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

bool grid_asked(const Args *a)
{
    return option_value(a, "grid") || option_value(a, "seeds");
}

int grid_read(const Args *a, const Module *m, Grid *to)
{
    int status = EXIT_SUCCESS;

    if (!grid_asked(a))
        return EXIT_SUCCESS;
    to->seeds = to->jobs = 1;
    if (!option_int(a, "seeds", 1, &to->seeds) ||
        !option_int(a, "jobs", 1, &to->jobs))
        return EXIT_USAGE;
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
    bool diverged, done;
    nncc_model *model;
    nncc_train_options options;
    nncc_checkpoints checkpoints;
    Recorder recorder;
    int (*ask)(void *context, const nncc_progress *now); /* is it to end? */
    nncc_train_result result;
} GridRun;

/* All of them. The lock is held by who looks at anything but one's own run. */
typedef struct GridWork {
    const Args *args;
    const Grid *grid;
    Trained *trained; /* its model is the best one so far */
    const nncc_train_options *options;
    const Sets *sets;
    GridLoad *load;
    GridRun *run; /* [n] */
    double *by;   /* what those told are compared by */
    int64_t n, next, told, best;
    const nncc_ranks *ranks; /* processes that share them; or NULL */
    bool json, good, stopped, held;
    pthread_mutex_t lock;
} GridWork;

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

static void print_head(const Grid *g, const nncc_model *m, const Sets *s)
{
    printf("%6s", "seed");
    for (int k = 0; k < g->axis.n; k++)
        printf("  %10s", g->axis.at[k].name);
    printf("  %10s", "train loss");
    if (sets_held(s))
        printf("  %10s", s->validation ? "valid loss" : "test loss");
    for (int i = 0; i < nncc_metric_count(m) && sets_held(s); i++)
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
                           const Sets *s, const GridRun *r)
{
    const nncc_train_result *o = &r->result;
    const char *held = sets_held_name(s);

    printf("{\"seed\": %llu", (unsigned long long)r->seed);
    for (int k = 0; k < g->axis.n; k++)
        json_number(g->axis.at[k].name, r->value[k], stdout);
    json_number("train_loss", r->diverged ? NAN : o->train_loss, stdout);
    if (o->has_test)
        json_number(arena_printf(a->arena, "%s_loss", held), o->test_loss,
                    stdout);
    for (int i = 0; i < o->nmetric; i++)
        json_number(
            arena_printf(a->arena, "%s_%s", held, nncc_metric_name(m, i)),
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

/* "seed-1-lr-0.001": what belongs to a run is in a folder so called. */
static const char *folder_name(const Args *a, const Grid *g, const GridRun *r)
{
    Str s = str_new(a->arena);

    str_printf(&s, "seed-%llu", (unsigned long long)r->seed);
    for (int k = 0; k < g->axis.n; k++)
        str_printf(&s, "-%s-%s", g->axis.at[k].name,
                   real_digits(a->arena, r->value[k], false, 1));
    return s.at;
}

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    cli_fail("%s: %s", path, strerror(errno));
    return false;
}

/* A file of the run: in a folder of its own beside where it is without. */
static const char *file_of_run(const GridWork *w, const GridRun *r,
                               const char *path)
{
    Arena *a = w->args->arena;
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *folder = arena_printf(a, "%.*s%s", (int)(base - path), path,
                                      folder_name(w->args, w->grid, r));

    return make_folder(folder) ? arena_printf(a, "%s/%s", folder, base) : NULL;
}

static int tell_run(void *context, const nncc_progress *now)
{
    GridRun *r = context;

    if (r->recorder.log.to)
        recorder_tell(&r->recorder, now);
    return r->ask(NULL, now);
}

/* Its --checkpoint and --log; false after a message. */
static bool begin_files(const GridWork *w, GridRun *r)
{
    Args *own = arena_copy(w->args->arena, w->args, sizeof *own);
    const char *log = option_value(w->args, "log");

    if (r->options.checkpoints) {
        r->checkpoints = *r->options.checkpoints;
        r->options.checkpoints = &r->checkpoints;
        if (!make_folder(r->checkpoints.folder))
            return false;
        r->checkpoints.folder =
            arena_printf(w->args->arena, "%s/%s", r->checkpoints.folder,
                         folder_name(w->args, w->grid, r));
        if (nncc_checkpoints_begin(&r->checkpoints) != NN_OK)
            return cli_failed();
    }
    if (!log)
        return true;
    Given given = {"log", file_of_run(w, r, log)};
    own->given.at = arena_copy(own->arena, own->given.at,
                               sizeof *own->given.at * (size_t)own->given.n);
    own->given.cap = own->given.n;
    list_push(own->arena, &own->given, given);
    return given.value && recorder_options(own, &r->recorder) == EXIT_SUCCESS &&
           recorder_begin(own, r->model, sets_held_name(w->sets), &r->recorder);
}

/* Run number i, ready to be trained; false after a message. */
static bool begin_run(GridWork *w, int64_t i)
{
    const nncc_train_options *o = w->options;
    const Grid *g = w->grid;
    GridRun *r = &w->run[i];
    nncc_setting *setting =
        NEWN(w->args->arena, nncc_setting, o->nsetting + g->axis.n + 1);

    *r = run_at(w->args, g, o->seed, i);
    r->options = *o;
    r->options.seed = r->seed;
    r->options.setting = setting;
    r->ask = o->progress;
    r->options.progress = tell_run;
    r->options.context = r;
    if (o->nsetting)
        memcpy(setting, o->setting, (size_t)o->nsetting * sizeof *setting);
    for (int k = 0; k < g->axis.n; k++)
        setting[r->options.nsetting++] =
            (nncc_setting){g->axis.at[k].name, r->value[k]};
    if (nncc_wrap(nncc_descriptor(w->trained->model), &r->model) != NN_OK)
        return cli_failed();
    return threads_use(w->args, r->model) &&
           w->load(w->args, r->model, &r->options, w->sets) &&
           begin_files(w, r);
}

/* The best model stays, of those that were trained here. */
static void keep_model(GridWork *w, GridRun *r, bool leads)
{
    bool stays = r->model && (leads || !w->held);
    nncc_model *rest = stays ? w->trained->model : r->model;

    w->trained->model = stays ? r->model : w->trained->model;
    w->held |= stays;
    nncc_close(rest);
    r->model = NULL;
}

/* Run number i is told, behind those before it. */
static void tell_one(GridWork *w, int64_t i)
{
    GridRun *r = &w->run[i];
    const Grid *g = w->grid;

    w->by[i] = score(w->trained->model, w->options, r);
    if (w->json)
        print_run_json(w->args, g, w->trained->model, w->sets, r);
    else
        print_run(w->args, g, r);
    bool leads = !r->diverged && (w->best < 0 || w->by[i] < w->by[w->best]);
    keep_model(w, r, leads);
    w->best = leads ? i : w->best;
    if (!w->json && g->seeds > 1 && (i + 1) % g->seeds == 0)
        print_place(w->args, g, r, w->by + i + 1 - g->seeds,
                    w->options->best && w->options->best_largest);
}

/* What diverges is no fault. */
static void end_run(GridWork *w, int64_t i, int status)
{
    GridRun *r = &w->run[i];

    r->diverged = status == NN_ERR_DIVERGED;
    r->done = status == NN_OK || r->diverged;
    if (!r->done)
        w->good = cli_failed();
    if (r->recorder.args && !recorder_end(&r->recorder))
        w->good = false;
    w->stopped |= r->done && r->result.stopped;
    while (w->told < w->n && w->run[w->told].done)
        tell_one(w, w->told++);
}

/* Trains one after another, until there is no more to begin. */
static void *work(void *context)
{
    GridWork *w = context;

    pthread_mutex_lock(&w->lock);
    while (w->next < w->n && w->good && !w->stopped) {
        int64_t i = w->next++;
        GridRun *r = &w->run[i];
        w->good = begin_run(w, i);
        if (!w->good)
            break;
        pthread_mutex_unlock(&w->lock);
        int status = nncc_train(r->model, &r->options, w->sets->train,
                                sets_held(w->sets), &r->result);
        pthread_mutex_lock(&w->lock);
        end_run(w, i, status);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* The caller is one of the workers. */
static void work_side_by_side(GridWork *w)
{
    int64_t n = w->grid->jobs < w->n ? w->grid->jobs : w->n, begun = 0;
    pthread_t *thread = NEWN(w->args->arena, pthread_t, n + 1);

    pthread_mutex_init(&w->lock, NULL);
    while (begun + 1 < n && pthread_create(&thread[begun], NULL, work, w) == 0)
        begun++;
    work(w);
    while (begun > 0)
        pthread_join(thread[--begun], NULL);
    pthread_mutex_destroy(&w->lock);
}

/* Several processes: of as many runs as there are each makes one, and then they
 * say what these gave. */

typedef struct GridWord {
    int32_t bad, done, diverged, reserved;
    nncc_train_result result;
} GridWord;

static void make_run(GridWork *w, int64_t i, GridWord *word)
{
    GridRun *r = &w->run[i];
    int status = NN_OK;

    word->bad = !begin_run(w, i);
    if (word->bad)
        return;
    status = nncc_train(r->model, &r->options, w->sets->train,
                        sets_held(w->sets), &r->result);
    word->diverged = status == NN_ERR_DIVERGED;
    word->done = status == NN_OK || word->diverged;
    if (!word->done)
        word->bad = !cli_failed();
    if (r->recorder.args && !recorder_end(&r->recorder))
        word->bad = true;
    word->result = r->result;
}

/* The run of another process, as far as it can be told here. */
static void hear_run(GridWork *w, int64_t i, const GridWord *word)
{
    GridRun *r = &w->run[i];

    if (i % w->ranks->count != w->ranks->rank)
        *r = run_at(w->args, w->grid, w->options->seed, i);
    r->result = word->result;
    r->diverged = word->diverged;
    r->done = word->done;
    w->good &= !word->bad;
    w->stopped |= r->done && r->result.stopped;
    if (r->done && w->told == i)
        tell_one(w, w->told++);
}

static void work_in_turns(GridWork *w)
{
    const nncc_ranks *of = w->ranks;
    GridWord *all = NEWN(w->args->arena, GridWord, of->count);

    for (int64_t at = 0; at < w->n && w->good && !w->stopped; at += of->count) {
        GridWord mine = {0};
        if (at + of->rank < w->n)
            make_run(w, at + of->rank, &mine);
        if (of->gather(of->context, &mine, sizeof mine, all) != 0) {
            w->good = cli_fail("the other processes do not answer") == 0;
            return;
        }
        for (int64_t i = 0; i < of->count && at + i < w->n; i++)
            hear_run(w, at + i, &all[i]);
    }
}

/* What it has by that name becomes what rank `from` has. */
static bool take_port(const GridWork *w, const char *name, int from)
{
    const nncc_ranks *of = w->ranks;
    const nncc_tensor *leaf;
    const nn_port *port;
    bool good = true;

    if (nncc_state(w->trained->model, name, &port, NULL, &leaf) != NN_OK)
        return cli_failed();
    for (int l = 0; l < port->nleaf && good; l++) {
        size_t bytes = 0;
        int64_t n;
        nncc_tensor_count(&leaf[l], &n, &bytes);
        char *all = malloc(bytes * (size_t)of->count + 1);
        good = all && of->gather(of->context, leaf[l].data, bytes, all) == 0;
        if (good)
            memcpy(leaf[l].data, all + (size_t)from * bytes, bytes);
        free(all);
    }
    return good || cli_fail("what another process has trained does not come "
                            "through") == 0;
}

/* All that init begins of the best run, which one of them has made; some may
 * have made none. */
static bool take_best(const GridWork *w)
{
    const Function *init = w->trained->module->init;
    bool good =
        w->ranks->rank < w->n ||
        nncc_prepare(w->trained->model, w->options, w->sets->train) == NN_OK ||
        cli_failed();

    for (int i = 0; i < init->nresult && good; i++)
        good = take_port(w, init->result[i].name,
                         (int)(w->best % w->ranks->count));
    return good;
}

static void print_best(const GridWork *w)
{
    const GridRun *r = &w->run[w->best];

    printf("best: seed %llu", (unsigned long long)r->seed);
    for (int k = 0; k < w->grid->axis.n; k++)
        printf(", %s %s", w->grid->axis.at[k].name,
               number(w->args->arena, r->value[k]));
    printf("\ntrain loss: %.4g\n", r->result.train_loss);
    if (r->result.has_test)
        printf("%s loss: %.4g\n", sets_held_name(w->sets), r->result.test_loss);
    for (int i = 0; i < r->result.nmetric; i++)
        printf("%s %s: %.4f\n", sets_held_name(w->sets),
               nncc_metric_name(w->trained->model, i),
               r->result.test_metric[i]);
}

bool grid_train(const Args *a, const Grid *g, Trained *t,
                const nncc_train_options *o, const Sets *s, GridLoad *load,
                const nncc_ranks *ranks)
{
    GridWork w = {.args = a,
                  .grid = g,
                  .trained = t,
                  .options = o,
                  .sets = s,
                  .load = load,
                  .n = count_runs(g),
                  .best = -1,
                  .ranks = ranks,
                  .json = option_value(a, "json") != NULL,
                  .good = true};

    w.run = NEWN(a->arena, GridRun, w.n + 1);
    w.by = NEWN(a->arena, double, w.n + 1);
    if (!w.json)
        print_head(g, t->model, s);
    if (ranks)
        work_in_turns(&w);
    else
        work_side_by_side(&w);
    for (int64_t i = w.told; i < w.n; i++)
        nncc_close(w.run[i].model);
    if (w.good && w.best < 0)
        w.good = cli_fail("no training came to an end") == 0;
    if (w.good && !w.json)
        print_best(&w);
    return w.good && (!ranks || take_best(&w));
}
