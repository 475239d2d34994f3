/* reduce.c: reductions over some axes, which the result lacks. */
#include "graph/ops/ops.h"
#include "graph/region.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

static bool is_reduced(const Node *n, int axis)
{
    for (int i = 0; i < n->attr.nint; i++)
        if (n->attr.ints[i] == axis)
            return true;
    return false;
}

/* The axes that remain, in order; how many. */
static int kept_axes(const Node *n, int *kept)
{
    int count = 0;
    for (int i = 0; i < n->arg[0]->rank; i++)
        if (!is_reduced(n, i))
            kept[count++] = i;
    return count;
}

/* y, of n's shape, repeated along the axes that n reduced. */
static Node *restore(Graph *g, const Node *n, Node *y)
{
    const Node *x = n->arg[0];
    int axis[MAX_RANK], next = 0;
    for (int i = 0; i < x->rank; i++)
        axis[i] = is_reduced(n, i) ? -1 : next++;
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
    n->rank = kept_axes(n, kept);
    for (int i = 0; i < n->rank; i++)
        dim[i] = x->dim[kept[i]];
    n->dim = dim;
    return true;
}

/* What the row says it takes. */
static bool infer_taken(Graph *g, Node *n)
{
    return infer_reduced(g, n) && (op_table[n->op]->takes >> n->dtype & 1);
}

static bool infer_arg(Graph *g, Node *n)
{
    bool fits = infer_taken(g, n) && n->attr.nint == 1;
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

static Node *reduce_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                          const bool *lead)
{
    int axis[MAX_RANK];
    (void)b;
    (void)lead;
    for (int i = 0; i < n->attr.nint; i++)
        axis[i] = n->attr.ints[i] + 1;
    return reduce_like(g, n, x[0], n->attr.nint, axis);
}

/* The elements in one row. */
static Node *flatten(Graph *g, Node *a)
{
    const Dim *count = dim_const(g, 1);
    for (int i = 0; i < a->rank; i++)
        count = dim_mul(g, count, a->dim[i]);
    return g_reshape(g, a, 1, &count);
}

Node *g_reduce_all(Graph *g, OpId op, Node *a)
{
    int axis[MAX_RANK];
    if (op_table[op]->flags & OP_PLACE)
        a = flatten(g, a);
    for (int i = 0; i < a->rank; i++)
        axis[i] = i;
    return g_reduce(g, op, a, a->rank, axis);
}

Node *g_sum_to(Graph *g, Node *a, int rank, const int *axis)
{
    int gone[MAX_RANK], n = 0;
    assert(a->rank == rank);
    for (int i = 0; i < rank; i++)
        if (axis[i] < 0)
            gone[n++] = i;
    return g_reduce(g, OP_sum, a, n, gone);
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

/* red(permute(x)) = permute(red(x)) */
static Node *reduce_permute(Graph *g, const Node *n)
{
    const Node *p = n->arg[0];
    bool gone[MAX_RANK] = {false};
    int axis[MAX_RANK], rank[MAX_RANK], perm[MAX_RANK], count = 0, left = 0;
    for (int i = 0; i < n->attr.nint; i++)
        gone[p->attr.ints[n->attr.ints[i]]] = true;
    for (int k = 0; k < p->rank; k++) {
        if (gone[k])
            axis[count++] = k;
        else
            rank[k] = left++;
    }
    left = 0;
    for (int i = 0; i < p->rank; i++)
        if (!gone[p->attr.ints[i]])
            perm[left++] = rank[p->attr.ints[i]];
    Node *y = reduce_like(g, n, p->arg[0], count, axis);
    return g_permute(g, y, perm);
}

/* red(red(x, a), b) = red(x, a and b) */
static Node *reduce_reduce(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    int kept[MAX_RANK], axis[MAX_RANK], count = 0;
    kept_axes(x, kept);
    for (int i = 0; i < x->arg[0]->rank; i++) {
        bool gone = is_reduced(x, i);
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
        bool gone = is_reduced(n, i), fresh = b->attr.ints[i] < 0;
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

static Node *reduce_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    if (n->attr.nint == 0)
        return x;
    Node *y = reduce_unit(g, n);
    if (y)
        return y;
    if (x->op == OP_permute)
        return reduce_permute(g, n);
    if (x->op == n->op)
        return reduce_reduce(g, n);
    return x->op == OP_broadcast ? reduce_broadcast(g, n) : NULL;
}

/* Repetition changes nothing: max, min, any, all. n reduces every axis that
 * the broadcast made. Over an axis that may be empty it stays. */
static Node *idempotent_identity(Graph *g, const Node *n)
{
    const Node *b = n->arg[0];
    int axis[MAX_RANK], count = 0;
    Node *y = reduce_identity(g, n);
    if (y || b->op != OP_broadcast)
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

/* Calls visit for each element of the argument with the number of the result
 * it belongs to and its coordinates. */
static void each(EvalTensor *e, const Node *n,
                 void (*visit)(EvalTensor *e, const Node *n, int64_t to,
                               double x, const int64_t *at))
{
    int64_t at[MAX_RANK] = {0}, step[MAX_RANK] = {0}, to = 0, stride = 1;
    int kept[MAX_RANK], rank = n->arg[0]->rank;
    const int64_t *size = e->in_size[0];
    int64_t count = eval_elements(rank, size);
    for (int k = kept_axes(n, kept) - 1; k >= 0; k--) {
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

static void fill(EvalTensor *e, const Node *n, double v)
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

static void reduce_eval(EvalTensor *e, const Node *n)
{
    fill(e, n, eval_held(e, n->dtype, op_table[n->op]->start));
    each(e, n, join_one);
}

/* Printed form: max(x), max(x, axis = 0). */
static int print_reduce(const char *name, const Node *n, bool tex, Str *to)
{
    bool all = n->rank == 0;
    str_printf(to, tex ? "\\operatorname{%s}" : "%s", name);
    if (tex && !all)
        str_printf(to, "_{");
    else
        str_printf(to, "($=0");
    for (int i = 0; i < n->attr.nint && !all; i++) {
        str_printf(to, "%s%d",
                   i                  ? ", "
                   : tex              ? ""
                   : n->attr.nint > 1 ? ", axis = ["
                                      : ", axis = ",
                   n->attr.ints[i]);
    }
    if (!tex && !all && n->attr.nint > 1)
        str_printf(to, "]");
    str_printf(to, tex && !all ? "}($=0)" : ")");
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
    if (dim_overflowed(g))
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
    int rank = kept_axes(n, kept);
    return g_contract(g, m->arg[0], label, m->arg[1], label, rank, kept);
}

static Node *sum_contract(Graph *g, const Node *n)
{
    const Node *c = n->arg[0];
    const int *la = c->attr.ints;
    int kept[MAX_RANK];
    int rank = kept_axes(n, kept);
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
    if (x->op == OP_broadcast)
        return sum_broadcast(g, n);
    if (x->op == OP_mul && dtype_is_real(n->dtype))
        return sum_mul(g, n);
    if (x->op == OP_contract)
        return sum_contract(g, n);
    if (x->op == OP_where || x->op == OP_cast || x->op == OP_mul)
        return sum_onehot(g, n);
    if (x->op == OP_neg) {
        y = g_reduce(g, OP_sum, x->arg[0], n->attr.nint, n->attr.ints);
        return g1(g, OP_neg, y);
    }
    if (x->op == OP_div && dtype_is_real(n->dtype) &&
        (s = scalar_of(x->arg[1])) != NULL) {
        y = g_reduce(g, OP_sum, x->arg[0], n->attr.nint, n->attr.ints);
        return g2(g, OP_div, y, g_fill_like(g, y, s));
    }
    return NULL;
}

static void sum_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = restore(g, n, dy);
}

static int sum_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("sum", n, tex, to);
}

const Op op_sum = {
    .name = "sum",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE | OP_LINEAR,
    .doc = "the sum",
    .takes = ON_number,
    .infer = infer_taken,
    .identity = sum_identity,
    .eval_tensor = reduce_eval,
    .vjp = sum_vjp,
    .jvp = jvp_linear,
    .form = sum_form,
    .join = join_add,
    .start = 0,
    .mean = "mean",
    .batch = reduce_batch,
};

/* prod */

static OpId join_mul(void) { return OP_mul; }

/* Element `which` of each pair: x[…, which::2] for x of an even size. */
static Node *half(Graph *g, Node *x, int which)
{
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK], last = x->rank - 1;
    for (int i = 0; i <= last; i++) {
        start[i] = dim_const(g, i == last ? which : 0);
        size[i] = x->dim[i];
        step[i] = 1 + (i == last);
    }
    size[last] = dim_div(g, x->dim[last], dim_const(g, 2));
    return g_slice(g, x, start, size, step);
}

/* half's inverse: a and b, one of each in turn, the first n of them. */
static Node *interleave(Graph *g, Node *a, Node *b, int64_t n)
{
    const Dim *start[MAX_RANK], *dim[MAX_RANK];
    int step[MAX_RANK], last = a->rank - 1;
    for (int i = 0; i <= last; i++) {
        start[i] = dim_const(g, 0);
        dim[i] = a->dim[i];
        step[i] = 1 + (i == last);
    }
    dim[last] = dim_const(g, n + n % 2);
    Node *even = g_pad(g, a, start, dim, step);
    start[last] = dim_const(g, 1);
    Node *odd = g_pad(g, b, start, dim, step);
    Node *both = g2(g, OP_add, even, odd);
    start[last] = dim_const(g, 0);
    dim[last] = dim_const(g, n);
    step[last] = 1;
    return g_slice(g, both, start, dim, step);
}

/* The product of all others is made of products only, so that its own
 * derivatives are exact where elements are 0, too. */

/* Along the last axis, of n elements: by a tree of products of pairs, 3
 * multiplications an element. */
static Node *others(Graph *g, Node *x, int64_t n)
{
    const Dim *dim[MAX_RANK];
    int last = x->rank - 1;
    if (n <= 1)
        return g_fill(g, x, 1);
    for (int i = 0; i < last; i++)
        dim[i] = x->dim[i];
    if (n % 2) {
        dim[last] = dim_const(g, 1);
        Node *one = g_const(g, x->dtype, 1);
        Node *part[2] = {x, g_broadcast_to(g, one, x->rank, dim)};
        x = g_concat(g, 2, part, last);
    }
    Node *a = half(g, x, 0), *b = half(g, x, 1);
    Node *up = others(g, g2(g, OP_mul, a, b), n / 2 + n % 2);
    Node *at_a = g2(g, OP_mul, up, b), *at_b = g2(g, OP_mul, up, a);
    return interleave(g, at_a, at_b, n);
}

/* Along the first axis, the product of what is before each row; in reverse,
 * behind it. */
static Node *products_before(Graph *g, Node *x, bool reverse)
{
    int rank = x->rank - 1;
    Node *index = g_param(g, DT_i64, 0, NULL, "i");
    Node *row = g_param(g, x->dtype, rank, x->dim + 1, "x");
    Node *product = g_param(g, x->dtype, rank, x->dim + 1, "p");
    Node *next = g2(g, OP_mul, product, row);
    Node *one = g_const(g, x->dtype, 1);
    Node *arg[2] = {g_broadcast_to(g, one, rank, x->dim + 1), x};
    Region r = {.trips = x->dim[0],
                .reverse = reverse,
                .index = index,
                .carry = &product,
                .ncarry = 1,
                .input = &row,
                .ninput = 1,
                .next = &next,
                .output = &product,
                .noutput = 1};
    return g_part(g, g_region(g, &r, 2, arg), 1);
}

/* The axes kept and those reduced, one of the groups first. */
static void group_axes(const Node *n, bool kept_first, int *perm)
{
    int at = 0;
    for (int group = 0; group < 2; group++)
        for (int i = 0; i < n->arg[0]->rank; i++)
            if (is_reduced(n, i) == (group == kept_first))
                perm[at++] = i;
}

/* ∂prod/∂x_i, of x's shape: the product of the others. Where only the run tells
 * their number, of those before and those behind. */
static Node *prod_partial(Graph *g, const Node *n)
{
    const Dim *count = dim_const(g, 1), *flat[MAX_RANK];
    int perm[MAX_RANK], back[MAX_RANK], rank = n->arg[0]->rank;
    int64_t size;
    for (int i = 0; i < n->attr.nint; i++)
        count = dim_mul(g, count, n->arg[0]->dim[n->attr.ints[i]]);
    bool known = dim_const_value(count, &size);
    group_axes(n, known, perm);
    for (int i = 0; i < rank; i++)
        back[perm[i]] = i;
    Node *x = g_permute(g, n->arg[0], perm), *y;
    for (int i = 0; i < n->rank; i++)
        flat[known ? i : i + 1] = n->dim[i];
    flat[known ? n->rank : 0] = count;
    x = g_reshape(g, x, n->rank + 1, flat);
    if (known)
        y = others(g, x, size);
    else
        y = g2(g, OP_mul, products_before(g, x, false),
               products_before(g, x, true));
    x = g_permute(g, n->arg[0], perm);
    return g_permute(g, g_reshape(g, y, rank, x->dim), back);
}

static void prod_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g2(g, OP_mul, restore(g, n, dy), prod_partial(g, n));
}

static Node *prod_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *terms = g2(g, OP_mul, dx[0], prod_partial(g, n));
    return g_reduce(g, OP_sum, terms, n->attr.nint, n->attr.ints);
}

static int prod_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("prod", n, tex, to);
}

const Op op_prod = {
    .name = "prod",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE,
    .doc = "the product",
    .takes = ON_number,
    .infer = infer_taken,
    .identity = reduce_identity,
    .eval_tensor = reduce_eval,
    .vjp = prod_vjp,
    .jvp = prod_jvp,
    .form = prod_form,
    .join = join_mul,
    .start = 1,
    .batch = reduce_batch,
};

/* reduce_max, reduce_min */

static OpId join_max(void) { return OP_max; }
static OpId join_min(void) { return OP_min; }

/* Where x is the extreme value; ties counts how often, in n's shape. */
static Node *extreme_mask(Graph *g, Node *n, Node **ties)
{
    Node *mask = g2(g, OP_eq, n->arg[0], restore(g, n, n));
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
    for (int i = 0; i < n->attr.nint && x->op == OP_broadcast; i++) {
        int k = n->attr.ints[i];
        if (x->attr.ints[k] < 0 &&
            (!dim_const_value(x->dim[k], &size) || size < 1))
            return true;
    }
    return false;
}

/* Ties share the adjoint equally. */
static void extreme_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *ties, *mask = extreme_mask(g, n, &ties);
    ties = reduce_of_none(n) ? at_least_one(g, ties) : ties;
    Node *share = restore(g, n, g2(g, OP_div, dy, ties));
    dx[0] = g_where(g, mask, share, g_fill(g, share, 0));
}

static Node *extreme_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *ties, *mask = extreme_mask(g, n, &ties);
    Node *x = g_where(g, mask, dx[0], g_fill(g, dx[0], 0));
    Node *sum = g_reduce(g, OP_sum, x, n->attr.nint, n->attr.ints);
    return g2(g, OP_div, sum, at_least_one(g, ties));
}

static int max_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("max", n, tex, to);
}

static int min_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("min", n, tex, to);
}

const Op op_reduce_max = {
    .name = "reduce_max",
    .surface = "max",
    .cls = OPC_reduce,
    .arity = 1,
    .doc = "the largest element",
    .takes = ON_number,
    .infer = infer_taken,
    .identity = idempotent_identity,
    .eval_tensor = reduce_eval,
    .vjp = extreme_vjp,
    .jvp = extreme_jvp,
    .form = max_form,
    .join = join_max,
    .start = -INFINITY,
    .batch = reduce_batch,
};

const Op op_reduce_min = {
    .name = "reduce_min",
    .surface = "min",
    .cls = OPC_reduce,
    .arity = 1,
    .doc = "the smallest element",
    .takes = ON_number,
    .infer = infer_taken,
    .identity = idempotent_identity,
    .eval_tensor = reduce_eval,
    .vjp = extreme_vjp,
    .jvp = extreme_jvp,
    .form = min_form,
    .join = join_min,
    .start = INFINITY,
    .batch = reduce_batch,
};

/* any, all */

static OpId join_or(void) { return OP_or; }
static OpId join_and(void) { return OP_and; }

static int any_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("any", n, tex, to);
}

static int all_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("all", n, tex, to);
}

static Node *any_identity(Graph *g, const Node *n)
{
    Node *y = idempotent_identity(g, n);
    return y ? y : any_onehot(g, n);
}

const Op op_any = {
    .name = "any",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE,
    .doc = "is one of them true",
    .takes = ON_bool,
    .infer = infer_taken,
    .identity = any_identity,
    .eval_tensor = reduce_eval,
    .form = any_form,
    .join = join_or,
    .start = 0,
    .batch = reduce_batch,
};

const Op op_all = {
    .name = "all",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE,
    .doc = "are all of them true",
    .takes = ON_bool,
    .infer = infer_taken,
    .identity = idempotent_identity,
    .eval_tensor = reduce_eval,
    .form = all_form,
    .join = join_and,
    .start = 1,
    .batch = reduce_batch,
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

static int argmax_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("argmax", n, tex, to);
}

static int argmin_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("argmin", n, tex, to);
}

const Op op_argmax = {
    .name = "argmax",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE | OP_PLACE,
    .doc = "where the largest element is",
    .takes = ON_number,
    .infer = infer_arg,
    .eval_tensor = arg_eval,
    .form = argmax_form,
    .join = join_max,
    .start = -INFINITY,
    .batch = reduce_batch,
};

const Op op_argmin = {
    .name = "argmin",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE | OP_PLACE,
    .doc = "where the smallest element is",
    .takes = ON_number,
    .infer = infer_arg,
    .eval_tensor = arg_eval,
    .form = argmin_form,
    .join = join_min,
    .start = INFINITY,
    .batch = reduce_batch,
};

/* logsumexp */

static void add_exp(EvalTensor *e, const Node *n, int64_t to, double x,
                    const int64_t *at)
{
    (void)n;
    (void)at;
    e->out[to] += exp(x);
}

/* log of the sum of exp, shifted by the largest: two rounds over the argument,
 * the maxima standing in out in between. */
static void keep_max(EvalTensor *e, const Node *n, int64_t to, double x,
                     const int64_t *at)
{
    (void)n;
    (void)at;
    if (x > e->out[to] || isnan(x))
        e->out[to] = x;
}

/* The least finite number. */
static double lowest(DType t) { return t == DT_f32 ? -FLT_MAX : -DBL_MAX; }

static void lse_eval(EvalTensor *e, const Node *n)
{
    int64_t count = eval_elements(n->rank, e->out_size);
    Arena *a = arena_new();
    double *max = NEWN(a, double, count + 1);
    int64_t in = eval_elements(n->arg[0]->rank, e->in_size[0]);
    double *shifted = NEWN(a, double, in + 1);
    EvalTensor inner = *e;
    fill(e, n, -INFINITY);
    each(e, n, keep_max);
    for (int64_t i = 0; i < count; i++)
        max[i] = isinf(e->out[i]) ? 0 : e->out[i];
    memcpy(shifted, e->in[0], sizeof *shifted * (size_t)in);
    int kept[MAX_RANK], left = kept_axes(n, kept);
    for (int64_t i = 0; i < in; i++) {
        int64_t at[MAX_RANK], out[MAX_RANK];
        eval_unravel(i, n->arg[0]->rank, e->in_size[0], at);
        for (int k = 0; k < left; k++)
            out[k] = at[kept[k]];
        shifted[i] -= max[eval_ravel(left, e->out_size, out)];
    }
    inner.in = (const double *const[]){shifted};
    fill(&inner, n, 0);
    each(&inner, n, add_exp);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = log(e->out[i]) + max[i];
    for (int64_t i = 0; i < count && n->attr.integer == FINITE_LSE; i++)
        if (e->out[i] < lowest(n->dtype)) /* NaN stays */
            e->out[i] = lowest(n->dtype);
    arena_free(a);
}

Node *g_finite_lse(Graph *g, const Node *n)
{
    Attr attr = n->attr;
    attr.integer = FINITE_LSE;
    return graph_make(g, OP_logsumexp, n->dtype, 1, n->arg, &attr);
}

/* ∂/∂x_i = exp(x_i - y), and 0 where all are -inf. */
static Node *lse_partial(Graph *g, Node *n)
{
    Node *y = restore(g, n, g_finite_lse(g, n));
    return g1(g, OP_exp, g2(g, OP_sub, n->arg[0], y));
}

static void lse_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g2(g, OP_mul, restore(g, n, dy), lse_partial(g, n));
}

static Node *lse_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *terms = g2(g, OP_mul, dx[0], lse_partial(g, n));
    return g_reduce(g, OP_sum, terms, n->attr.nint, n->attr.ints);
}

/* log(sum(exp(x - m))) + m with m = max(x), or 0 where that is infinite, so
 * that all -inf gives -inf and an inf gives inf. */
static Node *lse_expand(Graph *g, Node *n)
{
    Node *x = n->arg[0];
    if (n->attr.integer == FINITE_LSE) {
        Node *y = g_reduce(g, OP_logsumexp, x, n->attr.nint, n->attr.ints);
        return g2(g, OP_max, y, g_fill(g, y, lowest(n->dtype)));
    }
    Node *max = g_reduce(g, OP_reduce_max, x, n->attr.nint, n->attr.ints);
    Node *inf = g2(g, OP_eq, g1(g, OP_abs, max), g_fill(g, max, INFINITY));
    Node *m = g_where(g, inf, g_fill(g, max, 0), max);
    Node *e = g1(g, OP_exp, g2(g, OP_sub, x, restore(g, n, m)));
    Node *sum = g_reduce(g, OP_sum, e, n->attr.nint, n->attr.ints);
    return g2(g, OP_add, g1(g, OP_log, sum), m);
}

static int lse_form(const Node *n, bool tex, Str *to)
{
    return print_reduce("logsumexp", n, tex, to);
}

const Op op_logsumexp = {
    .name = "logsumexp",
    .cls = OPC_reduce,
    .arity = 1,
    .flags = OP_SURFACE | OP_COSTLY,
    .doc = "log of the sum of exp, without overflow",
    .takes = ON_real,
    .infer = infer_taken,
    .identity = reduce_identity,
    .eval_tensor = lse_eval,
    .vjp = lse_vjp,
    .jvp = lse_jvp,
    .expand = lse_expand,
    .form = lse_form,
    .start = -INFINITY,
    .batch = reduce_batch,
};
