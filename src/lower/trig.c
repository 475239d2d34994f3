/* trig.c: machine code of the circular functions and their inverses.
 *
 * The polynomials are minimax fits (Remez); fit.py makes those it names. */
#include "lower/numeric.h"

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
/* n and d of tan r = r (1 + z n(z))/(1 + z d(z)) */
static const double tan_top[] = {
    -0.1282826286565649,
    0.0028058244353812187,
    -7.482725286781477e-06,
};
static const double tan_bottom[] = {
    -0.46161596198989624,
    0.023344478431954054,
    -0.0002084345716226029,
};
/* (tan r - r)/r³ in z */
static const double tan_f32[] = {
    0.3333315430581531,   0.13338866985262557,  0.053405568153434384,
    0.024450914169883074, 0.003085998718149348, 0.00940581589070256,
};
/* (asin x - x)/x³ in x², |x| <= 1/2 */
static const double asin_f64[] = {
    0.16666666666665408,  0.07500000000337011,   0.04464285682832553,
    0.03038195913727579,  0.022371758039408277,  0.01735970497131405,
    0.013885233108444308, 0.012169228546743743,  0.006527897762523358,
    0.019528485759130767, -0.016224607804289155, 0.031912516882368215,
};
static const double asin_f32[] = {
    0.16666754118620475, 0.07495233315455435,  0.04547825427886819,
    0.02414143845529509, 0.042229790653230126,
};
/* (atan x - x)/x³ in x², |x| <= tan(π/8) */
static const double atan_f64[] = {
    -0.33333333333330145, 0.19999999999087564,  -0.1428571419513742,
    0.11111106648249326,  -0.09090782283600843, 0.07690066435110557,
    -0.06641104650280075, 0.0569245102877084,   -0.0435883782600666,
    0.021256658064900593,
};
static const double atan_f32[] = {
    -0.33333315424499477, 0.1999848407523959,    -0.1424374020365881,
    0.10595149317496545,  -0.060811768504549855,
};

/* x = q π/2 + r, |r| a little over π/4 at most; q modulo 4 as an integer, r in
 * two parts. */
typedef struct Turn {
    Val *q;
    Pair r;
} Turn;

/* π/2 in three parts: k times the second is exact up to k = limit 2/π. */
typedef struct HalfPi {
    double high, mid, low, limit;
    double magic; /* adding it rounds to an integer, which stands in the low
                     bits */
} HalfPi;

static const HalfPi half_pi[2] = {
    {0x1.921fb6p+0, -0x1.778p-25, 0x1.68c234p-39, 0x1p13, 0x1.8p23},
    {0x1.921fb54442d18p+0, 0x1.1a62634p-54, -0x1.d747f23e32ed7p-83, 0x1p26,
     0x1.8p52},
};

static Val *low_bits_of(Lower *l, Val *raw)
{
    Val *bits = low_bits(l, raw);
    return low_iand(l, bits, low_int(l, low_dtype(l, bits), 3));
}

/* A real that is an integer below 2^51: as an i64, modulo 4. */
static Val *quadrant(Lower *l, Val *k)
{
    return low_bits_of(l, low_fadd(l, k, num_like(l, k, 0x1.8p52)));
}

/* Cody and Waite, up to the limit. The first product leaves an exact
 * difference, whatever k is, and so does what the second takes away, so that
 * the rest is known to more digits than r has. */
static Turn reduce(Lower *l, Val *x)
{
    const HalfPi *p = &half_pi[num_is_wide(l, x)];
    Val *magic = num_like(l, x, p->magic);
    Val *raw = low_muladd(l, x, num_like(l, x, 2 / PI), magic);
    Val *minus = low_fsub(l, magic, raw);
    Val *a = low_fma(l, minus, num_like(l, x, p->high), x);
    Val *mid = num_like(l, x, p->mid);
    Val *r = low_muladd(l, minus, mid, a);
    Val *rest = low_muladd(l, minus, mid, low_fsub(l, a, r));
    rest = low_muladd(l, minus, num_like(l, x, p->low), rest);
    return (Turn){low_bits_of(l, raw), {r, rest}};
}

/* What 2^(64 j)/(2π) is beyond whole numbers, to 212 bits and more. */
enum { PARTS = 4 };
static const double turns[16][PARTS] = {
    {0x1.45f306dc9c883p-3, -0x1.6b01ec5417056p-57, -0x1.6447e493ad4cep-111,
     0x1.e21c820ff28b2p-165},
    {0x1.fc2757d1f534ep-2, -0x1.1f924eb53361ep-57, 0x1.c820ff28b1d5fp-113,
     -0x1.443a9e48db91cp-170},
    {0x1.b6c52b3278872p-3, 0x1.07f9458eaf7afp-60, -0x1.d4f246dc8e2dfp-117,
     0x1.374b801924bbbp-172},
    {0x1.fe5163abdebbcp-2, 0x1.586dc91b8e909p-56, 0x1.ba5c00c925dd4p-111,
     0x1.3a32439fc3bd6p-167},
    {0x1.b7246e3a424ddp-2, 0x1.700324977504fp-57, -0x1.cdbc603c429c7p-111,
     0x1.894d39f74411bp-165},
    {0x1.924bba8274648p-8, 0x1.cfe1deb1cb12ap-62, -0x1.63045df7282b4p-116,
     -0x1.44bb7b16638fep-170},
    {0x1.fc3bd63962535p-3, -0x1.822efb9415a29p-59, 0x1.a24274ce38136p-113,
     -0x1.741037d8cdc54p-167},
    {-0x1.177dca0ad144cp-2, 0x1.213a671c09ad1p-56, 0x1.f7e413991d63ap-110,
     -0x1.f2b3182d8dee8p-164},
    {0x1.d338e04d68bf0p-3, -0x1.bec66e29c67cbp-58, 0x1.9cfa4e422fc5ep-113,
     -0x1.036be27003b40p-169},
    {0x1.3991d63983534p-2, -0x1.82d8dee81d108p-56, -0x1.b5f13801da001p-112,
     0x1.e05980fef2f12p-166},
    {0x1.3908bf177bf25p-3, 0x1.d8ffc4bffef03p-61, -0x1.9fc04343b9d29p-116,
     -0x1.f592e092c9813p-170},
    {-0x1.c00ed00043f4dp-3, 0x1.fde5e2316b415p-63, -0x1.2e092c98130d8p-118,
     -0x1.a7b24585ce04dp-173},
    {-0x1.0d0ee74a5f593p-6, 0x1.f6d367ecf27cbp-62, 0x1.36e9e8c7ecd3dp-119,
     -0x1.00ae9456c229cp-173},
    {-0x1.25930261b069fp-3, 0x1.b74f463f669e6p-58, -0x1.5d28ad8453814p-118,
     -0x1.a0e84c2f8c608p-174},
    {-0x1.61738132c3403p-3, 0x1.16ba93dd63f5fp-57, 0x1.7c5ecf41ce7dep-112,
     0x1.4a525d4d7f6bfp-167},
    {0x1.7527bac7ebe5fp-2, 0x1.7b3d0739f78a5p-58, 0x1.497535fdafd89p-113,
     -0x1.ca8bdea7f33eep-172},
};

/* x = y 2^(64 j), with y an integer below 2^117 where j is not 0: y, and the
 * parts of turns[j]. */
static Val *pick_turns(Lower *l, Val *x, Val **part)
{
    Val *a = low_fabs(l, x), *by = num_like(l, x, 1);
    for (int i = 0; i < PARTS; i++)
        part[i] = num_like(l, x, turns[0][i]);
    for (int j = 1; j < 16; j++) {
        Val *m = low_fcmp(l, CMP_ge, a, num_like(l, x, ldexp(1, 64 * j + 53)));
        by = low_select(l, m, num_like(l, x, ldexp(1, -64 * j)), by);
        for (int i = 0; i < PARTS; i++)
            part[i] = low_select(l, m, num_like(l, x, turns[j][i]), part[i]);
    }
    return low_fmul(l, x, by);
}

/* sum + v, less whole numbers. */
static void add_turns(Lower *l, Pair *sum, Val *v)
{
    v = low_fsub(l, v, low_frint(l, v));
    Pair s = num_two_sum(l, sum->hi, v);
    *sum = (Pair){s.hi, low_fadd(l, sum->lo, s.lo)};
}

/* Any finite x: the products of y with the parts are exact, and whole turns are
 * dropped from each. (Payne, Hanek 1983) */
static Turn reduce_huge(Lower *l, Val *x)
{
    Val *part[PARTS], *y = pick_turns(l, x, part), *four = num_like(l, x, 4);
    Pair sum = {num_like(l, x, 0), num_like(l, x, 0)};
    for (int i = 0; i < PARTS; i++) {
        Pair p = num_two_prod(l, y, part[i]);
        add_turns(l, &sum, p.hi);
        add_turns(l, &sum, p.lo);
    }
    Val *quarters = low_fmul(l, sum.hi, four), *k = low_frint(l, quarters);
    Val *right = low_fmul(l, sum.lo, four);
    Pair f = num_fast_sum(l, low_fsub(l, quarters, k), right);
    Pair r = num_two_prod(l, f.hi, num_like(l, x, PI / 2));
    r.lo = low_fma(l, f.hi, num_like(l, x, 0x1.1a62633145c07p-54), r.lo);
    r.lo = low_fma(l, f.lo, num_like(l, x, PI / 2), r.lo);
    return (Turn){quadrant(l, k), r};
}

/* 2/π in binary after 32 zeros; f32's exponents reach so far. */
static const uint32_t turn_bits[8] = {
    0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
    0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab,
};

/* The 96 bits of that from number `from` on, the highest word first. */
static void pick_bits(Lower *l, Val *from, Val **word)
{
    Val *first = low_isar(l, from, 5), *part[4];
    for (int i = 0; i < 4; i++) {
        part[i] = low_int(l, DT_i32, (int32_t)turn_bits[i]);
        for (int j = 1; j < 5; j++) {
            Val *is = low_icmp(l, CMP_eq, first, low_int(l, DT_i32, j));
            Val *bits = low_int(l, DT_i32, (int32_t)turn_bits[i + j]);
            part[i] = low_select(l, is, bits, part[i]);
        }
    }
    Val *by = low_iand(l, from, low_int(l, DT_i32, 31));
    Val *rest = low_isub(l, low_int(l, DT_i32, 31), by);
    for (int i = 0; i < 3; i++) {
        Val *low = low_ishr_by(l, low_ishr(l, part[i + 1], 1), rest);
        word[i] = low_ior(l, low_ishl_by(l, part[i], by), low);
    }
}

static Val *unsigned_i64(Lower *l, Val *x)
{
    return low_iand(l, low_convert(l, DT_i64, x),
                    low_int(l, DT_i64, UINT32_MAX));
}

/* High and low word of m times the words, modulo 2^96 and without the lowest
 * word. m is below 2^24. */
static Val *times_bits(Lower *l, Val *m, Val *const *word)
{
    Val *wide = unsigned_i64(l, m);
    Val *low = low_imul(l, wide, unsigned_i64(l, word[2]));
    Val *mid = low_imul(l, wide, unsigned_i64(l, word[1]));
    Val *high = low_convert(l, DT_i64, low_imul(l, m, word[0]));
    mid = low_iadd(l, mid, low_ishr(l, low, 32));
    return low_iadd(l, mid, low_ishl(l, high, 32));
}

/* The signed number f 2^-62 of quarter turns as an angle: exact pieces of f,
 * from the highest bits down, of which any may be 0. */
static Val *angle_of(Lower *l, Val *f)
{
    Val *mask = low_int(l, DT_i64, 0xffffff);
    Val *top = low_convert(l, DT_i32, low_isar(l, f, 40));
    Val *mid = low_convert(l, DT_i32, low_iand(l, low_ishr(l, f, 16), mask));
    Val *end =
        low_convert(l, DT_i32, low_iand(l, f, low_int(l, DT_i64, 0xffff)));
    Val *right =
        low_fmul(l, low_convert(l, DT_f32, end), low_real(l, DT_f32, 0x1p-62));
    Val *sum = low_fadd(
        l,
        low_fmul(l, low_convert(l, DT_f32, mid), low_real(l, DT_f32, 0x1p-46)),
        right);
    top =
        low_fmul(l, low_convert(l, DT_f32, top), low_real(l, DT_f32, 0x1p-22));
    return low_fmul(l, low_fadd(l, top, sum), low_real(l, DT_f32, PI / 2));
}

/* f32 without f64, x >= 0: the mantissa times those of 2/π's bits
 * that are no whole turns, in integers. (Payne, Hanek 1983) */
static Turn reduce_in_f32(Lower *l, Val *x)
{
    enum { NEAR = 126, ENDLESS = 255 }; /* exponents of 1/2, of infinity */
    Val *bits = low_bits(l, x), *word[3];
    Val *exponent = low_ishr(l, bits, 23);
    Val *m = low_iand(l, bits, low_int(l, DT_i32, 0x7fffff));
    m = low_ior(l, m, low_int(l, DT_i32, 0x800000));
    pick_bits(l, low_isub(l, exponent, low_int(l, DT_i32, 120)), word);
    Val *p = times_bits(l, m, word);
    Val *q =
        low_ishr(l, low_iadd(l, p, low_int(l, DT_i64, INT64_C(1) << 61)), 62);
    Val *r = angle_of(l, low_isub(l, p, low_ishl(l, q, 62)));
    Val *near = low_icmp(l, CMP_lt, exponent, low_int(l, DT_i32, NEAR));
    q = low_select(l, near, low_int(l, DT_i32, 0), low_convert(l, DT_i32, q));
    r = low_select(l, near, x, r);
    Val *endless = low_icmp(l, CMP_eq, exponent, low_int(l, DT_i32, ENDLESS));
    r = low_select(l, endless, low_fsub(l, x, x), r);
    return (Turn){q, {r, NULL}};
}

/* r + a b; r.lo is NULL where it has no such part. */
static Val *plus_low(Lower *l, Pair r, Val *a, Val *b)
{
    return r.lo ? low_fadd(l, r.hi, low_muladd(l, a, b, r.lo))
                : low_muladd(l, a, b, r.hi);
}

/* sin(r.hi + r.lo) and cos of it. */
static Val *sin_core(Lower *l, Pair r)
{
    Val *z = low_fmul(l, r.hi, r.hi);
    Poly p = num_is_wide(l, z) ? POLY(sin_table) : POLY(sin_short);
    Val *cube = low_fmul(l, z, r.hi);
    return plus_low(l, r, cube, num_poly(l, p, z));
}

static Val *cos_core(Lower *l, Pair r)
{
    Val *z = low_fmul(l, r.hi, r.hi), *one = num_like(l, z, 1);
    Poly p = num_is_wide(l, z) ? POLY(cos_table) : POLY(cos_short);
    Val *half = low_fmul(l, z, num_like(l, z, 0.5)),
        *w = low_fsub(l, one, half);
    Val *lost = low_fsub(l, low_fsub(l, one, w), half);
    Val *t = r.lo ? low_muladd(l, r.hi, low_fneg(l, r.lo), lost) : lost;
    Val *right = num_poly(l, p, z);
    t = low_muladd(l, low_fmul(l, z, z), right, t);
    return low_fadd(l, w, t);
}

static Val *is_odd(Lower *l, Val *q)
{
    DType t = low_dtype(l, q);
    Val *set = low_iand(l, q, low_int(l, t, 1));
    return low_icmp(l, CMP_ne, set, low_int(l, t, 0));
}

/* r, negated where that bit of q is set. */
static Val *negate_where(Lower *l, Val *q, int bit, Val *r)
{
    int top = num_is_wide(l, r) ? 63 : 31;
    DType t = low_dtype(l, q);
    q = low_iand(l, q, low_int(l, t, INT64_C(1) << bit));
    Val *right = low_ishl(l, q, top - bit);
    return low_from_bits(l, low_ixor(l, low_bits(l, r), right));
}

/* Negated where x is. */
static Val *negate_as(Lower *l, Val *x, Val *r)
{
    Val *signs = low_bits(l, low_fcopysign(l, num_like(l, x, 0), x));
    return low_from_bits(l, low_ixor(l, low_bits(l, r), signs));
}

static Val *turned(Lower *l, Turn t)
{
    Val *sine = sin_core(l, t.r), *cosine = cos_core(l, t.r);
    Val *s = low_select(l, is_odd(l, t.q), cosine, sine);
    return negate_where(l, t.q, 1, s);
}

/* sin x from |x| in turns; of -0 it is -0. */
static Val *sin_turned(Lower *l, Turn t, Val *x)
{
    return negate_as(l, x, turned(l, t));
}

/* cos is sin a quarter further. */
static Val *cos_turned(Lower *l, Turn t, Val *x)
{
    (void)x;
    t.q = low_iadd(l, t.q, low_int(l, low_dtype(l, t.q), 1));
    return turned(l, t);
}

/* tan r as a fraction: in f32 a polynomial, in f64, where that would be long,
 * r (1 + z n(z))/(1 + z d(z)); a quarter further it is turned over. */
static Val *tan_turned(Lower *l, Turn t, Val *x)
{
    Val *z = low_fmul(l, t.r.hi, t.r.hi), *cube = low_fmul(l, z, t.r.hi);
    Val *bottom = num_like(l, z, 1), *odd = is_odd(l, t.q);
    Poly p = num_is_wide(l, z) ? POLY(tan_top) : POLY(tan_f32);
    Val *top = plus_low(l, t.r, cube, num_poly(l, p, z));
    if (num_is_wide(l, z))
        bottom = low_muladd(l, z, num_poly(l, POLY(tan_bottom), z), bottom);
    Val *right = low_select(l, odd, top, bottom);
    Val *r = low_fdiv(l, low_select(l, odd, bottom, top), right);
    return negate_as(l, x, negate_where(l, t.q, 0, r));
}

/* One function for all x: up to the limit, then the rare huge x apart, those of
 * f32 in f64. Machines without f64 are small, and integers do for all x. */
typedef Val *Turned(Lower *l, Turn t, Val *x);

static Val *circular(Lower *l, Turned *of, LowerBody *huge, Val *const *x)
{
    Val *a = low_fabs(l, x[0]);
    bool wide = num_is_wide(l, a);
    if (!wide && !low_has_f64(l))
        return of(l, reduce_in_f32(l, a), x[0]);
    Val *limit = num_like(l, a, half_pi[wide].limit);
    Val *right = of(l, reduce(l, a), x[0]);
    return low_rarely(l, low_fcmp(l, CMP_gt, a, limit), huge, x, right);
}

#define CIRCULAR(f)                                                            \
    static Val *f##_body(Lower *l, Val *const *x);                             \
    static Val *f##_huge(Lower *l, Val *const *x)                              \
    {                                                                          \
        if (!num_is_wide(l, x[0]))                                             \
            return num_in_f64(l, #f, f##_body, 1, x);                          \
        return f##_turned(l, reduce_huge(l, low_fabs(l, x[0])), x[0]);         \
    }                                                                          \
    static Val *f##_body(Lower *l, Val *const *x)                              \
    {                                                                          \
        return circular(l, f##_turned, f##_huge, x);                           \
    }                                                                          \
    Val *num_##f(Lower *l, Val *x)                                             \
    {                                                                          \
        return low_shared(l, #f, f##_body, 1, &x);                             \
    }
CIRCULAR(sin)
CIRCULAR(cos)
CIRCULAR(tan)
#undef CIRCULAR

Val *num_sin_and_cos(Lower *l, Val *x, Val **cos)
{
    static LowerBody *const both[] = {sin_body, cos_body};
    return low_shared_pair(l, "sin_and_cos", both, x, cos);
}

/* πr for |r| <= 1/2 as an angle up to π/4, or what is left to π/2. */
static Pair half_turn(Lower *l, Val *r, Val **beyond)
{
    Val *a = low_fabs(l, r);
    *beyond = low_fcmp(l, CMP_gt, a, num_like(l, r, 0.25));
    a = low_select(l, *beyond, low_fsub(l, num_like(l, r, 0.5), a), a);
    Pair pi = num_constant(l, r, PI, 0x1.1a62633145c07p-53);
    Pair p = num_two_prod(l, a, pi.hi);
    p.lo = low_fma(l, a, pi.lo, p.lo);
    return p;
}

Val *num_sinpi(Lower *l, Val *r)
{
    Val *beyond;
    Pair p = half_turn(l, r, &beyond);
    Val *right = sin_core(l, p);
    Val *s = low_select(l, beyond, cos_core(l, p), right);
    return low_fcopysign(l, s, r);
}

Val *num_cospi(Lower *l, Val *r)
{
    Val *beyond;
    Pair p = half_turn(l, r, &beyond);
    Val *right = cos_core(l, p);
    return low_select(l, beyond, sin_core(l, p), right);
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
    Poly p = num_is_wide(l, x) ? POLY(asin_f64) : POLY(asin_f32);
    Val *right = num_poly(l, p, z);
    *tail = low_fmul(l, low_fmul(l, t, z), right);
    return t;
}

static Val *asin_body(Lower *l, Val *const *x)
{
    Val *outer, *tail, *t = asin_core(l, x[0], &outer, &tail);
    Val *inner = low_fadd(l, t, tail), *two = num_like(l, t, -2);
    Val *r = low_muladd(l, two, inner, num_like(l, t, PI / 2));
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
    Poly p = num_is_wide(l, t) ? POLY(atan_f64) : POLY(atan_f32);
    Val *right = num_poly(l, p, z);
    Val *tail = low_fmul(l, low_fmul(l, t, z), right);
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

/* Of |y| and |x|, with the signs of both. */
static Val *atan2_signed(Lower *l, Val *r, Val *y, Val *x)
{
    Val *zero = num_like(l, x, 0), *one = num_like(l, x, 1);
    Val *left = low_fcmp(l, CMP_lt, low_fcopysign(l, one, x), zero);
    r = low_select(l, left, low_fsub(l, num_like(l, x, PI), r), r);
    return low_fcopysign(l, r, y);
}

enum { NEAR_LIMIT = 1000, NEAR_LIMIT_F32 = 120 };

/* x[0] is y, x[1] is x. Both are made smaller where their sum could overflow,
 * and both infinite count as both 1. */
static Val *atan2_far(Lower *l, Val *const *arg)
{
    Val *y = low_fabs(l, arg[0]), *x = low_fabs(l, arg[1]);
    Val *zero = num_like(l, x, 0), *one = num_like(l, x, 1);
    Val *inf = num_like(l, x, INFINITY);
    Val *more = low_fcmp(l, CMP_eq, y, inf);
    Val *ends = low_and(l, low_fcmp(l, CMP_eq, x, inf), more);
    Val *beside = low_fcmp(l, CMP_eq, y, zero);
    Val *origin = low_and(l, low_fcmp(l, CMP_eq, x, zero), beside);
    Val *n = low_select(l, ends, one, y);
    Val *d = low_select(l, low_or(l, ends, origin), one, x);
    Val *large = low_fcmp(l, CMP_gt, num_max(l, n, d), num_like(l, x, 0x1p100));
    Val *by = low_select(l, large, num_like(l, x, 0x1p-3), one);
    Val *other = low_fmul(l, d, by);
    Val *r = atan_ratio(l, low_fmul(l, n, by), other);
    r = atan2_signed(l, r, arg[0], arg[1]);
    Val *right = low_fisnan(l, arg[1]);
    Val *bad = low_or(l, low_fisnan(l, arg[0]), right);
    return low_select(l, bad, num_like(l, x, NAN), r);
}

static Val *atan2_body(Lower *l, Val *const *arg)
{
    Val *y = low_fabs(l, arg[0]), *x = low_fabs(l, arg[1]);
    Val *s = low_fadd(l, x, y);
    int most = num_is_wide(l, s) ? NEAR_LIMIT : NEAR_LIMIT_F32;
    Val *right = low_fcmp(l, CMP_lt, s, num_like(l, s, ldexp(1, most)));
    Val *plain = low_and(l, low_fcmp(l, CMP_gt, s, num_like(l, s, 0)), right);
    Val *r = atan2_signed(l, atan_ratio(l, y, x), arg[0], arg[1]);
    return low_rarely(l, low_not(l, plain), atan2_far, arg, r);
}

Val *num_atan2(Lower *l, Val *y, Val *x)
{
    Val *arg[2] = {y, x};
    return low_shared(l, "atan2", atan2_body, 2, arg);
}

/* Scaled by a power of 2 where a square would leave the range. Infinite if
 * either is, even where the other is NaN. (C11 F.10.4.3) */
static Val *hypot_far(Lower *l, Val *const *x)
{
    bool wide = num_is_wide(l, x[0]);
    Val *a = low_fabs(l, x[0]), *b = low_fabs(l, x[1]);
    Val *m = num_max(l, a, b), *inf = num_like(l, a, INFINITY);
    Val *large = low_fcmp(l, CMP_gt, m, num_like(l, a, 1));
    Val *by = low_select(l, large, num_like(l, a, wide ? 0x1p-600 : 0x1p-75),
                         num_like(l, a, wide ? 0x1p600 : 0x1p100));
    Val *back = low_select(l, large, num_like(l, a, wide ? 0x1p600 : 0x1p75),
                           num_like(l, a, wide ? 0x1p-600 : 0x1p-100));
    Val *ca = low_fmul(l, a, by), *cb = low_fmul(l, b, by);
    Val *r = low_fsqrt(l, low_muladd(l, ca, ca, low_fmul(l, cb, cb)));
    Val *right = low_fcmp(l, CMP_eq, b, inf);
    Val *endless = low_or(l, low_fcmp(l, CMP_eq, a, inf), right);
    return low_select(l, endless, inf, low_fmul(l, r, back));
}

static Val *hypot_body(Lower *l, Val *const *x)
{
    bool wide = num_is_wide(l, x[0]);
    Val *s = low_muladd(l, x[0], x[0], low_fmul(l, x[1], x[1]));
    Val *right =
        low_fcmp(l, CMP_lt, s, num_like(l, s, wide ? 0x1p1000 : 0x1p120));
    Val *plain = low_and(
        l, low_fcmp(l, CMP_gt, s, num_like(l, s, wide ? 0x1p-900 : 0x1p-90)),
        right);
    Val *root = low_fsqrt(l, s);
    return low_rarely(l, low_not(l, plain), hypot_far, x, root);
}

Val *num_hypot(Lower *l, Val *a, Val *b)
{
    Val *x[2] = {a, b};
    return low_shared(l, "hypot", hypot_body, 2, x);
}
