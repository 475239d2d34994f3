/* progress.c: what is told of a training while it goes on: a bar on a terminal,
 * a line for each epoch elsewhere, a file of numbers. */

#include "cli/progress.h"

#include <errno.h>
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
    if (p->epoch.nmetric > 0)
        fprintf(stderr, "  %s %.4f", nncc_metric_name(p->model, 0),
                p->epoch.test_metric[0]);
    fprintf(stderr, "  ");
    print_time(share > 0 ? now->seconds * (1 - share) / share : 0, stderr);
    fprintf(stderr, " left");
    fflush(stderr);
}

static void print_epoch(const Progress *p, const nncc_progress *now)
{
    printf("epoch %lld/%lld  loss %.4g", (long long)now->epoch,
           (long long)now->epochs, now->loss);
    if (now->has_test)
        printf("  test loss %.4g", now->test_loss);
    for (int i = 0; i < now->nmetric; i++)
        printf("  test %s %.4f", nncc_metric_name(p->model, i),
               now->test_metric[i]);
    printf("  (%.1f s)\n", now->seconds);
    fflush(stdout);
}

/* The log */

static void log_head(const Progress *p)
{
    fprintf(p->log, "epoch,step,seconds,loss,test_loss");
    for (int i = 0; i < nncc_metric_count(p->model); i++)
        fprintf(p->log, ",test_%s", nncc_metric_name(p->model, i));
    fprintf(p->log, "\n");
}

/* A number that may be none: empty in CSV, null in JSON. */
static void log_number(const Progress *p, const char *name, bool known,
                       double v)
{
    bool none = !known || !isfinite(v);

    if (p->csv)
        fprintf(p->log, none ? "," : ",%.9g", v);
    else
        fprintf(p->log, none ? ", \"%s\": null" : ", \"%s\": %.9g", name, v);
}

static void log_epoch(const Progress *p, const nncc_progress *now)
{
    char name[128];

    fprintf(p->log, p->csv ? "%lld,%lld" : "{\"epoch\": %lld, \"step\": %lld",
            (long long)now->epoch, (long long)now->step);
    log_number(p, "seconds", true, now->seconds);
    log_number(p, "loss", true, now->loss);
    log_number(p, "test_loss", now->has_test, now->test_loss);
    for (int i = 0; i < nncc_metric_count(p->model); i++) {
        snprintf(name, sizeof name, "test_%s", nncc_metric_name(p->model, i));
        log_number(p, name, i < now->nmetric, now->test_metric[i]);
    }
    fprintf(p->log, p->csv ? "\n" : "}\n");
    fflush(p->log); /* for who looks at it meanwhile */
}

static bool open_log(const Args *a, Progress *p)
{
    bool on = option_value(a, "resume") != NULL;

    p->log = fopen(p->path, on ? "a" : "w");
    if (!p->log) {
        cli_fail("cannot write %s: %s", p->path, file_error(a->arena, errno));
        return false;
    }
    p->csv = !file_ends(p->path, ".jsonl");
    if (p->csv && fseek(p->log, 0, SEEK_END) == 0 && ftell(p->log) <= 0)
        log_head(p);
    return true;
}

bool progress_begin(const Args *a, const nncc_model *m, Progress *p)
{
    *p = (Progress){.model = m,
                    .quiet = option_value(a, "quiet") != NULL,
                    .path = option_value(a, "log")};
    p->bar = !p->quiet && isatty(STDERR_FILENO);
    return !p->path || open_log(a, p);
}

void progress_tell(Progress *p, const nncc_progress *now)
{
    if (now->event == NNCC_EVENT_EPOCH) {
        p->epoch = *now;
        if (!p->bar && !p->quiet)
            print_epoch(p, now);
        if (p->log)
            log_epoch(p, now);
    }
    if (p->bar)
        draw_bar(p, now);
}

bool progress_end(Progress *p)
{
    if (p->bar && p->drawn > 0)
        fprintf(stderr, "\r\033[K");
    if (!p->log)
        return true;
    bool bad = ferror(p->log) != 0;
    bad = fclose(p->log) != 0 || bad;
    if (bad)
        cli_fail("cannot write all of %s", p->path);
    return !bad;
}
