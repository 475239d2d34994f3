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
    int kernel; /* the one that is looked at */
} Plan;

/* What is made before the steps is kept for all of them. */
static void note_last(void *u, const Buffer **of, bool written)
{
    Plan *p = u;
    Buffer *b = p->s->buffer.at[(*of)->id];
    const Schedule *s = p->s->out;
    int last = p->kernel < s->ninvariant ? s->kernel.n - 1 : p->kernel;
    b->written = b->written || written;
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

static void begin_life(void *u, const Buffer **of, bool written)
{
    Plan *p = u;
    Buffer *b = p->s->buffer.at[(*of)->id];
    (void)written;
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

static void end_lives(Plan *p)
{
    for (int i = p->dying[p->kernel] - 1; i >= 0; i = p->life.at[i].next)
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
    for (p.kernel = 0; p.kernel < n; p.kernel++)
        each_buffer(s->out->kernel.at[p.kernel], note_last, &p);
    for (p.kernel = 0; p.kernel < n; p.kernel++) {
        each_buffer(s->out->kernel.at[p.kernel], begin_life, &p);
        end_lives(&p);
    }
    place_slots(&p);
}
