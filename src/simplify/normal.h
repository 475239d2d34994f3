/* normal.h: products and sums as a person would write them.
 *
 * A product is read as a constant times powers of factors, through mul, div,
 * neg, sqrt, rsqrt, pow, where(m, x, 0), broadcast and permute; a sum as
 * constants times distinct products. Equal factors become one power, equal
 * products one term, and what cancels goes: x (1/x), sin x cos x - cos x sin x.
 * This takes removable singularities away and may turn NaN into a number, so it
 * is done where differentiation alone made a node (Node.derived), never in what
 * a program says. A reading is written down only where that takes less work,
 * by which nothing is done again that others share, and it ends. */
#ifndef NNCC_NORMAL_H
#define NNCC_NORMAL_H

#include "graph/product.h"

/* n, a derived node, in less work, or NULL. canonical: in as little, so that
 * what is the same formula becomes the same node; a 0 is not strong then. */
Node *normal_form(Graph *g, const Uses *uses, bool canonical, Node *n);

#endif
