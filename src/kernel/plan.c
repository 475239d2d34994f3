/* plan.c: buffers of the workspace: lifetimes to slots, slots to offsets.
 *
 * A slot has one size: a formula, shared by buffers of just that size, or a
 * number, which grows to the largest of its buffers. */
#include "kernel/sched.h"

enum { ALIGN = 64, LOOK = 64 };

typedef struct PlanSlot {
    const Dim *bytes, *offset;
} PlanSlot;

typedef struct Life {
    Buffer *buffer;
    int slot, next; /* next: dies in the same kernel, or -1 */
} Life;

typedef struct Plan {
    Sched *s;
    int *life_of, *last; /* by buffer: number + 1; last kernel */
    LIST(Life) life;
    int *dying; /* by kernel: first life + 1 */
    LIST(PlanSlot) slot;
    LIST(int) free;
} Plan;

typedef void Visit(Plan *p, Buffer *b, int kernel);

static void visit(Plan *p, Visit *f, const Buffer *b, int kernel, bool write)
{
    Buffer *own = p->s->buffer.at[b->id];
    own->written = own->written || write;
    f(p, own, kernel);
}

static void visit_map(Plan *p, Visit *f, const Kernel *k, int number)
{
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_load)
            visit(p, f, k->instr[i].buffer, number, false);
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            const Output *o = &k->stage[t].output[i];
            if (o->kind != OUT_reduce)
                visit(p, f, o->buffer, number, true);
            if (o->low)
                visit(p, f, o->low, number, true);
        }
}

static void visit_loop(Plan *p, Visit *f, const LoopKernel *l, int number)
{
    const Buffer *const write[] = {l->steps, l->work, l->check_work};
    if (l->count)
        visit(p, f, l->count, number, false);
    for (int i = 0; i < l->ninput; i++)
        visit(p, f, l->input[i], number, false);
    for (int i = 0; i < l->ncapture; i++)
        visit(p, f, l->capture[i], number, false);
    for (int i = 0; i < l->ncarry; i++) {
        visit(p, f, l->carry[i].buffer, number, true);
        if (l->carry[i].other)
            visit(p, f, l->carry[i].other, number, true);
    }
    for (int i = 0; i < l->noutput; i++)
        visit(p, f, l->output[i], number, true);
    for (int i = 0; i < 3; i++)
        if (write[i])
            visit(p, f, write[i], number, true);
}

static void visit_contract(Plan *p, Visit *f, const Contract *c, int number)
{
    visit(p, f, c->a, number, false);
    visit(p, f, c->b, number, false);
    if (c->pack)
        visit(p, f, c->pack, number, true);
    if (c->totals)
        visit(p, f, c->totals, number, true);
    visit(p, f, c->out, number, true);
}

static void visit_kernel(Plan *p, Visit *f, const Kernel *k, int number)
{
    for (int i = 0; i < k->nguard; i++)
        visit(p, f, k->guard[i], number, false);
    switch (k->kind) {
    case KERNEL_map:
        visit_map(p, f, k, number);
        break;
    case KERNEL_contract:
        visit_contract(p, f, k->contract, number);
        if (k->epilogue)
            visit_map(p, f, k->epilogue, number);
        break;
    case KERNEL_sort:
        visit(p, f, k->sort->in, number, false);
        if (k->sort->work)
            visit(p, f, k->sort->work, number, true);
        visit(p, f, k->sort->out, number, true);
        break;
    case KERNEL_loop:
        visit_loop(p, f, k->loop, number);
        break;
    }
}

/* What is made before the steps is kept for all of them. */
static void note_last(Plan *p, Buffer *b, int kernel)
{
    const Schedule *s = p->s->out;
    int last = kernel < s->ninvariant ? s->kernel.n - 1 : kernel;
    if (p->last[b->id] < last)
        p->last[b->id] = last;
}

static const Dim *bytes_of(Sched *s, const Buffer *b)
{
    const Dim *align = dim_const(s->g, ALIGN);
    const Dim *n =
        dim_mul(s->g, b->elements, dim_const(s->g, dtype_size(b->dtype)));
    n = dim_add(s->g, n, dim_const(s->g, ALIGN - 1));
    return dim_mul(s->g, dim_div(s->g, n, align), align);
}

/* Of the slots freed last, one of the same formula, or the number nearest to
 * what is wanted: the smallest that is enough, else the largest. */
static int find_free(Plan *p, const Dim *bytes)
{
    int64_t want, have, best_have = 0;
    bool number = dim_const_value(bytes, &want);
    int best = -1;
    for (int i = p->free.n - 1; i >= 0 && i >= p->free.n - LOOK; i--) {
        const Dim *b = p->slot.at[p->free.at[i]].bytes;
        if (b == bytes)
            return i;
        if (!number || !dim_const_value(b, &have))
            continue;
        bool nearer = have >= want ? best_have < want || have < best_have
                                   : best_have < want && have > best_have;
        if (best < 0 || nearer) {
            best = i;
            best_have = have;
        }
    }
    return best;
}

static int take_slot(Plan *p, const Dim *bytes)
{
    int64_t want, have;
    int i = find_free(p, bytes);
    if (i < 0) {
        PlanSlot s = {.bytes = bytes};
        list_push(p->s->scratch, &p->slot, s);
        return p->slot.n - 1;
    }
    int slot = p->free.at[i];
    PlanSlot *s = &p->slot.at[slot];
    if (dim_const_value(bytes, &want) && dim_const_value(s->bytes, &have) &&
        want > have)
        s->bytes = bytes;
    p->free.at[i] = p->free.at[--p->free.n];
    return slot;
}

static void begin_life(Plan *p, Buffer *b, int kernel)
{
    (void)kernel;
    if (p->life_of[b->id])
        return;
    Life l = {.buffer = b, .slot = -1, .next = -1};
    if (b->kind == BUF_WORK)
        l.slot = take_slot(p, bytes_of(p->s, b));
    if (l.slot >= 0) {
        l.next = p->dying[p->last[b->id]] - 1;
        p->dying[p->last[b->id]] = p->life.n + 1;
    }
    list_push(p->s->scratch, &p->life, l);
    p->life_of[b->id] = p->life.n;
}

static void end_lives(Plan *p, int kernel)
{
    for (int i = p->dying[kernel] - 1; i >= 0; i = p->life.at[i].next)
        list_push(p->s->scratch, &p->free, p->life.at[i].slot);
}

static void place_slots(Plan *p)
{
    Sched *s = p->s;
    const Dim *at = dim_const(s->g, 0);
    for (int i = 0; i < p->slot.n; i++) {
        p->slot.at[i].offset = at;
        at = dim_add(s->g, at, p->slot.at[i].bytes);
    }
    s->out->workspace = at;
    for (int i = 0; i < p->life.n; i++) {
        Buffer *b = p->life.at[i].buffer;
        if (p->life.at[i].slot >= 0)
            b->offset = p->slot.at[p->life.at[i].slot].offset;
        b->id = i;
        list_push(s->arena, &s->out->buffer, b);
    }
}

void plan(Sched *s)
{
    int n = s->out->kernel.n;
    Plan p = {.s = s};
    p.life_of = NEWN(s->scratch, int, s->buffer.n + 1);
    p.last = NEWN(s->scratch, int, s->buffer.n + 1);
    p.dying = NEWN(s->scratch, int, n + 1);
    for (int i = 0; i < n; i++)
        visit_kernel(&p, note_last, s->out->kernel.at[i], i);
    for (int i = 0; i < n; i++) {
        visit_kernel(&p, begin_life, s->out->kernel.at[i], i);
        end_lives(&p, i);
    }
    place_slots(&p);
}
