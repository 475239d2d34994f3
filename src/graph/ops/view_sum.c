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

Node *view_sum(Graph *g, Node *n)
{
    const Dim *lo, *hi;
    int64_t step;
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
    return add_by_reads(g, s, lo, hi);
}
