/* routine_expr.c: expressions of routines, and what these can call. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "emit/product.h"
#include "emit/routine.h"

static RoutineValue made(RoutineType t, LLVMValueRef v)
{
    return (RoutineValue){t, v};
}

static RoutineValue whole(const RoutineCode *c, int64_t v)
{
    return made(RT_int, code_i64(c->e, v));
}

RoutineValue routine_as(RoutineCode *c, RoutineValue x, RoutineType t)
{
    LLVMBuilderRef b = c->e->builder;
    if (x.t == t)
        return x;
    if (t == RT_bool && x.t == RT_int)
        return made(t, LLVMBuildIsNotNull(b, x.v, ""));
    if (t == RT_int && x.t == RT_bool)
        return made(t, LLVMBuildZExt(b, x.v, c->e->i64, ""));
    if (t == RT_int && x.t == RT_real)
        return made(t, LLVMBuildFPToSI(b, x.v, c->e->i64, ""));
    if (t == RT_real && x.t == RT_int)
        return made(t, LLVMBuildSIToFP(b, x.v, c->one, ""));
    if (t == RT_vec)
        return made(t, code_splat(c->e, routine_as(c, x, RT_real).v, c->wide));
    die("routine: a value of type %d where %d is expected (word %d: %s)",
        (int)x.t, (int)t, c->at, routine_word(c));
}

static RoutineType common(RoutineValue a, RoutineValue b)
{
    return a.t == RT_vec || b.t == RT_vec     ? RT_vec
           : a.t == RT_real || b.t == RT_real ? RT_real
                                              : RT_int;
}

RoutineValue routine_binary(RoutineCode *c, char op, RoutineValue a,
                            RoutineValue b)
{
    LLVMBuilderRef to = c->e->builder;
    if (a.t == RT_reals) {
        if (op == '-')
            b.v = LLVMBuildNeg(to, b.v, "");
        return made(RT_reals, code_at(c->e, c->one, a.v, b.v));
    }
    RoutineType t = common(a, b);
    LLVMValueRef x = routine_as(c, a, t).v, y = routine_as(c, b, t).v;
    bool whole = t == RT_int;
    switch (op) {
    case '+':
        return made(t, whole ? LLVMBuildAdd(to, x, y, "")
                             : LLVMBuildFAdd(to, x, y, ""));
    case '-':
        return made(t, whole ? LLVMBuildSub(to, x, y, "")
                             : LLVMBuildFSub(to, x, y, ""));
    case '*':
        return made(t, whole ? LLVMBuildMul(to, x, y, "")
                             : LLVMBuildFMul(to, x, y, ""));
    case '/':
        return made(t, whole ? LLVMBuildSDiv(to, x, y, "")
                             : LLVMBuildFDiv(to, x, y, ""));
    case '%':
        return made(t, LLVMBuildSRem(to, x, y, ""));
    default:
        die("routine: no operator %c", op);
    }
}

static RoutineValue compare(RoutineCode *c, int k, RoutineValue a,
                            RoutineValue b)
{
    static const LLVMIntPredicate of_int[] = {
        LLVMIntSLT, LLVMIntSGT, LLVMIntSLE, LLVMIntSGE, LLVMIntEQ, LLVMIntNE};
    static const LLVMRealPredicate of_real[] = {LLVMRealOLT, LLVMRealOGT,
                                                LLVMRealOLE, LLVMRealOGE,
                                                LLVMRealOEQ, LLVMRealUNE};
    RoutineType t = common(a, b);
    LLVMValueRef x = routine_as(c, a, t).v, y = routine_as(c, b, t).v;
    LLVMBuilderRef to = c->e->builder;
    return made(RT_bool, t == RT_int ? LLVMBuildICmp(to, of_int[k], x, y, "")
                                     : LLVMBuildFCmp(to, of_real[k], x, y, ""));
}

/* What can be called. */

static RoutineValue smaller(RoutineCode *c, RoutineValue *x, bool larger)
{
    RoutineType t = common(x[0], x[1]);
    x[0] = routine_as(c, x[0], t);
    x[1] = routine_as(c, x[1], t);
    LLVMValueRef less = compare(c, larger, x[0], x[1]).v;
    return made(t, LLVMBuildSelect(c->e->builder, less, x[0].v, x[1].v, ""));
}

static RoutineValue intrinsic(RoutineCode *c, const char *name, RoutineValue x)
{
    if (x.t == RT_int)
        x = routine_as(c, x, RT_real);
    LLVMTypeRef t = routine_llvm(c, x.t);
    return made(x.t, code_intrinsic(c->e, name, &t, 1, &x.v, 1));
}

static RoutineValue fused(RoutineCode *c, RoutineValue *x)
{
    RoutineType t = common(x[0], x[1]);
    t = x[2].t == RT_vec ? RT_vec : t == RT_int ? RT_real : t;
    LLVMValueRef right = routine_as(c, x[2], t).v;
    LLVMValueRef other = routine_as(c, x[1], t).v;
    return made(t, code_muladd(c->e, routine_as(c, x[0], t).v, other, right));
}

/* Every other one of 2 WIDE reals at x, from `first` on. */
static RoutineValue alternate(RoutineCode *c, RoutineValue x, int first)
{
    Emit *e = c->e;
    int n = c->wide, align = dtype_size(c->t);
    LLVMValueRef at[2];
    int from[64];
    for (int i = 0; i < 2; i++)
        at[i] = code_load(
            e, c->vec,
            code_at(e, c->one, x.v, code_i64(e, n == 1 ? first : i * n)),
            align);
    if (n == 1)
        return made(RT_vec, at[0]);
    for (int i = 0; i < n; i++)
        from[i] = 2 * i + first;
    return made(RT_vec, code_shuffle(e, at[0], at[1], from, n));
}

/* Lanes of a and b by turns, to 2 WIDE reals at x. */
static void store_turns(RoutineCode *c, RoutineValue *x)
{
    Emit *e = c->e;
    int n = c->wide, align = dtype_size(c->t);
    for (int half = 0; half < 2; half++) {
        int from[64];
        LLVMValueRef v = x[1 + half].v;
        LLVMValueRef at = code_at(e, c->one, x[0].v, code_i64(e, half * n));
        for (int i = 0; i < n; i++)
            from[i] = (half * n + i) / 2 + i % 2 * n;
        if (n > 1)
            v = code_shuffle(e, x[1].v, x[2].v, from, n);
        code_store(e, v, at, align);
    }
}

static RoutineValue call_known(RoutineCode *c, const char *name,
                               RoutineValue *x)
{
    int align = dtype_size(c->t);
    if (strcmp(name, "sqrt") == 0)
        return intrinsic(c, "llvm.sqrt", x[0]);
    if (strcmp(name, "abs") == 0)
        return intrinsic(c, "llvm.fabs", x[0]);
    if (strcmp(name, "fma") == 0)
        return fused(c, x);
    if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
        return smaller(c, x, name[1] == 'a');
    if (strcmp(name, "real") == 0)
        return routine_as(c, x[0], RT_real);
    if (strcmp(name, "int") == 0)
        return routine_as(c, x[0], RT_int);
    if (strcmp(name, "load") == 0)
        return made(RT_vec, code_load(c->e, c->vec, x[0].v, align));
    if (strcmp(name, "evens") == 0 || strcmp(name, "odds") == 0)
        return alternate(c, x[0], name[0] == 'o');
    if (strcmp(name, "store_turns") == 0) {
        store_turns(c, x);
        return made(RT_void, NULL);
    }
    if (strcmp(name, "total") == 0)
        return made(RT_real, code_sum_lanes(c->e, x[0].v));
    if (strcmp(name, "store") == 0) {
        code_store(c->e, routine_as(c, x[1], RT_vec).v, x[0].v, align);
        return made(RT_void, NULL);
    }
    die("no routine %s", name);
}

/* The innermost kernels of products: of a whole panel, of one vector, its last
 * lanes left alone, of one vector, of one column. */
static bool micro_named(const Emit *e, const char *name, DType t, MicroShape *s)
{
    Tile tile = product_tile(e, t);
    bool masks = has_masks(e);
    if (strcmp(name, "micro_panel") == 0)
        *s = micro_shape(&tile, tile.vectors, tile.width, false, false);
    else if (strcmp(name, "micro_last") == 0 && masks)
        *s = micro_shape(&tile, 1, tile.width, true, false);
    else if (strcmp(name, "micro_vector") == 0 && !masks && tile.width > 1)
        *s = micro_shape(&tile, 1, tile.width, false, false);
    else if (strcmp(name, "micro_one") == 0 && !masks)
        *s = micro_shape(&tile, 1, 1, false, false);
    else
        return false;
    return true;
}

void routine_micro_helper(Emit *e, const char *word, DType t, Helpers *h)
{
    MicroShape s;
    if (micro_named(e, word, t, &s))
        helper_add(e, h, micro_helper(e, t, s));
}

static RoutineValue call(RoutineCode *c, const char *name)
{
    RoutineValue x[ROUTINE_ARGS];
    LLVMValueRef v[ROUTINE_ARGS];
    MicroShape s;
    int n = 0;
    while (!routine_take(c, ")")) {
        x[n++] = routine_expr(c);
        routine_take(c, ",");
    }
    for (int i = 0; i < n; i++)
        v[i] = x[i].v;
    if (micro_named(c->e, name, c->t, &s)) {
        code_call(c->e, helper_function(c->e, micro_helper(c->e, c->t, s)), v,
                  n);
        return made(RT_void, NULL);
    }
    if (!routine_named(c->all, name))
        return call_known(c, name, x);
    LLVMValueRef fn = helper_function(c->e, routine_helper(c->e, name, c->t));
    LLVMTypeRef param[ROUTINE_ARGS];
    LLVMTypeRef type = LLVMGlobalGetValueType(fn);
    if ((int)LLVMCountParamTypes(type) != n)
        die("routine: %d arguments for %s", n, name);
    LLVMGetParamTypes(type, param);
    for (int i = 0; i < n; i++)
        if (param[i] == c->one)
            v[i] = routine_as(c, x[i], RT_real).v;
    return made(routine_result(c->e, name), code_call(c->e, fn, v, n));
}

/* Values. */

static bool constant(const RoutineCode *c, const char *name, RoutineValue *to)
{
    const Emit *e = c->e;
    bool wide = c->t == DT_f64;
    Tile tile = product_tile(e, c->t);
    const struct {
        const char *name;
        int v;
    } known[] = {
        {"WIDE", c->wide},       {"LANES", tile.width}, {"PANEL", tile.panel},
        {"MASKS", has_masks(e)}, {"DOUBLE", wide},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) {
            *to = whole(c, known[i].v);
            return true;
        }
    if (strcmp(name, "EPS") == 0)
        *to = made(RT_real,
                   LLVMConstReal(c->one, wide ? DBL_EPSILON : FLT_EPSILON));
    else if (strcmp(name, "TINY") == 0)
        *to = made(RT_real, LLVMConstReal(c->one, wide ? DBL_MIN : FLT_MIN));
    else
        return false;
    return true;
}

static RoutineValue number(RoutineCode *c, const char *word)
{
    if (strchr(word, '.'))
        return made(RT_real, LLVMConstReal(c->one, strtod(word, NULL)));
    return whole(c, strtoll(word, NULL, 10));
}

static RoutineValue primary(RoutineCode *c)
{
    const char *word = routine_word(c);
    RoutineValue x;
    c->at++;
    if (strcmp(word, "(") == 0) {
        x = routine_expr(c);
        routine_expect(c, ")");
        return x;
    }
    if (*word >= '0' && *word <= '9')
        return number(c, word);
    if (routine_take(c, "("))
        return call(c, word);
    if (constant(c, word, &x))
        return x;
    RoutineVar *v = routine_var(c, word);
    if (!v)
        die("routine: no variable %s", word);
    return routine_read(c, v);
}

static RoutineValue postfix(RoutineCode *c)
{
    RoutineValue x = primary(c);
    if (!routine_take(c, "["))
        return x;
    RoutineValue i = routine_expr(c);
    routine_expect(c, "]");
    LLVMValueRef at = code_at(c->e, c->one, x.v, i.v);
    return made(RT_real, code_load(c->e, c->one, at, dtype_size(c->t)));
}

static RoutineValue unary(RoutineCode *c)
{
    LLVMBuilderRef b = c->e->builder;
    if (routine_take(c, "!"))
        return made(RT_bool,
                    LLVMBuildNot(b, routine_as(c, unary(c), RT_bool).v, ""));
    if (!routine_take(c, "-"))
        return postfix(c);
    RoutineValue x = unary(c);
    return made(x.t, x.t == RT_int ? LLVMBuildNeg(b, x.v, "")
                                   : LLVMBuildFNeg(b, x.v, ""));
}

static RoutineValue term(RoutineCode *c)
{
    RoutineValue x = unary(c);
    for (;;) {
        char op = *routine_word(c);
        if (!op || routine_word(c)[1] || !strchr("*/%", op))
            return x;
        c->at++;
        RoutineValue y = unary(c);
        x = routine_binary(c, op, x, y);
    }
}

static RoutineValue sum(RoutineCode *c)
{
    RoutineValue x = term(c);
    for (;;) {
        char op = *routine_word(c);
        if (!op || routine_word(c)[1] || !strchr("+-", op))
            return x;
        c->at++;
        RoutineValue y = term(c);
        x = routine_binary(c, op, x, y);
    }
}

static RoutineValue comparison(RoutineCode *c)
{
    static const char *const name[] = {"<", ">", "<=", ">=", "==", "!="};
    RoutineValue x = sum(c);
    for (int k = 0; k < 6; k++)
        if (routine_take(c, name[k])) {
            RoutineValue y = sum(c);
            return compare(c, k, x, y);
        }
    return x;
}

/* a && b or a || b: b only where a does not decide. */
static RoutineValue logic(RoutineCode *c, bool both)
{
    Emit *e = c->e;
    RoutineValue x = both ? comparison(c) : logic(c, true);
    while (routine_take(c, both ? "&&" : "||")) {
        LLVMValueRef a = routine_as(c, x, RT_bool).v;
        LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
        LLVMBasicBlockRef more = code_block(e, "more"),
                          on = code_block(e, "on");
        LLVMBuildCondBr(e->builder, a, both ? more : on, both ? on : more);
        LLVMPositionBuilderAtEnd(e->builder, more);
        RoutineValue y = both ? comparison(c) : logic(c, true);
        LLVMValueRef b = routine_as(c, y, RT_bool).v;
        LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
        LLVMBuildBr(e->builder, on);
        LLVMPositionBuilderAtEnd(e->builder, on);
        x = made(RT_bool, code_phi(e, a, here, b, end));
    }
    return x;
}

/* Of c ? a : b both are computed. */
RoutineValue routine_expr(RoutineCode *c)
{
    RoutineValue x = logic(c, false);
    if (!routine_take(c, "?"))
        return x;
    LLVMValueRef holds = routine_as(c, x, RT_bool).v;
    RoutineValue a = routine_expr(c);
    routine_expect(c, ":");
    RoutineValue b = routine_expr(c);
    RoutineType t = a.t == RT_reals ? RT_reals : common(a, b);
    LLVMValueRef right = routine_as(c, b, t).v;
    return made(t, LLVMBuildSelect(c->e->builder, holds, routine_as(c, a, t).v,
                                   right, ""));
}
