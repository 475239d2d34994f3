/* guard.c: adjoints that count only where their branch was taken. */

#include "diff/guard.h"

#include "graph/op.h"
#include "graph/view.h"

#include <stdlib.h>

enum { MAX_CLIMB = 64, MAX_CHOICES = 3 };

static Node *either(Graph *g, Node *a, Node *b)
{
    if (!a || !b || a == b)
        return a && b ? a : NULL;
    return b == g1(g, OP_not, a) ? NULL : g2(g, OP_or, a, b);
}

static Branch *branch_new(Graph *g, Arena *scratch, const Branch *outer,
                          Node *cond)
{
    Branch *b = NEW(scratch, Branch);

    *b = (Branch){outer, cond, cond};
    if (outer)
        b->holds = g_if(g, outer->holds, cond, g_fill(g, cond, 0));
    return b;
}

/* Is `in` inside `out`, or the same? True may be missed very deep down. */
static bool within(const Branch *in, const Branch *out)
{
    for (int i = 0; in && i < MAX_CLIMB; i++, in = in->outer)
        if (in->holds == out->holds)
            return true;
    return false;
}

static bool same_branch(const Branch *a, const Branch *b)
{
    return a == b || (a && b && a->holds == b->holds);
}

/* A branch taken whenever one of the two is; NULL: always. */
static const Branch *either_branch(Graph *g, Arena *scratch, const Branch *a,
                                   const Branch *b)
{
    Node *cond;

    if (!a || !b)
        return NULL;
    if (within(b, a) || within(a, b))
        return within(b, a) ? a : b;
    if (same_branch(a->outer, b->outer)) {
        cond = either(g, a->cond, b->cond);
        return cond ? branch_new(g, scratch, a->outer, cond) : a->outer;
    }
    cond = either(g, a->holds, b->holds);
    return cond ? branch_new(g, scratch, NULL, cond) : NULL;
}

Guarded guard_settle(Graph *g, const Guarded *a)
{
    Guarded r = *a;

    if (a->mask) {
        r.v = g_where(g, a->mask, a->v, g_fill(g, a->v, 0));
        r.live = g_join(g, OP_and, a->mask, a->live);
        r.mask = NULL;
    }
    return r;
}

Node *guard_value(Graph *g, const Guarded *a)
{
    Node *v = guard_settle(g, a).v;

    return a->branch ? g_if(g, a->branch->holds, v, g_fill(g, v, 0)) : v;
}

Guarded guard_choose(Graph *g, Arena *scratch, const Node *n, const Guarded *a,
                     int arg)
{
    Guarded r = guard_settle(g, a);
    Node *cond = n->arg[0];

    if (arg == 2)
        cond = g1(g, OP_not, cond);
    if (op_table[n->op]->cls == OPC_select)
        r.branch = branch_new(g, scratch, a->branch, cond);
    else
        r.mask = cond;
    return r;
}

/* What a loop of no steps gives is 0, and stays so in all orders of derivatives
 * by a partial that may be infinite. */
static void apply_made(Graph *g, Guarded *a)
{
    if (a->made)
        a->mask = g_join(g, OP_and, a->mask,
                         g_broadcast_to(g, a->made, a->v->rank, a->v->dim));
    a->made = NULL;
}

Guarded guard_scale(Graph *g, const Guarded *a, Node *partial)
{
    Guarded r = *a;

    if (!node_is_finite(partial))
        apply_made(g, &r);
    r.v = g_chain(g, a->v, partial, a->steep);
    if (!node_is_const(partial, 1) && !node_is_const(partial, -1)) {
        r.mask = g_join(g, OP_and, r.mask, r.live);
        r.live = NULL;
    }
    return r;
}

/* Which rows of factor k of the product n are live, where whole ones are or are
 * not; else NULL. */
static Node *live_rows(Graph *g, const Node *n, int k, Node *live)
{
    const Node *a = n->arg[k];
    const int *label = n->attr.ints + (k ? n->arg[0]->rank : 0);
    bool repeated = node_repeats(live);
    Node *rows = repeated ? live->arg[0] : live;
    int perm[MAX_RANK], axis[MAX_RANK], count = 0;

    for (int i = 0; i < a->rank; i++) {
        int at = label[i] < n->rank ? label[i] : -1;

        if (at >= 0 && repeated)
            at = live->attr.ints[at];
        axis[i] = at < 0 ? -1 : count;
        if (at >= 0)
            perm[count++] = at;
    }
    if (count < rows->rank)
        return NULL;
    return g_broadcast(g, g_permute(g, rows, perm), a->rank, a->dim, axis);
}

Node *guard_product(Graph *g, Arena *scratch, const Node *n, Node *live)
{
    Node *like = NEW(scratch, Node), **arg = NEWN(scratch, Node *, n->narg);

    *like = *n;
    like->arg = arg;
    for (int k = 0; k < n->narg; k++) {
        Node *rows = live_rows(g, n, k, live);

        arg[k] = n->arg[k];
        if (rows)
            arg[k] = g_where(g, rows, arg[k], g_fill(g, arg[k], 0));
    }
    return like;
}

/* Adjoints flow as those of an operator whose coefficients are 0 and 1: views
 * and gathers are so; a reduction is taken for a sum. */
void guard_live_back(Graph *g, Node *n, Node *live, Node **to)
{
    const Op *row = op_table[n->op];
    Node *flow = g_cast(g, n->dtype, live);

    switch (row->cls) {
    case OPC_leaf:
    case OPC_ewise:
    case OPC_select:
        for (int i = 0; i < n->narg; i++)
            to[i] = live;
        return;
    case OPC_reduce:
        row = op_table[OP_sum];
        break;
    case OPC_contract:
        for (int k = 0; k < n->narg; k++)
            to[k] = live_rows(g, n, k, live);
        return;
    case OPC_routine: /* all of a matrix is in all of the result */
        live = g_reduce_all(g, OP_any, live);
        for (int i = 0; i < n->narg; i++)
            to[i] = g_broadcast_to(g, live, n->arg[i]->rank, n->arg[i]->dim);
        return;
    case OPC_sort:
    case OPC_region:
        return;
    case OPC_view:
    case OPC_index:
        break;
    }
    row->vjp(g, n, flow, to);
    for (int i = 0; i < n->narg; i++)
        if (to[i])
            to[i] = g2(g, OP_ne, to[i], g_fill(g, to[i], 0));
}

/* Sums. */

static int id_of(const Node *n) { return n ? n->id : -1; }

static int order(const void *x, const void *y)
{
    const Guarded *a = x, *b = y;
    int d = id_of(a->branch ? a->branch->holds : NULL) -
            id_of(b->branch ? b->branch->holds : NULL);

    if (d == 0)
        d = id_of(a->mask) - id_of(b->mask);
    return d ? d : a->v->id - b->v->id;
}

static bool alike(const Guarded *a, const Guarded *b)
{
    return same_branch(a->branch, b->branch) && a->mask == b->mask;
}

/* w + a where w is -a p: -a (p - 1), which is 0 where p is 1. Else NULL. */
static Node *without_one(Graph *g, Node *w, Node *minus_a)
{
    for (int i = 0; i < 2 && node_is_product(w); i++)
        if (w->arg[i] == minus_a) {
            Node *one = g_fill(g, w, 1);
            return g2(g, OP_strong_mul, minus_a,
                      g2(g, OP_sub, w->arg[1 - i], one));
        }
    return NULL;
}

/* w + a where w, or a choice of it, has -a: nothing is left there, of
 * infinities neither. NULL: it has not. */
static Node *without_opposite(Graph *g, Node *w, Node *a, int depth)
{
    Node *left[2], *minus_a = g1(g, OP_neg, a), *one;

    if (w == minus_a)
        return g_fill(g, a, 0);
    one = without_one(g, w, minus_a);
    if (one)
        return one;
    if (!(op_table[w->op]->flags & OP_MASKS) || depth == 0)
        return NULL;
    for (int i = 0; i < 2; i++)
        left[i] = without_opposite(g, w->arg[i + 1], a, depth - 1);
    if (!left[0] && !left[1])
        return NULL;
    for (int i = 0; i < 2; i++)
        left[i] = left[i] ? left[i] : g2(g, OP_add, w->arg[i + 1], a);
    return g3(g, w->op, w->arg[0], left[0], left[1]);
}

/* Of the sum of n terms those that are opposite; how many are left. */
static int join_opposite(Graph *g, int n, Node **v)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            Node *sum =
                k == i ? NULL : without_opposite(g, v[i], v[k], MAX_CHOICES);
            if (!sum)
                continue;
            v[i] = sum;
            v[k] = v[--n];
            i = k = 0;
        }
    return n;
}

static Node *add_terms(Graph *g, int n, Node **v, bool steep)
{
    return add_all(g, steep ? join_opposite(g, n, v) : n, v);
}

/* Add up terms under the same guards; how many are left. */
static int sum_alike(Graph *g, Arena *scratch, int n, Guarded *term)
{
    Node **v = NEWN(scratch, Node *, n);
    int left = 0;

    for (int i = 0, end; i < n; i = end) {
        Guarded sum = term[i];

        for (end = i; end < n && alike(&term[end], &sum); end++) {
            v[end - i] = term[end].v;
            sum.steep |= term[end].steep;
            sum.made = sum.made == term[end].made ? sum.made : NULL;
            sum.live = either(g, sum.live, term[end].live);
        }
        sum.v = add_terms(g, end - i, v, sum.steep);
        term[left++] = sum;
    }
    return left;
}

/* The two sides of one `where` or `if`: the adjoint is such a choice too. */
static bool rejoin(Graph *g, const Guarded *a, const Guarded *b, Guarded *sum)
{
    Node *c, *la = a->live, *lb = b->live;

    if (same_branch(a->branch, b->branch) && a->mask && b->mask &&
        b->mask == g1(g, OP_not, a->mask)) {
        c = a->mask;
        *sum = (Guarded){.v = g_where(g, c, a->v, b->v), .branch = a->branch};
        if (la && lb)
            sum->live = la == lb ? la : g_where(g, c, la, lb);
        sum->steep = a->steep || b->steep;
        return true;
    }
    if (a->branch && b->branch && !a->mask && !b->mask &&
        same_branch(a->branch->outer, b->branch->outer) &&
        b->branch->cond == g1(g, OP_not, a->branch->cond)) {
        c = a->branch->cond;
        *sum =
            (Guarded){.v = g_if(g, c, a->v, b->v), .branch = a->branch->outer};
        if (la && lb)
            sum->live = la == lb ? la : g_if(g, c, la, lb);
        sum->steep = a->steep || b->steep;
        return true;
    }
    return false;
}

Node *guard_alive(Graph *g, const Guarded *a)
{
    Node *holds;

    if (!a->branch)
        return a->live;
    holds = a->branch->holds;
    if (a->live)
        return g_if(g, holds, a->live, g_fill(g, a->live, 0));
    return g_broadcast_to(g, holds, a->v->rank, a->v->dim);
}

void guard_under(Graph *g, Arena *scratch, Node *cond, Guarded *a)
{
    if (a->v)
        a->branch = branch_new(g, scratch, a->branch, cond);
}

void guard_argument(Graph *g, Arena *scratch, const Node *arg, Guarded *a)
{
    Node *any = a->v ? a->live : NULL;

    if (!any || !node_can_fail(g, arg))
        return;
    if (any->rank)
        any = g_reduce_all(g, OP_any, any);
    guard_under(g, scratch, any, a);
}

const Branch *guard_common(Graph *g, Arena *scratch, int n, Guarded *a)
{
    const Branch *all = NULL;
    bool first = true, same = true, some_live = false;

    for (int i = 0; i < n; i++) {
        if (!a[i].v)
            continue;
        a[i] = guard_settle(g, &a[i]);
        some_live |= a[i].live != NULL;
        same = same && (first || same_branch(a[i].branch, all));
        all = first ? a[i].branch : either_branch(g, scratch, all, a[i].branch);
        first = false;
    }
    for (int i = 0; i < n; i++) {
        if (!a[i].v)
            continue;
        if (!same)
            a[i] = (Guarded){.v = guard_value(g, &a[i]),
                             .live = some_live ? guard_alive(g, &a[i]) : NULL,
                             .steep = a[i].steep};
        a[i].branch = all;
    }
    return all;
}

/* Terms under different guards: each is applied, and what is left is where one
 * of them held. */
static Guarded sum_unlike(Graph *g, Arena *scratch, int n, Guarded *term)
{
    Node **v = NEWN(scratch, Node *, n);
    Guarded sum = {.branch = guard_common(g, scratch, n, term)};

    sum.live = term[0].live;
    for (int i = 0; i < n; i++) {
        v[i] = term[i].v;
        sum.steep |= term[i].steep;
        sum.live = either(g, sum.live, term[i].live);
    }
    sum.v = add_terms(g, n, v, sum.steep);
    return sum;
}

Guarded guard_sum(Graph *g, Arena *scratch, int n, Guarded *term)
{
    bool guarded = false;
    Guarded sum;

    for (int i = 0; i < n; i++)
        guarded |= term[i].branch || term[i].mask;
    if (guarded && n > 1)
        qsort(term, (size_t)n, sizeof *term, order);
    if (n > 1)
        n = sum_alike(g, scratch, n, term);
    if (n == 1)
        return term[0];
    if (n == 2 && (rejoin(g, &term[0], &term[1], &sum) ||
                   rejoin(g, &term[1], &term[0], &sum)))
        return sum;
    return sum_unlike(g, scratch, n, term);
}
