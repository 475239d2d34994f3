/* show.h: values of the graph as formulas for people, and as programs. What it
 * makes lives in the arena given. */
#ifndef NNCC_SHOW_H
#define NNCC_SHOW_H

#include "graph/form.h"

/* build.c: from nodes to formulas. Values that several formulas share have a
 * name, theirs in the program or v1, v2 …, and are defined once, before. */

typedef struct Equations Equations;

/* A loop as a recurrence. */
typedef struct Recurrence {
    const Form *index, *trips, *until; /* until: or NULL */
    bool reverse;
    Equations *start, *step; /* what is carried at first, and after a step */
    /* For a program: of each thing that is kept of a step what it is made of
     * where it starts; the number of steps at most, where a value is; where
     * `until` or a value decides, what the steps made are counted by; what
     * `until` reads. */
    const Form *const *zero, *count, *made;
    const Equations *before_until;
} Recurrence;

typedef struct Equation {
    const Form *left, *right;
    int nindex; /* an equation of elements: for all of these indices, */
    const Form *const *index, *const *bound;
    const Recurrence *loop; /* instead of all these, or NULL */
    const Node *node;       /* what is defined, the loop */
} Equation;

struct Equations {
    LIST(Equation) list;
    Map right; /* places in it, by what stands on the right */
};

/* A value to be shown, and what it is called. */
typedef struct ShowResult {
    const Form *left; /* NULL: the name, which changes if something has it */
    const char *name; /* it may be called so where others use it; or NULL */
    Node *node;
} ShowResult;
typedef LIST(ShowResult) ShowResults;

typedef struct ShowOptions {
    bool literal; /* as a program: see FormMaker */
    bool steps;   /* an equation for each operation */
    bool alone;   /* for show_equation: nothing is named */
    enum {
        SHOW_calls,
        SHOW_library_calls, /* but those whose parts are shown */
        SHOW_no_calls,
    } calls;             /* that are one formula */
    const char *self[2]; /* what is shown: calls of these are no formula */
    int most; /* equations at most; the rest is counted only; 0: all */
} ShowOptions;

typedef struct Shows {
    Arena *arena;
    FormMaker *maker; /* for what is written on the left */
    Equations all;
    int left_off;       /* equations that were too many */
    const char *cannot; /* what has no word in the language, or NULL */
} Shows;

/* input: parameters; they are called as they are. */
Shows *show_new(Arena *a, Graph *g, const ShowOptions *o, int ninput,
                Node *const *input);
/* The equations that define the results, in an order in which each reads those
 * before it. */
void show_results(Shows *s, int n, ShowResult *result);

/* A value alone, of parameters that are called as given here. False where it
 * is no formula without others before it. */
bool show_equation(Shows *s, const Form *left, Node *root, int nparam,
                   Node *const *param, const Form *const *name, Equation *to);

/* loops.c: what the program calls a parameter of a body, or else `otherwise`.
 */
const char *show_param_name(const Node *param, const char *otherwise);

/* write.c: formulas in a notation */

typedef struct Notation Notation;
extern const Notation notation_text, notation_tex, notation_html, notation_nn;

void form_write(const Notation *n, const Form *f, Str *to);
void equations_write(const Notation *n, const Equations *e, Str *to);
/* "for t = 0 … n − 1:" */
void recurrence_write(const Notation *n, const Recurrence *r, Str *to);
/* program.c: the first thing in them that has no word in the language; or NULL.
 */
const char *equations_wordless(const Equations *e);

#endif
