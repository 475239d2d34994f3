/* inplace.c: an array that is read for the last time where another one is
 * written, element by element, is that one. */
#include "kernel/sched.h"

/* How one nest uses a buffer. */
typedef struct Access {
    int look;         /* that this is of; another one: out of date */
    bool alike;       /* always at the same element of the same loops … */
    const Index *at;  /* … namely this one */
    const Stage *of;  /* a stage with those loops */
    int loads, first; /* how many, the first one's stage */
    int last;         /* stage that loads or stores */
} Access;

typedef struct InPlace {
    Sched *s;
    int *first, *last; /* by buffer: kernels that use it */
    Access *access;    /* by buffer */
    int kernel;        /* the one that is looked at */
    int look;          /* how many looks there were, of one nest each */
} InPlace;

static void note_use(void *u, const Buffer **b, bool written)
{
    InPlace *p = u;
    (void)written;
    if (p->first[(*b)->id] < 0)
        p->first[(*b)->id] = p->kernel;
    p->last[(*b)->id] = p->kernel;
}

static bool same_loops(const Stage *a, const Stage *b)
{
    for (int i = 0; i < a->rank && i < b->rank; i++)
        if (a->extent[i] != b->extent[i])
            return false;
    return a->rank == b->rank;
}

static Access *access_to(InPlace *p, const Buffer *b)
{
    Access *a = &p->access[b->id];
    if (a->look != p->look)
        *a = (Access){.look = p->look, .alike = true, .first = -1};
    return a;
}

static Access *note_access(InPlace *p, const Buffer *b, const Index *at,
                           const Stage *of, int stage)
{
    Access *a = access_to(p, b);
    a->alike = a->alike && (!a->of || (a->at == at && same_loops(a->of, of)));
    a->at = at;
    a->of = of;
    a->last = stage;
    return a;
}

static void find_accesses(InPlace *p, const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++) {
        const Stage *s = &k->stage[t];
        for (int i = s->first; i < s->first + s->ninstr; i++) {
            const Instr *x = &k->instr[i];
            if (x->kind != I_load)
                continue;
            Access *a = note_access(p, x->buffer, x->at, s, t);
            a->first = a->loads++ ? a->first : t;
        }
        for (int i = 0; i < s->noutput; i++) {
            const Output *o = &s->output[i];
            if (o->kind == OUT_reduce)
                continue;
            note_access(p, o->buffer, o->at, s, t);
            if (o->kind == OUT_add)
                access_to(p, o->buffer)->alike = false;
        }
    }
}

static void not_alike(void *u, const Buffer **b, bool written)
{
    (void)written;
    access_to(u, *b)->alike = false;
}

/* What a product reads may be read again for its next rows. */
static void find_all_accesses(InPlace *p, Kernel *k)
{
    if (k->kind == KERNEL_map) {
        find_accesses(p, k);
        if (k->few)
            kernel_buffers(k->few, not_alike, p);
        return;
    }
    Kernel product = *k;
    const Buffer *out = k->contract->out->buffer;
    product.epilogue = NULL;
    kernel_buffers(&product, not_alike, p);
    access_to(p, out)->alike = true;
    find_accesses(p, k->epilogue);
}

/* Are all kernels that use either run before the steps, or all in each. */
static bool same_time(const InPlace *p, const Buffer *from, const Buffer *to)
{
    int n = p->s->out->ninvariant;
    return (p->first[from->id] < n) == (p->last[to->id] < n);
}

/* Can x, read in stage t, be where o is stored: no element of that is stored
 * twice. */
static bool fits(const InPlace *p, int t, const Output *o, const Instr *x)
{
    const Buffer *from = x->buffer, *to = o->buffer;
    if (x->kind != I_load || x->at != o->at || from->kind != BUF_WORK ||
        !can_hold(p->s, to) || from->dtype != to->dtype ||
        from->elements != to->elements)
        return false;
    const Access *a = &p->access[from->id], *b = &p->access[to->id];
    return p->last[from->id] == p->kernel && p->first[to->id] == p->kernel &&
           same_time(p, from, to) && a->alike && a->last <= t &&
           (!b->loads || b->first > t);
}

typedef struct Renaming {
    const Buffer *from, *to;
} Renaming;

static void rename_one(void *u, const Buffer **b, bool written)
{
    const Renaming *r = u;
    (void)written;
    if (*b == r->from)
        *b = r->to;
}

static void merge(InPlace *p, const Buffer *from, const Buffer *to)
{
    Renaming r = {from, to};
    Access *a = &p->access[from->id], *b = &p->access[to->id];
    for (int i = p->first[from->id]; i <= p->kernel; i++)
        each_buffer(p->s->out->kernel.at[i], rename_one, &r);
    p->first[to->id] = p->first[from->id];
    b->alike = b->alike && a->at == b->at && same_loops(a->of, b->of);
    b->loads += a->loads;
}

static bool stores_array(const Output *o)
{
    return o->kind == OUT_store && !dim_is(o->buffer->elements, 1);
}

static void look_at_stage(InPlace *p, const Kernel *k, int t)
{
    const Stage *s = &k->stage[t];
    for (int i = 0; i < s->noutput; i++) {
        const Output *o = &s->output[i];
        bool array = stores_array(o);
        for (int j = s->first; array && j < s->first + s->ninstr; j++)
            if (fits(p, t, o, &k->instr[j])) {
                merge(p, k->instr[j].buffer, o->buffer);
                break;
            }
    }
}

static void look_at_stages(InPlace *p, const Kernel *map)
{
    for (int t = 0; t < map->nstage; t++)
        look_at_stage(p, map, t);
}

static void is_there(void *u, const Buffer **b, bool written)
{
    (void)written;
    access_to(u, *b);
}

/* The nest for few iterations and the one beside it. */
typedef struct Few {
    InPlace *p;
    const Dim *rows; /* that there may be many of */
    bool fits;
} Few;

/* An array that only the nest for few iterations uses has few rows. */
static void shorten(void *u, const Buffer **b, bool written)
{
    Few *f = u;
    InPlace *p = f->p;
    Graph *g = p->s->g;
    int id = (*b)->id;
    (void)written;
    if (p->access[id].look == p->look)
        return;
    access_to(p, *b);
    const Dim *row = dim_exact(g, (*b)->elements, f->rows);
    f->fits =
        f->fits && row && (*b)->kind == BUF_WORK && p->first[id] == p->last[id];
    if (f->fits)
        p->s->buffer.at[id]->elements = dim_mul(g, row, dim_const(g, FEW_ROWS));
}

static void look_at_few(InPlace *p, Kernel *k)
{
    Kernel many = *k;
    Few f = {.p = p, .rows = k->extent[k->rank - 1], .fits = true};
    many.few = NULL;
    p->look++;
    kernel_buffers(&many, not_alike, p);
    find_accesses(p, k->few);
    look_at_stages(p, k->few);
    p->look++;
    kernel_buffers(&many, is_there, p);
    kernel_buffers(k->few, shorten, &f);
    if (!f.fits)
        k->few = NULL;
}

void in_place(Sched *s)
{
    const Schedule *out = s->out;
    InPlace p = {.s = s};
    int n = s->buffer.n + 1;
    p.first = NEWN(s->scratch, int, n);
    p.last = NEWN(s->scratch, int, n);
    p.access = NEWN(s->scratch, Access, n);
    for (int i = 0; i < n; i++)
        p.first[i] = p.last[i] = -1;
    for (p.kernel = 0; p.kernel < out->kernel.n; p.kernel++)
        each_buffer(out->kernel.at[p.kernel], note_use, &p);
    for (p.kernel = 0; p.kernel < out->kernel.n; p.kernel++) {
        Kernel *k = out->kernel.at[p.kernel];
        const Kernel *map = k->kind == KERNEL_map ? k : k->epilogue;
        if (!map)
            continue;
        p.look++;
        find_all_accesses(&p, k);
        look_at_stages(&p, map);
        if (k->few)
            look_at_few(&p, k);
    }
}
