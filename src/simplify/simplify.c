/* simplify.c: rules to a fixed point, and expansion before scheduling. */

#include "simplify/simplify.h"

#include "graph/region.h"
#include "simplify/internal.h"
#include "simplify/normal.h"

/* More passes than any program needs; a pair of rules that undo each other
 * would stop here. */
enum { MAX_PASSES = 64, MAX_REWRITES = 64 };

typedef struct Pass {
    Graph *g;
    Arena *scratch;
    Reach reach; /* what existed when the pass began */
    Node **map;  /* by number: what it becomes */
    /* By number of a loop or call: its parts, where it is dissolved; or NULL.
     */
    Node ***part;
    int at;           /* the node being rewritten, as it was */
    Node **whole;     /* by number, see find_wholes; NULL: not asked for */
    LIST(Use *) uses; /* pages, see Uses */
    bool formulas;    /* what the program says counts as derived, too */
} Pass;

static Node *mapped(const Pass *p, const Node *n)
{
    return p->map[reach_number(&p->reach, n)];
}

/* Those of the results that are mapped, in place; did one change. */
static bool map_results(const Pass *p, const Region *r, Node **result)
{
    bool changed = false;

    region_results(r, result);
    for (int i = 0; i < region_nresult(r); i++) {
        Node *to = mapped(p, result[i]);

        changed |= to != result[i];
        result[i] = to;
    }
    return changed;
}

/* r with its body rewritten, or r. A derivative of its own is rewritten where
 * it is put in place: of many, most never are. */
static const Region *with_new_body(Pass *p, const Region *r)
{
    Node **result = NEWN(p->scratch, Node *, region_nresult(r) + 1);
    Region *to;

    if (!map_results(p, r, result))
        return r;
    to = NEW(p->scratch, Region);
    *to = region_with(p->g, r, result);
    return to;
}

/* n on the rewritten arguments, its body rewritten. */
static Node *with_new_args(Pass *p, Node *n)
{
    const Region *r = n->attr.region ? with_new_body(p, n->attr.region) : NULL;
    Node **arg;
    bool same = r == n->attr.region;

    for (int i = 0; i < n->narg; i++)
        same &= mapped(p, n->arg[i]) == n->arg[i];
    if (same)
        return n;
    arg = NEWN(p->scratch, Node *, n->narg + 1);
    for (int i = 0; i < n->narg; i++)
        arg[i] = mapped(p, n->arg[i]);
    return r ? g_region(p->g, r, n->narg, arg) : graph_remake(p->g, n, arg);
}

/* A loop of one step, and its parts without a loop. */

static bool is_one_step(const Node *n)
{
    const Region *r = n->op == OP_loop ? node_region(n) : NULL;

    return r && dim_is(r->trips, 1) && !r->apart && !r->until && !r->counted;
}

/* The one element along x's first axis. */
static Node *only_element(Graph *g, Node *x)
{
    return g_reshape(g, x, x->rank - 1, x->dim + 1);
}

static Node **parts_of_step(Pass *p, const Node *n)
{
    const Region *r = node_region(n);
    int np = region_nparts(r);
    Node **arg = NEWN(p->scratch, Node *, n->narg + 1);
    Node **part = NEWN(p->scratch, Node *, np + 1);

    arg[0] = g_const_int(p->g, r->index->dtype, 0);
    for (int i = 0; i < n->narg; i++) {
        bool input = i >= r->ncarry && i < r->ncarry + r->ninput;

        arg[i + 1] = input ? only_element(p->g, n->arg[i]) : n->arg[i];
    }
    region_inline(p->g, r, arg, part);
    for (int i = r->ncarry; i < np - 1; i++)
        part[i] = g_merge_axes(p->g, part[i], 0, 0);
    part[np - 1] = g_const_int(p->g, DT_i64, 1);
    return part;
}

/* A part of what is there without its loop or call. */
static Node *part_inlined(const Pass *p, const Node *n)
{
    Node **part = NULL;

    if (n->op == OP_part)
        part = p->part[reach_number(&p->reach, n->arg[0])];
    return part ? part[n->attr.integer] : NULL;
}

static Uses uses_known(const Pass *p) { return (Uses){p->uses.at, p->uses.n}; }

/* What is to be known of n. */
static Use *use_at(Pass *p, const Node *n)
{
    Use **page;

    while (p->uses.n <= n->id / USE_PAGE)
        list_push(p->scratch, &p->uses, NULL);
    page = &p->uses.at[n->id / USE_PAGE];
    if (!*page)
        *page = NEWN(p->scratch, Use, USE_PAGE);
    return *page + n->id % USE_PAGE;
}

static void add_uses(Pass *p, const Node *n, int count)
{
    use_at(p, n)->times += count;
}

/* n, which is perhaps new, and so what it is made of, too. */
static void add_new_uses(Pass *p, const Node *n, int count)
{
    bool fresh = use_at(p, n)->times == 0;

    add_uses(p, n, count);
    for (int i = 0; i < n->narg && fresh; i++)
        add_new_uses(p, n->arg[i], 1);
}

/* What a body or the roots give is needed whatever else is. */
enum { NEEDED = 2 };

static void count_body(Pass *p, const Region *r)
{
    Node **result = NEWN(p->scratch, Node *, region_nresult(r) + 1);

    region_results(r, result);
    for (int k = 0; k < region_nresult(r); k++)
        add_uses(p, result[k], NEEDED);
    for (int k = 0; k < region_nparam(r); k++) {
        const Node *param = region_param_at(r, k);

        add_uses(p, param, 0);
        use_at(p, param)->bound = true;
    }
}

static void count_uses(Pass *p, int nroot, Node **root)
{
    p->uses.n = 0;
    for (int i = 0; i < p->reach.n; i++) {
        const Node *n = p->reach.node[i];

        for (int k = 0; k < n->narg; k++)
            add_uses(p, n->arg[k], 1);
        if (n->attr.region)
            count_body(p, n->attr.region);
    }
    for (int i = 0; i < nroot; i++)
        add_uses(p, root[i], NEEDED);
}

static Node *by_rule(Pass *p, Node *n)
{
    for (int i = 0; i < simplify_nrules; i++) {
        const Rule *r = &simplify_rules[i];
        Node *to = r->op == n->op ? r->apply(p->g, n) : NULL;

        if (to) {
            graph_log(p->g, r->name, n, to);
            return to;
        }
    }
    return NULL;
}

static Node *by_normal_form(Pass *p, Node *n)
{
    Uses uses = uses_known(p);
    bool any = n->derived || p->formulas;
    Node *to = any ? normal_form(p->g, &uses, p->formulas, n) : NULL;

    if (!to && any)
        to = factor_products(p->g, &uses, n);
    if (!to && p->formulas)
        to = root_moves(n);
    if (!to && any)
        to = sum_of_centred(p->g, n);
    if (to)
        graph_log(p->g, "normal form", n, to);
    return to;
}

static Node *by_reuse(Pass *p, Node *n)
{
    Uses uses = uses_known(p);
    Node *to = reuse_quotient(p->g, &uses, n);

    if (to)
        graph_log(p->g, "quotient reused", n, to);
    return to;
}

static Node *by_rules(Pass *p, Node *n)
{
    if (is_one_step(n))
        p->part[p->at] = parts_of_step(p, n);
    for (int k = 0; k < MAX_REWRITES; k++) {
        Node *to = by_rule(p, n);

        if (!to)
            to = by_normal_form(p, n);
        if (!to)
            to = by_reuse(p, n);
        if (!to)
            return n;
        n = to;
    }
    return n;
}

/* Calls on their own become loops of one step, which nothing looks into; the
 * others are replaced by what they compute. */
static Node **parts_of_call(Pass *p, const Node *n)
{
    const Region *r = node_region(n);
    Node **part = NEWN(p->scratch, Node *, r->noutput + 1);
    Region once = *r;
    Node *loop;

    if (!r->apart) {
        region_inline(p->g, r, n->arg, part);
        return part;
    }
    once.trips = dim_const(p->g, 1);
    once.index = g_param(p->g, DT_i32, 0, NULL, "t");
    once.vjp = NULL;
    loop = g_region(p->g, &once, n->narg, n->arg);
    for (int i = 0; i < r->noutput; i++)
        part[i] = only_element(p->g, g_part(p->g, loop, i));
    return part;
}

static Node *by_expansion(Pass *p, Node *n)
{
    const Op *op = op_table[n->op];
    Node *to = op->expand ? op->expand(p->g, n) : NULL;

    if (!to && op->cls == OPC_ewise)
        to = elements_apart(p->g, n);
    if (n->op == OP_call)
        p->part[p->at] = parts_of_call(p, n);
    return to ? to : n;
}

static Node *by_reading(Pass *p, Node *n)
{
    Node *whole = p->whole[p->at];

    return whole ? read_from_whole(p->g, whole, n) : n;
}

static Node *node_now(const void *u, const Node *n)
{
    const Pass *p = u;

    return reach_number(&p->reach, n) >= 0 ? mapped(p, n) : NULL;
}

/* One pass over what the roots reach, arguments first. */
static bool pass_over(Pass *p, int nroot, Node **root,
                      Node *(*rewrite)(Pass *p, Node *n))
{
    Provenance before = graph_provenance(p->g, (Provenance){0});
    bool deriving = graph_deriving(p->g, false), changed = false;

    p->reach = reach_enter(p->g, p->scratch, 0, REACH_BODIES, nroot, root);
    p->map = NEWN(p->scratch, Node *, p->reach.n + 1);
    p->part = NEWN(p->scratch, Node **, p->reach.n + 1);
    count_uses(p, nroot, root);
    if (rewrite == by_reading)
        p->whole = find_wholes(p->scratch, &p->reach, nroot, root);
    for (int i = 0; i < p->reach.n; i++) {
        Node *n = p->reach.node[i], *part;

        graph_provenance(p->g, node_provenance(n));
        graph_deriving(p->g, n->derived);
        p->at = i;
        part = part_inlined(p, n);
        p->map[i] = part ? part : rewrite(p, with_new_args(p, n));
        graph_follow_labels(p->g, n, p->map[i], node_now, p);
        if (p->map[i] != n)
            add_new_uses(p, p->map[i], use_at(p, n)->times);
    }
    graph_provenance(p->g, before);
    graph_deriving(p->g, deriving);
    for (int i = 0; i < nroot; i++) {
        Node *to = mapped(p, root[i]);

        changed |= to != root[i];
        root[i] = to;
    }
    reach_leave(&p->reach);
    return changed;
}

static void to_fixed_point(Pass *p, int nroot, Node **root,
                           Node *(*rewrite)(Pass *p, Node *n))
{
    for (int k = 0; k < MAX_PASSES; k++) {
        bool changed;

        p->scratch = arena_new();
        p->uses.at = NULL;
        p->uses.n = p->uses.cap = 0;
        changed = pass_over(p, nroot, root, rewrite);
        arena_free(p->scratch);
        if (!changed)
            return;
    }
}

void simplify(Graph *g, int nroot, Node **root)
{
    Pass p = {.g = g};

    if (!graph_is_plain(g))
        to_fixed_point(&p, nroot, root, by_rules);
}

void simplify_formulas(Graph *g, int nroot, Node **root)
{
    Pass p = {.g = g, .formulas = true};

    to_fixed_point(&p, nroot, root, by_rules);
}

static void read_diagonals(Graph *g, int nroot, Node **root)
{
    Pass p = {.g = g};

    if (!graph_is_plain(g))
        to_fixed_point(&p, nroot, root, by_reading);
}

void expand(Graph *g, int nroot, Node **root)
{
    Pass p = {.g = g};

    to_fixed_point(&p, nroot, root, by_expansion);
}

typedef LIST(Node **) Slots;

static void add_results(Arena *scratch, const Function *f, Slots *slot)
{
    for (int k = 0; k < f->nresult; k++)
        for (int j = 0; j < f->result[k].nleaf; j++)
            list_push(scratch, slot, &f->result[k].leaf[j]);
}

static void over_slots(Graph *g, Arena *scratch, const Slots *slot,
                       void (*pass)(Graph *g, int nroot, Node **root))
{
    Node **root = NEWN(scratch, Node *, slot->n + 1);

    for (int i = 0; i < slot->n; i++)
        root[i] = *slot->at[i];
    pass(g, slot->n, root);
    for (int i = 0; i < slot->n; i++)
        *slot->at[i] = root[i];
}

/* A pass over the results of n functions together, then each one's loops alone
 * (what one of them wants stored the others need not store), then the pass
 * again. */
static void over_functions(Graph *g, Function *const *f, int n,
                           void (*pass)(Graph *g, int nroot, Node **root))
{
    Arena *scratch = arena_new();
    Slots all = {0};

    for (int i = 0; i < n; i++)
        add_results(scratch, f[i], &all);
    over_slots(g, scratch, &all, pass);
    for (int i = 0; i < n && graph_has_regions(g); i++) {
        Slots slot = {0};

        add_results(scratch, f[i], &slot);
        over_slots(g, scratch, &slot, regions_prune);
    }
    if (graph_has_regions(g))
        over_slots(g, scratch, &all, pass);
    arena_free(scratch);
}

void simplify_functions(Graph *g, Function *const *f, int n)
{
    over_functions(g, f, n, simplify);
}

void expand_functions(Graph *g, Function *const *f, int n)
{
    Arena *scratch = arena_new();

    for (int i = 0; i < n; i++) {
        Slots slot = {0};

        add_results(scratch, f[i], &slot);
        over_slots(g, scratch, &slot, read_diagonals);
    }
    over_functions(g, f, n, expand);
    for (int i = 0; i < n; i++) {
        Slots slot = {0};

        add_results(scratch, f[i], &slot);
        over_slots(g, scratch, &slot, split_systems);
    }
    graph_reads_diagonals(g, false);
    arena_free(scratch);
}
