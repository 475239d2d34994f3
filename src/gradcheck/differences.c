/* differences.c: a derivative against central differences.
 *
 * For a derivative of f at θ and a random unit direction δ, δᵀ∇f is held
 * against (f(θ + εδ) − f(θ − εδ)) / 2ε. A function of several values is first
 * made one by weights w: vjp's adjoint is w itself, jvp's tangent is weighted
 * by it. Differences judge where those of several ε agree with each other and
 * those of both sides with each other: at a kink they do not. */

#include "gradcheck/internal.h"

#include <math.h>

const double gradcheck_tolerance = 1e-6;
enum { DIRECTIONS = 4 };

static const DerivMode *mode(const Pair *p)
{
    return &deriv_modes[p->f->deriv];
}

/* Does the function's value come before its derivative. */
bool pair_with_value(const Pair *p) { return mode(p)->value; }

bool pair_is_matrix(const Pair *p) { return mode(p)->matrix; }

/* Of all results' leaves, number i (results in place aside). */
static const nncc_tensor *output(const Instance *s, int i)
{
    return s->leaf[s->nparam + i];
}

static bool is_weighed(const Pair *p)
{
    return mode(p)->tangent || mode(p)->matrix || mode(p)->sparse;
}

/* Weights of the primal's real values: ones for a gradient, vjp's adjoint as it
 * was drawn, else at random. */
static double **weights(Points *ps, const Pair *p, Arena *a)
{
    double **w = NEWN(a, double *, p->nvalue + 1);
    int given = p->primal.nparam;

    for (int i = 0; i < p->nvalue; i++) {
        const nncc_tensor *y = output(&p->primal, i);
        int64_t n = tensor_is_f64(y) ? tensor_elements(y) : 0;
        w[i] = NEWN(a, double, n + 1);
        const nncc_tensor *bar = n && mode(p)->adjoint && given < p->base.nparam
                                     ? p->base.leaf[given++]
                                     : NULL;
        for (int64_t k = 0; k < n; k++)
            w[i][k] = bar             ? tensor_get(bar, k)
                      : is_weighed(p) ? points_normal(ps)
                                      : 1;
    }
    return w;
}

/* The weighted sum of the values, number `first` and on, that s gives; *size:
 * of their absolute values. */
static double weigh(const Pair *p, const Instance *s, int first, double **w,
                    double *size)
{
    double sum = 0, absolute = 0;
    int at = first;
    bool every = nncc_result_leaves(s->f) - first >= p->nvalue;

    for (int i = 0; i < p->nvalue; i++) {
        bool real = tensor_is_f64(output(&p->primal, i));
        if (!real && !every)
            continue; /* what is no real has no tangent */
        const nncc_tensor *t = output(s, at++);
        int64_t n = real ? tensor_elements(t) : 0;
        for (int64_t k = 0; k < n; k++) {
            sum += w[i][k] * tensor_get(t, k);
            absolute += fabs(w[i][k] * tensor_get(t, k));
        }
    }
    *size = absolute;
    return sum;
}

/* A unit direction over n leaves. */
static double **direction(Points *ps, Arena *a, nncc_tensor *const *leaf, int n)
{
    double **d = NEWN(a, double *, n + 1);
    double square = 0;

    for (int i = 0; i < n; i++) {
        int64_t m = tensor_elements(leaf[i]);
        d[i] = NEWN(a, double, m + 1);
        for (int64_t k = 0; k < m; k++) {
            d[i][k] = points_normal(ps);
            square += d[i][k] * d[i][k];
        }
    }
    for (int i = 0; i < n; i++) {
        int64_t m = tensor_elements(leaf[i]);
        for (int64_t k = 0; k < m; k++)
            d[i][k] /= sqrt(square);
    }
    return d;
}

/* Leaves first … first+n-1 of the primal: base + step · d. */
static void move(Pair *p, int first, int n, double **d, double step)
{
    for (int i = 0; i < n; i++) {
        const nncc_tensor *from = p->base.leaf[first + i];
        int64_t m = tensor_elements(from);
        for (int64_t k = 0; k < m; k++)
            tensor_set(p->primal.leaf[first + i], k,
                       tensor_get(from, k) + step * d[i][k]);
    }
}

/* jvp, hvp: the tangents of leaves at … at+n-1 are d, all others 0; the
 * derivative of the weighted values. */
static double tangent(Points *ps, Pair *p, int at, int n, double **d,
                      double **w)
{
    double size;

    for (int i = 0; i < p->primal.nparam; i++)
        tensor_copy(p->d.leaf[i], p->base.leaf[i]);
    for (int i = p->primal.nparam; i < p->d.nparam; i++) {
        int j = i - p->primal.nparam - at;
        int64_t m = tensor_elements(p->d.leaf[i]);
        for (int64_t k = 0; k < m; k++)
            tensor_set(p->d.leaf[i], k, j >= 0 && j < n ? d[j][k] : 0);
    }
    if (instance_call(ps, &p->d) != NN_OK)
        return NAN;
    return weigh(p, &p->d, pair_with_value(p) ? p->nvalue : 0, w, &size);
}

/* Leaves of the parameters that it is a derivative by, before number k. */
static int by_leaves(const Pair *p, int k)
{
    int n = 0;

    for (int i = 0; i < k; i++)
        n += p->primal.f->param[p->f->by[i]]->nleaf;
    return n;
}

/* Where a matrix keeps its row `row` by the parameter number k: one part by
 * each parameter; of a Hessian, for the rows of each. */
int pair_matrix_leaf(const Pair *p, int row, int k)
{
    int n = by_leaves(p, k + 1) - by_leaves(p, k), first = 0, rows = p->nvalue;
    int all = by_leaves(p, p->f->nby);

    for (int i = 0; mode(p)->matrix && mode(p)->second; i++) {
        first = by_leaves(p, i);
        rows = by_leaves(p, i + 1) - first;
        if (row < first + rows)
            break;
    }
    return first * all + rows * by_leaves(p, k) + (row - first) * n;
}

/* jacobian, hessian: wᵀJδ, δ being n leaves of the parameter number k. */
static double matrix_slope(const Pair *p, int k, int n, double **d, double **w)
{
    double sum = 0;

    for (int i = 0; i < p->nvalue; i++) {
        int64_t rows = tensor_elements(output(&p->primal, i));
        for (int j = 0; j < n; j++) {
            const nncc_tensor *m = output(&p->d, pair_matrix_leaf(p, i, k) + j);
            int64_t columns = rows ? tensor_elements(m) / rows : 0;
            for (int64_t at = 0; at < rows * columns; at++)
                sum +=
                    w[i][at / columns] * tensor_get(m, at) * d[j][at % columns];
        }
    }
    return sum;
}

/* The element number i of n leaves in turn, of those in d. */
static double element(nncc_tensor *const *leaf, int n, double *const *d,
                      int64_t i)
{
    for (int k = 0; k < n; k++) {
        if (i < tensor_elements(leaf[k]))
            return i < 0 ? 0 : d[k][i];
        i -= tensor_elements(leaf[k]);
    }
    return 0;
}

/* How many elements of x there are before those of parameter number k. */
static int64_t columns_before(const Pair *p, int k)
{
    int64_t n = 0;

    for (int j = 0; j < k; j++) {
        int by = p->f->by[j], first = nncc_param_leaf(p->primal.f, by);
        for (int i = 0; i < p->primal.f->param[by]->nleaf; i++)
            n += tensor_elements(p->base.leaf[first + i]);
    }
    return n;
}

/* sparse_jacobian, sparse_hessian: the same from rows of entries, δ being n
 * leaves from `first` on. */
static double sparse_slope(const Pair *p, int k, int first, int n, double **d,
                           double **w)
{
    const nncc_tensor *start = output(&p->d, 0), *column = output(&p->d, 1);
    int64_t from = columns_before(p, k), row = 0;
    double sum = 0;

    for (int i = 0; i < p->nvalue; i++) {
        int64_t rows = tensor_elements(output(&p->primal, i));
        for (int64_t r = 0; r < rows; r++, row++)
            for (int64_t e = (int64_t)tensor_get(start, row);
                 e < (int64_t)tensor_get(start, row + 1); e++)
                sum += w[i][r] * tensor_get(output(&p->d, 2), e) *
                       element(p->base.leaf + first, n, d,
                               (int64_t)tensor_get(column, e) - from);
    }
    return sum;
}

/* grad, vjp: δᵀ∇f over leaves at … at+n-1 of the gradient. */
static double slope(const Pair *p, int at, int n, double **d)
{
    int first = (pair_with_value(p) ? p->nvalue : 0) + at;
    double sum = 0;

    for (int i = 0; i < n; i++) {
        const nncc_tensor *g = output(&p->d, first + i);
        int64_t m = tensor_elements(g);
        for (int64_t k = 0; k < m; k++)
            sum += tensor_get(g, k) * d[i][k];
    }
    return sum;
}

/* Along one direction, by several steps. */
typedef struct Slopes {
    double error; /* the least, relative */
    bool judge;   /* two steps agree, and both sides */
} Slopes;

static bool call_primal(Points *ps, Pair *p)
{
    return p->decided ? reference_beside(p)
                      : instance_call(ps, &p->primal) == NN_OK;
}

static bool weighed_at(Points *ps, Pair *p, int first, int n, double **d,
                       double **w, double step, double *value, double *size)
{
    move(p, first, n, d, step);
    if (!call_primal(ps, p))
        return false;
    *value = weigh(p, &p->primal, 0, w, size);
    return true;
}

/* A wrong derivative is one that differences agree on without it. */
static Slopes slopes(Points *ps, Pair *p, int first, int n, double **d,
                     double **w, double want)
{
    static const double step[] = {1e-3, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6};
    enum { NSTEP = sizeof step / sizeof *step };
    Slopes s = {.error = INFINITY};
    double before = NAN, middle, size = 0, other;

    if (!weighed_at(ps, p, first, n, d, w, 0, &middle, &size))
        return s;
    for (int i = 0; i < NSTEP; i++) {
        double up, down;
        if (!weighed_at(ps, p, first, n, d, w, step[i], &up, &size) ||
            !weighed_at(ps, p, first, n, d, w, -step[i], &down, &other))
            continue;
        double got = (up - down) / (2 * step[i]);
        double scale = fmax(fabs(got), 1e-4 * size + 1e-9);
        double error = fabs(want - got) / fmax(scale, fabs(want));
        double bend = fabs(up - 2 * middle + down) / step[i] / scale;
        if (error < s.error)
            s.error = error;
        if (bend < 1e-2 && fabs(got - before) < 1e-5 * scale)
            s.judge = true;
        before = got;
    }
    move(p, first, n, d, 0);
    return s;
}

/* The derivative along d as it was computed. */
static double derived(Points *ps, Pair *p, int k, int at, int n, double **d,
                      double **w)
{
    int first = nncc_param_leaf(p->primal.f, p->f->by[k]);

    if (mode(p)->sparse)
        return sparse_slope(p, k, first, n, d, w);
    return mode(p)->tangent    ? tangent(ps, p, at, n, d, w)
           : pair_is_matrix(p) ? matrix_slope(p, k, n, d, w)
                               : slope(p, at, n, d);
}

Verdict difference_verdict(Points *ps, Pair *p, int k, int at, double *error)
{
    int by = p->f->by[k];
    int n = p->primal.f->param[by]->nleaf;
    int first = nncc_param_leaf(p->primal.f, by);
    bool judged = true;

    *error = 0;
    for (int i = 0; i < DIRECTIONS; i++) {
        Arena *a = arena_new();
        double **w = weights(ps, p, a);
        double **d = direction(ps, a, p->base.leaf + first, n);
        double want = derived(ps, p, k, at, n, d, w);
        Slopes s = slopes(ps, p, first, n, d, w, want);
        arena_free(a);
        judged = judged && (s.judge || s.error <= gradcheck_tolerance);
        *error = s.error <= *error ? *error : s.error;
    }
    return *error <= gradcheck_tolerance ? VERDICT_right
           : judged                      ? VERDICT_off
                                         : VERDICT_unjudged;
}

/* jvp's own tangents, of the same values under the same weights. */
double difference_of_modes(Points *ps, Pair *p, int k, int at,
                           nncc_model *model, Instance *other)
{
    int by = p->f->by[k];
    int n = p->primal.f->param[by]->nleaf;
    int first = nncc_param_leaf(p->primal.f, by);
    Points theirs = *ps;
    Pair forward = *p;
    Function jvp = *p->f;
    double worst = 0;

    jvp.deriv = DERIV_jvp;
    forward.f = &jvp;
    forward.d = *other;
    theirs.model = model;
    for (int i = 0; i < DIRECTIONS; i++) {
        Arena *a = arena_new();
        double **w = weights(ps, p, a);
        double **d = direction(ps, a, p->base.leaf + first, n);
        double got = derived(ps, p, k, at, n, d, w);
        double want = tangent(&theirs, &forward, at, n, d, w);
        double error =
            fabs(got - want) / fmax(1e-9, fmax(fabs(got), fabs(want)));
        worst = error <= worst ? worst : error;
        arena_free(a);
    }
    return worst;
}
