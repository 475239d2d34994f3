/* lapack.c: factorisations of f64 matrices, against LAPACK's of the same
 * matrices. */
#include "../rows.h"

#include "linalg.h"

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
char *openblas_get_config(void);
char *openblas_get_corename(void);

/* a is any matrix, s a symmetric one that is positive definite; m is what
 * LAPACK works in. */
static int n, info, lwork, *pivot;
static double *a, *s, *m, *b, *x, *y, *z, *t, *u, *work;
static void *ours;

static void copy_a(void *unused)
{
    (void)unused;
    memcpy(m, a, sizeof *m * (size_t)n * (size_t)n);
}

static void copy_s(void *unused)
{
    (void)unused;
    memcpy(m, s, sizeof *m * (size_t)n * (size_t)n);
}

#define RUN(name, call)                                                        \
    static void name(void *unused)                                             \
    {                                                                          \
        (void)unused;                                                          \
        call;                                                                  \
    }

static int one = 1;
RUN(solve, linalg_solution(a, b, n, x, ours, NULL))
RUN(solve_peer, dgesv_(&n, &one, m, &n, pivot, x, &n, &info))
RUN(inv, linalg_inverse(a, n, x, ours, NULL))
RUN(inv_peer, (dgetrf_(&n, &n, m, &n, pivot, &info),
               dgetri_(&n, m, &n, pivot, work, &lwork, &info)))
RUN(logdet, linalg_volume(s, n, x, ours, NULL))
RUN(logdet_peer, dgetrf_(&n, &n, m, &n, pivot, &info))
RUN(cholesky, linalg_half(s, n, x, ours, NULL))
RUN(cholesky_peer, dpotrf_("L", &n, m, &n, &info))
RUN(qr, linalg_turned(a, n, x, y, ours, NULL))
RUN(qr_peer, (dgeqrf_(&n, &n, m, &n, t, work, &lwork, &info),
              dorgqr_(&n, &n, &n, m, &n, t, work, &lwork, &info)))
RUN(eigh, linalg_own(s, n, t, x, ours, NULL))
RUN(eigh_peer,
    dsyevd_("V", "L", &n, m, &n, t, work, &lwork, pivot, &(int){16 * n}, &info))
RUN(svd, linalg_singular(a, n, x, t, y, ours, NULL))
RUN(svd_peer,
    dgesdd_("S", &n, &n, m, &n, t, z, &n, u, &n, work, &lwork, pivot, &info))

static const struct Case {
    const char *name;
    void (*ours)(void *), (*theirs)(void *), (*copy)(void *);
    const char *target;
    int most; /* where the target holds */
} cases[] = {
    {"solve", solve, solve_peer, copy_a, ">= 0.7", 500},
    {"inv", inv, inv_peer, copy_a, ">= 0.7", 500},
    {"cholesky", cholesky, cholesky_peer, copy_s, ">= 0.7", 500},
    {"logdet", logdet, logdet_peer, copy_s, ">= 0.7", 500},
    {"qr", qr, qr_peer, copy_a, ">= 0.5", 200},
    {"eigh", eigh, eigh_peer, copy_s, ">= 0.5", 200},
    {"svd", svd, svd_peer, copy_a, ">= 0.5", 200},
};

static void make(int size)
{
    size_t all = sizeof(double) * (size_t)size * (size_t)size, w = 0;
    double **at[] = {&a, &s, &m, &x, &y, &z, &u, &b, &t};
    size_t need[] = {
        linalg_solution_workspace(size), linalg_inverse_workspace(size),
        linalg_half_workspace(size),     linalg_volume_workspace(size),
        linalg_turned_workspace(size),   linalg_own_workspace(size),
        linalg_singular_workspace(size)};

    n = size;
    lwork = 64 * n * n;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        *at[i] = block(all);
    for (size_t i = 0; i < sizeof need / sizeof *need; i++)
        w = need[i] > w ? need[i] : w;
    work = block(sizeof *work * (size_t)lwork);
    pivot = block(sizeof *pivot * 16 * (size_t)n);
    ours = block(w);
    unsigned seed = 1;
    for (int i = 0; i < n * n; i++) {
        seed = seed * 1664525u + 1013904223u;
        a[i] = (double)(seed >> 8) / 16777216.0 - 0.5;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            s[i * n + j] = a[i * n + j] + a[j * n + i] + (i == j) * n;
}

static void bench(int size)
{
    char what[64], peer[64];
    int version = (int)strcspn(openblas_get_config() + 9, " ");

    make(size);
    snprintf(peer, sizeof peer, "LAPACK, OpenBLAS %.*s %s", version,
             openblas_get_config() + 9, openblas_get_corename());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct Case *c = &cases[i];
        snprintf(what, sizeof what, "%s, n = %d", c->name, n);
        row(what, peer, (Way[]){{.run = c->ours}, {c->theirs, NULL, c->copy}},
            2, n > c->most ? "" : c->target);
    }
}

int main(void)
{
    pin();
    bench(200);
    bench(500);
    return 0;
}
