/* buffers.c: the buffers that a kernel uses. */
#include "graph/view.h"
#include "nest/nest.h"

static void each_of(const Buffer **b, int n, bool written, EachBuffer *f,
                    void *u)
{
    for (int i = 0; i < n; i++)
        if (b[i])
            f(u, &b[i], written);
}

static void each_of_rooms(Contract *c, EachBuffer *f, void *u)
{
    each_of(&c->pack_a, 1, true, f, u);
    each_of(&c->pack, 1, true, f, u);
    each_of(&c->totals, 1, true, f, u);
}

static void each_of_nest(Kernel *k, EachBuffer *f, void *u)
{
    for (int i = 0; i < k->ninstr; i++)
        if (k->instr[i].kind == I_load)
            f(u, &k->instr[i].buffer, false);
    if (k->contract)
        each_of_rooms(k->contract, f, u);
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            Output *o = &k->stage[t].output[i];
            if (o->kind != OUT_reduce)
                f(u, &o->buffer, true);
            each_of(&o->low, 1, true, f, u);
        }
}

static void each_of_loop(LoopKernel *l, EachBuffer *f, void *u)
{
    each_of(&l->count, 1, false, f, u);
    each_of(l->input, l->ninput, false, f, u);
    each_of(l->capture, l->ncapture, false, f, u);
    for (int i = 0; i < l->ncarry; i++) {
        each_of(&l->carry[i].buffer, 1, true, f, u);
        each_of(&l->carry[i].other, 1, true, f, u);
    }
    each_of(l->output, l->noutput, true, f, u);
    each_of(&l->steps, 1, true, f, u);
    each_of(&l->work, 1, true, f, u);
    each_of(&l->check_work, 1, true, f, u);
}

void kernel_buffers(Kernel *k, EachBuffer *f, void *u)
{
    switch (k->kind) {
    case KERNEL_map:
    case KERNEL_contract:
        each_of_nest(k, f, u);
        if (k->few)
            each_of_nest(k->few, f, u);
        if (k->epilogue)
            each_of_nest(k->epilogue, f, u);
        return;
    case KERNEL_sort:
        each_of(&k->sort->in, 1, false, f, u);
        each_of(&k->sort->work, 1, true, f, u);
        each_of(&k->sort->out, 1, true, f, u);
        return;
    case KERNEL_routine:
        each_of(k->routine->in, k->routine->nin, false, f, u);
        each_of(&k->routine->work, 1, true, f, u);
        each_of(&k->routine->out, 1, true, f, u);
        return;
    case KERNEL_loop:
        each_of_loop(k->loop, f, u);
        return;
    }
}

void each_buffer(Kernel *k, EachBuffer *f, void *u)
{
    each_of(k->guard, k->nguard, false, f, u);
    kernel_buffers(k, f, u);
}

bool buffer_has_product(const Buffer *b)
{
    const Node *n = b->node;
    while (n && is_view(n))
        n = n->arg[0];
    return n && n->op == OP_mul;
}

bool buffer_shares_product(const Buffer *b)
{
    return buffer_has_product(b) || (b->node && b->node->op == OP_param);
}
