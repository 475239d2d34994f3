/* shown.c: how values are written in formulas: what most operators of a class
 * have in common. See graph/form.h. */
#include "graph/ops/shown.h"

#include <string.h>

enum {
    MAX_LABELS = 2 * MAX_RANK,
    MOST_WRITTEN = 64, /* numbers of a tensor that is written out */
};

/* Elementwise. */

static FormKind kind_of(const Node *n)
{
    FormKind kind = op_table[n->op]->shown.kind;
    return kind == FORM_fraction && !dtype_is_real(n->dtype) ? FORM_quotient
                                                             : kind;
}

/* What an operator is called that says nothing else. */
static const Shown *name_of(FormMaker *m, const Node *n)
{
    const Op *row = op_table[n->op];
    if (row->shown.text)
        return &row->shown;
    Shown *own = NEW(m->arena, Shown);
    own->kind = FORM_call;
    own->nn = op_surface(n->op);
    own->text = own->nn ? own->nn : row->name;
    return own;
}

static const Form *ewise(FormMaker *m, const Node *n, const Form *const *at)
{
    const Form *matrix = at ? NULL : shown_matrix(m, n);
    if (matrix)
        return matrix;
    const Form *x[MAX_INPUTS];
    bool spread = n->rank > 0;
    for (int i = 0; i < n->narg; i++) {
        const Node *a = n->arg[i];
        bool order = i == 0 && op_table[n->op]->flags & OP_ORDER;
        x[i] = order ? form_number(m, const_value(a), true)
               : at  ? m->element(m, a, at)
                     : m->whole(m, a);
        if (!x[i])
            return NULL;
        spread = spread && (order || x[i]->spread);
    }
    if (n->op == OP_if && !at && n->rank && (x[1]->spread || x[2]->spread))
        return NULL;
    m->derived = n->derived;
    const Form *f = form_make(m, kind_of(n), name_of(m, n), n->narg, x);
    m->derived = false;
    if (!spread || at || f == x[0])
        return f;
    Form *to = arena_copy(m->arena, f, sizeof *f);
    to->spread = true;
    return to;
}

static const Shown shown_sum = {FORM_over, "sum", "Σ", "\\sum"};

/* The elements of x where something is reduced over new indices. */
typedef struct Over {
    const Form *var[MAX_LABELS];
    const Dim *bound[MAX_LABELS];
    int n, before;
} Over;

static Over over_begin(FormMaker *m) { return (Over){.before = m->nindex}; }

static const Form *over_index(FormMaker *m, Over *o, const Dim *bound)
{
    o->bound[o->n] = bound;
    return o->var[o->n++] = form_index(m);
}

static const Form *over_end(FormMaker *m, const Over *o, const Shown *shown,
                            const Form *cond, const Form *body)
{
    m->nindex = o->before;
    return form_over(m, shown, o->n, o->var, o->bound, cond, body);
}

/* f where cond holds, or there is none; else 0, as n has it. */
static const Form *or_0(FormMaker *m, const Node *n, const Form *cond,
                        const Form *f)
{
    const Form *arg[] = {cond, f, form_number(m, 0, !dtype_is_real(n->dtype))};
    return cond ? form_make(m, FORM_cases, NULL, 3, arg) : f;
}

/* The sum of n's terms for which cond holds; of one without an index, that. */
static const Form *sum_end(FormMaker *m, const Node *n, const Over *o,
                           const Form *cond, const Form *term)
{
    if (!o->n)
        return or_0(m, n, cond, term);
    Form *f =
        arena_copy(m->arena, over_end(m, o, &shown_sum, cond, term), sizeof *f);
    f->integer = !dtype_is_real(n->dtype);
    return f;
}

static const Form *reduction(FormMaker *m, const Node *n, const Form *const *at)
{
    const Form *place[MAX_RANK];
    const Node *x = n->arg[0];
    Over o = over_begin(m);
    if (!at && n->rank)
        return NULL;
    for (int i = 0, kept = 0, k = 0; i < x->rank; i++) {
        bool gone = k < n->attr.nint && n->attr.ints[k] == i;
        place[i] = gone ? over_index(m, &o, x->dim[i]) : at[kept++];
        k += gone;
    }
    return over_end(m, &o, name_of(m, n), NULL, m->element(m, x, place));
}

/* Products. */

static const Form *contraction(FormMaker *m, const Node *n,
                               const Form *const *at)
{
    const Node *x[2] = {n->arg[0], n->arg[1]};
    const Form *index[MAX_LABELS] = {NULL}, *place[MAX_RANK], *factor[2];
    const int *label = n->attr.ints;
    Over o = over_begin(m);
    const Form *product = at ? NULL : shown_product(m, n);
    if (product)
        return product;
    if (!at && n->rank)
        return NULL;
    for (int i = 0; i < n->rank; i++)
        index[i] = at[i];
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < x[k]->rank; i++, label++) {
            if (!index[*label])
                index[*label] = over_index(m, &o, x[k]->dim[i]);
            place[i] = index[*label];
        }
        factor[k] = m->element(m, x[k], place);
    }
    const Form *body = form2(m, FORM_product, factor[0], factor[1]);
    return over_end(m, &o, &shown_sum, NULL, body);
}

/* Indices. */

/* Places are ints in programs. */
static const Form *index_at(FormMaker *m, const Node *index,
                            const Form *const *at)
{
    static const Shown to_int = {FORM_cast, "int", "int", NULL};
    const Form *i = m->element(m, index, at);
    return m->literal && index->dtype != DT_i32
               ? form_make(m, FORM_cast, &to_int, 1, &i)
               : i;
}

static const Form *gathered(FormMaker *m, const Node *n, const Form *const *at)
{
    const Node *x = n->arg[0], *index = n->arg[1];
    const Form *place[MAX_RANK];
    int axis = (int)n->attr.integer;
    if (!at && n->rank)
        return NULL;
    for (int i = 0; i < axis; i++)
        place[i] = at[i];
    place[axis] = index_at(m, index, at + axis);
    for (int i = axis + 1; i < x->rank; i++)
        place[i] = at[i - 1 + index->rank];
    return m->element(m, x, place);
}

/* The sum of the elements that belong to a place. */
static const Form *scattered(FormMaker *m, const Node *n, const Form *const *at)
{
    const Node *x = n->arg[0], *index = n->arg[1];
    const Form *place[MAX_RANK];
    int axis = (int)n->attr.integer;
    Over o = over_begin(m);
    if (!at)
        return NULL;
    for (int i = 0; i < x->rank; i++)
        place[i] = i < axis                 ? at[i]
                   : i < axis + index->rank ? over_index(m, &o, x->dim[i])
                                            : at[i - index->rank + 1];
    const Form *cond = form_equal(m, m->element(m, index, place + axis),
                                  form_typed(m, index->dtype, at[axis]));
    return sum_end(m, n, &o, cond, m->element(m, x, place));
}

/* Views: the element of the argument that stands at an index. */

static const Form *plus(FormMaker *m, const Form *x, const Form *y)
{
    return form_of_sizes(m, FORM_sum, x, y);
}

static const Form *times(FormMaker *m, const Form *x, const Form *y)
{
    return form_of_sizes(m, FORM_product, x, y);
}

static const Form *less(FormMaker *m, const Form *x, const Form *y)
{
    return form_of_sizes(m, FORM_difference, x, y);
}

static const Form *integer(FormMaker *m, int64_t v)
{
    return form_number(m, (double)v, true);
}

/* The number of an element, counted row by row over axes from … to. */
static const Form *row_major(FormMaker *m, const Node *n, const Form *const *at,
                             int from, int to)
{
    const Form *k = integer(m, 0);
    for (int i = from; i < to; i++) {
        if (dim_is(n->dim[i], 1))
            continue;
        k = plus(m, times(m, k, form_dim(m, n->dim[i])), at[i]);
    }
    return k;
}

/* That number's index along axes from … to of x. */
static void unravel(FormMaker *m, const Node *x, const Form *k, int from,
                    int to, const Form **place)
{
    int first = from;
    while (first < to && dim_is(x->dim[first], 1))
        first++;
    for (int i = to - 1; i >= from; i--) {
        const Form *size = form_dim(m, x->dim[i]);
        bool one = dim_is(x->dim[i], 1);
        place[i] = one          ? integer(m, 0)
                   : i <= first ? k
                                : form2(m, FORM_remainder, k, size);
        if (!one && i > first)
            k = form2(m, FORM_quotient, k, size);
    }
}

/* The sizes of axes multiply to the same in groups; in each the elements are
 * counted. */
static void reshaped(FormMaker *m, const Node *n, const Form *const *at,
                     const Form **place)
{
    const Node *x = n->arg[0];
    Graph *g = m->graph;
    for (int i = 0, k = 0; i < x->rank || k < n->rank;) {
        int i0 = i, k0 = k;
        const Dim *one = dim_const(g, 1), *a = one, *b = one;
        do {
            bool more = k >= n->rank || (i < x->rank && a == one) ||
                        (i < x->rank && i - i0 < k - k0);
            if (more)
                a = dim_mul(g, a, x->dim[i++]);
            else
                b = dim_mul(g, b, n->dim[k++]);
        } while (a != b && (i < x->rank || k < n->rank));
        if (a != b || i == x->rank || k == n->rank) {
            i = x->rank;
            k = n->rank;
        }
        unravel(m, x, row_major(m, n, at, k0, k), i0, i, place);
    }
}

/* Place k that v makes of at: what moves on, the start, what moves back. */
static const Form *moved(FormMaker *m, const View *v, int k,
                         const Form *const *at)
{
    const Form *sum = NULL;
    bool back = false;
    int64_t c;
    for (int j = 0; j < v->rank; j++) {
        if (v->axis[j] != k)
            continue;
        bool known = dim_const_value(v->coef[j], &c);
        const Form *by = known ? integer(m, c) : form_dim(m, v->coef[j]);
        back = back || (known && c < 0);
        if (!known || c > 0)
            sum = sum ? plus(m, sum, times(m, by, at[j])) : times(m, by, at[j]);
    }
    if (!sum)
        sum = form_dim(m, v->base[k]);
    else if (!dim_is(v->base[k], 0))
        sum = plus(m, sum, form_dim(m, v->base[k]));
    for (int j = 0; j < v->rank && back; j++)
        if (v->axis[j] == k && dim_const_value(v->coef[j], &c) && c < 0)
            sum = less(m, sum, times(m, integer(m, -c), at[j]));
    return sum;
}

/* Where an element of n stands in its argument, for views that only read. */
static void view_place(FormMaker *m, const Node *n, const Form *const *at,
                       const Form **place)
{
    if (n->op == OP_reshape) {
        reshaped(m, n, at, place);
        return;
    }
    View v = view_of(n);
    for (int k = 0; k < v.from; k++)
        place[k] = moved(m, &v, k, at);
}

static const Form *both(FormMaker *m, const Form *a, const Form *b)
{
    return a ? form2(m, FORM_and, a, b) : b;
}

/* The axis that alone moves along axis k; or -1. */
static int mover(const View *v, int k)
{
    for (int j = 0; j < v->rank; j++)
        if (v->axis[j] == k)
            return view_movers(v, k) == 1 ? j : -1;
    return -1;
}

/* Is at[k] where axis j, which alone moves along axis k of n by constant steps
 * upwards, comes by; at which of its places. */
static const Form *comes_by(FormMaker *m, const Node *n, const View *v, int k,
                            int j, const Form *const *at, const Form **place)
{
    Graph *g = m->graph;
    const Form *from = less(m, at[k], form_dim(m, v->base[k])), *cond = NULL;
    const Form *step = form_dim(m, v->coef[j]);
    const Dim *end = dim_add(g, v->base[k], dim_mul(g, v->coef[j], v->size[j]));
    bool apart = !dim_is(v->coef[j], 1);
    *place = apart ? form2(m, FORM_quotient, from, step) : from;
    if (!dim_is(v->base[k], 0))
        cond = form_at_most(m, form_dim(m, v->base[k]), at[k]);
    if (end != n->dim[k])
        cond = both(m, cond, form_less(m, at[k], form_dim(m, end)));
    if (apart)
        cond = both(
            m, cond,
            form_equal(m, form2(m, FORM_remainder, from, step), integer(m, 0)));
    return cond;
}

/* Adds up what comes to at; around that is 0. */
static const Form *added(FormMaker *m, const Node *n, const Form *const *at)
{
    const Node *x = n->arg[0];
    const View v = view_of(n);
    const Form *place[MAX_RANK] = {NULL}, *cond = NULL, *where = NULL;
    int64_t c;
    for (int k = 0; k < v.from; k++) {
        int j = mover(&v, k);
        if (j >= 0 && dim_const_value(v.coef[j], &c) && c > 0) {
            const Form *here = comes_by(m, n, &v, k, j, at, &place[j]);
            cond = here ? both(m, cond, here) : cond;
        } else if (view_movers(&v, k) == 0 && !dim_is(n->dim[k], 1)) {
            cond = both(m, cond, form_equal(m, at[k], form_dim(m, v.base[k])));
        }
    }
    Over o = over_begin(m);
    for (int j = 0; j < v.rank; j++)
        if (!place[j])
            place[j] = over_index(m, &o, x->dim[j]);
    for (int k = 0; k < v.from; k++) {
        int j = mover(&v, k);
        if (view_movers(&v, k) > 0 &&
            !(j >= 0 && dim_const_value(v.coef[j], &c) && c > 0))
            where =
                both(m, where, form_equal(m, moved(m, &v, k, place), at[k]));
    }
    return or_0(m, n, cond, sum_end(m, n, &o, where, m->element(m, x, place)));
}

/* Which of the parts an element stands in. */
static const Form *joined(FormMaker *m, const Node *n, const Form *const *at)
{
    const Form *f = NULL, *place[MAX_RANK];
    int axis = (int)n->attr.integer;
    const Dim *from = n->dim[axis];
    for (int k = n->narg - 1; k >= 0; k--) {
        const Dim *to = from;
        from = dim_sub(m->graph, from, n->arg[k]->dim[axis]);
        memcpy(place, at, sizeof *place * (size_t)n->rank);
        place[axis] = less(m, at[axis], form_dim(m, from));
        const Form *part = m->element(m, n->arg[k], place);
        const Form *arg[] = {form_less(m, at[axis], form_dim(m, to)), part, f};
        f = f ? form_make(m, FORM_cases, NULL, 3, arg) : part;
    }
    return f;
}

/* Broadcasts along leading axes and transposes are seen from the formula that
 * they stand in. */
static const Form *whole_view(FormMaker *m, const Node *n)
{
    const Node *x = n->arg[0];
    if (node_permutes(n) && n->rank == 2)
        return form1(m, FORM_transpose, m->named(m, x));
    if (!node_repeats(n))
        return NULL;
    for (int i = 0; i < n->rank; i++)
        if (n->attr.ints[i] !=
            (i < n->rank - x->rank ? -1 : i - (n->rank - x->rank)))
            return NULL;
    const Form *f = m->whole(m, x);
    Form *to = f ? arena_copy(m->arena, f, sizeof *f) : NULL;
    if (to)
        to->spread = true;
    return to;
}

/* The matrix that n, which steps over its elements row by row, is the diagonal
 * of; or NULL. */
static const Node *with_diagonal(FormMaker *m, const Node *n)
{
    const Node *x = n->op == OP_view ? n->arg[0] : NULL;
    const Node *a = x && x->op == OP_reshape ? x->arg[0] : NULL;
    if (!a || n->rank != 1 || a->rank != 2 || a->dim[0] != a->dim[1] ||
        a->dim[0] != n->dim[0])
        return NULL;
    /* As many as there are rows, so far apart, begin with the first. */
    const Dim *step = dim_add(m->graph, n->dim[0], dim_const(m->graph, 1));
    return view_of(n).coef[0] == step ? a : NULL;
}

static const Form *view(FormMaker *m, const Node *n, const Form *const *at)
{
    const Form *place[MAX_RANK] = {NULL};
    const Node *matrix = at ? with_diagonal(m, n) : NULL;
    if (matrix)
        return m->element(m, matrix, (const Form *[]){at[0], at[0]});
    if (!at)
        return whole_view(m, n);
    if (n->op == OP_view_add)
        return added(m, n, at);
    if (n->op == OP_concat)
        return joined(m, n, at);
    view_place(m, n, at, place);
    return m->element(m, n->arg[0], place);
}

/* A call with the words of what is asked for. */
static const Form *routine(FormMaker *m, const Node *n, const Form *const *at)
{
    const char *const *word = op_table[n->op]->words;
    const Form *arg[2 + MAX_ASKED];
    int count = 0;
    for (int i = 0; i < n->narg; i++)
        arg[count++] = m->named(m, n->arg[i]);
    for (int i = 0; word[i]; i++)
        if (n->attr.integer >> i & 1)
            arg[count++] = form_name(
                m,
                arena_printf(m->arena, m->literal ? "%s = true" : "%s",
                             word[i]),
                0);
    Shown *shown = NEW(m->arena, Shown);
    *shown =
        (Shown){FORM_call, op_table[n->op]->name, op_table[n->op]->name, NULL};
    Form *f = arena_copy(m->arena, form_make(m, FORM_call, shown, count, arg),
                         sizeof *f);
    f->rank = n->rank;
    return at ? form_at(m, f, n->rank, at) : f;
}

/* The places of the elements in their order: all, or the first ones. */
static const Form *sorted(FormMaker *m, const Node *n, const Form *const *at)
{
    static const Shown argsort = {FORM_call, "argsort", "argsort", NULL};
    const Node *x = n->arg[0];
    bool all = n->attr.dims[0] == x->dim[x->rank - 1];
    const char *down = m->literal ? "descending = true" : "descending";
    if (all == (at != NULL))
        return NULL;
    const Form *arg[] = {m->named(m, x), form_name(m, down, 0)};
    Form *f = arena_copy(
        m->arena,
        form_make(m, FORM_call, &argsort, n->attr.integer ? 2 : 1, arg),
        sizeof *f);
    f->rank = x->rank;
    return at ? form_at(m, f, n->rank, at) : f;
}

/* Leaves. */

/* The word for a conversion to that type. */
static const Shown *conversion(FormMaker *m, DType to)
{
    Shown *s = NEW(m->arena, Shown);
    s->kind = FORM_cast;
    s->nn = s->text = to == graph_real(m->graph) ? real_word : dtype_word(to);
    return s;
}

const Form *form_typed(FormMaker *m, DType t, const Form *f)
{
    bool plain = t == DT_i32 || t == DT_bool || t == graph_real(m->graph);
    if (plain || !m->literal)
        return f;
    Form *to = arena_copy(
        m->arena, form_make(m, FORM_cast, conversion(m, t), 1, &f), sizeof *to);
    to->rank = f->rank;
    return to;
}

/* Formulas have numbers of 53 bits; a program gets larger ones in two parts. */
static const Form *integer_constant(FormMaker *m, DType t, int64_t v)
{
    const int64_t half = INT64_C(1) << 32;
    if (!m->literal || (v < INT64_C(1) << 53 && v > -(INT64_C(1) << 53)))
        return form_typed(m, t, form_number(m, (double)v, true));
    int64_t low = v & (half - 1);
    const Form *high = form_number(m, (double)((v - low) / half), true);
    const Form *by = form_number(m, (double)half, true);
    const Form *all = form2(m, FORM_product, form_typed(m, DT_i64, high), by);
    all = form2(m, FORM_sum, all, form_number(m, (double)low, true));
    return t == DT_key ? form_typed(m, t, all) : all;
}

static const Form *data(FormMaker *m, const Node *n, int axis, int64_t *next)
{
    LIST(const Form *) of = {0};
    int64_t size;
    if (axis == n->rank)
        return form_number(m, n->attr.data[(*next)++],
                           !dtype_is_real(n->dtype));
    dim_const_value(n->dim[axis], &size);
    for (int64_t i = 0; i < size; i++)
        list_push(m->arena, &of, data(m, n, axis + 1, next));
    return form_make(m, FORM_list, NULL, of.n, of.at);
}

static const Form *leaf(FormMaker *m, const Node *n, const Form *const *at)
{
    static const Shown iota = {FORM_call, "iota", "iota", NULL};
    const Form *f;
    int64_t next = 0;
    switch (n->op) {
    case OP_const:
        if (n->dtype == DT_bool)
            return form_name(m, n->attr.integer ? "true" : "false", 0);
        if (!dtype_is_real(n->dtype))
            return integer_constant(m, n->dtype, n->attr.integer);
        return form_typed(m, n->dtype, form_number(m, n->attr.real, false));
    case OP_data:
        if (n->attr.integer > MOST_WRITTEN && !m->literal)
            return at ? form_at(m, form_name(m, "data", n->rank), n->rank, at)
                      : form_name(m, "data", n->rank);
        f = form_typed(m, n->dtype, data(m, n, 0, &next));
        return at ? form_at(m, f, n->rank, at) : f;
    case OP_dim:
        f = form_dim(m, n->attr.dims[0]);
        if (n->dtype == DT_i32)
            return f;
        return form_make(m, FORM_cast, conversion(m, n->dtype), 1, &f);
    case OP_iota:
        f = form_dim(m, n->attr.dims[0]);
        f = at ? at[0] : form_make(m, FORM_call, &iota, 1, &f);
        return form_typed(m, n->dtype, f);
    }
    return NULL;
}

/* Conversions: to reals they go without saying. */
static const Form *cast(FormMaker *m, const Node *n, const Form *const *at)
{
    const Node *a = n->arg[0];
    const Form *x = at && a->rank ? m->element(m, a, at) : m->whole(m, a);
    if (!x)
        return NULL;
    bool cut = dtype_is_real(a->dtype) && !dtype_is_real(n->dtype);
    Form *f = arena_copy(m->arena,
                         form_make(m, cut ? FORM_call : FORM_cast,
                                   conversion(m, n->dtype), 1, &x),
                         sizeof *f);
    f->spread = x->spread;
    return f;
}

const Form *form_of(FormMaker *m, const Node *n, const Form *const *at)
{
    switch (op_table[n->op]->cls) {
    case OPC_leaf:
        return leaf(m, n, at);
    case OPC_ewise:
        return n->op == OP_cast ? cast(m, n, at) : ewise(m, n, at);
    case OPC_select:
        return ewise(m, n, at);
    case OPC_reduce:
        return reduction(m, n, at);
    case OPC_contract:
        return contraction(m, n, at);
    case OPC_view:
        return view(m, n, at);
    case OPC_index:
        return n->op == OP_gather ? gathered(m, n, at) : scattered(m, n, at);
    case OPC_sort:
        return sorted(m, n, at);
    case OPC_routine:
        return routine(m, n, at);
    case OPC_region:
        return NULL;
    }
    return NULL;
}
