/* sets.h: the data that nncc train trains and tests on. */
#ifndef NNCC_SETS_H
#define NNCC_SETS_H

#include "cli/cli.h"

/* Files, each for the parameter of a name; a safetensors file without one is
 * for all that it names. */
typedef struct NamedFile {
    const char *name, *path;
} NamedFile;
typedef LIST(NamedFile) NamedFiles;

typedef struct SetOptions {
    Arena *arena;
    NamedFiles named, test_named; /* instead of data, test_data */
    LIST(const char *) columns;   /* of data, for parameters by name */
    const char *data, *labels, *text, *test_data, *test_labels;
    nncc_csv_options csv;
    LIST(nncc_column_option) kinds; /* behind csv */
    LIST(const char *) renames;     /* likewise */
    bool classes;                   /* labels are names */
    bool fill;                      /* what is missing gets a value: */
    int fill_kind;
    double fill_value;
    const char *weights;       /* parameter for the weights of classes */
    nncc_split_options second; /* of what is left, for validation */
    const char *validation_data;
    nncc_text_options rows; /* of text */
    nncc_split_options split;
    double scale;
    bool standardise;
    const Module *model; /* whose predictions are of the fields that it lacks;
                            or NULL */
    bool none;           /* no data at all, for a loss that takes none */
} SetOptions;

/* validation: what is looked at as the training goes on, where it is not test;
 * both are NULL when empty. */
typedef struct Sets {
    nncc_data *train, *test, *validation;
} Sets;

/* The message where there is no data and some is needed; a status to exit with.
 */
int sets_lack(const Args *a);
/* What is looked at meanwhile, or NULL. */
const nncc_data *sets_held(const Sets *s);
/* Its word in what is printed and recorded. */
const char *sets_held_name(const Sets *s);

/* Options of CSV files, for train and whoever reads its data anew. */
#define CSV_OPTIONS                                                            \
    {"label", 0, "COLUMN", "name or number of the label's column (the last)"}, \
        {"no-label", 0, NULL, "all columns are features"},                     \
        {"classes", 0, NULL,                                                   \
         "labels are names of classes, also numbers: 1…k"},                    \
        {"drop", 0, "COLUMNS", "leave columns out: names, numbers, 2:5, 7:"},  \
        {"rename", 0, "OLD=NEW", "all else knows the new name"},               \
        {"missing", 0, "RULE",                                                 \
         "for empty fields, NA, ?, …: drop the row; mean, median\n"            \
         "or a number instead"},                                               \
        {"categories", 0, "COLUMNS", "texts there are numbered, 0 to n-1"},    \
        {"one-hot", 0, "COLUMNS", "or a feature for each text, 0 or 1"},       \
        {"dates", 0, "COLUMNS",                                                \
         "days since 1970: 2024-12-31, 31.12.2024 8:30"},                      \
        {"date-order", 0, "ORDER", "of 31/12/2024: dmy, mdy"},                 \
        {"ragged", 0, "NAME[=COLUMN]",                                         \
         "rows may end early; NAME is how long they are from\n"                \
         "COLUMN on"},                                                         \
        {"split-column", 0, "COLUMN",                                          \
         "says what rows are for: train, validation, test"},                   \
        {"comment", 0, "CHARACTER", "begins lines that are none: #, or none"}

/* csv.c: what is said of CSV files; a status to exit with. */
int csv_options(const Args *a, SetOptions *to);
/* What the command line says of the data; a status to exit with, 0 for none. */
int sets_options(const Args *a, uint64_t seed, SetOptions *to);
/* False after a message. */
bool sets_read(const SetOptions *o, Sets *to);
void sets_free(Sets *s);
/* Number w of the field's row; columns are among the features. */
double field_number(const nncc_data *d, const nncc_array *field, int64_t row,
                    int64_t w);
/* A number, or a fraction of two: 1/255. False after a message. */
bool cli_number(const Args *a, const char *name, const char *text, double *out);

#endif
