/* view.c: operators that only say which element stands where. All are linear;
 * each one's derivative is another. */
#include "graph/ops/ops.h"

#include <string.h>

static bool steps_fit(const Attr *a, int rank)
{
    if (a->nint != rank || a->ndim != 2 * rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (a->ints[i] < 1)
            return false;
    return true;
}

/* broadcast */

static bool broadcast_infer(Graph *g, Node *n)
{
    (void)g;
    const Node *x = n->arg[0];
    const Attr *a = &n->attr;
    int next = 0;
    if (a->nint != a->ndim)
        return false;
    for (int i = 0; i < a->nint; i++) {
        if (a->ints[i] < 0)
            continue;
        if (a->ints[i] != next || next >= x->rank || x->dim[next] != a->dims[i])
            return false;
        next++;
    }
    n->dtype = x->dtype;
    n->rank = a->ndim;
    n->dim = a->dims;
    return next == x->rank;
}

/* Without new axes it is its argument; two in a row are one. */
static Node *broadcast_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    int axis[MAX_RANK];
    if (x->rank == n->rank)
        return x;
    if (x->op != OP_broadcast)
        return NULL;
    for (int i = 0; i < n->rank; i++) {
        int k = n->attr.ints[i];
        axis[i] = k < 0 ? -1 : x->attr.ints[k];
    }
    return g_broadcast(g, x->arg[0], n->rank, n->dim, axis);
}

static void broadcast_eval(EvalTensor *e, const Node *n)
{
    int64_t at[MAX_RANK], from[MAX_RANK];
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++) {
        eval_unravel(i, n->rank, e->out_size, at);
        for (int k = 0; k < n->rank; k++)
            if (n->attr.ints[k] >= 0)
                from[n->attr.ints[k]] = at[k];
        e->out[i] = e->in[0][eval_ravel(n->arg[0]->rank, e->in_size[0], from)];
    }
}

static void broadcast_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_sum_to(g, dy, n->rank, n->attr.ints);
}

/* The language aligns trailing axes by itself; others get axes of size 1. */
static int broadcast_form(const Node *n, bool tex, Str *to)
{
    int first = 0, missing = 0;
    while (first < n->rank && n->attr.ints[first] < 0)
        first++;
    for (int i = first; i < n->rank; i++)
        missing += n->attr.ints[i] < 0;
    if (missing == 0 || tex) {
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

static Node *broadcast_batch(Graph *g, const Node *n, const Dim *b,
                             Node *const *x, const bool *lead)
{
    const Dim *dim[MAX_RANK + 1] = {b};
    int axis[MAX_RANK + 1] = {0};
    (void)lead;
    for (int i = 0; i < n->rank; i++) {
        dim[i + 1] = n->dim[i];
        axis[i + 1] = n->attr.ints[i] < 0 ? -1 : n->attr.ints[i] + 1;
    }
    return g_broadcast(g, x[0], n->rank + 1, dim, axis);
}

const Op op_broadcast = {
    .name = "broadcast",
    .cls = OPC_view,
    .arity = 1,
    .doc = "repeated along new axes",
    .infer = broadcast_infer,
    .identity = broadcast_identity,
    .eval_tensor = broadcast_eval,
    .vjp = broadcast_vjp,
    .jvp = jvp_linear,
    .form = broadcast_form,
    .batch = broadcast_batch,
};

Node *g_broadcast(Graph *g, Node *a, int rank, const Dim *const *dim,
                  const int *axis)
{
    Attr attr = {.ints = axis, .nint = rank, .dims = dim, .ndim = rank};
    return graph_make(g, OP_broadcast, a->dtype, 1, &a, &attr);
}

Node *g_broadcast_to(Graph *g, Node *a, int rank, const Dim *const *dim)
{
    int axis[MAX_RANK];
    for (int i = 0; i < rank; i++)
        axis[i] = i < rank - a->rank ? -1 : i - (rank - a->rank);
    return g_broadcast(g, a, rank, dim, axis);
}

/* permute */

static bool permute_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim **dim = infer_dims(g);
    unsigned seen = 0;
    if (n->attr.nint != x->rank)
        return false;
    for (int i = 0; i < x->rank; i++) {
        int k = n->attr.ints[i];
        if (k < 0 || k >= x->rank || seen >> k & 1)
            return false;
        seen |= 1u << k;
        dim[i] = x->dim[k];
    }
    n->dtype = x->dtype;
    n->rank = x->rank;
    n->dim = dim;
    return true;
}

/* The transpose of a broadcast is a broadcast of the transpose. */
static Node *permute_broadcast(Graph *g, const Node *n)
{
    const Node *b = n->arg[0];
    int axis[MAX_RANK], perm[MAX_RANK], rank = 0;
    for (int i = 0; i < n->rank; i++) {
        int k = b->attr.ints[n->attr.ints[i]];
        axis[i] = k < 0 ? -1 : rank;
        if (k >= 0)
            perm[rank++] = k;
    }
    Node *x = g_permute(g, b->arg[0], perm);
    return g_broadcast(g, x, n->rank, n->dim, axis);
}

/* The transpose of a product is the product written in other order. */
static Node *permute_contract(Graph *g, const Node *n)
{
    const Node *c = n->arg[0];
    const int *la = c->attr.ints;
    return g_contract(g, c->arg[0], la, c->arg[1], la + c->arg[0]->rank,
                      n->rank, n->attr.ints);
}

static Node *permute_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    int perm[MAX_RANK];
    bool same = true;
    for (int i = 0; i < n->rank; i++)
        same = same && n->attr.ints[i] == i;
    if (same)
        return x;
    if (x->op == OP_broadcast)
        return permute_broadcast(g, n);
    if (x->op == OP_contract)
        return permute_contract(g, n);
    if (x->op != OP_permute)
        return NULL;
    for (int i = 0; i < n->rank; i++)
        perm[i] = x->attr.ints[n->attr.ints[i]];
    return g_permute(g, x->arg[0], perm);
}

static void permute_eval(EvalTensor *e, const Node *n)
{
    int64_t at[MAX_RANK], from[MAX_RANK];
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++) {
        eval_unravel(i, n->rank, e->out_size, at);
        for (int k = 0; k < n->rank; k++)
            from[n->attr.ints[k]] = at[k];
        e->out[i] = e->in[0][eval_ravel(n->rank, e->in_size[0], from)];
    }
}

static void permute_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    int inverse[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        inverse[n->attr.ints[i]] = i;
    dx[0] = g_permute(g, dy, inverse);
}

static int permute_form(const Node *n, bool tex, Str *to)
{
    bool prime = n->rank >= 2;
    for (int i = 0; i < n->rank; i++) {
        int k = i < n->rank - 2 ? i : 2 * n->rank - 3 - i;
        prime = prime && n->attr.ints[i] == k;
    }
    if (prime) {
        str_printf(to, tex ? "{$0}^{\\top}" : "$0'");
        return PREC_postfix;
    }
    str_printf(to, tex ? "\\mathrm{transpose}($=0" : "transpose($=0");
    for (int i = 0; i < n->rank; i++)
        str_printf(to, ", %d", n->attr.ints[i]);
    str_printf(to, ")");
    return PREC_atom;
}

static Node *permute_batch(Graph *g, const Node *n, const Dim *b,
                           Node *const *x, const bool *lead)
{
    int perm[MAX_RANK + 1] = {0};
    (void)b;
    (void)lead;
    for (int i = 0; i < n->rank; i++)
        perm[i + 1] = n->attr.ints[i] + 1;
    return g_permute(g, x[0], perm);
}

const Op op_permute = {
    .name = "permute",
    .cls = OPC_view,
    .arity = 1,
    .doc = "the axes in another order",
    .infer = permute_infer,
    .identity = permute_identity,
    .eval_tensor = permute_eval,
    .vjp = permute_vjp,
    .jvp = jvp_linear,
    .form = permute_form,
    .batch = permute_batch,
};

Node *g_permute(Graph *g, Node *a, const int *perm)
{
    Attr attr = {.ints = perm, .nint = a->rank};
    return graph_make(g, OP_permute, a->dtype, 1, &a, &attr);
}

/* reshape */

static bool reshape_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim *before = dim_const(g, 1), *after = before;
    for (int i = 0; i < x->rank; i++)
        before = dim_mul(g, before, x->dim[i]);
    for (int i = 0; i < n->attr.ndim; i++)
        after = dim_mul(g, after, n->attr.dims[i]);
    n->dtype = x->dtype;
    n->rank = n->attr.ndim;
    n->dim = n->attr.dims;
    return before == after || dim_overflowed(g);
}

/* The sizes that are not 1; axis[i] says which of them axis i is, or -1. */
static int core_dims(const Node *x, const Dim **dim, int *axis)
{
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        bool unit = dim_is(x->dim[i], 1);
        axis[i] = unit ? -1 : rank;
        if (!unit)
            dim[rank++] = x->dim[i];
    }
    return rank;
}

/* A broadcast without its axes of size 1: where[i] is what core_dims says. */
static Node *broadcast_core(Graph *g, const Node *b, int rank,
                            const Dim *const *dim, const int *where)
{
    const Node *x = b->arg[0];
    const Dim *inner[MAX_RANK];
    int axis[MAX_RANK], map[MAX_RANK];
    int count = core_dims(x, inner, axis);
    for (int i = 0; i < b->rank; i++) {
        int k = b->attr.ints[i];
        if (where[i] >= 0)
            map[where[i]] = k < 0 ? -1 : axis[k];
    }
    Node *core = g_reshape(g, b->arg[0], count, inner);
    return g_broadcast(g, core, rank, dim, map);
}

/* Axes of size 1 are made by broadcast; only taking them away is a reshape. */
static Node *reshape_units(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    const Dim *dim[MAX_RANK], *want[MAX_RANK];
    int where[MAX_RANK], axis[MAX_RANK];
    int rank = core_dims(x, dim, where);
    if (core_dims(n, want, axis) != rank)
        return NULL;
    for (int i = 0; i < rank; i++)
        if (dim[i] != want[i])
            return NULL;
    if (x->op == OP_broadcast && rank < x->rank)
        x = broadcast_core(g, x, rank, dim, where);
    else if (rank < n->rank)
        x = g_reshape(g, x, rank, dim);
    else
        return NULL;
    return g_broadcast(g, x, n->rank, n->dim, axis);
}

/* To the same shape, of a reshape, of one scalar repeated, with axes of size
 * 1. */
static Node *reshape_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    if (same_shape(x, n))
        return x;
    if (x->op == OP_reshape)
        return g_reshape(g, x->arg[0], n->rank, n->dim);
    Node *y = reshape_units(g, n);
    if (y)
        return y;
    Node *s = scalar_of(x);
    return s ? g_broadcast_to(g, s, n->rank, n->dim) : NULL;
}

static void reshape_eval(EvalTensor *e, const Node *n)
{
    int64_t count = eval_elements(n->rank, e->out_size);
    if (count > 0)
        memcpy(e->out, e->in[0], sizeof *e->out * (size_t)count);
}

static void reshape_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_reshape(g, dy, n->arg[0]->rank, n->arg[0]->dim);
}

static int reshape_form(const Node *n, bool tex, Str *to)
{
    str_printf(to, tex ? "\\mathrm{reshape}($=0, " : "reshape($=0, ");
    print_dims(n->rank, n->dim, to);
    str_printf(to, ")");
    return PREC_atom;
}

static Node *reshape_batch(Graph *g, const Node *n, const Dim *b,
                           Node *const *x, const bool *lead)
{
    const Dim *dim[MAX_RANK + 1] = {b};
    (void)lead;
    for (int i = 0; i < n->rank; i++)
        dim[i + 1] = n->dim[i];
    return g_reshape(g, x[0], n->rank + 1, dim);
}

const Op op_reshape = {
    .name = "reshape",
    .cls = OPC_view,
    .arity = 1,
    .doc = "the same elements in another shape",
    .infer = reshape_infer,
    .identity = reshape_identity,
    .eval_tensor = reshape_eval,
    .vjp = reshape_vjp,
    .jvp = jvp_linear,
    .form = reshape_form,
    .batch = reshape_batch,
};

Node *g_reshape(Graph *g, Node *a, int rank, const Dim *const *dim)
{
    Attr attr = {.dims = dim, .ndim = rank};
    return graph_make(g, OP_reshape, a->dtype, 1, &a, &attr);
}

/* slice */

static bool slice_infer(Graph *g, Node *n)
{
    (void)g;
    const Node *x = n->arg[0];
    n->dtype = x->dtype;
    n->rank = x->rank;
    n->dim = x->rank ? n->attr.dims + x->rank : NULL;
    return steps_fit(&n->attr, x->rank);
}

/* Is axis i as a slice or pad finds it. */
static bool leaves_axis(const Node *n, int i)
{
    return dim_is(n->attr.dims[i], 0) && n->attr.ints[i] == 1 &&
           n->dim[i] == n->arg[0]->dim[i];
}

static bool slice_is_all(const Node *n)
{
    for (int i = 0; i < n->rank; i++)
        if (!leaves_axis(n, i))
            return false;
    return true;
}

/* Do slice n and pad p name the same elements. */
static bool slice_undoes(const Node *n, const Node *p)
{
    for (int i = 0; i < n->rank; i++)
        if (n->attr.dims[i] != p->attr.dims[i] ||
            n->dim[i] != p->arg[0]->dim[i] ||
            n->attr.ints[i] != p->attr.ints[i])
            return false;
    return true;
}

/* x[s::p][t::q] = x[s + t p::p q] */
static Node *slice_slice(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    const Dim *start[MAX_RANK];
    int step[MAX_RANK];
    for (int i = 0; i < n->rank; i++) {
        int p = x->attr.ints[i];
        if (__builtin_mul_overflow(p, n->attr.ints[i], &step[i]))
            return NULL;
        start[i] = dim_mul(g, n->attr.dims[i], dim_const(g, p));
        start[i] = dim_add(g, x->attr.dims[i], start[i]);
    }
    return g_slice(g, x->arg[0], start, n->dim, step);
}

/* New axes of a broadcast only change their size. */
static Node *slice_broadcast(Graph *g, const Node *n)
{
    const Node *b = n->arg[0];
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    for (int i = 0; i < n->rank; i++) {
        int k = b->attr.ints[i];
        if (k < 0)
            continue;
        start[k] = n->attr.dims[i];
        size[k] = n->dim[i];
        step[k] = n->attr.ints[i];
    }
    Node *x = g_slice(g, b->arg[0], start, size, step);
    return g_broadcast(g, x, n->rank, n->dim, b->attr.ints);
}

static Node *slice_permute(Graph *g, const Node *n)
{
    const Node *p = n->arg[0];
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    for (int i = 0; i < n->rank; i++) {
        int k = p->attr.ints[i];
        start[k] = n->attr.dims[i];
        size[k] = n->dim[i];
        step[k] = n->attr.ints[i];
    }
    return g_permute(g, g_slice(g, p->arg[0], start, size, step), p->attr.ints);
}

/* What is all in one part of a concat. */
static Node *slice_concat(Graph *g, const Node *n)
{
    const Node *c = n->arg[0];
    int axis = (int)c->attr.integer, step = n->attr.ints[axis];
    const Dim *at = n->attr.dims[axis], *start[MAX_RANK];
    const Dim *last = dim_sub(g, n->dim[axis], dim_const(g, 1));
    const Dim *width =
        dim_add(g, dim_mul(g, last, dim_const(g, step)), dim_const(g, 1));
    for (int k = 0; k < c->narg && dim_never_negative(at); k++) {
        const Dim *size = c->arg[k]->dim[axis];
        if (dim_never_negative(dim_sub(g, size, dim_add(g, at, width)))) {
            memcpy(start, n->attr.dims, sizeof *start * (size_t)n->rank);
            start[axis] = at;
            return g_slice(g, c->arg[k], start, n->dim, n->attr.ints);
        }
        at = dim_sub(g, at, size);
    }
    return NULL;
}

/* Of a constant selection, which is small: less of it. */
static Node *slice_gather(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    Node *a = x->arg[0], *index = x->arg[1];
    int axis = (int)x->attr.integer, step[MAX_RANK];
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    if (index->op != OP_data)
        return NULL;
    for (int i = 0; i < a->rank; i++) {
        int k = i < axis ? i : i + index->rank - 1;
        bool here = i == axis;
        start[i] = here ? dim_const(g, 0) : n->attr.dims[k];
        size[i] = here ? a->dim[i] : n->dim[k];
        step[i] = here ? 1 : n->attr.ints[k];
    }
    a = g_slice(g, a, start, size, step);
    index = g_slice(g, index, n->attr.dims + axis, n->dim + axis,
                    n->attr.ints + axis);
    return g_gather_inside(g, a, index, axis);
}

static Node *slice_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    if (slice_is_all(n))
        return x;
    if (x->op == OP_slice)
        return slice_slice(g, n);
    if (x->op == OP_broadcast)
        return slice_broadcast(g, n);
    if (x->op == OP_permute)
        return slice_permute(g, n);
    if (x->op == OP_concat)
        return slice_concat(g, n);
    if (x->op == OP_gather)
        return slice_gather(g, n);
    if (x->op == OP_argsort)
        return sort_first(g, n);
    if (x->op == OP_pad && slice_undoes(n, x))
        return x->arg[0];
    return NULL;
}

/* Where element i of the small tensor, at lo + i * step, is in the big one. */
typedef struct Strided {
    const int64_t *small, *big;
    int64_t lo[MAX_RANK];
} Strided;

static Strided strided_of(EvalTensor *e, const Node *n, const int64_t *small,
                          const int64_t *big)
{
    Strided s = {.small = small, .big = big};
    for (int k = 0; k < n->rank; k++)
        s.lo[k] = e->dim(e, n->attr.dims[k]);
    return s;
}

/* Its number there, or -1 with the fault reported. */
static int64_t strided_at(EvalTensor *e, const Node *n, const Strided *s,
                          int64_t i)
{
    int64_t at[MAX_RANK];
    eval_unravel(i, n->rank, s->small, at);
    for (int k = 0; k < n->rank; k++) {
        at[k] = s->lo[k] + at[k] * n->attr.ints[k];
        if (at[k] < 0 || at[k] >= s->big[k]) {
            e->bad_index(e, at[k], s->big[k]);
            return -1;
        }
    }
    return eval_ravel(n->rank, s->big, at);
}

static void slice_eval(EvalTensor *e, const Node *n)
{
    Strided s = strided_of(e, n, e->out_size, e->in_size[0]);
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = strided_at(e, n, &s, i);
        e->out[i] = from < 0 ? 0 : e->in[0][from];
    }
}

static void slice_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_pad(g, dy, n->attr.dims, n->arg[0]->dim, n->attr.ints);
}

/* start:end:step of one axis, without what the language adds by itself. */
static void print_range(const Dim *start, const Dim *size, const Dim *whole,
                        int step, Str *to)
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
            str_printf(to, "%d*", step);
        str_printf(to, step > 1 ? "(" : "");
        dim_print(size, to);
        str_printf(to, step > 1 ? ")" : "");
    }
    if (step > 1)
        str_printf(to, ":%d", step);
}

static int slice_form(const Node *n, bool tex, Str *to)
{
    str_printf(to, tex ? "{$0}_{" : "$0[");
    for (int i = 0; i < n->rank; i++) {
        str_printf(to, i ? ", " : "");
        print_range(n->attr.dims[i], n->dim[i], n->arg[0]->dim[i],
                    n->attr.ints[i], to);
    }
    str_printf(to, tex ? "}" : "]");
    return PREC_postfix;
}

static Node *make_strided(Graph *g, OpId op, Node *a, const Dim *const *first,
                          const Dim *const *dim, const int *step)
{
    const Dim *dims[2 * MAX_RANK];
    for (int i = 0; i < a->rank; i++) {
        dims[i] = first[i];
        dims[a->rank + i] = dim[i];
    }
    Attr attr = {.ints = step, .nint = a->rank};
    attr.dims = dims;
    attr.ndim = 2 * a->rank;
    return graph_make(g, op, a->dtype, 1, &a, &attr);
}

/* slice and pad leave the batch axis whole. */
static Node *slice_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                         const bool *lead)
{
    const Dim *first[MAX_RANK + 1] = {dim_const(g, 0)};
    const Dim *dim[MAX_RANK + 1] = {b};
    int step[MAX_RANK + 1] = {1};
    (void)lead;
    for (int i = 0; i < n->rank; i++) {
        first[i + 1] = n->attr.dims[i];
        dim[i + 1] = n->dim[i];
        step[i + 1] = n->attr.ints[i];
    }
    return make_strided(g, n->op, x[0], first, dim, step);
}

const Op op_slice = {
    .name = "slice",
    .cls = OPC_view,
    .arity = 1,
    .doc = "a range of elements along every axis",
    .infer = slice_infer,
    .identity = slice_identity,
    .eval_tensor = slice_eval,
    .vjp = slice_vjp,
    .jvp = jvp_linear,
    .form = slice_form,
    .batch = slice_batch,
};

Node *g_slice(Graph *g, Node *a, const Dim *const *start,
              const Dim *const *size, const int *step)
{
    int once[MAX_RANK];
    for (int i = 0; i < a->rank; i++) /* no step to the only element */
        once[i] = dim_is(size[i], 1) ? 1 : step[i];
    return make_strided(g, OP_slice, a, start, size, once);
}

/* pad */

/* Zeros along other axes than a slice of what is padded itself: they are added
 * first, so that there is one pad. */
static Node *pad_slice(Graph *g, const Node *n)
{
    const Node *s = n->arg[0];
    Node *a = s->arg[0];
    const Dim *lo[MAX_RANK], *dim[MAX_RANK];
    int step[MAX_RANK];
    if (a->op != OP_pad)
        return NULL;
    for (int i = 0; i < n->rank; i++) {
        bool mine = !leaves_axis(n, i);
        if (mine && !leaves_axis(s, i))
            return NULL;
        lo[i] = n->attr.dims[i];
        dim[i] = mine ? n->dim[i] : a->dim[i];
        step[i] = n->attr.ints[i];
    }
    return g_slice(g, g_pad(g, a, lo, dim, step), s->attr.dims, n->dim,
                   s->attr.ints);
}

/* Nothing added; zeros around zeros; two in a row. */
static Node *pad_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    const Dim *lo[MAX_RANK];
    int step[MAX_RANK];
    if (slice_is_all(n))
        return x;
    if (node_is_const(x, 0))
        return g_fill(g, n, 0);
    if (x->op == OP_slice)
        return pad_slice(g, n);
    if (x->op != OP_pad)
        return NULL;
    for (int i = 0; i < n->rank; i++) {
        int q = n->attr.ints[i];
        if (__builtin_mul_overflow(q, x->attr.ints[i], &step[i]))
            return NULL;
        lo[i] = dim_mul(g, x->attr.dims[i], dim_const(g, q));
        lo[i] = dim_add(g, n->attr.dims[i], lo[i]);
    }
    return g_pad(g, x->arg[0], lo, n->dim, step);
}

static void pad_eval(EvalTensor *e, const Node *n)
{
    Strided s = strided_of(e, n, e->in_size[0], e->out_size);
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++)
        e->out[i] = 0;
    count = eval_elements(n->rank, e->in_size[0]);
    for (int64_t i = 0; i < count; i++) {
        int64_t to = strided_at(e, n, &s, i);
        if (to >= 0)
            e->out[to] = e->in[0][i];
    }
}

static void pad_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_slice(g, dy, n->attr.dims, n->arg[0]->dim, n->attr.ints);
}

static int pad_form(const Node *n, bool tex, Str *to)
{
    str_printf(to, tex ? "\\mathrm{pad}($=0, " : "pad($=0, ");
    print_dims(n->rank, n->attr.dims, to);
    str_printf(to, ", ");
    print_dims(n->rank, n->dim, to);
    str_printf(to, ")");
    return PREC_atom;
}

const Op op_pad = {
    .name = "pad",
    .cls = OPC_view,
    .arity = 1,
    .doc = "zeros around, or between, the elements",
    .infer = slice_infer,
    .identity = pad_identity,
    .eval_tensor = pad_eval,
    .vjp = pad_vjp,
    .jvp = jvp_linear,
    .form = pad_form,
    .batch = slice_batch,
};

Node *g_pad(Graph *g, Node *a, const Dim *const *lo, const Dim *const *dim,
            const int *step)
{
    return make_strided(g, OP_pad, a, lo, dim, step);
}

/* flip */

static bool flip_infer(Graph *g, Node *n)
{
    (void)g;
    n->dtype = n->arg[0]->dtype;
    return infer_same_shape(n) && n->attr.integer >= 0 &&
           n->attr.integer < n->rank;
}

/* Twice, of one element, along the new axis of a broadcast or inside it. */
static Node *flip_identity(Graph *g, const Node *n)
{
    Node *x = n->arg[0];
    int axis = (int)n->attr.integer;
    if (dim_is(n->dim[axis], 1))
        return x;
    if (x->op == OP_flip && x->attr.integer == axis)
        return x->arg[0];
    if (x->op != OP_broadcast)
        return NULL;
    int k = x->attr.ints[axis];
    if (k < 0)
        return x;
    return g_broadcast(g, g_flip(g, x->arg[0], k), n->rank, n->dim,
                       x->attr.ints);
}

static void flip_eval(EvalTensor *e, const Node *n)
{
    int64_t at[MAX_RANK];
    int axis = (int)n->attr.integer;
    int64_t count = eval_elements(n->rank, e->out_size);
    for (int64_t i = 0; i < count; i++) {
        eval_unravel(i, n->rank, e->out_size, at);
        at[axis] = e->out_size[axis] - 1 - at[axis];
        e->out[i] = e->in[0][eval_ravel(n->rank, e->out_size, at)];
    }
}

static void flip_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = g_flip(g, dy, (int)n->attr.integer);
}

static int flip_form(const Node *n, bool tex, Str *to)
{
    str_printf(to, tex ? "\\mathrm{flip}" : "flip");
    str_printf(to, "($=0, %d)", (int)n->attr.integer);
    return PREC_atom;
}

static Node *flip_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                        const bool *lead)
{
    (void)b;
    (void)lead;
    return g_flip(g, x[0], (int)n->attr.integer + 1);
}

const Op op_flip = {
    .name = "flip",
    .cls = OPC_view,
    .arity = 1,
    .doc = "the elements along an axis in reverse",
    .infer = flip_infer,
    .identity = flip_identity,
    .eval_tensor = flip_eval,
    .vjp = flip_vjp,
    .jvp = jvp_linear,
    .form = flip_form,
    .batch = flip_batch,
};

Node *g_flip(Graph *g, Node *a, int axis)
{
    Attr attr = {.integer = axis};
    return graph_make(g, OP_flip, a->dtype, 1, &a, &attr);
}
