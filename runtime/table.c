/* table.c: from rows of text to features and labels. */
#include "nn_internal.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_MAX_BYTES ((uint64_t)4 << 30)

enum { MAX_CLASS = 65536, FIRST_ROWS = 256 };

/* What a field holds. */
typedef enum Kind { KIND_number, KIND_empty, KIND_not_finite, KIND_text } Kind;

/* A copy of a row, for the time until the second is there. */
typedef struct Saved {
    nncc_row row;
    char *text;
} Saved;

/* Distinct label texts, numbered as they come. */
typedef struct Classes {
    char **name;
    int32_t n;
    int32_t *slot; /* hash table of 1 + number; 2 * MAX_CLASS slots */
} Classes;

typedef struct Table {
    nncc_csv *csv;
    const nncc_csv_options *o;
    nncc_data *d;
    int64_t first_line; /* which says how many fields there are */
    int64_t ncol;
    int64_t label;       /* column, or -1 */
    int64_t room;        /* rows that fit */
    int64_t stated_rows; /* by a first line as scikit-learn's, or -1 */
    uint64_t max_bytes;
    Classes classes; /* of a label column of text */
} Table;

/* number = [+-] (digit+ [. digit*] | . digit+) [(e|E) [+-] digit+] */
static bool is_decimal(const char *s)
{
    size_t digits;

    s += *s == '+' || *s == '-';
    digits = strspn(s, "0123456789");
    s += digits;
    if (*s == '.') {
        size_t more = strspn(s + 1, "0123456789");
        s += 1 + more;
        digits += more;
    }
    if (digits == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        digits = strspn(s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    return *s == '\0';
}

static bool is_infinite_word(const char *s)
{
    s += *s == '+' || *s == '-';
    return strcasecmp(s, "nan") == 0 || strcasecmp(s, "inf") == 0 ||
           strcasecmp(s, "infinity") == 0;
}

/* digit* [. digit*] of at most 15 digits: both the digits as an integer and the
 * power of ten are exact, so their quotient is correctly rounded (Clinger,
 * 1990). False for anything else. */
static bool parse_short(const char *s, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3, 1e4,  1e5,
                                   1e6,  1e7,  1e8,  1e9, 1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15};
    int64_t digits = 0;
    int n = 0, after = 0;
    bool negative = *s == '-', point = false;

    for (s += negative; n <= 15; s++) {
        if (*s >= '0' && *s <= '9') {
            digits = 10 * digits + (*s - '0');
            n++;
            after += point;
        } else if (*s == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (*s || n == 0 || n > 15)
        return false;
    *value = (double)digits / power[after];
    if (negative)
        *value = -*value;
    return true;
}

/* Needs the C locale, which nncc_csv_read sets. */
static Kind parse(const nncc_field *f, double *value)
{
    if (f->n == 0)
        return KIND_empty;
    if (parse_short(f->text, value))
        return KIND_number;
    if (!is_decimal(f->text))
        return is_infinite_word(f->text) ? KIND_not_finite : KIND_text;
    *value = strtod(f->text, NULL);
    return isfinite(*value) ? KIND_number : KIND_not_finite;
}

static Kind kind_of(const nncc_field *f)
{
    double ignored;

    return parse(f, &ignored);
}

static int fail_at(const Table *t, const nncc_field *f, int64_t column,
                   const char *what)
{
    const char *name = NULL;
    int64_t feature = t->label >= 0 && column > t->label ? column - 1 : column;

    if (column == t->label)
        name = t->d->label_name;
    else if (t->d->feature_name)
        name = t->d->feature_name[feature];
    char where[24];
    snprintf(where, sizeof where, "%lld", (long long)column);
    return nncc_fail(
        NN_ERR_DATA, "%s:%lld:%lld: %s%.60s%s%s (column %s%.60s%s)",
        nncc_csv_path(t->csv), (long long)f->line, (long long)f->column,
        f->n ? "'" : "", f->text, f->n ? "' " : "", what, name ? "'" : "",
        name ? name : where, name ? "'" : "");
}

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

/* A first line "rows,features,class,…": two counts, then names alone. */
static bool is_counts(const Table *t, const nncc_row *first,
                      const nncc_row *second)
{
    double rows, features;

    if (t->o->header >= 0 || first->nfield < 3 || second->nfield < 2 ||
        parse(&first->field[0], &rows) != KIND_number ||
        parse(&first->field[1], &features) != KIND_number ||
        rows != floor(rows) || features != (double)(second->nfield - 1))
        return false;
    for (int64_t i = 2; i < first->nfield; i++)
        if (kind_of(&first->field[i]) != KIND_text)
            return false;
    return true;
}

static bool is_header(const Table *t, const nncc_row *first,
                      const nncc_row *second)
{
    int64_t n = first->nfield;

    if (t->o->header >= 0)
        return t->o->header != 0;
    if (t->o->label && !t->o->no_label && !is_decimal(t->o->label))
        return true;
    if (second->nfield == 0) { /* one line: a header if it holds no number */
        for (int64_t i = 0; i < n; i++)
            if (kind_of(&first->field[i]) == KIND_number)
                return false;
        return true;
    }
    for (int64_t i = 0; i < n && i < second->nfield; i++)
        if (kind_of(&first->field[i]) == KIND_text &&
            kind_of(&second->field[i]) == KIND_number)
            return true;
    return false;
}

static int no_column(const Table *t, const nncc_row *header)
{
    nncc_text names = {0};

    for (int64_t i = 0; header && i < header->nfield && names.n < 300; i++)
        nncc_text_printf(&names, "%s'%.60s'", i ? ", " : "",
                         header->field[i].text);
    if (header)
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

static int find_label(Table *t, const nncc_row *header)
{
    const char *want = t->o->label;
    char *end;

    t->label = t->o->no_label ? -1 : t->ncol - 1;
    if (t->o->no_label || !want)
        return NN_OK;
    for (int64_t i = 0; header && i < header->nfield; i++)
        if (strcmp(header->field[i].text, want) == 0) {
            t->label = i;
            return NN_OK;
        }
    long long number = strtoll(want, &end, 10);
    if (end == want || *end || number < -t->ncol || number >= t->ncol)
        return no_column(t, header);
    t->label = number < 0 ? t->ncol + number : number;
    return NN_OK;
}

static int copy_names(Table *t, const nncc_row *header)
{
    nncc_data *d = t->d;

    d->feature_name = nncc_alloc((size_t)d->nfeature, sizeof *d->feature_name,
                                 "names of columns");
    if (!d->feature_name)
        return NN_ERR_MEMORY;
    for (int64_t i = 0, k = 0; i < header->nfield; i++) {
        char *name = nncc_strdup(header->field[i].text);
        if (!name)
            return NN_ERR_MEMORY;
        if (i == t->label)
            d->label_name = name;
        else
            d->feature_name[k++] = name;
    }
    return NN_OK;
}

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

/* Room for one more row. */
static int grow(Table *t)
{
    nncc_data *d = t->d;
    uint64_t per_row = ((uint64_t)d->nfeature + 2) * sizeof(double);

    if (d->n < t->room)
        return NN_OK;
    uint64_t most = t->max_bytes / per_row;
    uint64_t room = t->room ? 2 * (uint64_t)t->room : FIRST_ROWS;
    if (room > most)
        room = most;
    if (room <= (uint64_t)d->n)
        return nncc_fail(NN_ERR_DATA,
                         "%s: more than %lld rows of %lld columns: that is the "
                         "limit of %llu bytes",
                         nncc_csv_path(t->csv), (long long)d->n,
                         (long long)t->ncol, (unsigned long long)t->max_bytes);

    size_t n = (size_t)room, width = (size_t)d->nfeature * sizeof(double);
    double *x = realloc(d->x, width ? n * width : 1);
    d->x = x ? x : d->x;
    double *y = realloc(d->y, n * sizeof *y);
    d->y = y ? y : d->y;
    int64_t *line = realloc(d->line, n * sizeof *line);
    d->line = line ? line : d->line;
    if (!x || !y || !line)
        return nncc_fail_memory(n * (size_t)per_row, "a data set");
    t->room = (int64_t)room;
    return NN_OK;
}

static int start_classes(Classes *c)
{
    c->name = nncc_alloc(MAX_CLASS, sizeof *c->name, "names of classes");
    c->slot = nncc_alloc(2 * MAX_CLASS, sizeof *c->slot, "names of classes");
    return c->name && c->slot ? NN_OK : NN_ERR_MEMORY;
}

/* FNV-1a */
static uint32_t hash_text(const char *s)
{
    uint32_t h = 2166136261u;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

/* The number of a class name, new ones being given the next. */
static int class_number(Table *t, const nncc_field *f, double *number)
{
    Classes *c = &t->classes;
    uint32_t at = hash_text(f->text) % (2 * MAX_CLASS);

    while (c->slot[at] && strcmp(c->name[c->slot[at] - 1], f->text) != 0)
        at = (at + 1) % (2 * MAX_CLASS);
    if (!c->slot[at]) {
        if (c->n == MAX_CLASS)
            return fail_at(t, f, t->label,
                           "is the 65537th different label; expected classes");
        c->name[c->n] = nncc_strdup(f->text);
        if (!c->name[c->n])
            return NN_ERR_MEMORY;
        c->slot[at] = ++c->n;
    }
    *number = c->slot[at] - 1;
    return NN_OK;
}

static int add_label(Table *t, const nncc_field *f)
{
    nncc_data *d = t->d;
    double *y = (double *)d->y + d->n;
    Kind kind = parse(f, y);

    if (kind == KIND_empty)
        return fail_at(t, f, t->label, "empty field; expected a label");
    if (d->n == 0 && kind == KIND_text) {
        int status = start_classes(&t->classes);
        if (status)
            return status;
        d->label = NNCC_LABEL_NAME;
    }
    if (t->classes.name)
        return class_number(t, f, y);
    if (kind == KIND_not_finite)
        return fail_at(t, f, t->label, "is no finite number");
    if (kind == KIND_text)
        return fail_at(t, f, t->label,
                       "is no number, but the labels before it are");
    if (*y != floor(*y) || fabs(*y) > 9007199254740992.0)
        d->label = NNCC_LABEL_REAL;
    if (d->nclass && (d->label == NNCC_LABEL_REAL || *y < 0 || *y >= d->nclass))
        return fail_at(t, f, t->label,
                       "is none of the classes that the first line names");
    return NN_OK;
}

static int add_feature(const Table *t, const nncc_field *f, int64_t column,
                       double *x)
{
    switch (parse(f, x)) {
    case KIND_number:
        return NN_OK;
    case KIND_empty:
        return fail_at(t, f, column, "empty field; expected a number");
    case KIND_not_finite:
        return fail_at(t, f, column, "is no finite number");
    case KIND_text:
        break;
    }
    return fail_at(t, f, column, "is no number");
}

static int add_row(Table *t, const nncc_row *row)
{
    nncc_data *d = t->d;

    if (row->nfield != t->ncol)
        return nncc_fail(
            NN_ERR_DATA,
            "%s:%lld:%lld: this row has %lld fields; expected %lld "
            "as in line %lld",
            nncc_csv_path(t->csv), (long long)row->field[0].line,
            (long long)row->field[0].column, (long long)row->nfield,
            (long long)t->ncol, (long long)t->first_line);
    int status = grow(t);
    if (status)
        return status;
    double *x = (double *)d->x + d->n * d->nfeature;
    for (int64_t i = 0; i < t->ncol && !status; i++)
        status = i == t->label ? add_label(t, &row->field[i])
                               : add_feature(t, &row->field[i], i, x++);
    d->line[d->n] = row->field[0].line;
    d->n += status == NN_OK;
    return status;
}

/* What the first two lines tell; adds those that are data. */
static int begin(Table *t, const nncc_row *first, const nncc_row *second)
{
    bool counts = is_counts(t, first, second);
    bool header = !counts && is_header(t, first, second);
    const nncc_row *like = counts ? second : first;

    if (t->o->label && !t->o->no_label && !is_decimal(t->o->label) && !header)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: the label column '%s' is given by name, but the "
                         "file has no header",
                         nncc_csv_path(t->csv), t->o->label);
    t->ncol = like->nfield;
    t->first_line = like->field[0].line;
    int status = find_label(t, header ? first : NULL);
    if (status)
        return status;
    t->d->nfeature = t->ncol - (t->label >= 0);
    t->d->nlabel = t->label >= 0;
    t->d->label_column = t->label;
    t->d->label = t->label >= 0 ? NNCC_LABEL_INT : NNCC_LABEL_NONE;
    t->d->x_dtype = t->d->y_dtype = NN_F64;
    t->d->x_step = t->d->nfeature;
    t->d->y_step = t->d->nlabel;
    t->d->scale = 1;

    double rows = -1;
    if (counts) {
        parse(&first->field[0], &rows);
        t->stated_rows = (int64_t)rows;
    }
    if (counts && t->label == t->ncol - 1)
        status = copy_class_names(t, first);
    if (header)
        status = copy_names(t, first);
    if (!status && !header && !counts)
        status = add_row(t, first);
    if (!status && second->nfield)
        status = add_row(t, second);
    return status;
}

typedef struct Name {
    char *name;
    int32_t number;
} Name;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const Name *)a)->name, ((const Name *)b)->name);
}

/* Sorts the class names; labels become their places. */
static int sort_classes(Table *t)
{
    Classes *c = &t->classes;
    nncc_data *d = t->d;
    Name *sorted = nncc_alloc((size_t)c->n, sizeof *sorted, "names of classes");
    int32_t *place =
        nncc_alloc((size_t)c->n, sizeof *place, "names of classes");

    if (sorted && place) {
        for (int32_t i = 0; i < c->n; i++)
            sorted[i] = (Name){c->name[i], i};
        qsort(sorted, (size_t)c->n, sizeof *sorted, compare_names);
        for (int32_t i = 0; i < c->n; i++) {
            c->name[i] = sorted[i].name;
            place[sorted[i].number] = i;
        }
        double *y = d->y;
        for (int64_t i = 0; i < d->n; i++)
            y[i] = place[(int32_t)y[i]];
        d->class_name = c->name;
        d->nclass = c->n;
        c->name = NULL;
        c->n = 0;
    }
    bool ok = sorted && place;
    free(sorted);
    free(place);
    return ok ? NN_OK : NN_ERR_MEMORY;
}

static int finish(Table *t)
{
    nncc_data *d = t->d;

    if (d->n == 0)
        return nncc_fail(NN_ERR_DATA, "%s: holds no rows of data",
                         nncc_csv_path(t->csv));
    if (t->stated_rows >= 0 && t->stated_rows != d->n)
        return nncc_fail(
            NN_ERR_DATA, "%s: holds %lld rows; its first line says %lld",
            nncc_csv_path(t->csv), (long long)d->n, (long long)t->stated_rows);
    if (d->label == NNCC_LABEL_NONE) {
        free(d->y);
        d->y = NULL;
    }
    return t->classes.name ? sort_classes(t) : NN_OK;
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
    int status = nncc_csv_open(path, t->o->delimiter, &t->csv);
    return status ? status : read_rows(t);
}

int nncc_csv_read(const char *path, const nncc_csv_options *o, nncc_data **out)
{
    static const nncc_csv_options defaults = NNCC_CSV_DEFAULTS;
    Table t = {.o = o ? o : &defaults, .label = -1, .stated_rows = -1};

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_csv_read: null argument");
    t.max_bytes = t.o->max_bytes ? t.o->max_bytes : DEFAULT_MAX_BYTES;

    /* strtod follows the locale of the thread: numbers here have a point. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    int status = c ? read_table(&t, path) : nncc_fail_memory(0, "the C locale");
    if (c) {
        uselocale(before);
        freelocale(c);
    }

    nncc_csv_close(t.csv);
    for (int32_t i = 0; i < t.classes.n; i++)
        free(t.classes.name[i]);
    free(t.classes.name);
    free(t.classes.slot);
    if (status)
        nncc_data_free(t.d);
    else
        *out = t.d;
    return status;
}
