/* structure.h: on which elements of x the elements of y depend.
 *
 * y is a sum of parts that are moved (put between zeros, scattered, one after
 * another), x is read by what moves it (views, gathers, zeros around), and
 * between the two are operators that keep some axes apart. So the derivative
 * is a block for each part and read, and where its elements are is known by
 * moving the numbers of y's and x's elements in the same ways. docs/design.md
 * has more. */
#ifndef NNCC_DIFF_STRUCTURE_H
#define NNCC_DIFF_STRUCTURE_H

#include "graph/view.h"

/* A part of y: what it is as a function of the reads, and of each element in
 * which element of y it counts, from 1 up; 0: in none. */
typedef struct Part {
    Node *value, *row;
} Part;

/* x as it is read at one place: the parameter that stands for it in the parts,
 * and of each element which of x it is, from 1 up; 0: none. */
typedef struct Read {
    Node *param, *value, *column;
} Read;

typedef struct Structure {
    LIST(Part) part;
    LIST(Read) read;
} Structure;

/* row[i] and column[j], of type i64 and of the shapes of y[i] and x[j], are the
 * numbers of their elements. The x are parameters; the y are simplified first.
 */
Structure structure_of(Graph *g, Arena *a, int ny, Node *const *y,
                       Node *const *row, int nx, Node *const *x,
                       Node *const *column);

/* Is b a part of a, which it may repeat: all of an axis or, where there are a
 * known number, some of it, in the same order; w: which. */
bool read_within(Graph *g, const Read *b, const Read *a, View *w);

/* Does y depend on the parameter x; then element i of y does on those of x
 * alone that have the same index along axis[k] of y as along axis k of x, for
 * each k whose axis[k] is not -1. */
bool structure_axes(Graph *g, Node *y, const Node *x, int *axis);

#endif
