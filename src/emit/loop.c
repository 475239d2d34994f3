/* loop.c: a loop's function: steps, what moves with them, what comes after. */
#include "emit/step.h"

struct LoopCode {
    const LoopKernel *l;
    StepCode body, check;
    bool *single; /* by carry: it is in a register */
};

typedef struct LoopMaker {
    Emit *e;
    const LoopKernel *l;
    LoopCode *c;
    StepPlace p;
    LLVMValueRef index, flag; /* slots */
    LLVMValueRef most;        /* steps at most */
    LLVMBasicBlockRef head, done;
    LLVMValueRef step; /* how many steps were made, at the head */
    /* At the head, by carry: its value, or where it is and where the step
     * puts it, if these turn. */
    LLVMValueRef *value, *now, *next;
} LoopMaker;

/* Leaves. */

static int first_carry(void) { return 1; }

static int first_input(const LoopKernel *l) { return 1 + l->ncarry; }

static int first_capture(const LoopKernel *l)
{
    return first_input(l) + l->ninput;
}

static int first_result(const LoopKernel *l)
{
    return first_capture(l) + l->ncapture;
}

/* Is what some code does with a leaf no obstacle to its being in a register? */
static bool may_be_single(const StepCode *c, int leaf)
{
    return !c->s || !c->leaf[leaf] || c->single[c->leaf[leaf]->id];
}

static void set_single(StepCode *c, int leaf, bool single)
{
    if (c->s && c->leaf[leaf])
        c->single[c->leaf[leaf]->id] = single;
}

static void choose_carry(LoopCode *c, int i)
{
    int at = first_carry() + i, to = first_result(c->l) + i;
    bool swaps = c->l->carry[i].other;
    c->single[i] = dim_is(c->l->carry[i].buffer->elements, 1) &&
                   may_be_single(&c->body, at) &&
                   may_be_single(&c->check, at) &&
                   (!swaps || may_be_single(&c->body, to));
    set_single(&c->body, at, c->single[i]);
    set_single(&c->check, at, c->single[i]);
    if (swaps)
        set_single(&c->body, to, c->single[i]);
}

/* Inputs and outputs are in memory. */
static void choose_registers(LoopCode *c)
{
    const LoopKernel *l = c->l;
    for (int i = 0; i < l->ncarry; i++)
        choose_carry(c, i);
    for (int i = 0; i < l->ninput; i++) {
        set_single(&c->body, first_input(l) + i, false);
        set_single(&c->check, first_input(l) + i, false);
    }
    for (int i = 0; i < l->noutput; i++)
        set_single(&c->body, first_result(l) + l->ncarry + i, false);
}

LoopCode *loop_kernels(Emit *e, const LoopKernel *l)
{
    int ncheck = 0;
    LoopCode *c = NEW(e->arena, LoopCode);
    c->l = l;
    c->single = NEWN(e->arena, bool, l->ncarry + 1);
    step_plan(e, &c->body, l->body, &ncheck);
    step_plan(e, &c->check, l->check, &ncheck);
    choose_registers(c);
    step_kernels(e, &c->body);
    step_kernels(e, &c->check);
    return c;
}

/* Before the loop. */

static LLVMValueRef own(LoopMaker *m, const Buffer *b)
{
    return step_around(&m->p, b);
}

static void find_buffers(LoopMaker *m, const KernelKey *key)
{
    Emit *e = m->e;
    m->p.number = buffer_numbers(e->arena, key);
    if (key->nbuffer <= MANY_BUFFERS)
        m->p.own = code_buffers(e, key, LLVMGetParam(code_here(e), 0));
}

static LLVMValueRef load_one(LoopMaker *m, const Buffer *b)
{
    return code_load(m->e, type_in_memory(m->e, b->dtype), own(m, b),
                     dtype_size(b->dtype));
}

/* What begins at 0 in a step, or is the same in all of them. */
static void fixed_values(LoopMaker *m, StepCode *c)
{
    const LoopKernel *l = m->l;
    for (int i = 0; i < c->s->buffer.n; i++) {
        const Buffer *b = c->s->buffer.at[i];
        int k = b->leaf - first_capture(l);
        if (!c->single[i])
            continue;
        c->value[i] = LLVMConstNull(type_in_memory(m->e, b->dtype));
        if (b->kind == BUF_LEAF && k >= 0 && k < l->ncapture)
            c->value[i] = load_one(m, l->capture[k]);
    }
}

/* Where leaves are, and which move. */
static void find_leaves(LoopMaker *m, StepCode *c, const Buffer *work)
{
    const LoopKernel *l = m->l;
    int k = 0;
    c->work = work;
    c->at[k++] = m->index;
    for (int i = 0; i < l->ncarry; i++, k++) {
        c->around[k] = l->carry[i].buffer;
        c->moves[k] = l->carry[i].other;
    }
    for (int i = 0; i < l->ninput; i++, k++) {
        c->around[k] = l->input[i];
        c->row[k] = l->input_row[i];
        c->moves[k] = true;
    }
    for (int i = 0; i < l->ncapture; i++)
        c->around[k++] = l->capture[i];
}

static void find_results(LoopMaker *m, StepCode *c)
{
    const LoopKernel *l = m->l;
    int k = first_result(l);
    for (int i = 0; i < l->ncarry; i++)
        c->moves[k++] = true;
    for (int i = 0; i < l->noutput; i++, k++) {
        c->around[k] = l->output[i];
        c->row[k] = l->output_row[i];
        c->moves[k] = true;
    }
}

static LLVMValueRef less(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildICmp(e->builder, LLVMIntSLT, a, b, "");
}

/* min(max(count, 0), trips) */
static void find_most(LoopMaker *m)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    m->most = dim_code(e, &m->p.dims, m->l->trips);
    if (!m->l->count)
        return;
    LLVMValueRef n = load_one(m, m->l->count), zero = code_i64(e, 0);
    n = LLVMBuildSelect(b, less(e, n, zero), zero, n, "");
    m->most = LLVMBuildSelect(b, less(e, n, m->most), n, m->most, "");
}

static DType index_type(const LoopKernel *l)
{
    return l->body->function->param->leaf[0]->dtype;
}

static void open_out(LoopMaker *m)
{
    Emit *e = m->e;
    LLVMBasicBlockRef back = LLVMGetInsertBlock(e->builder);
    m->p.out = code_block(e, "out");
    LLVMPositionBuilderAtEnd(e->builder, m->p.out);
    m->p.status = LLVMBuildPhi(e->builder, e->i32, "");
    LLVMBuildRet(e->builder, m->p.status);
    LLVMPositionBuilderAtEnd(e->builder, back);
}

static void begin(LoopMaker *m, const KernelKey *key)
{
    Emit *e = m->e;
    LLVMValueRef fn = code_here(e);
    StepCode *body = &m->c->body, *check = &m->c->check;
    step_frame(e, body, check);
    m->index = code_slot(e, type_in_memory(e, index_type(m->l)), 8);
    m->flag = code_slot(e, e->i8, 1);
    m->p.key = key;
    find_buffers(m, key);
    m->p.dims = dim_env_checked(e, key->var, key->nvar, LLVMGetParam(fn, 1));
    LLVMBasicBlockRef start = code_block(e, "start");
    m->p.dims.before = LLVMBuildBr(e->builder, start);
    LLVMPositionBuilderAtEnd(e->builder, start);
    open_out(m);
    find_most(m);
    find_leaves(m, body, m->l->work);
    find_results(m, body);
    fixed_values(m, body);
    step_arguments(&m->p, body);
    step_once(&m->p, body);
    if (!check->s)
        return;
    find_leaves(m, check, m->l->check_work);
    check->at[first_result(m->l)] = m->flag;
    fixed_values(m, check);
    step_arguments(&m->p, check);
    step_once(&m->p, check);
}

/* The head: steps made so far, carries. */

/* NULL where start is. */
static LLVMValueRef phi(LoopMaker *m, LLVMValueRef start,
                        LLVMBasicBlockRef from)
{
    if (!start)
        return NULL;
    LLVMValueRef p = LLVMBuildPhi(m->e->builder, LLVMTypeOf(start), "");
    LLVMAddIncoming(p, &start, &from, 1);
    return p;
}

/* What the phis of carry i start as: its value, or its two addresses. */
typedef struct Start {
    LLVMValueRef value, now, next;
} Start;

static Start start_of(LoopMaker *m, int i)
{
    const LoopCarry *c = &m->l->carry[i];
    Start s = {NULL, NULL, NULL};
    if (m->c->single[i])
        s.value = load_one(m, c->buffer);
    else if (c->other) {
        s.now = own(m, c->buffer);
        s.next = own(m, c->other);
    }
    return s;
}

static void open_head(LoopMaker *m)
{
    Emit *e = m->e;
    int n = m->l->ncarry;
    LLVMBasicBlockRef from = LLVMGetInsertBlock(e->builder);
    Start *start = NEWN(e->arena, Start, n + 1);
    for (int i = 0; i < n; i++)
        start[i] = start_of(m, i);
    m->value = NEWN(e->arena, LLVMValueRef, n + 1);
    m->now = NEWN(e->arena, LLVMValueRef, n + 1);
    m->next = NEWN(e->arena, LLVMValueRef, n + 1);
    m->head = code_block(e, "head");
    m->done = code_block(e, "done");
    LLVMBuildBr(e->builder, m->head);
    LLVMPositionBuilderAtEnd(e->builder, m->head);
    m->step = phi(m, code_i64(e, 0), from);
    for (int i = 0; i < n; i++) {
        m->value[i] = phi(m, start[i].value, from);
        m->now[i] = phi(m, start[i].now, from);
        m->next[i] = phi(m, start[i].next, from);
    }
    LLVMBasicBlockRef body = code_block(e, "step");
    LLVMBuildCondBr(e->builder, less(e, m->step, m->most), body, m->done);
    LLVMPositionBuilderAtEnd(e->builder, body);
}

/* A single carry after the body. */
static LLVMValueRef value_after(const LoopMaker *m, int i)
{
    const StepCode *c = &m->c->body;
    bool swaps = m->l->carry[i].other;
    const Buffer *b =
        c->leaf[swaps ? first_result(m->l) + i : first_carry() + i];
    return b ? c->value[b->id] : m->value[i];
}

static void close_head(LoopMaker *m)
{
    Emit *e = m->e;
    LLVMBasicBlockRef from = LLVMGetInsertBlock(e->builder);
    LLVMValueRef next =
        LLVMBuildNSWAdd(e->builder, m->step, code_i64(e, 1), "");
    LLVMBuildBr(e->builder, m->head);
    LLVMAddIncoming(m->step, &next, &from, 1);
    for (int i = 0; i < m->l->ncarry; i++) {
        if (m->value[i]) {
            LLVMValueRef v = value_after(m, i);
            LLVMAddIncoming(m->value[i], &v, &from, 1);
        } else if (m->now[i]) {
            LLVMAddIncoming(m->now[i], &m->next[i], &from, 1);
            LLVMAddIncoming(m->next[i], &m->now[i], &from, 1);
        }
    }
}

/* A step. */

static void set_value(StepCode *c, int leaf, LLVMValueRef v)
{
    if (c->leaf[leaf])
        c->value[c->leaf[leaf]->id] = v;
}

static void move_params(LoopMaker *m, StepCode *c)
{
    const LoopKernel *l = m->l;
    for (int i = 0; i < l->ncarry; i++) {
        if (m->value[i])
            set_value(c, first_carry() + i, m->value[i]);
        if (m->now[i])
            c->at[first_carry() + i] = m->now[i];
    }
}

static void move_results(LoopMaker *m)
{
    const LoopKernel *l = m->l;
    for (int i = 0; i < l->ncarry; i++)
        if (m->next[i])
            m->c->body.at[first_result(l) + i] = m->next[i];
}

/* t as the kernels read it. */
static void give_index(LoopMaker *m, StepCode *c, LLVMValueRef t)
{
    Emit *e = m->e;
    DType type = index_type(m->l);
    const Buffer *b = c->leaf[0];
    if (!b)
        return;
    LLVMValueRef v =
        LLVMBuildIntCast2(e->builder, t, type_of(e, type), true, "");
    if (c->single[b->id])
        c->value[b->id] = v;
    else
        code_store(e, v, m->index, dtype_size(type));
}

static LLVMValueRef step_number(LoopMaker *m)
{
    Emit *e = m->e;
    if (!m->l->reverse)
        return m->step;
    LLVMValueRef left = LLVMBuildSub(e->builder, m->most, m->step, "");
    return LLVMBuildSub(e->builder, left, code_i64(e, 1), "");
}

/* On only where the check does not say that this is all. */
static void run_check(LoopMaker *m, LLVMValueRef t)
{
    Emit *e = m->e;
    StepCode *c = &m->c->check;
    const Buffer *b = c->leaf[first_result(m->l)];
    give_index(m, c, t);
    move_params(m, c);
    step_run(&m->p, c);
    LLVMValueRef stop = c->value[b->id];
    if (!stop)
        stop = code_load(e, e->i8, m->flag, 1);
    LLVMBasicBlockRef on = code_block(e, "go");
    LLVMBuildCondBr(e->builder, LLVMBuildIsNotNull(e->builder, stop, ""),
                    m->done, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static void run_step(LoopMaker *m)
{
    LLVMValueRef t = m->p.t = step_number(m);
    if (m->l->check)
        run_check(m, t);
    give_index(m, &m->c->body, t);
    move_params(m, &m->c->body);
    move_results(m);
    step_run(&m->p, &m->c->body);
}

/* After the last step. */

static LLVMTypeRef bits_of(Emit *e, const Buffer *b)
{
    return LLVMIntTypeInContext(e->context, 8 * (unsigned)dtype_size(b->dtype));
}

/* to[i] = from[i], or 0 where from is NULL, for first <= i < last. */
static void copy_all(LoopMaker *m, const Buffer *like, LLVMValueRef to,
                     LLVMValueRef from, LLVMValueRef first, LLVMValueRef last)
{
    Emit *e = m->e;
    LLVMTypeRef type = bits_of(e, like);
    int align = dtype_size(like->dtype);
    Loop l = loop_begin(e, first, last, code_i64(e, 1), 0, NULL);
    LLVMValueRef v = LLVMConstNull(type);
    if (from)
        v = code_load(e, type, code_at(e, type, from, l.i), align);
    code_store(e, v, code_at(e, type, to, l.i), align);
    loop_end(e, &l, NULL);
}

/* Where the final value of a carry is expected. */
static void settle_carry(LoopMaker *m, int i)
{
    Emit *e = m->e;
    const Buffer *b = m->l->carry[i].buffer;
    LLVMValueRef to = own(m, b), zero = code_i64(e, 0);
    if (m->value[i])
        code_store(e, m->value[i], to, dtype_size(b->dtype));
    if (!m->now[i])
        return;
    LLVMValueRef there =
        LLVMBuildICmp(e->builder, LLVMIntEQ, m->now[i], to, "");
    LLVMValueRef n = dim_code(e, &m->p.dims, b->elements);
    n = LLVMBuildSelect(e->builder, there, zero, n, "");
    copy_all(m, b, to, m->now[i], zero, n);
}

static void clear_rest(LoopMaker *m, int i)
{
    Emit *e = m->e;
    const Buffer *b = m->l->output[i];
    LLVMValueRef row = dim_code(e, &m->p.dims, m->l->output_row[i]);
    LLVMValueRef trips = dim_code(e, &m->p.dims, m->l->trips);
    LLVMValueRef right = LLVMBuildMul(e->builder, row, trips, "");
    copy_all(m, b, own(m, b), NULL, LLVMBuildMul(e->builder, row, m->step, ""),
             right);
}

static void finish(LoopMaker *m)
{
    Emit *e = m->e;
    const LoopKernel *l = m->l;
    LLVMPositionBuilderAtEnd(e->builder, m->done);
    for (int i = 0; i < l->ncarry; i++)
        settle_carry(m, i);
    for (int i = 0; i < l->noutput && (l->count || l->check); i++)
        clear_rest(m, i);
    if (l->steps)
        code_store(e, m->step, own(m, l->steps), 8);
    LLVMValueRef ok = LLVMConstInt(e->i32, NN_OK, false);
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMBuildBr(e->builder, m->p.out);
    LLVMAddIncoming(m->p.status, &ok, &here, 1);
    LLVMMoveBasicBlockAfter(m->p.out, here);
}

void emit_loop(Emit *e, LoopCode *c, const KernelKey *key)
{
    LoopMaker m = {.e = e, .l = c->l, .c = c, .p = {.e = e}};
    begin(&m, key);
    open_head(&m);
    run_step(&m);
    close_head(&m);
    finish(&m);
}
