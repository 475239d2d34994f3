/* form.h: what is chosen of a nest while its kernel is made: kernel/ says what
 * may be, and asks which it is to be. Memory between loops and the order of
 * sums follow from it, so it is the same for all machines. */
#ifndef NNCC_CHOOSE_FORM_H
#define NNCC_CHOOSE_FORM_H

#include "nest/nest.h"

/* Are lanes better on k's last outer loop than on each stage's own. */
bool lanes_suit_outside(const Kernel *k);
/* Is k, which is `loops` with short ones unrolled, the better one. */
bool unrolled_is_better(Graph *g, const Kernel *k, const Kernel *loops);
/* Are the loops the better ones where there are few iterations. */
bool loops_suit_few(Graph *g, const Kernel *k, const Kernel *loops);

#endif
