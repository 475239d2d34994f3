/* interface.c: what C sees of a module: its functions' names and arguments, the
 * struct types that they need. */
#include <string.h>
#include <strings.h>

#include "artefact/interface.h"

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Texts */

const char *function_origin(Arena *a, const Function *f)
{
    const DerivMode *mode = &deriv_modes[f->deriv];
    const Function *of = f->primal;
    if (of && mode->second)
        of = of->primal;
    if (!of)
        return "";
    return deriv_text(a, mode->name, of->name, of, f->nby, f->by);
}

/* The interface */

typedef struct Facing {
    Arena *arena;
    Interface *interface;
    NameSet names; /* of the whole header */
    CFunction *to; /* the function at hand */
    NameSet arg;   /* its arguments' names */
    LIST(CArg) args;
} Facing;

static uint64_t hash_int(uint64_t h, int64_t v)
{
    return hash_bytes(h, &v, sizeof v);
}

/* Equal where C's declarations are. */
static uint64_t steps_key(const Step *step, int n, bool fixed)
{
    uint64_t h = hash_int(HASH_SEED, fixed);
    for (int i = 0; i < n; i++) {
        const Step *s = &step[i];
        h = hash_int(h, s->kind);
        if (i > 0 && s->name)
            h = hash_bytes(h, s->name, strlen(s->name) + 1);
        if (s->kind != STEP_leaf)
            continue;
        h = hash_int(hash_int(h, s->dtype), fixed ? s->rank : s->rank > 0);
        for (int d = 0; fixed && d < s->rank; d++) {
            int64_t v = 0;
            dim_const_value(s->dim[d], &v);
            h = hash_int(h, v);
        }
    }
    return h;
}

/* A long list of parameters is left out. */
const char *c_type_name(Arena *a, const Module *m, const Type *t)
{
    enum { LONG = 60 };
    const char *own = name_of(a, t->text ? t->text : "");
    const Type *in = t;
    while (in->kind == TY_stack)
        in = in->part[0];
    if (strlen(own) > LONG || !*own)
        own = name_of(a, in->name ? in->name : "value");
    return arena_printf(a, "%s_%s", m->name, own);
}

static bool holds_pointers(const Step *step, int n)
{
    for (int i = 0; i < n; i++)
        if (step[i].kind == STEP_leaf && step[i].rank > 0)
            return true;
    return false;
}

static const CType *c_type_named(Facing *f, const char *name, const Step *step,
                                 int n, bool written)
{
    Interface *interface = f->interface;
    CType own = {.step = step, .nstep = n, .fixed = steps_fixed(step, n)};
    own.key = steps_key(step, n, own.fixed);
    own.text = step->type->text ? step->type->text : "";
    own.constant = !written && !own.fixed && holds_pointers(step, n);
    for (int i = 0; i < interface->type.n; i++)
        if (interface->type.at[i]->key == own.key &&
            interface->type.at[i]->constant == own.constant &&
            strcmp(interface->type.at[i]->text, own.text) == 0)
            return interface->type.at[i];
    CType *t = NEW(f->arena, CType);
    *t = own;
    if (t->constant)
        name = arena_printf(f->arena, "%s_in", name);
    t->name = name_claim(&f->names, name);
    list_push(f->arena, &interface->type, t);
    return t;
}

static const CType *c_type(Facing *f, const Step *step, int n, bool written)
{
    return c_type_named(f,
                        c_type_name(f->arena, f->interface->module, step->type),
                        step, n, written);
}

/* What `step` keeps for itself, the last of what it overwrites, has one name
 * for all optimizers: M_train_state, or of several items M_critic_state. */
static void name_train_state(Facing *f, const Function *fn)
{
    int last = 0, n;
    for (int i = 1; fn->kind == FN_step && i < fn->nparam; i++)
        if (function_overwrites(fn, i))
            last = i;
    if (last == 0)
        return;
    const Type *type = fn->param[last].type;
    const Step *step = type_steps(f->arena, type, &n);
    if (step->kind == STEP_open && !step->tuple &&
        strcmp(type->text, fn->param[0].type->text) != 0)
        c_type_named(f,
                     arena_printf(f->arena, "%s_%s", f->interface->module->name,
                                  strcmp(fn->param[last].name, "state") == 0
                                      ? "train_state"
                                      : fn->param[last].name),
                     step, n, true);
}

static int steps_leaves(const Step *step, int n)
{
    int leaves = 0;
    for (int i = 0; i < n; i++)
        leaves += step[i].kind == STEP_leaf;
    return leaves;
}

/* The number of steps from an opening to its close. */
static int steps_extent(const Step *step)
{
    int depth = 0, i = 0;
    do {
        depth += step[i].kind == STEP_open;
        depth -= step[i].kind == STEP_close;
        i++;
    } while (depth > 0);
    return i;
}

/* An argument's name; one that might be of a type or macro of ours is changed,
 * as it would hide that from the arguments after it. */
static const char *arg_name(Facing *f, const char *name)
{
    const char *own = name_of(f->arena, name);
    size_t n = strlen(f->interface->module->name);
    if (strncasecmp(own, f->interface->module->name, n) == 0 && own[n] == '_')
        own = arena_printf(f->arena, "%s_", own);
    return name_claim(&f->arg, own);
}

/* One argument for step[0 … n). */
static void add_arg(Facing *f, CArg arg, const Step *step, int n,
                    const char *name)
{
    arg.name = arg_name(f, name);
    arg.nleaf = steps_leaves(step, n);
    if (step->kind == STEP_open) {
        arg.kind = ARG_struct;
        arg.type = c_type(f, step, n, arg.written);
    } else {
        arg.kind = step->rank == 0 && !arg.written ? ARG_value : ARG_tensor;
        arg.leaf = step;
    }
    list_push(f->arena, &f->args, arg);
}

/* A port's arguments: one, or one for each part of a tuple. */
static void add_port(Facing *f, const Port *p, bool result, int first)
{
    int n;
    const Step *step = type_steps(f->arena, p->type, &n);
    const Function *of = f->to->function;
    CArg arg = {.port = p, .result = result, .first = first};
    arg.written = result || function_overwrites(of, (int)(p - of->param));
    LIST(const char *) prefix = {0};
    list_push(f->arena, &prefix, p->name);
    for (int i = 0; i < n;) {
        if (step[i].kind == STEP_close) {
            prefix.n--;
            i++;
            continue;
        }
        const char *name = arena_printf(f->arena, "%s%s",
                                        prefix.at[prefix.n - 1], step[i].name);
        if (step[i].kind == STEP_open && step[i].tuple) {
            list_push(f->arena, &prefix, name);
            i++;
            continue;
        }
        int extent = steps_extent(&step[i]);
        add_arg(f, arg, &step[i], extent, name);
        arg.first += steps_leaves(&step[i], extent);
        i += extent;
    }
}

/* Parameters with or without a default. */
static void add_params(Facing *f, bool settings)
{
    const Function *fn = f->to->function;
    int first = 0;
    for (int i = 0; i < fn->nparam; i++) {
        if (fn->param[i].has_default == settings)
            add_port(f, &fn->param[i], false, first);
        first += fn->param[i].nleaf;
    }
}

static void add_dims(Facing *f)
{
    const Function *fn = f->to->function;
    for (int i = 0; i < fn->nvar; i++) {
        CArg arg = {.kind = ARG_dim, .dim = i};
        const char *name = dim_var_name(fn->var[i]);
        arg.name = arg_name(f, name);
        list_push(f->arena, &f->args, arg);
    }
}

static void add_results(Facing *f)
{
    const Function *fn = f->to->function;
    int first = 0;
    for (int i = 0; i < fn->nparam; i++)
        first += fn->param[i].nleaf;
    for (int i = 0; i < fn->nresult; i++) {
        if (fn->result[i].in_place < 0)
            add_port(f, &fn->result[i], true, first);
        first += fn->result[i].nleaf;
    }
    f->to->nleaf = first;
}

/* The interface: what a caller was compiled with. */

static uint64_t hash_text(uint64_t h, const char *s)
{
    return hash_bytes(h, s, strlen(s) + 1);
}

static uint64_t hash_leaf(Arena *a, uint64_t h, const Step *s)
{
    h = hash_text(hash_int(h, s->dtype), s->name);
    return hash_text(h, dims_text(a, s->rank, s->dim));
}

static uint64_t hash_arg(Arena *a, uint64_t h, const CArg *arg)
{
    h = hash_text(hash_int(hash_int(h, arg->kind), arg->written), arg->name);
    if (arg->leaf)
        h = hash_leaf(a, h, arg->leaf);
    for (int i = 0; arg->type && i < arg->type->nstep; i++) {
        const Step *s = &arg->type->step[i];
        h = hash_int(h, s->kind);
        if (s->kind == STEP_leaf)
            h = hash_leaf(a, h, s);
    }
    return h;
}

/* Memory for the workspace may have been made by what the header says. */
static void hash_function(Arena *a, CFunction *c)
{
    uint64_t h = hash_text(hash_int(HASH_SEED, NN_ABI_VERSION), c->name);
    for (int i = 0; i < c->narg; i++)
        h = hash_arg(a, h, &c->arg[i]);
    h = hash_int(h, c->macro ? c->bytes : -1);
    c->hash = (uint32_t)(h ^ h >> 32);
}

const char *versioned_name(Arena *a, const CFunction *f, const char *name)
{
    return arena_printf(a, "%s.%08x", name, (unsigned)f->hash);
}

/* Names */

static const char *upper(Arena *a, const char *s)
{
    char *to = arena_printf(a, "%s", s);
    for (char *p = to; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    return to;
}

/* "DIGITS_STEP_LR" */
static void name_defaults(Facing *f, CFunction *c)
{
    for (int i = 0; i < c->narg; i++)
        if (c->arg[i].kind == ARG_value && c->arg[i].port->has_default)
            c->arg[i].macro = name_claim(
                &f->names,
                upper(f->arena, arena_printf(f->arena, "%s_%s", c->name,
                                             c->arg[i].port->name)));
}

static void face_function(Facing *f, CFunction *to)
{
    f->to = to;
    f->arg = (NameSet){.arena = f->arena};
    f->args.at = NULL;
    f->args.n = f->args.cap = 0;
    name_claim(&f->arg, "workspace");
    name_claim(&f->arg, "exec");
    add_params(f, false);
    add_dims(f);
    add_params(f, true);
    add_results(f);
    to->arg = f->args.at;
    to->narg = f->args.n;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

/* Functions' own names first, so that nothing that we add displaces them. */
static void face_names(Facing *f)
{
    Interface *interface = f->interface;
    Arena *a = f->arena;
    for (int i = 0; i < interface->nfunction; i++) {
        CFunction *c = &interface->function[i];
        const char *name = arena_printf(a, "%s_%s", interface->module->name,
                                        c->function->name);
        if (ends_with(name, "_module")) /* that is for descriptors */
            name = arena_printf(a, "%s_", name);
        c->name = name_claim(&f->names, name);
        c->internal = name_claim(
            &f->names, arena_printf(a, "%s.%s", interface->module->name,
                                    c->function->name));
    }
    for (int i = 0; i < interface->nfunction; i++) {
        CFunction *c = &interface->function[i];
        c->workspace =
            name_claim(&f->names, arena_printf(a, "%s_workspace", c->name));
        if (function_bound(c->function, c->schedule->workspace, &c->bytes) &&
            c->bytes >= 0)
            c->macro = name_claim(&f->names, upper(a, c->workspace));
    }
}

Interface *interface_of(Arena *a, const ModuleInput *in)
{
    Interface *interface = NEW(a, Interface);
    Facing f = {.arena = a, .interface = interface, .names = {.arena = a}};
    interface->module = in->module;
    interface->nfunction = in->nschedule;
    interface->function = NEWN(a, CFunction, in->nschedule + 1);
    interface->descriptor =
        name_claim(&f.names, arena_printf(a, "%s_module", in->module->name));
    interface->macro = name_claim(
        &f.names, upper(a, arena_printf(a, "%s_INTERFACE", in->module->name)));
    for (int i = 0; i < in->nschedule; i++) {
        interface->function[i].schedule = in->schedule[i];
        interface->function[i].function = in->schedule[i]->function;
    }
    face_names(&f);
    for (int i = 0; i < in->nschedule; i++)
        name_train_state(&f, in->schedule[i]->function);
    interface->hash = HASH_SEED;
    for (int i = 0; i < in->nschedule; i++) {
        CFunction *c = &interface->function[i];
        face_function(&f, c);
        name_defaults(&f, c);
        hash_function(a, c);
        interface->hash = hash_int(interface->hash, c->hash);
    }
    return interface;
}
