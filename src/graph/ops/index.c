/* index.c: elements chosen by integers that are computed. */
#include "graph/ops/ops.h"

/* index_check: i itself; an element outside 0 … n-1 is computed as 0 and fails
 * the call, unless nothing asks for it: it says so, or all that does is empty.
 */

double never_asked(DType t) { return t == DT_i64 ? -0x1p63 : -0x1p31; }

double least_asked(DType t) { return never_asked(t) / 2; }

bool index_is_masked(const Node *n)
{
    return n->op == OP_where && n->attr.integer == MASKED_INDEX;
}

static bool check_infer(Graph *g, Node *n)
{
    return infer_ewise(g, n) && (n->attr.ndim == 1 || n->attr.ndim == 2);
}

const Dim *check_asked(const Node *n)
{
    return n->attr.ndim > 1 ? n->attr.dims[1] : NULL;
}

Node *check_asked_by(Graph *g, const Node *n, Node *index, const Dim *d)
{
    const Dim *asked = check_asked(n), *dims[2] = {n->attr.dims[0], d};
    Attr attr = n->attr;
    int64_t size;
    if (asked)
        dims[1] = dim_mul(g, d, asked);
    attr.dims = dims;
    attr.ndim = dim_const_value(dims[1], &size) && size > 0 ? 1 : 2;
    return graph_make(g, OP_index_check, n->dtype, 1, &index, &attr);
}

/* Data all of whose elements are in 0 … bound-1. */
static bool data_inside(const Node *x, const Dim *bound)
{
    int64_t size;
    if (x->op != OP_data || !dim_const_value(bound, &size))
        return false;
    for (int64_t i = 0; i < x->attr.integer; i++)
        if (!(x->attr.data[i] >= 0 && x->attr.data[i] < (double)size))
            return false;
    return true;
}

/* An index under masks as it was before them, but for 0 where nothing asks. */
static Node *masked_again(Graph *g, Node *i)
{
    Attr attr = {.integer = MASKED_INDEX};
    for (int k = 0; k < 2 && i->op == OP_max; k++)
        if (node_is_const(i->arg[k], least_asked(i->dtype)))
            return masked_again(g, i->arg[1 - k]);
    if (i->op != OP_where || i->attr.integer != MASKED_INDEX)
        return i;
    Node *arg[3] = {i->arg[0], masked_again(g, i->arg[1]), g_fill(g, i, 0)};
    return graph_make(g, OP_where, i->dtype, 3, arg, &attr);
}

/* A masked index that is inside where it is asked for needs no check either
 * where 0 is inside, which may be seen now only. */
static Node *check_masked(Graph *g, Node *i, const Dim *d)
{
    Bound b = bound_of(g);
    const Dim *place[MAX_RANK], *p;
    if (!bound_all_inside(g, g_fill(g, i, 0), d))
        return NULL;
    b.unmask = true;
    bound_places(&b, i, place);
    p = bound_form(&b, i, place);
    return p && bound_asked(&b) && bound_inside(&b, p, dim_const(g, 1), d)
               ? masked_again(g, i)
               : NULL;
}

/* Checked already; known to fit. */
static Node *check_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    const Dim *bound = n->attr.dims[0];
    if (x->op == OP_index_check && x->attr.dims[0] == bound)
        return check_asked(x) == check_asked(n) ? x : NULL;
    if (x->op == OP_argsort && x->arg[0]->dim[x->rank - 1] == bound)
        return x;
    if (bound_all_inside(g, x, bound))
        return x;
    Node *data = fold_index(g, x);
    if (data && data_inside(data, bound))
        return data;
    if (data_inside(x, bound))
        return x;
    return n->attr.integer == MASKED_INDEX ? check_masked(g, x, bound) : NULL;
}

static void check_eval(EvalTensor *e, const Node *n)
{
    double bound = (double)e->dim(e, n->attr.dims[0]);
    int64_t count = eval_elements(n->rank, e->out_size);
    bool masked = n->attr.integer == MASKED_INDEX;
    bool asked = !check_asked(n) || e->dim(e, check_asked(n)) != 0;
    for (int64_t i = 0; i < count; i++) {
        double x = e->in[0][i];
        bool fits = x >= 0 && x < bound;
        if (!fits && asked && !(masked && x == never_asked(n->dtype)))
            e->bad_index(e, (int64_t)x, (int64_t)bound);
        e->out[i] = fits ? x : 0;
    }
}

static Val *check_lower(Lower *l, const Node *n, Val *const *x)
{
    if (n->attr.integer != NUMBER_CHECK)
        return low_checked(l, n, x[0]);
    Val *one = low_int(l, n->dtype, 1);
    low_stop(l, low_icmp(l, CMP_ne, x[0], one), x[0]);
    return x[0];
}

static int check_form(const Node *n, Str *to)
{
    (void)n;
    str_printf(to, "$0");
    return PREC_same;
}

const Op op_index_check = {
    ELEMENTWISE(index_check, 1, ON_int),
    .flags = OP_CHECKS,
    .doc = "an index that must be within bounds",
    .shown = {.kind = FORM_same},
    .infer = check_infer,
    .identity = check_identity,
    .eval_tensor = check_eval,
    .lower = check_lower,
    .form = check_form,
};

Node *g_index_check(Graph *g, Node *i, const Dim *n)
{
    Attr attr = {.dims = &n, .ndim = 1};
    return graph_make(g, OP_index_check, i->dtype, 1, &i, &attr);
}

/* Kept apart from what is known of indices: 1, or what is out of range: 2 and
 * the first that does not hold. */
Node *g_number_check(Graph *g, int n, Node *const *ok)
{
    Node *value = g_const_int(g, DT_i32, 1);
    const Dim *bound = dim_const(g, 2);
    Attr attr = {.dims = &bound, .ndim = 1, .integer = NUMBER_CHECK};

    for (int i = n; i-- > 0;)
        value = g_where(g, ok[i], value, g_const_int(g, DT_i32, 2 + i));
    return graph_make(g, OP_index_check, DT_i32, 1, &value, &attr);
}

/* gather */

/* The axis is replaced by the axes of the index. */
static bool gather_infer(Graph *g, Node *n)
{
    const Node *a = n->arg[0], *index = n->arg[1];
    const Dim **dim = infer_dims(g);
    int axis = (int)n->attr.integer, rank = 0;
    if (axis < 0 || axis >= a->rank || !dtype_is_int(index->dtype) ||
        a->rank - 1 + index->rank > MAX_RANK)
        return false;
    for (int i = 0; i < axis; i++)
        dim[rank++] = a->dim[i];
    for (int i = 0; i < index->rank; i++)
        dim[rank++] = index->dim[i];
    for (int i = axis + 1; i < a->rank; i++)
        dim[rank++] = a->dim[i];
    n->dtype = a->dtype;
    n->rank = rank;
    n->dim = dim;
    return true;
}

/* Rows of `inner` elements: row (o, index[k]) of a tensor with `size` rows in
 * each of `outer` blocks meets row (o, k). */
typedef struct Rows {
    int64_t outer, size, inner, count;
} Rows;

static Rows rows_of(const Node *big, const int64_t *big_size, int axis,
                    const Node *index, const int64_t *index_size)
{
    Rows r = {.outer = eval_elements(axis, big_size), .size = big_size[axis]};
    r.inner = eval_elements(big->rank - axis - 1, big_size + axis + 1);
    r.count = eval_elements(index->rank, index_size);
    return r;
}

/* The first element of row (o, index[k]), or -1. Of no rows 0 is none, but what
 * a check gives where it was not asked. */
static int64_t row_at(EvalTensor *e, const Rows *r, int64_t o, int64_t k)
{
    double i = e->in[1][k];
    if (i >= 0 && i < (double)r->size)
        return (o * r->size + (int64_t)i) * r->inner;
    if (i != 0 || r->size > 0)
        e->bad_index(e, (int64_t)i, r->size);
    return -1;
}

static void gather_eval(EvalTensor *e, const Node *n)
{
    Rows r = rows_of(n->arg[0], e->in_size[0], (int)n->attr.integer, n->arg[1],
                     e->in_size[1]);
    for (int64_t o = 0; o < r.outer; o++)
        for (int64_t k = 0; k < r.count; k++) {
            int64_t from = row_at(e, &r, o, k);
            double *to = e->out + (o * r.count + k) * r.inner;
            for (int64_t j = 0; j < r.inner; j++)
                to[j] = from < 0 ? 0 : e->in[0][from + j];
        }
}

Node *g_scatter_inside(Graph *g, Node *a, Node *index, int axis, const Dim *n)
{
    Attr attr = {.integer = axis, .dims = &n, .ndim = 1};
    Node *arg[2] = {a, index};
    return graph_make(g, OP_scatter_add, a->dtype, 2, arg, &attr);
}

static void gather_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    int axis = (int)n->attr.integer;
    dx[0] = g_scatter_inside(g, dy, n->arg[1], axis, n->arg[0]->dim[axis]);
}

/* Both are linear in the argument that is not the index. */
static Node *index_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *arg[2] = {dx[0], n->arg[1]};
    return graph_remake(g, n, arg);
}

static int gather_form(const Node *n, Str *to)
{
    str_printf(to, "$!0[");
    for (int i = 0; i < n->attr.integer; i++)
        str_printf(to, ":, ");
    str_printf(to, "$=1]");
    return PREC_postfix;
}

/* The index of two gathers, one of what the other gave along its axes. */
static Node *gather_gather(Graph *g, const Node *n)
{
    const Node *in = n->arg[0];
    int axis = (int)n->attr.integer, first = (int)in->attr.integer;
    Node *i = in->arg[1];
    if (axis < first || axis >= first + i->rank)
        return NULL;
    if (in->arg[0]->rank - 1 + i->rank - 1 + n->arg[1]->rank > MAX_RANK)
        return NULL;
    i = g_gather_inside(g, i, n->arg[1], axis - first);
    return g_gather_inside(g, in->arg[0], i, first);
}

/* Gathers along two axes: that along the first one is done first. */
static Node *gather_order(Graph *g, const Node *n)
{
    const Node *in = n->arg[0];
    int axis = (int)n->attr.integer, first = (int)in->attr.integer;
    if (axis >= first)
        return NULL;
    Node *y = g_gather_inside(g, in->arg[0], n->arg[1], axis);
    return g_gather_inside(g, y, in->arg[1], first + n->arg[1]->rank - 1);
}

/* A constant selection from a part of an axis is one from the whole axis. */
static Node *gather_view(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    Node *i = n->arg[1];
    int axis = (int)n->attr.integer;
    View v = view_of(x);
    int along = v.axis[axis];
    int64_t lo, step;
    if (i->op != OP_data || along < 0 || view_movers(&v, along) != 1 ||
        view_goes_through(&v, axis, x->arg[0]->dim) ||
        !dim_const_value(v.base[along], &lo) ||
        !dim_const_value(v.coef[axis], &step))
        return NULL;
    view_widen(g, &v, axis, x->arg[0]->dim[along]);
    i = g2(g, OP_mul, i, g_fill(g, i, (double)step));
    i = g2(g, OP_add, i, g_fill(g, i, (double)lo));
    return g_gather_inside(g, g_view(g, x->arg[0], &v), i, axis);
}

/* Does it move with one axis alone, or few around it? What moves with two is
 * read so often that its adjoint, as a sum of views, would take more than it
 * saves. */
static bool moves_at_once(const Node *i, const Affine *a)
{
    enum { FEW = 64 };
    int many = 0;
    int64_t v;
    for (int k = 0; k < i->rank; k++)
        many += !dim_is(a->coef[k], 0) &&
                !(dim_const_value(i->dim[k], &v) && v <= FEW);
    return many <= 1;
}

/* x with zeros around axis. */
static Node *with_room(Graph *g, Node *x, int axis, const Dim *below,
                       const Dim *above)
{
    const Dim *lo[MAX_RANK] = {NULL}, *hi[MAX_RANK] = {NULL};
    lo[axis] = below;
    hi[axis] = above;
    return g_pad_around(g, x, lo, hi);
}

/* An index that is inside where its masks hold, and nowhere else asked for: a
 * view of x with zeros around it, as far as the index goes. */
static Node *gather_masked(Graph *g, Node *x, const Node *i, int axis)
{
    Bound b = bound_of(g);
    const Dim *place[MAX_RANK], *d = x->dim[axis], *one = dim_const(g, 1);
    const Dim *p, *lo, *hi, *below, *above;
    bool exact = true;
    Affine a;
    b.unmask = true;
    bound_places(&b, i, place);
    p = bound_form(&b, i, place);
    if (!p || b.nasked == 0 || !affine_from(&b, p, i->rank, place, &a) ||
        !moves_at_once(i, &a))
        return NULL;
    lo = bound_end(&b, p, false, &exact);
    hi = lo ? bound_end(&b, p, true, &exact) : NULL;
    if (!hi || !bound_rooms(g, lo, dim_add(g, hi, one), d, &below, &above) ||
        !bound_asked(&b) || !bound_inside(&b, p, one, d))
        return NULL;
    return g_strided(g, with_room(g, x, axis, below, above), axis,
                     dim_add(g, a.base, below), i->rank, i->dim, a.coef);
}

/* Places in even steps are a view; constants are one tensor of data; one
 * selection of another is one. */
static Node *gather_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0], *i = n->arg[1];
    int axis = (int)n->attr.integer;
    Affine a;
    if (affine_of(g, i, &a))
        return g_strided(g, x, axis, a.base, i->rank, i->dim, a.coef);
    Node *data = fold_index(g, i), *view;
    if (data)
        return g_gather_inside(g, x, data, axis);
    view = gather_masked(g, x, i, axis);
    if (view)
        return view;
    if (x->op == OP_view)
        return gather_view(g, n);
    if (x->op == OP_argsort)
        return sort_gathered(g, n);
    if (x->op != OP_gather)
        return NULL;
    Node *y = gather_gather(g, n);
    return y ? y : gather_order(g, n);
}

/* With n entries for each element of the batch, entry i of element k is entry
 * k·n + i of all. */
Node *g_batch_index(Graph *g, const Dim *b, const Dim *n, Node *index)
{
    const Dim *all = dim_mul(g, b, n);
    int axis[MAX_RANK] = {0};
    int64_t most;
    DType t = index->dtype;
    if (t == DT_u8 || !dim_const_value(all, &most) || most > INT32_MAX)
        t = DT_i64;
    for (int i = 1; i < index->rank; i++)
        axis[i] = -1;
    Node *k = g_iota(g, t, b);
    k = g2(g, OP_mul, k, g_fill_like(g, k, g_dim(g, t, n)));
    k = g_broadcast(g, k, index->rank, index->dim, axis);
    return g2(g, OP_add, k, g_cast(g, t, index));
}

/* Where only the index has the batch axis, the result has it in the index's
 * place. */
static Node *gather_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                          const bool *lead)
{
    int axis = (int)n->attr.integer;
    Node *y;
    if (!lead[1])
        return g_gather_inside(g, x[0], x[1], axis + 1);
    if (!lead[0]) {
        y = g_gather_inside(g, x[0], x[1], axis);
    } else {
        Node *index = g_batch_index(g, b, n->arg[0]->dim[axis], x[1]);
        y = g_merge_axes(g, g_move_axis(g, x[0], 0, axis), axis, 2);
        y = g_gather_inside(g, y, index, axis);
    }
    return g_move_axis(g, y, axis, 0);
}

const Op op_gather = {
    .name = "gather",
    .cls = OPC_index,
    .arity = 2,
    .flags = OP_LINEAR_FIRST,
    .doc = "the slices of a tensor that an index names",
    .infer = gather_infer,
    .identity = gather_identity,
    .eval_tensor = gather_eval,
    .vjp = gather_vjp,
    .jvp = index_jvp,
    .form = gather_form,
    .batch = gather_batch,
};

Node *g_gather_inside(Graph *g, Node *a, Node *index, int axis)
{
    Attr attr = {.integer = axis};
    Node *arg[2] = {a, index};
    return graph_make(g, OP_gather, a->dtype, 2, arg, &attr);
}

Node *g_gather(Graph *g, Node *a, Node *index, int axis)
{
    index = g_index_check(g, index, a->dim[axis]);
    return g_gather_inside(g, a, index, axis);
}

/* Rows, the last axis, one after another are one tensor. */
Node *g_take_along(Graph *g, Node *a, Node *index, int axis)
{
    const Dim *dim[MAX_RANK];
    int last = a->rank - 1;
    const Dim *n = a->dim[axis];
    index = g_index_check(g, index, n);
    if (last == 0)
        return g_gather_inside(g, a, index, 0);
    a = g_move_axis(g, a, axis, last);
    index = g_move_axis(g, index, axis, last);
    for (int i = 0; i <= last; i++)
        dim[i] = index->dim[i];
    index = g_merge_axes(g, index, 0, last);
    index = g_batch_index(g, index->dim[0], n, index);
    Node *y = g_gather_inside(g, g_merge_axes(g, a, 0, a->rank), index, 0);
    return g_move_axis(g, g_reshape(g, y, last + 1, dim), last, axis);
}

/* scatter_add */

/* The axes that are the index's are replaced by one. */
static bool scatter_infer(Graph *g, Node *n)
{
    const Node *a = n->arg[0], *index = n->arg[1];
    const Dim **dim = infer_dims(g);
    int axis = (int)n->attr.integer, rank = 0;
    if (axis < 0 || axis + index->rank > a->rank || n->attr.ndim != 1 ||
        !dtype_is_int(index->dtype) || !(ON_number >> a->dtype & 1) ||
        a->rank - index->rank + 1 > MAX_RANK)
        return false;
    for (int i = 0; i < index->rank; i++)
        if (a->dim[axis + i] != index->dim[i])
            return false;
    for (int i = 0; i < axis; i++)
        dim[rank++] = a->dim[i];
    dim[rank++] = n->attr.dims[0];
    for (int i = axis + index->rank; i < a->rank; i++)
        dim[rank++] = a->dim[i];
    n->dtype = a->dtype;
    n->rank = rank;
    n->dim = dim;
    return true;
}

/* Zeros add nothing. */
static Node *scatter_identity(Graph *g, const Node *n)
{
    return node_is_const(n->arg[0], 0) ? g_fill(g, n, 0) : NULL;
}

static void scatter_eval(EvalTensor *e, const Node *n)
{
    Rows r =
        rows_of(n, e->out_size, (int)n->attr.integer, n->arg[1], e->in_size[1]);
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = eval_held(e, n->dtype, 0);
    for (int64_t o = 0; o < r.outer; o++)
        for (int64_t k = 0; k < r.count; k++) {
            int64_t to = row_at(e, &r, o, k);
            const double *from = e->in[0] + (o * r.count + k) * r.inner;
            for (int64_t j = 0; j < r.inner && to >= 0; j++)
                e->out[to + j] =
                    eval_joined(e, OP_add, n->dtype, e->out[to + j], from[j]);
        }
}

static void scatter_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_gather_inside(g, dy, n->arg[1], (int)n->attr.integer);
}

static int scatter_form(const Node *n, Str *to)
{
    str_printf(to, "scatter_add(");
    str_printf(to, "$=0, $=1, axis = %d, ", (int)n->attr.integer);
    dim_print(n->attr.dims[0], to);
    str_printf(to, ")");
    return PREC_atom;
}

/* The elements of the batch one after another, then apart again. */
static Node *scatter_batch(Graph *g, const Node *n, const Dim *b,
                           Node *const *x, const bool *lead)
{
    int axis = (int)n->attr.integer;
    const Dim *size = n->attr.dims[0], *dim[MAX_RANK + 1];
    Node *a = lead[0] ? x[0] : g_repeat(g, b, x[0]);
    if (!lead[1])
        return g_scatter_inside(g, a, x[1], axis + 1, size);
    Node *index = g_batch_index(g, b, size, x[1]);
    a = g_move_axis(g, a, 0, axis);
    Node *y = g_scatter_inside(g, a, index, axis, dim_mul(g, b, size));
    for (int i = 0; i <= n->rank; i++)
        dim[i] = i == axis ? b : n->dim[i - (i > axis)];
    return g_move_axis(g, g_reshape(g, y, n->rank + 1, dim), axis, 0);
}

const Op op_scatter_add = {
    .name = "scatter_add",
    .cls = OPC_index,
    .arity = 2,
    .flags = OP_LINEAR_FIRST,
    .doc = "slices added where an index says",
    .infer = scatter_infer,
    .identity = scatter_identity,
    .eval_tensor = scatter_eval,
    .vjp = scatter_vjp,
    .jvp = index_jvp,
    .form = scatter_form,
    .batch = scatter_batch,
};

Node *g_scatter_add(Graph *g, Node *a, Node *index, int axis, const Dim *n)
{
    return g_scatter_inside(g, a, g_index_check(g, index, n), axis, n);
}
