/* loops.h: what the files that differentiate loops share with each other only.
 */
#ifndef NNCC_DIFF_LOOPS_H
#define NNCC_DIFF_LOOPS_H

#include "diff/sweep.h"

/* store.c: the values of one step of a loop and of its step back. */

typedef struct Step Step;

/* A value of a step that its step back reads. */
typedef struct Stored {
    Node *value;  /* in the loop */
    Node *output; /* the same where it is read, 0 where it may not be needed */
    Node *param;  /* of the step back */
    Node *back;   /* the value in that step */
} Stored;

/* n results of one step back of a loop with region r; they read r's parameters
 * and others. */
Step *step_new(Graph *g, Arena *scratch, const Region *r, int n,
               Node *const *result);
/* Does a value that the results reach depend on r's captures alone; is it the
 * loop's, and not only the step back's. */
bool step_constant(const Step *s, const Node *n);
bool step_primal(const Step *s, const Node *n);
/* Which values of the loop to keep so that those of `read`, values among the
 * above, can be computed from them, r's inputs, captures and index. Once. */
int step_stored(Step *s, int n, Node *const *read, Stored **stored);
/* The bytes of a value with every free dimension at some typical number. */
double typical_bytes(Arena *scratch, const Node *n);

/* sums.c: adjoints of captures, sums over all steps. */

typedef struct Sums Sums;

Sums *sums_new(Graph *g, Arena *scratch, const Region *r, const Node *loop,
               const Step *step, RegionMaker *m);
/* Capture k gets v each step: what the second loop shall carry and give for it
 * goes to m, what that reads of the step to `read`. */
void sums_add(Sums *s, int k, Node *v, Nodes *read);
/* What was stored; what else is to be read after the loops is given by m. */
void sums_stored(Sums *s, int n, const Stored *stored);
/* The sum for capture k when the loops are there: `first` stores, `back` is the
 * second one. NULL: none. */
Node *sums_of(Sums *s, int k, Node *first, Node *back);

#endif
