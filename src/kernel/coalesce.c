/* coalesce.c: copies from one buffer to another that need not be two.
 *
 * A loop starts from copies of its initial values, and a step that an inner
 * loop ends copies what that gives. Where the source is not used after such a
 * copy and the target not before it, both are one buffer and nothing is copied;
 * likewise a buffer that is copied from and, later, back to. */
#include "kernel/sched.h"

enum { MOST_COPIES = 256 };

/* Which kernels use a buffer, and how often each. */
typedef struct Uses {
    int first, last; /* kernels; first > last: none */
    int at_first, at_last;
} Uses;

typedef struct Coalesce {
    Sched *s;
    Uses *uses; /* by buffer */
    bool more;
} Coalesce;

typedef struct Counting {
    Coalesce *c;
    int kernel;
} Counting;

static void count(void *u, const Buffer **b, bool written)
{
    (void)written;
    Counting *n = u;
    Uses *x = &n->c->uses[(*b)->id];
    if (x->first > x->last)
        *x = (Uses){n->kernel, n->kernel, 0, 0};
    if (x->last != n->kernel)
        x->at_last = 0;
    x->last = n->kernel;
    x->at_last++;
    x->at_first += x->first == n->kernel;
}

static void count_uses(Coalesce *c)
{
    const Schedule *out = c->s->out;
    for (int i = 0; i < c->s->buffer.n; i++)
        c->uses[i] = (Uses){0, -1, 0, 0};
    for (int i = 0; i < out->kernel.n; i++)
        each_buffer(out->kernel.at[i], count, &(Counting){c, i});
}

typedef struct Renaming {
    const Buffer *from, *to;
    bool found;
} Renaming;

static void rename_one(void *u, const Buffer **b, bool written)
{
    (void)written;
    Renaming *r = u;
    r->found = r->found || *b == r->from;
    if (*b == r->from && r->to)
        *b = r->to;
}

static void rename_in(Coalesce *c, int first, int last, Renaming *r)
{
    for (int i = first; i <= last; i++)
        each_buffer(c->s->out->kernel.at[i], rename_one, r);
}

/* Copies. */

bool can_hold(const Sched *s, const Buffer *b)
{
    return b->kind == BUF_WORK || b->leaf >= s->nparam;
}

/* The buffer that output o is a copy of, from end to end, or NULL. */
static const Buffer *copied(Graph *g, const Kernel *k, const Stage *s,
                            const Output *o)
{
    if (o->kind != OUT_store)
        return NULL;
    const Instr *x = &k->instr[o->value];
    if (x->kind != I_load || x->pred >= 0 || x->at != o->at ||
        x->buffer == o->buffer || x->dtype != x->buffer->dtype ||
        x->dtype != o->buffer->dtype ||
        x->buffer->elements != o->buffer->elements)
        return NULL;
    return o->buffer->elements == stage_steps(g, k, s) ? x->buffer : NULL;
}

/* A copy that two nests make is left. */
static bool can_drop(const Kernel *k, const Stage *s)
{
    return !k->few && (s->noutput > 1 || k->nstage == 1);
}

static void drop(Coalesce *c, int kernel, Stage *s, int i)
{
    Schedule *out = c->s->out;
    s->noutput--;
    for (; i < s->noutput; i++)
        s->output[i] = s->output[i + 1];
    if (s->noutput == 0) {
        out->ninvariant -= kernel < out->ninvariant;
        out->kernel.n--;
        for (int k = kernel; k < out->kernel.n; k++)
            out->kernel.at[k] = out->kernel.at[k + 1];
    }
    c->more = true;
}

/* Are kernels i and j both run before the steps, or both in each. */
static bool same_time(const Coalesce *c, int i, int j)
{
    int ninvariant = c->s->out->ninvariant;
    return (i < ninvariant) == (j < ninvariant);
}

/* The source ends where the target begins: what is made once, and copied in
 * each step, does not. */
static bool joins_up(const Coalesce *c, int kernel, const Buffer *from,
                     const Buffer *to)
{
    const Uses *x = &c->uses[from->id], *y = &c->uses[to->id];
    return from->kind == BUF_WORK && can_hold(c->s, to) && x->last == kernel &&
           y->first == kernel && y->at_first == 1 &&
           same_time(c, x->first, kernel);
}

/* The output of kernel i that copies `from` to `to`. */
static bool find_copy(Graph *g, Kernel *k, const Buffer *from, const Buffer *to,
                      Stage **s, int *output)
{
    for (int t = 0; k->kind == KERNEL_map && t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            const Output *o = &k->stage[t].output[i];
            if (o->buffer != to || copied(g, k, &k->stage[t], o) != from)
                continue;
            *s = &k->stage[t];
            *output = i;
            return k->nguard == 0 && can_drop(k, *s);
        }
    return false;
}

/* from is copied to `to` by this kernel, and back by the last one that uses
 * `to`; in between `from` rests. */
static bool comes_back(Coalesce *c, int kernel, const Buffer *from,
                       const Buffer *to, Stage **s, int *output)
{
    const Uses *x = &c->uses[to->id];
    Renaming r = {.from = from};
    if (to->kind != BUF_WORK || x->first != kernel || x->at_first != 1 ||
        !find_copy(c->s->g, c->s->out->kernel.at[x->last], to, from, s, output))
        return false;
    rename_in(c, kernel + 1, x->last - 1, &r);
    const Kernel *back = c->s->out->kernel.at[x->last];
    for (int i = 0; i < back->ninstr; i++)
        r.found = r.found || (back->instr[i].kind == I_load &&
                              back->instr[i].buffer == from);
    return !r.found;
}

static bool one_copy(Coalesce *c, int kernel, Stage *s, int i)
{
    Kernel *k = c->s->out->kernel.at[kernel];
    const Buffer *to = s->output[i].buffer;
    const Buffer *from = copied(c->s->g, k, s, &s->output[i]);
    Stage *back;
    int output;
    if (!from || !can_drop(k, s))
        return false;
    if (joins_up(c, kernel, from, to)) {
        Renaming r = {from, to, false};
        drop(c, kernel, s, i);
        rename_in(c, c->uses[from->id].first, c->s->out->kernel.n - 1, &r);
        return true;
    }
    if (comes_back(c, kernel, from, to, &back, &output)) {
        Renaming r = {to, from, false};
        drop(c, c->uses[to->id].last, back, output);
        drop(c, kernel, s, i);
        rename_in(c, kernel, c->s->out->kernel.n - 1, &r);
        return true;
    }
    return false;
}

/* Only loops have copies that could be spared. */
static bool has_loops(const Schedule *s)
{
    for (int i = 0; i < s->kernel.n; i++)
        if (s->kernel.at[i]->kind == KERNEL_loop)
            return true;
    return false;
}

static void pass(Coalesce *c)
{
    Schedule *out = c->s->out;
    c->more = false;
    count_uses(c);
    for (int k = 0; k < out->kernel.n; k++) {
        Kernel *at = out->kernel.at[k];
        for (int t = 0;
             at->kind == KERNEL_map && at->nguard == 0 && t < at->nstage; t++)
            for (int i = at->stage[t].noutput - 1; i >= 0; i--)
                if (one_copy(c, k, &at->stage[t], i))
                    return;
    }
}

void coalesce(Sched *s)
{
    Coalesce c = {.s = s, .more = true};
    c.uses = NEWN(s->scratch, Uses, s->buffer.n + 1);
    for (int most = MOST_COPIES; has_loops(s->out) && c.more && most > 0;
         most--)
        pass(&c);
}
