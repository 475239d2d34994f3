/* op.c: the operator table. */
#include "graph/op.h"

const Op *const op_table[NOPS] = {
#define OP(name) [OP_##name] = &op_##name,
#include "graph/op.def"
#undef OP
};

bool op_has_eval(const Op *row)
{
    return row->eval || row->eval1 || row->eval2;
}

double op_eval(const Op *row, const double *x)
{
    return row->eval1   ? row->eval1(x[0])
           : row->eval2 ? row->eval2(x[0], x[1])
                        : row->eval(x);
}

bool op_has_partial(const Op *row) { return row->partial || row->partial1; }

Node *op_partial(Graph *g, Node *n, int i)
{
    const Op *row = op_table[n->op];
    return row->partial1 ? row->partial1(g, n) : row->partial(g, n, i);
}

bool op_has_lower(const Op *row)
{
    return row->lower || row->lower1 || row->lower2;
}

Val *op_lower(const Op *row, Lower *l, const Node *n, Val *const *x)
{
    bool is_int = row->lower2_int && !dtype_is_real(n->dtype);
    return row->lower1   ? row->lower1(l, x[0])
           : is_int      ? row->lower2_int(l, x[0], x[1])
           : row->lower2 ? row->lower2(l, x[0], x[1])
                         : row->lower(l, n, x);
}

bool node_is_linear(const Node *n, unsigned how)
{
    const Op *row = op_table[n->op];
    return row->cls == OPC_ewise && row->flags & how && !(row->takes & ON_bool);
}

bool node_is_product(const Node *n)
{
    return node_is_linear(n, OP_LINEAR_EACH);
}

int op_weight(OpId op)
{
    enum { COSTLY = 10 };
    const Op *row = op_table[op];
    return row->weight ? row->weight : row->flags & OP_COSTLY ? COSTLY : 1;
}

const char *op_surface(OpId op)
{
    const Op *row = op_table[op];
    return row->surface              ? row->surface
           : row->flags & OP_SURFACE ? row->name
                                     : NULL;
}

void join_in_halves(int n, JoinTwo *f, void *u)
{
    int width = 1;
    while (width < n)
        width *= 2;
    for (; n > 1; n = width) {
        width /= 2;
        for (int i = 0; i + width < n; i++)
            f(u, i, i + width);
    }
}
