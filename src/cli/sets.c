/* sets.c: the data that nncc train trains and tests on. */

#include "cli/sets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool cli_number(const Args *a, const char *name, const char *text, double *out)
{
    char *end;
    const char *rest;

    *out = strtod(text, &end);
    if (end != text && *end == '/') {
        rest = end + 1;
        *out /= strtod(rest, &end);
        end = end == rest ? NULL : end;
    }
    if (end && end != text && !*end && isfinite(*out))
        return true;
    cli_usage(a, "'--%s' needs a number, not '%s'", name, text);
    return false;
}

/* --test: a number of rows, or a share of them such as 0.2. */
static bool read_test(const Args *a, nncc_split_options *o)
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

/* Options that contradict each other or say nothing; NULL: none. */
static const char *senseless(const Args *a, const SetOptions *o)
{
    static const char *const rows[] = {"labels",    "label", "no-label",
                                       "test-data", "scale", "standardise"};
    const char *given = NULL;

    if (!o->data && !o->text)
        return "which data? --data=FILE or --text=FILE";
    if (o->data && o->text)
        return "'--data' or '--text', not both";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        given = option_value(a, rows[i]) ? rows[i] : given;
    if (o->text && given)
        return arena_printf(a->arena, "'--%s' does not go with '--text'",
                            given);
    given = option_value(a, "length") ? "length" : "stride";
    if (!o->text && option_value(a, given))
        return arena_printf(a->arena, "'--%s' goes with '--text'", given);
    if (o->test_labels && !o->test_data)
        return "'--test-labels' goes with '--test-data'";
    if (o->test_data && option_value(a, "test"))
        return "'--test' or '--test-data', not both";
    if (o->test_data && o->labels && !o->test_labels)
        return "'--test-data' needs its '--test-labels'";
    return NULL;
}

int sets_options(const Args *a, uint64_t seed, SetOptions *to)
{
    const char *scale = option_value(a, "scale"), *wrong;
    nncc_csv_options csv = NNCC_CSV_DEFAULTS;

    *to = (SetOptions){.data = option_value(a, "data"),
                       .labels = option_value(a, "labels"),
                       .text = option_value(a, "text"),
                       .test_data = option_value(a, "test-data"),
                       .test_labels = option_value(a, "test-labels"),
                       .csv = csv,
                       .rows = {.length = 64},
                       .split = {.seed = seed, .count = -1, .fraction = 0.2},
                       .scale = 1,
                       .standardise = option_value(a, "standardise") != NULL};
    to->csv.label = option_value(a, "label");
    to->csv.no_label = option_value(a, "no-label") != NULL;
    wrong = senseless(a, to);
    if (wrong)
        return cli_usage(a, "%s", wrong);
    to->split.keep_order = to->text != NULL;
    if (!read_test(a, &to->split) ||
        !option_int(a, "length", 1, &to->rows.length) ||
        !option_int(a, "stride", 1, &to->rows.stride) ||
        (scale && !cli_number(a, "scale", scale, &to->scale)))
        return EXIT_USAGE;
    return EXIT_SUCCESS;
}

static bool split(const SetOptions *o, nncc_data *all, Sets *to)
{
    bool done = nncc_data_split(all, &o->split, &to->train, &to->test) == NN_OK;

    nncc_data_free(all);
    if (done && to->test->n == 0) {
        nncc_data_free(to->test);
        to->test = NULL;
    }
    return done;
}

static bool read_text(const SetOptions *o, Sets *to)
{
    nncc_data *all;

    if (nncc_text_read(o->text, &o->rows, &all) != NN_OK)
        return false;
    printf("%s: %lld rows of %lld characters, %d different ones\n", o->text,
           (long long)all->n, (long long)all->nfeature, (int)all->nclass);
    return split(o, all, to);
}

static bool read_rows(const SetOptions *o, Sets *to)
{
    nncc_data *all;

    if (o->test_data && nncc_data_read(o->test_data, o->test_labels, &o->csv,
                                       &to->test) != NN_OK)
        return false;
    if (nncc_data_read(o->data, o->labels, &o->csv, &all) != NN_OK)
        return false;
    if (o->test_data)
        to->train = all;
    else if (!split(o, all, to))
        return false;
    return nncc_data_scale(to->train, o->scale) == NN_OK &&
           (!to->test || nncc_data_scale(to->test, o->scale) == NN_OK) &&
           (!o->standardise ||
            nncc_data_standardise(to->train, to->test) == NN_OK);
}

bool sets_read(const SetOptions *o, Sets *to)
{
    return o->text ? read_text(o, to) : read_rows(o, to);
}

void sets_free(Sets *s)
{
    nncc_data_free(s->train);
    nncc_data_free(s->test);
}
