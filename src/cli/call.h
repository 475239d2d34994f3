/* call.h: a function and its arguments, as the command line gives them. */
#ifndef NNCC_CALL_H
#define NNCC_CALL_H

#include "cli/cli.h"
#include "eval/eval.h"

/* One call in the making. */
typedef struct Call {
    const Args *args;
    nncc_model *model;
    const nn_function *f;
    nncc_tensor **leaf; /* parameters', then results'; NULL: not there */
    int nleaf;
    int64_t *dims; /* -1: follows from the arguments */
} Call;

/* Of the module's first function. Each is false after a message. */
bool call_begin(Call *c, const Args *a, const nn_module *m);
/* name=value, of a parameter or of a free dimension. */
bool call_word(Call *c, const char *word);
/* Parameters that were not given take their defaults. */
bool call_defaults(Call *c);
void call_end(Call *c);
/* How many axes all leaves of f have: as many as it gives sizes. */
int call_axes(const nn_function *f);
/* A tensor for the reference evaluator, as the value of n. */
EvalValue call_value(Arena *a, const Node *n, const nncc_tensor *t);

/* Drawn arguments */

/* In [0, 1); and a value of that type where most functions have one too, and
 * tables an element. */
double draw_uniform(nncc_rng *r);
double draw_argument(nncc_rng *r, DType t);

/* Of ports and tensors */

/* "net.hidden.W": what a tensor of a port is called, by its path there. */
const char *leaf_name(Arena *a, const char *port, const char *path);
/* Are t's sizes those of the leaf, which are constants? */
bool leaf_fits(const Leaf *leaf, const nncc_tensor *t);

#endif
