/* view.c: which element of its argument an element of a view is. */
#include "kernel/sched.h"

/* The shapes of a reshape, cut into groups of equal size. */
typedef struct Group {
    int i, ni, j, nj; /* axes i … i+ni-1 of the result are j … j+nj-1 */
} Group;

/* Whether the result's side is the one to take another axis to. */
static bool left_is_smaller(Graph *g, const Dim *left, const Dim *right)
{
    int64_t l, r;
    if (dim_const_value(left, &l) && dim_const_value(right, &r))
        return l < r;
    return dim_exact(g, right, left);
}

static int reshape_groups(Graph *g, const Node *n, Group *group)
{
    const Node *a = n->arg[0];
    int i = 0, j = 0, ngroup = 0;
    while (i < n->rank && j < a->rank) {
        Group *p = &group[ngroup++];
        *p = (Group){.i = i, .j = j};
        const Dim *left = n->dim[i++], *right = a->dim[j++];
        while (left != right && (i < n->rank || j < a->rank)) {
            if (j == a->rank ||
                (i < n->rank && left_is_smaller(g, left, right)))
                left = dim_mul(g, left, n->dim[i++]);
            else
                right = dim_mul(g, right, a->dim[j++]);
        }
        p->ni = i - p->i;
        p->nj = j - p->j;
    }
    return ngroup; /* what is left over on one side has size 1 */
}

static bool is_empty(const Node *n)
{
    for (int i = 0; i < n->rank; i++)
        if (dim_is(n->dim[i], 0))
            return true;
    return false;
}

static int units_aside(const Node *n, int from, int count)
{
    int k = 0;
    for (int i = from; i < from + count; i++)
        k += !dim_is(n->dim[i], 1);
    return k;
}

bool reshape_divides(Graph *g, const Node *n)
{
    Group group[MAX_RANK + 1];
    int ngroup = reshape_groups(g, n, group);
    for (int k = 0; k < ngroup; k++)
        if (units_aside(n->arg[0], group[k].j, group[k].nj) > 1)
            return true;
    return false;
}

static void reshape_arg(IndexTable *t, Graph *g, const Node *n, const Vec *v,
                        const Index **to)
{
    const Node *a = n->arg[0];
    Group group[MAX_RANK + 1];
    for (int j = 0; j < a->rank; j++)
        to[j] = index_int(t, 0);
    if (is_empty(n))
        return;
    int ngroup = reshape_groups(g, n, group);
    for (int k = 0; k < ngroup; k++) {
        const Group *p = &group[k];
        const Index *x = index_int(t, 0);
        for (int i = p->i; i < p->i + p->ni; i++)
            x = index_add(t, index_scale(t, x, n->dim[i]), v->at[i]);
        int left = units_aside(a, p->j, p->nj);
        for (int j = p->j + p->nj - 1; j >= p->j; j--) {
            if (dim_is(a->dim[j], 1))
                continue;
            to[j] = --left ? index_mod(t, x, a->dim[j]) : x;
            x = index_div(t, x, a->dim[j]);
        }
    }
}

/* base + Σ coef · place; 0 along an axis of one element. */
static void affine_arg(IndexTable *t, const Node *n, const Vec *v,
                       const Index **to)
{
    View by = view_of(n);
    for (int k = 0; k < by.from; k++)
        to[k] = index_dim(t, by.base[k]);
    for (int j = 0; j < by.rank; j++) {
        int k = by.axis[j];
        if (k >= 0 && !dim_is(n->arg[0]->dim[k], 1))
            to[k] = index_add(t, to[k], index_scale(t, v->at[j], by.coef[j]));
    }
}

const Vec *view_arg(IndexTable *t, Graph *g, const Node *n, const Vec *v)
{
    const Index *to[MAX_RANK];
    if (n->op == OP_reshape)
        reshape_arg(t, g, n, v, to);
    else
        affine_arg(t, n, v, to);
    return vec_make(t, n->arg[0]->rank, to);
}

static bool has_quotient(const Vec *v)
{
    for (int i = 0; i < v->n; i++)
        for (int k = 0; k < v->at[i]->n; k++)
            if (v->at[i]->atom[k].of)
                return true;
    return false;
}

bool view_joins(IndexTable *t, Graph *g, const Node *n)
{
    const Index *var[MAX_RANK];
    index_extents(t, n->rank, n->dim);
    for (int i = 0; i < n->rank; i++)
        var[i] = index_var(t, i);
    const Vec *v = view_arg(t, g, n, vec_make(t, n->rank, var));
    return !has_quotient(view_arg(t, g, n->arg[0], v));
}
