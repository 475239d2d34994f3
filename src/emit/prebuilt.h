/* prebuilt.h: the functions that are the same in every program. They are
 * compiled when nncc is built, for each level of x86-64, and are a part of
 * nncc: a store of objects, one function each, by their names. What is made of
 * them is the same as if they were compiled with the program. */
#ifndef NNCC_PREBUILT_H
#define NNCC_PREBUILT_H

#include "emit/emit_internal.h"

/* What is before the bytes of the store. Then there are as many PrebuiltRows,
 * by name, the rows that those need, and text and objects, by their offsets. */
typedef struct PrebuiltHead {
    uint32_t nrow, nneed;
} PrebuiltHead;
typedef struct PrebuiltRow {
    uint32_t name, object, size;
    uint32_t need, nneed; /* what it calls: the first, how many */
} PrebuiltRow;

/* prebuilt.c */

int prebuilt_count(void);
/* The number of the function of that name, or -1. */
int prebuilt_find(const char *name);
Object prebuilt_object(int i);
/* need[i], and of all that it calls, becomes true. */
void prebuilt_need(bool *need, int i);
/* What a function of that name is called in the store. */
const char *prebuilt_name(Arena *a, const char *name, const char *level);
/* The name by which e's code calls such a function, which is in the store;
 * NULL: it is made with the program. */
const char *prebuilt_of(Emit *e, const char *name);

/* lower.c, product.c, routine.c: what is to be in the store for e's machine:
 * added to the list, or made with e->listed. */
void shared_prebuild(Emit *e);
void product_prebuild(Emit *e, Helpers *h);
void routine_prebuild(Emit *e, Helpers *h);

#endif
