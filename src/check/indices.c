/* indices.c: the indices of comprehensions, reductions and loops: from where
 * they are bound to what depends on them. */
#include "check/index.h"
#include "check/scope.h"
#include "region/region.h"

#include <string.h>

enum { MAX_UNROLLED = 64 }; /* values of one index that are written out */

static bool is_shadowed(Check *c, const Scope *s, const Binder *b)
{
    for (const Index *x = c->index; x; x = x->up) {
        bool seen = false;

        for (const Scope *k = s; k; k = k->up)
            seen = seen || k == x->in;
        if (!seen || x->name != b->name)
            continue;
        check_fail(c, b->span, "binder", "'%s' is the name of an index already",
                   b->name);
        check_note(c, x->span, "of this one");
        return true;
    }
    return false;
}

static bool bad_bound(Check *c, const Scope *s, const Expr *e, const Value *v)
{
    if (value_is_error(v))
        return true;
    if (value_is_scalar(v) && dtype_is_int(v->node->dtype))
        return false;
    check_fail(c, e->span, "bound", "a bound is an int");
    check_label(c, s, e, v);
    return true;
}

static bool counts_to(Check *c, const Expr *e, const Dim *d)
{
    int64_t v;

    if (dim_const_value(d, &v) && v > INT32_MAX)
        return check_refuse(c, e->span, "bound",
                            "an index is an int and counts to %d", INT32_MAX);
    return size_possible(c, e->span, 1, &d);
}

/* A reduction has no terms where its bound is negative, a fold no steps. What
 * makes an array has as many elements as it says. */
static bool may_make_none(const Index *x)
{
    return x->of->kind == EX_reduce ||
           (x->of->kind == EX_loop &&
            strcmp(x->of->comp.fn->name, "fold") == 0);
}

/* How far an index without a bound goes, where the bound of another asks before
 * it was used: what a tensor from around its body says that it indexes there.
 * Of another that has that name too, index_seen tells. */

typedef struct Use {
    const char *index;
    const Expr *of; /* the tensor, a name */
    int place;      /* from the end, if negative */
} Use;

static void look_for_use(void *u, const Expr *e)
{
    Use *x = u;

    if (!e || x->of)
        return;
    for (int k = 0, rest = 0; e->kind == EX_index && k < e->index.nsub; k++) {
        const Sub *sub = &e->index.sub[k];

        rest |= sub->rest;
        if (e->index.of->kind != EX_name || sub->range ||
            sub->lo->kind != EX_name || sub->lo->name != x->index)
            continue;
        x->of = e->index.of;
        x->place = rest ? k - e->index.nsub : k;
        return;
    }
    expr_each(e, look_for_use, u);
}

static void find_extent(Check *c, Index *x)
{
    Use use = {.index = x->name};
    const Binding *b;

    look_for_use(&use, x->of->comp.body);
    if (!use.of)
        return;
    b = scope_lookup(c, x->in, use.of->name, use.of->span).local;
    if (!b || !b->value || b->value->kind != V_tensor)
        return;
    if (use.place < 0)
        use.place += b->value->node->rank;
    if (use.place < 0 || use.place >= b->value->node->rank)
        return;
    x->extent = b->value->node->dim[use.place];
    x->from = use.of->span;
}

static const Dim *most_of(Check *c, Node *bound)
{
    const Dim *most = range_most(c, bound);

    for (Index *x = c->index; x && !most; x = x->up) {
        if (x->extent || x->bound || x->defining != c->defining)
            continue;
        find_extent(c, x);
        most = range_most(c, bound);
    }
    return most;
}

/* The bound of b, as a dimension or else as a node. */
static bool set_bound(Check *c, const Scope *s, const Binder *b, Index *x)
{
    const Value *v = eval(c, s, b->bound);
    const Dim *d;

    if (bad_bound(c, s, b->bound, v))
        return false;
    x->bound_span = x->from = b->bound->span;
    if (node_as_dim(c->graph, v->node)) {
        d = dim_of_value(c, v, b->bound->span);
        if (d && may_make_none(x) && dim_const_value(d, NULL))
            d = dim_positive(c->graph, d);
        x->extent = d;
        x->given = d != NULL;
        return d && counts_to(c, b->bound, d);
    }
    x->bound = value_settle(c, b->bound->span, v)->node;
    x->extent = most_of(c, x->bound);
    x->given = x->extent != NULL;
    return true;
}

bool index_new(Check *c, Scope *s, const Binder *b, const Expr *of, Index *x)
{
    *x = (Index){.name = b->name, .span = b->span, .of = of, .in = s};
    if (b->bound)
        x->span.end = x->span.beg + (uint32_t)strlen(b->name);
    if (is_shadowed(c, s, b) || (b->bound && !set_bound(c, s, b, x)))
        return false;
    x->param = g_param(c->graph, DT_i32, 0, NULL, b->name);
    x->since = x->param->id;
    scope_bind(c, s, b->name, x->span, value_tensor(c, x->param));
    return true;
}

void index_push(Check *c, Index *x)
{
    x->up = c->index;
    x->frame = frame_depth(c);
    x->defining = c->defining;
    c->index = x;
}

const Value *index_eval(Check *c, const Scope *s, const Expr *body, int n,
                        Index *x, int late, bool lazy)
{
    int branch = c->branch;
    const Value *v;

    for (int k = 0; k < n; k++)
        c->branch += x[k].bound != NULL;
    for (int k = 0; k < n; k++)
        x[k].branch = c->branch;
    c->branch += lazy;
    v = eval(c, s, body);
    c->branch = branch;
    if (value_is_error(v))
        index_late_drop(c, late);
    if (!index_late_end(c, late))
        v = c->error;
    c->index = x->up;
    return v;
}

bool index_known(Check *c, const Index *x)
{
    if (x->extent)
        return true;
    if (x->bound)
        return check_refuse(
            c, x->bound_span, "bound",
            "nothing tells what this bound is at most\n"
            "A[%s] would: the bound is then at most A's dimension",
            x->name);
    return check_refuse(c, x->span, "bound",
                        "nothing tells how far '%s' goes\n"
                        "write '%s < n', or use it as an index: A[%s]",
                        x->name, x->name, x->name);
}

bool index_seen(Check *c, Node *i, const Dim *d, Span at)
{
    Index *x = index_of(c, i);

    for (Index *k = c->index; k && !x; k = k->up) {
        if (!k->bound || k->extent || k->branch != c->branch ||
            k->defining != c->defining)
            continue;
        k->extent = range_extent(c, k, i, d);
        k->from = at;
    }
    /* A function that is checked on its own has dimensions of its own. */
    if (!x || x->given || x->extent == d || x->defining != c->defining)
        return true;
    if (!x->extent) {
        x->extent = d;
        x->from = at;
        return true;
    }
    check_fail(c, at, "bound", "'%s' goes to %s here, but to %s before",
               x->name, dim_text(c->graph, d), dim_text(c->graph, x->extent));
    check_note(c, x->from, "it is an index into a dimension of %s here",
               dim_text(c->graph, x->extent));
    if (!x->bound)
        check_detail(c, "write '%s < n' to say how far", x->name);
    return false;
}

bool index_recursion(Check *c, const FnInfo *f, const Value *const *arg)
{
    bool found = false;
    int k = frame_under_way(c, f, arg).last;

    for (Index *x = c->index; k >= 0 && x; x = x->up) {
        if (k >= x->frame)
            continue;
        x->recursive = f;
        found = true;
    }
    return found;
}

Node *index_bound(Check *c, const Index *x)
{
    Graph *g = c->graph;
    Node *zero = g_const_int(g, x->bound->dtype, 0);
    Node *n = x->bound;

    if (!range_not_negative(c, n))
        n = g2(g, OP_max, n, zero);
    if (!x->given) /* at most what the index is used on */
        n = g_index_check(g, n, dim_add(g, x->extent, dim_const(g, 1)));
    return n;
}

int64_t index_count(Check *c, const Scope *s, const Binder *b, const Index *x)
{
    const Value *v = b->bound ? eval(c, s, b->bound) : NULL;
    int64_t n = -1;

    if (v && bad_bound(c, s, b->bound, v))
        return -1;
    if (v ? value_const_int(v, &n)
          : x->extent && dim_const_value(x->extent, &n)) {
        if (n <= MAX_UNROLLED)
            return n < 0 ? 0 : n;
    }
    check_fail(
        c, b->span, "recursion",
        "'%s' calls itself for each '%s', so the bound is to be a constant of "
        "at most %d",
        x->recursive ? x->recursive->name : "this", b->name, MAX_UNROLLED);
    if (n >= 0)
        check_detail(c, "it is %lld", (long long)n);
    return -1;
}

Scope *index_at(Check *c, const Scope *s, const Binder *b, int64_t i)
{
    Scope *to = scope_new(c, s, s->binding.n, s->unit);

    scope_bind(c, to, b->name, b->span,
               value_tensor(c, g_const_int(c->graph, DT_i32, i)));
    return to;
}

Index *index_of(Check *c, const Node *n)
{
    for (Index *x = c->index; x; x = x->up)
        if (x->param == n)
            return x;
    return NULL;
}

/* Which of the active indices a value depends on. */

typedef struct Walk {
    int *seen, nseen; /* by id: the walk that a node was last seen in */
    int number;
    LIST(Node *) look; /* what is to be looked at */
} Walk;

static Walk *own(Check *c) { return check_own(c, OWN_indices, sizeof(Walk)); }

static bool seen_before(Check *c, const Node *n)
{
    Walk *w = own(c);
    int cap = 2 * n->id + 64;

    if (n->id >= w->nseen) {
        int *seen = NEWN(c->arena, int, cap);

        if (w->nseen)
            memcpy(seen, w->seen, sizeof *seen * (size_t)w->nseen);
        w->seen = seen;
        w->nseen = cap;
    }
    if (w->seen[n->id] == w->number)
        return true;
    w->seen[n->id] = w->number;
    return false;
}

static uint64_t index_bit(Check *c, const Node *n)
{
    int k = 0;

    for (const Index *x = c->index; x; x = x->up, k++)
        if (x->param == n)
            return (uint64_t)1 << (k < 63 ? k : 63);
    return 0;
}

/* The nodes from id `first` on that are needed, one after another; NULL: no
 * more. */
static Node *look_next(Check *c, int first)
{
    Walk *w = own(c);

    while (w->look.n > 0) {
        Node *x = w->look.at[--w->look.n];

        if (x->id < first || seen_before(c, x))
            continue;
        for (int i = 0; i < x->narg; i++)
            list_push(c->arena, &w->look, x->arg[i]);
        return x;
    }
    return NULL;
}

static void look_from(Check *c, int n, Node *const *root)
{
    Walk *w = own(c);

    w->number++;
    w->look.n = 0;
    for (int i = 0; i < n; i++)
        list_push(c->arena, &w->look, root[i]);
}

bool index_depends(Check *c, const Node *n, int since)
{
    const Node *x;
    Node *root = graph_node(c->graph, n->id);

    look_from(c, 1, &root);
    while ((x = look_next(c, since)))
        if (x->op == OP_param)
            return true;
    return false;
}

uint64_t index_mask(Check *c, Node *n)
{
    enum { MAX_WALK = 2000 };
    const Index *first = c->index;
    const Node *x;
    uint64_t mask = 0;

    if (!first)
        return 0;
    while (first->up)
        first = first->up;
    look_from(c, 1, &n);
    for (int done = 0; (x = look_next(c, first->param->id)); done++) {
        if (done == MAX_WALK)
            return UINT64_MAX;
        mask |= x->op == OP_param ? index_bit(c, x) : 0;
    }
    return mask;
}

bool index_batch(Check *c, Span at, const char *what, int n, Node *const *param,
                 const Dim *const *extent, int nroot, Node **root)
{
    return graph_batch_indices(c->graph, n, param, extent, nroot, root) ||
           check_refuse(c, at, "rank", "%s more than %d dimensions", what,
                        MAX_RANK);
}
