/* region.h: loops and calls, the operators whose argument is a graph.
 *
 * A region is closed: its results reach no parameter but its own, so nothing
 * that walks the graph around it needs to enter it. OP_loop and OP_call have
 * several results and are no value themselves (dtype bool, rank 0, never read);
 * OP_part picks one result. A region's parameters are OP_param nodes of the
 * same graph and may serve several regions. */
#ifndef NNCC_REGION_H
#define NNCC_REGION_H

#include "graph/graph.h"

typedef LIST(Node *) Nodes;
/* Where n is in a list, or -1; in one by ascending ids, as a body is. */
int nodes_find(const Nodes *list, const Node *n);
int node_place(Node *const *list, int count, const Node *n);

typedef struct Region Region;
struct Region {
    /* Loops: at most so many steps, t = 0, 1, …; NULL: a call. */
    const Dim *trips;
    bool reverse; /* the same steps, the last one first */
    /* The last argument, a scalar i64, says how many steps at most are made:
     * of t = 0 … count-1, in reverse from count-1 down. Output elements of
     * steps that are not made are 0. */
    bool counted;
    Node *index;        /* t: a scalar i32 or i64; NULL in calls */
    Node *const *carry; /* what one step gives the next */
    int ncarry;
    Node *const *input; /* element t along the argument's first axis */
    int ninput;
    Node *const *capture; /* the argument itself; a call's parameters */
    int ncapture;
    Node *const *next;   /* each carry after the step; of its type */
    Node *const *output; /* stacked along a new first axis of size trips; of a
                            call: its results, as they are */
    int noutput;
    /* A scalar bool of carries and captures: the loop ends before the first
     * step at which it holds. Or NULL. Not together with `reverse`. */
    Node *until;

    /* Calls. */
    bool remat; /* nothing inside is stored for the backward pass */
    bool apart; /* computed on its own: shares nothing with the code around it
                   (a recomputation would be one with what it recomputes) */
    /* A derivative of its own: a call whose parameters are this one's, then the
     * results, then the adjoints of the real results, and whose results are the
     * adjoints of the real parameters; or NULL. */
    const Region *vjp;

    /* To be closed: what was made for the body has at least this id; 0: what
     * is newer than a parameter. */
    int since;

    /* Set in a node's region: what the results reach and the parameters, by
     * ascending ids; how many nodes these are when all calls among them are
     * expanded; whether an index may be out of range in it; what each node is
     * and what the region is, the same for equal ones; the region itself. */
    Node *const *body;
    int nbody;
    const uint64_t *hash;
    uint64_t key;
    double size;
    bool fails;
    const Region *self;
};

/* region.c */

/* Arguments of OP_loop: initial carries, inputs, captures, count. Its parts:
 * final carries, outputs, then the number of steps made (a scalar i64).
 * Arguments of OP_call: captures; its parts: outputs. The region is copied;
 * equal ones on equal arguments are the same node, also where they have other
 * parameters: the node's region is then not r. */
Node *g_region(Graph *g, const Region *r, int narg, Node *const *arg);
Node *g_part(Graph *g, Node *of, int part);
bool node_has_region(const Node *n);      /* OP_loop and OP_call */
const Region *node_region(const Node *n); /* of these */
int region_narg(const Region *r);
int region_nparts(const Region *r);
/* The parameter that argument i is bound to; NULL: the count. */
Node *region_param(const Region *r, int i);
/* All parameters: index, carries, inputs, captures. */
int region_nparam(const Region *r);
Node *region_param_at(const Region *r, int i);

/* A loop or call from results that may read anything around it: `r` as above
 * but that its results may reach other nodes than its parameters, `arg` its
 * arguments so far. What the results reach and does not depend on a parameter
 * becomes a further capture (constants, dimensions, iotas, and broadcasts of
 * what is captured are made anew inside); a gather that takes element t of a
 * captured tensor becomes an input, as does one that takes element a·t + b
 * where all of these are inside the tensor; a contraction that depends on t
 * alone is done for all t before the loop, and its result becomes an input.
 * Captures that are not used are dropped. */
Node *g_region_close(Graph *g, const Region *r, int narg, Node *const *arg);

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
Node *maker_close(const RegionMaker *m);  /* by g_region_close */

/* r with other results: next, output, until in turn, region_nresult of them. */
int region_nresult(const Region *r);
void region_results(const Region *r, Node **to);
Region region_with(Graph *g, const Region *r, Node *const *result);

/* The results of a call or of one step of a loop on given arguments (for a
 * loop: index, carries, inputs, captures), as nodes around it; r is a node's,
 * and to has room for region_nresult. */
void region_inline(Graph *g, const Region *r, Node *const *arg, Node **to);

/* Rebuild loops without carries, inputs, captures and outputs that nothing
 * reads, carries that never change as captures; loops on the same arguments
 * whose regions have the same parameters (a loop and the same loop that stores
 * more) become one. For the roots of one function: what one stores, the others
 * need not. */
void regions_prune(Graph *g, int nroot, Node **root);
/* Was any loop or call ever made. */
bool graph_has_regions(const Graph *g);

/* reach.c */

/* What the roots reach of ids from lo on, in bodies too where it is deep, by
 * ascending ids, and numbered in this order. Passes nest: the numbers of one
 * hide those of the one before until it is left, the last one first. */
typedef struct Reach {
    const Graph *g;
    Node **node;
    int n;
    int *before; /* numbers hidden */
} Reach;
Reach reach_enter(const Graph *g, Arena *scratch, int lo, bool deep, int nroot,
                  Node *const *root);
int reach_number(const Reach *r, const Node *n); /* -1: not reached */
void reach_leave(Reach *r);
/* The list alone, of all ids. */
Nodes nodes_below(const Graph *g, Arena *a, int nroot, Node *const *root);

/* batch.c */

/* The roots for many values of some parameters at once. param[i] is replaced
 * by value[i], which has one more leading axis, of size n; each root gets such
 * an axis too, repeated where it depends on none of them. An index check in a
 * branch of an `if` or a `where` that is chosen element by element concerns
 * only the elements that choose this branch. No dimension may depend on the
 * parameters. */
void graph_batch(Graph *g, const Dim *n, int nparam, Node *const *param,
                 Node *const *value, int nroot, Node **root);

#endif
