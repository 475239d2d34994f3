/* fold.c: see fold.h. */
#include "kernel/fold.h"

#include "graph/ops/ops.h"

bool fold_number(OpId op, DType t, const Node *n, const int64_t *v, int64_t *to)
{
    const Op *row = op_table[op];
    int64_t size;
    if (dtype_is_real(t))
        return false;
    if (op == OP_index_check) {
        *to = v[0];
        return dim_const_value(n->attr.dims[0], &size) && v[0] >= 0 &&
               v[0] < size;
    }
    if (op == OP_cast)
        *to = dtype_wrap(t, v[0]);
    else if (row->eval_int)
        *to = dtype_wrap(t, row->eval_int(v));
    else
        *to = (int64_t)dtype_fit(
            t,
            op_eval(row, (double[]){(double)v[0], (double)v[1], (double)v[2]}));
    return true;
}

const Node *fold_int(Graph *g, DType t, int64_t v)
{
    return dtype_is_real(t) ? g_const(g, t, (double)v)
                            : g_const_int(g, t, dtype_wrap(t, v));
}

const Node *fold_data(Graph *g, const Node *data, int64_t at)
{
    double v = data->attr.data[at];
    return dtype_is_real(data->dtype) ? g_const(g, data->dtype, v)
                                      : g_const_int(g, data->dtype, (int64_t)v);
}

Node *fold_part(const Node *concat, const Index *at, int64_t *first)
{
    int64_t place, size;
    *first = 0;
    if (at->n || !dim_const_value(at->base, &place))
        return NULL;
    for (int i = 0; i < concat->narg; i++) {
        Node *part = concat->arg[i];
        if (!dim_const_value(part->dim[concat->attr.integer], &size))
            return NULL;
        if (place < *first + size)
            return part;
        *first += size;
    }
    return NULL;
}
