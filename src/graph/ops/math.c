/* math.c: elementary functions. */
#include "graph/ops/ops.h"
#include "lower/numeric.h"

#include <math.h>

static Node *square(Graph *g, Node *a) { return g2(g, OP_mul, a, a); }

static Node *one_minus_square(Graph *g, Node *a)
{
    Node *right = square(g, a);
    return g2(g, OP_sub, g_fill(g, a, 1), right);
}

static Node *one_plus_square(Graph *g, Node *a)
{
    Node *right = square(g, a);
    return g2(g, OP_add, g_fill(g, a, 1), right);
}

static Node *reciprocal(Graph *g, Node *a)
{
    return g2(g, OP_div, g_fill(g, a, 1), a);
}

/* Conditions under which a value is finite. */

static bool falling(const Node *n) { return node_never_positive(n->arg[0]); }

static bool nowhere(const Node *n)
{
    (void)n;
    return false;
}

/* a ^ b */

/* Of integers, modulo 2^64; a^-b is 1/a^b rounded towards 0, and 0 for a = 0.
 */
static int64_t pow_eval_int(const int64_t *x)
{
    uint64_t r = 1, a = (uint64_t)x[0];
    if (x[1] < 0) {
        bool odd = x[1] & 1;
        return x[0] == 1 || (x[0] == -1 && !odd) ? 1 : -(x[0] == -1);
    }
    for (uint64_t e = (uint64_t)x[1]; e; e >>= 1) {
        r *= e & 1 ? a : 1;
        a *= a;
    }
    return (int64_t)r;
}

/* a^k for k = 1 … 4, by products. */
static Node *small_power(Graph *g, Node *a, int k)
{
    Node *s = k > 1 ? square(g, a) : a;
    return k == 3 ? g2(g, OP_mul, s, a) : k == 4 ? square(g, s) : s;
}

static Node *pow_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *b = n->arg[1];
    if (node_is_const(a, 1) || node_is_const(b, 0))
        return g_fill(g, n, 1);
    for (int k = 1; k <= 4; k++) {
        if (node_is_const(b, k))
            return small_power(g, a, k);
        if (dtype_is_real(n->dtype) && node_is_const(b, -k))
            return reciprocal(g, small_power(g, a, k));
    }
    if (node_is_const(b, 0.5))
        return g1(g, OP_sqrt, a);
    return node_is_const(b, -0.5) ? g1(g, OP_rsqrt, a) : NULL;
}

/* The second may be an integer where the first is real. */
static bool pow_infer(Graph *g, Node *n)
{
    if (n->narg != 2 || n->arg[0]->dtype == n->arg[1]->dtype)
        return infer_ewise(g, n);
    n->dtype = n->arg[0]->dtype;
    return infer_same_shape(n) && dtype_is_real(n->dtype) &&
           dtype_is_int(n->arg[1]->dtype);
}

/* d a^b = b a^(b-1) da + a^b log(a) db. The first is 0 at b = 0 whatever a is;
 * the second is taken as 0 where a is not positive. */
static Node *pow_partial(Graph *g, Node *n, int i)
{
    Node *a = n->arg[0], *b = n->arg[1], *zero = g_fill(g, n, 0);
    if (i == 1) {
        Node *other = g2(g, OP_mul, n, g1(g, OP_log, a));
        return g_where(g, g2(g, OP_le, a, zero), zero, other);
    }
    Node *less = g2(g, OP_sub, b, g_fill(g, b, 1));
    Node *right = g2(g, OP_pow, a, less);
    Node *p = g2(g, OP_mul, g_cast(g, n->dtype, b), right);
    Node *none = g2(g, OP_eq, b, g_fill(g, b, 0));
    Node *both = g2(g, OP_and, g2(g, OP_eq, a, zero), none);
    return g_where(g, both, zero, p);
}

/* a^(k+1/2) by products and a root. As pow does, -0 and -inf count as 0 and
 * inf.
 */
static Val *half_power(Lower *l, DType t, Val *a, int k)
{
    Val *inf = low_real(l, t, INFINITY);
    Val *least = low_fcmp(l, CMP_eq, a, low_real(l, t, -INFINITY));
    a = low_select(l, least, inf, low_fadd(l, a, low_real(l, t, 0)));
    Val *y = low_fsqrt(l, a);
    for (int i = 0; i < k; i++)
        y = low_fmul(l, y, a);
    return y;
}

static bool pow_finite(const Node *n)
{
    Sign a = node_sign(n->arg[0]);
    double b =
        node_is_any_const(n->arg[1]) ? const_value(n->arg[1]) : (double)NAN;
    return a == SIGN_positive || (b >= 0 && (a != SIGN_any || b == floor(b)));
}

static Val *pow_lower(Lower *l, const Node *n, Val *const *x)
{
    for (int k = 1; k <= 3 && dtype_is_real(n->dtype); k++) {
        if (node_is_const(n->arg[1], k + 0.5))
            return half_power(l, n->dtype, x[0], k);
        if (node_is_const(n->arg[1], -k - 0.5)) {
            return low_fdiv(l, low_real(l, n->dtype, 1),
                            half_power(l, n->dtype, x[0], k));
        }
    }
    return dtype_is_real(n->dtype) ? num_pow(l, x[0], x[1])
                                   : num_ipow(l, n->dtype, x[0], x[1]);
}

const Op op_pow = {
    ELEMENTWISE(pow, 2, ON_number),
    .flags = OP_SURFACE | OP_COSTLY | OP_STEEP | OP_DOMAIN,
    .weight = 8,
    .cost = 16,
    .doc = "the first to the power of the second",
    .shown = {.kind = FORM_power},
    .text = "$+0 ^ $1",
    .prec = PREC_pow,
    .domain = {0.3, 2.5},
    .infer = pow_infer,
    .identity = pow_identity,
    .eval2 = pow,
    .eval_int = pow_eval_int,
    .finite = pow_finite,
    .partial = pow_partial,
    .lower = pow_lower,
};

/* d exp(a) = exp(a) da */
static Node *exp_partial(Graph *g, Node *n)
{
    (void)g;
    return n;
}

/* n, a logsumexp in another order or repeated, as one that is finite; or NULL.
 */
static Node *finite_lse(Graph *g, const Node *n)
{
    Node *x;
    if (n->op == OP_logsumexp)
        return g_finite_lse(g, n);
    if (!node_views_one(n))
        return NULL;
    x = finite_lse(g, n->arg[0]);
    return x ? graph_remake(g, n, &x) : NULL;
}

/* exp(x - logsumexp(y)) is 0 where both are -inf: the softmax of nothing. */
static Node *exp_identity(Graph *g, const Node *n)
{
    const Node *d = n->arg[0];
    Node *y = d->op == OP_sub ? finite_lse(g, d->arg[1]) : NULL;
    return y && y != d->arg[1] ? g1(g, OP_exp, g2(g, OP_sub, d->arg[0], y))
                               : NULL;
}

static Node *exp_expand(Graph *g, Node *n)
{
    const Node *d = n->arg[0];
    return d->op == OP_sub ? g_softmax(g, d->arg[0], d->arg[1]) : NULL;
}

const Op op_exp = {
    FUNCTION(exp, 1, OP_COSTLY | OP_NOT_NEGATIVE),
    .weight = 28,
    .doc = "exponential function",
    .shown = {FORM_call, "exp", "exp", "\\exp"},
    .identity = exp_identity,
    .eval1 = exp,
    .finite = falling,
    .partial1 = exp_partial,
    .expand = exp_expand,
    .lower1 = num_exp,
};

/* d expm1(a) = exp(a) da */
static Node *expm1_partial(Graph *g, Node *n)
{
    return g1(g, OP_exp, n->arg[0]);
}

const Op op_expm1 = {
    FUNCTION(expm1, 1, OP_COSTLY),
    .weight = 23,
    .doc = "exp(x) - 1, exact near 0",
    .eval1 = expm1,
    .finite = falling,
    .partial1 = expm1_partial,
    .lower1 = num_expm1,
};

/* d log(a) = da/a */
static Node *log_partial(Graph *g, Node *n) { return reciprocal(g, n->arg[0]); }

/* log(x²) by x: by x² it is infinite at 0, where that of x² is 0. */
static int log_inputs(Graph *g, Node *n, Node **x)
{
    (void)g;
    x[0] = n->arg[0]->op == OP_mul ? n->arg[0]->arg[0] : NULL;
    return x[0] && node_is_square(n->arg[0]);
}

static Node *twice_over(Graph *g, const Node *n)
{
    Node *x = n->arg[0]->arg[0];
    return g2(g, OP_div, g_fill(g, x, 2), x);
}

static void log_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_chain_seen(g, dy, twice_over(g, n));
}

static Node *log_jvp(Graph *g, Node *n, Node *const *dx)
{
    return g_chain_seen(g, dx[0], twice_over(g, n));
}

const Op op_log = {
    FUNCTION(log, 1, OP_COSTLY | OP_DOMAIN),
    .weight = 30,
    .doc = "natural logarithm",
    .shown = {FORM_call, "log", "ln", "\\ln"},
    .domain = {0.2, 3},
    .eval1 = log,
    .finite = above_zero,
    .partial1 = log_partial,
    .inputs = log_inputs,
    .vjp = log_vjp,
    .jvp = log_jvp,
    .lower1 = num_log,
};

/* d log1p(a) = da/(1 + a) */
static Node *log1p_partial(Graph *g, Node *n)
{
    return reciprocal(g, g2(g, OP_add, g_fill(g, n, 1), n->arg[0]));
}

const Op op_log1p = {
    FUNCTION(log1p, 1, OP_COSTLY | OP_DOMAIN),
    .weight = 38,
    .doc = "log(1 + x), exact near 0",
    .domain = {-0.8, 3},
    .eval1 = log1p,
    .finite = not_below_zero,
    .partial1 = log1p_partial,
    .lower1 = num_log1p,
};

/* d sqrt(a) = da/(2 sqrt(a)) */
static Node *sqrt_partial(Graph *g, Node *n)
{
    return g2(g, OP_div, g_fill(g, n, 0.5), n);
}

const Op op_sqrt = {
    FUNCTION(sqrt, 1, OP_NOT_NEGATIVE | OP_STEEP | OP_DOMAIN),
    .cost = 4,
    .doc = "square root",
    .shown = {.kind = FORM_root},
    .domain = {0.2, 3},
    .eval1 = sqrt,
    .finite = not_below_zero,
    .partial1 = sqrt_partial,
    .inputs = root_inputs,
    .vjp = root_vjp,
    .jvp_times = root_jvp_times,
    .lower1 = low_fsqrt,
};

static double rsqrt_eval(double a) { return 1 / sqrt(a); }

/* d a^(-1/2) = -a^(-1/2)/(2a) da */
static Node *rsqrt_partial(Graph *g, Node *n)
{
    return g2(g, OP_div, g2(g, OP_mul, g_fill(g, n, -0.5), n), n->arg[0]);
}

const Op op_rsqrt = {
    FUNCTION(rsqrt, 1, OP_NOT_NEGATIVE | OP_DOMAIN),
    .cost = 4,
    .doc = "1/sqrt(x)",
    .domain = {0.2, 3},
    .shown = {.kind = FORM_inverse_root},
    .eval1 = rsqrt_eval,
    .finite = above_zero,
    .partial1 = rsqrt_partial,
    .lower1 = num_rsqrt,
};

/* d cbrt(a) = da/(3 cbrt(a)²) */
static Node *cbrt_partial(Graph *g, Node *n)
{
    Node *right = square(g, n);
    return reciprocal(g, g2(g, OP_mul, g_fill(g, n, 3), right));
}

/* The C library's own of doubles is off by more than one of their last bits. */
static double cbrt_eval(double x) { return (double)cbrtl(x); }

const Op op_cbrt = {
    FUNCTION(cbrt, 1, OP_COSTLY | OP_STEEP),
    .doc = "cube root",
    .shown = {FORM_call, "cbrt", "cbrt", NULL},
    .domain = {0.2, 3},
    .eval1 = cbrt_eval,
    .partial1 = cbrt_partial,
    .lower1 = num_cbrt,
};

/* d sin(a) = cos(a) da */
static Node *sin_partial(Graph *g, Node *n) { return g1(g, OP_cos, n->arg[0]); }

static OpId sin_partner(void) { return OP_cos; }

const Op op_sin = {
    FUNCTION(sin, 1, OP_COSTLY | OP_ODD),
    .weight = 7,
    .doc = "sine",
    .shown = {FORM_call, "sin", "sin", "\\sin"},
    .eval1 = sin,
    .partial1 = sin_partial,
    .lower1 = num_sin,
    .partner = sin_partner,
    .lower_both = num_sin_and_cos,
};

/* d cos(a) = -sin(a) da */
static Node *cos_partial(Graph *g, Node *n)
{
    return g1(g, OP_neg, g1(g, OP_sin, n->arg[0]));
}

static OpId cos_partner(void) { return OP_sin; }

static Val *cos_and_sin(Lower *l, Val *a, Val **partner)
{
    Val *c, *s = num_sin_and_cos(l, a, &c);
    *partner = s;
    return c;
}

const Op op_cos = {
    FUNCTION(cos, 1, OP_COSTLY | OP_EVEN),
    .weight = 7,
    .doc = "cosine",
    .shown = {FORM_call, "cos", "cos", "\\cos"},
    .eval1 = cos,
    .partial1 = cos_partial,
    .lower1 = num_cos,
    .partner = cos_partner,
    .lower_both = cos_and_sin,
};

/* d tan(a) = (1 + tan(a)²) da */
static Node *tan_partial(Graph *g, Node *n) { return one_plus_square(g, n); }

const Op op_tan = {
    FUNCTION(tan, 1, OP_COSTLY | OP_ODD),
    .weight = 7,
    .doc = "tangent",
    .shown = {FORM_call, "tan", "tan", "\\tan"},
    .domain = {-1.2, 1.2},
    .eval1 = tan,
    .partial1 = tan_partial,
    .lower1 = num_tan,
};

/* d asin(a) = da/sqrt(1 - a²) */
static Node *asin_partial(Graph *g, Node *n)
{
    return g1(g, OP_rsqrt, one_minus_square(g, n->arg[0]));
}

const Op op_asin = {
    FUNCTION(asin, 1, OP_COSTLY | OP_STEEP | OP_DOMAIN | OP_ODD),
    .weight = 5,
    .doc = "inverse sine",
    .shown = {FORM_call, "asin", "arcsin", "\\arcsin"},
    .domain = {-0.9, 0.9},
    .eval1 = asin,
    .finite = nowhere,
    .partial1 = asin_partial,
    .lower1 = num_asin,
};

/* d acos(a) = -da/sqrt(1 - a²) */
static Node *acos_partial(Graph *g, Node *n)
{
    return g1(g, OP_neg, asin_partial(g, n));
}

const Op op_acos = {
    FUNCTION(acos, 1, OP_COSTLY | OP_STEEP | OP_DOMAIN),
    .weight = 5,
    .doc = "inverse cosine",
    .shown = {FORM_call, "acos", "arccos", "\\arccos"},
    .domain = {-0.9, 0.9},
    .eval1 = acos,
    .finite = nowhere,
    .partial1 = acos_partial,
    .lower1 = num_acos,
};

/* d atan(a) = da/(1 + a²) */
static Node *atan_partial(Graph *g, Node *n)
{
    return reciprocal(g, one_plus_square(g, n->arg[0]));
}

const Op op_atan = {
    FUNCTION(atan, 1, OP_COSTLY | OP_ODD),
    .weight = 5,
    .doc = "inverse tangent",
    .shown = {FORM_call, "atan", "arctan", "\\arctan"},
    .eval1 = atan,
    .partial1 = atan_partial,
    .lower1 = num_atan,
};

/* atan2(y, x): the angle of the point (x, y) */

/* d atan2(y, x) = (x dy - y dx)/(x² + y²) */
static Node *atan2_partial(Graph *g, Node *n, int i)
{
    Node *y = n->arg[0], *x = n->arg[1];
    Node *right = square(g, y);
    Node *d = g2(g, OP_add, square(g, x), right);
    return i == 0 ? g2(g, OP_div, x, d) : g1(g, OP_neg, g2(g, OP_div, y, d));
}

const Op op_atan2 = {
    FUNCTION(atan2, 2, OP_COSTLY),
    .weight = 5,
    .doc = "angle of the point (x, y), from y and x",
    .domain = {0.3, 2},
    .eval2 = atan2,
    .partial = atan2_partial,
    .lower2 = num_atan2,
};

/* d hypot(a, b) = (a da + b db)/hypot(a, b), and 0 where that is 0 */
static Node *hypot_partial(Graph *g, Node *n, int i)
{
    return g2(g, OP_strong_mul, n->arg[i], reciprocal(g, n));
}

const Op op_hypot = {
    FUNCTION(hypot, 2, OP_COMMUTES | OP_NOT_NEGATIVE),
    .weight = 13,
    .doc = "sqrt(x^2 + y^2) without overflow",
    .domain = {0.3, 2},
    .eval2 = hypot,
    .partial = hypot_partial,
    .lower2 = num_hypot,
};

/* d sinh(a) = cosh(a) da */
static Node *sinh_partial(Graph *g, Node *n)
{
    return g1(g, OP_cosh, n->arg[0]);
}

const Op op_sinh = {
    FUNCTION(sinh, 1, OP_COSTLY | OP_ODD),
    .weight = 61,
    .doc = "hyperbolic sine",
    .shown = {FORM_call, "sinh", "sinh", "\\sinh"},
    .eval1 = sinh,
    .finite = nowhere,
    .partial1 = sinh_partial,
    .lower1 = num_sinh,
};

/* d cosh(a) = sinh(a) da */
static Node *cosh_partial(Graph *g, Node *n)
{
    return g1(g, OP_sinh, n->arg[0]);
}

const Op op_cosh = {
    FUNCTION(cosh, 1, OP_COSTLY | OP_NOT_NEGATIVE | OP_EVEN),
    .weight = 31,
    .doc = "hyperbolic cosine",
    .shown = {FORM_call, "cosh", "cosh", "\\cosh"},
    .eval1 = cosh,
    .finite = nowhere,
    .partial1 = cosh_partial,
    .lower1 = num_cosh,
};

/* d tanh(a) = (1 - tanh(a)²) da */
static Node *tanh_partial(Graph *g, Node *n) { return one_minus_square(g, n); }

const Op op_tanh = {
    FUNCTION(tanh, 1, OP_COSTLY | OP_ODD),
    .weight = 29,
    .doc = "hyperbolic tangent",
    .shown = {FORM_call, "tanh", "tanh", "\\tanh"},
    .eval1 = tanh,
    .partial1 = tanh_partial,
    .lower1 = num_tanh,
};

/* 1/(1 + exp(-a)) */

static double sigmoid_eval(double a)
{
    double e = exp(-fabs(a));
    return a < 0 ? e / (1 + e) : 1 / (1 + e);
}

/* dσ(a) = σ(a) (1 - σ(a)) da */
static Node *sigmoid_partial(Graph *g, Node *n)
{
    return g2(g, OP_mul, n, g2(g, OP_sub, g_fill(g, n, 1), n));
}

const Op op_sigmoid = {
    FUNCTION(sigmoid, 1, OP_COSTLY | OP_NOT_NEGATIVE),
    .weight = 31,
    .doc = "logistic function 1/(1 + exp(-x))",
    .shown = {FORM_call, "sigmoid", "σ", "\\sigma"},
    .eval1 = sigmoid_eval,
    .partial1 = sigmoid_partial,
    .lower1 = num_sigmoid,
};

/* log(1 + exp(a)) = max(a, 0) + log1p(exp(-|a|)) */

static double softplus_eval(double a)
{
    return (a > 0 ? a : 0) + log1p(exp(-fabs(a)));
}

static Node *softplus_partial(Graph *g, Node *n)
{
    return g1(g, OP_sigmoid, n->arg[0]);
}

const Op op_softplus = {
    FUNCTION(softplus, 1, OP_COSTLY | OP_NOT_NEGATIVE),
    .weight = 70,
    .doc = "log(1 + exp(x)), without overflow",
    .eval1 = softplus_eval,
    .partial1 = softplus_partial,
    .lower1 = num_softplus,
};
