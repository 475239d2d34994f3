/* explog.c: machine code of exponentials, logarithms and powers.
 *
 * The polynomials are minimax fits (Remez); fit.py makes those it names. */
#include "lower/numeric.h"

#include <math.h>

/* What differs between f32 and f64. */
typedef struct Format {
    int mantissa; /* bits */
    double magic; /* 1.5 * 2^mantissa: adding it rounds to an integer, which
                     then stands in the low bits */
    int64_t bias; /* of the exponent */
    double ln2_hi, ln2_lo; /* ln 2; hi times an exponent is exact */
    double normal;         /* smallest normal number */
    int rescue;            /* subnormal numbers times 2^rescue are normal */
    int64_t root;          /* bits of sqrt(1/2) */
    double lo, hi;         /* exp is 0 below, infinite above, halved too; at lo
                              the first factor of scale() is 0 itself */
    double top; /* exp - 1 is infinite from here on, the half is not */
    Poly exp, log;
} Format;

/* (exp(r) - 1 - r)/r², |r| <= ln(2)/2 */
static const double exp_f32[] = {
    0.5000000061705469,   0.1666654297346876,    0.04166628260496528,
    0.008366585779883735, 0.0013946417906042729,
};
static const double exp_f64[] = {
    0.5,
    0.16666666666666677,
    0.0416666666666667,
    0.008333333333321617,
    0.0013888888888866774,
    0.0001984126988615756,
    2.4801587360635693e-05,
    2.7557244182761874e-06,
    2.7557242716010303e-07,
    2.510904465308356e-08,
    2.0924452144541402e-09,
};
/* (2 atanh(s) - 2s)/s³ in z = s², s = (m - 1)/(m + 1), m from sqrt(1/2) to
 * sqrt(2) */
static const double log_f32[] = {
    0.6666677638688271,
    0.3997753979207052,
    0.2987179853657635,
};
static const double log_f64[] = {
    0.6666666666666734, 0.3999999999941478,  0.28571428742388194,
    0.2222219857127661, 0.18183564503984045, 0.15314044271722255,
    0.1479602785826904,
};
/* (that - 2/3)/z, for logarithms with a second part */
static const double log_pair[] = {
    0.4000000000000003,  0.2857142857133761,  0.2222222227145982,
    0.1818180819561001,  0.15385578203015357, 0.1328585450331718,
    0.12914783668699106,
};

static const Format formats[2] = {
    {23, 0x1.8p23, 127, 0x1.62e8p-1, -0x1.e8082e3086543p-16, 0x1p-126, 25,
     0x3f3504f3, -104.7, 89.5, 88.9, POLY(exp_f32), POLY(log_f32)},
    {52, 0x1.8p52, 1023, 0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45, 0x1p-1022,
     54, 0x3fe6a09e667f3bcd, -745.9, 710.5, 709.9, POLY(exp_f64),
     POLY(log_f64)},
};

static const Format *format_of(Lower *l, Val *x)
{
    return &formats[low_dtype(l, x) == DT_f64];
}

static DType bits_of(const Format *f)
{
    return f->mantissa == 52 ? DT_i64 : DT_i32;
}

/* 2^k for an integer k, within the normal exponents. */
static Val *power_of_2(Lower *l, const Format *f, Val *k)
{
    Val *biased = low_iadd(l, k, low_int(l, bits_of(f), f->bias));
    return low_from_bits(l, low_ishl(l, biased, f->mantissa));
}

/* x = k ln 2 + r, |r| <= ln(2)/2; k as an integer and as a real. */
static Val *split_exp(Lower *l, const Format *f, Val *x, Val **k, Val **real)
{
    Val *magic = num_like(l, x, f->magic);
    Val *raw = low_muladd(l, x, num_like(l, x, 1.44269504088896340736), magic);
    *real = low_fsub(l, raw, magic);
    Val *right = low_bits(l, magic);
    *k = low_isub(l, low_bits(l, raw), right);
    Val *minus = low_fneg(l, *real);
    Val *r = low_muladd(l, minus, num_like(l, x, f->ln2_hi), x);
    return low_muladd(l, minus, num_like(l, x, f->ln2_lo), r);
}

/* exp(r) - 1 for a small r. */
static Val *small_expm1(Lower *l, const Format *f, Val *r)
{
    Val *p = num_poly(l, f->exp, r);
    return low_muladd(l, low_fmul(l, r, r), p, r);
}

/* 2^(k + shift) p in two steps: one power would leave the range first. Machines
 * may stop for a while where a product is below the normal numbers, so the
 * first step never is, and has no bits where the second would have none. */
static Val *scale(Lower *l, const Format *f, Val *p, Val *k, int shift)
{
    DType t = bits_of(f);
    int by = f->rescue - 1;
    Val *down = low_icmp(l, CMP_lt, k, low_int(l, t, 0));
    Val *more =
        low_select(l, down, low_int(l, t, (int64_t)(by + 2) << f->mantissa),
                   low_int(l, t, 0));
    Val *first = low_iadd(l, more, low_int(l, t, (f->bias - 2) << f->mantissa));
    first = low_iadd(l, low_ishl(l, k, f->mantissa), first);
    /* Another choice is quicker, a difference is less code. */
    Val *up = num_like(l, p, ldexp(1, shift + 2));
    Val *rest =
        low_has_f64(l)
            ? low_select(l, down, num_like(l, p, ldexp(1, shift - by)), up)
            : low_from_bits(l, low_isub(l, low_bits(l, up), more));
    return low_fmul(l, low_fmul(l, p, low_from_bits(l, first)), rest);
}

static Val *in_range(Lower *l, Val *x)
{
    const Format *f = format_of(l, x);
    return num_clamp(l, x, f->lo, f->hi);
}

Val *num_exp_scaled(Lower *l, Val *x, int shift)
{
    const Format *f = format_of(l, x);
    Val *k, *real, *r = split_exp(l, f, in_range(l, x), &k, &real);
    Val *p = low_fadd(l, small_expm1(l, f, r), num_like(l, x, 1));
    return scale(l, f, p, k, shift);
}

Val *num_exp(Lower *l, Val *x) { return num_exp_scaled(l, x, 0); }

/* factor exp(hi + lo), exp(hi) factor (1 + lo), for an hi in range. */
static Val *times_exp(Lower *l, Val *factor, Pair x)
{
    const Format *f = format_of(l, x.hi);
    Val *k, *real, *r = split_exp(l, f, x.hi, &k, &real);
    r = small_expm1(l, f, low_fadd(l, r, x.lo));
    return scale(l, f, low_muladd(l, factor, r, factor), k, 0);
}

Val *num_times_exp(Lower *l, Val *factor, Pair x)
{
    return times_exp(l, factor, (Pair){in_range(l, x.hi), x.lo});
}

Val *num_exp_pair(Lower *l, Pair x)
{
    return num_times_exp(l, num_like(l, x.hi, 1), x);
}

/* 2^shift (exp(x + lo) - 1) = s (exp(r) - 1) + (s - 2^shift) with s =
 * 2^(k+shift): for k = 0 the last is 0 and all digits stay. */
static Val *scaled_expm1(Lower *l, Val *x, Val *lo, int shift)
{
    const Format *f = format_of(l, x);
    Val *k, *real;
    x = num_clamp(l, x, -40, shift < -1 ? f->hi : f->top);
    Val *r = split_exp(l, f, x, &k, &real);
    r = lo ? low_fadd(l, r, lo) : r;
    Val *s = power_of_2(l, f, low_iadd(l, k, low_int(l, bits_of(f), shift)));
    Val *right = low_fsub(l, s, num_like(l, x, ldexp(1, shift)));
    return low_muladd(l, s, small_expm1(l, f, r), right);
}

Val *num_half_expm1(Lower *l, Val *x) { return scaled_expm1(l, x, NULL, -1); }

Val *num_quarter_expm1(Lower *l, Val *x)
{
    return scaled_expm1(l, x, NULL, -2);
}

Val *num_half_expm1_pair(Lower *l, Pair x)
{
    return scaled_expm1(l, x.hi, x.lo, -1);
}

Val *num_expm1(Lower *l, Val *x)
{
    Val *h = num_half_expm1(l, x);
    return low_fcopysign(l, low_fadd(l, h, h), x);
}

/* x = 2^e m with m from sqrt(1/2) to sqrt(2), for finite x > 0. */
static Val *split_log(Lower *l, const Format *f, Val *x, Val **e)
{
    DType t = bits_of(f);
    Val *root = low_int(l, t, f->root), *magic = num_like(l, x, f->magic);
    Val *small = low_fcmp(l, CMP_lt, x, num_like(l, x, f->normal));
    Val *up = low_fmul(l, x, num_like(l, x, ldexp(1, f->rescue)));
    Val *bits = low_bits(l, low_select(l, small, up, x));
    Val *above = low_isub(l, bits, root);
    Val *k = low_isar(l, above, f->mantissa);
    Val *kr = low_from_bits(l, low_iadd(l, k, low_bits(l, magic)));
    Val *lift =
        low_select(l, small, num_like(l, x, f->rescue), num_like(l, x, 0));
    *e = low_fsub(l, low_fsub(l, kr, magic), lift);
    Val *mask = low_int(l, t, (INT64_C(1) << f->mantissa) - 1);
    return low_from_bits(l, low_iadd(l, low_iand(l, above, mask), root));
}

/* log x for finite x > 0: with f = m - 1, s = f/(2 + f), z = s² it is
 * e ln 2 + f - s (f - z R(z)). */
static Val *log_core(Lower *l, Val *x)
{
    const Format *fmt = format_of(l, x);
    Val *e, *m = split_log(l, fmt, x, &e);
    Val *f = low_fsub(l, m, num_like(l, x, 1));
    Val *s = low_fdiv(l, f, low_fadd(l, f, num_like(l, x, 2)));
    Val *z = low_fmul(l, s, s);
    Val *zr = low_fmul(l, z, num_poly(l, fmt->log, z));
    Val *t = low_fmul(l, s, low_fsub(l, f, zr));
    Val *lo = low_muladd(l, e, num_like(l, x, fmt->ln2_lo), low_fneg(l, t));
    return low_muladd(l, e, num_like(l, x, fmt->ln2_hi), low_fadd(l, f, lo));
}

/* r, the logarithm of u, but NaN for u < 0, -inf for 0, x where that is
 * infinite or NaN. */
static Val *log_cases(Lower *l, Val *r, Val *u, Val *x)
{
    Val *zero = num_like(l, x, 0), *inf = num_like(l, x, INFINITY);
    Val *right = low_fneg(l, inf);
    r = low_select(l, low_fcmp(l, CMP_eq, u, zero), right, r);
    r = low_select(l, low_fcmp(l, CMP_lt, u, zero), num_like(l, x, NAN), r);
    return low_select(l, low_fcmp(l, CMP_lt, x, inf), r, x);
}

Val *num_log(Lower *l, Val *x) { return log_cases(l, log_core(l, x), x, x); }

/* With 1 + x = u + c, u rounded: log u + c/u. */
static Val *log_of_sum(Lower *l, Pair u)
{
    Val *right = low_fdiv(l, u.lo, u.hi);
    return low_fadd(l, log_core(l, u.hi), right);
}

/* Of -0 it is -0. */
Val *num_log1p(Lower *l, Val *x)
{
    Pair u = num_two_sum(l, num_like(l, x, 1), x);
    return low_fcopysign(l, log_cases(l, log_of_sum(l, u), u.hi, x), x);
}

Val *num_log1p_unit(Lower *l, Val *x)
{
    return log_of_sum(l, num_fast_sum(l, num_like(l, x, 1), x));
}

/* x^(-1/3) in x - 3/2, 1 <= x <= 2 */
static const double inverse_root[] = {
    0.8735866534786306,   -0.19380899402670423, 0.08589119060270511,
    -0.04969162471653465, 0.028590806612689874,
};

/* a as 2^(3k) m, for finite a > 0: y is about m^(-1/3), and 2^k. */
static Val *split_cbrt(Lower *l, const Format *f, Val *a, Val **y, Val **power)
{
    DType t = bits_of(f);
    Val *one = num_like(l, a, 1), *magic = num_like(l, a, f->magic);
    Val *whole = low_bits(l, magic), *bits = low_bits(l, a);
    Val *e = low_ior(l, low_ishr(l, bits, f->mantissa), whole);
    Val *other = low_fadd(l, magic, num_like(l, a, (double)f->bias));
    e = low_fsub(l, low_from_bits(l, e), other);
    Val *raw = low_muladd(l, e, num_like(l, a, 1.0 / 3), magic);
    Val *j = low_muladd(l, low_fsub(l, raw, magic), num_like(l, a, -3), e);
    Val *mask = low_int(l, t, (INT64_C(1) << f->mantissa) - 1);
    Val *right = low_bits(l, one);
    Val *m = low_ior(l, low_iand(l, bits, mask), right);
    m = low_from_bits(l, m);
    Val *up = low_fcmp(l, CMP_gt, j, num_like(l, a, 0.5));
    Val *down = low_fcmp(l, CMP_lt, j, num_like(l, a, -0.5));
    Val *by = low_select(l, down, num_like(l, a, 1.2599210498948732), one);
    by = low_select(l, up, num_like(l, a, 0.7937005259840998), by);
    *y = num_poly(l, POLY(inverse_root), low_fsub(l, m, num_like(l, m, 1.5)));
    *y = low_fmul(l, *y, by);
    *power = power_of_2(l, f, low_isub(l, low_bits(l, raw), whole));
    by = low_select(l, down, num_like(l, a, 0.5), one);
    return low_fmul(l, m, low_select(l, up, num_like(l, a, 2), by));
}

/* y grows better by h = 1 - m y³: 1 + h/3 + 2h²/9 are the first terms of
 * (1 - h)^(-1/3). The root is m y², after a step of Newton's. */
static Val *cbrt_core(Lower *l, Val *a)
{
    Val *y, *power, *m = split_cbrt(l, format_of(l, a), a, &y, &power);
    Val *minus = low_fneg(l, m), *third = num_like(l, a, 1.0 / 3);
    Val *right = low_fmul(l, y, y);
    Val *h = low_muladd(l, low_fmul(l, minus, y), right, num_like(l, a, 1));
    Val *c = low_muladd(l, h, num_like(l, h, 2.0 / 9), third);
    y = low_muladd(l, low_fmul(l, y, h), c, y);
    Val *square = low_fmul(l, y, y), *r = low_fmul(l, m, square);
    Val *off = low_fma(l, low_fmul(l, r, r), r, minus);
    r = low_muladd(l, off, low_fmul(l, square, low_fneg(l, third)), r);
    return low_fmul(l, r, power);
}

/* Below the normal numbers. */
static Val *cbrt_far(Lower *l, Val *const *x)
{
    Val *up = low_fmul(l, low_fabs(l, x[0]), num_like(l, x[0], 0x1p54));
    return low_fmul(l, cbrt_core(l, up), num_like(l, x[0], 0x1p-18));
}

/* 0, infinities and NaN are their own roots. */
static Val *cbrt_body(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *r = cbrt_core(l, a);
    Val *zero = num_like(l, a, 0), *inf = num_like(l, a, INFINITY);
    Val *small =
        low_fcmp(l, CMP_lt, a, num_like(l, a, format_of(l, a)->normal));
    Val *some = low_fcmp(l, CMP_gt, a, zero);
    r = low_rarely(l, low_and(l, small, some), cbrt_far, x, r);
    some = low_and(l, some, low_fcmp(l, CMP_lt, a, inf));
    return low_fcopysign(l, low_select(l, some, r, a), x[0]);
}

Val *num_cbrt(Lower *l, Val *x)
{
    return low_shared(l, "cbrt", cbrt_body, 1, &x);
}

/* s = (m - 1)/(m + 1) in two parts. */
static Pair log_argument(Lower *l, Val *m)
{
    Val *one = num_like(l, m, 1);
    Val *f = low_fsub(l, m, one), *d = low_fadd(l, m, one);
    Val *d_lo = low_fsub(l, m, low_fsub(l, d, one));
    Val *q = low_fdiv(l, one, d), *s = low_fmul(l, f, q);
    Val *minus = low_fneg(l, s);
    Val *rest = low_fma(l, minus, d_lo, low_fma(l, minus, d, f));
    return (Pair){s, low_fmul(l, rest, q)};
}

/* (a.hi + a.lo)(b.hi + b.lo), but for a.lo b.lo. */
static Pair product(Lower *l, Pair a, Pair b)
{
    Pair p = num_two_prod(l, a.hi, b.hi);
    p.lo = low_fma(l, a.hi, b.lo, p.lo);
    p.lo = low_fma(l, a.lo, b.hi, p.lo);
    return p;
}

/* log x of a finite x > 0 to about 2^-65 in f64, 2^-36 in f32:
 * 2s + s³(2/3 + z Q(z)). */
static Pair log_in_two(Lower *l, Val *x)
{
    const Format *f = format_of(l, x);
    Val *e, *m = split_log(l, f, x, &e);
    Pair s = log_argument(l, m), z = product(l, s, s);
    Poly p = num_is_wide(l, x) ? POLY(log_pair) : (Poly){log_pair, 5};
    Pair third = num_constant(l, x, 2.0 / 3, 0x1.5555555555555p-55);
    Pair c = num_fast_sum(l, third.hi, low_fmul(l, z.hi, num_poly(l, p, z.hi)));
    c.lo = low_fadd(l, c.lo, third.lo);
    Pair q = product(l, product(l, s, z), c);
    Pair r = num_fast_sum(l, low_fadd(l, s.hi, s.hi), q.hi);
    r.lo = low_fadd(l, r.lo, low_fadd(l, q.lo, low_fadd(l, s.lo, s.lo)));
    Val *whole = low_fmul(l, e, num_like(l, x, f->ln2_hi));
    Pair t = num_two_sum(l, whole, r.hi);
    t.lo = low_fadd(l, t.lo, r.lo);
    t.lo = low_fma(l, e, num_like(l, x, f->ln2_lo), t.lo);
    return num_fast_sum(l, t.hi, t.lo);
}

/* a^b for finite a > 0, exp(b log a); any b. */
static Val *pow_core(Lower *l, Val *a, Val *b)
{
    Pair g = log_in_two(l, a), p = num_two_prod(l, b, g.hi);
    p.lo = low_fma(l, b, g.lo, p.lo);
    Val *hi = in_range(l, p.hi), *zero = num_like(l, a, 0);
    p.lo = low_select(l, low_fcmp(l, CMP_eq, hi, p.hi), p.lo, zero);
    return times_exp(l, num_like(l, a, 1), (Pair){hi, p.lo});
}

/* |a|^b: r where a and b are ordinary; a is not negative. */
static Val *pow_limits(Lower *l, Val *r, Val *a, Val *b)
{
    Val *zero = num_like(l, a, 0), *one = num_like(l, a, 1);
    Val *inf = num_like(l, a, INFINITY);
    Val *down = low_fcmp(l, CMP_lt, b, zero);
    Val *at_zero = low_select(l, down, inf, zero);
    Val *at_inf = low_select(l, down, zero, inf);
    Val *above = low_fcmp(l, CMP_gt, a, one);
    Val *endless = low_fcmp(l, CMP_eq, low_fabs(l, b), inf);
    Val *right = low_and(l, low_not(l, above), down);
    Val *grows = low_or(l, low_and(l, above, low_not(l, down)), right);
    r = low_select(l, endless, low_select(l, grows, inf, zero), r);
    r = low_select(l, low_fcmp(l, CMP_eq, a, zero), at_zero, r);
    r = low_select(l, low_fcmp(l, CMP_eq, a, inf), at_inf, r);
    return low_select(l, low_fcmp(l, CMP_eq, a, one), one, r);
}

/* The sign of a^b for a < 0, NaN where b is no integer, and what holds whatever
 * the other argument is: 1^b = a^0 = 1, else NaN of NaN. (C11 F.10.4.4) */
static Val *pow_cases(Lower *l, Val *r, Val *a, Val *b)
{
    Val *zero = num_like(l, a, 0), *one = num_like(l, a, 1);
    Val *nan = num_like(l, a, NAN), *inf = num_like(l, a, INFINITY);
    Val *whole = low_fcmp(l, CMP_eq, low_ftrunc(l, b), b);
    Val *half = low_fmul(l, b, num_like(l, a, 0.5));
    Val *odd =
        low_and(l, whole, low_fcmp(l, CMP_ne, low_ftrunc(l, half), half));
    Val *finite = low_fcmp(l, CMP_lt, low_fabs(l, a), inf);
    Val *more = low_and(l, finite, low_not(l, whole));
    Val *bad = low_and(l, low_fcmp(l, CMP_lt, a, zero), more);
    r = low_select(l, odd, low_fcopysign(l, r, a), r);
    r = low_select(l, bad, nan, r);
    Val *beside = low_fisnan(l, b);
    r = low_select(l, low_or(l, low_fisnan(l, a), beside), nan, r);
    Val *right = low_fcmp(l, CMP_eq, b, zero);
    Val *unit = low_or(l, low_fcmp(l, CMP_eq, a, one), right);
    return low_select(l, unit, one, r);
}

static Val *pow_any(Lower *l, Val *const *x)
{
    Val *m = low_fabs(l, x[0]), *r = pow_core(l, m, x[1]);
    return pow_cases(l, pow_limits(l, r, m, x[1]), x[0], x[1]);
}

/* Is the base not positive or one of them not finite. */
static Val *pow_is_odd(Lower *l, Val *a, Val *b)
{
    Val *inf = num_like(l, a, INFINITY);
    Val *right = low_fcmp(l, CMP_lt, a, inf);
    Val *plain = low_and(l, low_fcmp(l, CMP_gt, a, num_like(l, a, 0)), right);
    return low_not(l,
                   low_and(l, plain, low_fcmp(l, CMP_lt, low_fabs(l, b), inf)));
}

static Val *pow_body(Lower *l, Val *const *x)
{
    Val *odd = pow_is_odd(l, x[0], x[1]);
    return low_rarely(l, odd, pow_any, x, pow_core(l, x[0], x[1]));
}

Val *num_pow(Lower *l, Val *a, Val *b)
{
    Val *x[2] = {a, b};
    /* Is an integer odd? An f32 may not hold it. */
    if (low_dtype(l, b) != low_dtype(l, a) && low_has_f64(l))
        return num_in_f64(l, "pow", pow_body, 2, x);
    x[1] = low_convert(l, low_dtype(l, a), b);
    return low_shared(l, "pow", pow_body, 2, x);
}

/* Squares and multiplies, one step for each bit of the exponent. */
static Val *ipow_body(Lower *l, Val *const *x)
{
    DType t = low_dtype(l, x[0]);
    Val *a = x[0], *b = x[1], *zero = low_int(l, t, 0), *one = low_int(l, t, 1);
    Val *r = one;
    int bits = t == DT_u8 ? 8 : t == DT_i32 ? 31 : 63;
    for (int i = 0; i < bits; i++) {
        Val *bit = low_iand(l, b, low_int(l, t, INT64_C(1) << i));
        Val *set = low_icmp(l, CMP_ne, bit, zero);
        r = low_select(l, set, low_imul(l, r, a), r);
        a = low_imul(l, a, a);
    }
    if (t == DT_u8)
        return r;
    /* 1/a^-b rounded towards 0: only 1 and -1 leave anything. */
    Val *minus = low_int(l, t, -1);
    Val *odd = low_icmp(l, CMP_ne, low_iand(l, b, one), zero);
    Val *of_minus = low_select(l, odd, minus, one);
    Val *down = low_select(l, low_icmp(l, CMP_eq, x[0], minus), of_minus, zero);
    down = low_select(l, low_icmp(l, CMP_eq, x[0], one), one, down);
    return low_select(l, low_icmp(l, CMP_lt, b, zero), down, r);
}

Val *num_ipow(Lower *l, DType t, Val *a, Val *b)
{
    Val *x[2] = {a, b};
    (void)t;
    return low_shared(l, "ipow", ipow_body, 2, x);
}
