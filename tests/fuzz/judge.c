/* judge.c: see judge.h. */
#include "judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "emit/emit.h"
#include "eval/eval.h"
#include "graph/region.h"
#include "kernel/kernel.h"
#include "kernel_sim.h"
#include "point.h"
#include "simplify/simplify.h"

enum { POINTS = 10, MAX_LEAVES = 32, MAX_VARS = 2 };

typedef enum FunId {
    FUN_value,
    FUN_grad,
    FUN_jvp,
    FUN_hvp,
    FUN_second,
    FUN_each,
    FUN_jacobian,
    FUN_rows,
    FUN_bent,
    FUN_push,
    FUN_pull,
    FUN_hessian,
    NFUNS
} FunId;

static const char *const expression[NFUNS] = {
    "f",
    "grad(f, x, y, v, w)",
    "jvp(f, x, y, v, w)",
    "hvp(f, x, y, v, w)",
    "grad(second, x, y, v, w)",
    "each",
    "jacobian(each, v)",
    "rows", /* the same, sparse */
    "bent", /* the Hessian of f by v, sparse */
    "jvp(each, x, y, v, w)",
    "vjp(each, x, y, v, w)",
    "hessian(f, v)",
};

typedef struct Fun {
    Function *f;
    int nparam, nroot;
    Node **param, **raw; /* raw: results before any pass */
    const char **name;   /* of the parameter that a leaf belongs to */
    Schedule *schedule;
    const nn_function *code; /* or NULL */
} Fun;

/* A program's functions in one graph. */
typedef struct Side {
    Program *program;
    Graph *graph;
    Fun fun[NFUNS];
} Side;

typedef struct Judge {
    Arena *arena;
    Side made, plain; /* plain: without identities and rules */
    Side single;      /* in f32, with machine code only */
    Point point;
    bool kinks; /* the program has ties and borders */
    bool roots; /* and what has a kink of its own */
    const char *wrong;
} Judge;

/* Functions */

static void wrong(Judge *j, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void wrong(Judge *j, const char *kind, const char *fmt, ...)
{
    va_list ap;

    if (j->wrong)
        return;
    va_start(ap, fmt);
    j->wrong = arena_printf(j->arena, "%s: %s\nat%s", kind,
                            arena_vprintf(j->arena, fmt, ap),
                            point_text(j->arena, &j->point));
    va_end(ap);
}

static void load(Judge *j, Fun *to, Function *f)
{
    LIST(Node *) param = {0}, root = {0};
    LIST(const char *) name = {0};

    to->f = f;
    for (int i = 0; i < f->nparam; i++)
        for (int k = 0; k < f->param[i].nleaf; k++) {
            list_push(j->arena, &param, f->param[i].leaf[k]);
            list_push(j->arena, &name, f->param[i].name);
        }
    for (int i = 0; i < f->nresult; i++)
        for (int k = 0; k < f->result[i].nleaf; k++)
            list_push(j->arena, &root, f->result[i].leaf[k]);
    to->param = param.at;
    to->name = name.at;
    to->nparam = param.n;
    to->raw = root.at;
    to->nroot = root.n;
    if (param.n + root.n > MAX_LEAVES || f->nvar > MAX_VARS)
        die("'%s' has more parts than this test takes", f->name);
}

static const char *messages(Arena *a, const Diags *d)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    diags_print(d, f, false);
    fclose(f);
    const char *copy = arena_printf(a, "%s", text);
    free(text);
    return copy;
}

/* False: refused; that of a program too large for the compiler is no fault. */
static bool load_side(Judge *j, Side *to, const char *text, DType real,
                      bool plain)
{
    const CheckOptions o = {.real = real, .work = 40000, .plain = plain};
    Diags *d = diags_new(j->arena);

    to->program = check_program(j->arena, d, "t.nn", text, strlen(text), &o);
    bool good = to->program != NULL;
    for (int i = 0; good && i < NFUNS; i++) {
        Function *f = program_function(to->program, expression[i]);
        good = f != NULL;
        if (good)
            load(j, &to->fun[i], f);
    }
    if (good) {
        to->graph = program_module(to->program)->graph;
        return true;
    }
    const char *why = messages(j->arena, d);
    if (!strstr(why, "[limit]") && !strstr(why, "[too-large]"))
        wrong(j, "refused", "%s", why);
    return false;
}

/* Values */

static const double *argument(const Judge *j, const Fun *f, int i,
                              const Place *at)
{
    const char *name = f->name[i];
    size_t n = strlen(name);

    if (n == 1)
        return place_number(at, name[0]);
    if (strncmp(name, "y_bar", 5) == 0) /* the adjoint of each */
        return j->point.weight;
    /* x_dot, v_x, e_x: a direction */
    return place_number(&j->point.along,
                        name[1] == '_' && n == 3 ? name[2] : name[0]);
}

/* The free dimensions: n, and k where steps are counted by it, of which there
 * are none for less than 0. */
static void sizes(const Fun *f, const Place *at, int64_t *size)
{
    for (int i = 0; i < f->f->nvar; i++)
        size[i] = strcmp(dim_var_name(f->f->var[i]), "n") == 0 ? at->n
                  : function_has_size(f->f, i) ? (int64_t)at->k[0]
                                               : (int64_t)fmax(at->k[0], 0);
}

/* Of the graph as it was made. */
static EvalStatus evaluate_fun(Judge *j, const Graph *g, const Fun *f,
                               const Place *at, double **out)
{
    EvalInput in[MAX_LEAVES];
    int64_t size[MAX_VARS];

    sizes(f, at, size);
    for (int i = 0; i < f->nparam; i++)
        in[i] = (EvalInput){f->param[i], argument(j, f, i, at)};
    return eval_nodes(j->arena, g, f->nroot, f->raw, f->nparam, in, f->f->nvar,
                      f->f->var, size, out);
}

static EvalStatus evaluate_side(Judge *j, const Side *s, int fun,
                                const Place *at, double **out)
{
    return evaluate_fun(j, s->graph, &s->fun[fun], at, out);
}

static EvalStatus evaluate(Judge *j, int fun, const Place *at, double **out)
{
    return evaluate_side(j, &j->made, fun, at, out);
}

static int64_t elements(const Fun *f, const Node *n, const Place *at)
{
    int64_t count = 1, v = 0, size[MAX_VARS];

    sizes(f, at, size);
    for (int i = 0; i < n->rank; i++) {
        if (!dim_eval(n->dim[i], f->f->nvar, f->f->var, size, &v))
            die("a dimension has no value");
        count *= v;
    }
    return count;
}

/* The numbers that fun is computed from, but for those in loops. */
typedef struct Way {
    int n;
    Node **node;
    double **value;
} Way;

/* False: they have no values. */
static bool values_on_the_way(Judge *j, int fun, Way *to)
{
    Fun *f = &j->made.fun[fun], all = *f;
    Reach r = reach_enter(j->made.graph, j->arena, 0, false, f->nroot, f->raw);
    LIST(Node *) root = {0};

    for (int i = 0; i < r.n; i++)
        if (dtype_is_real(r.node[i]->dtype) && !node_has_region(r.node[i]))
            list_push(j->arena, &root, r.node[i]);
    reach_leave(&r);
    all.nroot = to->n = root.n;
    all.raw = to->node = root.at;
    to->value = NEWN(j->arena, double *, root.n + 1);
    return evaluate_fun(j, j->made.graph, &all, &j->point.at, to->value) ==
           EVAL_OK;
}

/* The largest magnitude of them; NAN is INFINITY. */
static double largest(Judge *j, int fun)
{
    const Fun *f = &j->made.fun[fun];
    double most = 0;
    Way w;

    if (!values_on_the_way(j, fun, &w))
        return INFINITY;
    for (int i = 0; i < w.n; i++)
        for (int64_t k = elements(f, w.node[i], &j->point.at); k-- > 0;)
            most = isnan(w.value[i][k]) ? INFINITY
                                        : fmax(most, fabs(w.value[i][k]));
    return most;
}

static const double *value_of(const Way *w, const Node *n)
{
    for (int i = 0; i < w->n; i++)
        if (w->node[i] == n)
            return w->value[i];
    die("a value that is not on the way");
}

/* Is one of them the sum of opposite infinities: of sqrt(f(x) - x) where f(x)
 * is x. */
static bool has_opposites(Judge *j, int fun)
{
    const Fun *f = &j->made.fun[fun];
    Way w;

    if (!values_on_the_way(j, fun, &w))
        return false;
    for (int i = 0; i < w.n; i++) {
        const Node *n = w.node[i];
        if (n->op != OP_add && n->op != OP_sub)
            continue;
        const double *a = value_of(&w, n->arg[0]), *b = value_of(&w, n->arg[1]);
        for (int64_t k = elements(f, n, &j->point.at); k-- > 0;)
            if (isnan(w.value[i][k]) && isinf(a[k]) && isinf(b[k]))
                return true;
    }
    return false;
}

static bool is_of_each(int fun)
{
    return fun == FUN_jacobian || fun == FUN_rows;
}

static bool is_near(double got, double want)
{
    return !isfinite(want) || fabs(got - want) <= 1e-8 * (1 + fabs(want));
}

static bool is_second(int fun)
{
    return fun == FUN_hvp || fun == FUN_second || fun == FUN_hessian ||
           fun == FUN_bent;
}

/* Is this a second derivative where the first is made of infinities: a limit
 * that nobody took, and what is rounded otherwise may be NaN. */
static bool singular(Judge *j, int fun)
{
    return is_second(fun) && isinf(largest(j, FUN_grad));
}

/* Has the function a finite value here whose derivative fun is. */
static bool has_value(Judge *j, int fun)
{
    bool each = fun == FUN_each || fun == FUN_jacobian || fun == FUN_rows ||
                fun == FUN_push || fun == FUN_pull;
    double *out[MAX_LEAVES];

    if (evaluate(j, each ? FUN_each : FUN_value, &j->point.at, out) != EVAL_OK)
        return false;
    for (int64_t i = each ? j->point.at.n : 1; i-- > 0;)
        if (!isfinite(out[0][i]))
            return false;
    return true;
}

/* A derivative where there is no value, or a second one where there is no
 * first. */
static bool is_none(Judge *j, int fun, double got)
{
    return (isnan(got) && singular(j, fun)) ||
           (fun != FUN_value && fun != FUN_each && j->point.edges &&
            !has_value(j, fun));
}

static void compare(Judge *j, int fun, const char *by, int root, int64_t n,
                    const double *got, const double *want)
{
    for (int64_t i = 0; i < n; i++)
        if (!is_near(got[i], want[i]) && !is_none(j, fun, got[i]))
            wrong(j, by, "%s, result %d[%d] is %.17g, the evaluator's %.17g",
                  expression[fun], root, (int)i, got[i], want[i]);
}

/* Leaves as `call` and the simulator want them: a block of doubles each. */
static void simulate(Judge *j, int fun, EvalStatus status, double **want)
{
    Fun *f = &j->made.fun[fun];
    const Place *at = &j->point.at;
    double *leaf[MAX_LEAVES];
    const char *why = "";
    int64_t n, size[MAX_VARS];

    for (int i = 0; i < f->nparam + f->nroot; i++) {
        const Node *of = i < f->nparam ? f->param[i] : f->raw[i - f->nparam];
        n = elements(f, of, at);
        leaf[i] = NEWN(j->arena, double, n + 1);
        if (i < f->nparam)
            memcpy(leaf[i], argument(j, f, i, at), sizeof(double) * (size_t)n);
    }
    sizes(f, at, size);
    SimStatus got =
        sim_run(j->arena, f->schedule, f->f->nvar, f->f->var, size, leaf, &why);
    if (got == SIM_BROKEN)
        wrong(j, "broken", "%s: %s", expression[fun], why);
    else if ((got == SIM_BAD_INDEX) != (status == EVAL_BAD_INDEX))
        wrong(j, "index", "%s: the schedule finds an index outside",
              expression[fun]);
    for (int i = 0; got == SIM_OK && status == EVAL_OK && i < f->nroot; i++)
        compare(j, fun, "schedule", i, elements(f, f->raw[i], at),
                leaf[f->nparam + i], want[i]);
}

/* Elements in the memory of a compiled function. */
static void put(DType t, void *to, int64_t i, double v)
{
    if (t == DT_f64)
        ((double *)to)[i] = v;
    else if (t == DT_f32)
        ((float *)to)[i] = (float)v;
    else if (t == DT_i32)
        ((int32_t *)to)[i] = (int32_t)v;
    else
        ((uint8_t *)to)[i] = (uint8_t)v;
}

/* The compiled function's results, in memory for f64. */
static bool call_code(Judge *j, const Fun *f, int fun, void **leaf)
{
    const Place *at = &j->point.at;
    int64_t size[MAX_VARS];

    sizes(f, at, size);
    for (int i = 0; i < f->nparam + f->nroot; i++) {
        const Node *of = i < f->nparam ? f->param[i] : f->raw[i - f->nparam];
        int64_t n = elements(f, of, at);
        leaf[i] = NEWN(j->arena, double, n + 1);
        for (int64_t k = 0; i < f->nparam && k < n; k++)
            put(of->dtype, leaf[i], k, argument(j, f, i, at)[k]);
    }
    size_t bytes = (f->code->workspace(size) + 64) / 64 * 64;
    void *workspace = aligned_alloc(64, bytes);
    int status = f->code->call(leaf, size, workspace, NULL);
    free(workspace);
    if (status != NN_OK)
        wrong(j, "status", "%s: the compiled function gives %d",
              expression[fun], status);
    return status == NN_OK;
}

static void call(Judge *j, int fun, double **want)
{
    Fun *f = &j->made.fun[fun];
    void *leaf[MAX_LEAVES];

    for (int i = 0; call_code(j, f, fun, leaf) && i < f->nroot; i++)
        compare(j, fun, "compiled", i, elements(f, f->raw[i], &j->point.at),
                leaf[f->nparam + i], want[i]);
}

/* In f32, where no number is large on the way. */
static void call_single(Judge *j, int fun)
{
    Fun *f = &j->single.fun[fun];
    void *leaf[MAX_LEAVES];
    double *want[MAX_LEAVES], most = largest(j, fun);

    if (most > 1e3 || evaluate(j, fun, &j->point.at, want) != EVAL_OK ||
        !call_code(j, f, fun, leaf))
        return;
    for (int i = 0; i < f->nroot; i++)
        for (int64_t k = 0; k < elements(f, f->raw[i], &j->point.at); k++) {
            double got = (double)((float *)leaf[f->nparam + i])[k];
            if (!(fabs(got - want[i][k]) <= 1e-3 * (1 + most)))
                wrong(j, "f32", "%s, result %d[%d] is %.9g, in f64 %.9g",
                      expression[fun], i, (int)k, got, want[i][k]);
        }
}

/* Derivatives */

typedef double Along(Judge *j, double t);

/* The sum of the results times the direction: of a gradient the slope, of a
 * Hessian times the direction the curvature. */
static double times_direction(Judge *j, int fun, const Place *at)
{
    static const char by[] = "xyvw";
    double *out[MAX_LEAVES], sum = 0;

    if (evaluate(j, fun, at, out) != EVAL_OK)
        return NAN;
    for (int i = 0; i < 4; i++) {
        const double *d = place_number(&j->point.along, by[i]);
        int64_t n = i < 2 ? 1 : at->n;
        for (int64_t k = 0; k < n; k++)
            sum += d[k] * out[i][k];
    }
    return sum;
}

static double value_at(Judge *j, double t)
{
    double *out[MAX_LEAVES];
    Place at = point_moved(&j->point, t);

    return evaluate(j, FUN_value, &at, out) == EVAL_OK ? out[0][0] : NAN;
}

static double slope_at(Judge *j, double t)
{
    Place at = point_moved(&j->point, t);

    return times_direction(j, FUN_grad, &at);
}

/* The weighted elements of `each`, only v being moved. */
static double each_at(Judge *j, double t)
{
    double *out[MAX_LEAVES], sum = 0;
    Place at = point_moved(&j->point, t), base = j->point.at;

    memcpy(base.v, at.v, sizeof base.v);
    if (evaluate(j, FUN_each, &base, out) != EVAL_OK)
        return NAN;
    for (int64_t i = 0; i < base.n; i++)
        sum += j->point.weight[i] * out[0][i];
    return sum;
}

/* The gradient by v along v's direction, only v being moved. */
static double bent_at(Judge *j, double t)
{
    double *out[MAX_LEAVES], sum = 0;
    Place at = point_moved(&j->point, t), base = j->point.at;

    memcpy(base.v, at.v, sizeof base.v);
    if (evaluate(j, FUN_grad, &base, out) != EVAL_OK)
        return NAN;
    for (int64_t i = 0; i < base.n; i++)
        sum += j->point.along.v[i] * out[2][i];
    return sum;
}

/* A matrix between weights and v's direction. */
static double matrix_slope(Judge *j, int fun, const double *weight)
{
    const Point *p = &j->point;
    double *out[MAX_LEAVES], sum = 0;

    if (evaluate(j, fun, &p->at, out) != EVAL_OK)
        return NAN;
    for (int64_t i = 0; i < p->at.n; i++)
        for (int64_t k = 0; k < p->at.n; k++)
            sum += weight[i] * out[0][i * p->at.n + k] * p->along.v[k];
    return sum;
}

/* The derivative of f at 0, where it is smooth around 0 as far as differences
 * can tell: those of two steps are equal, and those of both sides nearly. */
static bool smooth_slope(Judge *j, Along *f, double *slope)
{
    enum { STEPS = 3 };
    static const double step[STEPS] = {4e-4, 1e-4, 3e-5};
    double middle = f(j, 0), d[STEPS], most = 0;

    for (int i = 0; i < STEPS; i++) {
        double up = f(j, step[i]), down = f(j, -step[i]);
        d[i] = (up - down) / (2 * step[i]);
        most = fmax(most, fmax(fabs(up), fabs(down)));
        double scale = 1 + fabs(d[i]);
        if (!(fabs(up - 2 * middle + down) / step[i] <= 20 * step[i] * scale))
            return false;
        if (!(fabs(d[i] - d[0]) <= 1e-5 * scale))
            return false;
    }
    *slope = d[1];
    return most < 1e5 && fabs(d[1]) < 1e5;
}

/* Is this no point at which differences of what fun is the derivative of tell
 * something: at a tie with a constant the derivative is the other's, at others
 * it is shared, and what is a constant is seen better with rules. */
static bool at_kink(Judge *j, int fun)
{
    double slope;
    Along *of[NFUNS] = {
        [FUN_grad] = value_at,   [FUN_jvp] = value_at,     [FUN_hvp] = slope_at,
        [FUN_second] = slope_at, [FUN_jacobian] = each_at, [FUN_rows] = each_at,
        [FUN_bent] = bent_at};

    if (!j->kinks || !j->point.edges)
        return false;
    return is_second(fun) || (of[fun] && !smooth_slope(j, of[fun], &slope));
}

/* What identities and rules make of a program has its value. Of derivatives
 * only numbers are compared: 0 times infinity may be in one form and not in
 * another. */
static bool all_near(int64_t n, const double *got, const double *want)
{
    for (int64_t i = 0; i < n; i++)
        if (!is_near(got[i], want[i]))
            return false;
    return true;
}

static void compare_plain(Judge *j, int fun, EvalStatus status, double **got)
{
    const Fun *f = &j->made.fun[fun];
    double *want[MAX_LEAVES];
    bool value = fun == FUN_value || fun == FUN_each;

    if (evaluate_side(j, &j->plain, fun, &j->point.at, want) != status)
        wrong(j, "identity", "%s: another status, not %d", expression[fun],
              (int)status);
    for (int i = 0; !j->wrong && status == EVAL_OK && i < f->nroot; i++) {
        int64_t n = elements(f, f->raw[i], &j->point.at);
        for (int64_t k = 0; k < n && !value; k++)
            if (!isfinite(got[i][k]))
                want[i][k] = NAN;
        if (!all_near(n, got[i], want[i]) && !at_kink(j, fun) &&
            (value || has_value(j, fun)))
            compare(j, fun, "identity", i, n, got[i], want[i]);
    }
}

/* At a tie, max(x^2, 0) at 0 say, a function may be smooth whose second
 * derivative is shared between terms, or, where one of them has a kink of its
 * own, the first. At an edge, where a first derivative is 0
 * and the next infinite, a second one may be NaN, and so where something is
 * infinite on the way: a limit that nobody took. What is left of large numbers
 * has their error. */
static void hold(Judge *j, int fun, const char *kind, double got, double want)
{
    bool second = is_second(fun);

    if (j->kinks && j->roots && j->point.edges && isfinite(got))
        return;
    if (second && j->point.edges && (j->kinks || !isfinite(got)))
        return;
    if (!isfinite(got) && (singular(j, fun) || has_opposites(j, fun)))
        return;
    if (j->point.edges && !isfinite(got) &&
        isinf(largest(j, is_of_each(fun) ? FUN_each : FUN_value)))
        return;
    if (!(fabs(got - want) <= 3e-4 * (1 + fabs(want))) &&
        !(fabs(got - want) <= 1e-10 * largest(j, fun)))
        wrong(j, kind, "%s: along a direction %.9g, by differences %.9g",
              expression[fun], got, want);
}

static double forward_slope(Judge *j)
{
    double *out[MAX_LEAVES];

    if (evaluate(j, FUN_jvp, &j->point.at, out) != EVAL_OK)
        return NAN;
    return out[1][0];
}

/* One mode against another. */

static void same(Judge *j, int fun, const char *kind, double a, double b)
{
    bool finite = isfinite(a) && isfinite(b);

    if (j->point.edges && (!finite || j->kinks))
        return;
    if (!finite && !isfinite(largest(j, fun)))
        return;
    if (!(fabs(a - b) <= 1e-8 * (1 + fabs(b))) &&
        !(fabs(a - b) <= 1e-10 * largest(j, fun)))
        wrong(j, kind, "%s: %.17g and %.17g", expression[fun], a, b);
}

/* <J v, w> = <v, J' w> */
static void check_adjoint(Judge *j)
{
    double *push[MAX_LEAVES], *pull[MAX_LEAVES], forward = 0, reverse = 0;
    const Point *p = &j->point;

    if (evaluate(j, FUN_push, &p->at, push) != EVAL_OK ||
        evaluate(j, FUN_pull, &p->at, pull) != EVAL_OK)
        return;
    for (int64_t i = 0; i < p->at.n; i++)
        forward += p->weight[i] * push[1][i];
    for (int i = 0; i < 4; i++)
        for (int64_t k = 0; k < (i < 2 ? 1 : p->at.n); k++)
            reverse += place_number(&p->along, "xyvw"[i])[k] * pull[1 + i][k];
    same(j, FUN_pull, "adjoint", reverse, forward);
}

/* The Hessian by v is its own transpose, and hvp is its product. */
static void check_hessian(Judge *j)
{
    double *h[MAX_LEAVES], *hv[MAX_LEAVES];
    Place along = j->point.along;
    int64_t n = along.n;

    j->point.along = (Place){.n = n};
    memcpy(j->point.along.v, along.v, sizeof along.v);
    bool good = evaluate(j, FUN_hessian, &j->point.at, h) == EVAL_OK &&
                evaluate(j, FUN_hvp, &j->point.at, hv) == EVAL_OK;
    j->point.along = along;
    for (int64_t i = 0; good && i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < n; k++) {
            sum += h[0][i * n + k] * along.v[k];
            same(j, FUN_hessian, "symmetry", h[0][i * n + k], h[0][k * n + i]);
        }
        same(j, FUN_hessian, "product", sum, hv[2][i]);
    }
}

static void check_derivatives(Judge *j)
{
    double slope, curvature, each;
    const Place *at = &j->point.at;

    if (smooth_slope(j, value_at, &slope)) {
        hold(j, FUN_grad, "reverse", slope_at(j, 0), slope);
        hold(j, FUN_jvp, "forward", forward_slope(j), slope);
        if (smooth_slope(j, slope_at, &curvature)) {
            hold(j, FUN_hvp, "forward over reverse",
                 times_direction(j, FUN_hvp, at), curvature);
            hold(j, FUN_second, "reverse over reverse",
                 times_direction(j, FUN_second, at), curvature);
        }
    }
    if (smooth_slope(j, bent_at, &curvature))
        hold(j, FUN_bent, "sparse hessian",
             matrix_slope(j, FUN_bent, j->point.along.v), curvature);
    if (smooth_slope(j, each_at, &each)) {
        hold(j, FUN_jacobian, "jacobian",
             matrix_slope(j, FUN_jacobian, j->point.weight), each);
        hold(j, FUN_rows, "sparse jacobian",
             matrix_slope(j, FUN_rows, j->point.weight), each);
    }
}

/* All */

static Jit *make_code(Judge *j, Side *side, bool machine_code)
{
    Function *f[NFUNS];
    Schedule *s[NFUNS];
    const char *error = NULL;

    for (int i = 0; i < NFUNS; i++)
        f[i] = side->fun[i].f;
    simplify_functions(side->graph, f, NFUNS);
    expand_functions(side->graph, f, NFUNS);
    for (int i = 0; i < NFUNS; i++) {
        side->fun[i].schedule = s[i] = schedule(j->arena, side->graph, f[i]);
        schedule_verify(s[i]);
    }
    if (!machine_code)
        return NULL;
    /* Functions of an expression have names that are none in C. */
    Module *m = program_module(side->program);
    for (int i = 0; i < NFUNS; i++)
        f[i]->name = arena_printf(j->arena, "f%d", i);
    ModuleInput in = {m, s, NFUNS};
    TargetOptions o = {.cpu = "native", .optimise = 0};
    Jit *jit = jit_open(&in, &o, &error);
    if (!jit)
        wrong(j, "code", "%s", error);
    for (int i = 0; jit && i < NFUNS; i++)
        side->fun[i].code = jit_module(jit)->function[i];
    return jit;
}

static void judge_point(Judge *j)
{
    double *out[MAX_LEAVES];

    for (int i = 0; i < NFUNS && !j->wrong; i++) {
        EvalStatus status = evaluate(j, i, &j->point.at, out);
        if (status == EVAL_BAD_INDEX)
            wrong(j, "index", "%s: the evaluator finds an index outside",
                  expression[i]);
        if (status == EVAL_BAD_DIM)
            continue;
        compare_plain(j, i, status, out);
        simulate(j, i, status, out);
        if (j->made.fun[i].code)
            call(j, i, out);
    }
    for (int i = 0; j->single.graph && !j->point.edges && i < NFUNS; i++)
        call_single(j, i);
    if (!j->wrong)
        check_derivatives(j);
    if (!j->wrong)
        check_adjoint(j);
    if (!j->wrong)
        check_hessian(j);
}

static bool has_any(const char *text, const char *const *word)
{
    for (; *word; word++)
        if (strstr(text, *word))
            return true;
    return false;
}

const char *judge(Arena *a, const char *text, bool machine_code)
{
    static const char *const kinks[] = {"max(",   "min(",     "abs(",
                                        "sort(",  "if ",      "where(",
                                        "clamp(", "argsort(", NULL};
    static const char *const roots[] = {"std(", "norm(", "sqrt(", "hypot(",
                                        NULL};
    Judge j = {.arena = a, .point = point_draw(0)};

    j.kinks = has_any(text, kinks);
    j.roots = has_any(text, roots);

    if (!load_side(&j, &j.made, text, DT_f64, false) ||
        !load_side(&j, &j.plain, text, DT_f64, true))
        return j.wrong;
    Jit *jit = make_code(&j, &j.made, machine_code), *single = NULL;
    if (machine_code && load_side(&j, &j.single, text, DT_f32, false))
        single = make_code(&j, &j.single, true);
    for (int i = 0; i < POINTS && !j.wrong; i++) {
        j.point = point_draw(i);
        judge_point(&j);
    }
    jit_close(jit);
    jit_close(single);
    return j.wrong;
}
