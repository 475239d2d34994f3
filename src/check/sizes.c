/* sizes.c: what sizes there can be, and which a call has to be asked about.
 */
#include "check/check_internal.h"

const Value *size_too_large(Check *c, Span at)
{
    return check_fail(c, at, "too-large",
                      "a dimension is larger than 64 bits hold");
}

bool size_possible(Check *c, Span at, int rank, const Dim *const *dim)
{
    int64_t v;
    double total = 1;

    if (rank > MAX_RANK)
        return check_refuse(c, at, "rank",
                            "this tensor has %d dimensions; at most %d are "
                            "possible",
                            rank, MAX_RANK);
    for (int i = 0; i < rank; i++) {
        if (dim_too_large(dim[i])) {
            size_too_large(c, at);
            return false;
        }
        if (!dim_const_value(dim[i], &v))
            continue;
        if (v < 0)
            return check_refuse(c, at, "negative-dimension",
                                "a dimension of %s is negative",
                                dims_text(c->arena, rank, dim));
        total *= (double)v;
    }
    if (total > 0x1p48)
        return check_refuse(c, at, "too-large", "a tensor %s is too large",
                            dims_text(c->arena, rank, dim));
    return true;
}

/* Those that could be negative. */
typedef struct Sizes {
    LIST(NamedSize) all;
    Map seen;
} Sizes;

static Sizes *own(Check *c) { return check_own(c, OWN_sizes, sizeof(Sizes)); }

bool size_is_asked(Check *c, const Dim *d) { return map_of(&own(c)->seen, d); }

const NamedSize *size_list(Check *c, int nvar, const Dim *const *var, int *n)
{
    LIST(NamedSize) all = {0};

    for (int i = 0; i < own(c)->all.n; i++) {
        NamedSize s = own(c)->all.at[i];
        DimVars uses = {0};
        int known = 0;

        dim_vars(c->arena, s.dim, &uses);
        for (int k = 0; k < nvar; k++)
            known += dim_uses(s.dim, var[k]);
        if (known == uses.n)
            list_push(graph_arena(c->graph), &all, s);
    }
    *n = all.n;
    return all.at;
}

bool size_sensible(Check *c, Span at, int rank, const Dim *const *dim)
{
    Sizes *s = own(c);

    if (!size_possible(c, at, rank, dim))
        return false;
    for (int i = 0; i < rank; i++) {
        if (dim_never_negative(dim[i]) || size_is_asked(c, dim[i]))
            continue;
        map_set(c->arena, &s->seen, dim[i], s);
        list_push(c->arena, &s->all,
                  ((NamedSize){dim[i], frame_user_span(c, at)}));
    }
    return true;
}

bool size_sensible_type(Check *c, Span at, const Type *t)
{
    const Leaf *leaf = type_leaves(c->graph, t, NULL);

    for (int i = 0; i < t->nleaf; i++)
        if (!size_sensible(c, at, leaf[i].rank, leaf[i].dim))
            return false;
    return true;
}
