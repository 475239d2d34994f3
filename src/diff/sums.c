/* sums.c: adjoints of captures, which are sums over all steps of a loop.
 *
 * A term of such an adjoint that is a contraction is not added up step by step
 * into something as large as the capture: its two factors are kept of all steps
 * and contracted once, over the steps too, after the loop. In the same way
 * what a gather of computed elements gives back is scattered once; also where
 * that is in a branch of an `if`, whose condition then chooses what is kept. Of
 * other terms, views and factors that are the same in all steps are left for
 * after the loop where that makes what is carried smaller. */

#include "diff/loops.h"

#include "graph/op.h"
#include "graph/view.h"

enum { MAX_TERMS = 32, MAX_CHAIN = 16, MAX_CONDS = 8 };

/* Something of all steps that is read after the loops: n of each step. */
typedef struct Factor {
    Node *n;
    int stored, input, output; /* which of these; -1 */
} Factor;

/* How the sum of a value over all steps is made. */
typedef enum Way {
    CARRIED, /* step by step */
    GIVEN,   /* it is an output of the second loop already */
    SUMMED,  /* a sum of such a one */
    CONTRACTED,
    OUTER, /* an outer product, of elements */
    SCATTERED,
} Way;

/* chain[0](chain[1](… inner)) of each step, added up; where one of the
 * conditions does not hold, 0. */
typedef struct Term {
    int capture;
    Node *inner, *chain[MAX_CHAIN], *cond[MAX_CONDS];
    int nchain, ncond;
    int under; /* how many of the chain are around the first condition */
    Way way;
    int factor[2]; /* what inner is made from after the loops, of all steps */
    int carry;     /* what carries its sum, if that is the way */
    int asked;     /* what carries whether the conditions ever held; or -1 */
} Term;

struct Sums {
    Graph *g;
    Arena *scratch;
    const Region *r;
    const Node *loop;
    const Step *step;
    RegionMaker *m; /* of the second loop */
    LIST(Term) term;
    LIST(Factor) factor;
};

Sums *sums_new(Graph *g, Arena *scratch, const Region *r, const Node *loop,
               const Step *step, RegionMaker *m)
{
    Sums *s = NEW(scratch, Sums);

    *s = (Sums){.g = g, .scratch = scratch, .r = r, .loop = loop};
    s->step = step;
    s->m = m;
    return s;
}

/* The loop can end early: elements of later steps are 0. */
static bool ends_early(const Sums *s) { return s->r->counted || s->r->until; }

static bool is_linear(const Node *n, int arg)
{
    const Op *row = op_table[n->op];

    if (!dtype_is_real(n->arg[arg]->dtype))
        return false;
    if (row->flags & OP_LINEAR_EACH)
        return true;
    if (row->flags & OP_LINEAR_FIRST)
        return arg == 0;
    return n->narg == 1 && (row->cls == OPC_view || row->flags & OP_LINEAR);
}

/* The one argument that n is linear in, the others being the same in all steps;
 * or -1. */
static int linear_arg(const Sums *s, const Node *n)
{
    int found = -1;

    for (int i = 0; i < n->narg; i++) {
        if (step_constant(s->step, n->arg[i]))
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found >= 0 && is_linear(n, found) ? found : -1;
}

static Node *where_chosen(const Sums *s, const Term *t, Node *n)
{
    for (int i = t->ncond - 1; i >= 0; i--)
        n = g_if(s->g, t->cond[i], n, g_fill(s->g, n, 0));
    return n;
}

static int add_factor(Sums *s, const Term *t, Node *n, Nodes *read)
{
    Factor f = {.stored = -1, .input = -1, .output = -1};
    bool given = !step_primal(s->step, n) || t->ncond;

    n = where_chosen(s, t, n);
    for (int i = 0; i < s->factor.n; i++)
        if (s->factor.at[i].n == n)
            return i;
    f.n = n;
    if (given)
        f.output = maker_output_once(s->m, n);
    list_push(s->scratch, read, n);
    list_push(s->scratch, &s->factor, f);
    return s->factor.n - 1;
}

static bool is_given(const Sums *s, const Node *n)
{
    return nodes_find(&s->m->output, n) >= 0;
}

/* Bytes a step for keeping n: what the loop itself computes is there or cheap.
 */
static double bytes_kept(const Sums *s, const Node *n)
{
    return step_primal(s->step, n) || is_given(s, n)
               ? 0
               : typical_bytes(s->scratch, n);
}

/* What n's argument i repeats, or the argument. */
static Node *repeated(const Node *n, int i)
{
    Node *a = n->arg[i];

    return n->op == OP_mul && node_repeats(a) ? a->arg[0] : a;
}

/* Where result axis i of n, a product of elements, is in its argument k, less
 * what that repeats; -1: nowhere. */
static int axis_in(const Node *n, int k, int i)
{
    const Node *a = n->arg[k];

    return node_repeats(a) ? a->attr.ints[i] : i;
}

/* A product of elements with an axis that an argument lacks, but not both. */
static bool is_outer(const Node *n)
{
    bool lacks = false;

    if (n->op != OP_mul)
        return false;
    for (int i = 0; i < n->rank; i++) {
        bool in_a = axis_in(n, 0, i) >= 0, in_b = axis_in(n, 1, i) >= 0;

        if (!in_a && !in_b)
            return false;
        lacks |= !in_a || !in_b;
    }
    return lacks;
}

/* The way for n, which is part of a term of `most` bytes, under conditions or
 * not. */
static Way way_for(const Sums *s, const Node *n, double most, bool under)
{
    double bytes = 0;

    if (n->rank < MAX_RANK && !under && is_given(s, n))
        return GIVEN;
    for (int i = 0; i < n->narg; i++) {
        if (n->arg[i]->rank >= MAX_RANK || step_constant(s->step, n->arg[i]))
            return CARRIED;
        bytes += bytes_kept(s, repeated(n, i));
    }
    if (n->op == OP_sum && !under && is_given(s, n->arg[0]))
        return SUMMED;
    if (n->op == OP_contract && bytes <= most)
        return CONTRACTED;
    if (is_outer(n) && bytes < most)
        return OUTER;
    return n->op == OP_scatter_add && bytes_kept(s, n->arg[0]) <= most
               ? SCATTERED
               : CARRIED;
}

/* c of `c ? v : 0`, v its argument arg; NULL: n is none such. */
static Node *condition(const Sums *s, const Node *n, int *arg)
{
    if (op_table[n->op]->cls != OPC_select)
        return NULL;
    *arg = node_is_const(n->arg[2], 0) ? 1 : 2;
    if (!node_is_const(n->arg[3 - *arg], 0))
        return NULL;
    return *arg == 1 ? n->arg[0] : g1(s->g, OP_not, n->arg[0]);
}

/* One operator further down the chain. */
static bool step_down(const Sums *s, Term *t)
{
    Node *c;
    int arg;

    if (t->nchain == MAX_CHAIN || t->ncond == MAX_CONDS)
        return false;
    c = condition(s, t->inner, &arg);
    if (c) {
        t->under = t->ncond ? t->under : t->nchain;
        t->cond[t->ncond++] = c;
        t->inner = t->inner->arg[arg];
        return true;
    }
    arg = linear_arg(s, t->inner);
    if (arg < 0)
        return false;
    t->chain[t->nchain++] = t->inner;
    t->inner = t->inner->arg[arg];
    return true;
}

/* The chain down to what is done once, or else to where it is smallest. */
static Term split(const Sums *s, Node *n)
{
    Term t = {.inner = n}, best = t;
    double all = typical_bytes(s->scratch, n), least = all;

    for (;;) {
        double bytes;

        t.way = way_for(s, t.inner, all, t.ncond > 0);
        if (t.way != CARRIED)
            return t;
        if (!step_down(s, &t))
            return best;
        bytes = typical_bytes(s->scratch, t.inner);
        if (bytes < least) {
            least = bytes;
            best = t;
        }
    }
}

static int add_sum(Sums *s, Node *v, Nodes *read)
{
    Node *so_far = param_like(s->g, v, "_sum");

    list_push(s->scratch, read, v);
    Node *right = g2(s->g, OP_add, so_far, v);
    return maker_carry(s->m, so_far, g_fill(s->g, v, 0), right);
}

/* What a branch reads besides is not to be read where it was never taken. */
static int add_asked(Sums *s, const Term *t, Nodes *read)
{
    bool reads = false;
    Node *any, *now = t->cond[0];

    for (int i = t->under; t->ncond && i < t->nchain; i++)
        reads |= t->chain[i]->narg > 1;
    if (!reads)
        return -1;
    any = g_param(s->g, DT_bool, 0, NULL, "asked");
    for (int i = 1; i < t->ncond; i++)
        now = g2(s->g, OP_and, now, t->cond[i]);
    list_push(s->scratch, read, now);
    now = g2(s->g, OP_or, any, now);
    return maker_carry(s->m, any, g_const_int(s->g, DT_bool, 0), now);
}

static void add_term(Sums *s, Term t, Nodes *read)
{
    t.asked = add_asked(s, &t, read);
    switch (t.way) {
    case CARRIED:
        t.carry = add_sum(s, where_chosen(s, &t, t.inner), read);
        break;
    case GIVEN:
        t.factor[0] = add_factor(s, &t, t.inner, read);
        break;
    case SUMMED:
        t.factor[0] = add_factor(s, &t, t.inner->arg[0], read);
        break;
    case CONTRACTED:
    case OUTER:
    case SCATTERED:
        for (int i = 0; i < 2; i++)
            t.factor[i] = add_factor(s, &t, repeated(t.inner, i), read);
        break;
    }
    list_push(s->scratch, &s->term, t);
}

/* Terms that are carried as they are, are carried together. */
void sums_add(Sums *s, int k, Node *v, Nodes *read)
{
    Nodes left = {0};
    Node *rest = NULL;
    int n = 1;

    list_push(s->scratch, &left, v);
    while (left.n) {
        Node *at = left.at[--left.n];
        Term t;

        if (at->op == OP_add && n < MAX_TERMS) {
            list_push(s->scratch, &left, at->arg[1]);
            list_push(s->scratch, &left, at->arg[0]);
            n++;
            continue;
        }
        t = split(s, at);
        t.capture = k;
        if (t.way != CARRIED || t.nchain) {
            add_term(s, t, read);
            continue;
        }
        rest = rest ? g2(s->g, OP_add, rest, at) : at;
    }
    if (rest)
        add_term(s, (Term){.inner = rest, .capture = k}, read);
}

void sums_stored(Sums *s, int n, const Stored *stored)
{
    const Region *r = s->r;

    for (int i = 0; i < s->factor.n; i++) {
        Factor *f = &s->factor.at[i];

        if (f->output >= 0)
            continue;
        for (int k = 0; k < n; k++)
            if (stored[k].value == f->n && stored[k].back == stored[k].param)
                f->stored = k;
        for (int k = 0; k < r->ninput && !ends_early(s); k++)
            if (r->input[k] == f->n)
                f->input = k;
        if (f->stored < 0 && f->input < 0)
            f->output = maker_output_once(s->m, f->n);
    }
}

/* After the loops. */

static Node *of_all_steps(const Sums *s, const Factor *f, Node *first,
                          Node *back)
{
    const Region *r = s->r;

    if (f->stored >= 0)
        return g_part(s->g, first, r->ncarry + r->noutput + f->stored);
    if (f->input >= 0)
        return s->loop->arg[r->ncarry + f->input];
    return g_part(s->g, back, node_region(back)->ncarry + f->output);
}

/* The contraction n, over the first axes of a and b too. */
static Node *contract_all(Graph *g, const Node *n, Node *a, Node *b)
{
    int la[MAX_RANK + 1], lb[MAX_RANK + 1], lout[MAX_RANK], over = 0;
    const int *label = n->attr.ints;

    for (int i = 0; i < n->attr.nint; i++)
        over = label[i] >= over ? label[i] + 1 : over;
    over = over > n->rank ? over : n->rank;
    la[0] = lb[0] = over;
    for (int i = 1; i < a->rank; i++)
        la[i] = label[i - 1];
    for (int i = 1; i < b->rank; i++)
        lb[i] = label[a->rank - 1 + i - 1];
    for (int i = 0; i < n->rank; i++)
        lout[i] = i;
    return g_contract(g, a, la, b, lb, n->rank, lout);
}

/* The outer product n of a and b, summed over their first axes. */
static Node *outer_all(Graph *g, const Node *n, Node *a, Node *b)
{
    int label[2][MAX_RANK], lout[MAX_RANK];

    label[0][0] = label[1][0] = n->rank;
    for (int i = 0; i < n->rank; i++) {
        lout[i] = i;
        for (int k = 0; k < 2; k++)
            if (axis_in(n, k, i) >= 0)
                label[k][1 + axis_in(n, k, i)] = i;
    }
    return g_contract(g, a, label[0], b, label[1], n->rank, lout);
}

/* scatter_add n of the elements of all steps. Where steps were left out, their
 * index is 0, which may be outside: then there is one element more. */
static Node *scatter_all(Graph *g, const Node *n, Node *a, Node *index,
                         bool left_out)
{
    int axis = (int)n->attr.integer;
    const Dim *size = n->attr.dims[0], *start[MAX_RANK];
    Node *to;

    if (left_out)
        size = dim_add(g, size, dim_const(g, 1));
    to = g_scatter_add(g, g_move_axis(g, a, 0, axis), index, axis, size);
    for (int i = 0; i < n->rank; i++)
        start[i] = dim_const(g, 0);
    return left_out ? g_slice(g, to, start, n->dim, NULL) : to;
}

/* n with its varying argument replaced, around the loop. */
static Node *around(const Sums *s, const Node *n, Node *arg)
{
    const Region *r = s->r;
    Node **to = NEWN(s->scratch, Node *, n->narg);
    int k = linear_arg(s, n);

    for (int i = 0; i < n->narg; i++)
        to[i] = n->arg[i];
    graph_subst(s->g, r->ncapture, r->capture,
                s->loop->arg + r->ncarry + r->ninput, n->narg, to);
    to[k] = arg;
    return graph_remake(s->g, n, to);
}

/* n of all steps, or what it is the sum of, summed. */
static Node *sum_all(Graph *g, Node *all, const Node *n)
{
    int axis[MAX_RANK] = {0}, naxis = 1;

    for (int i = 0; n && i < n->attr.nint; i++)
        axis[naxis++] = n->attr.ints[i] + 1;
    return g_reduce(g, OP_sum, all, naxis, axis);
}

static Node *sum_of_inner(const Sums *s, const Term *t, Node *first, Node *back)
{
    const Factor *f = s->factor.at;
    Node *a, *b = NULL;

    if (t->way == CARRIED)
        return g_part(s->g, back, t->carry);
    a = of_all_steps(s, &f[t->factor[0]], first, back);
    if (t->way == GIVEN || t->way == SUMMED)
        return sum_all(s->g, a, t->way == SUMMED ? t->inner : NULL);
    b = of_all_steps(s, &f[t->factor[1]], first, back);
    if (t->way == CONTRACTED)
        return contract_all(s->g, t->inner, a, b);
    if (t->way == OUTER)
        return outer_all(s->g, t->inner, a, b);
    return scatter_all(s->g, t->inner, a, b, t->ncond || ends_early(s));
}

static Node *sum_of_term(const Sums *s, const Term *t, Node *first, Node *back)
{
    Node *v = sum_of_inner(s, t, first, back);

    for (int i = t->nchain - 1; i >= 0; i--) {
        v = around(s, t->chain[i], v);
        if (i == t->under && t->asked >= 0) {
            Node *none = g_fill(s->g, v, 0);
            v = g_if(s->g, g_part(s->g, back, t->asked), v, none);
        }
    }
    return v;
}

Node *sums_of(Sums *s, int k, Node *first, Node *back)
{
    Nodes sum = {0};

    for (int i = 0; i < s->term.n; i++)
        if (s->term.at[i].capture == k)
            list_push(s->scratch, &sum,
                      sum_of_term(s, &s->term.at[i], first, back));
    return sum.n ? add_all(s->g, sum.n, sum.at) : NULL;
}
