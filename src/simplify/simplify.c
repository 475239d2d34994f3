/* simplify.c: rules to a fixed point, and expansion before scheduling. */

#include "simplify/simplify.h"

/* More passes than any program needs; a pair of rules that undo each other
 * would stop here. */
enum { MAX_PASSES = 64, MAX_REWRITES = 64 };

typedef struct Pass {
    Graph *g;
    Arena *scratch;
    Node **map; /* by id, for what existed when the pass began */
} Pass;

/* n on the rewritten arguments. */
static Node *with_new_args(Pass *p, Node *n)
{
    Node **arg;
    bool same = true;

    for (int i = 0; i < n->narg; i++)
        same &= p->map[n->arg[i]->id] == n->arg[i];
    if (same)
        return n;
    arg = NEWN(p->scratch, Node *, n->narg);
    for (int i = 0; i < n->narg; i++)
        arg[i] = p->map[n->arg[i]->id];
    return graph_remake(p->g, n, arg);
}

static Node *by_rules(Pass *p, Node *n)
{
    for (int k = 0; k < MAX_REWRITES; k++) {
        Node *to = NULL;

        for (int i = 0; i < simplify_nrules && !to; i++) {
            const Rule *r = &simplify_rules[i];

            if (r->op != n->op)
                continue;
            to = r->apply(p->g, n);
            if (to == n)
                to = NULL;
            if (to)
                graph_log(p->g, r->name, r->identity, n->span);
        }
        if (!to)
            return n;
        n = to;
    }
    return n;
}

static Node *by_expansion(Pass *p, Node *n)
{
    const Op *op = op_table[n->op];
    Node *to = op->expand ? op->expand(p->g, n) : NULL;

    return to ? to : n;
}

/* One pass over what the roots reach, arguments first. */
static bool pass_over(Pass *p, int nroot, Node **root,
                      Node *(*rewrite)(Pass *p, Node *n))
{
    int count = graph_count(p->g);
    bool *live = graph_reach(p->g, p->scratch, nroot, root);
    Span before = graph_span(p->g, (Span){0, 0});
    bool changed = false;

    p->map = NEWN(p->scratch, Node *, count);
    for (int id = 0; id < count; id++) {
        Node *n = graph_node(p->g, id);

        if (!live[id])
            continue;
        graph_span(p->g, n->span);
        p->map[id] = rewrite(p, with_new_args(p, n));
    }
    graph_span(p->g, before);
    for (int i = 0; i < nroot; i++) {
        Node *to = p->map[root[i]->id];

        changed |= to != root[i];
        root[i] = to;
    }
    return changed;
}

static void to_fixed_point(Pass *p, int nroot, Node **root,
                           Node *(*rewrite)(Pass *p, Node *n))
{
    for (int k = 0; k < MAX_PASSES; k++) {
        bool changed;

        p->scratch = arena_new();
        changed = pass_over(p, nroot, root, rewrite);
        arena_free(p->scratch);
        if (!changed)
            return;
    }
}

void simplify(Graph *g, int nroot, Node **root)
{
    Pass p = {.g = g};

    to_fixed_point(&p, nroot, root, by_rules);
}

void expand(Graph *g, int nroot, Node **root)
{
    Pass p = {.g = g};

    to_fixed_point(&p, nroot, root, by_expansion);
}

/* A pass over the results of n functions together. */
static void over_functions(Graph *g, Function *const *f, int n,
                           void (*pass)(Graph *g, int nroot, Node **root))
{
    Arena *scratch = arena_new();
    LIST(Node **) slot = {0};
    Node **root;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < f[i]->nresult; k++)
            for (int j = 0; j < f[i]->result[k].nleaf; j++)
                list_push(scratch, &slot, &f[i]->result[k].leaf[j]);
    root = NEWN(scratch, Node *, slot.n);
    for (int i = 0; i < slot.n; i++)
        root[i] = *slot.at[i];
    pass(g, slot.n, root);
    for (int i = 0; i < slot.n; i++)
        *slot.at[i] = root[i];
    arena_free(scratch);
}

void simplify_functions(Graph *g, Function *const *f, int n)
{
    over_functions(g, f, n, simplify);
}

void expand_functions(Graph *g, Function *const *f, int n)
{
    over_functions(g, f, n, expand);
}
