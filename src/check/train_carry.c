/* train_carry.c: carry of a `train` item: what the loss carries on, from what
 * it was and what a step had to say to it. Where the loss does not look at what
 * is carried, as that of a batch norm's running statistics, steps of several
 * batches can be made at once: only what they say goes from one to the next. */
#include "check/scope.h"
#include "check/train.h"

typedef struct Carry {
    Check *c;
    int nstate;
    Node **state; /* leaves of what is carried, as the step has it */
    Node **part;  /* what the step says to each; NULL: nothing but constants */
    /* By node: does it depend on what is carried; on anything else that is no
     * constant; the last leaf that was looked through it for, from 1 on. */
    bool *on_state, *on_data;
    int *seen;
} Carry;

static bool is_state(const Carry *k, const Node *n)
{
    for (int i = 0; i < k->nstate; i++)
        if (k->state[i] == n)
            return true;
    return false;
}

static void depend(Carry *k, const Node *n, const Node *on)
{
    if (on->op == OP_param || on->op == OP_dim) {
        k->on_state[n->id] |= is_state(k, on);
        k->on_data[n->id] |= !is_state(k, on);
    }
    k->on_state[n->id] |= k->on_state[on->id];
    k->on_data[n->id] |= k->on_data[on->id];
}

/* Of all below these: arguments come before what they are arguments of, and
 * what a region reads before what has it. */
static void find_dependence(Carry *k, int nroot, Node **root)
{
    Graph *g = k->c->graph;
    Arena *scratch = arena_new();
    const bool *live = graph_reach(g, scratch, false, nroot, root);
    int count = graph_count(g);

    for (int i = 0; i < count; i++) {
        Node *n = live[i] ? graph_node(g, i) : NULL;

        if (!n)
            continue;
        depend(k, n, n);
        for (int a = 0; a < n->narg; a++)
            depend(k, n, n->arg[a]);
        if (!node_has_region(n))
            continue;
        Arena *own = arena_new();
        const bool *inside = graph_reach(g, own, true, 1, &n);
        for (int b = 0; b < count; b++)
            if (inside[b])
                depend(k, n, graph_node(g, b));
        arena_free(own);
    }
    arena_free(scratch);
}

/* *part becomes the one node of `like`'s shape by which n depends on other
 * things than the state and constants. False: there is no such one. */
static bool find_part(Carry *k, Node *n, int leaf)
{
    const Node *like = k->state[leaf];
    Node **part = &k->part[leaf];

    if (is_state(k, n) || !k->on_data[n->id] || k->seen[n->id] == leaf + 1)
        return true;
    k->seen[n->id] = leaf + 1;
    if (!k->on_state[n->id]) {
        bool first = !*part || *part == n;
        *part = n;
        return first && n->dtype == like->dtype && same_shape(n, like);
    }
    if (node_has_region(n))
        return false;
    for (int i = 0; i < n->narg; i++)
        if (!find_part(k, n->arg[i], leaf))
            return false;
    return true;
}

static bool is_number(DType t) { return dtype_is_real(t) || dtype_is_int(t); }

bool train_find_carry(Train *t, const Value *state, const Value *loss,
                      const Value *next)
{
    Check *c = t->c;
    int n = state->nleaf, count = graph_count(c->graph) + 1;
    Carry k = {.c = c,
               .nstate = n,
               .state = value_leaves(c, state),
               .part = NEWN(c->arena, Node *, n + 1),
               .on_state = NEWN(c->arena, bool, count),
               .on_data = NEWN(c->arena, bool, count),
               .seen = NEWN(c->arena, int, count)};
    Node **leaf = value_leaves(c, next);
    Node **root = NEWN(c->arena, Node *, n + 1);

    for (int i = 0; i < n; i++)
        root[i] = leaf[i];
    root[n] = loss->node;
    find_dependence(&k, n + 1, root);
    bool looks = k.on_state[loss->node->id];
    for (int i = 0; i < n && !looks; i++)
        looks = !is_number(k.state[i]->dtype) || !find_part(&k, leaf[i], i);
    t->carry = (CarryParts){k.state, k.part, leaf};
    return !looks;
}

bool train_reads_carry(Train *t)
{
    Check *c = t->c;
    const Value **fresh, *loss, *next;

    if (!t->accumulate.given || t->carried < 0)
        return true;
    Arguments a = train_arguments(t, &fresh);
    if (!fresh)
        return false;
    loss = train_loss(t, t->loss, fn_apply(c, t->loss, &a), &next);
    next = loss ? value_fit(c, t->carried_type, next) : NULL;
    t->has_carry = next && train_find_carry(t, fresh[t->carried], loss, next);
    return loss != NULL;
}

const Value *train_carry_parts(Train *t)
{
    Graph *g = t->c->graph;
    int n = t->carried_type->nleaf;
    Node **part = NEWN(t->c->arena, Node *, n + 1);

    for (int i = 0; i < n; i++)
        part[i] = t->carry.part[i] ? t->carry.part[i]
                                   : g_fill(g, t->carry.state[i], 0);
    return value_of_leaves(t->c, t->carried_type, part);
}

Function *train_carry(Train *t)
{
    Check *c = t->c;
    const Value **fresh;
    State s = state_fresh(t);
    int n = t->carried >= 0 ? t->carried_type->nleaf : 0, m = 0;

    if (!s.field[ST_part])
        return NULL;
    Function *f = function_new(c, FN_carry, train_named(t, "carry"), t->at);
    train_arguments(t, &fresh);
    if (!fresh)
        return NULL;
    train_params(t, f, PR_carried, fresh);
    f->param[f->nparam++] = state_port(t, &s, -1);
    Node **from = NEWN(c->arena, Node *, 2 * n + 1);
    Node **to = NEWN(c->arena, Node *, 2 * n + 1);
    Node **next = NEWN(c->arena, Node *, n + 1);
    for (int i = 0; i < n; i++) {
        next[i] = t->carry.next[i];
        from[m] = t->carry.state[i];
        to[m++] = value_leaves(c, fresh[t->carried])[i];
        if (!t->carry.part[i])
            continue;
        from[m] = t->carry.part[i];
        to[m++] = value_leaves(c, s.field[ST_part])[i];
    }
    graph_subst(c->graph, m, from, to, n, next);
    f->result[f->nresult++] = train_in_place(
        t, &f->param[0], 0, value_of_leaves(c, t->carried_type, next));
    return function_finish(c, f) ? f : NULL;
}
