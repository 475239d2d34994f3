/* parallel.h: calls of kernels, by the caller's threads if there are any: who
 * makes kernels and who calls them. */
#ifndef NNCC_PARALLEL_H
#define NNCC_PARALLEL_H

#include "emit/emit_internal.h"

/* i32 (ptr buffers, ptr dims, i64 lo, i64 hi, i64 piece), buffers and dims as
 * numbered by its key; lo … hi is the first loop's whole range, piece -1, or a
 * piece of that number. A loop is i32 (ptr buffers, ptr dims, ptr exec). Small
 * code, and that of 32 bits, knows of no pieces: i32 (ptr buffers, ptr dims,
 * i64 hi). */
LLVMTypeRef kernel_type(Emit *e, const Kernel *k);
LLVMValueRef kernel_lo(Emit *e, LLVMValueRef fn);
LLVMValueRef kernel_hi(Emit *e, LLVMValueRef fn);
/* May it be called for a piece? */
bool runs_in_pieces(const Emit *e, const Kernel *k);
typedef struct KernelCall {
    Emit *e;
    const Kernel *k;
    LLVMValueRef fn, bufs, dim_list;
    int nvar;          /* in the list */
    LLVMValueRef exec; /* null where there are no threads; NULL: never */
    DimEnv *dims;
} KernelCall;
/* Its status. */
LLVMValueRef kernel_call(const KernelCall *c);
/* At the builder's place: exec, or null where it has no threads. NULL where
 * none of these kernels can use any. */
LLVMValueRef exec_threads(Emit *e, const Schedule *s, int first, int last,
                          LLVMValueRef exec);
/* What calls in pieces need. */
Helper run_helper(void);

#endif
