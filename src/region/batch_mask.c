/* batch_mask.c: which elements of a batch need a node.
 *
 * Where a condition differs from element to element, both branches of its `if`
 * are computed for all; an index that only one of them asks for must then not
 * be reported by elements that chose the other. A mask is one branch of a
 * condition, within the set of masks that its `if` stands in; a node is needed
 * where one of its set holds. Set 0: everywhere.
 *
 * What was there before the parameters is needed everywhere: with a mask it
 * would be computed again for each value of what is around the batch. But for
 * reads at a constant or a parameter, and numbers made of them: written in the
 * body they are the same nodes as those written before it. */
#include "graph/op.h"
#include "region/batch_internal.h"

#include <string.h>

/* Larger sets become single masks. More branches than this inside each other
 * count as all. */
enum { MAX_SET = 8, MAX_DEPTH = 64, UNSEEN = -1 };

typedef struct Mask {
    int any;           /* where one of this set holds; 0: a branch, and */
    int inside, depth; /* the set that its `if` stands in */
    Node *cond;
    bool when;
} Mask;

typedef struct MaskSet {
    int n, mask[MAX_SET]; /* ascending */
    int depth;
    LIST(Node *) cond; /* of these and of what they are inside of */
    Node *value, *alone;
} MaskSet;

struct Masks {
    LIST(Mask) mask;
    LIST(MaskSet) set;
};

static int add_set(Batch *p, Masks *m, const MaskSet *s);

/* Is every element of set `t` in set `s`. Of few sets, and `budget` long. */
static bool covers(const Masks *m, int s, int t, int *budget);

static bool covers_mask(const Masks *m, int s, int mask, int *budget)
{
    const MaskSet *set = &m->set.at[s];
    for (int i = 0; i < set->n; i++)
        if (set->mask[i] == mask)
            return true;
    const Mask *k = &m->mask.at[mask];
    return covers(m, s, k->any ? k->any : k->inside, budget);
}

static bool covers(const Masks *m, int s, int t, int *budget)
{
    if (s == 0 || s == t)
        return true;
    if (t == 0 || --*budget < 0)
        return false;
    for (int i = 0; i < m->set.at[t].n; i++)
        if (!covers_mask(m, s, m->set.at[t].mask[i], budget))
            return false;
    return true;
}

/* Both branches of one condition: the set that its `if` stands in, or -1. */
static int both_branches(const Masks *m, const MaskSet *s, int i, int k)
{
    const Mask *a = &m->mask.at[s->mask[i]], *b = &m->mask.at[s->mask[k]];
    bool both = !a->any && a->cond == b->cond && a->inside == b->inside;
    return both && a->when != b->when ? a->inside : -1;
}

static bool insert(MaskSet *s, int mask)
{
    int at = 0;
    while (at < s->n && s->mask[at] < mask)
        at++;
    if (at < s->n && s->mask[at] == mask)
        return true;
    if (s->n == MAX_SET)
        return false;
    for (int i = s->n++; i > at; i--)
        s->mask[i] = s->mask[i - 1];
    s->mask[at] = mask;
    return true;
}

static void drop(MaskSet *s, int i)
{
    for (s->n--; i < s->n; i++)
        s->mask[i] = s->mask[i + 1];
}

/* Set t as one mask. */
static void insert_whole(Batch *p, Masks *m, MaskSet *s, int t)
{
    Mask k = {.any = t, .depth = m->set.at[t].depth};
    int i = m->mask.n - 1;
    while (i >= 0 && m->mask.at[i].any != t)
        i--;
    if (i < 0) {
        list_push(p->scratch, &m->mask, k);
        i = m->mask.n - 1;
    }
    insert(s, i);
}

/* The elements of either. */
static int join(Batch *p, Masks *m, int a, int b)
{
    enum { BUDGET = 256 };
    int budget = BUDGET;
    if (covers(m, a, b, &budget))
        return a;
    if (covers(m, b, a, &budget))
        return b;
    MaskSet s = {.n = 0};
    for (int i = 0; i < m->set.at[a].n; i++)
        if (!covers_mask(m, b, m->set.at[a].mask[i], &budget))
            insert(&s, m->set.at[a].mask[i]);
    for (int i = 0; i < m->set.at[b].n; i++)
        if (!insert(&s, m->set.at[b].mask[i])) {
            s.n = 0;
            insert_whole(p, m, &s, a);
            insert_whole(p, m, &s, b);
            return add_set(p, m, &s);
        }
    for (int i = 0; i < s.n; i++)
        for (int k = i + 1; k < s.n; k++) {
            int whole = both_branches(m, &s, i, k);
            if (whole < 0)
                continue;
            drop(&s, k);
            drop(&s, i);
            return join(p, m, add_set(p, m, &s), whole);
        }
    return add_set(p, m, &s);
}

static void add_condition(Batch *p, MaskSet *s, Node *cond)
{
    for (int i = 0; i < s->cond.n; i++)
        if (s->cond.at[i] == cond)
            return;
    list_push(p->scratch, &s->cond, cond);
}

static int add_set(Batch *p, Masks *m, const MaskSet *s)
{
    MaskSet to = *s;
    size_t bytes = sizeof *s->mask * (size_t)s->n;
    for (int i = m->set.n - 1; i > 0; i--)
        if (m->set.at[i].n == s->n &&
            memcmp(m->set.at[i].mask, s->mask, bytes) == 0)
            return i;
    to.depth = 0;
    for (int i = 0; i < s->n; i++) {
        const Mask *k = &m->mask.at[s->mask[i]];
        const MaskSet *inside = &m->set.at[k->any ? k->any : k->inside];
        to.depth = k->depth > to.depth ? k->depth : to.depth;
        if (!k->any)
            add_condition(p, &to, k->cond);
        for (int c = 0; c < inside->cond.n; c++)
            add_condition(p, &to, inside->cond.at[c]);
    }
    list_push(p->scratch, &m->set, to);
    return m->set.n - 1;
}

static int add_branch(Batch *p, Masks *m, int inside, Node *cond, bool when)
{
    Mask k = {.inside = inside, .cond = cond, .when = when};
    MaskSet s = {.n = 1};
    k.depth = m->set.at[inside].depth + 1;
    if (k.depth > MAX_DEPTH)
        return inside;
    for (int i = m->mask.n - 1; i >= 0; i--)
        if (m->mask.at[i].inside == inside && m->mask.at[i].cond == cond &&
            m->mask.at[i].when == when) {
            s.mask[0] = i;
            return add_set(p, m, &s);
        }
    s.mask[0] = m->mask.n;
    list_push(p->scratch, &m->mask, k);
    return add_set(p, m, &s);
}

/* A condition that rests on another, if(c, x, false), is inside of that: c &&
 * x. So what both ask for is needed where c is, before x is known. */
static int branch(Batch *p, Masks *m, int inside, Node *cond, bool when)
{
    for (int deep = 0; deep < MAX_DEPTH; deep++) {
        bool rests = (cond->op == OP_if || cond->op == OP_where) &&
                     node_is_const(cond->arg[when ? 2 : 1], !when);
        if (!rests)
            break;
        inside = add_branch(p, m, inside, cond->arg[0], when);
        cond = cond->arg[when ? 1 : 2];
    }
    return add_branch(p, m, inside, cond, when);
}

/* An `if`, or a `where` of scalars. */
static bool chooses(const Batch *p, const Node *n)
{
    if (n->op != OP_if && (n->op != OP_where || n->rank))
        return false;
    return n->arg[0]->rank == 0 &&
           (node_can_fail(p->g, n->arg[1]) || node_can_fail(p->g, n->arg[2]));
}

bool masks_reach(const Batch *p, const Node *n)
{
    OpClass cls = op_table[n->op]->cls;
    if (n->id >= p->first || n->op == OP_gather)
        return true;
    if (n->op == OP_index_check)
        return n->arg[0]->narg == 0;
    return n->rank == 0 && (cls == OPC_ewise || cls == OPC_select);
}

bool masks_needed(const Batch *p)
{
    for (int i = 0; i < p->nodes.n; i++)
        if (chooses(p, p->nodes.node[i]) &&
            batch_leads(p, p->nodes.node[i]->arg[0]))
            return true;
    return false;
}

static void need(Batch *p, Masks *m, const Node *n, int set)
{
    BatchNote *note = batch_note(p, n);
    if (!note || !node_can_fail(p->g, n))
        return;
    if (!masks_reach(p, n))
        set = 0;
    note->mask = note->mask == UNSEEN ? set : join(p, m, note->mask, set);
}

Masks *masks_find(Batch *p, Node *outer, int nroot, Node *const *root)
{
    Masks *m = NEW(p->scratch, Masks);
    MaskSet always = {.n = 0};
    always.value = outer;
    list_push(p->scratch, &m->set, always);
    for (int i = 0; i < p->nodes.n; i++)
        p->note[i].mask = node_can_fail(p->g, p->nodes.node[i]) ? UNSEEN : 0;
    for (int i = 0; i < nroot; i++)
        need(p, m, root[i], 0);
    for (int k = p->nodes.n - 1; k >= 0; k--) {
        const Node *n = p->nodes.node[k];
        int set = p->note[k].mask;
        if (set == UNSEEN)
            continue;
        bool masks = chooses(p, n);
        for (int i = 0; i < n->narg; i++)
            need(p, m, n->arg[i],
                 masks && i ? branch(p, m, set, n->arg[0], i == 1) : set);
    }
    return m;
}

int masks_conditions(const Masks *m, int set, Node *const **cond)
{
    *cond = m ? m->set.at[set].cond.at : NULL;
    return m ? m->set.at[set].cond.n : 0;
}

/* Conditions have a value for each element here, even those that turned out to
 * be the same for all. */
static Node *condition(Batch *p, const Mask *k)
{
    Node *c = batch_axis(p, batch_value(p, k->cond), batch_leads(p, k->cond));
    return k->when ? c : g1(p->g, OP_not, c);
}

static Node *both(Batch *p, Node *a, Node *b)
{
    if (!a)
        return b;
    return g2(p->g, OP_and, batch_axis(p, a, a->rank == 1), b);
}

static bool leads(const Batch *p, const MaskSet *s)
{
    for (int i = 0; i < s->cond.n; i++)
        if (batch_leads(p, s->cond.at[i]))
            return true;
    return false;
}

/* As deep as masks are inside each other. */
static Node *set_value(Batch *p, Masks *m, int set)
{
    MaskSet *to = &m->set.at[set];
    Node *any = NULL;
    if (to->value)
        return to->value;
    for (int i = 0; i < to->n; i++) {
        const Mask *k = &m->mask.at[to->mask[i]];
        Node *own = k->any ? NULL : condition(p, k);
        Node *v = set_value(p, m, k->any ? k->any : k->inside);
        v = own ? both(p, v, own) : v;
        any = any ? g2(p->g, OP_or, any, v) : v;
    }
    return to->value = any;
}

/* Of one branch: an `if` on a condition that is the same for all stays one, and
 * need not be in the mask. */
static Node *alone(Batch *p, Masks *m, int set)
{
    MaskSet *to = &m->set.at[set];
    if (to->alone || to->n == 0)
        return to->n ? to->alone : to->value;
    const Mask *k = &m->mask.at[to->mask[0]];
    if (to->n > 1 || k->any)
        return to->alone =
                   leads(p, to) ? set_value(p, m, set) : m->set.at[0].value;
    Node *inside = alone(p, m, k->inside);
    return to->alone = batch_leads(p, k->cond)
                           ? both(p, inside, condition(p, k))
                           : inside;
}

Node *masks_value(Batch *p, int set)
{
    return p->masks ? alone(p, p->masks, set) : NULL;
}
