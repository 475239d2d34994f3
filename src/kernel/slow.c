/* slow.c: what costs more than its result lets one think. */
#include "kernel/sched.h"

/* A loop of the source, of which derivatives may have made several. */
typedef struct Loop {
    Span span;
    bool apart; /* no step of any needs the one before it */
} Loop;

typedef struct Slow {
    Graph *g;
    Arena *arena;
    EachSlow *each;
    void *u;
    LIST(Loop) loop;
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
    return x->kind == I_load && stride_along(x->at, lane) == STRIDE_far &&
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

/* known: by instruction. */
static bool is_known_place(const bool *known, const Index *at)
{
    for (int i = 0; i < at->n; i++)
        if ((at->atom[i].kind == IX_value && !known[at->atom[i].value]) ||
            (at->atom[i].of && !is_known_place(known, at->atom[i].of)))
            return false;
    return true;
}

/* Is an instruction of loop variables, sizes and constants alone. A place that
 * data decide is an operand of nothing but of whether an element is there. */
static bool is_known(const bool *known, const Instr *x)
{
    if (x->kind == I_load || x->kind == I_result)
        return false;
    for (int i = 0; i < x->narg; i++)
        if (!known[x->arg[i]])
            return false;
    return true;
}

static bool *find_known(Arena *a, const Kernel *k)
{
    bool *known = NEWN(a, bool, k->ninstr + 1);
    for (int i = 0; i < k->ninstr; i++)
        known[i] = is_known(known, &k->instr[i]);
    return known;
}

/* Does a value decide where in a loop, one for each of its steps. */
static bool is_scattered(const Kernel *k, const Index *at, int loop)
{
    for (int i = 0; i < at->n; i++)
        if ((at->atom[i].kind == IX_value &&
             k->instr[at->atom[i].value].level > loop) ||
            (at->atom[i].of && is_scattered(k, at->atom[i].of, loop)))
            return true;
    return false;
}

/* Elements that are fetched one by one where no data decide which ones. */
static void tell_gathered(Slow *w, const Kernel *k, const Stage *s,
                          const bool *known)
{
    int lane = lane_loop(k, s);
    if (lane < 0 || !is_long(loop_extent(k, s, lane)))
        return;
    for (int i = s->first; i < s->first + s->ninstr; i++) {
        const Instr *x = &k->instr[i];
        if (x->kind != I_load || !x->buffer->node ||
            !is_scattered(k, x->at, lane) || !is_known_place(known, x->at))
            continue;
        Str text = str_new(w->arena);
        node_print_top(w->g, x->buffer->node, 1, &text);
        str_printf(&text, " is read element by element though no data decide "
                          "where: slices, put together by concat, are not");
        w->each(w->u, k->span, text.at);
        return;
    }
}

/* Do a loop's steps get on without the one before: none reads a carry but to
 * join what it found by itself to it, or to choose it where it found nothing.
 */
typedef struct Steps {
    Slow *w;
    Arena *scratch;
    Node **carry;
    int ncarry;
} Steps;

static bool is_alone(const Steps *s, Node *n)
{
    Nodes below = nodes_below(s->w->g, s->scratch, 1, &n);
    for (int i = 0; i < s->ncarry; i++)
        if (nodes_find(&below, s->carry[i]) >= 0)
            return false;
    return true;
}

/* The argument that is the carry, where all the others know of none; or -1. */
static int carried_arg(const Steps *s, const Node *n, const Node *carry)
{
    int found = -1;
    for (int i = 0; i < n->narg; i++)
        if (n->arg[i] == carry && found < 0)
            found = i;
        else if (!is_alone(s, n->arg[i]))
            return -1;
    return found;
}

static bool is_join(OpId op)
{
    for (int i = 0; i < NOPS; i++)
        if (op_table[i]->join && op_table[i]->join() == op)
            return true;
    return false;
}

/* Is a carry's next value joined to it, as reductions do, or chosen, and not
 * computed from it. */
static bool joins_carry(const Steps *s, const Node *next, const Node *carry)
{
    int at = carried_arg(s, next, carry);
    return at >= 0 && (is_join(next->op) ||
                       (at > 0 && op_table[next->op]->flags & OP_MASKS));
}

static bool is_simple(const LoopKernel *l)
{
    for (int i = 0; i < l->body->kernel.n; i++)
        if (l->body->kernel.at[i]->kind != KERNEL_map)
            return false;
    return !l->check && is_long(l->trips);
}

static Loop find_loop(Slow *w, const Kernel *k)
{
    const LoopKernel *l = k->loop;
    const Function *f = l->body->function;
    Arena *scratch = arena_new();
    Node **carry = NEWN(scratch, Node *, l->ncarry + 1);
    Steps s = {w, scratch, carry, l->ncarry};
    Loop r = {k->span, is_simple(l)};

    for (int i = 0; i < l->ncarry; i++)
        carry[i] = f->param[1 + i].leaf[0];
    for (int i = 0; r.apart && i < l->ncarry; i++)
        r.apart = joins_carry(&s, f->result[i].leaf[0], carry[i]);
    for (int i = 0; r.apart && i < l->noutput; i++)
        r.apart = is_alone(&s, f->result[l->ncarry + i].leaf[0]);
    arena_free(scratch);
    return r;
}

static void note_loop(Slow *w, const Kernel *k)
{
    Loop found = find_loop(w, k);
    for (int i = 0; i < w->loop.n; i++) {
        Loop *l = &w->loop.at[i];
        if (l->span.beg == found.span.beg && l->span.end == found.span.end) {
            l->apart = l->apart && found.apart;
            return;
        }
    }
    list_push(w->arena, &w->loop, found);
}

static void tell_loops(const Slow *w)
{
    for (int i = 0; i < w->loop.n; i++) {
        const Loop *l = &w->loop.at[i];
        if (l->apart)
            w->each(w->u, l->span,
                    "no step needs the one before it: a comprehension, or a "
                    "reduction of one, takes them side by side");
    }
}

static void tell(Slow *w, const Schedule *s);

static void tell_loop(Slow *w, const Kernel *k)
{
    note_loop(w, k);
    tell(w, k->loop->body);
}

static void tell_kernel(Slow *w, const Kernel *k)
{
    if (k->kind == KERNEL_loop)
        tell_loop(w, k);
    const Kernel *map = k->kind == KERNEL_map ? k : k->epilogue;
    if (!map)
        return;
    const bool *known = find_known(w->arena, map);
    tell_across(w, map);
    for (int i = 0; i < map->nstage; i++) {
        tell_gathered(w, map, &map->stage[i], known);
        tell_work(w, map, &map->stage[i]);
    }
}

static void tell(Slow *w, const Schedule *s)
{
    for (int i = 0; i < s->kernel.n; i++)
        tell_kernel(w, s->kernel.at[i]);
}

void schedule_slow(Arena *a, Graph *g, const Schedule *s, EachSlow *f, void *u)
{
    Slow w = {.g = g, .arena = a, .each = f, .u = u};
    tell(&w, s);
    tell_loops(&w);
}
