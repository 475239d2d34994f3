/* diagonal.c: one value has one rounding.
 *
 * The diagonal of a product is made as a product of rows with columns, which
 * takes less, unless the program computes all of the product anyway: then both
 * would be there, summed in different orders, and G[i, i] + G[j, j] - 2 G[i, j]
 * no 0 where i is j. So it is read where what it is read from is computed
 * whatever branches are taken. */
#include "simplify/internal.h"

#include "graph/region.h"

/* What is computed in any case, of the bodies of loops in any step. */
static bool *find_certain(Arena *a, const Reach *r, int nroot,
                          Node *const *root)
{
    bool *certain = NEWN(a, bool, r->n + 1);

    for (int i = 0; i < nroot; i++)
        certain[reach_number(r, root[i])] = true;
    for (int i = r->n - 1; i >= 0; i--) {
        const Node *n = r->node[i];
        int narg = op_table[n->op]->cls == OPC_select ? 1 : n->narg;

        for (int k = 0; k < narg && certain[i]; k++)
            certain[reach_number(r, n->arg[k])] = true;
        if (!n->attr.region)
            continue;
        Node **result = NEWN(a, Node *, region_nresult(n->attr.region) + 1);
        region_results(n->attr.region, result);
        for (int k = 0; k < region_nresult(n->attr.region); k++)
            certain[reach_number(r, result[k])] = true;
    }
    return certain;
}

/* Is the element of n with labels of[l] the one of whole with labels l, where
 * n's operands are taken from `turn` on. */
static bool is_part(const Node *whole, const Node *n, int turn, int *of)
{
    int all = n->attr.nint;
    bool used[2 * MAX_RANK] = {false};

    for (int l = 0; l < 2 * MAX_RANK; l++)
        of[l] = -1;
    for (int k = 0; k < all; k++) {
        int l = whole->attr.ints[k], to = n->attr.ints[(k + turn) % all];

        if (of[l] >= 0 ? of[l] != to : l >= whole->rank && used[to])
            return false;
        if (of[l] < 0 && (l < whole->rank) != (to < n->rank))
            return false;
        used[to] = true;
        of[l] = to;
    }
    return whole->rank > n->rank;
}

static bool find_part(const Node *whole, const Node *n, int *of)
{
    bool same = whole->arg[0] == n->arg[0] && whole->arg[1] == n->arg[1];

    return same &&
           (is_part(whole, n, 0, of) ||
            (n->arg[0] == n->arg[1] && is_part(whole, n, n->arg[0]->rank, of)));
}

/* Of one label of n there are at most two. */
static Node *read_part(Graph *g, Node *whole, const Node *n, const int *of)
{
    int order[MAX_RANK], count = 0, times[MAX_RANK] = {0};

    for (int to = 0; to < n->rank; to++)
        for (int l = 0; l < whole->rank; l++)
            if (of[l] == to) {
                order[count++] = l;
                times[to]++;
            }
    Node *x = g_permute(g, whole, order);
    for (int to = 0; to < n->rank; to++)
        if (times[to] == 2)
            x = g_diagonal(g, x, to);
    return x;
}

Node **find_wholes(Arena *a, const Reach *r, int nroot, Node *const *root)
{
    const bool *certain = find_certain(a, r, nroot, root);
    Node **whole = NEWN(a, Node *, r->n + 1);
    int *first = NEWN(a, int, r->n + 1), *next = NEWN(a, int, r->n + 1);
    int of[2 * MAX_RANK];

    for (int i = r->n - 1; i >= 0; i--) {
        if (r->node[i]->op != OP_contract || !certain[i])
            continue;
        int *at = &first[reach_number(r, r->node[i]->arg[0])];
        next[i] = *at;
        *at = i + 1;
    }
    for (int i = 0; i < r->n; i++) {
        const Node *n = r->node[i];
        int k = n->op == OP_contract ? first[reach_number(r, n->arg[0])] : 0;
        for (; k && !whole[i]; k = next[k - 1])
            if (find_part(r->node[k - 1], n, of))
                whole[i] = r->node[k - 1];
    }
    return whole;
}

Node *read_from_whole(Graph *g, Node *whole, Node *n)
{
    int of[2 * MAX_RANK];
    bool before = graph_reads_diagonals(g, true);
    Node *x = find_part(whole, n, of) ? read_part(g, whole, n, of) : NULL;

    if (!x)
        graph_reads_diagonals(g, before);
    return x ? x : n;
}
