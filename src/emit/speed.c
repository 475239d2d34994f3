/* speed.c: what the machine can do at best, measured by code that does nothing
 * else: fused multiply-adds on registers, and reading memory in a row. */
#include "emit/levels.h"

enum { CHAINS = 12, LOADS = 8 };

typedef struct SpeedCode {
    Emit *e;
    LLVMTypeRef one, vector; /* of an element, of a register */
    int bytes, lanes;        /* of an element, of them in a register */
} SpeedCode;

static SpeedCode speed_code(Emit *e, DType real)
{
    SpeedCode c = {.e = e, .one = type_of(e, real)};
    c.bytes = dtype_size(real);
    c.lanes = lanes_of_bytes(e, c.bytes);
    c.vector = type_lanes(c.one, c.lanes);
    return c;
}

static LLVMValueRef first_lane(const SpeedCode *c, LLVMValueRef v)
{
    return c->lanes > 1
               ? LLVMBuildExtractElement(c->e->builder, v,
                                         LLVMConstInt(c->e->i32, 0, false), "")
               : v;
}

/* double NAME(ptr, i64): the sum of what the n chains come to. */
static LLVMValueRef begin(const SpeedCode *c, const char *name)
{
    Emit *e = c->e;
    LLVMTypeRef param[] = {e->ptr, e->i64};
    LLVMValueRef fn = LLVMAddFunction(
        e->module, name, LLVMFunctionType(e->f64, param, 2, false));
    mark_enum(e, fn, "hot");
    code_begin(e, fn);
    return fn;
}

static void finish(const SpeedCode *c, LLVMValueRef *v, int n)
{
    Emit *e = c->e;
    LLVMValueRef sum = first_lane(c, v[0]);
    for (int i = 1; i < n; i++)
        sum = LLVMBuildFAdd(e->builder, sum, first_lane(c, v[i]), "");
    LLVMBuildRet(e->builder, c->one == e->f64
                                 ? sum
                                 : LLVMBuildFPExt(e->builder, sum, e->f64, ""));
}

/* As many rounds of x = x a + b, for CHAINS of x at once. */
static void make_arithmetic(const SpeedCode *c)
{
    Emit *e = c->e;
    LLVMValueRef fn = begin(c, "arithmetic"), x[CHAINS];
    LLVMValueRef a = code_splat(e, LLVMConstReal(c->one, 0.5), c->lanes);
    LLVMValueRef b = code_load(e, c->vector, LLVMGetParam(fn, 0), c->bytes);
    for (int i = 0; i < CHAINS; i++)
        x[i] = code_splat(e, LLVMConstReal(c->one, i), c->lanes);
    Loop l = loop_begin(e, code_i64(e, 0), LLVMGetParam(fn, 1), code_i64(e, 1),
                        CHAINS, x);
    for (int i = 0; i < CHAINS; i++)
        x[i] = code_muladd(e, l.phi[i], a, b);
    loop_end(e, &l, x);
    finish(c, x, CHAINS);
}

/* The sum of so many elements, a multiple of LOADS registers of them. */
static void make_reading(const SpeedCode *c)
{
    Emit *e = c->e;
    LLVMValueRef fn = begin(c, "reading"), x[LOADS];
    for (int i = 0; i < LOADS; i++)
        x[i] = LLVMConstNull(c->vector);
    Loop l = loop_begin(e, code_i64(e, 0), LLVMGetParam(fn, 1),
                        code_i64(e, LOADS * c->lanes), LOADS, x);
    for (int i = 0; i < LOADS; i++) {
        LLVMValueRef at =
            LLVMBuildNSWAdd(e->builder, l.i, code_i64(e, i * c->lanes), "");
        at = code_at(e, c->one, LLVMGetParam(fn, 0), at);
        x[i] = LLVMBuildFAdd(e->builder, l.phi[i],
                             code_load(e, c->vector, at, c->bytes), "");
    }
    loop_end(e, &l, x);
    finish(c, x, LOADS);
}

bool speed_object(Arena *a, DType real, const TargetOptions *o, Object *out,
                  SpeedUnits *units, const char **error)
{
    const Module none = {.name = "speed"};
    Emit e;
    char *bytes;
    if (!emit_open(&e, a, &none, o, error))
        return false;
    SpeedCode c = speed_code(&e, real);
    make_arithmetic(&c);
    make_reading(&c);
    mark_functions(&e);
    bool ok = emit_bytes(&e, LLVMObjectFile, false, &bytes, &out->n, error);
    out->bytes = bytes;
    *units = (SpeedUnits){2 * CHAINS * c.lanes, c.bytes, LOADS * c.lanes};
    emit_close(&e);
    return ok;
}
