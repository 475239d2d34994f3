/* concat.c: tensors one after another along an axis. */
#include "graph/ops/ops.h"

static bool concat_infer(Graph *g, Node *n)
{
    if (n->narg == 0)
        return false;
    const Node *x = n->arg[0];
    const Dim **dim = infer_dims(g);
    int64_t axis = n->attr.integer;
    if (axis < 0 || axis >= x->rank)
        return false;
    for (int i = 0; i < x->rank; i++)
        dim[i] = x->dim[i];
    for (int k = 1; k < n->narg; k++) {
        const Node *y = n->arg[k];
        if (y->rank != x->rank || y->dtype != x->dtype)
            return false;
        for (int i = 0; i < x->rank; i++)
            if (i != axis && y->dim[i] != x->dim[i])
                return false;
        dim[axis] = dim_add(g, dim[axis], y->dim[axis]);
    }
    n->dtype = x->dtype;
    n->rank = x->rank;
    n->dim = dim;
    return true;
}

/* Parts of one tensor along the axis: entries at[0 … n-1] of base. */
enum { MAX_SELECTED = 64 };
typedef struct Selection {
    Node *base;
    int n;
    double at[MAX_SELECTED];
    bool proper; /* some part is not all of base */
} Selection;

static bool select_place(Selection *s, double at)
{
    if (s->n == MAX_SELECTED)
        return false;
    s->at[s->n++] = at;
    return true;
}

/* A slice is one of the whole axis, constant places apart. */
static Node *select_slice(Graph *g, const Node *x, int axis, Selection *s)
{
    View v = view_of(x);
    int64_t lo, count, step;
    if (!dim_const_value(v.base[axis], &lo) ||
        !dim_const_value(v.size[axis], &count) ||
        !dim_const_value(v.coef[axis], &step))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        if (!select_place(s, (double)(lo + i * step)))
            return NULL;
    view_widen(g, &v, axis, x->arg[0]->dim[axis]);
    return g_view(g, x->arg[0], &v);
}

static Node *select_gather(const Node *x, Selection *s)
{
    const Node *index = x->arg[1];
    for (int64_t i = 0; i < index->attr.integer; i++)
        if (!select_place(s, index->attr.data[i]))
            return NULL;
    return x->arg[0];
}

static Node *select_all(Node *x, int axis, Selection *s)
{
    int64_t count;
    if (!dim_const_value(x->dim[axis], &count))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        if (!select_place(s, (double)i))
            return NULL;
    return x;
}

static Node *select_part(Graph *g, Node *x, int axis, Selection *s)
{
    bool gathers = x->op == OP_gather && x->attr.integer == axis &&
                   x->arg[1]->op == OP_data && x->arg[1]->rank == 1;
    s->proper = s->proper || gathers || node_slices(x);
    if (gathers)
        return select_gather(x, s);
    return node_slices(x) ? select_slice(g, x, axis, s)
                          : select_all(x, axis, s);
}

/* Parts of one tensor are one selection of it, however it was written. */
static Node *concat_selection(Graph *g, const Node *n)
{
    Selection s = {.base = NULL};
    int axis = (int)n->attr.integer;
    for (int k = 0; k < n->narg; k++) {
        Node *base = select_part(g, n->arg[k], axis, &s);
        if (!base || (s.base && base != s.base))
            return NULL;
        s.base = base;
    }
    if (!s.proper)
        return NULL;
    Node *index = g_data(g, DT_i32, 1, &n->dim[axis], s.at);
    return g_gather_inside(g, s.base, index, axis);
}

/* One part; parts that are empty. */
static Node *concat_identity(Graph *g, const Node *n)
{
    int axis = (int)n->attr.integer, count = 0;
    if (n->narg == 1)
        return n->arg[0];
    for (int k = 0; k < n->narg; k++)
        count += !dim_is(n->arg[k]->dim[axis], 0);
    if (count == n->narg)
        return concat_selection(g, n);
    if (count == 0)
        return n->arg[0];
    Node **part = NEWN(graph_arena(g), Node *, count);
    count = 0;
    for (int k = 0; k < n->narg; k++)
        if (!dim_is(n->arg[k]->dim[axis], 0))
            part[count++] = n->arg[k];
    return g_concat(g, count, part, axis);
}

static void concat_eval(EvalTensor *e, const Node *n)
{
    int axis = (int)n->attr.integer;
    int64_t outer = eval_elements(axis, e->out_size);
    int64_t inner = eval_elements(n->rank - axis - 1, e->out_size + axis + 1);
    int64_t to = 0;
    for (int64_t i = 0; i < outer; i++)
        for (int k = 0; k < n->narg; k++) {
            int64_t run = e->in_size[k][axis] * inner;
            for (int64_t j = 0; j < run; j++)
                e->out[to++] = e->in[k][i * run + j];
        }
}

static void concat_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    int axis = (int)n->attr.integer;
    const Dim *start[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        start[i] = dim_const(g, 0);
    for (int k = 0; k < n->narg; k++) {
        dx[k] = g_slice(g, dy, start, n->arg[k]->dim, NULL);
        start[axis] = dim_add(g, start[axis], n->arg[k]->dim[axis]);
    }
}

static Node *concat_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node **part = NEWN(graph_arena(g), Node *, n->narg);
    for (int k = 0; k < n->narg; k++)
        part[k] = dx[k] ? dx[k] : g_fill(g, n->arg[k], 0);
    return graph_remake(g, n, part);
}

static int concat_form(const Node *n, Str *to)
{
    str_printf(to, "concat(");
    for (int k = 0; k < n->narg; k++)
        str_printf(to, "$=%d, ", k);
    str_printf(to, "axis = %d)", (int)n->attr.integer);
    return PREC_atom;
}

static Node *concat_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                          const bool *lead)
{
    Node **part = NEWN(graph_arena(g), Node *, n->narg);
    for (int k = 0; k < n->narg; k++)
        part[k] = lead[k] ? x[k] : g_repeat(g, b, x[k]);
    return g_concat(g, n->narg, part, (int)n->attr.integer + 1);
}

const Op op_concat = {
    .name = "concat",
    .cls = OPC_view,
    .arity = -1,
    .doc = "one after another along an axis",
    .infer = concat_infer,
    .identity = concat_identity,
    .eval_tensor = concat_eval,
    .vjp = concat_vjp,
    .jvp = concat_jvp,
    .form = concat_form,
    .batch = concat_batch,
};

Node *g_concat(Graph *g, int n, Node *const *a, int axis)
{
    Attr attr = {.integer = axis};
    return graph_make(g, OP_concat, a[0]->dtype, n, a, &attr);
}
