/* elements_index.c: elements of what integers choose: along a long axis, or at
 * places that are known. */
#include "simplify/elements.h"

/* Is each element of n a constant where those of its arguments are. */
static bool is_folded(const Elements *e, const Node *n)
{
    const Op *row = op_table[n->op];
    if (node_can_fail(e->g, n))
        return false;
    switch (row->cls) {
    case OPC_ewise:
        return !(row->flags & OP_COSTLY);
    case OPC_reduce:
        return reduces_values(n);
    case OPC_leaf:
        return n->op == OP_const || n->op == OP_data || n->op == OP_iota;
    case OPC_view:
    case OPC_index:
        return true;
    case OPC_select:
    case OPC_contract:
    case OPC_sort:
    case OPC_routine:
    case OPC_region:
        break;
    }
    return false;
}

/* May its elements be constants: it is one, or has several. */
static bool has_places(const Node *n)
{
    int64_t points = short_points(n);
    return n->op == OP_const ||
           (count_long(n, n->rank) == 0 && points > 1 && points <= MOST_PLACES);
}

bool *find_known(const Elements *e)
{
    const Reach *r = e->reach;
    bool *known = NEWN(e->scratch, bool, r->n + 1);
    for (int i = 0; i < r->n; i++) {
        const Node *n = r->node[i];
        known[i] = is_folded(e, n) && has_places(n);
        for (int k = 0; k < n->narg; k++)
            known[i] = known[i] && known[reach_number(r, n->arg[k])];
    }
    return known;
}

static bool is_known(const Elements *e, const Node *n)
{
    return e->known[reach_number(e->reach, n)];
}

bool gathers_elements(const Elements *e, const Node *n)
{
    const Dim *d = n->arg[0]->dim[n->attr.integer];
    return !axis_is_short(d) || is_known(e, n->arg[1]);
}

bool scatters_elements(const Elements *e, const Node *n)
{
    return axis_is_short(n->dim[n->attr.integer]) && is_known(e, n->arg[1]);
}

/* The place along an axis of dimension d that a known index asks for; -1:
 * outside. */
static int known_place(const Elements *e, const Node *index, const int *at,
                       const Dim *d)
{
    const Node *i = element_of(e, index, at);
    if (i->op != OP_const)
        die("an index that is known is no constant");
    int64_t place = i->attr.integer;
    return place >= 0 && place < axis_size(d) ? (int)place : -1;
}

/* The place of the extreme of few is found by comparisons. */
enum { FEW_PLACES = 4 };

bool finds_few(const Node *n)
{
    const Dim *d = n->arg[0]->dim[n->attr.ints[0]];
    return n->attr.nint == 1 && axis_is_short(d) && axis_size(d) >= 1 &&
           axis_size(d) <= FEW_PLACES;
}

/* Is x, of a later place, the extreme of n beside `best`: NaN is. */
static Node *beats(Graph *g, const Node *n, Node *x, Node *best)
{
    Node *is =
        n->op == OP_argmax ? g2(g, OP_lt, best, x) : g2(g, OP_lt, x, best);
    if (!dtype_is_real(x->dtype))
        return is;
    Node *nan = g2(g, OP_ne, x, x), *good = g2(g, OP_eq, best, best);
    is = g2(g, OP_or, is, nan);
    return g2(g, OP_and, is, good);
}

Node *found_element(const Elements *e, const Node *n, const int *at)
{
    Graph *g = e->g;
    const Node *x = n->arg[0];
    int axis = n->attr.ints[0], from[MAX_RANK + 1];
    for (int i = 0; i < x->rank; i++)
        from[i] = i == axis ? 0 : at[i < axis ? i : i - 1];
    Node *best = element_of(e, x, from), *place = zero_element(g, n);
    for (int k = 1; k < axis_size(x->dim[axis]); k++) {
        from[axis] = k;
        Node *next = element_of(e, x, from), *is = beats(g, n, next, best);
        Node *here = g_broadcast_to(g, g_const_int(g, n->dtype, k), place->rank,
                                    place->dim);
        place = g_where(g, is, here, place);
        best = g_where(g, is, next, best);
    }
    return place;
}

Node *gathered_element(const Elements *e, const Node *n, const int *at)
{
    const Node *x = n->arg[0], *index = n->arg[1];
    int axis = (int)n->attr.integer, from[MAX_RANK + 1];
    for (int i = 0; i < x->rank; i++)
        from[i] = at[i <= axis ? i : i + index->rank - 1];
    if (!axis_is_short(x->dim[axis])) {
        Node *i = element_of(e, index, at + axis);
        return g_gather_inside(e->g, element_of(e, x, from), i,
                               count_long(x, axis));
    }
    from[axis] = known_place(e, index, at + axis, x->dim[axis]);
    return from[axis] >= 0 ? element_of(e, x, from) : zero_element(e->g, n);
}

void add_scattered(void *u, const int *from)
{
    const Adding *a = u;
    const Node *n = a->n, *index = n->arg[1];
    int axis = (int)n->attr.integer, to[MAX_RANK + 1];
    for (int i = 0; i < n->rank; i++)
        to[i] = from[i <= axis ? i : i + index->rank - 1];
    to[axis] = known_place(a->e, index, from + axis, n->dim[axis]);
    if (to[axis] >= 0)
        add_at(a, to, element_of(a->e, n->arg[0], from));
}
