/* special.c: special functions. */
#include "graph/ops/ops.h"
#include "lower/numeric.h"

#include <math.h>

#define PI 3.14159265358979323846

/* d erf(a) = 2/sqrt(π) exp(-a²) da */
static Node *erf_partial(Graph *g, Node *n)
{
    Node *a = n->arg[0];
    Node *e = g1(g, OP_exp, g1(g, OP_neg, g2(g, OP_mul, a, a)));
    return g2(g, OP_mul, g_fill(g, n, 2 / sqrt(PI)), e);
}

const Op op_erf = {
    FUNCTION(erf, 1, OP_COSTLY | OP_ODD),
    .weight = 5,
    .doc = "error function",
    .eval1 = erf,
    .partial1 = erf_partial,
    .lower1 = num_erf,
};

static Node *erfc_partial(Graph *g, Node *n)
{
    return g1(g, OP_neg, erf_partial(g, n));
}

const Op op_erfc = {
    FUNCTION(erfc, 1, OP_COSTLY | OP_NOT_NEGATIVE),
    .weight = 5,
    .doc = "1 - erf(x), exact for large x",
    .eval1 = erfc,
    .partial1 = erfc_partial,
    .lower1 = num_erfc,
};

/* log|Γ(a)| */

static Node *lgamma_partial(Graph *g, Node *n)
{
    return g1(g, OP_digamma, n->arg[0]);
}

const Op op_lgamma = {
    FUNCTION(lgamma, 1, OP_COSTLY),
    .weight = 7,
    .doc = "logarithm of the gamma function's magnitude",
    .shown = {FORM_call, "lgamma", "ln Γ", "\\ln\\Gamma"},
    .domain = {0.5, 4},
    .eval1 = lgamma,
    .finite = above_zero,
    .partial1 = lgamma_partial,
    .lower1 = num_lgamma,
};

/* ψ(a) = Γ'(a)/Γ(a) */

/* B(2k)/(2k): the asymptotic series is log x - 1/(2x) - Σ of it x^(-2k). */
static const long double digamma_series[] = {
    1.0L / 12,  -1.0L / 120,     1.0L / 252, -1.0L / 240,
    1.0L / 132, -691.0L / 32760, 1.0L / 12,  -3617.0L / 8160,
};

/* cot(πr) for |r| <= 1/2, exactly 0 at 1/2. */
static long double cotpi(long double r)
{
    const long double pi = 3.14159265358979323846264338327950288L;
    return fabsl(r) < 0.25L ? 1 / tanl(pi * r)
                            : tanl(pi * (copysignl(0.5L, r) - r));
}

/* Reflected to x > 0, raised by ψ(x) = ψ(x + 1) - 1/x to x >= 16; wide, for the
 * sake of its zeros. */
static double digamma_eval(const double *p)
{
    long double x = p[0], sum = 0, s = 0;
    if (p[0] <= 0) {
        x = p[0] - nearbyint(p[0]);
        if (x == 0 || isinf(p[0]))
            return NAN;
        sum = -3.14159265358979323846264338327950288L * cotpi(x);
        x = 1 - (long double)p[0];
    }
    for (; x < 16; x++)
        sum -= 1 / x;
    for (int k = 8; k > 0; k--)
        s = (s + digamma_series[k - 1]) / (x * x);
    return (double)(sum + (logl(x) - 0.5L / x - s));
}

static Node *digamma_partial(Graph *g, Node *n)
{
    return g2(g, OP_polygamma, g_fill(g, n, 1), n->arg[0]);
}

const Op op_digamma = {
    FUNCTION(digamma, 1, OP_COSTLY | OP_DOMAIN),
    .weight = 7,
    .doc = "derivative of lgamma",
    .shown = {FORM_call, "digamma", "ψ", "\\psi"},
    .domain = {0.5, 4},
    .eval = digamma_eval,
    .finite = above_zero,
    .partial1 = digamma_partial,
    .lower1 = num_digamma,
};

/* polygamma(k, a): the k-th derivative of digamma. k is a constant, the same
 * for all elements; the row has it as an argument so that eval sees it. Beyond
 * POLYGAMMA_MAX it is NaN. */

/* ζ(s, x) for integer s >= 2, x > 0: terms up to x >= 20 + s, then
 * Euler-Maclaurin. (DLMF 25.11.28) */
static double hurwitz(int s, double x)
{
    double sum = 0, term, tail = 0;
    for (; x < 20 + s; x++)
        sum += pow(x, -s);
    /* B(2j)/(2j)! s (s+1) … (s+2j-2) x^(-s-2j+1), as ratios */
    static const double bernoulli[] = {
        1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
        5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510,
    };
    term = s * pow(x, -s - 1) / 2;
    for (int j = 1; j <= 8; j++) {
        tail += bernoulli[j - 1] * term;
        term *= (s + 2 * j - 1.0) * (s + 2 * j) /
                ((2 * j + 1.0) * (2 * j + 2) * x * x);
    }
    return sum + pow(x, 1 - s) / (s - 1) + pow(x, -s) / 2 + tail;
}

/* The k-th derivative of cot at t, over (-1)^k: a polynomial in c = cot(t) by
 * cot' = -(1 + c²). */
static double cot_derivative(int k, double c)
{
    double p[POLYGAMMA_MAX + 3] = {0, 1}, q[POLYGAMMA_MAX + 3];
    for (int step = 0; step < k; step++) {
        for (int i = 0; i <= step + 2; i++) {
            double down = i > 0 ? (i - 1) * p[i - 1] : 0;
            q[i] = (i <= step ? (i + 1) * p[i + 1] : 0) + down;
        }
        for (int i = 0; i <= step + 2; i++)
            p[i] = q[i];
    }
    double v = p[k + 1];
    for (int i = k; i >= 0; i--)
        v = v * c + p[i];
    return v;
}

/* ψ⁽ᵏ⁾(x) = (-1)^(k+1) k! ζ(k+1, x); for x < 0
 * ψ⁽ᵏ⁾(x) = (-1)^k ψ⁽ᵏ⁾(1-x) - π dᵏ/dxᵏ cot(πx). */
static double polygamma_eval(const double *p)
{
    int k = (int)p[0];
    double x = p[1], sign = k % 2 ? 1 : -1;
    if (k == 0)
        return digamma_eval(&x);
    if (k > POLYGAMMA_MAX)
        return NAN;
    if (x > 0)
        return isinf(x) ? 0 : sign * tgamma(k + 1) * hurwitz(k + 1, x);
    double r = x - nearbyint(x);
    if (r == 0 || !isfinite(x))
        return isfinite(x) && k % 2 ? INFINITY : NAN;
    double mirror[2] = {k, 1 - x};
    return sign * pow(PI, k + 1) * cot_derivative(k, (double)cotpi(r)) -
           sign * polygamma_eval(mirror);
}

static Node *polygamma_identity(Graph *g, const Node *n)
{
    return node_is_const(n->arg[0], 0) ? g1(g, OP_digamma, n->arg[1]) : NULL;
}

static Node *polygamma_partial(Graph *g, Node *n, int i)
{
    Node *next = g_fill(g, n, const_value(n->arg[0]) + 1);
    return i == 1 ? g2(g, OP_polygamma, next, n->arg[1]) : NULL;
}

static Val *polygamma_lower(Lower *l, const Node *n, Val *const *x)
{
    return num_polygamma(l, (int)const_value(n->arg[0]), x[1]);
}

const Op op_polygamma = {
    ELEMENTWISE(polygamma, 2, ON_real),
    .flags = OP_COSTLY | OP_ORDER | OP_DOMAIN,
    .surface = "polygamma",
    .weight = 143,
    .doc = "derivative of digamma, of the order that comes first",
    .domain = {0.5, 4},
    .identity = polygamma_identity,
    .eval = polygamma_eval,
    .finite = above_zero,
    .partial = polygamma_partial,
    .lower = polygamma_lower,
};

/* log(exp(a) + exp(b)) = max(a, b) + log1p(exp(-|a - b|)) */

static double logaddexp_eval(const double *x)
{
    double high = x[0] > x[1] ? x[0] : x[1];
    if (isnan(x[0]) || isnan(x[1]))
        return NAN;
    return high + (x[0] == x[1] ? log(2) : log1p(exp(-fabs(x[0] - x[1]))));
}

/* Of one infinity twice none; so -inf, exp of which is 0, is left alone. */
static Node *logaddexp_partial(Graph *g, Node *n, int i)
{
    Node *a = n->arg[i], *b = n->arg[1 - i];
    Node *other = g_fill(g, n, INFINITY);
    Node *ends = g2(g, OP_eq, g1(g, OP_abs, a), other);
    Node *both = g2(g, OP_and, g2(g, OP_eq, a, b), ends);
    Node *right = g1(g, OP_sigmoid, g2(g, OP_sub, a, b));
    return g_where(g, both, g_fill(g, n, 0), right);
}

static Val *logaddexp_lower(Lower *l, const Node *n, Val *const *x)
{
    Val *zero = low_real(l, n->dtype, 0);
    Val *d = low_fneg(l, low_fabs(l, low_fsub(l, x[0], x[1])));
    d = low_select(l, low_fcmp(l, CMP_eq, x[0], x[1]), zero, d);
    Val *high = low_select(l, low_fcmp(l, CMP_gt, x[1], x[0]), x[1], x[0]);
    return low_fadd(l, high, num_log1p(l, num_exp(l, d)));
}

const Op op_logaddexp = {
    FUNCTION(logaddexp, 2, OP_COMMUTES | OP_COSTLY),
    .weight = 72,
    .doc = "log(exp(x) + exp(y)), without overflow",
    .eval = logaddexp_eval,
    .partial = logaddexp_partial,
    .lower = logaddexp_lower,
};

/* a log(b) and a log(1 + b), 0 where a is 0 and the logarithm infinite or none,
 * which has no derivative there. */

static Node *no_factor(Graph *g, Node *n, double least)
{
    Node *a = n->arg[0], *b = n->arg[1];
    Node *above = g2(g, OP_lt, g_fill(g, n, least), b);
    Node *below = g2(g, OP_lt, b, g_fill(g, n, INFINITY));
    Node *odd = g1(g, OP_not, g2(g, OP_and, above, below));
    return g2(g, OP_and, g2(g, OP_eq, a, g_fill(g, n, 0)), odd);
}

static Val *times_log(Lower *l, Val *a, Val *b, Val *log_b)
{
    Val *zero = num_like(l, a, 0), *r = low_fmul(l, a, log_b);
    Val *right = low_not(l, low_fisnan(l, b));
    Val *none = low_and(l, low_fcmp(l, CMP_eq, a, zero), right);
    return low_select(l, none, zero, r);
}

/* So that a logarithm that the derivative needs, too, or that is the same for
 * all a, is taken once. */
static Node *with_log(Graph *g, Node *n, Node *log_b)
{
    Node *a = n->arg[0], *b = n->arg[1], *zero = g_fill(g, n, 0);
    Node *known = g2(g, OP_eq, b, b);
    Node *none = g2(g, OP_and, g2(g, OP_eq, a, zero), known);
    return g_where(g, none, zero, g2(g, OP_mul, a, log_b));
}

static double xlogy_eval(const double *x)
{
    return x[0] == 0 && !isnan(x[1]) ? 0 : x[0] * log(x[1]);
}

static Node *xlogy_partial(Graph *g, Node *n, int i)
{
    Node *a = n->arg[0], *b = n->arg[1];
    Node *d = i == 0 ? g1(g, OP_log, b) : g2(g, OP_div, a, b);
    Node *right = g_fill(g, n, 0);
    return g_where(g, no_factor(g, n, 0), right, d);
}

static Node *xlogy_expand(Graph *g, Node *n)
{
    return with_log(g, n, g1(g, OP_log, n->arg[1]));
}

static Val *xlogy_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)n;
    return times_log(l, x[0], x[1], num_log(l, x[1]));
}

const Op op_xlogy = {
    FUNCTION(xlogy, 2, OP_COSTLY | OP_STEEP | OP_DOMAIN),
    .weight = 35,
    .doc = "x log(y), 0 where x is 0",
    .domain = {0.2, 3},
    .eval = xlogy_eval,
    .finite = above_zero,
    .partial = xlogy_partial,
    .expand = xlogy_expand,
    .lower = xlogy_lower,
};

static double xlog1py_eval(const double *x)
{
    return x[0] == 0 && !isnan(x[1]) ? 0 : x[0] * log1p(x[1]);
}

static Node *xlog1py_partial(Graph *g, Node *n, int i)
{
    Node *a = n->arg[0], *b = n->arg[1];
    Node *d = i == 0 ? g1(g, OP_log1p, b)
                     : g2(g, OP_div, a, g2(g, OP_add, b, g_fill(g, n, 1)));
    Node *right = g_fill(g, n, 0);
    return g_where(g, no_factor(g, n, -1), right, d);
}

static Node *xlog1py_expand(Graph *g, Node *n)
{
    return with_log(g, n, g1(g, OP_log1p, n->arg[1]));
}

static Val *xlog1py_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)n;
    return times_log(l, x[0], x[1], num_log1p(l, x[1]));
}

const Op op_xlog1py = {
    FUNCTION(xlog1py, 2, OP_COSTLY | OP_STEEP | OP_DOMAIN),
    .weight = 43,
    .doc = "x log(1 + y), 0 where x is 0",
    .domain = {0.2, 3},
    .eval = xlog1py_eval,
    .finite = not_below_zero,
    .partial = xlog1py_partial,
    .expand = xlog1py_expand,
    .lower = xlog1py_lower,
};

/* log B(a, b), B(a, b) = Γ(a) Γ(b)/Γ(a + b) */

/* Raised by B(a, b) = B(a + 1, b + 1) (a + b)(a + b + 1)/(a b), then Stirling's
 * series. */
static double lbeta_eval(const double *x)
{
    long double a = x[0], b = x[1], shift = 0;
    if (!(x[0] >= 0 && x[1] >= 0))
        return NAN;
    if (x[0] == 0 || x[1] == 0 || isinf(x[0]) || isinf(x[1])) {
        bool both = x[0] == 0 || x[1] == 0;
        return both && (isinf(x[0]) || isinf(x[1])) ? NAN
               : both                               ? INFINITY
                                                    : -INFINITY;
    }
    for (; a < 32 || b < 32; a++, b++)
        shift += logl((a + b) / a) + logl((a + b + 1) / b);
    long double p = 1 / a, q = 1 / b, s = 1 / (a + b);
    long double tail = (p + q - s) / 12 -
                       (p * p * p + q * q * q - s * s * s) / 360 +
                       (powl(p, 5) + powl(q, 5) - powl(s, 5)) / 1260 -
                       (powl(p, 7) + powl(q, 7) - powl(s, 7)) / 1680;
    tail += 0.918938533204672741780329736L;
    return (double)(shift + tail - a * log1pl(b / a) - b * log1pl(a / b) -
                    (logl(a * s) + logl(b)) / 2);
}

/* d log B(a, b) = (ψ(a) - ψ(a + b)) da + (ψ(b) - ψ(a + b)) db */
static Node *lbeta_partial(Graph *g, Node *n, int i)
{
    Node *sum = g2(g, OP_add, n->arg[0], n->arg[1]);
    Node *right = g1(g, OP_digamma, sum);
    return g2(g, OP_sub, g1(g, OP_digamma, n->arg[i]), right);
}

static bool both_above_zero(const Node *n)
{
    return above_zero(n) && node_sign(n->arg[0]) == SIGN_positive;
}

const Op op_lbeta = {
    FUNCTION(lbeta, 2, OP_COMMUTES | OP_COSTLY | OP_DOMAIN),
    .doc = "logarithm of the beta function, for positive arguments",
    .shown = {FORM_call, "lbeta", "ln B", "\\ln B"},
    .domain = {0.5, 4},
    .eval = lbeta_eval,
    .finite = both_above_zero,
    .partial = lbeta_partial,
    .lower2 = num_lbeta,
};
