/* trained.c: models with their trained parameters. */

#include "cli/trained.h"
#include "cli/call.h"
#include "cli/sets.h"

#include <stdlib.h>
#include <string.h>

bool trained_open(Load *l, Function *f, Trained *to)
{
    const Module *m = l->module;
    Function **all = NEWN(l->arena, Function *, 4 * m->training.n + 3);
    int n = 0;

    *to = (Trained){.module = m};
    all[n++] = m->init;
    for (int i = 0; i < m->training.n; i++) {
        all[n++] = m->training.at[i].step;
        all[n++] = m->training.at[i].evaluate;
        if (m->training.at[i].update)
            all[n++] = m->training.at[i].update;
        if (m->training.at[i].carry)
            all[n++] = m->training.at[i].carry;
    }
    if (f)
        all[n++] = f;
    to->jit = driver_jit(l, all, n);
    if (!to->jit)
        return false;
    const nn_module *module = jit_module(to->jit);
    if (f)
        to->extra = module->function[n - 1];
    if (nncc_wrap(module, &to->model) == NN_OK)
        return true;
    cli_failed();
    trained_close(to);
    return false;
}

void trained_close(Trained *t)
{
    nncc_close(t->model);
    if (t->jit)
        jit_close(t->jit);
    *t = (Trained){0};
}

const char *trained_name(const Args *a, const char *value, const char **path)
{
    const char *name = cli_name(a->arena, value, path);

    if (!name || !strchr(name, '/'))
        return name;
    *path = value; /* '=' of a folder's name */
    return NULL;
}

const Port *begun_port(const Module *m, const char *name)
{
    int i = ports_named(m->init->result, m->init->nresult, name);

    return i >= 0 ? &m->init->result[i] : NULL;
}

static int check_option(const Args *a, const Module *m, const Given *g)
{
    const char *path, *name = trained_name(a, g->value, &path);

    if (name && !begun_port(m, name)) {
        Str s = str_new(a->arena);
        for (int i = 0; i < m->init->nresult; i++)
            str_printf(&s, "%s'%s'", i ? ", " : "", m->init->result[i].name);
        return cli_usage(a,
                         "'--%s': training updates nothing called '%s'; there "
                         "is %s",
                         g->name, name, s.at);
    }
    if (!*path)
        return cli_usage(a, "'--%s' needs a file", g->name);
    return EXIT_SUCCESS;
}

int trained_check(const Args *a, const Module *m)
{
    int status = EXIT_SUCCESS;

    for (int i = 0; i < a->given.n && !status; i++)
        if (!strcmp(a->given.at[i].name, "load") ||
            !strcmp(a->given.at[i].name, "save"))
            status = check_option(a, m, &a->given.at[i]);
    return status;
}

/* A JSON file, as --save writes it, as a store. */
static bool store_from_json(const Args *a, nncc_model *m, const char *name,
                            const char *path, nncc_store *s)
{
    const nn_port *port;
    int status = nncc_state(m, name, &port, NULL, NULL);

    if (status != NN_OK)
        return cli_failed();
    nncc_tensor **leaf = NEWN(a->arena, nncc_tensor *, port->nleaf + 1);
    bool good =
        value_read(a->arena, port, arena_printf(a->arena, "@%s", path), leaf);
    for (int i = 0; i < port->nleaf && good; i++) {
        const char *of = port->leaf[i]->path;
        const char *key = leaf_name(a->arena, port->name, of);
        if (nncc_store_put(s, key, leaf[i]) != NN_OK)
            good = cli_failed();
    }
    for (int i = 0; i < port->nleaf; i++)
        nncc_tensor_free(leaf[i]);
    return good;
}

static void tell_missing(const char *missing, const char *path, FILE *to)
{
    for (const char *line = missing; line && *line;) {
        const char *end = strchr(line, '\n');
        fprintf(to, "%.*s is not in %s: stays as initialised\n",
                (int)(end - line), line, path);
        line = end + 1;
    }
}

/* Names, a line each, one after another. */
static const char *listed(Arena *a, const char *lines)
{
    Str s = str_new(a);

    for (const char *at = lines, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        str_printf(&s, "%s%.*s", at == lines ? "" : ", ", (int)(end - at), at);
    }
    return s.at;
}

/* What is to be used must be there. */
static bool refuse_missing(const Args *a, const char *missing, const char *path,
                           const nncc_store *s)
{
    enum { MOST = 300 };
    Str has = str_new(a->arena);

    if (!missing || !*missing)
        return true;
    for (int64_t i = 0; i < nncc_store_count(s) && has.n < MOST; i++)
        str_printf(&has, "%s%s", i ? ", " : "", nncc_store_name(s, i));
    cli_fail("%s: another model's: it has no %s; it has %s%s", path,
             listed(a->arena, missing), has.n ? has.at : "nothing",
             has.n < MOST ? "" : ", …");
    return false;
}

static bool take_fit(const nncc_store *s, const char *path, nncc_data **fit)
{
    nncc_data *found = NULL;

    if (nncc_fit_read(s, &found) != NN_OK) {
        cli_fail("%s: %s", path, nncc_last_error());
        return false;
    }
    if (found) {
        nncc_data_free(*fit);
        *fit = found;
    }
    return true;
}

static bool open_store(const char *path, nncc_store **s)
{
    int status =
        file_ends(path, ".json") ? nncc_store_new(s) : nncc_store_read(path, s);

    return status == NN_OK || cli_failed();
}

static bool load_one(const Args *a, nncc_model *m, const char *value,
                     LoadKind kind, nncc_data **fit)
{
    const char *path, *name = trained_name(a, value, &path);
    char *missing = NULL;
    nncc_store *s;

    if (!open_store(path, &s))
        return false;
    bool good =
        !file_ends(path, ".json") || store_from_json(a, m, name, path, s);
    if (good && nncc_load(m, name, s, &missing) != NN_OK)
        good = cli_fail("%s: %s", path, nncc_last_error()) == 0;
    good = good && take_fit(s, path, fit);
    if (good && kind == LOAD_all)
        good = refuse_missing(a, missing, path, s);
    else if (good && kind != LOAD_quiet)
        tell_missing(missing, path, kind == LOAD_tell ? stdout : stderr);
    free(missing);
    nncc_store_free(s);
    return good;
}

bool trained_load(const Args *a, nncc_model *m, LoadKind kind, nncc_data **fit)
{
    const char *value;
    int files = 0;

    for (int i = 0; option_next(a, "load", &i);)
        files++;
    if (kind == LOAD_all && files > 1) /* what one lacks another may have */
        kind = LOAD_part;
    for (int i = 0; (value = option_next(a, "load", &i));)
        if (!load_one(a, m, value, kind, fit))
            return false;
    return true;
}

bool trained_fit(const Args *a, nncc_data **fit)
{
    const char *value, *path;

    for (int i = 0; (value = option_next(a, "load", &i));) {
        nncc_store *s;
        trained_name(a, value, &path);
        if (!open_store(path, &s))
            return false;
        bool good = take_fit(s, path, fit);
        nncc_store_free(s);
        if (!good)
            return false;
    }
    return true;
}

static void print_json(const nncc_tensor *t, int axis, int64_t *at)
{
    if (axis == t->rank) {
        printf("%.17g", ((const double *)t->data)[(*at)++]);
        return;
    }
    printf("[");
    for (int64_t i = 0; i < t->size[axis]; i++) {
        printf(i ? ", " : "");
        print_json(t, axis + 1, at);
    }
    printf("]");
}

static void print_rows(const nncc_tensor *t)
{
    int64_t n = 0, row = t->size[t->rank - 1];

    nncc_tensor_count(t, &n, NULL);
    for (int64_t i = 0; i < n; i++)
        printf("%s%9.4f%s", i % row ? "" : " ", ((const double *)t->data)[i],
               (i + 1) % row ? "" : "\n");
}

void trained_print_tensors(const nncc_model *m, const char *held, bool json)
{
    const nncc_tensor *t;
    const char *name;

    for (int i = 0; nncc_metric_tensor(m, i, &name, &t) == NN_OK; i++) {
        int64_t at = 0;
        printf(json ? ", \"%s%s\": " : "%s%s:\n", held, name);
        if (json)
            print_json(t, 0, &at);
        else
            print_rows(t);
    }
}
