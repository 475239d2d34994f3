/* internal.h: what the files of graph/ share with each other only. */
#ifndef NNCC_GRAPH_INTERNAL_H
#define NNCC_GRAPH_INTERNAL_H

#include "graph/region.h"

/* All dimensions of a graph. */
typedef struct Dims Dims;
Dims *dims_new(Arena *a);
Dims *graph_dims(const Graph *g);
/* A number for each parameter, to tell them apart. */
int graph_next_param(Graph *g);
/* Equal for equal dimensions, and the same in every run. */
uint64_t dim_hash(const Dim *d);

/* graph.c: op, dtype and attributes alone, whatever the arguments are. */
uint64_t node_hash_alone(const Node *n);

/* For label.c. */
typedef struct CallPlace {
    int outer;
    const char *name;
} CallPlace;
typedef struct Labels {
    Map let, call;
    LIST(CallPlace) place; /* number k is at k - 1 */
    bool kept;
} Labels;
Labels *graph_labels(const Graph *g);

/* For reach.c, by id. */
int *graph_number(const Graph *g, int id);

/* region.c */

const Region *region_keep(Graph *g, const Region *r); /* a copy of its own */
/* alike.c: fills in hash and key, body is there; of kept regions; NULL is like
 * NULL. */
void region_number(Graph *g, Region *r);
uint64_t region_hash(const Region *r);
bool region_same(const Region *a, const Region *b);
/* Dies where a region is not as region.h says. */
void region_verify(Graph *g, const Region *r);

#endif
