/* internal.h: what the files of choose/ share with each other only. */
#ifndef NNCC_CHOOSE_INTERNAL_H
#define NNCC_CHOOSE_INTERNAL_H

#include "choose/choose.h"

/* ask.c */

/* What is asked for k, or NULL. */
const Setting *asked_for(const Chooser *c, const Kernel *k, SettingKind kind);
/* A problem with it. */
const char *refused(const Chooser *c, const Setting *s, const char *why);
/* A line that asks for that; values below 0 are words. */
void setting_print(SettingKind kind, int n, const int *value, Str *to);

/* requires lanes and tail of m, and all before `sums` of its stage t */
void sums_choose(MapSchedule *m, int t);
/* How many slots the reductions of a stage have, whose vectors have that many
 * lanes. */
int sums_slots(const MapSchedule *m, const Stage *s, int lanes);
/* In a stage whose last loop is lanes: all slots, where it adds little up and
 * vectors of so many lanes pay, else 0. */
int sums_wide(const MapSchedule *m, int t);

#endif
