/* elements.h: nodes of small axes as their elements, a node each. */
#ifndef NNCC_ELEMENTS_H
#define NNCC_ELEMENTS_H

#include "graph/op.h"
#include "graph/region.h"

/* An axis of so many elements may become elements, a node of so many places. */
enum { SHORT_AXIS = 400, MOST_PLACES = 512 };
bool axis_is_short(const Dim *d);
int axis_size(const Dim *d); /* of such; 0: it has none that is known */
/* The places that n's short axes have; too many to write down: a lot. */
int64_t short_points(const Node *n);

/* Of what the reach has, some nodes are split: each place of their short axes
 * is a node of their long ones. */
typedef struct Elements {
    Graph *g;
    Arena *scratch;
    const Reach *reach;
    bool *known;  /* by number: no parameter decides it */
    Node **whole; /* by number: what it becomes; NULL: not made yet */
    Node ***elem; /* by number: its elements, row by row; NULL: not split */
} Elements;

/* None is made or split yet. */
Elements elements_new(Graph *g, Arena *scratch, const Reach *reach);
/* Can n be computed element by element, whatever its arguments are. */
bool may_be_elements(const Elements *e, const Node *n);
/* Makes the elements of such an n, its arguments being made. */
void elements_make(const Elements *e, const Node *n);
/* n's element at `at`, a place along each axis, of which the long ones do not
 * count; n being made. */
Node *element_of(const Elements *e, const Node *n, const int *at);
/* n, which is made, as one tensor. */
Node *elements_whole(const Elements *e, const Node *n);
/* f for each place of the axes in `on`, row by row. */
typedef void EachPlace(void *u, const int *at);
void each_place(int rank, const Dim *const *dim, const bool *on, int *at,
                EachPlace *f, void *u);

/* Of a reduction: to a value, not a place. */
bool reduces_values(const Node *n);

/* Of n's first axes, how many are long. */
int count_long(const Node *n, int below);
/* The number of a place among those of short axes. */
int place_of(const Node *n, const int *at);
Node *zero_element(Graph *g, const Node *n);

/* Each element of an argument goes to the place of one of n's, and is added to
 * what is there. */
typedef struct Adding {
    const Elements *e;
    const Node *n;
    Node **to; /* n's elements; NULL: 0 */
} Adding;
void add_at(const Adding *a, const int *at, Node *x);

/* elements_index.c: what no parameter decides; elements by such an index, and
 * the place of the extreme of few. */
bool *find_known(const Elements *e);
bool gathers_elements(const Elements *e, const Node *n);
bool scatters_elements(const Elements *e, const Node *n);
Node *gathered_element(const Elements *e, const Node *n, const int *at);
bool finds_few(const Node *n);
Node *found_element(const Elements *e, const Node *n, const int *at);
void add_scattered(void *u, const int *from);

/* elements_solve.c: elements of what solves a triangular system. */
bool solves_few(const Node *n);
void elements_of_solution(const Elements *e, const Node *n, Node **to);

#endif
