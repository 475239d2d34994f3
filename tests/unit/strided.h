/* strided.h: what g_strided reads, added up: its transpose. */
#ifndef NNCC_TEST_STRIDED_H
#define NNCC_TEST_STRIDED_H

#include "graph/graph.h"

/* n axes of a from `axis` on become one of m elements, each the sum of the
 * elements that go there. */
Node *strided_add(Graph *g, Node *a, int axis, const Dim *start, int n,
                  const Dim *const *coef, const Dim *m);

#endif
