/* labelled.h: tensors whose axes have names, for what picks along one. */
#ifndef NNCC_OPS_LABELLED_H
#define NNCC_OPS_LABELLED_H

#include "graph/ops/ops.h"

/* A tensor and a label for each axis, none twice. */
typedef struct Labelled {
    Node *x;
    int l[2 * MAX_RANK];
} Labelled;

/* onehot.c */

/* x with its axes as labels; those along which it repeats are left out. */
Labelled labelled(Node *x);
/* With l[i] for label i. */
void relabel(Labelled *x, const int *l);
/* b with the axis of this label at q: entry q of each of the rows along the
 * labels that both have. */
Labelled take(Graph *g, const Labelled *b, int label, const Labelled *q);
/* The labels 0 … rank-1 in turn with q's in the place of `without`; that place,
 * or -1 where these are too many. */
int spread_labels(int rank, const int *label, int without, const Labelled *q,
                  int *to, int *n);
/* Has either operand each of these labels. */
bool have_all(const Labelled *a, const Labelled *b, int n, const int *label);

#endif
