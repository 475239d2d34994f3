/* sort.c: kernels that order rows. */
#include "kernel/sched.h"

int sort_key_bytes(DType t) { return dtype_size(t) > 4 ? 8 : 4; }

void sort_piece(Sched *s, Node *n)
{
    piece_new(s, PIECE_sort, n, note_of(s, n)->guard);
}

void sort_reads(Sched *s, Piece *p)
{
    add_read(s, p, buffered(s, p->root->arg[0]), NULL);
    p->weight = 1;
}

static bool is_short(const Dim *count)
{
    int64_t v;
    return dim_const_value(count, &v) && v <= SORT_SHORT;
}

/* Counts of each digit, then keys and places, twice. */
static const Buffer *work_buffer(Sched *s, DType t, const Dim *n)
{
    int key = sort_key_bytes(t);
    int64_t counts = (INT64_C(1) << SORT_DIGIT) * 4 * key * 8 / SORT_DIGIT;
    const Dim *each = dim_const(s->g, 2 * (key + 4));
    Buffer *b = buffer_new(s, BUF_WORK, NULL);
    b->dtype = DT_u8;
    b->elements =
        dim_add(s->g, dim_const(s->g, counts), dim_mul(s->g, n, each));
    return b;
}

Kernel *sort_kernel(Sched *s, const Piece *p)
{
    const Node *n = p->root, *x = n->arg[0];
    Kernel *k = NEW(s->arena, Kernel);
    Sort *sort = k->sort = NEW(s->arena, Sort);
    k->kind = KERNEL_sort;
    k->span = n->span;
    sort->in = buffer_of(s, buffered(s, n->arg[0]));
    sort->out = buffer_of(s, p->root);
    sort->rows = dim_product(s->g, x->rank - 1, x->dim);
    sort->n = x->dim[x->rank - 1];
    sort->count = n->attr.dims[0];
    sort->descending = n->attr.integer;
    if (!is_short(sort->count))
        sort->work = work_buffer(s, x->dtype, sort->n);
    guard_of_kernel(s, p->guard, k);
    return k;
}
