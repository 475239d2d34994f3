/* binder.c: comprehensions [i < n, j | e] and reductions sum(k | e).
 *
 * The body is evaluated once, each binder being an int of its own in the
 * graph; the result is then batched over them, the innermost first. */
#include "check/builtin.h"
#include "check/index.h"
#include "check/scope.h"

#include <math.h>

enum { MAX_WRITTEN = 4096 }; /* values of indices that are written out */

/* A comprehension or a reduction under way. */

typedef struct Over {
    Check *c;
    const Scope *s;
    const Expr *e;
    int n;
    const Builtin *reduction; /* NULL: a comprehension */
    Index *index;
    int axis[MAX_RANK]; /* 0, 1, …: what the indices become */
    Node *mask;         /* that an index is below its run-time bound, or NULL */
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
    Index *up = c->index;
    int late = index_late(c);

    for (int k = 0; k < o->n; k++)
        if (!open_index(o, s, k)) {
            c->index = up;
            return c->error;
        }
    return index_eval(c, s, o->e->comp.body, o->n, o->index, late, false);
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

/* How many values an index has. In the body its extent is as it is written:
 * there is one where that is positive. */
static const Dim *count_of(Over *o, const Index *x)
{
    return !o->reduction || size_is_asked(o->c, x->extent)
               ? x->extent
               : dim_positive(o->c->graph, x->extent);
}

static bool batch(Over *o, int n, Node **root)
{
    const Dim *extent[MAX_RANK];
    Node *param[MAX_RANK];

    for (int k = 0; k < o->n; k++) {
        param[k] = o->index[k].param;
        extent[k] = count_of(o, &o->index[k]);
    }
    return index_batch(o->c, o->e->span,
                       "with one for each index, a tensor in this body has",
                       o->n, param, extent, n, root);
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
        !size_sensible(o->c, o->e->span, both[0]->rank, both[0]->dim))
        return o->c->error;
    return value_literal(o->c, v->literal, both[0], both[1]);
}

static const Value *comprehend(Over *o, const Value *v)
{
    Check *c = o->c;
    const Type *t;
    Node **leaf;

    if (value_is_literal(v))
        return repeat_literal(o, v);
    t = value_ty(c, v);
    if (!t)
        return no_functions(o, v);
    leaf = value_leaves(c, v);
    if (!batch(o, t->nleaf, leaf))
        return c->error;
    for (int k = o->n - 1; k >= 0; k--)
        t = type_along(c, t, o->index[k].extent);
    return size_sensible_type(c, o->e->span, t) ? value_of_leaves(c, t, leaf)
                                                : c->error;
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
                   r->name, arith_takes(takes));
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

/* How many elements are below their run-time bounds, as a divisor in t. */
static Node *count_below(Over *o, DType t)
{
    Graph *g = o->c->graph;
    Node *n = g_cast(g, t, o->mask), *none;

    if (!batch(o, 1, &n))
        return g_const(g, t, 1);
    n = g_reduce(g, OP_sum, n, o->n, o->axis);
    none = g_divisor(g, t, dim_const(g, 0));
    return g2(g, OP_max, n, g_broadcast_to(g, none, n->rank, n->dim));
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
    if (r->mean && o->mask)
        count = count_below(o, t->nleaf ? leaf[0]->dtype : c->real);
    for (int i = 0; i < t->nleaf; i++)
        leaf[i] = reduction_node(c->graph, r, leaf[i], o->n, o->axis, count);
    return reduction_is_position(r) ? value_tensor(c, leaf[0])
                                    : value_of_leaves(c, t, leaf);
}

/* Written out: for bodies that call the function they are part of. */

typedef LIST(Operand) Terms;

/* The values of the body: of a comprehension one, their rows stacked. */
static bool write_out(Over *o, const Scope *up, int k, int *left, Terms *to)
{
    Check *c = o->c;
    const Binder *b = &o->e->comp.binder[k];
    Operand x = {NULL, o->e->comp.body->span, NULL};
    int first = to->n;
    int64_t n;

    if (k == o->n) {
        if ((*left)-- == 0)
            return check_refuse(c, o->e->span, "recursion",
                                "this calls itself for more than %d elements",
                                MAX_WRITTEN);
        x.value = value_settle(c, x.span, eval(c, up, o->e->comp.body));
        list_push(c->arena, to, x);
        return !value_is_error(x.value);
    }
    n = index_count(c, up, b, &o->index[k]);
    for (int64_t i = 0; i < n; i++)
        if (!write_out(o, index_at(c, up, b, i), k + 1, left, to))
            return false;
    if (n >= 0 && o->e->kind == EX_comp) {
        const Operand *row = n > 0 ? to->at + first : NULL;
        x.value = literal_stack(c, o->s, o->e->span, (int)n, row);
        to->n = first;
        list_push(c->arena, to, x);
        return !value_is_error(x.value);
    }
    return n >= 0;
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

    if (value_is_error(v) || v->kind != V_tensor)
        return value_is_error(v)
                   ? v
                   : check_fail(c, o->e->span, "type-mismatch",
                                "'%s' takes tensors here", r->name);
    if (!fits_reduction(o, r, v))
        return c->error;
    return value_tensor(c,
                        reduction_node(c->graph, r, v->node, 1, o->axis, NULL));
}

/* What was evaluated index by index before. */
typedef LIST(const Expr *) Written;

static Written *own(Check *c)
{
    return check_own(c, OWN_binder, sizeof(Written));
}

static bool was_written(Check *c, const Expr *e)
{
    for (int i = 0; i < own(c)->n; i++)
        if (own(c)->at[i] == e)
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
    const Builtin *r = o->reduction;
    Terms x = {0};
    int left = MAX_WRITTEN;

    if (!was_written(c, o->e))
        list_push(c->arena, own(c), o->e);
    if (!write_out(o, o->s, 0, &left, &x))
        return c->error;
    if (!r)
        return x.at[0].value;
    if (x.n == 0)
        return check_fail(c, o->e->span, "empty", "'%s' of nothing", r->name);
    return reduction_join(r) == NOPS ? reduce_terms(o, x.n, x.at)
                                     : join_terms(o, r, x.n, x.at);
}

static bool names_differ(Check *c, const Expr *e)
{
    if (e->comp.nbinder > MAX_RANK)
        return check_refuse(c, e->span, "rank", "more than %d indices",
                            MAX_RANK);
    for (int i = 0; i < e->comp.nbinder; i++) {
        for (int k = 0; k < i; k++)
            if (e->comp.binder[i].name == e->comp.binder[k].name)
                return check_refuse(c, e->comp.binder[i].span, "binder",
                                    "two indices are called '%s'",
                                    e->comp.binder[i].name);
    }
    return true;
}

const Value *eval_over(Check *c, const Scope *s, const Expr *e)
{
    Over o = {.c = c, .s = s, .e = e, .n = e->comp.nbinder};
    const Value *v;

    if (e->kind == EX_reduce && !(o.reduction = reduction_named(c, e->comp.fn)))
        return c->error;
    if (!names_differ(c, e))
        return c->error;
    o.index = NEWN(c->arena, Index, o.n);
    for (int k = 0; k < o.n; k++)
        o.axis[k] = k;
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
