/* reduce.c: accumulators of reductions in map kernels. */
#include <math.h>

#include "emit/emit_internal.h"

/* Is the result the place of a value. */
static bool is_place(const Output *o) { return o->index >= 0; }

static DType value_type(const MapCode *m, const Output *o)
{
    return m->k->instr[o->value].dtype;
}

/* The smallest integer of a type, or the largest. */
static int64_t int_limit(DType t, bool largest)
{
    switch (t) {
    case DT_u8:
        return largest ? UINT8_MAX : 0;
    case DT_i32:
        return largest ? INT32_MAX : INT32_MIN;
    case DT_i64:
    case DT_key:
        return largest ? INT64_MAX : INT64_MIN;
    case DT_bool:
        return largest;
    case DT_f32:
    case DT_f64:
    case NDTYPES:
        break;
    }
    die("no integer: %d", (int)t);
}

static LLVMValueRef start_of(MapCode *m, const Output *o)
{
    DType t = value_type(m, o);
    double start = op_table[o->op]->start;
    LLVMTypeRef type = type_of(m->e, t);
    if (dtype_is_real(t))
        return LLVMConstReal(type, start);
    int64_t v = isinf(start) ? int_limit(t, start > 0) : (int64_t)start;
    return LLVMConstInt(type, (unsigned long long)v, true);
}

void reduce_start(MapCode *m, const Output *o, int width, LLVMValueRef *acc)
{
    acc[0] = code_splat(m->e, start_of(m, o), width);
    if (is_place(o)) {
        LLVMTypeRef t = type_of(m->e, m->k->instr[o->index].dtype);
        acc[1] = LLVMConstNull(type_lanes(t, width));
    }
}

/* b or a, the larger or smaller, NaN if either is. Of zeros either: no order of
 * the values is asked for. On the way from a to what this gives lie two
 * instructions. */
static LLVMValueRef extreme(MapCode *m, const char *name, LLVMValueRef a,
                            LLVMValueRef b)
{
    LLVMTypeRef t = LLVMTypeOf(a);
    LLVMValueRef v =
        code_intrinsic(m->e, name, &t, 1, (LLVMValueRef[]){b, a}, 2);
    LLVMSetFastMathFlags(v, LLVMFastMathNoSignedZeros);
    return v;
}

static LLVMValueRef join(MapCode *m, const Output *o, int width, LLVMValueRef a,
                         LLVMValueRef b)
{
    DType t = value_type(m, o);
    bool vectors = m->e->machine.has.vector_bytes >= 16 && dtype_is_real(t);
    if (vectors && o->op == OP_reduce_max)
        return extreme(m, "llvm.maximum", a, b);
    if (vectors && o->op == OP_reduce_min)
        return extreme(m, "llvm.minimum", a, b);
    Lower l = m->lower;
    l.width = width;
    l.active = NULL;
    Val *x[] = {val_new(m->e, a, t), val_new(m->e, b, t)};
    OpId op = op_table[o->op]->join();
    Node plain = {.op = op, .dtype = t};
    return op_lower(op_table[op], &l, &plain, x)->v;
}

/* Does b beat a: larger (smaller), or the first NaN. */
static LLVMValueRef beats(MapCode *m, const Output *o, LLVMValueRef b,
                          LLVMValueRef a)
{
    LLVMBuilderRef at = m->e->builder;
    DType t = value_type(m, o);
    bool max = op_table[o->op]->start < 0;
    if (!dtype_is_real(t)) {
        bool is_signed = t != DT_u8 && t != DT_bool;
        return LLVMBuildICmp(at,
                             max         ? is_signed ? LLVMIntSGT : LLVMIntUGT
                             : is_signed ? LLVMIntSLT
                                         : LLVMIntULT,
                             b, a, "");
    }
    LLVMValueRef more =
        LLVMBuildFCmp(at, max ? LLVMRealOGT : LLVMRealOLT, b, a, "");
    LLVMValueRef right = LLVMBuildFCmp(at, LLVMRealORD, a, a, "");
    LLVMValueRef nan =
        LLVMBuildAnd(at, LLVMBuildFCmp(at, LLVMRealUNO, b, b, ""), right, "");
    return LLVMBuildOr(at, more, nan, "");
}

static void take(MapCode *m, LLVMValueRef if_so, LLVMValueRef *a,
                 const LLVMValueRef *b)
{
    for (int i = 0; i < 2; i++)
        a[i] = LLVMBuildSelect(m->e->builder, if_so, b[i], a[i], "");
}

/* Is value i 0 in lanes that do not count. */
static bool ends_in_zeros(const MapCode *m, int i)
{
    const Instr *in = &m->k->instr[i];
    if (!m->taken[i])
        return in->kind == I_load && m->st->across.varies[i];
    return ends_in_zeros(m, in->arg[0]) && ends_in_zeros(m, in->arg[1]);
}

/* Need no lanes be kept as they are: what comes in there makes no difference.
 */
static bool takes_all(const MapCode *m, const Output *o)
{
    return op_table[o->op]->start == 0 && !m->one_lane &&
           ends_in_zeros(m, o->value);
}

void reduce_step(MapCode *m, const Output *o, LLVMValueRef *acc)
{
    LLVMBuilderRef at = m->e->builder;
    int width = type_width(LLVMTypeOf(acc[0]));
    LLVMValueRef active = m->one_lane ? m->one_lane : m->active;
    if (is_place(o)) {
        LLVMValueRef b[] = {map_widen_to(m, m->val[o->value], width)->v,
                            map_widen_to(m, m->val[o->index], width)->v};
        LLVMValueRef if_so = beats(m, o, b[0], acc[0]);
        if (active)
            if_so = LLVMBuildAnd(at, if_so, active, "");
        take(m, if_so, acc, b);
        return;
    }
    LLVMValueRef next = m->taken[o->value]
                            ? muladd_sum(m, o->value, width, acc[0])
                            : join(m, o, width, acc[0],
                                   map_widen_to(m, m->val[o->value], width)->v);
    acc[0] = active && !takes_all(m, o)
                 ? LLVMBuildSelect(at, active, next, acc[0], "")
                 : next;
}

/* b's positions may lie before or after a's. */
static void join_place(MapCode *m, const Output *o, LLVMValueRef *a,
                       const LLVMValueRef *b)
{
    LLVMBuilderRef at = m->e->builder;
    LLVMValueRef wins = beats(m, o, b[0], a[0]);
    LLVMValueRef loses = beats(m, o, a[0], b[0]);
    LLVMValueRef first = LLVMBuildICmp(at, LLVMIntSLT, b[1], a[1], "");
    LLVMValueRef equal = LLVMBuildNot(at, LLVMBuildOr(at, wins, loses, ""), "");
    take(m, LLVMBuildOr(at, wins, LLVMBuildAnd(at, equal, first, ""), ""), a,
         b);
}

void reduce_join(MapCode *m, const Output *o, int width, LLVMValueRef *a,
                 const LLVMValueRef *b)
{
    if (is_place(o))
        join_place(m, o, a, b);
    else
        a[0] = join(m, o, width, a[0], b[0]);
}

void reduce_lanes(MapCode *m, const Output *o, int width, LLVMValueRef *acc)
{
    LLVMValueRef third[2];
    for (int i = 0; width == 3 && i < reduce_count(o); i++) {
        third[i] = code_lanes(m->e, acc[i], 2, 1);
        acc[i] = code_lanes(m->e, acc[i], 0, 2);
    }
    for (int w = width / 2; w > 0; w /= 2) {
        LLVMValueRef high[2];
        for (int i = 0; i < reduce_count(o); i++) {
            high[i] = code_lanes(m->e, acc[i], w, w);
            acc[i] = code_lanes(m->e, acc[i], 0, w);
        }
        if (width == 3)
            reduce_join(m, o, 1, acc, third);
        reduce_join(m, o, w, acc, high);
    }
}
