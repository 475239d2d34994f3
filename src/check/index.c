/* index.c: A[i, 1:, t]: slices where the place is a dimension, gathers where it
 * is a value; with a check at run time unless it is inside for sure. */
#include "check/index.h"

typedef enum PickKind {
    PICK_range,  /* start, size, step, maybe reversed */
    PICK_point,  /* start; the axis goes */
    PICK_gather, /* an integer tensor takes the axis' place; checked */
} PickKind;

typedef struct Pick {
    PickKind kind;
    const Dim *start, *size;
    int step;
    bool reverse;
    Node *index;
    const Dim *below, *above; /* zeros that it needs around the axis, or NULL */
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

    check_fail(c, at, "index-range", "%s is out of range in a dimension of %s",
               dim_text(c->graph, i), dim_text(c->graph, d));
    check_label(c, x->s, x->expr, x->of);
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
    return dim_never_negative(first) &&
           dim_never_negative(dim_sub(c->graph, d, end));
}

static bool surely_outside(Check *c, const Dim *first, const Dim *end,
                           const Dim *d)
{
    int64_t v;

    return (dim_const_value(first, &v) && v < 0) ||
           (dim_const_value(dim_sub(c->graph, d, end), &v) && v < 0);
}

/* A check that was made before it was known how far an index goes. */
typedef struct Late {
    Index *index; /* the innermost then */
    Node *i;
    const Dim *reach, *d;
    Span at;
    const Scope *s;
    const Expr *expr; /* what is indexed */
    const Value *of;
} Late;

typedef struct Checks {
    int checks; /* at run time */
    LIST(Late) late;
} Checks;

static Checks *own(Check *c) { return check_own(c, OWN_index, sizeof(Checks)); }

int index_checks(Check *c) { return own(c)->checks; }

int index_late(Check *c) { return own(c)->late.n; }

void index_late_drop(Check *c, int n) { own(c)->late.n = n; }

static Node *checked(Check *c, Node *i, const Dim *d)
{
    own(c)->checks++;
    return g_index_check(c->graph, i, d);
}

static bool pick_known(Indexing *x, Span at, const Dim *i, const Dim *d,
                       Pick *p)
{
    Check *c = x->c;
    const Dim *one = dim_const(c->graph, 1), *k = from_end(c, i, d);
    const Dim *end = dim_add(c->graph, k, one);

    if (surely_outside(c, k, end, d))
        return out_of_range(x, at, i, d);
    *p = (Pick){.kind = PICK_point, .start = k, .size = one, .step = 1};
    if (surely_inside(c, k, end, d))
        return true;
    if (range_reached(c, k, d, &p->below, &p->above))
        p->start = dim_add(c->graph, k, p->below);
    else
        *p = (Pick){.kind = PICK_gather,
                    .index = checked(c, g_dim(c->graph, DT_i32, k), d)};
    return true;
}

static bool goes_outside(Indexing *x, Span at, const Dim *lo, const Dim *hi,
                         const Dim *d)
{
    Check *c = x->c;

    check_fail(c, at, "index-range", "this index leaves a dimension of %s",
               dim_text(c->graph, d));
    diag_label(c->diags, at, "from %s to %s", dim_text(c->graph, lo),
               dim_text(c->graph, hi));
    check_label(c, x->s, x->expr, x->of);
    return false;
}

/* The index i, at which `reach` elements of d begin; `all` are their places. */
static bool pick_value(Indexing *x, Span at, Node *i, const Dim *reach,
                       Node *all, const Dim *d, Pick *p)
{
    Check *c = x->c;
    const Dim *lo, *hi;

    p->kind = PICK_gather;
    p->index = all;
    switch (range_inside(c, i, reach, d, &lo, &hi)) {
    case IN_surely:
        return true;
    case IN_never:
        return goes_outside(x, at, lo, hi, d);
    case IN_late:
        list_push(c->arena, &own(c)->late,
                  ((Late){c->index, i, reach, d, at, x->s, x->expr, x->of}));
        p->index = checked(c, all, d);
        return true;
    case IN_maybe:
        p->index = checked(c, all, d);
        return true;
    }
    return false;
}

bool index_late_end(Check *c, int from)
{
    Checks *all = own(c);
    Index *here = c->index;
    bool good = true;
    int kept = from;

    for (int k = from; k < all->late.n; k++) {
        Late l = all->late.at[k];
        Indexing x = {c, l.s, l.of, l.expr};
        const Dim *lo, *hi;
        Inside in;

        c->index = l.index;
        in = range_inside(c, l.i, l.reach, l.d, &lo, &hi);
        c->index = here;
        if (in == IN_never)
            good = goes_outside(&x, l.at, lo, hi, l.d) && good;
        if (in == IN_late)
            all->late.at[kept++] = l;
    }
    all->late.n = kept;
    return good;
}

static bool pick_index(Indexing *x, const Expr *e, const Dim *d, Pick *p)
{
    Check *c = x->c;
    const Value *v = eval(c, x->s, e);
    const Dim *known;

    if (value_is_error(v))
        return false;
    if (v->kind != V_tensor || !dtype_is_int(v->node->dtype)) {
        check_fail(c, e->span, "index",
                   "an index is an int or a tensor of them");
        check_is(c, e->span, v);
        if (v->kind == V_tensor && v->node->dtype == DT_bool)
            check_detail(c, "where(c, a, b) chooses by bools");
        return false;
    }
    known = value_is_scalar(v) ? node_as_dim(c->graph, v->node) : NULL;
    if (known)
        return pick_known(x, e->span, known, d, p);
    v = value_settle(c, e->span, v);
    if (value_is_error(v))
        return false;
    if (value_is_scalar(v))
        return index_seen(c, v->node, d, e->span) &&
               pick_value(x, e->span, v->node, dim_const(c->graph, 1), v->node,
                          d, p);
    p->kind = PICK_gather;
    p->index = checked(c, v->node, d);
    return true;
}

static bool pick_step(Indexing *x, const Sub *sub, Pick *p)
{
    Check *c = x->c;
    int64_t step = 1;

    if (sub->step && !value_const_int(eval(c, x->s, sub->step), &step))
        return check_refuse(c, sub->step->span, "range",
                            "a step is a constant");
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
        return check_refuse(c, sub->step->span, "range",
                            "a step of %lld is not possible", (long long)step);
    p->reverse = step < 0;
    p->step = (int)(step < 0 ? -step : step);
    if (p->reverse && (sub->lo || sub->hi))
        return check_refuse(
            c, sub->span, "range",
            "a negative step stands for the whole dimension only\n"
            "A[lo:hi][::-1] turns a part around");
    return true;
}

/* An end of a range: a dimension, or else a value of the indices. */
typedef struct End {
    const Dim *dim;
    Node *node;
} End;

static bool range_end(Indexing *x, const Expr *e, const Dim *absent,
                      const Dim *d, End *to)
{
    Check *c = x->c;
    const Value *v;

    *to = (End){absent, NULL};
    if (!e)
        return true;
    v = eval(c, x->s, e);
    if (!value_is_error(v) && value_is_scalar(v) &&
        dtype_is_int(v->node->dtype) && !node_as_dim(c->graph, v->node)) {
        *to = (End){NULL, g_cast(c->graph, DT_i32, v->node)};
        return true;
    }
    to->dim = dim_of_value(c, v, e->span);
    if (to->dim)
        to->dim = from_end(c, to->dim, d);
    return to->dim != NULL;
}

static Node *end_node(Check *c, const End *e)
{
    return e->node ? e->node : g_dim(c->graph, DT_i32, e->dim);
}

/* start, start + step, … */
static Node *positions(Check *c, Node *start, const Dim *size, int step)
{
    Graph *g = c->graph;
    Node *i = g_iota(g, DT_i32, size);

    i = g2(g, OP_mul, i, g_fill(g, i, step));
    return g2(g, OP_add, g_broadcast_to(g, start, 1, &size), i);
}

static const Dim *steps_in(Check *c, const Dim *length, int step)
{
    Graph *g = c->graph;

    if (step == 1)
        return length;
    return dim_div(g, dim_add(g, length, dim_const(g, step - 1)),
                   dim_const(g, step));
}

static bool ends_first(Indexing *x, Span at, const char *what)
{
    return check_refuse(x->c, at, "range",
                        "this range ends before it starts\n"
                        "%s",
                        what);
}

/* x[i : i + k]: the length is to be a dimension. */
static bool pick_moving(Indexing *x, const Sub *sub, const End *lo,
                        const End *hi, const Dim *d, Pick *p)
{
    Check *c = x->c;
    Graph *g = c->graph;
    Node *from = end_node(c, lo);
    const char *text;
    const Dim *length = range_difference(c, end_node(c, hi), from, &text);
    const Dim *reach;
    int64_t v;

    if (!length)
        return check_refuse(
            c, sub->span, "range",
            "the length of this range is %s, which is no dimension\n"
            "x[i : i + k] has the same length for every i",
            text);
    if (dim_const_value(length, &v) && v < 0)
        return ends_first(
            x, sub->span,
            arena_printf(c->arena, "its length would be %s", text));
    if (!size_sensible(c, sub->span, 1, &length))
        return false;
    p->size = steps_in(c, length, p->step);
    reach = dim_sub(g, p->size, dim_const(g, 1));
    reach =
        dim_add(g, dim_mul(g, reach, dim_const(g, p->step)), dim_const(g, 1));
    return pick_value(x, sub->span, from, reach,
                      positions(c, from, p->size, p->step), d, p);
}

static bool pick_range(Indexing *x, const Sub *sub, const Dim *d, Pick *p)
{
    Check *c = x->c;
    Graph *g = c->graph;
    const Dim *length;
    End lo, hi;
    int64_t v;

    if (!range_end(x, sub->lo, dim_const(g, 0), d, &lo) ||
        !range_end(x, sub->hi, d, d, &hi) || !pick_step(x, sub, p))
        return false;
    if (lo.node || hi.node)
        return pick_moving(x, sub, &lo, &hi, d, p);
    length = dim_sub(g, hi.dim, lo.dim);
    if (surely_outside(c, lo.dim, hi.dim, d))
        return out_of_range(
            x, sub->span,
            dim_const_value(lo.dim, &v) && v < 0 ? lo.dim : hi.dim, d);
    if (dim_const_value(length, &v) && v < 0)
        return ends_first(x, sub->span,
                          arena_printf(c->arena, "it is %s:%s",
                                       dim_text(g, lo.dim),
                                       dim_text(g, hi.dim)));
    p->kind = PICK_range;
    p->start = lo.dim;
    p->size = steps_in(c, length, p->step);
    if (!surely_inside(c, lo.dim, hi.dim, d)) {
        p->index = checked(
            c, positions(c, g_dim(g, DT_i32, lo.dim), p->size, p->step), d);
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

/* With the zeros that the picks need. */
static Node *with_room(Check *c, Node *a, int n, const Pick *p)
{
    const Dim *lo[MAX_RANK] = {NULL}, *hi[MAX_RANK] = {NULL};

    for (int i = 0; i < n; i++) {
        lo[i] = p[i].below;
        hi[i] = p[i].above;
    }
    return g_pad_around(c->graph, a, lo, hi);
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

        Node *last = g_cast(g, DT_i64, index[i]);
        sum = g2(g, OP_add, g2(g, OP_mul, sum, d), last);
    }
    return sum;
}

/* Brings the gathered axes together (as NumPy does: in place where they are
 * neighbours, else first), as one axis. */
static Node *join_axes(Check *c, Node *a, int n, const int *axis, int *at)
{
    int perm[MAX_RANK], k = 0, next = 0;
    bool adjacent = axis[n - 1] - axis[0] == n - 1;

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
    return g_merge_axes(c->graph, g_permute(c->graph, a, perm), *at, n);
}

/* The axes that are gathered, and by what. */
typedef struct Gathers {
    int n;
    Node *index[MAX_RANK];
    int axis[MAX_RANK];
} Gathers;

/* The indices are inside, or checked already. */
static Node *gather_joined(Check *c, Node *a, const Gathers *k)
{
    const Dim *dim[MAX_RANK];
    int place;

    if (k->n == 1)
        return g_gather_inside(c->graph, a, k->index[0], k->axis[0]);
    for (int i = 0; i < k->n; i++)
        dim[i] = a->dim[k->axis[i]];
    a = join_axes(c, a, k->n, k->axis, &place);
    return g_gather_inside(c->graph, a, linear_index(c, k->n, k->index, dim),
                           place);
}

/* Takes the first scalar from k, and with it those that vary with the same
 * binders: A[i, i] is one place in all of A, A[i, j] a row and then a place. */
static bool next_point(Check *c, Gathers *k, Gathers *point)
{
    Gathers rest = {0};
    uint64_t mask = 0, each[MAX_RANK] = {0};
    bool taken[MAX_RANK] = {false}, more = true;
    int first = 0;

    while (first < k->n && k->index[first]->rank > 0)
        first++;
    if (first == k->n)
        return false;
    for (int i = first; i < k->n; i++)
        each[i] = index_mask(c, k->index[i]);
    mask = each[first];
    while (more) {
        more = false;
        for (int i = first; i < k->n; i++) {
            if (taken[i] || k->index[i]->rank > 0 ||
                !(i == first || each[i] & mask || (!mask && !each[i])))
                continue;
            taken[i] = more = true;
            mask |= each[i];
        }
    }
    point->n = 0;
    for (int i = 0; i < k->n; i++) {
        Gathers *to = taken[i] ? point : &rest;

        to->index[to->n] = k->index[i];
        to->axis[to->n++] = k->axis[i] - (taken[i] ? 0 : point->n);
    }
    *k = rest;
    return true;
}

static Node *take_gathers(Indexing *x, Span at, Node *a, int n, const Pick *p)
{
    Check *c = x->c;
    Gathers all = {0}, point;
    Operand index[MAX_RANK];
    Operation o = {x->s, "[…]", at, 0, index};

    for (int i = 0, k = 0; i < n; i++) {
        if (p[i].kind == PICK_gather) {
            all.index[all.n] = p[i].index;
            all.axis[all.n++] = k;
        }
        k += p[i].kind != PICK_point;
    }
    while (next_point(c, &all, &point))
        a = gather_joined(c, a, &point);
    if (all.n == 0)
        return a;
    for (int i = 0; i < all.n; i++)
        index[o.n++] = (Operand){value_tensor(c, all.index[i]), at, NULL};
    if (all.n > 1 && !arith_broadcast(c, &o, all.index))
        return NULL;
    if (a->rank - all.n + all.index[0]->rank > MAX_RANK)
        return check_none(c, at, "rank",
                          "the result has more than %d dimensions", MAX_RANK);
    return gather_joined(c, a, &all);
}

/* e with a range for each dimension that `..` stands for; NULL after
 * messages. */
static const Expr *rest_written_out(Indexing *x, const Expr *e, int rank)
{
    Expr *all = arena_copy(x->c->arena, e, sizeof *e);
    Sub *sub = NEWN(x->c->arena, Sub, rank + e->index.nsub);
    int rest = rank - e->index.nsub + 1, n = 0, seen = 0;

    for (int i = 0; i < e->index.nsub; i++) {
        Sub each = e->index.sub[i];
        int count = each.rest ? rest : 1;

        seen += each.rest;
        if (seen > 1)
            return check_none(x->c, each.span, "index",
                              "there is a '..' before this one");
        each.rest = false;
        while (count-- > 0)
            sub[n++] = each;
    }
    all->index.sub = sub;
    all->index.nsub = n;
    return seen ? all : e;
}

static bool too_many(Indexing *x, const Expr *e, const Value *v)
{
    int n = e->index.nsub, rank = v->node->rank;

    for (int i = 0; i < e->index.nsub; i++)
        n -= e->index.sub[i].rest;
    if (n <= rank)
        return false;
    if (rank == 0)
        check_fail(x->c, e->span, "index", "a scalar takes no subscripts");
    else
        check_fail(x->c, e->span, "index", "%d subscripts for %d dimension%s",
                   n, rank, rank == 1 ? "" : "s");
    check_label(x->c, x->s, e->index.of, v);
    return true;
}

static const Value *index_tensor(Indexing *x, const Expr *e, const Value *v)
{
    Check *c = x->c;
    Pick *p;
    Node *n;

    if (too_many(x, e, v))
        return c->error;
    e = rest_written_out(x, e, v->node->rank);
    if (!e)
        return c->error;
    p = make_picks(x, e, v->node->dim);
    if (!p)
        return c->error;
    n = with_room(c, v->node, e->index.nsub, p);
    n = take_slices(c, n, e->index.nsub, p);
    n = take_gathers(x, e->span, n, e->index.nsub, p);
    return n ? value_tensor(c, n) : c->error;
}

/* blocks[i]: the same place of every leaf. */
static const Value *index_stack(Indexing *x, const Expr *e, const Value *v)
{
    Check *c = x->c;
    Node **leaf = NEWN(c->arena, Node *, v->nleaf + 1);
    const Type *t = v->ty->part[0];
    const Dim *count = NULL; /* of one there is none */
    Pick *p;

    if (e->index.nsub != 1)
        return check_fail(c, e->span, "index", "a stack takes one subscript");
    p = make_picks(x, e, &v->ty->count);
    if (!p)
        return c->error;
    if (p->kind == PICK_range)
        count = p->size;
    else if (p->kind == PICK_gather && p->index->rank == 1)
        count = p->index->dim[0];
    else if (p->kind == PICK_gather && p->index->rank > 1)
        return check_fail(c, e->span, "index",
                          "a stack is indexed by an int or one row of them");
    for (int i = 0; i < v->nleaf; i++) {
        Node *n = take_slices(c, with_room(c, v->leaf[i], 1, p), 1, p);

        leaf[i] = take_gathers(x, e->span, n, 1, p);
        if (!leaf[i])
            return c->error;
    }
    return value_of_leaves(c, count ? type_stack(c->arena, t, count) : t, leaf);
}

const Value *eval_index(Check *c, const Scope *s, const Expr *e)
{
    Indexing x = {c, s, NULL, e->index.of};
    const Value *v = eval(c, s, e->index.of);

    v = value_settle(c, e->index.of->span, v);
    x.of = v;
    if (value_is_error(v))
        return v;
    if (v->kind == V_stack)
        return index_stack(&x, e, v);
    if (v->kind == V_tensor)
        return index_tensor(&x, e, v);
    check_fail(c, e->span, "index", "only tensors and stacks take subscripts");
    check_label(c, s, e->index.of, v);
    if (v->kind == V_tuple)
        check_detail(c, "parts of a tuple are .0, .1, …");
    return c->error;
}
