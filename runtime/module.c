/* module.c: opening modules and finding things in them. */
#include "nn_internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ISO C has no conversion between pointers to data and to functions; POSIX
 * says that dlsym's result holds one. */
typedef const nn_module *(*ModuleFunction)(void);

static ModuleFunction as_function(void *symbol)
{
    ModuleFunction f;

    memcpy(&f, &symbol, sizeof f);
    return f;
}

/* A path without a slash would make dlopen search the system's folders. */
static void *load(const char *path)
{
    nncc_text t = {0};

    nncc_text_printf(&t, "%s%s", strchr(path, '/') ? "" : "./", path);
    if (t.failed)
        return NULL;
    void *library = dlopen(t.at, RTLD_NOW | RTLD_LOCAL);
    free(t.at);
    if (!library)
        nncc_fail(NN_ERR_MODULE, "%s: cannot be loaded: %s", path, dlerror());
    return library;
}

static int new_model(const nn_module *d, void *library, const char *path,
                     nncc_model **out)
{
    nncc_model *m = nncc_alloc(1, sizeof *m, "a module's handle");

    if (!m)
        return NN_ERR_MEMORY;
    if (path && !(m->path = nncc_strdup(path))) {
        free(m);
        return NN_ERR_MEMORY;
    }
    m->d = d;
    m->library = library;
    *out = m;
    return NN_OK;
}

int nncc_open(const char *path, nncc_model **out)
{
    char *name;

    if (!path || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_open: null argument");
    int status = nncc_elf_read(path, &name);
    if (status)
        return status;
    void *library = load(path);
    void *symbol = library ? dlsym(library, name) : NULL;
    free(name);
    if (!symbol) {
        if (library)
            dlclose(library);
        return NN_ERR_MODULE;
    }
    const nn_module *d = as_function(symbol)();
    status = nncc_verify(d, path);
    if (!status)
        status = new_model(d, library, path, out);
    if (status)
        dlclose(library);
    return status;
}

int nncc_wrap(const nn_module *descriptor, nncc_model **out)
{
    if (!descriptor || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_wrap: null argument");
    int status = nncc_verify(descriptor, "descriptor");
    return status ? status : new_model(descriptor, NULL, NULL, out);
}

void nncc_close(nncc_model *m)
{
    if (!m)
        return;
    nncc_trainer_free(m->trainer);
    nncc_store_free(m->stopped);
    nncc_pool_free(m->pool);
    free(m->workspace);
    free(m->path);
    if (m->library)
        dlclose(m->library);
    free(m);
}

const nn_module *nncc_descriptor(const nncc_model *m) { return m->d; }

const char *nncc_path(const nncc_model *m)
{
    return m->path ? m->path : m->d->name;
}

int nncc_find(const nncc_model *m, const char *name, const nn_function **out)
{
    nncc_text t = {0};

    if (!m || !name || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_find: null argument");
    for (int i = 0; i < m->d->nfunction; i++) {
        const nn_function *f = m->d->function[i];
        if (strcmp(f->name, name) == 0) {
            *out = f;
            free(t.at);
            return NN_OK;
        }
        nncc_text_printf(&t, "%s%s", i ? ", " : "", f->name);
    }
    nncc_fail(NN_ERR_NAME, "%s: no function '%s'; there are: %s", nncc_path(m),
              name, t.at && t.n ? t.at : "none");
    free(t.at);
    return NN_ERR_NAME;
}

int nncc_find_kind(const nncc_model *m, int kind, const nn_function **out)
{
    static const char *const what[] = {"plain function", "init",   "step",
                                       "evaluate",       "update", "carry"};

    if (!m || !out || kind < NN_FUNCTION || kind > NN_CARRY)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_find_kind: bad argument");
    for (int i = 0; i < m->d->nfunction; i++)
        if (m->d->function[i]->kind == kind) {
            *out = m->d->function[i];
            return NN_OK;
        }
    return nncc_fail(NN_ERR_NAME,
                     "%s: has no %s function: its source has no 'train' item",
                     nncc_path(m), what[kind]);
}

static int find_port(const nn_function *f, const nn_port *const *port, int n,
                     const char *what, const char *name, int *out)
{
    nncc_text t = {0};

    for (int i = 0; i < n; i++) {
        if (strcmp(port[i]->name, name) == 0) {
            *out = i;
            free(t.at);
            return NN_OK;
        }
        nncc_text_printf(&t, "%s%s", i ? ", " : "", port[i]->name);
    }
    nncc_fail(NN_ERR_NAME, "%s: no %s '%s'; there are: %s", f->name, what, name,
              t.at && t.n ? t.at : "none");
    free(t.at);
    return NN_ERR_NAME;
}

int nncc_find_param(const nn_function *f, const char *name, int *out)
{
    if (!f || !name || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_find_param: null argument");
    return find_port(f, f->param, f->nparam, "parameter", name, out);
}

int nncc_find_result(const nn_function *f, const char *name, int *out)
{
    if (!f || !name || !out)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_find_result: null argument");
    return find_port(f, f->result, f->nresult, "result", name, out);
}

static int count_leaves(const nn_port *const *port, int n)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        count += port[i]->nleaf;
    return count;
}

int nncc_param_leaves(const nn_function *f)
{
    return count_leaves(f->param, f->nparam);
}

int nncc_result_leaves(const nn_function *f)
{
    return count_leaves(f->result, f->nresult);
}

int nncc_param_leaf(const nn_function *f, int i)
{
    return count_leaves(f->param, i);
}

int nncc_result_leaf(const nn_function *f, int i)
{
    return nncc_param_leaves(f) + count_leaves(f->result, i);
}

const char *nncc_leaf_name(const nn_function *f, int leaf, char *buf, size_t n)
{
    int nport = f->nparam + f->nresult;

    snprintf(buf, n, "?");
    for (int i = 0; i < nport; i++) {
        const nn_port *p =
            i < f->nparam ? f->param[i] : f->result[i - f->nparam];
        if (leaf < p->nleaf) {
            const char *path = p->leaf[leaf]->path;
            snprintf(buf, n, "%s%s%s", p->name, *path ? "." : "", path);
            break;
        }
        leaf -= p->nleaf;
    }
    return buf;
}

static void describe_leaves(nncc_text *t, const nn_port *p)
{
    for (int i = 0; i < p->nleaf; i++)
        if (*p->leaf[i]->path)
            nncc_text_printf(t, "           .%s: %s%s\n", p->leaf[i]->path,
                             nncc_dtype_name(p->leaf[i]->dtype),
                             p->leaf[i]->shape);
}

static void describe_port(nncc_text *t, const nn_function *f, const nn_port *p,
                          bool is_result)
{
    nncc_text_printf(t, "    %s %s: %s", is_result ? "->" : "  ", p->name,
                     p->type);
    if (is_result && p->in_place >= 0)
        nncc_text_printf(t, " (in place of %s)", f->param[p->in_place]->name);
    else if (p->has_value && !is_result)
        nncc_text_printf(t, " = %g", p->value);
    if (p->bytes)
        nncc_text_printf(t, ", %llu bytes", (unsigned long long)p->bytes);
    nncc_text_printf(t, "\n");
    if (!is_result || p->in_place < 0)
        describe_leaves(t, p);
}

static void describe_function(nncc_text *t, const nn_function *f)
{
    static const char *const kind[] = {"", " (init)", " (step)", " (evaluate)"};

    nncc_text_printf(t, "  %s%s", f->name, kind[f->kind]);
    for (int i = 0; i < f->ndim; i++)
        nncc_text_printf(t, "%s%s", i ? ", " : ", for any ", f->dim[i]);
    nncc_text_printf(t, "\n");
    for (int i = 0; i < f->nparam; i++)
        describe_port(t, f, f->param[i], false);
    for (int i = 0; i < f->nresult; i++)
        describe_port(t, f, f->result[i], true);
}

int nncc_describe(const nncc_model *m, char **text)
{
    nncc_text t = {0};

    if (!m || !text)
        return nncc_fail(NN_ERR_ARGUMENT, "nncc_describe: null argument");
    nncc_text_printf(&t, "%s: real is %s, source %016llx\n", m->d->name,
                     nncc_dtype_name(m->d->real),
                     (unsigned long long)m->d->source_hash);
    for (int i = 0; i < m->d->nfunction; i++)
        describe_function(&t, m->d->function[i]);
    if (t.failed) {
        free(t.at);
        return NN_ERR_MEMORY;
    }
    *text = t.at;
    return NN_OK;
}
