/* leaf.c: operators without arguments, and what counts as a dimension. */
#include "graph/internal.h"
#include "graph/ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool infer_scalar(Graph *g, Node *n)
{
    (void)g;
    n->rank = 0;
    return n->dtype < NDTYPES;
}

/* The shape stands in the attributes. */
static bool infer_stated(Graph *g, Node *n)
{
    (void)g;
    n->rank = n->attr.ndim;
    n->dim = n->attr.dims;
    return n->dtype < NDTYPES;
}

/* const */

static void print_real(double v, DType t, Str *to)
{
    if (!isfinite(v)) {
        str_printf(to, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
        return;
    }
    char *text = real_digits(to->arena, v, t == DT_f32, 1);
    char *e = strchr(text, 'e');
    if (!e) {
        str_printf(to, "%s", text);
        return;
    }
    *e = 0; /* 1e-05 is written 1e-5 */
    str_printf(to, "%se%ld", text, strtol(e + 1, NULL, 10));
}

static int const_form(const Node *n, Str *to)
{
    const Attr *a = &n->attr;
    if (dtype_is_real(n->dtype)) {
        print_real(a->real, n->dtype, to);
        return signbit(a->real) && !isnan(a->real) ? PREC_neg : PREC_atom;
    }
    if (n->dtype == DT_bool) {
        str_printf(to, a->integer ? "true" : "false");
        return PREC_atom;
    }
    str_printf(to, "%lld", (long long)a->integer);
    return a->integer < 0 ? PREC_neg : PREC_atom;
}

static void const_eval(EvalTensor *e, const Node *n)
{
    e->out[0] = const_value(n);
}

static Val *const_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)x;
    if (dtype_is_real(n->dtype))
        return low_real(l, n->dtype, n->attr.real);
    if (n->dtype == DT_bool)
        return low_bool(l, n->attr.integer != 0);
    return low_int(l, n->dtype, n->attr.integer);
}

const Op op_const = {
    .name = "const",
    .cls = OPC_leaf,
    .doc = "a number",
    .infer = infer_scalar,
    .eval_tensor = const_eval,
    .form = const_form,
    .lower = const_lower,
};

Node *g_const(Graph *g, DType t, double v)
{
    Attr a = {0};
    if (dtype_is_real(t))
        a.real = isnan(v) ? (double)NAN : dtype_fit(t, v);
    else
        a.integer = int_of_real(dtype_convert(DT_f64, t, v));
    return graph_make(g, OP_const, t, 0, NULL, &a);
}

Node *g_const_int(Graph *g, DType t, int64_t v)
{
    Attr a = {.integer = dtype_wrap(t, v)};
    if (dtype_is_real(t))
        return g_const(g, t, (double)v);
    return graph_make(g, OP_const, t, 0, NULL, &a);
}

/* data */

static bool data_infer(Graph *g, Node *n)
{
    int64_t count = 1, size;
    for (int i = 0; i < n->attr.ndim; i++) {
        if (!dim_const_value(n->attr.dims[i], &size))
            return false;
        count *= size;
    }
    return infer_stated(g, n) && count == n->attr.integer;
}

static void data_eval(EvalTensor *e, const Node *n)
{
    if (n->attr.integer)
        memcpy(e->out, n->attr.data, sizeof *e->out * (size_t)n->attr.integer);
}

static void data_brackets(const Node *n, int64_t at, bool open, Str *to)
{
    int64_t inner = 1, size;
    for (int i = n->rank - 1; i >= 0; i--) {
        dim_const_value(n->dim[i], &size);
        inner *= size;
        if (at % inner == 0)
            str_printf(to, open ? "[" : "]");
    }
}

static int data_form(const Node *n, Str *to)
{
    enum { MOST = 64 }; /* longer ones are named only */
    int64_t count = n->attr.integer;
    if (count == 0 || count > MOST) {
        str_printf(to, "data");
        return PREC_atom;
    }
    for (int64_t i = 0; i < count; i++) {
        str_printf(to, i ? ", " : "");
        data_brackets(n, i, true, to);
        print_real(n->attr.data[i], n->dtype, to);
        data_brackets(n, i + 1, false, to);
    }
    return PREC_atom;
}

const Op op_data = {
    .name = "data",
    .cls = OPC_leaf,
    .doc = "a constant tensor",
    .infer = data_infer,
    .eval_tensor = data_eval,
    .form = data_form,
};

Node *g_data(Graph *g, DType t, int rank, const Dim *const *dim,
             const double *data)
{
    Attr a = {.dims = dim, .ndim = rank, .integer = 1};
    int64_t size = 0;
    for (int i = 0; i < rank; i++) {
        if (!dim_const_value(dim[i], &size))
            die("data of a size that is not constant");
        a.integer *= size;
    }
    double *fit = NEWN(graph_arena(g), double, a.integer);
    for (int64_t i = 0; i < a.integer; i++)
        fit[i] = dtype_fit(t, data[i]);
    if (rank == 0)
        return g_const(g, t, fit[0]);
    a.data = a.integer ? fit : NULL;
    return graph_make(g, OP_data, t, 0, NULL, &a);
}

/* param */

static int param_form(const Node *n, Str *to)
{
    str_printf(to, "%s", n->attr.name ? n->attr.name : "_");
    return PREC_atom;
}

const Op op_param = {
    .name = "param",
    .cls = OPC_leaf,
    .doc = "an input",
    .infer = infer_stated,
    .form = param_form,
};

Node *g_param(Graph *g, DType t, int rank, const Dim *const *dim,
              const char *name)
{
    Attr a = {.dims = dim, .ndim = rank, .name = name};
    a.integer = graph_next_param(g);
    return graph_make(g, OP_param, t, 0, NULL, &a);
}

/* dim */

/* What a divisor is where its dimension is 0: nothing divided by it is 0, and
 * anything else, or two such divisors, far from a number that one could take
 * for right. */
static double no_count(DType t) { return t == DT_f32 ? 0x1p-60 : 0x1p-500; }

double dim_number(const Node *n, int64_t v)
{
    bool none = v == 0 && n->attr.integer == DIVISOR;
    return none ? no_count(n->dtype) : (double)v;
}

static void dim_eval_tensor(EvalTensor *e, const Node *n)
{
    int64_t v = e->wrapped(e, n->attr.dims[0]);
    e->out[0] = dtype_is_int(n->dtype) ? (double)dtype_wrap(n->dtype, v)
                                       : dim_number(n, v);
}

static int dim_form(const Node *n, Str *to)
{
    const Dim *d = n->attr.dims[0];
    bool call = dtype_is_real(n->dtype);
    str_printf(to, call ? "real(" : "");
    dim_print(d, to);
    str_printf(to, call ? ")" : "");
    return call || dim_is_var(d) ? PREC_atom : PREC_add;
}

static Val *dim_lower(Lower *l, const Node *n, Val *const *x)
{
    Val *d = low_dim(l, n->attr.dims[0]), *v = low_convert(l, n->dtype, d);
    (void)x;
    if (n->attr.integer != DIVISOR)
        return v;
    return low_select(l, low_icmp(l, CMP_eq, d, low_int(l, DT_i64, 0)),
                      low_real(l, n->dtype, no_count(n->dtype)), v);
}

const Op op_dim = {
    .name = "dim",
    .cls = OPC_leaf,
    .doc = "the value of a dimension",
    .infer = infer_scalar,
    .eval_tensor = dim_eval_tensor,
    .form = dim_form,
    .lower = dim_lower,
};

Node *g_dim(Graph *g, DType t, const Dim *d)
{
    int64_t v;
    if (dim_const_value(d, &v))
        return g_const_int(g, t, v);
    Attr a = {.dims = &d, .ndim = 1};
    return graph_make(g, OP_dim, t, 0, NULL, &a);
}

Node *g_divisor(Graph *g, DType t, const Dim *d)
{
    int64_t v;
    if (dim_const_value(d, &v))
        return g_const(g, t, v ? (double)v : no_count(t));
    Attr a = {.dims = &d, .ndim = 1, .integer = DIVISOR};
    return graph_make(g, OP_dim, t, 0, NULL, &a);
}

const Dim *node_as_dim(Graph *g, const Node *n)
{
    if (n->rank || !dtype_is_int(n->dtype))
        return NULL;
    if (n->op == OP_const)
        return dim_const(g, n->attr.integer);
    return n->op == OP_dim ? n->attr.dims[0] : NULL;
}

/* iota */

static void iota_eval(EvalTensor *e, const Node *n)
{
    (void)n;
    for (int64_t i = 0; i < e->out_size[0]; i++)
        e->out[i] = (double)i;
}

static int iota_form(const Node *n, Str *to)
{
    str_printf(to, "iota(");
    dim_print(n->attr.dims[0], to);
    str_printf(to, ")");
    return PREC_atom;
}

const Op op_iota = {
    .name = "iota",
    .cls = OPC_leaf,
    .doc = "0, 1, ..., n - 1",
    .infer = infer_stated,
    .eval_tensor = iota_eval,
    .form = iota_form,
};

Node *g_iota(Graph *g, DType t, const Dim *n)
{
    Attr a = {.dims = &n, .ndim = 1};
    return graph_make(g, OP_iota, t, 0, NULL, &a);
}
