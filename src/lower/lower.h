/* lower.h: the machine instructions an elementwise operator is lowered to.
 *
 * A row's `lower` builds its value from these; it does not know whether one
 * element or a vector of them is computed, nor what for: emit/ makes LLVM's
 * instructions of them, the tests carry them out. A Val is valid while its
 * kernel is built. */
#ifndef NNCC_LOWER_H
#define NNCC_LOWER_H

#include "graph/graph.h"

typedef struct Lower Lower; /* what the instructions are made for */
typedef struct Val Val;

typedef enum Cmp { CMP_eq, CMP_ne, CMP_lt, CMP_le, CMP_gt, CMP_ge } Cmp;

/* A part of a value, computed apart. */
typedef Val *LowerBody(Lower *l, Val *const *x);

/* One for each line of lower.def: low_fadd(l, a, b) and so on. What makes the
 * instructions is chosen with the Lower, whose first member points to these. */
#define LOW(type, name, params, args) type low_##name params;
#include "lower/lower.def"
#undef LOW

typedef struct LowerOps {
#define LOW(type, name, params, args) type(*low_##name) params;
#include "lower/lower.def"
#undef LOW
} LowerOps;

#endif
