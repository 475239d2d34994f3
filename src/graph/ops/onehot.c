/* onehot.c: sums over what is zero but at one place.
 *
 * A factor 1 where k = q and 0 elsewhere makes a sum over k the term at k = q,
 * and a sum over what q depends on, for each k, one of the terms that belong to
 * this k: a scatter. The other terms are not looked at, so a NaN or an infinity
 * among them does not reach the sum: to select is what such a factor is written
 * for. */
#include "graph/ops/labelled.h"

/* So few sums of all terms, most of which are zero, are one pass. */
enum { MAX_FACTORS = 4, FEW_SUMS = 16 };

/* A factor: value where the place along `axis` is q, else 0. */
typedef struct OneHot {
    bool spread; /* wanted: one whose axis is kept; else one that is summed */
    int axis;
    Labelled q, value; /* labels: the factor's axes */
} OneHot;

Labelled labelled(Node *x)
{
    Labelled to = {.x = x};
    for (int i = 0; i < x->rank; i++)
        to.l[i] = i;
    if (!node_repeats(x))
        return to;
    to.x = x->arg[0];
    for (int i = 0; i < x->rank; i++)
        if (x->attr.ints[i] >= 0)
            to.l[x->attr.ints[i]] = i;
    return to;
}

/* The axis along which p is 0, 1, … up to its size, if it is the same along
 * all others; or -1. */
static int counter_axis(Graph *g, const Node *p)
{
    const Dim *base;
    int axis = affine_counter(g, p, &base);
    return axis >= 0 && dim_is(base, 0) ? axis : -1;
}

static bool index_inside(Graph *g, const Node *q, const Dim *n)
{
    Affine a;
    while (q->op == OP_cast && dtype_is_int(q->arg[0]->dtype))
        q = q->arg[0];
    if (q->op == OP_index_check)
        return q->attr.dims[0] == n;
    return affine_of(g, q, &a) && bound_all_inside(g, q, n);
}

/* k == q along an axis that is summed. */
static bool is_delta(Graph *g, Node *c, const bool *summed, OneHot *to)
{
    for (int i = 0; c->op == OP_eq && i < 2; i++) {
        int axis = counter_axis(g, c->arg[i]);
        if (axis < 0 || !summed[axis])
            continue;
        to->axis = axis;
        to->q = labelled(c->arg[1 - i]);
        if (find_label(axis, to->q.x->rank, to->q.l) < 0 &&
            index_inside(g, to->q.x, c->dim[axis]))
            return true;
    }
    return false;
}

void relabel(Labelled *x, const int *l)
{
    for (int i = 0; i < x->x->rank; i++)
        x->l[i] = l[x->l[i]];
}

/* Are all axes of the tensor summed, and is there one. */
static bool all_summed(const Labelled *x, const bool *summed)
{
    for (int i = 0; i < x->x->rank; i++)
        if (!summed[x->l[i]])
            return false;
    return x->x->rank > 0;
}

/* k == q along an axis that is kept, of places that are data, for the others
 * are views. */
static bool is_spread(Graph *g, Node *c, const bool *summed, OneHot *to)
{
    Labelled in = labelled(c);
    for (int i = 0; in.x->op == OP_eq && i < 2; i++) {
        int axis = counter_axis(g, in.x->arg[i]);
        int64_t few;
        Affine a;
        if (axis < 0 || summed[in.l[axis]] ||
            (dim_const_value(in.x->dim[axis], &few) && few <= FEW_SUMS))
            continue;
        to->axis = in.l[axis];
        to->q = labelled(in.x->arg[1 - i]);
        relabel(&to->q, in.l);
        if (all_summed(&to->q, summed) && !affine_of(g, to->q.x, &a))
            return true;
    }
    return false;
}

static bool is_place(Graph *g, Node *c, const bool *summed, OneHot *to)
{
    return to->spread ? is_spread(g, c, summed, to)
                      : is_delta(g, c, summed, to);
}

/* Of value where c holds, else 0. */
static bool onehot_where(Graph *g, Node *c, Node *value, const bool *summed,
                         OneHot *to)
{
    Node *rest = NULL;
    if (c->op == OP_and) {
        for (int i = 0; i < 2 && !rest; i++)
            if (is_place(g, c->arg[i], summed, to))
                rest = c->arg[1 - i];
        if (!rest)
            return false;
        value = g_where(g, rest, value, g_fill(g, value, 0));
    } else if (!is_place(g, c, summed, to)) {
        return false;
    }
    to->value = labelled(value);
    return true;
}

/* Is x such a factor; `summed` by axis. */
static bool onehot(Graph *g, Node *x, const bool *summed, int depth, OneHot *to)
{
    if (x->op == OP_where && node_is_const(x->arg[2], 0))
        return onehot_where(g, x->arg[0], x->arg[1], summed, to);
    if (x->op == OP_cast) /* of a bool, or there is nothing to find in it */
        return onehot_where(g, x->arg[0], g_fill(g, x, 1), summed, to);
    for (int i = 0; node_is_product(x) && i < 2 && depth < MAX_FACTORS; i++) {
        Node *f = x->arg[i], *other = x->arg[1 - i];
        bool inner[MAX_RANK] = {false};
        Labelled in = labelled(f);
        for (int k = 0; k < in.x->rank; k++)
            inner[k] = summed[in.l[k]];
        if (!onehot(g, in.x, inner, depth + 1, to))
            continue;
        to->axis = in.l[to->axis];
        for (int k = 0; k < to->q.x->rank; k++)
            to->q.l[k] = in.l[to->q.l[k]];
        int axis[MAX_RANK];
        for (int k = 0; k < x->rank; k++)
            axis[k] = -1;
        for (int k = 0; k < to->value.x->rank; k++)
            axis[in.l[to->value.l[k]]] = k;
        Node *v = g_broadcast(g, to->value.x, x->rank, x->dim, axis);
        to->value = labelled(g2(g, (OpId)x->op, v, other));
        return true;
    }
    return false;
}

/* x with its axes in the order of these labels, all of which it has. */
static Node *in_order(Graph *g, const Labelled *x, const int *order)
{
    int perm[MAX_RANK];
    for (int i = 0; i < x->x->rank; i++)
        perm[i] = find_label(order[i], x->x->rank, x->l);
    return g_permute(g, x->x, perm);
}

/* The labels of a first that b has too, then the others but `without`; how
 * many there are of the former. */
static int shared_first(const Labelled *a, const Labelled *b, int without,
                        int *order)
{
    int n = 0, shared = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < a->x->rank; i++) {
            bool both = find_label(a->l[i], b->x->rank, b->l) >= 0;
            if (both == !pass && a->l[i] != without)
                order[n++] = a->l[i];
            shared += both && !pass && a->l[i] != without;
        }
    return shared;
}

Labelled take(Graph *g, const Labelled *b, int label, const Labelled *q)
{
    int lq[2 * MAX_RANK], lb[2 * MAX_RANK], place, rank = 0;
    const Dim *dim[2 * MAX_RANK];
    Labelled to;
    place = find_label(label, b->x->rank, b->l);
    if (place < 0)
        return *b;
    int shared = shared_first(q, b, -1, lq);
    int rest = b->x->rank - shared - 1;
    for (int i = 0; i < shared; i++)
        lb[i] = lq[i];
    lb[shared] = label;
    for (int i = 0, at = shared + 1; i < b->x->rank; i++)
        if (b->l[i] != label && find_label(b->l[i], shared, lq) < 0)
            lb[at++] = b->l[i];
    Node *x = in_order(g, b, lb), *i = in_order(g, q, lq);
    for (int k = 0; k < i->rank; k++) {
        to.l[rank] = lq[k];
        dim[rank++] = i->dim[k];
    }
    for (int k = 0; k < rest; k++) {
        to.l[rank] = lb[shared + 1 + k];
        dim[rank++] = x->dim[shared + 1 + k];
    }
    if (shared) {
        const Dim *n = x->dim[shared];
        i = g_merge_axes(g, i, 0, shared);
        x = g_merge_axes(g, x, 0, shared + 1);
        i = g_batch_index(g, i->dim[0], n, i);
    }
    to.x = g_reshape(g, g_gather_inside(g, x, i, 0), rank, dim);
    return to;
}

/* Can the result be a tensor, and is it worth it: where q is data for each row
 * of b, as the labels of a batch are, the product with all of the row is one
 * pass that joins others, forwards and backwards. */
static bool take_fits(Graph *g, const Labelled *b, int label, const Labelled *q)
{
    int order[2 * MAX_RANK];
    Affine a;
    int shared = shared_first(q, b, -1, order);
    if (find_label(label, b->x->rank, b->l) < 0)
        return true;
    return b->x->rank - 1 + q->x->rank - shared <= MAX_RANK &&
           (!shared || affine_of(g, q->x, &a));
}

/* Where several axes were summed: n of what is left of x. */
static Node *sum_rest(Graph *g, const Node *n, const OneHot *h,
                      const Labelled *y)
{
    const Node *x = n->arg[0];
    const Dim *dim[MAX_RANK];
    int order[MAX_RANK], map[MAX_RANK], gone[MAX_RANK];
    int rank = 0, count = 0, next = 0, kept = 0;
    for (int i = 0; i < x->rank; i++) {
        if (i == h->axis)
            continue;
        bool has = find_label(i, y->x->rank, y->l) >= 0;
        while (next < n->attr.nint && n->attr.ints[next] < i)
            next++;
        if (next < n->attr.nint && n->attr.ints[next] == i)
            gone[count++] = rank;
        map[rank] = has ? kept : -1;
        if (has)
            order[kept++] = i;
        dim[rank++] = x->dim[i];
    }
    Node *v = g_broadcast(g, in_order(g, y, order), rank, dim, map);
    return g_reduce(g, OP_sum, v, count, gone);
}

int spread_labels(int rank, const int *label, int without, const Labelled *q,
                  int *to, int *n)
{
    int at = find_label(without, rank, label);
    *n = rank - 1 + q->x->rank;
    if (*n > MAX_RANK)
        return -1;
    for (int i = 0, k = 0; i < rank; i++) {
        if (i != at) {
            to[k++] = label[i];
            continue;
        }
        for (int j = 0; j < q->x->rank; j++)
            to[k++] = q->l[j];
    }
    return at;
}

/* Is q one of 0 … n-1. */
static Node *is_inside(Graph *g, Node *q, const Dim *n)
{
    if (q->dtype == DT_u8)
        q = g_cast(g, DT_i32, q);
    Node *end = g_fill_like(g, q, g_dim(g, q->dtype, n));
    Node *right = g2(g, OP_lt, q, end);
    return g2(g, OP_and, g2(g, OP_le, g_fill(g, q, 0), q), right);
}

/* Rows x along q's axes, at `axis`, added where q says; a place outside of n is
 * none. */
static Node *spread(Graph *g, Node *x, int axis, Node *q, const Dim *n)
{
    int map[MAX_RANK];
    if (index_inside(g, q, n))
        return g_scatter_inside(g, x, q, axis, n);
    Node *inside = is_inside(g, q, n);
    for (int i = 0; i < x->rank; i++)
        map[i] = i < axis || i >= axis + q->rank ? -1 : i - axis;
    Node *where = g_broadcast(g, inside, x->rank, x->dim, map);
    x = g_where(g, where, x, g_fill(g, x, 0));
    q = g_where(g, inside, q, g_fill(g, q, 0));
    return g_scatter_inside(g, x, q, axis, n);
}

/* The same where each term is put into a sum: a place outside, which belongs to
 * none, has no entry to take. */
static bool spread_fits(Graph *g, const Labelled *b, int label,
                        const Labelled *q, const Dim *n)
{
    return find_label(label, b->x->rank, b->l) < 0 ||
           (take_fits(g, b, label, q) && index_inside(g, q->x, n));
}

/* For each k the sum of the terms whose q is k. */
static Node *sum_spread(Graph *g, const Node *n, const bool *summed)
{
    const Node *x = n->arg[0];
    int kept[MAX_RANK], order[2 * MAX_RANK], from[MAX_RANK], map[2 * MAX_RANK];
    int gone[MAX_RANK], rank = 0, count, has = 0, all;
    const Dim *dim[2 * MAX_RANK];
    OneHot h = {.spread = true};
    if (!onehot(g, n->arg[0], summed, 0, &h) ||
        !spread_fits(g, &h.value, h.axis, &h.q, x->dim[h.axis]))
        return NULL;
    for (int i = 0; i < x->rank; i++)
        if (!summed[i])
            kept[rank++] = i;
    int axis = spread_labels(rank, kept, h.axis, &h.q, order, &count);
    if (axis < 0)
        return NULL;
    Labelled y = take(g, &h.value, h.axis, &h.q);
    all = count;
    for (int i = 0; i < x->rank; i++)
        if (summed[i] && find_label(i, count, order) < 0)
            order[all++] = i;
    if (all > MAX_RANK)
        return NULL;
    for (int i = 0; i < all; i++) {
        bool found = find_label(order[i], y.x->rank, y.l) >= 0;
        dim[i] = x->dim[order[i]];
        map[i] = found ? has : -1;
        if (found)
            from[has++] = order[i];
        if (i >= count)
            gone[i - count] = i;
    }
    Node *v = g_broadcast(g, in_order(g, &y, from), all, dim, map);
    v = g_reduce(g, OP_sum, v, all - count, gone);
    return spread(g, v, axis, h.q.x, x->dim[h.axis]);
}

Node *sum_onehot(Graph *g, const Node *n)
{
    bool summed[MAX_RANK] = {false};
    OneHot h = {.spread = false};
    for (int i = 0; i < n->attr.nint; i++)
        summed[n->attr.ints[i]] = true;
    if (!onehot(g, n->arg[0], summed, 0, &h))
        return sum_spread(g, n, summed);
    if (!take_fits(g, &h.value, h.axis, &h.q))
        return NULL;
    Labelled y = take(g, &h.value, h.axis, &h.q);
    return sum_rest(g, n, &h, &y);
}

bool have_all(const Labelled *a, const Labelled *b, int n, const int *label)
{
    for (int i = 0; i < n; i++)
        if (find_label(label[i], a->x->rank, a->l) < 0 &&
            find_label(label[i], b->x->rank, b->l) < 0)
            return false;
    return true;
}

/* The factor x with axes lx, times b. */
static Node *contract_spread(Graph *g, const Node *n, Node *x, const int *lx,
                             Labelled b)
{
    bool summed[MAX_RANK];
    int lout[MAX_RANK], order[2 * MAX_RANK], count, rest = 0;
    OneHot h = {.spread = true};
    for (int i = 0; i < x->rank; i++)
        summed[i] = lx[i] >= n->rank;
    for (int i = 0; i < n->rank; i++)
        lout[i] = i;
    if (!onehot(g, x, summed, 0, &h))
        return NULL;
    const Dim *size = x->dim[h.axis];
    int label = lx[h.axis];
    relabel(&h.q, lx);
    relabel(&h.value, lx);
    int axis = spread_labels(n->rank, lout, label, &h.q, order, &count);
    if (axis < 0 || !spread_fits(g, &b, label, &h.q, size) ||
        !spread_fits(g, &h.value, label, &h.q, size))
        return NULL;
    Labelled u = take(g, &h.value, label, &h.q);
    b = take(g, &b, label, &h.q);
    for (int i = 0; i < x->rank; i++)
        if (summed[i])
            lout[rest++] = lx[i];
    if (!have_all(&u, &b, count, order) || !have_all(&u, &b, rest, lout))
        return NULL;
    Node *y = g_contract(g, u.x, u.l, b.x, b.l, count, order);
    return spread(g, y, axis, h.q.x, size);
}

Node *contract_onehot(Graph *g, const Node *n)
{
    Node *y = NULL;
    int lout[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        lout[i] = i;
    for (int k = 0; k < 2; k++) {
        Node *x = n->arg[k], *other = n->arg[1 - k];
        const int *lx = n->attr.ints + (k ? other->rank : 0);
        const int *lb = n->attr.ints + (k ? 0 : x->rank);
        bool summed[MAX_RANK];
        Labelled b = {.x = other};
        OneHot h;
        for (int i = 0; i < x->rank; i++)
            summed[i] = lx[i] >= n->rank;
        for (int i = 0; i < other->rank; i++)
            b.l[i] = lb[i];
        h.spread = false;
        if (!onehot(g, x, summed, 0, &h)) {
            y = y ? y : contract_spread(g, n, x, lx, b);
            continue;
        }
        int label = lx[h.axis];
        relabel(&h.q, lx);
        relabel(&h.value, lx);
        if (!take_fits(g, &b, label, &h.q) ||
            !take_fits(g, &h.value, label, &h.q))
            continue;
        Labelled u = take(g, &h.value, label, &h.q);
        b = take(g, &b, label, &h.q);
        return g_contract(g, u.x, u.l, b.x, b.l, n->rank, lout);
    }
    return y;
}

/* Whether some k is q. */
Node *any_onehot(Graph *g, const Node *n)
{
    Node *c = n->arg[0];
    bool summed[MAX_RANK] = {false};
    const Dim *dim[MAX_RANK];
    int map[MAX_RANK], gone[MAX_RANK], rank = 0, count = 0;
    for (int i = 0; i < n->attr.nint; i++)
        summed[n->attr.ints[i]] = true;
    for (int side = 0; c->op == OP_eq && side < 2; side++) {
        int axis = counter_axis(g, c->arg[side]);
        Labelled q = labelled(c->arg[1 - side]);
        if (axis < 0 || !summed[axis] || !dtype_is_int(q.x->dtype) ||
            find_label(axis, q.x->rank, q.l) >= 0)
            continue;
        for (int i = 0; i < c->rank; i++) {
            if (i == axis)
                continue;
            if (summed[i])
                gone[count++] = rank;
            map[rank] = find_label(i, q.x->rank, q.l);
            dim[rank++] = c->dim[i];
        }
        Node *inside = is_inside(g, q.x, c->dim[axis]);
        inside = g_broadcast(g, inside, rank, dim, map);
        return g_reduce(g, OP_any, inside, count, gone);
    }
    return NULL;
}
