/* shown_matrix.c: what is written with matrices: products, diagonals. */
#include "graph/ops/shown.h"

#include <string.h>

/* The vector that n repeats along all axes of two but this one; or NULL. */
static const Node *vector_along(const Node *n, int axis)
{
    bool vector = node_repeats(n) && n->rank == 2 && n->arg[0]->rank == 1 &&
                  n->attr.ints[axis] == 0;
    return vector ? n->arg[0] : NULL;
}

/* Elementwise */

static const Form *with_rank(FormMaker *m, const Form *f, int rank)
{
    Form *own = arena_copy(m->arena, f, sizeof *own);
    own->rank = rank;
    return own;
}

static const Form *diagonal_of(FormMaker *m, const Form *v)
{
    static const Shown diag = {FORM_call, "diag", "diag", NULL};
    return with_rank(m, form_make(m, FORM_call, &diag, 1, &v), 2);
}

static const Form *identity(FormMaker *m, const Node *n)
{
    static const Shown eye = {FORM_call, "eye", "eye", NULL};
    const Form *size = form_dim(m, n->dim[0]);
    if (!m->taken(m, "I"))
        return form_name(m, "I", 2);
    return with_rank(m, form_make(m, FORM_call, &eye, 1, &size), 2);
}

/* Is n a condition that holds on the diagonal alone: places along one axis are
 * those along the other one. */
static bool is_diagonal(const Node *n)
{
    for (int axis = 0; n->op == OP_eq && axis < 2; axis++) {
        const Node *i = vector_along(n->arg[0], axis);
        if (i && i->op == OP_iota && i == vector_along(n->arg[1], 1 - axis))
            return true;
    }
    return false;
}

static bool is_identity(const Node *n)
{
    if (n->op == OP_cast)
        return is_diagonal(n->arg[0]);
    return n->op == OP_where && is_diagonal(n->arg[0]) &&
           node_is_const(n->arg[1], 1) && node_is_const(n->arg[2], 0);
}

/* diag(v), or a number times the identity. */
static const Form *diagonal(FormMaker *m, const Node *n)
{
    if (is_identity(n))
        return identity(m, n);
    if (n->op != OP_where || !is_diagonal(n->arg[0]) ||
        !node_is_const(n->arg[2], 0))
        return NULL;
    const Node *x = n->arg[1];
    for (int axis = 0; axis < 2; axis++)
        if (vector_along(x, axis))
            return diagonal_of(m, m->named(m, vector_along(x, axis)));
    const Form *c =
        node_repeats(x) && x->arg[0]->rank == 0 ? m->whole(m, x->arg[0]) : NULL;
    return c ? form2(m, FORM_product, c, identity(m, n)) : NULL;
}

/* v along one axis times (I - w along the other one). */
static const Form *diagonal_less(FormMaker *m, const Node *v, int axis,
                                 const Node *n)
{
    const Node *w = n->op == OP_sub ? vector_along(n->arg[1], 1 - axis) : NULL;
    if (!w || !is_identity(n->arg[0]))
        return NULL;
    const Form *x = m->named(m, v), *y = m->named(m, w);
    return form2(m, FORM_difference, diagonal_of(m, x),
                 form2(m, FORM_outer, axis ? y : x, axis ? x : y));
}

/* A product x yᵀ, or of a matrix whose rows or columns are multiplied. */
static const Form *product_of_vectors(FormMaker *m, const Node *n)
{
    for (int i = 0; i < 2; i++) {
        const Node *x = vector_along(n->arg[i], 0), *other = n->arg[1 - i];
        const Node *y = vector_along(other, 1);
        if (x && y)
            return form2(m, FORM_outer, m->named(m, x), m->named(m, y));
    }
    for (int i = 0; i < 4 && !m->literal; i++) {
        const Node *x = vector_along(n->arg[i / 2], i % 2);
        const Node *other = n->arg[1 - i / 2];
        const Form *less = x ? diagonal_less(m, x, i % 2, other) : NULL;
        const Form *f = x && i % 2 == 0 ? m->whole(m, other) : NULL;
        if (less)
            return less;
        if (f && !f->spread)
            return form2(m, FORM_matrix, diagonal_of(m, m->named(m, x)),
                         m->named(m, other));
    }
    return NULL;
}

const Form *shown_matrix(FormMaker *m, const Node *n)
{
    if (n->rank != 2)
        return NULL;
    if (op_table[n->op]->shown.kind == FORM_product ||
        op_table[n->op]->shown.kind == FORM_strong)
        return product_of_vectors(m, n);
    return m->literal ? NULL : diagonal(m, n);
}

/* Contractions */

/* M of M diag(v), M's rows times vectors; v is 1 in `by` else. */
static const Node *unscaled(FormMaker *m, const Node *x, const Form **by)
{
    for (int i = 0; i < 2 && node_is_product(x); i++) {
        const Node *v = vector_along(x->arg[i], 1), *other = x->arg[1 - i];
        const Form *f = v ? m->whole(m, other) : NULL;
        if (!f || f->spread)
            continue;
        f = m->named(m, v);
        *by = *by ? form2(m, FORM_product, *by, f) : f;
        x = other;
        i = -1;
    }
    return x;
}

/* x, written as M diag(v) if it is that and has no name yet. */
static const Form *scaled(FormMaker *m, const Node *x)
{
    const Form *f = m->named(m, x), *by = NULL;
    if (m->literal || f->kind != FORM_product)
        return f;
    x = unscaled(m, x, &by);
    return by ? form2(m, FORM_matrix, m->named(m, x), diagonal_of(m, by)) : f;
}

/* x as a matrix whose rows are label `row`, or a vector. */
static const Form *as_matrix(FormMaker *m, const Node *x, bool turned)
{
    const Form *f = scaled(m, x);
    if (turned && f->kind == FORM_transpose)
        return f->arg[0];
    return turned ? form1(m, FORM_transpose, f) : f;
}

/* The product of two matrices or vectors; NULL: it has more axes. */
static const Form *matrix_product(FormMaker *m, const Node *n)
{
    const Node *a = n->arg[0], *b = n->arg[1];
    const int *la = n->attr.ints, *lb = la + a->rank;
    if (a->rank == 1 && b->rank == 1 && n->rank == 0)
        return form2(m, FORM_dot, m->named(m, a), m->named(m, b));
    if (a->rank == 1 && b->rank == 1 && n->rank == 2)
        return form2(m, FORM_outer, m->named(m, la[0] ? b : a),
                     m->named(m, la[0] ? a : b));
    if (a->rank == 2 && b->rank == 1 && n->rank == 1)
        return form2(m, FORM_matrix, as_matrix(m, a, la[1] == 0),
                     m->named(m, b));
    if (a->rank == 1 && b->rank == 2 && n->rank == 1)
        return form2(m, FORM_matrix, as_matrix(m, b, lb[1] == 0),
                     m->named(m, a));
    if (a->rank != 2 || b->rank != 2 || n->rank != 2)
        return NULL;
    bool first = la[0] == 0 || la[1] == 0; /* a has the rows */
    const Node *l = first ? a : b, *r = first ? b : a;
    const int *ll = first ? la : lb, *lr = first ? lb : la;
    return form2(m, FORM_matrix, as_matrix(m, l, ll[0] != 0),
                 as_matrix(m, r, lr[1] != 1));
}

/* Is it written xᵀ y, and not as a sum of powers. */
static bool is_dot(FormMaker *m, const Node *a, const Node *b)
{
    const Form *x = m->whole(m, a), *y = m->whole(m, b);
    if (!x || !y || m->literal)
        return x && y;
    return !form_same_base(x, y) ||
           (x->kind != FORM_power && y->kind != FORM_power);
}

const Form *shown_product(FormMaker *m, const Node *n)
{
    bool matrices = n->rank || is_dot(m, n->arg[0], n->arg[1]);
    return matrices ? matrix_product(m, n) : NULL;
}
