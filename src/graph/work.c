/* work.c: what a formula takes, and whether it is finite. */

#include "graph/product.h"

#include <math.h>

enum { MAX_WALK = 64 };

/* Per element, in multiplications. */
static double cost_each(const Node *n)
{
    double own = op_table[n->op]->cost;

    return node_repeats(n) ? 0 : own > 0 ? own : 1;
}

static double size(const Node *n)
{
    double s = 1;

    for (int i = 0; i < n->rank; i++)
        s *= dim_is(n->dim[i], 1) ? 1 : 32;
    return s;
}

/* A node of a walk and how often it came up. Ids ascend from arguments to
 * users: the largest first, so that all users in the walk come before. */
typedef struct Walk {
    const Node *n[MAX_WALK];
    int times[MAX_WALK], count;
} Walk;

static void walk_start(Walk *k, const Node *n)
{
    k->n[0] = n;
    k->times[0] = 1;
    k->count = 1;
}

static void walk_to(Walk *k, const Node *n)
{
    int i = 0;

    while (i < k->count && k->n[i]->id < n->id)
        i++;
    if (i < k->count && k->n[i] == n) {
        k->times[i]++;
        return;
    }
    if (k->count == MAX_WALK)
        return;
    for (int j = k->count++; j > i; j--) {
        k->n[j] = k->n[j - 1];
        k->times[j] = k->times[j - 1];
    }
    k->n[i] = n;
    k->times[i] = 1;
}

/* What n takes that no other needs. */
double work_of(const Whole *w, const Node *n)
{
    Walk k;
    double sum = 0;

    walk_start(&k, n);
    while (k.count > 0) {
        const Node *x = k.n[--k.count];

        if (x != n && uses_of(w->uses, x) > k.times[k.count])
            continue;
        sum += cost_each(x) * size(x);
        for (int i = 0; i < x->narg; i++)
            if (is_arithmetic(x->arg[i]) && !node_is_any_const(x->arg[i]))
                walk_to(&k, x->arg[i]);
    }
    return sum;
}

/* For sure, where parameters are: what is too much to look at is not. */
bool surely_finite(const Whole *w, const Node *n)
{
    Walk k;
    int left = MAX_WALK;

    walk_start(&k, n);
    while (k.count > 0) {
        const Node *x = k.n[--k.count];
        const Use *use = use_of(w->uses, x);

        if (!node_keeps_finite(x) || k.count == MAX_WALK - 1 || left-- == 0 ||
            (use && use->bound))
            return false;
        for (int i = 0; i < x->narg; i++)
            if (dtype_is_real(x->arg[i]->dtype))
                walk_to(&k, x->arg[i]);
    }
    return true;
}
