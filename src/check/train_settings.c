/* train_settings.c: what stands between the braces of a `train` item. */
#include "check/scope.h"
#include "check/train.h"

#include <string.h>

static const char *const known[] = {
    "optimizer", "groups",    "metric",     "metrics",    "state", "key",
    "evaluate",  "clip_norm", "clip_value", "accumulate", "steps",
};
enum { NKNOWN = sizeof known / sizeof *known };

static const Setting *setting(Train *t, const char *name)
{
    const Setting *found = NULL;

    for (int i = 0; i < t->item->train.nsetting; i++) {
        const Setting *s = &t->item->train.setting[i];

        if (strcmp(s->name, name) != 0)
            continue;
        if (found)
            check_fail(t->c, s->span, "duplicate", "'%s' is set twice", name);
        found = s;
    }
    return found;
}

static bool is_known(const char *name)
{
    for (int i = 0; i < NKNOWN; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static void unknown_settings(Train *t)
{
    Str all = str_new(t->c->arena);

    str_words(&all, NKNOWN, known, "'", " and ", "'");
    for (int i = 0; i < t->item->train.nsetting; i++) {
        const Setting *s = &t->item->train.setting[i];

        if (is_known(s->name))
            continue;
        check_fail(t->c, s->span, "setting", "'train' has no setting '%s'%s",
                   s->name, name_suggestion(t->c, s->name, known, NKNOWN));
        check_detail(t->c, "it knows %s", all.at);
    }
}

/* f or f(…): the function, and the call if there is one. */
static const Fn *function_of(Train *t, const char *name, const Expr *e,
                             const Expr **call)
{
    const Value *v;

    *call = e->kind == EX_call ? e : NULL;
    v = eval(t->c, t->scope, *call ? e->call.fn : e);
    if (v->kind == V_fn && v->fn->kind != FK_builtin)
        return v->fn;
    return value_is_error(v)
               ? NULL
               : check_none(t->c, e->span, "setting",
                            "'%s' is to be a call of a function", name);
}

/* Metrics */

/* The function's name, numbered where another result has it. */
static const char *metric_name(Train *t, const char *name)
{
    Check *c = t->c;
    const char *own = intern(c->names, t->name ? train_named(t, name) : name);

    name = own;
    for (int number = 2;; number++) {
        bool taken = strcmp(own, train_result(t)) == 0;

        for (int i = 0; i < t->nmetric; i++)
            taken = taken || strcmp(own, t->metric[i].name) == 0;
        if (!taken)
            return own;
        own = arena_printf(c->arena, "%s_%d", name, number);
    }
}

static bool read_metric(Train *t, const char *name, const Expr *e)
{
    Metric *m = &t->metric[t->nmetric];

    if (t->nmetric == MAX_METRICS)
        return check_refuse(t->c, e->span, "too-large", "more than %d metrics",
                            MAX_METRICS);
    m->fn = function_of(t, name, e, &m->call);
    if (!m->fn)
        return false;
    m->at = m->call ? m->call->span : t->at;
    m->name = metric_name(t, fn_name(t->c, m->fn));
    t->nmetric++;
    return true;
}

static bool read_metrics(Train *t)
{
    const Setting *one = setting(t, "metric"), *more = setting(t, "metrics");
    const Setting *s = more ? more : one;
    bool good = true;

    if (one && more)
        return check_refuse(t->c, more->span, "duplicate",
                            "'metric' and 'metrics' are the same setting");
    if (s && s->value->kind == EX_tuple)
        for (int i = 0; i < s->value->list.n && good; i++)
            good = read_metric(t, s->name, s->value->list.at[i]);
    else if (s)
        good = read_metric(t, s->name, s->value);
    return good;
}

/* Parameters of the loss */

/* `name = p;`: *param is the index of the loss's parameter p, or -1 without the
 * setting. */
static bool read_param(Train *t, const char *setting_name, int *param, Span *at)
{
    Check *c = t->c;
    const Setting *s = setting(t, setting_name);
    int n = t->loss->nparam;
    const char *given;

    *param = -1;
    if (!s)
        return true;
    *at = s->value->span;
    given = s->value->kind == EX_name ? s->value->name : NULL;
    if (!given)
        return check_refuse(c, *at, "setting",
                            "'%s' names a parameter of '%s': %s = %s;", s->name,
                            fn_name(c, t->loss), s->name,
                            n > 1 ? t->loss->param[n - 1].name : "s");
    if (given == t->item->train.by)
        return check_refuse(c, *at, "setting",
                            "'%s' is what is trained; '%s' is another "
                            "parameter of '%s'",
                            given, s->name, fn_name(c, t->loss));
    *param = fn_param_named(t->loss, given);
    if (*param >= 0)
        return true;
    check_fail(c, *at, "setting", "'%s' has no parameter '%s'%s",
               fn_name(c, t->loss), given, fn_param_near(c, t->loss, given));
    fn_declared(c, t->loss);
    return false;
}

static bool read_params(Train *t)
{
    bool good = read_param(t, "state", &t->carried, &t->carried_at);

    good = read_param(t, "key", &t->key, &t->key_at) && good;
    if (t->key < 0 || t->key != t->carried)
        return good;
    return check_refuse(t->c, t->key_at, "setting", "'%s' is the state already",
                        t->loss->param[t->key].name);
}

/* Scalars */

/* A constant above 0 (counts: whole, from 1); without the setting it stays. */
static bool read_knob(Train *t, const char *name, DType type, Knob *k)
{
    Check *c = t->c;
    const Setting *s = setting(t, name);
    const Value *v;

    if (!s)
        return true;
    v = eval(c, t->scope, s->value);
    if (value_is_error(v))
        return false;
    v = value_fit(c, type_scalar(c->arena, type), v);
    k->value = v && v->node->op == OP_const ? const_value(v->node) : 0;
    if (!(k->value > 0))
        return check_refuse(
            c, s->value->span, "setting", "'%s' is to be a constant %s", name,
            dtype_is_real(type) ? "real above 0" : "number of steps from 1");
    k->given = true;
    return true;
}

static bool read_evaluate(Train *t)
{
    const Setting *s = setting(t, "evaluate");
    const Expr *call;

    if (!s)
        return true;
    t->evaluate_at = s->value->span;
    t->evaluate = function_of(t, "evaluate", s->value, &call);
    if (t->evaluate && call)
        return check_refuse(
            t->c, s->value->span, "setting",
            "'evaluate' is the name of a function, which gets the parameters "
            "of '%s' by their names",
            fn_name(t->c, t->loss));
    return t->evaluate;
}

/* Settings that change from step to step use these. */
static const char *const counters[] = {"step", "total_steps"};

static void find_counter(void *u, const Expr *e)
{
    Train *t = u;

    if (!e)
        return;
    for (int i = 0; i < 2 && e->kind == EX_name; i++)
        t->counts |= strcmp(e->name, counters[i]) == 0;
    expr_each(e, find_counter, u);
}

static void find_counters(Train *t)
{
    const Setting *groups = setting(t, "groups");

    find_counter(t, t->optimizer_call);
    find_counter(t, groups ? groups->value : NULL);
    t->total_steps = (Knob){.given = t->counts, .value = 1000};
}

bool train_settings(Train *t)
{
    const Setting *optimizer = setting(t, "optimizer");
    bool good;

    unknown_settings(t);
    if (!optimizer)
        check_fail(t->c, t->at, "setting",
                   "'train' needs an optimizer: optimizer = sgd(lr = 0.1);");
    else
        t->optimizer = function_of(t, optimizer->name, optimizer->value,
                                   &t->optimizer_call);
    good = t->optimizer != NULL;
    t->optimizer_at = t->optimizer_call ? t->optimizer_call->span : t->at;
    find_counters(t);
    good = read_metrics(t) && good;
    good = read_params(t) && good;
    good = read_evaluate(t) && good;
    good = read_knob(t, "clip_norm", t->c->real, &t->clip_norm) && good;
    good = read_knob(t, "clip_value", t->c->real, &t->clip_value) && good;
    t->accumulate = (Knob){.given = t->c->options->accumulates, .value = 1};
    good = read_knob(t, "accumulate", DT_i32, &t->accumulate) && good;
    return read_knob(t, "steps", DT_i32, &t->steps) && good;
}

const Setting *train_groups(Train *t) { return setting(t, "groups"); }
