/* index.h: places in memory, as they are put together. */
#ifndef NNCC_INDEX_H
#define NNCC_INDEX_H

#include "nest/nest.h"

/* index.c: indices, interned: equal ones are the same pointer. */

typedef struct IndexTable IndexTable;
/* extent[v] of loop variable v: what quotients may rely on. */
IndexTable *index_table(Arena *a, Graph *g);
void index_extents(IndexTable *t, int n, const Dim *const *extent);
const Index *index_dim(IndexTable *t, const Dim *d);
const Index *index_int(IndexTable *t, int64_t v);
const Index *index_var(IndexTable *t, int var);
const Index *index_value(IndexTable *t, int value);
const Index *index_add(IndexTable *t, const Index *a, const Index *b);
const Index *index_scale(IndexTable *t, const Index *a, const Dim *by);
const Index *index_div(IndexTable *t, const Index *a, const Dim *by);
const Index *index_mod(IndexTable *t, const Index *a, const Dim *by);
bool index_is_var(const Index *a, int var);
/* Does x depend on loops v and v + 1 as on one, v · extent + (v + 1). */
bool index_joins(Graph *g, const Index *x, int v, const Dim *extent);
/* The same with variables renamed: v becomes a multiple of to[v] … */
const Index *index_rename(IndexTable *t, const Index *a, int n,
                          const Index *const *to);
/* The same with instructions renumbered: i is to[i]. */
const Index *index_renumber(IndexTable *t, const Index *a, const int *to);

/* ragged.c: places in a loop that ends early, where data decide them only that
 * far: in k, whose stage st is. True if any is another then. */
bool ragged_places(IndexTable *t, Arena *scratch, Kernel *k, Stage *st);

/* An element's position: one index for each axis. Interned too. */
typedef struct Vec {
    int n, id;
    const Index *const *at;
} Vec;
const Vec *vec_make(IndexTable *t, int n, const Index *const *at);
/* Row-major, in a tensor of these dimensions. */
const Index *vec_linear(IndexTable *t, const Vec *v, const Dim *const *dim);

#endif
