/* when.c: cases, as decision diagrams whose variables are conditions. */
#include "graph/when.h"

#include "graph/op.h"

/* Conditions that one case asks, and steps of one operation: more than these
 * and it stands for itself. */
enum { MAX_DEPTH = 24, MAX_STEPS = 400, TOO_MUCH = -1 };

/* A condition, in the order in which they came up; or a case that stands for
 * itself. */
typedef struct Var {
    Node *cond;
    int of;
} Var;

/* How a case was first asked for: from cases that were there before. */
typedef enum Origin { FROM_none, FROM_branch, FROM_either } Origin;

typedef struct Case {
    int var, yes, no, depth;
    int alias; /* the variable that it is, or -1 */
    Origin origin;
    int a, b; /* either of these; or outer, and the branch alone */
    Node *node;
} Case;

struct When {
    Arena *a;
    LIST(Var) var;
    LIST(Case) at;
    Map cases; /* by var, yes and no */
    Map vars;  /* by condition */
};

/* Cases. */

static uint64_t case_hash(int var, int yes, int no)
{
    uint64_t h = hash_mix(HASH_SEED, (uint64_t)var);
    return hash_mix(hash_mix(h, (uint64_t)yes), (uint64_t)no);
}

static int max(int a, int b) { return a > b ? a : b; }

static int find_case(When *w, int var, int yes, int no)
{
    uint64_t h = case_hash(var, yes, no);
    size_t seen = 0;
    if (yes == no)
        return yes;
    for (int i; (i = map_next_int(&w->cases, h, &seen)) >= 0;) {
        const Case *c = &w->at.at[i];
        if (c->var == var && c->yes == yes && c->no == no)
            return i;
    }
    Case c = {.var = var, .yes = yes, .no = no, .alias = -1};
    c.depth = 1 + max(w->at.at[yes].depth, w->at.at[no].depth);
    map_put_int(w->a, &w->cases, h, w->at.n);
    list_push(w->a, &w->at, c);
    return w->at.n - 1;
}

When *when_new(Arena *a)
{
    When *w = NEW(a, When);
    w->a = a;
    list_push(a, &w->at, ((Case){.alias = -1}));
    list_push(a, &w->at, ((Case){.alias = -1}));
    return w;
}

int when_count(const When *w) { return w->at.n; }

/* Variables. */

static int new_var(When *w, Node *cond, int of)
{
    Var v = {cond, of};
    list_push(w->a, &w->var, v);
    return w->var.n - 1;
}

static int var_of(When *w, Node *cond)
{
    int known = map_of_int(&w->vars, cond);
    if (known >= 0)
        return known;
    map_set_int(w->a, &w->vars, cond, w->var.n);
    return new_var(w, cond, CASE_never);
}

/* The case as a condition of its own. */
static int itself(When *w, int c)
{
    if (w->at.at[c].depth < 2)
        return c;
    if (w->at.at[c].alias < 0)
        w->at.at[c].alias = new_var(w, NULL, c);
    return find_case(w, w->at.at[c].alias, CASE_always, CASE_never);
}

/* Operations. */

typedef struct Join {
    When *w;
    bool either; /* or both */
    int steps;
} Join;

/* The case where variable v has a value. */
static int given(const When *w, int c, int v, bool yes)
{
    const Case *x = &w->at.at[c];
    if (c <= CASE_always || x->var != v)
        return c;
    return yes ? x->yes : x->no;
}

static int join(Join *j, int a, int b)
{
    int all = j->either ? CASE_always : CASE_never;
    if (a == all || b == all)
        return all;
    if (a == b || b == (all ? CASE_never : CASE_always))
        return a;
    if (a == (all ? CASE_never : CASE_always))
        return b;
    if (++j->steps > MAX_STEPS)
        return TOO_MUCH;
    int va = j->w->at.at[a].var, vb = j->w->at.at[b].var;
    int v = va < vb ? va : vb;
    int other = given(j->w, b, v, true);
    int yes = join(j, given(j->w, a, v, true), other);
    if (yes == TOO_MUCH)
        return TOO_MUCH;
    int right = given(j->w, b, v, false);
    int no = join(j, given(j->w, a, v, false), right);
    return no == TOO_MUCH ? no : find_case(j->w, v, yes, no);
}

static int joined(When *w, bool either, int a, int b)
{
    Join j = {.w = w, .either = either};
    return join(&j, a, b);
}

/* Exact, or of cases that stand for themselves. */
static int small(When *w, bool either, int a, int b)
{
    int c = joined(w, either, a, b);
    if (c == TOO_MUCH || w->at.at[c].depth > MAX_DEPTH)
        c = joined(w, either, itself(w, a), itself(w, b));
    return c;
}

static int came_from(When *w, int c, Origin from, int a, int b)
{
    Case *x = &w->at.at[c];
    if (c <= CASE_always || x->origin != FROM_none)
        return c;
    x->origin = from;
    x->a = a;
    x->b = b;
    return c;
}

int when_branch(When *w, int outer, Node *cond, bool holds)
{
    int yes = holds ? CASE_always : CASE_never;
    int no = holds ? CASE_never : CASE_always;
    int one = find_case(w, var_of(w, cond), yes, no);
    return came_from(w, small(w, false, outer, one), FROM_branch, outer, one);
}

int when_either(When *w, int a, int b)
{
    return came_from(w, small(w, true, a, b), FROM_either, a, b);
}

bool when_within(When *w, int a, int b)
{
    return a == b || a == CASE_never || b == CASE_always ||
           joined(w, true, a, b) == b;
}

Decision when_decision(const When *w, int c)
{
    const Case *x = &w->at.at[c];
    const Var *v = &w->var.at[x->var];
    return (Decision){v->cond, v->of, x->yes, x->no};
}

/* Dropping conditions. */

typedef struct Drop {
    When *w;
    bool (*drop)(void *u, const Node *cond);
    void *u;
    int *to, n; /* by case: 1 + the result */
} Drop;

static int without(Drop *d, int c);

/* One that stands for itself is dropped whole. */
static bool drops(Drop *d, const Var *v)
{
    return v->cond ? d->drop(d->u, v->cond) : without(d, v->of) != v->of;
}

static int without(Drop *d, int c)
{
    if (c <= CASE_always || c >= d->n)
        return c;
    if (d->to[c])
        return d->to[c] - 1;
    Case x = d->w->at.at[c];
    int yes = without(d, x.yes), no = without(d, x.no), to;
    if (drops(d, &d->w->var.at[x.var]))
        to = when_either(d->w, yes, no);
    else
        to = find_case(d->w, x.var, yes, no);
    d->to[c] = 1 + to;
    return to;
}

int when_without(When *w, int c, bool (*drop)(void *u, const Node *cond),
                 void *u)
{
    Drop d = {w, drop, u, NEWN(w->a, int, w->at.n), w->at.n};
    return without(&d, c);
}

/* As a node. */

static Node *branch_node(const When *w, Graph *g, const Case *x)
{
    const Case *one = &w->at.at[x->b];
    Node *cond = w->var.at[one->var].cond, *outer = w->at.at[x->a].node;
    if (one->yes == CASE_never)
        cond = g1(g, OP_not, cond);
    return outer ? g_if(g, outer, cond, g_fill(g, cond, 0)) : cond;
}

static bool has_node(const When *w, int c)
{
    return c == CASE_always || w->at.at[c].node;
}

Node *when_node(When *w, Graph *g, int c)
{
    LIST(int) stack = {0};
    if (w->at.at[CASE_never].node == NULL)
        w->at.at[CASE_never].node = g_const_int(g, DT_bool, 0);
    list_push(w->a, &stack, c);
    while (stack.n) {
        int i = stack.at[stack.n - 1];
        Case *x = &w->at.at[i];
        if (!has_node(w, i) && !has_node(w, x->a)) {
            list_push(w->a, &stack, x->a);
        } else if (!has_node(w, i) && x->origin == FROM_either &&
                   !has_node(w, x->b)) {
            list_push(w->a, &stack, x->b);
        } else {
            if (!has_node(w, i))
                x->node = x->origin == FROM_branch
                              ? branch_node(w, g, x)
                              : g2(g, OP_or, w->at.at[x->a].node,
                                   w->at.at[x->b].node);
            stack.n--;
        }
    }
    return w->at.at[c].node;
}
