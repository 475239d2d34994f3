/* structure.c: diagonals, outer products and symmetry of what is computed.
 *
 * The diagonal of an elementwise formula is one of the diagonals, that of a
 * product a product of the rows with the columns alone. An outer product is as
 * many numbers as its two vectors: a product with it, or with a sum of such and
 * of diagonal matrices, is one with each. A matrix that is made the same way
 * from both sides is its own transpose.
 *
 * Sums that are compared stay as they were made: in another order one may be
 * rounded otherwise, and be no longer its own maximum. */
#include "graph/ops/ops.h"

#include <string.h>

/* So much of a formula is looked at: what is longer stays as it is. */
enum { MOST = 32 };

/* Diagonals along axes a and a + 1, which become axis a. */

typedef struct Look {
    Graph *g;
    int left; /* below 0: the formula is too long */
} Look;

Node *g_diagonal(Graph *g, Node *x, int a)
{
    const Dim *n = x->dim[a];
    View v;
    x = g_merge_axes(g, x, a, 2);
    v = view_whole(g, x);
    v.size[a] = n;
    v.coef[a] = dim_add(g, n, dim_const(g, 1));
    return g_view(g, x, &v);
}

static Node *diagonal(Look *k, Node *x, int a);

/* Where too much was looked at, anything. */
static Node *pushed_or_read(Look *k, Node *x, int a)
{
    Node *y = diagonal(k, x, a);
    return y || k->left < 0 ? y : g_diagonal(k->g, x, a);
}

static Node *of_repeated(Look *k, const Node *x, int a)
{
    int axis[MAX_RANK], rank = 0, p = x->attr.ints[a], q = x->attr.ints[a + 1];
    const Dim *dim[MAX_RANK];
    Node *of = x->arg[0];
    bool both = p >= 0 && q >= 0;
    for (int i = 0; i < x->rank; i++) {
        int from = i == a && p < 0 ? q : x->attr.ints[i];
        if (i == a + 1)
            continue;
        dim[rank] = x->dim[i];
        axis[rank++] = both && from > p ? from - 1 : from;
    }
    if (both)
        of = pushed_or_read(k, of, p);
    return k->left < 0 ? NULL : g_broadcast(k->g, of, rank, dim, axis);
}

/* Σ_k x[i, k] y[k, i]: rows and columns in step. */
static Node *of_contract(Graph *g, const Node *x, int a)
{
    int l[2 * MAX_RANK], lout[MAX_RANK], rank = 0, n = x->arg[0]->rank;
    for (int i = 0; i < x->attr.nint; i++)
        l[i] = x->attr.ints[i] == a + 1 ? a : x->attr.ints[i];
    for (int k = 0; k < 2; k++) {
        int times = 0;
        for (int i = k ? n : 0; i < (k ? x->attr.nint : n); i++)
            times += l[i] == a;
        if (times > 1)
            return NULL;
    }
    for (int i = 0; i < x->rank; i++)
        if (i != a + 1)
            lout[rank++] = i;
    return g_contract(g, x->arg[0], l, x->arg[1], l + n, rank, lout);
}

/* Is each element of x made of the same one of all arguments. */
static bool by_elements(const Graph *g, const Node *x)
{
    OpClass cls = op_table[x->op]->cls;
    if ((cls != OPC_ewise && x->op != OP_where) || node_can_fail(g, x))
        return false;
    return x->narg > 0;
}

/* Would x's diagonal be made of other operations, which may come to be rounded
 * otherwise than those that make x. */
static bool is_rounded(Look *k, const Node *x)
{
    bool real = dtype_is_real((DType)x->dtype);
    bool is = k->left-- <= 0 || x->op == OP_contract ||
              (real && x->narg > 0 && op_table[x->op]->cls == OPC_ewise);
    if (node_repeats(x) || node_permutes(x) || by_elements(k->g, x))
        for (int i = 0; i < x->narg && !is; i++)
            is = is_rounded(k, x->arg[i]);
    return is;
}

/* Is x a comparison of two numbers that stay as they were made: of the largest
 * and of what it is the largest of. */
static bool compares_rounded(Graph *g, const Node *x)
{
    Look k = {g, MOST};
    return op_table[x->op]->flags & OP_TO_BOOL &&
           !node_is_any_const(x->arg[0]) && !node_is_any_const(x->arg[1]) &&
           (is_rounded(&k, x->arg[0]) || is_rounded(&k, x->arg[1]));
}

static Node *of_elements(Look *k, const Node *x, int a)
{
    Node *arg[3];
    if (compares_rounded(k->g, x))
        return NULL;
    for (int i = 0; i < x->narg; i++)
        arg[i] = pushed_or_read(k, x->arg[i], a);
    return k->left < 0 ? NULL
                       : graph_make(k->g, (OpId)x->op, (DType)x->dtype, x->narg,
                                    arg, &x->attr);
}

/* In less than reading it would take, or NULL. */
static Node *diagonal(Look *k, Node *x, int a)
{
    if (k->left-- <= 0)
        return NULL;
    if (node_repeats(x))
        return of_repeated(k, x, a);
    if (x->op == OP_contract)
        return of_contract(k->g, x, a);
    if (by_elements(k->g, x))
        return of_elements(k, x, a);
    if (node_permutes(x) && x->rank == 2)
        return pushed_or_read(k, x->arg[0], a);
    return NULL;
}

Node *view_diagonal(Graph *g, const Node *n)
{
    View v = view_of(n);
    Node *joined = n->arg[0], *x;
    Look k = {g, MOST};
    if (joined->op != OP_reshape || graph_is_reading(g))
        return NULL;
    x = joined->arg[0];
    for (int j = 0; j < v.rank; j++) {
        int a = v.axis[j];
        if (x->rank != joined->rank + 1 || x->dim[a] != v.size[j] ||
            x->dim[a + 1] != v.size[j] || !dim_is(v.base[a], 0) ||
            v.coef[j] != dim_add(g, v.size[j], dim_const(g, 1)))
            continue;
        for (int i = 0; i < joined->rank; i++)
            if (i != a && joined->dim[i] != x->dim[i + (i > a)])
                return NULL;
        x = diagonal(&k, x, a);
        v.coef[j] = dim_const(g, 1);
        return x && k.left >= 0 ? g_view(g, x, &v) : NULL;
    }
    return NULL;
}

/* Outer products */

/* x, an operand of contract n with labels l, as u (spread along axes that the
 * result has) times w, which lacks an axis that the operand alone has. */
static bool is_outer(const Node *n, const Node *x, const int *l,
                     const Node *other, const int *lother, const Node *u,
                     const Node *w)
{
    bool outside = true, smaller = false;
    if (!node_repeats(u) || !node_repeats(w))
        return false;
    for (int i = 0; i < x->rank; i++) {
        bool alone = true;
        for (int k = 0; k < other->rank; k++)
            alone = alone && lother[k] != l[i];
        outside = outside && (u->attr.ints[i] < 0 || l[i] < n->rank);
        smaller = smaller || (alone && w->attr.ints[i] < 0);
    }
    return outside && smaller;
}

/* A product with w alone, times u. */
static Node *contract_outer(Graph *g, const Node *n, const Node *x,
                            const int *l, Node *other, const int *lother,
                            Node *u, Node *w)
{
    int lout[MAX_RANK], axis[MAX_RANK];
    Node *y;
    for (int i = 0; i < n->rank; i++) {
        lout[i] = i;
        axis[i] = -1;
    }
    for (int i = 0; i < x->rank; i++)
        if (u->attr.ints[i] >= 0)
            axis[l[i]] = u->attr.ints[i];
    y = g_contract(g, other, lother, w, l, n->rank, lout);
    u = g_broadcast(g, u->arg[0], n->rank, n->dim, axis);
    return g2(g, OP_mul, u, y);
}

/* where(c, v, 0) of what is equal along two axes, or u w. */
static bool is_sparse(const Node *x)
{
    if (x->op == OP_neg)
        x = x->arg[0];
    if (x->op == OP_where)
        return node_is_const(x->arg[2], 0) && x->arg[0]->op == OP_eq;
    return x->op == OP_mul && node_repeats(x->arg[0]) &&
           node_repeats(x->arg[1]);
}

/* Of a sum of such, the sum of the products; NULL where one is none less. */
static Node *contract_terms(Graph *g, const Node *n, const Node *x,
                            const int *l, Node *other, const int *lother)
{
    int lout[MAX_RANK];
    Node *y[2];
    if ((x->op != OP_add && x->op != OP_sub) || !is_sparse(x->arg[0]) ||
        !is_sparse(x->arg[1]))
        return NULL;
    for (int i = 0; i < n->rank; i++)
        lout[i] = i;
    for (int i = 0; i < 2; i++) {
        y[i] = g_contract(g, other, lother, x->arg[i], l, n->rank, lout);
        if (y[i]->op == OP_contract &&
            (y[i]->arg[0] == x->arg[i] || y[i]->arg[1] == x->arg[i]))
            return NULL;
    }
    return g2(g, (OpId)x->op, y[0], y[1]);
}

/* Symmetry of matrices */

/* A factor of a product, or what it is divided by, with the label of each of
 * its axes. */
typedef struct Labelled {
    const Node *x;
    bool under;
    int l[MAX_RANK];
} Labelled;

typedef struct Factors {
    Labelled at[MOST];
    int n, looked;
    bool under; /* what is read is divided by */
    bool less;  /* times -1 */
} Factors;

static bool take_factors(Factors *f, const Node *x, const int *l);

/* x's argument, whose axis ints[i] is x's axis i. */
static bool take_moved(Factors *f, const Node *x, const int *l)
{
    int of[MAX_RANK];
    for (int i = 0; i < x->rank; i++)
        if (x->attr.ints[i] >= 0)
            of[x->attr.ints[i]] = l[i];
    return take_factors(f, x->arg[0], of);
}

static bool take_factors(Factors *f, const Node *x, const int *l)
{
    if (f->looked++ >= MOST) /* and so no more factors than that */
        return false;
    if (node_is_product(x))
        return take_factors(f, x->arg[0], l) && take_factors(f, x->arg[1], l);
    if (x->op == OP_neg) {
        f->less = !f->less;
        return take_factors(f, x->arg[0], l);
    }
    if (x->op == OP_div && dtype_is_real(x->dtype)) {
        bool good = take_factors(f, x->arg[0], l);
        f->under = !f->under;
        good = good && take_factors(f, x->arg[1], l);
        f->under = !f->under;
        return good;
    }
    if (node_repeats(x) || node_permutes(x))
        return take_moved(f, x, l);
    f->at[f->n].x = x;
    f->at[f->n].under = f->under;
    memcpy(f->at[f->n++].l, l, sizeof *l * (size_t)x->rank);
    return true;
}

static int exchanged(int label) { return label < 2 ? 1 - label : label; }

static bool are_exchanged(const Labelled *a, const Labelled *b)
{
    if (a->x != b->x || a->under != b->under)
        return false;
    for (int i = 0; i < a->x->rank; i++)
        if (exchanged(a->l[i]) != b->l[i])
            return false;
    return true;
}

/* Is a, with these labels, what b is where labels 0 and 1 are exchanged. */
static bool are_transposed(const Node *a, const Node *b, const int *l)
{
    Factors f = {.n = 0}, h = {.n = 0};
    return take_factors(&f, a, l) && take_factors(&h, b, l) && f.n == 1 &&
           h.n == 1 && f.less == h.less && are_exchanged(&f.at[0], &h.at[0]);
}

/* What labels 0 and 1 being exchanged makes of something: the same, its
 * opposite, or what is not known. */
typedef enum Parity {
    PARITY_none = 0,
    PARITY_even = 1,
    PARITY_odd = -1
} Parity;

/* A difference of what is the same from both sides. */
static bool is_odd(const Labelled *a)
{
    return a->x->op == OP_sub &&
           are_transposed(a->x->arg[0], a->x->arg[1], a->l);
}

static Parity factors_parity(const Factors *f)
{
    bool used[MOST] = {false};
    Parity all = PARITY_even;
    for (int i = 0; i < f->n; i++) {
        int k = 0;
        while (k < f->n && (used[k] || !are_exchanged(&f->at[i], &f->at[k])))
            k++;
        if (k == f->n && !is_odd(&f->at[i]))
            return PARITY_none;
        if (k == f->n)
            all = all == PARITY_even ? PARITY_odd : PARITY_even;
        else
            used[k] = true;
    }
    return all;
}

static Parity product_parity(const Node *x, const int *l)
{
    Factors f = {.n = 0};
    if (x->op != OP_contract)
        return take_factors(&f, x, l) ? factors_parity(&f) : PARITY_none;
    return take_factors(&f, x->arg[0], x->attr.ints) &&
                   take_factors(&f, x->arg[1], x->attr.ints + x->arg[0]->rank)
               ? factors_parity(&f)
               : PARITY_none;
}

/* 0 but where both places are the same. Of a matrix. */
static bool is_diagonal(const Node *x)
{
    static const int own[] = {0, 1};
    const Node *c = x->narg ? x->arg[0] : x;
    return x->op == OP_where && x->rank == 2 && node_is_const(x->arg[2], 0) &&
           c->op == OP_eq && node_repeated(c->arg[0])->op == OP_iota &&
           are_transposed(c->arg[0], c->arg[1], own);
}

/* Is matrix x. */
static bool is_symmetric(const Node *x, int *left)
{
    static const int own[] = {0, 1};
    bool each = true;
    if ((*left)-- <= 0)
        return false;
    if (product_parity(x, own) == PARITY_even)
        return true;
    if (op_table[x->op]->cls != OPC_ewise && x->op != OP_where)
        return false;
    if (is_diagonal(x) ||
        (op_table[x->op]->flags & OP_COMMUTES && x->narg == 2 &&
         are_transposed(x->arg[0], x->arg[1], own)))
        return true;
    for (int i = 0; i < x->narg && each; i++)
        each = node_is_any_const(x->arg[i]) || is_symmetric(x->arg[i], left);
    return each;
}

Node *permute_symmetric(const Node *n)
{
    int left = MOST;
    return n->rank == 2 && is_symmetric(n->arg[0], &left) ? n->arg[0] : NULL;
}

/* What x is where axes p and q are exchanged. */
static Parity parity_of(const Node *x, int p, int q)
{
    int l[MAX_RANK], left = MOST;
    if (x->rank == 2 && is_symmetric(x, &left))
        return PARITY_even;
    if (x->op != OP_sub)
        return PARITY_none;
    for (int i = 0; i < x->rank; i++)
        l[i] = i == p ? 0 : i == q ? 1 : i + 2;
    return product_parity(x, l);
}

/* The labels of two axes of x, which is its own transpose or the opposite of
 * that, in one order. */
static Node *contract_symmetric(Graph *g, const Node *n, Node *x, const int *l,
                                Node *other, const int *lother)
{
    int lout[MAX_RANK], turned[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        lout[i] = i;
    for (int q = 1; q < x->rank; q++)
        for (int p = 0; p < q; p++) {
            Parity parity = l[p] < l[q] ? PARITY_none : parity_of(x, p, q);
            if (parity == PARITY_none)
                continue;
            memcpy(turned, l, sizeof *l * (size_t)x->rank);
            turned[p] = l[q];
            turned[q] = l[p];
            Node *y = g_contract(g, other, lother, x, turned, n->rank, lout);
            return parity == PARITY_odd ? g1(g, OP_neg, y) : y;
        }
    return NULL;
}

/* Diagonals, of less than a number for each place. */

/* Reads x as what there is where `cond` holds and what else. */
static bool read_diagonal_of(Graph *g, Node *x, Node **cond, Node **then,
                             Node **rest)
{
    *then = *rest = x;
    if (node_is_any_const(x))
        return true;
    if (!is_band(g, x) || (*cond && *cond != x->arg[0]))
        return false;
    *cond = x->arg[0];
    *then = x->arg[1];
    *rest = x->arg[2];
    return true;
}

Node *elements_of_diagonal(Graph *g, const Node *n)
{
    Node *cond = NULL, *then[MAX_INPUTS], *rest[MAX_INPUTS];
    Node *bands = elements_of_bands(g, n);
    if (bands)
        return bands;
    for (int i = 0; i < n->narg; i++)
        if (!read_diagonal_of(g, n->arg[i], &cond, &then[i], &rest[i]))
            return NULL;
    if (!cond)
        return NULL;
    Node *x = graph_make(g, n->op, n->dtype, n->narg, then, &n->attr);
    Node *y = graph_make(g, n->op, n->dtype, n->narg, rest, &n->attr);
    return node_repeats(x) && node_is_any_const(y) ? g_where(g, cond, x, y)
                                                   : NULL;
}

/* y, which is the same along one axis of two, along the other. */
static Node *turned(Graph *g, const Node *y)
{
    int axis[2] = {y->attr.ints[1], y->attr.ints[0]};
    return g_broadcast(g, y->arg[0], 2, y->dim, axis);
}

Node *product_of_diagonal(Graph *g, Node *x, Node *y)
{
    if (y->rank != 2 || !is_diagonal(x) || !node_repeats(y) ||
        y->arg[0]->rank != 1)
        return NULL;
    Node *v = x->arg[1];
    if (node_repeats(v) && v->attr.ints[0] != y->attr.ints[0])
        y = turned(g, y);
    return g_where(g, x->arg[0], g2(g, OP_mul, v, y), x->arg[2]);
}

/* Contractions */

Node *contract_structure(Graph *g, const Node *n)
{
    for (int k = 0; k < 2; k++) {
        Node *x = n->arg[k], *other = n->arg[1 - k], *y = NULL;
        const int *l = n->attr.ints + (k ? other->rank : 0);
        const int *lother = n->attr.ints + (k ? 0 : x->rank);
        for (int i = 0; x->op == OP_mul && i < 2 && !y; i++) {
            Node *u = x->arg[i], *w = x->arg[1 - i];
            if (is_outer(n, x, l, other, lother, u, w))
                y = contract_outer(g, n, x, l, other, lother, u, w);
        }
        if (!y)
            y = contract_terms(g, n, x, l, other, lother);
        if (!y)
            y = contract_symmetric(g, n, x, l, other, lother);
        if (y)
            return y;
    }
    return NULL;
}
