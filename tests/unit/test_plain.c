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

/* Of one input, of all, and of all results. */
enum { SIZE = 3, MOST = 1 << 12, MOST_ALL = 1 << 16, MOST_OUT = 1 << 20 };

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
                   : MOST_OUT + 1;
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

/* A function of the program with rules or of that without. Of a sparse matrix
 * the first function tells where the second's derivatives go: how many there
 * are, and in which order, is each program's own, but not the matrix. */
typedef struct Side {
    Program *p;
    Function *f;
    Nodes root;
    double **out;
    const double *place; /* of the pattern that came last; NULL: too large */
    int64_t entries;     /* of that matrix */
} Side;

static bool is_pattern(const Function *f) { return f->whole && !f->deriv; }

/* Both parts of a matrix have the same. */
static int number_of(const Function *f, const Node *param)
{
    Nodes in = function_inputs(arena, f->whole ? f->whole : f);
    int i = 0;

    while (i < in.n && in.at[i] != param)
        i++;
    return i + 1;
}

static const double *given_to(const Side *s, const Node *param, int64_t n)
{
    int number = number_of(s->f, param);
    bool given = s->f->whole && number > function_inputs(arena, s->f->whole).n;

    return given ? s->place : draw(param, n, number);
}

/* False: it is too large here. */
static bool evaluate(Side *s)
{
    Function *f = s->f;
    Nodes in = function_inputs(arena, f);
    EvalInput *input = NEWN(arena, EvalInput, in.n + 1);
    int64_t all = 0;

    s->root = functions_roots(arena, &f, 1);
    s->out = NEWN(arena, double *, s->root.n + 1);
    for (int i = 0; i < s->root.n; i++)
        all += elements(f, s->root.at[i]);
    if (all > MOST_OUT)
        return false;
    all = 0;
    for (int i = 0; i < in.n; i++) {
        int64_t n = elements(f, in.at[i]);
        all += n;
        if (n > MOST || all > MOST_ALL)
            return false;
        input[i] = (EvalInput){in.at[i], given_to(s, in.at[i], n)};
        if (!input[i].data)
            return false;
    }
    return eval_nodes(arena, program_module(s->p)->graph, s->root.n, s->root.at,
                      in.n, input, f->nvar, f->var, sizes(f),
                      s->out) == EVAL_OK;
}

/* False: it is too large here. */
static bool values(Side *s)
{
    bool good;

    simplify_functions(program_module(s->p)->graph, &s->f, 1);
    good = evaluate(s);
    if (is_pattern(s->f)) {
        s->place = good ? s->out[2] : NULL;
        s->entries =
            good ? (int64_t)s->out[0][elements(s->f, s->root.at[0]) - 1] : 0;
    }
    return good;
}

static bool is_near(double x, double y)
{
    if (x == y || (isnan(x) && isnan(y)))
        return true;
    return fabs(x - y) <= 1e-7 * (1 + fmax(fabs(x), fabs(y)));
}

/* How much of result i is the same in both. */
static int64_t shared(const Side *s, int i)
{
    enum { START, COLUMN, PLACE };
    bool pattern = is_pattern(s->f);

    if (!s->f->whole || (pattern && i == START))
        return elements(s->f, s->root.at[i]);
    return pattern && i == PLACE ? 0 : s->entries;
}

/* 200 networks trained: learn has the same code, of fewer. */
static bool is_long(const Function *f, const char *path)
{
    return strstr(path, "maml") && strcmp(f->name, "test") == 0;
}

/* False: they are too large to be compared. */
static bool compare(Side *s, const char *path)
{
    if (is_long(s->f, path))
        return false;
    bool good = values(&s[0]);

    if (!values(&s[1]) || !good)
        return false;
    ck_assert_int_eq(s[0].root.n, s[1].root.n);
    for (int i = 0; i < s[0].root.n; i++) {
        ck_assert_int_eq(shared(&s[0], i), shared(&s[1], i));
        for (int64_t j = 0; j < shared(&s[0], i); j++)
            ck_assert_msg(is_near(s[0].out[i][j], s[1].out[i][j]),
                          "%s: %s[%d] is %.17g, and %.17g without", path,
                          s[0].f->name, i, s[0].out[i][j], s[1].out[i][j]);
    }
    return true;
}

START_TEST(examples_without)
{
    const char *path = examples.gl_pathv[_i];
    Side s[2] = {{.p = load(path, false)}, {.p = load(path, true)}};
    Module *m[2] = {program_module(s[0].p), program_module(s[1].p)};
    int compared = 0, all = m[0]->function.n;

    ck_assert(graph_is_plain(m[1]->graph) && !graph_is_plain(m[0]->graph));
    ck_assert_int_eq(m[0]->function.n, m[1]->function.n);
    for (int i = 0; i < m[0]->function.n; i++) {
        for (int k = 0; k < 2; k++)
            s[k].f = m[k]->function.at[i];
        compared += compare(s, path);
    }
    ck_assert_msg(compared > 0 || all == 0 || strstr(path, "gpt2"),
                  "%s: all too large", path);
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
