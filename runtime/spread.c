/* spread.c: features out of the raw rows of a CSV file. */
#include "nn_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Words in their order; numbers at every `step`th place from `at` on, n of
 * them, become theirs. */
static int sort_words(nncc_words *w, double *at, int64_t step, int64_t n,
                      char ***to, int32_t *count)
{
    int32_t *place;
    int status = nncc_words_sort(w, &place);

    if (status)
        return status;
    for (int64_t i = 0; i < n; i++)
        at[i * step] = place[(int32_t)at[i * step]];
    free(place);
    *to = w->word;
    *count = w->n;
    *w = (nncc_words){0};
    return NN_OK;
}

static int sort_categories(Table *t)
{
    nncc_data *d = t->d;
    int status = NN_OK;

    for (int64_t k = 0; k < d->ncolumn && !status && !t->like; k++)
        if (t->words[k].n)
            status =
                sort_words(&t->words[k], (double *)d->x + k, t->step, d->n,
                           &d->column[k].category, &d->column[k].ncategory);
    if (!status && t->named && t->classes.n)
        status =
            sort_words(&t->classes, d->y, 1, d->n, &d->class_name, &d->nclass);
    return status;
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

/* The raw rows become features. */
static int spread(Table *t, bool lengths)
{
    nncc_data *d = t->d;
    size_t m = (size_t)d->nfeature;

    if (m && (uint64_t)d->n > t->max_bytes / sizeof(double) / m)
        return nncc_fail(NN_ERR_DATA,
                         "%s: %lld rows of %lld features are more than the "
                         "limit of %llu bytes",
                         nncc_csv_path(t->csv), (long long)d->n, (long long)m,
                         (unsigned long long)t->max_bytes);
    double *x = nncc_alloc((size_t)d->n * m, sizeof *x, "a data set");
    if (!x)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->ncolumn; k++) {
            const nncc_column *c = &d->column[k];
            double v = k == d->ncolumn - lengths
                           ? t->length[i]
                           : ((double *)d->x)[i * t->step + k];
            double *to = x + i * d->nfeature + c->first;
            if (c->kind != NNCC_COLUMN_ONE_HOT)
                *to = v;
            else
                to[(int64_t)v] = 1;
        }
    free(d->x);
    d->x = x;
    return NN_OK;
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
    int status = sort_categories(t);

    if (!status && t->ragged)
        status = add_lengths(t);
    count_features(d);
    if (!status && (t->step != d->nfeature || has_one_hot(d) || t->ragged))
        status = spread(t, t->ragged);
    d->x_step = d->nfeature;
    d->y_step = d->nlabel;
    d->width = t->ncol;
    return status ? status : name_features(t);
}
