/* region.c: loops: what is there before one, and the kernel that runs it.
 *
 * A loop is a piece that waits for copies of its initial values; the parts
 * that others read are pieces without code that wait for the loop. Its body is
 * scheduled as a function of one step. */
#include "graph/region.h"
#include "kernel/sched.h"

static void note_part(Sched *s, Node *n)
{
    Note *loop = note_of(s, n->arg[0]);
    if (!loop->part)
        loop->part =
            NEWN(s->scratch, Node *, region_nparts(node_region(n->arg[0])));
    loop->part[n->attr.integer] = n;
    note_of(s, n)->mat = true;
}

void region_needs(Sched *s, Node *n, void (*mark)(Sched *s, Node *n))
{
    if (n->op == OP_part) {
        note_part(s, n);
        return;
    }
    if (n->op != OP_loop)
        die("%s is to be expanded before scheduling", op_table[n->op]->name);
    note_of(s, n)->mat = true;
    for (int i = node_region(n)->ncarry; i < n->narg; i++)
        if (!is_code(n->arg[i]))
            mark(s, n->arg[i]);
}

/* Before. */

/* Or NULL. Some part of a loop is live, or it were not. */
static Node *part_of(const Sched *s, const Node *n, int part)
{
    return note_of(s, n)->part[part];
}

/* A copy of value that the loop waits for. */
static void copy_before(Sched *s, Piece *loop, Node *value, Buffer *to)
{
    Piece *p = copy_piece(s, value, to, loop->guard);
    p->also = loop->before[0];
    loop->before[0] = p;
}

static void carries_before(Sched *s, Piece *p, const Region *r)
{
    LoopKernel *l = p->loop;
    l->ncarry = r->ncarry;
    l->carry = NEWN(s->arena, LoopCarry, r->ncarry + 1);
    for (int i = 0; i < r->ncarry; i++) {
        Node *part = part_of(s, p->root, i);
        Buffer *b =
            part ? buffer_of(s, part) : buffer_new(s, BUF_WORK, r->carry[i]);
        l->carry[i].buffer = b;
        copy_before(s, p, p->root->arg[i], b);
    }
}

/* Arguments from `first` on: what is computed in place of use gets a buffer. */
static const Buffer **arguments_before(Sched *s, Piece *p, int first, int n)
{
    const Buffer **to = NEWN(s->arena, const Buffer *, n + 1);
    for (int i = 0; i < n; i++) {
        Node *a = buffered(s, p->root->arg[first + i]);
        if (!is_code(a))
            continue;
        Buffer *b = buffer_new(s, BUF_WORK, a);
        copy_before(s, p, a, b);
        to[i] = b;
    }
    return to;
}

/* The others are in the buffers they have: which, is settled by the order of
 * all that overwrites one. */
static void find_arguments(Sched *s, const Piece *p, int first, int n,
                           const Buffer **to)
{
    for (int i = 0; i < n; i++)
        if (!to[i])
            to[i] = buffer_of(s, buffered(s, p->root->arg[first + i]));
}

static const Dim **rows(Sched *s, Node *const *node, int n)
{
    const Dim **to = NEWN(s->arena, const Dim *, n + 1);
    for (int i = 0; i < n; i++)
        to[i] = dim_product(s->g, node[i]->rank, node[i]->dim);
    return to;
}

/* Outputs that someone reads. */
static void find_outputs(Sched *s, LoopKernel *l, const Node *n,
                         const Region *r)
{
    l->output = NEWN(s->arena, const Buffer *, r->noutput + 1);
    l->output_row = NEWN(s->arena, const Dim *, r->noutput + 1);
    for (int i = 0; i < r->noutput; i++) {
        Node *part = part_of(s, n, r->ncarry + i);
        if (!part)
            continue;
        l->output_row[l->noutput] =
            dim_product(s->g, r->output[i]->rank, r->output[i]->dim);
        l->output[l->noutput++] = buffer_of(s, part);
    }
}

static void loop_piece(Sched *s, Node *n)
{
    const Region *r = node_region(n);
    Piece *p = piece_new(s, PIECE_loop, n, note_of(s, n)->guard);
    LoopKernel *l = p->loop = NEW(s->arena, LoopKernel);
    Node *steps = part_of(s, n, r->ncarry + r->noutput);
    int first = r->ncarry;
    l->trips = r->trips;
    l->reverse = r->reverse;
    l->ninput = r->ninput;
    l->ncapture = r->ncapture;
    l->input_row = rows(s, r->input, r->ninput);
    carries_before(s, p, r);
    l->input = arguments_before(s, p, first, r->ninput);
    l->capture = arguments_before(s, p, first + r->ninput, r->ncapture);
    if (r->counted)
        l->count = arguments_before(s, p, n->narg - 1, 1)[0];
    find_outputs(s, l, n, r);
    l->steps = steps ? buffer_of(s, steps) : NULL;
}

void region_pieces(Sched *s, Node *n)
{
    if (n->op == OP_loop) {
        loop_piece(s, n);
        return;
    }
    Piece *p = piece_new(s, PIECE_part, n, note_of(s, n)->guard);
    p->before[0] = note_of(s, n->arg[0])->piece;
}

void region_reads(Sched *s, Piece *p)
{
    const Region *r = node_region(p->root);
    for (int i = r->ncarry; i < p->root->narg; i++) {
        Node *a = buffered(s, p->root->arg[i]);
        if (!is_code(a))
            add_read(s, p, a, NULL);
    }
    p->weight = 1;
}

/* The body as a function. */

static Port *ports(Sched *s, int n)
{
    Port *p = NEWN(s->arena, Port, n + 1);
    for (int i = 0; i < n; i++)
        p[i] = (Port){.name = "step", .nleaf = 1, .in_place = -1};
    return p;
}

static void put(Sched *s, Port *p, Node *n)
{
    p->leaf = NEW(s->arena, Node *);
    p->leaf[0] = n;
    p->span = n->span;
}

static Function *step_function(Sched *s, const Node *n)
{
    const Region *r = node_region(n);
    Function *f = NEW(s->arena, Function);
    int k = 0;
    f->name = "step";
    f->span = n->span;
    f->var = s->f->var;
    f->nvar = s->f->nvar;
    f->var_max = s->f->var_max;
    f->nparam = 1 + r->ncarry + r->ninput + r->ncapture;
    f->param = ports(s, f->nparam);
    put(s, &f->param[k++], r->index);
    for (int i = 0; i < r->ncarry; i++)
        put(s, &f->param[k++], r->carry[i]);
    for (int i = 0; i < r->ninput; i++)
        put(s, &f->param[k++], r->input[i]);
    for (int i = 0; i < r->ncapture; i++)
        put(s, &f->param[k++], r->capture[i]);
    return f;
}

static Schedule *schedule_body(Sched *s, const Node *n)
{
    const Region *r = node_region(n);
    Function *f = step_function(s, n);
    f->result = ports(s, r->ncarry + r->noutput);
    for (int i = 0; i < r->ncarry; i++) {
        f->result[f->nresult].in_place = 1 + i;
        put(s, &f->result[f->nresult++], r->next[i]);
    }
    for (int i = 0; i < r->noutput; i++)
        if (part_of(s, n, r->ncarry + i))
            put(s, &f->result[f->nresult++], r->output[i]);
    return schedule_step(s, f, 1 + r->ncarry + r->ninput, "step", true);
}

static Schedule *schedule_check(Sched *s, const Node *n)
{
    const Region *r = node_region(n);
    if (!r->until)
        return NULL;
    Function *f = step_function(s, n);
    f->result = ports(s, 1);
    put(s, &f->result[f->nresult++], r->until);
    return schedule_step(s, f, 1 + r->ncarry + r->ninput, "until", false);
}

/* A result that is not in place is written to a leaf of its own. */
static void second_buffers(Sched *s, LoopKernel *l, const Region *r)
{
    for (int i = 0; i < l->body->buffer.n; i++) {
        const Buffer *b = l->body->buffer.at[i];
        int k = b->leaf - l->body->function->nparam;
        if (b->kind == BUF_LEAF && k >= 0 && k < l->ncarry)
            l->carry[k].other = buffer_new(s, BUF_WORK, r->carry[k]);
    }
}

static const Buffer *work_buffer(Sched *s, const Schedule *of)
{
    if (!of || dim_is(of->workspace, 0))
        return NULL;
    Buffer *b = buffer_new(s, BUF_WORK, NULL);
    b->dtype = DT_u8;
    b->elements = of->workspace;
    return b;
}

Kernel *loop_kernel(Sched *s, const Piece *p)
{
    LoopKernel *l = p->loop;
    const Region *r = node_region(p->root);
    Kernel *k = NEW(s->arena, Kernel);
    k->kind = KERNEL_loop;
    k->span = p->root->span;
    k->loop = l;
    find_arguments(s, p, r->ncarry, l->ninput, l->input);
    find_arguments(s, p, r->ncarry + l->ninput, l->ncapture, l->capture);
    if (r->counted)
        find_arguments(s, p, p->root->narg - 1, 1, &l->count);
    l->body = schedule_body(s, p->root);
    l->check = schedule_check(s, p->root);
    l->work = work_buffer(s, l->body);
    l->check_work = work_buffer(s, l->check);
    second_buffers(s, l, r);
    guard_of_kernel(s, p->guard, k);
    return k;
}
