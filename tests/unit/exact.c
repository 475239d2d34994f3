/* exact.c: see exact.h. */
#if __has_include(<mpfr.h>)
#include "exact.h"

#include <math.h>
#include <stdbool.h>

#include "base/base.h"

enum { BITS = 256, MOST = 4096 };

static mpfr_t numbers[MOST];
static int nmade, nused;

static Exact fresh(void)
{
    if (nused == MOST)
        die("more numbers than a formula has");
    if (nmade == 0) {
        mpfr_set_emin(mpfr_get_emin_min());
        mpfr_set_emax(mpfr_get_emax_max());
    }
    if (nused == nmade)
        mpfr_init2(numbers[nmade++], BITS);
    return numbers[nused++];
}

void exact_forget(void) { nused = 0; }

Exact exact_number(double v)
{
    Exact r = fresh();
    mpfr_set_d(r, v, MPFR_RNDN);
    return r;
}

#define ONE(name, call)                                                        \
    static Exact name(Exact x)                                                 \
    {                                                                          \
        Exact r = fresh();                                                     \
        call(r, x, MPFR_RNDN);                                                 \
        return r;                                                              \
    }
#define TWO(name, call)                                                        \
    static Exact name(Exact x, Exact y)                                        \
    {                                                                          \
        Exact r = fresh();                                                     \
        call(r, x, y, MPFR_RNDN);                                              \
        return r;                                                              \
    }

ONE(neg, mpfr_neg)
ONE(absolute, mpfr_abs)
ONE(root, mpfr_sqrt)
ONE(cube_root, mpfr_cbrt)
ONE(exp_of, mpfr_exp)
ONE(expm1_of, mpfr_expm1)
ONE(log_of, mpfr_log)
ONE(log1p_of, mpfr_log1p)
ONE(sin_of, mpfr_sin)
ONE(cos_of, mpfr_cos)
ONE(tan_of, mpfr_tan)
ONE(sec_of, mpfr_sec)
ONE(asin_of, mpfr_asin)
ONE(acos_of, mpfr_acos)
ONE(atan_of, mpfr_atan)
ONE(sinh_of, mpfr_sinh)
ONE(cosh_of, mpfr_cosh)
ONE(sech_of, mpfr_sech)
ONE(tanh_of, mpfr_tanh)
ONE(erf_of, mpfr_erf)
ONE(erfc_of, mpfr_erfc)
ONE(digamma_positive, mpfr_digamma)
TWO(add, mpfr_add)
TWO(sub, mpfr_sub)
TWO(divided, mpfr_div)
TWO(pow_of, mpfr_pow)
TWO(atan2_of, mpfr_atan2)
TWO(hypot_of, mpfr_hypot)

/* 0 times infinity is 0: in these formulas what falls does so faster. */
static Exact mul(Exact x, Exact y)
{
    Exact r = fresh();
    if ((mpfr_zero_p(x) && mpfr_inf_p(y)) || (mpfr_inf_p(x) && mpfr_zero_p(y)))
        mpfr_set_zero(r, 1);
    else
        mpfr_mul(r, x, y, MPFR_RNDN);
    return r;
}

static Exact num(double v) { return exact_number(v); }
static Exact scaled(double c, Exact x) { return mul(num(c), x); }
static Exact square(Exact x) { return mul(x, x); }
static Exact cube(Exact x) { return mul(x, square(x)); }
static Exact inverse(Exact x) { return divided(num(1), x); }
static Exact plus(double c, Exact x) { return add(num(c), x); }
static bool below(Exact x, double v) { return mpfr_cmp_d(x, v) < 0; }
static Exact not_a_number(void) { return num(NAN); }

static Exact pi(void)
{
    Exact r = fresh();
    mpfr_const_pi(r, MPFR_RNDN);
    return r;
}

static Exact zero_of(Exact x)
{
    (void)x;
    return num(0);
}

/* Exponentials and logarithms */

static Exact log_1(Exact x) { return inverse(x); }
static Exact log_2(Exact x) { return neg(inverse(square(x))); }
static Exact log1p_1(Exact x) { return inverse(plus(1, x)); }
static Exact log1p_2(Exact x) { return neg(square(log1p_1(x))); }

static Exact sigmoid_0(Exact x) { return inverse(plus(1, exp_of(neg(x)))); }
static Exact sigmoid_1(Exact x) { return mul(sigmoid_0(x), sigmoid_0(neg(x))); }
static Exact sigmoid_2(Exact x)
{
    return neg(mul(sigmoid_1(x), tanh_of(scaled(0.5, x))));
}
static Exact softplus_0(Exact x)
{
    Exact r = log1p_of(exp_of(neg(absolute(x))));
    return below(x, 0) ? r : add(x, r);
}

/* Roots */

static Exact sqrt_1(Exact x) { return inverse(scaled(2, root(x))); }
static Exact sqrt_2(Exact x)
{
    return neg(inverse(scaled(4, mul(x, root(x)))));
}
static Exact rsqrt_0(Exact x) { return inverse(root(x)); }
static Exact rsqrt_1(Exact x)
{
    return neg(inverse(scaled(2, mul(x, root(x)))));
}
static Exact rsqrt_2(Exact x)
{
    return inverse(divided(mul(square(x), root(x)), num(0.75)));
}
static Exact cbrt_1(Exact x)
{
    return inverse(scaled(3, square(cube_root(x))));
}
static Exact cbrt_2(Exact x)
{
    Exact y = cube_root(x);
    return divided(num(-2), scaled(9, mul(square(y), cube(y))));
}

/* Circular and hyperbolic functions */

static Exact sin_2(Exact x) { return neg(sin_of(x)); }
static Exact cos_1(Exact x) { return neg(sin_of(x)); }
static Exact cos_2(Exact x) { return neg(cos_of(x)); }
static Exact tan_1(Exact x) { return square(sec_of(x)); }
static Exact tan_2(Exact x) { return scaled(2, mul(tan_of(x), tan_1(x))); }

static Exact beside(Exact x) { return mul(sub(num(1), x), plus(1, x)); }
static Exact asin_1(Exact x) { return inverse(root(beside(x))); }
static Exact asin_2(Exact x) { return mul(x, cube(asin_1(x))); }
static Exact acos_1(Exact x) { return neg(asin_1(x)); }
static Exact acos_2(Exact x) { return neg(asin_2(x)); }
static Exact atan_1(Exact x) { return inverse(plus(1, square(x))); }
static Exact atan_2(Exact x) { return mul(scaled(-2, x), square(atan_1(x))); }

static Exact tanh_1(Exact x) { return square(sech_of(x)); }
static Exact tanh_2(Exact x) { return scaled(-2, mul(tanh_of(x), tanh_1(x))); }

/* The error function */

static Exact erf_1(Exact x)
{
    return mul(divided(num(2), root(pi())), exp_of(neg(square(x))));
}
static Exact erf_2(Exact x) { return mul(scaled(-2, x), erf_1(x)); }
static Exact erfc_1(Exact x) { return neg(erf_1(x)); }
static Exact erfc_2(Exact x) { return neg(erf_2(x)); }

/* 1 - sqrt(π) x erfcx(x) and 1/(2x²) less that, by its series for large x. */
static Exact far_rest(Exact x, bool next)
{
    Exact w = inverse(scaled(2, square(x))), term = num(-1), sum = num(0);
    for (int k = 1; k < 24; k++) {
        term = mul(scaled(-(2 * k - 1), term), w);
        if (k > 1 || !next)
            sum = add(sum, term);
    }
    return next ? neg(sum) : sum;
}

static bool is_far(Exact x) { return mpfr_cmp_d(x, 1e5) > 0; }

static Exact erfcx_0(Exact x)
{
    if (is_far(x))
        return divided(sub(num(1), far_rest(x, false)), mul(x, root(pi())));
    return mul(exp_of(square(x)), erfc_of(x));
}
static Exact erfcx_1(Exact x)
{
    Exact c = divided(num(2), root(pi()));
    if (is_far(x))
        return neg(mul(c, far_rest(x, false)));
    return sub(scaled(2, mul(x, erfcx_0(x))), c);
}
static Exact erfcx_2(Exact x)
{
    if (is_far(x))
        return divided(sub(scaled(4, mul(x, far_rest(x, true))),
                           divided(scaled(2, far_rest(x, false)), x)),
                       root(pi()));
    return add(scaled(2, erfcx_0(x)), scaled(2, mul(x, erfcx_1(x))));
}

/* The normal distribution; y is -x/sqrt(2). */

static Exact turned(Exact x) { return neg(divided(x, root(num(2)))); }
static Exact ndtr_0(Exact x) { return scaled(0.5, erfc_of(turned(x))); }
static Exact ndtr_1(Exact x)
{
    return divided(exp_of(scaled(-0.5, square(x))), root(scaled(2, pi())));
}
static Exact ndtr_2(Exact x) { return neg(mul(x, ndtr_1(x))); }
static Exact density_2(Exact x)
{
    return mul(sub(square(x), num(1)), ndtr_1(x));
}

static Exact log_ndtr_0(Exact x)
{
    Exact y = turned(x);
    if (!below(x, 0))
        return log1p_of(neg(ndtr_0(neg(x))));
    return sub(log_of(scaled(0.5, erfcx_0(y))), square(y));
}
static Exact log_ndtr_1(Exact x)
{
    return divided(root(divided(num(2), pi())), erfcx_0(turned(x)));
}
static Exact log_ndtr_2(Exact x)
{
    Exact h = log_ndtr_1(x), y = turned(x), sum = add(x, h);
    if (is_far(y)) {
        Exact rest = far_rest(y, false);
        sum = divided(mul(neg(x), rest), sub(num(1), rest));
    }
    return neg(mul(h, sum));
}

/* The gamma function */

static Exact power(Exact x, long n)
{
    Exact r = fresh();
    mpfr_pow_si(r, x, n, MPFR_RNDN);
    return r;
}

/* B(2j)/(2j)! = ∓2 ζ(2j)/(2π)^(2j) */
static Exact bernoulli(int j)
{
    enum { MANY = 31 };
    static mpfr_t kept[MANY];
    static bool made[MANY];
    if (!made[j]) {
        Exact z = fresh();
        mpfr_zeta_ui(z, 2 * (unsigned long)j, MPFR_RNDN);
        mpfr_init2(kept[j], BITS);
        mpfr_div(kept[j], scaled(j % 2 ? 2 : -2, z),
                 power(scaled(2, pi()), 2 * j), MPFR_RNDN);
        made[j] = true;
    }
    return kept[j];
}

/* ζ(s, x) for x > 0: terms up to x >= 40, then Euler's and Maclaurin's
 * corrections. (DLMF 25.11.28) */
static Exact zeta(int s, Exact x)
{
    Exact sum = num(0), rise = num(s);
    for (; below(x, 40); x = plus(1, x))
        sum = add(sum, power(x, -s));
    sum = add(sum, divided(power(x, 1 - s), num(s - 1)));
    sum = add(sum, scaled(0.5, power(x, -s)));
    for (int j = 1; j <= 30; j++) {
        Exact term = mul(bernoulli(j), mul(rise, power(x, 1 - s - 2 * j)));
        sum = add(sum, term);
        rise = scaled((s + 2 * j - 1.0) * (s + 2 * j), rise);
    }
    return sum;
}

static bool at_pole(Exact x)
{
    return mpfr_nan_p(x) || (mpfr_integer_p(x) && mpfr_sgn(x) <= 0) ||
           (mpfr_inf_p(x) && mpfr_sgn(x) < 0);
}

/* π x, x less the nearest integer. */
static Exact angle(Exact x)
{
    Exact whole = fresh();
    mpfr_rint(whole, x, MPFR_RNDN);
    return mul(pi(), sub(x, whole));
}

static Exact lgamma_0(Exact x)
{
    Exact r = fresh();
    int sign;
    mpfr_lgamma(r, &sign, x, MPFR_RNDN);
    return r;
}
static Exact digamma_0(Exact x)
{
    if (at_pole(x))
        return not_a_number();
    if (!below(x, 0))
        return digamma_positive(x);
    Exact t = angle(x);
    return sub(digamma_positive(sub(num(1), x)),
               divided(mul(pi(), cos_of(t)), sin_of(t)));
}
static Exact digamma_1(Exact x)
{
    if (at_pole(x))
        return mpfr_integer_p(x) ? num(INFINITY) : not_a_number();
    if (!below(x, 0))
        return mpfr_inf_p(x) ? num(0) : zeta(2, x);
    return sub(square(divided(pi(), sin_of(angle(x)))),
               zeta(2, sub(num(1), x)));
}
static Exact digamma_2(Exact x)
{
    if (at_pole(x))
        return not_a_number();
    if (!below(x, 0))
        return mpfr_inf_p(x) ? num(0) : scaled(-2, zeta(3, x));
    Exact t = angle(x), d = divided(cos_of(t), cube(sin_of(t)));
    return sub(scaled(-2, zeta(3, sub(num(1), x))),
               scaled(2, mul(d, cube(pi()))));
}

/* Signs and whole numbers */

ONE(floor_0, mpfr_rint_floor)
ONE(ceil_0, mpfr_rint_ceil)
ONE(round_0, mpfr_rint_roundeven)

static Exact sign_0(Exact x)
{
    return mpfr_nan_p(x) || mpfr_zero_p(x) ? x : num(mpfr_sgn(x));
}
static Exact neg_1(Exact x)
{
    (void)x;
    return num(-1);
}

const ExactUnary exact_unary[] = {
    {"neg", {neg, neg_1, zero_of}},
    {"abs", {absolute, sign_0, zero_of}},
    {"sign", {sign_0, zero_of, zero_of}},
    {"floor", {floor_0, zero_of, zero_of}},
    {"ceil", {ceil_0, zero_of, zero_of}},
    {"round", {round_0, zero_of, zero_of}},
    {"exp", {exp_of, exp_of, exp_of}},
    {"expm1", {expm1_of, exp_of, exp_of}},
    {"log", {log_of, log_1, log_2}},
    {"log1p", {log1p_of, log1p_1, log1p_2}},
    {"sqrt", {root, sqrt_1, sqrt_2}},
    {"rsqrt", {rsqrt_0, rsqrt_1, rsqrt_2}},
    {"cbrt", {cube_root, cbrt_1, cbrt_2}},
    {"sin", {sin_of, cos_of, sin_2}},
    {"cos", {cos_of, cos_1, cos_2}},
    {"tan", {tan_of, tan_1, tan_2}},
    {"asin", {asin_of, asin_1, asin_2}},
    {"acos", {acos_of, acos_1, acos_2}},
    {"atan", {atan_of, atan_1, atan_2}},
    {"sinh", {sinh_of, cosh_of, sinh_of}},
    {"cosh", {cosh_of, sinh_of, cosh_of}},
    {"tanh", {tanh_of, tanh_1, tanh_2}},
    {"sigmoid", {sigmoid_0, sigmoid_1, sigmoid_2}},
    {"softplus", {softplus_0, sigmoid_0, sigmoid_1}},
    {"erf", {erf_of, erf_1, erf_2}},
    {"erfc", {erfc_of, erfc_1, erfc_2}},
    {"erfcx", {erfcx_0, erfcx_1, erfcx_2}},
    {"ndtr", {ndtr_0, ndtr_1, ndtr_2}},
    {"normal_density", {ndtr_1, ndtr_2, density_2}},
    {"log_ndtr", {log_ndtr_0, log_ndtr_1, log_ndtr_2}},
    {"lgamma", {lgamma_0, digamma_0, digamma_1}},
    {"digamma", {digamma_0, digamma_1, digamma_2}},
};
const int nexact_unary = sizeof exact_unary / sizeof *exact_unary;

/* Of two arguments */

static Exact constant2(Exact x, Exact y, double v)
{
    (void)x;
    (void)y;
    return num(v);
}
static Exact one2(Exact x, Exact y) { return constant2(x, y, 1); }
static Exact none2(Exact x, Exact y) { return constant2(x, y, 0); }
static Exact minus2(Exact x, Exact y) { return constant2(x, y, -1); }
static Exact first(Exact x, Exact y)
{
    (void)y;
    return x;
}
static Exact second(Exact x, Exact y)
{
    (void)x;
    return y;
}

static Exact div_x(Exact x, Exact y)
{
    (void)x;
    return inverse(y);
}
static Exact div_y(Exact x, Exact y) { return neg(divided(x, square(y))); }
static Exact div_xy(Exact x, Exact y)
{
    (void)x;
    return neg(inverse(square(y)));
}
static Exact div_yy(Exact x, Exact y) { return divided(scaled(2, x), cube(y)); }

static Exact pow_x(Exact x, Exact y) { return mul(y, pow_of(x, plus(-1, y))); }
/* By y as 0 where x is not above 0. */
static Exact pow_y(Exact x, Exact y)
{
    return below(x, 0) || mpfr_zero_p(x) ? num(0)
                                         : mul(pow_of(x, y), log_of(x));
}
static Exact pow_xx(Exact x, Exact y)
{
    return mul(mul(y, plus(-1, y)), pow_of(x, plus(-2, y)));
}
static Exact pow_xy(Exact x, Exact y)
{
    Exact p = pow_of(x, plus(-1, y));
    return below(x, 0) ? p : mul(p, plus(1, mul(y, log_of(x))));
}
static Exact pow_yy(Exact x, Exact y)
{
    return below(x, 0) || mpfr_zero_p(x) ? num(0)
                                         : mul(pow_of(x, y), square(log_of(x)));
}

static Exact length2(Exact x, Exact y) { return add(square(x), square(y)); }
static Exact atan2_y(Exact y, Exact x) { return divided(x, length2(x, y)); }
static Exact atan2_x(Exact y, Exact x)
{
    return neg(divided(y, length2(x, y)));
}
static Exact atan2_xx(Exact y, Exact x)
{
    return divided(scaled(2, mul(x, y)), square(length2(x, y)));
}
static Exact atan2_yy(Exact y, Exact x) { return neg(atan2_xx(y, x)); }
static Exact atan2_xy(Exact y, Exact x)
{
    return divided(mul(sub(y, x), add(y, x)), square(length2(x, y)));
}

static Exact hypot_x(Exact x, Exact y) { return divided(x, hypot_of(x, y)); }
static Exact hypot_y(Exact x, Exact y) { return divided(y, hypot_of(x, y)); }
static Exact hypot_xx(Exact x, Exact y)
{
    return divided(square(y), cube(hypot_of(x, y)));
}
static Exact hypot_yy(Exact x, Exact y) { return hypot_xx(y, x); }
static Exact hypot_xy(Exact x, Exact y)
{
    return neg(divided(mul(x, y), cube(hypot_of(x, y))));
}

static Exact logaddexp_0(Exact x, Exact y)
{
    bool above = mpfr_cmp(x, y) > 0;
    Exact d = mpfr_equal_p(x, y) ? num(0) : sub(above ? y : x, above ? x : y);
    return add(above ? x : y, log1p_of(exp_of(d)));
}
static Exact logaddexp_x(Exact x, Exact y) { return sigmoid_0(sub(x, y)); }
static Exact logaddexp_y(Exact x, Exact y) { return sigmoid_0(sub(y, x)); }
static Exact logaddexp_xx(Exact x, Exact y) { return sigmoid_1(sub(x, y)); }
static Exact logaddexp_xy(Exact x, Exact y)
{
    return neg(sigmoid_1(sub(x, y)));
}

static Exact xlogy_0(Exact x, Exact y) { return mul(x, log_of(y)); }
static Exact xlogy_x(Exact x, Exact y) { return log_of(second(x, y)); }
static Exact xlog1py_0(Exact x, Exact y) { return mul(x, log1p_of(y)); }
static Exact xlog1py_x(Exact x, Exact y) { return log1p_of(second(x, y)); }
static Exact xlog1py_y(Exact x, Exact y) { return divided(x, plus(1, y)); }
static Exact xlog1py_xy(Exact x, Exact y)
{
    return inverse(plus(1, second(x, y)));
}
static Exact xlog1py_yy(Exact x, Exact y)
{
    return neg(divided(x, square(plus(1, y))));
}
static Exact xlogy_y(Exact x, Exact y) { return divided(x, y); }
static Exact xlogy_xy(Exact x, Exact y) { return inverse(second(x, y)); }
static Exact xlogy_yy(Exact x, Exact y) { return neg(divided(x, square(y))); }

static Exact lbeta_0(Exact x, Exact y)
{
    if (below(x, 0) || below(y, 0))
        return not_a_number();
    return sub(add(lgamma_0(x), lgamma_0(y)), lgamma_0(add(x, y)));
}
static Exact lbeta_x(Exact x, Exact y)
{
    return sub(digamma_0(x), digamma_0(add(x, y)));
}
static Exact lbeta_y(Exact x, Exact y) { return lbeta_x(y, x); }
static Exact lbeta_xx(Exact x, Exact y)
{
    return sub(digamma_1(x), digamma_1(add(x, y)));
}
static Exact lbeta_xy(Exact x, Exact y) { return neg(digamma_1(add(x, y))); }
static Exact lbeta_yy(Exact x, Exact y) { return lbeta_xx(y, x); }

const ExactBinary exact_binary[] = {
    {"add", {add, one2, one2, none2, none2, none2}},
    {"sub", {sub, one2, minus2, none2, none2, none2}},
    {"mul", {mul, second, first, none2, one2, none2}},
    {"div", {divided, div_x, div_y, none2, div_xy, div_yy}},
    {"pow", {pow_of, pow_x, pow_y, pow_xx, pow_xy, pow_yy}},
    {"atan2", {atan2_of, atan2_y, atan2_x, atan2_yy, atan2_xy, atan2_xx}},
    {"hypot", {hypot_of, hypot_x, hypot_y, hypot_xx, hypot_xy, hypot_yy}},
    {"logaddexp",
     {logaddexp_0, logaddexp_x, logaddexp_y, logaddexp_xx, logaddexp_xy,
      logaddexp_xx}},
    {"xlogy", {xlogy_0, xlogy_x, xlogy_y, none2, xlogy_xy, xlogy_yy}},
    {"xlog1py",
     {xlog1py_0, xlog1py_x, xlog1py_y, none2, xlog1py_xy, xlog1py_yy}},
    {"lbeta", {lbeta_0, lbeta_x, lbeta_y, lbeta_xx, lbeta_xy, lbeta_yy}},
};
const int nexact_binary = sizeof exact_binary / sizeof *exact_binary;
#endif
