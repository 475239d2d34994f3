/* shown.h: what the files share that say how values are written. */
#ifndef NNCC_OPS_SHOWN_H
#define NNCC_OPS_SHOWN_H

#include "graph/form.h"
#include "graph/ops/ops.h"

/* n written whole with matrices and vectors: of an elementwise operator, of a
 * contraction. NULL: it is none such. */
const Form *shown_matrix(FormMaker *m, const Node *n);
const Form *shown_product(FormMaker *m, const Node *n);

#endif
