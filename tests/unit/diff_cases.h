/* diff_cases.h: functions with loops and calls in them, to be differentiated.
 */
#ifndef NNCC_TEST_DIFF_CASES_H
#define NNCC_TEST_DIFF_CASES_H

#include "region/region.h"

enum { MAX_PARAM = 4, MAX_SIZE = 64 };

/* Making graphs; real is a constant. */
Node *real(Graph *g, double v);
Node *mul(Graph *g, Node *a, Node *b);
Node *add(Graph *g, Node *a, Node *b);
Node *sum(Graph *g, Node *a);

/* A loop being written. */
typedef struct Fold {
    Graph *g;
    Region r;
    Node *carry[8], *next[8], *input[8], *output[8], *init[8], *all[8];
    Node *count;
} Fold;

/* carry k is carry[k] in a step and next[k], to be set, after it; last closes
 * the loop: the final value of carry k. */
Fold fold_new(Graph *g, const Dim *trips);
Node *carry(Fold *f, Node *init, const char *name);
Node *last(Fold *f, int k);

typedef struct Case {
    const char *name;
    Node *(*make)(Graph *g, Node *const *p, const Dim *n);
    int64_t n;
    bool scalar; /* p[0] is a number, else matrix, inputs, vector */
} Case;

extern const Case cases[];
extern const int ncases;

/* A function on numbers. */
typedef struct Bench {
    Arena *arena;
    Graph *g;
    const Dim *n; /* a variable */
    int64_t size;
    int np;
    Node *p[MAX_PARAM], *dot[MAX_PARAM];
    int count[MAX_PARAM];
    double x[MAX_PARAM][MAX_SIZE], d[MAX_PARAM][MAX_SIZE];
    Node *y;
} Bench;

void bench_new(Bench *b, const Case *k);
/* The values of n nodes, as numbers side by side, where the parameters are
 * moved by h times the direction; of one number; its central difference. */
double *values(Bench *b, int n, Node *const *node, double h);
double value(Bench *b, Node *n, double h);
double central(Bench *b, Node *y);
/* Fails the test unless got is want but for what a central difference is off.
 */
void near(const char *name, const char *what, double got, double want);
/* By all parameters; along dot[], forward; along dot[], by the gradient. */
void gradient(Bench *b, Node *y, Node **bar);
Node *directional(Bench *b, Node *y);
Node *along(Bench *b, Node *y);

#endif
