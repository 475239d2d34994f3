/* mod.c: the remainder of a quotient rounded down. */
#include "lower/numeric.h"

#include <math.h>

/* r less d as often as r/d says, n times over: without rounding where that is
 * below 2^53 (Sterbenz), else each time by 50 bits. */
static Val *mod_steps(Lower *l, Val *r, Val *d, int n)
{
    for (int i = 0; i < n; i++) {
        Val *q = low_ftrunc(l, low_fdiv(l, r, d));
        Val *next = low_fma(l, low_fneg(l, q), d, r);
        Val *done = low_fcmp(l, CMP_lt, low_fabs(l, r), d);
        r = low_select(l, done, r, next);
    }
    return r;
}

/* Quotients of f32 are below 2^277. */
static Val *mod_far_f32(Lower *l, Val *const *x)
{
    return mod_steps(l, x[0], x[1], 6);
}

/* That is no number of f32: first by multiples of b, infinite ones taking
 * nothing away; a step takes 21 bits. */
static Val *mod_far_in_f32(Lower *l, Val *const *x)
{
    Val *more = low_fmul(l, x[1], low_real(l, DT_f32, 0x1p126));
    Val *most = low_fmul(l, more, low_real(l, DT_f32, 0x1p60));
    Val *r = mod_steps(l, x[0], most, 5);
    return mod_steps(l, mod_steps(l, r, more, 3), x[1], 7);
}

/* Those of f64 reach 2^2098, which is no number: first by multiples of b. */
static Val *mod_far_f64(Lower *l, Val *const *x)
{
    Val *more = low_fmul(l, x[1], low_real(l, DT_f64, 0x1p1000));
    Val *most = low_fmul(l, more, low_real(l, DT_f64, 0x1p200));
    Val *r = mod_steps(l, x[0], most, 18);
    return mod_steps(l, mod_steps(l, r, more, 4), x[1], 21);
}

/* |a| less whole |b|; NaN for an infinite a and for b = 0. */
static Val *mod_size(Lower *l, Val *a, Val *b,
                     Val *(*far)(Lower *l, Val *const *x))
{
    Val *zero = num_like(l, a, 0), *nan = num_like(l, a, NAN);
    Val *other = low_fcmp(l, CMP_lt, a, num_like(l, a, INFINITY));
    Val *fits = low_and(l, low_fcmp(l, CMP_gt, b, zero), other);
    Val *q = low_ftrunc(l, low_fdiv(l, a, b));
    Val *r = low_fma(l, low_fneg(l, q), b, a), *x[2] = {a, b};
    r = low_select(l, low_fcmp(l, CMP_lt, a, b), a, r);
    Val *most = num_like(l, a, num_is_wide(l, a) ? 0x1p52 : 0x1p22);
    Val *large = low_fcmp(l, CMP_gt, q, most);
    r = low_rarely(l, low_and(l, large, fits), far, x, r);
    /* A quotient rounded up left a remainder below 0. */
    Val *right = low_fadd(l, r, b);
    r = low_select(l, low_fcmp(l, CMP_lt, r, zero), right, r);
    return low_select(l, fits, r, nan);
}

/* The remainder has a's sign so far and is to have b's. */
static Val *mod_signed(Lower *l, Val *r, Val *a, Val *b)
{
    Val *zero = num_like(l, a, 0), *one = num_like(l, a, 1);
    r = low_fcopysign(l, r, a);
    Val *sign = low_fmul(l, low_fcopysign(l, one, r), b);
    Val *right = low_fcmp(l, CMP_ne, r, zero);
    Val *other = low_and(l, low_fcmp(l, CMP_lt, sign, zero), right);
    return low_select(l, other, low_fadd(l, r, b), r);
}

static Val *mod_f32(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *b = low_fabs(l, x[1]);
    return mod_signed(l, mod_size(l, a, b, mod_far_f32), x[0], x[1]);
}

static Val *mod_in_f32(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *b = low_fabs(l, x[1]);
    return mod_signed(l, mod_size(l, a, b, mod_far_in_f32), x[0], x[1]);
}

static Val *mod_f64(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *b = low_fabs(l, x[1]);
    return mod_signed(l, mod_size(l, a, b, mod_far_f64), x[0], x[1]);
}

Val *num_mod(Lower *l, Val *a, Val *b)
{
    Val *x[] = {a, b};
    if (num_is_wide(l, a))
        return low_shared(l, "mod", mod_f64, 2, x);
    return low_has_f64(l) ? num_in_f64(l, "modf", mod_f32, 2, x)
                          : low_shared(l, "mod", mod_in_f32, 2, x);
}
