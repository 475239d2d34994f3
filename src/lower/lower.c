/* lower.c: to whatever makes the instructions. */
#include "lower/lower.h"

static const LowerOps *ops_of(const Lower *l)
{
    return *(const LowerOps *const *)(const void *)l;
}

#define LOW(type, name, params, args)                                          \
    type low_##name params { return ops_of(l)->low_##name args; }
#include "lower/lower.def"
#undef LOW
