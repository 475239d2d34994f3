/* sparse.c: Jacobians and Hessians without the zeros that are known.
 *
 * Entries are in no order. The pattern puts them in that of rows and columns,
 * those at the same place once, and tells for each value where it goes: there
 * it is added. */
#include "check/derive.h"
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

/* The sparse matrix, by rows: row r's entries are numbers start[r] …
 * start[r+1]-1 of column. */
typedef struct Rows {
    Node *start, *column;
    Node *place; /* where each value is added; -1: nowhere */
} Rows;

/* Numbers of the entries in the order of the matrix, those that are nowhere
 * last; `last`: theirs. */
static Node *keys(Graph *g, Node *row, Node *column, const Dim *columns,
                  Node *last)
{
    Node *zero = g_fill(g, row, 0), *one = g_fill(g, row, 1);
    Node *there =
        g2(g, OP_and, g2(g, OP_lt, zero, row), g2(g, OP_lt, zero, column));
    Node *key =
        g2(g, OP_mul, g2(g, OP_sub, row, one), deriv_size(g, row, columns));

    key = g2(g, OP_add, key, g2(g, OP_sub, column, one));
    return g_where(g, there, key, last);
}

/* Is each element of x, which is sorted, another than the one before. */
static Node *differs(Graph *g, Node *x)
{
    const Dim *one = dim_const(g, 1), *none = dim_const(g, 0);
    Node *more = g2(g, OP_add, x, g_fill(g, x, 1));
    Node *before = g_pad_around(g, more, &one, &none);

    return g2(g, OP_ne, more, g_slice(g, before, &none, x->dim, NULL));
}

static Rows pattern_of(Graph *g, Node *row, Node *column, const Dim *rows,
                       const Dim *columns)
{
    Node *last = deriv_size(g, row, dim_mul(g, rows, columns)), *zero, *key,
         *order;
    Node *first, *at, *wide = deriv_size(g, row, columns), *count, *there;
    const Dim *n = row->dim[0], *one = dim_const(g, 1), *none = NULL;
    Rows p;

    key = keys(g, row, column, columns, last);
    order = g_argsort(g, key, false);
    key = g_gather_inside(g, key, order, 0);
    there = g2(g, OP_lt, key, last);
    first = g_cast(g, DT_i64, g2(g, OP_and, there, differs(g, key)));
    zero = g_fill(g, key, 0);
    at = running_sum(g, first);
    at = g2(g, OP_max, g2(g, OP_sub, at, g_fill(g, at, 1)), zero);
    at = g_cast(g, DT_i32, at);
    p.place = g_where(g, there, at, g_fill(g, at, -1));
    p.place = g_scatter_inside(g, p.place, order, 0, n);
    p.column = g2(g, OP_mul, first, g2(g, OP_mod, key, wide));
    p.column = g_scatter_inside(g, g_cast(g, DT_i32, p.column), at, 0, n);
    row = g2(g, OP_mul, first, g2(g, OP_div, key, wide));
    count = g_scatter_inside(g, g_cast(g, DT_i32, first), row, 0, rows);
    p.start = g_pad_around(g, running_sum(g, count), &one, &none);
    return p;
}

Node *deriv_values(Graph *g, Node *value, Node *place)
{
    Node *none = g_fill(g, place, 0);

    value = g_where(g, g2(g, OP_lt, place, none), g_fill(g, value, 0), value);
    place = g2(g, OP_max, place, none);
    return g_scatter_add(g, value, place, 0, value->dim[0]);
}

static Map *own(Check *c) { return check_own(c, OWN_sparse, sizeof(Map)); }

const Placed *deriv_placed(Check *c, const Node *result)
{
    return map_of(own(c), result);
}

/* Where rows start, columns, values. */
static const Value *sparse_value(Derivation *d, const Rows *p, Node *value)
{
    Check *c = d->c;
    Node *leaf[5] = {p->start, p->column,
                     deriv_values(c->graph, value, p->place), value, p->place};
    const Value *part[3];

    deriv_put_back(d, 5, leaf);
    if (!deriv_placed(c, leaf[2])) {
        Placed how = {leaf[2], leaf[3], leaf[4]};

        map_set(c->arena, own(c), leaf[2],
                arena_copy(c->arena, &how, sizeof how));
    }
    for (int i = 0; i < 3; i++)
        part[i] = value_tensor(c, leaf[i]);
    return value_tuple(c, d->a->at, 3, part);
}

static const Value *sparse(Derivation *d, int ny, Node *const *y)
{
    Graph *g = d->c->graph;
    Entries e;
    Rows p;

    if (!deriv_entries(d, ny, y, &e))
        return d->c->error;
    p = pattern_of(g, e.row, e.column, deriv_elements(g, ny, y),
                   deriv_elements(g, d->nx, d->x));
    return sparse_value(d, &p, e.value);
}

const Value *deriv_sparse_jacobian(Derivation *d)
{
    return sparse(d, d->ny, d->y_leaf);
}

const Value *deriv_sparse_hessian(Derivation *d)
{
    return sparse(d, d->nx, deriv_gradient(d));
}
