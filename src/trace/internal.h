/* internal.h: what the files of trace/ share with each other only. */
#ifndef NNCC_TRACE_INTERNAL_H
#define NNCC_TRACE_INTERNAL_H

#include "graph/op.h"
#include "graph/region.h"
#include "trace/trace.h"

/* piece.c: the graph in pieces, a row each. */

/* A value of the cells of rows. */
typedef struct Piece {
    Node *local;
    Nodes use; /* what these cells stand for */
    const NodeLabel *call;
    Node **call_arg;
} Piece;

/* A loop or call that has been run: rows of its parts. */
typedef struct Parts {
    int *carry;
    LIST(int) * output; /* of a loop: a row for each step */
    int64_t made;
    const TraceStep *step; /* that it is in */
} Parts;

/* What a trace in the making knows of each node, by id. */
typedef struct NodeState {
    Piece *piece;
    TraceCell *cell;
    Node *cut;
    int cut_at;   /* when that was */
    int row;      /* 1 + its index, or 0 */
    int depth;    /* in the statement being put in order */
    int seen;     /* by the walk of that number */
    Parts *parts; /* of a loop or call */
} NodeState;

typedef struct Tracer {
    Trace t; /* first */
    const TraceOptions *o;
    NodeState *state;
    int nstate;
    int cuts, walks;
    const TraceStep *step;
    int64_t elements;
    /* The loop whose step it is: its parameters, and the rows of arguments. */
    const Region *loop;
    const int *loop_arg;
    int index_row;
} Tracer;

NodeState *state_of(Tracer *r, const Node *n);
/* Does n have a row of its own, or stand in those of others. */
bool is_row(const Tracer *r, const Node *n);
const Piece *piece_of(Tracer *r, Node *n);
TraceCell *cell_of(Tracer *r, Node *n);
/* What the value of x is made of: itself, or what it stands in rows by. */
void add_uses(Tracer *r, Node *x, Nodes *to);

/* trace.c */

/* Rows for all of these. */
void place(Tracer *r, int n, Node *const *node);
/* A row for x, whether it has one or not. */
int row_for(Tracer *r, Node *x);
/* A new row, of what is there; its value is computed. -1: see status. */
int add_row(Tracer *r, TraceRow *row);

/* loop.c */

bool is_open(const Node *region);
/* The row of a part of it. */
int part_row(Tracer *r, Node *part);
/* Element t of an input of the loop whose step it is. */
int element_row(Tracer *r, Node *param);

/* sweep.c */

EvalStatus row_eval(const Trace *t, const TraceOptions *o, Node *root,
                    const TraceRow *row, EvalValue *out, EvalStop *stop);

#endif
