/* test_numbers.c: every elementwise operator as machine code against the
 * reference evaluator: each dtype, each way of broadcasting, each size. */
#include "compiled.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Arguments. Each dtype has a pool of them, the same numbers for all. */

enum { POOL = 128, MAX_ARGS = 3, CASES = 1024, RESULTS = 64 };

typedef struct Pool {
    double value[POOL];
    int n;
} Pool;

static Pool pool[NDTYPES];

static void pool_add(DType t, double v)
{
    Pool *p = &pool[t];
    v = as_number(t == DT_key ? DT_i64 : t, v);
    for (int i = 0; i < p->n; i++)
        if (memcmp(&p->value[i], &v, sizeof v) == 0)
            return;
    if (p->n < POOL)
        p->value[p->n++] = v;
}

/* What is special to some operator in f32 or f64: ends of domains and ranges,
 * poles, zeros, ties, subnormals. */
static const double special[] = {
    0,        -0.0,     INFINITY, -INFINITY, NAN,      1,      -1,
    2,        -2,       3,        -3,        0.5,      -0.5,   1.5,
    2.5,      -1.5,     -2.5,     4,         8,        -7,     10,
    5e-324,   1e-310,   2.3e-308, 1.7e308,   -1.7e308, 1e-40,  -1e-45,
    3.4e38,   -3e38,    709.5,    710.2,     -745,     -709,   88.5,
    89,       -103,     -88,      1e5,       1e9,      -1e9,   1e15,
    12345.67, 1e-8,     -1e-8,    20,        -20,      170.5,  355,
    0.999999, 1.000001, 127,      128,       200,      255,    256,
    -128,     100000,   -100001,  0x1p31,    -0x1p31,  0x1p52, -0x1p63,
    0x1p63,   0x1p24,   -0x1p24,  22.5,      -3.25,    1e-3,   3.14159265,
};

static void fill_pools(void)
{
    for (DType t = 0; t < NDTYPES; t++) {
        for (size_t i = 0; i < sizeof special / sizeof *special; i++)
            pool_add(t, special[i]);
        for (OpId op = 0; op < NOPS; op++) {
            pool_add(t, op_table[op]->domain[0]);
            pool_add(t, op_table[op]->domain[1]);
        }
        for (int i = 0; i < 2 * POOL && t != DT_bool; i++) {
            double u = (scatter((uint64_t)i, 1 << 20) + 0.5) / (1 << 20);
            pool_add(t, dtype_is_real(t) ? 8 * u - 4 : 80 * u - 40);
        }
    }
}

/* An operator on arguments of certain dtypes, and its value for all
 * combinations of their pools. */
typedef struct Case {
    OpId op;
    int narg;
    DType arg[MAX_ARGS], to;
    int order; /* the first argument is this constant; or -1 */
    double *want;
} Case;

static Case cases[CASES];
static int ncase;

static Node *case_node(Graph *g, const Case *c, Node *const *arg)
{
    Node *x[MAX_ARGS];
    for (int i = 0; i < c->narg; i++)
        x[i] = arg[i];
    if (c->order >= 0)
        x[0] = g_fill(g, arg[0], c->order);
    return graph_make(g, c->op, c->to, c->narg, x, NULL);
}

/* All combinations of the pools: argument i repeated along the others' axes. */
static void case_values(Case *c)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    const Dim *dim[MAX_ARGS];
    EvalInput in[MAX_ARGS];
    Node *arg[MAX_ARGS];
    int64_t count = 1;
    for (int i = 0; i < c->narg; i++) {
        dim[i] = dim_const(g, pool[c->arg[i]].n);
        count *= pool[c->arg[i]].n;
    }
    for (int i = 0; i < c->narg; i++) {
        int axis[MAX_ARGS] = {-1, -1, -1};
        axis[i] = 0;
        Node *p = g_param(g, c->arg[i], 1, &dim[i], "x");
        arg[i] = g_broadcast(g, p, c->narg, dim, axis);
        in[i] = (EvalInput){p, pool[c->arg[i]].value};
    }
    Node *n = case_node(g, c, arg);
    double *v;
    EvalStatus s = eval_nodes(a, g, 1, &n, c->narg, in, 0, NULL, NULL, &v);
    ck_assert_int_eq(s, EVAL_OK);
    c->want = malloc(sizeof *v * (size_t)count);
    ck_assert_ptr_nonnull(c->want);
    memcpy(c->want, v, sizeof *v * (size_t)count);
    arena_free(a);
}

static void add_case(Case c)
{
    ck_assert_int_lt(ncase, CASES);
    case_values(&c);
    cases[ncase++] = c;
}

/* Does the row take these arguments for that result. */
static bool fits(Graph *g, const Case *c)
{
    const Op *row = op_table[c->op];
    Node *arg[MAX_ARGS];
    Node n = {.op = c->op, .dtype = c->to, .narg = c->narg, .arg = arg};
    for (int i = 0; i < c->narg; i++)
        arg[i] = g_param(g, c->arg[i], 0, NULL, "x");
    bool ok = row->infer ? row->infer(g, &n) : infer_ewise(g, &n);
    return ok && n.dtype == c->to;
}

/* Rows with other attributes than a dtype (index_check) are no functions of
 * their arguments alone. */
static void find_cases(Graph *g, OpId op)
{
    Case c = {.op = op, .narg = op_table[op]->arity, .order = -1};
    int total = NDTYPES;
    for (int i = 0; i < c.narg; i++)
        total *= NDTYPES;
    for (int code = 0; code < total; code++) {
        int rest = code / NDTYPES;
        c.to = (DType)(code % NDTYPES);
        for (int i = 0; i < c.narg; i++, rest /= NDTYPES)
            c.arg[i] = (DType)(rest % NDTYPES);
        if (!fits(g, &c))
            continue;
        /* The order of polygamma has to be a constant. */
        for (c.order = op_table[op]->flags & OP_ORDER ? 1 : -1; c.order < 3;
             c.order += 2) {
            add_case(c);
            if (c.order < 0)
                break;
        }
    }
}

/* Views: how an argument of shape [m, n] or [m, 3, n] comes about. */

typedef enum Origin {
    WHOLE,
    SCALAR,
    ROW,      /* [n] */
    COLUMN,   /* [m] or [m, 1, 1] */
    MIDDLE,   /* [3, 1] in [m, 3, n] */
    TURNED,   /* axes permuted */
    STRIDED,  /* every second row, every third column */
    SHIFTED,  /* without the first two rows and columns */
    FLIPPED,  /* columns backwards */
    PADDED,   /* the last column and row are new */
    JOINED,   /* [m, n-2…] beside two columns of its own */
    RESHAPED, /* from one long row */
} Origin;

typedef struct Shape {
    int rank;
    Origin view[MAX_ARGS];
} Shape;

static const Shape shapes[] = {
    {2, {WHOLE, WHOLE, WHOLE}},       {2, {SCALAR, WHOLE, ROW}},
    {2, {WHOLE, SCALAR, COLUMN}},     {2, {ROW, WHOLE, SCALAR}},
    {2, {WHOLE, ROW, WHOLE}},         {2, {COLUMN, WHOLE, ROW}},
    {2, {WHOLE, COLUMN, TURNED}},     {2, {ROW, COLUMN, WHOLE}},
    {2, {COLUMN, ROW, SCALAR}},       {2, {TURNED, WHOLE, WHOLE}},
    {2, {WHOLE, TURNED, SHIFTED}},    {2, {STRIDED, SHIFTED, FLIPPED}},
    {2, {SHIFTED, STRIDED, JOINED}},  {2, {FLIPPED, RESHAPED, STRIDED}},
    {2, {RESHAPED, FLIPPED, COLUMN}}, {2, {JOINED, TURNED, RESHAPED}},
    {3, {WHOLE, ROW, MIDDLE}},        {3, {MIDDLE, COLUMN, WHOLE}},
    {3, {COLUMN, TURNED, ROW}},       {3, {TURNED, WHOLE, MIDDLE}},
    {3, {ROW, MIDDLE, COLUMN}},       {0, {WHOLE, WHOLE, WHOLE}},
    {1, {ROW, SCALAR, ROW}},          {1, {SCALAR, ROW, ROW}},
    {2, {PADDED, JOINED, PADDED}},    {2, {WHOLE, PADDED, FLIPPED}},
};
enum { NSHAPES = sizeof shapes / sizeof *shapes };

/* Some shape and view of a new parameter of dtype t, not viewed yet. */
static Node *param_of(Compiled *c, DType t, int rank, const Dim *const *dim)
{
    return g_param(c->graph, t, rank, dim, "x");
}

static const Dim *scaled(Compiled *c, const Dim *d, int times, int plus)
{
    Graph *g = c->graph;
    return dim_add(g, dim_mul(g, d, dim_const(g, times)), dim_const(g, plus));
}

static Node *strided(Compiled *c, DType t, int rank, const Dim *const *dim,
                     Node **param)
{
    const Dim *size[3], *start[3];
    int step[3];
    for (int i = 0; i < rank; i++) {
        step[i] = i + 2;
        size[i] = scaled(c, dim[i], step[i], 2);
        start[i] = dim_const(c->graph, i + 1);
    }
    *param = param_of(c, t, rank, size);
    return g_slice(c->graph, *param, start, dim, step);
}

static Node *shifted(Compiled *c, DType t, int rank, const Dim *const *dim,
                     Node **param)
{
    const Dim *size[3], *start[3];
    int step[3] = {1, 1, 1};
    for (int i = 0; i < rank; i++) {
        size[i] = scaled(c, dim[i], 1, 2);
        start[i] = dim_const(c->graph, 2);
    }
    *param = param_of(c, t, rank, size);
    return g_slice(c->graph, *param, start, dim, step);
}

/* Half as many rows and columns, every second row and the last columns. */
static Node *padded(Compiled *c, DType t, int rank, const Dim *const *dim,
                    Node **param)
{
    const Dim *size[3], *lo[3], *two = dim_const(c->graph, 2);
    int step[3] = {2, 1, 1};
    for (int i = 0; i < rank; i++) {
        size[i] = dim_div(c->graph, dim[i], two);
        lo[i] = i ? size[i] : dim_const(c->graph, 0);
    }
    *param = param_of(c, t, rank, size);
    return g_pad(c->graph, *param, lo, dim, step);
}

/* Twice side by side, and of that the middle. */
static Node *joined(Compiled *c, DType t, int rank, const Dim *const *dim,
                    Node **param)
{
    const Dim *start[3], *two = dim_const(c->graph, 2);
    int step[3] = {1, 1, 1}, last = rank - 1;
    *param = param_of(c, t, rank, dim);
    Node *pair[2] = {*param, *param};
    Node *both = g_concat(c->graph, 2, pair, last);
    for (int i = 0; i < rank; i++)
        start[i] = dim_const(c->graph, 0);
    start[last] = dim_div(c->graph, dim[last], two);
    return g_slice(c->graph, both, start, dim, step);
}

static Node *turned(Compiled *c, DType t, int rank, const Dim *const *dim,
                    Node **param)
{
    const Dim *size[3];
    int perm[3];
    for (int i = 0; i < rank; i++) {
        perm[i] = (i + 1) % rank;
        size[perm[i]] = dim[i];
    }
    *param = param_of(c, t, rank, size);
    return g_permute(c->graph, *param, perm);
}

/* [m, 1] or [3, 1]: the axis at which it varies. */
static Node *column(Compiled *c, DType t, int rank, const Dim *const *dim,
                    int at, Node **param)
{
    const Dim *size[2] = {dim[at], dim_const(c->graph, 1)};
    int axis[3] = {-1, -1, -1};
    axis[at] = 0;
    *param = param_of(c, t, 2, size);
    Node *flat = g_reshape(c->graph, *param, 1, size);
    return g_broadcast(c->graph, flat, rank, dim, axis);
}

static Node *viewed(Compiled *c, Origin v, DType t, int rank,
                    const Dim *const *dim, Node **param)
{
    const Dim *all = dim_const(c->graph, 1);
    switch (v) {
    case WHOLE:
        return *param = param_of(c, t, rank, dim);
    case SCALAR:
        *param = param_of(c, t, 0, NULL);
        return g_broadcast_to(c->graph, *param, rank, dim);
    case ROW:
        *param = param_of(c, t, 1, &dim[rank - 1]);
        return g_broadcast_to(c->graph, *param, rank, dim);
    case COLUMN:
        return column(c, t, rank, dim, 0, param);
    case MIDDLE:
        return column(c, t, rank, dim, 1, param);
    case TURNED:
        return turned(c, t, rank, dim, param);
    case STRIDED:
        return strided(c, t, rank, dim, param);
    case SHIFTED:
        return shifted(c, t, rank, dim, param);
    case FLIPPED:
        *param = param_of(c, t, rank, dim);
        return g_flip(c->graph, *param, rank - 1);
    case PADDED:
        return padded(c, t, rank, dim, param);
    case JOINED:
        return joined(c, t, rank, dim, param);
    case RESHAPED:
        for (int i = 0; i < rank; i++)
            all = dim_mul(c->graph, all, dim[i]);
        *param = param_of(c, t, 1, &all);
        return g_reshape(c->graph, *param, rank, dim);
    }
    return NULL;
}

/* All operators in all shapes. */

/* Those on the same arguments in one shape are one function. */
typedef struct Group {
    const Shape *shape;
    int narg, nresult;
    DType arg[MAX_ARGS];
    const Case *of[RESULTS];
    bool bad[RESULTS]; /* reported */
    Node *param[MAX_ARGS];
} Group;

enum { GROUPS = 32 * NSHAPES, ELEMENTS = 4 * 72 * 3 * 72 };

/* Where the elements of each argument's view come from: the views of numbers.
 */
typedef struct Places {
    Node *view[MAX_ARGS], *param[MAX_ARGS];
} Places;

typedef struct Bench {
    int level;
    Compiled *c, *map; /* the map is never compiled */
    Group group[GROUPS];
    Places place[NSHAPES];
    int ngroup, nbad;
    Fence *in[MAX_ARGS], *out[RESULTS], *workspace;
} Bench;

/* What parameter k of that dtype holds, and which of its pool that is. */
static char content[NDTYPES][MAX_ARGS][ELEMENTS * 8];
static uint8_t chosen[NDTYPES][MAX_ARGS][ELEMENTS];
static double number[ELEMENTS];

static void fill_content(void)
{
    for (int e = 0; e < ELEMENTS; e++)
        number[e] = e + 1;
    for (DType t = 0; t < NDTYPES; t++)
        for (int k = 0; k < MAX_ARGS; k++)
            for (int e = 0; e < ELEMENTS; e++) {
                int i = scatter((uint64_t)(e * MAX_ARGS + k), pool[t].n);
                chosen[t][k][e] = (uint8_t)i;
                put_number(t, content[t][k], e, pool[t].value[i]);
            }
}

/* One argument in this view was had before. */
static bool seen(const Shape *s)
{
    for (const Shape *p = shapes; p < s; p++)
        if (p->rank == s->rank && p->view[0] == s->view[0])
            return true;
    return false;
}

static Group *group_of(Bench *b, const Shape *s, const Case *c)
{
    for (int i = 0; i < b->ngroup; i++) {
        Group *p = &b->group[i];
        bool same = p->shape == s && p->narg == c->narg;
        for (int k = 0; k < p->narg && same; k++)
            same = p->arg[k] == c->arg[k];
        if (same)
            return p;
    }
    ck_assert_int_lt(b->ngroup, GROUPS);
    Group *p = &b->group[b->ngroup++];
    p->shape = s;
    p->narg = c->narg;
    memcpy(p->arg, c->arg, sizeof p->arg);
    return p;
}

/* Argument k in that shape. */
static Node *argument(Compiled *c, const Shape *s, int k, DType t, Node **param)
{
    const Dim *dim[3] = {c->var[0], c->var[1], c->var[1]};
    if (s->rank == 3)
        dim[1] = dim_const(c->graph, 3);
    return viewed(c, s->view[k], t, s->rank, s->rank == 1 ? dim + 1 : dim,
                  param);
}

static void add_group(Bench *b, Group *p)
{
    Node *arg[MAX_ARGS], *result[RESULTS];
    for (int k = 0; k < p->narg; k++)
        arg[k] = argument(b->c, p->shape, k, p->arg[k], &p->param[k]);
    for (int i = 0; i < p->nresult; i++)
        result[i] = case_node(b->c->graph, p->of[i], arg);
    compiled_add(b->c, p->narg, p->param, p->nresult, result);
}

static void add_shape(Bench *b, int i)
{
    const Shape *s = &shapes[i];
    int first = b->ngroup;
    for (int k = 0; k < MAX_ARGS; k++)
        b->place[i].view[k] =
            argument(b->map, s, k, DT_f64, &b->place[i].param[k]);
    for (int k = 0; k < ncase; k++) {
        if (cases[k].narg == 1 && seen(s))
            continue;
        Group *p = group_of(b, s, &cases[k]);
        ck_assert_int_lt(p->nresult, RESULTS);
        p->of[p->nresult++] = &cases[k];
    }
    for (int k = first; k < b->ngroup; k++)
        add_group(b, &b->group[k]);
}

/* To save time, v3 and v4 have two thirds of the shapes each and the others one
 * third: every shape is had at least twice. */
static bool has_shape(int level, int shape)
{
    bool third = (shape + level) % 3 == 0;
    return (level == 1 || level == 2) != third || !level_runs_here(1);
}

static void bench_make(Bench *b, int level)
{
    *b = (Bench){.level = level};
    b->c = compiled_new(2);
    b->map = compiled_new(2);
    for (int i = 0; i < NSHAPES; i++)
        if (has_shape(level, i))
            add_shape(b, i);
    for (int k = 0; k < MAX_ARGS; k++)
        b->in[k] = fence_new(ELEMENTS * 8);
    for (int i = 0; i < RESULTS; i++)
        b->out[i] = fence_new(ELEMENTS * 8);
    b->workspace = fence_new(ELEMENTS * 8);
    compiled_make(b->c, level);
}

static void bench_free(Bench *b)
{
    for (int k = 0; k < MAX_ARGS; k++)
        fence_free(b->in[k]);
    for (int i = 0; i < RESULTS; i++)
        fence_free(b->out[i]);
    fence_free(b->workspace);
    compiled_free(b->c);
    compiled_free(b->map);
}

static void report(Bench *b, const Group *p, const Case *c, const int64_t *size,
                   int64_t at, int64_t code, double got)
{
    double x[MAX_ARGS] = {0};
    int64_t rest = code;
    for (int k = c->narg - 1; k >= 0; k--) {
        x[k] = pool[c->arg[k]].value[rest % pool[c->arg[k]].n];
        rest /= pool[c->arg[k]].n;
    }
    b->nbad++;
    fprintf(stderr,
            "%s: %s of %s to %s, shape %d at [%d, %d], element %d: "
            "(%.17g, %.17g, %.17g) gives %.17g, not %.17g\n",
            level_name(b->level), op_table[c->op]->name, dtype_name(c->arg[0]),
            dtype_name(c->to), (int)(p->shape - shapes), (int)size[0],
            (int)size[1], (int)at, x[0], x[1], x[2], got, c->want[code]);
}

/* What guards a result's beginning. */
enum { FRINGE = 64, FILL = 0xc3 };

static void compare(Bench *b, Group *p, int i, const int64_t *size,
                    int64_t count, const int *code)
{
    const Case *c = p->of[i];
    size_t bytes = (size_t)count * (size_t)dtype_size(c->to);
    const unsigned char *from = fence_last(b->out[i], bytes + FRINGE);
    for (int k = 0; k < FRINGE; k++)
        if (from[k] != FILL)
            ck_abort_msg("%s writes before its result", op_table[c->op]->name);
    for (int64_t e = 0; e < count && !p->bad[i]; e++) {
        double got = get_number(c->to, from + FRINGE, e);
        double want = c->want[code[e]];
        /* It has zeros where terms of this size cancel. */
        double scale = c->op == OP_lbeta ? 1 : 0;
        if (got != want && !is_near(c->to, got, want, scale)) {
            report(b, p, c, size, e, code[e], got);
            p->bad[i] = true;
        }
    }
}

static void run_group(Bench *b, int g, const int64_t *size, int64_t count,
                      const int *code)
{
    Group *p = &b->group[g];
    void *leaf[MAX_ARGS + RESULTS];
    for (int k = 0; k < p->narg; k++) {
        size_t n = (size_t)node_elements(b->c, p->param[k], size);
        size_t bytes = n * (size_t)dtype_size(p->arg[k]);
        leaf[k] = fence_last(b->in[k], bytes);
        memcpy(leaf[k], content[p->arg[k]][k], bytes);
    }
    for (int i = 0; i < p->nresult; i++) {
        size_t bytes = (size_t)count * (size_t)dtype_size(p->of[i]->to);
        char *to = fence_last(b->out[i], bytes + FRINGE);
        memset(to, FILL, bytes + FRINGE);
        leaf[p->narg + i] = to + FRINGE;
    }
    int status = compiled_call(b->c, g, size, leaf, b->workspace);
    if (status != NN_OK)
        ck_abort_msg("status %d", status);
    for (int i = 0; i < p->nresult; i++)
        compare(b, p, i, size, count, code);
}

/* Which entry of its table each element of p's results is. */
static void find_codes(const Group *p, int64_t count, double *const *place,
                       int *code)
{
    for (int64_t e = 0; e < count; e++) {
        code[e] = 0;
        for (int k = 0; k < p->narg; k++) {
            int at = (int)place[k][e];
            /* number 0 is what padding added, as is the pool's first */
            int i = at ? chosen[p->arg[k]][k][at - 1] : 0;
            code[e] = code[e] * pool[p->arg[k]].n + i;
        }
    }
}

/* Every function of one shape at one size. */
static void run_size(Bench *b, int shape, int64_t m, int64_t n)
{
    static int code[ELEMENTS];
    int64_t size[2] = {m, n};
    Arena *a = arena_new();
    const Places *at = &b->place[shape];
    double *place[MAX_ARGS];
    EvalInput in[MAX_ARGS];
    for (int k = 0; k < MAX_ARGS; k++)
        in[k] = (EvalInput){at->param[k], number};
    EvalStatus s = eval_nodes(a, b->map->graph, MAX_ARGS, at->view, MAX_ARGS,
                              in, 2, b->map->var, size, place);
    if (s != EVAL_OK)
        ck_abort_msg("views have no value");
    int64_t count = node_elements(b->map, at->view[0], size);
    for (int g = 0; g < b->ngroup; g++)
        if (b->group[g].shape == &shapes[shape]) {
            find_codes(&b->group[g], count, place, code);
            run_group(b, g, size, count, code);
        }
    arena_free(a);
}

/* Ends of vectors of each width, several at once, and what is beside them. */
static bool matters(int n)
{
    return n <= 36 || (n + 1) % 16 <= 2 || n == MAX_SIZE;
}

static void run_shape(Bench *b, int shape)
{
    static const int other[] = {1, 2, 3, 15, 16, 17, 33, 64, 70};
    int turn = shape;
    for (int n = 0; n <= MAX_SIZE; n++) {
        int m = other[turn++ % 9];
        if (!matters(n))
            continue;
        if ((n + shape) % 2)
            run_size(b, shape, m, n);
        else
            run_size(b, shape, n, m);
    }
}

START_TEST(operators)
{
    static Bench b;
    if (level_lacks(_i))
        return;
    bench_make(&b, _i);
    for (int i = 0; i < NSHAPES; i++)
        if (has_shape(_i, i))
            run_shape(&b, i);
    ck_assert_msg(b.nbad == 0, "%d operators are off", b.nbad);
    bench_free(&b);
}
END_TEST

static void set_up(void)
{
    Arena *a = arena_new();
    Graph *g = graph_new(a, DT_f64);
    fill_pools();
    for (OpId op = 0; op < NOPS; op++) {
        int before = ncase;
        if (op_table[op]->cls == OPC_ewise)
            find_cases(g, op);
        if (op_has_eval(op_table[op]) && ncase == before)
            die("no arguments fit %s", op_table[op]->name);
    }
    arena_free(a);
    fill_content();
}

static void tear_down(void)
{
    while (ncase)
        free(cases[--ncase].want);
}

int main(void)
{
    Suite *s = suite_create("numbers");
    TCase *t = tcase_create("numbers");
    tcase_add_unchecked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, operators, 0, LEVELS);
    suite_add_tcase(s, t);
    int failed = run_suite(s);
    emit_shutdown();
    return failed;
}
