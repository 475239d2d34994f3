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
    nncc_text_options rows; /* of text */
    nncc_split_options split;
    double scale;
    bool standardise;
} SetOptions;

typedef struct Sets {
    nncc_data *train, *test; /* test: NULL when empty */
} Sets;

/* What the command line says of the data; a status to exit with, 0 for none. */
int sets_options(const Args *a, uint64_t seed, SetOptions *to);
/* False: nncc_last_error says why. */
bool sets_read(const SetOptions *o, Sets *to);
void sets_free(Sets *s);
/* A number, or a fraction of two: 1/255. False after a message. */
bool cli_number(const Args *a, const char *name, const char *text, double *out);

#endif
