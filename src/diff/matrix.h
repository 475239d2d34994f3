/* matrix.h: matrices of derivatives in the making. What gives a bool gives
 * false where a tensor would have more than MAX_RANK dimensions. */
#ifndef NNCC_DIFF_MATRIX_H
#define NNCC_DIFF_MATRIX_H

#include "diff/diff.h"

/* That of y by x. */
typedef struct Matrix {
    Graph *g;
    Arena *arena; /* until it is made */
    int ny, nx;
    Node *const *y, *const *x;
    bool sparse; /* its zeros are left out */
} Matrix;

/* jacobian.c */

/* Seeds for a tensor: 1 at the element that the index says and 0 elsewhere, the
 * index being n scalar parameters for the axes that are not in the bits `all`;
 * along those it is 1 everywhere. */
typedef struct Seeds {
    Node *seed, *index[MAX_RANK];
    const Dim *dim[MAX_RANK];
    int n;
} Seeds;
Seeds seeds_new(Graph *g, const Node *like, unsigned all);
/* The roots for all values of the index: its axes come first. */
bool seeds_batch(Graph *g, const Seeds *u, int n, Node **root);

/* Which of two sizes is the smaller: one that does not grow with the data is,
 * of two others what is known of their difference tells. */
typedef enum Smaller { FIRST_SMALLER, SECOND_SMALLER, RUN_TELLS } Smaller;
Smaller matrix_smaller(Graph *g, const Dim *a, const Dim *b);
/* Of the elements of some nodes: how many. */
const Dim *matrix_elements(Graph *g, int n, Node *const *x);

/* entries.c */

/* Derivatives along one axis, some of them at the same place, and of each its
 * row and column among all elements of y and x, from 1 up; 0: it is nowhere. */
typedef struct Entries {
    Node *value, *row, *column;
    bool apart; /* elements of y of their own depend on elements of x, so that
                   there are fewer than in a matrix */
} Entries;
bool matrix_entries(const Matrix *m, Entries *to);
Node *entries_there(Graph *g, const Entries *e); /* is it somewhere */
/* The place of each in the order of the matrix; those that are nowhere: `none`.
 */
Node *entries_place(Graph *g, const Entries *e, const Dim *columns, Node *none);
/* A size in the shape of `like`. */
Node *entries_size(Graph *g, const Node *like, const Dim *d);

/* dense.c */

/* As diff_jacobian, each element once. False: there is nothing to gain. */
bool matrix_by_parts(const Matrix *m, Node **to);

#endif
