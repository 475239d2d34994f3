/* join.c: sums of many terms, such as the adjoints that the uses of one tensor
 * contribute. */

#include "diff/guard.h"

#include "graph/op.h"
#include "graph/view.h"

#include <stdlib.h>

/* A term that is zero but for lo … hi-1 along one axis. */
typedef struct Part {
    Node *term, *inside;
    int64_t lo, hi;
    int order; /* among the terms */
} Part;

/* The one axis along which n puts its argument between zeros, at constant
 * places and without gaps; -1 where there is no such. */
static int padded_axis(const Node *n, Part *p)
{
    int axis = -1;
    int64_t size;
    View v;

    if (!node_pads(n))
        return -1;
    v = view_of(n);
    for (int i = 0; i < n->rank; i++) {
        if (!dim_is(v.coef[i], 1))
            return -1;
        if (view_goes_through(&v, i, n->dim))
            continue;
        if (axis >= 0 || !dim_const_value(v.base[i], &p->lo) ||
            !dim_const_value(v.size[i], &size))
            return -1;
        axis = i;
        p->hi = p->lo + size;
    }
    p->inside = n->arg[0];
    return axis;
}

static int by_place(const void *a, const void *b)
{
    const Part *p = a, *q = b;

    if (p->lo != q->lo)
        return p->lo < q->lo ? -1 : 1;
    return p->order - q->order;
}

/* Zeros like `like`, but for `size` elements along axis. */
static Node *zeros(Graph *g, const Node *like, int axis, const Dim *size)
{
    const Dim *dim[MAX_RANK];
    int map[MAX_RANK];

    for (int i = 0; i < like->rank; i++) {
        dim[i] = i == axis ? size : like->dim[i];
        map[i] = -1;
    }
    return g_broadcast(g, g_const(g, like->dtype, 0), like->rank, dim, map);
}

/* As many parts as do not overlap, in order of place, as one tensor (one part
 * alone as it was); what is left over stays in part[0 … return-1]. */
static int layer(Graph *g, Arena *scratch, const Node *like, int axis, int n,
                 Part *part, Node **out)
{
    Node **piece = NEWN(scratch, Node *, 2 * n + 1);
    int npiece = 0, left = 0;
    int64_t at = 0;
    const Dim *end;
    Node *first = part[0].term;

    for (int i = 0; i < n; i++) {
        if (part[i].lo < at) {
            part[left++] = part[i];
            continue;
        }
        if (part[i].lo > at)
            piece[npiece++] =
                zeros(g, like, axis, dim_const(g, part[i].lo - at));
        piece[npiece++] = part[i].inside;
        at = part[i].hi;
    }
    if (left == n - 1) {
        *out = first;
        return left;
    }
    end = dim_sub(g, like->dim[axis], dim_const(g, at));
    if (!dim_is(end, 0))
        piece[npiece++] = zeros(g, like, axis, end);
    *out = g_concat(g, npiece, piece, axis);
    return left;
}

/* sum and the parts along one axis. */
static Node *join(Graph *g, Arena *scratch, Node *sum, const Node *like,
                  int axis, int n, Part *part)
{
    qsort(part, (size_t)n, sizeof *part, by_place);
    while (n) {
        Node *joined;

        n = layer(g, scratch, like, axis, n, part, &joined);
        sum = g_join(g, OP_add, sum, joined);
    }
    return sum;
}

Node *add_all(Graph *g, int n, Node *const *term)
{
    Arena *scratch;
    Part *part[MAX_RANK];
    int count[MAX_RANK] = {0};
    Node *sum = NULL;

    if (n == 1)
        return term[0];
    scratch = arena_new();
    for (int i = 0; i < term[0]->rank; i++)
        part[i] = NEWN(scratch, Part, n);
    for (int k = 0; k < n; k++) {
        Part p = {.term = term[k], .order = k};
        int axis = padded_axis(term[k], &p);

        if (axis >= 0)
            part[axis][count[axis]++] = p;
        else
            sum = g_join(g, OP_add, sum, term[k]);
    }
    for (int i = 0; i < term[0]->rank; i++)
        if (count[i])
            sum = join(g, scratch, sum, term[0], i, count[i], part[i]);
    arena_free(scratch);
    return sum;
}
