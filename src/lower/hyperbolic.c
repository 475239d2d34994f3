/* hyperbolic.c: hyperbolic functions, and those of exp(-x). */
#include "lower/numeric.h"

/* With q = (exp|x| - 1)/4, which is a number wherever sinh(x) is: sinh|x| =
 * 2(q + q/(4q + 1)); |x| where that is so small that q has fewer digits. */
Val *num_sinh(Lower *l, Val *x)
{
    Val *one = num_like(l, x, 1), *a = low_fabs(l, x);
    Val *q = num_quarter_expm1(l, a);
    Val *d = low_muladd(l, q, num_like(l, x, 4), one);
    Val *r = low_fadd(l, q, low_fdiv(l, q, d));
    Val *tiny = low_fcmp(l, CMP_lt, a, num_like(l, x, 0x1p-30));
    r = low_select(l, tiny, a, low_fadd(l, r, r));
    return low_fcopysign(l, r, x);
}

/* With e = exp|x|/2: cosh(x) = e + 1/(4e) */
Val *num_cosh(Lower *l, Val *x)
{
    Val *e = num_exp_scaled(l, low_fabs(l, x), -1);
    return low_fadd(l, e, low_fdiv(l, num_like(l, x, 0.25), e));
}

/* With h = (exp(2|x|) - 1)/2: tanh|x| = h/(h + 1); 1 from |x| = 22 on. */
Val *num_tanh(Lower *l, Val *x)
{
    Val *a = num_clamp(l, low_fabs(l, x), 0, 22);
    Val *h = num_half_expm1(l, low_fadd(l, a, a));
    Val *t = low_fdiv(l, h, low_fadd(l, h, num_like(l, x, 1)));
    return low_fcopysign(l, t, x);
}

Val *num_sigmoid(Lower *l, Val *x)
{
    Val *one = num_like(l, x, 1);
    return low_fdiv(l, one, low_fadd(l, one, num_exp(l, low_fneg(l, x))));
}

Val *num_softplus(Lower *l, Val *x)
{
    Val *e = num_exp(l, low_fneg(l, low_fabs(l, x)));
    Val *zero = num_like(l, x, 0);
    Val *right = num_log1p_unit(l, e);
    return low_fadd(l, num_max(l, x, zero), right);
}
