/* strided.c: one axis read by several, and the transpose of that.
 *
 * strided: b[…, i0, …, ik, …] = a[…, start + Σ i_j coef_j, …]. In the graph it
 * stands only for what slice, flip, broadcast and reshape cannot say: no axis
 * of size 1, none with coefficient 0, none whose coefficient is another's times
 * that one's size (those two are one axis, reshaped), and at least two axes or
 * a coefficient of run-time size. */
#include "graph/ops/ops.h"

#include <limits.h>

/* Both operators, read: axes size[j], coef[j] of the big side's `axis`. */
typedef struct Steps {
    Node *x;
    int axis, n;
    const Dim *start;
    const Dim *size[MAX_RANK], *coef[MAX_RANK];
    const Dim *whole; /* size of the axis that the others are read from */
} Steps;

static Steps steps_of_strided(const Node *n)
{
    Steps s = {.x = n->arg[0], .axis = (int)n->attr.integer};
    s.n = (n->attr.ndim - 1) / 2;
    s.start = n->attr.dims[0];
    for (int j = 0; j < s.n; j++) {
        s.size[j] = n->attr.dims[1 + j];
        s.coef[j] = n->attr.dims[1 + s.n + j];
    }
    s.whole = s.x->dim[s.axis];
    return s;
}

static Steps steps_of_add(const Node *n)
{
    Steps s = {.x = n->arg[0], .axis = (int)n->attr.integer};
    s.n = n->attr.ndim - 2;
    s.start = n->attr.dims[0];
    for (int j = 0; j < s.n; j++) {
        s.size[j] = s.x->dim[s.axis + j];
        s.coef[j] = n->attr.dims[1 + j];
    }
    s.whole = n->attr.dims[s.n + 1];
    return s;
}

static Node *read_steps(Graph *g, const Steps *s)
{
    return g_strided(g, s->x, s->axis, s->start, s->n, s->size, s->coef);
}

static Node *add_steps(Graph *g, const Steps *s)
{
    return g_strided_add(g, s->x, s->axis, s->start, s->n, s->coef, s->whole);
}

/* The dimensions of x with `count` axes from `axis` on replaced by n others. */
static int replace_axes(const Node *x, int axis, int count, int n,
                        const Dim *const *size, const Dim **dim)
{
    int rank = 0;
    for (int i = 0; i < axis; i++)
        dim[rank++] = x->dim[i];
    for (int j = 0; j < n; j++)
        dim[rank++] = size[j];
    for (int i = axis + count; i < x->rank; i++)
        dim[rank++] = x->dim[i];
    return rank;
}

static void removed_axes(Steps *s, int j)
{
    s->n--;
    for (; j < s->n; j++) {
        s->size[j] = s->size[j + 1];
        s->coef[j] = s->coef[j + 1];
    }
}

/* An axis along which every element is the same one, or -1. */
static int idle_axis(const Steps *s)
{
    for (int j = 0; j < s->n; j++)
        if (dim_is(s->size[j], 1) || dim_is(s->coef[j], 0))
            return j;
    return -1;
}

/* Axes i, j that are the digits of one: coef[i] = coef[j] size[j]. */
static bool digits(Graph *g, const Steps *s, int *i, int *j)
{
    for (*i = 0; *i < s->n; ++*i)
        for (*j = 0; *j < s->n; ++*j)
            if (s->coef[*i] == dim_mul(g, s->coef[*j], s->size[*j]))
                return true;
    return false;
}

static void invert(int rank, const int *perm, int *inverse)
{
    for (int i = 0; i < rank; i++)
        inverse[perm[i]] = i;
}

/* Axis j of s out of its place, to right after axis i; *at is where i is
 * then. */
static void pair_up(Steps *s, int i, int j, int *at)
{
    const Dim *size = s->size[j], *coef = s->coef[j];
    removed_axes(s, j);
    *at = i - (j < i);
    for (int k = s->n++; k > *at + 1; k--) {
        s->size[k] = s->size[k - 1];
        s->coef[k] = s->coef[k - 1];
    }
    s->size[*at + 1] = size;
    s->coef[*at + 1] = coef;
}

/* Axes at and at+1 of s, digits of one, as that one. */
static void join_pair(Graph *g, Steps *s, int at)
{
    s->size[at + 1] = dim_mul(g, s->size[at], s->size[at + 1]);
    removed_axes(s, at);
}

/* A constant step that fits slices; its sign apart. */
static bool plain_step(const Dim *coef, int *step, bool *down)
{
    int64_t c;
    if (!dim_const_value(coef, &c) || c == 0 || c > INT_MAX || c < -INT_MAX)
        return false;
    *down = c < 0;
    *step = (int)(c < 0 ? -c : c);
    return true;
}

/* The lowest element that one axis with a constant step names. */
static const Dim *lowest(Graph *g, const Steps *s, bool down)
{
    const Dim *last = dim_sub(g, s->size[0], dim_const(g, 1));
    const Dim *by = dim_mul(g, last, s->coef[0]);
    return down ? dim_add(g, s->start, by) : s->start;
}

/* strided */

static bool strided_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim **dim = infer_dims(g);
    int64_t axis = n->attr.integer;
    int count = (n->attr.ndim - 1) / 2;
    if (axis < 0 || axis >= x->rank || n->attr.ndim % 2 == 0 ||
        x->rank - 1 + count > MAX_RANK)
        return false;
    n->dtype = x->dtype;
    n->rank = replace_axes(x, (int)axis, 1, count, n->attr.dims + 1, dim);
    n->dim = dim;
    return true;
}

/* One element, without its axis. */
static Node *pick(Graph *g, const Steps *s)
{
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    for (int i = 0; i < s->x->rank; i++) {
        bool here = i == s->axis;
        start[i] = here ? s->start : dim_const(g, 0);
        size[i] = here ? dim_const(g, 1) : s->x->dim[i];
        step[i] = 1;
    }
    Node *y = g_slice(g, s->x, start, size, step);
    int rank = replace_axes(s->x, s->axis, 1, 0, NULL, size);
    return g_reshape(g, y, rank, size);
}

static Node *strided_slice(Graph *g, const Steps *s)
{
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    bool down;
    if (s->n != 1 || !plain_step(s->coef[0], &step[s->axis], &down))
        return NULL;
    for (int i = 0; i < s->x->rank; i++) {
        bool here = i == s->axis;
        start[i] = here ? lowest(g, s, down) : dim_const(g, 0);
        size[i] = here ? s->size[0] : s->x->dim[i];
        step[i] = here ? step[i] : 1;
    }
    Node *y = g_slice(g, s->x, start, size, step);
    return down ? g_flip(g, y, s->axis) : y;
}

/* An axis along which nothing changes is a broadcast's. */
static Node *strided_idle(Graph *g, const Node *n, Steps s)
{
    int j = idle_axis(&s), axis[MAX_RANK], at = 0;
    if (j < 0)
        return NULL;
    for (int i = 0; i < n->rank; i++)
        axis[i] = i == s.axis + j ? -1 : at++;
    removed_axes(&s, j);
    return g_broadcast(g, read_steps(g, &s), n->rank, n->dim, axis);
}

static Node *strided_digits(Graph *g, const Node *n, Steps s)
{
    int i, j, at, perm[MAX_RANK], back[MAX_RANK];
    const Dim *dim[MAX_RANK];
    if (!digits(g, &s, &i, &j))
        return NULL;
    pair_up(&s, i, j, &at);
    int rank = replace_axes(s.x, s.axis, 1, s.n, s.size, dim);
    join_pair(g, &s, at);
    Node *y = g_reshape(g, read_steps(g, &s), rank, dim);
    moved_axes(n->rank, s.axis + j, s.axis + at + 1, perm);
    invert(n->rank, perm, back);
    return g_permute(g, y, back);
}

/* Reads of an axis that is itself read with steps. */
static Node *strided_strided(Graph *g, const Steps *s)
{
    Steps in = steps_of_strided(s->x), r;
    int j = s->axis - in.axis;
    if (j < 0 || j >= in.n || in.n + s->n - 1 > MAX_RANK)
        return NULL;
    r = (Steps){.x = in.x, .axis = in.axis};
    r.start = dim_add(g, in.start, dim_mul(g, in.coef[j], s->start));
    for (int k = 0; k < in.n; k++) {
        for (int i = 0; k == j && i < s->n; i++) {
            r.size[r.n] = s->size[i];
            r.coef[r.n++] = dim_mul(g, in.coef[j], s->coef[i]);
        }
        if (k == j)
            continue;
        r.size[r.n] = in.size[k];
        r.coef[r.n++] = in.coef[k];
    }
    return read_steps(g, &r);
}

/* Reads of a range are reads of the whole axis. */
static Node *strided_of_slice(Graph *g, Steps s)
{
    const Node *x = s.x;
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    bool others = false;
    const Dim *by = dim_const(g, x->attr.ints[s.axis]);
    s.start = dim_add(g, x->attr.dims[s.axis], dim_mul(g, s.start, by));
    for (int j = 0; j < s.n; j++)
        s.coef[j] = dim_mul(g, s.coef[j], by);
    for (int i = 0; i < x->rank; i++) {
        bool here = i == s.axis;
        start[i] = here ? dim_const(g, 0) : x->attr.dims[i];
        size[i] = here ? x->arg[0]->dim[i] : x->dim[i];
        step[i] = here ? 1 : x->attr.ints[i];
        others = others || !here;
    }
    s.x = others ? g_slice(g, x->arg[0], start, size, step) : x->arg[0];
    return read_steps(g, &s);
}

static Node *strided_of_flip(Graph *g, Steps s)
{
    const Node *x = s.x;
    int axis = (int)x->attr.integer;
    const Dim *minus = dim_const(g, -1);
    s.x = x->arg[0];
    if (axis != s.axis) {
        Node *y = read_steps(g, &s);
        return g_flip(g, y, axis < s.axis ? axis : axis + s.n - 1);
    }
    s.start = dim_sub(g, dim_add(g, x->dim[axis], minus), s.start);
    for (int j = 0; j < s.n; j++)
        s.coef[j] = dim_mul(g, s.coef[j], minus);
    return read_steps(g, &s);
}

static Node *strided_of_broadcast(Graph *g, const Node *n, Steps s)
{
    const Node *b = s.x;
    int k = b->attr.ints[s.axis], axis[MAX_RANK];
    for (int i = 0; i < n->rank; i++) {
        int j = i - s.axis;
        int old = i < s.axis ? i : j < s.n ? s.axis : i - s.n + 1;
        axis[i] = b->attr.ints[old];
        if (k >= 0 && old == s.axis)
            axis[i] = k + j;
        else if (k >= 0 && axis[i] > k)
            axis[i] += s.n - 1;
    }
    s.x = b->arg[0];
    s.axis = k;
    Node *y = k < 0 ? s.x : read_steps(g, &s);
    return g_broadcast(g, y, n->rank, n->dim, axis);
}

static Node *strided_of_permute(Graph *g, const Node *n, Steps s)
{
    const Node *p = s.x;
    int k = p->attr.ints[s.axis], perm[MAX_RANK];
    for (int i = 0; i < n->rank; i++) {
        int j = i - s.axis;
        int old = i < s.axis ? i : j < s.n ? s.axis : i - s.n + 1;
        int from = p->attr.ints[old];
        if (old == s.axis)
            perm[i] = k + j;
        else
            perm[i] = from > k ? from + s.n - 1 : from;
    }
    s.x = p->arg[0];
    s.axis = k;
    return g_permute(g, read_steps(g, &s), perm);
}

/* Without axes the element alone; digits of one axis joined; views below are
 * passed. */
static Node *strided_identity(Graph *g, const Node *n)
{
    Steps s = steps_of_strided(n);
    if (s.n == 1 && dim_is(s.size[0], 1))
        s.coef[0] = s.size[0];
    Node *y = s.n ? strided_slice(g, &s) : pick(g, &s);
    if (!y)
        y = strided_idle(g, n, s);
    if (!y)
        y = strided_digits(g, n, s);
    if (y)
        return y;
    switch (s.x->op) {
    case OP_strided:
        return strided_strided(g, &s);
    case OP_slice:
        return strided_of_slice(g, s);
    case OP_flip:
        return strided_of_flip(g, s);
    case OP_broadcast:
        return strided_of_broadcast(g, n, s);
    case OP_permute:
        return strided_of_permute(g, n, s);
    }
    return NULL;
}

/* For each element of the side with the steps: its number, and that of the
 * element of the other side, or -1 with the fault reported. */
static void each_step(EvalTensor *e, const Steps *s, const int64_t *size,
                      int rank, const int64_t *whole, double *out,
                      const double *in, bool add)
{
    int64_t at[MAX_RANK], from[MAX_RANK], coef[MAX_RANK];
    int64_t start = e->dim(e, s->start), count = eval_elements(rank, size);
    for (int j = 0; j < s->n; j++)
        coef[j] = e->dim(e, s->coef[j]);
    for (int64_t i = 0; i < count; i++) {
        eval_unravel(i, rank, size, at);
        int64_t k = start;
        for (int j = 0; j < s->n; j++)
            k += coef[j] * at[s->axis + j];
        for (int a = 0; a < s->axis; a++)
            from[a] = at[a];
        from[s->axis] = k;
        for (int a = s->axis + s->n; a < rank; a++)
            from[a - s->n + 1] = at[a];
        bool inside = k >= 0 && k < whole[s->axis];
        int64_t there = inside ? eval_ravel(rank - s->n + 1, whole, from) : -1;
        if (!inside)
            e->bad_index(e, k, whole[s->axis]);
        if (!add)
            out[i] = inside ? in[there] : 0;
        else if (inside)
            out[there] = eval_joined(e, OP_add, s->x->dtype, out[there], in[i]);
    }
}

static void strided_eval(EvalTensor *e, const Node *n)
{
    Steps s = steps_of_strided(n);
    each_step(e, &s, e->out_size, n->rank, e->in_size[0], e->out, e->in[0],
              false);
}

static void strided_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Steps s = steps_of_strided(n);
    s.x = dy;
    dx[0] = add_steps(g, &s);
}

static void print_steps(const Steps *s, Str *to)
{
    str_printf(to, ", axis = %d, ", s->axis);
    dim_print(s->start, to);
    str_printf(to, ", ");
    print_dims(s->n, s->size, to);
    str_printf(to, ", ");
    print_dims(s->n, s->coef, to);
}

static int strided_form(const Node *n, bool tex, Str *to)
{
    Steps s = steps_of_strided(n);
    str_printf(to, tex ? "\\mathrm{strided}($=0" : "strided($=0");
    print_steps(&s, to);
    str_printf(to, ")");
    return PREC_atom;
}

static Node *strided_batch(Graph *g, const Node *n, const Dim *b,
                           Node *const *x, const bool *lead)
{
    Steps s = steps_of_strided(n);
    (void)b;
    (void)lead;
    s.x = x[0];
    s.axis++;
    return read_steps(g, &s);
}

const Op op_strided = {
    .name = "strided",
    .cls = OPC_view,
    .arity = 1,
    .doc = "one axis read by several, each with a step of its own",
    .infer = strided_infer,
    .identity = strided_identity,
    .eval_tensor = strided_eval,
    .vjp = strided_vjp,
    .jvp = jvp_linear,
    .form = strided_form,
    .batch = strided_batch,
};

Node *g_strided(Graph *g, Node *a, int axis, const Dim *start, int n,
                const Dim *const *size, const Dim *const *coef)
{
    const Dim *dims[2 * MAX_RANK + 1] = {start};
    for (int j = 0; j < n; j++) {
        dims[1 + j] = size[j];
        dims[1 + n + j] = coef[j];
    }
    Attr attr = {.integer = axis, .dims = dims, .ndim = 2 * n + 1};
    return graph_make(g, OP_strided, a->dtype, 1, &a, &attr);
}

/* strided_add */

static bool add_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim **dim = infer_dims(g);
    int64_t axis = n->attr.integer;
    int count = n->attr.ndim - 2;
    if (axis < 0 || count < 0 || axis + count > x->rank ||
        x->rank - count + 1 > MAX_RANK || !(ON_number >> x->dtype & 1))
        return false;
    n->dtype = x->dtype;
    n->rank =
        replace_axes(x, (int)axis, count, 1, n->attr.dims + 1 + count, dim);
    n->dim = dim;
    return true;
}

/* Along one axis, elements between zeros. */
static Node *add_pad(Graph *g, const Node *n, const Steps *s)
{
    const Dim *lo[MAX_RANK];
    int step[MAX_RANK];
    bool down;
    if (s->n != 1 || !plain_step(s->coef[0], &step[s->axis], &down))
        return NULL;
    for (int i = 0; i < n->rank; i++) {
        lo[i] = i == s->axis ? lowest(g, s, down) : dim_const(g, 0);
        step[i] = i == s->axis ? step[i] : 1;
    }
    Node *x = down ? g_flip(g, s->x, s->axis) : s->x;
    return g_pad(g, x, lo, n->dim, step);
}

/* Axes along which all goes to one place are summed; without any, one element
 * stands there. */
static Node *add_idle(Graph *g, Steps s)
{
    int j = idle_axis(&s), axis = s.axis + j, map[MAX_RANK];
    const Dim *dim[MAX_RANK];
    if (j >= 0) {
        s.x = g_reduce(g, OP_sum, s.x, 1, &axis);
        removed_axes(&s, j);
        return add_steps(g, &s);
    }
    if (s.n)
        return NULL;
    s.coef[0] = s.size[0] = dim_const(g, 1);
    int rank = replace_axes(s.x, s.axis, 0, 1, s.size, dim);
    for (int i = 0; i < rank; i++)
        map[i] = i == s.axis ? -1 : i - (i > s.axis);
    s.x = g_broadcast(g, s.x, rank, dim, map);
    s.n = 1;
    return add_steps(g, &s);
}

static Node *add_digits(Graph *g, Steps s)
{
    int i, j, at, perm[MAX_RANK];
    const Dim *dim[MAX_RANK];
    if (!digits(g, &s, &i, &j))
        return NULL;
    int old = s.axis + j;
    pair_up(&s, i, j, &at);
    moved_axes(s.x->rank, old, s.axis + at + 1, perm);
    Node *x = g_permute(g, s.x, perm);
    int count = s.n;
    join_pair(g, &s, at);
    int rank = replace_axes(x, s.axis, count, s.n, s.size, dim);
    s.x = g_reshape(g, x, rank, dim);
    return add_steps(g, &s);
}

static Node *add_identity(Graph *g, const Node *n)
{
    Steps s = steps_of_add(n);
    if (node_is_const(s.x, 0))
        return g_fill(g, n, 0);
    Node *y = add_pad(g, n, &s);
    if (!y)
        y = add_idle(g, s);
    return y ? y : add_digits(g, s);
}

static void add_eval(EvalTensor *e, const Node *n)
{
    Steps s = steps_of_add(n);
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = 0;
    each_step(e, &s, e->in_size[0], n->arg[0]->rank, e->out_size, e->out,
              e->in[0], true);
}

static void add_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Steps s = steps_of_add(n);
    s.x = dy;
    dx[0] = read_steps(g, &s);
}

/* The axis whose places are computed from the others': the largest, so that
 * the sum over the others is short. */
static int longest(const Steps *s)
{
    int best = -1;
    int64_t most = -1;
    for (int j = 0; j < s->n; j++) {
        int64_t size;
        int step;
        bool down;
        if (!plain_step(s->coef[j], &step, &down))
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
static Node *widen(Graph *g, const Steps *s, const Dim *lo, const Dim *hi,
                   int step)
{
    const Dim *first[MAX_RANK], *dim[MAX_RANK];
    int steps[MAX_RANK];
    for (int i = 0; i < s->x->rank; i++) {
        bool here = i == s->axis;
        first[i] = here ? hi : dim_const(g, 0);
        dim[i] = here ? dim_add(g, s->whole, dim_sub(g, hi, lo)) : s->x->dim[i];
        steps[i] = here ? step : 1;
    }
    return g_pad(g, s->x, first, dim, steps);
}

/* With p = start + Σ_{j>0} i_j coef_j for the other axes,
 *
 *     out[o] = Σ_i w[o + hi - p, i1, …],  w as above:
 *
 * over the flattened axes of w these are reads with steps again. */
static Node *add_by_reads(Graph *g, Steps s, const Dim *lo, const Dim *hi,
                          int step)
{
    const Dim *dim[MAX_RANK], *inner = dim_const(g, 1);
    int axis[MAX_RANK];
    Steps r = {.axis = s.axis, .n = s.n};
    Node *w = widen(g, &s, lo, hi, step);
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
    const Dim *flat = dim_mul(g, w->dim[s.axis], inner);
    int rank = replace_axes(w, s.axis, s.n, 1, &flat, dim);
    r.x = g_reshape(g, w, rank, dim);
    return g_reduce(g, OP_sum, read_steps(g, &r), s.n - 1, axis);
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

static Node *add_expand(Graph *g, Node *n)
{
    Steps s = steps_of_add(n);
    const Dim *lo, *hi;
    int first = longest(&s), step, perm[MAX_RANK];
    bool down;
    if (first < 0 || !plain_step(s.coef[first], &step, &down))
        return add_by_index(g, &s);
    const Dim *size = s.size[first], *coef = s.coef[first];
    removed_axes(&s, first);
    for (int j = s.n++; j > 0; j--) {
        s.size[j] = s.size[j - 1];
        s.coef[j] = s.coef[j - 1];
    }
    s.size[0] = size;
    s.coef[0] = coef;
    moved_axes(s.x->rank, s.axis + first, s.axis, perm);
    s.x = g_permute(g, s.x, perm);
    if (down) {
        s.x = g_flip(g, s.x, s.axis);
        s.start = lowest(g, &s, true);
        s.coef[0] = dim_const(g, step);
    }
    if (!span_of_others(g, &s, &lo, &hi))
        return add_by_index(g, &s);
    return add_by_reads(g, s, lo, hi, step);
}

static int add_form(const Node *n, bool tex, Str *to)
{
    Steps s = steps_of_add(n);
    str_printf(to, tex ? "\\mathrm{strided\\_add}($=0" : "strided_add($=0");
    print_steps(&s, to);
    str_printf(to, ", ");
    dim_print(s.whole, to);
    str_printf(to, ")");
    return PREC_atom;
}

static Node *add_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                       const bool *lead)
{
    Steps s = steps_of_add(n);
    (void)b;
    (void)lead;
    s.x = x[0];
    s.axis++;
    return add_steps(g, &s);
}

const Op op_strided_add = {
    .name = "strided_add",
    .cls = OPC_view,
    .arity = 1,
    .doc = "several axes added up into one, each with a step of its own",
    .infer = add_infer,
    .identity = add_identity,
    .eval_tensor = add_eval,
    .vjp = add_vjp,
    .jvp = jvp_linear,
    .expand = add_expand,
    .form = add_form,
    .batch = add_batch,
};

Node *g_strided_add(Graph *g, Node *a, int axis, const Dim *start, int n,
                    const Dim *const *coef, const Dim *m)
{
    const Dim *dims[MAX_RANK + 2] = {start};
    for (int j = 0; j < n; j++)
        dims[1 + j] = coef[j];
    dims[n + 1] = m;
    Attr attr = {.integer = axis, .dims = dims, .ndim = n + 2};
    return graph_make(g, OP_strided_add, a->dtype, 1, &a, &attr);
}
