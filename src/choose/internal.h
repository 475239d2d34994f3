/* internal.h: what the files of choose/ share with each other only. */
#ifndef NNCC_CHOOSE_INTERNAL_H
#define NNCC_CHOOSE_INTERNAL_H

#include "choose/choose.h"

/* requires lanes and tail of m, and all before `sums` of its stage t */
void sums_choose(MapSchedule *m, int t);
/* How many slots the reductions of a stage have, whose vectors have that many
 * lanes. */
int sums_slots(const MapSchedule *m, const Stage *s, int lanes);
/* In a stage whose last loop is lanes: all slots, where it adds little up and
 * vectors of so many lanes pay, else 0. */
int sums_wide(const MapSchedule *m, int t);

#endif
