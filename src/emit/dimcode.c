/* dimcode.c: dimensions as code. */
#include "emit/emit_internal.h"

/* Which of the three codes is being built. */
typedef struct DimWalk {
    Emit *e;
    DimEnv *env;
    LLVMValueRef zero; /* or-ed i1, or NULL */
    LLVMValueRef bad;  /* likewise: something overflowed */
} DimWalk;

static LLVMValueRef find_var(const DimEnv *env, const Dim *var)
{
    for (int i = 0; i < env->n; i++)
        if (env->var[i] == var)
            return env->value[i];
    die("dimension %s has no value here", dim_var_name(var));
}

static void *code_constant(void *u, int64_t v)
{
    return code_i64(((DimWalk *)u)->e, v);
}

static void *code_variable(void *u, const Dim *var)
{
    return find_var(((DimWalk *)u)->env, var);
}

/* Many dimensions have parts in common, above all places in the workspace: what
 * was computed at this place of the same two values is not again. */
typedef LLVMValueRef StepCode(DimWalk *w, LLVMValueRef a, LLVMValueRef b);
typedef struct DimStep {
    StepCode *code;
    LLVMValueRef a, b, value;
} DimStep;

/* There are none yet at another place. */
static void come_here(DimWalk *w)
{
    Place here = code_place(w->e), *at = &w->env->at;
    if (here.block != at->block || here.before != at->before)
        map_clear(&w->env->step);
    *at = here;
}

static LLVMValueRef once(void *u, StepCode *code, void *a, void *b)
{
    DimWalk *w = u;
    DimStep *s;
    uint64_t h = hash_pointer(hash_pointer(HASH_SEED, a), b);
    come_here(w);
    for (size_t seen = 0; (s = map_next(&w->env->step, h, &seen));)
        if (s->code == code && s->a == a && s->b == b)
            return s->value;
    s = NEW(w->e->arena, DimStep);
    *s = (DimStep){code, a, b, code(w, a, b)};
    map_put(w->e->arena, &w->env->step, h, s);
    return s->value;
}

static LLVMValueRef sum(DimWalk *w, LLVMValueRef a, LLVMValueRef b)
{
    return code_plus(w->e, a, b);
}

static LLVMValueRef product(DimWalk *w, LLVMValueRef a, LLVMValueRef b)
{
    return code_times(w->e, a, b);
}

static void *code_add(void *u, void *a, void *b) { return once(u, sum, a, b); }

static void *code_mul(void *u, void *a, void *b)
{
    return once(u, product, a, b);
}

static bool is_positive(LLVMValueRef v)
{
    return LLVMIsAConstantInt(v) && LLVMConstIntGetSExtValue(v) > 0;
}

/* b, or 1 where b is 0 or -1: a divisor that never traps. */
static LLVMValueRef safe_divisor(DimWalk *w, LLVMValueRef b)
{
    LLVMBuilderRef at = w->e->builder;
    LLVMValueRef next = LLVMBuildAdd(at, b, code_i64(w->e, 1), "");
    LLVMValueRef bad =
        LLVMBuildICmp(at, LLVMIntULE, next, code_i64(w->e, 1), "");
    return LLVMBuildSelect(at, bad, code_i64(w->e, 1), b, "");
}

/* The k of 2^k, or -1. */
static int log2_of(LLVMValueRef b)
{
    int64_t v = LLVMIsAConstantInt(b) ? LLVMConstIntGetSExtValue(b) : 0;
    return v > 0 && (v & (v - 1)) == 0 ? __builtin_ctzll((uint64_t)v) : -1;
}

/* floor(a / b), b neither 0 nor -1 */
static LLVMValueRef floor_quotient(DimWalk *w, LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef at = w->e->builder;
    int shift = log2_of(b);
    if (shift >= 0)
        return LLVMBuildAShr(at, a, code_i64(w->e, shift), "");
    LLVMValueRef q = LLVMBuildSDiv(at, a, b, "");
    LLVMValueRef r = LLVMBuildSub(at, a, LLVMBuildMul(at, q, b, ""), "");
    LLVMValueRef zero = code_i64(w->e, 0);
    LLVMValueRef differ =
        LLVMBuildICmp(at, LLVMIntSLT, LLVMBuildXor(at, r, b, ""), zero, "");
    LLVMValueRef some = LLVMBuildICmp(at, LLVMIntNE, r, zero, "");
    LLVMValueRef down =
        LLVMBuildZExt(at, LLVMBuildAnd(at, differ, some, ""), w->e->i64, "");
    return LLVMBuildSub(at, q, down, "");
}

static LLVMValueRef quotient(DimWalk *w, LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef at = w->e->builder;
    if (is_positive(b))
        return floor_quotient(w, a, b);
    LLVMValueRef q = floor_quotient(w, a, safe_divisor(w, b));
    LLVMValueRef minus =
        LLVMBuildICmp(at, LLVMIntEQ, b, code_i64(w->e, -1), "");
    LLVMValueRef zero = LLVMBuildICmp(at, LLVMIntEQ, b, code_i64(w->e, 0), "");
    q = LLVMBuildSelect(at, minus, LLVMBuildNeg(at, a, ""), q, "");
    return LLVMBuildSelect(at, zero, code_i64(w->e, 0), q, "");
}

static void *code_div(void *u, void *a, void *b)
{
    return once(u, quotient, a, b);
}

static LLVMValueRef larger(DimWalk *w, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef two[] = {a, b};
    return code_intrinsic(w->e, "llvm.smax", &w->e->i64, 1, two, 2);
}

static void *code_positive(void *u, void *a)
{
    return once(u, larger, a, code_i64(((DimWalk *)u)->e, 0));
}

static const DimVisitor as_integers = {
    .constant = code_constant,
    .variable = code_variable,
    .add = code_add,
    .mul = code_mul,
    .div = code_div,
    .positive = code_positive,
};

static LLVMValueRef integer_code(Emit *e, DimEnv *env, const Dim *d)
{
    DimWalk w = {.e = e, .env = env};
    DimVisitor v = as_integers;
    v.u = &w;
    return dim_visit(d, &v);
}

LLVMValueRef dim_code(Emit *e, DimEnv *env, const Dim *d)
{
    int64_t c;
    if (dim_const_value(d, &c))
        return code_i64(e, c);
    if (!env->before)
        return integer_code(e, env, d);
    LLVMValueRef known = map_of(&env->memo, d);
    if (known)
        return known;
    Place back = code_go(e, env->before);
    known = integer_code(e, env, d);
    code_back(e, back);
    map_set(e->arena, &env->memo, d, known);
    return known;
}

/* Exact values with a note of overflow. 64-bit machines have instructions that
 * tell. Where sizes have 32 bits, what is multiplied is below 2^31 in
 * magnitude, so that products fit into 64, and so do sums of them. */

static void note_bad(DimWalk *w, LLVMValueRef bad)
{
    w->bad = w->bad ? LLVMBuildOr(w->e->builder, w->bad, bad, "") : bad;
}

bool has_wide_sizes(const Emit *e) { return e->machine.has.wide_sizes; }

static LLVMValueRef told(DimWalk *w, const char *name, void *a, void *b)
{
    Emit *e = w->e;
    LLVMValueRef both =
        code_intrinsic(e, name, &e->i64, 1, (LLVMValueRef[]){a, b}, 2);
    note_bad(w, LLVMBuildExtractValue(e->builder, both, 1, ""));
    return LLVMBuildExtractValue(e->builder, both, 0, "");
}

static void *below_2_31(DimWalk *w, LLVMValueRef v)
{
    Emit *e = w->e;
    LLVMValueRef up = LLVMBuildAdd(e->builder, v, code_i64(e, INT32_MAX), "");
    note_bad(w, LLVMBuildICmp(e->builder, LLVMIntUGT, up,
                              code_i64(e, 2 * (int64_t)INT32_MAX), ""));
    return v;
}

static void *checked_add(void *u, void *a, void *b)
{
    DimWalk *w = u;
    return has_wide_sizes(w->e) ? told(w, "llvm.sadd.with.overflow", a, b)
                                : code_add(u, a, b);
}

static void *checked_mul(void *u, void *a, void *b)
{
    DimWalk *w = u;
    return has_wide_sizes(w->e) ? told(w, "llvm.smul.with.overflow", a, b)
                                : below_2_31(w, code_mul(u, a, b));
}

static void *checked_div(void *u, void *a, void *b)
{
    DimWalk *w = u;
    void *q = code_div(u, a, b);
    return has_wide_sizes(w->e) ? q : below_2_31(w, q);
}

/* Does d grow with its variables, from a value of at least 0? */
typedef struct Growth {
    bool grows, one; /* with one variable alone, */
    const Dim *var;  /* which is that; NULL: a constant */
    int64_t value;   /* where all variables have the same */
} Growth;

typedef struct GrowthWalk {
    Arena *arena;
    int64_t at; /* the value of all variables */
} GrowthWalk;

static Growth *growth(void *u, Growth g)
{
    Growth *own = NEW(((GrowthWalk *)u)->arena, Growth);
    *own = g;
    return own;
}

static void *constant_growth(void *u, int64_t v)
{
    return growth(u, (Growth){v >= 0, true, NULL, v});
}

static void *variable_growth(void *u, const Dim *var)
{
    return growth(u, (Growth){true, true, var, ((GrowthWalk *)u)->at});
}

static Growth both(const Growth *a, const Growth *b)
{
    bool one = !a->var || !b->var || a->var == b->var;
    return (Growth){a->grows && b->grows, a->one && b->one && one,
                    a->var ? a->var : b->var, 0};
}

static void *add_growth(void *u, void *x, void *y)
{
    const Growth *a = x, *b = y;
    Growth g = both(a, b);
    if (__builtin_add_overflow(a->value, b->value, &g.value))
        g.value = INT64_MAX;
    return growth(u, g);
}

static void *mul_growth(void *u, void *x, void *y)
{
    const Growth *a = x, *b = y;
    Growth g = both(a, b);
    if (__builtin_mul_overflow(a->value, b->value, &g.value))
        g.value = INT64_MAX;
    return growth(u, g);
}

static void *div_growth(void *u, void *x, void *y)
{
    const Growth *a = x, *b = y;
    Growth g = {a->grows && !b->var && b->value > 0, a->one, a->var, a->value};
    if (g.grows && g.value != INT64_MAX)
        g.value /= b->value;
    return growth(u, g);
}

static void *positive_growth(void *u, void *x)
{
    (void)x;
    return growth(u, (Growth){.grows = false});
}

static Growth growth_at(Arena *a, const Dim *d, int64_t at)
{
    GrowthWalk w = {a, at};
    DimVisitor v = {
        .u = &w,
        .constant = constant_growth,
        .variable = variable_growth,
        .add = add_growth,
        .mul = mul_growth,
        .div = div_growth,
        .positive = positive_growth,
    };
    return *(Growth *)dim_visit(d, &v);
}

LLVMValueRef dim_code_exceeds(Emit *e, DimEnv *env, const Dim *d, int64_t most,
                              bool negative)
{
    DimWalk w = {.e = e, .env = env};
    DimVisitor v = as_integers;
    v.u = &w;
    Growth g = growth_at(e->arena, d, INT32_MAX);
    if (!g.grows || g.value == INT64_MAX) {
        v.add = checked_add;
        v.mul = checked_mul;
        v.div = checked_div;
    }
    LLVMValueRef n = dim_visit(d, &v);
    LLVMValueRef many =
        LLVMBuildICmp(e->builder, negative ? LLVMIntUGT : LLVMIntSGT, n,
                      code_i64(e, most), "");
    return w.bad ? LLVMBuildOr(e->builder, w.bad, many, "") : many;
}

const Dim *dim_most(Arena *a, const Dim *d, int64_t most, int64_t *limit)
{
    Growth g = growth_at(a, d, 0);
    if (!g.grows || !g.one || !g.var)
        return NULL;
    /* below: fits; above: does not, or was not asked for. */
    int64_t below = -1, above = (int64_t)INT32_MAX + 1;
    while (above - below > 1) {
        int64_t middle = below + (above - below) / 2;
        if (growth_at(a, d, middle).value <= most)
            below = middle;
        else
            above = middle;
    }
    *limit = below;
    return g.var;
}

static void note_zero(DimWalk *w, LLVMValueRef b)
{
    if (is_positive(b))
        return;
    LLVMBuilderRef at = w->e->builder;
    LLVMValueRef zero = LLVMBuildICmp(at, LLVMIntEQ, b, code_i64(w->e, 0), "");
    w->zero = w->zero ? LLVMBuildOr(at, w->zero, zero, "") : zero;
}

static void *zero_div(void *u, void *a, void *b)
{
    note_zero(u, b);
    return code_div(u, a, b);
}

LLVMValueRef dim_code_zero(Emit *e, DimEnv *env, const Dim *d)
{
    DimWalk w = {.e = e, .env = env};
    DimVisitor v = as_integers;
    v.u = &w;
    v.div = zero_div;
    dim_visit(d, &v);
    return w.zero;
}

DimEnv dim_env_checked(Emit *e, const Dim *const *var, int n, LLVMValueRef dims)
{
    DimEnv env = dim_env(e, var, n, dims);
    for (int i = 0; i < n; i++)
        code_in_range(e, env.value[i], 0, INT64_MIN);
    return env;
}

DimEnv dim_env(Emit *e, const Dim *const *var, int n, LLVMValueRef dims)
{
    DimEnv env = {.var = var, .n = n};
    env.value = NEWN(e->arena, LLVMValueRef, n + 1);
    for (int i = 0; i < n; i++)
        env.value[i] =
            code_load(e, e->i64, code_at(e, e->i64, dims, code_i64(e, i)), 8);
    return env;
}
