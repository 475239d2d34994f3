/* linear.c: dense linear algebra for problems of few unknowns. A factorisation
 * by reflections is all that the solvers need, so that libnn does not: of a
 * library of Fortran's. */
#include "solve.h"

#include <math.h>

double nncc_dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

double nncc_norm(int64_t n, const double *a)
{
    double most = 0, sum = 0;

    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]))
            return fabs(a[i]);
        most = fmax(most, fabs(a[i]));
    }
    if (most == 0)
        return 0;
    for (int64_t i = 0; i < n; i++)
        sum += (a[i] / most) * (a[i] / most);
    return most * sqrt(sum);
}

/* Column k from row k on, as a vector. */
static double column_norm(int64_t m, int64_t n, const double *a, int64_t k)
{
    double most = 0, sum = 0;

    for (int64_t i = k; i < m; i++)
        most = fmax(most, fabs(a[i * n + k]));
    for (int64_t i = k; i < m && most > 0; i++)
        sum += (a[i * n + k] / most) * (a[i * n + k] / most);
    return most * sqrt(sum);
}

/* x -= v (v'x) / v0, where v is column k and x another one, or b. */
static void reflect(int64_t m, int64_t n, const double *a, int64_t k, double *x,
                    int64_t step)
{
    double sum = 0;

    for (int64_t i = k; i < m; i++)
        sum += a[i * n + k] * x[i * step];
    sum /= a[k * n + k];
    for (int64_t i = k; i < m; i++)
        x[i * step] -= sum * a[i * n + k];
}

/* Householder's reflections, v scaled so that v'v = 2 v0 (Golub, Van Loan). */
void nncc_qr(int64_t m, int64_t n, double *a, double *b)
{
    for (int64_t k = 0; k < n; k++) {
        double norm = column_norm(m, n, a, k);
        if (norm == 0)
            continue;
        if (a[k * n + k] < 0)
            norm = -norm;
        for (int64_t i = k; i < m; i++)
            a[i * n + k] /= norm;
        a[k * n + k] += 1;
        for (int64_t j = k + 1; j < n; j++)
            reflect(m, n, a, k, a + j, n);
        reflect(m, n, a, k, b, 1);
        a[k * n + k] = -norm;
    }
}

bool nncc_back_substitute(int64_t n, const double *r, int64_t step,
                          const double *b, double *x)
{
    for (int64_t i = n; i-- > 0;) {
        double v = b[i];
        for (int64_t j = i + 1; j < n; j++)
            v -= r[i * step + j] * x[j];
        if (r[i * step + i] == 0)
            return false;
        x[i] = v / r[i * step + i];
    }
    return true;
}
