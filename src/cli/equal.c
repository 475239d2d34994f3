/* equal.c: nncc equal: are two functions the same expression; where they part,
 * and how far their values are apart. */

#include "cli/call.h"
#include "eval/eval.h"
#include "graph/op.h"
#include "show/show.h"
#include "simplify/simplify.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS = 8, TRIES = 40, MOST_ELEMENTS = 1 << 16 /* of a value */ };

/* Reals that differ by less are told apart by rounding alone. */
static const double rounding = 1e-9;

typedef struct Equal {
    Load load;
    const char *text[2];
    Function *f[2];
    Nodes root[2];
    nncc_rng rng;
    bool too_large; /* a point that was tried last */
} Equal;

/* Random points */

/* What dimensions are at a point: each variable of either function. */
typedef struct Point {
    const Dim **var;
    int64_t *size;
    int nvar;
    EvalInput *in;
    int nin;
} Point;

static bool known(const Point *p, const Dim *var)
{
    for (int i = 0; i < p->nvar; i++)
        if (p->var[i] == var)
            return true;
    return false;
}

static void draw_sizes(Equal *e, Arena *a, Point *p, int most)
{
    int n = e->f[0]->nvar + e->f[1]->nvar;

    p->var = NEWN(a, const Dim *, n + 1);
    p->size = NEWN(a, int64_t, n + 1);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < e->f[k]->nvar; i++) {
            if (known(p, e->f[k]->var[i]))
                continue;
            p->var[p->nvar] = e->f[k]->var[i];
            p->size[p->nvar++] = 2 + (int64_t)(draw_uniform(&e->rng) * most);
        }
}

/* How many elements x has there; -1: it has no size, or is too large. */
static int64_t elements(Equal *e, const Point *p, const Node *x)
{
    int64_t n = 1, size;

    for (int i = 0; i < x->rank; i++) {
        if (!dim_eval(x->dim[i], p->nvar, p->var, p->size, &size) || size < 0)
            return -1;
        n = size > MOST_ELEMENTS ? size : n * size;
        e->too_large = e->too_large || n > MOST_ELEMENTS;
        if (n > MOST_ELEMENTS)
            return -1;
    }
    return n;
}

/* plain: as arguments are; else from further around. */
static double draw_value(Equal *e, DType t, bool plain)
{
    if (plain || t == DT_key || t == DT_bool)
        return draw_argument(&e->rng, t);
    if (dtype_is_real(t))
        return -3 + 6 * draw_uniform(&e->rng);
    return floor(-2 + 6 * draw_uniform(&e->rng));
}

/* The function that has all the parameters. */
static const Function *widest(const Equal *e)
{
    return e->f[e->f[1]->nparam > e->f[0]->nparam];
}

/* Values for the parameters. */
static bool draw_inputs(Equal *e, Arena *a, Point *p, bool plain)
{
    Nodes x = function_inputs(a, widest(e));

    p->in = NEWN(a, EvalInput, x.n + 1);
    p->nin = x.n;
    for (int i = 0; i < x.n; i++) {
        int64_t n = elements(e, p, x.at[i]);
        if (n < 0)
            return false;
        double *v = NEWN(a, double, n + 1);
        for (int64_t k = 0; k < n; k++)
            v[k] = draw_value(e, x.at[i]->dtype, plain);
        p->in[i] = (EvalInput){x.at[i], v};
    }
    return true;
}

static double apart(double x, double y)
{
    if (x == y || (isnan(x) && isnan(y)))
        return 0;
    if (!isfinite(x) || !isfinite(y))
        return INFINITY;
    return fabs(x - y) / fmax(1, fmax(fabs(x), fabs(y)));
}

/* How far the results are apart at p; false: nothing is a number in either, or
 * it is too much. */
static bool compare(Equal *e, const Point *p, double **const *out,
                    double *worst)
{
    bool any = false;

    for (int i = 0; i < e->root[0].n; i++) {
        int64_t n = elements(e, p, e->root[0].at[i]);
        if (n < 0)
            return false;
        any = any || n == 0;
        for (int64_t j = 0; j < n; j++) {
            double x = out[0][i][j], y = out[1][i][j];
            any = any || !isnan(x) || !isnan(y);
            *worst = fmax(*worst, apart(x, y));
        }
    }
    return any;
}

/* The values of both at a random point; false: there are none. */
static bool compare_at_point(Equal *e, int number, double *worst)
{
    Arena *a = arena_new();
    const Graph *g = e->load.module->graph;
    Point p = {0};
    double **out[2];
    bool good;

    e->too_large = false;
    draw_sizes(e, a, &p, 2 + number / 2);
    good = draw_inputs(e, a, &p, number % 2 == 0);
    for (int k = 0; k < 2 && good; k++) {
        out[k] = NEWN(a, double *, e->root[k].n + 1);
        good = eval_nodes(a, g, e->root[k].n, e->root[k].at, p.nin, p.in,
                          p.nvar, p.var, p.size, out[k]) == EVAL_OK;
    }
    good = good && compare(e, &p, out, worst);
    arena_free(a);
    return good;
}

/* By how much values differ at most; -1: no point was found. */
static double difference(Equal *e, int *points)
{
    double worst = 0;

    *points = 0;
    for (int k = 0; k < TRIES && *points < POINTS; k++)
        *points += compare_at_point(e, k, &worst);
    return *points ? worst : -1;
}

/* Where they part */

static bool same_kind(const Node *x, const Node *y)
{
    return x->op == y->op && x->narg == y->narg && same_type(x, y) &&
           op_table[x->op]->cls != OPC_leaf && !x->attr.region;
}

/* Where no formula is asked for: an input, an index. */
static bool is_leaf(const Node *n)
{
    return op_table[n->op]->cls == OPC_leaf || !dtype_is_real(n->dtype);
}

/* Down to the nodes that differ in more than one argument, or in themselves. */
static void part(const Node **x, const Node **y)
{
    for (;;) {
        int differ = -1, n = 0;
        if (!same_kind(*x, *y))
            return;
        for (int i = 0; i < (*x)->narg; i++)
            if ((*x)->arg[i] != (*y)->arg[i]) {
                differ = i;
                n++;
            }
        if (n != 1 || is_leaf((*x)->arg[differ]) || is_leaf((*y)->arg[differ]))
            return;
        *x = (*x)->arg[differ];
        *y = (*y)->arg[differ];
    }
}

static Node *node_at(const Equal *e, const Node *n)
{
    return graph_node(e->load.module->graph, n->id);
}

/* Both formulas, with what they share defined once. */
static void print_parts(Equal *e, const Node *x, const Node *y)
{
    Arena *a = e->load.arena;
    ShowOptions o = {.self = {e->text[0], e->text[1]}, .most = 40};
    Nodes in = function_inputs(a, widest(e));
    Str text = str_new(a);
    Shows *s = show_new(a, e->load.module->graph, &o, in.n, in.at);
    ShowResult r[2];
    for (int k = 0; k < 2; k++)
        r[k] = (ShowResult){form_name(s->maker, e->text[k], 0), NULL,
                            node_at(e, k ? y : x)};
    show_results(s, 2, r);
    equations_write(&notation_text, &s->all, &text);
    printf("they part at\n%s", text.at);
}

static void print_difference(const Equal *e, double by, int points)
{
    if (by < 0 && e->too_large)
        printf("their values were not compared: they have more than %d "
               "elements\n",
               MOST_ELEMENTS);
    else if (by < 0)
        printf("no point was found at which both have values\n");
    else if (by == 0)
        printf("their values are the same at %d random points\n", points);
    else if (by <= rounding)
        printf("their values are the same at %d random points, but for "
               "rounding: %.1e\n",
               points, by);
    else if (isinf(by))
        printf("at some of %d random points one of them is finite and the "
               "other is not\n",
               points);
    else
        printf("their values differ by up to %.1e at %d random points\n", by,
               points);
}

/* Are they the same once removable singularities are removed: x log(x) and what
 * is 0 at 0. */
static bool same_formulas(const Equal *e)
{
    int n = e->root[0].n;
    Node **all = NEWN(e->load.arena, Node *, 2 * n + 1);
    bool same = true;

    for (int i = 0; i < 2 * n; i++)
        all[i] = e->root[i / n].at[i % n];
    simplify_formulas(e->load.module->graph, 2 * n, all);
    for (int i = 0; i < n; i++)
        same = same && all[i] == all[n + i];
    return same;
}

static int report(Equal *e)
{
    const Node *x = NULL, *y = NULL;
    int points, apart_results = 0;

    for (int i = 0; i < e->root[0].n; i++)
        if (e->root[0].at[i] != e->root[1].at[i]) {
            x = x ? x : e->root[0].at[i];
            y = y ? y : e->root[1].at[i];
            apart_results++;
        }
    if (!apart_results) {
        printf("%s and %s are the same expression\n", e->text[0], e->text[1]);
        return EXIT_SUCCESS;
    }
    double by = difference(e, &points);
    if (same_formulas(e)) {
        printf("%s and %s are the same formula, but for points where one has "
               "no value\n",
               e->text[0], e->text[1]);
    } else {
        printf("%s and %s are different expressions\n", e->text[0], e->text[1]);
        part(&x, &y);
        print_parts(e, x, y);
    }
    print_difference(e, by, points);
    return by >= 0 && by <= rounding ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Results of the same shapes, or a message. */
static bool comparable(const Equal *e)
{
    const Graph *g = e->load.module->graph;
    bool same = e->root[0].n == e->root[1].n;

    for (int i = 0; same && i < e->root[0].n; i++)
        same = same_type(e->root[0].at[i], e->root[1].at[i]);
    if (same)
        return true;
    Str text[2];
    for (int k = 0; k < 2; k++) {
        text[k] = str_new(e->load.arena);
        for (int i = 0; i < e->f[k]->nresult; i++) {
            str_printf(&text[k], i ? ", " : "");
            type_describe(e->f[k]->result[i].type, graph_real(g), &text[k]);
        }
    }
    cli_fail("%s gives %s, %s gives %s", e->text[0], text[0].at, e->text[1],
             text[1].at);
    return false;
}

static int equal(Args *a)
{
    Equal e = {.load = {.labels = true, .named = true}};
    int64_t seed = 1;

    if (a->word.n != 3)
        return cli_usage(a, "which two functions of %s?", a->word.at[0]);
    if (!option_int(a, "seed", 0, &seed))
        return EXIT_USAGE;
    nncc_rng_seed(&e.rng, (uint64_t)seed);
    int status = driver_load(a, a->word.at[0], DT_f64, &e.load);
    if (status)
        return status;
    for (int k = 0; k < 2; k++)
        e.text[k] = a->word.at[1 + k];
    const char *denoted[] = {driver_expression(&e.load, e.text[0]),
                             driver_expression(&e.load, e.text[1])};
    if (!program_alike(e.load.program, 2, denoted, e.f) ||
        !program_dims_used(e.load.program)) {
        driver_diags(&e.load);
        return EXIT_FAILURE;
    }
    simplify_functions(e.load.module->graph, e.f, 2);
    for (int k = 0; k < 2; k++)
        e.root[k] = functions_roots(e.load.arena, &e.f[k], 1);
    return comparable(&e) ? report(&e) : EXIT_FAILURE;
}

static const Option options[] = {
    {"seed", 0, "N", "of the points drawn (1)"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_equal = {
    .name = "equal",
    .usage = "equal MODEL.nn FUNCTION FUNCTION [options]",
    .about = "Are two functions, or what expressions like 'grad(f, x)' denote, "
             "the same\nexpression; if not, where do they part, and how far "
             "are their values apart at\nrandom points. Fails where they are.",
    .option = options,
    .run = equal,
};
