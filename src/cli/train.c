/* train.c: nncc train: a model's `train` item on a data set. */

#include "cli/cli.h"
#include "cli/course.h"
#include "cli/fault.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/record.h"
#include "cli/report.h"
#include "cli/sets.h"
#include "cli/settings.h"
#include "cli/trained.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Signals */

static volatile sig_atomic_t interrupted;
/* What ends a training early, and what it does otherwise: the second one ends
 * the program, with unfinished files taken away. */
static const int ending[] = {SIGINT, SIGTERM};
enum { NENDING = sizeof ending / sizeof *ending };
static struct sigaction outside[NENDING];

static void let_end(void)
{
    for (int i = 0; i < NENDING; i++)
        sigaction(ending[i], &outside[i], NULL);
}

static void interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
    let_end();
}

/* What is ignored stays so. */
static void catch_endings(void)
{
    struct sigaction act = {.sa_handler = interrupt};

    for (int i = 0; i < NENDING; i++) {
        sigaction(ending[i], NULL, &outside[i]);
        if (outside[i].sa_handler != SIG_IGN)
            sigaction(ending[i], &act, NULL);
    }
}

/* Settings */

static int unknown_setting(const Args *a, const Module *m, const char *name)
{
    Names known = {0};

    settings_list(a->arena, m, &known);
    for (const Option *o = a->command->option; o->name; o++)
        list_push(a->arena, &known, o->name);
    const char *near = nearest_name(name, known.at, known.n);
    return cli_usage(
        a, "'--%s' is neither an option nor a setting of this model%s", name,
        near ? arena_printf(a->arena, " (did you mean '--%s'?)", near) : "");
}

typedef LIST(nncc_setting) Settings;

/* Every --name=value that the table does not list must be a scalar of the
 * model's steps. */
static int read_settings(const Args *a, const Module *m, Settings *to)
{
    for (int i = 0; i < a->setting.n; i++) {
        const Given *g = &a->setting.at[i];
        Names meant = {0};
        nncc_setting s = {0};
        settings_find(a->arena, m, g->name, &meant);
        if (meant.n == 0)
            return unknown_setting(a, m, g->name);
        if (!cli_number(a, g->name, g->value, &s.value))
            return EXIT_USAGE;
        for (int k = 0; k < meant.n; k++) {
            s.name = meant.at[k];
            list_push(a->arena, to, s);
        }
    }
    return EXIT_SUCCESS;
}

/* Saving */

/* What --save names, opened before the training, which may take long. */
typedef struct Save {
    const char *name; /* of what is updated; NULL: what is trained */
    NewFile file;
} Save;

typedef LIST(Save) Saves;

static void drop_saves(Saves *s)
{
    for (int i = 0; i < s->n; i++)
        file_drop(&s->at[i].file);
}

static int begin_save(const Args *a, const char *value, Saves *to)
{
    Save s = {0};
    const char *path;

    s.name = trained_name(a, value, &path);
    int status = trained_format(a, path);
    if (status)
        return status;
    if (!file_begin(a->arena, path, 0666, &s.file))
        return EXIT_FAILURE;
    list_push(a->arena, to, s);
    return EXIT_SUCCESS;
}

static int begin_saves(const Args *a, const Module *m, Saves *to)
{
    int status = trained_check(a, m);

    const char *value;
    for (int i = 0; !status && (value = option_next(a, "save", &i));)
        status = begin_save(a, value, to);
    if (status)
        drop_saves(to);
    return status;
}

static bool save(const Args *a, const Trained *t, Saves *s)
{
    bool good = true;

    for (int i = 0; i < s->n; i++)
        good = trained_save(a, t, s->at[i].name, &s->at[i].file) && good;
    return good;
}

/* The run */

enum { MOST_SKIPPED = 5 }; /* of which each is told */

/* What is told, and where, and what is left in the end. */
typedef struct Telling {
    const Args *args;
    Ranks ranks;
    const Module *module;
    Progress progress;
    Recorder recorder;
    Saves saves;
    Report report;
    bool kept, failed; /* the settings beside the checkpoints */
    bool trained;      /* what is saved then, whatever cannot be told of it */
} Telling;

static int progress(void *context, const nncc_progress *now)
{
    Telling *t = context;

    if (!ranks_first(&t->ranks))
        return interrupted;
    if (now->event == NNCC_EVENT_SKIPPED) {
        if (now->skipped <= MOST_SKIPPED)
            fprintf(stderr, "nncc: %s\n", nncc_last_error());
        return interrupted;
    }
    if (!t->kept)
        t->failed = !settings_keep(t->args, t->module);
    t->kept = true;
    progress_tell(&t->progress, now);
    recorder_tell(&t->recorder, now);
    return interrupted || t->failed;
}

static void print_outcome(Arena *a, const nncc_train_result *r,
                          const nncc_model *m, const char *held)
{
    if (r->stopped)
        printf("stopped after %lld epochs\n", (long long)r->epochs);
    if (r->out_of_patience)
        printf("no better for a while: stopped after %lld epochs\n",
               (long long)r->epochs);
    if (r->best_epoch != r->epochs)
        printf("parameters of epoch %lld, the best\n",
               (long long)r->best_epoch);
    if (r->skipped)
        printf("skipped steps: %lld\n", (long long)r->skipped);
    for (int i = 0; i < nncc_item_count(m); i++)
        printf("train %s: %.4g\n", i ? nncc_item_name(m, i) : "loss",
               r->item_loss[i]);
    printf("training time: %.2f s\n", r->seconds);
    if (r->has_test)
        printf("%s loss: %.4g\n", held, r->test_loss);
    for (int i = 0; i < r->nmetric; i++)
        printf("%s %s: %.4f\n", held, nncc_metric_name(m, i),
               r->test_metric[i]);
    if (r->has_test)
        trained_print_tensors(m, arena_printf(a, "%s ", held), false);
}

/* On rows that nothing was chosen by. */
static bool print_test(nncc_model *m, const Sets *s)
{
    double loss, metric[NNCC_MAX_METRICS];

    if (!s->validation || !s->test)
        return true;
    if (nncc_evaluate(m, s->test, 0, NULL, &loss, metric) != NN_OK)
        return cli_failed();
    printf("test loss: %.4g\n", loss);
    for (int i = 0; i < nncc_metric_count(m); i++)
        printf("test %s: %.4f\n", nncc_metric_name(m, i), metric[i]);
    trained_print_tensors(m, "test ", false);
    return true;
}

static void tell_fault(const Args *a, const Trained *t)
{
    if (option_value(a, "debug-nan"))
        fault_tell(a, t->model, t->module->hash);
    else
        fprintf(stderr, "--debug-nan tells where in the model it began\n");
}

/* What is one process's is all processes': the first one tells it. */
static void tell_failure(const Args *a, const Trained *to, const Telling *t,
                         int status)
{
    const nncc_store *step;

    if (ranks_first(&t->ranks))
        cli_failed();
    if (status == NN_ERR_DIVERGED &&
        nncc_stopped_step(to->model, &step) == NN_OK)
        tell_fault(a, to);
}

static bool train_here(const Args *a, const Trained *to, nncc_train_options *o,
                       const Sets *s, Telling *t)
{
    nncc_model *m = to->model;
    nncc_train_result r = {0};

    progress_begin(a, m, &t->progress);
    t->progress.held = sets_held_name(s);
    o->ranks = t->ranks.library ? &t->ranks.of : NULL;
    o->progress = progress;
    o->context = t;
    catch_endings();
    int status = nncc_train(m, o, s->train, sets_held(s), &r);
    let_end();
    progress_end(&t->progress);
    t->trained = status == NN_OK && !t->failed;
    if (status == NN_OK) {
        print_outcome(a->arena, &r, m, t->progress.held);
        t->failed |= !print_test(m, s);
        if (t->recorder.has_norms && !option_value(a, "quiet"))
            norms_print(&t->recorder.norms);
        recorder_result(&t->recorder, &r);
        t->failed |= !report_write(&t->report, to, s, &t->recorder.kept, &r);
    } else {
        tell_failure(a, to, t, status);
    }
    return recorder_end(&t->recorder) && status == NN_OK && !t->failed;
}

/* From what --load has, if anything. */
static bool load(const Args *a, nncc_model *m, nncc_train_options *o,
                 const Sets *s)
{
    nncc_data *fit = NULL;

    if (!option_value(a, "load"))
        return true;
    if (nncc_prepare(m, o, s->train) != NN_OK)
        return cli_failed();
    o->keep = 1;
    /* nncc watch has told what is missing, and why. */
    bool good = trained_load(
        a, m, a->command != &command_watch ? LOAD_tell : LOAD_quiet, &fit);
    nncc_data_free(fit);
    return good;
}

static int is_interrupted(void *context, const nncc_progress *now)
{
    (void)context;
    (void)now;
    return interrupted;
}

static bool train_grid(const Args *a, const Grid *g, Trained *t,
                       nncc_train_options *o, const Sets *s, const Ranks *ranks)
{
    o->progress = is_interrupted;
    catch_endings();
    bool done =
        grid_train(a, g, t, o, s, load, ranks->library ? &ranks->of : NULL);
    let_end();
    return done;
}

static int read_checkpoints(const Args *a, nncc_checkpoints *c)
{
    c->folder = option_value(a, "checkpoint");
    c->resume = option_value(a, "resume") != NULL;
    c->overwrite = option_value(a, "overwrite") != NULL;
    if (!option_int(a, "checkpoint-steps", 1, &c->steps) ||
        !option_int(a, "keep", 1, &c->keep))
        return EXIT_USAGE;
    return EXIT_SUCCESS;
}

static int read_order(const Args *a, nncc_train_options *o)
{
    static const char *const kind[] = {"shuffled", "kept", "streams"};

    return cli_choice(a, "order", option_value(a, "order"), kind, 3,
                      &o->keep_order);
}

/* Everything about the command line, before the model is read. */
static int read_all(Args *a, nncc_train_options *o,
                    nncc_checkpoints *checkpoints, SetOptions *data)
{
    int status = course_read(a, o);
    if (!status)
        status = read_order(a, o);
    if (!status)
        status = read_checkpoints(a, checkpoints);
    if (!status && !option_value(a, "print-config"))
        status = sets_options(a, o->seed, data);
    if (!status && checkpoints->folder)
        o->checkpoints = checkpoints;
    return status;
}

/* Can its steps add up gradients though the model does not say so? */
static bool accumulates(const Args *a)
{
    static const char name[] = "accumulate";
    bool given = false;

    for (int i = 0; i < a->setting.n; i++) {
        const char *own = strrchr(a->setting.at[i].name, '.');
        given |= !strcmp(own ? own + 1 : a->setting.at[i].name, name);
    }
    const char *text;
    for (int i = 0; (text = option_next(a, "grid", &i));)
        given |= !strncmp(text, name, sizeof name - 1);
    return given;
}

/* All that a training is made of. */
typedef struct Course {
    Load load;
    Sets sets;
    SetOptions data;
    Grid grid;
    nncc_checkpoints checkpoints;
    nncc_train_options options;
    Settings settings;
    Trained trained;
} Course;

/* The model, and what the command line says of it. */
static int read_model(Args *a, Course *c)
{
    Load *l = &c->load;

    l->named = option_value(a, "report") != NULL;
    l->accumulates |= accumulates(a);
    int status = driver_load(a, a->word.at[0], DT_f32, l);
    if (status)
        return status;
    if (!l->module->init || l->module->training.n == 0)
        return cli_fail("%s has no 'train' item, so there is nothing to train",
                        l->path);
    status = read_settings(a, l->module, &c->settings);
    c->options.setting = c->settings.at;
    c->options.nsetting = c->settings.n;
    return status;
}

static bool trains_on_data(const Module *m)
{
    bool does = false;

    for (int i = 0; i < m->training.n; i++) {
        const Function *step = m->training.at[i].step;
        for (int k = 0; k < step->nparam; k++)
            does |= function_takes_data(step, k);
    }
    return does;
}

/* What is read and written, opened. */
static int open_files(Args *a, Course *c, Telling *t)
{
    const Module *m = c->load.module;
    int status =
        c->data.none && trains_on_data(m) ? sets_lack(a) : (int)EXIT_SUCCESS;

    if (!status)
        status = grid_read(a, m, &c->grid);
    if (!status && option_value(a, "jobs") && t->ranks.library)
        status = cli_usage(a, "'--jobs' is of one process: of several each "
                              "makes one training at a time");
    if (!status)
        status = begin_saves(a, m, &t->saves);
    if (!status)
        status = report_begin(a, &t->report);
    if (!status && !c->grid.seeds && !recorder_json(a, &t->recorder))
        status = EXIT_FAILURE;
    c->data.model = m;
    if (!status && !sets_read(&c->data, &c->sets))
        status = EXIT_FAILURE;
    if (!status && !c->grid.seeds &&
        nncc_checkpoints_begin(c->options.checkpoints) != NN_OK) {
        cli_failed();
        status = EXIT_FAILURE;
    }
    return status;
}

/* The model as it is before the first step. */
static bool open_model(Args *a, Course *c, Telling *t)
{
    t->module = c->load.module;
    if (!trained_open(&c->load, report_function(a, &c->load), &c->trained) ||
        !threads_use(a, c->trained.model))
        return false;
    return c->grid.seeds ||
           (load(a, c->trained.model, &c->options, &c->sets) &&
            recorder_begin(a, c->trained.model, sets_held_name(&c->sets),
                           &t->recorder));
}

static bool train_model(Args *a, Course *c, Telling *t)
{
    bool done = c->grid.seeds
                    ? train_grid(a, &c->grid, &c->trained, &c->options,
                                 &c->sets, &t->ranks)
                    : train_here(a, &c->trained, &c->options, &c->sets, t);

    return (done || t->trained) && save(a, &c->trained, &t->saves) && done;
}

static int train_course(Args *a, Course *c, Telling *t)
{
    int status = open_files(a, c, t);

    if (!status && !open_model(a, c, t))
        status = EXIT_FAILURE;
    status = ranks_agree(&t->ranks, status);
    if (!status && !train_model(a, c, t))
        status = EXIT_FAILURE;
    trained_close(&c->trained);
    drop_saves(&t->saves);
    report_drop(&t->report);
    if (!recorder_end(&t->recorder))
        status = EXIT_FAILURE;
    sets_free(&c->sets);
    return status;
}

static int train_ranks(Args *a, Telling *t)
{
    Course c = {.options = NNCC_TRAIN_DEFAULTS,
                .load = {.accumulates = t->ranks.library && !grid_asked(a)}};

    c.options.epochs = 30;
    int status = read_all(a, &c.options, &c.checkpoints, &c.data);
    if (!status)
        status = recorder_options(a, &t->recorder);
    if (!status)
        status = read_model(a, &c);
    if (status || option_value(a, "print-config")) {
        status = ranks_agree(&t->ranks, status);
        if (!status)
            fputs(settings_text(a, c.load.module), stdout);
        return status;
    }
    return train_course(a, &c, t);
}

static int train(Args *a)
{
    Telling t = {.args = a};
    int status = ranks_begin(a, &t.ranks);

    if (!status)
        status = train_ranks(a, &t);
    ranks_end(&t.ranks);
    return status;
}

const Option train_options[] = {
    {"data", 0, "[NAME=]FILE",
     "rows to train on: CSV, IDX, .npy, FILE.npz:ARRAY, gzipped\n"
     "or not; of several parameters each one's, or .npz,\n"
     ".safetensors with all of them"},
    {"columns", 0, "NAME=COLUMNS",
     "those for a parameter, by name or number: x=2:14, y=price"},
    {"labels", 0, "FILE",
     "their labels, where they are in a file of their own"},
    CSV_OPTIONS,
    {"text", 0, "FILE", "a text to train on instead, in rows of characters"},
    {"bytes", 0, NULL, "of its bytes instead"},
    {"length", 0, "N", "characters of a row (64)"},
    {"stride", 0, "N", "characters from one row to the next (the length)"},
    {"test", 0, "N", "rows to hold out, or their share (0.2)"},
    {"validation", 0, "N",
     "of the others, rows to look at meanwhile; test rows are\n"
     "then for the end"},
    {"split", 0, "KIND",
     "which rows these are: random, order (the last), stratified\n"
     "(each class its share)"},
    {"test-data", 0, "FILE", "rows to test on, instead of some held out"},
    {"validation-data", 0, "FILE", "likewise"},
    {"test-labels", 0, "FILE", "their labels"},
    {"class-weights", 0, "NAME",
     "parameter for weights of rows, so that classes count alike"},
    {"scale", 0, "X", "multiply all features by X, as 1/255"},
    {"standardise", 0, NULL,
     "features to mean 0 and deviation 1, but not what predict lacks"},
    {"epochs", 0, "N", "passes over the data (30)"},
    {"steps", 0, "N", "so many steps instead"},
    {"batch", 0, "N", "rows of a step (32)"},
    THREADS_OPTION,
    {"order", 0, "KIND",
     "of rows: shuffled, kept, or streams that go on from batch to\n"
     "batch, with what is carried"},
    {"schedule", 0, "[NAME=]KIND",
     "how lr, or NAME, goes: constant, linear, cosine, step,\n"
     "one-cycle, plateau"},
    {"warmup", 0, "[NAME=]N", "steps at first in which it grows"},
    {"factor", 0, "[NAME=]X",
     "what is left in the end (0), or by a step (0.1)"},
    {"every", 0, "[NAME=]N",
     "epochs from one step to the next (10); of a plateau,\n"
     "evaluations without a better one (5)"},
    {"patience", 0, "N", "stop after N evaluations without a better test loss"},
    {"eval-steps", 0, "N", "evaluate every N steps, not after each epoch"},
    {"best", 0, "WHAT", "what is better: loss, max:METRIC, min:METRIC"},
    {"ema", 0, "X", "train the running mean, of which a step leaves X: 0.999"},
    {"on-nan", 0, "WHAT",
     "where the loss is no number: stop, or skip the step"},
    {"seeds", 0, "N", "N trainings by as many seeds, side by side"},
    {"jobs", 0, "N", "N of these at a time (1)"},
    {"grid", 0, "NAME=X,Y",
     "a training for each value of a setting; of several, for\n"
     "each of their combinations. The best one is saved"},
    {"save", OPTION_first, "[NAME=]FILE",
     "write what was trained (or NAME): .safetensors\n"
     ".npz .npy .json .bin .h"},
    {"load", 0, "[NAME=]FILE",
     "begin with what is there; --resume: with the last\n"
     "checkpoint, to the same bits"},
    {"checkpoint", OPTION_train, "FOLDER",
     "keep the training there: last.safetensors, best.safetensors"},
    {"checkpoint-steps", 0, "N", "every N steps too, not only after epochs"},
    {"keep", 0, "N", "one of its own every N epochs"},
    {"resume", OPTION_train | OPTION_once, NULL, NULL},
    {"overwrite", OPTION_train | OPTION_once, NULL,
     "begin anew though there is one of an earlier training"},
    {"config", OPTION_options, "FILE",
     "options from a file, as --print-config writes it"},
    {"print-config", OPTION_train | OPTION_options, NULL,
     "print it, with all that is given, and end"},
    {"set", OPTION_options, "NAME=VALUE",
     "a setting of the model: adam.beta2=0.98"},
    {"log", OPTION_first, "FILE", "numbers of each epoch: .csv or .jsonl"},
    {"log-steps", OPTION_first, "N", "every N steps too"},
    {"tensorboard", OPTION_first, "FOLDER",
     "the same as event files of TensorBoard's"},
    {"json", OPTION_first, NULL,
     "the same on standard output, and what comes out"},
    {"norms", OPTION_first, NULL,
     "of activations, gradients, parameters and updates, each\n"
     "epoch: with the numbers above, and a table in the end"},
    {"report", OPTION_first, "FILE.html",
     "a page of curves, predictions, settings"},
    {"plot", OPTION_first, "FILE.svg", "the curves alone"},
    {"debug-nan", 0, NULL,
     "tell which operation's value or derivative was the first\n"
     "that is no number"},
    {"quiet", OPTION_first, NULL, "print only what comes out in the end"},
    {"seed", 0, "N", "of the split, the initial values and the shuffles (0)"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const OptionRule train_rules[] = {
    {RULE_one, "data text", NULL, NULL},
    {RULE_one, "steps epochs", NULL, NULL},
    {RULE_one, "test test-data", NULL, NULL},
    {RULE_one, "validation validation-data", NULL, NULL},
    {RULE_needs, "bytes length stride", "text", NULL},
    {RULE_needs, "test-labels", "test-data", NULL},
    {RULE_needs, "validation-data", "data", NULL},
    {RULE_needs, "resume overwrite checkpoint-steps keep", "checkpoint", NULL},
    {RULE_one, "resume overwrite", NULL, NULL},
    {RULE_needs, "jobs", "seeds grid", NULL},
    {RULE_without, "labels label no-label test-data scale standardise", "text",
     NULL},
    {RULE_without, "columns validation-data", "text labels",
     "it is of one file of rows"},
    {RULE_without, "test validation", "split-column",
     "that says what rows are for"},
    {RULE_without, "tensorboard norms report plot debug-nan", "seeds grid",
     "it is of one training"},
    {RULE_one, NULL, NULL, NULL},
};

const Command command_train = {
    .name = "train",
    .usage =
        "train MODEL.nn --data=FILE|--text=FILE [options] [--SETTING=VALUE]…",
    .about = "Trains the model as its `train` item says. What is a setting "
             "there that may\nchange as it runs, as the optimizer's, is an "
             "option too: --lr=0.01, --clip_norm=1.\nUnder mpirun all "
             "processes make one training, each with batches of its own.",
    .option = train_options,
    .rule = train_rules,
    .settings = true,
    .most = 1,
    .run = train,
};
