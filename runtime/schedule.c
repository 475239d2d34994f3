/* schedule.c: a setting that changes as the training goes on. */
#include "nn_internal.h"

#include <math.h>

int nncc_schedule_check(const nncc_schedule *s)
{
    if (s->kind < NNCC_SCHEDULE_CONSTANT || s->kind > NNCC_SCHEDULE_STEP)
        return nncc_fail(NN_ERR_ARGUMENT, "schedule %d; 0 to %d exist", s->kind,
                         NNCC_SCHEDULE_STEP);
    if (s->warmup < 0)
        return nncc_fail(NN_ERR_ARGUMENT, "a warm-up of %lld steps",
                         (long long)s->warmup);
    if (s->kind != NNCC_SCHEDULE_CONSTANT &&
        !(s->factor >= 0 && s->factor <= 1))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a schedule's factor of %g; expected 0 to 1",
                         s->factor);
    if (s->kind == NNCC_SCHEDULE_STEP && s->every < 1)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a schedule that changes every %lld epochs",
                         (long long)s->every);
    return NN_OK;
}

double nncc_schedule_share(const nncc_schedule *s, int64_t step, int64_t steps,
                           int64_t epoch)
{
    const double pi = 3.14159265358979323846;
    double left = (double)(steps - s->warmup), t;

    if (step < s->warmup)
        return (double)(step + 1) / (double)s->warmup;
    t = left > 0 ? (double)(step - s->warmup) / left : 0;
    switch ((enum nncc_schedule_kind)s->kind) {
    case NNCC_SCHEDULE_CONSTANT:
        break;
    case NNCC_SCHEDULE_LINEAR:
        return 1 - (1 - s->factor) * t;
    case NNCC_SCHEDULE_COSINE:
        return s->factor + (1 - s->factor) * (1 + cos(pi * t)) / 2;
    case NNCC_SCHEDULE_STEP:
        return pow(s->factor, (double)(epoch / s->every));
    }
    return 1;
}
