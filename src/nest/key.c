/* key.c: bytes that two kernels share if and only if their machine code may be
 * the same. Numbers are written so that none is the beginning of another, lists
 * with their lengths, so that different kernels give different bytes. */
#include "nest/nest.h"

#include <string.h>

typedef struct Writer {
    Arena *arena;
    Str to;
    LIST(const Buffer *) buffer;
    LIST(const Dim *) var;
    Map number;        /* of each buffer of the list */
    intptr_t nvisited; /* parts of the dimension being written */
} Writer;

static void put_char(Writer *w, char c) { str_add(&w->to, &c, 1); }

/* Seven bits a byte, the last byte less than 128. */
static void put_bits(Writer *w, uint64_t v)
{
    char bytes[10];
    size_t n = 0;
    for (; v >= 128; v >>= 7)
        bytes[n++] = (char)((v & 127) | 128);
    bytes[n++] = (char)v;
    str_add(&w->to, bytes, n);
}

static void put_int(Writer *w, int64_t v)
{
    put_bits(w, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

/* Dimensions: what they are made of, in the order of a visit; what comes of
 * each step is named by its number. */

static void *visited(Writer *w) { return (void *)++w->nvisited; }

static void *constant_key(void *u, int64_t v)
{
    Writer *w = u;
    put_char(w, 'c');
    put_int(w, v);
    return visited(w);
}

static void *variable_key(void *u, const Dim *var)
{
    Writer *w = u;
    int i = 0;
    while (i < w->var.n && w->var.at[i] != var)
        i++;
    if (i == w->var.n)
        list_push(w->arena, &w->var, var);
    put_char(w, 'd');
    put_int(w, i);
    return visited(w);
}

static void *binary_key(Writer *w, char op, void *a, void *b)
{
    put_char(w, op);
    put_int(w, (intptr_t)a);
    put_int(w, (intptr_t)b);
    return visited(w);
}

static void *add_key(void *u, void *a, void *b)
{
    return binary_key(u, '+', a, b);
}

static void *mul_key(void *u, void *a, void *b)
{
    return binary_key(u, '*', a, b);
}

static void *div_key(void *u, void *a, void *b)
{
    return binary_key(u, '/', a, b);
}

static void *positive_key(void *u, void *a)
{
    Writer *w = u;
    put_char(w, '>');
    put_int(w, (intptr_t)a);
    return visited(w);
}

static void put_dim(Writer *w, const Dim *d)
{
    const DimVisitor v = {w,       constant_key, variable_key, add_key,
                          mul_key, div_key,      positive_key};
    int64_t value;
    w->nvisited = 0;
    if (dim_const_value(d, &value))
        constant_key(w, value);
    else
        dim_visit(d, &v);
    put_char(w, '.');
}

/* Buffers. */

/* A new one with its dtype. */
static void put_buffer(Writer *w, const Buffer *b)
{
    int i = map_of_int(&w->number, b);
    put_int(w, i < 0 ? w->buffer.n : i);
    if (i >= 0)
        return;
    map_set_int(w->arena, &w->number, b, w->buffer.n);
    list_push(w->arena, &w->buffer, b);
    put_int(w, (int)b->dtype);
}

static void put_maybe(Writer *w, const Buffer *b)
{
    put_int(w, b != NULL);
    if (b)
        put_buffer(w, b);
}

static void put_index(Writer *w, const Index *x)
{
    put_dim(w, x->base);
    put_int(w, x->n);
    for (int i = 0; i < x->n; i++) {
        const Atom *a = &x->atom[i];
        put_dim(w, x->coef[i]);
        put_int(w, (int)a->kind);
        switch (a->kind) {
        case IX_var:
            put_int(w, a->var);
            break;
        case IX_value:
            put_int(w, a->value);
            break;
        case IX_div:
        case IX_mod:
            put_index(w, a->of);
            put_dim(w, a->by);
            break;
        }
    }
}

/* An access whose place the data decide is held to the buffer's size. */
static void put_access(Writer *w, const Buffer *b, const Index *at)
{
    put_buffer(w, b);
    put_index(w, at);
    if (index_reads(at))
        put_dim(w, b->elements);
}

static void put_attributes(Writer *w, const Node *n)
{
    uint64_t bits;
    memcpy(&bits, &n->attr.real, sizeof bits);
    put_int(w, n->attr.integer);
    put_bits(w, bits);
    put_int(w, n->attr.nint);
    put_int(w, n->attr.ndim);
    put_int(w, n->narg);
    for (int i = 0; i < n->attr.nint; i++)
        put_int(w, n->attr.ints[i]);
    for (int i = 0; i < n->attr.ndim; i++)
        put_dim(w, n->attr.dims[i]);
    for (int i = 0; i < n->narg; i++)
        put_int(w, (int)n->arg[i]->dtype);
}

static void put_instr(Writer *w, const Instr *x)
{
    put_int(w, (int)x->kind);
    put_int(w, (int)x->dtype);
    put_int(w, x->level);
    switch (x->kind) {
    case I_op:
        put_int(w, x->op);
        put_int(w, x->alone);
        put_int(w, x->narg);
        for (int i = 0; i < x->narg; i++)
            put_int(w, x->arg[i]);
        put_int(w, x->node != NULL);
        if (x->node)
            put_attributes(w, x->node);
        break;
    case I_load:
        put_access(w, x->buffer, x->at);
        put_int(w, buffer_has_product(x->buffer));
        put_int(w, x->pred);
        break;
    case I_index:
        put_index(w, x->at);
        break;
    case I_result:
        put_int(w, x->value);
        break;
    }
}

static void put_output(Writer *w, const Output *o)
{
    put_int(w, (int)o->kind);
    put_int(w, o->value);
    put_int(w, o->pred);
    put_int(w, o->index);
    if (o->kind == OUT_reduce) {
        put_int(w, o->op);
        return;
    }
    put_access(w, o->buffer, o->at);
    put_int(w, buffer_shares_product(o->buffer));
    if (o->kind == OUT_add) {
        put_maybe(w, o->low);
        put_dim(w, o->buffer->elements);
    }
}

static void put_loops(Writer *w, const Dim *const *extent, int rank, bool lanes)
{
    put_int(w, lanes);
    put_int(w, rank);
    for (int i = 0; i < rank; i++)
        put_dim(w, extent[i]);
}

static void put_map(Writer *w, const Kernel *k)
{
    put_loops(w, k->extent, k->rank, k->lanes);
    put_int(w, k->nstage);
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        put_loops(w, st->extent, st->rank, st->lanes);
        put_int(w, st->ninstr);
        put_int(w, st->noutput);
        for (int i = st->first; i < st->first + st->ninstr; i++)
            put_instr(w, &k->instr[i]);
        for (int i = 0; i < st->noutput; i++)
            put_output(w, &st->output[i]);
    }
}

/* What its instructions are is known. */
static void put_contract(Writer *w, const Kernel *k)
{
    const Contract *c = k->contract;
    put_dim(w, c->m);
    put_dim(w, c->n);
    put_dim(w, c->k);
    put_access(w, c->a->buffer, c->a->at);
    put_access(w, c->b->buffer, c->b->at);
    put_access(w, c->out->buffer, c->out->at);
    put_loops(w, k->extent, k->rank, k->lanes);
    put_loops(w, k->stage->extent, k->stage->rank, k->stage->lanes);
    put_maybe(w, c->pack_a);
    put_maybe(w, c->pack);
    put_maybe(w, c->totals);
    put_int(w, c->rooms);
    put_int(w, c->flat);
    put_int(w, c->windows);
    put_int(w, c->nbatch);
    put_int(w, c->nrows);
}

static void put_sort(Writer *w, const Sort *x)
{
    put_buffer(w, x->in);
    put_maybe(w, x->work);
    put_buffer(w, x->out);
    put_dim(w, x->rows);
    put_dim(w, x->n);
    put_dim(w, x->count);
    put_int(w, x->descending);
}

static void put_routine(Writer *w, const RoutineCall *r)
{
    put_int(w, (int)r->op);
    put_int(w, r->how);
    for (int i = 0; i < r->nin; i++) {
        put_buffer(w, r->in[i]);
        put_dim(w, r->size[2 * i]);
        put_dim(w, r->size[2 * i + 1]);
    }
    put_maybe(w, r->work);
    put_buffer(w, r->out);
    put_dim(w, r->rows);
    put_dim(w, r->out_size);
}

/* Where a body's buffer is: its machine code holds that. */
static void put_place(Writer *w, const Buffer *b)
{
    put_int(w, (int)b->kind);
    switch (b->kind) {
    case BUF_LEAF:
        put_int(w, b->leaf);
        break;
    case BUF_WORK:
        put_dim(w, b->offset);
        break;
    case BUF_DATA:
        put_int(w, b->node->id);
        break;
    }
}

/* Who runs a kernel asks them, not the kernel. */
static void put_guards(Writer *w, const Kernel *k)
{
    put_int(w, k->nguard);
    for (int i = 0; i < k->nguard; i++) {
        put_int(w, k->when[i]);
        put_place(w, k->guard[i]);
    }
}

static void put_step(Writer *w, Graph *g, const Schedule *s)
{
    put_int(w, s->ninvariant);
    put_int(w, s->kernel.n);
    for (int i = 0; i < s->kernel.n; i++) {
        KernelKey key = kernel_key(w->arena, g, s->kernel.at[i]);
        put_guards(w, s->kernel.at[i]);
        put_int(w, (int64_t)key.ntext);
        str_add(&w->to, key.text, key.ntext);
        put_int(w, key.nbuffer);
        put_int(w, key.nvar);
        for (int j = 0; j < key.nbuffer; j++)
            put_place(w, key.buffer[j]);
        for (int j = 0; j < key.nvar; j++)
            put_dim(w, key.var[j]);
    }
}

static void put_rows(Writer *w, const Buffer *const *b, const Dim *const *row,
                     int n)
{
    put_int(w, n);
    for (int i = 0; i < n; i++) {
        put_buffer(w, b[i]);
        put_dim(w, row[i]);
    }
}

static void put_loop(Writer *w, Graph *g, const LoopKernel *l)
{
    put_int(w, l->reverse);
    put_dim(w, l->trips);
    put_maybe(w, l->count);
    put_int(w, l->ncarry);
    for (int i = 0; i < l->ncarry; i++) {
        put_buffer(w, l->carry[i].buffer);
        put_maybe(w, l->carry[i].other);
        put_dim(w, l->carry[i].buffer->elements);
    }
    put_rows(w, l->input, l->input_row, l->ninput);
    put_int(w, l->ncapture);
    for (int i = 0; i < l->ncapture; i++)
        put_buffer(w, l->capture[i]);
    put_rows(w, l->output, l->output_row, l->noutput);
    put_maybe(w, l->steps);
    put_maybe(w, l->work);
    put_maybe(w, l->check_work);
    put_int(w, l->check != NULL);
    if (l->check)
        put_step(w, g, l->check);
    put_int(w, (int)l->body->function->param->leaf[0]->dtype);
    put_step(w, g, l->body);
}

KernelKey kernel_key(Arena *a, Graph *g, const Kernel *k)
{
    Writer w = {.arena = a, .to = str_new(a)};
    put_int(&w, (int)k->kind);
    put_int(&w, k->parallel);
    switch (k->kind) {
    case KERNEL_map:
        put_map(&w, k);
        put_int(&w, k->few != NULL);
        if (k->few)
            put_map(&w, k->few);
        break;
    case KERNEL_contract:
        put_contract(&w, k);
        break;
    case KERNEL_sort:
        put_sort(&w, k->sort);
        break;
    case KERNEL_routine:
        put_routine(&w, k->routine);
        break;
    case KERNEL_loop:
        put_loop(&w, g, k->loop);
        break;
    }
    put_int(&w, k->epilogue != NULL);
    if (k->epilogue)
        put_map(&w, k->epilogue);
    return (KernelKey){.text = w.to.at,
                       .ntext = w.to.n,
                       .buffer = w.buffer.at,
                       .nbuffer = w.buffer.n,
                       .var = w.var.at,
                       .nvar = w.var.n};
}
