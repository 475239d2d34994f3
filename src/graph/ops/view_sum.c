/* view_sum.c: view_add where several axes move along one, in operators that
 * there are kernels for. */
#include "graph/ops/ops.h"

/* x's axes axis … axis+n-1 go to start + Σ i_j coef[j] along one of size
 * `whole`. */
typedef struct Steps {
    Node *x;
    int axis, n;
    const Dim *start;
    const Dim *size[MAX_RANK], *coef[MAX_RANK];
    const Dim *whole;
} Steps;

/* All other axes stay as they are: see add_simpler. */
static Steps steps_of(const Node *n)
{
    View v = view_of(n);
    int k = 0;
    while (k < n->rank && view_movers(&v, k) == 1 &&
           view_goes_through(&v, k, n->dim))
        k++;
    Steps s = {.x = n->arg[0], .axis = k, .n = view_movers(&v, k)};
    s.start = v.base[k];
    s.whole = n->dim[k];
    for (int j = 0; j < s.n; j++) {
        s.size[j] = v.size[k + j];
        s.coef[j] = v.coef[k + j];
    }
    return s;
}

/* The axis whose places are computed from the others': the largest, so that
 * the sum over the others is short. */
static int longest(const Steps *s)
{
    int best = -1;
    int64_t most = -1;
    for (int j = 0; j < s->n; j++) {
        int64_t size, step;
        if (!dim_const_value(s->coef[j], &step))
            continue;
        if (!dim_const_value(s->size[j], &size))
            size = INT64_MAX;
        if (size > most) {
            best = j;
            most = size;
        }
    }
    return best;
}

/* Bounds of what the axes but the first add to `start`; never apart by less
 * than 0, even where there are no elements. */
static bool span_of_others(Graph *g, const Steps *s, const Dim **lo,
                           const Dim **hi)
{
    *lo = *hi = s->start;
    for (int j = 1; j < s->n; j++) {
        const Dim *by = dim_mul(g, s->size[j], s->coef[j]);
        int64_t c;
        if (!dim_const_value(s->coef[j], &c))
            return false;
        if (c < 0)
            *lo = dim_add(g, *lo, by);
        else
            *hi = dim_add(g, *hi, by);
    }
    return true;
}

/* x with its axis put between zeros: element i at hi - s + c·i, in room for
 * every place that the others, from lo to hi away, are read at. */
static Node *widen(Graph *g, const Steps *s, const Dim *lo, const Dim *hi)
{
    const Dim *dim[MAX_RANK];
    View v = view_whole(g, s->x);
    for (int i = 0; i < s->x->rank; i++)
        dim[i] = s->x->dim[i];
    dim[s->axis] = dim_add(g, s->whole, dim_sub(g, hi, lo));
    v.base[s->axis] = hi;
    v.coef[s->axis] = s->coef[0];
    return g_view_add(g, s->x, &v, dim);
}

/* With p = start + Σ_{j>0} i_j coef_j for the other axes,
 *
 *     out[o] = Σ_i w[o + hi - p, i1, …],  w as above:
 *
 * over the flattened axes of w these are reads with steps again. */
static Node *add_by_reads(Graph *g, Steps s, const Dim *lo, const Dim *hi)
{
    const Dim *inner = dim_const(g, 1);
    int axis[MAX_RANK];
    Steps r = {.axis = s.axis, .n = s.n};
    Node *w = widen(g, &s, lo, hi);
    for (int j = s.n - 1; j > 0; j--) {
        r.coef[j] = inner;
        inner = dim_mul(g, inner, s.size[j]);
    }
    for (int j = 1; j < s.n; j++) {
        const Dim *by = dim_mul(g, inner, s.coef[j]);
        r.size[j] = s.size[j];
        r.coef[j] = dim_sub(g, r.coef[j], by);
        axis[j - 1] = s.axis + j;
    }
    r.size[0] = s.whole;
    r.coef[0] = inner;
    r.start = dim_mul(g, inner, dim_sub(g, hi, s.start));
    r.x = g_merge_axes(g, w, s.axis, s.n);
    r.x = g_strided(g, r.x, r.axis, r.start, r.n, r.size, r.coef);
    return g_reduce(g, OP_sum, r.x, s.n - 1, axis);
}

/* Where the steps are known at run time only: the places as integers. */
static Node *add_by_index(Graph *g, const Steps *s)
{
    Node *at = g_fill_like(g, &(Node){.rank = s->n, .dim = s->size},
                           g_dim(g, DT_i64, s->start));
    for (int j = 0; j < s->n; j++) {
        Node *i = g_iota(g, DT_i64, s->size[j]);
        Node *by = g_fill_like(g, i, g_dim(g, DT_i64, s->coef[j]));
        int map[MAX_RANK];
        for (int k = 0; k < s->n; k++)
            map[k] = k == j ? 0 : -1;
        i = g_broadcast(g, g2(g, OP_mul, i, by), s->n, s->size, map);
        at = g2(g, OP_add, at, i);
    }
    return g_scatter_add(g, s->x, at, s->axis, s->whole);
}

/* A product of two: axis i of x[k] is axis l[k][i] of the product, or is
 * summed.
 */
typedef struct Factors {
    Node *x[2];
    int l[2][MAX_RANK + 1];
} Factors;

/* Of a contract, or elementwise, of what is repeated; false: n is neither. */
static bool factors_of(const Node *n, Factors *f)
{
    const int *label = n->attr.ints;
    if (n->op != OP_contract && n->op != OP_mul)
        return false;
    for (int k = 0; k < 2; k++) {
        Node *x = f->x[k] = n->arg[k];
        if (n->op == OP_contract) {
            for (int i = 0; i < x->rank; i++)
                f->l[k][i] = *label++;
            continue;
        }
        bool repeats = node_repeats(x);
        for (int i = 0; i < x->rank; i++)
            if (!repeats)
                f->l[k][i] = i;
            else if (x->attr.ints[i] >= 0)
                f->l[k][x->attr.ints[i]] = i;
        f->x[k] = repeats ? x->arg[0] : x;
    }
    return true;
}

/* The factor that alone has this axis, and where there; -1: both have. */
static int factor_with(const Factors *f, int axis, int *at)
{
    int has = -1;
    for (int k = 0; k < 2; k++) {
        int i = find_label(axis, f->x[k]->rank, f->l[k]);
        if (i < 0)
            continue;
        if (has >= 0)
            return -1;
        has = k;
        *at = i;
    }
    return has;
}

/* Windows of x between zeros: element (o, i1) in the place of element i of an
 * axis is what adds to o by i1, as in add_by_reads. Zeros are put around below
 * a view that leaves the axis as it is. */
static Node *windows_along(Graph *g, Node *x, int axis, const Steps *s,
                           const Dim *lo, const Dim *hi)
{
    View v = view_whole(g, x);
    if (x->op == OP_view) {
        View w = view_of(x);
        if (view_goes_through(&w, axis, x->arg[0]->dim)) {
            v = w;
            x = x->arg[0];
        }
    }
    Steps below = *s;
    int k = below.axis = v.axis[axis];
    below.x = x;
    v.size[axis] = s->whole;
    v.base[k] = dim_sub(g, hi, s->start);
    view_insert(&v, axis + 1, k, s->size[1],
                dim_mul(g, s->coef[1], dim_const(g, -1)));
    return g_view(g, widen(g, &below, lo, hi), &v);
}

/* Of a product a[i, …] b[i1, …], as the gradient by what was convolved is: one
 * of windows of a, summed over i1 too. Zeros meet all of b: it is finite. */
static Node *add_product(Graph *g, const Steps *s, const Dim *lo, const Dim *hi)
{
    Factors f;
    int at = 0, other = 0, lout[MAX_RANK], rank = 0;
    if (s->n != 2 || !dim_is(s->coef[0], 1) || !factors_of(s->x, &f))
        return NULL;
    int a = factor_with(&f, s->axis, &at);
    int b = factor_with(&f, s->axis + 1, &other);
    if (b != 1 - a || !node_is_finite(f.x[b]))
        return NULL;
    for (int i = f.x[a]->rank; i > at + 1; i--)
        f.l[a][i] = f.l[a][i - 1];
    f.l[a][at + 1] = s->axis + 1;
    f.x[a] = windows_along(g, f.x[a], at, s, lo, hi);
    for (int i = 0; i < s->x->rank; i++)
        if (i != s->axis + 1)
            lout[rank++] = i;
    return g_contract(g, f.x[0], f.l[0], f.x[1], f.l[1], rank, lout);
}

/* With axis j as the first. */
static void put_first(Steps *s, int j)
{
    const Dim *size = s->size[j], *coef = s->coef[j];
    for (; j > 0; j--) {
        s->size[j] = s->size[j - 1];
        s->coef[j] = s->coef[j - 1];
    }
    s->size[0] = size;
    s->coef[0] = coef;
}

/* The first axis, which goes backwards, flipped. */
static void turn_first(Graph *g, Steps *s)
{
    const Dim *last = dim_sub(g, s->size[0], dim_const(g, 1));
    s->x = g_flip(g, s->x, s->axis);
    s->start = dim_add(g, s->start, dim_mul(g, last, s->coef[0]));
    s->coef[0] = dim_mul(g, s->coef[0], dim_const(g, -1));
}

/* A factor of a product is that of the sums. */
static Node *scaled_product(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    View v = view_of(n);
    for (int k = 0; x->op == OP_mul && k < 2; k++) {
        Node *s = scalar_of(x->arg[k]), *y = x->arg[1 - k];
        if (!s || y->op != OP_contract || !node_is_finite(s))
            continue;
        y = g_view_add(g, y, &v, n->dim);
        y = y->op == OP_view_add ? view_sum(g, y) : y;
        return g2(g, OP_mul, y, g_fill_like(g, y, s));
    }
    return NULL;
}

Node *view_sum(Graph *g, Node *n)
{
    const Dim *lo, *hi;
    int64_t step;
    Node *scaled = scaled_product(g, n);
    if (scaled)
        return scaled;
    Steps s = steps_of(n);
    int first = longest(&s);
    if (first < 0)
        return add_by_index(g, &s);
    s.x = g_move_axis(g, s.x, s.axis + first, s.axis);
    put_first(&s, first);
    if (dim_const_value(s.coef[0], &step) && step < 0)
        turn_first(g, &s);
    if (!span_of_others(g, &s, &lo, &hi))
        return add_by_index(g, &s);
    Node *y = add_product(g, &s, lo, hi);
    return y ? y : add_by_reads(g, s, lo, hi);
}

/* What n, windows, reads of a pad, with no more zeros around than are read. */
static Node *without_zeros(Graph *g, Node *n)
{
    if (n->op != OP_view || !node_pads(n->arg[0]))
        return n;
    Node *pad = n->arg[0], *x = pad->arg[0];
    const Dim *dim[MAX_RANK], *one = dim_const(g, 1), *lo, *hi;
    View v = view_of(n), w = view_of(pad);
    for (int k = 0; k < pad->rank; k++) {
        dim[k] = pad->dim[k];
        if (!view_range(g, &v, k, &lo, &hi))
            continue;
        const Dim *last = dim_sub(g, x->dim[k], one);
        last = dim_add(g, w.base[k], dim_mul(g, last, w.coef[k]));
        const Dim *size = dim_add(g, dim_sub(g, hi, lo), one);
        if (!dim_never_negative(dim_sub(g, w.base[k], lo)) ||
            !dim_never_negative(dim_sub(g, hi, last)) ||
            !dim_never_negative(size))
            continue;
        dim[k] = size;
        w.base[k] = dim_sub(g, w.base[k], lo);
        v.base[k] = dim_sub(g, v.base[k], lo);
    }
    return g_view(g, g_view_add(g, x, &w, dim), &v);
}

/* Of a multiple of such a product likewise. */
static Node *part_of_multiple(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    View v = view_of(n);
    for (int k = 0; k < 2; k++) {
        Node *s = scalar_of(x->arg[k]);
        if (!s || x->arg[1 - k]->op != OP_contract)
            continue;
        Node *y = part_of_windows(g, g_view(g, x->arg[1 - k], &v));
        return y ? g2(g, OP_mul, y, g_fill_like(g, y, s)) : NULL;
    }
    return NULL;
}

Node *part_of_windows(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    Factors f;
    if (!node_slices(n))
        return NULL;
    if (x->op == OP_mul)
        return part_of_multiple(g, n);
    if (x->op != OP_contract || !factors_of(x, &f))
        return NULL;
    View part = view_of(n), v[2];
    for (int k = 0; k < 2; k++)
        v[k] = view_whole(g, f.x[k]);
    int lout[MAX_RANK];
    for (int j = 0; j < n->rank; j++) {
        int at;
        lout[j] = j;
        if (view_goes_through(&part, j, x->dim))
            continue;
        int a = factor_with(&f, j, &at);
        if (a < 0 || f.x[a]->op != OP_view || !node_pads(f.x[a]->arg[0]))
            return NULL;
        v[a].size[at] = part.size[j];
        v[a].coef[at] = part.coef[j];
        v[a].base[at] = part.base[j];
    }
    for (int k = 0; k < 2; k++)
        f.x[k] = without_zeros(g, g_view(g, f.x[k], &v[k]));
    return g_contract(g, f.x[0], f.l[0], f.x[1], f.l[1], n->rank, lout);
}
