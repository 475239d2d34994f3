/* step.c: the kernels of a step.
 *
 * Map kernels of a short body are made in place, and single numbers that only
 * these touch are kept in registers: a step of a scalar recurrence is then what
 * one would write by hand.
 *
 * All others are called. Each has its own list of arguments in the loop's
 * frame, filled before the first step; a step sets only the addresses that move
 * with it. Where a body has so many kernels that the frame would be large, the
 * rest share one list, which is filled before each call. */
#include "emit/step.h"
#include "emit/parallel.h"

enum {
    FRAME = 512, /* arguments */
    SHORT = 250, /* instructions */
};

/* Plan. */

static int count_instructions(const Schedule *s)
{
    int n = 0;
    for (int i = 0; i < s->kernel.n; i++)
        n += s->kernel.at[i]->kind == KERNEL_map ? s->kernel.at[i]->ninstr : 0;
    return n;
}

static void not_single(StepCode *c, const Buffer *b)
{
    if (b)
        c->single[b->id] = false;
}

static bool is_start(const Index *x) { return x->n == 0 && dim_is(x->base, 0); }

/* What a stage reads and writes other than at once and for sure. */
static void see_stage(StepCode *c, const Kernel *k, const Stage *st)
{
    bool straight = k->rank == 0 && st->rank == 0 && k->nguard == 0;
    for (int i = st->first; i < st->first + st->ninstr; i++) {
        const Instr *x = &k->instr[i];
        if (x->kind == I_load && (x->pred >= 0 || !is_start(x->at)))
            not_single(c, x->buffer);
    }
    for (int i = 0; i < st->noutput; i++) {
        const Output *o = &st->output[i];
        if (o->kind == OUT_reduce)
            continue;
        if (!straight || o->kind == OUT_add || o->pred >= 0 || !is_start(o->at))
            not_single(c, o->buffer);
        not_single(c, o->low);
    }
}

static void see_buffer(void *u, const Buffer **b, bool written)
{
    (void)written;
    not_single(u, *b);
}

/* Of one that is called, all that it does. */
static void see_kernel(StepCode *c, Kernel *k)
{
    if (k->kind != KERNEL_map)
        kernel_buffers(k, see_buffer, c);
    for (int t = 0; k->kind == KERNEL_map && t < k->nstage; t++)
        see_stage(c, k, &k->stage[t]);
}

static void find_leaves(Emit *e, StepCode *c)
{
    const Function *f = c->s->function;
    int n =
        ports_leaves(f->param, f->nparam) + ports_leaves(f->result, f->nresult);
    c->leaf = NEWN(e->arena, const Buffer *, n + 1);
    c->at = NEWN(e->arena, LLVMValueRef, n + 1);
    c->moves = NEWN(e->arena, bool, n + 1);
    c->around = NEWN(e->arena, const Buffer *, n + 1);
    c->row = NEWN(e->arena, const Dim *, n + 1);
    for (int i = 0; i < c->s->buffer.n; i++) {
        const Buffer *b = c->s->buffer.at[i];
        if (b->kind == BUF_LEAF)
            c->leaf[b->leaf] = b;
    }
}

void step_here(const Schedule *s, bool *here)
{
    bool is_short = count_instructions(s) <= SHORT;
    for (int i = 0; i < s->kernel.n; i++)
        here[i] = is_short && s->kernel.at[i]->kind == KERNEL_map;
}

static void count_checks(Emit *e, StepCode *c, int *n)
{
    c->check = NEWN(e->arena, int, c->n + 1);
    c->ncheck = NEWN(e->arena, int, c->n + 1);
    for (int i = 0; i < c->n; i++) {
        c->check[i] = *n;
        c->ncheck[i] = kernel_ncheck(c->s->kernel.at[i]);
        *n += c->ncheck[i];
    }
}

void step_plan(Emit *e, StepCode *c, const Schedule *s, int *ncheck)
{
    c->s = s;
    c->n = s ? s->kernel.n : 0;
    if (!s)
        return;
    count_checks(e, c, ncheck);
    c->here = NEWN(e->arena, bool, c->n + 1);
    c->single = NEWN(e->arena, bool, s->buffer.n + 1);
    c->value = NEWN(e->arena, LLVMValueRef, s->buffer.n + 1);
    find_leaves(e, c);
    step_here(s, c->here);
    if (count_instructions(s) > SHORT)
        return;
    for (int i = 0; i < s->buffer.n; i++) {
        const Buffer *b = s->buffer.at[i];
        c->single[i] = dim_is(b->elements, 1) && b->kind != BUF_DATA;
    }
    for (int i = 0; i < c->n; i++)
        see_kernel(c, s->kernel.at[i]);
}

void step_kernels(Emit *e, StepCode *c)
{
    c->key = NEWN(e->arena, KernelKey, c->n + 1);
    c->code = NEWN(e->arena, LLVMValueRef, c->n + 1);
    for (int i = 0; i < c->n; i++) {
        const Kernel *k = c->s->kernel.at[i];
        if (c->here[i])
            continue;
        c->key[i] = unit_use(e, k)->key;
        c->code[i] = emit_kernel(e, k);
    }
}

/* The frame. */

typedef struct Frame {
    int bufs, dims;                /* in use */
    int most_bufs, most_dims;      /* of one kernel that shares */
    LLVMValueRef at_bufs, at_dims; /* the stack slots */
} Frame;

static int most(int a, int b) { return a > b ? a : b; }

/* Dimensions that kernel i is called with, and what is behind them. */
static int list_length(const StepCode *c, int i)
{
    return c->key[i].nvar + (c->ncheck[i] ? CHECK_ROOM : 0);
}

static void measure(Frame *f, StepCode *c, Arena *a)
{
    c->shared = NEWN(a, bool, c->n + 1);
    for (int i = 0; i < c->n; i++) {
        const KernelKey *k = &c->key[i];
        c->shared[i] =
            f->bufs + k->nbuffer > FRAME || f->dims + list_length(c, i) > FRAME;
        if (c->shared[i]) {
            f->most_bufs = most(f->most_bufs, k->nbuffer);
            f->most_dims = most(f->most_dims, list_length(c, i));
            continue;
        }
        f->bufs += k->nbuffer;
        f->dims += list_length(c, i);
    }
}

static LLVMValueRef slots(Emit *e, LLVMTypeRef type, int n)
{
    return code_slot(e, LLVMArrayType(type, (unsigned)n), 8);
}

/* The lists that are shared, or the others, one after another. */
static void place_lists(Emit *e, Frame *f, StepCode *c, bool shared)
{
    for (int i = 0; i < c->n; i++) {
        if (c->shared[i] != shared)
            continue;
        c->bufs[i] = code_at(e, e->ptr, f->at_bufs, code_i64(e, f->bufs));
        c->dims[i] = code_at(e, e->i64, f->at_dims, code_i64(e, f->dims));
        f->bufs += shared ? 0 : c->key[i].nbuffer;
        f->dims += shared ? 0 : list_length(c, i);
    }
}

void step_frame(Emit *e, StepCode *body, StepCode *check)
{
    Frame f = {0};
    StepCode *const both[] = {body, check};
    for (int i = 0; i < 2; i++) {
        measure(&f, both[i], e->arena);
        both[i]->bufs = NEWN(e->arena, LLVMValueRef, both[i]->n + 1);
        both[i]->dims = NEWN(e->arena, LLVMValueRef, both[i]->n + 1);
    }
    f.at_bufs = slots(e, e->ptr, f.bufs + f.most_bufs + 1);
    f.at_dims = slots(e, e->i64, f.dims + f.most_dims + 1);
    f.bufs = f.dims = 0;
    for (int i = 0; i < 4; i++)
        place_lists(e, &f, both[i % 2], i >= 2);
}

/* Arguments. */

static bool moves(const StepCode *c, const Buffer *b)
{
    return b->kind == BUF_LEAF && c->moves[b->leaf];
}

LLVMValueRef step_around(StepPlace *p, const Buffer *b)
{
    Emit *e = p->e;
    if (p->own)
        return p->own[b->id];
    return code_buffer(e, LLVMGetParam(code_here(e), 0), p->number[b->id]);
}

static LLVMValueRef leaf_address(StepPlace *p, const StepCode *c, int leaf)
{
    Emit *e = p->e;
    const Buffer *b = c->around[leaf];
    if (c->at[leaf] || !b)
        return c->at[leaf];
    LLVMValueRef at = step_around(p, b);
    if (!c->row[leaf])
        return at;
    LLVMValueRef n = dim_code(e, &p->dims, c->row[leaf]);
    return code_at(e, type_in_memory(e, b->dtype), at,
                   LLVMBuildMul(e->builder, n, p->t, ""));
}

static LLVMValueRef address(StepPlace *p, const StepCode *c, const Buffer *b)
{
    Emit *e = p->e;
    LLVMValueRef offset;
    switch (b->kind) {
    case BUF_LEAF:
        return leaf_address(p, c, b->leaf);
    case BUF_WORK:
        offset = dim_code(e, &p->dims, b->offset);
        return code_at(e, e->i8, step_around(p, c->work), offset);
    case BUF_DATA:
        return emit_data(e, b);
    }
    die("no such buffer: %d", (int)b->kind);
}

static void put(Emit *e, LLVMTypeRef type, LLVMValueRef list, int i,
                LLVMValueRef v)
{
    code_store_in_order(e, v, code_at(e, type, list, code_i64(e, i)));
}

/* The arguments of kernel i: those that stay, those that move, or both. */
static void fill(StepPlace *p, const StepCode *c, int i, bool stay, bool move)
{
    Emit *e = p->e;
    const KernelKey *key = &c->key[i];
    for (int j = 0; j < key->nbuffer; j++)
        if (moves(c, key->buffer[j]) ? move : stay)
            put(e, e->ptr, c->bufs[i], j, address(p, c, key->buffer[j]));
    for (int j = 0; stay && j < key->nvar; j++)
        put(e, e->i64, c->dims[i], j, dim_code(e, &p->dims, key->var[j]));
}

/* Each in a block of its own: LLVM takes more than linear time for a block. */
static void fill_all(StepPlace *p, const StepCode *c, bool stay, bool move)
{
    Emit *e = p->e;
    for (int i = 0; i < c->n; i++) {
        if (c->here[i] || c->shared[i])
            continue;
        fill(p, c, i, stay, move);
        LLVMBasicBlockRef on = code_block(e, "");
        LLVMBuildBr(e->builder, on);
        LLVMPositionBuilderAtEnd(e->builder, on);
    }
}

void step_arguments(StepPlace *p, StepCode *c) { fill_all(p, c, true, false); }

/* Kernels. */

static LLVMValueRef flag(StepPlace *p, const StepCode *c, const Buffer *b)
{
    LLVMValueRef v = c->value[b->id];
    return v ? v : code_load(p->e, p->e->i8, address(p, c, b), 1);
}

static LLVMValueRef guards_hold(StepPlace *p, const StepCode *c,
                                const Kernel *k)
{
    Emit *e = p->e;
    LLVMValueRef ok = LLVMConstInt(e->i1, 1, false);
    for (int i = 0; i < k->nguard; i++) {
        LLVMValueRef is =
            LLVMBuildICmp(e->builder, k->when[i] ? LLVMIntNE : LLVMIntEQ,
                          flag(p, c, k->guard[i]), LLVMConstNull(e->i8), "");
        ok = LLVMBuildAnd(e->builder, ok, is, "");
    }
    return ok;
}

/* Goes on only where kernel i gave NN_OK; passes on what it told: f, or what is
 * behind its list of dimensions. */
static void leave_if_bad(StepPlace *p, const StepCode *c, int i,
                         LLVMValueRef status, const Failure *f)
{
    Emit *e = p->e;
    LLVMBasicBlockRef bad = code_block(e, "bad"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, LLVMBuildIsNotNull(e->builder, status, ""), bad,
                    on);
    LLVMPositionBuilderAtEnd(e->builder, bad);
    LLVMValueRef told[CHECK_ROOM];
    for (int k = 0; k < CHECK_ROOM; k++)
        told[k] = f ? k ? f->limit : f->index
                    : code_load(e, e->i64,
                                code_at(e, e->i64, c->dims[i],
                                        code_i64(e, c->key[i].nvar + k)),
                                8);
    check_tell(e, LLVMGetParam(code_here(e), 1), p->key->nvar, told[0],
               told[1]);
    status = check_shifted(e, status, c->check[i]);
    LLVMBuildBr(e->builder, p->out);
    LLVMAddIncoming(p->status, &status, &bad, 1);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static void call(StepPlace *p, StepCode *c, int i)
{
    Emit *e = p->e;
    const Kernel *k = c->s->kernel.at[i];
    if (c->shared[i])
        fill(p, c, i, true, true);
    KernelCall own = {.e = e,
                      .k = k,
                      .fn = c->code[i],
                      .bufs = c->bufs[i],
                      .dim_list = c->dims[i],
                      .nvar = c->key[i].nvar,
                      .exec = LLVMGetParam(code_here(e), 2),
                      .dims = &p->dims};
    LLVMValueRef status = kernel_call(&own);
    if (c->ncheck[i])
        leave_if_bad(p, c, i, status, NULL);
}

static void make_here(StepPlace *p, StepCode *c, int i, LLVMValueRef *at)
{
    MapPlace place = {.address = at,
                      .in_register = c->value,
                      .nbuffer = c->s->buffer.n,
                      .dims = &p->dims};
    Failure f = emit_map_here(p->e, c->s->kernel.at[i], &place);
    if (f.status)
        leave_if_bad(p, c, i, f.status, &f);
}

static void run_kernel(StepPlace *p, StepCode *c, int i, LLVMValueRef *at)
{
    Emit *e = p->e;
    const Kernel *k = c->s->kernel.at[i];
    LLVMBasicBlockRef after = NULL;
    if (k->nguard) {
        LLVMBasicBlockRef go = code_block(e, "");
        after = code_block(e, "");
        LLVMBuildCondBr(e->builder, guards_hold(p, c, k), go, after);
        LLVMPositionBuilderAtEnd(e->builder, go);
    }
    if (c->here[i])
        make_here(p, c, i, at);
    else
        call(p, c, i);
    if (after) {
        LLVMBuildBr(e->builder, after);
        LLVMPositionBuilderAtEnd(e->builder, after);
    }
}

static void run_kernels(StepPlace *p, StepCode *c, int first, int last)
{
    LLVMValueRef *at = NEWN(p->e->arena, LLVMValueRef, c->s->buffer.n + 1);
    bool any = false;
    for (int i = first; i < last; i++)
        any = any || c->here[i];
    for (int i = 0; any && i < c->s->buffer.n; i++)
        if (!c->value[i] &&
            !(first < c->s->ninvariant && moves(c, c->s->buffer.at[i])))
            at[i] = address(p, c, c->s->buffer.at[i]);
    for (int i = first; i < last; i++)
        run_kernel(p, c, i, at);
}

void step_once(StepPlace *p, StepCode *c)
{
    if (c->s->ninvariant)
        run_kernels(p, c, 0, c->s->ninvariant);
}

void step_run(StepPlace *p, StepCode *c)
{
    fill_all(p, c, false, true);
    run_kernels(p, c, c->s->ninvariant, c->n);
}
