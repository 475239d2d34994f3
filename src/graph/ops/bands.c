/* bands.c: matrices that are 0 but on a diagonal or beside it, at k = i + d:
 * where(k = i + d, v, 0), one in another where there are several. Parts of such
 * and zeros around them are such, as are derivatives' sums of them and their
 * products with what is repeated. */
#include "graph/ops/ops.h"

enum { MOST_BANDS = 8 };

/* Axes r < k, and how much a place along k is above that along r. */
typedef struct Beside {
    int r, k;
    const Dim *by;
} Beside;

/* r comes first. */
static Beside in_order(Graph *g, Beside b)
{
    return b.r < b.k ? b
                     : (Beside){b.k, b.r, dim_sub(g, dim_const(g, 0), b.by)};
}

static bool read_beside(Graph *g, const Node *c, Beside *to)
{
    const Dim *a, *b;
    if (c->op != OP_eq || !dtype_is_int(c->arg[0]->dtype))
        return false;
    to->r = affine_counter(g, c->arg[0], &a);
    to->k = to->r < 0 ? -1 : affine_counter(g, c->arg[1], &b);
    if (to->k < 0 || to->r == to->k)
        return false;
    to->by = dim_sub(g, a, b);
    *to = in_order(g, *to);
    return true;
}

/* place + by along an axis of n. */
static Node *counter(Graph *g, const Node *n, int axis, const Dim *by)
{
    int at[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        at[i] = i == axis ? 0 : -1;
    Node *count = g_iota(g, DT_i32, n->dim[axis]);
    if (!dim_is(by, 0))
        count =
            g2(g, OP_add, count, g_fill_like(g, count, g_dim(g, DT_i32, by)));
    return g_broadcast(g, count, n->rank, n->dim, at);
}

/* Of n's shape. */
static Node *write_beside(Graph *g, const Node *n, const Beside *b)
{
    Node *row = counter(g, n, b->r, b->by);
    return g2(g, OP_eq, row, counter(g, n, b->k, dim_const(g, 0)));
}

static bool is_repeated(const Node *n)
{
    return node_repeats(n) || node_is_any_const(n);
}

static bool read_band(Graph *g, const Node *x, Beside *to)
{
    return x->op == OP_where && x->rank > 1 && is_repeated(x->arg[1]) &&
           read_beside(g, x->arg[0], to);
}

bool is_band(Graph *g, const Node *x)
{
    Beside b;
    return read_band(g, x, &b);
}

/* The axis along which n puts zeros around; -1: there are several. */
static int padded_axis(const Node *n, const View *v)
{
    int axis = -1;
    for (int i = 0; i < n->rank; i++) {
        if (!dim_is(v->coef[i], 1))
            return -1;
        if (n->dim[i] == n->arg[0]->dim[i])
            continue;
        if (axis >= 0)
            return -1;
        axis = i;
    }
    return axis;
}

/* Of what n puts zeros around along an axis: has no row, or column, its place
 * where these are. */
static bool all_inside(Graph *g, const Node *n, const Beside *b, int padded,
                       const Dim *base)
{
    const Node *x = n->arg[0];
    bool along = padded == b->k;
    const Dim *zero = dim_const(g, 0), *room = x->dim[padded];
    const Dim *by = along ? b->by : dim_sub(g, zero, b->by);
    const Dim *rows = x->dim[along ? b->r : b->k];
    const Dim *left = dim_sub(g, room, dim_add(g, rows, by));
    return (dim_is(base, 0) || dim_never_negative(by)) &&
           (dim_add(g, base, room) == n->dim[padded] ||
            dim_never_negative(left));
}

/* Several */

typedef struct Bands {
    int n;
    double rest; /* what is elsewhere */
    Node *cond[MOST_BANDS], *v[MOST_BANDS];
    Beside at[MOST_BANDS];
} Bands;

/* No two of them meet, nor does one with the others. */
static bool are_apart(Graph *g, const Beside *a, const Beside *b)
{
    int64_t d;
    return a->r == b->r && a->k == b->k &&
           dim_const_value(dim_sub(g, a->by, b->by), &d) && d != 0;
}

static bool are_one(const Beside *a, const Beside *b)
{
    return a->r == b->r && a->k == b->k && a->by == b->by;
}

static bool read_bands(Graph *g, Node *x, Bands *to)
{
    for (to->n = 0; !node_is_any_const(x); x = x->arg[2]) {
        int i = to->n;
        if (i == MOST_BANDS || !read_band(g, x, &to->at[i]))
            return false;
        for (int k = 0; k < i; k++)
            if (!are_apart(g, &to->at[i], &to->at[k]))
                return false;
        to->cond[i] = x->arg[0];
        to->v[i] = x->arg[1];
        to->n++;
    }
    to->rest = const_value(x);
    return to->n > 0;
}

/* They are among zeros. */
static bool read_zeros(Graph *g, Node *x, Bands *to)
{
    return read_bands(g, x, to) && to->rest == 0;
}

static Node *write_bands(Graph *g, const Node *n, const Bands *b)
{
    Node *y = g_fill(g, n, b->rest);
    for (int i = b->n - 1; i >= 0; i--)
        y = g_where(g, b->cond[i], b->v[i], y);
    return y;
}

/* a, repeated, where n has zeros around along an axis: there is a 0 there, or
 * what nobody reads. NULL: it cannot be told so. */
static Node *widen(Graph *g, const Node *a, const Node *n, int axis,
                   const Dim *base, bool inside)
{
    const Dim *dim[MAX_RANK];
    int to[MAX_RANK], at = a->attr.ints[axis];
    Node *x = a->arg[0];
    for (int i = 0; i < n->rank; i++)
        to[i] = a->attr.ints[i];
    if (at < 0 && !inside) {
        if (x->rank > 0)
            return NULL;
        to[axis] = at = 0;
        x = g_broadcast_to(g, x, 1, &n->arg[0]->dim[axis]);
    }
    if (at >= 0) {
        View v = view_whole(g, x);
        v.base[at] = base;
        for (int i = 0; i < x->rank; i++)
            dim[i] = i == at ? n->dim[axis] : x->dim[i];
        x = g_view_add(g, x, &v, dim);
    }
    return g_broadcast(g, x, n->rank, n->dim, to);
}

Node *pad_of_bands(Graph *g, const Node *n)
{
    Bands b;
    if (!node_pads(n) || n->rank < 2 || !read_zeros(g, n->arg[0], &b))
        return NULL;
    View v = view_of(n);
    int axis = padded_axis(n, &v);
    for (int i = 0; i < b.n; i++) {
        Beside *at = &b.at[i];
        if (axis != at->r && axis != at->k)
            return NULL;
        bool inside = all_inside(g, n, at, axis, v.base[axis]);
        b.v[i] = widen(g, b.v[i], n, axis, v.base[axis], inside);
        if (!b.v[i])
            return NULL;
        at->by = dim_add(g, at->by, dim_sub(g, v.base[at->k], v.base[at->r]));
        b.cond[i] = write_beside(g, n, at);
    }
    return write_bands(g, n, &b);
}

/* Of one band besides any constant, or what a derivative has of several. */
Node *view_of_bands(Graph *g, const Node *n)
{
    Bands b;
    if (!node_slices(n) || n->rank < 2 || !read_bands(g, n->arg[0], &b) ||
        (!n->derived && b.n > 1))
        return NULL;
    View v = view_of(n);
    for (int i = 0; i < b.n; i++) {
        Beside *at = &b.at[i];
        if (!dim_is(v.coef[at->r], 1) || !dim_is(v.coef[at->k], 1))
            return NULL;
        at->by = dim_add(g, at->by, dim_sub(g, v.base[at->r], v.base[at->k]));
        b.cond[i] = write_beside(g, n, at);
        b.v[i] = g_view(g, b.v[i], &v);
    }
    return write_bands(g, n, &b);
}

Node *permute_of_bands(Graph *g, const Node *n)
{
    Bands b;
    int to[MAX_RANK];
    if (!n->derived || !node_permutes(n) || !read_zeros(g, n->arg[0], &b))
        return NULL;
    for (int i = 0; i < n->rank; i++)
        to[n->attr.ints[i]] = i;
    for (int i = 0; i < b.n; i++) {
        b.at[i].r = to[b.at[i].r];
        b.at[i].k = to[b.at[i].k];
        b.at[i] = in_order(g, b.at[i]);
        b.cond[i] = write_beside(g, n, &b.at[i]);
        b.v[i] = g_permute(g, b.v[i], n->attr.ints);
        if (!is_repeated(b.v[i]))
            return NULL;
    }
    return write_bands(g, n, &b);
}

/* Each band times y, which is repeated; or what n makes of each alone. */
static Node *scaled(Graph *g, const Node *n, Bands *b, int at)
{
    Node *y = n->narg > 1 ? n->arg[1 - at] : NULL;
    for (int i = 0; i < b->n; i++) {
        Node *v = b->v[i];
        b->v[i] = y ? g2(g, (OpId)n->op, at ? y : v, at ? v : y)
                    : g1(g, (OpId)n->op, v);
        if (!is_repeated(b->v[i]))
            return NULL;
    }
    return write_bands(g, n, b);
}

/* The bands of both, those at the same places added. */
static Node *together(Graph *g, const Node *n, Bands *a, Bands *b)
{
    for (int i = 0; i < b->n; i++) {
        int k = 0;
        while (k < a->n && !are_one(&a->at[k], &b->at[i])) {
            if (!are_apart(g, &a->at[k], &b->at[i]))
                return NULL;
            k++;
        }
        bool there = k < a->n;
        Node *left = there ? a->v[k] : g_fill(g, n, 0);
        Node *v = g2(g, (OpId)n->op, left, b->v[i]);
        if (!is_repeated(v) || k == MOST_BANDS)
            return NULL;
        a->cond[k] = b->cond[i];
        a->at[k] = b->at[i];
        a->v[k] = v;
        a->n += !there;
    }
    return write_bands(g, n, a);
}

/* Bands where a repeated condition holds, or where it does not; 0 elsewhere. */
static Node *chosen(Graph *g, const Node *n)
{
    Bands b;
    int at = node_is_const(n->arg[2], 0) ? 1 : 2;
    if (!node_repeats(n->arg[0]) || !node_is_const(n->arg[3 - at], 0) ||
        !read_zeros(g, n->arg[at], &b))
        return NULL;
    for (int i = 0; i < b.n; i++) {
        Node *v = b.v[i], *zero = g_fill(g, v, 0);
        b.v[i] = g_where(g, n->arg[0], at == 1 ? v : zero, at == 1 ? zero : v);
        if (!is_repeated(b.v[i]))
            return NULL;
    }
    return write_bands(g, n, &b);
}

Node *elements_of_bands(Graph *g, const Node *n)
{
    Bands a, b;
    if (!n->derived || n->rank < 2)
        return NULL;
    if (n->op == OP_where)
        return chosen(g, n);
    if (node_is_linear(n, OP_LINEAR)) {
        if (!read_zeros(g, n->arg[0], &a))
            return NULL;
        if (n->narg == 1)
            return scaled(g, n, &a, 0);
        return read_zeros(g, n->arg[1], &b) ? together(g, n, &a, &b) : NULL;
    }
    for (int i = 0; i < 2 && node_is_product(n); i++)
        if (is_repeated(n->arg[1 - i]) && read_zeros(g, n->arg[i], &a))
            return scaled(g, n, &a, i);
    return NULL;
}
