/* spread.c: features out of the raw rows of a CSV file. */
#include "nn_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Raw rows in memory. */
typedef struct Rows {
    double *x, *y, *length; /* y, length: or NULL */
    int64_t n, step;
} Rows;

/* Where the numbers of words went when these were sorted. */
typedef struct Sorted {
    int32_t **column; /* [ncolumn], or NULL each */
    int32_t *classes;
    int64_t ncolumn;
} Sorted;

static int sort_words(nncc_words *w, int32_t **place, char ***to,
                      int32_t *count)
{
    int status = w->n ? nncc_words_sort(w, place) : NN_OK;

    if (status || !w->n)
        return status;
    *to = w->word;
    *count = w->n;
    *w = (nncc_words){0};
    return NN_OK;
}

static int sort_categories(Table *t, Sorted *s)
{
    nncc_data *d = t->d;
    int status = NN_OK;

    s->ncolumn = d->ncolumn;
    s->column = nncc_alloc((size_t)d->ncolumn, sizeof *s->column, "categories");
    if (!s->column)
        return NN_ERR_MEMORY;
    for (int64_t k = 0; k < d->ncolumn && !status && !t->like; k++)
        status = sort_words(&t->words[k], &s->column[k], &d->column[k].category,
                            &d->column[k].ncategory);
    if (!status && t->named)
        status =
            sort_words(&t->classes, &s->classes, &d->class_name, &d->nclass);
    return status;
}

static void free_sorted(Sorted *s)
{
    for (int64_t k = 0; s->column && k < s->ncolumn; k++)
        free(s->column[k]);
    free(s->column);
    free(s->classes);
}

static void renumber(const int32_t *place, double *at, int64_t step, int64_t n)
{
    for (int64_t i = 0; i < n && place; i++)
        at[i * step] = place[(int32_t)at[i * step]];
}

/* Words get their numbers in order. */
static void put_in_order(const Sorted *s, const Rows *r)
{
    for (int64_t k = 0; k < s->ncolumn && k < r->step; k++)
        renumber(s->column[k], r->x + k, r->step, r->n);
    renumber(s->classes, r->y, 1, r->n);
}

/* Columns follow each other in the features. */
static void count_features(nncc_data *d)
{
    d->nfeature = 0;
    for (int64_t k = 0; k < d->ncolumn; k++) {
        nncc_column *c = &d->column[k];
        c->width = c->kind == NNCC_COLUMN_ONE_HOT ? c->ncategory : 1;
        c->first = d->nfeature;
        d->nfeature += c->width;
    }
}

static bool has_one_hot(const nncc_data *d)
{
    for (int64_t k = 0; k < d->ncolumn; k++)
        if (d->column[k].kind == NNCC_COLUMN_ONE_HOT)
            return true;
    return false;
}

/* Row i as features, [nfeature]. */
static void spread_row(const Table *t, const Rows *r, int64_t i, double *to)
{
    const nncc_data *d = t->d;

    for (int64_t k = 0; k < d->nfeature; k++)
        to[k] = 0;
    for (int64_t k = 0; k < d->ncolumn; k++) {
        const nncc_column *c = &d->column[k];
        bool length = t->ragged && k == d->ncolumn - 1;
        double v = length        ? r->length[i]
                   : k < r->step ? r->x[i * r->step + k]
                                 : 0; /* the row is of a time before k */
        if (c->kind != NNCC_COLUMN_ONE_HOT)
            to[c->first] = v;
        else
            to[c->first + (int64_t)v] = 1;
    }
}

static int check_size(const Table *t)
{
    uint64_t m = (uint64_t)t->d->nfeature;

    if (!m || (uint64_t)t->d->n <= t->max_bytes / sizeof(double) / m)
        return NN_OK;
    return nncc_fail(NN_ERR_DATA,
                     "%s: %lld rows of %lld features are more than the "
                     "limit of %llu bytes",
                     nncc_csv_path(t->csv), (long long)t->d->n, (long long)m,
                     (unsigned long long)t->max_bytes);
}

/* The raw rows become features, in memory. */
static int spread(Table *t, const Rows *r)
{
    nncc_data *d = t->d;
    double *x =
        nncc_alloc((size_t)d->n * (size_t)d->nfeature, sizeof *x, "a data set");

    if (!x)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        spread_row(t, r, i, x + i * d->nfeature);
    free(d->x);
    d->x = x;
    return NN_OK;
}

/* A block of the file again, in room for the largest. */
static int read_block(Table *t, const Block *b, Rows *r)
{
    int64_t at = b->at + b->n * b->step;

    r->n = b->n;
    r->step = b->step;
    int status = nncc_spill_get(&t->raw, b->at, b->n * b->step, r->x);
    if (!status && t->d->nlabel) {
        status = nncc_spill_get(&t->raw, at, b->n, r->y);
        at += b->n;
    }
    if (!status && t->ragged)
        status = nncc_spill_get(&t->raw, at, b->n, r->length);
    return status;
}

/* The same in files, row by row. */
static int spread_rows(Table *t, const Sorted *s, Rows *r, double *row,
                       nncc_spill *x, nncc_spill *y)
{
    size_t m = (size_t)t->d->nfeature;
    int status = NN_OK;

    for (int64_t k = 0; k < t->nblock && !status; k++) {
        status = read_block(t, &t->block[k], r);
        if (status)
            break;
        put_in_order(s, r);
        for (int64_t i = 0; i < r->n && !status; i++) {
            spread_row(t, r, i, row);
            status = nncc_spill_put(x, row, m);
        }
        if (!status && t->d->nlabel)
            status = nncc_spill_put(y, r->y, (size_t)r->n);
    }
    return status;
}

static int make_files(Table *t, const Sorted *s, Rows *r, double *row)
{
    nncc_data *d = t->d;
    nncc_spill x = {.fd = -1}, y = {.fd = -1};
    int status = nncc_spill_open(d->path, &x);

    if (!status)
        status = nncc_spill_open(d->path, &y);
    if (!status)
        status = spread_rows(t, s, r, row, &x, &y);
    if (!status)
        status = nncc_spill_bulk(&x, &d->x_file);
    if (!status && d->nlabel)
        status = nncc_spill_bulk(&y, &d->y_file);
    nncc_spill_close(&x);
    nncc_spill_close(&y);
    return status;
}

/* Of what went to a file nothing comes back. */
static int spread_file(Table *t, const Sorted *s)
{
    nncc_data *d = t->d;
    size_t rows = 1, numbers = 1;
    int status = t->held ? table_spill(t) : NN_OK;

    free(d->x);
    free(d->y);
    d->x = d->y = NULL;
    for (int64_t k = 0; k < t->nblock; k++) {
        const Block *b = &t->block[k];
        size_t n = (size_t)b->n, all = n * (size_t)b->step;
        rows = n > rows ? n : rows;
        numbers = all > numbers ? all : numbers;
    }
    double *at = nncc_alloc(numbers + 2 * rows + (size_t)d->nfeature,
                            sizeof *at, "a data set");
    Rows r = {.x = at, .y = at + numbers, .length = at + numbers + rows};
    if (!status)
        status = at ? make_files(t, s, &r, at + numbers + 2 * rows)
                    : (int)NN_ERR_MEMORY;
    free(at);
    return status;
}

static int spread_memory(Table *t, const Sorted *s)
{
    nncc_data *d = t->d;
    Rows r = {d->x, d->y, t->length, d->n, t->step};

    put_in_order(s, &r);
    if (d->label == NNCC_LABEL_NONE) {
        free(d->y);
        d->y = NULL;
    }
    return t->step != d->nfeature || has_one_hot(d) || t->ragged ? spread(t, &r)
                                                                 : NN_OK;
}

static int name_feature(const nncc_column *c, int64_t i, char **to)
{
    nncc_text name = {0};

    if (c->kind == NNCC_COLUMN_ONE_HOT)
        nncc_text_printf(&name, "%s=%s", c->name, c->category[i]);
    else if (c->name)
        nncc_text_printf(&name, "%s", c->name);
    else /* of a ragged row, behind those with names */
        nncc_text_printf(&name, "%lld", (long long)c->at);
    *to = name.at;
    return name.failed ? (int)NN_ERR_MEMORY : NN_OK;
}

static int name_features(Table *t)
{
    nncc_data *d = t->d;
    int status = NN_OK;

    if (!t->name)
        return NN_OK;
    d->feature_name = nncc_alloc((size_t)d->nfeature, sizeof *d->feature_name,
                                 "names of columns");
    if (!d->feature_name)
        return NN_ERR_MEMORY;
    for (int64_t k = 0; k < d->ncolumn; k++)
        for (int64_t i = 0; i < d->column[k].width && !status; i++)
            status = name_feature(&d->column[k], i,
                                  &d->feature_name[d->column[k].first + i]);
    return status;
}

/* The column of the rows' lengths, behind the others. */
static int add_lengths(Table *t)
{
    nncc_data *d = t->d;
    size_t n = (size_t)d->ncolumn + 1;
    nncc_column *column = realloc(d->column, n * sizeof *column);

    if (!column)
        return nncc_fail_memory(n * sizeof *column, "columns");
    d->column = column;
    column[d->ncolumn] =
        (nncc_column){.name = nncc_strdup(t->lengths), .at = -1 - t->from};
    return column[d->ncolumn++].name ? NN_OK : (int)NN_ERR_MEMORY;
}

int table_make_features(Table *t)
{
    nncc_data *d = t->d;
    Sorted s = {0};
    int status = sort_categories(t, &s);

    if (!status && t->ragged)
        status = add_lengths(t);
    count_features(d);
    if (!status)
        status = check_size(t);
    if (!status)
        status = t->nblock ? spread_file(t, &s) : spread_memory(t, &s);
    free_sorted(&s);
    d->x_step = d->nfeature;
    d->y_step = d->nlabel;
    d->width = t->ncol;
    return status ? status : name_features(t);
}
