/* rules.c: the rewrite rules, a row each.
 *
 * What an operator's own block can see (x + 0, --x, products of scalars) is
 * done there when the node is made; here stands what spans several operators.
 * A rule never turns a NaN or an infinity into a number or back, but for the
 * stable forms of log and exp, which are what their author meant. */

#include "graph/ops/ops.h"
#include "simplify/simplify.h"

#include <math.h>
#include <string.h>

static bool is(const Node *n, OpId op) { return n->op == op; }

static Node *arg(const Node *n, int i) { return n->arg[i]; }

/* The operand of `n` when n is op(const v, x) or op(x, const v). */
static Node *beside_const(const Node *n, OpId op, double v)
{
    if (!is(n, op))
        return NULL;
    if (node_is_const(arg(n, 0), v))
        return arg(n, 1);
    return node_is_const(arg(n, 1), v) ? arg(n, 0) : NULL;
}

/* n is a broadcast that restores just the axes that the reduction r removes,
 * if it has the shape of what that reduces. */
static bool restores(const Node *n, const Node *r)
{
    int next = 0;

    if (!node_repeats(n))
        return false;
    for (int i = 0; i < n->rank; i++) {
        bool reduced = next < r->attr.nint && r->attr.ints[next] == i;

        if (n->attr.ints[i] != (reduced ? -1 : i - next))
            return false;
        next += reduced;
    }
    return true;
}

static Node *log_sum_exp(Graph *g, const Node *n)
{
    const Node *sum = arg(n, 0);

    if (!is(sum, OP_sum) || !is(arg(sum, 0), OP_exp))
        return NULL;
    return g_reduce(g, OP_logsumexp, arg(arg(sum, 0), 0), sum->attr.nint,
                    sum->attr.ints);
}

static Node *softmax(Graph *g, const Node *n)
{
    const Node *e = arg(n, 0), *below = arg(n, 1);
    const Node *sum = node_repeated(below);
    Node *x;

    if (!is(e, OP_exp) || !is(sum, OP_sum) || arg(sum, 0) != e)
        return NULL;
    x = g_reduce(g, OP_logsumexp, arg(e, 0), sum->attr.nint, sum->attr.ints);
    x = g_broadcast(g, x, below->rank, below->dim, below->attr.ints);
    return g1(g, OP_exp, g2(g, OP_sub, arg(e, 0), x));
}

/* x for logsumexp(x - c) with a c that is the same for all that is summed. */
static Node *shifted(const Node *lse)
{
    const Node *d = is(lse, OP_logsumexp) ? arg(lse, 0) : NULL;

    return d && is(d, OP_sub) && restores(arg(d, 1), lse) ? arg(d, 0) : NULL;
}

/* Who takes off the largest by hand gets what does so by itself, and whose
 * derivative knows nothing of it. */
static Node *shifted_log_sum_exp(Graph *g, const Node *n)
{
    for (int i = 0; i < 2; i++) {
        const Node *lse = arg(n, i);
        Node *x = shifted(lse);

        if (x && arg(arg(arg(lse, 0), 1), 0) == arg(n, 1 - i))
            return g_reduce(g, OP_logsumexp, x, lse->attr.nint, lse->attr.ints);
    }
    return NULL;
}

static Node *shifted_softmax(Graph *g, const Node *n)
{
    const Node *back = arg(n, 1);
    const Node *lse = node_repeats(back) ? arg(back, 0) : NULL;
    Node *x = lse ? shifted(lse) : NULL;

    if (!x || arg(lse, 0) != arg(n, 0) || !restores(back, lse))
        return NULL;
    x = g_reduce(g, OP_logsumexp, x, lse->attr.nint, lse->attr.ints);
    x = g_broadcast(g, x, back->rank, back->dim, back->attr.ints);
    return g2(g, OP_sub, arg(arg(n, 0), 0), x);
}

static Node *log_one_plus(Graph *g, const Node *n)
{
    Node *x = beside_const(arg(n, 0), OP_add, 1);

    return x ? g1(g, OP_log1p, x) : NULL;
}

static Node *log1p_exp(Graph *g, const Node *n)
{
    const Node *e = arg(n, 0);

    return is(e, OP_exp) ? g1(g, OP_softplus, arg(e, 0)) : NULL;
}

static Node *exp_minus_one(Graph *g, const Node *n)
{
    if (!is(arg(n, 0), OP_exp) || !node_is_const(arg(n, 1), 1))
        return NULL;
    return g1(g, OP_expm1, arg(arg(n, 0), 0));
}

static Node *logistic(Graph *g, const Node *n)
{
    Node *e =
        node_is_const(arg(n, 0), 1) ? beside_const(arg(n, 1), OP_add, 1) : NULL;

    if (!e || !is(e, OP_exp))
        return NULL;
    return g1(g, OP_sigmoid, g1(g, OP_neg, arg(e, 0)));
}

static Node *log_sigmoid(Graph *g, const Node *n)
{
    const Node *s = arg(n, 0);

    if (!is(s, OP_sigmoid))
        return NULL;
    return g1(g, OP_neg, g1(g, OP_softplus, g1(g, OP_neg, arg(s, 0))));
}

static Node *log_one_minus_sigmoid(Graph *g, const Node *n)
{
    const Node *d = arg(n, 0);

    if (!is(d, OP_sub) || !node_is_const(arg(d, 0), 1) ||
        !is(arg(d, 1), OP_sigmoid))
        return NULL;
    return g1(g, OP_neg, g1(g, OP_softplus, arg(arg(d, 1), 0)));
}

static Node *log1p_minus_sigmoid(Graph *g, const Node *n)
{
    const Node *m = arg(n, 0);

    if (!is(m, OP_neg) || !is(arg(m, 0), OP_sigmoid))
        return NULL;
    return g1(g, OP_neg, g1(g, OP_softplus, arg(arg(m, 0), 0)));
}

static Node *one_over_sqrt(Graph *g, const Node *n)
{
    if (!node_is_const(arg(n, 0), 1) || !is(arg(n, 1), OP_sqrt))
        return NULL;
    return g1(g, OP_rsqrt, arg(arg(n, 1), 0));
}

/* f(-x) = f(x) */
static Node *even(Graph *g, const Node *n)
{
    const Node *m = arg(n, 0);

    return is(m, OP_neg) ? g1(g, n->op, arg(m, 0)) : NULL;
}

/* f(-x) = -f(x) */
static Node *odd(Graph *g, const Node *n)
{
    const Node *m = arg(n, 0);

    if (!is(m, OP_neg))
        return NULL;
    return g1(g, OP_neg, g1(g, n->op, arg(m, 0)));
}

static Node *abs_abs(Graph *g, const Node *n)
{
    (void)g;
    return is(arg(n, 0), OP_abs) ? arg(n, 0) : NULL;
}

/* op(op(x, y), y) = op(x, y) for max and min */
static Node *absorb(Graph *g, const Node *n)
{
    (void)g;
    for (int i = 0; i < 2; i++) {
        Node *inner = arg(n, i), *other = arg(n, 1 - i);

        if (is(inner, n->op) &&
            (arg(inner, 0) == other || arg(inner, 1) == other))
            return inner;
    }
    return NULL;
}

static Node *square_of_abs(Graph *g, const Node *n)
{
    if (arg(n, 0) != arg(n, 1) || !is(arg(n, 0), OP_abs))
        return NULL;
    return g2(g, OP_mul, arg(arg(n, 0), 0), arg(arg(n, 0), 0));
}

static Node *sin_over_cos(Graph *g, const Node *n)
{
    const Node *s = arg(n, 0), *c = arg(n, 1);

    if (!is(s, OP_sin) || !is(c, OP_cos) || arg(s, 0) != arg(c, 0))
        return NULL;
    return g1(g, OP_tan, arg(s, 0));
}

static Node *one_minus_erf(Graph *g, const Node *n)
{
    if (!node_is_const(arg(n, 0), 1) || !is(arg(n, 1), OP_erf))
        return NULL;
    return g1(g, OP_erfc, arg(arg(n, 1), 0));
}

/* A product of three tensors in the cheaper order: a·(b·v) for a vector v
 * costs two matrix-vector products, (a·b)·v a matrix product. The labels of
 * the inner product are renamed apart from the outer one's. */
typedef struct Triple {
    Node *x, *y, *z; /* (x·y)·z as it stands */
    int lx[MAX_RANK], ly[MAX_RANK], lz[MAX_RANK], lout[MAX_RANK];
} Triple;

/* A contract keeps its labels as ints: those of arg 0, then of arg 1; the
 * result's are 0 … rank-1. */
static bool read_triple(const Node *n, int inner, Triple *t)
{
    const Node *p = arg(n, inner), *q = arg(n, 1 - inner);
    const int *outer_p = n->attr.ints + (inner ? arg(n, 0)->rank : 0);
    const int *outer_q = n->attr.ints + (inner ? 0 : arg(n, 0)->rank);

    if (!is(p, OP_contract))
        return false;
    t->x = arg(p, 0);
    t->y = arg(p, 1);
    t->z = arg(n, 1 - inner);
    for (int i = 0; i < q->rank; i++)
        t->lz[i] = outer_q[i];
    for (int i = 0; i < n->rank; i++)
        t->lout[i] = i;
    for (int k = 0; k < t->x->rank + t->y->rank; k++) {
        int label = p->attr.ints[k];
        int to = label < p->rank ? outer_p[label] : label + 4 * MAX_RANK;

        if (k < t->x->rank)
            t->lx[k] = to;
        else
            t->ly[k - t->x->rank] = to;
    }
    return true;
}

/* Multiplications of a product: the sizes of all distinct labels. Rises by
 * constants only; -1 where a size is not constant. */
static double product_cost(const Node *a, const int *la, const Node *b,
                           const int *lb)
{
    double cost = 1;

    for (int i = 0; i < a->rank + b->rank; i++) {
        const Dim *d = i < a->rank ? a->dim[i] : b->dim[i - a->rank];
        int64_t v;

        if (i >= a->rank && find_label(lb[i - a->rank], a->rank, la) >= 0)
            continue;
        if (!dim_const_value(d, &v))
            v = 64; /* a run-time size: taken as middling */
        cost *= (double)v;
    }
    return cost;
}

/* The labels of a·b that z or the result still needs. */
static int kept_labels(const Node *a, const int *la, const Node *b,
                       const int *lb, const Node *z, const int *lz,
                       const int *lout, int nout, int *kept)
{
    int n = 0;

    for (int i = 0; i < a->rank + b->rank; i++) {
        int label = i < a->rank ? la[i] : lb[i - a->rank];

        if ((find_label(label, z->rank, lz) >= 0 ||
             find_label(label, nout, lout) >= 0) &&
            find_label(label, n, kept) < 0 && n < MAX_RANK)
            kept[n++] = label;
    }
    return n;
}

/* x·(y·z) instead of (x·y)·z, when cheaper by a quarter at least. */
static Node *regroup(Graph *g, const Node *n, const Triple *t, double now)
{
    int kept[MAX_RANK];
    int k = kept_labels(t->y, t->ly, t->z, t->lz, t->x, t->lx, t->lout, n->rank,
                        kept);
    double then = product_cost(t->y, t->ly, t->z, t->lz);
    double size = 1;
    Node *inner;

    for (int i = 0; i < k; i++) { /* sizes of y·z's labels not in x */
        int64_t v = 64;

        for (int j = 0; j < t->y->rank + t->z->rank; j++) {
            bool y = j < t->y->rank;
            int label = y ? t->ly[j] : t->lz[j - t->y->rank];
            const Dim *d = y ? t->y->dim[j] : t->z->dim[j - t->y->rank];

            if (label == kept[i] && !dim_const_value(d, &v))
                v = 64;
        }
        if (find_label(kept[i], t->x->rank, t->lx) < 0)
            size *= (double)v;
    }
    for (int i = 0; i < t->x->rank; i++) {
        int64_t v;

        size *= dim_const_value(t->x->dim[i], &v) ? (double)v : 64.0;
    }
    then += size;
    if (then * 4 > now * 3)
        return NULL;
    inner = g_contract(g, t->y, t->ly, t->z, t->lz, k, kept);
    return g_contract(g, t->x, t->lx, inner, kept, n->rank, t->lout);
}

static Node *contraction_order(Graph *g, const Node *n)
{
    for (int inner = 0; inner < 2; inner++) {
        Triple t, u;
        double now;
        Node *r;

        if (!read_triple(n, inner, &t))
            continue;
        now = product_cost(t.x, t.lx, t.y, t.ly) +
              product_cost(arg(n, 0), n->attr.ints, arg(n, 1),
                           n->attr.ints + arg(n, 0)->rank);
        r = regroup(g, n, &t, now);
        if (r)
            return r;
        u = t;
        u.x = t.y;
        u.y = t.x;
        memcpy(u.lx, t.ly, sizeof u.lx);
        memcpy(u.ly, t.lx, sizeof u.ly);
        r = regroup(g, n, &u, now);
        if (r)
            return r;
    }
    return NULL;
}

static Node *one_plus_erf(Graph *g, const Node *n)
{
    Node *e = beside_const(n, OP_add, 1);

    return e && is(e, OP_erf) ? g1(g, OP_erfc, g1(g, OP_neg, arg(e, 0))) : NULL;
}

/* A constant, or one broadcast; n is real. */
static bool constant(const Node *n, double *v)
{
    if (node_repeats(n))
        n = arg(n, 0);
    *v = n->attr.real;
    return is(n, OP_const);
}

/* x, and *v, for v x or x/(1/v). */
static Node *scaled(Node *n, double *v)
{
    double c;

    *v = 1;
    for (int i = 0; i < 2; i++)
        if (is(n, OP_mul) && constant(arg(n, i), &c)) {
            *v = c;
            return arg(n, 1 - i);
        }
    if (!is(n, OP_div) || !constant(arg(n, 1), &c))
        return n;
    *v = 1 / c;
    return arg(n, 0);
}

/* log(v Φ(x)), with erfc(x) = 2 Φ(-sqrt(2) x). */
static Node *log_normal(Graph *g, const Node *n)
{
    double v, sqrt2 = 1.41421356237309504880;
    Node *e = scaled(arg(n, 0), &v), *x;

    if (!is(e, OP_erfc) && !is(e, OP_ndtr))
        return NULL;
    x = arg(e, 0);
    if (is(e, OP_erfc)) {
        x = g2(g, OP_mul, x, g_fill(g, x, -sqrt2));
        v *= 2;
    }
    x = g1(g, OP_log_ndtr, x);
    return v == 1 ? x : g2(g, OP_add, x, g_fill(g, x, log(v)));
}

const Rule simplify_rules[] = {
    {"log-sum-exp", OP_log,
     "log(sum(exp(x), axis = 1)) == "
     "logsumexp(x, axis = 1)",
     log_sum_exp},
    {"softmax", OP_div,
     "exp(x) / expand(sum(exp(x), axis = 1), 1) == "
     "exp(x - expand(logsumexp(x, axis = 1), 1))",
     softmax},
    {"shifted-log-sum-exp", OP_add,
     "logsumexp(x - v, axis = 0) + v == logsumexp(x, axis = 0)",
     shifted_log_sum_exp},
    {"shifted-softmax", OP_sub,
     "(x - s) - logsumexp(x - s) == x - logsumexp(x)", shifted_softmax},
    {"log-one-plus", OP_log, "log(1 + x * x) == log1p(x * x)", log_one_plus},
    {"softplus", OP_log1p, "log1p(exp(x)) == softplus(x)", log1p_exp},
    {"exp-minus-one", OP_sub, "exp(x) - 1 == expm1(x)", exp_minus_one},
    {"logistic", OP_div, "1 / (1 + exp(-x)) == sigmoid(x)", logistic},
    {"log-sigmoid", OP_log, "log(sigmoid(x)) == -softplus(-x)", log_sigmoid},
    {"log-one-minus-sigmoid", OP_log, "log(1 - sigmoid(x)) == -softplus(x)",
     log_one_minus_sigmoid},
    {"log1p-minus-sigmoid", OP_log1p, "log1p(-sigmoid(x)) == -softplus(x)",
     log1p_minus_sigmoid},
    {"one-over-sqrt", OP_div, "1 / sqrt(exp(x)) == rsqrt(exp(x))",
     one_over_sqrt},
    {"cos-even", OP_cos, "cos(-x) == cos(x)", even},
    {"cosh-even", OP_cosh, "cosh(-x) == cosh(x)", even},
    {"abs-even", OP_abs, "abs(-x) == abs(x)", even},
    {"sin-odd", OP_sin, "sin(-x) == -sin(x)", odd},
    {"tan-odd", OP_tan, "tan(-x) == -tan(x)", odd},
    {"asin-odd", OP_asin, "asin(-sin(x)) == -asin(sin(x))", odd},
    {"atan-odd", OP_atan, "atan(-x) == -atan(x)", odd},
    {"sinh-odd", OP_sinh, "sinh(-x) == -sinh(x)", odd},
    {"tanh-odd", OP_tanh, "tanh(-x) == -tanh(x)", odd},
    {"erf-odd", OP_erf, "erf(-x) == -erf(x)", odd},
    {"abs-abs", OP_abs, "abs(abs(x)) == abs(x)", abs_abs},
    {"max-absorbs", OP_max, "max(max(x, y), y) == max(x, y)", absorb},
    {"min-absorbs", OP_min, "min(min(x, y), y) == min(x, y)", absorb},
    {"square-of-abs", OP_mul, "abs(x) * abs(x) == x * x", square_of_abs},
    {"tangent", OP_div, "sin(x) / cos(x) == tan(x)", sin_over_cos},
    {"erfc", OP_sub, "1 - erf(x) == erfc(x)", one_minus_erf},
    {"one-plus-erf", OP_add, "1 + erf(x) == erfc(-x)", one_plus_erf},
    {"log-normal", OP_log, "log(ndtr(x)) == log_ndtr(x)", log_normal},
    {"contraction-order", OP_contract, "(x @ y') @ z == x @ (y' @ z)",
     contraction_order},
};

const int simplify_nrules = sizeof simplify_rules / sizeof *simplify_rules;
