/* flow.h: equations as a graph: a box for each, and an arrow to it from each
 * that it reads. Boxes stand in places: the function or its derivative, in
 * these the calls that they were made in, and loops. */
#ifndef NNCC_SHOW_FLOW_H
#define NNCC_SHOW_FLOW_H

#include "show/show.h"

typedef enum BoxRole {
    BOX_input,
    BOX_value,
    BOX_start, /* what a loop carries, at first and in each step */
    BOX_next,  /* the same after a step */
} BoxRole;

typedef struct Box {
    BoxRole role;
    const char *name;  /* of an input: "x", "net.W", or a struct "net" */
    const Equation *e; /* of all others */
    const Node *node;  /* NULL: a struct */
    int place, loop;   /* loop: number of the one it is in; or -1 */
    bool primal, result;
} Box;

typedef struct Arrow {
    int from, to;
    const char *part; /* of a struct: "W"; or NULL */
    bool again;       /* from one step to the next */
} Arrow;

enum { SIDE_primal, SIDE_derivative }; /* the first two places */

typedef struct Place {
    int outer; /* -1: of a side */
    int depth; /* 0: of a side */
    int call;  /* 0: none */
    const Recurrence *loop;
    bool derivative;
} Place;

/* A loop's equation, and the loop it is in or -1. */
typedef struct FlowLoop {
    const Equation *e;
    int outer, place;
    bool primal;
} FlowLoop;

typedef struct Flow {
    Graph *graph;
    LIST(Box) box;
    LIST(Arrow) arrow;
    LIST(Place) place;
    LIST(FlowLoop) loop;
} Flow;

/* The equations of s. Those of the first n results, and what they are made of,
 * are the function; the others are the derivative. */
Flow *flow_new(const Shows *s, Graph *g, const ShowResults *r, int n,
               int ninput, Node *const *input);
/* What stands for box i where places deeper than `depth` are one box each: that
 * place; or -1: the box itself. */
int flow_folded(const Flow *f, int i, int depth);
/* Is it in that place, or in one inside of it. */
bool flow_in_place(const Flow *f, int box, int place);
/* How many boxes there are then. */
int flow_count(const Flow *f, int depth);
/* How deep places are nested. */
int flow_depth(const Flow *f);

/* dot.c: as a program for Graphviz. */
typedef struct DotOptions {
    const char *name[2]; /* of the sides */
    int depth;           /* as for flow_folded */
} DotOptions;
void flow_write(const Flow *f, const DotOptions *o, Str *to);

#endif
