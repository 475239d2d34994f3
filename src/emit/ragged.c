/* ragged.c: loops that are over before their extent is: what index k at or
 * above a number that the loop does not change leaves everything as it is, as
 * in sum(k < ends[i] - begins[i] | …). */
#include "emit/emit_internal.h"

/* Which instruction is the condition k < bound. */
typedef struct Ragged {
    const Kernel *k;
    const Stage *s;
    int inside; /* where it is false */
} Ragged;

static const Instr *instr_of(const Ragged *r, int i) { return &r->k->instr[i]; }

static bool is_op(const Instr *in, OpId op)
{
    return in->kind == I_op && in->op == op;
}

/* Is condition i false outside. */
static bool is_false(const Ragged *r, int i)
{
    const Instr *in = instr_of(r, i);
    if (i == r->inside)
        return true;
    return is_op(in, OP_and) &&
           (is_false(r, in->arg[0]) || is_false(r, in->arg[1]));
}

static bool is_number(const Instr *in, double v)
{
    return is_op(in, OP_const) && const_value(in->node) == v;
}

/* Is instruction i that number outside. */
static bool comes_to(const Ragged *r, int i, double v)
{
    const Instr *in = instr_of(r, i);
    if (in->kind == I_load)
        return v == 0 && in->pred >= 0 && is_false(r, in->pred);
    return is_op(in, OP_where) && is_number(instr_of(r, in->arg[2]), v) &&
           (is_false(r, in->arg[0]) || comes_to(r, in->arg[1], v));
}

/* Does nothing become of o outside. */
static bool is_idle(const Ragged *r, const Output *o)
{
    if (o->kind == OUT_reduce)
        return reduce_count(o) == 1 &&
               comes_to(r, o->value, op_table[o->op]->start);
    return (o->pred >= 0 && is_false(r, o->pred)) ||
           (o->kind == OUT_add && comes_to(r, o->value, 0));
}

/* Is nothing checked outside but a number that was chosen for there. */
static bool is_silent(const Ragged *r, const Instr *in)
{
    if (!is_op(in, OP_index_check))
        return !is_op(in, OP_stop);
    const Instr *x = instr_of(r, in->arg[0]);
    return is_op(x, OP_where) && is_false(r, x->arg[0]) &&
           is_op(instr_of(r, x->arg[2]), OP_const);
}

static bool is_bound(const MapCode *m, const Stage *s, int i)
{
    const Ragged r = {m->k, s, i};
    int loop = m->k->rank + s->rank - 1;
    const Instr *in = instr_of(&r, i), *x;
    if (!is_op(in, OP_lt) || m->level[in->arg[1]] > loop)
        return false;
    x = instr_of(&r, in->arg[0]);
    const Index *at = x->at;
    int64_t base;
    if (x->kind != I_index || dtype_is_real(x->dtype) || x->dtype == DT_u8 ||
        at->n != 1 || at->atom[0].kind != IX_var || at->atom[0].var != loop ||
        !dim_const_value(at->coef[0], &base) || base != 1 ||
        !dim_const_value(at->base, &base) || base != 0)
        return false;
    for (int j = 0; j < s->noutput; j++)
        if (!is_idle(&r, &s->output[j]))
            return false;
    for (int j = s->first; j < s->first + s->ninstr; j++)
        if (m->level[j] > loop && !is_silent(&r, instr_of(&r, j)))
            return false;
    return true;
}

int ragged_condition(const MapCode *m, const Stage *s)
{
    if (s->rank == 0)
        return -1;
    for (int i = s->first; i < s->first + s->ninstr; i++)
        if (is_bound(m, s, i))
            return i;
    return -1;
}

static LLVMValueRef bound_of(const MapCode *m)
{
    return m->val[m->k->instr[m->ragged].arg[1]]->v;
}

LLVMValueRef ragged_end(MapCode *m, LLVMValueRef n)
{
    Emit *e = m->e;
    LLVMValueRef b = bound_of(m);
    LLVMTypeRef t = LLVMTypeOf(b);
    if (type_width(t) > 1)
        b = code_intrinsic(e, "llvm.vector.reduce.smax", &t, 1, &b, 1);
    b = LLVMBuildSExt(e->builder, b, e->i64, "");
    return code_smaller(e, code_at_least(e, b, 0), n);
}

bool ragged_holds(const MapCode *m, int i)
{
    return i == m->ragged && type_width(LLVMTypeOf(bound_of(m))) == 1;
}
