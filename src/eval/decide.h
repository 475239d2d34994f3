/* decide.h: what eval.c asks of decide.c. */
#ifndef NNCC_EVAL_DECIDE_H
#define NNCC_EVAL_DECIDE_H

#include "eval/eval.h"
#include "graph/op.h"

/* n's value and its arguments as an evaluation has them. */
typedef struct Decided {
    const Node *n;
    EvalTensor *e; /* out, in and their sizes */
    int64_t count;
    int64_t *wide; /* or NULL */
} Decided;

/* Of each node that was computed: keeps what it decided, if it does, or has its
 * value follow what was. */
void decide(EvalDecisions *d, const Decided *v);
/* A loop that looks whether to end did not. */
void decide_unfinished(EvalDecisions *d);
/* The next evaluation follows, from the first decision on. */
void decisions_again(EvalDecisions *d);

#endif
