/* binder.c: comprehensions [i < n, j | e] and reductions sum(k | e).
 *
 * The body is evaluated once, each binder being an int of its own in the
 * graph; the result is then batched over them, the innermost first. */
#include "check/check_internal.h"
#include "region/region.h"

#include <math.h>
#include <string.h>

enum {
    MAX_UNROLLED = 64,  /* values of one index that are written out */
    MAX_WRITTEN = 4096, /* and of all of one comprehension */
};

/* Indices: also those of loops. */

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
    return dim_sensible(c, e->span, 1, &d);
}

/* Of a fold's steps there are none where its bound is negative. */
static bool is_fold(const Index *x)
{
    return x->of->kind == EX_loop && strcmp(x->of->comp.fn->name, "fold") == 0;
}

/* How far an index without a bound goes, where the bound of another asks before
 * it was used: what a tensor from around its body says that it indexes there.
 * Of another that has that name too, index_seen tells. */

typedef struct Use {
    const char *index;
    const Expr *of; /* the tensor, a name */
    int place;
} Use;

static void look_for_use(void *u, const Expr *e)
{
    Use *x = u;

    if (!e || x->of)
        return;
    for (int k = 0; e->kind == EX_index && k < e->index.nsub; k++) {
        const Sub *sub = &e->index.sub[k];

        if (e->index.of->kind != EX_name || sub->range ||
            sub->lo->kind != EX_name || sub->lo->name != x->index)
            continue;
        x->of = e->index.of;
        x->place = k;
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
    if (!b || !b->value || b->value->kind != V_tensor ||
        b->value->node->rank <= use.place)
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
        if (d && is_fold(x) && dim_const_value(d, NULL))
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
    x->frame = c->frame.n;
    x->defining = c->defining;
    c->index = x;
}

void index_pop(Check *c, Index *x) { c->index = x->up; }

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
    int k = c->frame.n - 1;

    while (k >= 0 && !frame_calls(&c->frame.at[k], f, arg))
        k--;
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

const Type *type_along(Check *c, const Type *t, const Dim *n)
{
    const Dim *dim[MAX_RANK + 1] = {n};

    if (t->kind != TY_tensor)
        return type_stack(c->arena, t, n);
    for (int i = 0; i < t->rank; i++)
        dim[i + 1] = t->dim[i];
    return type_tensor(c->arena, t->dtype, t->rank + 1, dim);
}

/* A comprehension or a reduction under way. */

typedef struct Over {
    Check *c;
    const Scope *s;
    const Expr *e;
    int n;
    const Builtin *reduction; /* NULL: a comprehension */
    Index *index;
    Node *mask; /* that an index is below its run-time bound, or NULL */
} Over;

static bool open_index(Over *o, Scope *s, int k)
{
    Check *c = o->c;
    const Binder *b = &o->e->comp.binder[k];
    Index *x = &o->index[k];

    if (!index_new(c, s, b, o->e, x))
        return false;
    if (x->bound && o->e->kind == EX_comp)
        return check_refuse(
            c, x->bound_span, "ragged",
            "the bound of '%s' is no dimension, so these rows have no common "
            "length\n"
            "sum(%s < …) and other reductions take such bounds",
            x->name, x->name);
    index_push(c, x);
    return true;
}

static bool open_indices(Over *o, Scope *s)
{
    int k = 0;

    while (k < o->n && open_index(o, s, k))
        k++;
    if (k == o->n)
        return true;
    while (k > 0)
        index_pop(o->c, &o->index[--k]);
    return false;
}

/* Below its bound. */
static Node *is_below(Check *c, const Index *x, Node *bound)
{
    return g2(c->graph, OP_lt, g_cast(c->graph, bound->dtype, x->param), bound);
}

/* The body on new indices. */
static const Value *run_body(Over *o)
{
    Check *c = o->c;
    Scope *s = scope_new(c, o->s, o->s->binding.n, o->s->unit);
    const Value *v;
    int masked = 0, late = c->late.n;

    if (!open_indices(o, s))
        return c->error;
    for (int k = 0; k < o->n; k++) {
        const Index *x = &o->index[k];

        if (!x->bound)
            continue;
        masked++;
    }
    c->branch += masked;
    for (int k = 0; k < o->n; k++)
        o->index[k].branch = c->branch;
    v = eval(c, s, o->e->comp.body);
    c->branch -= masked;
    if (value_is_error(v))
        c->late.n = late;
    if (!index_late(c, late))
        v = c->error;
    for (int k = o->n - 1; k >= 0; k--)
        index_pop(c, &o->index[k]);
    return v;
}

static bool is_recursive(const Over *o)
{
    bool found = false;

    for (int k = 0; k < o->n; k++)
        found = found || o->index[k].recursive != NULL;
    return found;
}

static void make_mask(Over *o)
{
    Graph *g = o->c->graph;

    for (int k = 0; k < o->n; k++) {
        const Index *x = &o->index[k];
        Node *below;

        if (!x->bound)
            continue;
        below = is_below(o->c, x, index_bound(o->c, x));
        o->mask = o->mask ? g2(g, OP_and, o->mask, below) : below;
    }
}

static const Value *evaluate(Over *o)
{
    const Value *v = run_body(o);

    for (int k = 0; k < o->n && !value_is_error(v); k++)
        if (!index_known(o->c, &o->index[k]))
            return o->c->error;
    if (!value_is_error(v))
        make_mask(o);
    return v;
}

/* Batching. */

int index_greatest_rank(Check *c, const Node *first, int n, Node *const *root)
{
    LIST(Node *) todo = {NULL, 0, 0};
    Arena *scratch = arena_new();
    bool *seen = NEWN(scratch, bool, graph_count(c->graph) - first->id);
    int rank = 0;

    for (int i = 0; i < n; i++) {
        rank = root[i]->rank > rank ? root[i]->rank : rank;
        list_push(scratch, &todo, root[i]);
    }
    while (todo.n > 0) {
        Node *x = todo.at[--todo.n];

        if (x->id < first->id || seen[x->id - first->id])
            continue;
        seen[x->id - first->id] = true;
        rank = x->rank > rank ? x->rank : rank;
        for (int i = 0; i < x->narg; i++)
            list_push(scratch, &todo, x->arg[i]);
        if (x->op != OP_loop && x->op != OP_call)
            continue;
        for (int i = 0; i < node_region(x)->nbody; i++)
            rank = node_region(x)->body[i]->rank > rank
                       ? node_region(x)->body[i]->rank
                       : rank;
    }
    arena_free(scratch);
    return rank;
}

static bool batch(Over *o, int n, Node **root)
{
    Check *c = o->c;

    if (index_greatest_rank(c, o->index[0].param, n, root) + o->n > MAX_RANK)
        return check_refuse(
            c, o->e->span, "rank",
            "a tensor in this body would have more than %d dimensions, one "
            "for each index",
            MAX_RANK);
    for (int k = o->n - 1; k >= 0; k--) {
        const Index *x = &o->index[k];
        Node *value = g_iota(c->graph, DT_i32, x->extent);

        graph_batch(c->graph, x->extent, 1, &x->param, &value, n, root);
    }
    return true;
}

static const Value *no_functions(Over *o, const Value *v)
{
    Check *c = o->c;

    check_fail(c, o->e->comp.body->span, "type-mismatch",
               "this is to be a value, not a function");
    return check_is(c, o->e->comp.body->span, v);
}

/* Literals stay literals. */
static const Value *repeat_literal(Over *o, const Value *v)
{
    Node *both[2] = {v->node, v->real};

    if (!batch(o, 2, both) ||
        !dim_sensible(o->c, o->e->span, both[0]->rank, both[0]->dim))
        return o->c->error;
    return value_literal(o->c, v->literal, both[0], both[1]);
}

static const Value *comprehend(Over *o, const Value *v)
{
    Check *c = o->c;
    const Type *t;
    const Leaf *type;
    Node **leaf;

    if (v->kind == V_tensor && v->literal != LIT_no)
        return repeat_literal(o, v);
    t = value_ty(c, v);
    if (!t)
        return no_functions(o, v);
    leaf = value_leaves(c, v);
    if (!batch(o, t->nleaf, leaf))
        return c->error;
    for (int k = o->n - 1; k >= 0; k--)
        t = type_along(c, t, o->index[k].extent);
    type = type_leaves(c->graph, t, NULL);
    for (int i = 0; i < t->nleaf; i++)
        if (!dim_sensible(c, o->e->span, type[i].rank, type[i].dim))
            return c->error;
    return value_of_leaves(c, t, leaf);
}

/* Reductions. */

static Node *neutral_like(Graph *g, const Node *n, double v)
{
    int64_t most = n->dtype == DT_u8    ? UINT8_MAX
                   : n->dtype == DT_i32 ? INT32_MAX
                                        : INT64_MAX;
    int64_t least = n->dtype == DT_u8 ? 0 : -most - 1;
    Node *x;

    if (dtype_is_real(n->dtype) || isfinite(v))
        return g_fill(g, n, v);
    x = g_const_int(g, n->dtype, v > 0 ? most : least);
    return g_broadcast_to(g, x, n->rank, n->dim);
}

static bool fits_reduction(Over *o, const Builtin *r, const Value *v)
{
    Check *c = o->c;
    const Leaf *type = type_leaves(c->graph, value_ty(c, v), NULL);
    unsigned takes = reduction_takes(r);

    for (int i = 0; i < v->nleaf; i++) {
        if (takes >> type[i].dtype & 1)
            continue;
        check_fail(c, o->e->comp.body->span, "type-mismatch", "'%s' takes %s",
                   r->name, reduction_takes_text(r));
        check_is(c, o->e->comp.body->span, v);
        if (dtype_is_int(type[i].dtype) && takes == ON_real)
            check_detail(c, "write real(…) to convert");
        return false;
    }
    return true;
}

static bool is_empty(Over *o, const Builtin *r)
{
    Check *c = o->c;

    for (int k = 0; k < o->n; k++) {
        const Index *x = &o->index[k];

        if (reduction_of_nothing(r) || !dim_is(x->extent, 0))
            continue;
        check_fail(c, x->span, "empty", "'%s' of nothing has no value",
                   r->name);
        return true;
    }
    return false;
}

/* How many elements there are, as a divisor in t. */
static Node *count_all(Over *o, DType t)
{
    Graph *g = o->c->graph;
    const Dim *count = dim_const(g, 1);
    int axis[MAX_RANK];
    Node *n, *none;

    if (!o->mask) {
        for (int k = 0; k < o->n; k++)
            count = dim_mul(g, count, o->index[k].extent);
        return g_divisor(g, t, count);
    }
    for (int k = 0; k < o->n; k++)
        axis[k] = k;
    n = g_cast(g, t, o->mask);
    if (!batch(o, 1, &n))
        return g_const(g, t, 1);
    n = g_reduce(g, OP_sum, n, o->n, axis);
    none = g_divisor(g, t, dim_const(g, 0));
    return g2(g, OP_max, n, g_broadcast_to(g, none, n->rank, n->dim));
}

/* The first n axes of a become one. */
static Node *join_first(Graph *g, Node *a, int n)
{
    const Dim *dim[MAX_RANK] = {dim_const(g, 1)};

    for (int i = 0; i < n; i++)
        dim[0] = dim_mul(g, dim[0], a->dim[i]);
    for (int i = n; i < a->rank; i++)
        dim[i - n + 1] = a->dim[i];
    return g_reshape(g, a, a->rank - n + 1, dim);
}

static Node *reduce_leaf(Over *o, const Builtin *r, Node *n, Node *count)
{
    Graph *g = o->c->graph;
    int axis[MAX_RANK], naxis = o->n;

    for (int k = 0; k < o->n; k++)
        axis[k] = k;
    if (reduction_is_position(r)) {
        n = join_first(g, n, o->n);
        naxis = 1;
    }
    n = g_reduce(g, r->op, n, naxis, axis);
    if (count)
        n = g2(g, OP_div, n,
               g_broadcast_to(g, g_cast(g, n->dtype, count), n->rank, n->dim));
    return n;
}

/* argmax and argmin count positions. */
static const Value *positions_of(Over *o, const Builtin *r, const Value *v)
{
    Check *c = o->c;

    if (!reduction_is_position(r))
        return v;
    if (v->kind != V_tensor)
        return check_fail(c, o->e->comp.body->span, "type-mismatch",
                          "'%s' takes a tensor", r->name);
    if (o->mask && o->n > 1)
        return check_fail(c, o->e->span, "bound",
                          "'%s' over several indices needs bounds that are "
                          "dimensions",
                          r->name);
    return v;
}

static const Value *reduce(Over *o, const Value *v)
{
    Check *c = o->c;
    const Builtin *r = o->reduction;
    const Type *t;
    Node **leaf, *count = NULL;

    v = value_settle(c, o->e->comp.body->span, v);
    if (value_is_error(v))
        return v;
    t = value_ty(c, v);
    if (!t)
        return no_functions(o, v);
    if (!fits_reduction(o, r, v) || is_empty(o, r) ||
        value_is_error(positions_of(o, r, v)))
        return c->error;
    leaf = value_leaves(c, v);
    for (int i = 0; i < t->nleaf && o->mask; i++)
        leaf[i] = g_if(c->graph, o->mask, leaf[i],
                       neutral_like(c->graph, leaf[i], op_table[r->op]->start));
    if (!batch(o, t->nleaf, leaf))
        return c->error;
    if (r->mean)
        count = count_all(o, t->nleaf ? leaf[0]->dtype : c->real);
    for (int i = 0; i < t->nleaf; i++)
        leaf[i] = reduce_leaf(o, r, leaf[i], count);
    return reduction_is_position(r) ? value_tensor(c, leaf[0])
                                    : value_of_leaves(c, t, leaf);
}

/* Written out: for bodies that call the function they are part of. */

typedef struct Written {
    Over *o;
    LIST(Operand) term;
} Written;

static void write_out(Written *w, const Scope *up, int k)
{
    Over *o = w->o;
    Check *c = o->c;
    const Binder *b = &o->e->comp.binder[k];
    Span at = o->e->comp.body->span;
    int64_t n;

    if (k == o->n) {
        Operand x = {eval(c, up, o->e->comp.body), at, NULL};

        x.value = value_settle(c, at, x.value);
        list_push(c->arena, &w->term, x);
        return;
    }
    n = index_count(c, up, b, &o->index[k]);
    if (n < 0)
        list_push(c->arena, &w->term, ((Operand){c->error, at, NULL}));
    for (int64_t i = 0; i < n && w->term.n < MAX_WRITTEN; i++) {
        Scope *s = scope_new(c, up, up->binding.n, up->unit);
        Node *value = g_const_int(c->graph, DT_i32, i);

        scope_bind(c, s, b->name, b->span, value_tensor(c, value));
        write_out(w, s, k + 1);
    }
}

static const Value *join_terms(Over *o, const Builtin *r, int n,
                               const Operand *x)
{
    Check *c = o->c;
    const Value *v = x[0].value;
    Node **sum, **leaf;

    if (!value_ty(c, v) || !fits_reduction(o, r, v))
        return value_ty(c, v) ? c->error : no_functions(o, v);
    sum = value_leaves(c, v);
    for (int i = 1; i < n; i++) {
        if (!type_equal(value_ty(c, v), value_ty(c, x[i].value)))
            return check_fail(c, o->e->comp.body->span, "type-mismatch",
                              "the elements of '%s' have one type", r->name);
        leaf = value_leaves(c, x[i].value);
        for (int k = 0; k < v->nleaf; k++)
            sum[k] = g2(c->graph, reduction_join(r), sum[k], leaf[k]);
    }
    return value_of_leaves(c, value_ty(c, v), sum);
}

/* The terms as one more dimension in front, reduced as a tensor is. */
static const Value *reduce_terms(Over *o, int n, const Operand *x)
{
    Check *c = o->c;
    const Value *v = literal_stack(c, o->s, o->e->span, n, x);
    const Builtin *r = o->reduction;
    Over one = *o;
    Node *node;

    if (value_is_error(v) || v->kind != V_tensor)
        return value_is_error(v)
                   ? v
                   : check_fail(c, o->e->span, "type-mismatch",
                                "'%s' takes tensors here", r->name);
    if (!fits_reduction(o, r, v))
        return c->error;
    one.n = 1;
    node = reduce_leaf(&one, r, v->node,
                       r->mean ? g_const(c->graph, v->node->dtype, n) : NULL);
    return value_tensor(c, node);
}

/* Rows of equal length, as deep as there are binders. */
static const Value *nest_terms(Over *o, const Operand *x, int n)
{
    Check *c = o->c;
    Operand *row = NEWN(c->arena, Operand, n + 1);

    if (n > 0)
        memcpy(row, x, sizeof *row * (size_t)n);
    for (int k = o->n - 1; k >= 0; k--) {
        int64_t each =
            index_count(c, o->s, &o->e->comp.binder[k], &o->index[k]);

        if (each < 0)
            return c->error;
        n = each > 0 ? n / (int)each : 0;
        for (int i = 0; i < n; i++)
            row[i].value = literal_stack(c, o->s, o->e->span, (int)each,
                                         row + (size_t)i * (size_t)each);
    }
    if (n == 0)
        return check_fail(c, o->e->span, "empty", "a tensor needs an element");
    return row[0].value;
}

static bool was_written(const Check *c, const Expr *e)
{
    for (int i = 0; i < c->written.n; i++)
        if (c->written.at[i] == e)
            return true;
    return false;
}

/* A constant, or a name from around the indices. */
static bool is_outer_name(const Expr *e, const Expr *bound)
{
    for (int k = 0; k < e->comp.nbinder; k++)
        if (bound->kind == EX_name && e->comp.binder[k].name == bound->name)
            return false;
    return bound->kind == EX_int || bound->kind == EX_name;
}

/* Of a body that called itself before there is no need to find that out again:
 * are all bounds constants now too? */
static bool write_at_once(const Over *o)
{
    const Expr *e = o->e;
    bool all = was_written(o->c, e);
    int64_t n;

    for (int k = 0; k < o->n && all; k++) {
        const Expr *b = e->comp.binder[k].bound;

        all = b && is_outer_name(e, b) &&
              value_const_int(eval(o->c, o->s, b), &n);
    }
    return all;
}

static const Value *evaluate_written(Over *o)
{
    Check *c = o->c;
    Written w = {.o = o};
    const Builtin *r;

    if (!was_written(c, o->e))
        list_push(c->arena, &c->written, o->e);
    write_out(&w, o->s, 0);
    for (int i = 0; i < w.term.n; i++)
        if (value_is_error(w.term.at[i].value))
            return c->error;
    if (w.term.n >= MAX_WRITTEN)
        return check_fail(c, o->e->span, "recursion",
                          "this calls itself for more than %d elements",
                          MAX_WRITTEN);
    if (o->e->kind == EX_comp)
        return nest_terms(o, w.term.at, w.term.n);
    r = o->reduction;
    if (w.term.n == 0)
        return check_fail(c, o->e->span, "empty", "'%s' of nothing", r->name);
    return reduction_join(r) == NOPS ? reduce_terms(o, w.term.n, w.term.at)
                                     : join_terms(o, r, w.term.n, w.term.at);
}

static bool names_differ(Check *c, const Expr *e)
{
    if (e->comp.nbinder > MAX_RANK)
        return check_refuse(c, e->span, "rank", "more than %d indices",
                            MAX_RANK);
    for (int i = 0; i < e->comp.nbinder; i++) {
        for (int k = 0; k < i; k++) {
            if (e->comp.binder[i].name != e->comp.binder[k].name)
                continue;
            return check_refuse(c, e->comp.binder[i].span, "binder",
                                "two indices are called '%s'",
                                e->comp.binder[i].name);
        }
    }
    return true;
}

static const Value *eval_over(Check *c, const Scope *s, const Expr *e)
{
    Over o = {.c = c, .s = s, .e = e, .n = e->comp.nbinder};
    const Value *v;

    if (e->kind == EX_reduce && !(o.reduction = reduction_named(c, e->comp.fn)))
        return c->error;
    if (!names_differ(c, e))
        return c->error;
    o.index = NEWN(c->arena, Index, o.n);
    if (write_at_once(&o))
        return evaluate_written(&o);
    v = evaluate(&o);
    if (is_recursive(&o)) /* nor is there a message */
        return c->index && c->index->recursive ? c->error
                                               : evaluate_written(&o);
    if (value_is_error(v))
        return v;
    return e->kind == EX_comp ? comprehend(&o, v) : reduce(&o, v);
}

const Value *eval_comp(Check *c, const Scope *s, const Expr *e)
{
    return eval_over(c, s, e);
}

const Value *eval_reduce(Check *c, const Scope *s, const Expr *e)
{
    return eval_over(c, s, e);
}
