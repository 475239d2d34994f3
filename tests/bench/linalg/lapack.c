/* lapack.c: factorisations of f64 matrices and their gradients, against
 * LAPACK's factorisations of the same matrices. */
#include "bench.h"

void dgesv_(int *, int *, double *, int *, int *, double *, int *, int *);
void dgetrf_(int *, int *, double *, int *, int *, int *);
void dgetri_(int *, double *, int *, int *, double *, int *, int *);
void dpotrf_(char *, int *, double *, int *, int *);
void dgeqrf_(int *, int *, double *, int *, double *, double *, int *, int *);
void dorgqr_(int *, int *, int *, double *, int *, double *, double *, int *,
             int *);
void dsyevd_(char *, char *, int *, double *, int *, double *, double *, int *,
             int *, int *, int *);
void dgesdd_(char *, int *, int *, double *, int *, double *, double *, int *,
             double *, int *, double *, int *, int *, int *);

enum { ROUNDS = 9 };

typedef struct Matrices {
    int n, info, lwork, *pivot;
    double *a, *s, *m, *b, *x, *y, *z, *t, *u, *work, value;
    void *ours;
} Matrices;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static void make(Matrices *q, int n)
{
    size_t all = sizeof(double) * (size_t)n * (size_t)n, w = 0;
    double **at[] = {&q->a, &q->s, &q->m, &q->x, &q->y, &q->z, &q->u};
    q->n = n;
    q->lwork = 64 * n * n;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        *at[i] = room(all);
    q->b = room(all);
    q->t = room(all);
    q->work = room(sizeof(double) * (size_t)q->lwork);
    q->pivot = room(sizeof(int) * 16 * (size_t)n);
    w = larger(w, linalg_solution_workspace(n));
    w = larger(w, linalg_solution_slope_workspace(n));
    w = larger(w, linalg_inverse_slope_workspace(n));
    w = larger(w, linalg_half_slope_workspace(n));
    w = larger(w, linalg_qr_slope_workspace(n));
    w = larger(w, linalg_own_slope_workspace(n));
    w = larger(w, linalg_singular_slope_workspace(n));
    q->ours = room(larger(w, linalg_singular_workspace(n)));
    unsigned s = 1;
    for (int i = 0; i < n * n; i++) {
        s = s * 1664525u + 1013904223u;
        q->a[i] = (double)(s >> 8) / 16777216.0 - 0.5;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            q->s[i * n + j] = q->a[i * n + j] + q->a[j * n + i] + (i == j) * n;
}

static void copy(Matrices *q, const double *from)
{
    memcpy(q->m, from, sizeof(double) * (size_t)q->n * (size_t)q->n);
}

static void tell(int n, const char *what, const double *t)
{
    printf("%d %s %.2f times LAPACK's time, with gradient %.2f (%.2f ms); ", n,
           what, t[0] / t[1], t[2] / t[1], 1e3 * t[0]);
}

static void bench(int n)
{
    static Matrices q;
    double t[6][3];
    int one = 1;
    make(&q, n);
    for (int i = 0; i < 18; i++)
        t[i / 3][i % 3] = 1e9;
    for (int r = 0; r < ROUNDS; r++) {
        TIME(&t[0][0], linalg_solution(q.a, q.b, n, q.x, q.ours, NULL));
        copy(&q, q.a);
        TIME(&t[0][1], dgesv_(&n, &one, q.m, &n, q.pivot, q.x, &n, &q.info));
        TIME(&t[0][2], linalg_solution_slope(q.a, q.b, n, &q.value, q.x, q.t,
                                             q.ours, NULL));
        TIME(&t[1][0], linalg_inverse(q.a, n, q.x, q.ours, NULL));
        TIME(&t[1][2],
             linalg_inverse_slope(q.a, n, &q.value, q.x, q.ours, NULL));
        copy(&q, q.a);
        TIME(&t[1][1],
             (dgetrf_(&n, &n, q.m, &n, q.pivot, &q.info),
              dgetri_(&n, q.m, &n, q.pivot, q.work, &q.lwork, &q.info)));
        TIME(&t[2][0], linalg_half(q.s, n, q.x, q.ours, NULL));
        TIME(&t[2][2], linalg_half_slope(q.s, n, &q.value, q.x, q.ours, NULL));
        copy(&q, q.s);
        TIME(&t[2][1], dpotrf_("L", &n, q.m, &n, &q.info));
        TIME(&t[3][0], linalg_turned(q.a, n, q.x, q.y, q.ours, NULL));
        TIME(&t[3][2], linalg_qr_slope(q.a, n, &q.value, q.x, q.ours, NULL));
        copy(&q, q.a);
        TIME(&t[3][1],
             (dgeqrf_(&n, &n, q.m, &n, q.t, q.work, &q.lwork, &q.info),
              dorgqr_(&n, &n, &n, q.m, &n, q.t, q.work, &q.lwork, &q.info)));
        TIME(&t[4][0], linalg_own(q.s, n, q.t, q.x, q.ours, NULL));
        TIME(&t[4][2], linalg_own_slope(q.s, n, &q.value, q.x, q.ours, NULL));
        copy(&q, q.s);
        TIME(&t[4][1], dsyevd_("V", "L", &n, q.m, &n, q.t, q.work, &q.lwork,
                               q.pivot, &(int){16 * n}, &q.info));
        TIME(&t[5][0], linalg_singular(q.a, n, q.x, q.t, q.y, q.ours, NULL));
        TIME(&t[5][2],
             linalg_singular_slope(q.a, n, &q.value, q.x, q.ours, NULL));
        copy(&q, q.a);
        TIME(&t[5][1], dgesdd_("S", &n, &n, q.m, &n, q.t, q.z, &n, q.u, &n,
                               q.work, &q.lwork, q.pivot, &q.info));
    }
    static const char *const name[] = {"solve", "inv",  "cholesky",
                                       "qr",    "eigh", "svd"};
    for (int i = 0; i < 6; i++)
        tell(n, name[i], t[i]);
}

int main(void)
{
    bench(200);
    bench(500);
    printf("\n");
    return 0;
}
