/* random.c: random bits from a key and a counter, and what is made of them.
 *
 * Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror, Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011. Numbers are a pure function of key and
 * place, so they are the same for any machine and number of threads. */
#include "graph/ops/ops.h"

#include <math.h>

enum { ROUNDS = 20, PARITY = 0x1BD11BDA };

static const int rotation[8] = {13, 15, 26, 6, 17, 29, 16, 24};

static uint32_t rotate(uint32_t x, int r) { return x << r | x >> (32 - r); }

/* The two words of the counter, encrypted; low word first. */
static int64_t threefry(const int64_t *arg)
{
    uint64_t key = (uint64_t)arg[0], counter = (uint64_t)arg[1];
    uint32_t k[3] = {(uint32_t)key, (uint32_t)(key >> 32), PARITY};
    k[2] ^= k[0] ^ k[1];
    uint32_t x = (uint32_t)counter + k[0];
    uint32_t y = (uint32_t)(counter >> 32) + k[1];
    for (int i = 0; i < ROUNDS; i++) {
        x += y;
        y = rotate(y, rotation[i % 8]) ^ x;
        if (i % 4 == 3) {
            uint32_t s = (uint32_t)i / 4 + 1;
            x += k[s % 3];
            y += k[(s + 1) % 3] + s;
        }
    }
    return (int64_t)((uint64_t)y << 32 | x);
}

/* float64 holds keys and bits to 53 bits only; where they are larger, eval_int
 * is the reference. */
static double random_bits_eval(const double *x)
{
    int64_t arg[2];
    for (int i = 0; i < 2; i++) {
        bool fits = fabs(x[i]) < 0x1p63;
        arg[i] = fits ? (int64_t)x[i] : INT64_MAX;
    }
    return (double)threefry(arg);
}

static bool random_bits_infer(Graph *g, Node *n)
{
    (void)g;
    n->dtype = DT_i64;
    return n->arg[0]->dtype == DT_key && n->arg[1]->dtype == DT_i64 &&
           infer_same_shape(n);
}

static Val *lower_rotate(Lower *l, Val *x, int r)
{
    Val *right = low_ishr(l, x, 32 - r);
    return low_ior(l, low_ishl(l, x, r), right);
}

/* The same in 32-bit lanes. */
static Val *lower_threefry(Lower *l, Val *const *arg)
{
    Val *k[3] = {low_convert(l, DT_i32, arg[0]),
                 low_convert(l, DT_i32, low_ishr(l, arg[0], 32)),
                 low_int(l, DT_i32, PARITY)};
    k[2] = low_ixor(l, k[2], low_ixor(l, k[0], k[1]));
    Val *x = low_iadd(l, low_convert(l, DT_i32, arg[1]), k[0]);
    Val *y = low_convert(l, DT_i32, low_ishr(l, arg[1], 32));
    y = low_iadd(l, y, k[1]);
    for (int i = 0; i < ROUNDS; i++) {
        x = low_iadd(l, x, y);
        y = low_ixor(l, lower_rotate(l, y, rotation[i % 8]), x);
        if (i % 4 == 3) {
            int s = i / 4 + 1;
            x = low_iadd(l, x, k[s % 3]);
            y = low_iadd(l, y, k[(s + 1) % 3]);
            y = low_iadd(l, y, low_int(l, DT_i32, s));
        }
    }
    Val *low =
        low_iand(l, low_convert(l, DT_i64, x), low_int(l, DT_i64, UINT32_MAX));
    return low_ior(l, low_ishl(l, low_convert(l, DT_i64, y), 32), low);
}

static Val *random_bits_lower(Lower *l, const Node *n, Val *const *x)
{
    (void)n;
    return low_shared(l, "threefry", lower_threefry, 2, x);
}

const Op op_random_bits = {
    ELEMENTWISE(random_bits, 2, ON_any),
    .flags = OP_COSTLY,
    .doc = "64 random bits, a function of key and counter",
    .shown = {FORM_call, "random_bits", "random_bits", NULL},
    .infer = random_bits_infer,
    .eval = random_bits_eval,
    .eval_int = threefry,
    .lower = random_bits_lower,
};

Node *g_random_bits(Graph *g, Node *key, Node *counter)
{
    return g2(g, OP_random_bits, key, counter);
}

/* The bits for element i of that shape at counter stride*i + offset. */
static Node *element_bits(Graph *g, Node *key, int rank, const Dim *const *dim,
                          int stride, int offset)
{
    Node *counter = g_iota(g, DT_i64, dim_product(g, rank, dim));
    counter = g_reshape(g, counter, rank, dim);
    counter = g2(g, OP_mul, counter, g_fill(g, counter, stride));
    counter = g2(g, OP_add, counter, g_fill(g, counter, offset));
    return g_random_bits(g, g_broadcast_to(g, key, rank, dim), counter);
}

/* (k + add)/2^n as t, for integers k in -2^(n-1) … 2^(n-1) moved to
 * 0 … 2^n - 1. All steps are exact. */
static Node *fraction(Graph *g, DType t, Node *k, int n, double add)
{
    k = g2(g, OP_add, k, g_fill(g, k, ldexp(1, n - 1) + add));
    /* 25 bits go into i32, which vectors convert faster. */
    k = n < 31 ? g_cast(g, DT_i32, k) : k;
    return g_scale(g, g_cast(g, t, k), ldexp(1, -n));
}

/* The number of bits of a fraction: as many as t holds. */
static int fraction_bits(DType t) { return t == DT_f32 ? 24 : 53; }

/* The topmost n of 64 bits, as a signed number. */
static Node *top_bits(Graph *g, Node *bits, int n)
{
    return g2(g, OP_div, bits, g_fill(g, bits, ldexp(1, 64 - n)));
}

Node *g_uniform(Graph *g, DType t, Node *key, int rank, const Dim *const *dim)
{
    int n = fraction_bits(t);
    Node *bits = element_bits(g, key, rank, dim, 1, 0);
    return fraction(g, t, top_bits(g, bits, n), n, 0);
}

/* Two fractions for each element: u in (0, 1], v in [0, 1). 24 bits each come
 * from one draw, 53 need two. */
static void two_uniforms(Graph *g, DType t, Node *key, int rank,
                         const Dim *const *dim, Node **u, Node **v)
{
    int n = fraction_bits(t);
    bool two = n > 32;
    Node *a = element_bits(g, key, rank, dim, two ? 2 : 1, 0);
    *u = fraction(g, t, top_bits(g, a, n), n, 1);
    if (two) {
        Node *b = element_bits(g, key, rank, dim, 2, 1);
        *v = fraction(g, t, top_bits(g, b, n), n, 0);
    } else {
        double half = ldexp(1, n - 1);
        Node *low = g2(g, OP_mod, a, g_fill(g, a, 2 * half));
        low = g2(g, OP_sub, low, g_fill(g, low, half));
        *v = fraction(g, t, low, n, 0);
    }
}

/* sqrt(2 |log u|) cos(2πv), which tells that there is a root for 0 < u <= 1.
 * (Box, Muller 1958) */
Node *g_normal(Graph *g, DType t, Node *key, int rank, const Dim *const *dim)
{
    Node *u, *v;
    two_uniforms(g, t, key, rank, dim, &u, &v);
    Node *log_u = g1(g, OP_abs, g1(g, OP_log, u));
    Node *radius = g1(g, OP_sqrt, g_scale(g, log_u, 2));
    Node *angle = g_scale(g, v, 6.283185307179586477);
    return g2(g, OP_mul, radius, g1(g, OP_cos, angle));
}

/* Derived keys have counters from -1 down, elements from 0 up. */
Node *g_split_each(Graph *g, Node *key, Node *i)
{
    Node *counter = g2(g, OP_sub, g_fill(g, i, -1), i);
    key = g_broadcast_to(g, key, i->rank, i->dim);
    return g_cast(g, DT_key, g_random_bits(g, key, counter));
}

Node *g_split(Graph *g, Node *key, int64_t i)
{
    return g_split_each(g, key, g_const_int(g, DT_i64, i));
}
