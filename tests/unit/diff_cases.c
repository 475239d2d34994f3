/* diff_cases.c: functions with loops and calls in them, to be differentiated.
 */
#include "diff_cases.h"

#include <math.h>
#include <string.h>

#include "diff/diff.h"
#include "eval/eval.h"
#include "graph/op.h"
#include "suite.h"

Node *real(Graph *g, double v) { return g_const(g, DT_f64, v); }

Node *mul(Graph *g, Node *a, Node *b) { return g2(g, OP_mul, a, b); }

Node *add(Graph *g, Node *a, Node *b) { return g2(g, OP_add, a, b); }

Node *sum(Graph *g, Node *a) { return g_reduce_all(g, OP_sum, a); }

static Node *row_of(Graph *g, Node *a, Node *i)
{
    return g_gather(g, a, g_index_check(g, i, a->dim[0]), 0);
}

Fold fold_new(Graph *g, const Dim *trips)
{
    Fold f = {.g = g};

    f.r.trips = trips;
    f.r.index = g_param(g, DT_i32, 0, NULL, "t");
    return f;
}

Node *carry(Fold *f, Node *init, const char *name)
{
    int k = f->r.ncarry++;

    f->init[k] = init;
    return f->carry[k] =
               g_param(f->g, init->dtype, init->rank, init->dim, name);
}

static Node *input(Fold *f, Node *all, const char *name)
{
    int k = f->r.ninput++;

    f->all[k] = all;
    return f->input[k] =
               g_param(f->g, all->dtype, all->rank - 1, all->dim + 1, name);
}

static void output(Fold *f, Node *n) { f->output[f->r.noutput++] = n; }

static Node *fold_close(Fold *f)
{
    Node *arg[20];
    int n = 0;

    f->r.carry = f->carry;
    f->r.next = f->next;
    f->r.input = f->input;
    f->r.output = f->output;
    f->r.counted = f->count != NULL;
    for (int i = 0; i < f->r.ncarry; i++)
        arg[n++] = f->init[i];
    for (int i = 0; i < f->r.ninput; i++)
        arg[n++] = f->all[i];
    if (f->count)
        arg[n++] = f->count;
    return g_region_close(f->g, &f->r, n, arg);
}

Node *last(Fold *f, int k) { return g_part(f->g, fold_close(f), k); }

static Node *scanned(Fold *f, int k)
{
    return g_part(f->g, fold_close(f), f->r.ncarry + k);
}

/* Functions of p[0], p[1], …, whose sizes stand in the table below; n is a
 * dimension, 5. */

/* x^n */
static Node *power(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, real(g, 1), "h");

    f.next[0] = mul(g, h, p[0]);
    return last(&f, 0);
}

static Node *rnn_step(Graph *g, Node *h, Node *x, Node *W)
{
    return g1(g, OP_tanh, add(g, g_matmul(g, W, h), x));
}

/* h = tanh(W h + x_t) */
static Fold rnn(Graph *g, Node *const *p, const Dim *n, bool reverse)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[2], "h"), *x = input(&f, p[1], "x");

    f.r.reverse = reverse;
    f.next[0] = rnn_step(g, h, x, p[0]);
    return f;
}

static Node *rnn_last(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = rnn(g, p, n, false);
    Node *h = last(&f, 0);

    return sum(g, mul(g, h, h));
}

static Node *rnn_reverse(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = rnn(g, p, n, true);
    Node *h = last(&f, 0);

    return sum(g, mul(g, h, h));
}

static Node *rnn_all(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = rnn(g, p, n, false);
    Node *all;

    output(&f, f.next[0]);
    all = scanned(&f, 0);
    return sum(g, mul(g, all, g1(g, OP_sin, p[1])));
}

/* Final values and outputs, two carries and one of integers. */
static Node *several(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *a = carry(&f, p[2], "a"), *b = carry(&f, g_fill(g, p[2], 1), "b");
    Node *i = carry(&f, g_const_int(g, DT_i32, 1), "i"), *loop;
    Node *x = input(&f, p[1], "x");
    Node *w = g_fill(g, a, 0.1), *k = g_cast(g, DT_f64, i);

    f.next[0] = add(g, b, mul(g, w, x));
    f.next[1] = mul(g, a, g_broadcast_to(g, k, a->rank, a->dim));
    f.next[2] = add(g, i, g_const_int(g, DT_i32, 1));
    output(&f, mul(g, a, b));
    output(&f, g1(g, OP_exp, sum(g, mul(g, w, b))));
    loop = fold_close(&f);
    return add(g, sum(g, mul(g, g_part(g, loop, 0), g_part(g, loop, 1))),
               add(g, sum(g, g_part(g, loop, 3)), sum(g, g_part(g, loop, 4))));
}

/* Of two carries only one is asked for, one depends on nothing. */
static Node *partly(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *a = carry(&f, p[2], "a"), *time = carry(&f, real(g, 0), "time");
    Node *idle = carry(&f, p[2], "idle");

    f.next[0] =
        mul(g, a, g_broadcast_to(g, g1(g, OP_cos, time), a->rank, a->dim));
    f.next[1] = add(g, time, real(g, 0.25));
    f.next[2] = mul(g, idle, a);
    return sum(g, last(&f, 0));
}

/* Ends when h is large. */
static Node *until(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[0], "h"), *loop;

    f.next[0] = add(g, mul(g, h, h), p[0]);
    f.r.until = g2(g, OP_lt, real(g, 2), h);
    output(&f, g1(g, OP_sin, h));
    loop = fold_close(&f);
    return add(g, g_part(g, loop, 0), sum(g, g_part(g, loop, 1)));
}

static Node *counted_by(Graph *g, Node *const *p, const Dim *n, int64_t count,
                        bool reverse)
{
    Fold f = rnn(g, p, n, reverse);
    Node *loop;

    output(&f, mul(g, f.carry[0], f.input[0]));
    f.count = g_const_int(g, DT_i64, count);
    loop = fold_close(&f);
    return add(g, sum(g, g_part(g, loop, 0)),
               sum(g, g1(g, OP_exp, g_part(g, loop, 1))));
}

static Node *counted(Graph *g, Node *const *p, const Dim *n)
{
    return counted_by(g, p, n, 3, false);
}

static Node *counted_reverse(Graph *g, Node *const *p, const Dim *n)
{
    return counted_by(g, p, n, 3, true);
}

static Node *counted_none(Graph *g, Node *const *p, const Dim *n)
{
    return counted_by(g, p, n, 0, false);
}

static Node *no_trips(Graph *g, Node *const *p, const Dim *n)
{
    return rnn_all(g, (Node *[]){p[0], p[1], p[2]}, n);
}

/* A fold of folds. */
static Node *nested(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n), in;
    Node *h = carry(&f, p[2], "h"), *x = input(&f, p[1], "x"), *k;

    in = fold_new(g, dim_const(g, 3));
    k = carry(&in, h, "k");
    in.next[0] = rnn_step(g, k, mul(g, x, h), p[0]);
    output(&in, g1(g, OP_sin, k));
    f.next[0] = mul(g, last(&in, 0), x);
    output(&f, sum(g, g_part(g, fold_close(&in), 1)));
    return add(g, sum(g, last(&f, 0)), sum(g, scanned(&f, 0)));
}

/* A branch of a step reads outside of the table, had it been taken. */
static Node *branch_in_step(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, sum(g, p[2]), "h"), *row, *c;
    Node *t = g2(g, OP_mul, f.r.index, g_const_int(g, DT_i32, 2));

    c = g2(g, OP_lt, t, g_const_int(g, DT_i32, 4));
    row = row_of(g, p[1], t);
    f.next[0] = g_if(g, c, mul(g, h, g1(g, OP_exp, sum(g, mul(g, row, row)))),
                     g1(g, OP_sin, h));
    return last(&f, 0);
}

/* Three steps over a table that may be empty. */
static Node *short_table(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, dim_const(g, 3));
    Node *h = carry(&f, p[2], "h"), *c, *row;

    c = g2(g, OP_lt, f.r.index, g_dim(g, DT_i32, n));
    row = row_of(g, p[1], f.r.index);
    f.next[0] = g_if(g, c, mul(g, h, row), g1(g, OP_sin, h));
    return sum(g, last(&f, 0));
}

/* A row that is not there, in a branch that is not taken. */
static Node *row_in_branch(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[2], "h"), *c, *row;

    c = g2(g, OP_lt, g_const_int(g, DT_i32, 10), f.r.index);
    row = row_of(g, p[1], g_const_int(g, DT_i32, 7));
    f.next[0] = g_if(g, c, mul(g, h, mul(g, row, row)), g1(g, OP_sin, h));
    return sum(g, last(&f, 0));
}

/* The loop itself is in a branch. */
static Node *loop_in_branch(Graph *g, Node *const *p, const Dim *n)
{
    Node *c = g2(g, OP_lt, real(g, 0), sum(g, mul(g, p[2], p[2])));

    return g_if(g, c, rnn_last(g, p, n), nested(g, p, n));
}

/* Elements by computed index, which repeat. */
static Node *gathers(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[2], "h"), *i;

    i = g2(g, OP_mul, f.r.index, f.r.index);
    i = g2(g, OP_mod, i, g_const_int(g, DT_i32, 3));
    f.next[0] = mul(g, add(g, h, row_of(g, p[1], i)), row_of(g, p[0], i));
    return sum(g, last(&f, 0));
}

/* Outputs and captures that the recurrence does not need. */
static Node *beside(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = rnn(g, p, n, false);
    Node *M = g_matmul(g, p[0], p[0]), *h = f.carry[0];
    Node *x = f.input[0], *s = g1(g, OP_sin, p[2]);

    output(&f, g_matmul(g, M, mul(g, h, x)));
    output(&f, mul(g, sum(g, mul(g, s, h)), sum(g, x)));
    return add(g, sum(g, scanned(&f, 0)), sum(g, scanned(&f, 1)));
}

static Node *noise(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[2], "h"), *key, *z;

    key = carry(&f, g_const_int(g, DT_key, 7), "key");
    z = g_normal(g, DT_f64, g_split(g, key, 0), h->rank, h->dim);
    f.next[0] = mul(g, h, add(g, g_fill(g, h, 1), mul(g, z, g_fill(g, z, .1))));
    f.next[1] = g_split(g, key, 1);
    return sum(g, mul(g, last(&f, 0), p[2]));
}

/* Calls. */

static Node *call_of(Graph *g, bool remat, bool apart, const Region *vjp,
                     Node *out, int n, Node *const *param, Node *const *arg)
{
    Region r = {.remat = remat, .apart = apart, .vjp = vjp};

    r.capture = param;
    r.ncapture = n;
    r.output = &out;
    r.noutput = 1;
    return g_part(g, g_region_close(g, &r, n, arg), 0);
}

static Node *like(Graph *g, const Node *n, const char *name)
{
    return g_param(g, n->dtype, n->rank, n->dim, name);
}

/* tanh(W h + x) as a call. */
static Node *step_call(Graph *g, bool remat, Node *h, Node *x, Node *W)
{
    Node *arg[] = {h, x, W};
    Node *param[] = {like(g, h, "h"), like(g, x, "x"), like(g, W, "W")};

    return call_of(g, remat, false, NULL,
                   rnn_step(g, param[0], param[1], param[2]), 3, param, arg);
}

static Node *calls(Graph *g, Node *const *p, const Dim *n, bool remat)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[2], "h"), *x = input(&f, p[1], "x");
    Node *y;

    f.next[0] = step_call(g, remat, h, x, p[0]);
    y = step_call(g, remat, last(&f, 0), p[2], p[0]);
    return sum(g, mul(g, y, y));
}

static Node *plain_calls(Graph *g, Node *const *p, const Dim *n)
{
    return calls(g, p, n, false);
}

static Node *remat_calls(Graph *g, Node *const *p, const Dim *n)
{
    return calls(g, p, n, true);
}

/* A loop of loops, the inner one computed again. */
static Node *remat_loop(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n), in;
    Node *h = carry(&f, p[2], "h"), *x = input(&f, p[1], "x"), *k;
    Node *param[] = {like(g, h, "h"), like(g, x, "x")}, *arg[] = {h, x};

    in = fold_new(g, n);
    k = carry(&in, param[0], "k");
    in.next[0] = rnn_step(g, k, param[1], p[0]);
    f.next[0] = call_of(g, true, false, NULL, last(&in, 0), 2, param, arg);
    return sum(g, last(&f, 0));
}

/* x·sin(w) elementwise with its derivative given, in a loop. */
static Node *own(Graph *g, Node *const *p, const Dim *n)
{
    Fold f = fold_new(g, n);
    Node *h = carry(&f, p[2], "h"), *param[4], *out[2], *y;
    Region vjp = {.noutput = 2, .ncapture = 4};
    Node *x = like(g, h, "x"), *w = like(g, h, "w"), *arg[] = {h, p[2]};

    param[0] = x;
    param[1] = w;
    param[2] = like(g, h, "y");
    param[3] = like(g, h, "y_bar");
    y = mul(g, x, g1(g, OP_sin, w));
    out[0] = mul(g, param[3], g1(g, OP_sin, w));
    out[1] = mul(g, param[3], mul(g, x, g1(g, OP_cos, w)));
    vjp.capture = param;
    vjp.output = out;
    f.next[0] = call_of(g, false, false, &vjp, y, 2, param, arg);
    return sum(g, last(&f, 0));
}

const Case cases[] = {
    {"power", power, 5, true},
    {"rnn_last", rnn_last, 5, false},
    {"rnn_reverse", rnn_reverse, 5, false},
    {"rnn_all", rnn_all, 5, false},
    {"several", several, 5, false},
    {"partly", partly, 5, false},
    {"until", until, 5, true},
    {"counted", counted, 5, false},
    {"counted_reverse", counted_reverse, 5, false},
    {"counted_none", counted_none, 5, false},
    {"no_trips", no_trips, 0, false},
    {"nested", nested, 5, false},
    {"branch_in_step", branch_in_step, 5, false},
    {"short_table", short_table, 2, false},
    {"empty_table", short_table, 0, false},
    {"row_in_branch", row_in_branch, 5, false},
    {"loop_in_branch", loop_in_branch, 5, false},
    {"gathers", gathers, 5, false},
    {"beside", beside, 5, false},
    {"noise", noise, 5, false},
    {"plain_calls", plain_calls, 5, false},
    {"remat_calls", remat_calls, 5, false},
    {"remat_loop", remat_loop, 4, false},
    {"own", own, 5, false},
};

const int ncases = sizeof cases / sizeof *cases;

static uint64_t seed = 1;

static double random_real(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 33) / (double)(UINT64_C(1) << 31);
}

static void add_param(Bench *b, int rank, const Dim *const *dim, int count)
{
    int k = b->np++;

    b->p[k] = g_param(b->g, DT_f64, rank, dim, "p");
    b->dot[k] = g_param(b->g, DT_f64, rank, dim, "p_dot");
    b->count[k] = count;
    for (int i = 0; i < count; i++) {
        b->x[k][i] = 0.4 + 0.5 * random_real();
        b->d[k][i] = random_real() - 0.5;
    }
}

void bench_new(Bench *b, const Case *k)
{
    const Dim *dim[2];

    memset(b, 0, sizeof *b);
    seed = 1;
    b->arena = arena_new();
    b->g = graph_new(b->arena, DT_f64);
    b->n = dim_var(b->g, "n");
    b->size = k->n;
    dim[0] = dim[1] = dim_const(b->g, 3);
    if (k->scalar)
        add_param(b, 0, NULL, 1);
    else {
        add_param(b, 2, dim, 9);
        dim[0] = b->n;
        add_param(b, 2, dim, 3 * (int)k->n);
        add_param(b, 1, dim + 1, 3);
    }
    b->y = k->make(b->g, b->p, b->n);
}

/* The values of n nodes, as numbers side by side, where the parameters are
 * moved by h times the direction. */
double *values(Bench *b, int n, Node *const *node, double h)
{
    EvalInput in[2 * MAX_PARAM];
    double **out = NEWN(b->arena, double *, n);
    double *x[MAX_PARAM], *all = NEWN(b->arena, double, n *MAX_SIZE);
    int at = 0;

    for (int k = 0; k < b->np; k++) {
        x[k] = NEWN(b->arena, double, MAX_SIZE);
        for (int i = 0; i < b->count[k]; i++)
            x[k][i] = b->x[k][i] + h * b->d[k][i];
        in[2 * k] = (EvalInput){b->p[k], x[k]};
        in[2 * k + 1] = (EvalInput){b->dot[k], b->d[k]};
    }
    ck_assert_int_eq(eval_nodes(b->arena, b->g, n, node, 2 * b->np, in, 1,
                                &b->n, &b->size, out),
                     EVAL_OK);
    for (int i = 0; i < n; i++) {
        int size = node[i]->rank == 0 ? 1 : 0;

        for (int k = 0; size == 0 && k < b->np; k++)
            if (b->p[k]->rank == node[i]->rank &&
                b->p[k]->dim[0] == node[i]->dim[0])
                size = b->count[k];
        memcpy(all + at, out[i], sizeof(double) * (size_t)size);
        at += size;
    }
    return all;
}

double value(Bench *b, Node *n, double h) { return *values(b, 1, &n, h); }

void near(const char *name, const char *what, double got, double want)
{
    if (!(fabs(got - want) <= 1e-7 * (1 + fabs(want))))
        ck_abort_msg("%s: %s is %.12g, not %.12g", name, what, got, want);
}

void gradient(Bench *b, Node *y, Node **bar)
{
    Node *one = real(b->g, 1);

    diff_reverse(b->g, 1, &y, &one, b->np, b->p, bar);
}

Node *directional(Bench *b, Node *y)
{
    Node *dot;

    diff_forward(b->g, 1, &y, b->np, b->p, b->dot, &dot);
    return dot;
}

/* The gradient times the direction, as a node. */
Node *along(Bench *b, Node *y)
{
    Node *bar[MAX_PARAM], *s = real(b->g, 0);

    gradient(b, y, bar);
    for (int k = 0; k < b->np; k++)
        s = add(b->g, s, sum(b->g, mul(b->g, bar[k], b->dot[k])));
    return s;
}

double central(Bench *b, Node *y)
{
    double h = 1e-5;

    return (value(b, y, h) - value(b, y, -h)) / (2 * h);
}
