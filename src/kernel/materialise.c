/* materialise.c: which nodes get a buffer of their own.
 *
 * A node without one is computed again in each nest that uses it, and once for
 * each way in which its index comes about there. What that costs is estimated
 * from below (cost of one element) and from above (how many such ways there
 * are), each node being looked at once in either direction. */
#include "kernel/sched.h"

enum {
    COST_COSTLY = 10,
    COST_SHARED = 8, /* elements that share a value, at a guess */
    COST_LIMIT = 1 << 20,
    MAX_USES = 3
};

/* A way to reach a node: from which nest, through which views. */
typedef struct Use {
    int root, path;
} Use;

typedef struct Uses {
    Use at[MAX_USES];
    int n; /* MAX_USES + 1: too many to tell apart */
} Uses;

typedef struct Path {
    int from;
    const Node *view;
} Path;

typedef struct Paths {
    Sched *s;
    Uses *uses;  /* by node */
    int *users;  /* by node: arguments that it is */
    int *inside; /* weight of what is computed in the nest of a root: a node,
                    or from nnote on a part of one */
    int nroot;
    Node **part;     /* the parts, from nnote on */
    LIST(Path) path; /* number 0 is the identity */
    Map paths;       /* their numbers */
} Paths;

static Node *strip_reshape(const Sched *s, Node *n)
{
    while (n->op == OP_reshape && !note_of(s, n)->fixed)
        n = n->arg[0];
    return n;
}

Node *buffered(const Sched *s, Node *n)
{
    while (n->op == OP_reshape && !note_of(s, n)->mat)
        n = n->arg[0];
    return n;
}

bool is_leaf_buffer(const Node *n)
{
    return n->op == OP_param || n->op == OP_data;
}

bool is_code(const Node *n)
{
    return n->op == OP_const || n->op == OP_dim || n->op == OP_iota;
}

static void mark(Sched *s, Node *n)
{
    n = strip_reshape(s, n);
    if (!is_leaf_buffer(n))
        note_of(s, n)->mat = true;
}

/* What is below n's views gets a buffer. */
static void mark_source(Sched *s, Node *n)
{
    while (is_view(n) && !note_of(s, n)->fixed)
        n = n->arg[0];
    mark(s, n);
}

static int cost_in(const Sched *s, const Node *n)
{
    const Note *note = note_of(s, n);
    return note->mat ? 0 : note->cost;
}

static bool has_all_axes(const Node *n, int arg)
{
    int rank = n->arg[arg]->rank, all = 0;
    bool seen[2 * MAX_RANK] = {false};
    for (int i = 0; i < n->attr.nint; i++)
        if (!seen[n->attr.ints[i]]) {
            seen[n->attr.ints[i]] = true;
            all++;
        }
    return rank == all;
}

static void contract_needs(Sched *s, Node *n)
{
    Note *note = note_of(s, n);
    mark(s, n);
    for (int i = 0; i < 2; i++) {
        Node *a = n->arg[i];
        if (note->copies[i])
            continue;
        if (note->product) {
            if (note_of(s, a)->fixed)
                mark(s, a);
            else
                mark_source(s, a);
        } else if (!has_all_axes(n, i) && cost_in(s, a) > 2)
            mark_source(s, a);
    }
}

/* New axes before old ones: the value is computed again for each. */
static bool repeats(const Node *n)
{
    bool added = false;
    for (int i = 0; i < n->rank; i++) {
        if (n->attr.ints[i] < 0)
            added = added || !dim_is(n->dim[i], 1);
        else if (added && !dim_is(n->dim[i], 1))
            return true;
    }
    return false;
}

/* Which reshapes are read by what would need quotients to compute them. */
static void find_quotients(Sched *s, const Node *n)
{
    for (int i = 0; i < n->narg; i++) {
        Note *a = note_of(s, n->arg[i]);
        if (n->arg[i]->op != OP_reshape || a->divides ||
            !reshape_divides(s->g, n->arg[i]))
            continue;
        a->divides = !is_view(n) || !view_joins(s->table, s->g, n);
    }
}

static void view_needs(Sched *s, Node *n)
{
    Node *a = n->arg[0];
    int cost = cost_in(s, a);
    if (note_of(s, n)->fixed)
        mark(s, n);
    if (n->op == OP_reshape && cost > 0 && note_of(s, n)->divides)
        mark_source(s, a);
    if (node_repeats(n) && cost >= 4 && repeats(n))
        mark_source(s, a);
    if (n->op == OP_view && !node_repeats(n) && cost >= 4 && n->rank > a->rank)
        mark_source(s, a);
    if (n->op == OP_concat && n->narg > 3)
        mark(s, n);
    for (int i = 0; i < n->narg; i++)
        if ((n->op == OP_view_add || n->op == OP_concat) &&
            note_of(s, n->arg[i])->checks && !note_of(s, n->arg[i])->mat)
            mark(s, n->arg[i]);
}

/* What a gather computes where it reads it: next to nothing, of a slice that is
 * a small part of the whole a little more, but for checks: those are of all. */
static int most_gathered(const Sched *s, const Node *n)
{
    enum { CHEAP = 3 };
    return n->arg[1]->rank == 0 && !note_of(s, n->arg[0])->checks ? CHEAP : 0;
}

/* What n's own operator asks for. */
static void needs(Sched *s, Node *n)
{
    switch (op_table[n->op]->cls) {
    case OPC_leaf:
    case OPC_ewise:
        break;
    case OPC_select:
        if (!note_of(s, n)->select) {
            mark(s, n);
            mark(s, condition_of(s, n));
        }
        break;
    case OPC_reduce:
        mark(s, n);
        break;
    case OPC_contract:
        contract_needs(s, n);
        break;
    case OPC_view:
        view_needs(s, n);
        break;
    case OPC_index:
        if (n->op == OP_scatter_add)
            mark(s, n);
        else if (n->op == OP_gather &&
                 cost_in(s, n->arg[0]) > most_gathered(s, n))
            mark_source(s, n->arg[0]);
        break;
    case OPC_sort:
    case OPC_routine:
        mark(s, n);
        for (int i = 0; i < n->narg; i++)
            mark(s, n->arg[i]);
        break;
    case OPC_region:
        region_needs(s, n, mark);
        break;
    }
}

static int own_cost(const Node *n)
{
    const Op *row = op_table[n->op];
    if (is_view(n) || row->cls == OPC_leaf)
        return 0;
    return row->flags & OP_COSTLY ? COST_COSTLY : 1;
}

/* Along new axes behind the old ones a value is computed once. */
static bool shares(const Node *n) { return node_repeats(n) && !repeats(n); }

static void find_cost(Sched *s, Node *n)
{
    Note *note = note_of(s, n);
    note->cost = own_cost(n);
    note->checks = n->op == OP_index_check || n->op == OP_gather;
    for (int i = 0; i < n->narg; i++) {
        bool again = false;
        for (int k = 0; k < i && k < 3; k++)
            again = again || n->arg[k] == n->arg[i];
        if (again)
            continue;
        note->cost += cost_in(s, n->arg[i]);
        if (note->cost > COST_LIMIT)
            note->cost = COST_LIMIT;
        const Note *a = note_of(s, n->arg[i]);
        note->checks = note->checks || (a->checks && !a->mat);
    }
    if (shares(n))
        note->cost /= COST_SHARED;
}

/* Paths are equal where their views do the same to an index. */

static bool same_view(const Node *a, const Node *b)
{
    if (a->op != b->op || a->rank != b->rank || a->narg != b->narg ||
        a->attr.nint != b->attr.nint || a->attr.ndim != b->attr.ndim ||
        a->attr.integer != b->attr.integer ||
        a->arg[0]->rank != b->arg[0]->rank || a->op == OP_gather ||
        a->op == OP_concat)
        return a == b;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    for (int i = 0; i < a->attr.nint; i++)
        if (a->attr.ints[i] != b->attr.ints[i])
            return false;
    for (int i = 0; i < a->attr.ndim; i++)
        if (a->attr.dims[i] != b->attr.dims[i])
            return false;
    return true;
}

static uint64_t path_hash(int from, const Node *view)
{
    uint64_t h = hash_bytes(HASH_SEED, &from, sizeof from);
    h = hash_bytes(h, &view->op, sizeof view->op);
    for (int i = 0; i < view->attr.nint; i++)
        h = hash_bytes(h, &view->attr.ints[i], sizeof(int));
    for (int i = 0; i < view->attr.ndim; i++)
        h = hash_bytes(h, &view->attr.dims[i], sizeof(const Dim *));
    for (int i = 0; i < view->rank; i++)
        h = hash_bytes(h, &view->dim[i], sizeof(const Dim *));
    return h;
}

static int path_to(Paths *w, int from, const Node *view)
{
    uint64_t h = path_hash(from, view);
    size_t seen = 0;
    for (int i; (i = map_next_int(&w->paths, h, &seen)) >= 0;)
        if (w->path.at[i].from == from && same_view(w->path.at[i].view, view))
            return i;
    if (w->path.n == 0)
        list_push(w->s->scratch, &w->path, (Path){0});
    map_put_int(w->s->scratch, &w->paths, h, w->path.n);
    list_push(w->s->scratch, &w->path, ((Path){from, view}));
    return w->path.n - 1;
}

static void add_use(Uses *u, Use use)
{
    if (u->n > MAX_USES)
        return;
    for (int i = 0; i < u->n; i++)
        if (u->at[i].root == use.root && u->at[i].path == use.path)
            return;
    if (u->n < MAX_USES)
        u->at[u->n] = use;
    u->n++;
}

static void pass_to(Paths *w, Node *n, int arg, const Uses *uses)
{
    bool moves = op_table[n->op]->cls == OPC_view || n->op == OP_gather ||
                 n->op == OP_scatter_add || n->op == OP_contract;
    Uses *to = &w->uses[number_of(w->s, n->arg[arg])];
    if (uses->n > MAX_USES) {
        to->n = MAX_USES + 1;
        return;
    }
    for (int k = 0; k < uses->n; k++) {
        Use use = uses->at[k];
        if (moves)
            use.path = path_to(w, use.path, n);
        add_use(to, use);
    }
}

/* n, reached by `uses`, computes its arguments. */
static void pass_uses(Paths *w, Node *n, const Uses *uses)
{
    for (int i = 0; i < n->narg; i++)
        pass_to(w, n, i, uses);
}

/* A nest computes n, or several do: one for each part, branch or initial
 * value. */
static void pass_own(Paths *w, Node *n)
{
    Uses own = {.at = {{.root = number_of(w->s, n)}}, .n = 1};
    bool parts = n->op == OP_concat || n->op == OP_if || n->op == OP_loop;
    for (int i = 0; i < n->narg; i++) {
        if (parts) {
            w->part[w->nroot - w->s->nnote] = n->arg[i];
            own.at[0].root = w->nroot++;
        }
        pass_to(w, n, i, &own);
    }
}

/* An elementwise operator on a product that nobody else uses: it can take the
 * product's memory. */
static bool takes_over(const Paths *w, const Node *n)
{
    for (int i = 0; i < n->narg; i++)
        if (note_of(w->s, n->arg[i])->product &&
            w->users[number_of(w->s, n->arg[i])] == 1)
            return n->dtype == n->arg[i]->dtype;
    return false;
}

static bool too_many(Paths *w, const Node *n)
{
    const Uses *u = &w->uses[number_of(w->s, n)];
    if (op_table[n->op]->cls == OPC_view || n->op == OP_index_check)
        return false;
    if (u->n == 1)
        w->inside[u->at[0].root] += op_weight(n->op);
    if (u->n < 2)
        return false;
    if (takes_over(w, n))
        return true;
    int more = u->n > MAX_USES ? 8 : u->n - 1;
    return note_of(w->s, n)->cost * more > 2 * (more + 2);
}

/* sum(a * b), where a * b is computed anyway, sums that. */
static Node *sum_of(Paths *w, Node *n)
{
    const Note *note = note_of(w->s, n);
    if (n->op != OP_contract || n->arg[0]->rank != n->arg[1]->rank)
        return NULL;
    int rank = n->arg[0]->rank;
    for (int i = 0; i < rank; i++)
        if (n->attr.ints[i] != n->attr.ints[rank + i])
            return NULL;
    Node *m = g2(w->s->g, OP_mul, n->arg[0], n->arg[1]);
    const Note *there = note_of(w->s, m);
    bool runs = there->when == CASE_always || there->when == note->when;
    bool reached = m->id < n->id || there->mat;
    return there->live && runs && reached ? m : NULL;
}

static void find_shared(Paths *w, Node *n)
{
    Note *note = note_of(w->s, n);
    if (is_leaf_buffer(n) || is_code(n))
        return;
    if (!note->mat && too_many(w, n))
        note->mat = note->shared = true;
    if (note->mat) {
        Use own = {.root = number_of(w->s, n)};
        note->sum_of = sum_of(w, n);
        if (note->sum_of)
            add_use(&w->uses[number_of(w->s, note->sum_of)], own);
        else
            pass_own(w, n);
    } else
        pass_uses(w, n, &w->uses[number_of(w->s, n)]);
}

/* One light operation on one array: reading that is as good as reading what
 * comes of it. */
static bool is_near(const Sched *s, const Node *n)
{
    enum { LIGHT = 2 };
    int arrays = 0;
    for (int i = 0; i < n->narg; i++) {
        const Node *a = n->arg[i];
        if (is_code(a) || (node_repeats(a) && is_code(a->arg[0])))
            continue;
        arrays++;
        if (!note_of(s, a)->mat || a->dtype != n->dtype)
            return false;
    }
    return arrays == 1 && op_weight(n->op) <= LIGHT;
}

/* 1 + tanh(x), where tanh(x) is stored too, is computed from that again. */
static void keep_part(const Sched *s, Node *n)
{
    Note *note = note_of(s, n);
    if (note->shared && is_near(s, n))
        note->mat = note->shared = false;
}

/* Of those that are computed one after another, the one that needs most comes
 * first (Sethi and Ullman). */
static void find_registers(Sched *s, const Node *n)
{
    Note *note = note_of(s, n);
    note->registers = 1;
    if (note->mat || is_leaf_buffer(n) || is_code(n))
        return;
    int most = 0, ties = 0;
    for (int i = 0; i < n->narg; i++) {
        int needs = note_of(s, n->arg[i])->registers;
        ties = needs == most ? ties + 1 : needs > most ? 0 : ties;
        most = needs > most ? needs : most;
    }
    note->registers = is_view(n) ? most : most + ties;
}

static void find_alone(Sched *s)
{
    int *uses = NEWN(s->scratch, int, s->nnote);
    for (int id = s->nnote - 1; id > 0; id--) {
        const Node *n = s->node[id];
        int more = is_view(n) ? uses[id] : 1;
        for (int i = 0; s->note[id].live && i < n->narg; i++)
            uses[number_of(s, n->arg[i])] += more;
        s->note[id].alone = n->op == OP_mul && uses[id] == 1;
    }
}

static void find_all_shared(Sched *s, Paths *w)
{
    int parts = 0;
    *w = (Paths){.s = s, .nroot = s->nnote};
    w->uses = NEWN(s->scratch, Uses, s->nnote);
    w->users = NEWN(s->scratch, int, s->nnote);
    for (int id = 0; id < s->nnote; id++) {
        const Node *n = s->node[id];
        for (int i = 0; s->note[id].live && i < n->narg; i++, parts++)
            w->users[number_of(s, n->arg[i])]++;
    }
    w->inside = NEWN(s->scratch, int, s->nnote + parts);
    w->part = NEWN(s->scratch, Node *, parts + 1);
    for (int id = s->nnote - 1; id >= 0; id--)
        if (s->note[id].live)
            find_shared(w, s->node[id]);
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live)
            keep_part(s, s->node[id]);
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live)
            find_registers(s, s->node[id]);
}

static bool cut_all(Sched *s, const Paths *w)
{
    enum { LIGHT = NEST_WEIGHT / 8 };
    int *item = NULL;
    bool any = false;
    for (int root = 0; root < w->nroot; root++) {
        if (w->inside[root] < LIGHT)
            continue;
        if (!item)
            item = NEWN(s->scratch, int, s->nnote);
        Node *n = root < s->nnote ? s->node[root] : w->part[root - s->nnote];
        if (root < s->nnote && s->note[root].sum_of)
            n = s->note[root].sum_of;
        any = cut(s, n, item) || any;
    }
    return any;
}

void materialise(Sched *s)
{
    Paths w;
    for (int i = 0; i < s->nresult; i++)
        if (!is_code(strip_reshape(s, s->result[i])))
            mark(s, s->result[i]);
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live)
            find_quotients(s, s->node[id]);
    for (int id = 0; id < s->nnote; id++) {
        if (!s->note[id].live)
            continue;
        needs(s, s->node[id]);
        find_cost(s, s->node[id]);
    }
    find_alone(s);
    find_all_shared(s, &w);
    if (!cut_all(s, &w))
        return;
    for (int id = 0; id < s->nnote; id++)
        if (s->note[id].live)
            find_cost(s, s->node[id]);
    find_all_shared(s, &w);
}
