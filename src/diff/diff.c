/* diff.c: reverse and forward mode over the operator table. */

#include "diff/diff.h"
#include "diff/sweep.h"

#include "graph/op.h"
#include "simplify/simplify.h"

typedef struct Terms {
    LIST(Guarded) list;
} Terms;

/* What a loop or call passes on between its arguments and its parts. */
typedef struct Parts {
    Guarded *bar; /* reverse: of each part, collected before the loop's turn */
    Node **dot;   /* forward: of each part */
} Parts;

/* The tangents of n are `by` times those of a root of squares: see root.c. */
typedef struct Slope {
    Node *root, *by;
} Slope;

enum { MAX_SLOPES = 4 };

/* Forward: the slopes by some roots, and the tangent by all else. */
typedef struct Split {
    int n;
    Slope at[MAX_SLOPES];
    Node *rest; /* NULL: 0 */
} Split;

typedef struct Sweep {
    Graph *g;
    Arena *scratch;
    Node **y;    /* simplified */
    Reach reach; /* from y, as far as the xs */
    int *place;  /* of these: 1 + its number below, or 0 */
    int count;
    Node **node;  /* the active ones: real, reached from y, dependent on
                     some x; by ascending ids */
    Node **value; /* forward: the tangent; NULL is zero, or split */
    Split *split;
    Steep *steep;  /* forward: may it be infinite */
    Terms *terms;  /* reverse: what the adjoint is the sum of */
    Parts **parts; /* of loops and calls */
} Sweep;

static const Op *row(const Node *n) { return op_table[n->op]; }

/* n's number among the active nodes, or -1. */
static int number_of(const Sweep *s, const Node *n)
{
    int i = reach_number(&s->reach, n);

    return i >= 0 ? s->place[i] - 1 : -1;
}

static bool is_active(const Sweep *s, const Node *n)
{
    return number_of(s, n) >= 0;
}

static Parts *parts_of(Sweep *s, const Node *n)
{
    Parts **p = &s->parts[number_of(s, n)];
    int k = region_nparts(node_region(n));

    if (!*p) {
        *p = NEW(s->scratch, Parts);
        (*p)->bar = NEWN(s->scratch, Guarded, k);
        (*p)->dot = NEWN(s->scratch, Node *, k);
    }
    return *p;
}

/* Active nodes: between the xs and the ys, through real values only. */
static void find_active(Sweep *s, int ny, int nx, Node *const *x)
{
    LIST(Node *) found = {0};
    int lo = graph_count(s->g);

    for (int j = 0; j < nx; j++)
        lo = x[j]->id < lo ? x[j]->id : lo;
    s->reach = reach_enter(s->g, s->scratch, lo, REACH_AROUND, ny, s->y);
    s->place = NEWN(s->scratch, int, s->reach.n + 1);
    for (int j = 0; j < nx; j++)
        if (reach_number(&s->reach, x[j]) >= 0)
            s->place[reach_number(&s->reach, x[j])] = 1;
    for (int k = 0; k < s->reach.n; k++) {
        Node *n = s->reach.node[k];
        bool active = s->place[k];

        for (int i = 0; i < n->narg; i++)
            active |= is_active(s, n->arg[i]);
        active = active && (dtype_is_real(n->dtype) || node_has_region(n));
        if (active)
            list_push(s->scratch, &found, n);
        s->place[k] = active ? found.n : 0;
    }
    s->node = found.at;
    s->count = found.n;
}

static bool any_parts(const Sweep *s)
{
    for (int k = 0; k < s->count; k++)
        if (node_has_region(s->node[k]))
            return true;
    return false;
}

/* The ys are simplified first: what overflows as written, log(sum(exp(x))),
 * would in its derivative too. Loops that store for a derivative already made
 * become one with what they were made from. */
static Sweep sweep_new(Graph *g, int ny, Node *const *y, int nx, Node *const *x)
{
    Sweep s = {.g = g, .scratch = arena_new()};

    s.y = arena_copy(s.scratch, y, sizeof *y * (size_t)ny);
    simplify(g, ny, s.y);
    find_active(&s, ny, nx, x);
    if (any_parts(&s)) {
        reach_leave(&s.reach);
        regions_prune(g, ny, s.y);
        find_active(&s, ny, nx, x);
    }
    s.value = NEWN(s.scratch, Node *, s.count);
    s.split = NEWN(s.scratch, Split, s.count);
    s.steep = NEWN(s.scratch, Steep, s.count);
    s.parts = NEWN(s.scratch, Parts *, s.count);
    return s;
}

static void sweep_free(Sweep *s)
{
    reach_leave(&s->reach);
    arena_free(s->scratch);
}

static void add_to(Sweep *s, const Node *n, Guarded v)
{
    list_push(s->scratch, &s->terms[number_of(s, n)].list, v);
}

/* All terms are there: every user of n has been passed. NULL: zero. */
static const Guarded *adjoint_of(Sweep *s, const Node *n)
{
    Terms *t;

    if (!is_active(s, n))
        return NULL;
    t = &s->terms[number_of(s, n)];
    if (t->list.n == 0)
        return NULL;
    t->list.at[0] = guard_sum(s->g, s->scratch, t->list.n, t->list.at);
    t->list.n = 1;
    return &t->list.at[0];
}

/* Of x - x nothing is left, whatever the adjoint. */
static bool cancels(Graph *g, Node *n)
{
    Node *p[2];

    if (n->narg != 2 || n->arg[0] != n->arg[1])
        return false;
    for (int i = 0; i < 2; i++)
        p[i] = op_partial(g, n, i);
    return p[0] && p[1] && node_is_const(p[0], 1) && node_is_const(p[1], -1);
}

static void reverse_ewise(Sweep *s, Node *n, const Guarded *adjoint)
{
    if (cancels(s->g, n))
        return;
    for (int i = 0; i < n->narg; i++) {
        Node *partial;
        Guarded a;

        if (!is_active(s, n->arg[i]))
            continue;
        partial = op_partial(s->g, n, i);
        if (!partial)
            continue;
        a = guard_scale(s->g, adjoint, partial);
        a.steep |= node_is_steep(n, partial);
        add_to(s, n->arg[i], a);
    }
}

static void reverse_choice(Sweep *s, Node *n, const Guarded *adjoint)
{
    for (int i = 1; i < n->narg; i++)
        if (is_active(s, n->arg[i]))
            add_to(s, n->arg[i], guard_choose(s->g, s->scratch, n, adjoint, i));
}

/* dx, which n made of a: a reduction that is no sum has coefficients, which may
 * be NaN where dx is not live. */
static Guarded flowed(const Node *n, const Guarded *a, Node *dx, Node *live)
{
    bool plain = row(n)->cls != OPC_reduce || row(n)->flags & OP_LINEAR;

    return (Guarded){.v = dx,
                     .branch = a->branch,
                     .mask = plain ? NULL : live,
                     .live = plain ? live : NULL,
                     .made = a->made,
                     .steep = a->steep};
}

/* May what n has for coefficients be no number. */
static bool is_wild(const Node *n)
{
    for (int i = 0; row(n)->vjp_strong && i < n->narg; i++)
        if (!node_is_defined(n->arg[i]))
            return true;
    return false;
}

static void routine_vjp(Graph *g, void *of, Node *const *dy, Node **dx)
{
    row(of)->vjp(g, of, dy[0], dx);
}

static void reverse_other(Sweep *s, Node *n, const Guarded *adjoint)
{
    Guarded a = guard_settle(s->g, adjoint);
    Node **dx = NEWN(s->scratch, Node *, n->narg);
    Node **live = NEWN(s->scratch, Node *, n->narg);
    Node *of = n;
    bool strong = row(n)->vjp_strong && (a.steep || (!a.live && is_wild(n)));

    if (a.live)
        guard_live_back(s->g, n, a.live, live);
    if (a.live && row(n)->cls == OPC_contract)
        of = guard_product(s->g, s->scratch, n, a.live);
    if (strong)
        row(n)->vjp_strong(s->g, of, a.v, a.steep, dx);
    else if (a.steep && row(n)->cls == OPC_routine)
        far_linear(s->g, s->scratch, routine_vjp, n, 1, &a.v, n->narg, dx);
    else
        row(n)->vjp(s->g, of, a.v, dx);
    for (int i = 0; i < n->narg; i++) {
        if (!dx[i] || !is_active(s, n->arg[i]))
            continue;
        Guarded x = flowed(n, &a, dx[i], live[i]);
        x.steep |= n->narg == 2 && node_is_steep(n, n->arg[1 - i]);
        add_to(s, n->arg[i], x);
    }
}

/* By its inputs; false where those are its arguments. */
static bool reverse_inputs(Sweep *s, Node *n, const Guarded *adjoint)
{
    Node *x[MAX_INPUTS], *dx[MAX_INPUTS];
    int k = row(n)->inputs ? row(n)->inputs(s->g, n, x) : 0;
    Guarded a = guard_settle(s->g, adjoint);

    if (k)
        row(n)->vjp(s->g, n, a.v, dx);
    for (int i = 0; i < k; i++)
        if (is_active(s, x[i]))
            add_to(s, x[i],
                   (Guarded){dx[i], a.branch, NULL, NULL, a.made, a.steep});
    return k > 0;
}

/* All of n's parts have been passed. */
static void reverse_region(Sweep *s, Node *n)
{
    Guarded *bar = NEWN(s->scratch, Guarded, n->narg);
    bool *active = NEWN(s->scratch, bool, n->narg);

    for (int i = 0; i < n->narg; i++)
        active[i] = is_active(s, n->arg[i]);
    if (n->op == OP_loop)
        loop_reverse(s->g, s->scratch, n, active, parts_of(s, n)->bar, bar);
    else
        call_reverse(s->g, s->scratch, n, active, parts_of(s, n)->bar, bar);
    for (int i = 0; i < n->narg; i++)
        if (bar[i].v && active[i])
            add_to(s, n->arg[i], bar[i]);
}

static void reverse(Sweep *s, Node *n)
{
    const Guarded *at;
    Guarded adjoint;

    if (node_has_region(n)) {
        if (s->parts[number_of(s, n)])
            reverse_region(s, n);
        return;
    }
    at = adjoint_of(s, n);
    if (!at)
        return;
    adjoint = *at;
    if (n->op == OP_part)
        parts_of(s, n->arg[0])->bar[n->attr.integer] = adjoint;
    else if (row(n)->flags & OP_MASKS)
        reverse_choice(s, n, &adjoint);
    else if (reverse_inputs(s, n, &adjoint))
        return;
    else if (op_has_partial(row(n)))
        reverse_ewise(s, n, &adjoint);
    else if (row(n)->vjp)
        reverse_other(s, n, &adjoint);
}

void sweep_reverse(Graph *g, int ny, Node *const *y, const Guarded *y_bar,
                   int nx, Node *const *x, Guarded *x_bar)
{
    Sweep s = sweep_new(g, ny, y, nx, x);
    Provenance before = graph_provenance(g, (Provenance){0});

    s.terms = NEWN(s.scratch, Terms, s.count);
    for (int i = 0; i < ny; i++)
        if (y_bar[i].v && is_active(&s, s.y[i]))
            add_to(&s, s.y[i], y_bar[i]);
    for (int k = s.count - 1; k >= 0; k--) {
        Node *n = s.node[k];

        if (n->narg == 0)
            continue;
        graph_provenance(g, node_provenance(n));
        reverse(&s, n);
    }
    graph_provenance(g, before);
    for (int j = 0; j < nx; j++) {
        const Guarded *v = adjoint_of(&s, x[j]);
        Guarded a = {.v = NULL};

        if (v) {
            a = guard_settle(g, v);
            a = (Guarded){.v = guard_value(g, &a),
                          .live = guard_alive(g, &a),
                          .steep = a.steep};
        }
        x_bar[j] = a;
    }
    sweep_free(&s);
}

static void reverse_from(Graph *g, int ny, Node *const *y, Node *const *y_bar,
                         bool steep, int nx, Node *const *x, Node **x_bar)
{
    Arena *scratch = arena_new();
    Guarded *from = NEWN(scratch, Guarded, ny),
            *to = NEWN(scratch, Guarded, nx);

    for (int i = 0; i < ny; i++)
        from[i] = (Guarded){.v = y_bar[i], .steep = steep};
    sweep_reverse(g, ny, y, from, nx, x, to);
    for (int j = 0; j < nx; j++)
        x_bar[j] = to[j].v ? to[j].v : g_fill(g, x[j], 0);
    arena_free(scratch);
}

void diff_reverse(Graph *g, int ny, Node *const *y, Node *const *y_bar, int nx,
                  Node *const *x, Node **x_bar)
{
    reverse_from(g, ny, y, y_bar, false, nx, x, x_bar);
}

void diff_reverse_strong(Graph *g, int ny, Node *const *y, Node *const *y_bar,
                         int nx, Node *const *x, Node **x_bar)
{
    reverse_from(g, ny, y, y_bar, true, nx, x, x_bar);
}

/* Forward. What functions make of a root r of squares, whose tangent is q/r, is
 * kept apart as a factor of that for as long as they act on each element alone.
 * So all terms are there when q/r is multiplied, as they are in reverse mode,
 * and an r in each of them is cancelled. */

static Node **tangents(Sweep *s, int k, Node *const *x);

/* The tangent of the root times `by`. */
static Node *along_root(Sweep *s, Node *root, Node *by)
{
    Node *x[MAX_INPUTS];
    int k = row(root)->inputs(s->g, root, x);

    return row(root)->jvp_times(s->g, root, by, tangents(s, k, x));
}

/* n's tangent, put together. */
static Node *tangent(Sweep *s, const Node *n)
{
    int k = number_of(s, n);
    Split *p = k < 0 ? NULL : &s->split[k];

    if (!p)
        return NULL;
    if (!s->value[k]) {
        s->value[k] = p->rest;
        for (int i = 0; i < p->n; i++)
            s->value[k] = g_join(s->g, OP_add, s->value[k],
                                 along_root(s, p->at[i].root, p->at[i].by));
    }
    return s->value[k];
}

static Steep steepness(const Sweep *s, const Node *n)
{
    return is_active(s, n) ? s->steep[number_of(s, n)] : STEEP_no;
}

static void steepen(Sweep *s, const Node *n, Steep to)
{
    Steep *steep = &s->steep[number_of(s, n)];

    *steep = to > *steep ? to : *steep;
}

/* Of n's tangent by a partial of n. */
static Steep steepness_by(const Node *n, const Node *partial)
{
    return node_is_steep(n, partial) ? STEEP_root
           : node_is_finite(partial) ? STEEP_no
           : node_is_far(partial)    ? STEEP_far
                                     : STEEP_here;
}

static Node *along(Sweep *s, Node *n, Node *dot, bool steep, Node *partial)
{
    steepen(s, n, steepness_by(n, partial));
    return g_chain(s->g, dot, partial, steep);
}

/* With what both partials have in common outside. */
static Node *forward_slope(Sweep *s, Node *n, Node *const *dot)
{
    bool one = steepness(s, n->arg[0]), two = steepness(s, n->arg[1]);
    Node *second = along(s, n, dot[1], two, row(n)->slope(s->g, n));
    Node *sum = g2(s->g, OP_add, dot[0], second);

    return along(s, n, sum, one || two, op_partial(s->g, n, 0));
}

/* Sum of partial · tangent over the arguments whose tangent is not NULL. */
static Node *forward_partials(Sweep *s, Node *n, Node *const *dot)
{
    Node *sum = NULL;

    if (cancels(s->g, n))
        return NULL;
    if (row(n)->slope && dot[0] && dot[1])
        return forward_slope(s, n, dot);
    for (int i = 0; i < n->narg; i++) {
        Node *partial = dot[i] ? op_partial(s->g, n, i) : NULL;
        Node *term;

        if (!partial)
            continue;
        term = along(s, n, dot[i], steepness(s, n->arg[i]), partial);
        sum = sum ? g2(s->g, OP_add, sum, term) : term;
    }
    return sum;
}

/* By the row's jvp from the tangents of k nodes. A product of matrices looks
 * for infinite ones behind roots only: it would take longer. */
static Node *forward_jvp(Sweep *s, Node *n, int k, Node *const *dot)
{
    bool any = false, steep[MAX_INPUTS] = {false};
    Steep least = row(n)->cls == OPC_contract ? STEEP_root : STEEP_here;

    for (int i = 0; i < k; i++) {
        any |= dot[i] != NULL;
        steep[i] = k == n->narg && steepness(s, n->arg[i]) >= least;
    }
    if (!any || !row(n)->jvp)
        return NULL;
    return row(n)->jvp_strong && steepness(s, n) >= least
               ? row(n)->jvp_strong(s->g, n, dot, steep)
               : row(n)->jvp(s->g, n, dot);
}

/* From the tangents of n's arguments. */
static Node *forward_by(Sweep *s, Node *n, Node *const *dot)
{
    return op_has_partial(row(n)) ? forward_partials(s, n, dot)
                                  : forward_jvp(s, n, n->narg, dot);
}

static Node **tangents(Sweep *s, int k, Node *const *x)
{
    Node **dot = NEWN(s->scratch, Node *, k);

    for (int i = 0; i < k; i++)
        dot[i] = tangent(s, x[i]);
    return dot;
}

static const Split *split_of(const Sweep *s, const Node *n)
{
    static const Split none;

    return is_active(s, n) ? &s->split[number_of(s, n)] : &none;
}

static Node *slope_by(const Split *p, const Node *root)
{
    for (int i = 0; i < p->n; i++)
        if (p->at[i].root == root)
            return p->at[i].by;
    return NULL;
}

/* The roots that n's arguments are split by; how many, or none if too many. */
static int common_roots(const Sweep *s, const Node *n, Node **root)
{
    int count = 0;

    for (int i = 0; i < n->narg; i++) {
        const Split *p = split_of(s, n->arg[i]);
        for (int k = 0; k < p->n; k++) {
            int seen = 0;
            while (seen < count && root[seen] != p->at[k].root)
                seen++;
            if (seen < count)
                continue;
            if (count == MAX_SLOPES)
                return 0;
            root[count++] = p->at[k].root;
        }
    }
    return count;
}

/* n acts on each element alone: it has slopes by the roots that its arguments
 * have some by. False: none have. */
static bool forward_split(Sweep *s, Node *n)
{
    Node *root[MAX_SLOPES], **dot = NEWN(s->scratch, Node *, n->narg);
    int count = row(n)->cls == OPC_ewise ? common_roots(s, n, root) : 0;
    Split *to = &s->split[number_of(s, n)];

    for (int k = 0; k < count; k++) {
        for (int i = 0; i < n->narg; i++)
            dot[i] = slope_by(split_of(s, n->arg[i]), root[k]);
        Node *by = forward_by(s, n, dot);
        if (by)
            to->at[to->n++] = (Slope){root[k], by};
    }
    for (int i = 0; i < n->narg; i++) {
        const Split *p = split_of(s, n->arg[i]);
        dot[i] = p->n ? p->rest : tangent(s, n->arg[i]);
    }
    if (count)
        to->rest = forward_by(s, n, dot);
    return count > 0;
}

static void forward_region(Sweep *s, Node *n)
{
    Node **dx = NEWN(s->scratch, Node *, n->narg);
    Steep *steep = NEWN(s->scratch, Steep, n->narg);
    bool any = false;

    for (int i = 0; i < n->narg; i++) {
        dx[i] = tangent(s, n->arg[i]);
        steep[i] = steepness(s, n->arg[i]);
        any |= dx[i] != NULL;
    }
    if (!any)
        return;
    steepen(s, n,
            (n->op == OP_loop ? loop_forward : call_forward)(
                s->g, s->scratch, n, dx, steep, parts_of(s, n)->dot));
}

/* n, a root by those k: it is its own slope. */
static void begin_split(Sweep *s, Node *n, int k, Node *const *x)
{
    for (int i = 0; i < k; i++)
        if (tangent(s, x[i])) {
            s->split[number_of(s, n)] =
                (Split){.n = 1, .at = {{n, g_fill(s->g, n, 1)}}};
            return;
        }
}

static Node *forward(Sweep *s, Node *n)
{
    Node *x[MAX_INPUTS];
    int k = row(n)->inputs ? row(n)->inputs(s->g, n, x) : 0;

    if (n->op == OP_part)
        return parts_of(s, n->arg[0])->dot[n->attr.integer];
    if (k && row(n)->jvp_times)
        begin_split(s, n, k, x);
    else if (k)
        return forward_jvp(s, n, k, tangents(s, k, x));
    else if (!forward_split(s, n))
        return forward_by(s, n, tangents(s, n->narg, n->arg));
    return NULL;
}

void sweep_forward(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                   Node *const *x_dot, const Steep *x_steep, Node **y_dot,
                   Steep *y_steep)
{
    Sweep s = sweep_new(g, ny, y, nx, x);
    Provenance before = graph_provenance(g, (Provenance){0});

    for (int j = 0; j < nx; j++)
        if (is_active(&s, x[j])) {
            s.value[number_of(&s, x[j])] = x_dot[j];
            s.steep[number_of(&s, x[j])] = x_steep ? x_steep[j] : STEEP_no;
        }
    for (int k = 0; k < s.count; k++) {
        Node *n = s.node[k];

        if (s.value[k] || n->narg == 0)
            continue;
        graph_provenance(g, node_provenance(n));
        for (int i = 0; i < n->narg; i++)
            steepen(&s, n, steepness(&s, n->arg[i]));
        if (node_has_region(n))
            forward_region(&s, n);
        else
            s.value[k] = forward(&s, n);
    }
    graph_provenance(g, before);
    for (int i = 0; i < ny; i++)
        y_dot[i] = tangent(&s, s.y[i]);
    for (int i = 0; y_steep && i < ny; i++)
        y_steep[i] = steepness(&s, s.y[i]);
    sweep_free(&s);
}

void diff_forward(Graph *g, int ny, Node *const *y, int nx, Node *const *x,
                  Node *const *x_dot, Node **y_dot)
{
    sweep_forward(g, ny, y, nx, x, x_dot, NULL, y_dot, NULL);
    for (int i = 0; i < ny; i++)
        if (!y_dot[i])
            y_dot[i] = g_fill(g, y[i], 0);
}
