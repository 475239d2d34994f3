/* check.c: indices that are checked, and which check of a function it was that
 * failed.
 *
 * A kernel keeps of each of its checks the worst index so far, as an unsigned
 * number, so that any negative one is worse than any other; only at its end it
 * looks whether that was too large. What it returns then is a status and above
 * it, from bit 8 on, the number of the check among its own, from 1; the index
 * and the limit go behind its dimensions. Who calls it adds the number of
 * checks in the kernels before: so equal kernels stay one function. */
#include "emit/emit_internal.h"
#include "graph/ops/ops.h"

static void add_checks(Arena *a, const Kernel *k, CheckList *to)
{
    for (int i = 0; i < k->ninstr; i++)
        if (instr_checks(&k->instr[i]))
            list_push(a, to, k->instr[i].node);
}

static void kernel_checks(Arena *a, const Kernel *k, CheckList *to)
{
    switch (k->kind) {
    case KERNEL_map:
        add_checks(a, k, to);
        if (k->few)
            add_checks(a, k->few, to);
        break;
    case KERNEL_contract:
        if (k->epilogue)
            add_checks(a, k->epilogue, to);
        break;
    case KERNEL_loop:
        schedule_checks(a, k->loop->body, to);
        if (k->loop->check)
            schedule_checks(a, k->loop->check, to);
        break;
    case KERNEL_sort:
    case KERNEL_routine:
        break;
    }
}

void schedule_checks(Arena *a, const Schedule *s, CheckList *to)
{
    for (int i = 0; i < s->kernel.n; i++)
        kernel_checks(a, s->kernel.at[i], to);
}

int kernel_ncheck(const Kernel *k)
{
    Arena *a = arena_new();
    CheckList all = {0};
    kernel_checks(a, k, &all);
    arena_free(a);
    return all.n;
}

/* The status of check `number`. */
static LLVMValueRef check_code(Emit *e, int status, int number)
{
    return LLVMConstInt(e->i32, (unsigned)(status | (number + 1) << 8), false);
}

LLVMValueRef check_shifted(Emit *e, LLVMValueRef status, int first)
{
    LLVMValueRef more = LLVMConstInt(e->i32, (unsigned)first << 8, false);
    return first ? LLVMBuildAdd(e->builder, status, more, "") : status;
}

/* Bytes that a slot of that type is aligned to. */
static int alignment(Emit *e, LLVMTypeRef type)
{
    int bytes = (int)LLVMABISizeOfType(e->machine.layout, type);
    return bytes < 64 ? bytes : 64;
}

/* A slot for the worst index of a check; cleared where the kernel begins. */
static LLVMValueRef check_slot(Lower *l, LLVMTypeRef type, CheckSlot s)
{
    Emit *e = l->e;
    Checks *c = l->checks;
    for (int i = 0; i < c->slot.n; i++)
        if (c->slot.at[i].number == l->check && c->slot.at[i].type == type)
            return c->slot.at[i].at;
    s.type = type;
    s.at = code_slot(e, type, alignment(e, type));
    Place back = code_go(e, c->init);
    code_store(e, LLVMConstNull(type), s.at, alignment(e, type));
    code_back(e, back);
    list_push(e->arena, &c->slot, s);
    return s.at;
}

static LLVMValueRef choose(Emit *e, LLVMValueRef when, LLVMValueRef yes,
                           LLVMValueRef no)
{
    return LLVMBuildSelect(e->builder, when, yes, no, "");
}

/* The limit as a number of t that indices of t are compared with, unsigned. */
static LLVMValueRef limit_in(Emit *e, DType t, LLVMValueRef limit)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef zero = code_i64(e, 0), most = code_i64(e, INT64_C(1) << 31);
    limit =
        choose(e, LLVMBuildICmp(b, LLVMIntSLT, limit, zero, ""), zero, limit);
    if (t == DT_i64)
        return limit;
    limit =
        choose(e, LLVMBuildICmp(b, LLVMIntSGT, limit, most, ""), most, limit);
    return LLVMBuildTrunc(b, limit, e->i32, "");
}

/* All ones where nothing is inside, else 0: the sign of limit - 1. */
static LLVMValueRef if_none(Emit *e, LLVMValueRef limit)
{
    LLVMTypeRef t = LLVMTypeOf(limit);
    unsigned bits = LLVMGetIntTypeWidth(t);
    LLVMValueRef less =
        LLVMBuildSub(e->builder, limit, LLVMConstInt(t, 1, false), "");
    return LLVMBuildAShr(e->builder, less, LLVMConstInt(t, bits - 1, false),
                         "");
}

/* Is that what an index is that none asks for. */
static LLVMValueRef is_never(Lower *l, const Node *n, LLVMValueRef i)
{
    LLVMTypeRef type = LLVMTypeOf(i);
    LLVMTypeRef one = l->width > 1 ? LLVMGetElementType(type) : type;
    LLVMValueRef never = LLVMConstInt(
        one, (unsigned long long)(int64_t)never_asked(n->dtype), true);
    return LLVMBuildICmp(l->e->builder, LLVMIntEQ, i,
                         code_splat(l->e, never, l->width), "");
}

/* What counts of index i: 0 in lanes that do not count or never ask. */
static LLVMValueRef counted(Lower *l, const Node *n, LLVMValueRef i,
                            LLVMValueRef none)
{
    Emit *e = l->e;
    LLVMBuilderRef b = e->builder;
    LLVMTypeRef type = LLVMTypeOf(i);
    LLVMValueRef u = LLVMBuildOr(b, i, code_splat(e, none, l->width), "");
    if (n->attr.integer == MASKED_INDEX)
        u = choose(e, is_never(l, n, i), LLVMConstNull(type), u);
    return l->active ? choose(e, l->active, u, LLVMConstNull(type)) : u;
}

/* What is computed but once needs no slot. */
static void keep_one(Lower *l, const Node *n, LLVMValueRef i,
                     LLVMValueRef inside, CheckSlot s)
{
    LLVMBuilderRef b = l->e->builder;
    if (n->attr.integer == MASKED_INDEX)
        inside = LLVMBuildOr(b, inside, is_never(l, n, i), "");
    s.type = LLVMTypeOf(i);
    s.value = i;
    s.bad = LLVMBuildNot(b, inside, "");
    list_push(l->e->arena, &l->checks->slot, s);
}

/* The worst so far and u. */
static void keep_worst(Lower *l, LLVMValueRef u, CheckSlot s)
{
    Emit *e = l->e;
    LLVMTypeRef type = LLVMTypeOf(u);
    LLVMValueRef slot = check_slot(l, type, s);
    LLVMValueRef two[] = {code_load(e, type, slot, alignment(e, type)), u};
    code_store(e, code_intrinsic(e, "llvm.umax", &type, 1, two, 2), slot,
               alignment(e, type));
}

/* v, which is not negative, so that LLVM knows. */
static LLVMValueRef known_positive(Lower *l, Val *v)
{
    LLVMTypeRef t = type_of(l->e, v->t);
    if (v->t != DT_i32 && v->t != DT_i64)
        return v->v;
    LLVMValueRef most =
        LLVMConstInt(t, v->t == DT_i32 ? INT32_MAX : INT64_MAX, false);
    return LLVMBuildAnd(l->e->builder, v->v, code_splat(l->e, most, l->width),
                        "");
}

/* Does anything ask for what n checks: an i1, or NULL for surely. */
static LLVMValueRef asked(Lower *l, const Node *n)
{
    Emit *e = l->e;
    if (!check_asked(n))
        return NULL;
    return LLVMBuildICmp(e->builder, LLVMIntNE,
                         dim_code(e, l->dims, check_asked(n)), code_i64(e, 0),
                         "");
}

Val *llvm_checked(Lower *l, const Node *n, Val *x)
{
    Emit *e = l->e;
    if (!l->checks)
        die("a shared function checks an index");
    DType t = x->t == DT_i64 ? DT_i64 : DT_i32;
    LLVMValueRef i = low_convert(l, t, x)->v;
    Place back = code_go(e, l->dims->before);
    LLVMValueRef dim = dim_code(e, l->dims, n->attr.dims[0]);
    LLVMValueRef limit = limit_in(e, t, dim);
    CheckSlot s = {.number = l->check, .limit = dim, .asked = asked(l, n)};
    LLVMValueRef all = l->once ? NULL : if_none(e, limit);
    code_back(e, back);
    LLVMValueRef inside = LLVMBuildICmp(e->builder, LLVMIntULT, i,
                                        code_splat(e, limit, l->width), "");
    if (l->once)
        keep_one(l, n, i, inside, s);
    else
        keep_worst(l, counted(l, n, i, all), s);
    LLVMValueRef none = LLVMConstNull(LLVMTypeOf(x->v));
    Val *v = val_new(e, choose(e, inside, x->v, none), x->t);
    return val_new(e, known_positive(l, v), x->t);
}

Val *llvm_stop(Lower *l, Val *bad, Val *which)
{
    Emit *e = l->e;
    LLVMValueRef number, told = LLVMGetParam(code_here(e), 1);
    LLVMBasicBlockRef stop = code_block(e, "stop"), on = code_block(e, "");
    if (e->before || l->width > 1)
        die("a kernel cannot end here");
    LLVMBuildCondBr(e->builder, bad->v, stop, on);
    LLVMPositionBuilderAtEnd(e->builder, stop);
    number = LLVMBuildSub(e->builder, low_convert(l, DT_i64, which)->v,
                          code_i64(e, 2), "");
    check_tell(e, told, l->checks->nvar, number, code_i64(e, 0));
    LLVMBuildRet(e->builder, check_code(e, NN_ERR_NUMBER, l->check));
    LLVMPositionBuilderAtEnd(e->builder, on);
    return bad;
}

/* The worst of all lanes. */
static LLVMValueRef worst_of(Emit *e, const CheckSlot *s)
{
    LLVMTypeRef type = s->type;
    if (s->value)
        return s->value;
    LLVMValueRef v = code_load(e, type, s->at, alignment(e, type));
    return type_width(type) > 1
               ? code_intrinsic(e, "llvm.vector.reduce.umax", &type, 1, &v, 1)
               : v;
}

/* Is the worst index that counts beyond the limit, or is there none below it
 * and was one asked for. */
static LLVMValueRef exceeds(Emit *e, LLVMValueRef worst, LLVMValueRef limit)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef one = code_i64(e, 1);
    LLVMValueRef low = LLVMBuildICmp(b, LLVMIntSLT, limit, one, "");
    worst = LLVMBuildIntCast2(b, worst, e->i64, false, "");
    return LLVMBuildICmp(b, LLVMIntUGE, worst, choose(e, low, one, limit), "");
}

/* Where check s fails, it is told instead of what f has; of those of the same
 * number (full vectors and what is left) the one that is further out. */
static void tell_check(Emit *e, Failure *f, const CheckSlot *s, bool again)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef worst = worst_of(e, s);
    LLVMValueRef code = check_code(e, NN_ERR_INDEX, s->number);
    LLVMValueRef bad = s->bad ? s->bad : exceeds(e, worst, s->limit);
    LLVMValueRef index = LLVMBuildIntCast2(b, worst, e->i64, true, "");
    if (s->asked)
        bad = LLVMBuildAnd(b, s->asked, bad, "");
    if (again) {
        LLVMValueRef first = LLVMBuildICmp(b, LLVMIntNE, f->status, code, "");
        LLVMValueRef more = LLVMBuildICmp(b, LLVMIntUGT, index, f->index, "");
        bad = LLVMBuildAnd(b, bad, LLVMBuildOr(b, first, more, ""), "");
    }
    if (!f->status)
        f->status = LLVMConstInt(e->i32, NN_OK, false);
    f->status = choose(e, bad, code, f->status);
    f->index = f->index ? choose(e, bad, index, f->index) : index;
    f->limit = f->limit ? choose(e, bad, s->limit, f->limit) : s->limit;
}

/* The first by their numbers. */
Failure checks_finish(Emit *e, const Checks *c)
{
    Failure f = {0};
    int last = -1;
    for (int i = 0; i < c->slot.n; i++)
        last = c->slot.at[i].number > last ? c->slot.at[i].number : last;
    for (int n = last; n >= 0; n--) {
        bool again = false;
        for (int i = c->slot.n - 1; i >= 0; i--)
            if (c->slot.at[i].number == n) {
                tell_check(e, &f, &c->slot.at[i], again);
                again = true;
            }
    }
    return f;
}

static LLVMValueRef phi_of(Emit *e, LLVMTypeRef type, LLVMValueRef a,
                           LLVMBasicBlockRef from_a, LLVMValueRef b,
                           LLVMBasicBlockRef from_b)
{
    LLVMValueRef none = LLVMConstNull(type);
    return a || b ? code_phi(e, a ? a : none, from_a, b ? b : none, from_b)
                  : NULL;
}

Failure failure_phi(Emit *e, Failure a, LLVMBasicBlockRef from_a, Failure b,
                    LLVMBasicBlockRef from_b)
{
    return (Failure){
        .status = phi_of(e, e->i32, a.status, from_a, b.status, from_b),
        .index = phi_of(e, e->i64, a.index, from_a, b.index, from_b),
        .limit = phi_of(e, e->i64, a.limit, from_a, b.limit, from_b),
    };
}

void check_tell(Emit *e, LLVMValueRef list, int nvar, LLVMValueRef index,
                LLVMValueRef limit)
{
    code_store(e, index, code_at(e, e->i64, list, code_i64(e, nvar)), 8);
    code_store(e, limit, code_at(e, e->i64, list, code_i64(e, nvar + 1)), 8);
}
