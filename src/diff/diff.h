/* diff.h: derivatives, by extending the graph. */
#ifndef NNCC_DIFF_H
#define NNCC_DIFF_H

#include "graph/graph.h"

/* Both require xs that are parameters (OP_param) and no operator that row->vjp
 * and op_partial both leave out; they add nodes and change none, and what
 * they give is still to be simplified.
 *
 * Reverse mode. x_bar[j] becomes the sum over i of y_bar[i] · ∂y[i]/∂x[j],
 * of x[j]'s shape; zeros where y does not depend on x. A null y_bar[i] is zero.
 * Adjoints pass through real nodes only. Cost: at most 4 operations for one
 * of y's. (Griewank, Walther, "Evaluating Derivatives", 2nd ed., section 3.2)
 */
void diff_reverse(Graph *g, int ny, Node *const *y, Node *const *y_bar, int nx,
                  Node *const *x, Node **x_bar);

/* The same for a y_bar that may be infinite: 0 where a partial derivative is.
 */
void diff_reverse_strong(Graph *g, int ny, Node *const *y, Node *const *y_bar,
                         int nx, Node *const *x, Node **x_bar);

/* Forward mode. y_dot[i] becomes the sum over j of ∂y[i]/∂x[j] · x_dot[j]. */
void diff_forward(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                  Node *const *x_dot, Node **y_dot);

/* A y that is one number: its derivatives by x. */
void diff_gradient(Graph *g, Node *y, int nx, Node *const *x, Node **x_bar);

/* jacobian.c: matrices. to[i * nx + j] becomes the derivative of y[i] by x[j],
 * of y[i]'s axes and then x[j]'s; of the Hessian of a y that is one number,
 * y[i] is the derivative by x[i]. False: computing it takes tensors of more
 * than MAX_RANK dimensions. */
bool diff_jacobian(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                   Node **to);
bool diff_hessian(Graph *g, Node *y, int nx, Node *const *x, Node **to);

/* sparse.c: the same without the zeros that are known, as one matrix of all
 * elements of y by all of x: the entries of row r are numbers start[r] …
 * start[r+1]-1 of column and value. These were computed in no order, and added
 * at their places (-1: nowhere) by diff_sparse_values. */
typedef struct SparseMatrix {
    Node *start, *column, *value;
    Node *unordered, *place;
} SparseMatrix;
bool diff_sparse_jacobian(Graph *g, int ny, Node *const *y, int nx,
                          Node *const *x, SparseMatrix *to);
bool diff_sparse_hessian(Graph *g, Node *y, int nx, Node *const *x,
                         SparseMatrix *to);
Node *diff_sparse_values(Graph *g, Node *unordered, Node *place);

#endif
