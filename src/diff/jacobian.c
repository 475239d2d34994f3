/* jacobian.c: matrices of derivatives: elements of y one by one in reverse
 * mode, or of x in forward mode, whichever are fewer, for all values of an
 * index at once. */
#include "diff/matrix.h"
#include "graph/op.h"
#include "region/region.h"

const Dim *matrix_elements(Graph *g, int n, Node *const *x)
{
    const Dim *sum = dim_const(g, 0);

    for (int i = 0; i < n; i++)
        sum = dim_add(g, sum, dim_product(g, x[i]->rank, x[i]->dim));
    return sum;
}

Seeds seeds_new(Graph *g, const Node *like, unsigned all)
{
    Seeds u = {.seed = NULL};
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
        Node *right = g_fill(g, one, 0);
        one = g_where(g, g2(g, OP_eq, i, k), one, right);
        one = g_broadcast(g, one, like->rank, like->dim, axis);
        u.seed = g_join(g, OP_mul, u.seed, one);
    }
    u.seed = u.seed ? u.seed : g_fill(g, like, 1);
    return u;
}

bool seeds_batch(Graph *g, const Seeds *u, int n, Node **root)
{
    return graph_batch_indices(g, u->n, u->index, u->dim, n, root);
}

/* y's axes after `first` axes of x's to before them. */
static Node *to_front(Graph *g, Node *n, int first)
{
    int perm[MAX_RANK];

    for (int i = 0; i < n->rank; i++)
        perm[i] = (i + first) % n->rank;
    return n->rank ? g_permute(g, n, perm) : n;
}

/* Its rows one by one in reverse mode, or its columns in forward mode. */

static bool by_rows(const Matrix *m, Node **to)
{
    for (int i = 0; i < m->ny; i++) {
        Seeds u = seeds_new(m->g, m->y[i], 0);

        diff_reverse(m->g, 1, &m->y[i], &u.seed, m->nx, m->x, to + i * m->nx);
        if (!seeds_batch(m->g, &u, m->nx, to + i * m->nx))
            return false;
    }
    return true;
}

static bool by_columns(const Matrix *m, Node **to)
{
    Graph *g = m->g;
    Node **column = NEWN(m->arena, Node *, m->ny + 1);
    Node **seed = NEWN(m->arena, Node *, m->nx + 1);

    for (int j = 0; j < m->nx; j++) {
        Seeds u = seeds_new(g, m->x[j], 0);

        for (int k = 0; k < m->nx; k++)
            seed[k] = k == j ? u.seed : g_fill(g, m->x[k], 0);
        diff_forward(g, m->ny, m->y, m->nx, m->x, seed, column);
        if (!seeds_batch(g, &u, m->ny, column))
            return false;
        for (int i = 0; i < m->ny; i++)
            to[i * m->nx + j] = to_front(g, column[i], m->x[j]->rank);
    }
    return true;
}

Smaller matrix_smaller(Graph *g, const Dim *a, const Dim *b)
{
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
static bool by_fewer(const Matrix *m, const Dim *rows, const Dim *columns,
                     Node **to)
{
    Graph *g = m->g;
    int n = m->ny * m->nx;
    Node **other = NEWN(m->arena, Node *, n + 1);
    Node *right = g_dim(g, DT_i64, columns);
    Node *fewer = g2(g, OP_lt, g_dim(g, DT_i64, rows), right);

    if (!by_rows(m, to) || !by_columns(m, other))
        return false;
    for (int i = 0; i < n; i++)
        to[i] = g_if(g, fewer, to[i], other[i]);
    return true;
}

static bool by_rows_or_columns(const Matrix *m, Node **to)
{
    const Dim *rows = matrix_elements(m->g, m->ny, m->y);
    const Dim *columns = matrix_elements(m->g, m->nx, m->x);

    switch (matrix_smaller(m->g, rows, columns)) {
    case FIRST_SMALLER:
        return by_rows(m, to);
    case SECOND_SMALLER:
        return by_columns(m, to);
    case RUN_TELLS:
        break;
    }
    return by_fewer(m, rows, columns, to);
}

bool diff_jacobian(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                   Node **to)
{
    Matrix m = {g, arena_new(), ny, nx, y, x, false};
    bool good = matrix_by_parts(&m, to) || by_rows_or_columns(&m, to);

    arena_free(m.arena);
    return good;
}

void diff_gradient(Graph *g, Node *y, int nx, Node *const *x, Node **x_bar)
{
    Node *one = g_fill(g, y, 1);

    diff_reverse(g, 1, &y, &one, nx, x, x_bar);
}

/* The gradient's matrix. */
bool diff_hessian(Graph *g, Node *y, int nx, Node *const *x, Node **to)
{
    Matrix m = {g, arena_new(), nx, nx, NULL, x, false};
    Node **dx = NEWN(m.arena, Node *, nx + 1);
    bool good;

    diff_gradient(g, y, nx, x, dx);
    m.y = dx;
    good = matrix_by_parts(&m, to) || by_columns(&m, to);
    arena_free(m.arena);
    return good;
}
