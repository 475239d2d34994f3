/* fuse.c: pieces that share loops become one nest.
 *
 * Pieces are taken in an order of dependence. Nests have positions that are
 * such an order too: a piece may join any nest that is not before those of all
 * that it depends on, for nothing depends on the piece yet. */
#include "kernel/sched.h"

#include <limits.h>

/* Registers are allocated in more than linear time, with half as many of them
 * in several times as much: nests weigh so many machine instructions at most,
 * straight-line code that no loop goes over LIGHT_WEIGHT. */
enum {
    MAX_WEIGHT = 1000,
    STRAIGHT_WEIGHT = 12000, /* of all with no other loop inside, */
    SCALAR_WEIGHT = 11000,   /* or outside */
    LIGHT_WEIGHT = 250,
    MAX_CANDIDATES = 16,
    LIGHT_ELEMENTS = 1024
};

/* A list of pieces that wait for another. */
typedef struct Wait {
    Piece *piece;
    struct Wait *next;
} Wait;

typedef struct Fuse {
    Sched *s;
    Wait **on; /* by piece: who waits for it */
    int *open; /* by piece: those it still waits for */
    Piece *waiting;
    Heap ready; /* pieces, by number */
} Fuse;

static void need_node(const Sched *s, const Node *n, bool read, EachNeed *f,
                      void *u)
{
    for (const Piece *q = note_of(s, n)->piece; q; q = q->sibling)
        f(u, q, read);
}

void each_need(const Sched *s, const Piece *p, EachNeed *f, void *u)
{
    const Guard *b = &s->guard.at[p->guard];
    for (int i = 0; i < p->nread; i++)
        need_node(s, p->read[i].node, true, f, u);
    for (int i = 0; i < 2; i++)
        for (const Piece *q = p->before[i]; q; q = q->also)
            f(u, q, false);
    for (int i = 0; i < p->flags.n; i++)
        f(u, p->flags.at[i], false);
    for (int i = 0; i < b->n; i++)
        need_node(s, b->at[i].cond, false, f, u);
    if (b->made_by)
        f(u, b->made_by, false);
}

static void wait_for(void *u, const Piece *need, bool read)
{
    Fuse *f = u;
    Wait *w = NEW(f->s->scratch, Wait);
    (void)read;
    w->piece = f->waiting;
    w->next = f->on[need->id];
    f->on[need->id] = w;
    f->open[f->waiting->id]++;
}

static void done(Fuse *f, Piece *p)
{
    for (const Wait *w = f->on[p->id]; w; w = w->next)
        if (--f->open[w->piece->id] == 0)
            heap_push(f->s->scratch, &f->ready, w->piece->id);
    if (!p->makes)
        return;
    Note *note = note_of(f->s, p->root);
    if (p->nest->pos > note->pos)
        note->pos = p->nest->pos;
}

int read_prefix(const Sched *s, const Read *r, bool *all)
{
    int k = 0;
    const Note *note = note_of(s, r->node);
    *all = r->at && r->at == note->self;
    if (!r->at)
        return 0;
    for (int i = 0; i < r->node->rank; i++) {
        if (dim_is(r->node->dim[i], 1))
            continue;
        if (!index_is_var(r->at->at[i], k))
            return k;
        k++;
    }
    return k;
}

static bool is_alone(const Piece *p)
{
    return p->kind == PIECE_loop || p->kind == PIECE_part ||
           p->kind == PIECE_sort || p->kind == PIECE_routine;
}

/* So small, or so scalar, that a stage in a kernel without outer loops will
 * do. */
static bool is_light(const Piece *p)
{
    int64_t elements = 1, size;
    if (p->kind == PIECE_reduce && p->kept == 0)
        return true;
    if (p->kind == PIECE_contract || p->kind == PIECE_add || is_alone(p))
        return false;
    for (int i = 0; i < p->rank; i++) {
        if (!dim_const_value(p->extent[i], &size) || size > LIGHT_ELEMENTS)
            return false;
        elements *= size;
        if (elements > LIGHT_ELEMENTS)
            return false;
    }
    return true;
}

static void bounds(const Piece *p, int *lo, int *hi)
{
    *lo = p->kind == PIECE_reduce ? p->kept : 0;
    *hi = p->kind == PIECE_add ? 0 : p->kept;
}

Nest *nest_new(Sched *s, Piece *p)
{
    Nest *n = NEW(s->scratch, Nest);
    n->pos = s->nest.n + 1;
    n->guard = p->guard;
    n->contract = p->kind == PIECE_contract;
    n->alone = is_alone(p);
    n->invariant = p->invariant;
    n->light = is_light(p);
    bounds(p, &n->lo, &n->hi);
    n->weight = p->weight;
    n->rank = p->rank;
    nest_walks(s, n, p);
    p->nest = n;
    list_push(s->scratch, &n->piece, p);
    list_push(s->scratch, &s->nest, n);
    return n;
}

/* What joining would give. */
typedef struct Fit {
    Nest *nest;
    int lo, hi;
} Fit;

static int common_loops(const Piece *a, const Piece *b, int most)
{
    int k = 0;
    while (k < most && a->extent[k] == b->extent[k])
        k++;
    return k;
}

/* Every read from the nest itself has to be of the same outer iteration. */
static bool reads_fit(const Sched *s, const Nest *n, const Piece *p, int *hi)
{
    bool all;
    for (int i = 0; i < p->nread; i++) {
        const Note *note = note_of(s, p->read[i].node);
        if (note->pos < n->pos) /* 0: no piece makes it */
            continue;
        if (!note->piece->whole || note->piece->nest != n)
            return false;
        int k = read_prefix(s, &p->read[i], &all);
        *hi = k < *hi ? k : *hi;
    }
    return true;
}

static void last_need(void *u, const Piece *need, bool read)
{
    int *last = u;
    if (!read && need->nest->pos > *last)
        *last = need->nest->pos;
}

static bool after_all(const Sched *s, const Nest *n, const Piece *p)
{
    int last = 0;
    each_need(s, p, last_need, &last);
    return last < n->pos;
}

/* Where no loop is inside the outer ones, what crosses from one nest to another
 * costs more than registers that do not suffice; so it does where there are no
 * loops at all. */
static int most_weight(const Sched *s, const Nest *n, const Piece *p, int outer)
{
    bool straight = p->rank == outer && (outer == 0 || n->rank == outer);
    int most = outer > 0 ? STRAIGHT_WEIGHT : SCALAR_WEIGHT;

    if (straight && s->straight <= most)
        return most;
    return outer > 0 ? MAX_WEIGHT : LIGHT_WEIGHT;
}

/* Where rows are summed across lanes, what is made of their sums is done one by
 * one: if that is much, it has lanes of its own in another nest, but where
 * others go over the row with it. */
static bool is_better_alone(const Nest *n, const Piece *p, int outer)
{
    enum { MUCH = 8 };
    return outer > 0 && p->kind == PIECE_store && p->rank == outer && !p->row &&
           p->weight > MUCH && n->walks[outer].loops &&
           n->walks[outer].inside < n->walks[outer].outside;
}

/* What is neither light nor has outer loops fits nowhere. */
static bool fits(const Sched *s, Nest *n, const Piece *p, Fit *fit)
{
    if (n->guard != p->guard || n->invariant != p->invariant ||
        !after_all(s, n, p))
        return false;
    fit->nest = n;
    bounds(p, &fit->lo, &fit->hi);
    fit->hi = n->hi < fit->hi ? n->hi : fit->hi;
    fit->hi = common_loops(n->piece.at[0], p, fit->hi);
    fit->lo = n->lo > fit->lo ? n->lo : fit->lo;
    if (!reads_fit(s, n, p, &fit->hi) || fit->lo > fit->hi ||
        is_better_alone(n, p, fit->hi))
        return false;
    int weight = n->weight + p->weight;
    return weight <= most_weight(s, n, p, fit->hi) &&
           (fit->hi > 0 ? walks_fit(n, p, fit->hi) : n->light && is_light(p));
}

typedef struct Candidates {
    Nest *at[MAX_CANDIDATES];
    int n;
} Candidates;

static void add_candidate(Candidates *c, Nest *n)
{
    if (!n || c->n == MAX_CANDIDATES)
        return;
    for (int i = 0; i < c->n; i++)
        if (c->at[i] == n)
            return;
    c->at[c->n++] = n;
}

static Candidates candidates(const Sched *s, const Piece *p)
{
    Candidates c = {.n = 0};
    for (int i = 0; i < p->nread; i++) {
        const Note *note = note_of(s, p->read[i].node);
        if (note->piece && note->piece->whole)
            add_candidate(&c, note->piece->nest);
    }
    for (int i = 0; i < p->nread; i++) {
        const Note *note = note_of(s, p->read[i].node);
        if (p->read[i].node->rank) {
            add_candidate(&c, note->reader[0]);
            add_candidate(&c, note->reader[1]);
        }
    }
    add_candidate(&c, s->guard.at[p->guard].scalars);
    if (p->root)
        add_candidate(&c, note_of(s, p->root)->parts);
    return c;
}

static void join(Sched *s, Piece *p, const Fit *fit)
{
    Nest *n = fit->nest;
    n->lo = fit->lo;
    n->hi = fit->hi;
    n->light = n->light && is_light(p);
    n->weight += p->weight;
    n->rank = p->rank > n->rank ? p->rank : n->rank;
    nest_walks(s, n, p);
    p->nest = n;
    list_push(s->scratch, &n->piece, p);
}

static void note_readers(Sched *s, const Piece *p)
{
    for (int i = 0; i < p->nread; i++) {
        Note *note = note_of(s, p->read[i].node);
        if (note->reader[0] == p->nest)
            continue;
        note->reader[1] = note->reader[0];
        note->reader[0] = p->nest;
    }
    if (p->nest->light)
        s->guard.at[p->guard].scalars = p->nest;
}

static void place(Sched *s, Piece *p)
{
    Fit best = {.nest = NULL}, fit;
    if (p->kind != PIECE_contract && !is_alone(p)) {
        Candidates c = candidates(s, p);
        for (int i = 0; i < c.n; i++)
            if (fits(s, c.at[i], p, &fit) && (!best.nest || fit.hi > best.hi))
                best = fit;
    }
    if (best.nest)
        join(s, p, &best);
    else
        nest_new(s, p);
    note_readers(s, p);
    if (p->root)
        note_of(s, p->root)->parts = p->nest;
}

/* What all pieces weigh that are computed once for each element. */
static int straight_weight(const Sched *s)
{
    int64_t weight = 0;
    for (int i = 0; i < s->piece.n; i++) {
        const Piece *p = s->piece.at[i];
        if (p->kind == PIECE_store)
            weight += p->weight;
    }
    return weight > INT_MAX ? INT_MAX : (int)weight;
}

/* Which pieces' elements others read that go over a row with each. */
static void mark_rows(Sched *s)
{
    bool all;
    for (int k = 0; k < s->piece.n; k++) {
        const Piece *p = s->piece.at[k];
        for (int i = 0; i < p->nread; i++) {
            Piece *q = note_of(s, p->read[i].node)->piece;
            if (q && p->rank > q->rank)
                q->row = q->row || read_prefix(s, &p->read[i], &all) > 0;
        }
    }
}

void fuse(Sched *s)
{
    int n = s->piece.n, count = 0;
    Fuse f = {.s = s};
    s->straight = straight_weight(s);
    mark_rows(s);
    f.on = NEWN(s->scratch, Wait *, n + 1);
    f.open = NEWN(s->scratch, int, n + 1);
    for (int i = 0; i < n; i++) {
        f.waiting = s->piece.at[i];
        each_need(s, f.waiting, wait_for, &f);
    }
    for (int i = 0; i < n; i++)
        if (f.open[i] == 0)
            heap_push(s->scratch, &f.ready, i);
    for (; f.ready.n; count++) {
        Piece *p = s->piece.at[heap_pop(&f.ready)];
        place(s, p);
        done(&f, p);
    }
    if (count != n)
        die("%d pieces wait for each other", n - count);
}

/* Stages. */

static bool same_loops(const NestStage *st, const Piece *p, int outer)
{
    if (st->rank != p->rank - outer)
        return false;
    for (int i = 0; i < st->rank; i++)
        if (st->extent[i] != p->extent[outer + i])
            return false;
    return true;
}

/* The first stage in which all that p reads from its own nest is there. */
static int earliest(const Sched *s, const Nest *n, const Piece *p)
{
    int first = 0;
    bool all;
    for (int i = 0; i < p->nread; i++) {
        const Piece *q = note_of(s, p->read[i].node)->piece;
        if (!q || q->nest != n || !q->whole)
            continue;
        int st = q->stage + 1;
        read_prefix(s, &p->read[i], &all);
        if (q->kind != PIECE_reduce && all &&
            same_loops(&n->stage.at[q->stage], p, n->hi))
            st = q->stage;
        first = st > first ? st : first;
    }
    return first;
}

static int new_stage(Sched *s, Nest *n, const Piece *p, int outer)
{
    NestStage st = {.rank = p ? p->rank - outer : 0};
    st.extent = NEWN(s->scratch, const Dim *, st.rank + 1);
    for (int i = 0; i < st.rank; i++)
        st.extent[i] = p->extent[outer + i];
    list_push(s->scratch, &n->stage, st);
    return n->stage.n - 1;
}

/* Does someone read p's node from memory. */
static void find_needed(Sched *s, const Nest *n)
{
    bool all;
    for (int k = 0; k < n->piece.n; k++) {
        const Piece *p = n->piece.at[k];
        for (int i = 0; i < p->nread; i++) {
            Note *note = note_of(s, p->read[i].node);
            const Piece *q = note->piece;
            read_prefix(s, &p->read[i], &all);
            bool here = q && q->nest == n && q->whole && all;
            bool there =
                here && (q->kind == PIECE_reduce || q->stage == p->stage ||
                         n->stage.at[q->stage].rank == 0);
            if (q && q->nest == n)
                note->kept = note->kept || !there;
            else
                note->needed = true;
        }
    }
    const Guard *b = &s->guard.at[n->guard];
    for (int i = 0; i < b->n; i++)
        note_of(s, b->at[i].cond)->needed = true;
}

void nest_stages(Sched *s, Nest *n)
{
    n->stage.n = 0;
    for (int k = 0; k < n->piece.n && !n->contract && !n->alone; k++) {
        Piece *p = n->piece.at[k];
        int st = earliest(s, n, p);
        while (st < n->stage.n && !same_loops(&n->stage.at[st], p, n->hi))
            st++;
        if (st == n->stage.n)
            st = new_stage(s, n, p, n->hi);
        p->stage = st;
        list_push(s->scratch, &n->stage.at[st].piece, p);
    }
    find_needed(s, n);
}
