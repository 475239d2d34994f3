/* routine.h: algorithms in which the numbers decide what is done next, or that
 * work on parts of matrices: factorisations, Fourier transforms. They are
 * written in *.rt, in a small part of C:
 *
 *   - int (64 bits), real (the type that is computed in), vec (WIDE reals) and
 *     real * alone; arrays of constant size; functions, that may call
 *     themselves; for, while, if, return; no preprocessor, no globals; an int
 *     becomes a real and a real a vec where that is needed;
 *   - WIDE, LANES, PANEL, MASKS, DOUBLE, EPS, TINY say what there is; of an
 *     `if` on constants only what it chooses becomes code;
 *   - sqrt, abs, min, max, fma, real, int, load, store, total (of a vec, in a
 *     fixed order), evens, odds and store_turns (of 2 WIDE reals, by turns) and
 *     the innermost kernels of products are known.
 *
 * emit/ makes machine code of those that a program needs. */
#ifndef NNCC_ROUTINE_H
#define NNCC_ROUTINE_H

#include "base/base.h"

/* All of them; made by embed.sh. */
extern const char routine_text[];

/* By places among the words: of the type, of the body's brace, behind it. */
typedef struct RoutineFn {
    const char *name;
    int at, body, end;
} RoutineFn;

typedef struct Routines {
    Arena *arena;
    Intern *names;
    LIST(const char *) word; /* the last is empty */
    LIST(RoutineFn) fn;
} Routines;

Routines *routines_new(Arena *a);
const RoutineFn *routine_named(const Routines *r,
                               const char *name); /* or NULL */
/* The place behind what closes the bracket at `open`. */
int routine_after(const Routines *r, int open);

#endif
