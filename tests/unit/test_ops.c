/* test_ops.c: the operator table, each row against its own reference. */
#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "lower_sim.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

static Arena *arena;
static Graph *g;
static uint64_t seed;

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
    seed = 88172645463325252u;
}

static void teardown(void) { arena_free(arena); }

/* Marsaglia's xorshift. */
static uint64_t draw_bits(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static double draw(double lo, double hi)
{
    return lo + (hi - lo) * (double)(draw_bits() >> 11) * 0x1p-53;
}

static Node *scalar(DType t, const char *name)
{
    return g_param(g, t, 0, NULL, name);
}

/* The operator on new parameters of dtype t; polygamma's order is 1, what
 * strong_mul multiplies by can be infinite. */
static Node *on_params(OpId op, DType t)
{
    static const char *const name[3] = {"x", "y", "z"};
    const Op *row = op_table[op];
    Node *arg[3];
    for (int i = 0; i < row->arity; i++) {
        bool condition = op == OP_where && i == 0;
        bool key = op == OP_random_bits && i == 0;
        arg[i] = scalar(condition ? DT_bool : key ? DT_key : t, name[i]);
    }
    if (op_table[op]->flags & OP_ORDER) {
        arg[0] = g_const(g, t, 1);
    }
    if (op == OP_strong_mul) {
        arg[1] = g1(g, OP_log, arg[1]);
    }
    return graph_make(g, op, t, row->arity, arg, NULL);
}

static bool is_ewise(OpId op)
{
    /* index_check's value depends on more than its argument. */
    return op_table[op]->cls == OPC_ewise && op != OP_index_check;
}

static bool takes(OpId op, DType t) { return op_table[op]->takes >> t & 1; }

/* Every row says what its class needs. */

START_TEST(row_is_complete)
{
    const Op *row = op_table[_i];
    ck_assert_ptr_nonnull(row);
    ck_assert_ptr_nonnull(row->name);
    ck_assert_ptr_nonnull(row->doc);
    ck_assert(!(row->flags & OP_COMMUTES) || row->arity == 2);
    ck_assert(!row->text || row->prec > PREC_atom || row->text[0] == '(');
    for (int k = 0; k < _i && op_surface(_i); k++)
        ck_assert(op_table[k]->cls != row->cls || !op_surface(k) ||
                  strcmp(op_surface(k), op_surface(_i)) != 0);
    if (row->cls == OPC_ewise) {
        ck_assert(row->arity >= 1 && row->arity <= 3);
        ck_assert(row->takes != 0);
        ck_assert(op_has_lower(row));
        ck_assert(op_has_eval(row) || row->eval_tensor);
        ck_assert(row->infer || !op_has_partial(row) || op_has_eval(row));
    } else if (row->cls == OPC_region) {
        ck_assert(row->infer && !row->eval_tensor); /* eval/ makes the steps */
    } else if (row->cls != OPC_leaf) {
        ck_assert(row->infer && row->eval_tensor);
    }
}
END_TEST

/* Partial derivatives against central differences. */

static double value_of(Node *n, Node *const *p, const double *x, int np)
{
    EvalInput in[3];
    int k = 0;
    double *out;
    for (int i = 0; i < np; i++) {
        if (p[i]->op == OP_param) {
            in[k++] = (EvalInput){p[i], &x[i]};
        }
    }
    ck_assert(eval_nodes(arena, g, 1, &n, k, in, 0, NULL, NULL, &out) ==
              EVAL_OK);
    return out[0];
}

static void check_partial(const Node *n, int i, Node *d)
{
    const Op *row = op_table[n->op];
    bool given = row->domain[1] != 0;
    for (int k = 0; k < 30; k++) {
        double x[3] = {0}, up[3], down[3], h = 1e-5;
        for (int j = 0; j < n->narg; j++) {
            x[j] = given ? draw(row->domain[0], row->domain[1]) : draw(-2, 2);
            x[j] = n->arg[j]->op == OP_const ? const_value(n->arg[j]) : x[j];
        }
        memcpy(up, x, sizeof x);
        memcpy(down, x, sizeof x);
        up[i] += h;
        down[i] -= h;
        double slope = (op_eval(row, up) - op_eval(row, down)) / (2 * h);
        double v = d ? value_of(d, n->arg, x, n->narg) : 0;
        ck_assert_msg(fabs(v - slope) <= 1e-6 * (1 + fabs(slope)),
                      "%s: partial %d at %g, %g is %g, not %g", row->name, i,
                      x[0], x[1], v, slope);
    }
}

/* ∂n/∂arg i, or NULL. */
static Node *partial_of(Node *n, int i)
{
    const Op *row = op_table[n->op];
    Node *dx[3] = {NULL};
    if (op_has_partial(row))
        return op_partial(g, n, i);
    if (row->vjp)
        row->vjp(g, n, g_fill(g, n, 1), dx);
    return dx[i];
}

START_TEST(partials_are_slopes)
{
    const Op *row = op_table[_i];
    if (!is_ewise(_i) || !takes(_i, DT_f64) ||
        (row->infer && !op_has_partial(row)) || row->flags & OP_TO_BOOL ||
        _i == OP_stop) {
        return;
    }
    Node *n = on_params(_i, DT_f64);
    for (int i = 0; i < row->arity; i++) {
        if (n->arg[i]->op == OP_param && n->op != OP_strong_mul) {
            check_partial(n, i, partial_of(n, i));
        }
    }
}
END_TEST

/* Machine code against the reference. */

enum { MODES = 7, DRAWS = 600 };

static const double special[] = {
    0,    -0.0,      1,          -1,       2,        -2,
    3,    -3,        0.5,        -0.5,     1.5,      2.5,
    -1.5, 4,         8,          10,       INFINITY, -INFINITY,
    NAN,  5e-324,    1e-310,     2.3e-308, 1.7e308,  -1.7e308,
    3e38, -3e38,     1e-40,      1e-45,    709.5,    710.2,
    -745, -709,      88.5,       89,       -103,     -88,
    1e5,  1e9,       12345678.9, -1e9,     1e15,     0.9999999,
    1e-8, -1e-8,     20,         -20,      170.5,    3.14159265358979323846,
    355,  1.0000001,
};

/* A real argument: near 0, moderate, of any magnitude, special, an integer,
 * log-uniform, or near a multiple of π/2. */
static double draw_real(DType t, int mode)
{
    int n = (int)(sizeof special / sizeof *special);
    int e = (int)draw(t == DT_f32 ? -149 : -1070, t == DT_f32 ? 128 : 1023);
    double sign = draw_bits() & 1 ? 1 : -1, v = 0;
    switch (mode) {
    case 0:
        v = draw(-3, 3);
        break;
    case 1:
        v = draw(-50, 50);
        break;
    case 2:
        v = sign * ldexp(draw(1, 2), e);
        break;
    case 3:
        v = special[draw_bits() % (uint64_t)n];
        break;
    case 4:
        v = floor(draw(-20, 21));
        break;
    case 5:
        v = sign * exp(draw(-20, 20));
        break;
    case 6:
        v = floor(draw(-20, 21)) * 1.57079632679489661923;
        break;
    }
    return t == DT_f32 ? (double)(float)v : v;
}

/* These have zeros between the integers, near which no digits are promised: the
 * error is measured against the terms that cancel there. */
static double scale_of(OpId op, double ref)
{
    bool zeros = op == OP_lgamma || op == OP_digamma || op == OP_polygamma ||
                 op == OP_lbeta || op == OP_logaddexp;
    if (op == OP_erfcx_integral)
        return 6 * fabs(ref); /* at the end of a recurrence */
    return zeros ? fmax(fabs(ref), 4) : fabs(ref);
}

static void check_real(const Node *n, DType t, const double *x)
{
    SimValue s[3];
    double tol = t == DT_f32 ? 1e-6 : 2e-15;
    for (int i = 0; i < n->narg; i++) {
        s[i] = sim_value(n->arg[i]->dtype, x[i]);
    }
    double ref = dtype_fit(n->dtype, op_eval(op_table[n->op], x));
    double got = sim_number(n->dtype, sim_lower(n, s));
    double tiny = t == DT_f32 ? 1e-38 : 1e-300;
    bool same = (isnan(ref) && isnan(got)) || ref == got ||
                fabs(got - ref) <= tol * scale_of(n->op, ref) + tiny;
    ck_assert_msg(same, "%s(%.17g, %.17g) in %s is %.17g, not %.17g",
                  op_table[n->op]->name, x[0], x[1], dtype_name(t), got, ref);
}

static void sweep_real(OpId op, DType t)
{
    if (!takes(op, t) || op == OP_random_bits) {
        return;
    }
    Node *n = on_params(op, t);
    for (int mode = 0; mode < MODES; mode++) {
        for (int k = 0; k < DRAWS; k++) {
            /* One argument in three meets a special value. */
            double x[3] = {draw_real(t, mode),
                           draw_real(t, draw_bits() % 3 ? mode : 3),
                           draw_real(t, draw_bits() % 3 ? mode : 3)};
            if (op == OP_where) {
                x[0] = draw_bits() & 1;
            }
            if (op_table[op]->flags & OP_ORDER) {
                x[0] = 1;
            }
            check_real(n, t, x);
        }
    }
}

START_TEST(lowering_of_reals)
{
    for (int fused = 0; fused < 2; fused++) {
        sim_fused(fused);
        if (is_ewise(_i) && op_has_eval(op_table[_i])) {
            sweep_real(_i, DT_f32);
            sweep_real(_i, DT_f64);
        }
    }
}
END_TEST

/* What the scheduler takes an operator to be is what its code is. */
START_TEST(weights)
{
    DType t = takes(_i, DT_f32) ? DT_f32 : takes(_i, DT_i32) ? DT_i32 : DT_i64;
    if (!is_ewise(_i) || !takes(_i, t) || !op_has_lower(op_table[_i]) ||
        _i == OP_cast || _i == OP_random_bits) {
        return;
    }
    Node *n = on_params(_i, t);
    SimValue s[3];
    for (int i = 0; i < n->narg; i++) {
        s[i] = sim_value(n->arg[i]->dtype, 1);
    }
    sim_fused(true);
    sim_lower(n, s);
    int is = sim_weight(), said = op_weight(_i);
    ck_assert_msg(is <= 2 * said + 4 && said <= 2 * is + 4,
                  "%s is %d instructions, its weight %d", op_table[_i]->name,
                  is, said);
}
END_TEST

/* f32 on machines that have nothing else. */
START_TEST(lowering_without_f64)
{
    sim_f64(false);
    for (int fused = 0; fused < 2; fused++) {
        sim_fused(fused);
        if (is_ewise(_i) && op_has_eval(op_table[_i])) {
            sweep_real(_i, DT_f32);
        }
    }
    sim_f64(true);
}
END_TEST

/* An integer: small, at an end of its dtype, or any. */
static int64_t draw_int(DType t)
{
    static const int64_t ends[] = {0,         1,         -1,        255,
                                   INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    uint64_t r = draw_bits() % 3;
    int64_t v = r == 0   ? (int64_t)(draw_bits() % 41) - 20
                : r == 1 ? ends[draw_bits() % 8]
                         : (int64_t)draw_bits();
    return dtype_wrap(t, v);
}

static void sweep_int(OpId op, DType t)
{
    const Op *row = op_table[op];
    if (!takes(op, t) || (op == OP_random_bits && t != DT_i64)) {
        return;
    }
    Node *n = on_params(op, t);
    /* |u8| and stop(int) are their argument. */
    for (int k = 0; k < 3000 && n->op == op; k++) {
        SimValue s[3] = {{0}};
        int64_t x[3] = {0};
        double d[3];
        for (int i = 0; i < n->narg; i++) {
            DType a = n->arg[i]->dtype;
            x[i] = a == DT_bool ? (int64_t)(draw_bits() & 1) : draw_int(a);
            d[i] = (double)x[i];
            s[i].i = x[i];
            if (a == DT_bool) {
                s[i].b = x[i] != 0;
            }
        }
        int64_t ref =
            row->eval_int ? row->eval_int(x) : (int64_t)op_eval(row, d);
        SimValue v = sim_lower(n, s);
        int64_t got = n->dtype == DT_bool ? v.b : v.i;
        ck_assert_msg(got == dtype_wrap(n->dtype, ref),
                      "%s(%lld, %lld) in %s is %lld, not %lld", row->name,
                      (long long)x[0], (long long)x[1], dtype_name(t),
                      (long long)got, (long long)ref);
    }
}

START_TEST(lowering_of_integers)
{
    static const DType t[] = {DT_bool, DT_u8, DT_i32, DT_i64};
    for (int i = 0; i < 4 && is_ewise(_i) && op_has_eval(op_table[_i]); i++) {
        sweep_int(_i, t[i]);
    }
}
END_TEST

/* x in dtype a, cast to b by the machine code and by the evaluator. */
static void check_cast(DType a, DType b, double x)
{
    Node *p = scalar(a, "x"), *n = g_cast(g, b, p);
    SimValue s = sim_value(a, x);
    double exact = sim_number(a, s);
    /* Past 2^53 float64 is no reference for integers. */
    if (n == p || (a == DT_i64 && fabs(exact) > 0x1p53)) {
        return;
    }
    double got = sim_number(b, sim_lower(n, &s));
    double ref = value_of(n, &p, &exact, 1);
    ck_assert_msg(got == ref || (isnan(got) && isnan(ref)),
                  "%s(%.17g) from %s is %.17g, not %.17g", dtype_name(b), exact,
                  dtype_name(a), got, ref);
}

START_TEST(casts)
{
    for (DType a = DT_bool; a < DT_key; a++) {
        for (DType b = DT_bool; b < DT_key; b++) {
            for (int k = 0; k < 200; k++) {
                check_cast(a, b, draw_real(DT_f32, k % MODES));
            }
        }
    }
}
END_TEST

/* Random numbers. */

START_TEST(threefry_known_answers)
{
    /* Random123's kat_vectors, threefry2x32 with 20 rounds. */
    static const uint32_t kat[3][6] = {
        {0, 0, 0, 0, 0x6b200159, 0x99ba4efe},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc,
         0xbb002be7},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c,
         0x483df7a0},
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *k = kat[i];
        int64_t counter = (int64_t)((uint64_t)k[1] << 32 | k[0]);
        int64_t x[2] = {(int64_t)((uint64_t)k[3] << 32 | k[2]), counter};
        uint64_t r = (uint64_t)op_random_bits.eval_int(x);
        ck_assert_uint_eq((uint32_t)r, k[4]);
        ck_assert_uint_eq((uint32_t)(r >> 32), k[5]);
        SimValue s[2] = {{.i = x[0]}, {.i = x[1]}};
        Node *n = on_params(OP_random_bits, DT_i64);
        ck_assert(sim_lower(n, s).i == (int64_t)r);
    }
}
END_TEST

enum { SAMPLES = 20000 };

static double *sample(DType t, bool normal, int64_t key)
{
    const Dim *dim[2] = {dim_const(g, SAMPLES / 100), dim_const(g, 100)};
    Node *k = g_split(g, g_const_int(g, DT_key, key), 3);
    Node *n = normal ? g_normal(g, t, k, 2, dim) : g_uniform(g, t, k, 2, dim);
    double *out;
    ck_assert(eval_nodes(arena, g, 1, &n, 0, NULL, 0, NULL, NULL, &out) ==
              EVAL_OK);
    return out;
}

static double moment(const double *x, double centre, int power)
{
    double sum = 0;
    for (int i = 0; i < SAMPLES; i++) {
        sum += pow(x[i] - centre, power);
    }
    return sum / SAMPLES;
}

START_TEST(uniform_is_uniform)
{
    DType t = _i ? DT_f64 : DT_f32;
    double *x = sample(t, false, INT64_MAX - 12345);
    for (int i = 0; i < SAMPLES; i++) {
        ck_assert(x[i] >= 0 && x[i] < 1);
    }
    ck_assert(fabs(moment(x, 0, 1) - 0.5) < 0.01);
    ck_assert(fabs(moment(x, 0.5, 2) - 1.0 / 12) < 0.003);
    ck_assert(fabs(moment(x, 0.5, 4) - 1.0 / 80) < 0.001);
}
END_TEST

START_TEST(normal_is_normal)
{
    double *x = sample(_i ? DT_f64 : DT_f32, true, 7);
    double lag = 0;
    ck_assert(fabs(moment(x, 0, 1)) < 0.03);
    ck_assert(fabs(moment(x, 0, 2) - 1) < 0.04);
    ck_assert(fabs(moment(x, 0, 3)) < 0.1);
    ck_assert(fabs(moment(x, 0, 4) - 3) < 0.3);
    for (int i = 1; i < SAMPLES; i++) {
        lag += x[i] * x[i - 1];
    }
    ck_assert(fabs(lag / SAMPLES) < 0.03);
}
END_TEST

/* Identities: both sides are the same node. */

static Node *x, *y, *s, *b, *one, *size;

/* x, y: real[3, 4]; s: a scalar broadcast; size: a dimension; b: it, broadcast.
 */
static void operands(void)
{
    const Dim *dim[2] = {dim_const(g, 3), dim_const(g, 4)};
    x = g_param(g, DT_f64, 2, dim, "x");
    y = g_param(g, DT_f64, 2, dim, "y");
    s = g_fill_like(g, x, scalar(DT_f64, "s"));
    size = g_dim(g, DT_f64, dim_var(g, "b"));
    b = g_fill_like(g, x, size);
    one = g_fill(g, x, 1);
}

static Node *num(double v) { return g_fill(g, x, v); }

static Node *add(Node *p, Node *q) { return g2(g, OP_add, p, q); }

static Node *sub(Node *p, Node *q) { return g2(g, OP_sub, p, q); }

static Node *mul(Node *p, Node *q) { return g2(g, OP_mul, p, q); }

static Node *quo(Node *p, Node *q) { return g2(g, OP_div, p, q); }

static Node *neg(Node *p) { return g1(g, OP_neg, p); }

static Node *power(Node *p, double e) { return g2(g, OP_pow, p, num(e)); }

START_TEST(units_and_signs)
{
    operands();
    ck_assert_ptr_eq(mul(x, one), x);
    ck_assert_ptr_eq(add(x, num(0)), x);
    ck_assert_ptr_eq(sub(x, num(0)), x);
    ck_assert_ptr_eq(quo(x, one), x);
    ck_assert_ptr_eq(neg(neg(x)), x);
    ck_assert_ptr_eq(add(x, neg(y)), sub(x, y));
    ck_assert_ptr_eq(add(neg(x), y), sub(y, x));
    ck_assert_ptr_eq(sub(x, neg(y)), add(x, y));
    ck_assert_ptr_eq(mul(neg(x), y), neg(mul(x, y)));
    ck_assert_ptr_eq(mul(neg(x), neg(y)), mul(x, y));
    ck_assert_ptr_eq(neg(sub(x, y)), sub(y, x));
    ck_assert_ptr_eq(quo(neg(x), y), quo(x, neg(y)));
    ck_assert_ptr_eq(mul(x, num(-1)), neg(x));
    ck_assert_ptr_eq(add(x, num(-3)), sub(x, num(3)));
    ck_assert_ptr_eq(add(x, mul(y, num(-2))), sub(x, mul(y, num(2))));
    ck_assert_ptr_eq(mul(add(x, y), s), mul(add(y, x), s));
    /* what could be NaN stays */
    ck_assert_ptr_ne(sub(x, x), num(0));
    ck_assert_ptr_ne(mul(x, num(0)), num(0));
    ck_assert_ptr_ne(quo(x, x), one);
}
END_TEST

START_TEST(constants_gather)
{
    operands();
    ck_assert_ptr_eq(mul(num(2), mul(num(3), x)), mul(num(6), x));
    ck_assert_ptr_eq(add(x, x), mul(num(2), x));
    ck_assert_ptr_eq(quo(mul(num(2), x), num(2)), x);
    ck_assert_ptr_eq(mul(x, num(0.5)), quo(x, num(2)));
    ck_assert_ptr_eq(mul(quo(num(2), x), num(3)), quo(num(6), x));
    ck_assert_ptr_eq(add(mul(x, num(2)), mul(x, num(3))), mul(x, num(5)));
    /* but not past what the dtype holds */
    Node *big = mul(mul(x, num(1e300)), num(1e300));
    ck_assert_int_eq(big->op, OP_mul);
    ck_assert(!node_is_const(big->arg[0], INFINITY) &&
              !node_is_const(big->arg[1], INFINITY));
}
END_TEST

START_TEST(powers)
{
    operands();
    ck_assert_ptr_eq(power(x, 0), one);
    ck_assert_ptr_eq(power(x, 1), x);
    ck_assert_ptr_eq(power(x, 2), mul(x, x));
    ck_assert_ptr_eq(power(x, 3), mul(mul(x, x), x));
    ck_assert_ptr_eq(power(x, 4), power(power(x, 2), 2));
    ck_assert_ptr_eq(power(x, -1), quo(one, x));
    ck_assert_ptr_eq(power(x, 0.5), g1(g, OP_sqrt, x));
    /* x^2.5 has a derivative without logarithm */
    Node *n = power(x, 2.5);
    ck_assert_ptr_eq(op_partial(g, n, 0), mul(num(2.5), power(x, 1.5)));
}
END_TEST

START_TEST(scalars_move_out)
{
    operands();
    ck_assert_ptr_eq(mul(x, quo(one, b)), quo(x, b));
    ck_assert_ptr_eq(mul(quo(x, s), y), quo(mul(x, y), s));
    ck_assert_ptr_eq(add(mul(x, s), mul(y, s)), mul(add(x, y), s));
    ck_assert_ptr_eq(sub(quo(x, b), quo(y, b)), quo(sub(x, y), b));
    ck_assert_ptr_eq(quo(quo(x, b), num(3)), quo(x, mul(b, num(3))));
}
END_TEST

/* The two contributions to the logits' adjoint of a mean cross-entropy, and
 * what becomes of it behind a sigmoid, as reverse mode makes them. */
START_TEST(closed_forms)
{
    operands();
    Node *inverse =
        g_fill_like(g, x, g2(g, OP_div, g_const(g, DT_f64, 1), size));
    Node *minus = g_fill_like(g, x, g1(g, OP_neg, inverse->arg[0]));
    Node *closed = quo(sub(x, y), b);
    ck_assert_ptr_eq(add(mul(x, inverse), mul(y, minus)), closed);
    ck_assert_ptr_eq(add(mul(x, inverse), mul(y, neg(inverse))), closed);
    ck_assert_ptr_eq(add(mul(neg(inverse), y), mul(inverse, x)), closed);
    ck_assert_ptr_eq(sub(mul(x, inverse), mul(y, inverse)), closed);
    Node *n = g1(g, OP_sigmoid, y), *d = op_partial(g, n, 0);
    ck_assert_ptr_eq(d, mul(n, sub(one, n)));
    ck_assert_ptr_eq(mul(quo(x, b), d), quo(mul(x, d), b));
}
END_TEST

START_TEST(choices)
{
    operands();
    Node *c = g2(g, OP_lt, x, y), *t = g_fill(g, c, 1), *f = g_fill(g, c, 0);
    ck_assert_ptr_eq(g_where(g, t, x, y), x);
    ck_assert_ptr_eq(g_where(g, f, x, y), y);
    ck_assert_ptr_eq(g_where(g, c, x, x), x);
    ck_assert_ptr_eq(g_where(g, g1(g, OP_not, c), x, y), g_where(g, c, y, x));
    ck_assert_ptr_eq(g_where(g, c, g_where(g, c, x, y), one),
                     g_where(g, c, x, one));
    ck_assert_ptr_eq(g1(g, OP_not, g1(g, OP_not, c)), c);
    ck_assert_ptr_eq(g2(g, OP_and, c, t), c);
    ck_assert_ptr_eq(g2(g, OP_or, c, t), t);
    Node *i = scalar(DT_i32, "i");
    ck_assert(node_is_const(g2(g, OP_eq, i, i), 1));
    ck_assert(!node_is_any_const(g2(g, OP_eq, x, x)));
    Node *k = g_if(g, scalar(DT_bool, "c"), i, i);
    ck_assert_ptr_eq(k, i);
}
END_TEST

/* relu's derivative at 0 is 0 in whichever order its arguments stand. */
START_TEST(relu_at_zero)
{
    Node *p = scalar(DT_f64, "p"), *zero = g_const(g, DT_f64, 0);
    Node *n[2] = {g2(g, OP_max, p, zero), g2(g, OP_max, zero, p)};
    double at = 0;
    for (int i = 0; i < 2; i++) {
        int k = n[i]->arg[0] == p ? 0 : 1;
        Node *d = partial_of(n[i], k);
        ck_assert(value_of(d, &p, &at, 1) == 0);
    }
}
END_TEST

/* 0 ^ 0 and its like have derivatives without NaN. */
START_TEST(pow_at_zero)
{
    Node *n = on_params(OP_pow, DT_f64);
    double at[2] = {0, 0}, negative[2] = {-2, 3};
    for (int i = 0; i < 2; i++) {
        Node *d = op_partial(g, n, i);
        ck_assert(value_of(d, n->arg, at, 2) == 0);
        ck_assert(isfinite(value_of(d, n->arg, negative, 2)));
    }
}
END_TEST

/* Sums and products of 100,000 terms are made in linear time and little
 * stack. */
START_TEST(long_chains)
{
    operands();
    Node *p = x, *q = y;
    for (int i = 0; i < 100000; i++) {
        Node *t = g_fill_like(g, x, scalar(DT_f64, "t"));
        p = i % 2 ? quo(p, t) : mul(p, t);
        q = i % 2 ? quo(q, t) : mul(q, t);
        p = i % 3 ? p : neg(p);
    }
    ck_assert_ptr_nonnull(sub(p, q));
    ck_assert_ptr_nonnull(mul(p, q));
}
END_TEST

static Suite *ops_suite(void)
{
    Suite *suite = suite_create("ops");
    TCase *t = tcase_create("ops");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, row_is_complete, 0, NOPS);
    tcase_add_loop_test(t, partials_are_slopes, 0, NOPS);
    tcase_add_loop_test(t, lowering_of_reals, 0, NOPS);
    tcase_add_loop_test(t, lowering_without_f64, 0, NOPS);
    tcase_add_loop_test(t, lowering_of_integers, 0, NOPS);
    tcase_add_loop_test(t, weights, 0, NOPS);
    tcase_add_test(t, casts);
    tcase_add_test(t, threefry_known_answers);
    tcase_add_loop_test(t, uniform_is_uniform, 0, 2);
    tcase_add_loop_test(t, normal_is_normal, 0, 2);
    tcase_add_test(t, units_and_signs);
    tcase_add_test(t, constants_gather);
    tcase_add_test(t, powers);
    tcase_add_test(t, scalars_move_out);
    tcase_add_test(t, closed_forms);
    tcase_add_test(t, choices);
    tcase_add_test(t, relu_at_zero);
    tcase_add_test(t, pow_at_zero);
    tcase_add_test(t, long_chains);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void) { return run_suite(ops_suite()); }
