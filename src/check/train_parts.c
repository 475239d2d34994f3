/* train_parts.c: parts of what is trained: those that are frozen, and groups
 * with settings of their own.
 *
 * A part is a path, net.body.W, or what every value of a struct has, Linear.b:
 * all places where such is in the type of what is trained. */
#include "check/scope.h"
#include "check/train.h"

#include <string.h>

/* Leaves first … first + type->nleaf - 1 of what is trained. */
typedef struct Chosen {
    const Type *type;
    int first;
} Chosen;

typedef LIST(Chosen) Choice;

/* A stack's values are taken together. */
static const Type *one_of(const Type *t)
{
    while (t->kind == TY_stack)
        t = t->part[0];
    return t;
}

static void all_structs(Check *c, const StructDef *d, Chosen at, Choice *to)
{
    const Type *t = one_of(at.type);

    if (t->kind == TY_struct && t->def == d) {
        list_push(c->arena, to, at);
        return;
    }
    for (int i = 0; i < t->npart; i++) {
        all_structs(c, d, (Chosen){t->part[i], at.first}, to);
        at.first += t->part[i]->nleaf;
    }
}

/* Field `name`, or part `number`, of each place that has it. */
static void descend(Check *c, const Choice *of, const char *name, int number,
                    Choice *to)
{
    for (int k = 0; k < of->n; k++) {
        const Type *t = one_of(of->at[k].type);
        int first = of->at[k].first;

        for (int i = 0; i < t->npart; i++) {
            Chosen here = {t->part[i], first};
            bool found = t->kind == TY_struct
                             ? name && !strcmp(t->field[i], name)
                             : t->kind == TY_tuple && !name && i == number;

            if (found)
                list_push(c->arena, to, here);
            first += t->part[i]->nleaf;
        }
    }
}

/* The struct that e names, perhaps behind a file's name; NULL: it names none.
 */
static const StructDef *struct_meant(Train *t, const Expr *e)
{
    const Expr *unit = e->kind == EX_field ? e->field.of : NULL;
    const Entry *found;
    bool clash;

    if (e->kind == EX_name) {
        found = scope_lookup(t->c, t->scope, e->name, e->span).entry;
    } else if (unit && unit->kind == EX_name) {
        found = scope_lookup(t->c, t->scope, unit->name, unit->span).entry;
        found =
            found && found->kind == EN_unit
                ? unit_find(t->c, found->names, e->field.name, e->span, &clash)
                : NULL;
    } else {
        return NULL;
    }
    return found && found->kind == EN_struct ? found->def : NULL;
}

static bool find_places(Train *t, const Expr *e, Choice *to)
{
    Check *c = t->c;
    const char *by = t->item->train.by;
    const StructDef *d = struct_meant(t, e);
    Chosen all = {t->type, 0};
    Choice of = {0};

    if (d) {
        all_structs(c, d, all, to);
    } else if (e->kind == EX_name && e->name == by) {
        list_push(c->arena, to, all);
    } else if (e->kind == EX_field || e->kind == EX_part) {
        if (!find_places(t, e->field.of, &of))
            return false;
        descend(c, &of, e->kind == EX_field ? e->field.name : NULL,
                e->field.part, to);
    } else {
        return check_refuse(c, e->span, "train",
                            "parts of '%s' are paths, %s.hidden.b, or what "
                            "every struct of a name has: Linear.b",
                            by, by);
    }
    if (to->n > 0)
        return true;
    return check_refuse(c, e->span, "train", "'%s', a %s, has no such part", by,
                        type_text(c, t->type));
}

static bool mark(Train *t, const Expr *e, bool *leaf)
{
    Choice to = {0};

    if (!find_places(t, e, &to))
        return false;
    for (int k = 0; k < to.n; k++)
        for (int i = 0; i < to.at[k].type->nleaf; i++)
            leaf[to.at[k].first + i] = true;
    return true;
}

/* Frozen */

/* Another parameter of the loss, as a whole. */
static bool hold(Train *t, int i, const Expr *e)
{
    const Value **fresh;

    if (t->role[i] != PR_data)
        return check_refuse(t->c, e->span, "train",
                            "'%s' is named by a setting already", e->name);
    t->role[i] = PR_held;
    train_arguments(t, &fresh);
    return train_fixed(t, i, e->span, "frozen", fresh);
}

static bool freeze(Train *t, const Expr *e)
{
    const Expr *base = e;
    int i;

    while (base->kind == EX_field)
        base = base->field.of;
    i = base->kind == EX_name ? fn_param_named(t->loss, base->name) : -1;
    if (i < 0 || i == t->by)
        return mark(t, e, t->frozen);
    if (base == e)
        return hold(t, i, e);
    return check_refuse(t->c, e->span, "train",
                        "'%s' is frozen as a whole: it is not what is trained",
                        base->name);
}

static bool left_to_train(Train *t)
{
    for (int i = 0; i < t->type->nleaf; i++)
        if (!t->frozen[i])
            return true;
    return t->type->nleaf == 0 ||
           check_refuse(t->c, t->item->train.held_span, "train",
                        "nothing of '%s' is left to train", t->item->train.by);
}

static bool takes_the_loss(const Train *t)
{
    for (int i = 0; i < t->optimizer->nparam; i++)
        if (train_takes_loss(t, i))
            return true;
    return false;
}

static bool read_frozen(Train *t)
{
    const char *held = t->item->train.held;
    bool good = true, some = false;

    if (held && strcmp(held, "frozen") != 0)
        return check_refuse(t->c, t->item->train.held_span, "train",
                            "'%s' is unknown here: (%s; frozen = …)", held,
                            t->item->train.by);
    for (int i = 0; i < t->item->train.nfrozen; i++)
        good = freeze(t, t->item->train.frozen[i]) && good;
    for (int i = 0; i < t->type->nleaf; i++)
        some |= t->frozen[i];
    if (good && some && takes_the_loss(t))
        return check_refuse(
            t->c, t->item->train.held_span, "train",
            "'%s' looks at the loss itself, by all of '%s': parts of it cannot "
            "be frozen, other parameters can",
            fn_name(t->c, t->optimizer), t->item->train.by);
    return good && left_to_train(t);
}

/* Groups */

static bool read_group(Train *t, const Expr *e)
{
    Group g = {.call = e};
    bool *leaf = NEWN(t->c->arena, bool, t->type->nleaf + 1);
    const Expr *of = e->kind == EX_call ? e->call.fn : NULL;
    bool good = true;

    if (!of)
        return check_refuse(t->c, e->span, "setting",
                            "a group is a call of parts with settings: "
                            "Linear.b(weight_decay = 0)");
    if (of->kind == EX_tuple)
        for (int i = 0; i < of->list.n; i++)
            good = mark(t, of->list.at[i], leaf) && good;
    else
        good = mark(t, of, leaf);
    g.leaf = leaf;
    list_push(t->c->arena, &t->group, g);
    return good;
}

bool train_parts(Train *t)
{
    const Setting *s = train_groups(t);
    const Expr *all = s ? s->value : NULL;
    bool good;

    t->frozen = NEWN(t->c->arena, bool, t->type->nleaf + 1);
    good = read_frozen(t);
    if (all && all->kind == EX_tuple)
        for (int i = 0; i < all->list.n; i++)
            good = read_group(t, all->list.at[i]) && good;
    else if (all)
        good = read_group(t, all) && good;
    return good;
}
