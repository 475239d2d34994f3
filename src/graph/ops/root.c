/* root.c: the derivative of a square root of squares, as of a norm.
 *
 * That of sqrt(s) is infinite where s is 0. But where s is a sum of squares,
 * all of these are 0 there, and ∂sqrt(Σ w x²)/∂x = w x/sqrt(s) is a number of
 * ordinary size: 0 where x is. So the root is differentiated by what is squared
 * and not by s. Of a product of squares and others, each factor counts with the
 * rest as its weight; what is no square is a term of its own. */
#include "graph/ops/ops.h"

enum { ENOUGH_TERMS = 8, MAX_DEPTH = 12, MAX_FACTORS = 6 };

typedef struct Roots {
    Graph *g;
    int n, nsquare;
    Node **x;         /* what is differentiated by */
    Node **x_bar;     /* reverse: their adjoints; or NULL */
    Node *const *dot; /* forward: their tangents; or NULL */
} Roots;

/* A part of s: its weight, the root and the root's adjoint in its shape
 * (forward: what its tangent is multiplied by), each 1 if NULL; how far it is
 * from s. */
typedef struct Part {
    Node *s, *w, *root, *dy;
    bool whole; /* all else is a factor: w s is the root's square */
    int depth;
} Part;

static Node *tangent(Roots *r, Part p);

/* u = ∂root/∂x, and what follows from it. */
static Node *by(Roots *r, const Part *p, Node *x, Node *u)
{
    int k = r->n++;
    r->x[k] = x;
    if (r->x_bar)
        r->x_bar[k] = g_chain_seen(r->g, p->dy, u);
    if (!r->dot || !r->dot[k])
        return NULL;
    return g_chain_seen(r->g, r->dot[k],
                        p->dy ? g_chain_seen(r->g, p->dy, u) : u);
}

/* ∂root/∂x = c top/root */
static Node *term(Roots *r, const Part *p, Node *x, Node *top, double c)
{
    Node *u = g_fill(r->g, x, c);
    if (p->root)
        u = g2(r->g, OP_div, u, p->root);
    return by(r, p, x, top ? g2(r->g, OP_strong_mul, top, u) : u);
}

/* w a² */
static Node *square(Roots *r, const Part *p, Node *a)
{
    r->nsquare++;
    return term(r, p, a, g_join(r->g, OP_mul, p->w, a), 1);
}

static Node *other(Roots *r, const Part *p)
{
    return term(r, p, p->s, p->w, 0.5);
}

static Node *product(Roots *r, Part p)
{
    Node *sum = NULL;
    if (node_is_square(p.s))
        return square(r, &p, p.s->arg[0]);
    for (int i = 0; i < 2; i++) {
        Part q = p;
        q.s = p.s->arg[i];
        q.w = g_join(r->g, OP_mul, p.w, p.s->arg[1 - i]);
        if (!node_is_size(q.s))
            sum = g_join(r->g, OP_add, sum, tangent(r, q));
    }
    return sum;
}

/* By what a part of the whole root is divided by: -root/2 over that. */
static Node *divisor(Roots *r, const Part *p)
{
    Node *below = p->s->arg[1];
    if (p->whole) {
        Node *half = g2(r->g, OP_mul, p->root, g_fill(r->g, below, -0.5));
        return by(r, p, below, g2(r->g, OP_div, half, below));
    }
    Node *top = g_join(r->g, OP_mul, p->w, g2(r->g, OP_div, p->s, below));
    return term(r, p, below, top, -0.5);
}

static Node *quotient(Roots *r, Part p)
{
    Node *below = p.s->arg[1];
    Node *w = p.w ? p.w : g_fill(r->g, below, 1);
    Node *sum = node_is_size(below) ? NULL : divisor(r, &p);
    p.s = p.s->arg[0];
    p.w = g2(r->g, OP_div, w, below);
    return g_join(r->g, OP_add, sum, tangent(r, p));
}

/* Both terms of a sum, or both choices. */
static Node *two(Roots *r, Part p, Node *const *s, Node *const *w)
{
    Part a = p, b = p;
    a.whole = b.whole = false;
    a.s = s[0];
    a.w = w[0];
    b.s = s[1];
    b.w = w[1];
    Node *x = tangent(r, a);
    return g_join(r->g, OP_add, x, tangent(r, b));
}

static Node *choice(Roots *r, Part p)
{
    Node *w = p.w ? p.w : g_fill(r->g, p.s, 1), *zero = g_fill(r->g, p.s, 0);
    Node *c = p.s->arg[0];
    Node *ws[2] = {g_where(r->g, c, w, zero), g_where(r->g, c, zero, w)};
    return two(r, p, p.s->arg + 1, ws);
}

/* Each result's number for all that is summed in it: axis i of `like` is axis
 * axis[i] of the result, or -1. Forward, what is the same for all of a sum
 * waits for it: see summed. */
static Part spread(Roots *r, const Part *p, const Node *like, const int *axis)
{
    Part q = *p;
    Node **of[] = {&q.w, &q.root, &q.dy};
    q.whole = false;
    if (r->dot)
        q.root = q.dy = NULL;
    for (int i = 0; i < 3; i++)
        if (*of[i])
            *of[i] = g_broadcast(r->g, *of[i], like->rank, like->dim, axis);
    return q;
}

/* The sum of p's tangents, which were without root and dy. What dy does not
 * cancel of the root is divided by first: all dy share that. A product may have
 * a factor that cancels it in the next order, and stays beside it. */
static Node *summed(Roots *r, const Part *p, Node *dot, int n, const int *gone)
{
    if (!dot)
        return NULL;
    dot = g_reduce(r->g, OP_sum, dot, n, gone);
    if (!p->root) /* that of a sum around it */
        return dot;
    Node *over = g2(r->g, OP_div, g_fill(r->g, dot, 1), p->root);
    Node *u = g_chain_seen(r->g, p->dy, over);
    if (!node_is_product(p->dy) && node_is_product(u)) {
        dot = g_chain_seen(r->g, dot, over);
        u = p->dy;
    }
    return g_chain_seen(r->g, dot, u);
}

/* Σ a² over the labels from p's rank on, those below in order. */
static Node *sum_of_squares(Roots *r, Part p)
{
    Node *a = p.s->arg[0];
    const int *label = p.s->attr.ints;
    int axis[MAX_RANK], gone[MAX_RANK], n = 0, next = 0;
    for (int i = 0; i < a->rank; i++) {
        axis[i] = label[i] < p.s->rank ? label[i] : -1;
        if (axis[i] < 0)
            gone[n++] = i;
        else if (axis[i] != next++)
            return other(r, &p);
    }
    Part q = spread(r, &p, a, axis);
    return summed(r, &p, square(r, &q, a), n, gone);
}

static Node *sum(Roots *r, Part p)
{
    Node *x = p.s->arg[0];
    int axis[MAX_RANK], next = 0, at = 0;
    for (int i = 0; i < x->rank; i++) {
        bool gone = at < p.s->attr.nint && p.s->attr.ints[at] == i;
        axis[i] = gone ? -1 : next++;
        at += gone;
    }
    Part q = spread(r, &p, x, axis);
    q.s = x;
    return summed(r, &p, tangent(r, q), p.s->attr.nint, p.s->attr.ints);
}

static Node *reshaped(Roots *r, Part p)
{
    const Node *s = p.s;
    Part q = p;
    Node **of[] = {&q.w, &q.root, &q.dy};
    q.s = s->arg[0];
    for (int i = 0; i < 3; i++)
        if (*of[i])
            *of[i] = g_reshape(r->g, *of[i], q.s->rank, q.s->dim);
    Node *dot = tangent(r, q);
    return dot ? g_reshape(r->g, dot, s->rank, s->dim) : NULL;
}

/* The root's tangent by what p depends on, in p's shape; NULL: 0. */
static Node *tangent(Roots *r, Part p)
{
    const Node *s = p.s;
    if (node_is_size(s))
        return NULL;
    if (r->n >= ENOUGH_TERMS || ++p.depth > MAX_DEPTH)
        return other(r, &p);
    switch (s->op) {
    case OP_mul:
    case OP_strong_mul:
        return product(r, p);
    case OP_add:
        return two(r, p, s->arg, (Node *[]){p.w, p.w});
    case OP_div:
        return quotient(r, p);
    case OP_where:
        return choice(r, p);
    case OP_contract:
        return node_is_square(s) ? sum_of_squares(r, p) : other(r, &p);
    case OP_sum:
        return sum(r, p);
    case OP_reshape:
        return reshaped(r, p);
    }
    return other(r, &p);
}

static Part whole(Node *n, Node *dy)
{
    return (Part){.s = n->arg[0], .root = n, .dy = dy, .whole = true};
}

int root_inputs(Graph *g, Node *n, Node **x)
{
    Roots r = {.g = g, .x = x};
    if (node_sign(n->arg[0]) == SIGN_positive)
        return 0;
    tangent(&r, whole(n, NULL));
    return r.nsquare ? r.n : 0;
}

void root_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *x[MAX_INPUTS];
    Roots r = {.g = g, .x = x, .x_bar = dx};
    tangent(&r, whole(n, dy));
}

Node *root_jvp_times(Graph *g, Node *n, Node *by, Node *const *dx)
{
    Node *x[MAX_INPUTS];
    Roots r = {.g = g, .x = x, .dot = dx};
    return tangent(&r, whole(n, by));
}

/* Of what a partial divides by. */

static bool is_squares(const Node *n, int depth);

static bool all_squares(int n, Node *const *x, int depth)
{
    for (int i = 0; i < n; i++)
        if (!is_squares(x[i], depth))
            return false;
    return true;
}

/* Is n a sum of squares, times numbers above 0 or divided by any: where it is
 * 0, so is all that is squared. */
static bool is_squares(const Node *n, int depth)
{
    if (node_is_square(n) || node_is_const(n, 0))
        return true;
    if (depth-- == 0)
        return false;
    switch (n->op) {
    case OP_mul:
    case OP_strong_mul:
        for (int i = 0; i < 2; i++)
            if (node_sign(n->arg[i]) == SIGN_positive)
                return is_squares(n->arg[1 - i], depth);
        return false;
    case OP_add:
        return all_squares(2, n->arg, depth);
    case OP_where:
        return all_squares(2, n->arg + 1, depth);
    case OP_div:
    case OP_sum:
    case OP_view:
    case OP_reshape:
        return is_squares(n->arg[0], depth);
    }
    return false;
}

/* What p divides by, as a root or not. */
static Node *below(const Node *p)
{
    if (p->op == OP_rsqrt)
        return p->arg[0];
    if (p->op != OP_div)
        return NULL;
    return p->arg[1]->op == OP_sqrt ? p->arg[1]->arg[0] : p->arg[1];
}

/* Where squares are all 0 that a factor of p divides by; NULL: nowhere. */
static Node *is_pole(Graph *g, Node *p, int depth)
{
    Node *s = below(p), *at = NULL;
    if (s && is_squares(s, MAX_DEPTH))
        at = g2(g, OP_eq, s, g_fill(g, s, 0));
    if (depth-- == 0)
        return at;
    if (node_repeats(p)) {
        at = is_pole(g, p->arg[0], depth);
        return at ? g_broadcast(g, at, p->rank, p->dim, p->attr.ints) : NULL;
    }
    for (int i = 0; i < p->narg; i++)
        if (p->op == OP_neg || p->op == OP_div || node_is_product(p))
            at = g_join(g, OP_or, at, is_pole(g, p->arg[i], depth));
    return at;
}

Node *root_stays(Graph *g, Node *p, Node *x)
{
    Node *at = is_pole(g, p, MAX_FACTORS);
    return at ? g_where(g, at, g_fill(g, x, 0), x) : x;
}

static bool divides_by(const Node *n, const Node *s, int depth)
{
    if (below(n) == s)
        return true;
    for (int i = 0; i < n->narg && depth > 0; i++)
        if (divides_by(n->arg[i], s, depth - 1))
            return true;
    return false;
}

Node *root_moves(const Node *n)
{
    const Node *eq = n->op == OP_where ? node_repeated(n->arg[0]) : n;
    if (eq->op != OP_eq || !node_is_const(n->arg[1], 0))
        return NULL;
    for (int i = 0; i < 2; i++)
        if (node_is_const(eq->arg[i], 0) &&
            is_squares(eq->arg[1 - i], MAX_DEPTH) &&
            divides_by(n->arg[2], eq->arg[1 - i], ENOUGH_TERMS))
            return n->arg[2];
    return NULL;
}
