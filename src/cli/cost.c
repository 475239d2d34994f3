/* cost.c: nncc cost: operations and memory of what is exported, as formulas in
 * the dimensions. */

#include "show/cost.h"
#include "cli/cli.h"
#include "simplify/simplify.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Costs {
    const char *name, *of; /* of: the function differentiated, or NULL */
    Cost cost;
    const Dim *bytes, *workspace;
    double ratio; /* of operations to those of the function */
} Costs;

static Cost count(const Load *l, Function *f)
{
    Nodes r = functions_roots(l->arena, &f, 1);

    return cost_count(l->module->graph, r.n, r.at);
}

static double typical(const Load *l, const Cost *c, const Function *f)
{
    int64_t *val = NEWN(l->arena, int64_t, f->nvar + 1);

    for (int i = 0; i < f->nvar; i++)
        val[i] = TYPICAL_SIZE;
    return cost_total(c, f->nvar, f->var, val);
}

/* How many times what its function takes a derivative takes. */
static double ratio(const Load *l, const Costs *c, Function *f)
{
    Cost of = count(l, f->primal);
    double own = typical(l, &of, f->primal);

    return own > 0 ? typical(l, &c->cost, f) / own : NAN;
}

static Costs costs_of(const Load *l, const char *name, Function *f,
                      const Schedule *s)
{
    Graph *g = l->module->graph;
    Costs c = {.name = name,
               .cost = count(l, f),
               .bytes = schedule_bytes(g, s),
               .workspace = s->workspace,
               .ratio = NAN};

    if (f->deriv != DERIV_none) {
        c.of = f->primal->name;
        c.ratio = ratio(l, &c, f);
    }
    return c;
}

static bool too_large(const Costs *c)
{
    bool large = dim_too_large(c->bytes) || dim_too_large(c->workspace);

    for (int k = 0; k < NCOSTS; k++)
        large |= dim_too_large(c->cost.of[k]);
    return large;
}

/* Writing */

static void print_line(Graph *g, const char *what, const Dim *d)
{
    printf("  %-16s %s\n", what, dim_text(g, d));
}

static void print_costs(Graph *g, const Costs *c)
{
    printf("%s\n", c->name);
    for (int k = 0; k < NCOSTS; k++)
        if (!dim_is(c->cost.of[k], 0))
            print_line(g, cost_names[k], c->cost.of[k]);
    print_line(g, "bytes moved", c->bytes);
    print_line(g, "workspace", c->workspace);
    if (c->of && isfinite(c->ratio))
        printf("  %-16s %.2f\n",
               arena_printf(graph_arena(g), "times %s", c->of), c->ratio);
}

/* A number, or a formula as a string. */
static void put_dim(Graph *g, const char *what, const Dim *d, Str *to)
{
    int64_t v;

    if (dim_const_value(d, &v))
        str_printf(to, ", \"%s\": %lld", what, (long long)v);
    else
        str_printf(to, ", \"%s\": \"%s\"", what, dim_text(g, d));
}

static void put_json(Graph *g, const Costs *c, Str *to)
{
    str_printf(to, "{\"name\": ");
    str_json(to, c->name); /* "fn(x) = einsum(\"i,i->\", x, x)" */
    for (int k = 0; k < NCOSTS; k++)
        put_dim(g, cost_names[k], c->cost.of[k], to);
    put_dim(g, "bytes_moved", c->bytes, to);
    put_dim(g, "workspace", c->workspace, to);
    if (c->of && isfinite(c->ratio)) {
        str_printf(to, ", \"of\": ");
        str_json(to, c->of);
        str_printf(to, ", \"ratio\": %.4g", c->ratio);
    }
    str_printf(to, "}");
}

static void print_all(const Load *l, const Costs *c, int n, bool json)
{
    Graph *g = l->module->graph;
    Str text = str_new(l->arena);

    for (int i = 0; i < n && !json; i++)
        print_costs(g, &c[i]);
    if (!json)
        return;
    for (int i = 0; i < n; i++) {
        str_printf(&text, i ? ",\n " : "[");
        put_json(g, &c[i], &text);
    }
    printf("%s]\n", text.at);
}

static int cost(Args *a)
{
    Load l = {.named = a->word.n > 1};
    int status = driver_load(a, a->word.at[0], DT_f32, &l), n, all;

    if (status)
        return status;
    Function **f = driver_functions(&l, a->word.at + 1, a->word.n - 1, &n);
    if (!f)
        return EXIT_FAILURE;
    LIST(Function *) with = {0};
    for (int i = 0; i < n; i++)
        list_push(a->arena, &with, f[i]);
    for (int i = 0; i < n; i++)
        if (f[i]->deriv != DERIV_none)
            list_push(a->arena, &with, f[i]->primal);
    all = with.n;
    Schedule **s = driver_schedule(&l, with.at, all);
    if (!s)
        return EXIT_FAILURE;
    Costs *c = NEWN(a->arena, Costs, n + 1);
    for (int i = 0; i < n; i++)
        c[i] = costs_of(&l, a->word.n > 1 ? a->word.at[1 + i] : f[i]->name,
                        f[i], s[i]);
    for (int i = 0; i < n; i++)
        if (too_large(&c[i]))
            return cli_fail("%s: what is counted is too large for 64 bits",
                            l.path);
    print_all(&l, c, n, option_value(a, "json"));
    return EXIT_SUCCESS;
}

static const Option options[] = {
    {"json", 0, NULL, "as JSON"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_cost = {
    .name = "cost",
    .usage = "cost MODEL.nn [FUNCTION ...] [options]",
    .about = "What exported functions, or those named, take: operations by "
             "kind, bytes moved\nand workspace, as formulas in the dimensions "
             "(numbers where --dim gives them),\nand how many times the "
             "operations of its function a derivative has.",
    .option = options,
    .run = cost,
};
