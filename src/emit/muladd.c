/* muladd.c: products that are added at once: one instruction, one rounding.
 *
 * Chosen here and not by LLVM, so that a vector and what is left over after
 * full ones get the same bits; and by what the whole function says, so that
 * every kernel that computes a value does it in the same way: where x is its
 * own maximum is asked by x == max(x), and the two may be in different kernels.
 * So loops do not matter, and a product that others use or read from memory is
 * rounded for all of them: p - n*(p/n) is 0. a*b - c*d is left as it is: with
 * one of the products rounded and the other not, x*x - x*x would not be 0. */
#include "emit/emit_internal.h"

static bool is_op(const Instr *in, OpId op)
{
    return in->kind == I_op && in->op == op && dtype_is_real(in->dtype);
}

/* Uses. */

static void use(int *uses, int value)
{
    if (value >= 0)
        uses[value]++;
}

static void use_index(int *uses, const Index *ix)
{
    for (int i = 0; ix && i < ix->n; i++) {
        const Atom *a = &ix->atom[i];
        if (a->kind == IX_value)
            use(uses, a->value);
        use_index(uses, a->of);
    }
}

static void use_output(int *uses, const Output *o)
{
    use(uses, o->value);
    use_index(uses, o->at);
    if (o->kind != OUT_reduce)
        use(uses, o->pred);
    use(uses, o->index);
}

static int *count_uses(Arena *a, const Kernel *k)
{
    int *uses = NEWN(a, int, k->ninstr + 1);
    for (int i = 0; i < k->ninstr; i++) {
        const Instr *in = &k->instr[i];
        for (int j = 0; j < in->narg; j++)
            use(uses, in->arg[j]);
        use_index(uses, in->at);
        if (in->kind == I_load)
            use(uses, in->pred);
    }
    for (int s = 0; s < k->nstage; s++)
        for (int i = 0; i < k->stage[s].noutput; i++)
            use_output(uses, &k->stage[s].output[i]);
    return uses;
}

static bool *find_stored(Arena *a, const Kernel *k)
{
    bool *stored = NEWN(a, bool, k->ninstr + 1);
    for (int n = 0; n < k->nstage; n++)
        for (int i = 0; i < k->stage[n].noutput; i++) {
            const Output *o = &k->stage[n].output[i];
            if (o->kind == OUT_store && buffer_shares_product(o->buffer))
                stored[o->value] = true;
        }
    return stored;
}

/* Which are one. */

typedef struct Search {
    MapCode *m;
    int *uses;    /* of each instruction, that are no sums with a product */
    bool *stored; /* of each product */
} Search;

/* Rounded or not yet. */
static bool is_product(const Instr *in)
{
    return is_op(in, OP_mul) ||
           (in->kind == I_load && buffer_has_product(in->buffer));
}

static bool may_take(const Search *q, int value)
{
    const Instr *in = &q->m->k->instr[value];
    return is_op(in, OP_mul) && !q->stored[value] &&
           has_fma(q->m->e, in->dtype == DT_f64);
}

/* Without other uses it is not computed alone. */
static void take(const Search *q, int value)
{
    q->m->taken[value] = --q->uses[value] == 0;
}

static void take_product(const Search *q, int i)
{
    MapCode *m = q->m;
    const Instr *in = &m->k->instr[i];
    bool add = is_op(in, OP_add);
    if (!add && !is_op(in, OP_sub))
        return;
    if (!add && is_product(&m->k->instr[in->arg[0]]) &&
        is_product(&m->k->instr[in->arg[1]]))
        return;
    for (int j = 0; j < 2; j++)
        if (m->k->instr[in->arg[j]].alone && may_take(q, in->arg[j])) {
            m->product[i] = j + 1;
            take(q, in->arg[j]);
            return;
        }
}

/* A sum is made in one kernel: there the product may be its own. */
static void take_summed(const Search *q, const Stage *s, const Output *o)
{
    if (o->kind == OUT_reduce && o->op == OP_sum && o->value >= s->first &&
        q->uses[o->value] == 1 &&
        q->m->plan->level[o->value] == q->m->k->rank + s->rank &&
        may_take(q, o->value))
        take(q, o->value);
}

void muladd_find(MapCode *m)
{
    const Kernel *k = m->k;
    Arena *a = m->e->arena;
    m->product = NEWN(a, int, k->ninstr + 1);
    m->taken = NEWN(a, bool, k->ninstr + 1);
    if (!m->e->machine.has.fma && !m->e->machine.has.wide_fma)
        return;
    const Search q = {m, count_uses(a, k), find_stored(a, k)};
    for (int n = 0; n < k->nstage; n++) {
        const Stage *s = &k->stage[n];
        for (int i = s->first; i < s->first + s->ninstr; i++)
            take_product(&q, i);
        for (int i = 0; i < s->noutput; i++)
            take_summed(&q, s, &s->output[i]);
    }
}

/* Their code. */

static Val *wide(MapCode *m, int value)
{
    return m->lower.width > 1 ? map_widen(m, m->val[value]) : m->val[value];
}

Val *muladd_code(MapCode *m, int i)
{
    const Instr *in = &m->k->instr[i];
    int j = m->product[i] - 1;
    const Instr *product = &m->k->instr[in->arg[j]];
    Val *a = wide(m, product->arg[0]), *b = wide(m, product->arg[1]);
    Val *c = wide(m, in->arg[1 - j]);
    if (in->op == OP_sub && j == 0)
        c = low_fneg(&m->lower, c);
    if (in->op == OP_sub && j == 1)
        a = low_fneg(&m->lower, a);
    return low_fma(&m->lower, a, b, c);
}

LLVMValueRef muladd_sum(MapCode *m, int value, int width, LLVMValueRef sum)
{
    const Instr *in = &m->k->instr[value];
    Lower l = m->lower;
    l.width = width;
    return low_fma(&l, map_widen_to(m, m->val[in->arg[0]], width),
                   map_widen_to(m, m->val[in->arg[1]], width),
                   val_new(m->e, sum, in->dtype))
        ->v;
}
