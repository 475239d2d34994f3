/* sizes.c: what sizes there can be, and which a call has to be asked about.
 */
#include "check/check_internal.h"

const Value *dim_fail_too_large(Check *c, Span at)
{
    return check_fail(c, at, "too-large",
                      "a dimension is larger than 64 bits hold");
}

bool dim_possible(Check *c, Span at, int rank, const Dim *const *dim)
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
            dim_fail_too_large(c, at);
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

bool dim_is_size(const Check *c, const Dim *d)
{
    size_t seen = 0;

    for (int i;
         (i = map_next_int(&c->sizes, hash_pointer(HASH_SEED, d), &seen)) >= 0;)
        if (c->size.at[i].dim == d)
            return true;
    return false;
}

bool dim_sensible(Check *c, Span at, int rank, const Dim *const *dim)
{
    if (!dim_possible(c, at, rank, dim))
        return false;
    for (int i = 0; i < rank; i++) {
        if (dim_never_negative(dim[i]) || dim_is_size(c, dim[i]))
            continue;
        map_put_int(c->arena, &c->sizes, hash_pointer(HASH_SEED, dim[i]),
                    c->size.n);
        list_push(c->arena, &c->size,
                  ((NamedSize){dim[i], c->library.end ? c->library : at}));
    }
    return true;
}

bool type_sensible(Check *c, Span at, const Type *t)
{
    const Leaf *leaf = type_leaves(c->graph, t, NULL);

    for (int i = 0; i < t->nleaf; i++)
        if (!dim_sensible(c, at, leaf[i].rank, leaf[i].dim))
            return false;
    return true;
}
