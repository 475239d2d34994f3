/* fourier.c: discrete Fourier transforms of rows of complex numbers, pairs of
 * reals. */
#include "graph/ops/routine.h"

#include <math.h>

static void dft_one(double *out, const double *const *in, const int64_t *size,
                    int how)
{
    int64_t n = size[0];
    double turn = (how ? 2 : -2) * acos(-1) / (double)n;
    for (int64_t k = 0; k < n; k++) {
        double re = 0, im = 0;
        for (int64_t j = 0; j < n; j++) {
            double a = turn * (double)(j * k % n), c = cos(a), s = sin(a);
            const double *x = in[0] + 2 * j;
            re += x[0] * c - x[1] * s;
            im += x[0] * s + x[1] * c;
        }
        out[2 * k] = re;
        out[2 * k + 1] = im;
    }
}

static Node *same_of(Graph *g, const Node *n, Node *x, bool turned)
{
    return g_routine(g, OP_dft, (int)n->attr.integer ^ turned, 1, &x);
}

/* The transposed map of reals has the opposite exponents. */
static void dft_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    dx[0] = same_of(g, n, dy, true);
}

static Node *dft_jvp(Graph *g, Node *n, Node *const *dx)
{
    return same_of(g, n, dx[0], false);
}

static bool has_small_primes(int64_t n)
{
    for (int r = 2; r <= 13; r++)
        while (n > 0 && n % r == 0)
            n /= r;
    return n <= 1;
}

/* As fourier.rt needs it: what has other primes takes a convolution of less
 * than four times its length. */
static const Dim *dft_work(Graph *g, const Node *n)
{
    enum { SMALL = 20, LARGE = 80, ROOM = 4096 };
    const Dim *d = routine_side(n, -2);
    int64_t v;
    bool small = dim_const_value(d, &v) && has_small_primes(v);
    return dim_add(g, dim_mul(g, d, dim_const(g, small ? SMALL : LARGE)),
                   dim_const(g, ROOM));
}

/* About 5 n log2 n products, with 16 for the logarithm. */
const Op op_dft = {
    ROUTINE(dft, 1, dft_one),
    .sizes = "x:n,2 > n,2",
    .products = "80rn",
    .flags = OP_LINEAR,
    .doc = "the discrete Fourier transform of pairs of reals, not divided by n",
    .vjp = dft_vjp,
    .jvp = dft_jvp,
    .work = dft_work,
    .words = {"inverse"},
};
