/* key.c: a text that two kernels share if and only if their machine code may
 * be the same. */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <string.h>

typedef struct Writer {
    Arena *arena;
    Str to;
    LIST(const Buffer *) buffer;
    LIST(const Dim *) var;
} Writer;

/* Dimensions: each piece of the formula becomes a string. */

static void *constant_text(void *u, int64_t v)
{
    Writer *w = u;
    return arena_printf(w->arena, "%" PRId64, v);
}

static void *variable_text(void *u, const Dim *var)
{
    Writer *w = u;
    int i = 0;
    while (i < w->var.n && w->var.at[i] != var)
        i++;
    if (i == w->var.n)
        list_push(w->arena, &w->var, var);
    return arena_printf(w->arena, "d%d", i);
}

static void *binary_text(Writer *w, char op, void *a, void *b)
{
    const char *left = a, *right = b;
    return arena_printf(w->arena, "(%s%c%s)", left, op, right);
}

static void *add_text(void *u, void *a, void *b)
{
    return binary_text(u, '+', a, b);
}

static void *mul_text(void *u, void *a, void *b)
{
    return binary_text(u, '*', a, b);
}

static void *div_text(void *u, void *a, void *b)
{
    return binary_text(u, '/', a, b);
}

static void *mod_text(void *u, void *a, void *b)
{
    return binary_text(u, '%', a, b);
}

static void put_dim(Writer *w, const Dim *d)
{
    const DimVisitor v = {w,        constant_text, variable_text, add_text,
                          mul_text, div_text,      mod_text};
    const char *text = dim_visit(d, &v);
    str_printf(&w->to, " %s", text);
}

static void put_int(Writer *w, int v) { str_printf(&w->to, " %d", v); }

static void put_buffer(Writer *w, const Buffer *b)
{
    int i = 0;
    while (i < w->buffer.n && w->buffer.at[i] != b)
        i++;
    if (i == w->buffer.n) {
        list_push(w->arena, &w->buffer, b);
        str_printf(&w->to, " new(%d)", (int)b->dtype);
    }
    str_printf(&w->to, " b%d", i);
}

static void put_index(Writer *w, const Index *x)
{
    str_printf(&w->to, " [");
    put_dim(w, x->base);
    for (int i = 0; i < x->n; i++) {
        const Atom *a = &x->atom[i];
        put_dim(w, x->coef[i]);
        switch (a->kind) {
        case IX_var:
            str_printf(&w->to, "*i%d", a->var);
            break;
        case IX_value:
            str_printf(&w->to, "*v%d", a->value);
            break;
        case IX_div:
        case IX_mod:
            str_printf(&w->to, a->kind == IX_div ? "*div" : "*mod");
            put_index(w, a->of);
            put_dim(w, a->by);
            break;
        }
    }
    str_printf(&w->to, "]");
}

static bool through_data(const Index *x)
{
    for (int i = 0; i < x->n; i++)
        if (x->atom[i].kind == IX_value ||
            (x->atom[i].of && through_data(x->atom[i].of)))
            return true;
    return false;
}

/* An access whose place the data decide is held to the buffer's size. */
static void put_access(Writer *w, const Buffer *b, const Index *at)
{
    put_buffer(w, b);
    put_index(w, at);
    if (through_data(at))
        put_dim(w, b->elements);
}

static void put_attributes(Writer *w, const Node *n)
{
    uint64_t bits;
    memcpy(&bits, &n->attr.real, sizeof bits);
    str_printf(&w->to, " %" PRId64 " %" PRIx64, n->attr.integer, bits);
    for (int i = 0; i < n->attr.nint; i++)
        put_int(w, n->attr.ints[i]);
    for (int i = 0; i < n->attr.ndim; i++)
        put_dim(w, n->attr.dims[i]);
    for (int i = 0; i < n->narg; i++)
        put_int(w, (int)n->arg[i]->dtype);
}

static void put_instr(Writer *w, const Instr *x)
{
    str_printf(&w->to, "\n%d %d @%d", (int)x->kind, (int)x->dtype, x->level);
    switch (x->kind) {
    case I_op:
        str_printf(&w->to, " %s", op_table[x->op]->name);
        for (int i = 0; i < x->narg; i++)
            put_int(w, x->arg[i]);
        if (x->node)
            put_attributes(w, x->node);
        break;
    case I_load:
        put_access(w, x->buffer, x->at);
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
    str_printf(&w->to, "\nout %d %d %d %d", (int)o->kind, o->value, o->pred,
               o->index);
    if (o->kind == OUT_reduce) {
        str_printf(&w->to, " %s", op_table[o->op]->name);
        return;
    }
    put_access(w, o->buffer, o->at);
}

static void put_loops(Writer *w, const Dim *const *extent, int rank, bool lanes)
{
    str_printf(&w->to, " loops%s", lanes ? " lanes" : "");
    for (int i = 0; i < rank; i++)
        put_dim(w, extent[i]);
}

static void put_map(Writer *w, const Kernel *k)
{
    str_printf(&w->to, "\nmap");
    put_loops(w, k->extent, k->rank, k->lanes);
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        str_printf(&w->to, "\nstage");
        put_loops(w, st->extent, st->rank, st->lanes);
        for (int i = st->first; i < st->first + st->ninstr; i++)
            put_instr(w, &k->instr[i]);
        for (int i = 0; i < st->noutput; i++)
            put_output(w, &st->output[i]);
    }
}

static void put_contract(Writer *w, const Contract *c)
{
    const Dim *const stride[] = {c->m,      c->n,      c->k,       c->a_m,
                                 c->a_k,    c->b_k,    c->b_n,     c->out_m,
                                 c->a_base, c->b_base, c->out_base};
    str_printf(&w->to, "contract");
    put_buffer(w, c->a);
    put_buffer(w, c->b);
    put_buffer(w, c->out);
    if (c->pack) {
        str_printf(&w->to, " pack");
        put_buffer(w, c->pack);
    }
    for (size_t i = 0; i < sizeof stride / sizeof *stride; i++)
        put_dim(w, stride[i]);
    for (int i = 0; i < c->nbatch; i++) {
        str_printf(&w->to, " batch");
        put_dim(w, c->batch[i]);
        put_dim(w, c->a_batch[i]);
        put_dim(w, c->b_batch[i]);
        put_dim(w, c->out_batch[i]);
    }
}

/* Where a body's buffer is: its machine code holds that. */
static void put_place(Writer *w, const Buffer *b)
{
    switch (b->kind) {
    case BUF_LEAF:
        str_printf(&w->to, " leaf %d", b->leaf);
        break;
    case BUF_WORK:
        str_printf(&w->to, " work");
        put_dim(w, b->offset);
        break;
    case BUF_DATA:
        str_printf(&w->to, " data %d", b->node->id);
        break;
    }
}

static void put_step(Writer *w, Graph *g, const Schedule *s)
{
    put_int(w, s->nonce);
    for (int i = 0; i < s->kernel.n; i++) {
        KernelKey key = kernel_key(w->arena, g, s->kernel.at[i]);
        str_printf(&w->to, "\n{%s", key.text);
        for (int j = 0; j < key.nbuffer; j++)
            put_place(w, key.buffer[j]);
        for (int j = 0; j < key.nvar; j++)
            put_dim(w, key.var[j]);
        str_printf(&w->to, "}");
    }
}

static void put_maybe(Writer *w, const char *name, const Buffer *b)
{
    if (!b)
        return;
    str_printf(&w->to, " %s", name);
    put_buffer(w, b);
}

static void put_rows(Writer *w, const Buffer *const *b, const Dim *const *row,
                     int n)
{
    for (int i = 0; i < n; i++) {
        put_buffer(w, b[i]);
        put_dim(w, row[i]);
    }
    str_printf(&w->to, ";");
}

static void put_loop(Writer *w, Graph *g, const LoopKernel *l)
{
    str_printf(&w->to, l->reverse ? "loop back" : "loop");
    put_dim(w, l->trips);
    put_maybe(w, "count", l->count);
    for (int i = 0; i < l->ncarry; i++) {
        put_buffer(w, l->carry[i].buffer);
        put_maybe(w, "turns", l->carry[i].other);
        put_dim(w, l->carry[i].buffer->elements);
    }
    str_printf(&w->to, ";");
    put_rows(w, l->input, l->input_row, l->ninput);
    for (int i = 0; i < l->ncapture; i++)
        put_buffer(w, l->capture[i]);
    str_printf(&w->to, ";");
    put_rows(w, l->output, l->output_row, l->noutput);
    put_maybe(w, "steps", l->steps);
    put_maybe(w, "work", l->work);
    put_maybe(w, "check_work", l->check_work);
    if (l->check) {
        str_printf(&w->to, "\nuntil");
        put_step(w, g, l->check);
    }
    str_printf(&w->to, "\nstep %d",
               (int)l->body->function->param->leaf[0]->dtype);
    put_step(w, g, l->body);
}

KernelKey kernel_key(Arena *a, Graph *g, const Kernel *k)
{
    Writer w = {.arena = a, .to = str_new(a)};
    for (int i = 0; i < k->nguard; i++) {
        str_printf(&w.to, k->when[i] ? "if" : "unless");
        put_buffer(&w, k->guard[i]);
        str_printf(&w.to, "\n");
    }
    switch (k->kind) {
    case KERNEL_map:
        put_map(&w, k);
        break;
    case KERNEL_contract:
        put_contract(&w, k->contract);
        break;
    case KERNEL_loop:
        put_loop(&w, g, k->loop);
        break;
    }
    if (k->after)
        put_map(&w, k->after);
    return (KernelKey){.text = w.to.at,
                       .buffer = w.buffer.at,
                       .nbuffer = w.buffer.n,
                       .var = w.var.at,
                       .nvar = w.var.n};
}
