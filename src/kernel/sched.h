/* sched.h: what the files of the scheduler share.
 *
 * The way of one function through it:
 *
 *     prepare      products in the form that their kernels can take
 *     cases        which nodes only branches of an `if` need
 *     materialise  which nodes get a buffer; all others are computed in place
 *                  (cut: and where that would be too much code)
 *     guards       under which conditions those are computed
 *     pieces       one loop nest for each of those, with what it reads
 *     fuse         pieces to nests, which become kernels; their stages
 *     epilogue     nests that follow a contraction row by row, in its kernel
 *     order        results in place, the final order of the kernels
 *     build        instructions, their order (arrange), lanes
 *     coalesce     copies that need not be
 *     in_place     arrays that end where others begin
 *     plan         the workspace
 *
 * What is only needed on the way lives in Sched.scratch. */
#ifndef NNCC_SCHED_H
#define NNCC_SCHED_H

#include "graph/view.h"
#include "graph/when.h"
#include "kernel/kernel.h"
#include "nest/index.h"

/* view.c: where a view's element comes from. */

/* Where in its argument n, a view, reads for its element v. */
const Vec *view_arg(IndexTable *t, Graph *g, const Node *n, const Vec *v);
/* A reshape whose argument's index needs a quotient. */
bool reshape_divides(Graph *g, const Node *n);
/* A view of a reshape that needs none: a diagonal. */
bool view_joins(IndexTable *t, Graph *g, const Node *n);

/* Notes on nodes, by id. */

typedef struct Piece Piece;
typedef struct Nest Nest;

typedef struct Note {
    bool live;
    bool mat;        /* has a buffer, or is a register of its nest */
    bool shared;     /* that only because several nests use it */
    bool fixed;      /* a copy is asked for: do not look through this view */
    bool select;     /* `if`: both branches are computed */
    bool product;    /* contract: a KERNEL_contract … */
    bool copies[2];  /* … of copies of these arguments, */
    bool transposed; /* … whose result is computed with other axes last */
    bool windows;    /* … whose m and k may be any loops: see Contract */
    bool turned;     /* … whose a has the result's last axis */
    bool divides;    /* reshape: to read it in place takes quotients */
    bool checks;     /* computing it in place may report a bad index */
    bool invariant;  /* the same in all steps, and made before them */
    bool needed;     /* its value is read from memory by other nests */
    bool alone;      /* a product that is used once */
    bool once;       /* one other reads it, once */
    bool joined;     /* a concat that is made as a part of another */
    bool kept;       /* its own nest reads it from memory */
    bool missed;     /* so it does, its short loops being unrolled */
    int cost;        /* of computing one element in place */
    int registers;   /* that this takes, what needs most being computed first */
    int when;        /* the case that it is needed in */
    int guard;       /* that case as one of Sched.guard */
    int branch[2];   /* `if`: the cases, then the guards of its branches */
    int pos;         /* of the last of their nests */
    Piece *piece;    /* first of them */
    Buffer *buffer, *copy[2], *other; /* other: the transposed result */
    Node *sum_of;    /* contract: the product of its factors, which is there */
    const Vec *self; /* the element that its own nest is at */
    Nest *reader[2]; /* the last nests that read it */
    Nest *parts;     /* the last nest that makes a part of it */
    Node **part;     /* loop: its parts that are live, by number */
} Note;

/* A case as kernels ask for it: some conditions all are as wanted, and a flag
 * holds. Number 0: always. */
typedef struct Literal {
    Node *cond;
    bool holds;
} Literal;

enum { MAX_LITERALS = MAX_RANK - 1, NO_GUARD = -1 }; /* NO_GUARD: never */

typedef struct Guard {
    int n;
    Literal at[MAX_LITERALS];
    Piece *made_by; /* what computes the flag; NULL: there is none */
    Nest *scalars;  /* the last nest of scalars under this guard */
} Guard;

typedef struct Read {
    Node *node;
    const Vec *at;
} Read;

typedef enum PieceKind {
    PIECE_store,    /* to[at] = value */
    PIECE_add,      /* to[at] += value */
    PIECE_reduce,   /* root = op over the loops from `kept` on */
    PIECE_contract, /* a KERNEL_contract */
    PIECE_move,     /* to[at] = from[from_at] */
    PIECE_flag,     /* does a case hold, see guard.c */
    PIECE_loop,     /* a KERNEL_loop */
    PIECE_sort,     /* a KERNEL_sort */
    PIECE_routine,  /* a KERNEL_routine */
    PIECE_part,     /* no code: a result of a loop is there */
} PieceKind;

struct Piece {
    PieceKind kind;
    int id;      /* position in Sched.piece */
    Node *root;  /* whose value this makes, NULL: a copy */
    Node *value; /* stored or reduced; NULL: zero */
    Node *times; /* PIECE_reduce: the other factor, or NULL */
    const Vec *value_at, *times_at;
    Node *index; /* PIECE_add: the index, its element and the axis */
    const Vec *index_at;
    int axis;
    int rank, kept;
    const Dim **extent; /* see add_loop */
    const Vec *at;      /* element of the target, of dimensions `dim` */
    const Dim *const *dim;
    Buffer *to;     /* PIECE_store of a copy; else the root's */
    bool makes;     /* one of root's pieces */
    bool factor;    /* a copy of a product's factor */
    bool invariant; /* makes what is the same in all steps */
    bool empty;     /* some loop never runs, so nothing is computed */
    bool whole;     /* alone makes all of root, at root's own element */
    bool branch;    /* the same where it runs: of an if, whose other does not */
    int guard;
    Piece *sibling;   /* next that makes the same root */
    Piece *before[2]; /* have to be complete first, or NULL */
    Piece *also;      /* whoever waits for this one waits for that one too */
    const Buffer *from;
    const Index *from_at;
    LoopKernel *loop;    /* PIECE_loop */
    int flag;            /* PIECE_flag: the case */
    LIST(Piece *) flags; /* that it reads: complete before it */
    Read *read;
    int nread, read_cap, weight;
    int *across; /* by loop: arrays that it walks across; NULL: none */
    /* fuse */
    bool row; /* others go over a row with each of its elements */
    Nest *nest;
    int stage;
};

typedef struct NestStage {
    int rank;
    const Dim **extent;
    LIST(Piece *) piece;
    LIST(Piece *) save; /* reductions whose result is stored here */
} NestStage;

/* How many arrays are walked across with the lanes on the last outer loop, and
 * with them inside, if there are loops inside. */
typedef struct Walks {
    int outside, inside;
    bool loops;
} Walks;

struct Nest {
    int pos, guard;
    bool contract, light;
    bool alone; /* of one piece for ever: a loop or a part of it, a sort,
                   a routine */
    bool invariant;
    int lo, hi; /* bounds on the number of outer loops; it becomes hi */
    int weight;
    int rank;     /* the most loops that one of its pieces has */
    Walks *walks; /* by number of outer loops, up to hi */
    int across;   /* arrays that its pieces walk across, each alone */
    LIST(Piece *) piece;
    LIST(NestStage) stage;
    Nest *epilogue; /* of a contraction */
    Nest *on;       /* the contraction that this one follows */
    int index;      /* in the final order */
};

typedef struct Sched {
    Arena *arena, *scratch;
    Arena *lasting; /* arena, also where a nest is only tried (epilogue.c) */
    Graph *g;
    const Function *f;
    Schedule *out;
    IndexTable *table;
    LIST(Buffer *) buffer; /* all, by their id until plan numbers them */
    Node **param;          /* leaves */
    int nparam;
    int nresult; /* leaves */
    Node **result;
    Buffer **result_buffer;
    /* The body of a loop: a result that cannot be made in place has a leaf of
     * its own, and the loop changes both round. */
    bool double_buffer;
    /* A step: so many of its parameters, the first, are not the same in all
     * steps. 0: a function. */
    int nvarying;
    /* What the results reach, and the parameters, ascending by id; from 1 on.
     * Number 0 is any other node. A body is scheduled with the numbers of what
     * is around it, which it puts back. */
    int nnote;
    Note *note;
    Node **node;
    int *number, nnumber; /* by id: of nodes that were before the scheduler */
    When *when;
    Piece **flag; /* by case: what computes it, or NULL */
    LIST(Guard) guard;
    LIST(Piece *) piece;
    LIST(Nest *) nest;
    int straight; /* what pieces weigh that are computed once an element */
    /* Forms that are asked for; what nests are called, but for their numbers;
     * the present nest's name, and what is asked for it. */
    const NestForm *form;
    int nform;
    const char *path, *here;
    NestForm asked;
} Sched;

static inline int number_of(const Sched *s, const Node *n)
{
    return n->id < s->nnumber ? s->number[n->id] : 0;
}
static inline Note *note_of(const Sched *s, const Node *n)
{
    return &s->note[number_of(s, n)];
}
bool is_leaf_buffer(const Node *n); /* param, data */
bool is_code(const Node *n);        /* const, dim, iota: never in memory */
Buffer *buffer_new(Sched *s, BufferKind kind, const Node *n);
/* The buffer that n's value is read from, made when first asked for. */
Buffer *buffer_of(Sched *s, const Node *n);

/* prepare.c: requires expanded roots; notes the products that get kernels of
 * their own and what they need for that. */
void prepare(Sched *s);
/* In a step, notes what needs to be made only once. */
void find_once(Sched *s);

/* contract.c: labels to loops. */
typedef struct Product {
    int first;      /* the argument that is a, 0 or 1 */
    Node *of[2];    /* below the arguments' views: with buffers */
    bool plain[2];  /* arguments' places have no quotients */
    bool fits;      /* k is one loop, or windows are read */
    bool even;      /* b's rows are contiguous */
    bool ends_well; /* the result's last axis is n */
    /* How copies of the arguments and of the result are laid out. */
    int layout[2][MAX_RANK], out_layout[MAX_RANK];
    Contract c;                      /* without a nest, */
    const Dim *extent[2 * MAX_RANK]; /* of these loops, */
    const Index *at[3];              /* where a, b and the result are here */
    /* Leading axes of the result, units aside, that the batch loops and m are,
     * in this order, the last `join` of them being m; -1: they are not. */
    int rows, join;
} Product;
/* A product of matrices that deserves a kernel of its own. */
bool is_product(const Node *n);
Product product_of(Sched *s, const Node *n);
Kernel *product_kernel(Sched *s, const Piece *p);

typedef struct Inline Inline;

/* guard.c */
/* requires what prepare notes; gives each note its case. */
void cases(Sched *s);
/* requires cases and buffers; gives each note the guard it runs under, and
 * flags to what conditions alone cannot say. */
void guards(Sched *s);
/* What the `if` n asks for: a node that gets a buffer where n is lazy. */
Node *condition_of(const Sched *s, const Node *n);
/* Pieces for flags; what one reads; its value. */
void guard_pieces(Sched *s);
void flag_reads(Sched *s, Piece *p);
int flag_value(Sched *s, Inline *in, const Piece *p);
void guard_of_kernel(Sched *s, int guard, Kernel *k);

/* materialise.c: requires cases; gives a buffer to each node that is not
 * computed where it is used. */

void materialise(Sched *s);
/* The node in whose buffer n is: reshapes are free. Asked after materialise. */
Node *buffered(const Sched *s, Node *n);

/* cut.c */
enum { NEST_WEIGHT = 2500 };
/* Marks values of the nest that computes root, so that each nest that this
 * makes is at most NEST_WEIGHT; true if any. item: zeros, one for each note. */
bool cut(Sched *s, Node *root, int *item);

/* inline.c: instructions for a value at an index. */
/* Which of n's arguments are computed first: the last ones. */
void by_registers(const Sched *s, const Node *n, int *order);
Inline *inline_new(Sched *s);
/* A new kernel: no instructions yet. */
void inline_begin(Inline *in, const Nest *nest, int rank);
/* Instructions from now on are of a stage of this rank. */
void inline_stage(Inline *in, int stage, int rank);
/* n's value at v, computed here even if n has a buffer. */
int inline_compute(Inline *in, Node *n, const Vec *v);
int inline_value(Inline *in, Node *n, const Vec *v, int pred);
int inline_op(Inline *in, OpId op, DType t, int narg, const int *arg);
int inline_index(Inline *in, DType t, const Index *at);
int inline_load(Inline *in, const Buffer *b, const Index *at, DType t,
                int pred);
int inline_zero(Inline *in, DType t);
/* 0 <= value < n */
int inline_in_range(Inline *in, const Index *value, const Dim *n, int pred);
/* From now on, until the next kernel begins, what is known while compiling is
 * not computed: indices are numbers where short loops are unrolled. */
void inline_unroll(Inline *in);
/* From now on n at v is what this reduction of an earlier stage came to. */
void inline_result(Inline *in, Node *n, const Vec *v, int reduction);
/* From now on n at v is this instruction. */
void inline_know(Inline *in, Node *n, const Vec *v, int instr);
int inline_count(const Inline *in);
/* Of the machine instructions that they become, about. */
int inline_weight(const Inline *in);
/* Until the next kernel begins. */
const Instr *inline_instr(const Inline *in);
/* What was read from buffers since inline_begin. */
int inline_reads(const Inline *in, const Read **read);

/* arrange.c */
typedef LIST(int) FlowArgs;
/* Values 0 … n - 1: value i is made of arg[first[i]] … arg[first[i + 1] - 1],
 * each once and smaller than i. Those of one level share registers; level -1:
 * takes none, and is made of nothing. */
typedef struct Flow {
    int n;
    int *first, *arg, *level;
    bool *joins; /* by value: is made of several, also such as have no number */
} Flow;
/* order[0] is the first … */
void arrange_flow(Arena *a, const Flow *f, int *order);
/* The instructions of a map kernel, stage by stage. */
void arrange(Sched *s, Kernel *k);
/* So many values have registers in any order: vectors on most machines. */
enum { FEW_VALUES = 16 };

/* piece.c: requires buffers and guards; gives each buffer that is written the
 * pieces that make it, with what they read. */

void pieces(Sched *s);
Piece *piece_new(Sched *s, PieceKind kind, Node *root, int guard);
/* Stores all of value to `to`, for no root. */
Piece *copy_piece(Sched *s, Node *value, Buffer *to, int guard);
void add_read(Sched *s, Piece *p, Node *n, const Vec *at);
/* One more loop, inside of those that p has. */
void add_loop(Sched *s, Piece *p, const Dim *extent);

/* region.c: loops. */
void region_needs(Sched *s, Node *n, void (*mark)(Sched *s, Node *n));
void region_pieces(Sched *s, Node *n);
void region_reads(Sched *s, Piece *p);
Kernel *loop_kernel(Sched *s, const Piece *p);
/* schedule.c: a function inside of another, `what` the nest's name ends in;
 * double_buffer: see Sched. */
Schedule *schedule_step(Sched *around, const Function *f, int nvarying,
                        const char *what, bool double_buffer);

/* sort.c */
void sort_piece(Sched *s, Node *n);
void sort_reads(Sched *s, Piece *p);
Kernel *sort_kernel(Sched *s, const Piece *p);

/* routine.c */
void routine_piece(Sched *s, Node *n);
void routine_reads(Sched *s, Piece *p);
Kernel *routine_kernel(Sched *s, const Piece *p);

/* walk.c */

/* requires p's reads and, in the table, its extents; gives p->across */
void find_walks(Sched *s, Piece *p);
/* p is one of n's pieces now. */
void nest_walks(Sched *s, Nest *n, const Piece *p);
/* Would n with p, and so many outer loops, walk across no more arrays than both
 * do alone. */
bool walks_fit(const Nest *n, const Piece *p, int outer);

/* fuse.c: requires pieces; gives each its nest, whose positions are an order of
 * dependence. */

void fuse(Sched *s);
/* f for each piece that has to be complete before p; read: it makes a value
 * that p reads. */
typedef void EachNeed(void *u, const Piece *need, bool read);
void each_need(const Sched *s, const Piece *p, EachNeed *f, void *u);
Nest *nest_new(Sched *s, Piece *p);
/* The number of leading axes of r's node, units aside, at which it is read at
 * the loop of the same number; *all: read at exactly its own element. */
int read_prefix(const Sched *s, const Read *r, bool *all);
void nest_stages(Sched *s, Nest *n);

/* epilogue.c: requires nests with their stages; those that follow a product row
 * by row are its epilogue then, and no kernels of their own. */

void fuse_after(Sched *s);

/* order.c: requires nests and epilogues; gives the final order, in which what
 * is overwritten in place was read before. */

void order(Sched *s);

/* build.c: requires nests in their final order; gives the schedule's kernels.
 */

void build(Sched *s);
Kernel *build_map(Sched *s, Inline *in, Nest *nest);

/* The same with the first `rank` of its outer loops; of the others, and of the
 * stages' own, those that are short are unrolled. */
Kernel *build_unrolled(Sched *s, Inline *in, Nest *nest, int rank);
/* Is a loop short enough for that; of n iterations then. */
enum { UNROLLED_MOST = 16 };
bool is_unrolled(const Dim *extent, int64_t *n);

/* unroll.c: the nest with its short loops unrolled, if that is better than
 * `loops`, the kernel that keeps them. */
Kernel *unroll(Sched *s, Inline *in, Nest *n, Kernel *loops);

/* loops.c: joins loops that are one in every access, chooses lanes. The first
 * `fixed` loops stay; loops fixed … fixed+join-1 have to become one. */
void shape_loops(Sched *s, Kernel *k, int fixed, int join);
/* Across the lanes goes the last outer loop, behind so many that stay, or each
 * stage's last, as is better. */
void choose_lanes(Kernel *k, int fixed);
/* The last loop of each stage goes across the lanes, where that may be. */
void lanes_inside(Kernel *k);
/* Could they be joined. */
bool can_join(Sched *s, const Kernel *k, int fixed, int join);
/* Makes those of the only stage outer ones, if they can be joined with those
 * and are `columns` in all; nothing else is changed. */
bool join_stage(Sched *s, Kernel *k, int fixed, int join, const Dim *columns);

/* A kernel, its loops not shaped yet, that goes along the ragged rows it reads
 * or writes, as val[begin[i] + k] where k < end[i] - begin[i]: places are sums
 * of k and of what is the same in a row, which is so only where the rows' loops
 * end with them, in their lanes. Shaped; NULL: there are none, or lanes are
 * better elsewhere. */
Kernel *ragged_rows(Sched *s, const Kernel *k);

/* coalesce.c: requires kernels in order; leaves fewer copies and buffers, and
 * all values as they were. */

void coalesce(Sched *s);
/* May what another buffer holds be made in b: b is no parameter. */
bool can_hold(const Sched *s, const Buffer *b);

/* inplace.c: requires kernels in order; leaves fewer buffers. */

void in_place(Sched *s);

/* parallel.c */

/* requires kernels as they are to be run */
void find_parallel(Sched *s);
/* For how many pieces a product needs room of each kind that it has. */
int product_rooms(const Sched *s, const Kernel *k);

/* plan.c: requires that buffers are what they will be; gives each its place in
 * the workspace and its number. */

void plan(Sched *s);

#endif
