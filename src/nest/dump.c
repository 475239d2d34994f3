/* dump.c: a schedule for people. */
#include "nest/nest.h"

static void print_index(const Index *x, Str *to);

static void print_atom(const Atom *a, Str *to)
{
    switch (a->kind) {
    case IX_var:
        str_printf(to, "i%d", a->var);
        break;
    case IX_value:
        str_printf(to, "%%%d", a->value);
        break;
    case IX_div:
    case IX_mod:
        str_printf(to, "((");
        print_index(a->of, to);
        str_printf(to, a->kind == IX_div ? ") / (" : ") %% (");
        dim_print(a->by, to);
        str_printf(to, "))");
        break;
    }
}

static void print_index(const Index *x, Str *to)
{
    bool any = false;
    for (int i = 0; i < x->n; i++) {
        str_printf(to, any ? " + " : "");
        if (!dim_is(x->coef[i], 1)) {
            int64_t v;
            bool number = dim_const_value(x->coef[i], &v);
            str_printf(to, number ? "" : "(");
            dim_print(x->coef[i], to);
            str_printf(to, number ? "*" : ")*");
        }
        print_atom(&x->atom[i], to);
        any = true;
    }
    if (any && dim_is(x->base, 0))
        return;
    str_printf(to, any ? " + " : "");
    dim_print(x->base, to);
}

static void print_buffer(const Buffer *b, Str *to)
{
    switch (b->kind) {
    case BUF_LEAF:
        str_printf(to, "leaf%d", b->leaf);
        break;
    case BUF_WORK:
        str_printf(to, "work%d", b->id);
        break;
    case BUF_DATA:
        str_printf(to, "data%d", b->id);
        break;
    }
}

static void print_access(const Buffer *b, const Index *at, Str *to)
{
    print_buffer(b, to);
    str_printf(to, "[");
    print_index(at, to);
    str_printf(to, "]");
}

static void indent(Str *to, int depth)
{
    for (int i = 0; i < depth; i++)
        str_printf(to, "  ");
}

static void print_const(const Node *n, Str *to)
{
    if (n && n->op == OP_const && dtype_is_real(n->dtype))
        str_printf(to, " %.9g", n->attr.real);
    else if (n && n->op == OP_const)
        str_printf(to, " %lld", (long long)n->attr.integer);
    else if (n && n->op == OP_dim) {
        str_printf(to, " ");
        dim_print(n->attr.dims[0], to);
    }
}

static void print_instr(const Kernel *k, int i, int depth, Str *to)
{
    const Instr *x = &k->instr[i];
    indent(to, depth);
    str_printf(to, "%%%d = ", i);
    switch (x->kind) {
    case I_op:
        str_printf(to, "%s", op_table[x->op]->name);
        for (int j = 0; j < x->narg; j++)
            str_printf(to, j ? ", %%%d" : " %%%d", x->arg[j]);
        print_const(x->node, to);
        break;
    case I_load:
        str_printf(to, "load ");
        print_access(x->buffer, x->at, to);
        if (x->pred >= 0)
            str_printf(to, " if %%%d", x->pred);
        break;
    case I_index:
        str_printf(to, "index ");
        print_index(x->at, to);
        break;
    case I_result:
        str_printf(to, "result r%d", x->value);
        break;
    }
    str_printf(to, " : %s @%d\n", dtype_name(x->dtype), x->level);
}

static void print_output(const Output *o, int reduction, int depth, Str *to)
{
    indent(to, depth);
    if (o->kind == OUT_reduce)
        str_printf(to, "r%d = %s %%%d", reduction, op_table[o->op]->name,
                   o->value);
    else {
        print_access(o->buffer, o->at, to);
        str_printf(to, o->kind == OUT_add ? " += %%%d" : " = %%%d", o->value);
    }
    if (o->low) {
        str_printf(to, ", errors in ");
        print_buffer(o->low, to);
    }
    if (o->index >= 0)
        str_printf(to, " at %%%d", o->index);
    if (o->pred >= 0)
        str_printf(to, " if %%%d", o->pred);
    str_printf(to, "\n");
}

static void print_loops(const Dim *const *extent, int rank, int first,
                        bool lanes, int depth, Str *to)
{
    for (int i = 0; i < rank; i++) {
        indent(to, depth + i);
        str_printf(to, "for i%d < ", first + i);
        dim_print(extent[i], to);
        str_printf(to, lanes && i == rank - 1 ? " in lanes\n" : "\n");
    }
}

static void print_map(const Kernel *k, int depth, Str *to)
{
    print_loops(k->extent, k->rank, 0, k->lanes, depth, to);
    depth += k->rank;
    for (int t = 0; t < k->nstage; t++) {
        const Stage *st = &k->stage[t];
        int inner = depth + st->rank, reduction = st->reduction;
        if (k->nstage > 1) {
            indent(to, depth);
            str_printf(to, "stage\n");
        }
        print_loops(st->extent, st->rank, k->rank, st->lanes, depth, to);
        for (int i = st->first; i < st->first + st->ninstr; i++)
            print_instr(k, i, inner, to);
        for (int i = 0; i < st->noutput; i++) {
            print_output(&st->output[i], reduction, inner, to);
            reduction += st->output[i].kind == OUT_reduce;
        }
    }
}

static void print_maps(const Kernel *k, int depth, Str *to)
{
    print_map(k, depth, to);
    if (!k->few)
        return;
    indent(to, depth);
    str_printf(to, "or, where i%d < %d\n", k->rank - 1, FEW_ROWS);
    print_map(k->few, depth + 1, to);
}

static void print_contract(const Kernel *k, int depth, Str *to)
{
    const Contract *c = k->contract;
    indent(to, depth);
    str_printf(to, "product");
    if (c->pack_a) {
        str_printf(to, ", the first packed in ");
        print_buffer(c->pack_a, to);
    }
    if (c->pack) {
        str_printf(to, ", packed in ");
        print_buffer(c->pack, to);
    }
    if (c->totals) {
        str_printf(to, ", totals in ");
        print_buffer(c->totals, to);
    }
    str_printf(to, "\n");
    print_map(k, depth + 1, to);
    if (!k->epilogue)
        return;
    indent(to, depth);
    str_printf(to, "then for each block of rows\n");
    print_map(k->epilogue, depth + 1, to);
}

static void print_sort(const Sort *x, int depth, Str *to)
{
    print_loops(&x->rows, 1, 0, false, depth, to);
    indent(to, depth + 1);
    print_buffer(x->out, to);
    str_printf(to, " = %s order of ",
               x->descending ? "descending" : "ascending");
    print_buffer(x->in, to);
    str_printf(to, ", ");
    dim_print(x->count, to);
    str_printf(to, " of ");
    dim_print(x->n, to);
    if (x->work) {
        str_printf(to, ", sorted in ");
        print_buffer(x->work, to);
    }
    str_printf(to, "\n");
}

static void print_routine(const RoutineCall *r, int depth, Str *to)
{
    print_loops(&r->rows, 1, 0, false, depth, to);
    indent(to, depth + 1);
    print_buffer(r->out, to);
    str_printf(to, " = %s%d(", op_table[r->op]->name, r->how);
    for (int i = 0; i < r->nin; i++) {
        str_printf(to, i ? ", " : "");
        print_buffer(r->in[i], to);
        for (int k = 0; k < 2; k++) {
            str_printf(to, k ? "," : "[");
            dim_print(r->size[2 * i + k], to);
        }
        str_printf(to, "]");
    }
    str_printf(to, ")");
    if (r->work) {
        str_printf(to, " in ");
        print_buffer(r->work, to);
    }
    str_printf(to, "\n");
}

static void print_buffers(const Schedule *s, int depth, Str *to)
{
    for (int i = 0; i < s->buffer.n; i++) {
        const Buffer *b = s->buffer.at[i];
        indent(to, depth);
        print_buffer(b, to);
        str_printf(to, " : %s[", dtype_name(b->dtype));
        dim_print(b->elements, to);
        str_printf(to, "]");
        if (b->kind == BUF_WORK) {
            str_printf(to, " at ");
            dim_print(b->offset, to);
        }
        if (b->inout)
            str_printf(to, ", overwritten");
        str_printf(to, "\n");
    }
}

static void print_list(const char *name, const Buffer *const *b,
                       const Dim *const *row, int n, int depth, Str *to)
{
    for (int i = 0; i < n; i++) {
        indent(to, depth);
        str_printf(to, "%s ", name);
        print_buffer(b[i], to);
        if (row) {
            str_printf(to, ", ");
            dim_print(row[i], to);
            str_printf(to, " a step");
        }
        str_printf(to, "\n");
    }
}

static void print_buffer_as(const char *name, const Buffer *b, int depth,
                            Str *to)
{
    if (b)
        print_list(name, &b, NULL, 1, depth, to);
}

static void print_carries(const LoopKernel *l, int depth, Str *to)
{
    for (int i = 0; i < l->ncarry; i++) {
        indent(to, depth);
        str_printf(to, "carry ");
        print_buffer(l->carry[i].buffer, to);
        if (l->carry[i].other) {
            str_printf(to, " and ");
            print_buffer(l->carry[i].other, to);
            str_printf(to, " by turns");
        }
        str_printf(to, "\n");
    }
}

static void print_schedule(const Schedule *s, int depth, Str *to);

static void print_loop(const LoopKernel *l, int depth, Str *to)
{
    indent(to, depth);
    str_printf(to, "for t < ");
    dim_print(l->trips, to);
    str_printf(to, l->reverse ? ", the last first\n" : "\n");
    depth++;
    print_buffer_as("at most", l->count, depth, to);
    print_carries(l, depth, to);
    print_list("input", l->input, l->input_row, l->ninput, depth, to);
    print_list("capture", l->capture, NULL, l->ncapture, depth, to);
    print_list("output", l->output, l->output_row, l->noutput, depth, to);
    print_buffer_as("steps", l->steps, depth, to);
    print_buffer_as("workspace", l->work, depth, to);
    print_buffer_as("workspace until", l->check_work, depth, to);
    if (l->check) {
        indent(to, depth);
        str_printf(to, "until\n");
        print_schedule(l->check, depth + 1, to);
    }
    indent(to, depth);
    str_printf(to, "step\n");
    print_schedule(l->body, depth + 1, to);
}

static void print_kernel(const Kernel *k, int depth, Str *to)
{
    switch (k->kind) {
    case KERNEL_map:
        print_maps(k, depth, to);
        break;
    case KERNEL_contract:
        print_contract(k, depth, to);
        break;
    case KERNEL_sort:
        print_sort(k->sort, depth, to);
        break;
    case KERNEL_routine:
        print_routine(k->routine, depth, to);
        break;
    case KERNEL_loop:
        print_loop(k->loop, depth, to);
        break;
    }
}

void kernel_dump(const Kernel *k, Str *to) { print_kernel(k, 1, to); }

static void print_schedule(const Schedule *s, int depth, Str *to)
{
    print_buffers(s, depth, to);
    for (int i = 0; i < s->kernel.n; i++) {
        const Kernel *k = s->kernel.at[i];
        indent(to, depth);
        str_printf(to, i < s->ninvariant ? "kernel %d invariant" : "kernel %d",
                   i);
        for (int j = 0; j < k->nguard; j++) {
            str_printf(to, k->when[j] ? " if " : " if not ");
            print_buffer(k->guard[j], to);
        }
        str_printf(to, "\n");
        print_kernel(k, depth + 1, to);
    }
}

void schedule_dump(const Schedule *s, FILE *to)
{
    Arena *a = arena_new();
    Str text = str_new(a);
    str_printf(&text, "function %s: workspace ", s->function->name);
    dim_print(s->workspace, &text);
    str_printf(&text, "\n");
    print_schedule(s, 0, &text);
    fwrite(text.at, 1, text.n, to);
    arena_free(a);
}
