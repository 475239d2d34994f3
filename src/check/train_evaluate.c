/* train_evaluate.c: evaluate of a `train` item: the loss and the metrics. */
#include "check/train.h"

const Value *train_loss(Train *t, const Fn *f, const Value *v,
                        const Value **carried)
{
    Check *c = t->c;
    const Value *loss = v;

    if (value_is_error(v))
        return NULL;
    if (carried)
        *carried = NULL;
    if (v->kind == V_tuple && v->npart == 2 && t->carried >= 0) {
        loss = v->part[0];
        if (carried)
            *carried = v->part[1];
    }
    loss = value_settle(c, t->at, loss);
    if (value_is_error(loss))
        return NULL;
    if (value_is_scalar(loss) && dtype_is_real(loss->node->dtype) &&
        (!carried || *carried || t->carried < 0))
        return loss;
    check_fail(c, t->at, "train", "'%s' is to give %s", fn_name(c, f),
               t->carried < 0 || !carried
                   ? "a real scalar"
                   : "a pair, the loss and the new state");
    check_detail(c, "its result is %s", value_text(c, v));
    if (t->carried < 0 && v->kind == V_tuple)
        check_detail(
            c, "'state = …;' names a parameter that is carried from step to "
               "step");
    fn_declared(c, f);
    return NULL;
}

/* A function on the loss's parameters of the same names; those are marked in
 * taken, if that is not NULL. */
static const Value *by_name(Train *t, const Fn *f, Span at,
                            const Value *const *loss, bool *taken)
{
    Check *c = t->c;
    Arguments a = args_new(c, f->nparam, at, t->scope);

    for (int i = 0; i < a.n; i++) {
        const char *name = f->param[i].name;
        int k = fn_param_named(t->loss, name);

        if (k >= 0) {
            a.value[i] = loss[k];
            if (taken)
                taken[k] = true;
        }
        if (k >= 0 || f->param[i].optional)
            continue;
        check_fail(c, at, "train", "'%s' has no parameter '%s' to give to '%s'",
                   fn_name(c, t->loss), name, fn_name(c, f));
        fn_declared(c, t->loss);
        return c->error;
    }
    return fn_apply(c, f, &a);
}

/* What the call gives, a function's value for a function. */
static bool take_arguments(Train *t, const Metric *m, Arguments *to,
                           const Value *const *loss, bool *taken)
{
    Check *c = t->c;

    for (int k = 0; m->call && k < m->call->call.narg; k++) {
        CallArg a = call_arg(c, t->scope, &m->call->call.arg[k]);

        if (a.value->kind == V_fn && !t->predict)
            t->predict = a.value->fn;
        if (a.value->kind == V_fn)
            a.value = by_name(t, a.value->fn, a.span, loss, taken);
        if (value_is_error(a.value) || !args_place(c, m->fn, &a, k, to))
            return false;
    }
    return true;
}

/* What the call leaves open: the loss's parameter of that name or, in order,
 * its data that the functions did not take. */
static int left_over(Train *t, const char *name, const bool *taken)
{
    int n = t->loss->nparam, same = fn_param_named(t->loss, name);

    if (same >= 0 && !taken[same])
        return same;
    for (int k = 0; k < n; k++)
        if (!taken[k] && t->role[k] == PR_data)
            return k;
    return -1;
}

static bool fill_metric(Train *t, const Metric *m, Arguments *to,
                        const Value *const *loss, bool *taken)
{
    Check *c = t->c;

    for (int i = 0; i < to->n; i++) {
        const char *name = m->fn->param[i].name;
        int found;

        if (to->value[i] || m->fn->param[i].optional)
            continue;
        found = left_over(t, name, taken);
        if (found < 0) {
            check_fail(c, to->at, "train",
                       "nothing is left to give '%s' as '%s'",
                       fn_name(c, m->fn), name);
            fn_param_declared(c, m->fn, i);
            return false;
        }
        to->value[i] = loss[found];
        taken[found] = true;
    }
    return true;
}

/* What a mean over batches can be taken of. */
static bool is_metric(const Value *v)
{
    int64_t size;

    if (v->kind != V_tensor || !dtype_is_real(v->node->dtype))
        return false;
    for (int i = 0; i < v->node->rank; i++)
        if (!dim_const_value(v->node->dim[i], &size))
            return false;
    return true;
}

static const Value *metric_value(Train *t, const Metric *m,
                                 const Value *const *loss)
{
    Check *c = t->c;
    Arguments a = args_new(c, m->fn->nparam, m->at, t->scope);
    bool *taken = NEWN(c->arena, bool, t->loss->nparam + 1);
    const Value *v;

    if (!take_arguments(t, m, &a, loss, taken) ||
        !fill_metric(t, m, &a, loss, taken))
        return NULL;
    v = value_settle(c, a.at, fn_apply(c, m->fn, &a));
    if (value_is_error(v))
        return NULL;
    if (is_metric(v))
        return v;
    return check_none(c, a.at, "train",
                      "a metric is a real scalar, or a tensor of reals of "
                      "constant dimensions, '%s' gives %s",
                      fn_name(c, m->fn), value_text(c, v));
}

static const Value *evaluated_loss(Train *t, Arguments *a,
                                   const Value *const *fresh)
{
    const Fn *f = t->evaluate ? t->evaluate : t->loss;
    const Value *v;

    if (t->evaluate)
        v = by_name(t, f, t->evaluate_at, fresh, NULL);
    else
        v = fn_apply(t->c, f, a);
    return train_loss(t, f, v, NULL);
}

Function *train_evaluate(Train *t)
{
    Check *c = t->c;
    Function *f =
        function_new(c, FN_evaluate, train_named(t, "evaluate"), t->at);
    const Value **fresh, *loss, *metric;
    Arguments a = train_arguments(t, &fresh);

    if (!fresh)
        return NULL;
    train_params(t, f, PR_trained, fresh);
    train_params(t, f, PR_carried, fresh);
    train_params(t, f, PR_held, fresh);
    train_params(t, f, PR_data, fresh);
    if (t->key >= 0) /* always the same random numbers */
        fresh[t->key] = a.value[t->key] = value_tensor(
            c, g_cast(c->graph, DT_key, g_const_int(c->graph, DT_i64, 0)));
    loss = evaluated_loss(t, &a, fresh);
    if (!loss)
        return NULL;
    function_result(c, f, train_result(t), loss, t->at);
    for (int i = 0; i < t->nmetric; i++) {
        metric = metric_value(t, &t->metric[i], fresh);
        if (!metric)
            return NULL;
        function_result(c, f, t->metric[i].name, metric, t->at);
    }
    return function_finish(c, f) ? f : NULL;
}
