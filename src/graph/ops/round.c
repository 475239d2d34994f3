/* round.c: sign, absolute value, rounding, conversion between dtypes, and stop.
 */
#include "graph/ops/ops.h"

#include <math.h>

/* -1, 0 or 1; NaN of NaN. */

static double sign_eval(const double *x)
{
    return isnan(x[0]) || x[0] == 0 ? x[0] : copysign(1, x[0]);
}

static Val *sign_lower(Lower *l, const Node *n, Val *const *x)
{
    DType t = n->dtype;
    if (!dtype_is_real(n->dtype)) {
        Val *zero = low_int(l, t, 0), *one = low_int(l, t, 1);
        Val *up = low_select(l, low_icmp(l, CMP_gt, x[0], zero), one, zero);
        return low_select(l, low_icmp(l, CMP_lt, x[0], zero), low_int(l, t, -1),
                          up);
    }
    /* 0 and NaN are their own sign. */
    Val *right = low_fcmp(l, CMP_eq, x[0], low_real(l, t, 0));
    Val *rest = low_or(l, low_fisnan(l, x[0]), right);
    return low_select(l, rest, x[0], low_fcopysign(l, low_real(l, t, 1), x[0]));
}

const Op op_sign = {
    ELEMENTWISE(sign, 1, ON_number),
    .flags = OP_SURFACE,
    .doc = "-1, 0 or 1 as the argument is negative, zero or positive",
    .domain = {0.5, 2},
    .eval = sign_eval,
    .lower = sign_lower,
};

/* |a| */

static int64_t abs_eval_int(const int64_t *x)
{
    return x[0] < 0 ? (int64_t)(0 - (uint64_t)x[0]) : x[0];
}

static Node *abs_identity(Graph *g, const Node *n)
{
    (void)g;
    return n->dtype == DT_u8 ? n->arg[0] : NULL;
}

static Node *abs_partial(Graph *g, Node *n)
{
    return g1(g, OP_sign, n->arg[0]);
}

static Val *abs_lower(Lower *l, const Node *n, Val *const *x)
{
    if (dtype_is_real(n->dtype))
        return low_fabs(l, x[0]);
    Val *zero = low_int(l, n->dtype, 0);
    Val *right = low_isub(l, zero, x[0]);
    return low_select(l, low_icmp(l, CMP_lt, x[0], zero), right, x[0]);
}

const Op op_abs = {
    ELEMENTWISE(abs, 1, ON_number),
    .flags = OP_SURFACE | OP_NOT_NEGATIVE | OP_KINK | OP_EVEN,
    .doc = "absolute value",
    .shown = {.kind = FORM_bars},
    .domain = {0.5, 2},
    .identity = abs_identity,
    .eval1 = fabs,
    .eval_int = abs_eval_int,
    .partial1 = abs_partial,
    .lower = abs_lower,
};

/* Rounding to integers; the derivative is 0. */

static Node *rounded_identity(Graph *g, const Node *n)
{
    OpId a = n->arg[0]->op;
    (void)g;
    return a == OP_floor || a == OP_ceil || a == OP_round ? n->arg[0] : NULL;
}

const Op op_floor = {
    FUNCTION(floor, 1, 0),
    .doc = "largest integer not above the argument",
    .shown = {.kind = FORM_floor},
    .domain = {0.1, 0.9},
    .identity = rounded_identity,
    .eval1 = floor,
    .lower1 = low_ffloor,
};

const Op op_ceil = {
    FUNCTION(ceil, 1, 0),
    .doc = "smallest integer not below the argument",
    .shown = {.kind = FORM_ceil},
    .domain = {0.1, 0.9},
    .identity = rounded_identity,
    .eval1 = ceil,
    .lower1 = low_fceil,
};

const Op op_round = {
    FUNCTION(round, 1, 0), .doc = "nearest integer, halves to the even one",
    .domain = {0.6, 0.9},  .identity = rounded_identity,
    .eval1 = nearbyint,    .lower1 = low_frint,
};

/* The value in another dtype: as C converts, but reals to integers saturate
 * and NaN becomes 0. */

static void cast_eval(EvalTensor *e, const Node *n)
{
    int64_t count = 1;
    for (int i = 0; i < n->rank; i++)
        count *= e->out_size[i];
    for (int64_t i = 0; i < count; i++)
        e->out[i] = dtype_convert(n->arg[0]->dtype, n->dtype, e->in[0][i]);
}

/* The constant scalar s in dtype t. */
static Node *cast_const(Graph *g, DType t, const Node *s)
{
    if (dtype_is_real(s->dtype) || dtype_is_real(t) || t == DT_bool)
        return g_const(g, t, dtype_convert(s->dtype, t, const_value(s)));
    return g_const_int(g, t, dtype_wrap(t, s->attr.integer));
}

static Node *cast_identity(Graph *g, const Node *n)
{
    Node *a = n->arg[0];
    const Node *s = node_repeated(a);
    if (a->dtype == n->dtype)
        return a;
    const Dim *d = a->rank == 0 && dtype_is_int(a->dtype) &&
                           n->dtype != DT_bool && n->dtype != DT_key
                       ? node_as_dim(g, a)
                       : NULL;
    if (d)
        return g_dim(g, n->dtype, d);
    if (s->op == OP_const)
        return g_fill_like(g, n, cast_const(g, n->dtype, s));
    if ((a->op == OP_where || a->op == OP_if) && node_is_any_const(a->arg[1]) &&
        node_is_any_const(a->arg[2])) {
        Node *arg[3] = {a->arg[0], g_cast(g, n->dtype, a->arg[1]),
                        g_cast(g, n->dtype, a->arg[2])};
        return graph_make(g, a->op, n->dtype, 3, arg, &a->attr);
    }
    /* A bool goes through any type unharmed. */
    if (a->op == OP_cast && a->arg[0]->dtype == DT_bool)
        return g_cast(g, n->dtype, a->arg[0]);
    return NULL;
}

static void cast_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    if (dtype_is_real(n->arg[0]->dtype))
        dx[0] = g_cast(g, n->arg[0]->dtype, dy);
}

static Node *cast_jvp(Graph *g, Node *n, Node *const *dx)
{
    return g_cast(g, n->dtype, dx[0]);
}

static int cast_form(const Node *n, Str *to)
{
    str_printf(to, "%s($=0)", dtype_name(n->dtype));
    return PREC_atom;
}

static Val *cast_lower(Lower *l, const Node *n, Val *const *x)
{
    return low_convert(l, n->dtype == DT_key ? DT_i64 : n->dtype, x[0]);
}

const Op op_cast = {
    ELEMENTWISE(cast, 1, ON_any),
    .flags = OP_LINEAR,
    .doc = "the value in another type",
    .form = cast_form,
    .infer = infer_cast,
    .identity = cast_identity,
    .eval_tensor = cast_eval,
    .vjp = cast_vjp,
    .jvp = cast_jvp,
    .lower = cast_lower,
};

/* The value, with derivative 0. */

static double stop_eval(const double *x) { return x[0]; }

static Node *stop_identity(Graph *g, const Node *n)
{
    (void)g;
    return n->arg[0]->op == OP_stop || !dtype_is_real(n->dtype) ? n->arg[0]
                                                                : NULL;
}

static Val *stop_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)l;
    (void)n;
    return x[0];
}

const Op op_stop = {
    ELEMENTWISE(stop, 1, ON_any),
    .flags = OP_SURFACE,
    .doc = "the value itself, with derivative 0",
    .identity = stop_identity,
    .eval = stop_eval,
    .lower = stop_lower,
};
