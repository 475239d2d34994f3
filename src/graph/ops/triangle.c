/* triangle.c: triangular factors of matrices, and systems of these. */
#include "graph/ops/routine.h"

#include <math.h>
#include <string.h>

/* L and U. */

static int64_t pivot_row(const double *a, int64_t n, int64_t k)
{
    int64_t p = k;
    for (int64_t i = k + 1; i < n; i++) {
        double x = fabs(a[i * n + k]), most = fabs(a[p * n + k]);
        if (x > most || (isnan(most) && !isnan(x)))
            p = i;
    }
    return p;
}

static void lu_one(double *out, const double *const *in, const int64_t *size,
                   int how)
{
    int64_t n = size[0];
    double *order = out + n * n, *odd = order + n;
    (void)how;
    memcpy(out, in[0], sizeof *out * (size_t)(n * n));
    for (int64_t k = 0; k < n; k++)
        order[k] = (double)k;
    for (int64_t k = 0; k < n; k++) {
        int64_t p = pivot_row(out, n, k);
        odd[k] = p == k ? 1 : -1;
        routine_swap(out, n, k, p);
        double was = order[k];
        order[k] = order[p];
        order[p] = was;
        for (int64_t i = k + 1; i < n; i++) {
            double d = out[k * n + k], x = d != 0 ? out[i * n + k] / d : 0;
            out[i * n + k] = x;
            for (int64_t j = k + 1; j < n; j++)
                out[i * n + j] -= x * out[k * n + j];
        }
    }
}

const Op op_factor_lu = {
    ROUTINE(factor_lu, 1, lu_one),
    .sizes = "A:n,n > n+2,n",
    .products = "rnnn",
    .doc = "L and U in one matrix, the order of rows, -1 for each exchange",
};

/* L with L L'. */

static void cholesky_one(double *out, const double *const *in,
                         const int64_t *size, int how)
{
    int64_t n = size[0];
    (void)how;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = in[0][i * n + j];
            for (int64_t k = 0; k < j && j <= i; k++)
                s -= out[i * n + k] * out[j * n + k];
            out[i * n + j] = j > i ? 0 : j == i ? sqrt(s) : s / out[j * n + j];
        }
}

const Op op_factor_cholesky = {
    ROUTINE(factor_cholesky, 1, cholesky_one),
    .sizes = "A:n,n > n,n",
    .products = "rnnn",
    .room = "nn",
    .work = routine_work,
    .doc = "the lower triangular L with L L' = A",
};

static Node *turn(Graph *g, Node *x)
{
    return g_move_axis(g, x, x->rank - 2, x->rank - 1);
}

/* Zeros but where the column is at most (`in`) the row, or the other way round.
 */
static Node *half(Graph *g, Node *x, bool upper, OpId in)
{
    int row = x->rank - 2, column = x->rank - 1;
    int axis[MAX_RANK], other[MAX_RANK];
    for (int k = 0; k < x->rank; k++)
        axis[k] = other[k] = -1;
    axis[row] = other[column] = 0;
    Node *at = g_iota(g, DT_i32, x->dim[row]);
    Node *i = g_broadcast(g, at, x->rank, x->dim, axis);
    Node *j = g_broadcast(g, at, x->rank, x->dim, other);
    Node *inside = upper ? g2(g, in, i, j) : g2(g, in, j, i);
    return g_where(g, inside, x, g_fill(g, x, 0));
}

static Node *lower(Graph *g, Node *x) { return half(g, x, false, OP_le); }

/* The triangle X with X L' + L X' = A for a symmetric A, and what is adjoint to
 * that: a triangle B, given one for X. Of both arguments and the result it is
 * the lower triangle that counts. */

enum { CHOLESKY_ADJOINT = 1 };

/* Column k of x and what is right of it, in place. */
static void tangent_column(int64_t n, int64_t k, double *x, const double *l)
{
    double d = l[k * n + k], move = x[k * n + k] /= 2 * d;
    for (int64_t i = k + 1; i < n; i++)
        x[i * n + k] = (x[i * n + k] - move * l[i * n + k]) / d;
    for (int64_t i = k + 1; i < n; i++)
        for (int64_t j = k + 1; j <= i; j++)
            x[i * n + j] -=
                x[i * n + k] * l[j * n + k] + l[i * n + k] * x[j * n + k];
}

static void adjoint_column(int64_t n, int64_t k, double *x, const double *l)
{
    double d = l[k * n + k], sum = x[k * n + k];
    for (int64_t i = k + 1; i < n; i++)
        for (int64_t j = k + 1; j <= i; j++) {
            x[i * n + k] -= x[i * n + j] * l[j * n + k];
            x[j * n + k] -= x[i * n + j] * l[i * n + k];
        }
    for (int64_t i = k + 1; i < n; i++) {
        x[i * n + k] /= d;
        sum -= x[i * n + k] * l[i * n + k];
    }
    x[k * n + k] = sum / (2 * d);
}

static void tangent_one(double *out, const double *const *in,
                        const int64_t *size, int how)
{
    int64_t n = size[0];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] = j <= i ? in[0][i * n + j] : 0;
    for (int64_t k = 0; k < n; k++)
        if (how & CHOLESKY_ADJOINT)
            adjoint_column(n, n - 1 - k, out, in[1]);
        else
            tangent_column(n, k, out, in[1]);
}

static Node *tangent_as(Graph *g, const Node *n, Node *a, bool other)
{
    Node *arg[] = {a, n->arg[1]};
    int how = (int)n->attr.integer ^ (other ? CHOLESKY_ADJOINT : 0);
    return g_routine(g, n->op, how, 2, arg);
}

static bool is_adjoint(const Node *n)
{
    return n->attr.integer & CHOLESKY_ADJOINT;
}

/* (B + B') x */
static Node *symmetric_times(Graph *g, Node *b, Node *x)
{
    return g_matmul(g, g2(g, OP_add, b, turn(g, b)), x);
}

/* X of A and B of what is given for X are <X, ·> = <·, B>. Where L moves by D,
 * X D' + D X' is taken away from A, and (B + B') D from what B is of. */
static void tangent_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *other = tangent_as(g, n, dy, true);
    Node *b = is_adjoint(n) ? n : other, *x = is_adjoint(n) ? other : n;
    dx[0] = other;
    dx[1] = lower(g, g1(g, OP_neg, symmetric_times(g, b, x)));
}

static Node *tangent_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *a = dx[0];
    if (dx[1]) {
        Node *d = lower(g, dx[1]), *less;
        if (is_adjoint(n)) {
            less = symmetric_times(g, n, d);
        } else {
            Node *once = g_matmul(g, n, turn(g, d));
            less = g2(g, OP_add, once, turn(g, once));
        }
        a = a ? g2(g, OP_sub, a, less) : g1(g, OP_neg, less);
    }
    return tangent_as(g, n, a, false);
}

const Op op_factor_cholesky_tangent = {
    ROUTINE(factor_cholesky_tangent, 2, tangent_one),
    .sizes = "A:n,n L:n,n > n,n",
    .products = "2rnnn",
    .room = "2nn",
    .work = routine_work,
    .flags = OP_LINEAR_FIRST,
    .doc = "how the factor L of L L' moves with it, and the adjoint of that",
    .vjp = tangent_vjp,
    .jvp = tangent_jvp,
    .words = {"adjoint"},
};

/* Triangular systems. */

static void substitute_one(double *out, const double *const *in,
                           const int64_t *size, int how)
{
    int64_t n = size[0], m = size[1];
    bool turned = how & SUBSTITUTE_TURNED;
    bool down = !(how & SUBSTITUTE_UPPER) != turned;
    memcpy(out, in[0], sizeof *out * (size_t)(n * m));
    for (int64_t t = 0; t < n; t++) {
        int64_t i = down ? t : n - 1 - t;
        for (int64_t j = 0; j < m; j++) {
            double s = out[i * m + j];
            for (int64_t k = down ? 0 : i + 1; k < (down ? i : n); k++)
                s -= in[1][turned ? k * n + i : i * n + k] * out[k * m + j];
            out[i * m + j] = how & SUBSTITUTE_UNIT ? s : s / in[1][i * n + i];
        }
    }
}

/* b, maybe seen in another shape, without the number it is multiplied by; NULL:
 * there is none. */
static Node *without_scale(Graph *g, Node *b, Node **scale)
{
    Node *x = b->op == OP_view ? b->arg[0] : b;
    for (int k = 0; k < 2 && x->op == OP_mul; k++) {
        Node *rest = x->arg[1 - k];
        *scale = x->rank ? scalar_of(x->arg[k]) : NULL;
        if (*scale)
            return x == b ? rest : graph_remake(g, b, &rest);
    }
    return NULL;
}

/* A transpose is read as what it is of; numbers stand outside. */
static Node *substitute_identity(Graph *g, const Node *n)
{
    Node *t = n->arg[1], *scale, *b = without_scale(g, n->arg[0], &scale);
    if (b) {
        Node *of[] = {b, t};
        Node *x =
            g_routine(g, OP_factor_substitute, (int)n->attr.integer, 2, of);
        return g2(g, OP_mul, x, g_fill_like(g, x, scale));
    }
    if (t->op != OP_view || turn(g, t) != t->arg[0])
        return NULL;
    Node *arg[] = {n->arg[0], t->arg[0]};
    int how = (int)n->attr.integer ^ (SUBSTITUTE_UPPER | SUBSTITUTE_TURNED);
    return g_routine(g, OP_factor_substitute, how, 2, arg);
}

/* x with what n solves, for other right sides; of the transpose. */
static Node *solve_as(Graph *g, const Node *n, Node *b, bool turned)
{
    Node *arg[] = {b, n->arg[1]};
    int how = (int)n->attr.integer ^ (turned ? SUBSTITUTE_TURNED : 0);
    return g_routine(g, OP_factor_substitute, how, 2, arg);
}

/* Zeros where the triangle of n is not read. */
static Node *triangle(Graph *g, const Node *n, Node *x)
{
    int how = (int)n->attr.integer;
    return half(g, x, how & SUBSTITUTE_UPPER,
                how & SUBSTITUTE_UNIT ? OP_lt : OP_le);
}

static void substitute_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *b = solve_as(g, n, dy, true);
    Node *left = b, *right = n;
    if (n->attr.integer & SUBSTITUTE_TURNED) {
        left = n;
        right = b;
    }
    dx[0] = b;
    dx[1] = triangle(g, n, g1(g, OP_neg, g_matmul(g, left, turn(g, right))));
}

/* dx = T⁻¹ (db - dT x). */
static Node *substitute_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *b = dx[0];
    if (dx[1]) {
        Node *t = triangle(g, n, dx[1]);
        if (n->attr.integer & SUBSTITUTE_TURNED)
            t = turn(g, t);
        Node *less = g_matmul(g, t, n);
        b = b ? g2(g, OP_sub, b, less) : g1(g, OP_neg, less);
    }
    return solve_as(g, n, b, false);
}

const Op op_factor_substitute = {
    ROUTINE(factor_substitute, 2, substitute_one),
    .sizes = "b:n,m T:n,n > n,m",
    .products = "rnnm",
    .flags = OP_LINEAR_FIRST,
    .doc = "x with T x = b for a triangular T",
    .identity = substitute_identity,
    .vjp = substitute_vjp,
    .jvp = substitute_jvp,
    .words = {"upper", "unit", "transposed"},
};
