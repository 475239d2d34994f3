/* op.c: the operator table. */
#include "graph/op.h"

#include <string.h>

const Op *const op_table[NOPS] = {
#define OP(name) [OP_##name] = &op_##name,
#include "graph/op.def"
#undef OP
};

OpId op_named(const char *name)
{
    for (OpId i = 0; i < NOPS; i++)
        if (op_table[i]->flags & OP_SURFACE && !strcmp(op_table[i]->name, name))
            return i;
    return -1;
}
