/* gradcheck.c: what is checked of a program, and how often. */

#include "gradcheck/internal.h"

#include <math.h>

/* Points that are tried before a derivative is held against the other mode. */
enum { MOST_POINTS = 6 };

typedef struct Check {
    Arena *arena;
    Program *program;
    Module *module;
    const GradcheckOptions *o;
    Points points;
} Check;

/* Names in machine code go with it. */
static const char *lasting(const Check *c, const char *s)
{
    return s ? arena_printf(c->arena, "%s", s) : NULL;
}

static void report(Check *c, GradcheckOutcome outcome, const char *function,
                   const char *what, double error, const char *note)
{
    GradcheckResult r = {outcome, lasting(c, function), lasting(c, what), error,
                         lasting(c, note)};

    c->o->found(c->o->user, &r);
}

static void compare(Check *c, const char *function, const char *what,
                    double error, const char *note)
{
    report(c, error <= gradcheck_tolerance ? GRADCHECK_right : GRADCHECK_off,
           function, what, error, note);
}

static const char *why_untried(const Check *c, int status)
{
    return c->points.too_large ? "it is too large"
           : status == NN_OK   ? "no arguments found at which it is finite"
                               : nncc_last_error();
}

static bool reference_within(Check *c, const Pair *p, Reference *ref,
                             bool numbers, double *error)
{
    bool done = reference_error(ref, p, numbers, error);

    c->points.too_large = !done;
    return done;
}

static const char *sparse_label(const Check *c, const Pair *p, int k)
{
    const char *name = p->d.f->result[2]->name;

    return p->f->nby == 1 ? name
                          : arena_printf(c->arena, "%s by %s", name,
                                         p->d.f->param[p->f->by[k]]->name);
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

    if (deriv_modes[p->f->deriv].sparse)
        return sparse_label(c, p, k);
    for (; i + 1 < f->nresult && leaf >= f->result[i]->nleaf; i++)
        leaf -= f->result[i]->nleaf;
    if (p->f->deriv == DERIV_jvp && p->f->nby > 1)
        return arena_printf(c->arena, "%s by %s", f->result[i]->name,
                            f->param[p->f->by[k]]->name);
    return f->result[i]->name;
}

/* A function to check, and the names it and its primal are compiled under. */
typedef struct Checked {
    Function *f;
    const char *name, *primal;
    Nodes root; /* its results, before any pass */
    Nodes primal_root;
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

    if (!f->primal || f->primal->deriv != DERIV_none ||
        (f->deriv != DERIV_grad && f->deriv != DERIV_value_and_grad &&
         f->deriv != DERIV_vjp))
        return NULL;
    return program_function(
        c->program, deriv_text(c->arena, "jvp",
                               p->expression ? p->expression : f->primal->name,
                               f->primal, f->nby, f->by));
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
    Jit *jit = f ? c->o->compile(c->o->user, &f, 1) : NULL;
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

/* A function may be so sensitive that rounding alone tells two ways to compute
 * it apart: then its own sensitivity is what it is held to. Where that is as
 * large as its value, the solution of a singular system, say, no digit is known
 * of it, nor whether it is finite. */
static bool is_rounding(const Pair *p, double error)
{
    enum { ROUNDINGS = 100 };

    if (error <= gradcheck_tolerance)
        return false;
    double rounding = ROUNDINGS * reference_sensitivity(p->reference, p);
    return error <= rounding || rounding >= 1;
}

/* Or what differs by it, as last bits make. */
static void compare_rounded(Check *c, const Pair *p, const char *what,
                            double error, const char *note)
{
    if (is_rounding(p, error))
        compare(c, p->f->name, what, 0,
                arena_printf(c->arena, "%.1e, as last bits make", error));
    else
        compare(c, p->f->name, what, error, note);
}

/* Is the derivative right a little further. */
static bool right_beside(Check *c, Pair *p, int k, int at)
{
    Arena *a = arena_new();
    nncc_tensor **kept = NEWN(a, nncc_tensor *, p->base.nparam + 1);
    bool right = true;
    double error;

    for (int i = 0; right && i < p->base.nparam; i++) {
        const nncc_tensor *t = p->base.leaf[i];
        right = nncc_tensor_new(t->dtype, t->rank, t->size, &kept[i]) == NN_OK;
        if (right)
            tensor_copy(kept[i], t);
    }
    right = right && point_shift(&c->points, p) &&
            difference_verdict(&c->points, p, k, at, &error) == VERDICT_right;
    for (int i = 0; i < p->base.nparam && kept[i]; i++) {
        tensor_copy(p->base.leaf[i], kept[i]);
        nncc_tensor_free(kept[i]);
    }
    arena_free(a);
    return right && point_again(&c->points, p);
}

/* Why differences of the program as it went on that was decided are no judge
 * either: what looks for a solution found none, an infinity was met, or at a
 * tie the rules have left another program. */
static bool is_no_judge(Check *c, Pair *p, int k, int at, double error,
                        const EvalDecisions *d)
{
    return eval_unfinished(d) || (isinf(error) && eval_infinite(d)) ||
           (isfinite(error) && eval_tied(d) && right_beside(c, p, k, at));
}

/* By the compiled function, and where it says off, by what the program is under
 * the decisions that it makes at the point: there what a choice between equals
 * shares and what is stopped is smooth, and what is stopped stays. */
static Verdict verdict(Check *c, Pair *p, int k, int at, double *error)
{
    Verdict v = difference_verdict(&c->points, p, k, at, error), again;
    Arena *a = arena_new();
    EvalDecisions *d = eval_decisions(a);
    double other;

    if (v == VERDICT_off && p->reference->primal) {
        p->decided = d;
        again = difference_verdict(&c->points, p, k, at, &other);
        p->decided = NULL;
        if (again == VERDICT_right) {
            *error = other;
            v = again;
        } else if (is_no_judge(c, p, k, at, *error, d) ||
                   is_rounding(p, *error)) {
            v = VERDICT_unjudged;
        }
    }
    arena_free(a);
    return v;
}

/* By parameter number k, at one point after another until differences judge. */
static void check_by(Check *c, Pair *p, int k, int at, int next)
{
    const char *what = label(c, p, k, at);
    double error = 0;
    int status;
    Verdict v = verdict(c, p, k, at, &error);

    for (int i = 1; v == VERDICT_unjudged && i < MOST_POINTS && next >= 0;
         i++) {
        next = point_next(&c->points, p, next, &status);
        if (next >= 0)
            v = verdict(c, p, k, at, &error);
    }
    if (v != VERDICT_unjudged)
        compare(c, p->f->name, what, error, NULL);
    else if (held_by_forward(c, p, k, at, &error))
        compare_rounded(c, p, what, error,
                        "by forward mode: differences disagree");
    else
        report(c, GRADCHECK_unjudged, p->f->name, what, 0, NULL);
}

/* At an edge differences are no judge of what is multiplied by an infinite
 * argument. */
static Verdict edge_verdict(Check *c, Pair *p, int k, int at, double *error)
{
    Verdict v = verdict(c, p, k, at, error);

    return v == VERDICT_off && isinf(*error) && !point_is_finite(p)
               ? VERDICT_unjudged
               : v;
}

/* Is it that an infinite argument is multiplied by a sum of nothing: it may
 * stand in the sum or beside it. */
static bool infinite_of_none(const Pair *p, double error)
{
    bool none = false;

    for (int i = 0; i < p->base.f->ndim; i++)
        none = none || p->base.dims[i] == 0;
    return isinf(error) && none && !point_is_finite(p);
}

/* At zeros, ties, infinities, NaN and without rows: the value where the
 * evaluator's is a number, the derivative where differences judge. */
static void check_edges(Check *c, Pair *p, Reference *ref)
{
    double worst = 0, off = 0, error;
    int values = 0, judged = 0;

    for (int e = 0; e < EDGES; e++) {
        if (!point_edge(&c->points, p, e))
            continue;
        if (reference_within(c, p, ref, true, &error)) {
            values++;
            if (!infinite_of_none(p, error) && !is_rounding(p, error))
                worst = fmax(worst, error);
        }
        for (int k = 0, at = 0; p->primal.f && k < p->f->nby; k++) {
            Verdict v = edge_verdict(c, p, k, at, &error);
            at += p->primal.f->param[p->f->by[k]]->nleaf;
            judged += v != VERDICT_unjudged;
            off = v == VERDICT_off ? fmax(off, error) : off;
        }
    }
    if (values)
        compare(c, p->f->name, "value at edges", worst,
                arena_printf(c->arena, "%d points", values));
    if (judged)
        compare(c, p->f->name, "slope at edges", off,
                arena_printf(c->arena, "%d judged", judged));
}

/* The point at number `next`, or one of other sizes that the evaluator can do:
 * where some are negative it cannot. False: none. */
static bool find_point(Check *c, Pair *p, Reference *ref, int *next,
                       int *status, double *error)
{
    *next = point_next(&c->points, p, 0, status);
    while (*next >= 0 && !c->points.stopped) {
        if (reference_within(c, p, ref, false, error))
            return true;
        *next = point_next(&c->points, p, point_resized(*next), status);
    }
    return false;
}

static void check_function(Check *c, const Checked *one)
{
    Pair p = pair_new(c, one);
    Reference ref = {.arena = c->arena,
                     .module = c->module,
                     .root = one->root.at,
                     .nroot = one->root.n,
                     .primal = one->primal_root.at};
    int status = NN_OK, next;
    double error;

    p.reference = &ref;
    c->points.too_large = false;
    bool found = find_point(c, &p, &ref, &next, &status, &error);
    if (c->points.stopped) {
        /* nothing more is asked */
    } else if (!found) {
        report(c, GRADCHECK_untried, one->f->name, NULL, 0,
               why_untried(c, status));
    } else {
        compare_rounded(c, &p, "value", error, ref.stopped);
        for (int k = 0, at = 0; p.primal.f && k < p.f->nby; k++) {
            check_by(c, &p, k, at, next);
            at += p.primal.f->param[p.f->by[k]]->nleaf;
        }
        if (c->o->edges)
            check_edges(c, &p, &ref);
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
static void add_checked(Check *c, Plan *to, Function *f, const char *name,
                        bool trained, const char *expression)
{
    Checked one = {.f = f,
                   .name = name,
                   .root = functions_roots(c->arena, &f, 1),
                   .trained = trained,
                   .expression = expression};
    Function *primal = f->deriv != DERIV_none ? f->primal : NULL;

    list_push(c->arena, &to->compiled, renamed(c->arena, f, name));
    if (primal) {
        one.primal = arena_printf(c->arena, "%s__primal", name);
        one.primal_root = functions_roots(c->arena, &primal, 1);
    }
    list_push(c->arena, &to->checked, one);
    if (primal && primal->deriv != DERIV_none)
        add_checked(c, to, primal, one.primal, false, NULL);
    else if (primal)
        list_push(c->arena, &to->compiled,
                  renamed(c->arena, primal, one.primal));
}

/* The pattern and the values of a sparse matrix are checked together. */
static void add_exported(Check *c, Plan *to, Function *f)
{
    if (!f->whole || f->deriv != DERIV_none)
        add_checked(c, to, f->whole ? f->whole : f, f->name, false, NULL);
}

/* All that is exported, the loss that is trained, the derivatives that
 * `derivative` items give, and what nothing else has given types to. */
static Plan plan_of(Check *c, int nsample, const Sample *sample)
{
    Plan all = {0};
    int n;
    Function **own = program_derivatives(c->program, &n);

    for (int i = 0; i < c->module->function.n; i++)
        add_exported(c, &all, c->module->function.at[i]);
    for (int i = 0; i < program_trainings(c->program); i++) {
        Function *f = program_trained(c->program, i);
        if (f)
            add_checked(c, &all, f,
                        arena_printf(c->arena, "%s__trained", f->name), true,
                        NULL);
    }
    for (int i = 0; i < n; i++)
        add_checked(c, &all, own[i],
                    arena_printf(c->arena, "%s__derivative", own[i]->name),
                    false, NULL);
    for (int i = 0; i < nsample; i++)
        if (sample[i].function)
            add_checked(c, &all, sample[i].function,
                        arena_printf(c->arena, "%s__sample", sample[i].name),
                        false, sample[i].expression);
    return all;
}

/* Functions that no call has given types to, and that take none of those tried.
 */
static void tell_untyped(Check *c, int nsample, const Sample *sample)
{
    for (int i = 0; i < nsample; i++)
        if (!sample[i].function)
            report(c, GRADCHECK_untyped, sample[i].name, NULL, 0,
                   sample[i].why);
}

static bool check_all(Check *c, const Plan *all, Jit *j)
{
    Points *ps = &c->points;

    if (nncc_wrap(jit_module(j), &ps->model) != NN_OK) {
        ps->error = lasting(c, nncc_last_error());
        return false;
    }
    for (int i = 0; i < all->checked.n && !ps->stopped; i++)
        check_function(c, &all->checked.at[i]);
    nncc_close(ps->model);
    return !ps->stopped;
}

bool gradcheck(Arena *a, Program *program, const GradcheckOptions *o,
               const char **error)
{
    Check c = {a, program, program_module(program), o, {.arena = a, .o = o}};
    int nsample;
    Sample *sample = program_samples(program, &nsample);
    Plan all = plan_of(&c, nsample, sample);

    *error = NULL;
    nncc_rng_seed(&c.points.rng, o->seed);
    if (all.compiled.n == 0) {
        *error = arena_printf(a,
                              "%s exports nothing, so there is nothing to "
                              "check",
                              c.module->path);
        return false;
    }
    Jit *j = o->compile(o->user, all.compiled.at, all.compiled.n);
    bool done = j && check_all(&c, &all, j);
    jit_close(j);
    if (done)
        tell_untyped(&c, nsample, sample);
    *error = c.points.error;
    return done;
}
