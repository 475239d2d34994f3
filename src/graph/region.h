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
/* A leaf that is no parameter: the same inside a body and around it. */
bool is_constant_leaf(const Node *n);
int region_nparts(const Region *r);
/* The parameter that argument i is bound to; NULL: the count. */
Node *region_param(const Region *r, int i);
/* Where n is in the body, or -1. */
int region_place(const Region *r, const Node *n);
/* All parameters: index, carries, inputs, captures. */
int region_nparam(const Region *r);
Node *region_param_at(const Region *r, int i);

/* r with other results: next, output, until in turn, region_nresult of them. */
int region_nresult(const Region *r);
void region_results(const Region *r, Node **to);
Region region_with(Graph *g, const Region *r, Node *const *result);

/* The results of a call or of one step of a loop on given arguments (for a
 * loop: index, carries, inputs, captures), as nodes around it; r is a node's,
 * and to has room for region_nresult. */
void region_inline(Graph *g, const Region *r, Node *const *arg, Node **to);

/* Was any loop or call ever made. */
bool graph_has_regions(const Graph *g);

/* reach.c */

/* Not in bodies; in bodies; in those of a call's own derivative, too. */
typedef enum Depth { REACH_AROUND, REACH_BODIES, REACH_ALL } Depth;

/* What the roots reach of ids from lo on, so deep, by ascending ids, and
 * numbered in this order. Passes nest: the numbers of one hide those of the one
 * before until it is left, the last one first. */
typedef struct Reach {
    const Graph *g;
    Node **node;
    int n;
    int *before; /* numbers hidden */
} Reach;
Reach reach_enter(const Graph *g, Arena *scratch, int lo, Depth deep, int nroot,
                  Node *const *root);
int reach_number(const Reach *r, const Node *n); /* -1: not reached */
void reach_leave(Reach *r);
/* The list alone, of all ids. */
Nodes nodes_below(const Graph *g, Arena *a, int nroot, Node *const *root);

#endif
