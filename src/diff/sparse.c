/* sparse.c: Jacobians and Hessians without the zeros that are known.
 *
 * Entries are in no order. The pattern puts them in that of rows and columns,
 * those at the same place once, and tells for each value where it goes: there
 * it is added. */
#include "diff/matrix.h"
#include "graph/op.h"
#include "region/region.h"

/* The pattern */

/* Running sums of integers. */
static Node *running_sum(Graph *g, Node *x)
{
    Arena *scratch = arena_new();
    Region like = {.trips = x->dim[0],
                   .index = g_param(g, DT_i32, 0, NULL, "t")};
    RegionMaker m = region_maker(g, scratch, &like);
    Node *sum = g_param(g, x->dtype, 0, NULL, "sum");
    Node *next = g_param(g, x->dtype, 0, NULL, "next");
    Node *all;

    maker_input(&m, next, x);
    next = g2(g, OP_add, sum, next);
    maker_carry(&m, sum, g_const_int(g, x->dtype, 0), next);
    maker_output(&m, next);
    all = g_part(g, maker_finish(&m), 1);
    arena_free(scratch);
    return all;
}

/* Is each element of x, which is sorted, another than the one before. */
static Node *differs(Graph *g, Node *x)
{
    const Dim *one = dim_const(g, 1), *none = dim_const(g, 0);
    Node *more = g2(g, OP_add, x, g_fill(g, x, 1));
    Node *before = g_pad_around(g, more, &one, &none);

    return g2(g, OP_ne, more, g_slice(g, before, &none, x->dim, NULL));
}

static void pattern_of(Graph *g, const Entries *e, const Dim *rows,
                       const Dim *columns, SparseMatrix *to)
{
    Node *last = entries_size(g, e->row, dim_mul(g, rows, columns));
    Node *wide = entries_size(g, e->row, columns);
    Node *key, *order, *there, *first, *zero, *at, *row, *count;
    const Dim *n = e->row->dim[0], *one = dim_const(g, 1), *none = NULL;

    key = entries_place(g, e, columns, last);
    order = g_argsort(g, key, false);
    key = g_gather_inside(g, key, order, 0);
    there = g2(g, OP_lt, key, last);
    first = g_cast(g, DT_i64, g2(g, OP_and, there, differs(g, key)));
    zero = g_fill(g, key, 0);
    at = running_sum(g, first);
    at = g2(g, OP_max, g2(g, OP_sub, at, g_fill(g, at, 1)), zero);
    at = g_cast(g, DT_i32, at);
    to->place = g_where(g, there, at, g_fill(g, at, -1));
    to->place = g_scatter_inside(g, to->place, order, 0, n);
    to->column = g2(g, OP_mul, first, g2(g, OP_mod, key, wide));
    to->column = g_scatter_inside(g, g_cast(g, DT_i32, to->column), at, 0, n);
    row = g2(g, OP_mul, first, g2(g, OP_div, key, wide));
    count = g_scatter_inside(g, g_cast(g, DT_i32, first), row, 0, rows);
    to->start = g_pad_around(g, running_sum(g, count), &one, &none);
}

Node *diff_sparse_values(Graph *g, Node *unordered, Node *place)
{
    Node *none = g_fill(g, place, 0);

    Node *right = g_fill(g, unordered, 0);
    unordered = g_where(g, g2(g, OP_lt, place, none), right, unordered);
    place = g2(g, OP_max, place, none);
    return g_scatter_add(g, unordered, place, 0, unordered->dim[0]);
}

static bool sparse(Matrix *m, SparseMatrix *to)
{
    Graph *g = m->g;
    Entries e;
    bool good = matrix_entries(m, &e);

    if (good) {
        pattern_of(g, &e, matrix_elements(g, m->ny, m->y),
                   matrix_elements(g, m->nx, m->x), to);
        to->unordered = e.value;
        to->value = diff_sparse_values(g, e.value, to->place);
    }
    arena_free(m->arena);
    return good;
}

bool diff_sparse_jacobian(Graph *g, int ny, Node *const *y, int nx,
                          Node *const *x, SparseMatrix *to)
{
    Matrix m = {g, arena_new(), ny, nx, y, x, true};

    return sparse(&m, to);
}

bool diff_sparse_hessian(Graph *g, Node *y, int nx, Node *const *x,
                         SparseMatrix *to)
{
    Matrix m = {g, arena_new(), nx, nx, NULL, x, true};
    Node **dx = NEWN(m.arena, Node *, nx + 1);

    diff_gradient(g, y, nx, x, dx);
    m.y = dx;
    return sparse(&m, to);
}
