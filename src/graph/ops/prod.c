/* prod.c: the product, whose derivative is one of all others. */
#include "graph/ops/reduce.h"
#include "graph/region.h"

static OpId join_mul(void) { return OP_mul; }

/* Elements from, from + 1, … of each row: n of them. */
static Node *part(Graph *g, Node *x, int64_t from, int64_t n)
{
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int last = x->rank - 1;
    for (int i = 0; i <= last; i++) {
        start[i] = dim_const(g, i == last ? from : 0);
        size[i] = x->dim[i];
    }
    size[last] = dim_const(g, n);
    return g_slice(g, x, start, size, NULL);
}

/* The product of all others is made of products only, so that its own
 * derivatives are exact where elements are 0, too. */

/* Along the last axis, of n elements: by a tree of products of one from either
 * half, 3 multiplications an element. */
static Node *others(Graph *g, Node *x, int64_t n)
{
    const Dim *dim[MAX_RANK];
    int last = x->rank - 1;
    int64_t half = n / 2 + n % 2;
    if (n <= 1)
        return g_fill(g, x, 1);
    for (int i = 0; i < last; i++)
        dim[i] = x->dim[i];
    if (n % 2) {
        dim[last] = dim_const(g, 1);
        Node *one = g_const(g, x->dtype, 1);
        Node *more[2] = {x, g_broadcast_to(g, one, x->rank, dim)};
        x = g_concat(g, 2, more, last);
    }
    Node *a = part(g, x, 0, half), *b = part(g, x, half, half);
    Node *up = others(g, g2(g, OP_mul, a, b), half);
    Node *at_a = g2(g, OP_mul, up, b), *at_b = g2(g, OP_mul, up, a);
    Node *both[2] = {at_a, n % 2 ? part(g, at_b, 0, n / 2) : at_b};
    return g_concat(g, 2, both, last);
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
            if (reduce_has_axis(n, i) == (group == kept_first))
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
    Node *x = g_permute(g, n->arg[0], perm), *rows, *y;
    for (int i = 0; i < n->rank; i++)
        flat[known ? i : i + 1] = n->dim[i];
    flat[known ? n->rank : 0] = count;
    rows = g_reshape(g, x, n->rank + 1, flat);
    if (known) {
        y = others(g, rows, size);
    } else {
        Node *after = products_before(g, rows, true);
        y = g2(g, OP_mul, products_before(g, rows, false), after);
    }
    return g_permute(g, g_reshape(g, y, rank, x->dim), back);
}

static void prod_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *right = prod_partial(g, n);
    dx[0] = g2(g, OP_mul, reduce_restore(g, n, dy), right);
}

static void prod_vjp_strong(Graph *g, Node *n, Node *dy, bool steep, Node **dx)
{
    (void)steep;
    Node *right = prod_partial(g, n);
    dx[0] = g2(g, OP_strong_mul, reduce_restore(g, n, dy), right);
}

static Node *prod_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *terms = g2(g, OP_mul, dx[0], prod_partial(g, n));
    return g_reduce(g, OP_sum, terms, n->attr.nint, n->attr.ints);
}

const Op op_prod = {
    REDUCTION(prod, ON_number),
    .flags = OP_SURFACE,
    .doc = "the product",
    .shown = {FORM_over, "prod", "Π", "\\prod"},
    .infer = reduce_infer,
    .identity = reduce_identity,
    .eval_tensor = reduce_eval,
    .vjp = prod_vjp,
    .vjp_strong = prod_vjp_strong,
    .jvp = prod_jvp,
    .join = join_mul,
    .start = 1,
};
