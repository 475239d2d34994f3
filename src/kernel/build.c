/* build.c: from nests to kernels: instructions and outputs, stage by stage. */
#include "kernel/sched.h"

#include <string.h>

typedef struct Build {
    Sched *s;
    Inline *in;
    Nest *nest;
    Kernel *k;
    int nreduction;
} Build;

typedef LIST(Output) Outputs;

static int times_value(Build *b, const Piece *p, int value)
{
    int arg[2] = {value, inline_value(b->in, p->times, p->times_at, -1)};
    return inline_op(b->in, OP_mul, p->root->dtype, 2, arg);
}

static int piece_value(Build *b, const Piece *p)
{
    int value = -1;
    switch (p->kind) {
    case PIECE_move:
        value = inline_load(b->in, p->from, p->from_at, p->from->dtype, -1);
        break;
    case PIECE_flag:
        return flag_value(b->s, b->in, p);
    case PIECE_store:
    case PIECE_add:
    case PIECE_reduce:
    case PIECE_contract:
    case PIECE_loop:
    case PIECE_sort:
    case PIECE_routine:
    case PIECE_part:
        if (p->empty || !p->value)
            value = inline_zero(b->in, (p->value ? p->value : p->root)->dtype);
        else if (p->value == p->root)
            value = inline_compute(b->in, p->value, p->value_at);
        else
            value = inline_value(b->in, p->value, p->value_at, -1);
        break;
    }
    if (p->times && !p->empty)
        value = times_value(b, p, value);
    if (p->whole && p->kind != PIECE_reduce)
        inline_know(b->in, p->root, p->at, value);
    return value;
}

static const Index *target_index(Build *b, const Piece *p)
{
    return vec_linear(b->s->table, p->at, p->dim);
}

static Output reduce_output(Build *b, Piece *p, int value)
{
    Output o = {.kind = OUT_reduce, .value = value, .pred = -1, .index = -1};
    o.op = p->root->op == OP_contract ? OP_sum : p->root->op;
    if (op_table[o.op]->flags & OP_PLACE)
        o.index = inline_index(b->in, p->root->dtype, p->index_at->at[0]);
    p->reduction = b->nreduction++;
    return o;
}

/* See kernel.h. */
static const Buffer *low_buffer(Build *b, const Piece *p)
{
    const Dim *values = dim_product(b->s->g, p->rank, p->extent);
    int64_t most, targets = 1;
    const Buffer *to = buffer_of(b->s, p->root);
    if (!dtype_is_real(p->root->dtype))
        return NULL;
    if (!dim_const_value(to->elements, &targets) || targets < 1)
        targets = 1;
    if (function_bound(b->s->f, values, &most) && most / FEW_ADDS <= targets)
        return NULL;
    return buffer_new(b->s, BUF_WORK, p->root);
}

/* to[…, index, …] += value */
static Output add_output(Build *b, const Piece *p, int value)
{
    IndexTable *t = b->s->table;
    const Index *at[MAX_RANK];
    int i = inline_value(b->in, p->index, p->index_at, -1), k = 0;
    const Index *x = index_value(t, i);
    for (int j = 0; j < p->axis; j++)
        at[k++] = p->value_at->at[j];
    at[k++] = x;
    for (int j = p->axis + p->index->rank; j < p->value->rank; j++)
        at[k++] = p->value_at->at[j];
    Output o = {.kind = OUT_add, .value = value, .index = -1};
    o.buffer = buffer_of(b->s, p->root);
    o.low = low_buffer(b, p);
    o.at = vec_linear(t, vec_make(t, k, at), p->dim);
    o.pred = inline_in_range(b->in, x, p->root->dim[p->axis], -1);
    return o;
}

static Output store_output(Build *b, const Piece *p, int value)
{
    Output o = {.kind = OUT_store, .value = value, .pred = -1, .index = -1};
    o.buffer = p->to ? p->to : buffer_of(b->s, p->root);
    o.at = target_index(b, p);
    return o;
}

static void emit_piece(Build *b, Piece *p, Outputs *out)
{
    Arena *a = b->s->arena;
    index_extents(b->s->table, p->rank, p->extent);
    if (p->empty && p->kind == PIECE_add)
        return;
    int value = piece_value(b, p);
    if (p->kind == PIECE_reduce)
        list_push(a, out, reduce_output(b, p, value));
    else if (p->kind == PIECE_add)
        list_push(a, out, add_output(b, p, value));
    else if (!p->whole || note_of(b->s, p->root)->needed)
        list_push(a, out, store_output(b, p, value));
}

/* What a reduction came to, where others read it from memory. */
static void emit_save(Build *b, Piece *p, Outputs *out)
{
    index_extents(b->s->table, p->rank, p->extent);
    int value = inline_value(b->in, p->root, p->at, -1);
    list_push(b->s->arena, out, store_output(b, p, value));
}

static void emit_stage(Build *b, int number)
{
    NestStage *from = &b->nest->stage.at[number];
    Stage *to = &b->k->stage[number];
    Outputs out = {0};
    inline_stage(b->in, number, from->rank);
    to->rank = from->rank;
    to->extent = arena_copy(b->s->arena, from->extent,
                            sizeof *from->extent * (size_t)(from->rank + 1));
    to->first = inline_count(b->in);
    to->reduction = b->nreduction;
    for (int i = 0; i < from->piece.n; i++)
        emit_piece(b, from->piece.at[i], &out);
    for (int i = 0; i < from->save.n; i++)
        emit_save(b, from->save.at[i], &out);
    to->ninstr = inline_count(b->in) - to->first;
    to->output = out.at;
    to->noutput = out.n;
}

static int save_stage(Sched *s, Nest *n, int after)
{
    for (int i = after + 1; i < n->stage.n; i++)
        if (n->stage.at[i].rank == 0)
            return i;
    NestStage st = {.rank = 0};
    st.extent = NEWN(s->scratch, const Dim *, 1);
    list_push(s->scratch, &n->stage, st);
    return n->stage.n - 1;
}

static void add_saves(Sched *s, Nest *n)
{
    for (int i = 0; i < n->stage.n; i++)
        n->stage.at[i].save.n = 0;
    for (int i = 0; i < n->piece.n; i++) {
        Piece *p = n->piece.at[i];
        if (p->kind != PIECE_reduce || !note_of(s, p->root)->needed)
            continue;
        int st = save_stage(s, n, p->stage);
        list_push(s->scratch, &n->stage.at[st].save, p);
    }
}

static Span span_of(const Piece *p)
{
    const Node *n = p->root ? p->root : p->value;
    return n ? n->span : (Span){0};
}

Kernel *build_map(Sched *s, Inline *in, Nest *nest)
{
    Build b = {.s = s, .in = in, .nest = nest};
    Kernel *k = b.k = NEW(s->arena, Kernel);
    add_saves(s, nest);
    k->kind = KERNEL_map;
    k->span = span_of(nest->piece.at[nest->piece.n - 1]);
    k->rank = nest->hi;
    k->extent = NEWN(s->arena, const Dim *, k->rank + 1);
    if (k->rank)
        memcpy(k->extent, nest->piece.at[0]->extent,
               sizeof *k->extent * (size_t)k->rank);
    k->nstage = nest->stage.n;
    k->stage = NEWN(s->arena, Stage, k->nstage);
    inline_begin(in, nest, nest->hi);
    for (int i = 0; i < k->nstage; i++)
        emit_stage(&b, i);
    k->ninstr = inline_count(in);
    k->instr = arena_copy(s->arena, inline_instr(in),
                          sizeof *k->instr * (size_t)k->ninstr);
    arrange(s, k);
    guard_of_kernel(s, nest->guard, k);
    return k;
}

/* Does it only store what it loads where it loads it. What is joined, or
 * computed, has no buffer. */
static bool is_idle(const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            const Output *o = &k->stage[t].output[i];
            const Instr *x = &k->instr[o->value];
            if (!o->buffer || x->buffer != o->buffer || x->at != o->at ||
                x->pred >= 0)
                return false;
        }
    return true;
}

static Kernel *build_nest(Sched *s, Inline *in, Nest *n)
{
    if (n->piece.at[0]->kind == PIECE_sort)
        return sort_kernel(s, n->piece.at[0]);
    if (n->piece.at[0]->kind == PIECE_routine)
        return routine_kernel(s, n->piece.at[0]);
    if (n->alone)
        return loop_kernel(s, n->piece.at[0]);
    if (!n->contract) {
        Kernel *k = build_map(s, in, n);
        shape_loops(s, k, 0, 0);
        return k;
    }
    Piece *p = n->piece.at[0];
    Kernel *k = product_kernel(s, p);
    if (n->epilogue) {
        int rows = n->epilogue->hi;
        Product q = product_of(s, p->root);
        k->epilogue = build_map(s, in, n->epilogue);
        k->epilogue->nguard = 0;
        shape_loops(s, k->epilogue, rows - q.join, q.join);
        if (is_idle(k->epilogue))
            k->epilogue = NULL;
    }
    return k;
}

/* Nothing is written where some loop never runs. */
static bool writes(const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++)
            if (k->stage[t].output[i].kind != OUT_reduce)
                return true;
    return k->kind != KERNEL_map;
}

void build(Sched *s)
{
    Inline *in = inline_new(s);
    for (int i = 0; i < s->nest.n; i++) {
        Nest *n = s->nest.at[i];
        if (n->piece.at[0]->kind == PIECE_part)
            continue;
        Kernel *k = build_nest(s, in, n);
        if (!writes(k))
            continue;
        list_push(s->arena, &s->out->kernel, k);
        s->out->ninvariant += n->invariant;
    }
}
