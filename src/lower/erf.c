/* erf.c: machine code of the error function, scaled too, and of the normal
 * distribution.
 *
 * The polynomials are minimax fits (Remez) made for this file. */
#include "lower/numeric.h"

#include <math.h>

#define SQRT1_2 0.70710678118654752440
#define SQRT2_PI 0.79788456080286535588 /* sqrt(2/π) */

/* erf(x)/x - 1 in x², |x| <= 1 */
static const double erf_f64[] = {
    0.12837916709551256,     -0.3761263890318355,     0.11283791670945252,
    -0.026866170643276083,   0.005223977607422596,    -0.0008548325989667251,
    0.0001205529531995124,   -1.4924744658598196e-05, 1.6447517679364607e-06,
    -1.6209176310612294e-07, 1.372297939784883e-08,   -7.801196917551076e-10,
};
static const double erf_f32[] = {
    0.12837912857484074,  -0.37612355685033044, 0.11280411548399079,
    -0.02671770453895391, 0.004924785548568997, -0.000566013789073128,
};
/* (1 + 2x) exp(x²) erfc(x) in t = (x - 3)/(x + 3), x >= 0. (Shepherd,
 * Laframboise 1981) */
static const double erfc_f64[] = {
    1.2530080582697296,      -0.13562110612458114,    -0.04756229435342173,
    0.12964515870275697,     -0.11927366341670602,    0.06830802734407784,
    -0.023770514892374358,   0.002529391814824688,    0.001888690104510299,
    -0.0007798322635478724,  -0.00010515834460043702, 0.00012509931647882098,
    4.944216450324163e-06,   -2.0100471758232245e-05, -7.189606378191109e-07,
    3.4722461583746845e-06,  3.369048021121285e-07,   -6.164577623581165e-07,
    -1.2069569982811794e-07, 1.0173311019195927e-07,  2.7908883763426475e-08,
    -1.327078473808191e-08,  -3.19317968082797e-09,   9.787837195104729e-10,
};
static const double erfc_f32[] = {
    1.2530080570601378,     -0.13562106000387608,   -0.04756219581177131,
    0.12964390279998167,    -0.11927493447408359,   0.06831786815320273,
    -0.0237646026033011,    0.002495912396973248,   0.0018763230882765617,
    -0.0007230447872174873, -9.306751083185155e-05, 7.600498869218953e-05,
};

/* erfc(a) for a >= 0, 0 from 28 on. */
static Val *erfc_core(Lower *l, Val *a)
{
    bool wide = low_dtype(l, a) == DT_f64;
    Val *three = num_like(l, a, 3), *one = num_like(l, a, 1);
    a = num_clamp(l, a, 0, 28);
    Val *t = low_fdiv(l, low_fsub(l, a, three), low_fadd(l, a, three));
    Val *p = num_poly(l, wide ? POLY(erfc_f64) : POLY(erfc_f32), t);
    p = low_fdiv(l, p, low_fadd(l, one, low_fadd(l, a, a)));
    Val *minus = low_fneg(l, a);
    Pair square = num_two_prod(l, minus, a);
    if (!wide) {
        /* f32 ends before -a² leaves what exp takes. */
        square.hi = num_clamp(l, square.hi, -110, 0);
    }
    return low_fmul(l, p, num_exp_pair(l, square));
}

/* erf(x) for |x| <= 1. */
static Val *erf_core(Lower *l, Val *x)
{
    Val *z = low_fmul(l, x, x);
    Poly p = low_dtype(l, x) == DT_f64 ? POLY(erf_f64) : POLY(erf_f32);
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
    Val *near = low_fsub(l, one, erf_core(l, x[0]));
    return low_select(l, is_within(l, x[0], 0.5), near, r);
}

static Val *erf_body(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *one = num_like(l, a, 1);
    Val *near = erf_core(l, a), *far = low_fsub(l, one, erfc_core(l, a));
    Val *r = low_select(l, is_within(l, a, 1), near, far);
    return low_fcopysign(l, r, x[0]);
}

Val *num_erf(Lower *l, Val *x) { return low_shared(l, "erf", erf_body, 1, &x); }

Val *num_erfc(Lower *l, Val *x)
{
    return low_shared(l, "erfc", erfc_body, 1, &x);
}

/* Scaled, and of the normal distribution */

/* (1 + 2a) exp(a²) erfc(a) for a >= 0 */
static Val *erfcx_part(Lower *l, Val *a)
{
    bool wide = low_dtype(l, a) == DT_f64;
    Val *three = num_like(l, a, 3), *tame = num_clamp(l, a, 0, 1e30);
    Val *t = low_fdiv(l, low_fsub(l, tame, three), low_fadd(l, tame, three));
    return num_poly(l, wide ? POLY(erfc_f64) : POLY(erfc_f32), t);
}

/* exp(a²) erfc(a) for a >= 0, 0 at infinity. */
static Val *erfcx_core(Lower *l, Val *a)
{
    Val *below = low_fadd(l, num_like(l, a, 1), low_fadd(l, a, a));
    return low_fdiv(l, erfcx_part(l, a), below);
}

/* exp(-a²/2) for a >= 0, or exp(a²/2), as precise as a is. */
static Val *exp_half_square(Lower *l, Val *a, double sign)
{
    bool wide = low_dtype(l, a) == DT_f64;
    a = num_clamp(l, a, 0, wide ? 40 : 15);
    Pair square =
        num_two_prod(l, low_fmul(l, a, num_like(l, a, sign * 0.5)), a);
    return num_exp_pair(l, square);
}

/* For a < 0: 2 exp(a²) - erfcx(-a). Next to 0 from erf. */
static Val *erfcx_body(Lower *l, Val *const *x)
{
    bool wide = low_dtype(l, x[0]) == DT_f64;
    Val *a = low_fabs(l, x[0]), *r = erfcx_core(l, a);
    Val *tame = num_clamp(l, a, 0, wide ? 27 : 10);
    Val *e = num_exp_pair(l, num_two_prod(l, tame, tame));
    Val *below = low_fcmp(l, CMP_lt, x[0], num_like(l, a, 0));
    r = low_select(l, below, low_fsub(l, low_fadd(l, e, e), r), r);
    Val *near = low_fsub(l, num_like(l, a, 1), erf_core(l, x[0]));
    return low_select(l, is_within(l, x[0], 0.5), low_fmul(l, e, near), r);
}

Val *num_erfcx(Lower *l, Val *x)
{
    return low_shared(l, "erfcx", erfcx_body, 1, &x);
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
    Val *four = num_like(l, a, 4), *tame = num_clamp(l, a, 0, 1e30);
    Val *t = low_fdiv(l, low_fsub(l, tame, four), low_fadd(l, tame, four));
    Val *up = num_poly(l, POLY(erfcx_9), t), *w = num_poly(l, POLY(erfcx_8), t);
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
    Val *e = exp_half_square(l, low_fabs(l, x[0]), -1);
    return low_fmul(l, e, num_like(l, e, 0.39894228040143267794));
}

Val *num_normal_density(Lower *l, Val *x)
{
    return low_shared(l, "normal_density", density_body, 1, &x);
}

/* What of |x| the functions below are made of. */
typedef struct Tail {
    Val *scaled; /* erfcx(|x|/sqrt(2)) */
    Val *fall;   /* exp(-x²/2) */
    Val *part;   /* Φ(-|x|) */
    Val *below;  /* x <= 0 */
} Tail;

static Tail tail_of(Lower *l, Val *x)
{
    Val *a = low_fabs(l, x), *half = num_like(l, x, 0.5);
    Tail t = {
        .scaled = erfcx_core(l, low_fmul(l, a, num_like(l, a, SQRT1_2))),
        .fall = exp_half_square(l, a, -1),
        .below = low_fcmp(l, CMP_le, x, num_like(l, x, 0)),
    };
    Val *y = low_fmul(l, a, num_like(l, a, SQRT1_2));
    Val *near = low_fmul(l, half, erf_core(l, y));
    t.part = low_fmul(l, low_fmul(l, half, t.scaled), t.fall);
    t.part =
        low_select(l, is_within(l, y, 0.5), low_fsub(l, half, near), t.part);
    return t;
}

static Val *ndtr_body(Lower *l, Val *const *x)
{
    Tail t = tail_of(l, x[0]);
    return low_select(l, t.below, t.part,
                      low_fsub(l, num_like(l, x[0], 1), t.part));
}

Val *num_ndtr(Lower *l, Val *x)
{
    return low_shared(l, "ndtr", ndtr_body, 1, &x);
}

/* log(erfcx(-x/sqrt(2))/2) - x²/2 for x < -1, else log1p(-Φ(-x)). */
static Val *log_ndtr_body(Lower *l, Val *const *x)
{
    Tail t = tail_of(l, x[0]);
    Val *half = num_like(l, x[0], 0.5), *one = num_like(l, x[0], 1);
    Val *square = low_fmul(l, low_fmul(l, half, x[0]), x[0]);
    Val *far = low_fsub(l, num_log(l, low_fmul(l, half, t.scaled)), square);
    Val *other = low_select(l, t.below, low_fsub(l, one, t.part), t.part);
    Val *near = num_log1p(l, low_fneg(l, other));
    Val *out = low_fcmp(l, CMP_lt, x[0], num_like(l, x[0], -1));
    return low_select(l, out, far, near);
}

Val *num_log_ndtr(Lower *l, Val *x)
{
    return low_shared(l, "log_ndtr", log_ndtr_body, 1, &x);
}

/* φ/Φ, or far below 0 sqrt(2/π)/erfcx(y), y = -x/sqrt(2): of an erfcx that may
 * be too small for its type. */
static Val *hazard_body(Lower *l, Val *const *x)
{
    Tail t = tail_of(l, x[0]);
    Val *one = num_like(l, x[0], 1), *half = num_like(l, x[0], 0.5);
    Val *density =
        low_fmul(l, t.fall, num_like(l, x[0], 0.39894228040143267794));
    Val *whole = low_select(l, t.below, t.part, low_fsub(l, one, t.part));
    Val *y = low_fmul(l, low_fabs(l, x[0]), num_like(l, x[0], SQRT1_2));
    Val *slope = low_fdiv(l, num_like(l, x[0], 2 * SQRT2_PI), erfcx_part(l, y));
    Val *far = low_fmul(l, slope, low_fadd(l, y, half));
    Val *out = low_fcmp(l, CMP_lt, x[0], num_like(l, x[0], -0.5));
    return low_select(l, out, far, low_fdiv(l, density, whole));
}

Val *num_normal_hazard(Lower *l, Val *x)
{
    return low_shared(l, "normal_hazard", hazard_body, 1, &x);
}
