/* json.c: a module's interface as JSON: what its descriptor says. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "artefact/interface.h"

/* A string; bytes that are no UTF-8 become question marks. */
static json_t *text(Arena *a, const char *s)
{
    json_t *j = json_string(s);
    if (j)
        return j;
    char *plain = arena_printf(a, "%s", s);
    for (char *p = plain; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    return json_string(plain);
}

static void set(json_t *to, const char *key, json_t *value)
{
    if (!value || json_object_set_new(to, key, value) != 0)
        die("out of memory");
}

static void add(json_t *to, json_t *value)
{
    if (!value || json_array_append_new(to, value) != 0)
        die("out of memory");
}

/* A number where it is one, else a formula: [64, "2*b + 1"]. */
static json_t *dim_json(Arena *a, const Dim *d)
{
    int64_t v;
    if (dim_const_value(d, &v))
        return json_integer(v);
    Str s = str_new(a);
    dim_print(d, &s);
    return text(a, s.at);
}

static json_t *leaf_json(Arena *a, const Leaf *l, int64_t offset)
{
    json_t *to = json_object(), *shape = json_array();
    for (int i = 0; i < l->rank; i++)
        add(shape, dim_json(a, l->dim[i]));
    set(to, "path", text(a, l->path));
    set(to, "dtype", json_string(dtype_name(l->dtype)));
    set(to, "shape", shape);
    if (offset >= 0)
        set(to, "offset", json_integer(offset));
    return to;
}

static json_t *port_json(Arena *a, Graph *g, const Function *f, const Port *p,
                         bool result)
{
    json_t *to = json_object(), *leaves = json_array();
    int n;
    Leaf *leaf = type_leaves(g, p->type, &n);
    Layout l = type_layout(a, p->type);
    for (int i = 0; i < n; i++)
        add(leaves, leaf_json(a, &leaf[i], l.offset[i]));
    set(to, "name", text(a, p->name));
    set(to, "type", text(a, p->type->text));
    if (l.size > 0)
        set(to, "bytes", json_integer((json_int_t)l.size));
    if (result && p->in_place >= 0)
        set(to, "in_place", text(a, f->param[p->in_place].name));
    if (!result && p->has_default)
        set(to, "default", json_real(p->value));
    set(to, "leaves", leaves);
    return to;
}

static const char *kind_name(FunctionKind k)
{
    switch (k) {
    case FN_plain:
        break;
    case FN_init:
        return "init";
    case FN_step:
        return "step";
    case FN_evaluate:
        return "evaluate";
    case FN_update:
        return "update";
    case FN_carry:
        return "carry";
    }
    return "function";
}

static json_t *function_json(Arena *a, Graph *g, const CFunction *c)
{
    const Function *f = c->function;
    json_t *to = json_object(), *dims = json_array();
    json_t *params = json_array(), *results = json_array();
    const char *origin = function_origin(a, f);
    for (int i = 0; i < f->nvar; i++)
        add(dims, text(a, dim_var_name(f->var[i])));
    for (int i = 0; i < f->nparam; i++)
        add(params, port_json(a, g, f, &f->param[i], false));
    for (int i = 0; i < f->nresult; i++)
        add(results, port_json(a, g, f, &f->result[i], true));
    set(to, "name", text(a, f->name));
    set(to, "symbol", text(a, c->name));
    set(to, "kind", json_string(kind_name(f->kind)));
    if (*origin)
        set(to, "derivative", text(a, origin));
    set(to, "dims", dims);
    set(to, "params", params);
    set(to, "results", results);
    set(to, "workspace", dim_json(a, c->schedule->workspace));
    return to;
}

static json_t *names_json(Arena *a, const char *const *name, int64_t n)
{
    json_t *to = json_array();
    for (int64_t i = 0; i < n; i++)
        add(to, text(a, name[i]));
    return to;
}

static json_t *fit_json(Arena *a, const ModuleFit *f)
{
    json_t *to = json_object();
    set(to, "features", json_integer((json_int_t)f->nfeature));
    if (f->feature_name)
        set(to, "feature_names", names_json(a, f->feature_name, f->nfeature));
    if (f->class_name)
        set(to, "class_names", names_json(a, f->class_name, f->nclass));
    if (f->label_name)
        set(to, "label_name", text(a, f->label_name));
    if (f->raw)
        set(to, "raw", text(a, f->raw));
    return to;
}

static json_t *training_json(Arena *a, const Training *t)
{
    json_t *to = json_object();
    set(to, "name", text(a, t->name));
    set(to, "step", text(a, t->step->name));
    set(to, "evaluate", text(a, t->evaluate->name));
    if (t->update)
        set(to, "update", text(a, t->update->name));
    if (t->carry)
        set(to, "carry", text(a, t->carry->name));
    set(to, "steps", json_integer(t->steps));
    return to;
}

static json_t *trainings_json(Arena *a, const Module *m)
{
    json_t *to = json_array();
    for (int i = 0; i < m->training.n; i++)
        add(to, training_json(a, &m->training.at[i]));
    return to;
}

static json_t *module_json(Arena *a, const ModuleInput *in)
{
    const Module *m = in->module;
    Interface *interface = interface_of(a, in);
    json_t *to = json_object(), *functions = json_array();
    set(to, "abi_version", json_integer(NN_ABI_VERSION));
    set(to, "name", text(a, m->name));
    set(to, "source", text(a, file_name(m->path)));
    set(to, "source_hash",
        json_string(arena_printf(a, "%016" PRIx64, m->hash)));
    set(to, "interface_hash",
        json_string(arena_printf(a, "%016" PRIx64, interface->hash)));
    set(to, "real", json_string(dtype_name(m->real)));
    if (m->metric)
        set(to, "metric", text(a, m->metric));
    if (m->fit)
        set(to, "fit", fit_json(a, m->fit));
    if (m->training.n > 0)
        set(to, "train", trainings_json(a, m));
    for (int i = 0; i < interface->nfunction; i++)
        add(functions, function_json(a, m->graph, &interface->function[i]));
    set(to, "functions", functions);
    return to;
}

void interface_json(const ModuleInput *in, Str *to)
{
    json_t *j = module_json(to->arena, in);
    char *bytes = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!bytes)
        die("out of memory");
    str_printf(to, "%s\n", bytes);
    free(bytes);
    json_decref(j);
}
