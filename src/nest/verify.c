/* verify.c: is a schedule what nest.h promises. */
#include "nest/nest.h"

typedef struct Verify {
    const Schedule *s;
    int nparam;    /* leaves */
    bool *written; /* by buffer: by a kernel so far */
} Verify;

static void check_buffer(const Verify *v, const Buffer *b)
{
    if (!b || b->id < 0 || b->id >= v->s->buffer.n ||
        v->s->buffer.at[b->id] != b)
        die("a buffer is not of this schedule");
    if (b->kind == BUF_WORK && !b->offset)
        die("buffer %d has no place", b->id);
}

static void check_read(const Verify *v, const Buffer *b)
{
    check_buffer(v, b);
    bool given =
        b->kind == BUF_DATA || (b->kind == BUF_LEAF && b->leaf < v->nparam);
    if (!given && !v->written[b->id])
        die("buffer %d is read before it is written", b->id);
}

static void check_write(const Verify *v, const Buffer *b)
{
    check_buffer(v, b);
    if (b->kind == BUF_DATA || !b->written)
        die("buffer %d is not to be written", b->id);
    v->written[b->id] = true;
}

/* Variables below `depth`, values below instruction `count`. Gives the level.
 */
static int check_index(const Kernel *k, const Index *x, int depth, int count)
{
    int level = 0;
    for (int i = 0; i < x->n; i++) {
        const Atom *a = &x->atom[i];
        int l = 0;
        if (a->kind == IX_var) {
            l = a->var + 1;
            if (a->var < 0 || l > depth)
                die("an index uses loop %d of %d", a->var, depth);
        } else if (a->kind == IX_value) {
            if (a->value < 0 || a->value >= count)
                die("an index uses instruction %d of %d", a->value, count);
            l = k->instr[a->value].level;
        } else
            l = check_index(k, a->of, depth, count);
        level = l > level ? l : level;
    }
    return level;
}

/* Stage of instruction i. */
static int stage_of(const Kernel *k, int i)
{
    int t = 0;
    while (t < k->nstage && i >= k->stage[t].first + k->stage[t].ninstr)
        t++;
    return t;
}

static int check_arg(const Kernel *k, int stage, int i, int arg)
{
    if (arg < 0 || arg >= i)
        die("instruction %d uses %d", i, arg);
    int from = arg >= k->stage[stage].first ? stage : stage_of(k, arg);
    if (from != stage && k->stage[from].rank > 0)
        die("instruction %d uses %d of another loop", i, arg);
    return k->instr[arg].level;
}

static void check_instr(const Verify *v, const Kernel *k, int stage, int i)
{
    const Instr *x = &k->instr[i];
    int depth = k->rank + k->stage[stage].rank, level = 0, l;
    for (int j = 0; j < x->narg; j++) {
        l = check_arg(k, stage, i, x->arg[j]);
        level = l > level ? l : level;
    }
    if (x->pred >= 0) {
        l = check_arg(k, stage, i, x->pred);
        level = l > level ? l : level;
    }
    if (x->at) {
        l = check_index(k, x->at, depth, i);
        level = l > level ? l : level;
    }
    if (x->kind == I_result) {
        level = k->rank;
        if (x->value < 0 || x->value >= k->stage[stage].reduction)
            die("instruction %d uses reduction %d", i, x->value);
    }
    if (x->kind == I_load)
        check_read(v, x->buffer);
    if (x->kind == I_op && !op_has_lower(op_table[x->op]) &&
        x->op != OP_const && x->op != OP_dim)
        die("%s is no instruction", op_table[x->op]->name);
    if (x->level != level)
        die("instruction %d is at level %d, not %d", i, x->level, level);
}

static void check_output(const Verify *v, const Kernel *k, int stage,
                         const Output *o)
{
    const Stage *st = &k->stage[stage];
    int count = st->first + st->ninstr;
    check_arg(k, stage, count, o->value);
    if (o->pred >= 0)
        check_arg(k, stage, count, o->pred);
    if (o->kind == OUT_reduce) {
        if (!op_table[o->op]->join)
            die("%s is no reduction", op_table[o->op]->name);
        return;
    }
    check_index(k, o->at, k->rank + st->rank, count);
    if (o->kind == OUT_store && o->pred >= 0)
        die("a store has a condition");
    if (o->kind == OUT_add && k->rank)
        die("a sum is kept over outer loops");
    check_write(v, o->buffer);
    if (o->low)
        check_write(v, o->low);
}

static void check_map(const Verify *v, const Kernel *k)
{
    int instr = 0, reduction = 0;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        if (st->first != instr || st->reduction != reduction)
            die("stage %d begins at the wrong instruction", t);
        if (st->lanes && (k->lanes || st->rank == 0))
            die("stage %d has no loop for its lanes", t);
        for (int i = instr; i < instr + st->ninstr; i++)
            check_instr(v, k, t, i);
        int kept = 0;
        for (int i = 0; i < st->noutput; i++) {
            check_output(v, k, t, &st->output[i]);
            kept += st->output[i].low != NULL;
            reduction += st->output[i].kind == OUT_reduce;
        }
        if (kept > 1)
            die("stage %d keeps the errors of %d sums", t, kept);
        instr += st->ninstr;
    }
    if (instr != k->ninstr || (k->lanes && k->rank == 0))
        die("a kernel's stages do not fit it");
}

static void check_few(const Verify *v, const Kernel *k)
{
    if (k->few->few || k->few->nguard || k->rank == 0)
        die("a kernel for few iterations is none");
    check_map(v, k->few);
}

static void check_contract(const Verify *v, const Kernel *k)
{
    const Contract *c = k->contract;
    check_map(v, k);
    if (k->rank != loop_n(c) + 1 || k->stage[0].rank != c->ndepth)
        die("a product has other loops");
    if (index_reads(c->a->at) || index_reads(c->b->at) ||
        index_reads(c->out->at))
        die("data decide where a product is");
    if (c->out->buffer == c->a->buffer || c->out->buffer == c->b->buffer)
        die("a product overwrites its factor");
    if (c->pack_a)
        check_write(v, c->pack_a);
    if (c->pack)
        check_write(v, c->pack);
    if (c->totals)
        check_write(v, c->totals);
    if (!k->epilogue)
        return;
    if (k->epilogue->rank != c->nbatch + 1 ||
        (!c->flat && k->epilogue->extent[c->nbatch] != c->m))
        die("what follows a product has other rows");
    for (int i = 0; i < c->nbatch; i++)
        if (k->epilogue->extent[i] != k->extent[i])
            die("what follows a product has other batches");
    check_map(v, k->epilogue);
}

static void check_sort(const Verify *v, const Sort *x)
{
    check_read(v, x->in);
    if (x->out == x->in)
        die("a sort overwrites what it orders");
    if (x->work)
        check_write(v, x->work);
    check_write(v, x->out);
}

static void check_routine(const Verify *v, const RoutineCall *r)
{
    for (int i = 0; i < r->nin; i++) {
        check_read(v, r->in[i]);
        if (r->out == r->in[i])
            die("a routine overwrites what it reads");
    }
    if (r->work)
        check_write(v, r->work);
    check_write(v, r->out);
}

static void check_carry(const Verify *v, const LoopCarry *c)
{
    check_read(v, c->buffer);
    check_write(v, c->buffer);
    if (c->other)
        check_write(v, c->other);
}

static void check_step(const LoopKernel *l, const Schedule *s, int nresult)
{
    const Function *f = s->function;
    if (ports_leaves(f->param, f->nparam) !=
            1 + l->ncarry + l->ninput + l->ncapture ||
        ports_leaves(f->result, f->nresult) != nresult)
        die("a loop and its body do not fit");
}

static void check_loop(const Verify *v, const LoopKernel *l)
{
    const Buffer *const own[] = {l->steps, l->work, l->check_work};
    if (l->count)
        check_read(v, l->count);
    for (int i = 0; i < l->ninput; i++)
        check_read(v, l->input[i]);
    for (int i = 0; i < l->ncapture; i++)
        check_read(v, l->capture[i]);
    for (int i = 0; i < l->ncarry; i++)
        check_carry(v, &l->carry[i]);
    for (int i = 0; i < l->noutput; i++)
        check_write(v, l->output[i]);
    for (int i = 0; i < 3; i++)
        if (own[i])
            check_write(v, own[i]);
    check_step(l, l->body, l->ncarry + l->noutput);
    if (l->check)
        check_step(l, l->check, 1);
}

static void check_kernel(const Verify *v, const Kernel *k)
{
    for (int i = 0; i < k->nguard; i++)
        check_read(v, k->guard[i]);
    switch (k->kind) {
    case KERNEL_map:
        check_map(v, k);
        if (k->few)
            check_few(v, k);
        break;
    case KERNEL_contract:
        check_contract(v, k);
        break;
    case KERNEL_sort:
        check_sort(v, k->sort);
        break;
    case KERNEL_routine:
        check_routine(v, k->routine);
        break;
    case KERNEL_loop:
        check_loop(v, k->loop);
        break;
    }
}

void schedule_verify(const Schedule *s)
{
    Arena *scratch = arena_new();
    Verify v = {.s = s, .written = NEWN(scratch, bool, s->buffer.n + 1)};
    v.nparam = ports_leaves(s->function->param, s->function->nparam);
    for (int i = 0; i < s->buffer.n; i++)
        if (s->buffer.at[i]->id != i)
            die("buffer %d is numbered %d", i, s->buffer.at[i]->id);
    for (int i = 0; i < s->kernel.n; i++)
        check_kernel(&v, s->kernel.at[i]);
    arena_free(scratch);
}
