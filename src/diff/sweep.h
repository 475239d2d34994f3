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
/* May a tangent be infinite. */
typedef enum Steep {
    STEEP_no,
    STEEP_here, /* if something overflows or is divided by 0: no loop minds */
    STEEP_far,  /* where a value is infinite */
    STEEP_root  /* where all values are finite, too */
} Steep;

/* A NULL x_steep: all of x_dot are finite; y_steep may be NULL. */
void sweep_forward(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                   Node *const *x_dot, const Steep *x_steep, Node **y_dot,
                   Steep *y_steep);

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
 * that of part i or NULL. Gives how steep they are at most. */
Steep loop_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                   const Steep *steep, Node **part_dot);
Steep call_forward(Graph *g, Arena *scratch, Node *n, Node *const *dot,
                   const Steep *steep, Node **part_dot);

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
