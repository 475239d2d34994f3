/* module.c: bounds of a function's dimensions. */

#include "graph/graph.h"

bool function_bound(const Function *f, const Dim *d, int64_t *most)
{
    *most = dim_ends(d, f->var_max ? f->nvar : 0, f->var, f->var_max).hi;
    return *most < INT64_MAX;
}

static bool ports_use(const Port *p, int n, const Dim *var)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < p[i].nleaf; k++)
            for (int d = 0; d < p[i].leaf[k]->rank; d++)
                if (dim_uses(p[i].leaf[k]->dim[d], var))
                    return true;
    return false;
}

bool function_has_size(const Function *f, int i)
{
    return ports_use(f->param, f->nparam, f->var[i]) ||
           ports_use(f->result, f->nresult, f->var[i]);
}
