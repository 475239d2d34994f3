/* test_emit.c: machine code of hand-made kernels against plain C. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "emit/emit.h"
#include "harness.h"
#include "suite.h"

static const char *const cpus[] = {"x86-64", "x86-64-v2", "x86-64-v3",
                                   "x86-64-v4", "native"};
enum { NCPU = sizeof cpus / sizeof *cpus, MAX_INSTR = 64 };

/* One function with one kernel, being made. */
typedef struct Make {
    Arena *a;
    Graph *g;
    Function fn;
    Schedule s;
    Kernel k;
    Instr instr[MAX_INSTR];
    Stage stage[8];
    Output output[8][8];
    Port port[8]; /* parameters, then results */
    Node *leaf[8];
    int nport, nparam;
    const Dim *extent[MAX_RANK];
} Make;

static Make *make_new(void)
{
    Arena *a = arena_new();
    Make *m = NEW(a, Make);
    m->a = a;
    m->g = graph_new(a, DT_f32);
    m->k.kind = KERNEL_map;
    m->k.instr = m->instr;
    m->k.stage = m->stage;
    m->k.extent = m->extent;
    return m;
}

static const Dim *variable(Make *m, const char *name)
{
    const Dim *d = dim_var(m->g, name);
    const Dim **all = NEWN(m->a, const Dim *, m->fn.nvar + 1);
    for (int i = 0; i < m->fn.nvar; i++)
        all[i] = m->fn.var[i];
    all[m->fn.nvar++] = d;
    m->fn.var = all;
    return d;
}

static const Dim *number(Make *m, int64_t v) { return dim_const(m->g, v); }

static Buffer *tensor(Make *m, DType t, int rank, const Dim *const *dim)
{
    int i = m->nport++;
    const char *name = arena_printf(m->a, "p%d", i);
    m->leaf[i] = g_param(m->g, t, rank, dim, name);
    Type *type = NEW(m->a, Type);
    *type = (Type){.kind = TY_tensor,
                   .dtype = t,
                   .rank = rank,
                   .dim = m->leaf[i]->dim,
                   .text = "tensor"};
    m->port[i] = (Port){.name = name,
                        .type = type,
                        .leaf = &m->leaf[i],
                        .nleaf = 1,
                        .in_place = -1};
    Buffer *b = NEW(m->a, Buffer);
    const Dim *n = number(m, 1);
    for (int d = 0; d < rank; d++)
        n = dim_mul(m->g, n, dim[d]);
    *b = (Buffer){.kind = BUF_LEAF,
                  .id = m->s.buffer.n,
                  .leaf = i,
                  .dtype = t,
                  .elements = n,
                  .node = m->leaf[i]};
    list_push(m->a, &m->s.buffer, b);
    return b;
}

static Buffer *vector(Make *m, DType t, const Dim *n)
{
    return tensor(m, t, 1, &n);
}

static Buffer *matrix(Make *m, DType t, const Dim *r, const Dim *c)
{
    return tensor(m, t, 2, (const Dim *[]){r, c});
}

/* base + Σ coef · loop variable */
static Index *at_vars(Make *m, int n, const Dim *const *coef, const int *var)
{
    Index *ix = NEW(m->a, Index);
    ix->base = number(m, 0);
    ix->n = n;
    ix->coef = NEWN(m->a, const Dim *, n + 1);
    ix->atom = NEWN(m->a, Atom, n + 1);
    for (int i = 0; i < n; i++) {
        ix->coef[i] = coef[i];
        ix->atom[i] = (Atom){.kind = IX_var, .var = var[i]};
    }
    return ix;
}

static Index *at1(Make *m, const Dim *c, int v)
{
    return at_vars(m, 1, &c, &v);
}

static Index *at2(Make *m, const Dim *c0, int v0, const Dim *c1, int v1)
{
    return at_vars(m, 2, (const Dim *[]){c0, c1}, (int[]){v0, v1});
}

static void loops(Make *m, int rank, const Dim *const *extent)
{
    m->k.rank = rank;
    for (int i = 0; i < rank; i++)
        m->extent[i] = extent[i];
}

static Stage *stage(Make *m, int rank, const Dim *const *extent, bool lanes)
{
    Stage *s = &m->stage[m->k.nstage];
    *s = (Stage){.rank = rank, .lanes = lanes, .first = m->k.ninstr};
    s->extent = NEWN(m->a, const Dim *, rank + 1);
    for (int i = 0; i < rank; i++)
        s->extent[i] = extent[i];
    s->output = m->output[m->k.nstage++];
    for (int i = 0; i < m->k.nstage - 1; i++)
        for (int j = 0; j < m->stage[i].noutput; j++)
            s->reduction += m->stage[i].output[j].kind == OUT_reduce;
    return s;
}

static int add_instr(Make *m, Instr i)
{
    m->stage[m->k.nstage - 1].ninstr++;
    m->instr[m->k.ninstr] = i;
    return m->k.ninstr++;
}

static int load_if(Make *m, const Buffer *b, const Index *at, int pred,
                   int level)
{
    return add_instr(m, (Instr){.kind = I_load,
                                .dtype = b->dtype,
                                .buffer = b,
                                .at = at,
                                .pred = pred,
                                .level = level});
}

static int load(Make *m, const Buffer *b, const Index *at, int level)
{
    return load_if(m, b, at, -1, level);
}

static int index_of(Make *m, DType t, const Index *at, int level)
{
    return add_instr(
        m,
        (Instr){
            .kind = I_index, .dtype = t, .at = at, .pred = -1, .level = level});
}

static int result(Make *m, DType t, int number_, int level)
{
    return add_instr(m, (Instr){.kind = I_result,
                                .dtype = t,
                                .value = number_,
                                .pred = -1,
                                .level = level});
}

static int op(Make *m, OpId id, DType t, int narg, const int *arg, int level)
{
    Node *node = NEW(m->a, Node);
    *node = (Node){.op = id, .dtype = t, .narg = narg};
    Node **args = NEWN(m->a, Node *, narg + 1);
    for (int j = 0; j < narg; j++) {
        args[j] = NEW(m->a, Node);
        args[j]->dtype = m->instr[arg[j]].dtype;
    }
    node->arg = args;
    Instr i = {.kind = I_op,
               .dtype = t,
               .op = id,
               .node = node,
               .narg = narg,
               .pred = -1,
               .level = level};
    for (int j = 0; j < narg; j++)
        i.arg[j] = arg[j];
    return add_instr(m, i);
}

static int op2(Make *m, OpId id, DType t, int a, int b, int level)
{
    return op(m, id, t, 2, (int[]){a, b}, level);
}

static void output(Make *m, Output o)
{
    Stage *s = &m->stage[m->k.nstage - 1];
    s->output[s->noutput++] = o;
}

static void store(Make *m, const Buffer *b, const Index *at, int value)
{
    output(m, (Output){.kind = OUT_store,
                       .value = value,
                       .buffer = b,
                       .at = at,
                       .pred = -1,
                       .index = -1});
}

static void reduce(Make *m, OpId id, int value, int index)
{
    output(m, (Output){.kind = OUT_reduce,
                       .value = value,
                       .op = id,
                       .index = index,
                       .pred = -1});
}

/* The compiled function; the last port is its result. */
typedef struct Compiled {
    Jit *jit;
    const nn_function *fn;
} Compiled;

static Compiled compile(Make *m, const char *cpu)
{
    int last = m->nport - 1;
    if (!m->s.kernel.n)
        list_push(m->a, &m->s.kernel, &m->k);
    m->fn.name = "f";
    m->fn.param = m->port;
    m->fn.nparam = last;
    m->fn.result = m->port + last;
    m->fn.nresult = 1;
    m->s.function = &m->fn;
    m->s.workspace = m->s.workspace ? m->s.workspace : number(m, 0);
    Module *module = NEW(m->a, Module);
    *module = (Module){.name = "t", .path = "t.nn", .graph = m->g};
    module->real = DT_f32;
    list_push(m->a, &module->function, &m->fn);
    Schedule *s = &m->s;
    ModuleInput in = {.module = module, .schedule = &s, .nschedule = 1};
    TargetOptions o = {.cpu = cpu, .optimise = 2};
    const char *error = NULL;
    Compiled c = {.jit = jit_open(&in, &o, &error)};
    ck_assert_msg(c.jit != NULL, "%s", error);
    c.fn = jit_module(c.jit)->function[0];
    return c;
}

static void finish(Make *m, Compiled c)
{
    jit_close(c.jit);
    arena_free(m->a);
}

static double noise(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*s >> 11) / 0x1p53 * 4 - 2;
}

enum { GUARD = 64, SIZE = 70 * 70 };

typedef struct Data {
    double f64[SIZE + GUARD];
    float f32[SIZE + GUARD];
    int32_t i32[SIZE + GUARD];
    uint8_t u8[SIZE + GUARD];
} Data;

static void fill(Data *d, uint64_t seed)
{
    for (int i = 0; i < SIZE + GUARD; i++) {
        double v = noise(&seed);
        d->f64[i] = v;
        d->f32[i] = (float)v;
        d->i32[i] = (int32_t)(v * 1000);
        d->u8[i] = v > 0;
    }
}

static void *of_type(Data *d, DType t)
{
    return t == DT_f64   ? (void *)d->f64
           : t == DT_f32 ? (void *)d->f32
           : t == DT_i32 ? (void *)d->i32
                         : (void *)d->u8;
}

static double element(const Data *d, DType t, int i)
{
    return t == DT_f64   ? d->f64[i]
           : t == DT_f32 ? (double)d->f32[i]
           : t == DT_i32 ? (double)d->i32[i]
                         : (double)d->u8[i];
}

static Data da, db, dc, out, kept;

static int call(Compiled c, void **leaf, const int64_t *dims)
{
    fill(&out, 9);
    kept = out;
    return c.fn->call(leaf, dims, NULL, NULL);
}

/* What is past the end was not written. */
static void untouched(DType t, int from)
{
    for (int i = from; i < from + GUARD && i < SIZE + GUARD; i++)
        if (element(&out, t, i) != element(&kept, t, i))
            ck_abort_msg("element %d was written", i);
}

static void near(double got, double want, DType t)
{
    double eps = t == DT_f32 ? 1e-5 : 1e-12;
    bool ok =
        isnan(want) ? isnan(got) : fabs(got - want) <= eps * (1 + fabs(want));
    if (!ok)
        ck_abort_msg("%.17g is not %.17g", got, want);
}

/* y[i,j] = a[i,j] * b[j] + c[i], lanes in the stage or in the outer loops. */
static void broadcast(const char *cpu, DType t, bool outer)
{
    Make *m = make_new();
    const Dim *r = variable(m, "r"), *c = variable(m, "c");
    const Dim *one = number(m, 1);
    Buffer *a = matrix(m, t, r, c), *b = vector(m, t, c), *d = vector(m, t, r),
           *y = matrix(m, t, r, c);
    loops(m, outer ? 2 : 1, (const Dim *[]){r, c});
    m->k.lanes = outer;
    stage(m, outer ? 0 : 1, &c, !outer);
    int i = load(m, d, at1(m, one, 0), 1);
    int x = load(m, a, at2(m, c, 0, one, 1), 2);
    int z = load(m, b, at1(m, one, 1), 2);
    int p = op2(m, OP_mul, t, x, z, 2);
    store(m, y, at2(m, c, 0, one, 1), op2(m, OP_add, t, p, i, 2));
    Compiled f = compile(m, cpu);
    for (int n = 0; n <= 70; n++) {
        int64_t dims[] = {n < 5 ? n : 3, n};
        void *leaf[] = {of_type(&da, t), of_type(&db, t), of_type(&dc, t),
                        of_type(&out, t)};
        ck_assert_int_eq(call(f, leaf, dims), NN_OK);
        for (int j = 0; j < dims[0] * dims[1]; j++)
            near(element(&out, t, j),
                 element(&da, t, j) * element(&db, t, j % n) +
                     element(&dc, t, j / n),
                 t);
        untouched(t, (int)(dims[0] * dims[1]));
    }
    finish(m, f);
}

START_TEST(map_broadcasts)
{
    if (lacks(cpus[_i]))
        return;
    broadcast(cpus[_i], DT_f32, false);
    broadcast(cpus[_i], DT_f64, false);
    broadcast(cpus[_i], DT_f32, true);
    broadcast(cpus[_i], DT_i32, true);
}
END_TEST

/* y[i] = sum(a[i,:]) * max(a[i,:]) over rows, or down columns with the result
 * in the lanes. */
static void reductions(const char *cpu, DType t, bool columns)
{
    Make *m = make_new();
    const Dim *r = variable(m, "r"), *c = variable(m, "c");
    const Dim *one = number(m, 1);
    Buffer *a = matrix(m, t, r, c);
    Buffer *y = vector(m, t, columns ? c : r);
    loops(m, 1, columns ? &c : &r);
    m->k.lanes = columns;
    stage(m, 1, columns ? &r : &c, !columns);
    int x = columns ? load(m, a, at2(m, c, 1, one, 0), 2)
                    : load(m, a, at2(m, c, 0, one, 1), 2);
    reduce(m, OP_sum, x, -1);
    reduce(m, OP_reduce_max, x, -1);
    stage(m, 0, NULL, false);
    int sum = result(m, t, 0, 1), max = result(m, t, 1, 1);
    store(m, y, at1(m, one, 0), op2(m, OP_mul, t, sum, max, 1));
    Compiled f = compile(m, cpu);
    for (int n = 1; n <= 70; n++) {
        int64_t dims[] = {columns ? n % 7 + 1 : 3, n};
        void *leaf[] = {of_type(&da, t), of_type(&out, t)};
        ck_assert_int_eq(call(f, leaf, dims), NN_OK);
        int rows = (int)dims[0], ny = columns ? n : rows;
        for (int i = 0; i < ny; i++) {
            double s = 0, top = -INFINITY;
            for (int k = 0; k < (columns ? rows : n); k++) {
                double v = element(&da, t, columns ? k * n + i : i * n + k);
                s += v;
                top = fmax(top, v);
            }
            near(element(&out, t, i), s * top, t);
        }
        untouched(t, ny);
    }
    finish(m, f);
}

START_TEST(map_reduces)
{
    if (lacks(cpus[_i]))
        return;
    reductions(cpus[_i], DT_f32, false);
    reductions(cpus[_i], DT_f64, false);
    reductions(cpus[_i], DT_f32, true);
    reductions(cpus[_i], DT_f64, true);
}
END_TEST

/* y[i] = argmax(a[i,:]), NaNs and ties included. */
static void positions(const char *cpu, bool lanes)
{
    Make *m = make_new();
    const Dim *r = variable(m, "r"), *c = variable(m, "c");
    const Dim *one = number(m, 1);
    Buffer *a = matrix(m, DT_f32, r, c), *y = vector(m, DT_i32, r);
    loops(m, 1, &r);
    stage(m, 1, &c, lanes);
    int x = load(m, a, at2(m, c, 0, one, 1), 2);
    reduce(m, OP_argmax, x, index_of(m, DT_i32, at1(m, one, 1), 2));
    stage(m, 0, NULL, false);
    store(m, y, at1(m, one, 0), result(m, DT_i32, 0, 1));
    Compiled f = compile(m, cpu);
    static Data in;
    for (int n = 1; n <= 70; n++) {
        in = da;
        for (int j = 0; j < n; j++) {
            in.f32[j] = floorf(in.f32[j]); /* ties */
            in.f32[2 * n + j] = -INFINITY;
        }
        in.f32[n + n / 2] = NAN;
        in.f32[n + n - 1] = NAN;
        int64_t dims[] = {3, n};
        ck_assert_int_eq(call(f, (void *[]){in.f32, out.i32}, dims), NN_OK);
        for (int i = 0; i < 3; i++) {
            int best = 0;
            for (int j = 1; j < n; j++) {
                float v = in.f32[i * n + j], w = in.f32[i * n + best];
                if (v > w || (isnan(v) && !isnan(w)))
                    best = j;
            }
            ck_assert_int_eq(out.i32[i], best);
        }
    }
    finish(m, f);
}

START_TEST(map_finds_positions)
{
    if (lacks(cpus[_i]))
        return;
    positions(cpus[_i], true);
    positions(cpus[_i], false);
}
END_TEST

/* y[i,j] = a[index[i], j] : through data; a bad index reads nothing else. */
static void lookups(const char *cpu, bool lanes_in_row)
{
    Make *m = make_new();
    const Dim *r = variable(m, "r"), *c = variable(m, "c"),
              *n = variable(m, "n");
    const Dim *one = number(m, 1);
    Buffer *a = matrix(m, DT_f32, n, c), *ix = vector(m, DT_i32, r),
           *y = matrix(m, DT_f32, r, c);
    /* loops: rows and columns, or columns and rows */
    int row = lanes_in_row ? 1 : 0, column = 1 - row;
    loops(m, 2, (const Dim *[]){lanes_in_row ? c : r, lanes_in_row ? r : c});
    m->k.lanes = true;
    stage(m, 0, NULL, false);
    int p = load(m, ix, at1(m, one, row), row + 1);
    Index *at = at2(m, c, 0, one, column);
    at->atom[0] = (Atom){.kind = IX_value, .value = p};
    int x = load(m, a, at, 2);
    store(m, y, at2(m, c, row, one, column), x);
    Compiled f = compile(m, cpu);
    static int32_t index[70];
    for (int k = 0; k <= 40; k++) {
        int rows = k, cols = lanes_in_row ? 5 : k + 3, from = 7;
        for (int i = 0; i < rows; i++)
            index[i] = (i * 5 + 3) % (from + 1) - (i % 11 == 10);
        int64_t dims[] = {rows, cols, from};
        ck_assert_int_eq(call(f, (void *[]){da.f32, index, out.f32}, dims),
                         NN_OK);
        for (int i = 0; i < rows * cols; i++) {
            int at_ = index[i / cols] * cols + i % cols;
            bool in = at_ >= 0 && at_ < from * cols;
            ck_assert(out.f32[i] == (in ? da.f32[at_] : 0) || !in);
        }
        untouched(DT_f32, rows * cols);
    }
    finish(m, f);
}

START_TEST(map_looks_up)
{
    if (lacks(cpus[_i]))
        return;
    lookups(cpus[_i], false);
    lookups(cpus[_i], true);
}
END_TEST

/* y[i] = x[(i / 3) + 5 * (i % 3)] where 1 <= i, else 0: odd strides,
 * quotients, predicates. */
static void strange_index(const char *cpu, bool lanes)
{
    Make *m = make_new();
    const Dim *n = variable(m, "n"), *one = number(m, 1);
    const Dim *three = number(m, 3), *five = number(m, 5);
    Buffer *x = vector(m, DT_f32, dim_mul(m->g, n, five)),
           *y = vector(m, DT_f32, n);
    loops(m, 1, &n);
    m->k.lanes = lanes;
    stage(m, 0, NULL, false);
    int i = index_of(m, DT_i32, at1(m, one, 0), 1);
    Index *zero = at_vars(m, 0, NULL, NULL);
    int o = index_of(m, DT_i32, zero, 0);
    int some = op2(m, OP_lt, DT_bool, o, i, 1);
    Index *at = at2(m, one, 0, five, 0);
    at->atom[0] = (Atom){.kind = IX_div, .of = at1(m, one, 0), .by = three};
    at->atom[1] = (Atom){.kind = IX_mod, .of = at1(m, one, 0), .by = three};
    store(m, y, at1(m, one, 0), load_if(m, x, at, some, 1));
    Compiled f = compile(m, cpu);
    for (int k = 0; k <= 70; k++) {
        int64_t dims[] = {k};
        ck_assert_int_eq(call(f, (void *[]){da.f32, out.f32}, dims), NN_OK);
        for (int j = 0; j < k; j++)
            ck_assert(out.f32[j] == (j > 0 ? da.f32[j / 3 + 5 * (j % 3)] : 0));
        untouched(DT_f32, k);
    }
    finish(m, f);
}

START_TEST(map_divides_indices)
{
    if (lacks(cpus[_i]))
        return;
    strange_index(cpus[_i], true);
    strange_index(cpus[_i], false);
}
END_TEST

/* y[index[i]] += x[i], and bools counted; lanes may meet. */
static void scatters(const char *cpu, bool lanes)
{
    Make *m = make_new();
    const Dim *n = variable(m, "n"), *k = variable(m, "k");
    const Dim *one = number(m, 1);
    Buffer *x = vector(m, DT_f32, n), *ix = vector(m, DT_u8, n),
           *y = vector(m, DT_f32, k);
    loops(m, 1, &n);
    m->k.lanes = lanes;
    stage(m, 0, NULL, false);
    int p = load(m, ix, at1(m, one, 0), 1);
    int v = load(m, x, at1(m, one, 0), 1);
    Index *at = at1(m, one, 0);
    at->atom[0] = (Atom){.kind = IX_value, .value = p};
    output(m, (Output){.kind = OUT_add,
                       .value = v,
                       .buffer = y,
                       .at = at,
                       .pred = -1,
                       .index = -1});
    Compiled f = compile(m, cpu);
    static uint8_t index[70];
    for (int c = 0; c <= 70; c++) {
        for (int i = 0; i < c; i++)
            index[i] = (uint8_t)(i * 5 % 7);
        int64_t dims[] = {c, 6};
        ck_assert_int_eq(call(f, (void *[]){da.f32, index, out.f32}, dims),
                         NN_OK);
        for (int j = 0; j < 6; j++) {
            double want = kept.f32[j];
            for (int i = 0; i < c; i++)
                want += index[i] == j ? da.f32[i] : 0;
            near(out.f32[j], want, DT_f32);
        }
        untouched(DT_f32, 6);
    }
    finish(m, f);
}

START_TEST(map_scatters)
{
    if (lacks(cpus[_i]))
        return;
    scatters(cpus[_i], false);
    scatters(cpus[_i], true);
}
END_TEST

/* any and all of bool rows; bool results. */
START_TEST(map_joins_bools)
{
    if (lacks(cpus[_i]))
        return;
    for (int lanes = 0; lanes < 2; lanes++) {
        Make *m = make_new();
        const Dim *r = variable(m, "r"), *c = variable(m, "c");
        const Dim *one = number(m, 1);
        Buffer *a = matrix(m, DT_bool, r, c), *y = vector(m, DT_bool, r);
        loops(m, 1, &r);
        stage(m, 1, &c, lanes);
        int x = load(m, a, at2(m, c, 0, one, 1), 2);
        reduce(m, OP_any, x, -1);
        reduce(m, OP_all, x, -1);
        stage(m, 0, NULL, false);
        int any = result(m, DT_bool, 0, 1), all = result(m, DT_bool, 1, 1);
        store(m, y, at1(m, one, 0), op2(m, OP_ne, DT_bool, any, all, 1));
        Compiled f = compile(m, cpus[_i]);
        for (int n = 0; n <= 70; n++) {
            int64_t dims[] = {3, n};
            ck_assert_int_eq(call(f, (void *[]){da.u8, out.u8}, dims), NN_OK);
            for (int i = 0; i < 3; i++) {
                bool some = false, every = true;
                for (int j = 0; j < n; j++) {
                    some = some || da.u8[i * n + j];
                    every = every && da.u8[i * n + j];
                }
                ck_assert_int_eq(out.u8[i], some != every);
            }
            untouched(DT_bool, 3);
        }
        finish(m, f);
    }
}
END_TEST

/* Products. */

typedef struct Shape {
    bool turn_a, turn_b, batch, packed, epilogue;
    int n; /* 0: a variable */
    DType t;
} Shape;

enum { BATCH = 3 };
static _Alignas(64) char workspace[1 << 18];

/* Bias and square on the finished rows: y[.., i, j] = (y + c[j])^2 */
static Kernel *make_epilogue(Make *m, const Shape *p, const Dim *rows,
                             const Dim *n, const Buffer *y, const Buffer *bias)
{
    DType t = p->t;
    int row = p->batch ? 1 : 0;
    const Dim *batch = number(m, BATCH), *one = number(m, 1);
    const Dim *coef[] = {dim_mul(m->g, rows, n), n, one};
    int var[] = {0, row, row + 1};
    loops(m, row + 1, p->batch ? (const Dim *[]){batch, rows} : &rows);
    stage(m, 1, &n, true);
    Index *at = at_vars(m, row + 2, coef + 1 - row, var + 1 - row);
    int x = load(m, y, at, row + 2);
    int b = load(m, bias, at1(m, one, row + 1), row + 2);
    int s = op2(m, OP_add, t, x, b, row + 2);
    store(m, y, at, op2(m, OP_mul, t, s, s, row + 2));
    return arena_copy(m->a, &m->k, sizeof m->k);
}

/* The same of two loops behind q of batches, by c0 where there is one. */
static Index *at3(Make *m, int q, const Dim *c0, const Dim *c1, int v1,
                  const Dim *c2, int v2)
{
    const Dim *coef[] = {c0, c1, c2};
    int var[] = {0, q + v1, q + v2};
    return at_vars(m, 2 + q, coef + 1 - q, var + 1 - q);
}

static void make_product(Make *m, const Shape *p)
{
    DType t = p->t;
    const Dim *rows = variable(m, "m"), *k = variable(m, "k");
    const Dim *n = p->n ? number(m, p->n) : variable(m, "n");
    const Dim *one = number(m, 1), *batch = number(m, p->batch ? BATCH : 1);
    const Dim *mk = dim_mul(m->g, rows, k), *kn = dim_mul(m->g, k, n),
              *mn = dim_mul(m->g, rows, n);
    Buffer *a = vector(m, t, dim_mul(m->g, mk, batch)),
           *b = vector(m, t, dim_mul(m->g, kn, batch)), *bias = vector(m, t, n),
           *y = vector(m, t, dim_mul(m->g, mn, batch));
    Kernel *epilogue =
        p->epilogue ? make_epilogue(m, p, rows, n, y, bias) : NULL;
    Contract *c = NEW(m->a, Contract);
    int q = p->batch, deepest = q + 3;
    const Dim *extent[] = {batch, rows, n};
    Make *nest = NEW(m->a, Make);
    *nest = *m;
    nest->k = (Kernel){
        .extent = nest->extent, .instr = nest->instr, .stage = nest->stage};
    loops(nest, q + 2, extent + 1 - q);
    stage(nest, 1, &k, false);
    int x =
        load(nest, a,
             at3(m, q, mk, p->turn_a ? one : k, 0, p->turn_a ? rows : one, 2),
             deepest);
    int z = load(nest, b,
                 at3(m, q, kn, p->turn_b ? one : n, 2, p->turn_b ? k : one, 1),
                 deepest);
    reduce(nest, OP_sum, op2(nest, OP_mul, t, x, z, deepest), -1);
    stage(nest, 0, NULL, false);
    store(nest, y, at3(m, q, mn, n, 0, one, 1), result(nest, t, 0, q + 2));
    *c = (Contract){
        .a = &nest->instr[0],
        .b = &nest->instr[1],
        .out = nest->output[1],
        .m = rows,
        .n = n,
        .k = k,
        .nbatch = q,
        .nrows = 1,
        .ndepth = 1,
    };
    if (p->packed) {
        const Dim *panel = number(m, 64);
        const Dim *up = dim_add(m->g, n, number(m, 63));
        Buffer *w = NEW(m->a, Buffer);
        *w = (Buffer){.kind = BUF_WORK, .id = 4, .dtype = t};
        w->elements =
            dim_mul(m->g, k, dim_mul(m->g, dim_div(m->g, up, panel), panel));
        w->offset = number(m, 0);
        list_push(m->a, &m->s.buffer, w);
        c->pack = w;
        m->s.workspace = dim_mul(m->g, w->elements, number(m, dtype_size(t)));
    }
    m->k = nest->k;
    m->k.kind = KERNEL_contract;
    m->k.contract = c;
    m->k.epilogue = epilogue;
}

static double product_at(const Shape *p, const int64_t *s, int q, int i, int j)
{
    int m = (int)s[0], k = (int)s[1], n = (int)s[2];
    double sum = 0;
    for (int l = 0; l < k; l++)
        sum +=
            element(&da, p->t,
                    q * m * k + (p->turn_a ? l * m + i : i * k + l)) *
            element(&db, p->t, q * k * n + (p->turn_b ? j * k + l : l * n + j));
    if (!p->epilogue)
        return sum;
    sum += element(&dc, p->t, j);
    return sum * sum;
}

static void check_product(const Shape *p, Compiled f, int m, int k, int n)
{
    int64_t size[] = {m, k, n};
    int nbatch = p->batch ? BATCH : 1;
    if (nbatch * m * k > SIZE || nbatch * k * n > SIZE || nbatch * m * n > SIZE)
        return;
    void *leaf[] = {of_type(&da, p->t), of_type(&db, p->t), of_type(&dc, p->t),
                    of_type(&out, p->t)};
    fill(&out, 9);
    kept = out;
    ck_assert_int_eq(f.fn->call(leaf, size, workspace, NULL), NN_OK);
    for (int q = 0; q < nbatch; q++)
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++)
                near(element(&out, p->t, (q * m + i) * n + j),
                     product_at(p, size, q, i, j), p->t);
    untouched(p->t, nbatch * m * n);
}

static void products(const char *cpu, Shape p)
{
    Make *m = make_new();
    make_product(m, &p);
    Compiled f = compile(m, cpu);
    static const int some[] = {0, 2, 17};
    for (int big = 0; big <= 70; big++)
        for (int i = 0; i < 3; i++) {
            int s = some[i], n = p.n ? p.n : 5;
            check_product(&p, f, big, s, n);
            check_product(&p, f, s, big, n);
            if (!p.n)
                check_product(&p, f, s, 7, big);
        }
    finish(m, f);
}

START_TEST(contract_multiplies)
{
    if (lacks(cpus[_i]))
        return;
    const char *cpu = cpus[_i];
    products(cpu, (Shape){.t = DT_f32});
    products(cpu, (Shape){.t = DT_f64});
    products(cpu, (Shape){.t = DT_f32, .turn_a = true});
    products(cpu, (Shape){.t = DT_f32, .turn_b = true, .packed = true});
    products(cpu, (Shape){.t = DT_f64, .turn_b = true, .packed = true});
    products(cpu, (Shape){.t = DT_f32, .turn_b = true});
    products(cpu, (Shape){.t = DT_f32, .packed = true});
    products(cpu, (Shape){.t = DT_f32, .batch = true, .epilogue = true});
    products(cpu, (Shape){.t = DT_f32,
                          .turn_b = true,
                          .turn_a = true,
                          .batch = true,
                          .epilogue = true,
                          .packed = true});
}
END_TEST

START_TEST(contract_knows_widths)
{
    if (lacks(cpus[_i]))
        return;
    static const int width[] = {1, 10, 16, 40, 64, 70};
    for (int i = 0; i < 6; i++) {
        Shape p = {.t = DT_f32, .n = width[i], .epilogue = i % 2};
        products(cpus[_i], p);
        p.packed = p.turn_b = true;
        products(cpus[_i], p);
    }
}
END_TEST

/* Blocks of rows and of k. */
START_TEST(contract_blocks)
{
    if (lacks(cpus[_i]))
        return;
    static Data y;
    enum { M = 200, K = 600, N = 24 };
    static float a[M * K], b[K * N], c[N];
    uint64_t seed = 5;
    for (int i = 0; i < M * K; i++)
        a[i] = (float)noise(&seed);
    for (int i = 0; i < K * N; i++)
        b[i] = (float)noise(&seed);
    Shape p = {.t = DT_f32, .n = N, .epilogue = true};
    Make *m = make_new();
    make_product(m, &p);
    Compiled f = compile(m, cpus[_i]);
    int64_t size[] = {M, K, N};
    ck_assert_int_eq(f.fn->call((void *[]){a, b, c, y.f32}, size, NULL, NULL),
                     NN_OK);
    for (int i = 0; i < M * N; i++) {
        double s = 0;
        for (int k = 0; k < K; k++)
            s += (double)a[i / N * K + k] * b[k * N + i % N];
        if (fabs(s * s - y.f32[i]) > 1e-6 * K * (1 + fabs(s)))
            ck_abort_msg("%g is not %g", y.f32[i], s * s);
    }
    finish(m, f);
}
END_TEST

/* What is wrong with the arguments is told, and nothing is written. */
START_TEST(call_checks_arguments)
{
    Make *m = make_new();
    const Dim *n = variable(m, "n"), *k = variable(m, "k");
    Buffer *x = vector(m, DT_f32, dim_sub(m->g, n, number(m, 1))),
           *z = vector(m, DT_f32, dim_div(m->g, n, k)),
           *y = vector(m, DT_f32, n);
    (void)z;
    loops(m, 1, &n);
    stage(m, 0, NULL, false);
    int v = load(m, x, at_vars(m, 0, NULL, NULL), 1);
    store(m, y, at1(m, number(m, 1), 0), v);
    Compiled f = compile(m, "native");
    void *leaf[] = {da.f32, db.f32, out.f32};
    static const struct {
        int64_t n, k;
        int status;
    } row[] = {
        {5, 1, NN_OK},
        {0, 1, NN_ERR_DIM}, /* n - 1 is negative */
        {-1, 1, NN_ERR_DIM},
        {5, 0, NN_ERR_DIM},
        {5, -3, NN_ERR_DIM},
        {INT64_C(1) << 31, 1, NN_ERR_DIM},
        {INT64_MIN, -1, NN_ERR_DIM},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int64_t dims[] = {row[i].n, row[i].k};
        ck_assert_int_eq(call(f, leaf, dims), row[i].status);
        ck_assert_uint_eq(f.fn->workspace(dims), 0);
    }
    int64_t dims[] = {5, 2}, size[3];
    leaf[1] = NULL;
    ck_assert_int_eq(call(f, leaf, dims), NN_ERR_NULL);
    dims[1] = 6; /* then it has no elements */
    ck_assert_int_eq(call(f, leaf, dims), NN_OK);
    f.fn->sizes(dims, size);
    ck_assert(size[0] == 4 && size[1] == 0 && size[2] == 5);
    finish(m, f);
}
END_TEST

static void set_up(void)
{
    fill(&da, 1);
    fill(&db, 2);
    fill(&dc, 3);
}

int main(void)
{
    Suite *s = suite_create("emit");
    TCase *t = tcase_create("map");
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_add_loop_test(t, map_broadcasts, 0, NCPU);
    tcase_add_loop_test(t, map_reduces, 0, NCPU);
    tcase_add_loop_test(t, map_finds_positions, 0, NCPU);
    tcase_add_loop_test(t, map_looks_up, 0, NCPU);
    tcase_add_loop_test(t, map_divides_indices, 0, NCPU);
    tcase_add_loop_test(t, map_scatters, 0, NCPU);
    tcase_add_loop_test(t, map_joins_bools, 0, NCPU);
    tcase_add_loop_test(t, contract_multiplies, 0, NCPU);
    tcase_add_loop_test(t, contract_knows_widths, 0, NCPU);
    tcase_add_loop_test(t, contract_blocks, 0, NCPU);
    tcase_add_test(t, call_checks_arguments);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    emit_shutdown();
    return failed;
}
