/* reshape.c: the same elements, in row-major order, in another shape. */
#include "graph/ops/ops.h"

#include <string.h>

static bool reshape_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim *before = dim_product(g, x->rank, x->dim);
    const Dim *after = dim_product(g, n->attr.ndim, n->attr.dims);
    n->dtype = x->dtype;
    n->rank = n->attr.ndim;
    n->dim = n->attr.dims;
    return before == after || dim_too_large(before) || dim_too_large(after);
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
    if (node_repeats(x) && rank < x->rank)
        x = broadcast_core(g, x, rank, dim, where);
    else if (rank < n->rank)
        x = g_reshape(g, x, rank, dim);
    else
        return NULL;
    return g_broadcast(g, x, n->rank, n->dim, axis);
}

/* Is v put on the diagonal of a square matrix whose rows follow each other: as
 * many as there are rows, so far apart, begin with the first. */
static bool is_diagonal(Graph *g, const Node *n)
{
    const Node *x = n->arg[0];
    if (x->op != OP_view_add || x->arg[0]->rank != 1 || n->rank != 2 ||
        n->dim[0] != n->dim[1] || x->arg[0]->dim[0] != n->dim[0])
        return false;
    return view_of(x).coef[0] == dim_add(g, n->dim[0], dim_const(g, 1));
}

static Node *on_diagonal(Graph *g, const Node *n)
{
    static const int row[] = {0, -1}, column[] = {-1, 0};
    Node *i = g_iota(g, DT_i32, n->dim[0]);
    Node *v = g_broadcast(g, n->arg[0]->arg[0], 2, n->dim, row);
    Node *right = g_broadcast(g, i, 2, n->dim, column);
    Node *there = g2(g, OP_eq, g_broadcast(g, i, 2, n->dim, row), right);
    return g_where(g, there, v, g_fill(g, v, 0));
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
    if (is_diagonal(g, n))
        return on_diagonal(g, n);
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

static int reshape_form(const Node *n, Str *to)
{
    str_printf(to, "reshape($=0, ");
    dims_print(n->rank, n->dim, to);
    str_printf(to, ")");
    return PREC_atom;
}

static Node *reshape_batch(Graph *g, const Node *n, const Dim *b,
                           Node *const *x, const bool *lead)
{
    (void)lead;
    return g_reshape(g, x[0], n->rank + 1, dims_along(g, b, n->rank, n->dim));
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

/* Does a only join axes of what it reshapes, but for the last. */
static bool joins_axes(Graph *g, const Node *a)
{
    const Node *x = a->arg[0];
    int at = 0;
    if (a->rank == 0 || x->dim[x->rank - 1] != a->dim[a->rank - 1])
        return false;
    for (int i = 0; i < x->rank; i++)
        if (dim_is(x->dim[i], 1))
            return false;
    for (int i = 0; i < a->rank; i++) {
        const Dim *size = at < x->rank ? x->dim[at++] : NULL;
        while (size && size != a->dim[i])
            size = at < x->rank ? dim_mul(g, size, x->dim[at++]) : NULL;
        if (!size)
            return false;
    }
    return at == x->rank;
}

Node *elements_apart(Graph *g, Node *n)
{
    const Node *x = NULL;
    Node *arg[3];
    for (int i = 0; i < n->narg && !x; i++) {
        const Node *a = n->arg[i];
        if (a->op == OP_reshape && op_table[a->arg[0]->op]->cls == OPC_ewise &&
            joins_axes(g, a))
            x = a->arg[0];
    }
    if (!x || n->narg > 3)
        return NULL;
    for (int i = 0; i < n->narg; i++) {
        if (!same_shape(n->arg[i], n))
            return NULL;
        arg[i] = g_reshape(g, n->arg[i], x->rank, x->dim);
    }
    return g_reshape(g, graph_remake(g, n, arg), n->rank, n->dim);
}

Node *g_merge_axes(Graph *g, Node *a, int axis, int n)
{
    const Dim *dim[MAX_RANK + 1];
    int rank = 0;
    for (int i = 0; i < axis; i++)
        dim[rank++] = a->dim[i];
    dim[rank++] = dim_product(g, n, n ? a->dim + axis : NULL);
    for (int i = axis + n; i < a->rank; i++)
        dim[rank++] = a->dim[i];
    return g_reshape(g, a, rank, dim);
}
