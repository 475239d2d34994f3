/* jacobian.c: matrices of derivatives: jacobian, hessian, hvp.
 *
 * jacobian(f, x) of a y and an x that are no bare tensors has y's structure,
 * each leaf being as many values of x's type as the leaf has elements: stacks
 * of it, nested along the leaf's axes. So the Hessian by a P { a: real[2],
 * b: real } holds a: [P; 2] and b: P. */
#include "check/derive.h"
#include "check/index.h"
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

const Dim *deriv_elements(Graph *g, int n, Node *const *x)
{
    const Dim *sum = dim_const(g, 0);

    for (int i = 0; i < n; i++)
        sum = dim_add(g, sum, dim_product(g, x[i]->rank, x[i]->dim));
    return sum;
}

static bool matrix_possible(Derivation *d, int n, Node *const *row)
{
    int rank = greatest_rank(n, row) + greatest_rank(d->nx, d->x);
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

Units deriv_units(Graph *g, const Node *like, unsigned all)
{
    Units u = {.seed = NULL};
    Node *one, *i, *k;
    int axis[MAX_RANK];

    for (int a = 0; a < like->rank; a++) {
        if (all >> a & 1)
            continue;
        for (int b = 0; b < like->rank; b++)
            axis[b] = b == a ? 0 : -1;
        i = u.index[u.n] = g_param(g, DT_i32, 0, NULL, "i");
        u.dim[u.n++] = like->dim[a];
        k = g_iota(g, DT_i32, like->dim[a]);
        i = g_broadcast_to(g, i, 1, &like->dim[a]);
        one = g_broadcast_to(g, g_const(g, like->dtype, 1), 1, &like->dim[a]);
        one = g_where(g, g2(g, OP_eq, i, k), one, g_fill(g, one, 0));
        one = g_broadcast(g, one, like->rank, like->dim, axis);
        u.seed = g_join(g, OP_mul, u.seed, one);
    }
    u.seed = u.seed ? u.seed : g_fill(g, like, 1);
    return u;
}

bool deriv_for_units(Derivation *d, const Units *u, int n, Node **root)
{
    return index_batch(d->c, d->a->at,
                       "computing this derivative takes tensors of", u->n,
                       u->index, u->dim, n, root);
}

/* y's axes after `first` axes of x's to before them. */
static Node *to_front(Graph *g, Node *n, int first)
{
    int perm[MAX_RANK];

    for (int i = 0; i < n->rank; i++)
        perm[i] = (i + first) % n->rank;
    return n->rank ? g_permute(g, n, perm) : n;
}

/* to[i * nx + j] is the derivative of y[i] by x[j], of both their axes: y[i]'s
 * elements one by one in reverse mode, or x[j]'s in forward mode. */
static bool matrix_by_rows(Derivation *d, Node **to)
{
    Graph *g = d->c->graph;

    for (int i = 0; i < d->ny; i++) {
        Units u = deriv_units(g, d->y_leaf[i], 0);

        diff_reverse(g, 1, &d->y_leaf[i], &u.seed, d->nx, d->x, to + i * d->nx);
        if (!deriv_for_units(d, &u, d->nx, to + i * d->nx))
            return false;
    }
    return true;
}

static bool matrix_by_columns(Derivation *d, int ny, Node *const *y, Node **to)
{
    Graph *g = d->c->graph;
    Node **column = NEWN(d->c->arena, Node *, ny + 1);
    Node **seed = NEWN(d->c->arena, Node *, d->nx + 1);

    for (int j = 0; j < d->nx; j++) {
        Units u = deriv_units(g, d->x[j], 0);

        for (int k = 0; k < d->nx; k++)
            seed[k] = k == j ? u.seed : g_fill(g, d->x[k], 0);
        diff_forward(g, ny, y, d->nx, d->x, seed, column);
        if (!deriv_for_units(d, &u, ny, column))
            return false;
        for (int i = 0; i < ny; i++)
            to[i * d->nx + j] = to_front(g, column[i], d->x[j]->rank);
    }
    return true;
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

Smaller deriv_smaller(Check *c, const Dim *a, const Dim *b)
{
    Graph *g = c->graph;
    int64_t value;
    bool a_known = dim_const_value(a, &value);
    bool b_known = dim_const_value(b, &value);

    if (dim_never_negative(dim_sub(g, a, b)))
        return SECOND_SMALLER;
    if (dim_never_negative(dim_sub(g, b, a)))
        return FIRST_SMALLER;
    if (a_known != b_known)
        return a_known ? FIRST_SMALLER : SECOND_SMALLER;
    return RUN_TELLS;
}

/* Both ways under a lazy `if` on the sizes. */
static bool matrix_by_fewer(Derivation *d, const Dim *rows, const Dim *columns,
                            Node **to)
{
    Graph *g = d->c->graph;
    int n = d->ny * d->nx;
    Node **other = NEWN(d->c->arena, Node *, n + 1);
    Node *fewer =
        g2(g, OP_lt, g_dim(g, DT_i64, rows), g_dim(g, DT_i64, columns));

    if (!matrix_by_rows(d, to) ||
        !matrix_by_columns(d, d->ny, d->y_leaf, other))
        return false;
    for (int i = 0; i < n; i++)
        to[i] = g_if(g, fewer, to[i], other[i]);
    return true;
}

static bool matrix(Derivation *d, Node **to)
{
    Graph *g = d->c->graph;
    const Dim *rows = deriv_elements(g, d->ny, d->y_leaf);
    const Dim *columns = deriv_elements(g, d->nx, d->x);

    if (deriv_by_parts(d, d->ny, d->y_leaf, to))
        return true;
    switch (deriv_smaller(d->c, rows, columns)) {
    case FIRST_SMALLER:
        return matrix_by_rows(d, to);
    case SECOND_SMALLER:
        return matrix_by_columns(d, d->ny, d->y_leaf, to);
    case RUN_TELLS:
        break;
    }
    return matrix_by_fewer(d, rows, columns, to);
}

const Value *deriv_jacobian(Derivation *d)
{
    Check *c = d->c;
    int n = d->ny * d->nx;
    Node **m = NEWN(c->arena, Node *, n + 1);

    if (!matrix_possible(d, d->ny, d->y_leaf) || !matrix(d, m))
        return c->error;
    deriv_put_back(d, n, m);
    return matrix_row(d, value_ty(c, d->y), 0, d->ny, m);
}

Node **deriv_gradient(Derivation *d)
{
    Node **dx = NEWN(d->c->arena, Node *, d->nx + 1);
    Node *one = g_fill(d->c->graph, d->y_leaf[0], 1);

    diff_reverse(d->c->graph, 1, d->y_leaf, &one, d->nx, d->x, dx);
    return dx;
}

/* The gradient's matrix: with several parameters, a row for each. */
const Value *deriv_hessian(Derivation *d)
{
    Check *c = d->c;
    int n = d->nx * d->nx, first = 0;
    Node **m = NEWN(c->arena, Node *, n + 1), **y;
    const Value **row = NEWN(c->arena, const Value *, d->f->nby);

    if (!matrix_possible(d, d->nx, d->x))
        return c->error;
    y = deriv_gradient(d);
    if (!deriv_by_parts(d, d->nx, y, m) && !matrix_by_columns(d, d->nx, y, m))
        return c->error;
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
    Node **v = deriv_tangents(d), **to = NEWN(d->c->arena, Node *, d->nx + 1);

    diff_forward(d->c->graph, d->nx, deriv_gradient(d), d->nx, d->x, v, to);
    deriv_put_back(d, d->nx, to);
    return deriv_like_arguments(d, to);
}
