/* graph.c: nodes and the one constructor that makes them. */
#include "graph/internal.h"
#include "graph/ops/ops.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct Graph {
    Arena *arena;
    DType real;
    Dims *dims;
    LIST(Node *) node;
    Map nodes;
    Provenance from;   /* of nodes that are made */
    const Dim **draft; /* dimensions of the node being inferred */
    int nparam;
    LIST(Rewrite) log;
    LIST(bool) fails; /* by id: reads an index check */
    LIST(int) number; /* by id: see reach.c */
    bool regions;     /* there are any */
    bool plain;       /* see graph_plain */
    bool written;     /* see graph_written */
    bool reading;     /* see graph_reads_diagonals */
    Labels *labels;
    Map batched;   /* see graph_batched */
    bool deriving; /* see graph_deriving */
    /* mark[id] == epoch: marked since graph_unmark. */
    LIST(int) mark;
    int epoch;
};

Graph *graph_new(Arena *a, DType real)
{
    Graph *g = NEW(a, Graph);
    assert(dtype_is_real(real));
    g->arena = a;
    g->real = real;
    g->dims = dims_new(a);
    g->labels = NEW(a, Labels);
    return g;
}

void graph_plain(Graph *g, bool plain) { g->plain = plain; }
bool graph_is_plain(const Graph *g) { return g->plain; }

bool graph_reads_diagonals(Graph *g, bool on)
{
    bool before = g->reading;
    g->reading = on;
    return before;
}

bool graph_is_reading(const Graph *g) { return g->reading; }

void graph_written(Graph *g, bool written)
{
    g->written = written;
    map_clear(&g->batched);
}

Map *graph_batched(Graph *g) { return &g->batched; }

Arena *graph_arena(const Graph *g) { return g->arena; }
DType graph_real(const Graph *g) { return g->real; }
int graph_count(const Graph *g) { return g->node.n; }
Dims *graph_dims(const Graph *g) { return g->dims; }
Labels *graph_labels(const Graph *g) { return g->labels; }
const Dim **infer_dims(Graph *g) { return g->draft; }

int *graph_number(const Graph *g, int id) { return &g->number.at[id]; }

Node *graph_node(const Graph *g, int id)
{
    assert(id >= 0 && id < g->node.n);
    return g->node.at[id];
}

Span graph_span(Graph *g, Span s)
{
    Span old = g->from.span;
    g->from.span = s;
    return old;
}

Provenance graph_provenance(Graph *g, Provenance o)
{
    Provenance old = g->from;
    g->from = o;
    return old;
}

Provenance node_provenance(const Node *n)
{
    return (Provenance){n->span, n->call};
}

bool graph_deriving(Graph *g, bool on)
{
    bool old = g->deriving;
    g->deriving = on;
    return old;
}

void graph_log(Graph *g, const char *rule, const Node *from, const Node *to)
{
    list_push(g->arena, &g->log, ((Rewrite){rule, from, to}));
}

const Rewrite *graph_logged(const Graph *g, int *n)
{
    *n = g->log.n;
    return g->log.at;
}

/* Marks on nodes, for walks that see few of them. */

void graph_unmark(Graph *g)
{
    while (g->mark.n < g->node.n)
        list_push(g->arena, &g->mark, 0);
    g->epoch++;
}

bool graph_mark(Graph *g, const Node *n)
{
    if (g->mark.at[n->id] == g->epoch)
        return false;
    g->mark.at[n->id] = g->epoch;
    return true;
}

/* The table of nodes. */

static uint64_t bits_of(double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    return b;
}

uint64_t node_hash_alone(const Node *n)
{
    const Attr *a = &n->attr;
    uint64_t h = hash_mix(HASH_SEED, (uint64_t)n->op << 8 | n->dtype);
    for (int i = 0; i < a->nint; i++)
        h = hash_mix(h, (uint64_t)a->ints[i]);
    for (int i = 0; i < a->ndim; i++)
        h = hash_mix(h, dim_hash(a->dims[i]));
    h = hash_mix(hash_mix(h, (uint64_t)a->integer), bits_of(a->real));
    if (a->data)
        h = hash_bytes(h, a->data, sizeof *a->data * (size_t)a->integer);
    return a->region ? hash_mix(h, region_hash(a->region)) : h;
}

static uint64_t node_hash(const Node *n)
{
    uint64_t h = node_hash_alone(n);
    for (int i = 0; i < n->narg; i++)
        h = hash_mix(h, (uint64_t)n->arg[i]->id);
    return h;
}

static bool same_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

bool node_same_alone(const Node *a, const Node *b)
{
    const Attr *x = &a->attr, *y = &b->attr;
    if (a->op != b->op || a->dtype != b->dtype || x->nint != y->nint ||
        x->ndim != y->ndim || x->integer != y->integer ||
        bits_of(x->real) != bits_of(y->real) ||
        (x->data == NULL) != (y->data == NULL))
        return false;
    return same_bytes(x->ints, y->ints, sizeof(int) * (size_t)x->nint) &&
           same_bytes(x->dims, y->dims, sizeof *x->dims * (size_t)x->ndim) &&
           (!x->data || same_bytes(x->data, y->data,
                                   sizeof(double) * (size_t)x->integer)) &&
           region_same(x->region, y->region);
}

static bool same_node(const Node *a, const Node *b)
{
    return a->narg == b->narg &&
           same_bytes(a->arg, b->arg, sizeof *a->arg * (size_t)a->narg) &&
           node_same_alone(a, b);
}

static void *keep(Graph *g, const void *from, size_t bytes)
{
    return bytes ? arena_copy(g->arena, from, bytes) : NULL;
}

static bool can_fail(const Graph *g, const Node *n)
{
    if (n->op == OP_index_check || (n->attr.region && n->attr.region->fails))
        return true;
    for (int i = 0; i < n->narg; i++)
        if (g->fails.at[n->arg[i]->id])
            return true;
    return false;
}

bool graph_has_regions(const Graph *g) { return g->regions; }

bool node_can_fail(const Graph *g, const Node *n) { return g->fails.at[n->id]; }

/* A copy of n that owns all it points to, with the next id. */
static Node *node_add(Graph *g, const Node *n)
{
    Node *p = arena_copy(g->arena, n, sizeof *n);
    Attr *a = &p->attr;
    p->id = g->node.n;
    p->arg = keep(g, n->arg, sizeof *n->arg * (size_t)n->narg);
    p->dim = keep(g, n->dim, sizeof *n->dim * (size_t)n->rank);
    a->ints = keep(g, a->ints, sizeof *a->ints * (size_t)a->nint);
    a->dims = keep(g, a->dims, sizeof *a->dims * (size_t)a->ndim);
    if (a->data)
        a->data = keep(g, a->data, sizeof *a->data * (size_t)a->integer);
    if (a->region) {
        a->region = region_keep(g, a->region);
        g->regions = true;
    }
    list_push(g->arena, &g->node, p);
    list_push(g->arena, &g->fails, can_fail(g, p));
    list_push(g->arena, &g->number, 0);
    return p;
}

bool same_shape(const Node *a, const Node *b)
{
    return a->rank == b->rank &&
           same_bytes(a->dim, b->dim, sizeof *a->dim * (size_t)a->rank);
}

int nodes_rank(int n, Node *const *x)
{
    int rank = 0;

    for (int i = 0; i < n; i++)
        rank = x[i]->rank > rank ? x[i]->rank : rank;
    return rank;
}

bool same_type(const Node *a, const Node *b)
{
    return a->dtype == b->dtype && same_shape(a, b);
}

enum { MOST_DIVISORS = 8 };

static void divide_by(Node *x, int depth)
{
    bool product = x->op == OP_mul || x->op == OP_strong_mul;

    x->divisor = true;
    if (depth == 0 || !(product || x->op == OP_sqrt || node_repeats(x)))
        return;
    for (int i = 0; i < x->narg; i++)
        divide_by(x->arg[i], depth - 1);
}

static Node *lookup(Graph *g, const Node *n)
{
    uint64_t h = node_hash(n);
    Node *p;
    if (n->op == OP_div && dtype_is_real(n->dtype) && !g->deriving)
        divide_by(n->arg[1], MOST_DIVISORS);
    for (size_t seen = 0; (p = map_next(&g->nodes, h, &seen));)
        if (same_node(p, n)) {
            p->derived &= g->deriving;
            return p;
        }
    p = node_add(g, n);
    map_put(g->arena, &g->nodes, h, p);
    return p;
}

Node *graph_find(const Graph *g, OpId op, Node *x)
{
    const Node n = {.op = op,
                    .dtype = x->dtype,
                    .rank = x->rank,
                    .dim = x->dim,
                    .narg = 1,
                    .arg = &x};
    Node *p;
    for (size_t seen = 0; (p = map_next(&g->nodes, node_hash(&n), &seen));)
        if (same_node(p, &n))
            return p;
    return NULL;
}

/* What graph_make tries before it looks up. */

static bool all_const(const Node *n, bool *real)
{
    *real = dtype_is_real(n->dtype);
    for (int i = 0; i < n->narg; i++) {
        if (n->arg[i]->op != OP_const)
            return false;
        *real = *real || dtype_is_real(n->arg[i]->dtype);
    }
    return true;
}

/* An elementwise operator on constants is a constant. */
static Node *fold_const(Graph *g, const Node *n, const Op *row)
{
    double x[3];
    int64_t k[3];
    bool real;
    if ((!op_has_eval(row) && !row->eval_int) || !all_const(n, &real))
        return NULL;
    for (int i = 0; i < n->narg; i++) {
        x[i] = const_value(n->arg[i]);
        k[i] = n->arg[i]->attr.integer;
    }
    if (!real && row->eval_int)
        return g_const_int(g, n->dtype, row->eval_int(k));
    return g_const(g, n->dtype, op_eval(row, x));
}

/* Integer arithmetic on dimensions is a dimension. */
static Node *fold_dim(Graph *g, const Node *n, const Op *row)
{
    if (!row->on_dims)
        return NULL;
    const Dim *a = node_as_dim(g, n->arg[0]);
    const Dim *b = n->narg == 2 ? node_as_dim(g, n->arg[1]) : a;
    if (!a || !b)
        return NULL;
    if (n->narg == 1)
        a = dim_const(g, 0);
    if (dim_is(b, 0) && (row->on_dims == dim_div || row->on_dims == dim_mod))
        return NULL;
    const Dim *d = row->on_dims(g, a, b);
    return dim_too_large(d) ? NULL : g_dim(g, n->dtype, d);
}

/* An elementwise operator on broadcasts is the broadcast of the operator on
 * the axes that at least one of them has. */
static Node *float_broadcast(Graph *g, const Node *n, const Op *row)
{
    int axis[MAX_RANK], rank = 0;
    const Dim *dim[MAX_RANK];
    Node *arg[3];
    if (row->cls != OPC_ewise)
        return NULL;
    for (int k = 0; k < n->narg; k++)
        if (!node_repeats(n->arg[k]))
            return NULL;
    for (int i = 0; i < n->rank; i++) {
        bool kept = false;
        for (int k = 0; k < n->narg; k++)
            kept = kept || n->arg[k]->attr.ints[i] >= 0;
        axis[i] = kept ? rank : -1;
        if (kept)
            dim[rank++] = n->dim[i];
    }
    if (rank == n->rank)
        return NULL;
    for (int k = 0; k < n->narg; k++) {
        int map[MAX_RANK];
        for (int i = 0; i < n->rank; i++)
            if (axis[i] >= 0)
                map[axis[i]] = n->arg[k]->attr.ints[i];
        arg[k] = g_broadcast(g, n->arg[k]->arg[0], rank, dim, map);
    }
    Node *small = graph_make(g, n->op, n->dtype, n->narg, arg, &n->attr);
    return g_broadcast(g, small, n->rank, n->dim, axis);
}

static bool infer(Graph *g, Node *n, const Op *row, const Dim **dims)
{
    const Dim **outer = g->draft;
    g->draft = dims;
    bool fits = row->arity < 0 || row->arity == n->narg;
    if (fits)
        fits = row->infer ? row->infer(g, n) : infer_ewise(g, n);
    g->draft = outer;
    return fits && n->rank <= MAX_RANK;
}

static void misfit(const Node *n)
{
    Arena *a = arena_new();
    Str s = str_new(a);
    for (int i = 0; i < n->narg; i++) {
        str_printf(&s, "%s%s", i ? ", " : "", dtype_name(n->arg[i]->dtype));
        dims_print(n->arg[i]->rank, n->arg[i]->dim, &s);
    }
    die("%s does not take (%s)", op_table[n->op]->name, s.at ? s.at : "");
}

static bool of_constants(const Node *n)
{
    for (int i = 0; i < n->narg; i++)
        if (n->arg[i]->op != OP_const)
            return false;
    return true;
}

/* Is n to be itself, whatever it equals. */
static bool is_as_written(const Graph *g, const Node *n)
{
    OpClass c = op_table[n->op]->cls;
    bool computes = c == OPC_ewise || c == OPC_reduce || c == OPC_contract;
    return g->plain || (g->written && computes && !n->derived &&
                        dtype_is_real(n->dtype) && n->op != OP_cast);
}

/* Would an index be reported by n, as a program has it, that is not by `same`:
 * of integers, for reals may be NaN. What is not chosen asks for none. */
static bool hides_failure(const Graph *g, const Node *n, const Node *same)
{
    const Op *row = op_table[n->op];
    bool chosen = row->flags & OP_MASKS && n->arg[0]->op == OP_const;
    if (n->derived || dtype_is_real(n->dtype) || chosen ||
        node_can_fail(g, same))
        return false;
    for (int i = 0; i < n->narg; i++)
        if (node_can_fail(g, n->arg[i]))
            return true;
    return false;
}

Node *graph_make(Graph *g, OpId op, DType dtype, int narg, Node *const *arg,
                 const Attr *attr)
{
    const Op *row = op_table[op];
    const Dim *dims[MAX_RANK];
    Node *pair[2];
    Node n = {.op = op, .id = -1, .dtype = dtype, .narg = narg, .arg = arg};
    n.span = g->from.span;
    n.call = g->from.call;
    n.derived = g->deriving;
    if (attr)
        n.attr = *attr;
    if (row->flags & OP_COMMUTES && narg == 2 && arg[0]->id > arg[1]->id) {
        pair[0] = arg[1];
        pair[1] = arg[0];
        n.arg = pair;
    }
    if (!infer(g, &n, row, dims))
        misfit(&n);
    Node *same = fold_const(g, &n, row);
    if (!same)
        same = fold_dim(g, &n, row);
    bool written = is_as_written(g, &n);
    if (!same && !written)
        same = float_broadcast(g, &n, row);
    if (!same && !written && row->cls == OPC_ewise && n.rank)
        same = elements_of_diagonal(g, &n);
    if (!same && row->identity && (!written || of_constants(&n)))
        same = row->identity(g, &n);
    if (!same || hides_failure(g, &n, same))
        return lookup(g, &n);
    if (same->dtype != n.dtype || !same_shape(same, &n))
        die("an identity of %s changes the type", row->name);
    return same;
}

bool graph_fits(Graph *g, OpId op, int narg, Node *const *arg)
{
    const Dim *dims[MAX_RANK];
    Node n = {.op = op, .narg = narg, .arg = arg};
    return infer(g, &n, op_table[op], dims);
}

Node *graph_remake(Graph *g, const Node *n, Node *const *arg)
{
    if (same_bytes(arg, n->arg, sizeof *arg * (size_t)n->narg))
        return g->node.at[n->id];
    Provenance outer = graph_provenance(g, node_provenance(n));
    bool before = graph_deriving(g, n->derived);
    Node *r = graph_make(g, n->op, n->dtype, n->narg, arg, &n->attr);
    graph_provenance(g, outer);
    graph_deriving(g, before);
    return r;
}

/* Passes over all nodes. */

/* The node that n becomes where map holds what is replaced. */
static Node *subst_node(Graph *g, Arena *scratch, const Reach *r,
                        Node *const *map, const Node *n)
{
    Node *few[4];
    Node **arg = n->narg <= 4 ? few : NEWN(scratch, Node *, n->narg);
    bool changed = false;
    for (int i = 0; i < n->narg; i++) {
        const Node *a = n->arg[i];
        int k = reach_number(r, a);
        arg[i] = k >= 0 ? map[k] : n->arg[i];
        changed = changed || arg[i] != a;
    }
    return changed ? graph_remake(g, n, arg) : g->node.at[n->id];
}

typedef struct Substitution {
    const Reach *reach;
    Node *const *map;
} Substitution;

static Node *substituted(const void *u, const Node *x)
{
    const Substitution *s = u;
    int k = reach_number(s->reach, x);
    return k >= 0 ? s->map[k] : NULL;
}

void graph_subst(Graph *g, int n, Node *const *from, Node *const *to, int nroot,
                 Node **root)
{
    int lo = g->node.n;
    for (int i = 0; i < n; i++)
        lo = from[i]->id < lo ? from[i]->id : lo;
    if (lo == g->node.n)
        return;
    Arena *scratch = arena_new();
    Reach r = reach_enter(g, scratch, lo, REACH_AROUND, nroot, root);
    Node **map = NEWN(scratch, Node *, r.n + 1);
    for (int i = 0; i < n; i++)
        if (reach_number(&r, from[i]) >= 0)
            map[reach_number(&r, from[i])] = to[i];
    for (int i = 0; i < r.n; i++)
        if (!map[i]) {
            map[i] = subst_node(g, scratch, &r, map, r.node[i]);
            graph_follow_labels(g, r.node[i], map[i], substituted,
                                &(Substitution){&r, map});
        }
    for (int i = 0; i < nroot; i++)
        if (root[i]->id >= lo)
            root[i] = map[reach_number(&r, root[i])];
    reach_leave(&r);
    arena_free(scratch);
}

static void verify_node(Graph *g, const Node *n)
{
    const Dim *dims[MAX_RANK];
    Node again = *n;
    again.rank = 0;
    again.dim = NULL;
    if (g->node.at[n->id] != n)
        die("node %d is not of this graph", n->id);
    for (int i = 0; i < n->narg; i++)
        if (n->arg[i]->id >= n->id)
            die("node %d is older than its argument", n->id);
    if (!infer(g, &again, op_table[n->op], dims))
        misfit(n);
    if (n->attr.region)
        region_verify(g, n->attr.region);
    if (again.dtype != n->dtype || !same_shape(&again, n))
        die("node %d is not as %s says", n->id, op_table[n->op]->name);
}

void graph_verify(const Graph *g, int nroot, Node *const *root)
{
    Arena *scratch = arena_new();
    bool *live = graph_reach(g, scratch, true, nroot, root);
    Graph copy = *g; /* only the draft of infer and dimensions change */
    for (int id = 0; id < g->node.n; id++)
        if (live[id])
            verify_node(&copy, g->node.at[id]);
    arena_free(scratch);
}

int graph_next_param(Graph *g) { return g->nparam++; }

/* Elementwise. */

Node *g1(Graph *g, OpId op, Node *a)
{
    return graph_make(g, op, a->dtype, 1, &a, NULL);
}

Node *g2(Graph *g, OpId op, Node *a, Node *b)
{
    return graph_make(g, op, a->dtype, 2, (Node *[]){a, b}, NULL);
}

Node *g_join(Graph *g, OpId op, Node *a, Node *b)
{
    return !a ? b : !b ? a : g2(g, op, a, b);
}

Node *g3(Graph *g, OpId op, Node *a, Node *b, Node *c)
{
    return graph_make(g, op, a->dtype, 3, (Node *[]){a, b, c}, NULL);
}

Node *g_cast(Graph *g, DType t, Node *a)
{
    return a->dtype == t ? a : graph_make(g, OP_cast, t, 1, &a, NULL);
}

Node *g_where(Graph *g, Node *c, Node *a, Node *b)
{
    return g3(g, OP_where, c, a, b);
}

Node *g_if(Graph *g, Node *c, Node *a, Node *b)
{
    return g3(g, OP_if, c, a, b);
}

Node *g_stop(Graph *g, Node *a) { return g1(g, OP_stop, a); }
