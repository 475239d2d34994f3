/* internal.h: what the files of simplify/ share with each other only. */
#ifndef NNCC_SIMPLIFY_INTERNAL_H
#define NNCC_SIMPLIFY_INTERNAL_H

#include "graph/product.h"
#include "graph/region.h"
#include "simplify/simplify.h"

/* course.c: whether two values are the same when a loop and the same loop that
 * gives more count as one. */
bool same_course(const Node *a, const Node *b);

/* merge.c: loops that are one, of what the roots reach without entering a body.
 */
void loops_merge(Graph *g, int nroot, Node **root);

/* factor.c: a b + a c, n, as a (b + c), where neither product is used
 * otherwise and both are of matrices; or NULL. */
Node *factor_products(Graph *g, const Uses *uses, const Node *n);

/* diagonal.c: for each node that the roots reach, by number, the product of
 * which it is a diagonal and which is computed anyway, or NULL; and n as read
 * from that. From then on diagonals of what is computed stay reads of it. */
Node **find_wholes(Arena *a, const Reach *r, int nroot, Node *const *root);
Node *read_from_whole(Graph *g, Node *whole, Node *n);

/* quotient.c: n, a c/b, as a/b c where a/b is used otherwise; or NULL. */
Node *reuse_quotient(Graph *g, const Uses *uses, const Node *n);
/* By number: that a quotient x y/s is better made as x/s times y, as others
 * with this divisor need x/s, too; else NULLs. */
typedef struct Quotient {
    Node *divided, *times;
} Quotient;
Quotient *share_quotients(Arena *a, const Reach *r);

/* centred.c: 0 where n adds up what is left without its mean; or NULL. */
Node *sum_of_centred(Graph *g, const Node *n);

#endif
