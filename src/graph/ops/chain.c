/* chain.c: the product by which adjoints and tangents pass an operator.
 *
 * An adjoint that is exactly 0 contributes exactly 0, also where the partial
 * derivative is infinite or NaN. Most partials are neither wherever their
 * arguments are finite; there the product is an ordinary one. Where the adjoint
 * has a factor that the partial divides by, both are left out. */
#include "graph/ops/ops.h"
#include "graph/region.h"

#include <math.h>
#include <string.h>

enum { MAX_LOOK = 32, MAX_DEPTH = 4, MAX_DIVIDED = 6 };

/* Signs. */

static Sign lesser(Sign a, Sign b) { return a < b ? a : b; }

static Sign greater(Sign a, Sign b) { return a > b ? a : b; }

static Sign look(const Node *n, int *budget);

/* The same numbers at other places. */
static bool moves(const Node *n)
{
    return node_views_one(n) && n->op != OP_view_add;
}

static Sign sign_of_leaf(const Node *n)
{
    double v = node_is_any_const(n) ? const_value(n) : -1;
    if (v >= 0)
        return v > 0 ? SIGN_positive : SIGN_not_negative;
    if (n->op != OP_dim || !dim_never_negative(n->attr.dims[0]))
        return SIGN_any;
    return n->attr.integer == DIVISOR ? SIGN_positive : SIGN_not_negative;
}

bool node_is_square(const Node *n)
{
    int rank = n->narg == 2 && n->arg[0] == n->arg[1] ? n->arg[0]->rank : -1;
    if (rank < 0 || n->op == OP_mul)
        return rank >= 0;
    for (int i = 0; n->op == OP_contract && i < rank; i++)
        if (n->attr.ints[i] != n->attr.ints[rank + i])
            return false;
    return n->op == OP_contract;
}

static Sign sign_of_two(const Node *n, int *budget)
{
    if (node_is_square(n))
        return SIGN_not_negative;
    Sign a = look(n->arg[0], budget), b = look(n->arg[1], budget);
    switch (n->op) {
    case OP_max:
        return greater(a, b);
    case OP_mul:
    case OP_min:
        return lesser(a, b);
    case OP_add:
        return lesser(a, b) == SIGN_any ? SIGN_any : greater(a, b);
    case OP_div:
    case OP_contract:
        return lesser(lesser(a, b), SIGN_not_negative);
    }
    return SIGN_any;
}

static Sign look(const Node *n, int *budget)
{
    const Op *row = op_table[n->op];
    if (--*budget < 0 || !(ON_number >> n->dtype & 1))
        return SIGN_any;
    if (n->narg == 0 || node_is_any_const(n))
        return sign_of_leaf(n);
    if (n->op == OP_sqrt && look(n->arg[0], budget) == SIGN_positive)
        return SIGN_positive;
    if (row->flags & OP_NOT_NEGATIVE)
        return SIGN_not_negative;
    if (row->flags & OP_MASKS)
        return lesser(look(n->arg[1], budget), look(n->arg[2], budget));
    if (moves(n) || n->op == OP_cast || n->op == OP_gather)
        return look(n->arg[0], budget);
    if (n->op == OP_sum || n->op == OP_view_add)
        return lesser(look(n->arg[0], budget), SIGN_not_negative);
    return n->narg == 2 ? sign_of_two(n, budget) : SIGN_any;
}

Sign node_sign(const Node *n)
{
    int budget = MAX_LOOK;
    return look(n, &budget);
}

/* Finite numbers. */

static const Node *moved_from(const Node *n)
{
    while (node_repeats(n) || node_permutes(n))
        n = n->arg[0];
    return n;
}

/* x - log(sum(exp(x))) */
static bool is_log_share(const Node *n)
{
    const Node *l = n->op == OP_sub ? moved_from(n->arg[1]) : n;
    return n->op == OP_sub && l->op == OP_logsumexp && !reduce_of_none(l) &&
           moved_from(l->arg[0]) == moved_from(n->arg[0]);
}

bool above_zero(const Node *n)
{
    return node_sign(n->arg[n->narg - 1]) == SIGN_positive;
}

bool not_below_zero(const Node *n)
{
    return node_sign(n->arg[n->narg - 1]) != SIGN_any;
}

bool node_never_positive(const Node *n)
{
    if (n->op == OP_neg)
        return node_sign(n->arg[0]) != SIGN_any;
    if (moves(n))
        return node_never_positive(n->arg[0]);
    for (int i = 0; i < 2 && (n->op == OP_mul || n->op == OP_div); i++)
        if (n->op == OP_mul || i == 1)
            if (node_sign(n->arg[i]) != SIGN_any &&
                node_never_positive(n->arg[1 - i]))
                return true;
    return (node_is_any_const(n) && const_value(n) <= 0) || is_log_share(n);
}

/* Does an infinite argument i of n make n infinite too. */
static bool passes(const Node *n, int i)
{
    const Op *row = op_table[n->op];
    unsigned all = OP_LINEAR | OP_LINEAR_EACH;
    return row->flags & all || n->op == OP_floor ||
           (row->flags & OP_LINEAR_FIRST && i == 0) ||
           (row->flags & OP_MASKS && i > 0) || row->cls == OPC_view ||
           row->cls == OPC_reduce;
}

static bool is_finite(const Node *n, int depth, bool quotients);

/* What a loop or call gives: the last value of a carry may be the first. */
static bool part_is_finite(const Node *n, int depth, bool quotients)
{
    const Node *from = n->arg[0];
    const Region *r = node_region(from);
    int64_t k = n->attr.integer - r->ncarry;
    if (k < 0)
        return !r->carry[k + r->ncarry]->wild &&
               is_finite(r->next[k + r->ncarry], depth, false);
    return k == r->noutput ||
           is_finite(r->output[k], depth, quotients && !r->trips);
}

/* Are all numbers of n one argument's or their opposites, or a constant. */
static bool shows_one(const Node *n)
{
    bool chooses =
        op_table[n->op]->flags & OP_MASKS &&
        (node_is_any_const(n->arg[1]) || node_is_any_const(n->arg[2]));
    return n->op == OP_neg || moves(n) || chooses;
}

/* Is n a number where those that it is made of are, be they infinite; quotients
 * are taken for such. */
static bool is_defined(const Node *n, int depth)
{
    const Op *row = op_table[n->op];
    if (node_is_any_const(n))
        return !isnan(const_value(n));
    if (row->flags & OP_DOMAIN && row->finite && !row->finite(n))
        return false;
    for (int i = 0; i < n->narg && depth > 0; i++)
        if (dtype_is_real(n->arg[i]->dtype) &&
            !is_defined(n->arg[i], depth - 1))
            return false;
    return true;
}

bool node_is_defined(const Node *n) { return is_defined(n, MAX_DEPTH); }

/* Partials are put together from few operators: further down are values that
 * the operator itself was given. On their way they may have been chosen from
 * often. What no infinity passes gives NaN of NaN. */
static bool is_finite(const Node *n, int depth, bool quotients)
{
    const Op *row = op_table[n->op];
    if (node_is_any_const(n))
        return isfinite(const_value(n));
    bool asked = n->op != OP_div || quotients;
    if (n->wild || (asked && row->finite && !row->finite(n)))
        return false;
    if (n->op == OP_part)
        return depth == 0 || part_is_finite(n, depth - 1, quotients);
    if (row->cls == OPC_contract)
        return true;
    int below = shows_one(n) ? depth : depth - 1;
    for (int i = 0; i < n->narg && depth > 0; i++)
        if (dtype_is_real(n->arg[i]->dtype) &&
            !(passes(n, i) ? is_finite(n->arg[i], below, quotients)
                           : !quotients || is_defined(n->arg[i], below)))
            return false;
    return true;
}

bool node_keeps_finite(const Node *n)
{
    const Op *row = op_table[n->op];
    if (node_is_any_const(n))
        return isfinite(const_value(n));
    if (row->cls == OPC_reduce && isinf(row->start) && !reduce_of_some(n))
        return false;
    return row->cls != OPC_region && !n->wild &&
           (!row->finite || row->finite(n));
}

static bool is_number(const Node *n, int *budget)
{
    if (--*budget < 0 || !node_keeps_finite(n))
        return false;
    for (int i = 0; i < n->narg; i++)
        if (dtype_is_real(n->arg[i]->dtype) && !is_number(n->arg[i], budget))
            return false;
    return true;
}

bool node_is_number(const Node *n)
{
    int budget = MAX_LOOK;
    return is_number(n, &budget);
}

/* Cancelling. */

/* What is left after cancelling, times y: nothing stays so. */
static Node *left_times(Graph *g, OpId op, Node *x, Node *y)
{
    return node_is_const(x, 0) ? x : g2(g, op, x, y);
}

static Node *without(Graph *g, Node *a, Node *b, int depth);

/* The same of a choice: of both that are chosen from. */
static Node *choice_without(Graph *g, Node *a, Node *b, int depth)
{
    Node *x[3] = {a->arg[0]};
    for (int i = 1; i <= 2; i++) {
        x[i] = node_is_const(a->arg[i], 0) ? a->arg[i]
                                           : without(g, a->arg[i], b, depth);
        if (!x[i])
            return NULL;
    }
    return g3(g, a->op, x[0], x[1], x[2]);
}

/* a/b where b is one of a's factors, or the root of one; or NULL. */
static Node *without(Graph *g, Node *a, Node *b, int depth)
{
    Node *x;
    if (a == b)
        return g_fill(g, a, 1);
    if (b->op == OP_sqrt && b->arg[0] == a)
        return b;
    if (depth == 0)
        return NULL;
    if (a->op == OP_neg) {
        x = without(g, a->arg[0], b, depth - 1);
        return x ? g1(g, OP_neg, x) : NULL;
    }
    if (node_repeats(a) && node_repeats(b) &&
        memcmp(a->attr.ints, b->attr.ints, sizeof(int) * (size_t)a->rank) ==
            0) {
        x = without(g, a->arg[0], b->arg[0], depth - 1);
        return x ? g_broadcast(g, x, a->rank, a->dim, a->attr.ints) : NULL;
    }
    if (op_table[a->op]->flags & OP_MASKS)
        return choice_without(g, a, b, depth - 1);
    for (int i = 0; i < 2 && node_is_product(a); i++) {
        x = without(g, a->arg[i], b, depth - 1);
        if (x)
            return left_times(g, (OpId)a->op, x, a->arg[1 - i]);
    }
    if (a->op == OP_div) {
        x = without(g, a->arg[0], b, depth - 1);
        return x ? g2(g, OP_div, x, a->arg[1]) : NULL;
    }
    return a->op == OP_add || a->op == OP_sub ? node_divided(g, a, b) : NULL;
}

/* What is left of an adjoint after cancelling, times what is no divisor. */
static Node *left_over(Graph *g, Node *x, Node *u)
{
    return left_times(g, node_is_finite(x) ? OP_mul : OP_strong_mul, x, u);
}

/* a * p with p = u/b and a = b·v as u·v; or NULL. */
static Node *cancelled(Graph *g, Node *a, Node *p)
{
    if (p->op == OP_neg) {
        Node *x = cancelled(g, a, p->arg[0]);
        return x ? g1(g, OP_neg, x) : NULL;
    }
    const Node *q = node_repeated(p);
    if (q->op == OP_div) {
        Node *u = q->arg[0], *b = q->arg[1];
        if (q != p) {
            u = g_broadcast(g, u, p->rank, p->dim, p->attr.ints);
            b = g_broadcast(g, b, p->rank, p->dim, p->attr.ints);
        }
        Node *x = without(g, a, b, MAX_DIVIDED);
        return x ? left_over(g, x, u) : NULL;
    }
    if (p->op == OP_strong_mul) {
        Node *x = cancelled(g, a, p->arg[1]);
        return x ? left_over(g, x, p->arg[0]) : NULL;
    }
    return NULL;
}

/* strong_mul(a, p): a * p, but 0 where either is 0 */

static double strong_eval(const double *x)
{
    return x[0] == 0 || x[1] == 0 ? 0 : x[0] * x[1];
}

/* What is chosen, times p; what is 0 stays out. */
static Node *chosen_times(Graph *g, Node *a, Node *p)
{
    for (int i = 1; i <= 2; i++)
        if (node_is_const(a->arg[i], 0)) {
            Node *v = g2(g, OP_strong_mul, a->arg[3 - i], p);
            return g3(g, a->op, a->arg[0], i == 1 ? a->arg[1] : v,
                      i == 1 ? v : a->arg[2]);
        }
    return NULL;
}

static Node *strong_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0], *p = n->arg[1];
    if (node_is_const(a, 0) || node_is_const(p, 0))
        return g_fill(g, n, 0);
    if (node_is_any_const(a) || (node_is_any_const(p) && is_finite(p, 0, true)))
        return g2(g, OP_mul, a, p);
    for (int i = 0; i < 2; i++)
        if (n->arg[i]->op == OP_neg) {
            Node *x = i == 0 ? a->arg[0] : a;
            return g1(g, OP_neg,
                      g2(g, OP_strong_mul, x, i == 0 ? p : p->arg[0]));
        }
    return op_table[a->op]->flags & OP_MASKS ? chosen_times(g, a, p) : NULL;
}

static void strong_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    for (int i = 0; i < 2; i++) {
        dx[i] = g2(g, OP_strong_mul, dy, n->arg[1 - i]);
        dx[i] = root_stays(g, n->arg[1], dx[i]);
    }
}

/* da p + a dp */
static Node *strong_jvp_strong(Graph *g, Node *n, Node *const *dx,
                               const bool *steep)
{
    Node *a = n->arg[0], *p = n->arg[1];
    Node *first = dx[0] && dx[1] ? g_chain(g, dx[0], p, steep[0])
                  : dx[0]        ? g2(g, OP_strong_mul, dx[0], p)
                                 : NULL;
    Node *second = dx[1] ? g2(g, OP_strong_mul, a, dx[1]) : NULL;
    return root_stays(g, p, g_join(g, OP_add, first, second));
}

static Node *strong_jvp(Graph *g, Node *n, Node *const *dx)
{
    static const bool not_steep[2];
    return strong_jvp_strong(g, n, dx, not_steep);
}

static Node *strong_expand(Graph *g, Node *n)
{
    Node *a = n->arg[0], *p = n->arg[1], *zero = g_fill(g, n, 0);
    Node *a_none = g2(g, OP_eq, a, zero), *p_none = g2(g, OP_eq, p, zero);
    Node *none = g2(g, OP_or, a_none, p_none);
    return g_where(g, none, zero, g2(g, OP_mul, a, p));
}

static Val *strong_lower(Lower *l, const Node *n, Val *const *x)
{
    Val *zero = low_real(l, n->dtype, 0);
    Val *none = low_or(l, low_fcmp(l, CMP_eq, x[0], zero),
                       low_fcmp(l, CMP_eq, x[1], zero));
    return low_select(l, none, zero, low_fmul(l, x[0], x[1]));
}

const Op op_strong_mul = {
    .name = "strong_mul",
    .cls = OPC_ewise,
    .arity = 2,
    .flags = OP_LINEAR_EACH | OP_STEEP,
    .takes = ON_real,
    .cost = 3, /* it asks whether it is 0, too */
    .doc = "product that is 0 where either is, whatever the other is",
    .shown = {.kind = FORM_strong},
    .text = "$0 * $+1",
    .prec = PREC_mul,
    .identity = strong_identity,
    .eval = strong_eval,
    .vjp = strong_vjp,
    .jvp = strong_jvp,
    .jvp_strong = strong_jvp_strong,
    .expand = strong_expand,
    .lower = strong_lower,
};

bool node_is_finite(const Node *n) { return is_finite(n, MAX_DEPTH, true); }

bool node_is_finite_but_quotients(const Node *n)
{
    return is_finite(n, MAX_DEPTH, false);
}

/* Is n, near by, a root or the like, whose partials may be infinite. */
static bool has_root(const Node *n, int depth)
{
    bool any = n->op != OP_strong_mul && op_table[n->op]->flags & OP_STEEP;
    for (int i = 0; i < n->narg && depth > 0 && !any; i++)
        any = has_root(n->arg[i], depth - 1);
    return any;
}

/* Is a quotient in n divided by a root. */
static bool divides_by_root(const Node *n, int depth)
{
    bool any = n->op == OP_div && !op_table[OP_div]->finite(n) &&
               has_root(n->arg[1], 2);
    for (int i = 0; i < n->narg && depth > 0 && !any; i++)
        any = passes(n, i) && divides_by_root(n->arg[i], depth - 1);
    return any;
}

static bool is_far(const Node *n, int depth);

/* As part_is_finite. */
static bool part_is_far(const Node *n, int depth)
{
    const Region *r = node_region(n->arg[0]);
    int64_t k = n->attr.integer;
    if (k < r->ncarry)
        return r->carry[k]->far || is_far(r->next[k], depth);
    k -= r->ncarry;
    return k < r->noutput && is_far(r->output[k], depth);
}

/* Does an infinity that the program wrote pass to n. */
static bool shows_infinity(const Node *n, int depth)
{
    if (node_is_any_const(n))
        return isinf(const_value(n));
    bool any = n->far;
    if (n->op == OP_part)
        return depth > 0 && part_is_far(n, depth - 1);
    for (int i = 0; i < n->narg && depth > 0 && !any; i++)
        any = passes(n, i) && dtype_is_real(n->arg[i]->dtype) &&
              shows_infinity(n->arg[i], depth - 1);
    return any;
}

static bool is_far(const Node *n, int depth)
{
    return !is_defined(n, depth) || shows_infinity(n, depth);
}

bool node_is_far(const Node *n) { return is_far(n, MAX_DEPTH); }

bool node_is_steep(const Node *n, const Node *partial)
{
    if (!(op_table[n->op]->flags & OP_STEEP) || node_is_finite(partial))
        return false;
    return n->op != OP_strong_mul || node_is_far(partial) ||
           divides_by_root(partial, MAX_DEPTH);
}

Node *g_chain(Graph *g, Node *a, Node *p, bool steep)
{
    bool ordinary = node_is_finite(p);
    if (node_is_const(p, 0) || node_is_const(a, 0))
        return g_fill(g, p, 0);
    if (ordinary && !steep)
        return g2(g, OP_mul, a, p);
    Node *x = ordinary ? NULL : cancelled(g, a, p);
    return x ? x : g2(g, OP_strong_mul, a, p);
}

Node *g_chain_seen(Graph *g, Node *a, Node *p)
{
    return g_chain(g, a, p, !node_is_finite(a));
}
