/* reduce.c: reductions over some axes, which the result lacks. */
#include "graph/ops/reduce.h"

#include <math.h>

bool reduce_has_axis(const Node *n, int axis)
{
    for (int i = 0; i < n->attr.nint; i++)
        if (n->attr.ints[i] == axis)
            return true;
    return false;
}

int reduce_kept_axes(const Node *n, int *kept)
{
    int count = 0;
    for (int i = 0; i < n->arg[0]->rank; i++)
        if (!reduce_has_axis(n, i))
            kept[count++] = i;
    return count;
}

Node *reduce_restore(Graph *g, const Node *n, Node *y)
{
    const Node *x = n->arg[0];
    int axis[MAX_RANK], next = 0;
    for (int i = 0; i < x->rank; i++)
        axis[i] = reduce_has_axis(n, i) ? -1 : next++;
    return g_broadcast(g, y, x->rank, x->dim, axis);
}

/* The axes are ascending and exist. */
static bool infer_reduced(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim **dim = infer_dims(g);
    int kept[MAX_RANK];
    for (int i = 0; i < n->attr.nint; i++)
        if (n->attr.ints[i] >= x->rank ||
            n->attr.ints[i] <= (i ? n->attr.ints[i - 1] : -1))
            return false;
    n->dtype = x->dtype;
    n->rank = reduce_kept_axes(n, kept);
    for (int i = 0; i < n->rank; i++)
        dim[i] = x->dim[kept[i]];
    n->dim = dim;
    return true;
}

bool reduce_infer(Graph *g, Node *n)
{
    return infer_reduced(g, n) && (op_table[n->op]->takes >> n->dtype & 1);
}

static bool infer_arg(Graph *g, Node *n)
{
    bool fits = reduce_infer(g, n) && n->attr.nint == 1;
    n->dtype = DT_i32;
    return fits;
}

Node *g_reduce(Graph *g, OpId op, Node *a, int naxis, const int *axis)
{
    Attr attr = {.ints = axis, .nint = naxis};
    return graph_make(g, op, a->dtype, 1, &a, &attr);
}

/* n on other axes of another tensor. */
static Node *reduce_like(Graph *g, const Node *n, Node *a, int naxis,
                         const int *axis)
{
    Attr attr = {.ints = axis, .nint = naxis, .integer = n->attr.integer};
    return graph_make(g, n->op, a->dtype, 1, &a, &attr);
}

Node *reduce_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                   const bool *lead)
{
    int axis[MAX_RANK];
    (void)b;
    (void)lead;
    for (int i = 0; i < n->attr.nint; i++)
        axis[i] = n->attr.ints[i] + 1;
    return reduce_like(g, n, x[0], n->attr.nint, axis);
}

Node *g_reduce_all(Graph *g, OpId op, Node *a)
{
    int axis[MAX_RANK];
    if (op_table[op]->flags & OP_PLACE)
        a = g_merge_axes(g, a, 0, a->rank);
    for (int i = 0; i < a->rank; i++)
        axis[i] = i;
    return g_reduce(g, op, a, a->rank, axis);
}

/* Identities of all reductions but argmax and argmin. */

/* Axes of one element are dropped. */
static Node *reduce_unit(Graph *g, const Node *n)
{
    int axis[MAX_RANK], count = 0;
    for (int i = 0; i < n->attr.nint; i++)
        if (!dim_is(n->arg[0]->dim[n->attr.ints[i]], 1))
            axis[count++] = n->attr.ints[i];
    if (count == n->attr.nint)
        return NULL;
    Node *y = reduce_like(g, n, n->arg[0], count, axis);
    return g_reshape(g, y, n->rank, n->dim);
}

/* The order of axes is made after it. */
static Node *reduce_sorted(Graph *g, const Node *n)
{
    const Node *p = n->arg[0];
    View v = view_of(p), sorted;
    int order[MAX_RANK];
    bool gone[MAX_RANK] = {false};
    int axis[MAX_RANK], rank[MAX_RANK], perm[MAX_RANK], count = 0, left = 0;
    if (!view_sort(&v, &sorted, order))
        return NULL;
    for (int i = 0; i < n->attr.nint; i++)
        gone[order[n->attr.ints[i]]] = true;
    for (int k = 0; k < p->rank; k++) {
        if (gone[k])
            axis[count++] = k;
        else
            rank[k] = left++;
    }
    left = 0;
    for (int i = 0; i < p->rank; i++)
        if (!gone[order[i]])
            perm[left++] = rank[order[i]];
    Node *y = reduce_like(g, n, g_view(g, p->arg[0], &sorted), count, axis);
    return g_permute(g, y, perm);
}

/* red(red(x, a), b) = red(x, a and b) */
static Node *reduce_reduce(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    int kept[MAX_RANK], axis[MAX_RANK], count = 0;
    reduce_kept_axes(x, kept);
    for (int i = 0; i < x->arg[0]->rank; i++) {
        bool gone = reduce_has_axis(x, i);
        for (int k = 0; k < n->attr.nint; k++)
            gone = gone || kept[n->attr.ints[k]] == i;
        if (gone)
            axis[count++] = i;
    }
    return reduce_like(g, n, x->arg[0], count, axis);
}

/* New axes of a broadcast that are not reduced are made afterwards. */
static Node *reduce_broadcast(Graph *g, const Node *n)
{
    const Node *b = n->arg[0];
    int map[MAX_RANK], axis[MAX_RANK], out[MAX_RANK];
    const Dim *dim[MAX_RANK];
    int rank = 0, count = 0, left = 0, at = 0;
    for (int i = 0; i < b->rank; i++) {
        bool gone = reduce_has_axis(n, i), fresh = b->attr.ints[i] < 0;
        if (!gone)
            out[at++] = fresh ? -1 : left++;
        if (fresh && !gone)
            continue;
        if (gone)
            axis[count++] = rank;
        dim[rank] = b->dim[i];
        map[rank++] = b->attr.ints[i];
    }
    if (rank == b->rank)
        return NULL;
    Node *x = g_broadcast(g, b->arg[0], rank, dim, map);
    Node *y = reduce_like(g, n, x, count, axis);
    return g_broadcast(g, y, n->rank, n->dim, out);
}

Node *reduce_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    if (n->attr.nint == 0)
        return x;
    Node *y = reduce_unit(g, n);
    if (y)
        return y;
    if (x->op == n->op)
        return reduce_reduce(g, n);
    if (node_repeats(x))
        return reduce_broadcast(g, n);
    return x->op == OP_view ? reduce_sorted(g, n) : NULL;
}

/* Repetition changes nothing: max, min, any, all. n reduces every axis that
 * the broadcast made. Over an axis that may be empty it stays. */
static Node *idempotent_identity(Graph *g, const Node *n)
{
    const Node *b = n->arg[0];
    int axis[MAX_RANK], count = 0;
    Node *y = reduce_identity(g, n);
    if (y || !node_repeats(b))
        return y;
    for (int i = 0; i < n->attr.nint; i++) {
        int64_t size;
        int k = b->attr.ints[n->attr.ints[i]];
        const Dim *d = b->dim[n->attr.ints[i]];
        if (k >= 0)
            axis[count++] = k;
        else if (!dim_const_value(d, &size) || size < 1)
            return NULL;
    }
    return reduce_like(g, n, b->arg[0], count, axis);
}

void reduce_each(EvalTensor *e, const Node *n,
                 void (*visit)(EvalTensor *e, const Node *n, int64_t to,
                               double x, const int64_t *at))
{
    int64_t at[MAX_RANK] = {0}, step[MAX_RANK] = {0}, to = 0, stride = 1;
    int kept[MAX_RANK], rank = n->arg[0]->rank;
    const int64_t *size = e->in_size[0];
    int64_t count = eval_elements(rank, size);
    for (int k = reduce_kept_axes(n, kept) - 1; k >= 0; k--) {
        step[kept[k]] = stride;
        stride *= e->out_size[k];
    }
    for (int64_t i = 0; i < count; i++) {
        visit(e, n, to, e->in[0][i], at);
        for (int k = rank - 1; k >= 0; k--) {
            to += step[k];
            if (++at[k] < size[k])
                break;
            to -= step[k] * size[k];
            at[k] = 0;
        }
    }
}

void reduce_fill(EvalTensor *e, const Node *n, double v)
{
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = v;
}

static void join_one(EvalTensor *e, const Node *n, int64_t to, double x,
                     const int64_t *at)
{
    (void)at;
    OpId join = op_table[n->op]->join();
    e->out[to] = eval_joined(e, join, n->dtype, e->out[to], x);
}

void reduce_eval(EvalTensor *e, const Node *n)
{
    reduce_fill(e, n, eval_held(e, n->dtype, op_table[n->op]->start));
    reduce_each(e, n, join_one);
}

int reduce_form(const Node *n, Str *to)
{
    const char *name = op_surface(n->op);
    bool all = n->rank == 0;
    str_printf(to, "%s($=0", name);
    for (int i = 0; i < n->attr.nint && !all; i++)
        str_printf(to, "%s%d",
                   i                  ? ", "
                   : n->attr.nint > 1 ? ", axis = ["
                                      : ", axis = ",
                   n->attr.ints[i]);
    str_printf(to, !all && n->attr.nint > 1 ? "])" : ")");
    return PREC_atom;
}

/* sum */

static OpId join_add(void) { return OP_add; }

/* Zeros; sum(x over a new axis of size n) = n x, which is 0 for n = 0 whatever
 * x is. */
static Node *sum_broadcast(Graph *g, const Node *n)
{
    const Node *b = n->arg[0];
    int axis[MAX_RANK], count = 0;
    const Dim *times = dim_const(g, 1);
    if (node_is_const(b, 0))
        return g_fill(g, n, 0);
    for (int i = 0; i < n->attr.nint; i++) {
        int k = b->attr.ints[n->attr.ints[i]];
        if (k < 0)
            times = dim_mul(g, times, b->dim[n->attr.ints[i]]);
        else
            axis[count++] = k;
    }
    if (dim_too_large(times))
        return NULL;
    Node *y = g_reduce(g, OP_sum, b->arg[0], count, axis);
    Node *factor = g_fill_like(g, y, g_dim(g, n->dtype, times));
    bool some = dim_never_negative(dim_sub(g, times, dim_const(g, 1)));
    bool given = node_is_any_const(y) ? isfinite(const_value(y))
                                      : op_table[y->op]->cls == OPC_leaf;
    return g2(
        g, some || given || !dtype_is_real(n->dtype) ? OP_mul : OP_strong_mul,
        factor, y);
}

/* sum(a b) is a contract that keeps the labels that n keeps. */
static Node *sum_mul(Graph *g, const Node *n)
{
    const Node *m = n->arg[0];
    int label[MAX_RANK], kept[MAX_RANK];
    for (int i = 0; i < m->rank; i++)
        label[i] = i;
    int rank = reduce_kept_axes(n, kept);
    return g_contract(g, m->arg[0], label, m->arg[1], label, rank, kept);
}

static Node *sum_contract(Graph *g, const Node *n)
{
    const Node *c = n->arg[0];
    const int *la = c->attr.ints;
    int kept[MAX_RANK];
    int rank = reduce_kept_axes(n, kept);
    return g_contract(g, c->arg[0], la, c->arg[1], la + c->arg[0]->rank, rank,
                      kept);
}

/* Beyond what all reductions share: products under a sum are contracts, signs
 * and scalar divisors come before it. */
static Node *sum_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0], *s;
    Node *y = reduce_identity(g, n);
    if (y)
        return y;
    if (node_repeats(x))
        return sum_broadcast(g, n);
    if (x->op == OP_mul && dtype_is_real(n->dtype))
        return sum_mul(g, n);
    if (x->op == OP_contract)
        return sum_contract(g, n);
    if (x->op == OP_where || x->op == OP_cast || node_is_product(x))
        return sum_onehot(g, n);
    if (x->op == OP_neg) {
        y = g_reduce(g, OP_sum, x->arg[0], n->attr.nint, n->attr.ints);
        return g1(g, OP_neg, y);
    }
    if (x->op == OP_div && dtype_is_real(n->dtype) &&
        (s = scalar_of(x->arg[1])) != NULL) {
        for (int i = 0; i < n->attr.nint; i++)
            s = g_divisor_outside(g, s, x->dim[n->attr.ints[i]]);
        y = g_reduce(g, OP_sum, x->arg[0], n->attr.nint, n->attr.ints);
        return g2(g, OP_div, y, g_fill_like(g, y, s));
    }
    return NULL;
}

static void sum_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = reduce_restore(g, n, dy);
}

const Op op_sum = {
    REDUCTION(sum, ON_number),
    .flags = OP_SURFACE | OP_LINEAR,
    .doc = "the sum",
    .shown = {FORM_over, "sum", "Σ", "\\sum"},
    .infer = reduce_infer,
    .identity = sum_identity,
    .eval_tensor = reduce_eval,
    .vjp = sum_vjp,
    .jvp = jvp_linear,
    .join = join_add,
    .start = 0,
    .mean = "mean",
};

/* reduce_max, reduce_min */

static OpId join_max(void) { return OP_max; }
static OpId join_min(void) { return OP_min; }

/* Where x is the extreme value; ties counts how often, in n's shape. */
static Node *extreme_mask(Graph *g, Node *n, Node **ties)
{
    Node *mask = g2(g, OP_eq, n->arg[0], reduce_restore(g, n, n));
    *ties = g_reduce(g, OP_sum, g_cast(g, n->dtype, mask), n->attr.nint,
                     n->attr.ints);
    return mask;
}

/* Of nothing, or of what is no number, there is no tie. */
static Node *at_least_one(Graph *g, Node *ties)
{
    return g2(g, OP_max, ties, g_fill(g, ties, 1));
}

bool reduce_of_none(const Node *n)
{
    const Node *x = n->arg[0];
    int64_t size;
    for (int i = 0; i < n->attr.nint && node_repeats(x); i++) {
        int k = n->attr.ints[i];
        if (x->attr.ints[k] < 0 &&
            (!dim_const_value(x->dim[k], &size) || size < 1))
            return true;
    }
    return false;
}

bool reduce_of_some(const Node *n)
{
    int64_t size;
    for (int i = 0; i < n->attr.nint; i++)
        if (!dim_const_value(n->arg[0]->dim[n->attr.ints[i]], &size) ||
            size < 1)
            return false;
    return true;
}

/* Ties share the adjoint equally. */
static void extreme_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *ties, *mask = extreme_mask(g, n, &ties);
    ties = reduce_of_none(n) ? at_least_one(g, ties) : ties;
    Node *share = reduce_restore(g, n, g2(g, OP_div, dy, ties));
    dx[0] = g_where(g, mask, share, g_fill(g, share, 0));
}

static Node *extreme_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *ties, *mask = extreme_mask(g, n, &ties);
    Node *x = g_where(g, mask, dx[0], g_fill(g, dx[0], 0));
    Node *sum = g_reduce(g, OP_sum, x, n->attr.nint, n->attr.ints);
    return g2(g, OP_div, sum, at_least_one(g, ties));
}

const Op op_reduce_max = {
    REDUCTION(reduce_max, ON_number),
    .flags = OP_KINK,
    .surface = "max",
    .doc = "the largest element",
    .shown = {FORM_over, "max", "max", "\\max"},
    .infer = reduce_infer,
    .identity = idempotent_identity,
    .eval_tensor = reduce_eval,
    .vjp = extreme_vjp,
    .jvp = extreme_jvp,
    .join = join_max,
    .start = -INFINITY,
};

const Op op_reduce_min = {
    REDUCTION(reduce_min, ON_number),
    .flags = OP_KINK,
    .surface = "min",
    .doc = "the smallest element",
    .shown = {FORM_over, "min", "min", "\\min"},
    .infer = reduce_infer,
    .identity = idempotent_identity,
    .eval_tensor = reduce_eval,
    .vjp = extreme_vjp,
    .jvp = extreme_jvp,
    .join = join_min,
    .start = INFINITY,
};

/* any, all */

static OpId join_or(void) { return OP_or; }
static OpId join_and(void) { return OP_and; }

static Node *any_identity(Graph *g, const Node *n)
{
    Node *y = idempotent_identity(g, n);
    return y ? y : any_onehot(g, n);
}

const Op op_any = {
    REDUCTION(any, ON_bool),
    .flags = OP_SURFACE,
    .doc = "is one of them true",
    .shown = {FORM_over, "any", "any", NULL},
    .infer = reduce_infer,
    .identity = any_identity,
    .eval_tensor = reduce_eval,
    .join = join_or,
    .start = 0,
};

const Op op_all = {
    REDUCTION(all, ON_bool),
    .flags = OP_SURFACE,
    .doc = "are all of them true",
    .shown = {FORM_over, "all", "all", NULL},
    .infer = reduce_infer,
    .identity = idempotent_identity,
    .eval_tensor = reduce_eval,
    .join = join_and,
    .start = 1,
};

/* argmax, argmin: the first of equals; a NaN counts as the extreme. */

/* Does x come before `best` as the extreme of n. */
static bool beats(const Node *n, double x, double best)
{
    if (isnan(best))
        return false;
    return isnan(x) || (n->op == OP_argmax ? x > best : x < best);
}

static void arg_eval(EvalTensor *e, const Node *n)
{
    int axis = n->attr.ints[0], rank = n->arg[0]->rank;
    const int64_t *size = e->in_size[0];
    int64_t outer = eval_elements(axis, size);
    int64_t inner = eval_elements(rank - axis - 1, size + axis + 1);
    for (int64_t i = 0; i < outer * inner; i++) {
        const double *x = e->in[0] + i / inner * inner * size[axis] + i % inner;
        int64_t best = 0;
        for (int64_t k = 1; k < size[axis]; k++)
            if (beats(n, x[k * inner], x[best * inner]))
                best = k;
        e->out[i] = (double)best;
    }
}

const Op op_argmax = {
    REDUCTION(argmax, ON_number),
    .flags = OP_SURFACE | OP_PLACE,
    .doc = "where the largest element is",
    .shown = {FORM_over, "argmax", "argmax", NULL},
    .infer = infer_arg,
    .eval_tensor = arg_eval,
    .join = join_max,
    .start = -INFINITY,
};

const Op op_argmin = {
    REDUCTION(argmin, ON_number),
    .flags = OP_SURFACE | OP_PLACE,
    .doc = "where the smallest element is",
    .shown = {FORM_over, "argmin", "argmin", NULL},
    .infer = infer_arg,
    .eval_tensor = arg_eval,
    .join = join_min,
    .start = INFINITY,
};
