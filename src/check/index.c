/* index.c: A[i, 1:, t]: slices where the place is known to be inside, gathers
 * with a check at run time elsewhere. */
#include "check/check_internal.h"

#include <string.h>

typedef enum PickKind {
    PICK_range,  /* start, size, step, maybe reversed */
    PICK_point,  /* start; the axis goes */
    PICK_gather, /* an integer tensor takes the axis' place */
} PickKind;

typedef struct Pick {
    PickKind kind;
    const Dim *start, *size;
    int step;
    bool reverse;
    Node *index;
} Pick;

typedef struct Indexing {
    Check *c;
    const Scope *s;
    const Value *of;
    const Expr *expr; /* what is indexed */
} Indexing;

static bool out_of_range(Indexing *x, Span at, const Dim *i, const Dim *d)
{
    Check *c = x->c;

    fail(c, at, "index-range", "%s is out of range in a dimension of %s",
         dim_text(c->graph, i), dim_text(c->graph, d));
    label_operand(c, x->s, x->expr, x->of);
    return false;
}

/* A negative constant counts from the end. */
static const Dim *from_end(Check *c, const Dim *i, const Dim *d)
{
    int64_t v;

    return dim_const_value(i, &v) && v < 0 ? dim_add(c->graph, d, i) : i;
}

static bool surely_inside(Check *c, const Dim *first, const Dim *end,
                          const Dim *d)
{
    return dim_least(c, first) >= 0 &&
           dim_least(c, dim_sub(c->graph, d, end)) >= 0;
}

static bool surely_outside(Check *c, const Dim *first, const Dim *end,
                           const Dim *d)
{
    int64_t v;

    return (dim_const_value(first, &v) && v < 0) ||
           (dim_const_value(dim_sub(c->graph, d, end), &v) && v < 0);
}

static bool pick_known(Indexing *x, Span at, const Dim *i, const Dim *d,
                       Pick *p)
{
    Check *c = x->c;
    const Dim *one = dim_const(c->graph, 1), *k = from_end(c, i, d);
    const Dim *end = dim_add(c->graph, k, one);

    if (surely_outside(c, k, end, d))
        return out_of_range(x, at, i, d);
    if (surely_inside(c, k, end, d)) {
        *p = (Pick){PICK_point, k, one, 1, false, NULL};
        return true;
    }
    p->kind = PICK_gather;
    p->index = g_index_check(c->graph, g_dim(c->graph, DT_i32, k), d);
    return true;
}

static bool pick_index(Indexing *x, const Expr *e, const Dim *d, Pick *p)
{
    Check *c = x->c;
    const Value *v = eval(c, x->s, e);
    const Dim *known;

    if (is_error(v))
        return false;
    if (v->kind != V_tensor || !dtype_is_int(v->node->dtype)) {
        fail(c, e->span, "index", "an index is an int or a tensor of them");
        diag_label(c->diags, e->span, "%s", value_text(c, v));
        if (v->kind == V_tensor && v->node->dtype == DT_bool)
            detail(c, "where(c, a, b) chooses by bools");
        return false;
    }
    known = is_scalar(v) ? node_as_dim(c->graph, v->node) : NULL;
    if (known)
        return pick_known(x, e->span, known, d, p);
    v = settle(c, e->span, v);
    if (is_error(v))
        return false;
    p->kind = PICK_gather;
    p->index = g_index_check(c->graph, v->node, d);
    return true;
}

static bool pick_step(Indexing *x, const Sub *sub, Pick *p)
{
    Check *c = x->c;
    int64_t step = 1;

    if (sub->step && !value_const_int(eval(c, x->s, sub->step), &step)) {
        fail(c, sub->step->span, "range", "a step is a constant");
        return false;
    }
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX) {
        fail(c, sub->step->span, "range", "a step of %lld is not possible",
             (long long)step);
        return false;
    }
    p->reverse = step < 0;
    p->step = (int)(step < 0 ? -step : step);
    if (p->reverse && (sub->lo || sub->hi)) {
        fail(c, sub->span, "range",
             "a negative step stands for the whole dimension only");
        detail(c, "A[lo:hi][::-1] turns a part around");
        return false;
    }
    return true;
}

static const Dim *bound(Indexing *x, const Expr *e, const Dim *d)
{
    const Dim *v = dim_of_value(x->c, eval(x->c, x->s, e), e->span);

    return v ? from_end(x->c, v, d) : NULL;
}

static Node *positions(Check *c, const Pick *p)
{
    Graph *g = c->graph;
    Node *i = g_iota(g, DT_i32, p->size);
    Node *step = g_fill(g, i, p->step);
    Node *start = g_broadcast_to(g, g_dim(g, DT_i32, p->start), 1, &p->size);

    return g2(g, OP_add, start, g2(g, OP_mul, i, step));
}

static bool pick_range(Indexing *x, const Sub *sub, const Dim *d, Pick *p)
{
    Check *c = x->c;
    Graph *g = c->graph;
    const Dim *lo = sub->lo ? bound(x, sub->lo, d) : dim_const(g, 0);
    const Dim *hi = sub->hi ? bound(x, sub->hi, d) : d;
    const Dim *length;
    int64_t v;

    if (!lo || !hi || !pick_step(x, sub, p))
        return false;
    length = dim_sub(g, hi, lo);
    if (surely_outside(c, lo, hi, d))
        return out_of_range(x, sub->span,
                            dim_const_value(lo, &v) && v < 0 ? lo : hi, d);
    if (dim_const_value(length, &v) && v < 0) {
        fail(c, sub->span, "range", "this range ends before it starts");
        detail(c, "it is %s:%s", dim_text(g, lo), dim_text(g, hi));
        return false;
    }
    p->kind = PICK_range;
    p->start = lo;
    p->size = p->step == 1
                  ? length
                  : dim_div(g, dim_add(g, length, dim_const(g, p->step - 1)),
                            dim_const(g, p->step));
    if (!surely_inside(c, lo, hi, d)) {
        p->index = g_index_check(g, positions(c, p), d);
        p->kind = PICK_gather;
    }
    return true;
}

/* The pick for each subscript, given the dimensions they apply to. */
static Pick *make_picks(Indexing *x, const Expr *e, const Dim *const *dim)
{
    Pick *p = NEWN(x->c->arena, Pick, e->index.nsub);
    bool good = true;

    for (int i = 0; i < e->index.nsub; i++) {
        const Sub *sub = &e->index.sub[i];

        good = (sub->range ? pick_range(x, sub, dim[i], &p[i])
                           : pick_index(x, sub->lo, dim[i], &p[i])) &&
               good;
    }
    return good ? p : NULL;
}

static Node *take_slices(Check *c, Node *a, int n, const Pick *p)
{
    const Dim *start[MAX_RANK], *size[MAX_RANK], *kept[MAX_RANK];
    int step[MAX_RANK], rank = 0;
    bool whole = true;

    for (int i = 0; i < a->rank; i++) {
        bool all = i >= n || p[i].kind == PICK_gather;

        start[i] = all ? dim_const(c->graph, 0) : p[i].start;
        size[i] = all ? a->dim[i] : p[i].size;
        step[i] = all ? 1 : p[i].step;
        whole = whole && size[i] == a->dim[i] && step[i] == 1;
        if (i >= n || p[i].kind != PICK_point)
            kept[rank++] = size[i];
    }
    if (!whole)
        a = g_slice(c->graph, a, start, size, step);
    for (int i = 0; i < n; i++)
        if (p[i].kind == PICK_range && p[i].reverse)
            a = g_flip(c->graph, a, i);
    return rank < a->rank ? g_reshape(c->graph, a, rank, kept) : a;
}

/* i0·d1·d2 + i1·d2 + i2 for the index tensors of axes that are adjacent. */
static Node *linear_index(Check *c, int n, Node *const *index,
                          const Dim *const *dim)
{
    Graph *g = c->graph;
    Node *sum = g_cast(g, DT_i64, index[0]);

    for (int i = 1; i < n; i++) {
        Node *d =
            g_broadcast_to(g, g_dim(g, DT_i64, dim[i]), sum->rank, sum->dim);

        sum = g2(g, OP_add, g2(g, OP_mul, sum, d), g_cast(g, DT_i64, index[i]));
    }
    return sum;
}

/* Brings the gathered axes together (as NumPy does: in place where they are
 * neighbours, else first), as one axis. */
static Node *join_axes(Check *c, Node *a, int n, const int *axis, int *at)
{
    int perm[MAX_RANK], k = 0, next = 0;
    bool adjacent = axis[n - 1] - axis[0] == n - 1;
    const Dim *dim[MAX_RANK], *joined = dim_const(c->graph, 1);

    *at = adjacent ? axis[0] : 0;
    for (int i = 0; i < *at; i++)
        perm[k++] = i;
    for (int i = 0; i < n; i++)
        perm[k++] = axis[i];
    for (int i = *at; i < a->rank; i++) {
        if (next < n && axis[next] == i)
            next++;
        else
            perm[k++] = i;
    }
    a = g_permute(c->graph, a, perm);
    for (int i = 0; i < n; i++)
        joined = dim_mul(c->graph, joined, a->dim[*at + i]);
    for (k = 0; k < *at; k++)
        dim[k] = a->dim[k];
    dim[k++] = joined;
    for (int i = *at + n; i < a->rank; i++)
        dim[k++] = a->dim[i];
    return g_reshape(c->graph, a, k, dim);
}

static Node *take_gathers(Indexing *x, Span at, Node *a, int n, const Pick *p)
{
    Check *c = x->c;
    Node *index[MAX_RANK];
    const Dim *dim[MAX_RANK];
    Operand o[MAX_RANK];
    int axis[MAX_RANK], count = 0, place = 0;

    for (int i = 0, k = 0; i < n; i++) {
        if (p[i].kind == PICK_gather) {
            index[count] = p[i].index;
            o[count] = (Operand){value_tensor(c, p[i].index), at, NULL};
            dim[count] = a->dim[k];
            axis[count++] = k;
        }
        k += p[i].kind != PICK_point;
    }
    if (count == 0)
        return a;
    if (count > 1 && !broadcast_all(c, x->s, "[…]", at, count, o, index))
        return NULL;
    if (a->rank - count + index[0]->rank > MAX_RANK) {
        fail(c, at, "rank", "the result has more than %d dimensions", MAX_RANK);
        return NULL;
    }
    if (count == 1)
        return g_gather(c->graph, a, index[0], axis[0]);
    a = join_axes(c, a, count, axis, &place);
    return g_gather(c->graph, a, linear_index(c, count, index, dim), place);
}

static const Value *index_tensor(Indexing *x, const Expr *e, const Value *v)
{
    Check *c = x->c;
    Pick *p;
    Node *n;

    if (e->index.nsub > v->node->rank) {
        if (v->node->rank == 0)
            fail(c, e->span, "index", "a scalar takes no subscripts");
        else
            fail(c, e->span, "index", "%d subscripts for %d dimension%s",
                 e->index.nsub, v->node->rank, v->node->rank == 1 ? "" : "s");
        label_operand(c, x->s, e->index.of, v);
        return c->error;
    }
    p = make_picks(x, e, v->node->dim);
    if (!p)
        return c->error;
    n = take_slices(c, v->node, e->index.nsub, p);
    n = take_gathers(x, e->span, n, e->index.nsub, p);
    return n ? value_tensor(c, n) : c->error;
}

/* blocks[i]: the same place of every leaf. */
static const Value *index_stack(Indexing *x, const Expr *e, const Value *v)
{
    Check *c = x->c;
    Node **leaf = NEWN(c->arena, Node *, v->nleaf + 1);
    const Ty *t = v->ty->part[0];
    const Dim *count = v->ty->count;
    Pick *p;

    if (e->index.nsub != 1)
        return fail(c, e->span, "index", "a stack takes one subscript");
    p = make_picks(x, e, &v->ty->count);
    if (!p)
        return c->error;
    if (p->kind == PICK_gather)
        count = p->index->rank == 1 ? p->index->dim[0] : NULL;
    else
        count = p->kind == PICK_range ? p->size : NULL;
    if (p->kind == PICK_gather && p->index->rank > 1)
        return fail(c, e->span, "index",
                    "a stack is indexed by an int or one row of them");
    for (int i = 0; i < v->nleaf; i++) {
        Node *n = take_slices(c, v->leaf[i], 1, p);

        leaf[i] = take_gathers(x, e->span, n, 1, p);
        if (!leaf[i])
            return c->error;
    }
    return value_of_leaves(c, count ? ty_stack(c, t, count) : t, leaf);
}

const Value *eval_index(Check *c, const Scope *s, const Expr *e)
{
    Indexing x = {c, s, NULL, e->index.of};
    const Value *v = eval(c, s, e->index.of);

    v = settle(c, e->index.of->span, v);
    x.of = v;
    if (is_error(v))
        return v;
    if (v->kind == V_stack)
        return index_stack(&x, e, v);
    if (v->kind == V_tensor)
        return index_tensor(&x, e, v);
    fail(c, e->span, "index", "only tensors and stacks take subscripts");
    label_operand(c, s, e->index.of, v);
    if (v->kind == V_tuple)
        detail(c, "parts of a tuple are .0, .1, …");
    return c->error;
}
