/* whole.h: which calls are shown as one formula; see build.c. */
#ifndef NNCC_SHOW_WHOLE_H
#define NNCC_SHOW_WHOLE_H

#include "graph/graph.h"

/* The call that n is shown as; NULL: as an operation. */
typedef const NodeLabel *WholeCall(void *u, const Node *n);

/* Tells those calls whose parts are wanted elsewhere, too: `open` makes `call`
 * answer NULL. */
void whole_calls(Graph *g, int nroot, Node *const *root, WholeCall *call,
                 void (*open)(void *u, const Node *n), void *u);

#endif
