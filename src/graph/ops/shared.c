/* shared.c: shape rules and small helpers that many rows use. */
#include "graph/ops/ops.h"

#include <math.h>
#include <string.h>

bool infer_same_shape(Node *n)
{
    if (n->narg == 0)
        return false;
    for (int i = 1; i < n->narg; i++)
        if (!same_shape(n->arg[0], n->arg[i]))
            return false;
    n->rank = n->arg[0]->rank;
    n->dim = n->arg[0]->dim;
    return true;
}

bool infer_ewise(Graph *g, Node *n)
{
    (void)g;
    const Op *row = op_table[n->op];
    if (n->narg != row->arity || !infer_same_shape(n))
        return false;
    DType t = n->arg[0]->dtype;
    for (int i = 1; i < n->narg; i++)
        if (n->arg[i]->dtype != t)
            return false;
    n->dtype = row->flags & OP_TO_BOOL ? DT_bool : t;
    return (row->takes >> t & 1) != 0;
}

bool infer_where(Graph *g, Node *n)
{
    (void)g;
    if (n->narg != 3)
        return false;
    const Node *c = n->arg[0], *a = n->arg[1], *b = n->arg[2];
    bool scalar = op_table[n->op]->cls == OPC_select;
    n->dtype = a->dtype;
    n->rank = a->rank;
    n->dim = a->dim;
    return c->dtype == DT_bool && a->dtype == b->dtype && same_shape(a, b) &&
           (scalar ? c->rank == 0 : same_shape(c, a));
}

bool infer_cast(Graph *g, Node *n)
{
    (void)g;
    return n->narg == 1 && n->dtype < NDTYPES && infer_same_shape(n);
}

bool node_is_any_const(const Node *n)
{
    return node_repeated(n)->op == OP_const;
}

bool node_is_size(const Node *n)
{
    const Node *s = node_repeated(n);
    return s->op == OP_const || s->op == OP_dim;
}

double const_value(const Node *n)
{
    const Node *c = node_repeated(n);
    return dtype_is_real(c->dtype) ? c->attr.real : (double)c->attr.integer;
}

bool node_is_const(const Node *n, double v)
{
    return node_is_any_const(n) && const_value(n) == v;
}

Node *scalar_of(const Node *n)
{
    if (!node_repeats(n) || n->arg[0]->rank != 0)
        return NULL;
    return n->arg[0];
}

Node *g_fill_like(Graph *g, const Node *like, Node *s)
{
    return g_broadcast_to(g, s, like->rank, like->dim);
}

Node *g_fill(Graph *g, const Node *like, double v)
{
    return g_fill_like(g, like, g_const(g, like->dtype, v));
}

Node *g_scale(Graph *g, Node *x, double v)
{
    return g2(g, OP_mul, x, g_fill(g, x, v));
}

/* In formulas numbers are finite. */
static Node *unless_none(Graph *g, Node *x, const Dim *size, double instead)
{
    if (graph_keeps_labels(g) ||
        dim_never_negative(dim_sub(g, size, dim_const(g, 1))))
        return x;
    Node *n = g_dim(g, DT_i64, size);
    Node *some = g_fill_like(g, x, g2(g, OP_lt, g_fill(g, n, 0), n));
    Node *other = g_fill(g, x, instead);
    bool done = x->op == OP_where && x->arg[0] == some && x->arg[2] == other;
    return done ? x : g_where(g, some, x, other);
}

Node *g_factor_outside(Graph *g, Node *x, const Dim *size)
{
    return node_is_number(x) ? x : unless_none(g, x, size, 0);
}

Node *g_divisor_outside(Graph *g, Node *x, const Dim *size)
{
    bool fits = node_is_any_const(x)
                    ? const_value(x) != 0
                    : node_is_size(x) || node_sign(x) == SIGN_positive;
    return fits ? x : unless_none(g, x, size, 1);
}

Node *g_repeat(Graph *g, const Dim *n, Node *a)
{
    return g_broadcast_to(g, a, a->rank + 1, dims_along(g, n, a->rank, a->dim));
}

Node *jvp_linear(Graph *g, Node *n, Node *const *dx)
{
    return graph_remake(g, n, dx);
}

int64_t eval_elements(int rank, const int64_t *size)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= size[i];
    return n;
}

void eval_unravel(int64_t i, int rank, const int64_t *size, int64_t *at)
{
    for (int k = rank - 1; k >= 0; k--) {
        at[k] = i % size[k];
        i /= size[k];
    }
}

int64_t eval_ravel(int rank, const int64_t *size, const int64_t *at)
{
    int64_t i = 0;
    for (int k = 0; k < rank; k++)
        i = i * size[k] + at[k];
    return i;
}

static int64_t bytes_of(double held)
{
    int64_t v;
    memcpy(&v, &held, sizeof v);
    return v;
}

static double held_as(int64_t v)
{
    double held;
    memcpy(&held, &v, sizeof held);
    return held;
}

double eval_held(const EvalTensor *e, DType t, double v)
{
    if (dtype_is_real(t))
        return v;
    v = dtype_convert(DT_f64, t, v);
    if (!e->wide)
        return v;
    return held_as(v >= 0x1p63 ? INT64_MAX : (int64_t)v);
}

double eval_joined(const EvalTensor *e, OpId join, DType t, double a, double b)
{
    const Op *row = op_table[join];
    if (dtype_is_real(t) || !row->eval_int)
        return op_eval(row, (double[]){a, b});
    int64_t x[] = {e->wide ? bytes_of(a) : (int64_t)a,
                   e->wide ? bytes_of(b) : (int64_t)b};
    int64_t v = dtype_wrap(t, row->eval_int(x));
    return e->wide ? held_as(v) : (double)v;
}

int find_label(int label, int n, const int *among)
{
    for (int i = 0; i < n; i++)
        if (among[i] == label)
            return i;
    return -1;
}
