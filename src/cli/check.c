/* check.c: nncc check: every exported derivative against central differences,
 * every exported function against the reference evaluator, in float64. */

#include "cli/check.h"

#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points that are tried before a derivative is held against the other mode. */
enum { MOST_POINTS = 6 };

typedef struct Check {
    const Args *args;
    Load *load;
    Points points;
    int done, failed;
    const char *stopped; /* where the reference was, or NULL */
} Check;

/* Reporting */

static void report(Check *c, const char *function, const char *what,
                   double error, const char *note)
{
    bool colour = cli_colour(stdout), good = error <= check_tolerance;

    c->done++;
    c->failed += !good;
    printf("%-20s  %-16s  %s%s%s  %.1e%s%s\n", function, what,
           !colour ? ""
           : good  ? "\033[32m"
                   : "\033[31;1m",
           good ? "ok " : "OFF", colour ? "\033[0m" : "", error,
           note ? "  " : "", note ? note : "");
}

/* Neither right nor off. */
static void report_unjudged(const char *function, const char *what)
{
    printf("%-20s  %-16s  ?    differences disagree wherever it was tried\n",
           function, what);
}

static void report_none(Check *c, const char *function, int status)
{
    c->done++;
    c->failed++;
    printf("%-20s  not checked: %s\n", function,
           c->points.too_large ? "it is too large"
           : status == NN_OK   ? "no arguments found at which it is finite"
                               : nncc_last_error());
}

/* The reference finds an index outside where what is compiled does not. */
static const char *stop_text(const Check *c, const EvalStop *stop)
{
    Span at = stop->node->span;
    const Diags *d = c->load->module->sources;
    const Source *s = at.end ? diags_source_of(d, at) : NULL;
    int line = 0, column = 0;

    if (s)
        diags_position(d, at, &line, &column);
    return arena_printf(c->args->arena,
                        "%s:%d: index %lld of '%s' is not in 0 ... %lld",
                        s ? s->path : "?", line, (long long)stop->index,
                        s ? source_text(c->args->arena, s, at) : "?",
                        (long long)stop->limit - 1);
}

/* Against the reference evaluator */

/* numbers: only where the evaluator's is one, for what is compiled may be more
 * stable. */
static double distance(const nncc_tensor *t, const double *want, bool numbers)
{
    int64_t n = tensor_elements(t);
    double most = 0, scale = 1e-6;

    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i]))
            scale = fmax(scale, fabs(want[i]));
    for (int64_t i = 0; i < n; i++) {
        double got = value_get(t, i);
        if (numbers && !isfinite(want[i]))
            continue;
        bool same = got == want[i] || (isnan(got) && isnan(want[i]));
        double d = same ? 0 : fabs(got - want[i]) / scale;
        most = isnan(d) ? INFINITY : fmax(most, d);
    }
    return most;
}

static double spread(int64_t n, const double *x, const double *y)
{
    double most = 0, scale = 1e-6;

    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            scale = fmax(scale, fabs(x[i]));
            most = fmax(most, fabs(x[i] - y[i]));
        }
    return most / scale;
}

static const double *as_doubles(Arena *a, const nncc_tensor *t)
{
    int64_t n = tensor_elements(t);
    double *v = NEWN(a, double, n + 1);

    for (int64_t i = 0; i < n; i++)
        v[i] = value_get(t, i);
    return v;
}

/* f's results as its graph was before any pass, at base's arguments. */
static EvalStatus reference(Arena *a, const Load *l, const Function *f,
                            const Roots *raw, const Instance *base,
                            bool rounded, double **out, EvalStop *stop)
{
    EvalInput *in = NEWN(a, EvalInput, base->nparam + 1);
    int n = 0;

    for (int i = 0; i < f->nparam; i++)
        for (int k = 0; k < f->param[i].nleaf; k++, n++)
            in[n] =
                (EvalInput){f->param[i].leaf[k], as_doubles(a, base->leaf[n])};
    if (rounded)
        return eval_rounded(a, l->module->graph, raw->n, raw->at, n, in,
                            f->nvar, f->var, base->dims, out);
    return eval_until_stop(a, l->module->graph, raw->n, raw->at, n, in, f->nvar,
                           f->var, base->dims, out, stop);
}

/* How far f's results are off at p->base; false: too large to evaluate. */
static bool value_error(Check *c, const Pair *p, const Roots *raw, bool numbers,
                        double *error)
{
    Arena *a = arena_new();
    double **out = NEWN(a, double *, raw->n + 1);
    EvalStop stop = {0};
    EvalStatus status =
        reference(a, c->load, p->f, raw, &p->base, false, out, &stop);
    int at = 0;

    *error = status == EVAL_OK ? 0 : INFINITY;
    c->stopped = status == EVAL_BAD_INDEX ? stop_text(c, &stop) : NULL;
    if (status == EVAL_OK)
        for (int i = 0; i < p->d.f->nresult; i++)
            for (int k = 0; k < p->d.f->result[i]->nleaf; k++)
                *error = fmax(*error, distance(instance_result(&p->d, i, k),
                                               out[at++], numbers));
    arena_free(a);
    c->points.too_large = status == EVAL_BAD_DIM;
    return status != EVAL_BAD_DIM;
}

/* What the derivative by parameter number k is called. */
static const char *label(const Check *c, const Pair *p, int k, int at)
{
    const nn_function *f = p->d.f;
    int leaf = p->f->deriv == DERIV_jvp ? p->nvalue
               : pair_with_value(p)     ? p->nvalue + at
               : pair_is_matrix(p)      ? pair_matrix_leaf(p, 0, k)
                                        : at;
    int i = 0;

    for (; i + 1 < f->nresult && leaf >= f->result[i]->nleaf; i++)
        leaf -= f->result[i]->nleaf;
    if (p->f->deriv == DERIV_jvp && p->f->nby > 1)
        return arena_printf(c->args->arena, "%s by %s", f->result[i]->name,
                            f->param[p->f->by[k]]->name);
    return f->result[i]->name;
}

/* A function to check, and the names it and its primal are compiled under. */
typedef struct Checked {
    Function *f;
    const char *name, *primal;
    Roots raw;
    bool trained;
    const char *expression; /* that the primal is, if not its name */
} Checked;

static const nn_function *compiled(const Check *c, const char *name)
{
    const nn_function *f = NULL;

    if (nncc_find(c->points.model, name, &f) != NN_OK)
        die("no function '%s' in the module just made", name);
    return f;
}

static Pair pair_new(Check *c, const Checked *one)
{
    const nn_function *d = compiled(c, one->name);
    Pair p = {.f = one->f,
              .expression = one->expression,
              .d = instance_new(&c->points, d),
              .base = instance_new(&c->points, d)};

    if (one->primal) {
        p.primal = instance_new(&c->points, compiled(c, one->primal));
        p.nvalue = nncc_result_leaves(p.primal.f);
        p.first_only = one->trained && one->f->deriv == DERIV_vjp;
    }
    return p;
}

static void pair_free(Pair *p)
{
    instance_free(&p->d);
    instance_free(&p->base);
    instance_free(&p->primal);
}

/* The other mode */

/* jvp of the same function by the same parameters, if that has a name: what
 * `nncc run` would take. */
static Function *forward_of(Check *c, const Pair *p)
{
    const Function *f = p->f;
    Str s = str_new(c->args->arena);

    if (!f->primal || f->primal->deriv != DERIV_none ||
        (f->deriv != DERIV_grad && f->deriv != DERIV_value_and_grad &&
         f->deriv != DERIV_vjp))
        return NULL;
    str_printf(&s, "jvp(%s", p->expression ? p->expression : f->primal->name);
    for (int k = 0; k < f->nby; k++)
        str_printf(&s, ", %s", f->primal->param[f->by[k]].name);
    str_printf(&s, ")");
    return program_function(c->load->program, s.at);
}

/* The base's leaf number i of those differentiated by. */
static const nncc_tensor *by_leaf(const Pair *p, int i)
{
    int k = 0;

    for (; i >= p->primal.f->param[p->f->by[k]]->nleaf; k++)
        i -= p->primal.f->param[p->f->by[k]]->nleaf;
    return p->base.leaf[nncc_param_leaf(p->primal.f, p->f->by[k]) + i];
}

/* The error of p by k against forward mode; false: there is none. */
static bool held_by_forward(Check *c, Pair *p, int k, int at, double *error)
{
    Function *f = forward_of(c, p);
    Jit *jit = f ? driver_jit(c->load, &f, 1) : NULL;
    nncc_model *own = c->points.model, *model = NULL;
    bool done = jit && nncc_wrap(jit_module(jit), &model) == NN_OK;

    if (done) {
        Instance i = instance_new(&c->points, jit_module(jit)->function[0]);
        for (int l = 0, e = 0; l < i.nparam; l++) {
            const nncc_tensor *like =
                l < p->primal.nparam ? p->base.leaf[l] : by_leaf(p, e++);
            done = done && nncc_tensor_new(like->dtype, like->rank, like->size,
                                           &i.leaf[l]) == NN_OK;
        }
        for (int d = 0; d < i.f->ndim; d++)
            i.dims[d] = -1;
        if (done)
            *error = difference_of_modes(&c->points, p, k, at, model, &i);
        instance_free(&i);
    }
    c->points.model = own;
    nncc_close(model);
    jit_close(jit);
    return done;
}

/* All of a function */

/* By parameter number k, at one point after another until differences judge. */
static void check_by(Check *c, Pair *p, int k, int at, int next)
{
    const char *what = label(c, p, k, at);
    double error = 0;
    int status;
    Verdict v = difference_verdict(&c->points, p, k, at, &error);

    for (int i = 1; v == VERDICT_unjudged && i < MOST_POINTS && next >= 0;
         i++) {
        next = point_next(&c->points, p, next, &status);
        if (next >= 0)
            v = difference_verdict(&c->points, p, k, at, &error);
    }
    if (v != VERDICT_unjudged)
        report(c, p->f->name, what, error, NULL);
    else if (held_by_forward(c, p, k, at, &error))
        report(c, p->f->name, what, error,
               "by forward mode: differences disagree");
    else
        report_unjudged(p->f->name, what);
}

/* At zeros, ties, infinities, NaN and without rows: the value where the
 * evaluator's is a number, the derivative where differences judge. */
static void check_edges(Check *c, Pair *p, const Roots *raw)
{
    double worst = 0, off = 0, error;
    int values = 0, judged = 0;

    for (int e = 0; e < EDGES; e++) {
        if (!point_edge(&c->points, p, e))
            continue;
        if (value_error(c, p, raw, true, &error)) {
            values++;
            worst = fmax(worst, error);
        }
        for (int k = 0, at = 0; p->primal.f && k < p->f->nby; k++) {
            Verdict v = difference_verdict(&c->points, p, k, at, &error);
            at += p->primal.f->param[p->f->by[k]]->nleaf;
            judged += v != VERDICT_unjudged;
            off = v == VERDICT_off ? fmax(off, error) : off;
        }
    }
    if (values)
        report(c, p->f->name, "value at edges", worst,
               arena_printf(c->args->arena, "%d points", values));
    if (judged)
        report(c, p->f->name, "slope at edges", off,
               arena_printf(c->args->arena, "%d judged", judged));
}

/* How far apart the evaluator's results are when sums are rounded otherwise. */
static double sensitivity(Check *c, Pair *p, const Roots *raw)
{
    Arena *a = arena_new();
    double **one = NEWN(a, double *, raw->n + 1);
    double **two = NEWN(a, double *, raw->n + 1), most = 0;
    int at = 0;

    if (reference(a, c->load, p->f, raw, &p->base, false, one, NULL) ==
            EVAL_OK &&
        reference(a, c->load, p->f, raw, &p->base, true, two, NULL) == EVAL_OK)
        for (int i = 0; i < p->d.f->nresult; i++)
            for (int k = 0; k < p->d.f->result[i]->nleaf; k++, at++)
                most = fmax(
                    most, spread(tensor_elements(instance_result(&p->d, i, k)),
                                 one[at], two[at]));
    arena_free(a);
    return most;
}

/* A function may be so sensitive that rounding alone tells two ways to compute
 * it apart: then its own sensitivity is what its value is held to. */
static void check_value(Check *c, Pair *p, const Roots *raw, double error)
{
    enum { ROUNDINGS = 100 };

    if (error > check_tolerance && error < ROUNDINGS * sensitivity(c, p, raw))
        report(c, p->f->name, "value", 0,
               arena_printf(c->args->arena,
                            "%.1e, as the last bits of its sums make", error));
    else
        report(c, p->f->name, "value", error, c->stopped);
}

static void check_function(Check *c, const Checked *one)
{
    Pair p = pair_new(c, one);
    int status = NN_OK;
    double error;

    c->points.too_large = false;
    int next = point_next(&c->points, &p, 0, &status);
    if (c->points.bad) {
        c->failed++;
    } else if (next < 0 || !value_error(c, &p, &one->raw, false, &error)) {
        report_none(c, one->f->name, next < 0 ? status : NN_OK);
    } else {
        check_value(c, &p, &one->raw, error);
        for (int k = 0, at = 0; p.primal.f && k < p.f->nby; k++) {
            check_by(c, &p, k, at, next);
            at += p.primal.f->param[p.f->by[k]]->nleaf;
        }
        if (option_value(c->args, "edges"))
            check_edges(c, &p, &one->raw);
    }
    pair_free(&p);
}

/* All of a module */

typedef struct Plan {
    LIST(Checked) checked;
    LIST(Function *) compiled;
} Plan;

static Function *renamed(Arena *a, const Function *f, const char *name)
{
    Function *copy = arena_copy(a, f, sizeof *f);

    copy->name = name;
    return copy;
}

/* f, compiled under that name, and what it is the derivative of; where that is
 * a derivative itself, it is checked too. */
static void add_checked(const Load *l, Plan *to, Function *f, const char *name,
                        bool trained, const char *expression)
{
    Checked one = {.f = f,
                   .name = name,
                   .raw = driver_roots(l->arena, &f, 1),
                   .trained = trained,
                   .expression = expression};
    Function *primal = f->deriv != DERIV_none ? f->primal : NULL;

    list_push(l->arena, &to->compiled, renamed(l->arena, f, name));
    if (primal)
        one.primal = arena_printf(l->arena, "%s__primal", name);
    list_push(l->arena, &to->checked, one);
    if (primal && primal->deriv != DERIV_none)
        add_checked(l, to, primal, one.primal, false, NULL);
    else if (primal)
        list_push(l->arena, &to->compiled,
                  renamed(l->arena, primal, one.primal));
}

/* All that is exported, the loss that is trained, the derivatives that
 * `derivative` items give, and what nothing else has given types to. */
static Plan plan_of(const Load *l, int nsample, const Sample *sample)
{
    Plan all = {0};
    int n;
    Function *trained = program_trained(l->program);
    Function **own = program_derivatives(l->program, &n);

    for (int i = 0; i < l->module->function.n; i++)
        add_checked(l, &all, l->module->function.at[i],
                    l->module->function.at[i]->name, false, NULL);
    if (trained)
        add_checked(l, &all, trained,
                    arena_printf(l->arena, "%s__trained", trained->name), true,
                    NULL);
    for (int i = 0; i < n; i++)
        add_checked(l, &all, own[i],
                    arena_printf(l->arena, "%s__derivative", own[i]->name),
                    false, NULL);
    for (int i = 0; i < nsample; i++)
        if (sample[i].function)
            add_checked(l, &all, sample[i].function,
                        arena_printf(l->arena, "%s__sample", sample[i].name),
                        false, sample[i].expression);
    return all;
}

/* Functions that no call has given types to, and that take none of those tried.
 */
static void tell_unchecked(int nsample, const Sample *sample)
{
    for (int i = 0; i < nsample; i++)
        if (!sample[i].function)
            printf("%-20s  not looked into: %s\n", sample[i].name,
                   sample[i].why);
}

static int check_module(Check *c)
{
    Load *l = c->load;
    int nsample;
    Sample *sample = program_samples(l->program, &nsample);
    Plan all = plan_of(l, nsample, sample);

    if (all.compiled.n == 0)
        return cli_fail("%s exports nothing, so there is nothing to check",
                        l->path);
    Jit *j = driver_jit(l, all.compiled.at, all.compiled.n);
    if (!j)
        return EXIT_FAILURE;
    if (nncc_wrap(jit_module(j), &c->points.model) != NN_OK) {
        jit_close(j);
        return cli_fail("%s", nncc_last_error());
    }
    for (int i = 0; i < all.checked.n && !c->points.bad; i++)
        check_function(c, &all.checked.at[i]);
    nncc_close(c->points.model);
    jit_close(j);
    tell_unchecked(nsample, sample);
    if (c->points.bad || points_unused(&c->points))
        return EXIT_FAILURE;
    if (c->failed)
        return cli_fail("%d of %d checks failed", c->failed, c->done);
    return EXIT_SUCCESS;
}

static int check(Args *a)
{
    Load l = {0};
    Check c = {.args = a, .load = &l};

    if (a->word.n > 1)
        return cli_usage(a, "one model at a time: what is '%s'?",
                         a->word.at[1]);
    int status = points_options(a, &c.points);
    if (!status)
        status = driver_load(a, a->word.at[0], DT_f64, &l);
    return status ? status : check_module(&c);
}

static const Option options[] = {
    {"dim", 0, "NAME=SIZE", "fix a dimension of the model"},
    {"at", 0, "NAME=VALUE", "this argument instead of random ones"},
    {"range", 0, "[NAME=]FROM:TO", "draw arguments from there"},
    {"edges", 0, NULL, "at zeros, ties, infinities, NaN and no rows as well"},
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
