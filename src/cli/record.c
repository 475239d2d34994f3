/* record.c: the numbers of each epoch, to all that want them. */

#include "cli/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first numbers of every training. */
enum { LOSS, TEST_LOSS, METRICS };

static int add_scalar(Recorder *r, char *name)
{
    Scalar s = {name, NAN};

    list_push(r->args->arena, &r->now, s);
    return r->now.n - 1;
}

static void name_scalars(Recorder *r)
{
    Arena *a = r->args->arena;

    add_scalar(r, arena_printf(a, "loss"));
    add_scalar(r, arena_printf(a, "%s_loss", r->held));
    for (int i = 0; i < nncc_metric_count(r->model); i++)
        add_scalar(r, arena_printf(a, "%s_%s", r->held,
                                   nncc_metric_name(r->model, i)));
    r->items = r->now.n;
    for (int i = 1; i < nncc_item_count(r->model); i++)
        add_scalar(r, arena_printf(a, "%s", nncc_item_name(r->model, i)));
    r->rate = add_scalar(r, arena_printf(a, "rows_per_second"));
    if (r->steps)
        r->batch_loss = add_scalar(r, arena_printf(a, "batch_loss"));
    r->first_norm = r->now.n;
    for (int i = 0; i < r->norms.norm.n; i++)
        add_scalar(r, r->norms.norm.at[i].name);
}

int recorder_options(const Args *a, Recorder *r)
{
    return option_int(a, "log-steps", 1, &r->steps) ? EXIT_SUCCESS : EXIT_USAGE;
}

bool recorder_json(const Args *a, Recorder *r)
{
    if (!option_value(a, "json"))
        return true;
    fflush(stdout);
    int to = dup(STDOUT_FILENO);

    r->json = to >= 0 ? fdopen(to, "w") : NULL;
    if (r->json && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        return true;
    cli_fail("cannot write to standard output");
    return false;
}

bool recorder_begin(const Args *a, nncc_model *m, const char *held, Recorder *r)
{
    const char *log = option_value(a, "log");
    const char *folder = option_value(a, "tensorboard");

    *r = (Recorder){.args = a,
                    .model = m,
                    .held = held,
                    .json = r->json,
                    .steps = r->steps,
                    .keeps =
                        option_value(a, "report") || option_value(a, "plot"),
                    .every = 1};
    r->has_norms = option_value(a, "norms") != NULL;
    if (r->has_norms && !norms_begin(a, m, &r->norms))
        return false;
    name_scalars(r);
    if ((log && !log_open(a->arena, log, option_value(a, "resume") != NULL,
                          &r->now, &r->log)) ||
        (folder && !events_open(a->arena, folder, &r->events))) {
        recorder_end(r);
        return false;
    }
    return true;
}

/* Of many records every second one goes, again and again. */
static void keep(Recorder *r)
{
    enum { MOST = 2000 };
    Record copy = r->now;
    int n = 0;

    if (!r->keeps || r->told++ % r->every)
        return;
    copy.at =
        arena_copy(r->args->arena, r->now.at, sizeof *copy.at * (size_t)copy.n);
    list_push(r->args->arena, &r->kept, copy);
    if (r->kept.n < MOST)
        return;
    for (int i = 0; i < r->kept.n; i += 2)
        r->kept.at[n++] = r->kept.at[i];
    r->kept.n = n;
    r->every *= 2;
}

static void put(Recorder *r)
{
    keep(r);
    log_put(&r->log, &r->now);
    events_put(&r->events, &r->now);
    if (r->json) {
        record_json(&r->now, r->json);
        fflush(r->json);
    }
}

void recorder_tell(Recorder *r, const nncc_progress *now)
{
    bool epoch =
        now->event == NNCC_EVENT_EPOCH || now->event == NNCC_EVENT_TEST;
    Scalar *s = r->now.at;

    if (r->has_norms)
        norms_tell(&r->norms, now);
    if (!epoch && (!r->steps || now->step % r->steps))
        return;
    r->now.epoch = now->epoch;
    r->now.step = now->step;
    r->now.seconds = now->seconds;
    for (int i = 0; i < r->now.n; i++)
        s[i].value = NAN;
    s[epoch ? LOSS : r->batch_loss].value = now->loss;
    for (int i = 1; i < nncc_item_count(r->model) && epoch; i++)
        s[r->items + i - 1].value = now->item_loss[i];
    if (now->seconds > 0)
        s[r->rate].value = (double)now->rows / now->seconds;
    if (now->has_test)
        s[TEST_LOSS].value = now->test_loss;
    for (int i = 0; i < now->nmetric; i++)
        s[METRICS + i].value = now->test_metric[i];
    for (int i = 0; i < r->norms.norm.n && epoch; i++)
        s[r->first_norm + i].value = r->norms.norm.at[i].value;
    put(r);
}

void recorder_result(Recorder *r, const nncc_train_result *result)
{
    if (!r->json)
        return;
    fprintf(r->json,
            "{\"result\": true, \"epochs\": %lld, \"steps\": %lld, "
            "\"best_epoch\": %lld, \"stopped\": %s, \"out_of_patience\": %s",
            (long long)result->epochs, (long long)result->steps,
            (long long)result->best_epoch, result->stopped ? "true" : "false",
            result->out_of_patience ? "true" : "false");
    json_number("seconds", result->seconds, r->json);
    json_number("train_loss", result->train_loss, r->json);
    if (result->has_test)
        json_number(r->now.at[TEST_LOSS].name, result->test_loss, r->json);
    for (int i = 0; i < result->nmetric; i++)
        json_number(r->now.at[METRICS + i].name, result->test_metric[i],
                    r->json);
    fprintf(r->json, "}\n");
}

bool recorder_end(Recorder *r)
{
    if (r->has_norms)
        norms_end(&r->norms);
    bool good = log_close(&r->log);

    good = events_close(&r->events) && good;
    if (stream_close(&r->json))
        return good;
    cli_fail("cannot write to standard output");
    return false;
}
