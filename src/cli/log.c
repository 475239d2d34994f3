/* log.c: records as lines of CSV or JSON. */

#include "cli/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_head(const Record *r, FILE *to)
{
    fprintf(to, "epoch,step,seconds");
    for (int i = 0; i < r->n; i++)
        fprintf(to, ",%s", r->at[i].name);
    fprintf(to, "\n");
}

/* What is not known is empty in CSV and null in JSON. */
static void print_csv(const Record *r, FILE *to)
{
    fprintf(to, "%lld,%lld,%.6g", (long long)r->epoch, (long long)r->step,
            r->seconds);
    for (int i = 0; i < r->n; i++)
        fprintf(to, isfinite(r->at[i].value) ? ",%.9g" : ",", r->at[i].value);
    fprintf(to, "\n");
}

void json_number(const char *name, double v, FILE *to)
{
    fprintf(to, isfinite(v) ? ", \"%s\": %.9g" : ", \"%s\": null", name, v);
}

void record_json(const Record *r, FILE *to)
{
    fprintf(to, "{\"epoch\": %lld, \"step\": %lld, \"seconds\": %.6g",
            (long long)r->epoch, (long long)r->step, r->seconds);
    for (int i = 0; i < r->n; i++)
        json_number(r->at[i].name, r->at[i].value, to);
    fprintf(to, "}\n");
}

/* The step that a line is of; false where it is cut short, or is none. */
static bool step_of(const char *line, long long *step)
{
    long long epoch;

    return strchr(line, '\n') &&
           (sscanf(line, "%lld,%lld,", &epoch, step) == 2 ||
            sscanf(line, "{\"epoch\": %lld, \"step\": %lld,", &epoch, step) ==
                2);
}

/* What was killed may have told of steps that are made again, from `step` on:
 * these lines are taken away. */
static void drop_lines(const LogFile *l, int64_t step)
{
    char *line = NULL;
    size_t room = 0;
    long long of = 0;
    long at = 0;
    bool head = l->csv;

    rewind(l->to);
    while (getline(&line, &room, l->to) > 0) {
        if (!head && (!step_of(line, &of) || of >= step)) {
            if (ftruncate(fileno(l->to), at) != 0)
                cli_fail("%s: has lines of steps that are made again", l->path);
            break;
        }
        head = false;
        at = ftell(l->to);
    }
    free(line);
    fseek(l->to, 0, SEEK_END);
}

bool log_open(Arena *a, const char *path, bool on, const Record *names,
              LogFile *to)
{
    *to = (LogFile){.path = path,
                    .to = fopen(path, on ? "a+" : "w"),
                    .csv = !file_ends(path, ".jsonl"),
                    .on = on};
    if (!to->to) {
        cli_fail("cannot write %s: %s", path, file_error(a, errno));
        return false;
    }
    if (to->csv && fseek(to->to, 0, SEEK_END) == 0 && ftell(to->to) <= 0)
        print_head(names, to->to);
    return true;
}

void log_put(LogFile *l, const Record *r)
{
    if (!l->to)
        return;
    if (l->on)
        drop_lines(l, r->step);
    l->on = false;
    if (l->csv)
        print_csv(r, l->to);
    else
        record_json(r, l->to);
    fflush(l->to); /* for who looks at it meanwhile */
}

bool log_close(LogFile *l)
{
    if (stream_close(&l->to))
        return true;
    cli_fail("cannot write all of %s", l->path);
    return false;
}
