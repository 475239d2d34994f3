/* toml.c: tables and keys of TOML. The values are what TOML and JSON have in
 * common, and literal strings: the JSON library reads them. */

#include "cli/toml.h"

#include <jansson.h>
#include <string.h>

typedef struct Reader {
    Arena *arena;
    const char *at;
    int line;
    const char *table; /* "settings." or "" */
    Toml *to;
    Map keys; /* entries and tables by their names */
    const char *error;
} Reader;

static bool refuse(Reader *r, const char *what)
{
    if (!r->error)
        r->error = arena_printf(r->arena, "%d: %s", r->line, what);
    return false;
}

static void skip_blanks(Reader *r) { r->at += strspn(r->at, " \t"); }

/* To the next line, or the end; false where something else is in the way. */
static bool end_line(Reader *r)
{
    skip_blanks(r);
    if (*r->at == '#')
        r->at += strcspn(r->at, "\n");
    r->at += *r->at == '\r' && r->at[1] == '\n';
    if (*r->at && *r->at != '\n')
        return refuse(r, arena_printf(r->arena,
                                      "the line should end before '%.*s'",
                                      (int)strcspn(r->at, "\r\n"), r->at));
    if (*r->at) {
        r->at++;
        r->line++;
    }
    return true;
}

/* a-b_c.d: bare keys with dots between; NULL after an error. */
static const char *read_key(Reader *r)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789_-";
    Str key = str_new(r->arena);

    for (;;) {
        size_t n = strspn(r->at, letters);
        if (n == 0) {
            refuse(r, "expected a name of letters, digits, '_' and '-'");
            return NULL;
        }
        str_add(&key, r->at, n);
        r->at += n;
        skip_blanks(r);
        if (*r->at != '.')
            return key.at;
        str_add(&key, ".", 1);
        r->at++;
        skip_blanks(r);
    }
}

/* Is it the first of that name? */
static bool is_new(Reader *r, const char *name)
{
    uint64_t h = hash_bytes(HASH_SEED, name, strlen(name));
    const char *other;

    for (size_t seen = 0; (other = map_next(&r->keys, h, &seen));)
        if (!strcmp(other, name))
            return refuse(r,
                          arena_printf(r->arena, "'%s' is there twice", name));
    map_put(r->arena, &r->keys, h, arena_printf(r->arena, "%s", name));
    return true;
}

static void add(Reader *r, const char *key, TomlKind kind, const char *text)
{
    TomlEntry e = {key, text, kind, r->line};
    list_push(r->arena, r->to, e);
}

static bool bad_value(Reader *r)
{
    return refuse(r, "expected a string in one line, a decimal number, true, "
                     "false, or an array of such");
}

/* One that is no array. */
static bool add_json(Reader *r, const char *key, const json_t *j)
{
    if (json_is_string(j))
        add(r, key, TOML_string,
            arena_printf(r->arena, "%s", json_string_value(j)));
    else if (json_is_boolean(j))
        add(r, key, TOML_bool, json_is_true(j) ? "true" : "false");
    else if (json_is_integer(j))
        add(r, key, TOML_number,
            arena_printf(r->arena, "%lld", (long long)json_integer_value(j)));
    else if (json_is_real(j))
        add(r, key, TOML_number,
            real_digits(r->arena, json_real_value(j), false, 1));
    else
        return bad_value(r);
    return true;
}

static bool add_all(Reader *r, const char *key, const json_t *j)
{
    if (!json_is_array(j))
        return add_json(r, key, j);
    for (size_t i = 0; i < json_array_size(j); i++)
        if (!add_json(r, key, json_array_get(j, i)))
            return false;
    return true;
}

static bool read_literal(Reader *r, const char *key)
{
    size_t n = strcspn(r->at + 1, "'\r\n");

    if (r->at[1 + n] != '\'')
        return refuse(r, "this string does not end in its line");
    add(r, key, TOML_string, arena_printf(r->arena, "%.*s", (int)n, r->at + 1));
    r->at += n + 2;
    return true;
}

static bool read_value(Reader *r, const char *key)
{
    json_error_t e;

    if (*r->at == '\'')
        return read_literal(r, key);
    json_t *j = json_loads(r->at, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &e);
    if (!j)
        return bad_value(r);
    bool good = true;
    if (json_is_number(j)) /* as it is written */
        add(r, key, TOML_number,
            arena_printf(r->arena, "%.*s", e.position, r->at));
    else
        good = add_all(r, key, j);
    json_decref(j);
    for (int i = 0; i < e.position; i++)
        r->line += r->at[i] == '\n';
    r->at += e.position;
    return good;
}

static bool read_entry(Reader *r)
{
    const char *key = read_key(r);

    if (!key)
        return false;
    if (*r->at != '=')
        return refuse(r,
                      arena_printf(r->arena, "expected '=' after '%s'", key));
    r->at++;
    skip_blanks(r);
    key = arena_printf(r->arena, "%s%s", r->table, key);
    return is_new(r, key) && read_value(r, key);
}

static bool read_table(Reader *r)
{
    r->at++;
    skip_blanks(r);
    const char *name = read_key(r);

    if (!name)
        return false;
    if (*r->at != ']')
        return refuse(r,
                      arena_printf(r->arena, "expected ']' after '[%s'", name));
    r->at++;
    r->table = arena_printf(r->arena, "%s.", name);
    return is_new(r, r->table);
}

const char *toml_read(Arena *a, const char *text, Toml *to)
{
    Reader r = {.arena = a, .at = text, .line = 1, .table = "", .to = to};
    bool good = true;

    while (*r.at && good) {
        skip_blanks(&r);
        if (*r.at == '[')
            good = read_table(&r);
        else if (*r.at && !strchr("#\r\n", *r.at))
            good = read_entry(&r);
        good = good && end_line(&r);
    }
    return r.error;
}

bool toml_is_number(const char *text)
{
    json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
    bool is = json_is_number(j);

    json_decref(j);
    return is;
}
