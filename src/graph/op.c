/* op.c: the operator table. */
#include "graph/op.h"

#include <string.h>

const Op *const op_table[NOPS] = {
#define OP(name) [OP_##name] = &op_##name,
#include "graph/op.def"
#undef OP
};

int op_weight(OpId op)
{
    enum { COSTLY = 10 };
    const Op *row = op_table[op];
    return row->weight ? row->weight : row->flags & OP_COSTLY ? COSTLY : 1;
}

OpId op_named(const char *name)
{
    for (OpId i = 0; i < NOPS; i++)
        if (op_table[i]->flags & OP_SURFACE && !strcmp(op_table[i]->name, name))
            return i;
    return -1;
}
