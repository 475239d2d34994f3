/* split.c: a sparse matrix as two functions: its pattern, which is computed
 * once, and its values. */
#include "check/derive.h"
#include "check/export.h"
#include "diff/diff.h"

static const char *suffixed(Check *c, const char *name, const char *suffix)
{
    return arena_printf(c->arena, "%s%s", name, suffix);
}

/* The name of the matrix is that of its values. */
static const Port *values_of(const Function *whole)
{
    return &whole->result[whole->nresult - 1];
}

static const Placed *placed(Check *c, const Function *whole)
{
    const Placed *p = deriv_placed(c, values_of(whole)->leaf[0]);

    if (!p)
        die("a sparse matrix whose values were not placed");
    return p;
}

static void add_tensor(Check *c, Function *to, const char *suffix, Node *n,
                       const Function *whole)
{
    function_result(c, to, suffixed(c, values_of(whole)->name, suffix),
                    value_tensor(c, n), whole->span);
}

static bool any_live(const Port *p, const bool *live)
{
    for (int i = 0; i < p->nleaf; i++)
        if (live[p->leaf[i]->id])
            return true;
    return false;
}

/* Parameters that the results depend on. */
static void take_parameters(Check *c, Function *to, const Function *whole)
{
    Arena *scratch = arena_new();
    Nodes root = functions_roots(scratch, &to, 1);
    const bool *live = graph_reach(c->graph, scratch, true, root.n, root.at);

    for (int i = 0; i < whole->nparam; i++)
        if (any_live(&whole->param[i], live))
            to->param[to->nparam++] = whole->param[i];
    arena_free(scratch);
}

/* It has all dimensions, in the same order. */
static Function *finished(Check *c, Function *to, Function *whole)
{
    to->whole = whole;
    to->nvar = whole->nvar;
    for (int i = 0; i < whole->nvar; i++)
        to->var[i] = whole->var[i];
    if (!function_finish(c, to))
        return NULL;
    to->var = whole->var;
    return to;
}

Function *sparse_pattern(Check *c, Function *whole)
{
    Function *to = function_new(
        c, FN_plain, suffixed(c, whole->name, "_pattern"), whole->span);

    add_tensor(c, to, "_start", whole->result[0].leaf[0], whole);
    add_tensor(c, to, "_column", whole->result[1].leaf[0], whole);
    add_tensor(c, to, "_place", placed(c, whole)->place, whole);
    take_parameters(c, to, whole);
    return finished(c, to, whole);
}

Function *sparse_values(Check *c, Function *whole)
{
    Function *to = function_new(c, FN_plain, whole->name, whole->span);
    const Placed *how = placed(c, whole);
    const char *name = suffixed(c, values_of(whole)->name, "_place");
    const Type *type =
        type_tensor(c->arena, DT_i32, 1, &how->unordered->dim[0]);
    const Value *place = value_fresh(c, type, name);

    for (int i = 0; i < whole->nparam; i++)
        to->param[to->nparam++] = whole->param[i];
    function_param(c, to, name, place, whole->span);
    add_tensor(c, to, "",
               diff_sparse_values(c->graph, how->unordered, place->node),
               whole);
    to->deriv = whole->deriv;
    to->by = whole->by;
    to->nby = whole->nby;
    to->primal = whole->primal;
    return finished(c, to, whole);
}
