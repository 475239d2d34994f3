/* routine.c: functions that are routines, of matrices in the last two axes. */
#include "check/builtin.h"

/* What the constants that are on say. */
static int routine_how(const BuiltinCall *call, const Op *row)
{
    int how = 0;

    for (int i = 0; row->words[i]; i++)
        how |= call->given[row->arity + i].on << i;
    return how;
}

const Value *run_routine(Check *c, const BuiltinCall *call)
{
    OpId op = call->fn->op;
    const Op *row = op_table[op];
    Node *arg[MAX_GIVEN], *of = call->given[0].node, *n;
    /* Of a vector in front of a square matrix: its only column. */
    bool column = row->arity > 1 && of->rank == call->given[1].node->rank - 1;

    for (int i = 0; i < row->arity; i++)
        arg[i] = call->given[i].node;
    if (column)
        arg[0] = g_merge_axes(c->graph, of, of->rank, 0);
    if (graph_fits(c->graph, op, row->arity, arg)) {
        n = g_routine(c->graph, op, routine_how(call, row), row->arity, arg);
        if (column)
            n = g_reshape(c->graph, n, of->rank, of->dim);
        return value_tensor(c, n);
    }
    check_fail(c, call->at, "shape-mismatch",
               "'%s' takes matrices of reals that fit: %s", row->name,
               row->doc);
    for (int i = 0; i < row->arity; i++)
        check_is(c, call->x[i].span, call->x[i].value);
    return c->error;
}

/* What a program may choose by, for what is small and known. */
const Value *run_is_constant(Check *c, const BuiltinCall *call)
{
    int64_t n;

    return value_tensor(c, g_const(c->graph, DT_bool,
                                   dim_const_value(call->given[0].dim[0], &n)));
}
