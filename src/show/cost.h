/* cost.h: what computing values takes, as formulas in the dimensions. */
#ifndef NNCC_SHOW_COST_H
#define NNCC_SHOW_COST_H

#include "graph/graph.h"

typedef enum CostKind {
    COST_add,      /* additions and subtractions */
    COST_multiply, /* multiplications */
    COST_divide,   /* divisions, remainders, roots */
    COST_function, /* elementary and special functions */
    COST_other,    /* comparisons, choices, conversions */
    COST_product,  /* multiplications with an addition each, in products */
    NCOSTS
} CostKind;

extern const char *const cost_names[NCOSTS]; /* "additions" */

/* How many of each the values of the roots take: of all that they are made of,
 * each once, a loop's steps as often as it makes them at most, of a condition
 * the case that takes more, in all its ifs together. */
typedef struct Cost {
    const Dim *of[NCOSTS];
} Cost;
Cost cost_count(Graph *g, int nroot, Node *const *root);

/* All arithmetic where variables have these values: a product counts two,
 * comparisons, choices and conversions do not. NAN: there is no such place. */
double cost_total(const Cost *c, int nvar, const Dim *const *var,
                  const int64_t *val);

#endif
