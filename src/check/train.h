/* train.h: what the files about `train` items share. */
#ifndef NNCC_TRAIN_H
#define NNCC_TRAIN_H

#include "check/export.h"

enum { MAX_METRICS = 16 }; /* NNCC_MAX_METRICS of nn.h */

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

typedef struct Train {
    Check *c;
    const Item *item;
    Span at;
    const Scope *scope;
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
    const Type *type, *carried_type, *optimizer_type;
    Knob clip_norm, clip_value, accumulate;
} Train;

/* train_settings.c */

/* The settings of the item, the loss being known; false after reporting. */
bool train_settings(Train *t);

/* train.c */

/* The loss on inputs of its own: *fresh one value a parameter. */
Arguments train_arguments(Train *t, const Value ***fresh);
/* The loss's parameters that are data, as parameters of f. */
void train_data(Train *t, Function *f, const Value *const *value);
void train_param(Train *t, Function *f, int i, const Value *const *value);

/* train_evaluate.c */

/* evaluate(net, state, data…) -> loss, metrics; NULL after an error. */
Function *train_evaluate(Train *t);
/* The real that a loss gives, alone or as the first of a pair with what is
 * carried on, which is then in *carried; NULL after reporting. */
const Value *train_loss(Train *t, const Fn *f, const Value *v,
                        const Value **carried);

#endif
