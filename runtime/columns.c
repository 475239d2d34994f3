/* columns.c: the columns of a CSV file: which are meant, what they are, and
 * which parameter they are for. */
#include "nn_internal.h"

#include <stdlib.h>
#include <string.h>

/* Lists of columns */

/* A number from 0 of text[0 … n-1], or -1. */
static int64_t whole_number(const char *text, size_t n)
{
    int64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || v > INT32_MAX)
            return -1;
        v = 10 * v + (text[i] - '0');
    }
    return n ? v : -1;
}

int nncc_column_named(const char *path, char *const *name, int64_t count,
                      const char *text, size_t n, int64_t *at)
{
    *at = -1;
    for (int64_t k = 0; name && k < count; k++) {
        if (strncmp(name[k], text, n) != 0 || name[k][n])
            continue;
        if (*at >= 0)
            return nncc_fail(NN_ERR_NAME,
                             "%s: columns %lld and %lld are both called '%.*s'",
                             path, (long long)*at, (long long)k, (int)n, text);
        *at = k;
    }
    return NN_OK;
}

static int find_column(const char *path, char *const *name, int64_t count,
                       const char *text, size_t n, int64_t *at)
{
    int status = nncc_column_named(path, name, count, text, n, at);
    int64_t number = whole_number(text, n);

    if (*at < 0 && number < count)
        *at = number;
    return status;
}

void nncc_list_names(nncc_text *t, char *const *name, int64_t n)
{
    enum { MOST = 300 };

    for (int64_t i = 0; i < n; i++) {
        if (t->n >= MOST) {
            nncc_text_printf(t, ", ...");
            return;
        }
        nncc_text_printf(t, "%s'%.60s'", i ? ", " : "", name[i]);
    }
}

static int no_such_column(const char *path, char *const *name, int64_t count,
                          const char *text, size_t n, bool several)
{
    nncc_text names = {0};

    if (name)
        nncc_list_names(&names, name, count);
    int status =
        nncc_fail(NN_ERR_NAME, "%s has no column%s '%.*s'; it has %lld%s%s",
                  path, several ? "s" : "", (int)n, text, (long long)count,
                  names.at ? ": " : "", names.at ? names.at : "");
    free(names.at);
    return status;
}

int nncc_tell_features(const nncc_data *d, int status)
{
    nncc_text names = {0};

    if (!d->feature_name)
        return status;
    nncc_list_names(&names, d->feature_name, d->nfeature);
    nncc_fail(status,
              "%s; its features are %s: '--columns' says what goes where",
              nncc_last_error(), names.at ? names.at : "many");
    free(names.at);
    return status;
}

/* text[0 … n-1], "price" or "2:14" or "2:", is columns *from … *to - 1. */
static int read_range(const char *path, char *const *name, int64_t count,
                      const char *text, size_t n, int64_t *from, int64_t *to)
{
    const char *colon = memchr(text, ':', n);
    int status = find_column(path, name, count, text, n, from);

    if (status)
        return status;
    *to = *from + 1;
    if (*from < 0 && colon) {
        size_t rest = n - (size_t)(colon - text) - 1;
        *from = whole_number(text, (size_t)(colon - text));
        *to = rest ? whole_number(colon + 1, rest) : count;
    }
    if (*from < 0 || *to <= *from || *to > count)
        return no_such_column(path, name, count, text, n, colon != NULL);
    return NN_OK;
}

int nncc_list_columns(const char *path, char *const *name, int64_t n,
                      const char *text, int64_t **to, int64_t *count)
{
    int64_t *list = nncc_alloc((size_t)n, sizeof *list, "columns"), from, end;
    bool *listed = nncc_alloc((size_t)n, sizeof *listed, "columns");
    const char *at = text;
    int status = list && listed ? NN_OK : (int)NN_ERR_MEMORY;

    *count = 0;
    for (size_t len; !status; at += len + 1) {
        len = strcspn(at, ",");
        status = read_range(path, name, n, at, len, &from, &end);
        for (; !status && from < end; from++) {
            if (listed[from])
                status =
                    nncc_fail(NN_ERR_ARGUMENT, "'%s' has a column twice", text);
            else
                list[(*count)++] = from;
            listed[from] = true;
        }
        if (!at[len])
            break;
    }
    free(listed);
    if (status)
        free(list);
    else
        *to = list;
    return status;
}

int nncc_column_kinds(const char *path, const nncc_csv_options *o,
                      char *const *name, int64_t n, int32_t *kind)
{
    int64_t *list, count;

    for (int32_t i = 0; i < o->ncolumn; i++) {
        int status = nncc_list_columns(path, name, n, o->column[i].columns,
                                       &list, &count);
        if (status)
            return status;
        for (int64_t k = 0; k < count; k++)
            kind[list[k]] = o->column[i].kind;
        free(list);
    }
    return NN_OK;
}

/* Of a data set */

int nncc_columns_copy(const nncc_data *from, nncc_data *to)
{
    to->width = from->width;
    if (!from->column)
        return NN_OK;
    to->column =
        nncc_alloc((size_t)from->ncolumn, sizeof *to->column, "columns");
    if (!to->column)
        return NN_ERR_MEMORY;
    for (; to->ncolumn < from->ncolumn; to->ncolumn++) {
        const nncc_column *c = &from->column[to->ncolumn];
        nncc_column *copy = &to->column[to->ncolumn];
        *copy = *c;
        copy->name = copy->was = NULL;
        copy->category = NULL;
        if ((c->name && !(copy->name = nncc_strdup(c->name))) ||
            (c->was && !(copy->was = nncc_strdup(c->was))) ||
            nncc_copy_names(c->category, c->ncategory, &copy->category)) {
            to->ncolumn++;
            return NN_ERR_MEMORY;
        }
    }
    return NN_OK;
}

void nncc_column_free(nncc_column *c)
{
    free(c->name);
    free(c->was);
    nncc_free_names(c->category, c->ncategory);
}

void nncc_columns_free(nncc_data *d)
{
    for (int64_t k = 0; k < d->ncolumn; k++)
        nncc_column_free(&d->column[k]);
    free(d->column);
}

const nncc_column *nncc_column_of(const nncc_data *d, int64_t feature)
{
    for (int64_t k = 0; k < d->ncolumn; k++) {
        const nncc_column *c = &d->column[k];
        if (feature >= c->first && feature < c->first + c->width)
            return c;
    }
    return NULL;
}

bool nncc_is_category(const nncc_data *d, int64_t feature)
{
    const nncc_column *c = nncc_column_of(d, feature);

    return c &&
           (c->kind == NNCC_COLUMN_CATEGORY || c->kind == NNCC_COLUMN_ONE_HOT);
}

/* Fields of columns */

/* The features that text lists, a new array in f->column. */
static int list_features(const nncc_data *d, const char *text, nncc_array *f)
{
    return nncc_list_columns(d->path, d->feature_name, d->nfeature, text,
                             &f->column, &f->width);
}

/* The column that is made of column `at` of the file; -1: of its length. */
static const nncc_column *column_at(const nncc_data *d, int64_t at)
{
    for (int64_t k = 0; k < d->ncolumn; k++)
        if (at < 0 ? d->column[k].at < 0 : d->column[k].at == at)
            return &d->column[k];
    return NULL;
}

/* The names that columns of the file have; those that no feature is made of
 * "". To be freed, not the names. */
static char **file_names(const nncc_data *d)
{
    static char none[] = "";
    char **name =
        nncc_alloc((size_t)d->width + 1, sizeof *name, "names of columns");

    for (int64_t i = 0; name && i <= d->width; i++) {
        const nncc_column *c = column_at(d, i == d->width ? -1 : i);
        name[i] = c && c->name ? c->name : none;
    }
    return name;
}

/* The same, as columns of the file: a column is all features made of it. */
static int list_file_columns(const nncc_data *d, const char *text,
                             nncc_array *f)
{
    char **name = file_names(d);
    int64_t *list = NULL, count = 0, n = d->width;

    if (!name)
        return NN_ERR_MEMORY;
    n += column_at(d, -1) != NULL; /* how long rows are */
    int status = nncc_list_columns(d->path, name, n, text, &list, &count);
    free(name);
    if (!status)
        f->column = nncc_alloc((size_t)d->nfeature, sizeof *f->column, text);
    if (!status && !f->column)
        status = NN_ERR_MEMORY;
    bool several = count > 1; /* "2:" has what is in the file */
    for (int64_t i = 0; i < count && !status; i++) {
        if (several && list[i] == d->width)
            continue;
        const nncc_column *c = column_at(d, list[i] == d->width ? -1 : list[i]);
        for (int64_t k = 0; c && k < c->width; k++)
            f->column[f->width++] = c->first + k;
        if (!c && count == 1)
            status = nncc_fail(NN_ERR_NAME,
                               "%s: column '%s' is the label's or left out",
                               d->path, text);
    }
    free(list);
    return status;
}

static int add_text(nncc_data *d, const char *text)
{
    const char *equals = strchr(text, '=');
    nncc_text name = {0};
    nncc_array f = {.dtype = d->x_dtype};

    if (!equals || equals == text)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "columns are written name=columns, not '%s'", text);
    nncc_text_printf(&name, "%.*s", (int)(equals - text), text);
    if (name.failed)
        return NN_ERR_MEMORY;
    f.name = name.at;
    int status = d->column ? list_file_columns(d, equals + 1, &f)
                           : list_features(d, equals + 1, &f);
    f.rank = f.width != 1;
    f.size[0] = f.width;
    if (!status)
        status = nncc_fields_add(d, &f);
    free(f.column);
    free(name.at);
    return status;
}

int nncc_data_columns(nncc_data *d, int n, const char *const *text)
{
    int status = NN_OK;

    if (!d || (n > 0 && !text))
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_columns: null argument");
    for (int i = 0; i < n && !status; i++)
        status = add_text(d, text[i]);
    if (!status)
        d->chosen = 1;
    return status;
}

int nncc_data_target(nncc_data *d, const char *name)
{
    if (!d || !name)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_data_target: null argument");
    int64_t k = nncc_data_field(d, name);
    if (k < 0)
        return nncc_fail(NN_ERR_NAME, "%s: has no field '%s'", d->path, name);
    d->field[k].target = 1;
    return NN_OK;
}

static bool has_feature(const nncc_array *f, int64_t feature)
{
    for (int64_t i = 0; f->column && i < f->width; i++)
        if (f->column[i] == feature)
            return true;
    return false;
}

bool nncc_is_target(const nncc_data *d, int64_t feature)
{
    bool target = false;

    for (int64_t k = 0; k < d->nfield; k++) {
        const nncc_array *f = &d->field[k];
        if (!has_feature(f, feature))
            continue;
        if (!f->target)
            return false;
        target = true;
    }
    return target;
}
