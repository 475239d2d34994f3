/* piece.c: one loop nest for each materialised node, and what it reads. */
#include "kernel/sched.h"

#include <string.h>

Buffer *buffer_new(Sched *s, BufferKind kind, const Node *n)
{
    Buffer *b = NEW(s->lasting, Buffer);
    b->kind = kind;
    b->id = s->buffer.n;
    b->leaf = -1;
    list_push(s->scratch, &s->buffer, b);
    b->node = n;
    if (!n)
        return b;
    b->dtype = n->dtype;
    b->elements = dim_product(s->g, n->rank, n->dim);
    return b;
}

Buffer *buffer_of(Sched *s, const Node *n)
{
    Note *note = note_of(s, n);
    if (!note->buffer)
        note->buffer = buffer_new(s, n->op == OP_data ? BUF_DATA : BUF_WORK, n);
    return note->buffer;
}

Piece *piece_new(Sched *s, PieceKind kind, Node *root, int guard)
{
    Piece *p = NEW(s->scratch, Piece);
    p->kind = kind;
    p->id = s->piece.n;
    p->root = root;
    p->guard = guard;
    list_push(s->scratch, &s->piece, p);
    if (root) {
        Piece **last = &note_of(s, root)->piece;
        while (*last)
            last = &(*last)->sibling;
        *last = p;
        p->dim = root->dim;
        p->makes = true;
    }
    return p;
}

/* Most pieces have few loops. */
void add_loop(Sched *s, Piece *p, const Dim *extent)
{
    enum { FEW = 3 };
    if (p->rank == 0)
        p->extent = NEWN(s->scratch, const Dim *, FEW);
    if (p->rank == FEW) {
        const Dim **more = NEWN(s->scratch, const Dim *, 2 * MAX_RANK);
        p->extent = memcpy(more, p->extent, sizeof *more * FEW);
    }
    p->extent[p->rank++] = extent;
}

/* Loop variables for n dimensions, none for those of size 1. */
static void add_loops(Sched *s, Piece *p, int n, const Dim *const *dim,
                      const Index **at)
{
    for (int i = 0; i < n; i++) {
        at[i] = index_int(s->table, 0);
        if (dim_is(dim[i], 1))
            continue;
        at[i] = index_var(s->table, p->rank);
        add_loop(s, p, dim[i]);
    }
}

static Piece *store_piece(Sched *s, Node *root, Node *value, int guard)
{
    const Index *at[MAX_RANK];
    Piece *p = piece_new(s, PIECE_store, root, guard);
    p->value = value;
    add_loops(s, p, value->rank, value->dim, at);
    p->kept = p->rank;
    p->value_at = vec_make(s->table, value->rank, at);
    p->at = p->value_at;
    return p;
}

Piece *copy_piece(Sched *s, Node *value, Buffer *to, int guard)
{
    Piece *p = store_piece(s, NULL, value, guard);
    p->to = to;
    p->dim = value->dim;
    return p;
}

static void whole_piece(Sched *s, Node *n)
{
    Piece *p = store_piece(s, n, n, note_of(s, n)->guard);
    p->whole = true;
    note_of(s, n)->self = p->at;
}

/* A loop that runs once stands for reduced axes of size 1. */
static void close_domain(Sched *s, Piece *p)
{
    if (p->rank == p->kept)
        add_loop(s, p, dim_const(s->g, 1));
}

static void reduce_piece(Sched *s, Node *n)
{
    Piece *p = piece_new(s, PIECE_reduce, n, note_of(s, n)->guard);
    const Node *a = p->value = n->arg[0];
    const Index *kept[MAX_RANK], *at[MAX_RANK];
    bool reduced[MAX_RANK] = {false};
    for (int i = 0; i < n->attr.nint; i++)
        reduced[n->attr.ints[i]] = true;
    add_loops(s, p, n->rank, n->dim, kept);
    p->kept = p->rank;
    for (int i = 0, k = 0; i < a->rank; i++) {
        if (reduced[i])
            add_loops(s, p, 1, &a->dim[i], &at[i]);
        else
            at[i] = kept[k++];
    }
    close_domain(s, p);
    p->value_at = vec_make(s->table, a->rank, at);
    p->at = note_of(s, n)->self = vec_make(s->table, n->rank, kept);
    if (n->attr.nint) /* none: as written, of a number */
        p->index_at = vec_make(s->table, 1, &at[n->attr.ints[0]]);
    p->whole = true;
}

/* A product as a sum over loops. */
static void dot_piece(Sched *s, Node *n)
{
    Piece *p = piece_new(s, PIECE_reduce, n, note_of(s, n)->guard);
    const Index *label[4 * MAX_RANK] = {NULL}, *at[2 * MAX_RANK];
    add_loops(s, p, n->rank, n->dim, label);
    p->kept = p->rank;
    p->at = note_of(s, n)->self = vec_make(s->table, n->rank, label);
    for (int k = 0, i = 0; k < 2; k++)
        for (int j = 0; j < n->arg[k]->rank; j++, i++) {
            int which = n->attr.ints[i];
            if (!label[which])
                add_loops(s, p, 1, &n->arg[k]->dim[j], &label[which]);
            at[i] = label[which];
        }
    close_domain(s, p);
    p->value = note_of(s, n)->sum_of;
    p->times = p->value ? NULL : n->arg[1];
    if (!p->value)
        p->value = n->arg[0];
    p->value_at = vec_make(s->table, p->value->rank, at);
    if (p->times)
        p->times_at = vec_make(s->table, p->times->rank, at + p->value->rank);
    p->whole = true;
}

/* A contiguous copy of a product's factor in another order of axes. */
static Piece *factor_copy(Sched *s, Node *n, int which, const int *layout)
{
    Node *a = n->arg[which];
    const Dim **dim = NEWN(s->scratch, const Dim *, a->rank + 1);
    const Index *at[MAX_RANK], *value[MAX_RANK];
    Piece *p = piece_new(s, PIECE_store, NULL, note_of(s, n)->guard);
    p->factor = true;
    for (int i = 0; i < a->rank; i++)
        dim[i] = a->dim[layout[i]];
    add_loops(s, p, a->rank, dim, at);
    for (int i = 0; i < a->rank; i++)
        value[layout[i]] = at[i];
    p->kept = p->rank;
    p->value = a;
    p->value_at = vec_make(s->table, a->rank, value);
    p->at = vec_make(s->table, a->rank, at);
    p->dim = dim;
    p->to = note_of(s, n)->copy[which] = buffer_new(s, BUF_WORK, a);
    return p;
}

/* The result of a product whose kernel leaves it in another order of axes. */
static void turn_back(Sched *s, Node *n, Piece *product, const int *layout)
{
    Note *note = note_of(s, n);
    const Index *at[MAX_RANK], *from[MAX_RANK];
    const Dim *dim[MAX_RANK];
    Piece *p = piece_new(s, PIECE_move, n, note->guard);
    note->other = buffer_new(s, BUF_WORK, n);
    add_loops(s, p, n->rank, n->dim, at);
    p->kept = p->rank;
    for (int i = 0; i < n->rank; i++) {
        from[i] = at[layout[i]];
        dim[i] = n->dim[layout[i]];
    }
    p->at = note->self = vec_make(s->table, n->rank, at);
    p->from = note->other;
    p->from_at = vec_linear(s->table, vec_make(s->table, n->rank, from), dim);
    p->before[0] = product;
    p->whole = true;
}

static void product_piece(Sched *s, Node *n)
{
    const Note *note = note_of(s, n);
    Product q = product_of(s, n);
    Piece *copy[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        if (note->copies[i])
            copy[i] = factor_copy(s, n, i, q.layout[i]);
    Piece *p =
        piece_new(s, PIECE_contract, note->transposed ? NULL : n, note->guard);
    const Index *at[MAX_RANK];
    Piece loops = {.rank = 0};
    add_loops(s, &loops, n->rank, n->dim, at);
    note_of(s, n)->self = vec_make(s->table, n->rank, at);
    p->root = n;
    p->before[0] = copy[0];
    p->before[1] = copy[1];
    if (note->transposed)
        turn_back(s, n, p, q.out_layout);
}

/* Zeros over the whole of n. */
static Piece *zero_piece(Sched *s, Node *n)
{
    Piece *p = piece_new(s, PIECE_store, n, note_of(s, n)->guard);
    const Index *at[MAX_RANK];
    add_loops(s, p, n->rank, n->dim, at);
    p->kept = p->rank;
    p->at = vec_make(s->table, n->rank, at);
    return p;
}

static void scatter_piece(Sched *s, Node *n)
{
    Piece *zero = zero_piece(s, n);
    Piece *p = piece_new(s, PIECE_add, n, note_of(s, n)->guard);
    const Index *at[MAX_RANK];
    int axis = (int)n->attr.integer, rank = n->arg[1]->rank;
    p->value = n->arg[0];
    p->index = n->arg[1];
    p->axis = axis;
    add_loops(s, p, p->value->rank, p->value->dim, at);
    p->value_at = vec_make(s->table, p->value->rank, at);
    p->index_at = vec_make(s->table, rank, at + axis);
    p->before[0] = zero;
}

/* Concats of concats. */

/* Below reshapes, the concat that n's part k is and nothing else reads, if its
 * elements lie in n's one after another; or NULL. */
static Node *joined_part(const Sched *s, const Node *n, int k)
{
    Node *q = n->arg[k];
    while (q->op == OP_reshape && note_of(s, q)->once)
        q = q->arg[0];
    const Note *note = note_of(s, q);
    bool lone = note->once && note->mat && !note->buffer;
    return n->attr.integer == 0 && q->op == OP_concat && lone &&
                   note->guard == note_of(s, n)->guard
               ? q
               : NULL;
}

/* Which nodes one other reads, once. */
static void find_once_read(Sched *s)
{
    int *uses = NEWN(s->scratch, int, s->nnote);
    for (int id = 0; id < s->nnote; id++)
        for (int i = 0; s->note[id].live && i < s->node[id]->narg; i++)
            uses[number_of(s, s->node[id]->arg[i])]++;
    for (int i = 0; i < s->nresult; i++)
        uses[number_of(s, s->result[i])] += 2;
    for (int id = 0; id < s->nnote; id++)
        s->note[id].once = uses[id] == 1;
}

/* What is made where a concat wants it is not made apart. */
static void join_concats(Sched *s)
{
    find_once_read(s);
    for (int id = s->nnote - 1; id > 0; id--) {
        const Node *n = s->node[id];
        const Note *note = &s->note[id];
        bool made =
            note->live && note->mat && !note->joined && n->op == OP_concat;
        for (int k = 0; made && k < n->narg; k++) {
            const Node *q = joined_part(s, n, k);
            if (q)
                note_of(s, q)->joined = true;
        }
    }
}

/* The parts of q, a concat whose elements from place lo on of n are, row by
 * row, in front of the chain. */
static Piece *inner_pieces(Sched *s, Node *n, Node *q, const Dim *lo,
                           Piece *chain)
{
    int axis = (int)q->attr.integer;
    const Dim *begin = q->dim[axis];
    const Dim **size = NEWN(s->scratch, const Dim *, 1);
    size[0] = dim_product(s->g, n->rank, n->dim);
    for (int k = q->narg - 1; k >= 0; k--) {
        const Index *at[MAX_RANK];
        note_of(s, n)->piece = NULL;
        Piece *p = store_piece(s, n, q->arg[k], note_of(s, n)->guard);
        p->sibling = chain;
        chain = p;
        begin = dim_sub(s->g, begin, q->arg[k]->dim[axis]);
        for (int i = 0; i < q->rank; i++)
            at[i] = p->value_at->at[i];
        at[axis] = index_add(s->table, at[axis], index_dim(s->table, begin));
        const Index *place =
            vec_linear(s->table, vec_make(s->table, q->rank, at), q->dim);
        place = index_add(s->table, place, index_dim(s->table, lo));
        p->at = vec_make(s->table, 1, &place);
        p->dim = size;
    }
    return chain;
}

static void concat_pieces(Sched *s, Node *n)
{
    int axis = (int)n->attr.integer;
    const Dim *lo = n->dim[axis];
    /* From the last, for piece_new looks for the end of the chain. */
    Piece *chain = NULL;
    for (int k = n->narg - 1; k >= 0; k--) {
        const Index *at[MAX_RANK];
        Node *q = joined_part(s, n, k);
        lo = dim_sub(s->g, lo, n->arg[k]->dim[axis]);
        if (q) {
            const Dim *row = dim_product(s->g, n->rank - 1, n->dim + 1);
            chain = inner_pieces(s, n, q, dim_mul(s->g, lo, row), chain);
            continue;
        }
        note_of(s, n)->piece = NULL;
        Piece *p = store_piece(s, n, n->arg[k], note_of(s, n)->guard);
        p->sibling = chain;
        chain = p;
        for (int i = 0; i < n->rank; i++)
            at[i] = p->value_at->at[i];
        at[axis] = index_add(s->table, at[axis], index_dim(s->table, lo));
        p->at = vec_make(s->table, n->rank, at);
    }
    note_of(s, n)->piece = chain;
}

static void branch_pieces(Sched *s, Node *n)
{
    const int *guard = note_of(s, n)->branch;
    for (int i = 0; i < 2; i++)
        if (guard[i] != NO_GUARD)
            store_piece(s, n, n->arg[i + 1], guard[i])->branch = true;
}

static void pieces_of(Sched *s, Node *n)
{
    OpClass cls = op_table[n->op]->cls;
    if (cls == OPC_reduce)
        reduce_piece(s, n);
    else if (cls == OPC_contract && note_of(s, n)->product)
        product_piece(s, n);
    else if (cls == OPC_contract)
        dot_piece(s, n);
    else if (n->op == OP_scatter_add)
        scatter_piece(s, n);
    else if (n->op == OP_concat)
        concat_pieces(s, n);
    else if (n->op == OP_if && !note_of(s, n)->select)
        branch_pieces(s, n);
    else if (cls == OPC_sort)
        sort_piece(s, n);
    else if (cls == OPC_routine)
        routine_piece(s, n);
    else if (cls == OPC_region)
        region_pieces(s, n);
    else
        whole_piece(s, n);
}

/* A result that is a parameter, a constant or another result again. */
static void copy_pieces(Sched *s)
{
    for (int i = 0; i < s->nresult; i++) {
        Node *n = s->result[i], *deep = buffered(s, n);
        Buffer *to = s->result_buffer[i];
        bool buffered = is_leaf_buffer(deep) || note_of(s, deep)->mat;
        if (buffered && buffer_of(s, deep) == to)
            continue;
        copy_piece(s, n, to, 0);
    }
}

/* What a piece reads. */

void add_read(Sched *s, Piece *p, Node *n, const Vec *at)
{
    if (p->nread == p->read_cap)
        p->read = list_grow(s->scratch, p->read, &p->read_cap, sizeof *p->read);
    p->read[p->nread++] = (Read){.node = n, .at = at};
}

static void scan_values(Sched *s, Inline *in, Piece *p)
{
    const Read *read;
    for (int i = 0; i < p->rank; i++)
        p->empty = p->empty || dim_is(p->extent[i], 0);
    if (p->empty)
        return;
    index_extents(s->table, p->rank, p->extent);
    inline_begin(in, NULL, p->rank);
    if (p->value && p->value == p->root)
        inline_compute(in, p->value, p->value_at);
    else if (p->value)
        inline_value(in, p->value, p->value_at, -1);
    if (p->times)
        inline_value(in, p->times, p->times_at, -1);
    if (p->index)
        inline_value(in, p->index, p->index_at, -1);
    p->nread = inline_reads(in, &read);
    p->read_cap = p->nread + 1;
    p->read = NEWN(s->scratch, Read, p->read_cap);
    if (p->nread)
        memcpy(p->read, read, sizeof *read * (size_t)p->nread);
    p->weight = inline_weight(in) + 1;
    find_walks(s, p);
}

static void scan_product(Sched *s, Piece *p)
{
    Product q = product_of(s, p->root);
    for (int i = 0; i < 2; i++)
        if (!note_of(s, p->root)->copies[i])
            add_read(s, p, q.of[i], NULL);
}

static void scan(Sched *s, Inline *in, Piece *p)
{
    switch (p->kind) {
    case PIECE_store:
    case PIECE_add:
    case PIECE_reduce:
        scan_values(s, in, p);
        break;
    case PIECE_contract:
        scan_product(s, p);
        break;
    case PIECE_loop:
        region_reads(s, p);
        break;
    case PIECE_sort:
        sort_reads(s, p);
        break;
    case PIECE_routine:
        routine_reads(s, p);
        break;
    case PIECE_part:
    case PIECE_move:
        p->weight = 1;
        break;
    case PIECE_flag:
        flag_reads(s, p);
        break;
    }
}

void pieces(Sched *s)
{
    int count = s->nnote;
    find_once(s);
    join_concats(s);
    for (int id = 0; id < count; id++)
        if (s->note[id].live && s->note[id].mat && !s->note[id].joined &&
            s->note[id].guard != NO_GUARD)
            pieces_of(s, s->node[id]);
    guard_pieces(s);
    copy_pieces(s);
    Inline *in = inline_new(s);
    for (int i = 0; i < s->piece.n; i++) {
        Piece *p = s->piece.at[i];
        const Node *n = p->factor ? p->value : p->makes ? p->root : NULL;
        p->invariant = n && note_of(s, n)->invariant && p->guard == 0;
        scan(s, in, p);
    }
}
