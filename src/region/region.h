/* region.h: putting loops and calls together, and computing for many values at
 * once. */
#ifndef NNCC_REGION_ROOM_H
#define NNCC_REGION_ROOM_H

#include "graph/region.h"

/* close.c */

/* requires parameters of its own, gives a closed region. A loop or call from
 * results that may read anything around it: `r` as for g_region but that its
 * results may reach other nodes than its parameters, `arg` its arguments so
 * far. What the results reach and does not depend on a parameter becomes a
 * further capture (constants, dimensions, iotas, and broadcasts of
 * what is captured are made anew inside); a gather that takes element t of a
 * captured tensor becomes an input, as does one that takes element a·t + b
 * where all of these are inside the tensor; a contraction that depends on t
 * alone is done for all t before the loop, and its result becomes an input.
 * Captures that are not used are dropped. */
Node *g_region_close(Graph *g, const Region *r, int narg, Node *const *arg);

/* Which parameter of like's type a closed region has in the place of its i-th
 * (see region_param_at). */
typedef struct ParamNames {
    Node *(*param)(void *u, int i, Node *like);
    void *u;
} ParamNames;
/* The same with these parameters: regions whose parameters are the same can
 * become one where only parts of them are. */
Node *g_region_close_as(Graph *g, const Region *r, int narg, Node *const *arg,
                        const ParamNames *names);

/* maker.c */

/* A region being put together, and the arguments of its node beside the
 * parameters that they are bound to. `r` says the rest: trips, direction,
 * index, until and what a call is; its lists are not read. */
typedef struct RegionMaker {
    Graph *g;
    Arena *scratch;
    Region r;
    Nodes carry, next, input, capture, output;
    Nodes carry_arg, input_arg, capture_arg;
    Node *count; /* NULL: all steps are made */
} RegionMaker;
/* like: a region that it is like, without its lists; NULL: a call. */
RegionMaker region_maker(Graph *g, Arena *scratch, const Region *like);
/* Each returns its number among its kind. `next` may be set later. */
int maker_carry(RegionMaker *m, Node *param, Node *arg, Node *next);
int maker_input(RegionMaker *m, Node *param, Node *arg);
int maker_capture(RegionMaker *m, Node *param, Node *arg);
int maker_output(RegionMaker *m, Node *n);
int maker_output_once(RegionMaker *m, Node *n); /* the one that is there */
/* The region, on the maker's lists, and the arguments of its node. */
Region maker_region(const RegionMaker *m);
Nodes maker_args(const RegionMaker *m);
Node *maker_finish(const RegionMaker *m); /* by g_region */
Node *maker_finish_as(const RegionMaker *m, const ParamNames *names); /* so */
Node *maker_close(const RegionMaker *m); /* by g_region_close */

/* batch.c */

/* requires that no dimension depends on the parameters, gives roots that do not
 * reach them. The roots for many values of some parameters at once. param[i] is
 * replaced by value[i], which has one more leading axis, of size n; each root
 * gets such an axis too, repeated where it depends on none of them. An index
 * check in a branch of an `if` or a `where` that is chosen element by element
 * concerns only the elements that choose this branch. */
void graph_batch(Graph *g, const Dim *n, int nparam, Node *const *param,
                 Node *const *value, int nroot, Node **root);
/* Could the roots have n axes more: what they are made of, as far as it may
 * depend on a parameter, `first` being made before all that does. */
bool graph_can_batch(Graph *g, int n, const Node *first, int nroot,
                     Node *const *root);
/* The roots for all values of n int parameters (made in this order), each an
 * axis in front, the first one first. False: these are too many. */
bool graph_batch_indices(Graph *g, int n, Node *const *param,
                         const Dim *const *extent, int nroot, Node **root);

#endif
