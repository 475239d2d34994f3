/* trace.h: the evaluation trace of a function at a point: its values one after
 * another, their tangents, their adjoints. */
#ifndef NNCC_TRACE_H
#define NNCC_TRACE_H

#include "eval/eval.h"
#include "show/show.h"

/* What stands for a value in formulas of others, and for its tangent and
 * adjoint: parameters. */
typedef struct TraceCell {
    Node *value, *dot, *bar;
} TraceCell;

typedef struct TraceUse {
    int row; /* index of it */
    TraceCell *cell;
} TraceUse;

/* A step of a loop, inside of the step of another maybe. */
typedef struct TraceStep TraceStep;
struct TraceStep {
    const TraceStep *up;
    const char *name; /* of what counts: "t" */
    int64_t t;
    int depth;                   /* loops around it */
    const int64_t *first, *last; /* of this loop that are made, when all are */
};

/* What an adjoint gets through another row. */
typedef struct TracePartial {
    int through;
    Node *local;
    EvalValue value;
} TracePartial;

typedef struct TraceRow {
    int number;       /* from 1; 0: a counter, which is no row of a table */
    const char *name; /* the program's, or NULL */
    int64_t after;    /* of what a loop carries: steps made; else -1 */
    Node *node;       /* what it is the value of */
    const TraceStep *step; /* or NULL */
    bool input;
    bool active;     /* real, and an input that is real is in it */
    TraceCell *cell; /* its own */
    Node *local;     /* its value, of the cells of what it uses */
    LIST(TraceUse) use;
    const NodeLabel *call; /* of the library, that is one row; or NULL */
    Node **call_arg;       /* as `local` is */
    Node *condition;       /* of an `if`, as `local` is; or NULL */
    bool holds;            /* the condition */
    EvalValue value;
    Node *tangent_of; /* as `local` is; NULL: the tangent is 0 */
    EvalValue tangent;
    bool seeded, has_adjoint;
    LIST(TracePartial) partial;
    EvalValue adjoint;
} TraceRow;

typedef enum TraceStatus {
    TRACE_ok,
    TRACE_index, /* one is out of range */
    TRACE_size,  /* one is negative, or all values are too large */
    TRACE_long,  /* more rows than anybody reads; those there are remain */
} TraceStatus;

enum { TRACE_ROWS = 20000 };

typedef struct Trace {
    Arena *arena;
    Graph *graph;
    LIST(TraceRow) row;
    int *result; /* the row of each root; those that are there */
    int nresult;
    int rows; /* that have a number */
    TraceStatus status;
    EvalStop stop; /* of TRACE_index */
    Span at;       /* where it stopped */
} Trace;

typedef struct TraceOptions {
    bool expand; /* functions of the library, too */
    bool narrow; /* values of f32 are rounded to it, as compiled code does */
    int most;    /* rows; 0: TRACE_ROWS */
    int nvar;    /* free dimensions and what they are */
    const Dim *const *var;
    const int64_t *size;
    /* What the library may call values that the roots are made of, so that a
     * derivative has names in it; or NULL. See program_known. */
    Node **(*known)(void *user, int nroot, Node *const *root, int *n);
    void *user;
} TraceOptions;

/* trace.c: rows for inputs, then for what the roots are made of: one for each
 * operation of the program, in the order of its statements and in each of these
 * from the inside out. requires a graph as it was written, with
 * labels; it is no more one afterwards. */
Trace *trace_new(Arena *a, Graph *g, const TraceOptions *o, int ninput,
                 Node *const *input, const EvalValue *value, int nroot,
                 Node *const *root);

/* sweep.c: by the rules of each operator. direction[k]: of input k, or NULL; an
 * adjoint is of root k. False: something is too large, see status. */
bool trace_forward(Trace *t, const EvalValue *const *direction);
bool trace_reverse(Trace *t, const EvalValue *const *adjoint);

/* formula.c */

/* A view of a trace as formulas. */
typedef struct TraceText TraceText;
TraceText *trace_text(Trace *t);
/* x, v₃, h⁽²⁾: what row k is called; with a mark: its tangent, its adjoint. */
const Form *trace_name(const TraceText *x, int k, FormMark mark);
/* vᵢ or v̄ᵢ→ⱼ by the numbers alone. */
const Form *trace_number(const TraceText *x, int k, int through, FormMark mark);
Equation trace_formula(TraceText *x, int k);
Equation trace_tangent(TraceText *x, int k);
Equation trace_partial(TraceText *x, int k, int partial);
/* The sum of what comes through others, and of 1 of a result. */
Equation trace_adjoint(TraceText *x, int k);

/* table.c */

typedef struct TraceTable {
    const Notation *notation; /* text, TeX or HTML */
    int digits;
    bool forward, reverse;
    const char *const *result; /* what the roots are called */
    int most;                  /* lines; 0: all */
} TraceTable;
/* Gives how many rows were left out, other than of steps that are like those
 * around them. */
int trace_write(TraceText *x, const TraceTable *o, Trace *t, Str *to);

/* json.c */

void trace_json(TraceText *x, const Trace *t, const Diags *sources, Str *to);

#endif
