/* nest.h: what is computed in which loops, and where it is kept.
 *
 * schedule() turns one exported function into buffers and kernels; emit/ turns
 * those into machine code and decides nothing but registers. Everything here
 * lives in the arena that schedule() was given. */
#ifndef NNCC_NEST_H
#define NNCC_NEST_H

#include "graph/graph.h"
#include "graph/op.h"
#include "hardware/blocks.h"
#include "module/module.h"

/* Storage of one tensor, contiguous and row-major. */
typedef enum BufferKind {
    BUF_LEAF, /* memory of the caller: a parameter's or a result's leaf */
    BUF_WORK, /* in the workspace */
    BUF_DATA, /* constant, in the object file */
} BufferKind;

typedef struct Buffer {
    BufferKind kind;
    int id;       /* index in Schedule.buffer */
    int leaf;     /* BUF_LEAF: number among all leaves, parameters first;
                     a result in place has its parameter's number */
    bool written; /* by some kernel */
    bool inout;   /* BUF_LEAF: a parameter that a result overwrites */
    DType dtype;
    const Dim *elements;
    const Dim *offset; /* BUF_WORK: bytes, a multiple of 64 */
    const Node *node;  /* whose value it holds */
} Buffer;

/* Where in a buffer: base + Σ coef · atom, counted in elements. */
typedef struct Index Index;

typedef enum AtomKind {
    IX_var,   /* loop variable `var` */
    IX_value, /* the integer that instruction `value` computed */
    IX_div,   /* of / by, rounding down; by is positive wherever the value is
                 used, and may be 0 elsewhere: no trap then */
    IX_mod,   /* of % by, likewise */
} AtomKind;

typedef struct Atom {
    AtomKind kind;
    int var;   /* number of the loop: outer loops first, then the stage's */
    int value; /* instruction number in the kernel */
    const Index *of;
    const Dim *by;
} Atom;

struct Index {
    const Dim *base;
    int n;
    const Dim **coef;
    Atom *atom;
};
bool index_reads(const Index *x); /* Do data decide it, and not loops alone. */
/* The coefficient of a plain variable; NULL where it is absent. */
const Dim *index_coef(const Index *a, int var);
/* Is that 1: one element after another. */
bool index_steps(const Index *a, int var);
/* Does var occur inside a quotient. */
bool index_nested(const Index *a, int var);

typedef enum InstrKind {
    I_op,     /* op_table[op]->lower(node, arg…): elementwise, const, dim */
    I_load,   /* buffer[at], or 0 where instruction `pred` is false */
    I_index,  /* the value of `at`, as an integer or real of dtype */
    I_result, /* what reduction number `value` of an earlier stage came to */
} InstrKind;

typedef struct Instr {
    InstrKind kind;
    DType dtype;
    OpId op;
    const Node *node; /* for its attributes and span; may be NULL where the op
                         has none */
    int arg[3], narg; /* instruction numbers, smaller than this one's; of this
                         stage or an earlier one without inner loops */
    bool alone; /* a product that one operation alone uses, in all kernels */
    const Buffer *buffer;
    const Index *at;
    int pred;  /* I_load: instruction number, or -1 */
    int value; /* I_result: number of the reduction in the kernel */
    int level; /* the loop it varies with: 0 outside all loops, d inside loop
                  d - 1; emitted as far out as that */
} Instr;

/* May it report an index. */
static inline bool instr_checks(const Instr *x)
{
    return x->kind == I_op && op_table[x->op]->flags & OP_CHECKS;
}

typedef enum OutputKind {
    OUT_store,  /* buffer[at] = value */
    OUT_add,    /* buffer[at] += value, in the order of the loops; only in
                   kernels without outer loops */
    OUT_reduce, /* joined over all of the stage's own loops */
} OutputKind;

enum { FEW_ADDS = 16 };

typedef struct Output {
    OutputKind kind;
    int value; /* instruction number */
    const Buffer *buffer;
    /* OUT_add: room for the rounding errors of each element of buffer, used
     * where there are more than FEW_ADDS values an element; NULL: there never
     * are. At most one in a stage. */
    const Buffer *low;
    const Index *at;
    int pred;  /* store or add only where this is true; or -1 */
    OpId op;   /* OUT_reduce: one that has a join */
    int index; /* of a reduction to a place: the instruction that holds it; or
                  -1 */
} Output;

/* Inside the outer loops: inner loops (none: straight-line code, evaluated
 * once for each outer iteration), what is computed at each point, what becomes
 * of it. */
typedef struct Stage {
    int rank;
    const Dim **extent;
    bool lanes;        /* the last inner loop's iterations are SIMD lanes */
    int first, ninstr; /* instructions first … first+ninstr-1 of the kernel */
    Output *output;
    int noutput;
    int reduction; /* number of its first OUT_reduce; they count up */
} Stage;

extern int64_t piece_work; /* WORK_PIECE, or less in tests */

/* A product of matrices is a nest of loops over batches, rows and columns. Its
 * first stage adds up a · b over the terms, its second one stores that. There
 * are m rows, n columns, of one loop, and k terms in all. Loops alone decide
 * places, and columns of `out` are contiguous. */
typedef struct Contract {
    const Instr *a, *b; /* of the nest */
    const Output *out;
    const Dim *m, *n, *k;
    int nbatch, nrows, ndepth;
    /* Rows and terms may be several loops that are not one in the factors, as
     * those of windows of an image; in out rows are. b's columns are contiguous
     * then. */
    bool windows;
    /* Room for blocks of the factors in packed panels: of k by LONG_ROWS rows
     * of a, and by columns of b, n of them rounded up to 64; at most K_BLOCK by
     * that, or by PACK_COLUMNS. NULL where it is read as it is. */
    const Buffer *pack_a, *pack;
    /* Where k is long, sums of LONG_K products each are added up with their
     * rounding errors: room for both, LONG_ROWS rows (m, if that is known to
     * be less) of n each. NULL: it never is. */
    const Buffer *totals;
    /* There is room of all these kinds for so many pieces, if only for 64
     * columns of b each. 0: none is needed. */
    int rooms;
    bool flat; /* the epilogue's loop after those of batches is m times n */
} Contract;
/* The innermost of a product's loops of each kind. */
static inline int loop_m(const Contract *c) { return c->nbatch + c->nrows - 1; }
static inline int loop_n(const Contract *c) { return c->nbatch + c->nrows; }
static inline int loop_k(const Contract *c) { return loop_n(c) + c->ndepth; }

/* The places of the first `count` elements in the order of each of `rows` rows
 * of n: those of in[row, …] into out[row, …], as i32. */
typedef struct Sort {
    const Buffer *in, *out;
    const Buffer *work; /* of sort_work's size; NULL: count is at most
                           SORT_SHORT */
    const Dim *rows, *n, *count;
    bool descending;
} Sort;
/* Up to so many places are kept in order while the row is read once; more are
 * sorted by the digits, of SORT_DIGIT bits, of keys as wide as the elements (32
 * bits at least). */
enum { SORT_SHORT = 64, SORT_DIGIT = 8 };
int sort_key_bytes(DType t);

/* The routine of `op` on matrices, the last two axes of its arguments, which
 * have size[2i] rows and size[2i+1] columns; `rows` times. */
enum { ROUTINE_INPUTS = 2 };
typedef struct RoutineCall {
    OpId op;
    int how; /* attr.integer */
    const Buffer *in[ROUTINE_INPUTS], *out;
    const Buffer *work; /* or NULL */
    const Dim *rows, *size[2 * ROUTINE_INPUTS], *out_size;
    int nin;
} RoutineCall;

typedef enum KernelKind {
    KERNEL_map,
    KERNEL_contract,
    KERNEL_sort,
    KERNEL_routine,
    KERNEL_loop,
} KernelKind;

typedef struct Schedule Schedule;

typedef struct LoopCarry {
    /* Holds the initial value, which kernels before the loop have put there,
     * and after it the final one. */
    const Buffer *buffer;
    /* NULL: a step overwrites the buffer. Else a step reads one of these two
     * and writes the other, by turns. */
    const Buffer *other;
} LoopCarry;

/* trips steps, each a run of `body`. Leaves of body and check, parameters
 * first: the number t of the step, carries, inputs, captures. Body's results:
 * each carry's next value, outputs; check's: a bool. What the body needs of the
 * workspace is a buffer of the schedule that the loop is in. */
typedef struct LoopKernel {
    Schedule *body;
    Schedule *check; /* before each step: true ends the loop; or NULL */
    const Dim *trips;
    bool reverse; /* from trips - 1 down to 0 */
    const Buffer
        *count; /* i64: the steps are 0 … count - 1 of these; or NULL */
    LoopCarry *carry;
    const Buffer **input, **capture, **output;
    int ncarry, ninput, ncapture, noutput;
    /* Elements of an input or output that belong to one step; those of outputs
     * for which there was no step become 0. */
    const Dim **input_row, **output_row;
    const Buffer *steps;             /* i64: how many were made; or NULL */
    const Buffer *work, *check_work; /* or NULL: none needed */
} LoopKernel;

enum { FEW_ROWS = 12 };

/* What is chosen of a nest while its kernel is made, the same for all machines
 * (choose/nest.h). */
typedef enum Choice {
    CHOICE_none, /* there is none */
    CHOICE_no,
    CHOICE_yes
} Choice;
typedef struct NestForm {
    const char *nest; /* its name in the module, "f 3 step 1"; or NULL */
    Choice unroll;    /* short loops are straight-line code */
    Choice join;      /* loops that each access counts through as one are one */
} NestForm;

typedef struct Kernel Kernel;
struct Kernel {
    KernelKind kind;
    Span span;
    /* Run only where all these hold (branches of `if`): bool scalars. */
    const Buffer *guard[MAX_RANK];
    bool when[MAX_RANK];
    int nguard;

    /* KERNEL_map, KERNEL_contract */
    int rank;
    const Dim **extent; /* outer loops */
    bool lanes;         /* the last outer loop's iterations are SIMD lanes;
                           then no stage has lanes of its own */
    Instr *instr;
    int ninstr;
    Stage *stage;
    int nstage;
    /* The same as another nest, on some of the same buffers: it may be run
     * instead where the last outer loop has fewer than FEW_ROWS iterations, and
     * fewer than there are lanes. Or NULL. */
    Kernel *few;
    NestForm form;
    /* The first loop of a map, the first of batches or rows of the others may
     * be run in pieces, at once and in any order. */
    bool parallel;

    /* KERNEL_contract. `epilogue`, if any, is a map kernel whose first loops
     * are exactly the batch loops and m, or m times n: it is run on each block
     * of rows as soon as the block is complete (bias, activation, row sums …).
     */
    Contract *contract;
    Kernel *epilogue;

    Sort *sort;           /* KERNEL_sort */
    RoutineCall *routine; /* KERNEL_routine */
    LoopKernel *loop;     /* KERNEL_loop */
};

struct Schedule {
    const Function *function; /* a loop's body: of its parameters and results */
    LIST(Buffer *) buffer;
    LIST(Kernel *) kernel; /* in the order of execution */
    int ninvariant; /* a loop's body or check: as many of them, the first, are
                  the same in all steps, and run before these */
    const Dim *workspace; /* bytes, alignment 64; 0: none needed */
};

/* Dies where a contract of this file is broken. */
void schedule_verify(const Schedule *s);
/* --dump=kernels: buffers with offsets, each kernel as loops with one line an
 * instruction. */
void schedule_dump(const Schedule *s, FILE *to);
/* One of its kernels, without the buffers. */
void kernel_dump(const Kernel *k, Str *to);
/* A kernel with buffers and dimension variables numbered in the order they
 * appear: equal texts (of bytes of any value) are the same machine code. Their
 * lists are returned too. What it is guarded by is asked before it is called.
 */
typedef struct KernelKey {
    const char *text;
    size_t ntext;
    const Buffer **buffer;
    int nbuffer;
    const Dim **var;
    int nvar;
} KernelKey;
KernelKey kernel_key(Arena *a, Graph *g, const Kernel *k);

/* nest.c: the loops of a stage are numbered after the outer ones. */
const Dim *loop_extent(const Kernel *k, const Stage *s, int v);
/* The loop whose iterations are lanes, or -1. */
int lane_loop(const Kernel *k, const Stage *s);
/* Of all its loops. */
const Dim *stage_steps(Graph *g, const Kernel *k, const Stage *s);
/* Machine instructions that one of ours comes to, at a guess. */
int instr_weight(const Instr *x);
/* A map's machine instructions, about. */
int64_t kernel_weight(const Kernel *k);
typedef enum Stride {
    STRIDE_none,
    STRIDE_somewhere, /* where data say, and one after another from there */
    STRIDE_one,
    STRIDE_near, /* in the same or the next line */
    STRIDE_far,
} Stride;
/* How far apart are the elements that x goes to along loop v. */
Stride stride_along(const Index *x, int v);

/* work.c: what a kernel that is no loop takes, in instructions: a sum of
 * numbers times sizes, times the sizes of what is around all of them. */
typedef struct Extents {
    int n;
    const Dim *const *size;
} Extents;
typedef struct WorkTerm {
    int64_t weight;
    Extents times;
} WorkTerm;
typedef struct KernelWork {
    int n;
    WorkTerm *term;
    Extents times;
    int per; /* so many of them are one instruction */
} KernelWork;
KernelWork kernel_work(Arena *a, const Kernel *k);

/* ragged.c: the instruction k < bound, k being the index of the stage's last
 * loop, without which nothing happens in it; or -1. */
int ragged_condition(const Kernel *k, const Stage *s);

/* buffers.c: f for each buffer that k uses but for its guards, as often as it
 * does, in the order of use. */
typedef void EachBuffer(void *u, const Buffer **b, bool written);
void kernel_buffers(Kernel *k, EachBuffer *f, void *u);
/* The same with k's guards before. */
void each_buffer(Kernel *k, EachBuffer *f, void *u);
/* Is what b holds a product of numbers. */
bool buffer_has_product(const Buffer *b);
/* Is a product that is stored in b read from there by others: b holds it whole,
 * or what the next step begins with. */
bool buffer_shares_product(const Buffer *b);

#endif
