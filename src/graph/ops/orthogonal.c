/* orthogonal.c: matrices by orthogonal ones: QR, eigenvalues, singular values.
 * The reference evaluator has other algorithms than the routines. */
#include "graph/ops/routine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *zeros(int64_t n)
{
    double *x = calloc((size_t)n + 1, sizeof *x);
    if (!x)
        die("out of memory");
    return x;
}

static void all_nan(double *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = NAN;
}

/* QR. */

/* The reflection for column j of a[m, n], which v becomes: a vector of length
 * √2, or 0 where there is nothing to do. */
static void reflector(const double *a, int64_t m, int64_t n, int64_t j,
                      double *v)
{
    double rest = 0, all = 0, first = a[j * n + j];
    for (int64_t i = j + 1; i < m; i++)
        rest = hypot(rest, a[i * n + j]);
    all = hypot(rest, first);
    for (int64_t i = 0; i < m; i++)
        v[i] = i < j || rest == 0 ? 0 : a[i * n + j];
    if (rest == 0)
        return;
    v[j] = first + (first > 0 ? all : -all);
    double length = hypot(v[j], rest) / sqrt(2);
    for (int64_t i = j; i < m; i++)
        v[i] /= length;
}

/* x[m, n] -= v v' x */
static void reflect(const double *v, double *x, int64_t m, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        double s = 0;
        for (int64_t i = 0; i < m; i++)
            s += v[i] * x[i * n + k];
        for (int64_t i = 0; i < m; i++)
            x[i * n + k] -= v[i] * s;
    }
}

static void qr_one(double *out, const double *const *in, const int64_t *size,
                   int how)
{
    int64_t m = size[0], n = size[1];
    (void)how;
    if (m < n) {
        all_nan(out, (m + n) * n);
        return;
    }
    double *a = zeros(m * n), *v = zeros(n * m), *r = out + m * n;
    memcpy(a, in[0], sizeof *a * (size_t)(m * n));
    for (int64_t j = 0; j < n; j++) {
        reflector(a, m, n, j, v + j * m);
        reflect(v + j * m, a, m, n);
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] = i == j;
    for (int64_t j = n; j-- > 0;)
        reflect(v + j * m, out, m, n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            r[i * n + j] = j < i ? 0 : a[i * n + j];
    free(a);
    free(v);
}

const Op op_factor_qr = {
    ROUTINE(factor_qr, 1, qr_one),
    .sizes = "A:m,n > m+n,n",
    .products = "2rmnn",
    .room = "2mn+3nn",
    .work = routine_work,
    .doc = "Q with orthonormal columns and below it the triangle R",
};

/* Eigenvalues. */

/* Columns p and q of x[m, n] turned. */
static void turn_columns(double *x, int64_t m, int64_t n, int64_t p, int64_t q,
                         double c, double s)
{
    for (int64_t i = 0; i < m; i++) {
        double a = x[i * n + p], b = x[i * n + q];
        x[i * n + p] = c * a - s * b;
        x[i * n + q] = s * a + c * b;
    }
}

static void turn_rows(double *x, int64_t n, int64_t p, int64_t q, double c,
                      double s)
{
    for (int64_t i = 0; i < n; i++) {
        double a = x[p * n + i], b = x[q * n + i];
        x[p * n + i] = c * a - s * b;
        x[q * n + i] = s * a + c * b;
    }
}

/* The angle that makes [[a, b], [b, d]] diagonal. */
static void angle(double a, double b, double d, double *c, double *s)
{
    double z = (d - a) / (2 * b);
    double t = (z < 0 ? -1 : 1) / (fabs(z) + hypot(z, 1));
    *c = 1 / hypot(t, 1);
    *s = *c * t;
}

enum { MOST_ROUNDS = 60 };

/* Jacobi's method: a becomes diagonal, v's columns the vectors. */
static void jacobi(double *a, double *v, int64_t n)
{
    for (int round = 0, turned = 1; turned && round < MOST_ROUNDS; round++) {
        turned = 0;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++) {
                double b = a[p * n + q], c, s;
                double of = fabs(a[p * n + p]) + fabs(a[q * n + q]);
                if (b == 0 || fabs(b) <= 1e-17 * of)
                    continue;
                angle(a[p * n + p], b, a[q * n + q], &c, &s);
                turn_columns(a, n, n, p, q, c, s);
                turn_rows(a, n, p, q, c, s);
                turn_columns(v, n, n, p, q, c, s);
                a[p * n + q] = a[q * n + p] = 0;
                turned = 1;
            }
    }
}

/* The place of the least of x that is not taken yet. */
static int64_t least(const double *x, const bool *taken, int64_t n)
{
    int64_t k = -1;
    for (int64_t i = 0; i < n; i++)
        if (!taken[i] && (k < 0 || x[i] < x[k]))
            k = i;
    return k;
}

/* d in ascending order to `to`, the columns of from[m, n] with it. */
static void ordered(const double *d, double *to, const double *from,
                    double *columns, int64_t m, int64_t n)
{
    bool *taken = calloc((size_t)n + 1, sizeof *taken);
    if (!taken)
        die("out of memory");
    for (int64_t j = 0; j < n; j++) {
        int64_t k = least(d, taken, n);
        taken[k] = true;
        to[j] = d[k];
        for (int64_t i = 0; i < m; i++)
            columns[i * n + j] = from[i * n + k];
    }
    free(taken);
}

static bool all_finite(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static void eigh_one(double *out, const double *const *in, const int64_t *size,
                     int how)
{
    int64_t n = size[0];
    double *a = zeros(n * n), *v = zeros(n * n), *d = zeros(n);
    (void)how;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            a[i * n + j] = in[0][i > j ? i * n + j : j * n + i];
            v[i * n + j] = i == j;
        }
    bool finite = all_finite(a, n * n);
    if (finite)
        jacobi(a, v, n);
    for (int64_t i = 0; i < n; i++)
        d[i] = a[i * n + i];
    if (finite)
        ordered(d, out, v, out + n, n, n);
    else
        all_nan(out, (n + 1) * n);
    free(a);
    free(v);
    free(d);
}

const Op op_factor_eigh = {
    ROUTINE(factor_eigh, 1, eigh_one),
    .sizes = "A:n,n > n+1,n",
    .products = "6rnnn",
    .room = "3nn+8n",
    .work = routine_work,
    .doc =
        "the eigenvalues of a symmetric matrix, ascending, and below them the "
        "vectors",
};

/* Singular values. */

static double columns_dot(const double *x, int64_t m, int64_t n, int64_t p,
                          int64_t q)
{
    double s = 0;
    for (int64_t i = 0; i < m; i++)
        s += x[i * n + p] * x[i * n + q];
    return s;
}

/* Columns of a become orthogonal, v's are turned along. */
static void orthogonalise(double *a, double *v, int64_t m, int64_t n)
{
    for (int round = 0, turned = 1; turned && round < MOST_ROUNDS; round++) {
        turned = 0;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++) {
                double x = columns_dot(a, m, n, p, p), c, s;
                double y = columns_dot(a, m, n, q, q);
                double b = columns_dot(a, m, n, p, q);
                if (fabs(b) <= 1e-16 * sqrt(x) * sqrt(y) || b == 0)
                    continue;
                angle(x, b, y, &c, &s);
                turn_columns(a, m, n, p, q, c, s);
                turn_columns(v, n, n, p, q, c, s);
                turned = 1;
            }
    }
}

/* Column j of u[m, n], of length 0, becomes one that is orthogonal to those
 * before it. */
static void complete(double *u, int64_t m, int64_t n, int64_t j)
{
    double length = 0;
    for (int64_t at = 0; at < m && length < 0.5 / sqrt((double)m); at++) {
        for (int64_t i = 0; i < m; i++)
            u[i * n + j] = i == at;
        for (int twice = 0; twice < 2; twice++)
            for (int64_t k = 0; k < j; k++) {
                double s = columns_dot(u, m, n, k, j);
                for (int64_t i = 0; i < m; i++)
                    u[i * n + j] -= s * u[i * n + k];
            }
        length = sqrt(columns_dot(u, m, n, j, j));
    }
    for (int64_t i = 0; i < m; i++)
        u[i * n + j] /= length;
}

static void svd_of(double *out, double *a, int64_t m, int64_t n)
{
    double *v = zeros(n * n), *d = zeros(n), *value = out + m * n;
    double most = 0, eps = 0x1p-52;
    for (int64_t i = 0; i < n; i++)
        v[i * n + i] = 1;
    orthogonalise(a, v, m, n);
    for (int64_t j = 0; j < n; j++)
        d[j] = -sqrt(columns_dot(a, m, n, j, j));
    ordered(d, value, a, out, m, n);
    ordered(d, value, v, value + 2 * n, n, n);
    most = n ? -value[0] : 0;
    for (int64_t j = 0; j < n; j++) {
        value[j] = -value[j];
        value[n + j] = eps * (double)m * most;
        for (int64_t i = 0; i < m && value[j] > 0; i++)
            out[i * n + j] /= value[j];
        if (value[j] <= 1e-16 * most)
            complete(out, m, n, j);
    }
    free(v);
    free(d);
}

static void svd_one(double *out, const double *const *in, const int64_t *size,
                    int how)
{
    int64_t m = size[0], n = size[1];
    double *a = zeros(m * n);
    (void)how;
    memcpy(a, in[0], sizeof *a * (size_t)(m * n));
    if (m < n || !all_finite(a, m * n))
        all_nan(out, (m + 2 + n) * n);
    else
        svd_of(out, a, m, n);
    free(a);
}

const Op op_factor_svd = {
    ROUTINE(factor_svd, 1, svd_one),
    .sizes = "A:m,n > m+n+2,n",
    .products = "10rmnn",
    .room = "3mn+8nn+8n",
    .work = routine_work,
    .doc = "U, the singular values, descending, what is 0 among them, and V",
};
