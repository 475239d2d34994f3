/* logic.c: comparisons, operators on bools, and choices by them. */
#include "graph/ops/ops.h"

#include <string.h>

static bool is_true(const Node *n) { return node_is_const(n, 1); }

static bool is_false(const Node *n) { return node_is_const(n, 0); }

/* Comparisons: with NaN, only != holds. */

/* a op a, where that is known without looking at a: not for reals, which may
 * be NaN. */
static Node *compare_same(Graph *g, const Node *n, bool answer)
{
    const Node *a = n->arg[0];
    return a == n->arg[1] && !dtype_is_real(a->dtype) ? g_fill(g, n, answer)
                                                      : NULL;
}

/* The kernels make comparisons of their own, that have no node. */
static Val *compare(Lower *l, const Node *n, Cmp c, Val *const *x)
{
    (void)n;
    return dtype_is_real(low_dtype(l, x[0])) ? low_fcmp(l, c, x[0], x[1])
                                             : low_icmp(l, c, x[0], x[1]);
}

/* a < b */

static double lt_eval(const double *x) { return x[0] < x[1]; }

static int64_t lt_eval_int(const int64_t *x) { return x[0] < x[1]; }

static Node *lt_identity(Graph *g, const Node *n)
{
    return compare_same(g, n, false);
}

static Val *lt_lower(Lower *l, const Node *n, Val *const *x)
{
    return compare(l, n, CMP_lt, x);
}

const Op op_lt = {
    ELEMENTWISE(lt, 2, ON_number), .flags = OP_TO_BOOL,
    .doc = "is the first smaller", .shown = {FORM_compare, "<", "<", "<"},
    .text = "$+0 < $+1",           .prec = PREC_cmp,
    .identity = lt_identity,       .eval = lt_eval,
    .eval_int = lt_eval_int,       .lower = lt_lower,
};

/* a <= b */

static double le_eval(const double *x) { return x[0] <= x[1]; }

static int64_t le_eval_int(const int64_t *x) { return x[0] <= x[1]; }

static Node *le_identity(Graph *g, const Node *n)
{
    return compare_same(g, n, true);
}

static Val *le_lower(Lower *l, const Node *n, Val *const *x)
{
    return compare(l, n, CMP_le, x);
}

const Op op_le = {
    ELEMENTWISE(le, 2, ON_number),
    .flags = OP_TO_BOOL,
    .doc = "is the first not larger",
    .shown = {FORM_compare, "<=", "≤", "\\le"},
    .text = "$+0 <= $+1",
    .prec = PREC_cmp,
    .identity = le_identity,
    .eval = le_eval,
    .eval_int = le_eval_int,
    .lower = le_lower,
};

/* a == b and a != b, of bools too */

/* On masks: both or none. */
static Val *same_mask(Lower *l, Val *a, Val *b)
{
    Val *right = low_not(l, low_or(l, a, b));
    return low_or(l, low_and(l, a, b), right);
}

/* `equal`: eq, else ne. A bool against a constant is itself or its opposite. */
static Node *equality_identity(Graph *g, const Node *n, bool equal)
{
    for (int i = 0; i < 2 && n->arg[0]->dtype == DT_bool; i++) {
        Node *c = n->arg[i], *a = n->arg[1 - i];
        if (is_true(c) || is_false(c))
            return is_true(c) == equal ? a : g1(g, OP_not, a);
    }
    return compare_same(g, n, equal);
}

static double eq_eval(const double *x) { return x[0] == x[1]; }

static int64_t eq_eval_int(const int64_t *x) { return x[0] == x[1]; }

static Node *eq_identity(Graph *g, const Node *n)
{
    return equality_identity(g, n, true);
}

static Val *eq_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)n;
    return low_dtype(l, x[0]) == DT_bool ? same_mask(l, x[0], x[1])
                                         : compare(l, n, CMP_eq, x);
}

const Op op_eq = {
    ELEMENTWISE(eq, 2, ON_any), .flags = OP_TO_BOOL | OP_COMMUTES,
    .doc = "are they equal",    .shown = {FORM_compare, "==", "=", "="},
    .text = "$+0 == $+1",       .prec = PREC_cmp,
    .identity = eq_identity,    .eval = eq_eval,
    .eval_int = eq_eval_int,    .lower = eq_lower,
};

static double ne_eval(const double *x) { return x[0] != x[1]; }

static int64_t ne_eval_int(const int64_t *x) { return x[0] != x[1]; }

/* A sum of 0 and 1 is not 0: is one of them not. */
static Node *not_none(Graph *g, const Node *x)
{
    const Node *sum = x->op == OP_sum ? x : NULL;
    const Node *c = sum ? sum->arg[0] : x;
    if (c->op != OP_cast || c->arg[0]->dtype != DT_bool || c->dtype == DT_u8)
        return NULL;
    return sum ? g_reduce(g, OP_any, c->arg[0], sum->attr.nint, sum->attr.ints)
               : c->arg[0];
}

static Node *ne_identity(Graph *g, const Node *n)
{
    Node *y = equality_identity(g, n, false);
    for (int i = 0; i < 2 && !y; i++)
        if (node_is_const(n->arg[i], 0))
            y = not_none(g, n->arg[1 - i]);
    return y;
}

static Val *ne_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)n;
    return low_dtype(l, x[0]) == DT_bool ? low_not(l, same_mask(l, x[0], x[1]))
                                         : compare(l, n, CMP_ne, x);
}

const Op op_ne = {
    ELEMENTWISE(ne, 2, ON_any),  .flags = OP_TO_BOOL | OP_COMMUTES,
    .doc = "are they different", .shown = {FORM_compare, "!=", "≠", "\\ne"},
    .text = "$+0 != $+1",        .prec = PREC_cmp,
    .identity = ne_identity,     .eval = ne_eval,
    .eval_int = ne_eval_int,     .lower = ne_lower,
};

/* a && b */

static double and_eval(const double *x) { return x[0] != 0 && x[1] != 0; }

static Node *and_identity(Graph *g, const Node *n)
{
    for (int i = 0; i < 2; i++) {
        if (is_true(n->arg[i]) || n->arg[0] == n->arg[1])
            return n->arg[1 - i];
        if (is_false(n->arg[i]))
            return g_fill(g, n, 0);
    }
    return NULL;
}

const Op op_and = {
    ELEMENTWISE(and, 2, ON_bool), .flags = OP_COMMUTES, .doc = "are both true",
    .shown = {.kind = FORM_and},  .text = "$0 && $+1",  .prec = PREC_and,
    .identity = and_identity,     .eval = and_eval,     .lower2 = low_and,
};

/* a || b */

static double or_eval(const double *x) { return x[0] != 0 || x[1] != 0; }

static Node *or_identity(Graph *g, const Node *n)
{
    for (int i = 0; i < 2; i++) {
        if (is_false(n->arg[i]) || n->arg[0] == n->arg[1])
            return n->arg[1 - i];
        if (is_true(n->arg[i]))
            return g_fill(g, n, 1);
    }
    return NULL;
}

const Op op_or = {
    ELEMENTWISE(or, 2, ON_bool),
    .flags = OP_COMMUTES,
    .doc = "is one of them true",
    .shown = {.kind = FORM_or},
    .text = "$0 || $+1",
    .prec = PREC_or,
    .identity = or_identity,
    .eval = or_eval,
    .lower2 = low_or,
};

/* !a */

static double not_eval(const double *x) { return x[0] == 0; }

/* !(a == b) is a != b and back, NaN or not; !(a < b) is b <= a of integers. */
static Node *not_identity(Graph *g, const Node *n)
{
    const Node *a = n->arg[0];
    bool order = a->op == OP_lt || a->op == OP_le;
    if (a->op == OP_not)
        return a->arg[0];
    if (a->op == OP_eq || a->op == OP_ne)
        return g2(g, a->op == OP_eq ? OP_ne : OP_eq, a->arg[0], a->arg[1]);
    if (order && !dtype_is_real(a->arg[0]->dtype))
        return g2(g, a->op == OP_lt ? OP_le : OP_lt, a->arg[1], a->arg[0]);
    return NULL;
}

const Op op_not = {
    ELEMENTWISE(not, 1, ON_bool),
    .doc = "is it false",
    .shown = {.kind = FORM_not},
    .text = "!$0",
    .prec = PREC_neg,
    .identity = not_identity,
    .eval = not_eval,
    .lower1 = low_not,
};

/* where(c, a, b): a where c, else b; all are computed */

static double where_eval(const double *x) { return x[0] != 0 ? x[1] : x[2]; }

static int64_t where_eval_int(const int64_t *x)
{
    return x[0] != 0 ? x[1] : x[2];
}

/* What where and if share: c known, branches alike, branches that ask c again;
 * NULL if nothing applies. */
static Node *choose_identity(Graph *g, const Node *n)
{
    Node *c = n->arg[0], *a = n->arg[1], *b = n->arg[2];
    if (is_true(c) || a == b)
        return a;
    if (is_false(c))
        return b;
    if (n->attr.integer == MASKED_INDEX)
        return NULL;
    if (c->op == OP_not)
        return g3(g, n->op, c->arg[0], b, a);
    if (a->op == n->op && a->arg[0] == c)
        return g3(g, n->op, c, a->arg[1], b);
    if (b->op == n->op && b->arg[0] == c)
        return g3(g, n->op, c, a, b->arg[2]);
    return NULL;
}

static Node *where_identity(Graph *g, const Node *n)
{
    Node *c = n->arg[0], *a = n->arg[1], *b = n->arg[2];
    if (n->dtype == DT_bool && is_false(b))
        return g2(g, OP_and, c, a);
    if (n->dtype == DT_bool && is_true(a))
        return g2(g, OP_or, c, b);
    return choose_identity(g, n);
}

/* The branches' adjoints: n's where it took them, else 0. */
static void choose_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *zero = g_fill(g, dy, 0);
    if (dtype_is_real(n->dtype)) {
        dx[1] = g3(g, n->op, n->arg[0], dy, zero);
        dx[2] = g3(g, n->op, n->arg[0], zero, dy);
    }
}

static Node *choose_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *zero = g_fill(g, n, 0);
    return g3(g, n->op, n->arg[0], dx[1] ? dx[1] : zero, dx[2] ? dx[2] : zero);
}

static Val *choose_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)n;
    return low_select(l, x[0], x[1], x[2]);
}

const Op op_where = {
    ELEMENTWISE(where, 3, ON_any),
    .flags = OP_SURFACE | OP_MASKS,
    .doc = "the second where the first holds, else the third",
    .shown = {.kind = FORM_cases},
    .infer = infer_where,
    .identity = where_identity,
    .eval = where_eval,
    .eval_int = where_eval_int,
    .vjp = choose_vjp,
    .jvp = choose_jvp,
    .lower = choose_lower,
};

/* if: c is one bool; only the branch taken is evaluated */

static void if_eval(EvalTensor *e, const Node *n)
{
    int64_t count = 1;
    for (int i = 0; i < n->rank; i++)
        count *= e->out_size[i];
    if (count > 0) {
        const double *from = e->in[0][0] != 0 ? e->in[1] : e->in[2];
        memcpy(e->out, from, (size_t)count * sizeof *from);
    }
}

/* In a branch the condition is known; what is true in one and false in the
 * other is the condition. */
static Node *if_identity(Graph *g, const Node *n)
{
    Node *c = n->arg[0], *a = n->arg[1], *b = n->arg[2];
    bool same = n->dtype == DT_bool && is_true(a) && is_false(b);
    bool other = n->dtype == DT_bool && is_false(a) && is_true(b);
    if (a == c && !is_true(c))
        return g_if(g, c, g_fill(g, c, 1), b);
    if (b == c && !is_false(c))
        return g_if(g, c, a, g_fill(g, c, 0));
    if (same || other)
        return g_fill_like(g, n, same ? c : g1(g, OP_not, c));
    return choose_identity(g, n);
}

/* Chosen element by element, both branches are computed. */
static Node *if_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                      const bool *lead)
{
    Node *branch[2];
    int axis[MAX_RANK] = {0};
    for (int i = 0; i < 2; i++)
        branch[i] = lead[i + 1] ? x[i + 1] : g_repeat(g, b, x[i + 1]);
    if (!lead[0])
        return g_if(g, x[0], branch[0], branch[1]);
    for (int i = 1; i <= n->rank; i++)
        axis[i] = -1;
    Node *c = g_broadcast(g, x[0], n->rank + 1, branch[0]->dim, axis);
    return g_where(g, c, branch[0], branch[1]);
}

const Op op_if = {
    .name = "if",
    .cls = OPC_select,
    .arity = 3,
    .flags = OP_MASKS,
    .doc = "the second if the first holds, else the third; lazily",
    .shown = {.kind = FORM_cases},
    .text = "(if $=0 { $=1 } else { $=2 })",
    .infer = infer_where,
    .identity = if_identity,
    .eval_tensor = if_eval,
    .vjp = choose_vjp,
    .jvp = choose_jvp,
    .lower = choose_lower,
    .batch = if_batch,
};
