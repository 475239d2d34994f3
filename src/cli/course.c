/* course.c: how a training goes: for how long, by which schedules, what ends
 * it. */

#include "cli/course.h"

#include <stdlib.h>
#include <string.h>

/* Schedules */

static const char *const kinds[] = {
    [NNCC_SCHEDULE_CONSTANT] = "constant",
    [NNCC_SCHEDULE_LINEAR] = "linear",
    [NNCC_SCHEDULE_COSINE] = "cosine",
    [NNCC_SCHEDULE_STEP] = "step",
    [NNCC_SCHEDULE_ONE_CYCLE] = "one-cycle",
    [NNCC_SCHEDULE_PLATEAU] = "plateau",
};
enum { NKIND = sizeof kinds / sizeof *kinds };

/* What --OPTION says for a setting: NAME=VALUE, or VALUE for all; the last one
 * that fits. NULL: nothing. */
static const char *said_for(const Args *a, const char *option,
                            const char *setting)
{
    const char *found = NULL, *text;

    for (int i = 0; (text = option_next(a, option, &i));)
        if (!strchr(text, '='))
            found = text;
        else if (cli_value_of(text, setting))
            found = cli_value_of(text, setting);
    return found;
}

/* What belongs to the schedule of a setting. */
static int read_details(const Args *a, nncc_schedule *s)
{
    const char *factor = said_for(a, "factor", s->setting);
    bool in_steps =
        s->kind == NNCC_SCHEDULE_STEP || s->kind == NNCC_SCHEDULE_PLATEAU;

    s->factor = in_steps ? 0.1 : 0;
    s->every = s->kind == NNCC_SCHEDULE_PLATEAU ? 5 : 10;
    const char *warmup = said_for(a, "warmup", s->setting);
    const char *every = said_for(a, "every", s->setting);
    if (!cli_int(a, "warmup", warmup, 0, &s->warmup) ||
        !cli_int(a, "every", every, 1, &s->every) ||
        (factor && !cli_number(a, "factor", factor, &s->factor)))
        return EXIT_USAGE;
    if (factor && s->kind == NNCC_SCHEDULE_CONSTANT)
        return cli_usage(a, "'--factor' belongs to a --schedule that falls");
    return EXIT_SUCCESS;
}

typedef LIST(nncc_schedule) Schedules;

static int add_schedule(const Args *a, const char *text, Schedules *to)
{
    const char *kind, *setting = cli_name(a->arena, text, &kind);
    nncc_schedule s = {.setting = setting ? setting : "lr"};

    int status = cli_choice(a, "schedule", kind, kinds, NKIND, &s.kind);
    if (!status)
        status = read_details(a, &s);
    list_push(a->arena, to, s);
    return status;
}

static int read_schedules(const Args *a, nncc_train_options *o)
{
    Schedules all = {0};
    int status = EXIT_SUCCESS;

    const char *text;
    for (int i = 0; !status && (text = option_next(a, "schedule", &i));)
        status = add_schedule(a, text, &all);
    if (!status && all.n == 0 && option_value(a, "warmup"))
        status = add_schedule(a, "constant", &all);
    o->schedule = all.at;
    o->nschedule = all.n;
    return status;
}

/* --best=max:accuracy, min:mae, loss */
static int read_best(const Args *a, nncc_train_options *o)
{
    const char *text = option_value(a, "best");

    if (!text || !strcmp(text, "loss"))
        return EXIT_SUCCESS;
    if (strncmp(text, "max:", 4) != 0 && strncmp(text, "min:", 4) != 0)
        return cli_usage(
            a, "'--best' is max:METRIC, min:METRIC or loss, not '%s'", text);
    o->best_largest = text[1] == 'a';
    o->best = text + 4;
    return EXIT_SUCCESS;
}

static int read_on_nan(const Args *a, nncc_train_options *o)
{
    static const char *const kind[] = {
        [NNCC_NAN_STOP] = "stop", [NNCC_NAN_SKIP] = "skip"};

    return cli_choice(a, "on-nan", option_value(a, "on-nan"), kind, 2,
                      &o->on_nan);
}

static int read_average(const Args *a, nncc_train_options *o)
{
    const char *text = option_value(a, "ema");

    if (!text)
        return EXIT_SUCCESS;
    if (!cli_number(a, "ema", text, &o->average))
        return EXIT_USAGE;
    if (o->average > 0 && o->average < 1)
        return EXIT_SUCCESS;
    return cli_usage(a,
                     "'--ema' is what a step leaves of the mean, above 0 and "
                     "below 1, as 0.999");
}

int course_read(const Args *a, nncc_train_options *o)
{
    int64_t seed = 0;

    if (!option_int(a, "epochs", 0, &o->epochs) ||
        !option_int(a, "steps", 1, &o->steps) ||
        !option_int(a, "eval-steps", 1, &o->evaluate_steps) ||
        !option_int(a, "batch", 1, &o->batch) ||
        !option_int(a, "patience", 1, &o->patience) ||
        !option_int(a, "seed", 0, &seed))
        return EXIT_USAGE;
    o->seed = (uint64_t)seed;
    int status = read_schedules(a, o);
    if (!status)
        status = read_best(a, o);
    if (!status)
        status = read_on_nan(a, o);
    return status ? status : read_average(a, o);
}
