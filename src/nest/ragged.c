/* ragged.c: loops that are over before their extent is: what index k at or
 * above a number that the loop does not change leaves everything as it is, as
 * in sum(k < ends[i] - begins[i] | …). */
#include "graph/ops/ops.h"
#include "nest/index.h"

/* Which instruction is the condition k < bound. */
typedef struct Ragged {
    const Kernel *k;
    const Stage *s;
    int inside;          /* where it is false */
    const Index **value; /* by instruction: what value_inside() gave, or NULL */
} Ragged;

static const Instr *instr_of(const Ragged *r, int i) { return &r->k->instr[i]; }

static bool is_op(const Instr *in, OpId op)
{
    return in->kind == I_op && in->op == op;
}

/* The stage's last loop. */
static int last_loop(const Ragged *r) { return r->k->rank + r->s->rank - 1; }

static bool varies(const Ragged *r, const Instr *in)
{
    return in->level > last_loop(r);
}

/* A loop's variable, or what is made of such. */
static bool is_counter(const Instr *in)
{
    return in->kind == I_index && dtype_is_int(in->dtype) && in->dtype != DT_u8;
}

/* Is condition i false outside; -1: always true. */
static bool is_false(const Ragged *r, int i)
{
    if (i < 0 || i == r->inside)
        return i >= 0;
    const Instr *in = instr_of(r, i);
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
    return is_op(in, OP_where) && is_number(instr_of(r, in->arg[2]), v) &&
           (is_false(r, in->arg[0]) || comes_to(r, in->arg[1], v));
}

/* Does nothing become of o outside. */
static bool is_idle(const Ragged *r, const Output *o)
{
    if (o->kind == OUT_reduce)
        return comes_to(r, o->value, op_table[o->op]->start);
    return is_false(r, o->pred) ||
           (o->kind == OUT_add && comes_to(r, o->value, 0));
}

/* Is nothing checked outside but what stands there for no index. */
static bool is_silent(const Ragged *r, const Instr *in)
{
    if (!instr_checks(in) || !varies(r, in))
        return true;
    const Instr *x = instr_of(r, in->arg[0]);
    return x->node && index_is_masked(x->node) && is_false(r, x->arg[0]);
}

static bool is_bound(const Kernel *k, const Stage *s, int i)
{
    const Ragged r = {.k = k, .s = s, .inside = i};
    const Instr *in = instr_of(&r, i), *x = instr_of(&r, in->arg[0]);
    if (!is_op(in, OP_lt) || varies(&r, instr_of(&r, in->arg[1])) ||
        !is_counter(x) || !index_is_var(x->at, last_loop(&r)))
        return false;
    for (int j = 0; j < s->noutput; j++)
        if (!is_idle(&r, &s->output[j]))
            return false;
    for (int j = s->first; j < s->first + s->ninstr; j++)
        if (!is_silent(&r, instr_of(&r, j)))
            return false;
    return true;
}

int ragged_condition(const Kernel *k, const Stage *s)
{
    if (s->rank == 0)
        return -1;
    for (int i = s->first; i < s->first + s->ninstr; i++)
        if (is_bound(k, s, i))
            return i;
    return -1;
}

static const Index *value_inside(const Ragged *r, IndexTable *t, int i);

static int count_values(const Index *at)
{
    int n = 0;
    for (int i = 0; i < at->n; i++)
        n += at->atom[i].kind == IX_value;
    return n;
}

/* Of several values, which may wrap, the sum is one itself. */
static const Index *find_value(const Ragged *r, IndexTable *t, int i)
{
    const Instr *in = instr_of(r, i);
    bool sum = is_op(in, OP_add), less = is_op(in, OP_sub);
    if (is_counter(in))
        return in->at;
    if (instr_checks(in))
        return value_inside(r, t, in->arg[0]);
    if (is_op(in, OP_where) && in->arg[0] == r->inside)
        return value_inside(r, t, in->arg[1]);
    if (in->dtype == DT_u8 || !varies(r, in) || (!sum && !less))
        return index_value(t, i);
    const Index *a = value_inside(r, t, in->arg[0]);
    const Index *b = value_inside(r, t, in->arg[1]);
    a = index_add(t, a, sum ? b : index_scale(t, b, index_int(t, -1)->base));
    return count_values(a) <= 1 ? a : index_value(t, i);
}

/* What an integer is where the condition holds: the loops' indices and values
 * that those do not change. Integers may be read often by each other. */
static const Index *value_inside(const Ragged *r, IndexTable *t, int i)
{
    if (!r->value[i])
        r->value[i] = find_value(r, t, i);
    return r->value[i];
}

/* Does the last loop not change any value that the place is made of. */
static bool is_even(const Ragged *r, const Index *at)
{
    for (int i = 0; i < at->n; i++) {
        const Atom *a = &at->atom[i];
        if (a->kind != IX_var &&
            (a->kind != IX_value || varies(r, instr_of(r, a->value))))
            return false;
    }
    return true;
}

/* A place where the condition holds, if the loop goes along it then. An integer
 * that is too large for its type is checked, and nothing is read or written
 * there. */
static const Index *place_inside(const Ragged *r, IndexTable *t,
                                 const Index *at)
{
    const Index *sum = index_dim(t, at->base);
    for (int i = 0; i < at->n; i++) {
        const Atom *a = &at->atom[i];
        const Index *v = a->kind == IX_value ? value_inside(r, t, a->value)
                         : a->kind == IX_var ? index_var(t, a->var)
                                             : NULL;
        if (!v)
            return at;
        sum = index_add(t, sum, index_scale(t, v, at->coef[i]));
    }
    return is_even(r, sum) ? sum : at;
}

static bool set_place(const Ragged *r, IndexTable *t, const Index **at)
{
    const Index *was = *at;
    *at = place_inside(r, t, was);
    return *at != was;
}

bool ragged_places(IndexTable *t, Arena *scratch, Kernel *k, Stage *st)
{
    int condition = ragged_condition(k, st);
    bool any = false;
    if (condition < 0)
        return false;
    const Ragged r = {k, st, condition,
                      NEWN(scratch, const Index *, k->ninstr + 1)};
    for (int i = st->first; i < st->first + st->ninstr; i++)
        if (k->instr[i].kind == I_load)
            any |= set_place(&r, t, &k->instr[i].at);
    for (int i = 0; i < st->noutput; i++)
        if (st->output[i].at)
            any |= set_place(&r, t, &st->output[i].at);
    return any;
}
