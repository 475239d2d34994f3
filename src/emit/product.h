/* product.h: what contract.c's kernels and the product that they call share. */
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
 * offsets_type has them; those of a packed b; room for the offsets. */
enum { LOOPS_rows, LOOPS_a, LOOPS_b, LOOPS_panel, NLOOPS };
enum {
    LOOPS_WORDS = 1 + 2 * MAX_RANK,
    WINDOW_rows = NLOOPS * LOOPS_WORDS,
    WINDOW_a = WINDOW_rows + LONG_ROWS,
    WINDOW_b = WINDOW_a + K_BLOCK,
    WINDOW_WORDS = WINDOW_b + K_BLOCK
};

/* Of windows: a's rows, and a and b along k, are where tables say. */
LLVMValueRef emit_product(Emit *e, DType t, bool windows);
void product_helper(Emit *e, DType t, bool windows, Helpers *h);
/* So many of ARG_micro are used. */
int product_passes(const Emit *e);
/* Columns of a panel of B. */
int product_panel(const Emit *e, DType t);
LLVMTypeRef epilogue_type(Emit *e);
/* *at becomes `status` where that is one of a failure. */
void keep_status(Emit *e, LLVMValueRef status, LLVMValueRef at);

#endif
