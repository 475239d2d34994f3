/* pack.h: functions of single numbers that are one of a vector. */
#ifndef NNCC_PACK_H
#define NNCC_PACK_H

#include "graph/op.h"
#include "graph/region.h"

enum { PACK = 12 /* numbers at least */ };

/* Functions of one number, and their partners (see Op), that wait for none of
 * each other. */
typedef struct Pack {
    OpId op;
    DType dtype;
    int owner, level;
    LIST(Node *) of;       /* of what, each once */
    Node *all, *vector[2]; /* that as a tensor; op of it, and the partner */
} Pack;

/* By number. */
typedef struct Packs {
    int *order;  /* numbers, such that a pack's arguments are before it */
    Pack **pack; /* that it is of, or NULL */
    int *place;  /* in that */
} Packs;

/* Where there is no `if`, of which one branch alone is computed. */
bool may_have_packs(const Reach *r);
Packs find_packs(Arena *a, const Reach *r);

#endif
