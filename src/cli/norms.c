/* norms.c: a function of the step's arguments that gives norms, beside the one
 * that trains, which it leaves alone. */

#include "cli/norms.h"
#include "cli/call.h"
#include "diff/diff.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 64 }; /* of the loss, that are looked at */

static char *add(Norms *n, const NormPart *p, const char *kind,
                 const char *name)
{
    Arena *a = n->load.arena;
    char *text = arena_printf(a, "%s.%s%s", kind, p->prefix, name);
    int k = 2;

    for (int i = 0; i < n->norm.n; i++)
        if (!strcmp(n->norm.at[i].name, text)) {
            text = arena_printf(a, "%s.%s%s_%d", kind, p->prefix, name, k++);
            i = -1;
        }
    list_push(a, &n->norm, ((Norm){text, NAN, NAN}));
    return text;
}

/* The function */

static void add_result(Norms *n, Function *f, const char *name, Node *value)
{
    Arena *a = n->load.arena;
    Node **leaf = NEW(a, Node *);

    *leaf = value;
    f->result[f->nresult++] = (Port){.name = name,
                                     .type = type_scalar(a, value->dtype),
                                     .leaf = leaf,
                                     .nleaf = 1,
                                     .in_place = -1};
}

static Node *sum_of_squares(Graph *g, Node *x)
{
    return g_reduce_all(g, OP_sum, g2(g, OP_mul, x, x));
}

/* "linear(net.hidden)" or the name that a `let` gave. */
static const char *name_of(const Norms *n, const Node *x)
{
    const Graph *g = n->load.module->graph;
    const NodeLabel *let = graph_let_label(g, x);
    const NodeLabel *call = graph_call_label(g, x);
    Str s = str_new(n->load.arena);

    if (let)
        return let->name;
    if (!call || !call->call)
        return NULL;
    str_printf(&s, "%s", call->name);
    for (int i = call->narg; i-- > 0;)
        if (call->arg[i].text) {
            str_printf(&s, "(%s)", call->arg[i].text);
            break;
        }
    return s.at;
}

/* Which nodes of `all`, which are in order, depend on the parameter. */
static bool *moving(const Norms *n, const Nodes *all, const Port *by)
{
    Graph *g = n->load.module->graph;
    bool *moves = NEWN(n->load.arena, bool, graph_count(g) + 1);

    for (int i = 0; i < by->nleaf; i++)
        moves[by->leaf[i]->id] = true;
    for (int i = 0; i < all->n; i++)
        for (int k = 0; k < all->at[i]->narg; k++)
            moves[all->at[i]->id] |= moves[all->at[i]->arg[k]->id];
    return moves;
}

/* What the loss is made of, if it has a name. */
static void add_values(Norms *n, const NormPart *p, Function *f, Node *loss,
                       const Port *by)
{
    Graph *g = n->load.module->graph;
    Nodes all = nodes_below(g, n->load.arena, 1, &loss);
    const bool *moves = moving(n, &all, by);

    for (int i = 0; i < all.n && f->nresult < MOST_VALUES; i++) {
        Node *x = all.at[i];
        const char *name = name_of(n, x);
        if (!name || !moves[x->id] || !dtype_is_real(x->dtype) || x->rank == 0)
            continue;
        Node *count = g_reduce_all(g, OP_sum, g_fill(g, x, 1));
        Node *mean = g2(g, OP_div, sum_of_squares(g, x), count);
        add_result(n, f, add(n, p, "activation", name), g1(g, OP_sqrt, mean));
    }
}

static const char *leaf_path(const Norms *n, const Port *p, int leaf)
{
    const char *path =
        type_leaves(n->load.module->graph, p->type, NULL)[leaf].path;

    return leaf_name(n->load.arena, p->name, path);
}

static void add_gradients(Norms *n, const NormPart *p, Function *f, Node *loss,
                          const Port *by)
{
    Graph *g = n->load.module->graph;
    Node **d = NEWN(n->load.arena, Node *, by->nleaf + 1);
    Node *one = g_fill(g, loss, 1);

    diff_reverse(g, 1, &loss, &one, by->nleaf, by->leaf, d);
    for (int i = 0; i < by->nleaf; i++)
        add_result(n, f, add(n, p, "gradient", leaf_path(n, by, i)),
                   g1(g, OP_sqrt, sum_of_squares(g, d[i])));
}

/* The parameter that step trains: the first that it overwrites. */
static const Port *trained_port(const Function *step)
{
    for (int i = 0; i < step->nresult; i++)
        if (step->result[i].in_place >= 0)
            return &step->param[step->result[i].in_place];
    die("a step that trains nothing");
}

static void add_part(Norms *n, const Training *item, bool alone)
{
    Arena *a = n->load.arena;
    const Port *by = trained_port(item->step);
    Node *loss = item->step->result[0].leaf[0];
    Function *f = arena_copy(a, item->step, sizeof *f);
    NormPart p = {.function = f,
                  .trained = by->name,
                  .prefix = alone ? "" : arena_printf(a, "%s.", item->name),
                  .first = n->norm.n};

    f->name = arena_printf(a, "norms%d", n->part.n);
    f->kind = FN_plain;
    f->nresult = 0;
    f->result = NEWN(a, Port, MOST_VALUES + by->nleaf);
    add_values(n, &p, f, loss, by);
    add_gradients(n, &p, f, loss, by);
    p.computed = f->nresult;
    for (int i = 0; i < by->nleaf; i++)
        add(n, &p, "norm", leaf_path(n, by, i));
    for (int i = 0; i < by->nleaf; i++)
        add(n, &p, "update", leaf_path(n, by, i));
    list_push(a, &n->part, p);
}

static bool compile(Norms *n)
{
    const Module *m = n->load.module;

    graph_written(m->graph, false);
    Function **f = NEWN(n->load.arena, Function *, m->training.n + 1);

    for (int i = 0; i < m->training.n; i++) {
        add_part(n, &m->training.at[i], m->training.n == 1);
        f[i] = n->part.at[i].function;
    }
    n->jit = driver_jit(&n->load, f, m->training.n);
    if (!n->jit)
        return false;
    if (nncc_wrap(jit_module(n->jit), &n->model) == NN_OK)
        return true;
    return cli_failed();
}

bool norms_begin(const Args *a, nncc_model *trained, Norms *n)
{
    Args own = *a;

    *n = (Norms){.load = {.labels = true, .written = true}, .trained = trained};
    if (driver_load(&own, a->word.at[0], DT_f32, &n->load))
        return false;
    if (compile(n))
        return true;
    norms_end(n);
    return false;
}

void norms_end(Norms *n)
{
    nncc_close(n->model);
    if (n->jit)
        jit_close(n->jit);
    n->model = NULL;
    n->jit = NULL;
}

/* Values */

static void call_on(Norms *n, int part, const nncc_store *step)
{
    const nn_function *f = jit_module(n->jit)->function[part];
    Norm *to = &n->norm.at[n->part.at[part].first];
    int nparam = nncc_param_leaves(f);
    nncc_tensor **leaf = calloc((size_t)(nparam + f->nresult), sizeof *leaf);
    int64_t *dims = calloc((size_t)f->ndim + 1, sizeof *dims);
    char name[256];
    bool good = leaf && dims;

    for (int k = 0; k < f->ndim && good; k++) {
        snprintf(name, sizeof name, "dim.%s", f->dim[k]);
        const char *text = nncc_store_text(step, name);
        dims[k] = text ? strtoll(text, NULL, 10) : -1;
    }
    for (int i = 0, l = 0; i < f->nparam && good; i++)
        for (int k = 0; k < f->param[i]->nleaf && good; k++, l++) {
            const char *path = f->param[i]->leaf[k]->path;
            snprintf(name, sizeof name, "%s%s%s", f->param[i]->name,
                     *path ? "." : "", path);
            const nncc_tensor *t = nncc_store_find(step, name);
            good = t != NULL;
            if (good)
                memcpy(&leaf[l], &t, sizeof t); /* is only read */
        }
    good = good && nncc_call(n->model, f, leaf, dims, NULL) == NN_OK;
    for (int i = 0; i < f->nresult; i++) {
        to[i].value = good ? tensor_get(leaf[nparam + i], 0) : NAN;
        if (leaf)
            nncc_tensor_free(leaf[nparam + i]);
    }
    free(leaf);
    free(dims);
}

/* What part p trains; how many numbers, or 0. */
static int64_t trained_leaves(const Norms *n, const NormPart *p, int *nleaf,
                              const nncc_tensor **leaf)
{
    const nn_port *port;
    int64_t all = 0;

    if (nncc_state(n->trained, p->trained, &port, NULL, leaf) != NN_OK)
        return 0;
    *nleaf = port->nleaf;
    for (int i = 0; i < port->nleaf; i++)
        all += tensor_elements(&(*leaf)[i]);
    return all;
}

/* Of what is trained, and of how it differs from before. */
static void trained_norms(Norms *n, const NormPart *p)
{
    const nncc_tensor *leaf;
    int nleaf = 0;
    int64_t at = 0;

    if (!trained_leaves(n, p, &nleaf, &leaf))
        return;
    for (int i = 0; i < nleaf; i++) {
        double sum = 0, moved = 0;
        for (int64_t k = 0; k < tensor_elements(&leaf[i]); k++, at++) {
            double v = tensor_get(&leaf[i], k);
            sum += v * v;
            if (n->has_before)
                moved += (v - p->before[at]) * (v - p->before[at]);
        }
        Norm *norm = &n->norm.at[p->first + p->computed + i];
        norm->value = sqrt(sum);
        norm[nleaf].value = n->has_before ? sqrt(moved) : NAN;
    }
}

static void remember(Norms *n, NormPart *p)
{
    const nncc_tensor *leaf;
    int nleaf = 0;
    int64_t all = trained_leaves(n, p, &nleaf, &leaf), at = 0;

    if (!p->before)
        p->before = NEWN(n->load.arena, double, all + 1);
    for (int i = 0; i < nleaf && all; i++)
        for (int64_t k = 0; k < tensor_elements(&leaf[i]); k++)
            p->before[at++] = tensor_get(&leaf[i], k);
}

static void measure(Norms *n)
{
    for (int i = 0; i < n->part.n; i++) {
        nncc_store *step;
        if (nncc_last_step(n->trained, i, &step) != NN_OK)
            continue;
        call_on(n, i, step);
        nncc_store_free(step);
        trained_norms(n, &n->part.at[i]);
    }
    for (int i = 0; i < n->norm.n && !n->has_first; i++)
        n->norm.at[i].first = n->norm.at[i].value;
    n->has_first = true;
}

void norms_tell(Norms *n, const nncc_progress *now)
{
    int64_t each = now->epochs ? now->steps / now->epochs : 1;

    if (now->event == NNCC_EVENT_EPOCH)
        measure(n);
    /* Before the last step of an epoch. */
    if (now->event == NNCC_EVENT_EPOCH
            ? each != 1
            : each == 1 || now->step % each != each - 1)
        return;
    for (int i = 0; i < n->part.n; i++)
        remember(n, &n->part.at[i]);
    n->has_before = true;
}

static void print_number(double v)
{
    if (isnan(v))
        printf("%12s", "");
    else
        printf("%12.4g", v);
}

void norms_print(const Norms *n)
{
    size_t widest = 0;

    for (int i = 0; i < n->norm.n; i++)
        if (strlen(n->norm.at[i].name) > widest)
            widest = strlen(n->norm.at[i].name);
    printf("%-*s%12s%12s\n", (int)widest, "norms", "first epoch", "last");
    for (int i = 0; i < n->norm.n; i++) {
        printf("%-*s", (int)widest, n->norm.at[i].name);
        print_number(n->norm.at[i].first);
        print_number(n->norm.at[i].value);
        printf("\n");
    }
}
