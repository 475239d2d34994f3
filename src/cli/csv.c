/* csv.c: what the command line says of the columns of a CSV file. */

#include "cli/sets.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *option;
    int kind;
} kinds[] = {
    {"dates", NNCC_COLUMN_DATE},
    {"categories", NNCC_COLUMN_CATEGORY},
    {"one-hot", NNCC_COLUMN_ONE_HOT},
    {"drop", NNCC_COLUMN_DROP},
};
enum { NKINDS = sizeof kinds / sizeof *kinds };

static void list_kinds(const Args *a, SetOptions *to)
{
    for (int i = 0; i < a->given.n; i++)
        for (int k = 0; k < NKINDS; k++)
            if (!strcmp(a->given.at[i].name, kinds[k].option)) {
                nncc_column_option o = {.columns = a->given.at[i].value,
                                        .kind = kinds[k].kind};
                list_push(a->arena, &to->kinds, o);
            }
    const char *rename;
    for (int i = 0; (rename = option_next(a, "rename", &i));)
        list_push(a->arena, &to->renames, rename);
    to->csv.column = to->kinds.at;
    to->csv.ncolumn = to->kinds.n;
    to->csv.rename = to->renames.at;
    to->csv.nrename = to->renames.n;
}

/* --missing: a rule, or the number that stands for what is missing. */
static int read_missing(const Args *a, SetOptions *to)
{
    const char *text = option_value(a, "missing");

    if (!text)
        return EXIT_SUCCESS;
    if (!strcmp(text, "drop")) {
        to->csv.missing = NNCC_MISSING_DROP;
        return EXIT_SUCCESS;
    }
    to->csv.missing = NNCC_MISSING_KEEP;
    to->fill = true;
    to->fill_kind = !strcmp(text, "mean")     ? NNCC_FILL_MEAN
                    : !strcmp(text, "median") ? NNCC_FILL_MEDIAN
                                              : NNCC_FILL_VALUE;
    if (to->fill_kind != NNCC_FILL_VALUE || cli_is_real(text, &to->fill_value))
        return EXIT_SUCCESS;
    return cli_usage(a,
                     "'--missing' is drop, mean, median or a number, not "
                     "'%s'",
                     text);
}

static int read_date_order(const Args *a, SetOptions *to)
{
    static const int order[] = {NNCC_DATE_DMY, NNCC_DATE_MDY};
    static const char *const word[] = {"dmy", "mdy"};
    const char *text = option_value(a, "date-order");
    int k = 0, status = cli_choice(a, "date-order", text, word, 2, &k);

    if (text && !status)
        to->csv.date_order = order[k];
    return status;
}

static int read_comment(const Args *a, SetOptions *to)
{
    const char *text = option_value(a, "comment");

    if (text && !strcmp(text, "none"))
        to->csv.comment = '\n';
    else if (text && strlen(text) == 1 && *text > ' ' && *text < 127)
        to->csv.comment = *text;
    else if (text)
        return cli_usage(a, "'--comment' is a character or none, not '%s'",
                         text);
    return EXIT_SUCCESS;
}

/* --ragged=NAME or NAME=FROM */
static int read_ragged(const Args *a, SetOptions *to)
{
    const char *text = option_value(a, "ragged");
    const char *from;

    to->csv.ragged = text;
    if (!text || !strchr(text, '='))
        return EXIT_SUCCESS;
    to->csv.ragged = cli_name(a->arena, text, &from);
    if (to->csv.ragged && cli_is_int(from, &to->csv.ragged_from) &&
        to->csv.ragged_from >= 0)
        return EXIT_SUCCESS;
    return cli_usage(a,
                     "'--ragged' is NAME or NAME=COLUMN, a number from 0, not "
                     "'%s'",
                     text);
}

int csv_options(const Args *a, SetOptions *to)
{
    int status = read_missing(a, to);

    to->csv.label = option_value(a, "label");
    to->csv.no_label = option_value(a, "no-label") != NULL;
    to->csv.split = option_value(a, "split-column");
    to->classes = option_value(a, "classes") != NULL;
    list_kinds(a, to);
    if (!status)
        status = read_date_order(a, to);
    if (!status)
        status = read_comment(a, to);
    if (!status)
        status = read_ragged(a, to);
    if (to->csv.ragged && !to->csv.label)
        to->csv.no_label = 1;
    return status;
}
