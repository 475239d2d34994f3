/* numeric.c: what the machine code of elementary functions is made of. */
#include "lower/numeric.h"

#include <assert.h>

Val *num_like(Lower *l, Val *x, double v)
{
    return low_real(l, low_dtype(l, x), v);
}

/* Every step-th coefficient, in x: Horner's scheme, in which each step waits
 * for the one before, so where it is long odd and even powers are apart. */
static Val *every(Lower *l, Poly p, int step, Val *x)
{
    enum { LONG = 8 };
    int n = (p.n - 1) / step + 1;
    if (n >= LONG) {
        Val *square = low_fmul(l, x, x);
        Val *even = every(l, p, 2 * step, square);
        Poly rest = {p.at + step, p.n - step};
        return low_muladd(l, every(l, rest, 2 * step, square), x, even);
    }
    Val *r = num_like(l, x, p.at[(n - 1) * step]);
    for (int i = n - 2; i >= 0; i--)
        r = low_muladd(l, r, x, num_like(l, x, p.at[i * step]));
    return r;
}

Val *num_poly_from(Lower *l, Poly p, int first, Val *x)
{
    Val *r = every(l, (Poly){p.at + first, p.n - first}, 1, x);
    while (first-- > 0)
        r = low_muladd(l, r, x, num_like(l, x, p.at[first]));
    return r;
}

Val *num_poly(Lower *l, Poly p, Val *x)
{
    return num_poly_from(l, p, p.n > 1, x);
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
