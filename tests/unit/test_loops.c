/* test_loops.c: loops as schedules and as machine code against the reference
 * evaluator. */
#include "compiled.h"
#include "harness.h"
#include "kernel_sim.h"

#include <check.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "region/region.h"
#include "simplify/simplify.h"
#include "suite.h"

enum { MOST = 8, BYTES = 1 << 20 };

#ifdef __x86_64__
enum { LEVELS_KNOWN = true };
#else
enum { LEVELS_KNOWN = false };
#endif

/* A loop being put together. */
typedef struct Body {
    Graph *g;
    Region r;
    Node *carry[MOST], *input[MOST], *capture[MOST];
    Node *next[MOST], *output[MOST];
    Node *init[MOST], *from[MOST], *of[MOST], *count;
} Body;

static Body *body_new(Compiled *c, const Dim *trips, DType index)
{
    Body *b = NEW(c->arena, Body);
    b->g = c->graph;
    b->r.trips = trips;
    b->r.index = g_param(b->g, index, 0, NULL, "t");
    return b;
}

static Node *carry(Body *b, Node *init)
{
    int i = b->r.ncarry++;
    b->init[i] = init;
    return b->carry[i] = b->next[i] =
               g_param(b->g, init->dtype, init->rank, init->dim, "carry");
}

static Node *input(Body *b, Node *from)
{
    int i = b->r.ninput++;
    b->from[i] = from;
    return b->input[i] = g_param(b->g, from->dtype, from->rank - 1,
                                 from->dim + 1, "input");
}

static Node *capture(Body *b, Node *of)
{
    int i = b->r.ncapture++;
    b->of[i] = of;
    return b->capture[i] =
               g_param(b->g, of->dtype, of->rank, of->dim, "capture");
}

static void output(Body *b, Node *n) { b->output[b->r.noutput++] = n; }

static Node *loop(Body *b)
{
    Node *arg[3 * MOST + 1];
    int n = 0;
    Region *r = &b->r;
    r->carry = b->carry;
    r->input = b->input;
    r->capture = b->capture;
    r->next = b->next;
    r->output = b->output;
    r->counted = b->count;
    for (int i = 0; i < r->ncarry; i++)
        arg[n++] = b->init[i];
    for (int i = 0; i < r->ninput; i++)
        arg[n++] = b->from[i];
    for (int i = 0; i < r->ncapture; i++)
        arg[n++] = b->of[i];
    if (b->count)
        arg[n++] = b->count;
    return g_region(b->g, r, n, arg);
}

/* One function. */
typedef struct Case {
    Compiled *c;
    Node *param[MOST], *result[MOST];
    int nparam, nresult, limit; /* integers are below limit */
    int level;                  /* of the CPU; -1: the best */
} Case;

static Case *case_new(int nvar)
{
    Compiled *c = compiled_new(nvar);
    Case *x = NEW(c->arena, Case);
    x->c = c;
    x->limit = 3;
    x->level = -1;
    return x;
}

static Node *param(Case *x, DType t, int rank, const Dim *const *dim)
{
    return x->param[x->nparam++] = g_param(x->c->graph, t, rank, dim, "p");
}

static Node *vector(Case *x, DType t, const Dim *n)
{
    return param(x, t, 1, &n);
}

static Node *matrix(Case *x, DType t, const Dim *m, const Dim *n)
{
    return param(x, t, 2, (const Dim *[]){m, n});
}

static void result(Case *x, Node *n) { x->result[x->nresult++] = n; }

/* All parts of a loop. */
static void results(Case *x, Node *l)
{
    for (int i = 0; i < region_nparts(node_region(l)); i++)
        result(x, g_part(x->c->graph, l, i));
}

static const Dim *number(const Case *x, int64_t v)
{
    return dim_const(x->c->graph, v);
}

/* One call. */
typedef struct Run {
    double *value[2 * MOST], *want[MOST];
    int64_t count[2 * MOST];
    Fence *fence[2 * MOST], *work;
} Run;

static void draw(Case *x, Run *r, int i, const int64_t *size)
{
    DType t = x->param[i]->dtype;
    int64_t n = r->count[i] = node_elements(x->c, x->param[i], size);
    r->value[i] = NEWN(x->c->arena, double, n + 1);
    for (int64_t k = 0; k < n; k++) {
        uint64_t seed = (uint64_t)(1000 * i + k);
        r->value[i][k] = dtype_is_real(t) ? scatter(seed, 2000) * 1e-3 - 1
                         : t == DT_bool   ? scatter(seed, 2)
                                          : scatter(seed, x->limit);
        r->value[i][k] = as_number(t, r->value[i][k]);
    }
}

static EvalStatus reference(Case *x, Run *r, const int64_t *size)
{
    EvalInput in[MOST];
    for (int i = 0; i < x->nparam; i++) {
        draw(x, r, i, size);
        in[i] = (EvalInput){x->param[i], r->value[i]};
    }
    return eval_nodes(x->c->arena, x->c->graph, x->nresult, x->c->root.at[0],
                      x->nparam, in, x->c->nvar, x->c->var, size, r->want);
}

static void compare(const Case *x, const Run *r, int i, int64_t k, double got,
                    const char *where)
{
    double want = r->want[i][k];
    ck_assert_msg(is_near(x->result[i]->dtype, got, want, 1),
                  "%s: result %d[%d] is %.9g, not %.9g", where, i, (int)k, got,
                  want);
}

static void call(Case *x, const nn_function *f, Run *r, const int64_t *size,
                 EvalStatus want)
{
    void *leaf[2 * MOST];
    int n = x->nparam + x->nresult;
    for (int i = 0; i < n; i++) {
        const Node *of = i < x->nparam ? x->param[i] : x->result[i - x->nparam];
        r->count[i] = node_elements(x->c, of, size);
        r->fence[i] = fence_new(BYTES);
        leaf[i] = fence_last(r->fence[i], (size_t)r->count[i] *
                                              (size_t)dtype_size(of->dtype));
        for (int64_t k = 0; i < x->nparam && k < r->count[i]; k++)
            put_number(of->dtype, leaf[i], k, r->value[i][k]);
        for (int64_t k = 0; i >= x->nparam && k < r->count[i]; k++)
            put_number(of->dtype, leaf[i], k, 77);
    }
    r->work = fence_new(BYTES);
    size_t bytes = (f->workspace(size) + 63) / 64 * 64;
    int status = f->call(leaf, size, fence_last(r->work, bytes), NULL);
    ck_assert_int_eq(status, want == EVAL_BAD_INDEX ? NN_ERR_INDEX : NN_OK);
    for (int i = 0; i < x->nresult && status == NN_OK; i++)
        for (int64_t k = 0; k < r->count[x->nparam + i]; k++)
            compare(x, r, i, k,
                    get_number(x->result[i]->dtype, leaf[x->nparam + i], k),
                    "compiled");
    for (int i = 0; i < n; i++)
        fence_free(r->fence[i]);
    fence_free(r->work);
}

static void simulate(Case *x, Run *r, const int64_t *size, EvalStatus want)
{
    const char *why = "";
    double *leaf[2 * MOST];
    const Function *f = x->c->module.function.at[0];
    Schedule *s = schedule(x->c->arena, x->c->graph, f);
    for (int i = 0; i < x->nparam + x->nresult; i++) {
        leaf[i] = NEWN(x->c->arena, double, r->count[i] + 1);
        if (i < x->nparam)
            memcpy(leaf[i], r->value[i], sizeof(double) * (size_t)r->count[i]);
    }
    SimStatus got =
        sim_run(x->c->arena, s, x->c->nvar, x->c->var, size, leaf, &why);
    ck_assert_msg(got != SIM_BROKEN, "%s", why);
    ck_assert_int_eq(got == SIM_BAD_INDEX, want == EVAL_BAD_INDEX);
    for (int i = 0; i < x->nresult && got == SIM_OK; i++)
        for (int64_t k = 0; k < r->count[x->nparam + i]; k++)
            compare(x, r, i, k, leaf[x->nparam + i][k], "simulated");
}

static void run(Case *x, const int64_t *size)
{
    Run r = {.work = NULL};
    EvalStatus want = reference(x, &r, size);
    ck_assert_int_ne(want, EVAL_BAD_DIM);
    call(x, jit_module(x->c->jit)->function[0], &r, size, want);
    simulate(x, &r, size, want);
}

static void make(Case *x)
{
    int level = x->level < 0 ? 0 : x->level;
    for (int i = 1; x->level < 0 && i < LEVELS - 1; i++)
        level = level_runs_here(i) ? i : level;
    compiled_add(x->c, x->nparam, x->param, x->nresult, x->result);
    compiled_make(x->c, level);
}

/* For sizes n = 0, 1, …; m and k are other small numbers. */
static void check(Case *x)
{
    static const int64_t n[] = {0, 1, 2, 3, 7, 70};
    make(x);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        run(x, (int64_t[]){3 + (int64_t)i % 3, n[i], 2 + (int64_t)i});
    compiled_free(x->c);
}

/* The body's shapes. */

static Node *filled(Body *b, Node *like, double v)
{
    return g_fill(b->g, like, v);
}

static Node *affine(Body *b, Node *x, double a, double c)
{
    Node *y = g2(b->g, OP_mul, x, filled(b, x, a));
    return g2(b->g, OP_add, y, filled(b, x, c));
}

static Node *at_step(Body *b, DType t) { return g_cast(b->g, t, b->r.index); }

static Node *spread(Body *b, Node *scalar, Node *like)
{
    return g_broadcast_to(b->g, scalar, like->rank, like->dim);
}

/* h = tanh(0.9 h + 0.1 + x[t]), with h[t] as an output. */
static Case *elementwise(DType t, DType index, bool reverse)
{
    Case *x = case_new(2);
    const Dim *m = x->c->var[0], *n = x->c->var[1];
    Body *b = body_new(x->c, n, index);
    b->r.reverse = reverse;
    Node *h = carry(b, vector(x, t, m)), *in = input(b, matrix(x, t, n, m));
    b->next[0] =
        g1(b->g, OP_tanh, g2(b->g, OP_add, affine(b, h, 0.9, 0.1), in));
    output(b, h);
    output(b, g2(b->g, OP_mul, spread(b, at_step(b, t), h), b->next[0]));
    results(x, loop(b));
    return x;
}

START_TEST(maps)
{
    check(elementwise(_i & 1 ? DT_f32 : DT_f64, _i & 2 ? DT_i32 : DT_i64,
                      _i & 4));
}
END_TEST

/* Nothing but carries: scalars of several types, a recurrence, constants. */
START_TEST(scalars)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *p = carry(b, param(x, DT_f64, 0, NULL));
    Node *q = carry(b, param(x, DT_f64, 0, NULL));
    Node *i = carry(b, g_const_int(g, DT_i64, 3));
    Node *c = carry(b, g_const_int(g, DT_bool, 0));
    b->next[0] = g2(g, OP_add, p, g2(g, OP_mul, q, g_const(g, DT_f64, 0.01)));
    b->next[1] = g2(g, OP_sub, q, g2(g, OP_mul, p, g_const(g, DT_f64, 0.01)));
    i = g2(g, OP_mul, i, g_const_int(g, DT_i64, 5));
    i = g2(g, OP_add, i, g_cast(g, DT_i64, b->r.index));
    b->next[2] = g2(g, OP_mod, i, g_const_int(g, DT_i64, 1000003));
    b->next[3] = g1(g, OP_not, c);
    results(x, loop(b));
    check(x);
}
END_TEST

/* Carries that take each other's values, and that stay; an initial value used
 * twice, and once more after the loop. */
START_TEST(swapped)
{
    Case *x = case_new(2);
    const Dim *m = x->c->var[0];
    Node *v = vector(x, DT_f32, m), *w = vector(x, DT_f32, m);
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *p = carry(b, v), *q = carry(b, v), *r = carry(b, w), *s = carry(b, w);
    if (_i) { /* in another order of elements */
        b->next[0] = g_flip(b->g, q, 0);
        b->next[1] = g2(b->g, OP_add, p, r);
    } else {
        b->next[0] = q;
        b->next[1] = p;
    }
    b->next[2] = affine(b, r, 0.5, 1);
    b->next[3] = b->next[2];
    output(b, s);
    results(x, loop(b));
    result(x, g2(b->g, OP_add, v, x->result[0]));
    check(x);
}
END_TEST

/* h = tanh(h @ U + x[t] @ W + c): by turns, products, bigger shapes. */
START_TEST(recurrent)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *n = x->c->var[1], *k = number(x, 5),
              *d = number(x, _i & 4 ? 64 : 24);
    const Dim *batch = _i & 1 ? number(x, 17) : number(x, 1);
    Body *b = body_new(x->c, n, DT_i32);
    DType t = _i & 2 ? DT_f64 : DT_f32;
    Node *scaled = matrix(x, t, d, d);
    scaled = g2(g, OP_mul, scaled, g_fill(g, scaled, 0.1));
    Node *h = carry(b, matrix(x, t, batch, d));
    Node *in = input(b, param(x, t, 3, (const Dim *[]){n, batch, k}));
    Node *u = capture(b, scaled), *w = capture(b, matrix(x, t, k, d));
    Node *c = capture(b, vector(x, t, d));
    Node *z = g2(g, OP_add, g_matmul(g, h, u), g_matmul(g, in, w));
    b->next[0] = g1(g, OP_tanh, g2(g, OP_add, z, spread(b, c, z)));
    output(b, b->next[0]);
    results(x, loop(b));
    check(x);
}
END_TEST

static int count_once(Case *x)
{
    int n = 0;
    const Schedule *s =
        schedule(x->c->arena, x->c->graph, x->c->module.function.at[0]);
    for (int i = 0; i < s->kernel.n; i++)
        if (s->kernel.at[i]->kind == KERNEL_loop)
            n += s->kernel.at[i]->loop->body->ninvariant;
    return n;
}

/* A transposed factor that stays is laid out once, before the steps; one that
 * does not, in each. */
START_TEST(made_once)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *n = x->c->var[1], *d = number(x, 40), *m = number(x, 33);
    Body *b = body_new(x->c, n, DT_i32);
    Node *h = carry(b, matrix(x, DT_f64, m, d));
    Node *u = matrix(x, DT_f64, d, d);
    u = _i ? carry(b, u) : capture(b, u);
    Node *z = g_matmul(g, h, g_permute(g, u, (int[]){1, 0}));
    b->next[0] = g1(g, OP_sin, affine(b, z, 0.1, 0));
    if (_i)
        b->next[1] = affine(b, u, 0.5, 0.1);
    output(b, g_matmul(g, h, g_permute(g, u, (int[]){1, 0})));
    results(x, loop(b));
    make(x);
    ck_assert_int_eq(count_once(x), _i ? 0 : 1);
    for (int i = 0; i < 4; i++)
        run(x, (int64_t[]){1, i, 1});
    compiled_free(x->c);
}
END_TEST

/* So many kernels in a step that they share a list of arguments, and so many
 * instructions that these are functions. */
START_TEST(long_bodies)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *d = number(x, 12), *batch = x->c->var[0];
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *h = carry(b, matrix(x, DT_f64, batch, d));
    Node *s = carry(b, param(x, DT_f64, 0, NULL));
    Node *u = capture(b, matrix(x, DT_f64, d, d));
    Node *t = at_step(b, DT_f64);
    int layers = _i ? 300 : 0;
    for (int i = 0; i < layers; i++)
        h = g1(g, OP_tanh, affine(b, g_matmul(g, h, u), 0.1, i * 1e-3));
    for (int i = 0; i < 300; i++)
        s = g1(g, OP_tanh, g2(g, OP_add, affine(b, s, 0.9, i * 1e-3), t));
    b->next[0] = h;
    b->next[1] = s;
    output(b, g2(g, OP_mul, h, spread(b, s, h)));
    results(x, loop(b));
    check(x);
}
END_TEST

/* A vector of three and scalars of its own, in memory and in registers. */
START_TEST(small_vectors)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *three = number(x, 3);
    Body *b = body_new(x->c, x->c->var[1], DT_i64);
    Node *v = carry(b, vector(x, DT_f64, three));
    Node *p = carry(b, param(x, DT_f64, 0, NULL));
    Node *one = carry(b, vector(x, DT_f32, number(x, 1)));
    Node *k = capture(b, param(x, DT_f64, 0, NULL));
    Node *in = input(b, vector(x, DT_f64, x->c->var[1]));
    Node *norm = g_reduce_all(g, OP_sum, g2(g, OP_mul, v, v));
    Node *f = g2(g, OP_sub, in, g2(g, OP_mul, k, norm));
    b->next[0] = g1(g, OP_sin, g2(g, OP_add, g_flip(g, v, 0), spread(b, f, v)));
    b->next[1] = g2(g, OP_add, g2(g, OP_mul, p, g_const(g, DT_f64, 0.5)), norm);
    Node *f32 = g_cast(g, DT_f32, p);
    b->next[2] = g2(g, OP_mul, spread(b, f32, one), affine(b, one, 0.1, 1));
    output(b, p);
    output(b, f);
    b->r.until = g2(g, OP_lt, g_const(g, DT_f64, _i ? 2.5 : 1e9), p);
    results(x, loop(b));
    check(x);
}
END_TEST

/* Vectors of so few elements that they are one machine vector, or less. */
START_TEST(short_vectors)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *d = number(x, 2 + _i % 6);
    x->level = _i / 6;
    if (level_lacks(x->level)) {
        arena_free(x->c->arena);
        return;
    }
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *v = carry(b, vector(x, DT_f64, d));
    Node *w = carry(b, vector(x, DT_f32, d));
    Node *k = carry(b, vector(x, DT_i64, d));
    Node *in = input(b, matrix(x, DT_f32, x->c->var[1], d));
    Node *sum = g_reduce_all(g, OP_sum, g2(g, OP_mul, w, in));
    Node *top = g_reduce_all(g, OP_reduce_max, v);
    int axis = 0;
    Node *where = g_reduce(g, OP_argmax, v, 1, &axis);
    Node *apart = g2(g, OP_add, affine(b, v, 1.5, 0.3), g_cast(g, DT_f64, in));
    b->next[0] = g1(g, OP_sin, apart); /* no two are nearly the greatest */
    b->next[1] = g1(g, OP_tanh, g2(g, OP_add, in, spread(b, sum, w)));
    Node *next = g2(g, OP_add, k, spread(b, g_cast(g, DT_i64, where), k));
    b->next[2] = g2(g, OP_mod, next, g_fill(g, k, 5));
    output(b, top);
    output(b, g_reduce_all(g, OP_all, g2(g, OP_lt, w, in)));
    results(x, loop(b));
    check(x);
}
END_TEST

/* More buffers around a loop than it keeps the addresses of; carries that turn
 * among them. */
START_TEST(many_buffers)
{
    enum { MANY = 30 };
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *d = x->c->var[0];
    Node *v = vector(x, DT_f64, d), *all = g_fill(g, v, 0);
    Region r = {.trips = x->c->var[1]};
    Node *p[MANY], *next[MANY], *init[MANY];
    r.index = g_param(g, DT_i32, 0, NULL, "t");
    for (int i = 0; i < MANY; i++) {
        p[i] = g_param(g, DT_f64, 1, &d, "carry");
        init[i] = g2(g, OP_add, v, g_fill(g, v, i));
    }
    for (int i = 0; i < MANY; i++) {
        next[i] = g1(g, OP_sin, g_flip(g, p[(i + 1) % MANY], 0));
        next[i] = i % 3 ? g2(g, OP_add, next[i], p[i]) : next[i];
        next[i] = g2(g, OP_mul, next[i], g_fill(g, v, 0.25));
    }
    r.carry = p;
    r.next = r.output = next;
    r.ncarry = r.noutput = MANY;
    Node *l = g_region(g, &r, MANY, init);
    for (int i = 0; i < MANY; i++)
        all = g2(g, OP_sub, g_part(g, l, i), all);
    result(x, all);
    result(x, g_part(g, l, MANY + 3));
    result(x, g_part(g, l, 2 * MANY - 1));
    check(x);
}
END_TEST

/* The loop ends early: by a count of steps, or when a condition holds. */
START_TEST(ends_early)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *m = x->c->var[0];
    Node *v = vector(x, DT_f64, m);
    Body *b = body_new(x->c, x->c->var[1], DT_i64);
    Node *h = carry(b, g_fill(g, v, 0)), *c = capture(b, v);
    b->next[0] = g2(g, OP_add, h, g1(g, OP_abs, c));
    output(b, b->next[0]);
    output(b, b->r.index);
    Node *sum = g_reduce_all(g, OP_sum, h);
    Node *most = g_const(g, DT_f64, _i == 0 ? 4.0 : -1.0);
    if (_i < 2)
        b->r.until = g2(g, OP_lt, most, sum);
    else {
        x->limit = 6;
        b->count = param(x, DT_i64, 0, NULL);
        b->count = g2(g, OP_sub, b->count, g_const_int(g, DT_i64, _i - 2));
        b->r.reverse = _i & 1;
    }
    results(x, loop(b));
    check(x);
}
END_TEST

/* An inner loop over the outer one's input, of as many steps as m says. */
static Node *nested(Case *x, Node *v, Node *rows)
{
    Graph *g = x->c->graph;
    Body *out = body_new(x->c, x->c->var[1], DT_i32);
    Node *h = carry(out, v), *row = input(out, rows);
    Body *in = body_new(x->c, x->c->var[0], DT_i64);
    Node *s = carry(in, h), *one = input(in, row), *c = capture(in, h);
    Node *outer = capture(in, out->r.index);
    Node *t = g2(g, OP_add, at_step(in, DT_f64), g_cast(g, DT_f64, outer));
    Node *y = g2(g, OP_add, s, spread(in, g2(g, OP_mul, one, t), s));
    in->next[0] = g1(g, OP_sin, g2(g, OP_sub, y, c));
    output(in, g_reduce_all(g, OP_sum, s));
    Node *l = loop(in);
    out->next[0] = g_part(g, l, 0);
    output(out, g_part(g, l, 1));
    return loop(out);
}

START_TEST(loops_in_loops)
{
    Case *x = case_new(2);
    const Dim *m = x->c->var[0];
    Node *v = vector(x, DT_f64, number(x, 5));
    results(x, nested(x, v, matrix(x, DT_f64, x->c->var[1], m)));
    check(x);
}
END_TEST

/* h becomes sin(0.9 h + 0.1) so often, or of h turned around. */
static Node *turned(Case *x, Node *h, int64_t times, bool flip)
{
    Body *b = body_new(x->c, number(x, times), DT_i32);
    Node *u = carry(b, h);
    u = affine(b, u, 0.9, 0.1);
    b->next[0] = g1(b->g, OP_sin, flip ? g_flip(b->g, u, 0) : u);
    return g_part(b->g, loop(b), 0);
}

/* Where inner loops take over what the outer one carries nothing is copied, but
 * where it is wanted again. */
START_TEST(handed_on)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *n = number(x, 40);
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *first = vector(x, DT_f64, n);
    Node *h = carry(b, _i & 4 ? turned(x, first, 4, false) : first), *old = h;
    h = turned(x, h, 3, _i & 1);
    if (_i & 2)
        h = turned(x, h, 2, false);
    b->next[0] = _i & 8 ? g2(g, OP_sub, h, old) : h;
    results(x, loop(b));
    make(x);
    const Schedule *s = schedule(x->c->arena, g, x->c->module.function.at[0]);
    for (int i = 0; i < s->kernel.n; i++) {
        const Kernel *k = s->kernel.at[i];
        for (int j = 0;
             k->kind == KERNEL_loop && !(_i & 8) && j < k->loop->body->kernel.n;
             j++)
            if (k->loop->body->kernel.n > 1)
                ck_assert(k->loop->body->kernel.at[j]->kind == KERNEL_loop);
    }
    for (int i = 0; i < 5; i++)
        run(x, (int64_t[]){3, i, 2});
    compiled_free(x->c);
}
END_TEST

/* Index errors count where the branch is taken, in any step. */
static Node *looks_up(Case *x, Node *table, Node *index)
{
    Graph *g = x->c->graph;
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *h = carry(b, g_const(g, DT_f32, 0)), *i = input(b, index);
    Node *from = capture(b, table);
    Node *at = g_index_check(g, i, table->dim[0]);
    b->next[0] = g2(g, OP_add, h, g_gather(g, from, at, 0));
    return loop(b);
}

START_TEST(branches)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    Node *c = param(x, DT_bool, 0, NULL);
    Node *table = vector(x, DT_f32, number(x, 4));
    Node *index = vector(x, DT_i32, x->c->var[1]);
    x->limit = _i & 1 ? 5 : 4;
    Node *sum = g_part(g, looks_up(x, table, index), 0);
    if (_i & 2)
        c = g1(g, OP_not, c);
    result(x, _i & 4 ? g_if(g, c, sum, g_const(g, DT_f32, -1)) : sum);
    check(x);
}
END_TEST

/* Sums of rows that the data choose, some of which are not there. */
START_TEST(sums_of_rows)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *n = x->c->var[1], *k = x->c->var[0], *d = number(x, 64);
    Body *b = body_new(x->c, n, DT_i32);
    Node *h = carry(b, vector(x, DT_f32, d));
    Node *table = capture(b, matrix(x, DT_f32, number(x, 4), d));
    Node *i = input(b, matrix(x, DT_i32, n, k));
    Node *w = input(b, matrix(x, DT_f32, n, k));
    x->limit = _i ? 5 : 4;
    int row[] = {0}, both[] = {0, 1};
    Node *rows = g_gather(g, table, g_index_check(g, i, number(x, 4)), 0);
    b->next[0] = g2(g, OP_add, affine(b, h, 0.5, 0),
                    g_contract(g, w, row, rows, both, 1, both + 1));
    output(b, b->next[0]);
    results(x, loop(b));
    check(x);
}
END_TEST

/* A branch inside a body, taken in some steps. */
START_TEST(branch_in_body)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *h = carry(b, vector(x, DT_f32, x->c->var[0]));
    Node *on = input(b, vector(x, DT_bool, x->c->var[1]));
    Node *w = capture(b, matrix(x, DT_f32, x->c->var[0], x->c->var[0]));
    int row[] = {0}, all[] = {0, 1};
    Node *y = g_contract(g, h, row, w, all, 1, all + 1);
    b->next[0] = g_if(g, on, g1(g, OP_tanh, y), h);
    output(b, b->next[0]);
    results(x, loop(b));
    check(x);
}
END_TEST

/* Results that are a carry, an input, the index, a constant, a table. */
START_TEST(plain_results)
{
    static const double table[] = {3, 1, 2};
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *three = number(x, 3);
    Node *v = vector(x, DT_f64, three);
    Body *b = body_new(x->c, x->c->var[1], DT_i64);
    Node *h = carry(b, g_data(g, DT_f64, 1, &three, table));
    Node *d = g_data(g, DT_f64, 1, &three, table), *c = capture(b, v);
    b->next[0] = g2(g, OP_mul, g2(g, OP_add, h, d), filled(b, h, 0.5));
    output(b, h);
    output(b, b->r.index);
    output(b, c);
    output(b, d);
    output(b, filled(b, h, 4));
    Node *l = loop(b);
    for (int i = 0; i < 5; i++)
        if (i != 2) /* not read by anyone */
            result(x, g_part(g, l, i));
    result(x, v);
    check(x);
}
END_TEST

/* Constants and dimensions as arguments, steps as a result. */
START_TEST(plain_arguments)
{
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const Dim *n = x->c->var[1];
    Body *b = body_new(x->c, n, DT_i32);
    Node *h = carry(b, g_const(g, DT_f32, 1));
    Node *i = input(b, g_iota(g, DT_i32, n));
    Node *size = capture(b, g_dim(g, DT_i32, n));
    Node *y = g_cast(g, DT_f32, g2(g, OP_sub, size, i));
    b->next[0] = g2(g, OP_add, g2(g, OP_mul, h, g_const(g, DT_f32, 0.5)), y);
    b->r.until = g2(g, OP_lt, g_const(g, DT_f32, 40), h);
    results(x, loop(b));
    check(x);
}
END_TEST

/* The code of one function with `count` loops of so many steps. */
static char *code_of(Case *x, int count, int64_t trips, EmitKind kind,
                     size_t *n)
{
    const char *error = NULL;
    char *bytes;
    const Dim *steps = number(x, trips), *d = number(x, 8);
    for (int i = 0; i < count; i++) {
        Body *b = body_new(x->c, steps, DT_i32);
        Node *h = carry(b, vector(x, DT_f32, d));
        Node *in = input(b, matrix(x, DT_f32, steps, d));
        b->next[0] = g1(b->g, OP_tanh, g2(b->g, OP_add, h, in));
        output(b, h);
        results(x, loop(b));
    }
    make(x);
    Schedule *s =
        schedule(x->c->arena, x->c->graph, x->c->module.function.at[0]);
    ModuleInput in = {&x->c->module, &s, 1};
    TargetOptions o = {.cpu = "native", .optimise = 2};
    ck_assert(emit_module(x->c->arena, &in, kind, &o, &bytes, n, &error));
    return bytes;
}

static int occurrences(const char *text, size_t n, const char *of)
{
    int count = 0;
    for (size_t i = 0; i + strlen(of) <= n; i++)
        count += memcmp(text + i, of, strlen(of)) == 0;
    return count;
}

/* Equal loops are one function, whatever tensors they work on. */
START_TEST(compiled_once)
{
    int loops[2], kernels[2];
    for (int i = 0; i < 2; i++) {
        Case *x = case_new(2);
        size_t n;
        const char *text = code_of(x, 1 + i, 10, EMIT_ir, &n);
        loops[i] = occurrences(text, n, "define internal i32 @loop");
        kernels[i] = occurrences(text, n, "define internal i32 @kernel");
        compiled_free(x->c);
    }
    ck_assert_int_eq(loops[0], 1);
    ck_assert_int_eq(loops[1], 1);
    ck_assert_int_le(kernels[1], kernels[0] + 1); /* of initial values */
}
END_TEST

/* Code does not depend on how many steps there are. */
START_TEST(size_of_code)
{
    static const int64_t trips[] = {10, 10000};
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        Case *x = case_new(2);
        code_of(x, 1, trips[i], EMIT_object, &size[i]);
        compiled_free(x->c);
    }
    ck_assert(size[1] <= size[0] + 64 && size[0] <= size[1] + 64);
}
END_TEST

/* As a library of several objects, for one level or for all of them. */
START_TEST(from_a_library)
{
    char folder[] = "/tmp/nncc-loops-XXXXXX";
    Case *x = case_new(2);
    Graph *g = x->c->graph;
    const char *error = "";
    Object *object;
    int n;
    Body *b = body_new(x->c, x->c->var[1], DT_i32);
    Node *h = carry(b, vector(x, DT_f32, x->c->var[0]));
    for (int i = 0; i < 900; i++)
        b->next[0] = g1(g, _i & 2 ? OP_tanh : OP_sin,
                        affine(b, b->next[0], 1, 0.125 + i % 7));
    output(b, h);
    results(x, loop(b));
    make(x);
    Schedule *s = schedule(x->c->arena, g, x->c->module.function.at[0]);
    ModuleInput in = {&x->c->module, &s, 1};
    TargetOptions o = {.cpu = "native", .optimise = 2};
    if (_i & 1 && LEVELS_KNOWN)
        o.cpu = portable_here();
    ck_assert(emit_objects(x->c->arena, &in, &o, &object, &n, &error));
    ck_assert_int_gt(n, 1);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const char *path = arena_printf(x->c->arena, "%s/t.so", folder);
    ck_assert_msg(link_objects(path, path, NULL, object, n, NULL, &error), "%s",
                  error);
    void *library = dlopen(path, RTLD_NOW);
    ck_assert_msg(library != NULL, "%s", dlerror());
    const nn_module *(*module)(void);
    *(void **)&module = dlsym(library, "t_module");
    Run r = {.work = NULL};
    const int64_t size[] = {70, 11, 1};
    call(x, module()->function[0], &r, size, reference(x, &r, size));
    dlclose(library);
    unlink(path);
    rmdir(folder);
    compiled_free(x->c);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, maps, 0, 8);
    tcase_add_test(t, scalars);
    tcase_add_loop_test(t, swapped, 0, 2);
    tcase_add_loop_test(t, recurrent, 0, 8);
    tcase_add_loop_test(t, made_once, 0, 2);
    tcase_add_loop_test(t, long_bodies, 0, 2);
    tcase_add_test(t, many_buffers);
    tcase_add_loop_test(t, small_vectors, 0, 2);
    tcase_add_loop_test(t, short_vectors, 0, 6 * (LEVELS - 1));
    tcase_add_loop_test(t, ends_early, 0, 6);
    tcase_add_test(t, loops_in_loops);
    tcase_add_loop_test(t, handed_on, 0, 16);
    tcase_add_loop_test(t, branches, 0, 8);
    tcase_add_loop_test(t, sums_of_rows, 0, 2);
    tcase_add_test(t, branch_in_body);
    tcase_add_test(t, plain_results);
    tcase_add_test(t, plain_arguments);
    tcase_add_test(t, compiled_once);
    tcase_add_test(t, size_of_code);
    tcase_add_loop_test(t, from_a_library, 0, 4);
}

int main(void)
{
    Suite *s = suite_create("loops");
    TCase *t = tcase_create("loops");
    add_tests(t);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    emit_shutdown();
    return failed;
}
