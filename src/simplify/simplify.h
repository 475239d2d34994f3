/* simplify.h: rewriting to a fixed point by a table of rules. */
#ifndef NNCC_SIMPLIFY_H
#define NNCC_SIMPLIFY_H

#include "graph/op.h"
#include "module/module.h"

typedef struct Rule {
    const char *name;
    OpId op; /* asked for nodes of this op */
    /* What it does, as an equation of two .nn expressions over x, y, z
     * (real[3, 4]), v (real[4]) and s, t (real): both sides must become the
     * same node and have the same value; a test runs over the table. */
    const char *identity;
    Node *(*apply)(Graph *g, const Node *n); /* NULL: does not apply */
} Rule;

extern const Rule simplify_rules[];
extern const int simplify_nrules;

/* requires a verified graph, gives roots with no rule left to apply, keeps
 * values (NaN and infinities included, but for the stable forms of log and
 * exp). What was applied where is in the graph's log. */
void simplify(Graph *g, int nroot, Node **root);

/* The same where all of it may be written as derivatives are (see normal.h), by
 * which removable singularities go: to tell whether two formulas are one. */
void simplify_formulas(Graph *g, int nroot, Node **root);

/* requires roots that are differentiated, gives roots of operators that the
 * scheduler knows alone (no row has an `expand`), keeps values; simplifies
 * nothing. */
void expand(Graph *g, int nroot, Node **root);

/* The same for all results of n functions. */
void simplify_functions(Graph *g, Function *const *f, int n);
void expand_functions(Graph *g, Function *const *f, int n);

/* systems.c: small systems as their elements, a node each. requires the
 * expanded roots of one function, gives such, keeps values but for the order of
 * sums. */
void split_systems(Graph *g, int nroot, Node **root);

/* prune.c */

/* requires regions that are closed, gives such, keeps values. Rebuilds loops
 * without carries, inputs, captures and outputs that nothing
 * reads, carries that never change as captures; loops on the same arguments
 * whose regions have the same parameters (a loop and the same loop that stores
 * more) become one. For the roots of one function: what one stores, the others
 * need not. */
void regions_prune(Graph *g, int nroot, Node **root);

#endif
