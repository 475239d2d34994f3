/* cut.c: y cut into parts, where elements are moved to it, and from x, where
 * they are moved from it. */
#include "diff/structure.h"
#include "graph/op.h"
#include "graph/view.h"
#include "region/region.h"
#include "simplify/simplify.h"

/* What is known of a node. */
enum {
    F_known = 1,
    F_depends = 2, /* on x, if only by what it chooses */
    F_active = 4,  /* it has a derivative by x */
    F_real = 8,    /* on reals that are given */
    F_moves = 16,  /* its elements are x's, or do not depend on x */
    F_parts = 32,  /* a sum that something is moved into */
};

/* What a part of y is multiplied by (NULL: nothing), and how: by a strong
 * product where there was one. */
typedef struct Branch {
    Node *n, *row, *scale;
    bool strong;
} Branch;

typedef struct Cut {
    Graph *g;
    Arena *arena, *scratch;
    Structure to;
    Node *const *x, *const *column;
    int nx;
    LIST(unsigned char) flag; /* by id */
    LIST(Node *) stack;
    Map columns, cut; /* what was made of a node */
    LIST(Branch) branch;
} Cut;

/* Flags */

/* Along axes of few elements nothing is told apart: between a few numbers and a
 * few others all derivatives are kept, once. */
static bool is_small(const Dim *d)
{
    enum { FEW = 16 };
    int64_t v;

    return dim_const_value(d, &v) && v <= FEW;
}

static unsigned flags_of(Cut *c, const Node *n);

static bool has(Cut *c, const Node *n, unsigned f)
{
    return flags_of(c, n) & f;
}

static bool is_x(const Cut *c, const Node *n)
{
    for (int j = 0; j < c->nx; j++)
        if (c->x[j] == n)
            return true;
    return false;
}

/* Do the arguments from `first` on only hold elements of x, some of them. */
static bool all_move(Cut *c, const Node *n, int first)
{
    bool any = false;

    for (int i = first; i < n->narg; i++) {
        if (has(c, n->arg[i], F_depends) && !has(c, n->arg[i], F_moves))
            return false;
        any = any || has(c, n->arg[i], F_moves);
    }
    return any;
}

/* A choice between elements by where they are, and by what is no real. */
static bool chooses_places(Cut *c, const Node *n)
{
    return n->op == OP_where && !has(c, n->arg[0], F_depends | F_real);
}

static bool moves(Cut *c, const Node *n)
{
    if (n->op == OP_gather)
        return has(c, n->arg[0], F_moves) && !has(c, n->arg[1], F_depends);
    if (n->op == OP_where)
        return chooses_places(c, n) && all_move(c, n, 1);
    if (n->op == OP_concat)
        return all_move(c, n, 0);
    return (is_view(n) || node_pads(n)) && has(c, n->arg[0], F_moves);
}

/* Is that all that n's argument i is put along, beside longer axes. */
static bool is_put_within_few(const Node *n)
{
    bool longer = false;
    View v;

    if (n->op == OP_view_add)
        v = view_of(n);
    for (int j = 0; j < n->arg[0]->rank; j++) {
        bool whole = n->op == OP_concat ? j != n->attr.integer
                                        : view_goes_through(&v, j, n->dim);
        int k = n->op == OP_concat ? j : v.axis[j];

        if (!whole && !is_small(n->dim[k]))
            return false;
        longer = longer || (whole && !is_small(n->dim[k]));
    }
    return longer;
}

static bool makes_parts(Cut *c, const Node *n)
{
    if (n->op == OP_view_add || n->op == OP_concat)
        return !is_put_within_few(n);
    if (n->op == OP_scatter_add)
        return !has(c, n->arg[1], F_depends);
    if (chooses_places(c, n))
        return true;
    for (int i = 1;
         i < n->narg && node_is_linear(n, OP_LINEAR | OP_LINEAR_EACH); i++)
        if (has(c, n->arg[i], F_parts))
            return true;
    return (node_is_linear(n, OP_LINEAR | OP_LINEAR_EACH | OP_LINEAR_FIRST) ||
            n->op == OP_reshape || node_permutes(n)) &&
           has(c, n->arg[0], F_parts);
}

/* Without a derivative: floor, sign, stop. */
static bool is_flat(const Node *n)
{
    const Op *row = op_table[n->op];

    return row->cls == OPC_ewise && !op_has_partial(row) && !row->vjp;
}

static unsigned flags_from_arguments(Cut *c, const Node *n)
{
    unsigned f = F_known;

    if (n->op == OP_param)
        f |= dtype_is_real(n->dtype) ? F_real : 0;
    if (is_x(c, n))
        return f | F_depends | F_active | F_moves;
    for (int i = 0; i < n->narg; i++)
        f |= flags_of(c, n->arg[i]) & (F_depends | F_active | F_real);
    if (!node_has_region(n) && (!dtype_is_real(n->dtype) || is_flat(n)))
        f &= ~(unsigned)F_active;
    if (f & F_active && moves(c, n))
        f |= F_moves;
    else if (f & F_active && makes_parts(c, n))
        f |= F_parts;
    return f;
}

/* Arguments are older: all up to n are done in order. */
static unsigned flags_of(Cut *c, const Node *n)
{
    while (c->flag.n <= n->id) {
        int id = c->flag.n;

        list_push(c->scratch, &c->flag, 0);
        c->flag.at[id] =
            (unsigned char)flags_from_arguments(c, graph_node(c->g, id));
    }
    return c->flag.at[n->id];
}

/* What is made of a node needs what is made of others first. */

/* NULL: it is to be made first. */
static Node *wanted(Cut *c, const Map *m, Node *n)
{
    Node *of = map_of(m, n);

    if (!of)
        list_push(c->scratch, &c->stack, n);
    return of;
}

/* What `make` makes of n, and of what that wants. */
static Node *make_all(Cut *c, Map *m, Node *n, Node *(*make)(Cut *c, Node *n))
{
    Node *of;
    int first = c->stack.n;

    list_push(c->scratch, &c->stack, n);
    while (c->stack.n > first) {
        Node *top = c->stack.at[c->stack.n - 1];
        int before = c->stack.n;

        if (map_of(m, top)) {
            c->stack.n--;
            continue;
        }
        of = make(c, top);
        if (!of)
            continue;
        c->stack.n = before - 1;
        map_set(c->scratch, m, top, of);
    }
    return map_of(m, n);
}

/* Reads */

static Node *nowhere(Graph *g, const Node *like)
{
    return g_broadcast_to(g, g_const_int(g, DT_i64, 0), like->rank, like->dim);
}

/* The numbers of x's elements, moved as they are. */
static Node *column_of(Cut *c, Node *n)
{
    Node **arg = NEWN(c->scratch, Node *, n->narg + 1);
    bool all = true;

    for (int j = 0; j < c->nx; j++)
        if (c->x[j] == n)
            return c->column[j];
    for (int i = 0; i < n->narg; i++) {
        arg[i] = has(c, n->arg[i], F_moves) ? wanted(c, &c->columns, n->arg[i])
                 : dtype_is_real(n->arg[i]->dtype) ? nowhere(c->g, n->arg[i])
                                                   : n->arg[i];
        all = all && arg[i];
    }
    return all ? graph_make(c->g, n->op, DT_i64, n->narg, arg, &n->attr) : NULL;
}

static Node *read_of(Cut *c, Node *n)
{
    Read r = {.param = g_param(c->g, n->dtype, n->rank, n->dim, "read"),
              .value = n};

    r.column = make_all(c, &c->columns, n, column_of);
    list_push(c->arena, &c->to.read, r);
    return r.param;
}

/* A read that is repeated a few times is one read. */
static bool repeats_few(const Node *n)
{
    View v;

    if (n->op != OP_view)
        return false;
    v = view_of(n);
    for (int j = 0; j < v.rank; j++)
        if (v.axis[j] < 0 && is_small(v.size[j]))
            return true;
    return false;
}

static Node *repeated_read(Cut *c, const Node *n)
{
    View v = view_of(n);
    int axis[MAX_RANK];
    Node *once;

    for (int j = n->rank - 1; j >= 0; j--)
        if (v.axis[j] < 0 && is_small(v.size[j]))
            view_remove(&v, j);
    for (int j = 0, k = 0; j < n->rank; j++)
        axis[j] = n->attr.ints[j] < 0 && is_small(n->dim[j]) ? -1 : k++;
    once = wanted(c, &c->cut, g_view(c->g, n->arg[0], &v));
    return once ? g_broadcast(c->g, once, n->rank, n->dim, axis) : NULL;
}

/* Between the two */

/* Every axis is whole, so that those of the argument go with n's. */
static bool keeps_axes(const Node *n)
{
    View v;

    if (n->op != OP_view)
        return false;
    v = view_of(n);
    for (int k = 0; k < v.from; k++)
        if (view_movers(&v, k) != 1)
            return false;
    for (int j = 0; j < v.rank; j++)
        if (v.axis[j] >= 0 && !view_goes_through(&v, j, n->arg[0]->dim))
            return false;
    return true;
}

/* Elements that are moved once computed are computed where they are moved to.
 */
static bool sinks(Cut *c, const Node *n)
{
    const Node *a = n->arg[0];

    if (op_table[a->op]->cls != OPC_ewise)
        return false;
    if (n->op == OP_gather)
        return !has(c, n->arg[1], F_depends);
    return is_view(n) && !keeps_axes(n);
}

/* x moved as n moves its argument. A constant stays one, on which side of a tie
 * it is tells the derivative. */
static Node *moved_as(Cut *c, const Node *n, Node *x)
{
    Node *to[2] = {x, n->narg > 1 ? n->arg[1] : NULL};
    Node *y = graph_remake(c->g, n, to);

    return node_is_any_const(x) && dtype_is_real(x->dtype)
               ? g_fill(c->g, y, const_value(x))
               : y;
}

static Node *sunk(Cut *c, const Node *n)
{
    const Node *a = n->arg[0];
    Node **arg = NEWN(c->scratch, Node *, a->narg + 1);
    bool all = true;

    for (int i = 0; i < a->narg; i++) {
        arg[i] = moved_as(c, n, a->arg[i]);
        if (has(c, arg[i], F_active))
            arg[i] = wanted(c, &c->cut, arg[i]);
        all = all && arg[i];
    }
    return all ? graph_remake(c->g, a, arg) : NULL;
}

/* n, where x is read by parameters. */
static Node *cut_of(Cut *c, Node *n)
{
    Node **arg;
    bool all = true;

    if (!has(c, n, F_active))
        return n;
    if (has(c, n, F_moves))
        return repeats_few(n) ? repeated_read(c, n) : read_of(c, n);
    if (sinks(c, n))
        return sunk(c, n);
    arg = NEWN(c->scratch, Node *, n->narg + 1);
    for (int i = 0; i < n->narg; i++) {
        arg[i] = has(c, n->arg[i], F_active) ? wanted(c, &c->cut, n->arg[i])
                                             : n->arg[i];
        all = all && arg[i];
    }
    return all ? graph_remake(c->g, n, arg) : NULL;
}

/* Parts */

static Node *scaled(Cut *c, const Branch *b)
{
    if (!b->scale)
        return b->n;
    return g2(c->g, b->strong ? OP_strong_mul : OP_mul, b->scale, b->n);
}

static void add_part(Cut *c, const Branch *b)
{
    Part p = {.row = b->row};
    Node *value = scaled(c, b);

    if (!has(c, value, F_active))
        return;
    p.value = make_all(c, &c->cut, value, cut_of);
    list_push(c->arena, &c->to.part, p);
}

static void push_branch(Cut *c, Node *n, Node *row, Node *scale, bool strong)
{
    Branch b = {n, row, scale, strong};

    list_push(c->scratch, &c->branch, b);
}

/* What is moved to n is moved back from it as its adjoint is. */
static void push_moved(Cut *c, const Branch *b)
{
    Node *n = b->n;
    Node **row = NEWN(c->scratch, Node *, n->narg);
    Node **scale = NEWN(c->scratch, Node *, n->narg);

    op_table[n->op]->vjp(c->g, n, b->row, row);
    if (b->scale)
        op_table[n->op]->vjp(c->g, n, b->scale, scale);
    for (int i = 0; i < n->narg; i++)
        if (row[i])
            push_branch(c, n->arg[i], row[i], scale[i], b->strong);
}

/* Each branch of a choice counts where it is chosen. */
static void push_chosen(Cut *c, const Branch *b)
{
    Node *none = nowhere(c->g, b->row), *cond = b->n->arg[0];

    push_branch(c, b->n->arg[1], g_where(c->g, cond, b->row, none), b->scale,
                b->strong);
    push_branch(c, b->n->arg[2], g_where(c->g, cond, none, b->row), b->scale,
                b->strong);
}

/* What argument i of n is multiplied by, and b with it. */
static Node *scale_within(Cut *c, const Branch *b, int i)
{
    Node *n = b->n;
    Node *by = node_is_product(n) ? n->arg[1 - i] : op_partial(c->g, n, i);
    bool strong = node_is_product(n) && (b->strong || n->op == OP_strong_mul);

    if (node_is_const(by, 1))
        return b->scale;
    return b->scale ? g2(c->g, strong ? OP_strong_mul : OP_mul, b->scale, by)
                    : by;
}

/* The terms of what n is linear in: all arguments together, or else the first
 * that something is moved into. */
static void push_terms(Cut *c, const Branch *b)
{
    Node *n = b->n;
    bool together = op_table[n->op]->flags & OP_LINEAR, done = false;

    for (int i = 0; i < n->narg && !done; i++) {
        if (!together && !has(c, n->arg[i], F_parts))
            continue;
        push_branch(c, n->arg[i], b->row, scale_within(c, b, i),
                    b->strong || n->op == OP_strong_mul);
        done = !together;
    }
}

static void take_apart(Cut *c, const Branch *b)
{
    Node *n = b->n;
    bool parts =
        has(c, n, F_parts) || (n->op == OP_concat && has(c, n, F_active));

    if (!parts)
        add_part(c, b);
    else if (n->op == OP_where)
        push_chosen(c, b);
    else if (op_table[n->op]->cls == OPC_ewise)
        push_terms(c, b);
    else
        push_moved(c, b);
}

Structure structure_of(Graph *g, Arena *a, int ny, Node *const *y,
                       Node *const *row, int nx, Node *const *x,
                       Node *const *column)
{
    Cut c = {.g = g,
             .arena = a,
             .scratch = arena_new(),
             .x = x,
             .column = column,
             .nx = nx};
    Node **simple = arena_copy(c.scratch, y, sizeof *y * (size_t)ny);

    simplify(g, ny, simple);
    for (int i = ny - 1; i >= 0; i--)
        push_branch(&c, simple[i], row[i], NULL, false);
    while (c.branch.n > 0) {
        Branch b = c.branch.at[--c.branch.n];

        take_apart(&c, &b);
    }
    arena_free(c.scratch);
    return c.to;
}
