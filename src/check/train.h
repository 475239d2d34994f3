/* train.h: what the files about `train` items share. */
#ifndef NNCC_TRAIN_H
#define NNCC_TRAIN_H

#include "check/export.h"

enum {
    MAX_METRICS = 16, /* NNCC_MAX_METRICS and NNCC_MAX_ITEMS of nn.h */
    MAX_TRAIN = 16,
};

typedef struct Metric {
    const Fn *fn;
    const Expr *call; /* or NULL: the function alone */
    Span at;
    const char *name; /* as a result of evaluate */
} Metric;

/* A scalar argument of step that a setting of `train` asks for. */
typedef struct Knob {
    bool given;
    double value;    /* its default */
    const Value *at; /* the parameter, once step has it */
} Knob;

/* What a parameter of the loss is to the step. */
typedef enum ParamRole {
    PR_data,
    PR_trained, /* by this item */
    PR_carried, /* from step to step */
    PR_key,
    PR_held, /* of the model, but not changed here */
} ParamRole;

/* Parts of what is trained that have settings of their own. */
typedef struct Group {
    const Expr *call;
    const bool *leaf; /* of what is trained: is it of the group */
} Group;

/* Leaves of what is carried on: as the step has them before and after, and what
 * it says to each; NULL: nothing but constants. */
typedef struct CarryParts {
    Node **state, **part, **next;
} CarryParts;

typedef struct Train {
    Check *c;
    const Item *item;
    Span at;
    const char *name; /* before what it exports; NULL: nothing */
    const Scope *scope;
    bool counts; /* do the optimizer's settings use `step`, `total_steps` */
    const Fn *loss, *optimizer;
    const Fn *evaluate; /* or NULL: the loss */
    Span evaluate_at;
    const Expr *optimizer_call; /* or NULL */
    Span optimizer_at;
    Metric metric[MAX_METRICS];
    int nmetric;
    /* Parameters of the loss: what is trained; what is carried from step to
     * step, and the random key, or -1. */
    int by, carried, key;
    Span carried_at, key_at; /* where the settings name them */
    ParamRole *role;
    const Type *type, *carried_type, *optimizer_type;
    bool *frozen; /* leaves of what is trained that stay */
    LIST(Group) group;
    const Fn *predict; /* see Module */
    Knob clip_norm, clip_value, accumulate, steps, total_steps;
    bool has_carry;
    CarryParts carry; /* then, of the step */
} Train;

/* train_settings.c */

/* The settings of the item, the loss being known; false after reporting. */
bool train_settings(Train *t);
/* `groups`, or NULL. */
const Setting *train_groups(Train *t);

/* train_parts.c */

/* What is frozen, and the groups: the types being known. False after
 * reporting. */
bool train_parts(Train *t);

/* train.c */

/* The loss on inputs of its own: *fresh one value a parameter. */
Arguments train_arguments(Train *t, const Value ***fresh);
/* The loss's parameters of that role, as parameters of f. */
void train_params(Train *t, Function *f, ParamRole role,
                  const Value *const *value);
/* What the loss is called among the results. */
const char *train_result(const Train *t);
/* What the item exports under that name: "critic_step", or "step". */
const char *train_named(const Train *t, const char *name);
/* Has parameter i a size that is known? False after reporting. */
bool train_fixed(Train *t, int i, Span at, const char *what,
                 const Value *const *fresh);
const Value *train_scalar(Train *t, DType type, int64_t v);
const Value *train_zeros(Train *t, const Type *ty);

/* train_state.c: the train state; fields that are not needed are NULL. */

typedef enum Field {
    ST_optimizer,
    ST_key,
    ST_step,     /* i64, the number of calls so far */
    ST_gradient, /* the sum of so many gradients: */
    ST_count,
    ST_part, /* what the last step said to what is carried on */
    NSTATE,
} Field;

typedef struct State {
    const Value *field[NSTATE];
} State;

/* Is the optimizer's parameter i a function: the loss? */
bool train_takes_loss(const Train *t, int i);
/* The type of the optimizer's state: of its third parameter, once its first is
 * matched with what is trained. NULL after reporting. */
const Type *state_type(Train *t);
State state_fresh(Train *t); /* new inputs */
/* Its first values, of which the optimizer's come first; NULL after
 * reporting. */
const Value *state_optimizer(Train *t, Node *key, int64_t *number);
State state_first(Train *t, const Value *optimizer, Node *key, int64_t *number);
/* As a port: its fields are those of a struct of its own. */
Port state_port(Train *t, const State *s, int in_place);

/* train_step.c */

/* step(net, state, train state, held…, data…, settings…) -> loss, and the first
 * three in place; NULL after reporting. */
Function *train_step(Train *t);

/* update(net, train state, settings…), both in place, by the mean of the
 * gradients in the state; after train_step. NULL after reporting, or where
 * there is none: nothing is added up, or the optimizer looks at the loss. */
Function *train_update(Train *t);

/* A result that takes the place of parameter `index`. */
Port train_in_place(Train *t, const Port *param, int index, const Value *v);

/* train_carry.c */

/* Finds out whether there is to be a carry; the item's types being known.
 * False after reporting. */
bool train_reads_carry(Train *t);
/* The parts by which `next` follows from `state`, to t->carry; false: the loss
 * or something else looks at the state. */
bool train_find_carry(Train *t, const Value *state, const Value *loss,
                      const Value *next);
const Value *train_carry_parts(Train *t);
/* carry(state, train state), the first in place: what is carried on, by what
 * the step that has been said to it; after train_step. NULL after reporting, or
 * where there is none. */
Function *train_carry(Train *t);

/* train_evaluate.c */

/* evaluate(net, state, held…, data…) -> loss, metrics; NULL after an error. */
Function *train_evaluate(Train *t);
/* The real that a loss gives, alone or as the first of a pair with what is
 * carried on, which is then in *carried; NULL after reporting. */
const Value *train_loss(Train *t, const Fn *f, const Value *v,
                        const Value **carried);

#endif
