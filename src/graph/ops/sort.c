/* sort.c: the order of elements. */
#include "graph/ops/ops.h"

#include <math.h>
#include <stdlib.h>

static bool sort_infer(Graph *g, Node *n)
{
    const Node *x = n->arg[0];
    const Dim **dim = infer_dims(g);
    if (x->rank == 0 || x->dtype == DT_key || n->attr.ndim != 1)
        return false;
    for (int i = 0; i < x->rank - 1; i++)
        dim[i] = x->dim[i];
    dim[x->rank - 1] = n->attr.dims[0];
    n->dtype = DT_i32;
    n->rank = x->rank;
    n->dim = dim;
    return true;
}

static Node *first_places(Graph *g, Node *x, bool descending,
                          const Dim *const *count)
{
    Attr attr = {.dims = count, .ndim = 1, .integer = descending};
    return graph_make(g, OP_argsort, DT_i32, 1, &x, &attr);
}

Node *g_argsort(Graph *g, Node *a, bool descending)
{
    return first_places(g, a, descending, &a->dim[a->rank - 1]);
}

Node *sort_first(Graph *g, const Node *order, const View *v)
{
    const Dim *dim[MAX_RANK];
    int last = order->rank - 1;
    for (int i = 0; i < last; i++)
        dim[i] = order->dim[i];
    dim[last] = v->size[last];
    if (!view_is_whole(v, dim))
        return NULL;
    return first_places(g, order->arg[0], order->attr.integer, &dim[last]);
}

/* The places from 0 on, of which it is still asked whether there are as many;
 * few are found while the elements are read, many by sorting them. */
Node *sort_gathered(Graph *g, const Node *n)
{
    enum { FEW = 64 };
    const Node *order = n->arg[0], *check = n->arg[1];
    int64_t count;
    if (check->op != OP_index_check || check->rank != 1 ||
        n->attr.integer != order->rank - 1)
        return NULL;
    const Node *i = check->arg[0];
    if (i->op != OP_iota || !dim_const_value(i->dim[0], &count) ||
        count > FEW || order->attr.dims[0] == i->dim[0])
        return NULL;
    Node *first =
        first_places(g, order->arg[0], order->attr.integer, &i->dim[0]);
    return g_gather_inside(g, first, n->arg[1], (int)n->attr.integer);
}

/* Does element i stand before j. */
static bool stands_before(const double *x, bool descending, int64_t i,
                          int64_t j)
{
    if (isnan(x[i]) || isnan(x[j]))
        return isnan(x[i]) == isnan(x[j]) ? i < j : isnan(x[j]);
    if (x[i] == x[j])
        return i < j;
    return descending ? x[i] > x[j] : x[i] < x[j];
}

/* Merges runs of `run` places in `from` to `to`. */
static void merge_runs(const double *x, bool descending, int64_t n, int64_t run,
                       const int64_t *from, int64_t *to)
{
    for (int64_t lo = 0; lo < n; lo += 2 * run) {
        int64_t mid = lo + run < n ? lo + run : n;
        int64_t hi = mid + run < n ? mid + run : n, i = lo, j = mid;
        for (int64_t k = lo; k < hi; k++) {
            bool left = i < mid && (j == hi || stands_before(x, descending,
                                                             from[i], from[j]));
            to[k] = left ? from[i++] : from[j++];
        }
    }
}

static void sort_eval(EvalTensor *e, const Node *n)
{
    int last = n->rank - 1;
    int64_t size = e->in_size[0][last], count = e->out_size[last];
    int64_t rows = eval_elements(last, e->out_size);
    int64_t *order = calloc(2 * (size_t)size + 1, sizeof *order);
    if (!order)
        die("out of memory");
    for (int64_t r = 0; r < rows; r++) {
        const double *x = e->in[0] + r * size;
        int64_t *from = order, *to = order + size, *old;
        for (int64_t i = 0; i < size; i++)
            from[i] = i;
        for (int64_t run = 1; run < size; run *= 2) {
            merge_runs(x, n->attr.integer, size, run, from, to);
            old = from, from = to, to = old;
        }
        for (int64_t i = 0; i < count && i < size; i++)
            e->out[r * count + i] = (double)from[i];
    }
    free(order);
}

static Node *sort_batch(Graph *g, const Node *n, const Dim *b, Node *const *x,
                        const bool *lead)
{
    (void)b;
    (void)lead;
    return first_places(g, x[0], n->attr.integer, n->attr.dims);
}

static int sort_form(const Node *n, Str *to)
{
    const Node *x = n->arg[0];
    str_printf(to, "argsort(");
    str_printf(to, n->attr.integer ? "$=0, descending = true)" : "$=0)");
    if (n->attr.dims[0] == x->dim[x->rank - 1])
        return PREC_atom;
    str_printf(to, "[");
    for (int i = 1; i < x->rank; i++)
        str_printf(to, ":, ");
    str_printf(to, ":");
    dim_print(n->attr.dims[0], to);
    str_printf(to, "]");
    return PREC_atom;
}

const Op op_argsort = {
    .name = "argsort",
    .cls = OPC_sort,
    .arity = 1,
    .doc = "the places of the elements in their order",
    .infer = sort_infer,
    .eval_tensor = sort_eval,
    .form = sort_form,
    .batch = sort_batch,
};
