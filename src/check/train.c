/* train.c: init, step and evaluate of a `train` item. */
#include "check/check_internal.h"

#include <math.h>
#include <string.h>

typedef struct Train {
    Check *c;
    Program *program;
    const Item *item;
    Span at;
    const Fn *loss, *optimizer, *metric;
    const Expr *optimizer_call, *metric_call;
    int by;         /* the loss's parameter that is trained */
    const Ty *type; /* its type */
    const Scope *scope;
} Train;

static const Setting *setting(Train *t, const char *name)
{
    const Setting *found = NULL;

    for (int i = 0; i < t->item->train.nsetting; i++) {
        const Setting *s = &t->item->train.setting[i];

        if (strcmp(s->name, name) != 0)
            continue;
        if (found)
            fail(t->c, s->span, "duplicate", "'%s' is set twice", name);
        found = s;
    }
    return found;
}

static void unknown_settings(Train *t)
{
    static const char *const known[] = {"optimizer", "metric"};

    for (int i = 0; i < t->item->train.nsetting; i++) {
        const Setting *s = &t->item->train.setting[i];

        if (strcmp(s->name, known[0]) != 0 && strcmp(s->name, known[1]) != 0)
            fail(t->c, s->span, "setting",
                 "'train' has no setting '%s'%s; it knows 'optimizer' and "
                 "'metric'",
                 s->name, suggestion(t->c, s->name, known, 2));
    }
}

/* f or f(…): the function, and the call if there is one. */
static const Fn *function_of(Train *t, const Setting *s, const Expr **call)
{
    const Expr *e = s->value;
    const Value *v;

    *call = e->kind == EX_call ? e : NULL;
    v = eval(t->c, t->scope, *call ? e->call.fn : e);
    if (v->kind == V_fn && v->fn->kind != FK_builtin)
        return v->fn;
    if (!is_error(v))
        fail(t->c, e->span, "setting", "'%s' is to be a call of a function",
             s->name);
    return NULL;
}

static bool find_loss(Train *t)
{
    Check *c = t->c;
    Found f =
        lookup(c, t->scope, t->item->train.loss, t->item->train.loss_span);
    int n;

    if (f.clash)
        return false;
    if (!f.entry || f.entry->kind != EN_fn) {
        if (f.entry || f.builtin)
            fail(c, t->item->train.loss_span, "train",
                 "'%s' is no function of the program", t->item->train.loss);
        else
            unknown_name(c, t->scope, t->item->train.loss,
                         t->item->train.loss_span);
        return false;
    }
    t->loss = f.entry->value->fn;
    n = fn_nparam(t->loss);
    for (t->by = 0; t->by < n; t->by++)
        if (fn_param_name(c, t->loss, t->by) == t->item->train.by)
            return true;
    fail(c, t->item->train.by_span, "train", "'%s' has no parameter '%s'",
         t->item->train.loss, t->item->train.by);
    note(c, fn_span(t->loss), "'%s' is declared here", t->item->train.loss);
    return false;
}

/* The loss on inputs of its own. */
static Arguments loss_arguments(Train *t, const Value ***fresh)
{
    Check *c = t->c;
    Arguments a = arguments_new(c, fn_nparam(t->loss), t->at, NULL);

    *fresh = fresh_arguments(c, t->loss);
    for (int i = 0; *fresh && i < a.n; i++) {
        a.value[i] = (*fresh)[i];
        a.span[i] = fn_param_span(t->loss, i);
    }
    return a;
}

static void add_loss_params(Train *t, Function *f, const Value *const *value)
{
    for (int i = 0; i < fn_nparam(t->loss); i++)
        if (i != t->by)
            add_param(t->c, f, fn_param_name(t->c, t->loss, i), value[i],
                      fn_param_span(t->loss, i));
}

/* The type of the state: of the optimizer's third parameter, once its first is
 * matched with what is trained. */
static const Ty *state_type(Train *t)
{
    Check *c = t->c;
    const FnItem *of;
    FnItem *one = NEW(c->arena, FnItem);
    Fn *f = NEW(c->arena, Fn);
    Scope *s;
    Arguments a = arguments_new(c, 1, t->at, NULL);

    if (t->optimizer->kind != FK_item || fn_nparam(t->optimizer) < 3) {
        fail(c, t->optimizer_call ? t->optimizer_call->span : t->at, "train",
             "an optimizer is a function (p, g, state, settings…) -> (p, "
             "state)");
        return NULL;
    }
    of = t->optimizer->info->item;
    for (int i = 0; i < 3; i++) {
        if (of->param[i].type && of->param[i].type->kind != TE_fn)
            continue;
        fail(c, of->param[i].span, "train",
             "an optimizer's parameter needs a type");
        return NULL;
    }
    *one = *of;
    one->nparam = 1;
    *f = *t->optimizer;
    f->info = fn_info(c, one);
    s = scope_new(c, f->scope, f->limit, f->scope->unit);
    a.value[0] = value_fresh(c, t->type, t->item->train.by);
    return bind_arguments(c, f, s, &a) ? type_eval(c, s, of->param[2].type)
                                       : NULL;
}

/* init(seed) -> net, state */
static Function *make_init(Train *t, const Ty *state)
{
    Check *c = t->c;
    Function *f = function_new(c, FN_init, "init", t->at);
    const Value *key = value_fresh(c, ty_scalar(c, DT_key), "seed");
    const Value *net, *s;
    int64_t number = 0;

    net = initial_value(c, t->type, key->node, &number, t->at);
    s = net ? initial_value(c, state, key->node, &number, t->at) : NULL;
    if (!s)
        return NULL;
    add_param(c, f, "seed", key, t->at);
    f->result[f->nresult++] = (Port){t->item->train.by,
                                     ty_export(c, t->type),
                                     value_leaves(c, net),
                                     net->nleaf,
                                     t->at,
                                     -1,
                                     false,
                                     0};
    f->result[f->nresult++] = (Port){"state",
                                     ty_export(c, state),
                                     value_leaves(c, s),
                                     s->nleaf,
                                     t->at,
                                     -1,
                                     false,
                                     0};
    return finish_function(c, f) ? f : NULL;
}

/* The optimizer's settings: scalars, from the call or their defaults. */

static const Expr *given(const Train *t, int i)
{
    const char *name = fn_param_name(t->c, t->optimizer, i);

    for (int k = 0; t->optimizer_call && k < t->optimizer_call->call.narg; k++)
        if (t->optimizer_call->call.arg[k].name == name)
            return t->optimizer_call->call.arg[k].value;
    return NULL;
}

static bool settings_known(Train *t)
{
    Check *c = t->c;
    int n = fn_nparam(t->optimizer);
    const char **name = NEWN(c->arena, const char *, n + 1);

    for (int i = 3; i < n; i++)
        name[i - 3] = fn_param_name(c, t->optimizer, i);
    for (int k = 0; t->optimizer_call && k < t->optimizer_call->call.narg;
         k++) {
        const Arg *a = &t->optimizer_call->call.arg[k];
        bool known = false;

        if (!a->name) {
            fail(c, a->value->span, "setting",
                 "an optimizer's settings are given by name: %s = …",
                 n > 3 ? name[0] : "lr");
            return false;
        }
        for (int i = 0; i < n - 3; i++)
            known = known || name[i] == a->name;
        if (known)
            continue;
        fail(c, a->name_span, "setting", "'%s' has no setting '%s'%s",
             fn_name(c, t->optimizer), a->name,
             suggestion(c, a->name, name, n - 3));
        note(c, fn_span(t->optimizer), "'%s' is declared here",
             fn_name(c, t->optimizer));
        return false;
    }
    return true;
}

static double constant(const Node *n)
{
    return dtype_is_real(n->dtype) ? n->attr.real : (double)n->attr.integer;
}

static bool add_setting(Train *t, Function *f, int i, const Value **value)
{
    Check *c = t->c;
    const ParamEx *p = &t->optimizer->info->item->param[i];
    const Scope *own = scope_new(c, NULL, 0, t->optimizer->scope->unit);
    const Expr *e = given(t, i);
    const Ty *ty = type_eval(c, own, p->type);
    const Value *v;

    if (!ty)
        return false;
    if (ty->kind != TY_tensor || ty->rank > 0) {
        fail(c, p->span, "setting", "a setting is a scalar, '%s' is %s",
             p->name, ty_text(c, ty));
        return false;
    }
    if (!e && !p->init) {
        fail(c, t->optimizer_call ? t->optimizer_call->span : t->at, "setting",
             "'%s' needs its setting '%s'", fn_name(c, t->optimizer), p->name);
        note(c, p->span, "'%s' is declared here", p->name);
        return false;
    }
    v = eval(c, e ? t->scope : own, e ? e : p->init);
    if (is_error(v))
        return false;
    v = fit(c, ty, v);
    if (!v || v->node->op != OP_const) {
        fail(c, e ? e->span : p->init->span, "setting",
             "'%s' is to be a constant of type %s", p->name, ty_text(c, ty));
        return false;
    }
    value[i] = value_fresh(c, ty, p->name);
    add_param(c, f, p->name, value[i], p->span);
    f->param[f->nparam - 1].has_default = true;
    f->param[f->nparam - 1].value = constant(v->node);
    return true;
}

static const Value *differentiate_loss(Train *t, Arguments *a)
{
    Fn *grad = NEW(t->c->arena, Fn);
    int *by = NEW(t->c->arena, int);

    *by = t->by;
    grad->kind = FK_derivative;
    grad->op = D_value_and_grad;
    grad->of = t->loss;
    grad->by = by;
    grad->nby = 1;
    return apply(t->c, grad, a);
}

/* New p and state from the optimizer; NULL after reporting. */
static const Value *update(Train *t, Function *f, const Value *net,
                           const Value *grad, const Value *state)
{
    Check *c = t->c;
    Arguments a = arguments_new(c, fn_nparam(t->optimizer), t->at, NULL);
    const Value *v;

    a.value[0] = net;
    a.value[1] = grad;
    a.value[2] = state;
    for (int i = 3; i < a.n; i++)
        if (!add_setting(t, f, i, a.value))
            return NULL;
    v = apply(c, t->optimizer, &a);
    if (is_error(v))
        return NULL;
    if (v->kind == V_tuple && v->npart == 2 &&
        fit(c, value_ty(c, net), v->part[0]) &&
        fit(c, value_ty(c, state), v->part[1]))
        return v;
    fail(c, t->optimizer_call ? t->optimizer_call->span : t->at, "train",
         "an optimizer gives the new parameters and the new state");
    detail(c, "expected (%s, %s), found %s", value_text(c, net),
           value_text(c, state), value_text(c, v));
    note(c, fn_span(t->optimizer), "'%s' is declared here",
         fn_name(c, t->optimizer));
    return NULL;
}

static void add_in_place(Train *t, Function *f, int param, const Ty *ty,
                         const Value *v)
{
    v = fit(t->c, ty, v);
    add_result(t->c, f, f->param[param].name, v, t->at);
    f->result[f->nresult - 1] = (Port){f->param[param].name,
                                       f->param[param].type,
                                       value_leaves(t->c, v),
                                       v->nleaf,
                                       t->at,
                                       param,
                                       false,
                                       0};
}

/* step(net, state, data…, settings…) -> loss, and net and state in place */
static Function *make_step(Train *t, const Ty *state_ty)
{
    Check *c = t->c;
    Function *f = function_new(c, FN_step, "step", t->at);
    const Value **fresh, *state, *net, *v, *next;
    Arguments a = loss_arguments(t, &fresh);

    if (!fresh || !settings_known(t))
        return NULL;
    net = fresh[t->by];
    state = value_fresh(c, state_ty, "state");
    add_param(c, f, t->item->train.by, net, fn_param_span(t->loss, t->by));
    add_param(c, f, "state", state, t->at);
    add_loss_params(t, f, fresh);
    v = differentiate_loss(t, &a);
    next = is_error(v) ? NULL : update(t, f, net, v->part[1], state);
    if (!next)
        return NULL;
    add_result(c, f, fn_name(c, t->loss), v->part[0], t->at);
    add_in_place(t, f, 0, value_ty(c, net), next->part[0]);
    add_in_place(t, f, 1, state_ty, next->part[1]);
    return finish_function(c, f) ? f : NULL;
}

/* A metric's argument: a function is applied to the loss's parameters of the
 * same names, which count as taken. */
static const Value *metric_argument(Train *t, const Value *v, const Expr *e,
                                    const Value *const *loss, bool *taken)
{
    Check *c = t->c;
    Arguments a;

    if (v->kind != V_fn)
        return v;
    a = arguments_new(c, fn_nparam(v->fn), e->span, t->scope);
    for (int i = 0; i < a.n; i++) {
        for (int k = 0; k < fn_nparam(t->loss); k++) {
            if (fn_param_name(c, t->loss, k) != fn_param_name(c, v->fn, i))
                continue;
            a.value[i] = loss[k];
            taken[k] = true;
        }
        if (a.value[i] || fn_param_optional(v->fn, i))
            continue;
        fail(c, e->span, "train", "'%s' has no parameter '%s' to give to '%s'",
             fn_name(c, t->loss), fn_param_name(c, v->fn, i),
             fn_name(c, v->fn));
        note(c, fn_span(t->loss), "'%s' is declared here", fn_name(c, t->loss));
        return c->error;
    }
    return apply(c, v->fn, &a);
}

static bool place_metric_argument(Train *t, Arguments *to, int k,
                                  const Value *const *loss, bool *taken)
{
    Check *c = t->c;
    const Arg *arg = &t->metric_call->call.arg[k];
    int i = arg->name ? 0 : k;

    while (arg->name && i < to->n &&
           fn_param_name(c, t->metric, i) != arg->name)
        i++;
    if (i >= to->n || to->value[i]) {
        fail(c, arg->name ? arg->name_span : arg->value->span, "train",
             "'%s' does not take this argument", fn_name(c, t->metric));
        note(c, fn_span(t->metric), "'%s' is declared here",
             fn_name(c, t->metric));
        return false;
    }
    to->value[i] = eval(c, t->scope, arg->value);
    to->value[i] = metric_argument(t, to->value[i], arg->value, loss, taken);
    to->span[i] = arg->value->span;
    return !is_error(to->value[i]);
}

/* What the call leaves open: the loss's parameter of that name or, in order,
 * its data that the functions did not take. */
static bool fill_metric(Train *t, Arguments *to, const Value *const *loss,
                        bool *taken)
{
    Check *c = t->c;
    int n = fn_nparam(t->loss);

    for (int i = 0; i < to->n; i++) {
        int k = 0, found = -1;

        if (to->value[i] || fn_param_optional(t->metric, i))
            continue;
        for (k = 0; k < n; k++)
            if (!taken[k] &&
                fn_param_name(c, t->loss, k) == fn_param_name(c, t->metric, i))
                found = k;
        for (k = 0; k < n && found < 0; k++)
            if (!taken[k] && k != t->by)
                found = k;
        if (found < 0) {
            fail(c, to->at, "train", "nothing is left to give '%s' as '%s'",
                 fn_name(c, t->metric), fn_param_name(c, t->metric, i));
            note(c, fn_param_span(t->metric, i), "'%s' is declared here",
                 fn_param_name(c, t->metric, i));
            return false;
        }
        to->value[i] = loss[found];
        taken[found] = true;
    }
    return true;
}

static const Value *metric_value(Train *t, const Value *const *loss)
{
    Check *c = t->c;
    Arguments a =
        arguments_new(c, fn_nparam(t->metric),
                      t->metric_call ? t->metric_call->span : t->at, t->scope);
    bool *taken = NEWN(c->arena, bool, fn_nparam(t->loss) + 1);
    const Value *v;

    for (int k = 0; t->metric_call && k < t->metric_call->call.narg; k++)
        if (!place_metric_argument(t, &a, k, loss, taken))
            return NULL;
    if (!fill_metric(t, &a, loss, taken))
        return NULL;
    v = settle(c, a.at, apply(c, t->metric, &a));
    if (is_error(v))
        return NULL;
    if (is_scalar(v) && dtype_is_real(v->node->dtype))
        return v;
    fail(c, a.at, "train", "a metric is a real scalar, '%s' gives %s",
         fn_name(c, t->metric), value_text(c, v));
    return NULL;
}

/* evaluate(net, data…) -> loss, metric */
static Function *make_evaluate(Train *t)
{
    Check *c = t->c;
    Function *f = function_new(c, FN_evaluate, "evaluate", t->at);
    const Value **fresh, *loss, *metric = NULL;
    Arguments a = loss_arguments(t, &fresh);

    if (!fresh)
        return NULL;
    add_param(c, f, t->item->train.by, fresh[t->by],
              fn_param_span(t->loss, t->by));
    add_loss_params(t, f, fresh);
    loss = settle(c, t->at, apply(c, t->loss, &a));
    if (is_error(loss))
        return NULL;
    add_result(c, f, fn_name(c, t->loss), loss, t->at);
    if (t->metric) {
        metric = metric_value(t, fresh);
        if (!metric)
            return NULL;
        add_result(c, f, fn_name(c, t->metric), metric, t->at);
    }
    return finish_function(c, f) ? f : NULL;
}

static bool read_settings(Train *t)
{
    const Setting *optimizer = setting(t, "optimizer");
    const Setting *metric = setting(t, "metric");

    unknown_settings(t);
    if (!optimizer)
        fail(t->c, t->at, "setting",
             "'train' needs an optimizer: optimizer = sgd(lr = 0.1);");
    if (optimizer)
        t->optimizer = function_of(t, optimizer, &t->optimizer_call);
    if (metric)
        t->metric = function_of(t, metric, &t->metric_call);
    return t->optimizer && (!metric || t->metric);
}

/* The loss must stand by itself before anything is built on it. */
static bool check_loss(Train *t)
{
    Check *c = t->c;
    const Value **fresh;
    const FnInfo *info = t->loss->info;

    define(c, t->loss);
    if (info->state == FN_bad)
        return false;
    if (info->generic || info->leading) {
        fail(c, t->item->train.loss_span, "train",
             "the parameters of '%s' do not have fixed types", info->name);
        note(c, fn_span(t->loss), "'%s' is declared here", info->name);
        return false;
    }
    loss_arguments(t, &fresh);
    if (!fresh)
        return false;
    t->type = value_ty(c, fresh[t->by]);
    if (type_is_fixed(ty_export(c, t->type)))
        return true;
    fail(c, t->item->train.by_span, "train",
         "what is trained needs constant dimensions, '%s' is %s",
         t->item->train.by, ty_text(c, t->type));
    detail(c, "the option --dim name=value fixes one");
    note(c, fn_param_span(t->loss, t->by), "'%s' is declared here",
         t->item->train.by);
    return false;
}

void export_train(Program *p, const Item *item)
{
    Train t = {.c = &p->check, .program = p, .item = item, .at = item->span};
    Module *m = p->module;
    const Ty *state;

    t.scope = scope_new(t.c, NULL, 0, t.c->main);
    t.at = item->train.loss_span;
    if (p->train) {
        fail(t.c, t.at, "train", "a program has one 'train'");
        note(t.c, p->train->train.loss_span, "the first is here");
        return;
    }
    p->train = item;
    if (!find_loss(&t) || !read_settings(&t) || !check_loss(&t))
        return;
    state = state_type(&t);
    if (!state)
        return;
    m->init = make_init(&t, state);
    m->step = make_step(&t, state);
    m->evaluate = make_evaluate(&t);
    add_export(p, m->init, t.at);
    add_export(p, m->step, t.at);
    add_export(p, m->evaluate, t.at);
    if (t.metric)
        m->metric = fn_name(t.c, t.metric);
}
