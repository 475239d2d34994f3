/* sparse.c: sparse Jacobians and Hessians as values of the language: where rows
 * start, columns, values. */
#include "check/derive.h"
#include "diff/diff.h"

static Map *own(Check *c) { return check_own(c, OWN_sparse, sizeof(Map)); }

const Placed *deriv_placed(Check *c, const Node *values)
{
    return map_of(own(c), values);
}

static const Value *sparse_value(Derivation *d, const SparseMatrix *m)
{
    Check *c = d->c;
    Node *leaf[5] = {m->start, m->column, m->value, m->unordered, m->place};
    const Value *part[3];

    deriv_put_back(d, 5, leaf);
    if (!deriv_placed(c, leaf[2])) {
        Placed how = {leaf[3], leaf[4]};

        map_set(c->arena, own(c), leaf[2],
                arena_copy(c->arena, &how, sizeof how));
    }
    for (int i = 0; i < 3; i++)
        part[i] = value_tensor(c, leaf[i]);
    return value_tuple(c, d->a->at, 3, part);
}

const Value *deriv_sparse_jacobian(Derivation *d)
{
    SparseMatrix m;

    return diff_sparse_jacobian(d->c->graph, d->ny, d->y_leaf, d->nx, d->x, &m)
               ? sparse_value(d, &m)
               : deriv_too_many_axes(d);
}

const Value *deriv_sparse_hessian(Derivation *d)
{
    SparseMatrix m;

    return diff_sparse_hessian(d->c->graph, d->y_leaf[0], d->nx, d->x, &m)
               ? sparse_value(d, &m)
               : deriv_too_many_axes(d);
}
