/* arith.c: elementwise arithmetic on reals and integers.
 *
 * The identities bring products, quotients and signs into one form, so that
 * what a derivative produces is what a person would write:
 *   - a sign stands before a product or quotient, or in its constant;
 *   - a scalar divisor stands outermost: a/s * c is (a * c)/s;
 *   - a sum of two with one scalar factor or divisor has it outside.
 * A value is only regrouped across scalars and constants, and no deeper than
 * one level, so the work at each node is bounded. */
#include "graph/ops/ops.h"
#include "lower/numeric.h"

#include <math.h>

static bool is_real(const Node *n) { return dtype_is_real(n->dtype); }

/* A constant that is a double, and its value. */
static bool constant(const Node *n, double *v)
{
    if (!node_is_any_const(n))
        return false;
    *v = const_value(n);
    return is_real(n) || fabs(*v) < 0x1p53;
}

/* The scalar that n is everywhere, or NULL. */
static Node *spread(Node *n)
{
    if (n->rank == 0)
        return n;
    return node_repeats(n) && n->arg[0]->rank == 0 ? n->arg[0] : NULL;
}

/* May n be moved across other factors: a scalar among tensors, or a size. */
static bool is_scale(Node *n)
{
    return n->rank > 0 ? spread(n) != NULL : node_is_size(n);
}

static bool is_neg(const Node *n) { return n->op == OP_neg; }

/* n = x * c with c a constant. */
static bool const_factor(Node *n, Node **x, double *c)
{
    if (n->op != OP_mul)
        return false;
    for (int i = 0; i < 2; i++) {
        if (constant(n->arg[i], c)) {
            *x = n->arg[1 - i];
            return true;
        }
    }
    return false;
}

/* Is v an ordinary number in dtype t: products of constants that are not stay
 * as they were written. */
static bool is_plain(DType t, double v)
{
    if (!dtype_is_real(t))
        return fabs(v) < 0x1p31 && (double)dtype_wrap(t, (int64_t)v) == v;
    v = fabs(dtype_fit(t, v));
    return v == 0 || (isfinite(v) && v >= (t == DT_f32 ? 0x1p-126 : 0x1p-1022));
}

/* Is it an ordinary number other than 0. */
static bool is_factor(DType t, double v)
{
    return is_plain(t, v) && dtype_fit(t, v) != 0;
}

/* Is -c, too, a number of n's dtype. */
static bool can_negate(const Node *n, double c)
{
    return is_real(n) || is_plain(n->dtype, -c);
}

/* The positive counterpart of a term that carries a minus sign: of -x, of a
 * negative constant, of x * c and c / x with c negative. NULL of others. */
static Node *unsigned_term(Graph *g, Node *n)
{
    Node *x;
    double c;
    if (is_neg(n))
        return n->arg[0];
    if (constant(n, &c))
        return c < 0 && can_negate(n, c) ? g_fill(g, n, -c) : NULL;
    if (const_factor(n, &x, &c)) {
        return c < 0 && can_negate(n, c) ? g2(g, OP_mul, x, g_fill(g, n, -c))
                                         : NULL;
    }
    if (n->op == OP_div && is_real(n) && constant(n->arg[0], &c) && c < 0)
        return g2(g, OP_div, g_fill(g, n, -c), n->arg[1]);
    return NULL;
}

/* n = x * c as x and c; any other n is n * 1. */
static Node *coefficient(Node *n, double *c)
{
    Node *x;
    if (const_factor(n, &x, c))
        return x;
    *c = 1;
    return n;
}

/* x*c + x*d = x * (c + d) for constants c, d of one sign: with two signs it
 * would hide an infinite x. */
static Node *collect(Graph *g, const Node *n)
{
    double c, d;
    Node *x = coefficient(n->arg[0], &c);
    Node *y = coefficient(n->arg[1], &d);
    if (x != y || !(c * d > 0) || !is_plain(n->dtype, c + d))
        return NULL;
    return g2(g, OP_mul, x, g_fill(g, n, c + d));
}

/* A scalar factor (op mul) or divisor (op div) that a and b share, and what
 * they have else. */
static Node *shared_scale(OpId op, Node *a, Node *b, Node **x, Node **y)
{
    if (a->op != op || b->op != op)
        return NULL;
    for (int i = op == OP_div ? 1 : 0; i < 2; i++) {
        for (int j = op == OP_div ? 1 : 0; j < 2; j++) {
            if (a->arg[i] == b->arg[j] && is_scale(a->arg[i]) &&
                (op == OP_div ? is_real(a) : true)) {
                *x = a->arg[1 - i];
                *y = b->arg[1 - j];
                return a->arg[i];
            }
        }
    }
    return NULL;
}

/* a*s ± b*s = (a ± b) * s and a/s ± b/s = (a ± b)/s for a scalar s. */
static Node *factor(Graph *g, const Node *n)
{
    static const OpId ops[2] = {OP_mul, OP_div};
    Node *x, *y, *u, *v;
    for (int k = 0; k < 2; k++) {
        Node *s = shared_scale(ops[k], n->arg[0], n->arg[1], &x, &y);
        if (s && !shared_scale(OP_mul, x, y, &u, &v) &&
            !shared_scale(OP_div, x, y, &u, &v)) {
            return g2(g, ops[k], g2(g, n->op, x, y), s);
        }
    }
    return NULL;
}

/* Integers: (x + c) + d = x + (c + d); wrapping makes it exact. */
static Node *collect_int(Graph *g, const Node *n)
{
    double c, d;
    if (is_real(n))
        return NULL;
    for (int i = 0; i < 2; i++) {
        const Node *a = n->arg[1 - i];
        if (!constant(n->arg[i], &c) || a->op != OP_add)
            continue;
        for (int j = 0; j < 2; j++)
            if (constant(a->arg[j], &d) && is_plain(n->dtype, c + d))
                return g2(g, OP_add, a->arg[1 - j], g_fill(g, n, c + d));
    }
    return NULL;
}

/* Arithmetic modulo 2^64. */
static int64_t wrap(uint64_t v) { return (int64_t)v; }

/* a + b */

static double add_eval(const double *x) { return x[0] + x[1]; }

static int64_t add_eval_int(const int64_t *x)
{
    return wrap((uint64_t)x[0] + (uint64_t)x[1]);
}

static Node *add_signs(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *b = n->arg[1];
    if (is_neg(a) && is_neg(b))
        return g1(g, OP_neg, g2(g, OP_add, a->arg[0], b->arg[0]));
    Node *m = unsigned_term(g, b);
    if (m)
        return g2(g, OP_sub, a, m);
    m = unsigned_term(g, a);
    return m ? g2(g, OP_sub, b, m) : NULL;
}

static Node *add_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *b = n->arg[1], *r;
    if (node_is_const(b, 0))
        return a;
    if (node_is_const(a, 0))
        return b;
    if ((r = collect(g, n)) || (r = add_signs(g, n)) || (r = collect_int(g, n)))
        return r;
    return factor(g, n);
}

/* Of sums, differences and negatives. */
static Node *sign_partial(Graph *g, Node *n, int i)
{
    bool minus = n->op == OP_neg || (n->op == OP_sub && i == 1);
    return g_fill(g, n, minus ? -1 : 1);
}

const Op op_add = {
    ELEMENTWISE(add, 2, ON_number),
    .flags = OP_COMMUTES | OP_LINEAR,
    .doc = "sum",
    .shown = {.kind = FORM_sum},
    .text = "$0 + $+1",
    .prec = PREC_add,
    .identity = add_identity,
    .eval = add_eval,
    .eval_int = add_eval_int,
    .on_dims = dim_add,
    .partial = sign_partial,
    .lower2 = low_fadd,
    .lower2_int = low_iadd,
};

/* a - b */

static double sub_eval(const double *x) { return x[0] - x[1]; }

static int64_t sub_eval_int(const int64_t *x)
{
    return wrap((uint64_t)x[0] - (uint64_t)x[1]);
}

static Node *sub_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *b = n->arg[1], *r;
    if (node_is_const(b, 0))
        return a;
    if (node_is_const(a, 0))
        return g1(g, OP_neg, b);
    if (a == b && !is_real(n))
        return g_fill(g, n, 0);
    if ((r = unsigned_term(g, b)))
        return g2(g, OP_add, a, r);
    if (is_neg(a))
        return g1(g, OP_neg, g2(g, OP_add, a->arg[0], b));
    return factor(g, n);
}

const Op op_sub = {
    ELEMENTWISE(sub, 2, ON_number),
    .flags = OP_LINEAR,
    .doc = "difference",
    .shown = {.kind = FORM_difference},
    .text = "$0 - $+1",
    .prec = PREC_add,
    .identity = sub_identity,
    .eval = sub_eval,
    .eval_int = sub_eval_int,
    .on_dims = dim_sub,
    .partial = sign_partial,
    .lower2 = low_fsub,
    .lower2_int = low_isub,
};

/* a * b */

static double mul_eval(const double *x) { return x[0] * x[1]; }

static int64_t mul_eval_int(const int64_t *x)
{
    return wrap((uint64_t)x[0] * (uint64_t)x[1]);
}

/* x * c with c a constant. */
static Node *mul_const(Graph *g, const Node *n, Node *x, double c)
{
    Node *y;
    double d;
    if (c == 1)
        return x;
    if (c == 0 && !is_real(n))
        return g_fill(g, n, 0);
    if (c == -1)
        return g1(g, OP_neg, x);
    if (is_neg(x) && c != 0 && can_negate(n, c))
        return g2(g, OP_mul, x->arg[0], g_fill(g, n, -c));
    if (const_factor(x, &y, &d) && is_plain(n->dtype, c) &&
        is_plain(n->dtype, d) && is_factor(n->dtype, c * d)) {
        return g2(g, OP_mul, y, g_fill(g, n, c * d));
    }
    /* c * (d/y) = (c * d)/y */
    if (is_real(n) && x->op == OP_div && constant(x->arg[0], &d) &&
        is_factor(n->dtype, c * d)) {
        return g2(g, OP_div, g_fill(g, n, c * d), x->arg[1]);
    }
    return NULL;
}

/* n as a quotient: a real division, or the broadcast of one by a size. */
static bool as_quotient(Graph *g, Node *n, Node **num, Node **den)
{
    Node *q = node_repeats(n) ? n->arg[0] : n;
    if (q->op != OP_div || !is_real(q) || (q != n && !node_is_size(q->arg[1])))
        return false;
    *num = q->arg[0];
    *den = q->arg[1];
    if (q != n) {
        *num = g_broadcast(g, *num, n->rank, n->dim, n->attr.ints);
        *den = g_fill_like(g, n, spread(*den));
    }
    return true;
}

/* Is n already a quotient by a scalar: then nothing more moves inside. */
static bool over_scale(Node *n)
{
    return n->op == OP_div && is_scale(n->arg[1]);
}

/* a/s * c = (a * c)/s for a scalar s, and 1/y * c = c/y for any y. */
static Node *mul_quotient(Graph *g, Node *q, Node *c)
{
    Node *num, *den;
    if (!as_quotient(g, q, &num, &den))
        return NULL;
    if (node_is_const(num, 1))
        return g2(g, OP_div, c, den);
    if (!is_scale(den) || over_scale(num) || (over_scale(c) && c != q))
        return NULL;
    return g2(g, OP_div, g2(g, OP_mul, num, c), den);
}

/* sqrt(s) * sqrt(s) = s for an s that is not below 0. */
static Node *square_of_root(const Node *n)
{
    const Node *a = n->arg[0];
    bool root = a == n->arg[1] && a->op == OP_sqrt;
    return root && node_sign(a->arg[0]) != SIGN_any ? a->arg[0] : NULL;
}

static Node *mul_identity(Graph *g, const Node *n)
{
    Node *r = square_of_root(n);
    double c;
    if (r)
        return r;
    for (int i = 0; i < 2; i++)
        if (constant(n->arg[i], &c) && (r = mul_const(g, n, n->arg[1 - i], c)))
            return r;
    for (int i = 0; i < 2; i++) {
        Node *a = n->arg[i], *b = n->arg[1 - i];
        if (is_neg(a))
            return g1(g, OP_neg, g2(g, OP_mul, a->arg[0], b));
        if ((r = mul_quotient(g, a, b)))
            return r;
    }
    return NULL;
}

static Node *mul_partial(Graph *g, Node *n, int i)
{
    (void)g;
    return n->arg[1 - i];
}

const Op op_mul = {
    ELEMENTWISE(mul, 2, ON_number),
    .flags = OP_COMMUTES | OP_LINEAR_EACH,
    .doc = "product",
    .shown = {.kind = FORM_product},
    .text = "$0 * $+1",
    .prec = PREC_mul,
    .identity = mul_identity,
    .eval = mul_eval,
    .eval_int = mul_eval_int,
    .on_dims = dim_mul,
    .partial = mul_partial,
    .lower2 = low_fmul,
    .lower2_int = low_imul,
};

/* a / b; on integers rounded down, and 0 where b is 0. */

static double div_eval(const double *x) { return x[0] / x[1]; }

static int64_t div_eval_int(const int64_t *x)
{
    if (x[1] == 0)
        return 0;
    if (x[1] == -1)
        return wrap(0 - (uint64_t)x[0]);
    int64_t q = x[0] / x[1];
    return q - (x[0] % x[1] != 0 && (x[0] < 0) != (x[1] < 0));
}

/* c/d where that has no rounding error. */
static bool exact_quotient(DType t, double c, double d, double *q)
{
    *q = c / d;
    return is_plain(t, c) && is_plain(t, d) && is_plain(t, *q) &&
           fma(*q, d, -c) == 0;
}

/* x / d with d a constant. */
static Node *div_const(Graph *g, const Node *n, double d)
{
    Node *x = n->arg[0], *y;
    double c, q;
    if (d == 1)
        return x;
    if (d == -1)
        return g1(g, OP_neg, x);
    if (!is_real(n))
        return NULL;
    if (exact_quotient(n->dtype, 1, d, &q))
        return g2(g, OP_mul, x, g_fill(g, n, q));
    if (const_factor(x, &y, &c) && exact_quotient(n->dtype, c, d, &q))
        return g2(g, OP_mul, y, g_fill(g, n, q));
    return NULL;
}

/* A size, or a product of two, to divide by. */
static Node *as_divisor(Graph *g, Node *n)
{
    if (n->op == OP_dim)
        return g_divisor(g, n->dtype, n->attr.dims[0]);
    if (n->op == OP_mul && node_is_size(n->arg[0]) && node_is_size(n->arg[1])) {
        Node *a = as_divisor(g, n->arg[0]), *b = as_divisor(g, n->arg[1]);
        return g2(g, OP_mul, a, b);
    }
    return n;
}

/* (a/s)/t = a/(s * t) for sizes; where s * t is no ordinary number 0/s/t would
 * be 0/0. */
static Node *div_twice(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *b = n->arg[1];
    double v;
    if (a->op != OP_div || !node_is_size(a->arg[1]) || !node_is_size(b))
        return NULL;
    Node *below = g2(g, OP_mul, a->arg[1], b);
    return constant(below, &v) && !is_factor(n->dtype, v)
               ? NULL
               : g2(g, OP_div, a->arg[0], below);
}

static Node *div_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *b = n->arg[1], *r;
    double d;
    if (constant(b, &d) && (r = div_const(g, n, d)))
        return r;
    if (!is_real(n))
        return NULL;
    Node *size = spread(b);
    r = size ? as_divisor(g, size) : NULL;
    if (r != size)
        return g2(g, OP_div, a, g_fill_like(g, n, r));
    if (is_neg(a))
        return g1(g, OP_neg, g2(g, OP_div, a->arg[0], b));
    if (is_neg(b))
        return g1(g, OP_neg, g2(g, OP_div, a, b->arg[0]));
    return div_twice(g, n);
}

/* d(a/b) = da/b - (a/b)/b db */
static Node *div_partial(Graph *g, Node *n, int i)
{
    Node *b = n->arg[1];
    return i == 0 ? g2(g, OP_div, g_fill(g, n, 1), b)
                  : g1(g, OP_neg, g2(g, OP_div, n, b));
}

/* (da - a/b db)/b */
static Node *div_slope(Graph *g, Node *n) { return g1(g, OP_neg, n); }

enum { MOST_DIVISORS = 8 };

/* The factors of a product that differentiation made, or q itself, behind n
 * others and before `more`. */
static int divisors(Node *q, Node **x, int n, int more)
{
    if (q->op != OP_mul || !q->derived || n + 2 + more > MOST_DIVISORS) {
        x[n] = q;
        return n + 1;
    }
    n = divisors(q->arg[0], x, n, more + 1);
    return divisors(q->arg[1], x, n, more);
}

/* a/(b/c), which is as smooth at c = 0 as a c/b is, is differentiated by a, b
 * and c: by the divisor, infinite there, it has derivative 0. And what a
 * derivative divides by, y y of x/y, by its factors: nobody wrote a product of
 * them, which has derivative 0 where they are. */
static int div_inputs(Graph *g, Node *n, Node **x)
{
    Node *q = n->arg[1];
    (void)g;
    x[0] = n->arg[0];
    if (!is_real(n))
        return 0;
    if (q->op == OP_mul && q->derived && n->derived)
        return 1 + divisors(q, x + 1, 0, 0);
    if (q->op != OP_div || node_sign(q->arg[1]) == SIGN_positive)
        return 0;
    x[1] = q->arg[0];
    x[2] = q->arg[1];
    return 3;
}

/* By input i, which is x. */
static Node *div_term(Graph *g, Node *n, Node *dy, int i, Node *x)
{
    Node *q = n->arg[1];
    Node *p = i == 0                      ? g2(g, OP_div, g_fill(g, n, 1), q)
              : i == 2 && q->op == OP_div ? g2(g, OP_div, n->arg[0], q->arg[0])
                                          : g1(g, OP_neg, g2(g, OP_div, n, x));
    return g_chain_seen(g, dy, p);
}

static void div_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *x[1 + MOST_DIVISORS];
    int count = div_inputs(g, n, x);
    for (int i = 0; i < count; i++)
        dx[i] = div_term(g, n, dy, i, x[i]);
}

static Node *div_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *x[1 + MOST_DIVISORS], *sum = NULL;
    int count = div_inputs(g, n, x);
    for (int i = 0; i < count; i++)
        if (dx[i])
            sum = g_join(g, OP_add, sum, div_term(g, n, dx[i], i, x[i]));
    return sum;
}

/* If n's second argument is an integer constant 2^k: k, else -1. */
static int shift_of(const Node *n)
{
    double v;
    int e;
    return constant(n->arg[1], &v) && v >= 1 && frexp(v, &e) == 0.5 ? e - 1
                                                                    : -1;
}

/* A size that is divided by is never 0. */
static bool div_finite(const Node *n)
{
    return !is_real(n) || node_is_size(n->arg[1]) ||
           node_sign(n->arg[1]) == SIGN_positive;
}

static Val *div_lower(Lower *l, const Node *n, Val *const *x)
{
    if (is_real(n))
        return low_fdiv(l, x[0], x[1]);
    int k = shift_of(n);
    if (k < 0)
        return low_idiv(l, x[0], x[1]);
    return n->dtype == DT_u8 ? low_ishr(l, x[0], k) : low_isar(l, x[0], k);
}

const Op op_div = {
    ELEMENTWISE(div, 2, ON_number),
    .flags = OP_LINEAR_FIRST,
    .cost = 4,
    .doc = "quotient; of integers rounded down",
    .shown = {.kind = FORM_fraction},
    .text = "$0 / $+1",
    .prec = PREC_mul,
    .domain = {0.5, 2},
    .identity = div_identity,
    .eval = div_eval,
    .eval_int = div_eval_int,
    .finite = div_finite,
    .on_dims = dim_div,
    .partial = div_partial,
    .slope = div_slope,
    .inputs = div_inputs,
    .vjp = div_vjp,
    .jvp = div_jvp,
    .lower = div_lower,
};

/* a % b: a - b * floor(a/b); on integers 0 where b is 0. */

static double mod_eval(const double *x)
{
    double r = fmod(x[0], x[1]);
    return r != 0 && (r < 0) != (x[1] < 0) ? r + x[1] : r;
}

static int64_t mod_eval_int(const int64_t *x)
{
    if (x[1] == 0 || x[1] == -1)
        return 0;
    int64_t r = x[0] % x[1];
    return r != 0 && (r < 0) != (x[1] < 0) ? r + x[1] : r;
}

static Node *mod_identity(Graph *g, const Node *n)
{
    bool zero =
        !is_real(n) && (node_is_const(n->arg[1], 1) || n->arg[0] == n->arg[1]);
    return zero ? g_fill(g, n, 0) : NULL;
}

/* d(a % b) = da - floor(a/b) db */
static Node *mod_partial(Graph *g, Node *n, int i)
{
    if (i == 0)
        return g_fill(g, n, 1);
    return g1(g, OP_neg, g1(g, OP_floor, g2(g, OP_div, n->arg[0], n->arg[1])));
}

static Val *mod_lower(Lower *l, const Node *n, Val *const *x)
{
    if (is_real(n))
        return num_mod(l, x[0], x[1]);
    int k = shift_of(n);
    return k < 0 ? low_imod(l, x[0], x[1])
                 : low_iand(
                       l, x[0],
                       low_int(l, n->dtype, (int64_t)((UINT64_C(1) << k) - 1)));
}

const Op op_mod = {
    ELEMENTWISE(mod, 2, ON_number),
    .flags = OP_DOMAIN,
    .weight = 8,
    .doc = "remainder of the quotient rounded down",
    .shown = {.kind = FORM_remainder},
    .text = "$0 % $+1",
    .prec = PREC_mul,
    .domain = {0.6, 0.9},
    .identity = mod_identity,
    .eval = mod_eval,
    .eval_int = mod_eval_int,
    .finite = div_finite,
    .on_dims = dim_mod,
    .partial = mod_partial,
    .lower = mod_lower,
};

/* -a */

static double neg_eval(const double *x) { return -x[0]; }

static int64_t neg_eval_int(const int64_t *x)
{
    return wrap(0 - (uint64_t)x[0]);
}

static Node *neg_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *x;
    double c;
    if (is_neg(a))
        return a->arg[0];
    if (a->op == OP_sub)
        return g2(g, OP_sub, a->arg[1], a->arg[0]);
    if (const_factor(a, &x, &c) && can_negate(n, c))
        return g2(g, OP_mul, x, g_fill(g, n, -c));
    if (a->op == OP_div && is_real(n) && constant(a->arg[0], &c))
        return g2(g, OP_div, g_fill(g, n, -c), a->arg[1]);
    return NULL;
}

static Val *neg_lower(Lower *l, const Node *n, Val *const *x)
{
    return is_real(n) ? low_fneg(l, x[0])
                      : low_isub(l, low_int(l, n->dtype, 0), x[0]);
}

const Op op_neg = {
    ELEMENTWISE(neg, 1, ON_number),
    .flags = OP_LINEAR,
    .cost = 0.5,
    .doc = "negative",
    .shown = {.kind = FORM_negative},
    .text = "-$0",
    .prec = PREC_neg,
    .identity = neg_identity,
    .eval = neg_eval,
    .eval_int = neg_eval_int,
    .on_dims = dim_sub,
    .partial = sign_partial,
    .lower = neg_lower,
};
