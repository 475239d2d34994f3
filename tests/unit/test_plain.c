/* test_plain.c: what the examples export has the values that it has without
 * identities and rules (--no-simplify). Random programs are held to the same by
 * tests/fuzz/judge.c. */
#include "eval/eval.h"
#include "nn.h"
#include "programs.h"
#include "simplify/simplify.h"
#include "suite.h"

#include <check.h>
#include <glob.h>
#include <math.h>
#include <string.h>

enum { SIZE = 3, MOST = 1 << 10, MOST_ALL = 1 << 13 /* elements */ };

static glob_t examples;

static Program *load(const char *path, bool plain)
{
    const CheckOptions o = {.real = DT_f64, .plain = plain};
    Program *p = check_program(arena, diags, path, NULL, 0, &o);

    ck_assert_msg(p, "%s", messages());
    return p;
}

static int64_t *sizes(const Function *f)
{
    int64_t *size = NEWN(arena, int64_t, f->nvar + 1);

    for (int i = 0; i < f->nvar; i++)
        size[i] = SIZE;
    return size;
}

static int64_t elements(const Function *f, const Node *n)
{
    int64_t all = 1, one;

    for (int i = 0; i < n->rank; i++)
        all *= dim_eval(n->dim[i], f->nvar, f->var, sizes(f), &one) && one >= 0
                   ? one
                   : MOST_ALL;
    return all;
}

/* The same for the same number of a parameter; where most functions are smooth.
 */
static double *draw(const Node *p, int64_t n, int number)
{
    double *v = NEWN(arena, double, n + 1);
    nncc_rng rng;

    nncc_rng_seed(&rng, (uint64_t)number);
    for (int64_t i = 0; i < n; i++) {
        double u = (double)(nncc_rng_next(&rng) >> 11) * 0x1p-53;
        v[i] = dtype_is_real(p->dtype) ? 0.1 + 0.8 * u : floor(2 * u);
    }
    return v;
}

/* False: it is too large here. */
static bool values(Program *p, Function *f, double **out)
{
    Nodes in = function_inputs(arena, f), root = functions_roots(arena, &f, 1);
    EvalInput *input = NEWN(arena, EvalInput, in.n + 1);
    int64_t all = 0;

    for (int i = 0; i < in.n; i++) {
        int64_t n = elements(f, in.at[i]);
        all += n;
        if (n > MOST || all > MOST_ALL)
            return false;
        input[i] = (EvalInput){in.at[i], draw(in.at[i], n, i + 1)};
    }
    return eval_nodes(arena, program_module(p)->graph, root.n, root.at, in.n,
                      input, f->nvar, f->var, sizes(f), out) == EVAL_OK;
}

static bool is_near(double x, double y)
{
    if (x == y || (isnan(x) && isnan(y)))
        return true;
    return fabs(x - y) <= 1e-7 * (1 + fmax(fabs(x), fabs(y)));
}

/* False: they are too large to be compared. */
static bool compare(Program *const *p, Function *const *f, const char *path)
{
    Nodes root[2];
    double **out[2];

    simplify_functions(program_module(p[0])->graph, &f[0], 1);
    simplify_functions(program_module(p[1])->graph, &f[1], 1);
    for (int k = 0; k < 2; k++) {
        root[k] = functions_roots(arena, &f[k], 1);
        out[k] = NEWN(arena, double *, root[k].n + 1);
        if (!values(p[k], f[k], out[k]))
            return false;
    }
    ck_assert_int_eq(root[0].n, root[1].n);
    for (int i = 0; i < root[0].n; i++)
        for (int64_t j = 0; j < elements(f[0], root[0].at[i]); j++)
            ck_assert_msg(is_near(out[0][i][j], out[1][i][j]),
                          "%s: %s[%d] is %.17g, and %.17g without", path,
                          f[0]->name, i, out[0][i][j], out[1][i][j]);
    return true;
}

START_TEST(examples_without)
{
    const char *path = examples.gl_pathv[_i];
    Program *p[2] = {load(path, false), load(path, true)};
    Module *m[2] = {program_module(p[0]), program_module(p[1])};
    int compared = 0;

    ck_assert(graph_is_plain(m[1]->graph) && !graph_is_plain(m[0]->graph));
    ck_assert_int_eq(m[0]->function.n, m[1]->function.n);
    for (int i = 0; i < m[0]->function.n; i++) {
        Function *f[2] = {m[0]->function.at[i], m[1]->function.at[i]};
        compared += compare(p, f, path);
    }
    ck_assert_msg(compared > 0 || strstr(path, "gpt2"), "%s: all too large",
                  path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plain");
    TCase *c = tcase_create("plain");

    glob("examples/*/*.nn", 0, NULL, &examples);
    tcase_add_checked_fixture(c, programs_setup, programs_teardown);
    tcase_add_loop_test(c, examples_without, 0, (int)examples.gl_pathc);
    suite_add_tcase(s, c);
    int status = run_suite(s);
    globfree(&examples);
    return status;
}
