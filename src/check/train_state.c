/* train_state.c: what a `train` item's step carries on besides the model and
 * the state that the loss itself has: the optimizer's state alone, or a struct
 * of that and a key, the number of steps made and the gradient gathered so far,
 * as far as the item asks for them. */
#include "check/scope.h"
#include "check/train.h"

#include <string.h>

bool train_takes_loss(const Train *t, int i)
{
    const Fn *f = t->optimizer;
    const TypeEx *type =
        f->kind == FK_item ? f->info->item->param[i].type : NULL;

    return type && type->kind == TE_fn;
}

const Type *state_type(Train *t)
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
        if (!p[i].type || train_takes_loss(t, i))
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

static const char *const field_name[NSTATE] = {
    "optimizer", "key", "step", "gradient", "count", "part",
};

State state_fresh(Train *t)
{
    Arena *arena = t->c->arena;
    bool key = t->key >= 0, sums = t->accumulate.given;
    const Type *type[NSTATE] = {
        t->optimizer_type,
        key ? type_scalar(arena, DT_key) : NULL,
        key || t->counts ? type_scalar(arena, DT_i64) : NULL,
        sums ? t->type : NULL,
        sums ? type_scalar(arena, DT_i32) : NULL,
        t->has_carry ? t->carried_type : NULL,
    };
    State s = {{NULL}};

    for (int i = 0; i < NSTATE; i++)
        if (type[i])
            s.field[i] = value_fresh(t->c, type[i], field_name[i]);
    return s;
}

static const char *state_name(Train *t)
{
    const char *name = intern(t->c->names, train_named(t, "state"));

    if (t->name)
        return name;
    return fn_param_named(t->loss, name) >= 0 ? "train_state" : name;
}

/* The state as a port: its fields are those of a struct of its own. */
Port state_port(Train *t, const State *s, int in_place)
{
    Check *c = t->c;
    Arena *arena = graph_arena(c->graph);
    const Type *part[NSTATE];
    const char **name = NEWN(arena, const char *, NSTATE);
    Type type = {.name = "TrainState", .field = name, .part = part};
    Port p = {.name = state_name(t), .span = t->at, .in_place = in_place};

    for (int i = 0; i < NSTATE; i++) {
        if (!s->field[i])
            continue;
        name[type.npart] = field_name[i];
        part[type.npart++] = value_ty(c, s->field[i]);
    }
    p.type =
        type_export(c, type.npart == 1 ? part[0] : type_struct(arena, &type));
    p.leaf = values_leaves(c, NSTATE, s->field, &p.nleaf);
    return p;
}

const Value *state_optimizer(Train *t, Node *key, int64_t *number)
{
    return construct_initial(t->c, t->optimizer_type, key, number, t->at);
}

State state_first(Train *t, const Value *optimizer, Node *key, int64_t *number)
{
    State s = {{optimizer}};

    if (t->key >= 0) {
        s.field[ST_key] =
            value_tensor(t->c, g_split(t->c->graph, key, (*number)++));
    }
    if (t->key >= 0 || t->counts)
        s.field[ST_step] = train_scalar(t, DT_i64, 0);
    if (t->accumulate.given) {
        s.field[ST_gradient] = train_zeros(t, t->type);
        s.field[ST_count] = train_scalar(t, DT_i32, 0);
    }
    if (t->has_carry)
        s.field[ST_part] = train_zeros(t, t->carried_type);
    return s;
}
