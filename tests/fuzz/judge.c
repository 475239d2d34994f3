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
    Node **derived;      /* as they are when they are differentiated */
    const char **name;   /* of the parameter that a leaf belongs to */
    Schedule *schedule;
    const nn_function *code;   /* or NULL */
    EvalDecisions *decided[2]; /* at the point; NULL: not yet */
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
    bool zeros; /* strong zeros are decided, too */
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
    Nodes param = function_inputs(j->arena, f);
    Nodes root = functions_roots(j->arena, &f, 1);
    LIST(const char *) name = {0};

    for (int i = 0; i < f->nparam; i++)
        for (int k = 0; k < f->param[i].nleaf; k++)
            list_push(j->arena, &name, f->param[i].name);
    *to = (Fun){.f = f,
                .nparam = param.n,
                .nroot = root.n,
                .param = param.at,
                .raw = root.at,
                .derived = root.at,
                .name = name.at};
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

static int inputs(Judge *j, const Fun *f, const Place *at, EvalInput *in,
                  int64_t *size)
{
    sizes(f, at, size);
    for (int i = 0; i < f->nparam; i++)
        in[i] = (EvalInput){f->param[i], argument(j, f, i, at)};
    return f->nparam;
}

/* Of the graph as it was made. */
static EvalStatus evaluate_fun(Judge *j, const Graph *g, const Fun *f,
                               const Place *at, double **out)
{
    EvalInput in[MAX_LEAVES];
    int64_t size[MAX_VARS];
    int n = inputs(j, f, at, in, size);

    return eval_nodes(j->arena, g, f->nroot, f->raw, n, in, f->f->nvar,
                      f->f->var, size, out);
}

static EvalStatus evaluate_side(Judge *j, const Side *s, int fun,
                                const Place *at, double **out)
{
    return evaluate_fun(j, s->graph, &s->fun[fun], at, out);
}

static EvalStatus decided(Judge *j, const Side *s, const Fun *f, Node **root,
                          const Place *at, EvalDecisions *d, double **out)
{
    EvalInput in[MAX_LEAVES];
    int64_t size[MAX_VARS];
    int n = inputs(j, f, at, in, size);

    return eval_as(j->arena, s->graph, f->nroot, root, n, in, f->f->nvar,
                   f->f->var, size, &(EvalHow){.decisions = d}, out);
}

/* What fun decides at the point. */
static EvalDecisions *decisions(Judge *j, Side *s, int fun)
{
    Fun *f = &s->fun[fun];
    EvalDecisions **d = &f->decided[j->zeros];
    double *out[MAX_LEAVES];

    if (!*d) {
        *d = eval_decisions(j->arena);
        if (j->zeros)
            eval_decide_zeros(*d);
        decided(j, s, f, f->derived, &j->point.at, *d, out);
    }
    return *d;
}

/* Beside the point: as the program goes on that was taken there. */
static EvalStatus evaluate_beside(Judge *j, Side *s, int fun, const Place *at,
                                  double **out)
{
    const Fun *f = &s->fun[fun];

    return decided(j, s, f, f->derived, at, decisions(j, s, fun), out);
}

/* Is a number on the way to fun's value infinite or NaN. */
static bool meets_infinite(Judge *j, const Side *s, int fun)
{
    EvalDecisions *d = eval_decisions(j->arena);
    const Fun *f = &s->fun[fun];
    double *out[MAX_LEAVES];

    return decided(j, s, f, f->raw, &j->point.at, d, out) != EVAL_OK ||
           eval_infinite(d);
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
static bool values_on_the_way(Judge *j, const Side *s, int fun, Way *to)
{
    const Fun *f = &s->fun[fun];
    Fun all = *f;
    Reach r = reach_enter(s->graph, j->arena, 0, false, f->nroot, f->raw);
    LIST(Node *) root = {0};

    for (int i = 0; i < r.n; i++)
        if (dtype_is_real(r.node[i]->dtype) && !node_has_region(r.node[i]))
            list_push(j->arena, &root, r.node[i]);
    reach_leave(&r);
    all.nroot = to->n = root.n;
    all.raw = to->node = root.at;
    to->value = NEWN(j->arena, double *, root.n + 1);
    return evaluate_fun(j, s->graph, &all, &j->point.at, to->value) == EVAL_OK;
}

/* The largest magnitude of them; NAN is INFINITY. */
static double largest(Judge *j, const Side *s, int fun)
{
    const Fun *f = &s->fun[fun];
    double most = 0;
    Way w;

    if (!values_on_the_way(j, s, fun, &w))
        return INFINITY;
    for (int i = 0; i < w.n; i++)
        for (int64_t k = elements(f, w.node[i], &j->point.at); k-- > 0;)
            most = isnan(w.value[i][k]) ? INFINITY
                                        : fmax(most, fabs(w.value[i][k]));
    return most;
}

/* NULL: no real one. */
static const double *value_of(const Way *w, const Node *n)
{
    for (int i = 0; i < w->n; i++)
        if (w->node[i] == n)
            return w->value[i];
    return NULL;
}

/* Is there an element of an operation on two for which `holds`. */
static bool any_on_the_way(Judge *j, const Side *s, int fun,
                           bool (*holds)(const Node *n, double a, double b,
                                         double result))
{
    const Fun *f = &s->fun[fun];
    Way w;

    if (!values_on_the_way(j, s, fun, &w))
        return false;
    for (int i = 0; i < w.n; i++) {
        const Node *n = w.node[i];
        if (op_table[n->op]->cls != OPC_ewise || n->narg != 2)
            continue;
        const double *a = value_of(&w, n->arg[0]), *b = value_of(&w, n->arg[1]);
        for (int64_t k = elements(f, n, &j->point.at); a && b && k-- > 0;)
            if (holds(n, a[k], b[k], w.value[i][k]))
                return true;
    }
    return false;
}

/* The sum of opposite infinities: of sqrt(f(x) - x) where f(x) is x. */
static bool is_opposite(const Node *n, double a, double b, double result)
{
    return (n->op == OP_add || n->op == OP_sub) && isnan(result) && isinf(a) &&
           isinf(b);
}

/* An infinity that has the sign of a zero, which a sum of zeros need not keep.
 */
static bool is_by_zero(const Node *n, double a, double b, double result)
{
    (void)a;
    return n->op == OP_div && b == 0 && isinf(result);
}

static bool has_nan(int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return true;
    return false;
}

/* Is something that is no number compared, or put in order: where it stays as
 * it was written, which no rule need leave it. */
static bool decides_by_nan(Judge *j, const Side *s, int fun)
{
    const Fun *f = &s->fun[fun];
    bool decides = false;
    Way w;

    if (!values_on_the_way(j, s, fun, &w))
        return false;
    Reach r = reach_enter(s->graph, j->arena, 0, false, f->nroot, f->raw);
    for (int i = 0; i < r.n && !decides; i++)
        for (int k = 0; k < r.node[i]->narg; k++) {
            const Node *x = r.node[i]->arg[k];
            const double *v =
                dtype_is_real(r.node[i]->dtype) ? NULL : value_of(&w, x);
            decides |= v && has_nan(elements(f, x, &j->point.at), v);
        }
    reach_leave(&r);
    return decides;
}

static bool has_opposites(Judge *j, const Side *s, int fun)
{
    return any_on_the_way(j, s, fun, is_opposite);
}

static bool is_of_each(int fun)
{
    return fun == FUN_each || fun == FUN_jacobian || fun == FUN_rows ||
           fun == FUN_push || fun == FUN_pull;
}

static bool is_near(double got, double want)
{
    return !isfinite(want) || fabs(got - want) <= 1e-8 * (1 + fabs(want));
}

static bool all_near(int64_t n, const double *got, const double *want)
{
    for (int64_t i = 0; i < n; i++)
        if (!is_near(got[i], want[i]))
            return false;
    return true;
}

static bool is_second(int fun)
{
    return fun == FUN_hvp || fun == FUN_second || fun == FUN_hessian ||
           fun == FUN_bent;
}

/* Is this a second derivative where the first is made of infinities: a limit
 * that nobody took, and what is rounded otherwise may be NaN. */
static bool singular(Judge *j, const Side *s, int fun)
{
    return is_second(fun) && meets_infinite(j, s, FUN_grad);
}

/* Has the function a finite value here whose derivative fun is. */
static bool has_value(Judge *j, int fun)
{
    bool each = is_of_each(fun);
    double *out[MAX_LEAVES];

    if (evaluate(j, each ? FUN_each : FUN_value, &j->point.at, out) != EVAL_OK)
        return false;
    for (int64_t i = each ? j->point.at.n : 1; i-- > 0;)
        if (!isfinite(out[0][i]))
            return false;
    return true;
}

static bool is_value(int fun) { return fun == FUN_value || fun == FUN_each; }

/* A derivative where there is no value, or a second one where there is no
 * first. */
static bool is_none(Judge *j, int fun, double got)
{
    return (!isfinite(got) && singular(j, &j->made, fun)) ||
           (!is_value(fun) && j->point.edges && !has_value(j, fun));
}

/* What derivatives make of a number x is as far off as exp(x) may be. */
static double rounded(Judge *j, int fun)
{
    double most = largest(j, &j->made, fun);

    return is_value(fun) ? 0 : 0x1p-50 * most * most;
}

/* By rules an infinity may have gone that is in fun as it was made. */
static const double *without_infinite(Judge *j, int fun, int root,
                                      const double *want)
{
    const Fun *f = &j->made.fun[fun];
    EvalDecisions *d = eval_decisions(j->arena);
    double *out[MAX_LEAVES];

    if (is_value(fun) || !meets_infinite(j, &j->made, fun) ||
        decided(j, &j->made, f, f->derived, &j->point.at, d, out) != EVAL_OK)
        return want;
    return out[root];
}

static void compare(Judge *j, int fun, const char *by, int root, int64_t n,
                    const double *got, const double *want)
{
    if (!all_near(n, got, want))
        want = without_infinite(j, fun, root, want);
    for (int64_t i = 0; i < n; i++)
        if (!is_near(got[i], want[i]) && !is_none(j, fun, got[i]) &&
            !(fabs(got[i] - want[i]) <= rounded(j, fun)))
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
    double *want[MAX_LEAVES], most = largest(j, &j->made, fun);

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

typedef double Along(Judge *j, Side *s, double t);

/* Gradients by x, y, v and w times the direction. */
static double along(const Point *p, double *const *gradient)
{
    double sum = 0;

    for (int i = 0; i < 4; i++) {
        const double *d = place_number(&p->along, "xyvw"[i]);
        for (int64_t k = 0; k < (i < 2 ? 1 : p->at.n); k++)
            sum += d[k] * gradient[i][k];
    }
    return sum;
}

/* Of a gradient the slope, of a Hessian times the direction the curvature. */
static double times_direction(Judge *j, const Side *s, int fun)
{
    double *out[MAX_LEAVES];

    return evaluate_side(j, s, fun, &j->point.at, out) == EVAL_OK
               ? along(&j->point, out)
               : NAN;
}

static double value_at(Judge *j, Side *s, double t)
{
    double *out[MAX_LEAVES];
    Place at = point_moved(&j->point, t);

    return evaluate_beside(j, s, FUN_value, &at, out) == EVAL_OK ? out[0][0]
                                                                 : NAN;
}

static double slope_at(Judge *j, Side *s, double t)
{
    double *out[MAX_LEAVES];
    Place at = point_moved(&j->point, t);

    return evaluate_beside(j, s, FUN_grad, &at, out) == EVAL_OK
               ? along(&j->point, out)
               : NAN;
}

/* Result number `result` of fun times the weights, only v being moved. */
static double by_v_at(Judge *j, Side *s, int fun, int result,
                      const double *weight, double t)
{
    double *out[MAX_LEAVES], sum = 0;
    Place at = point_moved(&j->point, t), base = j->point.at;

    memcpy(base.v, at.v, sizeof base.v);
    if (evaluate_beside(j, s, fun, &base, out) != EVAL_OK)
        return NAN;
    for (int64_t i = 0; i < base.n; i++)
        sum += weight[i] * out[result][i];
    return sum;
}

static double each_at(Judge *j, Side *s, double t)
{
    return by_v_at(j, s, FUN_each, 0, j->point.weight, t);
}

/* The gradient by v along v's direction. */
static double bent_at(Judge *j, Side *s, double t)
{
    return by_v_at(j, s, FUN_grad, 2, j->point.along.v, t);
}

/* A matrix between weights and v's direction. */
static double matrix_slope(Judge *j, const Side *s, int fun,
                           const double *weight)
{
    const Point *p = &j->point;
    double *out[MAX_LEAVES], sum = 0;

    if (evaluate_side(j, s, fun, &p->at, out) != EVAL_OK)
        return NAN;
    for (int64_t i = 0; i < p->at.n; i++)
        for (int64_t k = 0; k < p->at.n; k++)
            sum += weight[i] * out[0][i * p->at.n + k] * p->along.v[k];
    return sum;
}

/* The derivative of f at 0, where it is smooth around 0 as far as differences
 * can tell: those of two steps are equal, and those of both sides nearly. */
static bool smooth_slope(Judge *j, Side *s, Along *f, double *slope)
{
    enum { STEPS = 3 };
    static const double step[STEPS] = {4e-4, 1e-4, 3e-5};
    double middle = f(j, s, 0), d[STEPS], most = 0;

    for (int i = 0; i < STEPS; i++) {
        double up = f(j, s, step[i]), down = f(j, s, -step[i]);
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

/* Does the program meet a tie at the point: what a constant is has no share in
 * it, and that is seen better with rules. */
static bool is_tied(Judge *j, int fun)
{
    return eval_tied(
        decisions(j, &j->made, is_of_each(fun) ? FUN_each : FUN_value));
}

/* What identities and rules make of a program has its value, and where there is
 * no tie and nothing infinite on the way its derivatives: 0 times infinity may
 * be in one form and not in another. */
static bool is_comparable(Judge *j, int fun)
{
    if (is_value(fun))
        return !any_on_the_way(j, &j->plain, fun, is_by_zero) &&
               !decides_by_nan(j, &j->plain, fun);
    return has_value(j, fun) && !is_tied(j, fun) &&
           !meets_infinite(j, &j->plain, fun);
}

static void compare_plain(Judge *j, int fun, EvalStatus status, double **got)
{
    const Fun *f = &j->made.fun[fun];
    double *want[MAX_LEAVES];

    if (evaluate_side(j, &j->plain, fun, &j->point.at, want) != status)
        wrong(j, "identity", "%s: another status, not %d", expression[fun],
              (int)status);
    for (int i = 0; !j->wrong && status == EVAL_OK && i < f->nroot; i++) {
        int64_t n = elements(f, f->raw[i], &j->point.at);
        if (!all_near(n, got[i], want[i]) && is_comparable(j, fun))
            compare(j, fun, "identity", i, n, got[i], want[i]);
    }
}

static bool is_slope(Judge *j, const Side *s, int fun, double got, double want)
{
    return fabs(got - want) <= 3e-4 * (1 + fabs(want)) ||
           fabs(got - want) <= 1e-10 * largest(j, s, fun);
}

/* Where something is infinite on the way a derivative may be NaN: a limit that
 * nobody took. What is left of large numbers has their error. */
static void hold(Judge *j, const Side *s, int fun, const char *kind, double got,
                 double want)
{
    if (!isfinite(got) && (singular(j, s, fun) || has_opposites(j, s, fun)))
        return;
    if (j->point.edges && !isfinite(got) &&
        meets_infinite(j, s, is_of_each(fun) ? FUN_each : FUN_value))
        return;
    if (!is_slope(j, s, fun, got, want))
        wrong(j, kind, "%s: along a direction %.9g, by differences %.9g",
              expression[fun], got, want);
}

/* A second derivative: of the first, as it goes on around or, where it is 0 by
 * a strong zero, as what stays 0. */
static void hold_second(Judge *j, Side *s, int fun, const char *kind,
                        Along *first, double got, double want)
{
    double slope;

    j->zeros = true;
    bool stays = singular(j, s, fun) && smooth_slope(j, s, first, &slope) &&
                 is_slope(j, s, fun, got, slope);
    j->zeros = false;
    if (!stays)
        hold(j, s, fun, kind, got, want);
}

static double forward_slope(Judge *j, const Side *s)
{
    double *out[MAX_LEAVES];

    if (evaluate_side(j, s, FUN_jvp, &j->point.at, out) != EVAL_OK)
        return NAN;
    return out[1][0];
}

/* One mode against another, where there is a value. */

static void same(Judge *j, int fun, const char *kind, double a, double b)
{
    bool finite = isfinite(a) && isfinite(b);

    if (j->point.edges && !finite)
        return;
    if (!finite && (meets_infinite(j, &j->made, fun) || !has_value(j, fun)))
        return;
    if (!(fabs(a - b) <= 1e-8 * (1 + fabs(b))) &&
        !(fabs(a - b) <= 1e-10 * largest(j, &j->made, fun)))
        wrong(j, kind, "%s: %.17g and %.17g", expression[fun], a, b);
}

/* <J v, w> = <v, J' w> */
static void check_adjoint(Judge *j)
{
    double *push[MAX_LEAVES], *pull[MAX_LEAVES], forward = 0, reverse;
    const Point *p = &j->point;

    if (evaluate(j, FUN_push, &p->at, push) != EVAL_OK ||
        evaluate(j, FUN_pull, &p->at, pull) != EVAL_OK)
        return;
    for (int64_t i = 0; i < p->at.n; i++)
        forward += p->weight[i] * push[1][i];
    reverse = along(p, pull + 1);
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

static void check_by_direction(Judge *j, Side *s)
{
    double slope, curvature;

    if (!smooth_slope(j, s, value_at, &slope))
        return;
    hold(j, s, FUN_grad, "reverse", times_direction(j, s, FUN_grad), slope);
    hold(j, s, FUN_jvp, "forward", forward_slope(j, s), slope);
    if (!smooth_slope(j, s, slope_at, &curvature))
        return;
    hold_second(j, s, FUN_hvp, "forward over reverse", slope_at,
                times_direction(j, s, FUN_hvp), curvature);
    hold_second(j, s, FUN_second, "reverse over reverse", slope_at,
                times_direction(j, s, FUN_second), curvature);
}

static void check_by_v(Judge *j, Side *s)
{
    double slope, curvature;

    if (smooth_slope(j, s, bent_at, &curvature))
        hold_second(j, s, FUN_bent, "sparse hessian", bent_at,
                    matrix_slope(j, s, FUN_bent, j->point.along.v), curvature);
    if (!smooth_slope(j, s, each_at, &slope))
        return;
    hold(j, s, FUN_jacobian, "jacobian",
         matrix_slope(j, s, FUN_jacobian, j->point.weight), slope);
    hold(j, s, FUN_rows, "sparse jacobian",
         matrix_slope(j, s, FUN_rows, j->point.weight), slope);
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
    for (int i = 0; i < NFUNS; i++)
        side->fun[i].derived = functions_roots(j->arena, &f[i], 1).at;
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
    Side *side[] = {&j->made, &j->plain};
    for (int i = 0; i < 2 && !j->wrong; i++)
        if (i == 0 || is_tied(j, FUN_value))
            check_by_direction(j, side[i]);
    for (int i = 0; i < 2 && !j->wrong; i++)
        if (i == 0 || is_tied(j, FUN_each))
            check_by_v(j, side[i]);
    if (!j->wrong)
        check_adjoint(j);
    if (!j->wrong)
        check_hessian(j);
}

static void point_begin(Judge *j, int number)
{
    j->point = point_draw(number);
    for (int i = 0; i < 2 * NFUNS; i++)
        j->made.fun[i / 2].decided[i % 2] = j->plain.fun[i / 2].decided[i % 2] =
            NULL;
}

const char *judge(Arena *a, const char *text, bool machine_code)
{
    Judge j = {.arena = a, .point = point_draw(0)};

    if (!load_side(&j, &j.made, text, DT_f64, false) ||
        !load_side(&j, &j.plain, text, DT_f64, true))
        return j.wrong;
    Jit *jit = make_code(&j, &j.made, machine_code), *single = NULL;
    if (machine_code && load_side(&j, &j.single, text, DT_f32, false))
        single = make_code(&j, &j.single, true);
    for (int i = 0; i < POINTS && !j.wrong; i++) {
        point_begin(&j, i);
        judge_point(&j);
    }
    jit_close(jit);
    jit_close(single);
    return j.wrong;
}
