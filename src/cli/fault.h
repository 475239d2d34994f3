/* fault.h: where a step's numbers went wrong. */
#ifndef NNCC_FAULT_H
#define NNCC_FAULT_H

#include "cli/cli.h"

/* Prints to stderr the operation of the program whose value, or derivative, is
 * the first of m's last failed step that is infinite or not a number. hash: of
 * the sources that were trained. */
void fault_tell(const Args *a, const nncc_model *m, uint64_t hash);

#endif
