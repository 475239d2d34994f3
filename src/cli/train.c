/* train.c: nncc train: a model's `train` item on a data set. */

#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Progress */

typedef struct Progress {
    const char *metric; /* or NULL */
    bool bar;           /* a terminal: one line that is drawn over */
    double drawn;       /* seconds at which it was last */
    nn_progress epoch;  /* the last finished epoch */
} Progress;

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

static void print_time(double seconds, FILE *to)
{
    long s = lround(seconds);

    if (s >= 3600)
        fprintf(to, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        fprintf(to, "%ld min %02ld s", s / 60, s % 60);
    else
        fprintf(to, "%ld s", s);
}

static void draw_bar(Progress *p, const nn_progress *now)
{
    enum { WIDTH = 24 };
    double share = now->steps ? (double)now->step / (double)now->steps : 1;
    int full = (int)(share * WIDTH);

    if (now->step < now->steps && now->seconds - p->drawn < 0.05)
        return;
    p->drawn = now->seconds;
    fprintf(stderr, "\r\033[K[%.*s%.*s] epoch %lld/%lld  loss %.4g", full,
            "########################", WIDTH - full,
            "........................", (long long)now->epoch,
            (long long)now->epochs, now->loss);
    if (p->epoch.has_metric)
        fprintf(stderr, "  %s %.4f", p->metric, p->epoch.test_metric);
    fprintf(stderr, "  ");
    print_time(share > 0 ? now->seconds * (1 - share) / share : 0, stderr);
    fprintf(stderr, " left");
    fflush(stderr);
}

static void print_epoch(const Progress *p, const nn_progress *now)
{
    printf("epoch %lld/%lld  loss %.4g", (long long)now->epoch,
           (long long)now->epochs, now->loss);
    if (now->has_test)
        printf("  test loss %.4g", now->test_loss);
    if (now->has_metric && p->metric)
        printf("  test %s %.4f", p->metric, now->test_metric);
    printf("  (%.1f s)\n", now->seconds);
    fflush(stdout);
}

static int progress(void *context, const nn_progress *now)
{
    Progress *p = context;

    if (now->event == NN_EVENT_EPOCH) {
        p->epoch = *now;
        p->epoch.has_metric = now->has_metric && p->metric;
        if (!p->bar)
            print_epoch(p, now);
    }
    if (p->bar)
        draw_bar(p, now);
    return interrupted;
}

/* Data */

/* --test: a number of rows, or a share of them such as 0.2. */
static bool read_test(const Args *a, nn_split_options *o)
{
    const char *text = option_value(a, "test");
    char *end;

    if (!text)
        return true;
    double v = strtod(text, &end);
    bool share = strpbrk(text, ".e%") != NULL;
    if (*end == '%' && end != text) {
        v /= 100;
        end++;
    }
    if (end == text || *end || !(v >= 0) || (share ? v >= 1 : v > 1e15)) {
        cli_usage(a,
                  "'--test' is a number of rows or a share below 1, not "
                  "'%s'",
                  text);
        return false;
    }
    if (share)
        o->fraction = v;
    else
        o->count = (int64_t)v;
    return true;
}

static bool read_number(const Args *a, const char *name, const char *text,
                        double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end != text && !*end && isfinite(*out))
        return true;
    cli_usage(a, "'--%s' needs a number, not '%s'", name, text);
    return false;
}

typedef struct Sets {
    nn_data *train, *test; /* test: NULL when empty */
} Sets;

static void free_sets(Sets *s)
{
    nn_data_free(s->train);
    nn_data_free(s->test);
}

/* False: nn_last_error says why. */
static bool read_sets(const Args *a, const nn_split_options *split,
                      double scale, Sets *to)
{
    nn_csv_options o = NN_CSV_DEFAULTS;
    nn_data *all;

    o.label = option_value(a, "label");
    if (nn_csv_read(option_value(a, "data"), &o, &all) != NN_OK)
        return false;
    int status = nn_data_scale(all, scale);
    if (status == NN_OK)
        status = nn_data_split(all, split, &to->train, &to->test);
    nn_data_free(all);
    if (status != NN_OK)
        return false;
    if (to->test->n == 0) {
        nn_data_free(to->test);
        to->test = NULL;
    }
    return !option_value(a, "standardise") ||
           nn_data_standardise(to->train, to->test) == NN_OK;
}

/* Settings */

/* Every --name=value that the table does not list must be a scalar of the
 * model's step. */
static int read_settings(const Args *a, const Function *step, nn_setting *to)
{
    int n = 0;
    const char **known = NEWN(a->arena, const char *, step->nparam + 32);

    for (int i = 0; i < step->nparam; i++)
        if (step->param[i].has_default)
            known[n++] = step->param[i].name;
    int settings = n;
    for (const Option *o = a->command->option; o->name; o++)
        known[n++] = o->name;
    for (int i = 0; i < a->setting.n; i++) {
        const Given *g = &a->setting.at[i];
        bool found = false;
        for (int k = 0; k < settings; k++)
            found |= !strcmp(known[k], g->name);
        if (!found) {
            const char *near = nearest_name(g->name, known, n);
            return cli_usage(
                a, "'--%s' is neither an option nor a setting of this model%s",
                g->name,
                near ? arena_printf(a->arena, " (did you mean '--%s'?)", near)
                     : "");
        }
        to[i].name = g->name;
        if (!read_number(a, g->name, g->value, &to[i].value))
            return EXIT_USAGE;
    }
    return EXIT_SUCCESS;
}

/* The run */

static void print_outcome(const nn_train_result *r, const char *metric)
{
    if (r->stopped)
        printf("stopped after %lld epochs\n", (long long)r->epochs);
    printf("train loss: %.4g\n", r->train_loss);
    printf("training time: %.2f s\n", r->seconds);
    if (r->has_test)
        printf("test loss: %.4g\n", r->test_loss);
    if (r->has_metric && metric)
        printf("test %s: %.4f\n", metric, r->test_metric);
}

static bool train_here(nn_model *m, nn_train_options *o, const Sets *s)
{
    Progress p = {nn_descriptor(m)->metric, isatty(STDERR_FILENO), 0, {0}};
    nn_train_result r = {0};
    struct sigaction act = {.sa_handler = interrupt,
                            .sa_flags = (int)SA_RESETHAND},
                     before;

    o->progress = progress;
    o->context = &p;
    sigaction(SIGINT, &act, &before);
    int status = nn_train(m, o, s->train, s->test, &r);
    sigaction(SIGINT, &before, NULL);
    if (p.bar && p.drawn > 0)
        fprintf(stderr, "\r\033[K");
    if (status != NN_OK) {
        cli_fail("%s", nn_last_error());
        return false;
    }
    print_outcome(&r, p.metric);
    return true;
}

static bool train_module(Load *l, nn_train_options *o, const Sets *s)
{
    const Module *m = l->module;
    Function *f[3] = {m->init, m->step, m->evaluate};
    nn_model *model;
    Jit *j = driver_jit(l, f, m->evaluate ? 3 : 2);

    if (!j)
        return false;
    bool done = nn_wrap(jit_module(j), &model) == NN_OK;
    if (done) {
        done = train_here(model, o, s);
        nn_close(model);
    } else {
        cli_fail("%s", nn_last_error());
    }
    jit_close(j);
    return done;
}

static int read_options(const Args *a, nn_train_options *o,
                        nn_split_options *split, double *scale)
{
    int64_t seed = 0;
    const char *text = option_value(a, "scale");

    if (!option_value(a, "data"))
        return cli_usage(a, "which data? --data=FILE.csv");
    if (a->word.n > 1)
        return cli_usage(a, "one model at a time: what is '%s'?",
                         a->word.at[1]);
    if (!option_int(a, "epochs", 0, &o->epochs) ||
        !option_int(a, "batch", 1, &o->batch) ||
        !option_int(a, "seed", 0, &seed) || !read_test(a, split) ||
        (text && !read_number(a, "scale", text, scale)))
        return EXIT_USAGE;
    o->seed = split->seed = (uint64_t)seed;
    return EXIT_SUCCESS;
}

static int train(Args *a)
{
    Load l = {0};
    Sets sets = {NULL, NULL};
    nn_train_options o = NN_TRAIN_DEFAULTS;
    nn_split_options split = {.count = -1, .fraction = 0.2};
    nn_setting *setting = NEWN(a->arena, nn_setting, a->setting.n + 1);
    double scale = 1;

    o.epochs = 30;
    int status = read_options(a, &o, &split, &scale);
    if (!status)
        status = driver_load(a, a->word.at[0], DT_f32, &l);
    if (status)
        return status;
    if (!l.module->step || !l.module->init)
        return cli_fail("%s has no 'train' item, so there is nothing to train",
                        l.path);
    status = read_settings(a, l.module->step, setting);
    if (status)
        return status;
    o.setting = setting;
    o.nsetting = a->setting.n;
    if (!read_sets(a, &split, scale, &sets))
        status = cli_fail("%s", nn_last_error());
    else if (!train_module(&l, &o, &sets))
        status = EXIT_FAILURE;
    free_sets(&sets);
    return status;
}

static const Option options[] = {
    {"data", 0, "FILE", "rows to train on: .csv or .csv.gz"},
    {"label", 0, "COLUMN", "name or number of the label's column (the last)"},
    {"test", 0, "N", "rows to hold out, or their share (0.2)"},
    {"scale", 0, "X", "multiply all features by X"},
    {"standardise", 0, NULL, "features to mean 0 and deviation 1"},
    {"epochs", 0, "N", "passes over the data (30)"},
    {"batch", 0, "N", "rows of a step (32)"},
    {"seed", 0, "N", "of the split, the initial values and the shuffles (0)"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_train = {
    .name = "train",
    .usage = "train MODEL.nn --data=FILE [options] [--SETTING=VALUE]…",
    .about = "Trains the model as its `train` item says. The optimizer's "
             "settings are options\ntoo: --lr=0.01.",
    .option = options,
    .settings = true,
    .run = train,
};
