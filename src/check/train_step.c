/* train_step.c: step of a `train` item: all of one step: the gradient, what is
 * done to it, the optimizer. */
#include "check/scope.h"
#include "check/train.h"
#include "diff/diff.h"

#include <float.h>
#include <string.h>

/* The optimizer's settings: scalars, from the call or their defaults; a
 * function among them is the loss. */

/* fn(net) = loss(net, x, …), or its first part where the loss has a state. */
static const Value *loss_of_net(Train *t, const Arguments *a)
{
    Check *c = t->c;
    Scope *s = scope_new(c, NULL, 0, t->loss->scope->unit);
    Str text = str_new(c->arena);
    const char *loss = intern(c->names, "loss");

    while (fn_param_named(t->loss, loss) >= 0)
        loss = intern(c->names, arena_printf(c->arena, "%s_", loss));
    scope_bind(c, s, loss, t->at, value_fn(c, t->loss));
    str_printf(&text, "fn(%s) = %s(", t->item->train.by, loss);
    for (int i = 0; i < a->n; i++) {
        const char *name = t->loss->param[i].name;

        str_printf(&text, "%s%s = %s", i ? ", " : "", name, name);
        if (i != t->by)
            scope_bind(c, s, name, t->at, a->value[i]);
    }
    str_printf(&text, ")%s", t->carried >= 0 ? ".0" : "");
    return eval(c, s, program_read(c, text.at));
}

/* Those of the call e (or NULL) at their parameters. */
static bool place_settings(Train *t, const Scope *s, const Expr *e,
                           Arguments *to)
{
    Check *c = t->c;

    *to = args_new(c, t->optimizer->nparam, e ? e->span : t->optimizer_at, s);
    for (int k = 0; e && k < e->call.narg; k++) {
        CallArg a = call_arg(c, s, &e->call.arg[k]);

        if (!a.name)
            return check_refuse(c, a.span, "setting",
                                "an optimizer's settings are given by name: "
                                "lr = …");
        if (value_is_error(a.value) || !args_place(c, t->optimizer, &a, k, to))
            return false;
    }
    for (int i = 0; i < to->n; i++)
        if (to->value[i] && (i < 3 || train_takes_loss(t, i)))
            return check_refuse(
                c, to->span[i], "setting", "'%s' has no setting '%s'",
                fn_name(c, t->optimizer), t->optimizer->param[i].name);
    return true;
}

static const Type *setting_type(Train *t, int i)
{
    Check *c = t->c;
    const ParamEx *p = &t->optimizer->info->item->param[i];
    const Scope *own = scope_new(c, NULL, 0, t->optimizer->scope->unit);
    const Type *ty = type_eval(c, own, p->type);

    if (!ty || (ty->kind == TY_tensor && ty->rank == 0))
        return ty;
    return check_none(c, p->span, "setting",
                      "a setting is a scalar, '%s' is %s", p->name,
                      type_text(c, ty));
}

/* Parameter i, with what is given or its default as the default of step. */
static bool add_setting(Train *t, Function *f, int i, Arguments *a)
{
    Check *c = t->c;
    const ParamEx *p = &t->optimizer->info->item->param[i];
    const Scope *own = scope_new(c, NULL, 0, t->optimizer->scope->unit);
    const Type *ty = setting_type(t, i);
    const Value *v = a->value[i];

    if (!ty)
        return false;
    if (!v && !p->init) {
        check_fail(c, a->at, "setting", "'%s' needs its setting '%s'",
                   fn_name(c, t->optimizer), p->name);
        fn_param_declared(c, t->optimizer, i);
        return false;
    }
    a->span[i] = v ? a->span[i] : p->init->span;
    v = v ? v : eval(c, own, p->init);
    if (value_is_error(v))
        return false;
    v = value_fit(c, ty, v);
    if (v && t->counts && v->node->op != OP_const) {
        a->value[i] = v; /* it changes by itself, and is no argument */
        return true;
    }
    if (!v || v->node->op != OP_const)
        return check_refuse(c, a->span[i], "setting",
                            "'%s' is to be a constant of type %s", p->name,
                            type_text(c, ty));
    a->value[i] = value_fresh(c, ty, p->name);
    function_param(c, f, p->name, a->value[i], p->span);
    port_default(&f->param[f->nparam - 1], v->node);
    return true;
}

static void add_knob(Train *t, Function *f, const char *name, DType type,
                     Knob *k)
{
    if (!k->given)
        return;
    k->at = value_fresh(t->c, type_scalar(t->c->arena, type), name);
    function_param(t->c, f, name, k->at, t->at);
    f->param[f->nparam - 1].has_default = true;
    f->param[f->nparam - 1].value = k->value;
}

/* What is done to the gradient */

static const Value *gradient_of(Train *t, const Value *loss, const Value *net)
{
    Check *c = t->c;
    Node **leaf = value_leaves(c, net);
    Node **by = NEWN(c->arena, Node *, net->nleaf + 1);
    Node **dx = NEWN(c->arena, Node *, net->nleaf + 1);
    Node *y = loss->node, *y_bar = g_fill(c->graph, y, 1);
    int n = 0;

    for (int i = 0; i < net->nleaf; i++)
        if (!t->frozen[i])
            by[n++] = leaf[i];
    diff_reverse(c->graph, 1, &y, &y_bar, n, by, dx);
    for (int i = net->nleaf; i-- > 0;)
        dx[i] = t->frozen[i] ? g_fill(c->graph, leaf[i], 0) : dx[--n];
    return value_of_leaves(c, value_ty(c, net), dx);
}

/* Every leaf times s, a scalar. */
static const Value *times(Train *t, const Value *v, Node *s)
{
    Graph *g = t->c->graph;
    Node **leaf = value_leaves(t->c, v);

    for (int i = 0; i < v->nleaf; i++)
        leaf[i] = g2(g, OP_mul, leaf[i],
                     g_broadcast_to(g, g_cast(g, leaf[i]->dtype, s),
                                    leaf[i]->rank, leaf[i]->dim));
    return value_of_leaves(t->c, value_ty(t->c, v), leaf);
}

/* g as the library's function of that name clips it. */
static const Value *clip(Train *t, const char *name, const Knob *most,
                         const Value *g)
{
    Check *c = t->c;
    Arguments a = args_new(c, 2, t->at, NULL);

    if (!most->given)
        return g;
    a.value[0] = g;
    a.value[1] = most->at;
    return fn_apply(c, unit_std_function(c, "optim", name), &a);
}

/* step */

/* New p and state from the optimizer; NULL after reporting. */
static const Value *optimise(Train *t, const Arguments *a)
{
    Check *c = t->c;
    Arguments copy = args_copy(c, a, a->n);
    const Value *v, *part[2];

    copy.scope = NULL;
    v = fn_apply(c, t->optimizer, &copy);
    if (value_is_error(v))
        return NULL;
    if (v->kind == V_tuple && v->npart == 2) {
        part[0] = value_fit(c, t->type, v->part[0]);
        part[1] = value_fit(c, t->optimizer_type, v->part[1]);
        if (part[0] && part[1])
            return value_tuple(c, t->at, 2, part);
    }
    check_fail(c, t->optimizer_at, "train",
               "an optimizer gives the new parameters and the new state\n"
               "expected (%s, %s), found %s",
               value_text(c, a->value[0]), value_text(c, a->value[2]),
               value_text(c, v));
    fn_declared(c, t->optimizer);
    return NULL;
}

/* Which leaf of what is trained each leaf of the optimizer's state belongs to:
 * its parts of that type are leaf by leaf beside it. -1: to none. */
static void beside(const Train *t, const Type *state, int *to)
{
    if (type_equal(state, t->type)) {
        for (int i = 0; i < state->nleaf; i++)
            to[i] = i;
    } else if (state->npart == 0 || state->kind == TY_stack) {
        for (int i = 0; i < state->nleaf; i++)
            to[i] = -1;
    } else {
        for (int i = 0; i < state->npart; i++) {
            beside(t, state->part[i], to);
            to += state->part[i]->nleaf;
        }
    }
}

/* Of p and a state those leaves from `other` that belong to the chosen ones. */
static const Value *take_leaves(Train *t, const Value *v, const Value *other,
                                const bool *chosen)
{
    Check *c = t->c;
    int *of = NEWN(c->arena, int, t->optimizer_type->nleaf + 1);
    const Value *part[2];

    beside(t, t->optimizer_type, of);
    for (int k = 0; k < 2; k++) {
        Node **leaf = value_leaves(c, v->part[k]);
        Node **from = value_leaves(c, other->part[k]);

        for (int i = 0; i < v->part[k]->nleaf; i++)
            if (k == 0 ? chosen[i] : of[i] >= 0 && chosen[of[i]])
                leaf[i] = from[i];
        part[k] = value_of_leaves(c, value_ty(c, v->part[k]), leaf);
    }
    return value_tuple(c, t->at, 2, part);
}

/* *all becomes what holds for the group: its settings may be computed from
 * those that hold without it. False after reporting. */
static bool group_settings(Train *t, const Group *group, Arguments *all)
{
    Check *c = t->c;
    const Scope *up = t->scope;
    Scope *s = scope_new(c, up, up->binding.n, up->unit);
    Arguments to;

    for (int i = 3; i < all->n; i++)
        if (!train_takes_loss(t, i))
            scope_bind(c, s, t->optimizer->param[i].name, t->at, all->value[i]);
    if (!place_settings(t, s, group->call, &to))
        return false;
    for (int i = 0; i < all->n; i++) {
        const Type *ty = to.value[i] ? setting_type(t, i) : NULL;
        const Value *given = to.value[i];

        to.value[i] = given && ty ? value_fit(c, ty, given) : all->value[i];
        if (!to.value[i])
            return check_refuse(c, to.span[i], "setting",
                                "'%s' is to be of type %s, it is %s",
                                t->optimizer->param[i].name, type_text(c, ty),
                                value_text(c, given));
    }
    *all = to;
    return true;
}

static bool same_groups(const Train *t, int i, int j)
{
    for (int k = 0; k < t->group.n; k++)
        if (t->group.at[k].leaf[i] != t->group.at[k].leaf[j])
            return false;
    return true;
}

/* Is no leaf before i of the same groups? Then those that are, in `alike`. */
static bool first_of_its(const Train *t, int i, bool *alike)
{
    for (int j = 0; j < i; j++)
        if (same_groups(t, i, j))
            return false;
    for (int j = 0; j < t->type->nleaf; j++)
        alike[j] = same_groups(t, i, j);
    return true;
}

/* The same where groups have settings of their own and parts are frozen: each
 * part as the optimizer with its settings has it. */
static const Value *update(Train *t, const Arguments *setting, const Value *net,
                           const Value *grad, const Value *state)
{
    Check *c = t->c;
    Arguments a = args_copy(c, setting, setting->n), own;
    const Value *old[] = {net, state}, *v, *other;
    bool *alike = NEWN(c->arena, bool, t->type->nleaf + 1);

    a.value[0] = net;
    grad = clip(t, "clip_value", &t->clip_value, grad);
    a.value[1] = clip(t, "clip_norm", &t->clip_norm, grad);
    a.value[2] = state;
    v = optimise(t, &a);
    for (int i = 0; i < t->type->nleaf && t->group.n && v; i++) {
        if (!first_of_its(t, i, alike))
            continue;
        own = a;
        for (int k = 0; k < t->group.n; k++)
            if (t->group.at[k].leaf[i] &&
                !group_settings(t, &t->group.at[k], &own))
                return NULL;
        other = optimise(t, &own);
        v = other ? take_leaves(t, v, other, alike) : NULL;
    }
    return v ? take_leaves(t, v, value_tuple(c, t->at, 2, old), t->frozen)
             : NULL;
}

/* The new net and optimizer's state by the mean of so many gradients. */
static const Value *update_by_sum(Train *t, const Arguments *setting,
                                  const Value *net, const Value *sum,
                                  Node *count, const State *s)
{
    Graph *g = t->c->graph;
    Node *one = g_const(g, t->c->real, 1);
    const Value *mean =
        times(t, sum, g2(g, OP_div, one, g_cast(g, one->dtype, count)));

    return update(t, setting, net, mean, s->field[ST_optimizer]);
}

/* The gradients of `accumulate` steps are added up; the last of them updates
 * by their mean and starts afresh. sum: with that of this step. */
static const Value *update_sometimes(Train *t, const Arguments *setting,
                                     const Value *net, const Value *sum,
                                     State *s)
{
    Check *c = t->c;
    Graph *g = c->graph;
    Node *count =
        g2(g, OP_add, s->field[ST_count]->node, g_const_int(g, DT_i32, 1));
    Node *full = g2(g, OP_le, t->accumulate.at->node, count);
    const Value *next = update_by_sum(t, setting, net, sum, count, s);
    const Value *part[2][4] = {
        {NULL, NULL, train_zeros(t, t->type), train_scalar(t, DT_i32, 0)},
        {net, s->field[ST_optimizer], sum, value_tensor(c, count)},
    };
    Operand x[2];

    if (!next)
        return NULL;
    memcpy(part[0], next->part, 2 * sizeof *next->part);
    for (int i = 0; i < 2; i++)
        x[i] = (Operand){value_tuple(c, t->at, 4, part[i]), t->at, NULL};
    next = arith_if(c, t->scope, t->at, full, &x[0], &x[1]);
    s->field[ST_gradient] = next->part[2];
    s->field[ST_count] = next->part[3];
    return next;
}

Port train_in_place(Train *t, const Port *param, int index, const Value *v)
{
    return (Port){.name = param->name,
                  .type = param->type,
                  .leaf = value_leaves(t->c, v),
                  .nleaf = v->nleaf,
                  .span = t->at,
                  .in_place = index};
}

/* The key of this step: the one derived from the state's by its number. */
static const Value *step_key(Train *t, const State *s)
{
    Graph *g = t->c->graph;

    return value_tensor(
        t->c, g_split_each(g, s->field[ST_key]->node, s->field[ST_step]->node));
}

static void count_step(Train *t, State *s)
{
    Graph *g = t->c->graph;

    if (s->field[ST_step])
        s->field[ST_step] =
            value_tensor(t->c, g2(g, OP_add, s->field[ST_step]->node,
                                  g_const_int(g, DT_i64, 1)));
}

/* What the optimizer's settings see: how many steps were made, `fewer` less
 * than the state has, and how many there will be. */
static void bind_counters(Train *t, const State *s, int fewer)
{
    Check *c = t->c;
    Graph *g = c->graph;
    Scope *own = scope_new(c, t->scope, t->scope->binding.n, t->scope->unit);

    if (!t->counts)
        return;
    Node *step = s->field[ST_step]->node;
    if (fewer)
        step = g2(g, OP_sub, step, g_const_int(g, DT_i64, fewer));
    t->total_steps.at =
        value_fresh(c, type_scalar(c->arena, c->real), "total_steps");
    scope_bind(c, own, intern(c->names, "step"), t->at,
               value_tensor(c, g_cast(g, c->real, step)));
    scope_bind(c, own, intern(c->names, "total_steps"), t->at,
               t->total_steps.at);
    t->scope = own;
}

/* All that is set; the optimizer's settings to `setting`. */
static bool setting_params(Train *t, Function *f, bool accumulates,
                           Arguments *setting)
{
    Check *c = t->c;

    for (int i = 3; i < setting->n; i++)
        if (!train_takes_loss(t, i) && !add_setting(t, f, i, setting))
            return false;
    add_knob(t, f, "clip_norm", c->real, &t->clip_norm);
    add_knob(t, f, "clip_value", c->real, &t->clip_value);
    if (accumulates)
        add_knob(t, f, "accumulate", DT_i32, &t->accumulate);
    if (t->counts) {
        function_param(c, f, "total_steps", t->total_steps.at, t->at);
        f->param[f->nparam - 1].has_default = true;
        f->param[f->nparam - 1].value = t->total_steps.value;
    }
    return true;
}

/* The parameters of step; those of the optimizer's settings to `setting`. */
static bool step_params(Train *t, Function *f, const Value *const *fresh,
                        const State *s, Arguments *setting)
{
    train_params(t, f, PR_trained, fresh);
    train_params(t, f, PR_carried, fresh);
    f->param[f->nparam++] = state_port(t, s, -1);
    train_params(t, f, PR_held, fresh);
    train_params(t, f, PR_data, fresh);
    return setting_params(t, f, true, setting);
}

static bool carried_fits(Train *t, const Value **carried)
{
    Check *c = t->c;
    const Value *v = *carried;

    *carried = value_fit(c, t->carried_type, v);
    if (*carried)
        return true;
    check_fail(
        c, t->carried_at, "train",
        "the new state is not of the type of '%s'\nexpected %s, found %s",
        t->loss->param[t->carried].name, type_text(c, t->carried_type),
        value_text(c, v));
    fn_declared(c, t->loss);
    return false;
}

/* Is the sum of x's elements' absolute values a number? */
static Node *is_finite(Graph *g, Node *x)
{
    Node *sum = g_reduce_all(g, OP_sum, g1(g, OP_abs, x));
    double most = sum->dtype == DT_f64 ? DBL_MAX : (double)FLT_MAX;

    return g2(g, OP_le, sum, g_const(g, sum->dtype, most));
}

/* 1 if that holds and the gradient is finite; else the function ends here, with
 * the number of what does not: 0, then those of the gradient's leaves. */
static Node *finite_or_stop(Train *t, Node *first, const Value *grad)
{
    Graph *g = t->c->graph;
    Node **leaf = value_leaves(t->c, grad);
    Node **ok = NEWN(t->c->arena, Node *, grad->nleaf + 1);

    ok[0] = first;
    for (int i = 0; i < grad->nleaf; i++)
        ok[i + 1] = is_finite(g, leaf[i]);
    return g_number_check(g, grad->nleaf + 1, ok);
}

/* Nothing that is overwritten is so before the step is known not to end: what
 * does not depend on that of itself is made to, by a product with the 1. */
static void wait_for(Train *t, Node *one, Port *p)
{
    Graph *g = t->c->graph;

    for (int i = 0; i < p->nleaf; i++) {
        Node *x = p->leaf[i];

        if (x->op == OP_param ||
            graph_reach(g, t->c->arena, false, 1, &x)[one->id])
            continue;
        if (x->dtype == DT_bool || x->dtype == DT_key) {
            Node *zero = g_fill(g, x, 0);
            p->leaf[i] =
                g_if(g, g2(g, OP_eq, one, g_const_int(g, DT_i32, 1)), x, zero);
        } else
            p->leaf[i] = g2(
                g, OP_mul, x,
                g_broadcast_to(g, g_cast(g, x->dtype, one), x->rank, x->dim));
    }
}

Function *train_step(Train *t)
{
    Check *c = t->c;
    Function *f = function_new(c, FN_step, train_named(t, "step"), t->at);
    const Value **fresh, *net, *loss, *carried, *next;
    Arguments a = train_arguments(t, &fresh), setting;
    State s;
    Node *one;
    int k = 0;

    s = state_fresh(t);
    bind_counters(t, &s, 0);
    if (!fresh || !place_settings(t, t->scope, t->optimizer_call, &setting))
        return NULL;
    if (!step_params(t, f, fresh, &s, &setting))
        return NULL;
    net = fresh[t->by];
    if (t->key >= 0)
        a.value[t->key] = step_key(t, &s);
    count_step(t, &s);
    for (int i = 3; i < setting.n; i++)
        if (train_takes_loss(t, i))
            setting.value[i] = loss_of_net(t, &a);
    loss = train_loss(t, t->loss, fn_apply(c, t->loss, &a), &carried);
    if (!loss || (t->carried >= 0 && !carried_fits(t, &carried)))
        return NULL;
    if (t->has_carry && !train_find_carry(t, fresh[t->carried], loss, carried))
        die("what '%s' carries on has other parts", fn_name(c, t->loss));
    if (t->has_carry)
        s.field[ST_part] = train_carry_parts(t);
    next = gradient_of(t, loss, net);
    if (t->accumulate.given) {
        Operand sum[] = {{s.field[ST_gradient], t->at, NULL},
                         {next, t->at, NULL}};

        next = arith_elementwise(c, &(Operation){t->scope, "+", t->at, 2, sum},
                                 OP_add);
    }
    one = finite_or_stop(t, is_finite(c->graph, loss->node), next);
    next = times(t, next, one);
    next = t->accumulate.given
               ? update_sometimes(t, &setting, net, next, &s)
               : update(t, &setting, net, next, s.field[ST_optimizer]);
    if (!next)
        return NULL;
    s.field[ST_optimizer] = next->part[1];
    f->optimizer = fn_name(c, t->optimizer);
    function_result(c, f, train_result(t), loss, t->at);
    f->result[f->nresult++] = train_in_place(t, &f->param[k], k, next->part[0]);
    if (t->carried >= 0) {
        k++;
        f->result[f->nresult++] = train_in_place(t, &f->param[k], k, carried);
    }
    k++;
    f->result[f->nresult++] = state_port(t, &s, k);
    for (int i = 1; i < f->nresult; i++)
        wait_for(t, one, &f->result[i]);
    return function_finish(c, f) ? f : NULL;
}

/* update */

static bool takes_loss(const Train *t, int nparam)
{
    for (int i = 3; i < nparam; i++)
        if (train_takes_loss(t, i))
            return true;
    return false;
}

Function *train_update(Train *t)
{
    Check *c = t->c;
    Graph *g = c->graph;
    Function *f = function_new(c, FN_update, train_named(t, "update"), t->at);
    const Value **fresh, *next;
    Arguments setting;
    State s = state_fresh(t);

    if (!t->accumulate.given || takes_loss(t, t->optimizer->nparam))
        return NULL;
    train_arguments(t, &fresh);
    bind_counters(t, &s, 1);
    if (!fresh || !place_settings(t, t->scope, t->optimizer_call, &setting))
        return NULL;
    train_params(t, f, PR_trained, fresh);
    f->param[f->nparam++] = state_port(t, &s, -1);
    if (!setting_params(t, f, false, &setting))
        return NULL;
    Node *count = s.field[ST_count]->node;
    Node *one =
        finite_or_stop(t, g2(g, OP_le, g_const_int(g, DT_i32, 1), count),
                       s.field[ST_gradient]);
    next = update_by_sum(t, &setting, fresh[t->by],
                         times(t, s.field[ST_gradient], one), count, &s);
    if (!next)
        return NULL;
    s.field[ST_optimizer] = next->part[1];
    s.field[ST_gradient] = train_zeros(t, t->type);
    s.field[ST_count] = train_scalar(t, DT_i32, 0);
    f->optimizer = fn_name(c, t->optimizer);
    f->result[f->nresult++] = train_in_place(t, &f->param[0], 0, next->part[0]);
    f->result[f->nresult++] = state_port(t, &s, 1);
    for (int i = 0; i < f->nresult; i++)
        wait_for(t, one, &f->result[i]);
    return function_finish(c, f) ? f : NULL;
}
