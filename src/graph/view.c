/* view.c: the algebra of affine maps between indices. */
#include "graph/view.h"

#include "graph/op.h"

View view_of(const Node *n)
{
    const Attr *a = &n->attr;
    const Node *x = n->arg[0];
    bool reads = n->op == OP_view;
    View v;
    v.rank = a->nint;
    v.from = reads ? x->rank : n->rank;
    const Dim *const *coef = a->dims + n->rank;
    for (int j = 0; j < v.rank; j++) {
        v.axis[j] = a->ints[j];
        v.size[j] = reads ? a->dims[j] : x->dim[j];
        v.coef[j] = coef[j];
    }
    for (int k = 0; k < v.from; k++)
        v.base[k] = coef[v.rank + k];
    return v;
}

View view_whole(Graph *g, const Node *x)
{
    View v;
    v.rank = v.from = x->rank;
    for (int j = 0; j < x->rank; j++) {
        v.axis[j] = j;
        v.size[j] = x->dim[j];
        v.coef[j] = dim_const(g, 1);
        v.base[j] = dim_const(g, 0);
    }
    return v;
}

bool view_goes_through(const View *v, int j, const Dim *const *dim)
{
    int k = v->axis[j];
    return k >= 0 && v->size[j] == dim[k] && dim_is(v->coef[j], 1) &&
           dim_is(v->base[k], 0);
}

bool view_is_whole(const View *v, const Dim *const *dim)
{
    if (v->rank != v->from)
        return false;
    for (int j = 0; j < v->rank; j++)
        if (v->axis[j] != j || !view_goes_through(v, j, dim))
            return false;
    return true;
}

bool view_only_repeats(const View *v, const Dim *const *dim)
{
    int next = 0;
    for (int j = 0; j < v->rank; j++) {
        if (v->axis[j] < 0)
            continue;
        if (v->axis[j] != next++ || !view_goes_through(v, j, dim))
            return false;
    }
    return next == v->from;
}

View view_compose(Graph *g, const View *outer, const View *inner)
{
    View v;
    v.rank = outer->rank;
    v.from = inner->from;
    for (int m = 0; m < v.from; m++)
        v.base[m] = inner->base[m];
    for (int k = 0; k < inner->rank; k++)
        if (inner->axis[k] >= 0) {
            const Dim **base = &v.base[inner->axis[k]];
            *base =
                dim_add(g, *base, dim_mul(g, inner->coef[k], outer->base[k]));
        }
    for (int j = 0; j < v.rank; j++) {
        int k = outer->axis[j];
        v.size[j] = outer->size[j];
        v.axis[j] = k < 0 ? -1 : inner->axis[k];
        v.coef[j] = v.axis[j] < 0 ? dim_const(g, 0)
                                  : dim_mul(g, inner->coef[k], outer->coef[j]);
    }
    return v;
}

bool view_too_large(const View *v)
{
    bool large = false;
    for (int j = 0; j < v->rank; j++)
        large |= dim_too_large(v->size[j]) || dim_too_large(v->coef[j]);
    for (int k = 0; k < v->from; k++)
        large |= dim_too_large(v->base[k]);
    return large;
}

bool view_equal(const View *a, const View *b)
{
    if (a->rank != b->rank || a->from != b->from)
        return false;
    for (int j = 0; j < a->rank; j++)
        if (a->axis[j] != b->axis[j] || a->size[j] != b->size[j] ||
            a->coef[j] != b->coef[j])
            return false;
    for (int k = 0; k < a->from; k++)
        if (a->base[k] != b->base[k])
            return false;
    return true;
}

void view_remove(View *v, int j)
{
    v->rank--;
    for (; j < v->rank; j++) {
        v->axis[j] = v->axis[j + 1];
        v->size[j] = v->size[j + 1];
        v->coef[j] = v->coef[j + 1];
    }
}

void view_insert(View *v, int j, int axis, const Dim *size, const Dim *coef)
{
    for (int i = v->rank++; i > j; i--) {
        v->axis[i] = v->axis[i - 1];
        v->size[i] = v->size[i - 1];
        v->coef[i] = v->coef[i - 1];
    }
    v->axis[j] = axis;
    v->size[j] = size;
    v->coef[j] = coef;
}

void view_widen(Graph *g, View *v, int j, const Dim *dim)
{
    v->size[j] = dim;
    v->coef[j] = dim_const(g, 1);
    v->base[v->axis[j]] = dim_const(g, 0);
}

View view_batch(Graph *g, const View *v, const Dim *b)
{
    View w = *v;
    for (int j = 0; j < w.rank; j++)
        w.axis[j] += w.axis[j] >= 0;
    for (int k = w.from++; k > 0; k--)
        w.base[k] = w.base[k - 1];
    w.base[0] = dim_const(g, 0);
    view_insert(&w, 0, 0, b, dim_const(g, 1));
    return w;
}

int view_movers(const View *v, int k)
{
    int n = 0;
    for (int j = 0; j < v->rank; j++)
        n += v->axis[j] == k;
    return n;
}

bool view_is_slice(const View *v)
{
    int64_t step;
    if (v->rank != v->from)
        return false;
    for (int j = 0; j < v->rank; j++)
        if (v->axis[j] != j || !dim_const_value(v->coef[j], &step) || step < 1)
            return false;
    return true;
}

bool view_sort(const View *v, View *sorted, int *perm)
{
    bool same = true;
    *sorted = *v;
    sorted->rank = 0;
    for (int k = -1; k < v->from; k++)
        for (int j = 0; j < v->rank; j++) {
            if (v->axis[j] != k)
                continue;
            perm[j] = sorted->rank;
            same = same && perm[j] == j;
            view_insert(sorted, sorted->rank, k, v->size[j], v->coef[j]);
        }
    return !same;
}

bool view_range(Graph *g, const View *v, int k, const Dim **lo, const Dim **hi)
{
    *lo = *hi = v->base[k];
    for (int j = 0; j < v->rank; j++) {
        int64_t step;
        if (v->axis[j] != k)
            continue;
        if (!dim_const_value(v->coef[j], &step))
            return false;
        const Dim **end = step < 0 ? lo : hi;
        const Dim *last = dim_sub(g, v->size[j], dim_const(g, 1));
        *end = dim_add(g, *end, dim_mul(g, last, v->coef[j]));
    }
    return true;
}

bool view_tidy(Graph *g, View *v)
{
    View old = *v;
    for (int j = 0; j < v->rank; j++) {
        int k = v->axis[j];
        bool one = dim_is(v->size[j], 1);
        if (k < 0 || (!one && !dim_is(v->coef[j], 0)))
            continue;
        bool alone = one && view_movers(v, k) == 1;
        v->axis[j] = alone ? k : -1;
        v->coef[j] = dim_const(g, alone);
    }
    return !view_equal(v, &old);
}

bool view_digits(Graph *g, const View *v, int *i, int *j)
{
    for (*i = 0; *i < v->rank; ++*i)
        for (*j = 0; *j < v->rank; ++*j)
            if (v->axis[*i] >= 0 && *i != *j && v->axis[*i] == v->axis[*j] &&
                v->coef[*i] == dim_mul(g, v->coef[*j], v->size[*j]))
                return true;
    return false;
}

int view_join(Graph *g, View *v, int i, int j)
{
    int at = i - (j < i);
    v->size[i] = dim_mul(g, v->size[i], v->size[j]);
    v->coef[i] = v->coef[j];
    view_remove(v, j);
    return at;
}

bool is_view(const Node *n) { return n->op == OP_view || n->op == OP_reshape; }

bool node_repeats(const Node *n)
{
    if (n->op != OP_view || n->rank <= n->arg[0]->rank)
        return false;
    for (int i = 0; i < n->rank; i++)
        if (n->attr.ints[i] < 0)
            return true;
    return false;
}

const Node *node_repeated(const Node *n)
{
    return node_repeats(n) ? n->arg[0] : n;
}

bool node_permutes(const Node *n)
{
    if (n->op != OP_view || n->rank != n->arg[0]->rank)
        return false;
    View v = view_of(n);
    for (int j = 0; j < v.rank; j++)
        if (view_movers(&v, j) != 1 ||
            !view_goes_through(&v, j, n->arg[0]->dim))
            return false;
    return true;
}

static bool goes_upwards(const Node *n, OpId op)
{
    if (n->op != op)
        return false;
    View v = view_of(n);
    return view_is_slice(&v);
}

bool node_slices(const Node *n) { return goes_upwards(n, OP_view); }
bool node_pads(const Node *n) { return goes_upwards(n, OP_view_add); }

const char *view_word(const Node *n)
{
    return node_repeats(n)    ? "broadcast"
           : node_permutes(n) ? "permute"
           : node_slices(n)   ? "slice"
           : node_pads(n)     ? "pad"
                              : op_table[n->op]->name;
}

/* coef · letter, after what is there. */
static void print_term(const Dim *coef, char letter, bool first, Str *to)
{
    int64_t c;
    bool known = dim_const_value(coef, &c);
    str_printf(to, first ? "" : known && c < 0 ? " - " : " + ");
    if (first && known && c < 0)
        str_printf(to, "-");
    if (!known) {
        str_printf(to, "(");
        dim_print(coef, to);
        str_printf(to, ")*");
    } else if (c != 1 && c != -1)
        str_printf(to, "%lld*", (long long)(c < 0 ? -c : c));
    str_printf(to, "%c", letter);
}

void view_print(const View *v, Str *to)
{
    for (int k = 0; k < v->from; k++) {
        bool first = true;
        str_printf(to, k ? ", " : "");
        for (int j = 0; j < v->rank; j++) {
            if (v->axis[j] != k)
                continue;
            print_term(v->coef[j], (char)('i' + j), first, to);
            first = false;
        }
        if (!first && dim_is(v->base[k], 0))
            continue;
        str_printf(to, first ? "" : " + ");
        dim_print(v->base[k], to);
    }
}

/* Makers: the views that have names. */

Node *g_broadcast(Graph *g, Node *a, int rank, const Dim *const *dim,
                  const int *axis)
{
    View v;
    v.rank = rank;
    v.from = a->rank;
    for (int j = 0; j < rank; j++) {
        v.axis[j] = axis[j];
        v.size[j] = dim[j];
        v.coef[j] = dim_const(g, axis[j] >= 0);
    }
    for (int k = 0; k < a->rank; k++)
        v.base[k] = dim_const(g, 0);
    return g_view(g, a, &v);
}

Node *g_broadcast_to(Graph *g, Node *a, int rank, const Dim *const *dim)
{
    int axis[MAX_RANK];
    for (int i = 0; i < rank; i++)
        axis[i] = i < rank - a->rank ? -1 : i - (rank - a->rank);
    return g_broadcast(g, a, rank, dim, axis);
}

Node *g_permute(Graph *g, Node *a, const int *perm)
{
    int kept = 0;
    while (kept < a->rank && perm[kept] == kept)
        kept++;
    if (kept == a->rank)
        return a;
    View v = view_whole(g, a);
    for (int j = kept; j < a->rank; j++) {
        v.axis[j] = perm[j];
        v.size[j] = a->dim[perm[j]];
    }
    return g_view(g, a, &v);
}

Node *g_move_axis(Graph *g, Node *a, int from, int to)
{
    int perm[MAX_RANK], at = 0;
    for (int i = 0; i < a->rank; i++) {
        at += at == from;
        perm[i] = i == to ? from : at++;
    }
    return g_permute(g, a, perm);
}

static View steps(Graph *g, Node *a, const Dim *const *base,
                  const Dim *const *size, const int *step)
{
    View v = view_whole(g, a);
    for (int j = 0; j < a->rank; j++) {
        v.size[j] = size[j];
        v.base[j] = base[j];
        v.coef[j] = dim_const(g, step ? step[j] : 1);
    }
    return v;
}

Node *g_slice(Graph *g, Node *a, const Dim *const *start,
              const Dim *const *size, const int *step)
{
    View v = steps(g, a, start, size, step);
    return g_view(g, a, &v);
}

Node *g_pad(Graph *g, Node *a, const Dim *const *lo, const Dim *const *dim,
            const int *step)
{
    View v = steps(g, a, lo, a->dim, step);
    return g_view_add(g, a, &v, dim);
}

Node *g_pad_around(Graph *g, Node *a, const Dim *const *lo,
                   const Dim *const *hi)
{
    const Dim *from[MAX_RANK], *dim[MAX_RANK], *none = dim_const(g, 0);
    for (int i = 0; i < a->rank; i++) {
        from[i] = lo[i] ? lo[i] : none;
        dim[i] = dim_add(g, from[i], a->dim[i]);
        dim[i] = hi[i] ? dim_add(g, dim[i], hi[i]) : dim[i];
    }
    return g_pad(g, a, from, dim, NULL);
}

Node *g_flip(Graph *g, Node *a, int axis)
{
    View v = view_whole(g, a);
    v.coef[axis] = dim_const(g, -1);
    v.base[axis] = dim_sub(g, a->dim[axis], dim_const(g, 1));
    return g_view(g, a, &v);
}

Node *g_strided(Graph *g, Node *a, int axis, const Dim *start, int n,
                const Dim *const *size, const Dim *const *coef)
{
    View v = view_whole(g, a);
    v.base[axis] = start;
    view_remove(&v, axis);
    for (int j = 0; j < n; j++)
        view_insert(&v, axis + j, axis, size[j], coef[j]);
    return g_view(g, a, &v);
}
