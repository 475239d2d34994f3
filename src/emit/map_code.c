/* map_code.c: a map kernel before there is any code. */
#include "emit/emit_internal.h"

static int *number_checks(Emit *e, const Kernel *k)
{
    int *number = NEWN(e->arena, int, k->ninstr + 1), n = 0;
    for (int i = 0; i < k->ninstr; i++)
        if (instr_checks(&k->instr[i]))
            number[i] = n++;
    return number;
}

static int count_reductions(const Kernel *k)
{
    int n = 0;
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; i < k->stage[s].noutput; i++)
            n += k->stage[s].output[i].kind == OUT_reduce;
    return n;
}

MapCode map_code(Emit *e, const MapSchedule *plan)
{
    const Kernel *k = plan->kernel;
    StageSchedule *outer = NEW(e->arena, StageSchedule);
    bool *varies = NEWN(e->arena, bool, k->ninstr + 1);
    *outer = (StageSchedule){.across = {-1, varies}, .ragged = -1};
    MapCode m = {
        .e = e,
        .k = k,
        .plan = plan,
        .st = outer,
        .lanes = plan->lanes,
        .width = 1,
        .lower = {.ops = &llvm_ops, .e = e, .width = 1},
        .check = number_checks(e, k),
        .ready = NEWN(e->arena, bool, k->ninstr + 1),
        .val = NEWN(e->arena, Val *, k->ninstr + 1),
        .result = NEWN(e->arena, Val *, count_reductions(k) + 1),
    };
    muladd_find(&m);
    return m;
}

/* Few iterations. */

LLVMBasicBlockRef few_fork(const MapCode *m, DimEnv *dims)
{
    Emit *e = m->e;
    const Kernel *k = m->k;
    LLVMBasicBlockRef few = code_block(e, "few"), many = code_block(e, "many");
    LLVMValueRef n = dim_code(e, dims, k->extent[k->rank - 1]);
    LLVMValueRef most = code_i64(e, m->plan->less_rows);
    LLVMBuildCondBr(e->builder,
                    LLVMBuildICmp(e->builder, LLVMIntSLT, n, most, ""), few,
                    many);
    LLVMPositionBuilderAtEnd(e->builder, few);
    return many;
}

MapCode few_code(const MapCode *m)
{
    MapCode few = map_code(m->e, m->plan->less);
    int own = kernel_ncheck(m->k) - kernel_ncheck(few.k);
    for (int i = 0; i < few.k->ninstr; i++)
        few.check[i] += own;
    return few;
}
