/* ragged.c: the end of a loop that is over before its extent is. */
#include "emit/emit_internal.h"

static LLVMValueRef bound_of(const MapCode *m)
{
    return m->val[m->k->instr[m->st->ragged].arg[1]]->v;
}

LLVMValueRef ragged_end(MapCode *m, LLVMValueRef n)
{
    Emit *e = m->e;
    LLVMValueRef b = bound_of(m);
    LLVMTypeRef t = LLVMTypeOf(b);
    if (type_width(t) > 1)
        b = code_intrinsic(e, "llvm.vector.reduce.smax", &t, 1, &b, 1);
    b = LLVMBuildSExt(e->builder, b, e->i64, "");
    return code_smaller(e, code_at_least(e, b, 0), n);
}

bool ragged_holds(const MapCode *m, int i)
{
    return i == m->st->ragged && type_width(LLVMTypeOf(bound_of(m))) == 1;
}
