/* schedule.c: settings that change as the training goes on. */
#include "nn_internal.h"

#include <math.h>
#include <string.h>

static int check_waits(const nncc_schedule *s, bool tests)
{
    if (s->kind == NNCC_SCHEDULE_STEP && s->every < 1)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a schedule that changes every %lld epochs",
                         (long long)s->every);
    if (s->kind == NNCC_SCHEDULE_PLATEAU && s->every < 1)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a schedule that waits for %lld evaluations",
                         (long long)s->every);
    if (s->kind == NNCC_SCHEDULE_PLATEAU && !tests)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a schedule that waits for something better needs a "
                         "test set to look at");
    return NN_OK;
}

static int check(const nncc_schedule *s, bool tests)
{
    if (s->kind < NNCC_SCHEDULE_CONSTANT || s->kind > NNCC_SCHEDULE_PLATEAU)
        return nncc_fail(NN_ERR_ARGUMENT, "schedule %d; 0 to %d exist", s->kind,
                         NNCC_SCHEDULE_PLATEAU);
    if (s->warmup < 0)
        return nncc_fail(NN_ERR_ARGUMENT, "a warm-up of %lld steps",
                         (long long)s->warmup);
    if (s->kind != NNCC_SCHEDULE_CONSTANT &&
        !(s->factor >= 0 && s->factor <= 1))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a schedule's factor of %g; expected 0 to 1",
                         s->factor);
    return check_waits(s, tests);
}

/* From 1 at t = 0 to end at 1. */
static double along_cosine(double t, double end)
{
    const double pi = 3.14159265358979323846;

    return end + (1 - end) * (1 + cos(pi * t)) / 2;
}

/* How far step `step` is between first and end; 0 where there is nothing. */
static double between(int64_t step, double first, double end)
{
    return end > first ? ((double)step - first) / (end - first) : 0;
}

static double one_cycle(const nncc_schedule *s, int64_t step, int64_t steps)
{
    double top = s->warmup ? (double)s->warmup : 0.3 * (double)steps;

    if ((double)step < top)
        return along_cosine(1 - between(step, 0, top), 1.0 / 25);
    return along_cosine(between(step, top, (double)steps), s->factor);
}

/* The share of the setting's value at the step at hand. */
static double share_at(const nncc_schedule *s, const nncc_position *at,
                       int64_t drops, int64_t steps)
{
    double t = between(at->done, (double)s->warmup, (double)steps);

    if (s->kind == NNCC_SCHEDULE_ONE_CYCLE)
        return one_cycle(s, at->done, steps);
    if (at->done < s->warmup)
        return (double)(at->done + 1) / (double)s->warmup;
    switch ((enum nncc_schedule_kind)s->kind) {
    case NNCC_SCHEDULE_CONSTANT:
    case NNCC_SCHEDULE_ONE_CYCLE:
        break;
    case NNCC_SCHEDULE_LINEAR:
        return 1 - (1 - s->factor) * t;
    case NNCC_SCHEDULE_COSINE:
        return along_cosine(t, s->factor);
    case NNCC_SCHEDULE_STEP:
        return pow(s->factor, (double)((at->epoch - 1) / s->every));
    case NNCC_SCHEDULE_PLATEAU:
        return pow(s->factor, (double)drops);
    }
    return 1;
}

static const char *name_of(const nncc_schedule *s)
{
    return s->setting ? s->setting : "lr";
}

static int bind_one(const nncc_trainer *t, const nncc_binding *step,
                    const nncc_schedule *s, double *base)
{
    int found = 0;

    for (int k = 0; k < t->nitem; k++) {
        const char *name = nncc_setting_in(&t->item[k], name_of(s));
        int status = name ? nncc_bind_scalar(&step[k], name, &base[k])
                          : (int)NN_ERR_NAME;
        found += status == NN_OK;
        if (status && status != NN_ERR_NAME)
            return status;
    }
    return found ? NN_OK
                 : nncc_fail(NN_ERR_NAME,
                             "%s has no setting '%s' for a schedule to change",
                             step[0].f->name, name_of(s));
}

int nncc_schedules_bind(const nncc_trainer *t, const nncc_binding *step,
                        const nncc_train_options *o, bool tests,
                        nncc_schedules *s)
{
    int n = o->schedule && !o->nschedule ? 1 : o->nschedule;
    int status = NN_OK;

    *s = (nncc_schedules){.at = o->schedule, .n = n};
    if (n < 0 || n > NNCC_MAX_SCHEDULES || (n && !s->at))
        return nncc_fail(NN_ERR_ARGUMENT, "%d schedules; at most %d", n,
                         NNCC_MAX_SCHEDULES);
    for (int i = 0; i < n && !status; i++) {
        status = check(&s->at[i], tests);
        for (int j = 0; j < i && !status; j++)
            if (strcmp(name_of(&s->at[i]), name_of(&s->at[j])) == 0)
                status = nncc_fail(NN_ERR_ARGUMENT, "two schedules of '%s'",
                                   name_of(&s->at[i]));
        if (!status)
            status = bind_one(t, step, &s->at[i], s->base[i]);
    }
    return status;
}

/* Is the setting given for item k? */
static bool is_given(const nncc_trainer *t, int k, const char *name)
{
    for (int i = 0; i < t->nsetting; i++) {
        const char *own = nncc_setting_in(&t->item[k], t->setting[i].name);
        if (own && strcmp(own, name) == 0)
            return true;
    }
    return false;
}

void nncc_schedules_total(const nncc_trainer *t, int k, double steps,
                          nncc_binding *step)
{
    static const char total[] = "total_steps";
    double v;

    if (!is_given(t, k, total) && nncc_bind_scalar(step, total, &v) == NN_OK)
        nncc_bind_set(step, total, steps);
}

void nncc_schedules_follow(const nncc_schedules *s, const nncc_trainer *t,
                           const nncc_position *at, int64_t steps,
                           nncc_binding *step)
{
    for (int i = 0; i < s->n; i++) {
        double share = share_at(&s->at[i], at, at->drops[i], steps);
        for (int k = 0; k < t->nitem; k++)
            if (s->base[i][k] != 0)
                nncc_bind_set(&step[k],
                              nncc_setting_in(&t->item[k], name_of(&s->at[i])),
                              s->base[i][k] * share);
    }
}

void nncc_schedules_look(const nncc_schedules *s, nncc_position *at)
{
    for (int i = 0; i < s->n; i++) {
        int64_t since =
            at->best_look > at->drop_look[i] ? at->best_look : at->drop_look[i];
        if (s->at[i].kind != NNCC_SCHEDULE_PLATEAU ||
            at->looks - since < s->at[i].every)
            continue;
        at->drops[i]++;
        at->drop_look[i] = at->looks;
    }
}
