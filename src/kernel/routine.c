/* routine.c: kernels that call routines. */
#include "kernel/sched.h"

void routine_piece(Sched *s, Node *n)
{
    piece_new(s, PIECE_routine, n, note_of(s, n)->guard);
}

void routine_reads(Sched *s, Piece *p)
{
    for (int i = 0; i < p->root->narg; i++)
        add_read(s, p, buffered(s, p->root->arg[i]), NULL);
    p->weight = 1;
}

static const Buffer *work_buffer(Sched *s, const Node *n)
{
    const Op *row = op_table[n->op];
    if (!row->work)
        return NULL;
    Buffer *b = buffer_new(s, BUF_WORK, NULL);
    b->dtype = n->dtype;
    b->elements = row->work(s->g, n);
    return b;
}

Kernel *routine_kernel(Sched *s, const Piece *p)
{
    const Node *n = p->root;
    int lead = n->rank - 2;
    Kernel *k = NEW(s->arena, Kernel);
    RoutineCall *r = k->routine = NEW(s->arena, RoutineCall);
    k->kind = KERNEL_routine;
    k->span = n->span;
    *r = (RoutineCall){.op = n->op,
                       .how = (int)n->attr.integer,
                       .nin = n->narg,
                       .out = buffer_of(s, p->root),
                       .rows = dim_product(s->g, lead, n->dim),
                       .out_size = dim_product(s->g, 2, n->dim + lead)};
    for (int i = 0; i < n->narg; i++) {
        r->in[i] = buffer_of(s, buffered(s, n->arg[i]));
        r->size[2 * i] = n->arg[i]->dim[lead];
        r->size[2 * i + 1] = n->arg[i]->dim[lead + 1];
    }
    r->work = work_buffer(s, n);
    guard_of_kernel(s, p->guard, k);
    return k;
}
