/* elements.c: the elements of each operator's result, from those of its
 * arguments. */
#include "simplify/elements.h"

#include <string.h>

#include "graph/view.h"

Elements elements_new(Graph *g, Arena *scratch, const Reach *reach)
{
    Elements e = {.g = g, .scratch = scratch, .reach = reach};
    e.whole = NEWN(scratch, Node *, reach->n + 1);
    e.elem = NEWN(scratch, Node **, reach->n + 1);
    e.known = find_known(&e);
    return e;
}

bool axis_is_short(const Dim *d)
{
    int64_t n;
    return dim_const_value(d, &n) && n > 0 && n <= SHORT_AXIS;
}

int axis_size(const Dim *d)
{
    int64_t n = 0;
    return dim_const_value(d, &n) ? (int)n : 0;
}

int64_t short_points(const Node *n)
{
    int64_t all = 1;
    for (int i = 0; i < n->rank && all <= 1 << 20; i++)
        if (axis_is_short(n->dim[i]))
            all *= axis_size(n->dim[i]);
    return all;
}

/* Which of n's axes are short. */
static void find_short(const Node *n, bool *is)
{
    for (int i = 0; i < n->rank; i++)
        is[i] = axis_is_short(n->dim[i]);
}

int count_long(const Node *n, int below)
{
    int count = 0;
    for (int i = 0; i < below; i++)
        count += !axis_is_short(n->dim[i]);
    return count;
}

/* The dimensions of an element. */
static int long_dims(const Node *n, const Dim **dim)
{
    int rank = 0;
    for (int i = 0; i < n->rank; i++)
        if (!axis_is_short(n->dim[i]))
            dim[rank++] = n->dim[i];
    return rank;
}

int place_of(const Node *n, const int *at)
{
    int place = 0;
    for (int i = 0; i < n->rank; i++)
        if (axis_is_short(n->dim[i]))
            place = place * axis_size(n->dim[i]) + at[i];
    return place;
}

void each_place(int rank, const Dim *const *dim, const bool *on, int *at,
                EachPlace *f, void *u)
{
    int i = 0;
    for (int k = 0; k < rank; k++)
        if (on[k])
            at[k] = 0;
    while (i >= 0) {
        f(u, at);
        for (i = rank - 1; i >= 0; i--) {
            if (on[i] && ++at[i] < axis_size(dim[i]))
                break;
            if (on[i])
                at[i] = 0;
        }
    }
}

static Node *number(Graph *g, DType t, double x)
{
    return dtype_is_real(t) ? g_const(g, t, x) : g_const_int(g, t, (int64_t)x);
}

/* An element of what is one tensor: a read of it. */
static Node *read_element(const Elements *e, const Node *n, Node *whole,
                          const int *at)
{
    View v = view_whole(e->g, whole);
    int nlong = count_long(n, n->rank);
    if (nlong == n->rank)
        return whole;
    if (n->op == OP_data && nlong == 0)
        return number(e->g, n->dtype, n->attr.data[place_of(n, at)]);
    if (n->op == OP_iota)
        return number(e->g, n->dtype, at[0]);
    for (int i = n->rank - 1; i >= 0; i--)
        if (axis_is_short(n->dim[i])) {
            v.base[i] = dim_const(e->g, at[i]);
            view_remove(&v, i);
        }
    return g_view(e->g, whole, &v);
}

Node *element_of(const Elements *e, const Node *n, const int *at)
{
    int k = reach_number(e->reach, n);
    return e->elem[k] ? e->elem[k][place_of(n, at)]
                      : read_element(e, n, e->whole[k], at);
}

/* Elementwise. */

/* f(a - b) and f(b - a) are one computation where f is even or odd. */
static Node *of_difference(Graph *g, const Node *n, const Node *x)
{
    unsigned flags = op_table[n->op]->flags;
    if (!(flags & (OP_EVEN | OP_ODD)) || x->op != OP_sub ||
        x->arg[0]->id < x->arg[1]->id)
        return NULL;
    Node *y = g1(g, (OpId)n->op, g2(g, OP_sub, x->arg[1], x->arg[0]));
    return flags & OP_EVEN ? y : g1(g, OP_neg, y);
}

static Node *ewise_element(const Elements *e, const Node *n, const int *at)
{
    Node *arg[MAX_INPUTS];
    for (int i = 0; i < n->narg; i++)
        arg[i] = element_of(e, n->arg[i], at);
    Node *one = n->narg == 1 ? of_difference(e->g, n, arg[0]) : NULL;
    return one ? one
               : graph_make(e->g, n->op, n->dtype, n->narg, arg, &n->attr);
}

/* Views. */

/* Along the `from` axes of dimensions dim, are the short ones moved along by
 * short ones alone. */
static bool view_keeps_short(const View *v, const Dim *const *mover,
                             const Dim *const *dim)
{
    for (int j = 0; j < v->rank; j++) {
        int64_t c;
        if (v->axis[j] < 0)
            continue;
        bool is = axis_is_short(dim[v->axis[j]]);
        if (is &&
            (!axis_is_short(mover[j]) || !dim_const_value(v->coef[j], &c)))
            return false;
    }
    for (int k = 0; k < v->from; k++) {
        int64_t c;
        if (axis_is_short(dim[k]) && !dim_const_value(v->base[k], &c))
            return false;
    }
    return true;
}

/* Where v goes, from place `at` of its short axes: a place along the short axes
 * of dimensions dim; and what it is along the long ones. */
static View long_view(Graph *g, const View *v, const Dim *const *mover,
                      const Dim *const *dim, const int *at, int *to)
{
    View w = {.rank = 0, .from = 0};
    int number[MAX_RANK + 1] = {0};
    const Dim *base[MAX_RANK + 1];
    for (int k = 0; k < v->from; k++)
        base[k] = v->base[k];
    for (int j = 0; j < v->rank; j++)
        if (v->axis[j] >= 0 && axis_is_short(mover[j]))
            base[v->axis[j]] =
                dim_add(g, base[v->axis[j]],
                        dim_mul(g, v->coef[j], dim_const(g, at[j])));
    for (int k = 0; k < v->from; k++) {
        int64_t place = 0;
        if (axis_is_short(dim[k])) {
            dim_const_value(base[k], &place);
            to[k] = (int)place;
            continue;
        }
        w.base[w.from] = base[k];
        number[k] = w.from++;
    }
    for (int j = 0; j < v->rank; j++) {
        if (axis_is_short(mover[j]))
            continue;
        w.axis[w.rank] = v->axis[j] < 0 ? -1 : number[v->axis[j]];
        w.size[w.rank] = v->size[j];
        w.coef[w.rank++] = v->coef[j];
    }
    return w;
}

static Node *view_element(const Elements *e, const Node *n, const int *at)
{
    const Node *x = n->arg[0];
    View v = view_of(n);
    int from[MAX_RANK + 1];
    View w = long_view(e->g, &v, n->dim, x->dim, at, from);
    return g_view(e->g, element_of(e, x, from), &w);
}

Node *zero_element(Graph *g, const Node *n)
{
    const Dim *dim[MAX_RANK + 1];
    int rank = long_dims(n, dim);
    return g_broadcast_to(g, g_const(g, n->dtype, 0), rank, dim);
}

void add_at(const Adding *a, const int *at, Node *x)
{
    Node **to = &a->to[place_of(a->n, at)];
    *to = *to ? g2(a->e->g, OP_add, *to, x) : x;
}

static void add_moved(void *u, const int *from)
{
    const Adding *a = u;
    const Node *n = a->n, *x = n->arg[0];
    const Dim *dim[MAX_RANK + 1];
    int to[MAX_RANK + 1];
    View v = view_of(n);
    View w = long_view(a->e->g, &v, x->dim, n->dim, from, to);
    long_dims(n, dim);
    add_at(a, to, g_view_add(a->e->g, element_of(a->e, x, from), &w, dim));
}

/* Reshapes: long axes stay, with as many places of short ones between them. */

/* The short axes of n from *i on: how many places they have; *i: the next long
 * axis. */
static int64_t short_group(const Node *n, int *i)
{
    int64_t all = 1;
    for (; *i < n->rank && axis_is_short(n->dim[*i]); (*i)++)
        all *= axis_size(n->dim[*i]);
    return all;
}

static bool reshape_keeps_long(const Node *n)
{
    const Node *x = n->arg[0];
    if (count_long(n, n->rank) != count_long(x, x->rank))
        return false;
    for (int i = 0, k = 0;; i++, k++) {
        int64_t to = short_group(n, &i), from = short_group(x, &k);
        if (to != from)
            return false;
        if (i == n->rank)
            return true;
        if (n->dim[i] != x->dim[k])
            return false;
    }
}

static Node *reshape_element(const Elements *e, const Node *n, const int *at)
{
    const Node *x = n->arg[0];
    int from[MAX_RANK + 1];
    for (int i = 0, k = 0; k < x->rank; i++, k++) {
        int first = i, begin = k, place = 0;
        short_group(n, &i);
        short_group(x, &k);
        for (int j = first; j < i; j++)
            place = place * axis_size(n->dim[j]) + at[j];
        for (int j = k - 1; j >= begin; j--) {
            from[j] = place % axis_size(x->dim[j]);
            place /= axis_size(x->dim[j]);
        }
    }
    return element_of(e, x, from);
}

static bool concat_keeps(const Node *n)
{
    int axis = (int)n->attr.integer;
    for (int i = 0; i < n->narg; i++)
        if (axis_is_short(n->arg[i]->dim[axis]) != axis_is_short(n->dim[axis]))
            return false;
    return true;
}

static Node *concat_element(const Elements *e, const Node *n, const int *at)
{
    int axis = (int)n->attr.integer, from[MAX_RANK + 1];
    Node **part = NEWN(e->scratch, Node *, n->narg + 1);
    memcpy(from, at, sizeof *at * (size_t)n->rank);
    if (axis_is_short(n->dim[axis])) {
        int i = 0;
        for (; from[axis] >= axis_size(n->arg[i]->dim[axis]); i++)
            from[axis] -= axis_size(n->arg[i]->dim[axis]);
        return element_of(e, n->arg[i], from);
    }
    for (int i = 0; i < n->narg; i++)
        part[i] = element_of(e, n->arg[i], at);
    return g_concat(e->g, n->narg, part, count_long(n, axis));
}

/* Sums and the like. */

typedef struct Terms {
    const Elements *e;
    const Node *n;
    OpId join;
    LIST(Node *) term;
} Terms;

static void join_two(void *u, int i, int with)
{
    Terms *t = u;
    t->term.at[i] = g2(t->e->g, t->join, t->term.at[i], t->term.at[with]);
}

/* What the terms come to; then along such axes. */
static Node *sum_up(Terms *t, OpId op, int naxis, const int *axis)
{
    t->join = op_table[op]->join();
    join_in_halves(t->term.n, join_two, t);
    Node *all = t->term.at[0];
    return naxis ? g_reduce(t->e->g, op, all, naxis, axis) : all;
}

bool reduces_values(const Node *n)
{
    return !(op_table[n->op]->flags & OP_PLACE);
}

static void reduce_term(void *u, const int *at)
{
    Terms *t = u;
    list_push(t->e->scratch, &t->term, element_of(t->e, t->n->arg[0], at));
}

static Node *reduce_element(const Elements *e, const Node *n, const int *at)
{
    const Node *x = n->arg[0];
    bool is[MAX_RANK + 1] = {false}, gone[MAX_RANK + 1] = {false};
    int from[MAX_RANK + 1], axis[MAX_RANK + 1], count = 0;
    Terms t = {.e = e, .n = n};
    for (int i = 0; i < n->attr.nint; i++)
        gone[n->attr.ints[i]] = true;
    for (int i = 0, k = 0; i < x->rank; i++) {
        is[i] = gone[i] && axis_is_short(x->dim[i]);
        if (gone[i] && !is[i])
            axis[count++] = count_long(x, i);
        if (!gone[i])
            from[i] = at[k++];
    }
    each_place(x->rank, x->dim, is, from, reduce_term, &t);
    return sum_up(&t, n->op, count, axis);
}

/* Products. Labels are axes of their own: first the result's. */
typedef struct Labels {
    int n;
    const Dim *dim[2 * MAX_RANK];
    bool summed[2 * MAX_RANK], in[2][2 * MAX_RANK];
} Labels;

static Labels labels_of(const Node *n)
{
    Labels l = {.n = 0};
    for (int k = 0, i = 0; k < 2; k++)
        for (int j = 0; j < n->arg[k]->rank; j++, i++) {
            int which = n->attr.ints[i];
            l.dim[which] = n->arg[k]->dim[j];
            l.in[k][which] = true;
            l.summed[which] = which >= n->rank;
            l.n = which >= l.n ? which + 1 : l.n;
        }
    return l;
}

/* What is no product of matrices with long sides: there are no sums over long
 * axes but of what both have; and with a long side that only one of them has,
 * the other one is a vector, or little. */
static bool is_product_of_few(const Node *n)
{
    enum { LITTLE = 36 };
    Labels l = labels_of(n);
    bool sums = false, same = true, own[2] = {false, false};
    int64_t work = 1;
    for (int i = 0; i < l.n; i++) {
        bool is = axis_is_short(l.dim[i]), both = l.in[0][i] && l.in[1][i];
        sums = sums || (!is && l.summed[i]);
        same = same && (is || both);
        for (int k = 0; k < 2; k++)
            own[k] = own[k] || (!both && l.in[k][i]);
        work *= is && (!both || l.summed[i]) ? axis_size(l.dim[i]) : 1;
    }
    return same || (!sums && (!own[0] || !own[1] || work <= LITTLE));
}

typedef struct Products {
    Terms t;
    Labels l;
    int number[2 * MAX_RANK]; /* of a label among the long ones */
    const Dim *dim[2 * MAX_RANK];
    int nlong;
} Products;

/* Argument k's element, with all long labels. */
static Node *factor(const Products *p, int k, const int *at)
{
    const Node *n = p->t.n, *x = n->arg[k];
    const int *label = n->attr.ints + (k ? n->arg[0]->rank : 0);
    int from[MAX_RANK + 1], axis[2 * MAX_RANK], next = 0;
    for (int i = 0; i < p->nlong; i++)
        axis[i] = -1;
    for (int j = 0; j < x->rank; j++) {
        from[j] = at[label[j]];
        if (!axis_is_short(x->dim[j]))
            axis[p->number[label[j]]] = next++;
    }
    return g_broadcast(p->t.e->g, element_of(p->t.e, x, from), p->nlong, p->dim,
                       axis);
}

static void product_term(void *u, const int *at)
{
    Products *p = u;
    Node *a = factor(p, 0, at), *b = factor(p, 1, at);
    list_push(p->t.e->scratch, &p->t.term, g2(p->t.e->g, OP_mul, a, b));
}

static Node *product_element(const Elements *e, const Node *n, const int *at)
{
    Products p = {.t = {.e = e, .n = n}, .l = labels_of(n)};
    int place[2 * MAX_RANK] = {0}, axis[2 * MAX_RANK], count = 0;
    bool is[2 * MAX_RANK] = {false};
    memcpy(place, at, sizeof *at * (size_t)n->rank);
    for (int i = 0; i < p.l.n; i++) {
        is[i] = p.l.summed[i] && axis_is_short(p.l.dim[i]);
        if (axis_is_short(p.l.dim[i]))
            continue;
        if (p.l.summed[i])
            axis[count++] = p.nlong;
        p.dim[p.nlong] = p.l.dim[i];
        p.number[i] = p.nlong++;
    }
    each_place(p.l.n, p.l.dim, is, place, product_term, &p);
    return sum_up(&p.t, OP_sum, count, axis);
}

/* n's elements, each the sum of what is moved to it. */
static void add_elements(const Elements *e, const Node *n, Node **to)
{
    const Node *x = n->arg[0];
    bool is[MAX_RANK + 1] = {false};
    int at[MAX_RANK + 1] = {0};
    Adding a = {.e = e, .n = n, .to = to};
    find_short(x, is);
    each_place(x->rank, x->dim, is, at,
               n->op == OP_view_add ? add_moved : add_scattered, &a);
    for (int i = 0; i < short_points(n); i++)
        to[i] = to[i] ? to[i] : zero_element(e->g, n);
}

/* All. */

bool may_be_elements(const Elements *e, const Node *n)
{
    View v;
    switch (op_table[n->op]->cls) {
    case OPC_ewise:
        return n->narg <= MAX_INPUTS;
    case OPC_reduce:
        return reduces_values(n) || finds_few(n);
    case OPC_contract:
        return is_product_of_few(n);
    case OPC_view:
        if (n->op == OP_reshape)
            return reshape_keeps_long(n);
        if (n->op == OP_concat)
            return concat_keeps(n);
        v = view_of(n);
        return n->op == OP_view ? view_keeps_short(&v, n->dim, n->arg[0]->dim)
                                : view_keeps_short(&v, n->arg[0]->dim, n->dim);
    case OPC_index:
        return n->op == OP_gather ? gathers_elements(e, n)
                                  : scatters_elements(e, n);
    case OPC_leaf:
        return n->op == OP_iota;
    case OPC_routine:
        return solves_few(n);
    case OPC_select: /* of which one branch alone is computed */
    case OPC_sort:
    case OPC_region:
        return false;
    }
    return false;
}

static Node *element_make(const Elements *e, const Node *n, const int *at)
{
    switch (op_table[n->op]->cls) {
    case OPC_ewise:
        return ewise_element(e, n, at);
    case OPC_reduce:
        return reduces_values(n) ? reduce_element(e, n, at)
                                 : found_element(e, n, at);
    case OPC_contract:
        return product_element(e, n, at);
    case OPC_view:
        return n->op == OP_reshape  ? reshape_element(e, n, at)
               : n->op == OP_concat ? concat_element(e, n, at)
                                    : view_element(e, n, at);
    case OPC_index:
        return gathered_element(e, n, at);
    case OPC_leaf:
        return number(e->g, n->dtype, at[0]);
    case OPC_select:
    case OPC_sort:
    case OPC_routine:
    case OPC_region:
        break;
    }
    die("%s has no elements", op_table[n->op]->name);
}

typedef struct Making {
    const Elements *e;
    const Node *n;
    Node **to;
} Making;

static void make_place(void *u, const int *at)
{
    Making *m = u;
    *m->to++ = element_make(m->e, m->n, at);
}

void elements_make(const Elements *e, const Node *n)
{
    bool is[MAX_RANK + 1] = {false};
    int at[MAX_RANK + 1] = {0};
    Making m = {.e = e, .n = n};
    m.to = NEWN(e->scratch, Node *, short_points(n) + 1);
    e->elem[reach_number(e->reach, n)] = m.to;
    find_short(n, is);
    if (op_table[n->op]->cls == OPC_routine)
        elements_of_solution(e, n, m.to);
    else if (n->op == OP_view_add || n->op == OP_scatter_add)
        add_elements(e, n, m.to);
    else
        each_place(n->rank, n->dim, is, at, make_place, &m);
}

/* An element with an axis of one element more, at the end. */
static Node *as_part(Graph *g, Node *x)
{
    return g_merge_axes(g, x, x->rank, 0);
}

Node *elements_whole(const Elements *e, const Node *n)
{
    int k = reach_number(e->reach, n);
    if (e->whole[k])
        return e->whole[k];
    int points = (int)short_points(n), rank = 0, perm[MAX_RANK + 1];
    const Dim *dim[MAX_RANK + 1];
    Node **part = NEWN(e->scratch, Node *, points + 1);
    for (int i = 0; i < points; i++)
        part[i] = as_part(e->g, e->elem[k][i]);
    Node *all = g_concat(e->g, points, part, part[0]->rank - 1);
    rank = long_dims(n, dim);
    for (int i = 0, at = 0, behind = rank; i < n->rank; i++)
        perm[i] = axis_is_short(n->dim[i]) ? behind++ : at++;
    for (int i = 0; i < n->rank; i++)
        if (axis_is_short(n->dim[i]))
            dim[rank++] = n->dim[i];
    all = g_reshape(e->g, all, n->rank, dim);
    return e->whole[k] = g_permute(e->g, all, perm);
}
