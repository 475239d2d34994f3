/* banded.c: systems of matrices with k diagonals on each side of the main one:
 * A[i, j] is bands[k + i - j, j]. */
#include "graph/ops/routine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Dim *half_width(Graph *g, const Node *bands)
{
    const Dim *others = dim_add(g, routine_side(bands, -2), dim_const(g, -1));
    return dim_exact(g, others, dim_const(g, 2));
}

/* Gauss's elimination of a[n, n], the largest first. */
static void eliminate(double *a, double *x, int64_t n, int64_t m)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t p = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[p * n + k]))
                p = i;
        routine_swap(a, n, k, p);
        routine_swap(x, m, k, p);
        for (int64_t i = 0; i < n; i++) {
            double by = i == k ? 0 : a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n && by != 0; j++)
                a[i * n + j] -= by * a[k * n + j];
            for (int64_t j = 0; j < m && by != 0; j++)
                x[i * m + j] -= by * x[k * m + j];
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++)
            x[i * m + j] /= a[i * n + i];
}

static void banded_one(double *out, const double *const *in,
                       const int64_t *size, int how)
{
    int64_t n = size[0], m = size[1], k = size[2] / 2;
    double *a = calloc((size_t)(n * n) + 1, sizeof *a);
    if (!a)
        die("out of memory");
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (i - j <= k && j - i <= k)
                a[how ? j * n + i : i * n + j] = in[1][(k + i - j) * n + j];
    memcpy(out, in[0], sizeof *out * (size_t)(n * m));
    eliminate(a, out, n, m);
    free(a);
}

static Node *solve_as(Graph *g, const Node *n, Node *b, bool turned)
{
    Node *arg[] = {b, n->arg[1]};
    return g_routine(g, OP_factor_banded, (int)n->attr.integer ^ turned, 2,
                     arg);
}

/* With k zeros before and after the elements of an axis. */
static Node *padded(Graph *g, const Node *n, Node *x, int axis)
{
    const Dim *around[MAX_RANK];
    for (int i = 0; i < x->rank; i++)
        around[i] = i == axis ? half_width(g, n->arg[1]) : dim_const(g, 0);
    return g_pad_around(g, x, around, around);
}

/* y[d, i, …] = x[i + d - k, …], 0 outside, for the diagonals d. */
static Node *windows(Graph *g, const Node *n, Node *x)
{
    const Dim *one = dim_const(g, 1);
    const Dim *size[] = {routine_side(n->arg[1], -2), routine_side(x, -2)};
    int axis = x->rank - 2;
    return g_strided(g, padded(g, n, x, axis), axis, dim_const(g, 0), 2, size,
                     (const Dim *[]){one, one});
}

/* Σ of x[d, i, m] y over the last axis (y[i, m]: the result has d and i) or
 * over the diagonals (y[d, i]: i and m). */
static Node *joined(Graph *g, Node *x, Node *y, bool last)
{
    int lead = y->rank - 2, lx[MAX_RANK], ly[MAX_RANK], lout[MAX_RANK];
    for (int i = 0; i < lead; i++)
        lx[i] = ly[i] = lout[i] = i;
    for (int i = 0; i < 3; i++)
        lx[lead + i] = lead + i;
    for (int i = 0; i < 2; i++) {
        ly[lead + i] = lead + i + last;
        lout[lead + i] = lead + i + !last;
    }
    return g_contract(g, x, lx, y, ly, y->rank, lout);
}

static void banded_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *b = solve_as(g, n, dy, true);
    bool turned = n->attr.integer;
    dx[0] = b;
    dx[1] = g1(g, OP_neg,
               joined(g, windows(g, n, turned ? n : b), turned ? b : n, true));
}

/* Of A's diagonals those of its transpose, from the lowest on: y[d, i] = x[w -
 * 1 - d, i + d - k]. */
static Node *turned_bands(Graph *g, const Node *n, Node *x)
{
    int axis = x->rank - 2;
    const Dim *dim[MAX_RANK], *size[] = {x->dim[axis], x->dim[axis + 1]};
    Node *wide = padded(g, n, g_flip(g, x, axis), axis + 1);
    const Dim *step = dim_add(g, wide->dim[axis + 1], dim_const(g, 1));
    memcpy(dim, wide->dim, sizeof *dim * (size_t)axis);
    dim[axis] = dim_mul(g, wide->dim[axis], wide->dim[axis + 1]);
    return g_strided(g, g_reshape(g, wide, axis + 1, dim), axis,
                     dim_const(g, 0), 2, size,
                     (const Dim *[]){step, dim_const(g, 1)});
}

/* dx = A⁻¹ (db - dA x). */
static Node *banded_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *b = dx[0];
    if (dx[1]) {
        Node *by = n->attr.integer ? dx[1] : turned_bands(g, n, dx[1]);
        Node *less = joined(g, windows(g, n, n), by, false);
        b = b ? g2(g, OP_sub, b, less) : g1(g, OP_neg, less);
    }
    return solve_as(g, n, b, false);
}

/* Each column takes products of k rows and 2 k columns, and of m right sides.
 */
const Op op_factor_banded = {
    ROUTINE(factor_banded, 2, banded_one),
    .sizes = "b:n,m bands:2k+1,n > n,m",
    .products = "rn(2k+1)(2k+1+m)",
    .room = "2n(2k+1)",
    .work = routine_work,
    .flags = OP_LINEAR_FIRST,
    .doc = "x with A x = b for an A of few diagonals, as many on both sides",
    .vjp = banded_vjp,
    .jvp = banded_jvp,
    .words = {"transposed"},
};
