/* compiled.c: see compiled.h. */
#include "compiled.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "simplify/simplify.h"
#include "suite.h"

Compiled *compiled_new(int nvar)
{
    static const char *const name[MAX_VARS] = {"m", "n", "k"};
    Arena *a = arena_new();
    Compiled *c = NEW(a, Compiled);
    c->arena = a;
    c->graph = graph_new(a, DT_f32);
    c->module = (Module){.name = "t", .path = "t.nn", .graph = c->graph};
    c->module.real = DT_f32;
    c->nvar = nvar;
    for (int i = 0; i < nvar; i++)
        c->var[i] = dim_var(c->graph, name[i]);
    return c;
}

void compiled_free(Compiled *c)
{
    jit_close(c->jit);
    arena_free(c->arena);
}

static Port *ports(Compiled *c, int n, Node *const *node)
{
    Port *p = NEWN(c->arena, Port, n);
    for (int i = 0; i < n; i++) {
        Type *t = NEW(c->arena, Type);
        *t = (Type){.kind = TY_tensor, .text = "tensor"};
        t->dtype = node[i]->dtype;
        t->rank = node[i]->rank;
        t->dim = node[i]->dim;
        p[i] = (Port){.name = arena_printf(c->arena, "p%d", i),
                      .type = t,
                      .leaf = NEW(c->arena, Node *),
                      .nleaf = 1,
                      .in_place = -1};
        p[i].leaf[0] = node[i];
    }
    return p;
}

int compiled_add(Compiled *c, int nparam, Node *const *param, int nresult,
                 Node *const *result)
{
    Function *f = NEW(c->arena, Function);
    size_t bytes = sizeof *result * (size_t)nresult;
    f->name = arena_printf(c->arena, "f%d", c->module.function.n);
    f->var = c->var;
    f->nvar = c->nvar;
    f->param = ports(c, nparam, param);
    f->nparam = nparam;
    f->result = ports(c, nresult, result);
    f->nresult = nresult;
    list_push(c->arena, &c->root, arena_copy(c->arena, result, bytes));
    list_push(c->arena, &c->module.function, f);
    return c->module.function.n - 1;
}

static Schedule *scheduled(Compiled *c, Function *f)
{
    Node **root = NEWN(c->arena, Node *, f->nresult);
    for (int i = 0; i < f->nresult; i++)
        root[i] = f->result[i].leaf[0];
    expand(c->graph, f->nresult, root);
    split_systems(c->graph, f->nresult, root);
    for (int i = 0; i < f->nresult; i++)
        f->result[i].leaf[0] = root[i];
    Schedule *s = schedule(c->arena, c->graph, f);
    schedule_verify(s);
    return s;
}

#ifdef __x86_64__
static const char *const level_names[LEVELS] = {"x86-64-v2", "x86-64-v3",
                                                "x86-64-v4", "x86-64"};
#else
static const char *const level_names[LEVELS] = {"native"};
#endif

const char *level_name(int level) { return level_names[level]; }

bool level_runs_here(int level) { return runs_here(level_names[level]); }

bool level_lacks(int level) { return lacks(level_names[level]); }

void compiled_make(Compiled *c, int level)
{
    int n = c->module.function.n;
    Schedule **s = NEWN(c->arena, Schedule *, n);
    const char *error = NULL;
    simplify_functions(c->module.graph, c->module.function.at,
                       c->module.function.n);
    for (int i = 0; i < n; i++)
        s[i] = scheduled(c, c->module.function.at[i]);
    ModuleInput in = {&c->module, s, n};
    TargetOptions o = {.cpu = level_name(level), .optimise = 2};
    c->jit = jit_open(&in, &o, &error);
    ck_assert_msg(c->jit != NULL, "%s: %s", o.cpu, error);
}

Compiled compiled_program(Arena *a, Program *p, int level)
{
    Compiled c = {.arena = a, .module = *program_module(p), .nvar = 1};
    c.graph = c.module.graph;
    for (int i = 0; i < c.module.function.n; i++) {
        Function *f = c.module.function.at[i];
        Node **root = NEWN(a, Node *, f->nresult + 1);

        for (int k = 0; k < f->nresult; k++)
            root[k] = f->result[k].leaf[0];
        list_push(a, &c.root, root);
    }
    compiled_make(&c, level);
    return c;
}

/* Pages of memory, and one after them that belongs to nobody. */
struct Fence {
    char *base;
    size_t bytes, page;
};

Fence *fence_new(size_t bytes)
{
    Fence *f = malloc(sizeof *f);
    ck_assert_ptr_nonnull(f);
    f->page = (size_t)sysconf(_SC_PAGESIZE);
    f->bytes = (bytes + f->page) / f->page * f->page;
    int zero = open("/dev/zero", O_RDWR);
    f->base = mmap(NULL, f->bytes + f->page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE, zero, 0);
    close(zero);
    ck_assert(f->base != MAP_FAILED);
    ck_assert(mprotect(f->base + f->bytes, f->page, PROT_NONE) == 0);
    return f;
}

void fence_free(Fence *f)
{
    munmap(f->base, f->bytes + f->page);
    free(f);
}

void *fence_last(Fence *f, size_t bytes)
{
    if (bytes > f->bytes)
        ck_abort_msg("%zu bytes are wanted", bytes);
    return f->base + f->bytes - bytes;
}

int compiled_call(Compiled *c, int i, const int64_t *size, void *const *leaf,
                  Fence *workspace)
{
    return compiled_run(c, i, size, leaf, workspace, NULL);
}

int compiled_run(Compiled *c, int i, const int64_t *size, void *const *leaf,
                 Fence *workspace, const nn_exec *exec)
{
    const nn_function *f = jit_module(c->jit)->function[i];
    size_t bytes = (f->workspace(size) + 63) / 64 * 64;
    return f->call(leaf, size, fence_last(workspace, bytes), exec);
}

int64_t node_elements(const Compiled *c, const Node *n, const int64_t *size)
{
    int64_t count = 1, v = 0;
    for (int i = 0; i < n->rank; i++) {
        if (!dim_eval(n->dim[i], c->nvar, c->var, size, &v))
            ck_abort_msg("a dimension has no value");
        count *= v;
    }
    return count;
}

enum { WORK_BYTES = 1 << 22, FRINGE = 64, FILL = 0xc3 };

Leaves leaves_new(Compiled *c, int i, int64_t size)
{
    const Function *f = c->module.function.at[i];
    Leaves l = {.n = f->nparam + f->nresult};

    ck_assert_int_le(l.n, MAX_LEAVES);
    ck_assert_int_eq(f->nvar, 1);
    c->var[0] = f->var[0];
    for (int k = 0; k < l.n; k++) {
        const Node *n =
            k < f->nparam ? f->param[k].leaf[0] : c->root.at[i][k - f->nparam];
        l.node[k] = n;
        l.count[k] = node_elements(c, n, &size);
        size_t bytes = (size_t)(l.count[k] * dtype_size(n->dtype)) + FRINGE;
        l.fence[k] = fence_new(bytes);
        l.at[k] = (char *)fence_last(l.fence[k], bytes) + FRINGE;
        memset((char *)l.at[k] - FRINGE, FILL, FRINGE);
    }
    return l;
}

void leaves_call(Compiled *c, int i, int64_t size, const Leaves *l)
{
    Fence *work = fence_new(WORK_BYTES);

    ck_assert_int_eq(compiled_call(c, i, &size, l->at, work), NN_OK);
    for (int k = 0; k < l->n; k++)
        for (int b = 1; b <= FRINGE; b++)
            if (((unsigned char *)l->at[k])[-b] != FILL)
                ck_abort_msg("%s writes before leaf %d",
                             c->module.function.at[i]->name, k);
    fence_free(work);
}

void leaves_free(Leaves *l)
{
    for (int k = 0; k < l->n; k++)
        fence_free(l->fence[k]);
}

void put_number(DType t, void *to, int64_t i, double v)
{
    switch (t) {
    case DT_bool:
    case DT_u8:
        ((uint8_t *)to)[i] = (uint8_t)v;
        break;
    case DT_i32:
        ((int32_t *)to)[i] = (int32_t)v;
        break;
    case DT_i64:
    case DT_key:
        ((int64_t *)to)[i] = (int64_t)v;
        break;
    case DT_f32:
        ((float *)to)[i] = (float)v;
        break;
    case DT_f64:
        ((double *)to)[i] = v;
        break;
    case NDTYPES:
        break;
    }
}

double get_number(DType t, const void *from, int64_t i)
{
    switch (t) {
    case DT_bool:
    case DT_u8:
        return ((const uint8_t *)from)[i];
    case DT_i32:
        return ((const int32_t *)from)[i];
    case DT_i64:
    case DT_key:
        return (double)((const int64_t *)from)[i];
    case DT_f32:
        return (double)((const float *)from)[i];
    case DT_f64:
        return ((const double *)from)[i];
    case NDTYPES:
        break;
    }
    return NAN;
}

double as_number(DType t, double v)
{
    if (t == DT_f64)
        return v;
    if (t == DT_f32)
        return (double)(float)v;
    /* The largest int64 that is a float64 too. */
    return dtype_convert(DT_f64, t, fmin(v, 0x1.fffffffffffffp62));
}

bool is_near(DType t, double got, double want, double scale)
{
    double eps = t == DT_f32 ? 1e-5 : t == DT_f64 ? 1e-12 : 0;
    double tiny = t == DT_f32 ? 1e-38 : t == DT_f64 ? 1e-307 : 0;
    if (t == DT_f32)
        want = (double)(float)want;
    if (got == want || (isnan(want) && isnan(got)))
        return true;
    return isfinite(want) && isfinite(got) &&
           fabs(got - want) <= eps * fmax(fabs(want), scale) + tiny;
}

int scatter(uint64_t i, int n)
{
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    i = (i ^ i >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (int)((i ^ i >> 32) % (uint64_t)n);
}

static void fill(DType t, void *to, int64_t count, int seed)
{
    for (int64_t i = 0; i < count; i++) {
        double v = scatter((uint64_t)(i * 7 + seed), 64);

        put_number(t, to, i, dtype_is_real(t) ? v / 32 - 1 : v - 32);
    }
}

static void compare(Compiled *c, int i, int64_t size, double scale,
                    const Leaves *l, const EvalInput *in)
{
    const Function *f = c->module.function.at[i];
    double *want[MAX_LEAVES];
    EvalStatus s = eval_nodes(c->arena, c->graph, f->nresult, c->root.at[i],
                              f->nparam, in, 1, c->var, &size, want);

    ck_assert_int_eq(s, EVAL_OK);
    for (int k = f->nparam; k < l->n; k++) {
        DType t = l->node[k]->dtype;
        int result = k - f->nparam;

        for (int64_t j = 0; j < l->count[k]; j++) {
            double got = get_number(t, l->at[k], j);

            ck_assert_msg(is_near(t, got, want[result][j], scale),
                          "%s with n = %d, result %d, element %d: %.9g, "
                          "not %.9g",
                          f->name, (int)size, result, (int)j, got,
                          want[result][j]);
        }
    }
}

void ck_like_reference(Compiled *c, int i, int64_t size, double scale)
{
    Leaves l = leaves_new(c, i, size);
    EvalInput in[MAX_LEAVES];

    for (int k = 0; k < l.n; k++) {
        DType t = l.node[k]->dtype;
        double *x = NEWN(c->arena, double, l.count[k] + 1);

        fill(t, l.at[k], l.count[k], k);
        for (int64_t j = 0; j < l.count[k]; j++)
            x[j] = get_number(t, l.at[k], j);
        in[k] = (EvalInput){l.node[k], x};
    }
    leaves_call(c, i, size, &l);
    compare(c, i, size, scale, &l, in);
    leaves_free(&l);
}
