/* product.h: products of matrices: what their kernels call, and share. */
#ifndef NNCC_PRODUCT_H
#define NNCC_PRODUCT_H

#include "emit/emit_internal.h"

/* The parameters of a product, i32 (…): C[from … to, :] = A[from … to, :] B,
 * and epilogue(bufs, dims, lo, hi, fixed) on each block of rows. Functions and
 * buffers may be null: there is none, or it is not to be used. */
enum {
    ARG_from,
    ARG_to,
    ARG_n,
    ARG_k,
    ARG_a_m,
    ARG_a_k,
    ARG_b_k,
    ARG_b_n,
    ARG_out_m,
    ARG_columns,      /* that there is room for packed */
    ARG_rows,         /* of a block that the epilogue runs on, */
    ARG_unit,         /* which counts so many for each of them */
    ARG_step,         /* columns that the last of micro does at once, */
    ARG_step_vectors, /* and the one before it, of vectors */
    ARG_first_pointer,
    ARG_a = ARG_first_pointer,
    ARG_b,
    ARG_out,
    ARG_a_panels,
    ARG_b_panels,
    ARG_totals,
    ARG_pack_a, /* functions */
    ARG_pack_b,
    ARG_stream, /* instead of all those of tiles */
    ARG_micro,  /* for passes over columns: of whole panels, then of what is
                   left, before which come whole vectors on some machines */
    ARG_last_micro = ARG_micro + 2,
    ARG_epilogue,
    ARG_bufs,
    ARG_dims,
    ARG_fixed,
    NARGS,
    ARG_window = NARGS, /* one more, where windows are multiplied */
    NARGS_WINDOWS
};

/* What is there, in i64s: the loops of a's rows, and of a and b along k, as
 * offsets_helper has them; those of a packed b; room for the offsets. */
enum { LOOPS_rows, LOOPS_a, LOOPS_b, LOOPS_panel, NLOOPS };
enum {
    LOOPS_WORDS = 1 + 2 * MAX_RANK,
    WINDOW_rows = NLOOPS * LOOPS_WORDS,
    WINDOW_a = WINDOW_rows + LONG_ROWS,
    WINDOW_b = WINDOW_a + K_BLOCK,
    WINDOW_WORDS = WINDOW_b + K_BLOCK
};

/* Around these tiles. Of windows: a's rows, and a and b along k, are where
 * tables say. */
Helper product_helper(Emit *e, DType t, const Tile *tile, bool windows);
/* It, and what it calls. */
void product_helpers(Emit *e, DType t, const Tile *tile, bool windows,
                     Helpers *h);
/* Those that routines use, and products unless others are asked for. */
Tile product_tile(const Emit *e, DType t);
LLVMTypeRef epilogue_type(Emit *e);
/* Code for where `when` holds, which the builder is at then; it ends before
 * code_end. */
LLVMBasicBlockRef code_if(Emit *e, LLVMValueRef when);
void code_end(Emit *e, LLVMBasicBlockRef on);
/* *at becomes `status` where that is one of a failure. */
void keep_status(Emit *e, LLVMValueRef status, LLVMValueRef at);

/* micro.c */

/* void (m, k, a, a_i, a_m, a_k, b, b_k, c, c_m, cols, accumulate): C[m, cols]
 * (+)= A B. Strides in elements; a_i is between the first rows of tiles, for
 * each of their rows; cols is read where masked. */
HelperType micro_type;
/* Of windows, void (m, k, a, rows, a_depth, b, b_depth, c, c_m, cols,
 * accumulate): with i64s rows[m], a_depth[k] and b_depth[k]. */
HelperType micro_windows_type;
Helper micro_helper(Emit *e, DType t, MicroShape s);

/* window.c */

/* void (loops, from, count, to): where in a factor its loops are at their
 * numbers from …, as i64s; loops is how many there are, then size and stride of
 * each, the innermost first. */
Helper offsets_helper(void);

/* pack.c */

/* void (k, n, b, b_k, b_n, to): element (p, j) goes to panel j / panel. */
HelperType pack_type;
Helper pack_helper(Emit *e, DType t, PackKind kind, int panel);

/* stream.c */

/* void (m, n, k, a, a_m, a_k, b, b_k, b_n, c, c_m): C = A B. */
HelperType stream_type;
Helper stream_helper(Emit *e, DType t, StreamKind kind);

#endif
