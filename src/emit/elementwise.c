/* elementwise.c: operators of map kernels, some of them two at a time. */
#include "emit/emit_internal.h"

static Val *argument(MapCode *m, const Instr *in, int j)
{
    Val *v = m->val[in->arg[j]];
    return m->lower.width > 1 ? map_widen(m, v) : v;
}

static const Stage *stage_of(const Kernel *k, int i)
{
    const Stage *s = k->stage;
    while (i >= s->first + s->ninstr)
        s++;
    return s;
}

/* The one whose value comes with that of i, and which is computed after it in
 * the same place; or -1. */
static int partner_of(const MapCode *m, int i)
{
    const Instr *in = &m->k->instr[i];
    if (!op_table[in->op]->partner)
        return -1;
    const Stage *s = stage_of(m->k, i);
    for (int j = i + 1; j < s->first + s->ninstr; j++) {
        const Instr *x = &m->k->instr[j];
        if (x->kind == I_op && x->op == op_table[in->op]->partner() &&
            x->arg[0] == in->arg[0] && m->plan->level[j] == m->plan->level[i])
            return j;
    }
    return -1;
}

Val *map_op(MapCode *m, int i)
{
    const Instr *in = &m->k->instr[i];
    int with = partner_of(m, i);
    if (with >= 0) {
        m->ready[with] = true;
        return op_table[in->op]->lower_both(&m->lower, argument(m, in, 0),
                                            &m->val[with]);
    }
    Val *arg[3];
    for (int j = 0; j < in->narg; j++)
        arg[j] = argument(m, in, j);
    Node plain = {.op = in->op, .dtype = in->dtype};
    return op_lower(op_table[in->op], &m->lower, in->node ? in->node : &plain,
                    arg);
}
