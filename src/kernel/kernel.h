/* kernel.h: from functions to nests of loops. */
#ifndef NNCC_KERNEL_H
#define NNCC_KERNEL_H

#include "nest/nest.h"

/* schedule.c … plan.c */

/* requires simplified and expanded roots; gives a schedule whose kernels read
 * nothing that was not written before, and that writes a result in place only
 * after its last other reader. */
Schedule *schedule(Arena *a, Graph *g, const Function *f);
/* The same with the forms that are asked for, n of them, as far as nests may be
 * made so; CHOICE_none: as it is chosen. */
Schedule *schedule_formed(Arena *a, Graph *g, const Function *f,
                          const NestForm *form, int n);
/* Bytes that kernels read and write: inputs and results once, what is kept
 * between kernels twice; of a loop as often as it makes a step; without what
 * only products use. */
const Dim *schedule_bytes(Graph *g, const Schedule *s);
/* f for what takes long for what it gives, with the place in the source: arrays
 * that are read across the order they lie in, sums over more steps than any
 * array has elements, gathers that only loop variables decide, loops of which
 * no step needs the one before it. */
typedef void EachSlow(void *u, Span span, const char *text);
void schedule_slow(Arena *a, Graph *g, const Schedule *s, EachSlow *f, void *u);

#endif
