/* train.c: the `train` items of a program: what they train, and the one init of
 * all that they train. */
#include "check/train.h"
#include "check/scope.h"

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

void train_params(Train *t, Function *f, ParamRole role,
                  const Value *const *value)
{
    for (int i = 0; i < t->loss->nparam; i++)
        if (t->role[i] == role)
            function_fn_param(t->c, f, t->loss, i, value[i],
                              t->loss->param[i].span);
}

const char *train_result(const Train *t)
{
    return t->name ? t->name : fn_name(t->c, t->loss);
}

const char *train_named(const Train *t, const char *name)
{
    return t->name
               ? arena_printf(graph_arena(t->c->graph), "%s_%s", t->name, name)
               : name;
}

const Value *train_scalar(Train *t, DType type, int64_t v)
{
    return value_tensor(t->c, g_const_int(t->c->graph, type, v));
}

const Value *train_zeros(Train *t, const Type *ty)
{
    return value_fill(t->c, ty, value_int(t->c, 0), t->at);
}

/* What all items together train, hold and carry on: by its name. */

typedef struct Model {
    const char *name;
    const Type *type;
    Span at;
    const Value *first; /* its first value */
} Model;

typedef struct Items {
    Check *c;
    LIST(Train *) train;
    LIST(Model) model; /* what is trained, held, carried, in this order */
} Items;

static Model *model_named(const Items *all, const char *name)
{
    for (int i = 0; i < all->model.n; i++)
        if (!strcmp(all->model.at[i].name, name))
            return &all->model.at[i];
    return NULL;
}

/* The loss's parameter i: what the model has under that name, which is of one
 * type, or else it is added. */
static bool add_model(Items *all, Train *t, int i, const Type *type, Span at)
{
    const char *name = t->loss->param[i].name;
    const Model *have = model_named(all, name);
    Model own = {.name = name, .type = type, .at = at};

    if (!have) {
        list_push(all->c->arena, &all->model, own);
        return true;
    }
    if (type && type_equal(have->type, type))
        return true;
    check_fail(all->c, t->loss->param[i].span, "train",
               "'%s' is %s here and %s where it is trained or carried on", name,
               type ? type_text(all->c, type) : "a function",
               type_text(all->c, have->type));
    check_note(all->c, have->at, "that is here");
    return false;
}

static bool add_role(Items *all, Train *t, ParamRole role)
{
    const Value **fresh;
    bool good = true;

    train_arguments(t, &fresh);
    for (int i = 0; i < t->loss->nparam; i++)
        if (t->role[i] == role)
            good = add_model(all, t, i, value_ty(all->c, fresh[i]),
                             i == t->by        ? t->item->train.by_span
                             : i == t->carried ? t->carried_at
                                               : t->loss->param[i].span) &&
                   good;
    return good;
}

/* Data of one item that another trains or carries on is not data. */
static bool hold_others(Items *all, Train *t)
{
    for (int i = 0; i < t->loss->nparam; i++)
        if (t->role[i] == PR_data && model_named(all, t->loss->param[i].name))
            t->role[i] = PR_held;
    return add_role(all, t, PR_held);
}

static bool find_models(Items *all)
{
    static const ParamRole role[] = {PR_trained, PR_held, PR_carried};
    bool good = true;

    for (int k = 0; k < 3; k++)
        for (int i = 0; i < all->train.n; i++)
            good = add_role(all, all->train.at[i], role[k]) && good;
    for (int i = 0; i < all->train.n; i++)
        good = hold_others(all, all->train.at[i]) && good;
    return good;
}

/* init(seed) -> net…, held…, states of the losses…, train states… */

static bool first_value(Items *all, const char *name, Node *key,
                        int64_t *number)
{
    Model *m = model_named(all, name);

    if (!m->first)
        m->first = construct_initial(all->c, m->type, key, number, m->at);
    return m->first;
}

/* What an item begins with: what it trains, its train state, what it carries
 * on, what it holds. */
static bool first_values(Items *all, Train *t, Node *key, int64_t *number,
                         State *s)
{
    const FnParam *p = t->loss->param;
    const Value *optimizer;

    if (!first_value(all, p[t->by].name, key, number))
        return false;
    optimizer = state_optimizer(t, key, number);
    if (!optimizer ||
        (t->carried >= 0 && !first_value(all, p[t->carried].name, key, number)))
        return false;
    for (int i = 0; i < t->loss->nparam; i++)
        if (t->role[i] == PR_held && !first_value(all, p[i].name, key, number))
            return false;
    *s = state_first(t, optimizer, key, number);
    return true;
}

static Function *make_init(Items *all, Span at)
{
    Check *c = all->c;
    Function *f = function_new(c, FN_init, "init", at);
    Node *key = value_fresh(c, type_scalar(c->arena, DT_key), "seed")->node;
    State *s = NEWN(c->arena, State, all->train.n + 1);
    int64_t number = 0;

    f->result = NEWN(graph_arena(c->graph), Port,
                     2 * MAX_PARAMS + all->model.n + all->train.n + 1);
    for (int i = 0; i < all->train.n; i++)
        if (!first_values(all, all->train.at[i], key, &number, &s[i]))
            return NULL;
    function_param(c, f, "seed", value_tensor(c, key), at);
    for (int i = 0; i < all->model.n; i++)
        function_result(c, f, all->model.at[i].name, all->model.at[i].first,
                        at);
    for (int i = 0; i < all->train.n; i++)
        f->result[f->nresult++] = state_port(all->train.at[i], &s[i], -1);
    return function_finish(c, f) ? f : NULL;
}

/* The item */

/* A parameter of the loss whose value lives in memory of a fixed size. */
bool train_fixed(Train *t, int i, Span at, const char *what,
                 const Value *const *fresh)
{
    Check *c = t->c;
    const char *name = t->loss->param[i].name;
    const Type *ty = value_ty(c, fresh[i]);

    if (type_is_fixed(ty))
        return true;
    check_fail(c, at, "train",
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
    return train_fixed(t, t->by, t->item->train.by_span, "trained", fresh) &&
           value_all_real(c, fresh[t->by], t->item->train.by_span,
                          "what is trained") &&
           (t->carried < 0 ||
            train_fixed(t, t->carried, t->carried_at, "carried on", fresh)) &&
           (t->key < 0 || key_type(t, fresh[t->key]));
}

/* What Module says of the function that predicts. */
static void find_predict(const Train *t, Module *m)
{
    const char *name = intern(t->c->names, "predict");
    Found found = scope_lookup(t->c, t->scope, name, t->at);
    const Fn *f = found.entry && found.entry->kind == EN_fn
                      ? found.entry->value->fn
                      : t->predict;

    if (!f)
        return;
    m->predict = fn_name(t->c, f);
    for (int i = 0; i < f->nparam; i++)
        list_push(t->c->arena, &m->predict_param, f->param[i].name);
}

static ParamRole role_of(const Train *t, int i)
{
    return i == t->by        ? PR_trained
           : i == t->carried ? PR_carried
           : i == t->key     ? PR_key
                             : PR_data;
}

/* NULL after reporting. */
static Train *read_item(Program *p, const Item *item, bool alone)
{
    Check *c = &p->check;
    Train *t = NEW(c->arena, Train);

    t->c = c;
    t->item = item;
    t->at = item->train.loss_span;
    t->scope = scope_new(c, NULL, 0, c->main);
    t->name = item->train.as ? item->train.as : alone ? NULL : item->train.loss;
    if (!find_loss(t) || !train_settings(t) || !check_loss(t))
        return NULL;
    t->role = NEWN(c->arena, ParamRole, t->loss->nparam + 1);
    for (int i = 0; i < t->loss->nparam; i++)
        t->role[i] = role_of(t, i);
    if (!train_parts(t))
        return NULL;
    t->optimizer_type = state_type(t);
    return t->optimizer_type && train_reads_carry(t) ? t : NULL;
}

static bool named_anew(Check *c, const Items *all, const Train *t)
{
    for (int i = 0; i < all->train.n; i++) {
        const Train *other = all->train.at[i];

        if (!t->name || !other->name || strcmp(other->name, t->name))
            continue;
        check_fail(c, t->at, "train",
                   "two 'train' items are called '%s': '… as name {' calls one "
                   "otherwise",
                   t->name);
        check_note(c, other->at, "the first is here");
        return false;
    }
    return true;
}

static void export_item(Program *p, Train *t)
{
    Module *m = p->module;
    Training one = {.name = t->name ? t->name : t->item->train.loss,
                    .steps = t->steps.given ? (int)t->steps.value : 1};

    one.step = train_step(t);
    one.update = one.step ? train_update(t) : NULL;
    one.carry = one.step ? train_carry(t) : NULL;
    one.evaluate = train_evaluate(t);
    export_add(p, one.step, t->at);
    if (one.update)
        export_add(p, one.update, t->at);
    if (one.carry)
        export_add(p, one.carry, t->at);
    export_add(p, one.evaluate, t->at);
    if (one.step && one.evaluate)
        list_push(graph_arena(m->graph), &m->training, one);
}

void export_trains(Program *p, int n, const Item *const *item)
{
    Items all = {.c = &p->check};
    bool good = true;

    p->train = item;
    p->ntrain = n;
    if (n > MAX_TRAIN) {
        check_fail(all.c, item[MAX_TRAIN]->train.loss_span, "too-large",
                   "more than %d 'train' items", MAX_TRAIN);
        return;
    }
    for (int i = 0; i < n; i++) {
        Train *t = read_item(p, item[i], n == 1);

        good = t && named_anew(all.c, &all, t) && good;
        if (t)
            list_push(all.c->arena, &all.train, t);
    }
    if (!good || !find_models(&all))
        return;
    p->module->init = make_init(&all, all.train.at[0]->at);
    export_add(p, p->module->init, all.train.at[0]->at);
    for (int i = 0; i < n; i++)
        export_item(p, all.train.at[i]);
    if (all.train.at[0]->nmetric > 0)
        p->module->metric = all.train.at[0]->metric[0].name;
    find_predict(all.train.at[0], p->module);
}
