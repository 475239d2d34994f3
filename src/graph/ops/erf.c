/* erf.c: machine code of the error function.
 *
 * The polynomials are minimax fits (Remez) made for this file. */
#include "graph/ops/numeric.h"

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

static Val *erfc_body(Lower *l, Val *const *x)
{
    Val *r = erfc_core(l, low_fabs(l, x[0]));
    Val *neg = low_fcmp(l, CMP_lt, x[0], num_like(l, r, 0));
    return low_select(l, neg, low_fsub(l, num_like(l, r, 2), r), r);
}

static Val *erf_body(Lower *l, Val *const *x)
{
    Val *a = low_fabs(l, x[0]), *one = num_like(l, a, 1);
    Val *z = low_fmul(l, a, a);
    Poly p = low_dtype(l, a) == DT_f64 ? POLY(erf_f64) : POLY(erf_f32);
    Val *near = low_muladd(l, a, num_poly(l, p, z), a);
    Val *far = low_fsub(l, one, erfc_core(l, a));
    Val *inside = low_fcmp(l, CMP_lt, a, one);
    return low_fcopysign(l, low_select(l, inside, near, far), x[0]);
}

Val *num_erf(Lower *l, Val *x) { return low_shared(l, "erf", erf_body, 1, &x); }

Val *num_erfc(Lower *l, Val *x)
{
    return low_shared(l, "erfc", erfc_body, 1, &x);
}
