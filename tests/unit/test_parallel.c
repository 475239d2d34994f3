/* test_parallel.c: kernels in pieces: the same bits and errors in any order and
 * on any number of threads as without, for what the examples export and for
 * programs that have each kind of kernel. Pieces are as small as can be. */
#include "pieces.h"
#include "programs.h"

#include "emit/emit.h"
#include "kernel/kernel.h"
#include "nn.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of one leaf, of all. */
enum { MOST = 1 << 21, MOST_ALL = 1 << 23, MAX_LEAVES = 400, MAX_DIMS = 8 };

static glob_t examples;

typedef struct Compiled {
    Program *p;
    Jit *jit;
} Compiled;

static Compiled make(Program *p, int optimise)
{
    const char *error = NULL;
    Module *m = program_module(p);
    int n = m->function.n;
    Schedule **s = NEWN(arena, Schedule *, n + 1);
    TargetOptions o = {.cpu = "native", .optimise = optimise};
    Compiled c = {.p = p};

    simplify_functions(m->graph, m->function.at, n);
    expand_functions(m->graph, m->function.at, n);
    for (int i = 0; i < n; i++)
        s[i] = schedule(arena, m->graph, m->function.at[i]);
    c.jit = jit_open(&(ModuleInput){m, s, n}, &o, &error);
    ck_assert_msg(c.jit, "%s", error);
    return c;
}

/* One call: what it is given and gives. */
typedef struct Call {
    const nn_function *f;
    int64_t dims[MAX_DIMS];
    int n, nparam;
    size_t bytes[MAX_LEAVES];
    int dtype[MAX_LEAVES];
    void *given[MAX_LEAVES], *at[MAX_LEAVES];
    void *workspace;
    int status;
    nn_error error;
} Call;

static void draw(int dtype, void *to, size_t bytes, nncc_rng *rng, int below)
{
    size_t size = nncc_dtype_bytes(dtype);
    for (size_t i = 0; i < bytes / size; i++) {
        double u = (double)(nncc_rng_next(rng) >> 11) * 0x1p-53;
        if (dtype == NN_F32)
            ((float *)to)[i] = (float)(0.1 + 0.8 * u);
        else if (dtype == NN_F64)
            ((double *)to)[i] = 0.1 + 0.8 * u;
        else if (dtype == NN_I32)
            ((int32_t *)to)[i] = (int32_t)(u * below);
        else if (dtype == NN_I64 || dtype == NN_KEY)
            ((int64_t *)to)[i] = (int64_t)(u * below);
        else
            ((uint8_t *)to)[i] = u < 0.5;
    }
}

static int add_leaves(Call *c, const nn_port *const *port, int nport,
                      const int64_t *size, int64_t *read)
{
    for (int i = 0; i < nport; i++)
        for (int j = 0; j < port[i]->nleaf; j++, c->n++) {
            const nn_leaf *l = port[i]->leaf[j];
            size_t bytes = nncc_dtype_bytes(l->dtype);
            if (c->n == MAX_LEAVES)
                return -1;
            for (int d = 0; d < l->rank; d++)
                bytes *= (size_t)size[(*read)++];
            c->bytes[c->n] = bytes;
            c->dtype[c->n] = l->dtype;
        }
    return c->n;
}

/* False: it is too large here, or has no sizes like these. */
static bool find_leaves(Call *c, int64_t *size)
{
    int64_t read = 0;
    size_t all = 0;
    c->f->sizes(c->dims, size);
    c->nparam = add_leaves(c, c->f->param, c->f->nparam, size, &read);
    if (c->nparam < 0 ||
        add_leaves(c, c->f->result, c->f->nresult, size, &read) < 0)
        return false;
    for (int i = 0; i < c->n; i++) {
        all += c->bytes[i];
        if (c->bytes[i] > MOST)
            return false;
    }
    return all <= MOST_ALL;
}

static void *room(size_t bytes)
{
    void *at = aligned_alloc(64, (bytes + 128) / 64 * 64);
    ck_assert_ptr_nonnull(at);
    memset(at, 0x5a, bytes + 1);
    return at;
}

static bool open_call(Call *c, const nn_function *f, int64_t size, int below)
{
    int64_t *sizes = NEWN(arena, int64_t, MAX_LEAVES *NNCC_MAX_RANK);
    size_t bytes;
    nncc_rng rng;
    *c = (Call){.f = f};
    if (f->ndim > MAX_DIMS)
        return false;
    for (int i = 0; i < f->ndim; i++)
        c->dims[i] = size;
    if (!find_leaves(c, sizes) ||
        (bytes = f->workspace(c->dims)) > 4 * MOST_ALL)
        return false;
    nncc_rng_seed(&rng, 1);
    for (int i = 0; i < c->n; i++) {
        c->given[i] = room(c->bytes[i]);
        c->at[i] = room(c->bytes[i]);
        draw(c->dtype[i], c->given[i], c->bytes[i], &rng, below);
    }
    c->workspace = room(bytes);
    return true;
}

static void close_call(Call *c)
{
    for (int i = 0; i < c->n; i++) {
        free(c->given[i]);
        free(c->at[i]);
    }
    free(c->workspace);
}

static void run(Call *c, nn_exec exec)
{
    c->error = (nn_error){.size = sizeof c->error, .place = -1};
    exec.error = &c->error;
    for (int i = 0; i < c->n; i++)
        memcpy(c->at[i], c->given[i], c->bytes[i]);
    c->status = c->f->call(c->at, c->dims, c->workspace, &exec);
}

/* The same in all ways; how often kernels were run in pieces. */
static int compare(const char *path, const nn_function *f, int64_t size,
                   int below)
{
    Call one, c;
    int calls = 0;
    if (!open_call(&one, f, size, below))
        return 0;
    run(&one, (nn_exec){.size = sizeof(nn_exec)});
    for (int way = 0; way < NPIECES; way++) {
        Pieces p = {.way = way, .seed = 1};
        ck_assert(open_call(&c, f, size, below));
        run(&c, pieces_exec(&p));
        ck_assert_msg(c.status == one.status &&
                          memcmp(&c.error, &one.error, sizeof c.error) == 0,
                      "%s: %s, %d: status %d, not %d: place %d, not %d; %d, "
                      "not %d",
                      path, f->name, way, c.status, one.status, c.error.place,
                      one.error.place, (int)c.error.index,
                      (int)one.error.index);
        for (int i = 0; i < c.n && one.status == NN_OK; i++)
            ck_assert_msg(memcmp(c.at[i], one.at[i], c.bytes[i]) == 0,
                          "%s: leaf %d of %s differs (%d)", path, i, f->name,
                          way);
        calls += p.calls;
        close_call(&c);
    }
    close_call(&one);
    return calls;
}

static int compare_all(const char *path, Compiled *c, int64_t size, int below)
{
    const nn_module *m = jit_module(c->jit);
    int calls = 0;
    for (int i = 0; i < m->nfunction; i++)
        calls += compare(path, m->function[i], size, below);
    return calls;
}

START_TEST(of_examples)
{
    const char *path = examples.gl_pathv[_i];
    if (_i % (4 / CASES(4)))
        return;
    const CheckOptions o = {.real = DT_f32};
    Program *p = check_program(arena, diags, path, NULL, 0, &o);
    ck_assert_msg(p, "%s", messages());
    Compiled c = make(p, 0);
    compare_all(path, &c, 7, 2);
    jit_close(c.jit);
}
END_TEST

static const char program[] =
    "use nn;\n"
    "fn map(x: real[n, n]) -> real[n, n] = exp(x) * 2 + x;\n"
    "fn rows(x: real[n, n]) -> (real[n, n], real[n])"
    "  = (softmax(x, axis = 1), sum(x * x, axis = 0));\n"
    "fn nn(a: real[n, n], b: real[n, n]) -> real[n, n] = tanh(a @ b + 1);\n"
    "fn nt(a: real[n, n], b: real[n, n]) -> real[n, n] = a @ b';\n"
    "fn tn(a: real[n, n], b: real[n, n]) -> real[n, n] = a' @ b;\n"
    "fn batch(a: real[n, 20, n], b: real[n, n, 30]) -> real[n, 20, 30]"
    "  = a @ b;\n"
    "fn wide(a: real[n, 3], b: real[3, 3]) -> real[n, 3] = a @ b;\n"
    "fn small(x: real[n, 3]) -> real[n, 3]"
    "  = [i < n, j < 3 | x[i, j] / norm(x[i])];\n"
    "fn pick(x: real[n, n], at: int[n]) -> real[n, n] = x[at];\n"
    "fn ragged(x: real[n, n], at: int[n], to: int[n]) -> real[n, n]"
    "  = x[at] + x[:, to];\n"
    "fn loop(x: real[n, n], w: real[n, n]) -> real[n, n]"
    "  = fold(t < 3, h = x | tanh(softmax(h @ w, axis = 1) + x));\n"
    "fn order(x: real[n, n]) -> int[n, 5] = argsort(x, axis = 1)[:, :5];\n"
    "export map, rows, nn, nt, tn, batch, wide, small, pick, ragged, loop,"
    " order;\n";

static void of_program(int64_t size, int below, int enough)
{
    Compiled c =
        make(compile_with(program, &(CheckOptions){.real = DT_f32}), 2);
    int calls = compare_all("program", &c, size, below);
    ck_assert_msg(calls >= enough, "only %d calls", calls);
    jit_close(c.jit);
}

START_TEST(of_kernels)
{
    of_program(130, 130, 90);
    of_program(301, 301, 90);
}
END_TEST

/* Each piece finds another index out of range. */
START_TEST(errors) { of_program(130, 1000, 90); }
END_TEST

/* Small ones are not worth it. */
START_TEST(alone)
{
    piece_work = WORK_PIECE;
    Compiled c =
        make(compile_with(program, &(CheckOptions){.real = DT_f32}), 2);
    ck_assert_int_eq(compare_all("program", &c, 8, 8), 0);
    jit_close(c.jit);
}
END_TEST

static void setup(void)
{
    programs_setup();
    piece_work = 1;
}

int main(void)
{
    Suite *s = suite_create("parallel");
    TCase *c = tcase_create("parallel");

    glob("examples/*/*.nn", 0, NULL, &examples);
    tcase_add_checked_fixture(c, setup, programs_teardown);
    tcase_add_test(c, of_kernels);
    tcase_add_test(c, errors);
    tcase_add_test(c, alone);
    tcase_add_loop_test(c, of_examples, 0, (int)examples.gl_pathc);
    suite_add_tcase(s, c);
    int status = run_suite(s);
    globfree(&examples);
    return status;
}
