/* nn_table.h: what the parts of the CSV reader share. */
#ifndef NN_TABLE_H
#define NN_TABLE_H

#include "nn_internal.h"

enum { LEFT_OUT = -1 };

/* Raw rows that went to a file: their numbers, then the labels, then, of ragged
 * rows, the lengths. */
typedef struct Block {
    int64_t n, step, at;
} Block;

typedef struct Table {
    nncc_csv *csv;
    const nncc_csv_options *o;
    const nncc_data *like; /* whose columns these are, or NULL */
    nncc_data *d;
    int64_t first_line; /* which says how many fields there are */
    int64_t ncol;
    char **name; /* [nname], or NULL */
    char **was;  /* [nname]: where it was renamed, what it was; or NULL */
    int64_t nname;
    int64_t *place;      /* [ncol]: in a raw row, or LEFT_OUT */
    int64_t label;       /* column, or -1 */
    int64_t split;       /* likewise */
    int64_t step;        /* numbers of a raw row that there is room for */
    int64_t room;        /* rows that fit */
    int64_t held;        /* rows in memory: the last of d->n */
    int64_t part_room;   /* of d->part */
    int64_t stated_rows; /* by a first line as scikit-learn's, or -1 */
    uint64_t max_bytes, memory_bytes;
    nncc_spill raw; /* the rows before those in memory */
    Block *block;   /* [nblock] */
    int64_t nblock;
    char decimal;        /* '.' or ','; 0: not known yet */
    bool ragged;         /* rows may end early: */
    const char *lengths; /* what the column that tells how late is called */
    int64_t from;        /* and the column that it counts from */
    double *length;      /* of ragged rows, [room] */
    bool named;          /* labels are names of classes */
    nncc_words classes;  /* then */
    nncc_words *words;   /* [nword]: categories of d->column */
    int64_t nword;
} Table;

/* table.c */

/* What a field holds; where a comma is the decimal sign it becomes a point. */
int table_parse(const Table *t, const nncc_field *f, double *value);

/* NN_ERR_DATA: more than options allow. */
int table_too_large(const Table *t);

/* The rows in memory go to the file. */
int table_spill(Table *t);

/* plan.c: what the first lines tell */

/* A first line "rows,features,class,…": two counts, then names alone. */
bool table_has_counts(const Table *t, const nncc_row *first,
                      const nncc_row *second);
bool table_has_header(const Table *t, const nncc_row *first,
                      const nncc_row *second);
/* Do the options speak of columns by name? */
bool table_wants_names(const Table *t);
/* The columns of t->d and where they are; t->ncol is known. */
int table_plan(Table *t, const nncc_row *header);
/* Room for columns up to n, for a row that is longer than those before. */
int table_widen(Table *t, int64_t n);

/* spread.c: raw rows to features */

/* Categories are sorted, features made, all of them given names. */
int table_make_features(Table *t);

#endif
