/* affine.c: what is known of integer tensors that index others: sums of
 * counters with steps, and constants. */
#include "graph/ops/ops.h"

/* An expression of more nodes than this is not looked through. */
enum { BUDGET = 64 };

/* Axes that are the digits of one number, taken as one and apart again. */
static bool form_reshape(Graph *g, const Node *n, const Affine *x, Affine *a)
{
    const Node *from = n->arg[0];
    const Dim *by = dim_const(g, 0);
    for (int i = from->rank - 1; i >= 0; i--) {
        const Dim *step = i == from->rank - 1
                              ? x->coef[i]
                              : dim_mul(g, x->coef[i + 1], from->dim[i + 1]);
        if (step != x->coef[i])
            return false;
        by = i == from->rank - 1 ? x->coef[i] : by;
    }
    a->base = x->base;
    for (int i = n->rank - 1; i >= 0; i--) {
        a->coef[i] = by;
        by = dim_mul(g, by, n->dim[i]);
    }
    return true;
}

/* Numbers in steps that are the same along each axis. */
static bool form_data(Graph *g, const Node *n, Affine *a)
{
    int64_t count = n->attr.integer, size[MAX_RANK], at[MAX_RANK];
    int64_t step[MAX_RANK], stride = 1;
    const double *x = n->attr.data;
    if (count == 0 || count > MAX_FOLD)
        return false;
    a->base = dim_const(g, (int64_t)x[0]);
    for (int i = n->rank - 1; i >= 0; i--) {
        dim_const_value(n->dim[i], &size[i]);
        step[i] = size[i] > 1 ? (int64_t)x[stride] - (int64_t)x[0] : 0;
        a->coef[i] = dim_const(g, step[i]);
        stride *= size[i];
    }
    for (int64_t k = 0; k < count; k++) {
        int64_t v = (int64_t)x[0];
        eval_unravel(k, n->rank, size, at);
        for (int i = 0; i < n->rank; i++)
            v += step[i] * at[i];
        if (v != (int64_t)x[k])
            return false;
    }
    return true;
}

bool affine_from(const Bound *b, const Dim *p, int rank,
                 const Dim *const *place, Affine *a)
{
    for (int i = 0; i < rank; i++)
        if (!dim_linear_in(b->g, p, place[i], &a->coef[i], &p) ||
            bound_last(b, a->coef[i]) >= 0)
            return false;
    a->base = p;
    return bound_last(b, p) < 0;
}

/* A polynomial that is linear in the places. */
static bool form_linear(Graph *g, const Node *n, int *budget, Affine *a)
{
    Bound b = bound_of(g);
    const Dim *place[MAX_RANK], *p;
    b.terms = *budget;
    bound_places(&b, n, place);
    p = bound_form(&b, n, place);
    *budget = b.terms;
    return p && affine_from(&b, p, n->rank, place, a);
}

bool affine_within(Graph *g, const Node *n, int *budget, Affine *a)
{
    Affine x;
    if (--*budget < 0 || (n->dtype != DT_i32 && n->dtype != DT_i64))
        return false;
    if (n->op == OP_data)
        return form_data(g, n, a);
    if (n->op == OP_reshape)
        return affine_within(g, n->arg[0], budget, &x) &&
               form_reshape(g, n, &x, a);
    return form_linear(g, n, budget, a);
}

bool affine_of(Graph *g, const Node *n, Affine *a)
{
    int budget = BUDGET;
    bool is_affine = affine_within(g, n, &budget, a);
    for (int i = 0; is_affine && i < n->rank; i++)
        is_affine = !dim_too_large(a->coef[i]);
    return is_affine && !dim_too_large(a->base);
}

int affine_counter(Graph *g, const Node *n, const Dim **base)
{
    Affine a;
    int axis = -1;
    if (!affine_of(g, n, &a))
        return -1;
    for (int i = 0; i < n->rank; i++) {
        if (dim_is(a.coef[i], 0))
            continue;
        if (axis >= 0 || !dim_is(a.coef[i], 1))
            return -1;
        axis = i;
    }
    *base = a.base;
    return axis;
}

/* Constants. */

typedef struct Fold {
    EvalTensor e; /* first */
    Graph *g;
    Arena *scratch;
    int budget;
    bool failed;
} Fold;

static void fold_failed(EvalTensor *e, int64_t index, int64_t limit)
{
    (void)index;
    (void)limit;
    ((Fold *)e)->failed = true;
}

static int64_t fold_dim(EvalTensor *e, const Dim *d)
{
    int64_t v = 0;
    if (!dim_const_value(d, &v))
        ((Fold *)e)->failed = true;
    return v;
}

/* n's sizes; false where they are not small constants. */
static bool small_size(const Node *n, int64_t *size)
{
    int64_t count = 1;
    for (int i = 0; i < n->rank; i++) {
        if (!dim_const_value(n->dim[i], &size[i]) || size[i] < 0 ||
            size[i] > MAX_FOLD)
            return false;
        count *= size[i];
        if (count > MAX_FOLD)
            return false;
    }
    return true;
}

static double *fold(Fold *f, const Node *n);

static void fold_ewise(const Node *n, const double *const *in, int64_t count,
                       double *out)
{
    const Op *row = op_table[n->op];
    for (int64_t i = 0; i < count; i++) {
        double x[3];
        int64_t k[3];
        for (int j = 0; j < n->narg; j++) {
            x[j] = in[j][i];
            k[j] = int_of_real(x[j]);
        }
        out[i] = row->eval_int ? (double)dtype_wrap(n->dtype, row->eval_int(k))
                               : dtype_fit(n->dtype, op_eval(row, x));
    }
}

/* n on arguments that are known. */
static double *fold_op(Fold *f, const Node *n, const double *const *in)
{
    const Op *row = op_table[n->op];
    int64_t size[MAX_RANK], (*in_size)[MAX_RANK];
    const int64_t **sizes = NEWN(f->scratch, const int64_t *, n->narg + 1);
    small_size(n, size);
    int64_t count = eval_elements(n->rank, size);
    double *out = NEWN(f->scratch, double, count + 1);
    if (row->cls == OPC_ewise && (row->eval_int || op_has_eval(row))) {
        fold_ewise(n, in, count, out);
        return out;
    }
    in_size = arena_alloc(f->scratch, sizeof *in_size * (size_t)(n->narg + 1));
    for (int i = 0; i < n->narg; i++) {
        small_size(n->arg[i], in_size[i]);
        sizes[i] = in_size[i];
    }
    f->e.out = out;
    f->e.out_size = size;
    f->e.in = in;
    f->e.in_size = sizes;
    row->eval_tensor(&f->e, n);
    return f->failed ? NULL : out;
}

static bool foldable(const Node *n)
{
    const Op *row = op_table[n->op];
    int64_t size[MAX_RANK];
    if (dtype_is_real(n->dtype) || n->dtype == DT_key || n->narg > 3 ||
        !small_size(n, size))
        return false;
    return row->eval_tensor || op_has_eval(row) || row->eval_int;
}

/* Recursion is as deep as the budget. */
static double *fold(Fold *f, const Node *n)
{
    const double *in[3];
    if (--f->budget < 0 || !foldable(n))
        return NULL;
    for (int i = 0; i < n->narg; i++) {
        in[i] = fold(f, n->arg[i]);
        if (!in[i])
            return NULL;
    }
    return fold_op(f, n, in);
}

Node *fold_index(Graph *g, Node *n)
{
    Fold f = {.g = g, .budget = BUDGET};
    if (n->op == OP_data || n->rank == 0)
        return NULL;
    f.e.dim = f.e.wrapped = fold_dim;
    f.e.bad_index = fold_failed;
    f.scratch = arena_new();
    double *v = fold(&f, n);
    Node *y = v ? g_data(g, n->dtype, n->rank, n->dim, v) : NULL;
    arena_free(f.scratch);
    return y;
}
