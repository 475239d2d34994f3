/* choose.h: how kernels are run on a machine, as data.
 *
 * A kernel says what is computed in which loops. Its schedule says the rest:
 * which loop's iterations are the lanes of vectors, how many of those are made
 * at once, what becomes of what is left over, how far out each instruction is
 * done, how many accumulators a sum has, the tile of a product and what is
 * packed for it, the pieces for threads. It follows from the kernel and from
 * the numbers of hardware.h, so it is the same wherever code for a machine is
 * made. emit/ reads it and chooses nothing. */
#ifndef NNCC_CHOOSE_H
#define NNCC_CHOOSE_H

#include "hardware/hardware.h"
#include "nest/nest.h"

/* ask.c: settings that are asked for in place of those that would be chosen. */

typedef enum SettingKind {
    SET_unroll, /* these of the form that its kernel has */
    SET_join,
    SET_lanes,
    SET_vector,
    SET_together,
    SET_tail,
    SET_few,
    SET_less,
    SET_stream,
    SET_tile,
    SET_pack_a,
    SET_pack_b,
    SET_epilogue,
    NSETTINGS
} SettingKind;
/* What is no number. */
enum {
    ASK_outside = -1,
    ASK_inside = -2,
    ASK_none = -3,
    ASK_scalar = -4,
    ASK_masked = -5,
    ASK_always = -6,
    ASK_never = -7
};
typedef struct Setting {
    int line; /* 0: not asked for */
    int value[3];
} Setting;
/* Of one kernel, as --dump=schedule calls it. */
typedef struct Settings {
    const char *kernel;
    int line;
    Setting set[NSETTINGS];
} Settings;
typedef LIST(Settings) SettingsList;
/* False with *error set, which begins with the number of the line. */
bool asked_read(Arena *a, const char *text, SettingsList *to,
                const char **error);

/* The form that they ask for; false: they do not. */
bool form_asked(const Settings *a, NestForm *form);

/* What a schedule follows from, besides the kernel. */
typedef struct Chooser {
    Arena *arena;
    const Hardware *has;
    Map asked; /* Settings, by kernel */
} Chooser;

/* lanes.c: what differs across the lanes. */

typedef struct Across {
    int lane;           /* the loop whose iterations they are; -1: there are
                           none */
    const bool *varies; /* by instruction; NULL: not asked */
} Across;
bool atom_varies(const Across *x, const Atom *a);
bool index_varies(const Across *x, const Index *ix);
/* Contiguous loads and stores alone: no gather is needed for ix. */
bool index_is_plain(const Across *x, const Index *ix);
/* The distance between lanes, 2 … MOST_STEP, if it is a number and all that
 * differs between them; or 0. */
enum { MOST_STEP = 64 };
int index_step(const Across *x, const Index *ix);
/* The deepest loop + 1 that it depends on, each value being made at its level.
 */
int index_level(const int *level, const Index *ix);
int atom_level(const int *level, const Atom *a);

/* sums.c: how the values of a stage are added up. */

enum {
    SLOT_BYTES = 64,  /* of the slots that sums along lanes have, whatever the
                         vectors: the order is the kernel's */
    WIDE_BYTES = 128, /* where nothing rounds */
    SUM_BLOCK = 16,   /* values added one after another */
    NO_BLOCK = 32     /* so few are not cut into blocks */
};
typedef struct Sums {
    int lanes; /* of an accumulator, where the stage's own loop is lanes */
    int sets;  /* of accumulators, that take turns */
    int wide;  /* lanes of those of a loop before it that does full ones of all
                  sets; 0: there is none */
    bool blocks;
    int cut;             /* the stage's loop that is cut into blocks, */
    int64_t block;       /* of so many iterations, */
    int64_t most;        /* if there are more than so many; */
    int64_t step, inner; /* `step` of which are `inner` values a slot */
    int nkept; /* values that go from block to block behind the accumulators:
                  two for each total; where the loop is within others, how many
                  values are in the present block */
} Sums;
/* How many values output o carries around: 0, 1, or 2 (argmax). */
int reduce_count(const Output *o);
/* Is o a sum that rounds? */
bool sum_rounds(const Kernel *k, const Output *o);

/* map.c */

/* What is left over after full vectors … */
typedef enum Tail {
    TAIL_scalar, /* goes one by one; */
    TAIL_masked, /* is one vector, part of which counts; */
    TAIL_always, /* is not told from them: all are such vectors */
} Tail;

typedef struct StageSchedule {
    Across across;
    bool inside; /* its own last loop is lanes */
    int lanes;   /* of a full vector */
    int slots;   /* of its reductions along lanes */
    int ragged;  /* the condition that ends its last loop; or -1 */
    Sums sums;
} StageSchedule;

typedef struct MapSchedule MapSchedule;
struct MapSchedule {
    const Kernel *kernel;
    int bytes;    /* of a lane: it decides how many a register has */
    bool outside; /* the last outer loop is lanes: else each stage's own */
    int lanes;    /* of a full vector then */
    int together; /* so many of them are made at once while there are as many */
    Tail tail;
    int few;    /* or does what is left go one by one where it is so little */
    int *level; /* of each instruction: how deep it is done */
    StageSchedule *stage;
    const MapSchedule *less; /* of kernel->few, or NULL: it is not asked for */
    int less_rows;           /* fewer than that are done so */
    const char *problem;     /* with what was asked for; NULL: it is legal */
};
/* Where its code is. */
typedef struct MapUse {
    bool step;  /* amid that of a loop */
    int nfixed; /* its first loops are outside of the code */
} MapUse;
const MapSchedule *map_schedule(const Chooser *c, const Kernel *k, MapUse use);

/* product.c: of products a[m,k] · b[k,n]. */

/* What of the result is in registers while k goes on. */
enum { MOST_TILE_ROWS = 8, MOST_TILE_VECTORS = 4 };
typedef struct Tile {
    int rows, vectors; /* of the largest */
    int width;         /* lanes of a vector */
    int panel;         /* columns of b packed together: the widest tile's */
    int passes;        /* over columns: of whole panels; of whole vectors, where
                          parts of them cannot be masked; of what is left */
} Tile;
Tile tile_choose(const Hardware *h, DType t);

/* The innermost kernel of such tiles: so many vectors along n, the last one
 * masked or not; windows: rows of a and elements along k are where tables say.
 */
typedef struct MicroShape {
    int vectors, width;
    bool masked, windows;
    int rows;
} MicroShape;
MicroShape micro_shape(const Tile *t, int vectors, int width, bool masked,
                       bool windows);

/* What goes at the speed of memory, without tiles. */
typedef enum StreamKind {
    STREAM_none,
    STREAM_rows,    /* m and b_n are 1 */
    STREAM_columns, /* m, a_k and b_k are 1 */
    STREAM_outer,   /* k and b_n are 1 */
} StreamKind;

typedef enum PackKind {
    PACK_any,
    PACK_transposed, /* b_k is 1 */
    PACK_straight,   /* b_n is 1 */
} PackKind;
/* A factor is packed where its contiguous parts are so far apart, so many of
 * them are added up, and there are so many rows or columns of the other one. */
typedef struct PackRule {
    PackKind kind;
    bool always, never;
    int stride, depth, others;
} PackRule;

/* Functions for what may be are chosen among when it is run, by the sizes. */
typedef struct ProductSchedule {
    DType t;
    bool loops; /* none of that: it is run as other nests are */
    bool windows;
    Tile tile;
    bool pass[3]; /* which there may be */
    MicroShape shape[3];
    bool pair;      /* what is left may be two vectors: shape[0] of those */
    StreamKind row; /* of one row alone, if there may be; */
    bool only_row;  /* as there is in any case */
    int row_from;   /* if it has so many columns; 0: always */
    bool outer;     /* k may be 1 */
    PackRule a, b;  /* where the kernel has room for that */
    int rows;       /* that the epilogue runs on: so many, and as many times */
    int rows_columns; /* that as n goes into this, if it does */
    const char *problem;
} ProductSchedule;
ProductSchedule product_schedule(const Chooser *c, const Kernel *k);

/* pieces.c: of a kernel's first loop, at once and in any order. */
typedef struct PieceSchedule {
    int most;      /* 1: it is run as a whole */
    int grain;     /* they begin at multiples of that */
    int64_t least; /* instructions that each takes */
} PieceSchedule;
PieceSchedule piece_schedule(const Hardware *h, const Kernel *k);
/* Does code for this machine ask for threads at all? */
bool has_pieces(const Hardware *h);

/* dump.c: --dump=schedule, of one kernel; what is illegal of what was asked for
 * its parts, or NULL. */
const char *schedule_print(const Chooser *c, const Kernel *k, MapUse use,
                           const char *name, Str *to);

#endif
