/* with.c: --with: what was trained becomes part of what is compiled. */

#include "cli/with.h"
#include "cli/call.h"
#include "cli/trained.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <string.h>

typedef struct With {
    Arena *arena;
    Module *module;
    const char *path, *name; /* name: the parameter that is meant, or NULL */
    nncc_store *store;
    int taken;        /* ports that got values */
    Str unlike;       /* arrays of other shapes or types, as a sentence */
    const char *want; /* a name that was looked for */
} With;

/* Values from the file */

static const nncc_tensor *stored(With *w, const Port *p, const Leaf *leaf)
{
    const char *key = leaf_name(w->arena, p->name, leaf->path);
    const nncc_tensor *t = nncc_store_find(w->store, key);

    w->want = w->want ? w->want : key;
    if (!t && w->name)
        t = nncc_store_find(w->store, leaf->path);
    return t;
}

/* A double holds what it is to be. */
static bool converts(const Leaf *leaf, const nncc_tensor *t)
{
    static const int as[NDTYPES] = {
        [DT_bool] = NN_BOOL, [DT_u8] = NN_U8,   [DT_i32] = NN_I32,
        [DT_i64] = -1,       [DT_f32] = NN_F32, [DT_f64] = NN_F64,
        [DT_key] = -1};

    return as[leaf->dtype] == t->dtype ||
           (dtype_is_real(leaf->dtype) && tensor_is_real(t));
}

static void tell_unlike(With *w, const Port *p, const Leaf *leaf,
                        const nncc_tensor *t)
{
    Str *to = &w->unlike;

    str_printf(to, "%s'%s' is %s", to->n ? "; " : "",
               leaf_name(w->arena, p->name, leaf->path),
               nncc_dtype_name(t->dtype));
    str_sizes(to, t->rank, t->size);
    str_printf(to, "%s, here %s%s", t->rank ? "" : "[]",
               dtype_name(leaf->dtype),
               dims_text(w->arena, leaf->rank, leaf->dim));
}

static Node *constant(With *w, const Leaf *leaf, const nncc_tensor *t)
{
    int64_t n = tensor_elements(t);
    double *v = NEWN(w->arena, double, n + 1);

    for (int64_t i = 0; i < n; i++)
        v[i] = tensor_get(t, i);
    return g_data(w->module->graph, leaf->dtype, leaf->rank, leaf->dim, v);
}

/* The values of p's leaves, NULL where the file has none; how many it has. What
 * does not fit is told and taken for missing. */
static int port_values(With *w, const Port *p, Node **value)
{
    int n, found = 0;
    const Leaf *leaf = type_leaves(w->module->graph, p->type, &n);

    for (int i = 0; i < n; i++) {
        const nncc_tensor *t = stored(w, p, &leaf[i]);
        bool fits = t && leaf_fits(&leaf[i], t) && converts(&leaf[i], t);
        if (t && !fits)
            tell_unlike(w, p, &leaf[i], t);
        value[i] = fits ? constant(w, &leaf[i], t) : NULL;
        found += fits;
    }
    return found;
}

static bool tell_missing(With *w, const Port *p, Node *const *value,
                         const char *what)
{
    const Leaf *leaf = type_leaves(w->module->graph, p->type, NULL);
    Str s = str_new(w->arena);

    for (int i = 0; i < p->nleaf; i++)
        if (!value[i])
            str_printf(&s, "%s%s", s.n ? ", " : "",
                       leaf_name(w->arena, p->name, leaf[i].path));
    cli_fail("%s has no %s, which %s needs", w->path, s.at, what);
    return false;
}

/* Functions */

static bool differentiated_by(const Function *f, const char *name)
{
    const Function *of = f->primal;

    if (of && deriv_modes[f->deriv].second)
        of = of->primal;
    for (int i = 0; of && i < f->nby; i++)
        if (!strcmp(of->param[f->by[i]].name, name))
            return true;
    return false;
}

/* Is parameter i of f to be a constant, if there are values. */
static bool may_take(const With *w, const Function *f, int i)
{
    const char *name = f->param[i].name;

    return f->kind == FN_plain && (!w->name || !strcmp(w->name, name)) &&
           !function_overwrites(f, i) && !differentiated_by(f, name);
}

static void replace(With *w, Function *f, const Nodes *from, const Nodes *to)
{
    Nodes root = functions_roots(w->arena, &f, 1);
    int at = 0;

    graph_subst(w->module->graph, from->n, from->at, to->at, root.n, root.at);
    for (int i = 0; i < f->nresult; i++) {
        Port *p = &f->result[i];
        Node **leaf = NEWN(w->arena, Node *, p->nleaf + 1);
        for (int k = 0; k < p->nleaf; k++)
            leaf[k] = root.at[at++];
        p->leaf = leaf;
    }
}

/* f without the parameters that are constants: drop says which. */
static void drop_params(With *w, Function *f, const bool *drop)
{
    Port *kept = NEWN(w->arena, Port, f->nparam + 1);
    int *place = NEWN(w->arena, int, f->nparam + 1), n = 0;

    for (int i = 0; i < f->nparam; i++) {
        place[i] = n;
        if (!drop[i])
            kept[n++] = f->param[i];
    }
    for (int i = 0; i < f->nresult; i++)
        if (f->result[i].in_place >= 0)
            f->result[i].in_place = place[f->result[i].in_place];
    f->param = kept;
    f->nparam = n;
}

static bool fill_function(With *w, Function *f)
{
    bool *drop = NEWN(w->arena, bool, f->nparam + 1), any = false;
    Nodes from = {0}, to = {0};

    for (int i = 0; i < f->nparam; i++) {
        const Port *p = &f->param[i];
        Node **value = NEWN(w->arena, Node *, p->nleaf + 1);
        int found = may_take(w, f, i) ? port_values(w, p, value) : 0;
        if (found && found < p->nleaf && !w->unlike.n)
            return tell_missing(w, p, value, f->name);
        drop[i] = found == p->nleaf && found > 0;
        any |= drop[i];
        w->taken += drop[i];
        for (int k = 0; drop[i] && k < p->nleaf; k++) {
            list_push(w->arena, &from, p->leaf[k]);
            list_push(w->arena, &to, value[k]);
        }
    }
    if (any) {
        replace(w, f, &from, &to);
        drop_params(w, f, drop);
    }
    return true;
}

/* init: what the file lacks is initialised. */
static void fill_init(With *w, Function *f)
{
    for (int i = 0; i < f->nresult; i++) {
        Port *p = &f->result[i];
        Node **value = NEWN(w->arena, Node *, p->nleaf + 1);
        bool meant = !w->name || !strcmp(w->name, p->name);
        int found = meant ? port_values(w, p, value) : 0;
        const Leaf *leaf = type_leaves(w->module->graph, p->type, NULL);
        for (int k = 0; found && k < p->nleaf; k++) {
            if (!value[k] && !w->unlike.n)
                printf("%s is not in %s: init makes it\n",
                       leaf_name(w->arena, p->name, leaf[k].path), w->path);
            value[k] = value[k] ? value[k] : p->leaf[k];
        }
        if (found)
            p->leaf = value;
        w->taken += found > 0;
    }
}

static bool fill_functions(With *w)
{
    const Module *m = w->module;

    for (int i = 0; i < m->function.n; i++)
        if (!fill_function(w, m->function.at[i]))
            return false;
    if (m->init)
        fill_init(w, m->init);
    if (w->unlike.n)
        cli_fail("%s: another model's: %s", w->path, w->unlike.at);
    else if (!w->taken)
        cli_fail("%s: nothing in it is of this model: its arrays are called %s "
                 "and the like, not %s",
                 w->path,
                 nncc_store_count(w->store) ? nncc_store_name(w->store, 0)
                                            : "nothing",
                 w->want ? w->want : "as parameters are");
    return !w->unlike.n && w->taken;
}

/* What was fitted to the data */

/* Of the data that f takes the tensor that gets the features: as in training
 * (bind.c), the real one, or the one of higher rank, or the first. */
static const Port *features_of(const Function *f)
{
    const Port *best = NULL;

    for (int i = 0; i < f->nparam; i++) {
        const Port *p = &f->param[i];
        if (!function_takes_data(f, i))
            continue;
        bool real = dtype_is_real(p->leaf[0]->dtype);
        bool was = best && dtype_is_real(best->leaf[0]->dtype);
        if (!best || (real && !was) ||
            (real == was && p->leaf[0]->rank > best->leaf[0]->rank))
            best = p;
    }
    return best;
}

static bool is_called(const Port *p, const char *name)
{
    return p && !strcmp(p->name, name);
}

/* Does the parameter of that name get the features: of a `train` item, or where
 * there is none of the first function that has data. */
static bool gets_features(const Module *m, const char *name)
{
    const Port *p = NULL;

    for (int i = 0; i < m->training.n; i++)
        if (is_called(features_of(m->training.at[i].step), name))
            return true;
    for (int i = 0; !p && !m->training.n && i < m->function.n; i++)
        p = features_of(m->function.at[i]);
    return is_called(p, name);
}

/* What a parameter's rows are made of: features, by number. */
typedef struct Raw {
    const nncc_data *fit;
    const int64_t *column;
    int64_t n;
} Raw;

/* Of the parameter of that name. n is 0 where it gets none. */
static Raw raw_of(With *w, const nncc_data *fit, const char *name)
{
    Raw r = {.fit = fit};

    for (int64_t k = 0; k < fit->nfield; k++)
        if (fit->field[k].column && !strcmp(fit->field[k].name, name)) {
            r.column = fit->field[k].column;
            r.n = fit->field[k].width;
            return r;
        }
    if (fit->chosen || !gets_features(w->module, name))
        return r;
    int64_t *all = NEWN(w->arena, int64_t, fit->nfeature + 1);
    for (int64_t i = 0; i < fit->nfeature; i++)
        all[i] = i;
    r.column = all;
    r.n = fit->nfeature;
    return r;
}

/* The numbers as x's last axes: all of them, or all but that of the rows. NULL
 * where they are not so many. */
static Node *as_row(With *w, const Node *x, const Raw *r, const double *from)
{
    Graph *g = w->module->graph;
    int first = x->rank;
    int64_t size = 1, k;
    const Dim *length = dim_const(g, r->n);
    double *v = NEWN(w->arena, double, r->n + 1);

    for (int64_t i = 0; i < r->n; i++)
        v[i] = from[r->column[i]];
    for (; first > 0 && size < r->n; first--) {
        if (!dim_const_value(x->dim[first - 1], &k) || k < 1)
            break;
        size *= k;
    }
    while (first > 1 && dim_const_value(x->dim[first - 1], &k) && k == 1)
        first--;
    if (size != r->n || first > 1)
        return NULL;
    Node *row = g_data(g, x->dtype, 1, &length, v);
    row = g_reshape(g, row, x->rank - first, x->dim + first);
    return g_broadcast_to(g, row, x->rank, x->dim);
}

/* (x * scale - mean) * factor; NULL where x's rows are others. */
static Node *fitted(With *w, const Raw *r, Node *x)
{
    Graph *g = w->module->graph;
    double scale = r->fit->mean ? r->fit->fit_scale : r->fit->scale;

    if (scale != 1)
        x = g2(g, OP_mul, x, g_fill(g, x, scale));
    if (!r->fit->mean)
        return x;
    Node *mean = as_row(w, x, r, r->fit->mean);
    Node *factor = as_row(w, x, r, r->fit->factor);
    return mean && factor ? g2(g, OP_mul, g2(g, OP_sub, x, mean), factor)
                          : NULL;
}

static bool no_such_rows(With *w, const Raw *r, const Function *f,
                         const Port *p)
{
    const Node *x = p->leaf[0];

    cli_fail("%s: the model was trained on rows of %lld numbers; '%s' takes "
             "'%s' %s (--dim fixes a dimension)",
             w->path, (long long)r->n, f->name, p->name,
             dims_text(w->arena, x->rank, x->dim));
    return false;
}

static bool take_raw(With *w, const Raw *r, Function *f, Port *p)
{
    const Node *x = p->leaf[0];

    if (differentiated_by(f, p->name)) {
        cli_fail("%s: '%s' is differentiated by '%s', which the model was "
                 "trained on scaled or standardised: export it in a program "
                 "of its own",
                 w->path, f->name, p->name);
        return false;
    }
    Node *raw = g_param(w->module->graph, x->dtype, x->rank, x->dim, p->name);
    Node *to = fitted(w, r, raw);
    if (!to)
        return no_such_rows(w, r, f, p);
    Nodes from = {0}, by = {0};
    list_push(w->arena, &from, p->leaf[0]);
    list_push(w->arena, &by, to);
    p->leaf = NEWN(w->arena, Node *, 1);
    p->leaf[0] = raw;
    replace(w, f, &from, &by);
    return true;
}

/* "x, z" */
static const char *add_name(Arena *a, const char *to, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = to; at && (at = strstr(at, name)) != NULL; at += n)
        if ((at == to || at[-1] == ' ') && (at[n] == ',' || at[n] == 0))
            return to;
    return to ? arena_printf(a, "%s, %s", to, name) : name;
}

static bool take_raw_everywhere(With *w, const nncc_data *fit, ModuleFit *to)
{
    const Module *m = w->module;

    if (fit->nfeature == 0 || fit->text || (!fit->mean && fit->scale == 1))
        return true;
    for (int i = 0; i < m->function.n; i++) {
        Function *f = m->function.at[i];
        for (int k = 0; k < f->nparam; k++) {
            Port *p = &f->param[k];
            const Raw r = raw_of(w, fit, p->name);
            if (r.n == 0 || !function_takes_data(f, k) ||
                !dtype_is_real(p->leaf[0]->dtype))
                continue;
            if (!take_raw(w, &r, f, p))
                return false;
            to->raw = add_name(w->arena, to->raw, p->name);
        }
    }
    return true;
}

static const char **names(Arena *a, char *const *name, int64_t n)
{
    const char **to = name && n ? NEWN(a, const char *, n) : NULL;

    for (int64_t i = 0; to && i < n; i++)
        to[i] = arena_printf(a, "%s", name[i]);
    return to;
}

static bool fit_module(With *w)
{
    Arena *a = w->arena;
    nncc_data *fit = NULL;

    if (nncc_fit_read(w->store, &fit) != NN_OK) {
        cli_fail("%s: %s", w->path, nncc_last_error());
        return false;
    }
    if (!fit || w->module->fit) { /* that of the first file holds */
        nncc_data_free(fit);
        return true;
    }
    ModuleFit *to = NEW(a, ModuleFit);
    to->nclass = fit->nclass;
    to->class_name = names(a, fit->class_name, fit->nclass);
    to->nfeature = fit->nfeature;
    to->feature_name = names(a, fit->feature_name, fit->nfeature);
    to->label_name =
        fit->label_name ? arena_printf(a, "%s", fit->label_name) : NULL;
    w->module->fit = to;
    bool good = take_raw_everywhere(w, fit, to);
    nncc_data_free(fit);
    return good;
}

static bool apply(const Args *a, Load *l, const char *value)
{
    With w = {.arena = a->arena, .module = l->module};

    w.unlike = str_new(a->arena);
    w.name = trained_name(a, value, &w.path);
    if (nncc_store_read(w.path, &w.store) != NN_OK)
        return cli_failed();
    bool good = fill_functions(&w) && fit_module(&w);
    nncc_store_free(w.store);
    return good;
}

bool with_apply(const Args *a, Load *l)
{
    const char *value;

    for (int i = 0; (value = option_next(a, "with", &i));)
        if (!apply(a, l, value))
            return false;
    return true;
}
