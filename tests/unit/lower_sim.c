/* lower_sim.c: lower.h carried out on single values. */
#include "lower_sim.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct Val {
    DType t;
    SimValue v;
};

enum { POOL = 4000 };
struct Lower {
    const LowerOps *ops;
    Val pool[POOL];
    int used;
    int weight; /* of the operations, see sim_weight */
    bool fused;
    bool no_f64;
};
static Lower sim;

static Val *make(Lower *l, DType t)
{
    assert(l->used < POOL);
    Val *v = &l->pool[l->used++];
    v->t = t;
    l->weight++;
    return v;
}

/* Constants are no operations. */
static Val *constant(Lower *l, Val *v)
{
    l->weight--;
    return v;
}

static Val *real(Lower *l, DType t, double v)
{
    Val *r = make(l, t);
    assert(dtype_is_real(t) && !(t == DT_f64 && l->no_f64));
    if (t == DT_f32) {
        r->v.f = (float)v;
    } else {
        r->v.d = v;
    }
    return r;
}

static double get(const Val *a)
{
    assert(dtype_is_real(a->t));
    return a->t == DT_f32 ? (double)a->v.f : a->v.d;
}

static void alike(const Val *a, const Val *b) { assert(a->t == b->t); }

/* The low bits of v, as dtype t keeps them. */
static int64_t wrap(DType t, uint64_t v)
{
    uint32_t w = (uint32_t)v;
    int32_t i;
    int64_t k;
    memcpy(&i, &w, sizeof i);
    memcpy(&k, &v, sizeof k);
    return t == DT_u8 ? (int64_t)(v & 255) : t == DT_i32 ? i : k;
}

static Val *integer(Lower *l, DType t, uint64_t v)
{
    Val *r = make(l, t);
    assert(dtype_is_int(t));
    r->v.i = wrap(t, v);
    return r;
}

static uint64_t bits(const Val *a)
{
    assert(dtype_is_int(a->t));
    return (uint64_t)a->v.i;
}

static Val *mask(Lower *l, bool v)
{
    Val *r = make(l, DT_bool);
    r->v.b = v;
    return r;
}

static bool set(const Val *a)
{
    assert(a->t == DT_bool);
    return a->v.b;
}

static bool sim_has_f64(Lower *l) { return !l->no_f64; }

static DType sim_dtype(Lower *l, Val *v)
{
    (void)l;
    return v->t;
}

static Val *sim_real(Lower *l, DType t, double v)
{
    return constant(l, real(l, t, v));
}

static Val *sim_int(Lower *l, DType t, int64_t v)
{
    return constant(l, integer(l, t, (uint64_t)v));
}

static Val *sim_bool(Lower *l, bool v) { return constant(l, mask(l, v)); }

static Val *sim_real_bits(Lower *l, DType t, uint64_t v)
{
    Val *bits = constant(l, integer(l, t == DT_f32 ? DT_i32 : DT_i64, v));
    return constant(l, low_from_bits(l, bits));
}

#define ARITHMETIC(name, op)                                                   \
    static Val *name(Lower *l, Val *a, Val *b)                                 \
    {                                                                          \
        alike(a, b);                                                           \
        return a->t == DT_f32 ? real(l, a->t, (double)(a->v.f op b->v.f))      \
                              : real(l, a->t, a->v.d op b->v.d);               \
    }
ARITHMETIC(sim_fadd, +)
ARITHMETIC(sim_fsub, -)
ARITHMETIC(sim_fmul, *)
#undef ARITHMETIC

/* Division by zero is meant: UBSan is not asked. */
__attribute__((no_sanitize("float-divide-by-zero"))) static Val *
sim_fdiv(Lower *l, Val *a, Val *b)
{
    alike(a, b);
    return a->t == DT_f32 ? real(l, a->t, (double)(a->v.f / b->v.f))
                          : real(l, a->t, a->v.d / b->v.d);
}

static Val *sim_fneg(Lower *l, Val *a) { return real(l, a->t, -get(a)); }

static Val *sim_fma(Lower *l, Val *a, Val *b, Val *c)
{
    alike(a, b);
    alike(a, c);
    return a->t == DT_f32 ? real(l, a->t, (double)fmaf(a->v.f, b->v.f, c->v.f))
                          : real(l, a->t, fma(a->v.d, b->v.d, c->v.d));
}

static Val *sim_muladd(Lower *l, Val *a, Val *b, Val *c)
{
    return l->fused ? low_fma(l, a, b, c) : low_fadd(l, low_fmul(l, a, b), c);
}

static Val *sim_fsqrt(Lower *l, Val *a)
{
    return a->t == DT_f32 ? real(l, a->t, (double)sqrtf(a->v.f))
                          : real(l, a->t, sqrt(a->v.d));
}

static Val *sim_fabs(Lower *l, Val *a) { return real(l, a->t, fabs(get(a))); }

static Val *sim_fcopysign(Lower *l, Val *magnitude, Val *sign)
{
    alike(magnitude, sign);
    return real(l, sign->t, copysign(get(magnitude), get(sign)));
}

static Val *sim_ffloor(Lower *l, Val *a)
{
    return real(l, a->t, floor(get(a)));
}

static Val *sim_fceil(Lower *l, Val *a) { return real(l, a->t, ceil(get(a))); }

static Val *sim_frint(Lower *l, Val *a)
{
    return real(l, a->t, nearbyint(get(a)));
}

static Val *sim_ftrunc(Lower *l, Val *a)
{
    return real(l, a->t, trunc(get(a)));
}

static Val *sim_fcmp(Lower *l, Cmp c, Val *a, Val *b)
{
    double x = get(a), y = get(b);
    alike(a, b);
    bool r[] = {x == y, x != y, x<y, x <= y, x> y, x >= y};
    return mask(l, r[c]);
}

static Val *sim_fisnan(Lower *l, Val *a) { return mask(l, isnan(get(a))); }

#define ARITHMETIC(name, op)                                                   \
    static Val *name(Lower *l, Val *a, Val *b)                                 \
    {                                                                          \
        alike(a, b);                                                           \
        return integer(l, a->t, bits(a) op bits(b));                           \
    }
ARITHMETIC(sim_iadd, +)
ARITHMETIC(sim_isub, -)
ARITHMETIC(sim_imul, *)
ARITHMETIC(sim_iand, &)
ARITHMETIC(sim_ior, |)
ARITHMETIC(sim_ixor, ^)
#undef ARITHMETIC

static Val *sim_idiv(Lower *l, Val *a, Val *b)
{
    int64_t x = a->v.i, y = b->v.i;
    alike(a, b);
    if (y == 0 || y == -1) {
        return integer(l, a->t, y == 0 ? 0 : 0 - bits(a));
    }
    return integer(l, a->t,
                   (uint64_t)(x / y - (x % y != 0 && (x < 0) != (y < 0))));
}

static Val *sim_imod(Lower *l, Val *a, Val *b)
{
    int64_t x = a->v.i, y = b->v.i;
    alike(a, b);
    if (y == 0 || y == -1) {
        return integer(l, a->t, 0);
    }
    int64_t r = x % y;
    return integer(l, a->t,
                   (uint64_t)(r != 0 && (r < 0) != (y < 0) ? r + y : r));
}

static int width(const Val *a) { return 8 * dtype_size(a->t); }

static uint64_t unsigned_bits(const Val *a)
{
    int w = width(a);
    return w == 64 ? bits(a) : bits(a) & ((UINT64_C(1) << w) - 1);
}

static Val *sim_ishl(Lower *l, Val *a, int n)
{
    assert(n < width(a));
    return integer(l, a->t, bits(a) << n);
}

static Val *sim_ishr(Lower *l, Val *a, int n)
{
    assert(n < width(a));
    return integer(l, a->t, unsigned_bits(a) >> n);
}

static Val *sim_ishl_by(Lower *l, Val *a, Val *by)
{
    return low_ishl(l, a, (int)by->v.i);
}

static Val *sim_ishr_by(Lower *l, Val *a, Val *by)
{
    return low_ishr(l, a, (int)by->v.i);
}

static Val *sim_isar(Lower *l, Val *a, int n)
{
    uint64_t v = bits(a);
    assert(n < width(a));
    return integer(l, a->t, a->v.i < 0 ? ~(~v >> n) : v >> n);
}

static Val *sim_icmp(Lower *l, Cmp c, Val *a, Val *b)
{
    int64_t x = a->v.i, y = b->v.i;
    alike(a, b);
    bool r[] = {x == y, x != y, x<y, x <= y, x> y, x >= y};
    return mask(l, r[c]);
}

static Val *sim_and(Lower *l, Val *a, Val *b)
{
    return mask(l, set(a) && set(b));
}

static Val *sim_or(Lower *l, Val *a, Val *b)
{
    return mask(l, set(a) || set(b));
}

static Val *sim_not(Lower *l, Val *a) { return mask(l, !set(a)); }

static Val *sim_select(Lower *l, Val *m, Val *a, Val *b)
{
    (void)l;
    alike(a, b);
    return set(m) ? a : b;
}

static Val *sim_bits(Lower *l, Val *a)
{
    uint32_t w;
    uint64_t u;
    if (a->t == DT_f32) {
        memcpy(&w, &a->v.f, sizeof w);
        return integer(l, DT_i32, w);
    }
    assert(a->t == DT_f64);
    memcpy(&u, &a->v.d, sizeof u);
    return integer(l, DT_i64, u);
}

static Val *sim_from_bits(Lower *l, Val *a)
{
    Val *r = make(l, a->t == DT_i32 ? DT_f32 : DT_f64);
    uint64_t v = bits(a);
    uint32_t w = (uint32_t)v;
    if (a->t == DT_i32) {
        memcpy(&r->v.f, &w, sizeof w);
    } else {
        assert(a->t == DT_i64);
        memcpy(&r->v.d, &v, sizeof v);
    }
    return r;
}

/* v truncated, within the integers of dtype t. */
static int64_t saturate(DType t, double v)
{
    double lo = t == DT_u8 ? 0 : t == DT_i32 ? INT32_MIN : (double)INT64_MIN;
    int64_t top = t == DT_u8 ? 255 : t == DT_i32 ? INT32_MAX : INT64_MAX;
    if (isnan(v)) {
        return 0;
    }
    return v <= lo ? (int64_t)lo : v >= (double)top ? top : (int64_t)v;
}

static double number(const Val *a) { return sim_number(a->t, a->v); }

static Val *sim_convert(Lower *l, DType t, Val *a)
{
    if (t == DT_bool) {
        return mask(l, number(a) != 0);
    }
    if (dtype_is_real(t)) {
        return real(l, t, number(a));
    }
    if (dtype_is_real(a->t)) {
        return integer(l, t, (uint64_t)saturate(t, get(a)));
    }
    return integer(l, t, a->t == DT_bool ? set(a) : bits(a));
}

static Val *sim_checked(Lower *l, const Node *n, Val *x)
{
    int64_t limit = 0, i = (int64_t)bits(low_convert(l, DT_i64, x));
    bool known = dim_const_value(n->attr.dims[0], &limit);
    assert(known);
    (void)known;
    return i >= 0 && i < limit ? x : integer(l, x->t, 0);
}

static Val *sim_stop(Lower *l, Val *bad, Val *which)
{
    (void)l;
    (void)which;
    return bad;
}

static Val *sim_dim(Lower *l, const Dim *d)
{
    int64_t v = 0;
    bool known = dim_const_value(d, &v);
    assert(known);
    (void)known;
    return integer(l, DT_i64, (uint64_t)v);
}

static Val *sim_shared(Lower *l, const char *name, LowerBody *body, int n,
                       Val *const *x)
{
    for (int i = 1; i < n; i++) {
        alike(x[0], x[i]);
    }
    (void)name;
    int weight = l->weight;
    Val *r = body(l, x);
    alike(x[0], r);
    l->weight = weight + WEIGHT_CALL;
    return r;
}

static Val *sim_shared_pair(Lower *l, const char *name, LowerBody *const *body,
                            Val *x, Val **second)
{
    Val *first = sim_shared(l, name, body[0], 1, &x);

    *second = sim_shared(l, name, body[1], 1, &x);
    return first;
}

static Val *sim_rarely(Lower *l, Val *m, LowerBody *body, Val *const *x, Val *y)
{
    return set(m) ? body(l, x) : y;
}

static const LowerOps sim_ops = {
#define LOW(type, name, params, args) .low_##name = sim_##name,
#include "lower/lower.def"
#undef LOW
};

/* Keys are computed with as i64. */
static DType lane(DType t) { return t == DT_key ? DT_i64 : t; }

SimValue sim_lower(const Node *n, const SimValue *x)
{
    Val *arg[3];
    sim.ops = &sim_ops;
    sim.used = 0;
    sim.weight = -n->narg;
    assert(n->narg <= 3);
    for (int i = 0; i < n->narg; i++) {
        arg[i] = make(&sim, lane(n->arg[i]->dtype));
        arg[i]->v = x[i];
    }
    Val *r = op_lower(op_table[n->op], &sim, n, arg);
    assert(r->t == lane(n->dtype));
    return r->v;
}

void sim_fused(bool fused) { sim.fused = fused; }

void sim_f64(bool has) { sim.no_f64 = !has; }

int sim_count(void) { return sim.used; }

int sim_weight(void) { return sim.weight; }

SimValue sim_value(DType t, double v)
{
    SimValue s = {0};
    if (t == DT_bool) {
        s.b = v != 0;
    } else if (t == DT_f32) {
        s.f = (float)v;
    } else if (t == DT_f64) {
        s.d = v;
    } else {
        s.i = saturate(lane(t), v);
    }
    return s;
}

double sim_number(DType t, SimValue v)
{
    switch (t) {
    case DT_bool:
        return v.b;
    case DT_f32:
        return (double)v.f;
    case DT_f64:
        return v.d;
    case DT_u8:
    case DT_i32:
    case DT_i64:
    case DT_key:
    case NDTYPES:
        break;
    }
    return (double)v.i;
}
