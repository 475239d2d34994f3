/* lower.h: the machine instructions an elementwise operator is lowered to.
 *
 * A row's `lower` builds its value from these; it does not know whether one
 * element or a vector of them is computed. Implemented by emit/, so that rows
 * need not know LLVM. A Val is valid while its kernel is built. */
#ifndef NNCC_LOWER_H
#define NNCC_LOWER_H

#include "graph/op.h"

typedef enum Cmp { CMP_eq, CMP_ne, CMP_lt, CMP_le, CMP_gt, CMP_ge } Cmp;

/* The dtype a value has while computing: bool is a mask, u8 i32 i64 f32 f64
 * as they are, key as i64. */
DType low_dtype(Lower *l, Val *v);

/* Constants, splat to the width of the code being built. */
Val *low_real(Lower *l, DType t, double v);
Val *low_int(Lower *l, DType t, int64_t v);
Val *low_bool(Lower *l, bool v);
/* The exact bits of an f32 or f64 constant. */
Val *low_real_bits(Lower *l, DType t, uint64_t bits);

/* Has the machine f64? Else f32's functions do with f32 alone. */
bool low_has_f64(Lower *l);

/* Reals. Comparisons are ordered but for CMP_ne, as in C. */
Val *low_fadd(Lower *l, Val *a, Val *b);
Val *low_fsub(Lower *l, Val *a, Val *b);
Val *low_fmul(Lower *l, Val *a, Val *b);
Val *low_fdiv(Lower *l, Val *a, Val *b);
Val *low_fneg(Lower *l, Val *a);
Val *low_fma(Lower *l, Val *a, Val *b, Val *c); /* a*b + c, one rounding */
/* a*b + c with one rounding or two, whichever is quick. */
Val *low_muladd(Lower *l, Val *a, Val *b, Val *c);
Val *low_fsqrt(Lower *l, Val *a);
Val *low_fabs(Lower *l, Val *a);
Val *low_fcopysign(Lower *l, Val *magnitude, Val *sign);
Val *low_ffloor(Lower *l, Val *a);
Val *low_fceil(Lower *l, Val *a);
Val *low_frint(Lower *l, Val *a); /* to nearest, ties to even */
Val *low_ftrunc(Lower *l, Val *a);
Val *low_fcmp(Lower *l, Cmp c, Val *a, Val *b);
Val *low_fisnan(Lower *l, Val *a);

/* Integers, wrapping. idiv and imod round down (a zero divisor gives 0). */
Val *low_iadd(Lower *l, Val *a, Val *b);
Val *low_isub(Lower *l, Val *a, Val *b);
Val *low_imul(Lower *l, Val *a, Val *b);
Val *low_idiv(Lower *l, Val *a, Val *b);
Val *low_imod(Lower *l, Val *a, Val *b);
Val *low_iand(Lower *l, Val *a, Val *b);
Val *low_ior(Lower *l, Val *a, Val *b);
Val *low_ixor(Lower *l, Val *a, Val *b);
Val *low_ishl(Lower *l, Val *a, int bits);
Val *low_ishr(Lower *l, Val *a, int bits); /* logical */
Val *low_isar(Lower *l, Val *a, int bits); /* arithmetic */
/* By as many bits as `by` says, from 0 to one less than a has. */
Val *low_ishl_by(Lower *l, Val *a, Val *by);
Val *low_ishr_by(Lower *l, Val *a, Val *by);    /* logical */
Val *low_icmp(Lower *l, Cmp c, Val *a, Val *b); /* signed; u8 unsigned */

/* Masks. */
Val *low_and(Lower *l, Val *a, Val *b);
Val *low_or(Lower *l, Val *a, Val *b);
Val *low_not(Lower *l, Val *a);
Val *low_select(Lower *l, Val *mask, Val *a, Val *b);

/* Between types: f32<->i32 and f64<->i64 keep the bits; convert changes the
 * value's type as C does, reals to integers saturating, NaN to 0, bool as 0
 * and 1, numbers to bool by != 0. */
Val *low_bits(Lower *l, Val *a);      /* real to the integer of its size */
Val *low_from_bits(Lower *l, Val *a); /* and back */
Val *low_convert(Lower *l, DType t, Val *a);

/* Index x of index_check n, 0 where it is outside; then, if that counts, this
 * call of the function gives NN_ERR_INDEX. */
Val *low_checked(Lower *l, const Node *n, Val *x);
/* Where the scalar bad holds the kernel ends here, with NN_ERR_NUMBER. */
void low_stop(Lower *l, Val *bad);

/* The value of a dimension as DT_i64. */
Val *low_dim(Lower *l, const Dim *d);

/* Build the body once as a function of its own, named by op and dtype, and
 * call it here and at later uses: keeps long functions (lgamma, erf, sin) from
 * being repeated. All x and the result have one dtype. */
Val *low_shared(Lower *l, const char *name,
                Val *(*body)(Lower *l, Val *const *x), int n, Val *const *x);

/* The body's value where mask is set, y elsewhere; the body is skipped where no
 * lane is set. Only inside low_shared. */
Val *low_rarely(Lower *l, Val *mask, Val *(*body)(Lower *l, Val *const *x),
                Val *const *x, Val *y);

#endif
