/* jacobian.c: matrices of derivatives: jacobian, hessian, hvp.
 *
 * jacobian(f, x) of a y and an x that are no bare tensors has y's structure,
 * each leaf being as many values of x's type as the leaf has elements: stacks
 * of it, nested along the leaf's axes. So the Hessian by a P { a: real[2],
 * b: real } holds a: [P; 2] and b: P. */
#include "check/derive.h"
#include "diff/diff.h"

/* A struct with d's fields, whatever their types. */
static const StructDef *matrix_def(Check *c, const StructDef *of)
{
    StructDef *d = (StructDef *)(uintptr_t)of, *m = d->matrix;
    StructItem *item;

    if (m)
        return m;
    item = arena_copy(c->arena, d->item, sizeof *item);
    item->name = arena_printf(c->arena, "%s_matrix", item->name);
    m = arena_copy(c->arena, d, sizeof *d);
    m->item = item;
    m->is_matrix = true;
    d->matrix = m;
    return m;
}

/* rows, with values of type `of` in the place of its elements. */
static const Type *matrix_type(Check *c, const Type *rows, const Type *of)
{
    const Type **part, *t = of;

    if (rows->kind == TY_tensor) {
        for (int i = rows->rank - 1; i >= 0; i--)
            t = type_along(c, t, rows->dim[i]);
        return t;
    }
    part = NEWN(c->arena, const Type *, rows->npart + 1);
    for (int i = 0; i < rows->npart; i++)
        part[i] = matrix_type(c, rows->part[i], of);
    if (rows->kind == TY_stack)
        return type_along(c, part[0], rows->count);
    if (rows->kind == TY_tuple)
        return type_tuple(c->arena, rows->npart, part);
    return type_of_struct(c, matrix_def(c, rows->def), rows->arg, part);
}

static bool matrix_possible(Derivation *d, int n, Node *const *row)
{
    int rank = nodes_rank(n, row) + nodes_rank(d->nx, d->x);
    Check *c = d->c;

    if (rank > MAX_RANK)
        return check_refuse(c, d->a->at, "rank",
                            "this derivative would have %d dimensions; at most "
                            "%d are possible",
                            rank, MAX_RANK);
    if ((double)n * d->nx > MAX_TYPE_LEAVES)
        return check_refuse(c, d->a->at, "too-large",
                            "this derivative would hold more than %d tensors",
                            MAX_TYPE_LEAVES);
    return true;
}

const Value *deriv_too_many_axes(Derivation *d)
{
    return check_fail(d->c, d->a->at, "rank",
                      "computing this derivative takes tensors of more than %d "
                      "dimensions",
                      MAX_RANK);
}

/* The part of a matrix that is of rows first … first+n-1, by the parameter
 * number k: its leaves, row by row. */
static const Value *matrix_part(Derivation *d, const Type *rows, int first,
                                int n, int k, Node *const *m)
{
    Check *c = d->c;
    const Type *x = value_ty(c, d->by[k]);
    Node **leaf = NEWN(c->arena, Node *, (size_t)n * (size_t)x->nleaf + 1);
    int column = 0, at = 0;

    for (int i = 0; i < k; i++)
        column += d->by[i]->nleaf;
    for (int i = first; i < first + n; i++)
        for (int j = column; j < column + x->nleaf; j++)
            leaf[at++] = m[i * d->nx + j];
    return value_of_leaves(c, matrix_type(c, rows, x), leaf);
}

/* A row of parts, one for each parameter. */
static const Value *matrix_row(Derivation *d, const Type *rows, int first,
                               int n, Node *const *m)
{
    const Value **part = NEWN(d->c->arena, const Value *, d->f->nby);

    for (int k = 0; k < d->f->nby; k++)
        part[k] = matrix_part(d, rows, first, n, k, m);
    return value_of_parts(d->c, d->a->at, d->f->nby, part);
}

const Value *deriv_jacobian(Derivation *d)
{
    Check *c = d->c;
    int n = d->ny * d->nx;
    Node **m = NEWN(c->arena, Node *, n + 1);

    if (!matrix_possible(d, d->ny, d->y_leaf))
        return c->error;
    if (!diff_jacobian(c->graph, d->ny, d->y_leaf, d->nx, d->x, m))
        return deriv_too_many_axes(d);
    deriv_put_back(d, n, m);
    return matrix_row(d, value_ty(c, d->y), 0, d->ny, m);
}

/* The gradient's matrix: with several parameters, a row for each. */
const Value *deriv_hessian(Derivation *d)
{
    Check *c = d->c;
    int n = d->nx * d->nx, first = 0;
    Node **m = NEWN(c->arena, Node *, n + 1);
    const Value **row = NEWN(c->arena, const Value *, d->f->nby);

    if (!matrix_possible(d, d->nx, d->x))
        return c->error;
    if (!diff_hessian(c->graph, d->y_leaf[0], d->nx, d->x, m))
        return deriv_too_many_axes(d);
    deriv_put_back(d, n, m);
    for (int k = 0; k < d->f->nby; k++) {
        const Value *x = d->by[k];

        row[k] = matrix_row(d, value_ty(c, x), first, x->nleaf, m);
        first += x->nleaf;
    }
    return value_of_parts(c, d->a->at, d->f->nby, row);
}

/* The gradient's tangent. */
const Value *deriv_hessian_vector(Derivation *d)
{
    Graph *g = d->c->graph;
    Node **v = deriv_tangents(d), **to = NEWN(d->c->arena, Node *, d->nx + 1);
    Node **dx = NEWN(d->c->arena, Node *, d->nx + 1);

    diff_gradient(g, d->y_leaf[0], d->nx, d->x, dx);
    diff_forward(g, d->nx, dx, d->nx, d->x, v, to);
    deriv_put_back(d, d->nx, to);
    return deriv_like_arguments(d, to);
}
