/* decide.c: an evaluation under the decisions of another.
 *
 * Two kinds of operators decide. Those that have no derivative (comparisons,
 * floor, argsort, stop, casts to integers) give again what they gave. Those
 * with a kink are linear beside it: of each element that they read the weight
 * is kept. So is what is 0 by a strong zero, if that counts as decided. */
#include "eval/decide.h"

#include "graph/ops/reduce.h"

#include <math.h>
#include <string.h>

/* Of one evaluation of a node: its value, or the weights. */
typedef struct Kept {
    int64_t count;
    double *x;
    double *none; /* of a reduction: results of no element, else 0 */
    int64_t *wide;
} Kept;

struct EvalDecisions {
    Arena *arena;
    LIST(Kept) kept; /* in the order of evaluation */
    int next;        /* to follow; -1: they are being made */
    bool zeros;      /* strong zeros decide */
    bool tied, infinite, unfinished;
};

EvalDecisions *eval_decisions(Arena *a)
{
    EvalDecisions *d = NEW(a, EvalDecisions);

    *d = (EvalDecisions){.arena = a, .next = -1};
    return d;
}

void eval_decide_zeros(EvalDecisions *d) { d->zeros = true; }

bool eval_tied(const EvalDecisions *d) { return d->tied; }

bool eval_infinite(const EvalDecisions *d) { return d->infinite; }

bool eval_unfinished(const EvalDecisions *d) { return d->unfinished; }

void decide_unfinished(EvalDecisions *d) { d->unfinished = true; }

void decisions_again(EvalDecisions *d)
{
    if (d->kept.n)
        d->next = 0;
}

static bool has_kink(const Node *n)
{
    return op_table[n->op]->flags & OP_KINK && dtype_is_real(n->dtype);
}

/* Of routines the library has it. */
static bool has_derivative(const Node *n)
{
    const Op *row = op_table[n->op];

    return dtype_is_real(n->dtype) &&
           (row->vjp || row->jvp || op_has_partial(row) ||
            row->cls == OPC_routine);
}

/* Is n among what is decided. */
static bool decides(const EvalDecisions *d, const Node *n)
{
    bool real = false;

    if (n->op == OP_strong_mul)
        return d->zeros;
    for (int i = 0; i < n->narg; i++)
        real = real || dtype_is_real(n->arg[i]->dtype);
    return real && (has_kink(n) || !has_derivative(n));
}

static Kept kept_new(EvalDecisions *d, int64_t count)
{
    return (Kept){.count = count, .x = NEWN(d->arena, double, count + 1)};
}

/* What has no derivative. */

static bool any_equal(const Decided *v)
{
    const Node *n = v->n;

    for (int64_t i = 0; n->narg == 2 && i < v->count; i++)
        if (v->e->in[0][i] == v->e->in[1][i])
            return true;
    return false;
}

static void keep_value(EvalDecisions *d, const Decided *v)
{
    Kept k = kept_new(d, v->count);

    memcpy(k.x, v->e->out, sizeof *k.x * (size_t)v->count);
    if (v->wide)
        k.wide =
            arena_copy(d->arena, v->wide, sizeof *v->wide * (size_t)v->count);
    d->tied = d->tied || any_equal(v);
    list_push(d->arena, &d->kept, k);
}

static void follow_value(const Kept *k, const Decided *v)
{
    memcpy(v->e->out, k->x, sizeof *k->x * (size_t)v->count);
    if (v->wide)
        memcpy(v->wide, k->wide, sizeof *k->wide * (size_t)v->count);
}

/* Kinks. */

/* Of the first of two; a tie with a constant is the constant. */
static double weight_of_two(EvalDecisions *d, const Decided *v, int64_t i)
{
    double a = v->e->in[0][i], b = v->e->in[1][i];

    if (a != b)
        return v->e->out[i] == a || isnan(a);
    d->tied = true;
    if (node_is_any_const(v->n->arg[0]))
        return 1;
    return node_is_any_const(v->n->arg[1]) ? 0 : 0.5;
}

static double weight_of_one(EvalDecisions *d, double x)
{
    d->tied = d->tied || x == 0;
    return x == 0 ? 0 : copysign(1, x);
}

/* Of a product that 0 times an infinity is not to be. */
static double weight_of_strong(const Decided *v, int64_t i)
{
    return !isnan(v->e->in[0][i] * v->e->in[1][i]) || isnan(v->e->out[i]);
}

static double times(double weight, double x)
{
    return weight == 0 ? 0 : weight * x;
}

/* An evaluation of a reduction in progress: it is the first in it. */
typedef struct Reduced {
    EvalTensor e;
    const double *value; /* of the result */
    double *weight;      /* of each element of the argument */
    double *ties;        /* of the result */
    int64_t next;
} Reduced;

static void count_ties(EvalTensor *e, const Node *n, int64_t to, double x,
                       const int64_t *at)
{
    Reduced *r = (Reduced *)(void *)e;

    (void)n;
    (void)at;
    r->weight[r->next] = x == r->value[to] || (isnan(x) && isnan(r->value[to]));
    r->ties[to] += r->weight[r->next++];
}

static void share_ties(EvalTensor *e, const Node *n, int64_t to, double x,
                       const int64_t *at)
{
    Reduced *r = (Reduced *)(void *)e;

    (void)n;
    (void)x;
    (void)at;
    r->weight[r->next] /= fmax(r->ties[to], 1);
    r->next++;
}

static void add_weighed(EvalTensor *e, const Node *n, int64_t to, double x,
                        const int64_t *at)
{
    Reduced *r = (Reduced *)(void *)e;

    (void)n;
    (void)at;
    e->out[to] += times(r->weight[r->next++], x);
}

static int64_t read_by(const Decided *v)
{
    const Node *n = v->n;

    return op_table[n->op]->cls == OPC_reduce
               ? eval_elements(n->arg[0]->rank, v->e->in_size[0])
               : v->count;
}

static void keep_reduced(EvalDecisions *d, const Decided *v, Kept *k)
{
    Reduced r = {.e = *v->e, .value = v->e->out, .weight = k->x};

    r.ties = NEWN(d->arena, double, v->count + 1);
    reduce_each(&r.e, v->n, count_ties);
    r.next = 0;
    reduce_each(&r.e, v->n, share_ties);
    k->none = NEWN(d->arena, double, v->count + 1);
    for (int64_t i = 0; i < v->count; i++) {
        k->none[i] = r.ties[i] == 0 ? v->e->out[i] : 0;
        d->tied = d->tied || r.ties[i] > 1;
    }
}

static void follow_reduced(const Kept *k, const Decided *v)
{
    Reduced r = {.e = *v->e, .weight = k->x};

    memcpy(r.e.out, k->none, sizeof *k->none * (size_t)v->count);
    reduce_each(&r.e, v->n, add_weighed);
}

static void keep_weights(EvalDecisions *d, const Decided *v)
{
    Kept k = kept_new(d, read_by(v));

    if (op_table[v->n->op]->cls == OPC_reduce)
        keep_reduced(d, v, &k);
    else
        for (int64_t i = 0; i < v->count; i++)
            k.x[i] = v->n->op == OP_strong_mul ? weight_of_strong(v, i)
                     : v->n->narg == 2         ? weight_of_two(d, v, i)
                                       : weight_of_one(d, v->e->in[0][i]);
    list_push(d->arena, &d->kept, k);
}

static void follow_weights(const Kept *k, const Decided *v)
{
    const double *const *in = v->e->in;

    if (op_table[v->n->op]->cls == OPC_reduce) {
        follow_reduced(k, v);
        return;
    }
    for (int64_t i = 0; i < v->count; i++) {
        if (v->n->op == OP_strong_mul) {
            v->e->out[i] = times(k->x[i], v->e->out[i]);
            continue;
        }
        v->e->out[i] = times(k->x[i], in[0][i]);
        if (v->n->narg == 2)
            v->e->out[i] += times(1 - k->x[i], in[1][i]);
    }
}

static bool all_finite(const Decided *v)
{
    for (int64_t i = 0; i < v->count; i++)
        if (!isfinite(v->e->out[i]))
            return false;
    return true;
}

void decide(EvalDecisions *d, const Decided *v)
{
    bool kink = has_kink(v->n) || v->n->op == OP_strong_mul;
    const Kept *k;

    if (dtype_is_real(v->n->dtype) && v->n->narg)
        d->infinite = d->infinite || !all_finite(v);
    if (!decides(d, v->n))
        return;
    if (d->next < 0) {
        (kink ? keep_weights : keep_value)(d, v);
        return;
    }
    if (d->next >= d->kept.n)
        die("more decisions than there were");
    k = &d->kept.at[d->next++];
    if (k->count != (kink ? read_by(v) : v->count))
        die("another decision than there was");
    (kink ? follow_weights : follow_value)(k, v);
}
