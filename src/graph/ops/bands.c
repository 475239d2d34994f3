/* bands.c: matrices that are 0 but on a diagonal or beside it, at k = i + d:
 * where(k = i + d, v, 0), one in another where there are several. Parts of such
 * and zeros around them are such, as are derivatives' sums of them and their
 * products with what is repeated. A condition of two counters has two axes, so
 * that nothing else is one: of more axes it is repeated. */
#include "graph/ops/ops.h"

enum { MOST_BANDS = 8 };

enum { ROW, COLUMN };

/* How far right of the diagonal c holds, or NULL. */
static const Dim *read_beside(Graph *g, const Node *c)
{
    const Dim *a, *b;
    if (c->op != OP_eq)
        return NULL;
    int row = affine_counter(g, c->arg[0], &a);
    int column = row < 0 ? -1 : affine_counter(g, c->arg[1], &b);
    if (column < 0 || row == column)
        return NULL;
    return row < column ? dim_sub(g, a, b) : dim_sub(g, b, a);
}

/* place + by along an axis of n. */
static Node *counter(Graph *g, const Node *n, int axis, const Dim *by)
{
    int at[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        at[i] = i == axis ? 0 : -1;
    Node *count = g_iota(g, DT_i32, n->dim[axis]);
    count = g2(g, OP_add, count, g_fill_like(g, count, g_dim(g, DT_i32, by)));
    return g_broadcast(g, count, n->rank, n->dim, at);
}

/* Of n's shape. */
static Node *write_beside(Graph *g, const Node *n, const Dim *by)
{
    Node *row = counter(g, n, ROW, by);
    return g2(g, OP_eq, row, counter(g, n, COLUMN, dim_const(g, 0)));
}

static bool is_repeated(const Node *n)
{
    return node_repeats(n) || node_is_any_const(n);
}

static const Dim *read_band(Graph *g, const Node *x)
{
    bool may = x->op == OP_where && is_repeated(x->arg[1]);
    return may ? read_beside(g, x->arg[0]) : NULL;
}

bool is_band(Graph *g, const Node *x) { return read_band(g, x) != NULL; }

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
static bool all_inside(Graph *g, const Node *n, const Dim *by, int padded,
                       const Dim *base)
{
    const Dim *const *size = n->arg[0]->dim, *room = size[padded];
    if (padded == ROW)
        by = dim_sub(g, dim_const(g, 0), by);
    const Dim *left = dim_sub(g, room, dim_add(g, size[!padded], by));
    return (dim_is(base, 0) || dim_never_negative(by)) &&
           (dim_add(g, base, room) == n->dim[padded] ||
            dim_never_negative(left));
}

/* Several */

typedef struct Bands {
    int n;
    double rest; /* what is elsewhere */
    Node *cond[MOST_BANDS], *v[MOST_BANDS];
    const Dim *by[MOST_BANDS];
} Bands;

/* They do not meet. */
static bool are_apart(Graph *g, const Dim *a, const Dim *b)
{
    int64_t d;
    return dim_const_value(dim_sub(g, a, b), &d) && d != 0;
}

static bool read_bands(Graph *g, Node *x, Bands *to)
{
    for (to->n = 0; !node_is_any_const(x); x = x->arg[2]) {
        int i = to->n;
        if (i == MOST_BANDS || !(to->by[i] = read_band(g, x)))
            return false;
        for (int k = 0; k < i; k++)
            if (!are_apart(g, to->by[i], to->by[k]))
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
    if (axis < 0)
        return NULL;
    for (int i = 0; i < b.n; i++) {
        bool inside = all_inside(g, n, b.by[i], axis, v.base[axis]);
        b.v[i] = widen(g, b.v[i], n, axis, v.base[axis], inside);
        if (!b.v[i])
            return NULL;
        b.cond[i] = write_beside(
            g, n, dim_add(g, b.by[i], dim_sub(g, v.base[COLUMN], v.base[ROW])));
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
    if (!dim_is(v.coef[ROW], 1) || !dim_is(v.coef[COLUMN], 1))
        return NULL;
    for (int i = 0; i < b.n; i++) {
        b.cond[i] = write_beside(
            g, n, dim_add(g, b.by[i], dim_sub(g, v.base[ROW], v.base[COLUMN])));
        b.v[i] = g_view(g, b.v[i], &v);
    }
    return write_bands(g, n, &b);
}

Node *permute_of_bands(Graph *g, const Node *n)
{
    Bands b;
    if (!n->derived || !node_permutes(n) || !read_zeros(g, n->arg[0], &b))
        return NULL;
    for (int i = 0; i < b.n; i++) {
        b.cond[i] = write_beside(g, n, dim_sub(g, dim_const(g, 0), b.by[i]));
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
        while (k < a->n && a->by[k] != b->by[i]) {
            if (!are_apart(g, a->by[k], b->by[i]))
                return NULL;
            k++;
        }
        bool there = k < a->n;
        Node *left = there ? a->v[k] : g_fill(g, n, 0);
        Node *v = g2(g, (OpId)n->op, left, b->v[i]);
        if (!is_repeated(v) || k == MOST_BANDS)
            return NULL;
        a->cond[k] = b->cond[i];
        a->by[k] = b->by[i];
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
