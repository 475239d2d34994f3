/* numeric.c: what the machine code of elementary functions is made of. */
#include "lower/numeric.h"

#include <assert.h>

Val *num_like(Lower *l, Val *x, double v)
{
    return low_real(l, low_dtype(l, x), v);
}

/* Horner's scheme, from the highest coefficient down. */
Val *num_poly(Lower *l, Poly p, Val *x)
{
    Val *r = num_like(l, x, p.at[p.n - 1]);
    for (int i = p.n - 2; i >= 0; i--)
        r = low_muladd(l, r, x, num_like(l, x, p.at[i]));
    return r;
}

/* Comparisons with NaN fail, so it takes the last branch. */
Val *num_clamp(Lower *l, Val *x, double lo, double hi)
{
    Val *a = num_like(l, x, lo), *b = num_like(l, x, hi);
    x = low_select(l, low_fcmp(l, CMP_lt, x, a), a, x);
    return low_select(l, low_fcmp(l, CMP_gt, x, b), b, x);
}

Val *num_max(Lower *l, Val *a, Val *b)
{
    return low_select(l, low_fcmp(l, CMP_gt, b, a), b, a);
}

Val *num_in_f64(Lower *l, const char *name,
                Val *(*body)(Lower *l, Val *const *x), int n, Val *const *x)
{
    Val *y[2];
    assert(n <= 2);
    for (int i = 0; i < n; i++)
        y[i] = low_convert(l, DT_f64, x[i]);
    return low_convert(l, low_dtype(l, x[0]), low_shared(l, name, body, n, y));
}

Val *num_widened(Lower *l, const char *name,
                 Val *(*body)(Lower *l, Val *const *x), int n, Val *const *x)
{
    return num_is_wide(l, x[0]) || !low_has_f64(l)
               ? low_shared(l, name, body, n, x)
               : num_in_f64(l, name, body, n, x);
}

bool num_is_wide(Lower *l, Val *x) { return low_dtype(l, x) == DT_f64; }

/* Knuth, "Seminumerical Algorithms", 4.2.2. */
Pair num_two_sum(Lower *l, Val *a, Val *b)
{
    Val *s = low_fadd(l, a, b), *t = low_fsub(l, s, a);
    Val *u = low_fsub(l, a, low_fsub(l, s, t));
    return (Pair){s, low_fadd(l, u, low_fsub(l, b, t))};
}

/* Dekker 1971. */
Pair num_fast_sum(Lower *l, Val *a, Val *b)
{
    Val *s = low_fadd(l, a, b);
    return (Pair){s, low_fsub(l, b, low_fsub(l, s, a))};
}

Pair num_two_prod(Lower *l, Val *a, Val *b)
{
    Val *p = low_fmul(l, a, b);
    return (Pair){p, low_fma(l, a, b, low_fneg(l, p))};
}

Pair num_constant(Lower *l, Val *x, double hi, double lo)
{
    if (!num_is_wide(l, x)) {
        lo += hi - (double)(float)hi;
        hi = (double)(float)hi;
    }
    return (Pair){num_like(l, x, hi), num_like(l, x, lo)};
}

Val *num_rsqrt(Lower *l, Val *x)
{
    return low_fdiv(l, num_like(l, x, 1), low_fsqrt(l, x));
}
