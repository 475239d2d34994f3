/* table.c: from rows of text to features and labels.
 *
 * While rows come, each is one number for each of its columns that counts (a
 * raw row); categories are numbered as they come. In the end they are sorted,
 * and features are made of the raw rows. */
#include "nn_table.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_BYTES ((uint64_t)1 << 40)

enum { FIRST_ROWS = 256 };

/* A copy of a row, for the time until the second is there. */
typedef struct Saved {
    nncc_row row;
    char *text;
} Saved;

/* Numbers */

static bool takes_comma(const Table *t)
{
    return t->o->decimal ? t->o->decimal == ','
                         : nncc_csv_delimiter(t->csv) != ',';
}

/* What a field holds; where a comma is the decimal sign it becomes a point. */
int table_parse(const Table *t, const nncc_field *f, double *value)
{
    int kind = nncc_number(f->text, value);
    char *comma =
        kind == NNCC_TEXT && takes_comma(t) ? strchr(f->text, ',') : NULL;

    if (!comma || strchr(f->text, '.'))
        return kind;
    *comma = '.';
    kind = nncc_number(f->text, value);
    *comma = ',';
    return kind;
}

static int fail_at(const Table *t, const nncc_field *f, int64_t column,
                   const char *what)
{
    const char *name = column < t->nname ? t->name[column] : NULL;
    char where[24];

    snprintf(where, sizeof where, "%lld", (long long)column);
    return nncc_fail(
        NN_ERR_DATA, "%s:%lld:%lld: %s%.60s%s%s (column %s%.60s%s)",
        nncc_csv_path(t->csv), (long long)f->line, (long long)f->column,
        f->n ? "'" : "", f->text, f->n ? "' " : "", what, name ? "'" : "",
        name ? name : where, name ? "'" : "");
}

/* A file has one decimal sign: 1.234 must not be a thousand in one line and a
 * little more than 1 in the next. */
static int note_decimal(Table *t, const nncc_field *f, int64_t column)
{
    char sign = strchr(f->text, ',') ? ',' : strchr(f->text, '.') ? '.' : 0;

    if (!sign || !takes_comma(t))
        return NN_OK;
    if (t->o->decimal)
        t->decimal = t->o->decimal;
    if (t->decimal && t->decimal != sign)
        return fail_at(t, f, column,
                       t->decimal == ','
                           ? "has a decimal point where numbers have a comma"
                           : "has a decimal comma where numbers have a point");
    t->decimal = sign;
    return NN_OK;
}

/* Rows for the time being */

static int save_row(const nncc_row *row, Saved *s)
{
    size_t bytes = 0;

    for (int64_t i = 0; i < row->nfield; i++)
        bytes += row->field[i].n + 1;
    s->text = nncc_alloc(bytes, 1, "a line of a CSV file");
    s->row.field = nncc_alloc((size_t)row->nfield, sizeof(nncc_field),
                              "a line of a CSV file");
    if (!s->text || !s->row.field)
        return NN_ERR_MEMORY;
    s->row.nfield = row->nfield;
    char *to = s->text;
    for (int64_t i = 0; i < row->nfield; i++) {
        s->row.field[i] = row->field[i];
        s->row.field[i].text =
            memcpy(to, row->field[i].text, row->field[i].n + 1);
        to += row->field[i].n + 1;
    }
    return NN_OK;
}

static void free_saved(Saved *s)
{
    free(s->text);
    free(s->row.field);
}

/* Rows */

int table_too_large(const Table *t)
{
    return nncc_fail(NN_ERR_DATA,
                     "%s: more than %lld rows of %lld columns: that is the "
                     "limit of %llu bytes",
                     nncc_csv_path(t->csv), (long long)t->d->n,
                     (long long)t->ncol, (unsigned long long)t->max_bytes);
}

/* *at anew, with n numbers; false where there is no memory. */
static bool resize(double **at, size_t n)
{
    double *to = n <= SIZE_MAX / sizeof **at
                     ? realloc(*at, n ? n * sizeof **at : 1)
                     : NULL;

    *at = to ? to : *at;
    return to != NULL;
}

static uint64_t bytes_of_row(const Table *t)
{
    return ((uint64_t)t->step + 2 + t->ragged) * sizeof(double);
}

int table_spill(Table *t)
{
    nncc_data *d = t->d;
    Block *block = realloc(t->block, (size_t)(t->nblock + 1) * sizeof *block);
    int status = block ? NN_OK : nncc_fail_memory(sizeof *block, "a data set");

    t->block = block ? block : t->block;
    if (!status && t->nblock == 0)
        status = nncc_spill_open(nncc_csv_path(t->csv), &t->raw);
    if (status)
        return status;
    block[t->nblock++] = (Block){t->held, t->step, t->raw.n};
    size_t n = (size_t)t->held;
    status = nncc_spill_put(&t->raw, d->x, n * (size_t)t->step);
    if (!status && d->nlabel)
        status = nncc_spill_put(&t->raw, d->y, n);
    if (!status && t->ragged)
        status = nncc_spill_put(&t->raw, t->length, n);
    t->held = 0;
    free(d->line); /* of so many rows they are not kept */
    d->line = NULL;
    return status;
}

/* Room for `room` rows in memory. */
static int make_room(Table *t, int64_t room)
{
    nncc_data *d = t->d;
    size_t n = (size_t)room;
    double *x = d->x, *y = d->y;
    bool done = resize(&x, n * (size_t)t->step) && resize(&y, n) &&
                (!t->ragged || resize(&t->length, n));

    d->x = x;
    d->y = y;
    if (done && t->nblock == 0) {
        int64_t *line = realloc(d->line, n * sizeof *line);
        d->line = line ? line : d->line;
        done = line != NULL;
    }
    if (!done)
        return nncc_fail_memory(n * bytes_of_row(t), "a data set");
    t->room = room;
    return NN_OK;
}

static int grow_parts(Table *t)
{
    int64_t room = 2 * t->part_room + FIRST_ROWS;

    if (t->split < 0 || t->d->n < t->part_room)
        return NN_OK;
    uint8_t *part = realloc(t->d->part, (size_t)room);
    if (!part)
        return nncc_fail_memory((size_t)room, "a data set");
    t->d->part = part;
    t->part_room = room;
    return NN_OK;
}

/* Room for one more row. */
static int grow(Table *t)
{
    uint64_t fit = t->memory_bytes / bytes_of_row(t);
    uint64_t room = t->room ? 2 * (uint64_t)t->room : FIRST_ROWS;

    if ((uint64_t)t->d->n >= t->max_bytes / bytes_of_row(t))
        return table_too_large(t);
    int status = grow_parts(t);
    if (status || t->held < t->room)
        return status;
    fit = fit ? fit : 1;
    if ((uint64_t)t->room < fit)
        return make_room(t, (int64_t)(room < fit ? room : fit));
    return table_spill(t);
}

/* The number of a name among the classes or categories of a column, new ones
 * being given the next. */
static int word_number(Table *t, nncc_words *w, const nncc_field *f,
                       int64_t column, double *number)
{
    bool label = w == &t->classes;
    bool missing = !label && t->o->missing && nncc_is_missing(f->text);
    const char *text = missing ? "" : f->text;
    int32_t k = nncc_words_find(w, text);

    if (k < 0 && !label && t->like)
        return fail_at(t, f, column,
                       "is none of the categories that the model was trained "
                       "on");
    if (k < 0 && w->n == NNCC_MAX_CLASSES)
        return fail_at(t, f, column,
                       label
                           ? "is the 65537th different label; expected classes"
                           : "is the 65537th category of the column");
    int status = k < 0 ? nncc_words_add(w, text, &k) : NN_OK;
    *number = k;
    return status;
}

static int add_label(Table *t, const nncc_field *f)
{
    nncc_data *d = t->d;
    double *y = (double *)d->y + t->held;
    int kind = table_parse(t, f, y);

    if (kind == NNCC_EMPTY)
        return fail_at(t, f, t->label, "empty field; expected a label");
    if (d->n == 0 && kind == NNCC_TEXT && !d->class_name)
        t->named = true;
    if (t->named) {
        d->label = NNCC_LABEL_NAME;
        return word_number(t, &t->classes, f, t->label, y);
    }
    if (kind == NNCC_NOT_FINITE)
        return fail_at(t, f, t->label, "is no finite number");
    if (kind == NNCC_TEXT)
        return fail_at(t, f, t->label,
                       "is no number, but the labels before it are");
    if (*y != floor(*y) || fabs(*y) > 9007199254740992.0)
        d->label = NNCC_LABEL_REAL;
    if (d->nclass && (d->label == NNCC_LABEL_REAL || *y < 0 || *y >= d->nclass))
        return fail_at(t, f, t->label,
                       "is none of the classes that the first line names");
    return note_decimal(t, f, t->label);
}

/* Text where a number is expected. In the first row all of the column is likely
 * to be such, and what it may be said to be is told; of what was trained that
 * is known. */
static int fail_text(const Table *t, const nncc_field *f, int64_t column)
{
    const char *name = column < t->nname ? t->name[column] : NULL;
    char number[24];
    double ignored;
    int status = fail_at(t, f, column, "is no number");

    snprintf(number, sizeof number, "%lld", (long long)column);
    if (t->like)
        return status;
    if (nncc_is_missing(f->text))
        return nncc_fail(status,
                         "%s: '--missing' says what becomes of what is not "
                         "there",
                         nncc_last_error());
    if (t->held > 0)
        return status;
    bool date = nncc_date(f->text, NNCC_DATE_DMY, &ignored) ||
                nncc_date(f->text, NNCC_DATE_MDY, &ignored);
    return nncc_fail(status,
                     "%s: '--%s %.60s' says that it holds %s, '--drop' leaves "
                     "it out",
                     nncc_last_error(), date ? "dates" : "categories",
                     name ? name : number, date ? "dates" : "categories");
}

static int add_number(Table *t, const nncc_field *f, int64_t column, double *x)
{
    switch (table_parse(t, f, x)) {
    case NNCC_NUMBER:
        return note_decimal(t, f, column);
    case NNCC_EMPTY:
        return fail_at(t, f, column,
                       "empty field; expected a number, or a rule for what is "
                       "missing ('--missing')");
    case NNCC_NOT_FINITE:
        return fail_at(t, f, column, "is no finite number");
    }
    return fail_text(t, f, column);
}

static int add_date(const Table *t, const nncc_field *f, int64_t column,
                    int32_t order, double *x)
{
    if (nncc_date(f->text, order, x))
        return NN_OK;
    return fail_at(t, f, column,
                   order == NNCC_DATE_ISO
                       ? "is no date: expected 2024-12-31 or 31.12.2024, also "
                         "with a time (31/12/2024 needs an order)"
                       : "is no date: expected 2024-12-31 or 31/12/2024, also "
                         "with a time");
}

static int add_part(const Table *t, const nncc_field *f)
{
    int part = nncc_part_of(f->text);

    t->d->part[t->d->n] = (uint8_t)(part < 0 ? 0 : part);
    return part < 0 ? fail_at(t, f, t->split,
                              "says nothing of the row: expected train, "
                              "validation or test")
                    : NN_OK;
}

static int add_feature(Table *t, const nncc_field *f, int64_t column,
                       double *raw)
{
    int64_t k = t->place[column];
    int32_t kind = t->d->column[k].kind, order = t->d->column[k].date_order;

    if (kind == NNCC_COLUMN_CATEGORY || kind == NNCC_COLUMN_ONE_HOT) {
        if (f->n == 0 && !t->o->missing)
            return fail_at(t, f, column, "empty field; expected a category");
        return word_number(t, &t->words[k], f, column, &raw[k]);
    }
    if (t->o->missing && nncc_is_missing(f->text)) {
        raw[k] = NAN;
        return NN_OK;
    }
    return kind == NNCC_COLUMN_DATE ? add_date(t, f, column, order, &raw[k])
                                    : add_number(t, f, column, &raw[k]);
}

/* Is the row one that is left out for what it lacks? */
static bool is_dropped(const Table *t, const nncc_row *row, int64_t n)
{
    for (int64_t i = 0; i < n && t->o->missing; i++) {
        bool counts = i == t->label || (t->o->missing == NNCC_MISSING_DROP &&
                                        t->place[i] != LEFT_OUT);
        if (counts && nncc_is_missing(row->field[i].text))
            return true;
    }
    return false;
}

/* How many fields of a ragged row are there: what is empty in the end is not.
 */
static int64_t count_fields(const Table *t, const nncc_row *row)
{
    int64_t n = row->nfield;

    while (t->ragged && n > 0 && row->field[n - 1].n == 0)
        n--;
    return n;
}

static int check_fields(Table *t, const nncc_row *row, int64_t n)
{
    if (t->ragged && n > t->label)
        return n > t->ncol ? table_widen(t, n) : NN_OK;
    if (n == t->ncol)
        return NN_OK;
    return nncc_fail(NN_ERR_DATA,
                     "%s:%lld:%lld: this row has %lld fields; expected %s%lld "
                     "as in line %lld",
                     nncc_csv_path(t->csv), (long long)row->field[0].line,
                     (long long)row->field[0].column, (long long)row->nfield,
                     t->ragged ? "at least the label's of " : "",
                     (long long)t->ncol, (long long)t->first_line);
}

/* How many of a ragged row's n fields count. */
static void note_length(const Table *t, int64_t n)
{
    double length = 0;

    for (int64_t i = t->from; i < n; i++)
        length += t->place[i] != LEFT_OUT;
    t->length[t->held] = length;
}

static int add_row(Table *t, const nncc_row *row)
{
    nncc_data *d = t->d;
    int64_t n = count_fields(t, row);
    int status = check_fields(t, row, n);

    if (!status && is_dropped(t, row, n)) {
        d->dropped_rows++;
        return NN_OK;
    }
    if (!status)
        status = grow(t);
    if (status)
        return status;
    double *raw = (double *)d->x + t->held * t->step;
    for (int64_t k = 0; k < t->step; k++) /* what is not there is 0 */
        raw[k] = 0;
    for (int64_t i = 0; i < n && !status; i++)
        if (i == t->label)
            status = add_label(t, &row->field[i]);
        else if (i == t->split)
            status = add_part(t, &row->field[i]);
        else if (t->place[i] != LEFT_OUT)
            status = add_feature(t, &row->field[i], i, raw);
    if (t->ragged && !status)
        note_length(t, n);
    if (d->line)
        d->line[t->held] = row->field[0].line;
    d->n += status == NN_OK;
    t->held += status == NN_OK;
    return status;
}

static int finish(Table *t)
{
    nncc_data *d = t->d;

    if (d->n == 0)
        return nncc_fail(NN_ERR_DATA, "%s: holds no rows of data%s",
                         nncc_csv_path(t->csv),
                         d->dropped_rows ? " that lack nothing" : "");
    if (t->stated_rows >= 0 && t->stated_rows != d->n + d->dropped_rows)
        return nncc_fail(
            NN_ERR_DATA, "%s: holds %lld rows; its first line says %lld",
            nncc_csv_path(t->csv), (long long)d->n, (long long)t->stated_rows);
    return table_make_features(t);
}

/* The beginning */

/* The names in a first line as scikit-learn's, from field 2. */
static int copy_class_names(Table *t, const nncc_row *first)
{
    nncc_data *d = t->d;

    d->class_name = nncc_alloc((size_t)first->nfield, sizeof *d->class_name,
                               "names of classes");
    if (!d->class_name)
        return NN_ERR_MEMORY;
    for (int64_t i = 2; i < first->nfield; i++) {
        d->class_name[d->nclass] = nncc_strdup(first->field[i].text);
        if (!d->class_name[d->nclass])
            return NN_ERR_MEMORY;
        d->nclass++;
    }
    return NN_OK;
}

static int no_header(const Table *t)
{
    return nncc_fail(NN_ERR_ARGUMENT,
                     "%s: a column is given by name, but the file has no "
                     "header",
                     nncc_csv_path(t->csv));
}

/* What the first two lines tell; adds those that are data. */
static int begin(Table *t, const nncc_row *first, const nncc_row *second)
{
    bool counts = table_has_counts(t, first, second);
    bool header = !counts && table_has_header(t, first, second);
    const nncc_row *like = counts ? second : first;
    double rows = -1;

    if (table_wants_names(t) && !header)
        return no_header(t);
    t->ncol = like->nfield;
    t->first_line = like->field[0].line;
    int status = table_plan(t, header ? first : NULL);
    if (status)
        return status;
    if (counts) {
        table_parse(t, &first->field[0], &rows);
        t->stated_rows = (int64_t)rows;
    }
    if (counts && t->label == t->ncol - 1 && !t->named)
        status = copy_class_names(t, first);
    if (!status && !header && !counts)
        status = add_row(t, first);
    if (!status && second->nfield)
        status = add_row(t, second);
    return status;
}

static int read_start(Table *t)
{
    nncc_row row;
    Saved first = {0};

    int status = nncc_csv_next(t->csv, &row);
    if (status)
        return status;
    if (row.nfield == 0)
        return nncc_fail(NN_ERR_DATA, "%s: is empty; expected rows of numbers",
                         nncc_csv_path(t->csv));
    status = save_row(&row, &first);
    if (!status)
        status = nncc_csv_next(t->csv, &row);
    if (!status)
        status = begin(t, &first.row, &row);
    free_saved(&first);
    return status;
}

static int read_rows(Table *t)
{
    nncc_row row;
    int status = read_start(t);

    while (!status) {
        status = nncc_csv_next(t->csv, &row);
        if (status || row.nfield == 0)
            break;
        status = add_row(t, &row);
    }
    return status ? status : finish(t);
}

static int read_table(Table *t, const char *path)
{
    t->d = nncc_alloc(1, sizeof *t->d, "a data set");
    if (!t->d || !(t->d->path = nncc_strdup(path)))
        return NN_ERR_MEMORY;
    t->d->x_dtype = t->d->y_dtype = NN_F64;
    t->d->scale = 1;
    int status = nncc_csv_open(path, t->o, &t->csv);
    return status ? status : read_rows(t);
}

static int check_options(const nncc_csv_options *o)
{
    bool lists =
        (o->ncolumn > 0 && !o->column) || (o->nrename > 0 && !o->rename);

    if (lists || o->ncolumn < 0 || o->nrename < 0 || o->ragged_from < 0 ||
        o->missing < NNCC_MISSING_REFUSE || o->missing > NNCC_MISSING_KEEP ||
        o->date_order < NNCC_DATE_ISO || o->date_order > NNCC_DATE_MDY ||
        (o->decimal && o->decimal != '.' && o->decimal != ','))
        return nncc_fail(NN_ERR_ARGUMENT, "options of CSV that make no sense");
    return NN_OK;
}

static void table_free(Table *t)
{
    for (int64_t i = 0; i < t->nword; i++)
        nncc_words_free(&t->words[i]);
    nncc_csv_close(t->csv);
    nncc_words_free(&t->classes);
    free(t->words);
    nncc_free_names(t->name, t->nname);
    nncc_free_names(t->was, t->nname);
    free(t->place);
    free(t->length);
    free(t->block);
    nncc_spill_close(&t->raw);
}

int nncc_csv_read(const char *path, const nncc_csv_options *o, nncc_data **out)
{
    static const nncc_csv_options defaults = NNCC_CSV_DEFAULTS;
    nncc_csv_options own = o ? *o : defaults;
    Table t = {.o = &own, .label = -1, .split = -1, .stated_rows = -1};

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_csv_read: null argument");
    int status = check_options(t.o);
    if (status)
        return status;
    t.max_bytes = t.o->max_bytes ? t.o->max_bytes : DEFAULT_MAX_BYTES;
    t.memory_bytes = t.o->memory_bytes ? t.o->memory_bytes : NNCC_LARGE;
    t.named = t.o->classes != 0;
    t.like = t.o->like && t.o->like->column ? t.o->like : NULL;
    if (t.like && t.like->fill)
        own.missing = NNCC_MISSING_KEEP;
    t.ragged = t.o->ragged && !t.like;
    t.lengths = t.o->ragged;
    t.from = t.o->ragged_from;

    /* strtod follows the locale of the thread: numbers here have a point. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    status = c ? read_table(&t, path) : nncc_fail_memory(0, "the C locale");
    if (c) {
        uselocale(before);
        freelocale(c);
    }

    table_free(&t);
    if (status)
        nncc_data_free(t.d);
    else
        *out = t.d;
    return status;
}
