/* batch_internal.h: what the files of batching share.
 *
 * A node leads where its value differs from one element of the batch to the
 * next: it then has the batch axis as a new first one. */
#ifndef NNCC_BATCH_INTERNAL_H
#define NNCC_BATCH_INTERNAL_H

#include "region/region.h"

typedef struct Masks Masks;

/* What a loop or call became: its parts, as the graph around it sees them. */
typedef struct Parts {
    bool *lead;
    Node **part; /* NULL while only `lead` is known */
} Parts;

typedef struct BatchNote {
    bool lead, open; /* open: being made */
    int mask;        /* a set of masks; 0: always computed */
    Node *value;     /* NULL while it is not made */
    Parts parts;
} BatchNote;

typedef struct Batch {
    Graph *g;
    Arena *scratch;
    const Dim *b;
    int nparam;
    Node *const *param;
    Node *const *value; /* NULL while only what leads is wanted */
    const bool *leads;  /* by parameter */
    int first;       /* the first parameter: what is older was there before */
    Reach nodes;     /* those that the roots reach; others are as they were */
    BatchNote *note; /* of each */
    Masks *masks;
} Batch;

/* batch.c */

/* Notes on what the roots reach, and what of it leads; until batch_end. */
void batch_begin(Batch *p, int nroot, Node *const *root);
void batch_end(Batch *p);
/* NULL: n is not reached, or older than the parameters. */
BatchNote *batch_note(const Batch *p, const Node *n);
/* Then: the roots, computed. `outer` holds where they are needed at all: of
 * size b, a scalar, or NULL for everywhere. */
void batch_make(Batch *p, Node *outer, int nroot, Node **root, bool *lead);
bool batch_leads(const Batch *p, const Node *n);
Node *batch_value(const Batch *p, Node *n);
/* x with the batch axis, along which it repeats unless it leads. */
Node *batch_axis(const Batch *p, Node *x, bool lead);

/* batch_mask.c: which elements need a node, by the branches it stands in. */

/* requires notes on what leads; NULL where every node is needed everywhere.
 * `outer` as above. */
Masks *masks_find(Batch *p, Node *outer, int nroot, Node *const *root);
/* May a mask concern n: is it part of the body. */
bool masks_reach(const Batch *p, const Node *n);
/* Does anything choose its branch element by element. */
bool masks_needed(const Batch *p);
/* The conditions whose values a set of masks is made of. */
int masks_conditions(const Masks *m, int set, Node *const **cond);
/* Its value, when those have theirs: of size b, a scalar, or NULL. */
Node *masks_value(Batch *p, int set);

/* batch_region.c */

/* Which parts of a loop or call lead. */
void region_leads(const Batch *p, const Node *n, bool *lead);
/* Its parts; mask: where it is needed. */
void region_batch(Batch *p, const Node *n, Node *mask, Parts *to);

#endif
