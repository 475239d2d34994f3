/* check.c: nncc check: every exported derivative against central differences,
 * every exported function against the reference evaluator, in float64.
 *
 * For a derivative of f at θ and a random unit direction δ, δᵀ∇f is held
 * against (f(θ + εδ) − f(θ − εδ)) / 2ε. A function of several values is first
 * made one by weights w: vjp's adjoint is w itself, jvp's tangent is weighted
 * by it. */

#include "cli/cli.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = 1e-6;
enum {
    DIRECTIONS = 4,
    MAX_ELEMENTS = 1 << 24, /* of a function's arguments and results */
};

/* How arguments are drawn, tried until the function is finite there. */
typedef enum Draw {
    DRAW_normal,
    DRAW_positive, /* 0.1 … 1.1 */
    DRAW_small,    /* 0.1 · normal */
    DRAW_large,    /* 1 … 11 */
    NDRAWS
} Draw;

/* A compiled function with arguments of its own. */
typedef struct Instance {
    const nn_function *f;
    int nparam, nleaf; /* leaves */
    nncc_tensor **leaf;
    int64_t *dims;
} Instance;

typedef struct Check {
    const Args *args;
    Load *load;
    nncc_model *model;
    nncc_rng rng;
    int done, failed;
    bool too_large; /* the function that is checked */
} Check;

/* Random numbers */

/* Uniform in (0, 1). */
static double uniform(Check *c)
{
    return ((double)(nncc_rng_next(&c->rng) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller's. */
static double normal(Check *c)
{
    double r = sqrt(-2 * log(uniform(c)));

    return r * cos(6.283185307179586 * uniform(c));
}

static double draw(Check *c, Draw how)
{
    switch (how) {
    case DRAW_normal:
        return normal(c);
    case DRAW_positive:
        return 0.1 + uniform(c);
    case DRAW_small:
        return 0.1 * normal(c);
    case DRAW_large:
        return 1 + 10 * uniform(c);
    case NDRAWS:
        break;
    }
    return 0;
}

/* Instances */

static bool is_real(const nncc_tensor *t) { return t->dtype == NN_F64; }

static int64_t elements(const nncc_tensor *t)
{
    int64_t n = 0;

    nncc_tensor_count(t, &n, NULL);
    return n;
}

static void release(Instance *s)
{
    for (int i = 0; i < s->nleaf; i++) {
        nncc_tensor_free(s->leaf[i]);
        s->leaf[i] = NULL;
    }
}

static Instance instance(Check *c, const nn_function *f)
{
    Instance s = {.f = f, .nparam = nncc_param_leaves(f)};

    s.nleaf = s.nparam + nncc_result_leaves(f);
    s.leaf = NEWN(c->args->arena, nncc_tensor *, s.nleaf + 1);
    s.dims = NEWN(c->args->arena, int64_t, f->ndim + 1);
    return s;
}

static const nn_leaf *param_leaf(const nn_function *f, int leaf)
{
    int i = 0;

    for (; leaf >= f->param[i]->nleaf; i++)
        leaf -= f->param[i]->nleaf;
    return f->param[i]->leaf[leaf];
}

static int count_axes(int n, const nn_port *const *port)
{
    int axes = 0;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < port[i]->nleaf; k++)
            axes += port[i]->leaf[k]->rank;
    return axes;
}

/* Adds the elements of leaves of these sizes to *n; false: too many. */
static bool add_elements(int nport, const nn_port *const *port,
                         const int64_t **size, int64_t *n)
{
    for (int i = 0; i < nport; i++)
        for (int k = 0; k < port[i]->nleaf; k++) {
            int64_t count = 1;
            for (int a = 0; a < port[i]->leaf[k]->rank; a++, (*size)++) {
                if (**size > 0 && count > MAX_ELEMENTS / **size)
                    return false;
                count *= **size;
            }
            *n += count;
            if (*n > MAX_ELEMENTS)
                return false;
        }
    return true;
}

/* Parameters of the shapes that s->dims give, all zero. */
static bool make_params(Check *c, Instance *s)
{
    Arena *scratch = arena_new();
    int axes = count_axes(s->f->nparam, s->f->param) +
               count_axes(s->f->nresult, s->f->result);
    int64_t *size = NEWN(scratch, int64_t, axes + 1), n = 0;
    const int64_t *next = size;
    int at = 0;

    s->f->sizes(s->dims, size);
    release(s);
    bool made = add_elements(s->f->nparam, s->f->param, &next, &n) &&
                add_elements(s->f->nresult, s->f->result, &next, &n);
    c->too_large = !made;
    for (int i = 0; made && i < s->nparam; i++) {
        const nn_leaf *l = param_leaf(s->f, i);
        made =
            nncc_tensor_new(l->dtype, l->rank, size + at, &s->leaf[i]) == NN_OK;
        at += l->rank;
    }
    arena_free(scratch);
    return made;
}

static void copy_tensor(const nncc_tensor *to, const nncc_tensor *from)
{
    size_t bytes = 0;

    nncc_tensor_count(from, NULL, &bytes);
    if (bytes)
        memcpy(to->data, from->data, bytes);
}

/* Indices 0 and 1 fit nearly any table; 0 alone fits the others. */
static void draw_params(Check *c, Instance *s, Draw how, bool zeros)
{
    for (int i = 0; i < s->nparam; i++) {
        nncc_tensor *t = s->leaf[i];
        int64_t n = elements(t);
        for (int64_t k = 0; k < n; k++) {
            uint64_t bits = nncc_rng_next(&c->rng);
            double v = is_real(t)           ? draw(c, how)
                       : t->dtype == NN_KEY ? (double)(bits >> 12)
                       : zeros              ? 0
                                            : (double)(bits >> 63);
            value_set(t, k, v);
        }
    }
    for (int i = 0; i < s->f->nparam; i++)
        if (s->f->param[i]->has_value && s->f->param[i]->nleaf == 1)
            value_set(s->leaf[nncc_param_leaf(s->f, i)], 0,
                      s->f->param[i]->value);
}

static int call(Check *c, Instance *s)
{
    return nncc_call(c->model, s->f, s->leaf, s->dims, NULL);
}

/* The leaf of a result: its own, or the parameter's that it overwrote. */
static const nncc_tensor *result_leaf(const Instance *s, int result, int k)
{
    int own = s->f->result[result]->in_place;

    return s->leaf[k + (own >= 0 ? nncc_param_leaf(s->f, own)
                                 : nncc_result_leaf(s->f, result))];
}

static bool finite_results(const Instance *s)
{
    for (int i = 0; i < s->f->nresult; i++)
        for (int k = 0; k < s->f->result[i]->nleaf; k++) {
            const nncc_tensor *t = result_leaf(s, i, k);
            int64_t n = elements(t);
            for (int64_t j = 0; j < n; j++)
                if (!isfinite(value_get(t, j)))
                    return false;
        }
    return true;
}

/* Sizes of free dimensions: small, and different from each other. */
static void choose_dims(Instance *s, int set)
{
    static const int size[][4] = {
        {3, 5, 7, 4},     {4, 8, 6, 2}, {2, 2, 2, 2},
        {16, 16, 16, 16}, {1, 1, 1, 1},
    };

    for (int i = 0; i < s->f->ndim; i++)
        s->dims[i] = size[set][i % 4];
}
enum { DIM_SETS = 5 };

/* A derivative, what it is of, and their common arguments. */
typedef struct Pair {
    Function *f;
    Instance d, primal, base;
    int nvalue; /* leaves of the primal's results */
} Pair;

/* The primal's dimensions are those of the derivative that have their names. */
static void match_dims(Pair *p)
{
    for (int i = 0; i < p->primal.f->ndim; i++) {
        p->primal.dims[i] = -1;
        for (int k = 0; k < p->d.f->ndim; k++)
            if (!strcmp(p->primal.f->dim[i], p->d.f->dim[k]))
                p->primal.dims[i] = p->base.dims[k];
    }
}

static bool primal_params(Pair *p)
{
    for (int i = 0; i < p->primal.nparam; i++) {
        const nncc_tensor *from = p->base.leaf[i];
        if (!p->primal.leaf[i] &&
            nncc_tensor_new(from->dtype, from->rank, from->size,
                            &p->primal.leaf[i]) != NN_OK)
            return false;
        copy_tensor(p->primal.leaf[i], from);
    }
    return true;
}

static bool finite_call(Check *c, Instance *s, int *status)
{
    *status = call(c, s);
    return *status == NN_OK && finite_results(s);
}

/* The function at p->base, and what it is the derivative of, if anything. */
static bool finite_pair(Check *c, Pair *p, int *status)
{
    for (int i = 0; i < p->d.nparam; i++)
        copy_tensor(p->d.leaf[i], p->base.leaf[i]);
    if (!finite_call(c, &p->d, status))
        return false;
    if (!p->primal.f)
        return true;
    release(&p->primal);
    match_dims(p);
    *status = NN_ERR_MEMORY;
    return primal_params(p) && finite_call(c, &p->primal, status);
}

/* Arguments at which all is finite, kept in p->base; false: none found,
 * *status says why the last were refused. */
static bool find_point(Check *c, Pair *p, int *status)
{
    for (int set = 0; set < DIM_SETS; set++)
        for (int how = 0; how < NDRAWS * 8; how++) {
            choose_dims(&p->d, set);
            choose_dims(&p->base, set);
            *status = NN_ERR_DIM;
            if (!make_params(c, &p->d) || !make_params(c, &p->base))
                break;
            draw_params(c, &p->base, (Draw)(how % NDRAWS), how >= NDRAWS * 4);
            if (finite_pair(c, p, status))
                return true;
            if (*status == NN_ERR_DIM || *status == NN_ERR_SHAPE)
                break;
        }
    return false;
}

/* Reporting */

static void report(Check *c, const char *function, const char *what,
                   double error)
{
    bool colour = cli_colour(stdout), good = error <= tolerance;

    c->done++;
    c->failed += !good;
    printf("%-20s  %-16s  %s%s%s  %.1e\n", function, what,
           !colour ? ""
           : good  ? "\033[32m"
                   : "\033[31;1m",
           good ? "ok " : "OFF", colour ? "\033[0m" : "", error);
}

static void report_none(Check *c, const char *function, int status)
{
    c->done++;
    c->failed++;
    printf("%-20s  not checked: %s\n", function,
           c->too_large      ? "it is too large"
           : status == NN_OK ? "no arguments found at which it is finite"
                             : nncc_status_text(status));
}

/* Against the reference evaluator */

static double distance(const nncc_tensor *t, const double *want)
{
    int64_t n = elements(t);
    double most = 0, scale = 1e-6;

    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i]))
            scale = fmax(scale, fabs(want[i]));
    for (int64_t i = 0; i < n; i++) {
        double got = value_get(t, i);
        bool same = got == want[i] || (isnan(got) && isnan(want[i]));
        double d = same ? 0 : fabs(got - want[i]) / scale;
        most = isnan(d) ? INFINITY : fmax(most, d);
    }
    return most;
}

static const double *as_doubles(Arena *a, const nncc_tensor *t)
{
    int64_t n = elements(t);
    double *v = NEWN(a, double, n + 1);

    for (int64_t i = 0; i < n; i++)
        v[i] = value_get(t, i);
    return v;
}

/* f's results as its graph was before any pass, at base's arguments. */
static EvalStatus reference(Arena *a, const Load *l, const Function *f,
                            const Roots *raw, const Instance *base,
                            double **out)
{
    EvalInput *in = NEWN(a, EvalInput, base->nparam + 1);
    int n = 0;

    for (int i = 0; i < f->nparam; i++)
        for (int k = 0; k < f->param[i].nleaf; k++, n++)
            in[n] =
                (EvalInput){f->param[i].leaf[k], as_doubles(a, base->leaf[n])};
    return eval_nodes(a, l->module->graph, raw->n, raw->at, n, in, f->nvar,
                      f->var, base->dims, out);
}

static void check_value(Check *c, const Function *f, const Roots *raw,
                        const Instance *s, const Instance *base)
{
    Arena *a = arena_new();
    double **out = NEWN(a, double *, raw->n + 1);
    EvalStatus status = reference(a, c->load, f, raw, base, out);
    double error = status == EVAL_OK ? 0 : INFINITY;
    int at = 0;

    c->too_large = status == EVAL_BAD_DIM;
    if (status == EVAL_OK)
        for (int i = 0; i < s->f->nresult; i++)
            for (int k = 0; k < s->f->result[i]->nleaf; k++)
                error = fmax(error, distance(result_leaf(s, i, k), out[at++]));
    if (c->too_large)
        report_none(c, f->name, NN_OK);
    else
        report(c, f->name, "value", error);
    arena_free(a);
}

/* Against central differences */

/* Does the function's value come before its derivative. */
static bool with_value(const Pair *p)
{
    switch (p->f->deriv) {
    case DERIV_value_and_grad:
    case DERIV_jvp:
    case DERIV_vjp:
        return true;
    case DERIV_none:
    case DERIV_grad:
    case DERIV_jacobian:
    case DERIV_hessian:
    case DERIV_hvp:
        break;
    }
    return false;
}

static bool has_tangents(const Pair *p)
{
    return p->f->deriv == DERIV_jvp || p->f->deriv == DERIV_hvp;
}

static bool is_matrix(const Pair *p)
{
    return p->f->deriv == DERIV_jacobian || p->f->deriv == DERIV_hessian;
}

/* Of all results' leaves, number i (results in place aside). */
static const nncc_tensor *output(const Instance *s, int i)
{
    return s->leaf[s->nparam + i];
}

/* Weights of the primal's real values: ones for a gradient, vjp's adjoint as it
 * was drawn, else at random. */
static double **weights(Check *c, const Pair *p, Arena *a)
{
    double **w = NEWN(a, double *, p->nvalue + 1);
    int given = p->primal.nparam;

    for (int i = 0; i < p->nvalue; i++) {
        const nncc_tensor *y = output(&p->primal, i);
        int64_t n = is_real(y) ? elements(y) : 0;
        w[i] = NEWN(a, double, n + 1);
        const nncc_tensor *bar =
            n && p->f->deriv == DERIV_vjp && given < p->base.nparam
                ? p->base.leaf[given++]
                : NULL;
        for (int64_t k = 0; k < n; k++)
            w[i][k] = bar                               ? value_get(bar, k)
                      : has_tangents(p) || is_matrix(p) ? normal(c)
                                                        : 1;
    }
    return w;
}

/* The weighted sum of the values, number `first` and on, that s gives; *size:
 * of their absolute values. */
static double weigh(const Pair *p, const Instance *s, int first, double **w,
                    double *size)
{
    double sum = 0, absolute = 0;
    int at = first;
    bool every = nncc_result_leaves(s->f) - first >= p->nvalue;

    for (int i = 0; i < p->nvalue; i++) {
        bool real = is_real(output(&p->primal, i));
        if (!real && !every)
            continue; /* what is no real has no tangent */
        const nncc_tensor *t = output(s, at++);
        int64_t n = real ? elements(t) : 0;
        for (int64_t k = 0; k < n; k++) {
            sum += w[i][k] * value_get(t, k);
            absolute += fabs(w[i][k] * value_get(t, k));
        }
    }
    *size = absolute;
    return sum;
}

/* A unit direction over n leaves. */
static double **direction(Check *c, Arena *a, nncc_tensor *const *leaf, int n)
{
    double **d = NEWN(a, double *, n + 1);
    double square = 0;

    for (int i = 0; i < n; i++) {
        int64_t m = elements(leaf[i]);
        d[i] = NEWN(a, double, m + 1);
        for (int64_t k = 0; k < m; k++) {
            d[i][k] = normal(c);
            square += d[i][k] * d[i][k];
        }
    }
    for (int i = 0; i < n; i++) {
        int64_t m = elements(leaf[i]);
        for (int64_t k = 0; k < m; k++)
            d[i][k] /= sqrt(square);
    }
    return d;
}

/* Leaves first … first+n-1 of the primal: base + step · d. */
static void move(Pair *p, int first, int n, double **d, double step)
{
    for (int i = 0; i < n; i++) {
        const nncc_tensor *from = p->base.leaf[first + i];
        int64_t m = elements(from);
        for (int64_t k = 0; k < m; k++)
            value_set(p->primal.leaf[first + i], k,
                      value_get(from, k) + step * d[i][k]);
    }
}

/* jvp, hvp: the tangents of leaves at … at+n-1 are d, all others 0; the
 * derivative of the weighted values. */
static double tangent(Check *c, Pair *p, int at, int n, double **d, double **w)
{
    double size;

    for (int i = 0; i < p->d.nparam; i++)
        copy_tensor(p->d.leaf[i], p->base.leaf[i]);
    for (int i = p->primal.nparam; i < p->d.nparam; i++) {
        int j = i - p->primal.nparam - at;
        int64_t m = elements(p->d.leaf[i]);
        for (int64_t k = 0; k < m; k++)
            value_set(p->d.leaf[i], k, j >= 0 && j < n ? d[j][k] : 0);
    }
    if (call(c, &p->d) != NN_OK)
        return NAN;
    return weigh(p, &p->d, with_value(p) ? p->nvalue : 0, w, &size);
}

/* Leaves of the parameters that it is a derivative by, before number k. */
static int by_leaves(const Pair *p, int k)
{
    int n = 0;

    for (int i = 0; i < k; i++)
        n += p->primal.f->param[p->f->by[i]]->nleaf;
    return n;
}

/* Where a matrix keeps its row `row` by the parameter number k: one part by
 * each parameter; of a Hessian, for the rows of each. */
static int matrix_leaf(const Pair *p, int row, int k)
{
    int n = by_leaves(p, k + 1) - by_leaves(p, k), first = 0, rows = p->nvalue;
    int all = by_leaves(p, p->f->nby);

    for (int i = 0; p->f->deriv == DERIV_hessian; i++) {
        first = by_leaves(p, i);
        rows = by_leaves(p, i + 1) - first;
        if (row < first + rows)
            break;
    }
    return first * all + rows * by_leaves(p, k) + (row - first) * n;
}

/* jacobian, hessian: wᵀJδ, δ being n leaves of the parameter number k. */
static double matrix_slope(const Pair *p, int k, int n, double **d, double **w)
{
    double sum = 0;

    for (int i = 0; i < p->nvalue; i++) {
        int64_t rows = elements(output(&p->primal, i));
        for (int j = 0; j < n; j++) {
            const nncc_tensor *m = output(&p->d, matrix_leaf(p, i, k) + j);
            int64_t columns = rows ? elements(m) / rows : 0;
            for (int64_t at = 0; at < rows * columns; at++)
                sum +=
                    w[i][at / columns] * value_get(m, at) * d[j][at % columns];
        }
    }
    return sum;
}

/* grad, vjp: δᵀ∇f over leaves at … at+n-1 of the gradient. */
static double slope(const Pair *p, int at, int n, double **d)
{
    int first = (with_value(p) ? p->nvalue : 0) + at;
    double sum = 0;

    for (int i = 0; i < n; i++) {
        const nncc_tensor *g = output(&p->d, first + i);
        int64_t m = elements(g);
        for (int64_t k = 0; k < m; k++)
            sum += value_get(g, k) * d[i][k];
    }
    return sum;
}

/* The least relative error of a central difference, over some ε. */
static double difference(Check *c, Pair *p, int first, int n, double **d,
                         double **w, double want)
{
    static const double step[] = {1e-3, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6};
    double best = INFINITY;

    for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
        double size, other;
        move(p, first, n, d, step[i]);
        if (call(c, &p->primal) != NN_OK)
            continue;
        double up = weigh(p, &p->primal, 0, w, &size);
        move(p, first, n, d, -step[i]);
        if (call(c, &p->primal) != NN_OK)
            continue;
        double down = weigh(p, &p->primal, 0, w, &other);
        double got = (up - down) / (2 * step[i]);
        double scale = fmax(fmax(fabs(want), fabs(got)), 1e-4 * size + 1e-9);
        double error = fabs(want - got) / scale;
        best = error < best ? error : best;
    }
    move(p, first, n, d, 0);
    return best;
}

/* What the derivative by parameter number k is called. */
static const char *label(const Check *c, const Pair *p, int k, int at)
{
    const nn_function *f = p->d.f;
    int leaf = p->f->deriv == DERIV_jvp ? p->nvalue
               : with_value(p)          ? p->nvalue + at
               : is_matrix(p)           ? matrix_leaf(p, 0, k)
                                        : at;
    int i = 0;

    for (; i + 1 < f->nresult && leaf >= f->result[i]->nleaf; i++)
        leaf -= f->result[i]->nleaf;
    if (p->f->deriv == DERIV_jvp && p->f->nby > 1)
        return arena_printf(c->args->arena, "%s by %s", f->result[i]->name,
                            f->param[p->f->by[k]]->name);
    return f->result[i]->name;
}

static void check_by(Check *c, Pair *p, int k, int at)
{
    int by = p->f->by[k];
    int n = p->primal.f->param[by]->nleaf;
    int first = nncc_param_leaf(p->primal.f, by);
    double worst = 0;

    for (int i = 0; i < DIRECTIONS; i++) {
        Arena *a = arena_new();
        double **w = weights(c, p, a);
        double **d = direction(c, a, p->base.leaf + first, n);
        double want = has_tangents(p) ? tangent(c, p, at, n, d, w)
                      : is_matrix(p)  ? matrix_slope(p, k, n, d, w)
                                      : slope(p, at, n, d);
        double error = difference(c, p, first, n, d, w, want);
        worst = error <= worst ? worst : error;
        arena_free(a);
    }
    report(c, p->f->name, label(c, p, k, at), worst);
}

static void check_derivative(Check *c, Pair *p)
{
    int at = 0;

    for (int k = 0; k < p->f->nby; k++) {
        check_by(c, p, k, at);
        at += p->primal.f->param[p->f->by[k]]->nleaf;
    }
}

/* All of a module */

static const nn_function *compiled(const Check *c, const char *name)
{
    const nn_function *f = NULL;

    if (nncc_find(c->model, name, &f) != NN_OK)
        die("no function '%s' in the module just made", name);
    return f;
}

/* A function to check, and the names it and its primal are compiled under. */
typedef struct Checked {
    Function *f;
    const char *name, *primal;
    Roots raw;
} Checked;

typedef struct Plan {
    LIST(Checked) checked;
    LIST(Function *) compiled;
} Plan;

static void check_function(Check *c, const Checked *one)
{
    Function *f = one->f;
    const char *primal = one->primal;
    const nn_function *d = compiled(c, one->name);
    Pair p = {.f = f, .d = instance(c, d), .base = instance(c, d)};
    int status;

    c->too_large = false;
    if (primal) {
        p.primal = instance(c, compiled(c, primal));
        p.nvalue = nncc_result_leaves(p.primal.f);
    }
    if (!find_point(c, &p, &status)) {
        report_none(c, f->name, status);
    } else {
        check_value(c, f, &one->raw, &p.d, &p.base);
        if (primal)
            check_derivative(c, &p);
    }
    release(&p.d);
    release(&p.base);
    release(&p.primal);
}

static Function *renamed(Arena *a, const Function *f, const char *name)
{
    Function *copy = arena_copy(a, f, sizeof *f);

    copy->name = name;
    return copy;
}

/* f, compiled under that name, and what it is the derivative of; where that is
 * a derivative itself, it is checked too. */
static void add_checked(const Load *l, Plan *to, Function *f, const char *name)
{
    Checked one = {f, name, NULL, driver_roots(l->arena, &f, 1)};
    Function *primal = f->deriv != DERIV_none ? f->primal : NULL;

    list_push(l->arena, &to->compiled, renamed(l->arena, f, name));
    if (primal)
        one.primal = arena_printf(l->arena, "%s__primal", name);
    list_push(l->arena, &to->checked, one);
    if (primal && primal->deriv != DERIV_none)
        add_checked(l, to, primal, one.primal);
    else if (primal)
        list_push(l->arena, &to->compiled,
                  renamed(l->arena, primal, one.primal));
}

/* All that is exported, and the derivatives that `derivative` items give. */
static Plan plan_of(const Load *l)
{
    Plan all = {0};
    int n;
    Function **own = program_derivatives(l->program, &n);

    for (int i = 0; i < l->module->function.n; i++)
        add_checked(l, &all, l->module->function.at[i],
                    l->module->function.at[i]->name);
    for (int i = 0; i < n; i++)
        add_checked(l, &all, own[i],
                    arena_printf(l->arena, "%s__derivative", own[i]->name));
    return all;
}

/* What no call has given types to was not even looked into. */
static void tell_unchecked(const Load *l)
{
    const char *names = program_unchecked(l->program);

    if (names)
        printf("not looked into, as nothing calls it with types: %s\n", names);
}

static int check_module(const Args *args, Load *l)
{
    Check c = {.args = args, .load = l};
    int64_t seed = 1;
    Plan all = plan_of(l);

    if (!option_int(args, "seed", 0, &seed))
        return EXIT_USAGE;
    if (all.compiled.n == 0)
        return cli_fail("%s exports nothing, so there is nothing to check",
                        l->path);
    Jit *j = driver_jit(l, all.compiled.at, all.compiled.n);
    if (!j)
        return EXIT_FAILURE;
    if (nncc_wrap(jit_module(j), &c.model) != NN_OK) {
        jit_close(j);
        return cli_fail("%s", nncc_last_error());
    }
    nncc_rng_seed(&c.rng, (uint64_t)seed);
    for (int i = 0; i < all.checked.n; i++)
        check_function(&c, &all.checked.at[i]);
    nncc_close(c.model);
    jit_close(j);
    tell_unchecked(l);
    if (c.failed)
        return cli_fail("%d of %d checks failed", c.failed, c.done);
    return EXIT_SUCCESS;
}

static int check(Args *a)
{
    Load l = {0};

    if (a->word.n > 1)
        return cli_usage(a, "one model at a time: what is '%s'?",
                         a->word.at[1]);
    int status = driver_load(a, a->word.at[0], DT_f64, &l);
    if (status)
        return status;
    return check_module(a, &l);
}

static const Option options[] = {
    {"dim", 0, "NAME=SIZE", "fix a dimension of the model"},
    {"seed", 0, "N", "of the arguments and directions drawn (1)"},
    {NULL, 0, NULL, NULL},
};

const Command command_check = {
    .name = "check",
    .usage = "check MODEL.nn [options]",
    .about = "Holds every exported derivative against central differences, in "
             "float64, and\nevery exported function against the reference "
             "evaluator. Fails where the\nrelative error is above 1e-6.",
    .option = options,
    .run = check,
};
