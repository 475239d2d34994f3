/* when.h: under which conditions a value is needed.
 *
 * A case is a Boolean function of the conditions of `if`s, kept as a reduced
 * ordered decision diagram: equal functions are the same number. A value that
 * several branches ask for is needed in the disjunction of their cases; that
 * of both branches of one `if` is the case that the `if` stands in.
 *
 * Functions that would grow large stand for themselves from then on: they are
 * conditions of their own, exact, but no longer compared inside. */
#ifndef NNCC_WHEN_H
#define NNCC_WHEN_H

#include "graph/graph.h"

typedef struct When When;

enum { CASE_never, CASE_always };

When *when_new(Arena *a);
/* In `outer`, and where cond is `holds`. */
int when_branch(When *w, int outer, Node *cond, bool holds);
int when_either(When *w, int a, int b);
/* Is b wherever a is; false where that cannot be told cheaply. */
bool when_within(When *w, int a, int b);
int when_count(const When *w);

/* How a case other than the two above is decided: by a condition (or by a case
 * that stands for itself: then cond is NULL), and what is left to decide where
 * it holds and where it does not. */
typedef struct Decision {
    Node *cond;
    int of;
    int yes, no;
} Decision;
Decision when_decision(const When *w, int c);

/* The least case that is wherever c is and asks for no condition that `drop`
 * says. */
int when_without(When *w, int c, bool (*drop)(void *u, const Node *cond),
                 void *u);

/* The case as a node: no condition is computed outside of the case that its
 * own `if` stood in. NULL: always. */
Node *when_node(When *w, Graph *g, int c);

#endif
