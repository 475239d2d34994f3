/* entries.c: the derivatives that are not known to be 0.
 *
 * The derivative of each part of y by each read of x is a block (see
 * diff/structure.h): a value for each element of the part, and for each of the
 * read that this element depends on. All of them, with their rows and columns,
 * are in no order. */
#include "diff/matrix.h"
#include "diff/structure.h"
#include "graph/op.h"
#include "graph/view.h"

#include <string.h>

typedef struct Blocks {
    LIST(Node *) value, row, column;
    bool apart; /* some axis of a part is kept apart */
} Blocks;

/* The reads that a part depends on along the same of its axes, those in the
 * bits `along`. */
typedef struct Local {
    Part *part;
    unsigned along;
    int n;
    const Read **read;
    int (*axis)[MAX_RANK]; /* of the part; see structure_axes */
    Node **x;              /* the reads' parameters */
    Node **value;          /* axes of the part, then the read's others */
} Local;

Node *entries_size(Graph *g, const Node *like, const Dim *d)
{
    return g_broadcast_to(g, g_dim(g, DT_i64, d), like->rank, like->dim);
}

static Node *flat(Graph *g, Node *x) { return g_merge_axes(g, x, 0, x->rank); }

/* The elements of some tensors, numbered one after another from 1 up. */
static Node **numbers(const Matrix *m, int n, Node *const *x)
{
    Graph *g = m->g;
    Node **to = NEWN(m->arena, Node *, n + 1), *i;
    const Dim *from = dim_const(g, 1), *size;

    for (int k = 0; k < n; k++) {
        size = dim_product(g, x[k]->rank, x[k]->dim);
        i = g_iota(g, DT_i64, size);
        i = g2(g, OP_add, i, entries_size(g, i, from));
        to[k] = g_reshape(g, i, x[k]->rank, x[k]->dim);
        from = dim_add(g, from, size);
    }
    return to;
}

/* Blocks */

/* The axes of value k: those of the part and then the read's others. Which of
 * them goes with axis a of the read. */
static int axis_of_value(const Local *b, int k, int a)
{
    int own = b->part->value->rank;

    if (b->axis[k][a] >= 0)
        return b->axis[k][a];
    for (int i = 0; i < a; i++)
        own += b->axis[k][i] < 0;
    return own;
}

static bool value_fits(const Local *b, int k)
{
    int rank = b->part->value->rank;

    for (int a = 0; a < b->x[k]->rank; a++)
        rank += b->axis[k][a] < 0;
    return rank <= MAX_RANK;
}

/* x, whose axis i is axis at[i] of value k, as that. */
static Node *arranged(Graph *g, Node *x, const int *at)
{
    int perm[MAX_RANK];

    for (int i = 0; i < x->rank; i++)
        perm[at[i]] = i;
    return g_permute(g, x, perm);
}

/* One by one those elements of the part that are not kept apart. */
static bool local_by_rows(const Matrix *m, const Local *b, Node **to)
{
    Graph *g = m->g;
    Node *y = b->part->value;
    Seeds u = seeds_new(g, y, b->along);

    diff_reverse(g, 1, &y, &u.seed, b->n, b->x, to);
    if (!seeds_batch(g, &u, b->n, to))
        return false;
    for (int k = 0; k < b->n; k++) {
        int at[MAX_RANK], i = 0;

        for (int a = 0; a < y->rank; a++)
            if (!(b->along >> a & 1))
                at[i++] = a;
        for (int a = 0; a < b->x[k]->rank; a++)
            at[i++] = axis_of_value(b, k, a);
        to[k] = arranged(g, to[k], at);
    }
    return true;
}

static unsigned own_axes(const Local *b, int k)
{
    unsigned along = 0;

    for (int a = 0; a < b->x[k]->rank; a++)
        along |= (b->axis[k][a] >= 0 ? 1u : 0u) << a;
    return along;
}

/* One by one those elements of each read that are not kept apart. */
static bool local_by_columns(const Matrix *m, const Local *b, Node **to)
{
    Graph *g = m->g;
    Node *y = b->part->value;
    int at[MAX_RANK];

    for (int k = 0; k < b->n; k++) {
        Seeds u = seeds_new(g, b->x[k], own_axes(b, k));

        diff_forward(g, 1, &y, 1, &b->x[k], &u.seed, &to[k]);
        if (!seeds_batch(g, &u, 1, &to[k]))
            return false;
        for (int i = 0; i < u.n; i++)
            at[i] = y->rank + i;
        for (int a = 0; a < y->rank; a++)
            at[u.n + a] = a;
        to[k] = arranged(g, to[k], at);
    }
    return true;
}

/* How often the block's function is differentiated in reverse and in forward
 * mode. */
static const Dim *reverse_passes(Graph *g, const Local *b)
{
    const Dim *p = dim_const(g, 1);

    for (int a = 0; a < b->part->value->rank; a++)
        if (!(b->along >> a & 1))
            p = dim_mul(g, p, b->part->value->dim[a]);
    return p;
}

static const Dim *forward_passes(Graph *g, const Local *b)
{
    const Dim *sum = dim_const(g, 0), *p;

    for (int k = 0; k < b->n; k++) {
        p = dim_const(g, 1);
        for (int a = 0; a < b->x[k]->rank; a++)
            if (b->axis[k][a] < 0)
                p = dim_mul(g, p, b->x[k]->dim[a]);
        sum = dim_add(g, sum, p);
    }
    return sum;
}

static bool local_by_fewer(const Matrix *m, Local *b)
{
    Graph *g = m->g;
    const Dim *rows = reverse_passes(g, b), *columns = forward_passes(g, b);
    Smaller which = matrix_smaller(g, rows, columns);
    Node **other = NEWN(m->arena, Node *, b->n + 1), *fewer;

    if (which != SECOND_SMALLER && !local_by_rows(m, b, b->value))
        return false;
    if (which != FIRST_SMALLER && !local_by_columns(m, b, other))
        return false;
    Node *right = g_dim(g, DT_i64, columns);
    fewer = g2(g, OP_lt, g_dim(g, DT_i64, rows), right);
    for (int k = 0; k < b->n; k++)
        b->value[k] = which == FIRST_SMALLER ? b->value[k]
                      : which == SECOND_SMALLER
                          ? other[k]
                          : g_if(g, fewer, b->value[k], other[k]);
    return true;
}

/* x, whose axis i is axis at[i] of value, repeated along its others. */
static Node *spread(Graph *g, Node *x, const Node *value, const int *at)
{
    View v = {.rank = value->rank, .from = x->rank};

    for (int j = 0; j < v.rank; j++) {
        v.axis[j] = -1;
        v.size[j] = value->dim[j];
        v.coef[j] = dim_const(g, 0);
    }
    for (int i = 0; i < x->rank; i++) {
        v.axis[at[i]] = i;
        v.coef[at[i]] = dim_const(g, 1);
        v.base[i] = dim_const(g, 0);
    }
    return g_view(g, x, &v);
}

/* Of value k, or its like: a row for each element of the part. */
static Node *by_elements(Graph *g, const Local *b, Node *x)
{
    int rank = b->part->value->rank;
    const Dim *dim[2] = {dim_product(g, rank, x->dim),
                         dim_product(g, x->rank - rank, x->dim + rank)};

    return g_reshape(g, x, 2, dim);
}

static Node *columns_of(Graph *g, const Local *b, int k)
{
    int at[MAX_RANK];

    for (int a = 0; a < b->x[k]->rank; a++)
        at[a] = axis_of_value(b, k, a);
    return spread(g, b->read[k]->column, b->value[k], at);
}

/* What an element of the part depends on stands together. */
static void add_entries(const Matrix *m, const Local *b, Blocks *to)
{
    Graph *g = m->g;
    Arena *arena = m->arena;
    Node **value = NEWN(arena, Node *, b->n + 1), *row = flat(g, b->part->row);
    Node **column = NEWN(arena, Node *, b->n + 1);
    int first = 0;

    for (int k = 0; k < b->n; k++) {
        value[k] = by_elements(g, b, b->value[k]);
        column[k] = by_elements(g, b, columns_of(g, b, k));
    }
    value[0] = g_concat(g, b->n, value, 1);
    column[0] = g_concat(g, b->n, column, 1);
    row = spread(g, row, value[0], &first);
    list_push(arena, &to->value, flat(g, value[0]));
    list_push(arena, &to->row, flat(g, row));
    list_push(arena, &to->column, flat(g, column[0]));
}

static Local local_new(const Matrix *m, const Part *p, int most)
{
    size_t n = (size_t)most + 1;
    Arena *a = m->arena;

    return (Local){.part = arena_copy(a, p, sizeof *p),
                   .read = NEWN(a, const Read *, n),
                   .x = NEWN(a, Node *, n),
                   .axis = arena_alloc(a, n * sizeof(int[MAX_RANK])),
                   .value = NEWN(a, Node *, n)};
}

static void local_add(Local *b, const Read *r, const int *axis)
{
    b->read[b->n] = r;
    b->x[b->n] = r->param;
    memcpy(b->axis[b->n++], axis, sizeof b->axis[0]);
}

static Local local_copy(const Matrix *m, const Local *b)
{
    Local to = local_new(m, b->part, b->n);

    to.along = b->along;
    for (int k = 0; k < b->n; k++)
        local_add(&to, b->read[k], b->axis[k]);
    return to;
}

static unsigned axes_along(const int *axis)
{
    unsigned along = 0;

    for (int a = 0; a < MAX_RANK; a++)
        along |= axis[a] >= 0 ? 1u << axis[a] : 0;
    return along;
}

/* The read that number k is a part of, and that is part of none itself; -1: k
 * is such a one. */
static int part_of(Graph *g, const Local *b, int k, View *w)
{
    View other;

    for (int i = 0; i < b->n; i++) {
        int of = 0;

        if (!read_within(g, b->read[k], b->read[i], w))
            continue;
        while (of < b->n && !read_within(g, b->read[i], b->read[of], &other))
            of++;
        if (of == b->n)
            return i;
    }
    return -1;
}

/* Those with of[k] < 0; false: they no longer go with the same axes. */
static bool keep_reads(const Matrix *m, Local *b, const int *of)
{
    int n = 0;

    for (int k = 0; k < b->n; k++) {
        if (of[k] >= 0)
            continue;
        b->x[n] = b->x[k];
        b->read[n] = b->read[k];
        structure_axes(m->g, b->part->value, b->x[n], b->axis[n]);
        if (axes_along(b->axis[n++]) != b->along)
            return false;
    }
    b->n = n;
    return true;
}

/* A read that is a part of another is taken from that. */
static void read_within_others(const Matrix *m, Local *b)
{
    Graph *g = m->g;
    Local old = local_copy(m, b);
    int *of = NEWN(m->arena, int, b->n + 1);
    View w;

    for (int k = 0; k < b->n; k++) {
        of[k] = part_of(g, b, k, &w);
        if (of[k] >= 0) {
            Node *x = g_view(g, b->x[of[k]], &w);
            graph_subst(g, 1, &b->x[k], &x, 1, &b->part->value);
        }
    }
    if (!keep_reads(m, b, of))
        *b = old;
}

/* Read number `first` and all later ones that go with the same axes; those that
 * were taken are marked. */
static Local local_from(const Matrix *m, const Structure *s, const Part *p,
                        int first, int (*axis)[MAX_RANK], bool *taken)
{
    Local b = local_new(m, p, s->read.n);

    b.along = axes_along(axis[first]);
    for (int r = first; r < s->read.n; r++) {
        if (taken[r] || axes_along(axis[r]) != b.along)
            continue;
        taken[r] = true;
        local_add(&b, &s->read.at[r], axis[r]);
    }
    return b;
}

static void read_again(Graph *g, const Structure *s, Node **value)
{
    int n = s->read.n;
    Arena *scratch = arena_new();
    Node **from = NEWN(scratch, Node *, n + 1);
    Node **to = NEWN(scratch, Node *, n + 1);

    for (int i = 0; i < n; i++) {
        from[i] = s->read.at[i].param;
        to[i] = s->read.at[i].value;
    }
    graph_subst(g, n, from, to, 1, value);
    arena_free(scratch);
}

/* For --explain: all elements of a part by all of what it reads. */
static void log_dense(const Matrix *m, const Structure *s, const Local *b)
{
    Node *of = b->part->value;

    if (!m->sparse || b->along || of->rank == 0)
        return;
    read_again(m->g, s, &of);
    for (int k = 0; k < b->n; k++)
        if (b->x[k]->rank > 0)
            graph_log(m->g, "dense derivative", of, b->read[k]->value);
}

static bool local_entries(const Matrix *m, const Structure *s, Local *b,
                          Blocks *to)
{
    to->apart = to->apart || b->along;
    log_dense(m, s, b);
    read_within_others(m, b);
    for (int k = 0; k < b->n; k++)
        if (!value_fits(b, k))
            return false;
    if (!local_by_fewer(m, b))
        return false;
    add_entries(m, b, to);
    return true;
}

static bool part_entries(const Matrix *m, const Structure *s, const Part *p,
                         Blocks *to)
{
    size_t n = (size_t)s->read.n + 1;
    int(*axis)[MAX_RANK] = arena_alloc(m->arena, n * sizeof *axis);
    bool *taken = NEWN(m->arena, bool, n);

    for (int r = 0; r < s->read.n; r++)
        taken[r] =
            !structure_axes(m->g, p->value, s->read.at[r].param, axis[r]);
    for (int r = 0; r < s->read.n; r++) {
        Local b;

        if (taken[r])
            continue;
        b = local_from(m, s, p, r, axis, taken);
        if (!local_entries(m, s, &b, to))
            return false;
    }
    return true;
}

/* All of a list, one after another. */
static Node *joined(Graph *g, int n, Node *const *x, DType t)
{
    const Dim *none = dim_const(g, 0);

    if (n == 0)
        return g_data(g, t, 1, &none, NULL);
    return n == 1 ? x[0] : g_concat(g, n, x, 0);
}

/* The type that holds all of them. */
static DType widest(int n, Node *const *x)
{
    DType t = x[0]->dtype;

    for (int i = 1; i < n; i++)
        t = x[i]->dtype == DT_f64 ? DT_f64 : t;
    return t;
}

bool matrix_entries(const Matrix *m, Entries *to)
{
    Graph *g = m->g;
    Node **row = numbers(m, m->ny, m->y), **column = numbers(m, m->nx, m->x);
    Structure s =
        structure_of(g, m->arena, m->ny, m->y, row, m->nx, m->x, column);
    Blocks b = {.apart = false};
    DType t = widest(m->ny, m->y);

    for (int i = 0; i < s.part.n; i++)
        if (!part_entries(m, &s, &s.part.at[i], &b))
            return false;
    for (int i = 0; i < b.value.n; i++)
        b.value.at[i] = g_cast(g, t, b.value.at[i]);
    to->value = joined(g, b.value.n, b.value.at, t);
    to->row = joined(g, b.row.n, b.row.at, DT_i64);
    to->column = joined(g, b.column.n, b.column.at, DT_i64);
    to->apart = b.apart;
    read_again(g, &s, &to->value);
    return true;
}

Node *entries_there(Graph *g, const Entries *e)
{
    Node *zero = g_fill(g, e->row, 0);

    Node *right = g2(g, OP_lt, zero, e->column);
    return g2(g, OP_and, g2(g, OP_lt, zero, e->row), right);
}

Node *entries_place(Graph *g, const Entries *e, const Dim *columns, Node *none)
{
    Node *there = entries_there(g, e), *one = g_fill(g, e->row, 1);
    Node *right = entries_size(g, e->row, columns);
    Node *place = g2(g, OP_mul, g2(g, OP_sub, e->row, one), right);

    place = g2(g, OP_add, place, g2(g, OP_sub, e->column, one));
    return g_where(g, there, place, none);
}
