/* numeric.h: elementary and special functions as machine code.
 *
 * Branch-free: every case is computed and the right one selected, so the same
 * code serves one element and a vector. Accurate to a few units in the last
 * place; NaN, infinities and poles as in C's library. Arguments and results are
 * of one dtype, f32 or f64. */
#ifndef NNCC_NUMERIC_H
#define NNCC_NUMERIC_H

#include "lower/lower.h"

/* numeric.c: what the others are made of */

/* A polynomial: n coefficients, that of 1 first. */
typedef struct Poly {
    const double *at;
    int n;
} Poly;
#define POLY(table) ((Poly){(table), (int)(sizeof(table) / sizeof *(table))})
Val *num_poly(Lower *l, Poly p, Val *x);
/* The first coefficients are added last, one by one: where the sum of the even
 * powers is much larger than the whole, so is what rounding costs. */
Val *num_poly_from(Lower *l, Poly p, int first, Val *x);

/* The number v in x's dtype. */
Val *num_like(Lower *l, Val *x, double v);
/* At least lo, at most hi; NaN stays. */
Val *num_clamp(Lower *l, Val *x, double lo, double hi);
Val *num_max(Lower *l, Val *a, Val *b);
Val *num_rsqrt(Lower *l, Val *x);
/* Body on x in f64, rounded to x's dtype: for what is rare or needs digits. */
Val *num_in_f64(Lower *l, const char *name,
                Val *(*body)(Lower *l, Val *const *x), int n, Val *const *x);
/* The same, but in x's dtype where the machine has no f64. */
Val *num_widened(Lower *l, const char *name,
                 Val *(*body)(Lower *l, Val *const *x), int n, Val *const *x);
/* Is x in f64? */
bool num_is_wide(Lower *l, Val *x);

/* A value as the unrounded sum of two, |lo| at most half a unit of hi. */
typedef struct Pair {
    Val *hi, *lo;
} Pair;
Pair num_two_sum(Lower *l, Val *a, Val *b);
Pair num_fast_sum(Lower *l, Val *a, Val *b); /* |a| >= |b| or a is 0 */
Pair num_two_prod(Lower *l, Val *a, Val *b);
/* The constant hi + lo, hi being of 53 bits, in x's dtype. */
Pair num_constant(Lower *l, Val *x, double hi, double lo);

/* explog.c */

Val *num_exp(Lower *l, Val *x);
Val *num_times_exp(Lower *l, Val *factor, Pair x);
Val *num_exp_pair(Lower *l, Pair x);          /* of a sum whose lo is finite */
Val *num_exp_scaled(Lower *l, Val *x, int k); /* 2^k exp(x), k -1 or 0 */
Val *num_expm1(Lower *l, Val *x);
Val *num_half_expm1(Lower *l, Val *x); /* (exp(x) - 1)/2 */
Val *num_half_expm1_pair(Lower *l, Pair x);
Val *num_quarter_expm1(Lower *l, Val *x);
Val *num_log(Lower *l, Val *x);
Val *num_log1p(Lower *l, Val *x);
Val *num_log1p_unit(Lower *l, Val *x); /* 0 <= x <= 1 */
Val *num_cbrt(Lower *l, Val *x);
Val *num_pow(Lower *l, Val *a, Val *b);
Val *num_ipow(Lower *l, DType t, Val *a, Val *b); /* of integers */

/* hyperbolic.c */

Val *num_sinh(Lower *l, Val *x);
Val *num_cosh(Lower *l, Val *x);
Val *num_tanh(Lower *l, Val *x);
Val *num_sigmoid(Lower *l, Val *x);
Val *num_softplus(Lower *l, Val *x);

/* mod.c */

Val *num_mod(Lower *l, Val *a, Val *b); /* a - b floor(a/b) */

/* trig.c */

Val *num_sin(Lower *l, Val *x);
Val *num_cos(Lower *l, Val *x);
Val *num_tan(Lower *l, Val *x);
/* Both for little more than one takes: the sine. */
Val *num_sin_and_cos(Lower *l, Val *x, Val **cos);
/* sin(πr) and cos(πr) for |r| <= 1/2. */
Val *num_sinpi(Lower *l, Val *r);
Val *num_cospi(Lower *l, Val *r);
Val *num_asin(Lower *l, Val *x);
Val *num_acos(Lower *l, Val *x);
Val *num_atan(Lower *l, Val *x);
Val *num_atan2(Lower *l, Val *y, Val *x);
Val *num_hypot(Lower *l, Val *a, Val *b);

/* erf.c, gamma.c */

Val *num_erf(Lower *l, Val *x);
Val *num_erfc(Lower *l, Val *x);
/* exp(x²) erfc(x), and times the k-th integral of erfc. */
Val *num_erfcx(Lower *l, Val *x);
enum { ERFCX_MAX = 9 }; /* NaN for higher orders */
Val *num_erfcx_integral(Lower *l, int order, Val *x);
/* φ(x), Φ(x), log Φ(x), φ(x)/Φ(x) of the normal distribution. */
Val *num_normal_density(Lower *l, Val *x);
Val *num_ndtr(Lower *l, Val *x);
Val *num_log_ndtr(Lower *l, Val *x);
Val *num_normal_hazard(Lower *l, Val *x);
Val *num_normal_excess(Lower *l, Val *x); /* x + normal_hazard(x) */
Val *num_lgamma(Lower *l, Val *x);
Val *num_digamma(Lower *l, Val *x);
Val *num_lbeta(Lower *l, Val *a, Val *b);
enum { POLYGAMMA_MAX = 40 }; /* NaN for higher orders */
Val *num_polygamma(Lower *l, int order, Val *x);

#endif
