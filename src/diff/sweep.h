/* sweep.h: what the files of diff/ share with each other only. */
#ifndef NNCC_DIFF_SWEEP_H
#define NNCC_DIFF_SWEEP_H

#include "diff/guard.h"
#include "region/region.h"

/* diff.c: as diff_reverse and diff_forward, in parts.
 *
 * A y_bar without v is zero, as is an x_bar or y_dot that comes out so or NULL.
 * An x_bar counts everywhere: branch and mask are NULL, live may be set. */
void sweep_reverse(Graph *g, int ny, Node *const *y, const Guarded *y_bar,
                   int nx, Node *const *x, Guarded *x_bar);
void sweep_forward(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                   Node *const *x_dot, Node **y_dot);

/* loops.c, calls.c: derivatives of a loop or call n.
 *
 * Reverse: part[] are the adjoints of n's parts, active[i] says whether
 * argument i's is asked for; arg_bar[i] becomes it, without v where it is zero.
 * part[] is brought under one branch. */
void loop_reverse(Graph *g, Arena *scratch, Node *n, const bool *active,
                  Guarded *part, Guarded *arg_bar);
void call_reverse(Graph *g, Arena *scratch, Node *n, const bool *active,
                  Guarded *part, Guarded *arg_bar);
/* Forward: dot[i] is the tangent of argument i or NULL, part_dot[i] becomes
 * that of part i or NULL. */
void loop_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                  Node **part_dot);
void call_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                  Node **part_dot);

/* far.c: out, nout values that f makes of n others, in which it is linear and
 * which may be infinite; where it leaves NULL there is none. */
typedef void Linear(Graph *g, void *of, Node *const *in, Node **out);
void far_linear(Graph *g, Arena *scratch, Linear *f, void *of, int n,
                Node *const *in, int nout, Node **out);

/* A new parameter for a derivative of a value like `like`; of type bool where
 * it says where an adjoint is live. */
Node *param_like(Graph *g, const Node *like, const char *suffix);
Node *live_like(Graph *g, const Node *like);

#endif
