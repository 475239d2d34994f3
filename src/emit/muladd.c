/* muladd.c: products that are added at once: one instruction, one rounding.
 *
 * Chosen here and not by LLVM, so that a vector and what is left over after
 * full ones get the same bits. a*b - c*d is left as it is: with one of the
 * products rounded and the other not, x*x - x*x would not be 0. */
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

/* Which are one. */

typedef struct Search {
    MapCode *m;
    const Stage *s;
    const int *uses;
} Search;

static bool is_free_product(const Search *q, int value, int level)
{
    const Kernel *k = q->m->k;
    return value >= q->s->first && q->uses[value] == 1 &&
           q->m->level[value] == level && is_op(&k->instr[value], OP_mul) &&
           has_fma(q->m->e, k->instr[value].dtype == DT_f64);
}

static void take_product(const Search *q, int i)
{
    MapCode *m = q->m;
    const Instr *in = &m->k->instr[i];
    bool add = is_op(in, OP_add), product[2];
    if (!add && !is_op(in, OP_sub))
        return;
    for (int j = 0; j < 2; j++)
        product[j] = is_op(&m->k->instr[in->arg[j]], OP_mul);
    if (!add && product[0] && product[1])
        return;
    for (int j = 0; j < 2; j++)
        if (is_free_product(q, in->arg[j], m->level[i])) {
            m->product[i] = j + 1;
            m->taken[in->arg[j]] = true;
            return;
        }
}

void muladd_find(MapCode *m)
{
    const Kernel *k = m->k;
    m->product = NEWN(m->e->arena, int, k->ninstr + 1);
    m->taken = NEWN(m->e->arena, bool, k->ninstr + 1);
    if (!m->e->machine.fma && !m->e->machine.wide_fma)
        return;
    const int *uses = count_uses(m->e->arena, k);
    for (int n = 0; n < k->nstage; n++) {
        const Stage *s = &k->stage[n];
        const Search q = {m, s, uses};
        for (int i = s->first; i < s->first + s->ninstr; i++)
            take_product(&q, i);
        for (int i = 0; i < s->noutput; i++) {
            const Output *o = &s->output[i];
            int depth = k->rank + s->rank;
            if (o->kind == OUT_reduce && o->op == OP_sum &&
                is_free_product(&q, o->value, depth))
                m->taken[o->value] = true;
        }
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
