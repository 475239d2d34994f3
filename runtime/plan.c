/* plan.c: what a CSV file's first lines and the options say of its columns. */
#include "nn_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int kind_of(const Table *t, const nncc_field *f)
{
    double ignored;

    return table_parse(t, f, &ignored);
}

/* What the first line is */

/* A first line "rows,features,class,…": two counts, then names alone. */
bool table_has_counts(const Table *t, const nncc_row *first,
                      const nncc_row *second)
{
    double rows, features;

    if (t->o->header >= 0 || first->nfield < 3 || second->nfield < 2 ||
        table_parse(t, &first->field[0], &rows) != NNCC_NUMBER ||
        table_parse(t, &first->field[1], &features) != NNCC_NUMBER ||
        rows != floor(rows) || fabs(rows) > 0x1p53 ||
        features != (double)(second->nfield - 1))
        return false;
    for (int64_t i = 2; i < first->nfield; i++)
        if (kind_of(t, &first->field[i]) != NNCC_TEXT)
            return false;
    return true;
}

static bool has_name(const char *list)
{
    return strspn(list, "0123456789,:") != strlen(list);
}

/* Do the options speak of columns by name? */
bool table_wants_names(const Table *t)
{
    const nncc_csv_options *o = t->o;
    bool wants = o->nrename > 0 ||
                 (o->label && !o->no_label && !nncc_is_decimal(o->label));

    for (int32_t i = 0; i < o->ncolumn; i++)
        wants |= has_name(o->column[i].columns);
    wants |= o->split && has_name(o->split);
    return wants && !t->like;
}

/* Is one of the names that columns had before in the first line? */
static bool has_like_name(const Table *t, const nncc_row *first)
{
    for (int64_t k = 0; k < t->like->ncolumn; k++)
        for (int64_t i = 0; i < first->nfield; i++)
            if (t->like->column[k].name && t->like->column[k].at >= 0 &&
                strcmp(t->like->column[k].name, first->field[i].text) == 0)
                return true;
    return false;
}

bool table_has_header(const Table *t, const nncc_row *first,
                      const nncc_row *second)
{
    int64_t n = first->nfield;

    if (t->o->header >= 0)
        return t->o->header != 0;
    if (table_wants_names(t) || (t->like && has_like_name(t, first)))
        return true;
    if (second->nfield == 0) { /* one line: a header if it holds no number */
        for (int64_t i = 0; i < n; i++)
            if (kind_of(t, &first->field[i]) == NNCC_NUMBER)
                return false;
        return true;
    }
    for (int64_t i = 0; i < n && i < second->nfield; i++)
        if (kind_of(t, &first->field[i]) == NNCC_TEXT &&
            kind_of(t, &second->field[i]) == NNCC_NUMBER)
            return true;
    return false;
}

static int rename_column(Table *t, const char *text)
{
    const char *equals = strchr(text, '=');
    int64_t i = 0;

    if (!equals || equals == text || !equals[1])
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a column is renamed as old=new, not '%s'", text);
    size_t n = (size_t)(equals - text);
    while (i < t->nname &&
           (strlen(t->name[i]) != n || memcmp(t->name[i], text, n) != 0))
        i++;
    if (i == t->nname)
        return nncc_fail(NN_ERR_NAME, "%s: no column '%.*s' to rename",
                         nncc_csv_path(t->csv), (int)n, text);
    free(t->was[i]);
    t->was[i] = t->name[i];
    t->name[i] = nncc_strdup(equals + 1);
    return t->name[i] ? NN_OK : (int)NN_ERR_MEMORY;
}

static int read_header(Table *t, const nncc_row *header)
{
    t->name = nncc_alloc((size_t)t->ncol, sizeof *t->name, "names of columns");
    t->was = nncc_alloc((size_t)t->ncol, sizeof *t->was, "names of columns");
    if (!t->name || !t->was)
        return NN_ERR_MEMORY;
    t->nname = t->ncol;
    for (int64_t i = 0; i < t->ncol; i++)
        if (!(t->name[i] = nncc_strdup(header->field[i].text)))
            return NN_ERR_MEMORY;
    int status = NN_OK;
    for (int32_t i = 0; i < t->o->nrename && !status; i++)
        status = rename_column(t, t->o->rename[i]);
    return status;
}

/* Which columns count */

static int no_column(const Table *t)
{
    nncc_text names = {0};

    if (t->name)
        nncc_list_names(&names, t->name, t->nname);
    if (t->name)
        nncc_fail(
            NN_ERR_NAME, "%s: no column '%s' for the label; there are: %s",
            nncc_csv_path(t->csv), t->o->label, names.at ? names.at : "none");
    else
        nncc_fail(
            NN_ERR_NAME,
            "%s: no column '%s' for the label; there are columns 0 to %lld",
            nncc_csv_path(t->csv), t->o->label, (long long)t->ncol - 1);
    free(names.at);
    return NN_ERR_NAME;
}

static int find_named(const Table *t, const char *name, int64_t *at)
{
    return nncc_column_named(nncc_csv_path(t->csv), t->name, t->nname, name,
                             strlen(name), at);
}

static int find_label(Table *t)
{
    const char *want = t->o->label;
    char *end;

    t->label = t->o->no_label ? -1 : t->ncol - 1;
    if (t->o->no_label || !want)
        return NN_OK;
    int64_t named;
    int status = find_named(t, want, &named);
    if (status || named >= 0) {
        t->label = named;
        return status;
    }
    long long number = strtoll(want, &end, 10);
    if (end == want || *end || number < -t->ncol || number >= t->ncol)
        return no_column(t);
    t->label = number < 0 ? t->ncol + number : number;
    return NN_OK;
}

static int find_split(Table *t)
{
    int64_t *list, n;

    if (!t->o->split)
        return NN_OK;
    int status = nncc_list_columns(nncc_csv_path(t->csv), t->name, t->ncol,
                                   t->o->split, &list, &n);
    if (status)
        return status;
    t->split = n == 1 ? list[0] : -1;
    free(list);
    if (t->split >= 0 && t->split != t->label)
        return NN_OK;
    return nncc_fail(
        NN_ERR_ARGUMENT,
        "'%s' is %s; expected a column that says what rows are for",
        t->o->split, n == 1 ? "the label" : "several columns");
}

/* Room for the columns of features. */
static int start_columns(Table *t, int64_t n)
{
    t->d->column = nncc_alloc((size_t)n, sizeof *t->d->column, "columns");
    t->words = nncc_alloc((size_t)n, sizeof *t->words, "columns");
    t->nword = t->words ? n : 0;
    return t->d->column && t->words ? NN_OK : (int)NN_ERR_MEMORY;
}

/* One more column of features; there is room. */
static int add_column(Table *t, int64_t at, int32_t kind)
{
    nncc_data *d = t->d;
    nncc_column *c = &d->column[d->ncolumn];

    *c = (nncc_column){.kind = kind, .at = at, .date_order = t->o->date_order};
    d->ncolumn++;
    if (at < t->nname && (!(c->name = nncc_strdup(t->name[at])) ||
                          (t->was[at] && !(c->was = nncc_strdup(t->was[at])))))
        return NN_ERR_MEMORY;
    if (kind < NNCC_COLUMN_NUMBER || kind >= NNCC_COLUMN_DROP)
        return nncc_fail(NN_ERR_ARGUMENT, "a column of kind %d", (int)kind);
    return NN_OK;
}

static int plan_own(Table *t)
{
    int32_t *kind = nncc_alloc((size_t)t->ncol, sizeof *kind, "columns");
    int status = kind ? find_label(t) : (int)NN_ERR_MEMORY;

    if (!status)
        status = nncc_column_kinds(nncc_csv_path(t->csv), t->o, t->name,
                                   t->ncol, kind);
    if (!status)
        status = find_split(t);
    if (!status)
        status = start_columns(t, t->ncol);
    for (int64_t i = 0; i < t->ncol && !status; i++)
        if (i != t->label && i != t->split && kind[i] != NNCC_COLUMN_DROP)
            status = add_column(t, i, kind[i]);
    free(kind);
    return status;
}

/* Are all columns of `like` where they were? */
static bool is_in_place(const Table *t)
{
    bool same = true;

    for (int64_t k = 0; k < t->d->ncolumn && same; k++) {
        const nncc_column *c = &t->d->column[k];
        same = c->at < t->nname &&
               (c->at < 0 || strcmp(t->name[c->at], c->name) == 0);
    }
    return same;
}

static int place_column(const Table *t, nncc_column *c)
{
    int status = find_named(t, c->name, &c->at);

    if (!status && c->at < 0 && c->was)
        status = find_named(t, c->was, &c->at);
    if (status || c->at >= 0)
        return status;
    if (!t->like->chosen)
        return nncc_fail(NN_ERR_NAME,
                         "%s has no column '%s', which the model was "
                         "trained on",
                         nncc_csv_path(t->csv), c->name);
    c->at = INT64_MAX;
    c->absent = 1;
    return NN_OK;
}

/* Where the columns of `like` are by their names. Of those that are chosen for
 * parameters not all need be there. */
static int place_by_name(Table *t)
{
    bool in_place = is_in_place(t);
    int status = NN_OK;

    for (int64_t k = 0; k < t->d->ncolumn && !in_place && !status; k++)
        if (t->d->column[k].at >= 0)
            status = place_column(t, &t->d->column[k]);
    if (!status && t->like->label_name && !t->o->no_label)
        status = find_named(t, t->like->label_name, &t->label);
    return status;
}

/* Is it as the training's file was, but for the label? How many fields a ragged
 * row has says nothing about that: what asks for no label has it if it names
 * it. */
static bool lacks_label(const Table *t)
{
    const nncc_data *like = t->like;

    if (like->label_column < 0)
        return false;
    if (!t->ragged)
        return t->ncol == like->width - 1;
    return t->o->no_label &&
           !(t->name && like->label_name &&
             nncc_find_name(t->name, t->nname, like->label_name) >= 0);
}

/* The same by their numbers: the file is as that was, or without the label, or
 * has the features alone. */
static int place_by_number(Table *t)
{
    const nncc_data *like = t->like;
    nncc_data *d = t->d;
    bool unlabelled = lacks_label(t);
    bool as_it_was = t->ragged ? !unlabelled : t->ncol == like->width;

    if (!t->ragged && !as_it_was && !unlabelled && t->ncol != d->ncolumn)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s has %lld columns of features; the model was "
                         "trained on %lld%s",
                         nncc_csv_path(t->csv), (long long)t->ncol,
                         (long long)d->ncolumn,
                         like->chosen && d->ncolumn && d->column[0].name
                             ? ": fewer need a first line with their names"
                             : "");
    for (int64_t k = 0; k < d->ncolumn && !as_it_was; k++)
        if (!unlabelled)
            d->column[k].at = k;
        else
            d->column[k].at -= d->column[k].at > like->label_column;
    if (as_it_was && !t->o->no_label)
        t->label = like->label_column;
    if (t->ragged && unlabelled) {
        t->ncol--;
        t->from -= t->from > like->label_column;
    }
    return NN_OK;
}

/* The categories of column k are known. */
static int know_words(Table *t, int64_t k)
{
    const nncc_column *c = &t->d->column[k];
    int32_t number;
    int status = NN_OK;

    for (int32_t i = 0; i < c->ncategory && !status; i++)
        status = nncc_words_add(&t->words[k], c->category[i], &number);
    return status;
}

/* The column of lengths is made anew, behind the others. */
static void begin_ragged(Table *t)
{
    nncc_column *last = &t->d->column[t->d->ncolumn - 1];

    t->ragged = true;
    t->lengths = t->like->column[t->d->ncolumn - 1].name;
    t->from = -1 - last->at;
    t->ncol = t->like->width;
    nncc_column_free(last);
    t->d->ncolumn--;
}

static int plan_like(Table *t)
{
    nncc_data *d = t->d;
    int status = nncc_columns_copy(t->like, d);

    if (status)
        return status;
    t->words = nncc_alloc((size_t)d->ncolumn, sizeof *t->words, "columns");
    t->nword = t->words ? d->ncolumn : 0;
    status = t->words ? NN_OK : (int)NN_ERR_MEMORY;
    for (int64_t k = 0; k < d->ncolumn && !status; k++)
        status = know_words(t, k);
    t->named |= t->like->label == NNCC_LABEL_NAME;
    if (!status && d->ncolumn && d->column[d->ncolumn - 1].at < 0)
        begin_ragged(t);
    bool named = t->name && d->ncolumn && d->column[0].name && !t->ragged;
    if (!status)
        status = named ? place_by_name(t) : place_by_number(t);
    return status;
}

/* Where each column of the file is in a raw row. */
static int place_columns(Table *t)
{
    nncc_data *d = t->d;

    t->place = nncc_alloc((size_t)t->ncol, sizeof *t->place, "columns");
    if (!t->place)
        return NN_ERR_MEMORY;
    for (int64_t i = 0; i < t->ncol; i++)
        t->place[i] = LEFT_OUT;
    for (int64_t k = 0; k < d->ncolumn; k++)
        if (d->column[k].at < t->ncol)
            t->place[d->column[k].at] = k;
    t->step = d->ncolumn;
    d->width = t->ncol;
    d->label_column = t->label;
    d->nlabel = t->label >= 0;
    d->label = t->label < 0 ? NNCC_LABEL_NONE
               : t->named   ? NNCC_LABEL_NAME
                            : NNCC_LABEL_INT;
    if (t->label >= 0 && t->label < t->nname &&
        !(d->label_name = nncc_strdup(t->was[t->label] ? t->was[t->label]
                                                       : t->name[t->label])))
        return NN_ERR_MEMORY;
    return NN_OK;
}

int table_plan(Table *t, const nncc_row *header)
{
    int status = header ? read_header(t, header) : NN_OK;

    if (!status)
        status = t->like ? plan_like(t) : plan_own(t);
    return status ? status : place_columns(t);
}

/* Ragged rows: room for columns up to n; those there are lie further apart
 * then, twice as far, so that each is moved a few times only. */
int table_widen(Table *t, int64_t n)
{
    nncc_data *d = t->d;
    int64_t was = t->step, more = n - t->ncol;
    size_t all = (size_t)(d->ncolumn + more);

    if (t->like)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s: a row of %lld fields; the model was trained on "
                         "at most %lld",
                         nncc_csv_path(t->csv), (long long)n,
                         (long long)t->ncol);
    nncc_column *column = realloc(d->column, all * sizeof *column);
    d->column = column ? column : d->column;
    nncc_words *words = realloc(t->words, all * sizeof *words);
    t->words = words ? words : t->words;
    int64_t *place = realloc(t->place, (size_t)n * sizeof *place);
    t->place = place ? place : t->place;
    if (!column || !words || !place)
        return nncc_fail_memory(all * sizeof *column, "columns");
    t->nword = (int64_t)all;
    for (; t->ncol < n; t->ncol++) {
        words[d->ncolumn] = (nncc_words){0};
        column[d->ncolumn] = (nncc_column){.at = t->ncol};
        place[t->ncol] = d->ncolumn++;
    }
    if (d->ncolumn <= was)
        return NN_OK;
    int64_t step = d->ncolumn > 2 * was ? d->ncolumn : 2 * was;
    uint64_t fit = t->memory_bytes / sizeof(double) / (uint64_t)step;
    if ((uint64_t)t->room > fit && t->held) {
        int status = table_spill(t);
        if (status)
            return status;
    }
    if ((uint64_t)t->room > fit)
        t->room = fit ? (int64_t)fit : 1;
    if ((uint64_t)t->room > t->max_bytes / sizeof(double) / (uint64_t)step)
        return table_too_large(t);
    double *x =
        realloc(d->x, (size_t)t->room * (size_t)step * sizeof *x + !t->room);
    if (!x)
        return nncc_fail_memory((size_t)(t->room * step) * sizeof *x,
                                "a data set");
    d->x = x;
    t->step = step;
    for (int64_t i = t->held; i-- > 0;) {
        memmove(x + i * step, x + i * was, (size_t)was * sizeof *x);
        for (int64_t k = was; k < step; k++)
            x[i * step + k] = 0;
    }
    return NN_OK;
}
