/* trig.c: machine code of the circular functions and their inverses.
 *
 * The polynomials are minimax fits (Remez) made for this file. */
#include "graph/ops/numeric.h"

#include <math.h>

#define PI 3.14159265358979323846

/* (sin r - r)/r³ and (cos r - 1 + r²/2)/r⁴ in z = r², |r| <= π/4 */
static const double sin_table[] = {
    -0.16666666666666632,  0.00833333333332242,    -0.00019841269829812272,
    2.755731369346808e-06, -2.505075836228341e-08, 1.589681032013582e-10,
};
static const double cos_table[] = {
    0.0416666666666666,      -0.0013888888888874131, 2.4801587289487165e-05,
    -2.7557314354044756e-07, 2.087572353667394e-09,  -1.1359662634762995e-11,
};
static const double sin_short[] = {
    -0.16666654940140674,
    0.008332177915238234,
    -0.00019517266765124844,
};
static const double cos_short[] = {
    0.041666646863319515,
    -0.0013887367341673773,
    2.443842886559998e-05,
};
/* (asin x - x)/x³ in x², |x| <= 1/2 */
static const double asin_f64[] = {
    0.16666666666666763,   0.07499999999970103,  0.04464285717528223,
    0.030381942675442284,  0.022372215901655508, 0.017351595573765016,
    0.01398101765694014,   0.01139730033780041,  0.010789279293751735,
    0.0036723478854707356, 0.021790238372651222, -0.021116121947321428,
    0.03270177636594555,
};
static const double asin_f32[] = {
    0.16666754118620475, 0.07495233315455435,  0.04547825427886819,
    0.02414143845529509, 0.042229790653230126,
};
/* (atan x - x)/x³ in x², |x| <= tan(π/8) */
static const double atan_f64[] = {
    -0.333333333333332,   0.1999999999995367,    -0.1428571428020452,
    0.11111110783837193,  -0.09090897767682198,  0.07692060371762074,
    -0.06663105561778414, 0.05847898118112584,   -0.050393339175824295,
    0.03806502928107543,  -0.017907421204925212,
};
static const double atan_f32[] = {
    -0.33333315424499477, 0.1999848407523959,    -0.1424374020365881,
    0.10595149317496545,  -0.060811768504549855,
};

static bool is_wide(Lower *l, Val *x) { return low_dtype(l, x) == DT_f64; }

/* x = q π/2 + r, |r| a little over π/4 at most; q modulo 4 as an i64, r (f64)
 * in two parts. */
typedef struct Turn {
    Val *q;
    Pair r;
} Turn;

/* A real that is an integer below 2^51: as an i64, modulo 4. */
static Val *quadrant(Lower *l, Val *k)
{
    Val *raw = low_bits(l, low_fadd(l, k, num_like(l, k, 0x1.8p52)));
    return low_iand(l, raw, low_int(l, DT_i64, 3));
}

/* Cody and Waite with π/2 in three parts of 53 bits. Up to 2^50 the first
 * product leaves an exact difference, so the error is that of the third. What
 * is larger counts as 0: there one unit of x is a quarter and more. */
static Turn reduce_f64(Lower *l, Val *x)
{
    Val *huge = low_fcmp(l, CMP_gt, low_fabs(l, x), num_like(l, x, 0x1p50));
    x = low_select(l, huge, low_fmul(l, x, num_like(l, x, 0)), x);
    Val *k = low_frint(l, low_fmul(l, x, num_like(l, x, 2 / PI)));
    Val *minus = low_fneg(l, k);
    Val *a = low_fma(l, minus, num_like(l, x, 0x1.921fb54442d18p+0), x);
    Pair p = num_two_prod(l, minus, num_like(l, x, 0x1.1a62633145c07p-54));
    Pair r = num_two_sum(l, a, p.hi);
    Val *rest =
        low_fma(l, minus, num_like(l, x, -0x1.f1976b7ed8fbcp-110), p.lo);
    return (Turn){quadrant(l, k),
                  num_fast_sum(l, r.hi, low_fadd(l, r.lo, rest))};
}

/* For x of 24 bits, any size: 2/π in six pieces of 29 bits or less. Products
 * with x are exact; whole turns are dropped from each before they are added.
 * (Payne, Hanek 1983) */
static Turn reduce_f32(Lower *l, Val *x)
{
    static const double piece[6] = {
        /* of 1/(2π) */
        0x1.45f306ep-3,  -0x1.b1bbeadp-34,  -0x1.80f62a1p-64,
        0x1.1f534dep-94, -0x1.f924eb6p-125, 0x1.993c439p-154,
    };
    Val *sum = num_like(l, x, 0);
    for (int i = 5; i >= 0; i--) {
        Val *p = low_fmul(l, x, num_like(l, x, piece[i]));
        sum = low_fadd(l, sum, low_fsub(l, p, low_frint(l, p)));
    }
    sum = low_fmul(l, sum, num_like(l, x, 4));
    Val *k = low_frint(l, sum);
    Val *r = low_fmul(l, low_fsub(l, sum, k), num_like(l, x, PI / 2));
    return (Turn){quadrant(l, k), {r, NULL}};
}

/* sin(r.hi + r.lo) and cos of it. lo is NULL where f32's digits do. */
static Val *sin_core(Lower *l, Pair r)
{
    Val *z = low_fmul(l, r.hi, r.hi);
    if (!r.lo) {
        Val *p = num_poly(l, POLY(sin_short), z);
        return low_muladd(l, low_fmul(l, z, r.hi), p, r.hi);
    }
    Val *p = low_fmul(l, z, num_poly(l, POLY(sin_table), z));
    Val *slope = low_muladd(l, z, num_like(l, z, -0.5), num_like(l, z, 1));
    Val *t = low_muladd(l, r.hi, p, low_fmul(l, r.lo, slope));
    return low_fadd(l, r.hi, t);
}

static Val *cos_core(Lower *l, Pair r)
{
    Val *z = low_fmul(l, r.hi, r.hi), *one = num_like(l, z, 1);
    Val *half = low_fmul(l, z, num_like(l, z, 0.5));
    Val *zz = low_fmul(l, z, z), *w = low_fsub(l, one, half);
    if (!r.lo) {
        return low_muladd(l, zz, num_poly(l, POLY(cos_short), z), w);
    }
    Val *lost = low_fsub(l, low_fsub(l, one, w), half);
    Val *t = low_muladd(l, r.hi, low_fneg(l, r.lo), lost);
    t = low_muladd(l, zz, num_poly(l, POLY(cos_table), z), t);
    return low_fadd(l, w, t);
}

static Val *has_bit(Lower *l, Val *q, int64_t bit)
{
    Val *set = low_iand(l, q, low_int(l, DT_i64, bit));
    return low_icmp(l, CMP_ne, set, low_int(l, DT_i64, 0));
}

static Val *negate_where(Lower *l, Val *mask, Val *x)
{
    return low_select(l, mask, low_fneg(l, x), x);
}

/* sin(x + q π/2) from t. */
static Val *sin_turned(Lower *l, Turn t)
{
    Val *s =
        low_select(l, has_bit(l, t.q, 1), cos_core(l, t.r), sin_core(l, t.r));
    return negate_where(l, has_bit(l, t.q, 2), s);
}

static Turn quarter_more(Lower *l, Turn t)
{
    t.q = low_iadd(l, t.q, low_int(l, DT_i64, 1));
    return t;
}

static Val *tan_turned(Lower *l, Turn t)
{
    Val *s = sin_core(l, t.r), *c = cos_core(l, t.r);
    Val *odd = has_bit(l, t.q, 1);
    return low_fdiv(l, low_select(l, odd, low_fneg(l, c), s),
                    low_select(l, odd, s, c));
}

static Val *sin_wide(Lower *l, Val *const *x)
{
    return sin_turned(l, reduce_f64(l, x[0]));
}

static Val *sin_narrow(Lower *l, Val *const *x)
{
    return sin_turned(l, reduce_f32(l, x[0]));
}

static Val *cos_wide(Lower *l, Val *const *x)
{
    return sin_turned(l, quarter_more(l, reduce_f64(l, x[0])));
}

static Val *cos_narrow(Lower *l, Val *const *x)
{
    return sin_turned(l, quarter_more(l, reduce_f32(l, x[0])));
}

static Val *tan_wide(Lower *l, Val *const *x)
{
    return tan_turned(l, reduce_f64(l, x[0]));
}

static Val *tan_narrow(Lower *l, Val *const *x)
{
    return tan_turned(l, reduce_f32(l, x[0]));
}

Val *num_sin(Lower *l, Val *x)
{
    return is_wide(l, x) ? low_shared(l, "sin", sin_wide, 1, &x)
                         : num_in_f64(l, "sinf", sin_narrow, 1, &x);
}

Val *num_cos(Lower *l, Val *x)
{
    return is_wide(l, x) ? low_shared(l, "cos", cos_wide, 1, &x)
                         : num_in_f64(l, "cosf", cos_narrow, 1, &x);
}

Val *num_tan(Lower *l, Val *x)
{
    return is_wide(l, x) ? low_shared(l, "tan", tan_wide, 1, &x)
                         : num_in_f64(l, "tanf", tan_narrow, 1, &x);
}

/* πr for |r| <= 1/2 as an angle up to π/4, or what is left to π/2. */
static Pair half_turn(Lower *l, Val *r, Val **beyond)
{
    Val *a = low_fabs(l, r);
    *beyond = low_fcmp(l, CMP_gt, a, num_like(l, r, 0.25));
    a = low_select(l, *beyond, low_fsub(l, num_like(l, r, 0.5), a), a);
    Pair p = num_two_prod(l, a, num_like(l, r, PI));
    p.lo = low_fma(l, a, num_like(l, r, 0x1.1a62633145c07p-53), p.lo);
    return p;
}

Val *num_sinpi(Lower *l, Val *r)
{
    Val *beyond;
    Pair p = half_turn(l, r, &beyond);
    Val *s = low_select(l, beyond, cos_core(l, p), sin_core(l, p));
    return low_fcopysign(l, s, r);
}

Val *num_cospi(Lower *l, Val *r)
{
    Val *beyond;
    Pair p = half_turn(l, r, &beyond);
    return low_select(l, beyond, sin_core(l, p), cos_core(l, p));
}

/* For |x| > 1/2: asin|x| = π/2 - 2 asin(sqrt((1 - |x|)/2)). Gives t, with asin
 * t = t + tail, of x itself or of that root. */
static Val *asin_core(Lower *l, Val *x, Val **outer, Val **tail)
{
    Val *half = num_like(l, x, 0.5), *a = low_fabs(l, x);
    *outer = low_fcmp(l, CMP_gt, a, half);
    Val *rest = low_muladd(l, a, low_fneg(l, half), half);
    Val *z = low_select(l, *outer, rest, low_fmul(l, a, a));
    Val *t = low_select(l, *outer, low_fsqrt(l, rest), a);
    Poly p = is_wide(l, x) ? POLY(asin_f64) : POLY(asin_f32);
    *tail = low_fmul(l, low_fmul(l, t, z), num_poly(l, p, z));
    return t;
}

static Val *asin_body(Lower *l, Val *const *x)
{
    Val *outer, *tail, *t = asin_core(l, x[0], &outer, &tail);
    Val *inner = low_fadd(l, t, tail), *two = num_like(l, t, -2);
    Val *r = low_muladd(l, two, inner, num_like(l, t, PI / 2));
    /* what rounding took from π/2 */
    r = low_fadd(l, r, num_like(l, t, 0));
    return low_fcopysign(l, low_select(l, outer, r, inner), x[0]);
}

static Val *acos_body(Lower *l, Val *const *x)
{
    Val *outer, *tail, *t = asin_core(l, x[0], &outer, &tail);
    Val *a = low_fadd(l, t, tail), *twice = low_fadd(l, a, a);
    Val *neg = low_fcmp(l, CMP_lt, x[0], num_like(l, t, 0));
    Val *left = low_fsub(l, num_like(l, t, PI), twice);
    Val *r = low_select(l, neg, left, twice);
    Val *mid = low_fsub(l, num_like(l, t, PI / 2), low_fcopysign(l, a, x[0]));
    return low_select(l, outer, r, mid);
}

Val *num_asin(Lower *l, Val *x)
{
    return low_shared(l, "asin", asin_body, 1, &x);
}

Val *num_acos(Lower *l, Val *x)
{
    return low_shared(l, "acos", acos_body, 1, &x);
}

/* atan t + offset for |t| <= tan(π/8) */
static Val *atan_core(Lower *l, Val *t, Val *offset)
{
    Val *z = low_fmul(l, t, t);
    Poly p = is_wide(l, t) ? POLY(atan_f64) : POLY(atan_f32);
    Val *tail = low_fmul(l, low_fmul(l, t, z), num_poly(l, p, z));
    return low_fadd(l, offset, low_fadd(l, t, tail));
}

/* atan(n/d) for n, d >= 0: of n/d, of (n - d)/(n + d) with π/4 more, or of -d/n
 * with π/2 more. */
static Val *atan_ratio(Lower *l, Val *n, Val *d)
{
    Val *big = low_fcmp(l, CMP_gt, n,
                        low_fmul(l, d, num_like(l, n, 2.414213562373095)));
    Val *mid = low_fcmp(l, CMP_gt, n,
                        low_fmul(l, d, num_like(l, n, 0.41421356237309503)));
    Val *top = low_select(l, mid, low_fsub(l, n, d), n);
    Val *bottom = low_select(l, mid, low_fadd(l, n, d), d);
    top = low_select(l, big, low_fneg(l, d), top);
    bottom = low_select(l, big, n, bottom);
    Val *offset = low_select(l, mid, num_like(l, n, PI / 4), num_like(l, n, 0));
    offset = low_select(l, big, num_like(l, n, PI / 2), offset);
    return atan_core(l, low_fdiv(l, top, bottom), offset);
}

static Val *atan_body(Lower *l, Val *const *x)
{
    Val *r = atan_ratio(l, low_fabs(l, x[0]), num_like(l, x[0], 1));
    return low_fcopysign(l, r, x[0]);
}

Val *num_atan(Lower *l, Val *x)
{
    return low_shared(l, "atan", atan_body, 1, &x);
}

/* x[0] is y, x[1] is x. Both are halved where their sum could overflow, and
 * both infinite count as both 1. */
static Val *atan2_body(Lower *l, Val *const *arg)
{
    Val *y = low_fabs(l, arg[0]), *x = low_fabs(l, arg[1]);
    Val *zero = num_like(l, x, 0), *one = num_like(l, x, 1);
    Val *inf = num_like(l, x, INFINITY);
    Val *ends =
        low_and(l, low_fcmp(l, CMP_eq, x, inf), low_fcmp(l, CMP_eq, y, inf));
    Val *origin =
        low_and(l, low_fcmp(l, CMP_eq, x, zero), low_fcmp(l, CMP_eq, y, zero));
    Val *n = low_select(l, ends, one, y);
    Val *d = low_select(l, low_or(l, ends, origin), one, x);
    Val *large = low_fcmp(l, CMP_gt, num_max(l, n, d),
                          num_like(l, x, is_wide(l, x) ? 0x1p1000 : 0x1p120));
    Val *by = low_select(l, large, num_like(l, x, 0x1p-3), one);
    Val *r = atan_ratio(l, low_fmul(l, n, by), low_fmul(l, d, by));
    Val *left = low_fcmp(l, CMP_lt, low_fcopysign(l, one, arg[1]), zero);
    r = low_select(l, left, low_fsub(l, num_like(l, x, PI), r), r);
    r = low_fcopysign(l, r, arg[0]);
    Val *bad = low_or(l, low_fisnan(l, arg[0]), low_fisnan(l, arg[1]));
    return low_select(l, bad, num_like(l, x, NAN), r);
}

Val *num_atan2(Lower *l, Val *y, Val *x)
{
    Val *arg[2] = {y, x};
    return low_shared(l, "atan2", atan2_body, 2, arg);
}

/* Scaled by a power of 2 where a square would leave the range. */
static Val *hypot_body(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *b = low_fabs(l, x[1]);
    Val *m = num_max(l, a, b), *one = num_like(l, a, 1);
    Val *large = low_fcmp(l, CMP_gt, m, num_like(l, a, 0x1p500));
    Val *small = low_fcmp(l, CMP_lt, m, num_like(l, a, 0x1p-450));
    Val *down = num_like(l, a, 0x1p-600), *up = num_like(l, a, 0x1p600);
    Val *by = low_select(l, large, down, low_select(l, small, up, one));
    Val *back = low_select(l, large, up, low_select(l, small, down, one));
    a = low_fmul(l, a, by);
    b = low_fmul(l, b, by);
    Val *r = low_fsqrt(l, low_muladd(l, a, a, low_fmul(l, b, b)));
    return low_fmul(l, r, back);
}

/* f32's squares fit into f64 as they are. */
static Val *hypot_plain(Lower *l, Val *const *x)
{
    Val *s = low_muladd(l, x[0], x[0], low_fmul(l, x[1], x[1]));
    return low_fsqrt(l, s);
}

/* Infinite if either is, even where the other is NaN. (C11 F.10.4.3) */
Val *num_hypot(Lower *l, Val *a, Val *b)
{
    Val *x[2] = {a, b}, *inf = num_like(l, a, INFINITY);
    Val *r = is_wide(l, a) ? low_shared(l, "hypot", hypot_body, 2, x)
                           : num_in_f64(l, "hypotf", hypot_plain, 2, x);
    Val *endless = low_or(l, low_fcmp(l, CMP_eq, low_fabs(l, a), inf),
                          low_fcmp(l, CMP_eq, low_fabs(l, b), inf));
    return low_select(l, endless, inf, r);
}
