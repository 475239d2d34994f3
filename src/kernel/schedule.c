/* schedule.c: from a function's leaves to buffers and kernels, pass by pass. */
#include "kernel/sched.h"

#include <stdlib.h>

static void collect_leaves(Sched *s)
{
    const Function *f = s->f;
    s->nparam = ports_leaves(f->param, f->nparam);
    s->nresult = ports_leaves(f->result, f->nresult);
    s->param = NEWN(s->scratch, Node *, s->nparam + 1);
    s->result = NEWN(s->scratch, Node *, s->nresult + 1);
    s->result_buffer = NEWN(s->scratch, Buffer *, s->nresult + 1);
    for (int i = 0, k = 0; i < f->nparam; i++)
        for (int j = 0; j < f->param[i].nleaf; j++)
            s->param[k++] = f->param[i].leaf[j];
    for (int i = 0, k = 0; i < f->nresult; i++)
        for (int j = 0; j < f->result[i].nleaf; j++)
            s->result[k++] = f->result[i].leaf[j];
}

/* Nodes of this function. */

typedef struct Found {
    Node *node;
    int before; /* its number around this function */
    bool live;
} Found;

typedef LIST(Found) FoundList;

static void find_node(Sched *s, FoundList *all, Node *n, bool live)
{
    int *number = &s->number[n->id];
    if (*number < 0)
        return;
    Found f = {n, *number, live};
    if (all->n == all->cap) {
        Found *old = all->at;
        all->at = list_grow(s->scratch, old, &all->cap, sizeof *old);
        arena_drop(s->scratch, old);
    }
    all->at[all->n++] = f;
    *number = -1;
}

static int by_id(const void *a, const void *b)
{
    const Found *x = a, *y = b;
    return (x->node->id > y->node->id) - (x->node->id < y->node->id);
}

static FoundList find_nodes(Sched *s)
{
    FoundList all = {0};
    for (int i = 0; i < s->nresult; i++)
        find_node(s, &all, s->result[i], true);
    for (int i = 0; i < all.n; i++) {
        const Node *n = all.at[i].node;
        for (int k = 0; k < n->narg; k++)
            find_node(s, &all, n->arg[k], true);
    }
    for (int i = 0; i < s->nparam; i++)
        find_node(s, &all, s->param[i], false);
    if (all.n)
        qsort(all.at, (size_t)all.n, sizeof *all.at, by_id);
    return all;
}

static FoundList make_notes(Sched *s)
{
    FoundList all = find_nodes(s);
    s->nnote = all.n + 1;
    s->note = NEWN(s->scratch, Note, s->nnote);
    s->node = NEWN(s->scratch, Node *, s->nnote);
    for (int i = 1; i < s->nnote; i++) {
        const Found *f = &all.at[i - 1];
        s->number[f->node->id] = i;
        s->node[i] = f->node;
        s->note[i].live = f->live;
    }
    return all;
}

static void restore_numbers(Sched *s, const FoundList *all)
{
    for (int i = 0; i < all->n; i++)
        s->number[all->at[i].node->id] = all->at[i].before;
}

/* The first leaf of each parameter. */
static int first_leaf(const Function *f, int param)
{
    return ports_leaves(f->param, param);
}

static void leaf_buffers(Sched *s)
{
    for (int i = 0; i < s->nparam; i++) {
        Buffer *b = buffer_new(s, BUF_LEAF, s->param[i]);
        b->leaf = i;
        note_of(s, s->param[i])->buffer = b;
    }
    for (int i = 0, k = 0; i < s->f->nresult; i++) {
        const Port *r = &s->f->result[i];
        int over = r->in_place < 0 ? -1 : first_leaf(s->f, r->in_place);
        for (int j = 0; j < r->nleaf; j++, k++) {
            Buffer *b;
            if (over >= 0) {
                b = note_of(s, s->param[over + j])->buffer;
                b->inout = true;
            } else {
                b = buffer_new(s, BUF_LEAF, s->result[k]);
                b->leaf = s->nparam + k;
            }
            s->result_buffer[k] = b;
        }
    }
}

/* A result that a nest makes is made where the caller wants it. */
static void assign_results(Sched *s)
{
    for (int i = 0; i < s->nresult; i++) {
        Node *n = buffered(s, s->result[i]);
        Note *note = note_of(s, n);
        if (is_leaf_buffer(n) || !note->mat ||
            (n->op == OP_part && s->result_buffer[i]->inout))
            continue;
        note->needed = true;
        if (!note->buffer)
            note->buffer = s->result_buffer[i];
    }
}

static void stages(Sched *s)
{
    for (int i = 0; i < s->nest.n; i++)
        nest_stages(s, s->nest.at[i]);
}

static Schedule *make(Sched *s)
{
    s->out = NEW(s->arena, Schedule);
    s->out->function = s->f;
    s->table = index_table(s->arena, s->g);
    collect_leaves(s);
    FoundList all = make_notes(s);
    leaf_buffers(s);
    prepare(s);
    cases(s);
    materialise(s);
    guards(s);
    assign_results(s);
    pieces(s);
    fuse(s);
    stages(s);
    fuse_after(s);
    order(s);
    build(s);
    coalesce(s);
    in_place(s);
    find_parallel(s);
    plan(s);
    restore_numbers(s, &all);
    arena_free(s->scratch);
    schedule_verify(s->out);
    return s->out;
}

Schedule *schedule(Arena *a, Graph *g, const Function *f)
{
    return schedule_formed(a, g, f, NULL, 0);
}

Schedule *schedule_formed(Arena *a, Graph *g, const Function *f,
                          const NestForm *form, int n)
{
    Sched s = {.arena = a, .scratch = arena_new(), .g = g, .f = f};
    s.lasting = a;
    s.form = form;
    s.nform = n;
    s.path = f->name;
    s.nnumber = graph_count(g);
    s.number = NEWN(s.scratch, int, s.nnumber + 1);
    return make(&s);
}

Schedule *schedule_step(Sched *around, const Function *f, int nvarying,
                        const char *what, bool double_buffer)
{
    Sched s = {.arena = around->arena, .scratch = arena_new(), .g = around->g};
    s.f = f;
    s.lasting = around->lasting;
    s.number = around->number;
    s.nnumber = around->nnumber;
    s.nvarying = nvarying;
    s.form = around->form;
    s.nform = around->nform;
    s.path = arena_printf(around->arena, "%s %s", around->here, what);
    s.double_buffer = double_buffer;
    return make(&s);
}

/* Room for what is packed, or for the rounding errors of long sums? */
static bool is_room(const Schedule *s, const Buffer *b)
{
    bool is = false;
    for (int i = 0; i < s->kernel.n && !is; i++) {
        const Contract *c = s->kernel.at[i]->contract;
        is = c && (c->totals == b || c->pack_a == b || c->pack == b);
    }
    return is;
}

const Dim *schedule_bytes(Graph *g, const Schedule *s)
{
    const Dim *all = dim_const(g, 0);

    for (int i = 0; i < s->buffer.n; i++) {
        const Buffer *b = s->buffer.at[i];
        int64_t each = dtype_size(b->dtype) * (b->kind == BUF_WORK ? 2 : 1);
        if (b->kind != BUF_WORK || (b->written && !is_room(s, b)))
            all = dim_add(g, all, dim_mul(g, dim_const(g, each), b->elements));
    }
    for (int i = 0; i < s->kernel.n; i++) {
        const LoopKernel *l = s->kernel.at[i]->loop;
        if (l)
            all = dim_add(g, all,
                          dim_mul(g, l->trips, schedule_bytes(g, l->body)));
    }
    return all;
}
