/* nest.c: what is asked of a kernel's loops. */
#include "nest/nest.h"

const Dim *loop_extent(const Kernel *k, const Stage *s, int v)
{
    return v < k->rank ? k->extent[v] : s->extent[v - k->rank];
}

int lane_loop(const Kernel *k, const Stage *s)
{
    if (k->lanes)
        return k->rank - 1;
    return s->lanes && s->rank > 0 ? k->rank + s->rank - 1 : -1;
}

int instr_weight(const Instr *x)
{
    return x->kind == I_op ? op_weight(x->op) : 1;
}

int64_t kernel_weight(const Kernel *k)
{
    int64_t weight = 0;
    for (int i = 0; i < k->ninstr; i++)
        weight += instr_weight(&k->instr[i]);
    return weight;
}

const Dim *stage_steps(Graph *g, const Kernel *k, const Stage *s)
{
    return dim_mul(g, dim_product(g, k->rank, k->extent),
                   dim_product(g, s->rank, s->extent));
}

Stride stride_along(const Index *x, int v)
{
    enum { LINE = 8 };
    const Dim *c = index_coef(x, v);
    int64_t step;
    if (index_nested(x, v))
        return STRIDE_far;
    for (int i = 0; i < x->n; i++)
        if (x->atom[i].kind == IX_value)
            return c && dim_is(c, 1) ? STRIDE_somewhere : STRIDE_none;
    if (!c)
        return STRIDE_none;
    if (!dim_const_value(c, &step) || step < -LINE || step > LINE)
        return STRIDE_far;
    return step == 1 ? STRIDE_one : STRIDE_near;
}
