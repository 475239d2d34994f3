/* test_kernel.c: schedules compute what the graph says. */
#include "diff/diff.h"
#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "kernel/kernel.h"
#include "kernel_sim.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { MAX_LEAVES = 64 };

/* A function being put together, each parameter and result one leaf. */
typedef struct Fixture {
    Arena *a;
    Graph *g;
    Function f;
    Port param[MAX_LEAVES], result[MAX_LEAVES];
    Node *leaf[2 * MAX_LEAVES];
    const Dim *var[8];
    int64_t size[8];
    int nvar, nleaf;
    double limit[MAX_LEAVES]; /* integers are drawn below this */
    uint64_t seed;
    bool circles; /* conditions need what they guard */
    bool asked;   /* all indices are asked for */
} Fixture;

static Fixture *fixture(void)
{
    Arena *a = arena_new();
    Fixture *x = NEW(a, Fixture);
    x->a = a;
    x->g = graph_new(a, DT_f64);
    x->f.name = "f";
    x->f.param = x->param;
    x->f.result = x->result;
    x->seed = 1;
    return x;
}

static const Dim *size_var(Fixture *x, const char *name, int64_t size)
{
    x->size[x->nvar] = size;
    return x->var[x->nvar++] = dim_var(x->g, name);
}

static const Dim *size_of(Fixture *x, int64_t v) { return dim_const(x->g, v); }

static Node *param(Fixture *x, DType t, int rank, const Dim *const *dim)
{
    int i = x->f.nparam++;
    Node **leaf = &x->leaf[x->nleaf++];
    *leaf = g_param(x->g, t, rank, dim, arena_printf(x->a, "p%d", i));
    x->param[i] = (Port){.name = "p", .leaf = leaf, .nleaf = 1, .in_place = -1};
    x->limit[i] = 3;
    return *leaf;
}

static Node *param1(Fixture *x, DType t, const Dim *n)
{
    return param(x, t, 1, &n);
}

static Node *param2(Fixture *x, DType t, const Dim *m, const Dim *n)
{
    const Dim *dim[2] = {m, n};
    return param(x, t, 2, dim);
}

static void result(Fixture *x, Node *n, int in_place)
{
    Node **leaf = &x->leaf[x->nleaf++];
    *leaf = n;
    x->result[x->f.nresult++] =
        (Port){.name = "r", .leaf = leaf, .nleaf = 1, .in_place = in_place};
}

static uint64_t draw(Fixture *x)
{
    x->seed ^= x->seed << 13;
    x->seed ^= x->seed >> 7;
    x->seed ^= x->seed << 17;
    return x->seed >> 11;
}

static int below(Fixture *x, int n) { return (int)(draw(x) % (uint64_t)n); }

static int64_t elements(Fixture *x, const Node *n)
{
    int64_t count = 1, size = 0;
    for (int i = 0; i < n->rank; i++) {
        ck_assert(dim_eval(n->dim[i], x->nvar, x->var, x->size, &size));
        count *= size;
    }
    return count;
}

static double *values(Fixture *x, int p, int64_t count)
{
    double *v = NEWN(x->a, double, count + 1);
    const Node *n = x->param[p].leaf[0];
    for (int64_t i = 0; i < count; i++) {
        double u = (double)draw(x) / 0x1p53;
        if (n->dtype == DT_bool)
            v[i] = u < 0.5;
        else if (dtype_is_real(n->dtype))
            v[i] = 0.2 + 1.5 * u;
        else
            v[i] = floor(u * x->limit[p]);
    }
    return v;
}

static bool close(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= 1e-9 * (1 + fabs(a) + fabs(b));
}

static Schedule *schedule_of(Fixture *x)
{
    Node *root[MAX_LEAVES];
    for (int i = 0; i < x->f.nresult; i++)
        root[i] = x->result[i].leaf[0];
    expand(x->g, x->f.nresult, root);
    for (int i = 0; i < x->f.nresult; i++)
        x->result[i].leaf[0] = root[i];
    x->f.var = x->var;
    x->f.nvar = x->nvar;
    Schedule *s = schedule(x->a, x->g, &x->f);
    return s;
}

/* The schedule's results are the evaluator's. */
static Schedule *verify(Fixture *x)
{
    double *leaf[2 * MAX_LEAVES], *want[MAX_LEAVES];
    Node *root[MAX_LEAVES];
    EvalInput in[MAX_LEAVES];
    const char *why = "";
    for (int i = 0; i < x->f.nresult; i++)
        root[i] = x->result[i].leaf[0];
    for (int i = 0; i < x->f.nparam; i++) {
        Node *p = x->param[i].leaf[0];
        leaf[i] = values(x, i, elements(x, p));
        in[i] = (EvalInput){p, leaf[i]};
    }
    EvalStatus es = eval_nodes(x->a, x->g, x->f.nresult, root, x->f.nparam, in,
                               x->nvar, x->var, x->size, want);
    ck_assert_int_ne(es, EVAL_BAD_DIM);
    Schedule *s = schedule_of(x);
    for (int i = 0; i < x->f.nresult; i++)
        leaf[x->f.nparam + i] =
            NEWN(x->a, double, elements(x, x->result[i].leaf[0]) + 1);
    SimStatus ss = sim_run(x->a, s, x->nvar, x->var, x->size, leaf, &why);
    ck_assert_msg(ss != SIM_BROKEN, "%s", why);
    ck_assert(es == EVAL_BAD_INDEX || ss != SIM_BAD_INDEX || x->circles);
    ck_assert(es != EVAL_BAD_INDEX || ss == SIM_BAD_INDEX || !x->asked);
    for (int i = 0; i < x->f.nresult && es == EVAL_OK && ss == SIM_OK; i++) {
        const Node *n = x->result[i].leaf[0];
        int from = x->result[i].in_place;
        const double *got = leaf[from >= 0 ? from : x->f.nparam + i];
        for (int64_t k = 0; k < elements(x, n); k++)
            ck_assert_msg(close(got[k], want[i][k]),
                          "result %d[%lld] is %.17g, not %.17g", i,
                          (long long)k, got[k], want[i][k]);
    }
    for (int i = 0; i < s->kernel.n; i++) {
        KernelKey key = kernel_key(x->a, x->g, s->kernel.at[i]);
        ck_assert(key.text && key.nbuffer > 0);
    }
    return s;
}

static void check(Fixture *x)
{
    verify(x);
    arena_free(x->a);
}

static int count_kernels(const Schedule *s, KernelKind kind)
{
    int n = 0;
    for (int i = 0; i < s->kernel.n; i++)
        n += s->kernel.at[i]->kind == kind;
    return n;
}

START_TEST(elementwise)
{
    Fixture *x = fixture();
    const Dim *b = size_var(x, "b", _i), *n = size_of(x, 3);
    Node *p = param2(x, DT_f64, b, n), *q = param1(x, DT_f64, n);
    int axis[2] = {-1, 0};
    const Dim *dim[2] = {b, n};
    Node *w = g_broadcast(x->g, q, 2, dim, axis);
    result(x, g1(x->g, OP_exp, g2(x->g, OP_add, p, w)), -1);
    result(x, g2(x->g, OP_mul, p, p), -1);
    result(x, p, -1);
    check(x);
}
END_TEST

/* A two-layer network, its loss and gradient. */
static Node *dense(Fixture *x, Node *in, Node *w, Node *bias)
{
    int axis[2] = {-1, 0};
    Node *z = g_matmul(x->g, in, w);
    return g2(x->g, OP_add, z, g_broadcast(x->g, bias, 2, z->dim, axis));
}

static Node *along_rows(Fixture *x, Node *row, const Node *like)
{
    int axis[2] = {0, -1};
    return g_broadcast(x->g, row, 2, like->dim, axis);
}

static Node *network_loss(Fixture *x, Node *const *p, Node *in, Node *label)
{
    Graph *g = x->g;
    int last = 1;
    Node *h = dense(x, in, p[0], p[1]);
    h = g2(g, OP_max, h, g_fill(g, h, 0));
    Node *z = dense(x, h, p[2], p[3]);
    Node *top = g_stop(g, g_reduce(g, OP_reduce_max, z, 1, &last));
    Node *e = g1(g, OP_exp, g2(g, OP_sub, z, along_rows(x, top, z)));
    Node *lse =
        g2(g, OP_add, top, g1(g, OP_log, g_reduce(g, OP_sum, e, 1, &last)));
    Node *hot =
        g2(g, OP_eq, along_rows(x, g_index_check(g, label, z->dim[1]), z),
           g_broadcast_to(g, g_iota(g, DT_i32, z->dim[1]), 2, z->dim));
    Node *pick =
        g_reduce(g, OP_sum, g_where(g, hot, z, g_fill(g, z, 0)), 1, &last);
    Node *loss = g_reduce_all(g, OP_sum, g2(g, OP_sub, lse, pick));
    return g2(g, OP_div, loss, g_dim(g, DT_f64, z->dim[0]));
}

static void network(Fixture *x, int64_t batch, Node **loss, Node **p, Node **d)
{
    const Dim *b = size_var(x, "b", batch), *n = size_of(x, 20),
              *h = size_of(x, 12), *k = size_of(x, 10);
    p[0] = param2(x, DT_f64, n, h);
    p[1] = param1(x, DT_f64, h);
    p[2] = param2(x, DT_f64, h, k);
    p[3] = param1(x, DT_f64, k);
    Node *in = param2(x, DT_f64, b, n), *label = param1(x, DT_i32, b);
    *loss = network_loss(x, p, in, label);
    Node *one = g_const(x->g, DT_f64, 1);
    diff_reverse(x->g, 1, loss, &one, 4, p, d);
    Node *root[5] = {*loss, d[0], d[1], d[2], d[3]};
    simplify(x->g, 5, root);
    *loss = root[0];
    for (int i = 0; i < 4; i++)
        d[i] = root[i + 1];
}

START_TEST(network_gradient)
{
    Fixture *x = fixture();
    Node *loss, *p[4], *d[4];
    network(x, _i, &loss, p, d);
    result(x, loss, -1);
    for (int i = 0; i < 4; i++)
        result(x, d[i], -1);
    const Schedule *s = verify(x);
    /* Five products, two bias gradients, the mean. */
    ck_assert_int_eq(count_kernels(s, KERNEL_contract), 5);
    ck_assert_int_eq(count_kernels(s, KERNEL_map), 3);
    ck_assert_ptr_nonnull(s->kernel.at[0]->epilogue);
    arena_free(x->a);
}
END_TEST

/* An index out of range is reported, in a branch only where it is taken. */
START_TEST(bad_index)
{
    Fixture *x = fixture();
    Graph *g = x->g;
    const Dim *b = size_var(x, "b", 4), *n = size_of(x, 3);
    Node *table = param2(x, DT_f64, n, n), *i = param1(x, DT_i32, b);
    Node *c = param(x, DT_bool, 0, NULL);
    x->limit[1] = _i % 2 ? 3 : 50;
    x->seed = 7;
    Node *rows = g_reduce_all(g, OP_sum, g_gather(g, table, i, 0));
    x->asked = true;
    if (_i / 2)
        rows = g_if(g, c, rows, g_const(g, DT_f64, 0));
    result(x, rows, -1);
    check(x);
}
END_TEST

/* So is a number out of range, where each element is computed apart. */
START_TEST(bad_number)
{
    const double some[3][3] = {{0, 1, 2}, {0, 1, 3}, {-1, 1, 2}};
    Fixture *x = fixture();
    Graph *g = x->g;
    const Dim *n = size_of(x, 3);
    Node *v = param1(x, DT_f64, n), *i = g_data(g, DT_i32, 1, &n, some[_i]);
    v = g_gather(g, v, i, 0);
    x->asked = true;
    result(x, g_reduce_all(g, OP_sum, g2(g, OP_mul, v, v)), -1);
    check(x);
}
END_TEST

/* p -= lr · d, m = β m + d, both in place. */
START_TEST(network_step)
{
    Fixture *x = fixture();
    Graph *g = x->g;
    Node *loss, *p[4], *d[4];
    network(x, _i, &loss, p, d);
    Node *lr = param(x, DT_f64, 0, NULL);
    for (int i = 0; i < 4; i++) {
        Node *m = param(x, DT_f64, p[i]->rank, p[i]->dim);
        Node *m2 = g2(g, OP_add, g2(g, OP_mul, m, g_fill(g, m, 0.9)), d[i]);
        Node *rate = g_broadcast_to(g, lr, m->rank, m->dim);
        result(x, m2, x->f.nparam - 1);
        result(x, g2(g, OP_sub, p[i], g2(g, OP_mul, rate, m2)), i);
    }
    result(x, loss, -1);
    check(x);
}
END_TEST

/* Random graphs: a pool of nodes of dimensions out of a few. */

typedef struct Pool {
    Fixture *x;
    const Dim *dim[5];
    Node *at[256];
    int n;
} Pool;

static Node *pick(Pool *p) { return p->at[below(p->x, p->n)]; }

static Node *pick_real(Pool *p)
{
    Node *n = pick(p);
    while (!dtype_is_real(n->dtype))
        n = pick(p);
    return n;
}

static void add(Pool *p, Node *n)
{
    if (p->n < 256 && elements(p->x, n) <= 3000)
        p->at[p->n++] = n;
}

static bool same_dims(const Node *a, const Node *b)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++)
        same = a->dim[i] == b->dim[i];
    return same;
}

/* A real of n's shape. */
static Node *partner(Pool *p, Node *n)
{
    for (int tries = 0; tries < 20; tries++) {
        Node *m = pick_real(p);
        if (same_dims(m, n))
            return m;
    }
    return g_fill(p->x->g, n, 0.5);
}

/* Values stay near 1, so that errors do not grow. */
static Node *tame(Graph *g, Node *n) { return g1(g, OP_sigmoid, n); }

static Node *random_ewise(Pool *p)
{
    static const OpId one[] = {OP_exp, OP_neg,  OP_sin,  OP_tanh,
                               OP_abs, OP_sqrt, OP_floor};
    static const OpId two[] = {OP_add, OP_sub, OP_mul, OP_min, OP_max};
    Graph *g = p->x->g;
    Node *n = pick_real(p);
    switch (below(p->x, 4)) {
    case 0:
        n = g1(g, one[below(p->x, 7)], n);
        return below(p->x, 2) ? tame(g, n) : n;
    case 1:
        return g_where(g, g2(g, OP_lt, n, partner(p, n)), n, partner(p, n));
    case 2:
        return tame(g, g2(g, OP_mul, n, n));
    }
    return g2(g, two[below(p->x, 5)], n, partner(p, n));
}

static Node *random_reduce(Pool *p)
{
    static const OpId op[] = {OP_sum, OP_reduce_max, OP_reduce_min, OP_sum,
                              OP_argmax};
    Graph *g = p->x->g;
    Node *n = pick_real(p);
    int axis[MAX_RANK], naxis = 0;
    if (n->rank == 0)
        return n;
    for (int i = 0; i < n->rank; i++)
        if (below(p->x, 2))
            axis[naxis++] = i;
    if (naxis == 0)
        axis[naxis++] = below(p->x, n->rank);
    OpId which = op[below(p->x, 5)];
    if (which == OP_argmax) {
        n = g_reduce(g, OP_argmax, n, 1, axis);
        return tame(g, g_cast(g, DT_f64, n));
    }
    n = g_reduce(g, which, n, naxis, axis);
    return which == OP_sum ? tame(g, n) : n;
}

/* All places, or the first two of them. */
static Node *random_sort(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick_real(p);
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    int64_t last;
    if (n->rank == 0)
        return n;
    Node *order = g_argsort(g, n, below(p->x, 2));
    for (int i = 0; i < n->rank; i++) {
        start[i] = dim_const(g, 0);
        size[i] = order->dim[i];
        step[i] = 1;
    }
    if (dim_const_value(size[n->rank - 1], &last) && last > 2) {
        size[n->rank - 1] = dim_const(g, 2);
        order = g_slice(g, order, start, size, step);
    }
    return tame(g, g_cast(g, DT_f64, order));
}

static Node *random_broadcast(Pool *p)
{
    Node *n = pick(p);
    const Dim *dim[MAX_RANK];
    int axis[MAX_RANK], rank = n->rank + 1;
    if (rank > 4)
        return n;
    int at = below(p->x, rank);
    for (int i = 0, k = 0; i < rank; i++) {
        axis[i] = i == at ? -1 : k;
        dim[i] = i == at ? p->dim[below(p->x, 5)] : n->dim[k++];
    }
    return g_broadcast(p->x->g, n, rank, dim, axis);
}

static Node *random_permute(Pool *p)
{
    Node *n = pick(p);
    int perm[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        perm[i] = i;
    for (int i = n->rank - 1; i > 0; i--) {
        int k = below(p->x, i + 1), t = perm[i];
        perm[i] = perm[k];
        perm[k] = t;
    }
    return g_permute(p->x->g, n, perm);
}

/* Two neighbours become one, or a unit is put in. */
static Node *random_reshape(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick(p);
    const Dim *dim[MAX_RANK];
    int rank = 0, at = n->rank ? below(p->x, n->rank) : 0;
    bool split = below(p->x, 3) == 0;
    for (int i = 0; i < n->rank; i++) {
        if (i == at && split)
            dim[rank++] = dim_const(g, 1);
        if (i == at + 1 && !split && i > 0)
            dim[rank - 1] = dim_mul(g, dim[rank - 1], n->dim[i]);
        else
            dim[rank++] = n->dim[i];
    }
    return rank > 4 ? n : g_reshape(g, n, rank, dim);
}

static Node *random_flatten_split(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick(p);
    const Dim *dim[MAX_RANK];
    for (int i = 0; i < n->rank; i++)
        dim[n->rank - 1 - i] = n->dim[i];
    return g_reshape(g, n, n->rank, dim);
}

static Node *random_slice(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick(p);
    const Dim *start[MAX_RANK], *size[MAX_RANK];
    int step[MAX_RANK];
    int64_t d;
    for (int i = 0; i < n->rank; i++) {
        start[i] = dim_const(g, 0);
        size[i] = n->dim[i];
        step[i] = 1;
        if (!dim_const_value(n->dim[i], &d) || d < 2)
            continue;
        int64_t from = below(p->x, (int)d);
        step[i] = 1 + below(p->x, 2);
        start[i] = dim_const(g, from);
        size[i] = dim_const(g, (d - from + step[i] - 1) / step[i]);
    }
    return g_slice(g, n, start, size, step);
}

static Node *random_pad(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick(p);
    const Dim *lo[MAX_RANK], *dim[MAX_RANK];
    int step[MAX_RANK];
    int64_t d;
    for (int i = 0; i < n->rank; i++) {
        int before = below(p->x, 3), behind = below(p->x, 2);
        step[i] =
            dim_const_value(n->dim[i], &d) && d > 0 ? 1 + below(p->x, 2) : 1;
        lo[i] = dim_const(g, before);
        dim[i] = dim_add(g, n->dim[i], dim_const(g, before + behind));
        if (step[i] == 2)
            dim[i] = dim_const(g, before + behind + 2 * d - 1);
    }
    return g_pad(g, n, lo, dim, step);
}

static Node *random_concat(Pool *p)
{
    Node *part[5];
    int n = 1 + below(p->x, 5);
    part[0] = pick_real(p);
    if (part[0]->rank == 0)
        return part[0];
    for (int i = 1; i < n; i++)
        part[i] = partner(p, part[0]);
    return g_concat(p->x->g, n, part, below(p->x, part[0]->rank));
}

/* An index into n elements, of shape [b] or [b, c], never outside. */
static Node *random_index(Pool *p, const Dim *bound)
{
    Graph *g = p->x->g;
    const Dim *dim[2] = {p->dim[below(p->x, 5)], p->dim[below(p->x, 5)]};
    Node *i = g_iota(g, DT_i32, dim[0]);
    if (below(p->x, 2)) {
        int axis[2] = {0, -1};
        i = g_broadcast(g, i, 2, dim, axis);
    }
    Node *n = g_broadcast_to(g, g_dim(g, DT_i32, bound), i->rank, i->dim);
    i = g2(g, OP_mul, i, i);
    return g2(g, OP_mod, g2(g, OP_add, i, g_fill(g, i, 1)), n);
}

static Node *random_gather(Pool *p)
{
    Node *n = pick_real(p);
    if (n->rank == 0 || n->rank > 3)
        return n;
    int axis = below(p->x, n->rank);
    return g_gather(p->x->g, n, random_index(p, n->dim[axis]), axis);
}

static Node *random_scatter(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick_real(p);
    if (n->rank == 0)
        return n;
    int axis = below(p->x, n->rank);
    const Dim *bound = p->dim[below(p->x, 5)];
    Node *i = g_iota(g, DT_i32, n->dim[axis]);
    Node *size = g_broadcast_to(g, g_dim(g, DT_i32, bound), 1, i->dim);
    i = g2(g, OP_mod, g2(g, OP_mul, i, i), size);
    return tame(g, g_scatter_add(g, n, i, axis, bound));
}

static Node *random_contract(Pool *p)
{
    Graph *g = p->x->g;
    Node *a = pick_real(p), *b = pick_real(p);
    int la[MAX_RANK], lb[MAX_RANK], lout[2 * MAX_RANK], rank = 0, next = 0;
    const Dim *size[2 * MAX_RANK];
    bool both[2 * MAX_RANK] = {false};
    for (int i = 0; i < a->rank; i++) {
        la[i] = next;
        size[next++] = a->dim[i];
    }
    for (int i = 0; i < b->rank; i++) {
        lb[i] = -1;
        for (int k = 0; k < a->rank && lb[i] < 0; k++)
            if (size[k] == b->dim[i] && !both[k] && below(p->x, 4)) {
                lb[i] = k;
                both[k] = true;
            }
        if (lb[i] < 0) {
            lb[i] = next;
            size[next++] = b->dim[i];
        }
    }
    for (int i = 0; i < next; i++)
        if (below(p->x, 3) > 0 && !(both[i] && below(p->x, 2)))
            lout[rank++] = i;
    for (int i = rank - 1; i > 0; i--) {
        int k = below(p->x, i + 1), t = lout[i];
        lout[i] = lout[k];
        lout[k] = t;
    }
    if (rank > 4)
        return a;
    return tame(g, g_contract(g, a, la, b, lb, rank, lout));
}

static Node *random_if(Pool *p)
{
    Graph *g = p->x->g;
    Node *n = pick_real(p), *s = pick_real(p);
    Node *c = g2(g, OP_lt, g_reduce_all(g, OP_sum, s), g_const(g, DT_f64, 4.0));
    return g_if(g, c, n, partner(p, n));
}

static Node *random_node(Pool *p)
{
    switch (below(p->x, 16)) {
    case 0:
    case 1:
        return random_reduce(p);
    case 2:
        return random_broadcast(p);
    case 3:
        return random_permute(p);
    case 4:
        return random_reshape(p);
    case 5:
        return random_slice(p);
    case 6:
        return random_pad(p);
    case 7:
        return random_concat(p);
    case 8:
        return random_gather(p);
    case 9:
        return random_scatter(p);
    case 10:
    case 11:
        return random_contract(p);
    case 12:
        return random_if(p);
    case 13:
        return below(p->x, 2) ? random_flatten_split(p) : random_sort(p);
    }
    return random_ewise(p);
}

static void fill_pool(Pool *p, uint64_t seed)
{
    Fixture *x = p->x;
    x->seed = seed * 0x9e3779b97f4a7c15 + 12345;
    for (int i = 0; i < 8; i++)
        draw(x);
    p->dim[0] = size_var(x, "b", below(x, 6));
    p->dim[1] = size_var(x, "n", below(x, 6));
    p->dim[2] = size_of(x, 1 + below(x, 5));
    p->dim[3] = size_of(x, seed % 5 ? 3 : below(x, 3));
    p->dim[4] = size_of(x, 4 + 8 * (seed % 3 == 0));
    for (int i = 0; i < 5; i++) {
        const Dim *dim[3];
        for (int k = 0; k < 3; k++)
            dim[k] = p->dim[below(x, 5)];
        add(p, param(x, DT_f64, i < 3 ? 2 : i == 3 ? 3 : 1, dim));
    }
    add(p, param(x, DT_f64, 0, NULL));
}

START_TEST(random_graphs)
{
    for (int k = 0; k < 20; k++) {
        Pool p = {.x = fixture()};
        fill_pool(&p, (uint64_t)(20 * _i + k + 1));
        int nodes = 4 + below(p.x, 30);
        for (int i = 0; i < nodes; i++)
            add(&p, random_node(&p));
        int nresult = 1 + below(p.x, 4);
        for (int i = 0; i < nresult; i++)
            result(p.x, i ? pick(&p) : p.at[p.n - 1], -1);
        check(p.x);
    }
}
END_TEST

/* Parameters overwritten by anything of their shape. */
START_TEST(random_in_place)
{
    for (int k = 0; k < 20; k++) {
        Pool p = {.x = fixture()};
        fill_pool(&p, (uint64_t)(1000 + 20 * _i + k));
        int nodes = 4 + below(p.x, 25);
        for (int i = 0; i < nodes; i++)
            add(&p, random_node(&p));
        for (int i = 0; i < 6; i++) {
            Node *old = p.at[i], *n = old;
            for (int tries = 0; tries < 40 && n == old; tries++) {
                Node *m = pick_real(&p);
                if (same_dims(m, old) && m != old)
                    n = m;
            }
            if (n == old)
                n = g2(p.x->g, OP_mul, n, n);
            result(p.x, n, below(p.x, 4) ? i : -1);
        }
        result(p.x, pick(&p), -1);
        check(p.x);
    }
}
END_TEST

/* Branches inside each other and beside each other that share values, most of
 * which report an index where they are computed. */

static Node *guarded_condition(Pool *p, Node *const *cond, int ncond)
{
    Graph *g = p->x->g;
    Node *c = cond[below(p->x, ncond)];
    const Dim *one = size_of(p->x, 1);
    Node *n = pick(p);
    switch (below(p->x, 6)) {
    case 0:
        return g1(g, OP_not, c);
    case 1: /* a reduction over an axis of size 1 left a view in between */
        n = g_reshape(g, g_reduce_all(g, OP_sum, n), 1, &one);
        n = g2(g, OP_lt, n, g_fill(g, n, 1.5));
        return g_reshape(g, n, 0, NULL);
    case 2:
        n = g_reduce_all(g, OP_sum, n);
        return g2(g, OP_lt, n, g_const(g, DT_f64, 2));
    case 3:
        return g2(g, OP_and, c, cond[below(p->x, ncond)]);
    }
    return c;
}

static Node *guarded_value(Pool *p, Node *table, Node *index)
{
    Graph *g = p->x->g;
    Node *n = pick(p), *m = pick(p), *i;
    switch (below(p->x, 5)) {
    case 0:
    case 1:
        i = g_gather(g, index, g_const_int(g, DT_i32, below(p->x, 6)), 0);
        return g_gather(g, table, i, 0);
    case 2:
        n = g_reduce_all(g, OP_sum, n);
        return g_broadcast_to(g, n, m->rank, m->dim);
    case 3:
        return g1(g, OP_exp, g2(g, OP_min, n, g_fill(g, n, 1)));
    }
    m = g_broadcast_to(g, g_reduce_all(g, OP_sum, m), n->rank, n->dim);
    return g2(g, OP_mul, n, g1(g, OP_tanh, m));
}

static Node *guarded_choice(Pool *p, Node *cond, Node *a)
{
    Graph *g = p->x->g;
    Node *b = pick(p), *zero = g_fill(g, a, below(p->x, 3));
    for (int tries = 0; tries < 8 && !same_dims(a, b); tries++)
        b = pick(p);
    if (!same_dims(a, b))
        b = zero;
    return below(p->x, 2) ? g_if(g, cond, a, b) : g_if(g, cond, b, a);
}

/* Few values are results; those that are must have been asked for to fail. */
static void guarded_graph(Fixture *x, uint64_t seed)
{
    enum { CONDITIONS = 12 };
    Pool p = {.x = x};
    Graph *g = x->g;
    Node *cond[CONDITIONS];
    int ncond = 3, nodes;
    x->seed = seed * 0x9e3779b97f4a7c15 + 99;
    x->circles = seed % 2;
    for (int i = 0; i < 8; i++)
        draw(x);
    const Dim *rows = size_of(x, 4), *n = size_var(x, "n", 1 + below(x, 3));
    Node *table = param2(x, DT_f64, rows, n);
    Node *index = param1(x, DT_i32, size_of(x, 6));
    x->limit[1] = below(x, 3) ? 12 : 4;
    add(&p, param1(x, DT_f64, n));
    add(&p, param(x, DT_f64, 0, NULL));
    for (int i = 0; i < ncond; i++)
        cond[i] = param(x, DT_bool, 0, NULL);
    nodes = 10 + below(x, 30);
    for (int i = 0; i < nodes; i++) {
        Node *v = guarded_value(&p, table, index);
        Node *c = cond[below(x, ncond)];
        add(&p, below(x, 3) ? tame(g, v) : v);
        if (below(x, 3))
            add(&p, guarded_choice(&p, c, p.at[p.n - 1]));
        if (ncond < CONDITIONS && below(x, 4) == 0 && x->circles) {
            cond[ncond] = guarded_condition(&p, cond, ncond);
            ncond++;
        }
    }
    int results = 1 + below(x, 3);
    for (int i = 0; i < results; i++) {
        Node *r = p.at[p.n - 1 - below(x, 4)];
        result(x, guarded_choice(&p, cond[below(x, ncond)], r), -1);
    }
}

START_TEST(random_guards)
{
    for (int k = 0; k < 40; k++) {
        Fixture *x = fixture();
        guarded_graph(x, (uint64_t)(40 * _i + k + 1));
        check(x);
    }
}
END_TEST

/* Chains of many nodes take time in proportion, and kernels of bounded size. */
START_TEST(long_chains)
{
    enum { LENGTH = 100000 };
    Fixture *x = fixture();
    Graph *g = x->g;
    const Dim *b = size_var(x, "b", 2);
    Node *n = param1(x, DT_f64, b), *p = n, *s = param(x, DT_f64, 0, NULL);
    Node *t = s;
    for (int i = 0; i < LENGTH; i++) {
        n = i % 2 ? g2(g, OP_mul, n, p) : g2(g, OP_sub, n, p);
        t = g2(g, OP_sub, g2(g, OP_mul, t, t), s);
    }
    result(x, n, -1);
    result(x, t, -1);
    Schedule *sch = schedule_of(x);
    for (int i = 0; i < sch->kernel.n; i++)
        ck_assert_int_lt(sch->kernel.at[i]->ninstr, 10000);
    arena_free(x->a);
}
END_TEST

/* The most values that are alive at once in a kernel of one stage, but for
 * constants and what no loop changes. */
static int most_alive(Fixture *x, const Kernel *k)
{
    int *last = NEWN(x->a, int, k->ninstr + 1), alive = 0, most = 0;
    for (int i = 0; i < k->ninstr; i++)
        for (int j = 0; j < k->instr[i].narg; j++)
            last[k->instr[i].arg[j]] = i;
    for (int i = 0; i < k->ninstr; i++) {
        const Instr *in = &k->instr[i];
        alive += in->level > 0 && last[i] > i;
        most = alive > most ? alive : most;
        for (int j = 0; j < in->narg; j++) {
            bool again = j > 0 && in->arg[j] == in->arg[0];
            bool ends = last[in->arg[j]] == i && !again;
            alive -= ends && k->instr[in->arg[j]].level > 0;
        }
    }
    return most;
}

/* Terms added up from either end, in one row or in several, each of p alone or
 * of the one before: few are alive at once, and where terms are independent
 * little is stored. */
START_TEST(few_alive)
{
    enum { TERMS = 700, ROWS = 7, FEW = 20 };
    bool several = _i & 1, backwards = _i & 2, chain = _i & 4;
    Fixture *x = fixture();
    Graph *g = x->g;
    Node *p = param1(x, DT_f64, size_var(x, "b", 5)), *term[TERMS], *all = p;
    for (int i = 0; i < TERMS; i++) {
        Node *of =
            chain && i ? term[i - 1] : g2(g, OP_mul, p, g_fill(g, p, i + 1));
        term[i] = g2(g, OP_add, p, g1(g, OP_sin, of));
    }
    for (int r = 0, rows = several ? ROWS : 1; r < rows; r++) {
        Node *sum = p;
        for (int i = r; i < TERMS; i += rows) {
            Node *t = term[backwards ? TERMS - 1 - i : i];
            sum = g2(g, OP_add, sum, g2(g, OP_mul, t, g_fill(g, t, r + 2)));
        }
        all = g2(g, OP_mul, all, sum);
    }
    result(x, all, -1);
    Schedule *s = verify(x);
    int work = 0;
    for (int i = 0; i < s->buffer.n; i++)
        work += s->buffer.at[i]->kind == BUF_WORK;
    ck_assert_int_le(s->kernel.n, 20);
    ck_assert_int_le(work, chain ? 2 * TERMS : 2 * s->kernel.n);
    for (int i = 0; i < s->kernel.n && !(chain && _i & 3); i++)
        ck_assert_int_le(most_alive(x, s->kernel.at[i]), FEW);
    arena_free(x->a);
}
END_TEST

/* Kernels that differ only in what they are guarded by are the same code. */
START_TEST(guards_are_not_code)
{
    Fixture *x = fixture();
    Graph *g = x->g;
    const Dim *n = size_var(x, "n", 3);
    for (int i = 0; i < 2; i++) {
        Node *c = param(x, DT_f64, 0, NULL), *v = param1(x, DT_f64, n), *t = v;
        for (int k = 0; k < 9; k++)
            t = g1(g, OP_tanh, t);
        c = g2(g, OP_lt, c, g_const(g, DT_f64, i));
        result(x, g_if(g, i ? g1(g, OP_not, c) : c, t, v), -1);
    }
    Schedule *s = verify(x);
    int long_ones = 0;
    const char *text = NULL;
    size_t length = 0;
    for (int i = 0; i < s->kernel.n; i++) {
        KernelKey key = kernel_key(x->a, g, s->kernel.at[i]);
        if (s->kernel.at[i]->ninstr < 9)
            continue;
        ck_assert_int_gt(s->kernel.at[i]->nguard, 0);
        ck_assert(!text ||
                  (key.ntext == length && memcmp(key.text, text, length) == 0));
        text = key.text;
        length = key.ntext;
        long_ones++;
    }
    ck_assert_int_eq(long_ones, 2);
    arena_free(x->a);
}
END_TEST

/* x + x' repeated: each step doubles what computing in place would cost. */
START_TEST(doubling)
{
    Fixture *x = fixture();
    Graph *g = x->g;
    const Dim *b = size_var(x, "b", 3);
    Node *n = param2(x, DT_f64, b, b);
    int perm[2] = {1, 0};
    for (int i = 0; i < 200; i++)
        n = g1(g, OP_sigmoid, g2(g, OP_sub, n, g_permute(g, n, perm)));
    result(x, n, -1);
    check(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kernel");
    TCase *t = tcase_create("kernel");
    tcase_add_loop_test(t, elementwise, 0, 4);
    tcase_add_loop_test(t, network_gradient, 0, 5);
    tcase_add_loop_test(t, network_step, 0, 5);
    tcase_add_loop_test(t, bad_index, 0, 4);
    tcase_add_loop_test(t, bad_number, 0, 3);
    tcase_add_test(t, long_chains);
    tcase_add_loop_test(t, few_alive, 0, 8);
    tcase_add_test(t, guards_are_not_code);
    tcase_add_test(t, doubling);
    tcase_add_loop_test(t, random_graphs, 0, 30);
    tcase_add_loop_test(t, random_in_place, 0, 15);
    tcase_add_loop_test(t, random_guards, 0, 25);
    suite_add_tcase(s, t);
    return run_suite(s);
}
