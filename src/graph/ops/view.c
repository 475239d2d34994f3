/* view.c: reads by an affine map of the index, see graph/view.h.
 *
 * In the graph a view is one of two kinds: it repeats its argument along new
 * axes (node_repeats), or each of its axes moves along one of the argument's
 * and each of those has one that moves along it. What does both is two nodes,
 * the first around the second: repetition floats up through what is computed,
 * selection sinks to what is stored. Of either kind there is no view of a view,
 * and no two axes that are the digits of one number, which a reshape says. */
#include "graph/ops/ops.h"

#include <string.h>

static Attr attr_of(const View *v, int rank, const Dim *const *dim,
                    const Dim **dims)
{
    Attr a = {.ints = v->axis, .nint = v->rank, .dims = dims};
    for (int i = 0; i < rank; i++)
        dims[a.ndim++] = dim[i];
    for (int j = 0; j < v->rank; j++)
        dims[a.ndim++] = v->coef[j];
    for (int k = 0; k < v->from; k++)
        dims[a.ndim++] = v->base[k];
    return a;
}

static bool view_infer(Graph *g, Node *n)
{
    (void)g;
    const Node *x = n->arg[0];
    const Attr *a = &n->attr;
    unsigned moved = 0;
    if (a->ndim != 2 * a->nint + x->rank)
        return false;
    n->dtype = x->dtype;
    n->rank = a->nint;
    n->dim = a->dims;
    for (int j = 0; j < n->rank; j++) {
        if (a->ints[j] < -1 || a->ints[j] >= x->rank)
            return false;
        moved |= 1u << (a->ints[j] + 1);
    }
    if (moved & 1) {
        View v = view_of(n);
        return view_only_repeats(&v, x->dim);
    }
    return moved == (1u << (x->rank + 1)) - 2;
}

static Node *make_view(Graph *g, Node *a, const View *v)
{
    const Dim *dims[3 * MAX_RANK + 3];
    Attr attr = attr_of(v, v->rank, v->size, dims);
    return graph_make(g, OP_view, a->dtype, 1, &a, &attr);
}

/* An axis of the argument at one place, or -1. */
static int fixed_axis(const View *v)
{
    for (int k = 0; k < v->from; k++)
        if (view_movers(v, k) == 0)
            return k;
    return -1;
}

/* v with an axis of one element for axis k, which has none; where. */
static int move_along(Graph *g, View *v, int k)
{
    int j = 0;
    while (j < v->rank && v->axis[j] < k)
        j++;
    view_insert(v, j, k, dim_const(g, 1), dim_const(g, 1));
    return j;
}

/* v, whose axes do not all move, as the repetition of a selection. */
static Node *repeated(Graph *g, Node *a, const View *v)
{
    View outer = *v, inner = *v;
    for (int j = v->rank - 1; j >= 0; j--)
        if (v->axis[j] < 0)
            view_remove(&inner, j);
    a = g_view(g, a, &inner);
    outer.from = a->rank;
    for (int j = 0, next = 0; j < v->rank; j++) {
        outer.axis[j] = v->axis[j] < 0 ? -1 : next++;
        outer.coef[j] = dim_const(g, v->axis[j] >= 0);
    }
    for (int k = 0; k < a->rank; k++)
        outer.base[k] = dim_const(g, 0);
    return make_view(g, a, &outer);
}

Node *g_view(Graph *g, Node *a, const View *v)
{
    if (!graph_is_plain(g) && view_is_whole(v, a->dim))
        return a;
    bool repeats = view_movers(v, -1) > 0;
    if (repeats && !view_only_repeats(v, a->dim))
        return repeated(g, a, v);
    int k = repeats ? -1 : fixed_axis(v);
    if (k < 0)
        return make_view(g, a, v);
    View w = *v;
    move_along(g, &w, k);
    return g_reshape(g, g_view(g, a, &w), v->rank, v->size);
}

/* Identities. */

static Node *of_view(Graph *g, const Node *x, const View *v)
{
    View inner = view_of(x), w = view_compose(g, v, &inner);
    return view_too_large(&w) ? NULL : g_view(g, x->arg[0], &w);
}

/* Axes that are the digits of one: a reshape of that. */
static Node *joined(Graph *g, Node *x, const View *v)
{
    const Dim *dim[MAX_RANK];
    View w = *v;
    int i, j;
    if (!view_digits(g, v, &i, &j))
        return NULL;
    int at = view_join(g, &w, i, j), rank = 0;
    for (int k = 0; k < w.rank; k++) {
        dim[rank++] = k == at ? v->size[i] : w.size[k];
        if (k == at)
            dim[rank++] = v->size[j];
    }
    x = g_reshape(g, g_view(g, x, &w), rank, dim);
    return g_move_axis(g, x, at + 1, j);
}

/* What is all in one part. */
static Node *of_concat(Graph *g, const Node *c, const View *v)
{
    View w = *v;
    int axis = (int)c->attr.integer;
    const Dim *lo, *hi, *one = dim_const(g, 1);
    if (!view_range(g, v, axis, &lo, &hi))
        return NULL;
    for (int k = 0; k < c->narg && dim_never_negative(lo); k++) {
        const Dim *size = c->arg[k]->dim[axis];
        if (dim_never_negative(dim_sub(g, dim_sub(g, size, hi), one)))
            return g_view(g, c->arg[k], &w);
        lo = dim_sub(g, lo, size);
        hi = dim_sub(g, hi, size);
        w.base[axis] = dim_sub(g, w.base[axis], size);
    }
    return NULL;
}

/* Of a constant selection, which is small: less of it. */
static Node *of_gather(Graph *g, const Node *n, const View *v)
{
    Node *a = n->arg[0], *index = n->arg[1];
    int axis = (int)n->attr.integer, more = index->rank - 1;
    View va = view_whole(g, a), vi = view_whole(g, index);
    if (index->op != OP_data || v->rank != v->from)
        return NULL;
    for (int j = 0; j < v->rank; j++) {
        bool in_index = j >= axis && j <= axis + more;
        View *to = in_index ? &vi : &va;
        int i = in_index ? j - axis : j < axis ? j : j - more;
        to->size[i] = v->size[j];
        to->coef[i] = v->coef[j];
        to->base[i] = v->base[j];
    }
    a = g_view(g, a, &va);
    return g_gather_inside(g, a, g_view(g, index, &vi), axis);
}

/* What was put between zeros. */
static Node *of_add(const Node *n, const View *v)
{
    View w = view_of(n);
    return node_pads(n) && view_equal(v, &w) ? n->arg[0] : NULL;
}

/* The axes of a product are the result's in any order. */
static Node *of_contract(Graph *g, const Node *n)
{
    const Node *c = n->arg[0];
    const int *la = c->attr.ints;
    if (!node_permutes(n))
        return NULL;
    return g_contract(g, c->arg[0], la, c->arg[1], la + c->arg[0]->rank,
                      n->rank, n->attr.ints);
}

/* The selection alone, without the order of the axes. */
static Node *of_others(Graph *g, const Node *n, const View *v)
{
    Node *x = n->arg[0], *y = NULL;
    int perm[MAX_RANK];
    View s;
    bool ordered = !view_sort(v, &s, perm);
    if (x->op == OP_contract)
        return of_contract(g, n);
    if (view_is_whole(&s, x->dim))
        return NULL;
    if (x->op == OP_concat)
        y = of_concat(g, x, &s);
    else if (x->op == OP_gather)
        y = of_gather(g, x, &s);
    else if (x->op == OP_argsort)
        y = sort_first(g, x, &s);
    else if (x->op == OP_view_add)
        y = of_add(x, &s);
    return y && !ordered ? g_permute(g, y, perm) : y;
}

static Node *view_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0], *y = NULL;
    if (node_repeats(n) && !node_repeats(x))
        return NULL;
    View v = view_of(n);
    if (node_repeats(n))
        return of_view(g, x, &v);
    if (view_is_whole(&v, x->dim))
        return x;
    if (x->op == OP_view)
        y = of_view(g, x, &v);
    if (!y && node_permutes(n))
        y = permute_symmetric(n);
    if (!y && view_tidy(g, &v))
        return g_view(g, x, &v);
    if (!y)
        y = joined(g, x, &v);
    if (!y)
        y = view_diagonal(g, n);
    if (!y)
        y = view_of_bands(g, n);
    if (!y)
        y = permute_of_bands(g, n);
    return y ? y : of_others(g, n, &v);
}

static Node *view_expand(Graph *g, Node *n) { return part_of_windows(g, n); }

static void view_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    View v = view_of(n);
    dx[0] = g_view_add(g, dy, &v, n->arg[0]->dim);
}

static Node *view_batched(Graph *g, const Node *n, const Dim *b, Node *const *x,
                          const bool *lead)
{
    View v = view_of(n), w = view_batch(g, &v, b);
    (void)lead;
    return g_view(g, x[0], &w);
}

/* The language aligns trailing axes by itself; others get axes of size 1. */
static int repeat_form(const Node *n, Str *to)
{
    int first = 0, missing = 0;
    while (first < n->rank && n->attr.ints[first] < 0)
        first++;
    for (int i = first; i < n->rank; i++)
        missing += n->attr.ints[i] < 0;
    if (missing == 0) {
        str_printf(to, "$0");
        return PREC_same;
    }
    str_printf(to, "reshape($=0, [");
    for (int i = first; i < n->rank; i++) {
        str_printf(to, i > first ? ", " : "");
        if (n->attr.ints[i] < 0)
            str_printf(to, "1");
        else
            dim_print(n->dim[i], to);
    }
    str_printf(to, "])");
    return PREC_atom;
}

static int permute_form(const Node *n, Str *to)
{
    bool prime = n->rank >= 2;
    for (int i = 0; i < n->rank; i++) {
        int k = i < n->rank - 2 ? i : 2 * n->rank - 3 - i;
        prime = prime && n->attr.ints[i] == k;
    }
    if (prime) {
        str_printf(to, "$0'");
        return PREC_postfix;
    }
    str_printf(to, "transpose($=0");
    for (int i = 0; i < n->rank; i++)
        str_printf(to, ", %d", n->attr.ints[i]);
    str_printf(to, ")");
    return PREC_atom;
}

/* start:end:step of one axis, without what the language adds by itself. */
static void print_range(const Dim *start, const Dim *size, const Dim *whole,
                        int64_t step, Str *to)
{
    int64_t lo, count, all;
    bool known = dim_const_value(start, &lo) && dim_const_value(size, &count);
    if (!dim_is(start, 0))
        dim_print(start, to);
    str_printf(to, ":");
    if (known) {
        int64_t end = lo + (count - 1) * step + 1;
        if (!dim_const_value(whole, &all) || all != end)
            str_printf(to, "%lld", (long long)end);
    } else if (!dim_is(start, 0) || size != whole || step > 1) {
        if (!dim_is(start, 0)) {
            dim_print(start, to);
            str_printf(to, " + ");
        }
        if (step > 1)
            str_printf(to, "%lld*", (long long)step);
        str_printf(to, step > 1 ? "(" : "");
        dim_print(size, to);
        str_printf(to, step > 1 ? ")" : "");
    }
    if (step > 1)
        str_printf(to, ":%lld", (long long)step);
}

static int slice_form(const Node *n, const View *v, Str *to)
{
    str_printf(to, "$0[");
    for (int i = 0; i < n->rank; i++) {
        int64_t step = 1;
        dim_const_value(v->coef[i], &step);
        str_printf(to, i ? ", " : "");
        print_range(v->base[i], v->size[i], n->arg[0]->dim[i], step, to);
    }
    str_printf(to, "]");
    return PREC_postfix;
}

/* The one axis that goes backwards, which is all of it, or -1. */
static int flipped_axis(const View *v, const Dim *const *dim)
{
    int axis = -1;
    if (v->rank != v->from)
        return -1;
    for (int j = 0; j < v->rank; j++) {
        bool back = axis < 0 && dim_is(v->coef[j], -1) && v->size[j] == dim[j];
        if (v->axis[j] != j || (!back && !view_goes_through(v, j, dim)))
            return -1;
        axis = back ? j : axis;
    }
    return axis;
}

/* The nicest word for it. */
static int view_form(const Node *n, Str *to)
{
    View v = view_of(n);
    int axis;
    if (node_repeats(n))
        return repeat_form(n, to);
    if (node_permutes(n))
        return permute_form(n, to);
    if (view_is_slice(&v))
        return slice_form(n, &v, to);
    axis = flipped_axis(&v, n->arg[0]->dim);
    if (axis >= 0) {
        str_printf(to, "flip($=0, %d)", axis);
        return PREC_atom;
    }
    str_printf(to, "view($=0, ");
    view_print(&v, to);
    str_printf(to, ")");
    return PREC_atom;
}

const Op op_view = {
    .name = "view",
    .cls = OPC_view,
    .arity = 1,
    .doc = "the elements at an affine function of the index",
    .infer = view_infer,
    .identity = view_identity,
    .eval_tensor = eval_view,
    .vjp = view_vjp,
    .jvp = jvp_linear,
    .expand = view_expand,
    .form = view_form,
    .batch = view_batched,
};

/* view_add */

static bool add_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Attr *a = &n->attr;
    (void)g;
    n->dtype = x->dtype;
    n->rank = (a->ndim - a->nint) / 2;
    n->dim = a->dims;
    if (a->nint != x->rank || a->ndim != a->nint + 2 * n->rank)
        return false;
    for (int j = 0; j < x->rank; j++)
        if (a->ints[j] < 0 || a->ints[j] >= n->rank)
            return false;
    View v = view_of(n);
    for (int k = 0; k < v.from; k++)
        if (view_movers(&v, k) == 0)
            return false;
    return view_is_slice(&v) || ON_number >> x->dtype & 1;
}

Node *g_view_add(Graph *g, Node *a, const View *v, const Dim *const *dim)
{
    const Dim *dims[3 * MAX_RANK + 3], *size[MAX_RANK];
    View w = *v;
    int gone[MAX_RANK], n = 0, k, map[MAX_RANK];
    for (int j = 0; j < v->rank; j++)
        if (v->axis[j] < 0)
            gone[n++] = j;
    for (int i = n - 1; i >= 0; i--)
        view_remove(&w, gone[i]);
    a = n ? g_reduce(g, OP_sum, a, n, gone) : a;
    while ((k = fixed_axis(&w)) >= 0) {
        int at = move_along(g, &w, k);
        for (int j = 0; j < w.rank; j++) {
            map[j] = j == at ? -1 : j - (j > at);
            size[j] = w.size[j];
        }
        a = g_broadcast(g, a, w.rank, size, map);
    }
    Attr attr = attr_of(&w, w.from, dim, dims);
    return graph_make(g, OP_view_add, a->dtype, 1, &a, &attr);
}

/* Axes in the order of what they move along. */
static Node *add_sorted(Graph *g, Node *x, const View *v, const Dim *const *dim)
{
    int perm[MAX_RANK], inverse[MAX_RANK];
    View s;
    if (!view_sort(v, &s, perm))
        return NULL;
    for (int j = 0; j < v->rank; j++)
        inverse[perm[j]] = j;
    return g_view_add(g, g_permute(g, x, inverse), &s, dim);
}

/* An axis that alone moves backwards goes forwards, flipped before. */
static Node *add_forwards(Graph *g, Node *x, const View *v,
                          const Dim *const *dim)
{
    View w = *v;
    const Dim *hi, *minus = dim_const(g, -1);
    int64_t step;
    for (int j = 0; j < v->rank; j++) {
        int k = v->axis[j];
        if (view_movers(v, k) != 1 || !dim_const_value(v->coef[j], &step) ||
            step >= 0 || step == INT64_MIN)
            continue;
        view_range(g, v, k, &w.base[k], &hi);
        w.coef[j] = dim_mul(g, v->coef[j], minus);
        return g_view_add(g, g_flip(g, x, j), &w, dim);
    }
    return NULL;
}

static Node *add_joined(Graph *g, Node *x, const View *v, const Dim *const *dim)
{
    View w = *v;
    int i, j;
    if (!view_digits(g, v, &i, &j))
        return NULL;
    int at = view_join(g, &w, i, j);
    x = g_reshape(g, g_move_axis(g, x, j, at + 1), w.rank, w.size);
    return g_view_add(g, x, &w, dim);
}

/* Does axis j move along one axis alone, in constant steps. */
static bool is_plain(const View *v, int j)
{
    int64_t step;
    return view_movers(v, v->axis[j]) == 1 &&
           dim_const_value(v->coef[j], &step);
}

/* Axes lo … hi of v, which move along one, as one axis of size `dim` that goes
 * through it. */
static View with_sum(Graph *g, View v, int lo, int hi, const Dim *dim)
{
    int k = v.axis[lo];
    for (int j = hi; j >= lo; j--)
        view_remove(&v, j);
    view_insert(&v, lo, k, dim, dim_const(g, 1));
    v.base[k] = dim_const(g, 0);
    return v;
}

/* The part of v that with_sum left out. */
static View sum_alone(Graph *g, const View *v, int lo, int hi)
{
    View w = *v;
    for (int j = 0; j < v->rank; j++) {
        bool in = j >= lo && j <= hi;
        w.axis[j] = j < lo ? j : in ? lo : j - (hi - lo);
        w.coef[j] = in ? v->coef[j] : dim_const(g, 1);
    }
    w.from = v->rank - (hi - lo);
    for (int k = 0; k < w.from; k++)
        w.base[k] = k == lo ? v->base[v->axis[lo]] : dim_const(g, 0);
    return w;
}

/* Sums along one axis each, the last first; zeros are put around after them. */
static Node *add_apart(Graph *g, Node *x, const View *v, const Dim *const *dim)
{
    int hi = v->rank - 1;
    while (hi >= 0 && is_plain(v, hi))
        hi--;
    if (hi < 0)
        return NULL;
    int k = v->axis[hi], lo = hi + 1 - view_movers(v, k);
    View rest = with_sum(g, *v, lo, hi, dim[k]);
    if (view_is_whole(&rest, dim))
        return NULL;
    View sum = sum_alone(g, v, lo, hi);
    return g_view_add(g, g_view_add(g, x, &sum, rest.size), &rest, dim);
}

/* Zeros around zeros; along other axes than a selection of what has zeros
 * around itself they are added first, so that there is one such node. */
static Node *pad_others(Graph *g, const Node *n, const View *v)
{
    Node *x = n->arg[0], *a = x->op == OP_view ? x->arg[0] : x;
    if (!node_pads(a))
        return NULL;
    View w = *v, s;
    if (a == x) {
        s = view_of(a);
        w = view_compose(g, &s, v);
        return view_too_large(&w) ? NULL : g_view_add(g, a->arg[0], &w, n->dim);
    }
    s = view_of(x);
    if (!view_is_slice(&s))
        return NULL;
    const Dim *dim[MAX_RANK];
    for (int j = 0; j < n->rank; j++) {
        bool mine = !view_goes_through(v, j, n->dim);
        if (mine && !view_goes_through(&s, j, a->dim))
            return NULL;
        w.size[j] = a->dim[j];
        s.size[j] = n->dim[j];
        dim[j] = mine ? n->dim[j] : a->dim[j];
    }
    return g_view(g, g_view_add(g, a, &w, dim), &s);
}

/* The same by other operators around a simpler view_add: what is left puts
 * zeros around, or adds up along one axis. */
static Node *add_simpler(Graph *g, Node *x, View v, const Dim *const *dim)
{
    if (view_is_whole(&v, dim))
        return x;
    if (view_tidy(g, &v))
        return g_view_add(g, x, &v, dim);
    Node *y = add_sorted(g, x, &v, dim);
    if (!y)
        y = add_forwards(g, x, &v, dim);
    if (!y)
        y = add_joined(g, x, &v, dim);
    return y ? y : add_apart(g, x, &v, dim);
}

static Node *add_identity(Graph *g, const Node *n)
{
    View v = view_of(n);
    if (node_is_const(n->arg[0], 0))
        return g_fill(g, n, 0);
    Node *y = add_simpler(g, n->arg[0], v, n->dim);
    if (!y)
        y = pad_of_bands(g, n);
    return !y && view_is_slice(&v) ? pad_others(g, n, &v) : y;
}

/* There are kernels for what puts zeros around. */
static Node *add_expand(Graph *g, Node *n)
{
    if (node_pads(n))
        return NULL;
    Node *y = add_simpler(g, n->arg[0], view_of(n), n->dim);
    return y ? y : view_sum(g, n);
}

static void add_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    View v = view_of(n);
    dx[0] = g_view(g, dy, &v);
}

static Node *add_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                       const bool *lead)
{
    View v = view_of(n), w = view_batch(g, &v, b);
    (void)lead;
    return g_view_add(g, x[0], &w, dims_along(g, b, n->rank, n->dim));
}

static int add_form(const Node *n, Str *to)
{
    View v = view_of(n);
    if (view_is_slice(&v)) {
        str_printf(to, "pad($=0, ");
        dims_print(n->rank, v.base, to);
    } else {
        str_printf(to, "view_add($=0, ");
        view_print(&v, to);
    }
    str_printf(to, ", ");
    dims_print(n->rank, n->dim, to);
    str_printf(to, ")");
    return PREC_atom;
}

const Op op_view_add = {
    .name = "view_add",
    .cls = OPC_view,
    .arity = 1,
    .doc = "elements added up at an affine function of the index",
    .infer = add_infer,
    .identity = add_identity,
    .eval_tensor = eval_view_add,
    .vjp = add_vjp,
    .jvp = jvp_linear,
    .expand = add_expand,
    .form = add_form,
    .batch = add_batch,
};
