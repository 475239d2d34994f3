/* lower.c: the machine instructions of elementwise operators. */

#include "emit/prebuilt.h"

Val *val_new(Emit *e, LLVMValueRef v, DType t)
{
    Val *val = NEW(e->arena, Val);
    *val = (Val){v, t};
    return val;
}

static Val *made(Lower *l, LLVMValueRef v, DType t)
{
    return val_new(l->e, v, t);
}

static LLVMBuilderRef at(Lower *l) { return l->e->builder; }

static DType llvm_dtype(Lower *l, Val *v)
{
    (void)l;
    return v->t == DT_key ? DT_i64 : v->t;
}

static LLVMTypeRef lanes_of(Lower *l, DType t)
{
    return type_lanes(type_of(l->e, t), l->width);
}

/* Constants. */

static Val *llvm_real(Lower *l, DType t, double v)
{
    LLVMValueRef c = LLVMConstReal(type_of(l->e, t), v);
    return made(l, code_splat(l->e, c, l->width), t);
}

static Val *llvm_int(Lower *l, DType t, int64_t v)
{
    LLVMValueRef c =
        LLVMConstInt(type_of(l->e, t), (unsigned long long)v, true);
    return made(l, code_splat(l->e, c, l->width), t);
}

static Val *llvm_bool(Lower *l, bool v)
{
    LLVMValueRef c = LLVMConstInt(l->e->i1, v, false);
    return made(l, code_splat(l->e, c, l->width), DT_bool);
}

static Val *llvm_real_bits(Lower *l, DType t, uint64_t bits)
{
    LLVMTypeRef i = t == DT_f32 ? l->e->i32 : l->e->i64;
    LLVMValueRef c =
        LLVMConstBitCast(LLVMConstInt(i, bits, false), type_of(l->e, t));
    return made(l, code_splat(l->e, c, l->width), t);
}

/* Reals. */

static Val *llvm_fneg(Lower *l, Val *a)
{
    return made(l, LLVMBuildFNeg(at(l), a->v, ""), a->t);
}

static Val *intrinsic(Lower *l, const char *name, int n, Val *const *x)
{
    LLVMValueRef arg[3];
    for (int i = 0; i < n; i++)
        arg[i] = x[i]->v;
    LLVMTypeRef t = LLVMTypeOf(arg[0]);
    return made(l, code_intrinsic(l->e, name, &t, 1, arg, n), x[0]->t);
}

/* Instructions of two values of one type; and of one and a number of bits. */
#define BINARY(name, build)                                                    \
    static Val *llvm_##name(Lower *l, Val *a, Val *b)                          \
    {                                                                          \
        return made(l, build(at(l), a->v, b->v, ""), a->t);                    \
    }
#define SHIFT(name, build)                                                     \
    static Val *llvm_##name(Lower *l, Val *a, int bits)                        \
    {                                                                          \
        Val *by = low_int(l, a->t, bits);                                      \
        return made(l, build(at(l), a->v, by->v, ""), a->t);                   \
    }
BINARY(fadd, LLVMBuildFAdd)
BINARY(fsub, LLVMBuildFSub)
BINARY(fmul, LLVMBuildFMul)
BINARY(fdiv, LLVMBuildFDiv)
BINARY(iadd, LLVMBuildAdd)
BINARY(isub, LLVMBuildSub)
BINARY(imul, LLVMBuildMul)
BINARY(iand, LLVMBuildAnd)
BINARY(ior, LLVMBuildOr)
BINARY(ixor, LLVMBuildXor)
BINARY(ishl_by, LLVMBuildShl)
BINARY(ishr_by, LLVMBuildLShr)
SHIFT(ishl, LLVMBuildShl)
SHIFT(ishr, LLVMBuildLShr)
SHIFT(isar, LLVMBuildAShr)
#undef BINARY
#undef SHIFT

static bool in_hardware(const Emit *e, DType t)
{
    return t == DT_f64 ? e->machine.wide_real : e->machine.real;
}

static bool llvm_has_f64(Lower *l) { return l->e->machine.wide_real; }

/* A real rounded to half its bits (26 of f64, 12 of f32): a - high has as many,
 * with a sign, so that the product of two such rests is exact. */
static Val *high_half(Lower *l, Val *a)
{
    int cut = a->t == DT_f64 ? 27 : 12;
    Val *bits = low_bits(l, a);
    Val *mask = low_int(l, bits->t, -(INT64_C(1) << cut));
    Val *up = low_iadd(l, bits, low_int(l, bits->t, INT64_C(1) << (cut - 1)));
    return low_from_bits(l, low_iand(l, up, mask));
}

/* a*b + c without hardware: the product split into p + e exactly (Dekker 1971),
 * then the sum with its error (Knuth). Where that is not finite the plain
 * formula is right. */
static Val *soft_fma(Lower *l, Val *const *x)
{
    Val *a = x[0], *b = x[1], *c = x[2];
    Val *p = low_fmul(l, a, b), *plain = low_fadd(l, p, c);
    Val *ah = high_half(l, a), *al = low_fsub(l, a, ah);
    Val *bh = high_half(l, b), *bl = low_fsub(l, b, bh);
    Val *e = low_fsub(l, low_fmul(l, ah, bh), p);
    e = low_fadd(l, e, low_fmul(l, ah, bl));
    e = low_fadd(l, e, low_fmul(l, al, bh));
    e = low_fadd(l, e, low_fmul(l, al, bl));
    Val *s = low_fadd(l, p, c), *v = low_fsub(l, s, p);
    Val *other = low_fsub(l, c, v);
    Val *t = low_fadd(l, low_fsub(l, p, low_fsub(l, s, v)), other);
    Val *r = low_fadd(l, s, low_fadd(l, t, e));
    uint64_t inf = a->t == DT_f64 ? 0x7ff0000000000000 : 0x7f800000;
    Val *finite =
        low_fcmp(l, CMP_lt, low_fabs(l, r), low_real_bits(l, a->t, inf));
    return low_select(l, finite, r, plain);
}

/* The product is exact in float64. */
static Val *fma_in_f64(Lower *l, Val *const *x)
{
    Val *right = low_convert(l, DT_f64, x[1]);
    Val *p = low_fmul(l, low_convert(l, DT_f64, x[0]), right);
    Val *s = low_fadd(l, p, low_convert(l, DT_f64, x[2]));
    return low_convert(l, DT_f32, s);
}

static Val *llvm_fma(Lower *l, Val *a, Val *b, Val *c)
{
    Val *x[] = {a, b, c};
    if (has_fma(l->e, a->t == DT_f64))
        return intrinsic(l, "llvm.fma", 3, x);
    return a->t == DT_f32 && low_has_f64(l)
               ? fma_in_f64(l, x)
               : low_shared(l, "fma", soft_fma, 3, x);
}

static Val *llvm_muladd(Lower *l, Val *a, Val *b, Val *c)
{
    return has_fma(l->e, a->t == DT_f64) ? low_fma(l, a, b, c)
                                         : low_fadd(l, low_fmul(l, a, b), c);
}

/* Without hardware: Heron's rule from half the exponent, then what the square
 * is still off by. Numbers so small that this is lost are scaled first. */
static Val *soft_sqrt(Lower *l, Val *const *x)
{
    bool wide = x[0]->t == DT_f64;
    DType bits = wide ? DT_i64 : DT_i32;
    Val *small = low_fcmp(l, CMP_lt, x[0],
                          low_real(l, x[0]->t, wide ? 0x1p-900 : 0x1p-60));
    Val *up = low_real(l, x[0]->t, wide ? 0x1p200 : 0x1p60);
    Val *down = low_real(l, x[0]->t, wide ? 0x1p-100 : 0x1p-30);
    Val *one = low_real(l, x[0]->t, 1), *half = low_real(l, x[0]->t, 0.5);
    Val *a = low_fmul(l, x[0], low_select(l, small, up, one));
    Val *middle = low_int(l, bits, wide ? 0x1ff7a3bea91d9b1b : 0x1fbd1df5);
    Val *s =
        low_from_bits(l, low_iadd(l, low_ishr(l, low_bits(l, a), 1), middle));
    for (int i = 0; i < (wide ? 4 : 3); i++)
        s = low_fmul(l, half, low_fadd(l, s, low_fdiv(l, a, s)));
    Val *off = low_fma(l, low_fneg(l, s), s, a);
    s = low_fadd(l, s, low_fdiv(l, off, low_fadd(l, s, s)));
    s = low_fmul(l, s, low_select(l, small, down, one));
    Val *inf =
        low_real_bits(l, x[0]->t, wide ? 0x7ff0000000000000 : 0x7f800000);
    Val *zero = low_real(l, x[0]->t, 0);
    Val *right = low_fcmp(l, CMP_lt, x[0], inf);
    Val *plain = low_and(l, low_fcmp(l, CMP_gt, x[0], zero), right);
    Val *negative = low_fcmp(l, CMP_lt, x[0], zero);
    Val *nan = low_fsub(l, inf, inf);
    return low_select(l, plain, s, low_select(l, negative, nan, x[0]));
}

static Val *llvm_fsqrt(Lower *l, Val *a)
{
    return in_hardware(l->e, a->t) ? intrinsic(l, "llvm.sqrt", 1, &a)
                                   : low_shared(l, "sqrt", soft_sqrt, 1, &a);
}

static Val *llvm_fabs(Lower *l, Val *a)
{
    return intrinsic(l, "llvm.fabs", 1, &a);
}

static Val *llvm_fcopysign(Lower *l, Val *magnitude, Val *sign)
{
    Val *x[] = {magnitude, sign};
    return intrinsic(l, "llvm.copysign", 2, x);
}

/* Rounding without an instruction for it: adding and taking away 2^23 (2^52)
 * rounds to nearest even what is smaller than that; the rest has no fraction.
 */
static Val *soft_rint(Lower *l, Val *a)
{
    Val *big = low_real(l, a->t, a->t == DT_f32 ? 0x1p23 : 0x1p52);
    Val *size = low_fabs(l, a);
    Val *r = low_fsub(l, low_fadd(l, size, big), big);
    Val *small = low_fcmp(l, CMP_lt, size, big);
    return low_select(l, small, low_fcopysign(l, r, a), a);
}

/* rint, then one less (more) where that went too far. */
static Val *soft_round_to(Lower *l, Val *a, Cmp beyond, double back)
{
    Val *r = soft_rint(l, a);
    Val *fix = low_fadd(l, r, low_real(l, a->t, back));
    r = low_select(l, low_fcmp(l, beyond, r, a), fix, r);
    return low_fcopysign(l, r, a);
}

static Val *llvm_ffloor(Lower *l, Val *a)
{
    return l->e->machine.rounding ? intrinsic(l, "llvm.floor", 1, &a)
                                  : soft_round_to(l, a, CMP_gt, -1);
}

static Val *llvm_fceil(Lower *l, Val *a)
{
    return l->e->machine.rounding ? intrinsic(l, "llvm.ceil", 1, &a)
                                  : soft_round_to(l, a, CMP_lt, 1);
}

static Val *llvm_frint(Lower *l, Val *a)
{
    return l->e->machine.rounding ? intrinsic(l, "llvm.rint", 1, &a)
                                  : soft_rint(l, a);
}

static Val *llvm_ftrunc(Lower *l, Val *a)
{
    if (l->e->machine.rounding)
        return intrinsic(l, "llvm.trunc", 1, &a);
    return low_fcopysign(l, soft_round_to(l, low_fabs(l, a), CMP_gt, -1), a);
}

static Val *llvm_fcmp(Lower *l, Cmp c, Val *a, Val *b)
{
    static const LLVMRealPredicate is[] = {
        [CMP_eq] = LLVMRealOEQ, [CMP_ne] = LLVMRealUNE, [CMP_lt] = LLVMRealOLT,
        [CMP_le] = LLVMRealOLE, [CMP_gt] = LLVMRealOGT, [CMP_ge] = LLVMRealOGE,
    };
    return made(l, LLVMBuildFCmp(at(l), is[c], a->v, b->v, ""), DT_bool);
}

static Val *llvm_fisnan(Lower *l, Val *a)
{
    return made(l, LLVMBuildFCmp(at(l), LLVMRealUNO, a->v, a->v, ""), DT_bool);
}

/* Integers. */

/* floor(a / b) of a divisor that is neither 0 nor, signed, -1 */
static Val *floor_quotient(Lower *l, Val *a, Val *b)
{
    if (a->t == DT_u8)
        return made(l, LLVMBuildUDiv(at(l), a->v, b->v, ""), a->t);
    Val *zero = low_int(l, a->t, 0);
    Val *q = made(l, LLVMBuildSDiv(at(l), a->v, b->v, ""), a->t);
    Val *r = low_isub(l, a, low_imul(l, q, b));
    Val *right = low_icmp(l, CMP_ne, r, zero);
    Val *down = low_and(l, low_icmp(l, CMP_lt, low_ixor(l, r, b), zero), right);
    return low_select(l, down, low_isub(l, q, low_int(l, a->t, 1)), q);
}

static Val *llvm_idiv(Lower *l, Val *a, Val *b)
{
    Val *zero = low_int(l, a->t, 0), *one = low_int(l, a->t, 1);
    Val *is_zero = low_icmp(l, CMP_eq, b, zero);
    if (a->t == DT_u8) {
        Val *q = floor_quotient(l, a, low_select(l, is_zero, one, b));
        return low_select(l, is_zero, zero, q);
    }
    Val *is_minus = low_icmp(l, CMP_eq, b, low_int(l, a->t, -1));
    Val *bad = low_or(l, is_zero, is_minus);
    Val *q = floor_quotient(l, a, low_select(l, bad, one, b));
    q = low_select(l, is_minus, low_isub(l, zero, a), q);
    return low_select(l, is_zero, zero, q);
}

static Val *llvm_imod(Lower *l, Val *a, Val *b)
{
    Val *zero = low_int(l, a->t, 0);
    Val *r = low_isub(l, a, low_imul(l, low_idiv(l, a, b), b));
    return low_select(l, low_icmp(l, CMP_eq, b, zero), zero, r);
}

static Val *llvm_icmp(Lower *l, Cmp c, Val *a, Val *b)
{
    static const LLVMIntPredicate is[][2] = {
        [CMP_eq] = {LLVMIntEQ, LLVMIntEQ},
        [CMP_ne] = {LLVMIntNE, LLVMIntNE},
        [CMP_lt] = {LLVMIntULT, LLVMIntSLT},
        [CMP_le] = {LLVMIntULE, LLVMIntSLE},
        [CMP_gt] = {LLVMIntUGT, LLVMIntSGT},
        [CMP_ge] = {LLVMIntUGE, LLVMIntSGE},
    };
    bool has_sign = a->t != DT_u8 && a->t != DT_bool;
    return made(l, LLVMBuildICmp(at(l), is[c][has_sign], a->v, b->v, ""),
                DT_bool);
}

/* Masks. */

static Val *llvm_and(Lower *l, Val *a, Val *b) { return low_iand(l, a, b); }

static Val *llvm_or(Lower *l, Val *a, Val *b) { return low_ior(l, a, b); }

static Val *llvm_not(Lower *l, Val *a)
{
    return made(l, LLVMBuildNot(at(l), a->v, ""), a->t);
}

static Val *llvm_select(Lower *l, Val *mask, Val *a, Val *b)
{
    return made(l, LLVMBuildSelect(at(l), mask->v, a->v, b->v, ""), a->t);
}

/* Between types. */

static Val *llvm_bits(Lower *l, Val *a)
{
    DType t = a->t == DT_f32 ? DT_i32 : DT_i64;
    return made(l, LLVMBuildBitCast(at(l), a->v, lanes_of(l, t), ""), t);
}

static Val *llvm_from_bits(Lower *l, Val *a)
{
    DType t = a->t == DT_i32 ? DT_f32 : DT_f64;
    return made(l, LLVMBuildBitCast(at(l), a->v, lanes_of(l, t), ""), t);
}

static LLVMValueRef real_to(Lower *l, DType t, Val *a)
{
    LLVMTypeRef to = lanes_of(l, t), over[] = {to, LLVMTypeOf(a->v)};
    if (t == DT_bool)
        return low_fcmp(l, CMP_ne, a, low_real(l, a->t, 0))->v;
    if (dtype_is_real(t))
        return LLVMBuildFPCast(at(l), a->v, to, "");
    const char *name = t == DT_u8 ? "llvm.fptoui.sat" : "llvm.fptosi.sat";
    return code_intrinsic(l->e, name, over, 2, &a->v, 1);
}

static LLVMValueRef int_to(Lower *l, DType t, Val *a)
{
    LLVMTypeRef to = lanes_of(l, t);
    bool is_signed = a->t != DT_u8 && a->t != DT_bool;
    if (t == DT_bool)
        return low_icmp(l, CMP_ne, a, low_int(l, a->t, 0))->v;
    if (!dtype_is_real(t))
        return LLVMBuildIntCast2(at(l), a->v, to, is_signed, "");
    return is_signed ? LLVMBuildSIToFP(at(l), a->v, to, "")
                     : LLVMBuildUIToFP(at(l), a->v, to, "");
}

static Val *llvm_convert(Lower *l, DType t, Val *a)
{
    if (a->t == t)
        return a;
    return made(l, dtype_is_real(a->t) ? real_to(l, t, a) : int_to(l, t, a), t);
}

/* Calls out of the elements. */

/* Is any lane of a mask set. */
static LLVMValueRef any_lane(Lower *l, LLVMValueRef mask)
{
    Emit *e = l->e;
    if (l->width == 1)
        return mask;
    LLVMTypeRef bits = LLVMIntTypeInContext(e->context, (unsigned)l->width);
    mask = LLVMBuildBitCast(at(l), mask, bits, "");
    return LLVMBuildICmp(at(l), LLVMIntNE, mask, LLVMConstNull(bits), "");
}

static Val *llvm_dim(Lower *l, const Dim *d)
{
    if (!l->dims)
        die("a shared function asks for a dimension");
    LLVMValueRef v = dim_code(l->e, l->dims, d);
    return made(l, code_splat(l->e, v, l->width), DT_i64);
}

/* Functions of elements. */

typedef struct SharedKind {
    LowerBody *body, *second; /* second: NULL, or it gives both values */
    DType t;
    int narg, width;
} SharedKind;
enum { SHARED_ARGS = 8 };

static LLVMTypeRef shared_type(Emit *e, const void *of)
{
    const SharedKind *k = of;
    LLVMTypeRef type = type_lanes(type_of(e, k->t), k->width);
    LLVMTypeRef param[SHARED_ARGS];
    for (int i = 0; i < k->narg; i++)
        param[i] = type;
    LLVMTypeRef both[2] = {type, type}, gives = type;
    if (k->second)
        gives = LLVMStructTypeInContext(e->context, both, 2, false);
    return LLVMFunctionType(gives, param, (unsigned)k->narg, false);
}

static void build_shared(Emit *e, const void *of, LLVMValueRef fn)
{
    const SharedKind *k = of;
    Val *x[SHARED_ARGS];
    for (int i = 0; i < k->narg; i++)
        x[i] = val_new(e, LLVMGetParam(fn, (unsigned)i), k->t);
    Lower inner = {.ops = &llvm_ops, .e = e, .width = k->width};
    LLVMValueRef value[2] = {k->body(&inner, x)->v, NULL};
    if (k->second) {
        value[1] = k->second(&inner, x)->v;
        LLVMBuildAggregateRet(e->builder, value, 2);
    } else
        LLVMBuildRet(e->builder, value[0]);
}

/* Of arguments of x's; a key is 64 bits. */
static DType shared_dtype(const Val *x)
{
    return x->t == DT_key ? DT_i64 : x->t;
}

/* A call of it. */
static LLVMValueRef call_shared(Lower *l, const char *name, SharedKind kind,
                                Val *const *x)
{
    Emit *e = l->e;
    if (kind.narg > SHARED_ARGS)
        die("%s has too many arguments", name);
    kind.t = shared_dtype(x[0]);
    kind.width = l->width;
    Helper h = {.name = arena_printf(e->arena, "nn_%s_%s_x%d", name,
                                     dtype_name(kind.t), l->width),
                .type = shared_type,
                .build = build_shared,
                .of = arena_copy(e->arena, &kind, sizeof kind)};
    if (e->listed)
        helper_add(e, e->listed, h);
    LLVMValueRef fn = helper_function(e, h), arg[SHARED_ARGS];
    for (int i = 0; i < kind.narg; i++)
        arg[i] = x[i]->v;
    return code_call(e, fn, arg, kind.narg);
}

static Val *llvm_shared(Lower *l, const char *name, LowerBody *body, int n,
                        Val *const *x)
{
    SharedKind kind = {.body = body, .narg = n};
    return made(l, call_shared(l, name, kind, x), shared_dtype(x[0]));
}

static Val *llvm_shared_pair(Lower *l, const char *name, LowerBody *const *body,
                             Val *x, Val **second)
{
    SharedKind kind = {.body = body[0], .second = body[1], .narg = 1};
    LLVMValueRef both = call_shared(l, name, kind, &x);
    *second = made(l, LLVMBuildExtractValue(at(l), both, 1, ""), x->t);
    return made(l, LLVMBuildExtractValue(at(l), both, 0, ""), x->t);
}

/* The function of an operator on so many lanes of that type, in one of its own
 * that nobody calls. */
static void prebuild_op(Emit *e, OpId op, DType t, int width)
{
    LLVMTypeRef type = type_lanes(type_of(e, t), width);
    LLVMTypeRef param[SHARED_ARGS];
    int n = op_table[op]->arity;
    for (int i = 0; i < n; i++)
        param[i] = type;
    LLVMValueRef fn =
        code_function(e, "", LLVMFunctionType(e->none, param, (unsigned)n, 0));
    Place back = code_begin(e, fn);
    Val *x[SHARED_ARGS];
    for (int i = 0; i < n; i++)
        x[i] = val_new(e, LLVMGetParam(fn, (unsigned)i), t);
    Lower l = {.ops = &llvm_ops, .e = e, .width = width};
    Node any = {.op = OP_param, .dtype = t}, *arg[SHARED_ARGS];
    for (int i = 0; i < n; i++)
        arg[i] = &any;
    Node plain = {.op = op, .dtype = t, .narg = n, .arg = arg};
    op_lower(op_table[op], &l, &plain, x);
    if (op_table[op]->lower_both)
        op_table[op]->lower_both(&l, x[0], &x[1]);
    LLVMBuildRetVoid(e->builder);
    code_back(e, back);
}

/* What is of bits has 64, also among lanes of 32. */
static void prebuild_widths(Emit *e, OpId op, DType t)
{
    int wide = lanes_of_bytes(e, dtype_size(t));
    prebuild_op(e, op, t, 1);
    prebuild_op(e, op, t, wide);
    if (t == DT_i64)
        prebuild_op(e, op, t, 2 * wide);
}

void shared_prebuild(Emit *e)
{
    for (int op = 0; op < NOPS; op++) {
        const Op *row = op_table[op];
        if (row->cls != OPC_ewise || op_weight(op) < 2)
            continue;
        if (row->takes & ON_bool)
            prebuild_widths(e, op, DT_i64);
        if (!(row->takes & ON_bool) && row->takes & ON_real) {
            prebuild_widths(e, op, DT_f32);
            prebuild_widths(e, op, DT_f64);
        }
    }
}

static Val *llvm_rarely(Lower *l, Val *mask, LowerBody *body, Val *const *x,
                        Val *y)
{
    Emit *e = l->e;
    LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(at(l))};
    LLVMBasicBlockRef rare = code_block(e, "rare"), on = code_block(e, "");
    LLVMBuildCondBr(at(l), any_lane(l, mask->v), rare, on);
    LLVMPositionBuilderAtEnd(at(l), rare);
    LLVMValueRef v[2] = {y->v, low_select(l, mask, body(l, x), y)->v};
    from[1] = LLVMGetInsertBlock(at(l));
    LLVMBuildBr(at(l), on);
    LLVMPositionBuilderAtEnd(at(l), on);
    LLVMValueRef phi = LLVMBuildPhi(at(l), LLVMTypeOf(y->v), "");
    LLVMAddIncoming(phi, v, from, 2);
    return made(l, phi, y->t);
}

const LowerOps llvm_ops = {
#define LOW(type, name, params, args) .low_##name = llvm_##name,
#include "lower/lower.def"
#undef LOW
};
