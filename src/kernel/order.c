/* order.c: the final order of the kernels, and results that overwrite
 * parameters.
 *
 * A nest and what is fused into it are one unit. A unit that writes over a
 * parameter comes after all that read the parameter's old value; where that
 * cannot be, the result is made in the workspace and moved at the end. */
#include "kernel/sched.h"

typedef struct Edge {
    int to;
    struct Edge *next;
} Edge;

typedef struct Readers {
    int unit;
    const Piece *piece;
    const Read *read; /* NULL: it decides whether the piece's nest runs */
    struct Readers *next;
} Readers;

typedef struct Order {
    Sched *s;
    Edge **edge; /* by unit: those that come after */
    int *place;  /* by unit: in an order that respects all edges */
    int *seen, stamp;
    int cap;
    int unit;          /* whose edges are being made */
    Readers **readers; /* by node: of parameters overwritten */
} Order;

static Nest *unit_of(const Piece *p)
{
    return p->nest->on ? p->nest->on : p->nest;
}

static void edge(Order *o, int from, int to)
{
    if (from == to)
        return;
    Edge *e = NEW(o->s->scratch, Edge);
    e->to = to;
    e->next = o->edge[from];
    o->edge[from] = e;
}

/* To o->unit. */
static void edge_from(void *u, const Piece *need, bool read)
{
    Order *o = u;
    (void)read;
    edge(o, unit_of(need)->index, o->unit);
}

/* Numbers the units as they were fused. */
static void number_units(Order *o)
{
    Sched *s = o->s;
    o->cap = 2 * (s->nest.n + s->nresult) + 1;
    for (int i = 0; i < s->nest.n; i++)
        s->nest.at[i]->index = i;
    o->edge = NEWN(s->scratch, Edge *, o->cap);
    o->place = NEWN(s->scratch, int, o->cap);
    o->seen = NEWN(s->scratch, int, o->cap);
    for (int i = 0; i < s->piece.n; i++) {
        o->unit = unit_of(s->piece.at[i])->index;
        each_need(s, s->piece.at[i], edge_from, o);
    }
}

/* Topological order, the unit with the smallest number first among those that
 * are free; units that are fused into others get no place. */
static void sort(Order *o)
{
    Sched *s = o->s;
    int n = s->nest.n, place = 0, units = 0;
    int *open = NEWN(s->scratch, int, n + 1);
    Heap h = {0};
    for (int i = 0; i < n; i++)
        for (const Edge *e = o->edge[i]; e; e = e->next)
            open[e->to]++;
    for (int i = 0; i < n; i++)
        if (!s->nest.at[i]->on) {
            units++;
            if (!open[i])
                heap_push(s->scratch, &h, i);
        }
    while (h.n) {
        int i = heap_pop(&h);
        o->place[i] = place++;
        for (const Edge *e = o->edge[i]; e; e = e->next)
            if (--open[e->to] == 0)
                heap_push(s->scratch, &h, e->to);
    }
    if (place != units)
        die("%d kernels wait for each other", units - place);
}

/* Parameters overwritten. */

static void add_reader(Order *o, const Node *n, const Piece *p,
                       const Read *read)
{
    Sched *s = o->s;
    if (n->op != OP_param || !buffer_of(s, n)->inout)
        return;
    Readers *r = NEW(s->scratch, Readers);
    *r = (Readers){.unit = unit_of(p)->index,
                   .piece = p,
                   .read = read,
                   .next = o->readers[number_of(s, n)]};
    o->readers[number_of(s, n)] = r;
}

static void find_param_readers(Order *o)
{
    Sched *s = o->s;
    o->readers = NEWN(s->scratch, Readers *, s->nnote);
    for (int i = 0; i < s->piece.n; i++) {
        const Piece *p = s->piece.at[i];
        const Guard *b = &s->guard.at[p->guard];
        for (int k = 0; k < p->nread; k++)
            add_reader(o, p->read[k].node, p, &p->read[k]);
        for (int k = 0; k < b->n; k++)
            add_reader(o, b->at[k].cond, p, NULL);
    }
}

static bool reaches(Order *o, int from, int to)
{
    LIST(int) stack = {0};
    o->stamp++;
    list_push(o->s->scratch, &stack, from);
    while (stack.n) {
        int i = stack.at[--stack.n];
        if (i == to)
            return true;
        for (const Edge *e = o->edge[i]; e; e = e->next)
            if (o->seen[e->to] != o->stamp) {
                o->seen[e->to] = o->stamp;
                list_push(o->s->scratch, &stack, e->to);
            }
    }
    return false;
}

/* Inside one unit: is the old value read before, or where, it is lost. A
 * product reads it again for other rows, and is at no element where it stores.
 */
static bool read_in_time(const Sched *s, const Readers *r, const Piece *w)
{
    bool all;
    const Piece *p = r->piece;
    if (p->kind == PIECE_contract)
        return false;
    if (!r->read)
        return true;
    if (p->stage == w->stage)
        return r->read->at == w->at;
    return p->stage < w->stage && read_prefix(s, r->read, &all) >= w->nest->hi;
}

static bool writer_fits(Order *o, const Node *param, const Piece *w)
{
    int unit = unit_of(w)->index;
    for (const Readers *r = o->readers[number_of(o->s, param)]; r;
         r = r->next) {
        if (r->unit == unit ? !read_in_time(o->s, r, w)
                            : o->place[r->unit] > o->place[unit] &&
                                  reaches(o, unit, r->unit))
            return false;
    }
    return true;
}

/* Several writers, one of which reads: the others' parts may go first. */
static bool reads_among(const Order *o, const Node *param, const Piece *first)
{
    for (const Piece *p = first; p && first->sibling; p = p->sibling)
        for (const Readers *r = o->readers[number_of(o->s, param)]; r;
             r = r->next)
            if (r->unit == unit_of(p)->index)
                return true;
    return false;
}

/* True where some edge goes against the present order. */
static bool writer_edges(Order *o, const Node *param, const Piece *w)
{
    int unit = unit_of(w)->index;
    bool against = false;
    for (const Readers *r = o->readers[number_of(o->s, param)]; r;
         r = r->next) {
        against = against || o->place[r->unit] > o->place[unit];
        edge(o, r->unit, unit);
    }
    return against;
}

/* Moves `from` over the parameter, after all else that reads either. */
static Piece *final_move(Order *o, const Node *param, Buffer *from, Buffer *to)
{
    Sched *s = o->s;
    Piece *p = NEW(s->scratch, Piece);
    const Index *at = index_int(s->table, 0);
    p->kind = PIECE_move;
    p->id = s->piece.n;
    p->from = from;
    p->to = to;
    p->dim = param->dim;
    if (!dim_is(from->elements, 1)) {
        at = index_var(s->table, 0);
        add_loop(s, p, from->elements);
    }
    const Dim **dim = NEWN(s->scratch, const Dim *, 1);
    dim[0] = from->elements;
    p->dim = dim;
    p->kept = p->rank;
    p->at = vec_make(s->table, 1, &at);
    p->from_at = at;
    p->weight = 2;
    list_push(s->scratch, &s->piece, p);
    Nest *n = nest_new(s, p);
    n->index = s->nest.n - 1;
    if (n->index >= o->cap)
        die("more moves than results");
    nest_stages(s, n);
    return p;
}

/* A leaf of its own for the result that was to overwrite a parameter. */
static Buffer *turned_leaf(Sched *s, const Node *param, Buffer *to)
{
    int k = 0;
    while (s->result_buffer[k] != to)
        k++;
    Buffer *b = buffer_new(s, BUF_LEAF, param);
    b->leaf = s->nparam + k;
    to->inout = false;
    return b;
}

/* One writer of a result in place: its pieces, of a root or a copy. */
static void settle(Order *o, Node *param, Piece *first, Buffer **target)
{
    bool fits = !reads_among(o, param, first), again = false;
    for (Piece *p = first; p && fits; p = p->sibling)
        fits = writer_fits(o, param, p);
    if (!fits && o->s->double_buffer) {
        *target = turned_leaf(o->s, param, *target);
        return;
    }
    if (!fits) {
        Buffer *to = *target;
        Buffer *from = *target = buffer_new(o->s, BUF_WORK, param);
        Piece *move = final_move(o, param, from, to);
        for (Piece *p = first; p; p = p->sibling)
            edge(o, unit_of(p)->index, move->nest->index);
        first = move;
        again = true;
    }
    for (Piece *p = first; p; p = p->sibling)
        again = writer_edges(o, param, p) || again;
    if (again)
        sort(o);
}

static void settle_all(Order *o)
{
    Sched *s = o->s;
    int count = s->piece.n;
    for (int i = 0; i < count; i++) {
        Piece *p = s->piece.at[i];
        if (p->to && p->to->kind == BUF_LEAF && p->to->inout)
            settle(o, s->param[p->to->leaf], p, &p->to);
    }
    for (int i = 0; i < s->nresult; i++) {
        Node *n = buffered(s, s->result[i]);
        Note *note = note_of(s, n);
        if (note->piece && note->buffer == s->result_buffer[i] &&
            note->buffer->inout)
            settle(o, s->param[note->buffer->leaf], note->piece, &note->buffer);
    }
}

/* What is made once depends on nothing else, so it may come first. */
static void once_first(Nest **nest, int n, Nest **to)
{
    for (int first = 1; first >= 0; first--)
        for (int i = 0; i < n; i++)
            if (nest[i]->invariant == first)
                *to++ = nest[i];
}

void order(Sched *s)
{
    Order o = {.s = s};
    number_units(&o);
    sort(&o);
    find_param_readers(&o);
    settle_all(&o);
    Nest **in_order = NEWN(s->scratch, Nest *, s->nest.n + 1);
    int n = 0;
    for (int i = 0; i < s->nest.n; i++)
        if (!s->nest.at[i]->on) {
            in_order[o.place[i]] = s->nest.at[i];
            n++;
        }
    s->nest.at = NEWN(s->scratch, Nest *, n + 1);
    once_first(in_order, n, s->nest.at);
    s->nest.n = s->nest.cap = n;
}
