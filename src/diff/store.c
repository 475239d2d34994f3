/* store.c: what a loop keeps for its backward pass and what is computed again.
 *
 * A backward step reads some values of the step it undoes. Carries are known
 * only if they are stored; so are, at the price of computing them twice,
 * contractions, reductions, inner loops and costly functions of the step. What
 * is cheap is computed again from its arguments, unless it takes less memory
 * than what of them would have to be stored; random numbers are drawn again.
 * The index and inputs are there for the reading; what depends on captures and
 * constants alone is computed around the loop.
 *
 * That is a minimum cut between what is known or costly and what is read. It is
 * taken as if the graph were a tree, then what is computable from the rest of
 * the stored values is dropped: linear in the size of the step. Sizes are
 * compared with every free dimension at 64. */

#include "diff/loops.h"

#include "graph/op.h"
#include "graph/view.h"
#include "graph/when.h"

enum { TYPICAL_SIZE = 64 };

typedef struct Info {
    Node *n;
    bool foreign; /* depends on other parameters than the loop's */
    bool varies;  /* depends on a carry, an input or the index */
    bool known;   /* is itself an input or the index */
    bool carried; /* is itself a carry */
    bool drawn;   /* is random bits, or depends on the step by those alone */
    bool done;    /* the loop computes it, whether it is stored or not */
    bool reached; /* from what is read */
    bool needed;  /* in the step back */
    bool stored;
    bool there;  /* stored, or computable from what is */
    double size; /* bytes */
    double cost; /* bytes to store for having it */
    int when;    /* the case in which it is read */
} Info;

struct Step {
    Graph *g;
    Arena *scratch;
    const Region *r;
    Info *info; /* by ascending ids; older nodes are constant */
    int count;
    Map place; /* numbers of infos, by the node */
    When *when;
};

static Info *info_of(const Step *c, const Node *n)
{
    int i = map_of_int(&c->place, n);

    return i >= 0 ? &c->info[i] : NULL;
}

/* Sizes. */

static void *number(void *u, double v)
{
    double *p = NEW((Arena *)u, double);

    *p = v;
    return p;
}

static double at(const void *p) { return *(const double *)p; }

static void *size_constant(void *u, int64_t v) { return number(u, (double)v); }

static void *size_variable(void *u, const Dim *var)
{
    (void)var;
    return number(u, TYPICAL_SIZE);
}

static void *size_add(void *u, void *a, void *b)
{
    return number(u, at(a) + at(b));
}

static void *size_mul(void *u, void *a, void *b)
{
    return number(u, at(a) * at(b));
}

static void *size_div(void *u, void *a, void *b)
{
    return number(u, at(b) != 0 ? at(a) / at(b) : 0);
}

static void *size_positive(void *u, void *a)
{
    return number(u, at(a) > 0 ? at(a) : 0);
}

static double size_of_dim(Arena *scratch, const Dim *d)
{
    const DimVisitor v = {scratch,  size_constant, size_variable, size_add,
                          size_mul, size_div,      size_positive};
    int64_t k;
    double x = dim_const_value(d, &k) ? (double)k : at(dim_visit(d, &v));

    return x > 0 ? x : 0;
}

double typical_bytes(Arena *scratch, const Node *n)
{
    double x = dtype_size(n->dtype);

    for (int i = 0; i < n->rank; i++)
        x *= size_of_dim(scratch, n->dim[i]);
    return x;
}

/* Which nodes there are. */

static void mark_param(Step *c, const Node *n, bool known, bool carried)
{
    Info *i = info_of(c, n);

    if (!i)
        return;
    i->known = known;
    i->carried = carried;
    i->varies = known || carried;
    i->foreign = false;
}

static void mark_params(Step *c)
{
    const Region *r = c->r;

    for (int k = 0; k < c->count; k++)
        c->info[k].foreign = c->info[k].n->op == OP_param;
    for (int i = 0; i < r->nbody; i++)
        if (info_of(c, r->body[i]))
            info_of(c, r->body[i])->done = true;
    mark_param(c, r->index, true, false);
    for (int i = 0; i < r->ncarry; i++)
        mark_param(c, r->carry[i], false, true);
    for (int i = 0; i < r->ninput; i++)
        mark_param(c, r->input[i], true, false);
    for (int i = 0; i < r->ncapture; i++)
        mark_param(c, r->capture[i], false, false);
}

static void mark_kinds(Step *c)
{
    for (int k = 0; k < c->count; k++) {
        Info *at_n = &c->info[k];
        bool drawn = false, other = false;

        for (int i = 0; i < at_n->n->narg; i++) {
            const Info *a = info_of(c, at_n->n->arg[i]);

            at_n->foreign |= a && a->foreign;
            at_n->varies |= a && a->varies;
            drawn |= a && a->drawn;
            other |= a && a->varies && !a->drawn;
        }
        at_n->drawn = at_n->n->op == OP_random_bits || (drawn && !other);
    }
}

/* Nodes older than all parameters are constant. */
static int first_param(const Region *r)
{
    int first = r->index->id;

    for (int i = 0; i < region_nparam(r); i++)
        if (region_param_at(r, i)->id < first)
            first = region_param_at(r, i)->id;
    return first;
}

static void find_nodes(Step *c, int n, Node *const *result)
{
    Reach reach = reach_enter(c->g, c->scratch, first_param(c->r), REACH_AROUND,
                              n, result);

    c->count = reach.n;
    c->info = NEWN(c->scratch, Info, c->count + 1);
    for (int i = 0; i < c->count; i++) {
        c->info[i].n = reach.node[i];
        map_set_int(c->scratch, &c->place, reach.node[i], i);
    }
    reach_leave(&reach);
}

Step *step_new(Graph *g, Arena *scratch, const Region *r, int n,
               Node *const *result)
{
    Step *c = NEW(scratch, Step);

    *c = (Step){.g = g, .scratch = scratch, .r = r};
    find_nodes(c, n, result);
    mark_params(c);
    mark_kinds(c);
    return c;
}

bool step_constant(const Step *c, const Node *n)
{
    const Info *i = info_of(c, n);

    return !i || (!i->varies && !i->foreign);
}

bool step_primal(const Step *c, const Node *n)
{
    const Info *i = info_of(c, n);

    return !i || !i->foreign;
}

/* What to store. */

static void mark_reached(Step *c, int nread, Node *const *read)
{
    for (int i = 0; i < nread; i++)
        if (info_of(c, read[i]))
            info_of(c, read[i])->reached = true;
    for (int k = c->count - 1; k >= 0; k--)
        for (int i = 0; c->info[k].reached && i < c->info[k].n->narg; i++)
            if (info_of(c, c->info[k].n->arg[i]))
                info_of(c, c->info[k].n->arg[i])->reached = true;
}

/* A value of the step, neither known nor the same in all steps. */
static bool is_own(const Info *i)
{
    return i && i->reached && i->varies && !i->foreign;
}

/* Computing it again is not worth it. */
static bool is_costly(const Info *i)
{
    const Node *n = i->n;
    const Op *row = op_table[n->op];

    switch (row->cls) {
    case OPC_leaf:
    case OPC_select:
        return false;
    case OPC_ewise:
        return (row->flags & OP_COSTLY) && !i->drawn;
    case OPC_view:
        return n->op == OP_view_add && !node_pads(n);
    case OPC_index:
        return n->op == OP_scatter_add;
    case OPC_reduce:
    case OPC_contract:
    case OPC_sort:
    case OPC_routine:
    case OPC_region:
        return true;
    }
    return true;
}

/* A loop or call has no value, its parts have. */
static bool has_value(const Node *n)
{
    return n->op != OP_loop && n->op != OP_call;
}

/* What storing all arguments that are not there would take. */
static double cost_of_args(const Step *c, const Node *n)
{
    double sum = 0;

    for (int i = 0; i < n->narg; i++) {
        const Info *a = info_of(c, n->arg[i]);
        bool again = false;

        for (int k = 0; k < i; k++)
            again |= n->arg[k] == n->arg[i];
        if (is_own(a) && !again)
            sum += a->cost;
    }
    return sum;
}

/* What the loop has no need of is computed once anyway, where it is read; but
 * an inner loop that stores is one with that of the loop. */
static bool must_store(const Info *i)
{
    return i->carried ||
           (!i->known && (i->done || i->n->op == OP_part) && is_costly(i));
}

static void find_costs(Step *c)
{
    for (int k = 0; k < c->count; k++) {
        const Node *n = c->info[k].n;
        Info *i = &c->info[k];

        if (!is_own(i) || !has_value(n))
            continue;
        i->size = typical_bytes(c->scratch, n);
        i->cost = i->known ? 0 : i->size;
        if (!i->known && !must_store(i)) {
            double args = cost_of_args(c, n);

            i->cost = args < i->size ? args : i->size;
        }
    }
}

/* Values that are read: as such, and by what is foreign. */
static void mark_needed(Step *c, int nread, Node *const *read)
{
    for (int i = 0; i < nread; i++)
        if (is_own(info_of(c, read[i])))
            info_of(c, read[i])->needed = true;
    for (int k = 0; k < c->count; k++) {
        const Node *n = c->info[k].n;

        if (!c->info[k].reached || !c->info[k].foreign)
            continue;
        for (int i = 0; i < n->narg; i++)
            if (is_own(info_of(c, n->arg[i])))
                info_of(c, n->arg[i])->needed = true;
    }
}

static void decide(Step *c)
{
    for (int k = c->count - 1; k >= 0; k--) {
        const Node *n = c->info[k].n;
        Info *i = &c->info[k];

        if (!i->needed || i->known)
            continue;
        if (must_store(i) || cost_of_args(c, n) > i->size) {
            i->stored = true;
            continue;
        }
        for (int j = 0; j < n->narg; j++)
            if (is_own(info_of(c, n->arg[j])))
                info_of(c, n->arg[j])->needed = true;
    }
}

/* Drop what can be computed from the rest. */
static void drop_spare(Step *c)
{
    for (int k = 0; k < c->count; k++) {
        const Node *n = c->info[k].n;
        Info *i = &c->info[k];
        bool computable;

        if (!is_own(i) || !has_value(n))
            continue;
        computable = i->known || !must_store(i);
        for (int j = 0; j < n->narg && computable; j++) {
            const Info *a = info_of(c, n->arg[j]);

            computable = !is_own(a) || a->there;
        }
        if (computable)
            i->stored = false;
        i->there = computable || i->stored;
    }
}

/* Laziness: what is stored for a branch that is not taken is not computed. */

static bool is_foreign(const Step *c, const Node *n)
{
    const Info *i = info_of(c, n);

    return i && i->foreign;
}

static int inside(Step *c, int outer, Node *cond, bool holds, int depth);

/* Where both arguments of cond, or one of them at least, are `holds`. */
static int inside_pair(Step *c, int outer, Node *cond, bool holds, int depth)
{
    int a = inside(c, outer, cond->arg[0], holds, depth);

    if (holds == (cond->op == OP_and))
        return inside(c, a, cond->arg[1], holds, depth);
    return when_either(c->when, a,
                       inside(c, outer, cond->arg[1], holds, depth));
}

/* Where the branch taken of cond, an `if`, is `holds`. */
static int inside_choice(Step *c, int outer, Node *cond, bool holds, int depth)
{
    int side[2];

    for (int i = 0; i < 2; i++) {
        side[i] = inside(c, outer, cond->arg[0], i == 0, depth);
        side[i] = inside(c, side[i], cond->arg[1 + i], holds, depth);
    }
    return when_either(c->when, side[0], side[1]);
}

/* The case inside of outer where cond is `holds`: by the parts of cond, so that
 * what is read under one condition and under another that follows from it is
 * read under the one. Of what the loop does not know, which is made of
 * conditions under which adjoints are not 0, what follows from it. */
static int inside(Step *c, int outer, Node *cond, bool holds, int depth)
{
    enum { DEEP = 6 };

    if (is_constant_leaf(cond))
        return node_is_const(cond, holds) ? outer : CASE_never;
    if (cond->op == OP_not)
        return inside(c, outer, cond->arg[0], !holds, depth);
    if (depth < DEEP && (cond->op == OP_and || cond->op == OP_or))
        return inside_pair(c, outer, cond, holds, depth + 1);
    if (depth < DEEP && op_table[cond->op]->cls == OPC_select)
        return inside_choice(c, outer, cond, holds, depth + 1);
    return is_foreign(c, cond) ? outer
                               : when_branch(c->when, outer, cond, holds);
}

static void demand(Step *c, const Node *n, int when)
{
    Info *i = info_of(c, n);

    if (i)
        i->when = when_either(c->when, i->when, when);
}

static void find_cases(Step *c, int nread, Node *const *read)
{
    c->when = when_new(c->scratch);
    for (int i = 0; i < nread; i++)
        demand(c, read[i], CASE_always);
    for (int k = c->count - 1; k >= 0; k--) {
        const Node *n = c->info[k].n;
        int when = c->info[k].when;
        bool select = op_table[n->op]->cls == OPC_select;

        for (int i = 0; when != CASE_never && i < n->narg; i++)
            demand(c, n->arg[i],
                   select && i > 0 ? inside(c, when, n->arg[0], i == 1, 0)
                                   : when);
    }
}

static Node *only_where_read(Step *c, const Info *i)
{
    Node *when = when_node(c->when, c->g, i->when);

    return when ? g_if(c->g, when, i->n, g_fill(c->g, i->n, 0)) : i->n;
}

/* A value that has no room for the axis of steps is stored as a vector. */
static Node *flat(Graph *g, Node *n)
{
    return n->rank < MAX_RANK ? n : g_merge_axes(g, n, 0, n->rank);
}

static int list_stored(Step *c, Stored **to)
{
    LIST(Stored) list = {0};

    for (int k = 0; k < c->count; k++) {
        Node *n = c->info[k].n;
        Stored s = {.value = n};

        if (!c->info[k].stored)
            continue;
        s.output = flat(c->g, only_where_read(c, &c->info[k]));
        s.param = param_like(c->g, s.output, "_kept");
        s.back = n->rank < MAX_RANK ? s.param
                                    : g_reshape(c->g, s.param, n->rank, n->dim);
        list_push(c->scratch, &list, s);
    }
    *to = list.at;
    return list.n;
}

int step_stored(Step *c, int n, Node *const *read, Stored **stored)
{
    mark_reached(c, n, read);
    find_costs(c);
    mark_needed(c, n, read);
    decide(c);
    drop_spare(c);
    find_cases(c, n, read);
    return list_stored(c, stored);
}
