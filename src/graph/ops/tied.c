/* tied.c: products with the adjoint of a smallest or largest element.
 *
 * What x's smallest elements along an axis are adds to is where(x = min(x), v,
 * 0): nothing but at one place, or at several that are equal and share. A
 * product of it with what has more axes would multiply by zeros, were it not
 * for ties; where there are none, that place is found first, and the product is
 * one with what is there. Which of the two is decided when the program runs. */
#include "graph/ops/labelled.h"
#include "graph/ops/reduce.h"

/* So few places are as well multiplied by zeros; so deep the mask is looked
 * for. */
enum { FEW_PLACES = 16, MAX_DEPTH = 4 };

/* A factor that is 0 but where x is the extreme y of its row. */
typedef struct Tied {
    Node *equal; /* x == y */
    Node *x, *y; /* labels of x's axes: */
    int l[MAX_RANK];
    Node *value; /* the factor where it is not 0 */
    Node *ties;  /* the factor, as what is not looked for again */
} Tied;

/* Is c an x == min(x), or max(x), along one axis. */
static bool is_extreme(Graph *g, Node *c, Tied *t)
{
    for (int i = 0; c->op == OP_eq && i < 2; i++) {
        Node *row = c->arg[i], *x = c->arg[1 - i];
        Node *y = node_repeats(row) ? row->arg[0] : row;
        if ((y->op != OP_reduce_min && y->op != OP_reduce_max) ||
            y->arg[0] != x || y->attr.nint != 1 ||
            reduce_restore(g, y, y) != row)
            continue;
        t->equal = c;
        t->x = x;
        t->y = y;
        return true;
    }
    return false;
}

/* The same condition, but that it is no equation. */
static Node *not_beyond(Graph *g, const Tied *t)
{
    Node *row = reduce_restore(g, t->y, t->y);
    return t->y->op == OP_reduce_min ? g2(g, OP_le, t->x, row)
                                     : g2(g, OP_le, row, t->x);
}

static bool find_choice(Graph *g, Node *m, const int *l, Tied *t)
{
    Node *c = m->arg[0];
    Labelled in = labelled(c);
    if (!node_is_const(m->arg[2], 0) || !is_extreme(g, in.x, t))
        return false;
    for (int i = 0; i < in.x->rank; i++)
        t->l[i] = l[in.l[i]];
    Node *ties = not_beyond(g, t);
    if (in.x != c)
        ties = g_broadcast(g, ties, c->rank, c->dim, c->attr.ints);
    t->value = m->arg[1];
    t->ties = g_where(g, ties, m->arg[1], m->arg[2]);
    return true;
}

static bool find(Graph *g, Node *m, const int *l, int depth, Tied *t);

static bool find_below(Graph *g, Node *m, int arg, const int *l, int depth,
                       Tied *t)
{
    Node *x[2] = {m->arg[0], m->narg > 1 ? m->arg[1] : NULL};
    if (!find(g, x[arg], l, depth + 1, t))
        return false;
    x[arg] = t->value;
    t->value = graph_remake(g, m, x);
    x[arg] = t->ties;
    t->ties = graph_remake(g, m, x);
    return true;
}

/* Is m, of these labels, such a factor. */
static bool find(Graph *g, Node *m, const int *l, int depth, Tied *t)
{
    int below[MAX_RANK];
    if (depth > MAX_DEPTH)
        return false;
    if (m->op == OP_where)
        return find_choice(g, m, l, t);
    if (m->op == OP_mul)
        return find_below(g, m, 0, l, depth, t) ||
               find_below(g, m, 1, l, depth, t);
    if (m->op == OP_div || m->op == OP_neg)
        return find_below(g, m, 0, l, depth, t);
    if (!node_repeats(m))
        return false;
    for (int i = 0; i < m->rank; i++)
        if (m->attr.ints[i] >= 0)
            below[m->attr.ints[i]] = l[i];
    return find_below(g, m, 0, below, depth, t);
}

/* x at place q of the axis with this label, looked up below what is computed of
 * single elements. */
static Labelled pick(Graph *g, const Labelled *x, int label, const Labelled *q);

static void add_labels(const Labelled *x, const Dim **dim, int *l, int *n)
{
    for (int i = 0; i < x->x->rank; i++) {
        if (find_label(x->l[i], *n, l) >= 0)
            continue;
        dim[*n] = x->x->dim[i];
        l[(*n)++] = x->l[i];
    }
}

static Node *spread_to(Graph *g, const Labelled *x, int n,
                       const Dim *const *dim, const int *l)
{
    int map[MAX_RANK];
    for (int i = 0; i < n; i++)
        map[i] = find_label(l[i], x->x->rank, x->l);
    return g_broadcast(g, x->x, n, dim, map);
}

static Labelled pick_elements(Graph *g, const Labelled *x, int label,
                              const Labelled *q)
{
    Labelled part[3], to = {.x = NULL};
    const Dim *dim[2 * MAX_RANK];
    Node *arg[3];
    int n = 0;
    for (int i = 0; i < x->x->narg; i++) {
        Labelled a = *x;
        a.x = x->x->arg[i];
        part[i] = pick(g, &a, label, q);
        add_labels(&part[i], dim, to.l, &n);
    }
    for (int i = 0; i < x->x->narg; i++)
        arg[i] = spread_to(g, &part[i], n, dim, to.l);
    to.x = graph_remake(g, x->x, arg);
    return to;
}

static Labelled pick(Graph *g, const Labelled *x, int label, const Labelled *q)
{
    if (find_label(label, x->x->rank, x->l) < 0)
        return *x;
    if (node_repeats(x->x)) {
        Labelled in = labelled(x->x);
        relabel(&in, x->l);
        return pick(g, &in, label, q);
    }
    if (op_table[x->x->op]->cls == OPC_ewise && x->x->narg > 0)
        return pick_elements(g, x, label, q);
    return take(g, x, label, q);
}

/* Is the rank of what pick makes of x small enough. */
static bool can_pick(const Labelled *x, const Labelled *q)
{
    return x->x->rank + q->x->rank <= MAX_RANK;
}

static Labelled places(Graph *g, const Tied *t)
{
    int axis = t->y->attr.ints[0];
    OpId op = t->y->op == OP_reduce_min ? OP_argmin : OP_argmax;
    Labelled q = {.x = g_reduce(g, op, t->x, 1, &axis)};
    for (int i = 0, k = 0; i < t->x->rank; i++)
        if (i != axis)
            q.l[k++] = t->l[i];
    return q;
}

/* Has some row none, being no number or empty, or several. */
static Node *some_tied(Graph *g, const Tied *t)
{
    Node *one = g_cast(g, t->x->dtype, t->equal);
    Node *n = g_reduce(g, OP_sum, one, 1, t->y->attr.ints);
    return g_reduce_all(g, OP_any, g2(g, OP_ne, n, g_fill(g, n, 1)));
}

/* The product n of the factor with b, where no row is tied; or NULL. */
static Node *untied(Graph *g, const Node *n, const Tied *t, Labelled m,
                    Labelled b)
{
    int axis = t->y->attr.ints[0], label = t->l[axis];
    int lout[MAX_RANK], order[2 * MAX_RANK], count = n->rank, at = -1;
    Labelled q = places(g, t);
    if (!can_pick(&m, &q) || !can_pick(&b, &q))
        return NULL;
    m.x = t->value;
    m = pick(g, &m, label, &q);
    b = pick(g, &b, label, &q);
    for (int i = 0; i < n->rank; i++)
        order[i] = lout[i] = i;
    if (label < n->rank) {
        at = spread_labels(n->rank, lout, label, &q, order, &count);
        if (at < 0)
            return NULL;
    }
    if (!have_all(&m, &b, count, order))
        return NULL;
    Node *y = g_contract(g, m.x, m.l, b.x, b.l, count, order);
    return label < n->rank ? g_scatter_inside(g, y, q.x, at, t->x->dim[axis])
                           : y;
}

/* Has the product more axes than the factor, of which there are not few
 * places; and are rows not places of the result. */
static bool pays(const Node *n, const Tied *t, const Labelled *m,
                 const Labelled *b)
{
    int axis = t->y->attr.ints[0];
    int64_t few;
    bool more = false;
    if (dim_const_value(t->x->dim[axis], &few) && few <= FEW_PLACES)
        return false;
    for (int i = 0; i < t->x->rank; i++)
        if (i != axis && t->l[axis] < n->rank && t->l[i] < n->rank)
            return false;
    for (int i = 0; i < b->x->rank; i++)
        more = more || find_label(b->l[i], m->x->rank, m->l) < 0;
    return more;
}

Node *contract_tied(Graph *g, const Node *n)
{
    for (int k = 0; k < 2; k++) {
        Labelled of[2] = {{.x = n->arg[0]}, {.x = n->arg[1]}};
        Tied t;
        for (int i = 0, at = 0; i < 2; i++)
            for (int j = 0; j < of[i].x->rank; j++)
                of[i].l[j] = n->attr.ints[at++];
        if (!find(g, of[k].x, of[k].l, 0, &t) ||
            !pays(n, &t, &of[k], &of[1 - k]))
            continue;
        Node *y = untied(g, n, &t, of[k], of[1 - k]);
        int l[MAX_RANK];
        for (int i = 0; i < n->rank; i++)
            l[i] = i;
        if (y) {
            Node *all = g_contract(g, t.ties, of[k].l, of[1 - k].x, of[1 - k].l,
                                   n->rank, l);
            return g_if(g, some_tied(g, &t), all, y);
        }
    }
    return NULL;
}
