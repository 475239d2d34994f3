/* checkpoint.c: a training in a file, from which it goes on to the same bits.
 *
 * The file has every tensor that step updates, the best ones so far, what was
 * fitted to the data, and where the training is. The order of an epoch's rows
 * and the keys of its steps follow from the seed and these numbers. */
#include "nn_internal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TRAINING "nncc.training"
#define BEST "nncc.best."
#define MEAN "nncc.mean."

enum { VERSION = 3, NUMBER_TEXT = 40 };

/* Reals as C writes them exactly, and whole numbers beyond 2^53, are texts. */
static json_t *real_json(double v)
{
    char text[NUMBER_TEXT];

    snprintf(text, sizeof text, "%a", v);
    return json_string(text);
}

static json_t *word_json(uint64_t v)
{
    char text[NUMBER_TEXT];

    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return json_string(text);
}

static json_t *metrics_json(const double *metric)
{
    json_t *list = json_array();

    for (int i = 0; list && i < NNCC_MAX_METRICS; i++)
        json_array_append_new(list, real_json(metric[i]));
    return list;
}

/* Of each item: sum of its losses, rows, the mean of the epoch before. */
static json_t *items_json(const nncc_trainer *t, const nncc_position *at)
{
    json_t *list = json_array();

    for (int k = 0; list && k < t->nitem; k++)
        json_array_append_new(list,
                              json_pack("[o, o, o]", real_json(at->sum[k].loss),
                                        real_json(at->sum[k].rows),
                                        real_json(at->last_loss[k])));
    return list;
}

/* Evaluations on the test set: how many, which was the best, what plateaus made
 * of them. */
static json_t *looks_json(const nncc_position *at)
{
    json_t *list =
        json_pack("[I, I]", (json_int_t)at->looks, (json_int_t)at->best_look);

    for (int i = 0; list && i < NNCC_MAX_SCHEDULES; i++) {
        json_array_append_new(list, json_integer(at->drops[i]));
        json_array_append_new(list, json_integer(at->drop_look[i]));
    }
    return list;
}

static int put_position(const nncc_trainer *t, const nncc_position *at,
                        nncc_store *s)
{
    json_t *j = json_pack(
        "{s:i, s:o, s:I, s:o, s:I, s:I, s:I, s:o, s:o, s:I, s:o, s:o}",
        "version", VERSION, "seed", word_json(t->seed), "batch",
        (json_int_t)t->batch, "data", word_json(t->data_hash), "epoch",
        (json_int_t)at->epoch, "step", (json_int_t)at->step, "done",
        (json_int_t)at->done, "items", items_json(t, at), "looks",
        looks_json(at), "best_epoch", (json_int_t)at->best_epoch, "best_loss",
        real_json(at->best_loss), "best_metric", metrics_json(at->best_metric));
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    int status = text ? nncc_store_set_text(s, KEY_TRAINING, text)
                      : nncc_fail_memory(0, "a checkpoint");

    free(text);
    json_decref(j);
    return status;
}

int nncc_checkpoint_write(const nncc_trainer *t, const nncc_position *at,
                          const void *best, const void *mean, const char *path)
{
    nncc_store *s;
    int status = nncc_store_new(&s);

    if (status)
        return status;
    for (int i = 0; i < t->nblock && !status; i++)
        status = nncc_weights_put(&t->block[i], "", NULL, s);
    for (int i = 0; i < t->nblock && best && !status; i++)
        status = nncc_weights_put(&t->block[i], BEST, &best, s);
    for (int i = 0; i < t->nblock && mean && !status; i++)
        if (nncc_is_trained(t, &t->block[i]))
            status = nncc_weights_put(&t->block[i], MEAN, &mean, s);
    if (!status)
        status = nncc_fit_write(t->fit, s);
    if (!status)
        status = put_position(t, at, s);
    if (!status)
        status = nncc_store_write(s, path);
    nncc_store_free(s);
    return status;
}

/* Back again. */

static bool read_real(const json_t *j, double *v)
{
    const char *text = json_string_value(j);
    char *end = NULL;

    *v = text ? strtod(text, &end) : 0;
    return text && end != text && !*end;
}

static bool read_word(const json_t *j, uint64_t *v)
{
    const char *text = json_string_value(j);
    char *end = NULL;

    *v = text ? strtoull(text, &end, 10) : 0;
    return text && end != text && !*end;
}

/* What a checkpoint says of the training that it is of. */
typedef struct Origin {
    uint64_t seed, data;
    json_int_t batch;
} Origin;

static bool items_from_json(const json_t *list, nncc_position *at)
{
    size_t n = json_array_size(list);

    for (size_t k = 0; k < n && n <= NNCC_MAX_ITEMS; k++) {
        const json_t *one = json_array_get(list, k);
        if (!read_real(json_array_get(one, 0), &at->sum[k].loss) ||
            !read_real(json_array_get(one, 1), &at->sum[k].rows) ||
            !read_real(json_array_get(one, 2), &at->last_loss[k]))
            return false;
    }
    return n > 0 && n <= NNCC_MAX_ITEMS;
}

static bool looks_from_json(const json_t *list, nncc_position *at)
{
    int64_t v[2 + 2 * NNCC_MAX_SCHEDULES];

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        const json_t *one = json_array_get(list, i);
        v[i] = json_integer_value(one);
        if (!json_is_integer(one) || v[i] < 0)
            return false;
    }
    at->looks = v[0];
    at->best_look = v[1];
    for (int i = 0; i < NNCC_MAX_SCHEDULES; i++) {
        at->drops[i] = v[2 + 2 * i];
        at->drop_look[i] = v[3 + 2 * i];
    }
    return true;
}

static bool position_from_json(json_t *j, Origin *o, nncc_position *at)
{
    int version;
    json_int_t epoch, step, done, best_epoch;
    json_t *seed, *data, *items, *looks, *best_loss, *metric;

    if (!j ||
        json_unpack(j,
                    "{s:i, s:o, s:I, s:o, s:I, s:I, s:I, s:o, s:o, s:I, s:o, "
                    "s:o}",
                    "version", &version, "seed", &seed, "batch", &o->batch,
                    "data", &data, "epoch", &epoch, "step", &step, "done",
                    &done, "items", &items, "looks", &looks, "best_epoch",
                    &best_epoch, "best_loss", &best_loss, "best_metric",
                    &metric) != 0 ||
        version != VERSION || epoch < 1 || step < 0 || done < 0 ||
        best_epoch < 0 || best_epoch > epoch ||
        json_array_size(metric) != NNCC_MAX_METRICS)
        return false;
    *at = (nncc_position){
        .epoch = epoch, .step = step, .done = done, .best_epoch = best_epoch};
    for (int i = 0; i < NNCC_MAX_METRICS; i++)
        if (!read_real(json_array_get(metric, (size_t)i), &at->best_metric[i]))
            return false;
    return read_word(seed, &o->seed) && read_word(data, &o->data) &&
           items_from_json(items, at) && looks_from_json(looks, at) &&
           read_real(best_loss, &at->best_loss);
}

static int check_origin(const nncc_trainer *t, const char *path,
                        const Origin *o)
{
    if (o->seed != t->seed)
        return nncc_fail(
            NN_ERR_ARGUMENT, "%s: is of a training with seed %llu, not %llu",
            path, (unsigned long long)o->seed, (unsigned long long)t->seed);
    if (o->batch != t->batch)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: is of a training with batches of %lld rows, not "
                         "%lld",
                         path, (long long)o->batch, (long long)t->batch);
    if (o->data != t->data_hash)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: is of a training on other data, or on other rows "
                         "of it",
                         path);
    return NN_OK;
}

static int check_state(const nncc_trainer *t, const char *path, nncc_take *k)
{
    for (int i = 0; i < t->nblock; i++)
        nncc_take_check(k, &t->block[i]);
    if (k->wrong.failed || k->missing.failed)
        return NN_ERR_MEMORY;
    if (k->missing.n) {
        for (char *c = k->missing.at; *c; c++) /* a list in one line */
            if (*c == '\n')
                *c = c[1] ? ' ' : '\0';
        return nncc_fail(NN_ERR_SHAPE, "%s: another model's; it lacks %s", path,
                         k->missing.at);
    }
    if (k->wrong.n)
        return nncc_fail(NN_ERR_SHAPE, "%s: another model's; %s", path,
                         k->wrong.at);
    return NN_OK;
}

static bool has_copy(const nncc_trainer *t, const nncc_store *s,
                     const char *prefix)
{
    nncc_take k = {.s = s, .prefix = prefix};

    nncc_take_check(&k, &t->block[0]);
    nncc_take_free(&k);
    return k.found > 0;
}

/* A copy of all blocks, or of those that are trained; *out stays where there is
 * none. */
static int read_copy(const nncc_trainer *t, const nncc_store *s,
                     const char *path, const char *prefix, bool trained,
                     void **out)
{
    nncc_take k = {.s = s, .prefix = prefix};

    if (!has_copy(t, s, prefix))
        return NN_OK;
    void *copy = nncc_alloc(nncc_trainer_bytes(t), 1, "a copy"), *to = copy;
    int status = copy ? NN_OK : (int)NN_ERR_MEMORY;

    for (int i = 0; i < t->nblock && !status; i++)
        if (!trained || nncc_is_trained(t, &t->block[i]))
            status = nncc_take_back(&k, &t->block[i], &to);
    if (status) {
        free(copy);
        return nncc_fail(status, "%s: damaged: %s", path, nncc_last_error());
    }
    *out = copy;
    return NN_OK;
}

static int take_all(nncc_trainer *t, const nncc_store *s, const char *path,
                    nncc_position *at, void **best, void **mean)
{
    const char *text = nncc_store_text(s, KEY_TRAINING);
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    nncc_take k = {.s = s, .prefix = ""};
    nncc_position found;
    Origin o = {0};

    int status = position_from_json(j, &o, &found)
                     ? check_state(t, path, &k)
                     : nncc_fail(NN_ERR_DATA,
                                 "%s: no checkpoint of a training (parameters "
                                 "alone are loaded, not resumed)",
                                 path);
    if (!status)
        status = check_origin(t, path, &o);
    if (!status)
        status = read_copy(t, s, path, BEST, false, best);
    if (!status)
        status = read_copy(t, s, path, MEAN, true, mean);
    for (int i = 0; i < t->nblock && !status; i++)
        nncc_take_copy(&k, &t->block[i]);
    if (!status)
        *at = found;
    nncc_take_free(&k);
    json_decref(j);
    return status;
}

int nncc_checkpoint_read(nncc_trainer *t, const char *path, nncc_position *at,
                         void **best, void **mean)
{
    nncc_store *s;
    int status = nncc_store_read(path, &s);

    if (status)
        return status;
    status = take_all(t, s, path, at, best, mean);
    nncc_store_free(s);
    return status;
}
