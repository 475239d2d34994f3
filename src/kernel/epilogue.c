/* epilogue.c: nests that follow a product row by row become part of its kernel.
 */
#include "kernel/sched.h"

/* Who reads the product. */
typedef struct Readers {
    Nest *map;  /* the first map nest, by position */
    int others; /* least position of all the rest */
    bool only;  /* nobody but `map` reads it */
} Readers;

typedef struct After {
    Sched *s;
    Readers *readers; /* by node */
} After;

static void add_reader(After *a, const Node *n, Nest *nest)
{
    const Piece *p = note_of(a->s, n)->piece;
    Readers *r = &a->readers[number_of(a->s, n)];
    if (!p || p->kind != PIECE_contract || r->map == nest)
        return;
    if (!r->map && !nest->contract && !nest->alone) {
        r->map = nest;
        return;
    }
    if (nest->pos < r->others)
        r->others = nest->pos;
    r->only = false;
}

static void find_readers(After *a)
{
    Sched *s = a->s;
    a->readers = NEWN(s->scratch, Readers, s->nnote);
    for (int i = 0; i < s->nnote; i++) {
        a->readers[i].others = s->nest.n + 1;
        a->readers[i].only = true;
    }
    for (int i = 0; i < s->nest.n; i++) {
        Nest *n = s->nest.at[i];
        for (int k = 0; k < n->piece.n; k++)
            for (int j = 0; j < n->piece.at[k]->nread; j++)
                add_reader(a, n->piece.at[k]->read[j].node, n);
    }
}

/* Does the nest read z only in the rows that its outer loops are at. */
static bool reads_rows(Sched *s, const Nest *n, const Node *z, int rows)
{
    bool all;
    int axis = 0;
    const Piece *first = n->piece.at[0];
    for (int i = 0; axis < rows && i < z->rank; i++)
        if (!dim_is(z->dim[i], 1) && first->extent[axis++] != z->dim[i])
            return false;
    for (int k = 0; k < n->piece.n; k++) {
        const Piece *p = n->piece.at[k];
        for (int i = 0; i < p->nread; i++)
            if (p->read[i].node == z &&
                read_prefix(s, &p->read[i], &all) < rows)
                return false;
    }
    return true;
}

static int unit_pos(const Nest *n) { return n->on ? n->on->pos : n->pos; }

/* The last position that a nest depends on, the product aside that it reads. */
typedef struct Need {
    const Nest *nest, *product;
    int last;
} Need;

static void note_need(void *u, const Piece *need, bool read)
{
    Need *of = u;
    const Nest *n = need->nest;
    if (n != of->nest && !(read && n == of->product) && unit_pos(n) > of->last)
        of->last = unit_pos(n);
}

static int last_need(Sched *s, const Nest *n, const Nest *product)
{
    Need of = {n, product, 0};
    for (int k = 0; k < n->piece.n; k++)
        each_need(s, n->piece.at[k], note_need, &of);
    return of.last;
}

static bool rows_join(Sched *s, const Nest *n, const Product *q)
{
    if (q->join < 2)
        return true;
    Arena *kept = s->arena;
    s->arena = s->scratch;
    Nest trial = *n;
    trial.hi = q->rows;
    for (int i = 0; i < n->piece.n; i++)
        n->piece.at[i]->nest = &trial;
    nest_stages(s, &trial);
    Inline *in = inline_new(s);
    Kernel *k = build_map(s, in, &trial);
    s->arena = kept;
    return can_join(s, k, q->rows - q->join, q->join);
}

static void restage(Sched *s, Nest *n)
{
    for (int i = 0; i < n->piece.n; i++)
        n->piece.at[i]->nest = n;
    nest_stages(s, n);
}

static bool can_ride(Sched *s, const Nest *c, const Nest *n, const Product *q)
{
    return n->guard == c->guard && n->invariant == c->invariant && !n->on &&
           n->lo <= q->rows && q->rows <= n->hi &&
           reads_rows(s, n, c->piece.at[0]->root, q->rows);
}

/* The store that may share its memory with the product: of the same element in
 * the same stage as all the reads. */
static const Piece *overwriter(Sched *s, const Nest *n, const Node *z)
{
    int stage = -1;
    bool all;
    for (int k = 0; k < n->piece.n; k++) {
        const Piece *p = n->piece.at[k];
        for (int i = 0; i < p->nread; i++) {
            if (p->read[i].node != z)
                continue;
            read_prefix(s, &p->read[i], &all);
            if (!all || (stage >= 0 && stage != p->stage))
                return NULL;
            stage = p->stage;
        }
    }
    for (int k = 0; k < n->piece.n; k++) {
        const Piece *p = n->piece.at[k];
        if (p->kind != PIECE_store || !(p->whole || p->branch) ||
            p->stage != stage || p->root->dtype != z->dtype ||
            p->root->rank != z->rank || p->at != note_of(s, z)->self ||
            !(note_of(s, p->root)->needed || note_of(s, p->root)->kept))
            continue;
        bool same = true;
        for (int i = 0; i < z->rank; i++)
            same = same && p->root->dim[i] == z->dim[i];
        const Buffer *b = buffer_of(s, p->root);
        if (same && (b->kind == BUF_WORK || !b->inout))
            return p;
    }
    return NULL;
}

static void share_memory(Sched *s, const Nest *n, const Node *z)
{
    Note *note = note_of(s, z);
    if (note->buffer && note->buffer->kind == BUF_LEAF)
        return;
    const Piece *p = overwriter(s, n, z);
    if (p)
        note->buffer = buffer_of(s, p->root);
}

static void try_product(After *a, Nest *c)
{
    Sched *s = a->s;
    Piece *p = c->piece.at[0];
    const Readers *r = &a->readers[number_of(s, p->root)];
    Nest *n = r->map;
    if (!p->makes || !n)
        return;
    Product q = product_of(s, p->root);
    if (!can_ride(s, c, n, &q))
        return;
    int need = last_need(s, n, c);
    if (need >= c->pos && !(r->others > n->pos))
        return;
    bool joins = rows_join(s, n, &q);
    if (joins)
        n->hi = q.rows;
    restage(s, n);
    if (!joins)
        return;
    if (need < c->pos)
        n->pos = c->pos;
    else
        c->pos = n->pos;
    c->epilogue = n;
    n->on = c;
    if (r->only)
        share_memory(s, n, p->root);
}

void fuse_after(Sched *s)
{
    After a = {.s = s};
    find_readers(&a);
    for (int i = 0; i < s->nest.n; i++)
        if (s->nest.at[i]->contract)
            try_product(&a, s->nest.at[i]);
}
