/* progress.c: what is told of a training while it goes on: a bar on a terminal,
 * lines of epochs elsewhere. */

#include "cli/progress.h"

#include <math.h>
#include <unistd.h>

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

/* Rows in a second; with how many decimals they are told. */
static double rate(const nncc_progress *now)
{
    return (double)now->rows / now->seconds;
}

static int decimals(const nncc_progress *now)
{
    return rate(now) < 10 ? 2 : rate(now) < 100;
}

static void draw_bar(Progress *p, const nncc_progress *now)
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
    for (int i = 0; i < p->epoch.nmetric; i++)
        fprintf(stderr, "  %s %.4f", nncc_metric_name(p->model, i),
                p->epoch.test_metric[i]);
    fprintf(stderr, "  ");
    print_time(share > 0 ? now->seconds * (1 - share) / share : 0, stderr);
    fprintf(stderr, " left");
    if (now->seconds > 0)
        fprintf(stderr, ", %.*f rows/s", decimals(now), rate(now));
    fflush(stderr);
}

static void print_epoch(const Progress *p, const nncc_progress *now)
{
    bool tests = now->event == NNCC_EVENT_TEST;

    printf("%s %lld/%lld  loss %.4g", tests ? "step" : "epoch",
           (long long)(tests ? now->step : now->epoch),
           (long long)(tests ? now->steps : now->epochs), now->loss);
    for (int i = 1; i < nncc_item_count(p->model); i++)
        printf("  %s %.4g", nncc_item_name(p->model, i), now->item_loss[i]);
    if (now->has_test)
        printf("  %s loss %.4g", p->held, now->test_loss);
    for (int i = 0; i < now->nmetric; i++)
        printf("  %s %s %.4f", p->held, nncc_metric_name(p->model, i),
               now->test_metric[i]);
    if (now->seconds > 0)
        printf("  %.*f rows/s", decimals(now), rate(now));
    printf("  (%.1f s)\n", now->seconds);
    fflush(stdout);
}

/* So many lines at most, but one after so many seconds. */
enum { LINES = 50, SECONDS = 10 };

static bool is_time(const Progress *p, const nncc_progress *now)
{
    int64_t every = (now->epochs + LINES - 1) / LINES;

    if (now->event == NNCC_EVENT_TEST)
        return now->step - p->told >= now->steps / LINES ||
               now->step == now->steps;
    return now->epoch == 1 || now->epoch == now->epochs ||
           now->epoch % every == 0 || now->seconds - p->printed >= SECONDS;
}

void progress_begin(const Args *a, const nncc_model *m, Progress *p)
{
    *p = (Progress){.model = m};
    bool quiet = option_value(a, "quiet") != NULL;
    p->bar = !quiet && isatty(STDERR_FILENO);
    p->lines = !quiet && !p->bar && !option_value(a, "json");
}

void progress_tell(Progress *p, const nncc_progress *now)
{
    bool tests = now->event == NNCC_EVENT_TEST;

    if (now->event == NNCC_EVENT_EPOCH || tests) {
        p->epoch = *now;
        if (p->lines && is_time(p, now)) {
            print_epoch(p, now);
            p->printed = now->seconds;
            p->told = now->step;
        }
    }
    if (p->bar)
        draw_bar(p, now);
}

void progress_end(Progress *p)
{
    if (p->bar && p->drawn > 0)
        fprintf(stderr, "\r\033[K");
}
