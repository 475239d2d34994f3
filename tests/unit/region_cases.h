/* region_cases.h: a graph with a few inputs, and how tests write loops in it.
 */
#ifndef NNCC_TEST_REGION_CASES_H
#define NNCC_TEST_REGION_CASES_H

#include "eval/eval.h"
#include "region/region.h"

extern Arena *arena;
extern Graph *g;
extern const Dim *var_T; /* val_T is 3 unless a test says otherwise */
extern int64_t val_T;
/* a = 2, b = 3, xs = 1, 2, 4, 8, … (T of them), W = [[1, 2], [3, 4]] */
extern Node *a, *b, *xs, *W;

/* Before and after each test. */
void graph_setup(void);
void graph_teardown(void);

EvalStatus evaluate(Node *root, double **out);
double *values(Node *root);
double value(Node *root);

Node *scalar(const char *name);
Node *index_param(void);
Node *add(Node *x, Node *y);
Node *mul(Node *x, Node *y);
Node *num(double v);
Node *real(Node *t);
Node *at(Node *x, Node *t);

/* fold(t < trips, h = init | next), with outputs. */
Region fold_of(const Dim *trips, Node *t, Node **h, Node **next, int nout,
               Node **out);

#endif
