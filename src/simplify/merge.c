/* merge.c: loops over the same index become one.
 *
 * A loop and the same loop that stores more for a derivative, or that carries
 * tangents beside the values, share their parameters. Where neither depends on
 * the other they are one loop with the carries, inputs, captures and outputs of
 * both, if the same branch of an `if` asks for both: else it would make what
 * one of them is not asked for. Whether a step is made is no such condition
 * where all that the loop reads is asked for anyway. */
#include "graph/ops/ops.h"
#include "region/region.h"
#include "simplify/internal.h"

#include <stdlib.h>
#include <string.h>

/* Loops that are to be one. */
typedef struct Set {
    Nodes member;
    LIST(Node **) result; /* by member: its results, on m's parameters */
    RegionMaker m;        /* with the arguments as they were */
    Nodes arg;            /* of all members, as they were */
    int in;               /* the branch that asks for all of them */
    Node *merged;         /* once it is made */
} Set;

/* Branch `arm` of an `if` on cond, inside another one. The first is what is
 * asked for whatever the conditions are. */
typedef struct Branch {
    int up, depth, arm;
    const Node *cond;
} Branch;

typedef struct Merge {
    Graph *g;
    Arena *scratch;
    Nodes nodes; /* of this level */
    LIST(Set) set;
    LIST(Branch) branch;
    /* By place in nodes: */
    Set **of;    /* of a member: its set */
    int *in;     /* the innermost branch that all which needs it is in */
    bool *begun; /* rebuilding has seen it */
    Node **map;
} Merge;

static int place(const Merge *m, const Node *n)
{
    return node_place(m->nodes.at, m->nodes.n, n);
}

static Node *count_of(const Node *loop)
{
    return node_region(loop)->counted ? loop->arg[loop->narg - 1] : NULL;
}

static bool same_steps(const Node *a, const Node *b)
{
    const Region *p = node_region(a), *q = node_region(b);
    return p->trips == q->trips && p->reverse == q->reverse && !p->apart &&
           !q->apart && count_of(a) == count_of(b) && !p->until == !q->until;
}

static void push(Merge *m, Nodes *list, Node *n)
{
    list_push(m->scratch, list, n);
}

/* Which loops can be one. */

static bool all_among(int n, Node *const *of, int nall, Node *const *all)
{
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < nall && all[k] != of[i])
            k++;
        if (k == nall)
            return false;
    }
    return true;
}

/* Are all arguments of a also b's. Then a does not depend on b: b would too. */
static bool reads_the_same(const Node *a, const Node *b)
{
    return all_among(a->narg, a->arg, b->narg, b->arg);
}

/* Does the later of two loops depend on the earlier. */
static bool depends(Merge *m, const Node *first, const Node *later)
{
    int from = place(m, first), to = place(m, later);
    Arena *a = arena_new();
    bool *on = NEWN(a, bool, to - from + 1);
    on[0] = true;
    for (int k = from + 1; k <= to; k++) {
        const Node *n = m->nodes.at[k];
        for (int i = 0; i < n->narg && !on[k - from]; i++) {
            int arg = place(m, n->arg[i]);
            on[k - from] = arg >= from && on[arg - from];
        }
    }
    bool yes = on[to - from];
    arena_free(a);
    return yes;
}

static bool independent(Merge *m, const Set *s, const Node *loop)
{
    for (int i = 0; i < s->member.n; i++) {
        const Node *a = s->member.at[i];
        if (!reads_the_same(loop, a) && depends(m, a, loop))
            return false;
    }
    return true;
}

/* A parameter that is one thing here and another there. */
static bool clashes(const Set *s, const Node *loop)
{
    const Region *r = node_region(loop);
    for (int i = 0; i < loop->narg; i++) {
        const Node *p = region_param(r, i), *arg = loop->arg[i];
        bool carry = i < r->ncarry, input = !carry && i < r->ncarry + r->ninput;
        int c = p ? nodes_find(&s->m.carry, p) : -1;
        int x = p ? nodes_find(&s->m.input, p) : -1;
        int k = p ? nodes_find(&s->m.capture, p) : -1;
        if ((c >= 0 && !(carry && s->m.carry_arg.at[c] == arg)) ||
            (x >= 0 && !(input && s->m.input_arg.at[x] == arg)) ||
            (k >= 0 && (carry || input || s->m.capture_arg.at[k] != arg)))
            return true;
    }
    return false;
}

/* Adds a parameter with its argument, or the one that has this argument;
 * returns what stands for it. */
static Node *bind(Merge *m, Nodes *param, Nodes *args, Node *p, Node *arg)
{
    int k = nodes_find(args, arg);
    if (k >= 0)
        return param->at[k];
    push(m, param, p);
    push(m, args, arg);
    return p;
}

/* The loop's results on the set's parameters. */
static Node **results_on_set(Merge *m, Set *s, const Node *loop)
{
    const Region *r = node_region(loop);
    int n = r->ninput + r->ncapture;
    Node **to = NEWN(m->scratch, Node *, n + 1);
    Node **from = NEWN(m->scratch, Node *, n + 1);
    Node **result = NEWN(m->scratch, Node *, region_nresult(r) + 1);
    for (int i = 0; i < n; i++) {
        bool input = i < r->ninput;
        from[i] = region_param(r, r->ncarry + i);
        to[i] = bind(m, input ? &s->m.input : &s->m.capture,
                     input ? &s->m.input_arg : &s->m.capture_arg, from[i],
                     loop->arg[r->ncarry + i]);
    }
    region_results(r, result);
    if (memcmp(from, to, sizeof *to * (size_t)n) != 0)
        graph_subst(m->g, n, from, to, region_nresult(r), result);
    return result;
}

/* Do the carries that it shares go on in the same way, and is it ended by the
 * same. */
static bool goes_on_alike(const Set *s, const Region *r, Node *const *result)
{
    for (int i = 0; i < r->ncarry; i++) {
        int k = nodes_find(&s->m.carry, r->carry[i]);
        if (k >= 0 && !same_course(s->m.next.at[k], result[i]))
            return false;
    }
    return !r->until || !s->member.n ||
           same_course(s->m.r.until, result[r->ncarry + r->noutput]);
}

/* Is the branch taken where the loop makes a step. */
static bool asks_for_step(const Branch *b, const Node *loop)
{
    const Node *c = b->cond;
    return b->arm == 1 && c->op == OP_lt && node_is_const(c->arg[0], 0) &&
           c->arg[1]->op == OP_dim &&
           c->arg[1]->attr.dims[0] == node_region(loop)->trips;
}

static int around_steps(const Merge *m, const Node *loop, int in)
{
    while (in && asks_for_step(&m->branch.at[in], loop))
        in = m->branch.at[in].up;
    return in;
}

/* The branch that asks for the set and for a loop of as many steps, or -1. */
static int asks_for_both(const Merge *m, const Set *s, const Node *loop)
{
    int in = m->in[place(m, loop)];
    Nodes ours = maker_args(&s->m);
    if (s->in == in || !s->member.n)
        return in;
    if (around_steps(m, loop, s->in) != around_steps(m, loop, in))
        return -1;
    if (m->branch.at[s->in].depth < m->branch.at[in].depth)
        return all_among(loop->narg, loop->arg, ours.n, ours.at) ? s->in : -1;
    return all_among(ours.n, ours.at, loop->narg, loop->arg) ? in : -1;
}

/* Adds a loop if it fits to those that are there. */
static void join(Merge *m, Set *s, Node *loop)
{
    const Region *r = node_region(loop);
    Set before = *s;
    int in = asks_for_both(m, s, loop);
    if (in < 0 || clashes(s, loop) || !independent(m, s, loop))
        return;
    Node **result = results_on_set(m, s, loop);
    if (!goes_on_alike(s, r, result)) {
        *s = before;
        return;
    }
    for (int i = 0; i < r->ncarry; i++)
        if (nodes_find(&s->m.carry, r->carry[i]) < 0)
            maker_carry(&s->m, r->carry[i], loop->arg[i], result[i]);
    for (int i = 0; i < r->noutput; i++)
        maker_output_once(&s->m, result[r->ncarry + i]);
    if (r->until && !s->m.r.until)
        s->m.r.until = result[r->ncarry + r->noutput];
    s->in = in;
    push(m, &s->member, loop);
    list_push(m->scratch, &s->result, result);
}

static int branch_of(Merge *m, int up, const Node *select, int arm)
{
    const Node *cond = select->arg[0];
    for (int i = m->branch.n - 1; i > 0; i--) {
        const Branch *b = &m->branch.at[i];
        if (b->up == up && b->cond == cond && b->arm == arm)
            return i;
    }
    Branch b = {up, m->branch.at[up].depth + 1, arm, cond};
    list_push(m->scratch, &m->branch, b);
    return m->branch.n - 1;
}

static int around_both(const Merge *m, int a, int b)
{
    const Branch *branch = m->branch.at;
    while (a != b) {
        if (branch[a].depth >= branch[b].depth)
            a = branch[a].up;
        else
            b = branch[b].up;
    }
    return a;
}

static void find_branches(Merge *m, int nroot, Node *const *root)
{
    enum { UNSEEN = -1 };
    list_push(m->scratch, &m->branch, ((Branch){0, 0, 0, NULL}));
    for (int k = 0; k < m->nodes.n; k++)
        m->in[k] = UNSEEN;
    for (int i = 0; i < nroot; i++)
        m->in[place(m, root[i])] = 0;
    for (int k = m->nodes.n - 1; k >= 0; k--) {
        const Node *n = m->nodes.at[k];
        bool select = op_table[n->op]->cls == OPC_select;
        for (int i = 0; i < n->narg; i++) {
            int *in = &m->in[place(m, n->arg[i])];
            int b = select && i ? branch_of(m, m->in[k], n, i) : m->in[k];
            *in = *in == UNSEEN ? b : around_both(m, *in, b);
        }
    }
}

static int by_index(const void *a, const void *b)
{
    const Node *const *x = a, *const *y = b;
    int i = node_region(*x)->index->id, k = node_region(*y)->index->id;
    if (i != k)
        return (i > k) - (i < k);
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

/* All loops, those with the same index in a row. */
static Nodes loops_by_index(Merge *m)
{
    Nodes loops = {0};
    for (int k = 0; k < m->nodes.n; k++)
        if (m->nodes.at[k]->op == OP_loop)
            push(m, &loops, m->nodes.at[k]);
    if (loops.n > 1)
        qsort(loops.at, (size_t)loops.n, sizeof *loops.at, by_index);
    return loops;
}

static void add_set(Merge *m, Set *s)
{
    s->arg = maker_args(&s->m);
    list_push(m->scratch, &m->set, *s);
}

/* The sets among loops of one index. */
static void find_sets(Merge *m, int n, Node **loop)
{
    for (int k = 0; k < n; k++) {
        if (!loop[k])
            continue;
        Set s = {.m = region_maker(m->g, m->scratch, node_region(loop[k]))};
        s.m.count = count_of(loop[k]);
        s.m.r.until = NULL;
        join(m, &s, loop[k]);
        for (int i = k + 1; i < n; i++)
            if (loop[i] && same_steps(loop[k], loop[i]))
                join(m, &s, loop[i]);
        for (int i = k + 1; i < n; i++)
            if (loop[i] && nodes_find(&s.member, loop[i]) >= 0)
                loop[i] = NULL;
        if (s.member.n > 1)
            add_set(m, &s);
    }
}

static void find_all_sets(Merge *m)
{
    Nodes loops = loops_by_index(m);
    for (int k = 0, n; k < loops.n; k += n) {
        const Node *index = node_region(loops.at[k])->index;
        for (n = 1; k + n < loops.n; n++)
            if (node_region(loops.at[k + n])->index != index)
                break;
        if (n > 1)
            find_sets(m, n, loops.at + k);
    }
}

/* The nodes again, on merged loops. */

static Set *set_of_part(const Merge *m, const Node *n)
{
    return n->op == OP_part ? m->of[place(m, n->arg[0])] : NULL;
}

static Node *mapped(const Merge *m, const Node *n)
{
    return m->map[place(m, n)];
}

static Node *merged_loop(Merge *m, const Set *s)
{
    Region r = maker_region(&s->m);
    Node **arg = NEWN(m->scratch, Node *, s->arg.n + 1);
    for (int i = 0; i < s->arg.n; i++)
        arg[i] = mapped(m, s->arg.at[i]);
    return g_region(m->g, &r, s->arg.n, arg);
}

/* A member's part in the merged loop. */
static int merged_part(const Set *s, const Node *loop, int part)
{
    const Region *r = node_region(loop);
    if (part < r->ncarry)
        return nodes_find(&s->m.carry, r->carry[part]);
    if (part == r->ncarry + r->noutput)
        return s->m.carry.n + s->m.output.n;
    int member = nodes_find(&s->member, loop);
    return s->m.carry.n + nodes_find(&s->m.output, s->result.at[member][part]);
}

/* n on new arguments, which are there. */
static Node *rebuilt(Merge *m, const Node *n)
{
    Set *s = set_of_part(m, n);
    if (s) {
        if (!s->merged)
            s->merged = merged_loop(m, s);
        return g_part(m->g, s->merged,
                      merged_part(s, n->arg[0], (int)n->attr.integer));
    }
    Node **arg = NEWN(m->scratch, Node *, n->narg + 1);
    for (int i = 0; i < n->narg; i++)
        arg[i] = mapped(m, n->arg[i]);
    return graph_remake(m->g, n, arg);
}

static Node *node_now(const void *u, const Node *n)
{
    const Merge *m = u;
    int k = place(m, n);
    return k >= 0 ? m->map[k] : NULL;
}

/* All below the roots, each after what it reads: a part of a member reads the
 * arguments of all members. False where something would come to read itself,
 * which can be where several sets are merged at once. */
static bool rebuild(Merge *m, int nroot, Node **root)
{
    Nodes stack = {0};
    for (int i = 0; i < nroot; i++)
        push(m, &stack, root[i]);
    while (stack.n) {
        Node *n = stack.at[stack.n - 1];
        const Set *s = set_of_part(m, n);
        int k = place(m, n), top = stack.n, narg = s ? s->arg.n : n->narg;
        for (int i = 0; !m->map[k] && i < narg; i++) {
            Node *arg = s ? s->arg.at[i] : n->arg[i];
            if (!mapped(m, arg))
                push(m, &stack, arg);
        }
        if (stack.n > top && m->begun[k])
            return false;
        m->begun[k] = true;
        if (stack.n > top)
            continue;
        if (!m->map[k])
            m->map[k] = rebuilt(m, n);
        stack.n--;
    }
    for (int k = 0; k < m->nodes.n; k++)
        graph_follow_labels(m->g, m->nodes.at[k], m->map[k], node_now, m);
    for (int i = 0; i < nroot; i++)
        root[i] = mapped(m, root[i]);
    return true;
}

/* The first n sets. */
static bool merge_sets(Merge *m, int n, int nroot, Node **root)
{
    m->of = NEWN(m->scratch, Set *, m->nodes.n + 1);
    m->map = NEWN(m->scratch, Node *, m->nodes.n + 1);
    m->begun = NEWN(m->scratch, bool, m->nodes.n + 1);
    for (int i = 0; i < n; i++) {
        Set *s = &m->set.at[i];
        s->merged = NULL;
        for (int k = 0; k < s->member.n; k++)
            m->of[place(m, s->member.at[k])] = s;
    }
    return rebuild(m, nroot, root);
}

static bool has_two_loops(const Nodes *nodes)
{
    int loops = 0;
    for (int k = 0; k < nodes->n && loops < 2; k++)
        loops += nodes->at[k]->op == OP_loop;
    return loops > 1;
}

/* False where there is nothing to merge. */
static bool merge_some(Graph *g, int nroot, Node **root)
{
    Merge m = {.g = g, .scratch = arena_new()};
    m.nodes = nodes_below(g, m.scratch, nroot, root);
    if (has_two_loops(&m.nodes)) {
        m.in = NEWN(m.scratch, int, m.nodes.n + 1);
        find_branches(&m, nroot, root);
        find_all_sets(&m);
    }
    bool some = m.set.n && (merge_sets(&m, m.set.n, nroot, root) ||
                            merge_sets(&m, 1, nroot, root));
    arena_free(m.scratch);
    return some;
}

void loops_merge(Graph *g, int nroot, Node **root)
{
    while (merge_some(g, nroot, root))
        ;
}
