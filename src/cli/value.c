/* value.c: values of the command line: numbers, JSON, files; and back. */

#include "cli/cli.h"
#include "gradcheck/tensor.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON = 1 << 30 };

int64_t tensor_largest(const nncc_tensor *t, int64_t at, int64_t n)
{
    int64_t best = 0;

    for (int64_t k = 1; k < n; k++)
        if (tensor_get(t, at + k) > tensor_get(t, at + best))
            best = k;
    return best;
}

static bool integer_fits(int dtype, int64_t v)
{
    switch ((enum nn_dtype)dtype) {
    case NN_BOOL:
        return v == 0 || v == 1;
    case NN_U8:
        return v >= 0 && v <= UINT8_MAX;
    case NN_I32:
        return v >= INT32_MIN && v <= INT32_MAX;
    case NN_I64:
    case NN_KEY:
    case NN_F32:
    case NN_F64:
        return true;
    }
    return false;
}

/* Reading JSON */

/* What is being read, for messages: "p.w[1, 0]". */
typedef struct Place {
    Arena *arena;
    const char *name;
    int rank;
    int64_t at[NNCC_MAX_RANK];
} Place;

static const char *place_text(const Place *p, int depth)
{
    Str s = str_new(p->arena);

    str_printf(&s, "%s", p->name);
    str_sizes(&s, depth, p->at);
    return s.at;
}

static const char *json_kind(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* "nan", "inf", "-inf": JSON has no numbers for them. */
static bool special(const json_t *j, double *v)
{
    const char *s = json_string_value(j);

    if (!s)
        return false;
    *v = !strcmp(s, "nan")    ? NAN
         : !strcmp(s, "inf")  ? INFINITY
         : !strcmp(s, "-inf") ? -INFINITY
                              : 0;
    return *v != 0;
}

static bool set_element(const Place *p, const nncc_tensor *t, int64_t i,
                        const json_t *j)
{
    bool real = tensor_is_real(t);
    double v;

    if (json_is_boolean(j) && t->dtype == NN_BOOL) {
        tensor_set_int(t, i, json_is_true(j));
    } else if (json_is_integer(j)) {
        if (!integer_fits(t->dtype, json_integer_value(j))) {
            cli_fail("%s: %lld is out of range for %s", place_text(p, p->rank),
                     (long long)json_integer_value(j),
                     nncc_dtype_name(t->dtype));
            return false;
        }
        tensor_set_int(t, i, json_integer_value(j));
    } else if (real && json_is_real(j)) {
        tensor_set(t, i, json_real_value(j));
    } else if (real && special(j, &v)) {
        tensor_set(t, i, v);
    } else {
        cli_fail("%s: expected a value of type %s, found %s",
                 place_text(p, p->rank), nncc_dtype_name(t->dtype),
                 json_is_real(j) ? "a fraction" : json_kind(j));
        return false;
    }
    return true;
}

/* The elements of j, whose nesting is `axis` deep in t, from *next on. */
static bool fill(Place *p, const nncc_tensor *t, const json_t *j, int axis,
                 int64_t *next)
{
    if (axis == t->rank)
        return set_element(p, t, (*next)++, j);
    if (!json_is_array(j)) {
        cli_fail("%s: expected an array, found %s", place_text(p, axis),
                 json_kind(j));
        return false;
    }
    if ((int64_t)json_array_size(j) != t->size[axis]) {
        cli_fail("%s: expected %lld elements as before, found %zu",
                 place_text(p, axis), (long long)t->size[axis],
                 json_array_size(j));
        return false;
    }
    for (int64_t i = 0; i < t->size[axis]; i++) {
        p->at[axis] = i;
        if (!fill(p, t, json_array_get(j, (size_t)i), axis + 1, next))
            return false;
    }
    return true;
}

/* The size of an axis that a shape as written, "[n, 2]", tells; 0 where it is
 * no number. */
static int64_t written_size(const char *shape, int axis)
{
    char *end;

    for (; axis >= 0 && *shape; shape++)
        axis -= *shape == '[' || *shape == ',';
    int64_t v = strtoll(shape, &end, 10);
    return end > shape && (*end == ',' || *end == ']') && v > 0 ? v : 0;
}

static bool tensor_new(const Place *p, const nn_leaf *leaf, const int64_t *size,
                       nncc_tensor **out)
{
    if (nncc_tensor_new(leaf->dtype, leaf->rank, size, out) == NN_OK)
        return true;
    cli_fail("%s: %s", p->name, nncc_last_error());
    return false;
}

/* {"shape": [0, 4], "data": []}: the elements in one row. */
static bool tensor_from_shape(Place *p, const nn_leaf *leaf,
                              const json_t *shape, const json_t *data,
                              nncc_tensor **out)
{
    int64_t size[NNCC_MAX_RANK] = {0}, count;
    int rank = (int)json_array_size(shape);
    bool good = rank == leaf->rank;

    for (int i = 0; good && i < rank; i++) {
        const json_t *n = json_array_get(shape, (size_t)i);
        size[i] = json_integer_value(n);
        good = json_is_integer(n) && size[i] >= 0;
    }
    if (!good) {
        cli_fail("%s: its \"shape\" is to be %d sizes, for %s", p->name,
                 leaf->rank, leaf->shape);
        return false;
    }
    if (!tensor_new(p, leaf, size, out))
        return false;
    nncc_tensor_count(*out, &count, NULL);
    if ((int64_t)json_array_size(data) != count) {
        cli_fail("%s: its \"data\" is to be %lld elements, not %zu", p->name,
                 (long long)count, json_array_size(data));
        return false;
    }
    p->name = arena_printf(p->arena, "%s.data", p->name);
    p->rank = 1;
    for (int64_t i = 0; i < count; i++) {
        p->at[0] = i;
        if (!set_element(p, *out, i, json_array_get(data, (size_t)i)))
            return false;
    }
    return true;
}

/* The shape is read off the first elements; fill() holds the rest to it. What
 * is behind an empty axis, only the type may tell. */
static bool tensor_from_json(Place *p, const nn_leaf *leaf, const json_t *j,
                             nncc_tensor **out)
{
    int64_t size[NNCC_MAX_RANK] = {0}, next = 0;
    const json_t *at = j, *shape = json_object_get(j, "shape");
    const json_t *data = json_object_get(j, "data");

    if (json_is_array(shape) && json_is_array(data))
        return tensor_from_shape(p, leaf, shape, data, out);
    for (int i = 0; i < leaf->rank; i++) {
        size[i] =
            at ? (int64_t)json_array_size(at) : written_size(leaf->shape, i);
        at = json_array_get(at, 0);
    }
    p->rank = leaf->rank;
    return tensor_new(p, leaf, size, out) && fill(p, *out, j, 0, &next);
}

static json_t *part_at(Arena *a, const nn_port *p, const char *name, json_t *j,
                       const char *path);

/* Of a stack that is written as an array of its values: the array of their
 * parts. */
static json_t *part_of_each(Arena *a, const nn_port *p, const char *name,
                            json_t *j, const char *path)
{
    json_t *all = json_array();

    for (size_t i = 0; i < json_array_size(j); i++) {
        json_t *part = part_at(a, p, arena_printf(a, "%s[%zu]", name, i),
                               json_array_get(j, i), path);
        if (!part) {
            json_decref(all);
            return NULL;
        }
        json_array_append_new(all, part);
    }
    return all;
}

/* A new reference to the part of j that path ("hidden.W", "0.b") leads to, or
 * NULL after a message. */
static json_t *part_at(Arena *a, const nn_port *p, const char *name, json_t *j,
                       const char *path)
{
    while (*path) {
        size_t n = strcspn(path, ".");
        const char *key = arena_printf(a, "%.*s", (int)n, path);
        bool number = isdigit((unsigned char)*key), array = json_is_array(j);
        json_t *in = j;

        if (array && !number)
            return part_of_each(a, p, name, j, path);
        if (!array && !json_is_object(j)) {
            cli_fail("%s: expected %s with '%s'%s, found %s", name,
                     number ? "an array" : "an object", key,
                     name == p->name && *p->type == '['
                         ? " stacked in it, or an array of the values"
                         : "",
                     json_kind(j));
            return NULL;
        }
        j = array ? json_array_get(in, (size_t)strtoul(key, NULL, 10))
                  : json_object_get(in, key);
        if (!j) {
            cli_fail("%s: '%s' is missing", name, key);
            return NULL;
        }
        path += n + (path[n] == '.');
        name = arena_printf(a, "%s.%s", name, key);
    }
    return json_incref(j);
}

static bool no_strangers(Arena *a, const nn_port *p, const char *name,
                         const char *prefix, json_t *j);

/* key, of what name and prefix lead to, and what is inside of it. */
static bool no_stranger(Arena *a, const nn_port *p, const char *name,
                        const char *prefix, const char *key, json_t *value)
{
    const char *path = arena_printf(a, "%s%s", prefix, key);
    size_t m = strlen(path);
    bool known = false, inside = false;

    for (int i = 0; i < p->nleaf; i++) {
        const char *leaf = p->leaf[i]->path;
        if (strncmp(leaf, path, m) || (leaf[m] && leaf[m] != '.'))
            continue;
        known = true;
        inside = leaf[m] == '.';
    }
    if (!known) {
        cli_fail("%s: %s has no field '%s'", name, p->type, key);
        return false;
    }
    return !inside || no_strangers(a, p, arena_printf(a, "%s.%s", name, key),
                                   arena_printf(a, "%s.", path), value);
}

/* Whether what prefix leads to is a tuple. */
static bool is_tuple(const nn_port *p, const char *prefix)
{
    size_t n = strlen(prefix);

    for (int i = 0; i < p->nleaf; i++)
        if (!strncmp(p->leaf[i]->path, prefix, n))
            return isdigit((unsigned char)p->leaf[i]->path[n]);
    return false;
}

/* A key of an object that no leaf asks for is most likely a mistake. */
static bool no_strangers(Arena *a, const nn_port *p, const char *name,
                         const char *prefix, json_t *j)
{
    const char *key;
    json_t *value;
    bool tuple = is_tuple(p, prefix);

    for (size_t i = 0; i < json_array_size(j); i++) {
        value = json_array_get(j, i);
        if (tuple ? !no_stranger(a, p, name, prefix, arena_printf(a, "%zu", i),
                                 value)
                  : !no_strangers(a, p, arena_printf(a, "%s[%zu]", name, i),
                                  prefix, value))
            return false;
    }
    json_object_foreach(j, key, value)
    {
        if (!no_stranger(a, p, name, prefix, key, value))
            return false;
    }
    return true;
}

static bool from_json(Arena *a, const nn_port *p, json_t *j, nncc_tensor **leaf)
{
    bool bare = p->nleaf == 1 && !*p->leaf[0]->path;

    if (!bare && !no_strangers(a, p, p->name, "", j))
        return false;
    for (int i = 0; i < p->nleaf; i++) {
        const char *path = p->leaf[i]->path;
        Place at = {.arena = a};
        at.name = *path ? arena_printf(a, "%s.%s", p->name, path) : p->name;
        json_t *part = part_at(a, p, p->name, j, path);
        bool read = part && tensor_from_json(&at, p->leaf[i], part, &leaf[i]);
        json_decref(part);
        if (!read)
            return false;
    }
    return true;
}

/* The parts of a tuple as `run` printed them, {"f_0": …, "f_1": …}, as an
 * array: a new reference, or NULL where j is something else. */
static json_t *printed_parts(Arena *a, const nn_port *p, json_t *j)
{
    const char *first = json_object_iter_key(json_object_iter(j));
    size_t n = first ? strlen(first) : 0, count = json_object_size(j);

    if (!is_tuple(p, "") || n < 3 || strcmp(first + n - 2, "_0"))
        return NULL;
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_object_get(
            j, arena_printf(a, "%.*s_%zu", (int)n - 2, first, i));
        if (!part) {
            json_decref(all);
            return NULL;
        }
        json_array_append(all, part);
    }
    return all;
}

/* What `run` printed, {"name": value}, stands for the value. A new reference.
 */
static json_t *printed_value(Arena *a, const nn_port *p, json_t *j)
{
    const char *key = json_object_iter_key(json_object_iter(j));
    json_t *parts = printed_parts(a, p, j);

    if (parts)
        return parts;
    if (json_object_size(j) != 1)
        return json_incref(j);
    for (int i = 0; i < p->nleaf; i++) {
        size_t n = strcspn(p->leaf[i]->path, ".");
        if (strlen(key) == n && !strncmp(p->leaf[i]->path, key, n))
            return json_incref(j);
    }
    return json_incref(json_object_get(j, key));
}

/* Of a file, one result: `of` names it, or NULL. A new reference. */
static json_t *named_value(const nn_port *p, const char *from, json_t *j,
                           const char *of)
{
    json_t *part = json_object_get(j, of);

    if (part)
        return json_incref(part);
    Arena *a = arena_new();
    Str keys = str_new(a);
    const char *key;
    json_t *value;
    json_object_foreach(j, key, value)
    {
        str_printf(&keys, "%s%s", keys.n ? ", " : ": it has ", key);
    }
    cli_fail("%s: there is no '%s' in %s%s", p->name, of, from,
             keys.n ? keys.at : "");
    arena_free(a);
    return NULL;
}

/* of: NULL, or which of the values in the file. */
static bool from_json_text(Arena *a, const nn_port *p, const char *from,
                           bool file, const char *of, const char *text,
                           nncc_tensor **leaf)
{
    json_error_t error;
    json_t *j = json_loads(text, JSON_DECODE_ANY, &error);
    char *end;
    double v = strtod(text, &end);

    if (!j && end != text && !*end) /* "nan", ".5", "+1" */
        j = isfinite(v) ? json_real(v)
                        : json_string(isnan(v) ? "nan"
                                      : v > 0  ? "inf"
                                               : "-inf");
    if (!j) {
        cli_fail("%s: this is neither a number nor JSON: %s (line %d)", from,
                 error.text, error.line);
        return false;
    }
    json_t *value = of     ? named_value(p, from, j, of)
                    : file ? printed_value(a, p, j)
                           : json_incref(j);
    bool read = value && from_json(a, p, value, leaf);
    json_decref(value);
    json_decref(j);
    return read;
}

/* Reading files */

/* Rows and columns as a matrix; one row or column as a vector. */
static bool from_csv(const nn_port *p, const char *path, nncc_tensor **leaf)
{
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    nncc_data *d;
    int rank = p->leaf[0]->rank;
    bool fits = p->nleaf == 1 && (rank == 1 || rank == 2);

    if (!fits) {
        cli_fail("%s: a CSV file holds a matrix or a vector, not %s", p->name,
                 p->type);
        return false;
    }
    o.no_label = 1;
    if (nncc_csv_read(path, &o, &d) != NN_OK)
        return cli_failed();
    int64_t size[2] = {d->n, d->nfeature};
    if (rank == 1 && d->n != 1 && d->nfeature != 1) {
        cli_fail("%s: %s has %lld rows and %lld columns, which is no vector",
                 p->name, path, (long long)d->n, (long long)d->nfeature);
        nncc_data_free(d);
        return false;
    }
    if (rank == 1)
        size[0] = d->n * d->nfeature;
    bool made =
        nncc_tensor_new(p->leaf[0]->dtype, rank, size, &leaf[0]) == NN_OK;
    for (int64_t i = 0; made && i < d->n * d->nfeature; i++)
        tensor_set(leaf[0], i, ((const double *)d->x)[i]);
    nncc_data_free(d);
    return made || cli_failed();
}

/* FILE, or FILE:RESULT. */
static bool from_file(Arena *a, const nn_port *p, const char *path,
                      nncc_tensor **leaf)
{
    const char *of = strrchr(path, ':');
    const char *whole =
        of && of > path ? arena_printf(a, "%.*s", (int)(of - path), path) : "";
    size_t n;

    if (*whole && !strchr(of, '/') && (!strchr(of, '.') || stored_is(whole))) {
        path = whole;
        of++;
    } else {
        of = NULL;
    }
    if (file_ends(path, ".csv") || file_ends(path, ".csv.gz"))
        return from_csv(p, path, leaf);
    if (stored_is(path))
        return stored_read(a, p, path, of, leaf);
    if (!file_ends(path, ".json") && strcmp(path, "-")) {
        cli_fail("%s: what is in %s? Its name must end in .json, .csv, "
                 ".csv.gz, .npy, .npz or .safetensors",
                 p->name, path);
        return false;
    }
    const char *text = file_read(a, path, MAX_JSON, &n);
    return text && from_json_text(a, p, path, true, of, text, leaf);
}

bool value_read(Arena *a, const nn_port *p, const char *text,
                nncc_tensor **leaf)
{
    if (*text == '@')
        return from_file(a, p, text + 1, leaf);
    return from_json_text(a, p, arena_printf(a, "%s=%.60s", p->name, text),
                          false, NULL, text, leaf);
}

/* Printing */

/* Without an exponent from 1e-4 up to 1e15. */
static void print_real(double v, bool f32, Str *to)
{
    const char *s;
    double size = fabs(v);

    if (!isfinite(v)) {
        str_printf(to, isnan(v) ? "\"nan\"" : v > 0 ? "\"inf\"" : "\"-inf\"");
        return;
    }
    s = real_digits(to->arena, v, f32, 1);
    if (strchr(s, 'e') && size >= 1 && size < 1e15)
        str_printf(to, "%.0f", strtod(s, NULL));
    else
        str_printf(to, "%s", s);
}

void value_print_element(const nncc_tensor *t, int64_t i, Str *to)
{
    switch ((enum nn_dtype)t->dtype) {
    case NN_BOOL:
        str_printf(to, tensor_get(t, i) != 0 ? "true" : "false");
        break;
    case NN_U8:
    case NN_I32:
        str_printf(to, "%.0f", tensor_get(t, i));
        break;
    case NN_I64:
    case NN_KEY:
        str_printf(to, "%lld", (long long)((const int64_t *)t->data)[i]);
        break;
    case NN_F32:
    case NN_F64:
        print_real(tensor_get(t, i), t->dtype == NN_F32, to);
        break;
    }
}

static void print_tensor(const nncc_tensor *t, int axis, int64_t *next, Str *to)
{
    if (axis == t->rank) {
        value_print_element(t, (*next)++, to);
        return;
    }
    str_printf(to, "[");
    for (int64_t i = 0; i < t->size[axis]; i++) {
        str_printf(to, "%s", i ? ", " : "");
        print_tensor(t, axis + 1, next, to);
    }
    str_printf(to, "]");
}

/* Leaves from … to-1 of p, whose paths agree in their first `skip` bytes: one
 * tensor, or an object (an array for a tuple) of what the next names hold. */
static void print_leaves(const nn_port *p, nncc_tensor *const *leaf, int from,
                         int end, size_t skip, Str *to)
{
    const char *first = p->leaf[from]->path + skip;
    bool tuple = isdigit((unsigned char)*first);
    int64_t next = 0;

    if (!*first) {
        print_tensor(leaf[from], 0, &next, to);
        return;
    }
    str_printf(to, tuple ? "[" : "{");
    for (int i = from, j; i < end; i = j) {
        const char *name = p->leaf[i]->path + skip;
        size_t n = strcspn(name, ".");
        for (j = i + 1; j < end; j++) {
            const char *other = p->leaf[j]->path + skip;
            if (strcspn(other, ".") != n || strncmp(other, name, n))
                break;
        }
        str_printf(to, "%s", i > from ? ", " : "");
        if (!tuple)
            str_printf(to, "\"%.*s\": ", (int)n, name);
        print_leaves(p, leaf, i, j, skip + n + (name[n] == '.'), to);
    }
    str_printf(to, tuple ? "]" : "}");
}

void value_print(const nn_port *p, nncc_tensor *const *leaf, Str *to)
{
    if (p->nleaf == 0)
        str_printf(to, "{}");
    else
        print_leaves(p, leaf, 0, p->nleaf, 0, to);
}
