/* test_near_random.c: small graphs of operators that have to do with each
 * other, drawn at random so that what identities, rules and the scheduler look
 * for is often there, and as often nearly. Each is made twice, with them and as
 * it is written, and both are evaluated. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "kernel/kernel.h"
#include "kernel_sim.h"
#include "simplify/elements.h"
#include "simplify/simplify.h"
#include "strided.h"
#include "suite.h"

enum {
    PARAMS = 8,
    STEPS = 7,
    MAX_POOL = 64,
    MAX_ROOTS = 2,
    GRAPHS = 12, /* of one test */
    TESTS = 25,  /* of one theme */
    POINTS = 2,
    SIZE = 2, /* of the variable dimension, at the first point */
};

/* A graph being made. What is drawn depends on types and shapes alone, so that
 * the same seed makes the same of a graph that rewrites and one that does not.
 */
typedef struct Gen {
    Graph *g;
    uint64_t seed;
    const Dim *var;
    Node *param[PARAMS], *pool[MAX_POOL];
    int nparam, npool;
    /* By place in the pool: computed without rounding, so that operators that
     * jump may be used. */
    bool exact[MAX_POOL];
    int at;       /* the place that was picked last */
    bool rounded; /* the step under way rounds, or uses what is not exact */
    bool extreme; /* something that is no number may become one */
} Gen;

/* Draws */

static uint64_t bits(Gen *r)
{
    r->seed ^= r->seed << 13;
    r->seed ^= r->seed >> 7;
    return (r->seed ^= r->seed << 17) >> 20;
}

static int below(Gen *r, int n) { return (int)(bits(r) % (uint64_t)n); }
static bool chance(Gen *r, int percent) { return below(r, 100) < percent; }

enum { EXACT = 1 << 30 };

/* A node of these dtypes, of late ones often; with EXACT only such. */
static Node *pick(Gen *r, unsigned dtypes)
{
    for (int k = 0; k < 40; k++) {
        int few = chance(r, 50) && r->npool > 4 ? 4 : r->npool;
        int i = r->npool - 1 - below(r, few);
        Node *n = r->pool[i];

        if (dtypes >> n->dtype & 1 && (!(dtypes & EXACT) || r->exact[i])) {
            r->at = i;
            r->rounded |= !r->exact[i];
            return n;
        }
    }
    return NULL;
}

static double a_number(Gen *r, DType t)
{
    static const double real[] = {0, 1, -1, 2, -2, 0.5, -0.5, 3, 0.25, -3};
    static const double rare[] = {-0.0,   0x1p-1060, 0x1p600, 0x1p-600,
                                  0x1p90, 0x1p-90,   0x1p-130};
    static const double whole[] = {0, 1,   -1,  2,          3,       -2,
                                   4, 255, 128, 0x1p31 - 1, -0x1p31, -3};

    if (t == DT_bool)
        return below(r, 2);
    if (!dtype_is_real(t))
        return t == DT_u8 ? fabs(whole[below(r, 9)]) : whole[below(r, 12)];
    if (!chance(r, 8))
        return real[below(r, 10)];
    r->rounded = r->extreme = true;
    return dtype_fit(t, rare[below(r, 7)]);
}

/* A constant of n's dtype and shape, some of which no double holds. */
static Node *filled(Gen *r, const Node *n)
{
    int64_t far = (INT64_C(1) << 53) + 1;

    if (n->dtype == DT_i64 && chance(r, 10))
        return g_fill_like(
            r->g, n, g_const_int(r->g, DT_i64, chance(r, 50) ? far : -far));
    return g_fill(r->g, n, a_number(r, n->dtype));
}

/* Is x's shape the end of n's. */
static bool ends(const Node *n, const Node *x)
{
    if (x->rank > n->rank)
        return false;
    for (int i = 0; i < x->rank; i++)
        if (x->dim[i] != n->dim[n->rank - x->rank + i])
            return false;
    return true;
}

/* Something of n's dtype and shape. */
static Node *like(Gen *r, Node *n, bool exact)
{
    bool before = r->rounded;

    if (chance(r, 30))
        return filled(r, n);
    for (int k = 0; k < 30; k++) {
        Node *x = pick(r, 1u << n->dtype | (exact ? EXACT : 0));

        if (x && ends(n, x))
            return x->rank == n->rank
                       ? x
                       : g_broadcast_to(r->g, x, n->rank, n->dim);
        r->rounded = before;
    }
    return n;
}

/* Steps: each a node on some of the pool, or NULL. */

static const Dim *dc(const Gen *r, int64_t v) { return dim_const(r->g, v); }

/* Does its value jump where its argument does not. */
static bool jumps(OpId op)
{
    return op_table[op]->flags & OP_TO_BOOL || op == OP_floor ||
           op == OP_ceil || op == OP_round || op == OP_sign || op == OP_mod;
}

/* Is its value of small numbers one. */
static bool stays_exact(OpId op)
{
    return jumps(op) || op == OP_add || op == OP_sub || op == OP_mul ||
           op == OP_neg || op == OP_abs || op == OP_min || op == OP_max ||
           op == OP_stop;
}

/* atan2 tells 0 from -0, which no identity keeps apart. */
static bool is_usual(OpId op)
{
    const Op *row = op_table[op];

    return row->cls == OPC_ewise && row->eval && !(row->flags & OP_ORDER) &&
           op != OP_index_check && op != OP_random_bits && op != OP_where &&
           op != OP_cast && op != OP_strong_mul && op != OP_atan2 &&
           row->arity <= 2;
}

static Node *apply(Gen *r, OpId op, Node *a)
{
    bool real = dtype_is_real(a->dtype), exact = real && jumps(op);
    Node *b;

    if (exact && !r->exact[r->at])
        return NULL;
    r->rounded |= real && !stays_exact(op);
    if (op_table[op]->arity == 1)
        return g1(r->g, op, a);
    b = chance(r, 10) ? a : like(r, a, exact);
    return chance(r, 50) ? g2(r->g, op, a, b) : g2(r->g, op, b, a);
}

static Node *arithmetic(Gen *r)
{
    static const OpId op[] = {OP_add,   OP_sub, OP_mul, OP_div,   OP_neg,
                              OP_mul,   OP_add, OP_sub, OP_div,   OP_min,
                              OP_max,   OP_mod, OP_abs, OP_floor, OP_ceil,
                              OP_round, OP_sign};
    OpId o = op[below(r, chance(r, 70) ? 9 : 17)];
    Node *a = pick(r, ON_number);

    return a && op_table[o]->takes >> a->dtype & 1 ? apply(r, o, a) : NULL;
}

static Node *function(Gen *r)
{
    OpId op = below(r, NOPS);
    Node *a = pick(r, ON_real);

    return a && is_usual(op) && op_table[op]->takes >> a->dtype & 1
               ? apply(r, op, a)
               : NULL;
}

static Node *logic(Gen *r)
{
    static const OpId op[] = {OP_and, OP_or, OP_not, OP_eq, OP_ne};
    Node *a = pick(r, ON_bool);

    return a ? apply(r, op[below(r, 5)], a) : NULL;
}

static Node *comparison(Gen *r)
{
    static const OpId op[] = {OP_lt, OP_le, OP_eq, OP_ne};
    Node *a = pick(r, ON_number | EXACT);

    return a ? apply(r, op[below(r, 4)], a) : NULL;
}

static Node *choice(Gen *r)
{
    Node *c = pick(r, ON_bool), *a = pick(r, ON_any & ~(1 << DT_key));

    if (!c || !a)
        return NULL;
    if (c->rank == 0 && chance(r, 50))
        return g_if(r->g, c, a, like(r, a, false));
    if (!ends(a, c))
        return NULL;
    if (c->rank < a->rank)
        c = g_broadcast_to(r->g, c, a->rank, a->dim);
    Node *b = like(r, a, false);
    return chance(r, 50) ? g_where(r->g, c, a, b) : g_where(r->g, c, b, a);
}

static Node *conversion(Gen *r)
{
    Node *a = pick(r, ON_any & ~(1 << DT_key));
    DType t = (DType)below(r, DT_key);

    if (!a || (dtype_is_real(a->dtype) && !r->exact[r->at]))
        return NULL;
    return g_cast(r->g, t, a);
}

static Node *strong(Gen *r)
{
    Node *a = pick(r, 1 << DT_f64);

    return a ? g2(r->g, OP_strong_mul, a, like(r, a, false)) : NULL;
}

static Node *new_axes(Gen *r)
{
    Node *a = pick(r, ON_any);
    const Dim *dim[4];
    int axis[4], rank, at = 0;

    if (!a || a->rank > 2)
        return NULL;
    rank = a->rank + 1 + below(r, 2);
    for (int i = 0; i < rank; i++) {
        bool old = at < a->rank && (a->rank - at == rank - i || chance(r, 50));
        axis[i] = old ? at : -1;
        dim[i] = old             ? a->dim[at]
                 : chance(r, 70) ? dc(r, chance(r, 95) ? 1 + below(r, 3) : 0)
                                 : r->var;
        at += old;
    }
    return g_broadcast(r->g, a, rank, dim, axis);
}

static Node *turned(Gen *r)
{
    Node *a = pick(r, ON_any);
    int perm[MAX_RANK];

    if (!a || a->rank < 2)
        return NULL;
    for (int i = 0; i < a->rank; i++)
        perm[i] = i;
    for (int i = a->rank - 1; i > 0; i--) {
        int k = below(r, i + 1), was = perm[i];
        perm[i] = perm[k];
        perm[k] = was;
    }
    return g_permute(r->g, a, perm);
}

static Node *reshaped(Gen *r)
{
    Node *a = pick(r, ON_any);
    const Dim *dim[8];
    int rank = 0;

    if (!a || a->rank > 3)
        return NULL;
    /* Neighbours become one axis, sixes two, and ones come and go. */
    for (int i = 0; i < a->rank; i++) {
        if (dim_is(a->dim[i], 1) && chance(r, 60))
            continue;
        if (dim_is(a->dim[i], 6) && chance(r, 60)) {
            int k = 2 + below(r, 2);
            dim[rank++] = dc(r, k);
            dim[rank++] = dc(r, 6 / k);
        } else if (rank > 0 && chance(r, 40))
            dim[rank - 1] = dim_mul(r->g, dim[rank - 1], a->dim[i]);
        else
            dim[rank++] = a->dim[i];
        if (chance(r, 15) && rank < 4)
            dim[rank++] = dc(r, 1);
    }
    return rank <= 4 ? g_reshape(r->g, a, rank, dim) : NULL;
}

/* The same elements under axes of other factors, or of the same in another
 * order. */
static Node *regrouped(Gen *r)
{
    Node *a = pick(r, ON_any);
    const Dim *factor[2 * MAX_RANK], *dim[2 * MAX_RANK];
    int n = 0, rank = 0;

    if (!a || a->rank > 3)
        return NULL;
    for (int i = 0; i < a->rank; i++)
        if (dim_is(a->dim[i], 6)) {
            factor[n++] = dc(r, 2);
            factor[n++] = dc(r, 3);
        } else
            factor[n++] = a->dim[i];
    for (int i = n - 1; i > 0; i--) {
        int k = below(r, i + 1);
        const Dim *was = factor[i];
        factor[i] = factor[k];
        factor[k] = was;
    }
    for (int i = 0; i < n; i++)
        if (rank > 0 && chance(r, 30))
            dim[rank - 1] = dim_mul(r->g, dim[rank - 1], factor[i]);
        else
            dim[rank++] = factor[i];
    return rank <= 4 ? g_reshape(r->g, a, rank, dim) : NULL;
}

static Node *cut(Gen *r)
{
    Node *a = pick(r, ON_any);
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    int64_t n;

    if (!a || a->rank == 0)
        return NULL;
    for (int i = 0; i < a->rank; i++) {
        start[i] = dc(r, 0);
        size[i] = a->dim[i];
        step[i] = 1;
        if (dim_const_value(a->dim[i], &n) && n > 0 && chance(r, 60)) {
            int first = below(r, (int)n);
            step[i] = 1 + below(r, 2);
            start[i] = dc(r, first);
            size[i] = dc(r, 1 + below(r, ((int)n - 1 - first) / step[i] + 1));
            if (chance(r, 5)) { /* one that sizes decide */
                start[i] = dim_mod(r->g, r->var, a->dim[i]);
                size[i] = dc(r, 1);
            }
        } else if (a->dim[i] == r->var && chance(r, 30)) {
            start[i] = dc(r, below(r, 2));
            size[i] = dim_sub(r->g, r->var, dc(r, 1));
        }
    }
    return g_slice(r->g, a, start, size, step);
}

static Node *padded(Gen *r)
{
    Node *a = pick(r, ON_number);
    const Dim *lo[MAX_RANK], *dim[MAX_RANK];
    int step[MAX_RANK];

    if (!a || a->rank == 0)
        return NULL;
    for (int i = 0; i < a->rank; i++) {
        bool wide = chance(r, 50);
        int first = wide ? below(r, 3) : 0, more = wide ? below(r, 2) : 0;
        step[i] = wide ? 1 + below(r, 2) : 1;
        lo[i] = dc(r, first);
        dim[i] = dim_mul(r->g, a->dim[i], dc(r, step[i]));
        dim[i] = dim_add(r->g, dim[i], dc(r, first + more));
    }
    return g_pad(r->g, a, lo, dim, step);
}

static Node *flipped(Gen *r)
{
    Node *a = pick(r, ON_any);

    return a && a->rank ? g_flip(r->g, a, below(r, a->rank)) : NULL;
}

static Node *joined(Gen *r)
{
    Node *a = pick(r, ON_any), *part[3];
    int n = 2 + below(r, 2);

    if (!a || a->rank == 0)
        return NULL;
    int axis = below(r, a->rank);
    for (int k = 0; k < n; k++) {
        Node *b = pick(r, 1u << a->dtype);
        bool fits = b && b->rank == a->rank;
        for (int i = 0; fits && i < a->rank; i++)
            fits = i == axis || a->dim[i] == b->dim[i];
        part[k] = fits ? b : chance(r, 30) ? like(r, a, false) : a;
    }
    return g_concat(r->g, n, part, axis);
}

/* Steps along an axis: coefficients, sizes; where they begin and end. */
static int draw_steps(Gen *r, int64_t *size, int64_t *coef, int64_t *lo,
                      int64_t *hi)
{
    int n = chance(r, 10) ? 0 : 1 + below(r, 2);

    *lo = *hi = 0;
    for (int j = 0; j < n; j++) {
        size[j] = 1 + below(r, 3);
        coef[j] = below(r, 6) - 2;
        *(coef[j] < 0 ? lo : hi) += coef[j] * (size[j] - 1);
    }
    if (n == 2 && chance(r, 40)) { /* windows, up or down */
        for (int j = 0; j < 2; j++) {
            size[j] = 2;
            coef[j] = chance(r, 70) ? 1 : -1;
        }
        *lo = (coef[0] < 0 ? -1 : 0) + (coef[1] < 0 ? -1 : 0);
        *hi = 2 + *lo;
    } else if (n == 2 && chance(r, 40)) {
        coef[1] = 1 + below(r, 2);
        coef[0] = coef[1] * size[1];
        *lo = 0;
        *hi = coef[0] * (size[0] - 1) + coef[1] * (size[1] - 1);
    }
    return n;
}

static Node *stepped(Gen *r)
{
    Node *a = pick(r, ON_any);
    int64_t size[2], coef[2], lo, hi, all;
    const Dim *by[2], *dim[2];

    if (!a || a->rank == 0 || a->rank > 3)
        return NULL;
    int axis = below(r, a->rank), n = draw_steps(r, size, coef, &lo, &hi);
    if (!dim_const_value(a->dim[axis], &all) || hi - lo >= all)
        return NULL;
    for (int j = 0; j < n; j++) {
        dim[j] = coef[j] == 0 && chance(r, 20) ? r->var : dc(r, size[j]);
        by[j] = dc(r, coef[j]);
        if (coef[j] > 0 && chance(r, 5)) /* 0 or that */
            by[j] = dim_mul(r->g, by[j], dim_mod(r->g, r->var, dc(r, 2)));
    }
    return g_strided(r->g, a, axis,
                     dc(r, below(r, (int)(all - (hi - lo))) - lo), n, dim, by);
}

static Node *step_added(Gen *r)
{
    Node *a = pick(r, ON_number);
    int64_t size[2], coef[2], lo, hi, all;
    const Dim *by[2];

    if (!a || a->rank > 3)
        return NULL;
    int n = draw_steps(r, size, coef, &lo, &hi);
    if (n > a->rank)
        return NULL;
    int axis = below(r, a->rank - n + 1);
    lo = hi = 0;
    for (int j = 0; j < n; j++) {
        if (!dim_const_value(a->dim[axis + j], &all) || all == 0)
            return NULL;
        *(coef[j] < 0 ? &lo : &hi) += coef[j] * (all - 1);
        by[j] = dc(r, coef[j]);
    }
    int first = below(r, 3);
    return strided_add(r->g, a, axis, dc(r, first - lo), n, by,
                       dc(r, first + hi - lo + 1 + below(r, 2)));
}

static Node *reduced(Gen *r)
{
    static const OpId real[] = {OP_sum,        OP_sum,        OP_sum,
                                OP_reduce_max, OP_reduce_min, OP_prod,
                                OP_logsumexp};
    Node *a = pick(r, ON_any & ~(1 << DT_key));
    int axis[MAX_RANK], n = 0;
    OpId op;

    if (!a || a->rank == 0)
        return NULL;
    op = a->dtype == DT_bool       ? (chance(r, 50) ? OP_any : OP_all)
         : dtype_is_real(a->dtype) ? real[below(r, 7)]
                                   : real[below(r, 6)];
    for (int i = 0; i < a->rank; i++)
        if (chance(r, 60))
            axis[n++] = i;
    r->rounded |= op == OP_logsumexp;
    if (chance(r, 8) && dtype_is_real(a->dtype) && r->exact[r->at]) {
        op = chance(r, 50) ? OP_argmax : OP_argmin;
        axis[0] = below(r, a->rank);
        n = 1;
        if (a->dim[axis[0]] == dc(r, 0))
            return NULL;
    }
    return n ? g_reduce(r->g, op, a, n, axis) : NULL;
}

/* a·b with axes of one size put together as it comes. */
static Node *product_of(Gen *r, Node *a, Node *b)
{
    int la[MAX_RANK], lb[MAX_RANK], lout[2 * MAX_RANK], n = a->rank, rank = 0;
    bool used[MAX_RANK] = {false};

    if (a->rank > 3 || b->rank > 3)
        return NULL;
    for (int i = 0; i < a->rank; i++)
        la[i] = i;
    for (int k = 0; k < b->rank; k++) {
        lb[k] = -1;
        for (int i = 0; i < a->rank && lb[k] < 0; i++)
            if (!used[i] && a->dim[i] == b->dim[k] && chance(r, 75)) {
                lb[k] = i;
                used[i] = true;
            }
        if (lb[k] < 0)
            lb[k] = n++;
    }
    for (int i = 0; i < n; i++)
        if (chance(r, 55))
            lout[rank++] = i;
    for (int i = rank - 1; i > 0 && chance(r, 50); i--) {
        int k = below(r, i + 1), was = lout[i];
        lout[i] = lout[k];
        lout[k] = was;
    }
    return rank <= 4 ? g_contract(r->g, a, la, b, lb, rank, lout) : NULL;
}

static Node *product(Gen *r)
{
    Node *a = pick(r, ON_real), *b = a ? pick(r, 1u << a->dtype) : NULL;

    return b ? product_of(r, a, b) : NULL;
}

/* Indices, most of them inside of 0 … 2. */
static Node *index_from(Gen *r)
{
    static const double some[][3] = {
        {0, 2, 1}, {1, 1, 0}, {0, 1, 2}, {2, 1, 0}, {0, 0, 0}};
    const Dim *three = dc(r, 3);
    DType t = chance(r, 50) ? DT_i32 : DT_i64;
    Node *n;

    switch (below(r, 12)) {
    case 0:
        return g_data(r->g, t, 1, &three, some[below(r, 5)]);
    case 6: /* any numbers, the same each time */
        n = g_const_int(r->g, DT_key, below(r, 5));
        n = g_broadcast_to(r->g, n, 1, &three);
        n = g_random_bits(r->g, n, g_iota(r->g, DT_i64, three));
        return g2(r->g, OP_mod, n, g_fill(r->g, n, 3));
    case 11:
        n = g_data(r->g, t, 2, (const Dim *[]){dc(r, 2), three},
                   (const double[]){0, 2, 1, 1, 0, 2});
        return chance(r, 50) ? n : g_permute(r->g, n, (int[]){1, 0});
    case 8: /* steps that are not even */
        n = g_iota(r->g, t, dc(r, 2));
        return g2(r->g, OP_mul, n, n);
    case 9: /* one after the other down the columns */
        n = g_iota(r->g, t, dc(r, 4));
        n = g_reshape(r->g, n, 2, (const Dim *[]){dc(r, 2), dc(r, 2)});
        n = g_permute(r->g, n, (int[]){1, 0});
        return g_reshape(r->g, n, 1, (const Dim *[]){dc(r, 4)});
    case 10: /* from 0 again */
        n = g_cast(r->g, DT_u8, g_iota(r->g, t, three));
        n = g2(r->g, OP_add, n, g_fill(r->g, n, 255));
        return g_cast(r->g, t, g2(r->g, OP_add, n, g_fill(r->g, n, 1)));
    case 7:
        n = g_data(r->g, t, 1, &three, some[below(r, 5)]);
        n = g_concat(r->g, 4, (Node *[]){n, n, n, n}, 0);
        return g2(r->g, OP_mod, g2(r->g, OP_mul, n, n), g_fill(r->g, n, 3));
    case 1:
        return g_iota(r->g, t, dc(r, 1 + below(r, 3)));
    case 2:
        n = g_iota(r->g, t, r->var);
        return chance(r, 50) ? n : g2(r->g, OP_add, n, g_fill(r->g, n, 1));
    case 3:
        return g_const_int(r->g, t, below(r, 5) - 1);
    case 4:
        n = pick(r, ON_int);
        return n && n->rank < 3 ? g_index_check(r->g, n, three) : NULL;
    }
    n = pick(r, ON_int);
    return n && n->rank < 3 ? n : NULL;
}

static Node *sorted(Gen *r)
{
    Node *a = pick(r, ON_real | EXACT);

    return a && a->rank ? g_argsort(r->g, a, chance(r, 50)) : NULL;
}

/* An index as something to compute with. */
static Node *counter(Gen *r)
{
    Node *n = index_from(r);

    if (n && n->rank == 1 && chance(r, 20)) { /* wraps, or may */
        n = g_cast(r->g, DT_u8, n);
        return g2(r->g, OP_add, n, g_fill(r->g, n, 254 + below(r, 2)));
    }
    return n && chance(r, 10) ? g_cast(r->g, DT_f64, n) : n;
}

static Node *gathered(Gen *r)
{
    Node *a = pick(r, ON_any), *index = index_from(r);

    if (!a || !index || a->rank == 0 || a->rank > 3)
        return NULL;
    return g_gather(r->g, a, index, below(r, a->rank));
}

static Node *scattered(Gen *r)
{
    Node *a = pick(r, ON_number), *index = index_from(r);

    if (!a || !index || a->rank > 3)
        return NULL;
    for (int axis = 0; axis + index->rank <= a->rank; axis++) {
        bool fits = true;
        for (int i = 0; i < index->rank; i++)
            fits &= a->dim[axis + i] == index->dim[i];
        if (fits && chance(r, 70))
            return g_scatter_add(r->g, a, index, axis,
                                 chance(r, 70) ? dc(r, 3)
                                 : chance(r, 50)
                                     ? r->var
                                     : dim_add(r->g, r->var, dc(r, 1)));
    }
    return NULL;
}

/* A counter along one axis, compared with an index along others: one-hot. */
static Node *places(Gen *r)
{
    static const OpId op[] = {OP_eq, OP_eq, OP_eq, OP_eq, OP_ne, OP_le};
    Node *q = index_from(r);
    const Dim *n = chance(r, 70) ? dc(r, chance(r, 60) ? 3 : 20) : r->var;
    int axis[3] = {-1, -1, -1}, at = 0;
    const Dim *dim[3];

    if (!q || q->rank > 2)
        return NULL;
    /* Along an axis of its own, or one that the index has. */
    int fresh = q->rank == 0 || !chance(r, 12);
    int rank = q->rank + fresh, own = below(r, rank);
    for (int i = 0; i < rank; i++) {
        bool added = fresh && i == own;
        dim[i] = added ? n : q->dim[at];
        axis[i] = added ? -1 : at++;
    }
    n = dim[own];
    Node *here = g_broadcast(r->g, q, rank, dim, axis);
    for (int i = 0; i < rank; i++)
        axis[i] = i == own ? 0 : -1;
    Node *count = g_iota(r->g, q->dtype, n);
    if (chance(r, 15))
        count = g2(r->g, OP_add, count, g_fill(r->g, count, 1));
    count = g_broadcast(r->g, count, rank, dim, axis);
    Node *c = chance(r, 50) ? g2(r->g, op[below(r, 6)], here, count)
                            : g2(r->g, op[below(r, 6)], count, here);
    if (chance(r, 15)) {
        Node *mask = pick(r, ON_bool);
        if (mask && ends(c, mask))
            c = g2(r->g, OP_and, c, g_broadcast_to(r->g, mask, rank, dim));
    }
    switch (below(r, 4)) {
    case 0:
        return c;
    case 1:
        r->extreme = true;
        return g_cast(r->g, DT_f64, c);
    }
    r->extreme = true; /* what is not chosen is not computed with */
    Node *x = pick(r, 1 << DT_f64);
    Node *one = g_const(r->g, DT_f64, 1);
    one = g_broadcast_to(r->g, one, rank, dim);
    x = x && ends(one, x) ? g_broadcast_to(r->g, x, rank, dim) : one;
    return g_where(r->g, c, x, g_fill(r->g, x, chance(r, 80) ? 0 : 1));
}

/* What one-hot tensors are for: products with others, sums of such. */
static Node *selection(Gen *r)
{
    Node *a = pick(r, 1 << DT_f64), *b = pick(r, 1 << DT_f64);
    int axis[MAX_RANK], n = 0;

    if (!a || !b)
        return NULL;
    if (chance(r, 50))
        return product_of(r, a, b);
    if (!ends(a, b) || a->rank == 0)
        return NULL;
    b = g_broadcast_to(r->g, b, a->rank, a->dim);
    for (int i = 0; i < a->rank; i++)
        if (chance(r, 60))
            axis[n++] = i;
    a = g2(r->g, OP_mul, a, b);
    return n ? g_reduce(r->g, OP_sum, a, n, axis) : a;
}

/* Squares and cubes of an axis: vectors along one of theirs, squares along two,
 * what two such come to, what is left where places are the same, transposes,
 * diagonals. */

static Node *along(Gen *r, Node *a, int rank)
{
    const Dim *dim[3] = {a->dim[0], a->dim[0], a->dim[0]};
    int axis[3] = {-1, -1, -1};

    if (a->rank == 2) {
        int left_out = below(r, 3);
        for (int i = 0, at = 0; i < 3; i++)
            axis[i] = i == left_out ? -1 : at++;
    } else
        axis[below(r, rank)] = 0;
    return g_broadcast(r->g, a, rank, dim, axis);
}

static bool is_square(const Node *n)
{
    return n->rank == 2 && n->dim[0] == n->dim[1];
}

static Node *pick_vector(Gen *r)
{
    Node *a = NULL;

    for (int k = 0; k < 8 && !(a && a->rank == 1); k++)
        a = pick(r, 1 << DT_f64);
    return a && a->rank == 1 ? a : NULL;
}

static Node *pick_square(Gen *r)
{
    Node *a = NULL;

    for (int k = 0; k < 8 && !(a && is_square(a)); k++)
        a = pick(r, 1 << DT_f64);
    return a && is_square(a) ? a : NULL;
}

static Node *transpose(Gen *r, Node *a)
{
    return g_permute(r->g, a, (int[]){1, 0});
}

static Node *outer(Gen *r)
{
    static const OpId op[] = {OP_mul, OP_mul, OP_mul, OP_add, OP_sub, OP_max};
    bool wide = chance(r, 20);
    Node *a = wide ? pick_square(r) : pick_vector(r);
    Node *b = chance(r, 40) ? a : pick_vector(r);
    int rank = wide || chance(r, 20) ? 3 : 2;

    if (!a || !b || a->dim[0] != b->dim[0])
        return NULL;
    a = g2(r->g, op[below(r, 6)], along(r, a, rank), along(r, b, rank));
    return chance(r, 20) ? g1(r->g, OP_neg, a) : a;
}

/* What is there where two numbers of the places are the same. */
static Node *on_diagonal(Gen *r)
{
    static const OpId op[] = {OP_eq, OP_eq, OP_eq, OP_eq, OP_le};
    Node *a = pick_vector(r), *p, *q, *x, *rest;

    if (!a)
        return NULL;
    p = g_iota(r->g, DT_i32, a->dim[0]);
    q = g2(r->g, OP_mod, p,
           g_fill(r->g, p, 2)); /* the same at several places */
    if (chance(r, 20))
        p = q;
    if (chance(r, 80))
        q = p;
    if (chance(r, 40)) /* beside it */
        q = g2(r->g, OP_add, q, g_fill(r->g, q, below(r, 5) - 2));
    p = g2(r->g, op[below(r, 5)], along(r, p, 2), along(r, q, 2));
    x = chance(r, 70) ? along(r, a, 2) : like(r, p, false);
    if (x->dtype != DT_f64)
        x = g_fill(r->g, along(r, a, 2), 2);
    r->extreme = true; /* what is not chosen is not computed with */
    rest = chance(r, 30) ? on_diagonal(r) : NULL;
    if (!rest || rest->dim[0] != x->dim[0])
        rest = chance(r, 80) ? g_fill(r->g, x, 0) : like(r, x, false);
    return g_where(r->g, p, x, rest);
}

/* Of a square and its transpose, or one that is nearly that. */
static Node *both_ways(Gen *r)
{
    static const OpId op[] = {OP_add, OP_mul, OP_max, OP_sub, OP_add};
    Node *a = pick_square(r), *b = chance(r, 80) ? a : pick_square(r);

    if (!a || !b || a->dim[0] != b->dim[0])
        return NULL;
    if (chance(r, 30))
        return transpose(r, a);
    return g2(r->g, op[below(r, 5)], a, transpose(r, b));
}

/* A product of a square with itself, or its transpose. */
static Node *gram(Gen *r)
{
    static const int labels[][2] = {{0, 2}, {1, 2}, {2, 0}, {2, 1}};
    static const int lout[] = {0, 1};
    Node *a = pick_square(r), *b = chance(r, 60) ? a : pick_square(r);
    int la = below(r, 4), lb = below(r, 4);

    if (!a || !b || a->dim[0] != b->dim[0] ||
        (la ^ lb) % 2 == 0) /* one has rows, one columns */
        return NULL;
    return g_contract(r->g, a, labels[la], b, labels[lb], 2, lout);
}

/* Of systems that a square's triangles are, for vectors and squares. */
static Node *solved(Gen *r)
{
    static const OpId op[] = {OP_factor_substitute, OP_factor_cholesky};
    Node *t = pick_square(r), *x = pick(r, 1 << DT_f64);
    const Dim *dim[MAX_RANK + 1];

    r->extreme = true; /* by 0 */
    if (!t || !x || x->rank == 0 || x->rank > 2)
        return NULL;
    if (x->rank == 1) {
        dim[0] = x->dim[0];
        dim[1] = dc(r, 1);
        x = g_reshape(r->g, x, 2, dim);
    }
    if (x->dim[0] != t->dim[0])
        return NULL;
    return chance(r, 15)
               ? g_routine(r->g, op[1], 0, 1, &t)
               : g_routine(r->g, op[0], below(r, 8), 2, (Node *[]){x, t});
}

static Node *diagonal(Gen *r)
{
    Node *a = pick(r, 1 << DT_f64);
    const Dim *dim[MAX_RANK], *n, *by;
    int axis = 0;

    while (a && axis + 1 < a->rank && a->dim[axis] != a->dim[axis + 1])
        axis++;
    if (!a || axis + 1 >= a->rank)
        return NULL;
    n = a->dim[axis];
    for (int i = 0; i < a->rank; i++)
        dim[i > axis ? i - 1 : i] = a->dim[i];
    dim[axis] = dim_mul(r->g, n, n);
    by = dim_add(r->g, n, dc(r, chance(r, 85) ? 1 : 0));
    a = g_reshape(r->g, a, a->rank - 1, dim);
    return g_strided(r->g, a, axis, dc(r, 0), 1, &n, &by);
}

/* Places in even steps along one axis or two, from before the first on. */
static Node *even_steps(Gen *r, DType t)
{
    static const int step[] = {1, 1, 1, -1, 2, 0};
    const Dim *dim[2];
    Node *sum = NULL;
    int rank = chance(r, 70) ? 1 : 2;

    for (int k = 0; k < rank; k++)
        dim[k] = chance(r, 30) ? r->var : dc(r, 2 + below(r, 3));
    for (int k = 0; k < rank; k++) {
        Node *i = g_iota(r->g, t, dim[k]);
        i = g2(r->g, OP_mul, i, g_fill(r->g, i, step[below(r, 6)]));
        i = g_broadcast(r->g, i, rank, dim,
                        k ? (int[]){-1, 0} : (int[]){0, -1});
        sum = sum ? g2(r->g, OP_add, sum, i) : i;
    }
    if (chance(r, 10))
        sum = g2(r->g, OP_mul, sum, sum);
    if (chance(r, 10)) {
        const Dim *n = dim_mul(r->g, r->var, r->var);
        Node *far = g_dim(r->g, t, dim_sub(r->g, n, r->var));
        sum = g2(r->g, OP_add, sum, g_fill_like(r->g, sum, far));
    }
    return g2(r->g, OP_add, sum, g_fill(r->g, sum, below(r, 5) - 2));
}

/* Where places are inside of 0 … d-1, or nearly so. */
static Node *where_inside(Gen *r, Node *i, const Dim *d)
{
    int first = chance(r, 60) ? 0 : below(r, 3) - 1;
    const Dim *end =
        dim_add(r->g, d, dc(r, chance(r, 60) ? 0 : below(r, 3) - 1));
    Node *low = g2(r->g, OP_le, g_fill(r->g, i, first), i);
    Node *high =
        g2(r->g, OP_lt, i, g_fill_like(r->g, i, g_dim(r->g, i->dtype, end)));

    if (chance(r, 20))
        return chance(r, 50) ? low : high;
    return g2(r->g, chance(r, 90) ? OP_and : OP_or, low, high);
}

/* Elements asked for only where a mask holds, as graph_batch() makes them; of a
 * parameter, for where no mask holds nothing else is asked for. */
static Node *masked(Gen *r)
{
    DType t = chance(r, 50) ? DT_i32 : DT_i64;
    Node *a = r->param[below(r, PARAMS)], *i = even_steps(r, t), *c, *x, *wide;
    Attr mask = {.integer = MASKED_INDEX}, check = {.ndim = 1};
    int64_t size;

    if (a->dtype != DT_f64 || a->rank == 0)
        return NULL;
    int axis = below(r, a->rank), of[MAX_RANK];
    const Dim *d = a->dim[axis], *wider = dim_add(r->g, d, dc(r, below(r, 2)));
    bool fits = dim_const_value(d, &size) && size > 0 && chance(r, 50);
    c = where_inside(r, i, d);
    if (!fits)
        i = g2(r->g, OP_max, i, g_fill(r->g, i, least_asked(t)));
    x = g_fill(r->g, i, fits ? 0 : never_asked(t));
    check.integer = fits ? 0 : MASKED_INDEX;
    for (int k = chance(r, 20) ? 0 : 1; k < 2; k++) {
        i = graph_make(r->g, OP_where, t, 3, (Node *[]){c, i, x}, &mask);
        check.dims = k ? &d : &wider;
        i = graph_make(r->g, OP_index_check, t, 1, &i, &check);
    }
    x = g_gather_inside(r->g, a, i, axis);
    for (int k = 0; k < x->rank; k++)
        of[k] = k >= axis && k < axis + i->rank ? k - axis : -1;
    wide = g_broadcast(r->g, c, x->rank, x->dim, of);
    return g_where(r->g, wide, x, g_fill(r->g, x, 0));
}

/* Rows that end, and one respect, or none, in which they do not. */
typedef enum Miss {
    MISS_later,
    MISS_twice,
    MISS_real,
    MISS_not,
    MISS_along, /* the end is another one for each place along the row */
    MISS_or,
    MISS_rest,
    MISS_swapped,
    MISS_axis,
    MISS_stored,
    MISS_sum,
    MISS_index,
    MISS_if,
    MISS_mask, /* of an index, often */
    MISSES = MISS_mask + 4,
    MISS_none
} Miss;

typedef struct Rows {
    Miss miss;
    Node *end, *at;
    const Dim *dim[2];
} Rows;

/* x, which is one number, of the rows, or along them; or NULL. */
static Node *in_rows(Gen *r, const Rows *w, Node *x, bool along)
{
    if (!x || x->rank == 0)
        return x ? g_broadcast_to(r->g, x, 2, w->dim) : NULL;
    if (x->rank > 1 || x->dim[0] != w->dim[along])
        return NULL;
    return g_broadcast(r->g, x, 2, w->dim,
                       along ? (int[]){-1, 0} : (int[]){0, -1});
}

/* A mask of the rows, or NULL. */
static Node *mask_rows(Gen *r, const Rows *w)
{
    Node *c = pick(r, ON_bool);

    return c && ends(w->at, c) ? g_broadcast_to(r->g, c, 2, w->dim)
                               : in_rows(r, w, c, false);
}

static bool rows_new(Gen *r, Rows *w)
{
    Node *e = pick(r, ON_int), *k;
    bool along;

    if (!e || e->rank > 1)
        return false;
    if (chance(r, 10))
        e = g_cast(r->g, DT_u8, e);
    w->miss = chance(r, 50) ? MISS_none : (Miss)below(r, MISSES);
    along = w->miss == MISS_along && e->rank;
    w->dim[0] = e->rank ? e->dim[0] : dc(r, 2);
    w->dim[1] = along ? e->dim[0] : chance(r, 90) ? r->var : dc(r, 3);
    k = g_iota(r->g, e->dtype, w->dim[1]);
    if (w->miss == MISS_later)
        k = g2(r->g, OP_add, k, g_fill(r->g, k, 1));
    if (w->miss == MISS_twice)
        k = g2(r->g, OP_mul, k, g_fill(r->g, k, 2));
    w->at = in_rows(r, w, k, true);
    w->end = in_rows(r, w, e, along);
    return true;
}

/* Where rows have not ended. */
static Node *within_row(Gen *r, const Rows *w)
{
    Node *k = w->at, *e = w->end, *c, *mask = mask_rows(r, w);

    if (w->miss == MISS_real) {
        k = in_rows(r, w, g_iota(r->g, DT_f64, w->dim[1]), true);
        e = g_cast(r->g, DT_f64, e);
    }
    c = w->miss == MISS_not ? g2(r->g, OP_le, e, k) : g2(r->g, OP_lt, k, e);
    return mask && w->miss == MISS_or ? g2(r->g, OP_or, c, mask)
           : mask && chance(r, 20)    ? g2(r->g, OP_and, c, mask)
                                      : c;
}

/* The index i, asked for where c holds. */
static Node *index_in_row(Gen *r, const Rows *w, Node *c, Node *i)
{
    static const double rest[] = {0, 1, 100};
    Attr attr = {.integer = MASKED_INDEX};
    Node *x, *one = pick(r, ON_bool);

    if (w->miss == MISS_if && one && one->rank == 0)
        return g_if(r->g, one, i, g_fill(r->g, i, rest[below(r, 3)]));
    if (w->miss == MISS_index)
        return g_where(r->g, c, i, g_fill(r->g, i, rest[below(r, 3)]));
    x = g_fill(r->g, i, never_asked(i->dtype));
    i = g2(r->g, OP_max, i, g_fill(r->g, i, least_asked(i->dtype)));
    return graph_make(r->g, OP_where, i->dtype, 3, (Node *[]){c, i, x}, &attr);
}

/* Elements behind where the row begins, or before; or NULL. */
static Node *elements_of_row(Gen *r, const Rows *w, Node *c)
{
    Node *a = pick_vector(r), *i = w->at, *from, *mask = mask_rows(r, w), *x;
    Attr attr = {.integer = MASKED_INDEX};

    if (!a)
        return NULL;
    mask = w->miss >= MISS_mask && w->miss < MISSES ? mask : NULL;
    for (int k = below(r, 3); k > 0; k--) {
        from = in_rows(r, w, pick(r, 1u << i->dtype), chance(r, 10));
        if (from)
            i = g2(r->g, chance(r, 70) ? OP_add : OP_sub, i, from);
    }
    i = index_in_row(r, w, mask ? mask : c, i);
    attr.dims = a->dim;
    attr.ndim = 1;
    i = graph_make(r->g, OP_index_check, i->dtype, 1, &i, &attr);
    x = g_gather_inside(r->g, a, i, 0);
    return mask ? g_where(r->g, mask, x, g_fill(r->g, x, 0)) : x;
}

/* What rows come to up to their ends. */
static Node *ragged(Gen *r)
{
    static const OpId op[] = {OP_sum,  OP_sum,        OP_sum,
                              OP_prod, OP_reduce_max, OP_argmax};
    OpId by = op[below(r, 6)];
    double start = op_table[by]->start;
    Node *x, *y, *c, *rest, *mask;
    int axis = 1;
    Rows w;

    if (!rows_new(r, &w))
        return NULL;
    c = within_row(r, &w);
    axis -= w.miss == MISS_axis;
    x = (w.miss == MISS_none || w.miss >= MISS_index) && w.at->dtype != DT_u8
            ? elements_of_row(r, &w, c)
            : pick(r, ON_number);
    if (!x || !ends(c, x) || (by == OP_argmax && !r->exact[r->at]))
        return NULL;
    x = g_broadcast_to(r->g, x, 2, w.dim);
    y = g2(r->g, OP_max, g_fill(r->g, x, 0), like(r, x, true));
    rest = g_fill(
        r->g, x, w.miss == MISS_rest || !isfinite(start) ? below(r, 2) : start);
    x = w.miss == MISS_swapped ? g_where(r->g, c, rest, x)
                               : g_where(r->g, c, x, rest);
    mask = chance(r, 15) ? mask_rows(r, &w) : NULL;
    if (mask)
        x = g_where(r->g, mask, x, g_fill(r->g, x, below(r, 2)));
    if (w.miss == MISS_sum)
        x = g2(r->g, OP_add, y, x);
    return w.miss == MISS_stored ? x : g_reduce(r->g, by, x, 1, &axis);
}

/* A product whose axes come in any order. */
static Node *crossed_with(Gen *r, Node *a, Node *b)
{
    Node *x[2] = {a, b};
    int l[2][4] = {{0, 1, 2, 3}, {0, 1, 2, 3}}, lout[8], rank = 0, left = 0;

    for (int k = 0; k < 2; k++) {
        if (!x[k] || x[k]->rank == 0 || x[k]->rank > 3)
            return NULL;
        for (int i = 0; i < x[k]->rank; i++)
            if (x[k]->dim[i] != x[0]->dim[0])
                return NULL;
        for (int i = 3; i > 0; i--) {
            int j = below(r, i + 1), was = l[k][i];
            l[k][i] = l[k][j];
            l[k][j] = was;
        }
    }
    for (int label = 0; label < 4; label++) {
        bool used = false;
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < x[k]->rank; i++)
                used = used || l[k][i] == label;
        if (used && chance(r, 60))
            lout[rank++] = label;
        else
            left += used;
    }
    if (!left) /* 0 times what is no number, unlike in sums */
        return NULL;
    if (rank > 1 && chance(r, 50)) {
        int was = lout[0];
        lout[0] = lout[rank - 1];
        lout[rank - 1] = was;
    }
    return g_contract(r->g, x[0], l[0], x[1], l[1], rank, lout);
}

static Node *crossed(Gen *r)
{
    Node *a = pick(r, 1 << DT_f64);

    return crossed_with(r, a, pick(r, 1 << DT_f64));
}

/* Two products with a factor in common. */
static Node *kindred_products(Gen *r)
{
    Node *z = pick(r, 1 << DT_f64), *a, *b;

    if (!z || z->rank == 0)
        return NULL;
    a = crossed_with(r, z, pick(r, 1 << DT_f64));
    b = crossed_with(r, z, pick(r, 1 << DT_f64));
    if (!a || !b || a->rank != b->rank)
        return NULL;
    return g2(r->g, chance(r, 50) ? OP_add : OP_sub, a, b);
}

/* Some of n's axes; and where those of the sum along them are in n. */
static int some_axes(Gen *r, const Node *n, int *gone, int *map)
{
    int count = 0, kept[MAX_RANK], nkept = 0;

    for (int i = 0; i < n->rank; i++) {
        bool sums = chance(r, 50);
        map[i] = sums ? -1 : nkept;
        *(sums ? &gone[count++] : &kept[nkept++]) = i;
    }
    if (nkept == 2 && n->dim[kept[0]] == n->dim[kept[1]] && chance(r, 20)) {
        map[kept[0]] = 1;
        map[kept[1]] = 0;
    }
    return count;
}

/* A parameter of n's dtype, repeated to its shape; or n. */
static Node *given(Gen *r, Node *n)
{
    for (int k = 0; k < 20; k++) {
        Node *x = r->param[below(r, PARAMS)];
        if (x->dtype == n->dtype && ends(n, x))
            return g_broadcast_to(r->g, x, n->rank, n->dim);
    }
    return n;
}

/* What is left of a when its mean along n axes is taken away, or what is nearly
 * that: of something else, divided by another number, put back in another
 * order. */
static Node *centre(Gen *r, Node *a, int n, const int *gone, const int *map)
{
    const Dim *count = dc(r, 1);
    Node *of = chance(r, 5) ? given(r, a) : a, *q;

    for (int k = 0; k < n; k++)
        count = dim_mul(r->g, count, a->dim[gone[k]]);
    if (chance(r, 5))
        count = dim_add(r->g, count, dc(r, 1));
    q = g_reduce(r->g, chance(r, 5) ? OP_reduce_max : OP_sum, of, n, gone);
    q = g2(r->g, OP_div, q,
           g_fill_like(r->g, q, g_divisor(r->g, DT_f64, count)));
    return g2(r->g, OP_sub, a, g_broadcast(r->g, q, a->rank, a->dim, map));
}

/* Times or divided by what is the same along these axes, or by what is not. */
static Node *weighted(Gen *r, Node *x, int n, const int *gone, const int *map)
{
    static const OpId op[] = {OP_mul, OP_strong_mul, OP_strong_mul, OP_div};
    OpId o = op[below(r, 4)];
    Node *w = given(r, x);

    if (chance(r, 70)) {
        w = g_reduce(r->g, OP_reduce_max, w, n, gone);
        w = g_broadcast(r->g, w, x->rank, x->dim, map);
    }
    if (o == OP_div) /* not by what is 0 but for rounding */
        w = g1(r->g, OP_exp, g1(r->g, OP_tanh, w));
    return o != OP_div && chance(r, 50) ? g2(r->g, o, w, x) : g2(r->g, o, x, w);
}

/* A sum of such, along those axes or others. */
static Node *centred(Gen *r)
{
    Node *a = pick(r, 1 << DT_f64), *x;
    int gone[MAX_RANK], map[MAX_RANK];
    int n = a ? some_axes(r, a, gone, map) : 0;

    if (n == 0)
        return NULL;
    r->rounded = true;
    x = chance(r, 80) ? centre(r, a, n, gone, map) : a;
    for (int k = below(r, 5); k > 0; k--) {
        Node *b = given(r, a);
        if (chance(r, 50))
            x = weighted(r, x, n, gone, map);
        else if (chance(r, 20))
            x = g1(r->g, OP_neg, x);
        else {
            b = chance(r, 85) ? centre(r, b, n, gone, map) : b;
            x = chance(r, 30)   ? g2(r->g, OP_sub, b, x)
                : chance(r, 50) ? g2(r->g, OP_sub, x, b)
                                : g2(r->g, OP_add, x, b);
        }
    }
    if (chance(r, 5))
        n = some_axes(r, a, gone, map);
    return n ? g_reduce(r->g, OP_sum, x, n, gone) : NULL;
}

typedef Node *Step(Gen *r);

typedef struct Theme {
    const char *name;
    DType dtype; /* of the first parameters */
    Step *step[12];
} Theme;

static const Theme themes[] = {
    {"arithmetic f64", DT_f64, {arithmetic, arithmetic, arithmetic, choice}},
    {"arithmetic f32", DT_f32, {arithmetic, arithmetic, arithmetic, new_axes}},
    {"arithmetic i32",
     DT_i32,
     {arithmetic, arithmetic, arithmetic, conversion}},
    {"arithmetic i64", DT_i64, {arithmetic, arithmetic, arithmetic, reduced}},
    {"arithmetic u8", DT_u8, {arithmetic, arithmetic, arithmetic, comparison}},
    {"functions", DT_f64, {function, function, arithmetic, reduced, strong}},
    {"logic", DT_i64, {logic, comparison, choice, conversion, logic, choice}},
    {"logic of reals", DT_f64, {logic, comparison, choice, arithmetic, choice}},
    {"views",
     DT_f64,
     {new_axes, turned, reshaped, cut, padded, flipped, joined, stepped,
      step_added, arithmetic, regrouped}},
    {"reshapes",
     DT_f64,
     {new_axes, new_axes, regrouped, regrouped, padded, arithmetic}},
    {"more reshapes", DT_f64, {regrouped, new_axes, regrouped, padded}},
    {"few views", DT_f64, {cut, padded, flipped, joined, cut, padded, stepped}},
    {"steps", DT_f64, {stepped, step_added, stepped, turned, new_axes}},
    {"reductions",
     DT_f64,
     {reduced, reduced, new_axes, turned, arithmetic, reshaped, choice,
      padded}},
    {"products",
     DT_f64,
     {product, product, product, new_axes, turned, arithmetic, reduced}},
    {"indices",
     DT_f64,
     {gathered, gathered, scattered, cut, new_axes, turned, arithmetic, joined,
      counter, sorted}},
    {"counters",
     DT_i32,
     {counter, counter, arithmetic, arithmetic, gathered, stepped, reshaped,
      new_axes, turned, flipped, conversion}},
    {"places",
     DT_f64,
     {places, places, selection, selection, product, reduced, arithmetic,
      new_axes}},
    {"places of data",
     DT_f64,
     {places, selection, selection, selection, turned, logic}},
    {"diagonals",
     DT_f64,
     {outer, outer, on_diagonal, gram, both_ways, arithmetic, diagonal,
      diagonal, crossed}},
    {"outer products",
     DT_f64,
     {outer, outer, on_diagonal, on_diagonal, arithmetic, crossed, crossed,
      gram}},
    {"symmetry",
     DT_f64,
     {outer, on_diagonal, both_ways, both_ways, gram, gram, arithmetic,
      function}},
    {"sums of places", DT_f64, {places, selection, reduced, logic, choice}},
    {"products of cubes", DT_f64, {outer, outer, crossed, crossed}},
    {"bands",
     DT_f64,
     {outer, on_diagonal, on_diagonal, on_diagonal, arithmetic, gram, crossed,
      crossed, cut, padded, turned}},
    {"bands that are derived",
     DT_f64,
     {outer, on_diagonal, kindred_products, on_diagonal, on_diagonal, crossed,
      crossed, cut, padded, both_ways, both_ways}},
    {"systems", DT_f64, {outer, solved, solved, arithmetic, turned, cut}},
    {"systems of many", DT_f64, {solved, new_axes, solved, product, turned}},
    {"kindred products",
     DT_f64,
     {outer, crossed, kindred_products, kindred_products, kindred_products}},
    {"what is left of means", DT_f64, {centred, centred, centred, new_axes}},
    {"places in views",
     DT_f64,
     {gathered, gathered, stepped, flipped, diagonal, cut, turned}},
    {"masked places", DT_f64, {masked, masked, masked, turned, joined}},
    {"ragged rows",
     DT_f64,
     {ragged, ragged, ragged, ragged, scattered, counter}},
    {"more ragged rows", DT_f64, {ragged, ragged, ragged, ragged, counter}},
    {"all",
     DT_f64,
     {arithmetic, function, choice, new_axes, turned, reshaped, cut, reduced,
      product, gathered, places, joined}},
    {"places that are written",
     DT_f64,
     {places, places, selection, selection, product, reduced, arithmetic,
      new_axes}},
    {"all that is written",
     DT_f64,
     {arithmetic, function, choice, new_axes, turned, reshaped, cut, reduced,
      product, gathered, places, joined}},
};
enum { NTHEMES = sizeof themes / sizeof *themes, WRITTEN = 2 };

static bool is_derived(const Theme *t)
{
    return t->step[2] == kindred_products || t->step[0] == centred;
}

/* Of the last ones: see graph_written. Some steps are derived there. */
static bool is_written(const Theme *t)
{
    return t >= themes + NTHEMES - WRITTEN;
}

/* Making */

static void add_param(Gen *r, DType t, int rank, const Dim *const *dim)
{
    r->param[r->nparam++] = r->pool[r->npool] =
        g_param(r->g, t, rank, dim, "p");
    r->exact[r->npool++] = true;
}

/* Square: vectors and matrices of one axis. */
static void add_params(Gen *r, DType t, bool square)
{
    const Dim *size[] = {dc(r, 3), dc(r, 2), r->var, dc(r, 6), dc(r, 1)};
    const Dim *dim[2] = {size[below(r, 5)], size[below(r, 3)]};
    int rank = below(r, 3);

    if (square)
        rank = 1 + below(r, 2);
    if (square || chance(r, 15))
        dim[0] = dim[1];
    add_param(r, t, rank, dim);
    add_param(r, t, rank, dim);
    add_param(r, t, 0, NULL);
    add_param(r, DT_bool, rank, dim);
    add_param(r, DT_bool, 0, NULL);
    add_param(r, DT_i32, 1, size);
    add_param(r, chance(r, 20) ? DT_u8 : DT_i64, below(r, 2), size);
    if (square)
        add_param(r, DT_f64, 3 - rank, dim);
    else
        add_param(r, DT_f64, 2, (const Dim *[]){size[0], size[below(r, 3)]});
}

static bool small(const Node *n)
{
    double count = 1;
    int64_t v;

    for (int i = 0; i < n->rank; i++)
        count *= dim_const_value(n->dim[i], &v) ? (double)v : SIZE + 1;
    return n->rank <= 4 && count <= 400;
}

static int make(Gen *r, const Theme *t, Node **root)
{
    int nsteps = 0, n = 0;

    while (nsteps < 11 && t->step[nsteps + 1])
        nsteps++;
    for (int i = 0; i < 8; i++) /* a small seed's first bits are alike */
        bits(r);
    add_params(r, t->dtype, t->step[0] == outer || t->step[4] == diagonal);
    for (int k = 0; k < 4 * STEPS && r->npool < PARAMS + STEPS; k++) {
        Step *step = t->step[below(r, nsteps + 1)];

        r->rounded = false;
        /* x/x, derived, is 1, and no sum infinite. */
        r->extreme |= is_written(t) || t->step[0] == centred;
        if (is_written(t))
            graph_deriving(r->g, chance(r, 50));
        Node *made = step(r);
        if (!made || !small(made))
            continue;
        r->exact[r->npool] = !dtype_is_real(made->dtype) || !r->rounded;
        r->pool[r->npool++] = made;
    }
    for (int i = r->npool - 1; i >= PARAMS && n < MAX_ROOTS; i--)
        root[n++] = r->pool[i];
    return n;
}

/* Evaluating */

static double value_of(Gen *r, DType t)
{
    static const double real[] = {0, 1, -1, 2, -2, 0.5, -0.5, 4, 0, 3};

    return dtype_is_real(t)              ? real[below(r, 10)]
           : t == DT_bool                ? below(r, 2)
           : t == DT_i64 && chance(r, 5) ? 0x1p32 + 1
           : chance(r, 85)               ? below(r, 3)
                                         : dtype_wrap(t, below(r, 8) - 3);
}

static int64_t elements(const Gen *r, const Node *n, int64_t size)
{
    int64_t count = 1, v;

    for (int i = 0; i < n->rank; i++) {
        ck_assert(dim_eval(n->dim[i], 1, &r->var, &size, &v));
        count *= v;
    }
    return count;
}

static EvalStatus evaluate(Arena *a, const Gen *r, int64_t size,
                           double *const *data, int nroot, Node *const *root,
                           double **out)
{
    EvalInput in[PARAMS];

    for (int i = 0; i < PARAMS; i++)
        in[i] = (EvalInput){r->param[i], data[i]};
    return eval_nodes(a, r->g, nroot, root, PARAMS, in, 1, &r->var, &size, out);
}

static bool same(const Gen *r, DType t, double got, double want)
{
    double tolerance = t == DT_f32 ? 2e-5 : 1e-9;

    if (!isfinite(want) || (t == DT_f32 && fabs(want) > 0x1.fffffep127))
        return !isfinite(got) || r->extreme;
    return dtype_is_real(t) ? fabs(got - want) <= tolerance * (1 + fabs(want))
                            : got == want;
}

/* One graph, as it is made and as it is written. */
typedef struct Pair {
    const char *name;
    uint64_t seed;
    Gen made, plain;
    int nroot;
    Node *root[MAX_ROOTS], *want[MAX_ROOTS], *split[MAX_ROOTS];
    /* All steps need what they are made of; so do kernels all of its elements.
     */
    bool checks, needs_all;
} Pair;

static const char *shown(Arena *a, const Pair *p)
{
    Str s = str_new(a);

    for (int i = 0; i < p->nroot; i++) {
        str_printf(&s, "%s", i ? ", " : "");
        node_print(p->want[i], &s);
        str_printf(&s, " as ");
        node_print(p->root[i], &s);
    }
    return s.at;
}

/* What is seen of n's sign without its values holds for them. */
static void check_sign(Arena *a, const Node *n, int64_t count, const double *v)
{
    double tiny = 1e-9;

    if (!dtype_is_real(n->dtype))
        return;
    Sign sign = node_is_square(n) ? SIGN_not_negative : node_sign(n);
    bool negative = node_never_positive(n);
    for (int64_t k = 0; k < count; k++) {
        bool right = (sign != SIGN_positive || v[k] > 0) &&
                     (sign == SIGN_any || v[k] >= -tiny) &&
                     (!negative || v[k] <= tiny);
        if (right || isnan(v[k]))
            continue;
        Str s = str_new(a);
        node_print(n, &s);
        ck_abort_msg("%g has another sign: %s", v[k], s.at);
    }
}

static void compare(Arena *a, const Pair *p, const char *by, int64_t size,
                    double *const *got, double *const *want)
{
    for (int i = 0; i < p->nroot; i++)
        for (int64_t k = 0; k < elements(&p->plain, p->want[i], size); k++)
            ck_assert_msg(
                same(&p->plain, p->want[i]->dtype, got[i][k], want[i][k]),
                "%s, seed %d, size %d: element %d of %d is %.17g %s, and %.17g "
                "as written: %s",
                p->name, (int)p->seed, (int)size, (int)k, i, got[i][k], by,
                want[i][k], shown(a, p));
}

/* Has a result no elements. */
static bool is_of_none(const Pair *p, int64_t size)
{
    for (int i = 0; i < p->nroot; i++)
        if (elements(&p->plain, p->want[i], size) == 0)
            return true;
    return false;
}

static void run(Arena *a, Pair *p, const Schedule *s, int64_t size)
{
    double *data[PARAMS + MAX_ROOTS], *want[MAX_ROOTS], *got[MAX_ROOTS];
    double *part[MAX_ROOTS];
    const char *why = "";
    Gen draws = {.seed = p->seed * 2 + (uint64_t)size};

    for (int i = 0; i < PARAMS; i++) {
        const Node *n = p->made.param[i];
        int64_t count = elements(&p->made, n, size);
        data[i] = NEWN(a, double, count + 1);
        for (int64_t k = 0; k < count; k++)
            data[i][k] = value_of(&draws, n->dtype);
    }
    EvalStatus status =
        evaluate(a, &p->plain, size, data, p->nroot, p->want, want);
    EvalStatus is = evaluate(a, &p->made, size, data, p->nroot, p->root, got);
    /* a - a and the like need no a. */
    if ((size == 0 || is_of_none(p, size)) && is != EVAL_OK)
        return; /* what is the same for all of none is computed */
    ck_assert_msg(is == status || (is == EVAL_OK && !p->checks),
                  "%s, seed %d, size %d: the status is %d, and %d as written: "
                  "%s",
                  p->name, (int)p->seed, (int)size, is, status, shown(a, p));
    for (int i = 0; i < p->nroot; i++)
        data[PARAMS + i] =
            NEWN(a, double, elements(&p->made, p->root[i], size) + 1);
    if (is == EVAL_OK) {
        evaluate(a, &p->made, size, data, p->nroot, p->split, part);
        compare(a, p, "in elements", size, part, got);
    }
    SimStatus ran = sim_run(a, s, 1, &p->made.var, &size, data, &why);
    if (is == EVAL_OK || p->needs_all)
        ck_assert_msg(ran == (is == EVAL_OK ? SIM_OK : SIM_BAD_INDEX),
                      "%s, seed %d: %d, not %d %s: %s", p->name, (int)p->seed,
                      (int)ran, (int)is, why, shown(a, p));
    if (status != EVAL_OK)
        return;
    compare(a, p, "simplified", size, got, want);
    for (int i = 0; i < p->nroot; i++)
        check_sign(a, p->root[i], elements(&p->made, p->root[i], size), got[i]);
    compare(a, p, "scheduled", size, data + PARAMS, want);
}

static Gen gen_new(Arena *a, uint64_t seed, bool plain)
{
    Gen r = {.g = graph_new(a, DT_f64), .seed = seed};

    graph_plain(r.g, plain);
    r.var = dim_var(r.g, "n");
    return r;
}

/* All that may be elements as its elements. */
static void split(Arena *a, Graph *g, int nroot, Node **root)
{
    enum { MOST = 40 };
    Reach reach = reach_enter(g, a, 0, REACH_BODIES, nroot, root);
    Elements e = elements_new(g, a, &reach);

    for (int i = 0; i < reach.n; i++) {
        Node *n = reach.node[i], **arg = NEWN(a, Node *, n->narg + 1);
        int64_t points = short_points(n);

        if (points > 1 && points <= MOST && may_be_elements(&e, n)) {
            elements_make(&e, n);
            continue;
        }
        for (int k = 0; k < n->narg; k++)
            arg[k] = elements_whole(&e, n->arg[k]);
        e.whole[i] = n->narg ? graph_remake(g, n, arg) : n;
    }
    for (int i = 0; i < nroot; i++)
        root[i] = elements_whole(&e, root[i]);
    reach_leave(&reach);
    graph_verify(g, nroot, root);
}

/* Of p's roots, which stay as they are. */
static Schedule *scheduled(Arena *a, Pair *p)
{
    Node **leaf = arena_copy(a, p->root, sizeof p->root);
    Port param[PARAMS], result[MAX_ROOTS];
    Function *f = NEW(a, Function);

    for (int i = 0; i < PARAMS; i++)
        param[i] = (Port){
            .name = "p", .leaf = &p->made.param[i], .nleaf = 1, .in_place = -1};
    for (int i = 0; i < p->nroot; i++)
        result[i] =
            (Port){.name = "r", .leaf = &leaf[i], .nleaf = 1, .in_place = -1};
    expand(p->made.g, p->nroot, leaf);
    memcpy(p->split, leaf, sizeof *leaf * (size_t)p->nroot);
    split(a, p->made.g, p->nroot, p->split);
    *f = (Function){
        .name = "f", .nparam = PARAMS, .nresult = p->nroot, .nvar = 1};
    f->param = arena_copy(a, param, sizeof param);
    f->result = arena_copy(a, result, sizeof result);
    f->var = arena_copy(a, &p->made.var, sizeof p->made.var);
    return schedule(a, p->made.g, f);
}

static void check_pair(const Theme *t, uint64_t seed)
{
    Arena *a = arena_new();
    Pair p = {.name = t->name,
              .seed = seed,
              .checks = t->step[0] == gathered || t->step[0] == masked ||
                        t->step[0] == ragged,
              .needs_all = t->step[0] == ragged};

    p.made = gen_new(a, seed, false);
    p.plain = gen_new(a, seed, true);
    /* What is derived has a normal form, too, in which quotients cancel. */
    graph_deriving(p.made.g, is_derived(t));
    graph_written(p.made.g, is_written(t));
    p.nroot = make(&p.made, t, p.root);
    ck_assert_int_eq(make(&p.plain, t, p.want), p.nroot);
    ck_assert_int_eq(p.made.seed, p.plain.seed);
    if (p.nroot > 0) {
        simplify(p.made.g, p.nroot, p.root);
        Schedule *s = scheduled(a, &p);
        for (int point = 0; point < POINTS; point++)
            run(a, &p, s, SIZE + point);
        if (t->step[0] == masked)
            run(a, &p, s, 0);
    }
    arena_free(a);
}

/* Rows whose ends are bytes, as is what counts along them. */
static Node *rows_of_bytes(Gen *r)
{
    Rows w = {.dim = {dc(r, 3), dc(r, 256)}};
    Node *e, *x;
    int axis = 1;

    for (int i = 0; i < 8; i++)
        bits(r);
    add_params(r, DT_f64, false);
    e = in_rows(r, &w, g_cast(r->g, DT_u8, r->param[5]), false);
    w.at = in_rows(r, &w, g_iota(r->g, DT_u8, w.dim[1]), true);
    x = g_cast(r->g, DT_f64, g_iota(r->g, DT_i32, w.dim[1]));
    x = in_rows(r, &w, x, true);
    x = g_where(r->g, g2(r->g, OP_lt, w.at, e), x, g_fill(r->g, x, 0));
    return g_reduce(r->g, OP_sum, x, 1, &axis);
}

/* Bytes end no row: they have no sign, as the numbers that end loops have. */
START_TEST(bytes_of_near_misses)
{
    Arena *a = arena_new();
    Pair p = {.name = "bytes", .seed = 1, .nroot = 1};

    p.made = gen_new(a, 1, false);
    p.plain = gen_new(a, 1, true);
    p.root[0] = rows_of_bytes(&p.made);
    p.want[0] = rows_of_bytes(&p.plain);
    Schedule *s = scheduled(a, &p);
    run(a, &p, s, SIZE);
    ck_assert_int_eq(s->kernel.n, 1);
    const Kernel *k = s->kernel.at[0];
    for (int i = 0; i < k->nstage; i++)
        ck_assert_int_lt(ragged_condition(k, &k->stage[i]), 0);
    arena_free(a);
}
END_TEST

/* All pairs of small forms under each operator of two arguments. */

enum { MAX_FORMS = 96, KINDS = 6, OPS = 8, PLACES = 6 };

typedef struct Forms {
    Gen gen;
    Node *form[MAX_FORMS], *root[MAX_FORMS * MAX_FORMS];
    int n, nroot;
} Forms;

static void add_form(Forms *f, Node *n) { f->form[f->n++] = n; }

/* Of f64, f32 and integers; those at the end have no ordinary products. */
enum { NUMBERS = 11 };
static const double numbers[3][NUMBERS] = {
    {0, 1, -1, 2, -3, 0.5, 0x1p600, 0x1p-600, 0x1p-1060, 0x1.8p-600, -0x1p600},
    {0, 1, -1, 2, -3, 0.5, 0x1p90, 0x1p-90, 0x1p-130, 0x1.8p-90, -0x1p90},
    {0, 1, -1, 2, -3, 128, 255, -0x1p31, 0x1p31 - 1, 0x1p20, -2},
};

/* On vectors x and y, scalars s and u, one that is not negative, and v. */
static void make_forms(Forms *f, DType t, bool extreme)
{
    Graph *g = f->gen.g;
    const Dim *size = dim_const(g, PLACES);
    Node *x, *y, *c[NUMBERS], *s[2], *v;
    const double *number = numbers[t == DT_f32 ? 1 : dtype_is_real(t) ? 0 : 2];
    int n = 0;

    for (int i = 0; i < PARAMS; i++)
        f->gen.param[i] = g_param(g, t, i == 2 || i == 3 ? 0 : 1, &size, "p");
    x = f->gen.param[0];
    y = f->gen.param[1];
    v = f->gen.param[4];
    for (int i = 0; i < 2; i++)
        s[i] = g_broadcast_to(g, f->gen.param[2 + i], 1, &size);
    f->gen.extreme = extreme;
    for (int i = 0; i < (extreme || !dtype_is_real(t) ? NUMBERS : 6); i++)
        if (t != DT_u8 || (number[i] >= 0 && number[i] < 256))
            c[n++] = g_fill(g, x, number[i]);
    add_form(f, x);
    add_form(f, v);
    for (int i = 0; i < n; i++) {
        add_form(f, c[i]);
        add_form(f, g2(g, OP_mul, x, c[i]));
        add_form(f, g2(g, OP_div, c[i], x));
        add_form(f, g2(g, OP_div, x, c[i]));
    }
    for (int i = 0; i < 2; i++) {
        add_form(f, s[i]);
        add_form(f, g2(g, OP_mul, i ? y : x, s[0]));
        add_form(f, g2(g, OP_div, i ? y : x, s[0]));
        add_form(f, g2(g, OP_mul, x, s[i]));
        add_form(f, g2(g, OP_div, x, s[i]));
        add_form(f, g1(g, OP_neg, i ? y : x));
    }
    add_form(f, g2(g, OP_add, x, c[1]));
    add_form(f, g2(g, OP_add, x, c[n - 1]));
    add_form(f, g2(g, OP_add, x, y));
    add_form(f, g2(g, OP_sub, x, y));
    add_form(f, g2(g, OP_mul, x, y));
    add_form(f, g2(g, OP_div, y, x));
    add_form(f, g2(g, OP_max, x, y));
    add_form(f, g2(g, OP_min, x, y));
    add_form(f, g1(g, OP_abs, x));
    add_form(f, g1(g, OP_neg, g2(g, OP_mul, x, y)));
    add_form(f, g2(g, OP_mul, g1(g, OP_neg, x), s[1]));
    if (dtype_is_real(t))
        add_form(f, g1(g, OP_sqrt, x));
}

static Forms *forms_new(Arena *a, OpId op, DType t, bool extreme, bool plain)
{
    Forms *f = NEW(a, Forms);

    f->gen = gen_new(a, 1, plain);
    make_forms(f, t, extreme);
    for (int i = 0; i < f->n; i++) {
        for (int k = 0; k < f->n; k++)
            f->root[f->nroot++] = g2(f->gen.g, op, f->form[i], f->form[k]);
        f->root[f->nroot++] = g1(f->gen.g, OP_neg, f->form[i]);
    }
    return f;
}

/* Values whose quotients are exact. */
static void draw_powers(double **data, Arena *a, DType t, int point)
{
    static const double real[] = {1, -2, 0, 0.5, 4, -1, INFINITY, 2};
    static const double whole[] = {1, 250, 0, 3, 5, 7, 2, 128};

    for (int i = 0; i < PARAMS; i++) {
        data[i] = NEWN(a, double, PLACES);
        for (int k = 0; k < PLACES; k++) {
            int at = (i * 3 + k + point * 4) % 8;
            double v = dtype_is_real(t) ? real[at] : whole[at];
            if ((isinf(v) || v == 0) &&
                (i == 2 || i == 3)) /* see arith.c: scalars move */
                v = 8;
            data[i][k] =
                t != DT_u8 && !dtype_is_real(t) && (i + k) % 2 ? -v : v;
        }
    }
}

START_TEST(pairs_of_forms)
{
    static const DType dtypes[KINDS] = {DT_f64, DT_f32, DT_f64,
                                        DT_i32, DT_i64, DT_u8};
    static const OpId ops[OPS] = {OP_add, OP_sub, OP_mul, OP_div,
                                  OP_mod, OP_max, OP_eq,  OP_lt};
    DType t = dtypes[_i % KINDS];
    Arena *a = arena_new();
    OpId op = ops[_i / KINDS];
    bool extreme = _i % KINDS < 2;
    Forms *made = forms_new(a, op, t, extreme, false);
    Forms *plain = forms_new(a, op, t, extreme, true);
    double *data[PARAMS], **got = NEWN(a, double *, made->nroot);
    double **want = NEWN(a, double *, made->nroot);

    for (int point = 0; point < 2; point++) {
        draw_powers(data, a, t, point);
        evaluate(a, &made->gen, 1, data, made->nroot, made->root, got);
        evaluate(a, &plain->gen, 1, data, made->nroot, plain->root, want);
        for (int i = 0; i < made->nroot; i++)
            check_sign(a, made->root[i], PLACES, got[i]);
        for (int i = 0; i < made->nroot; i++)
            for (int k = 0; k < PLACES; k++) {
                Pair p = {.name = "pair", .nroot = 1};
                p.root[0] = made->root[i];
                p.want[0] = plain->root[i];
                ck_assert_msg(
                    same(&plain->gen, t, got[i][k], want[i][k]) &&
                        (extreme || isnan(got[i][k]) == isnan(want[i][k])),
                    "%s: %.17g, and %.17g as written, of %g %g %g %g: %s",
                    dtype_name(t), got[i][k], want[i][k], data[0][k],
                    data[1][k], data[2][0], data[3][0], shown(a, &p));
            }
    }
    arena_free(a);
}
END_TEST

START_TEST(values_are_those_of_what_is_written)
{
    const Theme *t = &themes[_i / TESTS];

    for (int k = 0; k < GRAPHS; k++)
        check_pair(t, (uint64_t)(_i * GRAPHS + k + 1) * 7919);
}
END_TEST

/* What is put among zeros may be 0; a share is one of the same numbers. */
START_TEST(signs_of_near_misses)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *size[] = {dim_const(g, 3), dim_const(g, 5)},
              *one = dim_const(g, 1);
    Node *x = g_param(g, DT_f64, 1, size, "x"),
         *y = g_param(g, DT_f64, 1, size, "y");
    Node *above = g2(g, OP_max, x, g_fill(g, x, 1));
    Node *lse = g_reduce_all(g, OP_logsumexp, x);
    int step = 1;

    ck_assert_int_eq(node_sign(above), SIGN_positive);
    ck_assert_int_eq(node_sign(g_flip(g, above, 0)), SIGN_positive);
    ck_assert_int_eq(node_sign(g_pad(g, above, &one, &size[1], &step)),
                     SIGN_not_negative);
    ck_assert_int_ne(
        node_sign(strided_add(
            g, g_broadcast_to(g, above, 2, (const Dim *[]){size[0], size[0]}),
            0, one, 2, (const Dim *[]){one, one}, dim_const(g, 9))),
        SIGN_positive);
    lse = g_broadcast_to(g, lse, 1, size);
    ck_assert(node_never_positive(g2(g, OP_sub, x, lse)));
    ck_assert(!node_never_positive(g2(g, OP_sub, y, lse)));
    arena_free(a);
}
END_TEST

/* Bytes wrap, and a check stays where what it asks is not known to fit. */
START_TEST(indices_of_near_misses)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *three = dim_const(g, 3);
    Node *x = g_cast(g, DT_f64, g_iota(g, DT_i32, dim_const(g, 300)));
    Node *q = g_cast(g, DT_u8, g_iota(g, DT_i32, three)), *order, *y;
    double *out;

    q = g2(g, OP_add, q, g_fill(g, q, 254));
    y = g_gather(g, x, g_cast(g, DT_i32, q), 0);
    ck_assert_int_eq(eval_nodes(a, g, 1, &y, 0, NULL, 0, NULL, NULL, &out),
                     EVAL_OK);
    ck_assert(out[0] == 254 && out[1] == 255 && out[2] == 0);
    order = g_argsort(g, g_param(g, DT_f64, 1, &three, "p"), false);
    ck_assert_ptr_eq(g_index_check(g, order, three), order);
    ck_assert_int_eq(g_index_check(g, order, dim_const(g, 2))->op,
                     OP_index_check);
    for (int v = -1; v < 4; v++)
        ck_assert_int_eq(g_index_check(g, g_const_int(g, DT_i32, v), three)->op,
                         v >= 0 && v < 3 ? OP_const : OP_index_check);
    arena_free(a);
}
END_TEST

/* n by n numbers, and how they are looked at. */
typedef struct Square {
    Graph *g;
    const Dim *n, *dim[3];
} Square;

static Node *row(const Square *q, Node *x)
{
    return g_broadcast_to(q->g, x, 2, q->dim);
}

static Node *column(const Square *q, Node *x)
{
    return g_broadcast(q->g, x, 2, q->dim, (int[]){0, -1});
}

static Node *turned_over(const Square *q, Node *x)
{
    return g_permute(q->g, x, (int[]){1, 0});
}

static Node *diagonal_of(const Square *q, Node *x)
{
    const Dim *all = dim_mul(q->g, q->n, q->n),
              *by = dim_add(q->g, q->n, dim_const(q->g, 1));
    x = g_reshape(q->g, x, 1, &all);
    return g_strided(q->g, x, 0, dim_const(q->g, 0), 1, &q->n, &by);
}

static Node *outer_square(const Square *q, Node *x)
{
    return g2(q->g, OP_mul, row(q, x), column(q, x));
}

static Square square_new(Arena *a)
{
    Square q = {.g = graph_new(a, DT_f64)};
    q.n = q.dim[0] = q.dim[1] = q.dim[2] = dim_const(q.g, 3);
    return q;
}

static Node *vector(const Square *q, const char *name)
{
    return g_param(q->g, DT_f64, 1, &q->n, name);
}

/* Places with the same number are no one place. */
START_TEST(symmetry_of_near_misses)
{
    Arena *a = arena_new();
    Square q = square_new(a);
    Graph *g = q.g;
    Node *u = vector(&q, "u"), *i, *eq, *x, *y;
    Node *s = g_param(g, DT_f64, 2, q.dim, "s"), *cube, *product;
    const int down[] = {0, -1, -1}, along[] = {-1, 0, -1}, out[] = {0};

    for (int k = 0; k < 2; k++) {
        i = g_iota(g, DT_i32, q.n);
        i = k ? g2(g, OP_mod, i, g_fill(g, i, 2)) : i;
        eq = g2(g, OP_eq, column(&q, i), row(&q, i));
        x = column(&q, u);
        x = g_where(g, eq, x, g_fill(g, x, 0));
        ck_assert_int_eq(turned_over(&q, x) == x, k == 0);
    }
    for (int k = 0; k < 2; k++) { /* y before x, and behind */
        Node *of = vector(&q, "v"), *factor[2];
        y = k ? NULL : column(&q, of);
        factor[0] = row(&q, of);
        factor[1] = column(&q, vector(&q, "w"));
        x = g2(g, OP_mul, factor[0], factor[1]);
        x = g2(g, OP_max, k ? column(&q, of) : y, x);
        ck_assert_ptr_ne(turned_over(&q, x), x);
    }
    /* of more axes than two */
    cube = g2(g, OP_max, g_broadcast(g, u, 3, q.dim, down),
              g_broadcast(g, u, 3, q.dim, along));
    product = g_contract(g, s, (int[]){1, 2}, cube, (int[]){2, 1, 0}, 1, out);
    ck_assert_int_eq(product->rank, 1);
    graph_verify(g, 1, &product);
    arena_free(a);
}
END_TEST

static Node *chain(Graph *g, Node *x, int length)
{
    for (int i = 0; i < length; i++)
        x = g2(g, OP_max, x, g1(g, OP_sin, x));
    return x;
}

/* Formulas that are too long to look at, or would be looked at again and again,
 * stay what they are; what is short beside them is seen. */
START_TEST(structure_of_long_ones)
{
    enum { LONG = 20 };
    Arena *a = arena_new();
    Square q = square_new(a);
    Graph *g = q.g;
    Node *u = vector(&q, "u"), *w = vector(&q, "w");
    Node *s = g_param(g, DT_f64, 2, q.dim, "s"), *m, *x, *y, *cube;
    Node *pair[LONG];
    const int perm[] = {1, 0};

    m = g2(g, OP_mul, row(&q, u), column(&q, u));
    ck_assert_ptr_eq(turned_over(&q, m), m);
    ck_assert_ptr_ne(turned_over(&q, chain(g, m, 60)), chain(g, m, 60));
    ck_assert_int_eq(diagonal_of(&q, chain(g, m, 60))->rank, 1);
    cube = g_broadcast(g, chain(g, m, 60), 3, q.dim, (int[]){0, 1, -1});
    cube = g_reshape(g, cube, 2, (const Dim *[]){dim_mul(g, q.n, q.n), q.n});
    cube = g_strided(g, cube, 0, dim_const(g, 0), 1, &q.n,
                     (const Dim *[]){dim_const(g, 4)});
    ck_assert_int_eq(cube->rank, 2);
    for (int k = 0; k < 2; k++) {
        /* s w times u u', from either side */
        for (int i = 0; i < LONG; i++)
            pair[i] = outer_square(&q, g1(g, OP_exp, g_scale(g, u, i + 2)));
        x = g2(g, OP_mul, s, row(&q, w));
        for (int i = 0; i < LONG; i++) {
            y = g1(g, OP_sin, g_scale(g, u, i + 2));
            x = g2(g, OP_mul, x, k ? outer_square(&q, y) : pair[i]);
        }
        ck_assert_ptr_ne(turned_over(&q, x), x);
    }
    ck_assert_ptr_ne(g_permute(g, s, perm), s);
    y = g2(g, OP_max, x, row(&q, w));
    ck_assert_ptr_ne(turned_over(&q, y), y);
    arena_free(a);
}
END_TEST

static Node *in_cube(const Square *q, Node *x, int i, int j, int k)
{
    return g_broadcast(q->g, x, 3, q->dim, (int[]){i, j, k});
}

/* s u u' … */
static Node *long_cube(const Square *q, Node *s, Node *u)
{
    enum { LONG = 20 };
    Node *x = in_cube(q, s, 0, -1, 1);

    for (int i = 0; i < LONG; i++) {
        Node *y = g1(q->g, OP_sin, g_scale(q->g, u, i + 2));
        x = g2(q->g, OP_mul, x, in_cube(q, y, 0, -1, -1));
        x = g2(q->g, OP_mul, x, in_cube(q, y, -1, 0, -1));
    }
    return x;
}

/* The same of the operands of a product, sum over the last axis: s u u' … v, v
 * before the rest or behind, by w u u', likewise, one before the other. */
START_TEST(structure_of_long_operands)
{
    const int all[] = {0, 1, 2}, out[] = {0, 1};
    Arena *a = arena_new();
    Square q = square_new(a);
    Graph *g = q.g;
    Node *s = g_param(g, DT_f64, 2, q.dim, "s");

    for (int k = 0; k < 8; k++) {
        bool first = k & 1, v_first = k & 2, w_first = k & 4;
        Node *u = vector(&q, "u"), *v = vector(&q, "v"), *w = vector(&q, "w");
        Node *x = NULL, *y = NULL, *last;
        for (int i = 0; i < 2; i++)
            if (first == (i == 0)) {
                last = in_cube(&q, v, -1, -1, 0);
                x = long_cube(&q, s, u);
                last = v_first ? last : g1(g, OP_exp, last);
                x = g2(g, OP_mul, x, last);
            } else {
                last = in_cube(&q, w, -1, -1, 0);
                y = g2(g, OP_mul, in_cube(&q, u, 0, -1, -1),
                       in_cube(&q, u, -1, 0, -1));
                last = w_first ? last : g1(g, OP_exp, last);
                y = g2(g, OP_mul, y, last);
            }
        y = g_contract(g, x, all, y, all, 2, out);
        ck_assert_ptr_ne(turned_over(&q, y), y);
    }
    arena_free(a);
}
END_TEST

static void ck_values(Arena *a, Graph *g, Node *n, int count,
                      const double *want)
{
    double *out;

    ck_assert_int_eq(eval_nodes(a, g, 1, &n, 0, NULL, 0, NULL, NULL, &out),
                     EVAL_OK);
    for (int i = 0; i < count; i++)
        ck_assert_msg(out[i] == want[i] || (isnan(out[i]) && isnan(want[i])),
                      "%d: %g, not %g", i, out[i], want[i]);
}

/* Of two NaNs the first is the extreme; of nothing, repeated, there is none;
 * exp(x - lse) is finite for a logsumexp alone. */
START_TEST(extremes_of_near_misses)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *one = dim_const(g, 1), *three = dim_const(g, 3),
              *none[] = {three, dim_const(g, 0)};
    const double some[] = {NAN, 1, NAN}, number[] = {1, 2, 3},
                 low[] = {-INFINITY, -INFINITY, -INFINITY};
    Node *x = g_data(g, DT_f64, 1, &three, some), *y, *lse, *part[3];
    int axis = 0, last = 1;

    ck_values(a, g, g_reduce(g, OP_argmax, x, 1, &axis), 1, (double[]){0});
    ck_values(a, g, g_reduce(g, OP_argmin, x, 1, &axis), 1, (double[]){0});
    y = g_data(g, DT_f64, 1, &three, number);
    y = g_broadcast(g, y, 2, none, (int[]){0, -1});
    ck_values(a, g, g_reduce(g, OP_reduce_max, y, 1, &last), 3, low);
    x = g_data(g, DT_f64, 1, &three, low);
    lse = g_reduce_all(g, OP_logsumexp, x);
    y = g1(g, OP_exp, g2(g, OP_sub, x, g_broadcast_to(g, lse, 1, &three)));
    ck_values(a, g, y, 3, (double[]){0, 0, 0});
    for (int i = 0; i < 3; i++)
        part[i] = g_broadcast_to(g, i < 2 ? lse : g_reduce_all(g, OP_sum, x), 1,
                                 &one);
    y = g_concat(g, 3, part, 0);
    y = g1(g, OP_exp, g2(g, OP_sub, x, y));
    ck_values(a, g, y, 3, (double[]){NAN, NAN, NAN});
    y = g2(g, OP_mul, lse, g_const(g, DT_f64, 2));
    y = g1(g, OP_exp, g2(g, OP_sub, x, g_broadcast_to(g, y, 1, &three)));
    ck_values(a, g, y, 3, (double[]){NAN, NAN, NAN});
    arena_free(a);
}
END_TEST

/* A place far outside is no place, whatever it is in 32 bits: as sums, and as
 * the sum of what has a place. */
START_TEST(far_places_of_near_misses)
{
    enum { PLACES_OF = 20, COUNT = 3 };
    Arena *a = arena_new();
    double q[] = {0x1p32 + 1, 1, 5}, x[] = {7, 11, 13}, *out[2];

    for (int plain = 0; plain < 2; plain++) {
        Graph *g = graph_new(a, DT_f64);
        graph_plain(g, plain);
        const Dim *dim[] = {dim_const(g, COUNT), dim_const(g, PLACES_OF)};
        Node *index = g_param(g, DT_i64, 1, dim, "q");
        Node *of = g_param(g, DT_f64, 1, dim, "x"), *here, *y;
        const EvalInput in[] = {{index, q}, {of, x}};
        int axis = 0;
        here = g_broadcast(g, index, 2, dim, (int[]){0, -1});
        y = g_broadcast(g, of, 2, dim, (int[]){0, -1});
        here = g2(g, OP_eq, here,
                  g_broadcast_to(g, g_iota(g, DT_i64, dim[1]), 2, dim));
        y = g_where(g, here, y, g_fill(g, y, 0));
        y = g_reduce(g, OP_sum, y, 1, &axis);
        ck_assert_int_eq(
            eval_nodes(a, g, 1, &y, 2, in, 0, NULL, NULL, &out[plain]),
            EVAL_OK);
    }
    for (int i = 0; i < PLACES_OF; i++)
        ck_assert_double_eq(out[0][i], out[1][i]);
    ck_assert_double_eq(out[0][1], 11);
    arena_free(a);
}
END_TEST

static Elements all_elements(Arena *a, Graph *g, Reach *reach)
{
    Elements e = elements_new(g, a, reach);

    for (int i = 0; i < reach->n; i++)
        if (op_table[reach->node[i]->op]->cls == OPC_leaf)
            e.whole[i] = reach->node[i];
        else
            elements_make(&e, reach->node[i]);
    return e;
}

/* f(a - b) and f(b - a) are one where f is even or odd, whichever of them is
 * first. */
START_TEST(elements_of_differences)
{
    static const OpId op[] = {OP_cos, OP_sin, OP_exp};
    Arena *a = arena_new();
    Square q = square_new(a);
    const Dim *dim[] = {dim_var(q.g, "n"), q.n};
    Node *s = g_param(q.g, DT_f64, 2, dim, "s"), *x[3], *first, *last;

    s = g2(q.g, OP_sub, s, g_flip(q.g, s, 1));
    for (int i = 0; i < 3; i++)
        x[i] = g1(q.g, op[i], s);
    Reach reach = reach_enter(q.g, a, 0, REACH_BODIES, 3, x);
    Elements e = all_elements(a, q.g, &reach);
    for (int i = 0; i < 3; i++) {
        first = element_of(&e, x[i], (int[]){0, 0});
        last = element_of(&e, x[i], (int[]){0, 2});
        if (op[i] == OP_sin) /* -f and f */
            last = g1(q.g, OP_neg, last);
        ck_assert_int_eq(first == last, op[i] != OP_exp);
    }
    reach_leave(&reach);
    arena_free(a);
}
END_TEST

/* Of each place as many in both, and between the same long axes. */
START_TEST(elements_of_reshapes)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *n = dim_var(g, "n"), *two = dim_const(g, 2),
              *three = dim_const(g, 3), *six = dim_const(g, 6),
              *none = dim_const(g, 0), *twice = dim_mul(g, n, two);
    const struct {
        const Dim *from[4], *to[4];
        bool keeps;
    } all[] = {
        {{two, three, n}, {six, n}, true},
        {{n, six}, {n, three, two}, true},
        {{three, n}, {n, three}, false},
        {{three, n, twice}, {three, twice, n}, false},
        {{three, n, n}, {three, dim_mul(g, n, n)}, false},
        {{three, none, n}, {three, none}, false},
        {{three, none}, {three, none, n}, false},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int from = 0, to = 0;
        while (all[i].from[from])
            from++;
        while (all[i].to[to])
            to++;
        Node *x = g_param(g, DT_f64, from, all[i].from, "x");
        x = g_reshape(g, x, to, all[i].to);
        Reach reach = reach_enter(g, a, 0, REACH_BODIES, 1, &x);
        const Elements e = elements_new(g, a, &reach);
        ck_assert_int_eq(x->op, OP_reshape);
        ck_assert_int_eq(may_be_elements(&e, x), all[i].keeps);
        reach_leave(&reach);
    }
    arena_free(a);
}
END_TEST

/* Known places along an axis that is long are none of elements. */
START_TEST(elements_of_scatters)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *two = dim_const(g, 2), *dim[] = {two, two};
    Node *x = g_param(g, DT_f64, 2, dim, "x"), *n,
         *q = g_data(g, DT_i32, 1, dim, (double[]){1, 0});

    for (int k = 0; k < 2; k++) {
        n = g_scatter_inside(g, x, q, 0,
                             k ? dim_add(g, dim_var(g, "n"), two) : two);
        n = g1(g, OP_neg, n);
        Reach reach = reach_enter(g, a, 0, REACH_BODIES, 1, &n);
        const Elements e = elements_new(g, a, &reach);
        int scatters = 0;
        for (int i = 0; i < reach.n; i++)
            if (reach.node[i]->op == OP_scatter_add) {
                ck_assert_int_eq(may_be_elements(&e, reach.node[i]), k == 0);
                scatters++;
            }
        ck_assert_int_eq(scatters, 1);
        reach_leave(&reach);
    }
    arena_free(a);
}
END_TEST

/* Data with a long axis are no numbers. */
START_TEST(elements_of_long_data)
{
    enum { LONG = SHORT_AXIS + 1 };
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *dim[] = {dim_const(g, LONG), dim_const(g, 2)};
    double *x = NEWN(a, double, 2 * LONG), *out;

    for (int i = 0; i < 2 * LONG; i++)
        x[i] = i;
    Node *n = g1(g, OP_neg, g_data(g, DT_f64, 2, dim, x));
    Reach reach = reach_enter(g, a, 0, REACH_BODIES, 1, &n);
    Elements e = all_elements(a, g, &reach);
    n = element_of(&e, n, (int[]){0, 1});
    ck_assert_int_eq(n->rank, 1);
    ck_assert_int_eq(eval_nodes(a, g, 1, &n, 0, NULL, 0, NULL, NULL, &out),
                     EVAL_OK);
    for (int i = 0; i < LONG; i++)
        ck_assert_double_eq(out[i], -(2 * i + 1));
    reach_leave(&reach);
    arena_free(a);
}
END_TEST

/* An integer has no reciprocal. */
START_TEST(powers_of_near_misses)
{
    Arena *a = arena_new();
    double *out[2];

    for (int power = -3; power < 4; power++) {
        for (int plain = 0; plain < 2; plain++) {
            Graph *g = graph_new(a, DT_f64);
            graph_plain(g, plain);
            const Dim *four = dim_const(g, 4);
            Node *x = g_data(g, DT_i32, 1, &four, (double[]){1, 2, -1, -3});
            x = g2(g, OP_pow, x, g_fill(g, x, power));
            eval_nodes(a, g, 1, &x, 0, NULL, 0, NULL, NULL, &out[plain]);
        }
        for (int i = 0; i < 4; i++)
            ck_assert_double_eq(out[0][i], out[1][i]);
    }
    arena_free(a);
}
END_TEST

/* An index beside the diagonal is still checked. */
START_TEST(checks_of_diagonals)
{
    Arena *a = arena_new();
    Square q = square_new(a);
    Node *i = g_iota(q.g, DT_i32, q.n), *x;
    double *out;

    x = g2(q.g, OP_mul, g_fill(q.g, row(&q, i), 2), row(&q, i));
    x = g2(q.g, OP_sub, x, column(&q, i)); /* 2 j - i, i on the diagonal */
    x = diagonal_of(&q, g_index_check(q.g, x, q.n));
    ck_assert_int_eq(eval_nodes(a, q.g, 1, &x, 0, NULL, 0, NULL, NULL, &out),
                     EVAL_BAD_INDEX);
    arena_free(a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("random near-misses");
    TCase *t = tcase_create("near"), *p = tcase_create("pairs");

    tcase_add_loop_test(t, values_are_those_of_what_is_written, 0,
                        NTHEMES * TESTS);
    tcase_add_loop_test(p, pairs_of_forms, 0, OPS * KINDS);
    tcase_add_test(t, signs_of_near_misses);
    tcase_add_test(t, indices_of_near_misses);
    tcase_add_test(t, symmetry_of_near_misses);
    tcase_add_test(t, structure_of_long_ones);
    tcase_add_test(t, structure_of_long_operands);
    tcase_add_test(t, checks_of_diagonals);
    tcase_add_test(t, extremes_of_near_misses);
    tcase_add_test(t, elements_of_differences);
    tcase_add_test(t, elements_of_long_data);
    tcase_add_test(t, elements_of_scatters);
    tcase_add_test(t, elements_of_reshapes);
    tcase_add_test(t, powers_of_near_misses);
    tcase_add_test(t, bytes_of_near_misses);
    tcase_add_test(t, far_places_of_near_misses);
    suite_add_tcase(s, t);
    suite_add_tcase(s, p);
    return run_suite(s);
}
