/* schedule.c: from a function's leaves to buffers and kernels, pass by pass. */
#include "kernel/sched.h"

static int count_leaves(const Port *port, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += port[i].nleaf;
    return count;
}

static void collect_leaves(Sched *s)
{
    const Function *f = s->f;
    s->nparam = count_leaves(f->param, f->nparam);
    s->nresult = count_leaves(f->result, f->nresult);
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

static void make_notes(Sched *s)
{
    s->nnote = graph_count(s->g);
    s->note = NEWN(s->scratch, Note, s->nnote + 1);
    bool *live = graph_reach(s->g, s->scratch, s->nresult, s->result);
    for (int i = 0; i < s->nnote; i++)
        s->note[i].live = live[i];
}

/* The first leaf of each parameter. */
static int first_leaf(const Function *f, int param)
{
    return count_leaves(f->param, param);
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
        if (is_leaf_buffer(n) || !note->mat)
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

Schedule *schedule(Arena *a, Graph *g, const Function *f)
{
    Sched s = {.arena = a, .scratch = arena_new(), .g = g, .f = f};
    s.out = NEW(a, Schedule);
    s.out->function = f;
    s.table = index_table(a, g);
    collect_leaves(&s);
    make_notes(&s);
    leaf_buffers(&s);
    prepare(&s);
    guards(&s);
    materialise(&s);
    assign_results(&s);
    pieces(&s);
    fuse(&s);
    stages(&s);
    fuse_after(&s);
    order(&s);
    build(&s);
    plan(&s);
    arena_free(s.scratch);
    schedule_verify(s.out);
    return s.out;
}
