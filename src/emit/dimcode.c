/* dimcode.c: dimensions as code. */
#include "emit/emit_internal.h"

/* Which of the three codes is being built. */
typedef struct DimWalk {
    Emit *e;
    const DimEnv *env;
    LLVMValueRef zero; /* or-ed i1, or NULL */
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

static void *code_add(void *u, void *a, void *b)
{
    return LLVMBuildAdd(((DimWalk *)u)->e->builder, a, b, "");
}

static void *code_mul(void *u, void *a, void *b)
{
    return LLVMBuildMul(((DimWalk *)u)->e->builder, a, b, "");
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

/* floor(a / b), b neither 0 nor -1 */
static LLVMValueRef floor_quotient(DimWalk *w, LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef at = w->e->builder;
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

static void *code_div(void *u, void *a, void *b)
{
    DimWalk *w = u;
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

static void *code_mod(void *u, void *a, void *b)
{
    DimWalk *w = u;
    LLVMBuilderRef at = w->e->builder;
    LLVMValueRef q = code_div(u, a, b);
    LLVMValueRef r = LLVMBuildSub(at, a, LLVMBuildMul(at, q, b, ""), "");
    LLVMValueRef zero = LLVMBuildICmp(at, LLVMIntEQ, b, code_i64(w->e, 0), "");
    return LLVMBuildSelect(at, zero, code_i64(w->e, 0), r, "");
}

static const DimVisitor as_integers = {
    .constant = code_constant,
    .variable = code_variable,
    .add = code_add,
    .mul = code_mul,
    .div = code_div,
    .mod = code_mod,
};

static LLVMValueRef integer_code(Emit *e, const DimEnv *env, const Dim *d)
{
    DimWalk w = {.e = e, .env = env};
    DimVisitor v = as_integers;
    v.u = &w;
    return dim_visit(d, &v);
}

static DimMemo *memo_slot(DimMemo *memo, int cap, const Dim *d)
{
    uint64_t h = hash_bytes(HASH_SEED, &d, sizeof d);
    int i = (int)(h & (uint64_t)(cap - 1));
    while (memo[i].dim && memo[i].dim != d)
        i = (i + 1) & (cap - 1);
    return &memo[i];
}

static void memo_grow(Emit *e, DimEnv *env)
{
    int cap = env->memo_cap ? 2 * env->memo_cap : 16;
    DimMemo *memo = NEWN(e->arena, DimMemo, cap);
    for (int i = 0; i < env->memo_cap; i++)
        if (env->memo[i].dim)
            *memo_slot(memo, cap, env->memo[i].dim) = env->memo[i];
    env->memo = memo;
    env->memo_cap = cap;
}

LLVMValueRef dim_code(Emit *e, DimEnv *env, const Dim *d)
{
    int64_t c;
    if (dim_const_value(d, &c))
        return code_i64(e, c);
    if (!env->before)
        return integer_code(e, env, d);
    if (2 * env->nmemo >= env->memo_cap)
        memo_grow(e, env);
    DimMemo *m = memo_slot(env->memo, env->memo_cap, d);
    if (!m->dim) {
        Place back = code_go(e, env->before);
        *m = (DimMemo){d, integer_code(e, env, d)};
        code_back(e, back);
        env->nmemo++;
    }
    return m->value;
}

static void *real_constant(void *u, int64_t v)
{
    return LLVMConstReal(((DimWalk *)u)->e->f64, (double)v);
}

static void *real_variable(void *u, const Dim *var)
{
    DimWalk *w = u;
    return LLVMBuildSIToFP(w->e->builder, find_var(w->env, var), w->e->f64, "");
}

static void *real_add(void *u, void *a, void *b)
{
    return LLVMBuildFAdd(((DimWalk *)u)->e->builder, a, b, "");
}

static void *real_mul(void *u, void *a, void *b)
{
    return LLVMBuildFMul(((DimWalk *)u)->e->builder, a, b, "");
}

/* A quotient is in magnitude at most its dividend, a remainder its divisor:
 * enough for telling whether something is too large. */
static void *real_div(void *u, void *a, void *b)
{
    (void)u;
    (void)b;
    return a;
}

static void *real_mod(void *u, void *a, void *b)
{
    (void)u;
    (void)a;
    return b;
}

LLVMValueRef dim_code_real(Emit *e, const DimEnv *env, const Dim *d)
{
    DimWalk w = {.e = e, .env = env};
    DimVisitor v = {
        .u = &w,
        .constant = real_constant,
        .variable = real_variable,
        .add = real_add,
        .mul = real_mul,
        .div = real_div,
        .mod = real_mod,
    };
    return dim_visit(d, &v);
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

static void *zero_mod(void *u, void *a, void *b)
{
    note_zero(u, b);
    return code_mod(u, a, b);
}

LLVMValueRef dim_code_zero(Emit *e, const DimEnv *env, const Dim *d)
{
    DimWalk w = {.e = e, .env = env};
    DimVisitor v = as_integers;
    v.u = &w;
    v.div = zero_div;
    v.mod = zero_mod;
    dim_visit(d, &v);
    return w.zero;
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
