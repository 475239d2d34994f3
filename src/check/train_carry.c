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
} Carry;

static bool is_state(const Carry *k, const Node *n)
{
    for (int i = 0; i < k->nstate; i++)
        if (k->state[i] == n)
            return true;
    return false;
}

/* Does n depend on what is carried; on anything that is no constant? */
static void dependence(const Carry *k, Node *n, bool *state, bool *data)
{
    const Graph *g = k->c->graph;
    Arena *scratch = arena_new();
    const bool *live = graph_reach(g, scratch, true, 1, &n);

    *state = *data = false;
    for (int i = 0; i <= n->id; i++) {
        const Node *m = live[i] ? graph_node(g, i) : NULL;

        if (!m || (m->op != OP_param && m->op != OP_dim))
            continue;
        *state = *state || is_state(k, m);
        *data = *data || !is_state(k, m);
    }
    arena_free(scratch);
}

/* *part becomes the one node of `like`'s shape by which n depends on other
 * things than the state and constants. False: there is no such one. */
static bool find_part(const Carry *k, Node *n, const Node *like, Node **part)
{
    bool state, data;

    if (is_state(k, n))
        return true;
    dependence(k, n, &state, &data);
    if (!data)
        return true;
    if (!state) {
        bool first = !*part || *part == n;
        *part = n;
        return first && n->dtype == like->dtype && same_shape(n, like);
    }
    if (node_has_region(n))
        return false;
    for (int i = 0; i < n->narg; i++)
        if (!find_part(k, n->arg[i], like, part))
            return false;
    return true;
}

static bool is_number(DType t) { return dtype_is_real(t) || dtype_is_int(t); }

bool train_find_carry(Train *t, const Value *state, const Value *loss,
                      const Value *next)
{
    Check *c = t->c;
    Carry k = {c, state->nleaf, value_leaves(c, state),
               NEWN(c->arena, Node *, state->nleaf + 1)};
    bool looks, data;

    dependence(&k, loss->node, &looks, &data);
    Node **leaf = value_leaves(c, next);
    for (int i = 0; i < k.nstate && !looks; i++)
        looks = !is_number(k.state[i]->dtype) ||
                !find_part(&k, leaf[i], k.state[i], &k.part[i]);
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
