/* close.c: loops and calls from results that read what is around them.
 *
 * A node of the body either stays in it (it depends on a parameter that changes
 * from step to step, or may report an index and only a branch of what does asks
 * for it) or does not. What stays reads of the rest: constants, dimensions and
 * iotas as they are; broadcasts and views of captures made anew inside; all
 * else becomes a capture, computed before the loop where its branches are taken
 * and, if it may report an index, a step is made. A gather that stays but whose
 * index is a·t + b becomes an input, and so does a contraction with something
 * that does not change, done for all steps at once before the loop. */
#include "graph/bound.h"
#include "graph/ops/ops.h"
#include "graph/when.h"
#include "region/region.h"

#include <stdlib.h>

enum { ON_STEP = 1, ON_CARRY = 2, ON_CAPTURE = 4 };

/* A node of the body, or one around it that the body reads. */
typedef struct Item {
    Node *n;
    unsigned on;
    bool expanded; /* its arguments are items too */
    int depth;     /* below what was made for the body */
    bool open;     /* reached otherwise than through a branch that varies */
    bool early;    /* reached from `until` */
    int when;      /* the case of branches that do not vary */
    int open_when; /* the same of those that reach it openly */
    bool stays;    /* is computed in the body */
    bool light;    /* does not stay, but is made anew rather than captured */
    bool in_view;  /* a view of a capture, or one */
    bool needed;
    bool batched; /* a contraction done for all steps at once */
    bool proven;  /* an index check that cannot fail */
    bool affine;  /* a gather at a·t + b */
    const Dim *a, *b;
    Node *source; /* what is read element by element, of all steps */
    Node *in;     /* what it is in the new body */
} Item;

typedef struct Close {
    Graph *g;
    Arena *scratch;
    Region r;
    int narg;
    Node *const *old_arg;
    const ParamNames *names; /* or NULL */
    int lo; /* what depends on a parameter, or was made for the body, has at
               least this id */
    When *when;
    const Dim *step; /* t */
    Node *starts[2]; /* is a step made; is it asked for whether it is */
    LIST(Item) item;
    RegionMaker made; /* the new region */
    int nresult;
    Node **result;
} Close;

/* The bodies' nodes, by ascending ids. */

static int by_id(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    return (x->n->id > y->n->id) - (x->n->id < y->n->id);
}

/* Reads at an index, and single numbers made of them: where they were written
 * in the body they are the same nodes as those written before it. */
static bool is_read(const Close *c, const Node *n)
{
    if (!node_can_fail(c->g, n))
        return false;
    if (n->op == OP_gather)
        return n->arg[1]->rank == 0 && !node_can_fail(c->g, n->arg[0]);
    return n->op == OP_index_check ||
           (n->rank == 0 && op_table[n->op]->cls == OPC_ewise);
}

static void visit(Close *c, Node *n, int depth)
{
    enum { MAX_READ = 16 };
    Item x = {.n = n, .depth = n->id < c->lo ? depth : 0};
    if (!graph_mark(c->g, n))
        return;
    x.expanded = n->id >= c->lo || node_repeats(n) ||
                 (depth < MAX_READ && is_read(c, n));
    list_push(c->scratch, &c->item, x);
}

static void collect(Close *c)
{
    const Region *r = &c->r;
    c->lo = graph_count(c->g);
    if (r->since)
        c->lo = r->since;
    graph_unmark(c->g);
    for (int i = 0; i < region_nparam(r); i++) {
        Node *p = region_param_at(r, i);
        c->lo = p->id < c->lo ? p->id : c->lo;
    }
    for (int i = 0; i < region_nparam(r); i++)
        visit(c, region_param_at(r, i), 0);
    for (int i = 0; i < c->nresult; i++)
        visit(c, c->result[i], 0);
    for (int k = 0; k < c->item.n; k++) {
        const Item x = c->item.at[k];
        for (int i = 0; x.expanded && i < x.n->narg; i++)
            visit(c, x.n->arg[i], x.depth + 1);
    }
    qsort(c->item.at, (size_t)c->item.n, sizeof *c->item.at, by_id);
}

static Item *item_of(const Close *c, const Node *n)
{
    int lo = 0, hi = c->item.n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (c->item.at[mid].n->id < n->id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return &c->item.at[lo];
}

static Item *arg_item(const Close *c, const Item *x, int i)
{
    return item_of(c, x->n->arg[i]);
}

/* What depends on what. */

static void set_on(Close *c, Node *const *p, int n, unsigned on)
{
    for (int i = 0; i < n; i++)
        item_of(c, p[i])->on = on;
}

static void find_dependence(Close *c)
{
    const Region *r = &c->r;
    if (r->index)
        item_of(c, r->index)->on = ON_STEP;
    set_on(c, r->carry, r->ncarry, ON_CARRY);
    set_on(c, r->input, r->ninput, ON_STEP);
    set_on(c, r->capture, r->ncapture, r->trips ? ON_CAPTURE : ON_CARRY);
    for (int k = 0; k < c->item.n; k++) {
        Item *x = &c->item.at[k];
        for (int i = 0; x->expanded && i < x->n->narg; i++)
            x->on |= arg_item(c, x, i)->on;
    }
}

static bool varies(const Item *x) { return x->on & (ON_STEP | ON_CARRY); }

/* x's argument i, asked for in this case. */
static void reach_arg(Close *c, const Item *x, int i, int when, int open_when)
{
    Item *a = arg_item(c, x, i);
    a->open = a->open || x->open;
    a->early = a->early || x->early;
    a->when = when_either(c->when, a->when, when);
    a->open_when = when_either(c->when, a->open_when, open_when);
}

/* The case of branch i of a select x that stands in this case. */
static int branch_case(Close *c, const Item *x, int i, int when)
{
    return i ? when_branch(c->when, when, x->n->arg[0], i == 1) : when;
}

static void reach_args(Close *c, const Item *x)
{
    bool select = op_table[x->n->op]->cls == OPC_select;
    if (!select || !varies(arg_item(c, x, 0))) {
        for (int i = 0; i < x->n->narg; i++) {
            int branch = select ? i : 0;
            int right = branch_case(c, x, branch, x->open_when);
            reach_arg(c, x, i, branch_case(c, x, branch, x->when), right);
        }
        return;
    }
    Item branch = *x;
    branch.open = false;
    reach_arg(c, x, 0, x->when, x->open_when);
    reach_arg(c, &branch, 1, x->when, CASE_never);
    reach_arg(c, &branch, 2, x->when, CASE_never);
}

static void find_open(Close *c)
{
    c->when = when_new(c->scratch);
    for (int i = 0; i < c->nresult; i++) {
        Item *x = item_of(c, c->result[i]);
        x->open = true;
        x->early = x->early || (c->r.until && i == c->nresult - 1);
        x->when = x->open_when = CASE_always;
    }
    for (int k = c->item.n - 1; k >= 0; k--)
        if (c->item.at[k].expanded)
            reach_args(c, &c->item.at[k]);
}

static void find_places(Close *c)
{
    for (int k = 0; k < c->item.n; k++) {
        Item *x = &c->item.at[k];
        bool open = x->open && x->open_when == x->when;
        x->stays = varies(x) || (x->expanded && !node_repeats(x->n) && !open &&
                                 node_can_fail(c->g, x->n));
        if (x->n->op == OP_part && x->expanded)
            x->stays = arg_item(c, x, 0)->stays;
        x->in_view =
            x->on == ON_CAPTURE &&
            (x->n->op == OP_param || (is_view(x->n) && !node_repeats(x->n) &&
                                      arg_item(c, x, 0)->in_view));
        x->light = is_constant_leaf(x->n) || node_repeats(x->n) || x->in_view;
    }
}

/* Indices that are a·t + b. */

/* The step's number is a counter. */
static bool counts_steps(void *u, const Node *n, Unknown *to)
{
    const Close *c = u;
    to->var = c->step;
    to->extent = c->r.trips;
    return n == c->r.index;
}

static Bound bound_of_steps(Close *c)
{
    Bound b = bound_of(c->g);
    b.counter = counts_steps;
    b.u = c;
    return b;
}

/* Is what n checks inside in all steps. */
static bool always_inside(Close *c, const Node *n)
{
    Bound b = bound_of_steps(c);
    const Dim *place[MAX_RANK], *p;
    if (n->attr.integer == NUMBER_CHECK)
        return false;
    bound_places(&b, n, place);
    p = bound_form(&b, n->arg[0], place);
    return p && bound_inside(&b, p, dim_const(c->g, 1), n->attr.dims[0]);
}

/* Is scalar n equal to a·t + b, if need be without its check. */
static bool is_affine(Close *c, const Node *n, const Dim **a, const Dim **b)
{
    Bound q = bound_of_steps(c);
    q.unmask = true;
    *b = bound_form(&q, n, NULL);
    return *b && q.nasked == 0 && bound_asked(&q) &&
           dim_linear_in(c->g, *b, c->step, a, b) && !dim_is(*a, 0) &&
           bound_last(&q, *a) < 0 && bound_last(&q, *b) < 0;
}

static void find_indices(Close *c)
{
    c->step = dim_unknown(c->g, MAX_UNKNOWNS);
    for (int k = 0; k < c->item.n; k++) {
        Item *x = &c->item.at[k];
        const Node *n = x->n;
        if (!x->stays)
            continue;
        if (n->op == OP_index_check)
            x->proven = always_inside(c, n);
        else if (n->op == OP_gather && n->arg[1]->rank == 0)
            x->affine = is_affine(c, n->arg[1], &x->a, &x->b);
    }
}

/* What becomes an input. */

/* A gather that reads what does not change at a·t + b. */
static bool reads_by_step(Close *c, const Item *x)
{
    return x->affine && !arg_item(c, x, 0)->stays;
}

/* Is something of a size other than 1 summed. */
static bool sums(const Node *n)
{
    const Node *a = n->arg[0];
    for (int i = 0; i < a->rank; i++)
        if (n->attr.ints[i] >= n->rank && !dim_is(a->dim[i], 1))
            return true;
    return false;
}

/* A contraction of what depends on the step alone with what does not change. */
static bool is_batched(Close *c, const Item *x)
{
    const Region *r = &c->r;
    if (!x->stays || x->n->op != OP_contract || x->on & ON_CARRY || r->until ||
        r->counted || x->n->rank + 2 > MAX_RANK || !sums(x->n) || !x->open)
        return false;
    return !arg_item(c, x, 0)->stays || !arg_item(c, x, 1)->stays;
}

static void find_inputs(Close *c)
{
    if (!c->r.trips)
        return;
    for (int k = 0; k < c->item.n; k++) {
        Item *x = &c->item.at[k];
        if (reads_by_step(c, x))
            x->source = x->n->arg[0];
        else
            x->batched = is_batched(c, x);
    }
}

/* What the new body needs: from the results on down to captures. */
static void find_needed(Close *c)
{
    for (int i = 0; i < c->nresult; i++)
        item_of(c, c->result[i])->needed = true;
    for (int k = c->item.n - 1; k >= 0; k--) {
        const Item *x = &c->item.at[k];
        bool inside = x->stays || x->light;
        if (!x->needed || !inside || x->source || x->batched)
            continue;
        for (int i = 0; i < x->n->narg; i++)
            arg_item(c, x, i)->needed = true;
    }
}

/* Making the new region. */

/* n as it is around the loop. */
static void outside(Close *c, int n, Node **node)
{
    const Region *r = &c->r;
    graph_subst(c->g, r->ncapture, r->capture,
                c->old_arg + r->ncarry + r->ninput, n, node);
}

static Node *new_param(Close *c, const char *name, const Node *like, int skip)
{
    int rank = like->rank - skip;

    return g_param(c->g, like->dtype, rank, rank ? like->dim + skip : NULL,
                   name);
}

/* The capture of a value around the loop; constants are no captures. */
static Node *capture(Close *c, Node *value)
{
    Graph *g = c->g;
    if (is_constant_leaf(value))
        return value;
    if (node_repeats(value))
        return g_broadcast(g, capture(c, value->arg[0]), value->rank,
                           value->dim, value->attr.ints);
    int k = nodes_find(&c->made.capture_arg, value);
    if (k >= 0)
        return c->made.capture.at[k];
    const char *name =
        value->op == OP_param
            ? value->attr.name
            : arena_printf(graph_arena(g), "c%d", c->made.capture.n);
    Node *p = new_param(c, name, value, 0);
    maker_capture(&c->made, p, value);
    return p;
}

/* The input whose elements are `all`'s along its first axis; p: its parameter,
 * or NULL. An element that is the same in all steps is no input. */
static Node *input(Close *c, Node *all, Node *p)
{
    Graph *g = c->g;
    if (all->op == OP_iota)
        return g_cast(g, all->dtype, c->r.index);
    if (node_repeats(all) && all->attr.ints[0] < 0)
        return g_broadcast(g, capture(c, all->arg[0]), all->rank - 1,
                           all->dim + 1, all->attr.ints + 1);
    int k = nodes_find(&c->made.input_arg, all);
    if (k >= 0)
        return c->made.input.at[k];
    if (!p)
        p = new_param(c, arena_printf(graph_arena(g), "x%d", c->made.input.n),
                      all, 1);
    maker_input(&c->made, p, all);
    return p;
}

/* min(b, n): a view of nothing begins inside too. */
static const Dim *begin_of(Close *c, const Dim *b, const Dim *n)
{
    Graph *g = c->g;
    bool clamped = dim_clamps(c->r.trips) != c->r.trips;
    return clamped ? dim_sub(g, b, dim_positive(g, dim_sub(g, b, n))) : b;
}

/* Elements a·t + b along the axis that is gathered, t first. */
static Node *steps_of(Close *c, const Item *x, Node *from)
{
    Graph *g = c->g;
    int axis = (int)x->n->attr.integer;
    const Dim *begin = begin_of(c, x->b, from->dim[axis]);
    Node *all = g_strided(g, from, axis, begin, 1, &c->r.trips, &x->a);
    return g_move_axis(g, all, axis, 0);
}

/* n for all steps at once; it depends on no carry. */
static Node *all_steps(Close *c, Node *n)
{
    const Region *r = &c->r;
    int np = r->ninput + 1;
    Node **param = NEWN(c->scratch, Node *, np);
    Node **value = NEWN(c->scratch, Node *, np);
    for (int i = 0; i < r->ninput; i++) {
        param[i] = r->input[i];
        value[i] = c->old_arg[r->ncarry + i];
    }
    param[np - 1] = r->index;
    value[np - 1] = g_iota(c->g, r->index->dtype, r->trips);
    graph_batch(c->g, r->trips, np, param, value, 1, &n);
    return n;
}

/* `until` before the first step. */
static Node *first_until(Close *c)
{
    const Region *r = &c->r;
    int n = 0, np = region_nparam(r);
    Node **param = NEWN(c->scratch, Node *, np);
    Node **value = NEWN(c->scratch, Node *, np);
    Node *until = r->until, *none = g_const_int(c->g, r->index->dtype, 0);
    param[n] = r->index;
    value[n++] = none;
    for (int i = 0; i < np - 1; i++) {
        bool input = i >= r->ncarry && i < r->ncarry + r->ninput;
        param[n] = region_param(r, i);
        value[n++] =
            input ? g_gather(c->g, c->old_arg[i], none, 0) : c->old_arg[i];
    }
    graph_subst(c->g, n, param, value, 1, &until);
    return until;
}

/* Is a step made, or `until` asked: NULL, for sure. */
static Node *first_step(Close *c, bool early)
{
    Graph *g = c->g;
    const Region *r = &c->r;
    Node *zero = g_const_int(g, DT_i64, 0), *go;
    if (!r->trips)
        return NULL;
    go = g2(g, OP_lt, zero, g_dim(g, DT_i64, r->trips));
    if (r->counted)
        go = g2(g, OP_and, go, g2(g, OP_lt, zero, c->old_arg[c->narg - 1]));
    if (r->until && !early) {
        Node *none = g_fill(g, go, 0);
        go = g_if(g, go, g1(g, OP_not, first_until(c)), none);
    }
    return node_is_const(go, 1) ? NULL : go;
}

static Node *starts(Close *c, bool early)
{
    if (!c->starts[early])
        c->starts[early] = first_step(c, early);
    return c->starts[early];
}

static bool is_computed(const Node *n)
{
    OpClass cls = op_table[n->op]->cls;
    return cls != OPC_leaf && cls != OPC_view && n->dtype != DT_key;
}

/* Is value computed only if a step is made: it may stop the call where there is
 * none, or needs a loop for one number. */
static bool waits_for_step(Close *c, const Item *x, Node *value)
{
    const Region *r = &c->r;
    bool number = value->rank == 0 && value->op == OP_part;
    bool sizes = r->trips && !r->counted && !(r->until && !x->early);
    if (!number && !(sizes ? node_fails_without(c->g, value, r->trips)
                           : node_can_fail(c->g, value)))
        return false;
    return starts(c, x->early) != NULL;
}

/* A value around the loop, where the loop needs it. */
static Node *where_needed(Close *c, const Item *x, Node *value)
{
    Graph *g = c->g;
    Node *zero;
    if (node_repeats(value))
        return g_broadcast(g, where_needed(c, x, value->arg[0]), value->rank,
                           value->dim, value->attr.ints);
    if (!node_can_fail(g, value) && !is_computed(value))
        return value;
    zero = g_fill(g, value, 0);
    if (x->when != CASE_always) {
        Node *when = when_node(c->when, g, x->when);
        outside(c, 1, &when);
        value = g_if(g, when, value, zero);
    }
    if (waits_for_step(c, x, value))
        value = g_if(g, starts(c, x->early), value, zero);
    return value;
}

/* What is around the loop and the new body reads. */
static void find_outside(Close *c)
{
    Nodes out = {0};
    for (int k = 0; k < c->item.n; k++) {
        const Item *x = &c->item.at[k];
        bool read = x->source || x->batched || !(x->stays || x->light);
        if (x->needed && read)
            list_push(c->scratch, &out, x->source ? x->source : x->n);
    }
    outside(c, out.n, out.at);
    for (int k = 0, i = 0; k < c->item.n; k++) {
        Item *x = &c->item.at[k];
        bool read = x->source || x->batched || !(x->stays || x->light);
        if (x->needed && read)
            x->source = where_needed(c, x, out.at[i++]);
    }
}

static Node *remake(Close *c, const Item *x)
{
    Node **arg = NEWN(c->scratch, Node *, x->n->narg + 1);
    for (int i = 0; i < x->n->narg; i++)
        arg[i] = arg_item(c, x, i)->in;
    return graph_remake(c->g, x->n, arg);
}

static Node *inside(Close *c, const Item *x)
{
    if (x->batched)
        return input(c, all_steps(c, x->source), NULL);
    if (x->source && x->stays)
        return input(c, steps_of(c, x, x->source), NULL);
    if (x->source)
        return capture(c, x->source);
    if (x->proven)
        return arg_item(c, x, 0)->in;
    return x->n->narg ? remake(c, x) : x->n;
}

/* What n has become, if anything. */
static Node *in_body(const void *u, const Node *n)
{
    const Close *c = u;
    const Item *x = item_of(c, n);
    return x < c->item.at + c->item.n && x->n == n ? x->in : NULL;
}

/* The parameters that there are already: their own values. */
static void bind_params(Close *c)
{
    const Region *r = &c->r;
    Node *const *arg = c->old_arg + r->ncarry;
    for (int i = 0; i < r->ncapture; i++) {
        Node *value = arg[r->ninput + i];
        bool kept = !is_constant_leaf(value) && !node_repeats(value) &&
                    nodes_find(&c->made.capture_arg, value) < 0;
        if (r->trips && !kept)
            continue;
        maker_capture(&c->made, r->capture[i], value);
        item_of(c, r->capture[i])->in = r->capture[i];
    }
    for (int i = 0; i < r->ncapture; i++) {
        Item *x = item_of(c, r->capture[i]);
        if (!x->in)
            x->in = capture(c, arg[r->ninput + i]);
    }
    for (int i = 0; i < r->ninput; i++)
        item_of(c, r->input[i])->in = input(c, arg[i], r->input[i]);
}

/* A call keeps its name where what it was given is in the body, too. */
static void follow_labels(Close *c, const Item *x)
{
    const NodeLabel *l = graph_call_label(c->g, x->n);
    bool inside = true;
    for (int i = 0; l && i < l->narg; i++) {
        const Node *arg = l->arg[i].node;
        inside = inside && (!arg || is_constant_leaf(arg) || in_body(c, arg));
    }
    if (inside)
        graph_follow_labels(c->g, x->n, x->in, in_body, c);
    else
        graph_follow_let(c->g, x->n, x->in);
}

static void make_body(Close *c)
{
    for (int k = 0; k < c->item.n; k++) {
        Item *x = &c->item.at[k];
        if (!x->needed || x->in)
            continue;
        x->in = inside(c, x);
        follow_labels(c, x);
    }
    for (int i = 0; i < c->nresult; i++)
        c->result[i] = item_of(c, c->result[i])->in;
}

/* Captures that the results read; the others go. */
static void drop_captures(Close *c)
{
    int kept = 0;
    Nodes seen = nodes_below(c->g, c->scratch, c->nresult, c->result);
    for (int i = 0; i < c->made.capture.n; i++) {
        if (node_place(seen.at, seen.n, c->made.capture.at[i]) < 0)
            continue;
        c->made.capture.at[kept] = c->made.capture.at[i];
        c->made.capture_arg.at[kept++] = c->made.capture_arg.at[i];
    }
    c->made.capture.n = c->made.capture_arg.n = kept;
}

/* What a derivative of the user's own is given in addition: the captures that
 * were added, which it does not read. */
static const Region *with_captures(Close *c, const Region *vjp)
{
    int was = c->r.ncapture, now = c->made.capture.n;
    Region *to = arena_copy(c->scratch, vjp, sizeof *vjp);
    Node **list = NEWN(c->scratch, Node *, vjp->ncapture + now - was);
    if (now == was)
        return vjp;
    for (int i = 0; i < vjp->ncapture; i++)
        list[i < was ? i : i + now - was] = vjp->capture[i];
    for (int i = was; i < now; i++)
        list[i] = new_param(c, NULL, c->made.capture.at[i], 0);
    to->capture = list;
    to->ncapture = vjp->ncapture + now - was;
    to->self = NULL;
    return to;
}

static Node *finish(Close *c)
{
    const Region *r = &c->r;
    RegionMaker *m = &c->made;
    for (int i = 0; i < r->ncarry; i++)
        maker_carry(m, r->carry[i], c->old_arg[i], c->result[i]);
    for (int i = 0; i < r->noutput; i++)
        maker_output(m, c->result[r->ncarry + i]);
    if (r->until)
        m->r.until = c->result[c->nresult - 1];
    if (r->vjp)
        m->r.vjp = with_captures(c, r->vjp);
    if (r->counted)
        m->count = c->old_arg[c->narg - 1];
    return maker_finish_as(m, c->names);
}

Node *g_region_close(Graph *g, const Region *r, int narg, Node *const *arg)
{
    return g_region_close_as(g, r, narg, arg, NULL);
}

Node *g_region_close_as(Graph *g, const Region *r, int narg, Node *const *arg,
                        const ParamNames *names)
{
    Close c = {.g = g, .r = *r, .narg = narg, .old_arg = arg, .names = names};
    c.scratch = arena_new();
    c.made = region_maker(g, c.scratch, r);
    c.nresult = region_nresult(r);
    c.result = NEWN(c.scratch, Node *, c.nresult + 1);
    region_results(r, c.result);
    collect(&c);
    find_dependence(&c);
    find_open(&c);
    find_places(&c);
    if (r->trips)
        find_indices(&c);
    find_inputs(&c);
    find_needed(&c);
    bind_params(&c);
    find_outside(&c);
    make_body(&c);
    if (!r->vjp)
        drop_captures(&c);
    Node *n = finish(&c);
    arena_free(c.scratch);
    return n;
}
