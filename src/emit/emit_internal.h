/* emit_internal.h: what the files of this room share.
 *
 * An Emit is one LLVM module being built for one machine. emit.c makes and
 * frees it; function.c fills it, one schedule after another, with kernels from
 * map.c and contract.c; module.c adds what C sees. */
#ifndef NNCC_EMIT_INTERNAL_H
#define NNCC_EMIT_INTERNAL_H

#include "choose/choose.h"
#include "emit/emit.h"
#include "lower/lower.h"
#include "target/machine.h"

typedef struct Units Units;
typedef struct Sharing Sharing;
typedef struct Debug Debug;

typedef struct Routines Routines;

typedef struct Emit Emit;

/* A function that several kernels call, made where it is asked for: share.c. */
typedef LLVMTypeRef HelperType(Emit *e, const void *of);
typedef struct Helper {
    const char *name; /* of no other one */
    HelperType *type;
    void (*build)(Emit *e, const void *of, LLVMValueRef fn);
    const void *of; /* what the two are told */
    int weight, share;
} Helper;
typedef LIST(Helper) Helpers;

struct Emit {
    Arena *arena;
    Machine machine;
    Graph *graph;
    Intern *names;

    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMTypeRef i1, i8, i32, i64, f32, f64, ptr, none;
    const char *problem; /* the first error that LLVM reported, or NULL */

    LLVMValueRef before; /* where the builder stands; NULL: a block's end */
    Map made;            /* constant data: LLVMValueRef, by its text */

    Routines *routines;     /* NULL: none was asked for */
    const Units *units;     /* of the module */
    LLVMValueRef *kernel;   /* by unit: its function, or a declaration */
    const Sharing *sharing; /* what of the module is built here; NULL: all */
    const char *level;      /* whose functions in the store it calls; or NULL */
    Helpers *listed;        /* where functions are listed that are made, to make
                               each apart later; or NULL */
    bool times;             /* kernels are timed */
    Chooser chooser;
    const char *asked; /* settings, as text; or NULL */
    Debug *debug;      /* NULL: nobody asked for lines */
};

/* emit.c */

/* An empty LLVM module for m and o's machine. False with *error set (in a)
 * where the CPU or target is unknown; then nothing is to be closed. */
bool emit_open(Emit *e, Arena *a, const Module *m, const TargetOptions *o,
               const char **error);
void emit_close(Emit *e);
/* After the last function: the bytes of an object or assembly file, in e's
 * arena, made by LLVM or found in the cache. The module, which until then is as
 * it came from us, is verified (dies on our own mistakes) and changed if they
 * are made. split: functions and constants have sections of their own. */
bool emit_bytes(Emit *e, LLVMCodeGenFileType kind, bool split, char **bytes,
                size_t *n, const char **error);

/* debug.c: lines of the model in the code. Where nobody asked for them none of
 * these does anything. */

/* Paths of sources are relative to the folder; NULL: nobody asks. */
void debug_open(Emit *e, const Diags *sources, const char *folder);
void debug_close(Emit *e);
/* What is built from here on comes from instruction i of k. */
void debug_instr(Emit *e, const Kernel *k, int i);
/* fn has lines; a debugger calls it `name`. What is built from here on comes
 * from there. */
void debug_function(Emit *e, LLVMValueRef fn, const char *name, Span at);
/* After the last function. */
void debug_finish(Emit *e);

/* sizes.c */

/* What a call asks of its dimensions before anything else: dim is 0 … most, and
 * nothing in it divides by 0. After the indices these are its places. */
typedef struct SizeCheck {
    const Dim *dim;
    int64_t most;
    bool divides; /* does that matter */
    Span at;
    const char *what; /* NULL: the dimension itself */
} SizeCheck;
typedef LIST(SizeCheck) SizeChecks;
void size_checks(Emit *e, const Schedule *s, SizeChecks *to);

/* function.c */

/* Three hidden functions for one schedule:
 *   i32  PREFIX__call(ptr leaf, ptr dims, ptr workspace, ptr exec)
 *   i64  PREFIX__workspace(ptr dims)         bytes; 0 for invalid dimensions
 *   void PREFIX__sizes(ptr dims, ptr sizes)
 * leaf: one pointer for every leaf, parameters first, those of results in
 * place ignored; dims: i64 in the order of function->var; sizes and all else
 * as nn_abi.h's nn_function says. Found again by LLVMGetNamedFunction. */
void emit_function(Emit *e, const Schedule *s, const char *prefix);

/* kernel.c */

/* The machine code of a kernel, of kernel_type. Only declared where another
 * part has it. */
LLVMValueRef emit_kernel(Emit *e, const Kernel *k);
/* The constant tensor of a BUF_DATA, shared by content. */
LLVMValueRef emit_data(Emit *e, const Buffer *b);

/* unit.c: the kernels of a module, those that loops call too. */

/* A kernel and all that are equal to it: one function. */
typedef struct Unit {
    const Kernel *kernel;
    int number;
    int weight;      /* about how much code it is */
    uint64_t costly; /* bits of the costly operators in it */
    bool often;      /* a loop calls it */
} Unit;
/* One of those. */
typedef struct Use {
    const Kernel *kernel;
    KernelKey key; /* its own buffers and variables; no text */
    int unit;
} Use;
const Use *unit_use(const Emit *e, const Kernel *k);
int units_count(const Units *u);
const Unit *units_at(const Units *u, int i);

/* code.c: where the builder is; moving it before an instruction, and back. */
typedef struct Place {
    LLVMBasicBlockRef block;
    LLVMValueRef before;
    LLVMMetadataRef from;
} Place;
Place code_place(Emit *e);
Place code_go(Emit *e, LLVMValueRef before);
Place code_begin(Emit *e, LLVMValueRef fn); /* in its first block, a new one */
void code_back(Emit *e, Place p);

/* share.c: which part of a module has which function. */

/* Adds it if there is none of this name yet, and says if so. */
bool helper_add(Emit *e, Helpers *h, Helper helper);
/* Its function, made in this part, in another one, or prebuilt; one that is not
 * in the list of helpers each part has for itself. */
LLVMValueRef helper_function(Emit *e, Helper h);
bool share_has_unit(const Emit *e, int unit);
/* The function of a unit, of that name; *build where its code is to be made,
 * here and now. */
LLVMValueRef share_unit(Emit *e, const char *name, int unit, LLVMTypeRef type,
                        bool *build);
/* The same of what follows on the rows of its product. */
LLVMValueRef share_epilogue(Emit *e, const char *name, int unit,
                            LLVMTypeRef type, bool *build);

/* dimcode.c: dimensions as i64 code */

typedef struct DimEnv {
    const Dim *const *var;
    LLVMValueRef *value; /* i64, of each var */
    int n;
    LLVMValueRef before; /* instruction that dimension code goes before, each
                            dimension once; NULL: at the builder's place */
    Map memo;            /* DimMemo, by its dimension */
    Map step;            /* DimStep: what is computed once for all dimensions */
    Place at;            /* where those are */
} DimEnv;
/* A division by zero gives 0. */
LLVMValueRef dim_code(Emit *e, DimEnv *env, const Dim *d);
/* The one variable that d grows with, which keeps d within `most` up to *limit
 * (at most 2^31 - 1; -1: never); NULL where d is not of that kind. */
const Dim *dim_most(Arena *a, const Dim *d, int64_t most, int64_t *limit);
/* At the builder's place, an i1: d is above `most` or, where `negative` asks
 * for that, below 0, or something in d overflows; if no variable is above
 * INT32_MAX, of which nothing is said. */
LLVMValueRef dim_code_exceeds(Emit *e, DimEnv *env, const Dim *d, int64_t most,
                              bool negative);
bool has_wide_sizes(const Emit *e); /* size_t has 64 bits */
/* At the builder's place, an i1: some divisor in d is zero; NULL where d
 * divides by constants alone. */
LLVMValueRef dim_code_zero(Emit *e, DimEnv *env, const Dim *d);
/* Loads var[i] from dims[i], at the builder's place. */
DimEnv dim_env(Emit *e, const Dim *const *var, int n, LLVMValueRef dims);
/* Of dimensions that were found valid before. */
DimEnv dim_env_checked(Emit *e, const Dim *const *var, int n,
                       LLVMValueRef dims);
/* How far a kernel's first outer loop goes, for its last argument. */
LLVMValueRef kernel_range(Emit *e, DimEnv *dims, const Kernel *k);

/* check.c: indices that are checked. Each check has a number among those of its
 * kernel, and so among those of a schedule; a kernel's status has it, from bit
 * 8 on, plus 1. Behind the dimensions that a kernel is called with there is
 * room for what it tells of the check: CHECK_ROOM i64s, the index and the
 * limit. */

typedef LIST(const Node *) CheckList;
enum { CHECK_ROOM = 2 };
/* The checks of all kernels of a schedule, in their order; of one, how many. */
void schedule_checks(Arena *a, const Schedule *s, CheckList *to);
int kernel_ncheck(const Kernel *k);

typedef struct CheckSlot {
    int number;
    LLVMTypeRef type;
    LLVMValueRef at, value; /* in memory or not */
    LLVMValueRef bad;       /* where not: an i1, the check fails */
    LLVMValueRef limit;
    LLVMValueRef asked; /* or NULL: an i1, it may fail */
} CheckSlot;
/* Of a kernel that is being built. */
typedef struct Checks {
    LLVMValueRef init; /* slots are cleared before this instruction */
    LIST(CheckSlot) slot;
    int nvar; /* of the kernel's function: see check_tell */
} Checks;
typedef struct Failure {
    LLVMValueRef status; /* NULL: nothing is checked */
    LLVMValueRef index, limit;
} Failure;
/* Of all checks, at the builder's place: the kernel's end. */
Failure checks_finish(Emit *e, const Checks *c);
/* As lower.def says. */
Val *llvm_checked(Lower *l, const Node *n, Val *x);
Val *llvm_stop(Lower *l, Val *bad, Val *which);
/* A status of a check, with `first` checks before those of its kernel. */
LLVMValueRef check_shifted(Emit *e, LLVMValueRef status, int first);
/* Of two ways that code came. */
Failure failure_phi(Emit *e, Failure a, LLVMBasicBlockRef from_a, Failure b,
                    LLVMBasicBlockRef from_b);
/* Puts them behind the nvar dimensions of a list. */
void check_tell(Emit *e, LLVMValueRef list, int nvar, LLVMValueRef index,
                LLVMValueRef limit);

/* lower.c */

struct Val {
    LLVMValueRef v;
    DType t;
};
/* What elementwise code is being built. */
struct Lower {
    const LowerOps *ops; /* first, see lower.h; llvm_ops */
    Emit *e;
    int width;           /* lanes; 1: scalars */
    LLVMValueRef active; /* mask of the lanes that count, or NULL: all */
    Checks *checks;
    int check; /* number of the one that is built */
    bool once; /* it is computed once in a kernel, and no other place */
    DimEnv *dims;
};
Val *val_new(Emit *e, LLVMValueRef v, DType t);
extern const LowerOps llvm_ops;

/* code.c: pieces of code */

/* In registers (bool: i1) and in memory (bool: i8). */
LLVMTypeRef type_of(Emit *e, DType t);
LLVMTypeRef type_in_memory(Emit *e, DType t);
LLVMTypeRef type_lanes(LLVMTypeRef t, int width); /* t where width is 1 */
int type_width(LLVMTypeRef t);
LLVMValueRef code_i64(Emit *e, int64_t v);
LLVMValueRef code_plus(Emit *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef code_times(Emit *e, LLVMValueRef a, LLVMValueRef b);
/* The largest multiple that is not above n >= 0. */
LLVMValueRef code_down_to(Emit *e, LLVMValueRef n, int multiple);
LLVMValueRef code_splat(Emit *e, LLVMValueRef v, int width);
/* 0, 1, … width-1 of integer type t. */
LLVMValueRef code_iota(Emit *e, LLVMTypeRef t, int width);
/* i1s: which lanes are among the first n, an i64. */
LLVMValueRef code_first_lanes(Emit *e, int width, LLVMValueRef n);
/* Lanes first … first+width-1. */
LLVMValueRef code_lanes(Emit *e, LLVMValueRef v, int first, int width);
/* Of reals: halves are added until there is one lane. */
LLVMValueRef code_sum_lanes(Emit *e, LLVMValueRef v);
/* Lanes from[0 … n-1] of a and, behind them, b, which may be NULL; -1: any. */
LLVMValueRef code_shuffle(Emit *e, LLVMValueRef a, LLVMValueRef b,
                          const int *from, int n);
/* The lanes of a, then those of b. */
LLVMValueRef code_both(Emit *e, LLVMValueRef a, LLVMValueRef b);
/* Calls an overloaded intrinsic: "llvm.fma" over types[]. */
LLVMValueRef code_intrinsic(Emit *e, const char *name, LLVMTypeRef *type,
                            int ntype, LLVMValueRef *arg, int narg);
/* Is a*b + c one instruction, of f32 or, wide, of f64? */
bool has_fma(const Emit *e, bool wide);
/* Elements of so many bytes in a vector; 1 where there are no vectors. */
int lanes_of_bytes(const Emit *e, int size);
/* Can what is left after full vectors of a product be one that is masked? */
bool has_masks(const Emit *e);
/* a*b + c: fused where the machine can, two roundings elsewhere. */
LLVMValueRef code_muladd(Emit *e, LLVMValueRef a, LLVMValueRef b,
                         LLVMValueRef c);
/* Addresses of elements of `type`: base + index; a vector of them where index
 * is a vector. */
LLVMValueRef code_at(Emit *e, LLVMTypeRef type, LLVMValueRef base,
                     LLVMValueRef index);
LLVMValueRef code_load(Emit *e, LLVMTypeRef type, LLVMValueRef at, int align);
void code_store(Emit *e, LLVMValueRef v, LLVMValueRef at, int align);
/* Volatile, for long lists of arguments: LLVM takes quadratic time to look for
 * a better order of thousands of stores. */
void code_store_in_order(Emit *e, LLVMValueRef v, LLVMValueRef at);
LLVMValueRef code_masked_load(Emit *e, LLVMTypeRef type, LLVMValueRef at,
                              int align, LLVMValueRef mask);
void code_masked_store(Emit *e, LLVMValueRef value, LLVMValueRef at, int align,
                       LLVMValueRef mask);
/* mask NULL: all lanes. Lanes not loaded are 0. */
LLVMValueRef code_gather(Emit *e, LLVMTypeRef type, LLVMValueRef at, int align,
                         LLVMValueRef mask);
void code_scatter(Emit *e, LLVMValueRef value, LLVMValueRef at, int align,
                  LLVMValueRef mask);
/* a where the code came from block `from_a`, else b. */
LLVMValueRef code_phi(Emit *e, LLVMValueRef a, LLVMBasicBlockRef from_a,
                      LLVMValueRef b, LLVMBasicBlockRef from_b);
/* A stack slot in the entry block. */
LLVMValueRef code_slot(Emit *e, LLVMTypeRef type, int align);
LLVMValueRef code_function(Emit *e, const char *name, LLVMTypeRef type);
LLVMValueRef code_call(Emit *e, LLVMValueRef fn, LLVMValueRef *arg, int narg);
/* mark.c: an attribute of LLVM's; what is "hot" is worth the compiler's time.
 */
void mark_enum(Emit *e, LLVMValueRef f, const char *name);
/* The addresses of a key's buffers, by Buffer.id, from a kernel's first
 * argument. */
LLVMValueRef *code_buffers(Emit *e, const KernelKey *key, LLVMValueRef bufs);
/* Of more than these each is loaded where it is used, by its number. */
enum { MANY_BUFFERS = 32 };
int *buffer_numbers(Arena *a, const KernelKey *key);
LLVMValueRef code_buffer(Emit *e, LLVMValueRef bufs, int number);
LLVMBasicBlockRef code_block(Emit *e, const char *name);
LLVMValueRef code_here(Emit *e); /* the function being built */

/* It is known that first <= load < last, an i64; INT64_MIN is above all. */
void code_in_range(Emit *e, LLVMValueRef load, int64_t first, int64_t last);
LLVMValueRef code_smaller(Emit *e, LLVMValueRef a, LLVMValueRef b); /* i64 */
/* max(n, least) */
LLVMValueRef code_at_least(Emit *e, LLVMValueRef n, int64_t least);
/* The way to `which` of a conditional branch is hardly ever taken. */
void code_seldom(Emit *e, LLVMValueRef branch, int which);

/* A counted loop: i from first while i < last, by step. */
typedef struct Loop {
    LLVMBasicBlockRef before, body, after;
    LLVMValueRef enter; /* terminator of `before`: code for outside of the loop
                           may be put before it */
    LLVMValueRef first, last, step, i;
    bool runs, once; /* as is known: at all; and that but once */
    int n;           /* values carried around */
    LLVMValueRef *start, *phi;
} Loop;
/* After it the builder is in the body and phi[i] are the n carried values,
 * which start as start[i]. */
Loop loop_begin(Emit *e, LLVMValueRef first, LLVMValueRef last,
                LLVMValueRef step, int n, LLVMValueRef const *start);
/* Closes the body, phi[i] becoming next[i]. After it next[i] is the value after
 * the loop, also of a loop that did not run. */
void loop_end(Emit *e, Loop *l, LLVMValueRef *next);

/* map.c: the loops of a map kernel */

enum { SPARE = 512 };

/* What was put away of a sum: low is the rounding error of high. */
typedef struct Total {
    LLVMValueRef high, low;
} Total;

/* A map kernel while it is built. */
typedef struct MapCode {
    Emit *e;
    const Kernel *k;
    LLVMValueRef *buffer; /* address of each, by Buffer.id; or NULL: loaded at
                             each use, as too many would be alive at once */
    int *number;          /* of each in the key, by Buffer.id */
    int nbuffer;          /* in the key */
    LLVMValueRef *in_register; /* by Buffer.id: the one element, as in memory,
                                  of those that are not there; or NULL */
    DimEnv dims;
    Lower lower;
    LLVMValueRef spare;  /* SPARE bytes of zeros: what an access goes to that
                            must not be done */
    LLVMValueRef rows;   /* room for the rows of a vector that is not full */
    LLVMValueRef lo, hi; /* of the first loop that is not fixed; NULL: all */
    bool even_lo;        /* lo is a multiple of PIECE_LANES */
    int nfixed;
    const MapSchedule *plan;
    const StageSchedule *st; /* of the stage that is being built; outside of all
                                stages nothing varies */
    int lanes;               /* of a full vector there */
    Sums sums;               /* as it adds up now */
    LLVMValueRef keeps; /* i1: the rounding errors of what this stage adds to
                           memory are kept; NULL: never */

    LLVMValueRef var[2 * MAX_RANK];   /* of each open loop; lane 0's */
    LLVMValueRef enter[2 * MAX_RANK]; /* code outside loop d goes before it */
    int depth;                        /* open loops */
    int width;                        /* lanes now */
    LLVMValueRef active;              /* those that count; NULL: all */
    LLVMValueRef left;                /* an i64: those are the first so many */
    bool may_be_full;                 /* or all */
    LLVMValueRef one_lane; /* of the accumulators, in a scalar tail: the one
                              that the value belongs to; or NULL */

    Checks checks;
    int *check;   /* of each instruction that is one: its number */
    int *product; /* of sums: 1 + the argument that is a product, done at once
                     with the sum; or 0 */
    bool *taken;  /* of such products */
    bool *ready;  /* of a load: its value is there already */
    const Stage *stage; /* that is being built */
    Val **val;          /* its value now; scalar unless it varies */
    Val **result;       /* of each reduction that is complete */
} MapCode;

/* The body of a map kernel's function i32 (ptr buffers, ptr dims, …), whose
 * entry block the builder stands in; it returns. */
void emit_map(Emit *e, const Kernel *k, const KernelKey *key);
/* Of a part of it, i32 (ptr buffers, ptr dims, i64 lo, i64 hi, ptr fixed): the
 * first `nfixed` loop variables are i64s there, and lo … hi is for the loop
 * after them. */
void emit_map_rows(Emit *e, const Kernel *k, const KernelKey *key, int nfixed);
/* A map kernel amid other code. Buffers are by Buffer.id. */
typedef struct MapPlace {
    LLVMValueRef *address;
    LLVMValueRef *in_register; /* NULL: is in memory. Stored to only where the
                                  kernel has no loops, without a predicate */
    int nbuffer;
    DimEnv *dims;
} MapPlace;
/* At the builder's place, which is after the code then. */
Failure emit_map_here(Emit *e, const Kernel *k, const MapPlace *p);
/* v in the present width, or another; all lanes alike where it is a scalar. */
Val *map_widen(MapCode *m, Val *v);
Val *map_widen_to(MapCode *m, Val *v, int width);

/* elementwise.c: instruction i, an operator; where another one's value comes
 * with it, that one is ready too. */
Val *map_op(MapCode *m, int i);

/* map_code.c */

MapCode map_code(Emit *e, const MapSchedule *plan);
/* Goes to where there are few iterations, or to the block that it gives; the
 * builder is in the first. */
LLVMBasicBlockRef few_fork(const MapCode *m, DimEnv *dims);
/* Of that nest; its checks are numbered after the kernel's own. */
MapCode few_code(const MapCode *m);

/* ragged.c */

/* Inside of the loops before it: where the stage's last one ends, n being its
 * extent; of several lanes the last. */
LLVMValueRef ragged_end(MapCode *m, LLVMValueRef n);
/* Is instruction i the condition that it ends by, and true in all that is done.
 */
bool ragged_holds(const MapCode *m, int i);

/* lanes.c */

/* A loop of the kernel's: carried[i] are the n values that go around. */
Loop map_loop_begin(MapCode *m, LLVMValueRef first, LLVMValueRef last, int step,
                    int n, LLVMValueRef *carried);
void map_loop_end(MapCode *m, Loop *l, LLVMValueRef *carried);
/* What is inside a loop of lanes: built for full vectors, then for the rest. */
typedef struct Inside {
    void (*build)(MapCode *m, const Stage *s, LLVMValueRef *acc, int rank);
    const Stage *stage;
    LLVMValueRef *acc; /* accumulators: m->sums.sets times nacc */
    int nacc;
    int rank;
    bool aligned; /* it begins at a multiple of the lanes, and not behind its
                     end */
    bool even;    /* nothing is left over after full vectors */
} Inside;
/* first … last by steps of `width`, which are lanes. */
void map_lane_loop(MapCode *m, LLVMValueRef first, LLVMValueRef last, int width,
                   bool masked, const Inside *in);
/* Those of first … last that fill plan->together full vectors, so many at a
 * time; gives where they end. */
LLVMValueRef map_lanes_together(MapCode *m, LLVMValueRef first,
                                LLVMValueRef last, const Inside *in);
/* first … last in full vectors, then what is left: at most one masked vector,
 * or one by one. */
void map_lane_loops(MapCode *m, LLVMValueRef first, LLVMValueRef last,
                    const Inside *in);

/* muladd.c: after the levels are known. Where there is an instruction for it.
 */
void muladd_find(MapCode *m);
Val *muladd_code(MapCode *m, int i); /* of a sum with m->product */
/* Adds the product `value`, which is taken. */
LLVMValueRef muladd_sum(MapCode *m, int value, int width, LLVMValueRef sum);

/* access.c: indices, loads, stores */

Val *map_load(MapCode *m, const Instr *i);
Val *map_index(MapCode *m, const Instr *i);
void map_store(MapCode *m, const Output *o);
void map_add(MapCode *m, const Output *o);
/* Before the loops of a stage: whether map_add keeps the rounding errors, which
 * are cleared. */
void map_keep_errors(MapCode *m, const Stage *s);

/* lane 0's */
LLVMValueRef index_first(MapCode *m, const Index *ix);

/* strided.c */

/* Loads at a small distance from lane to lane, by instruction `leader` and all
 * later ones of the stage that read the same rows, which are ready then; false:
 * it is no such load. */
bool strided_load(MapCode *m, int leader);
/* Stores likewise, once the last of those to the same rows may be done. */
bool strided_store(MapCode *m, const Output *o);

/* reduce.c: accumulators */

/* Its accumulators before the first value. */
void reduce_start(MapCode *m, const Output *o, int width, LLVMValueRef *acc);
/* Takes the present value in. */
void reduce_step(MapCode *m, const Output *o, LLVMValueRef *acc);
/* The lanes of acc in one: a fixed tree. */
void reduce_lanes(MapCode *m, const Output *o, int width, LLVMValueRef *acc);
/* b's values come after a's. */
void reduce_join(MapCode *m, const Output *o, int width, LLVMValueRef *a,
                 const LLVMValueRef *b);

/* sums.c */

/* t and v. */
Total total_add(Emit *e, Total t, LLVMValueRef v);
/* acc[sets][nacc] as nacc vectors of all slots; and back. */
LLVMValueRef *sums_together(MapCode *m, const LLVMValueRef *acc, int nacc);
void sums_apart(MapCode *m, LLVMValueRef *wide, int nacc, LLVMValueRef *acc);
/* The next set's turn: it is the first of acc[sets][nacc] now. */
void sums_next(MapCode *m, LLVMValueRef *acc, int nacc);
/* The first slots' turn again, after so many vectors. */
void sums_restart(MapCode *m, LLVMValueRef *acc, int nacc, LLVMValueRef done);
/* Nothing is put away yet. */
void sums_begin(MapCode *m, const Stage *s, LLVMValueRef *kept);
/* What all accumulators of output o, the first of which is acc[0], come to. */
LLVMValueRef *sums_join(MapCode *m, const Output *o, int nacc,
                        const LLVMValueRef *acc);
/* Adds acc[sets][nacc] to the totals behind it: it is those then. */
void sums_put(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc);
/* After n iterations of a loop that is within others: puts away what is in the
 * accumulators if that is a block. */
void sums_cut(MapCode *m, const Stage *s, LLVMValueRef *acc, int nacc,
              LLVMValueRef n);

/* loop.c: a loop kernel: first the kernels that it calls, then the body of its
 * own function, likewise. lo and hi are ignored. */
typedef struct LoopCode LoopCode;
LoopCode *loop_kernels(Emit *e, const LoopKernel *l);
void emit_loop(Emit *e, LoopCode *c, const KernelKey *key);

/* sort.c: likewise for a sort. */
void emit_sort(Emit *e, const Sort *s, const KernelKey *key);

/* routine.c: likewise for a routine; the functions of which the one of that
 * name is made, for reals of type t. */
void emit_routine(Emit *e, const RoutineCall *r, const KernelKey *key);
void routine_helpers(Emit *e, const char *name, DType t, Helpers *h);

/* contract.c: likewise for a contraction kernel. */
void emit_contract(Emit *e, const Kernel *k, const KernelKey *key);
/* What follows on each block of rows, a function of its own. */
LLVMValueRef emit_epilogue(Emit *e, const Kernel *k);
/* The functions that it calls. */
void contract_helpers(Emit *e, const Kernel *k, Helpers *h);

#endif
