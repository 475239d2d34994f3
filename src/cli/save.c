/* save.c: what was trained, in a file: one way for each ending. */

#include "cli/trained.h"

#include <stdlib.h>
#include <string.h>

/* What is to be saved. */
typedef struct Saved {
    const nn_port *port;
    void *block; /* the C struct, or NULL */
    const nncc_tensor *leaf;
} Saved;

static bool json_print(const Args *a, const Trained *t, const char *name,
                       const Saved *s, Str *to)
{
    nncc_tensor *own = NEWN(a->arena, nncc_tensor, s->port->nleaf + 1);
    nncc_tensor **each = NEWN(a->arena, nncc_tensor *, s->port->nleaf + 1);

    (void)t;
    (void)name;
    for (int i = 0; i < s->port->nleaf; i++) {
        own[i] = s->leaf[i];
        each[i] = &own[i];
    }
    value_print(s->port, each, to);
    str_printf(to, "\n");
    return true;
}

void npy_print(const nncc_tensor *t, Str *to)
{
    void *bytes = NULL;
    size_t n = 0;

    if (nncc_array_bytes(t, &bytes, &n) != NN_OK)
        die("%s", nncc_last_error());
    str_add(to, bytes, n);
    free(bytes);
}

static bool npy_save(const Args *a, const Trained *t, const char *name,
                     const Saved *s, Str *to)
{
    (void)a;
    (void)t;
    (void)name;
    if (s->port->nleaf != 1) {
        cli_fail("'%s' has %d arrays, and a .npy file has one: .safetensors "
                 "and .json have all",
                 s->port->name, s->port->nleaf);
        return false;
    }
    npy_print(&s->leaf[0], to);
    return true;
}

/* The bytes of the generated header's struct. */
static bool bin_print(const Args *a, const Trained *t, const char *name,
                      const Saved *s, Str *to)
{
    (void)a;
    (void)t;
    (void)name;
    if (!s->block) {
        cli_fail("'%s' of type %s has no fixed size, so no struct in C whose "
                 "bytes these were: fix its dimensions by --dim",
                 s->port->name, s->port->type);
        return false;
    }
    str_add(to, s->block, s->port->bytes);
    return true;
}

/* As a store's bytes. */
static bool
store_print(const Trained *t, const char *name,
            int (*print)(const nncc_store *s, void **bytes, size_t *n), Str *to)
{
    nncc_store *store;
    void *bytes = NULL;
    size_t n = 0;

    if (nncc_store_new(&store) != NN_OK)
        return cli_failed();
    bool good = nncc_params_store(t->model, name, store) == NN_OK &&
                print(store, &bytes, &n) == NN_OK;
    nncc_store_free(store);
    if (!good)
        return cli_failed();
    str_add(to, bytes, n);
    free(bytes);
    return true;
}

static bool safetensors_print(const Args *a, const Trained *t, const char *name,
                              const Saved *s, Str *to)
{
    (void)a;
    (void)s;
    return store_print(t, name, nncc_store_bytes, to);
}

static bool npz_print(const Args *a, const Trained *t, const char *name,
                      const Saved *s, Str *to)
{
    (void)a;
    (void)s;
    return store_print(t, name, nncc_store_npz, to);
}

/* A C header with the struct. */
static bool header_print(const Args *a, const Trained *t, const char *name,
                         const Saved *s, Str *to)
{
    const void **leaf = NEWN(a->arena, const void *, s->port->nleaf + 1);
    const Port *p = begun_port(t->module, s->port->name);

    (void)name;
    for (int i = 0; i < s->port->nleaf; i++)
        leaf[i] = s->leaf[i].data;
    const char *wrong =
        p ? value_header(t->module, p->name, p->type, leaf, to) : "is nothing";
    if (wrong)
        cli_fail("'%s' of type %s %s", s->port->name, s->port->type, wrong);
    return !wrong;
}

static const struct Format {
    const char *ending;
    bool (*print)(const Args *a, const Trained *t, const char *name,
                  const Saved *s, Str *to);
} formats[] = {
    {".safetensors", safetensors_print},
    {".json", json_print},
    {".npz", npz_print},
    {".npy", npy_save},
    {".bin", bin_print},
    {".h", header_print},
};
enum { NFORMAT = sizeof formats / sizeof *formats };

/* That of the file's ending; JSON where it has none, as standard output. NULL:
 * there is none such. */
static const struct Format *format_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

    if (!dot || (slash && slash > dot))
        return &formats[1];
    for (int i = 0; i < NFORMAT; i++)
        if (!strcmp(formats[i].ending, dot))
            return &formats[i];
    return NULL;
}

int trained_format(const Args *a, const char *path)
{
    if (format_of(path))
        return EXIT_SUCCESS;
    return cli_usage(
        a,
        "'--save' writes .safetensors, .npz, .npy, .json, .bin and .h, "
        "not '%s'",
        path);
}

bool trained_save(const Args *a, const Trained *t, const char *name,
                  NewFile *to)
{
    Saved s;
    Str text = str_new(a->arena);

    if (nncc_state(t->model, name, &s.port, &s.block, &s.leaf) != NN_OK)
        return cli_failed();
    if (!format_of(to->path)->print(a, t, name, &s, &text))
        return false;
    file_put(to, text.at, text.n);
    return file_keep(a->arena, to);
}
