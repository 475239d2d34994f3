/* slow.c: what costs more than its result lets one think. */
#include "kernel/sched.h"

typedef struct Slow {
    Graph *g;
    Arena *arena;
    EachSlow *each;
    void *u;
} Slow;

/* What is read again for each of some elements lies in a cache. */
static bool is_read_once(const Kernel *k, const Stage *s, const Index *at)
{
    for (int v = 0; v < k->rank + s->rank; v++)
        if (!index_coef(at, v))
            return false;
    return true;
}

/* Are so many iterations worth a word: more than a few, as far as is known. */
static bool is_long(const Dim *d)
{
    enum { FEW = 64 };
    int64_t n;
    return !dim_const_value(d, &n) || n > FEW;
}

/* Of an array, of which every element is read once, each a line of memory away
 * from the one before. */
static bool is_across(const Kernel *k, const Stage *s, const Instr *x)
{
    int lane = lane_loop(k, s);
    return x->kind == I_load && x->buffer->node && !index_reads(x->at) &&
           lane >= 0 && stride_along(x->at, lane) == STRIDE_far &&
           is_long(loop_extent(k, s, lane)) && is_read_once(k, s, x->at);
}

static const Instr *find_across(const Kernel *k, const Stage *s)
{
    for (int i = s->first; i < s->first + s->ninstr; i++)
        if (is_across(k, s, &k->instr[i]))
            return &k->instr[i];
    return NULL;
}

/* One of a nest is told. */
static void tell_across(Slow *w, const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++) {
        const Stage *s = &k->stage[t];
        const Instr *x = find_across(k, s);
        if (!x)
            continue;
        Str text = str_new(w->arena);
        node_print_top(w->g, x->buffer->node, 1, &text);
        str_printf(&text, " is read across: its elements are ");
        dim_print(index_coef(x->at, lane_loop(k, s)), &text);
        str_printf(&text, " apart");
        w->each(w->u, k->span, text.at);
        return;
    }
}

/* More steps than anything that is read or written has elements. */
static void tell_work(Slow *w, const Kernel *k, const Stage *s)
{
    const Dim *steps = stage_steps(w->g, k, s);
    int loops = 0;
    for (int v = 0; v < k->rank + s->rank; v++)
        loops += is_long(loop_extent(k, s, v));
    if (loops < 3)
        return;
    for (int i = s->first; i < s->first + s->ninstr; i++)
        if (k->instr[i].kind == I_load && k->instr[i].buffer->elements == steps)
            return;
    for (int i = 0; i < s->noutput; i++)
        if (s->output[i].buffer && s->output[i].buffer->elements == steps)
            return;
    Str text = str_new(w->arena);
    dim_print(steps, &text);
    str_printf(&text, " steps, and no product of matrices");
    w->each(w->u, k->span, text.at);
}

static void tell(Slow *w, const Schedule *s);

static void tell_kernel(Slow *w, const Kernel *k)
{
    if (k->kind == KERNEL_loop)
        tell(w, k->loop->body);
    const Kernel *map = k->kind == KERNEL_map ? k : k->epilogue;
    if (!map)
        return;
    tell_across(w, map);
    for (int i = 0; i < map->nstage; i++)
        tell_work(w, map, &map->stage[i]);
}

static void tell(Slow *w, const Schedule *s)
{
    for (int i = 0; i < s->kernel.n; i++)
        tell_kernel(w, s->kernel.at[i]);
}

void schedule_slow(Arena *a, Graph *g, const Schedule *s, EachSlow *f, void *u)
{
    Slow w = {g, a, f, u};
    tell(&w, s);
}
