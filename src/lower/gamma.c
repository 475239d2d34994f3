/* gamma.c: machine code of lgamma and its derivatives, all in f64. */
#include "lower/numeric.h"

#include <math.h>

#define PI 3.14159265358979323846

/* lgamma(y)/((y - 1)(y - 2)) in y - 7/4, 1 <= y <= 5/2; fit.py makes it */
static const double lgamma_table[] = {
    0.4501393121092563,     -0.11948158662524266,   0.04452044719851501,
    -0.01905395783026189,   0.008776370424803639,   -0.00422619412513993,
    0.002095533894967468,   -0.001060566094860731,  0.0005448967329789442,
    -0.0002831903477296198, 0.0001485193665349932,  -7.846414234114114e-05,
    4.16887808835265e-05,   -2.22677854431561e-05,  1.2019663239394049e-05,
    -6.489171683297868e-06, 3.3090780630932697e-06, -1.7650293063783629e-06,
    1.3279089468996177e-06, -7.59531922047916e-07,  -1.9668813096492765e-08,
    3.6374940848058116e-08, 2.742398761622449e-07,  -1.5849492570169968e-07,
};
/* B(2k)/(2k (2k - 1)): Stirling's series in x^(1-2k) */
static const double stirling[] = {
    1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
    1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400,
};
/* B(2k)/(2k) */
static const double digamma_series[] = {
    1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
    1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160,
};

/* ψ(y)/(y - root) in y - 3/2, 1 <= y <= 2; a minimax fit */
static const double digamma_table[] = {
    0.951055876031833,      -0.4236274212814572,    0.24054248424076244,
    -0.1484049230548796,    0.09498872445649634,    -0.061922133189207744,
    0.04076083373278218,    -0.02697580007804141,   0.017907254510550315,
    -0.011908145665668031,  0.007926913710876424,   -0.0052809117271387235,
    0.0035192876905079397,  -0.0023374992204859097, 0.0015550488367252987,
    -0.0010778821974439562, 0.0007287093143722572,  -0.0003543711875700635,
    0.00021709978243126,    -0.0003787217265321515, 0.0002677924009561067,
};
#define DIGAMMA_ROOT 0x1.762d86356be3fp+0
#define DIGAMMA_ROOT_LO 0x1.b86a722197829p-54

static Val *not_above_zero(Lower *l, Val *x)
{
    return low_fcmp(l, CMP_le, x, num_like(l, x, 0));
}

/* x less the nearest integer. */
static Val *from_nearest(Lower *l, Val *x)
{
    return low_fsub(l, x, low_frint(l, x));
}

/* a in 1 … 8 brought to 1 … 5/2 by Γ(a) = (a - 1) Γ(a - 1); the factors. So
 * near to the zero at 2 nothing is taken from anything. */
static Val *shift_down(Lower *l, Val **a)
{
    Val *one = num_like(l, *a, 1), *top = num_like(l, *a, 2.5), *factors = one;
    for (int i = 0; i < 6; i++) {
        Val *less = low_fsub(l, *a, one);
        Val *m = low_fcmp(l, CMP_ge, *a, top);
        factors = low_select(l, m, low_fmul(l, factors, less), factors);
        *a = low_select(l, m, less, *a);
    }
    return factors;
}

/* (a - 1/2)(log a - 1) + (log 2π - 1)/2 + series, for a >= 8. */
static Val *stirling_core(Lower *l, Val *a, Val *log_a)
{
    Val *one = num_like(l, a, 1), *w = low_fdiv(l, one, a);
    Val *tail = low_fmul(l, w, num_poly(l, POLY(stirling), low_fmul(l, w, w)));
    tail = low_fadd(l, tail, num_like(l, a, 0.4189385332046727));
    Val *right = low_fsub(l, log_a, one);
    return low_muladd(l, low_fsub(l, a, num_like(l, a, 0.5)), right, tail);
}

/* lgamma(a) for a >= 0, with one logarithm: below 1 of a, up to 8 of the
 * factors of the shift, then of a. */
static Val *lgamma_core(Lower *l, Val *a)
{
    Val *one = num_like(l, a, 1), *y = a;
    Val *low = low_fcmp(l, CMP_lt, a, one);
    Val *far = low_fcmp(l, CMP_ge, a, num_like(l, a, 8));
    Val *factors = shift_down(l, &y);
    /* y - 1, where y is a + 1 below 1 */
    Val *f = low_select(l, low, a, low_fsub(l, y, one));
    Val *p =
        num_poly(l, POLY(lgamma_table), low_fsub(l, f, num_like(l, a, 0.75)));
    p = low_fmul(l, low_fmul(l, f, low_fsub(l, f, one)), p);
    Val *other = low_fisnan(l, a);
    Val *whole = low_or(l, low_or(l, low, far), other);
    Val *log_a = num_log(l, low_select(l, whole, a, factors));
    Val *near = low_fadd(l, p, low_select(l, low, low_fneg(l, log_a), log_a));
    Val *right = stirling_core(l, a, log_a);
    return low_select(l, low_or(l, far, low_fisnan(l, a)), right, near);
}

/* For x < 0: log(π/(|x| |sin πx|)) - lgamma(|x|). */
static Val *lgamma_below(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]);
    Val *s = low_fabs(l, num_sinpi(l, from_nearest(l, x[0])));
    Val *mirror =
        num_log(l, low_fdiv(l, num_like(l, a, PI), low_fmul(l, a, s)));
    mirror = low_fsub(l, mirror, x[1]);
    Val *pole = low_fcmp(l, CMP_eq, s, num_like(l, a, 0));
    return low_select(l, pole, num_like(l, a, INFINITY), mirror);
}

/* So near 0 that both are -log|x|, it is lgamma(|x|) alone. */
static Val *lgamma_body(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *inf = num_like(l, a, INFINITY);
    Val *r = lgamma_core(l, a), *both[2] = {x[0], r};
    Val *neg = low_fcmp(l, CMP_lt, x[0],
                        num_like(l, a, num_is_wide(l, a) ? -1e-30 : -1e-10));
    r = low_rarely(l, neg, lgamma_below, both, r);
    return low_select(l, low_fcmp(l, CMP_eq, a, inf), inf, r);
}

Val *num_lgamma(Lower *l, Val *x)
{
    return num_widened(l, "lgamma", lgamma_body, 1, &x);
}

/* log y - 1/(2y) - series, for y >= 10. */
static Val *digamma_far(Lower *l, Val *y)
{
    Val *w = low_fdiv(l, num_like(l, y, 1), y), *z = low_fmul(l, w, w);
    Val *s = low_fmul(l, z, num_poly(l, POLY(digamma_series), z));
    s = low_muladd(l, w, num_like(l, y, 0.5), s);
    return low_fsub(l, num_log(l, y), s);
}

/* ψ(y) for 0 < y < 10 by ψ(y) = ψ(y - 1) + 1/(y - 1) from 1 … 2; the sum of
 * reciprocals is one fraction. */
static Val *digamma_near(Lower *l, Val *y)
{
    Val *one = num_like(l, y, 1), *two = num_like(l, y, 2);
    Val *low = low_fcmp(l, CMP_lt, y, one);
    Val *top = low_select(l, low, num_like(l, y, -1), num_like(l, y, 0));
    Val *bottom = low_select(l, low, y, one);
    y = low_select(l, low, low_fadd(l, y, one), y);
    for (int i = 0; i < 8; i++) {
        Val *less = low_fsub(l, y, one), *m = low_fcmp(l, CMP_ge, y, two);
        top = low_select(l, m, low_muladd(l, top, less, bottom), top);
        bottom = low_select(l, m, low_fmul(l, bottom, less), bottom);
        y = low_select(l, m, less, y);
    }
    Val *p =
        num_poly(l, POLY(digamma_table), low_fsub(l, y, num_like(l, y, 1.5)));
    Pair root = num_constant(l, y, DIGAMMA_ROOT, DIGAMMA_ROOT_LO);
    Val *d = low_fsub(l, low_fsub(l, y, root.hi), root.lo);
    return low_muladd(l, d, p, low_fdiv(l, top, bottom));
}

static Val *digamma_core(Lower *l, Val *y)
{
    Val *near = low_fcmp(l, CMP_lt, y, num_like(l, y, 10));
    Val *right = digamma_far(l, y);
    return low_select(l, near, digamma_near(l, y), right);
}

/* For x <= 0: ψ(1 - x) - π cot(πx), NaN at the poles. */
static Val *digamma_below(Lower *l, Val *const *x)
{
    Val *r = from_nearest(l, x[0]);
    Val *right = num_sinpi(l, r);
    Val *cot = low_fdiv(l, num_cospi(l, r), right);
    Val *mirror = low_muladd(l, cot, num_like(l, r, -PI), x[1]);
    Val *pole = low_fcmp(l, CMP_eq, r, num_like(l, r, 0));
    return low_select(l, pole, num_like(l, r, NAN), mirror);
}

static Val *digamma_body(Lower *l, Val *const *x)
{
    Val *neg = not_above_zero(l, x[0]), *one = num_like(l, x[0], 1);
    Val *y = low_select(l, neg, low_fsub(l, one, x[0]), x[0]);
    Val *psi = digamma_core(l, y), *both[2] = {x[0], psi};
    return low_rarely(l, neg, digamma_below, both, psi);
}

Val *num_digamma(Lower *l, Val *x)
{
    return num_widened(l, "digamma", digamma_body, 1, &x);
}

/* x^n, n >= 0 */
static Val *power(Lower *l, Val *x, int n)
{
    Val *r = num_like(l, x, 1);
    for (; n > 0; n >>= 1) {
        r = n & 1 ? low_fmul(l, r, x) : r;
        x = n > 1 ? low_fmul(l, x, x) : x;
    }
    return r;
}

/* B(2j)/(2j)! s(s+1)…(s+2j-2), j = 1 … 8: Euler and Maclaurin's corrections to
 * ζ(s, a) are these times a^(-s-2j+1). (DLMF 25.11.28) */
static void corrections(int s, double *c)
{
    static const double bernoulli[8] = {
        1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
        5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510,
    };
    double rise = s / 2.0;
    for (int j = 1; j <= 8; j++) {
        c[j - 1] = bernoulli[j - 1] * rise;
        rise *= (s + 2 * j - 1.0) * (s + 2 * j) / ((2 * j + 1.0) * (2 * j + 2));
    }
}

/* ζ(s, y) for y > 0: the first terms, where y is small, then the rest as from
 * a = y + n. */
static Val *zeta(Lower *l, int s, Val *y)
{
    double c[8];
    Val *one = num_like(l, y, 1), *none = num_like(l, y, 0), *sum = none;
    Val *far = low_fcmp(l, CMP_ge, y, num_like(l, y, 8 + s)), *start = y;
    for (int i = 0; i < 8 + s; i++) {
        sum = low_fadd(l, sum, low_fdiv(l, one, power(l, y, s)));
        y = low_fadd(l, y, one);
    }
    sum = low_select(l, far, none, sum);
    y = low_select(l, far, start, y);
    corrections(s, c);
    Val *w = low_fdiv(l, one, y), *z = low_fmul(l, w, w);
    Val *tail = low_fmul(l, w, num_poly(l, (Poly){c, 8}, z));
    tail = low_fadd(l, tail, num_like(l, y, 0.5));
    tail = low_muladd(l, tail, w, num_like(l, y, 1.0 / (s - 1)));
    return low_muladd(l, tail, power(l, w, s - 1), sum);
}

/* (-1)^k dᵏ/dtᵏ cot t as a polynomial in cot t, by cot' = -(1 + cot²). */
static Poly cot_derivative(int k, double *p)
{
    double q[POLYGAMMA_MAX + 3];
    p[0] = 0;
    p[1] = 1;
    for (int step = 0; step < k; step++) {
        for (int i = 0; i <= step + 2; i++) {
            q[i] = (i <= step ? (i + 1) * p[i + 1] : 0) +
                   (i > 0 ? (i - 1) * p[i - 1] : 0);
        }
        for (int i = 0; i <= step + 2; i++)
            p[i] = q[i];
    }
    return (Poly){p, k + 2};
}

/* ψ⁽ᵏ⁾(x) = (-1)^(k+1) k! ζ(k+1, x); for x <= 0
 * ψ⁽ᵏ⁾(x) = (-1)^k ψ⁽ᵏ⁾(1-x) - π dᵏ/dxᵏ cot(πx). */
static Val *polygamma_core(Lower *l, int k, Val *x)
{
    double p[POLYGAMMA_MAX + 3], sign = k % 2 ? 1 : -1;
    Val *neg = not_above_zero(l, x), *one = num_like(l, x, 1);
    Val *y = low_select(l, neg, low_fsub(l, one, x), x);
    Val *psi =
        low_fmul(l, zeta(l, k + 1, y), num_like(l, x, sign * tgamma(k + 1)));
    Val *r = from_nearest(l, x);
    Val *right = num_sinpi(l, r);
    Val *cot = low_fdiv(l, num_cospi(l, r), right);
    Val *d = low_fmul(l, num_poly(l, cot_derivative(k, p), cot),
                      num_like(l, x, sign * pow(PI, k + 1)));
    Val *mirror = low_muladd(l, psi, num_like(l, x, -sign), d);
    if (k % 2 == 0) {
        Val *pole = low_fcmp(l, CMP_eq, r, num_like(l, x, 0));
        mirror = low_select(l, pole, num_like(l, x, NAN), mirror);
    }
    return low_select(l, neg, mirror, psi);
}

Val *num_polygamma(Lower *l, int order, Val *x)
{
    DType t = low_dtype(l, x);
    if (order > POLYGAMMA_MAX)
        return low_real(l, t, NAN);
    if (order == 0)
        return num_digamma(l, x);
    Val *wide = low_has_f64(l) ? low_convert(l, DT_f64, x) : x;
    return low_convert(l, t, polygamma_core(l, order, wide));
}

/* x raised to 8 or more by B(x, y) = B(x + 1, y) (x + y)/x; log of the factors,
 * y being no larger than x. */
static Val *shift_up(Lower *l, Val **x, Val *y)
{
    Val *one = num_like(l, y, 1), *eight = num_like(l, y, 8), *factors = one;
    for (int i = 0; i < 8; i++) {
        Val *m = low_fcmp(l, CMP_lt, *x, eight);
        Val *f = low_fdiv(l, low_fadd(l, *x, y), *x);
        factors = low_select(l, m, low_fmul(l, factors, f), factors);
        *x = low_select(l, m, low_fadd(l, *x, one), *x);
    }
    return num_log(l, factors);
}

static Val *stirling_tail(Lower *l, Val *w)
{
    return low_fmul(l, w, num_poly(l, POLY(stirling), low_fmul(l, w, w)));
}

/* log B for a, b >= 8: with s = 1/(a + b)
 * log(2π)/2 - a log1p(b/a) - b log1p(a/b) - log(a b s)/2 and Stirling's series.
 */
static Val *lbeta_far(Lower *l, Val *a, Val *b)
{
    Val *one = num_like(l, a, 1), *half = num_like(l, a, -0.5);
    Val *s = low_fdiv(l, one, low_fadd(l, a, b));
    Val *beside = stirling_tail(l, low_fdiv(l, one, b));
    Val *r = low_fadd(l, stirling_tail(l, low_fdiv(l, one, a)), beside);
    r = low_fsub(l, r, stirling_tail(l, s));
    r = low_fadd(l, r, num_like(l, a, 0.91893853320467274178));
    Val *other = num_log(l, b);
    Val *logs = low_fadd(l, num_log(l, low_fmul(l, a, s)), other);
    r = low_muladd(l, logs, half, r);
    Val *left = low_fmul(l, a, num_log1p(l, low_fdiv(l, b, a)));
    Val *right = low_fmul(l, b, num_log1p(l, low_fdiv(l, a, b)));
    return low_fsub(l, low_fsub(l, r, left), right);
}

/* log B for a <= b, b >= 8, a small: lgamma(a) + lgamma(b) - lgamma(a + b), the
 * last two as one difference. */
static Val *lbeta_near(Lower *l, Val *a, Val *b)
{
    Val *one = num_like(l, a, 1), *half = num_like(l, a, 0.5);
    Val *sum = low_fadd(l, a, b);
    Val *other = stirling_tail(l, low_fdiv(l, one, sum));
    Val *r = low_fsub(l, stirling_tail(l, low_fdiv(l, one, b)), other);
    Val *up = num_log1p(l, low_fdiv(l, a, b));
    r = low_fsub(l, r, low_fmul(l, low_fsub(l, b, half), up));
    r = low_fadd(l, r, lgamma_core(l, a));
    return low_fadd(l, r, low_fsub(l, a, low_fmul(l, a, num_log(l, sum))));
}

static Val *lbeta_body(Lower *l, Val *const *x)
{
    Val *zero = num_like(l, x[0], 0), *inf = num_like(l, x[0], INFINITY);
    Val *turned = low_fcmp(l, CMP_lt, x[1], x[0]);
    Val *a = low_select(l, turned, x[1], x[0]);
    Val *b = low_select(l, turned, x[0], x[1]), *top = b;
    Val *shift = shift_up(l, &b, a);
    Val *small = low_fcmp(l, CMP_lt, a, num_like(l, a, 8));
    Val *other = lbeta_far(l, a, b);
    Val *r =
        low_select(l, small, low_fadd(l, shift, lbeta_near(l, a, b)), other);
    Val *none = low_fcmp(l, CMP_eq, a, zero);
    /* where a + b is not finite, the result is not either */
    Val *endless = low_fcmp(l, CMP_eq, low_fadd(l, a, top), inf);
    Val *right = low_fcmp(l, CMP_ge, x[1], zero);
    Val *inside = low_and(l, low_fcmp(l, CMP_ge, x[0], zero), right);
    inside = low_and(l, inside, low_not(l, low_and(l, none, endless)));
    r = low_select(l, none, inf, r);
    r = low_select(l, endless, low_fneg(l, inf), r);
    return low_select(l, inside, r, num_like(l, r, NAN));
}

Val *num_lbeta(Lower *l, Val *a, Val *b)
{
    Val *x[2] = {a, b};
    return num_widened(l, "lbeta", lbeta_body, 2, x);
}
