/* factor.c: two products with one factor are one product with their sum. */
#include "graph/ops/ops.h"
#include "simplify/internal.h"

enum { NO_LABEL = -1, MAX_LABELS = 2 * MAX_RANK };

/* Of two contracts: operand k[i] of each is the same. */
typedef struct Pair {
    const Node *n[2];
    int k[2];
    int as[MAX_LABELS]; /* the second one's labels by the first one's names */
} Pair;

static Node *operand(const Pair *p, int i, bool shared)
{
    return p->n[i]->arg[shared ? p->k[i] : 1 - p->k[i]];
}

static const int *labels(const Pair *p, int i, bool shared)
{
    const Node *n = p->n[i];
    bool second = shared ? p->k[i] == 1 : p->k[i] == 0;
    return n->attr.ints + (second ? n->arg[0]->rank : 0);
}

static int find(int label, const int *among, int n)
{
    int i = 0;
    while (i < n && among[i] != label)
        i++;
    return i < n ? i : NO_LABEL;
}

/* Does the shared operand have the same axes of the result. */
static bool match(Pair *p)
{
    const Node *z = operand(p, 0, true);
    const int *a = labels(p, 0, true), *b = labels(p, 1, true);
    int rank = p->n[0]->rank;
    for (int i = 0; i < MAX_LABELS; i++)
        p->as[i] = i < rank ? i : NO_LABEL;
    if (z != operand(p, 1, true))
        return false;
    for (int i = 0; i < z->rank; i++) {
        if ((a[i] < rank || b[i] < rank) && a[i] != b[i])
            return false;
        p->as[b[i]] = a[i];
    }
    return true;
}

/* Has the shared operand an axis of the result that the others lack: then a
 * product is more than the sum that takes its place. */
static bool pays(const Pair *p)
{
    const Node *x = operand(p, 0, false), *z = operand(p, 0, true);
    const int *lx = labels(p, 0, false), *lz = labels(p, 0, true);
    for (int i = 0; i < z->rank; i++)
        if (lz[i] < p->n[0]->rank && find(lz[i], lx, x->rank) == NO_LABEL)
            return true;
    return false;
}

/* The other operand of the second with the axes of the first one's, or NULL. */
static Node *aligned(Graph *g, const Pair *p)
{
    Node *x = operand(p, 0, false), *y = operand(p, 1, false);
    const int *lx = labels(p, 0, false), *ly = labels(p, 1, false);
    int perm[MAX_RANK];
    if (x->rank != y->rank)
        return NULL;
    for (int i = 0; i < y->rank; i++) {
        int at = p->as[ly[i]] == NO_LABEL ? NO_LABEL
                                          : find(p->as[ly[i]], lx, x->rank);
        if (at == NO_LABEL)
            return NULL;
        perm[at] = i;
    }
    return g_permute(g, y, perm);
}

static Node *merged(Graph *g, OpId op, Pair *p)
{
    const Node *n = p->n[0];
    Node *x = operand(p, 0, false), *y;
    int lout[MAX_RANK];
    if (!match(p) || !pays(p))
        return NULL;
    y = aligned(g, p);
    if (!y)
        return NULL;
    for (int i = 0; i < n->rank; i++)
        lout[i] = i;
    Node *right = operand(p, 0, true);
    return g_contract(g, g2(g, op, x, y), labels(p, 0, false), right,
                      labels(p, 0, true), n->rank, lout);
}

Node *factor_products(Graph *g, const Uses *uses, const Node *n)
{
    Node *y = NULL;
    if ((n->op != OP_add && n->op != OP_sub) || n->arg[0]->op != OP_contract ||
        n->arg[1]->op != OP_contract || uses_of(uses, n->arg[0]) > 1 ||
        uses_of(uses, n->arg[1]) > 1)
        return NULL;
    for (int k = 0; k < 4 && !y; k++) {
        Pair p = {.n = {n->arg[0], n->arg[1]}, .k = {k & 1, k >> 1}};
        y = merged(g, (OpId)n->op, &p);
    }
    return y;
}
