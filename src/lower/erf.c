/* erf.c: machine code of the error function, scaled too, and of the normal
 * distribution.
 *
 * The polynomials are minimax fits (Remez); fit.py makes those it names. */
#include "lower/numeric.h"

#include <math.h>

#define SQRT1_2 0x1.6a09e667f3bcdp-1

/* -log(erfc(x))/x, from 0 to where erf is 1 */
static const double erf_f64[] = {
    1.1283791670955126,      0.6366197723675909,     0.1027726033013141,
    -0.019128446993059635,   -0.000209194854332816,  0.0016962076726228417,
    -0.0005901324421505575,  2.5904535951909936e-05, 6.442039288643181e-05,
    -2.957553790342956e-05,  3.169508180363872e-06,  3.133124107169865e-06,
    -2.0373158778648412e-06, 5.707127913142267e-07,  -1.1748942328127431e-08,
    -6.571692150984342e-08,  3.4579400209422586e-08, -1.0771923789840924e-08,
    2.360220283039934e-09,   -3.760242393404721e-10, 4.301229795337326e-11,
    -3.3638883752880317e-12, 1.61463222369504e-13,   -3.591616273062214e-15,
};
static const double erf_f32[] = {
    1.1283791716152414,     0.636619381872077,      0.10277783169731118,
    -0.019153069140814657,  -0.0001603849692947164, 0.0016670147470776915,
    -0.0006328289218774835, 0.00011763876036409729, -9.255950844528714e-06,
};
/* erf(x)/x - 1 in x², |x| <= 1/2 */
static const double small_f64[] = {
    0.12837916709551256,    -0.37612638903183465,    0.11283791670924813,
    -0.026866170632715732,  0.005223977370326443,    -0.0008548297524457798,
    0.00012053324318444001, -1.4845583888616137e-05, 1.472321709367082e-06,
};
static const double small_f32[] = {
    0.12837916556712284,  -0.37612608571914513, 0.11282822801120737,
    -0.02675718405449758, 0.004717990129679933,
};
/* (x + 4) exp(x²) erfc(x) in t = (x - 4)/(x + 4), x >= 0. (after Shepherd,
 * Laframboise 1981) */
static const double erfcx_f64[] = {
    1.095995661000491,       -0.9765487290808816,     0.7732087022652332,
    -0.5408538313132637,     0.3308515878782122,      -0.1740109372391378,
    0.07638151490537408,     -0.026370053350610764,   0.00611205569474981,
    -0.0002809587908132477,  -0.00045505290664162284, 0.0001768124812568172,
    -3.6343965517533983e-06, -1.8859885883588797e-05, 4.692750045067035e-06,
    1.4221939648056027e-06,  -8.440975784285832e-07,  -7.286096221570092e-08,
    1.2286559309245377e-07,  -1.3777276109101361e-09, -1.541881347566385e-08,
    1.1536148089285398e-09,  1.233764876946745e-09,   -1.5567764199583643e-10,
};
static const double erfcx_f32[] = {
    1.0959956586229738,      -0.9765487005413768,     0.7732088859177131,
    -0.5408547615382684,     0.3308493849766654,      -0.17400257638913172,
    0.07639070459044012,     -0.026401609983003844,   0.0060962780160518475,
    -0.00022348579558277126, -0.00044612680377403163, 0.00012593090314195137,
};

/* 1/(a + shift) is inverse times 1 + rest. */
typedef struct Shifted {
    Val *sum, *inverse, *rest;
} Shifted;

static Shifted shifted(Lower *l, Pair a, double shift)
{
    Val *by = num_like(l, a.hi, shift), *one = num_like(l, a.hi, 1);
    Val *d = low_fadd(l, a.hi, by), *q = low_fdiv(l, one, d);
    Val *minus = low_fneg(l, q), *zero = num_like(l, q, 0);
    Val *lost = low_fadd(l, low_fsub(l, a.hi, low_fsub(l, d, by)), a.lo);
    Val *rest = low_fma(l, minus, lost, low_fma(l, minus, d, one));
    rest = low_select(l, low_fcmp(l, CMP_gt, q, zero), rest, zero);
    return (Shifted){d, q, rest};
}

/* (a - centre)/(a + centre), a >= 0, from the nearer of -1 and 1 on. */
static Val *folded(Lower *l, Val *a, double centre)
{
    Val *c = num_like(l, a, centre), *one = num_like(l, a, 1);
    Val *first = low_fcmp(l, CMP_lt, a, c);
    Val *smaller = low_select(l, first, a, c), *sum = low_fadd(l, a, c);
    Val *part = low_fdiv(l, smaller, sum), *less = low_fadd(l, part, part);
    Val *below = low_fsub(l, less, one), *above = low_fsub(l, one, less);
    return low_select(l, first, below, above);
}

/* exp(a²) erfc(a) for a >= 0 is part/(a + 4) times 1 + rest. */
typedef struct Scaled {
    Val *part, *inverse; /* of a + 4 */
    Val *rest_part;      /* 1 + this is a factor of part */
    Val *rest;
} Scaled;

/* P(t), with what the roundings of a + 4, of its inverse and of t take, and
 * a.lo; P'/P is about 0.6 t - 1. */
static Scaled scaled_erfc(Lower *l, Pair a)
{
    Shifted s = shifted(l, a, 4);
    Val *q = s.inverse, *rest = s.rest, *one = num_like(l, q, 1);
    Val *times = num_like(l, q, -8), *less = low_fmul(l, q, times);
    Val *t = low_fadd(l, one, less);
    Val *rest_t = low_fadd(l, less, low_fsub(l, one, t));
    rest_t = low_muladd(l, less, rest, rest_t);
    Val *slope = low_muladd(l, t, num_like(l, t, 0.6), num_like(l, t, -1));
    Poly p = num_is_wide(l, t) ? POLY(erfcx_f64) : POLY(erfcx_f32);
    Val *of_part = low_fmul(l, rest_t, slope);
    return (Scaled){num_poly_from(l, p, p.n / 4, t), q, of_part,
                    low_fadd(l, rest, of_part)};
}

/* Times 1 + s.rest. */
static Val *rounded(Lower *l, Scaled s)
{
    return low_fmul(l, s.part, s.inverse);
}

static Val *erfcx_core(Lower *l, Scaled s)
{
    Val *r = rounded(l, s);
    return low_muladd(l, r, s.rest, r);
}

/* erfc(a) for a >= 0, 0 from 28 on. */
static Val *erfc_core(Lower *l, Val *a)
{
    a = num_clamp(l, a, 0, 28);
    Scaled s = scaled_erfc(l, (Pair){a, num_like(l, a, 0)});
    Pair square = num_two_prod(l, low_fneg(l, a), a);
    square.lo = low_fadd(l, square.lo, s.rest);
    return num_times_exp(l, rounded(l, s), square);
}

/* erf(x) for |x| <= 1/2. */
static Val *erf_small(Lower *l, Val *x)
{
    Val *z = low_fmul(l, x, x);
    Poly p = num_is_wide(l, x) ? POLY(small_f64) : POLY(small_f32);
    return low_muladd(l, x, num_poly(l, p, z), x);
}

static Val *is_within(Lower *l, Val *x, double limit)
{
    return low_fcmp(l, CMP_lt, low_fabs(l, x), num_like(l, x, limit));
}

static Val *erfc_body(Lower *l, Val *const *x)
{
    Val *r = erfc_core(l, low_fabs(l, x[0])), *one = num_like(l, r, 1);
    Val *neg = low_fcmp(l, CMP_lt, x[0], num_like(l, r, 0));
    r = low_select(l, neg, low_fsub(l, num_like(l, r, 2), r), r);
    Val *near = low_fsub(l, one, erf_small(l, x[0]));
    return low_select(l, is_within(l, x[0], 0.5), near, r);
}

/* 1 - exp(log(erfc|x|)), so the polynomial is one for all x. */
static Val *erf_body(Lower *l, Val *const *x)
{
    bool wide = num_is_wide(l, x[0]);
    Val *a = num_clamp(l, low_fabs(l, x[0]), 0, wide ? 5.93 : 3.93);
    Val *p = num_poly(l, wide ? POLY(erf_f64) : POLY(erf_f32), a);
    Pair y = num_two_prod(l, low_fneg(l, a), p);
    Val *h = num_half_expm1_pair(l, y);
    return low_fcopysign(l, low_fadd(l, h, h), x[0]);
}

Val *num_erf(Lower *l, Val *x) { return low_shared(l, "erf", erf_body, 1, &x); }

Val *num_erfc(Lower *l, Val *x)
{
    return low_shared(l, "erfc", erfc_body, 1, &x);
}

/* Scaled, and of the normal distribution */

/* factor exp(rest - a²/2) for a >= 0, as precise as a is. */
static Val *times_half_square(Lower *l, Val *factor, Val *a, Val *rest)
{
    a = num_clamp(l, a, 0, num_is_wide(l, a) ? 40 : 15);
    Pair square = num_two_prod(l, low_fmul(l, a, num_like(l, a, -0.5)), a);
    square.lo = low_fadd(l, square.lo, rest);
    return num_times_exp(l, factor, square);
}

/* For a < 0: 2 exp(a²) - erfcx(-a). Next to 0 from erf. */
static Val *erfcx_body(Lower *l, Val *const *x)
{
    bool wide = low_dtype(l, x[0]) == DT_f64;
    Val *a = low_fabs(l, x[0]), *zero = num_like(l, a, 0);
    Val *r = erfcx_core(l, scaled_erfc(l, (Pair){a, zero}));
    Val *tame = num_clamp(l, a, 0, wide ? 27 : 10);
    Val *e = num_exp_pair(l, num_two_prod(l, tame, tame));
    Val *below = low_fcmp(l, CMP_lt, x[0], zero);
    r = low_select(l, below, low_fsub(l, low_fadd(l, e, e), r), r);
    Val *near = low_fsub(l, num_like(l, a, 1), erf_small(l, x[0]));
    near = low_fmul(l, e, near);
    return low_select(l, is_within(l, x[0], 0.5), near, r);
}

Val *num_erfcx(Lower *l, Val *x)
{
    return low_shared(l, "erfcx", erfcx_body, 1, &x);
}

/* w(1, a) (a + 1)² and w(2, a) (a + 0.9)³ in t = (a - 4)/(a + 4), a >= 0 */
static const double erfcx_1[] = {
    0.40479382618776816,    -0.19774640519425596,    0.09548549725274016,
    -0.0031292786038419895, -0.04700895512965841,    0.05303996761237362,
    -0.03414299462988608,   0.012189180609894521,    0.0009068039414933641,
    -0.0044458944049560216, 0.0030960885638358763,   -0.0010836928881155046,
    5.745947773997064e-05,  0.0001342316365504855,   -5.378953349695609e-05,
    -4.585386562500952e-06, 9.397650826774084e-06,   -1.239383071451877e-06,
    -1.298610824254463e-06, 3.883043298185384e-07,   1.7347356283779712e-07,
    -8.05810191268751e-08,  -2.3735370191800704e-08, 1.4222291761377801e-08,
    2.987372130416221e-09,  -1.9896283622952583e-09, -2.352862021000436e-10,
    1.5907164384678815e-10,
};
static const double erfcx_2[] = {
    0.21957518895953274,     -0.11126602761144101,    0.014891084168116308,
    0.06069429134460403,     -0.07915842822267478,    0.05040059922104907,
    -0.009847476974469879,   -0.014298959113745728,   0.01680052533517411,
    -0.008395952820291668,   0.0006990883076964856,   0.002023414607664946,
    -0.0014454488583788645,  0.00033202911598275396,  0.00013065946403754668,
    -0.0001060846411656943,  7.440125586569208e-06,   1.7524742506261147e-05,
    -4.973845588896592e-06,  -2.4246750436353633e-06, 1.2602785221912624e-06,
    3.2987096288967076e-07,  -2.625661471286758e-07,  -4.88905816739467e-08,
    4.8149990045263576e-08,  7.78380251037075e-09,    -6.937771134359242e-09,
    -1.0749391255256558e-09, 5.598442414026816e-10,   8.410560837711502e-11,
};

/* Of the order 1 or 2, for a >= 0. */
static Val *integral_fitted(Lower *l, int k, Val *a)
{
    Val *t = folded(l, a, 4);
    Val *w = k == 1 ? num_poly_from(l, POLY(erfcx_1), 8, t)
                    : num_poly_from(l, POLY(erfcx_2), 8, t);
    Shifted s = shifted(l, (Pair){a, num_like(l, a, 0)}, k == 1 ? 1 : 0.9);
    Pair square = num_two_prod(l, s.inverse, s.inverse);
    w = k == 1 ? w : low_fmul(l, w, s.inverse);
    Val *r = low_fmul(l, w, square.hi);
    Val *rest = low_fmul(l, s.rest, num_like(l, a, k + 1));
    return low_fadd(l, r, low_muladd(l, w, square.lo, low_fmul(l, r, rest)));
}

/* w(k, a) (2.7 + 2a)^(k+1) in t = (a - 4)/(a + 4), a >= 0, for k = 8 and 9;
 * interpolation at Chebyshev's points */
static const double erfcx_8[] = {
    5.142268549235166,       -5.044570213121491,      -4.369041859823981,
    11.057401477027518,      -4.085795815202806,      -7.995155840818434,
    9.22437033722454,        0.42399385154176755,     -6.924301419687342,
    3.478886486622542,       2.5162527396326615,      -3.12149716027688,
    -0.060221578837422865,   1.5852910642041487,      -0.494745588445521,
    -0.5666653718828166,     0.3559681880122301,      0.15390513460144173,
    -0.16854207724508385,    -0.03302023353698215,    0.0661272423459437,
    0.005998786760667292,    -0.023597111571924043,   -0.001311872018615872,
    0.008012256488560026,    0.0005769938950793425,   -0.00262336268465377,
    -0.00033162490583194546, 0.0008183215596653622,   0.0001630296378307429,
    -0.00023509104318252889, -6.190971704250678e-05,  5.880557581940275e-05,
    1.703696208684338e-05,   -1.1755972676841516e-05, -3.0217374300971393e-06,
    1.6312815144411231e-06,  2.583158129714373e-07,   -1.1529936737294526e-07,
};
static const double erfcx_9[] = {
    5.517108141460166,       -4.58445343083415,      -7.347267287797774,
    13.19413842914136,       -0.507321291868548,     -14.208299275779014,
    9.607987209894008,       6.688453197660507,      -11.218859878804626,
    0.7444730132745813,      7.163619054352884,      -3.429296357652622,
    -2.8824412449028833,     2.8461953762244323,     0.6356266037913262,
    -1.5635523046470143,     0.06228990094877847,    0.6870686858469648,
    -0.13938992269399803,    -0.266472725514563,     0.08326381330314726,
    0.09795854265286717,     -0.0361698592856756,    -0.03580590478190171,
    0.013011867368024515,    0.013210697773809763,   -0.003945163625372993,
    -0.0048151223516529245,  0.0009553495399425557,  0.0016462954733119201,
    -0.00015083658499896347, -0.0004900130362647675, -1.059013922395096e-06,
    0.00011499699011050473,  8.703845405893739e-06,  -1.8359804012567466e-05,
    -2.380650967008097e-06,  1.4617183607857652e-06, 2.4546548634263115e-07,
};

/* For a >= 0, down from orders 8 and 9: w(k-1) = 2a w(k) + 2(k+1) w(k+1), each
 * with its power of 2.7 + 2a. */
static Val *integral_above(Lower *l, int k, Val *a)
{
    if (k <= 2)
        return integral_fitted(l, k, a);
    Val *t = folded(l, a, 4);
    Val *up = num_poly_from(l, POLY(erfcx_9), 12, t);
    Val *w = num_poly_from(l, POLY(erfcx_8), 12, t);
    Val *one = num_like(l, a, 1), *shift = num_like(l, a, 2.7);
    Val *q = low_fdiv(l, one, low_fadd(l, shift, low_fadd(l, a, a)));
    Val *part = low_fsub(l, one, low_fmul(l, q, shift)); /* 2a/(2.7 + 2a) */
    Val *square = low_fmul(l, q, q);
    if (k == ERFCX_MAX)
        w = up;
    for (int i = 8; i > k; i--) {
        Val *rest = low_fmul(l, square, num_like(l, a, 2 * i + 2));
        Val *down = low_muladd(l, part, w, low_fmul(l, rest, up));
        up = w;
        w = down;
    }
    for (int i = 0; i <= k; i++)
        w = low_fmul(l, w, q);
    return w;
}

/* For a < 0, up from orders -1 and 0. */
static Val *integral_below(Lower *l, int k, Val *a)
{
    Val *before = num_like(l, a, 1.1283791670955126), *now = num_erfcx(l, a);
    Val *minus = low_fmul(l, a, num_like(l, a, -2));
    for (int i = 0; i < k; i++) {
        Val *next = low_muladd(l, minus, now, before);
        before = now;
        now = low_fdiv(l, next, num_like(l, a, 2 * i + 2));
    }
    return now;
}

Val *num_erfcx_integral(Lower *l, int order, Val *x)
{
    DType t = low_dtype(l, x);
    if (order > ERFCX_MAX)
        return low_real(l, t, NAN);
    if (order == 0)
        return num_erfcx(l, x);
    x = low_has_f64(l) ? low_convert(l, DT_f64, x) : x;
    Val *zero = num_like(l, x, 0);
    Val *below = low_fcmp(l, CMP_lt, x, zero);
    Val *above = integral_above(l, order, low_select(l, below, zero, x));
    Val *w = low_select(l, below, integral_below(l, order, x), above);
    return low_convert(l, t, w);
}

static Val *density_body(Lower *l, Val *const *x)
{
    Val *top = num_like(l, x[0], 0.39894228040143267794);
    Val *zero = num_like(l, top, 0);
    return times_half_square(l, top, low_fabs(l, x[0]), zero);
}

Val *num_normal_density(Lower *l, Val *x)
{
    return low_shared(l, "normal_density", density_body, 1, &x);
}

/* What of |x| the functions below are made of. */
typedef struct Tail {
    Val *y;        /* |x|/sqrt(2) */
    Scaled scaled; /* of y */
    Val *part;     /* Φ(-|x|) */
    Val *rest;     /* 1 less that */
    Val *below;    /* x <= 0 */
} Tail;

static Tail tail_of(Lower *l, Val *x)
{
    Val *a = low_fabs(l, x), *half = num_like(l, x, 0.5);
    Pair root = num_constant(l, a, SQRT1_2, -0x1.bdd3413b26456p-55);
    Val *y = low_fmul(l, a, root.hi);
    Val *lost = low_fma(l, a, root.hi, low_fneg(l, y));
    Scaled s = scaled_erfc(l, (Pair){y, low_muladd(l, a, root.lo, lost)});
    Val *far =
        times_half_square(l, low_fmul(l, half, rounded(l, s)), a, s.rest);
    Val *small = low_fmul(l, half, erf_small(l, y));
    Val *in = is_within(l, y, 0.5), *one = num_like(l, x, 1);
    Val *part = low_select(l, in, low_fsub(l, half, small), far);
    Val *above = low_fsub(l, one, far);
    Val *rest = low_select(l, in, low_fadd(l, half, small), above);
    Val *below = low_fcmp(l, CMP_le, x, num_like(l, x, 0));
    return (Tail){y, s, part, rest, below};
}

static Val *ndtr_body(Lower *l, Val *const *x)
{
    Tail t = tail_of(l, x[0]);
    return low_select(l, t.below, t.part, t.rest);
}

Val *num_ndtr(Lower *l, Val *x)
{
    return low_shared(l, "ndtr", ndtr_body, 1, &x);
}

/* log(erfcx(-x/sqrt(2))/2) - x²/2 for x < -1, else log1p(-Φ(-x)). */
static Val *log_ndtr_body(Lower *l, Val *const *x)
{
    Tail t = tail_of(l, x[0]);
    Val *half = num_like(l, x[0], 0.5);
    Val *square = low_fmul(l, low_fmul(l, half, x[0]), x[0]);
    Val *far = low_fsub(
        l, num_log(l, low_fmul(l, half, erfcx_core(l, t.scaled))), square);
    Val *other = low_select(l, t.below, t.rest, t.part);
    Val *near = num_log1p(l, low_fneg(l, other));
    Val *out = low_fcmp(l, CMP_lt, x[0], num_like(l, x[0], -1));
    return low_select(l, out, far, near);
}

Val *num_log_ndtr(Lower *l, Val *x)
{
    return low_shared(l, "log_ndtr", log_ndtr_body, 1, &x);
}

/* (φ(a)/Φ(-a) - a) (a + 1.25) in t = (a - 4)/(a + 4), a >= 0 */
static const double excess_f64[] = {
    1.1844375085697232,      -0.15540205677598193,    -0.14259871052441467,
    0.18248125713275945,     -0.06750053480944947,    -0.025396637050412632,
    0.03236023191317714,     -0.0027683667774434347,  -0.010095793174375922,
    0.0036817228547122043,   0.002491568348845275,    -0.0017597183057477817,
    -0.0004641116179548226,  0.0006411992543513112,   3.88965695663281e-05,
    -0.0001980531248400948,  1.720946447304007e-05,   5.27475810419087e-05,
    -1.2112326417253504e-05, -1.1677187036410258e-05, 4.967402983423078e-06,
    1.834111667867547e-06,   -1.6387440753806346e-06, -2.7850922471495398e-08,
    4.585097283906581e-07,   -1.1077851750749116e-07, -1.0479880040966759e-07,
    4.494646107619796e-08,   1.719044712641998e-08,   -9.435038763153368e-09,
    -1.4716650790229909e-09, 9.031563438365482e-10,
};
static const double excess_f32[] = {
    1.1844375086445769,      -0.15540206278748664,   -0.14259872033290014,
    0.18248154217104245,     -0.06750032719921922,   -0.02540060179372256,
    0.032358603912448804,    -0.0027433846489333027, -0.01008986142915919,
    0.003597068342336611,    0.0024813567144892587,  -0.001593075315006468,
    -0.00045908243366103116, 0.0004456780253170245,  4.837293260513742e-05,
    -6.301449516749749e-05,
};

/* φ(a)/Φ(-a) - a for a >= 0 */
static Val *excess_above(Lower *l, Val *a)
{
    Poly p = num_is_wide(l, a) ? POLY(excess_f64) : POLY(excess_f32);
    Val *part = num_poly_from(l, p, p.n / 4, folded(l, a, 4));
    Shifted s = shifted(l, (Pair){a, num_like(l, a, 0)}, 1.25);
    part = low_fmul(l, part, s.inverse);
    return low_muladd(l, part, s.rest, part);
}

/* φ/Φ, or below 0 what it is more than -x, and that. */
static Val *hazard_body(Lower *l, Val *const *x)
{
    Tail t = tail_of(l, x[0]);
    Val *a = low_fabs(l, x[0]);
    Val *above = low_fdiv(l, density_body(l, x), t.rest);
    Val *below = low_fadd(l, a, excess_above(l, a));
    return low_select(l, t.below, below, above);
}

Val *num_normal_hazard(Lower *l, Val *x)
{
    return low_shared(l, "normal_hazard", hazard_body, 1, &x);
}

static Val *excess_body(Lower *l, Val *const *x)
{
    Val *below = low_fcmp(l, CMP_lt, x[0], num_like(l, x[0], 0));
    Val *above = low_fadd(l, x[0], num_normal_hazard(l, x[0]));
    return low_select(l, below, excess_above(l, low_fabs(l, x[0])), above);
}

Val *num_normal_excess(Lower *l, Val *x)
{
    return low_shared(l, "normal_excess", excess_body, 1, &x);
}
