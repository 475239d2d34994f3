/* program.h: random programs, written from a list of choices.
 *
 * A choice is a byte. The same choices write the same program, 0 is the
 * simplest choice everywhere and stands behind the last one, so a program is
 * made smaller by taking choices away and making them less (as MacIver's
 * Hypothesis does): nothing else needs to know the grammar. */
#ifndef NNCC_FUZZ_PROGRAM_H
#define NNCC_FUZZ_PROGRAM_H

#include "base/base.h"

enum { MAX_CHOICES = 160 };

typedef struct Choices {
    int n;
    uint8_t at[MAX_CHOICES];
} Choices;

/* Random numbers: splitmix64. */
typedef struct Rng {
    uint64_t state;
} Rng;
uint64_t rng_next(Rng *r);
int rng_below(Rng *r, int n);

Choices choices_draw(uint64_t seed);

/* The text of a program with
 *     fn f(x: real, y: real, v: real[n], w: real[n], k: int, p: int[n],
 *          c: bool) -> real,
 * `second`, the derivative of its gradient along a direction, in reverse mode,
 * and `each`, a vector for a Jacobian. */
const char *program_text(Arena *a, const Choices *c);

#endif
