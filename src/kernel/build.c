/* build.c: from nests to kernels: instructions and outputs, stage by stage. */
#include "kernel/sched.h"

#include <string.h>

typedef struct Build {
    Sched *s;
    Inline *in;
    Nest *nest;
    Kernel *k;
    int nreduction;
    bool unrolled;
    /* What the loops of the nest's pieces are, where some are unrolled: loops
     * of the kernel, whose extents these are, or numbers. */
    const Index *var[2 * MAX_RANK];
    const Dim *extent[2 * MAX_RANK];
    int nextent;
    LIST(int)
    term; /* of the stage's reductions, at each point of the loops
             that are unrolled */
} Build;

typedef LIST(Output) Outputs;

/* An element of a piece at the present point. */
static const Vec *here(Build *b, const Vec *v)
{
    const Index *at[2 * MAX_RANK];
    if (!b->unrolled)
        return v;
    for (int i = 0; i < v->n; i++)
        at[i] = index_rename(b->s->table, v->at[i], 2 * MAX_RANK, b->var);
    return vec_make(b->s->table, v->n, at);
}

static void set_extents(Build *b, const Piece *p)
{
    if (b->unrolled)
        index_extents(b->s->table, b->nextent, b->extent);
    else
        index_extents(b->s->table, p->rank, p->extent);
}

static bool is_stored(const Build *b, const Node *n)
{
    const Note *note = note_of(b->s, n);
    return note->needed || (b->unrolled ? note->missed : note->kept);
}

static int times_value(Build *b, const Piece *p, int value)
{
    int arg[2] = {value,
                  inline_value(b->in, p->times, here(b, p->times_at), -1)};
    return inline_op(b->in, OP_mul, p->root->dtype, 2, arg);
}

static const Index *from_index(Build *b, const Piece *p)
{
    if (!b->unrolled)
        return p->from_at;
    return index_rename(b->s->table, p->from_at, 2 * MAX_RANK, b->var);
}

static int piece_value(Build *b, const Piece *p)
{
    int value = -1;
    switch (p->kind) {
    case PIECE_move:
        value =
            inline_load(b->in, p->from, from_index(b, p), p->from->dtype, -1);
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
            value = inline_compute(b->in, p->value, here(b, p->value_at));
        else
            value = inline_value(b->in, p->value, here(b, p->value_at), -1);
        break;
    }
    if (p->times && !p->empty)
        value = times_value(b, p, value);
    if (p->whole && p->kind != PIECE_reduce)
        inline_know(b->in, p->root, here(b, p->at), value);
    return value;
}

static const Index *target_index(Build *b, const Piece *p)
{
    return vec_linear(b->s->table, here(b, p->at), p->dim);
}

static OpId joined_by(const Piece *p)
{
    return p->root->op == OP_contract ? OP_sum : p->root->op;
}

static Output reduce_output(Build *b, const Piece *p, int value)
{
    Output o = {.kind = OUT_reduce, .value = value, .pred = -1, .index = -1};
    o.op = joined_by(p);
    if (op_table[o.op]->flags & OP_PLACE)
        o.index =
            inline_index(b->in, p->root->dtype, here(b, p->index_at)->at[0]);
    inline_result(b->in, p->root, here(b, p->at), b->nreduction++);
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
    set_extents(b, p);
    if (p->empty && p->kind == PIECE_add)
        return;
    int value = piece_value(b, p);
    if (p->kind == PIECE_reduce && b->unrolled)
        list_push(b->s->scratch, &b->term, value);
    else if (p->kind == PIECE_reduce)
        list_push(a, out, reduce_output(b, p, value));
    else if (p->kind == PIECE_add)
        list_push(a, out, add_output(b, p, value));
    else if (!p->whole || is_stored(b, p->root))
        list_push(a, out, store_output(b, p, value));
}

/* What a reduction came to, where others read it from memory. */
static void emit_save(Build *b, Piece *p, Outputs *out)
{
    set_extents(b, p);
    int value = inline_value(b->in, p->root, here(b, p->at), -1);
    list_push(b->s->arena, out, store_output(b, p, value));
}

static void emit_pieces(Build *b, const NestStage *from, Outputs *out)
{
    for (int i = 0; i < from->piece.n; i++)
        emit_piece(b, from->piece.at[i], out);
    for (int i = 0; i < from->save.n; i++)
        emit_save(b, from->save.at[i], out);
}

/* Unrolled loops. */

bool is_unrolled(const Dim *extent, int64_t *n)
{
    return dim_const_value(extent, n) && *n <= UNROLLED_MOST;
}

/* Values of a piece's reduction: as those along lanes, in halves. */
typedef struct Terms {
    Build *b;
    const Piece *p;
    int *term;
} Terms;

static void join_two(void *u, int i, int with)
{
    const Terms *t = u;
    OpId join = op_table[joined_by(t->p)]->join();
    int pair[] = {t->term[i], t->term[with]};
    t->term[i] = inline_op(t->b->in, join, t->p->root->dtype, 2, pair);
}

/* What the stage's reductions come to at a point of the outer loops, or in one
 * iteration of the loops that stay. */
static void join_points(Build *b, const NestStage *from, const Stage *to,
                        Outputs *out)
{
    int nreduce = 0, k = 0;
    for (int i = 0; i < from->piece.n; i++)
        nreduce += from->piece.at[i]->kind == PIECE_reduce;
    int n = nreduce ? b->term.n / nreduce : 0;
    int *term = NEWN(b->s->scratch, int, n + 1);
    for (int i = 0; i < from->piece.n; i++) {
        const Piece *p = from->piece.at[i];
        if (p->kind != PIECE_reduce)
            continue;
        for (int j = 0; j < n; j++)
            term[j] = b->term.at[j * nreduce + k];
        k++;
        join_in_halves(n, join_two, &(Terms){b, p, term});
        if (to->rank)
            list_push(b->s->arena, out, reduce_output(b, p, term[0]));
        else
            inline_know(b->in, p->root, here(b, p->at), term[0]);
    }
    b->term.n = 0;
}

static void end_point(Build *b, const NestStage *from, const Stage *to,
                      Outputs *out)
{
    join_points(b, from, to, out);
    for (int i = 0; i < from->save.n; i++)
        emit_save(b, from->save.at[i], out);
}

/* The loops of the nest from `loop` on, behind those of the kernel. */
static void emit_points(Build *b, const NestStage *from, const Stage *to,
                        int loop, Outputs *out)
{
    int inner = loop - b->nest->hi;
    int64_t n;
    if (inner == from->rank) {
        for (int i = 0; i < from->piece.n; i++)
            emit_piece(b, from->piece.at[i], out);
        return;
    }
    const Dim *extent =
        inner < 0 ? b->nest->piece.at[0]->extent[loop] : from->extent[inner];
    if (!is_unrolled(extent, &n)) {
        emit_points(b, from, to, loop + 1, out);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        b->var[loop] = index_int(b->s->table, i);
        emit_points(b, from, to, loop + 1, out);
        if (inner == -1)
            end_point(b, from, to, out);
    }
}

static void emit_unrolled(Build *b, const NestStage *from, Stage *to,
                          Outputs *out)
{
    int64_t n;
    to->rank = 0;
    b->nextent = b->k->rank;
    for (int i = 0; i < from->rank; i++) {
        if (is_unrolled(from->extent[i], &n))
            continue;
        b->var[b->nest->hi + i] = index_var(b->s->table, b->nextent);
        b->extent[b->nextent++] = from->extent[i];
        to->extent[to->rank++] = from->extent[i];
    }
    inline_stage(b->in, (int)(to - b->k->stage), to->rank);
    emit_points(b, from, to, b->k->rank, out);
    if (b->k->rank == b->nest->hi)
        end_point(b, from, to, out);
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
    if (b->unrolled)
        emit_unrolled(b, from, to, &out);
    else
        emit_pieces(b, from, &out);
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

static void add_saves(const Build *b, Nest *n)
{
    Sched *s = b->s;
    for (int i = 0; i < n->stage.n; i++)
        n->stage.at[i].save.n = 0;
    for (int i = 0; i < n->piece.n; i++) {
        Piece *p = n->piece.at[i];
        if (p->kind != PIECE_reduce || !is_stored(b, p->root))
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

/* A kernel of the nest's first `rank` loops; the others of them are unrolled.
 */
static Kernel *build_kernel(Build *b, int rank)
{
    Sched *s = b->s;
    Nest *nest = b->nest;
    Kernel *k = b->k = NEW(s->arena, Kernel);
    add_saves(b, nest);
    k->kind = KERNEL_map;
    k->span = span_of(nest->piece.at[nest->piece.n - 1]);
    k->rank = rank;
    k->extent = NEWN(s->arena, const Dim *, k->rank + 1);
    if (k->rank)
        memcpy(k->extent, nest->piece.at[0]->extent,
               sizeof *k->extent * (size_t)k->rank);
    k->nstage = nest->stage.n;
    k->stage = NEWN(s->arena, Stage, k->nstage);
    inline_begin(b->in, nest, rank);
    if (b->unrolled)
        inline_unroll(b->in);
    for (int i = 0; i < k->nstage; i++)
        emit_stage(b, i);
    k->ninstr = inline_count(b->in);
    k->instr = arena_copy(s->arena, inline_instr(b->in),
                          sizeof *k->instr * (size_t)k->ninstr);
    arrange(s, k);
    guard_of_kernel(s, nest->guard, k);
    return k;
}

Kernel *build_map(Sched *s, Inline *in, Nest *nest)
{
    Build b = {.s = s, .in = in, .nest = nest};
    return build_kernel(&b, nest->hi);
}

static bool set_missed(const Build *b, bool missed)
{
    bool any = false;
    for (int i = 0; i < b->nest->piece.n; i++) {
        const Piece *p = b->nest->piece.at[i];
        if (!p->whole)
            continue;
        any = any || note_of(b->s, p->root)->missed;
        note_of(b->s, p->root)->missed =
            missed && note_of(b->s, p->root)->missed;
    }
    return any;
}

Kernel *build_unrolled(Sched *s, Inline *in, Nest *nest, int rank)
{
    Build b = {.s = s, .in = in, .nest = nest, .unrolled = true};
    for (int i = 0; i < 2 * MAX_RANK; i++)
        b.var[i] = index_var(s->table, i);
    for (int i = 0; i < rank; i++)
        b.extent[i] = nest->piece.at[0]->extent[i];
    set_missed(&b, false);
    Kernel *k = build_kernel(&b, rank);
    if (!set_missed(&b, true))
        return k;
    Build again = b;
    again.nreduction = 0;
    return build_kernel(&again, rank);
}

/* Does it only store what it loads where it loads it: of a buffer that it does
 * both with, the same element (see epilogue.c). What is computed has none. */
static bool is_idle(const Kernel *k)
{
    for (int t = 0; t < k->nstage; t++)
        for (int i = 0; i < k->stage[t].noutput; i++) {
            const Output *o = &k->stage[t].output[i];
            if (k->instr[o->value].buffer != o->buffer)
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
        Kernel *k = build_map(s, in, n), *rows = ragged_rows(s, k);
        if (rows)
            k = rows;
        else
            shape_loops(s, k, 0, 0);
        return unroll(s, in, n, k);
    }
    Piece *p = n->piece.at[0];
    Kernel *k = product_kernel(s, p);
    if (n->epilogue) {
        int rows = n->epilogue->hi;
        Product q = product_of(s, p->root);
        k->epilogue = build_map(s, in, n->epilogue);
        k->epilogue->nguard = 0;
        int inner = k->epilogue->stage[0].rank, fixed = rows - q.join;
        k->contract->flat = join_stage(s, k->epilogue, fixed, q.join, q.c.n);
        shape_loops(s, k->epilogue, fixed,
                    q.join + (k->contract->flat ? inner : 0));
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

/* Names the nest, and finds what form is asked for. */
static void begin_nest(Sched *s, int number)
{
    s->here = arena_printf(s->arena, "%s %d", s->path, number);
    s->asked = (NestForm){.nest = s->here};
    for (int i = 0; i < s->nform; i++)
        if (strcmp(s->form[i].nest, s->here) == 0)
            s->asked = s->form[i];
}

void build(Sched *s)
{
    Inline *in = inline_new(s);
    for (int i = 0; i < s->nest.n; i++) {
        Nest *n = s->nest.at[i];
        if (n->piece.at[0]->kind == PIECE_part)
            continue;
        begin_nest(s, i);
        Kernel *k = build_nest(s, in, n);
        if (!writes(k))
            continue;
        k->form.nest = s->here;
        list_push(s->arena, &s->out->kernel, k);
        s->out->ninvariant += n->invariant;
    }
}
