/* strided.c: see strided.h. */
#include "strided.h"
#include "graph/view.h"

Node *strided_add(Graph *g, Node *a, int axis, const Dim *start, int n,
                  const Dim *const *coef, const Dim *m)
{
    const Dim *dim[MAX_RANK + 1];
    int rank = 0;

    for (int i = 0; i < axis; i++)
        dim[rank++] = a->dim[i];
    dim[rank++] = m;
    for (int i = axis + n; i < a->rank; i++)
        dim[rank++] = a->dim[i];

    View v = view_whole(g, &(Node){.rank = rank, .dim = dim});
    v.base[axis] = start;
    view_remove(&v, axis);
    for (int j = 0; j < n; j++)
        view_insert(&v, axis + j, axis, a->dim[axis + j], coef[j]);
    return g_view_add(g, a, &v, dim);
}
