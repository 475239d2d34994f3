/* train.c: init and step of a `train` item.
 *
 * step does all of one step: the gradient, what is done to it, the optimizer.
 * What it carries on besides the model and the state that the loss itself has
 * is one parameter, the train state: the optimizer's state alone, or a struct
 * of that and a key, the number of steps made and the gradient gathered so
 * far, as far as the item asks for them. */
#include "check/train.h"
#include "check/scope.h"
#include "diff/diff.h"

#include <float.h>
#include <string.h>

static bool find_loss(Train *t)
{
    Check *c = t->c;
    Found f = scope_lookup(c, t->scope, t->item->train.loss,
                           t->item->train.loss_span);

    if (f.clash)
        return false;
    if (!f.entry || f.entry->kind != EN_fn) {
        if (f.entry || f.builtin)
            check_fail(c, t->item->train.loss_span, "train",
                       "'%s' is no function of the program",
                       t->item->train.loss);
        else
            name_unknown(c, t->scope, t->item->train.loss,
                         t->item->train.loss_span);
        return false;
    }
    t->loss = f.entry->value->fn;
    t->by = fn_param_named(t->loss, t->item->train.by);
    if (t->by >= 0)
        return true;
    check_fail(c, t->item->train.by_span, "train",
               "'%s' has no parameter '%s'%s", t->item->train.loss,
               t->item->train.by, fn_param_near(c, t->loss, t->item->train.by));
    fn_declared(c, t->loss);
    return false;
}

Arguments train_arguments(Train *t, const Value ***fresh)
{
    Check *c = t->c;
    Arguments a = args_new(c, t->loss->nparam, t->at, NULL);

    *fresh = fn_fresh(c, t->loss);
    for (int i = 0; *fresh && i < a.n; i++) {
        a.value[i] = (*fresh)[i];
        a.span[i] = t->loss->param[i].span;
    }
    return a;
}

void train_param(Train *t, Function *f, int i, const Value *const *value)
{
    function_fn_param(t->c, f, t->loss, i, value[i], t->loss->param[i].span);
}

void train_data(Train *t, Function *f, const Value *const *value)
{
    for (int i = 0; i < t->loss->nparam; i++)
        if (i != t->by && i != t->carried && i != t->key)
            train_param(t, f, i, value);
}

/* The type of the state: of the optimizer's third parameter, once its first is
 * matched with what is trained. */
static const Type *state_type(Train *t)
{
    Check *c = t->c;
    const Fn *f = t->optimizer;
    const ParamEx *p;
    FnItem *one;
    Scope *s;
    Arguments a = args_new(c, 1, t->at, NULL);

    if (f->kind != FK_item || f->nparam < 3)
        return check_none(c, t->optimizer_at, "train",
                          "an optimizer is a function (p, g, state, settings…) "
                          "-> (p, state)");
    p = f->info->item->param;
    for (int i = 0; i < 3; i++)
        if (!p[i].type || p[i].type->kind == TE_fn)
            return check_none(c, p[i].span, "train",
                              "an optimizer's first parameters are values: p, "
                              "its gradient, a state");
    one = arena_copy(c->arena, f->info->item, sizeof *one);
    one->nparam = 1;
    s = scope_new(c, f->scope, f->limit, f->scope->unit);
    a.value[0] = value_fresh(c, t->type, t->item->train.by);
    return bind_arguments(c, fn_item(c, one, f->scope, f->limit), s, &a)
               ? type_eval(c, s, p[2].type)
               : NULL;
}

/* The train state: its fields, of which those that are not needed are NULL. */

typedef enum Field {
    ST_optimizer,
    ST_key,
    ST_step,     /* i64, the number of calls so far */
    ST_gradient, /* the sum of so many gradients: */
    ST_count,
    NFIELDS,
} Field;

static const char *const field_name[NFIELDS] = {
    "optimizer", "key", "step", "gradient", "count",
};

typedef struct State {
    const Value *field[NFIELDS];
} State;

static State fresh_state(Train *t)
{
    Arena *arena = t->c->arena;
    bool key = t->key >= 0, sums = t->accumulate.given;
    const Type *type[NFIELDS] = {
        t->optimizer_type,
        key ? type_scalar(arena, DT_key) : NULL,
        key ? type_scalar(arena, DT_i64) : NULL,
        sums ? t->type : NULL,
        sums ? type_scalar(arena, DT_i32) : NULL,
    };
    State s = {{NULL}};

    for (int i = 0; i < NFIELDS; i++)
        if (type[i])
            s.field[i] = value_fresh(t->c, type[i], field_name[i]);
    return s;
}

static const char *state_name(Train *t)
{
    const char *name = intern(t->c->names, "state");

    return fn_param_named(t->loss, name) >= 0 ? "train_state" : name;
}

/* The state as a port: its fields are those of a struct of its own. */
static Port state_port(Train *t, const State *s, int in_place)
{
    Check *c = t->c;
    Arena *arena = graph_arena(c->graph);
    const Type *part[NFIELDS];
    const char **name = NEWN(arena, const char *, NFIELDS);
    Type type = {.name = "TrainState", .field = name, .part = part};
    Port p = {.name = state_name(t), .span = t->at, .in_place = in_place};

    for (int i = 0; i < NFIELDS; i++) {
        if (!s->field[i])
            continue;
        name[type.npart] = field_name[i];
        part[type.npart++] = value_ty(c, s->field[i]);
    }
    p.type =
        type_export(c, type.npart == 1 ? part[0] : type_struct(arena, &type));
    p.leaf = values_leaves(c, NFIELDS, s->field, &p.nleaf);
    return p;
}

static const Value *scalar(Train *t, DType type, int64_t v)
{
    return value_tensor(t->c, g_const_int(t->c->graph, type, v));
}

static const Value *zeros(Train *t, const Type *ty)
{
    return value_fill(t->c, ty, value_int(t->c, 0), t->at);
}

/* init(seed) -> net, state of the loss, train state */
static Function *make_init(Train *t)
{
    Check *c = t->c;
    Function *f = function_new(c, FN_init, "init", t->at);
    Node *key = value_fresh(c, type_scalar(c->arena, DT_key), "seed")->node;
    const Value *net, *optimizer, *carried = NULL;
    State s = {{NULL}};
    int64_t number = 0;

    net = construct_initial(c, t->type, key, &number, t->at);
    if (!net)
        return NULL;
    optimizer = construct_initial(c, t->optimizer_type, key, &number, t->at);
    if (optimizer && t->carried >= 0)
        carried =
            construct_initial(c, t->carried_type, key, &number, t->carried_at);
    if (!optimizer || (t->carried >= 0 && !carried))
        return NULL;
    s.field[ST_optimizer] = optimizer;
    if (t->key >= 0) {
        s.field[ST_key] = value_tensor(c, g_split(c->graph, key, number));
        s.field[ST_step] = scalar(t, DT_i64, 0);
    }
    if (t->accumulate.given) {
        s.field[ST_gradient] = zeros(t, t->type);
        s.field[ST_count] = scalar(t, DT_i32, 0);
    }
    function_param(c, f, "seed", value_tensor(c, key), t->at);
    function_result(c, f, t->item->train.by, net, t->at);
    if (carried)
        function_result(c, f, t->loss->param[t->carried].name, carried, t->at);
    f->result[f->nresult++] = state_port(t, &s, -1);
    return function_finish(c, f) ? f : NULL;
}

/* The optimizer's settings: scalars, from the call or their defaults; a
 * function among them is the loss. */

static bool takes_loss(const Train *t, int i)
{
    const TypeEx *type = t->optimizer->info->item->param[i].type;

    return type && type->kind == TE_fn;
}

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

/* Those of the call at their parameters. */
static bool place_settings(Train *t, Arguments *to)
{
    Check *c = t->c;
    const Expr *e = t->optimizer_call;

    *to = args_new(c, t->optimizer->nparam, t->optimizer_at, t->scope);
    for (int k = 0; e && k < e->call.narg; k++) {
        CallArg a = call_arg(c, t->scope, &e->call.arg[k]);

        if (!a.name)
            return check_refuse(c, a.span, "setting",
                                "an optimizer's settings are given by name: "
                                "lr = …");
        if (value_is_error(a.value) || !args_place(c, t->optimizer, &a, k, to))
            return false;
    }
    for (int i = 0; i < to->n; i++)
        if (to->value[i] && (i < 3 || takes_loss(t, i)))
            return check_refuse(
                c, to->span[i], "setting", "'%s' has no setting '%s'",
                fn_name(c, t->optimizer), t->optimizer->param[i].name);
    return true;
}

/* Parameter i, with what is given or its default as the default of step. */
static bool add_setting(Train *t, Function *f, int i, Arguments *a)
{
    Check *c = t->c;
    const ParamEx *p = &t->optimizer->info->item->param[i];
    const Scope *own = scope_new(c, NULL, 0, t->optimizer->scope->unit);
    const Type *ty = type_eval(c, own, p->type);
    const Value *v = a->value[i];

    if (!ty)
        return false;
    if (ty->kind != TY_tensor || ty->rank > 0)
        return check_refuse(c, p->span, "setting",
                            "a setting is a scalar, '%s' is %s", p->name,
                            type_text(c, ty));
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
    Node **dx = NEWN(c->arena, Node *, net->nleaf + 1);
    Node *y = loss->node, *y_bar = g_fill(c->graph, y, 1);

    diff_reverse(c->graph, 1, &y, &y_bar, net->nleaf, value_leaves(c, net), dx);
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
static const Value *update(Train *t, const Arguments *setting, const Value *net,
                           const Value *grad, const Value *state)
{
    Check *c = t->c;
    Arguments a = args_copy(c, setting, setting->n);
    const Value *v, *part[2];

    a.scope = NULL;
    a.value[0] = net;
    grad = clip(t, "clip_value", &t->clip_value, grad);
    a.value[1] = clip(t, "clip_norm", &t->clip_norm, grad);
    a.value[2] = state;
    v = fn_apply(c, t->optimizer, &a);
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
               value_text(c, net), value_text(c, state), value_text(c, v));
    fn_declared(c, t->optimizer);
    return NULL;
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
    Node *one = g_const(g, c->real, 1);
    const Value *mean =
        times(t, sum, g2(g, OP_div, one, g_cast(g, one->dtype, count)));
    const Value *next = update(t, setting, net, mean, s->field[ST_optimizer]);
    const Value *part[2][4] = {
        {NULL, NULL, zeros(t, t->type), scalar(t, DT_i32, 0)},
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

static Port in_place(Train *t, const Port *param, int index, const Value *v)
{
    return (Port){.name = param->name,
                  .type = param->type,
                  .leaf = value_leaves(t->c, v),
                  .nleaf = v->nleaf,
                  .span = t->at,
                  .in_place = index};
}

/* The key of this step: the one derived from the state's by its number. */
static const Value *step_key(Train *t, State *s)
{
    Graph *g = t->c->graph;
    Node *step = s->field[ST_step]->node, *one = g_const_int(g, DT_i64, 1);

    s->field[ST_step] = value_tensor(t->c, g2(g, OP_add, step, one));
    return value_tensor(t->c, g_split_each(g, s->field[ST_key]->node, step));
}

/* The parameters of step; those of the optimizer's settings to `setting`. */
static bool step_params(Train *t, Function *f, const Value *const *fresh,
                        const State *s, Arguments *setting)
{
    Check *c = t->c;

    train_param(t, f, t->by, fresh);
    if (t->carried >= 0)
        train_param(t, f, t->carried, fresh);
    f->param[f->nparam++] = state_port(t, s, -1);
    train_data(t, f, fresh);
    for (int i = 3; i < setting->n; i++)
        if (!takes_loss(t, i) && !add_setting(t, f, i, setting))
            return false;
    add_knob(t, f, "clip_norm", c->real, &t->clip_norm);
    add_knob(t, f, "clip_value", c->real, &t->clip_value);
    add_knob(t, f, "accumulate", DT_i32, &t->accumulate);
    return true;
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

/* 1 if the loss and its gradient are finite; else the step ends here, with the
 * number of what is not: 0 for the loss, then those of the gradient's leaves.
 */
static Node *finite_or_stop(Train *t, const Value *loss, const Value *grad)
{
    Graph *g = t->c->graph;
    Node **leaf = value_leaves(t->c, grad);
    Node **ok = NEWN(t->c->arena, Node *, grad->nleaf + 1);

    ok[0] = is_finite(g, loss->node);
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
        if (x->dtype == DT_bool || x->dtype == DT_key)
            p->leaf[i] = g_if(g, g2(g, OP_eq, one, g_const_int(g, DT_i32, 1)),
                              x, g_fill(g, x, 0));
        else
            p->leaf[i] = g2(
                g, OP_mul, x,
                g_broadcast_to(g, g_cast(g, x->dtype, one), x->rank, x->dim));
    }
}

/* step(net, state, train state, data…, settings…) -> loss, and the first three
 * in place */
static Function *make_step(Train *t)
{
    Check *c = t->c;
    Function *f = function_new(c, FN_step, "step", t->at);
    const Value **fresh, *net, *loss, *carried, *next;
    Arguments a = train_arguments(t, &fresh), setting;
    State s;
    Node *one;
    int k = 0;

    if (!fresh || !place_settings(t, &setting))
        return NULL;
    s = fresh_state(t);
    if (!step_params(t, f, fresh, &s, &setting))
        return NULL;
    net = fresh[t->by];
    if (t->key >= 0)
        a.value[t->key] = step_key(t, &s);
    for (int i = 3; i < setting.n; i++)
        if (takes_loss(t, i))
            setting.value[i] = loss_of_net(t, &a);
    loss = train_loss(t, t->loss, fn_apply(c, t->loss, &a), &carried);
    if (!loss || (t->carried >= 0 && !carried_fits(t, &carried)))
        return NULL;
    next = gradient_of(t, loss, net);
    if (t->accumulate.given) {
        Operand sum[] = {{s.field[ST_gradient], t->at, NULL},
                         {next, t->at, NULL}};

        next = arith_elementwise(c, &(Operation){t->scope, "+", t->at, 2, sum},
                                 OP_add);
    }
    one = finite_or_stop(t, loss, next);
    next = times(t, next, one);
    next = t->accumulate.given
               ? update_sometimes(t, &setting, net, next, &s)
               : update(t, &setting, net, next, s.field[ST_optimizer]);
    if (!next)
        return NULL;
    s.field[ST_optimizer] = next->part[1];
    f->optimizer = fn_name(c, t->optimizer);
    function_result(c, f, fn_name(c, t->loss), loss, t->at);
    f->result[f->nresult++] = in_place(t, &f->param[k], k, next->part[0]);
    if (t->carried >= 0) {
        k++;
        f->result[f->nresult++] = in_place(t, &f->param[k], k, carried);
    }
    k++;
    f->result[f->nresult++] = state_port(t, &s, k);
    for (int i = 1; i < f->nresult; i++)
        wait_for(t, one, &f->result[i]);
    return function_finish(c, f) ? f : NULL;
}

/* The item */

/* A parameter of the loss whose value lives in memory of a fixed size. */
static bool fixed_type(Train *t, int i, const char *what, const Type *ty)
{
    Check *c = t->c;
    const char *name = t->loss->param[i].name;

    if (type_is_fixed(ty))
        return true;
    check_fail(c, i == t->by ? t->item->train.by_span : t->carried_at, "train",
               "what is %s needs constant dimensions, '%s' is %s\n"
               "the option --dim name=value fixes one",
               what, name, type_text(c, ty));
    fn_param_declared(c, t->loss, i);
    return false;
}

static bool key_type(Train *t, const Value *v)
{
    Check *c = t->c;
    const char *name = t->loss->param[t->key].name;

    if (value_is_scalar(v) && v->node->dtype == DT_key)
        return true;
    check_fail(c, t->key_at, "train", "'%s' is to be of type key, it is %s",
               name, value_text(c, v));
    fn_param_declared(c, t->loss, t->key);
    return false;
}

/* The loss must stand by itself before anything is built on it. */
static bool check_loss(Train *t)
{
    Check *c = t->c;
    const Value **fresh;
    const FnInfo *info = t->loss->info;

    fn_define(c, t->loss);
    if (info->state == FN_bad)
        return false;
    if (info->generic || info->leading) {
        check_fail(c, t->item->train.loss_span, "train",
                   "the parameters of '%s' do not have fixed types",
                   info->name);
        fn_declared(c, t->loss);
        return false;
    }
    train_arguments(t, &fresh);
    if (!fresh)
        return false;
    t->type = value_ty(c, fresh[t->by]);
    if (t->carried >= 0)
        t->carried_type = value_ty(c, fresh[t->carried]);
    return fixed_type(t, t->by, "trained", t->type) &&
           value_all_real(c, fresh[t->by], t->item->train.by_span,
                          "what is trained") &&
           (t->carried < 0 ||
            fixed_type(t, t->carried, "carried on", t->carried_type)) &&
           (t->key < 0 || key_type(t, fresh[t->key]));
}

void export_train(Program *p, const Item *item)
{
    Train t = {.c = &p->check, .item = item, .at = item->train.loss_span};
    Module *m = p->module;

    t.scope = scope_new(t.c, NULL, 0, t.c->main);
    if (p->train) {
        check_fail(t.c, t.at, "train", "a program has one 'train'");
        check_note(t.c, p->train->train.loss_span, "the first is here");
        return;
    }
    p->train = item;
    if (!find_loss(&t) || !train_settings(&t) || !check_loss(&t))
        return;
    t.optimizer_type = state_type(&t);
    if (!t.optimizer_type)
        return;
    m->init = make_init(&t);
    m->step = make_step(&t);
    m->evaluate = train_evaluate(&t);
    export_add(p, m->init, t.at);
    export_add(p, m->step, t.at);
    export_add(p, m->evaluate, t.at);
    if (t.nmetric > 0)
        m->metric = t.metric[0].name;
}
