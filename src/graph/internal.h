/* internal.h: what the files of graph/ share with each other only. */
#ifndef NNCC_GRAPH_INTERNAL_H
#define NNCC_GRAPH_INTERNAL_H

#include "graph/graph.h"

/* All dimensions of a graph. */
typedef struct Dims Dims;
Dims *dims_new(Arena *a);
Dims *graph_dims(const Graph *g);
/* A number for each parameter, to tell them apart. */
int graph_next_param(Graph *g);
/* Equal for equal dimensions, and the same in every run. */
uint64_t dim_hash(const Dim *d);

#endif
