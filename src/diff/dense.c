/* dense.c: Jacobians and Hessians with their zeros, by what is not 0.
 *
 * To differentiate for all values of an index repeats loops, and what an index
 * table tells, for each of them. Where elements of y of their own depend on
 * each element of x, that is done once, and what comes out is put in place. */
#include "diff/matrix.h"
#include "graph/op.h"
#include "graph/view.h"
#include "region/region.h"

static bool is_repeated(const Node *n)
{
    return node_has_region(n) || n->op == OP_gather || n->op == OP_scatter_add;
}

/* Is there such a thing between y and x. */
static bool repeats(const Matrix *m)
{
    Arena *scratch = arena_new();
    Nodes all = nodes_below(m->g, scratch, m->ny, m->y);
    bool *depends = NEWN(scratch, bool, all.n + 1), found = false;

    for (int i = 0; i < all.n; i++) {
        const Node *n = all.at[i];

        for (int j = 0; j < m->nx; j++)
            depends[i] = depends[i] || n == m->x[j];
        for (int k = 0; k < n->narg; k++)
            depends[i] =
                depends[i] || depends[node_place(all.at, all.n, n->arg[k])];
        found = found || (depends[i] && is_repeated(n));
    }
    arena_free(scratch);
    return found;
}

/* All entries in a matrix of these rows and columns. */
static Node *put(Graph *g, const Entries *e, const Dim *rows,
                 const Dim *columns)
{
    const Dim *dim[2] = {rows, columns};
    Node *right = g_fill(g, e->value, 0);
    Node *value = g_where(g, entries_there(g, e), e->value, right);
    Node *place = entries_place(g, e, columns, g_fill(g, e->row, 0));

    value = g_scatter_inside(g, value, place, 0, dim_mul(g, dim[0], dim[1]));
    return g_reshape(g, value, 2, dim);
}

/* The derivative of y by x in m, whose first element is there. */
static Node *block(Graph *g, Node *m, const Dim *const *from, const Node *y,
                   const Node *x)
{
    const Dim *dim[MAX_RANK], *size[2] = {dim_product(g, y->rank, y->dim),
                                          dim_product(g, x->rank, x->dim)};
    int rank = 0;

    for (int a = 0; a < y->rank; a++)
        dim[rank++] = y->dim[a];
    for (int a = 0; a < x->rank; a++)
        dim[rank++] = x->dim[a];
    m = g_cast(g, y->dtype, g_slice(g, m, from, size, NULL));
    return g_reshape(g, m, rank, dim);
}

bool matrix_by_parts(const Matrix *m, Node **to)
{
    Graph *g = m->g;
    const Dim *from[2] = {dim_const(g, 0), NULL};
    Entries e;
    Node *all;

    if (!repeats(m) || !matrix_entries(m, &e) || !e.apart)
        return false;
    all = put(g, &e, matrix_elements(g, m->ny, m->y),
              matrix_elements(g, m->nx, m->x));
    for (int i = 0; i < m->ny; i++) {
        from[1] = dim_const(g, 0);
        for (int j = 0; j < m->nx; j++) {
            to[i * m->nx + j] = block(g, all, from, m->y[i], m->x[j]);
            from[1] = dim_add(g, from[1], matrix_elements(g, 1, &m->x[j]));
        }
        from[0] = dim_add(g, from[0], matrix_elements(g, 1, &m->y[i]));
    }
    return true;
}
