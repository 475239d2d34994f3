/* normal.c: the normal distribution and the scaled error function, right to all
 * digits far out, and their derivatives of any order. */
#include "graph/ops/ops.h"
#include "lower/numeric.h"

#include <math.h>

#define SQRT1_2 0.70710678118654752440L
#define SQRT2_PI 0.79788456080286535588L /* sqrt(2/π) */
#define ROOT_PI 1.77245385090551602730L

/* exp(a²) erfc(a) */

static double erfcx_eval(const double *x)
{
    long double a = x[0], w;
    if (x[0] > 100) {
        w = 1 / (a * a);
        return (double)((1 - w / 2 * (1 - w * 3 / 2 * (1 - w * 5 / 2))) /
                        (a * 1.77245385090551602730L));
    }
    return x[0] < -30 ? INFINITY : (double)(expl(a * a) * erfcl(a));
}

/* d erfcx(a) = -2 w(1, a) da, w as below */
static Node *erfcx_partial(Graph *g, Node *n)
{
    return g_scale(g, g2(g, OP_erfcx_integral, g_fill(g, n, 1), n->arg[0]), -2);
}

const Op op_erfcx = {
    FUNCTION(erfcx, 1, OP_COSTLY),
    .doc = "exp(x^2) erfc(x), without overflow",
    .eval = erfcx_eval,
    .partial1 = erfcx_partial,
    .lower1 = num_erfcx,
};

/* w(k, a) = exp(a²) times the k-th integral of erfc from a on: all of them are
 * positive, and so are the terms of 2(k+1) w(k+1) = w(k-1) - 2a w(k) for a < 0.
 * With them no derivative of erfcx is a difference. The order k is a constant
 * as polygamma's is; beyond ERFCX_MAX it is NaN. (DLMF 7.18) */

/* 2/sqrt(π)/k! ∫ t^k exp(-t² - 2at) dt over t = exp(u)/(1 + 2a), by trapezoids.
 */
static double erfcx_quadrature(int k, long double a)
{
    const long double step = 0.0625L;
    long double unit = 1 / (2 * a + 1), sum = 0;
    for (long double u = 6; u > -45; u -= step) {
        long double t = expl(u) * unit;
        sum += expl((k + 1) * u - t * (t + 2 * a));
    }
    for (int i = 1; i <= k; i++)
        sum *= unit / i;
    return (double)(2 / ROOT_PI * step * sum * unit);
}

static double erfcx_integral_eval(const double *x)
{
    int k = (int)x[0];
    double a = x[1], before = (double)(2 / ROOT_PI), now = erfcx_eval(&a);
    if (k > ERFCX_MAX || isnan(a))
        return NAN;
    if (a >= 0)
        return k == 0 ? now : a > 1e160 ? 0 : erfcx_quadrature(k, a);
    for (int i = 0; i < k; i++) {
        double next = (before - 2 * a * now) / (2 * i + 2);
        before = now;
        now = next;
    }
    return now;
}

static Node *erfcx_integral_identity(Graph *g, const Node *n)
{
    return node_is_const(n->arg[0], 0) ? g1(g, OP_erfcx, n->arg[1]) : NULL;
}

/* d w(k, a) = -2(k+1) w(k+1, a) da */
static Node *erfcx_integral_partial(Graph *g, Node *n, int i)
{
    double next = const_value(n->arg[0]) + 1;
    if (i == 0)
        return NULL;
    Node *w = g2(g, OP_erfcx_integral, g_fill(g, n, next), n->arg[1]);
    return g_scale(g, w, -2 * next);
}

static Val *erfcx_integral_lower(Lower *l, const Node *n, Val *const *x)
{
    return num_erfcx_integral(l, (int)const_value(n->arg[0]), x[1]);
}

const Op op_erfcx_integral = {
    ELEMENTWISE(erfcx_integral, 2, ON_real),
    .flags = OP_COSTLY | OP_ORDER,
    .surface = "erfcx_integral",
    .weight = 124,
    .doc = "exp(x^2) times the integral of erfc, of the order that comes first",
    .identity = erfcx_integral_identity,
    .eval = erfcx_integral_eval,
    .partial = erfcx_integral_partial,
    .lower = erfcx_integral_lower,
};

/* φ(a) = exp(-a²/2)/sqrt(2π) */

static double density_eval(const double *x)
{
    long double a = x[0];
    return (double)(expl(-a * a / 2) * 0.398942280401432677939946L);
}

/* dφ(a) = -a φ(a) da */
static Node *density_partial(Graph *g, Node *n)
{
    return g1(g, OP_neg, g2(g, OP_mul, n->arg[0], n));
}

const Op op_normal_density = {
    FUNCTION(normal_density, 1, OP_COSTLY),
    .doc = "density of the normal distribution",
    .shown = {FORM_call, "normal_density", "φ", "\\varphi"},
    .eval = density_eval,
    .partial1 = density_partial,
    .lower1 = num_normal_density,
};

/* Φ(a), the integral of φ */

static double ndtr_eval(const double *x)
{
    return (double)(erfcl(-x[0] * 0.70710678118654752440084436L) / 2);
}

static Node *ndtr_partial(Graph *g, Node *n)
{
    return g1(g, OP_normal_density, n->arg[0]);
}

const Op op_ndtr = {
    FUNCTION(ndtr, 1, OP_COSTLY),
    .doc = "distribution function of the normal distribution",
    .shown = {FORM_call, "ndtr", "Φ", "\\Phi"},
    .eval = ndtr_eval,
    .partial1 = ndtr_partial,
    .lower1 = num_ndtr,
};

/* log Φ(a) */

static double log_ndtr_eval(const double *x)
{
    double y = (double)(-x[0] * SQRT1_2);
    double other[1] = {-x[0]};
    return x[0] > -1 ? log1p(-ndtr_eval(other))
                     : log(erfcx_eval(&y) / 2) - x[0] / 2 * x[0];
}

static Node *log_ndtr_partial(Graph *g, Node *n)
{
    return g1(g, OP_normal_hazard, n->arg[0]);
}

const Op op_log_ndtr = {
    FUNCTION(log_ndtr, 1, OP_COSTLY),
    .doc = "log(ndtr(x)), right where ndtr is 0",
    .shown = {FORM_call, "log_ndtr", "ln Φ", "\\ln\\Phi"},
    .eval = log_ndtr_eval,
    .partial1 = log_ndtr_partial,
    .lower1 = num_log_ndtr,
};

/* e(a) = a + φ(a)/Φ(a), far below 0 by Laplace's continued fraction. */

static double excess_eval(const double *x)
{
    enum { TERMS = 400 };
    long double a = -(long double)x[0], r = a, y = a * SQRT1_2;
    if (x[0] > 0)
        return x[0] + density_eval(x) / ndtr_eval(x);
    if (x[0] > -1)
        return (double)(SQRT2_PI / (expl(y * y) * erfcl(y)) - a);
    for (int k = TERMS; k > 1; k--)
        r = a + k / r;
    return (double)(1 / r);
}

/* de(a) = (1 - h(a) e(a)) da with h = e - a. For a < 0 that cancels; with y =
 * -a/sqrt(2) it is 4 w(2, y)/w(0, y) - e(a)². */
static Node *excess_partial(Graph *g, Node *n)
{
    Node *a = n->arg[0], *zero = g_fill(g, n, 0);
    Node *above = g2(g, OP_lt, zero, a);
    Node *y = g_where(g, above, zero, g_scale(g, a, (double)-SQRT1_2));
    Node *w = g2(g, OP_erfcx_integral, g_fill(g, n, 2), y);
    w = g_scale(g, g2(g, OP_div, w, g1(g, OP_erfcx, y)), 4);
    Node *less = g2(g, OP_mul, g1(g, OP_normal_hazard, a), n);
    Node *other = g2(g, OP_sub, w, g2(g, OP_mul, n, n));
    return g_where(g, above, g2(g, OP_sub, g_fill(g, n, 1), less), other);
}

const Op op_normal_excess = {
    FUNCTION(normal_excess, 1, OP_COSTLY),
    .doc = "x + normal_hazard(x), right where they cancel",
    .eval = excess_eval,
    .partial1 = excess_partial,
    .lower1 = num_normal_excess,
};

/* h(a) = φ(a)/Φ(a) */

static double hazard_eval(const double *x)
{
    return x[0] > 0 ? density_eval(x) / ndtr_eval(x) : excess_eval(x) - x[0];
}

/* dh(a) = -h(a) e(a) da */
static Node *hazard_partial(Graph *g, Node *n)
{
    Node *e = g1(g, OP_normal_excess, n->arg[0]);
    return g1(g, OP_neg, g2(g, OP_mul, n, e));
}

const Op op_normal_hazard = {
    FUNCTION(normal_hazard, 1, OP_COSTLY),
    .doc = "density over distribution function of the normal distribution",
    .eval = hazard_eval,
    .partial1 = hazard_partial,
    .lower1 = num_normal_hazard,
};
